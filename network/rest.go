package network

import (
	"encoding/binary"
	mathbits "math/bits"

	"popsim/kernels"
	"popsim/kernels/asm"
	"popsim/rng"
)

// restTogether is the number of lanes to whose multiples those of the kernels that add instants round.
const restTogether = 16

// rest is arrivals of few lanes of a tile, up to four of a lane in a place, that are drawn and added side by side.
type rest struct {
	lanes         []uint16 // of the tile, by place
	left          []uint8  // how many arrivals, from the first of the place on, the lane has
	ids, counters []uint32
	words         []uint32  // four columns, restStride apart
	u             []float64 // not used
	sums          [3][]float64
}

const restStride = insideTile + kernels.DrawnTogether

func (q *rest) make() {
	q.ids, q.counters = make([]uint32, restStride), make([]uint32, restStride)
	q.words, q.u = make([]uint32, 4*restStride), make([]float64, restStride)
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
		q.lanes, q.left = q.lanes[:0], q.left[:0]
		for i := 0; i < len(counts); i += 8 {
			for above := bytesAbove(counts[i:], skip); above != 0; above &= above - 1 {
				at := i + mathbits.TrailingZeros8(above)
				q.ids[len(q.lanes)], q.counters[len(q.lanes)] = p.ids[first+at], uint32(k)
				q.lanes, q.left = append(q.lanes, uint16(offset+at)), append(q.left, counts[at]-uint8(skip))
			}
		}
		n := len(q.lanes)
		if n == 0 {
			return
		}
		for len(p.rest) <= skip/4 {
			p.rest = append(p.rest, kernels.NewBlocks(p.instantsOf(r.net.layout.spec.Seed, len(p.rest))))
		}
		p.rest[skip/4].Draw(r.net.isa, q.words, restStride, q.u, q.ids[:n], q.counters[:n])
		s.inside.addPlaces(r, p, first, sums)
	}
}

// bytesAbove marks which of the first eight bytes are above a number below 256.
func bytesAbove(bytes []uint8, number int) (marks uint8) {
	if len(bytes) >= 8 && number < 128 {
		const each, high = 0x0101010101010101, 0x8080808080808080
		if x := binary.LittleEndian.Uint64(bytes); (x+uint64(127-number)*each|x)&high == 0 {
			return 0
		}
	}
	for i, x := range bytes[:min(8, len(bytes))] {
		if int(x) > number {
			marks |= 1 << i
		}
	}
	return marks
}

// addPlaces adds the arrivals that have been drawn.
func (g *inside) addPlaces(r *shard, p *trainPart, first int, sums [3][]float64) {
	q := &g.rest
	n := (len(q.lanes) + restTogether - 1) / restTogether * restTogether
	for j := range g.theta {
		theta, words := g.theta[j], q.words[j*restStride:]
		for i, left := range q.left {
			theta[i] = asm.NoArrival
			if j < int(left) {
				theta[i] = rng.Uniform32(words[i])
			}
		}
		fill(theta[len(q.left):n], asm.NoArrival)
		if j < len(q.sums) {
			clear(q.sums[j][:n])
		}
	}
	g.addInstants(r, p, first, n, q.sums)
	for j, sum := range sums {
		for i, lane := range q.lanes {
			sum[lane] += q.sums[j][i]
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
	case b.Share == nil:
		kernels.AddInstants(r.net.isa, &b)
	case b.Third == nil:
		kernels.AddInstantsTwo(r.net.isa, &b)
	default:
		kernels.AddInstantsThree(r.net.isa, &b)
	}
}
