package dynamics

import (
	"context"
	"fmt"
	"math"
	"slices"

	"popsim/model"
)

// Bifurcation follows all equilibria and cycles of the model over the free parameter, from free.Lo to free.Hi; the
// other parameters are p, the input current is i. Cycles are followed from every Hopf point, and from every cycle that
// a search finds at a number of values of the parameter: in planar models by return maps, stable and unstable ones
// alike, in others by simulation. Branches that could not be followed to their ends are listed in Warnings. When ctx is
// cancelled the diagram so far is returned with its error.
func Bifurcation(ctx context.Context, m *model.Model, p []float64, i float64, free Free) (*Diagram, error) {
	d, _, err := newDiagram(ctx, m, p, i, free)
	return d, err
}

// newDiagram is Bifurcation. It also returns the tracer of the cycles, which holds their folds and homoclinic ends; nil
// for a model of one variable.
func newDiagram(ctx context.Context, m *model.Model, p []float64, i float64, free Free) (*Diagram, *cycleTracer,
	error,
) {
	if err := free.check(m); err != nil {
		return nil, nil, err
	}
	s := newSystem(m, p, i, free.Name)
	s.halt = ctx.Err
	for _, end := range []float64{free.Lo, free.Hi} {
		s.at(end)
		if err := m.Check(s.p); err != nil {
			return nil, nil, err
		}
	}
	d := &Diagram{Model: m, Free: free}
	d.Branches, d.Points, d.Warnings = equilibriumBranches(s, free)
	switch s.dim() {
	case 1:
		return d, nil, ctx.Err()
	case 2:
		c := newCycleTracer(s, free, d.Points)
		return d, c, d.cycles(ctx, c)
	}
	// Here only stable cycles can be searched for. Unstable ones are found as the continuation of others, which may
	// begin outside the interval.
	wide := &Diagram{Model: m, Free: s.widened(free)}
	var special []Point
	_, special, _ = equilibriumBranches(s, wide.Free)
	wide.Branches = slices.Clone(d.Branches)
	equilibria := len(d.Branches)
	c := newCycleTracer(s, wide.Free, special)
	c.fine, c.asked = free.Hi-free.Lo, [2]float64{free.Lo, free.Hi}
	err := wide.cycles(ctx, c)
	for k := equilibria; k < len(wide.Branches); k++ {
		d.clip(wide, k)
	}
	d.Warnings = append(d.Warnings, wide.Warnings...)
	return d, c, err
}

// widened is the interval over which cycles are followed so that none that reaches into free is missed: three times as
// long, and for the current long enough to include every Hopf point between the reversal potentials.
func (s *system) widened(free Free) Free {
	width := free.Hi - free.Lo
	wide := free
	wide.Marks = append(slices.Clone(free.Marks), free.Lo, free.Hi)
	wide.Lo, wide.Hi = free.Lo-width, free.Hi+width
	if s.index < 0 {
		y := make([]float64, s.dim())
		lowest, _ := s.reversals()
		lo := s.m.Steady(s.p, lowest, y)
		hi := s.m.Steady(s.p, 0, y)
		if lo < hi {
			_, points, _ := equilibriumBranches(s, Free{Name: "I", Lo: lo, Hi: hi})
			first, last := math.Inf(1), math.Inf(-1)
			for _, q := range points {
				if q.Label == Hopf {
					first, last = min(first, q.Parameter), max(last, q.Parameter)
				}
			}
			margin := 0.1 * (hi - lo)
			if s.m.Outside() { // whose current may rise with a power of V far out
				margin = min(margin, max(width, last-first))
			}
			if first <= last {
				wide.Lo, wide.Hi = min(wide.Lo, first-margin), max(wide.Hi, last+margin)
			}
		}
	}
	valid := func(x float64) bool {
		s.at(x)
		return s.m.Check(s.p) == nil
	}
	for k := 0; !valid(wide.Lo); k++ {
		if wide.Lo = (wide.Lo + free.Lo) / 2; k > 50 {
			wide.Lo = free.Lo
		}
	}
	for k := 0; !valid(wide.Hi); k++ {
		if wide.Hi = (wide.Hi + free.Hi) / 2; k > 50 {
			wide.Hi = free.Hi
		}
	}
	return wide
}

// clip copies from a wider diagram the parts of branch k that lie in the interval of d, with their special points.
func (d *Diagram) clip(wide *Diagram, k int) {
	b := wide.Branches[k]
	within := func(x float64) bool { return x >= d.Free.Lo && x <= d.Free.Hi }
	first := len(d.Branches)
	for from := 0; from < len(b.Rows); from++ {
		if !within(b.Rows[from].Parameter) {
			continue
		}
		to := from
		for to+1 < len(b.Rows) && within(b.Rows[to+1].Parameter) {
			to++
		}
		piece := Branch{Kind: b.Kind, Rows: b.Rows[from : to+1], From: IntervalEnd, To: IntervalEnd}
		if from == 0 {
			piece.From = b.From
		}
		if to == len(b.Rows)-1 {
			piece.To = b.To
		}
		if len(piece.Rows) > 1 {
			d.Branches = append(d.Branches, piece)
		}
		from = to
	}
	// A closed branch that has been cut begins and ends where it was entered: join these two ends.
	if n := len(d.Branches) - 1; n > first && d.Branches[first].From == Closed && d.Branches[n].To == Closed {
		d.Branches[first].Rows = append(slices.Clone(d.Branches[n].Rows), d.Branches[first].Rows[1:]...)
		d.Branches[first].From = IntervalEnd
		d.Branches = d.Branches[:n]
	}
	unit := vUnitOf(d.Model)
	for _, q := range wide.Points {
		if q.Branch != k || !within(q.Parameter) {
			continue
		}
		nearest := math.Inf(1)
		for j := first; j < len(d.Branches); j++ {
			for _, r := range d.Branches[j].Rows {
				away := math.Abs(r.Parameter-q.Parameter)/(d.Free.Hi-d.Free.Lo) + math.Abs(r.VMax-q.V)/unit
				if away < nearest {
					nearest, q.Branch = away, j
				}
			}
		}
		if !math.IsInf(nearest, 1) {
			d.Points = append(d.Points, q)
		}
	}
}

// cycles adds the branches of cycles.
func (d *Diagram) cycles(ctx context.Context, c *cycleTracer) error {
	for k := range c.hopfs {
		if !c.used[k] && ctx.Err() == nil {
			b, points, err := c.fromHopf(ctx, k)
			d.addCycles(ctx, c, b, points, err)
		}
	}
	const outside = 2 // values outside the interval asked for at which the flow may be too fast
	spent := 0
	for _, mu := range d.searchValues() {
		beyond := mu < c.asked[0] || mu > c.asked[1]
		if beyond && spent == outside {
			continue
		}
		c.system.at(mu)
		if !c.mayHaveCycles() {
			continue
		}
		cycles := c.search()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if c.tooFast && beyond {
			c.tooFast = false
			spent++
			continue
		}
		if c.tooFast {
			d.Warnings = append(d.Warnings, fmt.Errorf("%w: cycles are not searched for", errTooFast))
			break
		}
		for _, f := range cycles {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if d.hasSimilar(f, mu) {
				continue
			}
			c.system.at(mu)
			r, err := c.solvedAt(c.guess(f, mu, meshIntervals), 3)
			if err != nil && c.changesSlowly(f, mu) {
				continue
			}
			if err != nil {
				d.Warnings = append(d.Warnings, fmt.Errorf("%w near the one that integration finds at %s = %.8g with period "+
					"%.6g ms",
					err, c.free.Name, mu, f.period))
				continue
			}
			if r.vMax-r.vMin < c.scaled(smallCycle) || d.hasCycle(c, r) {
				continue
			}
			b, points, err := c.through(ctx, r)
			d.addCycles(ctx, c, b, points, err)
		}
	}
	return ctx.Err()
}

// addCycles adds a branch of cycles with its special points, unless the diagram has it already, followed from its other
// end.
func (d *Diagram) addCycles(ctx context.Context, c *cycleTracer, b Branch, points []Point, err error) {
	if len(b.Rows) < 2 && err == nil {
		return
	}
	if ctx.Err() == nil && c.middle.u != nil && d.hasCycle(c, c.middle) {
		return // the same branch, from its other end
	}
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

// mayHaveCycles reports whether an equilibrium lies where cycles can be: every cycle surrounds one, and far outside all
// reversal potentials the gates are constant.
func (c *cycleTracer) mayHaveCycles() bool {
	if c.m.Fires == model.Reset {
		return true
	}
	if c.coupled() { // whose equilibria are not sought by V alone
		return true
	}
	lo, hi := c.reversals()
	return slices.ContainsFunc(c.equilibria(), func(v float64) bool { return v > lo-10 && v < hi+10 })
}

// search finds cycles at the current parameters.
func (c *cycleTracer) search() []foundCycle {
	if c.dim == 2 && !c.coupled() {
		return c.planarCycles()
	}
	cycles := c.simulatedCycles(c.carried)
	c.carried = nil
	for _, f := range cycles {
		c.carried = append(c.carried, f.y)
	}
	return cycles
}

// searchValues lists the values of the parameter at which cycles are searched for: evenly over the interval, and where
// V of an equilibrium has moved by some mV, because that is where the membrane's properties change. A finer list
// follows the coarse one, for isolas: most of the cycles at its values lie on branches already found.
func (d *Diagram) searchValues() []float64 {
	if d.Free.sparse {
		return spread(d.Free.Lo, d.Free.Hi, 5)
	}
	fine := 0.5 // mV
	if d.Free.far {
		fine = 2 // one of many diagrams of a plane: what it misses its neighbours find
	}
	return slices.Concat(d.searchValuesEvery(13, 2), d.searchValuesEvery(25, fine), d.Free.search)
}

// searchValuesEvery lists even values, evenly over the interval, and those where V of an equilibrium has moved by move
// mV.
func (d *Diagram) searchValuesEvery(even int, move float64) []float64 {
	at := spread(d.Free.Lo, d.Free.Hi, even)
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

// hasSimilar reports whether a branch already followed has, by straight lines between its rows, the cycle f at mu.
func (d *Diagram) hasSimilar(f foundCycle, mu float64) bool {
	const same = 5e-3
	unit := vUnitOf(d.Model)
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
			if near(p.Period+w*(q.Period-p.Period), f.period, f.period) &&
				near(p.VMax+w*(q.VMax-p.VMax), f.vMax, unit) && near(p.VMin+w*(q.VMin-p.VMin), f.vMin, unit) {
				return true
			}
		}
	}
	return false
}

// hasCycle reports whether the cycle r lies on a branch already followed: whether r itself, continued by Newton's
// method to the parameter of a row beside it, becomes the cycle of that row. Where the period is a straight line over
// the parameter rows may lie far apart, and interpolation between them would be too inaccurate for this test.
func (d *Diagram) hasCycle(c *cycleTracer, r cyclePoint) bool {
	const (
		loose = 0.1  // of the period, and of the unit of V: which rows are tried
		same  = 1e-5 // of the period, and of the unit of V: what is one cycle
	)
	unit := c.vUnit
	off := func(row Row, o cyclePoint) float64 {
		return max(math.Abs(row.Period/o.period-1), math.Abs(row.VMax-o.vMax)/unit, math.Abs(row.VMin-o.vMin)/unit)
	}
	between := func(a, b, x, slack float64) bool { return x > min(a, b)-slack && x < max(a, b)+slack }
	for _, b := range d.Branches {
		if b.Kind != Cycle {
			continue
		}
		for k := 1; k < len(b.Rows); k++ {
			p, q := b.Rows[k-1], b.Rows[k]
			if !between(p.Parameter, q.Parameter, r.mu, 1e-9*c.muUnit) || !between(p.Period, q.Period, r.period,
				loose*r.period) ||
				!between(p.VMax, q.VMax, r.vMax, loose*unit) || !between(p.VMin, q.VMin, r.vMin, loose*unit) {
				continue
			}
			for _, row := range []Row{p, q} {
				if o, ok := c.continued(r, row.Parameter); ok && off(row, o) < same {
					return true
				}
			}
		}
	}
	return d.hasSimilar(foundCycle{period: r.period, vMin: r.vMin, vMax: r.vMax}, r.mu)
}

// continued continues the cycle r to another value of the parameter, if that can be reached without turning.
func (c *cycleTracer) continued(r cyclePoint, mu float64) (cyclePoint, bool) {
	const most = 8 // steps
	for range most {
		part := 1.0
		if way := math.Abs(mu - r.mu); way > 0 {
			part = min(1, 0.3*math.Abs(r.tangent.mu)/way) // of a step that changes the cycle by less than a third
		}
		guess := r.plus(part*(mu-r.mu)/r.tangent.mu, r.tangent)
		if r.tangent.mu == 0 {
			guess = r.orbit
		}
		guess.mu = r.mu + part*(mu-r.mu)
		if part == 1 {
			guess.mu = mu
		}
		next, err := c.solvedAt(guess, 0)
		if err != nil {
			return r, false
		}
		if r = next; part == 1 {
			return r, true
		}
		r = c.remeshed(r)
	}
	return r, false
}

// changesSlowly reports whether an orbit that integration took for a cycle still grows or shrinks, as beside a Hopf
// point, where orbits converge too slowly for a search: its range of V changes by more than a thousandth over many
// periods.
func (c *cycleTracer) changesSlowly(f foundCycle, mu float64) bool {
	const turns, steady = 100, 1e-3
	c.system.at(mu)
	sign := 1.0
	if f.backwards {
		sign = -1
	}
	st := newStepper(c.dim, coarse, func(_ float64, y, dy []float64) {
		c.deriv(y, dy)
		for k := range dy {
			dy[k] *= sign
		}
	})
	y, out := slices.Clone(f.y), make([]float64, c.dim)
	steps := 0
	for t, h := 0.0, f.period/100; t < turns*f.period; {
		if steps++; c.stepsSpent(steps) {
			return false
		}
		made, next, err := st.advance(t, y, turns*f.period, h, out)
		if err != nil {
			return false
		}
		t, h = t+made, next
		copy(y, out)
	}
	later := foundCycle{y: y, period: f.period, backwards: f.backwards}
	later.trace(c.system)
	return math.Abs(later.vMax-later.vMin-(f.vMax-f.vMin)) > steady*(f.vMax-f.vMin)
}
