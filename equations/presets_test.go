package equations

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Presets of built-in models and of the library come from files: named ones, and one in the working directory.
func TestPresetFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(
		"cells.toml",
		"[preset.mine]\nmodel = \"adex:tb08\"\nsource = \"us\"\nb = \"0.08nA\"\nI = 500\n[preset.fast]\nmodel = "+
			"\"izhikevich\"\na = \"0.1/ms\"\n",
	)
	write(PresetsFile, "[preset.here]\nmodel = \"lif\"\ntau = \"12ms\"\n")
	m, s, err := Find("./cells.toml", "mine")
	if err != nil || m.Name != "adex" || s.Params[m.Index("b")] != 80 || s.I != 500 || s.Source != "us" ||
		s.File != "./cells.toml" {
		t.Errorf("%v, %+v, %v", m, s, err)
	}
	if m, s, err := Find("./cells.toml", "fast"); err != nil || m.Name != "izhikevich" || s.Params[m.Index("a")] != 0.1 {
		t.Errorf("%+v, %v", s, err)
	}
	if m, s, err := Find("lif", "here"); err != nil || s.Params[m.Index("tau")] != 12 || s.File != PresetsFile {
		t.Errorf("%+v, %v", s, err)
	}
	for _, c := range []struct{ name, preset, want string }{
		{"./cells.toml", "", "name one, as ./cells.toml:mine, fast"},
		{"./cells.toml", "mini", `has no preset "mini"; did you mean mine?`},
		{"adex", "here", "preset here of popsim.toml is one of lif"},
		{"lif", "unknown", `there is no preset of lif "unknown" (have slide, zoo, here)`},
		{"lif", "her", `did you mean "here"?`},
	} {
		if _, _, err := Find(c.name, c.preset); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s:%s: %v, want %s", c.name, c.preset, err, c.want)
		}
	}
	write(PresetsFile, "x = 1\n") // a file without presets
	if _, _, err := Find("lif", "unknown"); err == nil || !strings.Contains(err.Error(), "(have slide, zoo)") {
		t.Errorf("%v, want the presets of lif", err)
	}
	write("number.toml", "preset = 3\n")
	if _, _, err := Find("./number.toml", ""); err == nil || !strings.Contains(err.Error(), "presets are tables") {
		t.Errorf("%v, want the form of presets", err)
	}
	bad := filepath.Join(t.TempDir(), "bad.toml")
	write(bad, "[preset.tb08]\nmodel = \"adex\"\nbb = 3\ntau = \"3mV\"\n[preset.x]\nb = 3\n")
	_, _, err = Find(bad, "tb08")
	for _, want := range []string{
		"adex:tb08 is built in", `adex has no "bb"`, `"3mV" has the wrong unit`, "preset x has no model",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: no %s", err, want)
		}
	}
}
