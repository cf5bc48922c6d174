package main

import (
	"math"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"popsim/kernels/asm"
)

// With AVX-512 mode ahead computes of a spike at once only what the next chunk needs: V after the step in which the
// refractory period ends, and the number of that step. The time of the spike within its step, and the rest of the
// state, follow from V at the end of that step; they are computed at the end of the call, for eight spikes or eight
// lanes at a time. Until then a spike is an entry in four lists after the log.
//
// Without input no lane waits for the others while it is refractory: in the chunk after its spike it takes the steps
// after its refractory period, and is ahead of the others from then on. So lanes are compared only with the end of the
// epoch, and only once a lane may reach it; there they stop, until all have. An epoch has as many steps as there is
// room for spikes, one for each lane in each chunk.

// Columns of Scratch: V at the end of the step of the last spike in this call, or NaN; the numbers of the lanes; the
// last step in which a lane moves, counted as if it were not ahead: a lane that is d steps ahead stops d steps before
// the end.
const lifCrossed, lifLanes, lifFinal = lifTheta, lifSteps, columnAhead + 4

// firstFinal is the vector of lower bounds of lifFinal, by place in the vector.
func firstFinal(old reg.Register) operand.Mem { return at(old, column*lifLast) }

// The lists of spikes: V - V_th at the end of the step; (V_inf - V_th) + (V_inf - V); tau/dt; lane and step, as in an
// Event.
const (
	lifPassed = iota
	lifBoth
	lifTau
	lifWhere
)

// list is list j from entry i on. The lists follow the columns of the log.
func (k *lifFunc) list(log, i reg.Register, j int) operand.Mem {
	return operand.Mem{Base: log, Index: i, Scale: 8, Disp: column*2*asm.Chunk + 8*asm.LIFSpikes*j}
}

// runLater goes through all chunks in mode ahead with deferred spikes; all vectors of the group are stepped together.
func (k lifFunc) runLater() {
	k.g, k.isAhead = asm.Group/k.W.Lanes, true
	defer k.Only()()
	k.now, k.end, k.v = k.Pin(), k.Pin(), k.row()
	k.m, k.fired = k.GP64(), k.GP64()
	epoch, top, forward := k.NewLabel("epoch"), k.NewLabel("ahead"), k.NewLabel("forward")
	done, write := k.NewLabel("done"), k.NewLabel("write")
	k.Label(epoch)
	k.measure(write)
	k.begin(write)
	k.Label(top)
	k.stepAll(done)
	k.TESTQ(k.fired, k.fired)
	k.JNZ(k.Later("spikes", func() {
		k.spikeAll()
		k.JMP(operand.LabelRef(forward))
	}))
	k.Label(forward)
	k.prefetch()
	k.ADDQ(k.m, k.step)
	k.JMP(operand.LabelRef(top))
	k.Label(done)
	k.MOVQ(k.Field("Until"), k.step)
	k.finishAll()
	k.CMPQ(k.Field("InEvent"), operand.I8(0))
	k.JE(operand.LabelRef(epoch))
	k.writeEvents()
	k.JMP(operand.LabelRef("return"))
	k.Label(write)
	k.writeEvents()
	k.JMP(operand.LabelRef("held"))
}

// measure sets m to the steps of a chunk and Until to the end of the epoch; it jumps to none if there is no step left,
// or no room for spikes.
func (k *lifFunc) measure(none string) {
	left, room, whole, roomy := k.Value("Steps"), k.Value("Room"), k.NewLabel("whole"), k.NewLabel("roomy")
	k.SUBQ(k.step, left)
	k.JLE(operand.LabelRef(none))
	k.SUBQ(k.Field("Count"), room)
	k.CMPQ(room, imm(asm.Group))
	k.JLT(operand.LabelRef(none))
	k.SHRQ(imm(log2(asm.Group)), room)
	k.MOVQ(k.Field("Chunk"), k.m)
	k.CMPQ(left, k.m)
	k.JGE(operand.LabelRef(whole))
	k.MOVQ(left, k.m)
	k.Label(whole)
	k.IMULQ(k.m, room)
	k.CMPQ(room, left)
	k.JGE(operand.LabelRef(roomy))
	k.MOVQ(room, left)
	k.Label(roomy)
	k.ADDQ(k.step, left)
	k.MOVQ(left, k.Field("Until"))
	k.number(k.end, left)
}

// begin is start with deferred spikes; it jumps to stay if a lane would spike in the step in which V moves again.
func (k *lifFunc) begin(stay string) {
	v, rate, wake := k.state()
	old := k.Value("Scratch")
	k.number(k.now, k.step)
	first, ids := k.v[0], k.v[1]
	k.Block("begin", func(b *Block) {
		b.Set(ids, b.AddI(b.Broadcast(k.Field("LaneZero")), b.Load(k.table([]uint64{0, 1, 2, 3, 4, 5, 6, 7}))))
		b.Set(first, b.Const(math.Inf(1)))
		b.Set(k.end, b.Sub(b.Get(k.end), b.Const(1)))
	})
	k.vectors(imm(asm.Group), func() {
		k.Block("begin", func(b *Block) {
			v, wake := b.Load(k.col(v, 0, 0)), b.Load(k.col(wake, 0, 0))
			ahead := b.Max(b.Sub(wake, b.Sub(b.Get(k.now), b.Const(1))), b.Const(0))
			final := b.Sub(b.Get(k.end), ahead)
			b.Store(k.col(old, lifFinal, 0), final)
			b.Set(first, b.Min(final, b.Get(first)))
			v = k.vAhead(b, v, b.Load(k.col(rate, 0, 0)), wake)
			b.Store(k.col(old, lifAhead, 0), v)
			b.Store(k.col(old, lifCrossed, 0), b.Const(math.NaN()))
			b.Store(k.col(old, lifLanes, 0), b.Get(ids))
			b.Set(ids, b.AddI(b.Get(ids), b.ConstBits(uint64(k.W.Lanes))))
			b.Test(b.Cmp(v, GE, k.c(b, asm.LIFVTh, 0)))
		})
		k.JNZ(k.Later("stay", func() {
			k.MOVQ(operand.I32(1), k.Field("Chunk"))
			k.JMP(operand.LabelRef(stay))
		}))
	})
	k.Block("begin", func(b *Block) { b.Store(firstFinal(old), b.Get(first)) })
}

// stepAll advances the group by the chunk; it jumps to done if no lane has a step left.
func (k *lifFunc) stepAll(done string) {
	k.XORQ(k.lane, k.lane)
	k.number(k.now, k.step)
	old, p, stepped := k.Value("Scratch"), k.log(), k.NewLabel("stepped")
	vectors := func(r reg.Register, j int) (all []operand.Mem) {
		for s := range k.g {
			all = append(all, k.col(r, j, s))
		}
		return all
	}
	coefs := append(vectors(k.coef, asm.LIFVInf), vectors(k.coef, asm.LIFK)...)
	k.Block("load", func(b *Block) {
		for s := range k.g {
			b.Set(k.v[s], b.Load(k.col(old, lifAhead, s)))
		}
		b.Test(b.Cmp(b.Load(firstFinal(old)), LT, b.Add(b.Get(k.now), b.Const(asm.Chunk-1))))
	})
	const spare = 3 // registers for the arithmetic
	k.JNZ(k.Later("last", func() {
		k.Block("last", func(b *Block) {
			var moves Mask
			for s := range k.g {
				moves = b.either(moves, b.Cmp(b.Load(k.col(old, lifFinal, s)), GE, b.Get(k.now)))
			}
			b.Test(moves)
		})
		k.JZ(operand.LabelRef(done))
		k.Keep(spare, append(vectors(old, lifFinal), coefs...), func() { k.pairs(p, old) })
		k.JMP(operand.LabelRef(stepped))
	}))
	k.Keep(spare, coefs, func() { k.pairs(p, nil) })
	k.Label(stepped)
	k.Block("store", func(b *Block) {
		for s := range k.g {
			b.Store(k.col(old, lifAhead, s), b.Get(k.v[s]))
		}
	})
	k.firing()
}

// firing sets in fired the lanes whose V is beyond V_th.
func (k *lifFunc) firing() {
	low, high, bits := k.PinMask(), k.PinMask(), k.GP64()
	defer k.unpin(2)
	l, h := k.W.register(low.Reg), k.W.register(high.Reg)
	k.XORQ(k.fired, k.fired)
	for s := 0; s < k.g; s += 2 {
		k.Block("fires", func(b *Block) {
			b.SetMask(low, b.Cmp(b.Get(k.v[s]), GE, k.c(b, asm.LIFVTh, s)))
			b.SetMask(high, b.Cmp(b.Get(k.v[s+1]), GE, k.c(b, asm.LIFVTh, s+1)))
		})
		k.asm("KUNPCKBW", l, h, l)
		k.asm("KMOVW", l, bits.As32())
		if s > 0 {
			k.SHLQ(imm(s*k.W.Lanes), bits)
		}
		k.ORQ(bits, k.fired)
	}
}

// lifTogether is the number of vectors with spikes that are finished side by side.
const lifTogether = 4

// A spiking is a vector with spikes while they are finished, or one without, which stays as it is.
type spiking struct {
	*lifFunc      // lane is the first of the vector
	fires    *Pin // lanes that spike
	found    crossing[*Pin]
}

// spikeAll advances the lanes in fired by the rest of the chunk, and appends their spikes to the lists. Each part of
// the work is done for all vectors before the next, so that consecutive operations do not depend on each other.
func (k *lifFunc) spikeAll() {
	defer k.Only(k.now, k.end)() // the state is in memory
	sum, first := k.Pin(), k.Pin()
	entry := []*Pin{lifPassed: k.Pin(), lifBoth: k.Pin(), lifTau: k.Pin(), lifWhere: k.Pin()}
	var all []spiking
	for range lifTogether {
		own := *k
		own.lane = k.GP64()
		all = append(all, spiking{&own, k.PinMask(), crossing[*Pin]{v: k.Pin(), when: k.Pin()}})
	}
	old, wake, log := k.Value("Scratch"), k.Value("Wake"), k.Value("Log")
	k.number(k.now, k.step)
	steps := k.Pin()
	k.MOVQ(k.m, k.Field("Step"))
	k.Block("number", func(b *Block) {
		b.Set(sum, b.Add(b.Get(k.now), b.Get(k.end)))
		b.Set(steps, b.Sub(b.Or(b.Broadcast(k.Field("Step")), b.ConstBits(two52)), b.Const(1<<52+1)))
		b.Set(first, b.Load(firstFinal(old)))
	})
	finish := func(together []spiking) {
		located := k.NewLabel("located")
		for _, p := range together {
			p.choose()
		}
		k.CMPQ(k.m, operand.I8(asm.Chunk))
		k.JNE(k.Later("shorter", func() {
			for _, p := range together {
				p.lastBelowOf(p.found, log)
			}
			k.JMP(operand.LabelRef(located))
		}))
		for _, p := range together {
			k.Block("search", func(b *Block) { p.put(b, p.found, p.bisect(b, log)) })
		}
		k.Label(located)
		for _, p := range together {
			k.Block("pass", func(b *Block) { p.put(b, p.found, p.passing(b, p.found, nil)) })
		}
		for _, p := range together {
			k.Block("spike", func(b *Block) { p.spike(b, sum, steps, first, entry, old, wake) })
			waits := k.NewLabel("waits")
			k.JNZ(k.Later("wakes", func() {
				p.stop(first, old)
				k.JMP(operand.LabelRef(waits))
			}))
			k.Label(waits)
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
	k.Block("first", func(b *Block) { b.Store(firstFinal(old), b.Get(first)) })
}

// spread writes the lanes in fired to Step, a byte for each vector, and sets in fired the highest bit of each byte that
// is not 0.
func (k *lifFunc) spread() {
	low, x := k.GP64(), k.GP64()
	k.MOVQ(k.fired, k.Field("Step"))
	k.MOVQ(operand.U64(0x7f7f7f7f7f7f7f7f), low)
	k.MOVQ(k.fired, x)
	k.ANDQ(low, x)
	k.ADDQ(low, x)
	k.ORQ(x, k.fired)
	k.NOTQ(low)
	k.ANDQ(low, k.fired)
}

// choose moves p to the next vector in fired, and its lanes to fires; to the first vector, and none, where there is no
// next one.
func (p *spiking) choose() {
	at := p.GP64()
	p.TZCNTQ(p.fired, p.lane)
	p.BLSRQ(p.fired, p.fired)
	p.MOVQ(p.lane, at)
	p.SHRQ(operand.U8(3), at)
	spread := p.Field("Step") // and Lane, which is 0
	spread.Index, spread.Scale = at, 1
	p.asm("KMOVB", spread, p.W.register(p.fires.Reg))
	p.ANDQ(operand.I8(asm.Group-p.W.Lanes), p.lane)
}

// spike writes the state after the spikes and their entries in the lists; the jump after it is taken if a lane would
// fire in the step in which its refractory period ends. sum is now + end, steps one less than the steps of the chunk.
func (p *spiking) spike(b *Block, sum, steps, first *Pin, entry []*Pin, old, wake reg.Register) {
	s := p.locate(b, p.get(b, p.found))
	fires, vReset, final := b.GetMask(p.fires), s.c(asm.LIFVReset), p.col(old, lifFinal, 0)
	held := b.Select(s.late, b.Add(s.c(asm.LIFHold), b.Const(1)), s.c(asm.LIFHold))
	spiked := b.Add(b.Sub(b.Get(sum), b.Load(final)), s.when) // now + (end - final) + when
	wakes, next := b.Add(spiked, held), b.FNMA(s.rate, b.Sub(vReset, s.vInf), vReset)
	stops := b.Sub(b.Add(b.Get(sum), b.Get(steps)), wakes) // end - (wakes + 1 - (now + m))
	write := func(to operand.Mem, x Vec) { b.Store(to, b.Select(fires, x, b.Load(to))) }
	write(p.col(old, lifAhead, 0), next)
	write(p.col(wake, 0, 0), wakes)
	write(p.col(old, lifCrossed, 0), s.v)
	write(final, stops)
	b.Set(first, b.Select(fires, b.Min(stops, b.Get(first)), b.Get(first)))
	b.Set(entry[lifPassed], b.Sub(s.v, s.c(asm.LIFVTh)))
	b.Set(entry[lifBoth], b.Add(s.above, s.below))
	b.Set(entry[lifTau], s.c(asm.LIFSteps))
	step := b.Add(spiked, b.Sub(b.Const(1<<52), b.Broadcast(p.Field("First"))))
	b.Set(entry[lifWhere], b.AddI(b.ShlI(step, 32), b.Load(p.col(old, lifLanes, 0))))
	b.Test(b.MaskAnd(fires, b.Cmp(next, GE, s.c(asm.LIFVTh))))
}

// stop leaves to Go the lanes that would fire in the step in which their refractory period ends: they are not advanced
// further, and Go advances them through the whole call again, with V_reset until that step.
func (p *spiking) stop(first *Pin, old reg.Register) {
	bits := p.GP64()
	p.MOVQ(p.Field("Until"), bits)
	p.MOVQ(bits, p.Field("Chunk"))
	p.Block("stop", func(b *Block) {
		ahead := p.col(old, lifAhead, 0)
		fires, never := b.Cmp(b.Load(ahead), GE, p.c(b, asm.LIFVTh, 0)), b.Const(math.Inf(-1))
		write := func(to operand.Mem, x Vec) { b.Store(to, b.Select(fires, x, b.Load(to))) }
		write(ahead, never)
		write(p.col(old, lifFinal, 0), never)
		write(p.col(old, lifBefore, 0), p.c(b, asm.LIFVReset, 0))
		b.Set(first, never)
		b.Bits(fires, bits.As32())
	})
	p.MOVQ(p.lane, reg.RCX)
	p.SHLQ(reg.CL, bits)
	p.ORQ(bits, p.Field("InEvent"))
}

// enter appends the entries of the lanes that spike to the lists.
func (p *spiking) enter(entry []*Pin, log reg.Register) {
	n, count := p.Value("Count"), p.GP64()
	fires := p.W.register(p.fires.Reg)
	for j, e := range entry {
		z := p.W.register(e.Reg)
		p.asm("VPCOMPRESSQ_Z", z, fires, z)
		p.asm("VMOVUPD", z, p.list(log, n, j))
	}
	p.asm("KMOVB", fires, count.As32())
	p.POPCNTQ(count, count)
	p.ADDQ(count, p.Field("Count"))
}

// writeEvents writes the Count spikes of the lists to Events, eight at a time.
func (k *lifFunc) writeEvents() {
	tau := func(b *Block, i reg.Register) Vec { return b.Load(k.list(k.Value("Log"), i, lifTau)) }
	k.eventsOf(tau, func(*Block, reg.Register, Vec) {})
}

// eventsOf is writeEvents; tau is tau/dt of eight spikes from number i on, more records what else is done with them.
func (k *lifFunc) eventsOf(
	tau func(b *Block, i reg.Register) Vec,
	more func(b *Block, i reg.Register, theta Vec),
) {
	defer k.Only()()
	done := k.NewLabel("written")
	log, to, n, i := k.Value("Log"), k.Value("Events"), k.Value("Count"), k.GP64()
	k.TESTQ(n, n)
	k.JZ(operand.LabelRef(done))
	theta := k.Pin()
	pairs, order := []*Pin{k.Pin(), k.Pin()}, []*Pin{k.Pin(), k.Pin()}
	k.Block("order", func(b *Block) { // of the places in where, then theta
		b.Set(order[0], b.Load(k.table([]uint64{0, 8, 1, 9, 2, 10, 3, 11})))
		b.Set(order[1], b.Load(k.table([]uint64{4, 12, 5, 13, 6, 14, 7, 15})))
	})
	k.XORQ(i, i)
	top := k.NewLabel("write")
	k.Label(top)
	k.Block("theta", func(b *Block) {
		list := func(j int) Vec { return b.Load(k.list(log, i, j)) }
		t := b.theta(list(lifPassed), list(lifBoth), tau(b, i))
		b.Set(theta, t)
		more(b, i, t)
		for _, p := range pairs {
			b.Set(p, list(lifWhere))
		}
	})
	for j, p := range pairs {
		z := k.W.register(p.Reg)
		k.asm("VPERMT2PD", k.W.register(theta.Reg), k.W.register(order[j].Reg), z)
		k.asm("VMOVUPD", z, at(to, k.W.Bytes()*j))
	}
	k.ADDQ(imm(2*k.W.Bytes()), to)
	k.ADDQ(imm(k.W.Lanes), i)
	k.CMPQ(i, n)
	k.JLT(operand.LabelRef(top))
	k.Label(done)
}

// theta is when a spike is, as a part of its step:
//
//	max(0, 1 - tau/dt ln((V_inf-V_th)/(V_inf-V))), the logarithm as lifLog of package kernels
func (b *Block) theta(passed, both, tau Vec) Vec {
	q := b.Div(passed, both)
	qq := b.Mul(q, q)
	ln := b.FMA(b.Mul(q, qq), b.horner(qq, []float64{2.0 / 3, 2.0 / 5, 2.0 / 7, 2.0 / 9}), b.Add(q, q))
	return b.Max(b.Const(0), b.FNMA(tau, ln, b.Const(1)))
}

// finishAll writes V of the lanes that move, and V, rate and Rem of those that spiked in this call.
func (k *lifFunc) finishAll() {
	toV, toRate, wake := k.state()
	old, rem := k.Value("Scratch"), k.Value("Rem")
	k.number(k.now, k.step)
	k.vectors(imm(asm.Group), func() {
		crossed := func(b *Block) (Vec, Mask) {
			v := b.Load(k.col(old, lifCrossed, 0))
			return v, b.Cmp(v, EQ, v)
		}
		k.Block("end", func(b *Block) {
			v, held := k.col(toV, 0, 0), b.Cmp(b.Load(k.col(wake, 0, 0)), GE, b.Get(k.now))
			_, it := crossed(b)
			vHeld := b.Select(it, k.c(b, asm.LIFVReset, 0), b.Load(v))
			b.Store(v, b.Select(held, vHeld, b.Load(k.col(old, lifAhead, 0))))
			b.Test(it)
		})
		none := k.NewLabel("none")
		k.JZ(operand.LabelRef(none))
		k.Block("spiked", func(b *Block) {
			v, it := crossed(b)
			s := k.locate(b, crossing[Vec]{v: v, when: b.Const(0), vInf: k.c(b, asm.LIFVInf, 0)})
			to := k.col(toRate, 0, 0)
			b.Store(to, b.Select(it, s.rate, b.Load(to)))
			k.setRem(b, s, it, rem)
		})
		k.Label(none)
	})
}

// setRem writes Rem of the lanes it after their spikes s.
func (k *lifFunc) setRem(b *Block, s *lifSpike, it Mask, rem reg.Register) {
	to, one := k.col(rem, 0, 0), b.Const(1)
	end := b.Add(b.theta(b.Sub(s.v, s.c(asm.LIFVTh)), b.Add(s.above, s.below), s.c(asm.LIFSteps)), s.c(asm.LIFHoldPart))
	b.Store(to, b.Select(it, b.Sub(one, b.Select(s.late, b.Sub(end, one), end)), b.Load(to)))
}
