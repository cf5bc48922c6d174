package equations

import (
	"math"
	"slices"
	"strings"

	"popsim/equations/canonical"
	"popsim/equations/graph"
	"popsim/expression"
	"popsim/kernels"
	"popsim/kernels/vec"
)

// A recording computes formulas on the vectors of a block. An expression without state, current or part of a step is a
// coefficient, computed once for each neuron.
type recording struct {
	*compiled
	*vec.Block
	x        kernels.Surroundings
	variable func(i int) vec.Vec // of a dynamic variable
	sums     map[string]vec.Vec
	products map[string]vec.Vec
	powers   map[canonical.Factor]vec.Vec
	nears    map[string]vec.Mask     // of exponents of w/(e^w - 1)
	bases    map[int]map[int]vec.Vec // powers of the common base of the exponentials of a state
}

// at is a recording at state y.
func (c *compiled) at(b *vec.Block, y []vec.Vec, x kernels.Surroundings) *recording {
	return &recording{
		compiled: c, Block: b, x: x,
		sums: map[string]vec.Vec{}, products: map[string]vec.Vec{}, powers: map[canonical.Factor]vec.Vec{},
		nears: map[string]vec.Mask{}, bases: map[int]map[int]vec.Vec{},
		variable: func(i int) vec.Vec {
			switch {
			case i < len(y):
				return y[i]
			case i == c.currentVar() && x.G != nil && len(y) > 0:
				return b.FNMA(*x.G, y[0], x.I)
			case i == c.currentVar():
				return x.I
			}
			return *x.Part
		},
	}
}

// all computes several formulas.
func (r *recording) all(nodes []*graph.Node) []vec.Vec {
	v := make([]vec.Vec, len(nodes))
	for i, n := range nodes {
		v[i] = r.of(n)
	}
	return v
}

// slopes are the slopes of all states, dy/dt.
func (r *recording) slopes(f []*graph.Node) []vec.Vec {
	v := make([]vec.Vec, len(f))
	for i, n := range f {
		if a := r.affine[i]; a.rate != nil {
			v[i] = r.FMA(r.of(a.rate), r.variable(i), r.of(a.value))
		} else {
			v[i] = r.of(n)
		}
	}
	return v
}

func (r *recording) of(n *graph.Node) vec.Vec { return r.sum(r.form.Of(n)) }

// coef is a coefficient, or a number.
func (r *recording) coef(n *graph.Node) vec.Vec {
	if n.Kind == graph.Const {
		return r.Const(n.Value)
	}
	return r.x.Coef(r.coefficient(n))
}

// sum is a chain of fused multiply-adds, in the order of the terms.
func (r *recording) sum(s *canonical.Sum) vec.Vec {
	if v, ok := r.sums[s.Key()]; ok {
		return v
	}
	var v vec.Vec
	begun := len(s.Terms) == 0 || !s.Constant.Is(0)
	if begun {
		v = r.coef(s.Constant)
	}
	for _, t := range s.Terms {
		switch one, minus := t.Coef.Is(1), t.Coef.Is(-1); {
		case !begun && one:
			v = r.product(t.Product)
		case !begun:
			v = r.Mul(r.product(t.Product), r.coef(t.Coef))
		case one || minus:
			v = r.plusProduct(v, t.Product, minus)
		default:
			v = r.FMA(r.product(t.Product), r.coef(t.Coef), v)
		}
		begun = true
	}
	r.sums[s.Key()] = v
	return v
}

// plusProduct is v + p, or v - p.
func (r *recording) plusProduct(v vec.Vec, p canonical.Product, minus bool) vec.Vec {
	last := len(p) - 1
	if _, known := r.products[p.Key()]; known || last == 0 || divides(p) {
		if minus {
			return r.Sub(v, r.product(p))
		}
		return r.Add(v, r.product(p))
	}
	a, b := r.product(p[:last]), r.power(p[last])
	if minus {
		return r.FNMA(a, b, v)
	}
	return r.FMA(a, b, v)
}

func divides(p canonical.Product) bool {
	return slices.ContainsFunc(p, func(f canonical.Factor) bool { return f.Power < 0 })
}

// product multiplies from the first factor on, so that products share their first factors; denominators are multiplied
// together first.
func (r *recording) product(p canonical.Product) vec.Vec {
	if v, ok := r.products[p.Key()]; ok {
		return v
	}
	v := r.newProduct(p)
	r.products[p.Key()] = v
	return v
}

func (r *recording) newProduct(p canonical.Product) vec.Vec {
	last := len(p) - 1
	if !divides(p) {
		if last == 0 {
			return r.power(p[0])
		}
		return r.Mul(r.product(p[:last]), r.power(p[last]))
	}
	var over, under canonical.Product
	for _, f := range p {
		if f.Power > 0 {
			over = append(over, f)
		} else {
			under = append(under, canonical.Factor{Atom: f.Atom, Power: -f.Power})
		}
	}
	if over == nil {
		return r.Div(r.Const(1), r.product(under))
	}
	return r.Div(r.product(over), r.product(under))
}

// power is an atom to a positive power, by squaring.
func (r *recording) power(f canonical.Factor) vec.Vec {
	if v, ok := r.powers[f]; ok {
		return v
	}
	var v vec.Vec
	switch n := f.Power; {
	case n == 1:
		v = r.atom(f.Atom)
	case n%2 == 1:
		v = r.Mul(r.power(canonical.Factor{Atom: f.Atom, Power: n - 1}), r.power(canonical.Factor{Atom: f.Atom, Power: 1}))
	default:
		h := r.power(canonical.Factor{Atom: f.Atom, Power: n / 2})
		v = r.Mul(h, h)
	}
	r.powers[f] = v
	return v
}

func (r *recording) atom(a *canonical.Atom) vec.Vec {
	if a.Node == nil {
		return r.sum(a.Args[0])
	}
	switch n := a.Node; n.Kind {
	case graph.Var:
		return r.variable(n.Index)
	case graph.Where, graph.WhereEqual:
		p := vec.LT
		if n.Kind == graph.WhereEqual {
			p = vec.LE
		}
		x, y := r.sum(a.Args[0]), r.sum(a.Args[1])
		return r.Select(r.Cmp(x, p, y), r.sum(a.Args[2]), r.sum(a.Args[3]))
	case graph.Min:
		return r.Min(r.sum(a.Args[0]), r.sum(a.Args[1]))
	case graph.Max:
		return r.Max(r.sum(a.Args[0]), r.sum(a.Args[1]))
	case graph.Exp:
		if a.Slope != 0 {
			return r.exponential(a)
		}
	case canonical.Numerator:
		return r.Select(r.near(a.Args[0]), r.Const(1), r.sum(a.Args[0]))
	case canonical.Denominator:
		return r.expm1(a)
	}
	return r.function(a.Node.Kind, r.sum(a.Args[0]))
}

func (r *recording) function(kind graph.Kind, x vec.Vec) vec.Vec {
	switch kind {
	case graph.Exp:
		return r.ExpAll(x)
	case graph.Expm1:
		return r.Expm1(x)
	case graph.Log:
		return r.Log(x)
	case graph.Sqrt:
		return r.Sqrt(x)
	case graph.Tanh:
		return r.Tanh(x)
	case graph.Cosh:
		return r.Cosh(x)
	case graph.Sinh:
		return r.Sinh(x)
	case graph.Abs:
		return r.Abs(x)
	case graph.Sin:
		s, _ := r.SinCos(x)
		return s
	case graph.Cos:
		_, c := r.SinCos(x)
		return c
	}
	panic("bug: equations: an operation without recording")
}

// shareLimit bounds the exponents of exponentials that share one: products of four of them are numbers.
const shareLimit = 150

// Rates whose exponentials share one are computed at V between -voltageLimit and voltageLimit (mV). Exponents of the
// base up to withinLimit need no reduction.
const (
	voltageLimit = 250
	withinLimit  = 0.75
)

var voltage = expression.UnitDimension("mV")

// exponential is that of a multiple of a state: a power of the base that all of that state share, if they do.
func (r *recording) exponential(a *canonical.Atom) vec.Vec {
	e, shared := r.exponentials[a.State]
	m, shares := e.Multiples[a]
	if !shared || !shares {
		return r.ExpClamped(r.sum(a.Args[0]))
	}
	known := r.bases[a.State]
	if known == nil {
		base := e.Base
		// The base has the sign of most exponents, so that few of them need a division.
		if e.Negative {
			base = -base
		}
		reach := shareLimit / e.Largest
		exp := r.Exp
		if limit := voltageLimit * e.Base; r.states[a.State].dim == voltage && voltageLimit < reach && limit <= withinLimit {
			reach, exp = voltageLimit, func(x vec.Vec) vec.Vec { return r.ExpWithin(x, limit) }
		}
		y := r.Min(r.Const(reach), r.Max(r.Const(-reach), r.variable(a.State)))
		known = map[int]vec.Vec{1: exp(r.Mul(y, r.Const(base)))}
		r.bases[a.State] = known
		for _, n := range e.Chain {
			known[n.Sum] = r.Mul(known[n.A], known[n.B])
		}
	}
	if m < 0 != e.Negative {
		return r.Div(r.Const(1), known[max(m, -m)])
	}
	return known[max(m, -m)]
}

// near is the mask of lanes in which the exponent w of w/(e^w - 1) is near 0.
func (r *recording) near(w *canonical.Sum) vec.Mask {
	m, ok := r.nears[w.Key()]
	if !ok {
		m = r.Cmp(r.Abs(r.sum(w)), vec.LT, r.Const(1.0/128))
		r.nears[w.Key()] = m
	}
	return m
}

// expm1 is the denominator of w/(e^w - 1): e^w - 1, from the exponential of slope y where there is one. Near 0, where
// that has lost its digits and the numerator is 1 instead of w, it is (e^w - 1)/w by its series, whose first term left
// out is w⁵/720, below 5e-14 for |w| < 1/128.
func (r *recording) expm1(a *canonical.Atom) vec.Vec {
	w := r.sum(a.Args[0])
	var far vec.Vec
	if a.Slope != 0 {
		far = r.FMA(r.sum(a.Args[1]), r.Const(math.Exp(a.Offset)), r.Const(-1))
	} else {
		far = r.Expm1(w)
	}
	return r.Select(r.near(a.Args[0]), r.Horner(w, 1, 1.0/2, 1.0/6, 1.0/24, 1.0/120), far)
}

// coefficients are the formulas without dynamic variables that recordings read, numbered.
type coefficients struct {
	nodes []*graph.Node
	index map[*graph.Node]int

	complete bool
}

// coefficient is the number of n. The coefficients are numbered by a first recording of everything; the numbers do not
// change afterwards.
func (c *coefficients) coefficient(n *graph.Node) int {
	i, ok := c.index[n]
	if !ok {
		if c.complete {
			panic("bug: equations: a coefficient that the first recording did not need")
		}
		i = len(c.nodes)
		c.index[n] = i
		c.nodes = append(c.nodes, n)
	}
	return i
}

// sources names the parameters that each coefficient depends on.
func (c *compiled) sources() []string {
	all := make([]string, len(c.nodes))
	for i, root := range c.nodes {
		var names []string
		graph.Each(func(n *graph.Node) {
			if n.Kind == graph.Var && n.Index >= c.paramVar(0) {
				names = append(names, c.parameters[n.Index-c.paramVar(0)].Name)
			}
		}, root)
		slices.Sort(names)
		all[i] = strings.Join(names, " ")
	}
	return all
}
