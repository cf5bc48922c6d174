package figure

import (
	"bytes"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A page needs nothing from elsewhere, and holds the data and the command.
func TestPageIsWhole(t *testing.T) {
	dir := t.TempDir()
	for name, f := range exampleFigures() {
		f.Source = "popsim run lif </script>"
		path := filepath.Join(dir, name+".html")
		if err := f.Save(path, false); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if loads := regexp.MustCompile(`(src|href)=|url\(|@import|fetch\(|https?://`).Find(data); loads != nil {
			t.Errorf("%s loads something: %q", name, loads)
		}
		if n := bytes.Count(data, []byte("</script>")); n != 2 {
			t.Errorf("%s ends %d scripts, want 2", name, n)
		}
		if !strings.Contains(string(data), "popsim run lif &lt;") {
			t.Errorf("%s lacks the command", name)
		}
	}
}

// TestPageIsDrawn opens pages in a browser: all their panels are drawn. It needs chromium.
func TestPageIsDrawn(t *testing.T) {
	browser, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no chromium here")
	}
	if os.Getenv("POPSIM_LONG") == "" {
		t.Skip("a browser takes seconds for each page: only with POPSIM_LONG=1")
	}
	dir := t.TempDir()
	for name, f := range exampleFigures() {
		path := filepath.Join(dir, name+".html")
		if err := f.Save(path, false); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(
			browser,
			"--headless",
			"--no-sandbox",
			"--disable-gpu",
			"--dump-dom",
			"file://"+path,
		).Output()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want := `data-drawn="` + string(rune('0'+len(f.Panels))) + `"`
		if !bytes.Contains(out, []byte(want)) {
			t.Errorf("%s is not drawn: there is no %s", name, want)
		}
	}
}

// The command is kept in files whose readers do not show it.
func TestSource(t *testing.T) {
	f := Curves("", "I (pA)", "rate (Hz)", Series{X: []float64{0, 1}, Y: []float64{0, 1}})
	f.Source = "popsim fi lif I=0:1:1"
	for _, ending := range []string{".svg", ".png", ".pdf", ".html"} {
		path := filepath.Join(t.TempDir(), "f"+ending)
		if err := f.Save(path, false); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(data, []byte(f.Source)) {
			t.Errorf("%s lacks the command", ending)
		}
		if ending == ".png" {
			if _, err := png.Decode(bytes.NewReader(data)); err != nil {
				t.Error(err)
			}
		}
	}
}
