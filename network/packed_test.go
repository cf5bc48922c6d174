package network

import (
	"bytes"
	"slices"
	"testing"

	"popsim/kernels"
	"popsim/model"
)

// spreadNet is a network of LIF neurons, excitatory and inhibitory, with drawn weights and delays of 0.1 to 4 ms.
func spreadNet(onGrid bool, kind Kind) *Spec {
	weight := map[Kind]float64{Delta: 0.02, ExpCurrent: 3, AlphaCurrent: 3}[kind]
	s := &Spec{Dt: 0.1, Seed: 3, OnGrid: onGrid, Synapses: []Synapse{{Name: "s", Kind: kind, Tau: 0.5}}}
	for i, n := range []int{400, 100} {
		p := Population{Name: string(rune('A' + i)), N: n, Model: model.LIFModel}
		for _, x := range p.Model.Defaults() {
			p.P = append(p.P, kernels.Values{x})
		}
		for k := range n {
			p.I = append(p.I, 19+4*float64(k)/float64(n))
		}
		s.Populations = append(s.Populations, p)
	}
	to := []Part{{0, 0, 400}, {1, 0, 100}}
	for i, w := range []float64{weight, -3 * weight} {
		s.Projections = append(s.Projections, Projection{
			Name: s.Populations[i].Name, From: to[i : i+1], To: to, Rule: OutDegree{K: 80},
			Weight: Draw{Kind: Normal, A: w, B: weight / 6},
			Delay:  Draw{Kind: Normal, A: 1.5, B: 0.75, Redraw: &[2]float64{0.1, 4}, Round: 0.1},
		})
	}
	return s
}

// packedTablesOf counts the packed tables of a network, and all.
func packedTablesOf(n *Network) (packed, all int) {
	for _, r := range n.ranges {
		for _, t := range r.tables {
			if all++; t.laneBits > 0 {
				packed++
			}
		}
	}
	return packed, all
}

// packedNets are the networks of which all tables are packed.
var packedNets = []struct {
	onGrid   bool
	kind     Kind
	byTarget int // projections that are drawn by target, the first ones
}{
	{true, ExpCurrent, 0},
	{true, AlphaCurrent, 0},
	{true, Delta, 0},
	{false, ExpCurrent, 0},
	{false, AlphaCurrent, 0},
	{true, ExpCurrent, 2},
	{false, ExpCurrent, 2},
	{true, Delta, 1},
	{false, AlphaCurrent, 1},
}

// drawByTarget makes the first n projections of spreadNet in-degrees, with the same mean numbers of edges.
func drawByTarget(s *Spec, n int) {
	for i := range n {
		s.Projections[i].Rule = InDegree{K: 80 * s.Populations[i].N / 500}
	}
}

// TestPackedSameBits: packed tables give the same spikes and states as runs of each delay, for any number of ranges and
// instruction set, and after a checkpoint.
func TestPackedSameBits(t *testing.T) {
	const (
		ms    = 60
		steps = 377 // before the checkpoint
	)
	for _, c := range packedNets {
		s := spreadNet(c.onGrid, c.kind)
		drawByTarget(s, c.byTarget)
		packs = false
		want, states := collect(t, s, Config{Workers: 1, Ranges: 1}, ms), stateAfter(t, s, Config{Workers: 1}, 2*steps)
		packs = true
		if len(want) < 500 {
			t.Errorf("%d spikes", len(want))
		}
		for i, ranges := range []int{1, 2, 5, 16, 64} {
			workers := []int{1, 2, 3, 5, 7}[i]
			for _, isa := range kernels.Available() {
				config := Config{Workers: workers, Ranges: ranges, ISA: isa}
				if got := collect(t, s, config, ms); !slices.Equal(got, want) {
					t.Errorf("%v, %d ranges, %v: other spikes%s", c, ranges, isa, firstOther(got, want))
				}
			}
			n, err := Build(t.Context(), s, Config{Workers: workers, Ranges: ranges})
			if err != nil {
				t.Fatal(err)
			}
			if packed, all := packedTablesOf(n); packed < all {
				t.Errorf("%v, %d ranges: %d of %d tables packed", c, ranges, packed, all)
			}
			if got := afterRestore(t, n, steps); !slices.Equal(got, states) {
				t.Errorf("%v, %d ranges: other states after a checkpoint", c, ranges)
			}
		}
	}
}

// TestPackedGraphs: packed tables hold the same edges in the same order as runs of each delay, whether memory can be
// reserved or not, where all edges are drawn by target, some, or some of one population.
func TestPackedGraphs(t *testing.T) {
	defer func(was bool) { reserves = was }(reserves)
	far := Draw{Kind: Uniform, A: 0.1, B: 80, Round: 0.1} // further apart than a target can tell
	for _, c := range []struct {
		name     string
		change   func(s *Spec)
		fillings [2]filling
		packed   bool // whether all tables are, with 64 ranges
	}{
		{"by source", func(*Spec) {}, [2]filling{once, once}, true},
		{"by target", func(s *Spec) { drawByTarget(s, 2) }, [2]filling{rangeByRange, rangeByRange}, true},
		{"by target, far", func(s *Spec) {
			drawByTarget(s, 2)
			s.Projections[0].Delay, s.Projections[1].Delay = far, far
		}, [2]filling{rangeByRange, rangeByRange}, true},
		{"one by target", func(s *Spec) { drawByTarget(s, 1) }, [2]filling{rangeByRange, once}, true},
		{"a pool by target", func(s *Spec) {
			drawByTarget(s, 1)
			s.Projections[0].From = s.Projections[0].To
			s.Projections = s.Projections[:1]
		}, [2]filling{rangeByRange, rangeByRange}, true},
		{"a pool by target, one of it by source", func(s *Spec) {
			drawByTarget(s, 1)
			s.Projections[0].From = s.Projections[0].To
		}, [2]filling{twice, twice}, false},
	} {
		for _, onGrid := range []bool{true, false} {
			s := spreadNet(onGrid, ExpCurrent)
			c.change(s)
			for _, ranges := range []int{1, 4, 64} {
				packs, reserves = false, true
				want, err := Build(t.Context(), s, Config{Workers: 1, Ranges: ranges})
				packs = true
				if err != nil {
					t.Fatal(err)
				}
				for _, reserves = range []bool{true, false} {
					n, err := Build(t.Context(), s, Config{Workers: 3, Ranges: ranges})
					if err != nil {
						t.Fatal(err)
					}
					if got := [2]filling(n.layout.fillings()); reserves && got != c.fillings {
						t.Errorf("%s: populations are filled in the ways %v; want %v", c.name, got, c.fillings)
					}
					if packed, all := packedTablesOf(n); reserves && ranges == 64 && (packed == all) != c.packed {
						t.Errorf("%s, grid %v: %d of %d tables packed", c.name, onGrid, packed, all)
					}
					if n.Summary().Checksum != want.Summary().Checksum || tablesHash(n) != tablesHash(want) {
						t.Errorf("%s, grid %v, %d ranges, memory reserved %v: other edges than in runs", c.name, onGrid, ranges, reserves)
					}
				}
			}
		}
	}
}

// afterRestore is the state of n after twice a number of steps, with a checkpoint half way: a run goes on, is set back
// to the checkpoint and done again.
func afterRestore(t *testing.T, n *Network, steps int64) []float64 {
	t.Helper()
	var saved bytes.Buffer
	for _, do := range []func() error{
		func() error { return n.Run(t.Context(), steps, Recorder{}) },
		func() error { return n.Save(&saved) },
		func() error { return n.Run(t.Context(), steps/3, Recorder{}) },
		func() error { return n.Restore(&saved) },
		func() error { return n.Run(t.Context(), steps, Recorder{}) },
	} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
	}
	return statesOf(n)
}

// TestTimedApart: timing ranges apart leaves the network in the state of a run of as many epochs.
func TestTimedApart(t *testing.T) {
	const warm, epochs = 30, 200
	s := spreadNet(true, ExpCurrent)
	n, err := Build(t.Context(), s, Config{Workers: 1, Ranges: 5})
	if err != nil {
		t.Fatal(err)
	}
	times, err := n.TimedApart(warm, epochs)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range times {
		if e.Mean <= 0 || e.Busiest < e.Mean || e.Early > e.Mean {
			t.Fatalf("%+v", e)
		}
	}
	if len(times) != epochs || n.Steps() != (warm+epochs)*n.layout.steps {
		t.Errorf("%d epochs timed, %d steps done", len(times), n.Steps())
	}
	if want := stateAfter(t, s, Config{Workers: 1}, n.Steps()); !slices.Equal(statesOf(n), want) {
		t.Error("other states than after a run")
	}
}
