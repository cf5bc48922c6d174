package dynamics

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// coupled reports whether the steady states of the others at a given V are no function of V: because the current enters
// the equation of another state than the first, or because they may have several. Then equilibria are searched for, and
// followed, as points of all states. It is decided once, at the present parameters or by decideOver.
func (s *system) coupled() bool {
	if !s.decided {
		s.decided, s.byStates = true, s.coupledNow()
	}
	return s.byStates
}

// decideOver decides coupled for an interval of the free parameter: whether it is so at one of several values.
func (s *system) decideOver(free Free) {
	const values = 5
	if s.decided {
		return
	}
	for _, mu := range spread(free.Lo, free.Hi, values) {
		s.at(mu)
		s.byStates = s.byStates || s.coupledNow()
	}
	s.decided = true
}

func (s *system) coupledNow() bool {
	return s.currentEntersSeveral() || s.m.Ambiguous != nil && s.m.Ambiguous(s.p)
}

// currentEntersSeveral reports whether the current enters the equation of another state than the first.
func (s *system) currentEntersSeveral() bool {
	if s.m.Spikes == nil {
		return false
	}
	p := s.m.Defaults() // a factor of the current may be 0 at other parameters
	y, byCurrent := make([]float64, s.dim()), make([]float64, s.dim())
	s.m.Initial(p, y)
	s.m.Spikes.ByCurrent(p, s.m.Typical.Current, y, byCurrent)
	return slices.ContainsFunc(byCurrent[1:], func(x float64) bool { return x != 0 })
}

// steadyStates lists the equilibria at the present parameters, in ascending order of V.
func (s *system) steadyStates() (states [][]float64) {
	if s.coupled() {
		return s.searchedStates()
	}
	for _, v := range s.equilibria() {
		y := make([]float64, s.dim())
		s.m.Steady(s.p, v, y)
		states = append(states, y)
	}
	return states
}

// box is the middle and the half width of the range of every state in which equilibria are searched for: the reach of
// V for potentials, for others around the initial value: at least 1, the size of gates, to both sides.
func (s *system) box() (middle, half []float64) {
	middle, half = make([]float64, s.dim()), make([]float64, s.dim())
	s.m.Initial(s.p, middle)
	lo, hi := s.m.Reach(s.p)
	for k, q := range s.m.States {
		if half[k] = max(1, 2*math.Abs(middle[k])); q.Unit == "mV" {
			middle[k], half[k] = (lo+hi)/2, (hi-lo)/2
		}
	}
	return middle, half
}

// searchedStates finds the equilibria by Newton's method from many starts, which fill the box evenly: multiples of
// powers of the root of x^(d+1) = x + 1, modulo 1.
func (s *system) searchedStates() (found [][]float64) {
	const (
		starts = 400
		same   = 1e-8 // of the box
	)
	middle, half := s.box()
	root := 2.0
	for range 60 {
		root = math.Pow(1+root, 1/float64(s.dim()+1))
	}
	for n := range starts {
		y := slices.Clone(middle)
		for k := range y {
			part := float64(n+1) * math.Pow(root, -float64(k+1))
			y[k] += half[k] * (2*(part-math.Floor(part)) - 1)
		}
		known := func(x []float64) bool { return near(x, y, half, same) }
		if s.settleAt(y) && !slices.ContainsFunc(found, known) && !s.spikesIn(y) {
			found = append(found, y)
		}
	}
	slices.SortFunc(found, func(a, b []float64) int { return slices.Compare(a, b) })
	return found
}

// near reports whether a and b differ by less than part of unit in every state.
func near(a, b, unit []float64, part float64) bool {
	for k := range a {
		if !(math.Abs(a[k]-b[k]) < part*unit[k]) {
			return false
		}
	}
	return true
}

// spikesIn reports whether a neuron that resets spikes in the state y, which therefore is no equilibrium.
func (s *system) spikesIn(y []float64) bool {
	return s.m.Spikes.Jump != nil && s.m.Spikes.Excess(s.p, y) >= 0
}

// settleAt moves y to an equilibrium by Newton's method, and reports whether that converged.
func (s *system) settleAt(y []float64) bool {
	const (
		rounds    = 50
		tolerance = 1e-13 // of a state and one unit
	)
	d := s.dim()
	f, jac, step := make([]float64, d), make([]float64, d*d), mat.NewVecDense(d, nil)
	for range rounds {
		s.deriv(y, f)
		s.jacobian(y, jac)
		if !solved(step, jac, f) {
			return false
		}
		done := true
		for k := range y {
			y[k] -= step.AtVec(k)
			done = done && math.Abs(step.AtVec(k)) <= tolerance*(1+math.Abs(y[k]))
		}
		if done {
			return true
		}
	}
	return false
}

// solved solves the linear system a·x = b, and reports whether all of x is finite.
func solved(x *mat.VecDense, a, b []float64) bool {
	for _, v := range slices.Concat(a, b) {
		if v-v != 0 {
			return false
		}
	}
	err := x.SolveVec(mat.NewDense(len(b), len(b), a), mat.NewVecDense(len(b), b))
	if _, poor := err.(mat.Condition); err != nil && !poor {
		return false
	}
	for k := range b {
		if v := x.AtVec(k); v-v != 0 {
			return false
		}
	}
	return true
}

// statePath follows curves of equilibria as points of all states and the parameter, the last of its d+1 numbers, by
// pseudo-arclength continuation.
type statePath struct {
	*system
	free  Free
	unit  []float64 // of every state and of the parameter, that count as one
	seeds []stateSeed
	scan  []float64 // values of the parameter at which the seeds were sought
}

type stateSeed struct {
	q    []float64
	done bool
}

const (
	longestPart  = 1.0 / 200 // of the box, in one step
	shortestPart = 1e-9
)

// stateBranches follows every curve of equilibria of a model that is coupled.
func stateBranches(s *system, free Free) (branches []Branch, points []Point, warnings []error) {
	w := &statePath{system: s, free: free, scan: spread(free.Lo, free.Hi, equilibriumScans)}
	_, half := s.box()
	w.unit = append(half, free.Hi-free.Lo)
	for _, mu := range w.scan {
		s.at(mu)
		for _, y := range s.searchedStates() {
			w.seeds = append(w.seeds, stateSeed{q: append(y, mu)})
		}
	}
	for k := range w.seeds {
		if w.seeds[k].done {
			continue
		}
		if s.halt != nil && s.halt() != nil {
			break
		}
		w.seeds[k].done = true
		back, from, err := w.follow(w.seeds[k].q, -1)
		warnings = appendError(warnings, err)
		path, to := back, from
		if from != Closed {
			path, to, err = w.follow(w.seeds[k].q, 1)
			warnings = appendError(warnings, err)
			slices.Reverse(back)
			path = append(back[:len(back)-1], path...)
		}
		if len(path) < 2 {
			continue
		}
		b, special := w.described(path)
		b.From, b.To = from, to
		special = append(special, endsOf(b)...)
		for j := range special {
			special[j].Branch = len(branches)
		}
		branches, points = append(branches, b), append(points, special...)
	}
	return branches, points, warnings
}

// bordered is the matrix of the derivatives of the vector field by all unknowns, in their units, above the row last; f
// is the vector field, with a 0 below.
func (w *statePath) bordered(q, last []float64) (matrix, f []float64) {
	d := w.dim()
	jac, byParameter := make([]float64, d*d), make([]float64, d)
	f = make([]float64, d+1)
	w.at(q[d])
	w.byParameter(q[:d], q[d], byParameter)
	w.jacobian(q[:d], jac)
	w.deriv(q[:d], f[:d])
	for r := range d {
		for c := range d {
			matrix = append(matrix, jac[r*d+c]*w.unit[c])
		}
		matrix = append(matrix, byParameter[r]*w.unit[d])
	}
	return append(matrix, last...), f
}

// correct moves q onto the curve, square to the direction along.
func (w *statePath) correct(q, along []float64) bool {
	const rounds, tolerance = 12, 1e-12
	step := mat.NewVecDense(len(q), nil)
	for range rounds {
		matrix, f := w.bordered(q, along)
		if !solved(step, matrix, f) {
			return false
		}
		for k := range q {
			q[k] -= w.unit[k] * step.AtVec(k)
		}
		if mat.Norm(step, 2) < tolerance {
			return true
		}
	}
	return false
}

// tangent is the direction of the curve at q, of length 1, on the side of before.
func (w *statePath) tangent(q, before []float64) ([]float64, bool) {
	matrix, one := w.bordered(q, before)
	clear(one)
	one[len(q)-1] = 1
	t := mat.NewVecDense(len(q), nil)
	if !solved(t, matrix, one) {
		return nil, false
	}
	t.ScaleVec(1/mat.Norm(t, 2), t)
	return t.RawVector().Data, true
}

// moved is q moved by h along the direction t.
func (w *statePath) moved(q, t []float64, h float64) []float64 {
	out := slices.Clone(q)
	for k := range out {
		out[k] += h * w.unit[k] * t[k]
	}
	return out
}

// follow follows the curve through start, first towards larger (sign 1) or smaller (-1) values of the parameter, until
// it leaves the interval, reaches the threshold of a neuron that resets, or returns.
func (w *statePath) follow(start []float64, sign float64) (path [][]float64, end string, err error) {
	d := w.dim()
	path = [][]float64{start}
	t := make([]float64, d+1)
	t[d] = sign
	t, ok := w.tangent(start, t)
	for h := longestPart; ok && len(path) < mostPoints; {
		q := path[len(path)-1]
		next := w.moved(q, t, h)
		guess := slices.Clone(next)
		turned, good := []float64(nil), w.correct(next, t) && near(next, guess, w.unit, 0.05*h)
		if good {
			turned, good = w.tangent(next, t)
		}
		if !good || inner(turned, t) < 0.99 {
			if h /= 2; h < shortestPart {
				return path, BranchEnd, lostAt(w.free.Name, q[d], w.m.States[0], q[0])
			}
			continue
		}
		if mu := min(max(next[d], w.free.Lo), w.free.Hi); mu != next[d] {
			if q[d] != mu {
				last, _ := w.between(q, next, func(x []float64) float64 { return x[d] - mu })
				last[d] = mu
				w.mark(q, last)
				path = append(path, last)
			}
			return path, IntervalEnd, nil
		}
		if w.spikesIn(next[:d]) {
			last, _ := w.between(q, next, func(x []float64) float64 { return w.m.Spikes.Excess(w.p, x[:d]) })
			w.mark(q, last)
			return append(path, last), BranchEnd, nil
		}
		w.mark(q, next)
		path = append(path, next)
		if len(path) > 3 && near(start, next, w.unit, h) && near(start, q, w.unit, h) {
			return append(path[:len(path)-1], start), Closed, nil
		}
		t, h = turned, min(longestPart, 1.5*h)
	}
	last := path[len(path)-1]
	return path, BranchEnd, lostAt(w.free.Name, last[d], w.m.States[0], last[0])
}

func inner(a, b []float64) (sum float64) {
	for k := range a {
		sum += a[k] * b[k]
	}
	return sum
}

// between finds the zero of test on the curve between its neighbours a and b, and the direction from a to b.
func (w *statePath) between(a, b []float64, test func([]float64) float64) (q, along []float64) {
	along = make([]float64, len(a))
	for k := range a {
		along[k] = (b[k] - a[k]) / w.unit[k]
	}
	length := math.Sqrt(inner(along, along))
	for k := range along {
		along[k] /= length
	}
	on := func(part float64) []float64 {
		q := w.moved(a, along, part*length)
		w.correct(q, along)
		return q
	}
	return on(root(func(part float64) float64 { return test(on(part)) }, 0, 1)), along
}

// mark marks the seeds between the neighbours a and b of a curve as done, on both sides of where it turns.
func (w *statePath) mark(a, b []float64) {
	const same = 1e-6 // of the box
	d := w.dim()
	pieces := [][2][]float64{{a, b}}
	along := w.moved(b, w.unit, 0)
	for k := range along {
		along[k] = (b[k] - a[k]) / w.unit[k]
	}
	before, _ := w.tangent(a, along)
	after, _ := w.tangent(b, along)
	if before != nil && after != nil && (before[d] < 0) != (after[d] < 0) {
		turn, _ := w.between(a, b, w.rise(along))
		pieces = [][2][]float64{{a, turn}, {turn, b}}
	}
	for _, piece := range pieces {
		for _, mu := range w.scan {
			a, b := piece[0], piece[1]
			if (a[d]-mu)*(b[d]-mu) > 0 || a[d] == b[d] {
				continue
			}
			q, _ := w.between(a, b, func(x []float64) float64 { return x[d] - mu })
			for k, s := range w.seeds {
				if near(s.q, q, w.unit, same) {
					w.seeds[k].done = true
				}
			}
		}
	}
}

// rise returns the function of a point that is the growth of the parameter along a curve there.
func (w *statePath) rise(along []float64) func([]float64) float64 {
	return func(q []float64) float64 {
		t, ok := w.tangent(q, along)
		if !ok {
			return math.NaN()
		}
		return t[len(q)-1]
	}
}

// fold is the determinant of the Jacobian at a point of a curve, hopf the product of the sums of two eigenvalues.
func (w *statePath) fold(q []float64) float64 {
	d := w.dim()
	jac := make([]float64, d*d)
	w.at(q[d])
	w.jacobian(q[:d], jac)
	return det(jac, d)
}

func (w *statePath) hopf(q []float64) float64 {
	w.at(q[w.dim()])
	return pairs(w.eigenvalues(q[:w.dim()]))
}

// described makes a branch of a path. Folds, points where curves cross and Hopf points become rows too.
func (w *statePath) described(path [][]float64) (b Branch, points []Point) {
	d := w.dim()
	b.Kind = Equilibrium
	add := func(q []float64) {
		w.at(q[d])
		f := w.classify(slices.Clone(q[:d]))
		b.Rows = append(b.Rows, Row{
			Parameter: q[d], VMin: q[0], VMax: q[0], Period: math.NaN(), Stable: f.Stable, State: f.State,
			Spectrum: f.Eigenvalues,
		})
	}
	for k, q := range path {
		if k > 0 {
			found := w.specialBetween(path[k-1], q)
			for _, p := range found {
				add(append(slices.Clone(p.State), p.Parameter))
			}
			points = append(points, found...)
		}
		add(q)
	}
	return b, points
}

func (w *statePath) specialBetween(a, b []float64) (points []Point) {
	d := w.dim()
	if (w.fold(a) < 0) != (w.fold(b) < 0) {
		q, along := w.between(a, b, w.fold)
		p := newPoint(BranchPoint, q[d], q[0])
		if rise := w.rise(along); (rise(a) < 0) != (rise(b) < 0) {
			p.Label = Fold
		}
		p.State = q[:d:d]
		points = append(points, p)
	}
	if (w.hopf(a) < 0) != (w.hopf(b) < 0) {
		q, _ := w.between(a, b, w.hopf)
		t := &equilibriumTracer{system: w.system, free: w.free}
		w.at(q[d])
		if p, ok := t.hopfOf(q[:d:d], q[d]); ok {
			points = append(points, p)
		}
	}
	slices.SortFunc(points, func(p, q Point) int {
		return cmp.Compare(math.Abs(p.V-a[0]), math.Abs(q.V-a[0]))
	})
	return points
}
