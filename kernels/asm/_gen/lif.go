package main

import (
	"math"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"popsim/kernels/asm"
)

// lif is the step of LIF, operation by operation lifGeneric of package kernels and, for most spikes, lifSpike. G vectors at a time go through
// all steps, in chunks of up to asm.Chunk. Within a chunk nobody asks for spikes: V is noted step by step, and runs on. If at the end it
// is beyond V_th, the notes tell in which step it passed; since the refractory period outlasts the chunk, nothing it did after that
// counts. Where a period is shorter, so is the chunk, down to single steps.
//
// Without input V moves steadily towards V_inf, and stays beyond V_th until the end; with input the highest V of the chunk is kept, which
// the extremes need anyway. Between calls Lane is where the vectors in hand begin, and Step how many steps they have done (less one
// if these are not the first vectors).
func lif(name string, full bool, G map[string]int) func(f *file, w isa) {
	return func(f *file, w isa) {
		k := &lifFunc{Func: f.Func(w, name, "func(b *Block)", "advances a group of LIF neurons; see Block."), full: full, g: G[w.Name]}
		k.v, k.rate, k.wake, k.now = k.row(), k.row(), k.row(), k.Pin()
		if full {
			k.lo, k.hi = k.row(), k.row()
		}
		k.step, k.lane = k.Value("Step"), k.Value("Lane")
		k.TESTQ(k.lane, k.lane)
		k.JZ(operand.LabelRef("part"))
		k.INCQ(k.step)

		k.Label("part")
		k.MOVQ(operand.I32(0), k.Field("Rare"))
		k.CMPQ(k.lane, k.Field("Lanes"))
		k.JGE(operand.LabelRef("done"))
		k.coef = k.from(k.Value("Coef"))
		k.chunk()

		k.Label("chunk")
		k.m = k.Value("Steps")
		k.SUBQ(k.step, k.m)
		k.JLE(operand.LabelRef("next"))
		whole := k.NewLabel("whole")
		k.CMPQ(k.m, k.Field("Chunk"))
		k.JLE(operand.LabelRef(whole))
		k.MOVQ(k.Field("Chunk"), k.m)
		k.Label(whole)
		room := k.Value("Count")
		k.ADDQ(imm(k.g*w.Lanes), room)
		k.CMPQ(room, k.Field("Room"))
		k.JGT(k.Later("room", func() { k.JMP(operand.LabelRef("leave")) }))
		k.number(k.now, k.step)
		k.load()
		p, n := k.from(k.Value("Log")), k.GP64()
		if full {
			k.in = k.input(k.step, nil)
			k.from(k.in.row.(reg.GPVirtual))
		}
		k.Block("start", func(b *Block) {
			for s := range k.g {
				b.Store(at(p, s*w.Bytes()), b.Get(k.v[s]))
			}
		})
		k.MOVQ(k.m, n)
		k.Loop("step", n, func() {
			for s := range k.g {
				k.Block("step", func(b *Block) { k.advance(b, s, p) })
			}
			k.Block("now", func(b *Block) { b.Set(k.now, b.Add(b.Get(k.now), b.Const(1))) })
			k.ADDQ(imm(8*asm.Group), p)
			if full {
				k.in.next(k.Func)
			}
		})
		k.Block("spikes?", func(b *Block) {
			var any Mask
			for s := range k.g {
				any = b.either(any, k.fired(b, s))
			}
			b.Test(any)
		})
		k.JNZ(k.Later("spikes", k.spikes))
		k.store(false)
		k.Label("forward")
		k.ADDQ(k.m, k.step)
		k.JMP(operand.LabelRef("chunk"))

		k.Label("next")
		k.XORQ(k.step, k.step)
		k.ADDQ(imm(k.g*w.Lanes), k.lane)
		k.JMP(operand.LabelRef("part"))

		k.Label("leave")
		k.CMPQ(k.lane, operand.I8(1)) // Step is one less behind the first vectors
		k.ADCQ(operand.I8(-1), k.step)
		k.Label("done")
		k.MOVQ(k.step, k.Field("Step"))
		k.MOVQ(k.lane, k.Field("Lane"))
		k.End()
	}
}

// A lifFunc is a LIF kernel in the making.
type lifFunc struct {
	*Func
	full                  bool
	g                     int    // vectors that go together
	v, rate, wake, lo, hi []*Pin // their state; extremes are those of the chunk
	now                   *Pin   // number of the step in hand
	step, lane            reg.GPVirtual
	m                     reg.GPVirtual // steps of the chunk in hand
	coef                  reg.GPVirtual // columns from the first lane on
	in                    input
}

const column = 8 * asm.Group // bytes

// row is a pin for each vector.
func (k *lifFunc) row() []*Pin {
	p := make([]*Pin, k.g)
	for s := range p {
		p[s] = k.Pin()
	}
	return p
}

// from moves a pointer to a column on to the first lane.
func (k *lifFunc) from(r reg.GPVirtual) reg.GPVirtual {
	k.LEAQ(operand.Mem{Base: r, Index: k.lane, Scale: 8}, r)
	return r
}

// state is where V, the rate, and the step in which V moves again begin.
func (k *lifFunc) state() (v, rate, wake reg.GPVirtual) {
	return k.from(k.pointer("Y", 0)), k.from(k.pointer("Y", 1)), k.from(k.Value("Wake"))
}

// c is coefficient j of vector s.
func (k *lifFunc) c(b *Block, j, s int) Vec { return b.Load(at(k.coef, column*j+s*k.W.Bytes())) }

// chunk finds out how many steps may go together. A spike in any of them must be one that the vectors can finish, after V came from below
// V_th and stayed below V_inf, and must be followed by at least as many steps of rest.
func (k *lifFunc) chunk() {
	v, rate, _ := k.state()
	any := func(of func(b *Block, s int) Mask) {
		k.Block("chunk", func(b *Block) {
			var any Mask
			for s := range k.g {
				any = b.either(any, of(b, s))
			}
			b.Test(any)
		})
	}
	found := k.NewLabel("found")
	k.MOVQ(operand.I32(1), k.Field("Chunk"))
	any(func(b *Block, s int) Mask {
		m := b.MaskOr(b.Cmp(k.c(b, asm.LIFPart, s), NLT, b.Const(1.0/16)), b.Cmp(k.c(b, asm.LIFHold, s), NGE, b.Const(2)))
		m = b.MaskOr(m, b.Cmp(b.Load(at(rate, s*k.W.Bytes())), NLT, b.Const(1.0/4)))
		if !k.full {
			m = b.MaskOr(m, b.Cmp(k.c(b, asm.LIFVInf, s), NLE, b.Const(math.MaxFloat64)))
		}
		return b.MaskOr(m, b.Cmp(b.Load(at(v, s*k.W.Bytes())), GE, k.c(b, asm.LIFVTh, s)))
	})
	k.JNZ(operand.LabelRef(found))
	for c := asm.Chunk; c > 2; c /= 2 {
		k.MOVQ(operand.I32(c), k.Field("Chunk"))
		any(func(b *Block, s int) Mask { return b.Cmp(k.c(b, asm.LIFHold, s), NGE, b.Const(float64(c))) })
		k.JZ(operand.LabelRef(found))
	}
	k.MOVQ(operand.I32(2), k.Field("Chunk"))
	k.Label(found)
}

// load brings the state into its pins, store takes it back; spiked says that some neuron has fired, whose lowest V is not yet known.
func (k *lifFunc) load() {
	v, rate, wake := k.state()
	k.Block("load", func(b *Block) {
		for s := range k.g {
			d := s * k.W.Bytes()
			b.Set(k.v[s], b.Load(at(v, d)))
			b.Set(k.rate[s], b.Load(at(rate, d)))
			b.Set(k.wake[s], b.Load(at(wake, d)))
			if k.full {
				b.Set(k.lo[s], b.Const(math.Inf(1)))
				b.Set(k.hi[s], b.Const(math.Inf(-1)))
			}
		}
	})
}

func (k *lifFunc) store(spiked bool) {
	v, rate, _ := k.state()
	var lo, hi reg.Register
	if k.full {
		lo, hi = k.from(k.Value("Lo")), k.from(k.Value("Hi"))
	}
	k.Block("store", func(b *Block) {
		for s := range k.g {
			d := s * k.W.Bytes()
			b.Store(at(v, d), b.Get(k.v[s]))
			b.Store(at(rate, d), b.Get(k.rate[s]))
			if !k.full {
				continue
			}
			old := b.Load(at(lo, d))
			low := b.Min(b.Get(k.lo[s]), old)
			if spiked {
				low = b.Select(k.fired(b, s), old, low)
			}
			b.Store(at(lo, d), low)
			b.Store(at(hi, d), b.Max(b.Min(k.c(b, asm.LIFVTh, s), b.Get(k.hi[s])), b.Load(at(hi, d))))
		}
	})
}

// fired says who has reached V_th in the chunk.
func (k *lifFunc) fired(b *Block, s int) Mask {
	v := k.v[s]
	if k.full {
		v = k.hi[s]
	}
	return b.Cmp(b.Get(v), GE, k.c(b, asm.LIFVTh, s))
}

// The log has V before the chunk and after each of its steps; with input V_inf in each step besides.
const inf = column * (asm.Chunk + 1) // from V to V_inf

// advance takes vector s through a step, at whose beginning in the log p points.
func (k *lifFunc) advance(b *Block, s int, p reg.Register) {
	c := func(j int) Vec { return k.c(b, j, s) }
	v, rate := b.Get(k.v[s]), b.Get(k.rate[s])
	vInf := c(asm.LIFVInf)
	if k.full {
		vInf = k.in.steadyVoltage(b, s, c, asm.LIFI, asm.LIFGain, asm.LIFR, asm.LIFVRest)
		b.Store(at(p, inf+column+s*k.W.Bytes()), vInf)
	}
	moves := b.Cmp(b.Get(k.wake[s]), LE, b.Get(k.now))
	v = b.advanceHeld(moves, rate, b.Sub(v, vInf), v, k.full)
	b.Store(at(p, column+s*k.W.Bytes()), v)
	b.Set(k.v[s], v)
	b.Set(k.rate[s], b.Select(moves, c(asm.LIFK), rate))
	if k.full {
		b.Set(k.lo[s], b.Min(v, b.Get(k.lo[s])))
		b.Set(k.hi[s], b.Max(v, b.Get(k.hi[s])))
	}
}

// spikes finishes the spikes of a chunk, vector by vector, and hands back to Go what is not simple. Pins of the
// state serve for other things here.
func (k *lifFunc) spikes() {
	w := k.W
	if k.full {
		k.Block("infinite?", func(b *Block) {
			var any Mask
			for s := range k.g {
				any = b.either(any, b.Cmp(b.Get(k.hi[s]), EQ, b.Const(math.Inf(1))))
			}
			b.Test(any)
		})
		finite := k.NewLabel("finite")
		k.JZ(operand.LabelRef(finite))
		k.CMPQ(k.m, operand.I8(1))
		k.JE(operand.LabelRef(finite))
		k.MOVQ(operand.I32(1), k.Field("Chunk")) // once more, in single steps
		k.JMP(operand.LabelRef("chunk"))
		k.Label(finite)
	}
	rare := k.bits(k.g, k.fired)
	k.store(true)

	again, hand := k.NewLabel("again"), k.NewLabel("hand")
	k.Label(again)
	first := k.GP64() // lane of the vector that has the first spike
	k.TZCNTQ(rare, first)
	k.ANDQ(operand.I8(-w.Lanes), first)
	here := func(r reg.Register, j int) operand.Mem {
		return operand.Mem{Base: r, Index: first, Scale: 8, Disp: column * j}
	}
	x, when, step, vInf, low := k.v[0], k.rate[0], k.wake[0], k.v[1], k.rate[1]
	defer k.Only(k.now, x, when, step, vInf, low)()
	k.Block("scan", func(b *Block) {
		b.Set(x, b.Const(0))
		b.Set(when, b.Const(-1))
		b.Set(step, b.Get(k.now))
		if k.full {
			b.Set(vInf, b.Const(0))
			b.Set(low, b.Const(math.Inf(1)))
		}
	})
	q, n := k.GP64(), k.GP64() // from the end of the log
	k.MOVQ(k.m, q)
	k.SHLQ(imm(log2(column)), q)
	k.ADDQ(k.Field("Log"), q)
	k.from(q)
	k.MOVQ(k.m, n)
	k.Loop("scan", n, func() { // backwards, so that the first step beyond V_th is what stays
		k.Block("scan", func(b *Block) {
			v, j := b.Load(here(q, 0)), b.Sub(b.Get(step), b.Const(1))
			it := b.Cmp(v, GE, b.Load(here(k.coef, asm.LIFVTh)))
			b.Set(x, b.Select(it, v, b.Get(x)))
			b.Set(when, b.Select(it, j, b.Get(when)))
			b.Set(step, j)
			if k.full {
				b.Set(vInf, b.Select(it, b.Load(here(q, asm.Chunk+1)), b.Get(vInf)))
				b.Set(low, b.Select(it, b.Const(math.Inf(1)), b.Min(b.Get(low), v)))
			}
		})
		k.SUBQ(imm(column), q)
	})
	rem := k.from(k.Value("Rem"))
	var lo reg.Register
	if k.full {
		lo = k.from(k.Value("Lo"))
	}
	notes := k.Value("Old")
	const theta, steps = 1, 2
	k.Block("simple?", func(b *Block) {
		c := func(j int) Vec { return b.Load(here(k.coef, j)) }
		v, vTh, one := b.Get(x), c(asm.LIFVTh), b.Const(1)
		in := c(asm.LIFVInf)
		if k.full {
			in = b.Get(vInf)
		}
		above, below := b.Sub(in, vTh), b.Sub(in, v)
		r := b.Div(below, above)
		left := b.Mul(r, c(asm.LIFAfter))
		late := b.Cmp(left, GE, one)
		rate := b.Sub(one, b.Select(late, b.Mul(r, c(asm.LIFLater)), left))
		goesOn := b.MaskAndNot(b.Cmp(c(asm.LIFHold), LT, one), late) // in this very step
		next := b.FNMA(rate, b.Sub(c(asm.LIFVReset), in), c(asm.LIFVReset))

		odd := b.MaskOr(b.Cmp(v, NLT, in), b.Cmp(b.Load(here(q, 0)), NLT, vTh))
		odd = b.MaskOr(odd, b.Cmp(c(asm.LIFPart), NLT, b.Const(1.0/16)))
		odd = b.MaskOr(odd, b.MaskAnd(goesOn, b.Cmp(next, NLT, vTh)))
		it := b.Cmp(b.Get(when), GE, b.Const(0))
		b.Test(b.MaskAnd(it, odd))
	})
	k.JNZ(operand.LabelRef(hand))
	toV, toRate, toWake := k.state()
	k.Block("spike", func(b *Block) {
		c := func(j int) Vec { return b.Load(here(k.coef, j)) }
		v, vTh, one := b.Get(x), c(asm.LIFVTh), b.Const(1)
		in := c(asm.LIFVInf)
		if k.full {
			in = b.Get(vInf)
		}
		it := b.Cmp(b.Get(when), GE, b.Const(0))
		above, below := b.Sub(in, vTh), b.Sub(in, v)

		// What the next steps wait for comes first: when V moves again, and how far.
		r := b.Div(below, above)
		left := b.Mul(r, c(asm.LIFAfter))
		late := b.Cmp(left, GE, one)
		rate := b.Sub(one, b.Select(late, b.Mul(r, c(asm.LIFLater)), left))
		goesOn := b.MaskAndNot(b.Cmp(c(asm.LIFHold), LT, one), late)
		next := b.FNMA(rate, b.Sub(c(asm.LIFVReset), in), c(asm.LIFVReset))
		wake := b.Add(b.Get(when), b.Select(late, b.Add(c(asm.LIFHold), one), c(asm.LIFHold)))
		rests := b.MaskAndNot(it, goesOn)
		write := func(m Mask, to reg.Register, v Vec) { b.Store(here(to, 0), b.Select(m, v, b.Load(here(to, 0)))) }
		write(rests, toWake, wake)
		write(it, toRate, b.Select(goesOn, c(asm.LIFK), rate))
		write(it, toV, b.Select(goesOn, next, c(asm.LIFVReset)))

		s := b.Div(b.Sub(v, vTh), b.Add(above, below))
		ss := b.Mul(s, s)
		ln := b.FMA(b.Mul(s, ss), b.horner(ss, []float64{2.0 / 3, 2.0 / 5, 2.0 / 7, 2.0 / 9}), b.Add(s, s))
		part := b.Max(b.Const(0), b.FNMA(c(asm.LIFSteps), ln, one))
		b.Store(at(notes, column*theta), part)
		b.Store(at(notes, column*steps), b.Add(b.Sub(b.Get(when), b.Broadcast(k.Field("First"))), b.Const(1<<52)))
		end := b.Add(part, c(asm.LIFHoldPart))
		rest := b.Sub(one, b.Select(late, b.Sub(end, one), end))
		b.Store(here(rem, 0), b.Select(rests, rest, b.Load(here(rem, 0))))
		if k.full {
			old := b.Load(here(lo, 0)) // a spike of its own reached V_th, which is in Hi already
			b.Store(here(lo, 0), b.Select(it, b.Min(c(asm.LIFVReset), b.Min(b.Get(low), old)), old))
		}
	})
	which := k.GP64()
	k.MOVQ(first, reg.RCX)
	k.MOVQ(rare, which)
	k.SHRQ(reg.CL, which)
	k.ANDQ(operand.I32(1<<w.Lanes-1), which)
	spikes := k.GP64()
	k.MOVQ(which, spikes)
	k.SHLQ(reg.CL, spikes)
	k.XORQ(spikes, rare)
	k.events(which, first, at(notes, column*theta), at(notes, column*steps))
	k.TESTQ(rare, rare)
	k.JNZ(operand.LabelRef(again))
	k.JMP(operand.LabelRef("forward"))

	k.Label(hand) // in single steps only
	k.MOVQ(k.lane, reg.RCX)
	k.SHLQ(reg.CL, rare)
	k.MOVQ(rare, k.Field("Rare"))
	k.from(notes)
	k.Block("old", func(b *Block) {
		for s := range k.g {
			b.Store(at(notes, s*w.Bytes()), b.Load(at(q, s*w.Bytes())))
		}
	})
	k.INCQ(k.step)
	k.JMP(operand.LabelRef("leave"))
}

// events appends the spikes of the lanes which, counted from first.
func (k *lifFunc) events(which, first reg.GPVirtual, theta, steps operand.Mem) {
	to, l, x := k.Value("Count"), k.GP64(), k.GP64()
	k.SHLQ(imm(4), to)
	k.ADDQ(k.Field("Events"), to)
	k.ADDQ(k.lane, first)
	k.ADDQ(k.Field("LaneZero"), first)
	top := k.NewLabel("event")
	k.Label(top)
	k.TZCNTQ(which, l)
	theta.Index, theta.Scale = l, 8
	steps.Index, steps.Scale = l, 8
	k.MOVQ(theta, x)
	k.MOVQ(x, at(to, 8))
	k.MOVQ(steps, x)
	k.MOVL(x.As32(), at(to, 4))
	k.ADDQ(first, l)
	k.MOVL(l.As32(), at(to, 0))
	k.ADDQ(imm(16), to)
	k.INCQ(k.Field("Count"))
	k.LEAQ(at(which, -1), x)
	k.ANDQ(x, which)
	k.JNZ(operand.LabelRef(top))
}

// number sets p to the number of the step in hand, which is written to Step.
func (f *Func) number(p *Pin, step reg.Register) {
	f.MOVQ(step, f.Field("Step"))
	f.Block("number", func(b *Block) {
		const two52 = 0x4330000000000000 // bits of 2^52
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
	if x.n == nil {
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
	return b.FNMA(b.And(rate, Vec{m.n}), d, v)
}
