package dynamics

import (
	"math"
	"slices"
	"testing"

	"popsim/model"
)

// Onsets in closed form, and the first period doubling of the reset map of tb08 (own map in C, 12 digits).
func TestFiringPoints(t *testing.T) {
	t.Parallel()
	const (
		closed = 1e-12 // relative; the closed form rounds
		mapped = 1e-9  // mV; two solvers of the map agree to this
	)
	for _, c := range []struct {
		model, preset string
		set           map[string]float64
		i             float64
		free          Free
		label         string
		want, tol     float64
	}{
		{"lif", "", nil, 21, Free{Name: "V_th", Lo: 5, Hi: 40}, Onset, 21, closed},
		{
			"lif", "",
			map[string]float64{"V_rest": -62.6, "V_reset": -70.2, "V_th": -51, "R": 0.2228, "tau": 10.54, "t_ref": 0.6},
			0,
			Free{Name: "I", Lo: -100, Hi: 2000},
			Onset, 52.06463195691204, closed,
		},
		{
			"eif", "",
			map[string]float64{
				"V_rest": -75, "V_reset": -66.1, "V_th": -28, "V_T": -46.2, "delta_T": 1.22, "R": 0.0394,
				"tau": 23.36, "t_ref": 4.3,
			},
			0,
			Free{Name: "I", Lo: -100, Hi: 2000},
			Onset, 700, closed,
		},
		{
			"adex", "",
			map[string]float64{
				"V_rest": -73.7, "V_reset": -58.6, "V_th": 0, "V_T": -50.2, "delta_T": 2.23,
				"R": 0.03092, "tau": 24.4, "a": -13.63, "b": 69.7, "tau_w": 262,
			},
			0,
			Free{Name: "I", Lo: 375.1, Hi: 375.3},
			Onset, 375.160802092373, closed,
		},
		{
			"adex", "tb08", nil, 800,
			Free{Name: "V_reset", Lo: -48.8, Hi: -48.65},
			PeriodDoubling, -48.7452683556,
			mapped,
		},
		{
			"adex", "",
			map[string]float64{"a": -2},
			0,
			Free{Name: "I", Lo: -5.52444, Hi: -5.52442},
			Onset, -5.52443,
			1e-5,
		}, // as many digits as are known
	} {
		m, p := mustModel(t, c.model, nil)
		if c.preset != "" {
			q, err := m.Preset(c.preset)
			if err != nil {
				t.Fatal(err)
			}
			p = q.Params
		}
		for name, x := range c.set {
			p[m.Index(name)] = x
		}
		var list []Firing
		for _, x := range []float64{c.free.Lo, c.free.Hi} {
			f, err := FiringAt(t.Context(), m, p, c.i, c.free.Name, x, droppedTurns, keptTurns)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, f)
		}
		points, err := FiringPoints(t.Context(), m, p, c.i, c.free, list)
		if err != nil || len(points) != 1 {
			t.Errorf("%s %v: %+v, %v; want one point", c.model, c.free, points, err)
			continue
		}
		if q := points[0]; q.Label != c.label || math.Abs(q.Parameter-c.want) > c.tol*(1+math.Abs(c.want)) {
			t.Errorf("%s %v: %s at %.13g, want %s at %.13g", c.model, c.free, q.Label, q.Parameter, c.label, c.want)
		}
	}
}

// The equilibria of eif and adex over the current are one curve with one fold and no end inside the interval, however
// small delta_T.
func TestSharpExponentialHasOneCurve(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		model string
		set   map[string]float64
		free  Free
	}{
		{"adex", map[string]float64{"delta_T": 0.1}, Free{Name: "I", Lo: 0, Hi: 20}},
		{"eif", map[string]float64{"delta_T": 0.15, "R": 0.1}, Free{Name: "I", Lo: -1000, Hi: 400}},
		{"eif", map[string]float64{"delta_T": 0.01, "V_th": -57}, Free{Name: "I", Lo: 0, Hi: 20}},
	} {
		m, p := mustModel(t, c.model, c.set)
		branches, points, warnings := equilibriumBranches(newSystem(m, p, 0, "I"), c.free)
		folds := 0
		for _, q := range points {
			if q.Label == Fold {
				folds++
			}
		}
		if len(branches) != 1 || folds != 1 || len(warnings) > 0 || branches[0].From != IntervalEnd ||
			branches[0].To != IntervalEnd {
			t.Errorf("%s %v: %d curves, points %v, warnings %v; want one curve from border to border with one fold",
				c.model, c.set, len(branches), points, warnings)
		}
	}
}

// TestSteepMultiplier: where the multiplier of a periodic orbit of the reset map leaps from 0.1 to 1 within a
// thousandth of the interval, the ends of its stability are found, and the orbits agree with those that the map itself
// approaches.
func TestSteepMultiplier(t *testing.T) {
	t.Parallel()
	m := model.AdExModel
	preset, err := m.Preset("naud-reg-burst")
	if err != nil {
		t.Fatal(err)
	}
	free := Free{Name: "b", Lo: 135, Hi: 145}
	var list []Firing
	for _, b := range []float64{free.Lo, free.Hi} {
		f, err := FiringAt(t.Context(), m, preset.Params, preset.I, "b", b, droppedTurns, keptTurns)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, f)
	}
	points, err := FiringPoints(t.Context(), m, preset.Params, preset.I, free, list)
	if err != nil {
		t.Fatal(err)
	}
	const tol = 1e-6
	for k, want := range []struct {
		label  string
		spikes int
		at     float64
	}{{PeriodDoubling, 1, 137.2239093}, {CycleFold, 2, 139.6998559}} {
		if k >= len(points) || points[k].Label != want.label || points[k].Spikes != want.spikes ||
			math.Abs(points[k].Parameter-want.at) > tol {
			t.Fatalf("points %+v, want %v", points, want)
		}
	}
	for b, bursts := range map[float64]bool{139.69: true, 139.71: false} {
		p := slices.Clone(preset.Params)
		p[m.Index("b")] = b
		r, err := NewResetMap(m, p, preset.I)
		if err != nil {
			t.Fatal(err)
		}
		w, last := list[0].W[0], 0.0
		for range 200 {
			j, ok := r.Next(w)
			if !ok {
				t.Fatalf("b = %v: silent", b)
			}
			w, last = j.W, w
		}
		if (math.Abs(w-last) > 1) != bursts {
			t.Errorf("b = %v: w goes from %v to %v; two spikes per burst: want %v", b, last, w, bursts)
		}
	}
}
