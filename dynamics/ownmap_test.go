package dynamics

import (
	"math"
	"math/cmplx"
	"testing"

	"popsim/model"
)

// twoAdaptations is an integrate-and-fire neuron of four states whose threshold is one of them; its flow and reset are
// written out here, so that nothing is shared with the package of equations.
func twoAdaptations() *model.Model {
	const v, theta, w, z = 0, 1, 2, 3
	rates := [4]float64{0.1, 0.02, 0.05, 0.005}
	m := &model.Model{
		Name: "two adaptations", Fires: model.Reset,
		States: []model.State{{Name: "V", Unit: "mV"}, {Name: "theta", Unit: "mV"}, {Name: "w", Unit: "1"}, {
			Name: "z", Unit: "1",
		}},
		Start:     func(_, y []float64) { copy(y, []float64{-65, -50, 0, 0}) },
		Threshold: func([]float64) float64 { return -50 },
		ResetTo:   func([]float64) float64 { return -60 },
		Hold:      func([]float64) float64 { return 2 },
		Reach:     func([]float64) (low, high float64) { return -100, 0 },
		Rest:      func([]float64) float64 { return -65 },
	}
	m.Deriv = func(_ []float64, i float64, y, dy []float64) {
		dy[v] = rates[v]*(-65-y[v]) + i - y[w]*(1+0.01*y[z])
		dy[theta] = rates[theta] * (-50 - y[theta] + 0.1*(y[v]+65))
		dy[w], dy[z] = -rates[w]*y[w], rates[z]*(y[w]-y[z])
	}
	m.Jacobian = func(_ []float64, _ float64, y, jac []float64) {
		clear(jac)
		jac[0], jac[2], jac[3] = -rates[v], -(1 + 0.01*y[z]), -0.01*y[w]
		jac[4], jac[5] = 0.1*rates[theta], -rates[theta]
		jac[10], jac[14], jac[15] = -rates[w], rates[z], -rates[z]
	}
	m.Steady = func(_ []float64, x float64, y []float64) float64 {
		y[v], y[theta], y[w], y[z] = x, -50+0.1*(x+65), 0, 0
		return rates[v] * (x + 65)
	}
	m.Spikes = &model.SpikeRules{
		Excess: func(_, y []float64) float64 { return y[v] - y[theta] },
		Slope:  func(_, _, g []float64) { copy(g, []float64{1, -1, 0, 0}) },
		Jump: func(_, y, to []float64) {
			to[v], to[theta], to[w], to[z] = -60, y[theta]+3, y[w]+0.5, y[z]+0.1*y[w]
		},
		JumpJacobian: func(_, _, jac []float64) {
			clear(jac)
			jac[5], jac[10], jac[14], jac[15] = 1, 1, 0.1, 1
		},
		ByCurrent: func(_ []float64, _ float64, _, g []float64) { copy(g, []float64{1, 0, 0, 0}) },
	}
	return m
}

// TestMapOfManyStates: the derivatives of the map are differences of it, and a simulation converges to the firing
// found, at the rate given by the multiplier.
func TestMapOfManyStates(t *testing.T) {
	t.Parallel()
	const (
		slopeTol = 1e-7 // of derivatives: differences of the map, whose steps have errors of 1e-13
		rateTol  = 1e-8 // relative, after 300 spikes
		current  = 3.0
	)
	m := twoAdaptations()
	r := newOwnMap(t.Context(), newSystem(m, nil, current, "I"))
	y := []float64{-60, -47, 0.6, 0.1}
	turn, ok, err := r.next(y)
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	for c := range y {
		h := 1e-4
		var side [2]ownTurn
		for k, x := range []float64{h, -h} {
			z := append([]float64(nil), y...)
			z[c] += x
			if side[k], ok, err = r.next(z); !ok || err != nil {
				t.Fatal(ok, err)
			}
		}
		for k := range y {
			want := (side[0].to[k] - side[1].to[k]) / (2 * h)
			if got := turn.slope[k*4+c]; math.Abs(got-want) > slopeTol*(1+math.Abs(want)) {
				t.Errorf("derivative of state %d by state %d: %v, want %v", k, c, got, want)
			}
		}
	}
	f, err := FiringAt(t.Context(), m, nil, 0, "I", current, droppedTurns, keptTurns)
	if err != nil || f.Period != 1 {
		t.Fatalf("%+v, %v: want one spike per period", f, err)
	}
	start := make([]float64, 4)
	m.Initial(nil, start)
	spikes, err := Spikes(m, nil, []Segment{{0, current}}, start, 300*f.Intervals[0])
	if err != nil || len(spikes) < 50 {
		t.Fatalf("%d spikes, %v", len(spikes), err)
	}
	n := len(spikes)
	if isi := spikes[n-1].Time - spikes[n-2].Time; math.Abs(isi/f.Intervals[0]-1) > rateTol {
		t.Errorf("interval %v ms after %d spikes, want %v ms", isi, n, f.Intervals[0])
	}
	c, ok, err := r.round(f.states[0], 1)
	if l := c.multipliers(); !ok || err != nil || cmplx.Abs(l[0]) >= 1 || real(l[0]) != f.Multiplier {
		t.Errorf("multipliers %v, want the largest to be %v", l, f.Multiplier)
	}
	if at := FixedPoints(m, nil, 1); len(at) != 1 || !at[0].Stable { // V = -55, below theta = -49
		t.Errorf("equilibria at I = 1: %+v, want one", at)
	}
	if at := FixedPoints(m, nil, current); len(at) != 0 { // V = -35 is above theta
		t.Errorf("equilibria where the neuron fires: %+v", at)
	}
}
