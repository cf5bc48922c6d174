package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"popsim/fault"
	"popsim/model"
	"popsim/sweep"
)

// question is what stands behind a verb: a model, a preset, and what was set on top of it in the order of the line.
type question struct {
	model    *model.Model
	preset   model.Preset
	settings []setting
}

// setting is one NAME=VALUE whose name is known. What the value may be depends on the verb.
type setting struct {
	name, text, unit string
	kind             kind
	index            int // of the parameter or the state
}

// kind is what a setting sets.
type kind int

const (
	setsParam kind = iota
	setsCurrent
	setsState
	setsGain // of the waveform
)

// ask reads MODEL[:PRESET] [NAME=VALUE ...]. All that is wrong is told together.
func ask(args []string, extra ...string) (question, error) {
	if len(args) == 0 {
		return question{}, fault.Hint(errors.New("no model given"), "the models are %s; popsim models says more", strings.Join(model.Names(), ", "))
	}
	name, preset, named := strings.Cut(args[0], ":")
	m, err := model.Lookup(name)
	if err != nil {
		if strings.Contains(args[0], "=") {
			err = fault.Hint(fmt.Errorf("%q stands where the model should", args[0]), "the model comes first, then NAME=VALUE")
		}
		return question{}, fault.About(modelAbout, err)
	}
	q := question{model: m}
	var bad fault.List
	q.preset, err = m.Preset(preset)
	if named && preset == "" {
		err = fault.Hint(fmt.Errorf("%q ends where a preset should follow", args[0]), "popsim models %s lists the presets; without one, leave the colon out", name)
	}
	bad.About(modelAbout, err)
	for _, arg := range args[1:] {
		s, err := q.setting(arg, extra)
		bad.Add(err)
		if slices.ContainsFunc(q.settings, func(t setting) bool { return err == nil && t.name == s.name }) {
			bad.Addf("%s is set twice", s.name)
		}
		if err == nil {
			q.settings = append(q.settings, s)
		}
	}
	return q, errors.Join(bad...)
}

// setting reads the name of one NAME=VALUE; extra names what the verb knows beside the model.
func (q question) setting(arg string, extra []string) (setting, error) {
	name, text, ok := strings.Cut(arg, "=")
	if !ok {
		return setting{}, fault.Hint(fmt.Errorf("%q is not NAME=VALUE", arg), "popsim help values tells how values are written")
	}
	m := q.model
	s := setting{name: name, text: text}
	state, isState := strings.CutSuffix(name, "0")
	switch j := m.Index(name); {
	case j >= 0:
		s.kind, s.index, s.unit = setsParam, j, m.Params[j].Unit
	case name == "I":
		s.kind, s.unit = setsCurrent, m.CurrentUnit
	case isState && m.StateIndex(state) >= 0:
		s.kind, s.index = setsState, m.StateIndex(state)
		s.unit = m.States[s.index].Unit
	case name == "gain" && slices.Contains(extra, name):
		s.kind, s.unit = setsGain, "1"
	default:
		return s, fault.About(name, q.unknown(name, extra))
	}
	return s, nil
}

// unknown is the error for a name that model and verb do not know.
func (q question) unknown(name string, extra []string) error {
	known := append(names(q.model), extra...)
	err := fmt.Errorf("%s has no %q", q.model.Name, name)
	if near := model.Nearest(name, known); near != "" {
		return fault.Hint(err, "did you mean %s=?", near)
	}
	return fault.Hint(err, "%s has %s", q.model.Name, strings.Join(known, ", "))
}

// names lists all that can be set of a model.
func names(m *model.Model) []string {
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

// axis reads a value that may be many; the sweep says how.
func (s setting) axis() (sweep.Axis, error) {
	a, err := sweep.ParseAxis(s.name, s.text, s.unit)
	if err == nil && s.kind == setsState && s.unit == "1" {
		err = s.gate(a)
	}
	return a, fault.About(s.name, err)
}

// gate checks that a gating variable stays a probability.
func (s setting) gate(a sweep.Axis) error {
	for i := range a.Len() {
		if x := a.At(i); x < 0 || x > 1 {
			return fmt.Errorf("%s is %v; a gate stays between 0 and 1", s.name, x)
		}
	}
	return nil
}

// single reads a value that must be one.
func (s setting) single(verb string) (float64, error) {
	a, err := s.axis()
	if err != nil {
		return 0, err
	}
	if a.Len() != 1 {
		return 0, fault.About(s.name, fault.Hint(fmt.Errorf("%s=%s has %d values, but %s takes one", s.name, s.text, a.Len(), verb),
			"popsim map goes through several"))
	}
	return a.At(0), nil
}

// point is a question with one value for everything: parameters, current and initial state, NaN where left alone.
type point struct {
	params  []float64
	current float64
	init    []float64
}

// base is the point that the preset gives, before anything is set.
func (q question) base() point {
	p := point{params: slices.Clone(q.preset.Params), current: q.preset.I, init: make([]float64, len(q.model.States))}
	if math.IsNaN(p.current) {
		p.current = 0
	}
	for j := range p.init {
		p.init[j] = math.NaN()
	}
	return p
}

// set puts one value in its place.
func (p *point) set(s setting, x float64) {
	switch s.kind {
	case setsParam:
		p.params[s.index] = x
	case setsCurrent:
		p.current = x
	case setsState:
		p.init[s.index] = x
	}
}
