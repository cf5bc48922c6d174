package main

import (
	"fmt"
	"math"
	"slices"

	"popsim/cmd/popsim/internal/cli"
	"popsim/cmd/popsim/internal/flagset"
	"popsim/cmd/popsim/internal/output"
	"popsim/cmd/popsim/internal/record"
	"popsim/cmd/popsim/internal/reference"
	"popsim/cmd/popsim/internal/verb"
	"popsim/experiment"
	"popsim/figure"
	"popsim/network"
	"popsim/network/recording"
	"popsim/sched"
	"popsim/table/file"
)

// shownNetworkNeurons is the number of neurons of a network of which a picture shows the spikes.
const shownNetworkNeurons = 1000

// networkTables are the tables of a run of a network; nil for those not requested.
type networkTables struct {
	neurons, spikes, trace, rates, populations, spectrum, edges *file.Output
}

func (t *networkTables) all() []*file.Output {
	return []*file.Output{t.neurons, t.spikes, t.trace, t.rates, t.populations, t.spectrum, t.edges}
}

// networkFile is a table with its flag and path.
type networkFile struct {
	flag, path string
	out        **file.Output
}

// files lists the tables that flags request, -o first.
func (r *networkRun) files() []networkFile {
	s, f, t := r.runCommand, &r.networkFlags, &r.tables
	return []networkFile{
		{"-o", s.Out.Value, &t.neurons},
		{"--spikes", s.spikes.Value, &t.spikes},
		{"--trace", s.trace.Value, &t.trace},
		{"--rates", f.rates.Value, &t.rates},
		{"--populations", f.populations.Value, &t.populations},
		{"--spectrum", f.spectrum.Value, &t.spectrum},
		{"--edges", f.edges.Value, &t.edges},
	}
}

// open opens all files before the work begins. The table of neurons goes to standard output where nothing else does.
func (r *networkRun) open() error {
	var all []verb.Opening
	free := r.runCommand.Out.Value == "" && !output.OnTerminal(r.Stdout) && !output.ToStdout(r.Save.Value)
	for _, f := range r.files() {
		all = append(all, verb.Opening{Path: f.path, Out: f.out})
		free = free && !output.ToStdout(f.path)
	}
	if r.networkFlags.resume {
		if err := r.tidy(); err != nil {
			return err
		}
	}
	if err := r.OpenTables(&r.runCommand.Flags, all...); err != nil {
		return err
	}
	if free {
		r.tables.neurons = file.NewCSV(r.Stdout)
	}
	return nil
}

// tidy removes the temporary files of killed runs.
func (r *networkRun) tidy() error {
	paths := []string{r.Plot.Value}
	for _, f := range r.files() {
		paths = append(paths, f.path, f.path+file.RecordEnding)
	}
	for _, path := range paths {
		if path != "" && path != file.RecordEnding {
			if err := file.Tidy(path); err != nil {
				return err
			}
		}
	}
	return nil
}

// sink appends to a table; nil where there is none.
func sink(out *file.Output) recording.Sink {
	if out == nil {
		return nil
	}
	return out.Append
}

// keepExperiment writes the experiment to the file of --save: the description itself, and the settings.
func (r *networkRun) keepExperiment() error {
	f := &r.networkFlags
	f.files.List = experiment.FileSums(r.resolved.Files)
	return r.SaveExperiment(&r.runCommand.Flags, r.q.Saved("run", r.SavedComment(), flagset.Records(r.Cmd.Flags()),
		r.Cmd.Flags().Changed, map[string]string{
			"dt": verb.Milliseconds(r.cfg.Dt), "time": verb.Milliseconds(r.Time.Value),
			"discard": verb.Milliseconds(r.from), "seed": "",
			"bin": verb.Milliseconds(f.bin.Value),
		}, len(f.files.List) > 0))
}

// reportCheckpoint says where an interrupted run can be resumed.
func (r *networkRun) reportCheckpoint() {
	if r.session.Checkpoint.Exists() {
		r.Warnf("interrupted at %s; --resume continues from the checkpoint beside %s", r.session.Reached(), r.first())
	} else {
		r.Warnf("interrupted at %s, before the first checkpoint; nothing is kept", r.session.Reached())
	}
}

// write completes all tables and writes the summary.
func (r *networkRun) write(n *network.Network) error {
	spec, t := r.resolved.Spec, &r.tables
	measures := r.session.Recording.Measures()
	populations := recording.PopulationTable(spec, measures)
	for _, w := range []struct {
		out   *file.Output
		write func(recording.Sink) error
	}{
		{t.neurons, r.session.Recording.NeuronTable},
		{t.edges, func(to recording.Sink) error { return recording.EdgeTable(n, spec, to) }},
		{t.populations, func(to recording.Sink) error { return to(populations) }},
		{t.spectrum, func(to recording.Sink) error { return to(recording.SpectrumTable(spec, measures)) }},
	} {
		if w.out != nil {
			if err := w.write(w.out.Append); err != nil {
				return err
			}
		}
	}
	for _, out := range t.all() {
		if out != nil {
			if err := out.Commit(); err != nil {
				return err
			}
		}
	}
	if r.traces != nil {
		if err := r.draw(); err != nil {
			return err
		}
	}
	r.Phase("write")
	out := record.NetworkRun(r.q, r.resolved, n.Summary(), &r.session, r.forecast)
	out.ISA, out.Workers, out.Extra["interrupted"] = r.isa.String(), r.workersUsed(), r.interrupted
	out.Extra["build_s"] = r.built
	out.Extra["experiment"] = record.Digest(r.identity())
	for _, f := range r.files() {
		if err := r.Aside(f.path, *f.out, out); err != nil {
			return err
		}
	}
	if r.session.Checkpoint != nil {
		if err := r.session.Checkpoint.Remove(); err != nil { // last: a run that is killed before this writes its files again
			return err
		}
	}
	if !r.Quiet {
		reference.Populations(r.Stderr, populations)
		r.summarise(n.Summary())
	}
	return nil
}

// draw draws the picture of the run.
func (r *networkRun) draw() error {
	samples := r.session.Recording.Samples()
	if slices.ContainsFunc(samples, func(s recording.Sample) bool { return s.Cut }) {
		r.Warnf("the picture shows only the first spikes; there are too many")
	}
	title := r.q.Name
	for _, s := range r.q.Settings {
		title += fmt.Sprintf("  %s = %s", s.Name, s.Text)
	}
	return r.Draw(&r.runCommand.Flags, figure.Network(title, r.Time.Value, samples, r.traces.Traces...), r.Force)
}

// summarise writes what was simulated, and how fast.
func (r *networkRun) summarise(sum network.Summary) {
	end := r.session.Recording.End()
	delays := ""
	if sum.Edges > 0 {
		delays = fmt.Sprintf(", delays %.4g to %.4g ms", sum.LeastDelay, sum.LongestDelay)
	}
	r.Infof("%s, %s%s; %s in %.6g ms", cli.Count(sum.Neurons, "neuron"), cli.Count(int(sum.Edges), "synapse"), delays,
		cli.Count(int(r.session.Recording.Spikes()), "spike"), end)
	work := end / r.cfg.Dt * float64(sum.Neurons)
	r.Infof("%.3g s (%.3g s per second of model time), %.3g neuron-steps/s; %.3g bytes a synapse, instruction set %s, %s",
		r.session.Seconds, r.session.Seconds*1000/math.Max(end, 1e-9), work/math.Max(r.session.Seconds, 1e-9),
		record.PerSynapse(sum), r.isa, cli.Count(r.workersUsed(), "worker"))
}

func (r *networkRun) workersUsed() int {
	if r.Workers.Value == 0 {
		return sched.Allowed()
	}
	return r.Workers.Value
}
