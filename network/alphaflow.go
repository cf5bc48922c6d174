package network

import (
	"math"

	"popsim/kernels"
)

// alphaFlow is what t ms without arrivals do to LIF with one alpha current: fell is 1 - P22(t), and the others as in
// lif.go.
type alphaFlow struct{ fell, p11, p21, p20 float64 }

// alphaRates are the rates 1/tau and 1/tau_s of such a neuron, and their difference. Steps are at most half of either
// time constant.
type alphaRates struct{ membrane, current, apart float64 }

func newAlphaRates(tau, tauS float64) alphaRates {
	return alphaRates{1 / tau, 1 / tauS, 1/tauS - 1/tau}
}

// flow takes one exponential and one series: with x = (1/tau_s - 1/tau) t and phi and psi as in lif.go,
//
//	chi = (1 - phi)/x,  phi = 1 - x chi,  psi = phi - chi,  exp(-x) = 1 - x phi
func (a *alphaRates) flow(t float64) alphaFlow {
	x := a.apart * t
	c := flowSeries(x)
	phi := math.FMA(-x, c, 1)
	relative := a.membrane * t
	fell := -kernels.Expm1(-relative)
	kept := 1 - fell
	share := relative * kept
	return alphaFlow{
		fell: fell, p11: kept * math.FMA(-x, phi, 1), p21: share * phi, p20: float64(share*t) * (phi - c),
	}
}

// flowSeries is the sum of (-x)^n/(n+2)!, for |x| at most seriesStep: the terms left out are below rounding. Even and
// odd terms are summed apart, side by side.
func flowSeries(x float64) float64 {
	const (
		c0, c2, c4, c6, c8 = 1. / 2, 1. / 24, 1. / 720, 1. / 40320, 1. / 3628800
		c10, c12           = 1. / 479001600, 1. / 87178291200
		c1, c3, c5, c7     = 1. / 6, 1. / 120, 1. / 5040, 1. / 362880
		c9, c11            = 1. / 39916800, 1. / 6227020800
	)
	z := float64(x * x)
	even := math.FMA(math.FMA(math.FMA(math.FMA(math.FMA(math.FMA(c12, z, c10), z, c8), z, c6), z, c4), z, c2), z, c0)
	odd := math.FMA(math.FMA(math.FMA(math.FMA(math.FMA(c11, z, c9), z, c7), z, c5), z, c3), z, c1)
	return math.FMA(-x, odd, even)
}

// v is V after the time of a flow, from v with the current s and its rise y.
func (f *alphaFlow) v(neuron *lifNeuron, v, s, y float64) float64 {
	driven := math.FMA(s, f.p21, float64(y*f.p20))
	return math.FMA(neuron.r, driven, math.FMA(f.fell, neuron.vInf-v, v))
}

// back takes what arrivals add by the end of a step, to y, s and V/R, back by the time t of the flow.
func (f *alphaFlow) back(end [3]float64, t float64) (c [3]float64) {
	c[0] = end[0] / f.p11
	c[1] = math.FMA(-t, c[0], end[1]/f.p11)
	c[2] = math.FMA(-f.p20, c[0], math.FMA(-f.p21, c[1], end[2])) / (1 - f.fell)
	return c
}

// beginAlpha finds whether the lane can be advanced by flows.
func (w *lifSolver) beginAlpha(l *layout) {
	w.inFlows = len(w.rc) == 1 && w.rc[0].kind == AlphaCurrent && l.series[w.seg.receptors[0]] != nil
	if w.inFlows {
		w.rates = newAlphaRates(w.neuron.tau, w.rc[0].tau)
	}
}

// follow advances the lane by a flow of t ms; held, V stays as it is.
func (w *lifSolver) follow(f *alphaFlow, t float64, held bool) {
	if !held {
		w.v = f.v(&w.neuron, w.v, w.s[0], w.y[0])
	}
	w.s[0] = f.p11 * math.FMA(t, w.y[0], w.s[0])
	w.y[0] *= f.p11
}

// passAlpha is pass by flows.
func (w *lifSolver) passAlpha(span, left float64, held bool, before, after *accumulated) bool {
	f, back := w.rates.flow(span), w.rates.flow(left)
	c := back.back(minus(&after.all, &before.all), left)
	if !held {
		v := f.v(&w.neuron, w.v, w.s[0], w.y[0])
		raised := back.back(minus(&after.raising, &before.raising), left)[2]
		top := max(w.v, v) + float64(w.bend(span)*span*span/8) + float64(w.neuron.r*raised)
		if !(top < w.neuron.vTh) {
			return false
		}
		w.v = math.FMA(w.neuron.r, c[2], v)
	}
	w.follow(&f, span, true)
	w.y[0] += c[0]
	w.s[0] += c[1]
	return true
}
