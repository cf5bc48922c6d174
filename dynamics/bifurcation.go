package dynamics

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"popsim/model"
)

// ErrUnknownParameter is wrapped by the error for a free parameter that the model does not have.
var ErrUnknownParameter = errors.New("dynamics: no such parameter")

// Bifurcation follows all equilibria and cycles of the model over the free parameter, from free.Lo to free.Hi; the other
// parameters are p, the input current is i. Cycles are followed from every Hopf point, and from every cycle that a search
// meets at a number of values of the parameter: in planar models by return maps, stable and unstable ones alike, in
// others by simulation. What could not be followed to its end is told in Warnings. When ctx is cancelled the diagram so
// far is returned with its error.
func Bifurcation(ctx context.Context, m *model.Model, p []float64, i float64, free Free) (*Diagram, error) {
	if free.Name != "I" && m.Index(free.Name) < 0 {
		return nil, fmt.Errorf("%w: %s has no %q", ErrUnknownParameter, m.Name, free.Name)
	}
	if !(free.Lo < free.Hi) {
		return nil, fmt.Errorf("dynamics: the interval of %s runs from %v to %v; the first must be smaller", free.Name, free.Lo, free.Hi)
	}
	s := newSystem(m, p, i, free.Name)
	for _, end := range []float64{free.Lo, free.Hi} {
		s.at(end)
		if err := m.Check(s.p); err != nil {
			return nil, err
		}
	}
	d := &Diagram{Model: m, Free: free}
	d.Branches, d.Points, d.Warnings = restBranches(s, free)
	if s.dim() == 1 {
		return d, nil
	}
	return d, d.cycles(ctx, newCyclist(s, free, d.Points))
}

// cycles adds the branches of cycles.
func (d *Diagram) cycles(ctx context.Context, c *cyclist) error {
	add := func(b Branch, points []Point, err error) {
		if err != nil && ctx.Err() == nil {
			d.Warnings = append(d.Warnings, err)
		}
		if len(b.Rows) < 2 {
			return
		}
		for _, q := range points {
			q.Branch = len(d.Branches)
			d.Points = append(d.Points, q)
		}
		d.Branches = append(d.Branches, b)
	}
	for k := range c.hopfs {
		if !c.used[k] && ctx.Err() == nil {
			add(c.fromHopf(ctx, k))
		}
	}
	for _, mu := range d.searched() {
		c.system.at(mu)
		if !c.lively() {
			continue
		}
		for _, f := range c.search() {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if d.knows(f, mu) {
				continue
			}
			c.system.at(mu)
			r, err := c.pinned(c.guess(f, mu, meshIntervals), 3)
			if err != nil {
				d.Warnings = append(d.Warnings, fmt.Errorf("%w near the one that integration finds at %s = %.8g with period %.6g ms", err, c.free.Name, mu, f.period))
				continue
			}
			if f.vMin, f.vMax, f.period = r.vMin, r.vMax, r.period; f.vMax-f.vMin < smallCycle || d.knows(f, mu) {
				continue
			}
			add(c.through(ctx, r))
		}
	}
	return ctx.Err()
}

// lively tells whether an equilibrium lies where cycles can be. A cycle has one in its reach, and far outside all reversal
// potentials nothing opens and closes.
func (c *cyclist) lively() bool {
	if c.m.Fires == model.Reset {
		return true
	}
	at := func(name string) float64 { return c.p[c.m.Index(name)] }
	lo, hi := min(at("E_Na"), at("E_K"), at("E_L"))-10, max(at("E_Na"), at("E_K"), at("E_L"))+10
	return slices.ContainsFunc(c.rests(), func(v float64) bool { return v > lo && v < hi })
}

// search finds cycles at the present parameters.
func (c *cyclist) search() []found {
	if c.dim == 2 {
		return c.planarCycles()
	}
	cycles := c.simulatedCycles(c.carried)
	c.carried = nil
	for _, f := range cycles {
		c.carried = append(c.carried, f.y)
	}
	return cycles
}

// searched lists the values of the parameter at which cycles are looked for: evenly over the interval, and where V of an
// equilibrium has moved by 2 mV, because that is where the membrane's properties change.
func (d *Diagram) searched() []float64 {
	const even, move = 12, 2.0
	var at []float64
	for k := range even + 1 {
		at = append(at, d.Free.Lo+(d.Free.Hi-d.Free.Lo)*float64(k)/even)
	}
	for _, b := range d.Branches {
		if b.Kind != Equilibrium {
			continue
		}
		last := math.Inf(-1)
		for _, r := range b.Rows {
			if math.Abs(r.VMax-last) >= move && r.VMax > -90 && r.VMax < 0 {
				at = append(at, r.Parameter)
				last = r.VMax
			}
		}
	}
	slices.Sort(at) // so that a cycle found at one value is near that at the next
	return slices.Compact(at)
}

// knows tells whether a cycle found at mu lies on a branch already followed.
func (d *Diagram) knows(f found, mu float64) bool {
	const same = 5e-3
	near := func(a, b, unit float64) bool { return math.Abs(a-b) < same*unit }
	for _, b := range d.Branches {
		if b.Kind != Cycle {
			continue
		}
		for k := 1; k < len(b.Rows); k++ {
			p, q := b.Rows[k-1], b.Rows[k]
			if (mu-p.Parameter)*(mu-q.Parameter) > 0 {
				continue
			}
			w := 0.0
			if q.Parameter != p.Parameter {
				w = (mu - p.Parameter) / (q.Parameter - p.Parameter)
			}
			if near(p.Period+w*(q.Period-p.Period), f.period, f.period) && near(p.VMax+w*(q.VMax-p.VMax), f.vMax, 50) && near(p.VMin+w*(q.VMin-p.VMin), f.vMin, 50) {
				return true
			}
		}
	}
	return false
}
