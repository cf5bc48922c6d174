package network

import (
	"fmt"
	"math"
	"math/bits"
)

// A span is a run of neurons of one population; from and to are numbers in the network.
type span struct{ population, from, to int }

// spans cuts the populations with a filling into runs for the workers.
func (b *builder) spans(of filling) (list []span) {
	const perWorker = 16 // so that a slow worker keeps the others waiting for a sixteenth of its part at most
	l := b.net.layout
	for p, f := range b.filling {
		if f != of {
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

// appendEdges draws and stores the edges of the populations that are drawn once.
func (b *builder) appendEdges() error {
	spans := b.spans(once)
	return b.parallel(len(spans), func(sc *scratch, i int) error {
		if sc.lists == nil {
			sc.lists, sc.parts = make([][]local, len(b.all)), make([][]float64, len(b.all))
			sc.short = make([][]shortEdge, len(b.all))
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
			sc.counts = resized(sc.counts, stores[t].delays)
			source, none := s-n.layout.firsts[population], uint16(n.ranges[r].lanes)
			if stores[t].short {
				list := &sc.short[r*len(b.index)+t]
				if err := stores[t].putShort(source, *list, none, sc.counts); err != nil {
					return err
				}
				*list = (*list)[:0]
				continue
			}
			list, parts := &sc.lists[r*len(b.index)+t], &sc.parts[r*len(b.index)+t]
			if err := stores[t].put(source, *list, *parts, none, sc.counts); err != nil {
				return err
			}
			*list, *parts = (*list)[:0], (*parts)[:0]
		}
	}
	return nil
}

// sort appends the edges of member pre of a projection's pool of sources to the lists of their tables.
func (b *builder) sort(sc *scratch, d *drawing, pre int) error {
	if err := d.of(pre, &sc.bundle, numbers); err != nil {
		return err
	}
	b.note(sc, d)
	if t := b.routes[d.number][b.populations[d.from.global(pre)]].only; t >= 0 && len(d.to.parts) == 1 && !b.timed {
		return b.sortOnly(sc, d, int(t))
	}
	if err := b.locate(sc, d); err != nil {
		return err
	}
	for k, t := range sc.tables {
		if b.all[t].short {
			sc.short[t] = append(sc.short[t], newShortEdge(sc.weight[k], sc.lanes[k], sc.runs[k]))
			continue
		}
		sc.lists[t] = append(sc.lists[t], local{sc.weight[k], sc.lanes[k], sc.runs[k]})
		if b.timed {
			sc.parts[t] = append(sc.parts[t], sc.part[k])
		}
	}
	return nil
}

// sortOnly is sort where all edges of a range go to its table t: the usual case, in one loop.
func (b *builder) sortOnly(sc *scratch, d *drawing, t int) error {
	n, st := sc.len(), b.all[t] // delays are those of all ranges
	homes, weight, steps := b.homes[d.to.parts[0].global:], sc.weight[:n], sc.steps[:n]
	least, delays := uint32(st.least), uint32(st.delays)
	if st.short {
		for k, post := range sc.post[:n] {
			h, run := homes[post], steps[k]-least
			if run >= delays {
				return d.refused(&sc.bundle, k)
			}
			list := &sc.short[int(h.shard)*len(b.index)+t]
			*list = append(*list, newShortEdge(weight[k], h.lane, run))
		}
		return nil
	}
	for k, post := range sc.post[:n] {
		h, run := homes[post], steps[k]-least
		if run >= delays {
			return d.refused(&sc.bundle, k)
		}
		list := &sc.lists[int(h.shard)*len(b.index)+t]
		*list = append(*list, local{weight[k], h.lane, run})
	}
	return nil
}

// note counts the edges of a bundle and adds them to the checksum.
func (b *builder) note(sc *scratch, d *drawing) {
	n := sc.len()
	if n == 0 {
		return
	}
	pre, post := sc.end(0)
	s, target := d.from.global(pre), d.to.global(post)
	sum, weight, delay := uint64(0), sc.weight[:n], sc.delay[:n]
	begin := hashed(hashStart, uint64(d.number))
	if byTarget(d.p.Rule) {
		for k, w := range weight {
			sum += edgeHash(begin, d.from.global(int(sc.pre[k])), target, w, delay[k])
		}
	} else {
		for k, w := range weight {
			sum += edgeHash(begin, s, d.to.global(int(sc.post[k])), w, delay[k])
		}
	}
	sc.edges += int64(n)
	sc.checksum += sum
}

// noteUnstored counts the edges that are not stored, and adds them to the checksum.
func (b *builder) noteUnstored() error {
	l := b.net.layout
	for _, d := range l.draws {
		if !l.unstored(d.p) {
			continue
		}
		err := b.parallel(d.from.n, func(sc *scratch, pre int) error {
			if err := d.of(pre, &sc.bundle, numbers); err != nil {
				return err
			}
			b.note(sc, d)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// locate finds the table, the run (its delay in steps above the table's least) and the lane of each edge of a bundle.
func (b *builder) locate(sc *scratch, d *drawing) error {
	n := sc.len()
	sc.tables, sc.runs, sc.lanes = resized(sc.tables, n), resized(sc.runs, n), resized(sc.lanes, n)
	if n == 0 {
		return nil
	}
	pre, post := sc.end(0)
	target := d.to.global(post)
	r, h := &b.routes[d.number][b.populations[d.from.global(pre)]], b.homes[target]
	drawnByTarget := byTarget(d.p.Rule)
	for k := range sc.tables {
		t := r.only
		switch {
		case drawnByTarget:
			r = &b.routes[d.number][b.populations[d.from.global(int(sc.pre[k]))]]
			t = b.table(r, target, sc.weight, k)
		case t < 0:
			target = d.to.global(int(sc.post[k]))
			h, t = b.homes[target], b.table(r, target, sc.weight, k)
		default:
			h = b.homes[d.to.global(int(sc.post[k]))]
		}
		number := int32(h.shard)*int32(len(b.index)) + t
		st := b.all[number]
		run := sc.steps[k] - uint32(st.least)
		if run >= uint32(st.delays) {
			return d.refused(&sc.bundle, k)
		}
		sc.tables[k], sc.runs[k], sc.lanes[k] = number, run, h.lane
	}
	return nil
}

// table is the number of the table of edge k onto a neuron. Weights are read only where the sign matters.
func (b *builder) table(r *route, target int, weight []float64, k int) int32 {
	if r.only >= 0 {
		return r.only
	}
	class := r.class
	if class < 0 {
		class = b.net.layout.classOf[b.populations[target]]
	}
	if r.signed && weight[k] < 0 {
		return r.tables[class][1]
	}
	return r.tables[class][0]
}

// refused is the error of edge k of a bundle, whose delay is out of bounds.
func (d *drawing) refused(b *bundle, k int) error {
	pre, post := b.end(k)
	return fmt.Errorf("projection %s: delay %g ms of the edge from %d to %d; it lies between %g and %d ms",
		d.p.Name, b.delay[k], pre, post, d.layout.spec.Dt, MaxDelay)
}

// edgeHash is the hash of an edge of a projection, whose number has been hashed; the checksum of a graph is the sum of
// the hashes of its edges.
func edgeHash(projection uint64, pre, post int, weight, delay float64) uint64 {
	h := hashed(projection, uint64(pre)<<32|uint64(post))
	return hashed(hashed(h, math.Float64bits(weight)), math.Float64bits(delay))
}

const hashStart = 0x9e3779b97f4a7c15

func hashed(h, x uint64) uint64 {
	hi, lo := bits.Mul64(h^x, 0xd6e8feb86659fd93)
	return hi ^ lo ^ bits.RotateLeft64(x, 29)
}

// countEdges counts the edges of the runs of populations that are drawn twice, and allocates memory for them.
func (b *builder) countEdges() error {
	for _, target := range []bool{false, true} {
		if err := b.twice(target, b.net.layout.draws, b.count); err != nil {
			return err
		}
	}
	return b.parallel(len(b.stores), func(_ *scratch, i int) error {
		stores, _ := b.ofRange(i, twice)
		return b.begin(stores)
	})
}

// begin ends the counting of edges of tables.
func (b *builder) begin(stores []*store) error {
	for _, s := range stores {
		if err := s.begin(b.net.pages); err != nil {
			return err
		}
	}
	return nil
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
		stores, _ := b.ofRange(i, twice)
		for _, s := range stores {
			s.end(uint16(b.net.ranges[i].lanes))
		}
		return nil
	})
}

// twice calls f for every member, source or target, of the projections that are drawn by target (or by source, if
// target is false) from a population that is drawn twice.
func (b *builder) twice(target bool, draws []*drawing, f func(sc *scratch, d *drawing, member int) error) error {
	if target {
		return b.parallel(len(b.net.ranges), func(sc *scratch, i int) error {
			for _, d := range draws {
				if !byTarget(d.p.Rule) || b.filling[d.p.From[0].Population] != twice {
					continue
				}
				if err := b.targets(d, b.net.ranges[i], func(post int) error { return f(sc, d, post) }); err != nil {
					return err
				}
			}
			return nil
		})
	}
	spans := b.spans(twice)
	return b.parallel(len(spans), func(sc *scratch, i int) error {
		var err error
		for s := spans[i].from; s < spans[i].to; s++ {
			for _, d := range draws {
				if byTarget(d.p.Rule) || len(b.routes[d.number][spans[i].population].tables) == 0 {
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
	if st := b.only(d, member); st != nil {
		if err := st.places(sc, d, b.homes[d.to.global(member)].lane); err != nil {
			return err
		}
		st.countAll(sc.starts)
		return nil
	}
	if err := b.locate(sc, d); err != nil {
		return err
	}
	for k, t := range sc.tables {
		st := b.all[t]
		if source := b.source(sc, d, k, st); st.listed(source, sc.lanes[k]) {
			sc.starts = append(sc.starts[:0], st.counter(source, sc.runs[k]))
			st.countAll(sc.starts)
		}
	}
	return nil
}

// only returns the table of all edges that a projection from one population draws for a target; nil where there are
// several tables.
func (b *builder) only(d *drawing, post int) *store {
	if !byTarget(d.p.Rule) || len(d.p.From) > 1 {
		return nil
	}
	r := &b.routes[d.number][d.p.From[0].Population]
	if r.only < 0 {
		return nil
	}
	return b.stores[b.homes[d.to.global(post)].shard][r.only]
}

// counter is where the edges of a run of a source are counted: in offsets where the table is packed, else in the entry
// of the index after that of the run.
func (s *store) counter(source int, run uint32) int {
	if s.laneBits > 0 {
		return source*s.delays + int(run)
	}
	return source*(s.delays+1) + int(run) + 1
}

// nextPlace is the place of the next edge of a run of a source.
func (s *store) nextPlace(source int, run uint32) uint32 {
	i := s.counter(source, run)
	if s.laneBits > 0 {
		s.offsets[i]++
		return 4*s.start[2*source] + uint32(s.offsets[i]) - 1
	}
	s.start[i]++
	return s.start[i] - 1
}

// countAll counts an edge in each of some counters.
func (s *store) countAll(counters []int) {
	if s.laneBits > 0 {
		for _, i := range counters {
			s.offsets[i]++
		}
		return
	}
	for _, i := range counters {
		s.start[i]++
	}
}

// places finds the counters of the edges of a bundle of one target, all of this table.
func (s *store) places(sc *scratch, d *drawing, lane uint16) error {
	sc.starts = resized(sc.starts, len(sc.pre))
	least, first := uint32(s.least), d.from.global(0)-s.first
	stride, begin := s.counter(1, 0)-s.counter(0, 0), s.counter(first, 0)
	if s.style == bitRows || s.style == countRows { // of one delay
		sc.starts = sc.starts[:0]
		for _, pre := range sc.pre {
			if source := first + int(pre); s.listed(source, lane) {
				sc.starts = append(sc.starts, 2*source+1)
			}
		}
		return nil
	}
	for k, pre := range sc.pre {
		run := sc.steps[k] - least
		if run >= uint32(s.delays) {
			return d.refused(&sc.bundle, k)
		}
		sc.starts[k] = begin + int(pre)*stride + int(run)
	}
	return nil
}

// source is the number in its population of the source of edge k of a bundle.
func (b *builder) source(sc *scratch, d *drawing, k int, st *store) int {
	return d.from.global(int(sc.pre[min(k, len(sc.pre)-1)])) - st.first
}

// place stores the edges of a member.
func (b *builder) place(sc *scratch, d *drawing, member int) error {
	if err := d.of(member, &sc.bundle, numbers); err != nil {
		return err
	}
	b.note(sc, d)
	if st := b.only(d, member); st != nil {
		lane := b.homes[d.to.global(member)].lane
		if err := st.places(sc, d, lane); err != nil {
			return err
		}
		if st.laneBits > 0 {
			st.placePacked(sc, d.from.global(0)-st.first, lane)
		} else {
			st.placeAt(sc, lane)
		}
		return nil
	}
	if err := b.locate(sc, d); err != nil {
		return err
	}
	for k, t := range sc.tables {
		st := b.all[t]
		source := b.source(sc, d, k, st)
		if !st.listed(source, sc.lanes[k]) {
			continue
		}
		st.set(st.nextPlace(source, sc.runs[k]), sc.lanes[k], sc.weight[k], sc.part[k])
	}
	return nil
}

// placeAt stores the edges of a bundle of one target, whose counters are known, in a table that is not packed.
func (s *store) placeAt(sc *scratch, lane uint16) {
	switch s.style {
	case shared, bitRows, countRows:
		for _, i := range sc.starts {
			next := s.start[i]
			s.start[i] = next + 1
			s.b16[next/4][next%4] = lane
		}
	case float32s:
		start, blocks, weight := s.start, s.b32, sc.weight[:len(sc.starts)]
		for k, i := range sc.starts {
			next := start[i]
			start[i] = next + 1
			b := &blocks[next/4]
			b.To[next%4], b.W[next%4] = lane, float32(weight[k])
		}
	default:
		for k, i := range sc.starts {
			s.set(s.start[i], lane, sc.weight[k], sc.part[k])
			s.start[i]++
		}
	}
}
