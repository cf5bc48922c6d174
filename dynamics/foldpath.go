package dynamics

import (
	"context"
	"fmt"
	"math"
)

// foldPath is the way along a curve of folds of cycles, from one of them on.
type foldPath struct {
	*foldTracer
	r     *Regions
	start fold
	at    *fold
	d     [2]float64 // direction of the curve at the present fold, in steps
	h     float64    // length of the next step, in steps
	rows  []BifurcationPoint
	left  bool // the neighbourhood of start has been left
	inner bool // the present fold has been moved away from the end of a canard
	known int  // rows in succession that lie on a curve that is there already
	again int  // rows in succession that lie on the curve itself
	since int  // rows since the last one on a canard
}

// follow lists the folds along the curve from f, at first towards side, until the curve leaves the plane, ends in a
// Bautin point, is closed, runs into a curve that is known, or cannot be followed further. The row of f itself is not
// included.
func (w *foldTracer) follow(ctx context.Context, f *fold, side [2]float64,
	r *Regions,
) (rows []BifurcationPoint, closed bool) {
	p := &foldPath{foldTracer: w, r: r, start: *f, at: f, d: f.direction(side), h: 0.1, since: math.MaxInt32}
	for len(p.rows) < mostFolds && ctx.Err() == nil {
		if end := p.step(); end {
			break
		}
		if p.closed() {
			return append(p.rows, w.foldRow(f.cyclePoint, f.frame.x, f.frame.y)), true
		}
	}
	return p.rows, false
}

// step advances to the next fold, or shortens the next step if there is none. It reports the end of the curve.
func (p *foldPath) step() (end bool) {
	f := p.at
	q, x, y, ok := p.foldTracer.step(f, p.d, p.h)
	row := p.foldRow(q, x, y)
	if ok {
		if last, end := p.atBoundary(f, p.d, p.h, row, q.vMax-q.vMin, p.r); end {
			p.rows = append(p.rows, last...)
			return true
		}
	}
	var next *fold
	var on [2]float64
	if ok {
		next, on, ok = p.successor(f, q, x, y)
		ok = ok && (next.flat() || !f.flat() || p.inner) // off the end of a canard the curve would turn back
	}
	switch {
	case ok:
		p.cuspBefore(next)
		p.at, p.d = next, next.direction(on)
		p.h, p.inner = min(1, 1.5*p.h), false
		return p.add(row)
	case f.flat() && !p.inner:
		p.at, p.inner = p.inward(f, p.start.vMax), true
		p.d = p.at.direction(p.d)
	}
	if p.h /= 2; p.h < foldSmallest {
		p.lost()
		return true
	}
	return false
}

// cuspBefore adds the cusp of cycles between the present fold and the next one, if there is one.
func (p *foldPath) cuspBefore(next *fold) {
	const away = 10 // rows; beside a canard the sign of the second derivative is that of rounding
	f := p.at
	if p.since++; f.flat() {
		p.since = 0
	}
	if (next.bs < 0) == (f.bs < 0) || f.flat() || next.flat() || p.since < away {
		return
	}
	if c, ok := p.cusp(f, next, p.d, p.h); ok {
		p.r.addPoint(c)
	}
}

// add adds the row of the present fold. It reports the end of the curve: where it has run into one that is there
// already, or into itself, or a homoclinic orbit is near.
func (p *foldPath) add(row BifurcationPoint) (end bool) {
	const (
		believed = 4 // rows in succession that lie on another curve
		behind   = 6 // rows that are near for being neighbours
	)
	p.rows = append(p.rows, row)
	n := len(p.rows)
	if p.known++; !p.r.hasFold(row, p.at.flat()) {
		p.known = 0
	}
	// Where two curves of folds have come together on a canard, one goes over into the other.
	if p.again++; !p.at.flat() || !p.r.along(p.rows[:max(0, n-behind)], row, foldSameFlat) {
		p.again = 0
	}
	switch {
	case p.known == believed:
		p.rows = p.rows[:n-believed+1]
	case p.again == believed:
		p.rows = p.rows[:n-believed]
		p.lost()
	case p.at.period > max(foldLongest, 8*p.start.period):
		p.lost()
	default:
		return false
	}
	return true
}

// closed reports whether the curve has come back to its start.
func (p *foldPath) closed() bool {
	f, s := p.at, p.start
	away := math.Hypot(f.frame.x-s.frame.x, f.frame.y-s.frame.y)
	p.left = p.left || away > 2*foldStep
	return p.left && away < 0.75*foldStep && math.Abs(f.vMax-s.vMax) < foldJumpV/2 &&
		math.Abs(f.vMin-s.vMin) < foldJumpV/2 && math.Abs(f.period/s.period-1) < 0.05
}

// inward is the canard f moved along its branch, at first towards the largest V given, to where the parameters change
// least: from the end of the canard, where a step would leave it, to its middle.
func (w *foldTracer) inward(f *fold, v float64) *fold {
	const most, first = 10, 0.1 // steps; the first of them, in steps along the branch
	q, g := f.cyclePoint, f.frame
	slope := make([]float64, w.dim)
	q.tangent.at(q.sMax, slope)
	toward := math.Copysign(1, (v-q.vMax)*slope[0])
	side, h := toward, first
	for n := 0; n < most; n++ {
		su, _ := w.units(q)
		ds := side * h * su
		moved, err := w.cycleAt(&fold{cyclePoint: q, frame: g}, q.plus(ds, q.tangent), ds, 0)
		flatness := math.Abs(moved.tangent.mu)
		switch {
		case err == nil && math.Abs(moved.mu) < foldCanard &&
			(flatness < foldRounding || flatness < math.Abs(q.tangent.mu)):
			g.x, g.y = g.point(0, moved.mu)
			q, q.mu = moved, 0
			h = min(1, 2*h)
		case side == toward && h == first:
			side = -toward
		default:
			n = most
		}
	}
	if next, err := w.prepare(q, g); err == nil && next.flat() {
		return next
	}
	return f
}

// foldEnd is a place where a curve of folds of cycles could be followed no further.
type foldEnd struct {
	BifurcationPoint
	period float64 // ms
	flat   bool    // on a canard
}

// lost notes that the curve can be followed no further than its last row.
func (p *foldPath) lost() {
	f := p.at
	e := foldEnd{p.foldRow(f.cyclePoint, f.frame.x, f.frame.y), f.period, f.flat()}
	if n := len(p.rows); n > 0 {
		e.BifurcationPoint, e.period = p.rows[n-1], 1000/p.rows[n-1].Frequency
	}
	p.ends = append(p.ends, e)
}

// reportEnds warns of the ends of curves, with the kind of each end if it is known. Where another curve goes on from an
// end, nothing is missing. curve is the number of that of each end.
func (w *foldTracer) reportEnds(r *Regions) {
	const near = 0.01 // of the intervals
	for _, e := range w.ends {
		passing := 0
		for _, c := range r.Curves {
			if c.Label == CycleFold && r.along(c.Points, e.BifurcationPoint, foldSame) {
				passing++ // among them its own
			}
		}
		if passing > 1 {
			continue
		}
		q := e.BifurcationPoint
		q.Label = Homoclinic
		on, away := r.nearest(q)
		place := fmt.Sprintf("%s = %.6g, %s = %.6g", w.t.x.Name, q.X, w.t.y.Name, q.Y)
		var err error
		switch {
		case away < near:
			err = fmt.Errorf("dynamics: a curve of folds of cycles ends at homoclinic orbits near %s (known to %.1g, %.1g)",
				place, math.Abs(on.X-q.X), math.Abs(on.Y-q.Y))
		case e.period > foldLongest:
			err = fmt.Errorf("dynamics: a curve of folds of cycles is found up to %s, where the period is %.4g ms; beyond, "+
				"it grows without bound", place, e.period)
		case e.flat:
			err = fmt.Errorf("dynamics: a curve of folds of cycles is found up to %s; beyond, the cycle is a canard, on which "+
				"folds cannot be distinguished", place)
		default:
			err = fmt.Errorf("dynamics: a curve of folds of cycles cannot be followed beyond %s, period %.4g ms", place,
				e.period)
		}
		r.Warnings = append(r.Warnings, err)
	}
}
