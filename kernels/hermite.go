package kernels

import "math"

// cubic is the Hermite interpolant over a step from its end values and its end slopes times the step: of the order of
// a fourth-order method.
type cubic struct{ a, b, c, d float64 } // a + x (b + x (c + x d)), 0 ≤ x ≤ 1

func hermite(y0, y1, d0, d1 float64) cubic {
	rise := y1 - y0
	return cubic{y0, d0, float64(3*rise) - float64(2*d0) - d1, d0 + d1 - float64(2*rise)}
}

func (p cubic) at(x float64) float64 {
	return math.FMA(x, math.FMA(x, math.FMA(x, p.d, p.c), p.b), p.a)
}

func (p cubic) slope(x float64) float64 {
	return math.FMA(x, math.FMA(x, float64(3*p.d), float64(2*p.c)), p.b)
}

// crossing is where p reaches level, given that level lies between p(0) and p(1): Newton's method kept inside a
// shrinking bracket.
func (p cubic) crossing(level float64) float64 {
	lo, hi := 0.0, 1.0
	rising := p.at(1) > p.at(0)
	x := (level - p.at(0)) / (p.at(1) - p.at(0))
	for range 60 {
		if !(x > lo && x < hi) {
			x = lo + float64((hi-lo)/2)
		}
		excess := p.at(x) - level
		if (excess < 0) == rising {
			lo = x
		} else {
			hi = x
		}
		next := x - excess/p.slope(x)
		if math.Abs(next-x) < 1e-9 || hi-lo < 1e-15 { // Newton squares the error: next is exact to rounding
			return min(max(next, lo), hi)
		}
		x = next
	}
	return x
}
