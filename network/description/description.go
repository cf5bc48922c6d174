// Package description reads networks from TOML files and converts them to a network.Spec: parameters with units and
// expressions, populations, synapses, projections, inputs. A file is read strictly: all faults together, by line and
// column.
package description

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"popsim/expression"
	"popsim/fault"
	"popsim/model"
	"popsim/network"
)

// Description is a network as its file describes it.
type Description struct {
	Path   string // as the file was named; paths in it are relative to it
	Title  string
	Source string
	Text   string // of the file

	others []string // presets that are files of their own
	root   *entry
	faults fault.List // of its structure
}

// The keys of each kind of table; those of populations are completed by the parameters and states of their model.
var (
	topKeys = []string{
		"title",
		"source",
		"dt",
		"time",
		"discard",
		"parameters",
		"population",
		"synapse",
		"projection",
		"input",
		"measure",
		"preset",
		"map",
	}
	mapKeys        = []string{"points", "time", "discard", "spikes-on-grid"}
	populationKeys = []string{"model", "n", "like", "method", "rate", "times", "values", "I"}
	synapseKeys    = []string{"kind", "tau", "tau_rise", "tau_decay", "E", "alpha", "Mg", "approximate"}
	projectionKeys = []string{"from", "to", "synapse", "rule", "weight", "delay", "autapses", "multapses", "pairs"}
	inputKeys      = []string{
		"to",
		"poisson",
		"spikes",
		"current",
		"noise",
		"synapse",
		"weight",
		"delay",
		"start",
		"stop",
		"redraw",
		"gain",
	}
)

// foreign maps names of other simulators to those used here.
var foreign = map[string]string{
	"fixed_indegree": `rule = "in-degree:K"`, "indegree": `rule = "in-degree:K"`,
	"fixed_outdegree": `rule = "out-degree:K"`,
	"outdegree":       `rule = "out-degree:K"`, "pairwise_bernoulli": `rule = "probability:P"`,
	"p":                  `rule = "probability:P"`,
	"fixed_total_number": `rule = "total:N"`, "all_to_all": `rule = "all-to-all"`, "one_to_one": `rule = "one-to-one"`,
	"FixedProbabilityConnector": `rule = "probability:P"`, "FixedNumberPreConnector": `rule = "in-degree:K"`,
	"AllToAllConnector": `rule = "all-to-all"`, "OneToOneConnector": `rule = "one-to-one"`,
	"allow_autapses": "autapses", "allow_self_connections": "autapses", "allow_multapses": "multapses",
	"syn_spec":  "synapse",
	"conn_spec": "rule", "receptor_type": "synapse", "synapse_model": "synapse", "weights": "weight", "delays": "delay",
	"E_L": "V_rest", "V_m": "V0", "tau_m": "tau", "v_rest": "V_rest", "v_reset": "V_reset", "v_thresh": "V_th",
	"tau_refrac": "t_ref",
	"i_offset":   "I", "I_e": "I", "tau_syn": "tau of a synapse", "tau_syn_ex": "tau of a synapse",
	"tau_syn_in": "tau of a synapse",
	"threshold":  "V_th", "reset": "V_reset", "refractory": "t_ref", "N": "n", "size": "n", "populations": "population",
	"projections": "projection", "synapses": "synapse", "inputs": "input", "params": "parameters", "presets": "preset",
}

// absent are things that networks here do not have.
var absent = map[string]string{
	"plasticity": "plasticity", "stdp": "plasticity", "gap_junction": "gap junctions", "compartment": "compartments",
}

// Parse reads a description from the text of a file. It is an error if the text is not TOML; all other faults are
// reported by Resolve.
func Parse(path string, data []byte) (*Description, error) {
	root, faults, err := readTOML(path, data)
	if err != nil {
		return nil, err
	}
	d := &Description{Path: path, Text: string(data), root: root}
	unknown(&faults, root, "a network", topKeys)
	for _, to := range []struct {
		key  string
		text *string
	}{{"title", &d.Title}, {"source", &d.Source}} {
		if e := root.get(to.key); e != nil && e.kind != scalarText {
			faults.Add(fault.At(e.place, fmt.Errorf("%s is a text", to.key)))
		} else if e != nil {
			*to.text = e.text
		}
	}
	for _, key := range []string{"parameters", "population", "synapse", "projection", "input", "measure", "preset"} {
		e := root.get(key)
		if e == nil {
			continue
		}
		if e.kind != table {
			faults.Add(fault.At(e.place, fmt.Errorf("%s is a table", key)))
			continue
		}
		for _, c := range e.items {
			if key != "parameters" && key != "preset" && !goodName(c.key, true) {
				faults.Add(
					fault.At(c.place, fmt.Errorf("%q is no name of a %s; names consist of letters, digits, _ and -", c.key, key)),
				)
			}
			if key != "parameters" && c.kind != table {
				faults.Add(fault.At(c.place, fmt.Errorf("%s.%s is a table, written [%[1]s.%[2]s]", key, c.key)))
			}
		}
	}
	if e := root.get("map"); e != nil && e.kind != table {
		faults.Add(fault.At(e.place, errors.New("map is a table")))
	} else if e != nil {
		unknown(&faults, e, "[map]", mapKeys)
	}
	if p := root.get("population"); p == nil || len(p.items) == 0 {
		faults.Add(fault.At(root.place, errors.New("no [population.NAME]")))
	}
	d.faults = faults
	return d, nil
}

// unknown reports the unknown keys of a table, with the nearest known key, or the one for another simulator's name.
func unknown(faults *fault.List, e *entry, what string, known []string) {
	for _, c := range e.items {
		if slices.Contains(known, c.key) {
			continue
		}
		err := fmt.Errorf("%s has no key %q%s", what, c.key, expression.Nearest(c.key, known))
		if name, ok := absent[c.key]; ok {
			err = fmt.Errorf("%s has no key %q: networks here have no %s", what, c.key, name)
		} else if name, ok := foreign[c.key]; ok {
			err = fmt.Errorf("%s has no key %q; here it is %s", what, c.key, name)
		}
		faults.Add(fault.At(c.place, err))
	}
}

// Presets lists the names of presets, in the order of the file.
func (d *Description) Presets() []string {
	var names []string
	if e := d.root.get("preset"); e != nil {
		for _, p := range e.items {
			names = append(names, p.key)
		}
	}
	for _, p := range d.others {
		if !slices.Contains(names, p) {
			names = append(names, p)
		}
	}
	return names
}

// Setting is NAME=VALUE: of an entry of [parameters], or POPULATION.NAME of a population's parameter.
type Setting struct {
	Name, Text string
	Place      string // where it stands; empty on a command line
}

// Flags are names of settings of a run that are flags of the command line, not NAME=VALUE.
var Flags = []string{"dt", "time", "discard", "seed", "trials", "workers", "method", "isa", "noise", "waveform"}

// Options are settings with which a description is converted to a Spec.
type Options struct {
	Preset   string
	Settings []Setting
	Seed     uint64
	Trial    uint64  // initial states and inputs of each trial are drawn anew; all else is that of Seed
	Dt       float64 // ms; 0 is that of the description, or else usualDt
	OnGrid   bool
	Memory   float64 // bytes that may be used; 0 is no limit
}

// Result is a resolved network: the Spec and the defaults of flags.
type Result struct {
	Spec          *network.Spec
	Time, Discard float64     // ms; 0 where the description gives none
	Parameters    []Parameter // in the order of the file
	Files         []File      // @files that were read, by path, then files of models
	Measures      []Measure   // in the order of the file
	Map           MapDefaults

	description *Description
}

// Build is network.Build of the Spec; errors about a table of the description say where it is.
func (r *Result) Build(ctx context.Context, cfg network.Config) (*network.Network, error) {
	n, err := network.Build(ctx, r.Spec, cfg)
	if err != nil {
		return nil, r.description.located(err)
	}
	return n, nil
}

// MapDefaults are defaults of flags for sweeps of many points.
type MapDefaults struct {
	Points        int     // the least number of them
	Time, Discard float64 // ms; 0 where the description gives none
	OnGrid        bool
}

// Parameter is an entry of [parameters].
type Parameter struct {
	Name  string
	Text  string  // as given
	Value float64 // in Unit
	Unit  string
}

// Resolve evaluates the description. The error holds all faults.
func (d *Description) Resolve(o Options) (*Result, error) {
	r := &resolver{
		d: d, o: o, dims: map[string]expression.Dimension{}, values: map[string]float64{}, units: map[string]string{},
		out: &Result{
			Spec:        &network.Spec{Seed: o.Seed, Trial: o.Trial, OnGrid: o.OnGrid},
			description: d,
		},
		populations: map[string]int{},
		used:        map[int]bool{},
		files:       map[string]*columns{}, models: map[string]string{}, broken: map[string]bool{},
		faults: slices.Clone(d.faults),
	}
	r.parameters()
	r.out.Time, r.out.Discard = r.optional(d.root, "time", "ms", 0), r.optional(d.root, "discard", "ms", 0)
	if e := d.root.get("time"); e != nil && !(r.out.Time > 0) && len(r.faults) == 0 {
		r.fault(e, "%g ms; it must be greater than 0", r.out.Time)
	}
	if r.out.Discard < 0 {
		r.fault(d.root.get("discard"), "%g ms; it must be 0 or more", r.out.Discard)
	}
	if e := d.root.get("map"); e != nil {
		m := &r.out.Map
		m.Points = int(r.optional(e, "points", "1", 1))
		m.Time, m.Discard = r.optional(e, "time", "ms", 0), r.optional(e, "discard", "ms", 0)
		m.OnGrid = r.flag(e, "spikes-on-grid", false)
		if m.Time < 0 || m.Discard < 0 {
			r.fault(e, "times are %g and %g ms; they must be 0 or more", m.Time, m.Discard)
		}
	}
	r.out.Spec.Dt = r.optional(d.root, "dt", "ms", r.usualDt())
	if o.Dt > 0 {
		r.out.Spec.Dt = o.Dt
	}
	r.eachOf("synapse", r.synapse)
	r.eachOf("population", r.population)
	r.eachOf("projection", r.projection)
	r.eachOf("input", r.input)
	r.eachOf("measure", r.measure)
	for i, s := range o.Settings {
		if !r.used[i] {
			near := expression.Nearest(s.Name, slices.Sorted(maps.Keys(r.values)))
			if slices.Contains(Flags, s.Name) {
				near = fmt.Sprintf("; --%s %s sets it", s.Name, s.Text)
			}
			r.faults.Add(at(s.Place, fmt.Errorf("%s=%s: the network has no parameter %[1]s%[3]s", s.Name, s.Text, near)))
		}
	}
	if len(r.faults) == 0 {
		r.faults.Add(d.located(r.out.Spec.Check()))
	}
	if err := r.faults.Err(); err != nil {
		return nil, err
	}
	for _, path := range slices.Sorted(maps.Keys(r.files)) {
		r.out.Files = append(r.out.Files, File{path, r.files[path].sum})
	}
	for _, path := range slices.Sorted(maps.Keys(r.models)) {
		r.out.Files = append(r.out.Files, File{path, r.models[path]})
	}
	return r.out, nil
}

// usualDt is the step (ms) of a description that names none: 0.1, or less where a population is of a model that needs
// less by its own method, as the Hodgkin-Huxley models do.
func (r *resolver) usualDt() float64 {
	dt := 0.1
	r.eachOf("population", func(e *entry) {
		if kind := r.inherited(e, "model"); kind != nil {
			name, _, _ := strings.Cut(kind.text, ":")
			if m, err := model.Lookup(name); err == nil && m.Fires == model.Crossing {
				dt = min(dt, m.Methods[0].Dt)
			}
		}
	})
	return dt
}

func (r *resolver) eachOf(key string, f func(*entry)) {
	if e := r.d.root.get(key); e != nil {
		for _, c := range e.items {
			if c.kind == table {
				f(c)
			}
		}
	}
}

// split cuts text at separators outside parentheses.
func split(text string, separator rune) (words []string) {
	depth, start := 0, 0
	for i, c := range text {
		switch {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == separator && depth == 0:
			words, start = append(words, text[start:i]), i+len(string(c))
		}
	}
	return append(words, text[start:])
}
