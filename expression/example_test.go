package expression_test

import (
	"fmt"

	"popsim/expression"
)

// A formula with units: its dimension is checked before it is evaluated, and it is given in a unit that fits.
func ExampleExpr_In() {
	formula, err := expression.Parse("C/g_L + 0.5 ms")
	if err != nil {
		fmt.Println(err)
		return
	}
	dims := map[string]expression.Dimension{
		"C": expression.UnitDimension("pF"), "g_L": expression.UnitDimension("nS"),
	}
	values := map[string]float64{"C": 200, "g_L": 10} // in base units, of which those of neurons are made: pF, nS
	ms, err := expression.UnitOf("ms")
	if err != nil {
		fmt.Println(err)
		return
	}
	tau, err := formula.In(ms, dims, func(name string) float64 { return values[name] })
	fmt.Printf("%.4g ms %v\n", tau, err)
	// Output: 20.5 ms <nil>
}
