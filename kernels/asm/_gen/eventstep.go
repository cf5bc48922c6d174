package main

import (
	"math"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"popsim/kernels/asm"
)

// An eventStep emits the code that finishes a step of flow in which lanes spike or leave refractoriness. It has the
// operations of flowEventStep in package kernels for the usual case: at most one spike, located by upstroke.spike, and
// the rest of the step, if there is one, by upstroke.smooth, all within the range of the short polynomials. Lanes in
// any other case are left to flowEventStep.
type eventStep struct {
	*Func
	// remaining steps; first lane of the current vectors; mask of their lanes in an event step
	n, lane, left reg.GPVirtual
	now           *Pin // number of the step
	in            input
	adapts, full  bool

	// first lane of the current vector; pointer to the scratch columns; pointer to Coef, reloaded per block
	first, log, coef reg.GPVirtual
}

// Scratch columns in Log, one vector each.
const (
	evV = iota // state
	evW
	evDrive  // R I + V_rest, as FlowDrive
	evGrow   // g of a whole step from V
	evAt     // place in the step, 0 to 1
	evWake   // as Block.Wake, after the step
	evRem    // as Block.Rem, after the step
	evTheta  // spike time as a part of the step
	evSpikes // mask: the lane spikes
	evMoves  // mask: the lane is advanced to the end of the step
	evToGo   // mask: the lane is left to Go
	evLanes  // mask: the lane is in an event step; later, and is finished here
)

// finish advances the lanes in left to the end of the step, vector by vector; afterwards left holds the lanes that are
// left to Go.
func (k *eventStep) finish() {
	lanes := k.W.Lanes
	k.first, k.log = k.GP64(), k.Value("EventStep")
	which := k.Value("Count")
	k.ADDQ(imm(asm.Group), which)
	k.CMPQ(which, k.Field("Room"))
	k.JGT(operand.LabelRef("noroom"))
	k.Label("vector")
	k.TZCNTQ(k.left, k.first)
	k.ANDQ(operand.I8(-lanes), k.first)
	k.MOVQ(k.first, reg.RCX)
	k.SHRQ(reg.CL, k.left)
	k.ANDQ(operand.I32(-1<<lanes), k.left)
	k.SHLQ(reg.CL, k.left)
	k.ADDQ(k.lane, k.first)

	block := func(name string, record func(b *Block)) {
		k.coef = k.Value("Coef")
		k.Block(name, record)
	}
	block("begin", k.begin)
	k.JZ(operand.LabelRef("nospike"))
	block("spike", k.spike)
	k.Label("nospike")
	k.Block("moving", func(b *Block) { b.Test(b.whereSigned(b.Load(k.scratch(evMoves)))) })
	k.JZ(operand.LabelRef("held"))
	block("moves", k.move)
	k.Label("held")
	bad := k.GP64()
	k.Block("state", func(b *Block) { k.state(b, which, bad) })
	k.Block("time", k.time)
	if k.full {
		block("extremes", k.extremes)
	}
	k.SUBQ(k.lane, k.first)
	k.MOVQ(k.first, reg.RCX)
	k.SHLQ(reg.CL, bad)
	k.ORQ(bad, k.Field("InEvent"))
	k.TESTQ(which, which)
	k.JNZ(k.Later("events", func() { k.appendEvents(which) }))
	k.Label("next")
	k.TESTQ(k.left, k.left)
	k.JNZ(operand.LabelRef("vector"))
	k.Label("noroom")
	k.ORQ(k.Field("InEvent"), k.left)
}

// scratch is scratch column j.
func (k *eventStep) scratch(j int) operand.Mem { return at(k.log, column*j) }

// at is the current vector in column j of the columns at r.
func (k *eventStep) at(r reg.Register, j int) operand.Mem {
	return operand.Mem{Base: r, Index: k.first, Scale: 8, Disp: column * j}
}

func (k *eventStep) c(b *Block, j int) Vec { return b.Load(k.at(k.coef, j)) }

// drift, toW and relax are the methods of upstroke in package kernels:
//
//	drift = drive - c V - r c w,   toW = a V + aRest - w,   relax = w + (1 - exp(-part s)) toW,   part s < 1/16
func (k *eventStep) drift(b *Block, v, w Vec) Vec {
	return b.FNMA(k.c(b, asm.FlowRC), w, b.FNMA(k.c(b, asm.FlowC), v, b.Load(k.scratch(evDrive))))
}

func (k *eventStep) toW(b *Block, v, w Vec) Vec {
	return b.Sub(b.FMA(k.c(b, asm.FlowA), v, k.c(b, asm.FlowAVRest)), w)
}

func (k *eventStep) relax(b *Block, v, w, part Vec) Vec {
	_, end := b.relaxed(b.Mul(part, k.c(b, asm.FlowS)))
	return b.FMA(end, k.toW(b, v, w), w)
}

// relaxed is relaxed of package kernels for s < 1/16:
//
//	mean = 1 - (1-exp(-s))/s,   end = 1 - exp(-s)
func (b *Block) relaxed(s Vec) (mean, end Vec) {
	ss := b.Mul(s, s)
	even := b.horner(ss, []float64{1.0 / 2, 1.0 / 24, 1.0 / 720, 1.0 / 40320, 1.0 / 3628800})
	odd := b.horner(ss, []float64{-1.0 / 6, -1.0 / 120, -1.0 / 5040, -1.0 / 362880})
	mean = b.Mul(s, b.FMA(odd, s, even))
	return mean, b.FNMA(s, mean, s)
}

// flowLikely is that of package kernels: a lane with a smaller g is not expected to spike.
const flowLikely = asm.FlowLikely

// begin sets up the scratch columns: each lane's place in the step, g = 2^(slope V + shift), and the mask of lanes
// expected to spike.
func (k *eventStep) begin(b *Block) {
	num := b.Const
	put := func(j int, x Vec) { b.Store(k.scratch(j), x) }
	old := k.Value("Scratch")
	inEvent, v, w := b.whereSigned(b.Load(k.at(old, columnInEvent))), b.Load(k.at(old, 0)), num(0)
	if k.adapts {
		w = b.Load(k.at(old, 1))
	}
	wake, rem, drive := b.Load(k.at(k.Value("Wake"), 0)), b.Load(k.at(k.Value("Rem"), 0)), k.c(b, asm.FlowDrive)
	if k.full {
		in := input{k.in.wave, k.in.row, k.first}
		c := func(j int) Vec { return k.c(b, j) }
		drive = in.steadyVoltage(b, 0, c, asm.FlowI, asm.FlowGain, asm.FlowRC, asm.FlowRest)
	}
	grow := b.Exp2Near(b.Max(num(exp2Lo), b.FMA(v, k.c(b, asm.FlowSlope), k.c(b, asm.FlowShift))))
	spikes := b.MaskAnd(inEvent, b.Cmp(grow, NLT, num(flowLikely)))
	put(evV, v)
	put(evW, w)
	put(evDrive, drive)
	put(evGrow, grow)
	put(evAt, b.Select(b.Cmp(wake, EQ, b.Get(k.now)), b.Sub(num(1), rem), num(0)))
	put(evWake, wake)
	put(evRem, rem)
	put(evSpikes, b.signs(spikes))
	put(evMoves, b.signs(b.MaskAndNot(inEvent, spikes)))
	put(evToGo, b.signs(b.Cmp(k.c(b, asm.FlowS), NLT, num(1.0/32)))) // relax is given less than two steps
	put(evLanes, b.signs(inEvent))
	b.Test(spikes)
}

// spike locates the spikes by upstroke.spike and resets V and w. Lanes that become refractory have w advanced to the
// end of the held part, the others to the spike:
//
//	p = exp(-(V_th-V)/delta_T),   until = (1-p)/(z p + g) logTerm(-z (1-p)/(z p + g))
func (k *eventStep) spike(b *Block) {
	num, c := b.Const, func(j int) Vec { return k.c(b, j) }
	get := func(j int) Vec { return b.Load(k.scratch(j)) }
	v, w, g, at, one := get(evV), get(evW), get(evGrow), get(evAt), num(1)
	spikes, deltaT := b.whereSigned(get(evSpikes)), c(asm.FlowDeltaT)

	rise := b.Mul(b.Sub(c(asm.FlowVTh), v), b.Mul(c(asm.FlowSlope), num(math.Ln2)))
	p := b.Mul(g, b.Exp2Near(b.Max(num(exp2Lo), b.Neg(b.FMA(c(asm.FlowVTh), c(asm.FlowSlope), c(asm.FlowShift))))))
	fall := b.Sub(one, p)
	lost, both := b.Div(b.Mul(rise, p), fall), b.Div(one, b.Add(one, p))
	early := b.Add(v, b.Mul(deltaT, b.Sub(num(0.5), b.Mul(b.Mul(lost, p), both))))
	passed := b.Mul(b.Min(one, b.Div(fall, g)), b.Mul(b.FMA(p, num(2.0/3), num(1.0/3)), both))
	z := k.drift(b, early, b.FMA(b.Mul(c(asm.FlowS), passed), k.toW(b, early, w), w))
	per := b.Div(fall, b.FMA(z, p, g))
	x := b.Neg(b.Mul(z, per))
	until := b.Mul(per, b.logTerm(x))
	gain := b.Mul(b.Mul(deltaT, b.Sub(one, lost)), b.FMA(z, b.Mul(until, num(0.25)), one))
	bad := b.MaskOr(b.outside(x), b.MaskOr(b.Cmp(rise, NGE, num(1.0/64)), b.Cmp(until, NLT, b.Sub(one, at))))
	w = b.Add(k.relax(b, b.Add(v, gain), w, until), c(asm.FlowB))

	at = b.Min(one, b.Add(at, until))
	b.Store(k.scratch(evTheta), at)
	end := b.Add(at, c(asm.FlowHoldPart))
	late := b.Cmp(end, GE, one)
	end = b.Select(late, b.Sub(end, one), end)
	hold := b.Select(late, b.Add(c(asm.FlowHold), one), c(asm.FlowHold))
	refractory := b.MaskAnd(spikes, b.Cmp(hold, GT, num(0)))
	reset := c(asm.FlowVReset)
	w = k.relax(b, reset, w, b.Select(refractory, b.Add(b.Sub(one, at), end), b.Sub(end, at)))

	put := func(j int, m Mask, x Vec) { b.Store(k.scratch(j), b.Select(m, x, get(j))) }
	put(evV, spikes, reset)
	put(evW, spikes, w)
	put(evGrow, spikes, c(asm.FlowGrow0))
	put(evAt, spikes, end)
	put(evWake, refractory, b.Add(b.Get(k.now), hold))
	put(evRem, refractory, b.Sub(one, end))
	b.Store(k.scratch(evMoves), b.signs(b.MaskOr(b.whereSigned(get(evMoves)), b.MaskAndNot(spikes, refractory))))
	b.Store(k.scratch(evToGo), b.signs(b.MaskOr(b.whereSigned(get(evToGo)), b.MaskAnd(spikes, bad))))
}

// outside selects the lanes whose x is outside the range of logTerm.
func (b *Block) outside(x Vec) Mask {
	return b.MaskOr(b.Cmp(x, NLT, b.Const(flowX)), b.Cmp(x, NGT, b.Const(-0.4)))
}

// move advances the lanes in evMoves to the end of the step by upstroke.smooth.
func (k *eventStep) move(b *Block) {
	num, c := b.Const, func(j int) Vec { return k.c(b, j) }
	get := func(j int) Vec { return b.Load(k.scratch(j)) }
	v, w, g, moves := get(evV), get(evW), get(evGrow), b.whereSigned(get(evMoves))
	bad := b.MaskOr(b.Cmp(g, NLT, num(flowLikely)), b.Cmp(v, NLT, c(asm.FlowVTh)))
	part := b.Sub(num(1), get(evAt))
	s, rc, a := b.Mul(part, c(asm.FlowS)), b.Mul(part, c(asm.FlowRC)), b.Mul(c(asm.FlowA), c(asm.FlowDeltaT))
	half, end := b.relaxed(s)
	g = b.Mul(g, part)
	mean := b.horner(g, meanC[:])
	toW := k.toW(b, v, w)
	sink := b.Mul(b.Mul(rc, half), toW)
	slow := b.FMA(b.Mul(rc, half), a, b.Mul(b.Mul(part, c(asm.FlowC)), c(asm.FlowDeltaT)))
	z := b.Mul(part, k.drift(b, v, w))
	first := b.Mul(b.Add(z, g), mean)
	slower := b.FMA(slow, first, sink)
	gain := b.FNMA(num(1.0/3), slower, first)
	sixth := b.Mul(s, num(1.0/6))
	z = b.FNMA(gain, b.FNMA(b.Mul(rc, a), sixth, slow), b.Sub(z, sink))
	x := b.Mul(b.Mul(g, b.FMA(slower, b.horner(g, []float64{1.0 / 6, 1.0 / 12}), num(1))), b.horner(z, phiC[:]))
	l := b.logTerm(x)
	gain = b.Select(b.Cmp(x, GT, num(flowUpstroke)), b.upstrokeMean(x, l, z, slower, mean), gain)
	nextW := b.FMA(b.Mul(a, b.FMA(s, sixth, end)), gain, b.FMA(end, toW, w))
	nextV := b.FMA(c(asm.FlowDeltaT), b.FMA(x, l, z), v)
	bad = b.MaskOr(b.MaskOr(bad, b.outside(x)),
		b.MaskOr(b.Cmp(b.Abs(z), NLT, num(flowX)), b.Cmp(nextV, NLT, c(asm.FlowVTh))))
	b.Store(k.scratch(evV), b.Select(moves, nextV, v))
	b.Store(k.scratch(evW), b.Select(moves, nextW, w))
	b.Store(k.scratch(evToGo), b.signs(b.MaskOr(b.whereSigned(get(evToGo)), b.MaskAnd(moves, bad))))
}

// state writes V and w of the finished lanes; fired is the mask of those that spiked, left the mask of those left to
// Go. time writes Wake and Rem.
func (k *eventStep) state(b *Block, fired, left reg.GPVirtual) {
	get := func(j int) Vec { return b.Load(k.scratch(j)) }
	inEvent, w := b.whereSigned(get(evLanes)), get(evW)
	bad := b.MaskAnd(inEvent, b.MaskOr(b.whereSigned(get(evToGo)), b.Cmp(w, NEQ, w)))
	good := b.MaskAndNot(inEvent, bad)
	k.put(b, good, k.pointer("Y", 0), get(evV))
	if k.adapts {
		k.put(b, good, k.pointer("Y", 1), w)
	}
	b.Store(k.scratch(evLanes), b.signs(good))
	b.Bits(b.MaskAnd(good, b.whereSigned(get(evSpikes))), fired.As32())
	b.Bits(bad, left.As32())
}

func (k *eventStep) time(b *Block) {
	good := b.whereSigned(b.Load(k.scratch(evLanes)))
	k.put(b, good, k.Value("Wake"), b.Load(k.scratch(evWake)))
	k.put(b, good, k.Value("Rem"), b.Load(k.scratch(evRem)))
}

// put writes x to the column at to in the lanes of m.
func (k *eventStep) put(b *Block, m Mask, to reg.Register, x Vec) {
	b.Store(k.at(to, 0), b.Select(m, x, b.Load(k.at(to, 0))))
}

// extremes widens Lo and Hi by the potentials of the finished lanes: V at the end, V_th and V_reset where they spiked.
func (k *eventStep) extremes(b *Block) {
	get := func(j int) Vec { return b.Load(k.scratch(j)) }
	good, spikes, v := b.whereSigned(get(evLanes)), b.whereSigned(get(evSpikes)), get(evV)
	lo, hi := k.at(k.Value("Lo"), 0), k.at(k.Value("Hi"), 0)
	low := b.Select(spikes, b.Min(k.c(b, asm.FlowVReset), b.Load(lo)), b.Load(lo))
	high := b.Select(spikes, b.Max(k.c(b, asm.FlowVTh), b.Load(hi)), b.Load(hi))
	b.Store(lo, b.Select(good, b.Min(v, low), b.Load(lo)))
	b.Store(hi, b.Select(good, b.Max(v, high), b.Load(hi)))
}

// appendEvents appends the spikes of the lanes in which of the current vector, then jumps to the next vector.
func (k *eventStep) appendEvents(which reg.GPVirtual) {
	k.ADDQ(k.lane, k.first)
	k.ADDQ(k.Field("LaneZero"), k.first)
	theta := func(l reg.Register) operand.Mem {
		return operand.Mem{Base: k.log, Index: l, Scale: 8, Disp: column * evTheta}
	}
	k.events(which, k.first, theta, func(_, to reg.Register) {
		k.MOVQ(k.Field("Steps"), to)
		k.SUBQ(k.n, to)
	})
	k.JMP(operand.LabelRef("next"))
}
