package dynamics

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/cmplx"
	"slices"
)

// Numbers that steer the continuation of cycles.
const (
	meshIntervals = 120
	rowTol        = 4e-4  // straight lines between rows miss the period by less than this, relative
	farther       = 10    // and rows that are not shown, by so many times as much
	parameterTol  = 1e-8  // or the parameter by less than this part of the interval
	newtonTol     = 1e-9  // of a correction, in units of the states; the next one would be of its square
	smallCycle    = 0.05  // mV, as scaled; a smaller cycle near a Hopf point has ended there
	longestStep   = 0.5   // of arclength
	smallestStep  = 1e-6  // of arclength
	sharpestTurn  = 0.8   // cosine of the angle between the directions of a branch at two neighbours
	mostRows      = 20000 // of one branch
)

// cyclePoint is one cycle of a branch: a point of the curve that the branch is.
type cyclePoint struct {
	orbit
	tangent    orbit // the direction of the branch, of length 1
	spectrum   []complex128
	vMin, vMax float64
	sMax       float64 // where on the cycle V is largest
}

// cycleTracer follows branches of cycles by pseudo-arclength continuation.
type cycleTracer struct {
	*collocator
	free       Free
	fine       float64    // length of the interval that rows are wanted for; it may be part of free
	asked      [2]float64 // its ends
	hopfs      []Point
	folds      []Point
	plain      bool         // Floquet multipliers are not computed
	used       []bool       // Hopf points at which a branch has begun or ended
	turned     []cyclePoint // folds of cycles met
	longCycles []cyclePoint // the last cycles of branches that end at a homoclinic orbit

	middle  cyclePoint   // a cycle halfway along the branch last followed from a Hopf point
	sampled []cyclePoint // at most 32 cycles of the side being followed, equally many rows apart

	carried [][]float64 // states on the cycles last found by simulation, from which the next search starts
}

func newCycleTracer(s *system, free Free, special []Point) *cycleTracer {
	c := &cycleTracer{collocator: newCollocator(s, free.Hi-free.Lo), free: free, fine: free.Hi - free.Lo}
	c.asked = [2]float64{free.Lo, free.Hi}
	for _, q := range special {
		switch q.Label {
		case Hopf:
			c.hopfs = append(c.hopfs, q)
		case Fold:
			c.folds = append(c.folds, q)
		}
	}
	c.used = make([]bool, len(c.hopfs))
	return c
}

var errNoConvergence = errors.New("dynamics: Newton's method did not converge to a cycle")

// settle corrects the guess o to a cycle with the phase of ref, on which form has the value want.
func (c *cycleTracer) settle(o, ref orbit, form linear, want float64) (orbit, error) {
	phase := c.phase(ref)
	phaseAt := phase.of(ref)
	forms := [2]linear{phase, form}
	for k, last := 0, math.Inf(1); k < 12; k++ {
		if err := c.condense(o); err != nil {
			return o, err
		}
		dx, err := c.correct(o.mesh, forms, [2]float64{phaseAt - phase.of(o), want - form.of(o)}, false)
		if err != nil {
			return o, err
		}
		size := c.size(dx, o.period)
		if math.IsNaN(size) || size > 2*last && size > 1e-3 || size > 100 {
			return o, errNoConvergence
		}
		o = o.plus(1, dx)
		if o.period <= 0 {
			return o, errNoConvergence
		}
		if size < newtonTol || k > 6 && size < 1e3*newtonTol {
			return o, nil
		}
		last = size
	}
	return o, errNoConvergence
}

// size is the largest part of a correction.
func (c *cycleTracer) size(dx orbit, period float64) float64 {
	worst := max(math.Abs(dx.period)/period, math.Abs(dx.mu)/c.muUnit)
	for k, x := range dx.u {
		worst = max(worst, math.Abs(x)/c.unit[k%c.dim])
	}
	return worst
}

// measure completes a corrected orbit: its multipliers, its extremes, and the tangent of its branch on the side where
// form grows.
func (c *cycleTracer) measure(o, ref orbit, form linear) (cyclePoint, error) {
	r := cyclePoint{orbit: o}
	if err := c.condense(o); err != nil {
		return r, err
	}
	t, err := c.correct(o.mesh, [2]linear{c.phase(ref), form}, [2]float64{0, 1}, true)
	if err != nil {
		return r, err
	}
	r.tangent = c.normalised(t, o.period)
	if !c.plain {
		r.spectrum = c.multipliers(o)
	}
	r.vMin, r.vMax, r.sMax = o.extremes(c.dim)
	return r, nil
}

func (c *cycleTracer) normalised(t orbit, period float64) orbit {
	norm := math.Sqrt(c.inner(t, period).of(t))
	zero := newOrbit(t.mesh, c.dim)
	return zero.plus(1/norm, t)
}

// step finds the cycle at the arclength ds from r along its branch.
func (c *cycleTracer) step(r cyclePoint, ds float64) (cyclePoint, error) {
	form := c.inner(r.tangent, r.period)
	o, err := c.settle(r.plus(ds, r.tangent), r.orbit, form, form.of(r.orbit)+ds)
	if err != nil {
		return cyclePoint{}, err
	}
	return c.measure(o, r.orbit, form)
}

// solvedAt corrects the guess o at its parameter and adapts the mesh to it.
func (c *cycleTracer) solvedAt(o orbit, rounds int) (cyclePoint, error) {
	form := linear{u: make([]float64, len(o.u)), mu: 1 / c.muUnit}
	for k := 0; ; k++ {
		settled, err := c.settle(o, o, form, form.of(o))
		if err != nil {
			return cyclePoint{}, err
		}
		if k == rounds {
			return c.measure(settled, o, form)
		}
		mesh := c.adapted(settled, len(o.mesh)-1)
		o = settled.moved(mesh, c.dim)
	}
}

// remeshed moves a cycle to a mesh made for it.
func (c *cycleTracer) remeshed(r cyclePoint) cyclePoint {
	mesh := c.adapted(r.orbit, meshIntervals)
	r.orbit = r.orbit.moved(mesh, c.dim)
	r.tangent = c.normalised(r.tangent.moved(mesh, c.dim), r.period)
	return r
}

// row is the cycle as a row of its branch.
func (c *cycleTracer) row(r cyclePoint) Row {
	y := make([]float64, c.dim)
	r.at(r.sMax, y)
	row := Row{
		Parameter: r.mu, VMin: r.vMin, VMax: r.vMax, Period: r.period, Stable: r.stable(), State: y,
		Spectrum: r.spectrum,
	}
	if slices.Contains(c.free.Marks, r.mu) {
		row.Orbit = r.samples(c.dim)
	}
	return row
}

// point is the cycle as a special point of its branch.
func (c *cycleTracer) point(label string, r cyclePoint, note string) Point {
	p := newPoint(label, r.mu, r.vMax)
	p.Period, p.Frequency, p.State, p.Note = r.period, 1000/r.period, c.row(r).State, note
	return p
}

// samples are states once around the cycle, denser where it is fast.
func (r cyclePoint) samples(dim int) (list [][]float64) {
	const each = 4 // to an interval of the mesh
	for k := range each*(len(r.mesh)-1) + 1 {
		j := min(k/each, len(r.mesh)-2)
		y := make([]float64, dim)
		r.at(r.mesh[j]+(r.mesh[j+1]-r.mesh[j])*float64(k-each*j)/each, y)
		list = append(list, y)
	}
	return list
}

// stable reports whether no Floquet multiplier lies outside of the unit circle.
func (r cyclePoint) stable() bool {
	return len(r.spectrum) == 0 || cmplx.Abs(r.spectrum[0]) <= 1
}

func byModulus(l []complex128) []complex128 {
	slices.SortFunc(l, func(a, b complex128) int {
		return cmp.Or(-cmp.Compare(cmplx.Abs(a), cmplx.Abs(b)), -cmp.Compare(imag(a), imag(b)))
	})
	return l
}

// tests are functions of the multipliers: zero where one is 1, where one is -1, where the product of a complex pair is
// 1. Multipliers span many orders of magnitude on a canard, so that each factor is a logarithm. The last is that of the
// pair nearest to the unit circle, and changes its sign with every pair outside; it is 1 where there is no pair.
func (r cyclePoint) tests() (fold, double, torus float64) {
	fold, double, torus = 1, 1, 1
	sign, nearest := 1.0, math.Inf(1)
	for i, l := range r.spectrum {
		if imag(l) == 0 {
			fold *= signedLog(real(l) - 1)
			double *= signedLog(real(l) + 1)
		}
		for _, k := range r.spectrum[:i] {
			if imag(l) != 0 && k == cmplx.Conj(l) {
				f := signedLog(real(k*l) - 1)
				if f > 0 {
					sign = -sign
				}
				nearest = min(nearest, math.Abs(f))
			}
		}
	}
	if !math.IsInf(nearest, 1) {
		torus = -sign * nearest
	}
	return fold, double, torus
}

func signedLog(x float64) float64 { return math.Copysign(math.Log1p(math.Abs(x)), x) }

// branchSide is the part of a branch on one side of the cycle from which it is followed.
type branchSide struct {
	rows   []Row
	points []Point
	end    string
}

// follow follows the branch from r in the direction of its tangent, with a first step of arclength ds, until it ends.
// The row of r itself is not included.
func (c *cycleTracer) follow(ctx context.Context, r cyclePoint, ds float64) (t branchSide, err error) {
	start := r
	ceiling := c.ceiling()
	c.sampled = c.sampled[:0]
	met, every := 0, 1
	longest := max(1000, 8*start.period)
	for {
		if ctx.Err() != nil {
			return t, ctx.Err()
		}
		if most := cmp.Or(c.free.rows, mostRows); len(t.rows) > most {
			t, err := c.stopped(t, r, fmt.Sprintf("after %d rows", most))
			return t, leftError{err}
		}
		// a small cycle shrinks by no more than half
		ds = min(ds, longestStep, max(1e-4, (r.vMax-r.vMin)/(6*c.vUnit)/c.stateShare(r)))
		q, err := c.step(r, ds)
		bend := 0.0
		if err == nil {
			bend = c.deviation(r, q, ds)
		}
		if err != nil || bend > 2 || c.inner(r.tangent, r.period).of(q.tangent) < sharpestTurn {
			if ds /= 2; ds < smallestStep {
				return c.stopped(t, r, "where steps became too small")
			}
			continue
		}
		switch {
		case q.vMax > ceiling:
			return c.endAtCeiling(t, r, q, ds, ceiling)
		case q.mu < c.free.Lo || q.mu > c.free.Hi:
			t.rows = append(t.rows, c.rowsBetween(r, ds, c.marked(r, q, ds))...)
			return c.endAtIntervalEnd(t, r, ds)
		}
		if met++; met%every == 0 {
			if c.sampled = append(c.sampled, q); len(c.sampled) == 32 {
				for k := range 16 {
					c.sampled[k] = c.sampled[2*k+1]
				}
				c.sampled, every = c.sampled[:16], 2*every
			}
		}
		points, special := c.between(r, q, ds)
		t.points = append(t.points, points...)
		t.rows = append(append(t.rows, c.rowsBetween(r, ds, append(special, c.marked(r, q, ds)...))...), c.row(q))
		shrinking := q.vMax-q.vMin < r.vMax-r.vMin
		if shrinking && q.vMax-q.vMin < c.scaled(20*smallCycle) {
			if k := c.hopfNear(q); k >= 0 && q.vMax-q.vMin < c.scaled(smallCycle) {
				c.used[k] = true
				t.rows = append(t.rows, c.hopfRow(c.hopfs[k]))
				t.end = Hopf
				return t, nil
			} else if q.vMax-q.vMin < c.scaled(1e-3) {
				return c.stopped(t, q, "where the cycle shrank to a point")
			}
		}
		if q.period > longest {
			return c.endAtLongPeriod(t, r, q), nil
		}
		if len(t.rows) > 10 && c.passesStart(start, r, q) {
			t.rows = append(t.rows, c.row(start))
			t.end = Closed
			return t, nil
		}
		ds *= min(1.5, 0.9/math.Sqrt(max(bend, 0.1)))
		r = c.remeshed(q)
	}
}

// stateShare is the part of the states in the tangent of r, from 0 to 1; the rest is that of period and parameter.
func (c *cycleTracer) stateShare(r cyclePoint) float64 {
	period, mu := r.tangent.period/r.period, r.tangent.mu/c.muUnit
	return math.Sqrt(max(1e-6, 1-period*period-mu*mu))
}

// deviation is the distance of the branch from the straight line between the rows of r and q, in units of the
// tolerance.
func (c *cycleTracer) deviation(r, q cyclePoint, ds float64) float64 {
	mu := (r.mu+q.mu)/2 + ds/8*(r.tangent.mu-q.tangent.mu)
	period := (r.period+q.period)/2 + ds/8*(r.tangent.period-q.tangent.period)
	part := 1.0
	if c.free.far {
		part = farther
	}
	missed := math.Abs(period-r.period-(q.period-r.period)*(mu-r.mu)/(q.mu-r.mu)) / (part * rowTol * period)
	beside := math.Abs(mu-r.mu-(q.mu-r.mu)*(period-r.period)/(q.period-r.period)) / (part * parameterTol * c.fine)
	if math.IsNaN(missed) || math.IsNaN(beside) {
		return 0
	}
	return min(missed, beside)
}

// rowsBetween are the rows of cycles found between r and the cycle ds further on, in their order along the branch.
func (c *cycleTracer) rowsBetween(r cyclePoint, ds float64, rings []cyclePoint) (rows []Row) {
	along := c.inner(r.tangent, r.period)
	slices.SortFunc(rings, func(a, b cyclePoint) int { return cmp.Compare(along.of(a.orbit)/ds, along.of(b.orbit)/ds) })
	for _, s := range rings {
		rows = append(rows, c.row(s))
	}
	return rows
}

// between locates the special points between the adjacent cycles r and q.
func (c *cycleTracer) between(r, q cyclePoint, ds float64) (points []Point, rings []cyclePoint) {
	const leap = 0.1 // of the test of tori where a pair outside the unit circle becomes real
	fold0, double0, torus0 := r.tests()
	fold1, double1, torus1 := q.tests()
	add := func(label string, a, b float64, test func(cyclePoint) float64) (known bool) {
		if (a < 0) == (b < 0) {
			return true
		}
		found, jump := c.locate(r, ds, a, b, test)
		if jump > 3 || label == Torus && jump > leap {
			return false // the multipliers are beyond what floating point holds
		}
		points, rings = append(points, c.point(label, found, "")), append(rings, found)
		if label == CycleFold {
			c.turned = append(c.turned, found)
		}
		return true
	}
	// On a canard the parameter is constant to many digits and the sign of its change is rounding noise, so that the fold
	// is located by the multiplier; beside a Hopf point the multiplier is the noisy one. Near a homoclinic orbit the
	// parameter of a small cycle is constant to rounding, too. Where the multiplier leaps but the parameter turns, the
	// latter locates the fold.
	before, after := r.tangent.mu/c.muUnit, q.tangent.mu/c.muUnit
	least, most := min(math.Abs(before), math.Abs(after)), max(math.Abs(before), math.Abs(after))
	canard := least < 1e-4 && q.vMax-q.vMin > c.scaled(1)
	byMultiplier := most < 1e-9 || canard
	if byMultiplier {
		known := add(CycleFold, fold0, fold1, func(s cyclePoint) float64 { f, _, _ := s.tests(); return f })
		byMultiplier = known || most < 1e-8
	}
	if !byMultiplier {
		add(CycleFold, before, after, func(s cyclePoint) float64 { return s.tangent.mu / c.muUnit })
	}
	add(PeriodDoubling, double0, double1, func(s cyclePoint) float64 { _, f, _ := s.tests(); return f })
	if torus0 != 1 && torus1 != 1 { // both sides have a complex pair
		add(Torus, torus0, torus1, func(s cyclePoint) float64 { _, _, f := s.tests(); return f })
	}
	return points, rings
}

// locate finds the cycle on the branch beside r, within the arclength ds, at which test is zero; at the ends test is
// a and b.
func (c *cycleTracer) locate(r cyclePoint, ds, a, b float64, test func(cyclePoint) float64) (found cyclePoint,
	jump float64,
) {
	found = r
	_, jump = rootNear(func(x float64) float64 {
		s, err := c.step(r, x)
		if err != nil {
			return math.NaN()
		}
		found = s
		return test(s)
	}, 0, ds, a, b, 1e-7*math.Abs(ds))
	return found, jump
}

// marked lists the cycles at the marked parameters between r and q.
func (c *cycleTracer) marked(r, q cyclePoint, ds float64) (rings []cyclePoint) {
	for _, mark := range c.free.Marks {
		if (r.mu < mark) == (q.mu < mark) || mark < c.free.Lo || mark > c.free.Hi {
			continue
		}
		guess := r.plus(ds*(mark-r.mu)/(q.mu-r.mu), r.tangent)
		guess.mu = mark
		if s, err := c.solvedAt(guess, 0); err == nil {
			rings = append(rings, s)
		}
	}
	return rings
}

// rootNear locates a sign change of f between lo and hi to within tol, by regula falsi with halved end values
// (Illinois). It stops where f is NaN. jump is the change of f between the last two ends: it is large where f changes
// sign by a jump instead of a zero.
func rootNear(f func(float64) float64, lo, hi, flo, fhi, tol float64) (x, jump float64) {
	x = hi
	left, right := flo, fhi // unhalved
	for range 40 {
		x = lo + (hi-lo)*flo/(flo-fhi)
		if !(x > min(lo, hi) && x < max(lo, hi)) {
			x = lo + (hi-lo)/2
		}
		fx := f(x)
		switch {
		case math.IsNaN(fx):
			return x, math.Inf(1)
		case math.Abs(fx) < 1e-9:
			return x, 0
		case (fx < 0) == (fhi < 0):
			hi, fhi, right = x, fx, fx
			flo /= 2
		default:
			lo, flo, left = x, fx, fx
			fhi /= 2
		}
		if math.Abs(hi-lo) < tol {
			break
		}
	}
	return x, math.Abs(right - left)
}

// leftError is the error of a branch of cycles that was left because it is long.
type leftError struct{ error }

// stopped ends a side of a branch that cannot be continued further, with an error that says where.
func (c *cycleTracer) stopped(t branchSide, r cyclePoint, where string) (branchSide, error) {
	t.end = BranchEnd
	t.points = append(t.points, c.point(BranchEnd, r, where))
	return t, fmt.Errorf("dynamics: a branch of cycles was left at %s = %.8g, period %.6g ms, %s", c.free.Name, r.mu,
		r.period, where)
}

func (c *cycleTracer) endAtIntervalEnd(t branchSide, r cyclePoint, ds float64) (branchSide, error) {
	border := c.free.Lo
	if r.tangent.mu > 0 {
		border = c.free.Hi
	}
	t.end = IntervalEnd
	if r.mu == border {
		return t, nil
	}
	guess := r.plus((border-r.mu)/r.tangent.mu, r.tangent)
	if h := (border - r.mu) / r.tangent.mu; h < 0 || h > 2*ds {
		guess = r.plus(0, r.tangent)
	}
	guess.mu = border
	q, err := c.solvedAt(guess, 0)
	if err != nil {
		return c.stopped(t, r, "just before the border")
	}
	t.rows = append(t.rows, c.row(q))
	return t, nil
}

// endAtCeiling ends a side of a branch where the cycle touches V_th, between r and q.
func (c *cycleTracer) endAtCeiling(t branchSide, r, q cyclePoint, ds, ceiling float64) (branchSide, error) {
	last := q
	rootNear(func(x float64) float64 {
		s, err := c.step(r, x)
		if err != nil {
			return math.NaN()
		}
		last = s
		return s.vMax - ceiling
	}, 0, ds, r.vMax-ceiling, q.vMax-ceiling, 1e-7*ds)
	t.end = BranchEnd
	t.rows = append(t.rows, c.row(last))
	t.points = append(t.points, c.point(BranchEnd, last, "the cycle touches V_th"))
	return t, nil
}

// endAtLongPeriod labels the end of a side of a branch on which the period grows without bound: at a fold of equilibria
// it grows like the inverse square root of the distance, at a homoclinic orbit like the logarithm.
func (c *cycleTracer) endAtLongPeriod(t branchSide, r, q cyclePoint) branchSide {
	a, b := 1/(r.period*r.period), 1/(q.period*q.period)
	limit := q.mu - b*(q.mu-r.mu)/(b-a)
	for _, f := range c.folds {
		if math.Abs(limit-f.Parameter) < 0.3*math.Abs(q.mu-f.Parameter) {
			t.end = SNIC
			p := newPoint(SNIC, f.Parameter, f.V)
			p.State, p.Frequency = f.State, 0
			t.points = append(t.points, p)
			return t
		}
	}
	t.end = Homoclinic
	c.longCycles = append(c.longCycles, q)
	p := newPoint(Homoclinic, q.mu, q.vMax)
	p.State, p.Frequency, p.Period = c.row(q).State, 0, math.NaN()
	c.system.at(q.mu)
	p.State = c.slowest(q.orbit)
	p.V = p.State[0]
	rows := slices.Clone(t.rows)
	if n := len(rows); n == 0 || rows[n-1].Period < q.period {
		rows = append(rows, c.row(q))
	}
	if len(rows) > 3 {
		c.system.homoclinicNote(&p, rows)
		c.system.at(q.mu)
	}
	t.points = append(t.points, p)
	return t
}

// slowest is the state of a cycle at which it moves most slowly: near a homoclinic orbit, one close to the saddle.
func (c *collocator) slowest(o orbit) []float64 {
	k := c.slowestNode(o) * c.dim
	return slices.Clone(o.u[k : k+c.dim])
}

// slowestNode is the node of o at which the vector field is least.
func (c *collocator) slowestNode(o orbit) (node int) {
	least, y, f := math.Inf(1), make([]float64, c.dim), make([]float64, c.dim)
	for k := range len(o.u) / c.dim {
		copy(y, o.u[k*c.dim:])
		c.deriv(y, f)
		speed := 0.0
		for x := range f {
			speed += math.Abs(f[x]) / c.unit[x]
		}
		if speed < least {
			least, node = speed, k
		}
	}
	return node
}

// hopfNear finds the Hopf point into which a small cycle shrinks, or -1.
func (c *cycleTracer) hopfNear(r cyclePoint) int {
	for k, h := range c.hopfs {
		if math.Abs(r.mu-h.Parameter) < 1e-3*c.muUnit && h.V > r.vMin-c.scaled(1) && h.V < r.vMax+c.scaled(1) &&
			math.Abs(r.period/h.Period-1) < 0.02 {
			return k
		}
	}
	return -1
}

func (c *cycleTracer) hopfRow(h Point) Row {
	return Row{
		Parameter: h.Parameter, VMin: h.V, VMax: h.V, Period: h.Period, Stable: h.Criticality == "super",
		State: h.State, Spectrum: []complex128{1},
	}
}

// passesStart reports whether the branch passes the cycle start between its neighbours r and q.
func (c *cycleTracer) passesStart(start, r, q cyclePoint) bool {
	place := func(s cyclePoint) [4]float64 {
		return [4]float64{s.mu / c.muUnit, s.period / start.period, s.vMin / c.vUnit, s.vMax / c.vUnit}
	}
	a, b, x := place(r), place(q), place(start)
	var along, length, away float64
	for k := range a {
		along += (x[k] - a[k]) * (b[k] - a[k])
		length += (b[k] - a[k]) * (b[k] - a[k])
	}
	along /= length
	if along < 0 || along > 1 {
		return false
	}
	for k := range a {
		d := x[k] - a[k] - along*(b[k]-a[k])
		away += d * d
	}
	return away < 0.05*0.05*length+1e-12
}

// fromHopf follows the branch of cycles born at Hopf point k.
func (c *cycleTracer) fromHopf(ctx context.Context, k int) (Branch, []Point, error) {
	h := c.hopfs[k]
	c.used[k] = true
	c.middle = cyclePoint{}
	c.system.at(h.Parameter)
	omega := 2 * math.Pi / h.Period
	a := make([]float64, c.dim*c.dim)
	c.jacobian(h.State, a)
	v := nullVector(a, c.dim, complex(0, omega), false)
	mesh := make([]float64, meshIntervals+1)
	for j := range mesh {
		mesh[j] = float64(j) / meshIntervals
	}
	harmonic, still := newOrbit(mesh, c.dim), newOrbit(mesh, c.dim)
	still.period, still.mu = h.Period, h.Parameter
	for n := range deg*meshIntervals + 1 {
		e := cmplx.Exp(complex(0, 2*math.Pi*float64(n)/(deg*meshIntervals)))
		for x := range c.dim {
			harmonic.u[n*c.dim+x] = real(v[x] * e)
			still.u[n*c.dim+x] = h.State[x]
		}
	}
	harmonic = c.normalised(harmonic, h.Period)
	r := cyclePoint{orbit: still, tangent: harmonic, vMin: h.V, vMax: h.V}
	b := Branch{Kind: Cycle, From: Hopf, Rows: []Row{c.hopfRow(h)}}
	form := c.inner(harmonic, h.Period)
	var err error
	first := 1e-3
	for { // beside a canard only the smallest cycles are near the harmonic oscillation
		guess := still.plus(first, harmonic)
		var o orbit
		if o, err = c.settle(guess, guess, form, form.of(still)+first); err == nil {
			r, err = c.measure(o, guess, form)
		}
		if err == nil || first < smallestStep {
			break
		}
		first /= 4
	}
	if err != nil {
		return b, nil, fmt.Errorf("dynamics: no cycle found beside the Hopf point at %s = %.8g: %w", c.free.Name,
			h.Parameter, err)
	}
	if r.mu < c.free.Lo || r.mu > c.free.Hi {
		return b, nil, nil
	}
	b.Rows = append(b.Rows, c.row(r))
	t, err := c.follow(ctx, r, first)
	if n := len(c.sampled); n > 0 {
		c.middle = c.sampled[n/2]
	}
	b.Rows = append(b.Rows, t.rows...)
	b.To = t.end
	return b, t.points, err
}

// through follows the branch of cycles through r in both directions.
func (c *cycleTracer) through(ctx context.Context, r cyclePoint) (Branch, []Point, error) {
	const first = 1e-2
	c.middle = cyclePoint{}
	b := Branch{Kind: Cycle}
	ahead, err := c.follow(ctx, r, first)
	b.To = ahead.end
	if ahead.end == Closed {
		b.From = Closed
		b.Rows = append([]Row{c.row(r)}, ahead.rows...)
		return b, ahead.points, err
	}
	back := r
	back.tangent = newOrbit(r.mesh, c.dim).plus(-1, r.tangent)
	behind, errBack := c.follow(ctx, back, first)
	b.From = behind.end
	slices.Reverse(behind.rows)
	slices.Reverse(behind.points)
	b.Rows = append(append(behind.rows, c.row(r)), ahead.rows...)
	return b, append(behind.points, ahead.points...), errors.Join(errBack, err)
}
