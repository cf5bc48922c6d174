package main

import (
	"os"
	"strings"
	"testing"
)

// The f-I curves of several models go into one file, which a second call replaces only with --force; no checkpoints of
// single models are left beside it.
func TestModelsFile(t *testing.T) {
	t.Chdir(t.TempDir())
	args := strings.Fields("fi adex:bg05 adex I=20,40 --time 300ms -m rate,status --quiet -o fi.csv --plot fi.svg")
	popsim(t, exitMisused, "fi", "hh", "adex", "I=20,40", "-o", "fi.csv") // other units
	popsim(t, exitDone, args...)
	data, err := os.ReadFile("fi.csv")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	if len(lines) != 5 || lines[0] != "model,I,rate_Hz,status" ||
		!strings.HasPrefix(lines[4], "adex,40,") {
		t.Errorf("%q", data)
	}
	left, err := os.ReadDir(".")
	if err != nil || len(left) != 3 { // the table, its record, the picture
		t.Errorf("%v, %v", left, err)
	}
	popsim(t, exitMisused, args...)
}
