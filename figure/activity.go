package figure

import (
	"cmp"
	"fmt"
	"slices"

	"popsim/model"
	"popsim/pop"
)

// What a picture of a run shows at most.
const (
	ShownTraces  = 3         // neurons with a trace, if none are named
	TraceSamples = 20_000    // samples of a trace
	ShownSpikes  = 4_000_000 // spikes of the raster, the first of them
	shownNeurons = 5000      // rows of the raster, the first of them
	traceBins    = 1500      // in which a trace is drawn by its least and largest value
)

// Activity collects what the picture of a run shows while the run goes on: a raster of spikes, and V of a few neurons.
type Activity struct {
	Full bool // there were more spikes than ShownSpikes

	spec    pop.Spec
	span    float64 // of the run, ms
	neurons int     // rows of the raster
	times   []float64
	ids     []int64
	traced  []int64
	traces  []Trace
}

// NewActivity returns an empty collection for a run of span ms in which the neurons traced have traces.
func NewActivity(spec pop.Spec, span float64, traced []int64) *Activity {
	a := &Activity{spec: spec, span: span, neurons: min(spec.N, shownNeurons), traced: traced}
	for _, i := range traced {
		a.traces = append(a.traces, Trace{Name: fmt.Sprintf("neuron %d", i)})
	}
	return a
}

// AddSpikes adds spikes, in order of time. In models that reset, a trace goes to V_th and jumps to V_reset there.
func (a *Activity) AddSpikes(block []pop.Spike) error {
	for _, s := range block {
		a.addJump(s)
		if s.Neuron >= int64(a.neurons) {
			continue
		}
		if len(a.times) == ShownSpikes {
			a.Full = true
			continue
		}
		a.times, a.ids = append(a.times, s.Time), append(a.ids, s.Neuron)
	}
	return nil
}

// addJump adds a spike of a model that resets to the trace of its neuron.
func (a *Activity) addJump(s pop.Spike) {
	j, m := slices.Index(a.traced, s.Neuron), a.spec.Model
	if j < 0 || m.Fires != model.Reset {
		return
	}
	threshold := a.spec.P[m.Index("V_th")].At(int(s.Neuron))
	reset := a.spec.P[m.Index("V_reset")].At(int(s.Neuron))
	t := &a.traces[j]
	t.T, t.V = append(t.T, s.Time, s.Time), append(t.V, threshold, reset)
}

// AddState adds V, the first state, of a neuron at time ms to its trace, if it has one.
func (a *Activity) AddState(time float64, neuron int64, state []float64) error {
	if j := slices.Index(a.traced, neuron); j >= 0 {
		a.traces[j].T, a.traces[j].V = append(a.traces[j].T, time), append(a.traces[j].V, state[0])
	}
	return nil
}

// Figure returns the picture.
func (a *Activity) Figure(title string) *Figure {
	for j := range a.traces {
		a.traces[j] = thinnedTrace(a.traces[j])
	}
	if n := a.spec.N; n > 1 {
		title += fmt.Sprintf("  (%d neurons)", n)
	}
	f := Raster(title, a.times, a.ids, a.traces...)
	top := float64(a.neurons - 1)
	f.Panels[0].YRange = [2]float64{-0.5 - 0.01*top, 0.5 + 1.01*top}
	if a.neurons < a.spec.N {
		f.Panels[0].YLabel = fmt.Sprintf("neuron (the first %d)", a.neurons)
	}
	if a.neurons == 1 {
		f.Panels[0].Height = 15
	}
	for j := range f.Panels {
		f.Panels[j].XRange = [2]float64{0, a.span}
	}
	return f
}

// thinnedTrace sorts the samples of a trace by time and keeps, of each of traceBins bins, the least and the largest value where
// they occur.
func thinnedTrace(t Trace) Trace {
	order := make([]int, len(t.T))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(t.T[i], t.T[j]) })
	thin := Trace{Name: t.Name}
	bin := max(1, len(order)/traceBins)
	for part := range slices.Chunk(order, bin) {
		low, high := 0, 0
		for i, k := range part {
			if t.V[k] < t.V[part[low]] {
				low = i
			}
			if t.V[k] > t.V[part[high]] {
				high = i
			}
		}
		keep := []int{min(low, high), max(low, high)}
		if low == high {
			keep = keep[:1]
		}
		for _, i := range keep {
			thin.T, thin.V = append(thin.T, t.T[part[i]]), append(thin.V, t.V[part[i]])
		}
	}
	return thin
}
