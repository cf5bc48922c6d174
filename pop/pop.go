// Package pop simulates populations: many uncoupled neurons of one model, stored in columns and cut into shards that
// workers advance in lockstep. A population is built from a Spec and run for a time. It reports spikes and traced
// states to callbacks while it runs, and at the end a summary with the spike train of every neuron.
//
// The results of a neuron depend only on its own parameters, initial state and input; so they are the same bits for any
// number of workers, any shard size, any length of epochs and any instruction set.
package pop

import (
	"fmt"
	"strings"
	"time"

	"popsim/kernels"
	"popsim/model"
	"popsim/sched"
)

// Spec describes a population. Values hold one number for all neurons or one for each.
type Spec struct {
	Model  *model.Model
	Method string           // empty means the model's default
	N      int              // neurons
	P      []kernels.Values // parameters in the order of the model; nil means the defaults
	I      kernels.Values   // input current; nil means 0
	Gain   kernels.Values   // factor applied to Config.Waveform; nil means 1
	// initial states in the order of the model; nil, as a whole or for a state, means Model.Initial
	Init []kernels.Values
}

// Set sets the quantity of that name: a parameter of the model, I, gain, or an initial state such as V0. values holds
// one value for all neurons or one for each; it is kept, not copied.
func (s *Spec) Set(name string, values ...float64) error {
	v := kernels.Values(values)
	switch name {
	case "I":
		s.I = v
		return nil
	case "gain":
		s.Gain = v
		return nil
	}
	if j := s.Model.Index(name); j >= 0 {
		s.P = append(make([]kernels.Values, 0, len(s.Model.Params)), s.P...)[:len(s.Model.Params)]
		s.P[j] = v
		return nil
	}
	state, initial := strings.CutSuffix(name, "0")
	if j := s.Model.StateIndex(state); initial && j >= 0 {
		s.Init = append(make([]kernels.Values, 0, len(s.Model.States)), s.Init...)[:len(s.Model.States)]
		s.Init[j] = v
		return nil
	}
	return fmt.Errorf("%s has no parameter or state %s", s.Model.Name, name)
}

// Config holds the settings of a population. The zero value of a field means its default.
type Config struct {
	Dt      float64     // step, ms; 0 means the method's own
	Workers int         // goroutines; 0 means sched.Allowed
	Shard   int         // neurons in a shard; 0 means a size that fits the cache
	Epoch   int         // steps between barriers; 0 means 64 to 1024, fewer of many neurons
	ISA     kernels.ISA // instruction set; 0 means the best this processor has

	Noise Noise   // what moves each neuron by chance
	Train bool    // keep a Train for every neuron
	From  float64 // ms; intervals before it do not count in trains
	Trace *Trace  // states to report; nil means none
	// Extrema keeps the lowest and highest V of every neuron from From on. It does not go together with noise.
	Extrema bool

	// The functions below are called by one goroutine at a time, between epochs; nil means none. Slices that are passed
	// to them belong to the population and are valid during the call.

	// Waveform returns a current that is added, times gain, to I in step k. It is called once for each step, in order.
	Waveform func(k int64) float64
	// Input writes into row the current of every neuron that is added to I in step k. It is called once for each step, in
	// order; row holds arbitrary numbers before the call.
	Input func(k int64, row []float64)
	// Spike is called with all spikes, in order of time, then neuron.
	Spike func(block []Spike) error
	// Tick is called with the number of steps done and the total.
	Tick func(done, total int64)
}

// Spike is one spike.
type Spike struct {
	Time   float64 // ms
	Neuron int64
}

// Trace selects the states that are reported, and the interval.
type Trace struct {
	Of    []int64 // neurons
	Every float64 // ms; rounded to whole steps, at least one
	// called with each state at t ms, by time, then in the order of Of
	Row func(t float64, neuron int64, state []float64) error
}

// Summary sums up a run.
type Summary struct {
	Steps   int64 // steps made, fewer than requested after an interruption
	Spikes  int64
	Elapsed time.Duration
	Kernel  *kernels.Kernel
	Shards  int
	Sched   sched.Stats
	Phases  Phases
	Bytes   int // of columns, for each neuron
	Trains  Trains
	Lowest  []float64 // V, mV, with Config.Extrema, if a step was made from From on; and highest
	Highest []float64
	Away    []Runaway // neurons that run away, by number within their shards
}

// Phases is the time of a run by what was done. Step, Record and Wait are the time of all workers divided by their
// number, so that the phases add up to about the time of the run.
type Phases struct {
	Build  time.Duration // making shards, setting initial states
	Step   time.Duration // kernels
	Record time.Duration // recording of spikes and states by workers
	Wait   time.Duration // workers at the barrier, or without work
	Merge  time.Duration // sorting of spikes between epochs, and Tick
	Hand   time.Duration // calls of Spike and Trace.Row
}

// Add adds the times of another run to p.
func (p *Phases) Add(q Phases) {
	p.Build += q.Build
	p.Step += q.Step
	p.Record += q.Record
	p.Wait += q.Wait
	p.Merge += q.Merge
	p.Hand += q.Hand
}

// Split adds the time of the workers to Step, Record and Wait; step is the time that all of them together spent in
// kernels.
func (p *Phases) Split(s sched.Stats, step time.Duration) {
	n := time.Duration(max(1, len(s.Busy)))
	busy := time.Duration(0)
	for _, b := range s.Busy {
		busy += b
	}
	p.Step += min(step, busy) / n
	p.Record += max(0, busy-step) / n
	p.Wait += max(0, s.Elapsed-s.Merging-busy/n)
}
