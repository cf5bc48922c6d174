package dynamics

import (
	"math"

	"gonum.org/v1/gonum/integrate/quad"

	"popsim/model"
)

// WhiteNoiseRate is the firing rate (Hz) of lif and eif with parameters p, input current i and white noise of size
// sigma (mV, tau dV = ... + sigma sqrt(tau) dW): by Siegert's formula (Siegert, Phys. Rev. 81:617, 1951) and by
// integration of the Fokker-Planck equation from the threshold downwards (Richardson, Phys. Rev. E 76:021919, 2007). It
// is NaN for other models. The error is below 1e-8 of the rate where that is above 1e-3 Hz.
func WhiteNoiseRate(m *model.Model, p []float64, i, sigma float64) float64 {
	switch m {
	case model.LIFModel:
		q := model.LIFOf(p)
		return siegert(q.VRest+q.R*i, sigma, q.Tau, q.TRef, q.VTh, q.VReset)
	case model.EIFModel:
		q := model.EIFOf(p)
		drift := func(v float64) float64 {
			return (q.VRest - v + q.DeltaT*math.Exp((v-q.VT)/q.DeltaT) + q.R*i) / q.Tau
		}
		return thresholdRate(drift, sigma*sigma/q.Tau, q.VTh, q.VReset, q.TRef, lowest(q, i, sigma))
	}
	return math.NaN()
}

// lowest is a potential below which the density of V of an EIF neuron is negligible.
func lowest(q model.EIF, i, sigma float64) float64 {
	const far = 8 // standard deviations of V without a threshold
	mean := min(q.VRest+q.R*i, q.VReset, q.VRest)
	return mean - far*sigma/math.Sqrt2
}

// siegert is the rate of LIF whose V relaxes to mu.
func siegert(mu, sigma, tau, hold, threshold, reset float64) float64 {
	from, to := (reset-mu)/sigma, (threshold-mu)/sigma
	const panel = 0.25
	n := max(1, int(math.Ceil((to-from)/panel)))
	width, sum := (to-from)/float64(n), 0.0
	for k := range n {
		lo := from + width*float64(k)
		sum += quad.Fixed(passage, lo, lo+width, 16, quad.Legendre{}, 0)
	}
	return 1000 / (hold + tau*math.Sqrt(math.Pi)*sum)
}

// passage is exp(u²) (1 + erf u), without overflow where u is negative.
func passage(u float64) float64 {
	if u < 0 {
		return scaledErfc(-u)
	}
	return 2*math.Exp(u*u) - scaledErfc(u)
}

// scaledErfc is exp(x²) erfc(x) for x >= 0.
func scaledErfc(x float64) float64 {
	const far = 20 // beyond it erfc is small, and the series good to 1e-16
	if x < far {
		return math.Exp(x*x) * math.Erfc(x)
	}
	y := 1 / (x * x)
	return (1 - y/2*(1-y*1.5*(1-y*2.5*(1-y*3.5)))) / (x * math.Sqrt(math.Pi))
}

// thresholdRate is the rate of a neuron of the given drift (mV/ms) and diffusion (mV²/ms). With a flux of 1 from the
// reset to the threshold the density P obeys dP/dV = 2/D (drift P - J) with P = 0 at the threshold; its integral is the
// mean interval without the hold. Each cell is solved exactly for a drift that is constant within it; the halving of
// the cells is extrapolated.
func thresholdRate(drift func(v float64) float64, diffusion, threshold, reset, hold, low float64) float64 {
	interval := func(cells int) float64 {
		// The reset lies on an edge of a cell: the ranges above and below it are divided separately.
		above := max(1, int(float64(cells)*(threshold-reset)/(threshold-low)))
		p, sum := 0.0, 0.0
		down := func(from, to, flux float64, n int) {
			h := (from - to) / float64(n)
			for k := range n {
				mid := from - h*(float64(k)+0.5)
				a := 2 * drift(mid) / diffusion
				// Downwards from the upper edge: P' = a P - 2 J/D.
				x := -a * h
				e, mean := math.Exp(x), 1.0 // mean of exp over the cell
				if math.Abs(x) > 1e-9 {
					mean = math.Expm1(x) / x
				}
				second := 0.5 // ∫0^1 (1 - s) exp(x s) ds, the share of the source in the integral
				if math.Abs(x) > 1e-4 {
					second = (math.Expm1(x) - x) / (x * x)
				}
				source := 2 * flux / diffusion * h
				sum += h * (p*mean + source*second)
				p = p*e + source*mean
			}
		}
		down(threshold, reset, 1, above)
		down(reset, low, 0, cells)
		return sum
	}
	const cells = 20_000
	coarse, fine := interval(cells/2), interval(cells)
	return 1000 / (hold + fine + (fine-coarse)/3) // the error falls like the square of the cells
}
