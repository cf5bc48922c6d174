package sched

import (
	"os"
	"runtime"
	"strconv"
)

// Allowed is the number of CPUs this process may use. The runtime knows the affinity mask (NumCPU) and the quota of the
// cgroup, of either version, rounded up and never below two (GOMAXPROCS, unless the user has set that variable); a
// batch system speaks through SLURM_CPUS_PER_TASK. The least of them counts.
func Allowed() int {
	n := min(runtime.NumCPU(), runtime.GOMAXPROCS(0))
	if task, err := strconv.Atoi(os.Getenv("SLURM_CPUS_PER_TASK")); err == nil && task > 0 {
		n = min(n, task)
	}
	return n
}
