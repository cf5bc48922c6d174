//go:build unix

package main

import (
	"os"
	"syscall"
)

// warnings are the signals of batch systems: that it is over, and that time runs out.
var warnings = []os.Signal{syscall.SIGTERM, syscall.SIGUSR1}
