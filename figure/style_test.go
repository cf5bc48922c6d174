package figure

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestParseStyle(t *testing.T) {
	path := filepath.Join(t.TempDir(), "paper.toml")
	text := "width = \"3.5in\"\nfont = 8\noutlines = true\nlegend = \"none\"\n"
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	s, err := ParseStyle(path + ",legend=top-left, x=0:40;, title=")
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(s.Width-3.5*25.4) > 1e-9 || s.Font != 8 || !s.Outlines || s.Legend != "top-left" || s.Title == nil ||
		*s.Title != "" {
		t.Errorf("%+v", s)
	}
	if len(s.X) != 2 || s.X[0] != "0:40" || s.X[1] != "" {
		t.Errorf("x is %q", s.X)
	}
	for list, want := range map[string]string{
		"widht=3":       `no "widht"; it has width`,
		"width=3":       "10 to 2000 mm",
		"width=wide":    "not a number",
		"font=100":      "3 to 40 pt",
		"legend=left":   "there are above",
		"colours=jet":   "there are viridis",
		"x=3":           "LO:HI",
		"y=5:4":         "LO below HI",
		"outlines=some": "invalid syntax",
		"none.toml":     "neither KEY=VALUE nor a file",
		"width=80mm,no": "neither KEY=VALUE nor a file",
	} {
		if _, err := ParseStyle(list); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", list, err, want)
		}
	}
}

// A title and a list of panels may hold commas.
func TestStyleCommas(t *testing.T) {
	s, err := ParseStyle("title=Two bursts, one pause,panels=I,V, w,font=8")
	if err != nil || *s.Title != "Two bursts, one pause" || s.Font != 8 ||
		!slices.Equal(s.Panels, []string{"I", "V", "w"}) {
		t.Errorf("%+v, %v", s, err)
	}
}

// The style changes the page, the axes and the letters that a file holds.
func TestStyled(t *testing.T) {
	draw := func(style string) string {
		f := Curves("A title", "I (pA)", "rate (Hz)", Series{Name: "one", X: []float64{0, 10}, Y: []float64{0, 50}})
		var err error
		if f.Style, err = ParseStyle(style); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "f.svg")
		if err := f.Save(path, false); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	plain := draw("")
	for _, text := range []string{">A title<", "> (pA)<", ">one<", ">50<"} {
		if !strings.Contains(plain, text) {
			t.Errorf("the picture does not hold %s as text", text)
		}
	}
	if strings.Contains(draw("outlines=true"), "<text") {
		t.Error("outlines are text")
	}
	if got := draw("width=72mm"); !strings.Contains(got, `width="205pt"`) { // 72 mm are 204.1 points; pages are whole ones
		t.Errorf("the page of 72 mm is %.200s", got)
	}
	if got := draw("x=0:1000"); !strings.Contains(got, ">1000<") {
		t.Error("x=0:1000 does not end at 1000")
	}
	if got := draw("legend=none,title=B"); strings.Contains(got, ">one<") || !strings.Contains(got, ">B<") {
		t.Error("legend=none or title=B is not followed")
	}
	if draw("legend=top-left") == draw("legend=bottom-right") {
		t.Error("the legend does not move")
	}
}
