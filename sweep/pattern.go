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
	"nan",          // a state became NaN or infinite; a smaller dt may help
	"drift",        // intervals still change at the end, or adaptation after discard shows in the mean, or a silent membrane moves
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
	"silent", "tonic", "adapting", "initial-burst", "bursting", "irregular", "transient", "delayed", "depolarisation-block",
	"oscillating",
}

// course is what a run has shown of a neuron, for judgement.
type course struct {
	*lane
	model  *model.Model
	how    int
	late   []float64 // intervals after discard, the last ones
	tail   []float64 // the later half of them, or all where they are few; where a period is looked for
	period int       // of the tail, or of what the train has settled to; 0 for none
	at     stability // of the equilibrium at which the run has ended, if it has
	tau    float64   // of the membrane, ms
	end    float64   // of the run, ms
}

const (
	driftShare   = 1e-4 // of the mean interval: what may change between the last two quarters of the train
	adaptedShare = 2e-3 // of the mean interval: what adaptation after discard may leave in it
	driftNoise   = 4.0  // standard errors beyond which a change is no chance
	swingLeast   = 0.1  // mV: a smaller oscillation is no oscillation
	swingShare   = 2e-3 // of it: by how much the last two windows of decisions may differ in a steady one
	swingStill   = 1e-3 // mV: a membrane that moves less from one window to the next is still
)

// status finds the word for what is to be known of a point.
func (c course) status() int {
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
	case silent && (moved > swingStill || c.at == unstable):
		return statusDrift
	}
	return statusOK
}

// swing tells by how much the extremes of V moved between the last two windows of decisions, mV, and whether they are those of
// a steady oscillation.
func (c course) swing() (moved float64, steady bool) {
	a, b := c.swings[0], c.swings[1]
	moved = max(math.Abs(a.hi-b.hi), math.Abs(a.lo-b.lo))
	return moved, b.hi-b.lo >= swingLeast && moved <= swingShare*(b.hi-b.lo)
}

// adapted tells whether the mean interval after discard differs from that at the end because the neuron was still adapting.
func (c course) adapted() bool {
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

// drifts compares the means of the last two quarters of the late intervals. The noise is that of neighbours, which a
// trend does not touch.
func (c course) drifts() bool {
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

// jitter is the standard deviation of intervals as their neighbours show it.
func jitter(x []float64) float64 {
	sum := 0.0
	for i := 1; i < len(x); i++ {
		d := x[i] - x[i-1]
		sum += d * d
	}
	return math.Sqrt(sum / float64(2*(len(x)-1)))
}

// trend tells whether three intervals go one way, by more than a hundredth each time.
func trend(x []float64) bool {
	a, b := x[1]/x[0]-1, x[2]/x[1]-1
	return min(a, b) > 0.01 || max(a, b) < -0.01
}

// The rule for patterns is that of Komendantov et al., Sci. Rep. 9:17915 (2019), with its constants where nothing else is
// said, as far as it fits trains without noise: there the fits need no test of significance, and an initial burst need not
// be followed by an interval longer than the next. A slope alone would call adapting what changes by a few percent, and a
// latency alone, delayed what begins with short intervals; so both have a second condition, which is ours. Where they
// name several elements, the word here is the first that holds of: oscillating, silent or depolarisation-block, transient, bursting,
// irregular, initial-burst, delayed, adapting, tonic.
const (
	silentFactor  = 2.0   // silence at the end over the mean of the last two intervals, and over the longest: it has ended
	burstFactor   = 5.0   // the longest late interval over its two neighbours, summed
	initialFactor = 2.5   // an early interval over the one before, and the mean from it on over the mean before it
	initialFreq   = 25.0  // Hz, least rate within the initial burst
	adaptSlope    = 0.003 // ms per ms: growth of the early intervals over time
	adaptFactor   = 1.4   // the mean late interval over the first; ours
	delayFactor   = 1.25  // latency over the mean of the first two intervals (2 in theirs), and over the mean late interval
	delayTaus     = 5.0   // latency over the time constant of the membrane, which alone would have charged by then; ours
	blockRise     = 15.0  // mV: how far above rest a silent membrane is blocked; ours
	irregularCV   = 0.05  // jitter over mean of a train that does not repeat itself; ours
)

// silence is how long the neuron has been silent at the end, over the time after which a train counts as ended.
func (c course) silence() float64 {
	switch {
	case c.how == endSettled || c.train.Spikes() == 0:
		return 0
	case c.how == endRest || c.how == endRunaway:
		return math.Inf(1)
	}
	return (c.end - c.train.Last()) / c.extendFactors()
}

// extendFactors is how long (ms) after its last spike a train may be silent and go on.
func (c course) extendFactors() float64 {
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

// pattern names the firing pattern, and says by what factor the closest call on the way to the name was decided.
func (c course) pattern() (name int, margin float64) {
	margin = math.Inf(1)
	above := func(x, bound float64) bool {
		if r := math.Abs(x / bound); r > 0 {
			margin = min(margin, max(r, 1/r))
		}
		return x > bound
	}
	ended := c.train.Spikes() == 0 || above(c.silence(), 1)
	_, swings := c.swing()
	switch {
	case ended && c.how == endTime && swings:
		return patternOscillating, margin
	case ended && c.model.Fires == model.Crossing && above((c.swings[1].lo+c.swings[1].hi)/2-c.rest, blockRise):
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
	case above(c.train.Latency(), delayFactor*max(mean(x[:2]), late)) && above(c.train.Latency(), delayTaus*c.tau):
		return patternDelayed, margin
	case above(late/x[0], adaptFactor) && n > 2 && above(slope(x), adaptSlope):
		return patternAdapting, margin
	}
	return patternTonic, margin
}

// membraneTime is the time constant (ms) of the passive membrane.
func membraneTime(m *model.Model, p []float64) float64 {
	if m.Start != nil { // from outside: its parameters may be called anything
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

// distinct lists the late intervals in ascending order: those of a period where the train repeats itself, as means over its
// periods, else all that differ by more than rounding.
func (c course) distinct() []float64 {
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

// isolation is the longest interval that has two neighbours over these, summed.
func isolation(x []float64) float64 {
	at := 1
	for i := 2; i < len(x)-1; i++ {
		if x[i] > x[at] {
			at = i
		}
	}
	return x[at]/x[at-1] + x[at]/x[at+1]
}

// slope is that of the straight line through intervals over the times at which they end.
func slope(x []float64) float64 {
	t, sumT, sumX, sumTX, sumTT := 0.0, 0.0, 0.0, 0.0, 0.0
	for _, isi := range x {
		t += isi
		sumT, sumX, sumTX, sumTT = sumT+t, sumX+isi, sumTX+float64(t*isi), sumTT+float64(t*t)
	}
	n := float64(len(x))
	return (n*sumTX - float64(sumT*sumX)) / (n*sumTT - float64(sumT*sumT))
}
