package equations

import (
	"encoding/json"
	"math"
	"os"
	"strconv"
	"testing"
)

// TestWongWang: the equations of the library stand still at the fixed points of testdata/wong_wang.json, which were
// found with 30 digits.
func TestWongWang(t *testing.T) {
	const tolerance = 1e-15 // 1/ms: roundings of rates of 0.04/ms
	data, err := os.ReadFile("testdata/wong_wang.json")
	if err != nil {
		t.Fatal(err)
	}
	var truth struct {
		Cases []struct {
			Mu        float64                   `json:"mu0_Hz"`
			Coherence float64                   `json:"coherence"`
			Fixed     []struct{ S1, S2 string } `json:"fixed_points"`
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
		for _, f := range c.Fixed {
			var s, d [2]float64
			for k, text := range []string{f.S1, f.S2} {
				if s[k], err = strconv.ParseFloat(text, 64); err != nil {
					t.Fatal(err)
				}
			}
			m.Deriv(p, c.Mu, s[:], d[:])
			points++
			if math.Abs(d[0]) > tolerance || math.Abs(d[1]) > tolerance {
				t.Errorf("mu0 %g, coherence %g: (%s, %s) moves with %v per ms", c.Mu, c.Coherence, f.S1, f.S2, d)
			}
		}
	}
	if points < 15 {
		t.Errorf("only %d fixed points", points)
	}
}
