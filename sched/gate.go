package sched

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

const (
	spinAlone = time.Microsecond       // before the core is offered to other threads between reads
	spinLeast = 5 * time.Microsecond   // a futex sleep and wake cost about as much
	spinMost  = 500 * time.Microsecond // a fraction of what a scheduler gives a thread at a time
	looks     = 32                     // reads of the gate between reads of the clock, which cost about as much
	firstLook = 256                    // reads of the gate before the first of the clock: about 0.1 us
	yields    = 4
)

// A gate is a number that only grows, and on which goroutines wait. Setting it costs one store unless a goroutine
// sleeps.
type gate struct {
	_      pad
	value  atomic.Int64
	_      pad
	asleep atomic.Int64
	lock   sync.Mutex
	wake   sync.Cond
}

func (g *gate) init() { g.wake.L = &g.lock }

// set raises the number to v; one goroutine does so at a time.
func (g *gate) set(v int64) {
	g.value.Store(v)
	if g.asleep.Load() > 0 {
		g.lock.Lock()
		g.wake.Broadcast()
		g.lock.Unlock()
	}
}

// reached spins until the number is at least v, for a time at most, and reports whether it is.
func (g *gate) reached(v int64, spin time.Duration) bool {
	for range firstLook {
		if g.value.Load() >= v {
			return true
		}
	}
	for begin, now := time.Now(), time.Duration(0); now < spin; now = time.Since(begin) {
		for range looks {
			if g.value.Load() >= v {
				return true
			}
		}
		if now > spinAlone {
			yieldCore()
		}
	}
	return false
}

// await returns the number once it is at least v: it spins for a time, yields, and then sleeps.
func (g *gate) await(v int64, spin time.Duration) int64 {
	if spin > 0 && g.reached(v, spin) {
		return g.value.Load()
	}
	for range yields {
		if x := g.value.Load(); x >= v {
			return x
		}
		runtime.Gosched()
	}
	g.lock.Lock()
	defer g.lock.Unlock()
	g.asleep.Add(1) // before the last read: either set reads asleep > 0, or this goroutine reads the new number
	defer g.asleep.Add(-1)
	for {
		if x := g.value.Load(); x >= v {
			return x
		}
		g.wake.Wait()
	}
}
