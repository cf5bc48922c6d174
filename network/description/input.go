package description

import (
	"slices"
	"strings"

	"popsim/model"
	"popsim/network"
	"popsim/stimulus"
)

func (r *resolver) input(e *entry) {
	unknown(&r.faults, e, "input "+e.key, inputKeys)
	in := network.Input{Name: e.key, To: r.pool(e, "to")}
	n := 0
	for _, p := range in.To {
		n += p.N
	}
	if n == 0 || !r.receivers(e, in.To) {
		return
	}
	given := 0
	for _, key := range []string{"poisson", "spikes", "current", "noise"} {
		if e.get(key) != nil {
			given++
		}
	}
	if given != 1 {
		r.fault(e, "one of poisson, spikes, current and noise is needed; %d are given", given)
		return
	}
	in.Start, in.Stop = r.optional(e, "start", "ms", 0), r.optional(e, "stop", "ms", 0)
	if g := e.get("gain"); g != nil {
		in.Gain = r.perNeuron(g, "1", e.key+".gain", n)
	}
	poisson, spikes, current := e.get("poisson"), e.get("spikes"), e.get("current")
	if current != nil {
		r.without(e, "current", "synapse", "weight", "delay", "redraw")
		in.Current = r.shape(current, r.unitOf(current, in.To, func(m *model.Model) string { return m.CurrentUnit }))
	} else if noise := e.get("noise"); noise != nil {
		in.Noise = r.noise(e, noise, in.To)
	} else {
		var unit string
		in.Synapse, unit = r.synapseOf(e, in.To)
		if w := e.get("weight"); w == nil {
			r.fault(e, "weight is missing")
		} else if unit != "" {
			in.Weight = r.law(w, unit)
		}
		in.Delay = r.optional(e, "delay", "ms", 0)
	}
	if spikes != nil {
		r.without(e, "spikes", "redraw")
		in.Spikes = r.spikeTimes(spikes, n)
	}
	if poisson != nil {
		in.Poisson = &network.Poisson{Redraw: r.optional(e, "redraw", "ms", 0)}
		kind, _, _ := strings.Cut(poisson.text, ":")
		if d, ok := r.draw(poisson, poisson.text, "Hz"); ok {
			in.Poisson.Law = d
			r.out.Spec.Inputs = append(r.out.Spec.Inputs, in)
			return
		}
		r.without(e, "a rate that is not drawn", "redraw")
		if slices.Contains(stimulus.Kinds, kind) || strings.HasPrefix(kind, "@") {
			in.Poisson.Shape = r.shape(poisson, "Hz")
			r.noNegative(poisson, in.Poisson.Shape)
		} else {
			in.Poisson.Rate, _ = r.number(poisson, poisson.text, "Hz")
		}
	}
	r.out.Spec.Inputs = append(r.out.Spec.Inputs, in)
}

// noNegative reports a rate over time that falls below 0 in the time of the description.
func (r *resolver) noNegative(e *entry, rate func(step int64) float64) {
	const most = 1_000_000 // steps that are looked at
	dt := r.out.Spec.Dt
	for k := int64(0); rate != nil && k < most && float64(k)*dt < r.out.Time; k++ {
		if x := rate(k); x < 0 {
			r.fault(e, "a rate of %g Hz at %g ms; it must be 0 or more", x, float64(k)*dt)
			return
		}
	}
}

// without reports keys that have no effect on what an input is.
func (r *resolver) without(input *entry, what string, keys ...string) {
	for _, key := range keys {
		if e := input.get(key); e != nil {
			r.fault(e, "%s has none", what)
		}
	}
}

// noise reads white:SIGMA or ou:SD:TAU.
func (r *resolver) noise(input, e *entry, to []network.Part) *network.Noise {
	for _, key := range []string{"synapse", "weight", "delay", "redraw"} {
		if other := input.get(key); other != nil {
			r.fault(other, "noise has none; it acts on V or is a current")
		}
	}
	n := &network.Noise{}
	switch parts := split(e.text, ':'); {
	case len(parts) == 2 && parts[0] == "white":
		n.SD, _ = r.number(e, parts[1], r.unitOf(e, to, func(m *model.Model) string {
			if m.Fires == model.Reset {
				return "mV"
			}
			return "1" // the unit of the current times sqrt(ms)
		}))
	case len(parts) == 3 && parts[0] == "ou":
		n.SD, _ = r.number(e, parts[1], r.unitOf(e, to, func(m *model.Model) string { return m.CurrentUnit }))
		var ok bool
		if n.Tau, ok = r.number(e, parts[2], "ms"); ok && !(n.Tau > 0) {
			r.fault(e, "a correlation time of %g ms; it must be above 0", n.Tau)
		}
	default:
		r.fault(e, "%q: noise is written white:SIGMA or ou:SD:TAU", e.text)
	}
	return n
}
