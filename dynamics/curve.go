package dynamics

import (
	"fmt"
	"math"

	"popsim/model"
)

// curvePoint is a point of the plane of V (mV) and a second quantity: the free parameter, or another state variable.
type curvePoint struct{ v, mu float64 }

// curve is the set of points in a box at which the function gap is zero. It is followed by pseudo-arclength
// continuation.
type curve struct {
	gap            func(curvePoint) (g, gv, gmu float64) // with its slopes
	scales         func(curvePoint) (v, mu float64)      // steps in both directions that count as one
	visit          func(a, b curvePoint)                 // is called with both ends of every step, if not nil
	halt           func() error                          // called every haltEvery points: an error ends the path
	most           int                                   // the largest number of points of one path
	lo, hi         float64                               // the box in mu
	floor, ceiling float64                               // and in V
	name           string                                // of mu
	first          model.State                           // the state v
}

// haltEvery is the number of points of a path, or of steps of an integration, between two calls of halt.
const haltEvery = 1024

// follow follows the curve through start, first towards larger V (direction 1) or smaller (-1), until it leaves the box
// or returns to start. The last point lies exactly on the edge of the box.
func (c *curve) follow(start curvePoint, direction float64) (path []curvePoint, end string, err error) {
	path = []curvePoint{start}
	sign := 0.0
	turns := 0
	for h := 1.0; len(path) < c.most; {
		if turns++; c.halt != nil && turns%haltEvery == 0 {
			if err := c.halt(); err != nil {
				return path, BranchEnd, err
			}
		}
		q := path[len(path)-1]
		sv, smu := c.scales(q)
		_, gv, gmu := c.gap(q)
		tangent := [2]float64{-gmu * smu, gv * sv}
		norm := math.Hypot(tangent[0], tangent[1])
		if sign == 0 { // the gradient stays on one side of the way, however sharply that turns
			sign = 1
			if lead := tangent[0] * direction; lead < 0 || lead == 0 && tangent[1]*direction < 0 {
				sign = -1
			}
		}
		tangent[0] *= sign / norm
		tangent[1] *= sign / norm
		next := curvePoint{q.v + h*tangent[0]*sv, q.mu + h*tangent[1]*smu}
		guess := next
		ok := c.correct(&next, sv, smu)
		_, nv, nmu := c.gap(next)
		// Turned by less than 60 degrees, and near q; both are false for NaN.
		straight := (-nmu*smu*tangent[0]+nv*sv*tangent[1])*sign >= 0.5*math.Hypot(nmu*smu, nv*sv)
		if off := math.Hypot((next.v-guess.v)/sv, (next.mu-guess.mu)/smu); !(ok && off <= 0.2*h && straight) {
			if h /= 2; h < 1e-9 {
				return path, BranchEnd, c.lost(q)
			}
			continue
		}
		if last, end := c.leaves(q, next); end != "" {
			switch {
			case math.IsNaN(last.v + last.mu):
				return path, BranchEnd, c.lost(q)
			case len(path) > 1 || q != last:
				c.note(q, last)
				path = append(path, last)
			}
			return path, end, nil
		}
		c.note(q, next)
		if len(path) > 2 && math.Hypot((start.v-q.v)/sv, (start.mu-q.mu)/smu) < 0.9*h {
			return append(path, start), Closed, nil
		}
		path = append(path, next)
		h = min(1, 1.5*h)
	}
	return path, BranchEnd, fmt.Errorf("dynamics: a curve was left at %s = %.8g after %d points", c.name,
		path[len(path)-1].mu, c.most)
}

// leaves returns the label of the end if the curve leaves the box between its adjacent points q and next, and "" if it
// does not; last is the point on the edge, NaN if it cannot be located.
func (c *curve) leaves(q, next curvePoint) (last curvePoint, end string) {
	mu, v := min(max(next.mu, c.lo), c.hi), min(max(next.v, c.floor), c.ceiling)
	switch {
	case next.mu != mu && q.mu == mu || next.mu == mu && next.v != v && q.v == v: // it begins on the edge
		last = q
	case next.mu != mu:
		last = c.between(q, next, func(x curvePoint) float64 { return x.mu - mu })
		last.mu = mu
	case next.v != v:
		last = c.between(q, next, func(x curvePoint) float64 { return x.v - v })
		last.v = v
	}
	switch {
	case next.mu != mu:
		return last, IntervalEnd
	case next.v != v:
		return last, BranchEnd
	}
	return last, ""
}

// lost is the error of a curve that cannot be followed beyond q in floating point.
func (c *curve) lost(q curvePoint) error { return lostAt(c.name, q.mu, c.first, q.v) }

// lostAt is the error of a curve that cannot be followed beyond the value mu of the parameter name and v of the first
// state.
func lostAt(name string, mu float64, first model.State, v float64) error {
	unit := ""
	if first.Unit == "mV" {
		unit = " mV"
	}
	return fmt.Errorf("dynamics: a curve cannot be followed beyond %s = %.8g, %s = %.6g%s", name, mu, first.Name, v, unit)
}

// correct moves q onto the curve by Newton steps perpendicular to it.
func (c *curve) correct(q *curvePoint, sv, smu float64) bool {
	last := math.Inf(1)
	for range 20 {
		g, gv, gmu := c.gap(*q)
		a, b := gv*sv, gmu*smu
		f := g / (a*a + b*b)
		if math.IsNaN(f) {
			return false
		}
		q.v -= f * a * sv
		q.mu -= f * b * smu
		size := math.Abs(f) * math.Hypot(a, b)
		if size < 1e-13 || size >= last/2 && size < 1e-9 { // the rest is the rounding of V
			return true
		}
		last = size
	}
	return false
}

// between finds the zero of test on the curve between its adjacent points a and b.
func (c *curve) between(a, b curvePoint, test func(curvePoint) float64) curvePoint {
	sv, smu := c.scales(a)
	dv, dmu := (b.v-a.v)/sv, (b.mu-a.mu)/smu
	norm := math.Hypot(dv, dmu)
	across := [2]float64{-dmu / norm * sv, dv / norm * smu} // square to the chord
	on := func(theta float64) curvePoint {
		q := curvePoint{a.v + theta*(b.v-a.v), a.mu + theta*(b.mu-a.mu)}
		for range 20 {
			g, gv, gmu := c.gap(q)
			d := g / (gv*across[0] + gmu*across[1])
			q.v -= d * across[0]
			q.mu -= d * across[1]
			if math.Abs(d) < 1e-14 {
				break
			}
		}
		return q
	}
	return on(root(func(theta float64) float64 { return test(on(theta)) }, 0, 1))
}

func (c *curve) note(a, b curvePoint) {
	if c.visit != nil {
		c.visit(a, b)
	}
}
