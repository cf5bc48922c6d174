package sweep

import (
	"math"
	"slices"

	"popsim/model"
)

// Status words.
const (
	statusOK = iota
	statusNaN
	statusDrift
	statusStopped
	statusSubthreshold
	statusRunaway
)

var statusNames = []string{
	"ok",
	"nan", // a state became NaN or infinite; a smaller dt may help
	// intervals still change at the end, or adaptation after discard shows in the mean, or a silent membrane moves
	"drift",
	"stopped",      // the train ended before the run did; the rate is that of the train
	"subthreshold", // an oscillation goes on that does not cross V_th, so that no spikes are counted
	"runaway",      // V goes to infinity by the equations of the model, whatever the step
}

// The firing patterns.
const (
	patternSilent = iota
	patternTonic
	patternAdapting
	patternInitialBurst
	patternBursting
	patternIrregular
	patternTransient
	patternDelayed
	patternBlock
	patternOscillating
)

var patternNames = []string{
	"silent", "tonic", "adapting", "initial-burst", "bursting", "irregular", "transient", "delayed",
	"depolarisation-block",
	"oscillating",
}

// behaviour is what a run has shown of a neuron; status, pattern and the error of the rate are derived from it.
type behaviour struct {
	*lane
	model  *model.Model
	how    int       // how the run ended, one of endTime, ...
	late   []float64 // the last intervals after discard, ms
	tail   []float64 // their later half, or all if they are few; a period is searched for in it
	period int       // number of intervals after which the tail, or the settled train, repeats itself; 0 for none
	at     stability // of the equilibrium at which the run ended, if it did
	tau    float64   // time constant of the membrane, ms
	end    float64   // end of the run, ms
}

const (
	// change of the mean interval between the last two quarters of the train, relative, that counts as drift
	driftShare   = 1e-4
	adaptedShare = 2e-3 // difference between the mean interval and that at the end, relative, that counts as drift
	driftNoise   = 4.0  // standard errors that a change must exceed to count as drift
	swingLeast   = 0.1  // mV, as scaled: least difference of extremes that counts as an oscillation
	swingShare   = 2e-3 // change of the extremes of a steady oscillation between two windows, over its amplitude, at most
	swingStill   = 1e-3 // mV, as scaled: change of extremes between two windows up to which the membrane counts as still
)

// status returns the number of the word that warns about a point.
func (c behaviour) status() int {
	silent := c.train.Intervals() == 0 && c.train.Spikes() == c.spikes && c.end-c.train.Last() > 4*decide
	moved, steady := c.swing()
	switch stopped := c.train.Intervals() > 0 && c.silence() > 1; {
	case c.how == endRunaway:
		return statusRunaway
	case (stopped || silent) && c.how == endTime && steady:
		return statusSubthreshold
	case !stopped && c.adapted():
		return statusDrift
	case stopped:
		return statusStopped
	case c.how != endTime:
		return statusOK
	case c.drifts():
		return statusDrift
	case silent && (moved > c.model.Scaled(swingStill) || c.at == unstable):
		return statusDrift
	}
	return statusOK
}

// swing returns by how much the extremes of V moved between the last two windows (mV), and whether they are those of a
// steady oscillation.
func (c behaviour) swing() (moved float64, steady bool) {
	a, b := c.windows[0], c.windows[1]
	moved = max(math.Abs(a.hi-b.hi), math.Abs(a.lo-b.lo))
	return moved, b.hi-b.lo >= c.model.Scaled(swingLeast) && moved <= swingShare*(b.hi-b.lo)
}

// adapted reports whether the mean interval after discard differs from that at the end because the neuron was still
// adapting.
func (c behaviour) adapted() bool {
	m := c.wholeMean()
	last := c.settled.mean
	if c.how != endSettled {
		if c.period == 0 || len(c.late) < 4*c.period {
			return false
		}
		k := max(1, len(c.late)/4/c.period) * c.period
		last = mean(c.late[len(c.late)-k:])
	}
	return math.Abs(m/last-1) > adaptedShare
}

// drifts reports whether the means of the last two quarters of the late intervals differ by more than driftShare and by
// more than noise. The noise is estimated from differences of neighbours, in which a trend hardly shows.
func (c behaviour) drifts() bool {
	k := len(c.late) / 4
	if c.period > 0 {
		k = max(k-k%c.period, min(c.period, len(c.late)/2))
	}
	if k < 2 {
		return len(c.late) > 2 && trend(c.late[len(c.late)-3:])
	}
	x := c.late[len(c.late)-2*k:]
	change := math.Abs(mean(x[k:]) - mean(x[:k]))
	return change > driftShare*mean(x) && change > driftNoise*jitter(x)*math.Sqrt(2/float64(k))
}

// jitter returns the standard deviation of intervals, estimated from differences of neighbours.
func jitter(x []float64) float64 {
	sum := 0.0
	for i := 1; i < len(x); i++ {
		d := x[i] - x[i-1]
		sum += float64(d * d)
	}
	return math.Sqrt(sum / float64(2*(len(x)-1)))
}

// trend reports whether three intervals change in one direction, by more than 1 % each time.
func trend(x []float64) bool {
	a, b := x[1]/x[0]-1, x[2]/x[1]-1
	return min(a, b) > 0.01 || max(a, b) < -0.01
}

// The rule for patterns is that of Komendantov et al., Sci. Rep. 9:17915 (2019), with its constants unless a comment
// says otherwise, adapted to trains without noise: fits need no test of significance, and an initial burst need not be
// followed by an interval longer than the next. A slope alone would call a train adapting that changes by a few
// percent, and a latency alone would call a train delayed that begins with short intervals; so both have a second
// condition, which is ours. Of the patterns that apply, the first of this list is taken: oscillating, silent or
// depolarisation-block, transient, bursting, irregular, initial-burst, delayed, adapting, tonic.
const (
	silentFactor  = 2.0   // silence at the end over the mean of the last two intervals, and over the longest: it has ended
	burstFactor   = 5.0   // the longest late interval over its two neighbours, summed
	initialFactor = 2.5   // an early interval over the one before, and the mean from it on over the mean before it
	initialFreq   = 25.0  // Hz, least rate within the initial burst
	adaptSlope    = 0.003 // ms per ms: growth of the early intervals over time
	adaptFactor   = 1.4   // the mean late interval over the first; ours
	// latency over the mean of the first two intervals (2 in theirs), and over the mean late interval
	delayFactor = 1.25
	delayTaus   = 5.0  // latency over the time constant of the membrane, which alone would have charged by then; ours
	blockRise   = 15.0 // mV, as scaled: how far above the resting potential a silent membrane is blocked; ours
	irregularCV = 0.05 // jitter over mean of a train that does not repeat itself; ours
)

// silence returns how long the neuron has been silent at the end of the run, over the longest silence within a train.
func (c behaviour) silence() float64 {
	switch {
	case c.how == endSettled || c.train.Spikes() == 0:
		return 0
	case c.how == endRest || c.how == endRunaway:
		return math.Inf(1)
	}
	return (c.end - c.train.Last()) / c.longestSilence()
}

// longestSilence returns how long (ms) a train may be silent after its last spike without counting as ended.
func (c behaviour) longestSilence() float64 {
	last := c.train.ISILast()
	switch {
	case c.intervals == 0:
		last = c.train.Latency()
	case c.intervals > 1:
		last = (last + c.isi[(c.intervals-2)%memory]) / 2
	}
	if len(c.late) > 0 {
		last = max(last, slices.Max(c.late))
	}
	return silentFactor * last
}

// pattern returns the number of the firing pattern, and the margin: the factor by which the closest of the compared
// quantities missed its bound.
func (c behaviour) pattern() (name int, margin float64) {
	margin = math.Inf(1)
	above := func(x, bound float64) bool {
		if r := math.Abs(x / bound); r > 0 {
			margin = min(margin, max(r, 1/r))
		}
		return x > bound
	}
	ended := c.train.Spikes() == 0 || above(c.silence(), 1)
	_, windows := c.swing()
	switch {
	case ended && c.how == endTime && windows:
		return patternOscillating, margin
	case ended && c.model.Fires == model.Crossing &&
		above(float64((c.windows[1].lo+c.windows[1].hi)/2)-c.restingV, c.model.Scaled(blockRise)):
		return patternBlock, margin
	case c.train.Spikes() == 0:
		return patternSilent, margin
	case ended:
		return patternTransient, margin
	case c.period != 1 && len(c.tail) > 2:
		if c.period > 1 && above(isolation(c.tail), burstFactor) {
			return patternBursting, margin
		}
		if c.period == 0 && !c.drifts() && above(jitter(c.tail)/mean(c.tail), irregularCV) {
			return patternIrregular, margin
		}
	}
	n := int(min(c.intervals, early))
	x := c.early[:n]
	for i := 1; i < n; i++ {
		first := mean(x[:i])
		if 1000/first > initialFreq && x[i] > initialFactor*x[i-1] && above(mean(x[i:]), initialFactor*first) {
			return patternInitialBurst, margin
		}
	}
	if n < 2 || len(c.tail) == 0 {
		return patternTonic, margin
	}
	late := mean(c.tail)
	switch {
	case above(x[0]/late, adaptFactor): // accelerating, which Naud et al. (2008) count as delayed
		return patternDelayed, margin
	case above(c.train.Latency(), float64(delayFactor*max(mean(x[:2]), late))) &&
		above(c.train.Latency(), delayTaus*c.tau):
		return patternDelayed, margin
	case above(late/x[0], adaptFactor) && n > 2 && above(slope(x), adaptSlope):
		return patternAdapting, margin
	}
	return patternTonic, margin
}

// membraneTime returns the time constant (ms) of the passive membrane.
func membraneTime(m *model.Model, p []float64) float64 {
	if m.Outside() { // from outside: its parameters may be called anything
		return passiveTime(m, p)
	}
	if j := m.Index("tau"); j >= 0 {
		return p[j]
	}
	return p[m.Index("C")] / p[m.Index("g_L")]
}

// passiveTime is how fast V of a model from outside relaxes at its start while the other states are kept.
func passiveTime(m *model.Model, p []float64) float64 {
	d := len(m.States)
	y, jac := make([]float64, d), make([]float64, d*d)
	m.Initial(p, y)
	m.Jacobian(p, 0, y, jac)
	return 1 / math.Abs(jac[0])
}

// distinct returns the late intervals in ascending order: of a train with a period those of one period, as means over
// all periods, else all that differ by more than rounding errors.
func (c behaviour) distinct() []float64 {
	if c.lane == nil {
		return nil
	}
	x := c.tail
	switch {
	case c.how == endSettled:
		x = c.settled.isi[:c.period]
	case c.period > 0:
		n := max(1, len(c.tail)/2/c.period) * c.period
		r := repetitionOf(c.tail, c.period, mean(c.tail[len(c.tail)-n:]))
		x = r.isi[:c.period]
	}
	x = slices.Clone(x)
	slices.Sort(x)
	return slices.CompactFunc(x, func(a, b float64) bool { return math.Abs(b-a) <= 1e-9*b })
}

// slope returns the slope of the straight line fitted to intervals over the times at which they end, ms per ms.
func slope(x []float64) float64 {
	t, sumT, sumX, sumTX, sumTT := 0.0, 0.0, 0.0, 0.0, 0.0
	for _, isi := range x {
		t += isi
		sumT, sumX, sumTX, sumTT = sumT+t, sumX+isi, sumTX+float64(t*isi), sumTT+float64(t*t)
	}
	n := float64(len(x))
	return (float64(n*sumTX) - float64(sumT*sumX)) / (float64(n*sumTT) - float64(sumT*sumT))
}
