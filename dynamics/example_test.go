package dynamics_test

import (
	"context"
	"fmt"

	"popsim/dynamics"
	"popsim/model"
)

// The reduced Hodgkin-Huxley neuron has a resting state at every current; its cycles are a separate branch that ends in
// two folds.
func ExampleBifurcation() {
	m := model.RHHModel
	diagram, err := dynamics.Bifurcation(context.Background(), m, m.Defaults(), 0, dynamics.Free{
		Name: "I", Lo: -5,
		Hi: 20,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, b := range diagram.Branches {
		fmt.Println("a branch of kind", b.Kind)
	}
	for _, q := range diagram.Points {
		fmt.Printf("%s at %.5f\n", q.Label, q.Parameter)
	}
	// Unordered output:
	// a branch of kind equilibrium
	// a branch of kind cycle
	// cycle-fold at 11.19989
	// cycle-fold at -1.57652
}

// The reset map of a bursting neuron: one turn of it, from one spike to the next.
func ExampleResetMap_Next() {
	m := model.AdExModel
	preset, err := m.Preset("tb08")
	if err != nil {
		fmt.Println(err)
		return
	}
	reset, err := dynamics.NewResetMap(m, preset.Params, preset.I)
	if err != nil {
		fmt.Println(err)
		return
	}
	jump, ok := reset.Next(250)
	fmt.Printf("w = %.3f pA after %.3f ms, %v\n", jump.W, jump.Interval, ok)
	// Output: w = 312.546 pA after 4.823 ms, true
}

// The equilibria of an EIF neuron below its rheobase: a stable and an unstable one.
func ExampleFixedPoints() {
	m := model.EIFModel
	for _, q := range dynamics.FixedPoints(m, m.Defaults(), 1) {
		fmt.Printf("%s at %.4f mV\n", q.Type, q.State[0])
	}
	// Output:
	// stable node at -62.2062 mV
	// unstable node at -58.0104 mV
}

// Spikes of the reference integrator, to rounding: what the kernels are measured against.
func ExampleSpikes() {
	m := model.HHModel
	p := m.Defaults()
	rest := make([]float64, len(m.States))
	m.Initial(p, rest)
	spikes, err := dynamics.Spikes(m, p, []dynamics.Segment{{Start: 5, I: 10}}, rest, 40)
	for _, s := range spikes {
		fmt.Printf("%.6f ms\n", s.Time)
	}
	fmt.Println(err)
	// Output:
	// 6.901232 ms
	// 21.822652 ms
	// 36.471888 ms
	// <nil>
}
