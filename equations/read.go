// Package equations reads a neuron model from a TOML file of equations, checks names and units, and makes of it a
// model.Model with exact derivatives and a kernel for each method: a program of correctly rounded vector operations
// (kernels/vec), whose execution in plain Go defines its results.
//
// A file is parsed into expressions (package expression), these are converted to a graph in which equal formulas are
// one node (equations/graph), and that to the recordings of a kernels.Program. Values are kept in units in which those
// of neurons have the factor 1: mV, ms, pA, nS, GOhm, pF, and uA/cm2, mS/cm2, uF/cm2.
package equations

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"popsim/expression"
	"popsim/fault"
	"popsim/model"
	"popsim/tomltree"
)

// Load reads the model of a file.
func Load(path string) (*model.Model, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, data)
}

// Parse reads the model of the text of a file. The error holds all faults, by line and column.
func Parse(path string, data []byte) (*model.Model, error) {
	root, err := tomltree.Read(path, data)
	if err != nil {
		return nil, err
	}
	d := newDefinition(path)
	d.read(root)
	if err := d.faults.Err(); err != nil {
		return nil, err
	}
	for i, f := range d.slopes {
		d.slopes[i] = d.singularities(f)
	}
	m, err := d.model()
	if err == nil {
		m.Text = string(data)
	}
	return m, err
}

func (d *definition) fault(place, format string, args ...any) {
	d.faults.Add(fault.At(place, fmt.Errorf(format, args...)))
}

// formulaFault reports a fault of the formula in the text of e.
func (d *definition) formulaFault(e *tomltree.Entry, what string, err error) {
	var at *expression.Error
	if errors.As(err, &at) {
		d.fault(e.At(at.Column), "%s: %s", what, at.Message)
		return
	}
	d.fault(e.Place, "%s: %v", what, err)
}

// keys reports the keys of a table that are not known.
func (d *definition) keys(e *tomltree.Entry, what string, known ...string) {
	if e == nil {
		return
	}
	for _, c := range e.Items {
		if !slices.Contains(known, c.Key) {
			d.fault(c.Place, "%s has no key %q%s", what, c.Key, expression.Nearest(c.Key, known))
		}
	}
}

// table returns the table of a key; it reports a fault if it is missing and needed, or not a table.
func (d *definition) table(root *tomltree.Entry, key string, needed bool) *tomltree.Entry {
	e := root.Get(key)
	switch {
	case e == nil && needed:
		d.fault(root.Place, "no [%s]", key)
	case e != nil && e.Kind != tomltree.Table:
		d.fault(e.Place, "%s is a table, written [%[1]s]", key)
		return nil
	}
	return e
}

// text is the text of a key of a table, "" where there is none.
func (d *definition) text(e *tomltree.Entry, key string) (string, *tomltree.Entry) {
	c := e.Get(key)
	if c == nil {
		return "", nil
	}
	if c.Kind != tomltree.Text {
		d.fault(c.Place, "%s is a text in quotes", key)
		return "", nil
	}
	return c.Text, c
}

func (d *definition) read(root *tomltree.Entry) {
	d.keys(root, "a model", "neuron", "parameters", "states", "let", "equations", "spike", "preset")
	d.head(d.table(root, "neuron", true))
	parameters, states := d.table(root, "parameters", true), d.table(root, "states", true)
	lets, equations := d.table(root, "let", false), d.table(root, "equations", true)
	spike, presets := d.table(root, "spike", true), d.table(root, "preset", false)
	if states != nil {
		if n := len(states.Items); n == 0 || n > model.MaxStates {
			d.fault(states.Place, "%d states; a model has 1 to %d", n, model.MaxStates)
			return
		}
		d.states = make([]state, len(states.Items)) // its length numbers the variables
	}
	d.readParameters(parameters)
	d.readStates(states)
	if len(d.faults) > 0 && (parameters == nil || states == nil) {
		return
	}
	d.readLets(lets)
	d.readEquations(equations)
	d.readSpike(spike)
	d.readPresets(presets)
	if len(d.faults) == 0 {
		d.unused()
	}
}

func (d *definition) head(e *tomltree.Entry) {
	d.keys(e, "[neuron]", "name", "title", "source", "dt", "method", "units")
	d.name, _ = d.text(e, "name")
	d.title, _ = d.text(e, "title")
	d.source, _ = d.text(e, "source")
	d.method, _ = d.text(e, "method")
	switch units, at := d.text(e, "units"); units {
	case "", "strict":
	case "loose":
		d.loose = true
	default:
		d.fault(at.Place, "units is %q; it may be strict or loose", units)
	}
	if e != nil && d.name == "" {
		d.fault(e.Place, `no name; write name = "..."`)
	}
	if !plainName(d.name) && d.name != "" {
		d.fault(e.Get("name").Place, "name is %q; letters, digits, - and _ will do", d.name)
	}
	if d.title == "" {
		d.title = d.name
	}
	if c := e.Get("dt"); c != nil {
		q, ok := d.value(c, "dt")
		if ms := expression.UnitDimension("ms"); ok && (!q.fits(ms) || !(q.node.Value > 0)) {
			d.fault(c.Place, `dt is a positive time, such as "0.1 ms"`)
		}
		if ok {
			d.dt = q.node.Value
		}
	}
}

// formula is a key's text as a formula.
func (d *definition) formula(e *tomltree.Entry, what string) (quantity, bool) {
	if e.Kind != tomltree.Text && e.Kind != tomltree.Number {
		d.fault(e.Place, "%s is a formula in quotes", what)
		return quantity{}, false
	}
	q, err := d.parse(e.Text)
	if err != nil {
		d.formulaFault(e, what, err)
		return quantity{}, false
	}
	return q, true
}
