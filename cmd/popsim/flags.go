package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strings"

	"popsim/cmd/popsim/internal/completion"
	"popsim/cmd/popsim/internal/flagset"
	"popsim/cmd/popsim/internal/output"
	"popsim/cmd/popsim/internal/profile"
	"popsim/experiment"
	"popsim/fault"
	"popsim/figure"
	"popsim/kernels"
	"popsim/table/file"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// add registers flags, in the order in which help lists them.
func add(set *pflag.FlagSet, flags ...experiment.Flag) { flagset.Add(set, flags...) }

// subject is the annotation of a command that holds the kind of its first argument.
const subject = "subject"

var ofModel, ofFile = map[string]string{subject: experiment.ModelKey}, map[string]string{subject: experiment.FileKey}

// fileVerbs returns the verbs that an experiment file may name.
func fileVerbs(root *cobra.Command) (verbs []experiment.Verb) {
	for _, c := range root.Commands() {
		if !c.Runnable() || c.DisableFlagParsing || c.Name() == "help" {
			continue
		}
		v := experiment.Verb{Name: c.Name(), Flags: flagset.Records(c.Flags())}
		switch c.Annotations[subject] {
		case experiment.ModelKey:
			v.Subject = experiment.OfModel
		case experiment.FileKey:
			v.Subject = experiment.OfFile
		}
		verbs = append(verbs, v)
	}
	return verbs
}

// flags are the flags that several verbs share.
type flags struct {
	method, isa   experiment.Word
	dt            experiment.Quantity
	time, discard experiment.Quantity
	workers       experiment.Count
	seed          experiment.Seed
	out, plot     experiment.Word
	plotStyle     experiment.Word
	style         figure.Style // what plotStyle says
	panels        bool         // it may choose panels
	force         bool
	profile       experiment.Word
	profileDir    experiment.Word
	save          experiment.Word
}

// steps registers the flags of verbs that advance neurons in time; time and discard are defaults in ms.
func (f *flags) steps(set *pflag.FlagSet, time, discard float64) {
	f.dt = experiment.Quantity{Unit: "ms"}
	f.time = experiment.Quantity{Unit: "ms", Value: time}
	f.discard = experiment.Quantity{Unit: "ms", Value: discard}
	add(set, experiment.Flag{Name: "dt", Value: &f.dt, Help: "time step (default that of the method)"})
	f.kernel(set, "integration method (default the first that popsim models MODEL lists)",
		"instruction set: auto, avx512, avx2 or go")
	add(set, experiment.Flag{Name: "time", Value: &f.time, Help: "model time"})
	add(set, experiment.Flag{Name: "discard", Value: &f.discard, Help: "time at the start that does not count " +
		"for rates, " +
		"CV and extremes"})
	add(set, experiment.Flag{Name: "workers", Value: &f.workers, Help: "goroutines (default the CPUs this " +
		"process may use)"})
}

// kernel registers the flags that choose a kernel; method and isa say what they do.
func (f *flags) kernel(set *pflag.FlagSet, method, isa string) {
	f.method, f.isa = experiment.Word{Form: "NAME"}, experiment.Word{Form: "SET", Value: cmp.Or(os.Getenv("POPSIM_ISA"),
		"auto")}
	add(set, experiment.Flag{Name: "method", Offers: completion.Methods, Value: &f.method, Help: method})
	add(set, experiment.Flag{Name: "isa", Offers: completion.ISAs, Value: &f.isa, Help: isa + "; POPSIM_ISA sets " +
		"the default"})
}

// files registers the flags of verbs that write files.
func (f *flags) files(set *pflag.FlagSet, quiet *bool) {
	f.out = experiment.Word{Form: "FILE"}
	add(set, experiment.Flag{Name: "out", Letter: "o", Value: &f.out, Help: "table to write: .csv .npz .npy .parquet " +
		".json (default CSV on standard output)"})
	f.picture(set)
	add(set, experiment.Flag{Name: "force", Once: true, Value: (*experiment.Switch)(&f.force), Help: "overwrite files " +
		"that exist"})
	add(set, experiment.Flag{Name: "quiet", Value: (*experiment.Switch)(quiet), Help: "no progress and no summary, only " +
		"warnings and errors"})
	f.profiling(set)
	f.saving(set)
}

// saving registers --save, for verbs whose command line can be saved as an experiment file.
func (f *flags) saving(set *pflag.FlagSet) {
	f.save = experiment.Word{Form: "FILE"}
	add(set, experiment.Flag{Name: "save", Once: true, Value: &f.save, Help: "experiment to write, .toml: this command " +
		"line with everything resolved; popsim FILE.toml runs it"})
}

// checkSave returns an error if the file of --save has the wrong ending.
func (f *flags) checkSave() error {
	path := f.save.Value
	if path == "" || output.ToStdout(path) || !file.Regular(path) || strings.HasSuffix(path, experiment.Ending) {
		return nil
	}
	return fault.Hint(fmt.Errorf("--save %s does not end in %s", path, experiment.Ending),
		"popsim FILE%s runs it again", experiment.Ending)
}

// profiling registers the flags of verbs that compute.
func (f *flags) profiling(set *pflag.FlagSet) {
	f.profile, f.profileDir = experiment.Word{Form: "MODE"}, experiment.Word{Form: "DIR", Value: "."}
	modes := strings.Join(profile.Modes(), ", ")
	add(set, experiment.Flag{
		Name: "profile", Once: true, Offers: completion.Profiles, Value: &f.profile,
		Help: "profile to write: " + modes,
	})
	add(set, experiment.Flag{Name: "profile-dir", Once: true, Value: &f.profileDir, Help: "where profiles are written"})
}

// mostWorkers is more than any machine has processors; each worker has memory of its own.
const mostWorkers = 4096

// check reports errors in the shared flags, and returns the instruction set.
func (f *flags) check() (isa kernels.ISA, bad fault.List) {
	if !f.discard.Given && f.discard.Value >= f.time.Value {
		f.discard.Value = f.time.Value / 4
	}
	bad.Add(experiment.CheckTimes(&f.dt, &f.time, &f.discard))
	if err := f.workers.Err; err != nil {
		bad.About("--workers", fmt.Errorf("--workers: %w", err))
	}
	if err := f.seed.Err; err != nil {
		bad.About("--seed", fmt.Errorf("--seed: %w", err))
	}
	if f.workers.Value > mostWorkers {
		bad.About("--workers", fmt.Errorf("--workers is %d; %d are more than enough for any machine", f.workers.Value,
			mostWorkers))
	}
	isa, err := kernels.ParseISA(f.isa.Value)
	if err != nil && !f.isa.Given {
		err = fmt.Errorf("POPSIM_ISA: %w", err)
	}
	bad.About("--isa", err)
	bad.About("--profile", f.checkProfile())
	return isa, bad
}

// checkProfile reports an unknown profile mode, and a directory for no profile.
func (f *flags) checkProfile() error {
	if f.profileDir.Given && f.profile.Value == "" {
		return fault.Hint(errors.New("--profile-dir names a place for a profile, but there is none"),
			"--profile MODE writes one")
	}
	if f.profile.Value == "" {
		return nil
	}
	return profile.CheckMode(f.profile.Value)
}
