package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"popsim/experiment"

	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2"
)

// saidIn runs popsim in a new directory with the files of testdata/input and those given.
func saidIn(t *testing.T, files map[string]string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	home, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	back, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	defer t.Chdir(back)
	if err := os.CopyFS(".", os.DirFS(filepath.Join(home, "input"))); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var out, messages bytes.Buffer
	code = run(args, &out, &messages)
	if saved, err := os.ReadFile("saved.toml"); err == nil {
		files["saved.toml"] = string(saved)
	}
	return out.String(), messages.String(), code
}

// What --save writes of a golden command gives the same bytes, on standard output and on standard error, and saved once
// more it is the same file.
func TestSaveRoundTrip(t *testing.T) {
	saved := 0
	for _, c := range goldenCases(t) {
		args := c.args
		if testing.Short() && strings.Contains(c.name, "phase") {
			continue // takes seconds
		}
		if len(args) == 0 || strings.HasSuffix(args[0], experiment.Ending) || slices.Contains(args, "--save") {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			files := map[string]string{}
			stdout, stderr, code := saidIn(t, files, append(args, "--save", "saved.toml")...)
			first := files["saved.toml"]
			if first == "" {
				t.Skip("refused, so nothing is saved; TestGolden covers it")
			}
			saved++
			var whole map[string]any
			if err := toml.Unmarshal([]byte(first), &whole); err != nil {
				t.Fatalf("%v\n%s", err, first)
			}
			files = map[string]string{"again.toml": first}
			stdout2, stderr2, code2 := saidIn(t, files, "again.toml", "--save", "saved.toml")
			if diff := cmp.Diff(stdout, stdout2); diff != "" || code != code2 {
				t.Errorf("code %d, want %d; standard output (-command line +file):\n%s\n%s", code2, code, diff, first)
			}
			if diff := cmp.Diff(masked(stderr), masked(stderr2)); diff != "" {
				t.Errorf("standard error (-command line +file):\n%s", diff)
			}
			if diff := cmp.Diff(first, files["saved.toml"]); diff != "" {
				t.Errorf("saved again (-first +second):\n%s", diff)
			}
		})
	}
	if saved < 15 {
		t.Errorf("only %d golden commands could be saved", saved)
	}
}

// Pictures and records of an experiment file are those of its command line.
func TestSaveKeepsPictures(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, line := range []string{
		"fi hh I=0uA/cm2:0.02mA/cm2:4 g_L=0.3 --time 200ms", "map adex:tb08 V_reset=-48mV,-47mV a=1 --time 300ms",
		"run eif tau=10ms I=log:20:30/2 --time 20ms", "phase lif I=5pA",
	} {
		args := append(strings.Fields(line), "--quiet", "--force", "--plot", at("a.svg"), "--save", at("a.toml"))
		if strings.HasPrefix(line, "run") {
			args[3] = "I=21pA"
		}
		popsim(t, exitDone, args...)
		want, err := os.ReadFile(at("a.svg"))
		if err != nil {
			t.Fatal(err)
		}
		popsim(t, exitDone, at("a.toml"), "--plot", at("b.svg"), "--force")
		got, err := os.ReadFile(at("b.svg"))
		if err != nil {
			t.Fatal(err)
		}
		command := regexp.MustCompile(`<desc>popsim .*</desc>`) // which differs
		if !bytes.Equal(command.ReplaceAll(got, nil), command.ReplaceAll(want, nil)) {
			t.Errorf("%s: the picture of the file differs", line)
		}
	}
}

// Arguments beside a file replace those in it, at the same place of the grid.
func TestExperimentBeside(t *testing.T) {
	text := "verb = 'map'\nmodel = 'lif'\ntime = 300\nmeasures = ['rate']\nfull = true\nquiet = " +
		"true\n[values]\nI = [25, " +
		"30]\ntau = ['5ms', '10ms']\n"
	want, _, _ := saidIn(t, map[string]string{},
		strings.Fields("map lif I=27 tau=5,10 --time 400ms -m latency --quiet R=2")...)
	got, messages, code := saidIn(t, map[string]string{"x.toml": text}, "x.toml", "R=2", "--time", "400ms", "I=27", "-m",
		"latency", "--full=false")
	if got != want || code != exitDone {
		t.Errorf("exit %d: %s\n%s\nwant\n%s", code, messages, got, want)
	}
}
