package equations

import (
	"popsim/equations/graph"
	"popsim/kernels"
	"popsim/kernels/vec"
)

// strangApplies reports whether V is linear in itself, and every other state linear in itself and independent of the
// others but V.
func (d *definition) strangApplies() bool {
	for i, f := range d.slopes {
		for j := range d.states {
			slope := d.Derivative(f, j)
			if i == j && slope.DependsOn(i) || i > 0 && j > 0 && i != j && !slope.Is(0) {
				return false
			}
		}
	}
	return len(d.states) > 1
}

// lags reports whether strang-cn keeps all states but V half a step behind it, so that each is advanced once a step by
// a whole one. The others must not depend on the current, which is constant in a step of V, and nothing may set them
// or look at them at the time of V.
func (d *definition) lags() bool {
	for _, f := range d.slopes[1:] {
		if f.DependsOn(d.currentVar()) {
			return false
		}
	}
	return d.reset == nil && !d.excess.Among(d.stateMask()&^1)
}

// strangFormulas are, of F = a - b x of each state x, a and b, then the part of a step that V takes at once, half of
// it, and the same of the others.
func strangFormulas(d *definition, h *graph.Node) (f []*graph.Node) {
	for i, slope := range d.slopes {
		f = append(f, d.Substitute(slope, i, d.Const(0)), d.Neg(d.Derivative(slope, i)))
	}
	half := d.Mul(d.Const(0.5), h)
	if d.lags() {
		return append(f, h, half, h, half)
	}
	return append(f, half, d.Mul(d.Const(0.25), h), h, half)
}

// strangStep is Strang's splitting, of order 2: V and the others in turns, each by the trapezoidal rule while the rest
// stays. Where the others are half a step behind, it is a step of theirs, to half a step ahead of V, and a step of V;
// else half a step of V, a step of theirs, half a step of V. The rates of the others are needed once a step.
func strangStep(c *compiled, b *vec.Block, y []vec.Vec, x kernels.Surroundings, f []*graph.Node) []vec.Vec {
	z := append([]vec.Vec{}, y...)
	potential := func(soft bool) {
		v := c.at(b, z, x).trapezoid(0, f, soft)
		if x.Held != nil {
			v = b.Select(*x.Held, z[0], v)
		}
		z = append([]vec.Vec{v}, z[1:]...)
	}
	others := func() {
		r := c.at(b, z, x)
		next := append([]vec.Vec{}, z...)
		for i := 1; i < len(z); i++ {
			next[i] = r.trapezoid(i, f, false)
		}
		z = next
	}
	if c.lags() {
		others()
		potential(true)
		return z
	}
	potential(false)
	others()
	potential(false)
	return z
}

// strangSoft makes a trapezoidal step of V, F h/(1 + z), z = b h/2, a little longer: F h/(1 + z (1 - z/9)), as that of
// the built-in kernel of hh. The order stays 2, but most of the splitting error in an upstroke cancels.
const strangSoft = 1.0 / 9

// trapezoid is state i after a step by the trapezoidal rule, x + h (a - b x)/(1 + b h/2), with a, b, h and h/2 from
// strangFormulas; all with the denominators of a and b cleared.
func (r *recording) trapezoid(i int, f []*graph.Node, soft bool) vec.Vec {
	x, spans := r.variable(i), f[2*len(r.states):]
	if i > 0 {
		spans = spans[2:]
	}
	span, half := r.of(spans[0]), r.of(spans[1])
	q := r.form.Fractions(f[2*i], f[2*i+1])
	a, b, under := r.sum(q.Over[0]), r.sum(q.Over[1]), r.sum(q.Under)
	slope := r.FNMA(b, x, a)
	if !soft || !q.Under.Is(1) {
		return r.FMA(r.Div(slope, r.FMA(b, half, under)), span, x)
	}
	one := r.Const(1)
	z := r.Mul(b, half)
	longer := r.FMA(r.Min(one, z), r.Const(-strangSoft), one)
	return r.FMA(r.Div(slope, r.FMA(z, longer, one)), span, x)
}

// lagging advances all states but V by a part of a step, which may be negative, in the way of strangStep: the distance
// from a state's steady value is multiplied by (1 - z)/(1 + z), z = loss times half the part. Backwards, below
// z = -1/2, that grows without bound; there the factor is -1.5/z, so that the step that follows ends within 0.52 of
// the distance.
func (c *compiled) lagging(b *vec.Block, y []vec.Vec, x kernels.Surroundings) []vec.Vec {
	r := c.at(b, y, x)
	spans := c.part[2*len(y)+2:]
	span, half, one := r.of(spans[0]), r.of(spans[1]), b.Const(1)
	next := []vec.Vec{y[0]}
	for i := 1; i < len(y); i++ {
		q := r.form.Fractions(c.part[2*i], c.part[2*i+1])
		under := r.sum(q.Under)
		value, loss := b.Div(r.sum(q.Over[0]), under), b.Div(r.sum(q.Over[1]), under)
		slope := b.FNMA(loss, y[i], value)
		under = b.FMA(loss, half, one)
		usual := b.FMA(b.Div(slope, under), span, y[i])
		bounded := b.FMA(b.Div(slope, loss), b.Add(one, b.Div(b.Const(1.5), b.Mul(loss, half))), y[i])
		next = append(next, b.Select(b.Cmp(under, vec.LT, b.Const(0.5)), bounded, usual))
	}
	return next
}

// Coefficients of ROS3, an L-stable Rosenbrock method of order 3 in three stages with two evaluations of the field:
// Sandu et al., Atmos. Environ. 31:3459 (1997), in the form of Hairer & Wanner, in which K_i are sums of slopes times
// the step.
const (
	ros3Gamma = 0.43586652150845899941601945119356
	ros3C21   = -1.0156171083877702091975600115545
	ros3C31   = 4.0759956452537699824805835358067
	ros3C32   = 9.2076794298330791242156818474003
	ros3M2    = 6.1697947043828245592553615689730
	ros3M3    = -0.42772256543218573326238373806514
)

// rosenbrockFormulas are the slopes, their derivatives times gamma h, row by row, and gamma h.
func rosenbrockFormulas(d *definition, h *graph.Node) []*graph.Node {
	span := d.Mul(d.Const(ros3Gamma), h)
	f := append([]*graph.Node{}, d.slopes...)
	for _, slope := range d.slopes {
		for j := range d.states {
			f = append(f, d.Mul(span, d.Derivative(slope, j)))
		}
	}
	return append(f, span)
}

// rosenbrockStep solves (1 - gamma h J) K_i = gamma h F_i + gamma sum C_ij K_j for three stages.
func rosenbrockStep(c *compiled, b *vec.Block, y []vec.Vec, x kernels.Surroundings, f []*graph.Node) []vec.Vec {
	n := len(y)
	r := c.at(b, y, x)
	span := r.of(f[n+n*n])
	m := newMatrix(r, f[n:n+n*n], x.Held)
	slopes := func(y []vec.Vec) []vec.Vec {
		s := r.moved(y).slopes(f[:n])
		if x.Held != nil {
			s[0] = b.Select(*x.Held, b.Const(0), s[0])
		}
		return s
	}
	stage := func(s []vec.Vec, k [][]vec.Vec, coefs ...float64) []vec.Vec {
		right := make([]vec.Vec, n)
		for i := range right {
			right[i] = b.Mul(span, s[i])
			for j, coef := range coefs {
				right[i] = b.FMA(k[j][i], b.Const(ros3Gamma*coef), right[i])
			}
		}
		return m.solve(right)
	}
	k1 := stage(slopes(y), nil)
	moved := make([]vec.Vec, n)
	for i := range moved {
		moved[i] = b.Add(y[i], k1[i])
	}
	second := slopes(moved)
	k2 := stage(second, [][]vec.Vec{k1}, ros3C21)
	k3 := stage(second, [][]vec.Vec{k1, k2}, ros3C31, ros3C32)
	next := make([]vec.Vec, n)
	for i := range next {
		next[i] = b.FMA(k3[i], b.Const(ros3M3), b.FMA(k2[i], b.Const(ros3M2), moved[i]))
	}
	return next
}

// matrix is 1 - gamma h J, eliminated from the last state to the first, so that gates, which depend only on V and
// themselves, cause no fill-in. Elements that are 0 for every state are left out.
type matrix struct {
	*recording
	n       int
	at      map[[2]int]vec.Vec // below the diagonal the factors of the elimination
	inverse []vec.Vec          // of the diagonal
}

func newMatrix(r *recording, jac []*graph.Node, held *vec.Mask) *matrix {
	n := len(r.states)
	m := &matrix{recording: r, n: n, at: map[[2]int]vec.Vec{}, inverse: make([]vec.Vec, n)}
	zero, one := r.Const(0), r.Const(1)
	for k, node := range jac {
		i, j := k/n, k%n
		switch {
		case i == j:
			m.at[[2]int{i, j}] = r.Sub(one, r.of(node))
		case !node.Is(0):
			m.at[[2]int{i, j}] = r.Neg(r.of(node))
		default:
			continue
		}
		if i == 0 && held != nil {
			fixed := zero
			if j == 0 {
				fixed = one
			}
			m.at[[2]int{i, j}] = r.Select(*held, fixed, m.at[[2]int{i, j}])
		}
	}
	for p := n - 1; p >= 0; p-- { // the pivot
		m.inverse[p] = r.Div(one, m.at[[2]int{p, p}])
		for i := p - 1; i >= 0; i-- {
			below, ok := m.at[[2]int{i, p}]
			if !ok {
				continue
			}
			factor := r.Mul(below, m.inverse[p])
			m.at[[2]int{i, p}] = factor
			for j := range p {
				if right, ok := m.at[[2]int{p, j}]; ok {
					m.subtract(i, j, factor, right)
				}
			}
		}
	}
	return m
}

// subtract subtracts a product from an element.
func (m *matrix) subtract(i, j int, a, b vec.Vec) {
	if v, ok := m.at[[2]int{i, j}]; ok {
		m.at[[2]int{i, j}] = m.FNMA(a, b, v)
	} else {
		m.at[[2]int{i, j}] = m.Neg(m.Mul(a, b))
	}
}

func (m *matrix) solve(right []vec.Vec) []vec.Vec {
	x := append([]vec.Vec{}, right...)
	for p := m.n - 1; p >= 0; p-- {
		for i := p - 1; i >= 0; i-- {
			if factor, ok := m.at[[2]int{i, p}]; ok {
				x[i] = m.FNMA(factor, x[p], x[i])
			}
		}
	}
	for i := range x {
		for j := range i {
			if v, ok := m.at[[2]int{i, j}]; ok {
				x[i] = m.FNMA(v, x[j], x[i])
			}
		}
		x[i] = m.Mul(x[i], m.inverse[i])
	}
	return x
}
