package network

import (
	"cmp"
	"slices"
	"unsafe"

	"popsim/kernels"
	"popsim/kernels/asm"
)

// Where most neurons of a population are connected to most others with one weight and delay, by joined alpha currents
// inside the step, edges are stored as rows of counts: for each source one byte for each lane, the number of its edges
// onto it. A tile of lanes is added up just before it is advanced, all spikes of the step into sums in registers: an
// edge takes a tenth of the time that it takes in a list, and half the memory.

const (
	denseCounts = 0.5 // mean edges of a pair from which on a row of counts is no larger than a list
	// mostCounts is the largest mean edges of a pair of the pools at which counts are used: a number of edges of this mean
	// exceeds 255 with a probability below 1e-200.
	mostCounts = 8
)

// chooseCounted marks the edges that are stored as rows of counts.
func (n *Network) chooseCounted() {
	l := n.layout
	edges, given := map[pair]float64{}, map[pair]bool{} // of a source; whether there are listed ones
	most := map[pair]float64{}                          // mean edges of the pair of neurons that has most
	for i := range l.spec.Projections {
		p := &l.spec.Projections[i]
		_, listed := p.Rule.(Edges)
		for key, x := range l.expected(i) {
			edges[key] += x
			most[key] += l.mostOfPair(p)
			given[key] = given[key] || listed
		}
	}
	for key, t := range n.pairs {
		rc, main := &l.receptors[key.receptor], l.main[key.receptor]
		each := edges[key] / float64(l.neurons(rc.class))
		t.counted = l.joined[main] >= 0 && rc.kind == AlphaCurrent && t.style() == shared && t.least == t.most && !t.alike &&
			!given[key] && each >= denseCounts && most[key] <= mostCounts
	}
}

// mostOfPair is the mean edges of those pairs of neurons between which a projection has most: its pools may be small
// parts of their populations.
func (l *layout) mostOfPair(p *Projection) float64 {
	if _, one := p.Rule.(OneToOne); one {
		return 1
	}
	return l.edges(p) / (float64(size(p.From)) * float64(size(p.To)))
}

// count counts an edge of a source, by its number in its population.
func (s *store) count(source int, lane uint16) {
	at := &s.counts[source*s.countLanes+int(lane)]
	if *at == 255 {
		panic("bug: network: more than 255 edges of a pair; see mostCounts")
	}
	*at++
}

// listed counts an edge, or sets its bit, where its table has such rows, and reports whether it is to be stored in a
// list.
func (s *store) listed(source int, lane uint16) bool {
	switch s.style {
	case bitRows:
		return s.mark(source, lane)
	case countRows:
		s.count(source, lane)
		return false
	}
	return true
}

// countedRows are the rows of counts of the spikes that arrive in a step at a receptor: of weights that are not below
// 0, and of those that are.
type countedRows [2][]runOf

// countSpike lists the row of a spike.
func (r *shard) countSpike(t *table, e *tableSpike) {
	sign := 0
	if r.net.layout.receptors[t.receptor].negative {
		sign = 1
	}
	rows := &r.counted[r.net.layout.main[t.receptor]][sign]
	first := uintptr(unsafe.Pointer(&t.counts[int(e.source)*t.countLanes]))
	if r.laps != nil {
		r.laps.events += t.rowEdges
	}
	*rows = append(*rows, runOf{First: first, Unit: &e.own, Source: e.source, Table: e.table})
}

// addCounted adds what arrives by rows of counts at the lanes of a tile, from lane on, to sums.
func (r *shard) addCounted(c, lane, lanes int, sums alphaSums) {
	r.part(delivery)
	b := asm.CountedRowsBlock{Runs: r.counted[c][0], Lane: lane, Lanes: lanes, Sums: sums}
	kernels.AddCounted(r.net.isa, &b)
	b.Runs = r.counted[c][1]
	kernels.AddCountedFalls(r.net.isa, &b)
	r.part(update)
}

// clearCounted drops the rows of the last step.
func (r *shard) clearCounted() {
	for c := range r.counted {
		for sign := range r.counted[c] {
			r.counted[c][sign] = r.counted[c][sign][:0]
		}
	}
}

// countedOrder is the rows of counts of a step in the order of their times; at one instant, in the order in which they
// are added.
type countedOrder struct {
	rows []timedCounts
}

type timedCounts struct {
	theta, weight float64
	add           [3]float64 // what an arrival of weight 1 adds
	counts        []uint8    // by lane
	main          int        // receptor
	receptor      uint8
}

// orderCounted finds the order of the rows of counts of the current step.
func (r *shard) orderCounted() {
	o := &r.countedOrder
	o.rows = o.rows[:0]
	for c := range r.counted {
		for _, rows := range r.counted[c] {
			for i := range rows {
				u := &rows[i]
				t := r.tables[u.Table]
				add := r.net.layout.series[c].at(u.Unit.Theta)
				o.rows = append(o.rows, timedCounts{
					theta: u.Unit.Theta, weight: t.weight, add: add, main: c, receptor: uint8(t.receptor),
					counts: t.counts[int(u.Source)*t.countLanes:][:r.lanes],
				})
			}
		}
	}
	slices.SortStableFunc(o.rows, func(a, b timedCounts) int { return cmp.Compare(a.theta, b.theta) })
}

// find appends the arrivals by rows of counts at a lane to found, in the order of their times.
func (o *countedOrder) find(lane int, found []arrival) []arrival {
	n := len(found)
	found = slices.Grow(found, len(o.rows))[:n+len(o.rows)]
	for i := range o.rows {
		row := &o.rows[i]
		count := row.counts[lane]
		found[n] = arrival{uint16(lane), row.receptor, row.theta, float64(count) * row.weight}
		n += int(min(count, 1))
	}
	return found[:n]
}

// joinCounted adds the arrivals by rows of counts, and those added in vectors, to the other arrivals of each lane with
// an event: event by event, so that none is copied.
func (r *shard) joinCounted(k int64) {
	others := r.arrivals
	r.found = r.found[:0]
	for i := range r.events {
		b, first := &r.events[i], len(r.found)
		r.found = append(r.found, others[r.begin[i]:r.begin[i+1]]...)
		r.found = r.countedOrder.find(b.lane, r.found)
		r.findVectors(b, k)
		r.begin[i] = first
	}
	r.begin[len(r.events)] = len(r.found)
	r.arrivals, r.found = r.found, others
}
