package dynamics

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"popsim/model"
)

// ResetMap maps the adaptation w (pA) at the end of one refractory period to that after the next. Its fixed points are
// regular firing, its cycles bursts, its chaotic orbits irregular firing.
type ResetMap struct {
	m *model.Model
	p []float64
	i float64

	escaped bool         // V has run away to ever lower values on a way to the next spike
	halt    func() error // called every haltEvery steps; an error ends the work; nil: never ends
}

// NewResetMap is the reset map of the model for input current i (pA). It is an error if no state of the model survives
// the reset, or if the parameters are invalid.
func NewResetMap(m *model.Model, p []float64, i float64) (*ResetMap, error) {
	if m.Fires != model.Reset || m.StateIndex("w") < 0 {
		return nil, fmt.Errorf("dynamics: %s has no variable that survives a reset, so it has no reset map", m.Name)
	}
	if err := m.Check(p); err != nil {
		return nil, err
	}
	return &ResetMap{m: m, p: slices.Clone(p), i: i}, nil
}

// Jump is one iteration of a reset map.
type Jump struct {
	W        float64 // pA, at the end of the refractory period
	Reset    float64 // pA, right after the spike
	Interval float64 // ms, from spike to spike
	Slope    float64 // of the map
}

// silence is the time after which a neuron without a spike counts as silent, in units of the slowest time constant.
const silence = 200

// escape is the V (mV) below which V is taken to diverge: equilibria of membranes lie far above it.
const escape = -1e7

var errEscaped = errors.New("dynamics: V runs away to ever lower values")

// starts lists values of w (pA) after a reset from which firing may persist though it does not from the w of V_reset.
// Below wTurn, the least w at which V stops rising before V_th, at least one spike follows. The list goes down from
// there in steps of b and of the w that changes V by delta_T, and then up, where V turns back and may come again.
func (r *ResetMap) starts() (list []float64) {
	at := func(name string) float64 { return r.p[r.m.Index(name)] }
	wTurn := r.i - (at("V_T")-at("V_rest")-at("delta_T"))/at("R")
	if at("V_reset") > at("V_T") { // V turns back at once, or not at all
		wTurn = r.i - (at("V_reset")-at("V_rest")-at("delta_T")*math.Exp((at("V_reset")-at("V_T"))/at("delta_T")))/at("R")
	}
	unit := max(math.Abs(at("b")), at("delta_T")/at("R"))
	held, kept := at("a")*(at("V_reset")-at("V_rest")), math.Exp(-at("t_ref")/at("tau_w"))
	for _, x := range []float64{-0.05, -0.5, -1, -2.5, -8, 0.5, 1, 2.5} {
		list = append(list, held+(wTurn+x*unit-held)/kept)
	}
	return list
}

// Next maps w; ok is false if no further spike follows, or the flow is too fast to be integrated to it.
func (r *ResetMap) Next(w float64) (jump Jump, ok bool) {
	jump, ok, _ = r.next(w)
	return jump, ok
}

// next is Next with an error if the integration to the next spike was given up.
//
// Between the lines V = V_reset and V = V_th, which the flow crosses with the speeds f0 and f1, areas grow like the
// exponential of the integrated divergence of the flow, so the slope is f0/f1 exp(∫ div dt).
func (r *ResetMap) next(w float64) (jump Jump, ok bool, err error) {
	at := func(name string) float64 { return r.p[r.m.Index(name)] }
	run := newRunner(r.m, r.p, []float64{at("V_reset"), w, 0})
	run.i, run.most = r.i, 1
	timeout := silence * max(at("tau"), at("tau_w"))
	if _, fold := run.shape.Fold(); r.i > fold { // no equilibrium: however slow the passage, a spike follows
		timeout *= 1000
	}
	const longest = 2e5 // ms; at an equilibrium a step takes a ms or more, and with time constants beyond a second many
	steps, most := 0, mostSteps+int(10*min(timeout, longest))
	run.check = func() error {
		if steps++; steps > most {
			return errTooFast
		}
		if run.y[0] < escape {
			return errEscaped
		}
		if steps%1024 == 0 && r.halt != nil {
			return r.halt()
		}
		return nil
	}
	if err := run.run(timeout); errors.Is(err, errEscaped) {
		r.escaped = true
		return jump, false, nil
	} else if errors.Is(err, errStepTooSmall) {
		return jump, false, nil
	} else if err != nil {
		return jump, false, fmt.Errorf("dynamics: no spike to be seen from w = %.6g pA: %w", w, err)
	}
	if len(run.spikes) == 0 {
		return jump, false, nil
	}
	spike := run.spikes[0]
	var before, after [3]float64
	run.field(0, []float64{at("V_reset"), w, 0}, before[:])
	run.field(0, spike.State, after[:])
	jump = Jump{
		W: run.y[1], Reset: run.y[1], Interval: spike.Time + at("t_ref"),
		Slope: before[0] / after[0] * math.Exp(spike.State[2]),
	}
	if at("t_ref") > 0 {
		run.hold(run.free)
		jump.W = run.y[1]
		jump.Slope *= math.Exp(-at("t_ref") / at("tau_w"))
	}
	return jump, true, nil
}

// MapPoint is a fixed point of a reset map: one spike after another at the same interval.
type MapPoint struct {
	W        float64 // pA, at the end of the refractory period
	Interval float64 // ms
	Slope    float64
	Stable   bool
}

// FixedPoints lists the fixed points of the map with w between lo and hi, ascending, as far as a scan of steps
// intervals separates them.
func (r *ResetMap) FixedPoints(lo, hi float64, steps int) (points []MapPoint) {
	last, lastGain := 0.0, math.NaN()
	for _, w := range spread(lo, hi, steps+1) {
		gain := math.NaN()
		if j, ok := r.Next(w); ok {
			gain = j.W - w
		}
		if !math.IsNaN(gain) && !math.IsNaN(lastGain) && (gain < 0) != (lastGain < 0) {
			x, j := r.fixedPoint(last, w, lastGain < 0)
			if math.Abs(j.W-x) < 1e-6*(1+math.Abs(x)) {
				points = append(points, MapPoint{x, j.Interval, j.Slope, math.Abs(j.Slope) < 1})
			}
		}
		last, lastGain = w, gain
	}
	return points
}

// fixedPoint solves for a fixed point between lo and hi; falls is whether the map of lo is below lo. It takes Newton
// steps, since next returns the slope too, and bisects where these leave the bracket. jump is the iteration from w.
func (r *ResetMap) fixedPoint(lo, hi float64, falls bool) (w float64, jump Jump) {
	const same = 1e-13 // relative to 1 + |w|; the map is known to little more
	w = lo + (hi-lo)/2
	for range 100 {
		j, ok := r.Next(w)
		gain := j.W - w
		if !ok {
			gain = math.NaN()
		}
		jump = j
		if gain < 0 == falls {
			lo = w
		} else {
			hi = w
		}
		next := w - gain/(j.Slope-1)
		if math.Abs(next-w) <= same*(1+math.Abs(w)) {
			break
		}
		if !(next > lo && next < hi) {
			next = lo + (hi-lo)/2
		}
		if next == lo || next == hi {
			break
		}
		w = next
	}
	return w, jump
}

// Attractor is an attractor of the map.
type Attractor struct {
	Silent    bool
	Period    int       // in spikes; 0 where no period was found among the spikes kept
	W         []float64 // pA at the ends of refractory periods, in order of time: one period, or all spikes kept
	Resets    []float64 // pA right after the same spikes, t_ref earlier
	Intervals []float64 // ms; Intervals[k] leads from W[k] to the next
	Rate      float64   // Hz
	Lyapunov  float64   // exponent per spike: the mean of ln |slope|; positive means chaos

	states [][]float64 // of a model of equations, at the ends of refractory periods: one period, or all spikes kept
}

// longestPeriod is the longest period, in spikes, that Attractor distinguishes from irregular firing.
const longestPeriod = 64

// mostTurns is the largest number of spikes of an orbit that are followed while neither Newton's method nor the
// exponent determines its attractor.
const mostTurns = 10_000

// leastKept is the least number of kept spikes for which the mean exponent is used; with fewer, no statistics are made.
const leastKept = 32

// Attractor iterates the map from a reset that leaves w (pA) until its attractor is known. The orbit is periodic when
// it repeats itself to rounding, or when it approaches a periodic point that Newton's method finds at the rate that the
// slope there gives. It is irregular when, after drop spikes, the mean exponent of at least keep spikes is positive by
// three standard errors. An orbit that is neither after mostTurns spikes has no period and the exponent NaN.
func (r *ResetMap) Attractor(ctx context.Context, w float64, drop, keep int) (Attractor, error) {
	const same = 1e-11 // relative to 1 + |w|
	r.halt = ctx.Err
	at := func(name string) float64 { return r.p[r.m.Index(name)] }
	held := at("a") * (at("V_reset") - at("V_rest")) // where w goes while V is held
	reset := w
	w = held + (reset-held)*math.Exp(-at("t_ref")/at("tau_w"))
	var ws, resets, intervals, slopes []float64
	most := drop + keep
	for k := 0; k < most; k++ {
		if ctx.Err() != nil {
			return Attractor{}, ctx.Err()
		}
		j, ok, err := r.next(w)
		if !ok {
			return Attractor{Silent: true}, err
		}
		ws, resets = append(ws, w), append(resets, reset)
		intervals, slopes = append(intervals, j.Interval), append(slopes, math.Log(math.Abs(j.Slope)))
		w, reset = j.W, j.Reset
		if period := repeats(ws, same); period > 0 && k > 8 {
			return settled(ws, resets, intervals, slopes, period), nil
		}
		if k+1 == 32 || k+1 == 100 || k+1 == most {
			a, found, err := r.approachesPeriodic(ws)
			if found || err != nil {
				return a, err
			}
		}
		if k+1 == most && keep >= leastKept && !irregular(slopes[min(drop, len(slopes)-1):]) && most < mostTurns {
			most = min(2*most, mostTurns)
		}
	}
	if period := repeats(ws, 1e-6); period > 0 { // close to a bifurcation the orbit settles slowly
		return settled(ws, resets, intervals, slopes, period), nil
	}
	kept := max(keep, len(ws)-drop)
	a := settled(ws, resets, intervals, slopes, min(kept, len(ws)))
	a.Period = 0
	if a.Lyapunov < 0 {
		a.Lyapunov = math.NaN()
	}
	a.last(keep)
	return a, nil
}

// last leaves the last n spikes of an irregular train in the lists; its rate and exponent stay those of all.
func (a *Attractor) last(n int) {
	if n = len(a.W) - n; n > 0 {
		a.W, a.Resets, a.Intervals = a.W[n:], a.Resets[n:], a.Intervals[n:]
	}
}

// irregular reports whether the mean of the exponents of an orbit is positive by three standard errors. Exponents of
// neighbours are correlated, so the error is that of means over blocks of 8 spikes.
func irregular(exponents []float64) bool {
	const block, errors = 8, 3
	var means []float64
	total := 0.0
	for k := 0; k+block <= len(exponents); k += block {
		mean := 0.0
		for _, x := range exponents[k : k+block] {
			mean += x / block
		}
		means = append(means, mean)
		total += mean
	}
	n := float64(len(means))
	mean, square := total/n, 0.0
	for _, x := range means {
		square += (x - mean) * (x - mean)
	}
	return n > 1 && mean > errors*math.Sqrt(square/(n*(n-1)))
}

// approachesPeriodic reports whether the orbit ws converges to a stable periodic point. It starts Newton's method from
// the end of the orbit, with the smallest period after which the orbit comes close to itself, and accepts the point if
// the last period has reduced the distance to it by the multiplier there, to within a tenth of the multiplier's
// difference from 1.
func (r *ResetMap) approachesPeriodic(ws []float64) (a Attractor, found bool, err error) {
	const (
		near  = 0.03 // of the extent of the orbit: apart by no more after a period
		tried = 3    // periods
		// An orbit as close to the point as this (relative to 1 + |w|) that comes closer still is accepted without that test:
		// next to a period doubling the rate of convergence is that of the multiplier only after thousands of spikes.
		closeBy = 1e-4
	)
	tail := ws[max(0, len(ws)-2*longestPeriod-1):]
	extent := slices.Max(tail) - slices.Min(tail)
	tries := 0
	for n := 1; n <= longestPeriod && 2*n < len(ws) && tries < tried; n++ {
		end := len(ws) - 1
		from, to := ws[end-n], ws[end]
		apart := 0.0
		for k := range n {
			apart = max(apart, math.Abs(ws[end-k]-ws[end-k-n]))
		}
		if apart > near*extent && apart > 1e-3*(1+math.Abs(to)) {
			continue
		}
		tries++
		c, ok, err := r.periodic(to, n)
		if err != nil {
			return a, false, err
		}
		if !ok || math.Abs(c.Multiplier) >= 1 {
			continue
		}
		point := c.W[0]
		ratio := (to - point) / (from - point)
		rounding := 1e-10 * (1 + math.Abs(point))
		nearer := math.Abs(to-point) < closeBy*(1+math.Abs(point)) && math.Abs(ratio) < 1
		if math.Abs(to-point) > rounding && !nearer &&
			!(math.Abs(ratio-c.Multiplier) < 0.1*(1-math.Abs(c.Multiplier))) {
			continue
		}
		return c.attractor(), true, nil
	}
	return a, false, nil
}

// mapOrbit is a periodic orbit of a reset map, from one of its points once around.
type mapOrbit struct {
	W, Resets, Intervals []float64
	Exponent             float64 // mean of ln |slope| per spike
	Multiplier           float64 // of one round
}

func (c mapOrbit) attractor() Attractor {
	a := Attractor{Period: len(c.W), W: c.W, Resets: c.Resets, Intervals: c.Intervals, Lyapunov: c.Exponent}
	span := 0.0
	for _, x := range c.Intervals {
		span += x
	}
	a.Rate = 1000 * float64(len(c.W)) / span
	return a
}

// round iterates the map n times from w; end is the last w.
func (r *ResetMap) round(w float64, n int) (c mapOrbit, end float64, ok bool, err error) {
	c = mapOrbit{Multiplier: 1}
	for range n {
		j, ok, err := r.next(w)
		if !ok {
			return c, w, false, err
		}
		c.W, c.Resets, c.Intervals = append(c.W, w), append(c.Resets, j.Reset), append(c.Intervals, j.Interval)
		c.Multiplier *= j.Slope
		c.Exponent += math.Log(math.Abs(j.Slope)) / float64(n)
		w = j.W
	}
	c.Resets = append(c.Resets[n-1:], c.Resets[:n-1]...) // the reset that leads to W[0] is the last of the round
	return c, w, true, nil
}

// periodic finds the point of period n (and of no divisor of n) nearest to w by Newton's method.
func (r *ResetMap) periodic(w float64, n int) (c mapOrbit, ok bool, err error) {
	const same = 1e-13 // relative to 1 + |w|
	before := math.Inf(1)
	for range 30 {
		var end float64
		if c, end, ok, err = r.round(w, n); !ok || err != nil {
			return c, false, err
		}
		step := (end - w) / (1 - c.Multiplier)
		size := math.Abs(step) / (1 + math.Abs(w))
		if math.IsNaN(step) || math.IsInf(step, 0) {
			return c, false, nil
		}
		if math.Abs(end-w) <= same*(1+math.Abs(w)) || size <= same || size < 1e-9 && size >= before/2 {
			return c, distinct(c.W), nil
		}
		before = size
		w += step
	}
	return c, false, nil
}

// repeats finds the smallest period with which the last two rounds of ws agree, or 0. An orbit that approaches its
// attractor alternating between two sides repeats itself after two periods before it does after one; a period is
// accepted only if its points are clearly distinct.
func repeats(ws []float64, same float64) int {
	apart := func(period int) (worst float64) {
		for k := len(ws) - period; k < len(ws); k++ {
			worst = max(worst, math.Abs(ws[k]-ws[k-period])/(1+math.Abs(ws[k])))
		}
		return worst
	}
	for period := 1; period <= longestPeriod && 2*period < len(ws); period++ {
		if apart(period) > same {
			continue
		}
		for part := 1; part <= period/2; part++ {
			if period%part == 0 && apart(part) < 1e4*same {
				return 0
			}
		}
		return period
	}
	return 0
}

func settled(ws, resets, intervals, slopes []float64, n int) Attractor {
	a := Attractor{Period: n, W: ws[len(ws)-n:], Resets: resets[len(ws)-n:], Intervals: intervals[len(ws)-n:]}
	span := 0.0
	for k, x := range a.Intervals {
		span += x
		a.Lyapunov += slopes[len(ws)-n+k] / float64(n)
	}
	a.Rate = 1000 * float64(n) / span
	return a
}
