package measure

import (
	"context"
	"fmt"

	"popsim/kernels"
	"popsim/network"
	"popsim/network/description"
	"popsim/network/recording"
)

// Run says how long a network runs and how it is measured.
type Run struct {
	Time, Discard, Bin float64 // ms
	Workers            int
	ISA                kernels.ISA
	Memory             int64 // bytes that the network may take; 0 is no limit
}

// Point builds a network, runs it, and returns its measures.
func (s *Set) Point(ctx context.Context, res *description.Result, run Run) ([]float64, error) {
	net, err := network.Build(ctx, res.Spec, network.Config{Workers: run.Workers, ISA: run.ISA, Memory: run.Memory})
	if err != nil {
		return nil, err
	}
	meter := s.Meter(run.Time)
	rec := recording.New(net, res.Spec, recording.Config{From: run.Discard, To: run.Time, Bin: run.Bin, Each: meter.Add})
	if err := rec.Advance(ctx, recording.Steps(run.Time, res.Spec.Dt)); err != nil {
		return nil, err
	}
	populations := rec.Measures()
	if populations == nil {
		return nil, fmt.Errorf("no time is left after the %g ms that are discarded", run.Discard)
	}
	return meter.Values(populations), nil
}
