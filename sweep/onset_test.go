package sweep

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"popsim/model"
)

// The onset is that of closed forms, for the usual parameters and far from them, and of continuation (hh, fold of
// cycles).
func TestOnsets(t *testing.T) {
	lif := model.LIFModel.Defaults()
	far := append([]float64(nil), lif...)
	far[model.LIFModel.Index("R")] = 1e-3 // rheobase 20 nA
	for _, c := range []struct {
		name string
		m    *model.Model
		p    []float64
		want float64
	}{
		{"lif", model.LIFModel, lif, 20},
		{"lif, R = 1 MOhm", model.LIFModel, far, 20000},
		{"hh, at its fold of cycles by continuation", model.HHModel, nil, 6.260321},
	} {
		found, err := Onsets(context.Background(), Spec{Model: c.m, P: c.p}, Config{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		last := found[len(found)-1]
		if d := math.Abs(last.At() - c.want); last.Above != "firing" || d > last.Uncertainty()+1e-4*c.want {
			t.Errorf("%s: %v, want %v", c.name, last, c.want)
		}
	}
	silent := append([]float64(nil), lif...)
	silent[model.LIFModel.Index("V_th")] = 1e9
	if _, err := Onsets(context.Background(), Spec{Model: model.LIFModel, P: silent},
		Config{Workers: 1}); !errors.Is(err, ErrNeverFires) {
		t.Errorf("a neuron that cannot fire: %v", err)
	}
}

// The line through the rates of lif has the slope of its closed form, and of bursts the spikes are counted.
func TestGainAndBursts(t *testing.T) {
	rate := func(i float64) float64 { return 1000 / (1 + 10*math.Log(i/(i-20))) } // t_ref + tau log(R I / (R I - V_th))
	currents := []float64{10, 25, 30, 35}
	r, err := Run(context.Background(), Spec{
		Model: model.LIFModel,
		Grid:  Grid{Axes: []Axis{Values("I", "pA", currents...)}},
	}, Config{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	want := (rate(35) - rate(25)) / 10 // of three evenly spaced points
	if slope, n := r.Gain(); n != 3 || math.Abs(slope-want) > 1e-9*want {
		t.Errorf("gain %v of %d points, want %v of 3", slope, n, want)
	}

	m := model.AdExModel
	preset, err := m.Preset("tb08")
	if err != nil {
		t.Fatal(err)
	}
	spec := Spec{Model: m, P: preset.Params, I: 800, Discard: 500, Measures: []string{
		"rate_Hz", "period",
		"burst_spikes", "burst_rate_Hz",
	}}
	spec.Grid.Axes = []Axis{Values("V_reset", "mV", -48.1, -47.2, -46)}
	if r, err = Run(context.Background(), spec, Config{Workers: 1}); err != nil {
		t.Fatal(err)
	}
	const same = 1e-4 // the rate counts from discard on, bursts in the later half of the late intervals
	for row, want := range []float64{2, 4, 7} {
		n, bursts := r.Value("burst_spikes", row), r.Value("burst_rate_Hz", row)
		if n != want || math.Abs(n*bursts-r.Value("rate_Hz", row)) > same*n*bursts {
			t.Errorf("row %d: %v spikes per burst, %v bursts/s, %v spikes/s; want %v spikes", row, n, bursts,
				r.Value("rate_Hz", row), want)
		}
	}
}

// The words about bursts count trains that burst and leave out others.
func TestBurstCount(t *testing.T) {
	bursting := slices.Repeat([]float64{5, 5, 90}, 20)
	var c BurstCount
	c.Add(BurstsOf(bursting))
	c.Add(BurstsOf(slices.Repeat([]float64{20}, 60)))
	c.Add(BurstsOf(slices.Repeat([]float64{20, 21}, 30))) // a doublet is no burst
	c.Add(BurstsOf(nil))
	if want := "3 spikes per burst, 10 bursts/s"; c.N != 1 || c.String() != want {
		t.Errorf("%d trains: %v; want 1: %s", c.N, &c, want)
	}
	c.Add(BurstsOf(slices.Repeat([]float64{10, 190}, 30)))
	if want := "2 to 3 spikes per burst, 5 to 10 bursts/s"; c.N != 2 || c.String() != want {
		t.Errorf("%d trains: %v; want 2: %s", c.N, &c, want)
	}
}
