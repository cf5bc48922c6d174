package experiment

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"popsim/fault"
	"popsim/model"
	"popsim/sweep"
)

// The names that other programs and papers use, in lower case without underscores, and the names here. Of several names
// the first that the model has is meant.
var foreign = map[string][]string{
	"el": {"V_rest", "E_L"}, "eleak": {"V_rest", "E_L"}, "erest": {"V_rest", "E_L"}, "vrest": {"V_rest", "E_L"},
	"urest": {"V_rest"}, "vl": {"V_rest", "E_L"}, "eidle": {"V_rest"}, "vr": {"V_reset"}, "vreset": {"V_reset"},
	"ureset": {"V_reset"},
	"vpeak":  {"V_th"}, "vspike": {"V_th"}, "vcut": {"V_th"}, "vcutoff": {"V_th"}, "vmax": {"V_th"},
	"thetareset": {"V_th"},
	"vth":        {"V_th"}, "vthresh": {"V_th"}, "vthreshold": {"V_th"}, "theta": {"V_th"}, "uth": {"V_th"},
	"vt":      {"V_T", "V_th"},
	"thetarh": {"V_T", "V_th"}, "vrh": {"V_T", "V_th"}, "deltat": {"delta_T"}, "dt": {"delta_T"}, "vdelta": {"delta_T"},
	"taum": {"tau"}, "taumem": {"tau"}, "taumembrane": {"tau"}, "taurefrac": {"t_ref"}, "tauref": {"t_ref"},
	"tref":    {"t_ref"},
	"trefrac": {"t_ref"}, "refractory": {"t_ref"}, "taurc": {"tau"}, "tauarp": {"t_ref"}, "rm": {"R"}, "rin": {"R"},
	"rmem": {"R"},
	"cm":   {"C"}, "capacitance": {"C"}, "cmem": {"C"}, "gl": {"g_L"}, "gleak": {"g_L"}, "gm": {"g_L"}, "gbarl": {"g_L"},
	"ie": {"I"}, "iext": {"I"}, "iapp": {"I"}, "ioffset": {"I"}, "idc": {"I"}, "istim": {"I"}, "iinj": {"I"},
	"i0": {"I"}, "current": {"I"},
	"tauadapt": {"tau_w"}, "tauk": {"tau_w"}, "tauw": {"tau_w"}, "ena": {"E_Na"}, "ek": {"E_K"}, "vna": {"E_Na"},
	"vk":  {"E_K"},
	"gna": {"g_Na"}, "gk": {"g_K"}, "gbarna": {"g_Na"}, "gbark": {"g_K"}, "gnabar": {"g_Na"}, "gkbar": {"g_K"},
	"gkdr": {"g_K"},
	"vm":   {"V0"}, "vinit": {"V0"}, "uinit": {"V0"}, "v": {"V0"}, "winit": {"w0"}, "w": {"w0"}, "m": {"m0"}, "h": {"h0"},
	"n":    {"n0"},
	"actm": {"m0"}, "inacth": {"h0"}, "actn": {"n0"},
}

// elsewhere returns the error about a name that other programs use, with the name used here and the conversion; nil for
// other names.
func (n Neuron) elsewhere(name string) error {
	m := n.Model
	plain := strings.ToLower(strings.ReplaceAll(name, "_", ""))
	unknown := fmt.Errorf("%s has no %q", m.Name, name)
	switch plain {
	case "celsius", "temperature", "temp", "phi", "q10", "t":
		if m.Index("g_Na") < 0 {
			return nil
		}
		return fault.Hint(unknown, "the rates of the gates are those of one temperature; rates times phi, phi = Q10^((T "+
			"- T0)/10), are C=phi*C "+
			"with all times divided by phi, exactly")
	case "area", "diam", "l":
		return fault.Hint(unknown, "currents are in %s; divide a current by the area of the membrane", m.CurrentUnit)
	case "v1/2", "vshift", "shift":
		return nil
	}
	here := foreign[plain]
	i := slices.IndexFunc(here, func(s string) bool { _, ok := n.target(s, nil); return ok })
	if i < 0 {
		return nil
	}
	s, _ := n.target(here[i], nil)
	unit := s.Unit
	if unit == "1" {
		unit = "a number"
	}
	note := ""
	switch {
	case m.Index("V_T") >= 0 && s.Name == "V_th" && strings.HasPrefix(plain, "vth"), m.Index("V_T") >= 0 &&
		plain == "theta":
		return fault.Hint(unknown, "V_th here is the cut-off that ends a spike (V_peak elsewhere); the threshold V_th of "+
			"NEST and PyNN is V_T here (mV)")
	case s.Name == "g_L" && s.Target == derived:
		note = ", R = 1/g_L"
	case s.Name == "C" && s.Target == derived:
		note = ", C = tau/R"
	case m.Index("V_T") >= 0 && s.Name == "V_th":
		note = ", the cut-off that ends a spike; V_T is the threshold of the rheobase"
	}
	return fault.Hint(unknown, "here it is %s (%s%s)", s.Name, unit, note)
}

// derived is the target of C and g_L, which resolve converts to R and tau.
const derived Target = -1

// membrane returns the setting of C, g_L or E_L in a model with R, tau and V_rest.
func membrane(m *model.Model, name string) (Setting, bool) {
	if m.Index("R") < 0 || m.Index("tau") < 0 {
		return Setting{}, false
	}
	switch name {
	case "C":
		return Setting{Name: name, Target: derived, Unit: "pF"}, true
	case "g_L":
		return Setting{Name: name, Target: derived, Unit: "nS"}, true
	case "E_L":
		j := m.Index("V_rest")
		return Setting{Name: "V_rest", Target: Parameter, Index: j, Unit: m.Params[j].Unit}, true
	}
	return Setting{}, false
}

// resolve replaces C and g_L by R and tau: R = 1/g_L, tau = R C. Two of C, tau and one of R and g_L are needed.
func (n *Neuron) resolve() error {
	at := map[string]int{}
	for i, s := range n.Settings {
		at[s.Name] = i
	}
	has := func(name string) bool { _, ok := at[name]; return ok }
	if n.Model.Index("R") < 0 || n.Faulty || !has("C") && !has("g_L") {
		return nil
	}
	var bad fault.List
	switch {
	case has("g_L") && has("R"):
		bad.About("g_L", fault.Hint(errors.New("g_L and R are both given"), "R is 1/g_L: leave one out"))
	case has("C") && has("tau") && (has("R") || has("g_L")):
		bad.About("C", fault.Hint(errors.New("tau, C and the resistance are all given"), "tau is C*R: leave one out"))
	case has("C") && !has("tau") && !has("R") && !has("g_L"):
		bad.About("C", fault.Hint(errors.New("a capacitance alone leaves R and tau open"), "give g_L, R or tau beside it"))
	case has("g_L") && !has("C") && !has("tau"):
		bad.About("g_L", fault.Hint(errors.New("g_L alone leaves tau open"), "give C or tau beside it"))
	}
	for _, name := range []string{"C", "g_L", "R", "tau"} {
		if !has(name) {
			continue
		}
		v := n.Settings[at[name]].Value
		if x, ok := v.Single(); v.Kind != Number && (name == "g_L" || name != "C" || v.Len() == 0) {
			bad.About(name, fmt.Errorf("%s=%s: beside C or g_L one number is needed", name, v.Bare()))
		} else if ok && !(x > 0) {
			bad.About(name, fmt.Errorf("%s is %v; it must be greater than 0", name, x))
		}
	}
	if err := bad.Err(); err != nil {
		return err
	}
	value := func(name string) float64 { x, _ := n.Settings[at[name]].Value.Single(); return x }
	set := func(place, name string, x ...float64) {
		s, _ := n.target(name, nil)
		s.Value = several(Value{Kind: List, Numbers: x, axis: sweep.Values("", "", x...)}).named(s.Name, s.Unit)
		if i, ok := at[place]; ok {
			n.Settings[i] = s
			return
		}
		n.Settings = append(n.Settings, s)
	}
	resistance, conductance := 0.0, 0.0
	switch {
	case has("g_L"):
		conductance = value("g_L")
		set("g_L", "R", 1/conductance)
	case has("R"):
		resistance = value("R")
	}
	if !has("C") {
		return nil
	}
	values := n.Settings[at["C"]].Value.axis.All() // of C, which become those of tau or R
	for i, c := range values {
		switch {
		case !(c > 0):
			return fault.About("C", fmt.Errorf("a capacitance of %v pF; it must be greater than 0", c))
		case has("tau"):
			values[i] = value("tau") / c // R
		case has("g_L"):
			values[i] = c / conductance
		default:
			values[i] = c * resistance
		}
	}
	if has("tau") {
		set("C", "R", values...)
	} else {
		set("C", "tau", values...)
	}
	return nil
}
