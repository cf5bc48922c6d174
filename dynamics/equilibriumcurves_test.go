package dynamics

import (
	"math"
	"strconv"
	"testing"
)

// number reads the stored numbers, which are text to keep their digits.
type number float64

func (n *number) UnmarshalJSON(b []byte) error {
	s, err := strconv.Unquote(string(b))
	if err != nil {
		s = string(b)
	}
	x, err := strconv.ParseFloat(s, 64)
	*n = number(x)
	return err
}

// specialTol is relative to 1 + |value|; the stored points have 13 digits, of which 8 must agree.
const specialTol = 1e-10

func close10(a, b float64) bool { return math.Abs(a-b) <= specialTol*(1+math.Abs(b)) }

func TestSpecialPointsOfEquilibria(t *testing.T) {
	var stored map[string]struct {
		Model string
		GL    number `json:"gL"`
		Hopf  []struct {
			V, I   number
			Omega  number `json:"omega_rad_per_ms"`
			Freq   number `json:"freq_Hz"`
			Period number `json:"period_ms"`
			L1     number
			Type   string
		}
		Folds []struct{ V, I number }
	}
	mustJSON(t, "bif/special_points.json", &stored)
	for name, want := range stored {
		t.Run(name, func(t *testing.T) {
			m, p := mustModel(t, want.Model, map[string]float64{"g_L": float64(want.GL)})
			branches, points, warnings := equilibriumBranches(newSystem(m, p, 0, "I"), Free{
				Name: "I", Lo: -20,
				Hi: 200,
			})
			if len(branches) != 1 || len(warnings) != 0 {
				t.Errorf("%d branches, warnings %v", len(branches), warnings)
			}
			var hopf, folds int
			for _, q := range points {
				switch q.Label {
				case Hopf:
					if hopf++; hopf > len(want.Hopf) {
						t.Fatalf("unexpected Hopf point %+v", q)
					}
					w := want.Hopf[hopf-1]
					if !close10(q.V, float64(w.V)) || !close10(q.Parameter, float64(w.I)) || !close10(q.Frequency,
						float64(w.Freq)) || !close10(q.Period, float64(w.Period)) {
						t.Errorf("Hopf point at I = %.13g, V = %.13g, %.13g Hz; want %+v", q.Parameter, q.V,
							q.Frequency, w)
					}
					if q.Criticality != w.Type[:len(q.Criticality)] {
						t.Errorf("Hopf point at I = %.6g is %scritical (%v), want %s", q.Parameter, q.Criticality,
							q.Lyapunov, w.Type)
					}
					t.Logf("l1 = %.12g, stored %.12g, ratio %.9g", q.Lyapunov, float64(w.L1), q.Lyapunov/float64(w.L1))
				case Fold:
					if folds++; folds > len(want.Folds) {
						t.Fatalf("unexpected fold %+v", q)
					}
					w := want.Folds[folds-1]
					if !close10(q.V, float64(w.V)) || !close10(q.Parameter, float64(w.I)) {
						t.Errorf("fold at I = %.13g, V = %.13g; want %+v", q.Parameter, q.V, w)
					}
				}
			}
			if hopf != len(want.Hopf) || folds != len(want.Folds) {
				t.Errorf("%d Hopf points and %d folds, want %d and %d", hopf, folds, len(want.Hopf), len(want.Folds))
			}
		})
	}
}

// TestSeedAtFold searches intervals whose middle, at which equilibria are sought, is a fold: the curve passes it
// between two steps, and the search finds the same curve.
func TestSeedAtFold(t *testing.T) {
	for _, c := range []struct {
		model   string
		changed map[string]float64
		lo, hi  float64
		fold    float64
	}{
		{"eif", nil, 0, 3.24, 1.62},
		{"adex", map[string]float64{
			"V_rest": -70, "V_reset": -55, "V_T": -50, "delta_T": 2, "R": 0.5, "tau": 20,
			"a": 0, "b": 60,
		}, 0, 72, 36},
		{"adex", nil, -91.93569562330278, 108.06430437669722, 8.06430437669722},
		{"adex", nil, 8.06, 8.065, 8.06430437669722}, // to steps of the size of this interval the curve is a needle
	} {
		m, p := mustModel(t, c.model, c.changed)
		branches, points, _ := equilibriumBranches(newSystem(m, p, 0, "I"), Free{Name: "I", Lo: c.lo, Hi: c.hi})
		folds := 0
		for _, q := range points {
			if q.Label == Fold {
				folds++
				if !close10(q.Parameter, c.fold) {
					t.Errorf("%s: fold at I = %v, want %v", c.model, q.Parameter, c.fold)
				}
			}
		}
		if len(branches) != 1 || folds != 1 {
			t.Errorf("%s, I from %v to %v: %d curves of equilibria with %d folds, want 1 with 1", c.model, c.lo, c.hi,
				len(branches), folds)
		}
	}
}

// TestSeedBesideCutoff searches an interval in which an equilibrium is sought within the last step before V_th of a
// curve: it lies on that curve.
func TestSeedBesideCutoff(t *testing.T) {
	m, p := mustModel(t, "adex", map[string]float64{
		"V_rest": -62.081, "V_reset": -64.2048, "V_th": -26.0956, "delta_T": 1.66797,
		"R": 0.810903, "tau": 6.70102, "a": 1.80399, "tau_w": 4.47118,
	})
	branches, points, _ := equilibriumBranches(newSystem(m, p, 37.69, "V_T"), Free{
		Name: "V_T", Lo: -61.081,
		Hi: -31.0995,
	})
	labels := make(map[string]int)
	for _, q := range points {
		labels[q.Label]++
	}
	if len(branches) != 1 || labels[Fold] != 1 || labels[BranchEnd] != 1 || len(points) != 2 {
		t.Errorf("%d curves of equilibria with %v, want 1 with a fold and an end", len(branches), labels)
	}
}
