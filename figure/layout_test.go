package figure

import (
	"strings"
	"testing"
)

// TestTitlesFit: no line of a long title is wider than the page, words stay whole, and a line that fits stays as it is.
func TestTitlesFit(t *testing.T) {
	t.Parallel()
	const width = 350 // points
	s := &Style{}
	title := "Hindmarsh-Rose, bursting, I = 3\nx and z; the other variables are at their steady state for x; cycles are " +
		"followed for 533 rows, so that one beyond may be missing"
	lines := strings.Split(s.wrap(title, width), "\n")
	for _, line := range lines {
		if w, _ := boxOf(s.title(), line); float64(w) > width {
			t.Errorf("%q is %g points wide, want at most %d", line, float64(w), width)
		}
	}
	if lines[0] != "Hindmarsh-Rose, bursting, I = 3" {
		t.Errorf("the first line is %q", lines[0])
	}
	if got, want := strings.Fields(strings.Join(lines, " ")), strings.Fields(title); len(got) != len(want) {
		t.Errorf("%d words, want %d", len(got), len(want))
	}
}
