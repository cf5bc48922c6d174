package sched

import (
	"os"
	"runtime"
	"strconv"
)

// Allowed is the number of CPUs this process may use. It is the least of three numbers: the CPUs of the affinity mask
// (runtime.NumCPU); GOMAXPROCS, which, unless the user has set that variable, is the quota of the cgroup, of either
// version, rounded up and at least two; and the number of CPUs that a batch system gives in SLURM_CPUS_PER_TASK.
func Allowed() int {
	n := min(runtime.NumCPU(), runtime.GOMAXPROCS(0))
	if task, err := strconv.Atoi(os.Getenv("SLURM_CPUS_PER_TASK")); err == nil && task > 0 {
		n = min(n, task)
	}
	return n
}
