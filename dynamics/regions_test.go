package dynamics

import (
	"context"
	"errors"
	"maps"
	"math"
	"slices"
	"testing"
)

func TestAdExBordersHaveTheirClosedForms(t *testing.T) {
	t.Parallel()
	m, p := mustModel(t, "adex", nil)
	x, y := Free{Name: "I", Lo: 0, Hi: 10}, Free{Name: "a", Lo: 0, Hi: 2}
	r := &Regions{Model: m, X: x, Y: y}
	if err := newPlaneSystem(m, p, 0, x, y).equilibriumCurves(context.Background(), r); err != nil ||
		len(r.Warnings) > 0 {
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
	want := map[string]int{Fold: 1, Hopf: 1}
	if !maps.Equal(counts, want) {
		t.Errorf("curves %v, want %v", counts, want)
	}
	a, v, i := mustExponential(t, "adex", nil).BogdanovTakens()
	if len(r.Points) != 1 || r.Points[0].Label != BogdanovTakens ||
		math.Abs(r.Points[0].X-i)+math.Abs(r.Points[0].Y-a)+math.Abs(r.Points[0].V-v) > 1e-6 {
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
	r, err := BifurcationCurves(context.Background(), m, p, 0, Free{Name: "I", Lo: 10.5, Hi: 13}, Free{
		Name: "g_L",
		Lo:   0.28, Hi: 0.3,
	}, nil)
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

// TestAreas compares regions with simulations of the reduced Hodgkin-Huxley model and with closed forms of LIF, in both
// orders of the axes.
func TestAreas(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes several diagrams")
	}
	type at struct {
		x, y float64
		want string
	}
	for _, c := range []struct {
		model string
		x, y  Free
		want  []at
	}{
		{"rhh", Free{Name: "I", Lo: -4, Hi: 16}, Free{Name: "g_L", Lo: 0.03, Hi: 0.3}, []at{
			{-4, 0.03, "equilibrium"},
			{1, 0.03, "cycle"},
			{6, 0.03, "cycle"},
			{16, 0.03, "cycle"},
			{-4, 0.3, "equilibrium"},
			{1, 0.3, "equilibrium or cycle"},
			{6, 0.3, "equilibrium or cycle"},
			{11, 0.3, "equilibrium or cycle"},
			{16, 0.3, "equilibrium"},
		}},
		{"lif", Free{Name: "V_th", Lo: 5, Hi: 40}, Free{Name: "I", Lo: 0, Hi: 40}, []at{
			{10, 9.7, "equilibrium"}, {10, 10.3, "spiking"}, {35, 34.7, "equilibrium"}, {35, 35.3, "spiking"},
		}},
	} {
		m, p := mustModel(t, c.model, nil)
		ctx := context.Background()
		s := newPlaneSystem(m, p, 0, c.x, c.y)
		r := &Regions{Model: m, X: c.x, Y: c.y, t: s, x: c.x, y: c.y}
		if c.model == "lif" {
			var err error
			if r, err = BifurcationCurves(ctx, m, p, 0, c.x, c.y, nil); err != nil {
				t.Fatal(err)
			}
		} else { // some of the diagrams are enough
			if err := s.equilibriumCurves(ctx, r); err != nil {
				t.Fatal(err)
			}
			scans := []scan{{along: c.x, at: c.y.Lo}, {along: c.x, at: (c.y.Lo + c.y.Hi) / 2}, {along: c.x, at: c.y.Hi}}
			var err error
			if r.scans, err = s.scan(ctx, nil, scans); err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(s.homoclinics(ctx, r, r.scans, nil), s.cycleFolds(ctx, r, r.scans, nil)); err != nil {
				t.Fatal(err)
			}
		}
		a, err := r.Areas(context.Background(), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range c.want {
			i, j := nearestIndex(a.X, w.x), nearestIndex(a.Y, w.y)
			if got := a.Regimes[j*len(a.X)+i].Name(); got != w.want {
				t.Errorf("%s at %s = %v, %s = %v: %s, want %s", c.model, c.x.Name, w.x, c.y.Name, w.y, got, w.want)
			}
		}
		for _, w := range a.Warnings {
			t.Errorf("%s: %v", c.model, w)
		}
	}
}

// TestPointsOfCodimensionTwo compares with Newton's method on the defining systems in numpy (7 to 12 digits) and in
// mpmath (50 digits; Hurwitz's determinant, Kuznetsov's coefficient with derivatives by mpmath's diff). No other
// point of these kinds lies in the windows: over g_K and E_K of hh the fold touches a curve of neutral saddles, which
// is none.
func TestPointsOfCodimensionTwo(t *testing.T) {
	t.Parallel()
	type point struct {
		label string
		x, y  float64
		tol   float64 // half a unit of the last digit known
	}
	for _, c := range []struct {
		model string
		x, y  Free
		want  []point
	}{
		{"hh", Free{Name: "I", Lo: -20, Hi: 200}, Free{Name: "g_K", Lo: 2, Hi: 60}, []point{
			{Cusp, -1.058224102487, 10.82994571771, 1e-10},
			{BogdanovTakens, -4.071831, 2.6288685, 5e-7},
			{Bautin, 49.3393557563, 8.7222237825, 1e-7},
			{Bautin, 60.4994863664, 53.3258375736, 1e-6},
		}},
		{"hh", Free{Name: "I", Lo: -80, Hi: 200}, Free{Name: "E_K", Lo: -100, Hi: -40}, []point{
			{Cusp, -6.047079938519, -60.51852873004, 1e-11},
			{BogdanovTakens, -6.583528786538, -59.61420195222, 1e-11},
			{Bautin, -6.44748688441, -59.7894946005, 1e-8},
		}},
		{"hh", Free{Name: "I", Lo: -150, Hi: 0}, Free{Name: "E_K", Lo: -50, Hi: -30}, []point{ // by mpmath, 50 digits
			{BogdanovTakens, -107.14545155, -34.66665957, 1e-8},
			{Bautin, -99.6883791661, -35.6980308571, 1e-9},
			{Bautin, -108.8354975502, -34.4096695944, 1e-9},
		}},
		{"hh", Free{Name: "I", Lo: -20, Hi: 200}, Free{Name: "C", Lo: 0.5, Hi: 15}, []point{
			{Bautin, 73.0859942491, 11.9131749243, 1e-6},
		}},
		{"adex", Free{Name: "I", Lo: 0, Hi: 20}, Free{Name: "tau_w", Lo: 2, Hi: 100}, []point{
			{BogdanovTakens, 8.06430438, 10, 5e-9},
		}},
	} {
		m, p := mustModel(t, c.model, nil)
		r := &Regions{Model: m, X: c.x, Y: c.y}
		if err := newPlaneSystem(m, p, 0, c.x, c.y).equilibriumCurves(context.Background(), r); err != nil {
			t.Fatal(err)
		}
		if len(r.Points) != len(c.want) {
			t.Errorf("%s over %s and %s: %d points, want %d: %+v", c.model, c.x.Name, c.y.Name, len(r.Points),
				len(c.want), r.Points)
		}
		for _, w := range c.want {
			if !slices.ContainsFunc(r.Points, func(q BifurcationPoint) bool {
				return q.Label == w.label && math.Abs(q.X-w.x) < w.tol && math.Abs(q.Y-w.y) < w.tol
			}) {
				t.Errorf("%s over %s and %s: no %s at %v, %v: %+v", c.model, c.x.Name, c.y.Name, w.label, w.x, w.y,
					r.Points)
			}
		}
	}
}

// TestFoldsOfCyclesTurn follows the folds of cycles of hh that begin at two Bautin points, through two cusps of cycles,
// and compares with AUTO-07p: all folds at some g_K, no others. Near g_K = 18.58 a cycle of no amplitude obeys the
// equations as well.
func TestFoldsOfCyclesTurn(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	const (
		straight = 0.03 // of I: what straight lines between rows miss
		exact    = 1e-5 // of I: a row against the diagram over I at its g_K
	)
	m, p := mustModel(t, "hh", nil)
	x, y := Free{Name: "I", Lo: -20, Hi: 200}, Free{Name: "g_K", Lo: 2, Hi: 60}
	r := &Regions{Model: m, X: x, Y: y}
	s := newPlaneSystem(m, p, 0, x, y)
	ctx := context.Background()
	if err := s.equilibriumCurves(ctx, r); err != nil {
		t.Fatal(err)
	}
	w := newFoldTracer(s)
	for _, q := range slices.Clone(r.Points) {
		if q.Label == Bautin {
			s.besideBautin(ctx, w, r, q)
		}
	}
	var curves []BifurcationCurve
	for _, b := range r.Curves {
		if b.Label == CycleFold {
			curves = append(curves, b)
		}
	}
	for gK, want := range map[float64][]float64{
		5: {18.3347522, -3.7731}, 18.58438: {-1.2308276}, 36: {7.8434, 7.9177855, 6.2611}, 54: {70.2101551, 40.155},
		54.7: {46.6913319, 62.416886},
	} {
		var got []float64
		for _, b := range curves {
			for k := 1; k < len(b.Points); k++ {
				p, q := b.Points[k-1], b.Points[k]
				if (p.Y < gK) != (q.Y < gK) {
					got = append(got, p.X+(q.X-p.X)*(gK-p.Y)/(q.Y-p.Y))
				}
			}
		}
		if len(got) != len(want) {
			t.Errorf("g_K = %v: folds of cycles at I = %v, want %v", gK, got, want)
		}
		for _, i := range want {
			if !slices.ContainsFunc(got, func(x float64) bool { return math.Abs(x-i) < straight+0.001*math.Abs(i) }) {
				t.Errorf("g_K = %v: folds of cycles at I = %v, want %v", gK, got, want)
			}
		}
	}
	cusps := 0
	for _, q := range r.Points {
		if q.Label == CycleCusp {
			cusps++
		}
	}
	if cusps != 2 {
		t.Errorf("%d cusps of cycles, want 2: %+v", cusps, r.Points)
	}
	checked := 0
	for _, b := range curves {
		row := b.Points[len(b.Points)/2]
		_, p := mustModel(t, "hh", map[string]float64{"g_K": row.Y})
		d, err := Bifurcation(ctx, m, p, 0, x)
		if err != nil {
			t.Fatal(err)
		}
		checked++
		if !slices.ContainsFunc(d.Points, func(q Point) bool {
			return q.Label == CycleFold &&
				math.Abs(q.Parameter-row.X) < exact
		}) {
			t.Errorf("%+v is no fold of cycles of the diagram over I there", row)
		}
	}
	if checked == 0 {
		t.Error("no curve of folds of cycles")
	}
}
