package noise_test

import (
	"math"
	"testing"
	"time"

	"popsim/kernels"
	"popsim/noise"
)

// BenchmarkOU is a step of 512 Ornstein-Uhlenbeck currents, their normal numbers drawn before: the least time of a
// thousand steps.
func BenchmarkOU(b *testing.B) {
	const n, steps = 512, 1000
	for _, isa := range kernels.Available() {
		b.Run(isa.String(), func(b *testing.B) {
			q := noise.NewOUs(noise.NewOU(5, 0.1), 1, "ou", noise.Consecutive(0, n))
			row, least := make([]float64, n), math.Inf(1)
			for range b.N {
				begin := time.Now()
				for range steps {
					q.Step(isa, row, 3, 0)
				}
				least = min(least, float64(time.Since(begin).Nanoseconds())/(n*steps))
			}
			b.ReportMetric(least, "ns/neuron-step")
		})
	}
}
