package network

import (
	"fmt"
	"math"
	"slices"

	"popsim/kernels"
)

// Between events LIF with currents is linear. With left ms of a step after an arrival, s = left:
//
//	P22(s) = exp(-s/tau)                              of V
//	P11(s) = exp(-s/tau_s)                            of a current
//	P21(s) = s/tau exp(-s/tau) phi(d s)               of V by a current I, times R;  d = 1/tau_s - 1/tau
//	P20(s) = s²/tau exp(-s/tau) psi(d s)              of V by the rise y of an alpha current, times R
//
// with phi(x) = (1-exp(-x))/x and psi(x) = (phi(x)-exp(-x))/x, which are smooth at tau_s = tau.

func phi(x float64) float64 {
	if math.Abs(x) < 1e-300 {
		return 1
	}
	return -kernels.Expm1(-x) / x
}

// psiSeries is the |x| below which psi is summed as a series, whose terms then fall by more than 4.
const psiSeries = 0.5

func psi(x float64) float64 {
	if math.Abs(x) >= psiSeries {
		return (phi(x) - kernels.Exp(-x)) / x
	}
	sum, term := 0.0, 1.0
	for n := 0.0; n < 16; n++ {
		last := sum
		if sum += term / (n + 2); sum == last {
			break // nor do smaller terms change it
		}
		term *= -x / (n + 1)
	}
	return sum
}

func p21(s, tau, tauS float64) float64 { return p21Kept(s, tau, tauS, kernels.Exp(-s/tau)) }

func p20(s, tau, tauS float64) float64 { return p20Kept(s, tau, tauS, kernels.Exp(-s/tau)) }

// p21Kept and p20Kept are p21 and p20 with kept = exp(-s/tau).
func p21Kept(s, tau, tauS, kept float64) float64 { return s / tau * kept * phi((1/tauS-1/tau)*s) }

func p20Kept(s, tau, tauS, kept float64) float64 { return s * s / tau * kept * psi((1/tauS-1/tau)*s) }

// coefs is what an arrival of weight 1, left ms before the end of the step, adds to the accumulators of a target with
// membrane time constant tau: to V (delta); to the current at the step's end and to V/R (exp-current); to y and s at
// the step's end and to V/R (alpha-current). If tau is 0 it is meanCoefs.
func (r *receptor) coefs(left, tau, dt float64) (c [3]float64) {
	if tau == 0 {
		return r.meanCoefs(left, dt, r.width == 3)
	}
	switch r.kind {
	case Delta:
		c[0] = kernels.Exp(-left / tau)
	case ExpCurrent:
		c[0], c[1] = kernels.Exp(-left/r.tau), p21(left, tau, r.tau)
	case AlphaCurrent:
		e := math.E / r.tau
		c[0] = e * kernels.Exp(-left/r.tau)
		c[1], c[2] = c[0]*left, e*p20(left, tau, r.tau)
	}
	return c
}

// An arrival reaches a lane at theta (0 to 1) of the current step.
type arrival struct {
	lane     uint16
	receptor uint8
	theta    float64
	weight   float64
}

// lifSegment is LIF neurons of one segment: columns by lane of the segment.
type lifSegment struct {
	segment
	class                                 int
	vInf, keep, r, vTh, vReset, tau, hold []float64   // keep: 1-exp(-dt/tau); hold: t_ref in steps
	same                                  *lifNeuron  // of all neurons, if these parameters are alike; else nil
	receptors                             []int       // of its class
	p21, p20                              [][]float64 // R P21(dt), R P20(dt), by receptor of the segment
	grid                                  onGrid      // for Spec.OnGrid
	inside                                inside      // else
	noise                                 *lifNoise   // nil where there is no white noise
}

// lifNeuron is the parameters of one neuron, as in the columns of its segment.
type lifNeuron struct{ vInf, r, vTh, vReset, tau, hold float64 }

// neuron is the parameters of a neuron. Its columns are far from any cache between two of its events: where all neurons
// are alike they are not read.
func (s *lifSegment) neuron(i int) lifNeuron {
	if s.same != nil {
		return *s.same
	}
	return s.neuronOf(i)
}

func (s *lifSegment) neuronOf(i int) lifNeuron {
	return lifNeuron{s.vInf[i], s.r[i], s.vTh[i], s.vReset[i], s.tau[i], s.hold[i]}
}

func (r *shard) newLIF(seg segment) *lifSegment {
	l := r.net.layout
	p := &l.spec.Populations[seg.population]
	dt := l.spec.Dt
	s := &lifSegment{segment: seg, class: l.classOf[seg.population]}
	for _, c := range []*[]float64{&s.vInf, &s.keep, &s.r, &s.vTh, &s.vReset, &s.tau, &s.hold} {
		*c = make([]float64, seg.n)
	}
	for i := range l.receptors {
		if l.receptors[i].class == s.class && l.main[i] == i {
			s.receptors = append(s.receptors, i)
			s.p21, s.p20 = append(s.p21, make([]float64, seg.n)), append(s.p20, make([]float64, seg.n))
		}
	}
	at := func(name string, i int) float64 { return p.P[p.Model.Index(name)].At(i) }
	for i := range seg.n {
		g := seg.offset + i
		current := 0.0
		if p.I != nil {
			current = p.I.At(g)
		}
		s.r[i], s.tau[i], s.vTh[i], s.vReset[i] = at("R", g), at("tau", g), at("V_th", g), at("V_reset", g)
		s.vInf[i] = math.FMA(s.r[i], current, at("V_rest", g))
		s.keep[i] = -kernels.Expm1(-dt / s.tau[i])
		s.hold[i] = at("t_ref", g) / dt
		if l.spec.OnGrid {
			s.hold[i] = math.Round(s.hold[i])
		}
		for j, k := range s.receptors {
			if rc := &l.receptors[k]; rc.kind != Delta {
				s.p21[j][i] = s.r[i] * p21(dt, s.tau[i], rc.tau)
				s.p20[j][i] = s.r[i] * p20(dt, s.tau[i], rc.tau)
			}
		}
		lane := seg.base + i
		r.v[lane] = at("V_rest", g)
		if len(p.Start) > 0 && p.Start[0] != nil {
			r.v[lane] = p.Start[0].At(g)
		}
		r.startSynaptic(p, g, lane, s.receptors)
	}
	if seg.n > 0 && alike(s.vInf, s.r, s.vTh, s.vReset, s.tau, s.hold) {
		same := s.neuronOf(0)
		s.same = &same
	}
	s.makeNoise(r)
	if l.spec.OnGrid {
		s.makeOnGrid(r)
	} else {
		s.makeInside(r)
	}
	return s
}

// before is the state of a lane at the start of an event step.
type before struct {
	seg       *lifSegment
	lane      int
	v         float64
	at        int // of its synaptic variables in shard.synaptic: s and y for each receptor of the segment
	inVectors int // arrivals of inputs that are added in vectors: the last ones

	joined bool // whether the receptors are joined: it may have no event, see solveEvent
	step   joinedStep
	fall   float64 // as in joinedInside
}

// instant is the largest difference, in steps, between events that count as simultaneous: rounding makes equal times
// differ by less.
const instant = 1e-12

// maxSpikes is the largest number of spikes of a neuron in one step; more are an error.
const maxSpikes = 100000

// lifSolver solves an event step of one lane, from event to event by the closed form.
type lifSolver struct {
	seg    *lifSegment
	i      int
	neuron lifNeuron // vInf with the current of inputs
	dt     float64
	v      float64
	s, y   []float64
	rc     []*receptor
	noise  solverNoise
	order  timeOrder
	spans  spans

	inFlows bool // see alphaflow.go
	rates   alphaRates
}

// solve finishes step k of one lane, whose arrivals are given.
func (w *lifSolver) solve(r *shard, k int64, b *before, arrivals []arrival) error {
	l := r.net.layout
	s := b.seg
	i := b.lane - s.base
	w.seg, w.i, w.dt, w.v, w.neuron = s, i, l.spec.Dt, b.v, s.neuron(i)
	if r.current != nil {
		w.neuron.vInf = math.FMA(w.neuron.r, r.current[b.lane], w.neuron.vInf)
	}
	w.s, w.y, w.rc = w.s[:0], w.y[:0], w.rc[:0]
	for j, c := range s.receptors {
		w.s, w.y = append(w.s, r.synaptic[b.at+2*j]), append(w.y, r.synaptic[b.at+2*j+1])
		w.rc = append(w.rc, &l.receptors[c])
	}
	w.order.sort(arrivals)
	wake := max(0, r.wake[b.lane]-float64(k)) + 0 // part of the step at which V moves
	if wake > 0 {
		wake = r.wakeTheta[b.lane]
	}
	held := wake > 0
	noisy := r.white != nil && r.variance[b.lane] > 0
	if noisy {
		w.beginNoise(r, k, i, wake)
	}
	w.beginAlpha(l)
	w.beginSpans(r, arrivals, noisy)
	spikes, renewed := 0, true // since the last spike the noise is what beginNoise or renew has drawn
	fire := func(at float64) error {
		if spikes++; spikes > maxSpikes {
			return fmt.Errorf("neuron %d fires more than %d times in step %d", s.first+i, maxSpikes, k)
		}
		r.fire(s, i, at)
		w.v, renewed = w.neuron.vReset, false
		wake = at + w.neuron.hold
		held = w.neuron.hold > 0
		return nil
	}
	if k == 0 && !held && w.v >= w.neuron.vTh {
		if err := fire(0); err != nil {
			return err
		}
	}
	for t := 0.0; ; {
		// At the instant t: refractoriness ends, arrivals are added, the threshold is tested.
		if held && wake <= t+instant {
			held = false
		}
		for len(arrivals) > 0 && arrivals[0].theta <= t+instant {
			w.add(r, &arrivals[0], held)
			arrivals = arrivals[1:]
		}
		for !held && w.v >= w.neuron.vTh {
			if err := fire(t); err != nil {
				return err
			}
		}
		// From t to the next instant.
		to := 1.0
		if held {
			to = min(to, wake)
		}
		if reached, left := w.span(t, to, held, arrivals); reached > t {
			if t, arrivals = reached, left; t >= 1 {
				break
			}
			continue
		}
		if len(arrivals) > 0 {
			to = min(to, arrivals[0].theta)
		}
		if held {
			w.forward((to-t)*w.dt, true)
		} else if noisy {
			if !renewed {
				w.renew(r, k, t)
				renewed = true
			}
			var crossed bool
			if t, crossed = w.noisyForward(r, k, t, to); crossed {
				if err := fire(t); err != nil {
					return err
				}
			}
			if t < 1 {
				continue
			}
		} else if c := w.crossing((to - t) * w.dt); c >= 0 && t+c/w.dt < 1-instant {
			t = min(t+c/w.dt, to)
			w.forward(c, false)
			if err := fire(t); err != nil {
				return err
			}
			continue
		} else {
			w.forward((to-t)*w.dt, false)
		}
		if t = to; t >= 1 {
			break
		}
	}
	r.v[b.lane] = w.v
	if held {
		whole := math.Floor(wake)
		part := wake - whole
		if part > 1-instant {
			whole, part = whole+1, 0
		} else if part < instant {
			part = 0
		}
		r.wake[b.lane], r.wakeTheta[b.lane] = float64(k)+whole, part
		if part > 0 {
			r.wake[b.lane] += 0.5
		}
	} else {
		r.wake[b.lane] = 0
	}
	return nil
}

func (w *lifSolver) add(r *shard, a *arrival, held bool) {
	for j, c := range w.seg.receptors {
		if c != r.net.layout.main[a.receptor] {
			continue
		}
		switch w.rc[j].kind {
		case Delta:
			if !held {
				w.v += a.weight
			}
		case ExpCurrent:
			w.s[j] += a.weight
		case AlphaCurrent:
			w.y[j] += float64(a.weight * (math.E / w.rc[j].tau))
		}
	}
}

// ahead is V after t ms without events.
func (w *lifSolver) ahead(t float64) float64 {
	if w.inFlows {
		f := w.rates.flow(t)
		return f.v(&w.neuron, w.v, w.s[0], w.y[0])
	}
	tau := w.neuron.tau
	sum, kept := 0.0, kernels.Exp(-t/tau)
	for j, rc := range w.rc {
		if rc.kind != Delta {
			sum = math.FMA(w.s[j], p21Kept(t, tau, rc.tau, kept), sum)
			if rc.kind == AlphaCurrent {
				sum = math.FMA(w.y[j], p20Kept(t, tau, rc.tau, kept), sum)
			}
		}
	}
	return math.FMA(w.neuron.r, sum, math.FMA(-kernels.Expm1(-t/tau), w.neuron.vInf-w.v, w.v))
}

// forward moves V (unless held) and the synaptic variables by t ms without events.
func (w *lifSolver) forward(t float64, held bool) {
	if t == 0 {
		return
	}
	if w.inFlows {
		f := w.rates.flow(t)
		w.follow(&f, t, held)
		return
	}
	if !held {
		w.v = w.ahead(t)
	}
	for j, rc := range w.rc {
		if rc.kind == Delta {
			continue
		}
		p := kernels.Exp(-t / rc.tau)
		w.s[j] = p * math.FMA(t, w.y[j], w.s[j])
		w.y[j] *= p
	}
}

// crossing is the time (ms) after which V, now below the threshold, first reaches it, if that is within t ms; else -1.
// It advances in steps that cannot pass a crossing since |V”| has a bound: each is the least root s of V + V' s + bound
// s²/2 = V_th. Near a crossing these are Newton steps.
func (w *lifSolver) crossing(t float64) float64 {
	tau, r := w.neuron.tau, w.neuron.r
	vTh := w.neuron.vTh
	if w.neuron.vInf <= vTh && !slices.ContainsFunc(w.rc, func(rc *receptor) bool { return rc.kind != Delta }) {
		return -1 // V relaxes to V_inf
	}
	at := func(s float64) (v, slope, bound float64) {
		v = w.v // at s = 0 exactly what ahead gives
		var f alphaFlow
		switch {
		case s > 0 && w.inFlows:
			f = w.rates.flow(s)
			v = f.v(&w.neuron, w.v, w.s[0], w.y[0])
		case s > 0:
			v = w.ahead(s)
		}
		current, change := 0.0, 0.0
		for j, rc := range w.rc {
			if rc.kind == Delta {
				continue
			}
			p := 1.0
			switch {
			case s > 0 && w.inFlows:
				p = f.p11
			case s > 0:
				p = kernels.Exp(-s / rc.tau)
			}
			y := p * w.y[j]
			c := float64(p * math.FMA(s, w.y[j], w.s[j]))
			current += c
			change += math.Abs(y) + (math.Abs(c)+float64((t-s)*math.Abs(y)))/rc.tau
		}
		slope = (math.FMA(r, current, w.neuron.vInf) - v) / tau
		change = float64(change * math.Abs(r))
		return v, slope, (max(math.Abs(slope), change) + change) / tau
	}
	const (
		accuracy = 1e-15
		surely   = 1e-9 // more than rounding
	)
	s := 0.0
	for range 10000 {
		v, slope, bound := at(s)
		gap := vTh - v
		if gap <= 0 {
			return s
		}
		if most := max(slope, 0) + float64(bound*(t-s)/2); gap > float64(most*(t-s))*(1+surely) {
			return -1 // as the step found below would tell
		}
		root := math.Sqrt(math.FMA(slope, slope, 2*bound*gap))
		step := 2 * gap / (slope + root)
		if slope < 0 {
			step = (root - slope) / bound
		}
		if !(step <= t-s) {
			// Rounding at the very end may still pass the threshold.
			return -1
		}
		if slope > 0 && step <= accuracy*max(t, s) {
			return s + step
		}
		if step < accuracy*t {
			step = accuracy * t
		}
		s += step
	}
	return -1
}
