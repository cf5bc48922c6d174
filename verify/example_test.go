package verify_test

import (
	"context"
	"fmt"
	"math"
	"os"

	"popsim/verify"
)

// A report of one check, of the form that popsim verify prints for its own.
func ExampleReport() {
	root := verify.Check{Name: "square root of 2", Prove: func(context.Context) (string, bool, error) {
		off := math.Abs(math.Pow(math.Sqrt2, 2) - 2)
		return fmt.Sprintf("squared, off by %.0e of 1e-15", off), off < 1e-15, nil
	}}
	fmt.Println(verify.Report(context.Background(), []verify.Check{root}, os.Stdout))
	// Output:
	// ok    square root of 2: squared, off by 4e-16 of 1e-15
	// 1 passed, 0 failed
	// <nil>
}
