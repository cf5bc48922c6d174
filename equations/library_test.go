package equations

import (
	"math"
	"os"
	"testing"

	"popsim/dynamics"
	"popsim/model"
)

// The files of the library against an integrator of another kind: dynamics.Simulate, of adaptive steps with an error of
// 1e-13 each, on the vector field in plain arithmetic, while kernels run vector programs of rk4. Models that reset have
// no such integrator; see below.
func TestLibraryAgainstReference(t *testing.T) {
	const allowed = 2e-4 // ms: rk4 at a quarter of the default step, after some hundred ms
	for _, path := range append(libraryPaths(t), "testdata/hh.toml") {
		m := load(t, path)
		if m.Fires == model.Reset {
			continue
		}
		y, current, dt := make([]float64, len(m.States)), m.Given[0].I, m.Methods[0].Dt
		m.Initial(m.Defaults(), y)
		const duration = 200
		want, err := dynamics.Spikes(m, m.Defaults(), []dynamics.Segment{{Start: 0, I: current}}, y, duration)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		got := spikes(t, m, "rk4", current, dt/4, duration)
		if len(got) == 0 || len(got) != len(want) {
			t.Errorf("%s: %d spikes, want %d", path, len(got), len(want))
			continue
		}
		for i, s := range want {
			if d := math.Abs(got[i] - s.Time); d > allowed {
				t.Errorf("%s: spike %d at %v ms, want %v", path, i, got[i], s.Time)
				break
			}
		}
	}
}

// Periods in closed form. QIF: tau/sqrt(I) (atan(V_peak/sqrt(I)) - atan(V_reset/sqrt(I))).
func TestQuadraticPeriod(t *testing.T) {
	m := load(t, "library/qif.toml")
	const allowed = 1e-6 // ms: rk4 at 0.0125 ms, whose last step before the peak rises by 3 of 50
	for _, current := range []float64{0.3, 1, 4} {
		s := spikes(t, m, "rk4", current, 0.0125, 300)
		r := math.Sqrt(current)
		want := 10 / r * (math.Atan(50/r) - math.Atan(-50/r))
		if got := s[2] - s[1]; math.Abs(got-want) > allowed {
			t.Errorf("I = %v: period %v ms, want %v", current, got, want)
		}
	}
}

// Special points that papers give. Morris-Lecar: Rinzel & Ermentrout (1998), as listed by XPPAUT's and MatCont's
// examples: Hopf bifurcations at 93.86 and 212 uA/cm2, a saddle-node on an invariant circle at 39.96, a homoclinic
// orbit at 35.0. FitzHugh-Nagumo: in closed form, where v² = 1 - b/tau. Hodgkin-Huxley: Rinzel & Miller (1980), 9.78
// and 154.5 uA/cm2.
func TestPublishedBifurcations(t *testing.T) {
	long := os.Getenv("POPSIM_LONG") != "" // the others take half a minute
	fhn := func(v float64) float64 { return -v + v*v*v/3 + (v+0.7)/0.8 }
	hopf := math.Sqrt(1 - 0.8/12.5)
	for _, c := range []struct {
		path, preset string
		lo, hi       float64
		label        string
		at, within   float64
	}{
		{"library/fitzhugh-nagumo.toml", "", 0.3, 0.36, "hopf", fhn(-hopf), 1e-9},
		{"library/morris-lecar.toml", "", 50, 150, "hopf", 93.86, 0.01},
		{"library/morris-lecar.toml", "snic", 20, 60, "snic", 39.96, 0.01},
		{"library/morris-lecar.toml", "homoclinic", 20, 60, "homoclinic", 35.0, 0.05},
		{"testdata/hh.toml", "", 8, 12, "hopf", 9.78, 0.01},
	} {
		if c.path != "library/fitzhugh-nagumo.toml" && !long {
			continue
		}
		m := load(t, c.path)
		s, err := m.Preset(c.preset)
		if err != nil {
			t.Fatal(err)
		}
		d, err := dynamics.Bifurcation(t.Context(), m, s.Params, s.I, dynamics.Free{Name: "I", Lo: c.lo, Hi: c.hi})
		if err != nil {
			t.Errorf("%s: %v", c.path, err)
			continue
		}
		found := false
		for _, p := range d.Points {
			found = found || p.Label == c.label && math.Abs(p.Parameter-c.at) < c.within
		}
		if !found {
			t.Errorf("%s:%s: no %s at %v; there are %+v", c.path, c.preset, c.label, c.at, d.Points)
		}
	}
}

// The file of AdEx's equations against the built-in model, whose steep upstrokes are in another variable: spike times
// through bursts and adaptation, with a cut-off 25 delta_T above V_T.
func TestAdEx(t *testing.T) {
	m := load(t, "testdata/adex.toml")
	p := model.AdExModel.Defaults()
	for _, q := range m.Params {
		k := model.AdExModel.Index(q.Name)
		if k < 0 {
			t.Fatalf("the built-in model has no %s", q.Name)
		}
		p[k] = q.Default
	}
	for _, current := range []float64{100, 300} {
		want, err := dynamics.Spikes(model.AdExModel, p, []dynamics.Segment{{Start: 0, I: current}}, []float64{-70, 0}, 400)
		if err != nil {
			t.Fatal(err)
		}
		worst := [2]float64{}
		for k, dt := range []float64{0.05, 0.025} {
			got := spikes(t, m, "rk4", current, dt, 400)
			if len(got) != len(want) || len(want) < 5 {
				t.Fatalf("I = %v, dt = %v: %d spikes, want %d", current, dt, len(got), len(want))
			}
			for i, s := range want {
				worst[k] = max(worst[k], math.Abs(got[i]-s.Time))
			}
		}
		// Each upstroke is wrong by 3e-6 ms, and there are up to 42.
		if worst[0] > 2e-4 || worst[1] > worst[0] {
			t.Errorf("I = %v: spike times off by %.3g ms at 0.05 ms, %.3g at 0.025", current, worst[0], worst[1])
		}
		t.Logf("I = %v: %d spikes, off by %.3g and %.3g ms", current, len(want), worst[0], worst[1])
	}
}
