package recording

import (
	"errors"

	"popsim/pop"
)

// SpikeRecorder receives the spikes of a run, in order of time, block by block. The block belongs to the caller.
type SpikeRecorder interface{ AddSpikes(block []pop.Spike) error }

// StateRecorder receives the states of the traced neurons, in order of time. The state belongs to the caller.
type StateRecorder interface {
	AddState(time float64, neuron int64, state []float64) error
}

// Attach sets the callbacks of cfg to report to recorders, each a SpikeRecorder, a StateRecorder or both. cfg.Trace
// selects the traced neurons and the interval; without it no states are reported.
func Attach(cfg *pop.Config, recorders ...any) {
	var spikes []SpikeRecorder
	var states []StateRecorder
	for _, r := range recorders {
		if x, ok := r.(SpikeRecorder); ok {
			spikes = append(spikes, x)
		}
		if x, ok := r.(StateRecorder); ok {
			states = append(states, x)
		}
	}
	if len(spikes) > 0 {
		cfg.Spike = func(block []pop.Spike) error {
			for _, r := range spikes {
				if err := r.AddSpikes(block); err != nil {
					return err
				}
			}
			return nil
		}
	}
	if len(states) > 0 && cfg.Trace != nil {
		cfg.Trace.Row = func(time float64, neuron int64, state []float64) error {
			for _, r := range states {
				if err := r.AddState(time, neuron, state); err != nil {
					return err
				}
			}
			return nil
		}
	}
}

// Close closes the recorders that can be closed, and returns all their errors.
func Close(recorders ...any) error {
	var all []error
	for _, r := range recorders {
		if c, ok := r.(interface{ Close() error }); ok {
			all = append(all, c.Close())
		}
	}
	return errors.Join(all...)
}
