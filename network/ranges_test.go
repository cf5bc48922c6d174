package network

import (
	"math"
	"slices"
	"testing"

	"popsim/kernels"
	"popsim/model"
)

// TestSumsOntoParts: sums onto a part of a population and onto all of it give the same bits where a range begins or
// ends with the part.
func TestSumsOntoParts(t *testing.T) {
	for _, kind := range []Kind{ExpCurrent, ExpConductance, NMDA} {
		s := allToAll(model.LIFModel, ExpConductance, false, false)
		s.Synapses[0].Kind, s.Synapses[0].Alpha, s.Synapses[0].Mg = kind, 0.5, 1
		s.Synapses[0].Rise, s.Synapses[0].Decay = 3, 1.3
		s.Projections = nil
		for k, name := range []string{"part", "A", "B"} {
			p := Projection{
				Name: name, From: []Part{{max(0, k-1), 0, 40}}, To: []Part{{0, 0, 40}}, Rule: AllToAll{},
				Weight: Constant(0.0123 * float64(k+1)), Delay: Constant(1 + 0.13*float64(k)),
			}
			if k == 0 {
				p.To = []Part{{0, 0, 20}}
			}
			s.Projections = append(s.Projections, p)
		}
		s.Populations[0].Start = []kernels.Values{{15}}
		want := collect(t, s, Config{Workers: 1, Ranges: 1}, 30)
		for _, ranges := range []int{2, 4, 80} {
			got := collect(t, s, Config{Workers: 2, Ranges: ranges}, 30)
			if !slices.Equal(stateAfter(t, s, Config{Ranges: 1}, 300), stateAfter(t, s, Config{Ranges: ranges}, 300)) {
				t.Errorf("%v: other states with %d ranges", kind, ranges)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%v, %d ranges: other spikes%s", kind, ranges, firstOther(got, want))
			}
		}
	}
}

// TestDrawnWeightsOfTrains: Poisson trains with weights of their own give the same bits where a range holds one of
// them.
func TestDrawnWeightsOfTrains(t *testing.T) {
	for _, kind := range []Kind{ExpCurrent, ExpConductance} {
		s := allToAll(model.LIFModel, kind, false, false)
		s.Projections = nil
		drawn, same := s.Inputs[0], s.Inputs[0]
		drawn.Name, drawn.Synapse, drawn.Weight = "drawn", 0, Draw{Kind: Uniform, B: 0.3}
		same.Name, same.Synapse, same.Weight = "same", 0, Constant(0.123)
		drawn.Poisson, same.Poisson = &Poisson{Rate: 10000}, &Poisson{Rate: 10000}
		s.Inputs = []Input{same, drawn}
		want := stateAfter(t, s, Config{Workers: 1, Ranges: 1}, 300)
		if got := stateAfter(t, s, Config{Workers: 1, Ranges: 80}, 300); !slices.Equal(got, want) {
			t.Errorf("%v: other states with 80 ranges", kind)
		}
	}
}

// TestGatesOfSeveralDelays: gates of stored edges and gates of rings of one population, with other delays, add nothing
// for each other.
func TestGatesOfSeveralDelays(t *testing.T) {
	for _, delays := range [][2]Constant{{1, 5}, {5, 1}, {1, 1.1}} {
		s := allToAll(model.LIFModel, NMDA, false, false)
		s.Synapses = []Synapse{{Name: "n", Kind: NMDA, Rise: 1, Decay: 20, Alpha: 0.5, Mg: 1, E: 70}, s.Synapses[2]}
		all := []Part{{0, 0, 40}}
		s.Populations, s.Inputs = s.Populations[:1], s.Inputs[:1]
		s.Inputs[0].Synapse = 1
		s.Projections = []Projection{
			{Name: "ring", From: all, To: all, Rule: Ring{1.2, 40}, Weight: Constant(0.01), Delay: delays[0]},
			{Name: "stored", From: all, To: all, Rule: OutDegree{3}, Weight: Constant(0.05), Delay: delays[1]},
		}
		got := collect(t, s, Config{Workers: 1}, 30)
		s.Projections[0].Weight = PerEdge(func(int, int) float64 { return 0.01 }) // stored
		want := collect(t, s, Config{Workers: 1}, 30)
		const tolerance = 1e-7 // steps
		if len(want) < 30 || !slices.EqualFunc(got, want, func(a, b Spike) bool {
			return a.Neuron == b.Neuron && math.Abs(float64(a.Step-b.Step)+a.Theta-b.Theta) < tolerance
		}) {
			t.Errorf("delays %v: other spikes where the ring is stored%s", delays, firstOther(got, want))
		}
	}
}

// TestJumpsOntoOwnEquationsAlone: jumps onto equations of the user's own do not concern built-in models beside them.
func TestJumpsOntoOwnEquationsAlone(t *testing.T) {
	own, s := ownModel(t, ownEIF), allToAll(model.EIFModel, Delta, false, false)
	p := &s.Populations[0]
	p.Model, p.P, p.I = own, nil, kernels.Values{100}
	for _, x := range own.Defaults() {
		p.P = append(p.P, kernels.Values{x})
	}
	for i := range s.Projections {
		s.Projections[i].To = []Part{{0, 0, 40}}
	}
	if spikes := collect(t, s, Config{Workers: 1}, 20); len(spikes) == 0 {
		t.Error("no spikes")
	}
}

// TestTrainsOntoSegmentsSideBySide: where one population ends at a multiple of 64 lanes and the next one begins
// there, a Poisson input onto both reaches both, in one range as in two.
func TestTrainsOntoSegmentsSideBySide(t *testing.T) {
	for _, kind := range []Kind{Delta, ExpCurrent, AlphaCurrent, ExpConductance} {
		s := allToAll(model.LIFModel, ExpCurrent, false, false)
		s.Synapses[0].Kind = kind
		s.Projections = nil
		for i := range s.Populations {
			s.Populations[i].N = 64
		}
		in := s.Inputs[0]
		in.Name, in.Synapse, in.Weight, in.Poisson = "both", 0, Constant(0.01), &Poisson{Rate: 10000}
		in.To = []Part{{0, 0, 64}, {1, 0, 64}}
		s.Inputs = []Input{in}
		want := stateAfter(t, s, Config{Workers: 1, Ranges: 2}, 300)
		if got := stateAfter(t, s, Config{Workers: 1, Ranges: 1}, 300); !slices.Equal(got, want) {
			t.Errorf("%v: other states with one range", kind)
		}
	}
}
