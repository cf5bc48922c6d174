package dynamics

import (
	"context"
	"testing"
	"time"
)

func TestScratchRegions(t *testing.T) {
	for _, c := range []struct {
		m    string
		x, y Free
	}{
		{"rhh", Free{Name: "I", Lo: -20, Hi: 40}, Free{Name: "n_plus_h", Lo: 0.75, Hi: 0.95}},
		{"rhh", Free{Name: "I", Lo: -20, Hi: 40}, Free{Name: "g_L", Lo: 0.01, Hi: 0.5}},
		{"adex", Free{Name: "I", Lo: 0, Hi: 10}, Free{Name: "a", Lo: 0, Hi: 2}},
		{"hh", Free{Name: "I", Lo: 0, Hi: 200}, Free{Name: "g_L", Lo: 0.03, Hi: 0.5}},
	} {
		m, p := mustModel(t, c.m, nil)
		t0 := time.Now()
		r, err := Borders(context.Background(), m, p, 0, c.x, c.y)
		t.Log(c.m, c.y.Name, err, time.Since(t0), r.Warnings)
		for _, b := range r.Curves {
			t.Logf("%s %d: %+v ... %+v", b.Label, len(b.Points), b.Points[0], b.Points[len(b.Points)-1])
		}
		for _, q := range r.Points {
			t.Logf("%+v", q)
		}
	}
}
