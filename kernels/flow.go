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
// which gives a first z. The change t = z - z0 says how A moves: it raises the mean by delta_T t/3 and the weight of the
// exponential by the factor 1 - t (1/6 + g/12). All this vanishes at an equilibrium (z0 = -g, t = 0), so that rests
// stay where they are. Close to a spike V goes like -delta_T ln(t* - t) whatever the step; there m must be
// (1 + (1-g) ln(1-g)/g)/g, which a polynomial fits up to g = 1, and the factor is fitted likewise. w relaxes exactly
// towards a (V - V_rest) at the mean of V, for which bentGain takes the place of the polynomial where V bends: an error of
// m is of second order in the time of the spike, but w would keep it to the first. That V moves meanwhile shifts the mean
// of w by -a (h/tau_w)/6 and its end by a (h/tau_w)²/6 times the mean gain of V. Spikes are located by upstroke.spike;
// resets and refractoriness keep the order.

// flowSources gives what each coefficient depends on, for AdEx; EIF has no adaptation.
var flowSources = []string{
	asm.FlowSlope: "delta_T", asm.FlowShift: "V_T delta_T", asm.FlowQ: "tau", asm.FlowVInf: "V_rest R I", asm.FlowR: "R",
	asm.FlowC: "tau delta_T", asm.FlowDeltaT: "delta_T", asm.FlowVTh: "V_th",
	asm.FlowA: "a", asm.FlowAVRest: "a V_rest", asm.FlowRMean: "R tau_w", asm.FlowK: "tau_w", asm.FlowVRest: "V_rest",
	asm.FlowI: "I", asm.FlowGain: "gain", asm.FlowVReset: "V_reset", asm.FlowB: "b", asm.FlowS: "tau_w",
	asm.FlowHold: "t_ref", asm.FlowHoldPart: "t_ref", asm.FlowThird: "delta_T", asm.FlowStay: "R a tau_w",
	asm.FlowTail: "a tau_w", asm.FlowGrow0: "tau V_T delta_T V_reset",
}

var (
	eifFlow = scheme{
		sources: flowSources, fold: foldEIF, enter: flowEnter, sync: flowSync,
		rare: eachRare(func(w *Worker, s *Shard, g, l int, events []Event) []Event {
			return flowRare(w, s, g, l, flowStep, events)
		}),
		lean: func(b *asm.Block) { flowGeneric(b, false, false) },
		full: func(b *asm.Block) { flowGeneric(b, false, true) },
	}
	adexFlow = scheme{
		sources: flowSources, fold: foldAdEx, enter: flowEnter, sync: flowSync, rare: eifFlow.rare,
		lean: func(b *asm.Block) { flowGeneric(b, true, false) },
		full: func(b *asm.Block) { flowGeneric(b, true, true) },
	}
)

func foldEIF(p []float64, i, gain, dt float64, c []float64) {
	q := model.EIFOf(p)
	foldFlow(model.AdEx{
		VRest: q.VRest, VReset: q.VReset, VTh: q.VTh, VT: q.VT, DeltaT: q.DeltaT, R: q.R, Tau: q.Tau, TRef: q.TRef,
		TauW: math.Inf(1), // no adaptation
	}, i, gain, dt, c)
}

func foldAdEx(p []float64, i, gain, dt float64, c []float64) {
	foldFlow(model.AdExOf(p), i, gain, dt, c)
}

func foldFlow(q model.AdEx, i, gain, dt float64, c []float64) {
	c[asm.FlowSlope], c[asm.FlowShift] = log2e/q.DeltaT, -q.VT*log2e/q.DeltaT
	c[asm.FlowQ], c[asm.FlowC] = dt/q.Tau, dt/(q.Tau*q.DeltaT)
	c[asm.FlowVInf], c[asm.FlowR] = math.FMA(q.R, i, q.VRest), q.R
	c[asm.FlowDeltaT] = q.DeltaT
	c[asm.FlowVTh], c[asm.FlowVReset], c[asm.FlowVRest] = q.VTh, q.VReset, q.VRest
	c[asm.FlowA], c[asm.FlowAVRest], c[asm.FlowB] = q.A, -float64(q.A*q.VRest), q.B
	s := dt / q.TauW
	mean, end := relaxed(s)
	c[asm.FlowRMean], c[asm.FlowK] = q.R*mean, end
	c[asm.FlowI], c[asm.FlowGain], c[asm.FlowS] = i, gain, s
	c[asm.FlowHold], c[asm.FlowHoldPart] = wholeSteps(q.TRef, dt)
	c[asm.FlowGrow0] = c[asm.FlowQ] * Exp2(math.FMA(q.VReset, c[asm.FlowSlope], c[asm.FlowShift]))
	c[asm.FlowThird], c[asm.FlowStay], c[asm.FlowTail] = q.DeltaT/3, math.FMA(-q.R, q.A*s/6, 1), q.A*s*s/6
}

// relaxed says how much of its way a variable has gone that relaxes for s time constants: on average, 1 - (1-exp(-s))/s,
// and at the end, 1 - exp(-s); errors at most 32 and 2.2 ulp. Where that would cancel, by the series of (exp(-s)-1+s)/s².
func relaxed(s float64) (mean, end float64) {
	if s < 1.0/16 {
		p := math.FMA(s, math.FMA(s, math.FMA(s, 1.0/3628800, -1.0/362880), 1.0/40320), -1.0/5040)
		p = math.FMA(s, math.FMA(s, math.FMA(s, p, 1.0/720), -1.0/120), 1.0/24)
		p = math.FMA(s, math.FMA(s, p, -1.0/6), 1.0/2)
		return float64(s * p), math.FMA(-s, float64(s*p), s)
	}
	end = -Expm1(-s)
	return 1 - end/s, end
}

// flowEnter and flowSync: while V is held, w is ahead by the part of step Wake that passes before V moves, so that
// the fast step need not know of it.
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

// Beyond these the fast step hands over: its polynomial for phi is good to 3e-6 up to |z| = 1, to 6e-7 up to 1/2, and exact
// to rounding below 0.005; at x = 1 the frozen flow blows up within the step.
const (
	flowZ = 1.0
	flowX = 1.0
)

// Above flowBend the polynomial m(g) is not good enough for w, which keeps what a spike has done to it.
const flowBend = 1.0 / 16

// Coefficients of phi(z) = (exp(z)-1)/z: Taylor's, and a least-squares fit of the largest error over |z| ≤ 1 for the last three.
const (
	phi1 = 1.0 / 2
	phi2 = 1.0 / 6
	phi3 = 1.0 / 24
	phi4 = 0.008331511086847595
	phi5 = 0.0014117203351642921
	phi6 = 0.0002030158876128302
)

// flowGeneric is the fast step of the flow method; see asm.Block.
func flowGeneric(b *asm.Block, adapt, full bool) {
	col := func(j, at int) *vec { return (*vec)(b.Coef[j][at:]) }
	still := new(vec) // w of a neuron without one
	for ; b.Step < b.Steps; b.Step++ {
		k := b.First + float64(b.Step)
		for b.Lane < b.Lanes {
			at := b.Lane
			v, w, wake := (*vec)(b.Y[0][at:]), still, (*vec)(b.Wake[at:])
			if adapt {
				w = (*vec)(b.Y[1][at:])
			}
			vInf := *col(asm.FlowVInf, at)
			if full {
				steadyVoltage(b, at, asm.FlowI, asm.FlowGain, asm.FlowR, asm.FlowVRest, &vInf)
			}

			// The drift before the step, in mV, and what w lacks to its steady value.
			var d, next, nextW vec
			r, a, aRest := col(asm.FlowR, at), col(asm.FlowA, at), col(asm.FlowAVRest, at)
			for l := range d {
				d[l] = vInf[l] - v[l]
				if adapt {
					d[l] = math.FMA(-r[l], w[l], d[l])
				}
			}
			var grow vec
			slope, shift, q := col(asm.FlowSlope, at), col(asm.FlowShift, at), col(asm.FlowQ, at)
			for l := range grow {
				u := math.FMA(v[l], slope[l], shift[l])
				if u < exp2Lo {
					u = exp2Lo
				}
				grow[l] = u
			}
			exp2Vec(&grow)
			var gain, pull, half vec
			c, deltaT, third, rMean := col(asm.FlowC, at), col(asm.FlowDeltaT, at), col(asm.FlowThird, at), col(asm.FlowRMean, at)
			for l := range gain {
				grow[l] *= q[l]
				near := grow[l]
				if near > 1 {
					near = 1
				}
				pull[l], half[l] = float64(deltaT[l]*math.FMA(c[l], d[l], grow[l])), meanGain(near)
				first := float64(pull[l] * half[l])
				slower := first // of the drift, in mV
				if adapt {
					slower = math.FMA(rMean[l], math.FMA(a[l], v[l]+first, aRest[l])-w[l], first)
				}
				slower = float64(c[l] * slower) // -t
				gain[l] = math.FMA(-third[l], slower, first)
				if wake[l] > k {
					gain[l] = 0
				}
				grow[l] = float64(grow[l] * math.FMA(slower, math.FMA(near, 1.0/12, 1.0/6), 1))
			}
			if adapt {
				stay, tail := col(asm.FlowStay, at), col(asm.FlowTail, at)
				for l := range gain {
					e := math.FMA(a[l], v[l]+gain[l], aRest[l]) - w[l]
					d[l] = math.FMA(-rMean[l], e, math.FMA(-stay[l], gain[l], d[l]))
					nextW[l], gain[l] = math.FMA(tail[l], gain[l], w[l]), e
				}
			} else {
				for l := range gain {
					d[l] -= gain[l]
				}
			}
			var ln vec
			for l := range ln {
				z := float64(c[l] * d[l])
				phi := math.FMA(math.FMA(math.FMA(math.FMA(math.FMA(math.FMA(phi6, z, phi5), z, phi4), z, phi3), z, phi2), z, phi1), z, 1)
				d[l], grow[l] = z, float64(grow[l]*phi)
				ln[l] = 1 - grow[l]
			}
			logNearVec(&ln)
			if adapt {
				kw := col(asm.FlowK, at)
				for l := range nextW {
					bend := 0.0
					if grow[l] > flowBend && !(wake[l] > k) {
						bend = bentGain(grow[l], d[l], ln[l]) - half[l]
					}
					nextW[l] = math.FMA(kw[l], math.FMA(a[l], float64(pull[l]*bend), gain[l]), nextW[l])
				}
			}
			vTh := col(asm.FlowVTh, at)
			rare := uint64(0)
			for l := range next {
				z, x := d[l], grow[l]
				next[l] = math.FMA(deltaT[l], z-ln[l], v[l])
				held := wake[l] > k
				if !held && (!(x < flowX) || !(math.Abs(z) < flowZ) || !(next[l] < vTh[l]) || wake[l] == k) {
					rare |= 1 << (at + l)
				}
				if held {
					next[l] = v[l]
				}
			}
			if full {
				extremes(b, at, &next, v, rare)
			}
			b.Lane += len(next)
			if rare != 0 {
				*(*vec)(b.Old[0][at:]) = *v
				if adapt {
					*(*vec)(b.Old[1][at:]) = *w
				}
			}
			*v = next
			if adapt {
				*w = nextW
			}
			if rare != 0 {
				b.HandBack(rare)
				return
			}
		}
		b.Lane = 0
	}
	b.Rare = 0
}

// Coefficients of m(g); the last three are a fit by least squares of the error of g m(g) over g², 0 ≤ g ≤ 1.
const (
	mean0 = 1.0 / 2
	mean1 = 1.0 / 6
	mean2 = 0.17087208016533528
	mean3 = -0.35074039053205125
	mean4 = 0.4616411267138857
)

// meanGain is m(g): see above.
func meanGain(g float64) float64 {
	return math.FMA(math.FMA(math.FMA(math.FMA(g, mean4, mean3), g, mean2), g, mean1), g, mean0)
}

// bentGain is m of an upstroke, V going like delta_T (z t/h - ln(1 - x t/h)), where ln is ln(1 - x): exact for z = 0; of
// what z adds, the polynomial, a fit, leaves less than 0.04 z.
func bentGain(x, z, ln float64) float64 {
	per := 1 / x
	return float64(float64(per*math.FMA(per-1, ln, 1)) * math.FMA(-float64(x*z), math.FMA(x, bend1, bend0), 1))
}

const (
	bend0 = 0.02
	bend1 = 0.2
)

// upstroke is one lane of an exponential neuron, with its coefficients by name and the current of the step in hand. Its
// times are parts of a step.
type upstroke struct {
	vInf, vTh, vRest, vReset, slope, shift, q, c, deltaT, r, a, b, s, grow0, hold, holdPart float64
}

// of makes u lane l of the group in hand.
func (u *upstroke) of(w *Worker, l int) {
	b := &w.b
	c := b.Coef
	l &= asm.Group - 1
	u.vInf, u.vTh, u.vRest, u.vReset = c[asm.FlowVInf][l], c[asm.FlowVTh][l], c[asm.FlowVRest][l], c[asm.FlowVReset][l]
	u.slope, u.shift, u.q, u.c = c[asm.FlowSlope][l], c[asm.FlowShift][l], c[asm.FlowQ][l], c[asm.FlowC][l]
	u.deltaT, u.r, u.a, u.b, u.s = c[asm.FlowDeltaT][l], c[asm.FlowR][l], c[asm.FlowA][l], c[asm.FlowB][l], c[asm.FlowS][l]
	u.grow0, u.hold, u.holdPart = c[asm.FlowGrow0][l], c[asm.FlowHold][l], c[asm.FlowHoldPart][l]
	if w.full {
		u.vInf = math.FMA(u.r, current(b, l, asm.FlowI, asm.FlowGain), u.vRest)
	}
}

// grow is g of a whole step from v.
func (u *upstroke) grow(v float64) float64 {
	return u.q * exp2Normal(max(math.FMA(v, u.slope, u.shift), exp2Lo))
}

// relax moves w for part of a step towards its steady value at potential v.
func (u *upstroke) relax(v, w, part float64) float64 {
	_, end := relaxed(part * u.s)
	return math.FMA(end, float64(u.a*(v-u.vRest))-w, w)
}

// flowStep advances v and w, where V would grow by g in a whole step, by part of a step, or to the spike if there is one:
// then that happens after, else after is part.
func flowStep(u *upstroke, v, w, g, part float64) (nextV, nextW, after float64, spike bool) {
	if v >= u.vTh {
		return v, w, 0, true
	}
	if g < flowSoon {
		if nextV, nextW = u.smooth(v, w, g, part); !(nextV >= u.vTh) { // NaN goes on as NaN
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

// flowSoon is the g above which a neuron that needs care most likely spikes.
const flowSoon = 0.25

// smooth is the step of flowGeneric for part of a step and any drift; V is infinite where it blows up on the way.
func (u *upstroke) smooth(v, w, g, part float64) (nextV, nextW float64) {
	c, s := part*u.c, part*u.s
	g *= part
	near, mean := min(g, 1), meanGain(min(g, 1))
	half, end := relaxed(s)
	d := math.FMA(-u.r, w, u.vInf-v)
	pull := u.deltaT * math.FMA(c, d, g)
	first := pull * mean
	toW := float64(u.a*(v+first-u.vRest)) - w
	slower := c * math.FMA(u.r, float64(half*toW), first)
	gain := math.FMA(-u.deltaT/3, slower, first)
	toW = float64(u.a*(v+gain-u.vRest)) - w
	lag := float64(u.a*s*gain) / 6
	z := c * (math.FMA(-u.r, math.FMA(half, toW, -lag), d) - gain)
	x := g * float64(expRel(z)*math.FMA(slower, math.FMA(near, 1.0/12, 1.0/6), 1))
	if x >= 1 {
		return math.Inf(1), w
	}
	ln := Log1p(-x)
	if x > flowBend {
		toW = math.FMA(u.a, float64(pull*(bentGain(x, z, ln)-mean)), toW)
	}
	return math.FMA(u.deltaT, z-ln, v), math.FMA(end, toW, w) + float64(s*lag)
}

// spike is the time from v to V_th, and the mean of what V gains until then; NaN where V does not get there. With y = 1
// at v and p at V_th, y falls by dy/dt = -z y - g, z being the drift at the mean that counts, which is weighted with y:
// for an even fall V has gained delta_T (1/2 + p² ln p/(1-p²)) there, and (1+2p)/(3+3p) of the time has passed.
func (u *upstroke) spike(v, w, g float64) (until, gain float64) {
	rise := (u.vTh - v) / u.deltaT // -ln p
	fall := -Expm1(-rise)
	p := 1 - fall
	lost := rise * p / fall
	early := v + float64(u.deltaT*(0.5-lost*p/(1+p)))
	toW := float64(u.a*(early-u.vRest)) - w
	passed := min(fall/g, 1) * math.FMA(2, p, 1) / math.FMA(3, p, 3)
	z := u.c * math.FMA(-u.r, math.FMA(float64(u.s*passed), toW, w), u.vInf-early)
	per := fall / math.FMA(z, p, g)
	until = per * log1pRel(z*per)
	return until, float64(u.deltaT*(1-lost)) * math.FMA(z, until/4, 1)
}

// meanBefore is the mean of V on its way from v to the spike, V going like -delta_T ln(t* - t).
func (u *upstroke) meanBefore(v float64) float64 {
	rise := (u.vTh - v) / u.deltaT
	if rise < 1e-6 {
		return v + 0.5*u.deltaT*rise
	}
	return math.FMA(u.deltaT, 1-rise/Expm1(rise), v)
}

// flowRare takes one lane through a step in which it spikes or wakes; advance is the way it moves between events.
func flowRare(w *Worker, s *Shard, g, l int, advance func(u *upstroke, v, w, g, part float64) (float64, float64, float64, bool), events []Event) []Event {
	b, u := &w.b, &w.u
	u.of(w, l)
	i, k := g+l, b.First+float64(b.Step)
	v, adapt := b.Old[0][l], 0.0
	if len(s.Y) > 1 {
		adapt = b.Old[1][l]
	}
	grow := u.grow(v)
	at := 0.0 // where in the step we are
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
		w.touch(l, u.vTh, u.vReset)
		v, adapt, grow = u.vReset, adapt+u.b, u.grow0
		hold, end := u.hold, at+u.holdPart
		if end >= 1 {
			hold, end = hold+1, end-1
		}
		if hold > 0 {
			// The rest of this step and the held part of the last, at once: the steps between are relaxed by the fast step.
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
