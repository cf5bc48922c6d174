package sweep_test

import (
	"context"
	"fmt"

	"popsim/model"
	"popsim/sweep"
)

// An f-I curve of the leaky integrate-and-fire neuron at three currents.
func ExampleRun() {
	spec := sweep.Spec{
		Model: model.LIFModel,
		Grid:  sweep.Grid{Axes: []sweep.Axis{sweep.Values("I", "pA", 20, 21, 30)}},
	}
	result, err := sweep.Run(context.Background(), spec, sweep.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for row := range result.Rows() {
		fmt.Printf("%.4f Hz, %s\n", result.Value("rate_Hz", row), result.Word("status", row))
	}
	// Output:
	// 0.0000 Hz, ok
	// 31.8013 Hz, ok
	// 83.4298 Hz, ok
}

// Values of an axis are the doubles nearest to the decimals that are meant: 0.3, not 3 times 0.1.
func ExampleStepped() {
	axis, err := sweep.Stepped("I", "pA", 0, 0.5, 0.1)
	fmt.Println(axis.All(), err)
	// Output: [0 0.1 0.2 0.3 0.4 0.5] <nil>
}

// Columns of a result by name: axes and measures alike.
func ExampleResult_Column() {
	spec := sweep.Spec{
		Model:    model.AdExModel,
		I:        15,
		Grid:     sweep.Grid{Axes: []sweep.Axis{sweep.Values("b", "pA", 0, 5, 10)}},
		Measures: []string{"rate"},
	}
	result, err := sweep.Run(context.Background(), spec, sweep.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	b, _ := result.Column("b")
	rate, _ := result.Column("rate")
	for k := range b {
		fmt.Printf("b = %v pA: %.2f Hz\n", b[k], rate[k])
	}
	_, err = result.Column("isi")
	fmt.Println(err)
	// Output:
	// b = 0 pA: 63.29 Hz
	// b = 5 pA: 36.95 Hz
	// b = 10 pA: 28.32 Hz
	// the result has no column "isi"; it has b, rate_Hz, status
}
