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
	chain, link int // chain is -1 in a lane without work
	row         int
	start       int64 // the shard's step at which the point began
	params      []float64
	current     float64

	train     pop.Train
	intervals int64           // in the whole run
	isi       [memory]float64 // a ring of the last ones
	adapt     float64         // sum of (next - this)/(next + this)

	look   int64     // intervals at which to look for a pattern again
	state  []float64 // at the last decision
	spikes int64     // at the last decision
	quiet  [2]float64 // swing of V between the last three decisions, mV

	settled pattern // the pattern the train has settled to; mean 0 before
	from    float64 // ms: since when extremes are kept; NaN before
	v0      float64 // V then
}

// begin opens the book of a new point.
func (l *lane) begin(chain, link, row int, start int64) {
	l.chain, l.link, l.row, l.start = chain, link, row, start
	l.train, l.intervals, l.adapt = pop.Train{}, 0, 0
	l.look, l.spikes, l.quiet = firstLook, 0, [2]float64{math.Inf(1), math.Inf(1)}
	l.settled, l.from = pattern{}, math.NaN()
}

// spike notes a spike at t ms; discard is the time from which intervals count.
func (l *lane) spike(t, discard float64) {
	if l.train.Spikes > 0 {
		isi := t - l.train.Last
		if l.intervals > 0 {
			before := l.isi[(l.intervals-1)%memory]
			l.adapt += (isi - before) / (isi + before)
		}
		l.isi[l.intervals%memory] = isi
		l.intervals++
	}
	l.train.Add(t, discard)
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
	for j := 0; ; j++ {
		t := l.train.Last + l.settled.isi[j%l.settled.period]
		if !(t < end) {
			return
		}
		l.spike(t, discard)
	}
}
