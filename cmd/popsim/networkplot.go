package main

import (
	"fmt"
	"math"
	"slices"

	"popsim/figure"
	"popsim/network/recording"
)

// shownNetworkNeurons is the number of neurons of a network of which a picture shows the spikes.
const shownNetworkNeurons = 1000

// networkTraces gathers V of a few neurons for the picture of a network.
type networkTraces struct {
	of     []int
	traces []figure.Trace
}

// newNetworkTraces lets a trace be gathered for a picture too, in steps that suit it where there is no table of it.
func newNetworkTraces(r *networkRun, cfg *recording.Trace) *networkTraces {
	t := &networkTraces{}
	if !r.runCommand.of.Given {
		return t
	}
	spec := r.resolved.Spec
	for _, i := range r.of[:min(len(r.of), 2*figure.ShownTraces)] {
		t.of = append(t.of, i)
		first := 0
		for _, p := range spec.Populations {
			if i < first+p.N {
				t.traces = append(t.traces, figure.Trace{Name: fmt.Sprintf("%s %d", p.Name, i-first)})
				break
			}
			first += p.N
		}
	}
	if r.trace.Value == "" {
		cfg.Of = t.of
		cfg.Every = max(1, int64(math.Floor(r.time.Value/spec.Dt/figure.TraceSamples)))
	}
	cfg.Row = func(time float64, neuron int, v float64) {
		if j := slices.Index(t.of, neuron); j >= 0 {
			t.traces[j].T, t.traces[j].V = append(t.traces[j].T, time), append(t.traces[j].V, v)
		}
	}
	return t
}

// figure is the picture of the run.
func (r *networkRun) figure() *figure.Figure {
	var populations []figure.Population
	for _, s := range r.rec.Samples() {
		if s.Cut {
			r.warn("the picture shows the first spikes alone; there are too many")
		}
		populations = append(populations, figure.Population{
			Name: s.Name, Size: s.Size, Shown: s.Shown, Times: s.Times, Neurons: s.Neurons, RateT: s.RateT, Rate: s.Rate,
		})
	}
	title := r.name
	for _, s := range r.settings {
		title += fmt.Sprintf("  %s = %s", s.Name, s.Text)
	}
	return figure.Network(title, r.time.Value, populations, r.traces.traces...)
}
