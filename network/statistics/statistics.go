// Package statistics measures spike trains of populations while they come in, in memory that does not grow with time.
package statistics

import "math"

// leastIntervals is the number of inter-spike intervals from which on the coefficient of variation of a neuron counts.
const leastIntervals = 9

// Population holds the measures of a population. What is undefined, as the CV of a silent population, is NaN.
type Population struct {
	Rate   float64 // mean over neurons, spikes/s
	RateSD float64 // standard deviation between neurons
	RateSE float64 // standard error of Rate: RateSD/sqrt(n)
	CV     float64 // mean coefficient of variation of intervals, over neurons with at least 9 of them

	// Of spike counts in bins: the variance of the population's count over its mean (Fano factor); the standard deviation of
	// the mean count of a neuron over the root of the mean variance of single neurons (Golomb & Rinzel, Physica D 72:259
	// (1994)), 1 where all fire together and 1/sqrt(n) where all are independent; and the mean correlation coefficient of
	// pairs weighted by the product of their standard deviations.
	Fano, Synchrony, Correlation float64
}

// Recorder measures the neurons of one population.
type Recorder struct {
	from, bin float64 // ms

	count          []int64 // spikes from from on
	last           []float64
	sum, square    []float64 // of intervals
	inBin          []int64   // count in the bin of the neuron's last spike
	squareBin      []float64 // of counts in earlier bins
	binOf          []int64
	population     int64 // count in the bin in hand
	current        int64
	total, squares float64 // of the population's counts in earlier bins
}

// NewRecorder measures n neurons from a time on, with counts in bins; both in ms.
func NewRecorder(n int, from, bin float64) *Recorder {
	return &Recorder{
		from: from, bin: bin, count: make([]int64, n), last: make([]float64, n), sum: make([]float64, n), square: make([]float64, n),
		inBin: make([]int64, n), squareBin: make([]float64, n), binOf: make([]int64, n),
	}
}

// Add notes a spike of neuron i at t ms. Spikes come in order of time.
func (r *Recorder) Add(i int, t float64) {
	if t < r.from {
		return
	}
	if r.count[i] > 0 {
		d := t - r.last[i]
		r.sum[i] += d
		r.square[i] += float64(d * d)
	}
	r.count[i]++
	r.last[i] = t
	k := int64((t - r.from) / r.bin)
	if k != r.binOf[i] {
		r.squareBin[i] += float64(r.inBin[i] * r.inBin[i])
		r.binOf[i], r.inBin[i] = k, 0
	}
	r.inBin[i]++
	if k != r.current {
		r.close()
		r.current = k
	}
	r.population++
}

func (r *Recorder) close() {
	c := float64(r.population)
	r.total += c
	r.squares += float64(c * c)
	r.population = 0
}

// Neuron is the number of spikes of neuron i, its rate over the time up to end (spikes/s), and the coefficient of variation of
// its intervals, NaN below two of them.
func (r *Recorder) Neuron(i int, end float64) (spikes int64, rate, cv float64) {
	cv = math.NaN()
	if n := float64(r.count[i] - 1); n >= 2 {
		mean := r.sum[i] / n
		cv = math.Sqrt(max(0, (r.square[i]-float64(n*mean)*mean)/(n-1))) / mean
	}
	return r.count[i], float64(r.count[i]) / (end - r.from) * 1000, cv
}

// Measure returns the measures of the population from the recorder's start to end, ms. The recorder must not be added to
// afterwards.
func (r *Recorder) Measure(end float64) Population {
	n := float64(len(r.count))
	p := Population{RateSD: math.NaN(), RateSE: math.NaN(), CV: math.NaN()}
	var sum, square, cvs, measured float64
	for i := range r.count {
		_, rate, cv := r.Neuron(i, end)
		sum += rate
		square += float64(rate * rate)
		if r.count[i] > leastIntervals {
			cvs += cv
			measured++
		}
	}
	p.Rate = sum / n
	if n > 1 {
		p.RateSD = math.Sqrt(max(0, (square-float64(n*p.Rate)*p.Rate)/(n-1)))
		p.RateSE = p.RateSD / math.Sqrt(n)
	}
	if measured > 0 {
		p.CV = cvs / measured
	}
	r.close()
	bins := math.Floor((end-r.from)/r.bin + 0.5)
	mean := r.total / bins
	variance := r.squares/bins - float64(mean*mean)
	var single, deviations float64 // sums over neurons
	for i := range r.count {
		m := float64(r.count[i]) / bins
		v := (r.squareBin[i]+float64(r.inBin[i]*r.inBin[i]))/bins - float64(m*m)
		single += v
		deviations += math.Sqrt(max(0, v))
	}
	p.Fano = variance / mean
	p.Synchrony = math.Sqrt(variance / (n * single))
	p.Correlation = (variance - single) / (float64(deviations*deviations) - single)
	if n < 2 || single == 0 {
		p.Correlation = math.NaN()
	}
	return p
}
