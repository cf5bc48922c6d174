package figure

import (
	"image/color"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
	"pgregory.net/rapid"
)

func labelsOf(ticks []tick) string {
	var all []string
	for _, t := range ticks {
		if t.label != "" {
			all = append(all, t.label)
		}
	}
	return strings.Join(all, " ")
}

func TestTicks(t *testing.T) {
	for want, a := range map[string]axis{
		"0 10 20":                   {lo: -0.6, hi: 20.6},
		"-0.04 -0.02 0.00 0.02":     {lo: -0.05, hi: 0.03},
		"1 10 100 1000":             {lo: 0.7, hi: 2000, log: true},
		"1e-4 1e-3 1e-2 1e-1":       {lo: 1e-4, hi: 0.2, log: true},
		"1e-4 1e-2 1e0":             {lo: 1e-4, hi: 2, log: true},
		"0 1":                       {lo: -0.5, hi: 1.5, whole: true},
		"0 2e6 4e6 6e6":             {lo: 0, hi: 7e6},
		"6.2602 6.2603 6.2604":      {lo: 6.26015, hi: 6.26045},
		"2 4 6 8":                   {lo: 2, hi: 9, log: true},
		"0 1e-12 2e-12 3e-12 4e-12": {lo: 0, hi: 4e-12},
	} {
		if got := labelsOf(a.ticks(4)); got != want {
			t.Errorf("ticks from %v to %v are %s, want %s", a.lo, a.hi, got, want)
		}
	}
}

// TestTicksAnywhere: every axis that data can need has a few ticks, inside it.
func TestTicksAnywhere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newSpan(rapid.Bool().Draw(t, "log"))
		s.add(rapid.SliceOf(rapid.Float64()).Draw(t, "values")...)
		a := s.axis(0.03)
		if !(a.lo < a.hi) {
			t.Fatalf("the axis of %v is %v", s, a)
		}
		ticks := a.ticks(5)
		if len(ticks) > 200 {
			t.Fatalf("%d ticks from %v to %v", len(ticks), a.lo, a.hi)
		}
		for _, k := range ticks {
			if !(k.at > -0.01 && k.at < 1.01) {
				t.Fatalf("tick %q at %v of %v", k.label, k.at, a)
			}
		}
	})
}

func TestMapGrowsLighter(t *testing.T) {
	last := -1.0
	for _, c := range mapPalette("")[1:] {
		r, g, b, _ := c.RGBA()
		light := 0.2126*float64(r) + 0.7152*float64(g) + 0.0722*float64(b)
		if light <= last {
			t.Fatalf("%v is not lighter than the colour before it", c)
		}
		last = light
	}
	a := axis{hi: 1}
	if mapIndex(a, math.NaN()) != 0 || mapIndex(a, -5) != 1 || mapIndex(a, math.Inf(1)) != mapLevels ||
		mapIndex(a, 1) != mapLevels {
		t.Error("values outside the bar or missing have the wrong colour")
	}
}

func TestCellsUnder(t *testing.T) {
	a := axis{lo: 0, hi: 4}
	even := cellsUnder(a, []float64{0, 1, 2, 3, 4}, 0)
	for i, k := range even {
		if k != i*4/len(even) {
			t.Fatalf("pixel %d of %d shows cell %d", i, len(even), k)
		}
	}
	got := cellsUnder(a, []float64{1, 3}, 4)
	if got[0] != -1 || got[1] != 0 || got[2] != 0 || got[3] != -1 {
		t.Errorf("an image inside the frame covers %v, want [-1 0 0 -1]", got)
	}
}

func TestThinned(t *testing.T) {
	var pts []vg.Point
	for i := range 100000 {
		pts = append(pts, vg.Point{X: vg.Length(i) / 1000, Y: vg.Length(math.Sin(float64(i)))})
	}
	pts[777].Y = 50
	kept := thinned(pts)
	top := vg.Length(0)
	for _, p := range kept {
		top = max(top, p.Y)
	}
	if top != 50 || len(kept) > 4*500 || kept[len(kept)-1] != pts[len(pts)-1] {
		t.Errorf("%d vertices are left of %d, the highest at %v, want 50", len(kept), len(pts), top)
	}
}

func TestPicturePaths(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.svg")
	if err := CheckPicture(path, false); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("the check leaves %v", left)
	}
	f := Curves("", "x", "y", Series{X: []float64{1, 2}, Y: []float64{3, 4}})
	if err := f.Save(path, false); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		path:                              "exists; use --force to overwrite it",
		filepath.Join(dir, "a.gif"):       "use .svg, .png, .pdf or .html",
		filepath.Join(dir, "none/a.png"):  "no such file or directory",
		filepath.Join(dir, "a.svg/a.png"): "not a directory",
	} {
		if err := CheckPicture(path, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("CheckPicture(%s): %v, want %q", path, err, want)
		}
		if err := f.Save(path, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Save(%s): %v, want %q", path, err, want)
		}
	}
}

func TestFigureCheck(t *testing.T) {
	short := []float64{1}
	bad := &Figure{Panels: []Panel{{
		Lines:  []Line{{Name: "l", X: short}},
		Points: []Points{{Name: "p", X: short, Y: short, YErr: []float64{}}},
		Arrows: []Arrows{{X: short}},
		Image:  &Image{X: []float64{2, 1}, Y: short, Z: short},
	}}}
	err := bad.Check()
	for _, want := range []string{`line "l"`, `error bar "p"`, "arrows", "image", "ascending"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Check: %v, want %q among the faults", err, want)
		}
	}
	if err := (&Figure{}).Check(); err == nil {
		t.Error("a figure without panels is no fault")
	}
}

// TestHardFigures: no data, however odd, make the renderer fail.
func TestHardFigures(t *testing.T) {
	odd := []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1e308, 1e308, 0, 5e-324}
	path := filepath.Join(t.TempDir(), "odd.svg")
	for _, log := range []bool{false, true} {
		p := Panel{
			XLabel: "τ (ms)", XLog: log, YLog: log,
			Lines:  []Line{{Name: "l", X: odd, Y: odd, Color: color.White}},
			Points: []Points{{Name: "p", X: odd, Y: odd, YErr: odd, Mark: Triangle, Open: true}, {X: odd, Y: odd}},
			Arrows: []Arrows{{X: odd, Y: odd, DX: odd, DY: odd}},
			Texts:  []Text{{0, 0, "here"}, {math.NaN(), 1, "nowhere"}},
		}
		image := Panel{
			XLog:  log,
			YLog:  log,
			Image: &Image{X: []float64{1}, Y: []float64{-1, 2}, Z: []float64{math.NaN(), math.NaN()}},
		}
		if err := (&Figure{Panels: []Panel{p, image}, ShareX: true}).Save(path, true); err != nil {
			t.Errorf("log=%v: %v", log, err)
		}
	}
}
