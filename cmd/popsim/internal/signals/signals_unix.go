//go:build unix

package signals

import (
	"os"
	"syscall"
)

// warnings are the signals of batch systems: SIGTERM, then the one that says that the time of the job runs out.
var warnings = []os.Signal{syscall.SIGTERM, syscall.SIGUSR1}
