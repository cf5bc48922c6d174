//go:build unix

package main

import (
	"os"
	"strings"
	"syscall"
	"testing"
)

// A pipe gets rows as CSV, whatever its name, and all of them in one go.
func TestPipeGetsCSV(t *testing.T) {
	t.Chdir(t.TempDir())
	for path, line := range map[string]string{
		"plane.json": "phase rhh I=5 --quiet",
		"fi.npz":     "fi lif I=20:22:1 --quiet",
	} {
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			t.Fatal(err)
		}
		read := make(chan string)
		go func() {
			text, _ := os.ReadFile(path)
			read <- string(text)
		}()
		popsim(t, exitDone, append(strings.Fields(line), "-o", path)...)
		if text := <-read; !strings.HasPrefix(text, map[string]string{
			"plane.json": "kind,V_mV,h,",
			"fi.npz":     "I,rate_Hz,",
		}[path]) || strings.Count(text, "\n") < 3 {
			t.Errorf("%s got\n%s", path, text)
		}
		if _, err := os.Stat(path + ".run.json"); err == nil {
			t.Errorf("%s has a record beside it", path)
		}
	}
}
