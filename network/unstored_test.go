package network

import (
	"fmt"
	"slices"
	"testing"

	"popsim/kernels"
	"popsim/kernels/asm"
)

// BenchmarkUnstored adds eight spikes onto 4096 lanes by a ring; ns/event is for each of their edges.
func BenchmarkUnstored(b *testing.B) {
	const n, count = 4096, 8
	kernel := make([]float64, 2*n)
	for i := range kernel {
		kernel[i] = 1 / float64(1+i%n)
	}
	inside := asm.UnitEdge{Add: [3]float64{0.9, 0.02, 0.1}}
	u := unstored{n: n, lanes: n, kernel: kernel}
	for width, unit := range []*asm.UnitEdge{&onePerEdge, &inside, &inside} {
		u.spikes = u.spikes[:0]
		for i := range count {
			u.spikes = append(u.spikes, spreadSpike{source: 100 + 400*i, unit: unit})
		}
		run := &runOf{Blocks: count}
		row := make([]float64, (width+1)*n)
		for _, isa := range kernels.Available() {
			b.Run(fmt.Sprintf("width=%d/isa=%v", width+1, isa), func(b *testing.B) {
				for b.Loop() {
					u.addSpread(isa, row, width+1, run)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(n*count), "ns/event")
			})
		}
	}
}

// TestRingsAreNotStored compares networks of rings, and from all to all but for the neuron itself, with the same edges
// listed, whose sums are in another order; and networks cut into 1, 2 and 7 ranges.
func TestRingsAreNotStored(t *testing.T) {
	const n = 120
	for _, onGrid := range []bool{false, true} {
		for _, kind := range []Kind{Delta, ExpCurrent, AlphaCurrent, ExpConductance} {
			s := rings(n, kind, onGrid)
			net, err := Build(t.Context(), s, Config{Workers: 2, Ranges: 2})
			if err != nil {
				t.Fatal(err)
			}
			// There are an index of two numbers, and twice the weights by displacement, for each table.
			if y := net.Summary(); y.Bytes > 2*2*8*(2*8*n+8) || y.Edges < 4*n*n {
				t.Errorf("%d bytes for %d edges", y.Bytes, y.Edges)
			}
			const tolerance = 1e-7 // of places in a step
			if compareWithListed(t, s, tolerance); t.Failed() {
				t.Fatalf("kind %v, on grid %v", kind, onGrid)
			}
			want := collect(t, s, Config{Workers: 1, Ranges: 1}, 50)
			for _, c := range []Config{{Workers: 2, Ranges: 2}, {Workers: 3, Ranges: 7, ISA: kernels.Go}} {
				if got := collect(t, s, c, 50); !slices.Equal(got, want) {
					t.Errorf("kind %v, on grid %v: other spikes in %d ranges", kind, onGrid, c.Ranges)
				}
			}
		}
	}
}

// rings is a network with connections on rings, by synapses of one kind.
func rings(n int, kind Kind, onGrid bool) *Spec {
	s := everyRule(n)
	a, b, c := []Part{{0, 0, n}}, []Part{{1, 0, n}}, []Part{{0, n / 4, n / 3}}
	part := []Part{{2, 0, n / 3}}
	signs, scale := Ring{1.9, 110}, Constant(1)
	if kind == ExpConductance {
		signs, scale = Ring{1.2, 40}, 0.02
	}
	s.OnGrid = onGrid
	for i := range s.Synapses {
		s.Synapses[i] = Synapse{Name: s.Synapses[i].Name, Kind: kind, Tau: 3, E: 70}
	}
	s.Inputs = drive(map[Kind]float64{Delta: 8, ExpCurrent: 40, AlphaCurrent: 15, ExpConductance: 1}[kind])
	s.Projections = []Projection{
		{Name: "own", From: a, To: a, Rule: Ring{1.6, 20}, Weight: 0.2 * scale, Delay: Constant(1), NoAutapses: true},
		{Name: "other", From: a, To: b, Rule: Ring{1.6, 20}, Weight: 0.3 * scale, Delay: Constant(1.5)},
		{Name: "signs", From: b, To: a, Synapse: 1, Rule: signs, Weight: 0.1 * scale, Delay: Constant(1)},
		{Name: "all", From: b, To: b, Rule: AllToAll{}, Weight: 0.1 * scale, Delay: Constant(2), NoAutapses: true},
		{Name: "part", From: part, To: c, Rule: Ring{1.2, 40}, Weight: 0.2 * scale, Delay: Constant(1)},
	}
	if kind != ExpConductance {
		s.Projections[3].Weight = Constant(-0.02)
	}
	return s
}
