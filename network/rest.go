package network

import (
	"encoding/binary"
	mathbits "math/bits"

	"popsim/kernels"
	"popsim/kernels/asm"
)

// restTogether is the number of lanes to whose multiples those of the kernels that add instants round.
const restTogether = 16

// rest is arrivals of few lanes of a tile, up to four of a lane in a place, that are drawn and added side by side.
type rest struct {
	n     int      // lanes, of as many places
	lanes []uint16 // of the tile, by place
	left  []uint8  // how many arrivals, from the first of the place on, the lane has
	ids   []uint32
	sums  [3][]float64
}

const restStride = insideTile + kernels.DrawnTogether

func (q *rest) make() {
	q.lanes, q.left, q.ids = make([]uint16, restStride), make([]uint8, restStride), make([]uint32, restStride)
	for j := range q.sums {
		q.sums[j] = makeColumn(insideTile)
	}
}

// addRest adds the arrivals from number skip on, a multiple of four, of the lanes that have so many.
func (s *lifSegment) addRest(r *shard, k int64, t segmentTrain, first, offset int, counts []uint8, skip int,
	sums [3][]float64,
) {
	q, p := &s.inside.rest, t.part
	if q.ids == nil {
		q.make()
	}
	for ; ; skip += 4 {
		if q.list(counts, skip, p.ids[first:]); q.n == 0 {
			return
		}
		for len(p.rest) <= skip/4 {
			p.rest = append(p.rest, kernels.NewBlocks(p.instantsOf(r.net.layout.spec.Seed, len(p.rest))))
		}
		s.inside.addPlaces(r, k, p, first, skip, offset, sums)
	}
}

// list puts the lanes of more than skip arrivals in places.
func (q *rest) list(counts []uint8, skip int, ids []uint32) {
	n := 0
	for i := 0; i < len(counts); i += 64 {
		for above := bytesAbove(counts[i:min(i+64, len(counts))], skip); above != 0; above &= above - 1 {
			at := i + mathbits.TrailingZeros64(above)
			q.lanes[n], q.left[n], q.ids[n] = uint16(at), counts[at]-uint8(skip), ids[at]
			n++
		}
	}
	q.n = n
}

// bytesAbove marks which of up to 64 bytes are above a number below 256.
func bytesAbove(bytes []uint8, number int) (marks uint64) {
	i := 0
	if number < 128 {
		const (
			each, high = 0x0101010101010101, 0x8080808080808080
			gather     = 0x0102040810204080 // times bits 0 of eight bytes: these side by side in the highest byte
		)
		up := uint64(127-number) * each
		for ; i+8 <= len(bytes); i += 8 {
			x := binary.LittleEndian.Uint64(bytes[i:])
			above := ((x &^ high) + up | x) & high
			marks |= (above >> 7 * gather) >> 56 << i
		}
	}
	for ; i < len(bytes); i++ {
		if int(bytes[i]) > number {
			marks |= 1 << i
		}
	}
	return marks
}

// addPlaces draws and adds the arrivals from number skip on of the lanes in places.
func (g *inside) addPlaces(r *shard, k int64, p *trainPart, first, skip, offset int, sums [3][]float64) {
	q := &g.rest
	n := (q.n + restTogether - 1) / restTogether * restTogether
	clear(q.left[q.n:n])
	p.rest[skip/4].Instants(r.net.isa, q.left[:n], &g.theta, q.ids[:n], uint32(k))
	for j := range sums {
		clear(q.sums[j][:n])
	}
	g.addInstants(r, p, first, n, q.sums)
	for j, sum := range sums {
		for i, x := range q.sums[j][:q.n] {
			sum[offset+int(q.lanes[i])] += x
		}
	}
}

// addInstants adds arrivals of a train, whose instants are in g.theta, to the accumulators of lanes.
func (g *inside) addInstants(r *shard, p *trainPart, first, lanes int, sums [3][]float64) {
	q := r.net.layout.series[p.receptor[first]]
	b := asm.InstantsBlock{
		Lanes: lanes, Theta0: g.theta[0], Theta1: g.theta[1], Theta2: g.theta[2], Theta3: g.theta[3],
		Ends: q[0], Shares: q[1], Thirds: q[2], Weight: p.weights[first], End: sums[0], Share: sums[1], Third: sums[2],
	}
	switch {
	case r.net.layout.receptors[p.receptor[first]].kind == AlphaCurrent:
		kernels.AddInstantsSummed(r.net.isa, &b)
	case b.Share == nil:
		kernels.AddInstants(r.net.isa, &b)
	default:
		kernels.AddInstantsTwo(r.net.isa, &b)
	}
}
