// Package equations reads a neuron model from a TOML file of equations, checks names and units, and makes of it a
// model.Model with exact derivatives and a kernel for each method: a program of correctly rounded vector operations
// (kernels/vec), whose plain-Go execution is its meaning.
//
// A file becomes expressions (expression), these a graph in which equal formulas are one node (equations/graph), and
// that the recordings of a kernels.Program. Values are kept in units in which those of neurons have the factor 1: mV,
// ms, pA, nS, GOhm, pF, and uA/cm2, mS/cm2, uF/cm2.
package equations

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"sync"

	"popsim/equations/graph"
	"popsim/expression"
	"popsim/fault"
	"popsim/model"
	"popsim/tomltree"
)

// mostNodes is how many operations equations may have, and maxNodes how many they and their derivatives by all states,
// so that no file takes long.
const (
	mostNodes = 1_500
	maxNodes  = 20_000
)

// definition is what a file says, as formulas. Variables are the states in their order, the input current, the part of
// a step, dt, and the parameters.
type definition struct {
	*formulas
	path   string
	faults fault.List

	name, title, source, method string
	dt                          float64

	parameters []parameter // without I
	current    parameter
	states     []state
	lets       []*let
	byName     map[string]*quantity
	letByName  map[string]*let

	slopes []*graph.Node // dy/dt
	// excess is by how much a state is beyond the threshold. reset is nil of a crossing, hold where nothing is held.
	excess, rearm, hold *graph.Node
	reset               []*graph.Node
	when, rearmText     string
	resets              []string // as they were written
	presets             []model.Preset
	removed             int // singularities
	compiling           sync.Mutex
}

type parameter struct {
	model.Param
	dim  expression.Dimension
	node *graph.Node
	from *tomltree.Entry
}

type state struct {
	model.State
	start    float64
	dim      expression.Dimension
	node     *graph.Node
	from     *tomltree.Entry
	equation string
}

// let is a named formula. It is read when it is first needed.
type let struct {
	from  *tomltree.Entry
	value *quantity
	begun bool
}

// Numbers of the variables behind the states.
func (d *definition) currentVar() int { return len(d.states) }
func (d *definition) partVar() int    { return len(d.states) + 1 }
func (d *definition) dtVar() int      { return len(d.states) + 2 }
func (d *definition) paramVar(j int) int {
	return len(d.states) + 3 + j
}

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

func newDefinition(path string) *definition {
	d := &definition{path: path, dt: math.NaN(), byName: map[string]*quantity{}, letByName: map[string]*let{}}
	d.formulas = &formulas{Graph: graph.New(), lookup: d.find, known: d.names}
	return d
}

func (d *definition) fault(place, format string, args ...any) {
	d.faults.Add(fault.At(place, fmt.Errorf(format, args...)))
}

// formulaFault tells a fault of the formula that is the text of e.
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

// table is the table of a key; where it is missing or none, that is a fault.
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

func plainName(s string) bool {
	for _, r := range s {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_') {
			return false
		}
	}
	return true
}

// reserved are names that files cannot give.
var reserved = map[string]string{
	"t": "time", "dt": "the time step", "gain": "the factor of the stimulus",
}

// mayName checks the name of a parameter, a state or a formula.
func (d *definition) mayName(e *tomltree.Entry, isParameter bool) bool {
	name := e.Key
	parsed, err := expression.Parse(name)
	meaning, isReserved := reserved[name]
	switch {
	case isReserved:
		d.fault(e.Place, "%s: the name is reserved for %s", name, meaning)
	case name == "I" && !isParameter:
		d.fault(e.Place, "I: the name is reserved for the input current, which stands in [parameters]")
	case expression.Reserved(name):
		d.fault(e.Place, "%s: the name is reserved: it is a unit or a function", name)
	case err != nil || parsed.Root.Op != expression.Name && parsed.Root.Op != expression.UnitName ||
		parsed.Text != strings.TrimSpace(name):
		d.fault(e.Place, "%q is no name; letters, digits and _ will do", name)
	case d.byName[name] != nil || d.letByName[name] != nil:
		d.fault(e.Place, "%s: the name stands twice", name)
	default:
		return true
	}
	return false
}

// value is a number with its unit, as a text or a bare number.
func (d *definition) value(e *tomltree.Entry, what string) (quantity, bool) {
	if e.Kind != tomltree.Text && e.Kind != tomltree.Number {
		d.fault(e.Place, `%s is a number or a text such as "10 mV"`, what)
		return quantity{}, false
	}
	f := formulas{
		Graph: d.Graph, loose: d.loose, known: func() []string { return nil },
		lookup: func(string) (*quantity, error) { return nil, nil },
	}
	q, err := f.parse(e.Text)
	if err != nil {
		d.formulaFault(e, what, err)
		return q, false
	}
	if q.node.Kind != graph.Const || math.IsNaN(q.node.Value) || math.IsInf(q.node.Value, 0) {
		d.fault(e.Place, "%s: %q is not a finite number", what, e.Text)
		return q, false
	}
	return q, true
}

func (d *definition) readParameters(e *tomltree.Entry) {
	if e == nil {
		return
	}
	for _, c := range e.Items {
		if !d.mayName(c, true) {
			continue
		}
		p, value := parameter{from: c}, c
		p.Name = c.Key
		if c.Kind == tomltree.Table {
			d.keys(c, c.Key, "value", "domain", "doc")
			p.Doc, _ = d.text(c, "doc")
			p.Domain = d.domain(c)
			if value = c.Get("value"); value == nil {
				d.fault(c.Place, "%s has no value", c.Key)
				continue
			}
		}
		q, ok := d.value(value, c.Key)
		if !ok {
			q = quantity{node: d.Const(1), loose: true} // so that formulas with it are still looked at
		}
		p.dim, p.Default = q.dim, q.node.Value
		p.Unit = unitName(value.Text, q.dim)
		if c.Key == "I" {
			p.node = d.Var(d.currentVar())
			d.current = p
		} else {
			p.node = d.Var(d.paramVar(len(d.parameters)))
			d.parameters = append(d.parameters, p)
		}
		d.byName[p.Name] = &quantity{p.node, p.dim, q.loose}
		if fault := d.outside(p); ok && fault != "" {
			d.fault(value.Place, "%s is %v %s; %s", p.Name, p.Default, p.Unit, fault)
		}
	}
	if d.current.from == nil {
		d.fault(e.Place, `no I: the input current, such as I = "0 pA", is needed too; `+
			`its unit is that of what is added to it`)
	}
}

func (d *definition) domain(e *tomltree.Entry) model.Domain {
	text, at := d.text(e, "domain")
	switch text {
	case "", "any":
		return model.Any
	case "positive":
		return model.Positive
	case "non-negative":
		return model.NonNegative
	}
	d.fault(at.Place, "domain is %q; it may be any, positive or non-negative", text)
	return model.Any
}

// outside says what a parameter's value should be, "" where it is.
func (d *definition) outside(p parameter) string {
	switch {
	case p.Domain == model.Positive && !(p.Default > 0):
		return "it must be greater than 0"
	case p.Domain == model.NonNegative && !(p.Default >= 0):
		return "it must not be negative"
	}
	return ""
}

func (d *definition) readStates(e *tomltree.Entry) {
	if e == nil {
		return
	}
	for i, c := range e.Items {
		s := &d.states[i]
		s.from, s.Name, s.node = c, c.Key, d.Var(i)
		ok := d.mayName(c, false)
		q, good := d.value(c, c.Key)
		if !good {
			q = quantity{node: d.Const(0), loose: true}
		}
		s.start, s.dim, s.Unit = q.node.Value, q.dim, unitName(c.Text, q.dim)
		if ok {
			d.byName[s.Name] = &quantity{s.node, s.dim, q.loose}
		}
	}
	for _, s := range d.states {
		if d.byName[s.Name+"0"] != nil {
			d.fault(s.from.Place, "%s: its start is set as %s0, which is the name of something else", s.Name, s.Name)
		}
	}
}

func (d *definition) readLets(e *tomltree.Entry) {
	if e == nil {
		return
	}
	for _, c := range e.Items {
		if !d.mayName(c, false) {
			continue
		}
		if c.Kind != tomltree.Text {
			d.fault(c.Place, "%s is a formula in quotes", c.Key)
			d.byName[c.Key] = &quantity{node: d.Const(0), loose: true}
			continue
		}
		l := &let{from: c}
		d.lets, d.letByName[c.Key] = append(d.lets, l), l
	}
	for _, l := range d.lets {
		_, _ = d.find(l.from.Key)
	}
}

// find is what a name stands for, nil where it stands for nothing. Faults of a formula are told once; what uses it
// takes it to be in any unit.
func (d *definition) find(name string) (*quantity, error) {
	if q := d.byName[name]; q != nil {
		return q, nil
	}
	l := d.letByName[name]
	switch {
	case l == nil:
		return nil, nil
	case l.value != nil:
		return l.value, nil
	case l.begun:
		return nil, fmt.Errorf("%s depends on itself", name)
	}
	l.begun = true
	q, err := d.parse(l.from.Text)
	if err != nil {
		d.formulaFault(l.from, name, err)
		q = quantity{node: d.Const(0), loose: true}
	}
	l.value = &q
	return l.value, nil
}

// names lists all that formulas may name.
func (d *definition) names() []string {
	names := slices.AppendSeq(slices.Collect(maps.Keys(d.byName)), maps.Keys(d.letByName))
	slices.Sort(names)
	return names
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

func (d *definition) readEquations(e *tomltree.Entry) {
	if e == nil {
		return
	}
	var names []string
	for i := range d.states {
		names = append(names, d.states[i].Name)
	}
	d.keys(e, "[equations]", names...)
	for i := range d.states {
		s := &d.states[i]
		c := e.Get(s.Name)
		if c == nil {
			d.fault(e.Place, "no equation of %s", s.Name)
			continue
		}
		q, ok := d.formula(c, s.Name)
		want := s.dim.Per(expression.UnitDimension("ms"))
		if ok && !q.fits(want) && !(d.loose && q.dim == s.dim) {
			d.fault(c.At(1), "%s: d%[1]s/dt is in %s; it should be in %s", s.Name, dimName(q.dim), dimName(want))
		}
		s.equation = c.Text
		d.slopes = append(d.slopes, q.node)
	}
}

func (d *definition) readSpike(e *tomltree.Entry) {
	if e == nil {
		return
	}
	d.keys(e, "[spike]", "when", "reset", "rearm", "hold")
	when, at := d.text(e, "when")
	if at == nil {
		d.fault(e.Place, `no when; write when = "V >= V_peak"`)
		return
	}
	d.when = when
	parsed, err := expression.Parse(when)
	var a, b quantity
	if err == nil {
		a, b, err = d.comparison(parsed.Root)
	}
	if err != nil {
		d.formulaFault(at, "when", err)
		return
	}
	d.excess = d.Sub(b.node, a.node) // a < b
	both, _ := d.alike(1, "", nil, a, b)
	if d.excess.Among(d.dynamic()&^d.stateMask()) || !d.excess.Among(d.stateMask()) {
		d.fault(at.At(1), "when: a spike is told by states and parameters, such as V >= V_peak")
	}
	reset, rearm := e.Get("reset"), e.Get("rearm")
	switch {
	case (reset == nil) == (rearm == nil):
		d.fault(e.Place, `a spike needs one of reset = { V = "..." } and, where nothing jumps, `+
			`rearm = "20 mV": how far V must sink below before the next`)
	case reset != nil && reset.Kind != tomltree.Table:
		d.fault(reset.Place, `reset is a table, written { V = "c", u = "u + d" }`)
	case reset != nil:
		d.readReset(reset)
	default:
		q, ok := d.formula(rearm, "rearm")
		if ok && !q.fits(both.dim) && !both.loose {
			d.fault(rearm.At(1), "rearm is in %s; it should be in %s", dimName(q.dim), dimName(both.dim))
		}
		if ok && q.node.Among(d.dynamic()) {
			d.fault(rearm.At(1), "rearm: only parameters may stand here")
		}
		d.rearm, d.rearmText = q.node, rearm.Text
	}
	if hold := e.Get("hold"); hold != nil {
		d.readHold(hold, reset != nil)
	}
}

func (d *definition) readReset(e *tomltree.Entry) {
	d.reset = make([]*graph.Node, len(d.states))
	d.resets = make([]string, len(d.states))
	var names []string
	for i, s := range d.states {
		names = append(names, s.Name)
		d.reset[i] = s.node
		c := e.Get(s.Name)
		if c == nil {
			continue
		}
		q, ok := d.formula(c, "reset of "+s.Name)
		if !ok {
			continue
		}
		if !q.fits(s.dim) {
			d.fault(c.At(1), "reset of %s is in %s; it should be in %s", s.Name, dimName(q.dim), dimName(s.dim))
		}
		if q.node.Among(d.dynamic() &^ d.stateMask()) {
			d.fault(c.At(1), "reset of %s: a reset depends on states and parameters, not on I", s.Name)
		}
		d.reset[i], d.resets[i] = q.node, c.Text
	}
	d.keys(e, "reset", names...)
}

func (d *definition) readHold(e *tomltree.Entry, resets bool) {
	q, ok := d.formula(e, "hold")
	switch ms := expression.UnitDimension("ms"); {
	case !ok:
	case !resets:
		d.fault(e.Place, "hold: without a reset nothing is held")
	case !q.fits(ms):
		d.fault(e.At(1), "hold is in %s; it should be in ms", dimName(q.dim))
	case q.node.Among(d.dynamic()):
		d.fault(e.At(1), "hold: only parameters may stand here")
	case q.node.Kind == graph.Const && !(q.node.Value >= 0):
		d.fault(e.At(1), "hold is %v ms; it must not be negative", q.node.Value)
	case !q.node.Is(0):
		d.hold = q.node
	}
}

// stateMask has the bits of the states, dynamic also those of the current and of the part of a step.
func (d *definition) stateMask() uint64 { return 1<<len(d.states) - 1 }
func (d *definition) dynamic() uint64   { return 1<<(len(d.states)+2) - 1 }

func (d *definition) readPresets(e *tomltree.Entry) {
	base := model.Preset{I: d.current.Default, Source: d.source}
	for _, p := range d.parameters {
		base.Params = append(base.Params, p.Default)
	}
	d.presets = []model.Preset{base}
	if e == nil {
		return
	}
	for _, c := range e.Items {
		if c.Kind != tomltree.Table || !plainName(c.Key) {
			d.fault(c.Place, "a preset is a table [preset.NAME], its name of letters, digits, - and _")
			continue
		}
		s := model.Preset{Name: c.Key, I: base.I, Params: slices.Clone(base.Params), Source: d.source}
		known := []string{"source", "note", "I"}
		for j, p := range d.parameters {
			known = append(known, p.Name)
			d.presetValue(c.Get(p.Name), p, &s.Params[j])
		}
		d.presetValue(c.Get("I"), d.current, &s.I)
		d.keys(c, "preset "+c.Key, known...)
		if text, _ := d.text(c, "source"); text != "" {
			s.Source = text
		}
		s.Note, _ = d.text(c, "note")
		d.presets = append(d.presets, s)
	}
}

func (d *definition) presetValue(e *tomltree.Entry, p parameter, to *float64) {
	if e == nil {
		return
	}
	q, ok := d.value(e, p.Name)
	if !ok {
		return
	}
	if !q.fits(p.dim) {
		d.fault(e.At(1), "%s is in %s; it should be in %s", p.Name, dimName(q.dim), p.Unit)
	}
	*to, p.Default = q.node.Value, q.node.Value
	if fault := d.outside(p); fault != "" {
		d.fault(e.Place, "%s is %v %s; %s", p.Name, p.Default, p.Unit, fault)
	}
}

// unused reports parameters that nothing depends on, and formulas that are too long.
func (d *definition) unused() {
	seen := map[int]bool{}
	roots := append(slices.Clone(d.slopes), d.excess)
	for _, n := range append(slices.Clone(d.reset), d.rearm, d.hold) {
		if n != nil {
			roots = append(roots, n)
		}
	}
	count := 0
	graph.Each(func(n *graph.Node) {
		count++
		if n.Kind == graph.Var {
			seen[n.Index] = true
		}
	}, roots...)
	for j, p := range d.parameters {
		if !seen[d.paramVar(j)] {
			d.fault(p.from.Place, "%s is not used by anything", p.Name)
		}
	}
	if !seen[d.currentVar()] {
		d.fault(d.current.from.Place,
			"I is not used by any equation; the input current belongs into one, such as V = \"... + I\"")
	}
	if limit := min(mostNodes, maxNodes/(1+len(d.states))); count > limit {
		d.fault(d.path+":1:1", "equations of %d operations; with %d states at most %d are possible", count, len(d.states),
			limit)
	}
}
