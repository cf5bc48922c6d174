package sweep

import (
	"context"
	"encoding/csv"
	"math"
	"os"
	"strconv"
	"testing"

	"popsim/model"
)

// rows reads a table of testdata by column; empty and wordy cells are NaN.
func readTruth(t testing.TB, name string) map[string][]float64 {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	table := map[string][]float64{}
	for _, row := range rows[1:] {
		for j, cell := range row {
			x, err := strconv.ParseFloat(cell, 64)
			if err != nil {
				x = math.NaN()
			}
			table[rows[0][j]] = append(table[rows[0][j]], x)
		}
	}
	return table
}

// fiTables are the f-I curves of testdata/fi: which column holds the rate of a neuron started at the rest of I = 0.
var fiTables = []struct {
	file, model, preset string
	set                 map[string]float64
	rate, period        string
}{
	{"fi_lif_default", "lif", "", nil, "f_Hz", ""},
	{"fi_lif_slide", "lif", "slide", nil, "f_Hz", ""},
	{"fi_eif_default", "eif", "", nil, "f_Hz", ""},
	{"fi_adex_default", "adex", "", nil, "f_steady_Hz", "ISI_period"},
	{"fi_ND_adapting", "adex", "nd-adapting", nil, "f_steady_Hz", "ISI_period"},
	{"fi_BG05_rs", "adex", "bg05", nil, "f_steady_Hz", "ISI_period"},
	{"fi_HH_gL0.3", "hh", "", nil, "f_end_step_from_rest_Hz", ""},
	{"fi_HH_gL0.03", "hh", "", map[string]float64{"g_L": 0.03}, "f_end_step_from_rest_Hz", ""},
	{"fi_RHH_gL0.3", "rhh", "", nil, "f_end_step_from_rest_Hz", ""},
	{"fi_RHH_gL0.03", "rhh", "", map[string]float64{"g_L": 0.03}, "f_end_step_from_rest_Hz", ""},
}

func mustModel(t testing.TB, name, preset string, set map[string]float64) (*model.Model, []float64) {
	t.Helper()
	m, err := model.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.Preset(preset)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range set {
		s.Params[m.Index(k)] = v
	}
	return m, s.Params
}

func mustRun(t testing.TB, s Spec) *Result {
	t.Helper()
	r, err := Run(context.Background(), s, Config{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestExplore(t *testing.T) {
	full := os.Getenv("EXPLORE_FULL") != ""
	for _, table := range fiTables {
		m, p := mustModel(t, table.model, table.preset, table.set)
		truth := readTruth(t, "fi/"+table.file+".csv")
		dts := map[string][]float64{"lif": {0.1, 1}, "eif": {0.1, 0.05, 0.025}, "adex": {0.2, 0.1, 0.05, 0.025}, "hh": {0.05, 0.025, 0.02, 0.01}, "rhh": {0.1, 0.05, 0.025}}[table.model]
		for _, dt := range dts {
			s := Spec{Model: m, P: p, Dt: dt, Time: 20000, Discard: 10000, Full: full, NoError: full}
			s.Measures = append(append([]string{}, contract...), "ended")
			s.Grid.Axes = []Axis{Values("I", "", truth["I"]...)}
			r := mustRun(t, s)
			worst, at, low, settled, cv := 0.0, 0, 0, 0, 0.0
			worstErr := 0.0
			for i := range truth["I"] {
				want := truth[table.rate][i]
				if !(want > 2 && want < 1000) || table.period != "" && truth[table.period][i] != 1 {
					continue
				}
				got := r.Value("rate_Hz", i)
				e := math.Abs(got/want - 1)
				if r.Value("ended", i) == endSettled {
					settled++
				}
				low++
				cv = max(cv, r.Value("isi_cv", i))
				if ratio := math.Abs(got-want) / (r.Value("rate_error_Hz", i) + 1e-12*want); ratio > worstErr {
					worstErr = ratio
				}
				if e > worst {
					worst, at = e, i
				}
			}
			t.Logf("%-16s dt %-6v worst %.3g at I=%v (%v Hz, got %v, est %v) err/est %.3g rows %d settled %d  cv %.2g  %v %.3g Msteps %.3g ns", table.file, dt, worst, truth["I"][at], truth[table.rate][at], r.Value("rate_Hz", at), r.Value("rate_error_Hz", at), worstErr, low, settled, cv, r.Elapsed, float64(r.LaneSteps)/1e6, 2*float64(r.Elapsed)/float64(r.LaneSteps))
		}
	}
}
