package dynamics

import (
	"context"
	"math"
	"testing"
)

// TestHomoclinicCurves compares rows of curves of homoclinic orbits, which are cycles of one long period, with AUTO-07p
// (8 digits), and the end of one with the closed form of the Bogdanov-Takens point of AdEx.
func TestHomoclinicCurves(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	for _, c := range []struct {
		model string
		x, y  Free
		n     int // curves
		want  [2]float64
		tol   float64 // of x, at a row of that y
	}{
		{"hh", Free{Name: "I", Lo: -6, Hi: -2}, Free{Name: "g_K", Lo: 5, Hi: 6}, 2, [2]float64{-3.72913401, 5}, 1e-8},
		{
			"hh",
			Free{Name: "I", Lo: -27, Hi: -21},
			Free{Name: "E_K", Lo: -50, Hi: -49},
			1,
			[2]float64{-24.2192062, -50},
			1e-7,
		},
		{
			"adex",
			Free{Name: "I", Lo: 3, Hi: 5},
			Free{Name: "a", Lo: 0, Hi: 1},
			1,
			[2]float64{3.49484481618, 1. / 3},
			1e-8,
		},
	} {
		m, p := mustModel(t, c.model, nil)
		ctx := context.Background()
		r, s := &Regions{Model: m, X: c.x, Y: c.y}, newPlaneSystem(m, p, 0, c.x, c.y)
		if err := s.equilibriumCurves(ctx, r); err != nil {
			t.Fatal(err)
		}
		at := (c.y.Lo + c.y.Hi) / 2
		s.setSecond(at)
		d, cycles, err := newDiagram(ctx, m, s.p, s.i, c.x)
		if err != nil {
			t.Fatal(err)
		}
		scans := []scan{{at: at, diagram: d, longCycles: cycles.longCycles}}
		if err := s.homoclinics(ctx, r, scans, nil); err != nil {
			t.Fatal(err)
		}
		curves, off := 0, math.Inf(1)
		for _, b := range r.Curves {
			if b.Label != Homoclinic {
				continue
			}
			curves++
			for _, q := range b.Points {
				if math.Abs(q.Y-c.want[1]) < 1e-12 {
					off = min(off, math.Abs(q.X-c.want[0]))
				}
			}
		}
		if curves != c.n || !(off < c.tol) {
			t.Errorf("%s over %s: %d curves of homoclinic orbits, %.2g from the one of %s = %v at %v", c.model,
				c.y.Name, curves, off, c.y.Name, c.want[1], c.want[0])
		}
	}
}
