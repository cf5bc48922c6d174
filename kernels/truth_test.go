package kernels

import (
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
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

// chaotic cases tell nothing beyond their first spikes.
func (c truthCase) chaotic() bool { return strings.HasSuffix(c.ID, "irregular") }

func loadTruth(t testing.TB, m *model.Model) []truthCase {
	t.Helper()
	title := map[string]string{"lif": "LIF", "eif": "EIF", "adex": "AdEx", "hh": "HH", "rhh": "RHH"}[m.Name]
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

// simulate runs a case and gives its spike times and its states at the times asked for, all in ms.
func (c truthCase) simulate(t testing.TB, k *Kernel, dt float64, times []float64) (spikes []float64, states [][]float64) {
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
		events = s.Advance(w, first, int(n), Drive{Wave: wave[:n]}, false, events[:0])
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
