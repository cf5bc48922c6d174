package dynamics

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// ownFiringAt is FiringAt for a model of equations: from the reset that follows the state at the start of the model
// and, if that leads to silence, from other values of the second state.
func (s *system) ownFiringAt(ctx context.Context, value float64, drop, keep int, w []float64) (Firing, error) {
	f := Firing{Parameter: value, VMin: s.m.ResetTo(s.p), VMax: s.threshold(), Multiplier: math.NaN()}
	f.Silent = true
	r := newOwnMap(ctx, s)
	starts := s.ownStarts(w)
	for k := 0; k < len(starts) && f.Silent; k++ {
		y, err := r.afterHold(starts[k])
		if err != nil {
			return f, err
		}
		if f.Attractor, err = r.attractor(y, drop, keep); err != nil {
			return f, err
		}
	}
	if f.Silent {
		return f, nil
	}
	if f.Period > 0 {
		c, ok, err := r.round(f.states[0], f.Period)
		if err != nil {
			return f, err
		}
		if ok {
			f.Multiplier = real(c.multipliers()[0])
			if math.IsInf(f.VMax, 1) {
				f.VMax = c.top
			}
		}
	}
	f.VMin = math.Inf(1)
	for k, y := range f.states {
		low, err := s.lowestFrom(y, f.Intervals[k])
		if err != nil {
			return f, err
		}
		f.VMin = min(f.VMin, low)
	}
	return f, nil
}

// ownStarts lists states right after a reset from which firing may persist: that after a reset from the start of the
// model, the same with the second state from w, and with the second state raised and lowered by multiples of its jump.
func (s *system) ownStarts(w []float64) (list [][]float64) {
	y, to := make([]float64, s.dim()), make([]float64, s.dim())
	s.m.Initial(s.p, y)
	if top := s.threshold(); !math.IsInf(top, 1) {
		y[0] = top
	}
	s.m.Spikes.Jump(s.p, y, to)
	list = append(list, to)
	if s.dim() == 1 {
		return list
	}
	jump := max(math.Abs(to[1]-y[1]), 1e-3*(1+math.Abs(y[1])))
	for _, x := range []float64{-1, 1, -2.5, 2.5, -8, 8} {
		w = append(slices.Clip(w), to[1]+x*jump)
	}
	for _, x := range w {
		z := slices.Clone(to)
		z[1] = x
		list = append(list, z)
	}
	return list
}

// ownPoints is mapPoints for a model of equations.
func (s *system) ownPoints(ctx context.Context, list []Firing, side, other int) (points []FiringPoint, err error) {
	from, to := list[side], list[other]
	n := from.Period
	if n == 0 {
		return nil, nil
	}
	for _, multiplier := range []float64{-1, 1} {
		if multiplier == -1 && to.Period > 0 && to.Period != 2*n || multiplier == 1 && to.Period == 2*n {
			continue
		}
		mu, orbit, ok, err := s.ownLoss(ctx, from, to.Parameter, multiplier)
		if err == nil && !ok {
			var near Firing
			var beyond float64
			if near, beyond, err = s.ownNearLoss(ctx, from, to.Parameter); err == nil {
				mu, orbit, ok, err = s.ownLoss(ctx, near, beyond, multiplier)
			}
		}
		if err != nil {
			return points, err
		}
		if ok {
			points = append(points, FiringPoint{mapPoint(multiplier, mu, from.VMax, orbit.intervals), side, n})
		}
	}
	return points, nil
}

// mapPoint is the point at which a periodic orbit of a reset map with the given intervals loses its stability.
func mapPoint(multiplier, mu, vMax float64, intervals []float64) Point {
	label, note := PeriodDoubling, "of the reset map"
	if multiplier == 1 {
		label, note = CycleFold, "tangent bifurcation of the reset map"
	}
	q := newPoint(label, mu, vMax)
	q.Period = 0
	for _, x := range intervals {
		q.Period += x
	}
	q.Frequency, q.Note = 1000/q.Period, fmt.Sprintf("%s, %d spikes per period", note, len(intervals))
	return q
}

// ownNearLoss is nearLoss for a model of equations.
func (s *system) ownNearLoss(ctx context.Context, from Firing, to float64) (near Firing, beyond float64, err error) {
	return s.continueStable(from, to, func(near Firing) (a Attractor, multiplier float64, ok bool, err error) {
		c, ok, err := newOwnMap(ctx, s).periodic(near.states[0], from.Period)
		if !ok || err != nil {
			return a, 0, false, err
		}
		l := c.multipliers()[0]
		return c.attractor(), math.Hypot(real(l), imag(l)), true, nil
	})
}

// lossEquations are the equations at which a periodic orbit of so many spikes loses its stability: one round maps the
// state to itself, and det(M - multiplier) = 0, with M the derivatives of the round.
type lossEquations struct {
	s          *system
	spikes     int
	multiplier float64
}

// at evaluates them at a value of the parameter and a state; ok is false where there is no such round.
func (e lossEquations) at(ctx context.Context, mu float64, y []float64) (c ownOrbit, g []float64, ok bool, err error) {
	if e.s.at(mu); e.s.m.Check(e.s.p) != nil {
		return c, nil, false, nil
	}
	c, ok, err = newOwnMap(ctx, e.s).round(y, e.spikes)
	if !ok || err != nil {
		return c, nil, false, err
	}
	d := len(y)
	shifted := slices.Clone(c.slope)
	for k := range d {
		g = append(g, c.end[k]-y[k])
		shifted[k*d+k] -= e.multiplier
	}
	return c, append(g, det(shifted, d)), true, nil
}

// slopes are their derivatives by the states and, in the last column, by the parameter, by differences over 1e-6 of a
// state and over width of the parameter.
func (e lossEquations) slopes(ctx context.Context, mu float64, y []float64, width float64) (jac *mat.Dense, ok bool,
	err error,
) {
	d := len(y)
	jac = mat.NewDense(d+1, d+1, nil)
	for c := range d + 1 {
		h := width
		if c < d {
			h = 1e-6 * (1 + math.Abs(y[c]))
		}
		var side [2][]float64
		for k, x := range []float64{h, -h} {
			z, m := slices.Clone(y), mu
			if c < d {
				z[c] += x
			} else {
				m += x
			}
			if _, side[k], ok, err = e.at(ctx, m, z); !ok || err != nil {
				return nil, false, err
			}
		}
		for r := range d + 1 {
			jac.Set(r, c, (side[0][r]-side[1][r])/(2*h))
		}
	}
	return jac, true, nil
}

// ownLoss is stabilityLoss for a model of equations: Newton's method on the state and the parameter.
func (s *system) ownLoss(ctx context.Context, from Firing, to, multiplier float64) (mu float64, orbit ownOrbit, ok bool,
	err error,
) {
	const (
		same   = 1e-11 // of the parameter, relative to 1 + |mu|
		beyond = 0.05  // of the gap: by how much the solution may lie outside
		rounds = 30
	)
	d := s.dim()
	e := lossEquations{s, from.Period, multiplier}
	gap := to - from.Parameter
	mu = from.Parameter
	y := slices.Clone(from.states[0])
	last := math.Inf(1)
	for range rounds {
		var g []float64
		if orbit, g, ok, err = e.at(ctx, mu, y); !ok || err != nil {
			return mu, orbit, false, err
		}
		jac, ok, err := e.slopes(ctx, mu, y, 1e-3*math.Abs(gap))
		if !ok || err != nil {
			return mu, orbit, false, err
		}
		var step mat.VecDense
		if err := step.SolveVec(jac, mat.NewVecDense(d+1, g)); err != nil && !errors.As(err, new(mat.Condition)) {
			return mu, orbit, false, nil
		}
		part := 1.0
		dmu := step.AtVec(d)
		if limit := 2 * math.Abs(gap); math.Abs(dmu) > limit {
			part = limit / math.Abs(dmu)
		}
		if math.IsNaN(dmu) {
			return mu, orbit, false, nil
		}
		for k := range d {
			y[k] -= part * step.AtVec(k)
		}
		mu -= part * dmu
		if size := math.Abs(part*dmu) / (1 + math.Abs(mu)); size <= same || size < 1e-8 && size >= last/2 {
			way := (mu - from.Parameter) / gap
			return mu, orbit, way > -beyond && way < 1+beyond && orbit.distinct(), nil
		} else {
			last = size
		}
	}
	return mu, orbit, false, nil
}
