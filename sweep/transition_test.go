package sweep

import (
	"context"
	"fmt"
	"math"
	"os"
	"testing"
)

// TestTransitions compares transitions with truth: closed forms, and the thresholds of testdata/fi.
func TestTransitions(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	type transition struct {
		at           float64
		below, above string
		class        int
	}
	for _, c := range []struct {
		model     string
		set       map[string]float64
		currents  string
		time, tol float64
		want      []transition
		within    float64 // of the truth, in the unit of the axis
		long      bool
	}{
		{"lif", nil, "I=0:40:1", 2000, 1e-9, []transition{{20, "silent", "firing", 1}}, 1e-9, false},
		{"eif", nil, "I=0:10:0.5", 2000, 1e-5, []transition{{1.62, "silent", "firing", 1}}, 5e-4, false},
		// Near this saddle-node V approaches and leaves the equilibrium slowly; beyond it the neuron fires with intervals of
		// 144 ms.
		{"adex", map[string]float64{
			"V_rest": -60.5, "R": 0.36, "tau": 5.9, "V_T": -39, "delta_T": 1.6, "V_th": -18.6, "V_reset": -40,
			"t_ref": 3.4, "tau_w": 145, "a": -1.77, "b": 0.87,
		}, "I=0:40:2", 2000, 1e-4, []transition{{18.4199146141, "silent", "firing", 2}}, 1e-3, false},
		{"hh", nil, "I=0:20:0.5", 2000, 1e-7, []transition{
			{2.24033362437, "silent", "transient", 0}, {6.26033, "transient", "firing", 2},
		}, 1e-3, false},
		{"hh", map[string]float64{"g_L": 0.03}, "I=0:20:0.5", 2000, 1e-5, []transition{
			{1.43732536793, "silent", "transient", 0}, {3.40333, "transient", "firing", 2},
		}, 3e-4, true},
		{"adex", nil, "I=0:12:0.5", 2000, 1e-6, []transition{
			{5.211473557513487, "silent", "transient", 0}, {6.786870232715727, "transient", "firing", 2},
		}, 1e-5, false},
		{"rhh", nil, "I=0:14:0.5", 1500, 1e-5, []transition{
			{1.29377270798, "silent", "firing", 2}, {11.1998869618, "firing", "transient", 0},
		}, 2e-4, true},
		{
			"rhh",
			map[string]float64{"g_L": 0.03},
			"I=-0.66:1:0.1", 1500, 1e-5,
			[]transition{{-0.653440653757415, "transient", "firing", 1}},
			2e-4, true,
		},
	} {
		t.Run(fmt.Sprint(c.model, c.set), func(t *testing.T) {
			if c.long && os.Getenv("POPSIM_LONG") == "" {
				t.Skip("seconds; POPSIM_LONG=1 runs it")
			}
			m, p := mustModel(t, c.model, "", c.set)
			s := Spec{Model: m, P: p, Time: c.time}
			s.Grid.Axes = mustAxes(t, m, c.currents)
			r, borders, err := Refine(context.Background(), mustRun(t, s), Config{}, c.tol)
			if err != nil {
				t.Fatal(err)
			}
			for _, b := range borders {
				t.Logf("%s (error %.2g, %d rows)", b, b.Error, r.Rows())
			}
			if len(borders) != len(c.want) {
				t.Fatalf("%d borders, want %d", len(borders), len(c.want))
			}
			for i, want := range c.want {
				b := borders[i]
				if off := math.Abs(b.At() - want.at); off > c.within || off > 1.5*b.Uncertainty()+1e-14*math.Abs(want.at) {
					t.Errorf("transition %v, want %.10g within %g", b, want.at, c.within)
				}
				if b.Class == 2 && !(b.Rate > 1) {
					t.Errorf("transition %v at which the rate jumps to %v Hz", b, b.Rate)
				}
				if b.Below != want.below || b.Above != want.above || b.Class != want.class {
					t.Errorf("transition %v, want %+v", b, want)
				}
			}
		})
	}
}

// TestDigitsCoverTheTransition: the reported interval contains the neighbours between which the transition is.
func TestDigitsCoverTheTransition(t *testing.T) {
	for k := range 1000 {
		lo := 8.8545 + 1.37e-4*float64(k)
		b := Transition{Lo: lo, Hi: lo + 1e-4*math.Pow(1.013, float64(k)), Error: math.NaN()}
		var at, u float64
		if _, err := fmt.Sscanf(b.Digits(), "%g +- %g", &at, &u); err != nil {
			t.Fatal(b.Digits(), err)
		}
		if slack := 1e-5 * u; at-u > b.Lo+slack || at+u < b.Hi-slack || u > 5*b.Uncertainty() {
			t.Errorf("%s for a transition between %v and %v", b.Digits(), b.Lo, b.Hi)
		}
	}
}
