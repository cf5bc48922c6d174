package dynamics

import "math"

// root finds a zero of f between lo and hi, where f has different signs, to the last bit. Each round takes the secant,
// projected towards the middle so that the bracket at least halves as bisection would do (Oliveira & Takahashi, ACM
// Trans. Math. Softw. 47:5, 2021). If hi - lo overflows the result is NaN.
func root(f func(float64) float64, lo, hi float64) float64 {
	flo, fhi := f(lo), f(hi)
	switch {
	case flo == 0:
		return lo
	case fhi == 0:
		return hi
	}
	width := hi - lo
	for k := 0; ; k++ {
		mid := lo + (hi-lo)/2
		if !(mid > min(lo, hi) && mid < max(lo, hi)) {
			return mid
		}
		x := mid
		if k%3 != 2 { // every third round is plain bisection, against flat stretches
			secant := (fhi*lo - flo*hi) / (fhi - flo)
			towards := math.Copysign(0.2*math.Abs(hi-lo)*math.Abs((hi-lo)/width), mid-secant)
			if x = secant + towards; math.Abs(towards) > math.Abs(mid-secant) || math.IsNaN(x) {
				x = mid
			}
			if x <= min(lo, hi) || x >= max(lo, hi) {
				x = mid
			}
		}
		fx := f(x)
		switch {
		case fx == 0:
			return x
		case (fx > 0) == (flo > 0):
			lo, flo = x, fx
		default:
			hi, fhi = x, fx
		}
	}
}

// spread lists n values from lo to hi, both included to the last bit.
func spread(lo, hi float64, n int) []float64 {
	list := make([]float64, n)
	for k := range list {
		list[k] = lo + (hi-lo)*float64(k)/float64(n-1)
	}
	list[n-1] = hi
	return list
}
