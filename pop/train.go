package pop

import (
	"math"
	"unsafe"
)

const trainBytes = int64(unsafe.Sizeof(Train{}))

// Train sums up the spikes of one neuron as they come, in ms. The zero value is a train without spikes. Intervals count
// for the rate and its variation once their first spike is at or after the time from which spikes are kept.
type Train struct {
	Spikes      int64   // in the whole run
	First, Last float64 // times of the first and the last spike
	ISIFirst    float64 // first interval of the whole run; 0 before there is one
	ISILast     float64 // last interval of the whole run

	Intervals   int64   // kept
	reference   float64 // the first kept interval: sums are taken of differences from it, which keeps their digits
	sum, square float64
}

// Add notes a spike at t ms; from is the time from which intervals are kept.
func (s *Train) Add(t, from float64) {
	s.Spikes++
	if s.Spikes == 1 {
		s.First, s.Last = t, t
		return
	}
	isi := t - s.Last
	if s.Spikes == 2 {
		s.ISIFirst = isi
	}
	if s.Last >= from {
		if s.Intervals == 0 {
			s.reference = isi
		}
		d := isi - s.reference
		s.Intervals++
		s.sum += d
		s.square = math.FMA(d, d, s.square)
	}
	s.ISILast, s.Last = isi, t
}

// Mean is the mean kept interval, ms; NaN without one.
func (s *Train) Mean() float64 {
	if s.Intervals == 0 {
		return math.NaN()
	}
	return s.reference + s.sum/float64(s.Intervals)
}

// Rate is 1000 over the mean kept interval, Hz; 0 without one.
func (s *Train) Rate() float64 {
	if s.Intervals == 0 {
		return 0
	}
	return 1000 / s.Mean()
}

// CV is the standard deviation (over their number) of the kept intervals over their mean; NaN with fewer than two.
func (s *Train) CV() float64 {
	if s.Intervals < 2 {
		return math.NaN()
	}
	n := float64(s.Intervals)
	variance := s.square/n - float64(s.sum/n)*(s.sum/n)
	return math.Sqrt(max(0, variance)) / s.Mean()
}

// Latency is the time of the first spike, ms; NaN without one.
func (s *Train) Latency() float64 {
	if s.Spikes == 0 {
		return math.NaN()
	}
	return s.First
}
