package sweep

import (
	"math"

	"popsim/pop"
)

// memory is how many intervals a lane remembers.
const memory = 256

// lane is the book of one lane: which point it runs, and what its neuron has done. Times are those of the lane, from
// the start of its point.
type lane struct {
	chain, link int  // chain is idle in a lane without work
	waits       bool // for the next decision, to go on with its chain
	slot        int
	start       int64 // the shard's step at which the point began
	params      []float64
	current     float64
	rest        float64 // V of the rest at I = 0, mV

	train     pop.Train
	intervals int64           // in the whole run
	early     [early]float64  // the first ones
	isi       [memory]float64 // a ring of the last ones
	adapt     float64         // sum of (next - this)/(next + this)

	look   int64     // intervals at which to look for a pattern again
	state  []float64 // at the last decision
	spikes int64     // at the last decision

	settled repetition // what the train has settled to; mean 0 before

	from   float64   // ms: since when extremes are kept; NaN before
	span   extent    // of V since then
	spanW  extent    // of w since then, where it is asked for
	swings [2]extent // of V between the last decisions, the older first
	window extent    // of V since the last decision
}

// early is how many intervals at the start of a train are remembered.
const early = 8

// extent is a range of V, mV, or of w, pA.
type extent struct{ lo, hi float64 }

// nowhere is the extent that any other replaces.
var nowhere = extent{math.Inf(1), math.Inf(-1)}

// with is the extent that holds x as well; NaN changes nothing.
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

// idle stands for no chain.
const idle = -1

// runs tells whether the lane is on its way through a point.
func (l *lane) runs() bool { return l.chain != idle && !l.waits }

// begin opens the book of a new point.
func (l *lane) begin(link, slot int, start int64) {
	l.link, l.slot, l.start, l.waits = link, slot, start, false
	l.train, l.intervals, l.adapt = pop.Train{}, 0, 0
	l.look, l.spikes = firstLook, 0
	l.settled, l.from, l.span, l.swings, l.window = repetition{}, math.NaN(), nowhere, [2]extent{nowhere, nowhere}, nowhere
	l.spanW = nowhere
}

// spike notes a spike at t ms; discard is the time from which intervals count.
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

// late writes the last intervals that count into buf, the oldest first.
func (l *lane) late(buf *[memory]float64) []float64 {
	return l.recent(int(min(l.train.Intervals(), memory)), buf)
}

// recent writes the last n intervals, the oldest first, into buf; fewer if there are fewer.
func (l *lane) recent(n int, buf *[memory]float64) []float64 {
	n = int(min(int64(n), l.intervals, memory))
	for i := range n {
		buf[i] = l.isi[(l.intervals-int64(n-i))%memory]
	}
	return buf[:n]
}

// extend goes on with the settled pattern to the end of the run.
func (l *lane) extend(end, discard float64) {
	for j := int(l.intervals - l.settled.since); ; j++ {
		t := l.train.Last() + l.settled.isi[j%l.settled.period]
		if !(t < end) {
			return
		}
		l.spike(t, discard)
	}
}
