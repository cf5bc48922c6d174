package sweep

import (
	"math"

	"popsim/pop"
)

// maxPeriod is the longest pattern that is looked for, in spikes; a quarter of memory.
const maxPeriod = 64

// firstLook is the number of intervals at which a train is first looked at. A look takes the later half of them: the
// earlier may belong to the transient.
const firstLook = 8 * settleLeast

// repetition is a train that repeats itself after period intervals.
type repetition struct {
	period int
	isi    [maxPeriod]float64 // ms; the interval that comes next after those since is the first
	since  int64              // intervals there were when it was found
	mean   float64            // ms; 0 for none
	drift  float64            // by how much, relative, the mean may still change to the end of the run
}

// A train is settled when its return map has converged: not when it is quiet for a while. Near a saddle-node of cycles
// the ghost of the cycle carries a train of N spikes and then the train ends; in its narrowest place the intervals change
// by (pi/N)² of their natural scale per spike, and that is the least drift there is on the way. So the drift that may be
// left is a matter of how many intervals are to come. With n of them, relative to the mean interval and per interval,
//
//	drift < min(settleMean/n, settleGhost/n²)
//
// The first bounds what the mean may still change, which is counted in the error of the rate. The second excludes every
// ghost that could end before the run does: its narrowest place lies at least half way, N < 2n, and the natural scale
// is taken as 0.4 % of the interval. The drift is measured between means under Hann's window, which suppresses what the
// grid of time steps does to intervals: a spike falls into its step at an ever different place, and this shows in the
// interval as a quasi-periodic ripple.
const (
	settleMean  = 2e-5
	settleGhost = 1e-2
	settleLeast = 2    // intervals, or periods if they are longer, from one window to the next
	alike       = 1e-4 // intervals one period apart differ by less, relative to the mean or, if it is longer, to themselves; the ripple does
)

// settle looks for what a train has settled to, given its last intervals and the time to come (ms). A zero repetition
// means nothing yet.
func settle(x []float64, left float64) (found repetition) {
	p := period(x)
	if p == 0 || fades(x, p) {
		return repetition{}
	}
	k := len(x) / 4 / p * p // the step between windows of 2k
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

// repetitionOf is the mean course of the last intervals over a period, brought to the given mean.
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

// period is the least p such that intervals p apart are alike all over x, of which three periods are needed; 0 if there
// is none.
func period(x []float64) int { return pop.Period(x, maxPeriod, alike) }

// lastPeriod is the period that a train has at its end, or is bound for, given its last intervals; 0 for none. Close to a
// doubling of the period the train alternates about its true course for long; an alternation that fades is none. And a
// train that closes in on a short period, by the same factor again and again, counts as having it.
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
	blurred     = 1e-3 // alike for trains that repeat themselves no better: near a critical slope of the return map the ripple is blown up
	fadeShare   = 0.01 // change of an alternation from the first third of a train to the last, relative: less is none
	boundPeriod = 8    // the longest period of a train that is still on its way
	boundNear   = 0.02 // how far off it may be at the end, relative to the mean interval
	boundFactor = 0.7  // from a quarter of the train to the next it comes nearer by this at least
)

// apart is by how much, in each of n equal stretches of x, intervals differ from those p before: root mean squares.
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

// fades tells whether what makes x repeat itself after p intervals and not after p/2 is changing.
func fades(x []float64, p int) bool {
	if p%2 != 0 || len(x) < p/2+3 {
		return false
	}
	far := apart(x, p/2, 3)
	return math.Abs(far[2]-far[0]) > fadeShare*far[2]
}

// fadesOut tells whether the differences of intervals p apart shrink towards less than half of what is left (Aitken).
func fadesOut(x []float64, p int) bool {
	far := apart(x, p, 3)
	a, b := far[1]-far[0], far[2]-far[1]
	return b < 0 && a < b && far[2]-b*b/(b-a) < far[2]/2
}

// closes tells whether all numbers shrink from each to the next.
func closes(far []float64) bool {
	for k := 1; k < len(far); k++ {
		if !(far[k] < boundFactor*far[k-1]) {
			return false
		}
	}
	return true
}

// rippleOf is the standard deviation of intervals from those a period before, relative to their mean: what the grid of
// time steps does to a spike depends on its place in the step, and this shows it.
func rippleOf(x []float64, p int) float64 {
	if len(x) <= p {
		return 0
	}
	sum := 0.0
	for i := p; i < len(x); i++ {
		d := x[i] - x[i-p]
		sum += d * d
	}
	return math.Sqrt(sum/float64(2*(len(x)-p))) / mean(x)
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v - x[0]
	}
	return x[0] + sum/float64(len(x))
}

// hann is the mean of x under Hann's window.
func hann(x []float64) float64 {
	// cos by rotation: c and s go round once over len(x)
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

// grows tells whether what the intervals differ by from those a period before grew in the second half of x, beyond
// floor: an instability on its way out.
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
