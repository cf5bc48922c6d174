package graph

import (
	"math"

	"popsim/expression"
)

// A Tape evaluates several nodes together in plain Go. It holds no scratch memory and may be shared.
//
// The scratch memory is the values of the variables, those of the constants, and one value for each operation. First
// come the operations that do not depend on the variables that change from one evaluation to the next.
type Tape struct {
	variables, constants int
	values               []float64 // of the constants
	steps                []step
	changing             int // the first of the steps that depend on the changing variables
	out                  []int32
}

// step is an operation: where its arguments stand in the scratch memory; the exponent of a Pow; the function of a kind
// that evaluate does not compute.
type step struct {
	kind       Kind
	power      int32
	a, b, c, d int32
	function   func(float64) float64
}

// NewTape returns a tape that evaluates roots, in this order. changing has the bits of the variables that Again sets.
func NewTape(changing uint64, roots ...*Node) *Tape {
	t := &Tape{}
	var fixed, varied []*Node
	at := map[*Node]int32{}
	Each(func(n *Node) {
		switch {
		case n.Kind == Var:
			t.variables = max(t.variables, n.Index+1)
		case n.Kind == Const:
			t.values = append(t.values, n.Value)
		case n.Among(changing):
			varied = append(varied, n)
		default:
			fixed = append(fixed, n)
		}
	}, roots...)
	t.constants = t.variables
	next := t.variables
	Each(func(n *Node) {
		if at[n] = int32(n.Index); n.Kind == Const {
			at[n] = int32(next)
			next++
		}
	}, roots...)
	for _, n := range append(fixed, varied...) {
		at[n] = int32(next + len(t.steps))
		s := step{kind: n.Kind, power: int32(n.Index), function: expression.Unary(names[n.Kind])}
		for i, to := range []*int32{&s.a, &s.b, &s.c, &s.d}[:len(n.Args)] {
			*to = at[n.Args[i]]
		}
		t.steps = append(t.steps, s)
	}
	t.changing = len(fixed)
	for _, r := range roots {
		t.out = append(t.out, at[r])
	}
	return t
}

// Len is the number of values of scratch memory.
func (t *Tape) Len() int { return t.variables + len(t.values) + len(t.steps) }

// Run writes the values of the nodes to out; variables holds those of the variables by number. scratch has at least Len
// values.
func (t *Tape) Run(variables, scratch, out []float64) {
	copy(scratch[:t.variables], variables)
	copy(scratch[t.constants:], t.values)
	t.run(0, scratch, out)
}

// Again is Run with scratch as an earlier Run left it, with other values of the changing variables alone: first are the
// variables from 0 on.
func (t *Tape) Again(first, scratch, out []float64) {
	copy(scratch[:t.variables], first)
	t.run(t.changing, scratch, out)
}

// run makes the steps from first on. Products are rounded, so that all architectures give the same bits.
func (t *Tape) run(first int, scratch, out []float64) {
	start := t.constants + len(t.values)
	x := scratch[:start+len(t.steps)]
	to := x[start:]
	for i := first; i < len(t.steps); i++ {
		var y float64
		s := &t.steps[i]
		a := x[s.a]
		switch s.kind {
		case Add:
			y = a + x[s.b]
		case Sub:
			y = a - x[s.b]
		case Mul:
			y = float64(a * x[s.b])
		case Div:
			y = a / x[s.b]
		case Neg:
			y = -a
		case Exp:
			y = expression.Exp(a)
		case Expm1:
			y = a / s.function(a)
		case Pow:
			y = power(a, int(s.power))
		case Min:
			y = math.Min(a, x[s.b])
		case Max:
			y = math.Max(a, x[s.b])
		case Where, WhereEqual:
			if y = x[s.d]; a < x[s.b] || s.kind == WhereEqual && a == x[s.b] {
				y = x[s.c]
			}
		default:
			y = s.function(a)
		}
		to[i] = y
	}
	for j, i := range t.out {
		out[j] = x[i]
	}
}

// Value evaluates one node.
func Value(n *Node, variables []float64) float64 {
	t := NewTape(0, n)
	var out [1]float64
	t.Run(variables, make([]float64, t.Len()), out[:])
	return out[0]
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

// names of the functions of one argument; that of Expm1 is of the function it is made of.
var names = map[Kind]string{
	Exp: "exp", Log: "log", Sqrt: "sqrt", Tanh: "tanh", Cosh: "cosh", Sinh: "sinh", Sin: "sin", Cos: "cos",
	Exprel: "exprel", Expm1: "exprel", Abs: "abs",
}
