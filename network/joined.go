package network

import (
	"encoding/binary"
	mathbits "math/bits"
	"slices"

	"popsim/kernels"
	"popsim/kernels/asm"
)

// Inside the step weights of both signs have receptors of their own, from which a bound of V within the step follows.
// Where LIF neurons have one exponential current and no other synapse, and its edges have weights of their own, the two
// receptors are joined: the row of pairs and the current of one hold the arrivals of both; likewise where they have one
// alpha current (see alpha.go). The bound follows from one more accumulator, the sum of what has weights below 0. In
// the cortical microcircuit that makes 24 bytes of rows for a neuron instead of 32, and one step of currents instead of
// two.

// joinReceptors finds the receptors that are joined: sets l.main and l.joined.
func (n *Network) joinReceptors() {
	l := n.layout
	of := map[int][]int{} // receptors by class
	for c, rc := range l.receptors {
		of[rc.class] = append(of[rc.class], c)
		l.main, l.joined = append(l.main, c), append(l.joined, -1)
	}
	for _, all := range of {
		if len(all) != 2 || !l.joinable(all[0], all[1]) || !n.summedByEdge(all) {
			continue
		}
		main, other := all[0], all[1]
		if l.receptors[main].negative {
			main, other = other, main
		}
		l.main[other], l.joined[main] = main, other
	}
}

// joinable reports whether two receptors are those of one exponential or alpha current into LIF neurons of one time
// constant. Of an alpha current the step must be so short that there is a series: see asm.AlphaLIFBlock.
func (l *layout) joinable(a, b int) bool {
	x, y := l.receptors[a], l.receptors[b]
	y.negative = !y.negative
	k := l.classes[x.class]
	suits := x.kind == ExpCurrent || x.kind == AlphaCurrent && x.newSeries(k, l.spec.Dt) != nil
	return x == y && suits && !k.coupled && k.tau > 0 && !l.spec.OnGrid && !l.spec.hasWhite()
}

// summedByEdge reports whether all edges onto some receptors are stored; those of exponential currents with weights of
// their own.
func (n *Network) summedByEdge(receptors []int) bool {
	l := n.layout
	for i := range l.spec.Projections {
		if p := &l.spec.Projections[i]; p.Synapse == l.receptors[receptors[0]].synapse && l.unstored(p) {
			return false
		}
	}
	for key, t := range n.pairs {
		for _, c := range receptors {
			if key.receptor == c && l.receptors[c].kind == ExpCurrent && t.style() != float32s {
				return false
			}
		}
	}
	return true
}

// addFall adds what an arrival adds to accumulators to the sum of those below 0, if its receptor is joined to another.
func (r *shard) addFall(receptor int, lane uint16, weight float64, c *[3]float64) {
	if l := r.net.layout; l.main[receptor] != receptor {
		r.falls[l.main[receptor]][lane] -= float64(weight * c[l.receptors[receptor].fallsBy()])
	}
}

// joinCurrents moves the currents of receptors that are joined to others, in checkpoints of earlier versions, to these.
func (r *shard) joinCurrents() {
	for c, main := range r.net.layout.main {
		for _, column := range [][][]float64{r.s, r.y} {
			for lane, x := range column[c] {
				if main != c && x != empty {
					column[main][lane] += x
					column[c][lane] = empty
				}
			}
		}
	}
}

// stepJoined is stepTile for a segment whose receptors are joined.
func (s *lifSegment) stepJoined(r *shard, k int64, at, lanes int, vInf []float64) {
	g := &s.inside
	c := s.receptors[0]
	lo := s.base + at
	leak := g.leak
	if !g.alike {
		leak = leak[at:]
	}
	if r.current != nil {
		for i := at; i < min(at+lanes, s.n); i++ {
			leak[i-at] = leakFrom(s.vTh[i], vInf[i-at], s.keep[i])
		}
	}
	if other := r.net.layout.joined[c]; s.inVectors(at, c, k) || s.inVectors(at, other, k) {
		s.addTrainsJoined(r, k, other, at, lanes)
	}
	kernels.ExpLIFStep(r.net.isa, &asm.ExpLIFBlock{
		Lanes: lanes, V: r.v[lo:], VInf: vInf, Leak: leak, Current: r.s[c][lo:], Before: g.drive, Pairs: r.rows[c][2*lo:],
		Fall: r.falls[c][lo:], Coef: g.joined.from(at), CoefStride: g.joined.stride, Decay: r.decay[c],
		Growth: 1 / r.decay[c], Margin: r.watch.margin, Held: r.held.bits[lo/8:], Fired: g.events,
	})
	for i := 0; i < lanes; i += 32 {
		for marks := binary.LittleEndian.Uint64(g.events[i/4:]); marks != 0; marks &= marks - 1 {
			at := mathbits.TrailingZeros64(marks)
			near := at>>3&1 != 0 // in the second byte of each two
			if at = i + at>>4*8 + at&7; near {
				// The kernel knows nothing of lanes that are held: see holdAfter.
				r.watch.next = append(r.watch.next, uint16(lo+at))
				continue
			}
			r.noteEvent(s, lo+at)
			r.synaptic = append(r.synaptic, g.drive[at], r.y[c][lo+at])
		}
	}
}

// leakFrom is how far V may relax from the threshold to V_inf in a step, if downwards.
func leakFrom(vTh, vInf, keep float64) float64 { return max(float64(keep*(vTh-vInf)), 0) }

// addTrainsJoined adds the arrivals of Poisson inputs at receptors that are joined, to the first and the second of
// pairs.
func (s *lifSegment) addTrainsJoined(r *shard, k int64, other, at, lanes int) {
	g, c, lo := &s.inside, s.receptors[0], s.base+at
	row, fall := r.rows[c][2*lo:], r.falls[c][lo:]
	kernels.SplitPairs(r.net.isa, &asm.PairsBlock{Lanes: lanes, Pairs: row, First: g.end, Second: g.share})
	s.addTrains(r, k, c, at, lanes, [3][]float64{g.end, g.share})
	copy(g.slope, g.end)
	s.addTrains(r, k, other, at, lanes, [3][]float64{g.end, g.share})
	for i := range lanes {
		row[2*i], row[2*i+1] = g.end[i], g.share[i]
		fall[i] += g.slope[i] - g.end[i]
	}
}

// inVectors reports whether some Poisson input adds its arrivals in step k at receptor c, in the tile from lane at on,
// in vectors.
func (s *lifSegment) inVectors(at, c int, k int64) bool {
	return slices.ContainsFunc(s.inside.trainsAt(at), func(t segmentTrain) bool {
		return int(t.part.receptor[t.run.first]) == c && t.run.inVectors == k
	})
}
