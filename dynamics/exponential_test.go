package dynamics

import (
	"context"
	"math"
	"testing"
)

func TestExponentialModelsHaveTheirClosedForms(t *testing.T) {
	var sets map[string]struct {
		Params map[string]float64
		VSN    number `json:"V_SN"`
		ISN    number `json:"I_SN"`
		Exists bool   `json:"hopf_exists"`
		VH     number `json:"V_H"`
		IH     number `json:"I_H"`
		Omega  number `json:"omega_rad_per_ms"`
		BTA    number `json:"BT_at_a"`
		BTV    number `json:"BT_V"`
		BTI    number `json:"BT_I"`
	}
	mustJSON(t, "bif/adex_special.json", &sets)
	for name, want := range sets {
		t.Run(name, func(t *testing.T) {
			m, p := mustModel(t, "adex", want.Params)
			e, err := NewExponential(m, p)
			if err != nil {
				t.Fatal(err)
			}
			v, i := e.Fold()
			if !close10(v, float64(want.VSN)) || !close10(i, float64(want.ISN)) {
				t.Errorf("fold at V = %.14g, I = %.14g, want %+v", v, i, want)
			}
			vh, ih, omega, ok := e.Hopf()
			if ok != want.Exists || ok && (!close10(vh, float64(want.VH)) || !close10(ih, float64(want.IH)) ||
				!close10(omega, float64(want.Omega))) {
				t.Errorf("Hopf point %v at V = %.14g, I = %.14g, omega = %.14g, want %+v", ok, vh, ih, omega, want)
			}
			if a, v, i := e.BogdanovTakens(); !close10(a, float64(want.BTA)) || !close10(v, float64(want.BTV)) ||
				!close10(i, float64(want.BTI)) {
				t.Errorf("Bogdanov-Takens at a = %.14g, V = %.14g, I = %.14g, want %+v", a, v, i, want)
			}
			// The general method must find the same.
			_, points, warnings := equilibriumBranches(newSystem(m, p, 0, "I"), Free{
				Name: "I",
				Lo:   i - 0.3*math.Abs(i) - 1, Hi: i + 1,
			})
			folds, hopfs := 0, 0
			for _, q := range points {
				switch q.Label {
				case Fold:
					folds++
					if !close10(q.V, v) || !close10(q.Parameter, i) {
						t.Errorf("continuation finds the fold at V = %.14g, I = %.14g, not %.14g, %.14g", q.V,
							q.Parameter, v, i)
					}
				case Hopf:
					hopfs++
					if !close10(q.V, vh) || !close10(q.Parameter, ih) || q.Criticality != "sub" {
						t.Errorf("continuation finds a %scritical Hopf point at V = %.14g, I = %.14g, not %.14g, %.14g",
							q.Criticality, q.V, q.Parameter, vh, ih)
					}
				}
			}
			if folds != 1 || (hopfs == 1) != ok || len(warnings) > 0 {
				t.Errorf("%d folds, %d Hopf points, warnings %v", folds, hopfs, warnings)
			}
		})
	}
}

func TestRheobase(t *testing.T) {
	for _, c := range []struct {
		model, preset string
		want          float64 // to the digits of independent closed forms; NaN where there is none
	}{
		{"lif", "slide", 20},
		{"eif", "", 1.62},
		{"adex", "", 7.5622672242644},
		{"adex", "nd-tonic", 36},
		{"adex", "nd-bursting", 26.1369537826447},
		{"adex", "bg05", 627.182464508599},
		{"adex", "naud-delayed-burst", math.NaN()}, // a R = -1: no equilibrium at any current
		{"hh", "", math.NaN()},
	} {
		m, _ := mustModel(t, c.model, nil)
		s, err := m.Preset(c.preset)
		if err != nil {
			t.Fatal(err)
		}
		if got := Rheobase(m, s.Params); math.IsNaN(got) != math.IsNaN(c.want) || math.Abs(got/c.want-1) > 1e-12 {
			t.Errorf("%s:%s: %.15g, want %.15g", c.model, c.preset, got, c.want)
		}
	}
}

func TestLambertEquilibria(t *testing.T) {
	var sets map[string]struct{ Params map[string]float64 }
	mustJSON(t, "bif/adex_special.json", &sets)
	for _, r := range mustTable(t, "bif/equilibria_adex.csv") {
		m, p := mustModel(t, "adex", sets[r["set"]].Params)
		checkEquilibrium(t, mustExponential(t, "adex", sets[r["set"]].Params), FixedPoints(m, p, r.num(t, "I")),
			r.num(t, "I"), r.num(t, "V"))
	}
	m, p := mustModel(t, "eif", nil)
	for _, r := range mustTable(t, "bif/equilibria_eif_default.csv") {
		i := r.num(t, "I")
		for _, column := range []string{"V_stable", "V_unstable"} {
			if r[column] != "" {
				checkEquilibrium(t, mustExponential(t, "eif", nil), FixedPoints(m, p, i), i, r.num(t, column))
			}
		}
	}
}

func mustExponential(t *testing.T, name string, changed map[string]float64) Exponential {
	t.Helper()
	m, p := mustModel(t, name, changed)
	e, err := NewExponential(m, p)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func checkEquilibrium(t *testing.T, e Exponential, found []FixedPoint, i, want float64) {
	t.Helper()
	lower, upper := e.Equilibria(i)
	tol := equilibriumTol * (1 + math.Abs(want))
	if v, _ := e.Fold(); math.Abs(v-want) < 1e-6 {
		tol = 3e-7 // at the fold V depends on the last bit of I like its square root
	}
	if off := min(math.Abs(lower-want), math.Abs(upper-want)); off > tol {
		t.Errorf("I = %v: Lambert gives %.14g and %.14g, want %.14g", i, lower, upper, want)
	}
	nearest := math.Inf(1)
	for _, f := range found {
		nearest = min(nearest, math.Abs(f.State[0]-want))
	}
	if nearest > tol {
		t.Errorf("I = %v: no equilibrium at %.14g; the nearest is %.1e away", i, want, nearest)
	}
}

func TestAdExCycleBranchEndsAtSaddle(t *testing.T) {
	m, p := mustModel(t, "adex", nil)
	d, err := Bifurcation(context.Background(), m, p, 0, Free{Name: "I", Lo: 0, Hi: 9})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range d.Branches {
		if b.Kind == Cycle && (b.From != Hopf || b.To != Homoclinic || b.Rows[5].Stable) {
			t.Errorf("the cycles run from %s to %s; want the unstable ones from the Hopf point to the homoclinic orbit",
				b.From, b.To)
		}
	}
	if len(d.Branches) != 2 || len(d.Warnings) != 0 {
		t.Errorf("%d branches, warnings %v", len(d.Branches), d.Warnings)
	}
}
