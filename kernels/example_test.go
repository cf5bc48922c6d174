package kernels_test

import (
	"fmt"

	"popsim/kernels"
	"popsim/model"
)

// Three LIF neurons at three currents: a shard holds their columns, and each call of Advance advances all of them.
func ExampleShard_Advance() {
	m := model.LIFModel
	k, err := kernels.For(m, m.Methods[0], kernels.Auto)
	if err != nil {
		fmt.Println(err)
		return
	}
	// pA; a single value is that of all neurons
	set := kernels.Setting{I: kernels.Values{15, 25, 40}, Gain: kernels.Values{1}}
	for _, p := range m.Params {
		set.P = append(set.P, kernels.Values{p.Default})
	}
	const dt = 0.1 // ms
	shard := k.NewShard(0, 3, dt, set)
	start := make([]float64, len(m.States))
	for i := range shard.N {
		m.Initial(m.Defaults(), start)
		shard.Enter(i, 0, start)
	}
	w := kernels.NewWorker()
	var events []kernels.Event
	for first := int64(0); first < 300; first += 100 { // 30 ms in calls of 100 steps
		events = shard.Advance(w, first, 100, kernels.Drive{}, false, events[:0])
		for _, e := range events {
			fmt.Printf("neuron %d at %.4f ms\n", e.Lane, (float64(first+int64(e.Step))+e.Theta)*dt)
		}
	}
	// Output:
	// neuron 2 at 6.9315 ms
	// neuron 2 at 14.8629 ms
	// neuron 1 at 16.0944 ms
	// neuron 2 at 22.7944 ms
}

// The state of a neuron between calls.
func ExampleShard_State() {
	m := model.HHModel
	k, err := kernels.For(m, m.Methods[0], kernels.Auto)
	if err != nil {
		fmt.Println(err)
		return
	}
	set := kernels.Setting{I: kernels.Values{0}, Gain: kernels.Values{1}}
	for _, p := range m.Params {
		set.P = append(set.P, kernels.Values{p.Default})
	}
	shard := k.NewShard(0, 1, k.Method.Dt, set)
	y := make([]float64, len(m.States))
	m.Initial(m.Defaults(), y)
	shard.Enter(0, 0, y)
	shard.Advance(kernels.NewWorker(), 0, 1000, kernels.Drive{}, false, nil)
	shard.State(0, 1000, y)
	fmt.Printf("at rest V stays at %.2f mV\n", y[0])
	// Output: at rest V stays at -65.00 mV
}
