package docs_test

import (
	"cmp"
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"popsim/kernels"
	"popsim/model"
	"popsim/sweep"
)

var update = flag.Bool("update", false, "write the tables of the documents anew")

// Tables of the documents are between the comments "table NAME ARGUMENT" and "end". They agree with the code; go test
// ./docs -update writes them.
func TestTables(t *testing.T) {
	makers := map[string]func(t *testing.T, argument string) string{
		"parameters": parametersTable, "states": statesTable, "methods": methodsTable, "presets": presetsTable,
		"steps": stepsTable, "errors": errorsTable,
		"entries": entriesTable, "means": meansTable, "populations": populationsTable, "spreads": spreadsTable,
		"diffusion": diffusionTable, "distracted": distractedTable, "choices": choicesTable,
	}
	for _, page := range pages(t) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		var fresh strings.Builder
		from := 0
		for _, q := range tables(string(text)) {
			kind, argument, _ := strings.Cut(q.name, " ")
			maker, ok := makers[kind]
			if !ok {
				t.Fatalf("%s: there is no table %q", page, kind)
			}
			if (kind == "errors" || kind == "steps") && testing.Short() {
				continue
			}
			want := maker(t, argument)
			if q.text != want && !*update {
				t.Errorf("%s: table %s has changed; go test ./docs -update writes it anew\ngot\n%swant\n%s", page,
					q.name, q.text, want)
			}
			fresh.WriteString(string(text[from:q.start]))
			fresh.WriteString(want)
			from = q.end
		}
		fresh.WriteString(string(text[from:]))
		if *update && fresh.String() != string(text) {
			if err := os.WriteFile(page, []byte(fresh.String()), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func mustModel(t *testing.T, name string) *model.Model {
	t.Helper()
	m, err := model.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func number(x float64) string { return strconv.FormatFloat(x, 'g', 6, 64) }

func code(s string) string { return "`" + s + "`" }

func parametersTable(t *testing.T, name string) string {
	m := mustModel(t, name)
	b := rowsOf("parameter", "default", "unit", "must be", "meaning")
	for _, q := range m.Params {
		domain := [...]string{"finite", "> 0", "≥ 0"}[q.Domain]
		writeRow(b, code(q.Name), strconv.FormatFloat(q.Default, 'g', -1, 64), q.Unit, domain, q.Doc)
	}
	writeRow(b, code("I"), "0", m.CurrentUnit, "finite", "input current")
	return b.String()
}

func statesTable(t *testing.T, name string) string {
	b := rowsOf("state", "at the start", "unit", "column", "meaning")
	for _, s := range mustModel(t, name).States {
		writeRow(b, code(s.Name), code(s.Name+"0"), s.Unit, code(s.Column()), s.Doc)
	}
	return b.String()
}

func methodsTable(t *testing.T, name string) string {
	b := rowsOf("method", "order", "default dt (ms)", "spikes", "how")
	for _, q := range mustModel(t, name).Methods {
		where := "inside the step"
		if q.OnGrid {
			where = "on the grid"
		}
		order := strconv.Itoa(q.Order)
		if q.Order == 0 {
			order = "exact"
		}
		writeRow(b, code(q.Name), order, number(q.Dt), where, q.Doc)
	}
	return b.String()
}

func presetsTable(t *testing.T, name string) string {
	m := mustModel(t, name)
	b := rowsOf("preset", "differs from the default in", "I ("+m.CurrentUnit+")", "source")
	defaults := m.Defaults()
	for _, s := range m.Presets() {
		var set []string
		for j, x := range s.Params {
			if x != defaults[j] {
				set = append(set, m.Params[j].Name+"="+number(x))
			}
		}
		current, source := "", s.Source
		if !math.IsNaN(s.I) {
			current = number(s.I)
		}
		if s.Note != "" {
			source += " (" + s.Note + ")"
		}
		writeRow(b, code(m.Name+":"+s.Name), cmp.Or(strings.Join(set, ", "), "nothing"), current, source)
	}
	return b.String()
}

// stepsTable has the steps that are recommended, warned of and refused, for every model, preset and method, each with
// its error of the rate of a neuron that fires. It fails where that is more than model.StepLimits states.
func stepsTable(t *testing.T, _ string) string {
	b := rowsOf("model", "I", "method", "default (ms)", "off by", "warned of above (ms)", "off by",
		"refused above (ms)", "off by")
	for _, m := range model.All {
		for _, s := range append([]model.Preset{{Params: m.Defaults(), I: math.NaN()}}, m.Presets()...) {
			title := m.Name
			if s.Name != "" {
				title += ":" + s.Name
			}
			current := s.I
			if math.IsNaN(current) {
				current = map[string]float64{"lif": 25, "eif": 12, "adex": 15, "hh": 10, "rhh": 5, "hhtm": 5}[m.Name]
			}
			truth, regular := rateOf(t, m, s.Params, current, m.Methods[0].Name, map[string]float64{
				"lif": 0.1,
				"eif": 0.01, "adex": 0.01, "hh": 0.0025, "rhh": 0.01, "hhtm": 0.0025,
			}[m.Name])
			for _, q := range m.Methods {
				usable, accurate := m.StepLimits(q, s.Params)
				promise := [3]float64{model.DefaultError, model.AccurateError, model.UsableError}
				if q.OnGrid {
					promise[0], promise[1] = model.AccurateOnGrid, model.AccurateOnGrid
				}
				cells := []string{code(title), number(current), code(q.Name)}
				for i, dt := range [3]float64{q.Dt, accurate, usable} {
					if math.IsInf(dt, 1) {
						cells = append(cells, "never", "")
						continue
					}
					off := ""
					if rate, repeats := rateOf(t, m, s.Params, current, q.Name, dt); !regular {
						off = "irregular" // the rate is a mean, with scatter
					} else if x := math.Abs(rate/truth - 1); truth > 0 {
						if off = percent(x); !(x <= promise[i]) && !repeats { // at this step the rate is a mean, with scatter
							off = "irregular"
						} else if !(x <= promise[i]) {
							t.Errorf("%s, I=%v, method %s, dt=%.4g ms: the rate is off by %.2g, but %.2g is promised",
								title, current, q.Name, dt, x, promise[i])
						}
					} else if off = "silent"; rate > 0 {
						t.Errorf("%s, I=%v, method %s, dt=%.4g ms: %v Hz, but the neuron is silent", title, current, q.Name, dt, rate)
					}
					cells = append(cells, strconv.FormatFloat(dt, 'g', 3, 64), off)
				}
				writeRow(b, cells...)
			}
		}
	}
	return b.String()
}

// percent writes a small number with one digit, none smaller than a thousandth.
func percent(x float64) string {
	if x < 1e-5 {
		return "< 0.001 %"
	}
	return strconv.FormatFloat(math.Round(100*x*1e3)/1e3, 'g', 2, 64) + " %"
}

// rateOf is the rate (Hz) from the second to the third second, and whether the intervals repeat themselves.
func rateOf(t *testing.T, m *model.Model, p []float64, current float64, method string, dt float64) (rate float64,
	regular bool,
) {
	t.Helper()
	r, err := sweep.Run(t.Context(), sweep.Spec{
		Model: m, Method: method, P: p, Dt: dt, Time: 3000, Discard: 1000, Full: true, NoError: true,
		Measures: []string{"rate_Hz", "period"},
		Grid:     sweep.Grid{Axes: []sweep.Axis{sweep.Values("I", m.CurrentUnit, current)}},
	}, sweep.Config{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	rate = r.Value("rate_Hz", 0)
	return rate, rate == 0 || r.Value("period", 0) > 0
}

// trial is a case of the truth: parameters, initial state, steps of current, and the times of the first spikes.
type trial struct {
	ID       string             `json:"id"`
	Params   map[string]float64 `json:"params"`
	Y0       []float64          `json:"y0"`
	Segments [][2]float64       `json:"segments"` // time (ms), current from then on
	End      float64            `json:"t_end"`
	spikes   []float64          // ms
}

const truth = "../kernels/testdata/traj/"

func trials(t *testing.T, m *model.Model) []trial {
	t.Helper()
	title := map[string]string{
		"lif": "LIF", "eif": "EIF", "adex": "AdEx", "hh": "HH", "rhh": "RHH",
		"hhtm": "HHTM",
	}[m.Name]
	text, err := os.ReadFile(truth + "cases_" + title + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var all []trial
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(truth + "spikes_" + title + ".csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		at := slices.IndexFunc(all, func(c trial) bool { return c.ID == row[0] })
		if time, err := strconv.ParseFloat(row[3], 64); err == nil && row[1] != "20mV" {
			all[at].spikes = append(all[at].spikes, time)
		}
	}
	// Of chaotic trains only the first spikes can be compared, of silent ones nothing.
	return slices.DeleteFunc(all, func(c trial) bool { return strings.HasSuffix(c.ID, "irregular") || len(c.spikes) == 0 })
}

// error is the largest error (ms) of the first ten spikes; infinite where one is missing.
func (c trial) error(k *kernels.Kernel, dt float64) float64 {
	set := kernels.Setting{P: kernels.Uniform(c.params(k.Model)), I: kernels.Values{0}, Gain: kernels.Values{1}}
	s := k.NewShard(0, 1, dt, set)
	s.Enter(0, 0, c.Y0)
	w, wave := kernels.NewWorker(), make([]float64, 1000)
	var events []kernels.Event
	var worst float64
	found, want := 0, c.spikes[:min(10, len(c.spikes))]
	steps := int64(math.Round(c.End / dt))
	for first := int64(0); first < steps && found < len(want); {
		n := min(int64(len(wave)), steps-first)
		for i := range wave[:n] {
			for _, seg := range c.Segments {
				if float64(first+int64(i))*dt >= seg[0]-1e-9 {
					wave[i] = seg[1]
				}
			}
		}
		events = s.Advance(w, first, int(n), kernels.Drive{Waveform: wave[:n]}, false, events[:0])
		for _, e := range events {
			if found < len(want) {
				worst = max(worst, math.Abs((float64(first+int64(e.Step))+e.Theta)*dt-want[found]))
				found++
			}
		}
		first += n
	}
	if found < len(want) {
		return math.Inf(1)
	}
	return worst
}

// params is the parameter vector of a case; the truth has other names for two of them.
func (c trial) params(m *model.Model) []float64 {
	p := m.Defaults()
	for name, x := range c.Params {
		switch name {
		case "gL":
			name = "g_L"
		case "nsum":
			name = "n_plus_h"
		}
		p[m.Index(name)] = x
	}
	return p
}

// errorsTable measures, for every method and some steps, the largest error of the first ten spikes: in the median case
// and in the worst.
func errorsTable(t *testing.T, name string) string {
	m := mustModel(t, name)
	dts := []float64{0.2, 0.1, 0.05, 0.025, 0.0125, 0.00625}
	head := []string{"method"}
	for _, dt := range dts {
		head = append(head, "dt "+number(dt))
	}
	b := rowsOf(head...)
	all := trials(t, m)
	for _, q := range m.Methods {
		k, err := kernels.For(m, q, kernels.Auto)
		if err != nil {
			t.Fatal(err)
		}
		row := []string{code(q.Name)}
		for _, dt := range dts {
			var errs []float64
			for _, c := range all {
				errs = append(errs, c.error(k, dt))
			}
			slices.Sort(errs)
			row = append(row, fmt.Sprintf("%s / %s", short(errs[len(errs)/2]), short(errs[len(errs)-1])))
		}
		writeRow(b, row...)
	}
	return b.String()
}

// short is an error in one digit or two.
func short(x float64) string {
	switch {
	case math.IsInf(x, 1):
		return "lost"
	case x < 1e-11:
		return "< 1e-11"
	}
	return strconv.FormatFloat(x, 'g', 2, 64)
}
