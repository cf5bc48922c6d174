package graph

// Derivative is the partial derivative of n by variable i, i < MaxDynamic.
func (g *Graph) Derivative(n *Node, i int) *Node {
	d := differentiation{g, i, map[*Node]*Node{}}
	return d.of(n)
}

type differentiation struct {
	*Graph
	by   int
	memo map[*Node]*Node
}

func (d differentiation) of(n *Node) *Node {
	if !n.DependsOn(d.by) {
		return d.Const(0)
	}
	if r := d.memo[n]; r != nil {
		return r
	}
	r := d.rule(n)
	d.memo[n] = r
	return r
}

func (d differentiation) rule(n *Node) *Node {
	switch a := n.Args; n.Kind {
	case Var:
		return d.Const(1)
	case Add:
		return d.Add(d.of(a[0]), d.of(a[1]))
	case Sub:
		return d.Sub(d.of(a[0]), d.of(a[1]))
	case Neg:
		return d.Neg(d.of(a[0]))
	case Mul:
		return d.Add(d.Mul(d.of(a[0]), a[1]), d.Mul(a[0], d.of(a[1])))
	case Div: // (a/b)' = a'/b - (a/b)/b b'
		return d.Sub(d.Div(d.of(a[0]), a[1]), d.Mul(d.Div(n, a[1]), d.of(a[1])))
	case Min:
		return d.Where(false, a[0], a[1], d.of(a[0]), d.of(a[1]))
	case Max:
		return d.Where(false, a[1], a[0], d.of(a[0]), d.of(a[1]))
	case Where, WhereEqual:
		return d.Where(n.Kind == WhereEqual, a[0], a[1], d.of(a[2]), d.of(a[3]))
	default:
		return d.Mul(d.outer(n, a[0]), d.of(a[0]))
	}
}

// outer is the derivative of a function by its argument x.
func (d differentiation) outer(n, x *Node) *Node {
	one := d.Const(1)
	switch n.Kind {
	case Pow:
		return d.Mul(d.Const(float64(n.Index)), d.Pow(x, n.Index-1))
	case Exp:
		return n
	case Expm1:
		return d.Func(Exp, x)
	case Log:
		return d.Div(one, x)
	case Sqrt:
		return d.Div(d.Const(0.5), n)
	case Tanh:
		return d.Sub(one, d.Pow(n, 2))
	case Cosh:
		return d.Func(Sinh, x)
	case Sinh:
		return d.Func(Cosh, x)
	case Sin:
		return d.Func(Cos, x)
	case Cos:
		return d.Neg(d.Func(Sin, x))
	case Abs:
		return d.Where(false, x, d.Const(0), d.Const(-1), one)
	case Exprel:
		return d.exprel(n, x)
	}
	panic("bug: graph: an operation without derivative")
}

// exprel is B' for B = x/(e^x - 1): B' = B (1 - B - x)/x, by its series where |x| < 1/8: the first term that is left
// out, x⁹/4.8e6, is below 2e-15 there.
func (d differentiation) exprel(n, x *Node) *Node {
	c := d.Const
	z := d.Pow(x, 2)
	// B' = -1/2 + x/6 - x³/180 + x⁵/5040 - x⁷/151200 + ...
	series := d.Add(c(1.0/5040), d.Mul(z, c(-1.0/151200)))
	series = d.Add(c(-1.0/180), d.Mul(z, series))
	series = d.Add(c(1.0/6), d.Mul(z, series))
	near := d.Add(c(-0.5), d.Mul(x, series))
	far := d.Div(d.Mul(n, d.Sub(d.Sub(c(1), n), x)), x)
	return d.Where(false, z, c(1.0/64), near, far)
}
