package network

import "math"

// LIF neurons follow V' = d(t) - a(t) V, where conductances and currents add exponentials, and their products with t,
// to a and d. In an event step V is solved by its power series in the time, whose terms follow one from another:
//
//	(n+1) v[n+1] = d[n] - (a[0] v[n] + a[1] v[n-1] + ... + a[n] v[0])
//
// all of them times h^n, where h is the length of the substep, so that V at its end is the sum of v. The series is a
// polynomial as close to V as its last terms are small, between the ends of the substep too: crossings are its roots.

const (
	seriesTerms = 32
	// seriesLeast is the number of terms from which on two small ones in succession end the series.
	seriesLeast = 4
	// seriesTolerance is the size of the terms that end it, mV: 1/100 of what solverTolerance allows.
	seriesTolerance = 1e-11
	// seriesReach is the longest substep in time constants of V: its terms do not exceed 5 times the change of V.
	seriesReach = 3.0
	// rootTolerance is the step of Newton's method, as a part of the substep, after which its error, which is about the
	// square of that, is far below rounding.
	rootTolerance = 1e-10
)

// inverses are 1/n.
var inverses = func() (q [seriesTerms + 1]float64) {
	for n := 1; n <= seriesTerms; n++ {
		q[n] = 1 / float64(n)
	}
	return q
}()

// powers holds the series of V over a substep, and the terms of a and of the receptors.
type powers struct {
	v    [seriesTerms + 1]float64
	a    [seriesTerms]float64
	term []receptorTerm
}

// receptorTerm is a term of the variables s and y of a receptor, times h R/tau, and what they are multiplied by from
// one term to the next, but for 1/n; before is the last term of y.
type receptorTerm struct{ s, y, before, byS, byY float64 }

// inSeries reports whether V is solved by its series, unless a lane has channels of NMDA: see begin.
func (c *cell) inSeries() bool { return c.resets && !c.exponential }

// integrateSeries is integrate by series.
func (w *cellSolver) integrateSeries(t float64) (done float64, crossed bool) {
	longest := t
	for done < t {
		if w.left--; w.left <= 0 {
			return done, false
		}
		h := min(t-done, longest)
		v, shorter := w.expand(h)
		if v == nil {
			longest = h * shorter
			continue
		}
		if at := firstAbove(v, w.level); at >= 0 {
			w.y[0] = w.level
			w.decay(at * h)
			return done + float64(at*h), true
		}
		w.y[0], _ = polynomial(v, 1)
		w.decay(h)
		if h == t-done {
			break
		}
		done += h
		longest = 2 * h
	}
	return t, false
}

// expand is the series of V over the next h ms; nil if that is too long, and the part of it to try next.
func (w *cellSolver) expand(h float64) (v []float64, shorter float64) {
	c, p := w.c, &w.powers
	per := h * c.per[w.l]
	w.beginTerms(h, per)
	an, dn := h*c.rate[w.l], math.FMA(per, w.extra, h*c.drive[w.l])
	p.v[0] = w.y[0]
	for n := range seriesTerms {
		for j := range p.term {
			q := &w.o.receptors[j]
			x := p.term[j].next(q.kind, n)
			if q.current {
				dn += x
			} else {
				an += x
				dn = math.FMA(q.e, x, dn)
			}
		}
		if n == 0 && !(math.Abs(an) <= seriesReach) {
			return nil, max(0.001, 0.99*seriesReach/max(math.Abs(an), 2*seriesReach))
		}
		p.a[n] = an
		for m := n; m >= 0; m-- {
			dn = math.FMA(-p.a[m], p.v[n-m], dn)
		}
		p.v[n+1] = dn * inverses[n+1]
		if n >= seriesLeast && max(math.Abs(p.v[n+1]), math.Abs(p.v[n])) <= seriesTolerance {
			return p.v[:n+2], 0
		}
		an, dn = 0, 0
	}
	return nil, 0.5
}

// beginTerms sets the first terms of the receptors for a substep of h ms; per is h R/tau.
func (w *cellSolver) beginTerms(h, per float64) {
	p := &w.powers
	p.term = p.term[:0]
	for j := range w.o.receptors {
		q := &w.o.receptors[j]
		by := -h / q.tau
		t := receptorTerm{s: w.s[j] * per, y: w.x[j] * per, byS: by, byY: by}
		switch q.kind {
		case Delta:
			t = receptorTerm{}
		case AlphaCurrent, AlphaConductance:
			t.y *= h
		case BiexpConductance:
			t.byY = -h / q.rise
		}
		p.term = append(p.term, t)
	}
}

// next is term n of the current or conductance.
func (t *receptorTerm) next(kind Kind, n int) float64 {
	by := inverses[n+1]
	s, y := t.s, t.y
	t.s = s * float64(t.byS*by)
	switch kind {
	case AlphaCurrent, AlphaConductance: // (s + t y) exp(-t/tau)
		s += t.before
		t.before, t.y = y, y*float64(t.byY*by)
	case BiexpConductance:
		t.y = y * float64(t.byY*by)
		return s - y
	}
	return s
}

// polynomial is the sum of c[n] x^n and its derivative.
func polynomial(c []float64, x float64) (y, slope float64) {
	for n := len(c) - 1; n >= 0; n-- {
		slope = math.FMA(slope, x, y)
		y = math.FMA(y, x, c[n])
	}
	return y, slope
}

// firstAbove is where the polynomial c, below the level at 0, reaches it between 0 and 1; -1 if it does not.
func firstAbove(c []float64, level float64) float64 {
	if math.IsInf(level, 1) {
		return -1
	}
	if end, _ := polynomial(c, 1); end >= level {
		return root(c, level, 1)
	}
	most := c[0]
	for _, x := range c[1:] {
		most += max(x, 0)
	}
	if most < level {
		return -1
	}
	return firstMaximum(c, level)
}

// levelParts is the number of parts of a substep in each of which V has at most one maximum: currents and conductances
// that rise and decay within a substep have two or three extrema of V there.
const levelParts = 8

// firstMaximum is where the polynomial c, below the level at 0 and at 1, first reaches it, by its maxima between.
func firstMaximum(c []float64, level float64) float64 {
	rises := c[1] > 0
	for i := 1; i <= levelParts; i++ {
		hi := float64(i) / levelParts
		y, slope := polynomial(c, hi)
		if y < level && rises && slope < 0 {
			hi = maximum(c, float64(i-1)/levelParts, hi)
			y, _ = polynomial(c, hi)
		}
		if y >= level {
			return root(c, level, hi)
		}
		rises = slope > 0
	}
	return -1
}

// maximum is where the slope of the polynomial c, above 0 at lo and below it at hi, is 0, by bisection: its height is
// exact to rounding where its place is to the square root of that.
func maximum(c []float64, lo, hi float64) float64 {
	for range 30 {
		x := 0.5 * (lo + hi)
		if _, slope := polynomial(c, x); slope > 0 {
			lo = x
		} else {
			hi = x
		}
	}
	return 0.5 * (lo + hi)
}

// root is where the polynomial c, which is below the level at 0 and not at hi, reaches it, by Newton's method kept
// between the two.
func root(c []float64, level, hi float64) float64 {
	lo, x := 0.0, (level-c[0])/c[1]
	for range 60 {
		if !(x > lo && x < hi) {
			x = 0.5 * (lo + hi)
		}
		y, slope := polynomial(c, x)
		if y -= level; y < 0 {
			lo = x
		} else {
			hi = x
		}
		step := y / slope
		x -= step
		if math.Abs(step) <= rootTolerance {
			return min(max(x, lo), hi)
		}
	}
	return hi
}
