package canonical_test

import (
	"testing"

	"popsim/equations/canonical"
	"popsim/equations/graph"
)

// Of 3 x/(3 x + 6 y), scaled, no coefficient but one of y is left, exactly; beside a constant a single factor keeps its
// coefficient.
func TestScaled(t *testing.T) {
	g := graph.New()
	x, y := g.Var(0), g.Var(1)
	f := canonical.New(g, 0b11)
	f.Scaled = true
	a, b := g.Mul(g.Const(3), x), g.Mul(g.Const(6), y)
	s := f.Of(g.Div(a, g.Add(a, b)))
	if len(s.Terms) != 1 || !s.Terms[0].Coef.Is(1) || len(s.Terms[0].Product) != 2 {
		t.Fatalf("%+v", s)
	}
	sum := s.Terms[0].Product[1].Args[0]
	if len(sum.Terms) != 2 || !sum.Terms[0].Coef.Is(1) || !sum.Terms[1].Coef.Is(2) {
		t.Errorf("divided by %+v, want x + 2 y", sum)
	}
	s = f.Of(g.Div(y, g.Add(g.Const(1), a)))
	if sum := s.Terms[0].Product[1].Args[0]; sum == nil || !sum.Constant.Is(1) || !sum.Terms[0].Coef.Is(3) {
		t.Errorf("divided by %+v, want 1 + 3 x", sum)
	}
}
