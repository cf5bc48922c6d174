package network

import (
	"slices"
	"testing"

	"popsim/kernels"
)

// TestBitRowsKeepTheBits: rows of bits, which only AVX-512 has, give the spikes of lists, with any workers; some pairs
// have two edges. They take less memory.
func TestBitRowsKeepTheBits(t *testing.T) {
	s := balanced(1000, Delta, true)
	e, i, all := s.Projections[0].From, s.Projections[1].From, s.Projections[0].To
	drawn := Draw{Kind: Normal, A: 0.4, B: 0.1}
	s.Projections = []Projection{
		{Name: "EX", From: e, To: all, Rule: InDegree{K: 400}, Weight: Constant(0.4), Delay: Constant(1.5)},
		{Name: "IX", From: i, To: all, Rule: Probability{P: 0.1}, Weight: Constant(-2), Delay: Constant(0.8)},
		{Name: "sparse", From: all, To: all, Rule: InDegree{K: 5}, Weight: drawn, Delay: Constant(1.2)},
	}
	s.Projections[2].Synapse = 1
	s.Synapses = append(s.Synapses, Synapse{Name: "other", Kind: ExpCurrent, Tau: 3})
	want := collect(t, s, Config{Workers: 1, ISA: kernels.Go}, 60)
	if len(want) < 1000 {
		t.Errorf("only %d spikes", len(want))
	}
	bytes := map[kernels.ISA]int64{} // of three workers
	for _, isa := range kernels.Available() {
		for workers := 1; workers <= 3; workers++ {
			n, err := Build(t.Context(), s, Config{Workers: workers, ISA: isa})
			if err != nil {
				t.Fatal(err)
			}
			rows := 0
			for _, r := range n.ranges {
				for _, tb := range r.tables {
					if tb.style == bitRows {
						rows++
					}
				}
			}
			if wanted := isa == kernels.AVX512; (rows == 2*workers) != wanted || !wanted && rows > 0 {
				t.Errorf("%v, %d workers: %d tables of rows of bits", isa, workers, rows)
			}
			bytes[isa] = n.Summary().Bytes
			n.Close()
			if got := collect(t, s, Config{Workers: workers, ISA: isa}, 60); !slices.Equal(got, want) {
				t.Errorf("%v, %d workers: other spikes", isa, workers)
			}
		}
	}
	if b := bytes[kernels.AVX512]; b >= bytes[kernels.Go] {
		t.Errorf("%d bytes in rows of bits, %d in lists", b, bytes[kernels.Go])
	}
}
