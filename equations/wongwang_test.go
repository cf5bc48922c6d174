package equations

import (
	"cmp"
	"encoding/json"
	"math"
	"os"
	"slices"
	"strconv"
	"testing"

	"popsim/dynamics"
)

// TestWongWang: the slopes of the equations of the library are 0 at the fixed points of testdata/wong_wang.json, which
// were found with 30 digits.
func TestWongWang(t *testing.T) {
	const (
		tolerance = 1e-15 // 1/ms: roundings of rates of 0.04/ms
		found     = 1e-12 // of gates: truth has 14 digits
	)
	data, err := os.ReadFile("testdata/wong_wang.json")
	if err != nil {
		t.Fatal(err)
	}
	var truth struct {
		Cases []struct {
			Mu        float64 `json:"mu0_Hz"`
			Coherence float64 `json:"coherence"`
			Fixed     []struct {
				S1, S2 string
				Stable bool
			} `json:"fixed_points"`
		}
	}
	if err := json.Unmarshal(data, &truth); err != nil {
		t.Fatal(err)
	}
	m, err := Lookup("wong-wang")
	if err != nil {
		t.Fatal(err)
	}
	points := 0
	for _, c := range truth.Cases {
		p := m.Defaults()
		p[m.Index("c")] = 100 * c.Coherence
		rest := dynamics.FixedPoints(m, p, c.Mu)
		if len(rest) != len(c.Fixed) {
			t.Errorf("mu0 %g, coherence %g: %d fixed points, want %d", c.Mu, c.Coherence, len(rest), len(c.Fixed))
			continue
		}
		for k, f := range c.Fixed {
			var s, d [2]float64
			for j, text := range []string{f.S1, f.S2} {
				if s[j], err = strconv.ParseFloat(text, 64); err != nil {
					t.Fatal(err)
				}
			}
			m.Deriv(p, c.Mu, s[:], d[:])
			points++
			if q := rest[k]; math.Abs(q.State[0]-s[0]) > found || math.Abs(q.State[1]-s[1]) > found ||
				q.Stable != f.Stable {
				t.Errorf("mu0 %g, coherence %g: fixed point %v, stable %t, want %v", c.Mu, c.Coherence, q.State, q.Stable, s)
			}
			if math.Abs(d[0]) > tolerance || math.Abs(d[1]) > tolerance {
				t.Errorf("mu0 %g, coherence %g: (%s, %s) moves with %v per ms", c.Mu, c.Coherence, f.S1, f.S2, d)
			}
		}
	}
	if points < 15 {
		t.Errorf("only %d fixed points", points)
	}
}

// TestWongWangDiagram: the pitchforks over the stimulus and the folds over coherence. The values are from their
// conditions along the symmetric equilibria, and from the extreme of c over S1, by bisection in another program.
func TestWongWangDiagram(t *testing.T) {
	const tolerance = 1e-7 // of Hz and percent: the equations of a point where curves cross are singular
	m, err := Lookup("wong-wang")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		free     dynamics.Free
		label    string
		branches int
		want     []float64
	}{
		{
			dynamics.Free{Name: "I", Lo: 0, Hi: 60},
			dynamics.BranchPoint, 5,
			[]float64{10.676805764678, 43.018186777017},
		},
		{
			dynamics.Free{Name: "c", Lo: -100, Hi: 100, Marks: []float64{0}},
			dynamics.Fold, 1,
			[]float64{-68.470129022100, 68.470129022100},
		},
	} {
		d, err := dynamics.Bifurcation(t.Context(), m, m.Defaults(), 30, test.free)
		if err != nil {
			t.Fatal(err)
		}
		if len(d.Branches) != test.branches || len(d.Points) != len(test.want) || len(d.Warnings) > 0 {
			t.Errorf("over %s: %d branches, points %+v, warnings %v", test.free.Name, len(d.Branches), d.Points, d.Warnings)
			continue
		}
		slices.SortFunc(d.Points, func(a, b dynamics.Point) int { return cmp.Compare(a.Parameter, b.Parameter) })
		for k, q := range d.Points {
			if q.Label != test.label || math.Abs(q.Parameter-test.want[k]) > tolerance {
				t.Errorf("over %s: %s at %.12g, want %s at %.12g", test.free.Name, q.Label, q.Parameter, test.label,
					test.want[k])
			}
		}
	}
}
