package dynamics

import (
	"context"
	"fmt"
	"math"
	"slices"

	"popsim/model"
)

// Regions is the plane of two parameters, divided by bifurcation curves.
type Regions struct {
	Model    *model.Model
	X, Y     Free
	Curves   []BifurcationCurve
	Points   []BifurcationPoint // of codimension two: Bogdanov-Takens, cusp, Bautin, zero-Hopf
	Warnings []error

	t       *planeSystem
	x, y    Free // the parameters as they were followed: X and Y, or exchanged
	swapped bool // whether they are exchanged
	scans   []scan
	firing  map[int]firingNode // at nodes of the lattice of areas
}

// BifurcationCurve is a curve of folds, Hopf points, folds of cycles, homoclinic orbits, or of the onset of spiking by
// reset, in order.
type BifurcationCurve struct {
	Label  string // Fold, Hopf, CycleFold, Homoclinic or Onset
	Points []BifurcationPoint
}

// BifurcationPoint is a point of a curve. V is that of the equilibrium, or the largest of the cycle.
type BifurcationPoint struct {
	Label       string // of what changes there; in Regions.Points the special point
	X, Y, V     float64
	Frequency   float64 // Hz; NaN at a fold
	Criticality string  // of a Hopf point: "sub" or "super"
}

// The numbers of diagrams that are searched for points from which curves start.
const (
	rowScans    = 17 // over the first parameter, at even values of the second, its ends among them
	columnScans = 5  // over the second parameter, at even values of the first between its ends
)

// BifurcationCurves follows the folds, the Hopf points, the folds of cycles and the homoclinic orbits of the model
// through the plane of two parameters, and the onset of spiking by reset, and marks the Bogdanov-Takens, cusp and
// Bautin points on them. The other parameters are p, the input current is i. each may distribute the diagrams from
// which curves start over workers; the result does not depend on it.
//
// Diagrams are made over the current where it is one of the parameters, because every branch of cycles is found there.
func BifurcationCurves(ctx context.Context, m *model.Model, p []float64, i float64, x, y Free, each Each) (*Regions,
	error,
) {
	for _, f := range []Free{x, y} {
		if err := f.check(m); err != nil {
			return nil, err
		}
	}
	if x.Name == y.Name {
		return nil, fmt.Errorf("dynamics: both parameters are %s", x.Name)
	}
	if why := coupledOver(m, p, i, x, y); why != "" {
		return nil, fmt.Errorf("%s: only diagrams over one interval are computed", why)
	}
	swapped := y.Name == "I"
	if swapped {
		x, y = y, x
	}
	t := newPlaneSystem(m, p, i, x, y)
	r := &Regions{Model: m, X: x, Y: y, t: t, x: x, y: y}
	err := t.addCurves(ctx, r, each)
	if swapped {
		r.swap()
	}
	return r, err
}

// coupledOver says why equilibria of the model are points of all states somewhere in the plane of x and y; empty where
// they are functions of V.
func coupledOver(m *model.Model, p []float64, i float64, x, y Free) string {
	s := newSystem(m, p, i, "I")
	if s.currentEntersSeveral() {
		return "the current enters several equations of " + m.Name
	}
	for _, free := range [][2]Free{{x, y}, {y, x}} {
		for _, other := range []float64{free[1].Lo, free[1].Hi} {
			s := newSystem(m, p, i, free[0].Name)
			if k := m.Index(free[1].Name); k >= 0 {
				s.p[k] = other
			}
			if s.decideOver(free[0]); s.coupled() {
				return "states of " + m.Name + " have several steady values at one value of " + m.States[0].Name
			}
		}
	}
	return ""
}

// addCurves adds all curves.
func (t *planeSystem) addCurves(ctx context.Context, r *Regions, each Each) error {
	if err := t.equilibriumCurves(ctx, r); err != nil {
		return err
	}
	if resets(t.m) {
		if err := t.firing(ctx, r, each); err != nil {
			return err
		}
	}
	if t.dim() == 1 {
		return ctx.Err()
	}
	var scans []scan
	for _, at := range spread(t.y.Lo, t.y.Hi, rowScans) {
		scans = append(scans, scan{along: t.x, at: at})
	}
	for _, at := range spread(t.x.Lo, t.x.Hi, columnScans+2)[1 : columnScans+1] {
		scans = append(scans, scan{along: t.y, at: at, column: true})
	}
	var err error
	if r.scans, err = t.scan(ctx, each, scans); err != nil {
		return err
	}
	if err := t.homoclinics(ctx, r, r.scans, each); err != nil {
		return err
	}
	if err := t.cycleFolds(ctx, r, r.scans, each); err != nil {
		return err
	}
	if err := t.complete(ctx, r, each); err != nil {
		return err
	}
	return ctx.Err()
}

// complete repeats those diagrams of the scans that lack a fold of cycles which a curve shows to exist: the fold of an
// isola that the search has missed. The repeated diagrams search between the folds.
func (t *planeSystem) complete(ctx context.Context, r *Regions, each Each) error {
	var again []scan
	var which []int
	for k, s := range r.scans {
		if s.along.search = s.missed(r); s.along.search != nil {
			again, which = append(again, s), append(which, k)
		}
	}
	made, err := t.scan(ctx, each, again)
	if err != nil || len(made) != len(which) {
		return err
	}
	for n, k := range which {
		r.scans[k] = made[n]
	}
	return nil
}

// missed lists values between and beside the folds of cycles that curves have where the diagram of s is, if that lacks
// one of them.
func (s scan) missed(r *Regions) (values []float64) {
	const near = 2e-3 // of the interval: what curves miss between rows
	width := s.along.Hi - s.along.Lo
	place := func(q BifurcationPoint) (along, across float64) {
		if s.column {
			return q.Y, q.X
		}
		return q.X, q.Y
	}
	var at []float64
	lacks := false
	for _, c := range r.Curves {
		for k := 1; c.Label == CycleFold && k < len(c.Points); k++ {
			a, y0 := place(c.Points[k-1])
			b, y1 := place(c.Points[k])
			if (y0 < s.at) == (y1 < s.at) {
				continue
			}
			x := a + (b-a)*(s.at-y0)/(y1-y0)
			at = append(at, x)
			lacks = lacks || !slices.ContainsFunc(s.diagram.Points, func(q Point) bool {
				return q.Label == CycleFold && math.Abs(q.Parameter-x) < near*width
			})
		}
	}
	if !lacks {
		return nil
	}
	slices.Sort(at)
	for k, x := range at {
		values = append(values, x-near*width, x+near*width)
		if k > 0 {
			values = append(values, (at[k-1]+x)/2)
		}
	}
	return slices.DeleteFunc(values, func(x float64) bool { return x < s.along.Lo || x > s.along.Hi })
}

// swap exchanges the parameters.
func (r *Regions) swap() {
	r.X, r.Y, r.swapped = r.Y, r.X, !r.swapped
	for k, q := range r.Points {
		r.Points[k].X, r.Points[k].Y = q.Y, q.X
	}
	for _, c := range r.Curves {
		for k, q := range c.Points {
			c.Points[k].X, c.Points[k].Y = q.Y, q.X
		}
	}
}

// turned is q with the parameters in the order in which they were followed.
func (r *Regions) turned(q BifurcationPoint) BifurcationPoint {
	if r.swapped {
		q.X, q.Y = q.Y, q.X
	}
	return q
}

// equilibriumCurves adds the curves of folds and of Hopf points with their special points.
func (t *planeSystem) equilibriumCurves(ctx context.Context, r *Regions) error {
	found, labels := t.equilibriumSeeds(ctx)
	for _, label := range []string{Fold, Hopf} {
		var seeds []placeSeed
		for k, q := range found {
			if labels[k] == label {
				seeds = append(seeds, q)
			}
		}
		for k := range seeds {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if !seeds[k].done {
				t.followSeed(r, label, seeds, k)
			}
		}
	}
	return ctx.Err()
}

// equilibriumSeeds returns folds and Hopf points of equilibria at values of the second parameter, then at values of the
// first, for curves along which the second hardly changes: over a potential of reset it does not change at all.
func (t *planeSystem) equilibriumSeeds(ctx context.Context) (found []placeSeed, labels []string) {
	for _, at := range spread(t.y.Lo, t.y.Hi, rowScans) {
		t.setSecond(at)
		if ctx.Err() != nil || t.m.Check(t.p) != nil {
			continue
		}
		_, points, _ := equilibriumBranches(t.system, t.x)
		for _, q := range points {
			found = append(found, placeSeed{place: place{q.V, q.Parameter, at}})
			labels = append(labels, q.Label)
		}
	}
	for _, at := range spread(t.x.Lo, t.x.Hi, columnScans+2)[1 : columnScans+1] {
		s := newSystem(t.m, t.p, t.i, t.x.Name)
		s.at(at)
		if ctx.Err() != nil || t.m.Check(s.p) != nil {
			continue
		}
		_, points, _ := equilibriumBranches(newSystem(t.m, s.p, s.i, t.y.Name), t.y)
		for _, q := range points {
			found = append(found, placeSeed{place: place{q.V, at, q.Parameter}, column: true})
			labels = append(labels, q.Label)
		}
	}
	return found, labels
}

// scan is a diagram over one of the parameters, at one value of the other.
type scan struct {
	along      Free    // the parameter of the diagram
	at         float64 // the value of the other one
	column     bool    // whether along is the second parameter
	diagram    *Diagram
	folds      []cyclePoint // of cycles
	longCycles []cyclePoint // near homoclinic orbits
}

// scan makes the diagrams at the given places, and leaves out those with invalid parameters.
func (t *planeSystem) scan(ctx context.Context, each Each, scans []scan) ([]scan, error) {
	err := each.do(len(scans), func(k int) error {
		q := &scans[k]
		over, other := q.along, t.y
		if q.column {
			other = t.x
		}
		s := newSystem(t.m, t.p, t.i, other.Name)
		s.at(q.at)
		for _, end := range []float64{over.Lo, over.Hi} {
			e := newSystem(t.m, s.p, s.i, over.Name)
			if e.at(end); t.m.Check(e.p) != nil {
				return nil
			}
		}
		over.far = true
		d, c, err := newDiagram(ctx, t.m, s.p, s.i, over)
		if err != nil {
			return err
		}
		q.diagram, q.folds, q.longCycles = d, c.turned, c.longCycles
		return nil
	})
	return slices.DeleteFunc(scans, func(q scan) bool { return q.diagram == nil }), err
}

// place is V and the two parameters.
type place [3]float64

type placeSeed struct {
	place
	done   bool
	column bool // whether it was found at a value of the first parameter
}

// on reports whether the seed lies on the segment from a to b, in the given units.
func (s placeSeed) on(a, b, unit place) bool {
	const near = 0.1
	if !s.column {
		w := 0.5
		if a[2] != b[2] {
			w = (s.place[2] - a[2]) / (b[2] - a[2])
		}
		return w >= 0 && w <= 1 && math.Abs(a[0]+w*(b[0]-a[0])-s.place[0]) < near*unit[0] &&
			math.Abs(a[1]+w*(b[1]-a[1])-s.place[1]) < near*unit[1]
	}
	var along, from place
	for k := range along {
		along[k], from[k] = (b[k]-a[k])/unit[k], (s.place[k]-a[k])/unit[k]
	}
	w := 0.0
	if length := scalar(along, along); length > 0 {
		w = min(1, max(0, scalar(from, along)/length))
	}
	for k := range from {
		from[k] -= w * along[k]
	}
	return scalar(from, from) < near*near
}

// planeSystem is a system with two free parameters. It follows curves in the space of V and both.
type planeSystem struct {
	*system
	x, y   Free
	second int // of y in the parameters, -1 for the current
}

func newPlaneSystem(m *model.Model, p []float64, i float64, x, y Free) *planeSystem {
	return &planeSystem{system: newSystem(m, p, i, x.Name), x: x, y: y, second: m.Index(y.Name)}
}

// setSecond sets the second parameter.
func (t *planeSystem) setSecond(y float64) {
	if t.second < 0 {
		t.i = y
	} else {
		t.p[t.second] = y
	}
	t.known.hi = 0
}

func (t *planeSystem) set(q place) {
	t.setSecond(q[2])
	t.at(q[1])
}

func (t *planeSystem) unit() place {
	return place{0.25, (t.x.Hi - t.x.Lo) / 300, (t.y.Hi - t.y.Lo) / 300}
}

// equations are the two that hold on a curve: q is an equilibrium, and one that is a fold or has a pair of opposite
// eigenvalues.
func (t *planeSystem) equations(label string, q place) [2]float64 {
	t.set(q)
	y := make([]float64, t.dim())
	t.m.Steady(t.p, q[0], y)
	if label == Fold {
		return [2]float64{t.excess(q[0]), t.slope(q[0])}
	}
	return [2]float64{t.excess(q[0]), pairs(t.eigenvalues(y))}
}

// gradients of the equations, in units of the step.
func (t *planeSystem) gradients(label string, q place) (g [2]float64, d [2]place) {
	u := t.unit()
	for k := range q {
		up, down := q, q
		up[k] += 0.01 * u[k]
		down[k] -= 0.01 * u[k]
		a, b := t.equations(label, up), t.equations(label, down)
		for e := range d {
			d[e][k] = (a[e] - b[e]) / 0.02
		}
	}
	return t.equations(label, q), d
}

func cross(a, b place) place {
	return place{a[1]*b[2] - a[2]*b[1], a[2]*b[0] - a[0]*b[2], a[0]*b[1] - a[1]*b[0]}
}

func scalar(a, b place) float64 { return a[0]*b[0] + a[1]*b[1] + a[2]*b[2] }

// correct moves q onto the curve within the plane perpendicular to normal.
func (t *planeSystem) correct(label string, q *place, normal place) bool {
	u := t.unit()
	for k := range 15 {
		g, d := t.gradients(label, *q)
		// d[0]·s = -g[0], d[1]·s = -g[1], normal·s = 0, by Cramer's rule.
		volume := scalar(normal, cross(d[0], d[1]))
		a, b := cross(d[1], normal), cross(normal, d[0])
		size := 0.0
		for c := range q {
			s := -(g[0]*a[c] + g[1]*b[c]) / volume
			q[c] += s * u[c]
			size = max(size, math.Abs(s))
		}
		switch {
		case math.IsNaN(size) || size > 10:
			return false
		case size < 1e-9 || k > 5 && size < 1e-6:
			return true
		}
	}
	return false
}

// followCurve lists points of the curve from q until it leaves the plane, is closed, or cannot be followed further.
func (t *planeSystem) followCurve(label string, q place, direction float64) (path []place, err error) {
	path = []place{q}
	u := t.unit()
	var before place
	for h := 1.0; len(path) < 20000; {
		q := path[len(path)-1]
		_, d := t.gradients(label, q)
		tangent := cross(d[0], d[1])
		norm := math.Sqrt(scalar(tangent, tangent))
		if len(path) == 1 {
			norm *= direction
		} else if scalar(tangent, before) < 0 {
			norm = -norm
		}
		next := q
		for k := range tangent {
			tangent[k] /= norm
			next[k] += h * tangent[k] * u[k]
		}
		ok := t.correct(label, &next, tangent)
		if ok {
			var moved place
			for k := range moved {
				moved[k] = (next[k] - q[k]) / u[k]
			}
			ok = scalar(moved, tangent) > 0.9*math.Sqrt(scalar(moved, moved))
		}
		if !ok {
			if h /= 2; h < 1e-5 {
				return path, fmt.Errorf("dynamics: the curve of %s points cannot be followed beyond %s = %.6g, %s = %.6g",
					label, t.x.Name, q[1], t.y.Name, q[2])
			}
			continue
		}
		before = tangent
		if out, side := t.outside(q, next); side > 0 {
			last := q
			for k := range last {
				last[k] += out * (next[k] - q[k])
			}
			border := last[side]
			var held place // the parameter whose border it is
			held[side] = 1
			if out > 0 && t.correct(label, &last, held) {
				last[side] = border
				path = append(path, last)
			}
			return path, nil
		}
		path = append(path, next)
		var home place
		for k := range home {
			home[k] = (path[0][k] - q[k]) / u[k]
		}
		if along := scalar(home, tangent); len(path) > 5 && along > 0 && along < h && scalar(home, home) < 1.5*h*h {
			return append(path, path[0]), nil
		}
		h = min(1, 1.5*h)
	}
	return path, nil
}

// outside returns the fraction of the line from q to next that lies inside the plane, and the index of the coordinate
// that leaves it; 0 if none does.
func (t *planeSystem) outside(q, next place) (part float64, side int) {
	part = 1
	for k, f := range []Free{t.x, t.y} {
		for _, border := range []float64{f.Lo, f.Hi} {
			a, b := q[k+1]-border, next[k+1]-border
			if b != 0 && (border == f.Lo) == (b < 0) && max(0, a/(a-b)) < part {
				part, side = max(0, a/(a-b)), k+1
			}
		}
	}
	return part, side
}

// followSeed follows the curve through seed k in both directions, adds it with its special points to r, and marks the
// seeds on it as done.
func (t *planeSystem) followSeed(r *Regions, label string, seeds []placeSeed, k int) {
	seeds[k].done = true
	path, err := t.followCurve(label, seeds[k].place, 1)
	r.Warnings = appendError(r.Warnings, err)
	if len(path) < 3 || path[0] != path[len(path)-1] {
		back, err := t.followCurve(label, seeds[k].place, -1)
		r.Warnings = appendError(r.Warnings, err)
		slices.Reverse(back)
		path = append(back[:len(back)-1], path...)
	}
	u := t.unit()
	for j := 1; j < len(path); j++ {
		a, b := path[j-1], path[j]
		for s := range seeds {
			seeds[s].done = seeds[s].done || seeds[s].on(a, b, u)
		}
	}
	mark := func(q BifurcationPoint, ok bool) {
		if ok && q.X >= t.x.Lo && q.X <= t.x.Hi && q.Y >= t.y.Lo && q.Y <= t.y.Hi {
			r.addPoint(q)
		}
	}
	border := BifurcationCurve{Label: label}
	var last BifurcationPoint
	var lastTest [tests]float64
	for j, q := range path {
		point, test, labels, ok := t.describe(label, q)
		if !ok { // beyond a Bogdanov-Takens point the sum of two real eigenvalues is zero: no Hopf point
			if len(border.Points) > 0 {
				r.addCurve(border)
				border.Points = nil
			}
			lastTest = test
			if j > 0 && last.Label != "" {
				mark(t.special(label, BogdanovTakens, path[j-1], q, 0))
			}
			last = BifurcationPoint{}
			continue
		}
		if j > 0 {
			for e := range test {
				if labels[e] != "" && (test[e] < 0) != (lastTest[e] < 0) && last.Label != "" {
					mark(t.special(label, labels[e], path[j-1], q, e))
				}
			}
		}
		border.Points = append(border.Points, point)
		last, lastTest = point, test
	}
	r.addCurve(border)
}

// addPoint adds a special point. One found on two curves replaces the earlier: a Bogdanov-Takens point is more accurate
// on the curve of Hopf points, which comes second.
func (r *Regions) addPoint(q BifurcationPoint) {
	const same = 1e-5 // of the intervals
	for k, old := range r.Points {
		if old.Label == q.Label && math.Abs(old.X-q.X) < same*(r.X.Hi-r.X.Lo) &&
			math.Abs(old.Y-q.Y) < same*(r.Y.Hi-r.Y.Lo) {
			r.Points[k] = q
			return
		}
	}
	r.Points = append(r.Points, q)
}

func (r *Regions) addCurve(b BifurcationCurve) {
	if len(b.Points) > 1 {
		r.Curves = append(r.Curves, b)
	}
}

// tests is the number of functions along a curve that change sign at special points.
const tests = 3

// describe returns the point of a curve at q, and the functions that change sign at special points of the given labels.
// ok is false where the curve of Hopf points has become one of neutral saddles.
func (t *planeSystem) describe(label string, q place) (point BifurcationPoint, test [tests]float64,
	labels [tests]string, ok bool,
) {
	t.set(q)
	y := make([]float64, t.dim())
	t.m.Steady(t.p, q[0], y)
	point = BifurcationPoint{Label: label, X: q[1], Y: q[2], V: q[0], Frequency: math.NaN()}
	l := t.eigenvalues(y)
	if label == Fold {
		labels = [tests]string{"", Cusp, ""}
		if t.dim() > 1 {
			labels[0] = BogdanovTakens
		}
		if t.dim() > 2 {
			labels[2] = ZeroHopf
		}
		return point, [tests]float64{allButOne(l), t.curvature(q[0]), pairs(l)}, labels, true
	}
	labels = [tests]string{"", Bautin, ZeroHopf}
	test[0] = t.slope(q[0]) // zero at a Bogdanov-Takens point
	test[2] = test[0]
	omega := t.oscillation(l)
	if omega == 0 {
		return point, test, labels, false
	}
	point.Frequency = 1000 * omega / (2 * math.Pi)
	test[1] = t.lyapunov(y, omega)
	point.Criticality = "sub"
	if test[1] < 0 {
		point.Criticality = "super"
	}
	return point, test, labels, true
}

// oscillation is the imaginary part (rad/ms) of the eigenvalue on the imaginary axis, 0 if there is none.
func (t *planeSystem) oscillation(l []complex128) float64 {
	omega, least := 0.0, math.Inf(1)
	for _, z := range l {
		if imag(z) > 0 && math.Abs(real(z)) < least {
			omega, least = imag(z), math.Abs(real(z))
		}
	}
	if least > 1e-4*omega+1e-7 {
		return 0
	}
	return omega
}

// curvature is the second derivative of the steady current by V.
func (t *planeSystem) curvature(v float64) float64 {
	const h = 2e-2 // mV
	return (8*(t.slope(v+h)-t.slope(v-h)) - (t.slope(v+2*h) - t.slope(v-2*h))) / (12 * h)
}

// allButOne is the sum of the products of all eigenvalues but one, a coefficient of the characteristic polynomial.
// Where one eigenvalue is zero it is the product of the others: zero where a second one vanishes, and nowhere else.
func allButOne(l []complex128) float64 {
	sum := complex(0, 0)
	for i := range l {
		product := complex(1, 0)
		for j, z := range l {
			if j != i {
				product *= z
			}
		}
		sum += product
	}
	return real(sum)
}

// defining are the three equations of a point of codimension two, in V and the two parameters.
func (t *planeSystem) defining(name string, q place) (g [3]float64) {
	t.set(q)
	y := make([]float64, t.dim())
	t.m.Steady(t.p, q[0], y)
	l := t.eigenvalues(y)
	g[0] = t.excess(q[0])
	switch name {
	case BogdanovTakens:
		g[1], g[2] = t.slope(q[0]), allButOne(l)
	case Cusp:
		g[1], g[2] = t.slope(q[0]), t.curvature(q[0])
	case ZeroHopf:
		g[1], g[2] = t.slope(q[0]), pairs(l)
	case Bautin:
		g[1], g[2] = pairs(l), math.NaN()
		if omega := t.oscillation(l); omega > 0 {
			g[2] = t.lyapunov(y, omega)
		}
	}
	return g
}

// solveSpecial solves the defining equations of the point by Newton's method from q. It reports whether that converged
// nearby.
func (t *planeSystem) solveSpecial(name string, q place) (place, bool) {
	const (
		near  = 3    // steps along a curve
		small = 1e-9 // such steps, of a correction
	)
	u, start := t.unit(), q
	for k, last := 0, math.Inf(1); k < 20; k++ {
		g := t.defining(name, q)
		var d [3]place // gradients
		for c := range q {
			up, down := q, q
			up[c] += 0.01 * u[c]
			down[c] -= 0.01 * u[c]
			a, b := t.defining(name, up), t.defining(name, down)
			for e := range d {
				d[e][c] = (a[e] - b[e]) / 0.02
			}
		}
		// d·s = -g by Cramer's rule.
		volume := scalar(d[0], cross(d[1], d[2]))
		a, b, e := cross(d[1], d[2]), cross(d[2], d[0]), cross(d[0], d[1])
		size := 0.0
		for c := range q {
			s := -(g[0]*a[c] + g[1]*b[c] + g[2]*e[c]) / volume
			q[c] += s * u[c]
			size = max(size, math.Abs(s))
			if !(math.Abs(q[c]-start[c]) < near*u[c]) {
				return start, false
			}
		}
		if size < small || size < 1e-6 && size > last/2 { // as near as differences allow
			return q, true
		}
		last = size
	}
	return q, false
}

// special solves for the zero of test number e between the adjacent points a and b of a curve. ok is false where there
// is no such point: the sum of two eigenvalues also vanishes at a neutral saddle.
func (t *planeSystem) special(label, name string, a, b place, e int) (BifurcationPoint, bool) {
	u := t.unit()
	var normal place
	for k := range normal {
		normal[k] = (b[k] - a[k]) / u[k]
	}
	on := func(w float64) place {
		q := a
		for k := range q {
			q[k] += w * (b[k] - a[k])
		}
		t.correct(label, &q, normal)
		return q
	}
	f := func(w float64) float64 {
		_, test, _, _ := t.describe(label, on(w))
		return test[e]
	}
	fa, fb := f(0), f(1)
	w := 0.5
	if (fa < 0) != (fb < 0) {
		scale := max(math.Abs(fa), math.Abs(fb))
		w, _ = rootNear(func(w float64) float64 { return f(w) / scale }, 0, 1, fa/scale, fb/scale, 1e-10)
	}
	q := on(w)
	if better, ok := t.solveSpecial(name, q); ok {
		q = better
	}
	t.set(q)
	y := make([]float64, t.dim())
	t.m.Steady(t.p, q[0], y)
	point := BifurcationPoint{Label: name, X: q[1], Y: q[2], V: q[0], Frequency: math.NaN()}
	switch omega := t.oscillation(t.eigenvalues(y)); name {
	case ZeroHopf:
		const slowest = 1e-3 // rad/ms; at a Bogdanov-Takens point there is no frequency at all
		if omega < slowest {
			return point, false
		}
		point.Frequency = 1000 * omega / (2 * math.Pi)
	case Bautin:
		point.Frequency = 1000 * omega / (2 * math.Pi)
	}
	return point, true
}
