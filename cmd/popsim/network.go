package main

import (
	"context"
	"errors"
	"time"

	"popsim/cmd/popsim/internal/cli"
	"popsim/cmd/popsim/internal/memory"
	"popsim/cmd/popsim/internal/output"
	"popsim/cmd/popsim/internal/signals"
	"popsim/cmd/popsim/internal/verb"
	"popsim/experiment"
	"popsim/figure"
	"popsim/kernels"
	"popsim/network"
	"popsim/network/description"
	"popsim/network/recording"
)

// networkRun is one call of run for a network.
type networkRun struct {
	*runCommand
	q        *experiment.Network
	resolved *description.Result
	isa      kernels.ISA
	from     float64 // ms: earlier spikes do not count for rates and measures
	of       []int   // neurons to trace
	forecast network.Forecast
	built    float64 // s

	tables  networkTables
	session recording.Session
	traces  *figure.NetworkTraces // nil without a picture
}

// announcedEdges is the number of synapses from which on the cost of building them is announced.
const announcedEdges = 5_000_000

// runNetwork is run for a network: read everything, open files, build, run, write.
func (s *runCommand) runNetwork(ctx context.Context, q *experiment.Network) error {
	r := &networkRun{runCommand: s, q: q}
	if err := r.read(); err != nil {
		return verb.Misused(err)
	}
	if r.isFinished() {
		return nil
	}
	if err := r.open(); err != nil {
		return err
	}
	defer output.Abort(r.tables.all()...)
	if err := r.keepExperiment(); err != nil {
		return err
	}
	s.Phase("read")
	if f := r.forecast; f.Edges > announcedEdges {
		s.Infof("building %.3g synapses: %s, about %s", float64(f.Edges), memory.Size(float64(f.Bytes)),
			cli.Duration(f.Seconds))
	}
	n, err := r.resolved.Build(ctx, network.Config{
		Workers: s.Workers.Value, ISA: r.isa,
		Memory: int64(memory.Available()) - r.recordedBytes(),
	})
	if err != nil {
		return err
	}
	r.built = s.Phase("build")
	if c := r.session.Checkpoint; c != nil {
		defer c.Close()
	}
	wipe := r.configure(ctx)
	if err := r.session.Begin(n, r.resolved.Spec); err != nil {
		return err
	}
	if r.session.Resume {
		s.Infof("going on from %s", r.session.Reached())
	}
	err = s.Compute(ctx, &s.Flags, "run", q.Description.Title, r.session.Run)
	wipe()
	s.Phase("run")
	switch canceled := errors.Is(err, context.Canceled); {
	case canceled && r.session.Checkpoint != nil:
		r.reportCheckpoint()
		return err
	case canceled:
		s.interrupted = true
		s.Warnf("interrupted at %s; what was finished is %s", r.session.Reached(), s.Partial(r.tables.all()...))
	case err != nil:
		return r.q.Locate(err, r.resolved.Spec)
	}
	return errors.Join(r.write(n), err)
}

// configure sets what is recorded. wipe clears the line of progress.
func (r *networkRun) configure(ctx context.Context) (wipe func()) {
	c, t := &r.session, &r.tables
	c.From, c.To, c.Bin = r.from, r.Time.Value, r.networkFlags.bin.Value
	c.Every, c.Stop = time.Duration(r.networkFlags.saveEvery.Value*float64(time.Second)), signals.Graceful(ctx)
	c.Spikes, c.Rates = sink(t.spikes), sink(t.rates)
	c.Trace = recording.Trace{Of: r.of, Every: max(1, recording.Steps(r.every.Value, r.cfg.Dt)), Sink: sink(t.trace)}
	if r.Plot.Value != "" {
		c.Sample = shownNetworkNeurons
		r.traces = figure.NewNetworkTraces(r.resolved.Spec, r.pictured())
		c.Trace = r.traces.Follow(c.Trace, r.Time.Value/r.cfg.Dt)
	}
	if r.Quiet {
		return func() {}
	}
	work := float64(r.forecast.Neurons)
	progress := cli.NewProgress(r.Stderr, r.Time.Value/r.cfg.Dt*work, "neuron-steps")
	c.Progress = func(steps int64) { progress.Update(float64(steps) * work) }
	return progress.Clear
}
