package kernels

import (
	"encoding/csv"
	"encoding/json"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"popsim/model"
)

// A truthCase is one of testdata/traj: parameters, initial state, current steps, and what an independent integrator of
// order 24 found; see testdata/README.md.
type truthCase struct {
	ID       string             `json:"id"`
	Model    string             `json:"model"`
	Params   map[string]float64 `json:"params"`
	Y0       []float64          `json:"y0"`
	Segments [][2]float64       `json:"segments"`
	End      float64            `json:"t_end"`

	spikes []float64             // ms
	states map[float64][]float64 // by time, ms
}

// of chaotic cases only the first spikes can be compared.
func (c truthCase) chaotic() bool { return strings.HasSuffix(c.ID, "irregular") }

func loadTruth(t testing.TB, m *model.Model) []truthCase {
	t.Helper()
	title := map[string]string{
		"lif": "LIF", "eif": "EIF", "adex": "AdEx", "hh": "HH", "rhh": "RHH", "hhtm": "HHTM",
	}[m.Name]
	text, err := os.ReadFile("testdata/traj/cases_" + title + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []truthCase
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	at := map[string]int{}
	for i := range cases {
		at[cases[i].ID] = i
		cases[i].states = map[float64][]float64{}
	}
	for _, row := range readRows(t, "testdata/traj/spikes_"+title+".csv") {
		if row[1] == "V_th" || row[1] == "0mV" {
			c := &cases[at[row[0]]]
			c.spikes = append(c.spikes, number(t, row[3]))
		}
	}
	for _, row := range readRows(t, "testdata/traj/states_"+title+".csv") {
		var y []float64
		for _, x := range row[2:] {
			if x != "" {
				y = append(y, number(t, x))
			}
		}
		cases[at[row[0]]].states[number(t, row[1])] = y
	}
	return cases
}

func readRows(t testing.TB, name string) [][]string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows[1:]
}

func number(t testing.TB, text string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// params is the parameter vector of a case; the truth files write gL for g_L.
func (c truthCase) params(t testing.TB, m *model.Model) []float64 {
	t.Helper()
	p := m.Defaults()
	for name, x := range c.Params {
		switch name {
		case "gL":
			name = "g_L"
		case "nsum":
			name = "n_plus_h"
		}
		j := m.Index(name)
		if j < 0 {
			t.Fatalf("%s: no parameter %s", c.ID, name)
		}
		p[j] = x
	}
	return p
}

// simulate runs a case and returns its spike times and its states at the times requested, all in ms.
func (c truthCase) simulate(
	t testing.TB,
	k *Kernel,
	dt float64,
	times []float64,
) (spikes []float64, states [][]float64) {
	t.Helper()
	set := Setting{I: Values{0}, Gain: Values{1}}
	for _, x := range c.params(t, k.Model) {
		set.P = append(set.P, Values{x})
	}
	s := k.NewShard(0, 1, dt, set)
	s.Enter(0, 0, c.Y0)
	w := NewWorker()
	steps := int64(math.Round(c.End / dt))
	var events []Event
	const most = 1000
	wave := make([]float64, most)
	for first := int64(0); first < steps; {
		n := min(most, steps-first)
		for len(times) > 0 && int64(math.Round(times[0]/dt)) == first {
			y := make([]float64, len(k.Model.States))
			s.State(0, first, y)
			states, times = append(states, y), times[1:]
		}
		if len(times) > 0 {
			n = min(n, int64(math.Round(times[0]/dt))-first)
		}
		for i := range wave[:n] {
			for _, seg := range c.Segments {
				if float64(first+int64(i))*dt >= seg[0]-1e-9 {
					wave[i] = seg[1]
				}
			}
		}
		events = s.Advance(w, first, int(n), Drive{Waveform: wave[:n]}, false, events[:0])
		for _, e := range events {
			if e.Lane == 0 {
				spikes = append(spikes, (float64(first+int64(e.Step))+e.Theta)*dt)
			}
		}
		first += n
	}
	return spikes, states
}

func mustFor(t testing.TB, m *model.Model, method string) *Kernel {
	t.Helper()
	q, err := m.Method(method)
	if err != nil {
		t.Fatal(err)
	}
	k, err := For(m, q, Go)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// bounds are the largest errors of the first ten spikes, and of the state at the times of the truth, at one dt.
type bounds struct {
	model, method string
	dt            float64 // ms
	spike         float64 // ms, worst over the cases
	median        float64 // ms, of the worst spike of each case
	order         float64 // of the median error, from dt to dt/2 and dt/4; 0 where the method is exact
}

// The errors are measured and rounded up: a user can expect them at that step.
var accuracy = []bounds{
	{"lif", "exact", 1, 1e-9, 1e-9, 0},
	{"lif", "exact", 0.1, 1e-9, 1e-9, 0},
	{"eif", "flow", 0.1, 3e-4, 7e-5, 2},
	{"eif", "rk4", 0.05, 1e-4, 4e-5, 2},
	{"eif", "euler", 0.0125, 0.6, 0.2, 1},
	{"adex", "flow", 0.1, 4e-4, 2e-4, 2},
	{"adex", "rk4", 0.05, 6e-3, 3e-4, 2},
	{"adex", "euler", 0.0125, 1.5, 0.6, 1},
	{"hh", "strang-cn", 0.025, 6e-3, 3e-3, 2},
	{"hh", "rk4", 0.05, 4e-4, 2e-4, 4},
	{"hh", "exp-euler", 0.0125, 1.5, 0.9, 1},
	{"hhtm", "strang-cn", 0.01, 6e-3, 3e-3, 2},
	{"hhtm", "rk4", 0.0125, 4e-5, 2e-5, 4},
	{"hhtm", "exp-euler", 0.0125, 1.5, 0.9, 1},
	{"rhh", "cut-rk4", 0.1, 5e-3, 3e-3, 0},
	{"rhh", "rk4", 0.00625, 4e-4, 2e-4, 4},
	{"rhh", "exp-euler", 0.0125, 3, 0.8, 1},
}

// orderTol is the largest amount by which a measured order may be below the stated one: leading terms of opposite sign
// bend the slope over three steps, but a lost order costs a whole one.
const orderTol = 0.35

func TestTruth(t *testing.T) {
	for _, want := range accuracy {
		t.Run(want.model+"/"+want.method, func(t *testing.T) {
			m, err := model.Lookup(want.model)
			if err != nil {
				t.Fatal(err)
			}
			k := mustFor(t, m, want.method)
			worst, median := spikeErrors(t, m, k, want.dt)
			if !(worst <= want.spike) || !(median <= want.median) {
				t.Errorf("dt %v ms: spikes are off by %.2g ms at worst and %.2g in the median case, want at most %v and %v",
					want.dt, worst, median, want.spike, want.median)
			}
			if want.order == 0 || testing.Short() {
				return
			}
			_, quarter := spikeErrors(t, m, k, want.dt/4)
			if slope := math.Log2(median/quarter) / 2; slope < want.order-orderTol {
				t.Errorf("from dt %v to %v ms the median error falls from %.2g to %.2g: order %.2f, want %v",
					want.dt, want.dt/4, median, quarter, slope, want.order)
			}
		})
	}
}

// spikeErrors is the largest error of the first ten spikes, over all cases and in the median case. A missing spike is
// an infinite error.
func spikeErrors(t *testing.T, m *model.Model, k *Kernel, dt float64) (worst, median float64) {
	t.Helper()
	var errs []float64
	for _, c := range loadTruth(t, m) {
		if c.chaotic() || len(c.spikes) == 0 {
			continue
		}
		got, _ := c.simulate(t, k, dt, nil)
		e := 0.0
		for i, want := range c.spikes[:min(10, len(c.spikes))] {
			if i >= len(got) {
				t.Logf("%s: spike %d at %v ms is missing", c.ID, i+1, want)
				e = math.Inf(1)
				break
			}
			e = max(e, math.Abs(got[i]-want))
		}
		errs = append(errs, e)
	}
	slices.Sort(errs)
	return errs[len(errs)-1], errs[len(errs)/2]
}

// States are compared where V changes slowly enough for the error in time not to dominate: |dV/dt| times the error of
// the spikes is added to the tolerance.
func TestStates(t *testing.T) {
	tolerance := map[string]float64{"lif": 1e-9, "eif": 2e-3, "adex": 2e-2, "hh": 1e-2, "rhh": 1e-2, "hhtm": 1e-2} // mV
	for _, m := range model.All {
		t.Run(m.Name, func(t *testing.T) {
			k := mustFor(t, m, "")
			for _, c := range loadTruth(t, m) {
				if c.chaotic() {
					continue
				}
				times := slices.Sorted(maps.Keys(c.states))
				_, states := c.simulate(t, k, 0.0125, times)
				p, dy := c.params(t, m), make([]float64, len(m.States))
				for i, y := range states {
					want := c.states[times[i]]
					current := 0.0
					for _, seg := range c.Segments {
						if times[i] > seg[0] {
							current = seg[1]
						}
					}
					m.Deriv(p, current, want, dy)
					for j := range y {
						tol := tolerance[m.Name] * (1 + math.Abs(dy[j]))
						if m != model.LIFModel {
							tol *= 1 + times[i]/20 // errors of successive spikes add up
						}
						if math.Abs(y[j]-want[j]) > tol {
							t.Errorf("%s at %v ms: %s is %.9g, want %.9g within %.2g", c.ID, times[i], m.States[j].Name, y[j], want[j], tol)
						}
					}
				}
			}
		})
	}
}
