package sweep

import (
	"context"
	"encoding/csv"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"popsim/model"
)

// readTruth reads a table of testdata by column; empty and wordy cells are NaN.
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

// fiTable is an f-I curve of testdata/fi: and the column of the rate of a neuron started at the resting state of I = 0.
type fiTable struct {
	file, model, preset string
	set                 map[string]float64
	rate, period        string
}

var fiTables = []fiTable{
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

// rateTol is the stated relative accuracy of the defaults; lifTol that of the exact method.
const (
	rateTol  = 1e-4
	lifTol   = 1e-10
	shiftTol = 1e-5 // of the range of currents of the table: the largest shift of a rate near a transition along its axis
)

// misfit is the difference between the rates of a table and the truth.
type misfit struct {
	rows   int
	worst  float64 // relative error, over all rows
	at     float64 // the current there
	beyond float64 // the same over rows that no shift of the current explains
	over   float64 // the largest error over its estimate
}

// fit runs a table with every row twice more at currents shifted by shiftTol.
func fit(t testing.TB, table fiTable) (f misfit) {
	t.Helper()
	m, p := mustModel(t, table.model, table.preset, table.set)
	truth := readTruth(t, "fi/"+table.file+".csv")
	n := len(truth["I"])
	shift := shiftTol * (truth["I"][n-1] - truth["I"][0])
	var currents []float64
	for _, d := range []float64{0, -shift, shift} {
		for _, i := range truth["I"] {
			currents = append(currents, i+d)
		}
	}
	s := Spec{Model: m, P: p, Time: 20000, Discard: 10000}
	s.Grid.Axes = []Axis{Values("I", "", currents...)}
	r := mustRun(t, s)
	for i := range n {
		want := truth[table.rate][i]
		if !(want > 2 && want < 1000) || table.period != "" && truth[table.period][i] != 1 {
			continue
		}
		f.rows++
		got, low, high := r.Value("rate_Hz", i), r.Value("rate_Hz", i+n), r.Value("rate_Hz", i+2*n)
		e := math.Abs(got/want - 1)
		f.over = max(f.over, math.Abs(got-want)/(r.Value("rate_error_Hz", i)+1e-11*want))
		if e > f.worst {
			f.worst, f.at = e, truth["I"][i]
		}
		if want < min(low, high) || want > max(low, high) {
			f.beyond = max(f.beyond, e)
		}
	}
	return f
}

// TestRatesAgreeWithTruth runs every table at the default method and step.
func TestRatesAgreeWithTruth(t *testing.T) {
	for _, table := range fiTables {
		t.Run(table.file, func(t *testing.T) {
			if testing.Short() && table.model != "lif" && table.model != "hh" {
				t.Skip("long")
			}
			tol := rateTol
			if table.model == "lif" {
				tol = lifTol
			}
			f := fit(t, table)
			if f.beyond > tol || f.rows < 13 {
				t.Errorf("of %d rows the worst is off by %.2g (%.2g where no shift of I explains it) at I=%v, want %v",
					f.rows, f.worst, f.beyond, f.at, tol)
			}
			if f.over > 5 {
				t.Errorf("an error is %.2g times its estimate", f.over)
			}
		})
	}
}

// TestMapsAgreeWithTruth compares periods, intervals and w after reset with the attractors of testdata/adexmap.
func TestMapsAgreeWithTruth(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	for _, c := range []struct {
		set, preset string
		current     float64
	}{
		{"default", "", 20}, {"TB08", "tb08", 800}, {"ND", "nd-bursting", 65}, {"Naud", "naud-reg-burst", 210},
	} {
		t.Run(c.set, func(t *testing.T) {
			m, p := mustModel(t, "adex", c.preset, nil)
			truth := readTruth(t, "adexmap/map_"+c.set+".csv")
			s := Spec{
				Model: m, P: p, I: c.current, Time: 40000, Discard: 30000, Measures: everything(m), Late: true,
				Resets: true, NoError: true,
			}
			s.Grid.Axes = []Axis{Values("V_reset", "mV", truth["V_reset"]...)}
			r := mustRun(t, s)
			for i, at := range truth["V_reset"] {
				want := truth["period_in_spikes"][i]
				if math.Abs(truth["lyapunov_per_spike"][i]) < 0.02 {
					continue // so close to a period doubling that not even the truth has converged
				}
				if got := r.Value("period", i); got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
					t.Errorf("V_reset=%v: period %v, want %v", at, got, want)
				}
				if math.IsNaN(want) {
					continue // chaos, or too long a period: extremes depend on the time simulated
				}
				for _, x := range []struct {
					what      string
					list      []float64
					low, high float64
				}{
					{"interval", r.Late(i), truth["ISI_min"][i], truth["ISI_max"][i]},
					{"w after reset", r.Resets(i), truth["w_min_after_reset"][i], truth["w_max_after_reset"][i]},
				} {
					if len(x.list) != int(want) {
						t.Errorf("V_reset=%v: %d of %s, want %v", at, len(x.list), x.what, want)
						continue
					}
					low, high := x.list[0], x.list[len(x.list)-1]
					if e := max(math.Abs(low/x.low-1), math.Abs(high/x.high-1)); e > rateTol {
						t.Errorf("V_reset=%v: %s from %.10g to %.10g, want %.10g to %.10g", at, x.what, low, high, x.low, x.high)
					}
				}
			}
		})
	}
}

// mustAxes reads axes written as on the command line.
func mustAxes(t testing.TB, m *model.Model, texts ...string) (axes []Axis) {
	t.Helper()
	for _, text := range texts {
		name, values, _ := strings.Cut(text, "=")
		_, unit, err := targetOf(m, name)
		if err != nil {
			t.Fatal(err)
		}
		a, err := readAxis(name, values, unit)
		if err != nil {
			t.Fatal(err)
		}
		axes = append(axes, a)
	}
	return axes
}
