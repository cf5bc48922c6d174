//go:build !linux

package sched

import "runtime"

// yieldCore lets another goroutine run; threads cannot be yielded here.
func yieldCore() { runtime.Gosched() }
