//go:build unix

package main

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestNetworkKilled: a run of a network that is killed again and again, and resumed with other workers, gives the files
// of one that is not, and leaves nothing else.
func TestNetworkKilled(t *testing.T) {
	args := strings.Fields("run brunel N_E=400 J=0.8mV --time 1500ms --discard 100ms --rates r.csv --every 1ms " +
		"--of E:0,I:1")
	v := victim{t: t, args: args, dir: t.TempDir()}
	v.whole("--spikes", "a.npz", "-o", "a.parquet", "--trace", "a.csv", "--populations", "ap.csv", "--plot", "a.svg")
	kills, resumed := 0, 0
	for delay := 60 * time.Millisecond; ; delay += 10 * time.Millisecond {
		workers := []string{"1", "2", "3"}[kills%3]
		c := v.start("--spikes", "b.npz", "-o", "b.parquet", "--trace", "b.csv", "--populations", "bp.csv", "--plot",
			"b.svg", "--workers", workers,
			"--force", "--save-every", "10ms", "--resume")
		done := make(chan error, 1)
		go func() { done <- c.Wait() }()
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
		case <-time.After(delay):
			_ = c.Process.Kill()
			<-done
			kills++
			if len(v.found("*.checkpoint")) > 0 {
				resumed++
			}
			continue
		}
		break
	}
	if kills < 2 || resumed < 1 {
		t.Errorf("killed %d times, with a checkpoint %d times", kills, resumed)
	}
	for _, f := range [][2]string{
		{"b.npz", "a.npz"},
		{"b.parquet", "a.parquet"},
		{"b.csv", "a.csv"},
		{"bp.csv", "ap.csv"},
	} {
		v.same(f[0], f[1])
	}
	if left := v.found("*checkpoint*", "*.tmp", ".*.tmp"); len(left) > 0 {
		t.Errorf("files left: %v", left)
	}
}

// found lists files of the directory by patterns.
func (v victim) found(patterns ...string) (names []string) {
	for _, p := range patterns {
		found, _ := filepath.Glob(filepath.Join(v.dir, p))
		names = append(names, found...)
	}
	return names
}

// TestNetworkTerminated: at SIGTERM a run with --save-every writes a checkpoint, from which it continues with the same
// bytes.
func TestNetworkTerminated(t *testing.T) {
	v := victim{t: t, args: strings.Fields("run brunel N_E=400 J=0.8mV --time 1500ms"), dir: t.TempDir()}
	v.whole("--spikes", "a.csv", "-o", "a.npz")
	c := v.start("--spikes", "b.csv", "-o", "b.npz", "--save-every", "60min")
	for range 1000 { // until the run has begun
		if time.Sleep(10 * time.Millisecond); len(v.found("b.npz.checkpoint.spikes")) > 0 {
			break
		}
	}
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	err := c.Wait()
	if err == nil {
		t.Skip("this machine has finished the run before it was stopped")
	}
	if code := c.ProcessState.ExitCode(); code != exitInterrupted {
		t.Fatalf("exit %d, want %d", code, exitInterrupted)
	}
	v.whole("--spikes", "b.csv", "-o", "b.npz", "--resume")
	v.same("b.csv", "a.csv")
	v.same("b.npz", "a.npz")
}
