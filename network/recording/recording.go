// Package recording advances a network and records results: the train of each neuron, measures of populations, and
// tables of spikes, states and rates, which are written in blocks, by time, so that memory does not grow with them.
package recording

import (
	"context"
	"fmt"
	"math"
	"slices"
	"unsafe"

	"popsim/network"
	"popsim/network/statistics"
	"popsim/pop"
	"popsim/table"
)

// blockRows is the number of rows from which on a block is written.
const blockRows = 1 << 14

// Sink receives a block of a table, which may be reused when it returns. A nil Sink receives nothing.
type Sink func(block *table.Table) error

// Config selects what is recorded.
type Config struct {
	From float64 // ms: earlier spikes do not count for rates, CV and measures of populations
	To   float64 // ms: where the run is meant to end
	Bin  float64 // ms, a whole number of steps: of rates over time, and of the counts behind measures

	// takes each spike, the neuron counted in its population; may be nil
	Each          func(population, neuron int, t float64)
	Spikes, Rates Sink
	Trace         Trace
	Sample        int // neurons of which spikes are kept in memory, for pictures; shared out among populations

	Progress func(steps int64) // called with the number of steps done, often
}

// Recording records the results of a network while it runs.
type Recording struct {
	net  *network.Network
	spec *network.Spec
	cfg  Config

	firsts []int // first neuron of each population, and the number of all
	trains []pop.Train
	meters []*statistics.Recorder
	spikes int64
	rates  rates
	trace  *tracer
	sample sample

	neurons []int64 // the block of spikes in hand
	times   []float64
}

// New returns a recording of a network from its current step on.
func New(net *network.Network, spec *network.Spec, cfg Config) *Recording {
	r := &Recording{net: net, spec: spec, cfg: cfg, firsts: []int{0}}
	for i, p := range spec.Populations {
		r.firsts = append(r.firsts, r.firsts[i]+p.N)
		r.meters = append(r.meters, statistics.NewRecorder(p.N, cfg.From, cfg.To, cfg.Bin))
	}
	r.trains = make([]pop.Train, r.Neurons())
	r.rates = newRates(spec, cfg)
	r.sample = newSample(spec, cfg.Sample)
	r.trace = newTracer(net, spec, cfg.Trace, r.firsts)
	return r
}

// NeuronBytes is the memory of a Recording for each neuron. To it come blocks of rows and, for pictures, up to
// mostSpikes spikes.
const NeuronBytes = int(unsafe.Sizeof(pop.Train{})) + statistics.NeuronBytes

// Neurons is the number of neurons.
func (r *Recording) Neurons() int { return r.firsts[len(r.firsts)-1] }

// Firsts are the numbers of the first neurons of the populations, and of all neurons.
func (r *Recording) Firsts() []int { return r.firsts }

// Spikes is the number of spikes so far.
func (r *Recording) Spikes() int64 { return r.spikes }

// End is the time up to which the network has come, ms.
func (r *Recording) End() float64 { return float64(r.net.Steps()) * r.spec.Dt }

// Advance advances the network to a step, and writes all results before it.
func (r *Recording) Advance(ctx context.Context, to int64) error {
	for r.net.Steps() < to {
		next := to
		if r.trace != nil {
			if err := r.trace.note(r.net.Steps()); err != nil {
				return err
			}
			next = min(to, r.trace.after(r.net.Steps()))
		}
		if err := r.net.Run(ctx, next-r.net.Steps(), network.Recorder{Spikes: r.take, Progress: r.progress}); err != nil {
			return err
		}
	}
	if err := r.net.CheckV(); err != nil || r.trace == nil {
		return err
	}
	return r.trace.note(to)
}

// Flush ends a run, which may have been interrupted, and writes the results that are still in memory.
func (r *Recording) Flush() error {
	if err := r.rates.finish(r.net.Steps()); err != nil {
		return err
	}
	return r.flush(true)
}

// flush writes whole blocks of rows and, if all is true, the remaining rows.
func (r *Recording) flush(all bool) error {
	if err := r.flushSpikes(all); err != nil {
		return err
	}
	if err := r.rates.flush(all); err != nil || r.trace == nil {
		return err
	}
	return r.trace.flush(all)
}

func (r *Recording) progress(step int64) error {
	if r.cfg.Progress != nil {
		r.cfg.Progress(step)
	}
	return r.rates.close(step)
}

// take records spikes, which are in order of time.
func (r *Recording) take(block []network.Spike) error {
	for _, s := range block {
		if err := r.rates.close(s.Step); err != nil {
			return err
		}
		t, i := (float64(s.Step)+s.Theta)*r.spec.Dt, int(s.Neuron)
		j := r.populationOf(i)
		r.meters[j].Add(i-r.firsts[j], t)
		r.trains[i].Add(t, r.cfg.From)
		r.rates.counts[j]++
		r.sample.add(j, i-r.firsts[j], t)
		if r.cfg.Each != nil {
			r.cfg.Each(j, i-r.firsts[j], t)
		}
		if r.cfg.Spikes != nil {
			r.neurons, r.times = append(r.neurons, int64(i)), append(r.times, t)
		}
	}
	r.spikes += int64(len(block))
	if len(r.neurons) < blockRows {
		return nil
	}
	return r.flushSpikes(false)
}

func (r *Recording) flushSpikes(all bool) error {
	if r.cfg.Spikes == nil {
		return nil
	}
	n, err := handOn(r.cfg.Spikes, table.NewTable(table.Col("neuron", r.neurons), table.Col("time_ms", r.times)), all)
	r.neurons, r.times = r.neurons[:copy(r.neurons, r.neurons[n:])], r.times[:copy(r.times, r.times[n:])]
	return err
}

func (r *Recording) populationOf(neuron int) int {
	j, found := slices.BinarySearch(r.firsts, neuron)
	if !found {
		j--
	}
	return j
}

// Measures returns the measures of the populations, from the spikes from Config.From on; nil if there is nothing to
// measure. No spikes must be recorded afterwards.
func (r *Recording) Measures() []statistics.Population {
	if r.End() <= r.cfg.From {
		return nil
	}
	m := make([]statistics.Population, len(r.meters))
	for j, c := range r.meters {
		m[j] = c.Measure(r.End())
	}
	return m
}

// CheckBin returns an error if a bin is not a whole number of steps.
func CheckBin(bin, dt float64) error {
	if steps := math.Round(bin / dt); steps < 1 || math.Abs(steps*dt-bin) > 1e-9*bin {
		const text = "bins of %v ms are no whole number of steps of %v ms; --bin %.6gms would do"
		return fmt.Errorf(text, bin, dt, max(1, steps)*dt)
	} else if steps >= 1<<53 {
		return fmt.Errorf("--bin is %v ms, %.3g steps of %v ms; steps are counted up to 2^53", bin, steps, dt)
	}
	return nil
}

// Steps is a time in whole steps.
func Steps(t, dt float64) int64 { return int64(math.Round(t / dt)) }
