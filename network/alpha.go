package network

import (
	"encoding/binary"
	mathbits "math/bits"

	"popsim/kernels"
	"popsim/kernels/asm"
)

// Of joined alpha currents the row of triples holds the arrivals of both signs, and falls the sum of what has weights
// below 0 and is added to V/R: from the two follow bounds of V within the step that are close to it even where hundreds
// of arrivals of either sign nearly cancel each other.

// alphaSums is the columns of what arrives at the lanes of a tile in a step: to the current's rise at its end, to the
// current then, to V/R, and the size of what is negative in that. See asm.AlphaLIFBlock.
type alphaSums []float64

func makeAlphaSums() alphaSums { return alphaSums(emptyColumn(4 * asm.SumsStride)) }

func (s alphaSums) column(j, lanes int) []float64 { return s[j*asm.SumsStride:][:lanes:lanes] }

// stepAlpha is stepTile for a segment whose receptors are joined, of an alpha current.
func (s *lifSegment) stepAlpha(r *shard, k int64, at, lanes int, vInf []float64) {
	g := &s.inside
	l := r.net.layout
	c := s.receptors[0]
	lo := s.base + at
	s.arriveAlpha(r, k, at, lanes)
	decay := r.decay[c]
	kernels.AlphaLIFStep(r.net.isa, &asm.AlphaLIFBlock{
		Lanes: lanes, V: r.v[lo:], VInf: vInf, Current: r.s[c][lo:], Rise: r.y[c][lo:],
		Before: g.drive, RiseBefore: g.jump, Sums: g.joined.sums, Coef: g.joined.coefs.from(at),
		CoefStride: g.joined.coefs.stride,
		Decay:      decay, DecayDt: decay * l.spec.Dt, HalfDt: l.spec.Dt / 2, Held: r.held.bits[lo/8:], Fired: g.events,
	})
	for i := 0; i < lanes; i += 64 {
		for marks := binary.LittleEndian.Uint64(g.events[i/8:]); marks != 0; marks &= marks - 1 {
			at := i + mathbits.TrailingZeros64(marks)
			r.noteEvent(s, lo+at)
			r.synaptic = append(r.synaptic, g.drive[at], g.jump[at])
		}
	}
}

// findListed finds the receptors to whose rows edges are added.
func (r *shard) findListed() {
	for _, t := range r.tables {
		if t.style != countRows {
			r.listed[r.net.layout.main[t.receptor]] = true
		}
	}
}

// arriveAlpha adds up what arrives at the lanes of the segment from at on, in the columns of sums.
func (s *lifSegment) arriveAlpha(r *shard, k int64, at, lanes int) {
	l, sums := r.net.layout, s.inside.joined.sums
	c, lo := s.receptors[0], s.base+at
	other := l.joined[c]
	end, slope, share, fall := sums.column(0, lanes), sums.column(1, lanes), sums.column(2, lanes), sums.column(3, lanes)
	falls := r.falls[c][lo:][:lanes]
	copy(fall, falls)
	fill(falls, empty)
	if r.listed[c] || r.touched[c] || r.touched[other] {
		kernels.SplitTriples(r.net.isa, &asm.TriplesBlock{
			Lanes: lanes, Triples: r.rows[c][3*lo:], First: end, Second: slope, Third: share,
		})
	}
	r.addCounted(c, lo, lanes, sums)
	if s.inVectors(at, c, k) {
		s.addTrains(r, k, c, at, lanes, [3][]float64{end, slope, share})
	}
	if s.inVectors(at, other, k) {
		before := s.inside.top[:lanes]
		copy(before, share)
		s.addTrains(r, k, other, at, lanes, [3][]float64{end, slope, share})
		for i, x := range before {
			fall[i] += x - share[i]
		}
	}
}

// fallsBy is which of the numbers that an arrival adds to the accumulators of a joined receptor is that of falls: of an
// exponential current the current at the end of the step, of an alpha current V/R.
func (rc *receptor) fallsBy() int {
	if rc.kind == AlphaCurrent {
		return 2
	}
	return 0
}

// addFalls adds the edges of a run to falls, where its weights are below 0 and its receptor is joined to another.
func (r *shard) addFalls(u *runOf, t *table) {
	if !t.falls {
		return
	}
	c := u.Unit.Add[r.net.layout.receptors[t.receptor].fallsBy()]
	falls := r.falls[r.net.layout.main[t.receptor]]
	r.each(u, func(lane uint16, _, weight float64) { falls[lane] -= float64(weight * c) })
}
