package network

import (
	"popsim/kernels"
	"popsim/kernels/asm"
)

// Where many neurons of a population are connected to a large share of other neurons with one weight and delay, and
// spikes are on the grid, edges are stored as rows of bits: for each source one bit for each lane. The rows of the
// spikes of a step are counted together, lane by lane, and then the weight is added to each lane as many times, one
// addition after the other: the sums have the bits of those over edges in any order. A second edge of a pair is kept in
// a list.

const (
	denseBits  = 0.04 // share of the pairs that have an edge, from which on a row of bits is read faster than a list
	bitSources = 1000 // least number of sources, so that several spikes arrive in a step
	bitBatch   = 248  // rows that are counted together: whole eights below 256
)

// chooseBits marks the edges that are stored as rows of bits. Only with AVX-512 are they counted faster than lists
// are added.
func (n *Network) chooseBits() {
	l := n.layout
	if !l.spec.OnGrid || n.isa != kernels.AVX512 {
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
		targets := 0
		for p, c := range l.classOf {
			if c == rc.class {
				targets += l.spec.Populations[p].N
			}
		}
		t.bits = t.style() == shared && t.least == t.most && !t.alike && rc.kind != NMDA &&
			l.spec.Populations[key.population].N >= bitSources && edges[key] >= denseBits*float64(targets)
	}
}

// bitWords is the number of words of a row of bits: whole blocks of asm.BitBlock lanes.
func bitWords(lanes int) int { return (lanes + asm.BitBlock - 1) / asm.BitBlock * (asm.BitBlock / 64) }

// toBits converts lists of edges to rows of bits; second edges of a pair stay in lists.
func (t *table) toBits(m *mapped, lanes int) {
	words := bitWords(lanes)
	t.bits = allocate[uint64](m, len(t.weight)*words)
	var twice []block16
	for s := range t.weight {
		row, index := t.bits[s*words:][:words], t.start[2*s:][:2]
		from, used := len(twice), 4 // places of the last block
		for _, b := range t.b16[index[0]:index[1]] {
			for _, lane := range b {
				bit := uint64(1) << (lane & 63)
				switch {
				case int(lane) == lanes: // of no edge
				case row[lane>>6]&bit == 0:
					row[lane>>6] |= bit
				default:
					if used == 4 {
						none := uint16(lanes)
						twice, used = append(twice, block16{none, none, none, none}), 0
					}
					twice[len(twice)-1][used] = lane
					used++
				}
			}
		}
		index[0], index[1] = uint32(from), uint32(len(twice))
	}
	trim(m, t.b16, 0)
	t.b16, t.style = twice, bitRows
}

// gather records a spike whose edges with a delay of d steps are rows of bits. Those of one table are one run: their
// sources follow each other in the order of the sums.
func (r *shard) gather(t *table, sp *spike, d int) {
	if d != t.least {
		return
	}
	if len(t.gathered) == 0 {
		r.runs = append(r.runs, runOf{t: t, c: &onePerEdge})
	}
	t.gathered = append(t.gathered, sp.neuron-int32(t.first))
}

// addBits adds the edges of all sources that were gathered to a row.
func (r *shard) addBits(t *table, row []float64) {
	words := bitWords(r.lanes)
	if r.planes == nil {
		r.planes, r.noBits = make([]uint64, 8*words), make([]uint64, words)
	}
	b := asm.BitRowsBlock{Blocks: words / 8, Planes: r.planes, Row: row, Weight: t.weight[0]}
	for from := 0; from < len(t.gathered); from += bitBatch {
		batch := t.gathered[from:min(from+bitBatch, len(t.gathered))]
		for i := 0; i < len(batch); i += len(b.Rows) {
			for j := range b.Rows {
				b.Rows[j] = &r.noBits[0]
				if i+j < len(batch) {
					b.Rows[j] = &t.bits[int(batch[i+j])*words]
				}
			}
			kernels.CountBits(r.net.isa, &b)
		}
		kernels.AddBits(r.net.isa, &b)
	}
	for _, s := range t.gathered {
		addShared(row, t.b16[t.start[2*s]:t.start[2*s+1]], 1, [3]float64{t.weight[0]})
	}
	t.gathered = t.gathered[:0]
}
