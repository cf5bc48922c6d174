package dynamics

import (
	"math"
	"math/cmplx"

	"gonum.org/v1/gonum/mat"
)

// lyapunov is the first Lyapunov coefficient of the Hopf point y with frequency omega (rad/ms): negative where the
// cycle that is born is stable (supercritical). With A q = iω q, |q| = 1, Aᵀp = -iω p, <p, q> = 1 it is
//
//	Re[<p, C(q,q,q̄)> - 2 <p, B(q, A⁻¹B(q,q̄))> + <p, B(q̄, (2iω - A)⁻¹B(q,q))>] / (2ω)
//
// with B and C the second and third derivatives of the field: Kuznetsov, Elements of Applied Bifurcation Theory,
// section 5.4. They are differences of the Jacobian.
func (s *system) lyapunov(y []float64, omega float64) float64 {
	d := len(y)
	a := make([]float64, d*d)
	s.jacobian(y, a)
	scale := s.differenceSteps(y)
	q := nullVector(a, d, complex(0, omega), false)
	p := nullVector(a, d, complex(0, -omega), true)
	norm := complex(math.Sqrt(real(dot(q, q))), 0)
	for c := range q {
		q[c] /= norm
	}
	factor := cmplx.Conj(dot(p, q))
	for c := range p {
		p[c] /= factor
	}
	re, im := parts(q)
	// B and C of complex vectors, by linearity.
	second := func(u, v []complex128) []complex128 {
		ur, ui := parts(u)
		vr, vi := parts(v)
		rr, ri := s.secondDerivative(y, ur, vr, scale), s.secondDerivative(y, ur, vi, scale)
		ir, ii := s.secondDerivative(y, ui, vr, scale), s.secondDerivative(y, ui, vi, scale)
		out := make([]complex128, d)
		for c := range out {
			out[c] = complex(rr[c]-ii[c], ri[c]+ir[c])
		}
		return out
	}
	// C(q,q,q̄) = C(q_r,q_r,q_r) + C(q_r,q_i,q_i) + i (C(q_r,q_r,q_i) + C(q_i,q_i,q_i)); each is a second derivative of
	// J·v.
	rrr, iir := s.thirdDerivative(y, re, re, scale), s.thirdDerivative(y, im, re, scale)
	rri, iii := s.thirdDerivative(y, re, im, scale), s.thirdDerivative(y, im, im, scale)
	third := make([]complex128, d)
	for c := range third {
		third[c] = complex(rrr[c]+iir[c], rri[c]+iii[c])
	}
	conj := make([]complex128, d)
	for c := range q {
		conj[c] = cmplx.Conj(q[c])
	}
	h11 := solveShifted(a, d, 0, second(q, conj))                // A⁻¹ B(q, q̄) with the sign of (0 - A)⁻¹
	h20 := solveShifted(a, d, complex(0, 2*omega), second(q, q)) // (2iω - A)⁻¹ B(q, q)
	sum := dot(p, third) + 2*dot(p, second(q, h11)) + dot(p, second(conj, h20))
	return real(sum) / (2 * omega)
}

// differenceSteps are lengths over which the field is nonlinear: 1 mV in V, and in the other states the change of their
// steady state over 1 mV.
func (s *system) differenceSteps(y []float64) []float64 {
	d := len(y)
	up, down := make([]float64, d), make([]float64, d)
	s.m.Steady(s.p, y[0]+0.5, up)
	s.m.Steady(s.p, y[0]-0.5, down)
	for c := range up {
		up[c] = max(math.Abs(up[c]-down[c]), 1e-3)
	}
	return up
}

// secondDerivative is B(u, v) = d/dε J(y + ε u)·v, by differences of sixth order.
func (s *system) secondDerivative(y, u, v, scale []float64) []float64 {
	return s.differences(y, u, v, stepAlong(u, scale), []float64{
		-1. / 60, 3. / 20, -3. / 4, 0, 3. / 4, -3. / 20,
		1. / 60,
	}, 1)
}

// thirdDerivative is the third derivative C(u, u, v) = d²/dε² J(y + ε u)·v, by differences of sixth order.
func (s *system) thirdDerivative(y, u, v, scale []float64) []float64 {
	return s.differences(y, u, v, stepAlong(u, scale), []float64{
		1. / 90, -3. / 20, 3. / 2, -49. / 18, 3. / 2, -3. / 20,
		1. / 90,
	}, 2)
}

// stepAlong is the step along u for a difference: a tenth of the length over which the field is nonlinear.
func stepAlong(u, scale []float64) float64 {
	longest := 0.0
	for c := range u {
		longest = max(longest, math.Abs(u[c])/scale[c])
	}
	if longest == 0 {
		return 1
	}
	return 0.1 / longest
}

func (s *system) differences(y, u, v []float64, h float64, weights []float64, order int) []float64 {
	d := len(y)
	x, jac, out := make([]float64, d), make([]float64, d*d), make([]float64, d)
	for k, w := range weights {
		for c := range x {
			x[c] = y[c] + float64(k-3)*h*u[c]
		}
		s.jacobian(x, jac)
		for r := range d {
			for c := range d {
				out[r] += w * jac[r*d+c] * v[c]
			}
		}
	}
	for r := range out {
		out[r] /= math.Pow(h, float64(order))
	}
	return out
}

func dot(p, q []complex128) (sum complex128) {
	for c := range p {
		sum += cmplx.Conj(p[c]) * q[c]
	}
	return sum
}

func parts(q []complex128) (re, im []float64) {
	for _, z := range q {
		re, im = append(re, real(z)), append(im, imag(z))
	}
	return re, im
}

// nullVector is an eigenvector of A, or of its transpose, to the eigenvalue l, by inverse iteration a little beside l.
func nullVector(a []float64, d int, l complex128, transposed bool) []complex128 {
	if transposed {
		a = transpose(a, d)
	}
	v := make([]complex128, d)
	for c := range v {
		v[c] = complex(1, float64(c)/3)
	}
	for range 4 {
		v = solveShifted(a, d, l+complex(1e-9*cmplx.Abs(l), 0), v)
		norm := complex(math.Sqrt(real(dot(v, v))), 0)
		for c := range v {
			v[c] /= norm
		}
	}
	return v
}

func transpose(a []float64, d int) []float64 {
	t := make([]float64, d*d)
	for r := range d {
		for c := range d {
			t[c*d+r] = a[r*d+c]
		}
	}
	return t
}

// solveShifted solves (l - A) x = b, as a real system of twice the size.
func solveShifted(a []float64, d int, l complex128, b []complex128) []complex128 {
	big, rhs := mat.NewDense(2*d, 2*d, nil), mat.NewVecDense(2*d, nil)
	for r := range d {
		for c := range d {
			big.Set(r, c, -a[r*d+c])
			big.Set(d+r, d+c, -a[r*d+c])
		}
		big.Set(r, r, real(l)-a[r*d+r])
		big.Set(d+r, d+r, real(l)-a[r*d+r])
		big.Set(r, d+r, -imag(l))
		big.Set(d+r, r, imag(l))
		rhs.SetVec(r, real(b[r]))
		rhs.SetVec(d+r, imag(b[r]))
	}
	var x mat.VecDense
	_ = x.SolveVec(big, rhs) // near an eigenvalue it is badly conditioned on purpose
	out := make([]complex128, d)
	for c := range out {
		out[c] = complex(x.AtVec(c), x.AtVec(d+c))
	}
	return out
}
