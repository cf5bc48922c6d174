package dynamics

import (
	"math"
	"testing"
)

// Homoclinic currents of adex, also where the slow eigenvalue is small against the inverse of the longest period
// followed: bisection on the unstable manifold of the saddle by an integration of order 8, nine digits or more.
func TestHomoclinicLimit(t *testing.T) {
	t.Parallel()
	const tol = 2e-9 // relative
	for _, c := range []struct {
		set    map[string]float64
		lo, hi float64
		want   float64
	}{
		{map[string]float64{
			"V_rest": -60.6, "V_reset": -70.7, "V_th": 0, "V_T": -46.5, "delta_T": 0.97, "R": 0.11001,
			"tau": 18.6, "a": 26.21, "b": 48, "tau_w": 240,
		}, 0, 1294, 485.70193019},
		{map[string]float64{
			"V_rest": -72.9, "V_reset": -52, "V_th": 0, "V_T": -52.8, "delta_T": 1.16, "R": 0.02646,
			"tau": 17.42, "a": 87.14, "b": 131.9, "tau_w": 100,
		}, 0, 6328, 2450.0014082},
	} {
		m, p := mustModel(t, "adex", c.set)
		d, err := Bifurcation(t.Context(), m, p, 0, Free{Name: "I", Lo: c.lo, Hi: c.hi})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, q := range d.Points {
			if q.Label != Homoclinic {
				continue
			}
			n++
			if math.Abs(q.Parameter/c.want-1) > tol || q.Note != "" {
				t.Errorf("%v: homoclinic at I = %.12g pA (%q), want %.12g", c.set, q.Parameter, q.Note, c.want)
			}
		}
		if n != 1 {
			t.Errorf("%v: %d homoclinic points, want 1", c.set, n)
		}
	}
}
