package sweep

import (
	"math"

	"popsim/model"
)

// A silent lane is retired when it is at a stable rest. It is near the rest to 1e-6 mV and 1e-6 of the gates, has come
// no farther away since the last decision, and the rest attracts: every eigenvalue of the Jacobian there has a real
// part below -minDecay, so that the nearest saddle or unstable cycle, whose distance goes with the decay rate or its
// root, is farther away than this by orders of magnitude. A single real eigenvalue may be closer to zero, up to
// -slowDecay: it tells of a saddle-node, which no method moves.
const (
	restNear  = 1e-6 // mV; for gates, of 1
	minDecay  = 1e-3 // 1/ms
	slowDecay = 1e-4 // 1/ms
	restTries = 8

	// Relative to one unit and the state: Newton's step at a root. On a slow passage where dV/dt is c at least and bends by a, it
	// is sqrt(c/a) or more: beyond this even where the passage takes years.
	restConverged = 1e-9
)

// classifier finds rests by Newton's method; it is the scratch of one worker.
type classifier struct {
	m     *model.Model
	y, dy []float64
	jac   []float64
	a     []float64
}

func newClassifier(m *model.Model) *classifier {
	d := len(m.States)
	return &classifier{m: m, y: make([]float64, d), dy: make([]float64, d), jac: make([]float64, d*d), a: make([]float64, d*(d+1))}
}

// distance is how far apart two states are: mV for V, the unit of the state divided by scale for the others.
func (r *classifier) distance(p, a, b []float64) float64 {
	far := math.Abs(a[0] - b[0])
	for j := 1; j < len(a); j++ {
		d := math.Abs(a[j] - b[j])
		if k := r.m.Index("R"); k >= 0 && r.m.States[j].Unit == "pA" {
			d *= p[k] // w in pA times R in GOhm is mV
		}
		far = max(far, d)
	}
	return far
}

// stability is that of an equilibrium.
type stability int

const (
	notEquilibrium stability = iota // there is none here
	marginal                        // attracts, but too slowly
	stable
	unstable
)

// classify tells whether y is at an equilibrium of the neuron with parameters p and current i, which is below V_th where
// V_th resets, and of what kind.
func (r *classifier) classify(p []float64, i float64, y []float64) stability {
	copy(r.y, y)
	converged := false // a slow passage has no root: Newton's method jumps about it, and may end near by
	for range restTries {
		r.m.Deriv(p, i, r.y, r.dy)
		r.m.Jacobian(p, i, r.y, r.jac)
		if !r.solve() {
			return notEquilibrium
		}
		converged = true
		for j := range r.y {
			converged = converged && math.Abs(r.dy[j]) <= restConverged*(1+math.Abs(r.y[j]))
			r.y[j] -= r.dy[j]
		}
		if converged {
			break
		}
	}
	if !converged || !(r.distance(p, r.y, y) <= restNear) {
		return notEquilibrium
	}
	if r.m.Fires == model.Reset && r.y[0] >= r.m.Threshold(p) {
		return notEquilibrium
	}
	switch {
	case r.decaysAt(p, i, minDecay), r.oneSlow(p, i) && r.decaysAt(p, i, slowDecay):
		return stable
	case r.decaysAt(p, i, 0):
		return marginal
	}
	return unstable
}

// decaysAt tells whether every eigenvalue at the equilibrium in hand has a real part below -rate per ms.
func (r *classifier) decaysAt(p []float64, i, rate float64) bool {
	r.m.Jacobian(p, i, r.y, r.jac)
	d := len(r.y)
	for j := range d {
		r.jac[j*d+j] += rate
	}
	return model.Decays(r.jac, d)
}

// oneSlow tells, of models of one or two variables, whether a single eigenvalue at the equilibrium in hand is above
// -minDecay; it is real then.
func (r *classifier) oneSlow(p []float64, i float64) bool {
	r.m.Jacobian(p, i, r.y, r.jac)
	switch j := r.jac; len(r.y) {
	case 1:
		return j[0] > -minDecay
	case 2:
		return (j[0]+minDecay)*(j[3]+minDecay) < j[1]*j[2]
	}
	return false
}

// solve replaces dy by the solution of jac x = dy; false where there is none.
func (r *classifier) solve() bool {
	d := len(r.dy)
	w := d + 1
	for i := range d {
		copy(r.a[i*w:], r.jac[i*d:(i+1)*d])
		r.a[i*w+d] = r.dy[i]
	}
	for c := range d {
		best := c
		for i := c + 1; i < d; i++ {
			if math.Abs(r.a[i*w+c]) > math.Abs(r.a[best*w+c]) {
				best = i
			}
		}
		if r.a[best*w+c] == 0 {
			return false
		}
		for j := range w {
			r.a[c*w+j], r.a[best*w+j] = r.a[best*w+j], r.a[c*w+j]
		}
		for i := range d {
			if f := r.a[i*w+c] / r.a[c*w+c]; i != c {
				for j := c; j < w; j++ {
					r.a[i*w+j] -= f * r.a[c*w+j]
				}
			}
		}
	}
	for i := range d {
		r.dy[i] = r.a[i*w+d] / r.a[i*w+i]
	}
	return true
}
