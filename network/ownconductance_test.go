package network

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"popsim/equations"
	"popsim/kernels"
	"popsim/model"
)

// Equations of the built-in lif, eif and hh as a user writes them.
const (
	ownLIF = `
[neuron]
name = "own-lif"
[parameters]
V_rest = "-70 mV"
V_reset = "-65 mV"
V_th = "-50 mV"
R = "0.1 GOhm"
tau = "20 ms"
t_ref = "2 ms"
I = "0 pA"
[states]
V = "V_rest"
[equations]
V = "(V_rest - V + R*I)/tau"
[spike]
when = "V >= V_th"
reset = { V = "V_reset" }
hold = "t_ref"
`
	ownEIF = `
[neuron]
name = "own-eif"
[parameters]
V_rest = "-65 mV"
V_reset = "-68 mV"
V_th = "-30 mV"
V_T = "-59.9 mV"
delta_T = "3.48 mV"
R = "0.1 GOhm"
tau = "10 ms"
t_ref = "1.7 ms"
I = "0 pA"
[states]
V = "V_rest"
[equations]
V = "(V_rest - V + delta_T*exp((V - V_T)/delta_T) + R*I)/tau"
[spike]
when = "V >= V_th"
reset = { V = "V_reset" }
hold = "t_ref"
`
	ownHH = `
[neuron]
name = "own-hh"
[parameters]
C = "1 uF/cm2"
g_Na = "120 mS/cm2"
g_K = "36 mS/cm2"
g_L = "0.3 mS/cm2"
E_Na = "50 mV"
E_K = "-77 mV"
E_L = "-54.387 mV"
V_th = "0 mV"
I = "0 uA/cm2"
[states]
V = "-65 mV"
m = 0.05293
h = 0.59612
n = 0.31768
[let]
alpha_m = "0.1/(mV*ms)*(V + 40 mV)/(1 - exp(-(V + 40 mV)/(10 mV)))"
beta_m  = "4/ms*exp(-(V + 65 mV)/(18 mV))"
alpha_h = "0.07/ms*exp(-(V + 65 mV)/(20 mV))"
beta_h  = "1/ms/(exp(-(V + 35 mV)/(10 mV)) + 1)"
alpha_n = "0.01/(mV*ms)*(V + 55 mV)/(1 - exp(-(V + 55 mV)/(10 mV)))"
beta_n  = "0.125/ms*exp(-(V + 65 mV)/(80 mV))"
[equations]
V = "(I - g_Na*m^3*h*(V - E_Na) - g_K*n^4*(V - E_K) - g_L*(V - E_L))/C"
m = "alpha_m*(1 - m) - beta_m*m"
h = "alpha_h*(1 - h) - beta_h*h"
n = "alpha_n*(1 - n) - beta_n*n"
[spike]
when = "V >= V_th"
rearm = "20 mV"
`
)

func ownModel(t *testing.T, text string) *model.Model {
	t.Helper()
	m, err := equations.Parse("own.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// as is the spec of a case with equations of the user's own.
func (c *truthNeuron) as(t *testing.T, m *model.Model, dt float64) *Spec {
	t.Helper()
	s := c.spec(t, dt)
	p := &s.Populations[0]
	p.Model, p.P = m, nil
	for _, q := range m.Params {
		p.P = append(p.P, kernels.Values{c.Params[q.Name]})
	}
	return s
}

// TestConductancesOntoOwnEquations holds neurons of equations of the user's own, with exp-, alpha- and
// biexp-conductances, to the solutions for the built-in models: the number of spikes is right and errors fall as those
// of a method of order 2 do.
func TestConductancesOntoOwnEquations(t *testing.T) {
	models := map[string]*model.Model{
		"lif": ownModel(t, ownLIF), "eif": ownModel(t, ownEIF), "hh": ownModel(t, ownHH),
	}
	tried := 0
	for _, c := range truthNeurons(t) {
		m := models[c.Model]
		if m == nil || !strings.Contains(c.ID, "A_") || !c.has("conductance") || c.has("nmda") {
			continue
		}
		tried++
		var e []float64
		steps := []float64{0.04, 0.02, 0.01, 0.005}
		if c.Model == "hh" { // hhA_biexp loses a spike at 0.04
			steps = []float64{0.02, 0.01, 0.005, 0.0025}
		}
		for _, dt := range steps {
			spikes := collect(t, c.as(t, m, dt), Config{Workers: 1}, c.TEnd)
			if len(spikes) != len(c.Spikes) {
				t.Errorf("%s at dt %g: %d spikes; want %d", c.ID, dt, len(spikes), len(c.Spikes))
				break
			}
			worst := 0.0
			for i, x := range spikes {
				worst = max(worst, math.Abs((float64(x.Step)+x.Theta)*dt-c.Spikes[i]))
			}
			e = append(e, worst)
		}
		t.Logf("%s: %.3g", c.ID, e)
		if len(e) == 4 && e[3] > max(e[0]/16, solverFloor) { // as in TestOtherModelsKeepOrder
			t.Errorf("%s: errors %.3g ms; order 2 expected", c.ID, e)
		}
		want := collect(t, c.as(t, m, 0.025), Config{Workers: 1, ISA: kernels.Go}, c.TEnd)
		for _, isa := range kernels.Available() {
			if got := collect(t, c.as(t, m, 0.025), Config{Workers: 1, ISA: isa}, c.TEnd); !slices.Equal(got, want) {
				t.Errorf("%s: other spikes with %v", c.ID, isa)
			}
		}
	}
	if tried != 9 {
		t.Errorf("%d cases; 9 are known", tried)
	}
}

// gridApart is the largest difference of spikes on the grid, in steps: equations of the user's own are reset where they
// cross V_th, lif at the end of the step.
const gridApart = 6

// TestConductancesOntoOwnEquationsOnGrid compares them with those onto the built-in lif.
func TestConductancesOntoOwnEquationsOnGrid(t *testing.T) {
	for _, c := range truthNeurons(t) {
		if c.Model != "lif" || !strings.Contains(c.ID, "A_") || !c.has("conductance") || c.has("nmda") {
			continue
		}
		steps := func(s *Spec) (steps []int64) {
			s.OnGrid = true
			for _, x := range collect(t, s, Config{Workers: 1}, c.TEnd) {
				steps = append(steps, x.Step)
			}
			return steps
		}
		got, want := steps(c.as(t, ownModel(t, ownLIF), 0.05)), steps(c.spec(t, 0.05))
		apart := func(a, b int64) int { return int(min(1, max(0, max(a-b, b-a)-gridApart))) }
		if slices.CompareFunc(got, want, apart) != 0 {
			t.Errorf("%s: spikes in steps %d; want %d", c.ID, got, want)
		}
	}
}

// TestConductancesOntoOwnEquationsAreRefused tests the errors for methods, kinds and conductances that are not
// available.
func TestConductancesOntoOwnEquationsAreRefused(t *testing.T) {
	hh := ownModel(t, ownHH)
	strang, err := hh.Method("strang-cn")
	if err != nil {
		t.Fatal(err)
	}
	phaseless := ownModel(t, `
[neuron]
name = "pure"
[parameters]
I = 0
[states]
v = 0
[equations]
v = "(I - v)/ms"
[spike]
when = "v >= 1"
rearm = 0.5
`)
	for _, x := range []struct {
		m      *model.Model
		change func(s *Spec)
		want   string
	}{
		{hh, func(s *Spec) { s.Populations[0].Method = strang }, "method strang-cn of own-hh takes no conductances; use rk4"},
		{phaseless, func(s *Spec) { s.Synapses[0] = Synapse{Name: "j", Kind: Delta} }, "jumps onto pure need a potential"},
		{phaseless, func(*Spec) {}, "potential in mV as its first state"},
		{hh, func(s *Spec) { s.Inputs[0].Weight = Constant(1e4) }, "is too large for steps of 0.05 ms; --dt"},
	} {
		s := &Spec{
			Populations: []Population{{Name: "A", N: 1, Model: x.m}}, Dt: 0.05,
			Synapses: []Synapse{{Name: "exc", Kind: ExpConductance, Tau: 2}},
			Inputs: []Input{{
				Name: "i", To: []Part{{0, 0, 1}}, Weight: Constant(0.1), Spikes: [][]float64{{1}},
			}},
		}
		for _, v := range x.m.Defaults() {
			s.Populations[0].P = append(s.Populations[0].P, kernels.Values{v})
		}
		x.change(s)
		n, err := Build(t.Context(), s, Config{Workers: 1})
		if err == nil {
			err = n.Run(t.Context(), 100, Recorder{})
		}
		if err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("error %v; want one with %q", fmt.Sprint(err), x.want)
		}
	}
}
