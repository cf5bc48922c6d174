package equations

import (
	"popsim/equations/graph"
	"popsim/kernels"
	"popsim/kernels/vec"
	"popsim/model"
)

// method is a way to advance the states by a step, or by a part of one.
type method struct {
	model.Method
	// formulas returns the formulas that step uses, for a step of h ms.
	formulas func(d *definition, h *graph.Node) []*graph.Node
	// step is the state after a step from y; f are the formulas.
	step func(c *compiled, b *vec.Block, y []vec.Vec, x kernels.Surroundings, f []*graph.Node) []vec.Vec
	// pairs is whether the formulas begin with a and b of F = a - b x of each state x.
	pairs bool
	// applies reports whether the method can be used for these equations; nil means always.
	applies func(d *definition) bool
}

var methods = []method{
	{
		Method:   model.Method{Name: "rk4", Order: 4, Doc: "classical Runge-Kutta method; spikes inside the step"},
		formulas: rk4Formulas, step: rk4Step,
	},
	{
		Method: model.Method{
			Name: "strang-cn", Order: 2,
			Doc: "V and gates in turns, each by the trapezoidal rule, where all are linear in themselves; spikes inside the " +
				"step",
		},
		formulas: strangFormulas, step: strangStep, applies: (*definition).strangApplies, pairs: true,
	},
	{
		Method: model.Method{
			Name:  "rosenbrock",
			Order: 3,
			Doc:   "ROS3, for stiff equations, by exact derivatives; spikes inside the step",
		},
		formulas: rosenbrockFormulas, step: rosenbrockStep,
	},
	{
		Method: model.Method{
			Name: "exp-euler", Order: 1, OnGrid: true,
			Doc: "exponential Euler where a state is linear in itself, Rosenbrock's elsewhere; as in other simulators, " +
				"spikes on the grid",
		},
		formulas: expEulerFormulas, step: expEulerStep,
	},
	{
		Method: model.Method{
			Name:   "euler",
			Order:  1,
			OnGrid: true,
			Doc:    "forward Euler, as in other simulators, spikes on the grid",
		},
		formulas: eulerFormulas, step: directStep,
	},
}

// directStep is for methods whose formulas are the states at the end of the step.
func directStep(c *compiled, b *vec.Block, y []vec.Vec, x kernels.Surroundings, f []*graph.Node) []vec.Vec {
	return c.at(b, y, x).all(f)
}

func eulerFormulas(d *definition, h *graph.Node) []*graph.Node {
	next := make([]*graph.Node, len(d.states))
	for i, s := range d.states {
		next[i] = d.Add(s.node, d.Mul(h, d.slopes[i]))
	}
	return next
}

// expEulerFormulas are two for each state. Where F is linear in y, with the derivative -L, and the other states are
// constant, y relaxes to its goal y + F/L: the goal and -hL, both from L as one quotient. Elsewhere this is
// Rosenbrock's method of order 1 in each state, y + (F/J)(e^(hJ) - 1), and nil; (e^z - 1)/z is 1/exprel(z), which is
// defined where J is 0.
func expEulerFormulas(d *definition, h *graph.Node) (f []*graph.Node) {
	for i, s := range d.states {
		j := d.Derivative(d.slopes[i], i)
		if j.Among(d.stateMask()) && !j.DependsOn(i) {
			time := d.Div(d.Const(1), d.Neg(j))
			f = append(f, d.Mul(d.Substitute(d.slopes[i], i, d.Const(0)), time), d.Div(d.Neg(h), time))
		} else {
			f = append(f, d.Add(s.node, d.Mul(d.Div(h, d.Func(graph.Exprel, d.Mul(h, j))), d.slopes[i])), nil)
		}
	}
	return f
}

func expEulerStep(c *compiled, b *vec.Block, y []vec.Vec, x kernels.Surroundings, f []*graph.Node) []vec.Vec {
	r := c.at(b, y, x)
	next := make([]vec.Vec, len(y))
	for i := range y {
		next[i] = r.of(f[2*i])
		if exponent := f[2*i+1]; exponent != nil {
			next[i] = b.FMA(b.Sub(y[i], next[i]), b.ExpClamped(r.of(exponent)), next[i])
		}
	}
	return next
}

// rk4Formulas are the slopes, h/2, h and h/6.
func rk4Formulas(d *definition, h *graph.Node) []*graph.Node {
	return append(append([]*graph.Node{}, d.slopes...), d.Mul(d.Const(0.5), h), h, d.Mul(d.Const(1.0/6), h))
}

func rk4Step(c *compiled, b *vec.Block, y []vec.Vec, x kernels.Surroundings, f []*graph.Node) []vec.Vec {
	n := len(y)
	begin := c.at(b, y, x)
	spans := begin.all(f[n:])
	half, whole, sixth := spans[0], spans[1], spans[2]
	slopes := func(y []vec.Vec) []vec.Vec {
		s := begin.moved(y).slopes(f[:n])
		if x.Held != nil {
			s[0] = b.Select(*x.Held, b.Const(0), s[0])
		}
		return s
	}
	from := func(a, s []vec.Vec, h vec.Vec) []vec.Vec {
		r := make([]vec.Vec, n)
		for i := range r {
			r[i] = b.FMA(s[i], h, a[i])
		}
		return r
	}
	two := b.Const(2)
	k1 := slopes(y)
	k2 := slopes(from(y, k1, half))
	k3 := slopes(from(y, k2, half))
	k4 := slopes(from(y, k3, whole))
	sum := from(from(k1, k2, two), k3, two)
	for i := range sum {
		sum[i] = b.Add(sum[i], k4[i])
	}
	return from(y, sum, sixth)
}
