package cann_test

import (
	"fmt"

	"popsim/network/cann"
)

// A bump keeps itself up below the critical inhibition.
func Example() {
	v := cann.Defaults()
	w := cann.New(v, 0.05)
	for w.Time() < 50 {
		w.Step()
	}
	s := w.Measure()
	fmt.Printf("after %.0f ms: largest u %.3f, sum of rates %.3f\n", s.Time, s.UMax, s.SumR)
	// Output: after 50 ms: largest u 0.274, sum of rates 0.122
}
