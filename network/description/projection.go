package description

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"popsim/expression"
	"popsim/network"
)

// ruleForms are the rules of connection as they are written.
var ruleForms = "in-degree:K, out-degree:K, probability:P, total:N, all-to-all, one-to-one, ring:J_PLUS:SIGMA_DEG, " +
	"@edges.csv"

func (r *resolver) projection(e *entry) {
	unknown(&r.faults, e, "projection "+e.key, projectionKeys)
	before := len(r.faults)
	pairs := r.flag(e, "pairs", false)
	from, to := r.pool(e, "from"), r.pool(e, "to")
	r.receivers(e, to)
	synapse, unit := r.synapseOf(e, to)
	p := network.Projection{
		Name: e.key, Synapse: synapse,
		NoAutapses: !r.flag(e, "autapses", true), NoMultapses: !r.flag(e, "multapses", true),
	}
	if e.get("rule") == nil {
		r.fault(e, "rule is missing")
	}
	if len(r.faults) > before || unit == "" {
		r.otherFaults(e)
		return
	}
	if !pairs {
		p.From, p.To = from, to
		r.connect(p, e, unit, func(key string) *entry { return e.get(key) })
		return
	}
	sources, targets := r.members(e, "from"), r.members(e, "to")
	for i, target := range to {
		for j, source := range from {
			q := p
			q.Name = fmt.Sprintf("%s.%s.%s", e.key, sources[j].text, targets[i].text)
			q.From, q.To = []network.Part{source}, []network.Part{target}
			r.connect(q, e, unit, func(key string) *entry { return r.cell(e, key, i, j, len(to), len(from)) })
		}
	}
}

// otherFaults reads the other entries of a projection with faults, to find more.
func (r *resolver) otherFaults(e *entry) {
	r.broken["n_pre"], r.broken["n_post"] = true, true
	defer func() { delete(r.broken, "n_pre"); delete(r.broken, "n_post") }()
	if rule := e.get("rule"); rule != nil && rule.kind == scalarText && !strings.HasPrefix(rule.text, "@") {
		r.rule(rule)
	}
	if delay := e.get("delay"); delay != nil && delay.kind != list {
		r.law(delay, "ms")
	}
}

// connect reads rule, weight and delay of a projection, and appends it.
func (r *resolver) connect(p network.Projection, e *entry, unit string, of func(key string) *entry) {
	size := func(pool []network.Part) (n int) {
		for _, part := range pool {
			n += part.N
		}
		return n
	}
	for name, pool := range map[string][]network.Part{"n_pre": p.From, "n_post": p.To} {
		r.dims[name], r.values[name] = expression.None, float64(size(pool))
		defer func() { delete(r.dims, name); delete(r.values, name) }()
	}
	rule := of("rule")
	if rule == nil || rule.text == "0" {
		return
	}
	weight, delay := of("weight"), of("delay")
	if weight != nil && weight.kind == scalarNumber && weight.text == "0" && e.get("pairs") != nil {
		return
	}
	before := len(r.faults)
	if strings.HasPrefix(rule.text, "@") {
		p.Rule = r.edges(rule, p.Name, weight == nil, delay == nil, size(p.From), size(p.To))
	} else {
		p.Rule = r.rule(rule)
		if weight == nil && e.get("weight") == nil {
			r.fault(e, "weight is missing")
		}
		if delay == nil && e.get("delay") == nil {
			r.fault(e, "delay is missing")
		}
	}
	if weight != nil {
		p.Weight = r.law(weight, unit)
	}
	if delay != nil {
		p.Delay = r.law(delay, "ms")
	}
	if len(r.faults) == before {
		r.out.Spec.Projections = append(r.out.Spec.Projections, p)
	}
}

func (r *resolver) rule(e *entry) network.Rule {
	parts := split(e.text, ':')
	if len(parts) == 0 {
		r.fault(e, "the rule is empty; rules are %s", ruleForms)
		return nil
	}
	args := map[string]int{
		"in-degree":   1,
		"out-degree":  1,
		"probability": 1,
		"total":       1,
		"all-to-all":  0,
		"one-to-one":  0,
		"ring":        2,
	}
	n, known := args[parts[0]]
	if name, ok := foreign[parts[0]]; ok && !known {
		r.fault(e, "unknown rule %q; here it is %s", parts[0], name)
		return nil
	}
	if known && len(parts) != n+1 {
		r.fault(e, "%q: rules are %s", e.text, ruleForms)
		return nil
	}
	if !known {
		r.fault(e, "unknown rule %q%s; rules are %s", e.text, expression.Nearest(parts[0], slices.Sorted(maps.Keys(args))),
			ruleForms)
		return nil
	}
	switch parts[0] {
	case "in-degree":
		k, _ := r.whole(e, parts[1])
		return network.InDegree{K: k}
	case "out-degree":
		k, _ := r.whole(e, parts[1])
		return network.OutDegree{K: k}
	case "probability":
		p, ok := r.number(e, parts[1], "1")
		if ok && !(p >= 0 && p <= 1) {
			r.fault(e, "a probability of %g; it lies between 0 and 1", p)
		}
		return network.Probability{P: p}
	case "total":
		k, _ := r.whole(e, parts[1])
		return network.Total{N: int64(k)}
	case "all-to-all":
		return network.AllToAll{}
	case "one-to-one":
		return network.OneToOne{}
	}
	plus, _ := r.number(e, parts[1], "1")
	sigma, _ := r.number(e, parts[2], "1")
	return network.Ring{JPlus: plus, Sigma: sigma}
}
