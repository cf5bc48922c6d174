package network

import (
	"math"
	"testing"

	"popsim/kernels"
	"popsim/model"
)

// pairOf is a network of one projection between two populations of n neurons.
func pairOf(n int, p Projection) *Spec {
	q := Population{N: n, Model: model.LIFModel}
	for _, x := range q.Model.Defaults() {
		q.P = append(q.P, kernels.Values{x})
	}
	a, b := q, q
	a.Name, b.Name = "A", "B"
	p.Name, p.From, p.To = "P", []Part{{0, 0, n}}, []Part{{1, 0, n}}
	if p.Weight == nil {
		p.Weight = Constant(1)
	}
	if p.Delay == nil {
		p.Delay = Constant(1)
	}
	return &Spec{
		Populations: []Population{a, b},
		Synapses:    []Synapse{{Name: "s"}},
		Projections: []Projection{p},
		Dt:          0.1,
		Seed:        7,
	}
}

// degrees builds a network of a rule and counts the edges of each source and target.
func degrees(t *testing.T, n int, p Projection) (out, in []float64, edges int) {
	t.Helper()
	net, err := Build(t.Context(), pairOf(n, p), Config{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	out, in = make([]float64, n), make([]float64, n)
	net.Edges(func(_, pre, post int, _, _ float64) bool {
		out[pre]++
		in[post-n]++
		edges++
		return true
	})
	return out, in, edges
}

// dispersion is the sum of squared deviations from the mean, over the variance expected: chi-squared with len(x)-1
// degrees of freedom, in standard deviations from its mean.
func dispersion(x []float64, mean, variance float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += (v - mean) * (v - mean) / variance
	}
	n := float64(len(x))
	return (sum - n) / math.Sqrt(2*n)
}

// fourSigma is what chi-squared of many degrees of freedom keeps within, but for 1e-4.
const fourSigma = 4

// TestForecastOfFewTargets: the forecast of a Total draws no more edges of a source than it may have, where some have
// none.
func TestForecastOfFewTargets(t *testing.T) {
	for name, p := range map[string]Projection{
		"each pair once":               {Rule: Total{N: 3}, NoAutapses: true, NoMultapses: true},
		"a source without any targets": {Rule: Total{N: 30}, NoAutapses: true},
	} {
		s := pairOf(4, p)
		s.Projections[0].To = []Part{{0, 0, 1}}
		if _, err := s.ForecastOf(Config{Workers: 1}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDegreesFollowTheRules(t *testing.T) {
	const n, k = 500, 50
	p := float64(k) / n
	binomial := k * (1 - p)
	for name, c := range map[string]struct {
		rule    Rule
		out, in float64 // variances; 0: all are k
	}{
		"in-degree":   {InDegree{k}, k * (1 - 1.0/n), 0},
		"out-degree":  {OutDegree{k}, 0, k * (1 - 1.0/n)},
		"probability": {Probability{p}, binomial, binomial},
		"total":       {Total{n * k}, k * (1 - 1.0/n), k * (1 - 1.0/n)},
	} {
		out, in, _ := degrees(t, n, Projection{Rule: c.rule})
		for _, side := range []struct {
			name     string
			x        []float64
			variance float64
		}{{"sources", out, c.out}, {"targets", in, c.in}} {
			if side.variance == 0 {
				for i, v := range side.x {
					if v != k {
						t.Errorf("%s: %g edges of neuron %d; want %d", name, v, i, k)
					}
				}
			} else if z := dispersion(side.x, k, side.variance); math.Abs(z) > fourSigma {
				t.Errorf("%s: degrees of %s are %.2g standard deviations from their law", name, side.name, z)
			}
		}
	}
	for name, c := range map[string]struct {
		rule Rule
		want int
	}{
		"all-to-all":    {AllToAll{}, n * n},
		"one-to-one":    {OneToOne{}, n},
		"ring":          {Ring{1.6, 14}, n * n},
		"probability 0": {Probability{}, 0},
	} {
		if _, _, edges := degrees(t, n, Projection{Rule: c.rule}); edges != c.want {
			t.Errorf("%s: %d edges; want %d", name, edges, c.want)
		}
	}
}

func TestAutapsesAndMultapsesAreLeftOut(t *testing.T) {
	const n = 40
	for name, rule := range map[string]Rule{
		"in-degree": InDegree{n - 1}, "out-degree": OutDegree{n - 1}, "all-to-all": AllToAll{}, "probability": Probability{1},
	} {
		s := pairOf(n, Projection{Rule: rule, NoAutapses: true, NoMultapses: true})
		s.Projections[0].To = s.Projections[0].From
		net, err := Build(t.Context(), s, Config{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		seen := map[[2]int]bool{}
		net.Edges(func(_, pre, post int, _, _ float64) bool {
			if pre == post || seen[[2]int{pre, post}] {
				t.Errorf("%s: edge from %d to %d", name, pre, post)
			}
			seen[[2]int{pre, post}] = true
			return true
		})
		if len(seen) != n*(n-1) {
			t.Errorf("%s: %d edges; want %d", name, len(seen), n*(n-1))
		}
	}
}

func TestDrawnWeightsAndDelaysFollowTheirLaws(t *testing.T) {
	net, err := Build(t.Context(), pairOf(200, Projection{
		Rule:   AllToAll{},
		Weight: Draw{Kind: Normal, A: 2, B: 0.5},
		Delay:  Draw{Kind: Normal, A: 1.5, B: 0.75, Redraw: &[2]float64{0.1, 5}, Round: 0.1},
	}), Config{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	n, sum, squares := 0.0, 0.0, 0.0
	net.Edges(func(_, _, _ int, w, d float64) bool {
		n++
		sum += w
		squares += (w - 2) * (w - 2)
		if w != float64(float32(w)) || d < 0.1-1e-12 || d > 5+1e-12 {
			t.Fatalf("weight %g, delay %g", w, d)
		}
		return true
	})
	if z := (sum/n - 2) / 0.5 * math.Sqrt(n); math.Abs(z) > fourSigma {
		t.Errorf("mean weight %g is %.2g standard errors from 2", sum/n, z)
	}
	if z := (squares/0.25 - n) / math.Sqrt(2*n); math.Abs(z) > fourSigma {
		t.Errorf("variance of the weights is %.2g standard errors off", z)
	}
}

// TestRangesShareTheWork cuts a network whose populations have unequal in-degrees.
func TestRangesShareTheWork(t *testing.T) {
	s := pairOf(1000, Projection{Rule: InDegree{2000}}) // A has no synapses
	for _, n := range []int{1, 2, 3, 7, 100, 2000} {
		l := newLayout(s)
		costs, cuts := l.costs(), l.cuts(n)
		all, most := 1000*(costs[0]+costs[1]), 0.0
		for r := range n {
			work := 0.0
			for i := cuts[r]; i < cuts[r+1]; i++ {
				work += costs[i/1000]
			}
			if most = max(most, work); cuts[r+1] <= cuts[r] {
				t.Errorf("range %d of %d is empty", r, n)
			}
		}
		if most > all/float64(n)+2*costs[1] { // to a neuron at either end
			t.Errorf("%d ranges: one has the work %g of %g", n, most, all)
		}
	}
}

// FuzzProjections builds projections of any rule, law and pools, and compares what is stored with what is listed.
func FuzzProjections(f *testing.F) {
	f.Add(uint8(0), uint8(0), uint8(3), uint16(5), 0.5, 1.0, 0.5, int8(1), int8(2))
	f.Add(uint8(3), uint8(3), uint8(1), uint16(30), 0.1, -1.0, 2.0, int8(0), int8(3))
	f.Add(uint8(6), uint8(1), uint8(2), uint16(7), 20.0, 1e300, 1e300, int8(3), int8(4))
	f.Add(uint8(241), uint8(0), uint8(2), uint16(109), 14.1, 20.0, 44.6, int8(0), int8(3)) // packed
	f.Fuzz(func(t *testing.T, rule, excluded, kind uint8, k uint16, p, a, b float64, first, n int8) {
		law := Draw{Kind: DrawKind(kind % 3), A: a, B: b}
		whole := Draw{Kind: DrawKind(kind / 3 % 3), A: a, B: b, Redraw: &[2]float64{0.05, 20}, Round: 0.1}
		s := pairOf(6, Projection{
			Rule: []Rule{
				InDegree{int(k % 100)},
				OutDegree{int(k % 100)},
				Probability{p},
				Total{int64(k % 1000)},
				AllToAll{},
				OneToOne{},
				Ring{p, a},
			}[rule%7],
			Weight: law, Delay: whole, NoAutapses: excluded&1 != 0, NoMultapses: excluded&2 != 0,
		})
		s.Projections[0].From = []Part{{0, int(first), int(n)}, {1, 0, 3}}
		s.OnGrid = excluded&4 != 0
		net, err := Build(t.Context(), s, Config{Workers: 2, Ranges: 2})
		if err != nil {
			return
		}
		edges, sum := int64(0), uint64(0)
		net.Edges(func(i, pre, post int, weight, delay float64) bool {
			edges++
			sum += edgeHash(hashed(hashStart, uint64(i)), pre, post, weight, delay)
			return true
		})
		if y := net.Summary(); y.Edges != edges || y.Checksum != sum {
			t.Errorf("%d edges with checksum %x built, %d with %x listed", y.Edges, y.Checksum, edges, sum)
		}
		stored := int64(0)
		for _, r := range net.ranges {
			for _, tb := range r.tables {
				for source := range s.Populations[tb.population].N {
					stored += tb.storedOf(source, r.lanes)
				}
			}
		}
		if stored != edges {
			t.Errorf("%d edges stored; %d listed", stored, edges)
		}
	})
}

// storedOf counts the edges of a source that are stored, packed or in runs by delay, for a range with so many lanes.
func (t *table) storedOf(source, lanes int) (n int64) {
	if t.laneBits > 0 {
		t.eachPacked(source, uint16(lanes), func(int, bool, uint16, float32) { n++ })
		return n
	}
	row := t.row(source)
	for i := row[0]; i < row[t.delays]; i++ {
		for _, lane := range t.targets(i) {
			if int(lane) < lanes {
				n++
			}
		}
	}
	return n
}

func FuzzEdges(f *testing.F) {
	f.Add(uint16(0), uint16(1), 1.0, 1.5)
	f.Add(uint16(3), uint16(3), -2.0, 0.1)
	f.Add(uint16(9), uint16(2), math.NaN(), 0.05)
	f.Fuzz(func(t *testing.T, pre, post uint16, weight, delay float64) {
		s := pairOf(5, Projection{Rule: Edges{
			Pre: []int32{int32(pre)}, Post: []int32{int32(post)}, Weight: []float64{weight}, Delay: []float64{min(delay, 50)},
		}})
		if s.Check() != nil {
			return
		}
		n, err := Build(t.Context(), s, Config{Workers: 1})
		if err != nil {
			return
		}
		if n.Summary().Edges != 1 {
			t.Errorf("%d edges; want 1", n.Summary().Edges)
		}
		if err := n.Run(t.Context(), 20, Recorder{}); err != nil {
			t.Error(err)
		}
	})
}
