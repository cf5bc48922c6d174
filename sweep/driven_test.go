package sweep

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"popsim/model"
	"popsim/pop"
	"popsim/table"
)

// A driven sweep without drive counts the same spikes as an ordinary one; with noise its rows do not depend on workers
// and on other trials.
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
	for row, v := range number(Drive{Waveform: wave, Frequency: 5}, 1, "vector_strength") {
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
	if _, err := RunDriven(context.Background(), spec, Drive{Noise: noise}, Config{}); err == nil ||
		!strings.Contains(err.Error(), "V_max_mV is not there") {
		t.Errorf("%v", err)
	}
}

// Where Discard leaves no whole step, there is no lowest V.
func TestDrivenExtremaOfNoStep(t *testing.T) {
	spec := Spec{
		Model: model.LIFModel, Time: 10, Discard: 9.93, Dt: 0.1, Measures: []string{"rate", "V_min", "V_max"},
		Grid: Grid{Axes: []Axis{Values("I", "pA", 10, 60)}},
	}
	got, err := RunDriven(context.Background(), spec, Drive{Waveform: func(int64) float64 { return 1 }}, Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"V_min_mV", "V_max_mV"} {
		c, ok := got.Column(name)
		if !ok {
			t.Fatalf("no column %s", name)
		}
		for row, v := range c.Values.([]float64) {
			if !math.IsNaN(v) {
				t.Errorf("row %d: %s is %v, want none", row, name, v)
			}
		}
	}
}

// The rows of a driven sweep are the same in parts, in blocks of any size, and after a resume; axes of the waveform
// give each point its own frequency, and its phases.
func TestDrivenJobs(t *testing.T) {
	spec := Spec{
		Model: model.LIFModel, Time: 600, Discard: 100, Waveform: []string{"frequency"},
		Grid: Grid{Axes: []Axis{Values("frequency", "Hz", 2, 5, 10, 20, 40), Values("I", "pA", 15, 18, 25)}},
	}
	d := Drive{
		Noise: pop.Noise{White: 2, Seed: 4}, Trials: 11, Text: "sine",
		Each: func(point int) (func(k int64) float64, float64) {
			f := spec.Grid.At(point, 0)
			return func(k int64) float64 { return 8 * math.Sin(2*math.Pi*f/1000*0.1*float64(k)) }, f
		},
	}
	run := func(cfg Config) *JobsResult {
		jobs, err := DrivenJobs(spec, d, cfg)
		if err != nil {
			t.Fatal(err)
		}
		r, err := RunJobs(context.Background(), jobs, cfg, nil)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	want := run(Config{Workers: 1})
	if n := want.Jobs.Rows(); n != 165 || want.Finished() != n || want.Jobs.Together != 64 {
		t.Fatalf("%d of %d rows, %d together", want.Finished(), n, want.Jobs.Together)
	}
	same := func(what string, got *table.Table) {
		t.Helper()
		w := want.Table()
		for j, c := range got.Columns {
			if !reflect.DeepEqual(fmt.Sprint(c.Values), fmt.Sprint(w.Columns[j].Values)) {
				t.Errorf("%s: column %s differs", what, c.Name)
			}
		}
	}
	same("three workers", run(Config{Workers: 3}).Table())
	path := t.TempDir() + "/x.csv"
	for i := range 4 {
		run(Config{Workers: 2, Keep: path, Part: Part{i + 1, 4}})
	}
	parts, err := OpenJobsParts(path)
	if err != nil {
		t.Fatal(err)
	}
	same("four parts", parts.Result.Table())
	// A run that is stopped keeps the finished blocks; another continues from them.
	cfg := Config{Workers: 1, Keep: t.TempDir() + "/y.csv", Every: 1}
	jobs, err := DrivenJobs(spec, d, cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	cfg.Tick = func(done, _ int64) {
		if done >= 64 {
			stop()
		}
	}
	if _, err := RunJobs(ctx, jobs, cfg, nil); err == nil || !HasCheckpoints(cfg.Keep) {
		t.Fatalf("a stopped run: %v", err)
	}
	r := run(Config{Workers: 2, Keep: cfg.Keep, Resume: true})
	same("a resumed run", r.Table())
	locked := want.Values("vector_strength", 14) // 40 Hz, I = 25
	if len(locked) != 11 || locked[0] < 0.3 {    // 1 without noise, 0 without locking
		t.Errorf("vector strengths %v at 40 Hz", locked)
	}
}

// CV2 and Fano factor of a driven sweep: of regular trains 0, of those that noise drives far below threshold near 1.
func TestDrivenStatistics(t *testing.T) {
	spec := Spec{
		Model: model.LIFModel, Time: 40_000, Discard: 1000, Measures: []string{"rate_Hz"},
		Grid: Grid{Axes: []Axis{Values("I", "pA", 12, 60)}},
	}
	d := Drive{Noise: pop.Noise{White: 5, Seed: 4}, Statistics: []string{"cv2", "fano"}}
	got, err := RunDriven(context.Background(), spec, d, Config{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	value := func(name string, row int) float64 {
		c, ok := got.Column(name)
		if !ok {
			t.Fatalf("no column %s", name)
		}
		return c.Values.([]float64)[row]
	}
	for _, name := range []string{"cv2", "fano"} {
		irregular, se, regular := value(name, 0), value(name+"_se", 0), value(name, 1)
		if math.Abs(irregular-1) > 0.15+3.3*se || !(se > 0) || regular > 0.3 {
			t.Errorf("%s: %v +- %v of rare spikes, want about 1; %v of frequent ones, want below 0.3", name,
				irregular, se, regular)
		}
	}
}
