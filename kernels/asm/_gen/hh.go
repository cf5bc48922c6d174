package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"popsim/kernels/asm"
)

// hhStep records the arithmetic of one step of HH or RHH and returns the states after it. c(j) is coefficient j, drive
// is (g_L E_L + I)/C, y are the states before the step.
type hhStep func(b *Block, c func(j int) Vec, drive Vec, y []Vec) []Vec

// hhKernel emits the kernels of a method, without and with input, S vectors at a time; see asm.Block.
func hhKernel(name string, states int, S map[string]int, tune map[string]Tuning, step hhStep) func(f *file, w isa) {
	return func(f *file, w isa) {
		hhLoop(f, w, name, states, S[w.Name], false, tune[w.Name], step)
		hhLoop(f, w, name+"Full", states, S[w.Name], true, tune[w.Name], step)
	}
}

func hhLoop(f *file, w isa, name string, states, S int, full bool, tune Tuning, advance hhStep) {
	k := f.Func(w, name, "func(b *Block)", "advances a group; see Block.").hhGroup(states, full)
	k.Tune = tune
	again, done := operand.LabelRef("step"), operand.LabelRef("done")
	k.MOVQ(operand.I32(0), k.Field("InEvent"))
	k.CMPQ(k.step, k.Field("Steps"))
	k.JGE(done)

	k.Label("step")
	k.input()
	k.Block("step", func(b *Block) {
		var any Mask
		for s := range S {
			c, drive, y := k.load(b, s)
			next := advance(b, c, drive, y)
			v := next[0]
			level := b.Select(b.Cmp(v, LT, c(asm.HHRearm)), c(asm.HHVTh), b.Load(k.col(k.wake, s)))
			b.Store(k.col(k.wake, s), level)
			crossed := b.Cmp(v, GE, level)
			if s > 0 {
				crossed = b.MaskOr(crossed, any)
			}
			any = crossed
			k.keep(b, s, v, y, next)
		}
		b.Test(any)
	})
	forward := func(more, around operand.Op) { // to the next vectors, of this step or the next
		k.ADDQ(imm(S*w.Lanes), k.lane)
		k.CMPQ(k.lane, k.Field("Lanes"))
		k.JLT(more)
		k.XORQ(k.lane, k.lane)
		k.INCQ(k.step)
		k.CMPQ(k.step, k.Field("Steps"))
		k.JLT(around)
	}
	k.JNZ(k.Later("events", func() {
		k.lanes("InEvent", S, k.crossed)
		forward(done, done)
		k.JMP(done)
	}))
	forward(again, again)
	k.Label("done")
	k.MOVQ(k.step, k.Field("Step"))
	k.MOVQ(k.lane, k.Field("Lane"))
	k.End()
}

// An hhGroup emits a kernel that advances a group of HH or RHH neurons.
type hhGroup struct {
	*Func
	full                        bool
	step, lane, coef, old, wake reg.GPVirtual
	y                           []reg.GPVirtual
	lo, hi, row                 reg.GPVirtual // full kernels: extrema, the step's row
	now                         *Pin          // and its value of the waveform
}

// hhGroup loads the pointers of the Block.
func (f *Func) hhGroup(states int, full bool) *hhGroup {
	k := &hhGroup{Func: f, full: full}
	k.step, k.lane = k.Value("Step"), k.Value("Lane")
	k.coef, k.old, k.wake = k.Value("Coef"), k.Value("Scratch"), k.Value("Level")
	for j := range states {
		k.y = append(k.y, k.pointer("Y", j))
	}
	return k
}

// col is vector s of the current vectors in the column at r, sub the same in column j of the array of columns at r.
func (k *hhGroup) col(r reg.Register, s int) operand.Mem {
	return operand.Mem{Base: r, Index: k.lane, Scale: 8, Disp: s * k.W.Bytes()}
}

func (k *hhGroup) sub(r reg.Register, j, s int) operand.Mem {
	return k.col(r, j*asm.Group/k.W.Lanes+s)
}

// input loads the waveform and the row of the current step.
func (k *hhGroup) input() {
	if !k.full {
		return
	}
	k.now = k.Pin()
	wave := k.Value("Waveform")
	k.Block("waveform", func(b *Block) { b.Set(k.now, b.Broadcast(operand.Mem{Base: wave, Index: k.step, Scale: 8})) })
	k.lo, k.hi, k.row = k.Value("Lo"), k.Value("Hi"), k.Value("RowStride")
	k.IMULQ(k.step, k.row)
	k.SHLQ(imm(3), k.row)
	k.ADDQ(k.Field("Row"), k.row)
}

// load returns the coefficients, the drive and the states of vector s.
func (k *hhGroup) load(b *Block, s int) (c func(j int) Vec, drive Vec, y []Vec) {
	c = func(j int) Vec { return b.Load(k.sub(k.coef, j, s)) }
	for _, r := range k.y {
		y = append(y, b.Load(k.col(r, s)))
	}
	if !k.full {
		return c, c(asm.HHDrive), y
	}
	i := b.Add(b.FMA(c(asm.HHGain), b.Get(k.now), c(asm.HHI)), b.Load(k.col(k.row, s)))
	return c, b.FMA(c(asm.HHPerC), i, c(asm.HHLeak)), y
}

// keep stores the states of vector s before and after the step, and widens the extrema by v.
func (k *hhGroup) keep(b *Block, s int, v Vec, y, next []Vec) {
	for j, r := range k.y {
		b.Store(k.sub(k.old, j, s), y[j])
		b.Store(k.col(r, s), next[j])
	}
	if k.full {
		b.Store(k.col(k.lo, s), b.Min(v, b.Load(k.col(k.lo, s))))
		b.Store(k.col(k.hi, s), b.Max(v, b.Load(k.col(k.hi, s))))
	}
}

// crossed is the mask of the lanes of vector s whose stored V is at or above their level.
func (k *hhGroup) crossed(b *Block, s int) Mask {
	return b.Cmp(b.Load(k.col(k.y[0], s)), GE, b.Load(k.col(k.wake, s)))
}

// lanes writes a mask of the current S vectors to a field, one bit for each lane of the group.
func (k *hhGroup) lanes(field string, S int, mask func(b *Block, s int) Mask) {
	all, bits := k.GP64(), k.GP64()
	k.XORQ(all, all)
	for s := S - 1; s >= 0; s-- {
		k.Block(field, func(b *Block) { b.Bits(mask(b, s), bits.As32()) })
		k.SHLQ(imm(k.W.Lanes), all)
		k.ORQ(bits, all)
	}
	k.MOVQ(k.lane, reg.RCX)
	k.SHLQ(reg.CL, all)
	k.ORQ(all, k.Field(field))
}

// pointer is element j of a field of the argument block, which is an array of pointers.
func (f *Func) pointer(field string, j int) reg.GPVirtual {
	r := f.GP64()
	f.MOVQ(f.element(field, j), r)
	return r
}

// element is the memory of element j of an array of the block.
func (f *Func) element(field string, j int) operand.Mem {
	m := f.Field(field)
	m.Disp += 8 * j
	return m
}

// hhC are the coefficients of exp(u) - 1 = u + u²(c2 + c3 u + ...).
var hhC = [11]float64{1, 1, asm.HHC2, asm.HHC3, asm.HHC4, asm.HHC5, asm.HHC6, asm.HHC7, asm.HHC8, asm.HHC9, asm.HHC10}

// hhRates are the six rates at V, those that need it as quotients: alpha_m = mN/mD, beta_m = mB, alpha_n = nN/nD,
// beta_n = nB, alpha_h = hA, beta_h = 1/hD.
type hhRates struct{ mN, mD, mB, nN, nD, nB, hA, hD Vec }

// HHRates computes all rates from one polynomial; see kernels/hh.go.
func (b *Block) HHRates(v Vec) (r hhRates) {
	c := b.Const
	h := func(i int) Vec { return c(hhC[i]) }
	sum := func(p, q Vec) Vec { return b.FMA(p, q, b.Add(p, q)) } // p(i+j)
	u := b.Min(c(120), b.Max(c(-200), v))
	u = b.FMA(u, c(-1.0/720), c(-1.0/18))
	r.mN = b.Mul(u, c(72))
	z := b.Mul(u, u)
	even := b.FMA(z, h(10), h(8))
	odd := b.FMA(z, h(9), h(7))
	even = b.FMA(even, z, h(6))
	odd = b.FMA(odd, z, h(5))
	even = b.FMA(even, z, h(4))
	odd = b.FMA(odd, z, h(3))
	even = b.FMA(even, z, h(2))
	p1 := b.FMA(b.FMA(odd, u, even), z, u)
	p2 := sum(p1, p1)
	p4 := sum(p2, p2)
	p8 := sum(p4, p4)
	p9 := sum(p8, p1)
	p18 := sum(p9, p9)
	p36 := sum(p18, p18)
	p40 := sum(p36, p4)
	r.mD = sum(p36, p36)
	scaled := func(s float64, p Vec) Vec { return b.FMA(p, c(s), c(s)) } // s·exp
	r.mB = scaled(asm.HHBetaM, p40)
	r.hA = scaled(asm.HHAlphaH, p36)
	r.nB = scaled(asm.HHBetaN, p9)
	const e05, e15 = asm.HHE05, asm.HHE15
	r.hD = b.FMA(r.mD, c(e05), c(1+e05))
	r.nN = b.FNMA(u, c(72), c(1.5))
	s := b.FMA(r.nN, c(10.0/120), c(-10.0/24))
	s = b.FMA(s, r.nN, c(10.0/6))
	s = b.FMA(s, r.nN, c(-5))
	s = b.FMA(s, r.nN, c(10))
	near := b.Cmp(b.Abs(r.nN), LT, c(1.0/128))
	r.nD = b.Select(near, b.Mul(s, r.nN), b.FNMA(r.mD, c(10*e15), c(10-10*e15)))
	return r
}

// hhIon is the ionic part of dV/dt = a - g V at gates m, h, n.
func hhIon(b *Block, c func(j int) Vec, drive, m, h, n Vec) (a, g Vec) {
	x := b.Mul(b.Mul(m, m), b.Mul(b.Mul(m, h), c(asm.HHNa)))
	y := b.Mul(n, n)
	y = b.Mul(b.Mul(y, y), c(asm.HHK))
	return b.FMA(x, c(asm.HHENa), b.FMA(y, c(asm.HHEK), drive)), b.Add(b.Add(x, y), c(asm.HHL))
}

const strangSoft = asm.StrangSoft

// hhStrang advances the gates, then V, each by the Crank-Nicolson rule, x += dt (N - S x)/(D + S dt/2), with V's step
// lengthened.
func hhStrang(b *Block, c func(j int) Vec, drive Vec, y []Vec) []Vec {
	v, m, h, n := y[0], y[1], y[2], y[3]
	dt, half, one := c(asm.HHDt), c(asm.HHHalf), b.Const(1)
	r := b.HHRates(v)
	sm, sh, sn := b.FMA(r.mB, r.mD, r.mN), b.FMA(r.hA, r.hD, one), b.FMA(r.nB, r.nD, r.nN)
	move := func(x, s, num, den Vec) Vec {
		return b.FMA(b.Div(b.FNMA(s, x, num), b.FMA(s, half, den)), dt, x)
	}
	m = move(m, sm, r.mN, r.mD)
	h = move(h, sh, b.Sub(sh, one), r.hD)
	n = move(n, sn, r.nN, r.nD)
	return []Vec{strangVoltage(b, c, drive, v, m, h, n), m, h, n}
}

// strangVoltage is V after a step with the gates m, h, n.
func strangVoltage(b *Block, c func(j int) Vec, drive, v, m, h, n Vec) Vec {
	dt, half, one := c(asm.HHDt), c(asm.HHHalf), b.Const(1)
	a, g := hhIon(b, c, drive, m, h, n)
	z := b.Mul(g, half)
	longer := b.FMA(z, b.FMA(b.Min(one, z), b.Const(-strangSoft), one), one)
	return b.FMA(b.Div(b.FNMA(g, v, a), longer), dt, v)
}

// hhDeriv returns the derivatives instead of the states after a step.
func hhDeriv(b *Block, c func(j int) Vec, drive Vec, y []Vec) []Vec {
	v, m, h, n := y[0], y[1], y[2], y[3]
	r := b.HHRates(v)
	a, g := hhIon(b, c, drive, m, h, n)
	am, bh, an := b.Div(r.mN, r.mD), b.Div(b.Const(1), r.hD), b.Div(r.nN, r.nD)
	return []Vec{
		b.FNMA(g, v, a),
		b.FNMA(b.Add(am, r.mB), m, am),
		b.FNMA(b.Add(r.hA, bh), h, r.hA),
		b.FNMA(b.Add(an, r.nB), n, an),
	}
}

// hhRK4 is the classical method of order four.
func hhRK4(deriv hhStep) hhStep {
	return func(b *Block, c func(j int) Vec, drive Vec, y []Vec) []Vec {
		next, _, _ := rungeKutta(b, deriv, c, drive, y)
		return next
	}
}

// rungeKutta also returns dV/dt of the first and the last stage.
func rungeKutta(b *Block, deriv hhStep, c func(j int) Vec, drive Vec, y []Vec) (next []Vec, first, last Vec) {
	add := func(to, d []Vec, by Vec) []Vec { // to + by d
		r := make([]Vec, len(d))
		for j := range d {
			r[j] = b.FMA(d[j], by, to[j])
		}
		return r
	}
	d1 := deriv(b, c, drive, y)
	d2 := deriv(b, c, drive, add(y, d1, c(asm.HHHalf)))
	d3 := deriv(b, c, drive, add(y, d2, c(asm.HHHalf)))
	d4 := deriv(b, c, drive, add(y, d3, c(asm.HHDt)))
	sum := add(add(d1, d2, b.Const(2)), d3, b.Const(2))
	for j := range sum {
		sum[j] = b.Add(sum[j], d4[j])
	}
	return add(y, sum, c(asm.HHSixth)), d1[0], d4[0]
}

// relax is goal + (x - goal) exp(u).
func relax(b *Block, x, goal, u Vec) Vec {
	const lo = -0x1.6232bdd7abcd2p+9 // below it exp is subnormal
	return b.FMA(b.Sub(x, goal), b.Exp(b.Max(b.Const(lo), u)), goal)
}

// relaxGate relaxes a gate towards num/sum at the rate sum/den.
func relaxGate(b *Block, c func(j int) Vec, x, num, sum, den Vec) Vec {
	return relax(b, x, b.Div(num, sum), b.Mul(b.Div(sum, den), c(asm.HHNegDt)))
}

// hhExpEuler relaxes every variable exponentially, with the others at their state before the step.
func hhExpEuler(b *Block, c func(j int) Vec, drive Vec, y []Vec) []Vec {
	r := b.HHRates(y[0])
	a, g := hhIon(b, c, drive, y[1], y[2], y[3])
	sum := b.FMA(r.hA, r.hD, b.Const(1))
	return []Vec{
		relax(b, y[0], b.Div(a, g), b.Mul(g, c(asm.HHNegDt))),
		relaxGate(b, c, y[1], r.mN, b.FMA(r.mB, r.mD, r.mN), r.mD),
		relaxGate(b, c, y[2], b.Sub(sum, b.Const(1)), sum, r.hD),
		relaxGate(b, c, y[3], r.nN, b.FMA(r.nB, r.nD, r.nN), r.nD),
	}
}
