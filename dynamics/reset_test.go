package dynamics

import (
	"context"
	"errors"
	"math"
	"slices"
	"strconv"
	"testing"
)

// Tolerances against the stored attractors: periodic ones have 13 digits, their exponents 4 decimals; of irregular ones
// only the exponent's size is known, from 400 spikes.
const (
	attractorTol = 1e-9
	exponentTol  = 2e-4
	chaosTol     = 0.15
)

func TestResetMapMatchesStoredAttractors(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"default", "ND", "Naud", "TB08"} {
		t.Run(name, func(t *testing.T) {
			var meta struct {
				Params map[string]float64
				I      float64
			}
			mustJSON(t, "adexmap/meta_"+name+".json", &meta)
			m, p := mustModel(t, "adex", meta.Params)
			worst := 0.0
			for k, r := range mustTable(t, "adexmap/map_"+name+".csv") {
				if testing.Short() && k%5 != 0 {
					continue
				}
				v := r.num(t, "V_reset")
				period, err := strconv.Atoi(r["period_in_spikes"])
				drop, keep := 1000, 400
				if err != nil {
					if math.Abs(r.num(t, "lyapunov_per_spike")) < 0.01 {
						continue // about to settle
					}
					if k%3 != 0 || testing.Short() {
						continue // irregular ones take all 1400 spikes
					}
					period = 0
				}
				p[m.Index("V_reset")] = v
				reset, err := NewResetMap(m, p, meta.I)
				if err != nil {
					t.Fatal(err)
				}
				a, err := reset.Attractor(context.Background(), p[m.Index("a")]*(v-p[m.Index("V_rest")]), drop, keep)
				if err != nil {
					t.Fatal(err)
				}
				if a.Period != period {
					t.Errorf("V_reset = %v: period %d, want %s", v, a.Period, r["period_in_spikes"])
					continue
				}
				exponent := r.num(t, "lyapunov_per_spike")
				if period == 0 {
					if math.Abs(a.Lyapunov-exponent) > chaosTol {
						t.Errorf("V_reset = %v: exponent %.4f, want %v", v, a.Lyapunov, exponent)
					}
					continue
				}
				for _, q := range []struct {
					column string
					got    float64
				}{
					{"w_min_after_reset", slices.Min(a.W)},
					{"w_max_after_reset", slices.Max(a.W)},
					{"ISI_min", slices.Min(a.Intervals)},
					{"ISI_max", slices.Max(a.Intervals)},
					{"mean_rate_Hz", a.Rate},
				} {
					off := math.Abs(q.got-r.num(t, q.column)) / (1 + math.Abs(q.got))
					if worst = max(worst, off); off > attractorTol {
						t.Errorf("V_reset = %v: %s = %.13g, want %s", v, q.column, q.got, r[q.column])
					}
				}
				if math.Abs(a.Lyapunov-exponent) > exponentTol {
					t.Errorf("V_reset = %v: exponent %.5f, want %v", v, a.Lyapunov, exponent)
				}
			}
			t.Logf("largest deviation of periodic rows: %.1e", worst)
		})
	}
}

// While V is held w relaxes towards a (V_reset - V_rest), from where a reset took it to where the map begins.
func TestResetIsBeforeRefractoriness(t *testing.T) {
	m, p := mustModel(t, "adex", map[string]float64{"b": 5, "t_ref": 5})
	at := func(name string) float64 { return p[m.Index(name)] }
	r, err := NewResetMap(m, p, 20)
	if err != nil {
		t.Fatal(err)
	}
	a, err := r.Attractor(t.Context(), 0, 100, 100)
	if err != nil || a.Period != 1 {
		t.Fatalf("%+v, %v; want one spike per period", a, err)
	}
	s, err := Spikes(m, p, []Segment{{0, 20}}, []float64{at("V_reset"), a.W[0]}, 1.5*a.Intervals[0])
	if err != nil || len(s) == 0 {
		t.Fatal(s, err)
	}
	if want := s[0].State[1] + at("b"); math.Abs(a.Resets[0]-want) > 1e-9 {
		t.Errorf("w = %v right after the reset, want %v", a.Resets[0], want)
	}
	held := at("a") * (at("V_reset") - at("V_rest"))
	if want := held + (a.Resets[0]-held)*math.Exp(-at("t_ref")/at("tau_w")); math.Abs(a.W[0]-want) > 1e-9 {
		t.Errorf("w = %v at the end of the refractory period, want %v", a.W[0], want)
	}
}

// The w of the first reset is that from which the orbit was started, also where nothing of it is left at the end of
// the refractory period.
func TestFirstResetIsKnown(t *testing.T) {
	m, p := mustModel(t, "adex", map[string]float64{"t_ref": 20, "tau_w": 0.02})
	at := func(name string) float64 { return p[m.Index(name)] }
	held := at("a") * (at("V_reset") - at("V_rest"))
	r, err := NewResetMap(m, p, 20)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []float64{held, 7} {
		a, err := r.Attractor(t.Context(), w, 0, 1)
		if err != nil || len(a.Resets) != 1 || a.Resets[0] != w || a.W[0] != held {
			t.Errorf("%+v, %v; want one spike, w = %v after the first reset and %v after the refractory period", a, err, w,
				held)
		}
	}
}

// Integrations to the next spike that would not end are stopped: an upstroke in which w stops V within rounding, and
// time constants of days.
func TestWaysWithoutEndAreGivenUp(t *testing.T) {
	for _, set := range []map[string]float64{{"R": 1e9}, {"tau_w": 1e9}} {
		if testing.Short() && set["tau_w"] > 0 {
			continue // two million steps
		}
		m, p := mustModel(t, "adex", set)
		if f, err := FiringAt(t.Context(), m, p, 5, "I", 5, 200, 200); !errors.Is(err, errTooFast) {
			t.Errorf("%v: %+v, %v; want %v", set, f, err, errTooFast)
		}
	}
}

func TestFixedPointOfResetMapIsRegularFiring(t *testing.T) {
	m, p := mustModel(t, "adex", nil)
	r, err := NewResetMap(m, p, 20)
	if err != nil {
		t.Fatal(err)
	}
	points := r.FixedPoints(0, 20, 10)
	if len(points) != 1 || !points[0].Stable || math.Abs(points[0].W-8.882935540164) > 1e-9 {
		t.Fatalf("%+v, want one stable fixed point at 8.882935540164", points)
	}
	const h = 1e-4
	up, _ := r.Next(points[0].W + h)
	down, _ := r.Next(points[0].W - h)
	if slope := (up.W - down.W) / (2 * h); math.Abs(slope-points[0].Slope) > 1e-7 {
		t.Errorf("slope %v, want the difference quotient %v", points[0].Slope, slope)
	}
	eif, q := mustModel(t, "eif", nil)
	if _, err := NewResetMap(eif, q, 5); err == nil {
		t.Error("eif has no reset map")
	}
}
