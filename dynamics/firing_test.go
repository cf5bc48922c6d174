package dynamics

import (
	"context"
	"math"
	"slices"
	"testing"

	"popsim/model"
)

// Beyond the period doubling regular firing goes on, unstable, with an interval between those of the two it gave way to.
func TestFiringGoesOnUnstable(t *testing.T) {
	m, err := model.Lookup("adex")
	if err != nil {
		t.Fatal(err)
	}
	q, err := m.Preset("tb08")
	if err != nil {
		t.Fatal(err)
	}
	f, err := FiringAt(context.Background(), m, q.Params, 800, "V_reset", -48.5, 300, 100)
	if err != nil {
		t.Fatal(err)
	}
	if f.Period != 2 || len(f.Repelling) != 1 || math.Abs(f.Multiplier) >= 1 {
		t.Fatalf("%+v, want two spikes per period around one fixed point that repels", f)
	}
	r := f.Repelling[0]
	lo, hi := min(f.Intervals[0], f.Intervals[1]), max(f.Intervals[0], f.Intervals[1])
	if r.Stable || r.Slope > -1 || r.Interval < lo || r.Interval > hi {
		t.Errorf("fixed point %+v between intervals %v", r, f.Intervals)
	}
	if f.VMin >= -48.5 || f.VMax != q.Params[m.Index("V_th")] {
		t.Errorf("V runs from %v to %v mV; it should sink below the reset and rise to V_th", f.VMin, f.VMax)
	}
}

// A small stable cycle between a Hopf point and its end at a saddle: trajectories just outside of it do not come back.
func TestPlaneSeesTheCycleInsideTheSeparatrix(t *testing.T) {
	m, p := mustModel(t, "rhh", map[string]float64{"g_L": 0.03})
	plane, err := PhasePlane(context.Background(), m, p, -0.69, PlaneOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(plane.Cycles) != 1 || !plane.Cycles[0].Stable || len(plane.FixedPoints) != 3 {
		t.Errorf("%d fixed points and cycles %+v, want three and a stable one", len(plane.FixedPoints), plane.Cycles)
	}
}

// Delayed acceleration (a < 0) goes on firing far below the current at which it begins: an independent sweep downwards, 400
// spikes at each current, ends at 21.47613 pA.
func TestFiringGoesOn(t *testing.T) {
	m := model.AdExModel
	q, err := m.Preset("naud-delayed-acc")
	if err != nil {
		t.Fatal(err)
	}
	var list []Firing
	for _, i := range []float64{29, 28, 27, 26, 25, 24, 23, 22.5, 22, 21.75, 21.6, 21.5, 21.48, 21.477, 21.475} {
		f, err := FiringAt(t.Context(), m, q.Params, i, "I", i, 200, 100, beside(list, i)...)
		if err != nil {
			t.Fatal(err)
		}
		if f.Silent != (i < 21.47613) {
			t.Errorf("I = %v pA: silent %t", i, f.Silent)
		}
		list = slices.Insert(list, 0, f)
	}
	if f, err := FiringAt(t.Context(), m, q.Params, 28, "I", 28, 200, 100); err != nil || !f.Silent {
		t.Errorf("from a reset, I = 28 pA: silent %t, %v", f.Silent, err)
	}
}
