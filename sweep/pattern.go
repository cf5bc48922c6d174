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
)

var statusNames = []string{
	"ok",
	"nan",          // a state left the numbers; a smaller dt may help
	"drift",        // the intervals still change at the end: more time or more discard is needed
	"stopped",      // the train ended before the run did; the rate is that of the train
	"subthreshold", // an oscillation goes on below V_th, without spikes by definition
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
)

var patternNames = []string{
	"silent", "tonic", "adapting", "initial-burst", "bursting", "irregular", "transient", "delayed", "depolarisation-block",
}

// course is what a run has shown of a neuron, for judgement.
type course struct {
	*lane
	model *model.Model
	how   int
	late  []float64 // intervals after discard, the last ones
	end   float64   // of the run, ms
	v     float64   // mV, where the run ended
}

const (
	driftShare = 1e-4 // of the mean interval: what may change between the last two quarters of the train
	driftNoise = 4.0  // standard errors beyond which a change is no chance
	swingLeast = 1.0  // mV: a smaller oscillation is a rest
	swingShare = 0.1  // of it: by how much the last two windows of decisions may differ in a steady oscillation
)

// status finds the word for what is to be known of a point.
func (c course) status() int {
	switch {
	case c.train.Intervals > 0 && c.silence() > 1:
		return statusStopped
	case c.how == endTime && c.drifts():
		return statusDrift
	case c.how == endTime && c.oscillates():
		return statusSubthreshold
	}
	return statusOK
}

// silence is how long the neuron has been silent at the end, over the time after which a train counts as ended: twice
// the mean of its last two intervals and one and a half times its longest late one. A neuron at rest has stopped.
func (c course) silence() float64 {
	if c.how == endSettled || c.intervals == 0 {
		return 0
	}
	if c.how == endRest {
		return math.Inf(1)
	}
	last := c.train.ISILast
	if c.intervals > 1 {
		last = (last + c.isi[(c.intervals-2)%memory]) / 2
	}
	bound := 2 * last
	if len(c.late) > 0 {
		bound = max(bound, 1.5*slices.Max(c.late))
	}
	return (c.end - c.train.Last) / bound
}

// drifts compares the means of the last two quarters of the late intervals. The noise is that of neighbours, which a trend
// does not touch.
func (c course) drifts() bool {
	k := len(c.late) / 4
	if k < 2 {
		return len(c.late) > 2 && c.trend()
	}
	x := c.late[len(c.late)-2*k:]
	change := math.Abs(mean(x[k:]) - mean(x[:k]))
	noise := 0.0
	for i := 1; i < len(x); i++ {
		d := x[i] - x[i-1]
		noise += d * d / 2
	}
	noise = math.Sqrt(noise/float64(len(x)-1)) * math.Sqrt(2/float64(k))
	return change > driftShare*mean(x) && change > driftNoise*noise
}

// trend tells whether the last three of a few intervals go one way, by more than a hundredth each time.
func (c course) trend() bool {
	x := c.late[len(c.late)-3:]
	a, b := (x[1]-x[0])/x[0], (x[2]-x[1])/x[1]
	return a > 0.01 && b > 0.01 || a < -0.01 && b < -0.01
}

// oscillates tells whether V swings steadily below V_th at the end.
func (c course) oscillates() bool {
	a, b := c.swings[0], c.swings[1]
	swing := b.hi - b.lo
	return c.train.Spikes == c.spikes && c.end-c.train.Last > 2*decide && swing >= swingLeast && !math.IsInf(a.hi, 0) &&
		math.Abs(a.hi-b.hi) <= swingShare*swing && math.Abs(a.lo-b.lo) <= swingShare*swing
}

// pattern names the firing pattern, and says how far the quantity that decided is from its bound.
func (c course) pattern() (name int, margin float64) { return patternSilent, math.NaN() }
