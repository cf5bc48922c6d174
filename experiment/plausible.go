package experiment

import (
	"fmt"
	"math"
	"strings"
)

// Limits beyond which a value was probably meant in another unit. They lie far outside the values of all presets.
const (
	volts       = 0.2  // mV; a smaller potential is one in V
	seconds     = 0.2  // ms; a smaller time constant is one in s
	refractory  = 0.02 // ms; a smaller refractory time is one in s
	megohms     = 20   // GOhm; a larger resistance is one in MOhm
	ohms        = 1e5  // GOhm; a larger one is in Ohm
	amperes     = 1e-6 // pA; a smaller current is one in A
	siemens     = 1    // mS/cm2; a smaller g_Na is one in S/cm2
	shiftedEK   = -40  // mV; above it E_K is measured from a resting potential of 0, as in 1952
	upstroke    = 5    // least (V_th - V_T)/delta_T
	classicRest = 65   // mV; the resting potential of 1952 is -65 mV here
)

// implausible returns warnings, one for each kind, about settings that were probably meant in another unit, or relative
// to another potential.
func (n Neuron) implausible() (notes []string) {
	found := map[string][]Setting{}
	for _, s := range n.Settings {
		if kind := s.likelyUnit(); kind != "" {
			found[kind] = append(found[kind], s)
		}
	}
	for _, unit := range []string{"V", "s", "MOhm", "Ohm", "A", "S/cm2"} {
		var texts []string
		for _, s := range found[unit] {
			texts = append(texts, fmt.Sprintf("%s=%v %s", s.Name, s.first(), s.Unit))
		}
		if len(texts) > 0 {
			s := found[unit][0]
			notes = append(notes, fmt.Sprintf("%s: is this in %s? %s=%v%s would say so", strings.Join(texts, ", "),
				unit, s.Name, s.first(), unit))
		}
	}
	return append(notes, n.misplaced()...)
}

// first returns the value of largest magnitude, NaN if there is none.
func (s Setting) first() float64 {
	x := math.NaN()
	for i := range min(s.Value.Len(), 1000) {
		if v := s.Value.At(i); !(math.Abs(v) <= math.Abs(x)) {
			x = v
		}
	}
	switch {
	case s.Value.Kind == Drawn:
		x = s.Value.Draw.A
	case s.Value.Kind == Interval && math.Abs(s.Value.Numbers[0]) > math.Abs(s.Value.Numbers[1]):
		x = s.Value.Numbers[0]
	case s.Value.Kind == Interval:
		x = s.Value.Numbers[1]
	}
	return x
}

// likelyUnit returns the unit in which a value was probably meant, "" if that is its own.
func (s Setting) likelyUnit() string {
	x := math.Abs(s.first())
	switch {
	case !(x > 0):
	case s.Unit == "mV" && s.Name != "delta_T" && x < volts:
		return "V"
	case s.Name == "t_ref" && x < refractory, s.Name != "t_ref" && s.Unit == "ms" && x < seconds:
		return "s"
	case s.Unit == "GOhm" && x > ohms:
		return "Ohm"
	case s.Unit == "GOhm" && x > megohms:
		return "MOhm"
	case s.Unit == "pA" && s.Target == Current && x < amperes:
		return "A"
	case s.Name == "g_Na" && x < siemens:
		return "S/cm2"
	}
	return ""
}

// misplaced returns warnings about potentials that are measured from another zero, or mean another threshold.
func (n Neuron) misplaced() (notes []string) {
	p := n.Base()
	set := map[string]bool{}
	for _, s := range n.Settings {
		if x, ok := s.Value.Single(); ok {
			p.Set(s, x)
			set[s.Name] = true
		}
	}
	at := func(name string) float64 {
		if j := n.Model.Index(name); j >= 0 {
			return p.Params[j]
		}
		return math.NaN()
	}
	if ek := at("E_K"); set["E_K"] && ek > shiftedEK && math.Abs(ek) >= volts {
		notes = append(notes, fmt.Sprintf("E_K=%v mV: are potentials measured from a rest at 0, as in 1952? The rates "+
			"here are for a rest near %v mV: E_Na=%v E_K=%v E_L=%.4g",
			ek, -classicRest, at("E_Na")-classicRest, ek-classicRest, at("E_L")-classicRest))
	}
	if vt, th, d := at("V_T"), at("V_th"), at("delta_T"); (set["V_th"] || set["V_T"] || set["delta_T"]) &&
		th < vt+float64(upstroke*d) && math.Abs(th) >= volts {
		notes = append(notes, fmt.Sprintf("V_th=%v mV is below V_T + %d delta_T = %.6g mV: V_th ends the upstroke here "+
			"(V_peak elsewhere); "+
			"the threshold that NEST and PyNN call V_th or v_thresh is V_T", th, upstroke, vt+float64(upstroke*d)))
	}
	return notes
}
