package verb

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

// subject is the annotation of a command that holds the kind of its first argument.
const subject = "subject"

// OfModel and OfFile annotate verbs whose first argument is MODEL[:PRESET], or FILE.
var OfModel, OfFile = map[string]string{subject: experiment.ModelKey}, map[string]string{subject: experiment.FileKey}

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

// Flags are the flags that several verbs share.
type Flags struct {
	Method, Isa   experiment.Word
	Dt            experiment.Quantity
	Time, Discard experiment.Quantity
	Workers       experiment.Count
	Seed          experiment.Seed
	Out, Plot     experiment.Word
	plotStyle     experiment.Word
	Style         figure.Style // what plotStyle says
	Panels        bool         // it may choose panels
	Force         bool
	profile       experiment.Word
	profileDir    experiment.Word
	Save          experiment.Word
}

// Steps registers the flags of verbs that advance neurons in time; time and discard are defaults in ms.
func (f *Flags) Steps(set *pflag.FlagSet, time, discard float64) {
	f.Dt = experiment.Quantity{Unit: "ms"}
	f.Time = experiment.Quantity{Unit: "ms", Value: time}
	f.Discard = experiment.Quantity{Unit: "ms", Value: discard}
	flagset.Add(set, experiment.Flag{Name: "dt", Value: &f.Dt, Help: "time step (default that of the method)"})
	f.Kernel(set, "integration method (default the first that popsim models MODEL lists)",
		"instruction set: auto, avx512, avx2 or go")
	flagset.Add(set, experiment.Flag{Name: "time", Value: &f.Time, Help: "model time"})
	flagset.Add(set, experiment.Flag{Name: "discard", Value: &f.Discard, Help: "time at the start that does not count " +
		"for rates, CV and extremes"})
	flagset.Add(set, experiment.Flag{Name: "workers", Value: &f.Workers, Help: "goroutines (default the CPUs this " +
		"process may use)"})
}

// Kernel registers the flags that choose a kernel; method and isa are their help texts.
func (f *Flags) Kernel(set *pflag.FlagSet, method, isa string) {
	f.Method, f.Isa = experiment.Word{Form: "NAME"}, experiment.Word{Form: "SET", Value: cmp.Or(os.Getenv("POPSIM_ISA"),
		"auto")}
	flagset.Add(set, experiment.Flag{Name: "method", Offers: completion.Methods, Value: &f.Method, Help: method})
	flagset.Add(set, experiment.Flag{
		Name: "isa", Offers: completion.ISAs, Value: &f.Isa,
		Help: isa + "; POPSIM_ISA sets the default",
	})
}

// Files registers the flags of verbs that write files.
func (f *Flags) Files(set *pflag.FlagSet, quiet *bool) {
	f.Out = experiment.Word{Form: "FILE"}
	flagset.Add(set, experiment.Flag{
		Name: "out", Letter: "o", Value: &f.Out,
		Help: "table to write: .csv .npz .npy .parquet .json (default CSV on standard output)",
	})
	f.Picture(set)
	flagset.Add(set, experiment.Flag{
		Name: "force", Once: true, Value: (*experiment.Switch)(&f.Force),
		Help: "overwrite files that exist",
	})
	flagset.Add(set, experiment.Flag{
		Name: "quiet", Value: (*experiment.Switch)(quiet),
		Help: "no progress and no summary, only warnings and errors",
	})
	f.Profiling(set)
	f.Saving(set)
}

// Saving registers --save, for verbs whose command line can be saved as an experiment file.
func (f *Flags) Saving(set *pflag.FlagSet) {
	f.Save = experiment.Word{Form: "FILE"}
	flagset.Add(set, experiment.Flag{
		Name: "save", Once: true, Value: &f.Save,
		Help: "experiment to write, .toml: this command line with everything resolved; popsim FILE.toml runs it",
	})
}

// checkSave returns an error if the file of --save has the wrong ending.
func (f *Flags) checkSave() error {
	path := f.Save.Value
	if path == "" || output.ToStdout(path) || !file.Regular(path) || strings.HasSuffix(path, experiment.Ending) {
		return nil
	}
	return fault.Hint(fmt.Errorf("--save %s does not end in %s", path, experiment.Ending),
		"popsim FILE%s runs it again", experiment.Ending)
}

// Profiling registers the flags of verbs that compute.
func (f *Flags) Profiling(set *pflag.FlagSet) {
	f.profile, f.profileDir = experiment.Word{Form: "MODE"}, experiment.Word{Form: "DIR", Value: "."}
	modes := strings.Join(profile.Modes(), ", ")
	flagset.Add(set, experiment.Flag{
		Name: "profile", Once: true, Offers: completion.Profiles, Value: &f.profile,
		Help: "profile to write: " + modes,
	})
	flagset.Add(set, experiment.Flag{
		Name: "profile-dir", Once: true, Value: &f.profileDir,
		Help: "where profiles are written",
	})
}

// mostWorkers is the largest number of workers, more than the processors of any machine: each worker takes memory of
// its own.
const mostWorkers = 4096

// Check reports errors in the shared flags, and returns the instruction set.
func (f *Flags) Check() (isa kernels.ISA, bad fault.List) {
	if !f.Discard.Given && f.Discard.Value >= f.Time.Value {
		f.Discard.Value = f.Time.Value / 4
	}
	bad.Add(experiment.CheckTimes(&f.Dt, &f.Time, &f.Discard))
	if err := f.Workers.Err; err != nil {
		bad.About("--workers", fmt.Errorf("--workers: %w", err))
	}
	if err := f.Seed.Err; err != nil {
		bad.About("--seed", fmt.Errorf("--seed: %w", err))
	}
	if f.Workers.Value > mostWorkers {
		bad.About("--workers", fmt.Errorf("--workers is %d; %d are more than enough for any machine", f.Workers.Value,
			mostWorkers))
	}
	isa, err := kernels.ParseISA(f.Isa.Value)
	if err != nil && !f.Isa.Given {
		err = fmt.Errorf("POPSIM_ISA: %w", err)
	}
	bad.About("--isa", err)
	bad.About("--profile", f.CheckProfile())
	return isa, bad
}

// CheckProfile reports an unknown profile mode, and a directory for no profile.
func (f *Flags) CheckProfile() error {
	if f.profileDir.Given && f.profile.Value == "" {
		return fault.Hint(errors.New("--profile-dir names a place for a profile, but there is none"),
			"--profile MODE writes one")
	}
	if f.profile.Value == "" {
		return nil
	}
	return profile.CheckMode(f.profile.Value)
}
