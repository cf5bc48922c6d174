package pop

import (
	"math"
	"unsafe"

	"popsim/model"
)

// Train sums up the spikes of one neuron while they are added; times are ms. The zero value is a train without spikes.
// An interval counts for Mean, Rate and CV (it is kept) if its first spike is at or after the time from of Add.
type Train struct {
	head
	tail
	cut     int64   // number of kept intervals at the end that are not part of a whole period; see Trains.At
	cutTime float64 // their sum, ms
}

// head is the part of a train that only its first spikes change.
type head struct {
	first, isiFirst float64
	earlier         int64   // spikes before those that are kept
	start           float64 // the first that is kept
}

// tail is the part of a train that every spike changes.
type tail struct {
	kept          int64   // spikes
	last, isiLast float64 // of the whole run
	reference     float64 // the first kept interval; square sums squares of differences from it, which keeps digits
	square        float64
}

// Add adds a spike at t ms; from is the time from which intervals are kept.
func (s *Train) Add(t, from float64) {
	if s.kept < 2 {
		s.begin(&s.tail, t, from)
	} else {
		s.add(t)
	}
}

// add adds a spike to a train with a kept interval.
func (l *tail) add(t float64) {
	l.kept++
	l.isiLast, l.last = t-l.last, t
	d := l.isiLast - l.reference
	l.square += float64(d * d)
}

// begin adds a spike to a train without a kept interval.
func (h *head) begin(l *tail, t, from float64) {
	isi := t - l.last
	switch h.earlier + l.kept {
	case 0:
		h.first, isi = t, 0
	case 1:
		h.isiFirst = isi
	}
	switch {
	case l.kept == 1:
		l.reference = isi
		l.kept++
	case t >= from:
		h.start = t
		l.kept++
	default:
		h.earlier++
	}
	l.isiLast, l.last = isi, t
}

// Spikes returns the number of spikes in the whole run.
func (s *Train) Spikes() int64 { return s.earlier + s.kept }

// Intervals returns the number of kept intervals.
func (s *Train) Intervals() int64 { return max(0, s.kept-1) }

// Last returns the time of the last spike, ms; 0 without a spike.
func (s *Train) Last() float64 { return s.last }

// ISIFirst returns the first interval of the whole run, ms; 0 without one.
func (s *Train) ISIFirst() float64 { return s.isiFirst }

// ISILast returns the last interval of the whole run, ms; 0 without one.
func (s *Train) ISILast() float64 { return s.isiLast }

// Mean returns the mean kept interval, ms; NaN without one.
func (s *Train) Mean() float64 {
	if s.kept < 2 {
		return math.NaN()
	}
	return (s.last - s.start) / float64(s.kept-1)
}

// Rate returns 1000 over the mean kept interval, Hz; 0 without one. For a train from Trains.At that has a period of
// several intervals, the mean is over whole periods.
func (s *Train) Rate() float64 {
	if s.kept < 2 {
		return 0
	}
	return 1000 * float64(s.kept-1-s.cut) / (s.last - s.cutTime - s.start)
}

// CV returns the standard deviation of the kept intervals (dividing by their number) over their mean; NaN with fewer
// than two.
func (s *Train) CV() float64 {
	if s.kept < 3 {
		return math.NaN()
	}
	off := s.Mean() - s.reference
	variance := s.square/float64(s.kept-1) - float64(off*off)
	return math.Sqrt(max(0, variance)) / s.Mean()
}

// Latency returns the time of the first spike, ms; NaN without one.
func (s *Train) Latency() float64 {
	if s.Spikes() == 0 {
		return math.NaN()
	}
	return s.first
}

// Trains holds a Train for each of many neurons. The parts that every spike changes are stored together, for the cache.
type Trains struct {
	heads  []head
	tails  []tail
	recent []recent // the last intervals, where a train may have a period of several; nil where all intervals are the same
}

// recent holds the last intervals of a neuron, ms, in a ring. The period is found from them, and the mean is trimmed to
// whole periods; single precision is enough for both.
type recent [recentIntervals]float32

const (
	recentIntervals = 64
	longestPeriod   = recentIntervals / 3 // so that three periods fit
	alikeIntervals  = 1e-4                // largest relative difference of intervals one period apart
)

const (
	trainBytes  = int64(unsafe.Sizeof(head{}) + unsafe.Sizeof(tail{}))
	recentBytes = int64(unsafe.Sizeof(recent{}))
)

// newTrains returns the trains of n neurons; periodic says whether theirs may have periods, see mayHavePeriods.
func newTrains(n int, periodic bool) Trains {
	s := Trains{heads: make([]head, n), tails: make([]tail, n)}
	if periodic {
		s.recent = make([]recent, n)
	}
	return s
}

// mayHavePeriods reports whether intervals may differ from each other: because a state other than V outlasts a spike,
// or because the current changes over time, as where spikes are locked to a periodic waveform.
func (cfg Config) mayHavePeriods(m *model.Model) bool {
	if !cfg.Noise.none() {
		return false
	}
	return m.Fires == model.Crossing || len(m.States) > 1 || cfg.Waveform != nil || cfg.Input != nil
}

// CountedRate is the rate (Hz) from the number of spikes that are kept in ms milliseconds, as under noise.
func (s *Train) CountedRate(ms float64) float64 { return 1000 * float64(s.kept) / ms }

// note stores the interval that the last spike of neuron i ended.
func (s Trains) note(i int) {
	if t := &s.tails[i]; s.recent != nil && t.kept > 1 {
		s.recent[i][(t.kept-2)%recentIntervals] = float32(t.isiLast)
	}
}

// Len returns the number of neurons.
func (s Trains) Len() int { return len(s.tails) }

// At returns the train of neuron i. If its last intervals, up to 64, have a period of 2 to 21 intervals, its rate is
// over whole periods.
func (s Trains) At(i int) Train {
	t := Train{head: s.heads[i], tail: s.tails[i]}
	if s.recent == nil {
		return t
	}
	var last [recentIntervals]float64
	kept := t.Intervals()
	n := min(kept, recentIntervals)
	for k := range n {
		last[k] = float64(s.recent[i][(kept-n+k)%recentIntervals])
	}
	x := last[:n]
	if n > 12 { // the earlier ones may belong to a transient
		x = x[n/2:]
	}
	p := int64(Period(x, longestPeriod, alikeIntervals))
	if p == 0 {
		p = int64(Period(last[:n], longestPeriod, alikeIntervals))
	}
	if p > 1 {
		t.cut = kept % p
		for _, isi := range last[n-t.cut : n] {
			t.cutTime += isi
		}
	}
	return t
}

// Period returns the smallest p, at most most, such that any two intervals of x that are p apart differ by no more than
// alike times the mean interval or, if it is longer, the interval itself; x must hold three periods. It is 0 if there
// is none.
func Period(x []float64, most int, alike float64) int {
	if len(x) < 3 {
		return 0
	}
	sum := 0.0
	for _, v := range x {
		sum += v - x[0]
	}
	typical := x[0] + sum/float64(len(x))
	for p := 1; p <= min(most, len(x)/3); p++ {
		ok := true
		for i := len(x) - 1; i >= p && ok; i-- {
			ok = math.Abs(x[i]-x[i-p]) <= alike*max(typical, x[i])
		}
		if ok {
			return p
		}
	}
	return 0
}
