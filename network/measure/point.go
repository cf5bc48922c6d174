package measure

import (
	"context"
	"fmt"
	"time"

	"popsim/kernels"
	"popsim/network"
	"popsim/network/description"
	"popsim/network/recording"
)

// Run holds the times of a run and of its measures.
type Run struct {
	Time, Discard, Bin float64 // ms
	Workers            int
	ISA                kernels.ISA
	Memory             int64 // bytes that the network may take; 0 is no limit
}

// Point builds a network, runs it, and returns its measures.
func (s *Set) Point(ctx context.Context, res *description.Result, run Run) ([]float64, error) {
	net, err := run.build(ctx, res)
	if err != nil {
		return nil, err
	}
	defer net.Close()
	return s.measure(ctx, net, res, run)
}

func (run Run) build(ctx context.Context, res *description.Result) (*network.Network, error) {
	return res.Build(ctx, network.Config{Workers: run.Workers, ISA: run.ISA, Memory: run.Memory})
}

// measure runs a network from its start, and returns its measures.
func (s *Set) measure(ctx context.Context, net *network.Network, res *description.Result, run Run) ([]float64, error) {
	meter := s.Meter(run.Time)
	rec := recording.New(net, res.Spec, recording.Config{From: run.Discard, To: run.Time, Bin: run.Bin, Each: meter.Add})
	if err := advance(ctx, rec, meter, recording.Steps(run.Time, res.Spec.Dt), res.Spec.Dt); err != nil {
		return nil, err
	}
	if len(s.plain) == 0 {
		return meter.Values(nil), nil
	}
	populations := rec.Measures()
	if populations == nil {
		return nil, fmt.Errorf("no time is left after the %g ms that are discarded", run.Discard)
	}
	return meter.Values(populations), nil
}

// advance advances a network to a step, or until its measures are decided.
func advance(ctx context.Context, rec *recording.Recording, meter *Meter, to int64, dt float64) error {
	stretch := max(1, recording.Steps(stretch, dt))
	for at := int64(0); at < to && !meter.Decided(rec.End()); {
		at = min(to, at+stretch)
		if err := rec.Advance(ctx, at); err != nil {
			return err
		}
	}
	return nil
}

// stretch is the time (ms) between two tests whether the measures are decided.
const stretch = 10.0

// Seconds estimates how long one run takes on one processor, from a short run of the first point.
func (x *Sweep) Seconds(ctx context.Context) (float64, error) {
	begin := time.Now()
	net, err := x.Base.Build(ctx, network.Config{Workers: 1, ISA: x.Run.ISA, Memory: x.Run.Memory})
	if err != nil {
		return 0, err
	}
	defer net.Close()
	built := time.Since(begin).Seconds()
	rec := recording.New(net, x.Base.Spec, recording.Config{From: 0, To: x.Run.Time, Bin: x.Run.Bin})
	steps := recording.Steps(x.Run.Time, x.Base.Spec.Dt)
	for begin = time.Now(); time.Since(begin) < shortRun && net.Steps() < steps; {
		if err := rec.Advance(ctx, min(steps, net.Steps()+max(10, steps/100))); err != nil {
			return 0, err
		}
	}
	return built + time.Since(begin).Seconds()*float64(steps)/float64(net.Steps()), nil
}

// shortRun is the time for which the speed of a network is measured.
const shortRun = 300 * time.Millisecond
