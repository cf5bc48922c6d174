package statistics

import (
	"math"
	"unsafe"
)

const (
	// leastIntervals is the number of inter-spike intervals from which on CV and CV2 of a neuron count.
	leastIntervals = 9
	// batches is the number of stretches of time whose scatter gives the standard errors of measures of counts.
	batches = 10
	// leastBins is the number of bins from which on a batch has measures of its own.
	leastBins = 10
	// edge is the share of a bin by which a spike may miss the beginning of the next and still belong to it: the rounding
	// of times that lie on a grid.
	edge = 1e-9
)

// Population holds the measures of a population, each followed by its standard error. What is undefined, as the CV of a
// silent population, is NaN.
type Population struct {
	Rate, RateSE float64 // mean over neurons, spikes/s; the error is RateSD/sqrt(n)
	RateSD       float64 // standard deviation between neurons

	// Means over the neurons with at least 9 intervals, and the standard deviation between them over the root of their
	// number: the coefficient of variation of intervals, and CV2, the mean of 2|b-a|/(a+b) over adjacent intervals a and b
	// (Holt et al., J. Neurophysiol. 75:1806 (1996)).
	CV, CVSE, CV2, CV2SE float64

	// Of spike counts in bins: the variance of the population's count over its mean (Fano factor); the standard deviation
	// of the mean count of a neuron over the root of the mean variance of single neurons (chi of Golomb & Rinzel, Physica
	// D 72:259 (1994), with counts for potentials), 1 where all fire together and 1/sqrt(n) where all are independent; and
	// the mean correlation coefficient of pairs, weighted by the product of their standard deviations. Their errors come
	// from the scatter between ten stretches of the time, which includes all correlations shorter than these.
	Fano, FanoSE, Synchrony, SynchronySE, Correlation, CorrelationSE float64

	// Of the power spectrum of the rate: the frequency of its peak, see Spectrum.Peak, and the largest power over 2r/n,
	// what independent Poisson trains of rate r have.
	Peak, PeakSE, PeakRatio float64
	Spectrum                Spectrum
}

// Column is a column of the table of populations.
type Column struct {
	Name string
	Of   func(*Population) float64
}

// Columns are those of the table of populations, in their order.
var Columns = []Column{
	{"rate_Hz", func(p *Population) float64 { return p.Rate }},
	{"rate_se_Hz", func(p *Population) float64 { return p.RateSE }},
	{"rate_sd_Hz", func(p *Population) float64 { return p.RateSD }},
	{"cv", func(p *Population) float64 { return p.CV }},
	{"synchrony", func(p *Population) float64 { return p.Synchrony }},
	{"fano", func(p *Population) float64 { return p.Fano }},
	{"correlation", func(p *Population) float64 { return p.Correlation }},
	{"cv_se", func(p *Population) float64 { return p.CVSE }},
	{"cv2", func(p *Population) float64 { return p.CV2 }},
	{"cv2_se", func(p *Population) float64 { return p.CV2SE }},
	{"synchrony_se", func(p *Population) float64 { return p.SynchronySE }},
	{"fano_se", func(p *Population) float64 { return p.FanoSE }},
	{"correlation_se", func(p *Population) float64 { return p.CorrelationSE }},
	{"peak_Hz", func(p *Population) float64 { return p.Peak }},
	{"peak_se_Hz", func(p *Population) float64 { return p.PeakSE }},
	{"peak_ratio", func(p *Population) float64 { return p.PeakRatio }},
}

// Recorder measures the neurons of one population while their spikes are added.
type Recorder struct {
	from, bin float64 // ms
	batch     int64   // bins of a batch

	intervals []intervals
	counts    []counts
	now       int64  // number of the current bin
	inBin     int64  // count of the population in it
	part, all binned // earlier bins of the current batch, and of all earlier batches
	closed    [][3]float64
	series    []int32 // counts of the population in earlier bins
}

// intervals sums up the inter-spike intervals of a neuron.
type intervals struct {
	spikes              int64
	last, interval      float64 // time of the last spike, the last interval
	sum, square, change float64 // of intervals, of their squares, of 2|b-a|/(a+b)
}

// counts sums up the counts of a neuron in bins, which are whole numbers.
type counts struct {
	bin, inBin int64 // the bin of the last spike, and the count in it
	part       moment
	all        moment
}

// moment is a sum of counts and of their squares.
type moment struct{ sum, square int64 }

func (m *moment) add(c int64)    { m.sum, m.square = m.sum+c, m.square+c*c }
func (m *moment) join(o *moment) { m.sum, m.square = m.sum+o.sum, m.square+o.square; *o = moment{} }

// variance is that of the counts in n bins.
func (m *moment) variance(n int64) float64 {
	mean := float64(m.sum) / float64(n)
	return float64(m.square)/float64(n) - float64(mean*mean)
}

// binned is the counts of a population in a number of bins.
type binned struct {
	moment
	bins int64
}

// NewRecorder returns a recorder of n neurons for the time between from and to, with counts in bins; all in ms.
func NewRecorder(n int, from, to, bin float64) *Recorder {
	return &Recorder{
		from: from, bin: bin, batch: max(leastBins, int64((to-from)/bin+edge)/batches),
		intervals: make([]intervals, n), counts: make([]counts, n),
	}
}

// NeuronBytes is the memory of a Recorder for each neuron.
const NeuronBytes = int(unsafe.Sizeof(intervals{}) + unsafe.Sizeof(counts{}))

// Add adds a spike of neuron i at t ms. Spikes are added in order of time.
func (r *Recorder) Add(i int, t float64) {
	if t < r.from {
		return
	}
	v := &r.intervals[i]
	if v.spikes > 0 {
		d := t - v.last
		v.sum += d
		v.square += float64(d * d)
		if v.spikes > 1 {
			v.change += 2 * math.Abs(d-v.interval) / (d + v.interval)
		}
		v.interval = d
	}
	v.spikes++
	v.last = t
	k := int64((t-r.from)/r.bin + edge)
	r.advance(k)
	r.inBin++
	c := &r.counts[i]
	if k != c.bin {
		c.part.add(c.inBin)
		c.bin, c.inBin = k, 0
	}
	c.inBin++
}

// advance ends the bins before bin k, and the batches before its own.
func (r *Recorder) advance(k int64) {
	for end := (r.now/r.batch + 1) * r.batch; k >= end; end += r.batch {
		r.count(end)
		r.close()
	}
	if k > r.now {
		r.count(k)
	}
}

// count ends the bins before bin k, of the current batch.
func (r *Recorder) count(k int64) {
	r.part.add(r.inBin)
	r.part.bins += k - r.now
	r.series = append(r.series, int32(r.inBin))
	r.series = append(r.series, make([]int32, k-r.now-1)...)
	r.now, r.inBin = k, 0
}

// close ends the current batch.
func (r *Recorder) close() {
	for i := range r.counts {
		c := &r.counts[i]
		c.part.add(c.inBin)
		c.inBin = 0
	}
	if r.part.bins >= max(leastBins, r.batch/2) {
		f, s, c := r.measure(&r.part, func(c *counts) *moment { return &c.part })
		r.closed = append(r.closed, [3]float64{f, s, c})
	}
	for i := range r.counts {
		r.counts[i].all.join(&r.counts[i].part)
	}
	r.all.join(&r.part.moment)
	r.all.bins += r.part.bins
	r.part.bins = 0
}

// measure is Fano factor, synchrony and correlation of counts in bins.
func (r *Recorder) measure(p *binned, of func(*counts) *moment) (fano, synchrony, correlation float64) {
	variance := p.variance(p.bins)
	var single, deviations float64 // sums over neurons
	for i := range r.counts {
		v := of(&r.counts[i]).variance(p.bins)
		single += v
		deviations += math.Sqrt(max(0, v))
	}
	fano = variance / (float64(p.sum) / float64(p.bins))
	synchrony = math.Sqrt(variance / (float64(len(r.counts)) * single))
	correlation = (variance - single) / (float64(deviations*deviations) - single)
	if len(r.counts) < 2 || single == 0 {
		correlation = math.NaN()
	}
	return fano, synchrony, correlation
}

// variation is the coefficient of variation of the intervals, with the squares of deviations over their number less
// one, and CV2. They are NaN where there are too few.
func (v *intervals) variation() (cv, cv2 float64) {
	n := float64(v.spikes - 1)
	if n < 2 {
		return math.NaN(), math.NaN()
	}
	mean := v.sum / n
	return math.Sqrt(max(0, (v.square-float64(float64(n*mean)*mean))/(n-1))) / mean, v.change / (n - 1)
}

// Measure returns the measures of the population from the recorder's start to end, ms. The recorder must not be added
// to afterwards.
func (r *Recorder) Measure(end float64) Population {
	var rate, cv, cv2 scatter
	for i := range r.intervals {
		v := &r.intervals[i]
		rate.add(float64(float64(v.spikes) / (end - r.from) * 1000))
		if v.spikes > leastIntervals {
			a, b := v.variation()
			cv.add(a)
			cv2.add(b)
		}
	}
	var p Population
	p.Rate, p.RateSE = rate.mean()
	p.RateSD = rate.deviation()
	p.CV, p.CVSE = cv.mean()
	p.CV2, p.CV2SE = cv2.mean()
	r.finish(int64((end-r.from)/r.bin + edge))
	p.Fano, p.Synchrony, p.Correlation = r.measure(&r.all, func(c *counts) *moment { return &c.all })
	var errors [3]scatter
	for _, x := range r.closed {
		for j := range errors {
			errors[j].add(x[j])
		}
	}
	_, p.FanoSE = errors[0].mean()
	_, p.SynchronySE = errors[1].mean()
	_, p.CorrelationSE = errors[2].mean()
	r.spectrum(&p)
	return p
}

// Segments of the spectrum of a rate: a power of two bins, of which there are at least leastSegments without overlap.
const (
	mostSegment   = 1024
	leastSegment  = 32
	leastSegments = 4
)

// SpectrumBins is the number of bins from which on a rate has a spectrum.
const SpectrumBins = leastSegment * leastSegments

// spectrum computes the spectrum of the rate, and its peak.
func (r *Recorder) spectrum(p *Population) {
	p.Peak, p.PeakSE, p.PeakRatio = math.NaN(), math.NaN(), math.NaN()
	segment := mostSegment
	for segment > leastSegment && segment*leastSegments > len(r.series) {
		segment /= 2
	}
	if segment*leastSegments > len(r.series) || r.all.sum == 0 {
		return
	}
	counts := make([]float64, len(r.series))
	for k, c := range r.series {
		counts[k] = float64(c)
	}
	n := len(r.counts)
	p.Spectrum = PowerSpectrum(counts, n, r.bin, segment)
	var power float64
	p.Peak, p.PeakSE, power = p.Spectrum.Peak(0, math.Inf(1))
	p.PeakRatio = power / (2 * p.Rate / float64(n))
}

// finish ends the last batch after a number of whole bins; spikes in an incomplete last bin are left out.
func (r *Recorder) finish(bins int64) {
	if r.now >= bins {
		r.inBin = 0
		for i := range r.counts {
			if c := &r.counts[i]; c.bin >= bins {
				c.inBin = 0
			}
		}
	}
	r.advance(bins)
	if r.part.bins > 0 {
		r.close()
	}
}

// scatter is the mean and deviation of numbers that are not NaN.
type scatter struct{ n, sum, square float64 }

func (s *scatter) add(x float64) {
	if !math.IsNaN(x) {
		s.n++
		s.sum += x
		s.square += float64(x * x)
	}
}

// deviation is the standard deviation; NaN below two numbers.
func (s *scatter) deviation() float64 {
	if s.n < 2 {
		return math.NaN()
	}
	m := s.sum / s.n
	return math.Sqrt(max(0, (s.square-float64(float64(s.n*m)*m))/(s.n-1)))
}

// mean is the mean with its standard error; NaN where there is none.
func (s *scatter) mean() (mean, se float64) {
	if s.n == 0 {
		return math.NaN(), math.NaN()
	}
	return s.sum / s.n, s.deviation() / math.Sqrt(s.n)
}
