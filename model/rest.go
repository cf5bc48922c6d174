package model

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// Initial writes the state from which a neuron with parameters p starts by default: the stable equilibrium at I = 0
// with the lowest V; where there is none, V_rest and w = 0, for hh and rhh V = -65 mV with the gates at steady state. A
// model that has a Start of its own starts from that.
func (m *Model) Initial(p, y []float64) {
	if m.Start != nil {
		m.Start(p, y)
		return
	}
	for _, v := range m.EquilibriaAt(p, 0) {
		m.Steady(p, v, y)
		if m.stableAt(p, 0, y) {
			return
		}
	}
	m.Steady(p, m.Rest(p), y)
	for j := range y {
		y[j] += 0 // no -0
	}
}

// EquilibriaAt lists the potentials (mV) of the equilibria for input current i in ascending order, to the last bit.
// Those of hh and rhh are searched for every 0.25 mV, and at distances proportional to V beyond 1000 mV, where the
// gates are constant: a pair closer together than that, next to a fold, may be missed.
func (m *Model) EquilibriaAt(p []float64, i float64) []float64 {
	if m.Equilibria != nil {
		return m.Equilibria(p, i)
	}
	const scan = 0.25
	y := make([]float64, len(m.States))
	excess := func(v float64) float64 { return m.Steady(p, v, y) - i }
	// Without input every current pulls V into the range of the reversal potentials; an input moves the outermost
	// equilibria beyond it, until the leak balances it.
	low, high := m.Reach(p)
	low, high = low-scan, high+scan
	for step := scan; excess(low) >= 0 && low > -1e6; step *= 2 {
		low -= step
	}
	for step := scan; excess(high) <= 0 && high < 1e6; step *= 2 {
		high += step
	}
	var roots []float64
	lo, flo := low, excess(low)
	for lo < high {
		hi := lo + max(scan, (math.Abs(lo)-900)/400)
		fhi := excess(hi)
		if (flo < 0) != (fhi < 0) {
			roots = append(roots, bisect(excess, lo, hi))
		}
		lo, flo = hi, fhi
	}
	return roots
}

// exponentialEquilibria lists the roots of an excess current that rises to a single maximum, the saddle-node, at V_T +
// delta_T ln(slope), where slope is 1 + a R: that of EIF and AdEx.
func exponentialEquilibria(excess func(v float64) float64, vT, deltaT, slope float64) []float64 {
	if slope <= 0 { // the steady current falls for ever: one equilibrium, a saddle
		lo, hi := -1.0, 1.0
		for excess(lo) < 0 && lo > -1e9 {
			lo *= 2
		}
		for excess(hi) > 0 && hi < 1e9 {
			hi *= 2
		}
		if (excess(lo) < 0) == (excess(hi) < 0) {
			return nil
		}
		return []float64{bisect(excess, lo, hi)}
	}
	top := vT + deltaT*math.Log(slope)
	if excess(top) < 0 {
		return nil
	}
	below, above := deltaT, deltaT
	for excess(top-below) > 0 {
		below *= 2
	}
	for excess(top+above) > 0 {
		above *= 2
	}
	return []float64{bisect(excess, top-below, top), bisect(excess, top, top+above)}
}

// bisect finds the sign change of f between lo and hi to the last bit; NaN if an end, or their difference, is not
// finite.
func bisect(f func(float64) float64, lo, hi float64) float64 {
	negative := f(lo) < 0
	for {
		mid := lo + (hi-lo)/2
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

// stableAt reports whether all eigenvalues of the Jacobian at y have negative real parts.
func (m *Model) stableAt(p []float64, i float64, y []float64) bool {
	d := len(y)
	jac := make([]float64, d*d)
	m.Jacobian(p, i, y, jac)
	return Decays(jac, d)
}

// Decays reports whether all eigenvalues of a d×d matrix, given row by row, have negative real parts: for d ≤ 4 by
// Routh's conditions on its characteristic polynomial (after Faddeev and LeVerrier), which loses its digits for larger
// ones, else by the eigenvalues.
func Decays(jac []float64, d int) bool {
	if d > 4 {
		return eigenvaluesDecay(jac, d)
	}
	var c [5]float64
	var m, next [16]float64
	c[0] = 1
	for k := 1; k <= d; k++ {
		for i := range d {
			for j := range d {
				x := 0.0
				for l := range d {
					x += jac[i*d+l] * m[l*d+j]
				}
				next[i*d+j] = x
			}
			next[i*d+i] += c[k-1]
		}
		m = next
		trace := 0.0
		for i := range d {
			for l := range d {
				trace += jac[i*d+l] * m[l*d+i]
			}
		}
		if c[k] = -trace / float64(k); !(c[k] > 0) {
			return false
		}
	}
	switch d {
	case 3:
		return c[1]*c[2] > c[3]
	case 4:
		return c[1]*c[2]*c[3] > c[3]*c[3]+c[1]*c[1]*c[4]
	}
	return true
}

func eigenvaluesDecay(jac []float64, d int) bool {
	for _, x := range jac[:d*d] {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return false
		}
	}
	var eigen mat.Eigen
	if !eigen.Factorize(mat.NewDense(d, d, jac[:d*d]), mat.EigenNone) {
		return false
	}
	for _, x := range eigen.Values(nil) {
		if !(real(x) < 0) {
			return false
		}
	}
	return true
}
