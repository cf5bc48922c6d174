package noise_test

import (
	"fmt"

	"popsim/noise"
	"popsim/rng"
)

// V under white noise is 10 mV below a threshold at the start of a step of 0.1 ms and 12 mV below it at the end: it
// practically never crosses between them. If it is 0.1 mV below at both ends, it mostly does.
func ExamplePassage() {
	s := rng.NewStream(1, "noise")
	far, near := 0, 0
	for step := range uint32(1000) {
		b := s.At(0, step)
		if _, crossed := noise.Passage(10, -2, 1, 0.1, b); crossed {
			far++
		}
		if _, crossed := noise.Passage(0.1, 0, 1, 0.1, b); crossed {
			near++
		}
	}
	fmt.Println(far, near) // of 1000; exp(-2·0.1²/0.1) is 0.82
	// Output: 0 825
}
