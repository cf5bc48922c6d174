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

// specialTol is relative to 1 + |value|; the stored points have 13 digits, 8 are asked for.
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
			branches, points, warnings := restBranches(newSystem(m, p, 0, "I"), Free{Name: "I", Lo: -20, Hi: 200})
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
					if !close10(q.V, float64(w.V)) || !close10(q.Parameter, float64(w.I)) || !close10(q.Frequency, float64(w.Freq)) || !close10(q.Period, float64(w.Period)) {
						t.Errorf("Hopf point at I = %.13g, V = %.13g, %.13g Hz; want %+v", q.Parameter, q.V, q.Frequency, w)
					}
					if q.Criticality != w.Type[:len(q.Criticality)] {
						t.Errorf("Hopf point at I = %.6g is %scritical (%v), want %s", q.Parameter, q.Criticality, q.Lyapunov, w.Type)
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
