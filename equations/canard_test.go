package equations

import (
	"math"
	"testing"

	"popsim/dynamics"
)

// slowThird is the model of FitzHugh and Nagumo with a slow third state, and spikes in the other two.
const slowThird = `
[neuron]
name = "slow-third"
units = "loose"
[parameters]
I = 0
a = 0.7
b = 0.8
tau = 12.5
g = 0.8
tau_s = 200
[states]
v = -1.2
w = -0.6
s = -1
[equations]
v = "v - v^3/3 - w - g*s + I"
w = "(v + a - b*w)/tau"
s = "(v - s)/tau_s"
[spike]
when = "s + w > 0"
rearm = 0.2
`

// TestFoldAndDoublingOnACanard: a fold of cycles and a period doubling 1e-12 apart are both reported. Multiple shooting
// (40 parts, DOP853 at 2e-14, product in 150 digits) has multipliers 1064171.2 and 8.4e-11 at a period of 64.7264 ms,
// on one side of both, -283582.5 and -5.5e-10 at 64.8426 ms, on the other, and for all points the currents below. The
// model is odd about v = s = 0, so that each point has a mirror image.
func TestFoldAndDoublingOnACanard(t *testing.T) {
	t.Parallel()
	const (
		tolerance = 1e-9  // points are located to 1e-7 of a step along the branch
		middle    = 0.875 // the current at which v = s = 0, w = 0.7/0.8, is at rest
	)
	m := parsed(t, slowThird)
	d, err := dynamics.Bifurcation(t.Context(), m, m.Defaults(), 0, dynamics.Free{Name: "I", Lo: -0.5, Hi: 2.25})
	if err != nil || len(d.Warnings) > 0 {
		t.Fatalf("error %v, warnings %v", err, d.Warnings)
	}
	want := []struct {
		label   string
		current float64
	}{
		{dynamics.Torus, -0.43512751759905},
		{dynamics.PeriodDoubling, -0.41200949460665},
		{dynamics.CycleFold, -0.20118151449600},
		{dynamics.PeriodDoubling, -0.20118151449600},
		{dynamics.CycleFold, -0.21829161765869},
		{dynamics.PeriodDoubling, -0.21811640465388},
		{dynamics.PeriodDoubling, -0.21780841972498},
	}
	count := 0
	for _, p := range d.Points {
		if p.Label == dynamics.Hopf {
			continue
		}
		count++
		found := false
		for _, w := range want {
			away := math.Abs(math.Abs(p.Parameter-middle) - math.Abs(w.current-middle))
			found = found || p.Label == w.label && away < tolerance
		}
		if !found {
			t.Errorf("%s at %.13g is none of the points found by shooting, or their mirror images", p.Label, p.Parameter)
		}
	}
	if count != 2*len(want) {
		t.Errorf("%d special points of cycles, want %d", count, 2*len(want))
	}
}
