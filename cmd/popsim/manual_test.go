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

// Every verb and topic has a manual page with all its flags, of the date that is asked for, in which mandoc, where there
// is one, finds nothing to mend.
func TestManual(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "86400")
	dir := t.TempDir()
	var talk bytes.Buffer
	if code := run([]string{"man", dir}, &talk, &talk); code != exitDone || talk.Len() > 0 {
		t.Fatalf("exit %d: %s", code, talk.String())
	}
	var pages []string
	root := new(voice).root()
	for _, c := range append(root.Commands(), root) {
		if c.Hidden || c.Name() == "help" {
			continue
		}
		path := filepath.Join(dir, pageName(c)+".1")
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
			if !strings.Contains(string(text), roff("--"+f.Name)) {
				t.Errorf("%s does not tell of --%s", path, f.Name)
			}
		})
	}
	mandoc, err := exec.LookPath("mandoc")
	if err != nil {
		t.Skip("no mandoc to check the pages")
	}
	if out, err := exec.Command(mandoc, append([]string{"-Tlint", "-Wwarning"}, pages...)...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
