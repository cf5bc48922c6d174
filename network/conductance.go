package network

import (
	"math"
	"slices"

	"popsim/kernels"
)

// conductance reports whether arrivals of the kind change a conductance.
func (k Kind) conductance() bool { return k >= ExpConductance }

// coupled reports whether the neurons of a population are those of a coupledSegment: conductances reach them, or they
// are not LIF and take jumps of V.
func (s *Spec) coupled(population int) bool {
	p := &s.Populations[population]
	if p.Model == nil || p.Model.Outside() {
		return false
	}
	if p.TRef != nil {
		return true
	}
	takes := func(to []Part, synapse int) bool {
		k := s.Synapses[synapse].Kind
		if !k.conductance() && (k != Delta || p.Model.Name == "lif") {
			return false
		}
		for _, part := range to {
			if part.Population == population {
				return true
			}
		}
		return false
	}
	for i := range s.Projections {
		if takes(s.Projections[i].To, s.Projections[i].Synapse) {
			return true
		}
	}
	for i := range s.Inputs {
		if in := &s.Inputs[i]; in.arrives() && takes(in.To, in.Synapse) {
			return true
		}
	}
	for name := range p.Synaptic {
		if y := s.synapseNamed(name); y >= 0 && s.Synapses[y].Kind.conductance() && s.Synapses[y].Kind != NMDA {
			return true
		}
	}
	return false
}

// conducts reports whether a conductance reaches a population, jumps whether a jump of its first state does.
func (s *Spec) conducts(population int) bool { return s.reached(population, Kind.conductance) }

func (s *Spec) jumps(population int) bool {
	return s.reached(population, func(k Kind) bool { return k == Delta })
}

// reached reports whether a synapse of a kind reaches a population.
func (s *Spec) reached(population int, kind func(k Kind) bool) bool {
	reaches := func(to []Part, synapse int) bool {
		return kind(s.Synapses[synapse].Kind) &&
			slices.ContainsFunc(to, func(part Part) bool { return part.Population == population })
	}
	return slices.ContainsFunc(s.Projections, func(p Projection) bool { return reaches(p.To, p.Synapse) }) ||
		slices.ContainsFunc(s.Inputs, func(in Input) bool {
			return (in.Poisson != nil || in.Spikes != nil) && reaches(in.To, in.Synapse)
		})
}

// biexpPeak is what a weight of 1 adds to both variables of a difference of exponentials whose peak is then 1.
func biexpPeak(rise, decay float64) float64 {
	at := decay * rise / (decay - rise) * kernels.Log1p((decay-rise)/rise)
	return 1 / (kernels.Exp(-at/decay) - kernels.Exp(-at/rise))
}

// chi is (2 psi(x) - exp(-x))/x: the integral of u² exp(-x u) from 0 to 1, as phi and psi are those of exp(-x u) and
// u exp(-x u).
func chi(x float64) float64 {
	if math.Abs(x) >= psiSeries {
		return (2*psi(x) - kernels.Exp(-x)) / x
	}
	sum, term := 0.0, 1.0
	for n := 0.0; n < 16; n++ {
		sum += term / (n + 3)
		term *= -x / (n + 1)
	}
	return sum
}

// meanCoefs is what an arrival of weight 1 with left ms of the step behind it adds to the accumulators of a target that
// takes the mean of its currents and conductances over the step: to each variable at the step's end, then to the mean.
// An arrival of a jump of V adds 1, or, with two accumulators, the parts of the step behind and before it.
//
//	exp:    s = exp(-t/tau)               mean over left ms of dt:  left/dt phi(left/tau)
//	alpha:  y = e/tau exp(-t/tau), s = t y                          e/tau left²/dt psi(left/tau)
//	biexp:  a - b, two exp times the peak factor
//
// With tilted, exp has a third, the tilt: consider the straight line with the mean and the first moment of the current
// or conductance over the step; the tilt is its rise from the start of the step to its end. Those of the other kinds
// follow from what they add: see alphaTilt, biexpTilt.
func (r *receptor) meanCoefs(left, dt float64, tilted bool) (c [3]float64) {
	x := left / r.tau
	switch r.kind {
	case Delta:
		if c[0] = 1; r.width == 2 { // see ownJumps
			c[0], c[1] = left/dt, 1-left/dt
		}
	case ExpCurrent, ExpConductance:
		c[0], c[1] = kernels.Exp(-x), left*phi(x)/dt
		if tilted {
			c[2] = 12 * left * math.FMA(left, psi(x), float64(math.FMA(0.5, dt, -left)*phi(x))) / float64(dt*dt)
		}
	case AlphaCurrent, AlphaConductance:
		e := math.E / r.tau
		c[0] = e * kernels.Exp(-x)
		c[1], c[2] = c[0]*left, e*left*left*psi(x)/dt
	case BiexpConductance:
		z := left / r.rise
		c[0], c[1] = r.peak*kernels.Exp(-x), r.peak*kernels.Exp(-z)
		c[2] = r.peak * left * (phi(x) - phi(z)) / dt
	}
	return c
}

// noArrival is larger than the value in rows without arrivals (empty), and smaller than any arrival.
const noArrival = 1e-200

// alphaTilt is the tilt due to arrivals of an alpha kind that have added rise to y and end to s by the step's end: that
// of a single arrival which adds the same. For several arrivals it is that of one at their mean instant; the error is
// within the third order of the method.
func (r *receptor) alphaTilt(rise, end, dt float64) float64 {
	left := min(max(0, end/rise), dt)
	x := left / r.tau
	weight := rise * kernels.Exp(x)
	moment := float64(left*left) * math.FMA(left, chi(x), float64(math.FMA(0.5, dt, -left)*psi(x)))
	return 12 * weight * moment / float64(dt*dt)
}

// biexpTilt is alphaTilt of a biexp-conductance whose variables have grown by slow and fast.
func (r *receptor) biexpTilt(slow, fast, dt float64) float64 {
	left := min(max(0, kernels.Log1p(slow/fast-1)/(1/r.rise-1/r.tau)), dt)
	x, z := left/r.tau, left/r.rise
	weight := slow * kernels.Exp(x)
	moment := left * math.FMA(left, psi(x)-psi(z), float64(math.FMA(0.5, dt, -left)*(phi(x)-phi(z))))
	return 12 * weight * moment / float64(dt*dt)
}
