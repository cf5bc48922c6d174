package dynamics

import (
	"context"
	"testing"
	"time"
)

func TestScratchAll(t *testing.T) {
	for _, c := range []struct {
		m       string
		changed map[string]float64
		i       float64
		name    string
		lo, hi  float64
	}{
		{"rhh", nil, 5, "n_plus_h", 0.7, 1},
		{"rhh", nil, 0, "g_L", 0.01, 0.5},
		{"rhh", nil, 5, "g_K", 5, 100},
		{"rhh", nil, 5, "E_K", -100, -50},
		{"rhh", nil, 0, "I", -100, 400},
		{"rhh", nil, 0, "I", 0, 10},
		{"hh", nil, 10, "g_L", 0.01, 2},
		{"hh", nil, 0, "g_K", 1, 50},
		{"hh", nil, 0, "I", 7.5, 9},
		{"hh", map[string]float64{"g_L": 0.03}, 0, "I", -20, 200},
		{"hh", map[string]float64{"g_K": 20}, 0, "I", -20, 200},
		{"adex", nil, 7, "a", 0, 5},
		{"adex", nil, 7, "tau_w", 5, 100},
		{"adex", nil, 7, "V_reset", -70, -40},
		{"adex", map[string]float64{"a": -3}, 7, "I", -10, 40},
		{"adex", map[string]float64{"a": -1}, 7, "I", -10, 40},
		{"eif", nil, 0, "I", -10, 40},
		{"eif", nil, 1, "V_T", -65, -50},
		{"lif", nil, 0, "I", -10, 40},
		{"lif", nil, 10, "R", 0.1, 4},
	} {
		m, p := mustModel(t, c.m, c.changed)
		t0 := time.Now()
		d, err := Bifurcation(context.Background(), m, p, c.i, Free{Name: c.name, Lo: c.lo, Hi: c.hi})
		t.Log(c, err, time.Since(t0))
		if d == nil {
			continue
		}
		for _, b := range d.Branches {
			t.Log("    ", b.Kind, b.From, b.To, len(b.Rows), b.Rows[0].Parameter, b.Rows[len(b.Rows)-1].Parameter)
		}
		for _, q := range d.Points {
			t.Logf("    %s %d %.12g V %.8g T %.10g %s %s", q.Label, q.Branch, q.Parameter, q.V, q.Period, q.Criticality, q.Note)
		}
		for _, w := range d.Warnings {
			t.Log("    WARNING", w)
		}
	}
}
