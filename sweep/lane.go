package sweep

import (
	"math"

	"popsim/pop"
)

// memory is the number of interspike intervals that a lane keeps.
const memory = 256

// lane is the record of one lane: which point it runs, and what the neuron has done. Times count from the start of the
// point.
type lane struct {
	chain, link int   // the point: its chain, and its place in it; chain is idle in a lane without a point
	waiting     bool  // the point is finished; the next one of the chain begins at the next decision
	slot        int   // of the point, see plan.slot
	start       int64 // step of the shard at which the point began
	params      []float64
	current     float64
	restingV    float64 // V of the resting state at I = 0, mV

	train     pop.Train
	intervals int64           // number of intervals in the whole run
	early     [early]float64  // the first intervals, ms
	isi       [memory]float64 // the last intervals, ms, in a ring: interval k is isi[k%memory]
	adapt     float64         // sum of (next - this)/(next + this) over neighbouring intervals

	nextCheck int64     // number of intervals at which settle is tried again
	state     []float64 // at the last decision
	spikes    int64     // number of spikes at the last decision

	settled repetition // the pattern that the train has settled to; its mean is 0 before that

	from    float64   // ms: time from which extremes are kept; NaN before
	span    extent    // of V since from
	spanW   extent    // of w since from, if it is asked for
	windows [2]extent // of V in the last two windows between decisions, the older first
	window  extent    // of V since the last decision
}

// early is the number of intervals at the start of a train that are kept.
const early = 8

// extent is the least and the largest value of V (mV) or w (pA).
type extent struct{ lo, hi float64 }

// nowhere is the extent of no values.
var nowhere = extent{math.Inf(1), math.Inf(-1)}

// with returns the extent that includes x; NaN changes nothing.
func (a extent) with(x float64) extent {
	if x < a.lo {
		a.lo = x
	}
	if x > a.hi {
		a.hi = x
	}
	return a
}

func (a extent) join(b extent) extent { return extent{min(a.lo, b.lo), max(a.hi, b.hi)} }

// idle is the chain of a lane without a point.
const idle = -1

// runs reports whether the lane runs a point.
func (l *lane) runs() bool { return l.chain != idle && !l.waiting }

// begin resets the record for a new point.
func (l *lane) begin(link, slot int, start int64) {
	l.link, l.slot, l.start, l.waiting = link, slot, start, false
	l.train, l.intervals, l.adapt = pop.Train{}, 0, 0
	l.nextCheck, l.spikes = firstCheck, 0
	l.settled, l.from, l.span, l.windows, l.window = repetition{}, math.NaN(), nowhere, [2]extent{nowhere, nowhere},
		nowhere
	l.spanW = nowhere
}

// spike adds a spike at t ms; discard is the time from which intervals count.
func (l *lane) spike(t, discard float64) {
	if l.train.Spikes() > 0 {
		isi := t - l.train.Last()
		if l.intervals > 0 {
			before := l.isi[(l.intervals-1)%memory]
			l.adapt += (isi - before) / (isi + before)
		}
		if l.intervals < early {
			l.early[l.intervals] = isi
		}
		l.isi[l.intervals%memory] = isi
		l.intervals++
	}
	l.train.Add(t, discard)
}

// late writes the last intervals after discard into buf, the oldest first, and returns the part of buf that holds them.
func (l *lane) late(buf *[memory]float64) []float64 {
	return l.recent(int(min(l.train.Intervals(), memory)), buf)
}

// recent writes the last n intervals, or as many as there are, into buf, the oldest first, and returns the part that
// holds them.
func (l *lane) recent(n int, buf *[memory]float64) []float64 {
	n = int(min(int64(n), l.intervals, memory))
	for i := range n {
		buf[i] = l.isi[(l.intervals-int64(n-i))%memory]
	}
	return buf[:n]
}

// extend adds the spikes of the settled pattern up to the end of the run, ms.
func (l *lane) extend(end, discard float64) {
	for j := int(l.intervals - l.settled.since); ; j++ {
		t := l.train.Last() + l.settled.isi[j%l.settled.period]
		if !(t < end) {
			return
		}
		l.spike(t, discard)
	}
}
