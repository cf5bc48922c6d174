package kernels

import (
	"math"

	"popsim/kernels/asm"
)

// The rk4 methods of EIF and AdEx: classical Runge-Kutta in V and w while the exponential is slow, g = (h/tau)
// exp((V-V_T)/delta_T) ≤ rk4G at every stage. From there to the spike V diverges like -ln(t* - t), which no polynomial
// approximates; those steps, few before each spike, are taken in r = exp(-(V-V0)/delta_T), where the upstroke is almost
// straight: r' = -A r - exp((V0-V_T)/delta_T)/tau.

var (
	eifRK4 = scheme{
		sources: flowSources, firstDriven: asm.FlowRest, fold: foldEIF, enter: flowEnter, sync: flowSync,
		finish: eachLane(func(w *Worker, s *Shard, g, l int, events []Event) []Event {
			return flowEventStep(w, s, g, l, rk4Step, events)
		}),
		free:   func(b *asm.Block) { rk4Generic(b, false, false) },
		driven: func(b *asm.Block) { rk4Generic(b, false, true) },
	}
	adexRK4 = scheme{
		sources: flowSources, firstDriven: asm.FlowRest, fold: foldAdEx, enter: flowEnter, sync: flowSync,
		finish: eifRK4.finish,
		free:   func(b *asm.Block) { rk4Generic(b, true, false) },
		driven: func(b *asm.Block) { rk4Generic(b, true, true) },
	}
)

const rk4G = 1.0 / 16

// rk4Generic is the fast step of rk4 for EIF and AdEx; see asm.Block. It is one function because divided by stages it
// took a tenth longer.
func rk4Generic(b *asm.Block, adapt, full bool) {
	col := func(j, at int) *vec { return (*vec)(b.Coef[j][at:]) }
	still := new(vec)
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
			slope, shift, c, rc := col(asm.FlowSlope, at), col(asm.FlowShift, at), col(asm.FlowC, at), col(asm.FlowRC, at)
			deltaT, vTh := col(asm.FlowDeltaT, at), col(asm.FlowVTh, at)
			a, aRest, perTauW := col(asm.FlowA, at), col(asm.FlowAVRest, at), col(asm.FlowS, at)

			var dv, dw, sumV, sumW, sv, sw, steepest vec
			sv, sw = *v, *w
			for stage := range 4 {
				for l := range sv {
					if wake[l] > k {
						sv[l] = v[l]
					}
					u := math.FMA(sv[l], slope[l], shift[l])
					if u < exp2Lo {
						u = exp2Lo
					}
					grow := exp2Near(min(u, exp2Hi))
					if !(grow <= steepest[l]) {
						steepest[l] = grow
					}
					z := math.FMA(-rc[l], sw[l], math.FMA(-c[l], sv[l], drive[l]))
					dv[l] = float64(deltaT[l] * (z + grow))
					if adapt {
						dw[l] = perTauW[l] * (math.FMA(a[l], sv[l], aRest[l]) - sw[l])
					}
				}
				weight, reach := 1.0, 0.5
				if stage == 1 || stage == 2 {
					weight = 2
				}
				if stage == 2 {
					reach = 1
				}
				for l := range sv {
					sumV[l], sumW[l] = math.FMA(weight, dv[l], sumV[l]), math.FMA(weight, dw[l], sumW[l])
					sv[l], sw[l] = math.FMA(reach, dv[l], v[l]), math.FMA(reach, dw[l], w[l])
				}
			}
			var next, nextW vec
			inEvent := uint64(0)
			for l := range next {
				next[l], nextW[l] = math.FMA(sumV[l], 1.0/6, v[l]), math.FMA(sumW[l], 1.0/6, w[l])
				switch {
				case wake[l] > k:
					next[l] = v[l]
				case !(steepest[l] <= rk4G) || !(next[l] < vTh[l]) || wake[l] == k:
					inEvent |= 1 << (at + l)
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

// rk4Step advances v and w by part of a step, or to the spike; see flowStep. Where V drifts by more than delta_T, as it
// may in the step in which refractoriness ends, r would fall past V_th within a stage: that step is taken in substeps
// in each of which V drifts by at most a quarter of delta_T. Where that would take more than most substeps, flowStep
// takes its place.
func rk4Step(u *upstroke, v, w, g, part float64) (nextV, nextW, after float64, spike bool) {
	const most = 1 << 12
	drift := math.Abs(part * u.drift(v, w))
	if !(drift > 1) {
		return rk4Substep(u, v, w, g, part)
	}
	substeps := math.Ceil(4 * drift)
	if !(substeps <= most) {
		return flowStep(u, v, w, g, part)
	}
	for n := range int(substeps) {
		v, w, after, spike = rk4Substep(u, v, w, g, part/substeps)
		if spike {
			return v, w, math.FMA(float64(n), part/substeps, after), true
		}
		g = u.grow(v)
	}
	return v, w, part, false
}

// rk4Substep is rk4Step in one substep, of r and w. Stages beyond the spike are limited to V_th; otherwise w would be
// integrated with potentials that V does not reach.
func rk4Substep(u *upstroke, v, w, g, part float64) (nextV, nextW, after float64, spike bool) {
	if v >= u.vTh {
		return v, w, 0, true
	}
	growth, s := part*g, part*u.s
	end := Exp((v - u.vTh) / u.deltaT) // r at V_th
	potential := func(r float64) float64 {
		if r <= end {
			return u.vTh
		}
		return math.FMA(-u.deltaT, Log1p(r-1), v)
	}
	slopes := func(r, w float64) (dr, dw float64) {
		p := potential(r)
		z := float64(part * u.drift(p, w))
		return math.FMA(-z, max(r, end), -growth), float64(s * u.toW(p, w))
	}
	r1, w1 := slopes(1, w)
	r2, w2 := slopes(math.FMA(0.5, r1, 1), math.FMA(0.5, w1, w))
	r3, w3 := slopes(math.FMA(0.5, r2, 1), math.FMA(0.5, w2, w))
	r4, w4 := slopes(1+r3, w+w3)
	r := 1 + (r1+float64(2*(r2+r3))+r4)/6
	nextW = w + (w1+float64(2*(w2+w3))+w4)/6
	if !(r <= end) { // NaN stays NaN
		nextV = potential(r)
		if r < 0.85 { // V bends too sharply for the stages of w: its mean over a straight fall of r
			nextW = u.relax(v+u.deltaT-float64(r/(1-r)*(nextV-v)), w, part)
		}
		return nextV, nextW, part, false
	}
	r5, _ := slopes(r, nextW)
	after = hermite(1, r, r1, r5).crossing(end) * part
	return u.vTh, u.relax(u.meanBefore(v), w, after), after, true
}
