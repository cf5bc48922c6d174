package dynamics

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

const nullclineTol = 1e-10

func TestNullclinesMatchStoredOnes(t *testing.T) {
	for _, c := range []struct {
		file string
		gL   float64
	}{{"bif/nullclines_RHH_gL0.3.csv", 0.3}, {"bif/nullclines_RHH_gL0.03.csv", 0.03}} {
		t.Run(c.file, func(t *testing.T) {
			m, p := mustModel(t, "rhh", map[string]float64{"g_L": c.gL})
			planes := map[float64]*Plane{}
			for _, r := range mustTable(t, c.file) {
				i, v := r.num(t, "I"), r.num(t, "V")
				if planes[i] == nil {
					if testing.Short() && len(planes) == 2 {
						break
					}
					q, err := PhasePlane(context.Background(), m, p, i, PlaneOptions{VLo: -90, VHi: 60})
					if err != nil {
						t.Fatal(err)
					}
					planes[i] = q
				}
				at := func(name string) (list []float64) {
					for _, piece := range planes[i].Nullclines[name] {
						for _, q := range piece {
							if q[0] == v {
								list = append(list, q[1])
							}
						}
					}
					return list
				}
				if h := at("h"); len(h) != 1 || math.Abs(h[0]-r.num(t, "h_nullcline")) > nullclineTol {
					t.Errorf("I = %v, V = %v: h-nullcline at %v, want %s", i, v, h, r["h_nullcline"])
				}
				got := at("V")
				for _, column := range []string{"h_V_1", "h_V_2", "h_V_3", "h_V_4"} {
					if r[column] == "" {
						continue
					}
					nearest := math.Inf(1)
					for _, h := range got {
						nearest = min(nearest, math.Abs(h-r.num(t, column)))
					}
					if nearest > nullclineTol {
						t.Errorf("I = %v, V = %v: V-nullcline at %v, want %s", i, v, got, r[column])
					}
				}
				if n := int(r.num(t, "n_roots_V_nullcline_in_-0.2..1.2")); n != len(got) {
					t.Errorf("I = %v, V = %v: %d points of the V-nullcline %v, want %d", i, v, len(got), got, n)
				}
			}
		})
	}
}

func TestNullclinesAreUnbroken(t *testing.T) {
	for _, name := range []string{"rhh", "adex", "hh"} {
		m, p := mustModel(t, name, nil)
		q, err := PhasePlane(context.Background(), m, p, 5, PlaneOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for which, pieces := range q.Nullclines {
			if len(pieces) == 0 {
				t.Errorf("%s: no %s-nullcline", name, which)
			}
			for _, piece := range pieces {
				for k := 1; k < len(piece); k++ {
					if dv, dy := math.Abs(piece[k][0]-piece[k-1][0]), math.Abs(piece[k][1]-piece[k-1][1]); dv > 1 ||
						dy > 0.1*(q.Window[3]-q.Window[2]) {
						t.Errorf("%s: the %s-nullcline jumps from %v to %v", name, which, piece[k-1], piece[k])
					}
				}
			}
		}
	}
}

func TestPhasePlanes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		model              string
		i                  float64
		equilibria, cycles int
		separatrices       int
		start              []float64
		wantSpikes         bool
		secondVariable     string
	}{
		{"rhh", 5, 1, 2, 0, []float64{-65, 0.3}, false, "h"},
		{"rhh", -10, 1, 0, 0, []float64{-65, 0.5}, false, "h"},
		{"adex", 7.4, 2, 1, 4, []float64{-50, 0}, true, "w"},
		{"adex", 12, 0, 0, 0, []float64{-65, 0}, true, "w"},
		{"eif", 1, 2, 0, 0, []float64{-65}, false, "dV/dt"},
		{"lif", 25, 0, 0, 0, []float64{0}, true, "dV/dt"},
		{"hh", 10, 1, 1, 0, []float64{-65, 0.05, 0.6, 0.32}, true, "n"},
	} {
		m, p := mustModel(t, c.model, nil)
		q, err := PhasePlane(context.Background(), m, p, c.i, PlaneOptions{Starts: [][]float64{c.start}})
		if err != nil {
			t.Errorf("%s: %v", c.model, err)
			continue
		}
		if len(q.FixedPoints) != c.equilibria || len(q.Cycles) != c.cycles || len(q.Separatrices) != c.separatrices ||
			q.Y != c.secondVariable {
			t.Errorf("%s at I = %v: %d fixed points, %d cycles, %d separatrices, second variable %s; want %+v",
				c.model, c.i, len(q.FixedPoints), len(q.Cycles), len(q.Separatrices), q.Y, c)
		}
		if len(q.Trajectories) != 1 || c.wantSpikes && len(q.Trajectories[0].Spikes) == 0 {
			t.Errorf("%s at I = %v: trajectories %d", c.model, c.i, len(q.Trajectories))
		}
		if _, err := json.Marshal(q); err != nil {
			t.Errorf("%s: %v", c.model, err)
		}
	}
}

// The stable manifold of the saddle parts what fires from what does not: near the saddle, of two neurons beside it one
// does so.
func TestSeparatricesPartTheBasins(t *testing.T) {
	m, p := mustModel(t, "adex", nil)
	q, err := PhasePlane(context.Background(), m, p, 7, PlaneOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range q.Separatrices {
		if !s.Stable {
			continue
		}
		saddle := s.Points[0]
		far := slices.IndexFunc(s.Points, func(q [2]float64) bool {
			return math.Hypot(q[0]-saddle[0],
				q[1]-saddle[1]) > 2
		})
		if far < 0 {
			t.Errorf("a separatrix ends at V = %.5g mV, w = %.5g pA, close to its saddle", s.Points[len(s.Points)-1][0],
				s.Points[len(s.Points)-1][1])
			continue
		}
		fired := 0
		for _, side := range []float64{-0.1, 0.1} { // mV
			spikes, err := Spikes(m, p, []Segment{{0, 7}}, []float64{s.Points[far][0] + side, s.Points[far][1]}, 200)
			if err != nil {
				t.Fatal(err)
			}
			if len(spikes) > 0 {
				fired++
			}
		}
		if fired != 1 {
			t.Errorf("beside V = %.5g mV, w = %.5g pA on a separatrix %d of two neurons fire, want 1", s.Points[far][0],
				s.Points[far][1], fired)
		}
	}
}

// TestTooFast has HH relax to an equilibrium at -721 mV, on the way to which the rates of its gates grow without bound:
// the trajectory ends early, with a warning, the plane is complete, and its computation can be cancelled.
func TestTooFast(t *testing.T) {
	m, p := mustModel(t, "hh", map[string]float64{"g_L": 0.03})
	start := [][]float64{{-65, 0.05, 0.6, 0.32}}
	q, err := PhasePlane(context.Background(), m, p, -20, PlaneOptions{Starts: start, Steps: 100})
	if err != nil {
		t.Fatal(err)
	}
	if len(q.FixedPoints) != 1 || len(q.Warnings) != 1 || !strings.Contains(q.Warnings[0], errTooFast.Error()) {
		t.Errorf("%d fixed points, warnings %q; want 1 and one of a flow that is too fast", len(q.FixedPoints),
			q.Warnings)
	}
	if len(q.Trajectories) != 1 || len(q.Trajectories[0].Segments[0]) < 100 {
		t.Errorf("the trajectory is not there up to its end")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	if _, err := PhasePlane(ctx, m, p, -20, PlaneOptions{Starts: start}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("called off, but the error is %v", err)
	}
}

// TestTooFastForCycles: where one variable is a billion times faster than the membrane, the integrator ends the
// searches with a warning; they end soon and can be cancelled.
func TestTooFastForCycles(t *testing.T) {
	m, p := mustModel(t, "adex", map[string]float64{"tau_w": 1e-9})
	q, err := PhasePlane(context.Background(), m, p, 0, PlaneOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(q.FixedPoints) != 2 || len(q.Warnings) != 1 || !strings.Contains(q.Warnings[0],
		"cycles are not searched for") {
		t.Errorf("%d fixed points, warnings %q; want 2 and one of cycles that were not searched for",
			len(q.FixedPoints), q.Warnings)
	}
	if f, err := FiringAt(context.Background(), m, p, 0, "I", 12, 10, 10); !errors.Is(err, errTooFast) {
		t.Errorf("firing: %+v, %v; want an error, for whether it fires is not known", f, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := FiringAt(ctx, m, p, 0, "I", 12, 10, 10); !errors.Is(err, context.Canceled) {
		t.Errorf("firing, called off: %v", err)
	}
	m, p = mustModel(t, "adex", map[string]float64{"tau_w": 1e-2})
	ctx, cancel = context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := PhasePlane(ctx, m, p, 0, PlaneOptions{}); !errors.Is(err, context.DeadlineExceeded) ||
		time.Since(began) > 30*time.Second { // else it takes days
		t.Errorf("called off, but the error is %v after %v", err, time.Since(began))
	}
}

// TestCyclesOfSharpUpstroke: backwards in time w grows without end, and with it the speed of V where the upstroke is
// sharp. There is no cycle there, and the search ends.
func TestCyclesOfSharpUpstroke(t *testing.T) {
	m, p := mustModel(t, "adex", map[string]float64{
		"V_rest": -71.4374, "V_reset": -69.4366, "V_th": -38.849, "V_T": -58.849, "delta_T": 0.385214, "R": 0.280612,
		"tau": 17.1468,
		"a":   4.07971, "b": 6.59872, "tau_w": 4.74612,
	})
	q, err := PhasePlane(context.Background(), m, p, 62.482, PlaneOptions{})
	if err != nil || len(q.Cycles) > 0 || len(q.Warnings) > 0 {
		t.Errorf("%d cycles, warnings %q, %v; want none after a whole search", len(q.Cycles), q.Warnings, err)
	}
}

// TestCyclesBesideFarEquilibrium: with a small leak V may relax to an equilibrium hundreds of mV below the reversal
// potentials, where the rates of the gates are too large for the integrator. There is no cycle there.
func TestCyclesBesideFarEquilibrium(t *testing.T) {
	m, p := mustModel(t, "hh", map[string]float64{
		"C": 1.0038, "g_Na": 120.523, "g_K": 10.296, "g_L": 0.01362, "E_Na": 53.1963, "E_K": -75.1671, "E_L": -51.976,
	})
	s := newSystem(m, p, -7.0645, "")
	if cycles := s.simulatedCycles(nil); len(s.equilibria()) != 3 || len(cycles) > 0 || s.tooFast {
		t.Errorf("%d equilibria, %d cycles, given up: %v; want 3, none after a whole search", len(s.equilibria()),
			len(cycles), s.tooFast)
	}
}

// TestWideWindow: windows in which exponentials overflow can be written as JSON, with all their points.
func TestWideWindow(t *testing.T) {
	for _, c := range []struct {
		model  string
		lo, hi float64
	}{{"rhh", -1e9, 1e9}, {"hh", -1e5, 1e5}, {"eif", -65, 1e5}, {"adex", 1e5, 1e6}} {
		m, p := mustModel(t, c.model, nil)
		q, err := PhasePlane(context.Background(), m, p, 5, PlaneOptions{VLo: c.lo, VHi: c.hi})
		if err != nil {
			t.Errorf("%s: %v", c.model, err)
			continue
		}
		if text, err := json.Marshal(q); err != nil || len(text) > 10e6 {
			t.Errorf("%s from %g to %g mV: %d bytes of JSON, %v", c.model, c.lo, c.hi, len(text), err)
		}
	}
}

// TestHugeCurrent: no other current is close enough for a search for cycles.
func TestHugeCurrent(t *testing.T) {
	m, p := mustModel(t, "hh", nil)
	q, err := PhasePlane(context.Background(), m, p, 1e300, PlaneOptions{})
	if err != nil || len(q.Warnings) != 1 || !strings.Contains(q.Warnings[0], "cycles are not searched for") {
		t.Errorf("%+v, %v", q, err)
	}
}

// A phase plane that is cancelled returns the error of its context.
func TestCalledOff(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m, p := mustModel(t, "rhh", nil)
	if _, err := PhasePlane(ctx, m, p, 5, PlaneOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a plane that was called off: %v", err)
	}
}

// Planes of finite parameters that no neuron has end as well, and contain finite numbers only, which JSON can hold. A
// test that hangs is ended by its context.
func TestAbsurdParameters(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		model string
		set   map[string]float64
		i     float64
	}{
		{"eif", nil, 1e308},
		{"eif", map[string]float64{"delta_T": 1e308}, 0},
		{"adex", map[string]float64{"tau": 1e300}, 0},
		{"adex", map[string]float64{"tau": 1e-300}, 0},
		{"rhh", map[string]float64{"g_Na": 1e300}, 0},
		{"hh", map[string]float64{"g_K": 1e30}, 0},
		{"adex", map[string]float64{"R": 1e-300}, 0},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		m, p := mustModel(t, c.model, c.set)
		start := make([]float64, len(m.States))
		m.Initial(p, start)
		plane, err := PhasePlane(ctx, m, p, c.i, PlaneOptions{Starts: [][]float64{start}})
		cancel()
		if err != nil {
			t.Errorf("%s %v I=%g: %v", c.model, c.set, c.i, err)
		} else if _, err := json.Marshal(plane); err != nil {
			t.Errorf("%s %v I=%g: %v", c.model, c.set, c.i, err)
		} else if len(plane.Warnings) > 3 {
			t.Errorf("%s %v I=%g: %d warnings: %v", c.model, c.set, c.i, len(plane.Warnings), plane.Warnings)
		}
	}
}
