package dynamics

import (
	"cmp"
	"math"
	"math/cmplx"
	"slices"

	"gonum.org/v1/gonum/mat"

	"popsim/model"
)

// FixedPoint is an equilibrium with its stability.
type FixedPoint struct {
	State       []float64
	Eigenvalues []complex128 // of the Jacobian, 1/ms, the largest real part first
	Type        string       // stable node, unstable focus, saddle, ...; unknown where the eigenvalues are NaN
	Stable      bool
}

// FixedPoints lists every equilibrium for input current i in ascending order of V. They are the roots of one function
// of V, the steady current less i; between two neighbouring zeros of its slope it has at most one root, so that no
// two are ever taken for one, however near. Where the current enters several equations they are searched for by
// Newton's method from many starts.
func FixedPoints(m *model.Model, p []float64, i float64) []FixedPoint {
	s := newSystem(m, p, i, "I")
	var points []FixedPoint
	for _, y := range s.steadyStates() {
		points = append(points, s.classify(y))
	}
	return points
}

// classify finds the eigenvalues at the equilibrium y and its type.
func (s *system) classify(y []float64) FixedPoint {
	f := FixedPoint{State: y, Eigenvalues: s.eigenvalues(y)}
	unstable, spiral := 0, false
	for _, l := range f.Eigenvalues {
		if real(l) > 0 {
			unstable++
		}
	}
	// The type is that of the leading eigenvalues: the slowest directions of a stable equilibrium, the fastest unstable
	// ones of another.
	spiral = imag(f.Eigenvalues[0]) != 0
	f.Stable = unstable == 0 && !cmplx.IsNaN(f.Eigenvalues[0])
	switch {
	case cmplx.IsNaN(f.Eigenvalues[0]):
		f.Type = "unknown"
	case unstable > 0 && unstable < len(y) && !spiral:
		f.Type = "saddle"
	case unstable > 0 && unstable < len(y):
		f.Type = "saddle-focus"
	case f.Stable && spiral:
		f.Type = "stable focus"
	case f.Stable:
		f.Type = "stable node"
	case spiral:
		f.Type = "unstable focus"
	default:
		f.Type = "unstable node"
	}
	return f
}

func (s *system) eigenvalues(y []float64) []complex128 {
	d := len(y)
	jac := make([]float64, d*d)
	s.jacobian(y, jac)
	return eigenvalues(jac, d)
}

// eigenvalues of a d×d matrix, the largest real part first.
func eigenvalues(a []float64, d int) []complex128 {
	for _, x := range a {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return slices.Repeat([]complex128{cmplx.NaN()}, d)
		}
	}
	var e mat.Eigen
	if !e.Factorize(mat.NewDense(d, d, slices.Clone(a)), mat.EigenNone) {
		return slices.Repeat([]complex128{cmplx.NaN()}, d)
	}
	v := e.Values(nil)
	slices.SortFunc(v, func(a, b complex128) int {
		return cmp.Or(-cmp.Compare(real(a), real(b)), -cmp.Compare(imag(a), imag(b)))
	})
	return v
}

// det is the determinant of the d×d matrix m, by elimination with row pivots, in place.
func det(m []float64, d int) float64 {
	product := 1.0
	for k := range d {
		pivot := k
		for r := k + 1; r < d; r++ {
			if math.Abs(m[r*d+k]) > math.Abs(m[pivot*d+k]) {
				pivot = r
			}
		}
		if m[pivot*d+k] == 0 {
			return 0
		}
		if pivot != k {
			product = -product
			for c := k; c < d; c++ {
				m[k*d+c], m[pivot*d+c] = m[pivot*d+c], m[k*d+c]
			}
		}
		product *= m[k*d+k]
		for r := k + 1; r < d; r++ {
			f := m[r*d+k] / m[k*d+k]
			for c := k + 1; c < d; c++ {
				m[r*d+c] -= f * m[k*d+c]
			}
		}
	}
	return product
}

// excess is the steady current at v less the input: zero at an equilibrium, for every choice of the free parameter.
func (s *system) excess(v float64) float64 {
	return s.m.Steady(s.p, v, s.scratch.y) - s.i
}

// slope is the derivative of the steady current by v. At a state (v, x(v)) where only V moves, it is -det J/det J_x
// divided by ∂(dV/dt)/∂I, with J_x the Jacobian of the other variables.
func (s *system) slope(v float64) float64 {
	if s.m.Spikes != nil {
		return s.slopeOfAll(v)
	}
	d := s.dim()
	y, full, rest, zero, one := s.scratch.y, s.scratch.full, s.scratch.other, s.scratch.zero, s.scratch.one
	s.m.Steady(s.p, v, y)
	s.m.Jacobian(s.p, s.i, y, full)
	for r := 1; r < d; r++ {
		copy(rest[(r-1)*(d-1):], full[r*d+1:r*d+d])
	}
	s.m.Deriv(s.p, 0, y, zero)
	s.m.Deriv(s.p, 1, y, one)
	return -det(full, d) / det(rest, d-1) / (one[0] - zero[0])
}

// slopeOfAll is slope where the current may enter any equation: with f the vector field, it is by Cramer's rule
// -det(∂f/∂V, ∂f/∂x)/det(∂f/∂I, ∂f/∂x).
func (s *system) slopeOfAll(v float64) float64 {
	d := s.dim()
	y, full, other, byCurrent := s.scratch.y, s.scratch.full, s.scratch.other, s.scratch.one
	i := s.m.Steady(s.p, v, y)
	s.m.Jacobian(s.p, i, y, full)
	s.m.Spikes.ByCurrent(s.p, i, y, byCurrent)
	copy(other, full)
	for r := range d {
		other[r*d] = byCurrent[r]
	}
	return -det(full, d) / det(other, d)
}

// reach is an interval of V that holds every equilibrium.
func (s *system) reach() (lo, hi float64) {
	at := func(name string) float64 { return s.p[s.m.Index(name)] }
	switch {
	case s.m.Outside():
		return s.reachOfOwn()
	case s.m.Fires == model.Reset:
		slope, top := 1.0, at("V_th")
		if s.m.Index("a") >= 0 {
			slope += at("a") * at("R")
		}
		away := math.Abs(at("R") * s.i)
		if k := s.m.Index("delta_T"); k >= 0 {
			away += s.p[k]
		}
		if slope != 0 {
			away /= math.Abs(slope)
		}
		return max(min(at("V_rest")-2*away, top-100)-1, -math.MaxFloat64), top // at V_th the flow ends
	}
	lo, hi = s.reversals()
	away := 1e5
	if g := at("g_L"); g > 0 {
		away = min(away, math.Abs(s.i)/g)
	}
	return lo - away - 1, hi + away + 1
}

// reversals are the least and the largest reversal potential, mV.
func (s *system) reversals() (lo, hi float64) {
	if s.m.Outside() {
		return s.m.Reach(s.p)
	}
	at := func(name string) float64 { return s.p[s.m.Index(name)] }
	return min(at("E_Na"), at("E_K"), at("E_L")), max(at("E_Na"), at("E_K"), at("E_L"))
}

// equilibria lists the potentials of all equilibria in ascending order.
func (s *system) equilibria() []float64 {
	lo, hi := s.reach()
	ends := append([]float64{lo}, s.turns(lo, hi)...)
	ends = append(ends, hi)
	if n := len(ends) - 1; n > 0 { // far out the rates of gates overflow
		ends[0], ends[n] = s.finite(ends[0], ends[1]), s.finite(ends[n], ends[n-1])
	}
	var roots []float64
	for k := 1; k < len(ends); k++ {
		a, b := s.excess(ends[k-1]), s.excess(ends[k])
		if a == 0 && k > 1 { // exactly at a fold
			roots = append(roots, ends[k-1])
		} else if a != 0 && b != 0 && !math.IsNaN(a) && !math.IsNaN(b) && (a < 0) != (b < 0) {
			roots = append(roots, root(s.excess, ends[k-1], ends[k]))
		}
	}
	return slices.Compact(slices.DeleteFunc(roots, func(v float64) bool { return math.IsNaN(v) || s.spiking(v) }))
}

// finite is v, or, if the steady current is not finite there, a V between v and inner at which it is.
func (s *system) finite(v, inner float64) float64 {
	const most = 100 // halvings
	for k := 0; k < most && math.IsNaN(s.excess(v)); k++ {
		v = inner + (v-inner)/2
	}
	return v
}

// turns lists where the steady current has its extremes between lo and hi. They do not depend on the input, and are
// kept as long as nothing else changes.
func (s *system) turns(lo, hi float64) []float64 {
	if s.known.hi == 0 || lo < s.known.lo || hi > s.known.hi || !slices.Equal(s.known.p, s.p) {
		s.known.lo, s.known.hi, s.known.p = lo, hi, slices.Clone(s.p)
		s.known.turns = zeros(s.slope, s.grid(lo, hi))
	}
	return slices.DeleteFunc(slices.Clone(s.known.turns), func(v float64) bool { return v < lo || v > hi })
}

// grid lists potentials from lo to hi, 0.1 mV apart in the physiological range and with growing distances beyond; where
// the first state is no potential, evenly.
func (s *system) grid(lo, hi float64) []float64 {
	const evenly = 2000
	if s.vUnit != membrane {
		return spread(lo, hi, evenly+1)
	}
	var g []float64
	for v := lo; v < hi; v += 0.1 * max(1, (math.Abs(v+20)-100)/20) {
		g = append(g, v)
	}
	return append(g, hi)
}

// zeros lists the zeros of f between neighbours of the grid at which its sign changes, and pairs of zeros between three
// neighbours, where f touches 0 and turns back.
func zeros(f func(float64) float64, grid []float64) []float64 {
	var found []float64
	values := make([]float64, len(grid))
	for k, x := range grid {
		values[k] = f(x)
	}
	for k := 1; k < len(grid); k++ {
		a, b := values[k-1], values[k]
		if (a < 0) != (b < 0) {
			found = append(found, root(f, grid[k-1], grid[k]))
			continue
		}
		if k+1 == len(grid) || (b < 0) != (values[k+1] < 0) || !dips(a, b, values[k+1]) {
			continue
		}
		if x, fx := turn(f, grid[k-1], grid[k+1], a < 0); (fx < 0) != (a < 0) {
			found = append(found, root(f, grid[k-1], x), root(f, x, grid[k+1]))
		}
	}
	slices.Sort(found)
	return found
}

// dips reports whether the parabola through the values a, b, c of |f| at three neighbours has a minimum between them
// that is clearly lower than |b|.
func dips(a, b, c float64) bool {
	a, b, c = math.Abs(a), math.Abs(b), math.Abs(c)
	if b > a || b > c || a-2*b+c == 0 {
		return false
	}
	return (a-c)*(a-c)/(8*(a-2*b+c)) > 0.1*b || b < 1e-3*max(a, c)
}

// turn finds by golden section where |f| is least between lo and hi, or a place where its sign has changed.
func turn(f func(float64) float64, lo, hi float64, negative bool) (x, fx float64) {
	const golden = 0.6180339887498949
	a, b := hi-golden*(hi-lo), lo+golden*(hi-lo)
	fa, fb := f(a), f(b)
	for range 60 {
		if (fa < 0) != negative {
			return a, fa
		}
		if (fb < 0) != negative {
			return b, fb
		}
		if math.Abs(fa) < math.Abs(fb) {
			hi, b, fb = b, a, fa
			a = hi - golden*(hi-lo)
			fa = f(a)
		} else {
			lo, a, fa = a, b, fb
			b = lo + golden*(hi-lo)
			fb = f(b)
		}
	}
	return a, fa
}
