package network

import (
	"math"
	"testing"

	"popsim/kernels"
	"popsim/rng"
)

// CUBA with exact in-degrees, V(0) uniform: mean rates over 4 s after 1 s, and what one run may differ from them
// (Student, 99.9 %, scatter of both sides), from independent simulations: 17 seeds.
const (
	cubaE, cubaETolerance = 5.1111, 0.17769
	cubaI, cubaITolerance = 5.1441, 0.052021
)

func TestCUBARates(t *testing.T) {
	s := cuba(false)
	s.Dt = 0.1
	for i := range s.Populations {
		p := &s.Populations[i]
		start := rng.NewStream(1, "start "+p.Name)
		p.Start = []kernels.Values{make(kernels.Values, p.N)}
		for j := range p.N {
			p.Start[0][j] = -60 + 10*start.Uniform(uint32(j), 0)
		}
	}
	s.Projections[0].Rule, s.Projections[1].Rule = InDegree{K: 64}, InDegree{K: 16}
	spikes := [2]float64{}
	n, err := Build(t.Context(), s, Config{})
	if err != nil {
		t.Fatal(err)
	}
	err = n.Run(t.Context(), 50000, Recorder{Spikes: func(x []Spike) error {
		for _, sp := range x {
			if sp.Step >= 10000 {
				spikes[min(1, int(sp.Neuron)/3200)]++
			}
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	e, i := spikes[0]/3200/4, spikes[1]/800/4
	t.Logf("E %.4f, I %.4f spikes/s", e, i)
	if math.Abs(e-cubaE) > cubaETolerance || math.Abs(i-cubaI) > cubaITolerance {
		t.Errorf("E %.4f, I %.4f spikes/s; want %.4f ± %.3f, %.4f ± %.3f", e, i, cubaE, cubaETolerance, cubaI, cubaITolerance)
	}
}
