package equations

import (
	"fmt"
	"math"
	"strconv"

	"popsim/equations/graph"
	"popsim/expression"
)

// twelfths is the exponent 1 in a Dimension.
const twelfths = 12

func itoa(n int) string { return strconv.Itoa(n) }

// quantity is a formula with its dimension. The dimension of a loose one is unknown: it fits everywhere.
type quantity struct {
	node  *graph.Node
	dim   expression.Dimension
	loose bool
}

// fits reports whether q may be used as a quantity of dimension d.
func (q quantity) fits(d expression.Dimension) bool { return q.loose || q.dim == d }

// formulas makes graphs of expressions and checks their units.
type formulas struct {
	*graph.Graph
	loose  bool                                 // bare numbers fit everywhere
	lookup func(name string) (*quantity, error) // nil, nil: there is no such name
	known  func() []string                      // for suggestions
}

func faultAt(column int, format string, args ...any) error {
	return &expression.Error{Column: column, Message: fmt.Sprintf(format, args...)}
}

// parse reads an expression that is a number.
func (f *formulas) parse(text string) (quantity, error) {
	e, err := expression.Parse(text)
	if err != nil {
		return quantity{}, err
	}
	return f.of(e.Root)
}

func (f *formulas) of(n *expression.Node) (quantity, error) {
	switch n.Op {
	case expression.Number:
		return quantity{node: f.Const(n.Value), loose: f.loose}, nil
	case expression.UnitName, expression.Name:
		return f.name(n)
	case expression.Less, expression.LessEqual:
		return quantity{}, faultAt(n.Column, "a comparison where a number should be")
	case expression.Call:
		return f.call(n)
	case expression.Multiply:
		// one rounding
		if a, b := n.Args[0], n.Args[1]; a.Op == expression.Number && b.Op == expression.UnitName && !b.MayBeName() {
			value := (&expression.Expr{Root: n}).Eval(nil)
			return quantity{node: f.Const(value), dim: expression.UnitDimension(b.Name)}, nil
		}
	}
	args := make([]quantity, len(n.Args))
	for i, a := range n.Args {
		var err error
		if args[i], err = f.of(a); err != nil {
			return quantity{}, err
		}
	}
	a := args[0]
	if n.Op == expression.Negate {
		a.node = f.Neg(a.node)
		return a, nil
	}
	b := args[1]
	switch n.Op {
	case expression.Multiply:
		return quantity{f.Mul(a.node, b.node), a.dim.Times(b.dim), a.loose || b.loose}, nil
	case expression.Divide:
		return quantity{f.Div(a.node, b.node), a.dim.Per(b.dim), a.loose || b.loose}, nil
	case expression.Power:
		return f.power(n, a, b)
	case expression.Add:
		return f.alike(n.Column, "sum", f.Add(a.node, b.node), a, b)
	case expression.Subtract:
		return f.alike(n.Column, "difference", f.Sub(a.node, b.node), a, b)
	}
	panic(fmt.Sprintf("bug: equations: operation %d", n.Op))
}

func (f *formulas) name(n *expression.Node) (quantity, error) {
	if n.Op == expression.UnitName {
		if n.MayBeName() {
			if q, err := f.lookup(n.Name); q != nil || err != nil {
				return at(n, q, err)
			}
		}
		return quantity{node: f.Const((&expression.Expr{Root: n}).Eval(nil)), dim: expression.UnitDimension(n.Name)}, nil
	}
	if n.Name == "pi" {
		return quantity{node: f.Const(math.Pi), loose: f.loose}, nil
	}
	q, err := f.lookup(n.Name)
	if q == nil && err == nil {
		err = faultAt(n.Column, "unknown name %q%s", n.Name, expression.Nearest(n.Name, f.known()))
		if n.Name == "t" {
			err = faultAt(n.Column, "equations do not depend on time; what does is a stimulus (--waveform)")
		}
	}
	return at(n, q, err)
}

// at returns the quantity of a name; a fault without a column gets that of the name.
func at(n *expression.Node, q *quantity, err error) (quantity, error) {
	if err != nil {
		if _, ok := err.(*expression.Error); !ok {
			err = faultAt(n.Column, "%v", err)
		}
		return quantity{}, err
	}
	return *q, nil
}

// alike is a result of two quantities that must have the same dimension.
func (f *formulas) alike(column int, what string, node *graph.Node, a, b quantity) (quantity, error) {
	switch {
	case a.loose && b.loose:
		return quantity{node: node, loose: true}, nil
	case a.loose:
		return quantity{node: node, dim: b.dim}, nil
	case b.loose || a.dim == b.dim:
		return quantity{node: node, dim: a.dim}, nil
	}
	return quantity{}, faultAt(column, "%s of %s and %s", what, dimName(a.dim), dimName(b.dim))
}

func dimName(d expression.Dimension) string {
	if d == expression.None {
		return "a pure number"
	}
	return unitName("", d)
}

func (f *formulas) power(n *expression.Node, a, b quantity) (quantity, error) {
	if !b.fits(expression.None) {
		return quantity{}, faultAt(n.Column, "an exponent in %s; it must be a pure number", dimName(b.dim))
	}
	dim, x := expression.None, math.NaN()
	if b.node.Kind == graph.Const {
		x = b.node.Value
	}
	if !a.fits(expression.None) {
		var ok bool
		if x != x {
			return quantity{}, faultAt(n.Column, "%s to a power that is no plain number", dimName(a.dim))
		}
		if dim, ok = a.dim.Power(x); !ok {
			return quantity{}, faultAt(n.Column, "%s to the power %v", dimName(a.dim), x)
		}
	}
	var node *graph.Node
	switch {
	case x == math.Trunc(x) && math.Abs(x) <= 64:
		node = f.Pow(a.node, int(x))
	case x == 0.5:
		node = f.Func(graph.Sqrt, a.node)
	default:
		node = f.Func(graph.Exp, f.Mul(b.node, f.Func(graph.Log, a.node)))
	}
	return quantity{node, dim, a.loose}, nil
}

var kinds = map[string]graph.Kind{
	"exp": graph.Exp, "log": graph.Log, "sqrt": graph.Sqrt, "tanh": graph.Tanh, "cosh": graph.Cosh, "sinh": graph.Sinh,
	"sin": graph.Sin,
	"cos": graph.Cos, "exprel": graph.Exprel, "abs": graph.Abs,
}

func (f *formulas) call(n *expression.Node) (quantity, error) {
	if n.Name == "where" {
		return f.where(n)
	}
	args := make([]quantity, len(n.Args))
	for i, a := range n.Args {
		var err error
		if args[i], err = f.of(a); err != nil {
			return quantity{}, err
		}
	}
	a := args[0]
	switch n.Name {
	case "abs":
		return quantity{f.Func(graph.Abs, a.node), a.dim, a.loose}, nil
	case "sqrt":
		dim, ok := a.dim.Power(0.5)
		if !ok {
			return quantity{}, faultAt(n.Column, "sqrt of %s", dimName(a.dim))
		}
		return quantity{f.Func(graph.Sqrt, a.node), dim, a.loose}, nil
	case "min", "max":
		for _, b := range args[1:] {
			node := f.Least(a.node, b.node)
			if n.Name == "max" {
				node = f.Most(a.node, b.node)
			}
			var err error
			if a, err = f.alike(n.Column, n.Name, node, a, b); err != nil {
				return quantity{}, err
			}
		}
		return a, nil
	}
	kind, ok := kinds[n.Name]
	if !ok {
		return quantity{}, faultAt(n.Column,
			"%s jumps; equations take smooth functions, and where(a < b, x, y) for what switches", n.Name)
	}
	if !a.fits(expression.None) {
		return quantity{}, faultAt(n.Column, "%s of %s; it takes a pure number", n.Name, dimName(a.dim))
	}
	return quantity{node: f.Func(kind, a.node), loose: f.loose}, nil
}

// comparison is both sides of a < b or a <= b.
func (f *formulas) comparison(n *expression.Node) (a, b quantity, err error) {
	if n.Op != expression.Less && n.Op != expression.LessEqual {
		return a, b, faultAt(n.Column, "no comparison; conditions are written V >= V_peak")
	}
	if a, err = f.of(n.Args[0]); err != nil {
		return a, b, err
	}
	if b, err = f.of(n.Args[1]); err != nil {
		return a, b, err
	}
	_, err = f.alike(n.Column, "comparison", a.node, a, b)
	return a, b, err
}

func (f *formulas) where(n *expression.Node) (quantity, error) {
	a, b, err := f.comparison(n.Args[0])
	if err != nil {
		return quantity{}, err
	}
	x, err := f.of(n.Args[1])
	if err != nil {
		return quantity{}, err
	}
	y, err := f.of(n.Args[2])
	if err != nil {
		return quantity{}, err
	}
	return f.alike(n.Column, "choice", f.Where(n.Args[0].Op == expression.LessEqual, a.node, b.node, x.node, y.node), x, y)
}
