// Package graph holds formulas as directed acyclic graphs: equal expressions are one node, so that derivatives stay
// small and shared parts are computed once. A Graph simplifies as it builds, differentiates, substitutes, and evaluates
// many nodes together (Tape).
package graph

import "math"

// Kind is the operation of a node.
type Kind uint8

// The kinds. Where and WhereEqual have four arguments: a < b (a <= b) ? c : d. Exprel is x/(e^x - 1), 1 at
// 0, and Expm1 e^x - 1.
const (
	Const Kind = iota // Value
	Var               // variable Index
	Add
	Sub
	Mul
	Div
	Neg
	Pow // to the whole power Index, from 2 on
	Exp
	Log
	Sqrt
	Tanh
	Cosh
	Sinh
	Sin
	Cos
	Exprel
	Expm1
	Abs
	Min
	Max
	Where
	WhereEqual
)

// MaxDynamic is the number of variables, those of the lowest numbers, for which a node records whether it depends on
// them.
const MaxDynamic = 64

// A Node is one operation. It belongs to one Graph and never changes.
type Node struct {
	Kind  Kind
	Args  []*Node
	Value float64 // of a Const
	Index int     // of a Var, its number; of a Pow, the exponent

	deps uint64 // bit i: depends on variable i < MaxDynamic
	id   int    // in the order of creation
}

// ID numbers the nodes of a graph in the order of their creation: arguments have lower numbers than the nodes that use
// them.
func (n *Node) ID() int { return n.id }

// DependsOn reports whether n contains variable i, i < MaxDynamic.
func (n *Node) DependsOn(i int) bool { return n.deps>>i&1 != 0 }

// Among reports whether n contains one of the variables whose bits are set.
func (n *Node) Among(variables uint64) bool { return n.deps&variables != 0 }

// Is reports whether n is the constant x.
func (n *Node) Is(x float64) bool { return n.Kind == Const && n.Value == x }

type key struct {
	kind Kind
	args [4]*Node
	bits uint64
	idx  int
}

// A Graph makes nodes, each once.
type Graph struct {
	pool map[key]*Node
}

// New returns an empty graph.
func New() *Graph { return &Graph{pool: map[key]*Node{}} }

// Len is the number of nodes made so far.
func (g *Graph) Len() int { return len(g.pool) }

func (g *Graph) make(kind Kind, value float64, index int, args ...*Node) *Node {
	k := key{kind: kind, bits: math.Float64bits(value), idx: index}
	copy(k.args[:], args)
	if n := g.pool[k]; n != nil {
		return n
	}
	n := &Node{Kind: kind, Args: args, Value: value, Index: index, id: len(g.pool)}
	for _, a := range args {
		n.deps |= a.deps
	}
	if kind == Var && index < MaxDynamic {
		n.deps = 1 << index
	}
	g.pool[k] = n
	return n
}

// Const is the number x.
func (g *Graph) Const(x float64) *Node { return g.make(Const, x, 0) }

// Var is variable i.
func (g *Graph) Var(i int) *Node { return g.make(Var, 0, i) }

// Add is a + b.
func (g *Graph) Add(a, b *Node) *Node {
	switch {
	case a.Kind == Const && b.Kind == Const:
		return g.Const(a.Value + b.Value)
	case a.Is(0):
		return b
	case b.Is(0):
		return a
	case b.Kind == Neg:
		return g.Sub(a, b.Args[0])
	case a.Kind == Neg:
		return g.Sub(b, a.Args[0])
	}
	return g.make(Add, 0, 0, a, b)
}

// Sub is a - b.
func (g *Graph) Sub(a, b *Node) *Node {
	switch {
	case a.Kind == Const && b.Kind == Const:
		return g.Const(a.Value - b.Value)
	case b.Is(0):
		return a
	case a.Is(0):
		return g.Neg(b)
	case a == b:
		return g.Const(0)
	case b.Kind == Neg:
		return g.Add(a, b.Args[0])
	}
	return g.make(Sub, 0, 0, a, b)
}

// Neg is -a.
func (g *Graph) Neg(a *Node) *Node {
	switch a.Kind {
	case Const:
		return g.Const(-a.Value)
	case Neg:
		return a.Args[0]
	case Sub:
		return g.Sub(a.Args[1], a.Args[0])
	}
	return g.make(Neg, 0, 0, a)
}

// Mul is a b.
func (g *Graph) Mul(a, b *Node) *Node {
	switch {
	case a.Kind == Const && b.Kind == Const:
		return g.Const(a.Value * b.Value)
	case a.Is(0), b.Is(0):
		return g.Const(0)
	case a.Is(1):
		return b
	case b.Is(1):
		return a
	case a.Is(-1):
		return g.Neg(b)
	case b.Is(-1):
		return g.Neg(a)
	case a.Kind == Neg:
		return g.Neg(g.Mul(a.Args[0], b))
	case b.Kind == Neg:
		return g.Neg(g.Mul(a, b.Args[0]))
	}
	return g.make(Mul, 0, 0, a, b)
}

// Div is a / b.
func (g *Graph) Div(a, b *Node) *Node {
	switch {
	case a.Kind == Const && b.Kind == Const:
		return g.Const(a.Value / b.Value)
	case a.Is(0):
		return a
	case b.Is(1):
		return a
	case b.Is(-1):
		return g.Neg(a)
	case a.Kind == Neg:
		return g.Neg(g.Div(a.Args[0], b))
	case b.Kind == Neg:
		return g.Neg(g.Div(a, b.Args[0]))
	}
	return g.make(Div, 0, 0, a, b)
}

// Pow is a to the whole power n.
func (g *Graph) Pow(a *Node, n int) *Node {
	switch {
	case n < 0:
		return g.Div(g.Const(1), g.Pow(a, -n))
	case n == 0:
		return g.Const(1)
	case n == 1:
		return a
	case a.Kind == Const:
		return g.Const(power(a.Value, n))
	}
	return g.make(Pow, 0, n, a)
}

// Func is a function of one argument, Exp to Abs.
func (g *Graph) Func(kind Kind, a *Node) *Node {
	if a.Kind == Const {
		return g.Const(Value(&Node{Kind: kind, Args: []*Node{a}}, nil))
	}
	return g.make(kind, 0, 0, a)
}

// Least is the lesser of a and b, Most the greater one.
func (g *Graph) Least(a, b *Node) *Node { return g.extreme(Min, a, b) }

// Most is the greater of a and b.
func (g *Graph) Most(a, b *Node) *Node { return g.extreme(Max, a, b) }

func (g *Graph) extreme(kind Kind, a, b *Node) *Node {
	switch {
	case a == b:
		return a
	case a.Kind == Const && b.Kind == Const:
		return g.Const(Value(&Node{Kind: kind, Args: []*Node{a, b}}, nil))
	}
	return g.make(kind, 0, 0, a, b)
}

// Where is c where a < b (a <= b if equal), d elsewhere.
func (g *Graph) Where(equal bool, a, b, c, d *Node) *Node {
	if c == d {
		return c
	}
	kind := Where
	if equal {
		kind = WhereEqual
	}
	if a.Kind == Const && b.Kind == Const {
		if a.Value < b.Value || equal && a.Value == b.Value {
			return c
		}
		return d
	}
	return g.make(kind, 0, 0, a, b, c, d)
}

// Rebuild is the node of the kind and index of n with other arguments, simplified.
func (g *Graph) Rebuild(n *Node, args []*Node) *Node {
	switch n.Kind {
	case Const, Var:
		return n
	case Add:
		return g.Add(args[0], args[1])
	case Sub:
		return g.Sub(args[0], args[1])
	case Mul:
		return g.Mul(args[0], args[1])
	case Div:
		return g.Div(args[0], args[1])
	case Neg:
		return g.Neg(args[0])
	case Pow:
		return g.Pow(args[0], n.Index)
	case Min, Max:
		return g.extreme(n.Kind, args[0], args[1])
	case Where, WhereEqual:
		return g.Where(n.Kind == WhereEqual, args[0], args[1], args[2], args[3])
	}
	return g.Func(n.Kind, args[0])
}

// Map rebuilds n from its variables upwards: leaf returns the replacement of a variable, and each node is passed to
// change, which may be nil, once its arguments are replaced.
func (g *Graph) Map(n *Node, leaf func(*Node) *Node, change func(*Node) *Node) *Node {
	memo := map[*Node]*Node{}
	var of func(n *Node) *Node
	of = func(n *Node) *Node {
		if r := memo[n]; r != nil {
			return r
		}
		r := n
		switch n.Kind {
		case Const:
		case Var:
			r = leaf(n)
		default:
			args := make([]*Node, len(n.Args))
			for i, a := range n.Args {
				args[i] = of(a)
			}
			r = g.Rebuild(n, args)
		}
		if change != nil {
			r = change(r)
		}
		memo[n] = r
		return r
	}
	return of(n)
}

// Substitute replaces variable i by x.
func (g *Graph) Substitute(n *Node, i int, x *Node) *Node {
	return g.Map(n, func(v *Node) *Node {
		if v.Index == i {
			return x
		}
		return v
	}, nil)
}

// Each calls f once for every node of the expressions, for arguments before the nodes that use them.
func Each(f func(*Node), roots ...*Node) {
	seen := map[*Node]bool{}
	var visit func(n *Node)
	visit = func(n *Node) {
		if seen[n] {
			return
		}
		seen[n] = true
		for _, a := range n.Args {
			visit(a)
		}
		f(n)
	}
	for _, r := range roots {
		visit(r)
	}
}
