package sweep

import (
	"math"

	"popsim/pop"
)

// maxPeriod is the longest period that is searched for, in intervals; a quarter of memory.
const maxPeriod = 64

// firstCheck is the number of intervals at which settle is first tried. It is given the later half of the intervals:
// the earlier half may belong to the transient.
const firstCheck = 8 * settleLeast

// repetition describes a train that repeats itself after period intervals.
type repetition struct {
	period int
	// intervals of a period, ms; isi[0] is the one that comes next after the first since intervals
	isi   [maxPeriod]float64
	since int64   // number of intervals when it was found
	mean  float64 // mean interval, ms; 0 for no repetition
	drift float64 // change of the mean that is possible until the end of the run, relative
}

// A train is settled when its return map has converged; that its intervals hardly change for a while is not enough.
// Near a saddle-node of cycles the ghost of the cycle carries a train of N spikes before the train ends. In the
// narrowest place of the ghost the intervals change by (pi/N)² of their natural scale per spike, which is the smallest
// drift of such a train. So the drift that can be tolerated depends on the number n of intervals to the end of the run.
// Relative to the mean interval and per interval,
//
//	drift < min(settleMean/n, settleGhost/n²)
//
// The first term bounds the change of the mean until the end, which is included in the error of the rate. The second
// excludes every ghost that could end before the run does: its narrowest place lies at least half way, N < 2n, and the
// natural scale is taken as 0.4 % of the interval. The drift is measured between means under Hann's window, which
// suppresses the quasi-periodic ripple of intervals that comes from the grid of time steps, because spikes fall at
// different places within their steps.
const (
	settleMean  = 2e-5
	settleGhost = 1e-2
	settleLeast = 2 // least number of intervals from one window to the next; whole periods are taken
	// largest difference of intervals one period apart, over the mean interval or, if it is longer, the interval
	alike = 1e-4
)

// settle returns the repetition that a train has settled to, given its last intervals x and the time left (ms); the
// zero repetition if it has not settled.
func settle(x []float64, left float64) (found repetition) {
	p := period(x)
	if p == 0 || fades(x, p) {
		return repetition{}
	}
	k := len(x) / 4 / p * p // distance of windows, each of 2k intervals
	if k < settleLeast {
		return repetition{}
	}
	x = x[len(x)-4*k:]
	a, b, c := hann(x[:2*k]), hann(x[k:3*k]), hann(x[2*k:])
	drift := max(math.Abs(b-a), math.Abs(c-b)) / float64(k) / c
	n := max(1, left/c)
	if drift > min(settleMean/n, settleGhost/(n*n)) || grows(x, p, 1e-9*c) {
		return repetition{}
	}
	found = repetitionOf(x, p, c)
	found.drift = drift * n
	return found
}

// repetitionOf returns the repetition whose intervals are the means of the last intervals of x at their places in the
// period, scaled to the given mean.
func repetitionOf(x []float64, p int, mean float64) repetition {
	found := repetition{period: p, mean: mean}
	periods := max(1, len(x)/2/p)
	sum := 0.0
	for j := range p {
		for i := range periods {
			found.isi[j] += x[len(x)-(i+1)*p+j] / float64(periods)
		}
		sum += found.isi[j]
	}
	for j := range p {
		found.isi[j] *= mean * float64(p) / sum
	}
	return found
}

// period returns the smallest p such that all intervals of x that are p apart are alike; x must hold three periods. It
// is 0 if there is none.
func period(x []float64) int { return pop.Period(x, maxPeriod, alike) }

// lastPeriod returns the period that a train has at its end, or converges to, given its last intervals x; 0 for none.
// Close to a period doubling the intervals alternate around their limit for a long time; an alternation that fades does
// not count as a period. A train that approaches a short period by the same factor again and again counts as having it.
func lastPeriod(x []float64) int {
	p := period(x)
	for p > 1 && p%2 == 0 && fades(x, p) && fadesOut(x, p/2) {
		p /= 2
	}
	if p > 0 {
		return p
	}
	for p := 1; p <= boundPeriod && len(x) >= 6*p+4; p++ {
		far := apart(x, p, 4)
		if closes(far) && far[3] < boundNear*mean(x) {
			return p
		}
	}
	return pop.Period(x, maxPeriod, blurred)
}

const (
	blurred = 1e-3 // alike, less strictly: near a critical slope of the return map the ripple is amplified
	// least relative change of an alternation from the first third of a train to the last that counts as fading
	fadeShare   = 0.01
	boundPeriod = 8    // longest period that a train may converge to
	boundNear   = 0.02 // distance from it at the end, relative to the mean interval, at most
	boundFactor = 0.7  // ratio of the distances in successive quarters of the train, at most
)

// apart returns, for each of n equal stretches of x, the root mean square difference between intervals and those p
// before.
func apart(x []float64, p, n int) []float64 {
	far := make([]float64, n)
	stretch := (len(x) - p) / n
	for k := range far {
		sum := 0.0
		for i := len(x) - (n-k)*stretch; i < len(x)-(n-k-1)*stretch; i++ {
			d := x[i] - x[i-p]
			sum += float64(d * d)
		}
		far[k] = math.Sqrt(sum / float64(stretch))
	}
	return far
}

// fades reports whether the difference between intervals p/2 apart, which distinguishes period p from p/2, is changing.
func fades(x []float64, p int) bool {
	if p%2 != 0 || len(x) < p/2+3 {
		return false
	}
	far := apart(x, p/2, 3)
	return math.Abs(far[2]-far[0]) > fadeShare*far[2]
}

// fadesOut reports whether the differences of intervals p apart shrink to a limit (by Aitken) of less than half their
// last value.
func fadesOut(x []float64, p int) bool {
	far := apart(x, p, 3)
	a, b := far[1]-far[0], far[2]-far[1]
	return b < 0 && a < b && far[2]-b*b/(b-a) < far[2]/2
}

// closes reports whether each number is less than boundFactor times the one before.
func closes(far []float64) bool {
	for k := 1; k < len(far); k++ {
		if !(far[k] < boundFactor*far[k-1]) {
			return false
		}
	}
	return true
}

// rippleOf returns the standard deviation of intervals, estimated from differences between those a period p apart,
// relative to their mean. In a settled train it comes from the grid of time steps: the error of a spike depends on its
// place in the step.
func rippleOf(x []float64, p int) float64 {
	if len(x) <= p {
		return 0
	}
	sum := 0.0
	for i := p; i < len(x); i++ {
		d := x[i] - x[i-p]
		sum += float64(d * d)
	}
	return math.Sqrt(sum/float64(2*(len(x)-p))) / mean(x)
}

// mean returns the mean of x, from differences to x[0], which keeps digits.
func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v - x[0]
	}
	return x[0] + float64(sum/float64(len(x)))
}

// hann returns the mean of x under Hann's window.
func hann(x []float64) float64 {
	// the cosine by rotation: (c, s) turns once around the circle in len(x) steps
	step := 2 * math.Pi / float64(len(x))
	dc, ds := math.Cos(step), math.Sin(step)
	c, s := math.Cos(step/2), math.Sin(step/2)
	sum, weight := 0.0, 0.0
	for _, v := range x {
		w := 1 - c
		sum += float64(w * (v - x[0]))
		weight += w
		c, s = float64(c*dc)-float64(s*ds), float64(s*dc)+float64(c*ds)
	}
	return x[0] + sum/weight
}

// grows reports whether the largest difference between intervals one period p apart doubled from the first half of x to
// the second, beyond floor: a growing instability.
func grows(x []float64, p int, floor float64) bool {
	half := len(x) / 2
	early, late := floor, 0.0
	for i := p; i < len(x); i++ {
		d := math.Abs(x[i] - x[i-p])
		if i < half {
			early = max(early, d)
		} else {
			late = max(late, d)
		}
	}
	return late > 2*early
}
