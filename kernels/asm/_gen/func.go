package main

import (
	"fmt"
	"math"
	"math/bits"
	"reflect"
	"slices"
	"unsafe"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/gotypes"
	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"popsim/kernels/asm"
	"popsim/kernels/vec"
)

// A Func emits one assembly function: arguments, loops and jumps in the order in which they run, with the arithmetic in
// Blocks between them. General registers and scalar instructions are avo's (the embedded Context); vector registers
// belong to the blocks and the pins.
type Func struct {
	*build.Context
	W     isa
	Tune  Tuning // for the blocks that follow
	file  *file
	name  string
	block gotypes.Component
	pins  []vec.Reg
	held  map[uint64]*Pin  // constants that have a register of their own
	kept  map[vec.Mem]*Pin // vectors in memory that have one
	spill reg.GPVirtual    // 64-byte aligned base of the stack slots
	slots int
	later []func()
	label int
}

// Func starts a function, called name plus the instruction set, with the given Go signature and doc comment.
func (f *file) Func(w isa, name, signature string, doc ...string) *Func {
	fn := &Func{Context: f.ctx, W: w, file: f, name: name + w.Name}
	fn.Function(fn.name)
	fn.SignatureExpr(signature)
	fn.Doc(append([]string{fn.name + " " + doc[0]}, doc[1:]...)...)
	fn.Pragma("noescape")
	fn.spill = fn.GP64()
	fn.LEAQ(operand.NewStackAddr(63), fn.spill) // these two go if there is no spill
	fn.ANDQ(operand.I8(-64), fn.spill)
	return fn
}

// Arg is an argument of eight bytes in a register.
func (f *Func) Arg(name string) reg.GPVirtual {
	r := f.GP64()
	f.Load(f.Param(name), r)
	return r
}

// Field is the memory of a field of the argument block, which is the argument b: of an array its first element, of a
// slice its pointer (the length is eight bytes on). The register that holds b stays live as long as fields are used.
func (f *Func) Field(name string) operand.Mem {
	if f.block == nil {
		f.block = f.Dereference(f.Param("b"))
	}
	parts := []gotypes.Component{f.block}
	for part := range reflect.TypeFor[asm.Block]().Fields() {
		if part.Anonymous {
			parts = append(parts, f.block.Field(part.Name))
		}
	}
	for _, part := range parts {
		field := part.Field(name)
		for _, c := range []gotypes.Component{field, field.Index(0), field.Base()} {
			if p, err := c.Resolve(); err == nil {
				return p.Addr
			}
		}
	}
	panic("bug: " + f.name + ": no field " + name + " of b")
}

// fieldStart is the memory where a field starts, of whatever type it is.
func (f *Func) fieldStart(name string) operand.Mem {
	if f.block == nil {
		f.block = f.Dereference(f.Param("b"))
	}
	field := f.block.Field(name)
	for _, c := range []gotypes.Component{field, field.Index(0)} {
		if p, err := c.Resolve(); err == nil {
			return p.Addr
		}
	}
	panic("bug: " + f.name + ": no field " + name + " of b")
}

// Value loads a field of eight bytes (a pointer, a count) into a register.
func (f *Func) Value(field string) reg.GPVirtual {
	r := f.GP64()
	f.MOVQ(f.Field(field), r)
	return r
}

// Numbers of columns in asm.Scratch.
const (
	columnBefore  = int(unsafe.Offsetof(asm.Scratch{}.Before)) / column
	columnAfter   = int(unsafe.Offsetof(asm.Scratch{}.After)) / column
	columnInEvent = int(unsafe.Offsetof(asm.Scratch{}.InEvent)) / column
	columnAhead   = int(unsafe.Offsetof(asm.Scratch{}.LIFAhead)) / column
)

// Pin reserves a vector register for a value that lives across blocks, PinMask one for a mask.
func (f *Func) Pin() *Pin {
	vectors, _ := f.W.Registers()
	return f.pin(vectors, false)
}

// PinMask reserves a mask register where there are any.
func (f *Func) PinMask() *Pin {
	vectors, masks := f.W.Registers()
	if f.W.kmask() {
		return f.pin(masks, true)
	}
	return f.pin(vectors, true)
}

func (f *Func) pin(from []vec.Reg, mask bool) *Pin {
	for i := len(from) - 1; i >= 0; i-- {
		if !f.pinned(from[i]) {
			f.pins = append(f.pins, from[i])
			return &Pin{Reg: from[i], Mask: mask}
		}
	}
	panic("bug: " + f.name + ": more pins than registers")
}

// unpin releases the last n pins.
func (f *Func) unpin(n int) { f.pins = f.pins[:len(f.pins)-n] }

func (f *Func) pinned(r vec.Reg) bool { return slices.Contains(f.pins, r) }

// Hold keeps constants in registers from here on. It pays where there are registers to spare.
func (f *Func) Hold(constants ...float64) {
	held := map[uint64]*Pin{}
	for _, x := range constants {
		p := f.Pin()
		f.Block("hold", func(b *Block) { b.Set(p, b.Const(x)) })
		held[math.Float64bits(x)] = p
	}
	f.held = held
}

// Keep holds vectors in registers while body is emitted, as many as leave spare ones; what is in memory there must
// not change.
func (f *Func) Keep(spare int, vectors []operand.Mem, body func()) {
	pins, kept := f.pins, f.kept
	f.kept = map[vec.Mem]*Pin{}
	f.Block("keep", func(b *Block) {
		for _, m := range vectors {
			if b.Free() > spare {
				v, p := b.Load(m), f.Pin()
				b.Set(p, v)
				f.kept[place(m)] = p
			}
		}
	})
	body()
	f.pins, f.kept = pins, kept
}

// Only lets the blocks that follow overwrite the registers of all pins but these, until the returned function is
// called.
func (f *Func) Only(pins ...*Pin) (restore func()) {
	all := f.pins
	f.pins = nil
	for _, p := range pins {
		f.pins = append(f.pins, p.Reg)
	}
	return func() { f.pins = all }
}

// Block records arithmetic and emits it, scheduled and allocated.
func (f *Func) Block(name string, record func(b *Block)) {
	b := vec.NewBlock(f.name+" "+name,
		vec.Context{Target: f.W.Target, Tune: f.Tune, Pinned: f.pinned, Held: f.held, Kept: f.kept})
	record(&Block{Block: b, w: f.W})
	f.Comment(name)
	f.report(b.Emit(emitter{f}))
}

// NewLabel returns an unused label.
func (f *Func) NewLabel(stem string) string {
	f.label++
	return fmt.Sprintf("%s%d", stem, f.label)
}

// Loop runs body, counts n down, and repeats while n is not 0; n starts positive.
func (f *Func) Loop(name string, n operand.Op, body func()) {
	top := f.NewLabel(name)
	f.Label(top)
	body()
	f.DECQ(n)
	f.JNZ(operand.LabelRef(top))
}

// Later emits code after the end of the function, out of the way of the hot path, under the label it returns; code
// comes back by jumping. The pins of now are in force there.
func (f *Func) Later(name string, code func()) operand.LabelRef {
	l, pins := f.NewLabel(name), slices.Clone(f.pins)
	f.later = append(f.later, func() { f.pins = pins; f.Label(l); code() })
	return operand.LabelRef(l)
}

// End returns to Go and emits what was put off. The directive at the end makes the function start on a cache line, so
// that the time of its loops does not depend on the functions before it.
func (f *Func) End() {
	f.VZEROUPPER()
	f.RET()
	for i := 0; i < len(f.later); i++ {
		f.later[i]()
	}
	f.Instruction(&ir.Instruction{Opcode: "PCALIGN", Operands: []operand.Op{operand.U8(64)}})
	if f.slots > 0 {
		f.AllocLocal(64*f.slots + 64)
	}
	f.file.spills[f.name] = f.slots
}

// An emitter prints the instructions of a block by avo.
type emitter struct{ f *Func }

func (e emitter) Slot(i int) vec.Mem {
	f := e.f
	f.slots = max(f.slots, i+1)
	return place(at(f.spill, i*f.W.Bytes()))
}

func (e emitter) Constant(bits uint64) (m vec.Mem, one bool) {
	c, one := e.f.constant(bits)
	return place(c), one
}

func (e emitter) Instruction(name string, operands ...vec.Operand) {
	args := make([]operand.Op, len(operands))
	for i, o := range operands {
		switch o := o.(type) {
		case vec.Reg:
			args[i] = e.f.W.register(o)
		case vec.Mem:
			args[i] = address(o)
		case vec.Broadcast:
			name, args[i] = name+"_BCST", address(o.Mem)
		case vec.Imm:
			args[i] = operand.U8(o)
		case vec.General:
			args[i] = o.Reg.(operand.Op)
		}
	}
	if name == vec.PackSigns {
		e.f.packSigns(args)
		return
	}
	e.f.asm(name, args...)
}

// packSigns writes the signs of two vectors of four lanes to a byte.
func (f *Func) packSigns(args []operand.Op) {
	bits, high := f.GP64(), f.GP64()
	f.asm("VMOVMSKPD", args[1], high.As32())
	f.asm("VMOVMSKPD", args[0], bits.As32())
	f.SHLL(operand.U8(4), high.As32())
	f.ORL(high.As32(), bits.As32())
	f.MOVB(bits.As8(), args[2])
}

// asm appends an instruction by name; avo checks the forms of its operands, asm that the instruction set has its
// registers.
func (f *Func) asm(name string, args ...operand.Op) {
	in := make([]reflect.Value, len(args))
	for i, a := range args {
		in[i] = reflect.ValueOf(&a).Elem()
	}
	m := reflect.ValueOf(f.Context).MethodByName(name)
	if !m.IsValid() {
		panic("bug: " + f.name + ": avo has no instruction " + name)
	}
	m.Call(in)
	if _, err := f.Result(); err != nil {
		panic(fmt.Sprintf("bug: %s: %s %v: %v", f.name, name, args, err))
	}
}

func (f *Func) report(s *vec.Stats) { f.file.reports = append(f.file.reports, s.String()) }

// at is the memory d bytes after r.
func at(r reg.Register, d int) operand.Mem { return operand.Mem{Base: r, Disp: d} }

// imm is an immediate operand.
func imm(i int) operand.Op {
	if i < 128 {
		return operand.U8(i)
	}
	return operand.U32(i)
}

// log2 is the exponent of a power of two.
func log2(n int) int { return bits.Len(uint(n)) - 1 }
