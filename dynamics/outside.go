package dynamics

import (
	"fmt"
	"math"

	"popsim/model"
)

// Supports returns an error that says why phase planes and bifurcation diagrams of a model cannot be computed; nil if
// they can.
func Supports(m *model.Model) error {
	switch {
	case !m.Outside():
		return nil
	case m.Fires == model.Reset && (m.Spikes == nil || m.Spikes.Jump == nil):
		return fmt.Errorf("%s resets, but has no rules of its spikes (model.SpikeRules)", m.Name)
	}
	return nil
}

// membrane is the size of V (mV) in which cycles of membranes are measured.
const membrane = 50.0

// vUnitOf is the size of the first state in which cycles are measured: that of membranes, or where the state is no
// potential, 1.
func vUnitOf(m *model.Model) float64 {
	return m.Scaled(membrane)
}

// scaled is the size of the first state that a size of V, in mV, is for membranes.
func (s *system) scaled(v float64) float64 { return v * s.vUnit / membrane }

// threshold is the V at which the neuron spikes, infinite where that depends on other states too.
func (s *system) threshold() float64 {
	if s.m.Spikes == nil {
		return s.m.Threshold(s.p)
	}
	y, slope := make([]float64, s.dim()), make([]float64, s.dim())
	s.m.Initial(s.p, y)
	s.m.Spikes.Slope(s.p, y, slope)
	for _, g := range slope[1:] {
		if g != 0 {
			return math.Inf(1)
		}
	}
	if slope[0] == 0 {
		return math.Inf(1)
	}
	return s.m.Threshold(s.p)
}

// spiking reports whether the neuron spikes in the steady state at v, in which it therefore is no equilibrium; of
// models of equations that reset.
func (s *system) spiking(v float64) bool {
	if s.m.Spikes == nil || s.m.Spikes.Jump == nil {
		return false
	}
	s.m.Steady(s.p, v, s.scratch.y)
	return s.m.Spikes.Excess(s.p, s.scratch.y) >= 0
}

// reachOfOwn is an interval of V in which equilibria of a model from outside are searched for: the reach of the model,
// or several times that where the steady current at its ends still approaches the input, for it rises with V far out
// in most models. It ends where the neuron spikes and resets.
func (s *system) reachOfOwn() (lo, hi float64) {
	const most = 6 // doublings
	lo, hi = s.m.Reach(s.p)
	width := hi - lo
	for range most {
		if far := hi + width; s.excess(hi) < 0 && s.excess(far) > s.excess(hi) {
			hi = far
		}
		if far := lo - width; s.excess(lo) > 0 && s.excess(far) < s.excess(lo) {
			lo = far
		}
		width *= 2
	}
	if top := s.ceiling(); top < hi {
		hi, lo = top, min(lo, top-width)
	}
	return lo, hi
}

// windowTime (ms) is how long a trajectory is followed to find the window; windowMargin is the margin around it, as a
// fraction of its size.
const (
	windowTime   = 300.0
	windowMargin = 0.3
)

// trajectoryWindow chooses the bounds of the window that are not given: around the equilibria and a trajectory from the
// model's initial state.
func (d *portrait) trajectoryWindow() {
	y := make([]float64, d.dim())
	d.m.Initial(d.p, y)
	lo, hi := [2]float64{y[0], y[d.y]}, [2]float64{y[0], y[d.y]}
	widen := func(v, w float64) {
		for k, x := range [2]float64{v, w} {
			if x-x == 0 { // finite
				lo[k], hi[k] = min(lo[k], x), max(hi[k], x)
			}
		}
	}
	r, err := Simulate(d.m, d.p, []Segment{{0, d.i}}, y, windowTime, spread(0, windowTime, 3000))
	if err == nil {
		for _, s := range r.States {
			widen(s[0], s[d.y])
		}
	}
	for _, q := range d.FixedPoints {
		if len(q.State) > d.y {
			widen(q.State[0], q.State[d.y])
		}
	}
	for k := range 2 {
		margin := windowMargin * max(hi[k]-lo[k], 1e-3)
		if w := d.Window[2*k:]; w[0] == 0 && w[1] == 0 {
			w[0], w[1] = lo[k]-margin, hi[k]+margin
		}
	}
}
