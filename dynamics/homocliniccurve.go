package dynamics

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// Numbers that steer the continuation of homoclinic orbits. Lengths in the plane are parts of the widths of its two
// intervals.
const (
	homoclinicStep     = 0.01 // in the plane
	homoclinicSmallest = 1e-5 // step that is tried
	homoclinicTurn     = 0.5  // λ over τ between neighbours: the tangent of the angle by which the curve may turn
	homoclinicSmall    = 0.1  // mV; a smaller orbit has come to a Bogdanov-Takens point
	homoclinicV        = 5.0  // mV, of the largest V of one homoclinic orbit at neighbouring places
	// exponent: cycles of period T lie within exp(-18) = 1.5e-8 of the homoclinic orbit, relative
	homoclinicGone    = 18.0
	mostHomoclinic    = 2000 // rows of one curve
	longestHomoclinic = 1e6  // ms, the longest period that is tried
)

// homoclinicTracer follows cycles of one long period T through the plane of two parameters. Such a curve lies
// exponentially close to that of the homoclinic orbit, by exp(-λT) with the leading eigenvalue λ of the saddle. The
// frame turns with the curve as for folds of cycles; λ, the parameter across the curve, is an unknown of the equations
// of the cycle, whose period is held.
type homoclinicTracer struct {
	*planeTracer
	period float64
}

// longCycle is a cycle of the period T, with its place in the plane and the direction of the curve there.
type longCycle struct {
	orbit
	frame      frame
	vMin, vMax float64
}

// solve corrects o to a cycle of the period at τ in the frame g.
func (w *homoclinicTracer) solve(o orbit, g frame, tau float64) (orbit, error) {
	w.frame, w.tau = g, tau
	form := linear{u: make([]float64, len(o.u)), period: 1 / w.period}
	for k := 0; ; k++ {
		settled, err := w.settle(o, o, form, 1)
		if err != nil || k == 1 {
			return settled, err
		}
		o = settled.moved(w.adapted(settled, meshIntervals), w.dim)
	}
}

// homoclinics adds the curves of homoclinic orbits at which cycles of the scans end.
func (t *planeSystem) homoclinics(ctx context.Context, r *Regions, scans []scan, each Each) error {
	var work []func()
	for _, s := range scans {
		along, across := t.x, t.y
		if s.column {
			along, across = across, along
		}
		for _, q := range s.longCycles {
			a, b := (q.mu-along.Lo)/(along.Hi-along.Lo), (s.at-across.Lo)/(across.Hi-across.Lo)
			g := frame{x: a, y: b, ty: -1}
			if s.column {
				g = frame{x: b, y: a, tx: 1}
			}
			work = append(work, func() {
				w := &homoclinicTracer{planeTracer: newPlaneTracer(t), period: q.period}
				seed := w.row(longCycle{frame: g, vMax: q.vMax})
				if g.outside() <= 0 && !r.near(seed, foldSame, homoclinicV) {
					w.curve(ctx, r, q, g)
				}
			})
		}
	}
	return each.inTurn(len(work), func(k int) error {
		work[k]()
		return ctx.Err()
	})
}

// curve adds the curve through the long cycle q at the origin of g.
func (w *homoclinicTracer) curve(ctx context.Context, r *Regions, q cyclePoint, g frame) {
	start, err := w.start(q.orbit, g)
	if err != nil {
		return // the branch over one parameter has reported it
	}
	ahead, closed := w.follow(ctx, r, start, 1)
	var behind []BifurcationPoint
	if !closed {
		behind, _ = w.follow(ctx, r, start, -1)
		slices.Reverse(behind)
	}
	r.addCurve(BifurcationCurve{Label: Homoclinic, Points: slices.Concat(behind, []BifurcationPoint{w.row(start)},
		ahead)})
}

// start is the long cycle o at the origin of g, with axes turned along the curve there.
func (w *homoclinicTracer) start(o orbit, g frame) (longCycle, error) {
	const part = 0.01 // of a step, for the direction of the curve
	f := longCycle{frame: g}
	o.mu = 0
	var err error
	for range 3 {
		if o, err = w.solve(o, f.frame, 0); err != nil {
			return f, err
		}
		f.orbit = o
		f.frame.x, f.frame.y = f.frame.point(0, o.mu)
		f.mu = 0
		ahead, err := w.solve(f.orbit, f.frame, part*homoclinicStep)
		if err != nil {
			return f, err
		}
		f.frame = f.frame.turned(part*homoclinicStep, ahead.mu)
		if math.Abs(ahead.mu) < 0.1*part*homoclinicStep {
			break
		}
		o = f.orbit
	}
	f.vMin, f.vMax, _ = f.extremes(w.dim)
	return f, nil
}

// row is the long cycle as a row of its curve.
func (w *homoclinicTracer) row(f longCycle) BifurcationPoint {
	q := w.planeRow(Homoclinic, f.frame.x, f.frame.y)
	q.V, q.Frequency = f.vMax, 0
	return q
}

// follow lists rows of the curve from f until it leaves the plane, comes to a Bogdanov-Takens point or a fold of
// equilibria, is closed, or cannot be followed further. The row of f itself is not included.
func (w *homoclinicTracer) follow(ctx context.Context, r *Regions, f longCycle,
	direction float64,
) (rows []BifurcationPoint, closed bool) {
	start := f
	last, lastTau := orbit{}, 0.0 // the cycle before, at its place in the axes of f
	left := false
	for h := 0.1 * homoclinicStep; len(rows) < mostHomoclinic && ctx.Err() == nil; {
		tau := h * direction
		guess := f.orbit
		if last.u != nil {
			part := tau / lastTau
			guess = f.plus(-part, f.plus(-1, last.moved(f.mesh, w.dim)))
			guess.period = w.period
		}
		next, err := w.step(f, guess, tau)
		if err != nil {
			if h /= 2; h < homoclinicSmallest {
				rows = append(rows, w.end(r, f)...)
				return rows, false
			}
			continue
		}
		if next.frame.outside() > 0 {
			if q, ok := w.atEdge(f, guess, tau); ok {
				rows = append(rows, q)
			}
			return rows, false
		}
		rows = append(rows, w.row(next))
		ended := w.leavesSaddle(next)
		for ended && w.period < longestHomoclinic {
			longer, err := w.lengthened(next)
			if err != nil {
				break
			}
			next, last = longer, orbit{}
			ended = w.leavesSaddle(next)
		}
		if next.vMax-next.vMin < homoclinicSmall || ended || r.near(w.row(next), 2e-4, homoclinicV) {
			return append(rows, w.end(r, next)...), false
		}
		away := math.Hypot(next.frame.x-start.frame.x, next.frame.y-start.frame.y)
		left = left || away > 2*homoclinicStep
		if left && away < 0.75*homoclinicStep && math.Abs(next.vMax-start.vMax) < foldJumpV/2 {
			return append(rows, w.row(start)), true
		}
		last = f.orbit
		if last.period != w.period {
			last = orbit{}
		}
		lastTau = next.frame.tau(f.frame.x, f.frame.y)
		last.mu = next.frame.lambda(f.frame.x, f.frame.y)
		f = next
		h = min(homoclinicStep, 1.5*h)
	}
	return rows, false
}

// step is the long cycle at τ in the axes of f, with axes of its own that are turned into the direction in which the
// curve came.
func (w *homoclinicTracer) step(f longCycle, guess orbit, tau float64) (longCycle, error) {
	o, err := w.solve(guess, f.frame, tau)
	if err != nil {
		return longCycle{}, err
	}
	next := longCycle{orbit: o, frame: f.frame}
	next.vMin, next.vMax, _ = o.extremes(w.dim)
	if math.Abs(next.vMax-f.vMax) > foldJumpV || math.Abs(next.vMin-f.vMin) > foldJumpV ||
		math.Abs(o.mu) > homoclinicTurn*math.Abs(tau) {
		return longCycle{}, errNoConvergence
	}
	next.frame.x, next.frame.y = f.frame.point(tau, o.mu)
	next.frame = next.frame.turned(tau, o.mu)
	next.mu = 0
	return next, nil
}

// lengthened is f with twice the period; the time added is spent near the saddle.
func (w *homoclinicTracer) lengthened(f longCycle) (longCycle, error) {
	w.frame, w.tau = f.frame, 0
	w.system.at(0)
	o, k := f.orbit, w.slowestNode(f.orbit)/deg
	mesh := make([]float64, len(o.mesh))
	longer := newOrbit(mesh, w.dim)
	for j, s := range o.mesh {
		if j > k {
			s += 1
		}
		mesh[j] = s / 2
	}
	copy(longer.u, o.u)
	longer.period = 2 * w.period
	w.period *= 2
	o, err := w.solve(longer, f.frame, 0)
	if err != nil {
		w.period /= 2
		return f, err
	}
	f.frame.x, f.frame.y = f.frame.point(0, o.mu)
	f.orbit = o
	f.mu = 0
	f.vMin, f.vMax, _ = f.extremes(w.dim)
	return f, nil
}

// atEdge is the row at which the curve leaves the plane on the way to τ.
func (w *homoclinicTracer) atEdge(f longCycle, guess orbit, tau float64) (row BifurcationPoint, ok bool) {
	over := func(tau float64) float64 {
		next, err := w.step(f, guess, tau)
		if err != nil {
			return math.NaN()
		}
		e := next.frame.outside()
		if math.Abs(e) < 1e-7 {
			next.frame.x, next.frame.y = snapped(next.frame.x, 1e-7), snapped(next.frame.y, 1e-7)
			row, ok = w.row(next), true
		}
		return e
	}
	first, last := f.frame.outside(), over(tau)
	if ok || !(first < 0) || !(last > 0) {
		return row, ok
	}
	rootNear(over, 0, tau, first, last, 1e-9)
	return row, ok
}

// leavesSaddle reports whether the period is no longer large in the time constants of the saddle of f: near a
// saddle-node, where the homoclinic orbit becomes one of a saddle-node, or at the end of the saddle.
func (w *homoclinicTracer) leavesSaddle(f longCycle) bool {
	w.frame, w.tau = f.frame, 0
	w.system.at(0)
	mid := w.slowest(f.orbit)
	stable, unstable, saddle := w.leading(0, mid[0])
	return saddle && min(stable, unstable)*f.period < homoclinicGone
}

// end is the special point in which the curve ends at f: a Bogdanov-Takens point, or a point of a curve of folds; none
// if nothing is near.
func (w *homoclinicTracer) end(r *Regions, f longCycle) []BifurcationPoint {
	const near = 0.05 // of the intervals
	var best BifurcationPoint
	for _, q := range r.Points {
		away := math.Hypot((q.X-r.X.Lo)/(r.X.Hi-r.X.Lo)-f.frame.x, (q.Y-r.Y.Lo)/(r.Y.Hi-r.Y.Lo)-f.frame.y)
		if q.Label == BogdanovTakens && math.Abs(q.V-f.vMax) < 5 && away < near {
			best = q
		}
	}
	if best.Label == "" {
		q := w.row(f)
		q.Label = Fold
		if on, away := r.nearest(q); away < near/10 {
			best = on
		}
	}
	if best.Label == "" {
		r.Warnings = append(r.Warnings, fmt.Errorf("dynamics: the curve of homoclinic orbits cannot be followed beyond %s "+
			"= %.6g, %s = %.6g",
			r.X.Name, w.row(f).X, r.Y.Name, w.row(f).Y))
		return nil
	}
	best.Label, best.Frequency, best.Criticality = Homoclinic, 0, ""
	return []BifurcationPoint{best}
}
