package description

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"popsim/model"
	"popsim/network"
	data "popsim/table"
	"popsim/table/file"
)

// truthTolerance (ms) is what the spikes of one neuron are held to at the step that its file gets without dt: the
// largest error, of hhA_biexp_conductance_a, where one of 1e-4 ms is amplified, is 0.0036; all others are below 0.001.
// lif with currents and jumps is exact.
const (
	truthTolerance = 0.005
	exactTolerance = 1e-9
	// networkTolerance (ms) is that of networks up to their horizon, where a disturbance has grown a thousandfold.
	networkTolerance = 0.05
)

// truthSynapse is a synapse of testdata of package network.
type truthSynapse map[string]any

// truthUnits are those of the constants of a synapse.
var truthUnits = map[string]string{
	"tau": "ms", "tau_rise": "ms", "tau_decay": "ms", "E": "mV", "Mg": "mM", "alpha": "/ms",
}

func (y truthSynapse) kind() string { return strings.ReplaceAll(y["kind"].(string), "_", "-") }

// text is the table of the file.
func (y truthSynapse) text(i int) string {
	t := fmt.Sprintf("[synapse.s%d]\nkind = %q\n", i, y.kind())
	for name, unit := range truthUnits {
		if x, ok := y[name]; ok {
			t += fmt.Sprintf("%s = %s\n", name, quantity(x.(float64), unit))
		}
	}
	return t
}

func quantity(x float64, unit string) string {
	return strconv.Quote(strconv.FormatFloat(x, 'g', -1, 64) + unit)
}

// weightUnit is the unit of a weight onto a model.
func weightUnit(m *model.Model, kind string) string {
	switch {
	case kind == "delta":
		return "mV"
	case strings.HasSuffix(kind, "current"):
		return m.CurrentUnit
	case m.Fires == model.Reset:
		return "nS"
	}
	return "mS/cm2"
}

// write writes a table to a file in dir.
func write(t *testing.T, dir, name string, columns ...data.Column) {
	t.Helper()
	out, err := file.Create(filepath.Join(dir, name), true)
	if err != nil {
		t.Fatal(err)
	}
	if err := out.WriteTable(data.NewTable(columns...)); err != nil {
		t.Fatal(err)
	}
	if err := out.Commit(); err != nil {
		t.Fatal(err)
	}
}

// runFile runs the description of text, whose files are in dir, for a time and returns step and spikes.
func runFile(t *testing.T, dir, text string, ms float64) (dt float64, spikes []network.Spike) {
	t.Helper()
	d, err := Parse(filepath.Join(dir, "net.toml"), []byte(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	r, err := d.Resolve(Options{})
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	n, err := network.Build(t.Context(), r.Spec, network.Config{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	err = n.Run(t.Context(), int64(math.Ceil(ms/r.Spec.Dt-1e-9)), network.Recorder{Spikes: func(x []network.Spike) error {
		spikes = append(spikes, x...)
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return r.Spec.Dt, spikes
}

// TestTruthThroughFiles runs the neurons of testdata of package network from descriptions as a user writes them, with
// units, without a step.
func TestTruthThroughFiles(t *testing.T) {
	var cases []struct {
		ID, Model string
		Params    map[string]float64
		I         float64
		Y0        []float64
		TEnd      float64 `json:"t_end"`
		Synapses  []truthSynapse
		Inputs    []struct {
			Synapse       int
			Weight, Delay float64
			Times         []float64
		}
		Spikes []float64
	}
	readJSON(t, "../testdata/neurons.json", &cases)
	for _, c := range cases {
		t.Run(c.ID, func(t *testing.T) {
			dir := t.TempDir()
			m, err := model.Lookup(c.Model)
			if err != nil {
				t.Fatal(err)
			}
			text := fmt.Sprintf("[population.A]\nmodel = %q\nn = 1\nI = %s\n", c.Model, quantity(c.I, m.CurrentUnit))
			for _, p := range m.Params {
				text += fmt.Sprintf("%s = %s\n", p.Name, quantity(c.Params[p.Name], p.Unit))
			}
			for i, y := range m.States {
				text += fmt.Sprintf("%s0 = %s\n", y.Name, quantity(c.Y0[i], y.Unit))
			}
			exact := c.Model == "lif"
			for i, y := range c.Synapses {
				text += y.text(i)
				exact = exact && (y.kind() == "delta" || strings.HasSuffix(y.kind(), "current"))
			}
			for i, in := range c.Inputs {
				name := fmt.Sprintf("times%d.csv", i)
				times := slices.Sorted(slices.Values(in.Times))
				write(t, dir, name, data.Col("neuron", make([]int64, len(times))), data.Col("time_ms", times))
				text += fmt.Sprintf("[input.i%d]\nto = \"A\"\nspikes = \"@%s\"\nsynapse = \"s%d\"\nweight = %s\ndelay = %s\n",
					i, name, in.Synapse, quantity(in.Weight, weightUnit(m, c.Synapses[in.Synapse].kind())),
					quantity(in.Delay, "ms"))
			}
			dt, spikes := runFile(t, dir, text, c.TEnd)
			for len(spikes) > 0 && (float64(spikes[len(spikes)-1].Step)+spikes[len(spikes)-1].Theta)*dt > c.TEnd {
				spikes = spikes[:len(spikes)-1] // in the last step, after the end
			}
			if len(spikes) != len(c.Spikes) {
				t.Fatalf("%d spikes; want %d", len(spikes), len(c.Spikes))
			}
			worst := 0.0
			for i, x := range spikes {
				worst = max(worst, math.Abs((float64(x.Step)+x.Theta)*dt-c.Spikes[i]))
			}
			t.Logf("largest error %.2g ms at dt %g ms", worst, dt)
			if tolerance := map[bool]float64{false: truthTolerance, true: exactTolerance}[exact]; worst > tolerance {
				t.Errorf("spikes are wrong by %.3g ms at dt %g ms; %g is allowed", worst, dt, tolerance)
			}
		})
	}
}

func readJSON(t *testing.T, path string, to any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, to)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestTruthNetworksThroughFiles does the same with networks, whose parameters and edges are files.
func TestTruthNetworksThroughFiles(t *testing.T) {
	for _, id := range []string{"lifties20", "lifexp20", "lifcoba20", "lifcoba100", "adexcoba20", "hhcoba5"} {
		t.Run(id, func(t *testing.T) {
			from := filepath.Join("../testdata", id)
			var info struct {
				Model    string
				N        int
				Synapses []truthSynapse
				Listed   float64             `json:"t_listed"`
				Horizon  map[string]*float64 `json:"horizon_ms"`
			}
			readJSON(t, filepath.Join(from, "network.json"), &info)
			m, err := model.Lookup(info.Model)
			if err != nil {
				t.Fatal(err)
			}
			absolute, err := filepath.Abs(from)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			text := fmt.Sprintf("[population.A]\nmodel = %q\nn = %d\nvalues = \"@%s/neurons.csv\"\nI = \"@%s/neurons.csv:I\"\n",
				info.Model, info.N, absolute, absolute)
			for _, y := range m.States {
				text += fmt.Sprintf("%s0 = \"@%s/neurons.csv:%s0\"\n", y.Name, absolute, y.Name)
			}
			edges := column(t, from, "connections.csv")
			for i, y := range info.Synapses {
				text += y.text(i)
				var pre, post []int64
				var weight, delay []float64
				for e, of := range edges["synapse"] {
					if int(of) == i {
						pre, post = append(pre, int64(edges["pre"][e])), append(post, int64(edges["post"][e]))
						weight, delay = append(weight, edges["weight"][e]), append(delay, edges["delay_ms"][e])
					}
				}
				if len(pre) == 0 {
					continue
				}
				name := fmt.Sprintf("edges%d.csv", i)
				write(t, dir, name, data.Col("pre", pre), data.Col("post", post), data.Col("weight", weight),
					data.Col("delay_ms", delay))
				text += fmt.Sprintf("[projection.p%d]\nfrom = \"A\"\nto = \"A\"\nsynapse = \"s%d\"\nrule = \"@%s\"\n", i, i, name)
			}
			dt, spikes := runFile(t, dir, text, info.Listed)
			want := column(t, from, "spikes.csv")
			horizon := math.Inf(1)
			if h := info.Horizon["amplification_1000"]; h != nil {
				horizon = *h
			}
			worst := 0.0
			for i, at := range want["time_ms"] {
				if at > horizon {
					break
				}
				if i >= len(spikes) || int32(want["neuron"][i]) != spikes[i].Neuron {
					t.Fatalf("spike %d of neuron %g at %.9g ms is missing", i, want["neuron"][i], at)
				}
				worst = max(worst, math.Abs((float64(spikes[i].Step)+spikes[i].Theta)*dt-at))
			}
			t.Logf("largest error %.2g ms at dt %g ms", worst, dt)
			tolerance := networkTolerance
			if strings.HasPrefix(id, "lift") || strings.HasPrefix(id, "life") {
				tolerance = exactTolerance
			}
			if worst > tolerance {
				t.Errorf("spikes are wrong by %.3g ms at dt %g ms; %g is allowed", worst, dt, tolerance)
			}
		})
	}
}

// column reads the columns of a CSV file.
func column(t *testing.T, dir, name string) map[string][]float64 {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	names := strings.Split(lines[0], ",")
	columns := map[string][]float64{}
	for _, line := range lines[1:] {
		for i, x := range strings.Split(line, ",") {
			v, err := strconv.ParseFloat(x, 64)
			if err != nil {
				t.Fatal(err)
			}
			columns[names[i]] = append(columns[names[i]], v)
		}
	}
	return columns
}
