package sweep

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestParseAxis(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.csv")
	if err := os.WriteFile(file, []byte("I\n3\n1\n2\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string][]float64{
		"21":           {21},
		"5,6,7":        {5, 6, 7},
		"0:1:0.25":     {0, 0.25, 0.5, 0.75, 1},
		"0:0.5:0.1":    {0, 0.1, 0.2, 0.3, 0.4, 0.5},
		"0:1:0.3":      {0, 0.3, 0.6, 0.9},
		"3:1:-1":       {3, 2, 1},
		"2:2:1":        {2},
		"-0.3:0.3:0.1": {-0.3, -0.2, -0.1, 0, 0.1, 0.2, 0.3},
		"0:1/5":        {0, 0.25, 0.5, 0.75, 1},
		"0:0.7/8":      {0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7},
		"1:0/3":        {1, 0.5, 0},
		"log:1:100/3":  {1, 10, 100},
		"0:0.2nA:50pA": {0, 50, 100, 150, 200},
		"1nA, 2 pA":    {1000, 2},
		"@" + file:     {3, 1, 2},
		"1e-3:3e-3/3":  {1e-3, 2e-3, 3e-3},
		"0:1/2":        {0, 1},
	} {
		a, err := ParseAxis("I", text, "pA")
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got := a.All()
		if strings.HasPrefix(text, "log") {
			for i := range got {
				got[i] = math.Round(got[i]*1e12) / 1e12
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func TestParseAxisRefuses(t *testing.T) {
	for text, word := range map[string]string{
		"":                          "no value",
		"x":                         "not a finite number",
		"5mV":                       "wrong unit",
		"0:20:-1":                   "never leads",
		"3:9:0":                     "goes nowhere",
		"-5:20":                     "interval",
		"0:1:2:3":                   "too many colons",
		"0:1/1":                     "both ends",
		"0:1/x":                     "whole number",
		"log:0:1/5":                 "above 0",
		"log:1:100":                 "start:stop/n",
		"1,2:3:1":                   "single numbers",
		"normal:21:2":               "run",
		"0:1e300:1e-300":            "too many",
		"@nowhere.csv":              "cannot be read",
		"0:1/999999999999999999999": "whole number",
		"1,,2":                      "not a finite number",
	} {
		if _, err := ParseAxis("I", text, "pA"); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %v, want %q", text, err, word)
		}
	}
	if _, err := ParseAxis("I", "-5:20", "pA"); !errors.Is(err, ErrInterval) {
		t.Errorf("an interval: %v", err)
	}
	if lo, hi, err := ParseInterval("I", "-5:0.02nA", "pA"); lo != -5 || hi != 20 || err != nil {
		t.Errorf("interval: %v %v %v", lo, hi, err)
	}
}

func FuzzParseAxis(f *testing.F) {
	for _, text := range []string{"21", "0:20:0.5", "0:20/201", "log:1:100/50", "5,6", "1e3:2e3:1e2", "0:1e18:1", "-1:1/3", "0:0.8nA:50pA"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "@") {
			t.Skip("reads files")
		}
		a, err := ParseAxis("I", text, "pA")
		if err != nil {
			return
		}
		if a.Len() < 1 {
			t.Fatalf("%q: %d values", text, a.Len())
		}
		for _, i := range []int{0, a.Len() / 2, a.Len() - 1} {
			if x := a.At(i); math.IsNaN(x) {
				t.Fatalf("%q: value %d is %v", text, i, x)
			}
		}
		if a.Len() > 2 && a.list == nil {
			if up := a.At(a.Len()-1) > a.At(0); up != (a.At(1) >= a.At(0)) && a.At(1) != a.At(0) {
				t.Fatalf("%q turns back: %v %v %v", text, a.At(0), a.At(1), a.At(a.Len()-1))
			}
		}
	})
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
	big, err := ParseAxis("I", "0:1e15:1", "pA")
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
