package network

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
)

// TestSplitBarrier: workers that all share every epoch, and begin it with the spikes of earlier epochs while others are
// still in the epoch before, give the bits of one worker. The race detector covers the same code.
func TestSplitBarrier(t *testing.T) {
	for _, onGrid := range []bool{false, true} {
		nets := map[string]*Spec{
			"mixed": mixed(AlphaCurrent, onGrid), "conductances": conductive(onGrid, 0.1), "gates": gated(true, onGrid, false),
		}
		for i, least := range []float64{0.1, 0.5, 2.9} {
			s := balanced(20, []Kind{ExpCurrent, Delta, ExpCurrent}[i], onGrid)
			s.Projections[0].Delay = Draw{Kind: Uniform, A: least, B: 3, Round: 0.1}
			s.Projections[1].Delay = Constant(max(least, 1.53))
			nets[fmt.Sprintf("delays from %g ms on", least)] = s
		}
		for name, s := range nets {
			want := barrierSpikes(t, s, 1)
			if len(want) < 20 {
				t.Fatalf("%s, on grid %t: only %d spikes", name, onGrid, len(want))
			}
			for workers := 2; workers <= 7; workers++ {
				if got := barrierSpikes(t, s, workers); !slices.Equal(got, want) {
					t.Errorf("%s, on grid %t: other spikes with %d workers", name, onGrid, workers)
				}
			}
		}
	}
}

// barrierSpikes are the spikes of 40 ms, in runs of several lengths, the last of which begins where one was cancelled.
func barrierSpikes(t *testing.T, s *Spec, workers int) (spikes []Spike) {
	n, err := Build(t.Context(), s, Config{Workers: workers, Ranges: workers})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	n.always = true
	rec := Recorder{Spikes: func(x []Spike) error {
		spikes = append(spikes, x...)
		return nil
	}}
	for _, steps := range []int64{1, 99, 157} {
		if err := n.Run(t.Context(), steps, rec); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	rec.Progress = func(step int64) error {
		if step >= 300 {
			cancel()
		}
		return nil
	}
	if err := n.Run(ctx, 1000, rec); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	rec.Progress = nil
	if err := n.Run(t.Context(), 400-n.Steps(), rec); err != nil {
		t.Fatal(err)
	}
	if stats := n.Stats(); workers > 1 && stats.Alone > 0 {
		t.Fatalf("%d of %d epochs were not shared", stats.Alone, stats.Epochs)
	}
	return spikes
}

// TestSmallNetworksAreNotShared: CUBA has 1.6 µs of work in a step on the grid, less than sharing pays for; Brunel's
// network has 270 µs in an epoch.
func TestSmallNetworksAreNotShared(t *testing.T) {
	for _, c := range []struct {
		name   string
		s      *Spec
		ranges int
	}{
		{"CUBA", cuba(true), 1},
		{"Brunel", brunel(true), 4},
		{"few neurons", balanced(20, Delta, true), 1},
		{"coupled neurons", conductive(false, 0.1), 4},
	} {
		n, err := newNetwork(c.s, Config{Workers: 4})
		if err != nil {
			t.Fatal(err)
		}
		f, err := n.forecast(Config{Workers: 4})
		if err != nil {
			t.Fatal(err)
		}
		if got := n.rangeCount(Config{Workers: 4}, f); got != c.ranges {
			t.Errorf("%s: %d ranges for 4 workers, want %d (%v of work)", c.name, got, c.ranges, n.work(f))
		}
	}
}

// TestPrepareAddsEarlierArrivals: of delays of one step to many most arrivals are added before the barrier, and of one
// delay none.
func TestPrepareAddsEarlierArrivals(t *testing.T) {
	for _, c := range []struct {
		delay Draw
		least float64
		most  float64
	}{
		{Draw{Kind: Uniform, A: 0.1, B: 3, Round: 0.1}, 0.9, 0.99},
		{Draw{Kind: Uniform, A: 1.5, B: 1.5}, 0, 0},
	} {
		s := balanced(100, ExpCurrent, true)
		s.Projections[0].Delay, s.Projections[1].Delay = c.delay, c.delay
		n, err := Build(t.Context(), s, Config{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		r, l := n.ranges[0], n.layout
		early, all := 0, 0
		for k := int64(0); k < 600; k += l.steps {
			r.runs = r.runs[:0]
			r.keepSpikes(k-1, k)
			r.listRuns(k, l.longest, int(l.steps)+1)
			early += len(r.runs)
			r.listRuns(k, int(l.steps), int(l.steps))
			all += len(r.runs)
			if err := r.advance(k, k+l.steps); err != nil {
				t.Fatal(err)
			}
		}
		if share := float64(early) / float64(all); all < 100 || share < c.least || share > c.most {
			t.Errorf("%v: %d of %d runs of edges before the barrier", c.delay, early, all)
		}
	}
}
