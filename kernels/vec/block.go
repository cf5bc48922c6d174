package vec

import "math"

// A Block records a straight line of vector arithmetic. Every method appends one operation, whose result never changes.
// The order of the instructions and their registers are decided afterwards (schedule.go, alloc.go); every executor
// computes exactly the operations recorded, each correctly rounded, so that the bits are the same on every instruction
// set.
type Block struct {
	Context
	name   string
	nodes  []*node
	leaves map[any]*node // constants, loads and pins recorded so far
	stored map[Mem]*node // the last store to each place
	gets   map[*Pin]*node
	sets   map[*Pin]*node
	slope  float64 // of the skew, cycles per recorded value
	start  int     // first node of the vectors recorded abreast
	done   int     // nodes recorded between start and the current vector
	vector int     // number of the vector of a program that is recorded
}

// Context holds what a block shares with the function it is part of. Its zero value with a Target records an ordinary
// block.
type Context struct {
	Target Target
	Tune   Tuning
	Pinned func(Reg) bool  // registers that pins of the function occupy; nil means none
	Held   map[uint64]*Pin // constants, by bit pattern, that have a register of their own
	Kept   map[Mem]*Pin    // vectors in memory that have a register of their own and do not change
}

// NewBlock returns an empty block; name appears in reports and panics.
func NewBlock(name string, c Context) *Block {
	return &Block{
		Context: c, name: name,
		leaves: map[any]*node{}, stored: map[Mem]*node{}, gets: map[*Pin]*node{}, sets: map[*Pin]*node{},
	}
}

// A Vec is a vector of float64, or of their bit patterns; a Mask is a truth value per lane.
type (
	Vec  struct{ n *node }
	Mask struct{ n *node }
)

// IsZero reports whether m is the zero Mask, which no block has recorded.
func (m Mask) IsZero() bool { return m.n == nil }

// Mem is a place in memory: Disp bytes after Base, a comparable value by which the executor identifies the start of a
// column. Two places with different bases never overlap.
type Mem struct {
	Base any
	Disp int
}

// A Pin is a register that keeps a value between blocks: a loop-carried state, a uniform parameter.
type Pin struct {
	Reg  Reg
	Mask bool
}

type op uint8

const (
	// leaves: emitted only when an instruction needs them in a register
	opConst op = iota
	opLoad
	opGet
	// vector arithmetic
	opAdd
	opSub
	opMul
	opDiv
	opMin
	opMax
	opAnd
	opOr
	opXor
	opAndNot
	opAddI
	opSubI
	opSqrt
	opShlI
	opShrI
	opFMA
	opFNMA
	opFMS
	opSelect
	// to and among masks
	opCmp
	opGtI
	// effects
	opStore
	opSet
	opBits
	opStoreBits
	opTest
)

// What the scheduler and the report use of an operation: its instruction (AVX-512 masks: kname), latency in cycles (Zen
// 5; others are close), whether it occupies an FMA pipe, whether its two operands commute.
var ops = [...]struct {
	name, kname string
	latency     int
	fma         bool
	commutes    bool
}{
	opConst: {name: "const"}, opLoad: {name: "load"}, opGet: {name: "pin"},
	opAdd: {name: "VADDPD", latency: 3, commutes: true}, opSub: {name: "VSUBPD", latency: 3},
	opMul: {name: "VMULPD", latency: 3, fma: true, commutes: true}, opDiv: {name: "VDIVPD", latency: 13},
	opMin: {name: "VMINPD", latency: 2}, opMax: {name: "VMAXPD", latency: 2},
	opAnd:    {name: "VANDPD", kname: "KANDB", latency: 1, commutes: true},
	opOr:     {name: "VORPD", kname: "KORB", latency: 1, commutes: true},
	opXor:    {name: "VXORPD", kname: "KXORB", latency: 1, commutes: true},
	opAndNot: {name: "VANDNPD", kname: "KANDNB", latency: 1},
	opAddI:   {name: "VPADDQ", latency: 1, commutes: true}, opSubI: {name: "VPSUBQ", latency: 1},
	opSqrt: {name: "VSQRTPD", latency: 20},
	opShlI: {name: "VPSLLQ", latency: 1}, opShrI: {name: "VPSRLQ", latency: 1},
	opFMA: {name: "VFMADD", latency: 4, fma: true}, opFNMA: {name: "VFNMADD", latency: 4, fma: true},
	opFMS:    {name: "VFMSUB", latency: 4, fma: true},
	opSelect: {name: "VBLENDVPD", kname: "VBLENDMPD", latency: 1}, opCmp: {name: "VCMPPD", latency: 4},
	opGtI:   {name: "VPCMPGTQ", latency: 3},
	opStore: {name: "store", latency: 1}, opSet: {name: "set"}, opBits: {name: "bits", latency: 4},
	opStoreBits: {name: "bits", latency: 4}, opTest: {name: "test", latency: 4},
}

type node struct {
	op   op
	args []*node
	mem  Mem    // opLoad, opStore
	one  bool   // mem is a single float64 that stands for all lanes
	bits uint64 // opConst
	imm  uint8  // predicate, shift count
	gp   any    // opBits: the general register, named as the emitter names it
	pin  *Pin   // opGet, opSet
	mask bool   // the result is a truth value

	// A merge-masked operation: lanes outside mergeMask keep old, whose register it takes. A comparison has no old: it is
	// false outside mergeMask.
	mergeMask, old *node
	where          bool // opAnd of CmpWhere

	index int
	place int // index in which vectors recorded abreast count as one
	sched schedState
	alloc allocState
}

func (n *node) leaf() bool { return n.op <= opGet }

// inputs are all values n reads.
func (n *node) inputs() []*node {
	if n.mergeMask == nil {
		return n.args
	}
	all := append(append([]*node{}, n.args...), n.mergeMask)
	if n.old != nil {
		all = append(all, n.old)
	}
	return all
}

func (b *Block) add(n *node) *node {
	for _, a := range n.args {
		if a == nil || a.index >= len(b.nodes) || b.nodes[a.index] != a {
			panic("bug: " + b.name + ": operand of another block; keep it in a Pin or in memory")
		}
	}
	n.index = len(b.nodes)
	n.place = n.index - b.done
	b.nodes = append(b.nodes, n)
	return n
}

// Vector announces that the operations of vector s follow. It matters only for Tuning.Abreast.
func (b *Block) Vector(s int) {
	if s%max(b.Tune.Abreast, 1) == 0 {
		b.start = len(b.nodes)
	}
	b.done = len(b.nodes) - b.start
}

func (b *Block) vec(o op, args ...*node) Vec { return Vec{b.add(&node{op: o, args: args})} }

func (b *Block) leaf(key any, make func() *node) *node {
	if n, ok := b.leaves[key]; ok {
		return n
	}
	n := b.add(make())
	b.leaves[key] = n
	return n
}

// Const is x in every lane. Constants live in read-only memory and are operands of their users where possible.
func (b *Block) Const(x float64) Vec { return b.ConstBits(math.Float64bits(x)) }

// ConstBits is a bit pattern in every lane.
func (b *Block) ConstBits(u uint64) Vec {
	if p := b.Held[u]; p != nil {
		return b.Get(p)
	}
	return Vec{b.leaf(u, func() *node { return &node{op: opConst, bits: u} })}
}

// Load is the vector at m: a column, or a parameter replicated to a full vector. It may be read at any time, and more
// than once, before this block stores to m; the block must not write the same memory under another base.
func (b *Block) Load(m Mem) Vec { return b.load(m, false) }

// Broadcast is the single float64 at m in every lane.
func (b *Block) Broadcast(m Mem) Vec { return b.load(m, true) }

type loadKey struct {
	m   Mem
	one bool
}

func (b *Block) load(m Mem, one bool) Vec {
	m = b.inVector(m)
	if s := b.stored[m]; s != nil && !one {
		return Vec{s.args[0]}
	}
	if p := b.Kept[m]; p != nil && !one {
		return b.Get(p)
	}
	return Vec{b.leaf(loadKey{m, one}, func() *node { return &node{op: opLoad, mem: m, one: one} })}
}

// Store writes v to m. A Load(m) recorded before it is the old value, one recorded after it is v.
func (b *Block) Store(m Mem, v Vec) {
	m = b.inVector(m)
	b.stored[m] = b.add(&node{op: opStore, mem: m, args: []*node{v.n}})
}

// Get is the value of p at the start of the block.
func (b *Block) Get(p *Pin) Vec { return Vec{b.get(p)} }

// GetMask is Get for a pinned mask.
func (b *Block) GetMask(p *Pin) Mask { return Mask{b.get(p)} }

func (b *Block) get(p *Pin) *node {
	n := b.leaf(p, func() *node { return &node{op: opGet, pin: p, mask: p.Mask} })
	b.gets[p] = n
	return n
}

// Set sets p to v at the end of the block.
func (b *Block) Set(p *Pin, v Vec) { b.set(p, v.n) }

// SetMask is Set for a pinned mask.
func (b *Block) SetMask(p *Pin, m Mask) { b.set(p, m.n) }

func (b *Block) set(p *Pin, v *node) {
	if b.sets[p] != nil {
		panic("bug: " + b.name + ": a pin is set twice")
	}
	b.sets[p] = b.add(&node{op: opSet, pin: p, args: []*node{v}})
}

// Add is x + y. Arithmetic rounds once for each operation.
func (b *Block) Add(x, y Vec) Vec { return b.vec(opAdd, x.n, y.n) }

// Sub is x - y.
func (b *Block) Sub(x, y Vec) Vec { return b.vec(opSub, x.n, y.n) }

// Mul is x*y.
func (b *Block) Mul(x, y Vec) Vec { return b.vec(opMul, x.n, y.n) }

// Div is x / y.
func (b *Block) Div(x, y Vec) Vec { return b.vec(opDiv, x.n, y.n) }

// Sqrt is the square root of x.
func (b *Block) Sqrt(x Vec) Vec { return b.vec(opSqrt, x.n) }

// FMA is x*y + z, rounded once: math.FMA(x, y, z).
func (b *Block) FMA(x, y, z Vec) Vec { return b.vec(opFMA, x.n, y.n, z.n) }

// FNMA is z - x*y, rounded once.
func (b *Block) FNMA(x, y, z Vec) Vec { return b.vec(opFNMA, x.n, y.n, z.n) }

// FMS is x*y - z, rounded once.
func (b *Block) FMS(x, y, z Vec) Vec { return b.vec(opFMS, x.n, y.n, z.n) }

// Min is x < y ? x : y and Max x > y ? x : y, so a NaN on either side gives y: write Min(limit, x) to let NaN pass.
func (b *Block) Min(x, y Vec) Vec { return b.vec(opMin, x.n, y.n) }

// Max is x where x > y, else y.
func (b *Block) Max(x, y Vec) Vec { return b.vec(opMax, x.n, y.n) }

// And is x & y, on bit patterns.
func (b *Block) And(x, y Vec) Vec { return b.vec(opAnd, x.n, y.n) }

// Or is x | y, on bit patterns.
func (b *Block) Or(x, y Vec) Vec { return b.vec(opOr, x.n, y.n) }

// Xor is x ^ y, on bit patterns.
func (b *Block) Xor(x, y Vec) Vec { return b.vec(opXor, x.n, y.n) }

// AndNot is x &^ y, on bit patterns.
func (b *Block) AndNot(x, y Vec) Vec { return b.vec(opAndNot, y.n, x.n) }

// AddI is x + y as 64-bit integers.
func (b *Block) AddI(x, y Vec) Vec { return b.vec(opAddI, x.n, y.n) }

// SubI is x - y as 64-bit integers.
func (b *Block) SubI(x, y Vec) Vec { return b.vec(opSubI, x.n, y.n) }

// Abs is x without its sign.
func (b *Block) Abs(x Vec) Vec { return b.And(x, b.ConstBits(1<<63-1)) }

// Neg is -x.
func (b *Block) Neg(x Vec) Vec { return b.Xor(x, b.ConstBits(1<<63)) }

// ShlI and ShrI shift the 64 bits of each lane; ShrI fills with zeros.
func (b *Block) ShlI(x Vec, n uint8) Vec { return b.shift(opShlI, x, n) }

// ShrI is x shifted right by n bits, filled with zeros.
func (b *Block) ShrI(x Vec, n uint8) Vec { return b.shift(opShrI, x, n) }

func (b *Block) shift(o op, x Vec, n uint8) Vec {
	v := b.vec(o, x.n)
	v.n.imm = n
	return v
}

// A Pred is a comparison; none signals. LT to EQ are false where an operand is NaN, NLT to NEQ, their negations, are
// true there.
type Pred uint8

// The comparisons, by their numbers in VCMPPD.
const (
	EQ  Pred = 0x00
	LT  Pred = 0x11
	LE  Pred = 0x12
	GE  Pred = 0x1d
	GT  Pred = 0x1e
	NEQ Pred = 0x04
	NLT Pred = 0x15
	NLE Pred = 0x16
	NGE Pred = 0x19
	NGT Pred = 0x1a
)

// Cmp reads like the comparison: Cmp(x, GE, y).
func (b *Block) Cmp(x Vec, p Pred, y Vec) Mask {
	return Mask{b.add(&node{op: opCmp, args: []*node{x.n, y.n}, imm: uint8(p), mask: true})}
}

// CmpWhere is m && Cmp(x, p, y): one instruction where masks have registers.
func (b *Block) CmpWhere(m Mask, x Vec, p Pred, y Vec) Mask {
	and := b.MaskAnd(m, b.Cmp(x, p, y))
	and.n.where = true
	return and
}

// GtI is x > y as signed integers.
func (b *Block) GtI(x, y Vec) Mask {
	return Mask{b.add(&node{op: opGtI, args: []*node{x.n, y.n}, mask: true})}
}

// MaskAnd is x && y.
func (b *Block) MaskAnd(x, y Mask) Mask { return b.maskop(opAnd, x.n, y.n) }

// MaskOr is x || y.
func (b *Block) MaskOr(x, y Mask) Mask { return b.maskop(opOr, x.n, y.n) }

// MaskAndNot is x && !y.
func (b *Block) MaskAndNot(x, y Mask) Mask { return b.maskop(opAndNot, y.n, x.n) }

func (b *Block) maskop(o op, x, y *node) Mask {
	return Mask{b.add(&node{op: o, args: []*node{x, y}, mask: true})}
}

// Select is x where m holds, y elsewhere. Where x is an operation with no other reader, AVX-512 performs it
// merge-masked on y.
func (b *Block) Select(m Mask, x, y Vec) Vec { return b.vec(opSelect, m.n, x.n, y.n) }

// Count is the integer c, plus one where m holds.
func (b *Block) Count(c Vec, m Mask) Vec {
	if b.Target.HasMasks() {
		return b.Select(m, b.AddI(c, b.ConstBits(1)), c)
	}
	return b.SubI(c, Vec(m)) // true is -1
}

// Signs is a vector whose sign bit is set where m holds; the other bits are not defined. FromSigns is the mask of the
// lanes whose sign bit is set: a mask that has gone through memory.
func (b *Block) Signs(m Mask) Vec {
	if b.Target.HasMasks() {
		return b.Select(m, b.ConstBits(1<<63), b.ConstBits(0))
	}
	return Vec(m)
}

// FromSigns is the inverse of Signs.
func (b *Block) FromSigns(v Vec) Mask {
	if b.Target.HasMasks() {
		return b.GtI(b.ConstBits(0), v)
	}
	return Mask(v)
}

// AndMask is x where m holds, 0 elsewhere, for targets whose masks are vectors.
func (b *Block) AndMask(x Vec, m Mask) Vec { return b.And(x, Vec(m)) }

// Bits writes m to the 32-bit general register r (as the emitter names it), one bit per lane, the lowest for the first
// lane.
func (b *Block) Bits(m Mask, r any) {
	if r == Fired {
		r = FiredVector(b.vector)
	}
	b.add(&node{op: opBits, args: []*node{m.n}, gp: r})
}

// StoreBits writes masks of eight lanes together to the byte at m, the lowest bit for the first lane.
func (b *Block) StoreBits(m Mem, masks ...Mask) {
	n := &node{op: opStoreBits, mem: m}
	for _, x := range masks {
		n.args = append(n.args, x.n)
	}
	b.add(n)
}

// Test sets the zero flag if m holds in no lane. It is the last instruction of the block: a JNZ after it jumps if m
// holds in any lane.
func (b *Block) Test(m Mask) { b.add(&node{op: opTest, args: []*node{m.n}}) }

// mergeSelects turns Select(m, f(x), old) into a merge-masked f, where f(x) has no other reader, and the comparisons of
// CmpWhere into masked ones. An FMA is possible only onto one of its own operands, whose register it overwrites anyway.
func (b *Block) mergeSelects() {
	if !b.Target.HasMasks() {
		return
	}
	readers := map[*node]int{}
	for _, n := range b.nodes {
		for _, a := range n.inputs() {
			readers[a]++
		}
	}
	for _, n := range b.nodes {
		if n.where {
			m, c := n.args[0], n.args[1]
			n.op, n.args, n.imm, n.mergeMask = opCmp, c.args, c.imm, m
			continue
		}
		if n.op != opSelect {
			continue
		}
		m, f, old := n.args[0], n.args[1], n.args[2]
		if readers[f] != 1 || f.mergeMask != nil || f.op < opAdd || f.op > opFMS {
			continue
		}
		if f.op >= opFMA && old != f.args[0] && old != f.args[1] && old != f.args[2] {
			continue
		}
		n.op, n.args, n.imm, n.mergeMask, n.old = f.op, f.args, f.imm, m, old
	}
}
