package bench

import (
	"context"
	"fmt"
	"time"

	"popsim/kernels"
	"popsim/pop"
	"popsim/sched"
)

// Population is a scenario under pop: the same neurons in shards, advanced by workers epoch by epoch.
type Population struct {
	Scenario
	Workers int
}

// Name is the name of the population's row, after "BenchmarkPopulation/".
func (p Population) Name() string { return fmt.Sprintf("%s/workers=%d", p.Scenario.Name(), p.Workers) }

// populationSize is a number of neurons whose columns fit in no cache.
const populationSize = 1000000

// Populations lists the populations of a selection: each model's default method, or the one requested, on the widest
// instruction set, or the one requested, with one worker and with as many as possible.
func (q Selection) Populations() ([]Population, error) {
	if q.ISA == kernels.Auto {
		q.ISA = kernels.Available()[0]
	}
	var list []Population
	err := q.kernels(func(k *kernels.Kernel) error {
		if q.Method == "" && k.Method.Name != k.Model.Methods[0].Name {
			return nil
		}
		for _, each := range []bool{false, true} {
			s := Scenario{Model: k.Model, Method: k.Method, ISA: k.ISA, Each: each, N: populationSize, Dt: q.dt(k.Method)}
			if !q.includes(s.Name()) {
				continue
			}
			list = append(list, Population{s, 1})
			if n := sched.Allowed(); n > 1 {
				list = append(list, Population{s, n})
			}
		}
		return nil
	})
	return list, err
}

// spec describes the population to pop.
func (s Scenario) spec() (pop.Spec, error) {
	k, err := kernels.For(s.Model, s.Method, s.ISA)
	if err != nil {
		return pop.Spec{}, err
	}
	in := s.regime()
	cycle, err := in.cycle(k, s.Dt)
	if err != nil {
		return pop.Spec{}, err
	}
	set := in.setting(s.Model, s.N, s.Each)
	spec := pop.Spec{Model: s.Model, Method: s.Method.Name, N: s.N, P: set.P, I: set.I, Gain: set.Gain}
	for j := range s.Model.States {
		column := make(kernels.Values, s.N)
		for i := range column {
			column[i] = at(cycle, i)[j]
		}
		spec.Init = append(spec.Init, column)
	}
	return spec, nil
}

// run advances the population for a number of steps, and keeps its trains, as popsim run does. The time to build it
// does not count.
func (p Population) run(ctx context.Context, spec pop.Spec, steps int64) (time.Duration, pop.Summary, error) {
	sum, err := pop.Run(ctx, spec, pop.Config{Dt: p.Dt, Workers: p.Workers, ISA: p.ISA, Train: true}, float64(steps)*p.Dt)
	return sum.Sched.Elapsed, sum, err
}

// rounds is how often every population of a pair runs, in turns.
const rounds = 3

// pair is the results of the same population by one worker and by several: speeds in neuron-steps per second.
type pair struct {
	cache float64 // of the kernel, with its columns in the first-level cache, in the mean of as long a time
	speed []float64
	rate  float64 // Hz
}

// measurePair runs the same population by different numbers of workers, and its kernel in the first-level cache, in
// turns. Every speed is that of the fastest of the rounds, and within a round a mean.
func measurePair(ctx context.Context, list []Population, budget time.Duration) (pair, error) {
	s := list[0].Scenario
	s.N = L1
	alone, err := newHarness(s)
	if err != nil {
		return pair{}, err
	}
	out := pair{cache: alone.mean(budget / 4), speed: make([]float64, len(list))}
	spec, err := list[0].spec()
	if err != nil {
		return pair{}, err
	}
	// Whole epochs of 256 steps, the least that pop takes for so many neurons.
	steps := max(2, int64(budget.Seconds()*out.cache/float64(spec.N))/256) * 256
	for range rounds {
		out.cache = max(out.cache, alone.mean(budget))
		for i, p := range list {
			took, sum, err := p.run(ctx, spec, steps)
			if err != nil {
				return pair{}, err
			}
			out.speed[i] = max(out.speed[i], float64(spec.N)*float64(steps)/took.Seconds())
			out.rate = 1000 * float64(sum.Spikes) / (float64(spec.N) * float64(steps) * p.Dt)
		}
	}
	return out, nil
}

// metrics of population i of the list: efficiency is the speed over that of one worker times the workers, of-cache the
// speed over that of the kernel in cache times the workers.
func (r pair) metrics(list []Population, i int) []metric {
	workers := float64(list[i].Workers)
	return []metric{
		{1e9 / r.speed[i], "ns/neuron-step"},
		{r.speed[i], "neuron-steps/s"},
		{r.speed[i] / workers, "neuron-steps/s/worker"},
		{r.speed[i] / (r.speed[0] * workers), "efficiency"},
		{r.speed[i] / (r.cache * workers), "of-cache"},
		{r.rate, "Hz"},
	}
}

// pairs cuts a list of populations into those that differ by workers alone.
func pairs(list []Population) [][]Population {
	var out [][]Population
	for i, p := range list {
		if p.Workers == 1 {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], list[i])
	}
	return out
}
