package dynamics

import (
	"context"
	"math"
	"testing"
)

func TestAdExBordersHaveTheirClosedForms(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes several diagrams")
	}
	m, p := mustModel(t, "adex", nil)
	r, err := Borders(context.Background(), m, p, 0, Free{Name: "I", Lo: 0, Hi: 10}, Free{Name: "a", Lo: 0, Hi: 2})
	if err != nil || len(r.Warnings) > 0 {
		t.Fatal(err, r.Warnings)
	}
	counts := map[string]int{}
	for _, b := range r.Curves {
		counts[b.Label]++
		for _, q := range b.Points {
			e := mustExponential(t, "adex", map[string]float64{"a": q.Y})
			v, i := e.Fold()
			if b.Label == Hopf {
				v, i, _, _ = e.Hopf()
			}
			if math.Abs(q.V-v) > 1e-7 || math.Abs(q.X-i) > 1e-7 {
				t.Errorf("%s at a = %v: V = %.10g, I = %.10g, want %.10g, %.10g", b.Label, q.Y, q.V, q.X, v, i)
			}
		}
	}
	if counts[Fold] != 1 || counts[Hopf] != 1 || len(counts) != 2 {
		t.Errorf("curves %v, want one of folds and one of Hopf points", counts)
	}
	a, v, i := mustExponential(t, "adex", nil).BogdanovTakens()
	if len(r.Points) != 1 || r.Points[0].Label != BogdanovTakens || math.Abs(r.Points[0].X-i)+math.Abs(r.Points[0].Y-a)+math.Abs(r.Points[0].V-v) > 1e-6 {
		t.Errorf("special points %+v, want a Bogdanov-Takens point at a = %v, I = %v, V = %v", r.Points, a, i, v)
	}
}

// The cycles of the reduced Hodgkin-Huxley model at g_L = 0.3 end at folds; followed in g_L those must stay folds.
func TestFoldsOfCyclesAreFollowed(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes several diagrams")
	}
	m, p := mustModel(t, "rhh", nil)
	r, err := Borders(context.Background(), m, p, 0, Free{Name: "I", Lo: 10.5, Hi: 13}, Free{Name: "g_L", Lo: 0.28, Hi: 0.3})
	if err != nil {
		t.Fatal(err)
	}
	passes := func(i, gL float64) bool {
		for _, b := range r.Curves {
			for _, q := range b.Points {
				if b.Label == CycleFold && math.Abs(q.X-i) < 1e-6 && q.Y == gL {
					return true
				}
			}
		}
		return false
	}
	for _, want := range []struct{ i, gL float64 }{{11.1998869618442, 0.3}} {
		if !passes(want.i, want.gL) {
			t.Errorf("no curve of folds of cycles through I = %v, g_L = %v", want.i, want.gL)
		}
	}
}

func TestRegimesOfTheReducedModel(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes several diagrams")
	}
	m, p := mustModel(t, "rhh", nil)
	list, err := Regimes(context.Background(), m, p, 0, Free{Name: "I", Lo: -4, Hi: 16}, Free{Name: "g_L", Lo: 0.03, Hi: 0.3}, 5, 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"rest", "oscillation", "oscillation", "oscillation", "oscillation", // I = -4, 1, 6, 11, 16 at g_L = 0.03
		"rest", "bistable", "bistable", "bistable", "rest", // at g_L = 0.3
	}
	for k, r := range list {
		if r.Name() != want[k] {
			t.Errorf("I = %v, g_L = %v: %s (%+v), want %s", r.X, r.Y, r.Name(), r, want[k])
		}
	}
}
