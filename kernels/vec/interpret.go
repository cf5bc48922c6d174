package vec

import "math"

// An Interpreter executes blocks in plain Go, lane by lane. Its results define the meaning of a block: machine code and
// printed Go must match them bit for bit.
type Interpreter struct {
	// Memory is the memory from m on: a vector, which stores write; a byte in the bits of its first value for StoreBits;
	// one value for Broadcast.
	Memory func(m Mem) []float64
	// Pins holds the lanes of each pin, those of a mask as 0 and all ones.
	Pins map[*Pin][]uint64
	// General holds what Bits wrote, by register.
	General map[any]uint64
	// Any is whether the mask of the last Test held in any lane.
	Any bool
}

// Run executes b, which must not have been emitted. Stores take effect in the order of their recording, pins at the
// end.
func (in *Interpreter) Run(b *Block) {
	values := make([][]uint64, len(b.nodes))
	set := map[*Pin][]uint64{}
	for i, n := range b.nodes {
		switch n.op {
		case opStore:
			m := in.Memory(n.mem)
			for l, u := range values[n.args[0].index] {
				m[l] = math.Float64frombits(u)
			}
		case opSet:
			set[n.pin] = values[n.args[0].index]
		case opBits:
			in.General[n.gp] = packed(values[n.args[0].index])
		case opStoreBits:
			word, shift := uint64(0), 0
			for _, a := range n.args {
				word |= packed(values[a.index]) << shift
				shift += b.Target.Lanes
			}
			in.Memory(n.mem)[0] = math.Float64frombits(word)
		case opTest:
			in.Any = packed(values[n.args[0].index]) != 0
		default:
			values[i] = in.lanes(b, n, values)
		}
	}
	for p, v := range set {
		in.Pins[p] = v
	}
}

// packed has bit l set where lane l of the mask is set.
func packed(mask []uint64) (word uint64) {
	for l, u := range mask {
		word |= (u >> 63) << l
	}
	return word
}

// lanes is the value of n in every lane. Loads copy, since a later store may change what stands there.
func (in *Interpreter) lanes(b *Block, n *node, values [][]uint64) []uint64 {
	r := make([]uint64, b.Target.Lanes)
	var memory []float64
	if n.op == opLoad {
		memory = in.Memory(n.mem)
	}
	for l := range r {
		switch n.op {
		case opConst:
			r[l] = n.bits
		case opLoad:
			at := l
			if n.one {
				at = 0
			}
			r[l] = math.Float64bits(memory[at])
		case opGet:
			r[l] = in.Pins[n.pin][l]
		default:
			var x [3]uint64
			for i, a := range n.args {
				x[i] = values[a.index][l]
			}
			r[l] = evaluate(n, x)
		}
	}
	return r
}

// evaluate is one operation on the bits of its operands in one lane.
func evaluate(n *node, u [3]uint64) uint64 {
	x, y, z := math.Float64frombits(u[0]), math.Float64frombits(u[1]), math.Float64frombits(u[2])
	switch n.op {
	case opAdd:
		return math.Float64bits(x + y)
	case opSub:
		return math.Float64bits(x - y)
	case opMul:
		return math.Float64bits(x * y)
	case opDiv:
		return math.Float64bits(x / y)
	case opSqrt:
		return math.Float64bits(math.Sqrt(x))
	case opFMA:
		return math.Float64bits(math.FMA(x, y, z))
	case opFNMA:
		return math.Float64bits(math.FMA(-x, y, z))
	case opFMS:
		return math.Float64bits(math.FMA(x, y, -z))
	case opMin:
		if x < y {
			return u[0]
		}
		return u[1] // also where one is NaN
	case opMax:
		if x > y {
			return u[0]
		}
		return u[1]
	case opSelect:
		if u[0]>>63 != 0 {
			return u[1]
		}
		return u[2]
	case opGtI:
		return truth(int64(u[0]) > int64(u[1]))
	case opCmp:
		return truth(compare(x, Pred(n.imm), y))
	}
	return evaluateBits(n, u)
}

// evaluateBits is one operation on bit patterns, of which masks are two.
func evaluateBits(n *node, u [3]uint64) uint64 {
	switch n.op {
	case opAnd:
		return u[0] & u[1]
	case opOr:
		return u[0] | u[1]
	case opXor:
		return u[0] ^ u[1]
	case opAndNot:
		return u[1] &^ u[0]
	case opAddI:
		return u[0] + u[1]
	case opSubI:
		return u[0] - u[1]
	case opShlI:
		return u[0] << n.imm
	case opShrI:
		return u[0] >> n.imm
	}
	panic("bug: vec: an operation without meaning")
}

// truth is a lane of a mask.
func truth(b bool) uint64 {
	if b {
		return ^uint64(0)
	}
	return 0
}

func compare(x float64, p Pred, y float64) bool {
	switch p {
	case EQ:
		return x == y
	case LT:
		return x < y
	case LE:
		return x <= y
	case GE:
		return x >= y
	case GT:
		return x > y
	}
	return !compare(x, p.negated(), y)
}

// negated is the predicate that holds where p does not.
func (p Pred) negated() Pred {
	switch p {
	case NEQ:
		return EQ
	case NLT:
		return LT
	case NLE:
		return LE
	case NGE:
		return GE
	}
	return GT
}
