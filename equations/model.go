package equations

import (
	"fmt"
	"math"
	"slices"
	"sync"

	"popsim/equations/graph"
	"popsim/expression"
	"popsim/fault"
	"popsim/kernels"
	"popsim/model"
)

// function evaluates formulas at a state, for one parameter vector and current at a time. It may be used by several
// goroutines.
type function struct {
	tape *graph.Tape
	d    *definition
	free sync.Pool // *evaluation
}

// evaluation is the memory of a function. What depends on the parameters alone is computed once for equal ones.
type evaluation struct {
	variables []float64 // states, I, parts and lengths of a step, parameters
	scratch   []float64 // of the tape
	valid     bool      // a run has been made, with the parameters in variables
}

func (d *definition) function(nodes ...*graph.Node) *function {
	f := &function{tape: graph.NewTape(d.dynamic(), nodes...), d: d}
	variables := d.paramVar(len(d.parameters))
	f.free.New = func() any {
		return &evaluation{variables: make([]float64, variables), scratch: make([]float64, f.tape.Len())}
	}
	return f
}

// run writes the values to out.
func (f *function) run(p []float64, i float64, y, out []float64) {
	e := f.free.Get().(*evaluation)
	x, first, current := e.variables, f.d.paramVar(0), f.d.currentVar()
	copy(x[:current], y)
	x[current] = i
	if e.valid && slices.Equal(x[first:], p) {
		f.tape.Again(x[:current+1], e.scratch, out)
	} else {
		x[f.d.dtVar()] = f.d.dt
		copy(x[first:], p)
		f.tape.Run(x, e.scratch, out)
		e.valid = true
	}
	f.free.Put(e)
}

// withoutInput is run of formulas in which there is no current.
func (f *function) withoutInput(p, y, out []float64) { f.run(p, 0, y, out) }

// one is the value of the only formula.
func (f *function) one(p []float64, i float64, y []float64) float64 {
	var out [1]float64
	f.run(p, i, y, out[:])
	return out[0]
}

// model makes the model of a definition without faults, and provides its kernels.
func (d *definition) model() (*model.Model, error) {
	m := &model.Model{
		Name: d.name, Title: d.title, Source: d.source, CurrentUnit: d.current.Unit, Equations: d.equationTexts(),
		Given:     d.presets,
		SpikeRule: d.rule(), Fires: model.Crossing, File: d.path,
	}
	if m.Source == "" {
		m.Source = d.path
	}
	for _, p := range d.parameters {
		m.Params = append(m.Params, p.Param)
	}
	m.Typical = model.Typical{
		Current:  d.current.Default,
		Currents: []float64{d.current.Default},
		Largest:  2 * d.current.Default,
	}
	for _, s := range d.states {
		m.States = append(m.States, s.State)
	}
	starts := d.function(d.starts()...)
	m.Start = func(p, y []float64) { starts.run(p, 0, nil, y) }
	start := make([]float64, len(d.states))
	m.Start(m.Defaults(), start)
	for j, x := range start {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			s := d.states[j]
			return nil, fault.At(s.from.Place, fmt.Errorf("%s: the start is %v; it must be a finite number", s.Name, x))
		}
	}
	d.dynamics(m, start)
	if d.rearm != nil {
		rearm := d.function(d.rearm)
		m.RearmBy = func(p []float64) float64 { return rearm.one(p, 0, start) }
	}
	if d.reset != nil {
		m.Fires = model.Reset
		to := d.function(d.reset[0])
		m.ResetTo = func(p []float64) float64 {
			y := slices.Clone(start)
			y[0] = m.Threshold(p)
			return to.one(p, 0, y)
		}
		m.Hold = func([]float64) float64 { return 0 }
		if d.hold != nil {
			hold := d.function(d.hold)
			m.Hold = func(p []float64) float64 { return hold.one(p, 0, start) }
		}
	}
	if err := d.provide(m); err != nil {
		return nil, err
	}
	if d.method == "" {
		d.preferStiff(m)
	}
	d.limits(m)
	return m, nil
}

// starts are the states to start from.
func (d *definition) starts() []*graph.Node {
	nodes := make([]*graph.Node, len(d.states))
	for i, s := range d.states {
		nodes[i] = s.start
	}
	return nodes
}

// provide makes the kernels of all methods, the default first.
func (d *definition) provide(m *model.Model) error {
	var names []string
	for _, q := range methods {
		if q.applies == nil || q.applies(d) {
			names = append(names, q.Name)
		}
	}
	if d.method != "" && !slices.Contains(names, d.method) {
		return fault.At(d.path+":1:1",
			fmt.Errorf("method is %q%s; it may be %v", d.method, expression.Nearest(d.method, names), names))
	}
	for _, q := range methods {
		if !slices.Contains(names, q.Name) {
			continue
		}
		q.Dt = d.dt
		if math.IsNaN(q.Dt) {
			q.Dt = 0.05
		}
		if q.Name == d.method {
			m.Methods = append([]model.Method{q.Method}, m.Methods...)
		} else {
			m.Methods = append(m.Methods, q.Method)
		}
		kernels.Provide(m, q.Name, func() *kernels.Program {
			d.compiling.Lock() // the graph grows
			defer d.compiling.Unlock()
			return d.compile(q).program()
		})
	}
	return nil
}

// dynamics sets the vector field of m, its derivatives, and the functions that follow from them.
func (d *definition) dynamics(m *model.Model, start []float64) {
	n := len(d.states)
	slopes := d.function(d.slopes...)
	m.Deriv = slopes.run
	var jac []*graph.Node
	for _, f := range d.slopes {
		for j := range n {
			jac = append(jac, d.Derivative(f, j))
		}
	}
	m.Jacobian = d.function(jac...).run
	excess, slope := d.function(d.excess), d.function(d.Derivative(d.excess, 0))
	m.Threshold = func(p []float64) float64 {
		s := slope.one(p, 0, start)
		if s == 0 {
			return math.NaN() // the threshold is of another state
		}
		return start[0] - excess.one(p, 0, start)/s
	}
	rest := d.function(d.states[0].start)
	m.Rest = func(p []float64) float64 { return rest.one(p, 0, nil) }
	m.Spikes = d.spikeRules(excess)
	d.equilibria(m, start)
}

// spikeRules are the spike rule and the derivatives of the flow through a spike.
func (d *definition) spikeRules(excess *function) *model.SpikeRules {
	byStates := func(f ...*graph.Node) func(p, y, out []float64) {
		var all []*graph.Node
		for _, g := range f {
			for j := range d.states {
				all = append(all, d.Derivative(g, j))
			}
		}
		return d.function(all...).withoutInput
	}
	var byCurrent []*graph.Node
	for _, f := range d.slopes {
		byCurrent = append(byCurrent, d.Derivative(f, d.currentVar()))
	}
	r := &model.SpikeRules{
		Excess:    func(p, y []float64) float64 { return excess.one(p, 0, y) },
		Slope:     byStates(d.excess),
		ByCurrent: d.function(byCurrent...).run,
	}
	if d.reset != nil {
		r.Jump, r.JumpJacobian = d.function(d.reset...).withoutInput, byStates(d.reset...)
	}
	return r
}

// equationTexts are the formulas as they are written in the file, to be shown.
func (d *definition) equationTexts() []string {
	var lines []string
	for _, s := range d.states {
		lines = append(lines, fmt.Sprintf("d%s/dt = %s", s.Name, s.equation))
	}
	for _, l := range d.lets {
		lines = append(lines, fmt.Sprintf("%s = %s", l.from.Key, l.from.Text))
	}
	return lines
}

// rule describes what a spike is.
func (d *definition) rule() string {
	if d.reset == nil {
		return fmt.Sprintf("A spike is %s becoming true; the next one counts once the difference has been below by %s.",
			d.when, d.rearmText)
	}
	text := fmt.Sprintf("A spike is %s becoming true; then", d.when)
	for i, s := range d.states {
		if d.resets[i] != "" {
			text += fmt.Sprintf(" %s is put to %s,", s.Name, d.resets[i])
		}
	}
	if d.hold != nil {
		return text + fmt.Sprintf(" and %s is held for a while.", d.states[0].Name)
	}
	return text[:len(text)-1] + "."
}
