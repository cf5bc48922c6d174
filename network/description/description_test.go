package description

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"popsim/fault"
	"popsim/network"
)

func resolved(t *testing.T, name string, o Options) *Result {
	t.Helper()
	d, err := Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	r, err := d.Resolve(o)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return r
}

func TestLibrary(t *testing.T) {
	for _, name := range Names() {
		d, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		if d.Title == "" || d.Source == "" {
			t.Errorf("%s: title %q, source %q", name, d.Title, d.Source)
		}
		for _, preset := range append(d.Presets(), "") {
			if d, err = Lookup(name + ":" + preset); err != nil {
				t.Fatal(err)
			}
			if _, err := d.Resolve(Options{Preset: preset}); err != nil {
				t.Errorf("%s:%s: %v", name, preset, err)
			}
		}
	}
}

func TestBrunel(t *testing.T) {
	r := resolved(
		t,
		"brunel",
		Options{
			Preset:   "si-fast",
			Settings: []Setting{{Name: "N_E", Text: "400"}, {Name: "J", Text: "0.2"}, {Name: "I.t_ref", Text: "1ms"}},
		},
	)
	s := r.Spec
	if s.Populations[0].N != 400 || s.Populations[1].N != 100 {
		t.Errorf("sizes %d, %d, want 400, 100", s.Populations[0].N, s.Populations[1].N)
	}
	if got := s.Inputs[0].Poisson.Rate; got != 20000 { // eta 4, theta 20 mV, J 0.2 mV, tau 20 ms
		t.Errorf("rate %v Hz, want 20000", got)
	}
	if got := s.Projections[1].Weight; got != network.Constant(-6*0.2) &&
		math.Abs(float64(got.(network.Constant))+1.2) > 1e-15 {
		t.Errorf("weight of I %v mV, want -1.2", got)
	}
	hold := s.Populations[0].Model.Index("t_ref")
	if e, i := s.Populations[0].P[hold][0], s.Populations[1].P[hold][0]; e != 2 || i != 1 {
		t.Errorf("t_ref %v and %v ms, want 2 and 1", e, i)
	}
	v := s.Populations[0].Start[0]
	if len(v) != 400 || slices.Min(v) < 0 || slices.Max(v) > 20 || slices.Equal(v[:100], s.Populations[1].Start[0]) {
		t.Errorf("V0: %d values from %v to %v mV", len(v), slices.Min(v), slices.Max(v))
	}
	larger := resolved(t, "brunel", Options{Settings: []Setting{{Name: "N_E", Text: "800"}}})
	if again := larger.Spec.Populations[0].Start[0]; !slices.Equal(again[:400], v) {
		t.Error("V0 of the first neurons depends on the number of neurons")
	}
	reseeded := resolved(t, "brunel", Options{Seed: 1, Settings: []Setting{{Name: "N_E", Text: "400"}}})
	if other := reseeded.Spec.Populations[0].Start[0]; slices.Equal(other, v) {
		t.Error("V0 does not depend on the seed")
	}
}

// TestMicrocircuit compares the number of synapses at full scale with the reference's and their mean numbers with the
// table of in-degrees, and the drive of DC with the published currents.
func TestMicrocircuit(t *testing.T) {
	s := resolved(t, "microcircuit", Options{Preset: "dc"}).Spec
	total, inDegree := int64(0), map[string]float64{}
	for _, p := range s.Projections {
		n := p.Rule.(network.Total).N
		total += n
		target := s.Populations[p.To[0].Population]
		inDegree[target.Name] += float64(n) / float64(target.N)
	}
	const want = 298_880_970
	if math.Abs(float64(total-want)) > 4 { // rounding of logarithms, 64 times
		t.Errorf("%d synapses, want %d", total, want)
	}
	for name, k := range map[string]float64{
		"L23E": 4995, "L23I": 5285, "L4E": 2806, "L4I": 5888, "L5E": 4944, "L5I": 2736, "L6E": 2564, "L6I": 2434,
	} {
		if math.Abs(inDegree[name]-k) > 1 {
			t.Errorf("%s: in-degree %v, want %v", name, inDegree[name], k)
		}
	}
	if got := s.Populations[0].I[0]; math.Abs(got-561.97) > 0.01 {
		t.Errorf("drive of L23E %v pA, want 561.97", got)
	}
	small := resolved(t, "microcircuit", Options{Settings: []Setting{{Name: "scale", Text: "0.1"}}}).Spec
	if small.Populations[0].N != 2068 || small.Inputs[0].Poisson.Rate != 12800 {
		t.Errorf("scale 0.1: %d neurons, rate %v Hz", small.Populations[0].N, small.Inputs[0].Poisson.Rate)
	}
}

// faulty holds one fault a line; places are lines of the file.
const faulty = `title = "faults"
speed = 3
[parameters]
J = "0.1mV"
g = "J +"
tau = "20 mW"
pi = 3
[population.E]
model = "lif"
n = "2.5"
V_th = "3ms"
V_rst = 3
E_L = 4
V0 = "uniform:3mV"
[population.P]
model = "poisson"
n = 3
rate = "-x"
[synapse.jump]
kind = "delta"
tau = 3
[synapse.other]
kind = "exponential"
[projection.A]
from = "F"
to = "E"
synapse = "jump"
rule = "probability:1.2"
weight = "J"
delay = "1ms"
fixed_indegree = 3
stdp = 1
[projection.B]
from = "E"
to = "E:0:5"
synapse = "jump"
rule = "probability:1.2"
weight = "J"
delay = "1ms"
[projection.C]
from = "E"
to = "E"
synapse = "jump"
rule = "pairwise_bernoulli:0.1"
weight = "3pA"
delay = "1mV"
`

func TestFaults(t *testing.T) {
	d, err := Parse("f.toml", []byte(faulty))
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Resolve(
		Options{Settings: []Setting{{Name: "J", Text: "3ms"}, {Name: "eta", Text: "1"}, {Name: "E.V_reste", Text: "1"}}},
	)
	got := text(err)
	for _, want := range []string{
		`f.toml:2:1: a network has no key "speed"`,
		`f.toml:5:1: g: "J +": column 4: the end where a number`,
		`f.toml:6:1: tau: "20 mW": column 4: unknown unit "mW" behind a number`,
		`f.toml:7:1: pi: the name is reserved`,
		`f.toml:10:1: n: "2.5" is 2.5; a whole number is needed`,
		`f.toml:11:1: V_th: "3ms": column 1: 3ms is in ms; it should be in mV`,
		`f.toml:12:1: population E (lif) has no key "V_rst"; did you mean V_rest?`,
		`f.toml:13:1: population E (lif) has no key "E_L"; here it is V_rest`,
		`f.toml:14:1: V0: "uniform:3mV": draws are written`,
		`f.toml:18:1: rate: "-x": column 2: unknown name "x"`,
		`f.toml:21:1: tau: synapses of kind delta have none`,
		`f.toml:22:2: other: unknown kind "exponential"`,
		`f.toml:25:1: from: no population "F"`,
		`f.toml:31:1: projection A has no key "fixed_indegree"; here it is rule = "in-degree:K"`,
		`f.toml:32:1: projection A has no key "stdp": networks here have no plasticity`,
		`f.toml:35:1: to: "E:0:5": E has neurons 0 to 0`,
		`f.toml:44:1: rule: unknown rule "pairwise_bernoulli"; here it is rule = "probability:P"`,
		`f.toml:45:1: weight: "3pA": column 1: 3pA is in pA; it should be in mV`,
		`f.toml:46:1: delay: "1mV": column 1: 1mV is in mV; it should be in ms`,
		`J: "3ms": column 1: 3ms is in ms; it should be in mV`,
		`eta=1: the network has no parameter eta`,
		`E.V_reste=1: population E (lif) has no V_reste; did you mean V_rest?`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("missing: %s", want)
		}
	}
	if t.Failed() {
		t.Log(got)
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	var b strings.Builder
	for _, l := range fault.Lines(err, nil) {
		b.WriteString(l.Text + "\n")
	}
	return b.String()
}

const pools = `
[population.E]
model = "lif"
n = 4
I = "10pA*(i + 1)/n"
tau = "@cells.csv:tau"
V_th = "normal:20mV:2mV:redraw=19mV..21mV:round=0.5mV"
[population.S]
model = "spikes"
n = 2
times = "@times.csv"
[synapse.exc]
kind = "exp-current"
tau = "5ms"
[projection.P]
from = ["E:1:2", "S"]
to = "E"
synapse = "exc"
rule = "@edges.csv"
[projection.Q]
from = ["E", "S"]
to = ["E:0:1", "E:2:3"]
pairs = true
synapse = "exc"
rule = [["all-to-all", 0], ["total:n_pre*n_post", "probability:0.5"]]
weight = [["1pA", 0], ["2pA", "lognormal:3pA:1pA"]]
delay = "normal:1.5ms:0.5ms:clip=0.1ms.."
autapses = false
[input.kick]
to = "E:0"
current = "pulse:1ms:2ms:5pA"
[input.noise]
to = "E"
poisson = "normal:40Hz:4Hz:clip=0Hz.."
redraw = "50ms"
synapse = "exc"
weight = "1pA"
gain = "exp(-i)"
`

func TestPools(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"net.toml": pools, "cells.csv": "tau,R\n10,1\n11,1\n12,1\n13,1\n", "times.csv": "neuron,time_ms\n1,2.5\n0,1\n1,0.5\n",
		"edges.csv": "source_node_id,target_node_id,syn_weight,delay,projection\n0,3,1.5,1,P\n3,0,0.1,2.25,P\n0,0,1,1,Q\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	d, err := Parse(filepath.Join(dir, "net.toml"), []byte(pools))
	if err != nil {
		t.Fatal(err)
	}
	r, err := d.Resolve(Options{})
	if err != nil {
		t.Fatal(text(err))
	}
	s := r.Spec
	e := s.Populations[0]
	if !slices.Equal(e.I, []float64{2.5, 5, 7.5, 10}) ||
		!slices.Equal(e.P[e.Model.Index("tau")], []float64{10, 11, 12, 13}) {
		t.Errorf("I %v, tau %v", e.I, e.P[e.Model.Index("tau")])
	}
	for _, v := range e.P[e.Model.Index("V_th")] {
		if v < 19 || v > 21 || v*2 != math.Round(v*2) {
			t.Errorf("V_th %v mV, want whole halves between 19 and 21", v)
		}
	}
	if times := s.Populations[1].Source.Times; !slices.Equal(times[0], []float64{1}) ||
		!slices.Equal(times[1], []float64{0.5, 2.5}) {
		t.Errorf("times %v", times)
	}
	if len(s.Projections) != 4 {
		t.Fatalf("%d projections, want P and three of Q", len(s.Projections))
	}
	p := s.Projections[0]
	edges := p.Rule.(network.Edges)
	if !slices.Equal(p.From, []network.Part{{Population: 0, First: 1, N: 2}, {Population: 1, N: 2}}) ||
		!slices.Equal(edges.Pre, []int32{0, 3}) ||
		!slices.Equal(edges.Post, []int32{3, 0}) ||
		!slices.Equal(edges.Weight, []float64{1.5, 0.1}) ||
		!slices.Equal(edges.Delay, []float64{1, 2.25}) {
		t.Errorf("P from %v: %v", p.From, edges)
	}
	q := s.Projections[2]
	if q.Name != "Q.E.E:2:3" || q.Rule != (network.Total{N: 8}) || q.Weight != network.Constant(2) || !q.NoAutapses {
		t.Errorf("%+v", q)
	}
	if l := s.Projections[3].Weight.(network.Draw); l.Kind != network.Lognormal || l.A != 3 || l.B != 1 {
		t.Errorf("weight %v", l)
	}
	if got := s.Inputs[0].Current(15); got != 5 {
		t.Errorf("current in step 15: %v pA, want 5", got)
	}
	if in := s.Inputs[1]; in.Poisson.Law == nil || in.Poisson.Law.A != 40 || in.Poisson.Redraw != 50 || len(in.Gain) != 4 {
		t.Errorf("%+v", in.Poisson)
	}
}

// FuzzDescription: any text is refused with a message, or becomes a Spec that passes its check, without a panic.
func FuzzDescription(f *testing.F) {
	f.Add(faulty)
	f.Add(pools)
	f.Add("[[population]]\n[population.E]\nlike = \"E\"\n")
	for _, name := range []string{"brunel", "cuba", "coba", "cobahh", "decision"} {
		d, err := Lookup(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(strings.ReplaceAll(d.Text, "00", ""))
	}
	f.Fuzz(func(t *testing.T, content string) {
		for _, digits := range []string{"000000", "e5", "e6", "e7", "e8", "e9", "99999", "_"} {
			if strings.Contains(content, digits) {
				t.Skip("a population that fills memory")
			}
		}
		if d, err := Parse("fuzz.toml", []byte(content)); err == nil {
			d.Resolve(Options{})
		}
	})
}

// FuzzEdges: any table is refused with a message, or gives edges within the pools.
func FuzzEdges(f *testing.F) {
	f.Add("pre,post,weight,delay_ms\n0,1,2.5,1\n")
	f.Add("1\n2\n")
	f.Add("pre,post\n\"a\",-1\n")
	f.Fuzz(func(t *testing.T, content string) {
		c, err := readColumns([]byte(content))
		if err != nil {
			return
		}
		for _, name := range c.names {
			if c.numbers[name] == nil {
				continue
			}
			for i := range c.rows {
				if k, err := c.number(name, i, 10); err == nil && (k < 0 || k > 9) {
					t.Errorf("row %d: %d", i, k)
				}
			}
		}
	})
}

// TestNothingIsSilent requires faults where an entry could have no effect, and for the line of each.
func TestNothingIsSilent(t *testing.T) {
	d, err := Parse("f.toml", []byte(`time = "-3ms"
discard = "-1ms"
[population.E]
model = "lif"
n = "2mV"
rate = "3Hz"
[population.S]
model = "poisson"
n = 3
rate = "100Hz"
[synapse.exc]
kind = "exp-current"
tau = "2ms"
[projection.P]
from = "E"
to = []
synapse = "exc"
rule = "all-to-all"
weight = "1pA"
delay = "1ms"
[projection.Q]
from = "E"
to = "S"
synapse = "exc"
rule = "all-to-all"
weight = 1
delay = "1ms"
[input.a]
to = "E"
poisson = "500Hz"
synapse = "exc"
weight = "1pA"
redraw = "10ms"
[input.b]
to = "E"
current = "1pA"
weight = "1pA"
[input.c]
to = "S"
noise = "white:1mV"
`))
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Resolve(Options{})
	got := text(err)
	for _, want := range []string{
		`f.toml:1:1: time: -3 ms; it must be greater than 0`,
		`f.toml:2:1: discard: -1 ms; it must be 0 or more`,
		`f.toml:5:1: n: "2mV": column 1: 2mV is in mV; it should have no unit`,
		`f.toml:6:1: population E (lif) has no key "rate"`,
		`f.toml:16:1: to: the list is empty; a population or a part of it is needed`,
		`f.toml:23:1: to: S only sends spikes; a population of a model is needed`,
		`f.toml:33:1: redraw: a rate that is not drawn has none`,
		`f.toml:37:1: weight: current has none`,
		`f.toml:39:1: to: S only sends spikes; a population of a model is needed`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("missing: %s", want)
		}
	}
	if n := strings.Count(got, "\n"); n != 9 {
		t.Errorf("%d lines:\n%s", n, got)
	}
}

// TestDrawnDelayHasALine requires the line of delays below the step.
func TestDrawnDelayHasALine(t *testing.T) {
	d, err := Parse("f.toml", []byte(`[population.E]
model = "lif"
n = 2
[synapse.exc]
kind = "exp-current"
tau = "2ms"
[projection.P]
from = "E"
to = "E"
synapse = "exc"
rule = "all-to-all"
weight = "1pA"
delay = "normal:1ms:1ms"
`))
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Resolve(Options{})
	want := "f.toml:13:1: projection P: delay (ms): draws reach down to 0 ms, below the step of 0.1 ms"
	if got := text(err); !strings.HasPrefix(got, want) {
		t.Errorf("%s; want %s", got, want)
	}
}

// TestWeightsHaveALine requires the line of weights that are found to be wrong when they are drawn.
func TestWeightsHaveALine(t *testing.T) {
	d, err := Parse("f.toml", []byte(`[population.E]
model = "lif"
n = 20
[synapse.exc]
kind = "exp-conductance"
E = "0mV"
tau = "2ms"
[projection.P]
from = "E"
to = "E"
synapse = "exc"
rule = "ring:-1:40"
weight = "1nS"
delay = "1ms"
`))
	if err != nil {
		t.Fatal(err)
	}
	res, err := d.Resolve(Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = res.Build(t.Context(), network.Config{Workers: 1})
	want := "f.toml:13:1: projection P: weight -0.99"
	if got := text(err); !strings.HasPrefix(got, want) {
		t.Errorf("%s; want %s", got, want)
	}
}

// TestTooMuch: what would take all memory, and what a slip of the pen gives, is refused in a line each before anything
// is drawn.
func TestTooMuch(t *testing.T) {
	const rest = `
[synapse.exc]
kind = "exp-current"
tau = "2ms"
[input.a]
to = TO
poisson = "RATE"
REDRAW
synapse = "exc"
weight = "1pA"
`
	for _, c := range []struct{ n, to, rate, redraw, want string }{
		{"2e9", `"E"`, "1Hz", "", "n: 2000000000 neurons need 140 GB without their synapses; 1 GB are available"},
		{"10", `"E"`, "1e12Hz", "", "input a: rate 1e+12 spikes/s; at most 1e+08 is possible with dt 0.1 ms"},
		{"10", `"E"`, "steps:0ms=100Hz,20ms=-200Hz", "", "a rate of -200 Hz at 20 ms; it must be 0 or more"},
		{
			"10", `"E"`, "normal:-40Hz:4Hz:clip=0Hz..", `redraw = "5ms"`,
			"the mean, -40 Hz, lies outside the bounds of clip",
		},
		{"10", `["E", "E:4:6"]`, "1Hz", "", "neurons 4 to 6 of E are there twice"},
	} {
		text := "time = \"50ms\"\n[population.E]\nmodel = \"lif\"\nn = \"" + c.n + "\"\nV0 = \"uniform:0mV:20mV\"\n" +
			strings.NewReplacer("TO", c.to, "RATE", c.rate, "REDRAW", c.redraw).Replace(rest)
		d, err := Parse("f.toml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		res, err := d.Resolve(Options{Memory: 1e9})
		if err == nil {
			err = res.Spec.Check()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Count(err.Error(), "\n") > 0 {
			t.Errorf("%v; want one line with %q", err, c.want)
		}
	}
}

// TestSplit: empty words stay, so that a colon too many is not passed over; colons in parentheses do not part words.
func TestSplit(t *testing.T) {
	for text, want := range map[string][]string{
		"E": {"E"}, "E:": {"E", ""}, ":E": {"", "E"}, "a::b": {"a", "", "b"}, "a:(b:c):d": {"a", "(b:c)", "d"}, "": {""},
	} {
		if got := split(text, ':'); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
