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
// towards a (V - V_rest) at that mean; that V moves meanwhile shifts the mean of w by -a (h/tau_w)/6 and its end by
// a (h/tau_w)²/6 times the mean gain of V. Spikes, resets and refractoriness keep the order.

// flowSources gives what each coefficient depends on, for AdEx; EIF has no adaptation.
var flowSources = []string{
	asm.FlowSlope: "delta_T", asm.FlowShift: "V_T delta_T", asm.FlowQ: "tau", asm.FlowVInf: "V_rest R I", asm.FlowR: "R",
	asm.FlowC: "tau delta_T", asm.FlowDeltaT: "delta_T", asm.FlowVTh: "V_th",
	asm.FlowA: "a", asm.FlowAVRest: "a V_rest", asm.FlowRMean: "R tau_w", asm.FlowK: "tau_w", asm.FlowVRest: "V_rest",
	asm.FlowI: "I", asm.FlowGain: "gain", asm.FlowVReset: "V_reset", asm.FlowB: "b", asm.FlowTau: "tau",
	asm.FlowTauW: "tau_w", asm.FlowHold: "t_ref", asm.FlowHoldPart: "t_ref", asm.FlowDt: "",
	asm.FlowThird: "delta_T", asm.FlowStay: "R a tau_w", asm.FlowTail: "a tau_w",
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
	c[asm.FlowSlope], c[asm.FlowShift] = 1/q.DeltaT, -q.VT/q.DeltaT
	c[asm.FlowQ], c[asm.FlowC] = dt/q.Tau, dt/(q.Tau*q.DeltaT)
	c[asm.FlowVInf], c[asm.FlowR] = math.FMA(q.R, i, q.VRest), q.R
	c[asm.FlowDeltaT] = q.DeltaT
	c[asm.FlowVTh], c[asm.FlowVReset], c[asm.FlowVRest] = q.VTh, q.VReset, q.VRest
	c[asm.FlowA], c[asm.FlowAVRest], c[asm.FlowB] = q.A, -float64(q.A*q.VRest), q.B
	mean, end := relaxed(dt / q.TauW)
	c[asm.FlowRMean], c[asm.FlowK] = q.R*mean, end
	c[asm.FlowI], c[asm.FlowGain], c[asm.FlowTau], c[asm.FlowTauW], c[asm.FlowDt] = i, gain, q.Tau, q.TauW, dt
	c[asm.FlowHold], c[asm.FlowHoldPart] = wholeSteps(q.TRef, dt)
	s := dt / q.TauW
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
		ahead := (1 - s.Rem[i]) * s.Dt / s.coef(asm.FlowTauW, i)
		y[1] = math.FMA(Exp(ahead), y[1]-wInf, wInf)
	}
}

// Beyond these the fast step hands over: its polynomial for phi is good to 2e-7 at |z| = 1/2 and exact to rounding
// below 0.01; at x = 1 the frozen flow blows up within the step.
const (
	flowZ = 0.5
	flowX = 1.0
)

// Taylor coefficients of phi(z) = (exp(z)-1)/z.
const (
	phi1 = 1.0 / 2
	phi2 = 1.0 / 6
	phi3 = 1.0 / 24
	phi4 = 1.0 / 120
	phi5 = 1.0 / 720
	phi6 = 1.0 / 5040
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
				if u < expLo {
					u = expLo
				}
				grow[l] = u
			}
			expVec(&grow)
			var gain vec
			c, deltaT, third, rMean := col(asm.FlowC, at), col(asm.FlowDeltaT, at), col(asm.FlowThird, at), col(asm.FlowRMean, at)
			for l := range gain {
				grow[l] *= q[l]
				near := grow[l]
				if near > 1 {
					near = 1
				}
				first := float64(deltaT[l] * float64(math.FMA(c[l], d[l], grow[l])*meanGain(near)))
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
				kw, stay, tail := col(asm.FlowK, at), col(asm.FlowStay, at), col(asm.FlowTail, at)
				for l := range gain {
					e := math.FMA(a[l], v[l]+gain[l], aRest[l]) - w[l]
					d[l] = math.FMA(-rMean[l], e, math.FMA(-stay[l], gain[l], d[l]))
					nextW[l] = math.FMA(tail[l], gain[l], math.FMA(kw[l], e, w[l]))
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

// upstroke is one lane of an exponential neuron, with its coefficients by name and the current of the step in hand.
type upstroke struct {
	vInf, vTh, vRest, vReset, slope, shift, deltaT, r, tau, a, b, tauW, dt, hold, holdPart float64
}

// of makes u lane l of the group in hand.
func (u *upstroke) of(w *Worker, l int) {
	b := &w.b
	c := b.Coef
	l &= asm.Group - 1
	u.vInf, u.vTh, u.vRest, u.vReset = c[asm.FlowVInf][l], c[asm.FlowVTh][l], c[asm.FlowVRest][l], c[asm.FlowVReset][l]
	u.slope, u.shift, u.deltaT, u.r = c[asm.FlowSlope][l], c[asm.FlowShift][l], c[asm.FlowDeltaT][l], c[asm.FlowR][l]
	u.tau, u.a, u.b, u.tauW = c[asm.FlowTau][l], c[asm.FlowA][l], c[asm.FlowB][l], c[asm.FlowTauW][l]
	u.dt, u.hold, u.holdPart = c[asm.FlowDt][l], c[asm.FlowHold][l], c[asm.FlowHoldPart][l]
	if w.full {
		u.vInf = math.FMA(u.r, current(b, l, asm.FlowI, asm.FlowGain), u.vRest)
	}
}

// relax moves w for h ms towards its steady value at potential v.
func (u *upstroke) relax(v, w, h float64) float64 {
	_, end := relaxed(h / u.tauW)
	return math.FMA(end, float64(u.a*(v-u.vRest))-w, w)
}

// flowStep advances v and w by h ms, or to the spike if there is one: then after ms have passed, else after is h.
func flowStep(u *upstroke, v, w, h float64) (nextV, nextW, after float64, spike bool) {
	if v >= u.vTh {
		return v, w, 0, true
	}
	e := expNormal(max(math.FMA(v, u.slope, u.shift), expLo)) / u.tau
	z, x, nextW := u.drift(v, w, h, e)
	if x < 1 {
		nextV = math.FMA(u.deltaT, z-Log1p(-x), v)
	}
	if x < 1 && nextV < u.vTh {
		return nextV, nextW, h, false
	}
	// y falls by the part fall of itself to its value at V_th; the drift is that of the time until then.
	fall := -Expm1((v - u.vTh) * u.slope)
	until := h * min(1, fall/x)
	z, x, _ = u.drift(v, w, until, e)
	rate, blast := z/until, x/float64(until*expRel(z)) // y' = -rate y - blast y(0)
	after = fall / blast
	if math.Abs(z) > 1e-12 {
		after = Log1p(rate*fall/math.FMA(rate, 1-fall, blast)) / rate
	}
	after = min(max(after, 0), h)
	return u.vTh, u.relax(u.meanBefore(v), w, after), after, true
}

// drift gives z and x of a step of h ms from v and w, where exp((v-V_T)/delta_T)/tau is e, and w after it.
func (u *upstroke) drift(v, w, h, e float64) (z, x, nextW float64) {
	c, g, s := h/(u.tau*u.deltaT), h*e, h/u.tauW
	near := min(g, 1)
	half, end := relaxed(s)
	z0 := c * math.FMA(-u.r, w, u.vInf-v)
	gain := u.deltaT * float64((z0+g)*meanGain(near))
	toW := float64(u.a*(v+gain-u.vRest)) - w
	t := -c * math.FMA(u.r, float64(half*toW), gain)
	gain = math.FMA(u.deltaT, t/3, gain)
	toW = float64(u.a*(v+gain-u.vRest)) - w
	lag := float64(u.a*s*gain) / 6
	z = c * math.FMA(-u.r, math.FMA(half, toW, w)-lag, u.vInf-(v+gain))
	x = g * float64(expRel(z)*math.FMA(-t, math.FMA(near, 1.0/12, 1.0/6), 1))
	return z, x, math.FMA(end, toW, w) + float64(s*lag)
}

// meanBefore is the mean of V on its way from v to the spike, V going like -delta_T ln(t* - t).
func (u *upstroke) meanBefore(v float64) float64 {
	rise := u.vTh - v
	if rise*u.slope < 1e-6 {
		return v + 0.5*rise
	}
	return v + u.deltaT - rise/Expm1(rise*u.slope)
}

// flowRare takes one lane through a step in which it spikes or wakes; advance is the way it moves between events.
func flowRare(w *Worker, s *Shard, g, l int, advance func(u *upstroke, v, w, h float64) (float64, float64, float64, bool), events []Event) []Event {
	b, u := &w.b, &w.u
	u.of(w, l)
	i, k := g+l, b.First+float64(b.Step)
	v, adapt := b.Old[0][l], 0.0
	if len(s.Y) > 1 {
		adapt = b.Old[1][l]
	}
	at := 0.0 // where in the step we are
	if s.Wake[i] == k {
		at = 1 - s.Rem[i]
	}
	for fired := 0; ; fired++ {
		var after float64
		var spike bool
		v, adapt, after, spike = advance(u, v, adapt, (1-at)*u.dt)
		if !spike {
			break
		}
		if fired == MaxSpikes || math.IsNaN(after) {
			v = math.NaN()
			break
		}
		at = min(1, at+after/u.dt)
		events = append(events, Event{int32(i), int32(b.Step), at})
		w.touch(l, u.vTh, u.vReset)
		v, adapt = u.vReset, adapt+u.b
		hold, end := u.hold, at+u.holdPart
		if end >= 1 {
			hold, end = hold+1, end-1
		}
		if hold > 0 {
			// The rest of this step and the held part of the last, at once: the steps between are relaxed by the fast step.
			adapt = u.relax(v, adapt, ((1-at)+end)*u.dt)
			s.Wake[i], s.Rem[i] = k+hold, 1-end
			break
		}
		adapt = u.relax(v, adapt, (end-at)*u.dt)
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
