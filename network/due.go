package network

import (
	"math/bits"
	"unsafe"

	"popsim/kernels"
	"popsim/kernels/asm"
)

// Inside the step an edge of a packed table is appended, when its spike is known, to the list of the step in which it
// arrives. So the edges of a step lie side by side, where they are added and searched for lanes with events.

// Numbers of blocks of a chunk, and of chunks that are allocated together.
const (
	chunkBlocks = 16
	dueSlab     = 32
)

// due is the edges that are to arrive at a row.
type due struct {
	row   int       // its receptor
	lists []dueList // by step, modulo their number
	free  []*dueChunk
	runs  []runOf // scratch

	units kept[dueUnit]
}

// A dueUnit is what an edge of weight 1 of a spike adds, and at which receptor.
type dueUnit struct {
	asm.UnitEdge
	receptor uint8
}

// A dueList is edges of spikes, known so far, that arrive in one step.
type dueList struct {
	chunks []*dueChunk
	last   *dueChunk
	n      int // edges
	added  int // blocks whose edges have been added to the row
}

// A dueChunk is part of a list. Chunks are used again, the last one first, so that they stay in a cache near by.
type dueChunk struct {
	blocks [chunkBlocks]asm.Edges
	units  [chunkBlocks][4]uint32 // of each edge
}

// start makes the lists.
func (d *due) start(slots int64, row int) {
	if d.lists == nil {
		d.row, d.lists, d.units.nextAt = row, make([]dueList, slots), make([]uint32, slots)
	}
}

// at is the number of the list of step k.
func (d *due) at(k int64) int64 { return k % int64(len(d.lists)) }

// begin is called before spikes of step s are added.
func (d *due) begin(s int64) {
	if d.lists != nil {
		d.units.begin(s)
	}
}

// sort appends the edges of a run, whose Source is the number of its unit, to lists; the first edge arrives in step
// number at, or later. Those that arrive less than early steps later are left out.
func (d *due) sort(u *runOf, at, early int, laneBits uint) {
	shift, mask := laneBits&15, uint16(1)<<laneBits-1
	edges, lists := u.Edges(), d.lists
	for i := range edges {
		e := &edges[i]
		for j, to := range &e.To {
			steps := int(to >> shift)
			if at += steps; at >= len(lists) {
				at -= len(lists)
			}
			if early > 0 {
				if early -= steps; early > 0 {
					continue
				}
			}
			q := &lists[at]
			n := uint(q.n) % (4 * chunkBlocks)
			if n == 0 {
				d.extend(q)
			}
			b := &q.last.blocks[n/4]
			b.To[n%4], b.W[n%4], q.last.units[n/4][n%4] = to&mask, e.W[j], uint32(u.Source)
			q.n++
		}
	}
}

// extend appends a chunk to a list.
func (d *due) extend(q *dueList) {
	if len(d.free) == 0 {
		more := make([]dueChunk, dueSlab)
		for i := range more {
			d.free = append(d.free, &more[i])
		}
	}
	q.last = d.free[len(d.free)-1]
	d.free = d.free[:len(d.free)-1]
	q.chunks = append(q.chunks, q.last)
}

// drop empties the list of step k.
func (d *due) drop(k int64) {
	if d.lists == nil || k < 0 {
		return
	}
	q := &d.lists[d.at(k)]
	for i := range q.chunks { // the first is used again first
		d.free = append(d.free, q.chunks[len(q.chunks)-1-i])
	}
	q.chunks, q.n, q.added = q.chunks[:0], 0, 0
}

// dropAll empties all lists.
func (d *due) dropAll() {
	for k := range d.lists {
		d.drop(int64(k))
	}
	d.units.drop()
}

// readd notes that the edges of some steps from step k on are no longer in the row.
func (d *due) readd(k, steps int64) {
	for j := range steps {
		if d.lists != nil {
			d.lists[d.at(k+j)].added = 0
		}
	}
}

// addTo adds the edges that arrive in step k to the row. Where more may be appended to their list, only whole blocks
// are added.
func (d *due) addTo(r *shard, k int64, more bool) {
	q := &d.lists[d.at(k)]
	if !more {
		q.pad(uint16(r.lanes))
	}
	for q.added < q.n/4 {
		from := q.added % chunkBlocks
		to := min(chunkBlocks, from+q.n/4-q.added)
		chunk := q.chunks[q.added/chunkBlocks]
		d.addBlocks(r, chunk.blocks[from:to], chunk.units[from:to])
		q.added += to - from
	}
}

// pad fills the last block with edges that have no target.
func (q *dueList) pad(none uint16) {
	for ; q.n%4 != 0; q.n++ {
		at := q.n % (4 * chunkBlocks)
		b, units := &q.last.blocks[at/4], &q.last.units[at/4]
		b.To[at%4], b.W[at%4], units[at%4] = none, 0, units[0]
	}
}

// addBlocks adds edges, each with its unit, to the row of their receptor, and to what is known of those below 0.
func (d *due) addBlocks(r *shard, blocks []asm.Edges, units [][4]uint32) {
	l := r.net.layout
	width, joined := l.receptors[d.row].width, l.joined[d.row]
	at := unsafe.Pointer(unsafe.SliceData(r.rows[d.row]))
	for i := range blocks {
		e, n := &blocks[i], &units[i]
		for j, to := range &e.To {
			u, w := d.units.of(n[j]), float64(e.W[j])
			for a := range width {
				*place(at, width*int(to)+a) += float64(w * u.Add[a])
			}
			if joined >= 0 && w < 0 {
				r.addFall(joined, to, w, &u.Add)
			}
		}
	}
}

// findDue appends the edges of packed tables that arrive in step k onto lanes with events to r.found.
func (r *shard) findDue(k int64) {
	d := &r.packed.due
	if d.lists == nil {
		return
	}
	q := &d.lists[d.at(k)]
	d.runs = d.runs[:0]
	for i, chunk := range q.chunks {
		blocks := chunk.blocks[:min(chunkBlocks, q.added-i*chunkBlocks)]
		d.runs = append(d.runs, runOf{First: uintptr(unsafe.Pointer(chunk)), Unit: &onePerEdge, Blocks: int32(len(blocks))})
	}
	b := asm.FindEdgesBlock{Runs: d.runs, Filter: &r.filter}
	b.Found = resized(r.foundEdges, len(d.runs)*chunkBlocks/8)
	kernels.FindEdges(r.net.isa, &b)
	r.foundEdges = b.Found[:0]
	for _, f := range b.Found[:b.Count] {
		r.takeDue(q.chunks[f.Run], f)
	}
}

// takeDue appends the edges of a chunk that were found onto lanes with events to r.found.
func (r *shard) takeDue(chunk *dueChunk, f asm.FoundEdges) {
	for hits := f.Hits; hits != 0; hits &= hits - 1 {
		at := int(f.Block) + bits.TrailingZeros32(hits)
		b := &chunk.blocks[at]
		for j, lane := range &b.To {
			if r.flags[lane>>6]>>(lane&63)&1 != 0 {
				u := r.packed.due.units.of(chunk.units[at][j])
				r.found = append(r.found, arrival{lane, u.receptor, u.Theta, float64(b.W[j])})
			}
		}
	}
}
