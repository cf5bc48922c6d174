package dynamics

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"popsim/model"
)

// Onset is the label of a point where spiking by reset begins or ends.
const Onset = "onset"

// FiringPoint is a special point of spiking by reset. Firing is the index of an adjacent train in the list from which
// it was made.
type FiringPoint struct {
	Point
	Firing int
	Spikes int // per period, of an orbit that loses its stability
}

// FiringPoints lists the special points of the trains in list, which FiringCurve made with the same arguments: the
// values of the parameter at which firing begins or ends, and those at which a periodic orbit of the reset map loses
// its stability: period doublings (multiplier -1) and tangent bifurcations (multiplier 1, label cycle-fold).
func FiringPoints(ctx context.Context, m *model.Model, p []float64, i float64, free Free,
	list []Firing,
) (points []FiringPoint, err error) {
	s := newSystem(m, p, i, free.Name)
	last := -1 // the last train before with a known attractor
	for k, b := range list {
		if !b.Silent && b.Period == 0 && math.IsNaN(b.Lyapunov) {
			continue
		}
		if last < 0 {
			last = k
			continue
		}
		a := list[last]
		switch {
		case a.Silent != b.Silent:
			points = append(points, s.onset(list, last, k))
		case a.Silent || a.Period == b.Period || s.dim() == 1:
		default:
			for _, side := range [2][2]int{{last, k}, {k, last}} {
				found, err := s.mapPoints(ctx, list, side[0], side[1])
				if err != nil {
					return points, err
				}
				points = append(points, found...)
			}
		}
		last = k
	}
	slices.SortStableFunc(points, func(a, b FiringPoint) int { return cmp.Compare(a.Parameter, b.Parameter) })
	return withoutRepeats(points, 1e-7*(free.Hi-free.Lo)), nil
}

// withoutRepeats leaves out what was found from both sides: a point within same of another of its kind, and tangent
// bifurcations of the orbit that is born at a period doubling, for there it merges with itself.
func withoutRepeats(points []FiringPoint, same float64) (list []FiringPoint) {
	for _, q := range points {
		again := slices.ContainsFunc(list, func(x FiringPoint) bool {
			return x.Label == q.Label && x.Spikes == q.Spikes && math.Abs(x.Parameter-q.Parameter) < same
		})
		born := q.Label == CycleFold && slices.ContainsFunc(points, func(x FiringPoint) bool {
			return x.Label == PeriodDoubling && 2*x.Spikes == q.Spikes && math.Abs(x.Parameter-q.Parameter) < 10*same
		})
		if !again && !born {
			list = append(list, q)
		}
	}
	return list
}

// onset is the point where firing begins or ends between list[last] and list[k]: in closed form where there is one,
// else the middle.
func (s *system) onset(list []Firing, last, k int) FiringPoint {
	lo, hi := list[last].Parameter, list[k].Parameter
	firing := k
	if list[k].Silent {
		firing = last
	}
	// At the onset itself the period, which has a singularity there, is dominated by rounding; the rows beyond give it.
	q := newPoint(Onset, (lo+hi)/2, list[firing].VMax)
	q.Note = fmt.Sprintf("firing begins or ends; known to %.1g", (hi-lo)/2)
	if x, note, ok := s.closedOnset(lo, hi); ok {
		q.Parameter, q.Note = x, "firing begins or ends; "+note
	}
	return FiringPoint{Point: q, Firing: firing}
}

// closedOnset is the value of the free parameter between lo and hi at which the neuron begins to fire, where there is a
// closed form: LIF fires when its steady V reaches V_th; EIF when its equilibria have met, or the upper one lies below
// V_reset; AdEx, if its equilibrium is stable up to the fold, at the fold, since there is no other attractor beyond.
func (s *system) closedOnset(lo, hi float64) (x float64, note string, ok bool) {
	excess := func(mu float64) float64 { // of the current over that of the onset, in mV
		s.at(mu)
		if s.m == model.LIFModel {
			q := model.LIFOf(s.p)
			note = "V_rest + R I = V_th"
			return q.R*s.i - (q.VTh - q.VRest)
		}
		e, err := NewExponential(s.m, s.p)
		if err != nil {
			return math.NaN()
		}
		_, i := e.Fold()
		note = "the fold of equilibria"
		if s.m == model.EIFModel {
			if reset := s.p[s.m.Index("V_reset")]; reset > e.VT {
				i = (reset - e.VRest - e.DeltaT*math.Exp((reset-e.VT)/e.DeltaT)) / e.R
				note = "V_reset is the upper equilibrium"
			}
		} else if _, _, _, hopf := e.Hopf(); hopf || e.g <= 0 {
			return math.NaN()
		}
		return e.R * (s.i - i)
	}
	a, b := excess(lo), excess(hi)
	if !(a <= 0 && b >= 0 || a >= 0 && b <= 0) {
		return 0, "", false
	}
	x = root(excess, lo, hi)
	if s.index < 0 { // the current is alone on one side of the equation: no search is needed
		s.at(0)
		x = Rheobase(s.m, s.p)
		if s.m == model.EIFModel {
			x = -excess(0) / s.p[s.m.Index("R")]
		}
	}
	excess(x)
	return x, note, !math.IsNaN(x)
}

// mapPoints finds where the periodic orbit of list[side] loses its stability between it and the adjacent list[other],
// whose period differs.
func (s *system) mapPoints(ctx context.Context, list []Firing, side, other int) (points []FiringPoint, err error) {
	if s.m.Spikes != nil {
		return s.ownPoints(ctx, list, side, other)
	}
	from, to := list[side], list[other]
	n := from.Period
	if n == 0 {
		return nil, nil
	}
	for _, multiplier := range []float64{-1, 1} {
		if multiplier == -1 && to.Period > 0 && to.Period != 2*n || multiplier == 1 && to.Period == 2*n {
			continue
		}
		mu, orbit, ok, err := s.stabilityLoss(ctx, from, to.Parameter, multiplier)
		if err != nil {
			return points, err
		}
		if !ok { // the multiplier changes too quickly: start from nearer by
			near, beyond, err := s.nearLoss(ctx, from, to.Parameter)
			if err != nil {
				return points, err
			}
			if mu, orbit, ok, err = s.stabilityLoss(ctx, near, beyond, multiplier); err != nil {
				return points, err
			}
		}
		if !ok {
			continue
		}
		points = append(points, FiringPoint{mapPoint(multiplier, mu, from.VMax, orbit.Intervals), side, n})
	}
	return points, nil
}

// nearLoss continues the periodic orbit of from, stable, towards the value to of the parameter as far as it stays
// stable, by ever smaller steps. beyond is a value at which it is unstable or does not exist.
func (s *system) nearLoss(ctx context.Context, from Firing, to float64) (near Firing, beyond float64, err error) {
	return s.continueStable(from, to, func(near Firing) (a Attractor, multiplier float64, ok bool, err error) {
		r, err := NewResetMap(s.m, s.p, s.i)
		if err != nil {
			return a, 0, false, err
		}
		r.halt = ctx.Err
		c, ok, err := r.periodic(near.W[0], from.Period)
		return c.attractor(), math.Abs(c.Multiplier), ok, err
	})
}

// continueStable continues the periodic orbit of from towards the value to as far as it stays stable. periodic finds,
// at the present parameters, the orbit next to that given, with the modulus of its multiplier.
func (s *system) continueStable(from Firing, to float64,
	periodic func(near Firing) (a Attractor, multiplier float64, ok bool, err error),
) (near Firing, beyond float64, err error) {
	const (
		smallest = 1e-11 // step, relative to 1 + |parameter|
		enough   = 0.1   // by which the multiplier may differ from 1 or -1
	)
	near = from
	for step := to - from.Parameter; math.Abs(step) > smallest*(1+math.Abs(near.Parameter)); {
		beyond = near.Parameter + step
		if s.at(beyond); s.m.Check(s.p) != nil {
			step /= 2
			continue
		}
		a, multiplier, ok, err := periodic(near)
		if err != nil {
			return near, beyond, err
		}
		if !ok || !(multiplier < 1) {
			step /= 2
			continue
		}
		near.Parameter, near.Attractor = beyond, a
		if 1-multiplier < enough {
			beyond += step
			break
		}
	}
	return near, beyond, nil
}

// stabilityLoss solves for the value of the parameter and the point of the reset map at which the periodic orbit of
// from has the given multiplier, by Newton's method on both; ok is false if that does not converge to a value between
// from and to.
func (s *system) stabilityLoss(ctx context.Context, from Firing, to, multiplier float64) (mu float64, orbit mapOrbit,
	ok bool, err error,
) {
	const (
		same   = 1e-11 // of the parameter, relative to 1 + |mu|
		beyond = 0.05  // of the gap: how far outside of it the solution may lie, for rows are rows within rounding
		rounds = 30
	)
	n := from.Period
	gap := to - from.Parameter
	mu = from.Parameter
	w := from.W[0]
	at := func(mu, w float64) (c mapOrbit, g float64, ok bool, err error) {
		s.at(mu)
		if s.m.Check(s.p) != nil {
			return c, 0, false, nil
		}
		r, err := NewResetMap(s.m, s.p, s.i)
		if err != nil {
			return c, 0, false, err
		}
		r.halt = ctx.Err
		c, end, ok, err := r.round(w, n)
		return c, end - w, ok, err
	}
	last := math.Inf(1)
	for range rounds {
		hw, hmu := 1e-6*(1+math.Abs(w)), 1e-3*math.Abs(gap)
		var c [5]mapOrbit
		var g [5]float64
		for k, d := range [5][2]float64{{0, 0}, {hmu, 0}, {-hmu, 0}, {0, hw}, {0, -hw}} {
			if c[k], g[k], ok, err = at(mu+d[0], w+d[1]); !ok || err != nil {
				return mu, c[0], false, err
			}
		}
		gw, gm := c[0].Multiplier-1, (g[1]-g[2])/(2*hmu)
		h := c[0].Multiplier - multiplier
		hm, hww := (c[1].Multiplier-c[2].Multiplier)/(2*hmu), (c[3].Multiplier-c[4].Multiplier)/(2*hw)
		d := gw*hm - gm*hww
		dw, dmu := (-g[0]*hm+gm*h)/d, (-gw*h+g[0]*hww)/d
		if math.IsNaN(dw) || math.IsNaN(dmu) {
			return mu, c[0], false, nil
		}
		if limit := 2 * math.Abs(gap); math.Abs(dmu) > limit { // shorten both alike
			dw, dmu = dw*limit/math.Abs(dmu), math.Copysign(limit, dmu)
		}
		w, mu = w+dw, mu+dmu
		orbit = c[0]
		size := math.Abs(dmu) / (1 + math.Abs(mu))
		if size <= same || size < 1e-8 && size >= last/2 {
			part := (mu - from.Parameter) / gap
			return mu, orbit, part > -beyond && part < 1+beyond && distinct(orbit.W), nil
		}
		last = size
	}
	return mu, orbit, false, nil
}

// distinct reports whether a periodic orbit is not a shorter one repeated several times.
func distinct(w []float64) bool {
	for part := 1; part <= len(w)/2; part++ {
		if len(w)%part == 0 && math.Abs(w[part]-w[0]) < 1e-7*(1+math.Abs(w[0])) {
			return false
		}
	}
	return true
}

// FiringWarnings lists intervals of list in which firing may have been missed, because V runs away to ever lower values
// from every start, and trains that are neither periodic nor irregular as far as they were followed.
func FiringWarnings(free Free, list []Firing) (warnings []error) {
	stretch := func(is func(Firing) bool, format string) {
		first, last, n := 0.0, 0.0, 0
		for _, f := range list {
			if is(f) {
				if n == 0 {
					first = f.Parameter
				}
				last = f.Parameter
				n++
			}
		}
		if n > 0 {
			warnings = append(warnings, fmt.Errorf("dynamics: "+format, n, free.Name, first, last))
		}
	}
	stretch(func(f Firing) bool { return f.Silent && f.Escaped },
		"no firing was found at %d of the values of %s tried from %.8g to %.8g, but V runs away to ever lower values from "+
			"some resets")
	stretch(func(f Firing) bool { return !f.Silent && f.Period == 0 && math.IsNaN(f.Lyapunov) },
		"firing was neither periodic nor irregular within 10000 spikes (number of rows: %d, %s from %.8g to %.8g); no "+
			"exponent is given there")
	return warnings
}
