package experiment

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"popsim/equations"
	"popsim/fault"
	"popsim/kernels"
	"popsim/model"
	"popsim/network/description"
)

// Neuron is a model, a preset, and settings that override it, in the order of naming. Model is nil if the model is
// unknown.
type Neuron struct {
	Model    *model.Model
	Preset   model.Preset
	Settings []Setting
	Faulty   bool     // some NAME=VALUE was refused, and is not in Settings
	Notes    []string // warnings about values that were accepted
}

// Setting is one NAME=VALUE.
type Setting struct {
	Name   string
	Unit   string
	Target Target
	Index  int // of the parameter or the state
	Value  Value
}

// Target is the kind of quantity that a setting sets.
type Target int

// The targets.
const (
	Parameter Target = iota
	Current          // the input current I
	State            // an initial state, as V0
	Gain             // the factor of the waveform
	Waveform         // a number of the waveform, in sweeps
)

// Frequency and Amplitude are names that fi and map accept besides those of the model where a waveform says them in
// place of numbers, as in sine:frequency:5.
const (
	Frequency = "frequency"
	Amplitude = "amplitude"
)

// GainName is the name of the factor of the waveform, which the verb run accepts besides the names of the model.
const GainName = "gain"

// AboutModel is the subject (see fault.About) of errors in MODEL[:PRESET]; that of errors in a setting is its name.
const AboutModel = "MODEL"

// ParseNeuron parses MODEL[:PRESET] [NAME=VALUE ...]. extra are names that the verb accepts besides those of the model.
// All errors are reported together; settings without error are kept.
func ParseNeuron(args []string, extra ...string) (Neuron, error) {
	if len(args) == 0 {
		return Neuron{}, fault.Hint(errors.New("no model given"), "the models are %s; popsim models describes them",
			strings.Join(model.Names(), ", "))
	}
	name, preset, named := strings.Cut(args[0], ":")
	m, found, err := equations.Find(name, preset)
	if m == nil {
		if strings.Contains(args[0], "=") {
			err = fault.Hint(fmt.Errorf("%q is where the model should be", args[0]), "the model comes first, then NAME=VALUE")
		}
		return Neuron{}, fault.About(AboutModel, orNetwork(name, err))
	}
	n := Neuron{Model: m}
	if err := kernels.MachineCode(); err != nil && m.Outside() {
		n.Notes = append(n.Notes, fmt.Sprintf("%v: %s runs in plain Go, which is many times slower", err, m.Name))
	}
	var bad fault.List
	n.Preset = found
	if named && preset == "" {
		err = fault.Hint(fmt.Errorf("%q ends where a preset should follow", args[0]),
			"popsim models %s lists the presets; without one, leave the colon out", name)
	}
	bad.About(AboutModel, err)
	seen := map[string]bool{}
	for _, arg := range args[1:] {
		s, err := n.parse(arg, extra)
		bad.Add(err)
		if s.Name != "" && seen[s.Name] {
			bad.Addf("%s is set twice", s.Name)
		}
		seen[s.Name] = true
		if err != nil {
			n.Faulty = true
			continue
		}
		n.Settings = append(n.Settings, s)
		n.Notes = append(n.Notes, s.Value.Notes...)
	}
	bad.Add(n.resolve())
	if len(bad) == 0 {
		n.Notes = append(n.Notes, n.implausible()...)
	}
	return n, bad.Err()
}

// parse parses one NAME=VALUE. The name of the setting is empty if the model has no such quantity.
func (n Neuron) parse(arg string, extra []string) (Setting, error) {
	name, text, ok := strings.Cut(arg, "=")
	if !ok {
		return Setting{}, fault.Hint(fmt.Errorf("%q is not NAME=VALUE", arg),
			"popsim help values explains how values are written")
	}
	s, ok := n.target(name, extra)
	if !ok {
		return Setting{}, fault.About(name, n.unknown(name, extra))
	}
	var err error
	s.Value, err = ParseValue(s.Name, text, s.Unit)
	if err == nil && s.Target == State && s.Unit == "1" && !n.Model.Outside() {
		err = s.checkGate()
	}
	return s, fault.About(name, err)
}

// target returns the setting of a name, without its value; ok is false for an unknown name.
func (n Neuron) target(name string, extra []string) (Setting, bool) {
	m := n.Model
	s := Setting{Name: name}
	state, isState := strings.CutSuffix(name, "0")
	switch j := m.Index(name); {
	case j >= 0:
		s.Target, s.Index, s.Unit = Parameter, j, m.Params[j].Unit
	case name == "I":
		s.Target, s.Unit = Current, m.CurrentUnit
	case isState && m.StateIndex(state) >= 0:
		s.Target, s.Index = State, m.StateIndex(state)
		s.Unit = m.States[s.Index].Unit
	case name == GainName && slices.Contains(extra, name):
		s.Target, s.Unit = Gain, "1"
	case name == Frequency && slices.Contains(extra, name):
		s.Target, s.Unit = Waveform, "Hz"
	case name == Amplitude && slices.Contains(extra, name):
		s.Target, s.Unit = Waveform, m.CurrentUnit
	default:
		return membrane(m, name)
	}
	return s, true
}

// unknown returns the error about a name that neither the model nor the verb has.
func (n Neuron) unknown(name string, extra []string) error {
	known := append(Names(n.Model), extra...)
	if err := n.elsewhere(name); err != nil {
		return err
	}
	err := fmt.Errorf("%s has no %q", n.Model.Name, name)
	if slices.Contains(description.Flags, name) {
		return fault.Hint(err, "--%s sets it", name)
	}
	if near := model.Nearest(name, known); near != "" {
		return fault.Hint(err, "did you mean %s=?", near)
	}
	return fault.Hint(err, "%s has %s", n.Model.Name, strings.Join(known, ", "))
}

// Names lists the names of all that can be set in a model: parameters, I, initial states.
func Names(m *model.Model) []string {
	var known []string
	for _, p := range m.Params {
		known = append(known, p.Name)
	}
	known = append(known, "I")
	for _, s := range m.States {
		known = append(known, s.Name+"0")
	}
	return known
}

// checkGate checks that the values of a gating variable lie in [0, 1].
func (s Setting) checkGate() error {
	for i := range s.Value.Len() {
		if x := s.Value.At(i); x < 0 || x > 1 {
			return fmt.Errorf("%s is %v; a gate must lie in [0, 1]", s.Name, x)
		}
	}
	return nil
}

// Check returns an error if the value is of a kind that the verb does not accept. A file of one number counts as a
// Number.
func (s Setting) Check(verb string, accepted Kind) error {
	v := s.Value
	if v.Kind&accepted != 0 || v.Len() == 1 && accepted&Number != 0 {
		return nil
	}
	text := s.Name + "=" + v.Bare()
	ends := v.Numbers
	switch {
	case v.Kind == Drawn:
		return fault.About(s.Name, fault.Hint(fmt.Errorf("%s draws a value for each neuron, but %s takes no draws",
			text, verb), "popsim run takes draws"))
	case v.Kind == Interval && accepted&Range != 0:
		return fault.About(s.Name, fault.Hint(fmt.Errorf("%s is an interval; %s takes single values", text, verb),
			"%s/101 gives 101 of them, %s:STEP goes in steps", text, text))
	case v.Kind == Interval:
		return fault.About(s.Name, fault.Hint(fmt.Errorf("%s is an interval; %s takes one value", text, verb),
			"popsim bifurcation takes intervals"))
	case accepted&Interval != 0:
		lo, hi := v.At(0), v.At(v.Len()-1)
		return fault.About(s.Name, fault.Hint(fmt.Errorf("%s has %d values, but %s follows an interval", text, v.Len(), verb),
			"%s=%v:%v is one", s.Name, min(lo, hi), max(lo, hi)))
	case accepted&Drawn != 0:
		return fault.About(s.Name,
			fault.Hint(fmt.Errorf("%s has %d values; %s takes one, a draw, or a file of one per neuron", text, len(ends), verb),
				"popsim fi and popsim map go through several values"))
	}
	return fault.About(s.Name, fault.Hint(fmt.Errorf("%s has %d values, but %s takes one", text, v.Len(), verb),
		"popsim map goes through several"))
}

// Check returns the errors of all settings whose value is of a kind that the verb does not accept.
func (n Neuron) Check(verb string, accepted Kind) error {
	var bad fault.List
	for _, s := range n.Settings {
		bad.Add(s.Check(verb, accepted))
	}
	return bad.Err()
}

// Point holds one value of each quantity: parameters in the order of the model, the current, and initial states, which
// are NaN where the model determines them.
type Point struct {
	Params  []float64
	Current float64
	Initial []float64
}

// Base returns the point of the preset, without the settings. A preset without a current has I = 0.
func (n Neuron) Base() Point {
	p := Point{Params: slices.Clone(n.Preset.Params), Current: n.Preset.I, Initial: make([]float64, len(n.Model.States))}
	if math.IsNaN(p.Current) {
		p.Current = 0
	}
	for j := range p.Initial {
		p.Initial[j] = math.NaN()
	}
	return p
}

// Set sets the quantity of s to x.
func (p *Point) Set(s Setting, x float64) {
	switch s.Target {
	case Parameter:
		p.Params[s.Index] = x
	case Current:
		p.Current = x
	case State:
		p.Initial[s.Index] = x
	}
}

// Name returns MODEL[:PRESET].
func (n Neuron) Name() string {
	if n.Preset.File != "" && n.Preset.File != equations.PresetsFile {
		return n.Preset.File + ":" + n.Preset.Name
	}
	name := n.Model.Name
	if n.Model.File != "" {
		name = n.Model.File
	}
	if n.Preset.Name != "" {
		return name + ":" + n.Preset.Name
	}
	return name
}

// Complete lists all parameters, and the current if the preset or a setting gives one. Those that were not set have the
// values of the preset and come first; the settings follow in their order, which is that of the axes of a grid.
func (n Neuron) Complete() []Setting {
	base := n.Base()
	var all []Setting
	add := func(name string, x float64) {
		if slices.ContainsFunc(n.Settings, func(t Setting) bool { return t.Name == name }) {
			return
		}
		s, _ := n.target(name, nil)
		s.Value = Value{Kind: Number, Unit: s.Unit, Numbers: []float64{x}}
		all = append(all, s)
	}
	for j, p := range n.Model.Params {
		add(p.Name, base.Params[j])
	}
	if x := n.Preset.I; x == x {
		add("I", x)
	}
	return append(all, n.Settings...)
}

// Title returns the title of a picture: the model, its preset, and what is set to one other value or drawn. Quantities
// with several values are left out, because they are axes of the picture.
func (n Neuron) Title() string {
	text := capital(n.Model.Title)
	if n.Preset.Name != "" {
		text += " (" + n.Preset.Name + ")"
	}
	base := n.Base()
	for _, s := range n.Settings {
		x, single := s.Value.Single()
		if !single && s.Value.Kind&(Drawn|File) == 0 {
			continue
		}
		if s.Target == Parameter && single && x == base.Params[s.Index] || s.Target == Current && single && x == n.Preset.I {
			continue
		}
		text += fmt.Sprintf(", %s = %s", s.Name, s.Value.Bare())
		if s.Unit != "" && s.Unit != "1" && single {
			text += " " + s.Unit
		}
	}
	return text
}

func capital(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// Single returns the point of a neuron for a verb that accepts one value of each quantity.
func (n Neuron) Single(verb string) (Point, error) {
	var bad fault.List
	p := n.Base()
	for _, s := range n.Settings {
		bad.Add(s.Check(verb, Number))
		x, _ := s.Value.Single()
		p.Set(s, x)
	}
	return p, bad.Err()
}
