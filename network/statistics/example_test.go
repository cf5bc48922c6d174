package statistics_test

import (
	"fmt"

	"popsim/network/statistics"
)

// The spikes of one neuron at 0, 10, 20, ... 990 ms: intervals that are all equal, and as many spikes in every bin.
func Example() {
	var times []float64
	for i := range 100 {
		times = append(times, 10*float64(i))
	}
	fmt.Println("CV", statistics.CV(statistics.Intervals(times)).Value)
	fmt.Println("Fano factor", statistics.Fano(statistics.Counts(times, 0, 1000, 100)).Value)
	fmt.Printf("vector strength at 100 Hz %.3f\n", statistics.VectorStrength(times, 10).Strength.Value)
	// Output:
	// CV 0
	// Fano factor 0
	// vector strength at 100 Hz 1.000
}
