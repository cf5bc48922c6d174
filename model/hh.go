package model

import "math"

// HH is the Hodgkin-Huxley neuron:
//
//	C·dV/dt = I - GNa·m³h·(V-ENa) - GK·n⁴·(V-EK) - GL·(V-EL),   dx/dt = α_x(V)·(1-x) - β_x(V)·x   for x = m, h, n
//
// with the rates of Gates. A spike is an upward crossing of VTh. Source: Hodgkin & Huxley, J. Physiol. 117:500 (1952),
// in the modern sign convention with a resting potential near -65 mV.
type HH struct{ C, GNa, GK, GL, ENa, EK, EL, VTh float64 }

// HHOf names the values of a parameter vector.
func HHOf(p []float64) HH { return HH{p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7]} }

// reach is the range of the reversal potentials.
func (q HH) reach() (low, high float64) { return min(q.ENa, q.EK, q.EL), max(q.ENa, q.EK, q.EL) }

// Gates are the opening and closing rates (1/ms) of m, h and n at one potential, and their slopes in V (1/(ms mV)).
type Gates struct {
	AlphaM, BetaM, AlphaH, BetaH, AlphaN, BetaN       float64
	DAlphaM, DBetaM, DAlphaH, DBetaH, DAlphaN, DBetaN float64
}

// GatesAt evaluates the rates of Hodgkin & Huxley (1952) at v mV:
//
//	α_m = 0.1(V+40)/(1-exp(-(V+40)/10))    β_m = 4 exp(-(V+65)/18)
//	α_h = 0.07 exp(-(V+65)/20)             β_h = 1/(1+exp(-(V+35)/10))
//	α_n = 0.01(V+55)/(1-exp(-(V+55)/10))   β_n = 0.125 exp(-(V+65)/80)
//
// α_m at -40 mV and α_n at -55 mV take their limits 1 and 0.1.
func GatesAt(v float64) (g Gates) {
	g.AlphaM, g.DAlphaM = exprel((v + 40) / 10)
	g.DAlphaM /= 10
	g.AlphaN, g.DAlphaN = exprel((v + 55) / 10)
	g.AlphaN, g.DAlphaN = g.AlphaN/10, g.DAlphaN/100
	g.BetaM = 4 * math.Exp(-(v+65)/18)
	g.DBetaM = -g.BetaM / 18
	g.AlphaH = 0.07 * math.Exp(-(v+65)/20)
	g.DAlphaH = -g.AlphaH / 20
	e := math.Exp(-(v + 35) / 10)
	g.BetaH = 1 / (1 + e)
	g.DBetaH = 1 / (1 + 1/e) * g.BetaH / 10
	g.BetaN = 0.125 * math.Exp(-(v+65)/80)
	g.DBetaN = -g.BetaN / 80
	return g
}

// exprel is B(x) = x/(1-exp(-x)) and its slope. At x = 0 the limit of B is 1; the slope cancels near there and is
// summed from the series 1/2 + x/6 - x³/180 + x⁵/5040 - x⁷/151200, good to 1e-17 for |x| < 0.1.
func exprel(x float64) (b, db float64) {
	if math.Abs(x) < 0.1 {
		z := x * x
		db = 0.5 + x*(1.0/6+z*(-1.0/180+z*(1.0/5040-z/151200)))
		if x == 0 {
			return 1, db
		}
		return x / -math.Expm1(-x), db
	}
	d := -math.Expm1(-x)
	if math.IsInf(d, -1) { // x far below zero: B → -x exp(x)
		return 0, 0
	}
	b = x / d
	return b, (1 - b*(1-d)) / d
}

const docCross = "spikes are upward crossings of this level, re-armed 20 mV below it"

func hhParams(extra ...Param) []Param {
	return append([]Param{
		{"C", "uF/cm2", 1, Positive, "membrane capacitance"},
		{"g_Na", "mS/cm2", 120, NonNegative, "largest sodium conductance"},
		{"g_K", "mS/cm2", 36, NonNegative, "largest potassium conductance"},
		{"g_L", "mS/cm2", 0.3, NonNegative, "leak conductance"},
		{"E_Na", "mV", 50, Any, "sodium reversal potential"},
		{"E_K", "mV", -77, Any, "potassium reversal potential"},
		{"E_L", "mV", -54.387, Any, "leak reversal potential"},
		{"V_th", "mV", 0, Any, docCross},
	}, extra...)
}

var hhStates = []State{
	{"V", "mV", "membrane potential"},
	{"m", "1", "sodium activation"},
	{"h", "1", "sodium inactivation"},
	{"n", "1", "potassium activation"},
}

// HHModel is the Model of HH.
var HHModel = &Model{
	Name:  "hh",
	Title: "Hodgkin-Huxley",
	Equations: []string{
		"C dV/dt = I - g_Na m^3 h (V - E_Na) - g_K n^4 (V - E_K) - g_L (V - E_L)",
		"dx/dt = alpha_x(V) (1 - x) - beta_x(V) x for x = m, h, n, with the rates of 1952",
	},
	Source: "Hodgkin & Huxley, J. Physiol. 117:500 (1952)",
	Params: hhParams(),
	States: hhStates,
	Methods: []Method{
		{"strang-cn", 2, 0.025, 10, false, "Strang splitting of V and gates, Crank-Nicolson in each; one evaluation of " +
			"the rates a step"},
		{"rk4", 4, 0.05, 10, false, "classical Runge-Kutta"},
		{"exp-euler", 1, 0.02, 40, true, "Rush-Larsen from the old state, spikes on the grid: for comparison with other " +
			"simulators"},
	},
	CurrentUnit: "uA/cm2",
	Fires:       Crossing,
	Deriv:       func(p []float64, i float64, y, dy []float64) { HHOf(p).deriv(GatesAt(y[0]), i, y, dy) },
	Jacobian:    func(p []float64, _ float64, y, jac []float64) { HHOf(p).jacobian(GatesAt(y[0]), y, jac) },
	Steady:      func(p []float64, v float64, y []float64) float64 { return HHOf(p).steady(GatesAt(v), v, y) },
	Limits: func(p []float64, method string) (float64, float64) {
		return hhLimits(HHOf(p), method)
	},
	Threshold: func(p []float64) float64 { return HHOf(p).VTh },
	Reach:     func(p []float64) (low, high float64) { return HHOf(p).reach() },
	Rest:      func([]float64) float64 { return -65 },
	Typical:   Typical{Current: 9, Currents: []float64{6.5, 10, 20}, Largest: 160},
	Workload:  Workload{Usual: 7, Start: []float64{-60, 0.053, 0.596, 0.318}},
}

// deriv, jacobian and steady are those of a model with gates m, h, n whose rates at its potential are g.
func (q HH) deriv(g Gates, i float64, y, dy []float64) {
	v, m, h, n := y[0], y[1], y[2], y[3]
	dy[0] = (i - q.GNa*m*m*m*h*(v-q.ENa) - q.GK*n*n*n*n*(v-q.EK) - q.GL*(v-q.EL)) / q.C
	dy[1] = g.AlphaM*(1-m) - g.BetaM*m
	dy[2] = g.AlphaH*(1-h) - g.BetaH*h
	dy[3] = g.AlphaN*(1-n) - g.BetaN*n
}

func (q HH) jacobian(g Gates, y, jac []float64) {
	v, m, h, n := y[0], y[1], y[2], y[3]
	clear(jac[:16])
	jac[0] = -(q.GNa*m*m*m*h + q.GK*n*n*n*n + q.GL) / q.C
	jac[1] = -3 * q.GNa * m * m * h * (v - q.ENa) / q.C
	jac[2] = -q.GNa * m * m * m * (v - q.ENa) / q.C
	jac[3] = -4 * q.GK * n * n * n * (v - q.EK) / q.C
	jac[4], jac[5] = g.DAlphaM*(1-m)-g.DBetaM*m, -(g.AlphaM + g.BetaM)
	jac[8], jac[10] = g.DAlphaH*(1-h)-g.DBetaH*h, -(g.AlphaH + g.BetaH)
	jac[12], jac[15] = g.DAlphaN*(1-n)-g.DBetaN*n, -(g.AlphaN + g.BetaN)
}

func (q HH) steady(g Gates, v float64, y []float64) float64 {
	m, h, n := g.AlphaM/(g.AlphaM+g.BetaM), g.AlphaH/(g.AlphaH+g.BetaH), g.AlphaN/(g.AlphaN+g.BetaN)
	y[0], y[1], y[2], y[3] = v, m, h, n
	return q.GNa*m*m*m*h*(v-q.ENa) + q.GK*n*n*n*n*(v-q.EK) + q.GL*(v-q.EL)
}

// hhLimits bounds dt by the membrane's fastest rate: at the peak of a spike about a quarter of the sodium and potassium
// conductance is open. For rk4 that rate must stay inside the interval of stability, with a margin for strong currents;
// cut-rk4 divides the steps in which it matters; the others are stable for any dt, but inaccurate. The rates of the
// gates do not depend on parameters: they bound dt in ms.
func hhLimits(q HH, method string) (usable, accurate float64) {
	fastest := (0.25*(q.GNa+q.GK) + q.GL) / q.C
	switch method {
	case "rk4":
		return min(2.4/fastest, 0.1), min(2/fastest, 0.05)
	case "cut-rk4":
		return min(8/fastest, 0.2), min(4/fastest, 0.1)
	case "exp-euler":
		return min(6/fastest, 0.15), min(2/fastest, 0.05)
	}
	return min(8/fastest, 0.2), min(2.4/fastest, 0.06)
}
