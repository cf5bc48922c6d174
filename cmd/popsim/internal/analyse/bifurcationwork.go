package analyse

import (
	"context"
	"io"

	"popsim/cmd/popsim/internal/cli"
	"popsim/cmd/popsim/internal/verb"
	"popsim/dynamics"
	"popsim/sweep"
	"popsim/table"
)

// parallel distributes work over all workers, and shows how many of the units are done.
func (s *bifurcationCommand) parallel(ctx context.Context, unit string) dynamics.Each {
	return func(n int, work func(k int) error) error {
		var out io.Writer
		if !s.Quiet {
			out = s.Stderr
		}
		stats, err := cli.Parallel(ctx, s.Workers.Value, n, work, cli.NewProgress(out, float64(n), unit))
		s.stats.Add(stats)
		return err
	}
}

// simulate gives the late intervals of neurons integrated step by step, by the kernels.
func (s *bifurcationCommand) simulate(ctx context.Context) (*table.Table, error) {
	const simulatedValues, long, settle = 201, 8000, 4000 // of the quantity; ms
	f := s.free[0]
	r, err := sweep.Run(ctx, sweep.Spec{
		Model: s.neuron.Model, P: s.base.Params, I: s.base.Current, Time: long, Discard: settle, NoError: true, Late: true,
		Grid: sweep.Grid{Axes: []sweep.Axis{sweep.Even(f.Free.Name, f.Unit, f.Lo, f.Hi, simulatedValues)}},
	}, sweep.Config{Workers: s.Workers.Value})
	if err != nil {
		return nil, err
	}
	return r.LateTable(), nil
}

// chart finds the curves in the plane of two quantities and, for the picture, the attractors in the regions between
// them.
func (s *bifurcationCommand) chart(ctx context.Context) (err error) {
	x, y := s.free[0].Free, s.free[1].Free
	s.regions, err = dynamics.BifurcationCurves(ctx, s.neuron.Model, s.base.Params, s.base.Current, x, y,
		s.parallel(ctx, "places"))
	if s.regions != nil {
		s.WarnAll(verb.Texts(s.regions.Warnings))
	}
	s.Phase("curves")
	if err != nil || s.Plot.Value == "" {
		return err
	}
	s.areas, err = s.regions.Areas(ctx, s.parallel(ctx, "diagrams"))
	if s.areas != nil {
		s.WarnAll(verb.Texts(s.areas.Warnings))
	}
	if px, py, ok := s.result().Enlarged(); ok && err == nil {
		s.part, err = s.regions.AreasIn(ctx, s.parallel(ctx, "regions"), s.areas, px, py)
	}
	s.Phase("areas")
	return err
}
