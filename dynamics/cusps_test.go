package dynamics

import (
	"context"
	"math"
	"os"
	"slices"
	"testing"
)

// TestCuspsOfCycles: the cusps of cycles of hh over E_K lie where diagrams over I begin or cease to have two more folds
// of cycles. Three lie within 0.12 mV, close to a canard.
func TestCuspsOfCycles(t *testing.T) {
	t.Parallel()
	if os.Getenv("POPSIM_LONG") == "" {
		t.Skip("takes 12 s: only with POPSIM_LONG=1")
	}
	ctx := context.Background()
	x, y := Free{Name: "I", Lo: -10, Hi: 20}, Free{Name: "E_K", Lo: -66, Hi: -60}
	m, p := mustModel(t, "hh", nil)
	r, s := &Regions{Model: m, X: x, Y: y}, newPlaneSystem(m, p, 0, x, y)
	if err := s.equilibriumCurves(ctx, r); err != nil {
		t.Fatal(err)
	}
	var scans []scan
	for _, at := range []float64{-62.9, -63.2} {
		s.setSecond(at)
		d, cycles, err := newDiagram(ctx, m, s.p, s.i, x)
		if err != nil {
			t.Fatal(err)
		}
		scans = append(scans, scan{along: x, at: at, diagram: d, folds: cycles.turned})
	}
	if err := s.cycleFolds(ctx, r, scans, nil); err != nil {
		t.Fatal(err)
	}
	var cusps []float64
	for _, q := range r.Points {
		if q.Label == CycleCusp {
			cusps = append(cusps, q.Y)
		}
	}
	slices.Sort(cusps)
	folds := map[float64]int{} // of cycles, between the cusps
	for _, eK := range []float64{-62.9, -63.02, -63.06, -63.2} {
		_, p := mustModel(t, "hh", map[string]float64{"E_K": eK})
		d, err := Bifurcation(ctx, m, p, 0, x)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range d.Points {
			if q.Label == CycleFold {
				folds[eK]++
			}
		}
	}
	if folds[-62.9] != 1 || folds[-63.02] != 3 || folds[-63.06] != 1 || folds[-63.2] != 3 {
		t.Errorf("folds of cycles by E_K: %v, want 1, 3, 1, 3 from -62.9 to -63.2", folds)
	}
	inside := func(c, lo, hi float64) bool { return c > lo && c < hi }
	if len(cusps) != 3 || !inside(cusps[2], -63.02, -62.9) || !inside(cusps[1], -63.06, -63.02) || !inside(cusps[0],
		-63.2, -63.06) {
		t.Errorf("cusps of cycles at E_K = %v, want one between each two of -62.9, -63.02, -63.06 and -63.2", cusps)
	}
	// of the window I = -80:200, E_K = -100:-10
	if c := -63.0446951698; len(cusps) == 3 && math.Abs(cusps[1]-c) > 1e-7 {
		t.Errorf("a cusp of cycles at E_K = %.10g, in another window %.10g", cusps[1], c)
	}
}
