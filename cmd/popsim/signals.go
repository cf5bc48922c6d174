package main

import (
	"context"
	"os"
	"os/signal"
	"slices"
	"sync/atomic"
	"syscall"
)

// ears hear signals. Ctrl-C, and a terminal that closes, end the work at once. SIGTERM and SIGUSR1 are what batch systems
// send before they take the machine away: a sweep that listens finishes what is in hand and keeps it, all else ends at once.
// A further signal ends a sweep at once too, and one more the process.
type ears struct {
	warned  chan struct{} // closed by the first warning, where someone listens
	listens atomic.Bool
	wanted  atomic.Bool // the warning said that the work is to go on later (SIGUSR1)
}

type earsKey struct{}

// hearing are the ears of ctx, which may be none.
func hearing(ctx context.Context) *ears {
	e, _ := ctx.Value(earsKey{}).(*ears)
	return e
}

// listen promises that the caller ends when the channel is closed. It is nil where nobody hears signals.
func (e *ears) listen() <-chan struct{} {
	if e == nil {
		return nil
	}
	e.listens.Store(true)
	return e.warned
}

// goesOn tells whether the work was ended by a signal that means it to go on later.
func (e *ears) goesOn() bool { return e != nil && e.wanted.Load() }

// withSignals is a context that signals end; end stops listening to them.
func withSignals(parent context.Context) (ctx context.Context, end func()) {
	e := &ears{warned: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.WithValue(parent, earsKey{}, e))
	heard := make(chan os.Signal, 4)
	signal.Notify(heard, append(warnings, os.Interrupt)...)
	if !signal.Ignored(syscall.SIGHUP) { // as nohup lets it be
		signal.Notify(heard, syscall.SIGHUP)
	}
	go func() {
		warned := false
		for {
			select {
			case s := <-heard:
				if slices.Contains(warnings, s) && e.listens.Load() && !warned {
					warned = true
					e.wanted.Store(s != warnings[0])
					close(e.warned)
					continue
				}
				signal.Stop(heard) // whoever interrupts once more does not want to wait
				cancel()
				return
			case <-ctx.Done():
				return
			}
		}
	}()
	return ctx, func() {
		signal.Stop(heard)
		cancel()
	}
}
