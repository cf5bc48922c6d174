package main

import (
	"context"
	"errors"
	"math"
	"time"

	"popsim/cmd/popsim/internal/cli"
	"popsim/cmd/popsim/internal/memory"
	"popsim/cmd/popsim/internal/output"
	"popsim/cmd/popsim/internal/signals"
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
	seconds  float64 // that the run took

	tables     networkTables
	checkpoint *recording.Checkpoint // nil where none is kept
	goesOn     bool                  // from a checkpoint
	rec        *recording.Recording
	traces     *figure.NetworkTraces // nil without a picture
}

// runNetwork is run for a network: read everything, open files, build, run, write.
func (s *runCommand) runNetwork(ctx context.Context, q *experiment.Network) error {
	r := &networkRun{runCommand: s, q: q}
	if err := r.read(); err != nil {
		return misused(err)
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
	s.phase("read")
	n, err := network.Build(ctx, r.resolved.Spec, network.Config{
		Workers: s.workers.Value, ISA: r.isa, Memory: int64(memory.Available()),
	})
	if err != nil {
		return err
	}
	s.phase("build")
	if r.checkpoint != nil {
		defer r.checkpoint.Close()
	}
	if err := r.record(n); err != nil {
		return err
	}
	before := r.seconds
	err = s.compute(ctx, &s.flags, "run", q.Description.Title, func(ctx context.Context) error { return r.advance(ctx) })
	r.seconds = before + s.phase("run")
	switch canceled := errors.Is(err, context.Canceled); {
	case canceled && r.checkpoint != nil:
		return r.tellCheckpoint(err)
	case canceled:
		s.interrupted = true
		s.warn("interrupted at %.6g ms of %.6g ms; what was finished is %s", r.rec.End(), s.time.Value,
			s.partial(r.tables.all()...))
	case err != nil:
		return r.q.Locate(err, r.resolved.Spec)
	}
	return errors.Join(r.write(n), err)
}

// record begins the recording of a network, or goes on with it.
func (r *networkRun) record(n *network.Network) (err error) {
	cfg := recording.Config{
		From: r.from, To: r.time.Value, Bin: r.networkFlags.bin.Value,
		Trace: recording.Trace{Of: r.of, Every: max(1, recording.Steps(r.every.Value, r.cfg.Dt))},
	}
	if r.plot.Value != "" {
		cfg.Sample = shownNetworkNeurons
		r.traces = figure.NewNetworkTraces(r.resolved.Spec, r.pictured())
		if r.trace.Value == "" {
			cfg.Trace.Of, cfg.Trace.Every = r.traces.Of, max(1, int64(math.Floor(r.time.Value/r.cfg.Dt/figure.TraceSamples)))
		}
	}
	for _, t := range r.streams(&cfg) {
		if *t.sink = t.to(); *t.sink != nil && r.checkpoint != nil {
			if *t.sink, err = r.checkpoint.Sink(t.name); err != nil {
				return err
			}
		}
	}
	if !r.quiet {
		work := float64(r.forecast.Neurons)
		progress := cli.NewProgress(r.stderr, float64(recording.Steps(r.time.Value, r.cfg.Dt))*work, "neuron-steps")
		cfg.Progress = func(steps int64) { progress.Update(float64(steps) * work) }
		r.tables.clear = progress.Clear
	}
	r.rec = recording.New(n, r.resolved.Spec, cfg)
	switch {
	case r.goesOn:
		if r.seconds, err = r.checkpoint.Restore(r.rec); err == nil {
			r.say("going on from %.6g ms of %.6g ms", r.rec.End(), r.time.Value)
		}
	case r.checkpoint != nil:
		err = r.checkpoint.Start()
	}
	return err
}

// advance runs the network to its end, and hands what was recorded to the tables.
func (r *networkRun) advance(ctx context.Context) (err error) {
	end := recording.Steps(r.time.Value, r.cfg.Dt)
	if r.checkpoint != nil {
		every := time.Duration(r.networkFlags.saveEvery.Value * float64(time.Second))
		err = r.checkpoint.Advance(ctx, r.rec, end, every, r.seconds, signals.Graceful(ctx))
	} else {
		err = r.rec.Advance(ctx, end)
	}
	r.tables.clear()
	if err != nil && (r.checkpoint != nil || !errors.Is(err, context.Canceled)) {
		return err
	}
	if e := r.rec.Flush(); e != nil {
		return e
	}
	if r.checkpoint == nil {
		return err
	}
	for _, t := range r.streams(&recording.Config{}) {
		if to := t.to(); to != nil {
			if err := r.checkpoint.Replay(t.name, to); err != nil {
				return err
			}
		}
	}
	return nil
}

// stream is a table that is written while a network runs.
type stream struct {
	name string
	sink *recording.Sink
	to   func() recording.Sink // nil where nothing takes it
}

// streams are those of cfg.
func (r *networkRun) streams(cfg *recording.Config) []stream {
	t := &r.tables
	return []stream{
		{"spikes", &cfg.Spikes, func() recording.Sink { return sink(t.spikes) }},
		{"rates", &cfg.Rates, func() recording.Sink { return sink(t.rates) }},
		{"trace", &cfg.Trace.Sink, func() recording.Sink {
			switch {
			case r.traces == nil || len(r.traces.Of) == 0:
				return sink(t.trace)
			case t.trace == nil:
				return r.traces.Append
			}
			return recording.Both(t.trace.Append, r.traces.Append)
		}},
	}
}
