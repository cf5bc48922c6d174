package vec

// A Reg is a register of a Target: a vector register or a mask register. The zero Reg is none.
type Reg uint8

const firstMask = 33

// VectorReg is vector register i (0 to 31), MaskReg mask register i (0 to 7).
func VectorReg(i int) Reg { return Reg(1 + i) }

// MaskReg is mask register i (0 to 7).
func MaskReg(i int) Reg { return Reg(firstMask + i) }

// IsMask reports whether r is a mask register.
func (r Reg) IsMask() bool { return r >= firstMask }

// Number is the number of r among the registers of its kind.
func (r Reg) Number() int {
	if r.IsMask() {
		return int(r - firstMask)
	}
	return int(r) - 1
}

// A Target holds the properties of an instruction set that recording and allocation use. A kernel is recorded once for
// each.
type Target struct {
	Name    string // suffix of the functions: AVX2, AVX512, Go
	Lanes   int    // float64 per vector
	Vectors int    // vector registers
	// mask registers, numbered from 1 (0 as a write mask means "no mask"); 0: a mask is a vector of all-ones and zeros
	Masks int
}

// The instruction sets, and plain Go, whose blocks are interpreted or printed but never allocated.
var (
	AVX2   = Target{Name: "AVX2", Lanes: 4, Vectors: 16}
	AVX512 = Target{Name: "AVX512", Lanes: 8, Vectors: 32, Masks: 7}
	Go     = Target{Name: "Go", Lanes: 8, Vectors: 32, Masks: 7}
)

// Bytes is the size of a vector in memory.
func (t Target) Bytes() int { return 8 * t.Lanes }

// HasMasks reports whether masks have registers of their own.
func (t Target) HasMasks() bool { return t.Masks > 0 }

// Registers lists the registers in the order in which they are given to values.
func (t Target) Registers() (vectors, masks []Reg) {
	for i := range t.Vectors {
		vectors = append(vectors, VectorReg(i))
	}
	for i := range t.Masks {
		masks = append(masks, MaskReg(i+1))
	}
	return vectors, masks
}

// An Operand of an instruction is a Reg, a Mem, a Broadcast, an Imm or a General.
type Operand interface{ operand() }

type (
	Broadcast struct{ Mem }     // one float64 in memory that stands for all lanes
	Imm       uint8             // an immediate
	General   struct{ Reg any } // a general register, named by the recording
)

func (Reg) operand()       {}
func (Mem) operand()       {}
func (Broadcast) operand() {}
func (Imm) operand()       {}
func (General) operand()   {}

// PackSigns is the only instruction of Emit that the processor does not have: the sign bits of the four lanes of the
// first operand, then of the second, as a byte to the third.
const PackSigns = "packsigns"

// An Emitter receives the instructions of a block: text at build time, machine code at run time.
type Emitter interface {
	// Instruction appends an instruction by its name in Go's assembler, without suffixes for broadcasting. The operands
	// stand in Go's order: sources from last to first, then the destination; a write mask stands before the destination.
	Instruction(name string, operands ...Operand)
	// Constant is the place of a bit pattern in read-only memory, and whether it is stored once (to be broadcast) or fills
	// a vector.
	Constant(bits uint64) (m Mem, one bool)
	// Slot is the place on the stack of spill slot i.
	Slot(i int) Mem
}
