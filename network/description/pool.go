package description

import (
	"maps"
	"slices"

	"popsim/expression"
	"popsim/network"
)

// pool reads a population, a part "E:0:239", one neuron "E:5", or a list of them.
func (r *resolver) pool(from *entry, key string) (parts []network.Part) {
	for _, e := range r.members(from, key) {
		p, ok := r.part(e)
		if !ok {
			continue
		}
		for _, o := range parts {
			first, last := max(o.First, p.First), min(o.First+o.N, p.First+p.N)-1
			if o.Population == p.Population && first <= last {
				r.fault(e, "neurons %d to %d of %s are there twice", first, last, r.out.Spec.Populations[p.Population].Name)
			}
		}
		parts = append(parts, p)
	}
	return parts
}

func (r *resolver) members(from *entry, key string) []*entry {
	e := from.get(key)
	switch {
	case e == nil:
		r.fault(from, "%s is missing", key)
		return nil
	case e.kind == list:
		if len(e.items) == 0 {
			r.fault(e, "the list is empty; a population or a part of it is needed")
		}
		for _, item := range e.items {
			item.key = key
		}
		return e.items
	}
	return []*entry{e}
}

func (r *resolver) part(e *entry) (network.Part, bool) {
	words := split(e.text, ':')
	if e.kind != scalarText || len(words) > 3 {
		r.fault(e, "%q: a population or a part of it, such as \"E\" or \"E:0:239\", is needed", e.text)
		return network.Part{}, false
	}
	j, ok := r.populations[words[0]]
	if !ok {
		r.fault(e, "no population %q%s", words[0], expression.Nearest(words[0], slices.Sorted(maps.Keys(r.populations))))
		return network.Part{}, false
	}
	part := network.Part{Population: j, N: r.out.Spec.Populations[j].N}
	if len(words) > 1 {
		first, ok := r.whole(e, words[1])
		last, fine := r.whole(e, words[len(words)-1])
		if !ok || !fine {
			return part, false
		}
		if first < 0 || last < first || last >= part.N {
			r.fault(e, "%q: %s has neurons 0 to %d", e.text, words[0], part.N-1)
			return part, false
		}
		part.First, part.N = first, last-first+1
	}
	return part, true
}

// synapseOf returns the synapse that a projection or input names, and the unit of its weights.
func (r *resolver) synapseOf(from *entry, to []network.Part) (index int, unit string) {
	if from.get("synapse") == nil {
		r.fault(from, "synapse is missing")
		return 0, ""
	}
	name := r.word(from, "synapse")
	names := make([]string, len(r.out.Spec.Synapses))
	for i, s := range r.out.Spec.Synapses {
		names[i] = s.Name
	}
	index = slices.Index(names, name)
	if index < 0 {
		r.fault(from, "no synapse %q%s", name, expression.Nearest(name, names))
		return 0, ""
	}
	for _, p := range to {
		m := r.out.Spec.Populations[p.Population].Model
		if m == nil {
			continue
		}
		u := m.CurrentUnit
		switch k := r.out.Spec.Synapses[index].Kind; {
		case k == network.Delta:
			u = "mV"
		case k >= network.ExpConductance:
			u = perVolt(u)
		}
		if unit != "" && u != unit {
			r.fault(from, "the weight is in %s for some targets and in %s for others; use two of these tables", unit, u)
		}
		unit = u
	}
	return index, unit
}

// receivers reports a pool that holds sources only, which receive nothing.
func (r *resolver) receivers(e *entry, to []network.Part) bool {
	for _, p := range to {
		// a population with faults of its own has neither a model nor a source
		if r.out.Spec.Populations[p.Population].Source == nil {
			return true
		}
	}
	if len(to) > 0 {
		r.fault(e.get("to"), "%s only sends spikes; a population of a model is needed",
			r.out.Spec.Populations[to[0].Population].Name)
	}
	return len(to) == 0
}
