package network

import (
	"popsim/kernels"
	"popsim/model"
)

// brunel is the network of Brunel (2000), g 5, eta 2, with connections of probability 0.1.
func brunel(onGrid bool) *Spec {
	s := balanced(2500, Delta, onGrid)
	e, i := []Part{{0, 0, 10000}}, []Part{{1, 0, 2500}}
	all := []Part{e[0], i[0]}
	s.Projections = []Projection{
		{Name: "EX", From: e, To: all, Rule: Probability{P: 0.1}, Weight: Constant(0.1), Delay: Constant(1.5)},
		{Name: "IX", From: i, To: all, Rule: Probability{P: 0.1}, Weight: Constant(-0.5), Delay: Constant(1.5)},
	}
	s.Inputs = []Input{{Name: "background", To: all, Weight: Constant(0.1), Poisson: &Poisson{Rate: 20000}}}
	return s
}

// cuba is the current-based network of Brette et al. (2007).
func cuba(onGrid bool) *Spec {
	lif := func(name string, n int) Population {
		p := Population{Name: name, N: n, Model: model.LIFModel, Start: []kernels.Values{make(kernels.Values, n)}}
		values := map[string]float64{"V_rest": -49, "V_reset": -60, "V_th": -50, "R": 1, "tau": 20, "t_ref": 5}
		for _, q := range p.Model.Params {
			p.P = append(p.P, kernels.Values{values[q.Name]})
		}
		for i := range n {
			p.Start[0][i] = -60 + 10*float64(i*7919%n)/float64(n)
		}
		return p
	}
	e, i := []Part{{0, 0, 3200}}, []Part{{1, 0, 800}}
	all := []Part{e[0], i[0]}
	return &Spec{
		Populations: []Population{lif("E", 3200), lif("I", 800)},
		Synapses:    []Synapse{{Name: "exc", Kind: ExpCurrent, Tau: 5}, {Name: "inh", Kind: ExpCurrent, Tau: 10}},
		Projections: []Projection{
			{Name: "EX", From: e, To: all, Rule: Probability{P: 0.02}, Weight: Constant(1.62), Delay: Constant(0.1)},
			{Name: "IX", From: i, To: all, Synapse: 1, Rule: Probability{P: 0.02}, Weight: Constant(-9), Delay: Constant(0.1)},
		},
		Dt: 0.1, Seed: 1, OnGrid: onGrid,
	}
}
