package vec_test

import (
	"fmt"

	"popsim/kernels/vec"
)

// A synaptic current that decays and adds what arrives, recorded once and printed as plain Go.
func ExampleKernel_GoText() {
	decay := &vec.Kernel{
		Name: "Decay", Doc: "lets synaptic currents decay and adds what arrives.", Argument: "DecayBlock",
		States: []string{"Current"}, Coefs: []string{"Decay"}, Rows: []string{"Arrived"},
		Vectors: map[string]int{"AVX2": 4, "AVX512": 4},
		Step: func(b *vec.Block, x *vec.Vars) {
			x.Set("Current", b.FMA(x.Get("Current"), x.Get("Decay"), x.Get("Arrived")))
		},
	}
	fmt.Println(decay.GoText())
	// Output:
	// // DecayGo lets synaptic currents decay and adds what arrives.
	// func DecayGo(b *DecayBlock) {
	// for at := 0; at < Group; at += 8 {
	// currents := *(*[8]float64)(b.Current[at:])
	// decays := (*[8]float64)(b.Decay[at:])
	// for k := range b.Steps {
	// arriveds := (*[8]float64)(b.Arrived[k*Group+at:])
	// for l := range 8 {
	// x0 := currents[l]
	// x1 := decays[l]
	// x2 := arriveds[l]
	// x3 := math.FMA(x0, x1, x2)
	// currents[l] = x3
	// }
	// }
	// *(*[8]float64)(b.Current[at:]) = currents
	// }
	// }
}
