package model

import "math"

// HHTM is the Hodgkin-Huxley neuron with the rates of Traub & Miles, shifted by VT: see TraubMilesAt. A spike is an
// upward crossing of VTh. The defaults are those of COBAHH. Source: Traub & Miles, Neuronal Networks of the Hippocampus
// (1991), as in Brette et al., J. Comput. Neurosci. 23:349 (2007), appendix B.
type HHTM struct {
	HH
	VT float64
}

// HHTMOf names the values of a parameter vector.
func HHTMOf(p []float64) HHTM { return HHTM{HHOf(p), p[8]} }

// TraubMilesAt evaluates the rates of Traub & Miles at s = V - V_T, mV:
//
//	α_m = 0.32 (13-s)/(exp((13-s)/4)-1)    β_m = 0.28 (s-40)/(exp((s-40)/5)-1)
//	α_h = 0.128 exp((17-s)/18)             β_h = 4/(1+exp((40-s)/5))
//	α_n = 0.032 (15-s)/(exp((15-s)/5)-1)   β_n = 0.5 exp((10-s)/40)
//
// α_m at s = 13, β_m at 40 and α_n at 15 take their limits 1.28, 1.4 and 0.16.
func TraubMilesAt(s float64) (g Gates) {
	g.AlphaM, g.DAlphaM = exprel((s - 13) / 4)
	g.AlphaM, g.DAlphaM = 1.28*g.AlphaM, 0.32*g.DAlphaM
	g.BetaM, g.DBetaM = exprel((40 - s) / 5)
	g.BetaM, g.DBetaM = 1.4*g.BetaM, -0.28*g.DBetaM
	g.AlphaH = 0.128 * math.Exp((17-s)/18)
	g.DAlphaH = -g.AlphaH / 18
	e := math.Exp((40 - s) / 5)
	g.BetaH = 4 / (1 + e)
	g.DBetaH = 1 / (1 + 1/e) * g.BetaH / 5
	g.AlphaN, g.DAlphaN = exprel((s - 15) / 5)
	g.AlphaN, g.DAlphaN = 0.16*g.AlphaN, 0.032*g.DAlphaN
	g.BetaN = 0.5 * math.Exp((10-s)/40)
	g.DBetaN = -g.BetaN / 40
	return g
}

// gates are the rates at the potential v.
func (q HHTM) gates(v float64) Gates { return TraubMilesAt(v - q.VT) }

// HHTMModel is the Model of HHTM.
var HHTMModel = &Model{
	Name:  "hhtm",
	Title: "Hodgkin-Huxley (Traub & Miles)",
	Equations: []string{
		"C dV/dt = I - g_Na m^3 h (V - E_Na) - g_K n^4 (V - E_K) - g_L (V - E_L)",
		"dx/dt = alpha_x(V - V_T) (1 - x) - beta_x(V - V_T) x for x = m, h, n, with the rates of Traub & Miles",
	},
	Source: "Traub & Miles, Neuronal Networks of the Hippocampus (1991), as in Brette et al., J. Comput. Neurosci. " +
		"23:349 (2007)",
	Params: []Param{
		{"C", "uF/cm2", 1, Positive, "membrane capacitance"},
		{"g_Na", "mS/cm2", 100, NonNegative, "largest sodium conductance"},
		{"g_K", "mS/cm2", 30, NonNegative, "largest potassium conductance"},
		{"g_L", "mS/cm2", 0.05, NonNegative, "leak conductance"},
		{"E_Na", "mV", 50, Any, "sodium reversal potential"},
		{"E_K", "mV", -90, Any, "potassium reversal potential"},
		{"E_L", "mV", -60, Any, "leak reversal potential"},
		{"V_th", "mV", -20, Any, docCross},
		{"V_T", "mV", -63, Any, "potential by which the rates are shifted: it sets the threshold"},
	},
	States: hhStates,
	Methods: []Method{
		{"strang-cn", 2, 0.01, 10, false, "Strang splitting of V and gates, Crank-Nicolson in each; one evaluation of " +
			"the rates a step"},
		{"rk4", 4, 0.0125, 10, false, "classical Runge-Kutta"},
		{"exp-euler", 1, 0.0125, 40, true, "Rush-Larsen from the old state, spikes on the grid: for comparison with " +
			"other simulators"},
	},
	CurrentUnit: "uA/cm2",
	Fires:       Crossing,
	Deriv: func(p []float64, i float64, y, dy []float64) {
		q := HHTMOf(p)
		q.deriv(q.gates(y[0]), i, y, dy)
	},
	Jacobian: func(p []float64, _ float64, y, jac []float64) {
		q := HHTMOf(p)
		q.jacobian(q.gates(y[0]), y, jac)
	},
	Steady: func(p []float64, v float64, y []float64) float64 {
		q := HHTMOf(p)
		return q.steady(q.gates(v), v, y)
	},
	Limits: func(p []float64, method string) (float64, float64) {
		usable, accurate := hhLimits(HHOf(p), method)
		if method == "strang-cn" {
			accurate *= 0.5
		}
		return usable / 2, accurate / 2 // the gates are twice as fast as those of the squid
	},
	Threshold: func(p []float64) float64 { return HHOf(p).VTh },
	Reach:     func(p []float64) (low, high float64) { return HHOf(p).reach() },
	Rest:      func([]float64) float64 { return -65 },
	Typical: Typical{Current: 2, Currents: []float64{2, 4, 10}, Largest: 30, Silent: -1, Start: []float64{
		-65, 0.01,
		0.9, 0.1,
	}},
}
