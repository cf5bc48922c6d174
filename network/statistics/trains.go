package statistics

import (
	"math"
)

// Estimate is a measure with its standard error. Both are NaN where there are too few data.
type Estimate struct{ Value, SE float64 }

var undefined = Estimate{math.NaN(), math.NaN()}

// Intervals returns the inter-spike intervals of ascending times.
func Intervals(times []float64) []float64 {
	var d []float64
	for k := 1; k < len(times); k++ {
		d = append(d, times[k]-times[k-1])
	}
	return d
}

// Counts returns the numbers of spikes in the whole bins of a length from one time to another.
func Counts(times []float64, from, to, bin float64) []float64 {
	counts := make([]float64, int64((to-from)/bin+edge))
	for _, t := range times {
		if k := math.Floor((t-from)/bin + edge); k >= 0 && int(k) < len(counts) {
			counts[int(k)]++
		}
	}
	return counts
}

// CV is the coefficient of variation of intervals: the standard deviation, of squares over their number less one, over
// the mean. The error takes intervals for independent.
func CV(intervals []float64) Estimate {
	return jackknife(intervals, 3, func(n, sum, square float64) float64 {
		mean := sum / n
		return math.Sqrt(max(0, (square-float64(float64(n*mean)*mean))/(n-1))) / mean
	})
}

// CV2 is the mean of 2|b-a|/(a+b) over adjacent intervals a and b (Holt et al., J. Neurophysiol. 75:1806 (1996)), which
// a rate that changes slowly does not raise. The error takes into account that adjacent terms share an interval.
func CV2(intervals []float64) Estimate {
	if len(intervals) < 3 {
		return undefined
	}
	terms := make([]float64, len(intervals)-1)
	for k := range terms {
		a, b := intervals[k], intervals[k+1]
		terms[k] = 2 * math.Abs(b-a) / (a + b)
	}
	var s scatter
	for _, x := range terms {
		s.add(x)
	}
	mean, se := s.mean()
	covariance := 0.0 // of neighbours
	for k := 1; k < len(terms); k++ {
		covariance += (terms[k-1] - mean) * (terms[k] - mean) / s.n
	}
	return Estimate{mean, math.Sqrt(max(0, float64(se*se)+2*covariance/s.n))}
}

// Fano is the variance of counts, of squares over their number less one, over their mean. The error takes bins for
// independent.
func Fano(counts []float64) Estimate {
	return jackknife(counts, 3, func(n, sum, square float64) float64 {
		mean := sum / n
		return (square - float64(float64(n*mean)*mean)) / (n - 1) / mean
	})
}

// jackknife estimates a function of the sums of numbers and of their squares, with the error from leaving out one at a
// time (Efron & Tibshirani, An Introduction to the Bootstrap (1993), chapter 11).
func jackknife(x []float64, least int, f func(n, sum, square float64) float64) Estimate {
	if len(x) < least {
		return undefined
	}
	n, sum, square := float64(len(x)), 0.0, 0.0
	for _, v := range x {
		sum += v
		square += float64(v * v)
	}
	var s scatter
	for _, v := range x {
		s.add(f(n-1, sum-v, square-float64(v*v)))
	}
	return Estimate{f(n, sum, square), s.deviation() * (n - 1) / math.Sqrt(n)}
}

// Correlation is Pearson's coefficient of two lists of counts of equal length. The error is that of normal numbers,
// (1-r²)/sqrt(n-1).
func Correlation(a, b []float64) Estimate {
	n := float64(len(a))
	if len(a) != len(b) || len(a) < 3 {
		return undefined
	}
	var sa, sb, saa, sbb, sab float64
	for k := range a {
		sa, sb = sa+a[k], sb+b[k]
	}
	for k := range a {
		x, y := a[k]-sa/n, b[k]-sb/n
		saa, sbb, sab = saa+float64(x*x), sbb+float64(y*y), sab+float64(x*y)
	}
	r := sab / math.Sqrt(saa*sbb)
	return Estimate{r, (1 - float64(r*r)) / math.Sqrt(n-1)}
}

// Locking is a measure of the locking of spikes to a rhythm.
type Locking struct {
	Strength Estimate // 0: not at all, 1: all at the same phase
	Phase    float64  // mean phase, radians from -pi to pi; 0 is the start of a period
	P        float64  // probability of a strength at least as large without locking (Rayleigh test)
}

// VectorStrength is the length of the mean of exp(2 pi i t/period) over spikes (Goldberg & Brown, J. Neurophysiol.
// 32:613 (1969)). The error is the asymptotic one of a mean resultant length, and P that of the Rayleigh test (Mardia &
// Jupp, Directional Statistics (2000), sections 4.8.1 and 6.3.1).
func VectorStrength(times []float64, period float64) Locking {
	n := float64(len(times))
	if n < 2 {
		return Locking{undefined, math.NaN(), math.NaN()}
	}
	moment := func(order float64) (length, angle float64) {
		var c, s float64
		for _, t := range times {
			sin, cos := math.Sincos(order * 2 * math.Pi * math.Mod(t, period) / period)
			c, s = c+cos/n, s+sin/n
		}
		return min(1, math.Hypot(c, s)), math.Atan2(s, c)
	}
	r, phase := moment(1)
	length, angle := moment(2)
	second := float64(length * math.Cos(angle-2*phase)) // of angles from the mean phase
	z := float64(n * float64(r*r))
	p := math.Exp(-z) * (1 + (2*z-float64(z*z))/(4*n))
	return Locking{
		Strength: Estimate{r, math.Sqrt(max(0, (1+second-2*float64(r*r))/(2*n)))}, Phase: phase, P: min(1, max(0, p)),
	}
}

// Average is a spike-triggered average: the mean of a signal around spikes, with its error, by lag.
type Average struct {
	Lag    []float64 // ms, of the starts of samples; 0 is the sample that holds the spike
	Mean   []float64
	SE     []float64
	Spikes int // those whose surroundings lie within the signal
}

// TriggeredAverage is the spike-triggered average of a signal of which sample k covers [k dt, (k+1) dt) ms, over so
// many samples before and after that of the spike. The error takes spikes for independent.
func TriggeredAverage(signal []float64, dt float64, times []float64, before, after int) Average {
	a := Average{}
	sums := make([]scatter, before+after+1)
	for _, t := range times {
		k := int(math.Floor(t/dt + edge))
		if k-before < 0 || k+after >= len(signal) {
			continue
		}
		a.Spikes++
		for j := range sums {
			sums[j].add(signal[k-before+j])
		}
	}
	for j := range sums {
		mean, se := sums[j].mean()
		a.Lag, a.Mean, a.SE = append(a.Lag, float64(j-before)*dt), append(a.Mean, mean), append(a.SE, se)
	}
	return a
}
