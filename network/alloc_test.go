package network

import (
	"testing"
)

// TestStepsAllocateNothing: once lists of spikes and events have grown, steps of LIF allocate nothing, on the grid and
// with spikes inside the step.
func TestStepsAllocateNothing(t *testing.T) {
	for _, kind := range []Kind{Delta, ExpCurrent, AlphaCurrent} {
		for _, onGrid := range []bool{false, true} {
			n, err := Build(t.Context(), balanced(100, kind, onGrid), Config{Workers: 1})
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
				t.Errorf("%v, on grid %t: %g allocations in 200 steps", kind, onGrid, got)
			}
		}
	}
}
