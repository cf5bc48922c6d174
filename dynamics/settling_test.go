package dynamics

import (
	"math"
	"testing"
)

// Rates and periods of the stored rows have at least 9 digits.
const settledTol = 2e-9

// What a train settles on is known to 9 digits, also where the reset map contracts by less than 2 % per spike, and
// where the exponential lies more than 185 delta_T below V_th. Values of an independent integration of order 5 in C,
// and of popsim fi.
func TestFiringIsSettled(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		preset string
		set    map[string]float64
		i      float64
		period float64 // ms
		tol    float64
	}{
		{"naud-adaptation", map[string]float64{"tau_w": 500, "b": 10}, 1800, 5.1224738019, settledTol},
		{"naud-adaptation", map[string]float64{"tau_w": 500, "b": 10}, 2880, 3.1023645544, settledTol},
		{"", map[string]float64{"delta_T": 0.14, "R": 0.1}, 60, 1000 / 30.580683, 1e-6},   // eight digits are known
		{"", map[string]float64{"delta_T": 0.14, "R": 0.1}, 400, 1000 / 417.159132, 1e-6}, // the same
		{"", map[string]float64{"delta_T": 0.1}, 12, 1000 / 67.786, 1e-5},                 // five
		{"", map[string]float64{"delta_T": 0.1}, 20, 1000 / 143.497, 1e-5},
	} {
		m, p := mustModel(t, "adex", nil)
		if c.preset != "" {
			q, err := m.Preset(c.preset)
			if err != nil {
				t.Fatal(err)
			}
			p = q.Params
		}
		for name, x := range c.set {
			p[m.Index(name)] = x
		}
		f, err := FiringAt(t.Context(), m, p, c.i, "I", c.i, droppedTurns, keptTurns)
		if err != nil || f.Period != 1 {
			t.Errorf("%+v: %+v, %v; want one spike per period", c, f, err)
			continue
		}
		if off := math.Abs(f.Intervals[0]/c.period - 1); off > c.tol || math.Abs(f.Multiplier) >= 1 {
			t.Errorf("%+v: interval %.11g ms (off by %.1g), multiplier %v", c, f.Intervals[0], off, f.Multiplier)
		}
	}
}
