package bench

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"popsim/kernels"
	"popsim/model"
)

// Every kernel fires in its scenario, in every way of recording, and at a rate one would call firing.
func TestScenariosFire(t *testing.T) {
	list, err := Selection{}.Kernels()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range list {
		if s.N != L1 {
			continue
		}
		s.N = 100
		t.Run(s.Name(), func(t *testing.T) {
			r, err := newHarness(s)
			if err != nil {
				t.Fatal(err)
			}
			var took []time.Duration
			for range 1 + int(50/(s.Dt*float64(s.steps()))) {
				took = append(took, r.call())
			}
			if got := r.result(took); got.Rate < 40 || got.Rate > 90 {
				t.Errorf("%s fires at %.3g Hz, want 40 to 90", s.Name(), got.Rate)
			}
		})
	}
}

// Silent neurons are silent, fast ones fire at about 500 Hz.
func TestFiring(t *testing.T) {
	list, err := Selection{ISA: kernels.Go}.Spikes()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range list {
		s.N = 64
		r, err := newHarness(s)
		if err != nil {
			t.Fatal(err)
		}
		var took []time.Duration
		for range 1 + int(20/(s.Dt*float64(s.steps()))) {
			took = append(took, r.call())
		}
		rate := r.result(took).Rate
		if s.Firing == Silent && rate != 0 || s.Firing == Fast && math.Abs(rate-500) > 50 {
			t.Errorf("%s fires at %.3g Hz", s.spikesName(), rate)
		}
	}
}

func BenchmarkKernel(b *testing.B) {
	list, err := Selection{}.Kernels()
	if err != nil {
		b.Fatal(err)
	}
	benchmark(b, list, Scenario.Name)
}

func BenchmarkSpikes(b *testing.B) {
	list, err := Selection{}.Spikes()
	if err != nil {
		b.Fatal(err)
	}
	benchmark(b, list, Scenario.spikesName)
}

func benchmark(b *testing.B, list []Scenario, name func(Scenario) string) {
	for _, s := range list {
		b.Run(name(s), func(b *testing.B) {
			r, err := newHarness(s)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			took := make([]time.Duration, 0, 1<<16)
			for b.Loop() {
				took = append(took, r.time())
			}
			for _, m := range kernelMetrics(s, r.result(took)) {
				b.ReportMetric(m.value, m.unit)
			}
		})
	}
}

func BenchmarkPopulation(b *testing.B) {
	list, err := Selection{}.Populations()
	if err != nil {
		b.Fatal(err)
	}
	for _, p := range list {
		b.Run(p.Name(), func(b *testing.B) {
			spec, err := p.spec()
			if err != nil {
				b.Fatal(err)
			}
			const steps = 200
			best := time.Duration(1<<63 - 1)
			for b.Loop() {
				took, _, err := p.run(context.Background(), spec, steps)
				if err != nil {
					b.Fatal(err)
				}
				best = min(best, took)
			}
			step := float64(best) / (float64(p.N) * steps)
			b.ReportMetric(step, "ns/neuron-step")
			b.ReportMetric(1e9/step, "neuron-steps/s")
		})
	}
}

// The truth that a trial computes is that of kernels/testdata, from an integrator of another kind and program.
func TestTrialTruth(t *testing.T) {
	const allowed = 1e-9 // ms
	for id, name := range map[string]string{
		"LIF_tref1_I25": "lif", "EIF_I10": "eif", "AdEx_I10": "adex", "AdEx_ND_init_burst": "adex", "HH_I10": "hh",
		"RHH_I5": "rhh",
	} {
		m, err := model.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		c := mustFind(t, id)
		p := m.Defaults()
		for q, x := range c.Params {
			q = strings.NewReplacer("gL", "g_L", "nsum", "n_plus_h").Replace(q)
			p[m.Index(q)] = x
		}
		trial, err := NewTrial(m, p, []float64{c.Segments[0][1]}, c.Y0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		got := trial.truth[0].times
		if len(c.Segments) != 1 || len(got) < min(5, len(c.spikes)) {
			t.Errorf("%s: %d steps of current, %d spikes", id, len(c.Segments), len(got))
		}
		for i := range min(len(got), len(c.spikes)) {
			if math.Abs(got[i]-c.spikes[i]) > allowed {
				t.Errorf("%s: spike %d at %v ms, want %v within %v", id, i+1, got[i], c.spikes[i], allowed)
			}
		}
	}
}

// A spike too many or one too few is no small error.
func TestTrialCounts(t *testing.T) {
	m := model.LIFModel
	k, err := kernels.For(m, m.Methods[0], kernels.Go)
	if err != nil {
		t.Fatal(err)
	}
	trial, err := NewTrial(m, m.Defaults(), []float64{21, 25, 19}, nil, 120)
	if err != nil {
		t.Fatal(err)
	}
	if spike, rate := trial.Errors(k, 1); !(spike < 1e-9 && rate < 1e-9) {
		t.Errorf("lif is off by %v ms and %v Hz, but it is exact", spike, rate)
	}
	whole := trial.truth[0].times
	trial.truth[0].times = whole[:len(whole)-1]
	if spike, _ := trial.Errors(k, 1); !math.IsInf(spike, 1) {
		t.Errorf("one spike too many gives an error of %v ms, want an infinite one", spike)
	}
	trial.truth[0].times = append(whole, 118, 119)
	if spike, _ := trial.Errors(k, 1); !math.IsInf(spike, 1) {
		t.Errorf("spikes too few give an error of %v ms, want an infinite one", spike)
	}
	if _, err := NewTrial(m, m.Defaults(), []float64{19}, nil, 120); err == nil {
		t.Error("a trial of a silent neuron is no trial, but there is no error")
	}
}

// truthCase is one of kernels/testdata/traj.
type truthCase struct {
	ID       string             `json:"id"`
	Params   map[string]float64 `json:"params"`
	Y0       []float64          `json:"y0"`
	Segments [][2]float64       `json:"segments"`
	spikes   []float64
}

func mustFind(t *testing.T, id string) truthCase {
	t.Helper()
	title, _, _ := strings.Cut(id, "_")
	text, err := os.ReadFile("../kernels/testdata/traj/cases_" + title + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []truthCase
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(cases, func(c truthCase) bool { return c.ID == id })
	if i < 0 {
		t.Fatalf("there is no case %s", id)
	}
	text, err = os.ReadFile("../kernels/testdata/traj/spikes_" + title + ".csv")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		cell := strings.Split(strings.TrimSpace(line), ",")
		if cell[0] == id && (cell[1] == "V_th" || cell[1] == "0mV") {
			x, err := strconv.ParseFloat(cell[3], 64)
			if err != nil {
				t.Fatal(err)
			}
			cases[i].spikes = append(cases[i].spikes, x)
		}
	}
	return cases[i]
}

// At its own step, the default method of each model has the truth within this error, ms.
func TestWorkOfDefaults(t *testing.T) {
	const good = 0.02
	for _, m := range model.All {
		k, err := kernels.For(m, m.Methods[0], kernels.Go)
		if err != nil {
			t.Fatal(err)
		}
		trial, err := NewTrial(m, m.Defaults(), DefaultCurrents(m), nil, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if e, _ := trial.Errors(k, k.Method.Dt); !(e < good) {
			t.Errorf("%s: spikes are off by %.2g ms, want less than %v", m.Name, e, good)
		}
	}
}

var benchmarkLine = regexp.MustCompile(
	`^BenchmarkKernel/model=\w+/method=[\w-]+/isa=\w+/params=[a-z]+/n=\d+\s+\d+\s+[\de.+-]+ ns/neuron-step\s`,
)

// The rows keep the form that scripts outside rely on.
func TestFormat(t *testing.T) {
	var out strings.Builder
	if err := Header(&out, "abc"); err != nil {
		t.Fatal(err)
	}
	q := Selection{Models: []*model.Model{model.LIFModel}, ISA: kernels.Go, Quick: true}
	if err := q.Run(context.Background(), []string{KernelRows}, &out, t.Logf); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	for _, line := range lines[:len(lines)-1] {
		if !strings.HasPrefix(line, "Unit ") && !strings.Contains(line, ": ") {
			t.Errorf("header line %q", line)
		}
	}
	if last := lines[len(lines)-1]; !benchmarkLine.MatchString(last) {
		t.Errorf("row %q does not match %v", last, benchmarkLine)
	}
}

func TestKinds(t *testing.T) {
	if CheckKinds([]string{"kernels"}) == nil {
		t.Error("rows of an unknown kind are accepted")
	}
	if err := CheckKinds(Kinds); err != nil {
		t.Error(err)
	}
}

var networkLine = regexp.MustCompile(
	`^BenchmarkNetwork/network=[\w-]+/spikes=(grid|inside)/isa=\w+/workers=\d+\s+\d+\s+[\d.e+-]+ ns/neuron-step\s`,
)

// TestScalingRows: a quick selection predicts a network on 1 and 16 cores, in parts that add up to the whole.
func TestScalingRows(t *testing.T) {
	var out strings.Builder
	q := Selection{ISA: kernels.Go, Quick: true}
	if err := q.Run(t.Context(), []string{ScalingRows}, &out, t.Logf); err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(out.String()) {
		f := strings.Fields(line)
		if !strings.HasPrefix(line, "BenchmarkScaling/") || strings.Contains(f[0], "/gains") {
			continue
		}
		rows++
		sum := 0.0
		for i := 2; i < len(f); i += 2 {
			x, err := strconv.ParseFloat(f[i], 64)
			if err != nil || !(x >= 0) && f[i+1] != "error" {
				t.Errorf("%s: %q", f[0], f[i])
			}
			if slices.Contains([]string{"delivery", "input", "update"}, f[i+1]) {
				sum += x
			}
		}
		if math.Abs(sum-1) > 1e-3 { // four digits are printed
			t.Errorf("%s: parts add up to %g", f[0], sum)
		}
	}
	if rows != 4 || !strings.Contains(out.String(), "/gains") || !strings.Contains(out.String(), "barrier-of-two-ns: ") {
		t.Errorf("%d rows:\n%s", rows, out.String())
	}
}

// TestPredictionOfRun: where a run leaves its epochs to one worker, the prediction for one worker stands beside it.
func TestPredictionOfRun(t *testing.T) {
	const one = 0.03
	for shared, want := range map[int]float64{1: one, 2: 0.02} {
		p := prediction{workers: 2, seconds: 0.02, shared: shared, measured: 0.04}
		list := p.metrics(one)
		if got := list[len(list)-1]; got.unit != "error" || got.value != want/p.measured-1 {
			t.Errorf("shared by %d: %+v, want an error of %g", shared, got, want/p.measured-1)
		}
	}
}

func TestGains(t *testing.T) {
	for _, c := range []struct {
		seconds []float64
		want    float64
	}{{[]float64{1}, 1}, {[]float64{1, 0.98}, 1}, {[]float64{1, 0.6, 0.4, 0.39, 0.1}, 4}, {[]float64{1, 2, 0.5}, 1}} {
		var list []prediction
		for i, s := range c.seconds {
			list = append(list, prediction{workers: 1 << i, seconds: s})
		}
		if got := gains(list)[0].value; got != c.want {
			t.Errorf("%v: gains up to %g workers, want %g", c.seconds, got, c.want)
		}
	}
}

// TestNetworkRows: a quick selection measures a network on the grid and inside the step.
func TestNetworkRows(t *testing.T) {
	var out strings.Builder
	q := Selection{ISA: kernels.Available()[0], Quick: true, Rows: regexp.MustCompile("workers=1$")}
	if err := q.Run(context.Background(), []string{NetworkRows}, &out, t.Logf); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 {
		t.Errorf("%d rows:\n%s", len(lines), out.String())
	}
	for _, line := range lines {
		if !networkLine.MatchString(line) || !strings.Contains(line, "ns/synaptic-event") || strings.Contains(line, "NaN") {
			t.Errorf("row %q", line)
		}
	}
}
