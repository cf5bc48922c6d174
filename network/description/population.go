package description

import (
	"math"

	"popsim/network"
)

// inherited returns the entry of a key of a population: from a setting, its own table, or the population it is like.
func (r *resolver) inherited(e *entry, key string) *entry {
	if s := r.setting(e.key + "." + key); s != nil {
		return s
	}
	seen := 0
	for at := e; at != nil && seen < 100; seen++ {
		if c := at.get(key); c != nil {
			return c
		}
		like := at.get("like")
		if like == nil {
			return nil
		}
		at = r.d.root.get("population").get(like.text)
	}
	return nil
}

// tooLarge reports whether the neurons of the populations read so far need more memory than there is, before anything
// is drawn for each of them.
func (r *resolver) tooLarge() bool {
	return r.o.Memory > 0 && float64(r.neuronCount)*network.LeastNeuronBytes > r.o.Memory
}

// circular reports whether the chain of like entries from a population is circular.
func (r *resolver) circular(e *entry) bool {
	all := r.d.root.get("population")
	at := e
	for range len(all.items) + 1 {
		like := at.get("like")
		if like == nil {
			return false
		}
		if at = all.get(like.text); at == nil {
			return false
		}
	}
	return true
}

func (r *resolver) population(e *entry) {
	p := network.Population{Name: e.key, N: 1}
	r.populations[e.key] = len(r.out.Spec.Populations)
	defer func() { r.out.Spec.Populations = append(r.out.Spec.Populations, p) }()
	if like := e.get("like"); like != nil {
		if r.d.root.get("population").get(like.text) == nil || like.text == e.key {
			r.fault(like, "there is no other population %q", like.text)
		} else if r.circular(e) {
			r.fault(like, "likes lead in a circle")
			return
		}
	}
	if n := r.inherited(e, "n"); n == nil {
		r.fault(e, "n is missing")
	} else if k, ok := r.whole(n, n.text); !ok {
		p.N = 1
	} else if p.N = k; p.N < 1 {
		p.N = 1
		r.fault(n, "a population has at least 1 neuron")
	} else if p.N > math.MaxInt32 {
		r.fault(n, "%d neurons; at most %d are possible", p.N, math.MaxInt32)
		p.N = 1
	} else if r.neuronCount += p.N; r.tooLarge() {
		r.fault(n, "%d neurons need %.3g GB without their synapses; %.3g GB are available", r.neuronCount,
			float64(r.neuronCount)*network.LeastNeuronBytes/1e9, r.o.Memory/1e9)
		p.N = 1
	}
	kind := r.inherited(e, "model")
	if kind == nil {
		r.fault(e, "model is missing")
		return
	}
	switch kind.text {
	case "poisson":
		unknown(&r.faults, e, "a population of Poisson trains", []string{"model", "n", "like", "rate"})
		p.Source = &network.Source{}
		if rate := r.inherited(e, "rate"); rate != nil {
			p.Source.Rate = r.perNeuron(rate, "Hz", p.Name+".rate", p.N)
		}
		return
	case "spikes":
		unknown(&r.faults, e, "a population of spike trains", []string{"model", "n", "like", "times"})
		p.Source = &network.Source{}
		if times := r.inherited(e, "times"); times != nil {
			p.Source.Times = r.spikeTimes(times, p.N)
		} else {
			r.fault(e, "times is missing")
		}
		return
	}
	r.neurons(e, kind, &p)
}

func perVolt(current string) string {
	switch current {
	case "pA":
		return "nS"
	case "uA/cm2":
		return "mS/cm2"
	}
	return current + "/mV"
}
