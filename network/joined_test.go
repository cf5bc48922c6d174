package network

import (
	"math"
	"slices"
	"testing"

	"popsim/kernels"
)

// joinedSpec is a network whose receptors are joined, with Poisson arrivals of either sign.
func joinedSpec(kind Kind) *Spec {
	s := balanced(100, kind, false)
	s.Projections[1].Weight, s.Projections[1].Delay = Draw{Kind: Normal, A: -200, B: 60}, Constant(1.5)
	inhibition := s.Inputs[0]
	inhibition.Name, inhibition.Weight, inhibition.Poisson = "inhibition", Constant(-20), &Poisson{Rate: 1000}
	s.Inputs = append(s.Inputs, inhibition)
	return s
}

// TestJoinedReceptors: joined receptors give the spikes of two that are not, but for rounding, and the same bits with
// any instruction set, workers and ranges.
func TestJoinedReceptors(t *testing.T) {
	for _, x := range []struct {
		name string
		kind Kind
		ex   Law
	}{
		{"exp", ExpCurrent, Draw{Kind: Normal, A: 40, B: 4}},
		{"alpha, drawn", AlphaCurrent, Draw{Kind: Normal, A: 40, B: 4}},
		{"alpha, shared", AlphaCurrent, Constant(40)},
	} {
		t.Run(x.name, func(t *testing.T) {
			spec := func() *Spec {
				s := joinedSpec(x.kind)
				s.Projections[0].Weight = x.ex
				return s
			}
			joinedAsApart(t, spec)
		})
	}
}

func joinedAsApart(t *testing.T, spec func() *Spec) {
	const (
		length  = 100  // ms: before rounding errors have grown
		largest = 1e-9 // steps: of the times of spikes
	)
	joined, apart := spec(), spec()
	apart.Synapses = append(apart.Synapses, Synapse{Name: "another", Kind: Delta})
	apart.Inputs = append(apart.Inputs, Input{
		Name: "none", Synapse: 1, To: []Part{{0, 0, 400}, {1, 0, 100}}, Weight: Constant(0), Poisson: &Poisson{Rate: 1e-9},
	})
	spread := spec() // what comes by edges that are not stored is in no sum of negative weights
	i := []Part{{1, 0, 100}}
	spread.Projections = append(spread.Projections, Projection{
		Name: "II", From: i, To: i, Rule: AllToAll{}, NoAutapses: true, Weight: Constant(-20), Delay: Constant(1.5),
	})
	for s, want := range map[*Spec]bool{joined: true, apart: false, spread: false} {
		n, err := Build(t.Context(), s, Config{})
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.ContainsFunc(n.layout.joined, func(c int) bool { return c >= 0 }); got != want {
			t.Errorf("receptors joined: %v, want %v", got, want)
		}
		n.Close()
	}
	x := collect(t, joined, Config{Workers: 1, Ranges: 1, ISA: kernels.Go}, length)
	for _, isa := range kernels.Available() {
		if !slices.Equal(collect(t, joined, Config{Workers: 2, Ranges: 3, ISA: isa}, length), x) {
			t.Errorf("%v, 2 workers: other bits", isa)
		}
	}
	y := collect(t, apart, Config{}, length)
	if len(x) != len(y) || len(x) < 200 {
		t.Fatalf("%d spikes of joined receptors, %d of others", len(x), len(y))
	}
	for i := range x {
		d := float64(x[i].Step-y[i].Step) + x[i].Theta - y[i].Theta
		if x[i].Neuron != y[i].Neuron || math.Abs(d) > largest {
			t.Fatalf("spike %d: %v of joined receptors, %v of others", i, x[i], y[i])
		}
	}
}
