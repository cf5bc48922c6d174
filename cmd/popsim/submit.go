package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"popsim/cmd/popsim/internal/batch"
	"popsim/cmd/popsim/internal/cli"
	"popsim/cmd/popsim/internal/flagset"
	"popsim/cmd/popsim/internal/topics"
	"popsim/cmd/popsim/internal/verb"
	"popsim/experiment"
	"popsim/fault"
	"popsim/sweep"
	"popsim/table/file"
)

const submitExample = "  popsim submit map adex:tb08 V_reset=-49:-46/1001 I=600:1000/1001 -m rate,pattern " +
	"-o map.parquet --engine slurm --dry-run\n" +
	"  popsim submit sweep.toml --parts 200 -- --partition=short --time=1:00:00 --cpus-per-task=4"

// secondsPerPart is the time of a part, by one worker, if --parts is not given.
const secondsPerPart = 600.0

// submitCommand is one call of submit.
type submitCommand struct {
	*call
	sweep  *sweepCommand // what is submitted
	engine experiment.Word
	parts  experiment.Count
	dryRun bool
	words  []string // command line of the sweep: verb, model, NAME=VALUE, flags
	extra  []string // arguments for sbatch
}

func (v *call) submitVerb() *cobra.Command {
	return &cobra.Command{
		Use:                "submit fi|map|FILE.toml ... -o FILE [--parts N] [-- SBATCH ...]",
		Short:              "Submit a sweep to a batch system, in parts",
		Long:               topics.Text("submit"),
		Example:            submitExample,
		DisableFlagParsing: true, // the flags are those of the verb that follows, and three more
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return verb.Misused(fault.Hint(errors.New("submit takes a sweep, but got nothing"),
					"popsim submit map ... or fi ..., or a FILE%s of one", experiment.Ending))
			case slices.Contains([]string{"-h", "--help", "help"}, args[0]):
				return cmd.Help()
			}
			s := &submitCommand{call: v}
			if err := s.read(args); err != nil {
				return err
			}
			return s.run(cmd.Context())
		},
	}
}

// read parses the command line of the sweep as its verb does, and the flags of submit.
func (s *submitCommand) read(args []string) error {
	if strings.HasSuffix(args[0], experiment.Ending) {
		own, beside := s.cutOwn(args[1:])
		x, _, err := s.ReadFile(new(call).root(), append(args[:1:1], beside...))
		if err != nil {
			return err
		}
		args = append(x.Args(), own...)
	}
	var cmd *cobra.Command
	s.sweep = &sweepCommand{call: s.call, verb: args[0], away: true}
	switch args[0] {
	case "fi":
		cmd = s.sweep.fi()
	case "map":
		cmd = s.sweep.grid()
	default:
		return verb.Misused(fault.Hint(fmt.Errorf("submit takes a sweep; %q is not one", args[0]),
			"popsim submit map ... or fi ..., or a FILE%s of one", experiment.Ending))
	}
	words, wrong, err := s.parse(cmd, args)
	if err != nil {
		return verb.Misused(err)
	}
	var bad fault.List
	bad.Add(wrong)
	bad.Add(s.check(words))
	return verb.Misused(bad.Err())
}

// parse parses args, of which the first is the verb, with the flags of its command and those of submit. It sets s.words
// and s.extra, and returns the words without flags. wrong is the error about flags that have no meaning for submit.
func (s *submitCommand) parse(cmd *cobra.Command, args []string) (words []string, wrong, err error) {
	set := cmd.Flags()
	s.register(set)
	var flags []string
	err = set.ParseAll(args[1:], func(f *pflag.Flag, value string) error {
		switch f.Name {
		case "engine", "parts":
		case "dry-run":
			s.dryRun = value == "true"
			return nil
		case "resume", "force", "quiet":
		case "part", "plot", "refine", "save", "profile", "profile-dir":
			wrong = errors.Join(wrong, fmt.Errorf("--%s cannot be used with submit", f.Name))
		default:
			flags = append(flags, "--"+f.Name+"="+value)
		}
		return set.Set(f.Name, value)
	})
	switch {
	case errors.Is(err, pflag.ErrHelp):
		return nil, nil, fault.Hint(errors.New("submit takes the flags of the sweep"),
			"popsim submit --help describes its flags, popsim %s --help those of the sweep", args[0])
	case err != nil:
		return nil, nil, flagset.Explain(cmd, err)
	}
	if err := flagset.CheckEmpty(set); err != nil {
		return nil, nil, err
	}
	words = set.Args()
	if at := set.ArgsLenAtDash(); at >= 0 {
		words, s.extra = words[:at], words[at:]
	}
	s.words = slices.Concat([]string{args[0]}, words, flags)
	return words, wrong, nil
}

// check checks the flags of submit, the sweep, and that its parts can be kept and merged.
func (s *submitCommand) check(words []string) error {
	var bad fault.List
	if s.engine.Value != "slurm" {
		bad.Addf("--engine is %s; it may be slurm", s.engine.Value)
	}
	if s.parts.Err != nil {
		bad.Addf("--parts: %w", s.parts.Err)
	}
	bad.Add(s.sweep.read(words))
	if s.sweep.Out.Value == "" || !s.sweep.keepable() {
		bad.Add(fault.Hint(errors.New("parts are kept beside a file, but none is given"), "-o FILE gives one"))
	} else if err := file.Check(s.sweep.Out.Value, s.sweep.Force); err != nil {
		bad.Add(err) // merge would refuse it only after all parts are done
	} else {
		bad.Add(file.CheckFormat(s.sweep.Out.Value))
	}
	if len(s.InFile) > 0 {
		bad.Add(verb.ErrNotBegun)
	}
	return bad.Err()
}

// register adds the flags of submit to those of the sweep.
func (s *submitCommand) register(set *pflag.FlagSet) {
	s.engine = experiment.Word{Form: "NAME", Value: "slurm"}
	flagset.Add(set, experiment.Flag{Name: "engine", Value: &s.engine, Help: "the batch system: slurm"})
	flagset.Add(set, experiment.Flag{
		Name: "parts", Value: &s.parts,
		Help: "number of parts (default as many as take ten minutes each)",
	})
}

// cutOwn separates the flags of submit, and everything after --, from the other arguments.
func (s *submitCommand) cutOwn(args []string) (own, rest []string) {
	for i := 0; i < len(args); i++ {
		word, _, has := strings.Cut(args[i], "=")
		switch {
		case args[i] == "--":
			return append(own, args[i:]...), rest
		case word == "--dry-run" || (word == "--engine" || word == "--parts") && has:
			own = append(own, args[i])
		case (word == "--engine" || word == "--parts") && i+1 < len(args):
			own = append(own, args[i], args[i+1])
			i++
		default:
			rest = append(rest, args[i])
		}
	}
	return own, rest
}

// run writes the scripts and submits them.
func (s *submitCommand) run(ctx context.Context) error {
	if err := s.chooseParts(ctx); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("the path of popsim: %w", err)
	}
	out := s.sweep.Out.Value
	job := batch.Job{
		Name: "popsim-" + s.words[0], Path: out, Parts: s.parts.Value, Arguments: s.extra, MaxArray: batch.MaxArray(ctx),
		Command: slices.Concat([]string{self}, s.words, []string{"--resume", "--quiet"}),
		Merge:   []string{self, "merge", out},
	}
	if s.sweep.Force {
		job.Merge = append(job.Merge, "--force")
	}
	if s.dryRun {
		return job.DryRun(s.Stdout)
	}
	arrays, merge, err := job.Submit(ctx)
	if err != nil {
		return err
	}
	s.Infof("%s in %s, job %s; merge: job %s",
		cli.Count(s.parts.Value, "part"), cli.Count(len(arrays), "array"), strings.Join(arrays, " and "), merge)
	s.Infof("popsim status %s shows their progress", out)
	return nil
}

// chooseParts sets the number of parts if it is not given, and refuses more parts than there are points or curves.
func (s *submitCommand) chooseParts(ctx context.Context) error {
	if s.sweep.net != nil {
		return s.chooseNetworkParts(ctx, s.sweep.net)
	}
	if s.sweep.jobs != nil {
		return s.chooseDrivenParts(ctx)
	}
	chains, err := s.sweep.spec.Chains()
	if err != nil {
		return verb.Misused(err)
	}
	if !s.parts.Given {
		s.sweep.cfg.Workers = 1
		speed, err := s.sweep.spec.Speed(ctx, s.sweep.cfg)
		if err != nil {
			return err
		}
		parts := math.Ceil(s.sweep.forecast.Steps / speed / secondsPerPart)
		s.parts.Value = int(math.Max(1, math.Min(float64(chains), parts)))
	}
	if s.parts.Value > chains {
		return verb.Misused(fmt.Errorf("--parts %d is more than there are points or curves to share (%d)",
			s.parts.Value, chains))
	}
	return nil
}

// chooseDrivenParts is chooseParts for a sweep with noise or a waveform.
func (s *submitCommand) chooseDrivenParts(ctx context.Context) error {
	q := s.sweep
	rows := q.jobs.Rows()
	if !s.parts.Given {
		speed, err := sweep.DrivenSpeed(ctx, q.spec, q.input, q.cfg)
		if err != nil {
			return err
		}
		seconds := float64(rows) * q.spec.Time / q.spec.Step() / speed
		s.parts.Value = int(math.Max(1, math.Min(float64(rows), math.Ceil(seconds/secondsPerPart))))
	}
	if s.parts.Value > rows {
		return verb.Misused(fmt.Errorf("--parts %d is more than there are rows to share (%d)", s.parts.Value, rows))
	}
	return nil
}

// chooseNetworkParts is chooseParts for a sweep of a network.
func (s *submitCommand) chooseNetworkParts(ctx context.Context, net *networkSweep) error {
	runs := net.jobs.Rows()
	if !s.parts.Given && net.x == nil { // cann: a run takes seconds
		s.parts.Value = max(1, runs/100)
	} else if !s.parts.Given {
		seconds, err := net.x.Seconds(ctx)
		if err != nil {
			return err
		}
		s.parts.Value = int(math.Max(1, math.Min(float64(runs), math.Ceil(seconds*float64(runs)/secondsPerPart))))
	}
	if s.parts.Value > runs {
		return verb.Misused(fmt.Errorf("--parts %d is more than there are runs to share (%d)", s.parts.Value, runs))
	}
	return nil
}
