package kernels

import (
	"math"
	"math/bits"
	"slices"

	"popsim/kernels/asm"
	"popsim/model"
)

// The euler methods of EIF and AdEx are those of other simulators: forward Euler for V and w from the old state, V
// compared with V_th once a step, spikes at the end of the step in which V passes V_th, refractoriness in whole steps.

var (
	eifEuler = scheme{
		sources: flowSources, firstDriven: asm.FlowRest, fold: foldEIFEuler, enter: flowEnter, sync: columnsSync, grid: true,
		free:   func(b *asm.Block) { eulerGeneric(b, false, false) },
		driven: func(b *asm.Block) { eulerGeneric(b, false, true) },
	}
	adexEuler = scheme{
		sources: flowSources, firstDriven: asm.FlowRest, fold: foldAdExEuler, enter: flowEnter, sync: columnsSync, grid: true,
		free:   func(b *asm.Block) { eulerGeneric(b, true, false) },
		driven: func(b *asm.Block) { eulerGeneric(b, true, true) },
	}
)

func foldEIFEuler(p []float64, i, gain, dt float64, c []float64) { foldEuler(eifOf(p), i, gain, dt, c) }

func foldAdExEuler(p []float64, i, gain, dt float64, c []float64) {
	foldEuler(model.AdExOf(p), i, gain, dt, c)
}

// foldEuler sets the coefficients of euler: changes of V in mV, t_ref rounded to whole steps.
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

// eulerGeneric is the fast step of the euler method; see asm.Block. Its arithmetic, asm.EIFEulerGo and asm.AdExEulerGo,
// is printed from the same recording as the assembly.
func eulerGeneric(b *asm.Block, adapt, full bool) {
	for ; b.Step < b.Steps; b.Step++ {
		k := b.First + float64(b.Step)
		b.Fired[b.Step%asm.MaxSteps] = 0
		for b.Lane < b.Lanes {
			at, fired := b.Lane, uint64(0)
			drive := (*vec)(b.Coef[asm.FlowDrive][at:])
			if full {
				drive = new(vec)
				steadyVoltage(b, at, asm.FlowI, asm.FlowGain, asm.FlowRC, asm.FlowRest, drive)
			}
			if adapt {
				fired = asm.AdExEulerGo(b, at, k, (*[8]float64)(drive))
			} else {
				fired = asm.EIFEulerGo(b, at, k, (*[8]float64)(drive))
			}
			if full {
				lifExtremes(b, at, (*vec)(b.Y[0][at:]), (*vec)(b.Coef[asm.FlowVTh][at:]))
			}
			for ; fired != 0; fired &= fired - 1 {
				eulerReset(b, at+bits.TrailingZeros64(fired), k, adapt, full)
			}
			b.Lane += len(drive)
		}
		b.Lane = 0
	}
	b.InEvent = 0
}

// eulerReset resets lane l at the end of step k.
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

// gridSpikes appends the spikes recorded in Fired from step first on, of the group at lane g.
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
			// Usually none or one: without a branch that distinguishes them, none is mispredicted.
			room[n] = Event{int32(g + bits.TrailingZeros64(fired)), int32(k), 1}
			n += int((fired | -fired) >> 63)
			if fired &= fired - 1; fired == 0 {
				break
			}
		}
	}
	return room[:n]
}
