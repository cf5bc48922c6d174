package network_test

import (
	"context"
	"fmt"

	"popsim/kernels"
	"popsim/model"
	"popsim/network"
)

// A sparse network of excitatory and inhibitory LIF neurons with Poisson input.
func Example() {
	lif := network.Population{Name: "E", N: 400, Model: model.LIFModel}
	for _, x := range model.LIFModel.Defaults() {
		lif.P = append(lif.P, kernels.Values{x})
	}
	inhibitory := lif
	inhibitory.Name, inhibitory.N = "I", 100
	e, i := network.Part{Population: 0, N: 400}, network.Part{Population: 1, N: 100}
	both := []network.Part{e, i}
	spec := &network.Spec{
		Populations: []network.Population{lif, inhibitory},
		Synapses:    []network.Synapse{{Name: "jump", Kind: network.Delta}},
		Projections: []network.Projection{
			{
				Name: "EX", From: []network.Part{e}, To: both, Rule: network.InDegree{K: 40},
				Weight: network.Constant(0.5), Delay: network.Constant(1.5),
			},
			{
				Name: "IX", From: []network.Part{i}, To: both, Rule: network.InDegree{K: 10},
				Weight: network.Constant(-2.5), Delay: network.Constant(1.5),
			},
		},
		Inputs: []network.Input{{
			Name: "background", To: both, Weight: network.Constant(0.5), Poisson: &network.Poisson{Rate: 3000},
		}},
		Dt: 0.1, Seed: 1,
	}
	net, err := network.Build(context.Background(), spec, network.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	spikes := 0
	err = net.Run(context.Background(), 2000, network.Recorder{Spikes: func(s []network.Spike) error {
		spikes += len(s)
		return nil
	}})
	fmt.Println(net.Summary().Edges, "synapses;", spikes, "spikes in 200 ms;", err)
	// Output: 25000 synapses; 448 spikes in 200 ms; <nil>
}
