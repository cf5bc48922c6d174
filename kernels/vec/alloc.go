package vec

import (
	"fmt"
	"math"
	"slices"
)

// allocState is the place of a value: a register, memory (its home), or both. A value without a home gets one on the
// stack when it must leave its register for the first time.
type allocState struct {
	reads []int // positions of the instructions that will read it
	reg   Reg   // 0: none
	home  *Mem
	one   bool // home is one float64 to be broadcast
	slot  int  // 1 + number of its stack slot
	lock  int  // 1 + position of the instruction that holds it in its register
	pin   *Pin // the pin whose register it occupies
}

// An allocator emits the scheduled instructions in one pass. It evicts by Belady's rule (the value whose next read is
// farthest), reads constants and loads again instead of spilling them, uses memory operands where a register would not
// pay, and chooses for each FMA the form that overwrites an operand with no later read.
type allocator struct {
	Emitter
	b     *Block
	at    int // position in the schedule
	vecs  []Reg
	masks []Reg          // free registers
	held  []*node        // values in allocatable registers
	goal  map[*node]*Pin // the pin a value is computed for
	slots []bool         // stack slots in use
	freed []int          // slots this instruction still reads, free after it
	stats *Stats
}

const never = math.MaxInt

func (b *Block) pinned(r Reg) bool { return b.Pinned != nil && b.Pinned(r) }

// Free is how many vector registers the block may use.
func (b *Block) Free() int {
	n := 0
	vectors, _ := b.Target.Registers()
	for _, r := range vectors {
		if !b.pinned(r) {
			n++
		}
	}
	return n
}

// Emit schedules the block, allocates registers and gives the instructions to e in order. A block can be emitted once.
func (b *Block) Emit(e Emitter) *Stats {
	b.mergeSelects()
	order := b.schedule()
	a := &allocator{Emitter: e, b: b, goal: map[*node]*Pin{}, stats: &Stats{Block: b.name}}
	vectors, masks := b.Target.Registers()
	for _, r := range vectors {
		if !b.pinned(r) {
			a.vecs = append(a.vecs, r)
		}
	}
	for _, r := range masks {
		if !b.pinned(r) {
			a.masks = append(a.masks, r)
		}
	}
	for i, n := range order {
		for _, v := range n.inputs() {
			v.alloc.reads = append(v.alloc.reads, i)
		}
		if n.op == opSet && !n.args[0].leaf() && a.goal[n.args[0]] == nil {
			a.goal[n.args[0]] = n.pin
		}
	}
	for _, n := range b.nodes {
		switch s := &n.alloc; n.op {
		case opConst:
			m, one := e.Constant(n.bits)
			s.home, s.one = &m, one
		case opLoad:
			s.home, s.one = &n.mem, n.one
		case opGet:
			s.reg, s.pin = n.pin.Reg, n.pin
			if b.sets[n.pin] == nil {
				s.reads = append(s.reads, never)
			}
		}
	}
	for i, n := range order {
		a.at = i
		a.step(n)
		for _, s := range a.freed {
			a.slots[s] = false
		}
		a.freed = a.freed[:0]
	}
	a.stats.count(order)
	return a.stats
}

// next is the position of v's next reader after this instruction.
func (a *allocator) next(v *node) int {
	for _, r := range v.alloc.reads {
		if r > a.at {
			return r
		}
	}
	return -1
}

// left is the number of remaining reads of v, this one included.
func (a *allocator) left(v *node) int {
	i, _ := slices.BinarySearch(v.alloc.reads, a.at)
	return len(v.alloc.reads) - i
}

// dies reports whether n may overwrite v's register.
func (a *allocator) dies(v, n *node) bool {
	return v.alloc.reg != 0 && a.next(v) < 0 && (v.alloc.pin == nil || a.goal[n] == v.alloc.pin)
}

// release frees the registers of those inputs of n that have no later read.
func (a *allocator) release(n *node) {
	for _, v := range n.inputs() {
		if a.next(v) >= 0 {
			continue
		}
		if v.alloc.slot > 0 {
			a.freed = append(a.freed, v.alloc.slot-1)
			v.alloc.slot = 0
		}
		a.drop(v)
	}
}

// drop takes v out of its register.
func (a *allocator) drop(v *node) {
	if v.alloc.reg != 0 && v.alloc.pin == nil {
		a.put(v.alloc.reg)
		a.held = slices.DeleteFunc(a.held, func(h *node) bool { return h == v })
	}
	v.alloc.reg, v.alloc.pin = 0, nil
}

func (a *allocator) put(r Reg) {
	if r.IsMask() {
		a.masks = append(a.masks, r)
	} else {
		a.vecs = append(a.vecs, r)
	}
}

// take finds a free register; if there is none it evicts a value to its home.
func (a *allocator) take(mask bool) Reg {
	mask = mask && a.b.Target.HasMasks()
	pool := &a.vecs
	if mask {
		pool = &a.masks
	}
	if len(*pool) == 0 {
		var out *node
		far := -1.0
		for _, v := range a.held {
			if v.alloc.lock == a.at+1 || v.alloc.reg.IsMask() != mask {
				continue
			}
			d := float64(a.next(v) - a.at)
			if v.alloc.home == nil { // leaving costs a store
				d *= 0.5
			}
			if d > far {
				out, far = v, d
			}
		}
		if out == nil {
			panic("bug: " + a.b.name + ": one instruction needs more registers than there are")
		}
		a.spill(out)
		a.drop(out)
	}
	r := (*pool)[0]
	*pool = (*pool)[1:]
	return r
}

// spill gives v a home on the stack.
func (a *allocator) spill(v *node) {
	if v.alloc.home != nil {
		return
	}
	i := slices.Index(a.slots, false)
	if i < 0 {
		i = len(a.slots)
		a.slots = append(a.slots, false)
	}
	a.slots[i] = true
	v.alloc.slot = i + 1
	m := a.Slot(i)
	v.alloc.home = &m
	a.stats.Spills++
	if v.alloc.reg.IsMask() {
		a.Instruction("KMOVB", v.alloc.reg, m)
	} else {
		a.Instruction("VMOVUPD", v.alloc.reg, m)
	}
}

// settle records that v is now in r.
func (a *allocator) settle(v *node, r Reg) {
	v.alloc.reg, v.alloc.lock = r, a.at+1
	if p := a.goal[v]; p != nil && p.Reg == r {
		v.alloc.pin = p
	} else {
		a.held = append(a.held, v)
	}
}

// reg brings v into a register and keeps it there for this instruction.
func (a *allocator) reg(v *node) Reg {
	if v.alloc.reg == 0 {
		r := a.take(v.mask)
		a.read(v, r)
		a.settle(v, r)
	}
	v.alloc.lock = a.at + 1
	return v.alloc.reg
}

// read copies v from its home to r.
func (a *allocator) read(v *node, r Reg) {
	a.stats.Loads++
	switch {
	case r.IsMask():
		a.Instruction("KMOVB", *v.alloc.home, r)
	case v.alloc.one:
		a.Instruction("VBROADCASTSD", *v.alloc.home, r)
	default:
		a.Instruction("VMOVUPD", *v.alloc.home, r)
	}
}

// inReg reports whether v is, or should be brought, in a register when the current instruction reads it.
func (a *allocator) inReg(v *node) bool {
	if v.alloc.reg != 0 || v.mask {
		return true
	}
	if v.alloc.one && !a.b.Target.HasMasks() {
		return true // AVX2 has no broadcast operands
	}
	reuse := a.b.Tune.Reuse
	if reuse == 0 {
		reuse = 3
	}
	if next := a.next(v); next >= 0 && next-a.at <= a.b.Tune.Near && len(a.vecs) > 0 {
		return true
	}
	return len(a.vecs) > spare && a.left(v) >= reuse
}

// src is v as the one operand that may be memory.
func (a *allocator) src(v *node) Operand {
	if a.inReg(v) {
		return a.reg(v)
	}
	a.stats.Folds++
	if v.alloc.one {
		return Broadcast{*v.alloc.home}
	}
	return *v.alloc.home
}

// def is the register n's result goes to; its inputs have been fetched.
func (a *allocator) def(n *node) Reg {
	if p := a.goal[n]; p != nil {
		g := a.b.gets[p]
		if g == nil || g.alloc.reg == 0 || a.next(g) < 0 {
			a.release(n)
			a.settle(n, p.Reg)
			return p.Reg
		}
	}
	a.release(n)
	r := a.take(n.mask)
	a.settle(n, r)
	return r
}

// onto is the register of v, which n overwrites with its result: v's own if v dies here, else a copy.
func (a *allocator) onto(n, v *node) Reg {
	if a.dies(v, n) {
		r := v.alloc.reg
		pinned := v.alloc.pin != nil
		if !pinned {
			a.held = slices.DeleteFunc(a.held, func(h *node) bool { return h == v })
		}
		v.alloc.reg, v.alloc.pin = 0, nil
		a.release(n)
		a.settle(n, r)
		return r
	}
	r := Reg(0)
	if p := a.goal[n]; p != nil && a.vacant(p, n) {
		r = p.Reg
	} else {
		r = a.take(n.mask)
	}
	if v.alloc.reg != 0 {
		a.stats.Moves++
		a.Instruction("VMOVAPD", v.alloc.reg, r)
	} else {
		a.read(v, r)
	}
	a.release(n)
	a.settle(n, r)
	return r
}

// vacant reports whether p's old value has no later read and is not read by n either.
func (a *allocator) vacant(p *Pin, n *node) bool {
	g := a.b.gets[p]
	return g == nil || (a.next(g) < 0 && !slices.Contains(n.inputs(), g))
}

// step emits one instruction. Operands stand in Go's order: sources from last to first, then the destination.
func (a *allocator) step(n *node) {
	k := a.b.Target.HasMasks()
	name := ops[n.op].name
	switch n.op {
	case opFMA, opFNMA, opFMS:
		a.fma(n, name)
	case opSelect:
		m, x, y := n.args[0], n.args[1], n.args[2]
		rm, ry, sx := a.reg(m), a.reg(y), a.src(x)
		if k {
			a.Instruction(ops[n.op].kname, sx, ry, rm, a.def(n))
		} else {
			a.Instruction(name, rm, sx, ry, a.def(n))
		}
	case opCmp:
		x, y := a.pair(n)
		operands := []Operand{Imm(n.imm), y, x}
		if n.mergeMask != nil {
			operands = append(operands, a.reg(n.mergeMask))
		}
		a.Instruction(name, append(operands, a.def(n))...)
	case opShlI, opShrI:
		x := Operand(a.reg(n.args[0]))
		a.masked(n, name, Imm(n.imm), x)
	case opSqrt:
		a.masked(n, name, a.src(n.args[0]))
	case opStore:
		r := a.reg(n.args[0])
		a.release(n)
		a.Instruction("VMOVUPD", r, n.mem)
	case opSet:
		a.set(n)
	case opBits:
		r := a.reg(n.args[0])
		a.release(n)
		if k {
			a.Instruction("KMOVB", r, General{n.gp})
		} else {
			a.Instruction("VMOVMSKPD", r, General{n.gp})
		}
	case opStoreBits:
		a.storeBits(n)
	case opTest:
		r := a.reg(n.args[0])
		a.release(n)
		if k {
			a.Instruction("KORTESTB", r, r)
		} else {
			a.Instruction("VPTEST", r, r)
		}
	default:
		if n.mask && k && n.op != opGtI {
			name = ops[n.op].kname
		}
		x, y := a.pair(n)
		a.masked(n, name, y, x)
	}
}

// storeBits writes one mask register, or the signs of two vectors, to a byte.
func (a *allocator) storeBits(n *node) {
	if a.b.Target.HasMasks() {
		r := a.reg(n.args[0])
		a.release(n)
		a.Instruction("KMOVB", r, n.mem)
		return
	}
	x, y := a.reg(n.args[0]), a.reg(n.args[1])
	a.release(n)
	a.Instruction(PackSigns, x, y, n.mem)
}

// pair fetches the operands of a binary operation: the first in a register, the second in a register or memory.
func (a *allocator) pair(n *node) (x Reg, y Operand) {
	if ops[n.op].commutes && !a.inReg(n.args[0]) {
		n.args[0], n.args[1] = n.args[1], n.args[0]
	}
	x = a.reg(n.args[0])
	return x, a.src(n.args[1])
}

// masked emits an operation with its sources, merging into the old value if it has one.
func (a *allocator) masked(n *node, name string, srcs ...Operand) {
	if n.mergeMask == nil {
		a.Instruction(name, append(srcs, a.def(n))...)
		return
	}
	m := a.reg(n.mergeMask)
	if n.old.alloc.reg != 0 {
		n.old.alloc.lock = a.at + 1
	}
	a.Instruction(name, append(srcs, m, a.onto(n, n.old))...)
}

// fma emits x*y + z in one of its three forms. One operand is destroyed, one may be memory.
func (a *allocator) fma(n *node, name string) {
	x, y, z := n.args[0], n.args[1], n.args[2]
	for _, v := range n.inputs() {
		if v.alloc.reg != 0 {
			v.alloc.lock = a.at + 1
		}
	}
	d := a.victim(n)
	first, second := y, z // x is destroyed: x = y*x + z
	switch d {
	case z:
		first, second = x, y
	case y:
		first, second = x, z
	}
	var r1 Reg
	var s2 Operand
	form := "213"
	if d == z {
		form = "231" // z = x*y + z
	}
	if !a.inReg(first) && a.inReg(second) {
		if r1, s2 = a.reg(second), a.src(first); d != z {
			form = "132" // x = x*mem + z
		}
	} else {
		r1, s2 = a.reg(first), a.src(second)
	}
	srcs := []Operand{s2, r1}
	if n.mergeMask != nil {
		srcs = append(srcs, a.reg(n.mergeMask))
	}
	a.Instruction(name+form+"PD", append(srcs, a.onto(n, d))...)
}

// victim is the operand whose register n overwrites: the old value of a merge, else one that dies, best the addend,
// else one to be loaded from memory anyway, else any.
func (a *allocator) victim(n *node) *node {
	if n.mergeMask != nil {
		return n.old
	}
	order := []*node{n.args[2], n.args[0], n.args[1]}
	for _, v := range order {
		if a.dies(v, n) {
			return v
		}
	}
	for _, v := range order {
		if !a.inReg(v) {
			return v
		}
	}
	return n.args[2]
}

// set moves a value to its pin, if it was not computed there.
func (a *allocator) set(n *node) {
	v, p := n.args[0], n.pin
	if v.alloc.reg == 0 {
		a.read(v, p.Reg)
	} else if v.alloc.reg != p.Reg {
		a.stats.Moves++
		mov := "VMOVAPD"
		if p.Reg.IsMask() {
			mov = "KMOVB"
		}
		a.Instruction(mov, v.alloc.reg, p.Reg)
	}
	a.release(n)
}

// Stats is the cost of a block in instructions.
type Stats struct {
	Block                       string
	FMA, Add, Div, Other        int
	Loads, Moves, Folds, Spills int
}

func (s *Stats) count(order []*node) {
	for _, n := range order {
		switch {
		case ops[n.op].fma:
			s.FMA++
		case n.op == opAdd || n.op == opSub:
			s.Add++
		case n.op == opDiv || n.op == opSqrt:
			s.Div++
		default:
			s.Other++
		}
	}
}

func (s *Stats) String() string {
	return fmt.Sprintf(
		"%s: %d fma+mul, %d add, %d div, %d other; %d loads, %d moves, %d folded, %d spills; FMA pipes %.1f cycles",
		s.Block,
		s.FMA,
		s.Add,
		s.Div,
		s.Other,
		s.Loads,
		s.Moves,
		s.Folds,
		s.Spills,
		float64(s.FMA)/2,
	)
}
