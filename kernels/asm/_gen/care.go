package main

import (
	"math"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"popsim/kernels/asm"
)

// A care finishes a step of flow in which lanes spike or wake, operation by operation flowRare of package kernels. It does so for those
// whose way is the usual one: at most one spike, by upstroke.spike, and what is left of the step, if anything, by upstroke.smooth, all in the
// range of the short polynomials. The others it leaves to Go.
type care struct {
	*Func
	n, lane, rare reg.GPVirtual // steps that are left, first lane of the vectors in hand, bits of lanes there
	now           *Pin
	in            input
	adapts, full  bool

	first, log, coef reg.GPVirtual // lane of the vector in hand; pointers, the last for a block
}

// Columns of Log, a vector each: the state, the drive, how much V would grow by in a whole step, where in the step it is; when it goes on moving; the time
// of the spike; who spikes, who moves on to the end of the step, who has to be left to Go, who needs care.
const (
	careV = iota
	careW
	careDrive
	careGrow
	careAt
	careWake
	careRem
	careTheta
	careSpikes
	careMoves
	careBad
	careRare
)

// finish takes the rare lanes to the end of the step, vector by vector, and leaves those that are not usual in rare.
func (k *care) finish() {
	lanes := k.W.Lanes
	k.first, k.log = k.GP64(), k.Value("Log")
	which := k.Value("Count")
	k.ADDQ(imm(asm.Group), which)
	k.CMPQ(which, k.Field("Room"))
	k.JGT(operand.LabelRef("crowded"))
	k.Label("care")
	k.TZCNTQ(k.rare, k.first)
	k.ANDQ(operand.I8(-lanes), k.first)
	k.MOVQ(k.first, reg.RCX)
	k.SHRQ(reg.CL, k.rare)
	k.ANDQ(operand.I32(-1<<lanes), k.rare)
	k.SHLQ(reg.CL, k.rare)
	k.ADDQ(k.lane, k.first)

	block := func(name string, record func(b *Block)) {
		k.coef = k.Value("Coef")
		k.Block(name, record)
	}
	block("who", k.who)
	k.JZ(operand.LabelRef("calm"))
	block("spike", k.spike)
	k.Label("calm")
	k.Block("moves?", func(b *Block) { b.Test(b.whereSigned(b.Load(k.note(careMoves)))) })
	k.JZ(operand.LabelRef("rests"))
	block("moves", k.move)
	k.Label("rests")
	bad := k.GP64()
	k.Block("state", func(b *Block) { k.state(b, which, bad) })
	k.Block("time", k.time)
	if k.full {
		block("extremes", k.extremes)
	}
	k.SUBQ(k.lane, k.first)
	k.MOVQ(k.first, reg.RCX)
	k.SHLQ(reg.CL, bad)
	k.ORQ(bad, k.Field("Rare"))
	k.TESTQ(which, which)
	k.JNZ(k.Later("events", func() { k.spiked(which) }))
	k.Label("next")
	k.TESTQ(k.rare, k.rare)
	k.JNZ(operand.LabelRef("care"))
	k.Label("crowded")
	k.ORQ(k.Field("Rare"), k.rare)
}

// note is column j of the log.
func (k *care) note(j int) operand.Mem { return at(k.log, column*j) }

// at is the vector in hand of column j from r on.
func (k *care) at(r reg.Register, j int) operand.Mem {
	return operand.Mem{Base: r, Index: k.first, Scale: 8, Disp: column * j}
}

func (k *care) c(b *Block, j int) Vec { return b.Load(k.at(k.coef, j)) }

// drift, toW and relax are those of upstroke; the part of a step that relax takes is short beside tau_w.
func (k *care) drift(b *Block, v, w Vec) Vec {
	return b.FNMA(k.c(b, asm.FlowRC), w, b.FNMA(k.c(b, asm.FlowC), v, b.Load(k.note(careDrive))))
}

func (k *care) toW(b *Block, v, w Vec) Vec {
	return b.Sub(b.FMA(k.c(b, asm.FlowA), v, k.c(b, asm.FlowAVRest)), w)
}

func (k *care) relax(b *Block, v, w, part Vec) Vec {
	_, end := b.relaxed(b.Mul(part, k.c(b, asm.FlowS)))
	return b.FMA(end, k.toW(b, v, w), w)
}

// relaxed is that of package kernels for less than 1/16 time constants.
func (b *Block) relaxed(s Vec) (mean, end Vec) {
	ss := b.Mul(s, s)
	even := b.horner(ss, []float64{1.0 / 2, 1.0 / 24, 1.0 / 720, 1.0 / 40320, 1.0 / 3628800})
	odd := b.horner(ss, []float64{-1.0 / 6, -1.0 / 120, -1.0 / 5040, -1.0 / 362880})
	mean = b.Mul(s, b.FMA(odd, s, even))
	return mean, b.FNMA(s, mean, s)
}

// flowSoon is what it is in package kernels: with less g nobody is taken for a spike.
const flowSoon = asm.FlowSoon

// who begins: where in the step everyone is, and who spikes.
func (k *care) who(b *Block) {
	num := b.Const
	put := func(j int, x Vec) { b.Store(k.note(j), x) }
	old := k.Value("Old")
	rare, v, w := b.whereSigned(b.Load(k.at(old, 3))), b.Load(k.at(old, 0)), num(0)
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
	spikes := b.MaskAnd(rare, b.Cmp(grow, NLT, num(flowSoon)))
	put(careV, v)
	put(careW, w)
	put(careDrive, drive)
	put(careGrow, grow)
	put(careAt, b.Select(b.Cmp(wake, EQ, b.Get(k.now)), b.Sub(num(1), rem), num(0)))
	put(careWake, wake)
	put(careRem, rem)
	put(careSpikes, b.signs(spikes))
	put(careMoves, b.signs(b.MaskAndNot(rare, spikes)))
	put(careBad, b.signs(b.Cmp(k.c(b, asm.FlowS), NLT, num(1.0/32)))) // parts that relax takes are less than two steps
	put(careRare, b.signs(rare))
	b.Test(spikes)
}

// spike takes those who spike past the spike, to the end of the step if they rest there.
func (k *care) spike(b *Block) {
	num, c := b.Const, func(j int) Vec { return k.c(b, j) }
	get := func(j int) Vec { return b.Load(k.note(j)) }
	v, w, g, at, one := get(careV), get(careW), get(careGrow), get(careAt), num(1)
	spikes, deltaT := b.whereSigned(get(careSpikes)), c(asm.FlowDeltaT)

	rise := b.Mul(b.Sub(c(asm.FlowVTh), v), b.Mul(c(asm.FlowSlope), num(math.Ln2)))
	p := b.Mul(g, b.Exp2Near(b.Max(num(exp2Lo), b.Neg(b.FMA(c(asm.FlowVTh), c(asm.FlowSlope), c(asm.FlowShift))))))
	fall := b.Sub(one, p)
	lost, both := b.Div(b.Mul(rise, p), fall), b.Div(one, b.Add(one, p))
	early := b.Add(v, b.Mul(deltaT, b.Sub(num(0.5), b.Mul(b.Mul(lost, p), both))))
	passed := b.Mul(b.Min(one, b.Div(fall, g)), b.Mul(b.FMA(p, num(2.0/3), num(1.0/3)), both))
	z := k.drift(b, early, b.FMA(b.Mul(c(asm.FlowS), passed), k.toW(b, early, w), w))
	per := b.Div(fall, b.FMA(z, p, g))
	x := b.Neg(b.Mul(z, per))
	until := b.Mul(per, b.blast(x))
	gain := b.Mul(b.Mul(deltaT, b.Sub(one, lost)), b.FMA(z, b.Mul(until, num(0.25)), one))
	bad := b.MaskOr(b.outside(x), b.MaskOr(b.Cmp(rise, NGE, num(1.0/64)), b.Cmp(until, NLT, b.Sub(one, at))))
	w = b.Add(k.relax(b, b.Add(v, gain), w, until), c(asm.FlowB))

	at = b.Min(one, b.Add(at, until))
	b.Store(k.note(careTheta), at)
	end := b.Add(at, c(asm.FlowHoldPart))
	late := b.Cmp(end, GE, one)
	end = b.Select(late, b.Sub(end, one), end)
	hold := b.Select(late, b.Add(c(asm.FlowHold), one), c(asm.FlowHold))
	rests := b.MaskAnd(spikes, b.Cmp(hold, GT, num(0)))
	reset := c(asm.FlowVReset)
	w = k.relax(b, reset, w, b.Select(rests, b.Add(b.Sub(one, at), end), b.Sub(end, at)))

	put := func(j int, m Mask, x Vec) { b.Store(k.note(j), b.Select(m, x, get(j))) }
	put(careV, spikes, reset)
	put(careW, spikes, w)
	put(careGrow, spikes, c(asm.FlowGrow0))
	put(careAt, spikes, end)
	put(careWake, rests, b.Add(b.Get(k.now), hold))
	put(careRem, rests, b.Sub(one, end))
	b.Store(k.note(careMoves), b.signs(b.MaskOr(b.whereSigned(get(careMoves)), b.MaskAndNot(spikes, rests))))
	b.Store(k.note(careBad), b.signs(b.MaskOr(b.whereSigned(get(careBad)), b.MaskAnd(spikes, bad))))
}

// outside tells for which x blast is not good, or means no end of the step.
func (b *Block) outside(x Vec) Mask {
	return b.MaskOr(b.Cmp(x, NLT, b.Const(flowX)), b.Cmp(x, NGT, b.Const(-0.4)))
}

// move is upstroke.smooth for those who move on to the end of the step.
func (k *care) move(b *Block) {
	num, c := b.Const, func(j int) Vec { return k.c(b, j) }
	get := func(j int) Vec { return b.Load(k.note(j)) }
	v, w, g, moves := get(careV), get(careW), get(careGrow), b.whereSigned(get(careMoves))
	bad := b.MaskOr(b.Cmp(g, NLT, num(flowSoon)), b.Cmp(v, NLT, c(asm.FlowVTh)))
	part := b.Sub(num(1), get(careAt))
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
	l := b.blast(x)
	gain = b.Select(b.Cmp(x, GT, num(flowBend)), b.bent(x, l, z, slower, mean), gain)
	nextW := b.FMA(b.Mul(a, b.FMA(s, sixth, end)), gain, b.FMA(end, toW, w))
	nextV := b.FMA(c(asm.FlowDeltaT), b.FMA(x, l, z), v)
	bad = b.MaskOr(b.MaskOr(bad, b.outside(x)), b.MaskOr(b.Cmp(b.Abs(z), NLT, num(flowX)), b.Cmp(nextV, NLT, c(asm.FlowVTh))))
	b.Store(k.note(careV), b.Select(moves, nextV, v))
	b.Store(k.note(careW), b.Select(moves, nextW, w))
	b.Store(k.note(careBad), b.signs(b.MaskOr(b.whereSigned(get(careBad)), b.MaskAnd(moves, bad))))
}

// state and time put what has come out where it belongs; bits for those who spiked go to fired, for those who are left to Go to left.
func (k *care) state(b *Block, fired, left reg.GPVirtual) {
	get := func(j int) Vec { return b.Load(k.note(j)) }
	rare, w := b.whereSigned(get(careRare)), get(careW)
	bad := b.MaskAnd(rare, b.MaskOr(b.whereSigned(get(careBad)), b.Cmp(w, NEQ, w)))
	good := b.MaskAndNot(rare, bad)
	k.put(b, good, k.pointer("Y", 0), get(careV))
	if k.adapts {
		k.put(b, good, k.pointer("Y", 1), w)
	}
	b.Store(k.note(careRare), b.signs(good))
	b.Bits(b.MaskAnd(good, b.whereSigned(get(careSpikes))), fired.As32())
	b.Bits(bad, left.As32())
}

func (k *care) time(b *Block) {
	good := b.whereSigned(b.Load(k.note(careRare)))
	k.put(b, good, k.Value("Wake"), b.Load(k.note(careWake)))
	k.put(b, good, k.Value("Rem"), b.Load(k.note(careRem)))
}

// put writes x to the column at to, where m holds.
func (k *care) put(b *Block, m Mask, to reg.Register, x Vec) {
	b.Store(k.at(to, 0), b.Select(m, x, b.Load(k.at(to, 0))))
}

// extremes widens those of V by what the lanes went through that are finished.
func (k *care) extremes(b *Block) {
	get := func(j int) Vec { return b.Load(k.note(j)) }
	good, spikes, v := b.whereSigned(get(careRare)), b.whereSigned(get(careSpikes)), get(careV)
	lo, hi := k.at(k.Value("Lo"), 0), k.at(k.Value("Hi"), 0)
	low := b.Select(spikes, b.Min(k.c(b, asm.FlowVReset), b.Load(lo)), b.Load(lo))
	high := b.Select(spikes, b.Max(k.c(b, asm.FlowVTh), b.Load(hi)), b.Load(hi))
	b.Store(lo, b.Select(good, b.Min(v, low), b.Load(lo)))
	b.Store(hi, b.Select(good, b.Max(v, high), b.Load(hi)))
}

// spiked appends the spikes of the lanes which of the vector in hand, and goes on.
func (k *care) spiked(which reg.GPVirtual) {
	k.ADDQ(k.lane, k.first)
	k.ADDQ(k.Field("LaneZero"), k.first)
	theta := func(l reg.Register) operand.Mem {
		return operand.Mem{Base: k.log, Index: l, Scale: 8, Disp: column * careTheta}
	}
	k.events(which, k.first, theta, func(_, to reg.Register) {
		k.MOVQ(k.Field("Steps"), to)
		k.SUBQ(k.n, to)
	})
	k.JMP(operand.LabelRef("next"))
}
