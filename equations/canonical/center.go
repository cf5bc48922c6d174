package canonical

import (
	"math"

	"popsim/equations/graph"
)

// fromCenter is the offset of an exponent slope x + offset of a state x from what it is at slope times the distance of
// x from the state's center; exactly 0 if the exponent is 0 at the center.
func (f *Form) fromCenter(slope, offset float64, state int) float64 {
	center := f.Center[state]
	if center == zeroOf(slope, offset) {
		return 0
	}
	return math.FMA(slope, center, offset)
}

// zeroOf is where slope x + offset is 0.
func zeroOf(slope, offset float64) float64 { return -offset / slope }

// Centers returns, for each state at which w/(e^w - 1) in roots is 0/0, one value where it is: that of most.
func (f *Form) Centers(roots ...*graph.Node) map[int]float64 {
	counts, best := map[int]map[float64]int{}, map[int]float64{}
	graph.Each(func(n *graph.Node) {
		if n.Kind != graph.Exprel {
			return
		}
		slope, offset, state, affine := f.Affine(n.Args[0])
		if !affine {
			return
		}
		c := counts[state]
		if c == nil {
			c = map[float64]int{}
			counts[state] = c
		}
		at := zeroOf(slope, offset)
		if c[at]++; c[at] > c[best[state]] {
			best[state] = at
		}
	}, roots...)
	return best
}

// Limits of what e - 1 may stand for. e = (e - 1) + 1 loses digits where it is small: 1e-16/e relative to itself, or,
// in 1 + c e, 1e-16 c; (1 + c (e - 1)) - 1 is also divided by the least w of w/(e^w - 1) that needs no series, 1/128.
const (
	leastExponent = -12  // of an e that is a factor: an error of 3e-11
	largestFactor = 1000 // c
	largestOffset = 5    // of a denominator: an error of 4e-12
)

// KeepsDigits reports whether the exponentials of a state between lo and hi may be computed as e - 1 with e = 1 at the
// center, in what the sums need. size is about the size of a coefficient.
func (f *Form) KeepsDigits(state int, lo, hi float64, size func(*graph.Node) float64, sums ...*Sum) bool {
	lo, hi = lo-f.Center[state], hi-f.Center[state]
	keeps := true
	seen := map[*Sum]bool{}
	var visit func(s *Sum)
	visit = func(s *Sum) {
		if seen[s] {
			return
		}
		seen[s] = true
		for _, t := range s.Terms {
			for _, x := range t.Product {
				if x.Slope != 0 && x.State == state {
					alone := len(t.Product) == 1 && x.Power == 1 && size(t.Coef) <= largestFactor*size(s.Constant)
					keeps = keeps && (alone || x.keepsDigits(lo, hi))
				}
				for _, a := range x.Args {
					visit(a)
				}
			}
		}
	}
	for _, s := range sums {
		visit(s)
	}
	return keeps
}

// keepsDigits is KeepsDigits for a factor.
func (a *Atom) keepsDigits(lo, hi float64) bool {
	if a.Node.Kind != graph.Exp { // a numerator or denominator
		return math.Abs(a.Offset) <= largestOffset
	}
	return min(a.Slope*lo, a.Slope*hi) >= leastExponent
}
