package kernels

import (
	"math"

	"popsim/kernels/asm"
	"popsim/model"
)

// lifExact is exact between events and at them. The step V += k (V_inf - V) has V_inf as a fixed point to the bit. A
// hidden column holds k for the next step in which V moves, which is shorter when the refractory period ends inside
// it: so the end of refractoriness costs nothing in the fast step.
var lifExact = scheme{
	sources: []string{
		asm.LIFVInf: "V_rest R I", asm.LIFK: "tau", asm.LIFVTh: "V_th", asm.LIFR: "R", asm.LIFVRest: "V_rest",
		asm.LIFI: "I", asm.LIFGain: "gain", asm.LIFVReset: "V_reset", asm.LIFTau: "tau",
		asm.LIFHold: "t_ref", asm.LIFHoldPart: "t_ref", asm.LIFDt: "",
	},
	hidden: 1,
	fold: func(p []float64, i, gain, dt float64, c []float64) {
		q := model.LIFOf(p)
		c[asm.LIFVInf] = math.FMA(q.R, i, q.VRest)
		c[asm.LIFK] = -Expm1(-dt / q.Tau)
		c[asm.LIFVTh], c[asm.LIFR], c[asm.LIFVRest], c[asm.LIFI], c[asm.LIFGain] = q.VTh, q.R, q.VRest, i, gain
		c[asm.LIFVReset], c[asm.LIFTau], c[asm.LIFDt] = q.VReset+0, q.Tau, dt // no -0: held, it would become 0
		c[asm.LIFHold], c[asm.LIFHoldPart] = wholeSteps(q.TRef, dt)
	},
	enter: func(s *Shard, i int, k int64, y []float64) {
		s.Y[0][i], s.Y[1][i] = y[0], s.coef(asm.LIFK, i)
		s.Wake[i], s.Rem[i] = float64(k), 1
	},
	sync: func(s *Shard, i int, _ int64, y []float64) { y[0] = s.Y[0][i] },
	rare: eachRare(lifRare),
	lean: func(b *asm.Block) { lifGeneric(b, false) },
	full: func(b *asm.Block) { lifGeneric(b, true) },
}

// wholeSteps splits a time into whole steps and the part of a step that is left, 0 ≤ part < 1.
func wholeSteps(t, dt float64) (whole, part float64) {
	whole = math.Floor(t / dt)
	part = math.FMA(-whole, dt, t) / dt
	if part < 0 || part >= 1 { // t/dt was rounded across an integer
		part = 0
		whole = math.Round(t / dt)
	}
	return whole, part
}

// lifGeneric is the fast step of LIF; see asm.Block.
func lifGeneric(b *asm.Block, full bool) {
	for ; b.Step < b.Steps; b.Step++ {
		k := b.First + float64(b.Step)
		for b.Lane < b.Lanes {
			at := b.Lane
			v, kk, wake := (*vec)(b.Y[0][at:]), (*vec)(b.Y[1][at:]), (*vec)(b.Wake[at:])
			vInf := *(*vec)(b.Coef[asm.LIFVInf][at:])
			if full {
				steadyVoltage(b, at, asm.LIFI, asm.LIFGain, asm.LIFR, asm.LIFVRest, &vInf)
			}
			c, vTh := (*vec)(b.Coef[asm.LIFK][at:]), (*vec)(b.Coef[asm.LIFVTh][at:])
			var next, rate vec
			rare := uint64(0)
			for l := range next {
				next[l], rate[l] = v[l], kk[l]
				if wake[l] <= k {
					next[l], rate[l] = math.FMA(-kk[l], v[l]-vInf[l], v[l]), c[l]
				}
				if next[l] >= vTh[l] {
					rare |= 1 << (at + l)
				}
			}
			if full {
				lifExtremes(b, at, &next, vTh)
			}
			b.Lane += len(next)
			if rare != 0 {
				*(*vec)(b.Old[0][at:]) = *v
				*v, *kk = next, rate
				b.HandBack(rare)
				return
			}
			*v, *kk = next, rate
		}
		b.Lane = 0
	}
	b.Rare = 0
}

// steadyVoltage writes V_rest + R I for the current of the step in hand, lanes at to at+7.
func steadyVoltage(b *asm.Block, at, i, gain, r, vRest int, vInf *vec) {
	x, gn := (*vec)(b.Coef[i][at:]), (*vec)(b.Coef[gain][at:])
	res, rest := (*vec)(b.Coef[r][at:]), (*vec)(b.Coef[vRest][at:])
	row := (*vec)(b.Row[b.Step*b.RowStride+at:])
	wave := b.Wave[b.Step]
	for l := range vInf {
		vInf[l] = math.FMA(res[l], math.FMA(gn[l], wave, x[l])+row[l], rest[l])
	}
}

// lifExtremes widens the extrema by the new potentials, up to the threshold. A lane beyond it is no special case: where it
// has been, the rare step knows.
func lifExtremes(b *asm.Block, at int, next, vTh *vec) {
	lo, hi := (*vec)(b.Lo[at:]), (*vec)(b.Hi[at:])
	for l, v := range next {
		if v < lo[l] {
			lo[l] = v
		}
		if vTh[l] < v {
			v = vTh[l]
		}
		if v > hi[l] {
			hi[l] = v
		}
	}
}

// extremes widens the extrema by the new potentials; rare lanes stay with the old one, since their step is not done.
func extremes(b *asm.Block, at int, next, old *vec, rare uint64) {
	lo, hi := (*vec)(b.Lo[at:]), (*vec)(b.Hi[at:])
	for l := range next {
		v := next[l]
		if rare>>(at+l)&1 != 0 {
			v = old[l]
		}
		if v < lo[l] {
			lo[l] = v
		}
		if v > hi[l] {
			hi[l] = v
		}
	}
}

// lifRare takes one lane through a step in which it spikes, by the closed form between events.
func lifRare(w *Worker, s *Shard, g, l int, events []Event) []Event {
	b := &w.b
	i, k := g+l, b.First+float64(b.Step)
	c := func(j int) float64 { return b.Coef[j][l] }
	vInf := c(asm.LIFVInf)
	if w.full {
		vInf = math.FMA(c(asm.LIFR), current(b, l, asm.LIFI, asm.LIFGain), c(asm.LIFVRest))
	}
	v, vTh, steps := b.Old[0][l], c(asm.LIFVTh), c(asm.LIFTau)/c(asm.LIFDt) // tau in steps
	at := 0.0                                                               // where in the step we are
	if s.Wake[i] == k {
		at = 1 - s.Rem[i]
	}
	for fired := 0; ; fired++ {
		next := b.Y[0][l] // what the fast step saw
		if fired > 0 {
			next = math.FMA(-Expm1((at-1)/steps), vInf-v, v)
		}
		if next < vTh || fired == MaxSpikes || math.IsNaN(next) {
			b.Y[0][l], b.Y[1][l] = next, c(asm.LIFK)
			if fired == MaxSpikes {
				s.fail(i)
			}
			return events
		}
		if v < vTh {
			at = min(1, math.FMA(steps, Log1p((vTh-v)/(vInf-vTh)), at))
		}
		events = append(events, Event{int32(i), int32(b.Step), at})
		w.touch(l, vTh, c(asm.LIFVReset))
		v = c(asm.LIFVReset)
		hold, end := c(asm.LIFHold), at+c(asm.LIFHoldPart)
		if end >= 1 {
			hold, end = hold+1, end-1
		}
		if hold > 0 {
			s.Wake[i], s.Rem[i] = k+hold, 1-end
			b.Y[0][l], b.Y[1][l] = v, -Expm1((end-1)/steps)
			return events
		}
		at = end
	}
}

// fail marks lane i as beyond computing: V becomes NaN and stays so. The NaN is negative: a vector that asks for the sign of
// V - V_th is then not alarmed.
func (s *Shard) fail(i int) {
	s.Y[0][i], s.Wake[i] = math.Copysign(math.NaN(), -1), math.Inf(1)
}

// touch adds to the extrema of lane l the threshold that a spike reached and the potential it fell to.
func (w *Worker) touch(l int, vTh, vReset float64) {
	if w.full {
		w.b.Lo[l], w.b.Hi[l] = min(w.b.Lo[l], vReset), max(w.b.Hi[l], vTh)
	}
}
