package rng_test

import (
	"fmt"

	"popsim/rng"
)

// The number of a neuron in a step depends on its key alone, not on what was drawn before it.
func ExampleStream() {
	s := rng.NewStream(1, "noise")
	late := s.Uniform(7, 1000) // neuron 7, step 1000
	s.Uniform(7, 0)
	fmt.Println(late == s.Uniform(7, 1000), late == rng.NewStream(1, "weights").Uniform(7, 1000))
	// Output: true false
}

// The number of spikes of a Poisson process in a step, of mean 3, from one word.
func ExampleNewPoisson() {
	counts, err := rng.NewPoisson(3)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(counts.At(0), counts.At(1<<31), counts.At(1<<32-1))
	// Output: 0 3 19
}
