package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"popsim/cmd/popsim/internal/cli"
	"popsim/cmd/popsim/internal/flagset"
	"popsim/cmd/popsim/internal/help"
	"popsim/cmd/popsim/internal/output"
	"popsim/experiment"
	"popsim/network"
	"popsim/network/recording"
	"popsim/sched"
	"popsim/table"
	"popsim/table/file"
)

// networkTables are the tables of a run of a network; nil for those not asked for.
type networkTables struct {
	neurons, spikes, trace, rates, populations, edges *file.Output
	clear                                             func() // wipes the line of progress
}

func (t *networkTables) all() []*file.Output {
	return []*file.Output{t.neurons, t.spikes, t.trace, t.rates, t.populations, t.edges}
}

// networkFile is a table with its flag and path.
type networkFile struct {
	flag, path string
	out        **file.Output
}

// files are the tables that flags ask for, -o first.
func (r *networkRun) files() []networkFile {
	s, f, t := r.runCommand, &r.networkFlags, &r.tables
	return []networkFile{
		{"-o", s.out.Value, &t.neurons},
		{"--spikes", s.spikes.Value, &t.spikes},
		{"--trace", s.trace.Value, &t.trace},
		{"--rates", f.rates.Value, &t.rates},
		{"--populations", f.populations.Value, &t.populations},
		{"--edges", f.edges.Value, &t.edges},
	}
}

// open opens all files before the work begins. The table of neurons goes to standard output where nothing else does.
func (r *networkRun) open() error {
	var all []opening
	free := r.out0() == "" && !output.OnTerminal(r.stdout) && !output.ToStdout(r.save.Value)
	for _, f := range r.files() {
		all = append(all, opening{f.path, f.out})
		free = free && !output.ToStdout(f.path)
	}
	r.tables.clear = func() {}
	if err := r.openTables(&r.runCommand.flags, all...); err != nil {
		return err
	}
	if free {
		r.tables.neurons = file.NewCSV(r.stdout)
	}
	return nil
}

func (r *networkRun) out0() string { return r.runCommand.out.Value }

// keepExperiment writes the experiment where --save asks for it: the description itself, and what was set.
func (r *networkRun) keepExperiment() error {
	x := experiment.Saved{
		Comment: savedComment(), Verb: "run", Model: r.name,
		Flags: flagset.Records(r.cmd.Flags()), Given: r.cmd.Flags().Changed,
		Resolved: map[string]string{
			"dt": milliseconds(r.cfg.Dt), "time": milliseconds(r.time.Value), "discard": milliseconds(r.from), "seed": "",
			"bin": milliseconds(r.networkFlags.bin.Value), "description": r.d.Text,
		},
	}
	r.networkFlags.files.List = nil
	for _, f := range r.resolved.Files {
		r.networkFlags.files.List = append(r.networkFlags.files.List, f.Path+" sha256:"+f.SHA256)
		x.Resolved["files"] = ""
	}
	for _, s := range r.settings {
		x.Values = append(x.Values, [2]string{s.Name, s.Text})
	}
	return r.saveExperiment(&r.runCommand.flags, x)
}

// write finishes all tables and tells what happened.
func (r *networkRun) write(n *network.Network) error {
	spec := r.resolved.Spec
	if r.measures = r.rec.Measures(); r.measures == nil && !r.interrupted {
		r.warn("no time is left after --discard; nothing was measured")
	}
	if out := r.tables.neurons; out != nil {
		if err := r.rec.NeuronTable(out.Append); err != nil {
			return err
		}
	}
	if out := r.tables.edges; out != nil {
		if err := recording.EdgeTable(n, spec, out.Append); err != nil {
			return err
		}
	}
	populations := recording.PopulationTable(spec, r.measures)
	if out := r.tables.populations; out != nil {
		if err := out.Append(populations); err != nil {
			return err
		}
	}
	if err := r.commit(); err != nil {
		return err
	}
	if r.traces != nil {
		if err := r.draw(&r.flags, r.figure(), r.force); err != nil {
			return err
		}
	}
	r.phase("write")
	record := r.networkRecord(n)
	for _, f := range r.files() {
		if err := r.aside(f.path, *f.out, record); err != nil {
			return err
		}
	}
	if !r.quiet {
		tellPopulations(r.stderr, populations)
		r.summarise(n)
	}
	return nil
}

func (r *networkRun) commit() error {
	for _, out := range r.tables.all() {
		if out != nil {
			if err := out.Commit(); err != nil {
				return err
			}
		}
	}
	return nil
}

// shownMeasures are the columns of the table of populations that a terminal has room for.
var shownMeasures = []string{"rate_Hz", "rate_se_Hz", "cv", "cv2", "synchrony", "fano", "correlation"}

// tellPopulations shows the table of populations at the end of a run.
func tellPopulations(w io.Writer, t *table.Table) {
	if t.Rows() == 0 {
		return
	}
	help.Columns(w, func(w io.Writer) {
		fmt.Fprintln(w, "population\tn\trate (Hz)\tse\tCV\tCV2\tsynchrony\tFano\tcorrelation")
		for i := range t.Rows() {
			fmt.Fprintf(w, "%s\t%d", t.Columns[0].Values.([]string)[i], t.Columns[1].Values.([]int64)[i])
			for _, name := range shownMeasures {
				c, _ := t.Column(name)
				fmt.Fprintf(w, "\t%s", figures(c.Values.([]float64)[i]))
			}
			fmt.Fprintln(w)
		}
	})
}

// figures is a number of three figures; a dash where it is missing.
func figures(x float64) string {
	if math.IsNaN(x) {
		return "-"
	}
	return fmt.Sprintf("%.3g", x)
}

// summarise tells what ran, and how fast.
func (r *networkRun) summarise(n *network.Network) {
	sum, end := n.Summary(), r.rec.End()
	r.say("%s, %s, delays %.4g to %.4g ms; %s in %.6g ms",
		cli.Count(sum.Neurons, "neuron"), cli.Count(int(sum.Edges), "synapse"), sum.LeastDelay, sum.LongestDelay, cli.Count(int(r.rec.Spikes()), "spike"), end)
	work := float64(n.Steps()) * float64(sum.Neurons)
	r.say("%.3g s, %.3g neuron-steps/s; %.3g times real time, %.3g bytes a synapse, instruction set %s, %s", r.seconds,
		work/math.Max(r.seconds, 1e-9), r.seconds*1000/math.Max(end, 1e-9), perSynapse(sum), r.isa, cli.Count(r.workersUsed(), "worker"))
}

func (r *networkRun) workersUsed() int {
	if r.workers.Value == 0 {
		return sched.Allowed()
	}
	return r.workers.Value
}

func perSynapse(sum network.Summary) float64 {
	return float64(sum.Bytes) / math.Max(1, float64(sum.Edges))
}

// networkRecord says how the tables were made.
func (r *networkRun) networkRecord(n *network.Network) file.Record {
	sum, end := n.Summary(), r.rec.End()
	extra := describedNetwork(r.d, r.resolved, sum, r.rec.Firsts())
	for name, value := range map[string]any{
		"steps": n.Steps(), "time_ms": r.time.Value, "discard_ms": r.from, "bin_ms": r.networkFlags.bin.Value, "spikes": r.rec.Spikes(),
		"interrupted": r.interrupted, "spikes_on_grid": r.networkFlags.onGrid, "forecast_bytes": r.forecast.Bytes,
		"forecast_synapses": r.forecast.Edges, "run_s": r.seconds, "realtime_factor": r.seconds * 1000 / math.Max(end, 1e-9),
	} {
		extra[name] = value
	}
	if i := slices.IndexFunc(r.phases, func(p file.Phase) bool { return p.Name == "build" }); i >= 0 {
		extra["build_s"] = r.phases[i].Seconds
	}
	return file.Record{
		Model: strings.TrimSuffix(r.d.Path, experiment.Ending), Preset: r.preset, Parameters: networkParameters(r.resolved),
		Dt: r.cfg.Dt, Seed: r.seed.Value, ISA: r.isa.String(), Workers: r.workersUsed(), Extra: extra,
	}
}
