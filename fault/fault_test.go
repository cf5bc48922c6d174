package fault_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"popsim/fault"
)

// TestLines: faults are in the order of their file, each once, and each has its own advice; advice that is shared is
// shown once.
func TestLines(t *testing.T) {
	var l fault.List
	l.Add(nil)
	l.Addf("free")
	l.About("tau", fault.Hint(errors.New("tau=3kg"), "ms"))
	l.About("--dt", errors.Join(fault.Hint(errors.New("--dt is 0"), "above 0"), errors.New("--dt is odd")))
	l.Addf("free") // once is enough
	l.Add(fault.At("a.toml:1:2", fmt.Errorf("outer: %w", fault.Hint(errors.New("inner"), "ms"))))
	got := fault.Lines(l.Err(), map[string]string{"tau": "a.toml:9:1", "--dt": "a.toml:3:1"})
	want := []fault.Line{
		{"a.toml:1:2: outer: inner", ""},
		{"a.toml:3:1: dt is 0", "above 0"},
		{"a.toml:3:1: dt is odd", ""},
		{"a.toml:9:1: tau=3kg", "ms"},
		{"free", ""},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%q, want\n%q", got, want)
	}
	if fault.Lines(nil, nil) != nil || fault.Hint(nil, "x") != nil || fault.About("x", nil) != nil ||
		fault.At("x", nil) != nil {
		t.Error("nil is a fault")
	}
}
