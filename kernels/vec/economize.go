package vec

import (
	"math"
	"math/big"
	"sync"
)

// expm1Error is the relative error of polynomials that are to be exact to rounding.
const expm1Error = 0x1p-55

// within is an interval, and the relative error allowed in it.
type within struct{ lo, hi, error float64 }

// expm1Tails holds what economized returned.
var expm1Tails sync.Map

func expm1Tail(w within) []float64 {
	if c, ok := expm1Tails.Load(w); ok {
		return c.([]float64)
	}
	c := economized(w)
	expm1Tails.Store(w, c)
	return c
}

// economized returns the coefficients of a polynomial q with e^x - 1 = x + x²q(x) for lo ≤ x ≤ hi, to a relative
// error: Taylor's series, from whose end terms are taken off by Chebyshev's polynomials of the interval as long as
// the error allows (Lanczos's economization). It is computed in numbers of 200 bits, so that it is the same everywhere.
func economized(w within) []float64 {
	const terms = 24 // of the series; the first one left out is below 1e-25 for |x| ≤ 1
	q := make([]*big.Float, terms)
	term := exactly(0.5)
	for k := range q { // 1/(k+2)!
		q[k] = new(big.Float).Copy(term)
		term.Quo(term, exactly(float64(k+3)))
	}
	middle, half := float64(w.lo+w.hi)/2, float64(w.hi-w.lo)/2
	// An error e of q is one of x²e in e^x - 1, which is x/2 or more.
	room := w.error / 2 / math.Max(-w.lo, w.hi)
	for len(q) > 1 {
		t := chebyshev(len(q)-1, middle, half)
		last := new(big.Float).Quo(q[len(q)-1], t[len(t)-1])
		size, _ := new(big.Float).Abs(last).Float64()
		if room -= size; room < 0 {
			break
		}
		for k := range t {
			q[k].Sub(q[k], new(big.Float).Mul(last, t[k]))
		}
		q = q[:len(q)-1]
	}
	c := make([]float64, len(q))
	for k := range q {
		c[k], _ = q[k].Float64()
	}
	return c
}

// exactly is x as a number of 200 bits.
func exactly(x float64) *big.Float { return new(big.Float).SetPrec(200).SetFloat64(x) }

// chebyshev returns the coefficients of Chebyshev's polynomial of degree n ≥ 1 of (x - middle)/half.
func chebyshev(n int, middle, half float64) []*big.Float {
	before, now := []*big.Float{exactly(1)}, []*big.Float{
		new(big.Float).Quo(exactly(-middle), exactly(half)), new(big.Float).Quo(exactly(1), exactly(half)),
	}
	first := now
	for range n - 1 { // T(k+1) = 2 T(1) T(k) - T(k-1)
		next := make([]*big.Float, len(now)+1)
		for k := range next {
			next[k] = exactly(0)
			if k < len(before) {
				next[k].Sub(next[k], before[k])
			}
			for j := range first {
				if i := k - j; i >= 0 && i < len(now) {
					product := new(big.Float).Mul(first[j], now[i])
					next[k].Add(next[k], product.Mul(product, exactly(2)))
				}
			}
		}
		before, now = now, next
	}
	return now
}
