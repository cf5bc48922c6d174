package model

import (
	"fmt"
	"math"
)

// LIF is the leaky integrate-and-fire neuron:
//
//	Tau·dV/dt = -(V - VRest) + R·I,   and at V = VTh: V → VReset, held for TRef
//
// Source: Lapicque 1907; Gerstner et al., Neuronal Dynamics, section 1.3.
type LIF struct{ VRest, VReset, VTh, R, Tau, TRef float64 }

// LIFOf names the values of a parameter vector.
func LIFOf(p []float64) LIF { return LIF{p[0], p[1], p[2], p[3], p[4], p[5]} }

// Descriptions of parameters that integrate-and-fire models share.
const (
	docVRest  = "potential towards which the leak pulls"
	docVReset = "potential after a spike, held for t_ref"
	docR      = "membrane resistance; the leak conductance is 1/R"
	docTau    = "membrane time constant"
	docTRef   = "absolute refractory period"
)

// LIFModel is the Model of LIF.
var LIFModel = &Model{
	Name:  "lif",
	Title: "leaky integrate-and-fire",
	Equations: []string{
		"tau dV/dt = -(V - V_rest) + R I",
		"at V = V_th: V -> V_reset, held for t_ref",
	},
	Source: "Lapicque 1907; Gerstner et al., Neuronal Dynamics, section 1.3",
	Params: []Param{
		{"V_rest", "mV", 0, Any, docVRest},
		{"V_reset", "mV", 0, Any, docVReset},
		{"V_th", "mV", 20, Any, "threshold: a spike when V reaches it"},
		{"R", "GOhm", 1, Positive, docR},
		{"tau", "ms", 10, Positive, docTau},
		{"t_ref", "ms", 1, NonNegative, docTRef},
	},
	States: []State{{"V", "mV", "membrane potential"}},
	Methods: []Method{{
		"exact", 0, 0.1, 0, false,
		"closed form between spikes and at them; any dt gives the same spikes to rounding",
	}},
	CurrentUnit: "pA",
	Fires:       Reset,
	Deriv: func(p []float64, i float64, y, dy []float64) {
		q := LIFOf(p)
		dy[0] = (q.VRest - y[0] + q.R*i) / q.Tau
	},
	Jacobian: func(p []float64, _ float64, _, jac []float64) { jac[0] = -1 / LIFOf(p).Tau },
	Steady: func(p []float64, v float64, y []float64) float64 {
		q := LIFOf(p)
		y[0] = v
		return (v - q.VRest) / q.R
	},
	Relations: func(p []float64) []error {
		q := LIFOf(p)
		return resetBelow(q.VReset, q.VTh)
	},
	Limits:    func([]float64, string) (float64, float64) { return math.Inf(1), math.Inf(1) },
	Threshold: func(p []float64) float64 { return LIFOf(p).VTh },
	ResetTo:   func(p []float64) float64 { return LIFOf(p).VReset },
	Hold:      func(p []float64) float64 { return LIFOf(p).TRef },
	Rest:      func(p []float64) float64 { return LIFOf(p).VRest },
	Equilibria: func(p []float64, i float64) []float64 {
		q := LIFOf(p)
		return []float64{q.VRest + q.R*i}
	},
	Typical:  Typical{Current: 25, Currents: []float64{25, 40}, Largest: 60},
	Workload: Workload{Set: map[string]float64{"t_ref": 2}, Usual: 23.8, Silent: 15, Fast: 110.3},
}

func resetBelow(vReset, vTh float64) []error {
	if vReset >= vTh {
		return []error{fmt.Errorf("reset: V_reset (%v mV) is not below V_th (%v mV); a spike would never end", vReset, vTh)}
	}
	return nil
}
