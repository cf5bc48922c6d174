package sweep

import (
	"context"
	"math"
	"reflect"
	"strings"
	"testing"

	"popsim/model"
	"popsim/pop"
)

// A driven sweep without drive counts what an ordinary one knows; with noise its rows do not depend on workers and on
// other trials.
func TestRunDriven(t *testing.T) {
	spec := Spec{
		Model: model.LIFModel, Time: 3000, Discard: 1000,
		Grid: Grid{Axes: []Axis{Values("tau", "ms", 5, 10), Values("I", "pA", 10, 25, 30)}},
	}
	number := func(d Drive, workers int, name string) []float64 {
		got, err := RunDriven(context.Background(), spec, d, Config{Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		c, ok := got.Column(name)
		if !ok {
			t.Fatalf("no column %s", name)
		}
		return c.Values.([]float64)
	}
	plain, err := Run(context.Background(), spec, Config{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	for row, rate := range number(Drive{}, 1, "rate_Hz") {
		if want := plain.Value("rate_Hz", row); math.Abs(rate-want) > 0.5 { // a spike in 2 s
			t.Errorf("row %d: %v Hz, want %v", row, rate, want)
		}
	}
	noise := pop.Noise{White: 4, Seed: 9}
	one := number(Drive{Noise: noise, Trials: 2}, 1, "rate_Hz")
	if !reflect.DeepEqual(one, number(Drive{Noise: noise, Trials: 2}, 3, "rate_Hz")) {
		t.Error("rates depend on the number of workers")
	}
	for i, rate := range number(Drive{Noise: noise, Trials: 3}, 2, "rate_Hz") {
		if trial := i % 3; trial < 2 && rate != one[i/3*2+trial] {
			t.Errorf("row %d: another trial changes %v Hz to %v", i, one[i/3*2+trial], rate)
		}
	}
	if one[2] == one[3] {
		t.Error("two trials are the same")
	}

	// Spikes of a brief pulse in every period come at one phase of it; those of a current alone at all phases.
	wave := func(k int64) float64 {
		if k%2000 < 10 { // of steps of 0.1 ms: 1 ms of 200 ms
			return 300
		}
		return 0
	}
	for row, v := range number(Drive{Wave: wave, Frequency: 5}, 1, "vector_strength") {
		if spec.Grid.At(row, 1) == 10 && v < 0.999 {
			t.Errorf("row %d: vector strength %v of pulses, want above 0.999", row, v)
		}
	}
	for row, v := range number(Drive{Frequency: 5}, 1, "vector_strength") {
		if spec.Grid.At(row, 1) > 20 && v > 0.1 {
			t.Errorf("row %d: vector strength %v without a drive, want below 0.1", row, v)
		}
	}
	spec.Measures = []string{"V_max"}
	if _, err := RunDriven(context.Background(), spec, Drive{}, Config{}); err == nil ||
		!strings.Contains(err.Error(), "V_max_mV is not there") {
		t.Errorf("%v", err)
	}
}
