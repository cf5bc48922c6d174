package sweep

import (
	"math"

	"popsim/model"
)

// A silent lane is retired when it is at a stable equilibrium: within restNear of it, moved by no more than that since
// the last decision, and every eigenvalue of the Jacobian at the equilibrium has a real part below -minDecay. Then the
// nearest saddle or unstable cycle, whose distance is proportional to the decay rate or its square root, is farther
// away than restNear by orders of magnitude. A single real eigenvalue may be closer to zero, up to -slowDecay: it
// belongs to a saddle-node, whose place does not depend on the integration method.
const (
	restNear  = 1e-6 // mV; for gating variables 1
	minDecay  = 1e-3 // 1/ms
	slowDecay = 1e-4 // 1/ms
	restTries = 8    // steps of Newton's method

	// restConverged is the largest last step of Newton's method, relative to 1 plus the state. On a slow passage
	// without a root, where dV/dt is c + a V² around its minimum, Newton's steps are sqrt(c/a) or more: larger than
	// this even if the passage takes years of model time.
	restConverged = 1e-9
)

// classifier finds equilibria by Newton's method and classifies them. It holds scratch memory and belongs to one
// worker.
type classifier struct {
	m     *model.Model
	y, dy []float64
	jac   []float64
	a     []float64
}

func newClassifier(m *model.Model) *classifier {
	d := len(m.States)
	return &classifier{
		m: m, y: make([]float64, d), dy: make([]float64, d), jac: make([]float64, d*d),
		a: make([]float64, d*(d+1)),
	}
}

// distance returns the largest difference between two states: V in mV, gating variables as they are, w times R in mV.
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

// stability is the kind of an equilibrium.
type stability int

const (
	notEquilibrium stability = iota // the state is not at an equilibrium
	marginal                        // attracting, but too slowly to be sure
	stable
	unstable
)

// classify returns the kind of equilibrium at state y of the neuron with parameters p and current i. In models that
// reset, an equilibrium at or above V_th is none.
func (r *classifier) classify(p []float64, i float64, y []float64) stability {
	copy(r.y, y)
	converged := false // on a slow passage without a root, Newton's method jumps around its minimum and may end close to y
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

// decaysAt reports whether every eigenvalue at the equilibrium r.y has a real part below -rate per ms.
func (r *classifier) decaysAt(p []float64, i, rate float64) bool {
	r.m.Jacobian(p, i, r.y, r.jac)
	d := len(r.y)
	for j := range d {
		r.jac[j*d+j] += rate
	}
	return model.Decays(r.jac, d)
}

// oneSlow reports whether exactly one eigenvalue at the equilibrium r.y is above -minDecay, which is then real. It is
// false for models of more than two variables.
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

// solve replaces r.dy by the solution x of r.jac x = r.dy, by Gauss-Jordan elimination; ok is false if there is none.
func (r *classifier) solve() (ok bool) {
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
					r.a[i*w+j] -= float64(f * r.a[c*w+j])
				}
			}
		}
	}
	for i := range d {
		r.dy[i] = r.a[i*w+d] / r.a[i*w+i]
	}
	return true
}
