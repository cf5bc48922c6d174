package network

import (
	"math"
	"testing"
)

// TestSeriesOfAlpha: the polynomials in the instant of an arrival are what its closed form gives, up to the longest
// step for which they are used.
func TestSeriesOfAlpha(t *testing.T) {
	const (
		dt        = 0.1
		tolerance = 1e-14 // of the largest: what the polynomials leave out is below 4e-15, the rest is rounding
	)
	for _, step := range []float64{0.01, 0.3, seriesStep} { // in time constants of the current, and of V
		for _, slow := range []float64{0.01, step, seriesStep} {
			rc := receptor{kind: AlphaCurrent, tau: dt / step, width: 3}
			s := rc.newSeries(class{tau: dt / slow}, dt)
			largest := rc.coefs(dt, dt/slow, dt)
			largest[0] = math.E / rc.tau
			for i := range 101 {
				theta := float64(i) / 100
				got, want := s.at(theta), rc.coefs((1-theta)*dt, dt/slow, dt)
				for j := range want {
					if math.Abs(got[j]-want[j]) > tolerance*largest[j] {
						t.Errorf("dt/tau_s %g, dt/tau %g, theta %g: accumulator %d gains %g, want %g",
							step, slow, theta, j, got[j], want[j])
					}
				}
			}
		}
	}
}
