package kernels

import (
	"math"
	"math/bits"

	"popsim/kernels/asm"
	"popsim/model"
)

// All Hodgkin-Huxley steps compute the rates alike, without range reduction and without singularities. With
// u = -(V+40)/720 and p(k) = exp(k u) - 1 from p(i+j) = p(i) + p(j) + p(i) p(j):
//
//	exp(-(V+40)/10) = 1 + p72, exp(-(V+65)/18) ~ 1 + p40, exp(-(V+65)/20) ~ 1 + p36, exp(-(V+65)/80) ~ 1 + p9
//
// alpha_m = 72u/p72, whose numerator and denominator vanish together, and u is never exactly 0 in doubles. alpha_n =
// un/Dn with un = (V+55)/10 and Dn = 10(1 - exp(-un)), summed from its series where |un| < 1/128. Each rate is kept
// as numerator and denominator, so that a gate needs one division: alpha = N/D, and beta = b for m and n, for h
// alpha = a and beta = 1/D.
type hhRates struct{ mN, mD, mB, nN, nD, nB, hA, hD vec }

const (
	// V is clamped to this range for the rates only; beyond it they would overflow.
	hhLo, hhHi = -200.0, 120.0

	hhScale, hhShift = -1.0 / 720, -1.0 / 18
)

// hhU is u at potential v.
func hhU(v float64) float64 {
	if hhLo > v {
		v = hhLo
	}
	if hhHi < v {
		v = hhHi
	}
	return math.FMA(v, hhScale, hhShift)
}

// hhP1 is p(1) at u.
func hhP1(u float64) float64 {
	z := float64(u * u)
	even := math.FMA(z, asm.HHC10, asm.HHC8)
	odd := math.FMA(z, asm.HHC9, asm.HHC7)
	even = math.FMA(even, z, asm.HHC6)
	odd = math.FMA(odd, z, asm.HHC5)
	even = math.FMA(even, z, asm.HHC4)
	odd = math.FMA(odd, z, asm.HHC3)
	even = math.FMA(even, z, asm.HHC2)
	return math.FMA(math.FMA(odd, u, even), z, u)
}

// hhSum is p(i+j) from p(i) and p(j).
func hhSum(p, q float64) float64 { return math.FMA(p, q, p+q) }

// hhP9 and hhP72 go from p(1) to the p(k) that the rates need.
func hhP9(p1 float64) (p4, p9 float64) {
	p2 := hhSum(p1, p1)
	p4 = hhSum(p2, p2)
	return p4, hhSum(hhSum(p4, p4), p1)
}

func hhP72(p4, p9 float64) (p36, p40, p72 float64) {
	p18 := hhSum(p9, p9)
	p36 = hhSum(p18, p18)
	return p36, hhSum(p36, p4), hhSum(p36, p36)
}

// ratesM returns alpha_m = num/den and beta_m, ratesH alpha_h and beta_h = 1/den, ratesN alpha_n = num/den and beta_n,
// all in 1/ms.
func ratesM(u, p40, p72 float64) (num, den, beta float64) {
	return float64(u * 72), p72, math.FMA(p40, asm.HHBetaM, asm.HHBetaM)
}

func ratesH(p36, p72 float64) (alpha, den float64) {
	return math.FMA(p36, asm.HHAlphaH, asm.HHAlphaH), math.FMA(p72, asm.HHE05, 1+asm.HHE05)
}

func ratesN(u, p9, p72 float64) (num, den, beta float64) {
	num = math.FMA(-u, 72, 1.5)
	den = math.FMA(-p72, 10*asm.HHE15, 10-10*asm.HHE15)
	if math.Abs(num) < 1.0/128 {
		den = math.FMA(math.FMA(math.FMA(math.FMA(num, 10.0/120, -10.0/24), num, 10.0/6), num, -5), num, 10) * num
	}
	return num, den, math.FMA(p9, asm.HHBetaN, asm.HHBetaN)
}

// at sets r to the rates at v, those of n only if withN.
func (r *hhRates) at(v *vec, withN bool) {
	var u, p1, p4, p9, p36, p40, p72 vec
	for l := range u {
		u[l] = hhU(v[l])
		p1[l] = hhP1(u[l])
	}
	for l := range p1 {
		p4[l], p9[l] = hhP9(p1[l])
		p36[l], p40[l], p72[l] = hhP72(p4[l], p9[l])
	}
	for l := range u {
		r.mN[l], r.mD[l], r.mB[l] = ratesM(u[l], p40[l], p72[l])
		r.hA[l], r.hD[l] = ratesH(p36[l], p72[l])
	}
	if withN {
		for l := range u {
			r.nN[l], r.nD[l], r.nB[l] = ratesN(u[l], p9[l], p72[l])
		}
	}
}

// hhIon is the ionic part of dV/dt = a - g V at gates m, h, n, lanes at to at+7 of the block.
func hhIon(b *asm.Block, at int, drive, m, h, n, a, g *vec) {
	col := func(j int) *vec { return (*vec)(b.Coef[j][at:]) }
	na, k, leak, eNa, eK := col(asm.HHNa), col(asm.HHK), col(asm.HHL), col(asm.HHENa), col(asm.HHEK)
	for l := range a {
		x := float64(float64(m[l]*m[l]) * float64(float64(m[l]*h[l])*na[l]))
		y := float64(n[l] * n[l])
		y = float64(float64(y*y) * k[l])
		g[l] = x + y + leak[l]
		a[l] = math.FMA(x, eNa[l], math.FMA(y, eK[l], drive[l]))
	}
}

// hhCurrent is (g_L E_L + I)/C in the current step.
func hhCurrent(b *asm.Block, at int, full bool) vec {
	drive := *(*vec)(b.Coef[asm.HHDrive][at:])
	if full {
		steadyVoltage(b, at, asm.HHI, asm.HHGain, asm.HHPerC, asm.HHLeak, &drive)
	}
	return drive
}

var hhSources = []string{
	asm.HHNa: "g_Na C", asm.HHK: "g_K C", asm.HHL: "g_L C", asm.HHENa: "E_Na", asm.HHEK: "E_K", asm.HHDrive: "g_L E_L I C",
	asm.HHDt: "", asm.HHHalf: "", asm.HHSixth: "", asm.HHNegDt: "", asm.HHVTh: "V_th", asm.HHRearm: "V_th",
	asm.HHSum:   "n_plus_h",
	asm.HHShift: "V_T", asm.HHPerC: "C", asm.HHLeak: "g_L E_L C", asm.HHI: "I", asm.HHGain: "gain", asm.HHCut: "",
}

func foldHH(p []float64, i, gain, dt float64, c []float64) {
	q := model.HHOf(p)
	c[asm.HHNa], c[asm.HHK], c[asm.HHL] = q.GNa/q.C, q.GK/q.C, q.GL/q.C
	c[asm.HHENa], c[asm.HHEK] = q.ENa, q.EK
	c[asm.HHPerC], c[asm.HHLeak] = 1/q.C, float64(q.GL*q.EL)/q.C
	c[asm.HHI], c[asm.HHGain] = i, gain
	c[asm.HHDrive] = math.FMA(c[asm.HHPerC], i, c[asm.HHLeak])
	c[asm.HHVTh], c[asm.HHRearm] = q.VTh, q.VTh-model.Rearm
	if len(p) > 8 {
		c[asm.HHSum] = p[8]
	}
	c[asm.HHCut] = cutAt
	hhStepSize(dt, c)
}

// hhStepSize sets the coefficients that are functions of dt alone.
func hhStepSize(dt float64, c []float64) {
	c[asm.HHDt], c[asm.HHHalf], c[asm.HHSixth], c[asm.HHNegDt] = dt, dt/2, dt/6, -dt
}

// armed is the level whose upward crossing is the next spike of a neuron at v: none while it is above V_th already.
func armed(v, vTh float64) float64 {
	if v >= vTh {
		return math.Inf(1)
	}
	return vTh
}

func hhEnter(s *Shard, i int, _ int64, y []float64) {
	for j := range y {
		s.Y[j][i] = y[j]
	}
	s.Level[i] = armed(y[0], s.coef(asm.HHVTh, i))
}

// arm re-arms the lanes that fell below their re-arming level and returns the mask of those that crossed their level
// upwards; lanes in skip are left alone.
func arm(b *asm.Block, at int, next *vec, skip uint64) (crossed uint64) {
	level, vTh, rearm := (*vec)(b.Level[at:]), (*vec)(b.Coef[asm.HHVTh][at:]), (*vec)(b.Coef[asm.HHRearm][at:])
	for l := range next {
		if skip>>(at+l)&1 != 0 {
			continue
		}
		if next[l] < rearm[l] {
			level[l] = vTh[l]
		}
		if next[l] >= level[l] {
			crossed |= 1 << (at + l)
		}
	}
	return crossed
}

// hhFast makes a fast step; see asm.Block.
func hhFast(states int, method hhMethod) func(b *asm.Block, full bool) {
	return func(b *asm.Block, full bool) {
		var y, next [4]vec
		for ; b.Step < b.Steps; b.Step++ {
			for b.Lane < b.Lanes {
				at := b.Lane
				for j := range states {
					y[j] = *(*vec)(b.Y[j][at:])
				}
				drive := hhCurrent(b, at, full)
				method.advance(b, at, &drive, &y, &next)
				crossed := arm(b, at, &next[0], 0)
				if full {
					extremes(b, at, &next[0], &y[0], 0)
				}
				b.Lane += len(next[0])
				for j := range states {
					*(*vec)(b.Y[j][at:]) = next[j]
				}
				if crossed != 0 {
					for j := range states {
						*(*vec)(b.Scratch.Before[j][at:]) = y[j]
					}
					b.HandBack(crossed)
					return
				}
			}
			b.Lane = 0
		}
		b.InEvent = 0
	}
}

// slopes returns dV/dt of lane l before and after a step, from the states there.
type slopes func(b *asm.Block, l int, drive float64, old, now *[4]float64) (before, after float64)

// hhScheme is a scheme of HH or RHH whose event step locates the crossing found by the fast step, from the slopes sense
// returns. Without sense a spike is at the end of its step.
func hhScheme(states int, sense slopes, method hhMethod) scheme {
	fast := hhFast(states, method)
	return scheme{
		sources: hhSources, firstDriven: asm.HHPerC, fold: foldHH, enter: hhEnter, sync: columnsSync,
		finish: func(w *Worker, _ *Shard, g int, events []Event) []Event {
			b := &w.b
			for inEvent := b.InEvent; inEvent != 0; inEvent &= inEvent - 1 {
				l := bits.TrailingZeros64(inEvent)
				b.Level[l] = math.Inf(1)
				theta := 1.0
				if sense != nil {
					for j := range states {
						w.before[j], w.after[j] = b.Scratch.Before[j][l], b.Y[j][l]
					}
					theta = w.crossing(b, l, w.hhDrive(b, l), sense)
				}
				events = append(events, Event{int32(g + l), int32(b.Step), theta})
			}
			return events
		},
		free:   func(b *asm.Block) { fast(b, false) },
		driven: func(b *asm.Block) { fast(b, true) },
	}
}

// hhDrive is (g_L E_L + I)/C of lane l of b in the current step.
func (w *Worker) hhDrive(b *asm.Block, l int) float64 {
	if w.full {
		return math.FMA(b.Coef[asm.HHPerC][l], current(b, l, asm.HHI, asm.HHGain), b.Coef[asm.HHLeak][l])
	}
	return b.Coef[asm.HHDrive][l]
}

// crossing is the part of the step at which lane l of b crossed V_th between the states w.before and w.after, on the
// cubic through V and dV/dt at both ends.
func (w *Worker) crossing(b *asm.Block, l int, drive float64, sense slopes) float64 {
	d0, d1 := sense(b, l, drive, &w.before, &w.after)
	dt := b.Coef[asm.HHDt][l]
	return hermite(w.before[0], w.after[0], float64(dt*d0), float64(dt*d1)).crossing(b.Coef[asm.HHVTh][l])
}

// hhStrang splits V from the gates (Strang) and advances each by the Crank-Nicolson rule, which preserves every
// equilibrium. The two half steps of the gates that meet between steps are taken as one, so the columns hold the gates
// half a step behind V; State and Enter shift them.
var hhStrang = func() scheme {
	s := hhScheme(4, strangSlopes, hhStrangMethod)
	s.enter = func(s *Shard, i int, _ int64, y []float64) {
		behind := [4]float64(y)
		shiftGates(s.Dt, -0.5, behind[:])
		hhEnter(s, i, 0, behind[:])
	}
	s.sync = func(s *Shard, i int, k int64, y []float64) {
		columnsSync(s, i, k, y)
		shiftGates(s.Dt, 0.5, y)
	}
	return s
}()

// strangSlopes extrapolates the gates, which the columns hold half a step before V, to both ends of the step.
func strangSlopes(b *asm.Block, l int, drive float64, old, now *[4]float64) (before, after float64) {
	var mid, end [4]float64
	for j := 1; j < len(mid); j++ {
		half := float64(0.5 * (now[j] - old[j]))
		mid[j], end[j] = old[j]+half, now[j]+half
	}
	mid[0], end[0] = old[0], now[0]
	return hhSlopes(b, l, drive, &mid, &end)
}

// shiftGates advances the gates of y by part of a step of dt ms at constant V.
func shiftGates(dt, part float64, y []float64) {
	var x [4]vec
	for j := range y {
		x[j][0] = y[j]
	}
	gates(&x, &x, part*dt, 0.5*part*dt)
	for j := range y {
		y[j] = x[j][0]
	}
}

// gates advances m, h and n by d ms at the potential y[0]; d2 is d/2:
//
//	x → x + d (N - S x)/(D + S d/2),   S = N + beta D,   alpha + beta = S/D
func gates(y, next *[4]vec, d, d2 float64) {
	var r hhRates
	r.at(&y[0], true)
	m, h, n := &y[1], &y[2], &y[3]
	for l := range m {
		sum := math.FMA(r.mB[l], r.mD[l], r.mN[l])
		next[1][l] = math.FMA(math.FMA(-sum, m[l], r.mN[l])/math.FMA(sum, d2, r.mD[l]), d, m[l])
	}
	for l := range h {
		sum := math.FMA(r.hA[l], r.hD[l], 1)
		next[2][l] = math.FMA(math.FMA(-sum, h[l], sum-1)/math.FMA(sum, d2, r.hD[l]), d, h[l])
	}
	for l := range n {
		sum := math.FMA(r.nB[l], r.nD[l], r.nN[l])
		next[3][l] = math.FMA(math.FMA(-sum, n[l], r.nN[l])/math.FMA(sum, d2, r.nD[l]), d, n[l])
	}
}

func strangStep(b *asm.Block, at int, drive *vec, y, next *[4]vec) {
	dt, half := b.Coef[asm.HHDt][at], b.Coef[asm.HHHalf][at]
	gates(y, next, dt, half)
	var a, g vec
	hhIon(b, at, drive, &next[1], &next[2], &next[3], &a, &g)
	v := &y[0]
	for l := range v {
		z := float64(g[l] * half)
		near := z
		if near > 1 {
			near = 1
		}
		next[0][l] = math.FMA(math.FMA(-g[l], v[l], a[l])/math.FMA(z, math.FMA(near, -strangSoft, 1), 1), dt, v[l])
	}
}

// strangSoft makes the Crank-Nicolson step of V, (a - g V) h/(1 + z), z = g h/2, a little longer: (a - g V) h/(1 + z (1
// - z/9)). The order stays 2, but most of the splitting error in the upstroke cancels: with the value fitted to spike
// times over conductances and reversal potentials around those of the squid, the error falls to a third. The term is
// bounded beyond z = 1, so that the step is stable for any conductance.
const strangSoft = asm.StrangSoft

// hhSlopes is dV/dt of HH, mV/ms, at the states at both ends of a step.
func hhSlopes(b *asm.Block, l int, drive float64, old, now *[4]float64) (before, after float64) {
	start := hhDeriv(b, l, drive, hhState{old[0], old[1], old[2], old[3]})
	end := hhDeriv(b, l, drive, hhState{now[0], now[1], now[2], now[3]})
	return start.v, end.v
}

// hhRK4 is the classical fourth-order method.
var hhRK4 = hhScheme(4, hhSlopes, hhRK4Method)

func hhRK4Step(b *asm.Block, at int, drive *vec, y, next *[4]vec) {
	dt, half, sixth := b.Coef[asm.HHDt][at], b.Coef[asm.HHHalf][at], b.Coef[asm.HHSixth][at]
	for l := range drive {
		x := hhState{y[0][l], y[1][l], y[2][l], y[3][l]}
		deriv := func(x hhState) hhState { return hhDeriv(b, at+l, drive[l], x) }
		d := deriv(x)
		sum := d
		d = deriv(x.plus(half, d))
		sum = sum.plus(2, d)
		d = deriv(x.plus(half, d))
		sum = sum.plus(2, d)
		d = deriv(x.plus(dt, d))
		x = x.plus(sixth, hhState{sum.v + d.v, sum.m + d.m, sum.h + d.h, sum.n + d.n})
		next[0][l], next[1][l], next[2][l], next[3][l] = x.v, x.m, x.h, x.n
	}
}

// hhState is the state of one neuron, or its derivative.
type hhState struct{ v, m, h, n float64 }

// plus is y + r d.
func (y hhState) plus(r float64, d hhState) hhState {
	return hhState{math.FMA(d.v, r, y.v), math.FMA(d.m, r, y.m), math.FMA(d.h, r, y.h), math.FMA(d.n, r, y.n)}
}

// hhDeriv is the derivative (per ms) of the state y of lane l. It computes one neuron at a time, whose four stages stay
// in registers; this is faster here than eight side by side as in the other steps.
func hhDeriv(b *asm.Block, l int, drive float64, y hhState) hhState {
	c, i := b.Coef, uint(l)%Group
	u := hhU(y.v)
	p4, p9 := hhP9(hhP1(u))
	p36, p40, p72 := hhP72(p4, p9)
	num, den, beta := ratesM(u, p40, p72)
	alpha := num / den
	dm := math.FMA(-(alpha + beta), y.m, alpha)
	alpha, den = ratesH(p36, p72)
	dh := math.FMA(-(alpha + 1/den), y.h, alpha)
	num, den, beta = ratesN(u, p9, p72)
	alpha = num / den
	dn := math.FMA(-(alpha + beta), y.n, alpha)
	na := float64(float64(y.m*y.m) * float64(float64(y.m*y.h)*c[asm.HHNa][i]))
	k := float64(y.n * y.n)
	k = float64(float64(k*k) * c[asm.HHK][i])
	a := math.FMA(na, c[asm.HHENa][i], math.FMA(k, c[asm.HHEK][i], drive))
	return hhState{math.FMA(-(na + k + c[asm.HHL][i]), y.v, a), dm, dh, dn}
}

// hhExpEuler is the method of Rush and Larsen: every variable relaxes exponentially, with the others at their state
// before the step.
var hhExpEuler = hhScheme(4, nil, hhExpEulerMethod)

func hhExpEulerStep(b *asm.Block, at int, drive *vec, y, next *[4]vec) {
	var r hhRates
	var a, g vec
	r.at(&y[0], true)
	hhIon(b, at, drive, &y[1], &y[2], &y[3], &a, &g)
	negDt := b.Coef[asm.HHNegDt][at]
	for l := range a {
		next[1][l] = relaxGate(y[1][l], r.mN[l], math.FMA(r.mB[l], r.mD[l], r.mN[l]), r.mD[l], negDt)
		sum := math.FMA(r.hA[l], r.hD[l], 1)
		next[2][l] = relaxGate(y[2][l], sum-1, sum, r.hD[l], negDt)
		next[3][l] = relaxGate(y[3][l], r.nN[l], math.FMA(r.nB[l], r.nD[l], r.nN[l]), r.nD[l], negDt)
		next[0][l] = relaxTo(y[0][l], a[l]/g[l], float64(g[l]*negDt))
	}
}

// relaxGate moves a gate towards num/sum at the rate sum/den.
func relaxGate(x, num, sum, den, negDt float64) float64 {
	return relaxTo(x, num/sum, float64(sum/den*negDt))
}

// relaxTo moves x towards goal; the fraction exp(u) of the distance remains.
func relaxTo(x, goal, u float64) float64 {
	if u < expLo {
		u = expLo
	}
	return math.FMA(x-goal, expNormal(u), goal)
}
