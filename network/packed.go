package network

import (
	"math"
	"math/bits"
	"unsafe"

	"popsim/kernels"
	"popsim/kernels/asm"
)

// Where ranges are many and delays spread, a source has few edges of each delay onto a range, often one or two. Runs by
// delay, each padded to four edges and found by an index, then take three times the memory of the edges, and as many
// reads as edges. There a table is packed: its edges have one run for each source, sorted by delay. The number of a
// target holds the lane in its low bits, and above them how many steps its delay is longer than that of the edge before
// it; the first edge counts from the table's least delay.
//
// The run is read once, when the spike is known. On the grid its edges are added to the rows of the steps in which they
// arrive; inside the step they are sorted into lists by step: see due.go. Either way the edges onto a target are added
// in the order of runs by delay: by emission of the spike, by source, by draw.

// packs is whether tables are packed at all; tests compare.
var packs = true

// Packed tables are chosen by what a run by delay costs.
const (
	packedBytes    = 9.0 // of an edge with its index and padding: above this packed tables are faster too
	packedLaneBits = 14  // most bits of a lane: the others hold steps of delay
)

// packedTables is the packed tables of a range, and what is to arrive by their edges. Columns by step are read modulo
// slots.
type packedTables struct {
	of    [][]int32 // tables by population, by number
	every bool      // whether all tables are packed, so that no runs are listed step by step
	slots int64
	runs  []runOf // scratch: of the spikes of a step

	// On the grid: by receptor the rows of the steps to come, a row of stride accumulators for each; nil but for receptors
	// that hold a row.
	rings  [][]float64
	stride int
	blank  []float64 // a row without arrivals

	due due // inside the step
}

// mostLater is how many steps the delay of an edge may be longer than that of the edge before it.
func (t *table) mostLater() int { return 1<<(16-t.laneBits) - 1 }

// startPacked prepares the range for its packed tables.
func (r *shard) startPacked() {
	l, p := r.net.layout, &r.packed
	p.every = len(r.tables) > 0
	for ti, t := range r.tables {
		if t.laneBits == 0 {
			p.every = false
			continue
		}
		if p.of == nil {
			p.of, p.slots = make([][]int32, len(l.spec.Populations)), int64(l.longest)+2
		}
		p.of[t.population] = append(p.of[t.population], int32(ti))
		c := l.main[t.receptor]
		if !l.spec.OnGrid {
			p.due.start(p.slots, c)
		} else if p.rings == nil {
			p.rings, p.stride, p.blank = make([][]float64, len(l.receptors)), r.lanes+1, emptyColumn(r.lanes+1)
		}
		if l.spec.OnGrid && p.rings[c] == nil {
			p.rings[c] = emptyColumn(int(p.slots) * p.stride)
		}
	}
	if p.of != nil {
		r.watch.on = false // the edges of a step are near by: see findDue
	}
}

// dropAll forgets all that is to arrive.
func (p *packedTables) dropAll() {
	for _, ring := range p.rings {
		for i := range ring {
			ring[i] = empty
		}
	}
	p.due.dropAll()
}

// sortSpikes sorts the edges of all spikes of step s by the step in which they arrive, without those that arrive before
// step k.
func (r *shard) sortSpikes(s, k int64) {
	p, l := &r.packed, r.net.layout
	p.due.begin(s)
	p.runs = p.runs[:0]
	for _, from := range r.net.ranges {
		for _, sp := range from.emitted(s) {
			for _, ti := range p.of[sp.population] {
				t := r.tables[ti]
				row := t.row(int(sp.neuron) - t.first)
				u := runOf{First: uintptr(unsafe.Pointer(&row[0])), Unit: &onePerEdge, Table: ti}
				if !l.spec.OnGrid {
					unit := dueUnit{asm.UnitEdge{Add: r.coefs(t.receptor, -1, sp.theta), Theta: sp.theta}, uint8(t.receptor)}
					u.Source = int32(p.due.units.add(unit, s-int64(l.longest)))
				}
				p.runs = append(p.runs, u)
			}
		}
	}
	r.findRuns(p.runs)
	if r.laps != nil {
		r.count(p.runs)
	}
	for i := range p.runs {
		if next := i + ahead; next < len(p.runs) {
			kernels.PrefetchRange(p.runs[next].First, int(p.runs[next].Blocks)*blockBytes[float32s])
		}
		u := &p.runs[i]
		t := r.tables[u.Table]
		at, early := (s+int64(t.least))%p.slots, int(k-s)-t.least
		if l.spec.OnGrid {
			p.addRun(p.rings[l.main[t.receptor]], u.Edges(), int(at), early, t.laneBits)
		} else {
			p.due.sort(u, int(at), early, t.laneBits)
		}
	}
}

// addRun adds edges to the rows of the steps in which they arrive; the first arrives in step number at, or later. Those
// that arrive less than early steps later are left out.
func (p *packedTables) addRun(ring []float64, edges []asm.Edges, at, early int, laneBits uint) {
	shift, mask := laneBits&15, uint16(1)<<laneBits-1
	rows, stride, end := unsafe.Pointer(unsafe.SliceData(ring)), p.stride, len(ring)
	at *= stride
	for i := range edges {
		e := &edges[i]
		for j, to := range &e.To {
			steps := int(to >> shift)
			if at += steps * stride; at >= end {
				at -= end
			}
			if early > 0 {
				if early -= steps; early > 0 {
					continue
				}
			}
			*place(rows, at+int(to&mask)) += float64(e.W[j])
		}
	}
}

// addPacked adds what arrives by the edges of packed tables in step k to the rows, of which more may be known later.
func (r *shard) addPacked(k int64, more bool) {
	p := &r.packed
	switch {
	case p.of == nil:
	case !r.net.layout.spec.OnGrid:
		p.due.addTo(r, k, more)
	case !more:
		for c, ring := range p.rings {
			if ring != nil {
				row := ring[int(k%p.slots)*p.stride:][:p.stride]
				copy(r.rows[c], row)
				copy(row, p.blank)
			}
		}
	}
}

// packedIndex is the number of entries of the index of a range's packed tables.
func (n *Network) packedIndex() (entries int) {
	for _, key := range n.order {
		if n.pairs[key].packed {
			entries += 2 * n.layout.spec.Populations[key.population].N
		}
	}
	return entries
}

// makePacked allocates the blocks of packed tables of a range in one piece: in huge pages.
func (b *builder) makePacked(stores []*store, blocks int) {
	for i, s := range stores {
		if i == 0 {
			s.make(b.net.pages, blocks)
		} else {
			s.b32, s.next = stores[0].b32, stores[0].next
		}
	}
}

// trimPacked returns memory that packed tables of a range have not used. The first of them keeps the blocks.
func (b *builder) trimPacked(stores []*store) {
	for i, s := range stores {
		if i == 0 {
			s.trim(b.net.pages, int(s.next.Load()))
			s.complete()
		} else {
			s.b32, s.base = nil, stores[0].base
		}
	}
}

// putPacked is putShort for a packed table; at has the numbers of edges by delay.
func (s *store) putPacked(source int, list []shortEdge, none uint16, at []uint32) error {
	places := layDelays(at, s.mostLater())
	first, err := s.takeRun(source, places)
	if err != nil {
		return err
	}
	placeShort(s.b32[first:], list, at)
	markDelays(s.table, source, at, none)
	return nil
}

// takeRun takes blocks for the run of a source of a packed table with so many places, and writes its row of the index;
// it returns the number of the first block.
func (s *store) takeRun(source, places int) (first uint32, err error) {
	blocks := int64(places+3) / 4
	next, err := s.take(blocks)
	if err != nil {
		return 0, err
	}
	row := s.row(source)
	row[0], row[1] = uint32(next), uint32(next+blocks)
	return row[0], nil
}

// layDelays lays out the run of a source of a packed table: it makes the numbers of edges by delay the places of the
// first of them in the run, and returns the number of places. Where delays are further apart than a target can tell,
// edges without a target are put between them.
func layDelays[T uint16 | uint32](at []T, mostLater int) (places int) {
	if len(at)-1 <= mostLater { // none are
		for d, c := range at {
			at[d] = T(places)
			places += int(c)
		}
		return places
	}
	last := 0
	for d, c := range at {
		if c > 0 {
			places += max(0, d-last-1) / mostLater
			last = d
		}
		at[d] = T(places)
		places += int(c)
	}
	return places
}

// markDelays writes the steps between delays, and edges without targets, to the run of a source, whose edges with delay
// d end before place at[d] of the run; see layDelays.
func markDelays[T uint16 | uint32](t *table, source int, at []T, none uint16) {
	first := 4 * t.start[2*source]
	last, most := 0, t.mostLater()
	k, end := first, first+uint32(at[len(at)-1])
	for d := 0; k < end; d++ {
		next, later := first+uint32(at[d]), 0
		if next != k { // written without a branch that is hard to predict
			later, last = d-last, d
		}
		for ; later > most; later -= most {
			t.set(k, none|uint16(most)<<t.laneBits, 0, 0)
			k++
		}
		t.b32[k/4].To[k%4] |= uint16(later) << (t.laneBits & 15)
		k = next
	}
	t.pad(k, none)
}

// choosePacked marks the tables that are packed where the targets are cut into a number of ranges; runs is the mean
// numbers of edges of a source onto one of them, by delay. Of a row all tables are or none, so that the order of its
// sums stays; inside the step all tables of the network are, and have one row.
func (n *Network) choosePacked(ranges int, runs func(pair) []float64) {
	l := n.layout
	type load struct{ bytes, edges float64 }
	rows := map[int]*load{} // by the receptor that holds the row
	no := map[int]bool{}    // rows of which some table cannot be packed
	fillings := l.fillings()
	for _, key := range n.order {
		t, c := n.pairs[key], l.main[key.receptor]
		t.packed = false
		if rows[c] == nil {
			rows[c] = &load{}
		}
		no[c] = no[c] || t.style() != float32s || l.receptors[c].kind == NMDA || t.most-t.least >= shortDelays ||
			!l.spec.OnGrid && math.IsNaN(l.classes[l.receptors[c].class].tau)
		switch fillings[key.population] {
		case twice:
			no[c] = true
		case rangeByRange:
			no[c] = no[c] || l.mostByTarget(key) > mostPlaces
		}
		sources := float64(l.spec.Populations[key.population].N)
		for _, x := range runs(key) {
			rows[c].edges += float64(sources * x)
			rows[c].bytes += float64(sources * (float64(expectedBlocks(x)*float64(blockBytes[float32s])) + indexBytes))
		}
	}
	for i := range l.spec.Projections {
		p := &l.spec.Projections[i]
		if !l.spreads(p) {
			continue
		}
		for _, negative := range l.spreadSigns(p) {
			c := l.main[l.receptor(p.Synapse, p.To[0].Population, negative)]
			no[c], rows[c] = true, &load{}
		}
	}
	lanes := 0
	for _, segs := range l.ranges(ranges) {
		lanes = max(lanes, l.lanes(segs))
	}
	if bits.Len(uint(lanes)) > packedLaneBits || !l.spec.OnGrid && len(rows) > 1 {
		return
	}
	ring := 0.0 // bytes of the rows to come of a range
	if l.spec.OnGrid {
		ring = float64(8*float64(l.longest+2)*float64(l.firsts[len(l.firsts)-1])) / float64(ranges)
	}
	for _, key := range n.order {
		c := l.main[key.receptor]
		least := max(float64(packedBytes*rows[c].edges), float64(edgeBytes*rows[c].edges)+ring)
		n.pairs[key].packed = packs && !no[c] && rows[c].bytes > least
	}
}

// Sizes of an entry of an index, and of an edge with a weight of its own.
const (
	indexBytes = 4
	edgeBytes  = 6
)

// waitingBytes is the memory of what is to arrive by edges of packed tables, if all neurons spike at the rate of work;
// runs as in choosePacked.
func (n *Network) waitingBytes(runs func(pair) []float64, ranges float64) float64 {
	l, edges, rows := n.layout, 0.0, map[int]bool{}
	for key, t := range n.pairs {
		if t.packed {
			edges += float64(float64(l.spec.Populations[key.population].N) * ranges * sum(runs(key)))
			rows[l.main[key.receptor]] = true
		}
	}
	lists := float64(float64(l.longest+2) * ranges * float64(len(rows)))
	if l.spec.OnGrid {
		return float64(8 * lists * float64(l.firsts[len(l.firsts)-1]) / ranges)
	}
	waiting := edges * expectedRate * l.spec.Dt * float64(l.longest) / 2 // as if delays were uniform
	partial := float64(lists / 2)                                        // the last chunk of a list is half full
	chunks := max(float64(dueSlab*ranges), float64(waiting/(4*chunkBlocks))+partial)
	each := float64(unsafe.Sizeof(dueList{}))
	return float64(lists*each) + float64(chunks*float64(unsafe.Sizeof(dueChunk{})))
}
