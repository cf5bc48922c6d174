package sweep

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"popsim/model"
)

// everything selects all measures of a model.
func everything(m *model.Model) []string {
	return slices.DeleteFunc(MeasureNames(), func(name string) bool {
		return m.StateIndex("w") < 0 &&
			strings.HasPrefix(name, "w_")
	})
}

// agree runs a spec in full and with retirement, and compares the results; spikes may differ by those within rounding
// of the end.
func agree(t *testing.T, s Spec) (retired int) {
	t.Helper()
	s.Measures = everything(s.Model)
	short := mustRun(t, s)
	s.Full = true
	full := mustRun(t, s)
	for i := range full.Rows() {
		v := func(name string) (a, b float64) { return short.Value(name, i), full.Value(name, i) }
		if short.Word("ended", i) != "time" {
			retired++
		}
		rate, want := v("rate_Hz")
		within, too := v("rate_error_Hz") // each is an error against the truth
		if d := math.Abs(rate - want); d > within+too+1e-9*want {
			t.Errorf("row %d (%s): rate %.12g, in full %.12g, beyond the stated errors %.2g and %.2g", i,
				short.Word("ended", i), rate, want, within, too)
		}
		n, m := v("spikes")
		if math.Abs(n-m) > 1 {
			t.Errorf("row %d (%s): %v spikes, in full %v", i, short.Word("ended", i), n, m)
		}
		for name, tol := range map[string]float64{
			"latency_ms": 0, "isi_first_ms": 0, "isi_cv": 1e-4, "V_min_mV": 0.02,
			"V_max_mV": peakTol,
		} {
			if name == "isi_cv" && n != m { // a burst cut off elsewhere
				continue
			}
			if a, b := v(name); math.Abs(a-b) > tol || math.IsNaN(a) != math.IsNaN(b) {
				t.Errorf("row %d (%s): %s %v, in full %v", i, short.Word("ended", i), name, a, b)
			}
		}
		for _, name := range []string{"status", "pattern"} {
			if a, b := short.Word(name, i), full.Word(name, i); a != b {
				t.Errorf("row %d (%s): %s %s, in full %s", i, short.Word("ended", i), name, a, b)
			}
		}
	}
	return retired
}

// peakTol (mV) allows for extremes being those at steps: the peak of rhh bends by 320 mV/ms², and lies within half a
// step of 0.1 ms.
const peakTol = 0.45

func TestRetiredLanesTellWhatTheFullRunTells(t *testing.T) {
	for _, c := range []struct {
		model, preset, x, y string
		least               int // lanes that should be decided early
	}{
		{"lif", "", "I=0:60/13", "tau=5,10,20", 36},
		{"eif", "", "I=0:60/13", "V_reset=-70,-62", 24},
		{"adex", "", "I=0:100/11", "b=0,5,20", 25},
		{"adex", "tb08", "V_reset=-51:-46:0.5", "b=40,80", 10},
		{"hh", "", "I=0:120/13", "g_L=0.3,0.03", 13},
		{"rhh", "", "I=-2:14:2", "V0=-65,-20", 10},
	} {
		t.Run(c.model+c.preset, func(t *testing.T) {
			m, p := mustModel(t, c.model, c.preset, nil)
			s := Spec{Model: m, P: p, I: 800, Time: 2000, Discard: 300}
			if testing.Short() {
				s.Time, s.NoError = 1000, true
			}
			s.Grid.Axes = mustAxes(t, m, c.x, c.y)
			got := agree(t, s)
			if t.Logf("%d of %d lanes were decided early", got, int(s.Grid.Points())); got < c.least && !testing.Short() {
				t.Errorf("%d lanes were decided early, want %d", got, c.least)
			}
		})
	}
}

// TestRandomLanesAgreeWithFullRuns draws parameters about those of every preset, and currents up to twice its
// own.
func TestRandomLanesAgreeWithFullRuns(t *testing.T) {
	if os.Getenv("POPSIM_LONG") == "" {
		t.Skip("takes minutes; POPSIM_LONG=1 runs it, with another POPSIM_SEED on other draws")
	}
	seed, _ := strconv.ParseUint(os.Getenv("POPSIM_SEED"), 10, 64)
	for _, m := range model.All {
		for _, preset := range append(m.Presets(), model.Preset{Params: m.Defaults(), I: math.NaN()}) {
			t.Run(m.Name+":"+preset.Name, func(t *testing.T) {
				const n = 128
				name := fnv.New64()
				name.Write([]byte(t.Name()))
				random := rand.New(rand.NewPCG(seed, name.Sum64()))
				top := 2 * preset.I
				if !(top > 0) {
					top = m.Typical.Largest
				}
				s := Spec{Model: m, P: preset.Params, Time: 2000, Discard: 300, Grid: Grid{Zip: true}}
				draws := make([][]float64, len(m.Params)+1)
				for i := 0; i < n; {
					p := slices.Clone(preset.Params)
					for j := range p {
						p[j] *= 1 + 0.1*random.Float64() - 0.05
					}
					if m.Check(p) != nil {
						continue
					}
					if most, _ := m.StepLimits(m.Methods[0], p); most < m.Methods[0].Dt {
						continue
					}
					for j, x := range append(p, top*random.Float64()) {
						draws[j] = append(draws[j], x)
					}
					i++
				}
				for j, q := range m.Params {
					s.Grid.Axes = append(s.Grid.Axes, Values(q.Name, q.Unit, draws[j]...))
				}
				s.Grid.Axes = append(s.Grid.Axes, Values("I", m.CurrentUnit, draws[len(m.Params)]...))
				t.Logf("%d of %d lanes were decided early", agree(t, s), n)
			})
		}
	}
}

// TestGhostIsNoTrain: just below the saddle-node of cycles trains of many seconds end after all. No lane may be taken
// for settled there; this scans the transition so finely that ghosts of all lengths up to the run are met.
func TestGhostIsNoTrain(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	m, p := mustModel(t, "hh", "", nil)
	s := Spec{Model: m, P: p, Time: 3000, NoError: true}
	// ghosts of 40 spikes to more than the run holds, then trains
	s.Grid.Axes = mustAxes(t, m, "I=6.25994:6.26032:0.000006")
	s.Measures = everything(s.Model)
	short := mustRun(t, s)
	s.Full = true
	full := mustRun(t, s)
	stopped := 0
	for i := range full.Rows() {
		if full.Word("status", i) == "stopped" {
			stopped++
		}
		if n, want := short.Value("spikes", i), full.Value("spikes", i); math.Abs(n-want) > 1 {
			t.Errorf("I=%v: %v spikes (%s), in full %v", s.Grid.At(i, 0), n, short.Word("ended", i), want)
		}
	}
	if stopped < 10 || stopped > full.Rows()-10 {
		t.Errorf("%d ghosts of %d: the border is not where it is looked for", stopped, full.Rows())
	}
}

// TestPeriodOfATrainThatFades: an alternation on its way out is no period of two, one that stays is.
func TestPeriodOfATrainThatFades(t *testing.T) {
	train := func(behaviour func(i float64) float64) []float64 {
		x := make([]float64, 60)
		for i := range x {
			x[i] = 20 + behaviour(float64(i))
		}
		return x
	}
	sign := func(i float64) float64 { return 1 - 2*math.Mod(i, 2) }
	for name, c := range map[string]struct {
		x    []float64
		want int
	}{
		"regular":            {train(func(float64) float64 { return 0 }), 1},
		"doublets":           {train(func(i float64) float64 { return 0.5 * sign(i) }), 2},
		"fades":              {train(func(i float64) float64 { return 0.01 * sign(i) * math.Pow(0.97, i) }), 1},
		"fades from afar":    {train(func(i float64) float64 { return sign(i) * math.Pow(0.9, i) }), 1},
		"fades to a doublet": {train(func(i float64) float64 { return sign(i) * (0.5 + 0.01*math.Pow(0.97, i)) }), 2},
		"four fade to two": {train(func(i float64) float64 {
			return sign(i) +
				0.01*sign(math.Floor(i/2))*math.Pow(0.97, i)
		}), 2},
		"irregular": {train(func(i float64) float64 { return 5 * math.Sin(i*i) }), 0},
	} {
		if got := lastPeriod(c.x); got != c.want {
			t.Errorf("%s: period %d, want %d", name, got, c.want)
		}
	}
}
