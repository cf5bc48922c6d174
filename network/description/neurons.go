package description

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"popsim/equations"
	"popsim/expression"
	"popsim/kernels"
	"popsim/model"
	"popsim/network"
)

// neurons reads a population of neurons of a model.
type neurons struct {
	*resolver
	e     *entry // the table
	p     *network.Population
	m     *model.Model
	known []string // keys that the table may have

	values *entry   // that of the key values, nil if there is none
	file   *columns // what it names
	trial  string   // ends the names of what is drawn anew in each trial
}

// neurons fills a population of neurons of a model.
func (r *resolver) neurons(e, kind *entry, p *network.Population) {
	n := &neurons{resolver: r, e: e, p: p, known: append(slices.Clone(populationKeys[:4]), "values", "I")}
	defaults, current, ok := n.model(kind)
	if !ok {
		return
	}
	if method := r.inherited(e, "method"); method != nil {
		var err error
		if p.Method, err = n.m.Method(method.text); err != nil {
			r.fault(method, "%w", err)
		}
	}
	if n.values = r.inherited(e, "values"); n.values != nil {
		n.file = r.file(n.values, n.values.text, p.N)
	}
	n.parameters(defaults, current)
	if r.o.Trial > 0 {
		n.trial = fmt.Sprintf(", trial %d", r.o.Trial)
	}
	n.start()
	n.check()
}

// model reads MODEL[:PRESET]; defaults and current are those of the preset. A path is relative to the description.
func (n *neurons) model(kind *entry) (defaults []float64, current float64, ok bool) {
	name, presetName, _ := strings.Cut(kind.text, ":")
	if equations.IsPath(name) && !filepath.IsAbs(name) {
		name = filepath.Join(filepath.Dir(n.d.Path), name)
	}
	m, err := equations.Lookup(name)
	if err != nil {
		n.fault(kind, "%w", err)
		return nil, 0, false
	}
	if equations.IsPath(name) {
		n.models[name] = fmt.Sprintf("%x", sha256.Sum256([]byte(m.Text)))
	}
	n.m, n.p.Model, defaults = m, m, m.Defaults()
	if presetName != "" || m.Outside() { // whose file gives a current where no preset is named
		preset, err := m.Preset(presetName)
		if err != nil {
			n.fault(kind, "%w", err)
			return nil, 0, false
		}
		defaults = preset.Params
		if !math.IsNaN(preset.I) {
			current = preset.I
		}
	}
	return defaults, current, true
}

// of is the value of a key for each neuron or all: that of the table, of what it is like, or of the file; nil if there
// is none.
func (n *neurons) of(key, unit string) kernels.Values {
	n.known = append(n.known, key)
	if c := n.inherited(n.e, key); c != nil {
		return n.perNeuron(c, unit, n.p.Name+"."+key+n.trial, n.p.N)
	}
	if n.file != nil && n.file.numbers[key] != nil {
		return n.file.numbers[key]
	}
	return nil
}

// parameters reads parameters of the model and the current.
func (n *neurons) parameters(defaults []float64, current float64) {
	n.p.P = make([]kernels.Values, len(n.m.Params))
	for j, q := range n.m.Params {
		if n.p.P[j] = n.of(q.Name, q.Unit); n.p.P[j] == nil {
			n.p.P[j] = kernels.Values{defaults[j]}
		}
	}
	if n.m.Fires == model.Crossing && !n.m.Outside() {
		n.p.TRef = n.of("t_ref", "ms")
	}
	if n.p.I = n.of("I", n.m.CurrentUnit); n.p.I == nil {
		n.p.I = kernels.Values{current}
	}
}

// start reads initial states, and initial values of synaptic variables: I_NAME0, g_NAME0, s_NAME0.
func (n *neurons) start() {
	n.p.Start = make([]kernels.Values, len(n.m.States))
	for j, q := range n.m.States {
		n.p.Start[j] = n.of(q.Name+"0", q.Unit)
	}
	units := map[string]string{"I_": n.m.CurrentUnit, "g_": perVolt(n.m.CurrentUnit), "s_": "1"}
	for _, s := range n.out.Spec.Synapses {
		if s.Kind == network.Delta {
			continue
		}
		for _, prefix := range slices.Sorted(maps.Keys(units)) {
			v := n.of(prefix+s.Name+"0", units[prefix])
			if v != nil && n.p.Synaptic == nil {
				n.p.Synaptic = map[string]kernels.Values{}
			}
			if v != nil {
				n.p.Synaptic[s.Name] = v
			}
		}
	}
}

// check reports keys, settings and columns of the file that are not names of the model.
func (n *neurons) check() {
	unknown(&n.faults, n.e, "population "+n.e.key+" ("+n.m.Name+")", n.known)
	for i, s := range n.o.Settings {
		if key, ok := strings.CutPrefix(s.Name, n.e.key+"."); ok && !n.used[i] {
			n.used[i] = true
			n.faults.Add(at(s.Place, fmt.Errorf("%s=%s: population %s (%s) has no %s%s",
				s.Name, s.Text, n.e.key, n.m.Name, key, expression.Nearest(key, n.known))))
		}
	}
	if n.file == nil {
		return
	}
	for _, c := range n.file.names {
		if !slices.Contains(n.known, c) && c != "neuron" {
			n.fault(n.values, "%s: column %q is no parameter of %s%s", n.values.text, c, n.m.Name,
				expression.Nearest(c, n.known))
		}
	}
}
