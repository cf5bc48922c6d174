package dynamics

import (
	"context"
	"math"
	"slices"
)

// Numbers that steer the continuation of folds of cycles. Lengths in the plane are parts of the widths of its two
// intervals.
const (
	foldStep      = 0.01  // in the plane
	foldSwing     = 0.1   // of the cycle, in units of its arclength: one step changes it by no more
	foldTol       = 1e-7  // of a correction, in steps; the next one would be far smaller
	foldFlat      = 1e-11 // ∂λ/∂s that counts as zero
	foldCanard    = 1e-7  // and on a canard, by which λ stays within 1e-8
	foldRounding  = 1e-10 // what rounding leaves of ∂λ/∂s in the middle of a canard
	foldSmallest  = 1e-3  // step that is tried, in steps
	foldAmplitude = 0.2   // mV; a smaller cycle has come to a Bautin point
	foldJumpV     = 8.0   // mV, of the extremes of V between neighbouring rows
	foldJumpT     = 0.15  // of the period
	foldBend      = 0.8   // cosine of the angle between a step and the direction of the curve at its end
	mostFolds     = 4000  // rows of one curve
	foldSame      = 1e-3  // in the plane: curves nearer to each other are one
	foldSameFlat  = 3e-4  // and canards, on which V is not compared
	foldLongest   = 1000  // ms; of a longer period, a homoclinic orbit is near
	edgeTol       = 1e-8  // to which the place where a curve leaves the plane is solved for
)

// frame is a pair of axes in the plane of the two parameters, each in units of its interval: τ along t, λ along n,
// which is t turned to the left.
type frame struct {
	x, y   float64
	tx, ty float64
}

func (f frame) point(tau, lambda float64) (x, y float64) {
	return f.x + tau*f.tx - lambda*f.ty, f.y + tau*f.ty + lambda*f.tx
}

// tau is the place along t of a point of the plane, lambda that along n.
func (f frame) tau(x, y float64) float64    { return (x-f.x)*f.tx + (y-f.y)*f.ty }
func (f frame) lambda(x, y float64) float64 { return (y-f.y)*f.tx - (x-f.x)*f.ty }

// turned is the frame with its axis t turned to or from the place (τ, λ): the side of t stays the same.
func (f frame) turned(tau, lambda float64) frame {
	norm := math.Hypot(tau, lambda)
	c, s := math.Abs(tau)/norm, math.Copysign(lambda/norm, lambda*tau)
	f.tx, f.ty = c*f.tx-s*f.ty, c*f.ty+s*f.tx
	return f
}

// outside is the distance of the origin of the frame outside the plane; inside it is negative.
func (f frame) outside() float64 { return max(-f.x, f.x-1, -f.y, f.y-1) }

// foldTracer follows folds of cycles through the plane of two parameters. The cycles near a fold form a surface over
// two coordinates: s, the place along the null vector of the fold, and τ, a place along the curve of folds; λ, the
// parameter across the curve, is an unknown of the equations of the cycle, like the period. Folds are where ∂λ/∂s = 0:
// one equation in s and τ, whose solutions are followed by pseudo-arclength. The axes turn with the curve, and s is
// regular at a cusp of cycles, so that the curve may turn back in either parameter.
type foldTracer struct {
	*planeTracer
	ends []foldEnd // where curves could not be followed further
}

func newFoldTracer(t *planeSystem) *foldTracer { return &foldTracer{planeTracer: newPlaneTracer(t)} }

// planeTracer solves for cycles whose free parameter λ is the place across a curve through the plane of two parameters,
// at a place τ along it.
type planeTracer struct {
	*cycleTracer
	t     *planeSystem
	frame frame
	tau   float64 // at which cycles are solved for
}

func newPlaneTracer(t *planeSystem) *planeTracer {
	w := &planeTracer{t: t}
	s := newSystem(t.m, t.p, t.i, t.x.Name)
	w.cycleTracer = &cycleTracer{collocator: newCollocator(s, 1), free: t.x, fine: 1, plain: true}
	w.byMu = nil
	set := func(index int, value float64) {
		if index < 0 {
			s.i = value
		} else {
			s.p[index] = value
		}
	}
	s.along = func(lambda float64) {
		x, y := w.frame.point(w.tau, lambda)
		set(s.index, t.x.Lo+x*(t.x.Hi-t.x.Lo))
		set(t.second, t.y.Lo+y*(t.y.Hi-t.y.Lo))
		s.known.hi = 0
	}
	return w
}

// planeRow is a row of a curve at (x, y) of the plane, exact at its ends.
func (w *planeTracer) planeRow(label string, x, y float64) BifurcationPoint {
	const onEdge = 1e-12 // of the interval
	value := func(f Free, part float64) float64 {
		if part = snapped(part, onEdge); part > 0.5 {
			return f.Hi - (1-part)*(f.Hi-f.Lo)
		}
		return f.Lo + part*(f.Hi-f.Lo)
	}
	return BifurcationPoint{Label: label, X: value(w.t.x, x), Y: value(w.t.y, y)}
}

// fold is a fold of cycles: the cycle, at τ = λ = 0 of the frame, and the slopes of ∂λ/∂s there, in steps.
type fold struct {
	cyclePoint
	frame  frame
	bs, bt float64
}

// units are the steps in s and τ at r.
func (w *foldTracer) units(r cyclePoint) (s, tau float64) {
	return min(foldSwing, max(1e-4, (r.vMax-r.vMin)/(6*w.vUnit))), foldStep
}

// cycleAt solves for the cycle at (s, τ) in the coordinates of f, from the guess o.
func (w *foldTracer) cycleAt(f *fold, o orbit, s, tau float64) (cyclePoint, error) {
	w.frame, w.tau = f.frame, tau
	form := w.inner(f.tangent, f.period)
	o, err := w.settle(o, f.orbit, form, form.of(f.orbit)+s)
	if err != nil {
		return cyclePoint{}, err
	}
	return w.measure(o, f.orbit, form)
}

// prepare makes the fold r, at (x, y) of the plane, the origin of axes along the curve there.
func (w *foldTracer) prepare(r cyclePoint, g frame) (*fold, error) {
	r = w.remeshed(r)
	r.mu = 0
	f := &fold{cyclePoint: r, frame: g}
	su, tu := w.units(r)
	const part = 0.02 // of a step, for differences
	for range 3 {
		here, err := w.cycleAt(f, f.orbit, 0, 0)
		if err != nil {
			return nil, err
		}
		f.orbit, f.vMin, f.vMax, f.sMax, f.spectrum = here.orbit, here.vMin, here.vMax, here.sMax, here.spectrum
		x, y := f.frame.point(0, here.mu)
		f.frame.x, f.frame.y, f.mu = x, y, 0
		if f.tangent = here.tangent; math.Abs(f.tangent.mu) > 0.5 {
			return nil, errNoConvergence
		}
		up, errUp := w.cycleAt(f, f.orbit, 0, part*tu)
		down, errDown := w.cycleAt(f, f.orbit, 0, -part*tu)
		if errUp != nil || errDown != nil {
			return nil, errNoConvergence
		}
		slope := (up.mu - down.mu) / (2 * part * tu)
		if math.Abs(slope) > 0.2 { // turn the axes
			norm := math.Hypot(1, slope)
			f.frame.tx, f.frame.ty = (f.frame.tx-slope*f.frame.ty)/norm, (f.frame.ty+slope*f.frame.tx)/norm
			continue
		}
		f.bt = (up.tangent.mu - down.tangent.mu) / (2 * part)
		ahead, errAhead := w.cycleAt(f, f.plus(part*su, f.tangent), part*su, 0)
		behind, errBehind := w.cycleAt(f, f.plus(-part*su, f.tangent), -part*su, 0)
		if errAhead != nil || errBehind != nil {
			return nil, errNoConvergence
		}
		f.bs = (ahead.tangent.mu - behind.tangent.mu) / (2 * part)
		return f, nil
	}
	return nil, errNoConvergence
}

// solve finds the fold near f whose place (s, τ), in steps, is at + a multiple of the vector perpendicular to normal.
func (w *foldTracer) solve(f *fold, at, normal [2]float64) (r cyclePoint, z [2]float64, ok bool) {
	su, tu := w.units(f.cyclePoint)
	z = at
	bs, bt := f.bs, f.bt
	guess := f.plus(z[0]*su, f.tangent)
	last := math.NaN()
	var moved [2]float64
	for range 12 {
		var err error
		if r, err = w.cycleAt(f, guess, z[0]*su, z[1]*tu); err != nil {
			return r, z, false
		}
		g := r.tangent.mu
		if !math.IsNaN(last) { // Broyden's update
			miss := (g - last - bs*moved[0] - bt*moved[1]) / (moved[0]*moved[0] + moved[1]*moved[1])
			bs, bt = bs+miss*moved[0], bt+miss*moved[1]
		}
		if math.Abs(g) < foldFlat || f.flat() && math.Abs(g) < foldCanard {
			return r, z, true
		}
		// b·d = -g, normal·d = 0
		det := bs*normal[1] - bt*normal[0]
		moved = [2]float64{-g * normal[1] / det, g * normal[0] / det}
		size := math.Hypot(moved[0], moved[1])
		if !(size < 1) {
			return r, z, false
		}
		if size < foldTol {
			return r, z, true
		}
		last = g
		z[0], z[1] = z[0]+moved[0], z[1]+moved[1]
		guess = r.plus(moved[0]*su, f.tangent)
	}
	return r, z, false
}

// flat reports whether λ is constant over s to rounding, as on a canard. The place of the fold along s is then not
// determined; its place in the plane is.
func (f *fold) flat() bool { return math.Hypot(f.bs, f.bt) < foldCanard }

// direction is that of the curve at f, in steps, on the side of the given one.
func (f *fold) direction(side [2]float64) [2]float64 {
	d := [2]float64{-f.bt, f.bs}
	norm := math.Hypot(d[0], d[1])
	if f.flat() {
		return [2]float64{0, math.Copysign(1, side[1])}
	}
	if d[0]*side[0]+d[1]*side[1] < 0 {
		norm = -norm
	}
	return [2]float64{d[0] / norm, d[1] / norm}
}

// foldRow is the fold r, at (x, y) of the plane, as a row of its curve.
func (w *foldTracer) foldRow(r cyclePoint, x, y float64) BifurcationPoint {
	q := w.planeRow(CycleFold, x, y)
	q.V, q.Frequency = r.vMax, 1000/r.period
	return q
}

// step solves for the fold a step of length h from f in the direction d, at (x, y) of the plane. ok is false where
// there is none that a curve without jumps of V and period could have there.
func (w *foldTracer) step(f *fold, d [2]float64, h float64) (q cyclePoint, x, y float64, ok bool) {
	q, z, ok := w.solve(f, [2]float64{h * d[0], h * d[1]}, d)
	if !ok {
		return q, 0, 0, false
	}
	_, tu := w.units(f.cyclePoint)
	x, y = f.frame.point(z[1]*tu, q.mu)
	ok = math.Abs(q.vMax-f.vMax) < foldJumpV && math.Abs(q.vMin-f.vMin) < foldJumpV &&
		math.Abs(q.period/f.period-1) < foldJumpT && math.Abs(q.mu) < foldStep &&
		w.inner(f.tangent, f.period).of(q.tangent) > sharpestTurn &&
		z[0]*d[0]+z[1]*d[1] > 0.8*math.Hypot(z[0], z[1])
	return q, x, y, ok
}

// atBoundary reports whether the curve ends on the step from f to the given row: at the edge of the plane, or in a
// Bautin point where the cycle is small. rows are those to add.
func (w *foldTracer) atBoundary(f *fold, d [2]float64, h float64, row BifurcationPoint, amplitude float64,
	r *Regions,
) (rows []BifurcationPoint, end bool) {
	inside := row.X >= w.t.x.Lo && row.X <= w.t.x.Hi && row.Y >= w.t.y.Lo && row.Y <= w.t.y.Hi
	switch {
	case !inside:
		if last, ok := w.atEdge(f, d, h); ok {
			rows = append(rows, last)
		}
	case amplitude < foldAmplitude:
		if b := r.nearestBautin(row); b != nil {
			rows = append(rows, BifurcationPoint{Label: CycleFold, X: b.X, Y: b.Y, V: b.V, Frequency: b.Frequency})
		}
	default:
		return nil, false
	}
	return rows, true
}

// successor prepares the fold q at (x, y), which follows f on its curve. on is the way from f to it, in its own steps.
// ok is false where the direction of the curve there is not that of the step: q then lies on another curve.
func (w *foldTracer) successor(f *fold, q cyclePoint, x, y float64) (next *fold, on [2]float64, ok bool) {
	g := f.frame
	g.x, g.y = x, y
	next, err := w.prepare(q, g)
	if err != nil {
		return nil, on, false
	}
	su, tu := w.units(next.cyclePoint)
	form := w.inner(q.tangent, q.period)
	on = [2]float64{(form.of(q.orbit) - form.of(f.orbit)) / su, -next.frame.tau(f.frame.x, f.frame.y) / tu}
	there := next.direction(on)
	ok = next.flat() || f.flat() || on[0]*there[0]+on[1]*there[1] > foldBend*math.Hypot(on[0], on[1])
	return next, on, ok
}

// atEdge is the row at which the curve leaves the plane within the step h from f.
func (w *foldTracer) atEdge(f *fold, d [2]float64, h float64) (BifurcationPoint, bool) {
	_, tu := w.units(f.cyclePoint)
	outside := func(x, y float64) float64 { return max(-x, x-1, -y, y-1) }
	var row BifurcationPoint
	good := false
	over := func(h float64) float64 {
		q, z, ok := w.solve(f, [2]float64{h * d[0], h * d[1]}, d)
		if !ok {
			return math.NaN()
		}
		x, y := f.frame.point(z[1]*tu, q.mu)
		e := outside(x, y)
		if good = math.Abs(e) < edgeTol; good {
			row = w.foldRow(q, snapped(x, edgeTol), snapped(y, edgeTol))
		}
		return e
	}
	first, last := over(0), over(h)
	if !(first < 0) || !(last > 0) {
		return row, good
	}
	rootNear(over, 0, h, first, last, 1e-10)
	return row, good
}

// snapped is x, or the end of the interval from 0 to 1 that lies within tol of it.
func snapped(x, tol float64) float64 {
	for _, end := range []float64{0, 1} {
		if math.Abs(x-end) < tol {
			return end
		}
	}
	return x
}

// cusp locates the cusp of cycles between f and next, a step h apart: there ∂²λ/∂s² is zero as well.
func (w *foldTracer) cusp(f, next *fold, d [2]float64, h float64) (BifurcationPoint, bool) {
	_, tu := w.units(f.cyclePoint)
	var at BifurcationPoint
	good := false
	scale := max(math.Abs(f.bs), math.Abs(next.bs))
	second := func(h float64) float64 {
		q, z, ok := w.solve(f, [2]float64{h * d[0], h * d[1]}, d)
		if !ok {
			return math.NaN()
		}
		x, y := f.frame.point(z[1]*tu, q.mu)
		g := f.frame
		g.x, g.y = x, y
		there, err := w.prepare(q, g)
		if err != nil {
			return math.NaN()
		}
		at, good = w.foldRow(q, x, y), true
		at.Label = CycleCusp
		return there.bs / scale
	}
	_, jump := rootNear(second, 0, h, f.bs/scale, next.bs/scale, 1e-7)
	return at, good && jump < 0.5
}

// nearestBautin is the Bautin point in which a curve of folds ends whose cycle has become small, nil if none is near.
func (r *Regions) nearestBautin(row BifurcationPoint) *BifurcationPoint {
	const near = 0.01 // of the intervals
	for k := range r.Points {
		b := &r.Points[k]
		if b.Label == Bautin && math.Abs(b.X-row.X) < near*(r.X.Hi-r.X.Lo) &&
			math.Abs(b.Y-row.Y) < near*(r.Y.Hi-r.Y.Lo) && math.Abs(b.V-row.V) < 2 {
			return b
		}
	}
	return nil
}

// cycleFolds follows the folds of cycles, from those born at Bautin points and from those of the scans.
func (t *planeSystem) cycleFolds(ctx context.Context, r *Regions, scans []scan, each Each) error {
	w := newFoldTracer(t)
	var work []func()
	for _, q := range slices.Clone(r.Points) {
		if q.Label == Bautin {
			work = append(work, func() { t.besideBautin(ctx, w, r, q) })
		}
	}
	for _, s := range scans {
		along, across := t.x, t.y
		if s.column {
			along, across = across, along
		}
		for _, f := range s.folds {
			a, b := (f.mu-along.Lo)/(along.Hi-along.Lo), (s.at-across.Lo)/(across.Hi-across.Lo)
			if s.column {
				a, b = b, a
			}
			work = append(work, func() { t.foldCurve(ctx, w, r, f, a, b, !s.column) })
		}
	}
	err := each.inTurn(len(work), func(k int) error {
		work[k]()
		return ctx.Err()
	})
	w.reportEnds(r)
	return err
}

// besideBautin finds the fold of cycles born at the Bautin point q: on one side of it the cycles of the Hopf point
// nearby turn. On the other side they may turn too, further on.
func (t *planeSystem) besideBautin(ctx context.Context, w *foldTracer, r *Regions, q BifurcationPoint) {
	found := false
	for k, part := range []float64{0.002, -0.002, 0.008, -0.008} {
		if k == 2 && found {
			return
		}
		at := q.Y + part*(t.y.Hi-t.y.Lo)
		if t.setSecond(at); at < t.y.Lo || at > t.y.Hi || t.m.Check(t.p) != nil {
			continue
		}
		x := t.x
		x.Lo, x.Hi = q.X-0.1*(t.x.Hi-t.x.Lo), q.X+0.1*(t.x.Hi-t.x.Lo)
		_, special, _ := equilibriumBranches(t.system, x)
		c := newCycleTracer(t.system, x, special)
		for k, h := range c.hopfs {
			if math.Abs(h.V-q.V) > 5 || math.Abs(h.Parameter-q.X) > 0.05*(t.x.Hi-t.x.Lo) || ctx.Err() != nil {
				continue
			}
			c.turned = nil
			_, _, _ = c.fromHopf(ctx, k)
			if len(c.turned) > 0 {
				f := c.turned[0]
				t.foldCurve(ctx, w, r, f, (f.mu-t.x.Lo)/(t.x.Hi-t.x.Lo), (at-t.y.Lo)/(t.y.Hi-t.y.Lo), true)
				found = true
			}
		}
	}
}

// foldCurve adds the curve of folds of cycles through the fold r, found at (x, y) of the plane by a diagram over the
// first parameter or over the second, unless there is one.
func (t *planeSystem) foldCurve(ctx context.Context, w *foldTracer, r *Regions, o cyclePoint, x, y float64,
	first bool,
) {
	if x < 0 || x > 1 || y < 0 || y > 1 || r.hasFold(w.foldRow(o, x, y), false) || ctx.Err() != nil {
		return
	}
	g := frame{x: x, y: y, ty: -1} // λ along the first parameter
	width := t.x.Hi - t.x.Lo
	if !first {
		g = frame{x: x, y: y, tx: 1}
		width = t.y.Hi - t.y.Lo
	}
	o.tangent.mu /= width
	o.mu = 0
	o.tangent = w.normalised(o.tangent, o.period)
	f, err := w.prepare(o, g)
	if err != nil {
		return
	}
	// A diagram gives a point near the fold: solve for it at this τ.
	if q, z, ok := w.solve(f, [2]float64{}, [2]float64{0, 1}); ok {
		_, tu := w.units(f.cyclePoint)
		g = f.frame
		g.x, g.y = f.frame.point(z[1]*tu, q.mu)
		if next, err := w.prepare(q, g); err == nil {
			f = next
		}
	}
	if f.vMax-f.vMin < foldAmplitude || r.hasFold(w.foldRow(f.cyclePoint, f.frame.x, f.frame.y), f.flat()) {
		return
	}
	seed := w.foldRow(f.cyclePoint, f.frame.x, f.frame.y)
	d := f.direction([2]float64{0, 1})
	ahead, closed := w.follow(ctx, f, d, r)
	var behind []BifurcationPoint
	if !closed {
		behind, _ = w.follow(ctx, f, [2]float64{-d[0], -d[1]}, r)
		slices.Reverse(behind)
	}
	r.addCurve(BifurcationCurve{Label: CycleFold, Points: slices.Concat(behind, []BifurcationPoint{seed}, ahead)})
}

// hasFold reports whether a curve of folds of cycles runs through q.
func (r *Regions) hasFold(q BifurcationPoint, flat bool) bool {
	near, nearV := foldSame, 15.0 // mV
	if flat {
		near, nearV = foldSameFlat, math.Inf(1)
	}
	return r.near(q, near, nearV)
}

// near reports whether a curve of q's label runs through the neighbourhood of q: near in parts of the intervals, nearV
// in mV.
func (r *Regions) near(q BifurcationPoint, near, nearV float64) bool {
	found := false
	r.project(q, func(on BifurcationPoint, away float64) {
		found = found || away < near && !(math.Abs(on.V-q.V) >= nearV)
	})
	return found
}

// nearest is the point on the curves of q's label that is nearest to q, with its distance in parts of the intervals.
func (r *Regions) nearest(q BifurcationPoint) (on BifurcationPoint, away float64) {
	away = math.Inf(1)
	r.project(q, func(p BifurcationPoint, d float64) {
		if d < away {
			on, away = p, d
		}
	})
	return on, away
}

// along reports whether the line through the points of a curve passes q at a distance of at most near, in parts of the
// intervals.
func (r *Regions) along(points []BifurcationPoint, q BifurcationPoint, near float64) bool {
	found := false
	r.projectOn(points, q, func(_ BifurcationPoint, away float64) { found = found || away < near })
	return found
}

// project calls visit with the point nearest to q, and its distance in parts of the intervals, on every line between
// two rows of the curves of q's label.
func (r *Regions) project(q BifurcationPoint, visit func(on BifurcationPoint, away float64)) {
	for _, b := range r.Curves {
		if b.Label == q.Label {
			r.projectOn(b.Points, q, visit)
		}
	}
}

// projectOn is project for one curve.
func (r *Regions) projectOn(points []BifurcationPoint, q BifurcationPoint,
	visit func(on BifurcationPoint, away float64),
) {
	width, height := r.X.Hi-r.X.Lo, r.Y.Hi-r.Y.Lo
	for k := 1; k < len(points); k++ {
		p, n := points[k-1], points[k]
		x0, y0 := (p.X-q.X)/width, (p.Y-q.Y)/height
		dx, dy := (n.X-p.X)/width, (n.Y-p.Y)/height
		part := min(1, max(0, -(x0*dx+y0*dy)/(dx*dx+dy*dy+1e-300)))
		on := p
		on.X, on.Y, on.V = p.X+part*(n.X-p.X), p.Y+part*(n.Y-p.Y), p.V+part*(n.V-p.V)
		visit(on, math.Hypot(x0+part*dx, y0+part*dy))
	}
}
