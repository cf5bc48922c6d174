package vec

import (
	"math"
	"math/bits"
)

// A Code is a program compiled for execution in plain Go. Goroutines may share it.
type Code struct {
	instructions []instruction
	constants    []constant
	slots        int // results that live at one time
	keep         int // see Program.Keep
}

// interpreter executes a Code: every operation goes through all lanes of a frame before the next one, in scratch memory
// that stays in the first-level cache. It computes what Interpreter computes.
type interpreter struct {
	*Code
	slots  [][]float64 // results, reused as soon as nothing reads them any more
	filled [][]float64 // the constants, in every lane
}

// Executor returns an executor with scratch memory, for one goroutine at a time.
func (c *Code) Executor() Executor {
	x := &interpreter{Code: c}
	for range c.slots {
		x.slots = append(x.slots, make([]float64, FrameLanes))
	}
	for range c.constants {
		x.filled = append(x.filled, make([]float64, FrameLanes))
	}
	return x
}

// operand is the place of an argument or of the result of an instruction.
type operand struct {
	kind operandKind
	at   int // number of a slot or a constant; index into the frame's memory
}

type operandKind uint8

const (
	inSlot operandKind = iota
	inConstant
	inBefore
	inLane
	inInput
	inAfter
)

type instruction struct {
	op   op
	imm  uint8
	out  operand
	args [3]operand
}

// constant is a bit pattern, or a value of Shared.
type constant struct {
	bits   uint64
	shared int // index in Shared, -1: bits
}

// Compile makes a program ready for execution in plain Go.
func (p *Program) Compile() *Code {
	b := NewBlock(p.Name, Context{Target: Go})
	p.Record(b)
	b.link() // marks what is used
	c := &Code{keep: p.Keep}
	m := maker{code: c, of: map[*node]operand{}, last: map[*node]int{}}
	for _, n := range b.nodes {
		if n.sched.used {
			for _, a := range n.args {
				m.last[a] = n.index
			}
		}
	}
	for _, n := range b.nodes {
		if n.sched.used {
			m.add(n)
		}
	}
	return c
}

// Len is the number of operations.
func (c *Code) Len() int { return len(c.instructions) }

// maker assigns every value its place.
type maker struct {
	code *Code
	of   map[*node]operand
	last map[*node]int // index of the last reader
	free []int
}

func (m *maker) add(n *node) {
	switch n.op {
	case opConst:
		m.of[n] = m.constant(constant{n.bits, -1})
		return
	case opLoad:
		m.of[n] = m.load(n)
		return
	}
	in := instruction{op: n.op, imm: n.imm}
	for i, a := range n.args {
		in.args[i] = m.of[a]
	}
	for i, a := range n.args { // a slot may be written in the operation that reads it last
		if o := m.of[a]; o.kind == inSlot && m.last[a] == n.index && !contains(n.args[:i], a) {
			m.free = append(m.free, o.at)
		}
	}
	switch n.op {
	case opStore:
		if n.mem.Base != After {
			panic("bug: vec: a program stores to memory that it reads")
		}
		in.out = operand{inAfter, n.mem.Disp / 8}
	case opBits:
	default:
		in.out = m.slot()
		m.of[n] = in.out
	}
	m.code.instructions = append(m.code.instructions, in)
}

func contains(all []*node, n *node) bool {
	for _, a := range all {
		if a == n {
			return true
		}
	}
	return false
}

func (m *maker) slot() operand {
	if k := len(m.free); k > 0 {
		s := m.free[k-1]
		m.free = m.free[:k-1]
		return operand{inSlot, s}
	}
	m.code.slots++
	return operand{inSlot, m.code.slots - 1}
}

func (m *maker) constant(c constant) operand {
	m.code.constants = append(m.code.constants, c)
	return operand{inConstant, len(m.code.constants) - 1}
}

func (m *maker) load(n *node) operand {
	kind, ok := map[Place]operandKind{Before: inBefore, Lane: inLane, Input: inInput}[n.mem.Base.(Place)]
	switch {
	case n.mem.Base == Shared:
		return m.constant(constant{shared: n.mem.Disp / 8})
	case !ok:
		panic("bug: vec: a program reads memory that it stores to")
	}
	return operand{kind, n.mem.Disp / 8}
}

// Run is that of Executor.
func (c *interpreter) Run(f *Frame) {
	width := f.Lanes
	for i, k := range c.constants {
		x := math.Float64frombits(k.bits)
		if k.shared >= 0 {
			x = f.Shared[k.shared]
		}
		for l := range c.filled[i][:width] {
			c.filled[i][l] = x
		}
	}
	f.Fired = 0
	for f.Step < f.Steps && f.hasRoom() {
		if f.At >= f.Lanes {
			f.End()
			continue
		}
		fired := c.step(f, width)
		f.At = f.Lanes
		switch {
		case fired == 0:
		case f.Log == nil:
			f.Fired = fired
			return
		default:
			f.log(fired, c.keep)
		}
	}
}

// hasRoom reports whether the log, if there is one, has a place for every lane.
func (f *Frame) hasRoom() bool { return f.Log == nil || len(f.Log)-f.Logged >= FrameLanes }

// log appends the lanes that fired in the current step, and their first columns.
func (f *Frame) log(fired uint64, columns int) {
	for ; fired != 0; fired &= fired - 1 {
		l := bits.TrailingZeros64(fired)
		f.Log[f.Logged] = Firing{f.Step, l}
		kept := f.Kept[2*columns*f.Logged:]
		for j := range columns {
			kept[j], kept[columns+j] = f.Before[j*FrameLanes+l], f.After[j*FrameLanes+l]
		}
		f.Logged++
	}
}

// step runs all operations for one step of all lanes.
func (c *interpreter) step(f *Frame, width int) (fired uint64) {
	input := f.Input[f.Step*f.Stride:]
	at := func(o operand) []float64 {
		switch o.kind {
		case inSlot:
			return c.slots[o.at][:width]
		case inConstant:
			return c.filled[o.at][:width]
		case inBefore:
			return f.Before[o.at : o.at+width]
		case inLane:
			return f.Lane[o.at : o.at+width]
		case inInput:
			return input[o.at : o.at+width]
		}
		return f.After[o.at : o.at+width]
	}
	for i := range c.instructions {
		in := &c.instructions[i]
		x := at(in.args[0])
		switch in.op {
		case opStore:
			copy(at(in.out), x)
		case opBits:
			for l, v := range x {
				fired |= math.Float64bits(v) >> 63 << l
			}
		default:
			in.run(at(in.out), x, at(in.args[1]), at(in.args[2]))
		}
	}
	return fired
}

// run executes one operation in every lane, as evaluate does in one.
func (in *instruction) run(r, x, y, z []float64) {
	x, y, z = x[:len(r)], y[:len(r)], z[:len(r)]
	switch in.op {
	case opAdd:
		for l := range r {
			r[l] = x[l] + y[l]
		}
	case opSub:
		for l := range r {
			r[l] = x[l] - y[l]
		}
	case opMul:
		for l := range r {
			r[l] = x[l] * y[l]
		}
	case opDiv:
		for l := range r {
			r[l] = x[l] / y[l]
		}
	case opFMA:
		for l := range r {
			r[l] = math.FMA(x[l], y[l], z[l])
		}
	case opFNMA:
		for l := range r {
			r[l] = math.FMA(-x[l], y[l], z[l])
		}
	case opFMS:
		for l := range r {
			r[l] = math.FMA(x[l], y[l], -z[l])
		}
	case opMin:
		for l := range r {
			v := y[l]
			if x[l] < v {
				v = x[l]
			}
			r[l] = v
		}
	case opMax:
		for l := range r {
			v := y[l]
			if x[l] > v {
				v = x[l]
			}
			r[l] = v
		}
	case opSelect:
		for l := range r {
			v := z[l]
			if math.Float64bits(x[l])>>63 != 0 {
				v = y[l]
			}
			r[l] = v
		}
	case opAddI:
		for l := range r {
			r[l] = math.Float64frombits(math.Float64bits(x[l]) + math.Float64bits(y[l]))
		}
	case opShlI:
		for l := range r {
			r[l] = math.Float64frombits(math.Float64bits(x[l]) << in.imm)
		}
	default:
		n := node{op: in.op, imm: in.imm}
		for l := range r {
			r[l] = math.Float64frombits(
				evaluate(&n, [3]uint64{math.Float64bits(x[l]), math.Float64bits(y[l]), math.Float64bits(z[l])}),
			)
		}
	}
}
