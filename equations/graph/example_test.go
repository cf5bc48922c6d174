package graph_test

import (
	"fmt"

	"popsim/equations/graph"
)

// Equal formulas are one node, and the derivative of x²·y with respect to x is exact.
func ExampleGraph_Derivative() {
	g := graph.New()
	x, y := g.Var(0), g.Var(1)
	f := g.Mul(g.Pow(x, 2), y)
	fmt.Println(f == g.Mul(g.Pow(x, 2), y), graph.Value(g.Derivative(f, 0), []float64{3, 5}))
	// Output: true 30
}
