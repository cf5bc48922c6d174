package main

import (
	"math"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"popsim/kernels/asm"
)

// With AVX-512 a driven kernel without extrema logs the highest V of the chunk so far, which rises: the step in which V
// crossed V_th is found by bisection, for several vectors with spikes side by side. Where V_inf is the same in all
// lanes, it comes from Steady; else it is logged too. As without input (lifrun.go), the times of spikes and Rem are
// computed at the end of the call; but the rate of the step in which V moves again is needed before.

// lifCrossedTo is a column of Scratch: V_inf of the step of the last spike in this call.
const lifCrossedTo = lifAhead

// driven chooses among the modes of a driven kernel without extrema.
func (k *lifFunc) driven() {
	k.CMPQ(k.Field("Extrema"), operand.I8(0))
	k.JNE(operand.LabelRef("held"))
	k.CMPQ(k.Field("Steady"), operand.I8(0))
	k.JE(k.Later("rows", func() { k.runDriven(false) }))
	k.runDriven(true)
}

// runDriven goes through all chunks with input and without extrema; steady is whether V_inf is in Steady.
func (k lifFunc) runDriven(steady bool) {
	k.g, k.steady = 4, steady
	if steady {
		k.g = 8
	}
	defer k.Only()()
	k.now, k.v, k.rate, k.hi = k.Pin(), k.row(), k.row(), k.row()
	if !steady {
		k.wake = k.row()
	}
	k.m, k.fired = k.GP64(), k.GP64()
	rising := k
	rising.rises, rising.wake, rising.hi = true, k.hi, nil
	top, whole, part, forward := k.NewLabel("driven"), k.NewLabel("whole"), k.NewLabel("part"), k.NewLabel("forward")
	finish := k.NewLabel("finish")
	k.beginDriven()
	k.Label(top)
	k.MOVQ(k.Field("Steps"), k.m)
	k.SUBQ(k.step, k.m)
	k.JLE(operand.LabelRef(finish))
	k.CMPQ(k.m, k.Field("Chunk"))
	k.JLE(operand.LabelRef(whole))
	k.MOVQ(k.Field("Chunk"), k.m)
	k.Label(whole)
	room := k.Value("Count")
	k.ADDQ(imm(asm.Group), room)
	k.CMPQ(room, k.Field("Room"))
	k.JGT(operand.LabelRef(finish))
	k.XORQ(k.fired, k.fired)
	k.XORQ(k.lane, k.lane)
	k.Label(part)
	k.number(k.now, k.step)
	if steady {
		stepped := k.NewLabel("stepped")
		k.mixed(func() {
			k.stepDriven()
			k.JMP(operand.LabelRef(stepped))
		})
		rising.stepDriven()
		k.Label(stepped)
	} else {
		k.stepDriven()
	}
	k.ADDQ(imm(k.g*k.W.Lanes), k.lane)
	k.CMPQ(k.lane, imm(asm.Group))
	k.JLT(operand.LabelRef(part))
	k.TESTQ(k.fired, k.fired)
	k.JNZ(k.Later("spikes", func() {
		k.spikeDriven()
		k.JMP(operand.LabelRef(forward))
	}))
	k.Label(forward)
	k.prefetch()
	k.ADDQ(k.m, k.step)
	k.CMPQ(k.Field("InEvent"), operand.I8(0))
	k.JE(operand.LabelRef(top))
	k.Label(finish)
	k.finishDriven()
	k.writeEvents()
	k.JMP(operand.LabelRef("return"))
}

// beginDriven numbers the lanes, none of which has spiked in this call.
func (k *lifFunc) beginDriven() {
	old, ids := k.Value("Scratch"), k.Pin()
	defer k.unpin(1)
	k.Block("begin", func(b *Block) {
		b.Set(ids, b.AddI(b.Broadcast(k.Field("LaneZero")), b.Load(k.table([]uint64{0, 1, 2, 3, 4, 5, 6, 7}))))
	})
	k.vectors(imm(asm.Group), func() {
		k.Block("begin", func(b *Block) {
			b.Store(k.col(old, lifCrossed, 0), b.Const(math.NaN()))
			b.Store(k.col(old, lifLanes, 0), b.Get(ids))
			b.Set(ids, b.AddI(b.Get(ids), b.ConstBits(uint64(k.W.Lanes))))
		})
	})
}

// finishDriven writes Rem of the lanes that spiked in this call.
func (k *lifFunc) finishDriven() {
	defer k.Only()()
	old, rem := k.Value("Scratch"), k.Value("Rem")
	k.vectors(imm(asm.Group), func() {
		k.Block("spiked", func(b *Block) {
			v := b.Load(k.col(old, lifCrossed, 0))
			s := k.locate(b, crossing[Vec]{v: v, when: b.Const(0), vInf: b.Load(k.col(old, lifCrossedTo, 0))})
			k.setRem(b, s, b.Cmp(v, EQ, v), rem)
		})
	})
}

// mixed emits the jump to other where V_inf of some steps of the chunk is below V_th and that of others is not. Else V
// of a lane that spikes rises until then and stays above V_th.
func (k *lifFunc) mixed(other func()) {
	steady, same := k.steadyOf(), k.NewLabel("same")
	test := func(p Pred) {
		k.Block("mixed", func(b *Block) {
			any := func(j int) Mask { return b.Cmp(b.Load(at(steady, j*k.W.Bytes())), p, k.c(b, asm.LIFVTh, 0)) }
			b.Test(b.MaskOr(any(0), any(1)))
		})
	}
	test(NGE)
	k.JZ(operand.LabelRef(same))
	test(NLT)
	k.JNZ(k.Later("mixed", other))
	k.Label(same)
}

// stepDriven advances the current vectors by the chunk. Where V rises it is logged itself.
func (k *lifFunc) stepDriven() {
	v, rate, wake := k.state()
	old, p := k.Value("Scratch"), k.log()
	k.Block("load", func(b *Block) {
		for s := range k.g {
			v, wake := b.Load(k.col(v, 0, s)), b.Load(k.col(wake, 0, s))
			b.Store(k.col(old, lifBefore, s), v)
			b.Set(k.v[s], v)
			if k.wake != nil {
				b.Set(k.wake[s], wake)
			}
			b.Set(k.rate[s], b.Select(b.Cmp(wake, GE, b.Get(k.now)), b.Load(k.col(rate, 0, s)), k.c(b, asm.LIFK, s)))
			if !k.rises {
				b.Set(k.hi[s], b.Const(math.Inf(-1)))
			}
		}
	})
	n := k.GP64()
	k.MOVQ(k.m, n)
	var steady reg.GPVirtual
	coefs := []int{asm.LIFK}
	if k.steady {
		steady = k.steadyOf()
	} else {
		k.in = k.input(k.step, k.lane)
		coefs = []int{asm.LIFR, asm.LIFVRest, asm.LIFI, asm.LIFGain, asm.LIFK}
	}
	step := func() {
		for s := range k.g {
			k.Block("step", func(b *Block) {
				var vInf Vec
				wakes := b.Load(k.col(wake, 0, s))
				if k.wake != nil {
					wakes = b.Get(k.wake[s])
				}
				if c := func(j int) Vec { return k.c(b, j, s) }; k.steady {
					vInf = b.Broadcast(at(steady, 0))
				} else {
					vInf = k.in.steadyVoltage(b, s, c, asm.LIFI, asm.LIFGain, asm.LIFR, asm.LIFVRest)
					b.Store(at(p, column*toVInf+s*k.W.Bytes()), vInf)
				}
				moves, rate, v := b.Cmp(wakes, LE, b.Get(k.now)), b.Get(k.rate[s]), b.Get(k.v[s])
				v = b.advanceHeld(moves, rate, b.Sub(v, vInf), v, true)
				b.Set(k.v[s], v)
				if !k.rises {
					v = b.Max(v, b.Get(k.hi[s]))
					b.Set(k.hi[s], v)
				}
				b.Store(at(p, s*k.W.Bytes()), v)
				b.Set(k.rate[s], b.Select(moves, k.c(b, asm.LIFK, s), rate))
			})
		}
		k.Block("now", func(b *Block) { b.Set(k.now, b.Add(b.Get(k.now), b.Const(1))) })
		k.ADDQ(imm(column), p)
		if k.steady {
			k.ADDQ(imm(8), steady)
		} else {
			k.in.next(k.Func)
		}
	}
	var kept []operand.Mem
	for _, j := range coefs {
		for s := range k.g {
			kept = append(kept, k.col(k.coef, j, s))
		}
	}
	spare := 5 // registers for the arithmetic
	if k.steady {
		spare = 3
	}
	k.Keep(spare, kept, func() { k.Loop("step", n, step) })
	v, _, _ = k.state()
	k.Block("store", func(b *Block) {
		for s := range k.g {
			b.Store(k.col(v, 0, s), b.Get(k.v[s]))
		}
	})
	highest := k.hi
	if k.rises {
		highest = k.v
	}
	k.noteFired(func(b *Block, s int) Mask { return b.Cmp(b.Get(highest[s]), GE, k.c(b, asm.LIFVTh, s)) })
}

// steadyOf is the pointer to V_inf of the first step of the chunk.
func (k *lifFunc) steadyOf() reg.GPVirtual {
	p := k.Value("Steady")
	k.LEAQ(operand.Mem{Base: p, Index: k.step, Scale: 8}, p)
	return p
}

// spikeDriven finishes the spikes of the lanes in fired. Lanes with unusual ones, and those of their vectors, advance
// by the whole chunk in Go.
func (k *lifFunc) spikeDriven() {
	defer k.Only(k.now)() // the state is in memory
	steps, second := k.Pin(), k.Pin()
	entry := []*Pin{lifPassed: k.Pin(), lifBoth: k.Pin(), lifTau: k.Pin(), lifWhere: k.Pin()}
	log := k.Value("Log")
	var all []spiking
	for range lifTogether {
		own := *k
		own.lane = k.GP64()
		all = append(all, spiking{&own, k.PinMask(), crossing[*Pin]{v: k.Pin(), when: k.Pin(), vInf: k.Pin()}})
	}
	filled := k.NewLabel("filled")
	k.CMPQ(k.m, operand.I8(asm.Chunk))
	k.JNE(k.Later("shorter", func() {
		k.fillLog()
		k.JMP(operand.LabelRef(filled))
	}))
	k.Label(filled)
	k.number(k.now, k.step)
	k.Block("number", func(b *Block) {
		b.Set(steps, b.Or(b.Broadcast(k.Field("Step")), b.ConstBits(two52)))
		if k.steady {
			b.Set(second, b.Load(at(k.steadyOf(), k.W.Bytes())))
		}
	})
	finish := func(together []spiking) {
		for _, p := range together {
			p.choose()
		}
		for _, p := range together {
			k.Block("search", func(b *Block) { p.set(b, p.bisectFirst(b, log)) })
		}
		for _, p := range together {
			p.usual(second)
		}
		for _, p := range together {
			k.Block("spike", func(b *Block) { p.spikeInput(b, steps, entry) })
			p.enter(entry, log)
		}
	}
	k.spread()
	finish(all)
	more, done := k.NewLabel("more"), k.NewLabel("listed")
	k.TESTQ(k.fired, k.fired)
	k.JNZ(k.Later("more", func() {
		k.Label(more)
		finish(all[:1])
		k.TESTQ(k.fired, k.fired)
		k.JNZ(operand.LabelRef(more))
		k.JMP(operand.LabelRef(done))
	}))
	k.Label(done)
}

// set puts what a search has found; V_inf only where it is logged.
func (p *spiking) set(b *Block, x crossing[Vec]) {
	b.Set(p.found.v, x.v)
	b.Set(p.found.when, x.when)
	if !p.steady {
		b.Set(p.found.vInf, x.vInf)
	}
}

// bisectFirst finds the first entry of the log at or above V_th, given that entries rise.
func (p *spiking) bisectFirst(b *Block, log reg.Register) (x crossing[Vec]) {
	var v, vInf []Vec
	for j := range asm.Chunk {
		v = append(v, b.Load(p.col(log, j, 0)))
		if !p.steady {
			vInf = append(vInf, b.Load(p.col(log, j+toVInf, 0)))
		}
	}
	x.when = b.Const(0)
	for half := asm.Chunk / 2; half > 0; half /= 2 {
		above := b.Cmp(v[half-1], GE, p.c(b, asm.LIFVTh, 0))
		for j := range half {
			v[j] = b.Select(above, v[j], v[half+j])
			if !p.steady {
				vInf[j] = b.Select(above, vInf[j], vInf[half+j])
			}
		}
		x.when = b.Select(above, x.when, b.Add(x.when, b.Const(float64(half))))
	}
	x.v = v[0]
	if !p.steady {
		x.vInf = vInf[0]
	}
	return x
}

// fillLog continues the log of a chunk of m steps up to a whole one, above any V_th.
func (k *lifFunc) fillLog() {
	to, left, top := k.GP64(), k.GP64(), k.NewLabel("fill")
	k.MOVQ(k.m, to)
	k.SHLQ(imm(log2(column)), to)
	k.MOVQ(operand.I32(asm.Chunk*column), left)
	k.SUBQ(to, left)
	k.ADDQ(k.Field("Log"), to)
	k.Label(top)
	k.Block("fill", func(b *Block) { b.Store(at(to, 0), b.Const(math.Inf(1))) })
	k.ADDQ(imm(k.W.Bytes()), to)
	k.SUBQ(imm(k.W.Bytes()), left)
	k.JNZ(operand.LabelRef(top))
}

// usual sets V_inf of the step of the spikes where it is in Steady, of which second has the second half of the chunk,
// and leaves the vector to Go if V did not rise to V_th from below, or V_inf is far.
func (p *spiking) usual(second *Pin) {
	usual := p.NewLabel("usual")
	if p.steady {
		index := p.Pin()
		p.Block("index", func(b *Block) {
			b.Set(index, b.Add(b.Get(p.found.when), b.Const(1<<52)))
			b.Set(p.found.vInf, b.Load(at(p.steadyOf(), 0)))
		})
		z := func(p2 *Pin) reg.Register { return p.W.register(p2.Reg) }
		p.asm("VPERMT2PD", z(second), z(index), z(p.found.vInf))
		p.unpin(1)
	}
	p.Block("usual", func(b *Block) {
		v, vInf := b.Get(p.found.v), b.Get(p.found.vInf)
		b.Test(b.MaskAnd(b.GetMask(p.fires), b.MaskOr(b.Cmp(v, NLT, vInf), b.Cmp(vInf, NLE, b.Const(asm.LIFFar)))))
	})
	p.JNZ(p.Later("unusual", func() {
		bits := p.GP64()
		p.asm("KMOVB", p.W.register(p.fires.Reg), bits.As32())
		p.MOVQ(p.lane, reg.RCX)
		p.SHLQ(reg.CL, bits)
		p.ORQ(bits, p.Field("InEvent"))
		p.MOVQ(p.m, p.Field("Chunk"))
		p.Block("none", func(b *Block) {
			b.SetMask(p.fires, b.MaskAndNot(b.GetMask(p.fires), b.GetMask(p.fires)))
		})
		p.JMP(operand.LabelRef(usual))
	}))
	p.Label(usual)
}

// spikeInput writes the state after the spikes, but for Rem, and sets their entries in the lists.
func (p *spiking) spikeInput(b *Block, steps *Pin, entry []*Pin) {
	toV, toRate, toWake := p.state()
	old := p.Value("Scratch")
	s := p.locate(b, crossing[Vec]{v: b.Get(p.found.v), when: b.Get(p.found.when), vInf: b.Get(p.found.vInf)})
	one, fires := b.Const(1), b.GetMask(p.fires)
	write := func(to operand.Mem, x Vec) { b.Store(to, b.Select(fires, x, b.Load(to))) }
	held := b.Select(s.late, b.Add(s.c(asm.LIFHold), one), s.c(asm.LIFHold))
	write(p.col(toWake, 0, 0), b.Add(b.Add(b.Get(p.now), s.when), held))
	write(p.col(toRate, 0, 0), s.rate)
	write(p.col(toV, 0, 0), s.c(asm.LIFVReset))
	write(p.col(old, lifCrossed, 0), s.v)
	write(p.col(old, lifCrossedTo, 0), s.vInf)
	b.Set(entry[lifPassed], b.Sub(s.v, s.c(asm.LIFVTh)))
	b.Set(entry[lifBoth], b.Add(s.above, s.below))
	b.Set(entry[lifTau], s.c(asm.LIFSteps))
	b.Set(entry[lifWhere], b.AddI(b.ShlI(b.Add(b.Get(steps), s.when), 32), b.Load(p.col(old, lifLanes, 0))))
}
