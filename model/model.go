// Package model defines the neurons: the equations of six classical single-neuron models, their parameters with units,
// defaults and valid ranges, their vector field and Jacobian, and the rule by which they spike.
//
// All other packages use this one definition: the kernels fold their constants from it, sweeps and help list its
// parameters, phase planes and bifurcation diagrams follow its vector field, and tests compare all of them with it.
// Times are ms, voltages mV. The integrate-and-fire models use R in GΩ, currents in pA and conductances in nS, so that
// R·I is in mV; the Hodgkin-Huxley models use densities: µF/cm², mS/cm², µA/cm².
package model

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// Model is one neuron model; other packages may define their own. Parameter vectors p hold len(Params) values in the
// order of Params; state vectors y hold len(States) values, the membrane potential first.
type Model struct {
	Name        string // as on the command line
	Title       string // as in prose
	Equations   []string
	Source      string
	Params      []Param
	States      []State
	Methods     []Method // the default first
	CurrentUnit string   // unit of the input current I
	Fires       Firing

	// Deriv writes dy/dt, in units of y per ms, at state y for input current i.
	Deriv func(p []float64, i float64, y, dy []float64)
	// Jacobian writes ∂(dy/dt)/∂y row by row, len(y)² values, in 1/ms times the ratio of units.
	Jacobian func(p []float64, i float64, y, jac []float64)
	// Steady writes the state in which everything but V is steady at the potential v (mV), and returns the input current
	// that would hold V there too: the steady current-voltage relation. Its roots in v are the equilibria.
	Steady func(p []float64, v float64, y []float64) (i float64)

	// Ambiguous reports whether the other states may have several steady values at one value of the first, of which
	// Steady finds one; nil means never.
	Ambiguous func(p []float64) bool

	// Threshold is the potential (mV) at which a spike is counted.
	Threshold func(p []float64) float64
	// ResetTo (mV) and Hold (ms) are the potential after a spike and the time for which it is held; of models that reset.
	ResetTo, Hold func(p []float64) float64
	// Reach is the range of potentials (mV) into which the membrane's own currents pull V; of models that cross.
	Reach func(p []float64) (low, high float64)
	// Equilibria lists the potentials (mV) of the equilibria for input current i in ascending order. nil means that
	// they are searched for in Reach.
	Equilibria func(p []float64, i float64) []float64
	// Rest is the potential (mV) to start from where there is no stable equilibrium.
	Rest func(p []float64) float64
	// Relations returns the faults between parameters that are valid one by one; nil means that there are none.
	Relations func(p []float64) []error
	// Limits returns the step sizes of StepLimits; nil means that there is no bound.
	Limits func(p []float64, method string) (usable, accurate float64)

	// Start writes the state to start from; nil means the resting state that Initial finds.
	Start func(p, y []float64)
	// File is the file that a model from outside was read from; its name on the command line.
	File string
	// Text is what that file holds.
	Text string
	// RearmBy is how far V must fall below the threshold before the next crossing counts; nil means Rearm.
	RearmBy func(p []float64) float64
	// Given are the presets of a model from outside. One without a name is the default.
	Given []Preset
	// Spikes holds the spike rule of a model from outside as functions of the state; nil of built-in models, whose rule
	// is that of V alone.
	Spikes *SpikeRules
	// SpikeRule describes in prose what a spike is; empty means the rule of Fires.
	SpikeRule string

	Typical  Typical
	Workload Workload
}

// SpikeRules are a spike rule in any of the states, with exact derivatives, and the derivatives of the flow that
// variational equations need at a spike. All slices have the layout of Deriv and Jacobian.
type SpikeRules struct {
	// Excess is the distance of a state beyond the threshold, in the unit of the compared quantities: the neuron spikes
	// when it reaches 0 from below. Slope writes its gradient by the states.
	Excess func(p, y []float64) float64
	Slope  func(p, y, g []float64)
	// Jump writes the state after the spike, from that at the spike, and JumpJacobian its derivatives row by row; nil of
	// models that cross. The first state is then held for Model.Hold.
	Jump, JumpJacobian func(p, y, out []float64)
	// ByCurrent writes ∂(dy/dt)/∂I.
	ByCurrent func(p []float64, i float64, y, out []float64)
}

// Typical holds input currents of a neuron with default parameters, in CurrentUnit, for tests, measurements and
// examples.
type Typical struct {
	Current  float64   // at which it fires regularly
	Currents []float64 // at which it fires, from near the onset on
	Largest  float64   // up to which it is of interest
	Silent   float64   // at which it stays silent
	Start    []float64 // a state from which it fires at Current; nil means Initial
}

// Workload is the setting of neurons whose kernels are timed. Currents are in CurrentUnit; with the zero Workload they
// are those of Typical.
type Workload struct {
	Preset string             // of the parameters; empty means the defaults
	Set    map[string]float64 // parameters that differ from the preset
	Usual  float64            // at which a neuron fires at 50 to 80 Hz; 0 means Typical.Current from Typical.Start
	Start  []float64          // a state from which it does at Usual; nil means Initial
	Silent float64            // at which it stays silent; 0 means Typical.Silent
	Fast   float64            // at which it fires at about 500 Hz without a refractory period; 0 means that it cannot
}

// Param is one parameter of a model.
type Param struct {
	Name    string
	Unit    string // "1" for a pure number
	Default float64
	Domain  Domain
	Doc     string
}

// Domain is the set of values a parameter may take; every domain excludes NaN and the infinities.
type Domain int

// The domains.
const (
	Any         Domain = iota // any finite number
	Positive                  // greater than zero
	NonNegative               // zero or greater
)

// State is one variable of a model.
type State struct {
	Name string
	Unit string
	Doc  string
}

// Column is the heading of the state in tables: name and unit.
func (s State) Column() string {
	if s.Unit == "1" {
		return s.Name
	}
	return s.Name + "_" + s.Unit
}

// Method is a way to advance a model by one step.
type Method struct {
	Name  string
	Order int     // of the spike times as dt → 0; 0 means exact
	Dt    float64 // default step, ms
	// that a spike should have between it and the end of refractoriness before it, for what StepLimits promises
	Steps  float64
	OnGrid bool // spikes and refractoriness stay on the grid of steps, as in other simulators
	Doc    string
}

// Firing is the rule for a spike of the model.
type Firing int

// The two rules.
const (
	// Reset: V reaches V_th, is set to V_reset and held there for t_ref.
	Reset Firing = iota
	// Crossing: V crosses V_th upwards; the next crossing counts once V has been below V_th - Rearm.
	Crossing
)

// Rearm is how far (mV) below V_th a Hodgkin-Huxley neuron must fall before its next upward crossing is a spike.
const Rearm = 20.0

// All lists the models in the order of help texts.
var All = []*Model{LIFModel, EIFModel, AdExModel, HHModel, RHHModel, HHTMModel}

// Names lists the names of All.
func Names() []string {
	names := make([]string, len(All))
	for i, m := range All {
		names[i] = m.Name
	}
	return names
}

// Lookup finds a model by its name on the command line.
func Lookup(name string) (*Model, error) {
	for _, m := range All {
		if m.Name == name {
			return m, nil
		}
	}
	return nil, unknown("model", name, Names())
}

// Outside reports whether m is no model of this package.
func (m *Model) Outside() bool { return m.Start != nil }

// membraneSize is the size of V (mV) in an action potential, by which sizes of first states that are no potentials and
// are of the order of 1 are compared with those of V.
const membraneSize = 50.0

// Scaled is the size of the first state that a size of V, in mV, is for membranes: the same, or smaller by 50 where the
// first state of a model from outside is no potential.
func (m *Model) Scaled(v float64) float64 {
	if m.Outside() && m.States[0].Unit != "mV" {
		return v / membraneSize
	}
	return v
}

// RearmDistance is how far V must fall below the threshold before the next crossing counts.
func (m *Model) RearmDistance(p []float64) float64 {
	if m.RearmBy != nil {
		return m.RearmBy(p)
	}
	return Rearm
}

// Index is the place of the named parameter in parameter vectors, or -1.
func (m *Model) Index(name string) int {
	for j, q := range m.Params {
		if q.Name == name {
			return j
		}
	}
	return -1
}

// StateIndex is the place of the named state in state vectors, or -1.
func (m *Model) StateIndex(name string) int {
	for j, s := range m.States {
		if s.Name == name {
			return j
		}
	}
	return -1
}

// Method finds a method by name; the empty name means the default.
func (m *Model) Method(name string) (Method, error) {
	if name == "" {
		return m.Methods[0], nil
	}
	var names []string
	for _, q := range m.Methods {
		if q.Name == name {
			return q, nil
		}
		names = append(names, q.Name)
	}
	return Method{}, unknown("method of "+m.Name, name, names)
}

// Defaults is a new parameter vector with the default of every parameter.
func (m *Model) Defaults() []float64 {
	p := make([]float64, len(m.Params))
	for j, q := range m.Params {
		p[j] = q.Default
	}
	return p
}

// Check reports every fault of a parameter vector at once, or nil.
func (m *Model) Check(p []float64) error {
	var faults []error
	sound := true
	for j, q := range m.Params {
		if fault := q.check(p[j]); fault != nil {
			faults = append(faults, fmt.Errorf("model: %s: %w", m.Name, fault))
			sound = false
		}
	}
	if sound && m.Relations != nil {
		for _, fault := range m.Relations(p) {
			faults = append(faults, fmt.Errorf("model: %s: %w", m.Name, fault))
		}
	}
	return errors.Join(faults...)
}

func (q Param) check(x float64) error {
	switch {
	case math.IsNaN(x) || math.IsInf(x, 0):
		return fmt.Errorf("%s is %v; it must be a finite number", q.Name, x)
	case q.Domain == Positive && x <= 0:
		return fmt.Errorf("%s is %v %s; it must be greater than 0", q.Name, x, q.Unit)
	case q.Domain == NonNegative && x < 0:
		return fmt.Errorf("%s is %v %s; it must not be negative", q.Name, x, q.Unit)
	}
	return nil
}

// The largest relative errors of the firing rate of a neuron that fires at rates like those of the presets:
const (
	DefaultError   = 1e-4 // at the default step, of methods with spikes inside the step
	AccurateError  = 3e-4 // up to the accurate step, of the same
	AccurateOnGrid = 0.04 // up to the accurate step, of methods that leave spikes on the grid
	UsableError    = 0.1  // up to the usable step; beyond, a method may be unstable or lose spikes as well
)

// StepLimits returns two step sizes (ms) for these parameters: beyond usable the results of the method are meaningless;
// beyond accurate its error is no longer small: see UsableError, AccurateError. They do not depend on the input,
// although a strong current makes all faster: Method.Steps is the criterion for that.
func (m *Model) StepLimits(method Method, p []float64) (usable, accurate float64) {
	if m.Limits == nil {
		return math.Inf(1), math.Inf(1)
	}
	return m.Limits(p, method.Name)
}

// Crowded reports whether steps of dt ms are too few for spikes that come free ms after the refractory period before
// them. An exact method has no such bound.
func (q Method) Crowded(free, dt float64) bool { return q.Steps > 0 && free < q.Steps*dt*(1-1e-9) }

// unknown is the error for a name that is not in the list, with the nearest one that is.
func unknown(what, name string, known []string) error {
	if near := Nearest(name, known); near != "" {
		return fmt.Errorf("model: there is no %s %q; did you mean %q?", what, name, near)
	}
	return fmt.Errorf("model: there is no %s %q (have %s)", what, name, strings.Join(known, ", "))
}

// Nearest is the known name closest to name by edit distance, ignoring case, or "" when none is near.
func Nearest(name string, known []string) string {
	best, least := "", 1+max(1, len(name)/2)
	for _, k := range known {
		if d := distance(strings.ToLower(name), strings.ToLower(k)); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance is the least number of letters to change, delete, insert or exchange with the next one to get from one short
// word to the other (the distance of Damerau and Levenshtein, with each letter edited once).
func distance(a, b string) int {
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
		for j := range d[i] {
			switch {
			case i == 0:
				d[i][j] = j
			case j > 0:
				substitute := d[i-1][j-1]
				if a[i-1] != b[j-1] {
					substitute++
				}
				d[i][j] = min(substitute, d[i-1][j]+1, d[i][j-1]+1)
				if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
					d[i][j] = min(d[i][j], d[i-2][j-2]+1)
				}
			}
		}
	}
	return d[len(a)][len(b)]
}
