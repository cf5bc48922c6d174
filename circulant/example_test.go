package circulant_test

import (
	"fmt"

	"popsim/circulant"
)

// Four units on a ring, each of which gives 1 to itself and 1/2 to both neighbours.
func ExampleMatrix_Multiply() {
	m := circulant.New([]float64{1, 0.5, 0, 0.5})
	z := make([]complex128, m.Len())
	z[1] = 2
	m.Multiply(z)
	for _, x := range z {
		fmt.Printf("%.3g ", real(x))
	}
	// Output: 1 2 1 0
}
