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

// Two neurons that are advanced by hand, and the place of each spike within its step.
func ExamplePopulation() {
	p, err := pop.New(context.Background(), pop.Spec{Model: model.LIFModel, N: 2, I: kernels.Values{21, 30}},
		pop.Config{Workers: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 3 {
		p.Begin(100)
		for shard := range p.Shards() {
			p.Advance(0, shard)
		}
		for _, s := range p.Spikes() {
			fmt.Printf("neuron %d in step %d at %.4f of it\n", s.Neuron, s.Step, s.Theta)
		}
		if err := p.Record(); err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Println(p.Summary().Spikes, "spikes")
	// Output:
	// neuron 1 in step 109 at 0.8612 of it
	// neuron 1 in step 229 at 0.7225 of it
	// 2 spikes
}

// step advances a population by hand, as Run does it.
func step(t *testing.T, p *pop.Population, steps int) {
	t.Helper()
	p.Begin(steps)
	for shard := range p.Shards() {
		p.Advance(shard%p.Workers(), shard)
	}
}

// TestSteppedIsRun: a population that is advanced by hand, in epochs of any length, does what Run does, to the bit; and
// its exact spikes are those that Config.Spike is given.
func TestSteppedIsRun(t *testing.T) {
	for _, m := range model.All {
		spec := mixed(m, "", 200)
		wave := func(k int64) float64 { return 0.5 * math.Sin(float64(k)*0.01) }
		var want []pop.Spike
		cfg := pop.Config{Waveform: wave, Train: true, Shard: 64, Workers: 2, Dt: 0.05}
		run := cfg
		run.Spike = func(block []pop.Spike) error { want = append(want, block...); return nil }
		sum, err := pop.Run(t.Context(), spec, run, 60)
		if err != nil {
			t.Fatal(err)
		}
		p, err := pop.New(t.Context(), spec, cfg)
		if err != nil {
			t.Fatal(err)
		}
		var got []pop.Spike
		last := pop.Event{Step: -1}
		for done, n := 0, 1; done < 1200; n = n%37 + 3 {
			n = min(n, 1200-done)
			step(t, p, n)
			for _, s := range p.Spikes() {
				if s.Step < int64(done) || s.Step >= int64(done+n) || s.Theta < 0 || s.Theta > 1 || s.Step < last.Step {
					t.Fatalf("%s: %+v after %+v in steps %d to %d", m.Name, s, last, done, done+n-1)
				}
				got, last = append(got, pop.Spike{Time: (float64(s.Step) + s.Theta) * p.Dt(), Neuron: s.Neuron}), s
			}
			if err := p.Record(); err != nil {
				t.Fatal(err)
			}
			done += n
		}
		stepped := p.Summary()
		byTime := func(a, b pop.Spike) int {
			if a.Time != b.Time {
				return map[bool]int{true: -1, false: 1}[a.Time < b.Time]
			}
			return int(a.Neuron - b.Neuron)
		}
		slices.SortFunc(got, byTime) // times that are rounded to the same number
		if len(want) == 0 || !slices.Equal(got, want) || stepped.Spikes != sum.Spikes || !slices.Equal(trains(stepped),
			trains(sum)) {
			t.Errorf("%s: %d spikes by hand, %d in a run; other bits", m.Name, len(got), len(want))
		}
	}
}

// TestEpochAllocatesNothing: once its buffers have grown, an epoch allocates nothing, with spikes, traces and input.
func TestEpochAllocatesNothing(t *testing.T) {
	for _, m := range model.All {
		spec := mixed(m, "", 300)
		p, err := pop.New(t.Context(), spec, pop.Config{
			Waveform: func(int64) float64 { return 1 }, Train: true, Shard: 64, Workers: 1,
			Input: func(_ int64, row []float64) { clear(row) },
			Spike: func([]pop.Spike) error { return nil },
			Trace: &pop.Trace{Of: []int64{5, 250}, Every: 1, Row: func(float64, int64, []float64) error { return nil }},
		})
		if err != nil {
			t.Fatal(err)
		}
		const steps, warm = 200, 20
		spikes := 0
		epoch := func() {
			step(t, p, steps)
			spikes += len(p.Spikes())
			if err := p.Record(); err != nil {
				t.Fatal(err)
			}
		}
		for range warm {
			epoch()
		}
		if n := testing.AllocsPerRun(5, epoch); n > 0 || spikes == 0 {
			t.Errorf("%s: %v allocations in an epoch (%d spikes)", m.Name, n, spikes)
		}
	}
}

// TestBlowUpOfACallbackWithState: an input that is not a function of the step is called once for each step, so the
// neuron that blows up is found with the input that it had.
func TestBlowUpOfACallbackWithState(t *testing.T) {
	calls := 0
	spec := pop.Spec{Model: model.HHModel, Method: "rk4", N: 100}
	_, err := pop.Run(t.Context(), spec, pop.Config{Dt: 0.15, Input: func(k int64, row []float64) {
		if calls++; int64(calls) != k+1 {
			t.Errorf("step %d is asked for in call %d", k, calls)
		}
		clear(row)
		if calls > 30 {
			row[71] = 10
		}
	}}, 100)
	var blown *pop.BlownUp
	if !errors.As(err, &blown) || blown.Neuron != 71 || !(blown.Time >= 30*0.15) || math.IsNaN(blown.State[0]) {
		t.Fatalf("got %v, want a BlownUp of neuron 71 after the onset of its input", err)
	}
}

// TestRunaway: AdEx with a < -1/R goes to minus infinity from beyond its saddle, whatever the step; the error has the
// neuron and the time, and does not advise another step when V overflows.
func TestRunaway(t *testing.T) {
	m := model.AdExModel
	spec := pop.Spec{Model: m, N: 3, P: make([]kernels.Values, len(m.Params)), I: kernels.Values{0, -5, 0}}
	spec.P[m.Index("a")] = kernels.Values{0, -2, 0}
	var times []float64
	for _, epoch := range []int{0, 7} {
		sum, err := pop.Run(t.Context(), spec, pop.Config{Epoch: epoch}, 2000)
		if err != nil || len(sum.Away) != 1 || sum.Away[0].Neuron != 1 {
			t.Fatalf("%v, %v; want neuron 1 to run away", sum.Away, err)
		}
		times = append(times, sum.Away[0].Time)
	}
	if times[0] != times[1] {
		t.Errorf("reported at %v ms, in other epochs at %v ms", times[0], times[1])
	}
	_, err := pop.Run(t.Context(), spec, pop.Config{}, 40000)
	var blown *pop.BlownUp
	if !errors.As(err, &blown) || blown.Away != times[0] {
		t.Errorf("got %v; want a neuron that runs away from %v ms on", err, times[0])
	}
}

// TestSet: what a spec calls by name is set, other specs that shared its slices are not, and an unknown name is
// refused.
func TestSet(t *testing.T) {
	m := model.AdExModel
	base := pop.Spec{Model: m, N: 2, P: kernels.Uniform(m.Defaults())}
	spec := base
	for name, values := range map[string][]float64{"t_ref": {5}, "I": {15, 20}, "w0": {1}, "gain": {2}} {
		if err := spec.Set(name, values...); err != nil {
			t.Error(err)
		}
	}
	j := m.Index("t_ref")
	if spec.P[j].At(1) != 5 || spec.I.At(1) != 20 || spec.Init[1].At(1) != 1 || spec.Gain.At(1) != 2 ||
		base.P[j].At(1) == 5 {
		t.Errorf("set %v, I %v, initial states %v, gain %v; the other spec has %v", spec.P, spec.I, spec.Init,
			spec.Gain, base.P)
	}
	if err := spec.Set("g_Na", 1); err == nil || err.Error() != "adex has no parameter or state g_Na" {
		t.Errorf("got error %v", err)
	}
}
