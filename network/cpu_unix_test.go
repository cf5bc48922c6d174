//go:build unix

package network_test

import (
	"syscall"
	"time"
)

// processorTime is what the process has used of all processors.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic("bug: " + err.Error())
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
