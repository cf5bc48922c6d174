package sweep

import (
	"math"
	"slices"

	"popsim/model"
)

// The rate of a train is 1000 / mean interval after discard. Where the train repeats itself after p > 1 intervals, the mean
// is over whole periods: with n intervals the last n mod p are left out, since their mean is not that of a period.
//
// Beside the error of integration a rate has an error of its own: how far it may be from that of a much longer run. It is
// 0 where every interval begins in the same state; else it is estimated from the intervals themselves, by the rules of
// spread.

// wholeMean is the mean interval (ms) after discard over whole periods; NaN without one.
func (c course) wholeMean() float64 {
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

// What spread takes for certain, and for unknown.
const (
	batches    = 8    // of a train that does not repeat itself: stretches whose means are compared
	student    = 1.18 // half the 97.5 % quantile of Student's t for batches - 1 degrees of freedom: twice the error then covers 95 %
	fewest     = 8    // intervals below which stretches have no scatter that could be measured
	unknown    = 1.0  // relative error of a rate that rests on a single interval
	slowFading = 0.8  // of successive changes: what fades more slowly is taken to fade like this
)

// spread is how far, relative to it, the mean interval m may be from that of a much longer run.
func (c course) spread(m float64) float64 {
	switch {
	case c.train.Intervals() == 0:
		return 0
	case c.model.Fires == model.Reset && len(c.model.States) == 1: // each interval begins at V_reset, and nothing else is state
		return 0
	case c.how == endRest || c.how == endRunaway: // the train has ended: a longer run adds nothing to it
		return 0
	case c.silence() > 1: // it has ended, or pauses; twice the error reaches down to no rate at all
		return unknown / 2
	case c.how == endSettled:
		return math.Abs(m/c.settled.mean - 1)
	}
	var buf [memory + 1]float64
	all := c.recent(memory, (*[memory]float64)(buf[:])) // those before discard too, which tell of a trend where few are left
	if open := c.end - c.train.Last(); open > m {       // the interval that the end of the run has cut off is at least as long
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

// periodicSpread is that of a train whose last intervals x repeat themselves after p: what the mean m of all owes to the
// time before, and what the mean of a period may still change, which is extrapolated from three stretches.
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

// remaining is by how much a quantity is still to change that changed by first and then by second, in equal times, if its
// changes go on by the same factor (Aitken).
func remaining(first, second float64) float64 {
	q := min(slowFading, math.Abs(second/first))
	if math.IsInf(first, 0) || math.IsNaN(q) {
		q = slowFading
	}
	return math.Abs(second) * q / (1 - q)
}

// shortSpread is that of a train of few intervals x: their range, shared among them, and the last step of a trend.
func shortSpread(x []float64, m float64) float64 {
	n := len(x)
	if n < 2 {
		return unknown
	}
	scatter := (slices.Max(x) - slices.Min(x)) / float64(n)
	return (max(scatter, math.Abs(m-x[n-1])) + math.Abs(x[n-1]-x[n-2])/2) / m
}

// irregularSpread is that of a train whose last intervals are x, of n in all, and do not repeat themselves: the standard error
// of the mean by overlapping stretches (Meketon & Schmeiser 1984), which knows how neighbours depend on each other, or the
// difference between all and the later half, where that is larger.
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
