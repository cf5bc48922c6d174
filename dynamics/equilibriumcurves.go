package dynamics

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// seed is an equilibrium from which a curve can be followed; it is done once a curve has passed through it.
type seed struct {
	curvePoint
	done bool
}

// equilibriumTracer follows the curves on which the steady current equals the input, through the strip free.Lo to
// free.Hi.
type equilibriumTracer struct {
	*system
	curve
	free  Free
	seeds []seed
	scan  []float64 // values of the parameter at which the seeds were sought
	fine  float64   // largest step in V, mV
}

// equilibriumScans is the number of evenly spaced values of the parameter that are searched for equilibria which no
// curve from the ends of the interval reaches.
const equilibriumScans = 33

// mostPoints is the largest number of points of all curves of equilibria together. Those of the presets have hundreds;
// more occur only with parameters that no membrane has.
const mostPoints = 100_000

// equilibriumBranches follows every curve of equilibria over the free parameter.
func equilibriumBranches(s *system, free Free) (branches []Branch, points []Point, warnings []error) {
	if s.decideOver(free); s.coupled() {
		return stateBranches(s, free)
	}
	t := &equilibriumTracer{system: s, free: free, fine: 0.25}
	t.curve = curve{
		gap: t.gap, scales: t.scales, visit: t.visit, halt: s.halt, most: mostPoints, lo: free.Lo,
		hi: free.Hi, ceiling: s.ceiling(), name: free.Name, first: s.m.States[0],
	}
	for _, end := range []float64{free.Lo, free.Hi} {
		s.at(end)
		lo, _ := s.reach()
		t.floor = min(t.floor, lo)
	}
	if j := s.m.Index("delta_T"); j >= 0 {
		t.fine = min(t.fine, s.p[j]/8)
	}
	t.scan = spread(free.Lo, free.Hi, equilibriumScans)
	for _, mu := range t.scan {
		t.at(mu)
		for _, v := range t.equilibria() {
			t.seeds = append(t.seeds, seed{curvePoint: curvePoint{v, mu}})
		}
	}
	var stuck []error // curves that cannot be followed at all
	n := 0            // points of all curves
	for k := range t.seeds {
		if t.seeds[k].done {
			continue
		}
		if n > mostPoints {
			warnings = append(warnings, fmt.Errorf("dynamics: curves of equilibria were left after %d points", n))
			break
		}
		path, from, to, errs := t.through(k)
		if len(path) > haltEvery && s.halt != nil && s.halt() != nil {
			break
		}
		if len(path) < 2 {
			stuck = appendError(stuck, cmp.Or(errs...))
			continue
		}
		n += len(path)
		for _, err := range errs {
			warnings = appendError(warnings, err)
		}
		b, found := t.branch(path, from, to, len(branches))
		branches = append(branches, b)
		points = append(points, found...)
	}
	switch n := len(stuck) - 1; {
	case n == 0:
		warnings = append(warnings, stuck[0])
	case n > 0:
		warnings = append(warnings, fmt.Errorf("%w (and %d more like it)", stuck[0], n))
	}
	return branches, points, warnings
}

// through follows the curve through seed k in both directions. from and to are the labels of its ends; errs says why it
// stopped there, first at from.
func (t *equilibriumTracer) through(k int) (path []curvePoint, from, to string, errs []error) {
	t.seeds[k].done = true
	start := t.seeds[k].curvePoint
	path, to, err := t.follow(start, 1)
	if to == Closed {
		return path, Closed, to, []error{nil, err}
	}
	back, from, errBack := t.follow(start, -1)
	slices.Reverse(back)
	return append(back[:len(back)-1], path...), from, to, []error{errBack, err}
}

// branch makes a branch of a path, with its special points and those of its ends that are not ends of the interval.
// number is the index of the branch in the diagram.
func (t *equilibriumTracer) branch(path []curvePoint, from, to string, number int) (b Branch, points []Point) {
	b = Branch{Kind: Equilibrium, From: from, To: to}
	b.Rows, points = t.describe(path)
	for i := range points {
		points[i].Branch = number
	}
	for _, q := range endsOf(b) {
		q.Branch = number
		points = append(points, q)
	}
	return b, points
}

// endsOf lists the ends of a branch of equilibria that are not ends of the interval.
func endsOf(b Branch) (points []Point) {
	for _, end := range []struct {
		label string
		row   Row
	}{{b.From, b.Rows[0]}, {b.To, b.Rows[len(b.Rows)-1]}} {
		if end.label == BranchEnd {
			q := newPoint(BranchEnd, end.row.Parameter, end.row.VMax)
			q.State = end.row.State
			q.Note = "the equilibrium reaches V_th, or lies beyond all reach"
			points = append(points, q)
		}
	}
	return points
}

func appendError(list []error, err error) []error {
	if err != nil {
		return append(list, err)
	}
	return list
}

func newPoint(label string, parameter, v float64) Point {
	nan := math.NaN()
	return Point{Label: label, Parameter: parameter, V: v, Frequency: nan, Period: nan, Lyapunov: nan}
}

// gap is the function whose zeros the curves are, with its slopes in V and in the parameter.
func (t *equilibriumTracer) gap(q curvePoint) (g, gv, gmu float64) {
	if t.index < 0 {
		t.at(q.mu)
		return t.excess(q.v), t.slope(q.v), -1
	}
	h := 1e-6 * max(math.Abs(q.mu), t.free.Hi-t.free.Lo)
	t.at(q.mu + h)
	up := t.excess(q.v)
	t.at(q.mu - h)
	down := t.excess(q.v)
	t.at(q.mu)
	return t.excess(q.v), t.slope(q.v), (up - down) / (2 * h)
}

// scales are the steps in V and in the parameter that count as one at q.
func (t *equilibriumTracer) scales(q curvePoint) (v, mu float64) {
	return t.fine * max(1, (math.Abs(q.v+20)-100)/20), (t.free.Hi - t.free.Lo) / 400
}

// visit marks the seeds that lie on the curve between a and b as done.
func (t *equilibriumTracer) visit(a, b curvePoint) {
	for _, mu := range t.scan {
		if mu < min(a.mu, b.mu) || mu > max(a.mu, b.mu) {
			continue
		}
		v := b.v
		if a.mu != b.mu {
			v = a.v + (b.v-a.v)*(mu-a.mu)/(b.mu-a.mu)
		}
		nearest := -1
		for k, s := range t.seeds {
			if s.mu == mu && (nearest < 0 || math.Abs(s.v-v) < math.Abs(t.seeds[nearest].v-v)) {
				nearest = k
			}
		}
		if nearest >= 0 && math.Abs(t.seeds[nearest].v-v) < 1.01*math.Abs(a.v-b.v)+1e-6 {
			t.seeds[nearest].done = true
		}
	}
	// Where the curve turns back it extends beyond both ends of a step, by less than one step that follow accepts.
	_, bulge := t.scales(a)
	for k, s := range t.seeds {
		if (s.v-a.v)*(s.v-b.v) <= 0 && s.mu > min(a.mu, b.mu)-bulge/4 && s.mu < max(a.mu, b.mu)+bulge/4 {
			t.seeds[k].done = true
		}
	}
}

// state is the equilibrium at a point of the curve.
func (t *equilibriumTracer) state(q curvePoint) []float64 {
	t.at(q.mu)
	y := make([]float64, t.dim())
	t.m.Steady(t.p, q.v, y)
	return y
}

// describe makes rows of a path; the special points between them are located and become rows, too.
func (t *equilibriumTracer) describe(path []curvePoint) (rows []Row, points []Point) {
	type mark struct{ fold, hopf float64 }
	measure := func(q curvePoint) mark {
		y := t.state(q)
		return mark{t.slope(q.v), pairs(t.eigenvalues(y))}
	}
	var last mark
	for k, q := range path {
		now := measure(q)
		if k > 0 {
			var between []Point
			if (last.fold < 0) != (now.fold < 0) {
				f := t.between(path[k-1], q, func(x curvePoint) float64 {
					t.at(x.mu)
					return t.slope(x.v)
				})
				between = append(between, t.foldAt(f))
			}
			if (last.hopf < 0) != (now.hopf < 0) {
				h := t.between(path[k-1], q, func(x curvePoint) float64 { return pairs(t.eigenvalues(t.state(x))) })
				if p, ok := t.hopfAt(h); ok {
					between = append(between, p)
				}
			}
			slices.SortFunc(between, func(a, b Point) int { // along the path, not along V
				if math.Abs(a.V-path[k-1].v) < math.Abs(b.V-path[k-1].v) {
					return -1
				}
				return 1
			})
			for _, p := range between {
				rows = append(rows, t.row(curvePoint{p.V, p.Parameter}))
			}
			points = append(points, between...)
		}
		rows = append(rows, t.row(q))
		last = now
	}
	return rows, points
}

func (t *equilibriumTracer) row(q curvePoint) Row {
	f := t.classify(t.state(q))
	return Row{
		Parameter: q.mu, VMin: q.v, VMax: q.v, Period: math.NaN(), Stable: f.Stable, State: f.State,
		Spectrum: f.Eigenvalues,
	}
}

func (t *equilibriumTracer) foldAt(q curvePoint) Point {
	p := newPoint(Fold, q.mu, q.v)
	p.State = t.state(q)
	return p
}

// hopfAt describes the Hopf point at q, unless the two eigenvalues whose sum is zero are real.
func (t *equilibriumTracer) hopfAt(q curvePoint) (Point, bool) {
	return t.hopfOf(t.state(q), q.mu)
}

// hopfOf is hopfAt for the state y, at which the parameter mu is set.
func (t *equilibriumTracer) hopfOf(y []float64, mu float64) (Point, bool) {
	p := newPoint(Hopf, mu, y[0])
	p.State = y
	var omega, least float64
	least = math.Inf(1)
	for _, l := range t.eigenvalues(p.State) {
		if imag(l) > 0 && math.Abs(real(l)) < least {
			omega, least = imag(l), math.Abs(real(l))
		}
	}
	if least > 1e-6*max(omega, 1e-3) {
		return p, false
	}
	p.Frequency, p.Period = 1000*omega/(2*math.Pi), 2*math.Pi/omega
	p.Lyapunov = t.lyapunov(p.State, omega)
	p.Criticality = "sub"
	if p.Lyapunov < 0 {
		p.Criticality = "super"
	}
	return p, true
}

// pairs is the product of the sums of any two eigenvalues: a real number that changes its sign at a Hopf point.
func pairs(l []complex128) float64 {
	product := complex(1, 0)
	for i := range l {
		for j := range i {
			product *= l[i] + l[j]
		}
	}
	if len(l) < 2 {
		return 1
	}
	return real(product)
}
