package network

import (
	"popsim/kernels"
	"popsim/kernels/asm"
	"popsim/rng"
)

// restTogether is the number of lanes to whose multiples those of the kernels that add instants round.
const restTogether = 16

// rest is arrivals of few lanes of a tile, four of a lane in a place, that are added in vectors side by side.
type rest struct {
	lanes []uint16 // of the tile, by place
	sums  [3][]float64
}

// addRest adds the arrivals from number skip on of the lanes that have so many.
func (s *lifSegment) addRest(r *shard, k int64, t segmentTrain, first, offset int, counts []uint8, skip int,
	sums [3][]float64,
) {
	g, p := &s.inside, t.part
	q := &g.rest
	for j := range q.sums {
		if q.sums[j] == nil {
			q.sums[j] = makeColumn(insideTile)
		}
	}
	for i, n := range counts {
		for j := skip; j < int(n); j += 4 {
			block := p.instantsOf(r.net.layout.spec.Seed, j/4).At(p.ids[first+i], uint32(k))
			for m := range g.theta {
				g.theta[m][len(q.lanes)] = asm.NoArrival
				if j+m < int(n) {
					g.theta[m][len(q.lanes)] = rng.Uniform32(block[m])
				}
			}
			if q.lanes = append(q.lanes, uint16(offset+i)); len(q.lanes) == insideTile {
				s.flushRest(r, p, first, sums)
			}
		}
	}
	s.flushRest(r, p, first, sums)
}

// flushRest adds what has been put in places.
func (s *lifSegment) flushRest(r *shard, p *trainPart, first int, sums [3][]float64) {
	g := &s.inside
	q := &g.rest
	n := (len(q.lanes) + restTogether - 1) / restTogether * restTogether
	for j := range g.theta {
		fill(g.theta[j][len(q.lanes):n], asm.NoArrival)
	}
	for j := range q.sums {
		clear(q.sums[j][:n])
	}
	if n > 0 {
		g.addInstants(r, p, first, n, q.sums)
	}
	for j, sum := range sums {
		for i, lane := range q.lanes {
			sum[lane] += q.sums[j][i]
		}
	}
	q.lanes = q.lanes[:0]
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
