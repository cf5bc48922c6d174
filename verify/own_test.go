package verify

import (
	"strings"
	"testing"

	"popsim/equations"
)

// Every check passes on files of all kinds: a reset with an upstroke that goes to infinity, a crossing, a kink, and a
// neuron that does not fire.
func TestEquations(t *testing.T) {
	const quiet = `
[neuron]
name = "quiet"
dt   = "0.1 ms"
[parameters]
tau = "10 ms"
I   = "1 mV"
[states]
V = "-70 mV"
[equations]
V = "(-70 mV - V + I)/tau"
[spike]
when  = "V >= 0 mV"
reset = { V = "-58 mV" }
`
	const kink = `
[neuron]
name = "kink"
dt   = "0.1 ms"
[parameters]
tau = "10 ms"
I   = "30 mV"
[states]
V = "-70 mV"
[equations]
V = "(max(-60 mV - V, 0 mV) + I)/tau"
[spike]
when  = "V >= -40 mV"
reset = { V = "-70 mV" }
hold  = "1.37 ms"
`
	for _, c := range []struct{ name, preset, text, says string }{
		{"../equations/testdata/adex.toml", "", "", "taken in parts"},
		{"adaptive-threshold", "", "", "6 spikes"},
		{"morris-lecar", "snic", "", "6 spikes"},
		{"quiet", "", quiet, "states after"},
		{"kink", "", kink, "have kinks"},
	} {
		m, err := equations.Lookup(c.name)
		if c.text != "" {
			m, err = equations.Parse(c.name, []byte(c.text))
		}
		if err != nil {
			t.Fatal(err)
		}
		set, err := m.Preset(c.preset)
		if err != nil {
			t.Fatal(err)
		}
		said := ""
		for _, check := range Equations(m, set) {
			figure, ok, err := check.Prove(t.Context())
			if !ok || err != nil {
				t.Errorf("%s, %s: %s, %v", c.name, check.Name, figure, err)
			}
			said += figure + "\n"
		}
		if !strings.Contains(said, c.says) {
			t.Errorf("%s: no %q in\n%s", c.name, c.says, said)
		}
	}
}

// The checks can fail: a Jacobian that is another model's, and a field that the kernels do not follow.
func TestEquationsFail(t *testing.T) {
	m, err := equations.Lookup("fitzhugh-nagumo")
	if err != nil {
		t.Fatal(err)
	}
	set, err := m.Preset("")
	if err != nil {
		t.Fatal(err)
	}
	wrong := *m
	deriv := m.Deriv
	wrong.Deriv = func(p []float64, i float64, y, dy []float64) {
		deriv(p, i, y, dy)
		dy[1] *= 1 + 1e-6
	}
	wrong.Jacobian = func(p []float64, i float64, y, jac []float64) {
		m.Jacobian(p, i, y, jac)
		jac[1] += 1e-4
	}
	o := own{&wrong, set}
	if figure, ok, _ := o.derivatives(t.Context()); ok {
		t.Errorf("a wrong Jacobian passes: %s", figure)
	}
	independent := own{m, set}
	independent.m.Deriv = wrong.Deriv // kernels are found by the model
	defer func() { m.Deriv = deriv }()
	if figure, ok, _ := independent.meaning(t.Context()); ok {
		t.Errorf("code that computes something else passes: %s", figure)
	}
	if figure, ok, _ := independent.order(t.Context(), m.Methods[0]); ok {
		t.Errorf("a method for another field passes: %s", figure)
	}
}
