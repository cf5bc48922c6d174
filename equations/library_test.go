package equations

import (
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"popsim/dynamics"
	"popsim/kernels"
	"popsim/model"
	"popsim/pop"
	"popsim/stimulus"
	"popsim/verify/reference"
)

// preset is a model of the library with one of its presets and the input that the note of the preset holds.
type preset struct {
	m   *model.Model
	set model.Preset
	stimulus.Sum
}

// presetOfLibrary finds name or name:preset.
func presetOfLibrary(t *testing.T, name string) preset {
	t.Helper()
	name, of, _ := strings.Cut(name, ":")
	m, err := Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	set, err := m.Preset(of)
	if err != nil {
		t.Fatal(err)
	}
	p := preset{m: m, set: set}
	for _, w := range regexp.MustCompile(`--waveform ([^ ;]+)`).FindAllStringSubmatch(set.Note, -1) {
		shape, err := stimulus.Syntax{}.Parse(w[1], m.CurrentUnit)
		if err != nil {
			t.Fatalf("%s:%s: %v", name, of, err)
		}
		p.Sum = append(p.Sum, shape)
	}
	return p
}

// with sets a parameter, or the current.
func (p preset) with(name string, x float64) preset {
	p.set.Params = slices.Clone(p.set.Params)
	if name == "I" {
		p.set.I = x
	} else {
		p.set.Params[p.m.Index(name)] = x
	}
	return p
}

// input is the current as a function of time, and where it jumps or bends.
func (p preset) input() (at func(t float64) float64, breaks []float64) {
	for _, shape := range p.Sum {
		switch s := shape.(type) {
		case stimulus.Steps:
			breaks = append(breaks, s.Times...)
		case stimulus.Ramp:
			breaks = append(breaks, s.Start, s.End)
		}
	}
	slices.Sort(breaks)
	return func(t float64) float64 {
		i := p.set.I
		for _, shape := range p.Sum {
			switch s := shape.(type) {
			case stimulus.Steps:
				for k := len(s.Times) - 1; k >= 0; k-- {
					if t >= s.Times[k] {
						i += s.Heights[k]
						break
					}
				}
			case stimulus.Ramp:
				i += s.Low + (s.High-s.Low)*min(max((t-s.Start)/(s.End-s.Start), 0), 1)
			}
		}
		return i
	}, slices.Compact(breaks)
}

// reference integrates by other means than the kernels.
func (p preset) reference(t *testing.T, duration float64, most int) (times []float64) {
	t.Helper()
	n := reference.Neuron{Model: p.m, P: p.set.Params}
	n.Input, n.Breaks = p.input()
	y := make([]float64, len(p.m.States))
	p.m.Initial(p.set.Params, y)
	found, _, err := n.Spikes(y, duration, most)
	if err != nil {
		t.Errorf("%s:%s: %v", p.m.Name, p.set.Name, err)
	}
	for _, s := range found {
		times = append(times, s.Time)
	}
	return times
}

// run runs the default method at a part of its default step.
func (p preset) run(t *testing.T, duration, part float64) (times []float64) {
	t.Helper()
	dt := p.m.Methods[0].Dt * part
	wave := p.Waveform(dt)
	cfg := pop.Config{Dt: dt, Workers: 1, Waveform: wave.Mean, Spike: func(s []pop.Spike) error {
		for _, x := range s {
			times = append(times, x.Time)
		}
		return nil
	}}
	spec := pop.Spec{Model: p.m, N: 1, P: kernels.Uniform(p.set.Params), I: kernels.Values{p.set.I}}
	if _, err := pop.Run(t.Context(), spec, cfg, duration); err != nil {
		t.Errorf("%s:%s: %v", p.m.Name, p.set.Name, err)
	}
	return times
}

// Every model of the library with every preset, and the input that its note holds, against an integrator of another
// kind on the vector field in plain arithmetic, while kernels run vector programs.
func TestLibraryAgainstReference(t *testing.T) {
	const (
		allowed  = 5e-4 // ms: methods at a quarter of the default step, spikes through bursts
		compared = 8    // spikes; some kinds are chaotic
	)
	for _, name := range Names() {
		m, err := Lookup(name)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, set := range m.Given {
			p := presetOfLibrary(t, name+":"+set.Name)
			want := p.reference(t, 350, compared)
			got := p.run(t, 350, 0.25)
			if len(got) < len(want) || len(want) < compared && len(got) != len(want) {
				t.Errorf("%s:%s: %d spikes, want %d", name, set.Name, len(got), len(want))
				continue
			}
			for k, x := range want {
				if !(math.Abs(got[k]-x) <= allowed) {
					t.Errorf("%s:%s: spike %d at %v ms, want %v", name, set.Name, k, got[k], x)
					break
				}
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

// The file of AdEx's equations against the built-in model, which integrates steep upstrokes in another variable: spike
// times through bursts and adaptation, with a cut-off 25 delta_T above V_T.
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
