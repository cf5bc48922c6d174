package dynamics

import (
	"errors"
	"math"
)

// field writes the derivative of y at the independent variable x.
type field func(x float64, y, dy []float64)

// stepper integrates a field by the extrapolated midpoint rule of Gragg, Bulirsch and Stoer: the midpoint rule with 2,
// 4, ..., 2·columns steps over the same interval has an error in even powers of the step, and each column of Neville's
// scheme removes one. The order is 2·columns, and no table of coefficients is needed. Hairer, Nørsett & Wanner, Solving
// Ordinary Differential Equations I, section II.9.
type stepper struct {
	f       field
	tol     float64 // error allowed in a step, relative to 1 + |y|
	columns int
	slope   []float64   // f at the start of the step
	row     [][]float64 // row[j] is the result with 2(j+1) substeps, extrapolated
	a, b, d []float64
}

// Tolerances of the integrator. At reference the rounding errors of the extrapolation are still ten times smaller.
const (
	reference = 1e-13
	coarse    = 1e-9
	rough     = 1e-6
)

func newStepper(dim int, tol float64, f field) *stepper {
	s := &stepper{f: f, tol: tol, columns: 8}
	switch {
	case tol >= rough:
		s.columns = 4
	case tol > 1e-11:
		s.columns = 5
	}
	s.slope, s.a, s.b, s.d = make([]float64, dim), make([]float64, dim), make([]float64, dim), make([]float64, dim)
	for range s.columns {
		s.row = append(s.row, make([]float64, dim))
	}
	return s
}

// try integrates from (x, y) to x+h, writes the state there to out, and returns the estimated error in units of the
// tolerance; the step is accepted if that is at most 1. s.slope must hold f(x, y). out must not be y.
func (s *stepper) try(x float64, y []float64, h float64, out []float64) float64 {
	for j := range s.row {
		s.midpoint(x, y, h, 2*(j+1), s.row[j])
		for l := j - 1; l >= 0; l-- { // row[l] holds column j-l of the scheme: extrapolate down to column j
			q := float64(j+1) / float64(l+1)
			w := 1 / (q*q - 1)
			for c := range y {
				s.row[l][c] = s.row[l+1][c] + w*(s.row[l+1][c]-s.row[l][c])
			}
		}
	}
	worst := 0.0
	for c := range y {
		out[c] = s.row[0][c]
		e := math.Abs(out[c]-s.row[1][c]) / (s.tol * (1 + max(math.Abs(y[c]), math.Abs(out[c]))))
		if math.IsNaN(e) {
			return math.Inf(1)
		}
		worst = max(worst, e)
	}
	return worst
}

// midpoint writes to out the state after h by n (even) steps of the midpoint rule.
func (s *stepper) midpoint(x float64, y []float64, h float64, n int, out []float64) {
	sub := h / float64(n)
	before, now := s.a, s.b
	copy(before, y)
	for c := range y {
		now[c] = y[c] + sub*s.slope[c]
	}
	for k := 1; k < n; k++ {
		s.f(x+float64(k)*sub, now, s.d)
		for c := range before {
			before[c] += 2 * sub * s.d[c]
		}
		before, now = now, before
	}
	copy(out, now)
}

// resize proposes the next step after one of size h with the error estimate e.
func (s *stepper) resize(h, e float64) float64 {
	if e == 0 {
		return 4 * h
	}
	return h * min(4, max(0.1, 0.9*math.Pow(e, -1/float64(2*s.columns-1))))
}

var errStepTooSmall = errors.New("dynamics: the solution cannot be continued: the step has become too small")

// advance makes one accepted step from (x, y) towards end, first trying the size h, and writes the state to out. It
// returns the size of the step and a proposal for the next.
func (s *stepper) advance(x float64, y []float64, end, h float64, out []float64) (made, next float64, err error) {
	s.f(x, y, s.slope)
	if math.Abs(h) > math.Abs(end-x) || h == 0 {
		h = end - x
	}
	for {
		e := s.try(x, y, h, out)
		if e <= 1 {
			return h, s.resize(h, e), nil
		}
		h = s.resize(h, e)
		if !(math.Abs(h) >= 1e-14*(math.Abs(x)+1e-2)) { // or NaN
			return 0, 0, errStepTooSmall
		}
	}
}

// crossing finds the part of the step from (x, y) to x+h, whose end state is out, at which component c reaches level;
// y[c] and out[c] lie on different sides of it. It steps again from the start, so the state it leaves in out is as
// accurate as any step. s.slope must hold f(x, y).
func (s *stepper) crossing(x float64, y []float64, h float64, c int, level float64, out []float64) float64 {
	lo, hi := 0.0, h
	flo, fhi := y[c]-level, out[c]-level
	at := h
	for range 60 {
		// Newton from the last point, or regula falsi, or the middle: whichever stays inside.
		s.f(x+at, out, s.d)
		next := at - (out[c]-level)/s.d[c]
		if !(next > min(lo, hi) && next < max(lo, hi)) {
			next = lo - flo*(hi-lo)/(fhi-flo)
		}
		if !(next > min(lo, hi) && next < max(lo, hi)) {
			next = lo + (hi-lo)/2
		}
		moved := math.Abs(next - at)
		at = next
		s.try(x, y, at, out)
		miss := out[c] - level
		if (miss < 0) == (flo < 0) {
			lo, flo = at, miss
		} else {
			hi, fhi = at, miss
		}
		if miss == 0 || moved < 1e-15*(math.Abs(x)+math.Abs(h)) || math.Abs(hi-lo) < 1e-15*(math.Abs(x)+math.Abs(h)) {
			break
		}
	}
	return at
}
