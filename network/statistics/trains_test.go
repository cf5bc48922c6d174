package statistics

import (
	"math"
	"testing"

	"popsim/rng"
)

// near fails where a value is off by more than a tolerance.
func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s %v, want %v +- %v", what, got, want, tolerance)
	}
}

// rounding is the tolerance of values that are exact except for rounding.
const rounding = 1e-9

// TestTrainsByHand compares with values computed by hand.
func TestTrainsByHand(t *testing.T) {
	d := Intervals([]float64{0, 1, 3, 4, 6})
	near(t, "CV of 1 2 1 2", CV(d).Value, math.Sqrt(1.0/3)/1.5, rounding)
	near(t, "CV2 of 1 2 1 2", CV2(d).Value, 2.0/3, rounding)
	near(t, "its error", CV2(d).SE, 0, rounding)
	near(t, "Fano of 1 2 3", Fano([]float64{1, 2, 3}).Value, 0.5, rounding)
	near(t, "correlation", Correlation([]float64{1, 2, 3, 4}, []float64{2, 4, 6, 8}).Value, 1, rounding)
	near(t, "correlation", Correlation([]float64{1, 2, 3}, []float64{1, 0, 1}).Value, 0, rounding)
	counts := Counts([]float64{0.1, 0.3, 0.9999999999999, 5}, 0, 2.5, 0.1)
	near(t, "bins", float64(len(counts)), 25, 0)
	near(t, "a spike on an edge", counts[3], 1, 0)
	near(t, "a spike a rounding before an edge", counts[10], 1, 0)
	l := VectorStrength([]float64{2, 12, 22, 32}, 10)
	near(t, "strength of equal phases", l.Strength.Value, 1, rounding)
	near(t, "its error", l.Strength.SE, 0, 1e-7) // the root of a rounding
	near(t, "phase", l.Phase, 0.4*math.Pi, rounding)
	near(t, "strength of opposite phases", VectorStrength([]float64{0, 5}, 10).Strength.Value, 0, rounding)
	near(t, "strength of phases 0 and a quarter", VectorStrength([]float64{0, 2.5}, 10).Strength.Value, math.Sqrt(0.5),
		rounding)
	signal := []float64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	a := TriggeredAverage(signal, 0.5, []float64{0.2, 1.5, 2.6, 4.9}, 2, 1)
	near(t, "spikes with surroundings", float64(a.Spikes), 2, 0)
	for j, want := range []float64{2, 3, 4, 5} {
		near(t, "average", a.Mean[j], want, rounding)
		near(t, "its error", a.SE[j], 1, rounding) // sd sqrt(2) of 2
	}
	near(t, "lag", a.Lag[0], -1, 0)
}

// TestTooFew: measures of too few data are missing.
func TestTooFew(t *testing.T) {
	for what, x := range map[string]float64{
		"CV": CV([]float64{1, 2}).Value, "CV2": CV2([]float64{1}).Value, "Fano": Fano(nil).Value,
		"correlation": Correlation([]float64{1}, []float64{2}).Value,
		"strength":    VectorStrength([]float64{1}, 2).Strength.Value,
		"silent":      Fano([]float64{0, 0, 0, 0}).Value,
	} {
		if !math.IsNaN(x) {
			t.Errorf("%s of too few data is %v", what, x)
		}
	}
	if s := PowerSpectrum(make([]float64, 5), 1, 1, 8); len(s.Power) != 0 {
		t.Error("a spectrum of too few bins")
	}
}

// gamma is a train of n intervals, each the sum of shape exponential ones of mean 1/shape.
func gamma(n, shape int, seed uint64) []float64 {
	s := rng.NewStream(seed, "gamma")
	times, now := []float64{0}, 0.0
	for k := range n {
		for j := range shape {
			now += rng.Exponential32(s.At(uint32(k), uint32(j))[0]) / float64(shape)
		}
		times = append(times, now)
	}
	return times
}

// TestTrainsByLaw compares with the values of gamma trains: CV 1/sqrt(k); CV2 1 for k = 1, 3/4 for k = 2 (Holt et al.
// 1996). Values agree within four of their own errors, and those with the scatter of 40 trains within a third: what the
// scatter of 40 is uncertain by, three times over.
func TestTrainsByLaw(t *testing.T) {
	const trains, n = 40, 400
	for _, shape := range []int{1, 2} {
		var cv, cv2, fano [2]scatter // values, errors
		for seed := range uint64(trains) {
			times := gamma(n, shape, seed+1)
			for _, c := range []struct {
				to *[2]scatter
				e  Estimate
			}{{&cv, CV(Intervals(times))}, {&cv2, CV2(Intervals(times))}, {&fano, Fano(Counts(times, 0, n*0.8, 20))}} {
				c.to[0].add(c.e.Value)
				c.to[1].add(c.e.SE)
			}
		}
		for _, c := range []struct {
			what string
			s    [2]scatter
			want float64
		}{{"CV", cv, 1 / math.Sqrt(float64(shape))}, {"CV2", cv2, []float64{1, 0.75}[shape-1]}, {"Fano", fano, 0}} {
			mean, se := c.s[0].mean()
			if c.want > 0 {
				near(t, c.what, mean, c.want, 4*se+1.5/n) // CV of n intervals is low by about 1/n
			}
			told, _ := c.s[1].mean()
			if c.what != "Fano" || shape == 1 { // counts of regular trains are not independent
				near(t, "error of "+c.what, told/c.s[0].deviation(), 1, 1.0/3)
			}
		}
	}
}

// TestVectorStrengthByLaw: a train whose phases are von Mises-like, a uniform one and one locked by a known amount.
func TestVectorStrengthByLaw(t *testing.T) {
	const n, period = 20000, 7.0
	s := rng.NewStream(5, "phases")
	var uniform, half []float64 // half of the spikes at phase 1/4, half anywhere: strength 1/2
	for k := range uint32(n) {
		x := rng.Uniform32(s.At(k, 0)[0]) * period
		uniform = append(uniform, float64(k)*period+x)
		if k%2 == 0 {
			x = period / 4
		}
		half = append(half, float64(k)*period+x)
	}
	l := VectorStrength(half, period)
	near(t, "strength", l.Strength.Value, 0.5, 4*l.Strength.SE)
	near(t, "its error", l.Strength.SE, math.Sqrt((1+0.5-0.5)/(2*n)), 1e-4)
	near(t, "phase", l.Phase, math.Pi/2, 0.05)
	near(t, "P", l.P, 0, 1e-12)
	if l := VectorStrength(uniform, period); l.P < 1e-3 {
		t.Errorf("a uniform train is locked with P = %v", l.P)
	}
}

// TestSpectrum: independent Poisson trains have a flat spectrum of 2r/n, a sine of amplitude a the power a²/2 around
// its frequency, and the integral of the power is the variance.
func TestSpectrum(t *testing.T) {
	const n, bin, rate, bins, segment = 50, 1.0, 20.0, 1 << 15, 512
	counts := make([]float64, bins)
	s := rng.NewStream(9, "counts")
	law, err := rng.NewPoisson(n * rate * bin / 1000)
	if err != nil {
		t.Fatal(err)
	}
	for k := range counts {
		counts[k] = float64(law.At(s.At(uint32(k), 0)[0]))
	}
	p := PowerSpectrum(counts, n, bin, segment)
	var level scatter
	outside := 0
	for j := range p.Power {
		level.add(p.Power[j])
		if math.Abs(p.Power[j]-2*rate/n) > 3*p.SE[j] {
			outside++
		}
	}
	mean, _ := level.mean()
	near(t, "level", mean, 2*rate/n, 0.02)                                   // 5 standard errors
	near(t, "scatter", level.deviation()/mean/(p.SE[0]/p.Power[0]), 1, 0.15) // of 256
	if outside > 5 {
		t.Errorf("%d of %d frequencies are off by more than three errors", outside, len(p.Power))
	}
	const f, a = 62.5, 8.0 // 32 of the segment's frequencies
	for k := range counts {
		counts[k] = n * bin / 1000 * (rate + a*math.Sin(2*math.Pi*f*float64(k)*bin/1000))
	}
	p = PowerSpectrum(counts, n, bin, segment)
	total := 0.0
	for _, x := range p.Power {
		total += x * (p.Frequency[1] - p.Frequency[0])
	}
	near(t, "power of a sine", total, a*a/2, 1e-6)
	peak, se, _ := p.Peak(0, 500)
	near(t, "peak", peak, f, rounding)
	near(t, "its error", se, p.Frequency[0]/2, rounding)
}

// TestBroadPeak: the frequency of a broad peak, that of noise with a resonance at 114 Hz, is more accurate than that of
// the largest single power, and its error is its scatter.
func TestBroadPeak(t *testing.T) {
	const f, seeds, bins, segment = 114.0, 30, 2500, 256
	damp := math.Exp(-0.1) // a width of 2·0.1/(2 pi ms) = 32 Hz
	var peaks, errors scatter
	for seed := range uint64(seeds) {
		s := rng.NewStream(seed, "ringing")
		counts := make([]float64, bins)
		for k := range counts {
			counts[k] = 20 + float64(rng.Normal32(s.At(uint32(k), 0)[0]))
			if k > 1 {
				counts[k] += 2*damp*math.Cos(2*math.Pi*f/1000)*(counts[k-1]-20) - damp*damp*(counts[k-2]-20)
			}
		}
		peak, se, _ := PowerSpectrum(counts, 1, 1, segment).Peak(0, 500)
		peaks.add(peak)
		errors.add(se)
	}
	mean, _ := peaks.mean()
	typical, _ := errors.mean()
	near(t, "mean", mean, f, 4) // three errors of a mean of 30, and 1 Hz by which damping shifts the peak
	if r := typical / peaks.deviation(); !(r > 0.6 && r < 2) || peaks.deviation() > 10 {
		t.Errorf("peaks scatter by %v Hz, their errors are %v Hz", peaks.deviation(), typical)
	}
}
