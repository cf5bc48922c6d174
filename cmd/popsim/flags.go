package main

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"popsim/fault"
	"popsim/kernels"
	"popsim/model"
	"popsim/table/file"
)

// quantity is a flag with a unit. What is wrong with it is kept, to be told together with other faults.
type quantity struct {
	value float64
	unit  string
	given bool
	err   error
}

func (q *quantity) Set(text string) error {
	q.given = true
	q.value, q.err = model.ParseQuantity(text, q.unit)
	return nil
}

func (q *quantity) String() string {
	if q.value == 0 {
		return ""
	}
	return strconv.FormatFloat(q.value, 'g', -1, 64) + q.unit
}

func (q *quantity) Type() string { return "TIME" }

// count is a flag with a whole number, which may be written as 1e6.
type count struct {
	value int
	given bool
	err   error
}

func (c *count) Set(text string) error {
	c.given = true
	x, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || x != math.Trunc(x):
		c.err = fmt.Errorf("%q is not a whole number", text)
	case x < 1 || x >= 1<<53:
		c.err = fmt.Errorf("%s is out of range; it must be 1 or more, and below 2^53", text)
	default:
		c.value = int(x)
	}
	return nil
}

func (c *count) String() string {
	if c.value == 0 {
		return ""
	}
	return strconv.Itoa(c.value)
}

func (c *count) Type() string { return "N" }

// seed is a flag with any number of 64 bits.
type seed struct {
	value uint64
	err   error
}

func (s *seed) Set(text string) error {
	if s.value, s.err = strconv.ParseUint(text, 0, 64); s.err != nil {
		s.err = fmt.Errorf("%q is not a whole number from 0 to 2^64-1", text)
	}
	return nil
}

func (s *seed) String() string { return strconv.FormatUint(s.value, 10) }
func (s *seed) Type() string   { return "N" }

// name is a flag with a word or a path; it only has a better type name than pflag's string.
type name struct {
	value string
	kind  string
	given bool
}

func (n *name) Set(text string) error { n.value, n.given = text, true; return nil }
func (n *name) String() string        { return n.value }
func (n *name) Type() string          { return n.kind }

// flags are those that all computing verbs share.
type flags struct {
	method, isa   name
	dt            quantity
	time, discard quantity
	workers       count
	seed          seed
	out, plot     name
	force         bool
	profile       name
	profileDir    name
	save          name
}

// steps registers the flags of verbs that advance neurons in time; time and discard are defaults in ms.
func (f *flags) steps(set *pflag.FlagSet, time, discard float64) {
	f.dt = quantity{unit: "ms"}
	f.time = quantity{unit: "ms", value: time}
	f.discard = quantity{unit: "ms", value: discard}
	set.Var(&f.dt, "dt", "time step (default that of the method)")
	f.kernel(set, "integration method (default the first that popsim models MODEL lists)", "instruction set: auto, avx512, avx2 or go")
	set.Var(&f.time, "time", "model time")
	set.Var(&f.discard, "discard", "time at the start that does not count for rates, CV and extremes")
	set.Var(&f.workers, "workers", "goroutines (default the CPUs this process may use)")
}

// kernel registers the flags that choose a kernel; method and isa say what they do.
func (f *flags) kernel(set *pflag.FlagSet, method, isa string) {
	f.method, f.isa = name{kind: "NAME"}, name{kind: "SET", value: cmp.Or(os.Getenv("POPSIM_ISA"), "auto")}
	set.Var(&f.method, "method", method)
	set.Var(&f.isa, "isa", isa+"; POPSIM_ISA sets the default")
}

// files registers the flags of verbs that write files.
func (f *flags) files(set *pflag.FlagSet, quiet *bool) {
	f.out, f.plot = name{kind: "FILE"}, name{kind: "FILE"}
	set.VarP(&f.out, "out", "o", "table to write: .csv .npz .npy .parquet .json (default CSV on standard output)")
	set.Var(&f.plot, "plot", "picture to draw: .svg .png .pdf")
	set.BoolVar(&f.force, "force", false, "overwrite files that exist")
	set.BoolVar(quiet, "quiet", false, "no progress and no summary, only warnings and errors")
	f.profiling(set)
	f.saving(set)
}

// saving registers the flag of verbs whose command line can be kept as an experiment file.
func (f *flags) saving(set *pflag.FlagSet) {
	f.save = name{kind: "FILE"}
	set.Var(&f.save, "save", "experiment to write, .toml: this command line with everything resolved; popsim FILE.toml runs it")
}

// checkSave refuses an experiment file that popsim would not take for one.
func (f *flags) checkSave() error {
	path := f.save.value
	if path == "" || toStdout(path) || !file.Regular(path) || strings.HasSuffix(path, experimentEnding) {
		return nil
	}
	return fault.Hint(fmt.Errorf("--save %s does not end in %s", path, experimentEnding), "popsim FILE%s runs it again", experimentEnding)
}

// profiling registers the flags of verbs that compute.
func (f *flags) profiling(set *pflag.FlagSet) {
	f.profile, f.profileDir = name{kind: "MODE"}, name{kind: "DIR", value: "."}
	set.Var(&f.profile, "profile", "profile to write: "+strings.Join(profileModes(), ", "))
	set.Var(&f.profileDir, "profile-dir", "where profiles are written")
}

// mostWorkers is more than any machine has processors; each worker has memory of its own.
const mostWorkers = 4096

// check reports what is wrong with the shared flags alone.
func (f *flags) check() (isa kernels.ISA, bad fault.List) {
	if !f.discard.given && f.discard.value >= f.time.value {
		f.discard.value = f.time.value / 4
	}
	for _, q := range []struct {
		name string
		err  error
	}{{"dt", f.dt.err}, {"time", f.time.err}, {"discard", f.discard.err}, {"workers", f.workers.err}, {"seed", f.seed.err}} {
		if q.err != nil {
			bad.About("--"+q.name, fmt.Errorf("--%s: %w", q.name, q.err))
		}
	}
	if f.dt.given && f.dt.err == nil && f.dt.value <= 0 {
		bad.About("--dt", fmt.Errorf("--dt is %v ms; it must be greater than 0", f.dt.value))
	}
	if f.time.given && f.time.err == nil && f.time.value <= 0 {
		bad.About("--time", fmt.Errorf("--time is %v ms; it must be greater than 0", f.time.value))
	}
	if f.discard.given && f.discard.err == nil && f.time.err == nil && (f.discard.value < 0 || f.discard.value >= f.time.value) {
		bad.About("--discard", fmt.Errorf("--discard is %v ms of %v ms; it must be 0 or more, and less than --time", f.discard.value, f.time.value))
	}
	if f.workers.value > mostWorkers {
		bad.About("--workers", fmt.Errorf("--workers is %d; %d are more than enough for any machine", f.workers.value, mostWorkers))
	}
	isa, err := kernels.ParseISA(f.isa.value)
	if err != nil && !f.isa.given {
		err = fmt.Errorf("POPSIM_ISA: %w", err)
	}
	bad.About("--isa", err)
	bad.About("--profile", f.checkProfile())
	return isa, bad
}

// checkProfile reports an unknown profile mode.
func (f *flags) checkProfile() error {
	if f.profile.value == "" || slices.Contains(profileModes(), f.profile.value) {
		return nil
	}
	err := fmt.Errorf("there is no profile mode %q", f.profile.value)
	if near := model.Nearest(f.profile.value, profileModes()); near != "" {
		return fault.Hint(err, "did you mean --profile %s?", near)
	}
	return fault.Hint(err, "the modes are %s", strings.Join(profileModes(), ", "))
}
