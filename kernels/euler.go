package kernels

import (
	"math"
	"math/bits"
	"slices"

	"popsim/kernels/asm"
)

// The euler methods of EIF and AdEx do what other simulators do: forward Euler for V and w from the old state, V
// looked at once a step, spikes stamped with the end of the step that passed V_th, refractoriness in whole steps.

var (
	eifEuler = scheme{
		sources: flowSources, fold: onGrid(foldEIF), enter: flowEnter, sync: columnsSync, grid: true,
		lean: func(b *asm.Block) { eulerGeneric(b, false, false) },
		full: func(b *asm.Block) { eulerGeneric(b, false, true) },
	}
	adexEuler = scheme{
		sources: flowSources, fold: onGrid(foldAdEx), enter: flowEnter, sync: columnsSync, grid: true,
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
		b.Fired[b.Step%asm.MaxSteps] = 0
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
			for l := range next {
				d := math.FMA(deltaT[l], grow[l], vInf[l]-v[l])
				if adapt {
					d = math.FMA(-r[l], w[l], d)
					nextW[l] = math.FMA(c[l], math.FMA(a[l], v[l], aRest[l])-w[l], w[l])
				}
				next[l] = math.FMA(q[l], d, v[l])
				if wake[l] > k {
					next[l] = v[l]
				}
			}
			*v = next
			if adapt {
				*w = nextW
			}
			if full {
				lifExtremes(b, at, v, vTh)
			}
			for l, x := range v {
				if x >= vTh[l] {
					eulerReset(b, at+l, k, adapt, full)
				}
			}
			b.Lane += len(next)
		}
		b.Lane = 0
	}
	b.Rare = 0
}

// eulerReset puts lane l back at the end of step k.
func eulerReset(b *asm.Block, l int, k float64, adapt, full bool) {
	b.Fired[b.Step%asm.MaxSteps] |= 1 << l
	b.Y[0][l] = b.Coef[asm.FlowVReset][l]
	if adapt {
		b.Y[1][l] += b.Coef[asm.FlowB][l]
	}
	b.Wake[l] = k + 1 + b.Coef[asm.FlowHold][l]
	if full {
		b.Lo[l] = min(b.Lo[l], b.Y[0][l])
	}
}

// gridSpikes appends the spikes that are noted from step first on, of the group at lane g.
func gridSpikes(b *asm.Block, first, g int, events []Event) []Event {
	events = slices.Grow(events, b.Steps-first+Group)
	n, room := len(events), events[:cap(events)]
	for k := first; k < b.Steps; k++ {
		fired := b.Fired[k%asm.MaxSteps] & lanes(b)
		if len(room)-n < Group {
			events = slices.Grow(room[:n], b.Steps-k+Group)
			room = events[:cap(events)]
		}
		for {
			// None or one is what is usual; without a branch for that, none is foretold wrongly.
			room[n] = Event{int32(g + bits.TrailingZeros64(fired)), int32(k), 1}
			n += int((fired | -fired) >> 63)
			if fired &= fired - 1; fired == 0 {
				break
			}
		}
	}
	return room[:n]
}
