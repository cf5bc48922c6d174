package network

import (
	"bytes"
	"slices"
	"testing"

	"popsim/kernels"
)

// countingLists is a network whose arrivals are counted; all sums are exact.
func countingLists() *Spec {
	s := balanced(200, Delta, true)
	e, i, all := s.Projections[0].From, s.Projections[1].From, s.Projections[0].To
	s.Projections = []Projection{
		{Name: "EX", From: e, To: all, Rule: InDegree{K: 400}, Weight: Constant(0.375), Delay: Constant(1.5)},
		{Name: "IX", From: i, To: all, Rule: Probability{P: 0.1}, Weight: Constant(-2), Delay: Constant(0.8)},
	}
	return s
}

// TestCountedLists: lists whose arrivals are counted give the spikes of rows of weights added edge by edge where all
// sums are exact, with any instruction set, workers and ranges, also where a step takes several batches.
func TestCountedLists(t *testing.T) {
	s := countingLists()
	e, i, all := s.Projections[0].From, s.Projections[1].From, s.Projections[0].To
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
	if len(n.ranges[0].lists) == 0 {
		t.Error("nothing was counted")
	}
}

// TestCountsBeyondBytes: counts of a lane beyond 255, and more places without an edge than that, are added as what they
// are.
func TestCountsBeyondBytes(t *testing.T) {
	for _, isa := range append(kernels.Available(), kernels.Go) {
		n, err := Build(t.Context(), countingLists(), Config{Workers: 1, ISA: isa})
		if err != nil {
			t.Fatal(err)
		}
		defer n.Close()
		r := n.ranges[0]
		for _, tb := range r.tables {
			again, unused := int32(-1), 0 // a source whose list has places without an edge
			for source := int32(0); again < 0; source++ {
				list := tb.listOf(source)
				if unused = places(list[len(list)-1:], r.lanes)[r.lanes]; unused > 1 {
					again = source
				}
			}
			once := places(tb.listOf(again), r.lanes)
			for _, times := range []int{2, 255 / unused, 255/unused + 1, 254, 255, 256, 511, 512, 1000} {
				tb.batch, tb.density = times, 1
				tb.gathered = slices.Repeat([]int32{again}, times)
				row := make([]float64, len(r.rows[tb.receptor]))
				r.addLists(tb, row)
				for lane, edges := range once[:r.lanes] {
					if want := float64(times*edges) * tb.weight; row[lane] != want {
						t.Fatalf("%v, %d spikes: %g at lane %d, want %g", isa, times, row[lane], lane, want)
					}
				}
			}
		}
	}
}

// places is how often blocks have each lane, and no lane.
func places(blocks []block16, lanes int) []int {
	n := make([]int, lanes+1)
	for _, b := range blocks {
		for _, lane := range b {
			n[lane]++
		}
	}
	return n
}

// TestCountedListsGoOn: a run that goes on from a checkpoint, in other ranges, has the bits of one that was not
// interrupted. Sums are of weights that are not exact in binary.
func TestCountedListsGoOn(t *testing.T) {
	s := countingLists()
	s.Projections[0].Weight, s.Projections[1].Weight = Constant(0.3), Constant(-1.7)
	const before, after = 207, 393 // steps; 207 end inside an epoch
	build := func(c Config) *Network {
		n, err := Build(t.Context(), s, c)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(n.Close)
		return n
	}
	whole, first := build(Config{Workers: 1}), build(Config{Workers: 2, Ranges: 3})
	next := build(Config{Workers: 1, Ranges: 2})
	var file bytes.Buffer
	for _, err := range []error{
		whole.Run(t.Context(), before+after, Recorder{}),
		first.Run(t.Context(), before, Recorder{}), first.Save(&file), next.Restore(&file),
		next.Run(t.Context(), after, Recorder{}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for i, r := range next.ranges {
		if len(r.lists) == 0 {
			t.Errorf("nothing was counted in range %d after the checkpoint", i)
		}
	}
	if !slices.Equal(statesOf(next), statesOf(whole)) {
		t.Error("other states after a checkpoint")
	}
	if want := afterRestore(t, whole, before); !slices.Equal(afterRestore(t, next, before), want) {
		t.Error("other states after another")
	}
}

// TestForecastCountsCounters: the forecast has the counters of every range, and only of networks that count.
func TestForecastCountsCounters(t *testing.T) {
	bytes := func(s *Spec, ranges int) float64 {
		f, err := s.ForecastOf(Config{Workers: 1, Ranges: ranges})
		if err != nil {
			t.Fatal(err)
		}
		return float64(f.Bytes)
	}
	counts, not := countingLists(), countingLists() // the latter with less than half a spike at a neuron if all spike
	not.Projections[0].Rule, not.Projections[1].Rule = Probability{P: 0.0005}, Probability{P: 0.002}
	const (
		counters  = 1<<16 + 16*mostBatch // of a range
		more      = 4                    // ranges
		tolerance = 0.1                  // of them: lists cut into more parts have more places without an edge
	)
	rise := bytes(counts, 1+more) - bytes(counts, 1) - (bytes(not, 1+more) - bytes(not, 1))
	if rise < (1-tolerance)*more*counters || rise > (1+tolerance)*more*counters {
		t.Errorf("%d ranges more take %g bytes more where they count, want %d", more, rise, more*counters)
	}
}
