package batch

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"popsim/fault"
	"popsim/sweep"
)

// JobName returns Slurm's name of the job of this process, ARRAY_TASK or a number; "" outside of a job.
func JobName() string {
	if array, task := os.Getenv("SLURM_ARRAY_JOB_ID"), os.Getenv("SLURM_ARRAY_TASK_ID"); array != "" && task != "" {
		return array + "_" + task
	}
	return os.Getenv("SLURM_JOB_ID")
}

// Requeue submits a job to Slurm again.
func Requeue(job string) error {
	if text, err := exec.Command("scontrol", "requeue", job).CombinedOutput(); err != nil {
		return fmt.Errorf("scontrol requeue %s: %w %s", job, err, strings.TrimSpace(string(text)))
	}
	return nil
}

// ParsePart parses I/N, a part of a sweep. With auto, auto/N or auto+K/N it is the part that this task of an array is
// to compute: I is the number of the task, counted from 1, plus K; N, where it is not given, the number of tasks.
func ParsePart(text string) (sweep.Part, error) {
	rest, auto := strings.CutPrefix(text, "auto")
	if !auto {
		return sweep.ParsePart(text)
	}
	offset := 0
	if plus, ok := strings.CutPrefix(rest, "+"); ok {
		number, of, _ := strings.Cut(plus, "/")
		var err error
		if offset, err = strconv.Atoi(number); err != nil || offset < 0 {
			return sweep.Part{}, fmt.Errorf("--part auto+%s: auto+K/N adds K to the number of the task", plus)
		}
		rest = "/" + of
	}
	i, n, ok := task()
	if !ok {
		return sweep.Part{}, fault.Hint(errors.New("--part auto: this process is no task of an array"),
			"it looks for %s; --part I/N names the part", strings.Join(variables(), ", "))
	}
	if given, ok := strings.CutPrefix(rest, "/"); ok {
		n, _ = strconv.Atoi(given)
	}
	if n == 0 {
		return sweep.Part{}, fault.Hint(errors.New("--part auto: the batch system does not give the number of tasks"),
			"--part auto/N says it")
	}
	return sweep.ParsePart(fmt.Sprintf("%d/%d", i+offset, n))
}

// array holds the names of the environment variables in which a batch system gives a task its place in an array; "" if
// it has none.
type array struct {
	id    string // number of the task; tasks start at first, or, without it, at start
	first string
	step  string
	count string // number of tasks
	last  string // number of the last task, where there is no count
	start int
}

// arrays are those of Slurm, PBS Pro, Torque, Grid Engine, LSF and Kubernetes.
var arrays = []array{
	{
		id: "SLURM_ARRAY_TASK_ID", first: "SLURM_ARRAY_TASK_MIN", step: "SLURM_ARRAY_TASK_STEP",
		count: "SLURM_ARRAY_TASK_COUNT",
	},
	{id: "PBS_ARRAY_INDEX", start: 1},
	{id: "PBS_ARRAYID", start: 1},
	{id: "SGE_TASK_ID", first: "SGE_TASK_FIRST", step: "SGE_TASK_STEPSIZE", last: "SGE_TASK_LAST", start: 1},
	{id: "LSB_JOBINDEX", step: "LSB_JOBINDEX_STEP", last: "LSB_JOBINDEX_END", start: 1},
	{id: "JOB_COMPLETION_INDEX"},
}

// task returns the number of this task in its array, counted from 1, and how many tasks there are, 0 if that is not
// known. ok is false where this process is not a task.
func task() (number, of int, ok bool) {
	for _, a := range arrays {
		id, ok := environment(a.id)
		if !ok || a.id == "LSB_JOBINDEX" && id == 0 { // LSF sets 0 outside of arrays
			continue
		}
		first, ok := environment(a.first)
		if !ok {
			first = a.start
		}
		step, ok := environment(a.step)
		if !ok || step < 1 {
			step = 1
		}
		of, ok = environment(a.count)
		if last, known := environment(a.last); !ok && known && last >= first {
			of = (last-first)/step + 1
		}
		return (id-first)/step + 1, of, true
	}
	return 0, 0, false
}

// variables lists the names of the variables that hold the number of a task.
func variables() (names []string) {
	for _, a := range arrays {
		names = append(names, a.id)
	}
	return names
}

// environment returns a variable of the environment that holds a whole number.
func environment(name string) (value int, ok bool) {
	value, err := strconv.Atoi(os.Getenv(name))
	return value, err == nil
}
