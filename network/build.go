package network

import (
	"context"
	"fmt"
	"math"
	"math/bits"

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

// Forecast is what a network will need.
type Forecast struct {
	Neurons int
	Edges   int64 // expected
	Bytes   int64
}

// Forecast computes what the network will need, from its laws alone.
func (s *Spec) Forecast() (Forecast, error) {
	if err := s.Check(); err != nil {
		return Forecast{}, err
	}
	l := newLayout(s)
	f := Forecast{Neurons: l.firsts[len(l.firsts)-1]}
	for i := range s.Projections {
		p := &s.Projections[i]
		least, most, timed, err := l.delayBounds(p)
		if err != nil {
			return f, err
		}
		from, to := float64(size(p.From)), float64(size(p.To))
		edges := from * to
		switch r := p.Rule.(type) {
		case InDegree:
			edges = to * float64(r.K)
		case OutDegree:
			edges = from * float64(r.K)
		case Probability:
			edges = from * to * r.P
		case Total:
			edges = float64(r.N)
		case OneToOne:
			edges = from
		case Edges:
			edges = float64(len(r.Pre))
		}
		per := 10.0
		_, constant := p.Weight.(Constant)
		_, drawn := p.Weight.(Draw)
		if timed {
			per = 18
		} else if constant {
			per = 2
		} else if drawn {
			per = 6
		}
		f.Edges += int64(edges)
		f.Bytes += int64(edges*per*1.05 + 4*from*float64(most-least+2))
	}
	f.Bytes += int64(f.Neurons) * 200
	return f, nil
}

// Build draws the graph of a network and lays it out; the Spec must not change while the Network is in use.
func Build(ctx context.Context, s *Spec, c Config) (*Network, error) {
	f, err := s.Forecast()
	if err != nil {
		return nil, err
	}
	if c.Memory > 0 && f.Bytes > c.Memory {
		return nil, fmt.Errorf("the network needs about %.3g GB for %.4g synapses; %.3g GB are available", float64(f.Bytes)/1e9, float64(f.Edges), float64(c.Memory)/1e9)
	}
	isa, err := kernels.ParseISA(c.ISA.String())
	if err != nil {
		return nil, err
	}
	l := newLayout(s)
	n := &Network{layout: l, isa: isa}
	workers := c.Workers
	if workers <= 0 {
		workers = sched.Allowed()
	}
	n.workers = workers
	if err := n.traits(); err != nil {
		return nil, err
	}
	count := workers
	if c.Ranges > 0 {
		count = c.Ranges
	} else if f.Edges < 20000 && f.Neurons < 2000 {
		count = 1 // less work per epoch than a barrier costs
	}
	for i := range s.Projections {
		l.draws = append(l.draws, newDrawing(s, &s.Projections[i]))
	}
	for _, segs := range l.ranges(count) {
		n.ranges = append(n.ranges, &shard{net: n, segs: segs})
	}
	n.inputReceptors()
	if len(l.receptors) > maxReceptors {
		return nil, fmt.Errorf("%d kinds of synapse onto kinds of neuron, by sign; at most %d are possible", len(l.receptors), maxReceptors)
	}
	_, err = sched.Run(ctx, sched.Plan{
		Workers: workers, Shards: len(n.ranges),
		Advance: func(_, shard, _ int) error { return n.ranges[shard].build(shard) },
		Merge:   func(int) (bool, error) { return false, nil },
	})
	if err != nil {
		return nil, err
	}
	for _, r := range n.ranges {
		n.checksum += r.checksum
		n.edges += r.edges
		for _, t := range r.tables {
			n.bytes += t.bytes()
		}
	}
	return n, nil
}

// maxReceptors is the most receptors: arrivals name theirs in 8 bits.
const maxReceptors = 255

// pair is a population of sources and a receptor.
type pair struct{ population, receptor int }

// traits finds the receptors that projections reach, the style in which each pair of population and receptor stores its
// edges, and the least and longest delays.
func (n *Network) traits() error {
	l := n.layout
	n.pairs = map[pair]*traits{}
	l.steps = math.MaxInt64
	note := func(pop, target int, synapse int, negative bool, p *Projection, least, most int, timed bool) {
		key := pair{pop, l.receptor(synapse, target, negative)}
		t := n.pairs[key]
		if t == nil {
			t = &traits{least: least, most: most}
			n.pairs[key] = t
			n.order = append(n.order, key)
		}
		t.least, t.most, t.timed = min(t.least, least), max(t.most, most), t.timed || timed
		w, constant := p.Weight.(Constant)
		_, drawn := p.Weight.(Draw)
		if e, ok := p.Rule.(Edges); ok && e.Weight != nil {
			constant, drawn = false, false
		}
		if _, ok := p.Rule.(Ring); ok {
			constant, drawn = false, false
		}
		switch {
		case drawn:
			t.drawn = true
		case !constant || t.any && t.one != float64(w):
			t.numbers = true
		default:
			t.any, t.one = true, float64(w)
		}
	}
	for i := range l.spec.Projections {
		p := &l.spec.Projections[i]
		least, most, timed, err := l.delayBounds(p)
		if err != nil {
			return err
		}
		l.steps, l.longest = min(l.steps, int64(least)), max(l.longest, most)
		for _, f := range p.From {
			for _, t := range p.To {
				signs := []bool{false, true}
				if w, ok := p.Weight.(Constant); ok {
					if _, ring := p.Rule.(Ring); !ring {
						signs = []bool{w < 0}
					}
				}
				if e, ok := p.Rule.(Edges); ok && e.Weight != nil {
					signs = []bool{false, true}
				}
				if l.spec.OnGrid {
					signs = signs[:1]
				}
				for _, negative := range signs {
					note(f.Population, t.Population, p.Synapse, negative, p, least, most, timed)
				}
			}
		}
	}
	if l.longest >= math.MaxUint16 {
		return fmt.Errorf("a delay of %g ms is %d steps; at most %d are possible, with a longer dt", float64(l.longest)*l.spec.Dt, l.longest, math.MaxUint16-1)
	}
	if l.longest == 0 { // no projections
		l.steps, l.longest = 64, 1
	}
	return nil
}

func (t *traits) style() style {
	switch {
	case t.timed:
		return timed
	case t.numbers || t.drawn && t.any:
		return float64s
	case t.drawn:
		return float32s
	}
	return shared
}

// build makes the tables of the range and its columns.
func (r *shard) build(number int) error {
	n := r.net
	r.number = number
	if err := r.layOut(); err != nil {
		return err
	}
	l := n.layout
	r.tablesOf = make([][]int, len(l.spec.Populations))
	index := map[pair]int{}
	for _, key := range n.order {
		t := n.pairs[key]
		p := &l.spec.Populations[key.population]
		most := t.most
		tb := &table{
			receptor: key.receptor, population: key.population, style: t.style(), first: l.firsts[key.population],
			least: t.least, delays: most - t.least + 1,
		}
		tb.start = make([]uint32, p.N*(tb.delays+1)+1)
		if tb.style == shared {
			tb.weight = make([]float64, p.N)
		}
		index[key] = len(r.tables)
		r.tablesOf[key.population] = append(r.tablesOf[key.population], len(r.tables))
		r.tables = append(r.tables, tb)
	}
	transposed := make([]*transpose, len(l.draws))
	for i, d := range l.draws {
		if d.byTarget() {
			transposed[i] = r.transpose(d)
		}
	}
	lists := make([][]local, len(r.tables))
	var edges []edge
	for p := range l.spec.Populations {
		if len(r.tablesOf[p]) == 0 {
			continue
		}
		for s := l.firsts[p]; s < l.firsts[p+1]; s++ {
			for _, t := range r.tablesOf[p] {
				lists[t] = lists[t][:0]
			}
			for i, d := range l.draws {
				d.from.members(s, func(pre int) {
					if transposed[i] != nil {
						edges = transposed[i].of(d, pre, edges[:0])
					} else {
						edges = d.ofSource(pre, edges[:0])
					}
					for k := range edges {
						r.add(i, d, s, p, &edges[k], index, lists)
					}
				})
			}
			if r.fault != nil {
				return r.fault
			}
			for _, t := range r.tablesOf[p] {
				if err := r.tables[t].put(s, lists[t], uint16(r.lanes), &r.counts); err != nil {
					return err
				}
			}
		}
	}
	r.prepareInputs()
	return nil
}

// add puts an edge from neuron s of population p on the list of its table, if its target is in the range.
func (r *shard) add(projection int, d *drawing, s, p int, e *edge, index map[pair]int, lists [][]local) {
	g := d.to.global(int(e.post))
	seg := r.segmentOf(g)
	if seg == nil {
		return
	}
	l := r.net.layout
	whole, part := l.place(e.delay)
	key := pair{p, l.receptor(d.p.Synapse, seg.population, e.weight < 0)}
	t := index[key]
	tb := r.tables[t]
	if whole < tb.least || whole >= tb.least+tb.delays || math.IsNaN(e.weight) || math.IsInf(e.weight, 0) {
		r.fault = fmt.Errorf("projection %s: edge from %d to %d with weight %g and delay %g ms", d.p.Name, e.pre, e.post, e.weight, e.delay)
		return
	}
	lists[t] = append(lists[t], local{weight: e.weight, part: part, lane: uint16(seg.base + g - seg.first), delay: uint16(whole - tb.least)})
	r.edges++
	r.checksum += edgeHash(projection, s, g, e)
}

// edgeHash is the share of an edge in the checksum of a graph, which is their sum.
func edgeHash(projection, pre, post int, e *edge) uint64 {
	h := uint64(0x9e3779b97f4a7c15)
	for _, x := range [...]uint64{uint64(projection), uint64(pre)<<32 | uint64(post), math.Float64bits(e.weight), math.Float64bits(e.delay)} {
		hi, lo := bits.Mul64(h^x, 0xd6e8feb86659fd93)
		h = hi ^ lo ^ bits.RotateLeft64(x, 29)
	}
	return h
}

// put appends the edges of source s, sorted by delay, in the order of the list within one delay.
func (t *table) put(s int, list []local, none uint16, counts *[]uint32) error {
	if cap(*counts) < t.delays+1 {
		*counts = make([]uint32, t.delays+1)
	}
	at := (*counts)[:t.delays+1]
	clear(at)
	for i := range list {
		at[list[i].delay]++
	}
	row := t.start[(s-t.first)*(t.delays+1):][:t.delays+2]
	next := uint32(t.blocks())
	total := uint64(next)
	for d := range t.delays {
		row[d] = next
		c := at[d]
		at[d] = 4 * next
		next += (c + 3) / 4
		total += uint64(c+3) / 4
	}
	row[t.delays], row[t.delays+1] = next, next
	if total > math.MaxUint32/4 {
		return fmt.Errorf("more than %d synapses onto one range of targets; use more workers", math.MaxUint32)
	}
	t.grow(int(next), none)
	for i := range list {
		e := &list[i]
		k := at[e.delay]
		at[e.delay]++
		b, j := k/4, k%4
		switch t.style {
		case shared:
			t.b16[b][j] = e.lane
			t.weight[s-t.first] = e.weight
		case float32s:
			t.b32[b].To[j], t.b32[b].W[j] = e.lane, float32(e.weight)
		case float64s:
			t.b64[b].To[j], t.b64[b].W[j] = e.lane, e.weight
		case timed:
			t.bt[b].To[j], t.bt[b].W[j], t.bt[b].Part[j] = e.lane, e.weight, e.part
		}
	}
	return nil
}

// grow appends empty blocks up to n.
func (t *table) grow(n int, none uint16) {
	to := [4]uint16{none, none, none, none}
	for t.blocks() < n {
		switch t.style {
		case shared:
			t.b16 = append(t.b16, to)
		case float32s:
			t.b32 = append(t.b32, block32{To: to})
		case float64s:
			t.b64 = append(t.b64, block64{To: to})
		case timed:
			t.bt = append(t.bt, blockTimed{To: to})
		}
	}
}

// transpose holds the edges of a projection drawn by target, by source.
type transpose struct {
	start []uint32
	post  []int32
	draw  []uint32
}

// transpose draws the edges onto the targets of the range and orders them by source.
func (r *shard) transpose(d *drawing) *transpose {
	t := &transpose{start: make([]uint32, d.from.n+1)}
	var seen marks
	var sources []int32
	each := func(f func(post int, sources []int32)) {
		for post := range d.to.n {
			if r.segmentOf(d.to.global(post)) != nil {
				sources = d.sourcesOf(post, &seen, sources[:0])
				f(post, sources)
			}
		}
	}
	each(func(_ int, sources []int32) {
		for _, s := range sources {
			t.start[s+1]++
		}
	})
	for i := range d.from.n {
		t.start[i+1] += t.start[i]
	}
	t.post, t.draw = make([]int32, t.start[d.from.n]), make([]uint32, t.start[d.from.n])
	at := append([]uint32(nil), t.start...)
	each(func(post int, sources []int32) {
		for k, s := range sources {
			t.post[at[s]], t.draw[at[s]] = int32(post), uint32(k)
			at[s]++
		}
	})
	return t
}

func (t *transpose) of(d *drawing, pre int, edges []edge) []edge {
	for i := t.start[pre]; i < t.start[pre+1]; i++ {
		post := int(t.post[i])
		edges = append(edges, d.of(pre, post, uint32(post), t.draw[i]))
	}
	return edges
}
