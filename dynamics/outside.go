package dynamics

import (
	"fmt"

	"popsim/model"
)

// mostStates is the largest number of states of a model in phase planes and diagrams.
const mostStates = 4

// Supports returns an error that says why phase planes and bifurcation diagrams of a model cannot be computed; nil if
// they can.
func Supports(m *model.Model) error {
	switch {
	case !m.Outside():
		return nil
	case m.Fires == model.Reset:
		return fmt.Errorf("%s resets by equations of its own; phase planes and bifurcation diagrams know the reset of "+
			"lif, eif and adex alone", m.Name)
	case len(m.States) > mostStates:
		return fmt.Errorf("%s has %d states; phase planes and bifurcation diagrams take up to %d",
			m.Name, len(m.States), mostStates)
	}
	return nil
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
