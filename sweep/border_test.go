package sweep

import (
	"context"
	"math"
	"testing"
)

// TestBorders compares borders with truth: closed forms, and the thresholds of testdata/fi.
func TestBorders(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	type border struct {
		at           float64
		below, above string
		class        int
	}
	for _, c := range []struct {
		model, preset string
		set           map[string]float64
		currents      string
		time, tol     float64
		want          []border
		within        float64 // of the truth, in the unit of the axis
	}{
		{"lif", "", nil, "I=0:40:1", 2000, 1e-9, []border{{20, "silent", "firing", 1}}, 1e-9},
		{"eif", "", nil, "I=0:10:0.5", 5000, 1e-5, []border{{1.62, "silent", "firing", 1}}, 5e-3},
		{"hh", "", nil, "I=0:20:0.5", 2000, 1e-7, []border{
			{2.24033362437, "silent", "transient", 0}, {6.26033, "stopped", "firing", 2},
		}, 2e-3},
		{"adex", "", nil, "I=0:12:0.5", 5000, 1e-6, []border{
			{5.211473557513487, "silent", "transient", 0}, {6.786870232715727, "stopped", "firing", 0},
		}, 1e-3},
		{"rhh", "", nil, "I=0:14:0.5", 1500, 1e-5, []border{
			{1.29377270798, "silent", "firing", 2}, {11.1998869618, "firing", "transient", 0},
		}, 2e-3},
	} {
		t.Run(c.model, func(t *testing.T) {
			m, p := mustModel(t, c.model, c.preset, c.set)
			s := Spec{Model: m, P: p, Time: c.time}
			s.Grid.Axes = mustAxes(t, m, c.currents)
			r, borders, err := Refine(context.Background(), mustRun(t, s), Config{}, c.tol)
			if err != nil {
				t.Fatal(err)
			}
			for _, b := range borders {
				t.Logf("%s (error %.2g, %d rows)", b, b.Error, r.Rows())
			}
			for _, want := range c.want {
				found := false
				for _, b := range borders {
					near := math.Abs(b.At()-want.at) < min(c.within, 3*b.Uncertainty())
					if near && b.Below == want.below && b.Above == want.above && (want.class == 0 || b.Class == want.class) {
						found = true
					}
				}
				if !found {
					t.Errorf("no border %+v", want)
				}
			}
		})
	}
}

// TestRheobase: closed forms, to the digits of independent ones.
func TestRheobase(t *testing.T) {
	for _, c := range []struct {
		model, preset string
		want          float64
	}{
		{"lif", "slide", 20},
		{"eif", "", 1.62},
		{"adex", "", 7.5622672242644},
		{"adex", "nd-tonic", 36},
		{"adex", "nd-bursting", 26.1369537826447},
		{"adex", "bg05", 627.182464508599},
	} {
		m, p := mustModel(t, c.model, c.preset, nil)
		if got := Rheobase(m, p); math.Abs(got/c.want-1) > 1e-12 {
			t.Errorf("%s:%s: %.15g, want %.15g", c.model, c.preset, got, c.want)
		}
	}
	if m, p := mustModel(t, "hh", "", nil); !math.IsNaN(Rheobase(m, p)) {
		t.Error("hh has a closed form?")
	}
}
