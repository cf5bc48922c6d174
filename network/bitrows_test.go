package network

import (
	"slices"
	"testing"

	"popsim/kernels"
)

// TestBitRows: rows of bits give the spikes of lists where all sums are exact, with any instruction set and workers;
// some pairs have two edges. They take less memory.
func TestBitRows(t *testing.T) {
	s := balanced(1000, Delta, true)
	e, i, all := s.Projections[0].From, s.Projections[1].From, s.Projections[0].To
	s.Projections = []Projection{
		{Name: "EX", From: e, To: all, Rule: InDegree{K: 400}, Weight: Constant(0.375), Delay: Constant(1.5)},
		{Name: "IX", From: i, To: all, Rule: Probability{P: 0.1}, Weight: Constant(-2), Delay: Constant(0.8)},
	}
	drawn := Draw{Kind: Normal, A: 0.4, B: 0.1}
	s.Projections = append(s.Projections,
		Projection{Name: "sparse", From: all, To: all, Rule: InDegree{K: 5}, Weight: drawn, Delay: Constant(1.2), Synapse: 1})
	s.Synapses = append(s.Synapses, Synapse{Name: "other", Kind: ExpCurrent, Tau: 3})
	lists := *s // a second delay, of no edge, makes lists
	lists.Projections = append(slices.Clone(s.Projections),
		Projection{Name: "none", From: all, To: all, Rule: Probability{}, Weight: Constant(0.375), Delay: Constant(2)})
	rows, bytes := rowsOfBits(t, &lists, Config{Workers: 1})
	want := collect(t, &lists, Config{Workers: 1, ISA: kernels.Go}, 60)
	if len(want) < 1000 || rows > 0 {
		t.Errorf("%d spikes of %d tables of rows of bits", len(want), rows)
	}
	for _, isa := range append(kernels.Available(), kernels.Go) {
		for workers := 1; workers <= 3; workers++ {
			c := Config{Workers: workers, ISA: isa}
			if rows, b := rowsOfBits(t, s, c); rows != 2*workers || b >= bytes {
				t.Errorf("%v, %d workers: %d tables of rows of bits; %d bytes, %d in lists", isa, workers, rows, b, bytes)
			}
			if got := collect(t, s, c, 60); !slices.Equal(got, want) {
				t.Errorf("%v, %d workers: other spikes", isa, workers)
			}
		}
	}
}

// rowsOfBits counts the tables that are rows of bits, and the bytes of all.
func rowsOfBits(t *testing.T, s *Spec, c Config) (rows int, bytes int64) {
	t.Helper()
	n, err := Build(t.Context(), s, c)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	for _, r := range n.ranges {
		for _, tb := range r.tables {
			if tb.style == bitRows {
				rows++
			}
		}
	}
	return rows, n.Summary().Bytes
}
