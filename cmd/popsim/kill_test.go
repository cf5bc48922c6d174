//go:build unix

package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// asProgram in the environment makes the test binary popsim itself, so that a test can start and kill it.
const asProgram = "POPSIM_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// A sweep that is killed at random moments and resumed each time leaves the bytes of one that was left alone.
func TestResumeAfterKill(t *testing.T) {
	if testing.Short() {
		t.Skip("takes ten seconds; the full test run has it")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	start := func(file string, more ...string) *exec.Cmd {
		args := append([]string{"map", "hh", "I=0:40/60", "g_L=0.05:0.5/40", "--time", "400ms", "--discard", "100ms", "--full", "--quiet", "-o", filepath.Join(dir, file)}, more...)
		c := exec.Command(self, args...)
		c.Env = append(os.Environ(), asProgram+"=1")
		var talk bytes.Buffer
		c.Stderr = &talk
		t.Cleanup(func() {
			if t.Failed() && talk.Len() > 0 {
				t.Logf("%v: %s", args, talk.String())
			}
		})
		return c
	}
	begin := time.Now()
	if err := start("alone.csv").Run(); err != nil {
		t.Fatal(err)
	}
	whole := time.Since(begin)
	kills := 0
	for ; ; kills++ {
		if kills > 200 {
			t.Fatal("after 200 kills the sweep is still not done")
		}
		c := start("killed.csv", "--resume")
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- c.Wait() }()
		patience := time.Duration(float64(whole) * (0.1 + 0.5*rand.Float64()))
		if kills > 20 {
			patience = 10 * whole
		}
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
		case <-time.After(patience):
			if err := c.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			<-done
			if _, err := os.Stat(filepath.Join(dir, "killed.csv")); err == nil {
				t.Fatal("the table is there before the sweep was done")
			}
			continue
		}
		break
	}
	want, err := os.ReadFile(filepath.Join(dir, "alone.csv"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, "killed.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("after %d kills the table differs from that of an undisturbed sweep", kills)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "killed.csv.*")); len(left) != 1 { // the record of the run
		t.Errorf("left behind: %v", left)
	}
	t.Logf("killed %d times", kills)
}
