package equations

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"popsim/equations/graph"
	"popsim/model"
)

// Constants of Newton's method for the steady states at a given value of the first one.
const (
	steadyRounds = 60
	steadyError  = 1e-13 // relative to a state and one unit
)

// equilibria sets the steady states of m: the other states and the current for a value of the first state, and the
// values of the first state for a current.
func (d *definition) equilibria(m *model.Model, start []float64) {
	n := len(d.states)
	// Unknowns are the other states and I, in this order; the equations are those of all states.
	var jac []*graph.Node
	for _, f := range d.slopes {
		for j := 1; j <= n; j++ {
			jac = append(jac, d.Derivative(f, j)) // variable n is I
		}
	}
	slopes, derivatives := d.function(d.slopes...), d.function(jac...)
	from := func(p, y []float64) float64 {
		return newton(n, y, d.current.Default, func(i float64, f, j []float64) {
			slopes.run(p, i, y, f)
			derivatives.run(p, i, y, j)
		})
	}
	m.Steady = func(p []float64, v float64, y []float64) float64 {
		copy(y, start)
		y[0] = v
		return from(p, y)
	}
	if d.nonlinear() {
		m.Ambiguous = onceForEqual(func(p []float64) bool { return ambiguous(m, p, start, from) })
	}
	m.Reach = func(p []float64) (low, high float64) { return d.reach(p, m.Rest(p)) }
	m.Equilibria = func(p []float64, i float64) []float64 { return d.roots(m, p, i) }
}

// newton solves for the states from y[1] on and for the current, which it returns; NaN where it finds nothing.
func newton(n int, y []float64, current float64, at func(i float64, f, j []float64)) float64 {
	f, j := make([]float64, n), make([]float64, n*n)
	step := mat.NewVecDense(n, nil)
	for range steadyRounds {
		at(current, f, j)
		if err := step.SolveVec(mat.NewDense(n, n, j), mat.NewVecDense(n, f)); err != nil && !illConditioned(err) {
			return math.NaN()
		}
		done := true
		for k := range n {
			x := step.AtVec(k)
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return math.NaN()
			}
			value := &current
			if k < n-1 {
				value = &y[k+1]
			}
			*value -= x
			done = done && math.Abs(x) <= steadyError*(1+math.Abs(*value))
		}
		if done {
			return current
		}
	}
	return math.NaN()
}

func illConditioned(err error) bool {
	_, ok := err.(mat.Condition)
	return ok
}

// reach is the range in which equilibria are searched for: that of all parameters in the unit of the first state, its
// start and its threshold, widened by its own width.
func (d *definition) reach(p []float64, start float64) (low, high float64) {
	low, high = start, start
	for j, q := range d.parameters {
		if q.dim == d.states[0].dim && q.Unit == d.states[0].Unit {
			low, high = min(low, p[j]), max(high, p[j])
		}
	}
	width := max(high-low, 1)
	return low - width, high + width
}

// scanned is the number of intervals of the reach in which equilibria are searched for.
const scanned = 2000

// flat is the largest excess at a root, as a part of those at the ends of its interval.
const flat = 1e-3

func (d *definition) roots(m *model.Model, p []float64, i float64) (found []float64) {
	y := make([]float64, len(d.states))
	excess := func(v float64) float64 { return m.Steady(p, v, y) - i }
	low, high := m.Reach(p)
	lo, flo := low, excess(low)
	for k := 1; k <= scanned; k++ {
		hi := low + (high-low)*float64(k)/scanned
		fhi := excess(hi)
		if flo == flo && fhi == fhi && (flo < 0) != (fhi < 0) {
			// Where Newton's method passes to other steady states the sign changes in a jump.
			if v := bisect(excess, lo, hi); math.Abs(excess(v)) < flat*(math.Abs(flo)+math.Abs(fhi)) {
				found = append(found, v)
			}
		}
		lo, flo = hi, fhi
	}
	return found
}

// bisect finds the sign change of f between lo and hi to the last bit.
func bisect(f func(float64) float64, lo, hi float64) float64 {
	negative := f(lo) < 0
	for {
		mid := lo + float64((hi-lo)/2)
		if !(mid > lo && mid < hi) {
			return mid
		}
		if (f(mid) < 0) == negative {
			lo = mid
		} else {
			hi = mid
		}
	}
}
