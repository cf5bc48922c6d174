// Package pop holds populations: many neurons of one model in columns, cut into shards that workers advance in
// lockstep. A population is built from a Spec, runs for a time, and tells what happened through monitors: spikes and
// traces that leave while the run goes on, and a summary of every neuron's train of spikes.
//
// What a neuron does depends on its own parameters, initial state and input alone; so the results are the same bits
// for any number of workers, any shard size, any length of epochs and any instruction set.
package pop

import (
	"fmt"
	"strings"
	"time"

	"popsim/kernels"
	"popsim/model"
	"popsim/sched"
)

// Spec says what a population is. Values hold one number for all neurons or one for each.
type Spec struct {
	Model  *model.Model
	Method string           // empty means the model's default
	N      int              // neurons
	P      []kernels.Values // parameters in the order of the model; nil means the defaults
	I      kernels.Values   // input current; nil means 0
	Gain   kernels.Values   // with which Config.Wave is taken; nil means 1
	Init   []kernels.Values // initial states in the order of the model; nil, as a whole or for a state, means Model.Initial
}

// Set sets what the model calls name: a parameter, I, gain, or an initial state such as V0. One value is for all neurons, else
// there is one for each. A slice that Set makes is the spec's own; values is kept, not copied.
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

// Config says how a population is run. The zero value of a field means its default.
type Config struct {
	Dt      float64     // step, ms; 0 means the method's own
	Workers int         // goroutines; 0 means sched.Allowed
	Shard   int         // neurons in a shard; 0 means a size that fits the cache
	Epoch   int         // steps between barriers; 0 means 64 to 1024, fewer of many neurons
	ISA     kernels.ISA // instruction set; 0 means the best this processor has

	// The functions are called by one goroutine at a time, between epochs; each step of a run is asked for once, in order.
	// A slice that one of them is given belongs to the population, and is used again after the call.
	Wave  func(k int64) float64        // current added to I times gain in step k; nil means none
	Input func(k int64, row []float64) // writes the current of every neuron in step k, added to I, over whatever row holds; nil means none
	Train bool                         // keep a Train for every neuron
	From  float64                      // ms; intervals before it do not count in trains
	Spike func(block []Spike) error    // is given all spikes in order of time, then neuron; nil means none
	Trace *Trace                       // nil means none
	Tick  func(done, total int64)      // is told, between epochs, how many steps are done; nil means none
}

// Spike is one spike.
type Spike struct {
	Time   float64 // ms
	Neuron int64
}

// Trace asks for the states of some neurons at regular times.
type Trace struct {
	Of    []int64                                              // neurons
	Every float64                                              // ms; rounded to whole steps, at least one
	Row   func(t float64, neuron int64, state []float64) error // is given the states at t ms, by time, then by the order of Of
}

// Summary says what a run did.
type Summary struct {
	Steps   int64 // done of those asked for, before an interruption
	Spikes  int64
	Elapsed time.Duration
	Kernel  *kernels.Kernel
	Shards  int
	Sched   sched.Stats
	Phases  Phases
	Bytes   int // of columns, for each neuron
	Trains  Trains
	Away    []Runaway // neurons that run away, by number within their shards
}

// Phases says where the time of a run went. Step, Record and Wait are the time of all workers divided by their number, so
// that the phases add up to about the time of the run.
type Phases struct {
	Build  time.Duration // shards, initial states
	Step   time.Duration // kernels
	Record time.Duration // what workers note of spikes and states beside them
	Wait   time.Duration // workers at the barrier, or with nothing to do
	Merge  time.Duration // between epochs: spikes brought into order, Tick
	Hand   time.Duration // what Spike and Trace.Row do
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

// Split divides the time of the workers: step is what they spent in kernels, all together.
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
