package description

import (
	"slices"
	"strings"

	"popsim/expression"
	"popsim/network"
)

func (r *resolver) synapse(e *entry) {
	unknown(&r.faults, e, "synapse "+e.key, synapseKeys)
	s := network.Synapse{Name: e.key}
	name := r.word(e, "kind")
	k := slices.Index(network.Kinds(), name)
	if k < 0 {
		r.fault(e, "unknown kind %q%s; kinds are %s", name, expression.Nearest(name, network.Kinds()),
			strings.Join(network.Kinds(), ", "))
	}
	s.Kind = network.Kind(k)
	single := []network.Kind{network.ExpCurrent, network.AlphaCurrent, network.ExpConductance, network.AlphaConductance}
	reversal := []network.Kind{network.ExpConductance, network.AlphaConductance, network.BiexpConductance, network.NMDA}
	for _, c := range []struct {
		key, unit string
		to        *float64
		kinds     []network.Kind
	}{
		{"tau", "ms", &s.Tau, single},
		{"tau_rise", "ms", &s.Rise, []network.Kind{network.BiexpConductance, network.NMDA}},
		{"tau_decay", "ms", &s.Decay, []network.Kind{network.BiexpConductance, network.NMDA}},
		{"E", "mV", &s.E, reversal},
		{"alpha", "1/ms", &s.Alpha, []network.Kind{network.NMDA}},
		{"Mg", "mM", &s.Mg, []network.Kind{network.NMDA}},
	} {
		has, needs := e.get(c.key), slices.Contains(c.kinds, s.Kind)
		switch {
		case has != nil && k >= 0 && !needs:
			r.fault(has, "synapses of kind %s have none", name)
		case has != nil:
			*c.to, _ = r.number(has, has.text, c.unit)
		case needs && k >= 0:
			r.fault(e, "%s is missing", c.key)
		}
	}
	if a := e.get("approximate"); a != nil && k >= 0 && s.Kind != network.NMDA {
		r.fault(a, "synapses of kind %s have none", name)
	} else {
		s.Approximate = r.flag(e, "approximate", false)
	}
	r.out.Spec.Synapses = append(r.out.Spec.Synapses, s)
}
