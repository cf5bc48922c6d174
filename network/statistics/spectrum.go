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
}

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

// Peak returns the frequency of the largest power between two frequencies, and that power.
func (s Spectrum) Peak(from, to float64) (frequency, power float64) {
	frequency = math.NaN()
	for j, f := range s.Frequency {
		if f >= from && f <= to && !(s.Power[j] <= power) {
			frequency, power = f, s.Power[j]
		}
	}
	return frequency, power
}
