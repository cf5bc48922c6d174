package model

import "math"

// AdEx is the adaptive exponential integrate-and-fire neuron:
//
//	Tau·dV/dt = -(V - VRest) + DeltaT·exp((V-VT)/DeltaT) - R·W + R·I
//	TauW·dW/dt = A·(V - VRest) - W,   and at V = VTh: V → VReset, held for TRef, W → W + B
//
// W continues relaxing while V is held. Units are mV, ms, GΩ, pA and nS.
// Source: Brette & Gerstner, J. Neurophysiol. 94:3637 (2005).
type AdEx struct{ VRest, VReset, VTh, VT, DeltaT, R, Tau, A, B, TauW, TRef float64 }

// AdExOf names the values of a parameter vector.
func AdExOf(p []float64) AdEx {
	return AdEx{p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7], p[8], p[9], p[10]}
}

// AdExModel is the Model of AdEx.
var AdExModel = &Model{
	Name:  "adex",
	Title: "adaptive exponential integrate-and-fire",
	Equations: []string{
		"tau dV/dt = -(V - V_rest) + delta_T exp((V - V_T)/delta_T) - R w + R I",
		"tau_w dw/dt = a (V - V_rest) - w",
		"at V = V_th: V -> V_reset, held for t_ref; w -> w + b",
	},
	Source: "Brette & Gerstner, J. Neurophysiol. 94:3637 (2005)",
	Params: []Param{
		{"V_rest", "mV", -65, Any, docVRest},
		{"V_reset", "mV", -68, Any, docVReset},
		{"V_th", "mV", -30, Any, docVTh},
		{"V_T", "mV", -59.9, Any, docVT},
		{"delta_T", "mV", 3.48, Positive, docDeltaT},
		{"R", "GOhm", 1, Positive, docR},
		{"tau", "ms", 10, Positive, docTau},
		{"a", "nS", 1, Any, "subthreshold adaptation: how w follows V"},
		{"b", "pA", 1, Any, "spike-triggered adaptation: the jump of w at a spike"},
		{"tau_w", "ms", 30, Positive, "time constant of adaptation"},
		{"t_ref", "ms", 0, NonNegative, docTRef},
	},
	States:      []State{{"V", "mV", "membrane potential"}, {"w", "pA", "adaptation current"}},
	Methods:     flowMethods,
	CurrentUnit: "pA",
	Fires:       Reset,
	Deriv: func(p []float64, i float64, y, dy []float64) {
		q := AdExOf(p)
		dy[0] = (q.VRest - y[0] + q.DeltaT*math.Exp((y[0]-q.VT)/q.DeltaT) + q.R*(i-y[1])) / q.Tau
		dy[1] = (q.A*(y[0]-q.VRest) - y[1]) / q.TauW
	},
	Jacobian: func(p []float64, _ float64, y, jac []float64) {
		q := AdExOf(p)
		jac[0], jac[1] = math.Expm1((y[0]-q.VT)/q.DeltaT)/q.Tau, -q.R/q.Tau
		jac[2], jac[3] = q.A/q.TauW, -1/q.TauW
	},
	Steady: adexSteady,
	Relations: func(p []float64) []error {
		q := AdExOf(p)
		return append(resetBelow(q.VReset, q.VTh), cutOff(q.VTh, q.VT, q.DeltaT)...)
	},
	Limits: func(p []float64, method string) (float64, float64) {
		q := AdExOf(p)
		return flowLimits(q.Tau, q.TauW, method)
	},
	Threshold: func(p []float64) float64 { return AdExOf(p).VTh },
	ResetTo:   func(p []float64) float64 { return AdExOf(p).VReset },
	Hold:      func(p []float64) float64 { return AdExOf(p).TRef },
	Rest:      func(p []float64) float64 { return AdExOf(p).VRest },
	Equilibria: func(p []float64, i float64) []float64 {
		q := AdExOf(p)
		var y [2]float64
		return exponentialEquilibria(func(v float64) float64 { return adexSteady(p, v, y[:]) - i }, q.VT, q.DeltaT, 1+q.A*q.R)
	},
	Typical: Typical{Current: 14, Currents: []float64{10, 20}, Largest: 60},
	Workload: Workload{
		Preset: "bg05", Set: map[string]float64{"V_th": 0}, Usual: 1900, Silent: 300, Fast: 10300,
	},
}

// adexSteady is Model.Steady of AdEx.
func adexSteady(p []float64, v float64, y []float64) float64 {
	q := AdExOf(p)
	y[0], y[1] = v, q.A*(v-q.VRest)
	return (v-q.VRest-q.DeltaT*math.Exp((v-q.VT)/q.DeltaT))/q.R + y[1]
}
