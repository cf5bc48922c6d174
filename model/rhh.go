package model

// RHH is the Hodgkin-Huxley neuron reduced to two variables: m follows V at once, and n + h is constant,
//
//	C·dV/dt = I - GNa·m∞(V)³h·(V-ENa) - GK·(NPlusH-h)⁴·(V-EK) - GL·(V-EL),   dh/dt = α_h(V)·(1-h) - β_h(V)·h
//
// A spike is an upward crossing of VTh. With g_L = 0.3 a large cycle coexists with an equilibrium that is stable at
// every I. Source: Rinzel, Fed. Proc. 44:2944 (1985), with the rates of Hodgkin & Huxley (1952).
type RHH struct {
	HH
	NPlusH float64
}

// RHHOf names the values of a parameter vector.
func RHHOf(p []float64) RHH { return RHH{HHOf(p), p[8]} }

// RHHModel is the Model of RHH.
var RHHModel = &Model{
	Name:  "rhh",
	Title: "reduced Hodgkin-Huxley",
	Equations: []string{
		"C dV/dt = I - g_Na m_inf(V)^3 h (V - E_Na) - g_K n^4 (V - E_K) - g_L (V - E_L), n = n_plus_h - h",
		"dh/dt = alpha_h(V) (1 - h) - beta_h(V) h",
	},
	Source: "Rinzel, Fed. Proc. 44:2944 (1985); rates of Hodgkin & Huxley (1952)",
	Params: hhParams(Param{"n_plus_h", "1", 0.855, Any, "the constant sum of n and h"}),
	States: []State{
		{"V", "mV", "membrane potential"},
		{"h", "1", "sodium inactivation; n = n_plus_h - h"},
	},
	Methods: []Method{
		{"cut-rk4", 4, 0.1, 10, false, "Runge-Kutta whose step is cut into four or eight where a spike needs it"},
		{"rk4", 4, 0.00625, 10, false, "classical Runge-Kutta"},
		{"exp-euler", 1, 0.0125, 40, true, "exponential Euler from the old state, spikes on the grid: for comparison " +
			"with other simulators"},
	},
	CurrentUnit: "uA/cm2",
	Fires:       Crossing,
	Deriv: func(p []float64, i float64, y, dy []float64) {
		q, g := RHHOf(p), GatesAt(y[0])
		v, h := y[0], y[1]
		m, n := g.AlphaM/(g.AlphaM+g.BetaM), q.NPlusH-h
		dy[0] = (i - q.GNa*m*m*m*h*(v-q.ENa) - q.GK*n*n*n*n*(v-q.EK) - q.GL*(v-q.EL)) / q.C
		dy[1] = g.AlphaH*(1-h) - g.BetaH*h
	},
	Jacobian: func(p []float64, _ float64, y, jac []float64) {
		q, g := RHHOf(p), GatesAt(y[0])
		v, h := y[0], y[1]
		m, n := g.AlphaM/(g.AlphaM+g.BetaM), q.NPlusH-h
		dm := (g.DAlphaM*(1-m) - g.DBetaM*m) / (g.AlphaM + g.BetaM)
		jac[0] = -(q.GNa*(m*m*m*h+3*m*m*dm*h*(v-q.ENa)) + q.GK*n*n*n*n + q.GL) / q.C
		jac[1] = -(q.GNa*m*m*m*(v-q.ENa) - 4*q.GK*n*n*n*(v-q.EK)) / q.C
		jac[2] = g.DAlphaH*(1-h) - g.DBetaH*h
		jac[3] = -(g.AlphaH + g.BetaH)
	},
	Steady: func(p []float64, v float64, y []float64) float64 {
		q, g := RHHOf(p), GatesAt(v)
		m, h := g.AlphaM/(g.AlphaM+g.BetaM), g.AlphaH/(g.AlphaH+g.BetaH)
		n := q.NPlusH - h
		y[0], y[1] = v, h
		return q.GNa*m*m*m*h*(v-q.ENa) + q.GK*n*n*n*n*(v-q.EK) + q.GL*(v-q.EL)
	},
	Limits: func(p []float64, method string) (float64, float64) {
		usable, accurate := hhLimits(HHOf(p), method)
		if method == "rk4" {
			accurate /= 4
		}
		return usable, accurate
	},
	Threshold: func(p []float64) float64 { return HHOf(p).VTh },
	Reach:     func(p []float64) (low, high float64) { return HHOf(p).reach() },
	Rest:      func([]float64) float64 { return -65 },
	Typical:   Typical{Current: 6, Currents: []float64{2, 5, 10}, Largest: 16},
	// The neuron is bistable: it has to start in the basin of its cycle.
	Workload: Workload{Usual: 8, Start: []float64{-10, 0.3}},
}
