package network

import (
	"unsafe"

	"popsim/kernels"
	"popsim/kernels/asm"
)

// Where many neurons of a population are connected to a large share of other neurons with one weight and delay, and
// spikes are on the grid, edges are stored as rows of bits: for each source one bit for each lane. The rows of the
// spikes of a step, bitBatch at a time, are counted together lane by lane, and the count times the weight is added to
// the lane: counts are integers, so that the sum depends on no order. A second edge of a pair is kept in a list, and is
// added after them.

// denseBits is the share of the pairs that have an edge, from which on a row of bits is read faster than a list. A
// benchmark of lists changes it.
var denseBits = 0.04

const (
	bitSources = 1000 // least number of sources, so that several spikes arrive in a step
	bitBatch   = 248  // rows that are counted together: whole eights below 256
)

// chooseBits marks the edges that are stored as rows of bits.
func (n *Network) chooseBits() {
	l := n.layout
	if !l.spec.OnGrid {
		return
	}
	edges := map[pair]float64{} // of a source
	for i := range l.spec.Projections {
		for key, x := range l.expected(i) {
			edges[key] += x
		}
	}
	for key, t := range n.pairs {
		rc := &l.receptors[key.receptor]
		t.bits = t.style() == shared && t.least == t.most && !t.alike && rc.kind != NMDA &&
			l.spec.Populations[key.population].N >= bitSources && edges[key] >= denseBits*float64(l.neurons(rc.class))
	}
}

// neurons is the number of neurons of a class.
func (l *layout) neurons(class int) (n int) {
	for p, c := range l.classOf {
		if c == class {
			n += l.spec.Populations[p].N
		}
	}
	return n
}

// bitWords is the number of words of a row of bits.
func bitWords(lanes int) int { return (lanes + 63) / 64 }

// bitBlockWords is that of the lanes that are counted together; up to as many words after a row are read.
const bitBlockWords = asm.BitBlock / 64

// mark sets the bit of an edge of a source, by its number in its population, and reports whether it was set before.
func (s *store) mark(source int, lane uint16) (second bool) {
	word, bit := &s.bits[source*s.bitWords+int(lane>>6)], uint64(1)<<(lane&63)
	second = *word&bit != 0
	*word |= bit
	return second
}

// markAll sets the bits of the edges of a source, or counts them, and returns those that are to be stored in a list.
func (s *store) markAll(source int, list []local) (left []local) {
	left = list[:0]
	for _, e := range list {
		if s.listed(source, e.lane) {
			left = append(left, e)
		}
	}
	return left
}

// gather records a spike whose edges arrive and are rows of bits. Those of one table are one run: their
// sources follow each other in the order of the sums.
func (r *shard) gather(t *table, e *tableSpike) {
	if len(t.gathered) == 0 {
		r.runs = append(r.runs, runOf{Table: e.table, Unit: &onePerEdge})
	}
	t.gathered = append(t.gathered, e.source)
}

// addBits adds the edges of all sources that were gathered to a row.
func (r *shard) addBits(t *table, row []float64) {
	words := t.bitWords
	blocks := (words + bitBlockWords - 1) / bitBlockWords
	if r.planes == nil {
		r.planes, r.noBits = make([]uint64, 8*bitBlockWords*blocks), make([]uint64, bitBlockWords*blocks)
	}
	b := asm.BitRowsBlock{Blocks: blocks, Words: words, Planes: r.planes, Row: row, Weight: t.weight}
	for from := 0; from < len(t.gathered); from += bitBatch {
		batch := t.gathered[from:min(from+bitBatch, len(t.gathered))]
		r.prefetchRows(t, batch[:min(len(b.Rows), len(batch))])
		for i := 0; i < len(batch); i += len(b.Rows) {
			for j := range b.Rows {
				b.Rows[j] = r.rowOfBits(t, batch, i+j)
				b.Next[j] = r.rowOfBits(t, batch, i+j+len(b.Rows))
			}
			kernels.CountBits(r.net.isa, &b)
		}
		kernels.AddBits(r.net.isa, &b)
	}
	t.addSeconds(r.net.isa, row)
	t.gathered = t.gathered[:0]
}

// rowOfBits is the row of source i of a batch, and one without any bits after its end.
func (r *shard) rowOfBits(t *table, batch []int32, i int) *uint64 {
	if i >= len(batch) {
		return &r.noBits[0]
	}
	return &t.bits[int(batch[i])*t.bitWords]
}

// addSeconds adds the second edges of pairs of all sources that were gathered to a row.
func (t *table) addSeconds(isa kernels.ISA, row []float64) {
	if len(t.b16) == 0 {
		return
	}
	for i, s := range t.gathered {
		if i+2*ahead < len(t.gathered) {
			kernels.PrefetchRange(uintptr(unsafe.Pointer(&t.start[2*t.gathered[i+2*ahead]])), 1)
		}
		if i+ahead < len(t.gathered) {
			t.prefetchSeconds(t.gathered[i+ahead])
		}
		addShared(isa, row, t.b16[t.start[2*s]:t.start[2*s+1]], 1, [3]float64{t.weight})
	}
}

// prefetchRows loads the rows of bits of some sources into the cache.
func (r *shard) prefetchRows(t *table, sources []int32) {
	for _, s := range sources {
		kernels.PrefetchRange(uintptr(unsafe.Pointer(&t.bits[int(s)*t.bitWords])), 8*t.bitWords)
	}
}

// prefetchSeconds loads the second edges of a source into the cache.
func (t *table) prefetchSeconds(source int32) {
	first, end := t.start[2*source], t.start[2*source+1]
	kernels.PrefetchRange(t.block(first), int(end-first)*blockBytes[bitRows])
}
