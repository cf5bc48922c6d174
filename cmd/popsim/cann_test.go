package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// cannFile runs popsim with arguments and returns the bytes of a file that it writes.
func cannFile(t *testing.T, path string, args ...string) []byte {
	t.Helper()
	if _, talk, exit := networkCalled(t, append(args, "--quiet", "--force")...); exit != 0 {
		t.Fatalf("%v: exit %d: %s", args, exit, talk)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestCANN: cann takes presets, trials, --save, --seed and --part as other networks do. A saved experiment gives the
// same bytes, and so do parts and any number of workers; trials and seeds have other noise, and without noise none.
func TestCANN(t *testing.T) {
	dir := t.TempDir()
	table, saved := filepath.Join(dir, "t.csv"), filepath.Join(dir, "e.toml")
	sweep := []string{"map", "cann:diffusing", "N=32,64", "--trials", "3", "--dt", "0.2", "--time", "10ms", "-o", table}
	want := cannFile(t, table, append(sweep, "--save", saved)...)
	if got := cannFile(t, table, saved); !bytes.Equal(got, want) {
		t.Errorf("the saved sweep gives\n%s, not\n%s", got, want)
	}
	for _, workers := range []string{"1", "3"} {
		if got := cannFile(t, table, append(sweep, "--workers", workers)...); !bytes.Equal(got, want) {
			t.Errorf("with %s workers\n%s, not\n%s", workers, got, want)
		}
	}
	if got := cannFile(t, table, append(sweep, "--seed", "1")...); bytes.Equal(got, want) {
		t.Error("another seed gives the same")
	}
	for _, part := range []string{"1/2", "2/2"} {
		if _, talk, exit := networkCalled(t, append(sweep, "--part", part, "--quiet", "--force")...); exit != 0 {
			t.Fatal(talk)
		}
	}
	if got := cannFile(t, table, "merge", table); !bytes.Equal(got, want) {
		t.Errorf("merged parts are\n%s, not\n%s", got, want)
	}
	rows := strings.Split(strings.TrimSpace(string(want)), "\n")
	if len(rows) != 7 || rows[1][5:] == rows[2][5:] {
		t.Errorf("two trials are the same:\n%s", want)
	}

	run := []string{"run", "cann:tracking", "v=0.1", "--dt", "0.1", "--time", "5ms", "-o", table}
	want = cannFile(t, table, append(run, "--save", saved)...)
	if got := cannFile(t, table, saved); !bytes.Equal(got, want) {
		t.Error("the saved run gives another table")
	}
	_, talk, exit := networkCalled(t, "run", "cann:trackin")
	if exit != 2 || !strings.Contains(talk, `no preset "trackin"; did you mean tracking?`) {
		t.Errorf("exit %d: %s", exit, talk)
	}
	if _, talk, exit = networkCalled(t, "map", "cann", "--trials", "2", "--time", "1ms"); exit != 0 ||
		!strings.Contains(talk, "all trials are the same") {
		t.Errorf("exit %d: %s", exit, talk)
	}
}
