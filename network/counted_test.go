package network

import (
	"math"
	"slices"
	"testing"

	"popsim/kernels"
)

// denseSpec is a burstSpec in which most pairs have edges, so that they are stored as rows of counts.
func denseSpec() *Spec {
	s := burstSpec(AlphaCurrent, 0.326, false)
	ex, ix := &s.Projections[0], &s.Projections[1]
	ex.Rule, ix.Rule = InDegree{K: 900}, InDegree{K: 225}
	ex.Weight, ix.Weight = Constant(ex.Weight.(Constant)*0.6), Constant(ix.Weight.(Constant)*0.6)
	return s
}

// TestCountedRows: rows of counts give the spikes of lists, but for rounding, and the same bits with any instruction
// set, workers and ranges; and there are as many edges in them as in the graph.
func TestCountedRows(t *testing.T) {
	const (
		length  = 20   // ms: before rounding errors have grown
		largest = 1e-9 // steps: of the times of spikes
	)
	counted, listed := denseSpec(), denseSpec()
	for i := range listed.Projections { // weights of edges, though they are all alike, make lists
		p := &listed.Projections[i]
		w := float64(p.Weight.(Constant))
		p.Weight = PerEdge(func(int, int) float64 { return w })
	}
	n, err := Build(t.Context(), counted, Config{Ranges: 3})
	if err != nil {
		t.Fatal(err)
	}
	edges := int64(0)
	for _, r := range n.ranges {
		for _, table := range r.tables {
			if table.style != countRows {
				t.Errorf("a table of style %d", table.style)
			}
			for _, x := range table.counts {
				edges += int64(x)
			}
		}
	}
	if edges != n.Summary().Edges {
		t.Errorf("%d edges in rows, %d in the graph", edges, n.Summary().Edges)
	}
	n.Close()
	x := collect(t, counted, Config{Workers: 1, Ranges: 1, ISA: kernels.Go}, length)
	for _, isa := range kernels.Available() {
		if !slices.Equal(collect(t, counted, Config{Workers: 2, Ranges: 3, ISA: isa}, length), x) {
			t.Errorf("%v, 2 workers: other bits", isa)
		}
	}
	y := collect(t, listed, Config{}, length)
	if len(x) != len(y) || len(x) < 500 {
		t.Fatalf("%d spikes by rows of counts, %d by lists", len(x), len(y))
	}
	for i := range x {
		d := float64(x[i].Step-y[i].Step) + x[i].Theta - y[i].Theta
		if x[i].Neuron != y[i].Neuron || math.Abs(d) > largest {
			t.Fatalf("spike %d: %v by rows of counts, %v by lists", i, x[i], y[i])
		}
	}
}

// TestFewPairsAreListed: where edges are few on average over populations, but hundreds between some neurons, they are
// lists: a count would not hold them.
func TestFewPairsAreListed(t *testing.T) {
	for name, pools := range map[string][2]Part{
		"one source": {{0, 0, 1}, {0, 0, 800}}, "one target": {{0, 0, 800}, {0, 0, 1}}, "one pair": {{0, 0, 1}, {0, 3, 1}},
	} {
		s := denseSpec()
		p := &s.Projections[0]
		few := *p
		few.Name, few.From, few.To = "few", []Part{pools[0]}, []Part{pools[1]}
		few.Rule = Total{N: 300 * int64(pools[0].N*pools[1].N)}
		s.Projections = append(s.Projections, few)
		n, err := Build(t.Context(), s, Config{Ranges: 3})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		n.Close()
	}
}
