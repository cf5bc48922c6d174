package main

import (
	"math"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"popsim/kernels/asm"
)

// With AVX-512 a driven kernel without extrema logs the highest V of the chunk so far, which rises: the step in which V
// crossed V_th is found by bisection, for several vectors with spikes side by side. Where V_inf is the same in all
// lanes, it comes from Steady, and mostly V itself rises; else it is logged too. As without input (lifrun.go), times of
// spikes and Rem are computed at the end of the call; but the rate of the step in which V moves again is needed before.

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
	rising.rises = true
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
	if steady {
		k.number(k.now, k.step)
		k.CMPQ(k.m, operand.I8(asm.Chunk))
		k.JNE(operand.LabelRef(part))
		k.mixed(part)
		rising.stepRising()
		k.TESTQ(k.fired, k.fired)
		k.JNZ(k.Later("rose", func() {
			rising.spikeDriven()
			k.JMP(operand.LabelRef(forward))
		}))
		k.JMP(operand.LabelRef(forward))
	} else {
		k.CMPQ(k.m, operand.I8(asm.Chunk))
		k.JNE(operand.LabelRef(part))
		k.CMPQ(k.Field("RowStride"), operand.I8(0))
		k.JE(k.Later("waved", func() { k.chunkWaved(forward) }))
	}
	k.Label(part)
	k.number(k.now, k.step)
	k.stepDriven()
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

// chunkWaved advances the group by a whole chunk with a waveform alone: V_inf is not logged, since it can be computed
// again where a spike is found.
func (k lifFunc) chunkWaved(forward string) {
	k.waved = true
	part := k.NewLabel("part")
	k.Label(part)
	k.number(k.now, k.step)
	k.stepDriven()
	k.ADDQ(imm(k.g*k.W.Lanes), k.lane)
	k.CMPQ(k.lane, imm(asm.Group))
	k.JLT(operand.LabelRef(part))
	k.TESTQ(k.fired, k.fired)
	k.JZ(operand.LabelRef(forward))
	k.spikeDriven()
	k.JMP(operand.LabelRef(forward))
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

// mixed jumps to other where V_inf of some steps of the chunk is below V_th and that of others is not. Else V of a lane
// that spikes rises until then and stays above V_th.
func (k *lifFunc) mixed(other string) {
	steady, same := k.steadyOf(), k.NewLabel("same")
	test := func(p Pred) {
		k.Block("mixed", func(b *Block) {
			var any Mask
			for j := range asm.Chunk / k.W.Lanes {
				any = b.either(any, b.Cmp(b.Load(at(steady, j*k.W.Bytes())), p, k.c(b, asm.LIFVTh, 0)))
			}
			b.Test(any)
		})
	}
	test(NGE)
	k.JZ(operand.LabelRef(same))
	test(NLT)
	k.JNZ(operand.LabelRef(other))
	k.Label(same)
}

// stepRising advances the group by a whole chunk in which V of a lane that spikes rises, all lanes having the same
// coefficients. V is logged before every second step: a write takes as long as the operations of a step.
func (k *lifFunc) stepRising() {
	defer k.Only(k.now)()
	v, rate, wake := k.state()
	steady, p := k.steadyOf(), k.log()
	k.v, k.rate = k.row(), k.row()
	wakes, goal, usual := k.row(), k.Pin(), k.Pin()
	k.Block("usual", func(b *Block) { b.Set(usual, k.c(b, asm.LIFK, 0)) })
	k.Block("load", func(b *Block) {
		for s := range k.g {
			wake := b.Load(k.col(wake, 0, s))
			b.Set(wakes[s], wake)
			b.Set(k.v[s], b.Load(k.col(v, 0, s)))
			b.Set(k.rate[s], b.Select(b.Cmp(wake, GE, b.Get(k.now)), b.Load(k.col(rate, 0, s)), b.Get(usual)))
		}
	})
	for step := range asm.Chunk {
		k.Block("goal", func(b *Block) { b.Set(goal, b.Broadcast(at(steady, 8*step))) })
		for s := range k.g {
			k.Block("step", func(b *Block) {
				v, rate := b.Get(k.v[s]), b.Get(k.rate[s])
				if step%2 == 0 {
					b.Store(at(p, column*step/2+s*k.W.Bytes()), v)
				}
				moves := b.Cmp(b.Get(wakes[s]), LE, b.Get(k.now))
				b.Set(k.v[s], b.advanceHeld(moves, rate, b.Sub(v, b.Get(goal)), v, true))
				b.Set(k.rate[s], b.Select(moves, b.Get(usual), rate))
			})
		}
		k.Block("now", func(b *Block) { b.Set(k.now, b.Add(b.Get(k.now), b.Const(1))) })
	}
	k.Block("store", func(b *Block) {
		for s := range k.g {
			b.Store(k.col(v, 0, s), b.Get(k.v[s]))
		}
	})
	k.firing()
}

// stepDriven advances the current vectors by the chunk.
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
			b.Set(k.hi[s], b.Const(math.Inf(-1)))
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
					if k.waved {
						vInf = b.goal(b.Broadcast(at(k.in.wave, 0)), c)
					} else {
						vInf = k.in.steadyVoltage(b, s, c, asm.LIFI, asm.LIFGain, asm.LIFR, asm.LIFVRest)
						b.Store(at(p, column*toVInf+s*k.W.Bytes()), vInf)
					}
				}
				moves, rate, v := b.Cmp(wakes, LE, b.Get(k.now)), b.Get(k.rate[s]), b.Get(k.v[s])
				v = b.advanceHeld(moves, rate, b.Sub(v, vInf), v, true)
				b.Set(k.v[s], v)
				hi := b.Max(v, b.Get(k.hi[s]))
				b.Set(k.hi[s], hi)
				b.Store(at(p, s*k.W.Bytes()), hi)
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
	k.noteFired(func(b *Block, s int) Mask { return b.Cmp(b.Get(k.hi[s]), GE, k.c(b, asm.LIFVTh, s)) })
}

// goal is V_inf for a value of the waveform, without a row.
func (b *Block) goal(wave Vec, c func(j int) Vec) Vec {
	return b.FMA(c(asm.LIFR), b.Add(b.FMA(c(asm.LIFGain), wave, c(asm.LIFI)), b.Const(0)), c(asm.LIFVRest))
}

// steadyOf is the pointer to V_inf of the first step of the chunk, or, where V_inf differs from lane to lane, to the
// waveform.
func (k *lifFunc) steadyOf() reg.GPVirtual {
	field := "Steady"
	if k.waved {
		field = "Waveform"
	}
	p := k.Value(field)
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
	if !k.rises && !k.waved {
		filled := k.NewLabel("filled")
		k.CMPQ(k.m, operand.I8(asm.Chunk))
		k.JNE(k.Later("shorter", func() {
			k.fillLog()
			k.JMP(operand.LabelRef(filled))
		}))
		k.Label(filled)
	}
	k.number(k.now, k.step)
	k.Block("number", func(b *Block) {
		b.Set(steps, b.Or(b.Broadcast(k.Field("Step")), b.ConstBits(two52)))
		if k.steady || k.waved {
			b.Set(second, b.Load(at(k.steadyOf(), k.W.Bytes())))
		}
	})
	finish := func(together []spiking) {
		for _, p := range together {
			p.choose()
		}
		for _, p := range together {
			k.Block("search", func(b *Block) {
				if k.rises {
					p.set(b, p.bisect(b, log))
				} else if p.logsGoals() {
					logged := func(j int) Vec { return b.Load(p.col(log, j+toVInf, 0)) }
					p.set(b, p.bisectFirst(b, log, logged))
				} else {
					p.set(b, p.bisectFirst(b, log, nil))
				}
			})
		}
		for _, p := range together {
			if k.rises {
				p.pass(second)
			} else if k.steady || k.waved {
				p.goals(second, p.found.vInf)
			}
			if k.waved {
				k.Block("goal", func(b *Block) {
					b.Set(p.found.vInf, b.goal(b.Get(p.found.vInf), func(j int) Vec { return p.c(b, j, 0) }))
				})
			}
		}
		for _, p := range together {
			p.usual(log)
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
	if p.logsGoals() {
		b.Set(p.found.vInf, x.vInf)
	}
}

// logsGoals reports whether V_inf is logged.
func (k *lifFunc) logsGoals() bool { return !k.steady && !k.waved }

// bisectFirst finds the first entry of the log at or above V_th, given that entries rise. goal is V_inf of a step, or
// nil.
func (k *lifFunc) bisectFirst(b *Block, log reg.Register, goal func(step int) Vec) (x crossing[Vec]) {
	var v, vInf []Vec
	for j := range asm.Chunk {
		v = append(v, b.Load(k.col(log, j, 0)))
		if goal != nil {
			vInf = append(vInf, goal(j))
		}
	}
	x.when = b.Const(0)
	for half := asm.Chunk / 2; half > 0; half /= 2 {
		above := b.Cmp(v[half-1], GE, k.c(b, asm.LIFVTh, 0))
		for j := range half {
			v[j] = b.Select(above, v[j], v[half+j])
			if goal != nil {
				vInf[j] = b.Select(above, vInf[j], vInf[half+j])
			}
		}
		x.when = b.Select(above, x.when, b.Add(x.when, b.Const(float64(half))))
	}
	x.v = v[0]
	if goal != nil {
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

// goals sets the pins to V_inf of the step of the spikes, of the step after it, and so on, from Steady, of which second
// has the second half of the chunk.
func (p *spiking) goals(second *Pin, goals ...*Pin) {
	index := p.Pin()
	defer p.unpin(1)
	z := func(p2 *Pin) reg.Register { return p.W.register(p2.Reg) }
	for after, goal := range goals {
		p.Block("index", func(b *Block) {
			b.Set(index, b.Add(b.Get(p.found.when), b.Const(1<<52+float64(after))))
			b.Set(goal, b.Load(at(p.steadyOf(), 0)))
		})
		p.asm("VPERMT2PD", z(second), z(index), z(goal))
	}
}

// pass finds the crossings from V before one of two steps, in which V passes V_th, where the state is still that before
// the chunk.
func (p *spiking) pass(second *Pin) {
	next := p.Pin()
	defer p.unpin(1)
	p.goals(second, p.found.vInf, next)
	_, toRate, toWake := p.state()
	p.Block("pass", func(b *Block) {
		wake, rate, usual := b.Load(p.col(toWake, 0, 0)), b.Load(p.col(toRate, 0, 0)), p.c(b, asm.LIFK, 0)
		step := func(v, goal, now Vec) Vec {
			rate := b.Select(b.Cmp(wake, EQ, now), rate, usual)
			return b.advanceHeld(b.Cmp(wake, LE, now), rate, b.Sub(v, goal), v, true)
		}
		when, goal, one := b.Get(p.found.when), b.Get(p.found.vInf), b.Const(1)
		now := b.Add(b.Get(p.now), when)
		v := step(b.Get(p.found.v), goal, now)
		later := step(v, b.Get(next), b.Add(now, one))
		first := b.Cmp(v, GE, p.c(b, asm.LIFVTh, 0))
		b.Set(p.found.v, b.Select(first, v, later))
		b.Set(p.found.vInf, b.Select(first, goal, b.Get(next)))
		b.Set(p.found.when, b.Select(first, when, b.Add(when, one)))
	})
}

// usual leaves the vector to Go if V did not rise to V_th from below, or V_inf is far.
func (p *spiking) usual(log reg.Register) {
	usual := p.NewLabel("usual")
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
			if p.rises {
				b.Store(p.col(p.Value("Scratch"), lifBefore, 0), b.Load(p.col(log, 0, 0)))
			}
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
