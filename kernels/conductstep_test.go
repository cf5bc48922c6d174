package kernels

import (
	"math"
	"math/rand/v2"
	"testing"

	"popsim/kernels/asm"
)

// A cell of TestLIFConductStepBound; conductances are over that of the leak.
const (
	boundDt, boundTau    = 0.1, 20.0 // ms
	boundTau1, boundTau2 = 5.0, 10.0
	boundE1, boundE2     = 0.0, -80.0 // mV
	boundRest, boundVTh  = -60.0, -50.0
	boundPer, boundSpan  = boundDt / boundTau, boundE1 - boundE2
)

// TestLIFConductStepBound: lanes of which V comes to V_th inside the step have an event, also where V falls before an
// arrival raises it, with conductances up to some hundred times the leak. V is followed in small steps.
func TestLIFConductStepBound(t *testing.T) {
	const lanes = 2 * asm.Group
	draw := rand.New(rand.NewPCG(7, 7))
	decay := func(time, tau float64) float64 { return math.Exp(-time * boundDt / tau) }
	reached := 0
	for round := range 60 {
		b := &asm.LIFConductStepBlock{
			Lanes: lanes, First: 1, E2: boundE2, Span: boundSpan, Slack: boundSpan * boundDt / (4 * boundTau1),
			Coef:   make([]asm.Column, asm.LIFConductStepCoefs),
			Decay1: decay(1, boundTau1), PerMean1: (1 - decay(1, boundTau1)) * boundTau1 / boundDt,
			Decay2: decay(1, boundTau2), PerMean2: (1 - decay(1, boundTau2)) * boundTau2 / boundDt,
			Fired: make([]uint8, lanes/4),
		}
		for _, c := range []*[]float64{&b.V, &b.Free, &b.S1, &b.S2, &b.Before1, &b.Before2} {
			*c = make([]float64, lanes)
		}
		for _, c := range []*[]float64{&b.Row1, &b.Row2, &b.Kept1, &b.Kept2} {
			*c = make([]float64, 3*lanes)
		}
		const room = boundVTh - boundE2
		for j, x := range []float64{boundPer, -boundPer, boundPer * (boundRest - boundE2), boundPer / 12, room} {
			for l := range b.Coef[j] {
				b.Coef[j][l] = x
			}
		}
		strength := math.Exp(5 * draw.Float64())
		highest := make([]float64, lanes)
		for l := range lanes {
			b.V[l], b.S1[l], b.S2[l] = -60+10*draw.Float64(), 2*draw.Float64(), 60*draw.Float64()
			theta, weight := draw.Float64(), strength*draw.Float64()
			end := decay(1-theta, boundTau1)
			b.Row1[3*l], b.Row1[3*l+1] = weight*end, weight*(1-end)*boundTau1/boundDt
			highest[l] = highestOf(b.V[l]-boundE2, b.S1[l], b.S2[l], theta, weight)
		}
		isas := append(Available(), Go)
		LIFConductStep(isas[round%len(isas)], b)
		for l := range lanes {
			if highest[l] < room {
				continue
			}
			if reached++; b.Fired[l/8*2]>>(l%8)&1 == 0 {
				t.Errorf("V comes %.3g mV above V_th, without an event", highest[l]-room)
			}
		}
	}
	if reached < 300 {
		t.Errorf("%d lanes come to V_th", reached)
	}
}

// highestOf is the largest V - E2 in a step that begins at u, in which weight arrives at the first conductance at the
// place theta.
func highestOf(u, g1, g2, theta, weight float64) float64 {
	const parts = 400
	highest, h := u, 1.0/parts
	half1, half2 := math.Exp(-h/2*boundDt/boundTau1), math.Exp(-h/2*boundDt/boundTau2)
	for i := range parts {
		if at := float64(i) * h; theta >= at && theta < at+h {
			g1 += weight
		}
		x := -boundPer * (1 + g1*half1 + g2*half2)
		y := boundPer * (boundRest - boundE2 + boundSpan*g1*half1)
		u = u*math.Exp(x*h) + y*math.Expm1(x*h)/x
		g1, g2 = g1*half1*half1, g2*half2*half2
		highest = max(highest, u)
	}
	return highest
}
