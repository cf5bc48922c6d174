//go:build unix

package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"popsim/model"
	"popsim/sweep"
	"popsim/table/file"
)

// victim is a sweep that is killed again and again.
type victim struct {
	t    *testing.T
	args []string
	dir  string
	min  time.Duration // the time until a run is killed is between min and max
	max  time.Duration
}

// start starts it once more.
func (v victim) start(more ...string) *exec.Cmd {
	v.t.Helper()
	self, err := os.Executable()
	if err != nil {
		v.t.Fatal(err)
	}
	args := slices.Concat(v.args, []string{"--quiet"}, more)
	c := exec.Command(self, args...)
	c.Dir = v.dir
	c.Env = append(os.Environ(), asProgram+"=1")
	var messages bytes.Buffer
	c.Stderr = &messages
	if err := c.Start(); err != nil {
		v.t.Fatal(err)
	}
	v.t.Cleanup(func() {
		if v.t.Failed() && messages.Len() > 0 {
			v.t.Logf("%v: %s", args, messages.String())
		}
	})
	return c
}

// whole runs it undisturbed.
func (v victim) whole(more ...string) {
	v.t.Helper()
	if err := v.start(more...).Wait(); err != nil {
		v.t.Fatal(err)
	}
}

// kill repeats a run that it kills at random times until one ends, and counts the kills; resumed is how often one began
// with checkpoints on disk.
func (v victim) kill(more ...string) (kills, resumed int) {
	v.t.Helper()
	for before := 0; ; {
		checkpoints, _ := filepath.Glob(filepath.Join(v.dir, "*.checkpoint-*"))
		if len(checkpoints) > 0 {
			resumed++
		}
		if len(checkpoints) == before {
			v.max += v.max / 4 // on a busy machine a run may be killed before it has begun
		}
		before = len(checkpoints)
		c := v.start(append(more, "--resume", "--save-every", "10ms")...)
		done := make(chan error, 1)
		go func() { done <- c.Wait() }()
		delay := v.min + time.Duration(float64(v.max-v.min)*rand.Float64())
		select {
		case err := <-done:
			if err != nil {
				v.t.Fatal(err)
			}
			return kills, resumed
		case <-time.After(delay):
			killed := c.Process.Kill()
			ended := <-done
			switch {
			case killed == nil:
				kills++
			case !errors.Is(killed, os.ErrProcessDone) || ended != nil:
				v.t.Fatal(killed, ended)
			default: // it ended in that instant
				return kills, resumed
			}
		}
	}
}

// same compares two files of the directory.
func (v victim) same(got, want string) {
	v.t.Helper()
	a, err1 := os.ReadFile(filepath.Join(v.dir, got))
	b, err2 := os.ReadFile(filepath.Join(v.dir, want))
	if err := errors.Join(err1, err2); err != nil {
		v.t.Fatal(err)
	}
	if !bytes.Equal(a, b) {
		v.t.Errorf("%s differs from %s", got, want)
	}
}

// clean reports files that should not exist.
func (v victim) clean(may ...string) {
	v.t.Helper()
	entries, err := os.ReadDir(v.dir)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, e := range entries {
		if !slices.Contains(may, e.Name()) {
			v.t.Errorf("file left: %s", e.Name())
		}
	}
}

// steps is the work that the run which ended a sweep had, in neuron-steps.
func (v victim) steps(path string) float64 {
	v.t.Helper()
	r, err := file.ReadRecord(filepath.Join(v.dir, path))
	if err != nil {
		v.t.Fatal(err)
	}
	return r.Extra["neuron_steps"].(float64)
}

// A sweep that is killed at random moments and resumed each time leaves the bytes of one that was left alone, and does
// not begin anew each time.
func TestResumeAfterKill(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; the full test run has it")
	}
	v := victim{t: t, dir: t.TempDir(), args: strings.Fields("map hh I=0:40/120 g_L=0.05:0.5/100 --time 50ms --full")}
	begin := time.Now()
	v.whole("-o", "alone.csv")
	whole := time.Since(begin)
	v.min, v.max = whole/10, whole*4/10
	kills, resumed := v.kill("-o", "killed.csv")
	v.same("killed.csv", "alone.csv")
	v.clean("alone.csv", "alone.csv.run.json", "killed.csv", "killed.csv.run.json")
	t.Logf("killed %d times in %v, resumed %d times", kills, whole, resumed)
	if kills > 0 && resumed == 0 {
		t.Error("the sweep was never resumed: nothing was kept")
	}
	if last, all := v.steps("killed.csv"), v.steps("alone.csv"); resumed > 0 && last >= all {
		t.Errorf("the last run made %v neuron-steps, as many as an undisturbed sweep", last)
	}
}

// The same many times, with carried curves, lists of intervals, a picture, parts, and death while files are written.
func TestManyKills(t *testing.T) {
	if os.Getenv("POPSIM_LONG") == "" {
		t.Skip("takes minutes; POPSIM_LONG=1 runs it")
	}
	for name, args := range map[string]string{
		"plain":   "map hh I=0:40/120 g_L=0.05:0.5/100 --time 50ms --full",
		"carried": "fi hh I=0:12/10 g_L=0.1:0.4/200 --from all --time 50ms",
		"lists":   "map adex:tb08 V_reset=-49:-46/200 I=700:900/20 -m isi,rate,period --time 300ms",
		"resets":  "map adex V_reset=-65:-55/200 I=20:60/20 -m w_reset --time 300ms",
	} {
		t.Run(name, func(t *testing.T) {
			total, again := 0, 0
			for round := range 3 {
				v := victim{t: t, dir: t.TempDir(), args: strings.Fields(args)}
				begin := time.Now()
				v.whole("-o", "alone.npz")
				whole := time.Since(begin)
				v.max = whole * time.Duration(2+round) / 8
				kills, resumed := v.kill("-o", "killed.npz")
				v.same("killed.npz", "alone.npz")
				may := []string{"alone.npz", "alone.npz.run.json", "killed.npz", "killed.npz.run.json"}
				for part := 1; part <= 2; part++ {
					k, r := v.kill("-o", "parts.npz", "--part", fmt.Sprintf("%d/2", part))
					kills, resumed = kills+k, resumed+r
				}
				v.args = []string{"merge", "parts.npz"}
				v.whole()
				v.same("parts.npz", "alone.npz")
				v.clean(append(may, "parts.npz", "parts.npz.run.json", "parts.npz.part-1-of-2", "parts.npz.part-2-of-2")...)
				total, again = total+kills, again+resumed
			}
			t.Logf("killed %d times, resumed %d times", total, again)
			if again == 0 {
				t.Error("never resumed")
			}
		})
	}
}

// A map of a million points stays within the memory that was forecast, and its pictures below a megabyte.
func TestMillionPoints(t *testing.T) {
	if os.Getenv("POPSIM_LONG") == "" {
		t.Skip("takes a minute; POPSIM_LONG=1 runs it")
	}
	for _, picture := range []string{"map.png", "map.svg", "map.png -m rate"} {
		v := victim{
			t: t, dir: t.TempDir(),
			args: strings.Fields("map adex I=0:60/1000 b=0:60/1000 --time 60ms -o map.npz --plot " + picture),
		}
		picture, _, _ = strings.Cut(picture, " ")
		c := v.start()
		if err := c.Wait(); err != nil {
			t.Fatal(err)
		}
		r, err := file.ReadRecord(filepath.Join(v.dir, "map.npz"))
		if err != nil {
			t.Fatal(err)
		}
		held := float64(c.ProcessState.SysUsage().(*syscall.Rusage).Maxrss) * 1024
		if runtime.GOOS == "darwin" {
			held /= 1024 // bytes there
		}
		forecast := r.Extra["memory_forecast_bytes"].(float64)
		if held > forecast {
			t.Errorf("%.0f MB held, %.0f MB forecast", held/1e6, forecast/1e6)
		}
		info, err := os.Stat(filepath.Join(v.dir, picture))
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > 1e6 {
			t.Errorf("%s has %d bytes", picture, info.Size())
		}
		t.Logf("%.0f MB held, %.0f MB forecast, %s of %.0f kB", held/1e6, forecast/1e6, picture, float64(info.Size())/1e3)
	}
}

// A sweep whose last files are truncated continues from its checkpoints; a finished one is not run again.
func TestResumeAtTheEnd(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "map.csv")
	args := []string{"map", "lif", "I=0:40/21", "--time", "100ms", "-o", path, "--resume", "--save-every", "1ms"}
	popsim(t, exitDone, args...)
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, printed := popsim(t, exitDone, args...); !strings.Contains(printed, "finished already") {
		t.Errorf("a finished sweep was run again: %s", printed)
	}
	spec := sweep.Spec{Model: model.LIFModel, Method: "exact", Time: 100, Discard: 25}
	axis, err := sweep.Counted("I", "pA", 0, 40, 21)
	if err != nil {
		t.Fatal(err)
	}
	spec.Grid.Axes = []sweep.Axis{axis}
	if _, err := sweep.Run(t.Context(), spec, sweep.Config{Keep: path}); err != nil {
		t.Fatal(err)
	}
	stale := filepath.Join(dir, ".map.csv.01234567.tmp")
	if err := errors.Join(os.WriteFile(path, []byte("half"), 0o644), os.WriteFile(stale, nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	popsim(t, exitDone, args...)
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
		t.Errorf("the table was not written again: %v", err)
	}
	victim{t: t, dir: dir}.clean("map.csv", "map.csv.run.json")
}
