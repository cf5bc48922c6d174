package measure

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"popsim/network/description"
	"popsim/rng"
	"popsim/sweep"
)

// ring is 8 neurons, of which the first four are A and the others B, with measures of both kinds.
const ring = `
[parameters]
rate_A = "10Hz"
rate_B = "10Hz"
[population.A]
model = "poisson"
n = 40
rate = "rate_A"
[population.B]
like = "A"
rate = "rate_B"
[measure.choice]
kind = "first-above"
populations = ["A", "B"]
window = "50ms"
every = "5ms"
level = "30Hz"
after = "100ms"
[measure.bump]
kind = "population-vector"
population = "A"
window = "100ms"
at = "300ms"
`

func parsed(t *testing.T, text string) *description.Description {
	t.Helper()
	d, err := description.Parse("ring.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestTables: measures of tables on trains with known values.
func TestTables(t *testing.T) {
	res, err := parsed(t, ring).Resolve(description.Options{})
	if err != nil {
		t.Fatal(err)
	}
	set, err := New(res, []string{"choice", "bump"})
	if err != nil {
		t.Fatal(err)
	}
	want := []sweep.JobColumn{
		{Name: "choice", Words: []string{"A", "B"}},
		{Name: "choice_time_ms", At: 100},
		{Name: "bump_deg"},
		{Name: "bump_length"},
	}
	if !reflect.DeepEqual(set.Columns(), want) {
		t.Errorf("columns %v", set.Columns())
	}
	m := set.Meter(400)
	// B reaches 30 Hz, 60 spikes of 40 neurons in 50 ms, with those at 122 ms; before 100 ms nothing counts.
	for i := range 40 {
		m.Add(0, i, 40)
	}
	for i := range 40 {
		m.Add(0, i, 40.5)
	}
	for i := range 40 {
		m.Add(1, i, 118)
	}
	for i := range 20 {
		m.Add(1, i, 122)
	}
	for range 3 {
		m.Add(0, 10, 250) // a quarter of the ring
		m.Add(0, 10, 199.9)
	}
	m.Add(0, 30, 299.9)
	got := m.Values(nil)
	if got[0] != 1 || got[1] != 125 {
		t.Errorf("choice %v at %v, want B at 125", got[0], got[1])
	}
	if math.Abs(got[2]-90) > 1e-9 || math.Abs(got[3]-0.5) > 1e-9 {
		t.Errorf("bump at %v of length %v, want 90 and 0.5", got[2], got[3])
	}
	if got := set.Meter(400).Values(nil); slices.ContainsFunc(got, func(x float64) bool { return !math.IsNaN(x) }) {
		t.Errorf("measures of silence: %v", got)
	}
}

// TestEdges: a window that ends just at the time after which windows count is left out, and the larger rate of two is
// taken.
func TestEdges(t *testing.T) {
	res, err := parsed(t, ring).Resolve(description.Options{})
	if err != nil {
		t.Fatal(err)
	}
	set, err := New(res, []string{"choice"})
	if err != nil {
		t.Fatal(err)
	}
	m := set.Meter(400)
	for k := range 200 {
		m.Add(0, k%40, 97)
		m.Add(1, k%40, 98)
	}
	m.Add(1, 0, 104.999999999999) // at the edge of the next bin but for rounding: it belongs to that
	m.Add(0, 0, 99)
	if got := m.Values(nil); got[0] != 0 || got[1] != 105 {
		t.Errorf("choice %v at %v, want A at 105", got[0], got[1])
	}
}

// TestDecided: a run that ends when its measures are decided has the measures of the whole run.
func TestDecided(t *testing.T) {
	res, err := parsed(t, ring).Resolve(description.Options{Settings: []description.Setting{
		{Name: "rate_A", Text: "28Hz"}, {Name: "rate_B", Text: "28Hz"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	var values [2][]float64
	for k, names := range [][]string{{"choice", "bump"}, {"choice", "bump", "rate"}} {
		set, err := New(res, names)
		if err != nil {
			t.Fatal(err)
		}
		v, err := set.Point(context.Background(), res, Run{Time: 5000, Bin: 1, Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		values[k] = v[len(v)-4:]
	}
	if !reflect.DeepEqual(values[0], values[1]) || math.IsNaN(values[0][1]) {
		t.Errorf("measures %v of a run that ends when they are decided, %v of the whole run", values[0], values[1])
	}
	set, err := New(res, []string{"choice", "bump"})
	if err != nil {
		t.Fatal(err)
	}
	m := set.Meter(400)
	for i := range 80 {
		m.Add(1, i%40, 151)
	}
	for _, c := range []struct {
		t    float64
		want bool
	}{{154.9, false}, {155, false}, {160, false}, {299, false}, {300, true}} { // bump is decided at 300 ms
		if got := m.Decided(c.t); got != c.want {
			t.Errorf("decided at %v ms: %v, want %v", c.t, got, c.want)
		}
	}
}

// TestSweep: a sweep has the same table for any workers, its trials differ, and points whose values are refused are
// reported.
func TestSweep(t *testing.T) {
	tables := map[bool]string{}
	for _, alone := range []bool{false, true} {
		x := &Sweep{
			Description: parsed(t, ring),
			Trials:      2,
			Measures:    []string{"rate", "choice"},
			Run:         Run{Time: 200, Discard: 50, Bin: 1},
		}
		x.Options.Seed = 7
		axes := []description.Setting{{Name: "rate_A", Text: "0:60:30"}, {Name: "rate_B", Text: "12Hz"}}
		if err := x.Read(axes); err != nil {
			t.Fatal(err)
		}
		r, err := sweep.RunJobs(context.Background(), x.Jobs(alone), sweep.Config{Workers: 2}, nil)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, c := range r.Table().Columns {
			b.WriteString(c.Name + " ")
		}
		if want := "rate_A trial rate_Hz rate_A_Hz rate_B_Hz choice choice_time_ms status "; b.String() != want {
			t.Errorf("columns %s, want %s", b.String(), want)
		}
		c, _ := r.Table().Column("rate_A_Hz")
		rates := c.Values.([]float64)
		if rates[0] != 0 || math.Abs(rates[4]-60) > 20 || rates[4] == rates[5] { // 5 sd of 360 spikes
			t.Errorf("rates %v", rates)
		}
		tables[alone] = tableText(r)
	}
	if tables[false] != tables[true] {
		t.Error("the table depends on workers")
	}
}

// tableText is the table to the last bit.
func tableText(r *sweep.JobsResult) string {
	var b strings.Builder
	for _, c := range r.Table().Columns {
		fmt.Fprintln(&b, c.Name, c.Values)
	}
	return b.String()
}

// TestRefusals: faults of a sweep are reported before it runs.
func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		settings, measures []string
		want               string
	}{
		{[]string{"rate_A=0:60"}, nil, "rate_A=0:60 is an interval"},
		{[]string{"rate_A=0:60:x"}, nil, `"x"`},
		{[]string{"rate_a=1,2"}, nil, "the network has no parameter rate_a; did you mean rate_A?"},
		{[]string{"rate_A=1mV,2mV"}, nil, "mV"},
		{[]string{"rate_A=1,2"}, []string{"speed"}, `networks have no measure "speed"`},
		{[]string{"rate_A=1,2"}, []string{"cv", "cv"}, "measure cv_A is named twice"},
	} {
		x := &Sweep{Description: parsed(t, ring), Measures: c.measures, Run: Run{Time: 200, Bin: 1}}
		var settings []description.Setting
		for _, s := range c.settings {
			name, text, _ := strings.Cut(s, "=")
			settings = append(settings, description.Setting{Name: name, Text: text})
		}
		if err := x.Read(settings); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v; want %s", c.settings, err, c.want)
		}
	}
}

// TestUnits: an axis has the unit of its parameter although the network is refused without another setting: the delay
// of 0.1 ms is no multiple of the time step.
func TestUnits(t *testing.T) {
	d, err := description.Lookup("memory")
	if err != nil {
		t.Fatal(err)
	}
	x := &Sweep{Description: d, Options: description.Options{Dt: 0.25}, Run: Run{Bin: 1}}
	err = x.Read([]description.Setting{
		{Name: "distractor", Text: "0pA:600pA/3"}, {Name: "N_E", Text: "64"}, {Name: "D", Text: "0.25ms"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if a := x.Grid.Axes[0]; a.Unit != "pA" || a.Len() != 3 {
		t.Errorf("the axis has %d values in %q; want 3 in pA", a.Len(), a.Unit)
	}
}

// TestChoices: choices between two Poisson populations whose rates differ with the strength of the evidence.
func TestChoices(t *testing.T) {
	x := &Sweep{
		Description: parsed(t, strings.Replace(strings.Replace(ring, `rate_A = "10Hz"`, "c = 0\nrate_A = \"20Hz*(1+c)\"", 1),
			`rate_B = "10Hz"`, `rate_B = "20Hz*(1-c)"`, 1)),
		Trials: 40, Measures: []string{"choice"}, Run: Run{Time: 1000, Bin: 1},
	}
	if err := x.Read([]description.Setting{{Name: "c", Text: "0,0.02,0.1,0.5"}}); err != nil {
		t.Fatal(err)
	}
	r, err := sweep.RunJobs(context.Background(), x.Jobs(false), sweep.Config{Workers: 2}, nil)
	if err != nil {
		t.Fatal(err)
	}
	all := ChoicesOf(r)
	if len(all) != 1 || all[0].FitError != nil {
		t.Fatalf("choices %v", all)
	}
	c := all[0]
	if c.Shares[0].P() < 0.2 || c.Shares[0].P() > 0.8 || c.Shares[3].P() < 0.95 { // 4 standard deviations about 1/2
		t.Errorf("shares %v", c.Shares)
	}
	if s, m := c.Shares[1], c.Time[1]; s.N+c.Open[1] != 40 || m.N != s.N || m.Value < 5 || m.Value > 900 || !(m.SE > 0) {
		t.Errorf("%d choices, %d open, times %+v", s.N, c.Open[1], m)
	}
	times := r.Values("choice_time_ms", 1)
	if m := meanOf(times); math.Abs(m.Value-100-c.Time[1].Value) > 1e-9 {
		t.Errorf("mean time %v from 0 on, %v from 100 ms on", m.Value, c.Time[1].Value)
	}
	if !strings.HasPrefix(c.String(), "choice: share of A is 1 - exp(-(c/alpha)^beta)/2, alpha 0.") {
		t.Error(c)
	}
}

// TestMoved: movements are summed up from window to window by their shortest ways, also round the ring.
func TestMoved(t *testing.T) {
	text := strings.Replace(ring, "at = \"300ms\"\n", "at = \"300ms\"\nfrom = \"100ms\"\nevery = \"100ms\"\n", 1)
	res, err := parsed(t, text).Resolve(description.Options{})
	if err != nil {
		t.Fatal(err)
	}
	set, err := New(res, []string{"bump"})
	if err != nil {
		t.Fatal(err)
	}
	want := []sweep.JobColumn{
		{Name: "bump_deg"},
		{Name: "bump_length"},
		{Name: "bump_moved_200_deg", At: 100},
		{Name: "bump_moved_300_deg", At: 200},
	}
	if !reflect.DeepEqual(set.Columns(), want) {
		t.Errorf("columns %v", set.Columns())
	}
	m := set.Meter(400)
	m.Add(0, 35, 50) // 315 degrees, then 54, then 162
	m.Add(0, 6, 150)
	m.Add(0, 18, 250)
	for k, want := range []float64{162, 1, 99, 207} {
		if got := m.Values(nil)[k]; math.Abs(got-want) > 1e-9 {
			t.Errorf("value %d is %v, want %v", k, got, want)
		}
	}
}

// TestDrifts: movements with a known drift and diffusion, in place of those of runs. Every tenth bump is lost, and
// moves ten times as far; one is without spikes in a window. Both are left out and counted.
func TestDrifts(t *testing.T) {
	const trials, steps, every, b, drift = 440, 8, 250.0, 6.0, 2.0
	const lost, silent = trials / 10, 5 // trials
	j := &sweep.Jobs{Trials: trials, Run: func(_ context.Context, _, trial, _ int) (values []float64, _ error) {
		s := rng.NewStream(uint64(trial), "drift")
		at, far, length := 0.0, 1.0, 0.8
		if trial%10 == 0 {
			far, length = 10, 0.2
		}
		values = append(values, length)
		for k := range uint32(steps) {
			at += drift*every/1000 + far*math.Sqrt(2*b*every/1000)*rng.Normal32(s.At(k, 0)[0])
			if trial == silent && k == steps/2 {
				at = math.NaN()
			}
			values = append(values, at)
		}
		return append(values, 0), nil
	}}
	j.Columns = append(j.Columns, sweep.JobColumn{Name: "bump_length"})
	for k := range steps {
		at := every * float64(k+1)
		j.Columns = append(j.Columns, sweep.JobColumn{Name: fmt.Sprintf("bump_moved_%g_deg", at), At: at})
	}
	j.Columns = append(j.Columns, sweep.JobColumn{Name: "status", Words: []string{OK, Refused, Blown}})
	r, err := sweep.RunJobs(context.Background(), j, sweep.Config{Workers: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	all := DriftsOf(r)
	if len(all) != 1 {
		t.Fatalf("%d measures", len(all))
	}
	d := all[0]
	const kept = trials - lost - 1
	if d.Trials != kept || d.Lost != lost+1 {
		t.Errorf("%d trials are kept and %d lost; want %d and %d", d.Trials, d.Lost, kept, lost+1)
	}
	want := "bump: drift and diffusion are without 45 of 440 trials, whose bump is lost: " +
		"the population vector at the end is shorter than 0.4, or spikes are missing in a window"
	if got := LostOf(r); len(got) != 1 || got[0] != want {
		t.Errorf("got the warnings %q; want %q", got, want)
	}
	if math.Abs(d.Diffusion.Value-b) > 4*d.Diffusion.SE || d.Diffusion.SE > 1 ||
		math.Abs(d.Drift.Value-drift) > 4*d.Drift.SE {
		t.Errorf("%s", d)
	}
	v := d.Variance[steps-1]
	if math.Abs(v.Value-2*b*2) > 4*v.SE || math.Abs(v.SE/(v.Value*math.Sqrt(2.0/kept))-1) > 0.3 {
		t.Errorf("variance %v", v)
	}
}
