package reference_test

import (
	"fmt"

	"popsim/equations"
	"popsim/verify/reference"
)

// The first spikes of a neuron under a constant current, to far more digits than a kernel gives.
func ExampleNeuron_Spikes() {
	m, err := equations.Lookup("izhikevich")
	if err != nil {
		fmt.Println(err)
		return
	}
	n := reference.Neuron{Model: m, P: m.Defaults(), Input: reference.Constant(10)}
	start := make([]float64, len(m.States))
	m.Initial(n.P, start)
	spikes, _, err := n.Spikes(start, 100, 3)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range spikes {
		fmt.Printf("%.6f ms\n", s.Time)
	}
	// Output:
	// 3.127055 ms
	// 26.226025 ms
	// 71.057097 ms
}
