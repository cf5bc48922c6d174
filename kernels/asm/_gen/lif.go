package main

import (
	"math"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"popsim/kernels/asm"
)

// lif is the step of LIF, operation by operation lifGeneric of package kernels and, for most spikes, lifCross. The group goes through
// chunks of up to asm.Chunk steps, some vectors at a time. Within a chunk nobody asks for spikes: V is logged, and goes on. If it has
// been beyond V_th, the log tells in which step it passed; since the refractory period outlasts the chunk, nothing it did after
// that counts. Where a period is shorter, so is the chunk, down to single steps.
//
// Without input V moves steadily towards V_inf, and stays beyond V_th until the end; with input the highest V of the chunk is kept, which
// the extremes need anyway. Lane is 0 between calls.
func lif(name string, full bool, together map[string]gaits) func(f *file, w isa) {
	return func(f *file, w isa) {
		k := &lifFunc{Func: f.Func(w, name, "func(b *Block)", "advances a group of LIF neurons; see Block."), full: full}
		k.lane, k.coef = k.GP64(), k.Value("Coef")
		k.MOVQ(operand.I32(0), k.Field("Rare"))
		k.chunk()
		k.step = k.Value("Step")
		g := together[w.Name]
		if !full {
			k.CMPQ(k.Field("Chunk"), operand.I8(1))
			k.JNE(k.Later("run", func() {
				if w.kmask() {
					k.runLater()
				} else {
					k.gait("run", g.run)
				}
			}))
		}
		k.gait("walk", g.walk)
		k.End()
	}
}

// gaits are the numbers of vectors that go together.
type gaits struct{ walk, run int }

// A lifFunc is a LIF kernel in the making.
type lifFunc struct {
	*Func
	full                  bool
	step, lane, coef      reg.GPVirtual // first step of the chunk, first lane of the vectors in hand
	g                     int           // vectors that go together
	runs                  bool          // see gait
	v, rate, wake, lo, hi []*Pin        // their state; extremes are those of the chunk
	now                   *Pin          // number of the step in hand
	m, rare               reg.GPVirtual // steps of the chunk, lanes that fire in it
	in                    input
}

// gait is the way through all chunks, g vectors at a time. Neurons that walk hold V_reset while they rest, and beside it how far V goes in
// the step in which they wake. Where V_inf stays the same, V after that step is known when they fire: neurons that run have it from then on, in
// LIFAhead, and no other state. Without input they run, but walk in single steps where a period is short, or where one would fire as it wakes.
func (k lifFunc) gait(name string, g int) {
	k.g, k.runs = g, name == "run"
	defer k.Only()()
	k.now, k.v = k.Pin(), k.row()
	if !k.runs {
		k.rate, k.wake = k.row(), k.row()
	}
	if k.full {
		k.lo, k.hi = k.row(), k.row()
	}
	if k.runs {
		k.start()
	}
	k.Label(name)
	whole, part, forward, done := k.NewLabel("whole"), k.NewLabel("part"), k.NewLabel("forward"), k.NewLabel("done")
	k.m = k.Value("Steps")
	k.SUBQ(k.step, k.m)
	k.JLE(operand.LabelRef(done))
	k.CMPQ(k.m, k.Field("Chunk"))
	k.JLE(operand.LabelRef(whole))
	k.MOVQ(k.Field("Chunk"), k.m)
	k.Label(whole)
	room := k.Value("Count")
	k.ADDQ(imm(asm.Group), room)
	k.CMPQ(room, k.Field("Room"))
	k.JGT(operand.LabelRef(done))
	k.rare = k.GP64()
	k.XORQ(k.rare, k.rare)
	k.XORQ(k.lane, k.lane)
	k.Label(part)
	k.number(k.now, k.step)
	if k.runs {
		k.run()
	} else {
		k.walk()
	}
	k.ADDQ(imm(k.g*k.W.Lanes), k.lane)
	k.CMPQ(k.lane, k.Field("Lanes"))
	k.JLT(operand.LabelRef(part))
	k.TESTQ(k.rare, k.rare)
	k.JNZ(k.Later("spikes", func() { k.spikes(forward) }))
	k.Label(forward)
	k.prefetch()
	k.ADDQ(k.m, k.step)
	if k.runs {
		k.CMPQ(k.Field("Chunk"), operand.I8(1))
		k.JNE(operand.LabelRef(name))
		k.Label(done)
		k.stop()
		k.JMP(operand.LabelRef("walk"))
		return
	}
	k.CMPQ(k.Field("Rare"), operand.I8(0))
	k.JE(operand.LabelRef(name))
	k.Label(done)
	k.MOVQ(k.step, k.Field("Step"))
	k.MOVQ(operand.I32(0), k.Field("Lane"))
}

// Columns of Scratch.
const lifBefore, lifAhead, lifTheta, lifSteps, lifLast = columnBefore, columnAhead, columnAhead + 1, columnAhead + 2, columnAhead + 3

// lastWake is where the last steps stand in which neurons that run wake.
func lastWake(old reg.Register) operand.Mem { return at(old, column*lifLast) }

// start takes the neurons from V as it is to V as those that run have it, unless one would fire as it wakes; stop takes them back.
func (k *lifFunc) start() {
	v, rate, wake := k.state()
	old := k.Value("Scratch")
	k.number(k.now, k.step)
	last := k.v[0]
	k.Block("start", func(b *Block) { b.Set(last, b.Const(-1)) })
	k.vectors(imm(asm.Group), func() {
		k.Block("start", func(b *Block) {
			v, wake, vTh := b.Load(k.col(v, 0, 0)), b.Load(k.col(wake, 0, 0)), k.c(b, asm.LIFVTh, 0)
			b.Set(last, b.Max(wake, b.Get(last)))
			v = k.ahead(b, v, b.Load(k.col(rate, 0, 0)), wake)
			b.Store(k.col(old, lifAhead, 0), v)
			b.Test(b.Cmp(v, GE, vTh))
		})
		k.JNZ(k.Later("stay", func() {
			k.MOVQ(operand.I32(1), k.Field("Chunk"))
			k.JMP(operand.LabelRef("walk"))
		}))
	})
	k.Block("start", func(b *Block) { b.Store(lastWake(old), b.Get(last)) })
}

// ahead is V after the step in which a neuron wakes, if it rests, else V.
func (k *lifFunc) ahead(b *Block, v, rate, wake Vec) Vec {
	rests := b.Cmp(wake, GE, b.Get(k.now))
	return b.advanceHeld(rests, rate, b.Sub(v, k.c(b, asm.LIFVInf, 0)), v, false)
}

func (k *lifFunc) stop() {
	v, _, wake := k.state()
	old := k.Value("Scratch")
	k.number(k.now, k.step)
	k.vectors(imm(asm.Group), func() {
		k.Block("stop", func(b *Block) {
			v, rests := k.col(v, 0, 0), b.Cmp(b.Load(k.col(wake, 0, 0)), GE, b.Get(k.now))
			b.Store(v, b.Select(rests, b.Load(v), b.Load(k.col(old, lifAhead, 0))))
		})
	})
}

// prefetch asks memory for one more column of the next group.
func (k *lifFunc) prefetch() {
	columns, none := k.Field("Ahead"), k.NewLabel("none")
	left := columns
	left.Disp += 8
	n, p := k.GP64(), k.GP64()
	k.MOVQ(left, n)
	k.DECQ(n)
	k.JLT(operand.LabelRef(none))
	k.MOVQ(n, left)
	k.MOVQ(columns, p)
	k.MOVQ(operand.Mem{Base: p, Index: n, Scale: 8}, p)
	for line := 0; line < column; line += 64 {
		k.PREFETCHT0(at(p, line))
	}
	k.Label(none)
}

// vectors runs body for each vector of the first n lanes; lane is the first of the vector.
func (k *lifFunc) vectors(n operand.Op, body func()) {
	top := k.NewLabel("vector")
	k.XORQ(k.lane, k.lane)
	k.Label(top)
	body()
	k.ADDQ(imm(k.W.Lanes), k.lane)
	k.CMPQ(k.lane, n)
	k.JLT(operand.LabelRef(top))
}

// row is a pin for each vector.
func (k *lifFunc) row() []*Pin {
	p := make([]*Pin, k.g)
	for s := range p {
		p[s] = k.Pin()
	}
	return p
}

const column = 8 * asm.Group // bytes

// col is vector s of column j from r on.
func (k *lifFunc) col(r reg.Register, j, s int) operand.Mem {
	return operand.Mem{Base: r, Index: k.lane, Scale: 8, Disp: column*j + s*k.W.Bytes()}
}

// c is coefficient j of vector s.
func (k *lifFunc) c(b *Block, j, s int) Vec { return b.Load(k.col(k.coef, j, s)) }

// state is where V, the rate, and the step in which V moves again stand.
func (k *lifFunc) state() (v, rate, wake reg.GPVirtual) {
	return k.pointer("Y", 0), k.pointer("Y", 1), k.Value("Wake")
}

// chunk finds out how many steps may go together. A spike in any of them must be one that the vectors can finish, after V came from below
// V_th and stayed below V_inf, and must be followed by at least as many steps of rest.
func (k *lifFunc) chunk() {
	defer k.Only()()
	v, rate, _ := k.state()
	shortest := k.Pin()
	k.Block("chunk", func(b *Block) { b.Set(shortest, b.Const(asm.Chunk)) })
	k.MOVQ(operand.I32(1), k.Field("Chunk"))
	k.vectors(k.Field("Lanes"), func() {
		k.Block("chunk", func(b *Block) {
			hold := k.c(b, asm.LIFHold, 0)
			odd := b.MaskOr(b.Cmp(k.c(b, asm.LIFPart, 0), NLT, b.Const(1.0/16)), b.Cmp(hold, NGE, b.Const(2)))
			odd = b.MaskOr(odd, b.Cmp(b.Load(k.col(rate, 0, 0)), NLT, b.Const(1.0/4)))
			odd = b.MaskOr(odd, b.Cmp(b.Load(k.col(v, 0, 0)), GE, k.c(b, asm.LIFVTh, 0)))
			if !k.full {
				odd = b.MaskOr(odd, b.Cmp(k.c(b, asm.LIFVInf, 0), NLE, b.Const(asm.LIFFar)))
			}
			b.Set(shortest, b.Min(hold, b.Get(shortest)))
			b.Test(odd)
		})
		k.JNZ(operand.LabelRef("found"))
	})
	for c := asm.Chunk; c > 1; c /= 2 {
		k.MOVQ(operand.I32(c), k.Field("Chunk"))
		k.Block("chunk", func(b *Block) { b.Test(b.Cmp(b.Get(shortest), LT, b.Const(float64(c)))) })
		k.JZ(operand.LabelRef("found"))
	}
	k.Label("found")
}

// The log of neurons that walk has V after each step of the chunk; with input V_inf in each step besides.
const toVInf = asm.Chunk // columns from V to V_inf

// walk takes the vectors in hand through the chunk.
func (k *lifFunc) walk() {
	v, rate, wake := k.state()
	old := k.Value("Scratch")
	k.Block("load", func(b *Block) {
		for s := range k.g {
			v, wake := b.Load(k.col(v, 0, s)), b.Load(k.col(wake, 0, s))
			b.Store(k.col(old, lifBefore, s), v)
			b.Set(k.v[s], v)
			b.Set(k.wake[s], wake)
			b.Set(k.rate[s], b.Select(b.Cmp(wake, GE, b.Get(k.now)), b.Load(k.col(rate, 0, s)), k.c(b, asm.LIFK, s)))
			if k.full {
				b.Set(k.lo[s], b.Const(math.Inf(1)))
				b.Set(k.hi[s], b.Const(math.Inf(-1)))
			}
		}
	})
	p, n := k.log(), k.GP64()
	if k.full {
		k.in = k.input(k.step, k.lane)
	}
	k.MOVQ(k.m, n)
	k.Loop("step", n, func() {
		for s := range k.g {
			k.Block("step", func(b *Block) { k.advance(b, s, p) })
		}
		k.Block("now", func(b *Block) { b.Set(k.now, b.Add(b.Get(k.now), b.Const(1))) })
		k.ADDQ(imm(column), p)
		if k.full {
			k.in.next(k.Func)
		}
	})
	fired := func(b *Block, s int) Mask { return b.Cmp(b.Get(k.v[s]), GE, k.c(b, asm.LIFVTh, s)) }
	var lo, hi reg.Register
	if k.full {
		fired = func(b *Block, s int) Mask { return b.Cmp(b.Get(k.hi[s]), GE, k.c(b, asm.LIFVTh, s)) }
		lo, hi = k.Value("Lo"), k.Value("Hi")
	}
	k.Block("store", func(b *Block) {
		for s := range k.g {
			b.Store(k.col(v, 0, s), b.Get(k.v[s]))
			if k.full { // how low V was before a spike is not known yet
				old := b.Load(k.col(lo, 0, s))
				b.Store(k.col(lo, 0, s), b.Select(fired(b, s), old, b.Min(b.Get(k.lo[s]), old)))
				b.Store(k.col(hi, 0, s), b.Max(b.Min(k.c(b, asm.LIFVTh, s), b.Get(k.hi[s])), b.Load(k.col(hi, 0, s))))
			}
		}
	})
	k.fired(fired)
}

// log is where the log of the vectors in hand begins.
func (k *lifFunc) log() reg.GPVirtual {
	p := k.Value("Log")
	k.LEAQ(operand.Mem{Base: p, Index: k.lane, Scale: 8}, p)
	return p
}

// fired notes who of the vectors in hand fires.
func (k *lifFunc) fired(who func(b *Block, s int) Mask) {
	bits := k.bits(k.g, who)
	if k.g*k.W.Lanes < asm.Group {
		k.MOVQ(k.lane, reg.RCX)
		k.SHLQ(reg.CL, bits)
	}
	k.ORQ(bits, k.rare)
}

// advance takes vector s, which walks, through a step; p is where in the log it comes.
func (k *lifFunc) advance(b *Block, s int, p reg.Register) {
	c := func(j int) Vec { return k.c(b, j, s) }
	v, vInf := b.Get(k.v[s]), c(asm.LIFVInf)
	if k.full {
		vInf = k.in.steadyVoltage(b, s, c, asm.LIFI, asm.LIFGain, asm.LIFR, asm.LIFVRest)
		b.Store(at(p, column*toVInf+s*k.W.Bytes()), vInf)
	}
	moves, rate := b.Cmp(b.Get(k.wake[s]), LE, b.Get(k.now)), b.Get(k.rate[s])
	v = b.advanceHeld(moves, rate, b.Sub(v, vInf), v, k.full)
	b.Store(at(p, s*k.W.Bytes()), v)
	b.Set(k.v[s], v)
	b.Set(k.rate[s], b.Select(moves, c(asm.LIFK), rate))
	if k.full {
		b.Set(k.lo[s], b.Min(v, b.Get(k.lo[s])))
		b.Set(k.hi[s], b.Max(v, b.Get(k.hi[s])))
	}
}

// run takes the vectors in hand through the chunk. Whether a neuron rests is asked only if one of the group may.
func (k *lifFunc) run() {
	_, _, wake := k.state()
	old := k.Value("Scratch")
	p, stepped := k.log(), k.NewLabel("stepped")
	k.Tune = Tuning{Reuse: 2} // by the second step of a leaf
	k.Block("load", func(b *Block) {
		for s := range k.g {
			b.Set(k.v[s], b.Load(k.col(old, lifAhead, s)))
		}
		b.Test(b.Cmp(b.Load(lastWake(old)), GE, b.Get(k.now)))
	})
	vectors := func(r reg.Register, j int) (all []operand.Mem) {
		for s := range k.g {
			all = append(all, k.col(r, j, s))
		}
		return all
	}
	const spare = 3 // registers for the arithmetic
	k.JNZ(k.Later("rest", func() {
		k.Keep(spare, vectors(wake, 0), func() { k.leaves(p, wake) })
		k.JMP(operand.LabelRef(stepped))
	}))
	k.Keep(spare, append(vectors(k.coef, asm.LIFK), vectors(k.coef, asm.LIFVInf)...), func() { k.leaves(p, nil) })
	k.Label(stepped)
	k.Block("store", func(b *Block) {
		for s := range k.g {
			b.Store(k.col(old, lifAhead, s), b.Get(k.v[s]))
		}
	})
	k.fired(func(b *Block, s int) Mask { return b.Cmp(b.Get(k.v[s]), GE, k.c(b, asm.LIFVTh, s)) })
}

// leaves goes on two steps for each leaf of the log, from p on, which has V before them: a leaf for every step would cost half as
// much again on Zen 3. Neurons rest until the step at wake, or, if that is nil, not at all.
func (k *lifFunc) leaves(p, wake reg.Register) {
	step := func(b *Block, s int, v Vec, past Pred) Vec {
		rate, d := k.c(b, asm.LIFK, s), b.Sub(v, k.c(b, asm.LIFVInf, s))
		if wake == nil {
			return b.FNMA(rate, d, v)
		}
		return b.advanceHeld(b.Cmp(b.Get(k.now), past, b.Load(k.col(wake, 0, s))), rate, d, v, false)
	}
	leaf := func(steps int) {
		for s := range k.g {
			v := k.v[s]
			log := func(b *Block) Vec {
				b.Store(at(p, s*k.W.Bytes()), b.Get(v))
				return b.Get(v)
			}
			switch {
			case steps == 1:
				k.Block("step", func(b *Block) { b.Set(v, step(b, s, log(b), GT)) })
			case k.W.kmask(): // two blocks: V stays in its register
				k.Block("step", func(b *Block) { b.Set(v, step(b, s, log(b), GT)) })
				k.Block("step", func(b *Block) { b.Set(v, step(b, s, b.Get(v), GE)) })
			default:
				k.Block("step", func(b *Block) { b.Set(v, step(b, s, step(b, s, log(b), GT), GE)) })
			}
		}
	}
	two := func() {
		leaf(2)
		if wake != nil {
			k.Block("now", func(b *Block) { b.Set(k.now, b.Add(b.Get(k.now), b.Const(2))) })
		}
		k.ADDQ(imm(column), p)
	}
	n, even, odd, whole := k.GP64(), k.NewLabel("even"), k.NewLabel("odd"), k.NewLabel("whole")
	if k.W.kmask() {
		k.CMPQ(k.m, operand.I8(asm.Chunk))
		k.JEQ(operand.LabelRef(whole))
	}
	k.MOVQ(k.m, n)
	k.SHRQ(operand.U8(1), n)
	k.CMPQ(k.m, operand.I8(2))
	k.JLT(operand.LabelRef(odd))
	k.Loop("step", n, two)
	k.TESTQ(operand.U32(1), k.m)
	k.JZ(operand.LabelRef(even))
	k.Label(odd)
	leaf(1)
	if k.W.kmask() { // most chunks: without jumps
		k.JMP(operand.LabelRef(even))
		k.Label(whole)
		for range asm.Chunk / 2 {
			two()
		}
	}
	k.Label(even)
}

// A crossing is what the log tells of the spikes of one vector: V behind the step in which it passed V_th, the number of that step in
// the chunk (or -1), with input V_inf in that step and the lowest V before it.
type crossing[T any] struct{ v, when, vInf, low T }

func (k *lifFunc) none(b *Block) crossing[Vec] {
	return crossing[Vec]{b.Const(0), b.Const(-1), b.Const(0), b.Const(math.Inf(1))}
}

// look turns over one more leaf of the log, column j from r on, which belongs to the given step. It is read backwards, so that the
// first step beyond V_th is what stays.
func (k *lifFunc) look(b *Block, r reg.Register, j int, step Vec, x crossing[Vec]) crossing[Vec] {
	v := b.Load(k.col(r, j, 0))
	it := b.Cmp(v, GE, k.c(b, asm.LIFVTh, 0))
	x.v, x.when = b.Select(it, v, x.v), b.Select(it, step, x.when)
	if k.full {
		x.vInf, x.low = b.Select(it, b.Load(k.col(r, j+toVInf, 0)), x.vInf), b.Select(it, b.Const(math.Inf(1)), b.Min(x.low, v))
	}
	return x
}

func (k *lifFunc) put(b *Block, p crossing[*Pin], x crossing[Vec]) {
	b.Set(p.v, x.v)
	b.Set(p.when, x.when)
	if k.full {
		b.Set(p.vInf, x.vInf)
		b.Set(p.low, x.low)
	}
}

func (k *lifFunc) get(b *Block, p crossing[*Pin]) crossing[Vec] {
	x := crossing[Vec]{v: b.Get(p.v), when: b.Get(p.when), vInf: k.c(b, asm.LIFVInf, 0)}
	if k.full {
		x.vInf, x.low = b.Get(p.vInf), b.Get(p.low)
	}
	return x
}

// spikes finishes the spikes of the chunk, vector by vector, and hands back to Go what is not simple.
func (k *lifFunc) spikes(forward string) {
	defer k.Only(k.now)() // the state is in memory
	found := crossing[*Pin]{k.Pin(), k.Pin(), k.Pin(), k.Pin()}
	k.number(k.now, k.step)
	again, finished := k.NewLabel("again"), k.NewLabel("finished")
	k.Label(again)
	which, mask := k.vectorOf()
	old := k.Value("Scratch")
	events := k.NewLabel("events")
	odd := func(of func(b *Block, s *lifSpike) Mask) { // the lanes take the whole chunk from Before on in Go
		k.Block("odd?", func(b *Block) {
			s := k.locate(b, k.get(b, found))
			b.Test(b.MaskAnd(s.it, of(b, s)))
		})
		k.JNZ(k.Later("odd", func() {
			k.ORQ(mask, k.Field("Rare"))
			k.JMP(operand.LabelRef(finished))
		}))
	}
	single := func() {
		odd(func(b *Block, s *lifSpike) Mask {
			goesOn := b.MaskAndNot(b.Cmp(s.c(asm.LIFHold), LT, b.Const(1)), s.late)
			m := b.MaskOr(b.Cmp(s.v, NLT, s.vInf), b.Cmp(b.Load(k.col(old, lifBefore, 0)), NLT, s.c(asm.LIFVTh)))
			m = b.MaskOr(m, b.Cmp(s.c(asm.LIFPart), NLT, b.Const(1.0/16)))
			m = b.MaskOr(m, b.Cmp(s.vInf, NLE, b.Const(asm.LIFFar)))
			return b.MaskOr(m, b.MaskAnd(goesOn, b.Cmp(s.next(b), NLT, s.c(asm.LIFVTh))))
		})
		k.finish(found, old, true)
	}
	switch {
	case k.runs:
		k.overtake(found, old)
		k.finish(found, old, false)
		k.Block("wakes?", func(b *Block) { b.Test(b.Cmp(b.Load(k.col(old, lifAhead, 0)), GE, k.c(b, asm.LIFVTh, 0))) })
		k.JNZ(k.Later("wakes", func() {
			k.MOVQ(operand.I32(1), k.Field("Chunk"))
			k.JMP(operand.LabelRef(events))
		}))
	case k.full:
		k.search(found)
		k.CMPQ(k.m, operand.I8(1))
		k.JE(k.Later("single", func() {
			single()
			k.JMP(operand.LabelRef(events))
		}))
		odd(func(b *Block, s *lifSpike) Mask {
			return b.MaskOr(b.Cmp(s.v, NLT, s.vInf), b.Cmp(s.vInf, NLE, b.Const(asm.LIFFar)))
		})
		k.finish(found, old, false)
	default:
		k.Block("look", func(b *Block) { k.put(b, found, k.look(b, k.Value("Log"), 0, b.Const(0), k.none(b))) })
		single()
	}
	k.Label(events)
	k.spiked(which, k.col(old, lifTheta, 0), k.col(old, lifSteps, 0))
	k.Label(finished)
	k.TESTQ(k.rare, k.rare)
	k.JNZ(operand.LabelRef(again))
	if !k.runs {
		k.MOVQ(k.m, k.Field("Chunk"))
	}
	k.JMP(operand.LabelRef(forward))
}

// vectorOf moves lane to the vector that has the first lane of rare. mask is what it takes from rare, which is the same with the first lane of the
// vector as the lowest bit.
func (k *lifFunc) vectorOf() (which, mask reg.GPVirtual) {
	k.TZCNTQ(k.rare, k.lane)
	k.ANDQ(operand.I8(-k.W.Lanes), k.lane)
	which, mask = k.GP64(), k.GP64()
	k.MOVQ(k.lane, reg.RCX)
	k.MOVQ(k.rare, which)
	k.SHRQ(reg.CL, which)
	k.ANDQ(operand.I32(1<<k.W.Lanes-1), which)
	k.MOVQ(which, mask)
	k.SHLQ(reg.CL, mask)
	k.XORQ(mask, k.rare)
	return which, mask
}

// search turns over the log of the chunk.
func (k *lifFunc) search(found crossing[*Pin]) {
	log := k.Value("Log")
	located := k.NewLabel("located")
	k.CMPQ(k.m, operand.I8(asm.Chunk))
	k.JNE(k.Later("shorter", func() {
		leaf, n := k.GP64(), k.GP64()
		k.MOVQ(k.m, n)
		k.MOVQ(k.m, k.Field("Step"))
		k.MOVQ(k.m, leaf)
		k.SHLQ(imm(log2(column)), leaf)
		k.ADDQ(log, leaf)
		j := k.Pin()
		k.Block("look", func(b *Block) {
			k.put(b, found, k.none(b))
			b.Set(j, b.Sub(b.Or(b.Broadcast(k.Field("Step")), b.ConstBits(two52)), b.Const(1<<52)))
		})
		k.Loop("look", n, func() {
			k.SUBQ(imm(column), leaf)
			k.Block("look", func(b *Block) {
				x, step := k.get(b, found), b.Sub(b.Get(j), b.Const(1))
				k.put(b, found, k.look(b, leaf, 0, step, x))
				b.Set(j, step)
			})
		})
		k.JMP(operand.LabelRef(located))
	}))
	k.Block("look", func(b *Block) {
		x := k.none(b)
		for j := asm.Chunk - 1; j >= 0; j-- {
			x = k.look(b, log, j, b.Const(float64(j)), x)
		}
		k.put(b, found, x)
	})
	k.Label(located)
}

// overtake finds the step in which V of neurons that run passed V_th: from the last leaf of the log below it, the first or the second.
func (k *lifFunc) overtake(found crossing[*Pin], old reg.Register) {
	_, _, wake := k.state()
	k.overtaken(found, k.Value("Log"))
	k.Block("pass", func(b *Block) {
		x := k.passing(b, found, wake)
		fires := b.Cmp(b.Load(k.col(old, lifAhead, 0)), GE, k.c(b, asm.LIFVTh, 0)) // the second step may lie behind the chunk
		k.put(b, found, crossing[Vec]{v: x.v, when: b.Select(fires, x.when, b.Const(-1))})
	})
}

// overtaken finds the last leaf of the log whose V is below V_th.
func (k *lifFunc) overtaken(found crossing[*Pin], log reg.Register) {
	located := k.NewLabel("located")
	k.CMPQ(k.m, operand.I8(asm.Chunk))
	k.JNE(k.Later("shorter", func() {
		k.overtakenAmong(found, log)
		k.JMP(operand.LabelRef(located))
	}))
	k.Block("look", func(b *Block) {
		x := crossing[Vec]{v: b.Load(k.col(log, 0, 0)), when: b.Const(0)}
		for j := 1; j < asm.Chunk/2; j++ {
			x = k.turn(b, b.Load(k.col(log, j, 0)), b.Const(2*float64(j)), x)
		}
		k.put(b, found, x)
	})
	k.Label(located)
}

// turn is x, or the given leaf of the log, before the given step, where its V is below V_th.
func (k *lifFunc) turn(b *Block, leaf, step Vec, x crossing[Vec]) crossing[Vec] {
	it := b.Cmp(leaf, LT, k.c(b, asm.LIFVTh, 0))
	x.v, x.when = b.Select(it, leaf, x.v), b.Select(it, step, x.when)
	return x
}

// overtakenAmong is overtaken for a chunk of m steps.
func (k *lifFunc) overtakenAmong(found crossing[*Pin], log reg.Register) {
	n, leaf, j := k.GP64(), k.GP64(), k.Pin()
	defer k.unpin(1)
	k.LEAQ(at(k.m, 1), n)
	k.SHRQ(operand.U8(1), n)
	k.MOVQ(log, leaf)
	k.Block("look", func(b *Block) {
		k.put(b, found, k.none(b))
		b.Set(j, b.Const(0))
	})
	k.Loop("look", n, func() {
		k.Block("look", func(b *Block) {
			k.put(b, found, k.turn(b, b.Load(k.col(leaf, 0, 0)), b.Get(j), k.get(b, found)))
			b.Set(j, b.Add(b.Get(j), b.Const(2)))
		})
		k.ADDQ(imm(column), leaf)
	})
}

// bisect finds the last leaf of a whole chunk whose V is below V_th, given that V rises.
func (k *lifFunc) bisect(b *Block, log reg.Register) (x crossing[Vec]) {
	x.when = b.Const(0)
	leaves := make([]Vec, asm.Chunk/2)
	for j := range leaves {
		leaves[j] = b.Load(k.col(log, j, 0))
	}
	for len(leaves) > 1 {
		half := len(leaves) / 2
		below := b.Cmp(leaves[half], LT, k.c(b, asm.LIFVTh, 0))
		for j := range half {
			leaves[j] = b.Select(below, leaves[half+j], leaves[j])
		}
		x.when = b.Select(below, b.Add(x.when, b.Const(2*float64(half))), x.when)
		leaves = leaves[:half]
	}
	x.v = leaves[0]
	return x
}

// passing is V at the end of the step in which it passes V_th, the first or the second after the leaf found, and the number of that step.
func (k *lifFunc) passing(b *Block, found crossing[*Pin], wake reg.Register) crossing[Vec] {
	vTh, vInf := k.c(b, asm.LIFVTh, 0), k.c(b, asm.LIFVInf, 0)
	step := func(v, when Vec) Vec {
		moves := b.Cmp(b.Add(b.Get(k.now), when), GT, b.Load(k.col(wake, 0, 0)))
		return b.advanceHeld(moves, k.c(b, asm.LIFK, 0), b.Sub(v, vInf), v, false)
	}
	when := b.Get(found.when)
	second := b.Add(when, b.Const(1))
	v := step(b.Get(found.v), when)
	first := b.Cmp(v, GE, vTh)
	x := crossing[Vec]{when: b.Select(first, when, second), vInf: vInf}
	x.v = b.Select(first, v, step(v, second))
	return x
}

// A lifSpike is what follows from a crossing for the lanes it in which there is one: whether the refractory period ends late, and how far
// V moves in the step in which it ends.
type lifSpike struct {
	crossing[Vec]
	c                  func(j int) Vec
	above, below, rate Vec
	it, late           Mask
}

func (k *lifFunc) locate(b *Block, x crossing[Vec]) *lifSpike {
	s := &lifSpike{crossing: x, c: func(j int) Vec { return k.c(b, j, 0) }}
	s.it = b.Cmp(s.when, GE, b.Const(0))
	s.above, s.below = b.Sub(s.vInf, s.c(asm.LIFVTh)), b.Sub(s.vInf, s.v)
	// 1 - r e^x, r = (V_inf-V)/(V_inf-V_th), is p e^x - (e^x - 1) with p = (V-V_th)/(V_inf-V_th)
	p := b.Div(b.Sub(s.v, s.c(asm.LIFVTh)), s.above)
	rest := func(grown Vec) Vec { return b.Sub(b.FMA(p, grown, p), grown) }
	soon := rest(s.c(asm.LIFAfter))
	s.late = b.Cmp(soon, LE, b.Const(0))
	s.rate = b.Select(s.late, rest(s.c(asm.LIFLater)), soon)
	return s
}

// next is where V goes in the step of the spike if it moves on in that, or in the step in which the refractory period ends if V_inf stays.
func (s *lifSpike) next(b *Block) Vec {
	vReset := s.c(asm.LIFVReset)
	return b.FNMA(s.rate, b.Sub(vReset, s.vInf), vReset)
}

// finish puts the state after the spikes in its place. In a single step V may go on at once.
func (k *lifFunc) finish(found crossing[*Pin], old reg.Register, single bool) {
	toV, toRate, toWake := k.state()
	rem := k.Value("Rem")
	var lo reg.Register
	if k.full {
		lo = k.Value("Lo")
	}
	k.Block("spike", func(b *Block) {
		s, one := k.locate(b, k.get(b, found)), b.Const(1)
		write := func(m Mask, to operand.Mem, x Vec) { b.Store(to, b.Select(m, x, b.Load(to))) }
		at := func(r reg.Register) operand.Mem { return k.col(r, 0, 0) }
		rests, v := s.it, s.c(asm.LIFVReset)
		if single {
			on := b.MaskAndNot(b.MaskAnd(s.it, b.Cmp(s.c(asm.LIFHold), LT, one)), s.late)
			rests, v = b.MaskAndNot(s.it, on), b.Select(on, s.next(b), v)
		}
		k0 := b.Add(b.Get(k.now), s.when)
		wake := b.Add(k0, b.Select(s.late, b.Add(s.c(asm.LIFHold), one), s.c(asm.LIFHold)))
		write(rests, at(toWake), wake)
		if k.runs {
			last := lastWake(old)
			b.Store(last, b.Select(rests, b.Max(wake, b.Load(last)), b.Load(last)))
		}
		write(rests, at(toRate), s.rate)
		write(s.it, at(toV), v)
		if k.runs {
			write(s.it, k.col(old, lifAhead, 0), s.next(b))
		}

		q := b.Div(b.Sub(s.v, s.c(asm.LIFVTh)), b.Add(s.above, s.below))
		qq := b.Mul(q, q)
		ln := b.FMA(b.Mul(q, qq), b.horner(qq, []float64{2.0 / 3, 2.0 / 5, 2.0 / 7, 2.0 / 9}), b.Add(q, q))
		theta := b.Max(b.Const(0), b.FNMA(s.c(asm.LIFSteps), ln, one))
		end := b.Add(theta, s.c(asm.LIFHoldPart))
		write(rests, at(rem), b.Sub(one, b.Select(s.late, b.Sub(end, one), end)))
		b.Store(k.col(old, lifTheta, 0), theta)
		b.Store(k.col(old, lifSteps, 0), b.Add(s.when, b.Const(1<<52)))
		if k.full {
			was := b.Load(k.col(lo, 0, 0)) // the spike itself reached V_th, which is in Hi already
			b.Store(k.col(lo, 0, 0), b.Select(s.it, b.Min(s.c(asm.LIFVReset), b.Min(s.low, was)), was))
		}
	})
}

// spiked appends the spikes of the lanes which of the vector in hand; their times and steps stand at theta and steps.
func (k *lifFunc) spiked(which reg.GPVirtual, theta, steps operand.Mem) {
	first, x := k.Value("LaneZero"), k.GP64()
	k.ADDQ(k.lane, first)
	k.LEAQ(operand.Mem{Base: theta.Base, Index: k.lane, Scale: 8}, x)
	note := func(m operand.Mem, l reg.Register) operand.Mem {
		return operand.Mem{Base: x, Index: l, Scale: 8, Disp: m.Disp}
	}
	k.events(which, first, func(l reg.Register) operand.Mem { return note(theta, l) }, func(l, to reg.Register) {
		k.MOVQ(note(steps, l), to)
		k.ADDQ(k.step, to)
	})
}

// events appends the spikes of the lanes which of a vector, of which there is one at least. Lane l of it is first + l of the shard,
// theta is where its time stands, as part of a step, and step writes the number of the step.
func (f *Func) events(which, first reg.GPVirtual, theta func(l reg.Register) operand.Mem, step func(l, to reg.Register)) {
	to, l, x, top := f.Value("Count"), f.GP64(), f.GP64(), f.NewLabel("event")
	f.SHLQ(imm(4), to)
	f.ADDQ(f.Field("Events"), to)
	f.Label(top)
	f.TZCNTQ(which, l)
	f.MOVQ(theta(l), x)
	f.MOVQ(x, at(to, 8))
	step(l, x)
	f.MOVL(x.As32(), at(to, 4))
	f.ADDQ(first, l)
	f.MOVL(l.As32(), at(to, 0))
	f.ADDQ(imm(16), to)
	f.INCQ(f.Field("Count"))
	f.LEAQ(at(which, -1), x)
	f.ANDQ(x, which)
	f.JNZ(operand.LabelRef(top))
}

const two52 = 0x4330000000000000 // bits of 2^52

// number sets p to the number of the step in hand, which is written to Step.
func (f *Func) number(p *Pin, step reg.Register) {
	f.MOVQ(step, f.Field("Step"))
	f.Block("number", func(b *Block) {
		k := b.Sub(b.Or(b.Broadcast(f.Field("Step")), b.ConstBits(two52)), b.Const(1<<52))
		b.Set(p, b.Add(b.Broadcast(f.Field("First")), k))
	})
}

// bits is a register with one bit for each lane of g vectors.
func (f *Func) bits(g int, mask func(b *Block, s int) Mask) reg.GPVirtual {
	all, one := f.GP64(), f.GP64()
	f.XORQ(all, all)
	for s := g - 1; s >= 0; s-- {
		f.Block("bits", func(b *Block) { b.Bits(mask(b, s), one.As32()) })
		f.SHLQ(imm(f.W.Lanes), all)
		f.ORQ(one, all)
	}
	return all
}

// either is x or y; x may be no mask yet.
func (b *Block) either(x, y Mask) Mask {
	if x.IsZero() {
		return y
	}
	return b.MaskOr(x, y)
}

// input is the current from outside: Wave and Row of a Block, where the step in hand finds them. Lanes are counted from lane on.
type input struct{ wave, row, lane reg.Register }

func (f *Func) input(step, lane reg.Register) input {
	wave, row := f.Value("Wave"), f.Value("RowStride")
	f.LEAQ(operand.Mem{Base: wave, Index: step, Scale: 8}, wave)
	f.IMULQ(step, row)
	f.SHLQ(imm(3), row)
	f.ADDQ(f.Field("Row"), row)
	return input{wave, row, lane}
}

// next moves the input to the next step.
func (in input) next(f *Func) {
	f.ADDQ(imm(8), in.wave)
	f.LEAQ(operand.Mem{Base: in.row, Index: f.Value("RowStride"), Scale: 8}, in.row)
}

// steadyVoltage is V_rest + R I of vector s; the coefficients of a model have their own numbers.
func (in input) steadyVoltage(b *Block, s int, c func(j int) Vec, i, gain, r, vRest int) Vec {
	row := operand.Mem{Base: in.row, Index: in.lane, Scale: 8, Disp: s * b.w.Bytes()}
	current := b.Add(b.FMA(c(gain), b.Broadcast(at(in.wave, 0)), c(i)), b.Load(row))
	return b.FMA(c(r), current, c(vRest))
}

// advanceHeld is v - rate*d where m holds, else v. If d is finite, the rate is better made 0 where there are no mask registers: v
// has d to wait for, m comes early.
func (b *Block) advanceHeld(m Mask, rate, d, v Vec, full bool) Vec {
	if b.w.kmask() || full {
		return b.Select(m, b.FNMA(rate, d, v), v)
	}
	return b.FNMA(b.AndMask(rate, m), d, v)
}
