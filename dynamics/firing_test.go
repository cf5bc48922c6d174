package dynamics

import (
	"context"
	"math"
	"slices"
	"testing"

	"popsim/model"
)

// Beyond the period doubling regular firing continues, unstable, with an interval between the two of the stable orbit.
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

// Delayed acceleration (a < 0) keeps firing far below the current at which firing begins: an independent sweep
// downwards, 400 spikes at each current, ends at 21.47613 pA.
func TestFiringGoesOn(t *testing.T) {
	m := model.AdExModel
	q, err := m.Preset("naud-delayed-acc")
	if err != nil {
		t.Fatal(err)
	}
	var list []Firing
	for _, i := range []float64{29, 28, 27, 26, 25, 24, 23, 22.5, 22, 21.75, 21.6, 21.5, 21.48, 21.477, 21.475} {
		f, err := FiringAt(t.Context(), m, q.Params, i, "I", i, 200, 100, neighbourResets(list, i)...)
		if err != nil {
			t.Fatal(err)
		}
		if f.Silent != (i < 21.47613) {
			t.Errorf("I = %v pA: silent %t", i, f.Silent)
		}
		list = slices.Insert(list, 0, f)
	}
	if f, err := FiringAt(t.Context(), m, q.Params, 28, "I", 28, 200, 100); err != nil || f.Silent {
		t.Errorf("from resets with other w, I = 28 pA: silent %t, %v", f.Silent, err)
	}
}

// The least V on the way between two resets is that of a dense row of samples, and a little less.
func TestLowestIsThatOfSamples(t *testing.T) {
	for _, c := range []struct {
		set  map[string]float64
		i, w float64
	}{
		{nil, 20, 40},
		{map[string]float64{
			"V_reset": -48, "V_T": -50, "V_th": 0, "delta_T": 2, "a": -11, "b": 30, "tau_w": 130,
			"R": 0.0833, "tau": 8.33,
		}, 160, 60},
		{map[string]float64{"V_reset": -56, "a": 2, "tau_w": 100, "b": 0}, 30, 45},
	} {
		m, p := mustModel(t, "adex", c.set)
		s := newSystem(m, p, c.i, "I")
		start := []float64{p[m.Index("V_reset")], c.w}
		spikes, err := Spikes(m, p, []Segment{{0, c.i}}, start, 1000)
		if err != nil || len(spikes) == 0 {
			t.Fatalf("%v: %v, no spikes", c, err)
		}
		low, err := s.lowest(c.w, spikes[0].Time)
		at := spread(0, spikes[0].Time, 4001)
		r, errSamples := Simulate(m, p, []Segment{{0, c.i}}, start, spikes[0].Time, at)
		if err != nil || errSamples != nil {
			t.Fatal(c, err, errSamples)
		}
		sampled := start[0]
		for _, y := range r.States[:4000] { // the last may be that after the spike
			sampled = min(sampled, y[0])
		}
		if low > sampled+1e-12 || low < sampled-1e-4 {
			t.Errorf("%v: lowest V %.9f mV, of samples %.9f", c, low, sampled)
		}
		if low == start[0] {
			t.Errorf("%v: V does not sink", c)
		}
	}
}
