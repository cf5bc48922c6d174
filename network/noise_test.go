package network

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"popsim/kernels"
	"popsim/model"
)

// noisyLIF is n neurons under white noise and nothing else, with mean V 20 and sigma 5 mV: 27.34056735 spikes/s by
// Siegert's formula.
func noisyLIF(n int, dt float64) *Spec {
	p := Population{Name: "L", N: n, Model: model.LIFModel, I: kernels.Values{20}}
	set := map[string]float64{"tau": 20, "V_rest": 0, "V_th": 20, "V_reset": 10, "t_ref": 2, "R": 1}
	for _, q := range p.Model.Params {
		p.P = append(p.P, kernels.Values{set[q.Name]})
	}
	return &Spec{
		Populations: []Population{p}, Dt: dt, Seed: 3,
		Inputs: []Input{{Name: "noise", To: []Part{{0, 0, n}}, Noise: &Noise{SD: 5}}},
	}
}

// whiteRate is Siegert's rate of noisyLIF.
const whiteRate = 27.34056735

// rateOf runs a network and returns the rate after settle ms, spikes/s, and its standard error from the scatter of the
// neurons.
func rateOf(t *testing.T, s *Spec, settle, ms float64) (rate, se float64) {
	t.Helper()
	n := s.Populations[0].N
	counts := make([]float64, n)
	for _, q := range collect(t, s, Config{Workers: 1}, settle+ms) {
		if (float64(q.Step)+q.Theta)*s.Dt >= settle && int(q.Neuron) < n {
			counts[q.Neuron]++
		}
	}
	mean, square := 0.0, 0.0
	for _, c := range counts {
		mean += c / float64(n)
		square += c * c / float64(n)
	}
	return 1000 * mean / ms, 1000 / ms * math.Sqrt((square-mean*mean)/float64(n-1))
}

// White noise on LIF gives Siegert's rate in every way in which a network advances LIF neurons. Arrivals of no weight
// cut steps into parts: the law of the noise is the same in parts.
func TestWhiteNoiseRates(t *testing.T) {
	const n, ms = 600, 1500.0
	parts := func(s *Spec, kind Kind) *Spec {
		s.Synapses = []Synapse{{Name: "s", Kind: kind, Tau: 2}}
		s.Inputs = append(s.Inputs, Input{
			Name: "arrivals", To: []Part{{0, 0, n}}, Poisson: &Poisson{Rate: 1500}, Weight: Constant(1e-12),
		})
		return s
	}
	grid := func(s *Spec) *Spec { s.OnGrid = true; return s }
	for name, c := range map[string]struct {
		s       *Spec
		allowed float64 // part of the rate, for a step of finite length
	}{
		"steps of 1 ms":                {noisyLIF(n, 1), 0.03},
		"arrivals of jumps, 1 ms":      {parts(noisyLIF(n, 1), Delta), 0.03},
		"arrivals of currents, 1 ms":   {parts(noisyLIF(n, 1), AlphaCurrent), 0.03},
		"conductances, 0.5 ms":         {parts(noisyLIF(n, 0.5), ExpConductance), 0.02},
		"on the grid of 0.1 ms":        {grid(noisyLIF(n, 0.1)), 0.006}, // spikes are half a step late
		"currents, on the grid":        {grid(parts(noisyLIF(n, 0.1), ExpCurrent)), 0.006},
		"conductances, grid of 0.1 ms": {grid(parts(noisyLIF(n, 0.1), ExpConductance)), 0.006},
	} {
		rate, se := rateOf(t, c.s, 200, ms)
		if math.Abs(rate-whiteRate) > c.allowed*whiteRate+3.3*se {
			t.Errorf("%s: %.3f +- %.3f spikes/s, want %.3f", name, rate, se, whiteRate)
		}
	}
}

// Two noises add up to one of the root of the sum of squares, and a gain multiplies the strength.
func TestWhiteNoiseAdds(t *testing.T) {
	s := noisyLIF(600, 0.5)
	s.Inputs[0].Noise, s.Inputs[0].Gain = &Noise{SD: 1.5}, kernels.Values{2}
	s.Inputs = append(s.Inputs, Input{Name: "other", To: s.Inputs[0].To, Noise: &Noise{SD: 4}})
	if rate, se := rateOf(t, s, 200, 1500); math.Abs(rate-whiteRate) > 0.015*whiteRate+3.3*se {
		t.Errorf("%.3f +- %.3f spikes/s, want %.3f", rate, se, whiteRate)
	}
	s.Inputs[1].Start = 1000
	s.Inputs[0].Stop = 1000
	for i := range s.Inputs {
		s.Inputs[i].Noise, s.Inputs[i].Gain = &Noise{SD: 5}, nil
	}
	if rate, se := rateOf(t, s, 200, 1500); math.Abs(rate-whiteRate) > 0.015*whiteRate+3.3*se {
		t.Errorf("noise until and from 1 s: %.3f +- %.3f spikes/s, want %.3f", rate, se, whiteRate)
	}
}

// An Ornstein-Uhlenbeck current gives the rate of exact simulation: 9.2354 +- 0.0187 spikes/s for mean V 18, standard
// deviation 5.65685 mV, correlation time 5 ms.
func TestCurrentNoiseRate(t *testing.T) {
	for _, onGrid := range []bool{false, true} {
		s := noisyLIF(600, 0.1)
		s.OnGrid = onGrid
		s.Populations[0].I = kernels.Values{18}
		s.Inputs[0].Noise = &Noise{SD: 5.65685, Tau: 5}
		if rate, se := rateOf(t, s, 200, 1500); math.Abs(rate-9.2354) > 0.005*9.2354+3.3*se+0.06 {
			t.Errorf("on grid %t: %.3f +- %.3f spikes/s, want 9.235", onGrid, rate, se)
		}
	}
}

// noisy is the network of a checkpoint with noise of both kinds on some neurons of every population of neurons.
func noisy(s *Spec) *Spec {
	var all []Part
	for i := range s.Populations {
		if n := s.Populations[i].N; s.Populations[i].Model != nil {
			all = append([]Part{{i, n / 4, n / 2}}, all...)
		}
	}
	size := 0
	for _, p := range all {
		size += p.N
	}
	gain := make(kernels.Values, size)
	for i := range gain {
		gain[i] = float64(i%3) / 2
	}
	s.Inputs = append(s.Inputs,
		Input{Name: "white", To: all, Gain: gain, Noise: &Noise{SD: 2}, Start: 3},
		Input{Name: "ou", To: all, Gain: gain, Noise: &Noise{SD: 5, Tau: 3}, Stop: 40})
	return s
}

// The spikes of a network with noise are the same for any workers, ranges and instruction sets, and through a
// checkpoint.
func TestNoiseSameBits(t *testing.T) {
	for name, make := range map[string]func(onGrid bool) *Spec{
		"delta":        func(onGrid bool) *Spec { return mixed(Delta, onGrid) },
		"alpha":        func(onGrid bool) *Spec { return mixed(AlphaCurrent, onGrid) },
		"conductances": func(onGrid bool) *Spec { return conductive(onGrid, 0.1) },
		"nmda":         func(onGrid bool) *Spec { return gated(true, onGrid, false) },
	} {
		for _, onGrid := range []bool{false, true} {
			without := collect(t, make(onGrid), Config{Workers: 1}, 50)
			s := noisy(make(onGrid))
			want := collect(t, s, Config{Workers: 1, ISA: kernels.Go}, 50)
			if slices.Equal(want, without) || len(want) < 30 {
				t.Errorf("%s, on grid %t: the noise does nothing, or there are only %d spikes", name, onGrid, len(want))
			}
			for _, isa := range kernels.Available() {
				if got := collect(t, s, Config{Workers: 2, Ranges: 3, ISA: isa}, 50); !slices.Equal(got, want) {
					t.Errorf("%s, on grid %t, %v: %d spikes, want %d, or others", name, onGrid, isa, len(got), len(want))
				}
			}
			var spikes []Spike
			rec := Recorder{Spikes: func(x []Spike) error { spikes = append(spikes, x...); return nil }}
			var networks [2]*Network
			for i := range networks {
				var err error
				if networks[i], err = Build(t.Context(), s, Config{Workers: 1, Ranges: 2 + i}); err != nil {
					t.Fatal(err)
				}
			}
			var file bytes.Buffer
			for _, err := range []error{
				networks[0].Run(t.Context(), 203, rec), networks[0].Save(&file), networks[1].Restore(&file),
				networks[1].Run(t.Context(), 297, rec),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
			if !slices.Equal(spikes, want) {
				t.Errorf("%s, on grid %t: %d spikes through a checkpoint, want %d, or others", name, onGrid, len(spikes), len(want))
			}
		}
	}
}
