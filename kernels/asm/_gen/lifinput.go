package main

import (
	"math"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"popsim/kernels/asm"
)

// With AVX2 a driven kernel without extrema differs from mode held (lif.go) in what it keeps: no lowest V, and of a
// chunk the highest V so far as log, which rises, so that the step of a spike is found by bisection. V_inf comes from
// Steady where it is the same in all lanes, and is computed again for the step of a spike where it follows from the
// waveform alone (waved); else it is logged. Where V_inf of each lane stays on one side of V_th (sided; see
// asm.LIFPacked), V of a lane that spikes is its own log.

// withoutExtrema chooses among the modes of a driven kernel without extrema, g vectors at a time.
func (k *lifFunc) withoutExtrema(g int) {
	k.CMPQ(k.Field("Extrema"), operand.I8(0))
	k.JNE(operand.LabelRef("held"))
	k.CMPQ(k.Field("Steady"), operand.I8(0))
	steady, waved, rows := *k, *k, *k
	steady.g, waved.g, rows.g = g, g, g
	steady.steady, waved.waved = true, true
	sided, shared := waved, waved
	sided.sided, shared.sided, shared.shared = true, true, true
	k.JNE(k.Later("steady", steady.runInput))
	k.CMPQ(k.Field("OneSided"), operand.I8(0))
	k.JNE(k.Later("sided", func() {
		k.CMPQ(k.Field("OneSided"), operand.I8(asm.OneSidedShared))
		k.JE(k.Later("shared", shared.runInput))
		sided.runInput()
	}))
	k.CMPQ(k.Field("RowStride"), operand.I8(0))
	k.JE(k.Later("waved", waved.runInput))
	rows.runInput()
}

// runInput goes through all chunks with input and without extrema.
func (k lifFunc) runInput() {
	k.lean = true
	defer k.Only()()
	k.now, k.m, k.fired = k.Pin(), k.GP64(), k.GP64()
	top, whole, other, forward := k.NewLabel("input"), k.NewLabel("whole"), k.NewLabel("other"), k.NewLabel("forward")
	k.Label(top)
	k.MOVQ(k.Field("Steps"), k.m)
	k.SUBQ(k.step, k.m)
	k.JLE(operand.LabelRef("return"))
	k.CMPQ(k.m, k.Field("Chunk"))
	k.JLE(operand.LabelRef(whole))
	k.MOVQ(k.Field("Chunk"), k.m)
	k.Label(whole)
	room := k.Value("Count")
	k.ADDQ(imm(asm.Group), room)
	k.CMPQ(room, k.Field("Room"))
	k.JGT(operand.LabelRef("return"))
	k.XORQ(k.fired, k.fired)
	k.XORQ(k.lane, k.lane)
	if k.steady || k.waved {
		k.CMPQ(k.m, operand.I8(asm.Chunk))
		k.JNE(operand.LabelRef(other))
		usual := k
		if k.steady {
			k.mixed(other)
			usual.rises = true
		}
		usual.rises = usual.rises || k.sided
		usual.chunkInput(forward)
		k.JMP(operand.LabelRef(forward))
		k.waved, k.sided, k.shared = false, false, false // the waveform may end before a whole chunk does
	}
	k.Label(other)
	k.chunkInput(forward)
	k.Label(forward)
	k.prefetch()
	k.ADDQ(k.m, k.step)
	k.CMPQ(k.Field("InEvent"), operand.I8(0))
	k.JE(operand.LabelRef(top))
	k.JMP(operand.LabelRef("return"))
}

// chunkInput advances the group by the chunk.
func (k lifFunc) chunkInput(forward string) {
	top := k.NewLabel("vectors")
	k.Label(top)
	k.number(k.now, k.step)
	k.stepInput()
	k.ADDQ(imm(k.g*k.W.Lanes), k.lane)
	k.CMPQ(k.lane, k.Field("Lanes"))
	k.JLT(operand.LabelRef(top))
	k.TESTQ(k.fired, k.fired)
	k.JNZ(k.Later("spikes", func() {
		if !k.rises && !k.waved {
			filled := k.NewLabel("filled")
			k.CMPQ(k.m, operand.I8(asm.Chunk))
			k.JEQ(operand.LabelRef(filled))
			k.fillLog()
			k.Label(filled)
		}
		k.spikes(forward)
	}))
}

// stepInput advances the current vectors by the chunk. Where V of a lane that spikes rises, V is its own log. V_inf
// of Steady is finite, and so is V_reset, as with sided; see advanceHeld.
func (k lifFunc) stepInput() {
	defer k.Only(k.now)()
	k.v, k.rate = k.row(), k.row()
	high := k.v
	if !k.rises {
		k.hi = k.row()
		high = k.hi
	}
	v, rate, wake := k.state()
	old, p, n := k.Value("Scratch"), k.log(), k.GP64()
	k.Block("load", func(b *Block) {
		for s := range k.g {
			v := b.Load(k.col(v, 0, s))
			b.Store(k.col(old, lifBefore, s), v)
			b.Set(k.v[s], v)
			held := b.Cmp(b.Load(k.col(wake, 0, s)), GE, b.Get(k.now))
			b.Set(k.rate[s], b.Select(held, b.Load(k.col(rate, 0, s)), k.c(b, asm.LIFK, s)))
			if !k.rises {
				b.Set(k.hi[s], b.Const(math.Inf(-1)))
			}
		}
	})
	var steady reg.GPVirtual
	if k.steady {
		steady = k.steadyOf()
	} else {
		k.in = k.input(k.step, k.lane)
	}
	k.MOVQ(k.m, n)
	var kept []operand.Mem
	if k.shared {
		for _, j := range []int{asm.LIFK, asm.LIFR, asm.LIFVRest} {
			kept = append(kept, at(k.coef, column*j))
		}
	}
	const spare = 3 // registers for the arithmetic
	k.Keep(spare, kept, func() { k.stepsInput(n, steady, p, wake) })
	v, _, _ = k.state()
	k.Block("store", func(b *Block) {
		for s := range k.g {
			b.Store(k.col(v, 0, s), b.Get(k.v[s]))
		}
	})
	k.noteFired(func(b *Block, s int) Mask { return b.Cmp(b.Get(high[s]), GE, k.c(b, asm.LIFVTh, s)) })
}

// stepsInput takes the current vectors through n steps, logged from p on.
func (k *lifFunc) stepsInput(n, steady, p, wake reg.GPVirtual) {
	k.Loop("step", n, func() {
		for s := range k.g {
			k.Block("step", func(b *Block) {
				moves, rate, v := b.Cmp(b.Load(k.col(wake, 0, s)), LE, b.Get(k.now)), b.Get(k.rate[s]), b.Get(k.v[s])
				v = b.advanceHeld(moves, rate, b.Sub(v, k.goalOf(b, s, steady, p)), v, !k.steady && !k.sided)
				b.Set(k.v[s], v)
				b.Set(k.rate[s], b.Select(moves, k.coefOf(b, asm.LIFK, s), rate))
				if !k.rises {
					v = b.Max(v, b.Get(k.hi[s]))
					b.Set(k.hi[s], v)
				}
				b.Store(at(p, s*k.W.Bytes()), v)
			})
		}
		k.Block("now", func(b *Block) { b.Set(k.now, b.Add(b.Get(k.now), b.Const(1))) })
		k.ADDQ(imm(column), p)
		if k.steady {
			k.ADDQ(imm(8), steady)
		} else {
			k.in.next(k.Func)
		}
	})
}

// coefOf is coefficient j of vector s, which all lanes share where shared holds.
func (k *lifFunc) coefOf(b *Block, j, s int) Vec {
	if k.shared && j != asm.LIFI {
		return b.Load(at(k.coef, column*j))
	}
	return k.c(b, j, s)
}

// goalOf is V_inf of vector s in the current step, which steady, or in, points to; p is the entry of the log.
func (k *lifFunc) goalOf(b *Block, s int, steady, p reg.Register) Vec {
	c := func(j int) Vec { return k.coefOf(b, j, s) }
	switch {
	case k.steady:
		return b.Broadcast(at(steady, 0))
	case k.sided: // the gain is 1
		return b.FMA(c(asm.LIFR), b.Add(b.Broadcast(at(k.in.wave, 0)), c(asm.LIFI)), c(asm.LIFVRest))
	case k.waved:
		return b.goal(b.Broadcast(at(k.in.wave, 0)), c)
	}
	vInf := k.in.steadyVoltage(b, s, c, asm.LIFI, asm.LIFGain, asm.LIFR, asm.LIFVRest)
	b.Store(at(p, column*toVInf+s*k.W.Bytes()), vInf)
	return vInf
}

// searchInput finds the crossings of a vector. The log rises; after a chunk of fewer steps it goes on with +Inf.
func (k *lifFunc) searchInput(found crossing[*Pin]) {
	log := k.Value("Log")
	var steady reg.GPVirtual
	k.MOVQ(k.m, k.Field("Step"))
	goal := func(b *Block, j int) Vec { return b.Load(k.col(log, j+toVInf, 0)) }
	if !k.logsGoals() {
		steady = k.steadyOf()
		goal = func(b *Block, j int) Vec { return b.Broadcast(at(steady, 8*j)) }
	}
	k.Block("search", func(b *Block) {
		x := k.bisectFirst(b, log, func(j int) Vec { return goal(b, j) })
		c := func(j int) Vec { return k.c(b, j, 0) }
		fires := b.Cmp(x.v, GE, c(asm.LIFVTh))
		if !k.rises && !k.waved {
			m := b.Sub(b.Or(b.Broadcast(k.Field("Step")), b.ConstBits(two52)), b.Const(1<<52))
			fires = b.MaskAnd(fires, b.Cmp(x.when, LT, m))
		}
		x.when = b.Select(fires, x.when, b.Const(-1))
		if k.waved {
			x.vInf = b.goal(x.vInf, c)
		}
		k.put(b, found, x)
	})
}
