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
	m := membraneValues{Neuron: n, at: map[string]int{}}
	for i, s := range n.Settings {
		m.at[s.Name] = i
	}
	if n.Model.Index("R") < 0 || n.Faulty || !m.has("C") && !m.has("g_L") {
		return nil
	}
	if err := m.check(); err != nil {
		return err
	}
	if m.has("g_L") {
		m.replace("g_L", "R", 1/m.value("g_L"))
	}
	if !m.has("C") {
		return nil
	}
	name, values, err := m.fromCapacitance()
	if err == nil {
		m.replace("C", name, values...)
	}
	return err
}

// membraneValues are the settings of C, g_L, R and tau; at holds their places.
type membraneValues struct {
	*Neuron
	at          map[string]int
	conductance float64 // g_L, before it was replaced
}

func (m *membraneValues) has(name string) bool { _, ok := m.at[name]; return ok }

// value returns the only value of a setting.
func (m *membraneValues) value(name string) float64 {
	x, _ := m.Settings[m.at[name]].Value.Single()
	return x
}

// check returns an error unless the settings determine R and tau, each by one value, but for several of C.
func (m *membraneValues) check() error {
	var bad fault.List
	switch has := m.has; {
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
		if !m.has(name) {
			continue
		}
		v := m.Settings[m.at[name]].Value
		if x, ok := v.Single(); v.Kind != Number && (name != "C" || v.Len() == 0) {
			bad.About(name, fmt.Errorf("%s=%s: beside C or g_L one number is needed", name, v.Bare()))
		} else if ok && !(x > 0) {
			bad.About(name, fmt.Errorf("%s is %v; it must be greater than 0", name, x))
		}
	}
	return bad.Err()
}

// fromCapacitance returns the values of R or tau that follow from those of C.
func (m *membraneValues) fromCapacitance() (name string, values []float64, err error) {
	name, values = "tau", m.Settings[m.at["C"]].Value.axis.All()
	for i, c := range values {
		switch {
		case !(c > 0):
			return "", nil, fault.About("C", fmt.Errorf("a capacitance of %v pF; it must be greater than 0", c))
		case m.has("tau"):
			name, values[i] = "R", m.value("tau")/c
		case m.conductance > 0:
			values[i] = c / m.conductance
		default:
			values[i] = c * m.value("R")
		}
	}
	return name, values, nil
}

// replace puts the setting of a name in the place of that of old.
func (m *membraneValues) replace(old, name string, x ...float64) {
	if old == "g_L" {
		m.conductance = m.value("g_L")
	}
	s, _ := m.target(name, nil)
	s.Value = several(Value{Kind: List, Numbers: x, axis: sweep.Values("", "", x...)}).named(s.Name, s.Unit)
	m.Settings[m.at[old]] = s
}
