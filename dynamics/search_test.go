package dynamics

import (
	"math"
	"testing"
)

// TestCyclesBesideAThreshold finds the stable cycle of an isola where the return map is constant to ten digits above a
// threshold just below that cycle, against a simulation by the classical Runge-Kutta method.
func TestCyclesBesideAThreshold(t *testing.T) {
	t.Parallel()
	const (
		sameT = 1e-4 // of the period: what crossings of the simulation miss
		sameV = 0.02 // mV: what its steps miss of the extremes
	)
	for _, c := range []struct{ gK, i float64 }{{38.125, 1}, {40, 1.5}, {40, 2}} {
		m, p := mustModel(t, "rhh", map[string]float64{"g_K": c.gK})
		s := newSystem(m, p, c.i, "I")
		want := settle(s, []float64{20, 0.3})
		cycles := s.planarCycles()
		if want.kind != "cycle" || len(cycles) != 1 {
			t.Errorf("g_K = %v, I = %v: the search finds %d cycles, the simulation %+v", c.gK, c.i, len(cycles), want)
			continue
		}
		got := cycles[0]
		if math.Abs(got.period/want.period-1) > sameT || math.Abs(got.vMax-want.vMax) > sameV ||
			math.Abs(got.vMin-want.vMin) > sameV || got.backwards {
			t.Errorf("g_K = %v, I = %v: %+v, want %+v", c.gK, c.i, got, want)
		}
	}
}
