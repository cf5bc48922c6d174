package network

import (
	"encoding/binary"
	mathbits "math/bits"

	"popsim/kernels"
	"popsim/kernels/asm"
)

// alphaTrains is the scratch of Poisson arrivals at alpha currents. Those beyond four of a lane are of few lanes, which
// are listed in places: of up to four arrivals of a lane each, drawn and added side by side.
type alphaTrains struct {
	offsets *kernels.Offsets // of the lanes of a tile
	places  *kernels.Offsets
	n       int      // places
	lanes   []uint16 // of the tile, by place
	left    []uint8  // how many arrivals, from the first of the place on, the lane has
	ids     []uint32
	sums    [3][]float64
}

func (q *alphaTrains) make() {
	const room = insideTile + kernels.DrawnTogether
	q.offsets, q.places = kernels.NewOffsets(room), kernels.NewOffsets(room)
	q.lanes, q.left, q.ids = make([]uint16, room), make([]uint8, room), make([]uint32, room)
	for j := range q.sums {
		q.sums[j] = makeColumn(room)
	}
}

// addAlphaTrain adds the arrivals of a train at lanes of a tile, from the one at offset on: four of each lane at a time
// as long as many lanes have as many, then those of the lanes that have more.
func (s *lifSegment) addAlphaTrain(r *shard, k int64, t segmentTrain, first, offset, lanes int, counts []uint8,
	sums [3][]float64,
) {
	q, p := &s.inside.alphaTrains, t.part
	if q.ids == nil {
		q.make()
	}
	at := q.offsets.From(offset)
	skip := 0
	for ; float64(skip) < max(1, t.run.mean-1); skip += asm.OffsetsTogether {
		stream := p.instantsOf(r.net.layout.spec.Seed, skip/asm.OffsetsTogether)
		kernels.DrawOffsets(r.net.isa, stream, &at, counts, skip, p.ids[first], uint32(k))
		q.offsets.Keep(offset, offset+len(counts), lanes)
		r.addOffsets(p, first, lanes, q.offsets, sums)
	}
	for q.list(at.More, counts, skip, offset, p.ids[first:]); q.n > 0; skip += asm.OffsetsTogether {
		number := skip / asm.OffsetsTogether
		for len(p.rest) <= number {
			p.rest = append(p.rest, kernels.NewBlocks(p.instantsOf(r.net.layout.spec.Seed, len(p.rest))))
		}
		p.rest[number].Offsets(r.net.isa, q.places, q.left[:q.n], q.ids[:q.n], uint32(k))
		q.addPlaces(r, p, first, sums)
		q.next()
	}
}

// list puts the lanes of more than skip arrivals, which are marked, in places.
func (q *alphaTrains) list(marks, counts []uint8, skip, offset int, ids []uint32) {
	n := 0
	for i := 0; i < len(counts); i += 64 {
		above := binary.LittleEndian.Uint64(marks[i/8:])
		if left := len(counts) - i; left < 64 {
			above &= 1<<left - 1
		}
		for ; above != 0; above &= above - 1 {
			at := i + mathbits.TrailingZeros64(above)
			q.lanes[n], q.left[n], q.ids[n] = uint16(offset+at), counts[at]-uint8(skip), ids[at]
			n++
		}
	}
	q.n = n
}

// next goes on to the next four arrivals of the lanes in places that have more.
func (q *alphaTrains) next() {
	n := 0
	for i, left := range q.left[:q.n] {
		if left > asm.OffsetsTogether {
			q.lanes[n], q.left[n], q.ids[n] = q.lanes[i], left-asm.OffsetsTogether, q.ids[i]
			n++
		}
	}
	q.n = n
}

// addPlaces adds the arrivals that have been drawn for the lanes in places.
func (q *alphaTrains) addPlaces(r *shard, p *trainPart, first int, sums [3][]float64) {
	const together = 16 // to multiples of so many lanes the kernel rounds
	n := (q.n + together - 1) / together * together
	for j := range sums {
		clear(q.sums[j][:n])
	}
	r.addOffsets(p, first, n, q.places, q.sums)
	for j, sum := range sums {
		for i, x := range q.sums[j][:q.n] {
			sum[q.lanes[i]] += x
		}
	}
}

// addOffsets adds arrivals of a train to the accumulators of lanes.
func (r *shard) addOffsets(p *trainPart, first, lanes int, o *kernels.Offsets, sums [3][]float64) {
	q := r.net.layout.series[p.receptor[first]]
	b := asm.PowerSumsBlock{
		Lanes: lanes, U0: o.U[0], U1: o.U[1], U2: o.U[2], U3: o.U[3], Number: o.Number,
		Weight: p.weights[first], End: sums[0], Share: sums[1], Third: sums[2],
	}
	copy(b.Ends[:], q[0][:])
	copy(b.Shares[:], q[1][:])
	copy(b.Thirds[:], q[2][:])
	kernels.AddPowerSums(r.net.isa, &b)
}
