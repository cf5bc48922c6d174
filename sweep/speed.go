package sweep

import (
	"context"
	"math"
)

// Step returns the step (ms) that the sweep takes: Dt, or the method's own.
func (s Spec) Step() float64 {
	if s.Dt > 0 {
		return s.Dt
	}
	method, _ := s.Model.Method(s.Method)
	return method.Dt
}

// Speed measures how many lane-steps per second a sweep like this makes with the workers and the instruction set of
// cfg: the best of three runs of 128 points per worker over 400 steps. cfg.Workers must be set.
func (s Spec) Speed(ctx context.Context, cfg Config) (float64, error) {
	current := make([]float64, 128*cfg.Workers)
	for i := range current {
		current[i] = s.I
	}
	sample := s
	sample.Grid = Grid{Axes: []Axis{Values("I", s.Model.CurrentUnit, current...)}}
	sample.From, sample.Full, sample.NoError = FromRest, true, true
	sample.Time, sample.Discard = 400*s.Step(), 0
	best := 0.0
	for range 3 {
		r, err := Run(ctx, sample, Config{Workers: cfg.Workers, ISA: cfg.ISA})
		if err != nil {
			return 0, err
		}
		best = max(best, float64(r.LaneSteps)/math.Max(r.Elapsed.Seconds(), 1e-9))
	}
	return best, nil
}
