package statistics

import (
	"math"
	"testing"

	"popsim/rng"
)

// TestRegular: trains that are equal have CV 0, synchrony 1 and correlation 1; rates are exact.
func TestRegular(t *testing.T) {
	r := NewRecorder(10, 100, 1000, 1)
	for k := range 100 {
		for i := range 10 {
			r.Add(i, 10*float64(k)+0.5)
		}
	}
	p := r.Measure(1000)
	const tolerance = 1e-7 // of square roots of differences that are 0
	for name, d := range map[string]float64{
		"rate": p.Rate - 100, "sd": p.RateSD, "cv": p.CV, "synchrony": p.Synchrony - 1, "correlation": p.Correlation - 1,
		"fano": p.Fano - 10*0.9,
		"cv2":  p.CV2, "synchrony_se": p.SynchronySE, "correlation_se": p.CorrelationSE, "fano_se": p.FanoSE,
	} {
		if !(math.Abs(d) < tolerance) {
			t.Errorf("%s is off by %v", name, d)
		}
	}
}

// TestPoisson: independent Poisson trains have CV 1, Fano factor 1, synchrony 1/sqrt(n) and correlation 0.
func TestPoisson(t *testing.T) {
	const n, end, rate = 100, 20000.0, 0.02 // spikes/ms
	r := NewRecorder(n, 0, end, 1)
	s := rng.NewStream(1, "trains")
	now := 0.0
	for k := uint32(0); ; k++ {
		b := s.At(k, 0)
		if now += rng.Exponential32(b[0]) / (n * rate); now >= end {
			break
		}
		r.Add(int(rng.Below(b[1], n)), now)
	}
	p := r.Measure(end)
	// Four standard errors: 40000 spikes; 20000 bins; 400 intervals a neuron, whose CV is low by 1/400.
	for _, c := range []struct {
		name             string
		got, want, error float64
	}{
		{"rate", p.Rate, 20, 0.4},
		{"sd", p.RateSD, 1, 0.3},
		{"se", p.RateSE, 0.1, 0.03},
		{"cv", p.CV, 1, 0.03},
		{"fano", p.Fano, 1, 0.04},
		{"synchrony", p.Synchrony, 0.1, 0.004},
		{"correlation", p.Correlation, 0, 0.0004},
		// Errors estimated from ten batches are themselves uncertain by a quarter: 3.3 times that are allowed, and a
		// bias.
		{"cv2", p.CV2, 1, 0.02},
		{"cv se", p.CVSE, 0.005, 0.0025}, // 1/sqrt(2 * 400), over 10
		{"fano se", p.FanoSE, 0.01, 0.009},
		{"synchrony se", p.SynchronySE, 0.0005, 0.00045},
		{"peak ratio", p.PeakRatio, 1.5, 0.5}, // the largest of 512 powers, each the mean of 37 segments
		{"correlation se", p.CorrelationSE, 0.0001, 0.00009},
	} {
		if !(math.Abs(c.got-c.want) < c.error) {
			t.Errorf("%s %v, want %v +- %v", c.name, c.got, c.want, c.error)
		}
	}
}

func TestSilent(t *testing.T) {
	p := NewRecorder(3, 0, 100, 1).Measure(100)
	if p.Rate != 0 || !math.IsNaN(p.CV) || !math.IsNaN(p.Fano) || !math.IsNaN(p.Synchrony) || !math.IsNaN(p.Correlation) {
		t.Errorf("%+v", p)
	}
}

// TestRegime: the examples of Brunel's figure 8, of 10,000 neurons, and what lies at the edges.
func TestRegime(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		what string
		p    Population
		n    int
		want int
	}{
		{"A", Population{Rate: 333, CV: 0.001, Synchrony: 0.5, Peak: 328}, 10000, SR},
		{"B", Population{Rate: 58, CV: 0.75, Synchrony: 0.2, Peak: 187}, 10000, SIFast},
		{"C", Population{Rate: 37, CV: 0.43, Synchrony: 0.099, Peak: 113}, 10000, AI},
		{"D", Population{Rate: 5.1, CV: nan, Synchrony: 0.136, Peak: 24}, 10000, SISlow},
		{"few independent", Population{Rate: 5, CV: 1, Synchrony: 0.2, Peak: 200}, 25, AI},
		{"clocks", Population{Rate: 50, CV: 0.01, Synchrony: 0.01, Peak: 50}, 10000, AR},
		{"no spikes", Population{CV: nan, Synchrony: nan, Peak: nan}, 10000, Silent},
	} {
		if got := Regime(&c.p, c.n); got != c.want {
			t.Errorf("%s: %s, want %s", c.what, Regimes[got], Regimes[c.want])
		}
	}
}
