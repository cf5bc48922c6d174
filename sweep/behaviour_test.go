package sweep

import (
	"math"
	"testing"

	"popsim/equations"
	"popsim/model"
)

// TestPresetsFireAsTheyAreNamed: the published parameter sets carry the name of their pattern.
func TestPresetsFireAsTheyAreNamed(t *testing.T) {
	for name, want := range map[string]string{
		"naud-adaptation": "adapting", "naud-delayed-acc": "delayed", "naud-delayed-burst": "bursting",
		"naud-init-burst": "initial-burst", "naud-reg-burst": "bursting", "naud-tonic": "tonic",
		"naud-transient": "transient", "nd-adapting": "adapting", "nd-bursting": "bursting", "nd-delayed": "delayed",
		"nd-init-burst": "initial-burst", "nd-tonic": "tonic", "nd-transient": "transient",
		// With the published numbers the exact models settle to periods 10 and 5.
		"naud-irregular": "bursting", "nd-irregular": "bursting",
		"bg05": "adapting", "bg05-burst": "bursting", "bg05-fs": "tonic", "tb08": "irregular",
	} {
		s, err := model.AdExModel.Preset(name)
		if err != nil {
			t.Fatal(err)
		}
		r := mustRun(t, Spec{
			Model: model.AdExModel, P: s.Params, I: s.I, Discard: 500,
			Measures: everything(model.AdExModel),
		})
		if got := r.Word("pattern", 0); got != want {
			t.Errorf("%s: %s (margin %.3g), want %s", name, got, r.Value("pattern_margin", 0), want)
		}
		if m := r.Value("pattern_margin", 0); m < 1 || math.IsInf(m, 0) {
			t.Errorf("%s: margin %v; a number from 1 on would do, or none", name, m)
		}
	}
}

func TestStatus(t *testing.T) {
	m, p := mustModel(t, "hh", "", nil)
	s := Spec{Model: m, P: p, Time: 1000, Discard: 300, Measures: everything(m)}
	s.Grid.Axes = mustAxes(t, m, "I=0,4,10,100,154.6,170")
	r := mustRun(t, s)
	for i, want := range []struct{ status, pattern string }{
		{"ok", "silent"},
		{"ok", "transient"},
		{"ok", "tonic"},
		{"subthreshold", "oscillating"},
		{"drift", "depolarisation-block"},
		{"ok", "depolarisation-block"},
	} {
		if got := r.Word("status", i); got != want.status {
			t.Errorf("hh I=%v: %s, want %s", s.Grid.At(i, 0), got, want.status)
		}
		if got := r.Word("pattern", i); got != want.pattern {
			t.Errorf("hh I=%v: %s, want %s", s.Grid.At(i, 0), got, want.pattern)
		}
	}
	s.Discard, s.Grid.Axes = 0, mustAxes(t, m, "I=66")
	r = mustRun(t, s)
	if got, n := r.Word("status", 0), r.Value("spikes", 0); got != "subthreshold" || n < 1 {
		t.Errorf("hh I=66, whose spikes sink below V_th: %s after %v spikes, want subthreshold after some", got, n)
	}
	a := model.AdExModel
	slowly := a.Defaults()
	slowly[a.Index("tau_w")], slowly[a.Index("b")] = 3000, 0.5
	r = mustRun(t, Spec{Model: a, P: slowly, I: 30, Time: 1000, Discard: 200})
	if got := r.Word("status", 0); got != "drift" {
		t.Errorf("slow adaptation: %s, want drift", got)
	}
	l := model.LIFModel
	restless := l.Defaults()
	restless[l.Index("t_ref")] = 0
	r = mustRun(t, Spec{Model: l, P: restless, Time: 100, Grid: Grid{Axes: mustAxes(t, l, "I=30,1e8,40")}})
	if got := r.Failed(); got != 1 || r.Word("status", 1) != "nan" || !math.IsNaN(r.Value("rate_Hz", 1)) ||
		!(r.Value("rate_Hz", 2) > 0) {
		t.Errorf("more spikes than fit into a step: %d failed, %s; want nan for the second alone", got, r.Word("status", 1))
	}
}

// TestCarriedCurvesShowBistability: carried downwards, HH fires down to the fold of cycles and RHH down to the end of
// its isola; carried upwards, HH is silent up to the Hopf point and RHH everywhere. The branches are the same for any
// step and for any phase in which a run ends; and retired trains have the results of full runs.
func TestCarriedCurvesShowBistability(t *testing.T) {
	for _, c := range []struct {
		model    string
		currents []string
		down, up float64 // where the branches end
		leaves   float64 // distance beyond its end within which leaving a resting branch takes longer than the run
	}{
		{"hh", []string{"I=12:4:-0.25", "I=4.28:12:0.5", "I=12:6.2:-0.1"}, 6.26033, 9.77544, 0.1},
		{"rhh", []string{"I=-2:11:0.5", "I=-1.57:11.19/41"}, -1.576523, math.Inf(1), 0},
	} {
		m, p := mustModel(t, c.model, "", nil)
		for k, currents := range c.currents {
			if testing.Short() && k > 0 {
				continue
			}
			s := Spec{Model: m, P: p, Time: 600, Discard: 300, From: FromAll, Measures: everything(m)}
			s.Grid.Axes = mustAxes(t, m, currents)
			r := mustRun(t, s)
			s.Full = true
			full := mustRun(t, s)
			for row := range r.Rows() {
				i, rate := r.Axis(row, 0), r.Value("rate_Hz", row)
				if want, within := full.Value("rate_Hz", row), r.Value("rate_error_Hz",
					row); math.Abs(rate-want) > within+1e-9*want || within > 0.1 {
					t.Errorf("%s from %s, I=%v: %v Hz, in full %v, error stated %v", c.model, r.Branch(row), i, rate, want, within)
				}
				switch from := r.Branch(row); {
				case from == FromDown && (i > c.down) != (rate > 0), from == FromUp && i < c.up && rate > 0,
					from == FromUp && i > c.up+c.leaves && rate == 0:
					t.Errorf("%s from %s, I=%v: %v Hz (%s)", c.model, from, i, rate, r.Word("status", row))
				case from == FromUp && i > c.up && rate == 0 && r.Word("status", row) != "drift":
					t.Errorf("%s from %s, I=%v: rest is being left, but the status is %s", c.model, from, i, r.Word("status", row))
				}
			}
		}
	}
}

// TestExtremesOfW: w_min and w_max are those of a fine full run, and where b is large those on both sides of resets;
// for adex:tb08 at V_reset = -47.2 testdata/adexmap has them.
func TestExtremesOfW(t *testing.T) {
	for _, c := range []struct {
		preset string
		set    map[string]float64
	}{
		{"naud-adaptation", nil},
		{"nd-delayed", nil},
		{"naud-transient", nil},
		{"tb08", map[string]float64{"V_reset": -47.2}},
		{"", map[string]float64{"t_ref": 2, "b": 0}},
	} {
		m, p := mustModel(t, "adex", c.preset, c.set)
		preset, err := m.Preset(c.preset)
		if err != nil {
			t.Fatal(err)
		}
		s := Spec{Model: m, P: p, I: preset.I, Time: 1500, Discard: 700, Measures: everything(m)}
		if math.IsNaN(s.I) {
			s.I = 20
		}
		r := mustRun(t, s)
		s.Dt, s.Full = 0.005, true
		fine := mustRun(t, s)
		for _, name := range []string{"w_min_pA", "w_max_pA"} {
			if got, want := r.Value(name, 0), fine.Value(name, 0); !(math.Abs(got-want) < 2e-5*(1+math.Abs(want))) {
				t.Errorf("adex:%s: %s is %v, want %v", c.preset, name, got, want)
			}
		}
		if c.preset == "tb08" {
			if lo, hi := r.Value("w_min_pA", 0), r.Value("w_max_pA", 0); math.Abs(lo/(254.3553474898-80)-1) > rateTol ||
				math.Abs(hi/425.0392040016-1) > rateTol {
				t.Errorf("adex:tb08: w from %v to %v, want %v to %v", lo, hi, 254.3553474898-80, 425.0392040016)
			}
		}
	}
}

func TestSpecRefuses(t *testing.T) {
	m, p := mustModel(t, "adex", "", nil)
	for name, s := range map[string]Spec{
		"impossible point": {Model: m, P: p, Grid: Grid{Axes: mustAxes(t, m, "V_reset=-50:-20:10")}},
		"unknown measure":  {Model: m, P: p, Measures: []string{"rat"}},
		"time":             {Model: m, P: p, Time: -1},
		"discard":          {Model: m, P: p, Discard: 3000},
		"from without I":   {Model: m, P: p, From: FromUp},
		"dt":               {Model: m, P: p, Dt: 1000, Time: 5000},
		"method":           {Model: m, P: p, Method: "flo"},
	} {
		if err := s.Check(); err == nil {
			t.Errorf("%s: accepted", name)
		} else {
			t.Log(err)
		}
	}
	for _, name := range []string{"taw", "w9"} {
		if _, _, err := targetOf(m, name); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// The file of AdEx's equations has the extremes of w and the values after resets of the built-in model.
func TestOwnW(t *testing.T) {
	own, err := equations.Load("../equations/testdata/adex.toml")
	if err != nil {
		t.Fatal(err)
	}
	spec := Spec{
		Time: 1500, Discard: 700, Full: true,
		Grid: Grid{Axes: []Axis{Values("I", "pA", 100, 200, 300)}}, Measures: []string{"w_min_pA", "w_max_pA"},
	}
	resets := func(m *model.Model) *Result {
		spec := spec
		spec.Model, spec.P = m, own.Defaults()
		if m == model.AdExModel {
			spec.P = m.Defaults()
			for j, q := range own.Params {
				spec.P[m.Index(q.Name)] = own.Defaults()[j]
			}
		}
		spec.Resets = true
		r, err := Run(t.Context(), spec, Config{})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	got, want := resets(own), resets(model.AdExModel)
	const allowed = 2e-3 // relative: the built-in kernel advances w by steps of order 2
	for row := range want.Rows() {
		for _, name := range []string{"w_min_pA", "w_max_pA"} {
			if a, b := got.Value(name, row), want.Value(name, row); !(math.Abs(a/b-1) < allowed) {
				t.Errorf("row %d: %s is %v, want %v", row, name, a, b)
			}
		}
		a, b := got.Resets(row), want.Resets(row)
		if len(a) != len(b) || len(a) == 0 || math.Abs(a[0]/b[0]-1) > allowed {
			t.Errorf("row %d: w after resets %v, want %v", row, a, b)
		}
	}
}

// TestSmallOscillations: oscillations of a first state that is no potential count from sizes that are those of V for
// membranes.
func TestSmallOscillations(t *testing.T) {
	m, err := equations.Parse("small.toml", []byte(`
[neuron]
name  = "small"
units = "loose"
dt    = "0.1 ms"
[parameters]
size = 0.02
I    = 0
[states]
x = 0.01
y = 0
[equations]
x = "0.5*x*(1 - (x^2 + y^2)/size^2) - y + I"
y = "0.5*y*(1 - (x^2 + y^2)/size^2) + x"
[spike]
when  = "x > 1"
rearm = 0.5
`))
	if err != nil {
		t.Fatal(err)
	}
	r := mustRun(t, Spec{Model: m, P: m.Defaults(), Time: 500, Measures: everything(m)})
	if status, pattern := r.Word("status", 0), r.Word("pattern", 0); status != "subthreshold" || pattern != "oscillating" {
		t.Errorf("%s, %s; want subthreshold, oscillating", status, pattern)
	}
}
