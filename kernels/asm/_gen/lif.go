package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"popsim/kernels/asm"
)

// lif is the step of LIF, operation by operation lifGeneric of package kernels and, for most spikes, lifRare. G vectors at a time, as many
// as the registers hold, go through all steps; V before the step is stored each time, for the spike that may come. Between calls Lane is
// where those vectors begin, and Step, which for the first of them is the next step, else the one last done.
func lif(name string, full bool, G map[string]int) func(f *file, w isa) {
	return func(f *file, w isa) {
		k := &lifFunc{Func: f.Func(w, name, "func(b *Block)", "advances a group of LIF neurons; see Block."), full: full, g: G[w.Name]}
		k.v, k.rate, k.wake, k.now, k.alarm = k.row(), k.row(), k.row(), k.Pin(), k.newAlarm()
		if full {
			k.lo, k.hi = k.row(), k.row()
		}
		step := k.Value("Step")
		k.lane = k.Value("Lane")
		k.CMPQ(k.lane, operand.I8(0))
		k.JE(operand.LabelRef("part"))
		k.INCQ(step)

		k.Label("part")
		k.coef, k.old = k.from(k.Value("Coef")), k.from(k.Value("Old"))
		if full {
			k.in = k.input(step, nil)
			k.from(k.in.row.(reg.GPVirtual))
		}
		k.number(k.now, step)
		k.n = k.Value("Steps")
		k.SUBQ(step, k.n)
		k.JLE(operand.LabelRef("next"))
		k.load()
		k.Loop("step", k.n, func() {
			for s := range k.g {
				k.Block("step", func(b *Block) { k.step(b, s) })
				k.alarm.gather(k.Func, s)
			}
			k.alarm.test(k.Func)
			resume := k.NewLabel("resume")
			k.JNZ(k.Later("spike", func() { k.spikes(resume) }))
			k.Label(resume)
			k.Block("now", func(b *Block) { b.Set(k.now, b.Add(b.Get(k.now), b.Const(1))) })
			if full {
				k.in.next(k.Func)
			}
		})
		k.store()
		k.Label("next")
		k.XORQ(step, step)
		k.ADDQ(imm(k.g*w.Lanes), k.lane)
		k.CMPQ(k.lane, k.Field("Lanes"))
		k.JLT(operand.LabelRef("part"))
		k.MOVQ(operand.I32(0), k.Field("Rare"))
		k.Label("done")
		k.End()
	}
}

// A lifFunc is a LIF kernel in the making.
type lifFunc struct {
	*Func
	full                  bool
	g                     int    // vectors that go together
	v, rate, wake, lo, hi []*Pin // their state
	now                   *Pin   // number of the step in hand
	alarm                 alarm
	n, lane, coef, old    reg.GPVirtual // steps to go, first lane; columns from there on
	in                    input
}

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

// load and store move the state between memory and pins.
func (k *lifFunc) load() {
	k.columns(func(b *Block, m operand.Mem, p *Pin) { b.Set(p, b.Load(m)) })
}

func (k *lifFunc) store() {
	k.columns(func(b *Block, m operand.Mem, p *Pin) { b.Store(m, b.Get(p)) })
}

func (k *lifFunc) columns(move func(b *Block, m operand.Mem, p *Pin)) {
	column := func(r reg.GPVirtual, pins []*Pin) {
		k.from(r)
		k.Block("column", func(b *Block) {
			for s, p := range pins {
				move(b, at(r, s*k.W.Bytes()), p)
			}
		})
	}
	column(k.pointer("Y", 0), k.v)
	column(k.pointer("Y", 1), k.rate)
	column(k.Value("Wake"), k.wake)
	if k.full {
		column(k.Value("Lo"), k.lo)
		column(k.Value("Hi"), k.hi)
	}
}

// coefficient j of vector s
func (k *lifFunc) c(b *Block, j, s int) Vec { return b.Load(at(k.coef, 8*asm.Group*j+s*k.W.Bytes())) }

// step advances vector s.
func (k *lifFunc) step(b *Block, s int) {
	c := func(j int) Vec { return k.c(b, j, s) }
	v, rate := b.Get(k.v[s]), b.Get(k.rate[s])
	b.Store(at(k.old, s*k.W.Bytes()), v)
	vInf := c(asm.LIFVInf)
	if k.full {
		vInf = k.in.steadyVoltage(b, s, c, asm.LIFI, asm.LIFGain, asm.LIFR, asm.LIFVRest)
	}
	moves := b.Cmp(b.Get(k.wake[s]), LE, b.Get(k.now))
	v = b.advanceHeld(moves, rate, b.Sub(v, vInf), v, k.full)
	b.Set(k.v[s], v)
	b.Set(k.rate[s], b.Select(moves, c(asm.LIFK), rate))
	if k.full {
		b.Set(k.lo[s], b.Min(v, b.Get(k.lo[s])))
		b.Set(k.hi[s], b.Max(b.Min(c(asm.LIFVTh), v), b.Get(k.hi[s])))
	}
	k.alarm.watch(b, s, v, c(asm.LIFVTh))
}

// spikes locates the spikes of the step, vector by vector, and hands back to Go what is not simple. Columns of Old serve as notes: what is
// known of one vector goes to a fixed place and from there into the pins of that vector, since stores to places not yet known would hold
// up, or overtake, every load behind them.
func (k *lifFunc) spikes(resume string) {
	again, hand := k.NewLabel("again"), k.NewLabel("hand")
	const potentials, notes = 1, 2
	k.Block("potentials", func(b *Block) {
		for s, v := range k.v {
			b.Store(at(k.old, 8*asm.Group*potentials+s*k.W.Bytes()), b.Get(v))
		}
	})
	rare := k.bits(k.g, func(b *Block, s int) Mask { return b.Cmp(b.Get(k.v[s]), GE, k.c(b, asm.LIFVTh, s)) })
	step := k.Value("Steps")
	k.SUBQ(k.n, step)
	k.MOVQ(step, k.Field("Step"))
	k.TESTQ(rare, rare)
	k.JZ(operand.LabelRef(resume)) // a NaN with the sign of a number

	k.Label(again)
	first := k.GP64() // lane of the vector that has the first spike
	k.TZCNTQ(rare, first)
	k.ANDQ(operand.I8(-k.W.Lanes), first)
	k.MOVQ(first, k.Field("Lane"))
	here := func(r reg.Register, j int) operand.Mem {
		return operand.Mem{Base: r, Index: first, Scale: 8, Disp: 8 * asm.Group * j}
	}
	note := func(j int) operand.Mem { return at(k.old, 8*asm.Group*notes+j*k.W.Bytes()) }
	count := k.Value("Count")
	k.ADDQ(imm(k.W.Lanes), count)
	k.CMPQ(count, k.Field("Room"))
	k.JGT(operand.LabelRef(hand))
	which := k.GP64()
	vInf := func(b *Block) Vec {
		c := func(j int) Vec { return b.Load(here(k.coef, j)) }
		if !k.full {
			return c(asm.LIFVInf)
		}
		in := k.in
		in.lane = first
		return in.steadyVoltage(b, 0, c, asm.LIFI, asm.LIFGain, asm.LIFR, asm.LIFVRest)
	}
	k.Block("simple?", func(b *Block) {
		c := func(j int) Vec { return b.Load(here(k.coef, j)) }
		v := b.Load(here(k.old, potentials))
		simple := b.MaskAnd(b.Cmp(v, LT, vInf(b)), b.Cmp(b.Load(here(k.old, 0)), LT, c(asm.LIFVTh)))
		simple = b.MaskAnd(simple, b.Cmp(c(asm.LIFPart), LT, b.Const(1.0/16)))
		simple = b.MaskAnd(simple, b.Cmp(c(asm.LIFHold), GE, b.Const(1)))
		spike := b.Cmp(v, GE, c(asm.LIFVTh))
		b.Bits(spike, which.As32())
		b.Test(b.MaskAndNot(spike, simple))
	})
	k.JNZ(operand.LabelRef(hand))
	rem := k.from(k.Value("Rem"))
	k.Block("spike", func(b *Block) {
		c := func(j int) Vec { return b.Load(here(k.coef, j)) }
		v, vTh, vInf, one := b.Load(here(k.old, potentials)), c(asm.LIFVTh), vInf(b), b.Const(1)
		above, below := b.Sub(vInf, vTh), b.Sub(vInf, v)

		// What the next steps wait for comes first: when V moves again, and how far.
		r := b.Div(below, above)
		left := b.Mul(r, c(asm.LIFAfter))
		late := b.Cmp(left, GE, one)
		left = b.Select(late, b.Mul(r, c(asm.LIFLater)), left)
		b.Store(note(0), b.Add(b.Get(k.now), b.Select(late, b.Add(c(asm.LIFHold), one), c(asm.LIFHold))))
		b.Store(note(1), b.Sub(one, left))

		s := b.Div(b.Sub(v, vTh), b.Add(above, below))
		ss := b.Mul(s, s)
		ln := b.FMA(b.Mul(s, ss), b.horner(ss, []float64{2.0 / 3, 2.0 / 5, 2.0 / 7, 2.0 / 9}), b.Add(s, s))
		theta := b.Max(b.Const(0), b.FNMA(c(asm.LIFSteps), ln, one))
		b.Store(note(2), theta)
		end := b.Add(theta, c(asm.LIFHoldPart))
		rest := b.Sub(one, b.Select(late, b.Sub(end, one), end))
		b.Store(here(rem, 0), b.Select(b.Cmp(v, GE, vTh), rest, b.Load(here(rem, 0))))
	})
	for s := range k.g {
		k.Block("reset", func(b *Block) {
			c := func(j int) Vec { return k.c(b, j, s) }
			it := b.Cmp(b.Broadcast(k.Field("Lane")), EQ, b.ConstBits(uint64(s*k.W.Lanes)))
			it = b.MaskAnd(it, b.Cmp(b.Get(k.v[s]), GE, c(asm.LIFVTh)))
			set := func(p *Pin, v Vec) { b.Set(p, b.Select(it, v, b.Get(p))) }
			set(k.v[s], c(asm.LIFVReset))
			set(k.wake[s], b.Load(note(0)))
			set(k.rate[s], b.Load(note(1)))
			if k.full {
				set(k.lo[s], b.Min(c(asm.LIFVReset), b.Get(k.lo[s])))
				set(k.hi[s], b.Max(c(asm.LIFVTh), b.Get(k.hi[s])))
			}
		})
	}
	spikes := k.GP64()
	k.MOVQ(which, spikes)
	k.MOVQ(first, reg.RCX)
	k.SHLQ(reg.CL, spikes)
	k.XORQ(spikes, rare)
	k.events(which, first, note(2))
	k.TESTQ(rare, rare)
	k.JNZ(operand.LabelRef(again))
	k.JMP(operand.LabelRef(resume))

	k.Label(hand)
	k.store()
	k.MOVQ(k.lane, reg.RCX)
	k.SHLQ(reg.CL, rare)
	k.MOVQ(rare, k.Field("Rare"))
	k.CMPQ(k.lane, operand.I8(1)) // Step points behind the first vectors
	k.ADCQ(operand.I8(0), k.Field("Step"))
	k.MOVQ(k.lane, k.Field("Lane"))
	k.JMP(operand.LabelRef("done"))
}

// events appends the spikes of the lanes which, counted from first, at the times theta.
func (k *lifFunc) events(which, first reg.GPVirtual, theta operand.Mem) {
	to, l, x := k.Value("Count"), k.GP64(), k.GP64()
	k.SHLQ(imm(4), to)
	k.ADDQ(k.Field("Events"), to)
	k.ADDQ(k.lane, first)
	k.ADDQ(k.Field("LaneZero"), first)
	top := k.NewLabel("event")
	k.Label(top)
	k.TZCNTQ(which, l)
	theta.Index, theta.Scale = l, 8
	k.MOVQ(theta, x)
	k.MOVQ(x, at(to, 8))
	k.ADDQ(first, l)
	k.MOVL(l.As32(), at(to, 0))
	k.MOVQ(k.Field("Step"), x)
	k.MOVL(x.As32(), at(to, 4))
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

// An alarm collects over the vectors of a step whether V has reached V_th anywhere, in whichever way keeps the busiest units free: where
// masks have registers, as the sign of V - V_th in below; else as bits in a general register.
type alarm struct {
	below     *Pin
	any, bits reg.GPVirtual
}

func (f *Func) newAlarm() alarm {
	if f.W.kmask() {
		return alarm{below: f.Pin()}
	}
	return alarm{any: f.GP64(), bits: f.GP64()}
}

// watch records vector s, gather takes in what was recorded, test sets the zero flag if there is nothing.
func (a alarm) watch(b *Block, s int, v, vTh Vec) {
	switch {
	case a.below == nil:
		b.Bits(b.Cmp(v, GE, vTh), a.bits.As32())
	case s == 0:
		b.Set(a.below, b.Sub(v, vTh))
	default:
		b.Set(a.below, b.And(b.Get(a.below), b.Sub(v, vTh)))
	}
}

func (a alarm) gather(f *Func, s int) {
	switch {
	case a.below != nil:
	case s == 0:
		f.MOVL(a.bits.As32(), a.any.As32())
	default:
		f.ORL(a.bits.As32(), a.any.As32())
	}
}

func (a alarm) test(f *Func) {
	if a.below == nil {
		f.TESTQ(a.any, a.any)
		return
	}
	f.Block("test", func(b *Block) { b.Test(b.GtI(b.Get(a.below), b.ConstBits(1<<64-1))) })
}
