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

// JobName returns what Slurm calls the job of this process, ARRAY_TASK or a number; "" outside of a job.
func JobName() string {
	if array, task := os.Getenv("SLURM_ARRAY_JOB_ID"), os.Getenv("SLURM_ARRAY_TASK_ID"); array != "" && task != "" {
		return array + "_" + task
	}
	return os.Getenv("SLURM_JOB_ID")
}

// Requeue asks Slurm to run a job again.
func Requeue(job string) error {
	if text, err := exec.Command("scontrol", "requeue", job).CombinedOutput(); err != nil {
		return fmt.Errorf("scontrol requeue %s: %w %s", job, err, strings.TrimSpace(string(text)))
	}
	return nil
}

// ParsePart parses I/N, a part of a sweep. With auto, auto/N or auto+K/N it is the part that this task of an array is to
// compute: I is the number of the task, counted from 1, plus K; N, where it is not given, the number of tasks.
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
		return sweep.Part{}, fault.Hint(errors.New("--part auto: there is no SLURM_ARRAY_TASK_ID and no JOB_COMPLETION_INDEX"),
			"--part I/N names the part")
	}
	if given, ok := strings.CutPrefix(rest, "/"); ok {
		n, _ = strconv.Atoi(given)
	}
	if n == 0 {
		return sweep.Part{}, fault.Hint(errors.New("--part auto: the batch system does not tell how many tasks there are"),
			"--part auto/N says it")
	}
	return sweep.ParsePart(fmt.Sprintf("%d/%d", i+offset, n))
}

// task returns the number of this task in its array, counted from 1, and how many tasks there are, 0 if that is not known. ok
// is false where this process is not a task.
func task() (number, of int, ok bool) {
	if id, ok := environment("SLURM_ARRAY_TASK_ID"); ok {
		first, _ := environment("SLURM_ARRAY_TASK_MIN")
		step, ok := environment("SLURM_ARRAY_TASK_STEP")
		if !ok {
			step = 1
		}
		of, _ = environment("SLURM_ARRAY_TASK_COUNT")
		return (id-first)/step + 1, of, true
	}
	id, ok := environment("JOB_COMPLETION_INDEX")
	return id + 1, 0, ok
}

// environment returns a variable of the environment that holds a whole number.
func environment(name string) (value int, ok bool) {
	value, err := strconv.Atoi(os.Getenv(name))
	return value, err == nil
}
