package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// A series of planes is a picture each, in order, in one window, and does not depend on the others but for the window.
func TestPhaseFrames(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	popsim(t, exitDone, "phase", "lif", "I=0,10,30", "--plot", at("f.svg"), "--quiet")
	read := func(name string) string {
		text, err := os.ReadFile(at(name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	first, last := read("f-001.svg"), read("f-003.svg")
	if first == last {
		t.Error("the first and the last picture are the same")
	}
	number := regexp.MustCompile(`>−?[0-9.]+</text>`) // at the axes
	if a, b := number.FindAllString(first, -1), number.FindAllString(last, -1); len(a) == 0 || !slices.Equal(a, b) {
		t.Errorf("the axes of the first and the last picture differ: %q, %q", a, b)
	}
	popsim(t, exitMisused, "phase", "lif", "I=0,10,30", "--plot", at("f.svg"), "--quiet") // they exist
}
