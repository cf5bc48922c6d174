package network

import (
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

// findCounted appends the arrivals by rows of counts at lanes with events to r.found.
func (r *shard) findCounted() {
	for c := range r.counted {
		for _, rows := range r.counted[c] {
			for i := range rows {
				u := &rows[i]
				t := r.tables[u.Table]
				counts, weight := t.counts[int(u.Source)*t.countLanes:][:r.lanes], t.weight
				for j := range r.events {
					lane := r.events[j].lane
					if n := counts[lane]; n > 0 {
						r.found = append(r.found, arrival{uint16(lane), uint8(t.receptor), u.Unit.Theta, float64(n) * weight})
					}
				}
			}
		}
	}
}
