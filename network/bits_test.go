package network

import (
	"context"
	"math"
	"math/bits"
	"slices"
	"testing"

	"popsim/kernels"
	"popsim/model"
)

// everyRule is a network of three populations with one projection of every rule and law, so that rules drawn by source
// and by target, pools of several parts and weights of both signs meet in the same tables.
func everyRule(n int) *Spec {
	q := Population{N: n, Model: model.LIFModel}
	for _, x := range q.Model.Defaults() {
		q.P = append(q.P, kernels.Values{x})
	}
	a, b, c := q, q, q
	a.Name, b.Name, c.Name, c.N = "A", "B", "C", n/3
	all := []Part{{0, 0, n}, {1, 0, n}, {2, 0, n / 3}}
	some := []Part{{2, 1, n/3 - 1}, {0, n / 2, n / 4}}
	two := []Part{{0, 0, n}, {1, 0, n}}
	normal := Draw{Kind: Normal, A: 1, B: 1}
	whole := Draw{Kind: Normal, A: 1.5, B: 0.75, Redraw: &[2]float64{0.05, math.Inf(1)}, Round: 0.1}
	perEdge := PerEdge(func(pre, post int) float64 { return 0.1 + float64((pre*31+post)%17)/10 })
	var edges Edges
	for i := range 5 * n {
		edges.Pre, edges.Post = append(edges.Pre, int32(i*i*7%n)), append(edges.Post, int32(i*13%n))
		edges.Weight, edges.Delay = append(edges.Weight, float64(i%9)-4), append(edges.Delay, 0.3+float64(i%5)/10)
	}
	bare := Edges{Pre: edges.Pre, Post: edges.Post}
	return &Spec{
		Populations: []Population{a, b, c}, Synapses: []Synapse{{Name: "s"}, {Name: "t", Kind: ExpCurrent, Tau: 3}}, Dt: 0.1,
		Seed: 11,
		Projections: []Projection{
			{Name: "in", From: all, To: some, Rule: InDegree{K: 20}, Weight: normal, Delay: whole},
			{
				Name:        "in2",
				From:        two,
				To:          all,
				Rule:        InDegree{K: 9},
				Weight:      Constant(1),
				Delay:       Constant(1.5),
				NoAutapses:  true,
				NoMultapses: true,
			},
			{
				Name:   "out",
				From:   all,
				To:     two,
				Rule:   OutDegree{K: 11},
				Weight: Draw{Kind: Lognormal, A: 2, B: 1},
				Delay:  Draw{Kind: Uniform, A: 1, B: 2, Round: 0.1},
			},
			{
				Name:        "out2",
				From:        two,
				To:          some,
				Synapse:     1,
				Rule:        OutDegree{K: 7},
				Weight:      Constant(-2),
				Delay:       whole,
				NoAutapses:  true,
				NoMultapses: true,
			},
			{
				Name:       "p",
				From:       all,
				To:         all,
				Synapse:    1,
				Rule:       Probability{P: 0.03},
				Weight:     Draw{Kind: Uniform, A: -1, B: 1},
				Delay:      Constant(0.7),
				NoAutapses: true,
			},
			{
				Name:   "total",
				From:   two,
				To:     all,
				Rule:   Total{N: int64(10*n + 3)},
				Weight: Draw{Kind: Normal, A: 3, B: 2, Clip: &[2]float64{0, 4}},
				Delay:  whole,
			},
			{Name: "all", From: some[:1], To: some[1:], Synapse: 1, Rule: AllToAll{}, Weight: perEdge, Delay: perEdge},
			{Name: "one", From: two, To: two, Rule: OneToOne{}, Weight: Constant(0.5), Delay: Constant(2)},
			{
				Name:    "ring",
				From:    all[:1],
				To:      all[1:2],
				Synapse: 1,
				Rule:    Ring{1.6, 20},
				Weight:  Constant(1),
				Delay:   Constant(1),
			},
			{Name: "edges", From: all[:1], To: all[1:2], Rule: edges},
			{Name: "bare", From: all[1:2], To: all[:1], Rule: bare, Weight: normal, Delay: whole},
		},
	}
}

// tablesHash is a hash of all edges as they are delivered: table by table, source by source, run by run, in their
// order.
func tablesHash(n *Network) uint64 {
	h := uint64(1)
	add := func(x uint64) {
		hi, lo := bits.Mul64(h^x, 0xd6e8feb86659fd93)
		h = hi ^ lo ^ bits.RotateLeft64(x, 29)
	}
	for _, r := range n.ranges {
		for _, t := range r.tables {
			if u := t.unstored; u != nil {
				add(uint64(u.first)<<40 | uint64(u.n)<<20 | uint64(u.lane))
				add(uint64(u.lanes)<<40 | uint64(u.offset)<<20 | uint64(t.least))
				for _, w := range u.kernel {
					add(math.Float64bits(w))
				}
				continue
			}
			for s := range n.layout.spec.Populations[t.population].N {
				if t.laneBits > 0 {
					t.eachPacked(s, uint16(r.lanes), func(d int, first bool, lane uint16, w float32) {
						if first {
							add(uint64(s)<<20 | uint64(d+t.least))
						}
						add(uint64(lane))
						add(math.Float64bits(float64(w)))
						add(0)
					})
					continue
				}
				for d := range t.delays {
					if t.start[s*(t.delays+1)+d] < t.start[s*(t.delays+1)+d+1] {
						add(uint64(s)<<20 | uint64(d+t.least))
					}
					for i := t.start[s*(t.delays+1)+d]; i < t.start[s*(t.delays+1)+d+1]; i++ {
						for j := range 4 {
							var to uint16
							var w, part float64
							switch t.style {
							case shared:
								to, w = t.b16[i][j], t.weight
							case float32s:
								to, w = t.b32[i].To[j], float64(t.b32[i].W[j])
							case float64s:
								to, w = t.b64[i].To[j], t.b64[i].W[j]
							case timed:
								to, w, part = t.bt[i].To[j], t.bt[i].W[j], t.bt[i].Part[j]
							}
							if int(to) != r.lanes {
								add(uint64(to))
								add(math.Float64bits(w))
								add(math.Float64bits(part))
							}
						}
					}
				}
			}
		}
	}
	return h
}

// eachPacked calls f for the edges of a source of a packed table: first is whether an edge is the first of its delay.
func (t *table) eachPacked(source int, none uint16, f func(d int, first bool, lane uint16, weight float32)) {
	d, before := 0, -1
	mask := uint16(1)<<t.laneBits - 1
	for i := t.row(source)[0]; i < t.row(source)[1]; i++ {
		e := (&runOf{First: t.block(i), Blocks: 1}).Edges()[0]
		for j, to := range e.To {
			d += int(to >> t.laneBits)
			if to&mask != none {
				f(d, d > before, to&mask, e.W[j])
				before = d
			}
		}
	}
}

// TestGraphsKeepTheirBits compares graphs, and the order in which their edges are delivered, with stored checksums.
func TestGraphsKeepTheirBits(t *testing.T) {
	alone := func(i int) *Spec {
		s := everyRule(120)
		s.Projections = s.Projections[i : i+1]
		return s
	}
	onGrid := everyRule(120)
	onGrid.OnGrid = true
	for name, c := range map[string]struct {
		spec             *Spec
		edges            int64
		checksum, tables uint64
	}{
		"mixed":   {everyRule(120), 29264, 0x3af1c666e32f250c, 0xe638aee44959de58},
		"on grid": {onGrid, 29264, 0x3af1c666e32f250c, 0x9b682654b0a0c0d9},
		"in":      {alone(0), 1380, 0x953b9f1cc8c4710f, 0xe295c935b0532278},
		"in2":     {alone(1), 2520, 0x662255e00dfae97, 0xb5987a7e64146a53},
		"out":     {alone(2), 3080, 0x186a4e33bf53d0f5, 0xe68063ec7468ae26},
		"out2":    {alone(3), 1680, 0x6cf1b3ebc5d309dd, 0x98508dd281686b64},
		"p":       {alone(4), 2391, 0x6ffd5b3d67a2731, 0xc937cf7d9e3b4492},
		"total":   {alone(5), 1203, 0xd8d4cb309d9b8901, 0x99bdc4dc4504000},
		"all":     {alone(6), 1170, 0xd9f6b49300fa7710, 0x379eed1df1e65366},
		"one":     {alone(7), 240, 0x42ca8e5e3a2eda81, 0x505588bf0a6561b},
		"ring":    {alone(8), 14400, 0x7626b9cbeb8adb94, 0x98ea2d9c9e39f9fb},
		"edges":   {alone(9), 600, 0xe521fd0a41fb7b81, 0x6ca3d7fc9bd27d27},
		"bare":    {alone(10), 600, 0xdb5a9d6be4f5bfda, 0xfa7edfa94aaa1d05},
	} {
		n, err := Build(context.Background(), c.spec, Config{Workers: 1, Ranges: 1})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if s, h := n.Summary(), tablesHash(n); s.Edges != c.edges || s.Checksum != c.checksum || h != c.tables {
			t.Errorf("%q: %d, %#x, %#x", name, s.Edges, s.Checksum, h)
		}
	}
}

// TestGraphsDoNotDependOnMachines builds with all instruction sets, workers and ranges.
func TestGraphsDoNotDependOnMachines(t *testing.T) {
	s := everyRule(300)
	want := int64(0)
	var checksum, tables uint64
	for i, isa := range append(kernels.Available(), kernels.Go) {
		for _, c := range []Config{{Workers: 1, Ranges: 1}, {Workers: 3, Ranges: 1}, {Workers: 3, Ranges: 5}} {
			c.ISA = isa
			n, err := Build(t.Context(), s, c)
			if err != nil {
				t.Fatal(err)
			}
			y := n.Summary()
			if i == 0 && c.Workers == 1 {
				want, checksum, tables = y.Edges, y.Checksum, tablesHash(n)
			}
			if y.Edges != want || y.Checksum != checksum || c.Ranges == 1 && tablesHash(n) != tables {
				t.Errorf("another graph with %s, %d workers, %d ranges", isa, c.Workers, c.Ranges)
			}
		}
	}
}

// TestGraphsDoNotDependOnMemory builds as on systems that cannot reserve memory.
func TestGraphsDoNotDependOnMemory(t *testing.T) {
	defer func(was bool) { reserves = was }(reserves)
	for _, s := range []*Spec{everyRule(120), dense(120)} {
		var checksums, tables []uint64
		for _, reserves = range []bool{true, false} {
			n, err := Build(t.Context(), s, Config{Workers: 2, Ranges: 1})
			if err != nil {
				t.Fatal(err)
			}
			checksums, tables = append(checksums, n.Summary().Checksum), append(tables, tablesHash(n))
		}
		if checksums[0] != checksums[1] || tables[0] != tables[1] {
			t.Error("another graph where memory cannot be reserved")
		}
	}
}

// dense is a network of three populations with all-to-all connections only, some of which are the same for all sources.
// Targets have time constants of their own, so that arrivals are not added up over the sources.
func dense(n int) *Spec {
	s := everyRule(n)
	tau := model.LIFModel.Index("tau")
	for i := range s.Populations {
		p := &s.Populations[i]
		p.P = slices.Clone(p.P)
		p.P[tau] = make(kernels.Values, p.N)
		for k := range p.P[tau] {
			p.P[tau][k] = 18 + float64(k%5)
		}
	}
	a, b, c := []Part{{0, 0, n}}, []Part{{1, 0, n}}, []Part{{2, 0, n / 3}}
	both := []Part{a[0], b[0]}
	s.Projections = []Projection{
		{Name: "twice", From: a, To: both, Rule: AllToAll{}, Weight: Constant(0.2), Delay: Constant(1)},
		{Name: "again", From: a, To: both, Rule: AllToAll{}, Weight: Constant(0.3), Delay: Constant(1.5)},
		{Name: "once", From: both, To: c, Rule: AllToAll{}, Weight: Constant(0.2), Delay: Constant(1)},
		{Name: "negative", From: both, To: both, Synapse: 1, Rule: AllToAll{}, Weight: Constant(-0.02), Delay: Constant(2)},
		{Name: "part", From: []Part{{2, 0, n / 6}}, To: both, Rule: AllToAll{}, Weight: Constant(0.2), Delay: Constant(1)},
		{Name: "others", From: c, To: c, Rule: AllToAll{}, Weight: Constant(0.1), Delay: Constant(1), NoAutapses: true},
	}
	return s
}

// TestDenseConnectionsAreStoredOnce compares a network whose sources have the same edges with the same edges listed.
func TestDenseConnectionsAreStoredOnce(t *testing.T) {
	const n = 120
	drawn := dense(n)
	net, err := Build(t.Context(), drawn, Config{Workers: 2, Ranges: 2})
	if err != nil {
		t.Fatal(err)
	}
	// Stored are one list for each population and receptor, and the lists of "part" and "others".
	if most := int64(2*(4*2*n+2*n/3)*10 + 2*(n/6*2*n+n/3*n/3) + 2*3*8*4*3*n); net.Summary().Bytes > most {
		t.Errorf("%d bytes for %d edges; at most %d are needed", net.Summary().Bytes, net.Summary().Edges, most)
	}
	compareWithListed(t, drawn, 1e-9)
}

// TestListedEdgesAreTheSameGraph lists all edges of a network, makes lists of them the rules of another, and compares
// graph, order of delivery and spikes.
func TestListedEdgesAreTheSameGraph(t *testing.T) {
	s := everyRule(120)
	s.Projections = slices.DeleteFunc(s.Projections, func(p Projection) bool { return p.Name == "ring" }) // not stored
	compareWithListed(t, s, 0)
}

// drive is an input of a weight to all neurons of everyRule(120).
func drive(weight float64) []Input {
	all := []Part{{0, 0, 120}, {1, 0, 120}, {2, 0, 40}}
	return []Input{{Name: "drive", To: all, Weight: Constant(weight), Poisson: &Poisson{Rate: 400}}}
}

// compareWithListed compares a network with that of the lists of its edges; it gives it an input. Places of spikes in
// their steps may differ by a tolerance; if it is 0, the order of delivery is compared, too.
func compareWithListed(t *testing.T, drawn *Spec, tolerance float64) {
	t.Helper()
	if drawn.Inputs == nil {
		drawn.Inputs = drive(8)
	}
	n, err := Build(t.Context(), drawn, Config{Workers: 1, Ranges: 1})
	if err != nil {
		t.Fatal(err)
	}
	listed := *drawn
	listed.Projections = slices.Clone(drawn.Projections)
	lists := make([]Edges, len(drawn.Projections))
	n.PoolEdges(func(i, pre, post int, weight, delay float64) bool {
		e := &lists[i]
		e.Pre, e.Post = append(e.Pre, int32(pre)), append(e.Post, int32(post))
		e.Weight, e.Delay = append(e.Weight, weight), append(e.Delay, delay)
		return true
	})
	for i := range lists {
		p := &listed.Projections[i]
		p.Rule, p.Weight, p.Delay = lists[i], nil, nil
	}
	m, err := Build(t.Context(), &listed, Config{Workers: 1, Ranges: 1})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := n.Summary(), m.Summary(); a.Edges != b.Edges || a.Checksum != b.Checksum {
		t.Errorf("%d edges with checksum %x drawn; %d with %x listed", a.Edges, a.Checksum, b.Edges, b.Checksum)
	}
	if a, b := tablesHash(n), tablesHash(m); a != b && tolerance == 0 {
		t.Errorf("edges are delivered in another order")
	}
	want, got := collect(t, drawn, Config{Workers: 1}, 50), collect(t, &listed, Config{Workers: 1}, 50)
	same := func(a, b Spike) bool {
		return a.Neuron == b.Neuron && a.Step == b.Step && math.Abs(a.Theta-b.Theta) <= tolerance
	}
	if len(want) < 100 || !slices.EqualFunc(got, want, same) {
		t.Errorf("%d spikes of the drawn network, %d of the listed one; not the same", len(want), len(got))
	}
}
