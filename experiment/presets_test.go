package experiment

import (
	"os"
	"strings"
	"testing"
)

func TestExpandPreset(t *testing.T) {
	t.Chdir(t.TempDir())
	cells := "[preset.mine]\nmodel = \"adex\"\nb = \"40pA\"\ntau_w = 100\n[preset.bare]\nb = 1\n" +
		"[preset.bg05]\nmodel = \"adex\"\nb = 1\n"
	for name, text := range map[string]string{
		"cells.toml": cells, "popsim.toml": cells, "net.toml": "[population.E]\nn = 1\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for line, want := range map[string]string{
		"fi cells.toml:mine I=1:2:1":   "fi adex b=40pA tau_w=100 I=1:2:1",
		"fi ./cells.toml:mine b=2 I=1": "fi adex tau_w=100 b=2 I=1",
		"fi adex:mine I=1":             "fi adex b=40pA tau_w=100 I=1", // of popsim.toml
		"fi lif:mine I=1":              "fi lif:mine I=1",
		"fi adex:naud-adaptation":      "fi adex:naud-adaptation",
		"run net.toml:x":               "run net.toml:x",
		"fi lif":                       "fi lif",
		"fi cells.toml:other":          `cells.toml has no preset "other"; it has bare, bg05, mine`,
		"fi cells.toml:bare":           "cells.toml: [preset.bare] does not name its model",
		"fi adex:bg05":                 "popsim.toml defines adex:bg05, which is built in; give it another name",
	} {
		got, _, err := ExpandPreset(strings.Fields(line), 1)
		text := strings.Join(got, " ")
		if err != nil {
			text = strings.SplitN(err.Error(), "\n", 2)[0]
		}
		if text != want {
			t.Errorf("%s: %s, want %s", line, text, want)
		}
	}
}
