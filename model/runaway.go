package model

import "math"

// runawayScale is the distance of V from V_rest at which it counts as running away, in units of the largest one that
// threshold and input can cause.
const runawayScale = 1e3

// Runaway reports whether a neuron with parameters p and current i, in state y, is on its way to infinity by its own
// equations, as AdEx with a < -1/R is from beyond its saddle: V is far outside of the range in which V_th and the input
// could hold it, continues in that direction, and the linear equations there have a growing solution. No time step
// changes that.
func (m *Model) Runaway(p []float64, i float64, y []float64) bool {
	if m.Fires != Reset || len(y) < 2 {
		return false // one variable: V relaxes towards V_rest + R I; crossing: V stays between the reversal potentials
	}
	vRest, vTh, r := m.Rest(p), m.Threshold(p), 1.0
	if j := m.Index("R"); j >= 0 {
		r = p[j]
	}
	far := y[0] - vRest
	if !(math.Abs(far) > runawayScale*(math.Abs(vTh-vRest)+math.Abs(r*i))) || math.IsInf(far, 0) {
		return false
	}
	var dy [MaxStates]float64
	m.Deriv(p, i, y, dy[:len(y)])
	if !(dy[0]*far > 0) {
		return false
	}
	var jac [MaxStates * MaxStates]float64
	m.Jacobian(p, i, y, jac[:len(y)*len(y)])
	return !Decays(jac[:len(y)*len(y)], len(y))
}

// MaxStates is the largest number of states of a model.
const MaxStates = 20
