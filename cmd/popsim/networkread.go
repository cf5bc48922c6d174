package main

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/spf13/pflag"

	"popsim/cmd/popsim/internal/flagset"
	"popsim/cmd/popsim/internal/memory"
	"popsim/cmd/popsim/internal/output"
	"popsim/cmd/popsim/internal/record"
	"popsim/experiment"
	"popsim/fault"
	"popsim/network"
	"popsim/network/description"
	"popsim/network/recording"
	"popsim/network/statistics"
	"popsim/table/file"
)

// networkFlags are the flags of run that apply to networks only.
type networkFlags struct {
	onGrid                    bool
	populations, edges, rates experiment.Word
	spectrum                  experiment.Word
	bin, saveEvery            experiment.Quantity
	resume                    bool
	embedded
}

// embedded is what an experiment file holds of a network: its description, and experiment.FileSums of the @files.
type embedded struct {
	description experiment.Word
	files       experiment.Texts
}

// add registers the flags.
func (f *networkFlags) add(set *pflag.FlagSet) {
	flagset.Add(set, experiment.Flag{
		Name: "spikes-on-grid", Value: (*experiment.Switch)(&f.onGrid),
		Help: "networks: spikes and arrivals at the ends of steps",
	})
	for _, w := range []struct {
		name, what string
		to         *experiment.Word
	}{
		{"populations", "rate, CV, synchrony, ... of populations", &f.populations},
		{"edges", "all synapses", &f.edges},
		{"rates", "rates of populations over time", &f.rates},
		{"spectrum", "power spectra of the rates of populations", &f.spectrum},
	} {
		w.to.Form = "FILE"
		flagset.Add(set, experiment.Flag{Name: w.name, Value: w.to, Help: "networks: table of " + w.what})
	}
	f.bin, f.saveEvery = experiment.Quantity{Unit: "ms", Value: 1}, experiment.Quantity{Unit: "s", Value: 600}
	flagset.Add(set, experiment.Flag{
		Name: "bin", Value: &f.bin, Help: "networks: time over which --rates and counts for synchrony are taken",
	})
	flagset.Add(set, experiment.Flag{
		Name: "save-every", Once: true, Value: &f.saveEvery,
		Help: "networks: keep a checkpoint beside the first table and write it so often, as in 10min",
	})
	flagset.Add(set, experiment.Flag{
		Name: "resume", Once: true, Value: (*experiment.Switch)(&f.resume),
		Help: "networks: continue from the checkpoint that an interrupted run has left",
	})
	f.embedded.add(set)
}

// add registers the flags, which are for experiment files and hidden from help.
func (f *embedded) add(set *pflag.FlagSet) {
	f.description, f.files = experiment.Word{Form: "TEXT"}, experiment.Texts{Form: "TEXT"}
	flagset.Add(set, experiment.Flag{Name: "description", Value: &f.description, Help: "the description of a network, " +
		"as --save writes it"})
	flagset.Add(set, experiment.Flag{Name: "files", Value: &f.files, Help: "the @files of a network with their " +
		"checksums, as --save writes them"})
	_, _ = set.MarkHidden("description"), set.MarkHidden("files")
}

// given reports whether one of the flags was set.
func (f *networkFlags) given() bool {
	return f.onGrid || f.populations.Value != "" || f.edges.Value != "" || f.rates.Value != "" ||
		f.spectrum.Value != "" || f.bin.Given || f.saveEvery.Given || f.resume
}

// read resolves the description and checks everything, and reports all errors together.
func (r *networkRun) read() error {
	isa, bad := r.Check()
	r.isa = isa
	bad.Add(r.refuse())
	bad.Add(r.q.Check())
	o := description.Options{
		Preset: r.q.Preset, Seed: r.Seed.Value, Dt: r.Dt.Value, OnGrid: r.networkFlags.onGrid,
		Settings: r.q.Settings, Memory: memory.Available(),
	}
	var err error
	if r.resolved, err = r.q.Description.Resolve(o); err != nil {
		bad.Add(err)
		return bad.Err()
	}
	r.cfg.Dt = r.resolved.Spec.Dt
	bad.Add(experiment.CheckFileSums(r.networkFlags.files.List, r.resolved.Files))
	bad.Add(r.readTimes())
	for _, m := range r.resolved.Measures {
		if err := m.Within(r.Time.Value); err != nil {
			r.Warnf("%v: map -m %s keeps nothing of such a run", err, m.Name)
		}
	}
	bad.Add(r.readOf())
	bad.Add(r.checkTables())
	bad.Add(r.readCheckpoint())
	if r.forecast, err = r.resolved.Spec.ForecastOf(network.Config{Workers: r.Workers.Value}); err != nil {
		bad.Add(err)
	}
	r.forecast.Bytes += r.recordedBytes()
	bad.Add(memory.Fits(fmt.Sprintf("the network of %.4g synapses", float64(r.forecast.Edges)), float64(r.forecast.Bytes)))
	return bad.Err()
}

// recordedBytes is the memory of the recording of a run.
func (r *networkRun) recordedBytes() int64 {
	return int64(r.forecast.Neurons) * int64(recording.NeuronBytes)
}

// refuse reports flags that do not apply to a network, and invalid values.
func (r *networkRun) refuse() error {
	var bad fault.List
	for _, f := range []struct {
		flag, why string
		given     bool
	}{
		{"--neurons", "the sizes of a network are in its file, n of [population.NAME]", r.n.Given},
		{"--waveform", "inputs of a network are in its file, [input.NAME]", len(r.waveforms.List) > 0},
		{"--noise", "noise on a network is in its file, noise of [input.NAME]", len(r.noises.List) > 0},
		{
			"--method", "methods are in the file of a network, method of [population.NAME]; POP.method=NAME sets one",
			r.runCommand.Flags.Method.Given,
		},
		{"--sta", "it averages a waveform, of which networks have none", r.sta.Given},
		{"--window", "it belongs to --sta, which networks do not have", r.window.Given},
		{"--tops", "traces of networks have no rows for spikes; --spikes FILE holds their times", r.tops},
	} {
		if f.given {
			bad.About(f.flag, fmt.Errorf("%s: %s", f.flag, f.why))
		}
	}
	for flag, q := range map[string]*experiment.Quantity{
		"--bin":        &r.networkFlags.bin,
		"--save-every": &r.networkFlags.saveEvery,
	} {
		if q.Err != nil {
			bad.About(flag, fmt.Errorf("%s: %w", flag, q.Err))
		} else if !(q.Value > 0) {
			bad.About(flag, fmt.Errorf("%s is %v %s; it must be greater than 0", flag, q.Value, q.Unit))
		}
	}
	return bad.Err()
}

// readTimes takes from the description the times that no flag gives, and checks them.
func (r *networkRun) readTimes() error {
	var bad fault.List
	if !r.Time.Given && r.resolved.Time > 0 {
		r.Time.Value = r.resolved.Time
	}
	r.from = r.Discard.Value
	if !r.Discard.Given && r.resolved.Discard > 0 && r.resolved.Discard < r.Time.Value {
		r.from = r.resolved.Discard
	}
	if r.Time.Value > 0 { // else Check has reported it
		if r.from >= r.Time.Value && !r.Discard.Given {
			bad.About("--discard", fmt.Errorf("discard is %v ms of %v ms; it must be less than the time", r.from,
				r.Time.Value))
		}
		bad.About("--time", experiment.CheckSpan(r.Time.Value, r.cfg.Dt))
	}
	bad.About("--bin", recording.CheckBin(r.networkFlags.bin.Value, r.cfg.Dt))
	span, bin := r.Time.Value-r.from, r.networkFlags.bin.Value
	if r.networkFlags.spectrum.Value != "" && span/bin < statistics.SpectrumBins {
		r.Warnf("--spectrum needs %d bins at least, and %v ms are %.0f of %v ms: its table stays empty",
			statistics.SpectrumBins, span, math.Floor(span/bin), bin)
	}
	every, dt := r.every.Value, r.cfg.Dt
	if steps := math.Max(1, math.Round(every/dt)); r.trace.Value != "" && every > 0 &&
		math.Abs(steps*dt-every) > 1e-9*every {
		r.Warnf("--every %v ms is no whole number of steps; states are traced every %.6g ms", every, steps*dt)
	}
	return bad.Err()
}

// readOf decides which neurons are traced.
func (r *networkRun) readOf() (err error) {
	switch text := r.runCommand.of.Value; {
	case r.trace.Value == "" && (r.Plot.Value == "" || text == ""):
	case text == "":
		r.of = recording.FirstOf(r.resolved.Spec, 3)
	default:
		if r.of, err = recording.ParseOf(r.resolved.Spec, text); err != nil {
			err = fault.About("--of", fmt.Errorf("--of %s: %w", text, err))
		}
	}
	return err
}

// pictured are the neurons whose V a picture shows: those of --of.
func (r *networkRun) pictured() []int {
	if !r.runCommand.of.Given {
		return nil
	}
	return r.of
}

// checkTables reports flags of tables that name the same file, or have no effect.
func (r *networkRun) checkTables() error {
	var bad fault.List
	var named []output.Named
	free := false
	for _, f := range r.files()[1:] {
		named = append(named, output.Named{Flag: f.flag, Path: f.path})
		free = free || output.ToStdout(f.path)
	}
	bad.Add(r.Apart(free, named...))
	bad.Add(r.checkTraceFlags())
	return errors.Join(bad...)
}

// first is the table beside which a checkpoint is kept.
func (r *networkRun) first() string {
	for _, f := range r.files() {
		if f.path != "" && !output.ToStdout(f.path) && file.Regular(f.path) {
			return f.path
		}
	}
	return ""
}

// readCheckpoint decides whether a checkpoint is kept, and whether the run continues from one.
func (r *networkRun) readCheckpoint() error {
	f, path := &r.networkFlags, r.first()
	if !f.saveEvery.Given && !f.resume {
		return nil
	}
	if path == "" {
		return fault.Hint(errors.New("a checkpoint is kept beside a table, but none is given"), "-o FILE gives one")
	}
	c := recording.NewCheckpoint(path, r.identity())
	if c.Exists() && !f.resume && !r.Force {
		return fault.Hint(fmt.Errorf("an unfinished run has left a checkpoint beside %s", path),
			"--resume continues from it, --force throws it away")
	}
	r.session.Checkpoint, r.session.Resume = c, c.Exists() && f.resume
	r.Force = r.Force || r.session.Resume // a run that was killed while it wrote its tables writes them again
	return nil
}

// identity describes in JSON all that the results of the run depend on.
func (r *networkRun) identity() string {
	var tables []bool
	for _, f := range r.files() {
		tables = append(tables, f.path != "")
	}
	return r.q.Identity(r.resolved, r.Time.Value, r.from, r.networkFlags.bin.Value, r.of, r.every.Value, tables,
		r.Plot.Value != "")
}

// isFinished reports whether a run that is to be resumed has come to its end.
func (r *networkRun) isFinished() bool {
	f := &r.networkFlags
	if !f.resume || r.session.Resume || r.Force || !record.Finished(r.first(), record.Digest(r.identity())) {
		return false
	}
	missing := func(f networkFile) bool {
		return f.path != "" && file.Regular(f.path) && file.Check(f.path, false) == nil
	}
	if slices.ContainsFunc(r.files(), missing) {
		return false
	}
	r.Infof("%s is finished already", r.first())
	return true
}
