package dynamics

import (
	"fmt"
	"math"

	"popsim/model"
)

// Exponential holds the closed forms of EIF and AdEx. With g = 1 + a R (a = 0 for EIF) the equilibria obey g (V -
// V_rest) - delta_T exp((V-V_T)/delta_T) = R I. The Hopf point, where there is one, is subcritical: Touboul & Brette,
// Biol. Cybern. 99:319 (2008).
type Exponential struct {
	VRest, VT, DeltaT, R, Tau, A, TauW float64
	g                                  float64
}

// NewExponential reads the parameters of EIF or AdEx.
func NewExponential(m *model.Model, p []float64) (Exponential, error) {
	switch m {
	case model.EIFModel:
		q := model.EIFOf(p)
		return Exponential{q.VRest, q.VT, q.DeltaT, q.R, q.Tau, 0, math.Inf(1), 1}, nil
	case model.AdExModel:
		q := model.AdExOf(p)
		return Exponential{q.VRest, q.VT, q.DeltaT, q.R, q.Tau, q.A, q.TauW, 1 + q.A*q.R}, nil
	}
	return Exponential{}, fmt.Errorf("dynamics: %s has no closed forms; eif and adex have", m.Name)
}

// Equilibria are the potentials of the lower and the upper equilibrium for input current i, by the two branches of
// Lambert's W; NaN where there is none.
func (e Exponential) Equilibria(i float64) (lower, upper float64) {
	if e.g == 0 { // the current alone balances the exponential
		return math.NaN(), e.VT + e.DeltaT*math.Log(-e.R*i/e.DeltaT)
	}
	u := e.VRest + e.R*i/e.g
	x := -math.Exp((u-e.VT)/e.DeltaT) / e.g
	return u - e.DeltaT*LambertW(0, x), u - e.DeltaT*LambertW(-1, x)
}

// Fold is where the two equilibria meet; NaN where g <= 0.
func (e Exponential) Fold() (v, i float64) {
	v = e.VT + e.DeltaT*math.Log(e.g)
	return v, e.g * (v - e.VRest - e.DeltaT) / e.R
}

// divergence of the flow where the potential is v, 1/ms.
func (e Exponential) divergence(v float64) float64 {
	return (math.Exp((v-e.VT)/e.DeltaT)-1)/e.Tau - 1/e.TauW
}

// Hopf is the Hopf point and its angular frequency omega (rad/ms); ok is false where there is none.
func (e Exponential) Hopf() (v, i, omega float64, ok bool) {
	ratio := e.Tau / e.TauW
	if math.IsInf(e.TauW, 1) || e.A*e.R <= ratio {
		return math.NaN(), math.NaN(), math.NaN(), false
	}
	v = e.VT + e.DeltaT*math.Log1p(ratio)
	i = (e.g*(v-e.VRest) - e.DeltaT*(1+ratio)) / e.R
	return v, i, math.Sqrt((e.A*e.R - ratio) / (e.Tau * e.TauW)), true
}

// BogdanovTakens is where the Hopf point meets the fold: the adaptation a (nS), V and I of it.
func (e Exponential) BogdanovTakens() (a, v, i float64) {
	e.A = e.Tau / e.TauW / e.R
	e.g = 1 + e.A*e.R
	v, i = e.Fold()
	return e.A, v, i
}

// Rheobase is the least input current at which a neuron with these parameters has no stable equilibrium, in closed form
// for lif, eif and adex; NaN for other models. A neuron that does not start at the equilibrium may fire below it.
func Rheobase(m *model.Model, p []float64) float64 {
	if m == model.LIFModel {
		q := model.LIFOf(p)
		return (q.VTh - q.VRest) / q.R
	}
	e, err := NewExponential(m, p)
	if err != nil {
		return math.NaN()
	}
	if _, i, _, ok := e.Hopf(); ok {
		return i
	}
	_, i := e.Fold()
	return i
}

// LambertW solves w exp(w) = x for w: branch 0 gives w >= -1, branch -1 gives w <= -1, both real for -1/e <= x < 0, and
// branch 0 for x >= 0 too. Elsewhere it is NaN.
func LambertW(branch int, x float64) float64 {
	q := math.E*x + 1 // zero where the branches meet
	switch {
	case math.IsNaN(x) || q < -1e-15 || branch == -1 && x >= 0 || branch != 0 && branch != -1:
		if branch == -1 && x == 0 {
			return math.Inf(-1)
		}
		return math.NaN()
	case x == 0:
		return 0
	}
	p := math.Sqrt(2 * max(q, 0))
	if branch == -1 {
		p = -p
	}
	w := -1 + p*(1+p*(-1./3+p*11./72)) // series about the meeting point
	switch {
	case branch == 0 && x > 1:
		w = math.Log(x)
		w -= math.Log(max(w, 0.5))
	case branch == 0 && x > -0.2:
		w = x / (1 + x)
	case branch == -1 && x > -0.2:
		w = math.Log(-x)
		w -= math.Log(-w)
	}
	for range 50 { // Halley
		e := math.Exp(w)
		f := w*e - x
		d := f / (e*(w+1) - (w+2)*f/(2*w+2))
		if math.IsNaN(d) {
			return w
		}
		if w -= d; math.Abs(d) <= 1e-16*math.Abs(w) {
			break
		}
	}
	return w
}
