package pop_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"popsim/kernels"
	"popsim/model"
	"popsim/pop"
)

// A train agrees with the statistics of the list of its spikes, to a few units in the last place of a time.
func TestTrain(t *testing.T) {
	draw := rand.New(rand.NewPCG(4, 2))
	for n := range 40 {
		from := 30 * draw.Float64()
		spread := math.Pow(10, -float64(n%8))
		var times, kept []float64
		var train pop.Train
		for at, i := 0.0, 0; i < n; i++ {
			at += 5 * (1 + spread*draw.Float64())
			times = append(times, at)
			train.Add(at, from)
			if i > 0 && times[i-1] >= from {
				kept = append(kept, at-times[i-1])
			}
		}
		mean, square := 0.0, 0.0
		for _, x := range kept {
			mean += x / float64(len(kept))
		}
		for _, x := range kept {
			square += (x - mean) * (x - mean) / float64(len(kept))
		}
		want := []float64{math.NaN(), 0, 0, 0, math.NaN(), 0, math.NaN()}
		if n > 0 {
			want[0], want[1] = times[0], times[n-1]
		}
		if n > 1 {
			want[2], want[3] = times[1]-times[0], times[n-1]-times[n-2]
		}
		if len(kept) > 0 {
			want[4], want[5] = mean, 1000/mean
		}
		if len(kept) > 1 {
			want[6] = math.Sqrt(square) / mean
		}
		got := []float64{
			train.Latency(), train.Last(), train.ISIFirst(), train.ISILast(), train.Mean(), train.Rate(),
			train.CV(),
		}
		for j, x := range want {
			if !(math.Abs(got[j]-x) <= 1e-12*max(1, math.Abs(x))) && !(math.IsNaN(x) && math.IsNaN(got[j])) {
				t.Errorf("%d spikes, intervals from %.3g ms on: latency, last, first and last interval, mean, rate, CV "+
					"are %v, want %v", n, from, got, want)
				break
			}
		}
		if train.Spikes() != int64(n) || train.Intervals() != int64(len(kept)) {
			t.Errorf("%d spikes, %d intervals; want %d and %d", train.Spikes(), train.Intervals(), n, len(kept))
		}
	}
}

// TestWholePeriods: the rate of a train that repeats itself after two intervals is that of whole periods, wherever the
// run ends. The right value is that of the reset map (popsim/dynamics).
func TestWholePeriods(t *testing.T) {
	const want, allowed = 14.4376148, 1e-5 // Hz; the error of flow at 0.1 ms
	set, err := model.AdExModel.Preset("naud-reg-burst")
	if err != nil {
		t.Fatal(err)
	}
	spec := pop.Spec{Model: model.AdExModel, N: 1, P: kernels.Uniform(set.Params), I: kernels.Values{210}}
	for _, end := range []float64{1900, 2000, 2100} {
		sum, err := pop.Run(context.Background(), spec, pop.Config{Train: true, From: 500}, end)
		if err != nil {
			t.Fatal(err)
		}
		train := sum.Trains.At(0)
		if got := train.Rate(); math.Abs(got-want) > allowed {
			t.Errorf("%v ms: %.9g Hz, want %v", end, got, want)
		}
	}
}

// TestLockedRate: a lif neuron whose spikes are locked to a sine, two for three periods, has the rate of whole periods,
// whether the number of its intervals is even or odd.
func TestLockedRate(t *testing.T) {
	const (
		want      = 1000.0 / 30 // Hz: two spikes in 60 ms
		tolerance = 1e-4        // Hz; the mean of an odd number of intervals is off by 0.2 Hz and more
	)
	slide, err := model.LIFModel.Preset("slide")
	if err != nil {
		t.Fatal(err)
	}
	spec := pop.Spec{Model: model.LIFModel, N: 1, P: kernels.Uniform(slide.Params), I: kernels.Values{23}}
	for _, time := range []float64{980, 995, 1010, 1025} {
		cfg := pop.Config{Train: true, From: 400, Workers: 1, Waveform: func(k int64) float64 {
			return 8 * math.Sin(2*math.Pi*50e-3*(float64(k)+0.5)*0.1)
		}}
		sum, err := pop.Run(context.Background(), spec, cfg, time)
		if err != nil {
			t.Fatal(err)
		}
		train := sum.Trains.At(0)
		if math.Abs(train.Rate()-want) > tolerance {
			t.Errorf("%v ms, %d intervals: %v Hz, want %v", time, train.Intervals(), train.Rate(), want)
		}
	}
}
