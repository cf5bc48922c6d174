package dynamics

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
)

// decided finds the regime of every face with a known node from those that diagrams find in it, and from the attractors
// at its innermost node, which are searched for there without the diagrams. Where these agree, but for a few nodes
// beside curves, the result has the innermost node alone; else attractors are searched for at some nodes spread over
// the face, those of the other nodes are followed there, and the result has these. each may distribute the faces over
// workers.
func (r *Regions) decided(ctx context.Context, each Each, a *Areas, l *lattice, known map[int]Regime) (map[int]Regime,
	error,
) {
	if r.t.dim() == 1 {
		return known, nil // every node has been searched at
	}
	faces := r.facesOf(a, l, known)
	err := each.do(len(faces), func(n int) error {
		faces[n].decide(ctx)
		return ctx.Err()
	})
	result := map[int]Regime{}
	for _, f := range faces {
		for _, s := range f.samples {
			result[s.node] = s.regime
		}
	}
	return result, err
}

// areaFace is a face of the lattice of areas.
type areaFace struct {
	r       *Regions
	a       *Areas
	l       *lattice
	inmost  int
	depth   int // of the innermost node
	known   []faceSample
	samples []faceSample // the result
}

// faceSample is a node of a face with its regime, and the stable cycles from which others may be followed.
type faceSample struct {
	node   int
	regime Regime
	cycles []foundCycle
}

// facesOf lists the faces with known nodes, with those of these nodes that lie beside no curve if there are any.
func (r *Regions) facesOf(a *Areas, l *lattice, known map[int]Regime) []*areaFace {
	inmost, depth := l.inmost()
	all := make([]*areaFace, l.faces)
	for k, f := range l.face {
		regime, ok := known[k]
		if !ok {
			continue
		}
		if all[f] == nil {
			all[f] = &areaFace{r: r, a: a, l: l, inmost: inmost[f], depth: depth[f]}
		}
		all[f].known = append(all[f].known, faceSample{node: k, regime: regime})
	}
	all = slices.DeleteFunc(all, func(f *areaFace) bool { return f == nil })
	for _, f := range all {
		inner := slices.DeleteFunc(slices.Clone(f.known), func(s faceSample) bool { return l.beside(s.node) })
		if len(inner) > 0 {
			f.known = inner
		}
	}
	return all
}

// decide finds the samples of the face.
func (f *areaFace) decide(ctx context.Context) {
	var votes ballot[Regime]
	for _, s := range f.known {
		votes.add(s.regime)
	}
	best, others := votes.best()
	agree := float64(others) <= few*float64(votes.total)
	if f.depth == 0 && agree { // too narrow to search in: on all nodes curves lie close by
		f.samples = []faceSample{{node: f.inmost, regime: best}}
		return
	}
	inner := f.search(f.inmost)
	inner.regime.Cycles = max(inner.regime.Cycles, best.Cycles)
	if agree && inner.regime == best {
		f.samples = []faceSample{inner}
		return
	}
	f.samples = f.spread(inner)
	for k := range f.samples {
		if s := &f.samples[k]; k > 0 && ctx.Err() == nil {
			*s = f.search(s.node)
		}
	}
	f.followCycles(ctx)
}

// spread lists inner and some known nodes of the face, evenly from those of every regime.
func (f *areaFace) spread(inner faceSample) []faceSample {
	const most = 9 // of one regime
	list := []faceSample{inner}
	by := map[Regime][]faceSample{}
	var regimes []Regime
	for _, s := range f.known {
		if by[s.regime] == nil {
			regimes = append(regimes, s.regime)
		}
		by[s.regime] = append(by[s.regime], s)
	}
	for _, q := range regimes {
		n := len(by[q])
		for k := range min(most, n) {
			list = append(list, by[q][(2*k+1)*n/(2*min(most, n))])
		}
	}
	return list
}

// search finds the attractors at a node.
func (f *areaFace) search(node int) faceSample {
	x, y := f.a.X[node%f.l.nx], f.a.Y[node/f.l.nx]
	c := f.r.tracerAt(x, y)
	s := faceSample{node: node}
	for _, q := range FixedPoints(c.m, c.p, c.i) {
		if q.Stable {
			s.regime.Equilibria++
		}
	}
	s.cycles = c.stableCycles(f.r.statesNear(x, y))
	s.regime.Cycles = len(s.cycles)
	return s
}

// followCycles follows the stable cycles of every sample to the others of its face that have fewer of them, the nearest
// first, along a path inside the face.
func (f *areaFace) followCycles(ctx context.Context) {
	if resets(f.r.Model) {
		return
	}
	for again := true; again; {
		again = false
		for from := range f.samples {
			source := f.samples[from]
			paths := f.l.paths(source.node)
			for to := range f.samples {
				s := &f.samples[to]
				if len(source.cycles) <= len(s.cycles) || ctx.Err() != nil {
					continue
				}
				before := len(s.cycles)
				for _, q := range source.cycles {
					if q, ok := f.followed(q, paths(s.node)); ok && !slices.ContainsFunc(s.cycles, q.same) {
						s.cycles = append(s.cycles, q)
					}
				}
				s.regime.Cycles = max(s.regime.Cycles, len(s.cycles))
				again = again || len(s.cycles) > before
			}
		}
	}
}

// followed follows a stable cycle along a path of nodes by simulation: at every few of them it starts from the cycle
// before.
func (f *areaFace) followed(q foundCycle, path []int) (foundCycle, bool) {
	const every = 6 // nodes
	for n := every; n < len(path)-1+every; n += every {
		k := path[min(n, len(path)-1)]
		c := f.r.tracerAt(f.a.X[k%f.l.nx], f.a.Y[k/f.l.nx])
		found := c.stableCycles([][]float64{q.y})
		near := slices.IndexFunc(found, func(o foundCycle) bool { return o.near(q) })
		if near < 0 {
			return q, false
		}
		q = found[near]
	}
	return q, true
}

// tracerAt is a tracer of cycles at a point of the plane, its first parameter free.
func (r *Regions) tracerAt(x, y float64) *cycleTracer {
	s := newSystem(r.t.m, r.t.p, r.t.i, r.y.Name)
	s.at(y)
	s = newSystem(s.m, s.p, s.i, r.x.Name)
	s.at(x)
	return newCycleTracer(s, r.x, nil)
}

// stableCycles finds stable cycles at the current parameters: in planar models by return maps, in others by simulation
// from some states, and from the given ones. Each is solved for as a periodic orbit, so that slow spirals are not
// counted.
func (c *cycleTracer) stableCycles(starts [][]float64) (cycles []foundCycle) {
	mu := c.i
	if c.index >= 0 {
		mu = c.p[c.index]
	}
	var found []foundCycle
	if c.dim == 2 {
		found = c.planarCycles()
	}
	if !resets(c.m) {
		found = append(found, c.simulatedCycles(starts)...)
	}
	for _, q := range found {
		if q.backwards || slices.ContainsFunc(cycles, q.same) {
			continue
		}
		r, err := c.solvedAt(c.guess(q, mu, meshIntervals), 3)
		c.system.at(mu)
		if err != nil || r.vMax-r.vMin < smallCycle || !r.stable() {
			continue
		}
		q.period, q.vMin, q.vMax = r.period, r.vMin, r.vMax
		q.y = c.row(r).State
		if !slices.ContainsFunc(cycles, q.same) {
			cycles = append(cycles, q)
		}
	}
	return cycles
}

// same reports whether two cycles at the same parameters are one.
func (f foundCycle) same(g foundCycle) bool {
	const part = 2e-3 // of the period and of the extent of V
	extent := part * (g.vMax - g.vMin)
	return math.Abs(f.vMin-g.vMin) < extent && math.Abs(f.vMax-g.vMax) < extent &&
		math.Abs(f.period-g.period) < part*f.period
}

// near reports whether a cycle at parameters close by may be the same one.
func (f foundCycle) near(g foundCycle) bool {
	const part = 0.3 // of the period and of the extent of V
	extent := part * (g.vMax - g.vMin)
	return math.Abs(f.vMin-g.vMin) < extent && math.Abs(f.vMax-g.vMax) < extent &&
		math.Abs(f.period-g.period) < part*f.period
}

// statesNear lists states on the stable cycles of the diagrams nearest to (x, y) on both sides, and in both directions.
func (r *Regions) statesNear(x, y float64) (states [][]float64) {
	for _, column := range []bool{false, true} {
		at, along := y, x
		if column {
			at, along = x, y
		}
		var list []scan
		for _, s := range r.scans {
			if s.column == column {
				list = append(list, s)
			}
		}
		slices.SortStableFunc(list, func(a, b scan) int { return cmp.Compare(math.Abs(a.at-at), math.Abs(b.at-at)) })
		for _, s := range list[:min(2, len(list))] {
			states = append(states, s.diagram.stableStates(along)...)
		}
	}
	return states
}

// stableStates lists a state on the stable cycle nearest to the value, of every branch of cycles.
func (d *Diagram) stableStates(at float64) (states [][]float64) {
	for _, b := range d.Branches {
		var nearest *Row
		for k := range b.Rows {
			r := &b.Rows[k]
			if b.Kind == Cycle && r.Stable && (nearest == nil || math.Abs(r.Parameter-at) < math.Abs(nearest.Parameter-at)) {
				nearest = r
			}
		}
		if nearest != nil {
			states = append(states, nearest.State)
		}
	}
	return states
}

// leaveOpen makes nodes undecided and warns of each face of theirs.
func (r *Regions) leaveOpen(a *Areas, l *lattice, nodes []int) {
	warned := map[int]bool{}
	for _, k := range nodes {
		if a.Regimes[k] = (Regime{Undecided: true}); warned[l.face[k]] {
			continue
		}
		warned[l.face[k]] = true
		a.Warnings = append(a.Warnings, fmt.Errorf("dynamics: attractors begin or end near %s = %.4g, %s = %.4g where no "+
			"curve was found; part of the region there is undecided", r.x.Name, a.X[k%l.nx], r.y.Name, a.Y[k/l.nx]))
	}
}
