package main

import (
	"math"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"popsim/kernels/asm"
)

// lif is the step of LIF, operation by operation lifGeneric of package kernels and, for most spikes, lifCross. The
// group goes through chunks of up to asm.Chunk steps, some vectors at a time. Within a chunk spikes are not tested for:
// V is logged, and the threshold is checked once at the end. Where V has been at or above V_th, the step in which it
// crossed is found in the log; since the refractory period outlasts the chunk, later values do not matter. Where a
// refractory period is shorter, the chunk is shorter, down to one step.
//
// Without input V moves monotonically towards V_inf, so that it stays above V_th until the end of the chunk; with input
// the highest V of the chunk is kept, which the extrema need as well. Lane is 0 between calls.
func lif(name string, full bool, together map[string]widths) func(f *file, w isa) {
	return func(f *file, w isa) {
		k := &lifFunc{Func: f.Func(w, name, "func(b *Block)", "advances a group of LIF neurons; see Block."), full: full}
		k.lane, k.coef = k.GP64(), k.Value("Coef")
		k.MOVQ(operand.I32(0), k.Field("InEvent"))
		k.chunk()
		k.step = k.Value("Step")
		g := together[w.Name]
		if !full {
			k.CMPQ(k.Field("Chunk"), operand.I8(1))
			k.JNE(k.Later("ahead", func() {
				if w.kmask() {
					k.runLater()
				} else {
					k.mode("ahead", g.ahead)
				}
			}))
		}
		if full && w.kmask() {
			k.CMPQ(k.Field("Chunk"), operand.I8(1))
			k.JNE(k.Later("driven", k.driven))
		}
		if full && !w.kmask() {
			k.CMPQ(k.Field("Chunk"), operand.I8(1))
			k.JNE(k.Later("input", func() { k.withoutExtrema(g.lean) }))
		}
		k.mode("held", g.held)
		k.Label("return")
		k.MOVQ(k.step, k.Field("Step"))
		k.MOVQ(operand.I32(0), k.Field("Lane"))
		k.End()
	}
}

// widths are the numbers of vectors that are stepped together in the two modes (see mode), and with AVX2 with input and
// without extrema.
type widths struct{ held, ahead, lean int }

// A lifFunc emits a LIF kernel.
type lifFunc struct {
	*Func
	full                  bool          // with input
	lean                  bool          // with input, without extrema, AVX2; see lifinput.go
	steady, rises, waved  bool          // see lifdriven.go
	sided, shared         bool          // see lifinput.go
	step, lane, coef      reg.GPVirtual // first step of the chunk, first lane of the current vectors
	g                     int           // vectors that are stepped together
	isAhead               bool          // see mode
	v, rate, wake, lo, hi []*Pin        // their state; extremes are those of the chunk
	now, end              *Pin          // number of the current step, and of the last step of the epoch; see runLater
	m, fired              reg.GPVirtual // steps of the chunk, lanes that fire in it
	in                    input
}

// mode goes through all chunks, g vectors at a time, in one of two modes. In mode held a refractory lane has V_reset as
// V, and beside it the rate of the step in which V moves again. Where V_inf is constant, V after that step is known at
// the spike: in mode ahead a refractory lane has it as V (LIFAhead) from then on, and needs no rate. Without input the
// mode is ahead, but held in single steps where a refractory period is short, or where a lane would spike in the step
// in which V moves again.
func (k lifFunc) mode(name string, g int) {
	k.g, k.isAhead = g, name == "ahead"
	defer k.Only()()
	k.now, k.v = k.Pin(), k.row()
	if !k.isAhead {
		k.rate, k.wake = k.row(), k.row()
	}
	if k.full {
		k.lo, k.hi = k.row(), k.row()
	}
	if k.isAhead {
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
	k.fired = k.GP64()
	k.XORQ(k.fired, k.fired)
	k.XORQ(k.lane, k.lane)
	k.Label(part)
	k.number(k.now, k.step)
	if k.isAhead {
		k.stepAhead()
	} else {
		k.stepHeld()
	}
	k.ADDQ(imm(k.g*k.W.Lanes), k.lane)
	k.CMPQ(k.lane, k.Field("Lanes"))
	k.JLT(operand.LabelRef(part))
	k.TESTQ(k.fired, k.fired)
	k.JNZ(k.Later("spikes", func() { k.spikes(forward) }))
	k.Label(forward)
	k.prefetch()
	k.ADDQ(k.m, k.step)
	if k.isAhead {
		k.CMPQ(k.Field("Chunk"), operand.I8(1))
		k.JNE(operand.LabelRef(name))
		k.Label(done)
		k.stop()
		k.JMP(operand.LabelRef("held"))
		return
	}
	k.CMPQ(k.Field("InEvent"), operand.I8(0))
	k.JE(operand.LabelRef(name))
	k.Label(done)
}

// Columns of Scratch.
const (
	lifBefore = columnBefore
	lifAhead  = columnAhead
	lifTheta  = columnAhead + 1
	lifSteps  = columnAhead + 2
	lifLast   = columnAhead + 3
)

// lastWake is the vector of upper bounds of Wake, by place in the vector.
func lastWake(old reg.Register) operand.Mem { return at(old, column*lifLast) }

// start switches from mode held to mode ahead, unless a lane would spike in the step in which V moves again; stop
// switches back.
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
			v = k.vAhead(b, v, b.Load(k.col(rate, 0, 0)), wake)
			b.Store(k.col(old, lifAhead, 0), v)
			b.Test(b.Cmp(v, GE, vTh))
		})
		k.JNZ(k.Later("stay", func() {
			k.MOVQ(operand.I32(1), k.Field("Chunk"))
			k.JMP(operand.LabelRef("held"))
		}))
	})
	k.Block("start", func(b *Block) { b.Store(lastWake(old), b.Get(last)) })
}

// vAhead is V of mode ahead, from V and the rate of mode held.
func (k *lifFunc) vAhead(b *Block, v, rate, wake Vec) Vec {
	held := b.Cmp(wake, GE, b.Get(k.now))
	return b.advanceHeld(held, rate, b.Sub(v, k.c(b, asm.LIFVInf, 0)), v, false)
}

func (k *lifFunc) stop() {
	v, _, wake := k.state()
	old := k.Value("Scratch")
	k.number(k.now, k.step)
	k.vectors(imm(asm.Group), func() {
		k.Block("stop", func(b *Block) {
			v, held := k.col(v, 0, 0), b.Cmp(b.Load(k.col(wake, 0, 0)), GE, b.Get(k.now))
			b.Store(v, b.Select(held, b.Load(v), b.Load(k.col(old, lifAhead, 0))))
		})
	})
}

// prefetch prefetches one more column of the next group.
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

// row returns a pin for each vector.
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

// state loads the pointers to V, to the rate and to Wake.
func (k *lifFunc) state() (v, rate, wake reg.GPVirtual) {
	return k.pointer("Y", 0), k.pointer("Y", 1), k.Value("Wake")
}

// chunk computes the number of steps of a chunk. A spike in any of them must be one that vectors can finish, with V
// rising from below V_th and staying below V_inf, and must be followed by at least as many refractory steps.
func (k *lifFunc) chunk() {
	defer k.Only()()
	v, rate, _ := k.state()
	shortest := k.Pin()
	k.Block("chunk", func(b *Block) { b.Set(shortest, b.Const(asm.Chunk)) })
	k.MOVQ(operand.I32(1), k.Field("Chunk"))
	k.vectors(k.Field("Lanes"), func() {
		k.Block("chunk", func(b *Block) {
			hold := k.c(b, asm.LIFHold, 0)
			unusual := b.MaskOr(b.Cmp(k.c(b, asm.LIFPart, 0), NLT, b.Const(1.0/16)), b.Cmp(hold, NGE, b.Const(2)))
			unusual = b.MaskOr(unusual, b.Cmp(b.Load(k.col(rate, 0, 0)), NLT, b.Const(1.0/4)))
			unusual = b.MaskOr(unusual, b.Cmp(b.Load(k.col(v, 0, 0)), GE, k.c(b, asm.LIFVTh, 0)))
			if !k.full {
				unusual = b.MaskOr(unusual, b.Cmp(k.c(b, asm.LIFVInf, 0), NLE, b.Const(asm.LIFFar)))
			}
			b.Set(shortest, b.Min(hold, b.Get(shortest)))
			b.Test(unusual)
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

// In mode held the log has V after each step of the chunk; with input also V_inf in each step.
const toVInf = asm.Chunk // columns from V to V_inf

// stepHeld advances the current vectors by the chunk.
func (k *lifFunc) stepHeld() {
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
	steps := func() {
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
	}
	if k.full && k.W.kmask() {
		const spare = 5 // registers for the arithmetic
		var coefs []operand.Mem
		for _, j := range []int{asm.LIFR, asm.LIFVRest, asm.LIFI, asm.LIFGain, asm.LIFK} {
			for s := range k.g {
				coefs = append(coefs, k.col(k.coef, j, s))
			}
		}
		k.Keep(spare, coefs, steps)
	} else {
		steps()
	}
	fires := func(b *Block, s int) Mask { return b.Cmp(b.Get(k.v[s]), GE, k.c(b, asm.LIFVTh, s)) }
	var lo, hi reg.Register
	if k.full {
		fires = func(b *Block, s int) Mask { return b.Cmp(b.Get(k.hi[s]), GE, k.c(b, asm.LIFVTh, s)) }
		lo, hi = k.Value("Lo"), k.Value("Hi")
	}
	k.Block("store", func(b *Block) {
		for s := range k.g {
			b.Store(k.col(v, 0, s), b.Get(k.v[s]))
			if k.full { // how low V was before a spike is not known yet
				old := b.Load(k.col(lo, 0, s))
				b.Store(k.col(lo, 0, s), b.Select(fires(b, s), old, b.Min(b.Get(k.lo[s]), old)))
				b.Store(k.col(hi, 0, s), b.Max(b.Min(k.c(b, asm.LIFVTh, s), b.Get(k.hi[s])), b.Load(k.col(hi, 0, s))))
			}
		}
	})
	k.noteFired(fires)
}

// log is the pointer to the log of the current vectors.
func (k *lifFunc) log() reg.GPVirtual {
	p := k.Value("Log")
	k.LEAQ(operand.Mem{Base: p, Index: k.lane, Scale: 8}, p)
	return p
}

// noteFired adds the lanes of the current vectors that fire to fired.
func (k *lifFunc) noteFired(fires func(b *Block, s int) Mask) {
	bits := k.bits(k.g, fires)
	if k.g*k.W.Lanes < asm.Group {
		k.MOVQ(k.lane, reg.RCX)
		k.SHLQ(reg.CL, bits)
	}
	k.ORQ(bits, k.fired)
}

// advance advances vector s by a step in mode held; p is the entry of the log.
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

// stepAhead advances the current vectors by the chunk. Lanes are compared with Wake only if one of the group may be
// refractory.
func (k *lifFunc) stepAhead() {
	_, _, wake := k.state()
	old := k.Value("Scratch")
	p, stepped := k.log(), k.NewLabel("stepped")
	k.Tune = Tuning{Reuse: 2} // the second step of a pair
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
	k.JNZ(k.Later("refractory", func() {
		k.Keep(spare, vectors(wake, 0), func() { k.pairs(p, wake) })
		k.JMP(operand.LabelRef(stepped))
	}))
	k.Keep(spare, append(vectors(k.coef, asm.LIFK), vectors(k.coef, asm.LIFVInf)...), func() { k.pairs(p, nil) })
	k.Label(stepped)
	k.Block("store", func(b *Block) {
		for s := range k.g {
			b.Store(k.col(old, lifAhead, s), b.Get(k.v[s]))
		}
	})
	k.noteFired(func(b *Block, s int) Mask { return b.Cmp(b.Get(k.v[s]), GE, k.c(b, asm.LIFVTh, s)) })
}

// pairs advances the current vectors by the chunk, two steps for each entry of the log, from p on, which holds V before
// them: an entry for every step would cost half as much again on Zen 3. Lanes are refractory until the step at wake,
// or, if that is nil, not at all; with deferred spikes wake is Scratch, and lanes move until the step at lifFinal.
func (k *lifFunc) pairs(p, wake reg.Register) {
	stops := k.W.kmask()
	step := func(b *Block, s int, v Vec, past Pred) Vec {
		rate, d := k.c(b, asm.LIFK, s), b.Sub(v, k.c(b, asm.LIFVInf, s))
		if wake == nil {
			return b.FNMA(rate, d, v)
		}
		if stops {
			final := map[Pred]Pred{GT: LE, GE: LT}[past] // now <= final, now + 1 <= final
			return b.advanceHeld(b.Cmp(b.Get(k.now), final, b.Load(k.col(wake, lifFinal, s))), rate, d, v, false)
		}
		return b.advanceHeld(b.Cmp(b.Get(k.now), past, b.Load(k.col(wake, 0, s))), rate, d, v, false)
	}
	steps := func(n int) {
		for s := range k.g {
			v := k.v[s]
			log := func(b *Block) Vec {
				b.Store(at(p, s*k.W.Bytes()), b.Get(v))
				return b.Get(v)
			}
			switch {
			case n == 1:
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
		steps(2)
		if wake != nil {
			k.Block("now", func(b *Block) { b.Set(k.now, b.Add(b.Get(k.now), b.Const(2))) })
		}
		k.ADDQ(imm(column), p)
	}
	left, even, odd, whole := k.GP64(), k.NewLabel("even"), k.NewLabel("odd"), k.NewLabel("whole")
	if k.W.kmask() {
		k.CMPQ(k.m, operand.I8(asm.Chunk))
		k.JEQ(operand.LabelRef(whole))
	}
	k.MOVQ(k.m, left)
	k.SHRQ(operand.U8(1), left)
	k.CMPQ(k.m, operand.I8(2))
	k.JLT(operand.LabelRef(odd))
	k.Loop("step", left, two)
	k.TESTQ(operand.U32(1), k.m)
	k.JZ(operand.LabelRef(even))
	k.Label(odd)
	steps(1)
	if k.W.kmask() { // most chunks: without jumps
		k.JMP(operand.LabelRef(even))
		k.Label(whole)
		for range asm.Chunk / 2 {
			two()
		}
	}
	k.Label(even)
}

// A crossing is what is found in the log for the spikes of one vector: V at the end of the step in which it crossed
// V_th, the number of that step in the chunk (or -1), and with input V_inf in that step and the lowest V before it.
type crossing[T any] struct{ v, when, vInf, low T }

func (k *lifFunc) none(b *Block) crossing[Vec] {
	return crossing[Vec]{b.Const(0), b.Const(-1), b.Const(0), b.Const(math.Inf(1))}
}

// earlier is x, replaced in lanes whose V is at or above V_th in entry j of the log at r, which belongs to the given
// step. The log is read backwards, so that the first step at or above V_th remains.
func (k *lifFunc) earlier(b *Block, r reg.Register, j int, step Vec, x crossing[Vec]) crossing[Vec] {
	v := b.Load(k.col(r, j, 0))
	above := b.Cmp(v, GE, k.c(b, asm.LIFVTh, 0))
	x.v, x.when = b.Select(above, v, x.v), b.Select(above, step, x.when)
	if k.full {
		x.vInf = b.Select(above, b.Load(k.col(r, j+toVInf, 0)), x.vInf)
		x.low = b.Select(above, b.Const(math.Inf(1)), b.Min(x.low, v))
	}
	return x
}

func (k *lifFunc) put(b *Block, p crossing[*Pin], x crossing[Vec]) {
	b.Set(p.v, x.v)
	b.Set(p.when, x.when)
	if k.full {
		b.Set(p.vInf, x.vInf)
	}
	if k.full && !k.lean {
		b.Set(p.low, x.low)
	}
}

func (k *lifFunc) get(b *Block, p crossing[*Pin]) crossing[Vec] {
	x := crossing[Vec]{v: b.Get(p.v), when: b.Get(p.when), vInf: k.c(b, asm.LIFVInf, 0)}
	if k.full {
		x.vInf = b.Get(p.vInf)
	}
	if k.full && !k.lean {
		x.low = b.Get(p.low)
	}
	return x
}

// spikes finishes the spikes of the chunk, vector by vector, and leaves unusual ones to Go.
func (k *lifFunc) spikes(forward string) {
	defer k.Only(k.now)() // the state is in memory
	found := crossing[*Pin]{k.Pin(), k.Pin(), k.Pin(), k.Pin()}
	k.number(k.now, k.step)
	again, finished := k.NewLabel("again"), k.NewLabel("finished")
	k.Label(again)
	which, mask := k.vectorOf()
	old := k.Value("Scratch")
	events := k.NewLabel("events")
	unusual := func(of func(b *Block, s *lifSpike) Mask) { // such lanes take the whole chunk from Before on in Go
		k.Block("unusual", func(b *Block) {
			s := k.locate(b, k.get(b, found))
			b.Test(b.MaskAnd(s.fires, of(b, s)))
		})
		k.JNZ(k.Later("unusual", func() {
			k.ORQ(mask, k.Field("InEvent"))
			k.JMP(operand.LabelRef(finished))
		}))
	}
	single := func() {
		unusual(func(b *Block, s *lifSpike) Mask {
			goesOn := b.MaskAndNot(b.Cmp(s.c(asm.LIFHold), LT, b.Const(1)), s.late)
			m := b.MaskOr(b.Cmp(s.v, NLT, s.vInf), b.Cmp(b.Load(k.col(old, lifBefore, 0)), NLT, s.c(asm.LIFVTh)))
			m = b.MaskOr(m, b.Cmp(s.c(asm.LIFPart), NLT, b.Const(1.0/16)))
			m = b.MaskOr(m, b.Cmp(s.vInf, NLE, b.Const(asm.LIFFar)))
			return b.MaskOr(m, b.MaskAnd(goesOn, b.Cmp(s.next(b), NLT, s.c(asm.LIFVTh))))
		})
		k.finish(found, old, true)
	}
	switch {
	case k.isAhead:
		k.crossed(found, old)
		k.finish(found, old, false)
		k.Block("wakes", func(b *Block) { b.Test(b.Cmp(b.Load(k.col(old, lifAhead, 0)), GE, k.c(b, asm.LIFVTh, 0))) })
		k.JNZ(k.Later("wakes", func() {
			k.MOVQ(operand.I32(1), k.Field("Chunk"))
			k.JMP(operand.LabelRef(events))
		}))
	case k.full:
		if k.lean {
			k.searchInput(found)
		} else {
			k.search(found)
		}
		k.CMPQ(k.m, operand.I8(1))
		k.JE(k.Later("single", func() {
			single()
			k.JMP(operand.LabelRef(events))
		}))
		unusual(func(b *Block, s *lifSpike) Mask {
			return b.MaskOr(b.Cmp(s.v, NLT, s.vInf), b.Cmp(s.vInf, NLE, b.Const(asm.LIFFar)))
		})
		k.finish(found, old, false)
	default:
		k.Block("search", func(b *Block) { k.put(b, found, k.earlier(b, k.Value("Log"), 0, b.Const(0), k.none(b))) })
		single()
	}
	k.Label(events)
	k.spiked(which, k.col(old, lifTheta, 0), k.col(old, lifSteps, 0))
	k.Label(finished)
	k.TESTQ(k.fired, k.fired)
	k.JNZ(operand.LabelRef(again))
	if !k.isAhead {
		k.MOVQ(k.m, k.Field("Chunk"))
	}
	k.JMP(operand.LabelRef(forward))
}

// vectorOf moves lane to the vector that has the first lane of fired. mask is what it takes from fired, which is the
// same with the first lane of the vector as the lowest bit.
func (k *lifFunc) vectorOf() (which, mask reg.GPVirtual) {
	k.TZCNTQ(k.fired, k.lane)
	k.ANDQ(operand.I8(-k.W.Lanes), k.lane)
	which, mask = k.GP64(), k.GP64()
	k.MOVQ(k.lane, reg.RCX)
	k.MOVQ(k.fired, which)
	k.SHRQ(reg.CL, which)
	k.ANDQ(operand.I32(1<<k.W.Lanes-1), which)
	k.MOVQ(which, mask)
	k.SHLQ(reg.CL, mask)
	k.XORQ(mask, k.fired)
	return which, mask
}

// search reads the log of the chunk in mode held, with input.
func (k *lifFunc) search(found crossing[*Pin]) {
	log := k.Value("Log")
	located := k.NewLabel("located")
	k.CMPQ(k.m, operand.I8(asm.Chunk))
	k.JNE(k.Later("shorter", func() {
		entry, n := k.GP64(), k.GP64()
		k.MOVQ(k.m, n)
		k.MOVQ(k.m, k.Field("Step"))
		k.MOVQ(k.m, entry)
		k.SHLQ(imm(log2(column)), entry)
		k.ADDQ(log, entry)
		j := k.Pin()
		k.Block("search", func(b *Block) {
			k.put(b, found, k.none(b))
			b.Set(j, b.Sub(b.Or(b.Broadcast(k.Field("Step")), b.ConstBits(two52)), b.Const(1<<52)))
		})
		k.Loop("search", n, func() {
			k.SUBQ(imm(column), entry)
			k.Block("search", func(b *Block) {
				x, step := k.get(b, found), b.Sub(b.Get(j), b.Const(1))
				k.put(b, found, k.earlier(b, entry, 0, step, x))
				b.Set(j, step)
			})
		})
		k.JMP(operand.LabelRef(located))
	}))
	k.Block("search", func(b *Block) {
		x := k.none(b)
		for j := asm.Chunk - 1; j >= 0; j-- {
			x = k.earlier(b, log, j, b.Const(float64(j)), x)
		}
		k.put(b, found, x)
	})
	k.Label(located)
}

// crossed finds the step in which V crossed V_th in mode ahead: the first or the second after the last entry of the log
// below V_th.
func (k *lifFunc) crossed(found crossing[*Pin], old reg.Register) {
	_, _, wake := k.state()
	k.lastBelow(found, k.Value("Log"))
	k.Block("pass", func(b *Block) {
		x := k.passing(b, found, wake)
		// the second step may lie behind the chunk
		fires := b.Cmp(b.Load(k.col(old, lifAhead, 0)), GE, k.c(b, asm.LIFVTh, 0))
		k.put(b, found, crossing[Vec]{v: x.v, when: b.Select(fires, x.when, b.Const(-1))})
	})
}

// lastBelow finds the last entry of the log whose V is below V_th.
func (k *lifFunc) lastBelow(found crossing[*Pin], log reg.Register) {
	located := k.NewLabel("located")
	k.CMPQ(k.m, operand.I8(asm.Chunk))
	k.JNE(k.Later("shorter", func() {
		k.lastBelowOf(found, log)
		k.JMP(operand.LabelRef(located))
	}))
	k.Block("search", func(b *Block) {
		x := crossing[Vec]{v: b.Load(k.col(log, 0, 0)), when: b.Const(0)}
		for j := 1; j < asm.Chunk/2; j++ {
			x = k.below(b, b.Load(k.col(log, j, 0)), b.Const(2*float64(j)), x)
		}
		k.put(b, found, x)
	})
	k.Label(located)
}

// below is x, replaced in lanes whose V is below V_th by the entry v of the log, before the given step.
func (k *lifFunc) below(b *Block, v, step Vec, x crossing[Vec]) crossing[Vec] {
	below := b.Cmp(v, LT, k.c(b, asm.LIFVTh, 0))
	x.v, x.when = b.Select(below, v, x.v), b.Select(below, step, x.when)
	return x
}

// lastBelowOf is lastBelow for a chunk of m steps.
func (k *lifFunc) lastBelowOf(found crossing[*Pin], log reg.Register) {
	n, entry, j := k.GP64(), k.GP64(), k.Pin()
	defer k.unpin(1)
	k.LEAQ(at(k.m, 1), n)
	k.SHRQ(operand.U8(1), n)
	k.MOVQ(log, entry)
	k.Block("search", func(b *Block) {
		k.put(b, found, k.none(b))
		b.Set(j, b.Const(0))
	})
	k.Loop("search", n, func() {
		k.Block("search", func(b *Block) {
			k.put(b, found, k.below(b, b.Load(k.col(entry, 0, 0)), b.Get(j), k.get(b, found)))
			b.Set(j, b.Add(b.Get(j), b.Const(2)))
		})
		k.ADDQ(imm(column), entry)
	})
}

// bisect is lastBelow for a whole chunk by bisection, given that V rises.
func (k *lifFunc) bisect(b *Block, log reg.Register) (x crossing[Vec]) {
	x.when = b.Const(0)
	entries := make([]Vec, asm.Chunk/2)
	for j := range entries {
		entries[j] = b.Load(k.col(log, j, 0))
	}
	for len(entries) > 1 {
		half := len(entries) / 2
		below := b.Cmp(entries[half], LT, k.c(b, asm.LIFVTh, 0))
		for j := range half {
			entries[j] = b.Select(below, entries[half+j], entries[j])
		}
		x.when = b.Select(below, b.Add(x.when, b.Const(2*float64(half))), x.when)
		entries = entries[:half]
	}
	x.v = entries[0]
	return x
}

// passing is V at the end of the step in which it passes V_th, the first or the second after the entry found, and the
// number of that step. Lanes are refractory until the step at wake; where that is nil, they move.
func (k *lifFunc) passing(b *Block, found crossing[*Pin], wake reg.Register) crossing[Vec] {
	vTh, vInf := k.c(b, asm.LIFVTh, 0), k.c(b, asm.LIFVInf, 0)
	step := func(v, when Vec) Vec {
		if wake == nil {
			return b.FNMA(k.c(b, asm.LIFK, 0), b.Sub(v, vInf), v)
		}
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

// A lifSpike is computed from a crossing: the lanes that spike; those of them in which the refractory period ends a
// step later than Hold; the rate of the step in which V moves again.
type lifSpike struct {
	crossing[Vec]
	c                  func(j int) Vec
	above, below, rate Vec
	fires, late        Mask
}

func (k *lifFunc) locate(b *Block, x crossing[Vec]) *lifSpike {
	return locateIn(b, x, func(j int) Vec { return k.c(b, j, 0) })
}

// locateIn is locate for lanes of the coefficients c.
func locateIn(b *Block, x crossing[Vec], c func(j int) Vec) *lifSpike {
	s := &lifSpike{crossing: x, c: c}
	s.fires = b.Cmp(s.when, GE, b.Const(0))
	s.above, s.below = b.Sub(s.vInf, s.c(asm.LIFVTh)), b.Sub(s.vInf, s.v)
	// 1 - r e^x, r = (V_inf-V)/(V_inf-V_th), is p e^x - (e^x - 1) with p = (V-V_th)/(V_inf-V_th)
	p := b.Div(b.Sub(s.v, s.c(asm.LIFVTh)), s.above)
	rest := func(grown Vec) Vec { return b.Sub(b.FMA(p, grown, p), grown) }
	soon := rest(s.c(asm.LIFAfter))
	s.late = b.Cmp(soon, LE, b.Const(0))
	s.rate = b.Select(s.late, rest(s.c(asm.LIFLater)), soon)
	return s
}

// next is V after the step in which it moves again, for V_inf of the step of the spike.
func (s *lifSpike) next(b *Block) Vec {
	vReset := s.c(asm.LIFVReset)
	return b.FNMA(s.rate, b.Sub(vReset, s.vInf), vReset)
}

// finish writes the state after the spikes. In a chunk of a single step V may move again in that step.
func (k *lifFunc) finish(found crossing[*Pin], old reg.Register, single bool) {
	toV, toRate, toWake := k.state()
	rem := k.Value("Rem")
	var lo reg.Register
	extrema := k.full && !k.lean
	if extrema {
		lo = k.Value("Lo")
	}
	k.Block("spike", func(b *Block) {
		s, one := k.locate(b, k.get(b, found)), b.Const(1)
		write := func(m Mask, to operand.Mem, x Vec) { b.Store(to, b.Select(m, x, b.Load(to))) }
		at := func(r reg.Register) operand.Mem { return k.col(r, 0, 0) }
		held, v := s.fires, s.c(asm.LIFVReset)
		if single {
			on := b.MaskAndNot(b.MaskAnd(s.fires, b.Cmp(s.c(asm.LIFHold), LT, one)), s.late)
			held, v = b.MaskAndNot(s.fires, on), b.Select(on, s.next(b), v)
		}
		k0 := b.Add(b.Get(k.now), s.when)
		wake := b.Add(k0, b.Select(s.late, b.Add(s.c(asm.LIFHold), one), s.c(asm.LIFHold)))
		write(held, at(toWake), wake)
		if k.isAhead {
			last := lastWake(old)
			b.Store(last, b.Select(held, b.Max(wake, b.Load(last)), b.Load(last)))
		}
		write(held, at(toRate), s.rate)
		write(s.fires, at(toV), v)
		if k.isAhead {
			write(s.fires, k.col(old, lifAhead, 0), s.next(b))
		}

		q := b.Div(b.Sub(s.v, s.c(asm.LIFVTh)), b.Add(s.above, s.below))
		qq := b.Mul(q, q)
		ln := b.FMA(b.Mul(q, qq), b.horner(qq, []float64{2.0 / 3, 2.0 / 5, 2.0 / 7, 2.0 / 9}), b.Add(q, q))
		theta := b.Max(b.Const(0), b.FNMA(s.c(asm.LIFSteps), ln, one))
		end := b.Add(theta, s.c(asm.LIFHoldPart))
		write(held, at(rem), b.Sub(one, b.Select(s.late, b.Sub(end, one), end)))
		b.Store(k.col(old, lifTheta, 0), theta)
		b.Store(k.col(old, lifSteps, 0), b.Add(s.when, b.Const(1<<52)))
		if extrema {
			was := b.Load(k.col(lo, 0, 0)) // the spike itself reached V_th, which is in Hi already
			b.Store(k.col(lo, 0, 0), b.Select(s.fires, b.Min(s.c(asm.LIFVReset), b.Min(s.low, was)), was))
		}
	})
}

// spiked appends the spikes of the lanes which of the current vector; theta and steps are the columns of their times
// and steps.
func (k *lifFunc) spiked(which reg.GPVirtual, theta, steps operand.Mem) {
	first, x := k.Value("LaneZero"), k.GP64()
	k.ADDQ(k.lane, first)
	k.LEAQ(operand.Mem{Base: theta.Base, Index: k.lane, Scale: 8}, x)
	entry := func(m operand.Mem, l reg.Register) operand.Mem {
		return operand.Mem{Base: x, Index: l, Scale: 8, Disp: m.Disp}
	}
	k.events(which, first, func(l reg.Register) operand.Mem { return entry(theta, l) }, func(l, to reg.Register) {
		k.MOVQ(entry(steps, l), to)
		k.ADDQ(k.step, to)
	})
}

// events appends the spikes of the lanes which of a vector, at least one. Lane l of the vector is first + l of the
// shard, theta is the place of its time, as part of a step, and step writes the number of the step.
func (f *Func) events(
	which, first reg.GPVirtual,
	theta func(l reg.Register) operand.Mem,
	step func(l, to reg.Register),
) {
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

// number sets p to First + step, and Step to step.
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

// either is x || y; x may be the zero Mask.
func (b *Block) either(x, y Mask) Mask {
	if x.IsZero() {
		return y
	}
	return b.MaskOr(x, y)
}

// An input points to the values of Waveform and Row for the current step, of lanes from lane on.
type input struct{ wave, row, lane reg.Register }

func (f *Func) input(step, lane reg.Register) input {
	wave, row := f.Value("Waveform"), f.Value("RowStride")
	f.LEAQ(operand.Mem{Base: wave, Index: step, Scale: 8}, wave)
	f.IMULQ(step, row)
	f.SHLQ(imm(3), row)
	f.ADDQ(f.Field("Row"), row)
	return input{wave, row, lane}
}

// next moves in to the next step.
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

// advanceHeld is v - rate*d where m holds, else v. Where there are no mask registers and d is finite, the rate is made
// 0 instead: that shortens the way from d to the result.
func (b *Block) advanceHeld(m Mask, rate, d, v Vec, full bool) Vec {
	if b.w.kmask() || full {
		return b.Select(m, b.FNMA(rate, d, v), v)
	}
	return b.FNMA(b.AndMask(rate, m), d, v)
}
