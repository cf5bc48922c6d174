package main

import (
	"strings"
	"testing"

	"popsim/cmd/popsim/internal/help"
)

// TestHelpFits: help and the lists of models fit 80 columns, and no flag's description is longer than a line can hold.
func TestHelpFits(t *testing.T) {
	root := new(call).root()
	calls := [][]string{{"--help"}, {"models"}, {"models", "adex"}, {"models", "hh"}}
	for _, c := range root.Commands() {
		if !c.Hidden {
			calls = append(calls, []string{"help", c.Name()})
		}
	}
	for _, args := range calls {
		out, _ := popsim(t, exitDone, args...)
		for line := range strings.Lines(out) {
			if line = strings.TrimRight(line, "\n"); len([]rune(line)) > help.Width {
				t.Errorf("popsim %s: %d columns: %s", strings.Join(args, " "), len([]rune(line)), line)
			}
		}
	}
}
