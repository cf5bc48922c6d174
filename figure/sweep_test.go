package figure

import (
	"context"
	"math"
	"slices"
	"testing"

	"popsim/model"
	"popsim/sweep"
)

// swept runs a small sweep of AdEx over the given axes, with every measure.
func swept(t *testing.T, from sweep.From, axes ...sweep.Axis) *sweep.Result {
	t.Helper()
	m := model.AdExModel
	spec := sweep.Spec{
		Model: m, Grid: sweep.Grid{Axes: axes}, Time: 120, Discard: 20, From: from,
		Measures: sweep.MeasureNames(), Late: true, Resets: true,
	}
	r, err := sweep.Run(context.Background(), spec, sweep.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSweep(t *testing.T) {
	b := sweep.Values("b", "pA", 0, 5)
	current := sweep.Values("I", "pA", 30, 10, 20, 0)
	a := sweep.Values("a", "nS", 1, 2)
	if _, err := Sweep(swept(t, sweep.FromRest, b, current, a), "f-I", "rate_Hz"); err == nil {
		t.Error("three axes made a picture")
	}
	for _, from := range []sweep.From{sweep.FromAll, sweep.FromRest} {
		r := swept(t, from, b, current)
		for name, draw := range map[string]func() (*Figure, error){
			"rate":    func() (*Figure, error) { return Sweep(r, "f-I", "rate_Hz") },
			"pattern": func() (*Figure, error) { return Sweep(r, "f-I", "pattern") },
			"late":    func() (*Figure, error) { return LateIntervals(r, "map") },
			"resets":  func() (*Figure, error) { return Resets(r, "map") },
		} {
			f, err := draw()
			if err != nil {
				t.Fatal(name, err)
			}
			if err := f.Check(); err != nil {
				t.Error(name, err)
			}
		}
	}
	f, err := Family(swept(t, sweep.FromRest, b, current), "f-I", "latency")
	if err != nil {
		t.Fatal(err)
	}
	names := []string{f.Panels[0].Lines[0].Name, f.Panels[0].Lines[1].Name}
	p := f.Panels[0]
	if p.XLabel != "I (pA)" || p.YLabel != "latency (ms)" || !slices.Equal(names, []string{"b = 0 pA", "b = 5 pA"}) {
		t.Errorf("curves %q of %s over %s, want latency (ms) over I (pA), for b = 0 pA and b = 5 pA", names, p.YLabel,
			p.XLabel)
	}
}

// Points that never fire are distinguished from slow ones, and from those that are not known.
func TestSilence(t *testing.T) {
	nan := math.NaN()
	for want, rates := range map[string][]float64{
		"silent": {0, 3}, "silent or undefined": {0, nan, 3}, "": {2, 3},
	} {
		zeros := slices.Contains(rates, 0)
		if got := silence(rates); got != want || zeros && slices.Contains(rates, 0) {
			t.Errorf("%q, want %q; rates are now %v", got, want, rates)
		}
	}
	if rates := []float64{0, 0}; silence(rates) != "" || rates[0] != 0 {
		t.Error("a map without spikes has no rate to be distinguished from")
	}
}

// A sweep with several measures has a panel for each.
func TestMeasurePanels(t *testing.T) {
	r, err := sweep.Run(context.Background(), sweep.Spec{
		Model: model.LIFModel, Time: 200, Measures: []string{"rate_Hz", "latency_ms"},
		Grid: sweep.Grid{Axes: []sweep.Axis{sweep.Values("I", "pA", 10, 25, 30)}},
	}, sweep.Config{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	f, err := SweepPicture{Measure: "rate_Hz", Further: []string{"latency_ms"}}.Figure(r)
	if err != nil || len(f.Panels) != 2 || f.Panels[1].YLabel != MeasureLabel("latency_ms") {
		t.Errorf("%+v, %v", f, err)
	}
}
