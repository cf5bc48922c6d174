package pop

import (
	"math"
	"unsafe"
)

// Train sums up the spikes of one neuron as they come, in ms. The zero value is a train without spikes. Intervals count
// for the rate and its variation once their first spike is at or after the time from which spikes are kept.
type Train struct {
	head
	tail
}

// head is what the first spikes of a train leave.
type head struct {
	first, isiFirst float64
	earlier         int64   // spikes before those that are kept
	start           float64 // the first that is kept
}

// tail is what every spike changes.
type tail struct {
	kept          int64   // spikes
	last, isiLast float64 // of the whole run
	reference     float64 // the first kept interval: squares are taken of differences from it, which keeps their digits
	square        float64
}

// Add notes a spike at t ms; from is the time from which spikes are kept.
func (s *Train) Add(t, from float64) {
	if s.kept < 2 {
		s.begin(&s.tail, t, from)
	} else {
		s.add(t)
	}
}

// add notes a spike before which there is a kept interval.
func (l *tail) add(t float64) {
	l.kept++
	l.isiLast, l.last = t-l.last, t
	d := l.isiLast - l.reference
	l.square += float64(d * d)
}

// begin notes any other spike.
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

// Spikes is how many there were in the whole run.
func (s *Train) Spikes() int64 { return s.earlier + s.kept }

// Intervals is how many are kept.
func (s *Train) Intervals() int64 { return max(0, s.kept-1) }

// Last is the time of the last spike, ms; 0 before there is one.
func (s *Train) Last() float64 { return s.last }

// ISIFirst is the first interval of the whole run, ms; 0 before there is one.
func (s *Train) ISIFirst() float64 { return s.isiFirst }

// ISILast is the last interval of the whole run, ms; 0 before there is one.
func (s *Train) ISILast() float64 { return s.isiLast }

// Mean is the mean kept interval, ms; NaN without one.
func (s *Train) Mean() float64 {
	if s.kept < 2 {
		return math.NaN()
	}
	return (s.last - s.start) / float64(s.kept-1)
}

// Rate is 1000 over the mean kept interval, Hz; 0 without one.
func (s *Train) Rate() float64 {
	if s.kept < 2 {
		return 0
	}
	return 1000 / s.Mean()
}

// CV is the standard deviation (over their number) of the kept intervals over their mean; NaN with fewer than two.
func (s *Train) CV() float64 {
	if s.kept < 3 {
		return math.NaN()
	}
	off := s.Mean() - s.reference
	variance := s.square/float64(s.kept-1) - float64(off*off)
	return math.Sqrt(max(0, variance)) / s.Mean()
}

// Latency is the time of the first spike, ms; NaN without one.
func (s *Train) Latency() float64 {
	if s.Spikes() == 0 {
		return math.NaN()
	}
	return s.first
}

// Trains is a Train for each of many neurons. What every spike changes lies side by side.
type Trains struct {
	heads []head
	tails []tail
}

const trainBytes = int64(unsafe.Sizeof(Train{}))

func newTrains(n int) Trains { return Trains{make([]head, n), make([]tail, n)} }

// Len is the number of neurons.
func (s Trains) Len() int { return len(s.tails) }

// At is the train of neuron i.
func (s Trains) At(i int) Train { return Train{s.heads[i], s.tails[i]} }
