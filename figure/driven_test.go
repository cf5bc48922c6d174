package figure

import (
	"math"
	"slices"
	"testing"

	"popsim/model"
	"popsim/pop"
	"popsim/sweep"
)

// TestDriven: under noise and a sine the picture has a panel for each measure, with the standard error over trials, and
// theory beside the rate.
func TestDriven(t *testing.T) {
	run := func(d sweep.Drive, measures ...string) *Figure {
		t.Helper()
		d.Noise = pop.Noise{White: 2, Seed: 1}
		spec := sweep.Spec{
			Model: model.LIFModel, P: model.LIFModel.Defaults(), Time: 500, Discard: 100, Measures: measures,
			Grid: sweep.Grid{Axes: []sweep.Axis{sweep.Values("I", "pA", 18, 22, 26)}},
		}
		jobs, err := sweep.DrivenJobs(spec, d, sweep.Config{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		if !jobs.Driven() {
			t.Error("jobs of a driven sweep are not known as such")
		}
		r, err := sweep.RunJobs(t.Context(), jobs, sweep.Config{Workers: 1}, nil)
		if err != nil {
			t.Fatal(err)
		}
		f, err := Driven("", "lif", r)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	labels := func(f *Figure) (all []string) {
		for _, p := range f.Panels {
			all = append(all, p.YLabel)
		}
		return all
	}
	sine := func(k int64) float64 { return math.Sin(float64(k) / 100) }
	f := run(sweep.Drive{Waveform: sine, Frequency: 1e4 / (2 * math.Pi * 100), Trials: 5})
	if got := labels(f); !slices.Equal(got, []string{"firing rate (Hz)", "vector strength"}) {
		t.Errorf("panels %q", got)
	}
	for i, p := range f.Panels {
		if len(p.Points) != 1 || len(p.Points[0].YErr) != 3 || !(p.Points[0].YErr[1] > 0) {
			t.Errorf("panel %d has no error bars: %+v", i, p.Points)
		}
	}
	theory := func([]float64, float64) float64 { return 20 }
	f = run(sweep.Drive{Theory: theory, Statistics: []string{"fano"}}, "rate_Hz")
	if got := labels(f); !slices.Equal(got, []string{"rate (Hz)", "Fano factor"}) || len(f.Panels[0].Lines) != 2 {
		t.Errorf("panels %q, %d lines in the first; want rate and theory", got, len(f.Panels[0].Lines))
	}
}
