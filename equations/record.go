package equations

import (
	"slices"
	"strings"

	"popsim/equations/graph"
	"popsim/kernels"
	"popsim/kernels/vec"
)

// A recording computes formulas on the vectors of a block. What has no state, current or part of a step in it is a
// coefficient, computed once for each neuron.
type recording struct {
	*compiled
	*vec.Block
	x        kernels.Surroundings
	variable func(i int) vec.Vec // of a dynamic variable
	memo     map[*graph.Node]vec.Vec
}

// at is a recording at other states y.
func (c *compiled) at(b *vec.Block, y []vec.Vec, x kernels.Surroundings) *recording {
	return &recording{compiled: c, Block: b, x: x, memo: map[*graph.Node]vec.Vec{}, variable: func(i int) vec.Vec {
		switch {
		case i < len(y):
			return y[i]
		case i == c.currentVar():
			return x.I
		}
		return *x.Part
	}}
}

// all computes several formulas.
func (r *recording) all(nodes []*graph.Node) []vec.Vec {
	v := make([]vec.Vec, len(nodes))
	for i, n := range nodes {
		v[i] = r.of(n)
	}
	return v
}

func (r *recording) of(n *graph.Node) vec.Vec {
	if v, ok := r.memo[n]; ok {
		return v
	}
	v := r.compute(n)
	r.memo[n] = v
	return v
}

func (r *recording) compute(n *graph.Node) vec.Vec {
	switch {
	case n.Kind == graph.Const:
		return r.Const(n.Value)
	case !n.Among(r.dynamic()):
		return r.x.Coef(r.coefficient(n))
	case n.Kind == graph.Var:
		return r.variable(n.Index)
	}
	if v, ok := r.fused(n); ok {
		return v
	}
	args := r.all(n.Args)
	switch a := args[0]; n.Kind {
	case graph.Add:
		return r.Add(a, args[1])
	case graph.Sub:
		return r.Sub(a, args[1])
	case graph.Mul:
		return r.Mul(a, args[1])
	case graph.Div:
		return r.Div(a, args[1])
	case graph.Neg:
		return r.Neg(a)
	case graph.Pow:
		return r.power(a, n.Index)
	case graph.Min:
		return r.Min(a, args[1])
	case graph.Max:
		return r.Max(a, args[1])
	case graph.Where:
		return r.Select(r.Cmp(a, vec.LT, args[1]), args[2], args[3])
	case graph.WhereEqual:
		return r.Select(r.Cmp(a, vec.LE, args[1]), args[2], args[3])
	}
	return r.function(n, args[0])
}

// fused is a sum or difference with a product, rounded once.
func (r *recording) fused(n *graph.Node) (v vec.Vec, ok bool) {
	if n.Kind != graph.Add && n.Kind != graph.Sub {
		return v, false
	}
	a, b := n.Args[0], n.Args[1]
	product := func(m *graph.Node) bool { return m.Kind == graph.Mul && m.Among(r.dynamic()) }
	switch {
	case n.Kind == graph.Add && product(b):
		return r.FMA(r.of(b.Args[0]), r.of(b.Args[1]), r.of(a)), true
	case n.Kind == graph.Add && product(a):
		return r.FMA(r.of(a.Args[0]), r.of(a.Args[1]), r.of(b)), true
	case n.Kind == graph.Sub && product(b):
		return r.FNMA(r.of(b.Args[0]), r.of(b.Args[1]), r.of(a)), true
	case n.Kind == graph.Sub && product(a):
		return r.FMS(r.of(a.Args[0]), r.of(a.Args[1]), r.of(b)), true
	}
	return v, false
}

// power is x to the power n ≥ 2, by squaring.
func (r *recording) power(x vec.Vec, n int) vec.Vec {
	switch {
	case n == 1:
		return x
	case n%2 == 1:
		return r.Mul(r.power(x, n-1), x)
	}
	h := r.power(x, n/2)
	return r.Mul(h, h)
}

func (r *recording) function(n *graph.Node, x vec.Vec) vec.Vec {
	switch n.Kind {
	case graph.Exp:
		return r.ExpAll(x)
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
	case graph.Exprel:
		return r.ExpRel(x)
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
}

func (c *coefficients) coefficient(n *graph.Node) int {
	i, ok := c.index[n]
	if !ok {
		panic("bug: equations: a coefficient that was not collected")
	}
	return i
}

// collect numbers the coefficients of formulas, in the order of their first use.
func (c *coefficients) collect(dynamic uint64, roots ...*graph.Node) {
	seen := map[*graph.Node]bool{}
	var visit func(n *graph.Node)
	visit = func(n *graph.Node) {
		switch {
		case seen[n] || n.Kind == graph.Const:
		case !n.Among(dynamic):
			if _, ok := c.index[n]; !ok {
				c.index[n] = len(c.nodes)
				c.nodes = append(c.nodes, n)
			}
		default:
			for _, a := range n.Args {
				visit(a)
			}
		}
		seen[n] = true
	}
	for _, n := range roots {
		if n != nil {
			visit(n)
		}
	}
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
