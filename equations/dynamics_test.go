package equations

import (
	"math"
	"testing"

	"popsim/dynamics"
	"popsim/model"
)

// TestDiagramOfTheBuiltIn: hh.toml has the equilibria, cycles and special points of the built-in model.
func TestDiagramOfTheBuiltIn(t *testing.T) {
	t.Parallel()
	const (
		equal   = 1e-9 // relative: exp and derivatives round otherwise
		canards = 1e-6 // of folds of cycles, which lie where the cycle changes quickly
	)
	built := model.HHModel
	own := load(t, "testdata/hh.toml")
	free := dynamics.Free{Name: "I", Lo: 0, Hi: 160, Marks: []float64{8}}
	want, err := dynamics.Bifurcation(t.Context(), built, built.Defaults(), 0, free)
	if err != nil {
		t.Fatal(err)
	}
	got, err := dynamics.Bifurcation(t.Context(), own, own.Defaults(), 0, free)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Warnings) > 0 {
		t.Errorf("warnings %v, want none", got.Warnings)
	}
	near := func(a, b, tol float64) bool { return a == b || math.Abs(a-b) <= tol*(1+math.Abs(b)) }
	if len(got.Points) != len(want.Points) || len(got.Branches) != len(want.Branches) {
		t.Fatalf("%d points and %d branches, want %d and %d", len(got.Points), len(got.Branches), len(want.Points),
			len(want.Branches))
	}
	for k, p := range got.Points {
		q := want.Points[k]
		tol := equal
		if q.Label != dynamics.Hopf {
			tol = canards
		}
		if p.Label != q.Label || p.Criticality != q.Criticality || !near(p.Parameter, q.Parameter, tol) {
			t.Errorf("point %+v, want %+v", p, q)
		}
	}
	p8, q8 := dynamics.FixedPoints(own, own.Defaults(), 8), dynamics.FixedPoints(built, built.Defaults(), 8)
	if p, q := p8, q8; len(p) != 1 ||
		len(q) != 1 || !near(p[0].State[0], q[0].State[0], equal) {
		t.Errorf("equilibria %v, want %v", p, q)
	}
	type cycle struct{ period, vMin, vMax float64 }
	at := func(d *dynamics.Diagram) (list []cycle) { // cycles at I = 8
		for _, b := range d.Branches {
			for _, r := range b.Rows {
				if b.Kind == dynamics.Cycle && r.Parameter == 8 {
					list = append(list, cycle{r.Period, r.VMin, r.VMax})
				}
			}
		}
		return list
	}
	p, q := at(got), at(want)
	if len(p) != len(q) || len(p) < 2 {
		t.Fatalf("cycles at I = 8: %v, want %v", p, q)
	}
	for k := range p {
		if !near(p[k].period, q[k].period, equal) ||
			!near(p[k].vMin, q[k].vMin, canards) || !near(p[k].vMax, q[k].vMax, canards) {
			t.Errorf("cycle %v at I = 8, want %v", p[k], q[k])
		}
	}
}

// TestManyStates: the fold of equilibria of the model of Connor and Stevens (six states) at which its firing begins is
// a SNIC, as its f-I curve of type I implies; the cycle above it has the period of simulated spikes.
func TestManyStates(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("follows cycles of six states")
	}
	own := load(t, "library/connor-stevens.toml")
	p := own.Defaults()
	plane, err := dynamics.PhasePlane(t.Context(), own, p, 10, dynamics.PlaneOptions{Time: 1, Arrows: 3})
	if err != nil {
		t.Fatal(err)
	}
	if plane.Y != "n" || len(plane.FixedPoints) != 1 || len(plane.Cycles) != 1 || !plane.Cycles[0].Stable {
		t.Fatalf("plane of %s with %d equilibria, cycles %v", plane.Y, len(plane.FixedPoints), plane.Cycles)
	}
	start := make([]float64, len(own.States))
	own.Initial(p, start)
	spikes, err := dynamics.Spikes(own, p, []dynamics.Segment{{Start: 0, I: 10}}, start, 400)
	if err != nil || len(spikes) < 3 {
		t.Fatalf("%d spikes, %v", len(spikes), err)
	}
	n := len(spikes)
	if isi, want := spikes[n-1].Time-spikes[n-2].Time, plane.Cycles[0].Period; math.Abs(isi/want-1) > 1e-8 {
		t.Errorf("interval %v ms, want the period %v ms", isi, want)
	}
}

// TestResetOfTheBuiltIn: adex.toml has the equilibria, the homoclinic orbit, the firing and the period doubling of the
// built-in model.
func TestResetOfTheBuiltIn(t *testing.T) {
	t.Parallel()
	const (
		equal  = 1e-9 // relative
		limits = 1e-8 // of the homoclinic orbit, extrapolated
	)
	own, built := load(t, "testdata/adex.toml"), model.AdExModel
	p := built.Defaults()
	for _, q := range own.Params {
		p[built.Index(q.Name)] = q.Default
	}
	near := func(a, b, tol float64) bool { return a == b || math.Abs(a-b) <= tol*(1+math.Abs(b)) }
	free := dynamics.Free{Name: "I", Lo: 74, Hi: 80}
	want, err := dynamics.Bifurcation(t.Context(), built, p, 0, free)
	if err != nil {
		t.Fatal(err)
	}
	got, err := dynamics.Bifurcation(t.Context(), own, own.Defaults(), 0, free)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Points) != len(want.Points) || len(got.Branches) != len(want.Branches) {
		t.Fatalf("points %+v, want %+v", got.Points, want.Points)
	}
	for k, a := range got.Points {
		b := want.Points[k]
		tol := equal
		if b.Label == dynamics.Homoclinic {
			tol = limits
		}
		if a.Label != b.Label || !near(a.Parameter, b.Parameter, tol) {
			t.Errorf("point %+v, want %+v", a, b)
		}
	}
	var trains, others []dynamics.Firing
	for _, reset := range []float64{-49, -48.5, -47.5} { // of which two have different periods
		at := func(m *model.Model, p []float64) dynamics.Firing {
			f, err := dynamics.FiringAt(t.Context(), m, p, 120, "V_reset", reset, 200, 200)
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
		a, b := at(own, own.Defaults()), at(built, p)
		if a.Period != b.Period || !near(a.Rate, b.Rate, equal) || !near(a.Multiplier, b.Multiplier, 1e-7) ||
			!near(a.VMin, b.VMin, 1e-6) {
			t.Errorf("V_reset = %v: %+v, want %+v", reset, a, b)
		}
		trains, others = append(trains, a), append(others, b)
	}
	over := dynamics.Free{Name: "V_reset", Lo: -49, Hi: -47.5}
	a, err := dynamics.FiringPoints(t.Context(), own, own.Defaults(), 120, over, trains)
	if err != nil {
		t.Fatal(err)
	}
	b, err := dynamics.FiringPoints(t.Context(), built, p, 120, over, others)
	if err != nil {
		t.Fatal(err)
	}
	if len(a) != len(b) {
		t.Fatalf("special points of firing %+v, want %+v", a, b)
	}
	for k := range a {
		if a[k].Label != b[k].Label || !near(a[k].Parameter, b[k].Parameter, equal) {
			t.Errorf("special point of firing %+v, want %+v", a[k], b[k])
		}
	}
	if len(a) == 0 {
		t.Error("no special point of firing was compared")
	}
}

// TestPlaneOfTheBuiltIn: the phase plane of hh.toml, with the other gates at rest, has the stable and the unstable
// cycle of the built-in model.
func TestPlaneOfTheBuiltIn(t *testing.T) {
	t.Parallel()
	const equal = 1e-8 // relative: exp and derivatives round otherwise
	own := load(t, "testdata/hh.toml")
	want, err := dynamics.PhasePlane(t.Context(), model.HHModel, model.HHModel.Defaults(), 8, dynamics.PlaneOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := dynamics.PhasePlane(t.Context(), own, own.Defaults(), 8, dynamics.PlaneOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(want.Cycles) != 2 || len(got.Cycles) != 2 {
		t.Fatalf("cycles %d and, built in, %d; want 2", len(got.Cycles), len(want.Cycles))
	}
	for k, p := range got.Cycles {
		q := want.Cycles[k]
		if p.Stable != q.Stable || math.Abs(p.Period-q.Period) > equal*q.Period || math.Abs(p.VMax-q.VMax) > equal*100 {
			t.Errorf("cycle of %v ms up to %v mV, stable %v; want %v, %v, %v", p.Period, p.VMax, p.Stable, q.Period, q.VMax,
				q.Stable)
		}
	}
}
