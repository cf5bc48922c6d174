package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"popsim/cmd/popsim/internal/cli"
	"popsim/cmd/popsim/internal/memory"
	"popsim/cmd/popsim/internal/output"
	"popsim/equations"
	"popsim/experiment"
	"popsim/expression"
	"popsim/fault"
	"popsim/kernels"
	"popsim/model"
	"popsim/network"
	"popsim/network/description"
	"popsim/network/recording"
	"popsim/network/statistics"
	"popsim/table/file"
)

// networkNamed returns the network that the first word names, NAME[:PRESET] or FILE.toml[:PRESET]; ok is false where it
// names none. A text given by --description stands for what that file holds.
func networkNamed(args []string, text string) (d *description.Description, preset string, ok bool, err error) {
	if len(args) == 0 {
		return nil, "", false, nil
	}
	name, preset, _ := strings.Cut(args[0], ":")
	switch {
	case text != "":
		d, err = description.Parse(name, []byte(text))
		return d, preset, true, err
	case slices.Contains(description.Names(), name):
		d, err = description.Lookup(args[0])
		return d, preset, true, err
	case !strings.HasSuffix(name, experiment.Ending):
		return nil, "", false, nil
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, "", true, err
	}
	kind, err := experiment.KindOf(name, data)
	switch {
	case err != nil:
		return nil, "", true, err
	case kind == experiment.NeuronFile:
		return nil, "", false, nil
	case kind == experiment.ExperimentFile:
		return nil, "", true, fault.Hint(fmt.Errorf("%s is an experiment, not a network", name), "popsim %s runs it", name)
	}
	if equations.Describes(data) {
		return nil, "", false, nil
	}
	d, err = description.Parse(name, data)
	return d, preset, true, err
}

// nearestNetwork adds to the error about an unknown model the network of a similar name.
func nearestNetwork(args []string, err error) error {
	if len(args) == 0 || err == nil {
		return err
	}
	name, _, _ := strings.Cut(args[0], ":")
	if _, lookup := model.Lookup(name); lookup == nil {
		return err
	}
	if near := expression.Nearest(name, description.Names()); near != "" {
		return fault.Hint(err, "the networks are %s", strings.Join(description.Names(), ", "))
	}
	return err
}

// networkRun is one call of run for a network.
type networkRun struct {
	*runCommand
	d        *description.Description
	name     string // as the command line has it
	preset   string
	settings []description.Setting
	resolved *description.Result
	isa      kernels.ISA
	from     float64 // ms: earlier spikes do not count for rates and measures
	of       []int   // neurons to trace
	forecast network.Forecast
	seconds  float64 // that the run took

	tables   networkTables
	rec      *recording.Recording
	traces   *networkTraces
	measures []statistics.Population
}

// runNetwork is run for a network: read everything, open files, build, run, write.
func (s *runCommand) runNetwork(ctx context.Context, d *description.Description, preset string, args []string) error {
	r := &networkRun{runCommand: s, d: d, name: args[0], preset: preset}
	if err := r.read(args[1:]); err != nil {
		return misused(err)
	}
	if err := r.open(); err != nil {
		return err
	}
	defer output.Abort(r.tables.all()...)
	if err := r.keepExperiment(); err != nil {
		return err
	}
	s.phase("read")
	n, err := network.Build(ctx, r.resolved.Spec, network.Config{Workers: s.workers.Value, ISA: r.isa, Memory: int64(memory.Available())})
	if err != nil {
		return err
	}
	s.phase("build")
	r.record(n)
	err = s.compute(ctx, &s.flags, "run", d.Title, func(ctx context.Context) error { return r.advance(ctx, n) })
	r.seconds = s.phase("run")
	if errors.Is(err, context.Canceled) {
		s.interrupted = true
		s.warn("interrupted at %.6g ms of %.6g ms; what was finished is %s", r.rec.End(), s.time.Value, s.partial(r.tables.all()...))
	} else if err != nil {
		return err
	}
	if e := r.write(n); e != nil {
		return e
	}
	return err
}

// record begins the recording of a network.
func (r *networkRun) record(n *network.Network) {
	cfg := recording.Config{
		From: r.from, To: r.time.Value, Bin: r.networkFlags.bin.Value,
		Spikes: sink(r.tables.spikes), Rates: sink(r.tables.rates),
		Trace: recording.Trace{Of: r.of, Every: max(1, recording.Steps(r.every.Value, r.cfg.Dt)), Sink: sink(r.tables.trace)},
	}
	if r.plot.Value != "" {
		cfg.Sample = shownNetworkNeurons
		r.traces = newNetworkTraces(r, &cfg.Trace)
	}
	if !r.quiet {
		work := float64(r.forecast.Neurons)
		progress := cli.NewProgress(r.stderr, float64(recording.Steps(r.time.Value, r.cfg.Dt))*work, "neuron-steps")
		cfg.Progress = func(steps int64) { progress.Update(float64(steps) * work) }
		r.tables.clear = progress.Clear
	}
	r.rec = recording.New(n, r.resolved.Spec, cfg)
}

// advance runs the network to its end, and hands what was recorded to the tables.
func (r *networkRun) advance(ctx context.Context, n *network.Network) error {
	err := r.rec.Advance(ctx, recording.Steps(r.time.Value, r.cfg.Dt))
	r.tables.clear()
	if e := r.rec.Flush(); err == nil || errors.Is(err, context.Canceled) && e != nil {
		err = e
	}
	return err
}

// sink appends to a table; nil where there is none.
func sink(out *file.Output) recording.Sink {
	if out == nil {
		return nil
	}
	return out.Append
}
