package sweep

import (
	"strconv"
	"strings"
	"testing"
)

// readAxis reads the axes of these tests: numbers divided by commas, start:stop:step, start:stop/n and
// log:start:stop/n.
func readAxis(name, text, unit string) (Axis, error) {
	rest, log := strings.CutPrefix(text, "log:")
	span, count, counted := strings.Cut(rest, "/")
	var x []float64
	for part := range strings.FieldsFuncSeq(span, func(r rune) bool { return r == ':' || r == ',' }) {
		v, err := strconv.ParseFloat(part, 64)
		if err != nil {
			return Axis{}, err
		}
		x = append(x, v)
	}
	n, err := strconv.Atoi(count)
	switch {
	case counted && err != nil:
		return Axis{}, err
	case log:
		return Logarithmic(name, unit, x[0], x[1], n)
	case counted:
		return Counted(name, unit, x[0], x[1], n)
	case strings.Contains(span, ":"):
		return Stepped(name, unit, x[0], x[1], x[2])
	}
	return Values(name, unit, x...), nil
}

func TestGrid(t *testing.T) {
	g := Grid{Axes: []Axis{Values("b", "pA", 1, 2), Values("I", "pA", 10, 20, 30)}}
	if g.Points() != 6 || g.Check() != nil {
		t.Fatalf("%v points, %v", g.Points(), g.Check())
	}
	for point, want := range [][2]float64{{1, 10}, {1, 20}, {1, 30}, {2, 10}, {2, 20}, {2, 30}} {
		if got := [2]float64{g.At(point, 0), g.At(point, 1)}; got != want {
			t.Errorf("point %d: %v, want %v", point, got, want)
		}
	}
	zip := Grid{Axes: []Axis{Values("b", "", 1, 2), Values("I", "", 3, 4)}, Zip: true}
	if zip.Points() != 2 || zip.At(1, 0) != 2 || zip.At(1, 1) != 4 {
		t.Error("zipped axes do not go side by side")
	}
	big, err := Stepped("I", "pA", 0, 1e15, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		grid Grid
		word string
	}{
		{Grid{Axes: []Axis{Values("I", "", 1), Values("I", "", 2)}}, "twice"},
		{Grid{Axes: []Axis{Values("I", "")}}, "0 points"},
		{Grid{Axes: []Axis{Values("b", "", 1, 2), Values("I", "", 1)}, Zip: true}, "zip"},
		{Grid{Axes: []Axis{big, {Name: "b", n: 1000}}}, "too large"},
	} {
		if err := c.grid.Check(); err == nil || !strings.Contains(err.Error(), c.word) {
			t.Errorf("%v, want %q", err, c.word)
		}
	}
}
