package pop_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"popsim/kernels"
	"popsim/model"
	"popsim/pop"
)

// One LIF neuron, and every spike as it comes.
func ExampleRun() {
	spec := pop.Spec{Model: model.LIFModel, N: 1, I: kernels.Values{21}}
	if err := spec.Set("t_ref", 10); err != nil {
		fmt.Println(err)
		return
	}
	_, err := pop.Run(context.Background(), spec, pop.Config{Spike: func(block []pop.Spike) error {
		for _, s := range block {
			fmt.Printf("%.9f\n", s.Time)
		}
		return nil
	}}, 200)
	fmt.Println(err)
	// Output:
	// 30.445224377
	// 70.890448754
	// 111.335673132
	// 151.780897509
	// 192.226121886
	// <nil>
}

// Three AdEx neurons with a current each: trains summed up, and the state of one of them traced.
func ExampleRun_trains() {
	m := model.AdExModel
	spec := pop.Spec{Model: m, N: 3, I: kernels.Values{5, 10, 15}}
	sum, err := pop.Run(context.Background(), spec, pop.Config{
		Train: true,
		From:  500, // ms: the rate is that of the second half
		Trace: &pop.Trace{Of: []int64{2}, Every: 250, Row: func(t float64, neuron int64, y []float64) error {
			fmt.Printf("at %4v ms neuron %d has V = %.2f mV, w = %.2f pA\n", t, neuron, y[0], y[1])
			return nil
		}},
	}, 1000)
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range sum.Trains.Len() {
		train := sum.Trains.At(i)
		fmt.Printf("%v %s: %d spikes, %.2f Hz\n", spec.I.At(i), m.CurrentUnit, train.Spikes(), train.Rate())
	}
	// Output:
	// at    0 ms neuron 2 has V = -64.54 mV, w = 0.46 pA
	// at  250 ms neuron 2 has V = -56.70 mV, w = 6.29 pA
	// at  500 ms neuron 2 has V = -61.63 mV, w = 6.40 pA
	// at  750 ms neuron 2 has V = -67.11 mV, w = 7.75 pA
	// at 1000 ms neuron 2 has V = -57.78 mV, w = 6.23 pA
	// 5 pA: 0 spikes, 0.00 Hz
	// 10 pA: 31 spikes, 30.80 Hz
	// 15 pA: 55 spikes, 54.57 Hz
}

// record holds all results of a run.
type record struct {
	spikes []pop.Spike
	trace  []float64
	trains []pop.Train
}

func run(t *testing.T, spec pop.Spec, cfg pop.Config, duration float64) record {
	t.Helper()
	var r record
	cfg.Train, cfg.From = true, duration/4
	cfg.Spike = func(block []pop.Spike) error { r.spikes = append(r.spikes, block...); return nil }
	cfg.Trace = &pop.Trace{Of: []int64{3, 0, int64(spec.N) - 1}, Every: 0.7, Row: func(at float64, i int64,
		y []float64,
	) error {
		r.trace = append(append(r.trace, at, float64(i)), y...)
		return nil
	}}
	sum, err := pop.Run(context.Background(), spec, cfg, duration)
	if err != nil {
		t.Fatal(err)
	}
	r.trains = trains(sum)
	return r
}

// trains lists the trains of a run.
func trains(sum pop.Summary) (all []pop.Train) {
	for i := range sum.Trains.Len() {
		all = append(all, sum.Trains.At(i))
	}
	return all
}

// mixed is a population whose neurons differ in all parameters and inputs.
func mixed(m *model.Model, method string, n int) pop.Spec {
	current := m.Typical.Current
	spec := pop.Spec{
		Model: m, Method: method, N: n, I: make(kernels.Values, n), Gain: make(kernels.Values, n),
		Init: make([]kernels.Values, len(m.States)),
	}
	spec.Init[0] = make(kernels.Values, n)
	for i := range n {
		x := math.Mod(float64(i+1)*0.6180339887498949, 1)
		spec.I[i], spec.Gain[i] = current*(0.8+0.4*x), x
		spec.Init[0][i] = model.All[0].Params[0].Default + map[bool]float64{true: 15 * x, false: -65 +
			3*x}[m == model.LIFModel]
	}
	spec.P = make([]kernels.Values, len(m.Params))
	for _, name := range []string{"t_ref", "g_L"} {
		if j := m.Index(name); j >= 0 {
			spec.P[j] = make(kernels.Values, n)
			for i := range n {
				spec.P[j][i] = m.Params[j].Default * (0.5 + float64(i%7)/7)
			}
		}
	}
	return spec
}

func TestResultsDoNotDependOnHowTheWorkIsCut(t *testing.T) {
	const n = 200
	for _, m := range model.All {
		for _, method := range m.Methods {
			t.Run(m.Name+"/"+method.Name, func(t *testing.T) {
				spec := mixed(m, method.Name, n)
				wave := func(k int64) float64 { return 0.5 * math.Sin(float64(k)*0.01) }
				input := func(k int64, row []float64) {
					for i := range row {
						row[i] = 1e-3 * float64((k+int64(i))%5)
					}
				}
				base := pop.Config{Workers: 1, ISA: kernels.Go, Waveform: wave, Input: input}
				want := run(t, spec, base, 60)
				if len(want.spikes) == 0 {
					t.Fatal("no neuron fired: this tests nothing")
				}
				for _, cut := range []struct{ workers, shard, epoch int }{{2, 64, 0}, {3, 128, 7}, {8, 64, 1}, {1, 1024, 1000}} {
					cfg := base
					cfg.Workers, cfg.Shard, cfg.Epoch, cfg.ISA = cut.workers, cut.shard, cut.epoch, kernels.Auto
					got := run(t, spec, cfg, 60)
					if !slices.Equal(got.spikes, want.spikes) || !slices.Equal(got.trace, want.trace) ||
						!slices.Equal(got.trains, want.trains) {
						t.Errorf("%d workers, shards of %d, epochs of %d: other bits than one worker (%d spikes, %d)",
							cut.workers, cut.shard, cut.epoch, len(got.spikes), len(want.spikes))
					}
				}
			})
		}
	}
}

// A population without a waveform and one with a waveform of zeros are the same to the bit, though other kernels run.
// Epochs whose spikes are not kept leave the same trains.
func TestBriefEpochs(t *testing.T) {
	for _, m := range model.All {
		spec := mixed(m, "", 130)
		run := func(cfg pop.Config) pop.Summary {
			cfg.Dt, cfg.Train, cfg.From, cfg.Workers = 0.02, true, 10, 2
			sum, err := pop.Run(t.Context(), spec, cfg, 80)
			if err != nil {
				t.Fatal(err)
			}
			return sum
		}
		want, got := run(pop.Config{Epoch: 50}), run(pop.Config{Shard: 64})
		if got.Sched.Epochs >= 4000/256 {
			t.Errorf("%s: %d epochs; none was longer than others", m.Name, got.Sched.Epochs)
		}
		if got.Spikes != want.Spikes || !slices.Equal(trains(got), trains(want)) {
			t.Errorf("%s: %d spikes, %d in epochs of 50 steps; other trains", m.Name, got.Spikes, want.Spikes)
		}
	}
}

func TestWaveOfZeros(t *testing.T) {
	for _, m := range model.All {
		spec := mixed(m, "", 70)
		want := run(t, spec, pop.Config{}, 40)
		got := run(t, spec, pop.Config{Waveform: func(int64) float64 { return 0 }}, 40)
		if !slices.Equal(got.spikes, want.spikes) || !slices.Equal(got.trace, want.trace) {
			t.Errorf("%s: a wave of zeros changes the result", m.Name)
		}
	}
}

func TestBlowUpIsFound(t *testing.T) {
	spec := pop.Spec{Model: model.HHModel, Method: "rk4", N: 100, I: make(kernels.Values, 100)}
	for i := range spec.I {
		spec.I[i] = 0
	}
	spec.I[71] = 10
	_, err := pop.Run(context.Background(), spec, pop.Config{Dt: 0.15}, 100)
	var blown *pop.BlownUp
	if !errors.As(err, &blown) {
		t.Fatalf("got error %v, want a BlownUp", err)
	}
	if blown.Neuron != 71 || blown.I != 10 || !(blown.Time < 100) {
		t.Errorf("got neuron %d, I %v, t %v ms; want neuron 71, I 10, before 100 ms", blown.Neuron, blown.I, blown.Time)
	}
}

func TestCheckNamesAllFaults(t *testing.T) {
	spec := pop.Spec{Model: model.LIFModel, N: 3, I: kernels.Values{1, 2}, Gain: kernels.Values{math.NaN()}}
	_, err := pop.Run(context.Background(), spec, pop.Config{Dt: -1}, 10)
	want := "pop: dt is -1 ms; it must be a positive number\n" +
		"pop: I has 2 values for 3 neurons; 1 or 3 will do\n" +
		"pop: gain of neuron 0 is NaN; it must be a finite number"
	if err == nil || err.Error() != want {
		t.Errorf("got error\n%v\nwant\n%s", err, want)
	}
}

func TestSteps(t *testing.T) {
	for _, c := range []struct {
		t, dt float64
		want  int64
	}{{0, 0.1, 0}, {200, 0.1, 2000}, {0.3, 0.1, 3}, {1, 0.3, 4}, {1e6, 0.025, 40_000_000}} {
		if got := pop.Steps(c.t, c.dt); got != c.want {
			t.Errorf("Steps(%v, %v) = %d, want %d", c.t, c.dt, got, c.want)
		}
	}
}

func TestInterruption(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	spec := pop.Spec{Model: model.LIFModel, N: 10}
	sum, err := pop.Run(ctx, spec, pop.Config{Epoch: 10, Tick: func(done, _ int64) {
		if done >= 50 {
			cancel()
		}
	}}, 1000)
	if !errors.Is(err, context.Canceled) || sum.Steps < 50 || sum.Steps >= 10000 {
		t.Errorf("got %d steps and error %v; want 50 or a little more, and context.Canceled", sum.Steps, err)
	}
}

// impatient is a context that is done after some calls of its Err.
type impatient struct {
	context.Context
	left int
}

func (c *impatient) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

// An epoch that is stopped half way changes nothing: trains are those of a run that ends at the time in the summary.
func TestInterruptionWithinAnEpoch(t *testing.T) {
	spec := mixed(model.LIFModel, "", 256)
	cfg := pop.Config{Epoch: 50, Shard: 64, Workers: 1, Dt: 0.1, Train: true}
	within := 0
	for left := 12; left < 25; left++ {
		sum, err := pop.Run(&impatient{t.Context(), left}, spec, cfg, 1000)
		if !errors.Is(err, context.Canceled) || sum.Steps%50 != 0 {
			t.Fatalf("%d steps, %v", sum.Steps, err)
		}
		if sum.Steps == 0 {
			continue
		}
		within++
		want, err := pop.Run(t.Context(), spec, cfg, 0.1*float64(sum.Steps))
		if err != nil {
			t.Fatal(err)
		}
		if sum.Spikes != want.Spikes || !slices.Equal(trains(sum), trains(want)) {
			t.Errorf("given up after %d steps: %d spikes, want %d; other trains", sum.Steps, sum.Spikes, want.Spikes)
		}
	}
	if within == 0 {
		t.Error("no run came far enough: this tests nothing")
	}
}
