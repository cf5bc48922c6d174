package sweep

import (
	"math"
	"testing"

	"popsim/model"
)

// TestPresetsFireAsTheyAreNamed: the published parameter sets carry the name of their pattern.
func TestPresetsFireAsTheyAreNamed(t *testing.T) {
	for name, want := range map[string]string{
		"naud-adaptation": "adapting", "naud-delayed-burst": "bursting", "naud-init-burst": "initial-burst",
		"naud-reg-burst": "bursting", "naud-transient": "transient", "nd-adapting": "adapting", "nd-bursting": "bursting",
		"nd-init-burst": "initial-burst", "nd-delayed": "tonic", "nd-transient": "transient", "bg05": "adapting", "tb08": "irregular",
	} {
		s, err := model.AdExModel.Preset(name)
		if err != nil {
			t.Fatal(err)
		}
		r := mustRun(t, Spec{Model: model.AdExModel, P: s.Params, I: s.I, Discard: 1000, Measures: everything()})
		if got := r.Word("pattern", 0); got != want {
			t.Errorf("%s: %s (margin %.3g), want %s", name, got, r.Value("pattern_margin", 0), want)
		}
		if m := r.Value("pattern_margin", 0); !(m >= 1) {
			t.Errorf("%s: margin %v is below 1", name, m)
		}
	}
}

func TestStatus(t *testing.T) {
	m, p := mustModel(t, "hh", "", nil)
	s := Spec{Model: m, P: p, Time: 1000, Discard: 300, Measures: everything()}
	s.Grid.Axes = mustAxes(t, m, "I=0,10,100,170")
	r := mustRun(t, s)
	for i, want := range []struct{ status, pattern string }{
		{"ok", "silent"}, {"ok", "tonic"}, {"subthreshold", "depolarisation-block"}, {"ok", "depolarisation-block"},
	} {
		if got := r.Word("status", i); got != want.status {
			t.Errorf("hh I=%v: %s, want %s", s.Grid.At(i, 0), got, want.status)
		}
		if got := r.Word("pattern", i); got != want.pattern {
			t.Errorf("hh I=%v: %s, want %s", s.Grid.At(i, 0), got, want.pattern)
		}
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
	if got := r.Failed(); got != 1 || r.Word("status", 1) != "nan" || !math.IsNaN(r.Value("rate_Hz", 1)) || !(r.Value("rate_Hz", 2) > 0) {
		t.Errorf("more spikes than fit into a step: %d failed, %s; want nan for the second alone", got, r.Word("status", 1))
	}
}

// TestCarriedCurvesShowBistability: HH fires or rests between 6.26 and 9.78 uA/cm2, as it comes from above or below.
func TestCarriedCurvesShowBistability(t *testing.T) {
	m, p := mustModel(t, "hh", "", nil)
	s := Spec{Model: m, P: p, Time: 600, Discard: 300, From: FromAll, NoError: true}
	s.Grid.Axes = mustAxes(t, m, "I=12:4:-0.25")
	r := mustRun(t, s)
	for row := range r.Rows() {
		i, rate := r.Axis(row, 0), r.Value("rate_Hz", row)
		fires := i > 6.2603
		if r.Branch(row) == FromUp {
			fires = i > 9.7754
		}
		if r.Branch(row) != FromRest && math.Abs(i-9.75) > 0.1 && fires != (rate > 0) {
			t.Errorf("from %s, I=%v: %v Hz", r.Branch(row), i, rate)
		}
	}
	if got := csvOf(t, r.Table()); len(got) == 0 {
		t.Error("no table")
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
		if _, err := AxisUnit(m, name); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestFigures(t *testing.T) {
	s := smallMap(t)
	r := mustRun(t, s)
	if _, err := r.Figure("f-I", "rate_Hz"); err == nil {
		t.Error("three axes made a picture")
	}
	s.Grid.Axes = s.Grid.Axes[:2]
	for _, from := range []From{FromAll, FromRest} {
		s.From = from
		r = mustRun(t, s)
		f, err := r.Figure("f-I", "rate_Hz")
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Check(); err != nil {
			t.Error(err)
		}
	}
	for _, draw := range []func(string) (f interface{ Check() error }, err error){
		func(s string) (interface{ Check() error }, error) { return r.LateFigure(s) },
		func(s string) (interface{ Check() error }, error) { return r.ResetFigure(s) },
	} {
		f, err := draw("map")
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Check(); err != nil {
			t.Error(err)
		}
	}
}
