package dynamics

import (
	"context"
	"math"
	"testing"

	"popsim/model"
)

// TestCurvesAtOneValueOfTheSecond requires the fold and the Hopf points of adex over the potential of reset, which no
// equilibrium depends on, and one curve of each kind where diagrams over either parameter find its points.
func TestCurvesAtOneValueOfTheSecond(t *testing.T) {
	m := model.AdExModel
	p := m.Defaults()
	a, reset := Free{Name: "a", Lo: 1, Hi: 6}, Free{Name: "V_reset", Lo: -70, Hi: -60}
	curves := func(i float64, x, y Free) []BifurcationCurve {
		r := &Regions{X: x, Y: y}
		if err := newPlaneSystem(m, p, i, x, y).equilibriumCurves(context.Background(), r); err != nil {
			t.Fatal(err)
		}
		return r.Curves
	}
	const current = 20
	_, points, _ := equilibriumBranches(newSystem(m, p, current, a.Name), a)
	want := map[string]float64{}
	for _, q := range points {
		want[q.Label] = q.Parameter
	}
	if len(want) != 2 {
		t.Fatalf("%v; a fold and a Hopf point are known", want)
	}
	level := curves(current, reset, a)
	if len(level) != len(want) {
		t.Errorf("%d curves; want %d", len(level), len(want))
	}
	const rounding = 1e-6 // of points of a diagram, in nS
	for _, c := range level {
		ends := [2]BifurcationPoint{c.Points[0], c.Points[len(c.Points)-1]}
		if math.Abs(ends[1].X-ends[0].X) != reset.Hi-reset.Lo {
			t.Errorf("the curve of %s points goes from %g to %g mV", c.Label, ends[0].X, ends[1].X)
		}
		for _, q := range c.Points {
			if !(math.Abs(q.Y-want[c.Label]) < rounding) {
				t.Fatalf("a %s point at a = %g; want %g", c.Label, q.Y, want[c.Label])
			}
		}
	}
	slanted := map[string]int{}
	for _, c := range curves(0, Free{Name: "I", Lo: 0, Hi: 40}, a) {
		slanted[c.Label]++
	}
	if slanted[Fold] != 1 || slanted[Hopf] != 1 {
		t.Errorf("over I and a: %v; one curve of each kind is known", slanted)
	}
}
