package model

import (
	"fmt"
	"math"
	"strconv"
)

// EIF is the exponential integrate-and-fire neuron:
//
//	Tau·dV/dt = -(V - VRest) + DeltaT·exp((V-VT)/DeltaT) + R·I,   and at V = VTh: V → VReset, held for TRef
//
// VT is the rheobase threshold, where the slope of the steady current-voltage relation changes sign; VTh is the
// cut-off that ends the upstroke. Source: Fourcaud-Trocmé et al., J. Neurosci. 23:11628 (2003).
type EIF struct{ VRest, VReset, VTh, VT, DeltaT, R, Tau, TRef float64 }

// EIFOf names the values of a parameter vector.
func EIFOf(p []float64) EIF { return EIF{p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7]} }

const (
	docVTh    = "cut-off that ends the upstroke: the spike is called there (other texts: V_peak)"
	docVT     = "rheobase threshold, where the exponential takes over (not the cut-off, which is V_th)"
	docDeltaT = "slope factor: how sharp the onset of the spike is"
)

// EIFModel is the Model of EIF.
var EIFModel = &Model{
	Name:  "eif",
	Title: "exponential integrate-and-fire",
	Equations: []string{
		"tau dV/dt = -(V - V_rest) + delta_T exp((V - V_T)/delta_T) + R I",
		"at V = V_th: V -> V_reset, held for t_ref",
	},
	Source: "Fourcaud-Trocmé, Hansel, van Vreeswijk & Brunel, J. Neurosci. 23:11628 (2003)",
	Params: []Param{
		{"V_rest", "mV", -65, Any, docVRest},
		{"V_reset", "mV", -68, Any, docVReset},
		{"V_th", "mV", -30, Any, docVTh},
		{"V_T", "mV", -59.9, Any, docVT},
		{"delta_T", "mV", 3.48, Positive, docDeltaT},
		{"R", "GOhm", 1, Positive, docR},
		{"tau", "ms", 10, Positive, docTau},
		{"t_ref", "ms", 1.7, NonNegative, docTRef},
	},
	States:      []State{{"V", "mV", "membrane potential"}},
	Methods:     flowMethods,
	CurrentUnit: "pA",
	Fires:       Reset,
	Deriv: func(p []float64, i float64, y, dy []float64) {
		q := EIFOf(p)
		dy[0] = (q.VRest - y[0] + q.DeltaT*math.Exp((y[0]-q.VT)/q.DeltaT) + q.R*i) / q.Tau
	},
	Jacobian: func(p []float64, _ float64, y, jac []float64) {
		q := EIFOf(p)
		jac[0] = math.Expm1((y[0]-q.VT)/q.DeltaT) / q.Tau
	},
	Steady: eifSteady,
	Relations: func(p []float64) []error {
		q := EIFOf(p)
		return append(resetBelow(q.VReset, q.VTh), cutOff(q.VTh, q.VT, q.DeltaT)...)
	},
	Limits: func(p []float64, method string) (float64, float64) {
		q := EIFOf(p)
		return flowLimits(q.Tau, math.Inf(1), method)
	},
	Threshold: func(p []float64) float64 { return EIFOf(p).VTh },
	ResetTo:   func(p []float64) float64 { return EIFOf(p).VReset },
	Hold:      func(p []float64) float64 { return EIFOf(p).TRef },
	Rest:      func(p []float64) float64 { return EIFOf(p).VRest },
	Equilibria: func(p []float64, i float64) []float64 {
		q := EIFOf(p)
		var y [1]float64
		return exponentialEquilibria(func(v float64) float64 { return eifSteady(p, v, y[:]) - i }, q.VT, q.DeltaT, 1)
	},
	Typical:  Typical{Current: 12, Currents: []float64{10, 20}, Largest: 60},
	Workload: Workload{Usual: 10.6, Silent: 1, Fast: 106},
}

// maxUpstroke is the largest (V_th - V_T)/delta_T: the exponential at the cut-off must be finite in sums with other
// terms.
const maxUpstroke = 300.0

func cutOff(vTh, vT, deltaT float64) []error {
	if (vTh-vT)/deltaT > maxUpstroke {
		return []error{fmt.Errorf("(V_th - V_T)/delta_T is %.4g; exp of it is no usable number, %v or less will do "+
			"(lower V_th to %v mV)",
			(vTh-vT)/deltaT, maxUpstroke, largestCutOff(vT, deltaT))}
	}
	return nil
}

// largestCutOff is about the largest V_th that cutOff accepts, with as few digits as distinguish it from V_T.
func largestCutOff(vT, deltaT float64) float64 {
	for digits := 6; digits <= 17; digits++ {
		for _, share := range []float64{1, 0.9} {
			text := strconv.FormatFloat(vT+share*maxUpstroke*deltaT, 'g', digits, 64)
			x, err := strconv.ParseFloat(text, 64)
			if err == nil && x > vT && (x-vT)/deltaT <= maxUpstroke {
				return x
			}
		}
	}
	return vT
}

var flowMethods = []Method{
	{"flow", 2, 0.1, 2, false, "exact flow of the exponential with the linear drift frozen at its mean over the step; " +
		"spikes inside the step"},
	{"euler", 1, 0.05, 40, true, "forward Euler, spikes on the grid: for comparison with other simulators"},
	{"rk4", 2, 0.05, 10, false, "classical Runge-Kutta, of order 4 between spikes; close to them in exp(-V/delta_T), " +
		"which brings the order to 2"},
}

// flowLimits bounds dt by the faster time constant. Every method is stable, or bounded by the cut-off, with far longer
// steps; the bound comes from the error in the upstroke. Runge-Kutta overshoots the cut-off, Euler detects the spike
// some steps late; the number of these steps does not depend on the time constants, so there is a bound in ms too.
func flowLimits(tau, tauW float64, method string) (usable, accurate float64) {
	fastest := min(tau, tauW)
	switch method {
	case "euler":
		return min(0.02*fastest, 0.25), min(0.01*fastest, 0.1)
	case "rk4":
		return 0.05 * fastest, 0.02 * fastest
	}
	return 0.2 * fastest, 0.03 * fastest
}

// eifSteady is Model.Steady of EIF.
func eifSteady(p []float64, v float64, y []float64) float64 {
	q := EIFOf(p)
	y[0] = v
	return (v - q.VRest - q.DeltaT*math.Exp((v-q.VT)/q.DeltaT)) / q.R
}
