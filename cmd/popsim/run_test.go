package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
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

// popsim runs a command and fails the test unless it exits as expected.
func popsim(t *testing.T, code int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	if got := run(args, &out, &err); got != code {
		t.Fatalf("popsim %s: exit %d, want %d\n%s", strings.Join(args, " "), got, code, err.String())
	}
	return out.String(), err.String()
}

// TestSameFiles: tables do not depend on workers, and the recorded command writes the same bytes again.
func TestSameFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	base := strings.Fields("run adex -n 300 I=normal:15:3 b=uniform:0:60 --time 200ms --seed 5 --waveform sine:7Hz:4 " +
		"gain=normal:1:0.2 --quiet")
	var first []byte
	for workers := 1; workers <= 3; workers++ {
		file := fmt.Sprintf("w%d.npz", workers)
		popsim(t, exitDone, append(base, "--workers", fmt.Sprint(workers), "-o", file)...)
		bytes, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = bytes
		}
		if string(bytes) != string(first) {
			t.Errorf("%d workers wrote other bytes than one", workers)
		}
	}
	record := readRecord(t, "w1.npz")
	popsim(t, exitDone, append(record.Command[1:], "--force")...)
	again, err := os.ReadFile("w1.npz")
	if err != nil || string(again) != string(first) {
		t.Errorf("the recorded command wrote other bytes (%v)", err)
	}
}

// TestNeuronAlone: a neuron draws the same whatever the size of its population.
func TestNeuronAlone(t *testing.T) {
	few, _ := popsim(t, exitDone, strings.Fields("run lif -n 3 I=normal:21:2 --time 100ms --quiet")...)
	many, _ := popsim(t, exitDone, strings.Fields("run lif -n 30 I=normal:21:2 --time 100ms --quiet")...)
	if !strings.HasPrefix(many, few) {
		t.Errorf("3 of 30 neurons differ from 3 alone:\n%s\n%s", few, many)
	}
}

// TestSaveComesLast: a call that is refused leaves no experiment file, and no file is another under another name.
func TestSaveComesLast(t *testing.T) {
	t.Chdir(t.TempDir())
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"run lif I=21 --time 10ms", "fi lif I=20:22:1", "phase lif", "bifurcation lif I=0:30"} {
		base := append(strings.Fields(verb), "--quiet", "-o", "a.json")
		popsim(t, exitDone, append(base, "--force")...)
		popsim(t, exitMisused, append(base, "--save", "a.toml")...)
		if _, err := os.Stat("a.toml"); err == nil {
			t.Fatalf("%s was refused, but has left a.toml", verb)
		}
		popsim(t, exitMisused, append(base, "--force", "--plot", "b.svg", "--save", filepath.Join(here, "b.svg"))...)
	}
	popsim(t, exitMisused, "run", "lif", "I=21", "--quiet", "-o", "b.csv", "--spikes", filepath.Join(here, "b.csv"))
	popsim(t, exitDone, "run", "lif", "I=21", "--quiet", "-o", os.DevNull, "--spikes", os.DevNull)
}

// TestInterrupted: finished results are kept, and the exit code is that of an interrupted run.
func TestInterrupted(t *testing.T) {
	t.Chdir(t.TempDir())
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	stop, end := context.WithCancel(context.Background())
	defer end()
	context.AfterFunc(ctx, end)
	var out, err bytes.Buffer
	args := strings.Fields("run lif -n 20000 I=21 --time 1000s -o rates.csv --spikes spikes.npy")
	if code := runContext(stop, args, &out, &err); code != exitInterrupted {
		t.Fatalf("exit %d, want %d: %s", code, exitInterrupted, err.String())
	}
	if !strings.Contains(err.String(), "interrupted at") {
		t.Errorf("nothing was said of the interruption: %s", err.String())
	}
	for _, file := range []string{"rates.partial.csv", "spikes.partial.npy", "rates.partial.csv.run.json"} {
		if _, err := os.Stat(file); err != nil {
			t.Error(err)
		}
	}
	for _, file := range []string{"rates.csv", "spikes.npy", "rates.csv.run.json"} {
		if _, err := os.Stat(file); err == nil {
			t.Errorf("%s is there, though the run was interrupted", file)
		}
	}
	leftovers(t)
}

// TestResumeOfAnInterruptedSweep: a sweep that was interrupted leaves no file under its final name, and --resume
// continues from its checkpoints, though the first call did not have the flag. The bytes are those of an uninterrupted
// sweep.
func TestResumeOfAnInterruptedSweep(t *testing.T) {
	t.Chdir(t.TempDir())
	line := "map adex:tb08 V_reset=-49:-46/200 I=600:1000/50 -m rate --full --quiet -o "
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	stop, end := context.WithCancel(t.Context())
	defer end()
	context.AfterFunc(ctx, end)
	var out, err bytes.Buffer
	if code := runContext(stop, strings.Fields(line+"m.csv"), &out, &err); code != exitInterrupted {
		t.Fatalf("exit %d, want %d: %s", code, exitInterrupted, err.String())
	}
	if _, err := os.Stat("m.csv"); err == nil {
		t.Error("m.csv is there, though the sweep was interrupted")
	}
	for _, rest := range []string{"m.csv --resume", "whole.csv"} {
		if code := runContext(t.Context(), strings.Fields(line+rest), &out, &err); code != 0 {
			t.Fatalf("%s: exit %d: %s", rest, code, err.String())
		}
	}
	resumed, err1 := os.ReadFile("m.csv")
	whole, err2 := os.ReadFile("whole.csv")
	if err1 != nil || err2 != nil || !bytes.Equal(resumed, whole) {
		t.Errorf("the resumed sweep is not the whole one: %v, %v", err1, err2)
	}
	leftovers(t)
}

// TestNoHalfFile: a run that fails leaves no table under its final name.
func TestNoHalfFile(t *testing.T) {
	t.Chdir(t.TempDir())
	_, text := popsim(t, exitMisused, strings.Fields("run lif I=21 -o a.csv --spikes nowhere/b.csv")...)
	if !strings.Contains(text, "nowhere/b.csv") {
		t.Error(text)
	}
	popsim(t, exitMisused, strings.Fields("fi lif I=20,21,22 --part 1/5 -o f.csv")...)
	if found, _ := filepath.Glob("*"); len(found) > 0 {
		t.Errorf("files left: %v", found)
	}
	leftovers(t)
}

// TestParts: parts of a sweep join to the bytes of the whole; a hole is refused.
func TestParts(t *testing.T) {
	t.Chdir(t.TempDir())
	ask := strings.Fields("map adex I=5:25/7 b=0:60/5 --time 300ms --quiet -o")
	popsim(t, exitDone, append(ask, "whole.npz")...)
	for i := range 3 {
		if i == 2 {
			_, text := popsim(t, exitFailed, "merge", "joined.npz")
			if !strings.Contains(text, "missing") {
				t.Error(text)
			}
		}
		popsim(t, exitDone, append(ask, "joined.npz", "--part", fmt.Sprintf("%d/3", i+1))...)
	}
	popsim(t, exitDone, "merge", "joined.npz", "--quiet")
	whole, err := os.ReadFile("whole.npz")
	if err != nil {
		t.Fatal(err)
	}
	joined, err := os.ReadFile("joined.npz")
	if err != nil || string(joined) != string(whole) {
		t.Errorf("the joined parts differ from the whole (%v)", err)
	}
}

// TestVersion: the version lists the instruction sets and formats available.
func TestVersion(t *testing.T) {
	out, _ := popsim(t, exitDone, "version")
	if !strings.HasPrefix(out, "popsim "+release) || !strings.Contains(out, "go") {
		t.Error(out)
	}
}

// TestSpikesAtOnce: where a spike follows the other at once no shorter step is proposed, for none would do.
func TestSpikesAtOnce(t *testing.T) {
	_, told := popsim(t, exitDone, strings.Fields("run eif I=1e300 --time 20ms --quiet")...)
	if want := "at neuron 0 spikes come as soon as refractoriness ends, for which no step is short " +
		"enough\n"; !strings.HasSuffix(told, want) {
		t.Errorf("printed %q, want %q at its end", told, want)
	}
}

// TestNoInfiniteNumbers: infinite values are written as missing, so that CSV and JSON have the same values.
func TestNoInfiniteNumbers(t *testing.T) {
	for _, args := range []string{
		"map lif I=0,30 -m pattern,pattern_margin --time 1s --quiet",
		"bifurcation lif I=15:25 --quiet",
	} {
		if table, _ := popsim(t, exitDone, strings.Fields(args)...); strings.Contains(table, "inf") ||
			!strings.Contains(table, ",,") {
			t.Errorf("%s: infinite numbers, or none missing:\n%.1000s", args, table)
		}
	}
}
