package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// program is a Go program of library.md and what it prints.
var program = regexp.MustCompile("(?s)```go\n(.*?)```\n\n<!-- printed -->\n```text\n(.*?)```")

// TestLibrary runs the programs of library.md and compares what they print. Each is at most 40 lines long.
func TestLibrary(t *testing.T) {
	const page, mostLines = "library.md", 40
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp(".", "_library") // within the module, which the programs import; go ignores names with _
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	found := program.FindAllSubmatchIndex(text, -1)
	if len(found) != strings.Count(string(text), "```go") || len(found) < 4 {
		t.Fatalf("%d programs with what they print; a population, an f-I curve, a phase plane and a bifurcation are "+
			"needed", len(found))
	}
	fresh, last := "", 0
	for _, at := range found {
		code, want := string(text[at[2]:at[3]]), string(text[at[4]:at[5]])
		if n := strings.Count(code, "\n"); n > mostLines {
			t.Errorf("a program of %d lines; %d are enough", n, mostLines)
		}
		path := filepath.Join(dir, "main.go")
		if err := os.WriteFile(path, []byte(code), 0o666); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("go", "run", path).CombinedOutput()
		if err != nil {
			t.Errorf("%v\n%s\n%s", err, out, code)
		}
		if string(out) != want && !*update {
			t.Errorf("prints\n%swant\n%sgo test ./docs -run TestLibrary -update writes it\n%s", out, want, code)
		}
		fresh, last = fresh+string(text[last:at[4]])+string(out), at[5]
	}
	if *update && !t.Failed() {
		if err := os.WriteFile(page, []byte(fresh+string(text[last:])), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}
