//go:build !unix

package network_test

import "time"

var started = time.Now()

// processorTime is the time that has passed, where the system does not tell what the process has used.
func processorTime() time.Duration { return time.Since(started) }
