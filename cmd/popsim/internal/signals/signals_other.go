//go:build !unix

package signals

import (
	"os"
	"syscall"
)

// warnings are the signals after which graceful work ends: SIGTERM, the only one on this system.
var warnings = []os.Signal{syscall.SIGTERM}
