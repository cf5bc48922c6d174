package equations

import (
	"math"

	"popsim/equations/graph"
)

// singularities rewrites k w/(exp(w) - 1), k w/(1 - exp(w)) and (exp(w) - 1)/(k w), which are 0/0 where w is 0, by
// exprel(w) = w/(exp(w) - 1), which is 1 there. w is a multiple of one state plus a constant; the numerator may be
// written in any way.
func (d *definition) singularities(n *graph.Node) *graph.Node {
	return d.Map(n, func(v *graph.Node) *graph.Node { return v }, func(n *graph.Node) *graph.Node {
		if n.Kind != graph.Div {
			return n
		}
		a, b := n.Args[0], n.Args[1]
		if w, sign := d.expMinusOne(b); w != nil {
			if k := d.ratio(a, w); k != nil {
				d.removed++
				return d.Mul(d.Mul(d.Const(sign), k), d.Func(graph.Exprel, w))
			}
		}
		if w, sign := d.expMinusOne(a); w != nil {
			if k := d.ratio(b, w); k != nil {
				d.removed++
				return d.Div(d.Const(sign), d.Mul(k, d.Func(graph.Exprel, w)))
			}
		}
		return n
	})
}

// expMinusOne is w where n is exp(w) - 1 (sign 1) or 1 - exp(w) (sign -1), else nil.
func (d *definition) expMinusOne(n *graph.Node) (w *graph.Node, sign float64) {
	if n.Kind != graph.Sub && n.Kind != graph.Add {
		return nil, 0
	}
	a, b := n.Args[0], n.Args[1]
	switch {
	case n.Kind == graph.Sub && a.Kind == graph.Exp && b.Is(1), n.Kind == graph.Add && a.Kind == graph.Exp && b.Is(-1):
		return a.Args[0], 1
	case n.Kind == graph.Add && a.Is(-1) && b.Kind == graph.Exp:
		return b.Args[0], 1
	case n.Kind == graph.Sub && a.Is(1) && b.Kind == graph.Exp:
		return b.Args[0], -1
	}
	return nil, 0
}

// ratio is a/w where that is the same for every state, else nil: both are linear in the same state, with coefficients
// that do not change, in the same proportion. Where parameters are in them, this is tried with several values of all.
func (d *definition) ratio(a, w *graph.Node) *graph.Node {
	state := -1
	for i := range d.states {
		if w.DependsOn(i) && a.DependsOn(i) {
			state = i
		}
	}
	if state < 0 {
		return nil
	}
	var parts [4]*graph.Node // slopes and values at 0 of a and w
	for k, n := range []*graph.Node{a, w} {
		parts[2*k], parts[2*k+1] = d.Derivative(n, state), d.Substitute(n, state, d.Const(0))
		if parts[2*k].Among(d.dynamic()) || parts[2*k+1].Among(d.dynamic()) {
			return nil
		}
	}
	t := graph.NewTape(0, parts[:]...)
	x := make([]float64, d.paramVar(len(d.parameters)))
	for trial := range 4 {
		for j, p := range d.parameters { // irrational multiples, so that nothing cancels by chance
			x[d.paramVar(j)] = p.Default * (1 + float64(float64(trial)*math.Mod(math.Sqrt(float64(j+2)), 1)))
			if p.Default == 0 {
				x[d.paramVar(j)] = float64(trial) * math.Sqrt(float64(j+2))
			}
		}
		var v [4]float64
		t.Run(x, make([]float64, t.Len()), v[:])
		const rounding = 1e-12 // of the products: a few operations, each rounded to 1e-16
		one, two := float64(v[0]*v[3]), float64(v[1]*v[2])
		if !(math.Abs(one-two) <= rounding*(math.Abs(one)+math.Abs(two))) || v[2] == 0 {
			return nil
		}
	}
	return d.Div(parts[0], parts[2])
}
