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
		asm.LIFI: "I", asm.LIFGain: "gain", asm.LIFVReset: "V_reset", asm.LIFSteps: "tau",
		asm.LIFHold: "t_ref", asm.LIFHoldPart: "t_ref", asm.LIFPart: "tau",
		asm.LIFAfter: "tau t_ref", asm.LIFLater: "tau t_ref",
	},
	hidden: 1,
	fold: func(p []float64, i, gain, dt float64, c []float64) {
		q := model.LIFOf(p)
		c[asm.LIFVInf] = math.FMA(q.R, i, q.VRest)
		_, c[asm.LIFK] = relaxed(dt / q.Tau)
		c[asm.LIFVTh], c[asm.LIFR], c[asm.LIFVRest], c[asm.LIFI], c[asm.LIFGain] = q.VTh, q.R, q.VRest, i, gain
		c[asm.LIFVReset] = q.VReset + 0 // no -0: held, it would become 0
		c[asm.LIFSteps], c[asm.LIFPart] = q.Tau/dt, dt/q.Tau
		hold, part := wholeSteps(q.TRef, dt)
		c[asm.LIFHold], c[asm.LIFHoldPart] = hold, part
		c[asm.LIFAfter], c[asm.LIFLater] = Exp(dt/q.Tau*part), Exp(dt/q.Tau*(part-1))
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

// lifGeneric is the fast step of LIF; see asm.Block. It takes all lanes at once.
func lifGeneric(b *asm.Block, full bool) {
	n := b.Lanes
	v, rate, wake, old := b.Y[0][:n], b.Y[1][:n], b.Wake[:n], b.Old[0][:n]
	vInf, c, vTh := b.Coef[asm.LIFVInf][:n], b.Coef[asm.LIFK][:n], b.Coef[asm.LIFVTh][:n]
	var driven asm.Column
	if full {
		vInf = driven[:n]
	}
	for ; b.Step < b.Steps; b.Step++ {
		for at := 0; full && at < n; at += len(vec{}) {
			steadyVoltage(b, at, asm.LIFI, asm.LIFGain, asm.LIFR, asm.LIFVRest, (*vec)(driven[at:]))
		}
		k := b.First + float64(b.Step)
		rare := uint64(0)
		for l, x := range v {
			old[l] = x
			if wake[l] <= k {
				x = math.FMA(-rate[l], x-vInf[l], x)
				v[l], rate[l] = x, c[l]
			}
			if x >= vTh[l] {
				rare |= 1 << l
			}
		}
		if full {
			lifExtremes(b, v, vTh)
		}
		if rare != 0 {
			b.Lane = n
			b.HandBack(rare)
			return
		}
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
func lifExtremes(b *asm.Block, next, vTh []float64) {
	lo, hi := b.Lo[:len(next)], b.Hi[:len(next)]
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

// Where a step is this short, a spike is located from V at its end, at which r = (V_inf-V)/(V_inf-V_th) is
// exp(-(1-theta) dt/tau). In longer steps V may reach V_inf to the last bit, and only V at the start can tell.
const lifShort = 1.0 / 16

// lifLog is -ln r = ln(1 + d/below) for d = above - below, 0 ≤ d/below ≤ 0.065, by the series of atanh(d/(above+below));
// error at most 3 ulp.
func lifLog(d, above, below float64) float64 {
	s := d / (above + below)
	ss := float64(s * s)
	p := math.FMA(math.FMA(math.FMA(2.0/9, ss, 2.0/7), ss, 2.0/5), ss, 2.0/3)
	return math.FMA(float64(s*ss), p, s+s)
}

// lifRare takes one lane through a step in which it spikes, by the closed form between events.
func lifRare(w *Worker, s *Shard, g, l int, events []Event) []Event {
	b := &w.b
	l &= Group - 1
	i, k, c := g+l, b.First+float64(b.Step), b.Coef
	vInf, vTh, steps, part := c[asm.LIFVInf][l], c[asm.LIFVTh][l], c[asm.LIFSteps][l], c[asm.LIFPart][l]
	if w.full {
		vInf = math.FMA(c[asm.LIFR][l], current(b, l, asm.LIFI, asm.LIFGain), c[asm.LIFVRest][l])
	}
	v := b.Old[0][l]
	at := 0.0 // where in the step we are
	if s.Wake[i] == k {
		at = 1 - s.Rem[i]
	}
	for fired := 0; ; fired++ {
		next := b.Y[0][l] // what the fast step saw
		if fired > 0 {
			_, gone := relaxed(float64((1 - at) * part))
			next = math.FMA(-gone, v-vInf, v)
		}
		if next < vTh || fired == MaxSpikes || math.IsNaN(next) {
			b.Y[0][l], b.Y[1][l] = next, c[asm.LIFK][l]
			if fired == MaxSpikes {
				s.fail(i)
			}
			return events
		}
		rises := v < vTh && next < vInf // else it was above V_th all the time
		short := rises && part < lifShort
		switch {
		case short:
			at = math.FMA(-steps, lifLog(next-vTh, vInf-vTh, vInf-next), 1)
			if at < 0 {
				at = 0
			}
		case rises:
			at = min(1, math.FMA(steps, Log1p((vTh-v)/(vInf-vTh)), at))
		}
		events = append(events, Event{int32(i), int32(b.Step), at})
		v = c[asm.LIFVReset][l]
		w.touch(l, vTh, v)

		hold, end := c[asm.LIFHold][l], at+c[asm.LIFHoldPart][l]
		late := end >= 1
		left := float64((vInf - next) / (vInf - vTh)) // of V_inf - V, after the part of a step in which V moves
		if short {
			late = float64(left*c[asm.LIFAfter][l]) >= 1
		}
		if late {
			hold, end = hold+1, end-1
			left *= c[asm.LIFLater][l]
		} else {
			left *= c[asm.LIFAfter][l]
		}
		if hold > 0 {
			s.Wake[i], s.Rem[i] = k+hold, 1-end
			b.Y[0][l], b.Y[1][l] = v, 1-left
			if !short {
				_, b.Y[1][l] = relaxed(float64((1 - end) * part))
			}
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
	if !w.full {
		return
	}
	if lo := &w.b.Lo[l]; vReset < *lo {
		*lo = vReset
	}
	if hi := &w.b.Hi[l]; vTh > *hi {
		*hi = vTh
	}
}
