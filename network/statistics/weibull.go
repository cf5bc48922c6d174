package statistics

import (
	"errors"
	"math"
)

// Share is Of cases with an outcome out of N.
type Share struct{ Of, N int }

// P is Of/N; NaN if N is 0.
func (s Share) P() float64 { return float64(s.Of) / float64(s.N) }

// Interval is Wilson's 95 % confidence interval of the probability of the outcome (Wilson, J. Am. Stat. Assoc. 22:209
// (1927)).
func (s Share) Interval() (low, high float64) {
	const z = 1.959963984540054 // of the normal distribution, 2.5 % are above
	n, p := float64(s.N), s.P()
	centre, half := p+z*z/(2*n), float64(z*math.Sqrt(p*(1-p)/n+z*z/(4*n*n)))
	return max(0, (centre-half)/(1+z*z/n)), min(1, (centre+half)/(1+z*z/n))
}

// Weibull is a psychometric function of a choice between two,
//
//	p(x) = 1 - exp(-(x/Alpha)^Beta)/2,
//
// the share of right choices at the strength x of the evidence: 1/2 at 0, 0.816 at Alpha (Quick, Kybernetik 16:65
// (1974)). The intervals are 95 % confidence intervals by the profile of the likelihood: they end where the best fit
// with that parameter is less likely by 1.92 in the logarithm. An end that lies outside a factor of 1e3 is 0 or +Inf.
type Weibull struct {
	Alpha, Beta                 float64
	AlphaInterval, BetaInterval [2]float64
}

// At is the probability of a right choice at x.
func (w Weibull) At(x float64) float64 {
	return 1 - float64(0.5*math.Exp(-math.Pow(x/w.Alpha, w.Beta)))
}

// FitWeibull finds the Weibull function under which shares of right choices at strengths x are most likely. It needs
// shares at two different strengths above 0 at least, not all of which are 1, nor all at most 1/2.
func FitWeibull(x []float64, shares []Share) (Weibull, error) {
	f := weibullFit{x: x, shares: shares}
	least, most, wrong, better := math.Inf(1), 0.0, 0, false
	for i, s := range shares {
		if x[i] > 0 && s.N > 0 {
			least, most, wrong = min(least, x[i]), max(most, x[i]), wrong+s.N-s.Of
			better = better || 2*s.Of > s.N
		}
	}
	if !(most > least) || wrong == 0 || !better {
		return Weibull{}, errors.New("shares that do not rise from 1/2 have no psychometric function")
	}
	const reach = 6.907755278982137 // ln 1000
	middle := float64(0.5 * (math.Log(least) + math.Log(most)))
	a0, a1, b0, b1 := middle-reach, middle+reach, -reach, reach
	byAlpha := func(a float64) (likelihood, b float64) {
		b = highest(b0, b1, func(b float64) float64 { return f.likelihood(a, b) })
		return f.likelihood(a, b), b
	}
	byBeta := func(b float64) float64 {
		return f.likelihood(highest(a0, a1, func(a float64) float64 { return f.likelihood(a, b) }), b)
	}
	a := highest(a0, a1, func(a float64) float64 { l, _ := byAlpha(a); return l })
	best, b := byAlpha(a)
	const drop = 1.9207294103470494 // half the 95 % quantile of chi squared with one degree of freedom
	profile := func(a float64) float64 { l, _ := byAlpha(a); return l - best + drop }
	w := Weibull{Alpha: math.Exp(a), Beta: math.Exp(b)}
	w.AlphaInterval = [2]float64{edgeOf(a, a0, profile), edgeOf(a, a1, profile)}
	profile = func(b float64) float64 { return byBeta(b) - best + drop }
	w.BetaInterval = [2]float64{edgeOf(b, b0, profile), edgeOf(b, b1, profile)}
	return w, nil
}

type weibullFit struct {
	x      []float64
	shares []Share
}

// likelihood is the logarithm of the likelihood, but for a constant, at alpha = exp(a), beta = exp(b).
func (f *weibullFit) likelihood(a, b float64) float64 {
	sum := 0.0
	for i, s := range f.shares {
		if f.x[i] <= 0 || s.N == 0 {
			continue // 1/2 for all functions
		}
		z := math.Exp(math.Exp(b) * (math.Log(f.x[i]) - a))
		right, wrong := float64(s.Of), float64(s.N-s.Of)
		sum += float64(right*math.Log(1-float64(0.5*math.Exp(-z)))) - float64(wrong*min(z, 1e6))
	}
	return sum
}

// highest is where f is largest between lo and hi: at first by a lattice, as f is flat far away, then by golden
// sections.
func highest(lo, hi float64, f func(float64) float64) float64 {
	const cells = 28
	step := (hi - lo) / cells
	best, at := math.Inf(-1), lo
	for k := range cells + 1 {
		x := lo + float64(float64(k)*step)
		if y := f(x); y > best {
			best, at = y, x
		}
	}
	lo, hi = max(lo, at-step), min(hi, at+step)
	const golden = 0.6180339887498949
	x, y := hi-float64(golden*(hi-lo)), lo+float64(golden*(hi-lo))
	fx, fy := f(x), f(y)
	for hi-lo > 1e-9 {
		if fx >= fy {
			hi, y, fy = y, x, fx
			x = hi - float64(golden*(hi-lo))
			fx = f(x)
		} else {
			lo, x, fx = x, y, fy
			y = lo + float64(golden*(hi-lo))
			fy = f(y)
		}
	}
	return 0.5 * (lo + hi)
}

// edgeOf is the exponential of where f, above 0 at a, falls to 0 on the way to far; 0 or +Inf where it does not.
func edgeOf(a, far float64, f func(float64) float64) float64 {
	if f(far) > 0 {
		if far < a {
			return 0
		}
		return math.Inf(1)
	}
	for math.Abs(far-a) > 1e-7 {
		if m := 0.5 * (a + far); f(m) > 0 {
			a = m
		} else {
			far = m
		}
	}
	return math.Exp(0.5 * (a + far))
}
