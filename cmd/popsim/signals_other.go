//go:build !unix

package main

import (
	"os"
	"syscall"
)

// warnings are the signals that mean it is over.
var warnings = []os.Signal{syscall.SIGTERM}
