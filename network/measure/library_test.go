package measure

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"

	"popsim/network/description"
	"popsim/network/statistics"
	"popsim/sweep"
)

// long reports whether the long forms of tests are to run.
func long() bool { return os.Getenv("POPSIM_LONG") != "" }

// runLibrary runs trials of a network of the library.
func runLibrary(
	t *testing.T, name string, trials int, time, discard float64, measures []string, settings ...string,
) *sweep.JobsResult {
	t.Helper()
	d, err := description.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	x := &Sweep{
		Description: d, Trials: trials, Measures: measures, Run: Run{Time: time, Discard: discard, Bin: 1},
		Options: description.Options{Seed: 1},
	}
	var list []description.Setting
	for k := 0; k+1 < len(settings); k += 2 {
		list = append(list, description.Setting{Name: settings[k], Text: settings[k+1]})
	}
	if err := x.Read(list); err != nil {
		t.Fatal(err)
	}
	r, err := sweep.RunJobs(context.Background(), x.Jobs(false), sweep.Config{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// sigmas is the number of standard errors that 99.9 % of normal deviates keep to.
const sigmas = 3.29

// TestDecision compares choices and their times in the network of Wang with those of an independent program, at 51.2 %
// coherence; with POPSIM_LONG at all coherences of the reference, 100 trials each.
func TestDecision(t *testing.T) {
	var truth struct {
		Sets map[string]struct {
			Trials    int
			FractionA float64 `json:"fraction_A"`
			Mean      float64 `json:"rt_mean_ms"`
			SE        float64 `json:"rt_se_ms"`
		}
	}
	readJSON(t, "testdata/wang.json", &truth)
	coherences, trials := []string{"0.512"}, 6
	if long() {
		coherences, trials = []string{"0", "0.064", "0.128", "0.512"}, 100
	}
	for _, c := range coherences {
		want, ok := truth.Sets["wang_"+c]
		if !ok {
			t.Fatalf("no reference at coherence %s", c)
		}
		r := runLibrary(t, "decision", trials, 4500, 0, []string{"choice"}, "coherence", c+"*100")
		times := r.Values("choice_time_ms", 0)
		for i := range times {
			times[i] -= 500
		}
		m := meanOf(times)
		right := 0.0
		for _, w := range r.Values("choice", 0) {
			if w == 0 {
				right++
			}
		}
		n1, n2, p1, p2 := float64(m.N), float64(want.Trials), right/float64(m.N), want.FractionA
		pooled := (p1*n1 + p2*n2) / (n1 + n2)
		if m.N != trials || math.Abs(p1-p2) > sigmas*math.Sqrt(pooled*(1-pooled)*(1/n1+1/n2)) {
			t.Errorf("coherence %s: %d choices, %.3f of A; the reference has %.3f", c, m.N, p1, p2)
		}
		// of few trials the scatter is that of the reference
		if se := max(m.SE, want.SE*math.Sqrt(n2/n1)); math.Abs(m.Value-want.Mean) > sigmas*math.Hypot(se, want.SE) {
			t.Errorf("coherence %s: %.0f ± %.0f ms, the reference has %.0f ± %.0f", c, m.Value, m.SE, want.Mean, want.SE)
		}
		t.Logf("coherence %s: %.3f of A in %.0f ± %.0f ms; the reference has %.3f in %.0f ± %.0f", c, p1, m.Value, m.SE,
			p2, want.Mean, want.SE)
	}
}

// TestMemory compares the bump of the network of Compte et al. with that of an independent program: a trial in CI, ten
// with POPSIM_LONG.
func TestMemory(t *testing.T) {
	var truth struct {
		Sets map[string]map[string]json.RawMessage
	}
	readJSON(t, "testdata/compte.json", &truth)
	trials, time, discard := 1, 2750.0, 1750.0
	if long() {
		trials, time = 10, 3750
	}
	r := runLibrary(t, "memory", trials, time, discard, []string{"rate"})
	for _, column := range []string{"rate_E_Hz", "rate_I_Hz"} {
		var want struct {
			Mean      float64
			Tolerance map[string]float64
		}
		if err := json.Unmarshal(truth.Sets["reference_dt0.1"][column], &want); err != nil {
			t.Fatal(err)
		}
		tolerance := want.Tolerance[fmt.Sprintf("%d seeds", trials)]
		if got := meanOf(r.Values(column, 0)).Value; math.Abs(got-want.Mean) > tolerance || tolerance == 0 {
			t.Errorf("%s %.2f, want %.2f ± %.2f", column, got, want.Mean, tolerance)
		}
	}
}

func readJSON(t *testing.T, path string, to any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, to)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestBrunel: rates, regimes and peaks of the spectrum of the four examples of Brunel's figure 8; with POPSIM_LONG all
// of them, else the two that cost least. Rates are those of an independent program (of SR: of the reference, where
// neurons fire in every refractory time), peaks those of the same program within the widths of the peaks.
func TestBrunel(t *testing.T) {
	type example struct {
		rate, tolerance, peak, width float64
		regime                       int
	}
	examples := map[string]example{ // at ends of steps rates differ by some per cent
		"ai":      {37.19, 1.0, 114, 15, statistics.AI},
		"si-slow": {5.93, 0.8, 24, 5, statistics.SISlow},
	}
	if long() {
		examples["sr"] = example{333.3, 1, 333, 10, statistics.SR}
		examples["si-fast"] = example{59.1, 1.5, 172, 18, statistics.SIFast}
	}
	for preset, want := range examples {
		d, err := description.Lookup("brunel:" + preset)
		if err != nil {
			t.Fatal(err)
		}
		x := &Sweep{
			Description: d, Measures: []string{"rate", "cv", "synchrony", "peak"},
			Run:     Run{Time: 900, Discard: 200, Bin: 1},
			Options: description.Options{Seed: 1, OnGrid: true, Preset: preset},
		}
		if err := x.Read(nil); err != nil {
			t.Fatal(err)
		}
		r, err := sweep.RunJobs(context.Background(), x.Jobs(true), sweep.Config{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		rate, peak := r.Values("rate_E_Hz", 0)[0], r.Values("peak_E_Hz", 0)[0]
		if math.Abs(rate-want.rate) > want.tolerance || math.Abs(peak-want.peak) > want.width {
			t.Errorf("%s: %.2f spikes/s with a peak at %.1f Hz, want %v ± %v and %v ± %v", preset, rate, peak, want.rate,
				want.tolerance, want.peak, want.width)
		}
		if got := r.Values("regime", 0)[0]; int(got) != want.regime {
			t.Errorf("%s: %s, want %s", preset, statistics.Regimes[int(got)], statistics.Regimes[want.regime])
		}
	}
}
