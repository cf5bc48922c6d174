package main

import (
	"bytes"
	"flag"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files that differ")

// masks hide what differs from machine to machine and from run to run.
var masks = []struct{ pattern, mask string }{
	{`(?m)^popsim: [0-9.e+-]+ s, [0-9.e+-]+ neuron-steps/s; .*$`, "popsim: TIME AND SPEED"},
	{` in [0-9.e+-]+ s\b`, " in TIME"},
	{`only [0-9.]+ [kMGT]?B are to be had`, "only SO MUCH is to be had"},
	{`\(have (avx512, )?(avx2, )?go\)`, "(have SETS)"},
}

func masked(text string) string {
	for _, m := range masks {
		text = regexp.MustCompile(m.pattern).ReplaceAllString(text, m.mask)
	}
	return text
}

// TestGolden runs every testdata/NAME.args, a command line, in an empty directory with the files of testdata/input, and
// compares what it says with NAME.stdout and NAME.stderr; the latter ends with the exit code.
func TestGolden(t *testing.T) {
	lists, err := filepath.Glob("testdata/*.args")
	if err != nil || len(lists) == 0 {
		t.Fatal("no golden commands", err)
	}
	home, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("SLURM_CPUS_PER_TASK", "1") // forecasts tell the memory of every worker
	for _, list := range lists {
		name := strings.TrimSuffix(filepath.Base(list), ".args")
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(list)
			if err != nil {
				t.Fatal(err)
			}
			t.Chdir(t.TempDir())
			if err := os.CopyFS(".", os.DirFS(filepath.Join(home, "input"))); err != nil {
				t.Fatal(err)
			}
			var stdout, stderr bytes.Buffer
			code := run(strings.Fields(string(text)), &stdout, &stderr)
			stderr.WriteString("exit " + string(rune('0'+code)) + "\n")
			golden(t, filepath.Join(home, name+".stdout"), stdout.String())
			golden(t, filepath.Join(home, name+".stderr"), masked(stderr.String()))
			leftovers(t)
		})
	}
}

// golden compares what was said with a file, which -update writes anew where they differ by more than the rounding of numbers.
func golden(t *testing.T, path, got string) {
	t.Helper()
	want, err := os.ReadFile(path)
	if err == nil && alike(string(want), got) {
		return
	}
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if err != nil {
		t.Fatal(err, "; go test ./cmd/popsim -update writes it")
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", filepath.Base(path), diff)
	}
}

// Numbers agree when they differ by less. Bits are the business of other tests; here solvers and the mathematical
// functions of other architectures may round as they like.
const (
	goldenRelative = 1e-6
	goldenAbsolute = 1e-9
)

var numeral = regexp.MustCompile(`-?\d+\.\d+(e[+-]?\d+)?|-?\d+e[+-]?\d+`)

// alike tells whether two texts are the same but for the rounding of numbers.
func alike(want, got string) bool {
	if numeral.ReplaceAllString(want, "#") != numeral.ReplaceAllString(got, "#") {
		return false
	}
	wants, gots := numeral.FindAllString(want, -1), numeral.FindAllString(got, -1)
	for i := range wants {
		x, err1 := strconv.ParseFloat(wants[i], 64)
		y, err2 := strconv.ParseFloat(gots[i], 64)
		if err1 != nil || err2 != nil || math.Abs(x-y) > goldenAbsolute+goldenRelative*math.Abs(x) {
			return false
		}
	}
	return true
}

// leftovers fails where a command has left a temporary file behind.
func leftovers(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".tmp") {
			t.Errorf("%s was left behind", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
