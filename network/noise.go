package network

import (
	"math"
	"slices"

	"popsim/kernels"
	"popsim/model"
	"popsim/noise"
	"popsim/rng"
)

// Noise moves each neuron of an input by chance, independently of the others: white noise on V of the strength SD
// (package noise says what it means; Tau is 0), or an Ornstein-Uhlenbeck current of mean 0, standard deviation SD and
// correlation time Tau. V is held, and white noise does nothing, during refractoriness.
type Noise struct {
	SD  float64 // mV, or the unit of the current times sqrt(ms); with Tau the unit of the current
	Tau float64 // ms
}

// partNoise is the noise of the members of an input that reach a range.
type partNoise struct {
	white *noise.Rows // either, or
	ou    *noise.OUs
	row   []float64
}

func (p *trainPart) makeNoise(r *shard) {
	s := r.net.layout.spec
	name := s.streamName("noise " + p.in.Name)
	if tau := p.in.Noise.Tau; tau > 0 {
		p.noise = &partNoise{ou: noise.NewOUs(noise.NewOU(tau, s.Dt), s.Seed, name, p.ids), row: make([]float64, len(p.ids))}
	} else {
		p.noise = &partNoise{white: noise.NewRows(rng.NewStream(s.Seed, name), p.ids)}
		for i, lane := range p.lanes {
			r.insideIDs[lane] = uint32(p.to.global(p.members[i]))
			if p.in.IDs != nil {
				r.insideIDs[lane] = p.ids[i]
			}
		}
	}
}

// addNoise adds the noise of step k: currents to those of inputs, white noise to r.white.
func (r *shard) addNoise(p *trainPart, k int64) {
	// Start and Stop are rounded to whole steps; Ornstein-Uhlenbeck processes evolve outside, too.
	acts := math.Round(p.start) <= float64(k) && float64(k) < math.Round(p.stop)
	sd, q := p.in.Noise.SD, p.noise
	if q.ou != nil {
		clear(q.row)
		q.ou.Step(r.net.isa, q.row, sd, k)
		for j, lane := range p.lanes {
			if acts {
				r.current[lane] = math.FMA(p.gains[j], q.row[j], r.current[lane])
			}
		}
		return
	}
	if !acts {
		return
	}
	row := q.white.Row(r.net.isa, k)
	for j, lane := range p.lanes {
		size := float64(sd * p.gains[j])
		r.white[lane] = math.FMA(size, row[j], r.white[lane])
		r.variance[lane] = math.FMA(size, size, r.variance[lane])
	}
}

// hasWhite reports whether there is white noise.
func (s *Spec) hasWhite() bool {
	return slices.ContainsFunc(s.Inputs, func(in Input) bool { return in.Noise != nil && in.Noise.Tau == 0 })
}

// insideStep is the words for part number part of step k of a lane with white noise.
func (r *shard) insideStep(part, lane int, k int64) rng.Block {
	return rng.StreamOf(r.net.layout.spec.Seed, r.insideKey+uint64(part)).At(r.insideIDs[lane], uint32(k))
}

// lifNoise is white noise on the LIF neurons of a segment, by lane of it.
type lifNoise struct {
	sd        []float64 // of V after a step, for a noise of 1
	diffusion []float64 // of V in a step, likewise, mV²
	before    []float64 // on the grid: V before the step,
	jump      []float64 // and the jumps at its end
}

func (s *lifSegment) makeNoise(r *shard) {
	if r.white == nil {
		return
	}
	dt := r.net.layout.spec.Dt
	q := &lifNoise{sd: make([]float64, s.padded()), diffusion: make([]float64, s.padded())}
	for i, tau := range s.tau {
		q.sd[i], q.diffusion[i] = freeSD(dt/tau), dt/tau
	}
	if r.net.layout.spec.OnGrid {
		q.before, q.jump = make([]float64, s.padded()), make([]float64, s.padded())
	}
	s.noise = q
}

// freeSD is the standard deviation of V of LIF without a threshold, x time constants after an instant at which V is
// given, for noise of strength 1.
func freeSD(x float64) float64 { return math.Sqrt(-kernels.Expm1(-2*x) / 2) }

// addNoiseInside adds the white noise of a step to what the kernel adds to V of the lanes from at on, and to its bound
// of V what the path may be above both ends: a crossing beyond it has at most the probability exp(-noise.Never).
func (s *lifSegment) addNoiseInside(r *shard, at, lanes int) {
	g, q := &s.inside, s.noise
	for i := range min(lanes, s.n-at) {
		white := r.white[s.base+at+i]
		if variance := r.variance[s.base+at+i]; variance > 0 {
			x := float64(q.sd[at+i] * white)
			g.jump[i] += x
			g.top[i] += max(0, x) + math.Sqrt(noise.Never/2*q.diffusion[at+i]*variance)
		}
	}
}

// addNoiseOnGrid is addNoiseInside for a step on the grid.
func (s *lifSegment) addNoiseOnGrid(r *shard, at, lanes int) {
	q, g := s.noise, &s.grid
	lo := s.base + at
	copy(q.before[at:at+lanes], r.v[lo:])
	if g.jump >= 0 {
		copy(q.jump[at:at+lanes], r.allRows[g.jump][lo:])
	}
	for i := range lanes {
		g.drive[i] = math.FMA(q.sd[at+i], r.white[lo+i], g.drive[i])
	}
}

// crossOnGrid makes the lanes spike at the end of step k whose paths have crossed the threshold before the jumps.
func (s *lifSegment) crossOnGrid(r *shard, k int64, at, lanes int) {
	q, g := s.noise, &s.grid
	dt := r.net.layout.spec.Dt
	for i := at; i < min(at+lanes, s.n); i++ {
		lane := s.base + i
		fired := g.fired[i/8]>>(i%8)&1 != 0
		if variance := r.variance[lane]; variance == 0 || fired || r.wake[lane] > float64(k) {
			continue
		}
		level, rise := s.vTh[i]-q.before[i], r.v[lane]-q.jump[i]-q.before[i]
		diffusion := r.variance[lane] / s.tau[i]
		if float64(level*(level-rise)) > float64(noise.Never/2*dt)*diffusion && level > 0 {
			continue
		}
		if _, crossed := noise.Passage(level, rise, diffusion, dt, r.insideStep(0, lane, k)); crossed {
			g.fired[i/8] |= 1 << (i % 8)
			r.v[lane], r.wake[lane] = s.vReset[i], float64(k+1)+s.hold[i]
		}
	}
}

// coupledNoise is white noise on the neurons of a coupledSegment: it is added to V after each step. LIF neurons whose
// paths cross the threshold before are made to spike where they do.
type coupledNoise struct {
	size    []float64 // of V in a step, for a noise of 1
	rate    []float64 // at which V decays, 1/ms; of models that reset
	before  []float64 // V at the start of the step
	share   []float64 // of the step in which V moves
	emitted int       // spikes of the range before the segment's in the step
}

func (o *coupledSegment) newNoise(dt float64) *coupledNoise {
	q := &coupledNoise{size: make([]float64, o.n), rate: make([]float64, o.n), before: make([]float64, o.n)}
	q.share = make([]float64, o.n)
	for i := range q.size {
		q.size[i] = noise.PerStep(o.p.Model, func(name string) float64 {
			return o.p.P[o.p.Model.Index(name)].At(o.offset + i)
		}, dt)
	}
	return q
}

// begin records the state of the neurons at the start of step k.
func (q *coupledNoise) begin(o *coupledSegment, r *shard, k int64) {
	q.emitted = len(r.out)
	copy(q.before, o.y[0])
	for i := range q.share {
		q.share[i] = 1
		switch {
		case !o.cell.resets:
		case o.wake[i] > float64(k):
			q.share[i] = 0
		case o.wake[i] == float64(k):
			q.share[i] = 1 - o.wakeTheta[i]
		}
	}
}

// damp records the conductances of a chunk, by which the noise of the step in V decays.
func (q *coupledNoise) damp(o *coupledSegment, lo, n int, in *means) {
	if o.cell.resets {
		for i := range n {
			q.rate[lo+i] = math.FMA(o.cell.per[lo+i], in.G[i], o.cell.rate[lo+i])
		}
	}
}

// end adds the noise of step k.
func (q *coupledNoise) end(o *coupledSegment, r *shard, k int64) {
	c := o.cell
	for _, s := range r.out[q.emitted:] {
		if c.resets { // after a spike V moves from V_reset, with the noise of a whole step
			q.before[int(s.neuron)-o.first] = c.vReset[int(s.neuron)-o.first]
		}
	}
	for i := range o.n {
		lane := o.base + i
		if r.variance[lane] == 0 || c.resets && (o.wake[i] > float64(k) || q.share[i] == 0) {
			continue
		}
		size := q.size[i]
		if c.resets {
			x := float64(2 * q.rate[i] * c.dt)
			size *= math.Sqrt(q.share[i] * -kernels.Expm1(-x) / x)
		}
		v := math.FMA(size, r.white[lane], o.y[0][i])
		switch {
		case !c.resets:
			q.cross(o, r, k, i, v)
		case c.exponential:
			o.y[0][i] = v
			if v >= c.vTh[i] {
				q.spike(o, r, k, i, 1)
			}
		default:
			q.pass(o, r, k, i, v)
		}
	}
}

// pass sets V of LIF neuron i at the end of step k, or adds a spike where its path crosses the threshold.
func (q *coupledNoise) pass(o *coupledSegment, r *shard, k int64, i int, v float64) {
	c := o.cell
	level, start := c.vTh[i]-q.before[i], 1-q.share[i]
	h := q.share[i] * c.dt
	diffusion := float64(q.size[i]*q.size[i]) * r.variance[o.base+i] / c.dt
	o.y[0][i] = v
	if float64(level*(c.vTh[i]-v)) > float64(noise.Never/2*h)*diffusion && level > 0 {
		return
	}
	at, crossed := noise.Passage(level, v-q.before[i], diffusion, h, r.insideStep(0, o.base+i, k))
	switch {
	case !crossed:
	case r.net.layout.spec.OnGrid:
		q.spike(o, r, k, i, 1)
	default:
		q.spike(o, r, k, i, min(1, start+at/c.dt))
	}
}

// spike adds a spike of neuron i, which resets, in step k; V is held at least to the end of the step.
func (q *coupledNoise) spike(o *coupledSegment, r *shard, k int64, i int, theta float64) {
	c := o.cell
	o.fire(r, i, theta)
	o.y[0][i] = c.vReset[i]
	if c.exponential {
		o.y[1][i] += c.b[i]
	}
	hold := c.hold[i]
	if r.net.layout.spec.OnGrid {
		hold = math.Round(hold)
	}
	wake := max(1, theta+hold)
	whole := math.Floor(wake)
	o.setWake(i, float64(k)+whole, wake-whole)
}

// cross sets V of a neuron that does not reset at the end of the step, and adds a spike where it reaches its level.
func (q *coupledNoise) cross(o *coupledSegment, r *shard, k int64, i int, v float64) {
	o.y[0][i] = v
	switch {
	case v >= o.level[i]:
		o.level[i] = math.Inf(1)
		if o.cell.timed {
			whole := math.Floor(o.cell.hold[i])
			o.setWake(i, float64(k+1)+whole, o.cell.hold[i]-whole)
		}
		o.fire(r, i, 1)
	case o.cell.timed:
	case v < o.cell.vTh[i]-model.Rearm:
		o.level[i] = o.cell.vTh[i]
	}
}

// solverNoise is the white noise of a lifSolver in the rest of a step.
type solverNoise struct {
	white, variance float64 // of the lane in the step
	left            float64 // what the noise still to come adds to V at the end of the step
	lane, part      int
	block           rng.Block // of the current part
}

// beginNoise takes over the noise of lane i of the segment, which moves V from the part wake of the step on.
func (w *lifSolver) beginNoise(r *shard, k int64, i int, wake float64) {
	lane := w.seg.base + i
	w.noise = solverNoise{white: r.white[lane], variance: r.variance[lane], lane: lane}
	w.noise.left = w.freeSD(1-wake) * w.noise.white
	w.noise.block = r.insideStep(0, lane, k)
}

// freeSD is that over a part of the step.
func (w *lifSolver) freeSD(part float64) float64 {
	return freeSD(max(0, part) * w.dt / w.neuron.tau)
}

// nextPart draws the next words.
func (w *lifSolver) nextPart(r *shard, k int64) {
	w.noise.part++
	w.noise.block = r.insideStep(w.noise.part, w.noise.lane, k)
}

// renew draws new noise from t on, independent of that before.
func (w *lifSolver) renew(r *shard, k int64, t float64) {
	w.noise.left = w.freeSD(1-t) * math.Sqrt(w.noise.variance) * rng.Normal32(w.noise.block[0])
	w.nextPart(r, k)
}

// noisyForward moves V, which is not held, from part t of step k to part to, without arrivals, or up to the first
// crossing of the threshold. The noise has the law that follows from what it adds by the end of the step. It returns
// the part that is reached.
func (w *lifSolver) noisyForward(r *shard, k int64, t, to float64) (reached float64, crossed bool) {
	q := &w.noise
	tau, h := w.neuron.tau, (to-t)*w.dt
	more := q.left // what the noise adds by to
	if to < 1 {
		all, now, after := w.freeSD(1-t), freeSD(h/tau), w.freeSD(1-to)
		kept := kernels.Exp(-(1 - to) * w.dt / tau)
		share := now / all
		more = math.FMA(float64(share*after)*math.Sqrt(q.variance), rng.Normal32(q.block[0]),
			float64(kept*share*share)*q.left)
		q.left = math.FMA(-kept, more, q.left)
	}
	end := w.ahead(h) + more
	at, crossed := noise.Passage(w.neuron.vTh-w.v, end-w.v, q.variance/tau, h, q.block)
	w.nextPart(r, k)
	if crossed {
		w.forward(at, true)
		return min(t+at/w.dt, to), true
	}
	w.forward(h, true)
	w.v = end
	return to, false
}
