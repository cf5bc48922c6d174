package network

import (
	"context"
	"fmt"
	"math"
	"math/bits"
	"runtime"

	"popsim/kernels"
	"popsim/sched"
)

// Config says how a network is run; no result depends on it.
type Config struct {
	Workers int         // 0 is one for each core
	Ranges  int         // least number of ranges into which the targets are cut; 0 is one for each worker
	ISA     kernels.ISA // instruction set of the kernels
	Memory  int64       // bytes that the network may take; 0 is no limit
}

// Build draws the graph of a network and lays it out; the Spec must not change while the Network is in use.
func Build(ctx context.Context, s *Spec, c Config) (*Network, error) {
	n, err := newNetwork(s, c)
	if err != nil {
		return nil, err
	}
	f := n.forecast(c)
	if c.Memory > 0 && f.Bytes > c.Memory {
		return nil, fmt.Errorf("the network needs about %.3g GB for %.4g synapses; %.3g GB are available", float64(f.Bytes)/1e9, float64(f.Edges), float64(c.Memory)/1e9)
	}
	runtime.AddCleanup(n, (*mapped).release, n.pages)
	l := n.layout
	for i := range s.Projections {
		l.draws = append(l.draws, newDrawing(l, i))
	}
	for _, segs := range l.ranges(n.rangeCount(c, f)) {
		n.ranges = append(n.ranges, &shard{net: n, segs: segs, number: len(n.ranges)})
	}
	n.inputReceptors()
	for i := range l.receptors {
		rc := &l.receptors[i]
		l.series = append(l.series, rc.newSeries(l.classes[rc.class], s.Dt))
	}
	if len(l.receptors) > maxReceptors {
		return nil, fmt.Errorf("%d kinds of synapse onto kinds of neuron, by sign; at most %d are possible", len(l.receptors), maxReceptors)
	}
	if err := newBuilder(ctx, n).build(); err != nil {
		n.Close()
		return nil, err
	}
	return n, nil
}

// Close gives the memory of the graph back to the system. The Network must not be used any more. A Network that is not
// closed does so when it is collected as garbage.
func (n *Network) Close() { n.pages.release() }

// maxReceptors is the most receptors: arrivals name theirs in 8 bits.
const maxReceptors = 255

// A home is where a target neuron is.
type home struct{ shard, lane uint16 }

// builder draws the edges of a network and stores each in its table.
//
// The tables of a population whose projections are all drawn by source are written at once: all edges of a source are
// drawn, sorted in cache, and appended. Populations with a projection that is drawn by target are gone through twice, to
// count and to write; no edge is held anywhere else in between. Every row of an index, and every run, is written by one
// worker at a time, so that the order within a run is that of projections and draws, whatever the number of workers.
type builder struct {
	net     *Network
	ctx     context.Context
	index   map[pair]int // number of the table of a pair, the same in all ranges
	stores  [][]*store   // by range and number
	all     []*store     // the same, of all ranges
	counted []bool       // of populations: gone through twice
	timed   bool         // whether some delay is not whole steps

	homes       []home   // by neuron
	populations []uint16 // by neuron
	routes      [][]route
	scratches   []scratch // by worker
}

// A route is where the edges of a projection from one population go.
type route struct {
	tables [][2]int32 // numbers of tables by class of the target and sign of the weight
	class  int        // of all targets; -1: they differ
	signed bool       // whether the sign must be looked at
}

// scratch is what one worker builds with.
type scratch struct {
	bundle
	tables   []int32  // of each edge of the bundle: its table, by range and number
	runs     []uint32 // its steps of delay above the table's least
	lanes    []uint16
	lists    [][]local   // by range and number of the table
	parts    [][]float64 // of edges of the same lists: parts of a step, where there are any
	counts   []uint32    // by delay
	edges    int64
	checksum uint64
}

func newBuilder(ctx context.Context, n *Network) *builder {
	l := n.layout
	b := &builder{net: n, ctx: ctx, index: map[pair]int{}, scratches: make([]scratch, n.workers)}
	for i, key := range n.order {
		b.index[key] = i
		b.timed = b.timed || n.pairs[key].timed
	}
	b.counted = make([]bool, len(l.spec.Populations))
	for _, d := range l.draws {
		routes := make([]route, len(l.spec.Populations))
		if _, one := d.p.oneWeight(l.spec); one {
			n.edges += int64(d.from.n) * int64(d.to.n)
			b.routes = append(b.routes, routes)
			continue
		}
		for _, from := range d.p.From {
			b.counted[from.Population] = b.counted[from.Population] || byTarget(d.p.Rule)
			routes[from.Population] = b.route(d, from.Population)
		}
		b.routes = append(b.routes, routes)
	}
	b.homes = make([]home, l.firsts[len(l.firsts)-1])
	b.populations = make([]uint16, len(b.homes))
	for _, r := range n.ranges {
		for _, s := range r.segs {
			for i := range s.n {
				b.homes[s.first+i] = home{uint16(r.number), uint16(s.base + i)}
				b.populations[s.first+i] = uint16(s.population)
			}
		}
	}
	return b
}

func (b *builder) route(d *drawing, population int) route {
	l := b.net.layout
	r := route{tables: make([][2]int32, len(l.classes)), class: -2}
	for _, to := range d.p.To {
		c := l.classOf[to.Population]
		if r.class == -2 {
			r.class = c
		} else if r.class != c {
			r.class = -1
		}
		signs := l.signs(d.p)
		for _, negative := range signs {
			t := int32(b.index[pair{population, l.receptor(d.p.Synapse, to.Population, negative)}])
			if len(signs) == 1 {
				r.tables[c] = [2]int32{t, t}
			} else if negative {
				r.tables[c][1] = t
			} else {
				r.tables[c][0] = t
			}
		}
		r.signed = r.signed || r.tables[c][0] != r.tables[c][1]
	}
	return r
}

// parallel calls f for the numbers below n, each once, by several workers at once, until one call fails.
func (b *builder) parallel(n int, f func(sc *scratch, i int) error) error {
	if n == 0 {
		return nil
	}
	_, err := sched.Run(b.ctx, sched.Plan{
		Workers: b.net.workers, Shards: n,
		Advance: func(worker, i, _ int) error {
			if err := b.ctx.Err(); err != nil {
				return err
			}
			return f(&b.scratches[worker], i)
		},
		Merge: func(int) (bool, error) { return false, nil },
	})
	return err
}

// build draws and stores all edges, and makes what else the ranges have.
func (b *builder) build() error {
	n := b.net
	for _, step := range []func() error{b.countTotals, b.prepare, b.countEdges, b.placeEdges, b.appendEdges, b.finish} {
		if err := step(); err != nil {
			return err
		}
	}
	for i := range b.scratches {
		n.edges += b.scratches[i].edges
		n.checksum += b.scratches[i].checksum
	}
	for _, r := range n.ranges {
		for _, t := range r.tables {
			n.bytes += t.bytes()
		}
		if err := r.makeGates(); err != nil {
			return err
		}
		r.startGates()
	}
	return nil
}

// countTotals draws the number of edges of each source of all projections with a Total.
func (b *builder) countTotals() error {
	type part struct {
		d          *drawing
		first, end int64
		counts     []uint32
		capacities []uint32
	}
	const step = 1 << 22 // edges; a multiple of what countPart draws at a time
	var parts []part
	for _, d := range b.net.layout.draws {
		r, ok := d.p.Rule.(Total)
		if !ok {
			continue
		}
		if c := d.capacities(); !d.plain(c) {
			parts = append(parts, part{d: d, end: r.N, capacities: c})
			continue
		}
		for first := int64(0); first < r.N; first += step {
			parts = append(parts, part{d: d, first: first, end: min(first+step, r.N)})
		}
		d.perSource = make([]uint32, d.from.n)
	}
	err := b.parallel(len(parts), func(_ *scratch, i int) error {
		p := &parts[i]
		if p.capacities != nil {
			p.counts = p.d.countSingly(p.end, p.capacities)
			return nil
		}
		p.counts = make([]uint32, p.d.from.n)
		p.d.countPart(p.counts, p.first, p.end)
		return nil
	})
	for _, p := range parts {
		if p.d.perSource == nil {
			p.d.perSource = p.counts
			continue
		}
		for i, c := range p.counts {
			p.d.perSource[i] += c
		}
	}
	return err
}

// prepare makes the columns of the ranges, and their tables without edges.
func (b *builder) prepare() error {
	n := b.net
	l := n.layout
	b.stores, b.all = make([][]*store, len(n.ranges)), make([]*store, len(n.ranges)*len(n.order))
	return b.parallel(len(n.ranges), func(_ *scratch, i int) error {
		r := n.ranges[i]
		if err := r.layOut(); err != nil {
			return err
		}
		if err := r.prepareInputs(); err != nil {
			return err
		}
		r.tablesOf = make([][]int, len(l.spec.Populations))
		for j, key := range n.order {
			t := n.pairs[key]
			p := &l.spec.Populations[key.population]
			tb := &table{
				receptor: key.receptor, population: key.population, style: t.style(), first: l.firsts[key.population],
				least: t.least, delays: t.most - t.least + 1, gated: l.receptors[key.receptor].kind == NMDA,
			}
			tb.start = allocate[uint32](n.pages, p.N*(tb.delays+1))
			if tb.style == shared {
				tb.weight = make([]float64, p.N)
				for s := range tb.weight {
					tb.weight[s] = t.one
				}
			}
			r.tablesOf[key.population] = append(r.tablesOf[key.population], j)
			r.tables = append(r.tables, tb)
			b.stores[i] = append(b.stores[i], &store{table: tb, alike: t.alike && !b.counted[key.population]})
		}
		copy(b.all[i*len(b.index):], b.stores[i])
		for _, d := range l.draws {
			b.expect(d, r)
		}
		for _, s := range b.stores[i] {
			if !b.counted[s.population] {
				s.make(n.pages, min(maxBlocks, int(s.blockBound())))
			}
		}
		return nil
	})
}

// expect adds the edges of a projection onto a range to the bounds of its tables.
func (b *builder) expect(d *drawing, r *shard) {
	targets := 0.0
	for i := range r.segs {
		for j := range d.to.parts {
			lo, hi := d.to.parts[j].within(&r.segs[i])
			targets += float64(max(0, hi-lo))
		}
	}
	for _, from := range d.p.From {
		if b.counted[from.Population] {
			continue
		}
		seen := map[int32]bool{}
		for _, tables := range b.routes[d.number][from.Population].tables {
			for _, t := range tables {
				if s := b.stores[r.number][t]; !seen[t] && s.population == from.Population {
					sources := float64(from.N)
					if s.alike {
						sources = 1
					}
					s.edges += d.atMost(sources, targets)
					seen[t] = true
				}
			}
		}
	}
}

// atMost bounds the number of edges from some sources onto some of the targets.
func (d *drawing) atMost(sources, targets float64) float64 {
	from, to := float64(d.from.n), float64(d.to.n)
	share := targets / max(1, to-1) // of one without its autapse
	switch r := d.p.Rule.(type) {
	case Probability:
		return min(sources*targets, sure(sources*targets*r.P))
	case OutDegree:
		return min(sources*float64(r.K), sure(sources*float64(r.K)*share))
	case Total:
		return min(float64(r.N), sure(float64(r.N)*share*sources/max(1, from-1)))
	case Edges:
		return float64(len(r.Pre))
	case OneToOne:
		return min(sources, targets)
	}
	return sources * targets
}

// blockBound bounds the number of blocks: each run fills its last block in part.
func (s *store) blockBound() float64 {
	runs := min(s.edges, float64(len(s.start)))
	return math.Ceil((s.edges+3*runs)/4) + 1
}

// finish gives back room that was not needed, and completes what is stored once for all sources.
func (b *builder) finish() error {
	return b.parallel(len(b.stores), func(_ *scratch, i int) error {
		for _, s := range b.stores[i] {
			if !b.counted[s.population] {
				s.trim(b.net.pages, int(s.next.Load()))
			}
			if s.alike {
				s.repeat()
			}
		}
		return nil
	})
}

// A span is a run of neurons, by number in the network.
type span struct{ population, from, to int }

// spans cuts populations of sources into runs for the workers.
func (b *builder) spans(counted bool) (list []span) {
	const perWorker = 16 // so that a slow worker keeps the others waiting for a sixteenth of its part at most
	l := b.net.layout
	for p, c := range b.counted {
		if c != counted {
			continue
		}
		n := l.spec.Populations[p].N
		parts := min(n, perWorker*b.net.workers)
		for i := range parts {
			list = append(list, span{p, l.firsts[p] + n*i/parts, l.firsts[p] + n*(i+1)/parts})
		}
	}
	return list
}

// appendEdges draws and stores the edges of the populations that are gone through once.
func (b *builder) appendEdges() error {
	spans := b.spans(false)
	return b.parallel(len(spans), func(sc *scratch, i int) error {
		if sc.lists == nil {
			sc.lists, sc.parts = make([][]local, len(b.all)), make([][]float64, len(b.all))
		}
		for s := spans[i].from; s < spans[i].to; s++ {
			if err := b.appendSource(sc, spans[i].population, s); err != nil {
				return err
			}
		}
		return nil
	})
}

// appendSource draws and stores the edges of neuron s of a population.
func (b *builder) appendSource(sc *scratch, population, s int) error {
	n := b.net
	var err error
	for i, d := range n.layout.draws {
		if len(b.routes[i][population].tables) == 0 {
			continue
		}
		d.from.members(s, func(pre int) {
			if err == nil {
				err = b.sort(sc, d, pre)
			}
		})
	}
	if err != nil {
		return err
	}
	for r, stores := range b.stores {
		for _, t := range n.ranges[r].tablesOf[population] {
			if stores[t].alike && s > n.layout.firsts[population] {
				sc.lists[r*len(b.index)+t] = sc.lists[r*len(b.index)+t][:0]
				continue
			}
			list, parts := &sc.lists[r*len(b.index)+t], &sc.parts[r*len(b.index)+t]
			sc.counts = resized(sc.counts, stores[t].delays)
			err := stores[t].put(s-n.layout.firsts[population], *list, *parts, uint16(n.ranges[r].lanes), sc.counts)
			if err != nil {
				return err
			}
			*list, *parts = (*list)[:0], (*parts)[:0]
		}
	}
	return nil
}

// sort puts the edges of member pre of a projection's pool of sources on the lists of their tables.
func (b *builder) sort(sc *scratch, d *drawing, pre int) error {
	if err := d.of(pre, &sc.bundle, numbers); err != nil {
		return err
	}
	if err := b.locate(sc, d); err != nil {
		return err
	}
	for k, t := range sc.tables {
		sc.lists[t] = append(sc.lists[t], local{sc.weight[k], sc.lanes[k], sc.runs[k]})
		if b.timed {
			sc.parts[t] = append(sc.parts[t], sc.part[k])
		}
	}
	b.note(sc, d)
	return nil
}

// note counts the edges of a bundle and adds them to the checksum.
func (b *builder) note(sc *scratch, d *drawing) {
	sum := uint64(0)
	if len(sc.tables) > 0 {
		pre, post := sc.end(0)
		s, target := d.from.global(pre), d.to.global(post)
		for k := range sc.tables {
			if len(sc.post) > 1 {
				target = d.to.global(int(sc.post[k]))
			} else if len(sc.pre) > 1 {
				s = d.from.global(int(sc.pre[k]))
			}
			sum += edgeHash(d.number, s, target, sc.weight[k], sc.delay[k])
		}
	}
	sc.edges += int64(len(sc.tables))
	sc.checksum += sum
}

// locate finds the table, the run (its delay in steps above the table's least) and the lane of each edge of a bundle.
func (b *builder) locate(sc *scratch, d *drawing) error {
	n := sc.len()
	sc.tables, sc.runs, sc.lanes = resized(sc.tables, n), resized(sc.runs, n), resized(sc.lanes, n)
	if n == 0 {
		return nil
	}
	pre, post := sc.end(0)
	s, target := d.from.global(pre), d.to.global(post)
	r, h := &b.routes[d.number][b.populations[s]], b.homes[target]
	for k := range sc.tables {
		if len(sc.post) > 1 {
			target = d.to.global(int(sc.post[k]))
			h = b.homes[target]
		} else if len(sc.pre) > 1 {
			r = &b.routes[d.number][b.populations[d.from.global(int(sc.pre[k]))]]
		}
		class := r.class
		if class < 0 {
			class = b.net.layout.classOf[b.populations[target]]
		}
		t := r.tables[class][0]
		if r.signed && sc.weight[k] < 0 {
			t = r.tables[class][1]
		}
		number := int32(h.shard)*int32(len(b.index)) + t
		st := b.all[number]
		run := sc.steps[k] - uint32(st.least)
		if run >= uint32(st.delays) {
			return d.refused(&sc.bundle, k)
		}
		sc.tables[k], sc.runs[k], sc.lanes[k] = number, run, h.lane
	}
	return d.negative(&sc.bundle)
}

// negative refuses edges of a bundle whose weights are conductances below 0.
func (d *drawing) negative(b *bundle) error {
	if !d.layout.spec.Synapses[d.p.Synapse].Kind.conductance() {
		return nil
	}
	for k, w := range b.weight {
		if w < 0 {
			pre, post := b.end(k)
			return fmt.Errorf("projection %s: weight %g of the edge from %d to %d; conductances are at least 0 (clip or redraw them)", d.p.Name, w, pre, post)
		}
	}
	return nil
}

// refused is the error of edge k of a bundle, whose delay cannot be.
func (d *drawing) refused(b *bundle, k int) error {
	pre, post := b.end(k)
	return fmt.Errorf("projection %s: delay %g ms of the edge from %d to %d; it lies between %g and %d ms", d.p.Name, b.delay[k], pre, post, d.layout.spec.Dt, MaxDelay)
}

// edgeHash is the share of an edge in the checksum of a graph, which is their sum.
func edgeHash(projection, pre, post int, weight, delay float64) uint64 {
	h := uint64(0x9e3779b97f4a7c15)
	for _, x := range [...]uint64{uint64(projection), uint64(pre)<<32 | uint64(post), math.Float64bits(weight), math.Float64bits(delay)} {
		hi, lo := bits.Mul64(h^x, 0xd6e8feb86659fd93)
		h = hi ^ lo ^ bits.RotateLeft64(x, 29)
	}
	return h
}

// countEdges counts the edges of the runs of populations that are gone through twice, and makes room for them.
func (b *builder) countEdges() error {
	for _, target := range []bool{false, true} {
		if err := b.twice(target, b.net.layout.draws, b.count); err != nil {
			return err
		}
	}
	return b.parallel(len(b.stores), func(_ *scratch, i int) error {
		for _, s := range b.stores[i] {
			if b.counted[s.population] {
				if err := s.begin(b.net.pages); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// placeEdges draws the same edges again and stores them.
func (b *builder) placeEdges() error {
	draws := b.net.layout.draws
	for len(draws) > 0 { // runs of projections that are drawn alike: edges are stored in the order of projections
		n := 1
		for n < len(draws) && byTarget(draws[n].p.Rule) == byTarget(draws[0].p.Rule) {
			n++
		}
		err := b.twice(byTarget(draws[0].p.Rule), draws[:n], b.place)
		if err != nil {
			return err
		}
		draws = draws[n:]
	}
	return b.parallel(len(b.stores), func(_ *scratch, i int) error {
		for _, s := range b.stores[i] {
			if b.counted[s.population] {
				s.end(uint16(b.net.ranges[i].lanes))
			}
		}
		return nil
	})
}

// twice calls f for every member, source or target, of those projections that are drawn by target, or by source, and
// reach a population that is gone through twice.
func (b *builder) twice(target bool, draws []*drawing, f func(sc *scratch, d *drawing, member int) error) error {
	if target {
		return b.parallel(len(b.net.ranges), func(sc *scratch, i int) error {
			for _, d := range draws {
				if !byTarget(d.p.Rule) {
					continue
				}
				if err := b.targets(d, b.net.ranges[i], func(post int) error { return f(sc, d, post) }); err != nil {
					return err
				}
			}
			return nil
		})
	}
	spans := b.spans(true)
	return b.parallel(len(spans), func(sc *scratch, i int) error {
		var err error
		for s := spans[i].from; s < spans[i].to; s++ {
			for _, d := range draws {
				if byTarget(d.p.Rule) {
					continue
				}
				d.from.members(s, func(pre int) {
					if err == nil {
						err = f(sc, d, pre)
					}
				})
			}
		}
		return err
	})
}

// targets calls f for the members of a projection's pool of targets that are in a range, in their order.
func (b *builder) targets(d *drawing, r *shard, f func(post int) error) error {
	for i := range d.to.parts {
		p := &d.to.parts[i]
		for j := range r.segs {
			lo, hi := p.within(&r.segs[j])
			for post := lo; post < hi; post++ {
				if err := f(post); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// count counts the edges of a member.
func (b *builder) count(sc *scratch, d *drawing, member int) error {
	columns := delays
	for i := range b.routes[d.number] {
		if b.routes[d.number][i].signed {
			columns |= weights
		}
	}
	if err := d.of(member, &sc.bundle, columns); err != nil {
		return err
	}
	if err := b.locate(sc, d); err != nil {
		return err
	}
	for k, t := range sc.tables {
		b.all[t].start[b.run(sc, d, k)]++
	}
	return nil
}

// run is the place in the index of its table where edge k of a bundle is counted: the entry behind that of its run.
func (b *builder) run(sc *scratch, d *drawing, k int) int {
	st := b.all[sc.tables[k]]
	s := d.from.global(int(sc.pre[min(k, len(sc.pre)-1)])) - st.first
	return s*(st.delays+1) + int(sc.runs[k]) + 1
}

// place stores the edges of a member.
func (b *builder) place(sc *scratch, d *drawing, member int) error {
	if err := d.of(member, &sc.bundle, numbers); err != nil {
		return err
	}
	if err := b.locate(sc, d); err != nil {
		return err
	}
	for k, t := range sc.tables {
		st := b.all[t].table
		next := &st.start[b.run(sc, d, k)]
		if st.style == shared {
			st.b16[*next/4][*next%4] = sc.lanes[k]
		} else {
			st.set(*next, sc.lanes[k], sc.weight[k], sc.part[k])
		}
		*next++
	}
	b.note(sc, d)
	return nil
}
