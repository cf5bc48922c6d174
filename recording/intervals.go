package recording

import (
	"math"

	"popsim/pop"
)

// Intervals keeps the last intervals between the spikes of each neuron.
type Intervals struct {
	last  []float64   // time of the last spike by neuron, ms; NaN before the first
	kept  [][]float64 // by neuron, in order of time; up to twice as many as are returned
	limit int
}

// NewIntervals returns a recorder that keeps up to limit intervals of each of n neurons.
func NewIntervals(n, limit int) *Intervals {
	r := &Intervals{last: make([]float64, n), kept: make([][]float64, n), limit: limit}
	for i := range r.last {
		r.last[i] = math.NaN()
	}
	return r
}

// AddSpikes adds the intervals that a block of spikes ends.
func (r *Intervals) AddSpikes(block []pop.Spike) error {
	for _, x := range block {
		i := x.Neuron
		if !math.IsNaN(r.last[i]) {
			if len(r.kept[i]) == 2*r.limit {
				r.kept[i] = append(r.kept[i][:0], r.kept[i][r.limit:]...)
			}
			r.kept[i] = append(r.kept[i], x.Time-r.last[i])
		}
		r.last[i] = x.Time
	}
	return nil
}

// Of returns the last intervals of neuron i, ms, in order of time. They belong to the recorder.
func (r *Intervals) Of(i int) []float64 { return r.kept[i][max(0, len(r.kept[i])-r.limit):] }
