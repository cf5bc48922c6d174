package statistics

import (
	"math"

	"gonum.org/v1/gonum/dsp/fourier"
)

// Spectrum is the power of a rate by frequency.
type Spectrum struct {
	Frequency []float64 // Hz, from 1/(length of a segment) on
	Power     []float64 // (spikes/s)²/Hz, one-sided: its integral is the variance of the rate
	SE        []float64
	Segments  int

	groups [][]float64 // the power of groups of segments, one after the other in turns
}

// peakGroups is the number of groups of segments whose scatter gives the error of the frequency of a peak.
const peakGroups = 10

// PowerSpectrum is that of counts of a population of n neurons in bins (ms), as spikes/s per neuron, by Welch's method:
// the mean over segments of so many bins that overlap by half, each less the mean of all and under a Hann window
// (Welch, IEEE Trans. Audio Electroacoust. 15:70 (1967)). Independent Poisson trains of rate r have the power 2r/n at
// all frequencies. It is empty where there are fewer bins than a segment has.
func PowerSpectrum(counts []float64, n int, bin float64, segment int) Spectrum {
	var s Spectrum
	if segment < 2 || len(counts) < segment {
		return s
	}
	mean := 0.0
	for _, c := range counts {
		mean += c / float64(len(counts))
	}
	window, norm := make([]float64, segment), 0.0
	for k := range window {
		window[k] = 0.5 - float64(0.5*math.Cos(2*math.Pi*float64(k)/float64(segment)))
		norm += float64(window[k] * window[k])
	}
	seconds := bin / 1000
	scale := 2 * seconds / norm / math.Pow(seconds*float64(n), 2)
	transform := fourier.NewFFT(segment)
	part := make([]float64, segment)
	for range min(peakGroups, (len(counts)-segment)/(segment/2)+1) {
		s.groups = append(s.groups, make([]float64, segment/2))
	}
	s.Power = make([]float64, segment/2)
	for first := 0; first+segment <= len(counts); first += segment / 2 {
		for k := range part {
			part[k] = (counts[first+k] - mean) * window[k]
		}
		for j, c := range transform.Coefficients(nil, part)[1 : segment/2+1] {
			s.Power[j] += float64(scale * (float64(real(c)*real(c)) + float64(imag(c)*imag(c))))
		}
		s.Segments++
	}
	// Segments that overlap by half share a sixth of their amplitude under this window.
	k := float64(s.Segments)
	share := math.Sqrt((1 + float64(2.0/36*(1-1/k))) / k)
	for j := range s.Power {
		s.Power[j] /= k
		if segment%2 == 0 && j == len(s.Power)-1 {
			s.Power[j] /= 2 // the frequency of half the bins has no mirror
		}
		s.Frequency = append(s.Frequency, float64(j+1)/(float64(segment)*seconds))
		s.SE = append(s.SE, share*s.Power[j])
	}
	return s
}

// Peak returns the frequency about which the power is largest between two frequencies, its standard error, and the
// largest power. A broad peak is wider than the distance of frequencies, and single powers scatter; so the frequency is
// that at which the power is largest when it is smoothed by a Gaussian whose standard deviation is peakWidth of the
// frequency. The error is a jackknife over groups of segments, and no less than half the distance of frequencies.
func (s Spectrum) Peak(from, to float64) (frequency, se, power float64) {
	for j, f := range s.Frequency {
		if f >= from && f <= to {
			power = max(power, s.Power[j])
		}
	}
	if len(s.Frequency) < 2 || power == 0 {
		return math.NaN(), math.NaN(), power
	}
	frequency = s.smoothPeak(s.Power, from, to)
	se = s.Frequency[0] / 2
	g := float64(len(s.groups))
	if g < 3 {
		return frequency, se, power
	}
	total, without, peaks, mean := make([]float64, len(s.Power)), make([]float64, len(s.Power)), []float64(nil), 0.0
	for _, group := range s.groups {
		for j, x := range group {
			total[j] += x
		}
	}
	for _, group := range s.groups {
		for j, x := range group {
			without[j] = total[j] - x
		}
		peaks = append(peaks, s.smoothPeak(without, from, to))
		mean += peaks[len(peaks)-1] / g
	}
	square := 0.0
	for _, f := range peaks {
		square += float64((f - mean) * (f - mean))
	}
	return frequency, max(se, math.Sqrt(square*(g-1)/g)), power
}

// peakWidth is the standard deviation of the Gaussian by which Peak smooths a spectrum, in parts of the frequency.
const peakWidth = 0.06

// smoothPeak is the frequency between two at which powers are largest when they are smoothed.
func (s Spectrum) smoothPeak(power []float64, from, to float64) (frequency float64) {
	most, step := -1.0, s.Frequency[0]
	for j, f := range s.Frequency {
		if f < from || f > to {
			continue
		}
		width := max(peakWidth*f, 1e-9)
		reach := int(3 * width / step)
		sum, norm := 0.0, 0.0
		for i := max(0, j-reach); i <= min(len(power)-1, j+reach); i++ {
			d := (s.Frequency[i] - f) / width
			w := math.Exp(-d * d / 2)
			sum, norm = sum+float64(w*power[i]), norm+w
		}
		if y := sum / norm; y > most {
			most, frequency = y, f
		}
	}
	return frequency
}
