package network

import (
	"fmt"
	"math"

	"popsim/kernels"
	"popsim/kernels/asm"
	"popsim/model"
)

// Tolerances of the steps inside an event step, per step: of V and w in their units, of gates. They are far below the
// errors of ordinary steps.
const (
	solverTolerance = 1e-9
	gateTolerance   = 1e-11
	splitLooser     = 1e7 // factor of the tolerance for strang-cn, whose own error in a step of the upstroke is larger
	// maxSubsteps is the largest number of substeps of a neuron in one step of the network; more are an error.
	maxSubsteps = 50000
)

// cellSolver solves a step of one lane of a coupledSegment from event to event, by the Runge-Kutta pair of Dormand &
// Prince of orders 5 and 4 with its continuous extension (Hairer, Nørsett & Wanner, Solving Ordinary Differential
// Equations I, II.5 and II.6), which locates threshold crossings inside a substep; of LIF by series (lifseries.go).
type cellSolver struct {
	o      *coupledSegment
	c      *cell
	l      int // lane of the segment
	n      int // states
	y      [4]float64
	s, x   []float64 // variables of the receptors: s and y of coupledReceptor
	extra  float64   // current of inputs
	level  float64   // V at which it fires; +Inf: not armed
	left   int       // substeps that may still be taken
	k      [7][4]float64
	next   [4]float64
	g, j   float64 // conductance and current at the time that slope is for
	gated  []blocked
	fixed  bool // they do not change with time
	series bool // V is solved by its series
	// Whether the first crossing of a call of integrate ends nothing, as V goes on: it is noted in passed, ms from the
	// begin of the call; -1: none. The level is as it was left afterwards.
	passing bool
	passed  float64
	spikes  int
	order   timeOrder
	powers  powers
}

// begin loads the state of lane l at the start of a step.
func (w *cellSolver) begin(r *shard, o *coupledSegment, l int) {
	w.o, w.c, w.l, w.n = o, o.cell, l, o.cell.states
	w.y = o.cell.state(o, l)
	w.s, w.x = w.s[:0], w.x[:0]
	for j := range o.receptors {
		s, x := 0.0, 0.0
		switch q := &o.receptors[j]; q.kind {
		case Delta:
		case NMDA: // the line over the step: value and slope
			s, x = math.FMA(-0.5, q.tilt[l], q.mean[l]), q.tilt[l]/o.cell.dt
		default:
			s, x = q.s[l], q.y[l]
		}
		w.s, w.x = append(w.s, s), append(w.x, x)
	}
	w.extra, w.left, w.spikes, w.series = 0, maxSubsteps, 0, o.cell.inSeries() && len(o.gated) == 0
	if r.current != nil {
		w.extra = r.current[o.base+l]
	}
	w.level = o.cell.vTh[l]
	if o.level != nil {
		w.level = o.level[l]
	}
}

// solve finishes step k of lane l, whose arrivals are given.
func (w *cellSolver) solve(r *shard, o *coupledSegment, k int64, l int, arrivals []arrival) error {
	w.begin(r, o, l)
	c := w.c
	w.order.sort(arrivals)
	wake := 0.0 // part of the step at which V moves; of timed models, at which the next spike may come
	if o.wake != nil && o.wake[l] >= float64(k) {
		wake = o.wake[l] - float64(k) + o.wakeTheta[l]
	}
	held := c.resets && wake > 0
	waiting := c.timed && o.wake[l] >= float64(k)
	w.passing, w.passed = !c.resets && (!c.timed || c.hold[l] >= 1), -1
	fire := func(at float64) error {
		if w.spikes++; w.spikes > maxSpikes {
			return fmt.Errorf("neuron %d fires more than %d times in step %d", o.first+l, maxSpikes, k)
		}
		o.fire(r, l, at)
		if !c.resets {
			w.level = math.Inf(1)
			if waiting = c.timed; waiting {
				wake = at + c.hold[l]
			}
			return nil
		}
		w.y[0] = c.vReset[l]
		if c.exponential {
			w.y[1] += c.b[l]
		}
		wake = at + c.hold[l]
		held = c.hold[l] > 0
		return nil
	}
	for t := 0.0; ; {
		// At the instant t: refractoriness ends, arrivals are added, the threshold is tested.
		if held && wake <= t+instant {
			held = false
		}
		if waiting && wake <= t+instant {
			waiting, w.level = false, c.vTh[l]
		}
		for len(arrivals) > 0 && arrivals[0].theta <= t+instant {
			w.add(&arrivals[0], held)
			arrivals = arrivals[1:]
		}
		for !held && w.y[0] >= w.level {
			if err := fire(t); err != nil {
				return err
			}
		}
		if !(math.Abs(w.y[0]) < blownUp) {
			break // end reports it
		}
		to := 1.0
		if len(arrivals) > 0 {
			to = min(to, arrivals[0].theta)
		}
		if waiting {
			to = min(to, wake)
		}
		if held {
			to = min(to, wake)
			w.hold((to - t) * c.dt)
			t = to
		} else {
			done, crossed := w.integrate((to - t) * c.dt)
			if w.left <= 0 {
				return o.tooFast(r, k, l, w.s, w.x)
			}
			if w.passed >= 0 {
				level := w.level // may have been armed since
				if err := fire(min(t+w.passed/c.dt, to)); err != nil {
					return err
				}
				w.passed, w.level = -1, level
			}
			if crossed {
				t = min(t+done/c.dt, to)
				if t < 1-instant {
					if err := fire(t); err != nil {
						return err
					}
					continue
				}
			} else {
				t = to
			}
		}
		if t >= 1-instant {
			break
		}
	}
	return w.end(r, k, held || waiting, wake)
}

// end stores the state of the lane after step k; wake is when refractoriness ends, if it lasts.
func (w *cellSolver) end(r *shard, k int64, lasts bool, wake float64) error {
	o, c, l := w.o, w.c, w.l
	c.enter(o, l, &w.y, c.dt)
	if !(math.Abs(w.y[0]) < blownUp) {
		return o.fault(r, k, l, w.s, w.x)
	}
	if !c.resets {
		o.level[l] = w.level
	}
	if o.wake == nil {
		return nil
	}
	o.setWake(l, 0, 0)
	if lasts {
		o.holdTo(l, k, wake)
	}
	return nil
}

// add applies an arrival.
func (w *cellSolver) add(a *arrival, held bool) {
	for j := range w.o.receptors {
		q := &w.o.receptors[j]
		if q.c != int(a.receptor) {
			continue
		}
		switch q.kind {
		case Delta:
			if !held {
				w.y[0] += a.weight
				w.rearm()
			}
		case ExpCurrent, ExpConductance:
			w.s[j] += a.weight
		case AlphaCurrent, AlphaConductance:
			w.x[j] += float64(a.weight * (math.E / q.tau))
		case BiexpConductance:
			w.s[j] += float64(a.weight * q.peak)
			w.x[j] += float64(a.weight * q.peak)
		}
		return
	}
}

// rearm arms the level of a model that fires by crossing it once V has fallen far enough.
func (w *cellSolver) rearm() {
	if !w.c.resets && !w.c.timed && w.y[0] < w.c.vTh[w.l]-model.Rearm {
		w.level = w.c.vTh[w.l]
	}
}

// hold advances everything but V by t ms.
func (w *cellSolver) hold(t float64) {
	w.decay(t)
	if w.c.exponential && w.n == 2 {
		goal := float64(w.c.a[w.l] * (w.y[0] - w.c.vRest[w.l]))
		w.y[1] = math.FMA(kernels.Exp(-t*w.c.wRate[w.l]), w.y[1]-goal, goal)
	}
}

// decay advances the variables of the receptors by t ms.
func (w *cellSolver) decay(t float64) {
	for j := range w.o.receptors {
		q := &w.o.receptors[j]
		switch q.kind {
		case ExpCurrent, ExpConductance:
			w.s[j] *= kernels.Exp(-t / q.tau)
		case AlphaCurrent, AlphaConductance:
			p := kernels.Exp(-t / q.tau)
			w.s[j] = p * math.FMA(t, w.x[j], w.s[j])
			w.x[j] *= p
		case BiexpConductance:
			w.s[j] *= kernels.Exp(-t / q.tau)
			w.x[j] *= kernels.Exp(-t / q.rise)
		case NMDA:
			w.s[j] = math.FMA(w.x[j], t, w.s[j])
		}
	}
}

// inputAt sets the conductance and the current t ms after the time of the receptors' variables.
func (w *cellSolver) inputAt(t float64) {
	if w.fixed {
		return
	}
	w.g, w.j, w.gated = 0, w.extra, w.gated[:0]
	for i := range w.o.receptors {
		q := &w.o.receptors[i]
		x := 0.0
		switch q.kind {
		case Delta:
			continue
		case NMDA:
			w.gated = append(w.gated, blocked{math.FMA(w.x[i], t, w.s[i]), q.e, q.mg})
			continue
		case ExpCurrent, ExpConductance:
			x = float64(w.s[i] * kernels.Exp(-t/q.tau))
		case AlphaCurrent, AlphaConductance:
			x = float64(kernels.Exp(-t/q.tau) * math.FMA(t, w.x[i], w.s[i]))
		case BiexpConductance:
			x = math.FMA(-w.x[i], kernels.Exp(-t/q.rise), float64(w.s[i]*kernels.Exp(-t/q.tau)))
		}
		if q.current {
			w.j += x
		} else {
			w.g += x
			w.j = math.FMA(q.e, x, w.j)
		}
	}
}

// The tableau of Dormand & Prince.
var (
	dopriC = [7]float64{0, 1.0 / 5, 3.0 / 10, 4.0 / 5, 8.0 / 9, 1, 1}
	dopriA = [7][6]float64{
		{},
		{1.0 / 5},
		{3.0 / 40, 9.0 / 40},
		{44.0 / 45, -56.0 / 15, 32.0 / 9},
		{19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729},
		{9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656},
		{35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84},
	}
	dopriE = [7]float64{71.0 / 57600, 0, -71.0 / 16695, 71.0 / 1920, -17253.0 / 339200, 22.0 / 525, -1.0 / 40}
	dopriD = [7]float64{
		-12715105075.0 / 11282082432, 0, 87487479700.0 / 32700410799, -10690763975.0 / 1880347072,
		701980252875.0 / 199316789632, -1453857185.0 / 822651844, 69997945.0 / 29380423,
	}
)

// integrate advances the lane by t ms without events, or up to the first crossing of the level; done is the time
// advanced, ms.
func (w *cellSolver) integrate(t float64) (done float64, crossed bool) {
	if w.series {
		return w.integrateSeries(t)
	}
	h := t
	fresh := true
	for done < t {
		if w.left--; w.left <= 0 {
			return done, false
		}
		last := h >= t-done
		if last {
			h = t - done
		}
		if fresh {
			w.inputAt(0)
			w.k[0] = w.c.slope(w.l, w.g, w.j, w.gated, &w.y)
		}
		size := w.try(h)
		if !(size <= 1) { // NaN among them
			factor := 0.2
			if size < 1e6 {
				factor = max(0.2, 0.9*fifthRoot(1/size))
			}
			h *= factor
			fresh = false
			continue
		}
		if at := w.reach(h); at >= 0 && w.passing && w.passed < 0 {
			w.passed, w.level = done+float64(at*h), math.Inf(1)
		} else if at >= 0 {
			w.y = w.between(h, at)
			w.y[0] = w.level
			w.decay(at * h)
			return done + float64(at*h), true
		}
		w.y = w.next
		w.k[0] = w.k[6]
		w.rearm()
		w.decay(h)
		fresh = false
		if done += h; last {
			done = t
		}
		h *= min(5, 0.9*fifthRoot(1/max(size, 1e-5)))
	}
	return t, false
}

// fifthRoot approximates x^(1/5): the length of a substep need not be exact, but must have the same bits everywhere.
func fifthRoot(x float64) float64 { return kernels.Exp(0.2 * kernels.Log1p(x-1)) }

// try computes a substep of h ms from w.y, with w.k[0] the slope there, and returns its error in units of the
// tolerance.
func (w *cellSolver) try(h float64) float64 {
	n := w.n
	var y [4]float64
	for s := 1; s < 7; s++ {
		for i := range n {
			sum := 0.0
			for j := range s {
				sum = math.FMA(dopriA[s][j], w.k[j][i], sum)
			}
			y[i] = math.FMA(h, sum, w.y[i])
		}
		if s < 6 {
			w.inputAt(dopriC[s] * h)
		}
		w.k[s] = w.c.slope(w.l, w.g, w.j, w.gated, &y)
	}
	w.next = y
	size := 0.0
	for i := range n {
		e := 0.0
		for j := range w.k {
			e = math.FMA(dopriE[j], w.k[j][i], e)
		}
		e = math.Abs(h*e) / w.tolerance(i)
		if !(e <= size) {
			size = e
		}
	}
	return size
}

// tolerance is the largest error allowed in state i of a substep.
func (w *cellSolver) tolerance(i int) float64 {
	looser := 1.0
	if w.c.split {
		looser = splitLooser
	}
	if i == 0 || w.c.exponential {
		return looser * solverTolerance * max(1, 1e-3*math.Abs(w.y[i]))
	}
	return looser * gateTolerance
}

// between is the state at the fraction x of the substep of h ms that try computed.
func (w *cellSolver) between(h, x float64) (y [4]float64) {
	for i := range w.n {
		y[i] = w.extension(h, i).at(x)
	}
	return y
}

// extension is a continuous extension of order 4 over a substep.
type extension [5]float64

func (w *cellSolver) extension(h float64, i int) extension {
	rise := w.next[i] - w.y[i]
	bend := math.FMA(h, w.k[0][i], -rise)
	sum := 0.0
	for j := range w.k {
		sum = math.FMA(dopriD[j], w.k[j][i], sum)
	}
	return extension{w.y[i], rise, bend, math.FMA(-h, w.k[6][i], rise) - bend, h * sum}
}

func (e extension) at(x float64) float64 {
	z := 1 - x
	return math.FMA(x, math.FMA(z, math.FMA(x, math.FMA(z, e[4], e[3]), e[2]), e[1]), e[0])
}

// reach is the fraction of the substep of h ms at which V first reaches the level, -1 if it does not.
func (w *cellSolver) reach(h float64) float64 {
	if math.IsInf(w.level, 1) {
		return -1
	}
	up, end := w.k[0][0], w.k[6][0]
	hi := 1.0
	var e extension
	if w.next[0] < w.level {
		// V may have risen above the level and come back.
		if !(up > 0 && end < 0) || math.FMA(h, up, w.y[0]) < w.level {
			return -1
		}
		e = w.extension(h, 0)
		hi = e.top()
		if e.at(hi) < w.level {
			return -1
		}
	} else {
		e = w.extension(h, 0)
	}
	// The Illinois form of the secant method, which keeps the crossing between lo and hi.
	lo, side := 0.0, 0
	below, above := e.at(0)-w.level, e.at(hi)-w.level
	last := hi
	for range 60 {
		x := hi - float64(above*(hi-lo))/(above-below)
		if !(x > lo && x < hi) {
			x = float64(0.5 * (lo + hi))
		}
		f := e.at(x) - w.level
		if f < 0 {
			if lo, below = x, f; side < 0 {
				above *= 0.5
			}
			side = -1
		} else {
			if hi, above = x, f; side > 0 {
				below *= 0.5
			}
			side = 1
		}
		if math.Abs(x-last) < 1e-15 || f == 0 || hi-lo < 1e-15 {
			return x
		}
		last = x
	}
	return hi
}

// top is the argument of the maximum of the extension, which rises at 0 and falls at 1.
func (e extension) top() float64 {
	const golden = 0.6180339887498949
	lo, hi := 0.0, 1.0
	a, b := 1-golden, golden
	for range 50 {
		if e.at(a) < e.at(b) {
			lo, a = a, b
			b = math.FMA(golden, hi-lo, lo)
		} else {
			hi, b = b, a
			a = math.FMA(-golden, hi-lo, hi)
		}
	}
	return float64(0.5 * (lo + hi))
}

// free sets place at of next to the state of lane l after a step on the grid, with the means g and j and without
// events; the upstroke of eif and adex ends at V_th.
func (w *cellSolver) free(r *shard, o *coupledSegment, l int, g, j float64, next *[4]*asm.Column, at int) {
	w.begin(r, o, l)
	if w.level = math.Inf(1); w.c.exponential {
		w.level = w.c.vTh[l]
	}
	w.g, w.j, w.gated, w.fixed = g, j, append(w.gated[:0], o.blocked(l, 0)...), true
	w.series, w.passing = false, false
	if math.Abs(w.y[0]) < blownUp {
		w.integrate(w.c.dt)
	}
	w.fixed = false
	for i := range w.n {
		next[i][at] = w.y[i]
	}
}
