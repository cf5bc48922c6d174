package canonical_test

import (
	"fmt"

	"popsim/equations/canonical"
	"popsim/equations/graph"
)

// The steady state of a gate, alpha/(alpha + beta) with alpha = x/y, is x/(x + beta y): one division.
func ExampleForm_Of() {
	g := graph.New()
	x, y, beta := g.Var(0), g.Var(1), g.Var(2)
	alpha := g.Div(x, y)
	f := canonical.New(g, 0b11) // x and y change, beta is constant
	s := f.Of(g.Div(alpha, g.Add(alpha, beta)))
	for _, t := range s.Terms {
		for _, factor := range t.Product {
			if factor.Node == nil {
				fmt.Printf("sum of %d terms", len(factor.Args[0].Terms))
			} else {
				fmt.Printf("variable %d", factor.Node.Index)
			}
			fmt.Println(" to the power", factor.Power)
		}
	}
	// Output:
	// variable 0 to the power 1
	// sum of 2 terms to the power -1
}
