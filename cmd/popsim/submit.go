package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"popsim/cmd/popsim/internal/signals"
	"popsim/experiment"
	"popsim/fault"
	"popsim/sweep"
	"popsim/table/file"
)

const submitHelp = `submit gives a sweep to a batch system: an array of tasks, each of which does a part, and a job that merges the parts
when all have succeeded. What stands before -- is the command line of fi or map, or an experiment file; what stands behind
it goes to sbatch, for the array and for the merge.

Two scripts are written beside -o FILE, FILE.slurm.sh and FILE.merge.sh, and the talk of the tasks goes to the directory
FILE.log. A task is requeued when its machine fails or is taken away, and when its time runs out before its part is done; it
then goes on from what it has kept. popsim status FILE says how far it all is.

--parts N cuts the sweep in N. Without it there are as many as take about ten minutes each on one processor like those
of this machine. Where a batch system allows fewer tasks in an array, several arrays are made. --dry-run shows the scripts
and the commands, and does nothing.`

const submitExample = `  popsim submit map adex:tb08 V_reset=-49:-46/1001 I=600:1000/1001 -m rate,pattern -o map.parquet --engine slurm --dry-run
  popsim submit sweep.toml --parts 200 -- --partition=short --time=1:00:00 --cpus-per-task=4`

// aboutTen is the time (s) that a part takes if nobody says how many there are to be.
const aboutTen = 600.0

// submission is one call of submit.
type submitCommand struct {
	*call
	survey *sweepCommand
	engine experiment.Word
	parts  experiment.Count
	dryRun bool
	words  []string // of the sweep, one by one: verb, model, NAME=VALUE, flags
	extra  []string // for sbatch
}

func (v *call) submitVerb() *cobra.Command {
	return &cobra.Command{
		Use:                "submit fi|map|FILE.toml ... -o FILE [--parts N] [-- SBATCH ARGUMENTS]",
		Short:              "Give a sweep to a batch system, in parts",
		Long:               submitHelp,
		Example:            submitExample,
		DisableFlagParsing: true, // the flags are those of the verb that follows, and three more
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return misused(fault.Hint(errors.New("submit takes a sweep, but got nothing"), "popsim submit map ... or fi ..., or a FILE%s of one", experiment.Ending))
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

// read understands the sweep as its verb does, and the flags of submit beside it.
func (s *submitCommand) read(args []string) error {
	if strings.HasSuffix(args[0], experiment.Ending) {
		own, beside := s.cutOwn(args[1:])
		line, err := s.expand(append(args[:1:1], beside...))
		if err != nil {
			return err
		}
		args = append(line, own...)
	}
	var cmd *cobra.Command
	s.survey = &sweepCommand{call: s.call, verb: args[0], away: true}
	switch args[0] {
	case "fi":
		cmd = s.survey.fi()
	case "map":
		cmd = s.survey.grid()
	default:
		return misused(fault.Hint(fmt.Errorf("submit gives sweeps away, and %q is none", args[0]), "popsim submit map ... or fi ..., or a FILE%s of one", experiment.Ending))
	}
	set := cmd.Flags()
	s.register(set)
	var wrong error
	var flags []string
	err := set.ParseAll(args[1:], func(f *pflag.Flag, value string) error {
		switch f.Name {
		case "engine", "parts":
		case "dry-run":
			s.dryRun = value == "true"
			return nil
		case "resume", "force", "quiet":
		case "part", "plot", "refine", "save", "profile", "profile-dir":
			wrong = errors.Join(wrong, fmt.Errorf("--%s is not for sweeps that are given away", f.Name))
		default:
			flags = append(flags, "--"+f.Name+"="+value)
		}
		return set.Set(f.Name, value)
	})
	switch {
	case errors.Is(err, pflag.ErrHelp):
		return misused(fault.Hint(errors.New("submit takes the flags of the sweep"), "popsim submit --help tells of submit, popsim %s --help of the sweep", args[0]))
	case err != nil:
		return flagError(cmd, err)
	}
	if err := filled(set); err != nil {
		return err
	}
	words := set.Args()
	if at := set.ArgsLenAtDash(); at >= 0 {
		words, s.extra = words[:at], words[at:]
	}
	s.words = slices.Concat([]string{args[0]}, words, flags)
	var bad fault.List
	bad.Add(wrong)
	if s.engine.Value != "slurm" {
		bad.Addf("--engine %s: the engine that is known is slurm", s.engine.Value)
	}
	if s.parts.Err != nil {
		bad.Addf("--parts: %w", s.parts.Err)
	}
	bad.Add(s.survey.read(words))
	if s.survey.out.Value == "" || !s.survey.keepable() {
		bad.Add(fault.Hint(errors.New("parts are kept beside a file, but none is given"), "-o FILE gives one"))
	} else if err := file.Check(s.survey.out.Value, s.survey.force); err != nil {
		bad.Add(err) // or the merge would refuse it, when all parts are done
	} else {
		bad.Add(file.CheckFormat(s.survey.out.Value))
	}
	if len(s.inFile) > 0 {
		bad.Add(errNotBegun)
	}
	return misused(bad.Err())
}

// register adds the flags that submit has beside those of the sweep.
func (s *submitCommand) register(set *pflag.FlagSet) {
	s.engine = experiment.Word{Form: "NAME", Value: "slurm"}
	add(set, experiment.Flag{Name: "engine", Value: &s.engine, Help: "the batch system: slurm"})
	add(set, experiment.Flag{Name: "parts", Value: &s.parts, Help: "number of parts (default as many as take ten minutes each)"})
}

// cutOwn takes the flags of submit, and what stands behind --, out of args.
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
	most, err := s.chooseParts(ctx)
	if err != nil {
		return err
	}
	out := s.survey.out.Value
	sweepPath, mergePath, logs := out+".slurm.sh", out+".merge.sh", out+".log"
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("where popsim itself lies: %w", err)
	}
	sweepScript, mergeScript := s.scripts(self)
	arrays := s.arrays(most, sweepPath)
	merge := s.sbatch("--job-name="+s.jobName()+"-merge", "--output="+filepath.Join(pattern(logs), "merge-%j.log"))
	if s.dryRun {
		fmt.Fprintf(s.stdout, "# %s\n%s\n# %s\n%s\n", sweepPath, sweepScript, mergePath, mergeScript)
		var ids []string
		for i, a := range arrays {
			ids = append(ids, fmt.Sprintf("$array%d", i+1))
			fmt.Fprintf(s.stdout, "array%d=$(%s)\n", i+1, shellLine(a))
		}
		fmt.Fprintf(s.stdout, "%s --dependency=afterok:%s --kill-on-invalid-dep=yes %s\n", shellLine(merge), strings.Join(ids, ":"), shellWord(mergePath))
		return nil
	}
	if _, err := exec.LookPath("sbatch"); err != nil { // before any file is written
		return fault.Hint(fmt.Errorf("sbatch: %w", err), "--dry-run shows what would be submitted")
	}
	if err := os.MkdirAll(logs, 0o777); err != nil {
		return err
	}
	for path, text := range map[string]string{sweepPath: sweepScript, mergePath: mergeScript} {
		if err := os.WriteFile(path, []byte(text), 0o777); err != nil {
			return err
		}
	}
	var ids []string
	for _, a := range arrays {
		id, err := submitted(ctx, a)
		if err != nil {
			if len(ids) > 0 {
				err = fault.Hint(err, "the arrays before it are submitted; scancel %s takes them back", strings.Join(ids, " "))
			}
			return err
		}
		ids = append(ids, id)
	}
	merge = append(merge, "--dependency=afterok:"+strings.Join(ids, ":"), "--kill-on-invalid-dep=yes", mergePath)
	id, err := submitted(ctx, merge)
	if err != nil {
		return fault.Hint(err, "the arrays are submitted; popsim merge %s joins their parts", out)
	}
	s.say("%s in %s, job %s; merge: job %s", counted(s.parts.Value, "part"), counted(len(ids), "array"), strings.Join(ids, " and "), id)
	s.say("popsim status %s says how far they are", out)
	return nil
}

// chooseParts decides how many parts there are, and finds how many tasks an array may have.
func (s *submitCommand) chooseParts(ctx context.Context) (most int, err error) {
	chains, err := s.survey.spec.Chains()
	if err != nil {
		return 0, misused(err)
	}
	if !s.parts.Given {
		s.survey.cfg.Workers = 1
		speed, err := s.survey.speed(ctx)
		if err != nil {
			return 0, err
		}
		s.parts.Value = int(math.Max(1, math.Min(float64(chains), math.Ceil(s.survey.forecast.Steps/speed/aboutTen))))
	}
	if s.parts.Value > chains {
		return 0, misused(fmt.Errorf("--parts %d is more than there are points or curves to share (%d)", s.parts.Value, chains))
	}
	return largestArray(ctx), nil
}

// defaultArray is the size of an array that Slurm allows where nobody has set another (MaxArraySize 1001, from 0).
const defaultArray = 1000

// largestArray is the number of tasks that an array may have. Numbers of tasks are below MaxArraySize.
func largestArray(ctx context.Context) int {
	text, err := exec.CommandContext(ctx, "scontrol", "show", "config").Output()
	if err != nil {
		return defaultArray
	}
	return arrayLimit(string(text))
}

func arrayLimit(config string) int {
	for line := range strings.Lines(config) {
		key, value, _ := strings.Cut(line, "=")
		if n, err := strconv.Atoi(strings.TrimSpace(value)); strings.TrimSpace(key) == "MaxArraySize" && err == nil && n > 1 {
			return n - 1
		}
	}
	return defaultArray
}

func (s *submitCommand) jobName() string { return "popsim-" + s.words[0] }

// sbatch is an sbatch command with some arguments of ours before those of the user, which therefore prevail.
func (s *submitCommand) sbatch(ours ...string) []string {
	return slices.Concat([]string{"sbatch", "--parsable"}, ours, s.extra)
}

// arrays are the commands that submit the parts, each array no longer than most. The script is told what to add to the
// number of a task.
func (s *submitCommand) arrays(most int, script string) (commands [][]string) {
	for first := 0; first < s.parts.Value; first += most {
		n := min(most, s.parts.Value-first)
		a := s.sbatch("--job-name="+s.jobName(), "--output="+filepath.Join(pattern(s.survey.out.Value+".log"), "%A_%a.log"),
			"--requeue", "--open-mode=append", "--signal=B:USR1@90")
		commands = append(commands, append(a, fmt.Sprintf("--array=1-%d", n), script, strconv.Itoa(first)))
	}
	return commands
}

// pattern is a path where sbatch replaces what stands behind a per cent sign.
func pattern(path string) string { return strings.ReplaceAll(path, "%", "%%") }

// scripts are the batch scripts of the parts and of the merge. exec, so that signals reach popsim and not a shell.
func (s *submitCommand) scripts(self string) (parts, merge string) {
	line := slices.Concat([]string{self}, s.words, []string{"--resume", "--quiet"})
	parts = fmt.Sprintf("#!/bin/sh\n# One part of a sweep; $1 is added to the number of the task.\nexec %s --part=\"auto+${1:-0}/%d\"\n", shellLine(line), s.parts.Value)
	join := []string{self, "merge", s.survey.out.Value}
	if s.survey.force {
		join = append(join, "--force")
	}
	return parts, fmt.Sprintf("#!/bin/sh\nexec %s\n", shellLine(join))
}

// submitted runs an sbatch command and returns the number of its job.
func submitted(ctx context.Context, command []string) (id string, err error) {
	text, err := exec.CommandContext(ctx, command[0], command[1:]...).Output()
	var failed *exec.ExitError
	switch {
	case errors.As(err, &failed):
		return "", fmt.Errorf("sbatch: %s", strings.TrimSpace(string(failed.Stderr)))
	case err != nil:
		return "", fault.Hint(fmt.Errorf("sbatch: %w", err), "--dry-run shows what would be submitted")
	}
	id, _, _ = strings.Cut(strings.TrimSpace(string(text)), ";") // a cluster's name may follow
	return id, nil
}

// shellLine is a command for a POSIX shell, in which every word stays as it is.
func shellLine(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = shellWord(w)
	}
	return strings.Join(quoted, " ")
}

const plainLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%"

func shellWord(w string) string {
	if w != "" && strings.Trim(w, plainLetters) == "" {
		return w
	}
	return "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
}

// requeue asks Slurm to run this part again, when its time has run out. A task that has come no further than when it
// began is not asked for again: it would never end.
func (s *sweepCommand) requeue(ctx context.Context, r *sweep.Result) {
	job := os.Getenv("SLURM_JOB_ID")
	if !strings.HasPrefix(s.part.Value, "auto") || job == "" || !signals.OutOfTime(ctx) {
		return
	}
	if r == nil || r.Kept == 0 {
		s.warn("the time of the task was too short to finish anything; it is not asked for again")
		return
	}
	if array, task := os.Getenv("SLURM_ARRAY_JOB_ID"), os.Getenv("SLURM_ARRAY_TASK_ID"); array != "" && task != "" {
		job = array + "_" + task
	}
	if text, err := exec.Command("scontrol", "requeue", job).CombinedOutput(); err != nil {
		s.warn("scontrol requeue %s: %v %s", job, err, strings.TrimSpace(string(text)))
		return
	}
	s.warn("the time of task %s has run out; it is queued again", job)
}
