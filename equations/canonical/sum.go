// Package canonical converts formulas to the form in which vector code of them is short: sums of coefficients times
// products of whole powers of atoms. A coefficient is constant from step to step, and is computed once for each neuron;
// atoms change: a state, a function, a sum that is a factor or a denominator. Denominators are cleared: a sum that is
// divided by is multiplied by the denominators in it first, so that a/(a + b) with a = N/D is N/(N + b D), one
// division.
package canonical

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"popsim/equations/graph"
)

// An Atom is a factor of products. Equal atoms have the same pointer.
type Atom struct {
	Node *graph.Node // a variable, or a function whose arguments are Args; nil of a sum, Args[0]
	Args []*Sum
	// Of exponentials of Slope times the distance of a state from its center, plus an Offset, both numbers: see
	// Exponentials. Else Slope is 0. Base is the exponential without the offset in a Numerator or Denominator.
	Slope, Offset float64
	State         int
	Base          *Atom
	id            int
}

// A Factor is a power of an atom; the exponent is not 0.
type Factor struct {
	*Atom
	Power int
}

// A Product is the product of its factors, ordered by the creation of their atoms; an empty one is 1.
type Product []Factor

// A Term is a coefficient times a product.
type Term struct {
	Coef *graph.Node
	Product
}

// A Sum is Constant plus its terms, which are ordered by their products.
type Sum struct {
	Constant *graph.Node
	Terms    []Term
	key      string
}

// Form converts the formulas of a graph to sums. An expression without dynamic variables is a coefficient.
type Form struct {
	*graph.Graph
	Dynamic uint64
	Center  map[int]float64 // values of states from which their exponentials count; 0 of those it does not hold
	Scaled  bool            // whether sums that are factors are divided by one of their coefficients
	atoms   map[string]*Atom
	list    []*Atom
	memo    map[*graph.Node]*Sum
	overs   map[[2]*graph.Node]*Fractions
}

// Fractions are two formulas as sums over a common denominator.
type Fractions struct {
	Over  [2]*Sum
	Under *Sum
}

// Fractions returns a and b over a common denominator.
func (f *Form) Fractions(a, b *graph.Node) *Fractions {
	key := [2]*graph.Node{a, b}
	if x := f.overs[key]; x != nil {
		return x
	}
	s, t := f.Of(a), f.Of(b)
	d := denominator(&Sum{Terms: slices.Concat(s.Terms, t.Terms)})
	x := &Fractions{[2]*Sum{f.cleared(s, d), f.cleared(t, d)}, f.expanded(d)}
	f.overs[key] = x
	return x
}

// New makes an empty form.
func New(g *graph.Graph, dynamic uint64) *Form {
	return &Form{
		Graph: g, Dynamic: dynamic, atoms: map[string]*Atom{}, memo: map[*graph.Node]*Sum{},
		overs: map[[2]*graph.Node]*Fractions{},
	}
}

// Atoms lists the atoms in the order of their creation.
func (f *Form) Atoms() []*Atom { return f.list }

func (p Product) key() string {
	var b strings.Builder
	for _, x := range p {
		fmt.Fprintf(&b, "%d^%d ", x.id, x.Power)
	}
	return b.String()
}

// Key is the same for equal products alone.
func (p Product) Key() string { return p.key() }

// Is reports whether s is the number x.
func (s *Sum) Is(x float64) bool { return len(s.Terms) == 0 && s.Constant.Is(x) }

// Key is the same for equal sums alone.
func (s *Sum) Key() string { return s.key }

func newSum(constant *graph.Node, terms []Term) *Sum {
	slices.SortStableFunc(terms, func(a, b Term) int { return compare(a.Product, b.Product) })
	var b strings.Builder
	fmt.Fprintf(&b, "%d", constant.ID())
	for _, t := range terms {
		fmt.Fprintf(&b, "+%d*%s", t.Coef.ID(), t.key())
	}
	return &Sum{constant, terms, b.String()}
}

func compare(a, b Product) int {
	return slices.CompareFunc(a, b, func(x, y Factor) int {
		if x.id != y.id {
			return x.id - y.id
		}
		return x.Power - y.Power
	})
}

func (f *Form) constant(n *graph.Node) *Sum { return newSum(n, nil) }

func (f *Form) product(coef *graph.Node, p Product) *Sum {
	return newSum(f.Const(0), []Term{{coef, p}})
}

// atom returns the atom of a key; if there is none it is made from a.
func (f *Form) atom(key string, a Atom) *Atom {
	if x := f.atoms[key]; x != nil {
		return x
	}
	a.id = len(f.list)
	f.atoms[key] = &a
	f.list = append(f.list, &a)
	return &a
}

// add is a + scale b.
func (f *Form) add(a, b *Sum, scale *graph.Node) *Sum {
	at := map[string]int{}
	terms := slices.Clone(a.Terms)
	for i, t := range terms {
		at[t.key()] = i
	}
	for _, t := range b.Terms {
		coef := f.Mul(scale, t.Coef)
		if i, ok := at[t.key()]; ok {
			terms[i].Coef = f.Add(terms[i].Coef, coef)
		} else {
			terms = append(terms, Term{coef, t.Product})
		}
	}
	terms = slices.DeleteFunc(terms, func(t Term) bool { return t.Coef.Is(0) })
	return newSum(f.Add(a.Constant, f.Mul(scale, b.Constant)), terms)
}

func (f *Form) scaled(a *Sum, scale *graph.Node) *Sum { return f.add(f.constant(f.Const(0)), a, scale) }

func multiply(a, b Product) (r Product) {
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].id < b[0].id:
			r, a = append(r, a[0]), a[1:]
		case len(a) == 0 || b[0].id < a[0].id:
			r, b = append(r, b[0]), b[1:]
		default:
			if n := a[0].Power + b[0].Power; n != 0 {
				r = append(r, Factor{a[0].Atom, n})
			}
			a, b = a[1:], b[1:]
		}
	}
	return r
}

func (p Product) power(n int) Product {
	r := slices.Clone(p)
	for i := range r {
		r[i].Power *= n
	}
	return r
}

// single makes one term of s: a sum becomes an atom, cleared of its denominators.
func (f *Form) single(s *Sum) (coef *graph.Node, p Product) {
	switch {
	case len(s.Terms) == 0:
		return s.Constant, nil
	case len(s.Terms) == 1 && s.Constant.Is(0):
		return s.Terms[0].Coef, s.Terms[0].Product
	}
	d := denominator(s)
	if len(d) > 0 {
		if s = f.cleared(s, d); len(s.Terms) == 1 && s.Constant.Is(0) {
			return s.Terms[0].Coef, multiply(s.Terms[0].Product, d.power(-1))
		}
	}
	coef = f.Const(1)
	if f.Scaled {
		s, coef = f.leading(s)
	}
	a := f.atom("sum "+s.key, Atom{Args: []*Sum{s}})
	return coef, multiply(Product{{a, 1}}, d.power(-1))
}

// leading is s divided by the coefficient of its first product, if that is a number: a quotient a/(a + b) then needs it
// once. A product of one factor keeps its coefficient beside a constant, to which one operation adds it.
func (f *Form) leading(s *Sum) (scaled *Sum, coef *graph.Node) {
	const smallest, largest = 1e-100, 1e100
	for _, t := range s.Terms {
		size := math.Abs(t.Coef.Value)
		if t.Coef.Kind != graph.Const || size < smallest || size > largest || len(t.Product) < 2 && !s.Constant.Is(0) {
			continue
		}
		terms := slices.Clone(s.Terms)
		for i := range terms {
			terms[i].Coef = f.Div(terms[i].Coef, t.Coef)
		}
		return newSum(f.Div(s.Constant, t.Coef), terms), t.Coef
	}
	return s, f.Const(1)
}

// denominator is the least product that makes all powers in s positive.
func denominator(s *Sum) (d Product) {
	for _, t := range s.Terms {
		for _, x := range t.Product {
			has := 0
			for _, y := range d {
				if y.Atom == x.Atom {
					has = y.Power
				}
			}
			if need := -x.Power - has; need > 0 {
				d = multiply(d, Product{{x.Atom, need}})
			}
		}
	}
	return d
}

// cleared is s times d; sums that are the only factor of a product are multiplied out.
func (f *Form) cleared(s *Sum, d Product) *Sum {
	r := f.constant(f.Const(0))
	if !s.Constant.Is(0) {
		r = f.add(r, f.expanded(d), s.Constant)
	}
	for _, t := range s.Terms {
		r = f.add(r, f.expanded(multiply(t.Product, d)), t.Coef)
	}
	return r
}

// expanded is a product as a sum.
func (f *Form) expanded(p Product) *Sum {
	switch {
	case len(p) == 0:
		return f.constant(f.Const(1))
	case len(p) == 1 && p[0].Power == 1 && p[0].Node == nil:
		return p[0].Args[0]
	}
	return f.product(f.Const(1), p)
}

func (f *Form) multiplied(a, b *Sum) *Sum {
	if len(a.Terms) == 0 {
		return f.scaled(b, a.Constant)
	}
	if len(b.Terms) == 0 {
		return f.scaled(a, b.Constant)
	}
	ca, pa := f.single(a)
	cb, pb := f.single(b)
	return f.scaled(f.expanded(multiply(pa, pb)), f.Mul(ca, cb))
}

func (f *Form) inverse(a *Sum) *Sum {
	c, p := f.single(a)
	c = f.Div(f.Const(1), c)
	if len(p) == 0 {
		return f.constant(c)
	}
	return f.product(c, p.power(-1))
}

// Of is n as a sum.
func (f *Form) Of(n *graph.Node) *Sum {
	if !n.Among(f.Dynamic) {
		return f.constant(n)
	}
	if s := f.memo[n]; s != nil {
		return s
	}
	s := f.of(n)
	f.memo[n] = s
	return s
}

func (f *Form) of(n *graph.Node) *Sum {
	args := make([]*Sum, len(n.Args))
	for i, a := range n.Args {
		args[i] = f.Of(a)
	}
	one := f.Const(1)
	switch n.Kind {
	case graph.Add:
		return f.add(args[0], args[1], one)
	case graph.Sub:
		return f.add(args[0], args[1], f.Const(-1))
	case graph.Neg:
		return f.scaled(args[0], f.Const(-1))
	case graph.Mul:
		return f.multiplied(args[0], args[1])
	case graph.Div:
		return f.multiplied(args[0], f.inverse(args[1]))
	case graph.Pow:
		c, p := f.single(args[0])
		return f.product(f.Pow(c, n.Index), p.power(n.Index))
	case graph.Exp, graph.Exprel:
		return f.exponential(n, args[0])
	}
	return f.function(n, args)
}

// function is an atom of a function, or a variable.
func (f *Form) function(n *graph.Node, args []*Sum) *Sum {
	key := fmt.Sprintf("%d/%d", n.Kind, n.Index)
	for _, a := range args {
		key += " " + a.key
	}
	return f.product(f.Const(1), Product{{f.atom(key, Atom{Node: n, Args: args}), 1}})
}
