package main

import (
	"fmt"
	"slices"

	"popsim/figure"
	"popsim/model"
	"popsim/pop"
)

// How much a picture of a run shows.
const (
	shownNeurons   = 5000
	shownSpikes    = 4_000_000
	shownTraces    = 3
	pictureSamples = 20_000 // of each trace
	pictureBins    = 1500   // in which a trace is drawn by its least and largest value
)

// picture gathers what the picture of a run shows: a raster, and V of a few neurons.
type picture struct {
	run     *runCommand
	neurons int
	times   []float64
	ids     []int64
	full    bool
	traces  []figure.Trace
	of      []int64
}

func newPicture(s *runCommand) *picture {
	p := &picture{run: s, neurons: min(s.spec.N, shownNeurons), of: s.traced}
	if !s.of.Given {
		p.of = p.of[:min(shownTraces, len(p.of))]
	}
	for _, i := range p.of {
		p.traces = append(p.traces, figure.Trace{Name: fmt.Sprintf("neuron %d", i)})
	}
	return p
}

// addSpikes notes spikes for the raster. In models that reset, the trace goes to V_th and jumps from there.
func (p *picture) addSpikes(block []pop.Spike) {
	m := p.run.neuron.Model
	for _, s := range block {
		if j := slices.Index(p.of, s.Neuron); j >= 0 && m.Fires == model.Reset {
			t := &p.traces[j]
			th := p.run.spec.P[m.Index("V_th")].At(int(s.Neuron))
			reset := p.run.spec.P[m.Index("V_reset")].At(int(s.Neuron))
			t.T, t.V = append(t.T, s.Time, s.Time), append(t.V, th, reset)
		}
		if s.Neuron >= int64(p.neurons) {
			continue
		}
		if len(p.times) == shownSpikes {
			if !p.full {
				p.run.warn("the picture shows the first %d spikes alone", shownSpikes)
			}
			p.full = true
			continue
		}
		p.times, p.ids = append(p.times, s.Time), append(p.ids, s.Neuron)
	}
}

// addState notes V for a trace.
func (p *picture) addState(time float64, neuron int64, v float64) {
	if j := slices.Index(p.of, neuron); j >= 0 {
		p.traces[j].T, p.traces[j].V = append(p.traces[j].T, time), append(p.traces[j].V, v)
	}
}

// figure is the picture.
func (p *picture) figure() *figure.Figure {
	for j := range p.traces {
		p.traces[j] = thinned(p.traces[j])
	}
	title := p.run.neuron.Title()
	if n := p.run.spec.N; n > 1 {
		title += fmt.Sprintf("  (%d neurons)", n)
	}
	f := figure.Raster(title, p.times, p.ids, p.traces...)
	top := float64(p.neurons - 1)
	f.Panels[0].YRange = [2]float64{-0.5 - 0.01*top, 0.5 + 1.01*top}
	if p.neurons < p.run.spec.N {
		f.Panels[0].YLabel = fmt.Sprintf("neuron (the first %d)", p.neurons)
	}
	if p.neurons == 1 {
		f.Panels[0].Height = 15
	}
	for j := range f.Panels {
		f.Panels[j].XRange = [2]float64{0, p.run.time.Value}
	}
	return f
}

// thinned brings the samples of a trace into the order of time and keeps, of each bin of time, the least and the
// largest value where they occur.
func thinned(t figure.Trace) figure.Trace {
	order := make([]int, len(t.T))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case t.T[a] < t.T[b]:
			return -1
		case t.T[a] > t.T[b]:
			return 1
		}
		return 0
	})
	thin := figure.Trace{Name: t.Name}
	bin := max(1, len(order)/pictureBins)
	for first := 0; first < len(order); first += bin {
		part := order[first:min(first+bin, len(order))]
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
