package graph

import (
	"math"

	"popsim/expression"
)

// A Tape evaluates several nodes together in plain Go. It holds no scratch memory and may be shared.
type Tape struct {
	steps []step
	out   []int
}

type step struct {
	node *Node // its kind, value and index
	args [4]int
}

// NewTape returns a tape that evaluates roots, in this order.
func NewTape(roots ...*Node) *Tape {
	t := &Tape{}
	at := map[*Node]int{}
	Each(func(n *Node) {
		s := step{node: n}
		for i, a := range n.Args {
			s.args[i] = at[a]
		}
		at[n] = len(t.steps)
		t.steps = append(t.steps, s)
	}, roots...)
	for _, r := range roots {
		t.out = append(t.out, at[r])
	}
	return t
}

// Len is the number of values of scratch memory that Run needs.
func (t *Tape) Len() int { return len(t.steps) }

// Run writes the values of the nodes to out; variables holds those of the variables by number. scratch has at least Len
// values.
func (t *Tape) Run(variables, scratch, out []float64) {
	x := scratch[:len(t.steps)]
	for i := range t.steps {
		switch s := &t.steps[i]; s.node.Kind {
		case Const:
			x[i] = s.node.Value
		case Var:
			x[i] = variables[s.node.Index]
		default:
			x[i] = evaluate(s.node, x[s.args[0]], x[s.args[1]], x[s.args[2]], x[s.args[3]])
		}
	}
	for j, i := range t.out {
		out[j] = x[i]
	}
}

// Value evaluates one node.
func Value(n *Node, variables []float64) float64 {
	t := NewTape(n)
	var out [1]float64
	t.Run(variables, make([]float64, t.Len()), out[:])
	return out[0]
}

// evaluate is one operation. Products are rounded, so that all architectures give the same bits.
func evaluate(n *Node, a, b, c, d float64) float64 {
	switch n.Kind {
	case Add:
		return a + b
	case Sub:
		return a - b
	case Mul:
		return float64(a * b)
	case Div:
		return a / b
	case Neg:
		return -a
	case Pow:
		return power(a, n.Index)
	case Min:
		return math.Min(a, b)
	case Max:
		return math.Max(a, b)
	case Where:
		if a < b {
			return c
		}
		return d
	case WhereEqual:
		if a <= b {
			return c
		}
		return d
	}
	return function(n.Kind, a)
}

// power is x to the power n ≥ 0, by squaring.
func power(x float64, n int) float64 {
	p := 1.0
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			p = float64(p * x)
		}
		x = float64(x * x)
	}
	return p
}

var names = map[Kind]string{
	Exp: "exp", Log: "log", Sqrt: "sqrt", Tanh: "tanh", Cosh: "cosh", Sinh: "sinh", Sin: "sin", Cos: "cos",
	Exprel: "exprel", Abs: "abs",
}

// function is a function of one argument, as the language of expressions defines it.
func function(kind Kind, x float64) float64 {
	switch kind {
	case Exp:
		return expression.Exp(x)
	case Sqrt:
		return math.Sqrt(x)
	case Expm1:
		return x / expression.Apply("exprel", x)
	case Abs:
		return math.Abs(x)
	}
	return expression.Apply(names[kind], x)
}
