package network

import (
	"slices"
	"testing"

	"popsim/kernels"
)

// TestCountedLists: lists whose arrivals are counted give the spikes of rows of weights added edge by edge where all
// sums are exact, with any instruction set, workers and ranges, also where a step takes several batches.
func TestCountedLists(t *testing.T) {
	s := balanced(200, Delta, true)
	e, i, all := s.Projections[0].From, s.Projections[1].From, s.Projections[0].To
	s.Projections = []Projection{
		{Name: "EX", From: e, To: all, Rule: InDegree{K: 400}, Weight: Constant(0.375), Delay: Constant(1.5)},
		{Name: "IX", From: i, To: all, Rule: Probability{P: 0.1}, Weight: Constant(-2), Delay: Constant(0.8)},
	}
	single := *s // a second delay, of no edge, makes lists that are added edge by edge
	single.Projections = append(slices.Clone(s.Projections),
		Projection{Name: "none", From: e, To: all, Rule: Probability{}, Weight: Constant(0.375), Delay: Constant(2)},
		Projection{Name: "none2", From: i, To: all, Rule: Probability{}, Weight: Constant(-2), Delay: Constant(2)})
	want := collect(t, &single, Config{Workers: 1, ISA: kernels.Go}, 60)
	if len(want) < 500 {
		t.Errorf("%d spikes", len(want))
	}
	for _, isa := range append(kernels.Available(), kernels.Go) {
		for workers := 1; workers <= 3; workers++ {
			if got := collect(t, s, Config{Workers: workers, ISA: isa}, 60); !slices.Equal(got, want) {
				t.Errorf("%v, %d workers: other spikes", isa, workers)
			}
		}
	}
	n, err := Build(t.Context(), s, Config{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	if err := n.Run(t.Context(), 600, Recorder{}); err != nil {
		t.Fatal(err)
	}
	if n.ranges[0].arrived == nil {
		t.Error("nothing was counted")
	}
}
