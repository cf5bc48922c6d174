package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing"
	"time"
)

// No goroutine outlives the call that made it, whether the work is done, fails, or is interrupted at some moment: by
// verbs that together use every package.
func TestNoGoroutineOutlivesACall(t *testing.T) {
	t.Chdir(t.TempDir())
	calls := []struct {
		line string
		code int // without an interruption
	}{
		{"run adex I=normal:15:3 -n 3000 --time 300ms --spikes spikes.npz -o n.csv --workers 3", exitDone},
		{"run adex I=normal:15:3 -n 3000 --time 300ms --spikes /dev/full -o n.csv --workers 3", exitFailed},
		{"run lif I=21 -n 3000 --time 100ms --spikes s.csv --trace t.csv --plot p.svg -o n.csv", exitDone},
		{"run adex I=normal:1e8:1 -n 3000 --time 300ms -o n.csv --workers 3", exitFailed},
		{"run lif I=21 --time 20ms -o nowhere/n.csv", exitMisused},
		{"fi lif I=0:40:0.1 --time 300ms -o fi.csv --workers 3", exitDone},
		{"fi adex I=0,10,1e9 --time 300ms -o fi.csv --workers 3", exitFailed},
		{"map lif I=15:30/40 tau=5:20/40 --time 200ms --discard 50ms -o /dev/full --workers 3", exitFailed},
		{"phase rhh I=5 -o plane.json", exitDone},
		{"bifurcation eif I=0:40 -o branches.csv", exitDone},
	}
	call := func(ctx context.Context, line string) int {
		return runContext(ctx, append(strings.Fields(line), "--quiet", "--force"), io.Discard, io.Discard)
	}
	call(t.Context(), "version") // what the runtime starts once
	before := runtime.NumGoroutine()
	settled := func(what string) {
		t.Helper()
		for attempts := 1000; runtime.NumGoroutine() > before; attempts-- {
			if attempts == 0 {
				_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
				t.Fatalf("%s: %d goroutines are left, of them %d from before", what, runtime.NumGoroutine(), before)
			}
			time.Sleep(time.Millisecond)
		}
	}
	_, noFull := os.Stat("/dev/full")
	for _, c := range calls {
		if strings.Contains(c.line, "/dev/full") && noFull != nil {
			continue // this system has no such device
		}
		if code := call(t.Context(), c.line); code != c.code {
			t.Errorf("%s: exit %d, want %d", c.line, code, c.code)
		}
		settled(c.line)
		for _, after := range []time.Duration{0, 5 * time.Millisecond, 20 * time.Millisecond} {
			ctx, cancel := context.WithCancel(t.Context())
			timer := time.AfterFunc(after, cancel)
			call(ctx, c.line)
			timer.Stop()
			cancel()
			settled(fmt.Sprintf("%s, interrupted after %v", c.line, after))
		}
	}
}
