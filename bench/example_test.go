package bench_test

import (
	"fmt"

	"popsim/bench"
	"popsim/kernels"
	"popsim/model"
)

// A scenario and the name of its row.
func ExampleScenario() {
	m := model.LIFModel
	s := bench.Scenario{Model: m, Method: m.Methods[0], ISA: kernels.Go, N: bench.L1, Dt: 0.1}
	fmt.Println(s.Name())
	// Output:
	// model=lif/method=exact/isa=go/params=uniform/n=512
}
