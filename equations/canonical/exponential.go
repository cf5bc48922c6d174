package canonical

import (
	"fmt"
	"math"
	"math/big"
	"slices"

	"popsim/equations/graph"
)

// Numerator and Denominator are kinds of atoms beside those of graph: w/(e^w - 1) is the quotient of the two, w and
// e^w - 1 except near w = 0, where they are 1 and (e^w - 1)/w.
const (
	Numerator   graph.Kind = 200
	Denominator graph.Kind = 201
)

// maxOffset bounds what e^offset may multiply; maxMultiple is the longest chain of products: an error of 1e-16 grows by
// it at most.
const (
	maxOffset   = 40
	maxMultiple = 160
)

// exponential is e^x, or x/(e^x - 1). If x is a number times one state plus a number, e^x is a number times an
// exponential of the state's distance from its center alone, so that all exponentials of a state can share one.
func (f *Form) exponential(n *graph.Node, x *Sum) *Sum {
	slope, offset, state, affine := f.Affine(n.Args[0])
	var base *Atom
	if affine {
		offset = f.fromCenter(slope, offset, state)
		affine = math.Abs(offset) < maxOffset
	}
	if affine {
		e := f.Mul(f.Const(slope), f.Sub(f.Var(state), f.Const(f.Center[state])))
		base = f.atom(fmt.Sprintf("exp %d %v", state, slope), Atom{
			Node: f.Func(graph.Exp, e), Args: []*Sum{f.Of(e)}, Slope: slope, State: state,
		})
	}
	switch {
	case n.Kind == graph.Exp && affine:
		return f.product(f.Const(math.Exp(offset)), Product{{base, 1}})
	case n.Kind == graph.Exp:
		return f.function(n, []*Sum{x})
	}
	w := Atom{Node: &graph.Node{Kind: Numerator}, Args: []*Sum{x}}
	e := Atom{Node: &graph.Node{Kind: Denominator}, Args: []*Sum{x}}
	if affine {
		e.Slope, e.Offset, e.State, e.Base = slope, offset, state, base
		w.Slope, w.Offset, w.State, w.Base = slope, offset, state, base
	}
	over, under := f.atom("numerator "+x.key, w), f.atom("denominator "+x.key, e)
	return f.product(f.Const(1), multiply(Product{{over, 1}}, Product{{under, -1}}))
}

// Affine reports whether n is slope times one variable plus offset, both numbers that do not depend on parameters.
func (f *Form) Affine(n *graph.Node) (slope, offset float64, variable int, ok bool) {
	variable = -1
	for i := range graph.MaxDynamic {
		if n.DependsOn(i) {
			if variable >= 0 {
				return 0, 0, 0, false
			}
			variable = i
		}
	}
	if variable < 0 {
		return 0, 0, 0, false
	}
	d, z := f.Derivative(n, variable), f.Substitute(n, variable, f.Const(0))
	if d.Kind != graph.Const || z.Kind != graph.Const || d.Value == 0 || math.IsInf(d.Value, 0) || math.IsInf(z.Value, 0) {
		return 0, 0, 0, false
	}
	return d.Value, z.Value, variable, d.Value == d.Value && z.Value == z.Value
}

// Exponentials are the exponentials of one state by a common base: that of atom i is the base to the power
// Multiples[i].
type Exponentials struct {
	Base      float64 // slope of the base, which is 1/(ms or mV ...)
	Multiples map[*Atom]int
	Largest   float64 // of the slopes, without sign
	Negative  bool    // whether the base is that of -Base: most multiples are negative
	Chain     []Link  // products that give all multiples, without sign
}

// A Link is a multiple that is the sum of two that are there.
type Link struct{ Sum, A, B int }

// chain finds products for all multiples, from the smallest on: as the sum of two earlier ones, else of the largest
// earlier one and the rest, else of its half twice.
func chain(multiples []int) (links []Link) {
	have := []int{1}
	var reach func(n int)
	reach = func(n int) {
		if slices.Contains(have, n) {
			return
		}
		a := 0
		for _, x := range have {
			if slices.Contains(have, n-x) {
				a = max(a, x)
			}
		}
		if a == 0 {
			a = n / 2
			for _, x := range have {
				if n%2 == 1 && x < n && x > a {
					a = x
				}
			}
			reach(a)
			reach(n - a)
		}
		links, have = append(links, Link{n, a, n - a}), append(have, n)
	}
	slices.Sort(multiples)
	for _, n := range multiples {
		reach(n)
	}
	return links
}

// Exponentials finds the common base of the exponentials of a state; ok is false where there is none, or only one
// exponential.
func (f *Form) Exponentials(state int) (e Exponentials, ok bool) {
	var base *big.Rat
	var atoms []*Atom
	slopes := map[*Atom]*big.Rat{}
	for _, a := range f.list {
		if a.Slope == 0 || a.Node.Kind != graph.Exp || a.State != state {
			continue
		}
		r := rational(a.Slope)
		if r == nil {
			continue
		}
		atoms, slopes[a] = append(atoms, a), r
		e.Largest = max(e.Largest, math.Abs(a.Slope))
		if base == nil {
			base = new(big.Rat).Abs(r)
		} else {
			base = commonMeasure(base, r)
		}
	}
	if len(atoms) < 2 {
		return e, false
	}
	e.Base, _ = base.Float64()
	e.Multiples = map[*Atom]int{}
	negative := 0
	for _, a := range atoms {
		m, _ := new(big.Rat).Quo(slopes[a], base).Float64()
		if math.Abs(m) > maxMultiple {
			return e, false
		}
		e.Multiples[a] = int(math.Round(m))
		if m < 0 {
			negative++
		}
	}
	var all []int
	for _, a := range atoms {
		all = append(all, max(e.Multiples[a], -e.Multiples[a]))
	}
	e.Negative, e.Chain = 2*negative > len(atoms), chain(all)
	return e, true
}

// rational is a slope whose inverse is a decimal number of at most three digits behind the point, as slopes of rates
// are; nil of others.
func rational(x float64) *big.Rat {
	const digits = 1000
	inverse := 1 / x
	r := math.Round(inverse*digits) / digits
	if r == 0 || math.Abs(r) > 1e6 || !(math.Abs(inverse-r) < 1e-12*math.Abs(inverse)) {
		return nil
	}
	return new(big.Rat).SetFrac64(digits, int64(math.Round(r*digits)))
}

// commonMeasure is the greatest number of which both are whole multiples.
func commonMeasure(a, b *big.Rat) *big.Rat {
	a, b = new(big.Rat).Abs(a), new(big.Rat).Abs(b)
	num := new(big.Int).GCD(nil, nil, new(big.Int).Mul(a.Num(), b.Denom()), new(big.Int).Mul(b.Num(), a.Denom()))
	return new(big.Rat).SetFrac(num, new(big.Int).Mul(a.Denom(), b.Denom()))
}
