package sched

import "syscall"

// yieldCore lets another thread run on the core of the caller, if one waits for it: it may be the worker that the
// caller waits for.
func yieldCore() { _, _, _ = syscall.RawSyscall(syscall.SYS_SCHED_YIELD, 0, 0, 0) }
