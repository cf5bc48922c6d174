package equations

import (
	"math"

	"popsim/equations/canonical"
	"popsim/equations/graph"
	"popsim/expression"
	"popsim/kernels/vec"
)

// multiples are the powers of the common base of the exponentials of a state, by their exponents: e^(n unit u), or, if
// less is set, e^(n unit u) - 1, which keeps its digits near u = 0.
type multiples struct {
	u    vec.Vec // base/unit times the distance of the state from its center
	unit float64
	less bool
	of   map[int]vec.Vec
}

// shareLimit bounds the exponents of exponentials that share one: products of four of them are numbers.
const shareLimit = 150

// Rates whose exponentials share one are computed at V between voltageLow and voltageHigh (mV). Exponents of the base
// up to withinLimit need no reduction; larger ones are halved at most mostHalvings times and the exponential squared.
const (
	voltageLow   = -200
	voltageHigh  = 150
	withinLimit  = 0.75
	mostHalvings = 4
)

var voltage = expression.UnitDimension("mV")

// exponential is that of a multiple of a state: a power of the base that all of that state share, if they do.
func (r *recording) exponential(a *canonical.Atom) vec.Vec {
	e := r.exponentials[a.State]
	m, shares := e.Multiples[a]
	if !shares {
		return r.ExpClamped(r.sum(a.Args[0]))
	}
	p := r.base(a.State)
	v := p.of[max(m, -m)]
	if p.less {
		v = r.Add(v, r.Const(1))
	}
	if m < 0 != e.Negative {
		return r.Div(r.Const(1), v)
	}
	return v
}

// base computes the powers of the common base of the exponentials of a state.
func (r *recording) base(state int) *multiples {
	if p := r.bases[state]; p != nil {
		return p
	}
	e := r.exponentials[state]
	base, center := e.Base, r.form.Center[state]
	if e.Negative { // The base has the sign of most exponents, so that few of them need a division.
		base = -base
	}
	lo, hi, halvings := r.reach(state)
	y := r.Min(r.Const(hi), r.Max(r.Const(lo), r.variable(state)))
	p := &multiples{less: r.centered(state), of: map[int]vec.Vec{}}
	r.bases[state] = p
	base /= float64(int(1) << max(halvings, 0))
	ends := []float64{float64(base * (lo - center)), float64(base * (hi - center))}
	least, most := min(ends[0], ends[1]), max(ends[0], ends[1])
	sum := func(a, b vec.Vec) vec.Vec { // the multiple that is the sum of two
		if p.less { // (1 + a)(1 + b) - 1
			return r.FMA(a, b, r.Add(a, b))
		}
		return r.Mul(a, b)
	}
	var v vec.Vec
	switch {
	case p.less:
		slope, offset := neverZero(base, float64(-base*center))
		p.u = r.FMA(y, r.Const(slope), r.Const(offset))
		v = r.Expm1Within(p.u, least, most)
	case halvings >= 0:
		v = r.ExpWithin(r.Mul(y, r.Const(base)), least, most)
	default:
		v = r.Exp(r.Mul(y, r.Const(base)))
	}
	for range halvings {
		v = sum(v, v)
	}
	p.of[1], p.unit = v, float64(int(1)<<max(halvings, 0))
	for _, n := range e.Chain {
		p.of[n.Sum] = sum(p.of[n.A], p.of[n.B])
	}
	return p
}

// reach is the range of a state in the exponentials that share one, and how often the exponent of their base is halved
// to need no reduction there; -1 where it is reduced.
func (c *compiled) reach(state int) (lo, hi float64, halvings int) {
	e, center := c.exponentials[state], c.form.Center[state]
	hi = shareLimit / e.Largest
	farthest := max(voltageHigh-center, center-voltageLow)
	if c.states[state].dim == voltage && farthest < hi {
		for h := range mostHalvings + 1 {
			if math.Ldexp(farthest*e.Base, -h) <= withinLimit {
				return voltageLow, voltageHigh, h
			}
		}
	}
	return -hi, hi, -1
}

// centered reports whether the exponentials of a state are computed as e - 1, 0 at its center.
func (c *compiled) centered(state int) bool {
	_, ok := c.form.Center[state]
	return ok
}

// neverZero returns the slope and the offset by at most a few units of the last place other, so that slope x + offset
// is 0 for no number x.
func neverZero(slope, offset float64) (float64, float64) {
	if offset == 0 {
		offset = math.Copysign(0x1p-70, slope)
	}
	for math.FMA(slope, -offset/slope, offset) == 0 {
		slope = math.Nextafter(slope, math.Inf(1))
	}
	return slope, offset
}

// lessOne is e^x - 1 of an exponential a for which becomesLess holds.
func (r *recording) lessOne(a *canonical.Atom) vec.Vec {
	m := r.exponentials[a.State].Multiples[a]
	return r.base(a.State).of[max(m, -m)]
}

// isLess reports whether the exponential e of atom a comes from e - 1.
func (r *recording) isLess(a *canonical.Atom) bool {
	if a == nil || a.Node == nil || a.Node.Kind != graph.Exp || a.Slope == 0 || !r.centered(a.State) {
		return false
	}
	e := r.exponentials[a.State]
	m, shares := e.Multiples[a]
	return shares && m < 0 == e.Negative
}

// becomesLess reports whether term t, a number times an exponential e, is computed from e - 1 and a larger constant.
func (r *recording) becomesLess(t canonical.Term, constant *graph.Node) bool {
	return constant.Kind == graph.Const && constant.Value != 0 && t.Coef.Kind == graph.Const && len(t.Product) == 1 &&
		t.Product[0].Power == 1 && r.isLess(t.Product[0].Atom)
}

// atCenter reports whether w/(e^w - 1) of a numerator or denominator is 0/0 at the center of its state alone: w is then
// a multiple of an exponent that is never 0.
func (r *recording) atCenter(a *canonical.Atom) bool {
	return a.Slope != 0 && a.Offset == 0 && r.isLess(a.Base)
}

// numerator is w of w/(e^w - 1), 1 where that is near 0.
func (r *recording) numerator(a *canonical.Atom) vec.Vec {
	if r.atCenter(a) {
		m, p := r.exponentials[a.State].Multiples[a.Base], r.base(a.State)
		return r.Mul(p.u, r.Const(p.unit*float64(max(m, -m))))
	}
	return r.Select(r.near(a.Args[0]), r.Const(1), r.sum(a.Args[0]))
}

// near is the mask of lanes in which the exponent w of w/(e^w - 1) is near 0.
func (r *recording) near(w *canonical.Sum) vec.Mask {
	m, ok := r.nears[w.Key()]
	if !ok {
		m = r.Cmp(r.Abs(r.sum(w)), vec.LT, r.Const(1.0/128))
		r.nears[w.Key()] = m
	}
	return m
}

// expm1 is the denominator of w/(e^w - 1): e^w - 1, from the exponential of slope y where there is one. Near 0, where
// that has lost its digits and the numerator is 1 instead of w, it is (e^w - 1)/w by its series, whose first term left
// out is w⁵/720, below 5e-14 for |w| < 1/128.
func (r *recording) expm1(a *canonical.Atom) vec.Vec {
	if r.atCenter(a) {
		return r.lessOne(a.Base)
	}
	w := r.sum(a.Args[0])
	var far vec.Vec
	switch e := math.Exp(a.Offset); {
	case r.isLess(a.Base):
		far = r.FMA(r.lessOne(a.Base), r.Const(e), r.Const(e-1))
	case a.Slope != 0:
		far = r.FMA(r.exponential(a.Base), r.Const(e), r.Const(-1))
	default:
		far = r.Expm1(w)
	}
	return r.Select(r.near(a.Args[0]), r.Horner(w, 1, 1.0/2, 1.0/6, 1.0/24, 1.0/120), far)
}
