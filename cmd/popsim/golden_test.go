package main

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite the golden files that differ")

// masks hide what differs from machine to machine and from run to run.
var masks = []struct{ pattern, mask string }{
	{`(?m)^popsim: [0-9.e+-]+ s( \([^)]*\))?, [0-9.e+-]+ neuron-steps/s; .*$`, "popsim: TIME AND SPEED"},
	{` in [0-9.e+-]+ s\b`, " in TIME"},
	{`[0-9.]+ [kMGT]?B are available`, "SO MUCH is available"},
	{`\(have (avx512, )?(avx2, )?go\)`, "(have SETS)"},
}

func masked(text string) string {
	for _, m := range masks {
		text = regexp.MustCompile(m.pattern).ReplaceAllString(text, m.mask)
	}
	return text
}

// goldenCase is a command with its exit code and output. Its file testdata/golden/NAME.txtar begins with the arguments
// on one line and the exit code on the next; the sections stdout and stderr are left out where they are empty.
type goldenCase struct {
	name, path     string
	args           []string
	exit           int
	stdout, stderr string
}

// goldenCases reads all golden commands.
func goldenCases(t *testing.T) []goldenCase {
	t.Helper()
	paths, err := filepath.Glob("testdata/golden/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatal("no golden commands", err)
	}
	var cases []goldenCase
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		whole, err := filepath.Abs(path)
		if err != nil {
			t.Fatal(err)
		}
		c := goldenCase{name: strings.TrimSuffix(filepath.Base(path), ".txtar"), path: whole}
		line, exit, _ := strings.Cut(string(archive.Comment), "\n")
		c.args = strings.Fields(line)
		if _, err := fmt.Sscanf(exit, "exit %d", &c.exit); err != nil && !*update {
			t.Fatalf("%s: the second line is %q, not an exit code; -update writes it", path, exit)
		}
		for _, file := range archive.Files {
			switch file.Name {
			case "stdout":
				c.stdout = string(file.Data)
			case "stderr":
				c.stderr = string(file.Data)
			default:
				t.Fatalf("%s: section %q is neither stdout nor stderr", path, file.Name)
			}
		}
		cases = append(cases, c)
	}
	return cases
}

// write stores the case in its file.
func (c goldenCase) write(t *testing.T) {
	t.Helper()
	archive := &txtar.Archive{Comment: fmt.Appendf(nil, "%s\nexit %d\n", strings.Join(c.args, " "), c.exit)}
	for _, file := range []txtar.File{{Name: "stdout", Data: []byte(c.stdout)}, {Name: "stderr", Data: []byte(c.stderr)}} {
		if len(file.Data) > 0 {
			archive.Files = append(archive.Files, file)
		}
	}
	if err := os.WriteFile(c.path, txtar.Format(archive), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestGolden runs every golden command in an empty directory with the files of testdata/input, and compares its exit
// code and what it wrote to standard output and standard error. With -update, files that differ by more than the
// rounding of numbers are written anew.
func TestGolden(t *testing.T) {
	input, err := filepath.Abs("testdata/input")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("SLURM_CPUS_PER_TASK", "1") // forecasts include the memory of every worker
	for _, want := range goldenCases(t) {
		t.Run(want.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			if err := os.CopyFS(".", os.DirFS(input)); err != nil {
				t.Fatal(err)
			}
			var stdout, stderr bytes.Buffer
			got := want
			got.exit = run(want.args, &stdout, &stderr)
			got.stdout, got.stderr = stdout.String(), masked(stderr.String())
			leftovers(t)
			if got.exit == want.exit && alike(want.stdout, got.stdout) && alike(want.stderr, got.stderr) {
				return
			}
			if *update {
				got.write(t)
				return
			}
			if got.exit != want.exit {
				t.Errorf("exit code %d, want %d", got.exit, want.exit)
			}
			for _, stream := range []struct{ name, want, got string }{
				{"stdout", want.stdout, got.stdout}, {"stderr", want.stderr, got.stderr},
			} {
				if diff := cmp.Diff(stream.want, stream.got); diff != "" && !alike(stream.want, stream.got) {
					t.Errorf("%s (-want +got; go test ./cmd/popsim -update writes it):\n%s", stream.name, diff)
				}
			}
		})
	}
}

// Numbers agree when they differ by less. Bits are compared by other tests; here solvers and the mathematical functions
// of other architectures may round differently.
const (
	goldenRelative = 1e-6
	goldenAbsolute = 1e-9
)

var numeral = regexp.MustCompile(`-?\d+\.\d+(e[+-]?\d+)?|-?\d+e[+-]?\d+`)

// alike reports whether two texts are the same but for the rounding of numbers.
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

// leftovers fails if a command has left a temporary file.
func leftovers(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".tmp") {
			t.Errorf("%s was not removed", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
