package kernels

import (
	"math"

	"popsim/kernels/asm"
	"popsim/model"
)

// The flow method for EIF and AdEx. In y = exp(-(V-V_T)/delta_T) the upstroke is almost a straight line,
//
//	dy/dt = -1/tau - A y,   A = (R I - R w - (V - V_rest))/(tau delta_T),
//
// and with the drift A frozen over a step of h it is solved exactly: V gains delta_T (z - ln(1 - x)) with z = A h and
// x = g phi(z), g = (h/tau) exp((V-V_T)/delta_T), phi(z) = (exp(z)-1)/z. A spike is where y falls to its value at V_th.
//
// A is frozen at the mean of V and of w over the step, and what its change over the step adds is kept to third order.
// With z0 of the state before the step, the mean gain of V is at first
//
//	delta_T (z0 + g) m(g),   m(g) = 1/2 + g/6 + ...,
//
// which gives a first z. The change t = z - z0 is that of A: it raises the mean by delta_T t/3 and the weight of the
// exponential by the factor 1 - t (1/6 + g/12). All this vanishes at an equilibrium (z0 = -g, t = 0), so that
// equilibria are fixed points. Close to a spike V goes like -delta_T ln(t* - t) whatever the step; there m must be (1 +
// (1-g) ln(1-g)/g)/g, which a polynomial fits up to g = 1, and the factor is fitted likewise. w relaxes exactly towards
// a (V - V_rest) at the mean of V. In the upstroke (x > flowUpstroke) that mean is taken from upstrokeMean instead of
// the polynomial: an error of m shifts the spike at second order only, but it would remain in w at first order. The
// motion of V during the step shifts the mean of w by -a (h/tau_w)/6 and its end by a (h/tau_w)²/6 times the mean gain
// of V. Spikes are located by upstroke.spike; resets and refractoriness keep the order.

// flowSources names the parameters each coefficient depends on, for AdEx; those of EIF are a subset.
var flowSources = []string{
	asm.FlowSlope: "delta_T", asm.FlowShift: "tau V_T delta_T", asm.FlowC: "tau delta_T", asm.FlowDrive: "V_rest R I " +
		"tau delta_T",
	asm.FlowRC: "R tau delta_T", asm.FlowRest: "V_rest tau delta_T", asm.FlowI: "I", asm.FlowGain: "gain",
	asm.FlowDeltaT: "delta_T", asm.FlowVTh: "V_th", asm.FlowVReset: "V_reset", asm.FlowB: "b", asm.FlowHold: "t_ref",
	asm.FlowHoldPart: "t_ref", asm.FlowSinkW: "R tau delta_T tau_w", asm.FlowSinkV: "a R tau delta_T tau_w",
	asm.FlowSink: "a V_rest R tau delta_T tau_w", asm.FlowSlow: "a R tau tau_w", asm.FlowFall: "a R tau tau_w",
	asm.FlowWSink: "R tau delta_T tau_w", asm.FlowWGain: "a delta_T tau_w", asm.FlowA: "a", asm.FlowAVRest: "a V_rest",
	asm.FlowS: "tau_w", asm.FlowGrow0: "tau V_T delta_T V_reset",
}

var (
	eifFlow = scheme{
		sources: flowSources, firstDriven: asm.FlowRest, fold: foldEIF, enter: flowEnter, sync: flowSync,
		finish: eachLane(func(w *Worker, s *Shard, g, l int, events []Event) []Event {
			return flowEventStep(w, s, g, l, flowStep, events)
		}),
		free:   func(b *asm.Block) { flowGeneric(b, false, false) },
		driven: func(b *asm.Block) { flowGeneric(b, false, true) },
	}
	adexFlow = scheme{
		sources: flowSources, firstDriven: asm.FlowRest, fold: foldAdEx, enter: flowEnter, sync: flowSync,
		finish: eifFlow.finish,
		free:   func(b *asm.Block) { flowGeneric(b, true, false) },
		driven: func(b *asm.Block) { flowGeneric(b, true, true) },
	}
)

func foldEIF(p []float64, i, gain, dt float64, c []float64) { foldFlow(eifOf(p), i, gain, dt, c) }

func foldAdEx(p []float64, i, gain, dt float64, c []float64) {
	foldFlow(model.AdExOf(p), i, gain, dt, c)
}

// eifOf is EIF as an AdEx without adaptation.
func eifOf(p []float64) model.AdEx {
	q := model.EIFOf(p)
	return model.AdEx{
		VRest: q.VRest, VReset: q.VReset, VTh: q.VTh, VT: q.VT, DeltaT: q.DeltaT, R: q.R, Tau: q.Tau, TRef: q.TRef,
		TauW: math.Inf(1),
	}
}

func foldFlow(q model.AdEx, i, gain, dt float64, c []float64) {
	foldExponential(q, i, gain, dt, q.DeltaT, c)
	q1, s := dt/q.Tau, dt/q.TauW
	mean, end := relaxed(s)
	c[asm.FlowHold], c[asm.FlowHoldPart] = wholeSteps(q.TRef, dt)
	c[asm.FlowA], c[asm.FlowAVRest], c[asm.FlowS] = q.A, -float64(q.A*q.VRest), s
	c[asm.FlowGrow0] = exp2Near(max(math.FMA(q.VReset, c[asm.FlowSlope], c[asm.FlowShift]), exp2Lo))
	sink := c[asm.FlowRC] * mean
	c[asm.FlowSinkW], c[asm.FlowSinkV], c[asm.FlowSink] = -sink, float64(sink*q.A), -float64(sink*q.A)*q.VRest
	c[asm.FlowSlow], c[asm.FlowFall] = math.FMA(q.A*q.R, mean, 1)*q1, math.FMA(q.A*q.R, mean-s/6, 1)*q1
	c[asm.FlowWGain] = q.A * q.DeltaT * math.FMA(s, s/6, end)
	if mean > 0 {
		c[asm.FlowWSink] = end / sink
	}
}

// foldExponential sets the coefficients that flow, rk4 and euler share. Changes of V are in multiples of unit, mV.
func foldExponential(q model.AdEx, i, gain, dt, unit float64, c []float64) {
	per := dt / (q.Tau * unit)
	c[asm.FlowSlope] = log2e / q.DeltaT
	c[asm.FlowShift] = log2(dt*q.DeltaT/(q.Tau*unit)) - float64(q.VT*log2e)/q.DeltaT
	c[asm.FlowC], c[asm.FlowRC], c[asm.FlowRest] = per, q.R*per, q.VRest*per
	c[asm.FlowDrive] = math.FMA(c[asm.FlowRC], i, c[asm.FlowRest]) // as with a waveform
	c[asm.FlowI], c[asm.FlowGain] = i, gain
	c[asm.FlowDeltaT], c[asm.FlowVTh], c[asm.FlowVReset], c[asm.FlowB] = q.DeltaT, q.VTh, q.VReset, q.B
}

// relaxed is the share of its distance to equilibrium that a variable has covered after relaxing for s time constants:
// the mean over that time, 1 - (1-exp(-s))/s, and the value at its end, 1 - exp(-s); errors at most 32 and 2.2 ulp. For
// small s, where these would cancel, it sums the series of (exp(-s)-1+s)/s².
func relaxed(s float64) (mean, end float64) {
	if s < 1.0/16 {
		ss := float64(s * s)
		even := math.FMA(ss, math.FMA(ss, math.FMA(ss, math.FMA(ss, 1.0/3628800, 1.0/40320), 1.0/720), 1.0/24), 1.0/2)
		odd := math.FMA(ss, math.FMA(ss, math.FMA(ss, -1.0/362880, -1.0/5040), -1.0/120), -1.0/6)
		mean = s * math.FMA(odd, s, even)
		return mean, math.FMA(-s, mean, s)
	}
	end = -Expm1(-s)
	return 1 - end/s, end
}

// flowEnter sets lane i to state y at step k. While V is held, column w is ahead of time by the part of step Wake
// before V moves, so that the fast step needs no special case; flowSync takes it back.
func flowEnter(s *Shard, i int, k int64, y []float64) {
	for j := range s.Y {
		s.Y[j][i] = y[j]
	}
	s.Wake[i], s.Rem[i] = float64(k), 1
}

func flowSync(s *Shard, i int, k int64, y []float64) {
	for j := range s.Y {
		y[j] = s.Y[j][i]
	}
	if len(s.Y) > 1 && s.Wake[i] >= float64(k) && s.Rem[i] < 1 && !math.IsInf(s.Wake[i], 1) {
		wInf := math.FMA(s.coef(asm.FlowA, i), y[0], s.coef(asm.FlowAVRest, i))
		y[1] = math.FMA(Exp((1-s.Rem[i])*s.coef(asm.FlowS, i)), y[1]-wInf, wInf)
	}
}

// flowX bounds x and |z| in the fast step: beyond it phi and logTerm are not accurate enough, and at x = 1 the frozen
// flow blows up within the step.
const flowX = asm.FlowLimit

// flowUpstroke is the x above which the polynomial m(g) is not accurate enough for w, in which its error would remain.
const flowUpstroke = asm.FlowUpstroke

// phi is (exp(z)-1)/z up to z⁴. The remainder, z⁵/720, is 1.4e-8 at |z| = 0.1 and 1e-3 at flowX. Since the drift is
// frozen anyway, this shifts spikes by less than a thousandth of their error.
func phi(z float64) float64 {
	return math.FMA(math.FMA(math.FMA(math.FMA(z, 1.0/120, 1.0/24), z, 1.0/6), z, 1.0/2), z, 1)
}

// flowGeneric is the fast step of the flow method; see asm.Block. It is one function because divided by stages it took
// a fifth longer.
func flowGeneric(b *asm.Block, adapt, full bool) {
	col := func(j, at int) *vec { return (*vec)(b.Coef[j][at:]) }
	still := new(vec) // w of EIF
	for ; b.Step < b.Steps; b.Step++ {
		k := b.First + float64(b.Step)
		for b.Lane < b.Lanes {
			at := b.Lane
			v, w, wake := (*vec)(b.Y[0][at:]), still, (*vec)(b.Wake[at:])
			if adapt {
				w = (*vec)(b.Y[1][at:])
			}
			drive := *col(asm.FlowDrive, at)
			if full {
				steadyVoltage(b, at, asm.FlowI, asm.FlowGain, asm.FlowRC, asm.FlowRest, &drive)
			}

			// The drift before the step and what the exponential adds to it.
			var z, grow, next, nextW vec
			c, rc := col(asm.FlowC, at), col(asm.FlowRC, at)
			slope, shift := col(asm.FlowSlope, at), col(asm.FlowShift, at)
			for l := range z {
				z[l] = math.FMA(-c[l], v[l], drive[l])
				if adapt {
					z[l] = math.FMA(-rc[l], w[l], z[l])
				}
				u := math.FMA(v[l], slope[l], shift[l])
				if u < exp2Lo {
					u = exp2Lo
				}
				grow[l] = u
			}
			exp2NearVec(&grow)
			var gain, half, slower, sink vec
			sinkW, sinkV, sink0 := col(asm.FlowSinkW, at), col(asm.FlowSinkV, at), col(asm.FlowSink, at)
			slow, fall := col(asm.FlowSlow, at), col(asm.FlowFall, at)
			for l := range gain {
				g := grow[l]
				half[l] = meanGain(g)
				first := float64((z[l] + g) * half[l])
				slower[l] = float64(slow[l] * first) // -t
				if adapt {
					sink[l] = math.FMA(sinkV[l], v[l], math.FMA(sinkW[l], w[l], sink0[l]))
					slower[l] = math.FMA(slow[l], first, sink[l])
				}
				gain[l] = math.FMA(-1.0/3, slower[l], first)
				grow[l] = float64(g * math.FMA(slower[l], math.FMA(g, 1.0/12, 1.0/6), 1))
				if adapt {
					z[l] -= sink[l]
				}
				z[l] = math.FMA(-fall[l], gain[l], z[l])
			}
			var logTerms vec
			for l := range logTerms {
				grow[l] = float64(grow[l] * phi(z[l]))
				logTerms[l] = logTerm(grow[l])
			}
			if adapt {
				wSink, wGain := col(asm.FlowWSink, at), col(asm.FlowWGain, at)
				for l := range nextW {
					if x := grow[l]; x > flowUpstroke {
						gain[l] = upstrokeMean(x, logTerms[l], z[l], slower[l], half[l])
					}
					if wake[l] > k {
						gain[l] = 0
					}
					nextW[l] = math.FMA(wGain[l], gain[l], math.FMA(wSink[l], sink[l], w[l]))
				}
			}
			deltaT := col(asm.FlowDeltaT, at)
			vTh := col(asm.FlowVTh, at)
			inEvent := uint64(0)
			for l := range next {
				next[l] = math.FMA(deltaT[l], math.FMA(grow[l], logTerms[l], z[l]), v[l])
				held := wake[l] > k
				if !held && (!(grow[l] < flowX) || !(math.Abs(z[l]) < flowX) || !(next[l] < vTh[l]) || wake[l] == k) {
					inEvent |= 1 << (at + l)
				}
				if held {
					next[l] = v[l]
				}
			}
			if full {
				extremes(b, at, &next, v, inEvent)
			}
			b.Lane += len(next)
			if inEvent != 0 {
				*(*vec)(b.Scratch.Before[0][at:]) = *v
				if adapt {
					*(*vec)(b.Scratch.Before[1][at:]) = *w
				}
			}
			*v = next
			if adapt {
				*w = nextW
			}
			if inEvent != 0 {
				b.HandBack(inEvent)
				return
			}
		}
		b.Lane = 0
	}
	b.InEvent = 0
}

// Coefficients of m(g); the last three are a fit by least squares of the error of g m(g) over g², 0 ≤ g ≤ 1.
const mean0, mean1, mean2, mean3, mean4 = asm.FlowMean0, asm.FlowMean1, asm.FlowMean2, asm.FlowMean3, asm.FlowMean4

// meanGain is m(g): see above.
func meanGain(g float64) float64 {
	return math.FMA(math.FMA(math.FMA(math.FMA(g, mean4, mean3), g, mean2), g, mean1), g, mean0)
}

// upstrokeMean is the mean gain of V in an upstroke, V going like delta_T (z t/h - ln(1 - x t/h)): 1 + (1-x) ln(1-x)/x,
// where l is logTerm(x), with the effect of z on it to first order; m is meanGain. The drift falls with V, so mostly at
// the end of the step: a change of -slower in its mean adds slower/4 to the mean gain at given z and x, where an even
// change would add a sixth.
func upstrokeMean(x, l, z, slower, m float64) float64 {
	return math.FMA(slower, 0.25, math.FMA(z, math.FMA(-0.5, m, 0.75), math.FMA(-(1-x), l, 1)))
}

// logTerm is -ln(1-x)/x for 0 ≤ x < flowX. Its relative error is 1e-12 up to x = 0.01, where equilibria lie, 2e-9 at
// 0.1, and beyond that such that the time left to the blow-up, h (1-x)/x, is right to 2e-5 h/x. It is a ratio of
// polynomials with the same first coefficient, fitted by least squares whose weights were iterated until all extremes
// of the error were equal; the last coefficient of Q is 1.
func logTerm(x float64) float64 {
	p := math.FMA(math.FMA(math.FMA(logTermP3, x, logTermP2), x, logTermP1), x, logTerm0)
	return p / math.FMA(math.FMA(math.FMA(x+logTermQ3, x, logTermQ2), x, logTermQ1), x, logTerm0)
}

const (
	logTerm0                        = asm.FlowLog0
	logTermP1, logTermP2, logTermP3 = asm.FlowLogP1, asm.FlowLogP2, asm.FlowLogP3
	logTermQ1, logTermQ2, logTermQ3 = asm.FlowLogQ1, asm.FlowLogQ2, asm.FlowLogQ3
)

// upstroke has the coefficients of one lane of EIF or AdEx by name, with the current of the current step in drive. Its
// times are parts of a step.
type upstroke struct {
	slope, shift, c, drive, rc, deltaT, vTh, vReset, b, hold, holdPart, a, aRest, s, grow0 float64
}

// load sets u to lane l of the current group.
func (u *upstroke) load(w *Worker, l int) {
	b := &w.b
	c := b.Coef
	l &= asm.Group - 1
	u.slope, u.shift, u.c, u.drive = c[asm.FlowSlope][l], c[asm.FlowShift][l], c[asm.FlowC][l], c[asm.FlowDrive][l]
	u.rc, u.deltaT, u.vTh, u.vReset = c[asm.FlowRC][l], c[asm.FlowDeltaT][l], c[asm.FlowVTh][l], c[asm.FlowVReset][l]
	u.b, u.hold, u.holdPart = c[asm.FlowB][l], c[asm.FlowHold][l], c[asm.FlowHoldPart][l]
	u.a, u.aRest, u.s, u.grow0 = c[asm.FlowA][l], c[asm.FlowAVRest][l], c[asm.FlowS][l], c[asm.FlowGrow0][l]
	if w.full {
		u.drive = math.FMA(u.rc, current(b, l, asm.FlowI, asm.FlowGain), c[asm.FlowRest][l])
	}
}

// grow is g of a whole step from v.
func (u *upstroke) grow(v float64) float64 {
	return exp2Near(max(math.FMA(v, u.slope, u.shift), exp2Lo))
}

// drift is z of a whole step at v and w.
func (u *upstroke) drift(v, w float64) float64 { return math.FMA(-u.rc, w, math.FMA(-u.c, v, u.drive)) }

// toW is the distance of w from its steady value a (V - V_rest) at v.
func (u *upstroke) toW(v, w float64) float64 { return math.FMA(u.a, v, u.aRest) - w }

// relax moves w for part of a step towards its steady value at potential v.
func (u *upstroke) relax(v, w, part float64) float64 {
	_, end := relaxed(part * u.s)
	return math.FMA(end, u.toW(v, w), w)
}

// flowStep advances v and w by part of a step, or to the spike if there is one; g is that of a whole step from v. after
// is the time to the spike, or part.
func flowStep(u *upstroke, v, w, g, part float64) (nextV, nextW, after float64, spike bool) {
	if v >= u.vTh {
		return v, w, 0, true
	}
	if g < flowLikely {
		if nextV, nextW = u.smooth(v, w, g, part); nextV < u.vTh {
			return nextV, nextW, part, false
		}
		if g < flowFaint || part*u.drift(v, w) > flowSteep {
			return u.steep(v, w, part)
		}
		if !(nextV >= u.vTh) { // NaN stays NaN
			return nextV, nextW, part, false
		}
	}
	until, gain := u.spike(v, w, g)
	if !(until < part) {
		if nextV, nextW = u.smooth(v, w, g, part); !(nextV >= u.vTh) {
			return nextV, nextW, part, false
		}
		until = part
	}
	return u.vTh, u.relax(v+gain, w, until), until, true
}

// flowLikely is the g above which a lane in an event step most likely spikes, so that the spike is searched for first.
const flowLikely = asm.FlowLikely

// smooth is the step of flowGeneric for part of a step and any drift; nextV is infinite if V blows up within it.
func (u *upstroke) smooth(v, w, g, part float64) (nextV, nextW float64) {
	s, rc, a := part*u.s, part*u.rc, float64(u.a*u.deltaT)
	half, end := relaxed(s)
	g = float64(g * part)
	near := min(g, 1)
	mean := meanGain(near)
	toW := u.toW(v, w)
	sink := float64(float64(rc*half) * toW)
	slow := math.FMA(float64(rc*half), a, float64(part*u.c)*u.deltaT)
	z := float64(part * u.drift(v, w))
	first := (z + g) * mean
	slower := math.FMA(slow, first, sink)
	gain := math.FMA(-1.0/3, slower, first)
	sixth := float64(s * (1.0 / 6))
	z = math.FMA(-gain, math.FMA(-float64(rc*a), sixth, slow), z-sink)
	x := float64(float64(g*math.FMA(slower, math.FMA(near, 1.0/12, 1.0/6), 1)) * phiOf(z))
	if x >= 1 {
		return math.Inf(1), w
	}
	l := logTermOf(x)
	if x > flowUpstroke {
		gain = upstrokeMean(x, l, z, slower, mean)
	}
	nextW = math.FMA(float64(a*math.FMA(s, sixth, end)), gain, math.FMA(end, toW, w))
	return math.FMA(u.deltaT, math.FMA(x, l, z), v), nextW
}

// phiOf is phi for all z, logTermOf is logTerm for all x < 1; for negative x logTerm is right to 3e-6.
func phiOf(z float64) float64 {
	if math.Abs(z) < flowX {
		return phi(z)
	}
	return Expm1(z) / z
}

func logTermOf(x float64) float64 {
	if -0.4 < x && x < flowX {
		return logTerm(x)
	}
	return -Log1p(-x) / x
}

// spike is the time from v to V_th, and the mean of what V gains until then; NaN where V does not get there. With y = 1
// at v and p at V_th, y falls by dy/dt = -z y - g, z being the drift at the mean that counts, which is weighted with y:
// for an even fall V has gained delta_T (1/2 + p² ln p/(1-p²)) there, and (1+2p)/(3+3p) of the time has passed.
func (u *upstroke) spike(v, w, g float64) (until, gain float64) {
	rise := (u.vTh - v) * float64(u.slope*math.Ln2) // -ln p
	p := float64(g * exp2Near(max(-math.FMA(u.vTh, u.slope, u.shift), exp2Lo)))
	fall := 1 - p
	if rise < 1.0/64 { // 1 - p has lost its digits
		fall = float64(rise * math.FMA(rise, math.FMA(rise, 1.0/6, -0.5), 1))
		p = 1 - fall
	}
	lost, both := rise*p/fall, 1/(1+p)
	early := v + float64(u.deltaT*(0.5-float64(float64(lost*p)*both)))
	passed := min(fall/g, 1) * float64(math.FMA(p, 2.0/3, 1.0/3)*both)
	z := u.drift(early, math.FMA(float64(u.s*passed), u.toW(early, w), w))
	per := fall / math.FMA(z, p, g)
	until = per * logTermOf(-float64(z*per))
	return until, float64(u.deltaT*(1-lost)) * math.FMA(z, until/4, 1)
}

// Where V would rise by more than flowSteep delta_T in the rest of a step, or g is less than flowFaint, the
// exponentials of spike leave the range of float64; steep takes its place. Only lanes that the assembly leaves to Go
// come there.
const (
	flowSteep = 32
	flowFaint = 0x1p-500
)

// steep is flowStep where delta_T is small beside what V rises by in a step. As long as V is below
// V_T - 16 delta_T, and below V_th, the exponential is left out, which moves the spike by less than 1e-14 tau: V then
// relaxes as in LIF, with w at its mean. From there on the drift is frozen, as in spike.
func (u *upstroke) steep(v, w, part float64) (nextV, nextW, after float64, spike bool) {
	q := float64(u.c * u.deltaT) // dt/tau
	if from := min(u.vTh, (log2(q)-16*log2e-u.shift)/u.slope); v < from {
		until := u.linear(v, w, part, from, q)
		if !(until < part) { // V does not get there
			mean := u.relax(v, w, part/2)
			_, end := relaxed(part * q)
			nextV = math.FMA(end, float64(u.drift(v, mean)*u.deltaT)/q, v)
			return min(nextV, from), u.relax(v+float64(0.5*(nextV-v)), w, part), part, false
		}
		v, w, after = from, u.relax(v+float64(0.5*(from-v)), w, until), until
		if v >= u.vTh {
			return v, w, after, true
		}
		part -= until
	}
	g := u.grow(v)
	if part*u.drift(v, w) <= flowSteep {
		nextV, nextW, until, spike := flowStep(u, v, w, g, part)
		return nextV, nextW, after + until, spike
	}
	// The time in which y falls from 1 to p = exp(-rise) by dy/dt = -z y - g. Until g outweighs z y, V rises evenly.
	rise := (u.vTh - v) / u.deltaT
	p, fall := Exp(-rise), -Expm1(-rise)
	z := u.drift(v, w)
	halfway := v + float64(0.5*min(u.deltaT*Log1p(z/g), u.vTh-v))
	z = u.drift(halfway, u.relax(halfway, w, min(part, Log1p(z/g)/z)/2))
	until := Log1p(z*fall/math.FMA(z, p, g)) / z
	if until < part {
		return u.vTh, u.relax(halfway, w, until), after + until, true
	}
	nextV, nextW = u.smooth(v, w, g, part)
	return min(nextV, math.Nextafter(u.vTh, v)), nextW, after + part, false
}

// linear is the time from v to the potential to, without the exponential; it is NaN or infinite where V does not get
// there. q is dt/tau.
func (u *upstroke) linear(v, w, part, to, q float64) (until float64) {
	mean := w
	for range 3 { // w depends on the time; each round gains a factor dt/tau_w
		gap := float64(u.drift(v, mean)*u.deltaT)/q - (to - v) // V_inf - to
		if !(gap > 0) {
			return math.Inf(1)
		}
		until = Log1p((to-v)/gap) / q
		mean = w + float64(0.5*(u.relax(v+float64(0.5*(to-v)), w, min(until, part))-w))
	}
	return until
}

// meanBefore is the mean of V on its way from v to the spike, V going like -delta_T ln(t* - t).
func (u *upstroke) meanBefore(v float64) float64 {
	rise := (u.vTh - v) / u.deltaT
	if rise < 1e-6 {
		return v + float64(0.5*u.deltaT*rise)
	}
	return math.FMA(u.deltaT, 1-rise/Expm1(rise), v)
}

// flowEventStep advances one lane through a step in which it spikes or leaves refractoriness; advance moves it between
// events. The assembly kernels perform the operations of flowStep for the usual cases (asm/_gen/eventstep.go): change
// both together.
func flowEventStep(
	w *Worker,
	s *Shard,
	g, l int,
	advance func(u *upstroke, v, w, g, part float64) (float64, float64, float64, bool),
	events []Event,
) []Event {
	b, u := &w.b, &w.u
	u.load(w, l)
	i, k := g+l, b.First+float64(b.Step)
	v, adapt := b.Scratch.Before[0][l], 0.0
	if len(s.Y) > 1 {
		adapt = b.Scratch.Before[1][l]
	}
	grow := u.grow(v)
	at := 0.0 // place in the step
	if s.Wake[i] == k {
		at = 1 - s.Rem[i]
	}
	for fired := 0; ; fired++ {
		var after float64
		var spike bool
		v, adapt, after, spike = advance(u, v, adapt, grow, 1-at)
		if !spike {
			break
		}
		if fired == MaxSpikes || math.IsNaN(after) {
			v = math.NaN()
			break
		}
		at = min(1, at+after)
		events = append(events, Event{int32(i), int32(b.Step), at})
		w.widen(l, u.vTh, u.vReset)
		v, adapt, grow = u.vReset, adapt+u.b, u.grow0
		hold, end := u.hold, at+u.holdPart
		if end >= 1 {
			hold, end = hold+1, end-1
		}
		if hold > 0 {
			// The rest of this step and the held part of the last are relaxed at once, the steps between by the fast
			// step.
			adapt = u.relax(v, adapt, (1-at)+end)
			s.Wake[i], s.Rem[i] = k+hold, 1-end
			break
		}
		adapt = u.relax(v, adapt, end-at)
		at = end
	}
	b.Y[0][l] = v
	if len(s.Y) > 1 {
		b.Y[1][l] = adapt
	}
	if math.IsNaN(v) || math.IsNaN(adapt) {
		s.fail(i)
	}
	return events
}
