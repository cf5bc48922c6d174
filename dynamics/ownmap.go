package dynamics

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/cmplx"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// ownMap maps the state of a model of equations at the end of a refractory period to that at the end of the next. It is
// the reset map of such models, for any number of states that a reset does not set.
type ownMap struct {
	s       *system
	timeout float64     // ms, for a spike
	stable  [][]float64 // stable equilibria
	halt    func() error
}

var errSilent = errors.New("dynamics: no spike follows")

// newOwnMap is the map at the present parameters of s.
func newOwnMap(ctx context.Context, s *system) *ownMap {
	r := &ownMap{s: s, timeout: s.ownTimeout(), halt: ctx.Err}
	equilibria := FixedPoints(s.m, s.p, s.i)
	for _, f := range equilibria {
		if f.Stable {
			r.stable = append(r.stable, f.State)
		}
	}
	if len(equilibria) == 0 { // a spike follows, however slow the passage
		r.timeout *= 1000
	}
	return r
}

// ownTimeout is the time, ms, within which a spike must follow: a multiple of the slowest time constant at the start,
// within bounds.
func (s *system) ownTimeout() float64 {
	const shortest, longest = 1e3, 2e5
	y := make([]float64, s.dim())
	s.m.Initial(s.p, y)
	slowest := 0.0
	for _, l := range s.eigenvalues(y) {
		slowest = max(slowest, 1/cmplx.Abs(l))
	}
	return max(shortest, min(longest, silence*slowest)) // NaN gives shortest
}

// ownTurn is one turn of the map.
type ownTurn struct {
	to, reset []float64 // at the end of the refractory period, and at its beginning
	spike     []float64
	interval  float64   // ms, from spike to spike
	slope     []float64 // d×d: derivatives of to by the state before
}

// next maps y; ok is false if no spike follows.
func (r *ownMap) next(y []float64) (t ownTurn, ok bool, err error) {
	d := len(y)
	if len(r.stable) > 0 { // a run without derivatives finds out at less cost whether another spike follows
		if _, ok, err := r.toSpike(y); !ok {
			return t, false, err
		}
	}
	run, ok, err := r.toSpike(slices.Concat(y, identity(d)))
	if !ok {
		return t, false, err
	}
	t.spike, t.reset = run.spikes[0].State, slices.Clone(run.y[:d])
	t.interval = run.spikes[0].Time + run.tRef
	if run.free > run.t {
		if err := run.holdOwn(run.free); err != nil {
			return t, false, err
		}
	}
	t.to, t.slope = slices.Clone(run.y[:d]), slices.Clone(run.y[d:])
	return t, true, nil
}

// toSpike integrates from y, which may be followed by the variational matrix, through the next spike; ok is false if
// there is none.
func (r *ownMap) toSpike(y []float64) (run *runner, ok bool, err error) {
	const (
		arrived = 1e-9 // at an equilibrium, relative to 1 + the state
		counted = 2e5  // ms
	)
	s := r.s
	run = newRunner(s.m, s.p, y)
	run.i, run.most = s.i, 1
	steps, most := 0, mostSteps+int(10*min(r.timeout, counted))
	run.check = func() error {
		if steps++; steps > most {
			return errTooFast
		}
		for _, q := range r.stable {
			if away(q, run.y[:s.dim()]) < arrived {
				return errSilent
			}
		}
		if math.Abs(run.y[0]) > -escape*s.vUnit/membrane {
			return errEscaped
		}
		if steps%1024 == 0 {
			return r.halt()
		}
		return nil
	}
	switch err := run.run(r.timeout); {
	case errors.Is(err, errEscaped) || errors.Is(err, errStepTooSmall) || errors.Is(err, errNoReset) ||
		errors.Is(err, errSilent):
		return run, false, nil
	case err != nil:
		return run, false, fmt.Errorf("dynamics: no spike found from %.6g: %w", y[:s.dim()], err)
	}
	return run, len(run.spikes) > 0, nil
}

// afterHold is the state at the end of the refractory period after the reset to y.
func (r *ownMap) afterHold(y []float64) ([]float64, error) {
	run := newRunner(r.s.m, r.s.p, y)
	run.i = r.s.i
	err := run.holdOwn(run.tRef)
	return run.y, err
}

// ownOrbit is a periodic orbit of the map, from one of its states once around.
type ownOrbit struct {
	states, resets [][]float64
	intervals      []float64
	slope          []float64 // d×d, of one round
	end            []float64 // where the round ends
	top            float64   // the largest V at a spike
}

// round follows the map for n spikes from y.
func (r *ownMap) round(y []float64, n int) (c ownOrbit, ok bool, err error) {
	d := r.s.dim()
	c.slope, c.top = identity(d), math.Inf(-1)
	for range n {
		t, ok, err := r.next(y)
		if !ok {
			return c, false, err
		}
		c.states, c.resets = append(c.states, y), append(c.resets, t.reset)
		c.intervals = append(c.intervals, t.interval)
		slope := make([]float64, d*d)
		multiply(slope, t.slope, c.slope, d)
		c.slope, c.top = slope, max(c.top, t.spike[0])
		y = t.to
	}
	c.end = y
	// the reset that leads to the first state is the last of the round
	c.resets = append(c.resets[n-1:], c.resets[:n-1]...)
	return c, true, nil
}

// multipliers are those of the orbit, the largest modulus first.
func (c ownOrbit) multipliers() []complex128 { return byModulus(eigenvalues(c.slope, len(c.end))) }

// away is the largest difference of two states, relative to 1 + their size.
func away(a, b []float64) (worst float64) {
	for k := range a {
		worst = max(worst, math.Abs(a[k]-b[k])/(1+math.Abs(a[k])))
	}
	return worst
}

// periodic finds the state of period n, and of no part of it, next to y, by Newton's method.
func (r *ownMap) periodic(y []float64, n int) (c ownOrbit, ok bool, err error) {
	const same, near = 1e-12, 1e-9
	d := len(y)
	y = slices.Clone(y)
	before := math.Inf(1)
	for range 30 {
		if c, ok, err = r.round(y, n); !ok || err != nil {
			return c, false, err
		}
		a, b := mat.NewDense(d, d, nil), mat.NewVecDense(d, nil)
		for i := range d {
			for j := range d {
				a.Set(i, j, -c.slope[i*d+j])
			}
			a.Set(i, i, 1-c.slope[i*d+i])
			b.SetVec(i, c.end[i]-y[i])
		}
		var step mat.VecDense
		if err := step.SolveVec(a, b); err != nil && !errors.As(err, new(mat.Condition)) {
			return c, false, nil
		}
		size := 0.0
		for k := range d {
			size = max(size, math.Abs(step.AtVec(k))/(1+math.Abs(y[k])))
		}
		if math.IsNaN(size) || math.IsInf(size, 0) {
			return c, false, nil
		}
		if size <= same || size < near && size >= before/2 {
			return c, c.distinct(), nil
		}
		before = size
		for k := range d {
			y[k] += step.AtVec(k)
		}
	}
	return c, false, nil
}

// distinct reports whether the orbit is not one of a shorter period, run through several times.
func (c ownOrbit) distinct() bool {
	const same = 1e-7
	n := len(c.states)
	for part := 1; part <= n/2; part++ {
		if n%part == 0 && away(c.states[part], c.states[0]) < same {
			return false
		}
	}
	return true
}

// attractor is the orbit as the attractor of the neuron. The second state represents what survives the reset.
func (c ownOrbit) attractor() Attractor {
	n := len(c.states)
	a := Attractor{Period: n, Intervals: c.intervals, Lyapunov: math.Inf(-1), states: c.states}
	if c.slope != nil {
		if l := cmplx.Abs(c.multipliers()[0]); l > 0 {
			a.Lyapunov = math.Log(l) / float64(n)
		}
	}
	a.W, a.Resets = second(c.states), second(c.resets)
	span := 0.0
	for _, x := range c.intervals {
		span += x
	}
	a.Rate = 1000 * float64(n) / span
	return a
}

// second lists the second state of each; nil of models of one.
func second(states [][]float64) (list []float64) {
	for _, y := range states {
		if len(y) > 1 {
			list = append(list, y[1])
		}
	}
	return list
}

// attractor iterates the map from y until its attractor is identified, as ResetMap.Attractor does.
func (r *ownMap) attractor(y []float64, drop, keep int) (Attractor, error) {
	var all ownOrbit
	var exponents []float64
	d := len(y)
	direction := make([]float64, d) // that grows most
	for k := range direction {
		direction[k] = 1 / math.Sqrt(float64(d))
	}
	most := drop + keep
	reset := y
	for k := 0; k < most; k++ {
		if err := r.halt(); err != nil {
			return Attractor{}, err
		}
		t, ok, err := r.next(y)
		if !ok {
			return Attractor{Silent: true}, err
		}
		all.states, all.resets = append(all.states, y), append(all.resets, reset)
		all.intervals = append(all.intervals, t.interval)
		exponents = append(exponents, grow(t.slope, direction))
		y, reset = t.to, t.reset
		if n := k + 1; n == 8 || n == 32 || n == 100 || n == most {
			if c, ok, err := r.approached(append(slices.Clone(all.states), y)); err != nil {
				return Attractor{}, err
			} else if ok {
				return c.attractor(), nil
			}
		}
		if k+1 == most && keep >= leastKept && !irregular(exponents[min(drop, len(exponents)-1):]) && most < mostTurns {
			most = min(2*most, mostTurns)
		}
	}
	a := all.attractor()
	a.Period, a.Lyapunov = 0, 0
	kept := exponents[min(drop, len(exponents)-1):]
	for _, x := range kept {
		a.Lyapunov += x / float64(len(kept))
	}
	if a.Lyapunov < 0 || math.IsInf(a.Lyapunov, 0) {
		a.Lyapunov = math.NaN()
	}
	a.last(keep)
	a.states = a.states[len(a.states)-min(keep, len(a.states)):]
	return a, nil
}

// grow replaces the direction by its image, of length 1, and returns the logarithm of the factor by which it grew.
func grow(slope, direction []float64) float64 {
	d := len(direction)
	image, norm := make([]float64, d), 0.0
	for r := range d {
		for c := range d {
			image[r] += slope[r*d+c] * direction[c]
		}
		norm = math.Hypot(norm, image[r])
	}
	if norm > 0 {
		for k := range image {
			direction[k] = image[k] / norm
		}
	}
	return math.Log(norm)
}

// approached reports whether the orbit in states approaches a stable periodic one, and which: Newton's method is
// started from its end with those periods after which it returns close to itself. What it finds must be as near as the
// last round and the multipliers there show.
func (r *ownMap) approached(states [][]float64) (c ownOrbit, found bool, err error) {
	const near, tried, rounding = 0.03, 3, 1e-8
	end := len(states) - 1
	extent := make([]float64, len(states[end]))
	for _, y := range states[max(0, end-2*longestPeriod):] {
		for k := range y {
			extent[k] = max(extent[k], math.Abs(y[k]-states[end][k]))
		}
	}
	tries := 0
	for n := 1; n <= longestPeriod && 2*n < len(states) && tries < tried; n++ {
		apart, close := 0.0, true
		for k := range extent {
			x := math.Abs(states[end][k] - states[end-n][k])
			close = close && (x <= near*extent[k] || x <= 1e-3*(1+math.Abs(states[end][k])))
			apart = max(apart, x/(1+math.Abs(states[end][k])))
		}
		if !close {
			continue
		}
		tries++
		c, ok, err := r.periodic(states[end], n)
		if err != nil {
			return c, false, err
		}
		if !ok {
			continue
		}
		rho := cmplx.Abs(c.multipliers()[0])
		if rho < 1 && away(states[end], c.states[0]) < rounding+2*apart/(1-rho) {
			return c, true, nil
		}
	}
	return c, false, nil
}
