package network

import (
	"fmt"
	"math"
	"sync/atomic"
	"unsafe"
)

// A store is a table while it is filled. Memory is reserved for the largest possible number of edges.
type store struct {
	*table
	alike bool          // whether the edges of its first source are those of all
	edges float64       // bound of the number of edges to be stored, before they are drawn
	next  *atomic.Int64 // blocks taken; the packed tables of a range share them
	short bool          // whether edges are shortEdges while they are sorted
	// Of a packed table whose edges are drawn by target: for each source and delay the number of edges, and when all are
	// counted the place of the next one in the run of the source. Memory of the worker that fills the range.
	offsets []uint16
}

// maxBlocks is the largest number of blocks of a table: while it is filled, places of single edges are counted in 32
// bits.
const maxBlocks = 1 << 30

// make allocates n blocks.
func (t *table) make(m *mapped, n int) {
	switch t.style {
	case shared, bitRows, countRows:
		t.b16 = allocate[block16](m, n)
	case float32s:
		t.b32 = allocate[block32](m, n)
	case float64s:
		t.b64 = allocate[block64](m, n)
	case timed:
		t.bt = allocate[blockTimed](m, n)
	}
}

// trim returns the memory after the first n blocks.
func (t *table) trim(m *mapped, n int) {
	switch t.style {
	case shared, bitRows, countRows:
		t.b16 = trim(m, t.b16, n)
	case float32s:
		t.b32 = trim(m, t.b32, n)
	case float64s:
		t.b64 = trim(m, t.b64, n)
	case timed:
		t.bt = trim(m, t.bt, n)
	}
}

// complete is called when all blocks are in their places.
func (t *table) complete() {
	switch t.style {
	case shared, bitRows, countRows:
		t.base = uintptr(unsafe.Pointer(unsafe.SliceData(t.b16)))
	case float32s:
		t.base = uintptr(unsafe.Pointer(unsafe.SliceData(t.b32)))
	case float64s:
		t.base = uintptr(unsafe.Pointer(unsafe.SliceData(t.b64)))
	case timed:
		t.base = uintptr(unsafe.Pointer(unsafe.SliceData(t.bt)))
	}
}

// set writes an edge in place k, a block's four places being numbered together.
func (t *table) set(k uint32, lane uint16, weight, part float64) {
	b, j := k/4, k%4
	switch t.style {
	case shared, bitRows, countRows:
		t.b16[b][j] = lane
	case float32s:
		t.b32[b].To[j], t.b32[b].W[j] = lane, float32(weight)
	case float64s:
		t.b64[b].To[j], t.b64[b].W[j] = lane, weight
	case timed:
		t.bt[b].To[j], t.bt[b].W[j], t.bt[b].Part[j] = lane, weight, part
	}
}

// pad sets the places from k to the end of its block to none, the number after the last lane; their weights are 0
// already.
func (t *table) pad(k uint32, none uint16) {
	for ; k%4 != 0; k++ {
		t.set(k, none, 0, 0)
	}
}

// row is the part of the index that belongs to a source: the first blocks of its runs, and the end of the last.
func (t *table) row(source int) []uint32 { return t.start[source*(t.runs()+1):][:t.runs()+1] }

// local is an edge of one source onto a lane of a range.
type local struct {
	weight float64
	lane   uint16
	delay  uint32 // steps above the table's least
}

// A shortEdge is local in 64 bits, where weights are float32: from the highest on the bits of the weight, the steps of
// delay above the table's least, the lane.
type shortEdge uint64

// shortDelays is the number of delays of which shortEdge knows the number.
const shortDelays = 1 << 16

func newShortEdge(weight float64, lane uint16, delay uint32) shortEdge {
	return shortEdge(math.Float32bits(float32(weight)))<<32 | shortEdge(delay)<<16 | shortEdge(lane)
}

func (e shortEdge) lane() uint16    { return uint16(e) }
func (e shortEdge) delay() uint16   { return uint16(e >> 16) }
func (e shortEdge) weight() float32 { return math.Float32frombits(uint32(e >> 32)) }

// putShort is put for short edges.
func (s *store) putShort(source int, list []shortEdge, none uint16, counts []uint32) error {
	at := counts[:s.delays]
	clear(at)
	for _, e := range list {
		at[e.delay()]++
	}
	if s.laneBits > 0 {
		return s.putPacked(source, list, none, at)
	}
	if err := s.layRuns(source, at); err != nil {
		return err
	}
	placeShort(s.b32, list, at)
	for _, k := range at {
		s.pad(k, none)
	}
	return nil
}

// placeShort writes short edges to places in blocks, as place does.
func placeShort(blocks []block32, list []shortEdge, at []uint32) {
	for _, e := range list {
		d := e.delay()
		k := at[d]
		at[d] = k + 1
		b := &blocks[k/4]
		b.To[k%4], b.W[k%4] = e.lane(), e.weight()
	}
}

// put stores all edges of a source, by its number in its population: sorted by delay, within one delay in their order.
// Those of timed tables have parts of a step.
func (s *store) put(source int, list []local, parts []float64, none uint16, counts []uint32) error {
	t := s.table
	if t.style == bitRows || t.style == countRows {
		list = s.markAll(source, list)
	}
	at := counts[:t.delays]
	clear(at)
	for i := range list {
		at[list[i].delay]++
	}
	if err := s.layRuns(source, at); err != nil {
		return err
	}
	t.place(list, parts, at)
	for _, k := range at {
		t.pad(k, none)
	}
	return nil
}

// layRuns takes blocks for the runs of a source, whose numbers of edges at has by delay, writes the index, and makes
// the numbers the first places of the runs.
func (s *store) layRuns(source int, at []uint32) error {
	row, blocks := s.row(source), int64(0)
	for _, c := range at {
		blocks += int64(c+3) / 4
	}
	next, err := s.take(blocks)
	if err != nil {
		return err
	}
	for d, c := range at {
		row[d] = uint32(next)
		at[d] = uint32(4 * next)
		next += int64(c+3) / 4
	}
	row[s.delays] = uint32(next)
	return nil
}

// take takes blocks, and returns the number of the first.
func (s *store) take(blocks int64) (first int64, err error) {
	first = s.next.Add(blocks) - blocks
	if first+blocks > int64(s.blocks()) {
		return 0, tooMany(first + blocks)
	}
	return first, nil
}

// repeat copies the index of the first source to all others.
func (s *store) repeat() {
	first := s.row(0)
	for at := len(first); at < len(s.start); at += len(first) {
		copy(s.start[at:], first)
	}
}

func tooMany(blocks int64) error {
	return fmt.Errorf(
		"%d synapses from one population onto one range of targets; at most %d are possible, use more workers",
		4*blocks,
		4*maxBlocks,
	)
}

// place writes edges to places in the blocks: the next for delay d is at[d], which it increments.
func (t *table) place(list []local, parts []float64, at []uint32) {
	switch t.style {
	case shared, bitRows, countRows:
		for i := range list {
			e := &list[i]
			k := at[e.delay]
			at[e.delay]++
			t.b16[k/4][k%4] = e.lane
		}
	default:
		for i := range list {
			e, part := &list[i], 0.0
			if t.style == timed {
				part = parts[i]
			}
			k := at[e.delay]
			at[e.delay]++
			t.set(k, e.lane, e.weight, part)
		}
	}
}

// The tables of populations with rules that are drawn by target are filled in two passes. The first counts the edges of
// each run in row[d+1]. The second appends each edge to its run: row[d+1] is the next place. After the last edge
// row[d+1] is the end of the run, from which its final value follows. Both passes set the bits of rows of bits, and
// leave the edges out that those hold.

// begin turns the counts of runs into their first places, and allocates memory for all of them.
func (s *store) begin(m *mapped) error {
	t, next := s.table, uint64(0)
	for source := range len(t.start) / (t.delays + 1) {
		row := t.row(source)
		row[0] = uint32(next)
		for d := range t.delays {
			c := row[d+1]
			row[d+1] = uint32(4 * next)
			next += uint64(c+3) / 4
		}
		if next > maxBlocks {
			return tooMany(int64(next))
		}
	}
	t.make(m, int(next))
	clear(t.bits)
	clear(t.counts)
	return nil
}

// end turns the ends of runs into blocks, and fills the last block of each.
func (s *store) end(none uint16) {
	t := s.table
	for source := range len(t.start) / (t.delays + 1) {
		row := t.row(source)
		for d := range t.delays {
			t.pad(row[d+1], none)
			row[d+1] = (row[d+1] + 3) / 4
		}
	}
}

// sure is the number of edges that a binomial law of a mean exceeds with a probability below 1e-20.
func sure(mean float64) float64 { return mean + float64(10*math.Sqrt(mean)) + 30 }
