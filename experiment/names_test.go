package experiment

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"popsim/fault"
	"popsim/model"
)

// TestMembrane: C, g_L and E_L replace R, tau and V_rest in any consistent set, in any units.
func TestMembrane(t *testing.T) {
	for line, want := range map[string][3]float64{ // V_rest, R, tau
		"adex C=281 g_L=30 E_L=-70.6":          {-70.6, 1.0 / 30, 281.0 / 30},
		"lif C=0.2nF R=100MOhm E_L=-65mV":      {-65, 0.1, 20},
		"eif C=200pF tau=0.02s E_L=-65":        {-65, 0.1, 20},
		"lif tau=20 g_L=0.01uS V_rest=-0.065V": {-65, 0.1, 20},
	} {
		n, err := ParseNeuron(strings.Fields(line))
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		p, err := n.Single("run")
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		for i, name := range []string{"V_rest", "R", "tau"} {
			const rounding = 1e-15
			if got := p.Params[n.Model.Index(name)]; math.Abs(got-want[i]) > rounding*math.Abs(want[i]) {
				t.Errorf("%s: %s is %v, want %v", line, name, got, want[i])
			}
		}
	}
	n, err := ParseNeuron(strings.Fields("lif C=100,200 g_L=10"))
	if err != nil || !slices.Equal(n.Settings[0].Value.Axis().All(), []float64{10, 20}) || n.Settings[0].Name != "tau" {
		t.Errorf("a list of C gives %+v, %v", n.Settings, err)
	}
	for line, want := range map[string]string{
		"lif C=200": "a capacitance alone", "lif g_L=10": "g_L alone", "lif C=1 g_L=2 R=3": "both given",
		"lif C=1 g_L=2 tau=3": "all given",
		"lif C=1 g_L=2,3":     "one number", "lif C=-1 g_L=2": "greater than 0", "lif E_L=1 V_rest=2": "set twice",
		"lif C=1 g_L=normal:2:1": "one number",
	} {
		if _, err := ParseNeuron(strings.Fields(line)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", line, err, want)
		}
	}
}

// TestElsewhere: names of NEST, PyNN, Brian2 and papers are refused with the name used here.
func TestElsewhere(t *testing.T) {
	for line, want := range map[string]string{
		"adex V_peak=0": "here it is V_th", "adex Delta_T=2": "here it is delta_T", "adex C_m=281": "here it is C (pF",
		"adex g_l=30": "here it is g_L (nS", "adex E_leak=-70": "here it is V_rest", "adex I_e=1": "here it is I (pA",
		"adex tau_m=9": "here it is tau (ms", "adex v_thresh=-50": "V_th of NEST and PyNN is V_T",
		"eif tau_refrac=2": "here it is t_ref",
		"lif v_rest=-65":   "here it is V_rest", "hh celsius=6.3": "C=phi*C", "hh phi=3": "C=phi*C",
		"hh gNa=120": "here it is g_Na",
		"hh cm=1":    "here it is C (uF/cm2", "hh ENa=50": "here it is E_Na", "hh area=1": "divide a current",
	} {
		_, err := ParseNeuron(strings.Fields(line))
		if lines := fault.Lines(err, nil); len(lines) != 1 || !strings.Contains(lines[0].Hint, want) {
			t.Errorf("%s: %q, want %q", line, lines, want)
		}
	}
}

// TestImplausible: values that can only be a mistake of units draw one line for each unit, and values of presets none.
func TestImplausible(t *testing.T) {
	for line, want := range map[string][]string{
		"lif V_rest=-0.0714 V_reset=-0.0714 V_th=-0.0483 tau=0.0292 t_ref=0.0067 I=1e-10": {"in V?", "in s?", "in A?"},
		"adex V_rest=-0.07 V_reset=-0.058 V_th=0 V_T=-0.05 delta_T=0.002":                 {"in V?"},
		"hh E_Na=115 E_K=-12 E_L=10.6":                                                    {"E_Na=50 E_K=-77 E_L=-54.4"},
		"lif R=100e6":                                                                     {"in Ohm?"},
		"lif R=100":                                                                       {"in MOhm?"},
		"hh g_Na=0.12":                                                                    {"in S/cm2?"},
		"eif V_th=-50":                                                                    {"below V_T + 5 delta_T"},
		"adex V_T=-50 V_th=-30 delta_T=2":                                                 nil,
		"lif V_rest=0 V_th=20 V_reset=10 tau=20 R=0.1 t_ref=2 I=300":                      nil,
	} {
		n, err := ParseNeuron(strings.Fields(line))
		if err != nil {
			t.Fatal(err)
		}
		if len(n.Notes) != len(want) {
			t.Errorf("%s: %q, want %q", line, n.Notes, want)
			continue
		}
		for i, w := range want {
			if !strings.Contains(n.Notes[i], w) {
				t.Errorf("%s: %q, want %q", line, n.Notes[i], w)
			}
		}
	}
}

// TestPresetsArePlausible: no preset, written out, draws a line.
func TestPresetsArePlausible(t *testing.T) {
	for _, m := range model.All {
		for _, s := range m.Presets() {
			args := []string{m.Name}
			for j, p := range m.Params {
				args = append(args, fmt.Sprintf("%s=%v", p.Name, s.Params[j]))
			}
			if n, err := ParseNeuron(args); err != nil || len(n.Notes) > 0 {
				t.Errorf("%s:%s: %q, %v", m.Name, s.Name, n.Notes, err)
			}
		}
	}
}
