package dynamics

import (
	"context"
	"math"
	"slices"
	"testing"
)

// Tolerances of the reference integrator against the stored runs, which have 15 digits.
const (
	spikeTol = 1e-8 // ms
	stateTol = 1e-7 // mV, pA or 1; states on an upstroke move by up to 500 mV/ms
)

type trajectory struct {
	ID       string
	Model    string
	Params   map[string]float64
	Y0       []float64
	Segments [][2]float64
	TEnd     float64 `json:"t_end"`
}

func TestReferenceMatchesStoredRuns(t *testing.T) {
	for _, name := range []string{"LIF", "EIF", "AdEx", "HH", "RHH"} {
		t.Run(name, func(t *testing.T) {
			var cases []trajectory
			mustJSON(t, "traj/cases_"+name+".json", &cases)
			spikes, states := mustTable(t, "traj/spikes_"+name+".csv"), mustTable(t, "traj/states_"+name+".csv")
			worstSpike, worstState := 0.0, 0.0
			for _, c := range cases {
				for _, level := range []string{"V_th", "0mV", "20mV"} {
					if (level == "V_th") == (name == "HH" || name == "RHH") {
						continue
					}
					m, p := mustModel(t, name, c.Params)
					if level == "20mV" {
						p[m.Index("V_th")] = 20
					}
					var input []Segment
					for _, s := range c.Segments {
						input = append(input, Segment{s[0], s[1]})
					}
					var at []float64
					var want []row
					for _, r := range states {
						if r["case"] == c.ID {
							at = append(at, r.num(t, "t_ms"))
							want = append(want, r)
						}
					}
					got, err := Simulate(m, p, input, c.Y0, c.TEnd, at)
					if err != nil {
						t.Fatalf("%s: %v", c.ID, err)
					}
					k := 0
					for _, r := range spikes {
						if r["case"] != c.ID || r["threshold"] != level {
							continue
						}
						if k >= len(got.Spikes) {
							t.Errorf("%s %s: %d spikes, want more", c.ID, level, len(got.Spikes))
							break
						}
						s := got.Spikes[k]
						d := math.Abs(s.Time - r.num(t, "t_ms"))
						worstSpike = max(worstSpike, d)
						if d > spikeTol {
							t.Errorf("%s %s spike %d: %.12f ms, want %s (off by %.1e)", c.ID, level, k+1, s.Time,
								r["t_ms"], d)
						}
						if r["w_before_reset"] != "" {
							if d := math.Abs(s.State[1] - r.num(t, "w_before_reset")); d > stateTol {
								t.Errorf("%s spike %d: w = %.12g before the reset, want %s", c.ID, k+1, s.State[1],
									r["w_before_reset"])
							}
						}
						k++
					}
					if k < 20 && k != len(got.Spikes) {
						t.Errorf("%s %s: %d spikes, want %d", c.ID, level, len(got.Spikes), k)
					}
					for j, r := range want {
						for x, column := range []string{"V", "x1", "x2", "x3"}[:len(c.Y0)] {
							d := math.Abs(got.States[j][x] - r.num(t, column))
							worstState = max(worstState, d)
							if d > stateTol {
								t.Errorf("%s at %v ms: %s = %.12g, want %s", c.ID, at[j], column, got.States[j][x],
									r[column])
							}
						}
					}
				}
			}
			t.Logf("largest deviation: spikes %.1e ms, states %.1e", worstSpike, worstState)
		})
	}
}

// Just below and above the stored currents at which a step from the resting state begins to give a spike.
func TestThresholdOfTheFirstSpike(t *testing.T) {
	for _, c := range []struct {
		model, file string
		vTh         float64
		key         string
	}{
		{"hh", "fi/thresholds_HH_gL0.3.json", 0, "first_spike_rest_thr0"},
		{"hh", "fi/thresholds_HH_gL0.3.json", 20, "first_spike_rest_thr20"},
		{"rhh", "fi/thresholds_RHH_gL0.3.json", 0, "first_spike_rest_thr0"},
	} {
		var stored map[string]any
		mustJSON(t, c.file, &stored)
		var threshold number
		if err := threshold.UnmarshalJSON([]byte(stored[c.key].(string))); err != nil {
			t.Fatal(err)
		}
		m, p := mustModel(t, c.model, map[string]float64{"V_th": c.vTh})
		rest := FixedPoints(m, p, 0)[0].State
		for _, step := range []float64{-1e-9, 1e-9} {
			spikes, err := Spikes(m, p, []Segment{{0, float64(threshold) + step}}, rest, 300)
			if err != nil {
				t.Fatal(err)
			}
			if (len(spikes) > 0) != (step > 0) {
				t.Errorf("%s, V_th = %v: %d spikes at %v%+.0e", c.model, c.vTh, len(spikes), threshold, step)
			}
		}
	}
}

func TestCurrentBeforeTheFirstSegmentIsZero(t *testing.T) {
	m, p := mustModel(t, "lif", nil)
	spikes, err := Spikes(m, p, []Segment{{10, 25}}, []float64{0}, 30)
	if want := 10 + 10*math.Log(5); err != nil || len(spikes) != 1 || math.Abs(spikes[0].Time-want) > 1e-12 {
		t.Errorf("%v %v, want one spike at %v", spikes, err, want)
	}
}

// TestStopWithinUpstroke tests trains that end at their last spike: a run that ends an instant before one, by rounding,
// ends where V moves by mV in less than time is rounded to.
func TestStopWithinUpstroke(t *testing.T) {
	m, p := mustModel(t, "adex", map[string]float64{
		"V_rest": -70.4521, "V_reset": -57.469, "V_th": -38.6496, "V_T": -58.6496, "delta_T": 0.457984, "R": 0.0734885,
		"tau": 6.85618,
		"a":   10.6195, "b": 295.9,
	})
	for _, tauW := range []float64{103.974523, 104.0746915, 104.17486, 104.2750285, 104.375197} {
		if f, err := FiringAt(context.Background(), m, p, 453.82, "tau_w", tauW, 1000, 1000); err != nil ||
			f.Period != 1 {
			t.Errorf("tau_w = %v: period %d, %v; want 1", tauW, f.Period, err)
		}
	}
}

// The upstroke over exp(-(V-V_T)/(4 delta_T)) is that over V: the same time, the same w, the same integral of the
// divergence.
func TestUpstrokeIsThatOverV(t *testing.T) {
	const tol = 1e-11
	for _, c := range []struct {
		model string
		set   map[string]float64
	}{
		{"eif", nil},
		{"adex", nil},
		{"adex", map[string]float64{"V_th": 20, "delta_T": 0.5, "a": -4, "tau": 30}},
		{"adex", map[string]float64{"V_th": 100, "delta_T": 1, "tau_w": 2, "a": 20, "R": 0.1}},
	} {
		m, p := mustModel(t, c.model, c.set)
		d := len(m.States)
		start := make([]float64, d+1)
		r := newRunner(m, p, start)
		r.y[0], r.i = r.vClimb, 30/p[m.Index("R")]
		if d > 1 {
			r.y[1] = 5
		}
		over := slices.Clone(r.y)
		over[0] = 0
		full, slope := slices.Clone(r.y), make([]float64, d+1)
		err := newStepper(d+1, reference, func(v float64, y, dy []float64) {
			copy(full, y)
			full[0] = v
			r.field(0, full, slope)
			dy[0] = 1 / slope[0]
			for c := 1; c <= d; c++ {
				dy[c] = slope[c] / slope[0]
			}
		}).to(r.vClimb, over, r.vTh)
		if ok, errTop := r.top(1e3); err != nil || !ok || len(r.spikes) != 1 {
			t.Fatalf("%s %v: no upstroke: %v, %v", c.model, c.set, err, errTop)
		}
		over = append(over, over[0]) // the time
		over[0] = r.vTh
		for k, x := range append(slices.Clone(r.spikes[0].State), r.spikes[0].Time) {
			if math.Abs(x-over[k]) > tol*(1+math.Abs(x)) {
				t.Errorf("%s %v: value %d is %.15g, over V %.15g", c.model, c.set, k, x, over[k])
			}
		}
	}
}
