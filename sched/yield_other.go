//go:build !linux

package sched

import "runtime"

// yieldCore lets another goroutine run: of threads this package knows nothing here.
func yieldCore() { runtime.Gosched() }
