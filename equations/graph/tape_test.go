package graph

import (
	"math"
	"testing"
)

// TestAgain: a tape gives the same bits whether it computes all of its formulas or only what has changed.
func TestAgain(t *testing.T) {
	g := New()
	x, y, p := g.Var(0), g.Var(1), g.Var(2)
	f := g.Add(g.Mul(g.Func(Exp, g.Neg(x)), g.Pow(p, 3)), g.Div(g.Func(Exprel, g.Sub(y, p)), g.Func(Log, p)))
	tape := NewTape(3, f, g.Derivative(f, 0), g.Derivative(f, 2), g.Func(Sqrt, p))
	kept, fresh := make([]float64, tape.Len()), make([]float64, tape.Len())
	got, want := make([]float64, 4), make([]float64, 4)
	tape.Run([]float64{0, 0, 1.5}, kept, got)
	for k := range 50 {
		v := []float64{math.Sin(float64(k)), 3 * math.Cos(float64(k)), 1.5}
		tape.Again(v[:2], kept, got)
		tape.Run(v, fresh, want)
		for j := range want {
			if got[j] != want[j] {
				t.Fatalf("formula %d at %v is %v, and %v computed anew", j, v, got[j], want[j])
			}
		}
	}
}
