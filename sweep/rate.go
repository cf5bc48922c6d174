package sweep

import (
	"math"
	"slices"

	"popsim/model"
)

// The rate of a train is 1000 / mean interval after discard. Where the train repeats itself after p > 1 intervals, the
// mean is over whole periods: with n intervals the last n mod p are left out, since their mean is not that of a period.
//
// Besides the numerical error a rate has an error because the run is finite: how far it may be from the rate of a much
// longer run. It is 0 if every interval begins in the same state; else it is estimated from the intervals, see spread.

// wholeMean returns the mean interval (ms) after discard over whole periods; NaN without an interval.
func (c behaviour) wholeMean() float64 {
	n := c.train.Intervals()
	rest := int64(0)
	if c.period > 1 {
		if rest = n % int64(c.period); rest == n {
			rest = 0
		}
	}
	sum := float64(n) * c.train.Mean()
	for _, x := range c.late[len(c.late)-int(rest):] {
		sum -= x
	}
	return sum / float64(n-rest)
}

// Constants of the estimates of spread.
const (
	batches = 8 // number of stretches of an irregular train whose means are compared
	// half the 97.5 % quantile of Student's t for batches - 1 degrees of freedom: twice the error covers 95 %
	student    = 1.18
	fewest     = 8   // number of intervals below which the scatter of stretches cannot be measured
	unknown    = 1.0 // relative error of a rate that is based on a single interval
	slowFading = 0.8 // largest ratio of successive changes that is extrapolated
)

// spread estimates how far the mean interval m may be from that of a much longer run, relative to m.
func (c behaviour) spread(m float64) float64 {
	switch {
	case c.train.Intervals() == 0:
		return 0
	case c.model.Fires == model.Reset && len(c.model.States) == 1:
		// each interval begins at V_reset, and V is the only state
		return 0
	case c.how == endRest || c.how == endRunaway: // the train has ended: a longer run adds no spikes
		return 0
	case c.silence() > 1: // the train has ended or pauses: twice this error includes a rate of 0
		return unknown / 2
	case c.how == endSettled:
		return math.Abs(m/c.settled.mean - 1)
	}
	var buf [memory + 1]float64
	// also those before discard: they show a trend if few are left after it
	all := c.recent(memory, (*[memory]float64)(buf[:]))
	// the interval that the end of the run cut off is at least this long
	if open := c.end - c.train.Last(); open > m {
		all = append(all, open)
	}
	switch p := c.period; {
	case p > 0 && len(c.late) >= 2*p:
		return periodicSpread(c.late, p, m)
	case len(all) < fewest || len(c.late) < fewest:
		return shortSpread(all, m)
	}
	return irregularSpread(c.late, int(c.train.Intervals()), m)
}

// periodicSpread estimates the spread of a train whose last intervals x have period p and mean m over all of the train:
// the difference between m and the mean at the end, plus the change of the latter that is still to come, extrapolated
// from three stretches.
func periodicSpread(x []float64, p int, m float64) float64 {
	k := max(1, len(x)/3/p) * p
	last := mean(x[len(x)-min(k, len(x)):])
	spread := math.Abs(m/last - 1)
	switch {
	case len(x) >= 3*k:
		a, b := mean(x[len(x)-3*k:len(x)-2*k]), mean(x[len(x)-2*k:len(x)-k])
		spread += remaining(b-a, last-b) / last
	case len(x) >= 2*k:
		spread += remaining(math.Inf(1), last-mean(x[len(x)-2*k:len(x)-k])) / last
	}
	return spread
}

// remaining returns the change still to come of a quantity that changed by first and then, in an equal time, by second,
// if its changes continue to shrink by the same factor (Aitken).
func remaining(first, second float64) float64 {
	q := min(slowFading, math.Abs(second/first))
	if math.IsInf(first, 0) || math.IsNaN(q) {
		q = slowFading
	}
	return math.Abs(second) * q / (1 - q)
}

// shortSpread estimates the spread of a train of few intervals x and mean m: their range over their number, or the
// distance of m from the last, whichever is larger, plus half the last change.
func shortSpread(x []float64, m float64) float64 {
	n := len(x)
	if n < 2 {
		return unknown
	}
	scatter := (slices.Max(x) - slices.Min(x)) / float64(n)
	return (max(scatter, math.Abs(m-x[n-1])) + float64(math.Abs(x[n-1]-x[n-2])/2)) / m
}

// irregularSpread estimates the spread of a train without a period, whose last intervals are x, of n in all, with mean
// m: the standard error of the mean by overlapping stretches (Meketon & Schmeiser 1984), which allows for correlations
// between intervals, or the difference between m and the mean of the later half of x, whichever is larger.
func irregularSpread(x []float64, n int, m float64) float64 {
	b := len(x) / batches
	average := mean(x)
	sum := 0.0
	for _, v := range x[:b] {
		sum += v - average
	}
	square := float64(sum * sum)
	for i := b; i < len(x); i++ {
		sum += x[i] - x[i-b]
		square += float64(sum * sum)
	}
	// sum/b is the deviation of a stretch; its variance times b is the long-run variance
	long := square / float64(b) / float64(len(x)-b+1) * float64(len(x)) / float64(len(x)-b)
	scatter := student * math.Sqrt(long/float64(n))
	return max(scatter, math.Abs(m-mean(x[len(x)/2:]))) / m
}
