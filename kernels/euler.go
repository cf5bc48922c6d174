package kernels

import (
	"math"

	"popsim/kernels/asm"
)

// The euler methods of EIF and AdEx do what other simulators do: forward Euler for V and w from the old state, V
// looked at once a step, spikes stamped with the end of the step that passed V_th, refractoriness in whole steps.

var (
	eifEuler = scheme{
		sources: flowSources, fold: onGrid(foldEIF), enter: flowEnter, sync: columnsSync, rare: eachRare(eulerRare),
		lean: func(b *asm.Block) { eulerGeneric(b, false, false) },
		full: func(b *asm.Block) { eulerGeneric(b, false, true) },
	}
	adexEuler = scheme{
		sources: flowSources, fold: onGrid(foldAdEx), enter: flowEnter, sync: columnsSync, rare: eachRare(eulerRare),
		lean: func(b *asm.Block) { eulerGeneric(b, true, false) },
		full: func(b *asm.Block) { eulerGeneric(b, true, true) },
	}
)

// onGrid makes the coefficients of euler out of those of flow: FlowK is dt/tau_w, t_ref is a whole number of steps.
func onGrid(fold func(p []float64, i, gain, dt float64, c []float64)) func(p []float64, i, gain, dt float64, c []float64) {
	return func(p []float64, i, gain, dt float64, c []float64) {
		fold(p, i, gain, dt, c)
		c[asm.FlowK] = c[asm.FlowS]
		c[asm.FlowHold], c[asm.FlowHoldPart] = math.Round(c[asm.FlowHold]+c[asm.FlowHoldPart]), 0
	}
}

// columnsSync is for methods whose columns are the state at the start of every step.
func columnsSync(s *Shard, i int, _ int64, y []float64) {
	for j := range y {
		y[j] = s.Y[j][i]
	}
}

// eulerGeneric is the fast step of the euler method; see asm.Block.
func eulerGeneric(b *asm.Block, adapt, full bool) {
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
			vInf := *col(asm.FlowVInf, at)
			if full {
				steadyVoltage(b, at, asm.FlowI, asm.FlowGain, asm.FlowR, asm.FlowVRest, &vInf)
			}
			var grow, next, nextW vec
			slope, shift, q := col(asm.FlowSlope, at), col(asm.FlowShift, at), col(asm.FlowQ, at)
			for l := range grow {
				u := math.FMA(v[l], slope[l], shift[l])
				if u < exp2Lo {
					u = exp2Lo
				}
				grow[l] = u
			}
			exp2Vec(&grow)
			deltaT, r, vTh := col(asm.FlowDeltaT, at), col(asm.FlowR, at), col(asm.FlowVTh, at)
			a, aRest, c := col(asm.FlowA, at), col(asm.FlowAVRest, at), col(asm.FlowK, at)
			rare := uint64(0)
			for l := range next {
				d := math.FMA(deltaT[l], grow[l], vInf[l]-v[l])
				if adapt {
					d = math.FMA(-r[l], w[l], d)
					nextW[l] = math.FMA(c[l], math.FMA(a[l], v[l], aRest[l])-w[l], w[l])
				}
				next[l] = math.FMA(q[l], d, v[l])
				switch {
				case wake[l] > k:
					next[l] = v[l]
				case !(next[l] < vTh[l]):
					rare |= 1 << (at + l)
				}
			}
			if full {
				extremes(b, at, &next, v, rare)
			}
			b.Lane += len(next)
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

// eulerRare resets a lane that has passed V_th.
func eulerRare(w *Worker, s *Shard, g, l int, events []Event) []Event {
	b := &w.b
	i := g + l
	if math.IsNaN(b.Y[0][l]) {
		s.fail(i)
		return events
	}
	vReset := b.Coef[asm.FlowVReset][l]
	b.Y[0][l] = vReset
	if len(s.Y) > 1 {
		b.Y[1][l] += b.Coef[asm.FlowB][l]
	}
	s.Wake[i] = b.First + float64(b.Step) + 1 + b.Coef[asm.FlowHold][l]
	w.touch(l, b.Coef[asm.FlowVTh][l], vReset)
	return append(events, Event{int32(i), int32(b.Step), 1})
}
