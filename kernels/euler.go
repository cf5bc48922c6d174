package kernels

import (
	"math"
	"math/bits"
	"slices"

	"popsim/kernels/asm"
	"popsim/model"
)

// The euler methods of EIF and AdEx do what other simulators do: forward Euler for V and w from the old state, V
// looked at once a step, spikes stamped with the end of the step that passed V_th, refractoriness in whole steps.

var (
	eifEuler = scheme{
		sources: flowSources, driven: asm.FlowRest, fold: foldEIFEuler, enter: flowEnter, sync: columnsSync, grid: true,
		lean: func(b *asm.Block) { eulerGeneric(b, false, false) },
		full: func(b *asm.Block) { eulerGeneric(b, false, true) },
	}
	adexEuler = scheme{
		sources: flowSources, driven: asm.FlowRest, fold: foldAdExEuler, enter: flowEnter, sync: columnsSync, grid: true,
		lean: func(b *asm.Block) { eulerGeneric(b, true, false) },
		full: func(b *asm.Block) { eulerGeneric(b, true, true) },
	}
)

func foldEIFEuler(p []float64, i, gain, dt float64, c []float64) { foldEuler(eifOf(p), i, gain, dt, c) }

func foldAdExEuler(p []float64, i, gain, dt float64, c []float64) {
	foldEuler(model.AdExOf(p), i, gain, dt, c)
}

// foldEuler takes 1 mV for the unit, and t_ref for a whole number of steps.
func foldEuler(q model.AdEx, i, gain, dt float64, c []float64) {
	foldExponential(q, i, gain, dt, 1, c)
	hold, part := wholeSteps(q.TRef, dt)
	c[asm.FlowHold] = math.Round(hold + part)
	s := dt / q.TauW
	c[asm.FlowSinkW], c[asm.FlowSinkV], c[asm.FlowSink] = 1-s, float64(s*q.A), -float64(s*q.A)*q.VRest
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
			drive := *col(asm.FlowDrive, at)
			if full {
				steadyVoltage(b, at, asm.FlowI, asm.FlowGain, asm.FlowRC, asm.FlowRest, &drive)
			}
			var grow, next, nextW vec
			slope, shift := col(asm.FlowSlope, at), col(asm.FlowShift, at)
			for l := range grow {
				u := math.FMA(v[l], slope[l], shift[l])
				if u < exp2Lo {
					u = exp2Lo
				}
				grow[l] = u
			}
			exp2NearVec(&grow)
			c, rc, vTh := col(asm.FlowC, at), col(asm.FlowRC, at), col(asm.FlowVTh, at)
			fromV, fromW, fromRest := col(asm.FlowSinkV, at), col(asm.FlowSinkW, at), col(asm.FlowSink, at)
			for l := range next {
				d := math.FMA(-c[l], v[l], drive[l])
				if adapt {
					d = math.FMA(-rc[l], w[l], d)
					nextW[l] = math.FMA(fromV[l], v[l], math.FMA(fromW[l], w[l], fromRest[l]))
				}
				next[l] = v[l] + (d + grow[l])
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
