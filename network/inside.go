package network

import (
	"encoding/binary"
	"math"
	mathbits "math/bits"

	"popsim/kernels"
	"popsim/kernels/asm"
	"popsim/rng"
)

// series holds, for each accumulator of a receptor, the polynomial in u = 0.5 - theta of what an arrival of weight 1 at
// theta of a step adds: receptor.coefs by its Taylor series about the middle of the step; of alpha currents that of
// longSeries terms, with asm.PowerTerms left (see economize).
type series [3][asm.InstantTerms]float64

// shortStep and seriesStep are the longest steps, in units of the shortest time constant, for which a series of
// shortTerms and of all terms is used: the first term left out is then below 3e-16 of the first.
const (
	shortStep  = 0.25
	shortTerms = 10
	seriesStep = 0.5
	longSeries = 20
)

// newSeries is the series of a receptor; nil where there is none. The accumulators obey a linear differential equation
// in the time left of the step; each term follows from the one before it by that equation.
func (rc *receptor) newSeries(c class, dt float64) *series {
	tau := c.tau
	means := c.coupled && (rc.kind == ExpCurrent || rc.kind == ExpConductance) // see receptor.meanCoefs
	if c.coupled && !means || !c.coupled && (!(tau > 0) || dt > seriesStep*tau) ||
		rc.kind != Delta && dt > seriesStep*rc.tau || rc.width > 3 {
		return nil
	}
	change := func(x [3]float64) [3]float64 { // d/d(time left)
		if means {
			return [3]float64{-x[0] / rc.tau, x[0] / dt, (float64(6*x[0]) - float64(12*x[1])) / dt}
		}
		switch rc.kind {
		case Delta:
			return [3]float64{-x[0] / tau}
		case ExpCurrent:
			return [3]float64{-x[0] / rc.tau, (x[0] - x[1]) / tau}
		}
		return [3]float64{-x[0] / rc.tau, x[0] - x[1]/rc.tau, (x[1] - x[2]) / tau}
	}
	terms, left := asm.InstantTerms, asm.InstantTerms
	if rc.kind == AlphaCurrent {
		terms, left = longSeries, asm.PowerTerms
	} else if (means || dt <= shortStep*tau) && (rc.kind == Delta || dt <= shortStep*rc.tau) {
		terms = shortTerms
	}
	var taylor [3][]float64
	term := rc.coefs(dt/2, tau, dt)
	for n := range terms {
		for j := range taylor {
			taylor[j] = append(taylor[j], term[j])
		}
		next := change(term)
		for j := range next {
			term[j] = next[j] * (dt / float64(n+1))
		}
	}
	s := new(series)
	for j := range s {
		economize(taylor[j], left)
		copy(s[j][:left], taylor[j])
	}
	return s
}

// economize changes the polynomial p in u, for |u| <= 0.5, so that its terms from some number on may be left out:
// from the last on it takes off multiples of the Chebyshev polynomials T_n(2u), which are at most 1.
func economize(p []float64, terms int) {
	for n := len(p) - 1; n >= terms; n-- {
		before, t := []float64{1}, []float64{0, 2} // T_0, T_1
		for i := 1; i < n; i++ {                   // T_i+1 = 4u T_i - T_i-1
			next := append([]float64{0}, t...)
			for j := range next {
				next[j] *= 4
			}
			for j, x := range before {
				next[j] -= x
			}
			before, t = t, next
		}
		factor := p[n] / t[n]
		for j, x := range t {
			p[j] -= float64(factor * x)
		}
	}
}

// at is what an arrival of weight 1 at theta adds.
func (s *series) at(theta float64) (c [3]float64) {
	u := 0.5 - theta
	for j := range c {
		p := &s[j]
		if p[0] == 0 { // no accumulator
			break
		}
		y := p[asm.InstantTerms-1]
		for n := asm.InstantTerms - 2; n >= 0; n-- {
			y = math.FMA(y, u, p[n])
		}
		c[j] = y
	}
	return c
}

// inside holds what steps with arrivals inside them need for the LIF neurons of a segment. Columns as long as one tile
// are scratch.
type inside struct {
	neurons  coefs // see asm.LIFStepBlock
	joined   joinedInside
	currents []coefs // of each receptor of the segment, none of those of jumps: see asm.CurrentStepBlock
	alike    bool    // whether vInf holds one tile for all
	vInf     []float64

	drive, jump, top  []float64
	end, slope, share []float64
	theta             [4][]float64
	alphaTrains       alphaTrains
	events            []uint8
	trains            [][]segmentTrain // by tile
}

// A segmentTrain is a run of a Poisson input whose arrivals are added in vectors.
type segmentTrain struct {
	part *trainPart
	run  *trainRun
}

// attach notes a train whose first lane in the segment is given, in all tiles that it reaches.
func (g *inside) attach(t segmentTrain, first int) {
	for tile := first / insideTile; tile <= (first+t.run.n-1)/insideTile; tile++ {
		for tile >= len(g.trains) {
			g.trains = append(g.trains, nil)
		}
		g.trains[tile] = append(g.trains[tile], t)
	}
}

// trainsAt are the trains that reach the tile of a lane of the segment.
func (g *inside) trainsAt(lane int) []segmentTrain {
	if tile := lane / insideTile; tile < len(g.trains) {
		return g.trains[tile]
	}
	return nil
}

// insideTile is the number of lanes advanced together in a step: their scratch fits in the first-level cache.
const insideTile = 8 * kernels.Group

func (s *lifSegment) makeInside(r *shard) {
	l := r.net.layout
	g := &s.inside
	g.neurons = groupCoefs(s.keep, s.vTh)
	most := make([]float64, s.n)
	for i := range most {
		most[i] = s.r[i] / s.tau[i] * l.spec.Dt
	}
	g.alike = r.current == nil && alike(s.vInf)
	if s.isJoined(l) {
		s.makeJoined(r, most)
		g.alike = g.alike && g.joined.coefs.stride == 0
	}
	lanes := s.padded()
	if g.alike {
		lanes = insideTile
	}
	g.vInf = makeColumn(lanes)
	for i := range lanes {
		if j := min(i, s.n-1); g.alike {
			g.vInf[i] = s.vInf[0]
		} else {
			g.vInf[i] = s.vInf[j]
		}
	}
	for j, c := range s.receptors {
		columns := coefs{}
		if l.receptors[c].kind != Delta {
			columns = groupCoefs(s.p21[j], s.r, most, s.p20[j])
		}
		g.currents = append(g.currents, columns)
	}
	for _, c := range []*[]float64{&g.drive, &g.jump, &g.top, &g.end, &g.slope, &g.share} {
		*c = makeColumn(insideTile)
	}
	for j := range g.theta {
		g.theta[j] = makeColumn(insideTile + kernels.DrawnTogether)
	}
	g.events = makeLines[uint8](insideTile / 4)
	for lane := s.base + s.n; lane < s.base+s.padded(); lane++ {
		r.wake[lane] = math.Inf(1) // padding never moves
	}
}

// step advances all lanes by step k, with arrivals inside it, and lists the lanes with an event. It empties the rows.
func (s *lifSegment) step(r *shard, k int64) {
	if l := r.net.layout; s.isJoined(l) && !s.alpha(l) {
		s.stepJoined(r, k)
		return
	}
	for at := 0; at < s.padded(); at += insideTile {
		s.stepTile(r, k, at, min(insideTile, s.padded()-at))
	}
}

// stepTile is step for the lanes of the segment from at on.
func (s *lifSegment) stepTile(r *shard, k int64, at, lanes int) {
	g := &s.inside
	lo := s.base + at
	vInf := g.vInf
	if !g.alike {
		vInf = vInf[at:]
	}
	if r.current != nil {
		for i := at; i < min(at+lanes, s.n); i++ {
			vInf[i-at] = math.FMA(s.r[i], r.current[s.base+i], s.vInf[i])
		}
	}
	if s.isJoined(r.net.layout) {
		s.stepAlpha(r, k, at, lanes, vInf)
		return
	}
	clear(g.drive)
	clear(g.jump)
	clear(g.top)
	if k == 0 { // whatever starts at the threshold has an event
		for i := at; i < min(at+lanes, s.n); i++ {
			if r.v[s.base+i] >= s.vTh[i] {
				g.top[i-at] = math.Inf(1)
			}
		}
	}
	for j := range s.receptors {
		s.arrive(r, k, j, at, lanes)
	}
	if s.noise != nil {
		s.addNoiseInside(r, at, lanes)
	}
	b := asm.LIFStepBlock{
		Lanes: lanes, First: float64(k), V: r.v[lo:], Wake: r.wake[lo:], VInf: vInf, Coef: g.neurons.from(at),
		CoefStride: g.neurons.stride,
		Drive:      g.drive, Jump: g.jump, Top: g.top, Fired: g.events,
	}
	kernels.LIFStep(r.net.isa, &b)
	for i := 0; i < lanes; i += 64 {
		for bits := binary.LittleEndian.Uint64(g.events[i/8:]); bits != 0; bits &= bits - 1 {
			s.note(r, lo+i+mathbits.TrailingZeros64(bits))
		}
	}
}

// note lists a lane that has an event, with its state before the step.
func (s *lifSegment) note(r *shard, lane int) {
	r.noteEvent(s, lane)
	for _, c := range s.receptors {
		r.synaptic = append(r.synaptic, r.s[c][lane], r.y[c][lane])
	}
}

// noteEvent is note but for the synaptic variables, which are to be appended.
func (r *shard) noteEvent(s *lifSegment, lane int) {
	r.events = append(r.events, before{seg: s, lane: lane, v: r.v[lane], at: len(r.synaptic)})
	r.flags[lane>>6] |= 1 << (lane & 63)
}

// isJoined reports whether the segment's receptors are joined.
func (s *lifSegment) isJoined(l *layout) bool {
	return len(s.receptors) == 1 && l.joined[s.receptors[0]] >= 0
}

// alpha reports whether the segment's first receptor is that of an alpha current.
func (s *lifSegment) alpha(l *layout) bool { return l.receptors[s.receptors[0]].kind == AlphaCurrent }

// arrive adds the arrivals at receptor j of the segment to drive, jump and top, and advances its current by the step:
// from r.s and r.y to r.nextS and r.nextY.
func (s *lifSegment) arrive(r *shard, k int64, j, at, lanes int) {
	l := r.net.layout
	g := &s.inside
	c := s.receptors[j]
	rc := &l.receptors[c]
	lo := s.base + at
	isa := r.net.isa
	if rc.kind == Delta {
		row := r.rows[c][lo:]
		s.addTrains(r, k, c, at, lanes, [3][]float64{row})
		b := asm.JumpStepBlock{Lanes: lanes, Row: row, Jump: g.jump, Top: g.top, Factor: r.deltaTop[s.class]}
		if rc.negative {
			b.Factor = 0
		}
		kernels.JumpStep(isa, &b)
		return
	}
	decay := r.decay[c]
	b := asm.CurrentStepBlock{
		Lanes: lanes, Current: r.s[c][lo:], Next: r.nextS[c][lo:],
		Coef: g.currents[j].from(at), CoefStride: g.currents[j].stride, Decay: decay, Growth: 1 / decay, Dt: l.spec.Dt,
		DecayDt: decay * l.spec.Dt,
		End:     g.end, Slope: g.slope, Share: g.share, Drive: g.drive, Top: g.top,
	}
	if rc.kind == ExpCurrent {
		kernels.SplitPairs(isa, &asm.PairsBlock{Lanes: lanes, Pairs: r.rows[c][2*lo:], First: g.end, Second: g.share})
		s.addTrains(r, k, c, at, lanes, [3][]float64{g.end, g.share})
	} else {
		b.Rise, b.NextRise = r.y[c][lo:], r.nextY[c][lo:]
		kernels.SplitTriples(isa, &asm.TriplesBlock{
			Lanes: lanes, Triples: r.rows[c][3*lo:], First: g.end, Second: g.slope, Third: g.share,
		})
		s.addTrains(r, k, c, at, lanes, [3][]float64{g.end, g.slope, g.share})
	}
	switch {
	case rc.kind == ExpCurrent && rc.negative:
		kernels.ExpStepNegative(isa, &b)
	case rc.kind == ExpCurrent:
		kernels.ExpStep(isa, &b)
	case rc.negative:
		kernels.AlphaStepNegative(isa, &b)
	default:
		kernels.AlphaStep(isa, &b)
	}
}

// addTrains adds the arrivals in step k of Poisson inputs at receptor c to the accumulators of lanes of the segment
// from at on.
func (s *lifSegment) addTrains(r *shard, k int64, c, at, lanes int, sums [3][]float64) {
	g := &s.inside
	for _, t := range g.trainsAt(at) {
		p, u := t.part, t.run
		if int(p.receptor[u.first]) != c || u.inVectors != k {
			continue
		}
		lane := int(p.lanes[u.first]) - s.base // of the run's first, in the segment
		from, to := max(at, lane), min(at+lanes, lane+u.n)
		if from >= to {
			continue
		}
		first, offset := u.first+from-lane, from-at
		counts := p.counts[int(k%4)*p.stride+first:][:to-from]
		if sums[2] != nil {
			s.addAlphaTrain(r, k, t, first, offset, lanes, counts, sums)
			continue
		}
		// Vectors take four arrivals of each lane at a time as long as many lanes have as many; the rest go one by one.
		skip := 0
		for ; float64(skip) < max(1, u.mean-1); skip += 4 {
			s.addFour(r, k, t, first, offset, lanes, counts, skip, sums)
		}
		for i, n := range counts {
			for j := skip; j < int(n); j++ {
				x := r.net.layout.series[c].at(p.instant(r.net.layout.spec.Seed, p.ids[first+i], k, j))
				for m, sum := range sums {
					if sum != nil {
						sum[offset+i] += float64(p.weights[u.first] * x[m])
					}
				}
			}
		}
	}
}

// addFour adds the arrivals number skip to skip+3 of each lane.
func (s *lifSegment) addFour(
	r *shard,
	k int64,
	t segmentTrain,
	first, offset, lanes int,
	counts []uint8,
	skip int,
	sums [3][]float64,
) {
	g := &s.inside
	p := t.part
	var theta [4][]float64
	for j := range theta {
		theta[j] = g.theta[j][offset:]
	}
	stream := p.instantsOf(r.net.layout.spec.Seed, skip/4)
	kernels.Instants(r.net.isa, stream, counts, skip, &theta, p.ids[first], uint32(k))
	for j := range g.theta {
		for i := range g.theta[j][:offset] {
			g.theta[j][i] = asm.NoArrival
		}
		for i := offset + len(counts); i < lanes; i++ {
			g.theta[j][i] = asm.NoArrival
		}
	}
	q := r.net.layout.series[p.receptor[first]]
	b := asm.InstantsBlock{
		Lanes: lanes, Theta0: g.theta[0], Theta1: g.theta[1], Theta2: g.theta[2], Theta3: g.theta[3],
		Ends: q[0], Shares: q[1], Weight: p.weights[first], End: sums[0], Share: sums[1],
	}
	if b.Share == nil {
		kernels.AddInstants(r.net.isa, &b)
	} else {
		kernels.AddInstantsTwo(r.net.isa, &b)
	}
}

// findInstants appends the arrivals of inputs in vectors at a lane in step k to r.found.
func (s *lifSegment) findInstants(r *shard, lane int, k int64) {
	for _, t := range s.inside.trainsAt(lane - s.base) {
		p, u := t.part, t.run
		i := lane - int(p.lanes[u.first])
		if u.inVectors != k || i < 0 || i >= u.n {
			continue
		}
		i += u.first
		var words [4]uint32
		for j := range int(p.counts[int(k%4)*p.stride+i]) {
			if j%4 == 0 {
				words = p.instantsOf(r.net.layout.spec.Seed, j/4).At(p.ids[i], uint32(k))
			}
			r.found = append(r.found, arrival{uint16(lane), p.receptor[i], rng.Uniform32(words[j%4]), p.weights[i]})
		}
	}
}

// instantsOf is the stream of the instants of arrivals 4b to 4b+3 of a step.
func (p *trainPart) instantsOf(seed uint64, b int) rng.Stream {
	if b == 0 {
		return p.instants
	}
	return rng.StreamOf(seed+uint64(b), p.instantsKey)
}

// instant is arrival j of the neuron of an id in step k.
func (p *trainPart) instant(seed uint64, id uint32, k int64, j int) float64 {
	return rng.Uniform32(p.instantsOf(seed, j/4).At(id, uint32(k))[j%4])
}
