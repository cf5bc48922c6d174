//go:build !unix

package network_test

import "time"

var started = time.Now()

// processorTime is the elapsed time, where the system does not report the processor time of the process.
func processorTime() time.Duration { return time.Since(started) }
