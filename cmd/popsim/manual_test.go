package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// Every verb and topic has a manual page with all its flags, with the requested date; mandoc, where it is installed,
// reports no errors in it.
func TestManual(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "86400")
	dir := t.TempDir()
	var messages bytes.Buffer
	if code := run([]string{"man", dir}, &messages, &messages); code != exitDone || messages.Len() > 0 {
		t.Fatalf("exit %d: %s", code, messages.String())
	}
	var pages []string
	root := new(call).root()
	for _, c := range append(root.Commands(), root) {
		if c.Hidden || c.Name() == "help" {
			continue
		}
		path := filepath.Join(dir, strings.ReplaceAll(c.CommandPath(), " ", "-")+".1")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Error(err)
			continue
		}
		pages = append(pages, path)
		if !bytes.Contains(text, []byte("1970-01-02")) {
			t.Errorf("%s: the date is not that of SOURCE_DATE_EPOCH", path)
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if !strings.Contains(string(text), `\-\-`+strings.ReplaceAll(f.Name, "-", `\-`)) {
				t.Errorf("%s does not mention --%s", path, f.Name)
			}
		})
	}
	mandoc, err := exec.LookPath("mandoc")
	if err != nil {
		t.Skip("no mandoc to check the pages")
	}
	lint := append([]string{"-Tlint", "-Wwarning"}, pages...)
	if out, err := exec.Command(mandoc, lint...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// Pages for which there is no directory are refused in one line before anything is written, with what would do.
func TestManualWithoutDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(filepath.Dir(file), "missing")
	for dir, want := range map[string]string{
		file: "popsim: error: man: " + file + " is not a directory\n",
		missing: "popsim: error: man: there is no directory " + missing + "\npopsim: hint: mkdir -p " + missing +
			" makes it\n",
	} {
		if _, printed := popsim(t, exitMisused, "man", dir); printed != want {
			t.Errorf("printed %q, want %q", printed, want)
		}
	}
	popsim(t, exitMisused, "man")
}

// TestVersionOfOneWorker: one is not many.
func TestVersionOfOneWorker(t *testing.T) {
	t.Setenv("SLURM_CPUS_PER_TASK", "1")
	if printed, _ := popsim(t, exitDone, "version"); !strings.HasSuffix(printed, ", 1 worker\n") {
		t.Errorf("%q, want 1 worker at its end", printed)
	}
}
