// Package signals ends the work of the process when a signal arrives.
//
// An interrupt (Ctrl-C) and a terminal that closes end the work at once. SIGTERM and SIGUSR1 are warnings: batch
// systems send them before they take the machine away. Work that can keep finished results waits for a warning on the
// channel of Graceful and ends by itself; all other work ends at once. After a warning the next signal ends graceful
// work at once, and the one after that the process.
package signals

import (
	"context"
	"os"
	"os/signal"
	"slices"
	"sync/atomic"
	"syscall"
)

// state records the signals that have arrived; it is kept in the context.
type state struct {
	warned    chan struct{} // closed by the first warning, if graceful was set before it
	graceful  atomic.Bool   // a caller waits on warned
	outOfTime atomic.Bool   // the warning was SIGUSR1
}

// stateKey is the key of the state in a context.
type stateKey struct{}

// of returns the state of ctx, nil if ctx does not come from Context.
func of(ctx context.Context) *state {
	s, _ := ctx.Value(stateKey{}).(*state)
	return s
}

// Graceful returns a channel that is closed when a warning arrives. The caller must then end its work soon: from this
// call on the first warning no longer cancels ctx. It returns nil if ctx does not come from Context.
func Graceful(ctx context.Context) <-chan struct{} {
	s := of(ctx)
	if s == nil {
		return nil
	}
	s.graceful.Store(true)
	return s.warned
}

// OutOfTime reports whether the warning was that the time of the job has run out (SIGUSR1), after which it should be
// queued again.
func OutOfTime(ctx context.Context) bool {
	s := of(ctx)
	return s != nil && s.outOfTime.Load()
}

// Context returns a context that is cancelled when a signal ends the work. stop ends the handling of signals.
func Context(parent context.Context) (ctx context.Context, stop func()) {
	s := &state{warned: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.WithValue(parent, stateKey{}, s))
	arrived := make(chan os.Signal, 4)
	signal.Notify(arrived, append(warnings, os.Interrupt)...)
	if !signal.Ignored(syscall.SIGHUP) { // nohup ignores it
		signal.Notify(arrived, syscall.SIGHUP)
	}
	go s.watch(ctx, arrived, cancel)
	return ctx, func() {
		signal.Stop(arrived)
		cancel()
	}
}

// watch calls cancel when a signal arrives that is not a warning for graceful work. From then on signals have their
// usual effect, so that the next one ends the process.
func (s *state) watch(ctx context.Context, arrived chan os.Signal, cancel func()) {
	warned := false
	for {
		select {
		case x := <-arrived:
			if slices.Contains(warnings, x) && s.graceful.Load() && !warned {
				warned = true
				s.outOfTime.Store(x != warnings[0])
				close(s.warned)
				continue
			}
			signal.Stop(arrived)
			cancel()
			return
		case <-ctx.Done():
			return
		}
	}
}
