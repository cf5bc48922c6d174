package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"popsim/cmd/popsim/internal/flagset"
	"popsim/cmd/popsim/internal/output"
	"popsim/experiment"
	"popsim/fault"
	"popsim/network/description"
	"popsim/network/recording"
)

// networkFlags are those that run takes for networks alone.
type networkFlags struct {
	onGrid                    bool
	populations, edges, rates experiment.Word
	bin                       experiment.Quantity
	embedded
}

// embedded is what an experiment file holds of a network: its description, and the @files that this names, each as
// "PATH sha256:SUM".
type embedded struct {
	description experiment.Word
	files       experiment.Texts
}

// add registers the flags.
func (f *networkFlags) add(set *pflag.FlagSet) {
	f.populations, f.edges, f.rates = experiment.Word{Form: "FILE"}, experiment.Word{Form: "FILE"}, experiment.Word{Form: "FILE"}
	f.bin = experiment.Quantity{Unit: "ms", Value: 1}
	flagset.Add(set, experiment.Flag{Name: "spikes-on-grid", Value: (*experiment.Switch)(&f.onGrid), Help: "networks: spikes and arrivals at the ends of steps"})
	flagset.Add(set, experiment.Flag{Name: "populations", Value: &f.populations, Help: "networks: table of rate, CV, synchrony, ... of populations"})
	flagset.Add(set, experiment.Flag{Name: "edges", Value: &f.edges, Help: "networks: table of all synapses"})
	flagset.Add(set, experiment.Flag{Name: "rates", Value: &f.rates, Help: "networks: table of rates of populations over time"})
	flagset.Add(set, experiment.Flag{Name: "bin", Value: &f.bin, Help: "networks: time over which --rates and counts for synchrony are taken"})
	f.embedded.add(set)
}

// add registers the flags, which are for experiment files and stand in no help.
func (f *embedded) add(set *pflag.FlagSet) {
	f.description, f.files = experiment.Word{Form: "TEXT"}, experiment.Texts{Form: "TEXT"}
	flagset.Add(set, experiment.Flag{Name: "description", Value: &f.description, Help: "the description of a network, as --save writes it"})
	flagset.Add(set, experiment.Flag{Name: "files", Value: &f.files, Help: "the @files of a network with their checksums, as --save writes them"})
	_, _ = set.MarkHidden("description"), set.MarkHidden("files")
}

// given tells whether one of the flags was set.
func (f *networkFlags) given() bool {
	return f.onGrid || f.populations.Value != "" || f.edges.Value != "" || f.rates.Value != "" || f.bin.Given
}

// check refuses @files that have changed since their checksums were written.
func (f *embedded) check(files []description.File) error {
	var bad fault.List
	for _, text := range f.files.List {
		path, sum, _ := strings.Cut(text, " sha256:")
		i := slices.IndexFunc(files, func(g description.File) bool { return g.Path == path })
		if i < 0 || files[i].SHA256 == sum {
			continue
		}
		bad.About("--files", fault.Hint(fmt.Errorf("%s has changed since the experiment was saved", path),
			"without its line in files the experiment runs with what it holds now"))
	}
	return bad.Err()
}

// settingsOf reads NAME=VALUE; places are those of an experiment file.
func settingsOf(words []string, places map[string]string) (settings []description.Setting, bad fault.List) {
	for _, w := range words {
		name, text, ok := strings.Cut(w, "=")
		if !ok {
			bad.Addf("%q is no NAME=VALUE", w)
			continue
		}
		settings = append(settings, description.Setting{Name: name, Text: text, Place: places[name]})
	}
	return settings, bad
}

// read resolves the description and refuses what makes no sense, all of it at once.
func (r *networkRun) read(words []string) error {
	isa, bad := r.check()
	r.isa = isa
	bad.Add(r.refuse())
	settings, faults := settingsOf(words, r.places)
	r.settings, bad = settings, append(bad, faults...)
	o := description.Options{Preset: r.preset, Seed: r.seed.Value, OnGrid: r.networkFlags.onGrid, Settings: settings}
	if r.dt.Given {
		o.Dt = r.dt.Value
	}
	resolved, err := r.d.Resolve(o)
	bad.Add(err)
	if r.resolved = resolved; resolved == nil {
		return bad.Err()
	}
	bad.Add(r.networkFlags.embedded.check(resolved.Files))
	r.cfg.Dt = resolved.Spec.Dt
	bad.Add(r.readTimes())
	bad.Add(r.readOf())
	bad.Add(r.checkTables())
	if r.forecast, err = resolved.Spec.Forecast(); err != nil {
		bad.Add(err)
	}
	return bad.Err()
}

// refuse reports flags that have no meaning for a network.
func (r *networkRun) refuse() error {
	var bad fault.List
	for _, f := range []struct {
		flag, why string
		given     bool
	}{
		{"--neurons", "the sizes of a network stand in its file, n of [population.NAME]", r.n.Given},
		{"--waveform", "inputs of a network stand in its file, [input.NAME]", len(r.waveforms.List) > 0},
		{"--method", "methods stand in the file of a network, method of [population.NAME]; POP.method=NAME sets one", r.method0().Given},
		{"--tops", "traces of networks have no rows for spikes; --spikes FILE holds their times", r.tops},
	} {
		if f.given {
			bad.About(f.flag, fmt.Errorf("%s: %s", f.flag, f.why))
		}
	}
	if r.networkFlags.bin.Err != nil {
		bad.About("--bin", fmt.Errorf("--bin: %w", r.networkFlags.bin.Err))
	}
	return bad.Err()
}

func (r *networkRun) method0() *experiment.Word { return &r.runCommand.flags.method }

// readTimes takes from the description the times that no flag gives, and checks them.
func (r *networkRun) readTimes() error {
	var bad fault.List
	if !r.time.Given && r.resolved.Time > 0 {
		r.time.Value = r.resolved.Time
	}
	r.from = r.discard.Value
	if !r.discard.Given && r.resolved.Discard > 0 && r.resolved.Discard < r.time.Value {
		r.from = r.resolved.Discard
	}
	if r.from >= r.time.Value {
		bad.About("--discard", fmt.Errorf("discard is %v ms of %v ms; it must be less than the time", r.from, r.time.Value))
	}
	bad.About("--time", experiment.CheckSpan(r.time.Value, r.cfg.Dt))
	bin, dt := r.networkFlags.bin.Value, r.cfg.Dt
	if steps := math.Round(bin / dt); steps < 1 || math.Abs(steps*dt-bin) > 1e-9*bin {
		bad.About("--bin", fmt.Errorf("--bin is %v ms; it must be a whole number of steps of %v ms", bin, dt))
	}
	if every := r.every.Value; r.every.Err == nil && every > 0 && r.trace.Value != "" {
		if steps := math.Max(1, math.Round(every/dt)); math.Abs(steps*dt-every) > 1e-9*every {
			r.warn("--every %v ms is no whole number of steps; states are traced every %.6g ms", every, steps*dt)
		}
	}
	return bad.Err()
}

// tracedAtFirst is the number of neurons of each population that are traced where --of names none.
const tracedAtFirst = 3

// readOf decides which neurons are traced.
func (r *networkRun) readOf() error {
	spec := r.resolved.Spec
	if r.trace.Value == "" && (r.plot.Value == "" || !r.runCommand.of.Given) {
		return nil
	}
	if r.runCommand.of.Value == "" {
		first := 0
		for _, p := range spec.Populations {
			for i := range min(p.N, tracedAtFirst) {
				if p.Model != nil {
					r.of = append(r.of, first+i)
				}
			}
			first += p.N
		}
		return nil
	}
	var err error
	if r.of, err = recording.ParseOf(spec, r.runCommand.of.Value); err != nil {
		err = fmt.Errorf("--of %s: %w", r.runCommand.of.Value, err)
	}
	return fault.About("--of", err)
}

// checkTables reports flags that name no place, one place twice, or nothing to do.
func (r *networkRun) checkTables() error {
	var bad fault.List
	var named []output.Named
	free := false
	for _, f := range r.files()[1:] {
		named = append(named, output.Named{Flag: f.flag, Path: f.path})
		free = free || output.ToStdout(f.path)
	}
	bad.Add(r.apart(free, named...))
	bad.Add(r.checkTraceFlags())
	return errors.Join(bad...)
}
