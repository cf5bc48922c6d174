// Package batch submits work in parts to Slurm, and finds which part this process is to compute from the variables that
// batch systems set for the tasks of an array: Slurm, PBS, Torque, Grid Engine, LSF, Kubernetes.
package batch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"popsim/fault"
)

// Job is a computation in parts, of which each is a task of an array, and a job that merges the parts when all have
// succeeded.
type Job struct {
	Name      string   // of the array; the merge is NAME-merge
	Path      string   // of the result; scripts and logs lie beside it: PATH.slurm.sh, PATH.merge.sh, PATH.log
	Command   []string // command line of a part, without --part
	Merge     []string // command line of the merge
	Parts     int
	Arguments []string // for sbatch, after those of this package, and therefore preferred to them
	MaxArray  int      // tasks of the largest array that the system takes; with more parts there are several arrays
}

func (j Job) partsPath() string { return j.Path + ".slurm.sh" }
func (j Job) mergePath() string { return j.Path + ".merge.sh" }
func (j Job) logs() string      { return j.Path + ".log" }

// DryRun writes to w the scripts and the commands that Submit would write and run, as a shell script with comments.
func (j Job) DryRun(w io.Writer) error {
	parts, merge := j.scripts()
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n%s\n# %s\n%s\n", j.partsPath(), parts, j.mergePath(), merge)
	var ids []string
	for i, a := range j.arrays() {
		ids = append(ids, fmt.Sprintf("$array%d", i+1))
		fmt.Fprintf(&b, "array%d=$(%s)\n", i+1, shellLine(a))
	}
	fmt.Fprintf(&b, "%s --dependency=afterok:%s --kill-on-invalid-dep=yes %s\n",
		shellLine(j.mergeCommand()), strings.Join(ids, ":"), shellWord(j.mergePath()))
	_, err := io.WriteString(w, b.String())
	return err
}

// Submit writes the scripts and submits the arrays and the merge. It returns the numbers of the jobs.
func (j Job) Submit(ctx context.Context) (arrays []string, merge string, err error) {
	if _, err := exec.LookPath("sbatch"); err != nil { // before any file is written
		return nil, "", fault.Hint(fmt.Errorf("sbatch: %w", err), "--dry-run shows what would be submitted")
	}
	if err := j.writeScripts(); err != nil {
		return nil, "", err
	}
	for _, a := range j.arrays() {
		id, err := sbatch(ctx, a)
		if err != nil && len(arrays) > 0 {
			err = fault.Hint(err, "the arrays before it are submitted; scancel %s cancels them", strings.Join(arrays, " "))
		}
		if err != nil {
			return arrays, "", err
		}
		arrays = append(arrays, id)
	}
	merge, err = sbatch(ctx, append(j.mergeCommand(),
		"--dependency=afterok:"+strings.Join(arrays, ":"), "--kill-on-invalid-dep=yes", j.mergePath()))
	if err != nil {
		err = fault.Hint(err, "the arrays are submitted; popsim merge %s joins their parts", j.Path)
	}
	return arrays, merge, err
}

// writeScripts writes the scripts and makes the directory of the logs.
func (j Job) writeScripts() error {
	parts, merge := j.scripts()
	return errors.Join(
		os.MkdirAll(j.logs(), 0o777),
		os.WriteFile(j.partsPath(), []byte(parts), 0o777),
		os.WriteFile(j.mergePath(), []byte(merge), 0o777))
}

// scripts returns the batch scripts of a part and of the merge. They replace the shell by popsim (exec), so that
// signals reach popsim.
func (j Job) scripts() (parts, merge string) {
	return fmt.Sprintf("#!/bin/sh\n# One part of a sweep; $1 is added to the number of the task.\nexec %s "+
			"--part=\"auto+${1:-0}/%d\"\n",
			shellLine(j.Command), j.Parts),
		fmt.Sprintf("#!/bin/sh\nexec %s\n", shellLine(j.Merge))
}

// arrays returns the sbatch commands of the arrays, none longer than MaxArray. The argument of the script is the number
// of parts in the arrays before.
func (j Job) arrays() (commands [][]string) {
	for first := 0; first < j.Parts; first += j.MaxArray {
		n := min(j.MaxArray, j.Parts-first)
		a := j.command("--job-name="+j.Name, "--output="+filepath.Join(literal(j.logs()), "%A_%a.log"),
			"--requeue", "--open-mode=append", "--signal=B:USR1@90")
		commands = append(commands, append(a, fmt.Sprintf("--array=1-%d", n), j.partsPath(), strconv.Itoa(first)))
	}
	return commands
}

// mergeCommand returns the sbatch command of the merge, without its dependency and script.
func (j Job) mergeCommand() []string {
	return j.command("--job-name="+j.Name+"-merge", "--output="+filepath.Join(literal(j.logs()), "merge-%j.log"))
}

// command returns an sbatch command with arguments of this package, then those of the user.
func (j Job) command(own ...string) []string {
	return slices.Concat([]string{"sbatch", "--parsable"}, own, j.Arguments)
}

// literal returns a path for an argument of sbatch in which a per cent sign has a special meaning.
func literal(path string) string { return strings.ReplaceAll(path, "%", "%%") }

// sbatch runs an sbatch command and returns the number of its job.
func sbatch(ctx context.Context, command []string) (id string, err error) {
	text, err := exec.CommandContext(ctx, command[0], command[1:]...).Output()
	var failed *exec.ExitError
	switch {
	case errors.As(err, &failed):
		return "", fmt.Errorf("sbatch: %s", strings.TrimSpace(string(failed.Stderr)))
	case err != nil:
		return "", fault.Hint(fmt.Errorf("sbatch: %w", err), "--dry-run shows what would be submitted")
	}
	id, _, _ = strings.Cut(strings.TrimSpace(string(text)), ";") // the name of a cluster may follow
	return id, nil
}

// defaultMaxArray is the size of an array that Slurm takes where no other is configured (MaxArraySize 1001, counted
// from 0).
const defaultMaxArray = 1000

// MaxArray returns Slurm's limit of the number of tasks of an array.
func MaxArray(ctx context.Context) int {
	text, err := exec.CommandContext(ctx, "scontrol", "show", "config").Output()
	if err != nil {
		return defaultMaxArray
	}
	return maxArrayOf(string(text))
}

// maxArrayOf reads it from what scontrol prints. Numbers of tasks are below MaxArraySize.
func maxArrayOf(config string) int {
	for line := range strings.Lines(config) {
		key, value, _ := strings.Cut(line, "=")
		if n, err := strconv.Atoi(strings.TrimSpace(value)); strings.TrimSpace(key) == "MaxArraySize" && err == nil && n > 1 {
			return n - 1
		}
	}
	return defaultMaxArray
}

// shellLine returns a command for a POSIX shell in which every word stays as it is.
func shellLine(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = shellWord(w)
	}
	return strings.Join(quoted, " ")
}

// plainLetters are the characters that a POSIX shell does not interpret.
const plainLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%"

// shellWord returns a word, quoted if a shell would interpret it.
func shellWord(w string) string {
	if w != "" && strings.Trim(w, plainLetters) == "" {
		return w
	}
	return "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
}
