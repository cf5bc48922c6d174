package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"popsim/cmd/popsim/internal/flagset"
)

// completed lists what popsim offers at the end of a line; the last word of the line is begun.
func completed(t *testing.T, line string) []string {
	t.Helper()
	out, _ := popsim(t, exitDone, append([]string{"__complete"}, strings.Split(line, " ")...)...)
	var found []string
	for offer := range strings.Lines(out) {
		name, _, _ := strings.Cut(strings.TrimSuffix(offer, "\n"), "\t")
		if !strings.HasPrefix(name, ":") {
			found = append(found, name)
		}
	}
	return found
}

// TestCompletion: every shell is offered verbs, flags, their values, models, presets and parameters.
func TestCompletion(t *testing.T) {
	for line, want := range map[string]string{
		"r":                                "rheobase run",
		"bi":                               "bifurcation",
		"help me":                          "measures merge",
		"help ver":                         "verify version",
		"run h":                            "hh hh:brainpy hhtm hh-temperature hindmarsh-rose hpc",
		"run golomb:d":                     "golomb:doublets",
		"run golomb g_":                    "g_Na= g_Kdr= g_d= g_L=",
		"verify morris-lecar:s":            "morris-lecar:snic",
		"verify wan":                       "wang-buzsaki",
		"run ./golo":                       "",
		"map brunel:s":                     "brunel:sr brunel:si-fast brunel:si-slow",
		"run brunel g=3 e":                 "eta=",
		"fi bru":                           "",
		"run lif:":                         "lif:slide lif:zoo",
		"map adex:t":                       "adex:tb08",
		"models rh":                        "rhh rhh:brainpy",
		"run adex V":                       "V_rest= V_reset= V_th= V_T= V0=",
		"run lif V_th=15 V_t":              "",
		"bifurcation rhh n":                "n_plus_h=",
		"run hh I=3 m":                     "m0=",
		"bench hh C":                       "",
		"run lif --tr":                     "--trace",
		"fi hh --profile c":                "cpu clock",
		"run hh --method ":                 "strang-cn rk4 exp-euler",
		"run --method cut":                 "cut-rk4",
		"fi hh --from ":                    "rest up down all",
		"run adex --isa g":                 "go",
		"map adex -m rate_H":               "rate_Hz",
		"map adex -m rate_Hz,pat":          "rate_Hz,pattern rate_Hz,pattern_margin",
		"map adex --measures is":           "isi_first_ms isi_last_ms isi_cv isi",
		"merge x.npz --measure adap":       "adaptation",
		"bench --kind kernel,pop":          "kernel,population",
		"run lif --waveform s":             "steps: sine:",
		"run lif --dt ":                    "",
		"run lif I=5 --time 1s --workers ": "",
	} {
		if got := completed(t, line); !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("popsim %s: offered %q, want %q", line, got, strings.Fields(want))
		}
	}
	// Every flag of every verb that takes a word from a list offers it.
	root := new(call).root()
	for _, c := range root.Commands() {
		for _, f := range flagset.Records(c.Flags()) {
			if f.Offers != nil && len(completed(t, c.Name()+" --"+f.Name+" ")) == 0 {
				t.Errorf("popsim %s --%s offers nothing", c.Name(), f.Name)
			}
		}
	}
}

// TestCompletionScripts: there are scripts for shells, the shells installed here read them, and bash and fish complete
// with theirs.
func TestCompletionScripts(t *testing.T) {
	dir := t.TempDir()
	for shell, marks := range map[string][]string{
		"bash": {"complete -o", "__popsim_get_completion_results"},
		"zsh":  {"#compdef popsim", "compdef _popsim popsim"},
		"fish": {"complete -c popsim", "__complete"},
	} {
		script, _ := popsim(t, exitDone, "completion", shell)
		for _, mark := range marks {
			if !strings.Contains(script, mark) {
				t.Errorf("the script for %s has no %q", shell, mark)
			}
		}
		path := filepath.Join(dir, shell)
		if err := os.WriteFile(path, []byte(script), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := exec.LookPath(shell); err != nil {
			t.Logf("no %s here: its script is not tried", shell)
			continue
		}
		if out, err := exec.Command(shell, "-n", path).CombinedOutput(); err != nil {
			t.Errorf("%s does not read its script: %v\n%s", shell, err, out)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(dir, "popsim")); err != nil {
		t.Skip(err) // no links here
	}
	// What the package bash-completion does, for a line whose words are divided by spaces alone.
	const harness = `
_get_comp_words_by_ref() { words=("${COMP_WORDS[@]}"); cword=$COMP_CWORD; cur=${words[cword]}; prev=${words[cword-1]}; }
__ltrim_colon_completions() { :; }
compopt() { :; }
source ./bash
COMP_WORDS=(popsim run adex:n); COMP_CWORD=2; COMP_LINE="popsim run adex:n"; COMP_POINT=17; COMP_TYPE=9
__start_popsim
printf '%s\n' "${COMPREPLY[@]}"
`
	for _, c := range []struct{ shell, flag, text string }{
		{"bash", "--norc", harness},
		{"fish", "--no-config", `source fish; complete -C"popsim run adex:n"`},
	} {
		if _, err := exec.LookPath(c.shell); err != nil {
			t.Logf("no %s to complete with", c.shell)
			continue
		}
		cmd := exec.Command(c.shell, c.flag, "-c", c.text)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), asProgram+"=1", "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"))
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "nd-tonic") || strings.Contains(string(out), "bg05") {
			t.Errorf("%s completes popsim run adex:n by (%v)\n%s", c.shell, err, out)
		}
	}
}
