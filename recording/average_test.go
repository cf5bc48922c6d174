package recording

import (
	"math"
	"testing"

	"popsim/kernels"
	"popsim/model"
	"popsim/network/statistics"
	"popsim/pop"
)

// TestAverage: the average over the spikes of two neurons is that of the library over the spikes of both, and, under a
// wave of one period a spike, the wave at the phase of the spikes.
func TestAverage(t *testing.T) {
	const dt, time, discard, window = 0.1, 2000.0, 300.0, 20.0
	wave := func(k int64) float64 { return 5 * math.Sin(2*math.Pi*(float64(k)+0.5)*dt/100) }
	spec := pop.Spec{Model: model.LIFModel, N: 2, I: kernels.Values{17, 21}}
	var times []float64
	a := NewAverage(wave, pop.Steps(time, dt), dt, discard, window)
	cfg := pop.Config{Workers: 1, Dt: dt, Waveform: wave, Spike: func(block []pop.Spike) error {
		for _, s := range block {
			if s.Time >= discard {
				times = append(times, s.Time)
			}
		}
		return a.AddSpikes(block)
	}}
	if _, err := pop.Run(t.Context(), spec, cfg, time); err != nil {
		t.Fatal(err)
	}
	signal := make([]float64, pop.Steps(time, dt))
	for k := range signal {
		signal[k] = wave(int64(k))
	}
	want := statistics.TriggeredAverage(signal, dt, times, int(window/dt), 0)
	got := a.Table("current")
	mean, se := got.Columns[1].Values.([]float64), got.Columns[2].Values.([]float64)
	if len(mean) != len(want.Mean) || int(a.Spikes()) != want.Spikes || want.Spikes < 40 {
		t.Fatalf("%d lags, %d spikes; want %d and %d", len(mean), a.Spikes(), len(want.Mean), want.Spikes)
	}
	for j := range mean {
		if math.Abs(mean[j]-want.Mean[j]) > 1e-12 || math.Abs(se[j]-want.SE[j]) > 1e-12 {
			t.Fatalf("lag %v: %v ± %v, want %v ± %v", want.Lag[j], mean[j], se[j], want.Mean[j], want.SE[j])
		}
	}
}

// TestAverageByLaw: before the spikes of Poisson trains whose rate follows a white waveform through a filter the
// average is the filter, times the variance over the mean rate.
func TestAverageByLaw(t *testing.T) {
	const dt, steps, window = 1.0, 200_000, 5.0
	filter := []float64{0.1, 0.4, 0.2} // of the step of the spike, one and two before
	state := uint64(1)
	random := func() float64 { // of (0, 1)
		state = state*6364136223846793005 + 1442695040888963407
		return float64(state>>11) * 0x1p-53
	}
	x := make([]float64, steps)
	for k := range x {
		x[k] = math.Copysign(1, random()-0.5)
	}
	a := NewAverage(func(k int64) float64 { return x[k] }, steps, dt, 0, window)
	const mean = 0.2 // spikes a step
	for k := range x {
		p := 1.0
		for j, f := range filter {
			if k >= j {
				p += f * x[k-j]
			}
		}
		if random() < mean*p {
			if err := a.AddSpikes([]pop.Spike{{Time: (float64(k) + 0.5) * dt}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	got := a.Table("x")
	means, errors := got.Columns[1].Values.([]float64), got.Columns[2].Values.([]float64)
	for j := range means {
		want := 0.0
		if back := len(means) - 1 - j; back < len(filter) {
			want = filter[back]
		}
		if math.Abs(means[j]-want) > 4*errors[j] || !(errors[j] < 0.01) {
			t.Errorf("%d steps before a spike: %.4f ± %.4f, want %g", len(means)-1-j, means[j], errors[j], want)
		}
	}
}
