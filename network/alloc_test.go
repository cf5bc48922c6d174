package network

import (
	"testing"
)

// TestStepsAllocateNothing: once lists of spikes and events have grown, steps of LIF allocate nothing, on the grid and
// with spikes inside the step.
func TestStepsAllocateNothing(t *testing.T) {
	for name, spec := range map[string]func(onGrid bool) *Spec{
		"delta":         func(onGrid bool) *Spec { return balanced(100, Delta, onGrid) },
		"exp-current":   func(onGrid bool) *Spec { return balanced(100, ExpCurrent, onGrid) },
		"alpha-current": func(onGrid bool) *Spec { return balanced(100, AlphaCurrent, onGrid) },
		"conductances":  func(onGrid bool) *Spec { return conductive(onGrid, 0.05) },
	} {
		for _, onGrid := range []bool{false, true} {
			n, err := Build(t.Context(), spec(onGrid), Config{Workers: 1})
			if err != nil {
				t.Fatal(err)
			}
			r := n.ranges[0]
			k := int64(0)
			advance := func() {
				for range 200 {
					if err := r.advance(k, k+1); err != nil {
						t.Fatal(err)
					}
					k++
				}
			}
			for range 20 {
				advance()
			}
			// A list may still grow in a step with more spikes than any before: that is not one allocation in each of 200.
			if got := testing.AllocsPerRun(5, advance); got > 5 {
				t.Errorf("%s, on grid %t: %g allocations in 200 steps", name, onGrid, got)
			}
		}
	}
}
