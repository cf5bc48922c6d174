package equations

import (
	"fmt"
	"slices"
	"strings"

	"popsim/equations/canonical"
	"popsim/equations/graph"
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
	terms    map[string]vec.Vec // products times coefficients that sums begin with
	powers   map[canonical.Factor]vec.Vec
	nears    map[string]vec.Mask // of exponents of w/(e^w - 1)
	bases    map[int]*multiples
	steady   map[string]vec.Vec // sums without states, shared by the recordings of a step
}

// at is a recording at state y.
func (c *compiled) at(b *vec.Block, y []vec.Vec, x kernels.Surroundings) *recording {
	return &recording{
		compiled: c, Block: b, x: x,
		sums: map[string]vec.Vec{}, products: map[string]vec.Vec{}, terms: map[string]vec.Vec{},
		powers: map[canonical.Factor]vec.Vec{},
		nears:  map[string]vec.Mask{}, bases: map[int]*multiples{}, steady: map[string]vec.Vec{},
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

// moved is a recording of the same step at another state.
func (r *recording) moved(y []vec.Vec) *recording {
	n := r.at(r.Block, y, r.x)
	n.steady = r.steady
	return n
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
		switch a := r.affine[i]; {
		case a.rate != nil:
			v[i] = r.FMA(r.of(a.rate), r.variable(i), r.of(a.value))
		case a.loss != nil:
			v[i] = r.FNMA(r.of(a.loss), r.variable(i), r.of(a.value))
		default:
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

// sum is a chain of fused multiply-adds: first what no state is in, then the other terms in their order.
func (r *recording) sum(s *canonical.Sum) vec.Vec {
	if v, ok := r.sums[s.Key()]; ok {
		return v
	}
	if len(s.Terms) == 0 {
		return r.coef(s.Constant)
	}
	var steady, moving []canonical.Term
	constant, less := s.Constant, map[string]bool{}
	for _, t := range s.Terms {
		if r.unmoved(t.Product) {
			steady = append(steady, t)
			continue
		}
		if moving = append(moving, t); r.becomesLess(t, constant) {
			constant, less[t.Key()] = r.Graph.Const(constant.Value+t.Coef.Value), true
		}
	}
	v, begun := r.begin(constant, steady)
	if !begun && len(moving) > 1 && moving[0].Coef.Is(-1) { // a b - c, not -c + a b
		v = r.lessProduct(moving[1], r.product(moving[0].Product))
		begun, moving = true, moving[2:]
	}
	for _, t := range moving {
		if less[t.Key()] {
			v = r.FMA(r.lessOne(t.Product[0].Atom), r.coef(t.Coef), v)
		} else {
			v = r.plus(v, begun, t)
		}
		begun = true
	}
	r.sums[s.Key()] = v
	return v
}

// plus is v + t, or t if nothing has begun.
func (r *recording) plus(v vec.Vec, begun bool, t canonical.Term) vec.Vec {
	switch one, minus := t.Coef.Is(1), t.Coef.Is(-1); {
	case !begun && one:
		return r.product(t.Product)
	case !begun:
		return r.scaled(t)
	case one || minus:
		return r.plusProduct(v, t.Product, minus)
	}
	return r.FMA(r.product(t.Product), r.coef(t.Coef), v)
}

// scaled is t, a product times a coefficient.
func (r *recording) scaled(t canonical.Term) vec.Vec {
	key := fmt.Sprintf("%d*%s", t.Coef.ID(), t.Key())
	v, ok := r.terms[key]
	if !ok {
		v = r.Mul(r.product(t.Product), r.coef(t.Coef))
		r.terms[key] = v
	}
	return v
}

// begin is the constant of a sum and its terms without states, which all recordings of a step share.
func (r *recording) begin(constant *graph.Node, terms []canonical.Term) (v vec.Vec, begun bool) {
	if len(terms) == 0 {
		if constant.Is(0) {
			return v, false
		}
		return r.coef(constant), true
	}
	key := fmt.Sprint(constant.ID())
	for _, t := range terms {
		key += fmt.Sprintf(" %d*%s", t.Coef.ID(), t.Key())
	}
	v, ok := r.steady[key]
	if !ok {
		begun := !constant.Is(0)
		if begun {
			v = r.coef(constant)
		}
		for _, t := range terms {
			v, begun = r.plus(v, begun, t), true
		}
		r.steady[key] = v
	}
	return v, true
}

// unmoved reports whether p has no state in it, but the current alone.
func (r *recording) unmoved(p canonical.Product) bool {
	return len(p) == 1 && r.x.G == nil && p[0].Node != nil && p[0].Node.Kind == graph.Var &&
		p[0].Node.Index == r.currentVar()
}

// lessProduct is t - v.
func (r *recording) lessProduct(t canonical.Term, v vec.Vec) vec.Vec {
	last := len(t.Product) - 1
	_, known := r.products[t.Key()]
	switch {
	case !t.Coef.Is(1):
		return r.FMS(r.product(t.Product), r.coef(t.Coef), v)
	case known || last == 0 || divides(t.Product):
		return r.Sub(r.product(t.Product), v)
	}
	return r.FMS(r.product(t.Product[:last]), r.power(t.Product[last]), v)
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
		return r.numerator(a)
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
