package network

import (
	"math"
	mathbits "math/bits"
	"slices"
	"unsafe"

	"popsim/kernels"
	"popsim/kernels/asm"
)

// Inside the step weights of both signs have receptors of their own, from which a bound of V within the step follows.
// Where LIF neurons have one exponential current and no other synapse, and its edges have weights of their own, the two
// receptors are joined: the row of pairs and the current of one hold the arrivals of both; likewise where they have one
// alpha current (see alpha.go). Of an exponential current the bound follows from one of the sum of what has weights
// below 0, in whole units. In the cortical microcircuit that makes 20 bytes of rows for a neuron instead of 32, and one
// step of currents instead of two. Of the lanes in reach of the threshold the arrivals are looked up, and their sums
// tell which have an event.

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

// addFall adds an arrival to what is known of those below 0, if its receptor is joined to another: of an alpha current
// the sum, of an exponential one a bound. c is what one of weight 1 adds to the accumulators.
func (r *shard) addFall(receptor int, lane uint16, weight float64, c *[3]float64) {
	l := r.net.layout
	main := l.main[receptor]
	switch {
	case main == receptor:
	case l.receptors[main].kind == AlphaCurrent:
		r.falls[main][lane] -= float64(weight * c[l.receptors[receptor].fallsBy()])
	default:
		r.addBound(main, lane, -float64(weight*c[0]))
	}
}

// addBound adds what an arrival takes off the first of a pair to the bound of its lane.
func (r *shard) addBound(main int, lane uint16, size float64) {
	asm.AddFall(&r.bounds[main][lane], float32(size/r.fallUnit))
}

// Bounds of what falls are numbers of units; an arrival of the mean weight has unitsPerFall. See chooseFallUnit.
const unitsPerFall = 64

// chooseFallUnit chooses the unit of the bounds from some of the weights. No result depends on it.
func (r *shard) chooseFallUnit() {
	const some = 1 << 10 // blocks of a table
	r.fallUnit = 1
	sum, n := 0.0, 0
	for _, t := range r.tables {
		if !t.falls || t.style != float32s || len(t.start) == 0 {
			continue
		}
		blocks := int(t.start[len(t.start)-1])
		for i := 0; i < blocks; i += 1 + blocks/some {
			for _, w := range (*block32)(unsafe.Pointer(t.targets(uint32(i)))).W {
				if w != 0 {
					sum, n = sum-float64(w), n+1
				}
			}
		}
	}
	mean := sum / float64(max(1, n))
	for _, p := range r.trains {
		for i, c := range p.receptor {
			if w := p.weights[i]; w < 0 && r.net.layout.main[c] != int(c) {
				mean = max(mean, -w)
			}
		}
	}
	if mean > 0 {
		r.fallUnit = mean / unitsPerFall
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

// joinedTile is the number of lanes that one call of the kernel advances.
const joinedTile = 4 * insideTile

// joinedInside is what steps need where receptors are joined. Columns are scratch, as long as a tile.
type joinedInside struct {
	coefs                  coefs // see asm.ExpLIFBlock, asm.AlphaLIFBlock
	sums                   alphaSums
	before, arrived, share []float64
	fall                   []float64 // what inputs that are added in vectors take off the first of pairs
	falls                  []uint32
	marks                  []asm.ExpLIFMark
}

// makeJoined makes what steps need; most is R dt/tau.
func (s *lifSegment) makeJoined(r *shard, most []float64) {
	q := &s.inside.joined
	r.held.on = true
	if s.alpha(r.net.layout) {
		q.coefs, q.sums = groupCoefs(s.keep, s.vTh, s.p21[0], s.r, most, s.p20[0]), makeAlphaSums()
		return
	}
	leak := make([]float64, s.n)
	for i := range leak {
		leak[i] = leakFrom(s.vTh[i], s.vInf[i], s.keep[i])
	}
	columns := [][]float64{s.keep, s.vTh, s.p21[0], s.r, most, s.vInf, leak}
	if q.coefs = groupCoefs(columns...); r.current != nil {
		q.coefs = ownCoefs(columns...)
	}
	for _, c := range []*[]float64{&q.before, &q.arrived, &q.share, &q.fall} {
		*c = makeColumn(joinedTile)
	}
	q.marks, q.falls = make([]asm.ExpLIFMark, joinedTile/4), make([]uint32, joinedTile)
}

// stepJoined is step for a segment whose receptors are joined.
func (s *lifSegment) stepJoined(r *shard, k int64) {
	q, c := &s.inside.joined, s.receptors[0]
	if r.current != nil {
		s.drivenCoefs(r)
	}
	for at := 0; at < s.padded(); at += joinedTile {
		lo, lanes := s.base+at, min(joinedTile, s.padded()-at)
		s.addTrainsJoined(r, k, at, lanes)
		b := asm.ExpLIFBlock{
			Lanes: lanes, V: r.v[lo:], Current: r.s[c][lo:], Pairs: r.rows[c][2*lo:], Fall: r.bounds[c][lo:],
			FallUnit: r.fallUnit * (1 + fallRounding) / r.decay[c], Coef: q.coefs.from(at), CoefStride: q.coefs.stride,
			Decay: r.decay[c], Margin: r.watch.margin, Held: r.held.bits[lo/8:], Marks: q.marks,
			Before: q.before, Arrived: q.arrived, Share: q.share, FallBefore: q.falls,
		}
		kernels.ExpLIFStep(r.net.isa, &b)
		for _, m := range q.marks[:b.Count] {
			for near := m.Near; near != 0; near &= near - 1 {
				i := mathbits.TrailingZeros16(near)
				s.markJoined(r, k, at, int(m.Lane)+i, m.Reach>>i&1 != 0)
			}
		}
	}
}

// fallRounding is more than the error of a bound of what falls, which is computed from a float32.
const fallRounding = 1e-5

// markJoined watches a lane of the tile that starts at a lane of the segment, or notes it where it is in reach, unless
// the bound of what falls is enough to tell that V stays below the threshold.
func (s *lifSegment) markJoined(r *shard, k int64, tile, i int, reach bool) {
	lane := s.base + tile + i
	if !reach {
		r.watch.next = append(r.watch.next, uint16(lane))
		return
	}
	q, c := &s.inside.joined, s.receptors[0]
	j := joinedStep{
		v: r.v[lane], current: q.before[i], arrived: q.arrived[i], share: q.share[i], growth: 1 / r.decay[c],
	}
	j.setCoefs(q.coefs.from(tile+i), i%kernels.Group)
	bounded := q.falls[i] < asm.MostFall && !(k == 0 && j.v >= j.vTh) // else it may begin to move
	if bounded && !j.reaches(float64(float64(q.falls[i])*r.fallUnit)*(1+fallRounding)) {
		r.v[lane] = j.end()
		r.watch.next = append(r.watch.next, uint16(lane))
		return
	}
	kernels.PrefetchRange(uintptr(unsafe.Pointer(&r.wake[lane])), 8)
	r.noteEvent(s, lane)
	b := &r.events[len(r.events)-1]
	b.joined, b.step, b.fall = true, j, q.fall[i]
	r.synaptic = append(r.synaptic, j.current, empty) // r.y stays empty, and is far away
}

// A joinedStep is a lane of joined receptors in one step: V and the current before it, what arrivals add to the current
// and to V/R by its end, and coefficients as in asm.ExpLIFBlock; growth is exp(dt/tau_s).
type joinedStep struct {
	v, current, arrived, share, growth   float64
	keep, vTh, gain, r, most, vInf, leak float64
}

func (j *joinedStep) setCoefs(coef []asm.Column, l int) {
	j.keep, j.vTh, j.gain = coef[asm.ExpLIFKeep][l], coef[asm.ExpLIFVTh][l], coef[asm.ExpLIFGain][l]
	j.r, j.most = coef[asm.ExpLIFR][l], coef[asm.ExpLIFMost][l]
	j.vInf, j.leak = coef[asm.ExpLIFVInf][l], coef[asm.ExpLIFLeak][l]
}

// end is V at the end of the step without events.
func (j *joinedStep) end() float64 {
	drive := math.FMA(j.gain, j.current, float64(j.r*j.share))
	return math.FMA(j.keep, j.vInf-j.v, j.v+drive)
}

// reaches reports whether V may be at the threshold within the step, where arrivals below 0 have added -fall to the
// current at its end, or less. V is bounded from its start, by what can raise it, and from its end, by what can have
// lowered it since. Rounding keeps the order of bounds: a larger fall gives no smaller ones.
func (j *joinedStep) reaches(fall float64) bool {
	end := j.end()
	if end >= j.vTh {
		return true
	}
	raise := math.FMA(j.arrived+fall, j.growth, max(j.current, 0))
	top := math.FMA(j.most, raise, j.v+max(float64(j.keep*(j.vInf-j.v)), 0))
	lower := math.FMA(fall, j.growth, -min(j.current, 0))
	return min(top, end+math.FMA(j.most, lower, j.leak)) >= j.vTh
}

// drivenCoefs sets what of the coefficients depends on currents of inputs.
func (s *lifSegment) drivenCoefs(r *shard) {
	q := &s.inside.joined
	for i := range s.n {
		vInf := math.FMA(s.r[i], r.current[s.base+i], s.vInf[i])
		coef, l := q.coefs.from(i), i%kernels.Group
		coef[asm.ExpLIFVInf][l], coef[asm.ExpLIFLeak][l] = vInf, leakFrom(s.vTh[i], vInf, s.keep[i])
	}
}

// solveEvent finishes step k of a lane that has an event, or is in reach of the threshold: then it has one if it begins
// to move, or if V, bounded by the sums of its arrivals, may be at the threshold.
func (r *shard) solveEvent(k int64, b *before, arrivals []arrival) error {
	if !b.joined {
		return r.w.solve(r, k, b, arrivals)
	}
	moves := r.wake[b.lane] <= float64(k) // else it begins to move
	if moves && !(k == 0 && b.v >= b.step.vTh) && !b.step.reaches(r.fallOf(b, arrivals)) {
		r.v[b.lane] = b.step.end()
		r.watch.next = append(r.watch.next, uint16(b.lane))
		return nil
	}
	spikes := len(r.out)
	err := r.w.solve(r, k, b, arrivals)
	if moves && len(r.out) == spikes {
		r.watch.next = append(r.watch.next, uint16(b.lane))
	}
	return err
}

// fallOf is the size of what arrivals below 0 add to the current at the end of the step.
func (r *shard) fallOf(b *before, arrivals []arrival) float64 {
	fall := empty
	for i := range arrivals[:len(arrivals)-b.inVectors] {
		if a := &arrivals[i]; r.net.layout.main[a.receptor] != int(a.receptor) {
			fall += float64(-a.weight * r.coefs(int(a.receptor), b.lane, a.theta)[0])
		}
	}
	if b.inVectors > 0 {
		fall += b.fall
	}
	return fall
}

// leakFrom is how far V may relax from the threshold to V_inf in a step, if downwards.
func leakFrom(vTh, vInf, keep float64) float64 { return max(float64(keep*(vTh-vInf)), 0) }

// addTrainsJoined adds the arrivals of Poisson inputs that are added in vectors to the first and the second of pairs of
// lanes from at on.
func (s *lifSegment) addTrainsJoined(r *shard, k int64, at, lanes int) {
	c := s.receptors[0]
	other := r.net.layout.joined[c]
	for sub := at; sub < at+lanes && len(s.inside.trains) > 0; sub += insideTile {
		if s.inVectors(sub, c, k) || s.inVectors(sub, other, k) {
			s.addTrainsTile(r, k, other, sub, min(insideTile, at+lanes-sub), s.inside.joined.fall[sub-at:])
		}
	}
}

// addTrainsTile is addTrainsJoined for one tile of the inputs; fall gets what they take off.
func (s *lifSegment) addTrainsTile(r *shard, k int64, other, at, lanes int, fall []float64) {
	g, c, lo := &s.inside, s.receptors[0], s.base+at
	row := r.rows[c][2*lo:]
	kernels.SplitPairs(r.net.isa, &asm.PairsBlock{Lanes: lanes, Pairs: row, First: g.end, Second: g.share})
	s.addTrains(r, k, c, at, lanes, [3][]float64{g.end, g.share})
	copy(g.slope, g.end)
	s.addTrains(r, k, other, at, lanes, [3][]float64{g.end, g.share})
	for i := range lanes {
		row[2*i], row[2*i+1] = g.end[i], g.share[i]
		if fall[i] = g.slope[i] - g.end[i]; fall[i] != 0 {
			r.addBound(c, uint16(lo+i), fall[i])
		}
	}
}

// inVectors reports whether some Poisson input adds its arrivals in step k at receptor c, in the tile from lane at on,
// in vectors.
func (s *lifSegment) inVectors(at, c int, k int64) bool {
	return slices.ContainsFunc(s.inside.trainsAt(at), func(t segmentTrain) bool {
		return int(t.part.receptor[t.run.first]) == c && t.run.inVectors == k
	})
}
