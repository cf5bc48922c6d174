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
// The run is read once, when the spike is known: each edge is appended to the list of the step in which it arrives. So
// the edges of a step lie side by side, in the order in which they are added: by emission of the spike, by source, by
// draw. Neither the row nor the search for edges onto lanes with events needs the graph any more.

// packs is whether tables are packed at all; tests compare.
var packs = true

// Packed tables are chosen by what a run by delay costs.
const (
	packedBytes    = 7.0 // of an edge with its index and padding: above this tables are packed
	packedLaneBits = 14  // most bits of a lane: the others hold steps of delay
)

// dueEdges are edges of spikes, known so far, that arrive in one step at one receptor.
type dueEdges struct {
	blocks []asm.Edges
	units  [][4]uint32 // of each edge: see shard.unit; nil on the grid
	n      int         // edges
	added  int         // blocks whose edges have been added to the row
}

// dueUnit is what an edge of weight 1 of a spike adds, and at which receptor.
type dueUnit struct {
	asm.UnitEdge
	receptor uint8
}

// packedTables is the packed tables of a range, and the edges that are to arrive.
type packedTables struct {
	of    [][]int32    // tables by population, by number
	due   [][]dueEdges // by receptor, none but for those that hold a row; by step modulo its length
	slots int64        // its length
	runs  []runOf      // scratch: of the spikes of a step
	every bool         // whether all tables are packed, so that no runs are listed step by step

	// Inside the step: units by number, modulo a power of two; the next number; and the first of each step whose spikes
	// may still arrive, by step modulo slots.
	units    []dueUnit
	next     uint32
	nextOfAt []uint32
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
			p.due, p.nextOfAt = make([][]dueEdges, len(l.receptors)), make([]uint32, p.slots)
		}
		p.of[t.population] = append(p.of[t.population], int32(ti))
		if c := l.main[t.receptor]; p.due[c] == nil {
			p.due[c] = make([]dueEdges, p.slots)
		}
	}
	if p.of != nil {
		r.watch.on = false // the edges of a step are near by: see findDue
	}
}

// clearDue forgets all edges that are to arrive.
func (p *packedTables) clearDue() {
	for _, due := range p.due {
		for i := range due {
			due[i].n, due[i].added = 0, 0
		}
	}
}

// sortSpikes appends the edges of all spikes of step s to the lists of the steps in which they arrive, but for those
// before step k.
func (r *shard) sortSpikes(s, k int64) {
	p, l := &r.packed, r.net.layout
	p.nextOfAt[s%p.slots] = p.next
	p.runs = p.runs[:0]
	for _, from := range r.net.ranges {
		for _, sp := range from.emitted(s) {
			for _, ti := range p.of[sp.population] {
				t := r.tables[ti]
				row := t.row(int(sp.neuron) - t.first)
				u := runOf{First: uintptr(unsafe.Pointer(&row[0])), Unit: &onePerEdge, Table: ti}
				if !l.spec.OnGrid {
					u.Source = int32(r.newUnit(s, t, sp.theta))
				}
				p.runs = append(p.runs, u)
			}
		}
	}
	r.findRuns(p.runs)
	for i := range p.runs {
		if next := i + ahead; next < len(p.runs) {
			kernels.PrefetchRange(p.runs[next].First, int(p.runs[next].Blocks)*blockBytes[float32s])
		}
		r.sortRun(&p.runs[i], s, k)
	}
}

// sortRun is sortSpikes for the edges of one spike and table.
func (r *shard) sortRun(u *runOf, s, k int64) {
	p, t := &r.packed, r.tables[u.Table]
	due := p.due[r.net.layout.main[t.receptor]]
	shift, mask := t.laneBits&15, uint16(1)<<t.laneBits-1
	at, first := int(s%p.slots)+t.least, int(k-s)-t.least // first: least sum of steps that arrive in step k or later
	if at >= len(due) {
		at -= len(due)
	}
	later, inside := 0, !r.net.layout.spec.OnGrid
	blocks := u.Edges()
	for i := range blocks {
		e := &blocks[i]
		for j, to := range &e.To {
			steps := int(to >> shift)
			later += steps
			if at += steps; at >= len(due) {
				at -= len(due)
			}
			if later < first {
				continue
			}
			q := &due[at]
			n := q.n
			if n/4 >= len(q.blocks) {
				q.grow(inside)
			}
			b := &q.blocks[n/4]
			b.To[n%4], b.W[n%4] = to&mask, e.W[j]
			if inside {
				q.units[n/4][n%4] = uint32(u.Source)
			}
			q.n = n + 1
		}
	}
}

// firstDue is the least number of blocks of a list.
const firstDue = 16

// grow doubles the room.
func (q *dueEdges) grow(inside bool) {
	n := max(firstDue, 2*len(q.blocks))
	q.blocks = append(make([]asm.Edges, 0, n), q.blocks...)[:n]
	if inside {
		q.units = append(make([][4]uint32, 0, n), q.units...)[:n]
	}
}

// newUnit is the number of the unit of a spike of step s at theta and a table.
func (r *shard) newUnit(s int64, t *table, theta float64) uint32 {
	p, l := &r.packed, r.net.layout
	oldest := p.nextOfAt[max(0, s-int64(l.longest))%p.slots]
	if int(p.next-oldest) >= len(p.units) {
		const least = 64
		more := make([]dueUnit, max(least, 2*len(p.units)))
		for i := oldest; i != p.next; i++ {
			more[int(i)&(len(more)-1)] = *p.unit(i)
		}
		p.units = more
	}
	n := p.next
	p.next++
	*p.unit(n) = dueUnit{asm.UnitEdge{Add: r.coefs(t.receptor, -1, theta), Theta: theta}, uint8(t.receptor)}
	return n
}

func (p *packedTables) unit(n uint32) *dueUnit { return &p.units[int(n)&(len(p.units)-1)] }

// addDue adds the edges that arrive in step k to the rows. Where more may be appended to their lists, only whole blocks
// are added.
func (r *shard) addDue(k int64, more bool) {
	p := &r.packed
	for c, due := range p.due {
		if due == nil {
			continue
		}
		q := &due[k%p.slots]
		for !more && q.n%4 != 0 {
			b := &q.blocks[q.n/4]
			b.To[q.n%4], b.W[q.n%4] = uint16(r.lanes), 0
			if q.units != nil {
				q.units[q.n/4][q.n%4] = q.units[q.n/4][0]
			}
			q.n++
		}
		blocks := q.blocks[q.added : q.n/4]
		if len(blocks) == 0 {
			continue
		}
		if r.net.layout.spec.OnGrid {
			r.addOnes(c, blocks)
		} else {
			p.addUnits(blocks, q.units[q.added:q.n/4], r.rows[c], r.falls[c], r.net.layout.receptors[c].width)
		}
		q.added = q.n / 4
	}
}

// dropDue empties the lists of step k.
func (p *packedTables) dropDue(k int64) {
	for _, due := range p.due {
		if due != nil && k >= 0 {
			q := &due[k%p.slots]
			q.n, q.added = 0, 0
		}
	}
}

// readd notes that the edges of some steps from step k on are no longer in rows.
func (p *packedTables) readd(k, steps int64) {
	for _, due := range p.due {
		for j := range steps {
			if due != nil {
				due[(k+j)%p.slots].added = 0
			}
		}
	}
}

// dueRun is blocks as one run.
func dueRun(blocks []asm.Edges) []runOf {
	return []runOf{{
		First: uintptr(unsafe.Pointer(unsafe.SliceData(blocks))), Unit: &onePerEdge, Blocks: int32(len(blocks)),
	}}
}

// addOnes adds edges to the row of a receptor, on the grid.
func (r *shard) addOnes(c int, blocks []asm.Edges) {
	b := asm.EdgeRunsBlock{Runs: dueRun(blocks), Row: r.rows[c]}
	kernels.AddOnes(r.net.isa, &b)
}

// addUnits adds edges, of spikes inside the step each with its unit, to a row with width accumulators for each lane.
func (p *packedTables) addUnits(blocks []asm.Edges, units [][4]uint32, row, fall []float64, width int) {
	at := unsafe.Pointer(unsafe.SliceData(row))
	for i := range blocks {
		e, n := &blocks[i], &units[i]
		for j, to := range &e.To {
			u, w := p.unit(n[j]), float64(e.W[j])
			for a := range width {
				*place(at, width*int(to)+a) += float64(w * u.Add[a])
			}
			if fall != nil && w < 0 {
				fall[to] -= float64(w * u.Add[0])
			}
		}
	}
}

// findDue appends the edges of packed tables that arrive in step k onto lanes with events to r.found.
func (r *shard) findDue(k int64) {
	p := &r.packed
	for _, due := range p.due {
		if due == nil {
			continue
		}
		q := &due[k%p.slots]
		blocks := q.blocks[:q.added]
		b := asm.FindEdgesBlock{Runs: dueRun(blocks), Filter: &r.filter}
		b.Found = resized(r.foundEdges, (len(blocks)+7)/8)
		kernels.FindEdges(r.net.isa, &b)
		r.foundEdges = b.Found[:0]
		for _, f := range b.Found[:b.Count] {
			for hits := f.Hits; hits != 0; hits &= hits - 1 {
				at := int(f.Block) + bits.TrailingZeros32(hits)
				for j, lane := range &blocks[at].To {
					if r.flags[lane>>6]>>(lane&63)&1 != 0 {
						u := p.unit(q.units[at][j])
						r.found = append(r.found, arrival{lane, u.receptor, u.Theta, float64(blocks[at].W[j])})
					}
				}
			}
		}
	}
}

// putPacked is put for a packed table.
func (s *store) putPacked(source int, list []local, none uint16, counts []uint32) error {
	t := s.table
	at := counts[:t.delays]
	clear(at)
	for i := range list {
		at[list[i].delay]++
	}
	// Where delays are further apart than a target can tell, edges without a target are put between them.
	places, last := 0, 0
	for d, c := range at {
		if c > 0 {
			places += max(0, d-last-1) / t.mostLater()
			at[d] = uint32(places)
			places += int(c)
			last = d
		} else {
			at[d] = noPlace
		}
	}
	blocks := int64(places+3) / 4
	next := s.next.Add(blocks) - blocks
	if next+blocks > int64(t.blocks()) {
		return tooMany(next + blocks)
	}
	row := t.row(source)
	row[0], row[1] = uint32(next), uint32(next+blocks)
	for d, k := range at {
		if k != noPlace {
			at[d] += uint32(4 * next)
		}
	}
	t.place(list, nil, at)
	t.markDelays(uint32(4*next), at, none)
	return nil
}

// noPlace stands for the place of a delay without edges.
const noPlace = 1<<32 - 1

// markDelays writes the steps between delays, and edges without targets, to the run of a source that begins at place
// first, whose edges with delay d end before at[d].
func (t *table) markDelays(first uint32, at []uint32, none uint16) {
	last := 0
	k := first
	for d, end := range at {
		if end == noPlace {
			continue
		}
		later := d - last
		for ; later > t.mostLater(); later -= t.mostLater() {
			t.set(k, none|uint16(t.mostLater())<<t.laneBits, 0, 0)
			k++
		}
		t.b32[k/4].To[k%4] |= uint16(later) << t.laneBits
		k, last = end, d
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
	counted := l.counted()
	for _, key := range n.order {
		t, c := n.pairs[key], l.main[key.receptor]
		t.packed = false
		if rows[c] == nil {
			rows[c] = &load{}
		}
		no[c] = no[c] || t.style() != float32s || counted[key.population] || l.receptors[c].kind == NMDA ||
			!l.spec.OnGrid && math.IsNaN(l.classes[l.receptors[c].class].tau)
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
	for _, key := range n.order {
		c := l.main[key.receptor]
		n.pairs[key].packed = packs && !no[c] && rows[c].bytes > packedBytes*rows[c].edges
	}
}

// indexBytes is the size of an entry of an index.
const indexBytes = 4

// dueBytes is the memory of lists of edges that are to arrive, if all neurons spike at the rate of work; runs as in
// choosePacked.
func (n *Network) dueBytes(runs func(pair) []float64, ranges float64) float64 {
	const slack = 1.5 // of lists that double
	l, edges, rows := n.layout, 0.0, map[int]bool{}
	for key, t := range n.pairs {
		if t.packed {
			edges += float64(float64(l.spec.Populations[key.population].N) * ranges * sum(runs(key)))
			rows[l.main[key.receptor]] = true
		}
	}
	each := float64(unsafe.Sizeof(asm.Edges{}))
	if !l.spec.OnGrid {
		each += float64(unsafe.Sizeof([4]uint32{}))
	}
	lists := float64(float64(l.longest+2) * ranges * float64(len(rows)))
	arriving := float64(edges * expectedRate * l.spec.Dt * float64(l.longest+2)) // if lists were all full
	return float64(lists*float64(unsafe.Sizeof(dueEdges{}))) + each*max(float64(firstDue*lists), slack*arriving/4)
}
