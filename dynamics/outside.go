package dynamics

import (
	"fmt"

	"popsim/model"
)

// Supports returns an error that says why phase planes and bifurcation diagrams of a model cannot be computed; nil if
// they can.
func Supports(m *model.Model) error {
	switch {
	case !m.Outside():
		return nil
	case m.Fires == model.Reset:
		return fmt.Errorf("%s resets by equations of its own; phase planes and bifurcation diagrams take the reset of "+
			"lif, eif and adex alone", m.Name)
	}
	return nil
}

// membrane is the size of V (mV) in which cycles of membranes are measured.
const membrane = 50.0

// vUnitOf is the size of the first state in which cycles are measured: that of membranes, or where the state is no
// potential, 1.
func vUnitOf(m *model.Model) float64 {
	if m.Outside() && m.States[0].Unit != "mV" {
		return 1
	}
	return membrane
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

// livedTime (ms) is how long a trajectory is followed to find the window; livedMargin is the margin around it, as a
// fraction of its size.
const (
	livedTime   = 300.0
	livedMargin = 0.3
)

// livedWindow chooses the bounds of the window that are not given: around the equilibria and a trajectory from the
// model's initial state.
func (d *portrait) livedWindow() {
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
	r, err := Simulate(d.m, d.p, []Segment{{0, d.i}}, y, livedTime, spread(0, livedTime, 3000))
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
		margin := livedMargin * max(hi[k]-lo[k], 1e-3)
		if w := d.Window[2*k:]; w[0] == 0 && w[1] == 0 {
			w[0], w[1] = lo[k]-margin, hi[k]+margin
		}
	}
}
