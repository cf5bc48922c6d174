package pop

import (
	"context"
	"math"
	"slices"
	"testing"

	"popsim/kernels"
	"popsim/model"
)

// Trains of jumps give LIF neurons the rates of the backward equation (1e-8) at any step, within 0.3 % and 3.3 standard
// errors.
func TestShotNoiseRates(t *testing.T) {
	n, ms := 600, 2000.0
	for k, q := range truthRows(t, "lif_shot.csv") {
		set := map[string]float64{
			"tau": q["tau_ms"], "V_rest": 0, "V_th": q["V_th_mV"], "V_reset": q["V_reset_mV"], "t_ref": q["t_ref_ms"],
			"R": 1, "I": 0,
		}
		trains := []Poisson{{Rate: 1000 * q["rate_E_per_ms"], Weight: q["jump_E_mV"]}}
		if q["rate_I_per_ms"] > 0 {
			trains = append(trains, Poisson{Rate: 1000 * q["rate_I_per_ms"], Weight: -q["jump_I_mV"]})
		}
		rate, se := noisyRate(t, model.LIFModel, set, Noise{Poisson: trains, Seed: uint64(k)}, n, ms, 0.5)
		if want := q["rate_Hz"]; math.Abs(rate-want) > 0.003*want+3.3*se {
			t.Errorf("row %d: %.4f +- %.4f Hz, want %.4f", k, rate, se, want)
		}
	}
}

// Spikes and states under trains are the same bits for any workers and instruction sets, with other noise and a
// waveform too, and depend on the ids of the random numbers.
func TestShotNoiseSameBits(t *testing.T) {
	for _, m := range []*model.Model{model.LIFModel, model.AdExModel, model.HHModel} {
		run := func(cfg Config, n, first int) (spikes []Spike, states []float64) {
			spec := Spec{Model: m, N: n, I: kernels.Values{m.Typical.Current / 2}}
			cfg.Noise = Noise{
				White: 0.5, OU: 2, Tau: 5, Seed: 8,
				Poisson: []Poisson{{Rate: 2000, Weight: 0.4}, {Rate: 500, Weight: m.Typical.Current / 5, Tau: 3}},
			}
			if first > 0 {
				for i := range n {
					cfg.Noise.IDs = append(cfg.Noise.IDs, uint32(first+i))
				}
			}
			cfg.Waveform = func(k int64) float64 { return float64(k%100) / 100 }
			cfg.Spike = func(block []Spike) error { spikes = append(spikes, block...); return nil }
			cfg.Trace = &Trace{Of: []int64{0, 3}, Every: 1, Row: func(_ float64, _ int64, y []float64) error {
				states = append(states, y...)
				return nil
			}}
			if _, err := Run(context.Background(), spec, cfg, 60); err != nil {
				t.Fatal(err)
			}
			return spikes, states
		}
		want, states := run(Config{Workers: 1, ISA: kernels.Go}, 60, 0)
		if len(want) < 60 || len(states) != 61*2*len(m.States) {
			t.Fatalf("%s: %d spikes, %d states", m.Name, len(want), len(states))
		}
		for _, isa := range kernels.Available() {
			if got, y := run(Config{Workers: 2, ISA: isa}, 60, 0); !slices.Equal(got, want) || !slices.Equal(y, states) {
				t.Errorf("%s, %v: %d spikes, want %d, or others", m.Name, isa, len(got), len(want))
			}
		}
		// Neurons 20 to 39 alone.
		var some []Spike
		for _, q := range want {
			if q.Neuron >= 20 && q.Neuron < 40 {
				some = append(some, Spike{q.Time, q.Neuron - 20})
			}
		}
		if got, _ := run(Config{Workers: 1}, 20, 20); !slices.Equal(got, some) {
			t.Errorf("%s: 20 neurons alone have %d spikes, among others %d, or others", m.Name, len(got), len(some))
		}
	}
}

// The mean of V under trains without a threshold is that of Campbell's theorem.
func TestShotNoiseMean(t *testing.T) {
	spec := Spec{Model: model.LIFModel, N: 2000}
	for name, v := range map[string]float64{"tau": 10, "V_rest": -60, "V_th": 1000, "V_reset": -60, "R": 0.5, "I": 0} {
		if err := spec.Set(name, v); err != nil {
			t.Fatal(err)
		}
	}
	sum, n := 0.0, 0.0
	cfg := Config{
		Noise: Noise{Poisson: []Poisson{{Rate: 500, Weight: 1}, {Rate: 200, Weight: 30, Tau: 4}}, Seed: 2}, Dt: 1,
		Trace: &Trace{Every: 100, Row: func(at float64, _ int64, y []float64) error {
			if at >= 100 {
				sum, n = sum+y[0], n+1
			}
			return nil
		}},
	}
	for i := range int64(2000) {
		cfg.Trace.Of = append(cfg.Trace.Of, i)
	}
	if _, err := Run(context.Background(), spec, cfg, 400); err != nil {
		t.Fatal(err)
	}
	const want = -60 + 0.5*10*1 + 0.5*0.2*30*4 // V_rest + rate tau J + R rate tau_s w
	variance := 0.5*10/2 + 0.2*30*30*0.5*0.5*4*4/(2*(10+4))
	if se := math.Sqrt(variance / n); math.Abs(sum/n-want) > 4*se {
		t.Errorf("mean V %.4f +- %.4f mV, want %.4f", sum/n, se, want)
	}
}
