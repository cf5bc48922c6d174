package main

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/pprof/profile"

	profiling "popsim/cmd/popsim/internal/profile"
	"popsim/kernels"
)

// computing are short calls of every verb that computes but verify, whose checks take long.
var computing = []string{
	"run lif I=21 --time 20ms",
	"fi lif I=20,21 --time 100ms",
	"map lif tau=9,10 I=21 --time 100ms",
	"phase lif I=5",
	"bifurcation lif I=20:21",
	"convergence lif",
	"rheobase lif",
	"bench lif --quick --isa go",
}

// TestProfileFlag: no verb is forgotten.
func TestProfileFlag(t *testing.T) {
	idle := []string{
		"version", "man", "models", "merge", "status", "submit", "values", "measures", "pictures", "plot",
		"networks", "experiments", "help",
	}
	root := new(call).root()
	for _, c := range root.Commands() {
		offers := c.Flags().Lookup("profile") != nil
		computes := c.Name() == "verify" || slices.ContainsFunc(computing,
			func(line string) bool { return strings.HasPrefix(line, c.Name()+" ") })
		if offers != computes || computes == slices.Contains(idle, c.Name()) {
			t.Errorf("popsim %s: --profile %t; by the lists of this test it computes: %t", c.Name(), offers, computes)
		}
	}
}

// TestProfileModes: every mode writes what its reader reads; with POPSIM_LONG on every verb, else on run, and the
// others cpu.
func TestProfileModes(t *testing.T) {
	t.Chdir(t.TempDir())
	lines, long := computing, os.Getenv("POPSIM_LONG") != ""
	if long {
		lines = append(slices.Clone(lines), "verify")
	}
	for i, line := range lines {
		for _, mode := range profiling.Modes() {
			if (!long && i > 0 || line == "verify") && mode != "cpu" { // verify takes its time
				continue
			}
			args := append(strings.Fields(line), "--profile", mode, "--profile-dir", "p")
			_, text := popsim(t, exitDone, args...)
			path := filepath.Join("p", profiling.FileOf(mode))
			written, err := os.ReadFile(path)
			if err != nil || !strings.Contains(text, path) {
				t.Fatalf("%s --profile %s: %v\n%s", line, mode, err, text)
			}
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			if mode == "trace" {
				if !bytes.HasPrefix(written, []byte("go 1.")) {
					t.Errorf("%s: %q... is no trace", line, written[:min(16, len(written))])
				}
				continue
			}
			read, err := profile.ParseData(written)
			if err != nil {
				t.Errorf("%s --profile %s: %v", line, mode, err)
				continue
			}
			want := map[string]string{
				"cpu": "cpu", "mem": "alloc_space", "allocs": "alloc_space", "heap": "alloc_space",
				"block": "contentions", "mutex": "contentions",
				"goroutine": "goroutine", "thread": "threadcreate", "clock": "time",
			}[mode]
			if !slices.ContainsFunc(read.SampleType, func(v *profile.ValueType) bool { return v.Type == want }) {
				t.Errorf("%s --profile %s: no samples of %s, but %v", line, mode, want, read.SampleType)
			}
		}
	}
}

// machineCode is the function to which samples in code made at run time are counted.
const machineCode = "runtime._ExternalCode"

// TestProfileLabels: a cpu profile names the kernel, and its samples the verb, the model, the worker and the shard.
func TestProfileLabels(t *testing.T) {
	t.Chdir(t.TempDir())
	best, _ := kernels.ParseISA("")
	for _, c := range []struct{ verb, model, rest, kernel string }{
		{"run", "adex", "-n 2000 I=15", "AdExFlow"},
		{"fi", "hh", "I=0:20/128 --full", "HHStrang"},
		{"run", "wang-buzsaki", "-n 2000", machineCode},
	} {
		for _, isa := range []kernels.ISA{best, kernels.Go} {
			kernel := "popsim/kernels/asm." + c.kernel
			switch {
			case isa == kernels.Go:
				kernel = "popsim/kernels"
			case c.kernel == machineCode && kernels.MachineCode() != nil:
				continue
			case c.kernel == machineCode:
				kernel = machineCode
			}
			line := fmt.Sprintf("%s %s %s --isa %v", c.verb, c.model, c.rest, isa)
			all, within := 0, 0
			seen := map[string]int{}
			for span := 200; all < 10; span *= 4 { // a sample is 10 ms of work
				if span > 60000 {
					t.Skipf("%s: only %d samples of 60 s of model time; this system does not let itself be profiled", line, all)
				}
				p := cpuProfile(t, fmt.Sprintf("%s --time %dms -o /dev/null", line, span))
				all, within = 0, 0
				clear(seen)
				for _, s := range p.Sample {
					n := int(s.Value[0])
					all += n
					if !slices.ContainsFunc(stack(s), func(name string) bool { return strings.HasPrefix(name, kernel) }) {
						continue
					}
					within += n
					for name := range s.Label {
						seen[name] += n
					}
					if verb, model := s.Label["verb"], s.Label["model"]; !slices.Equal(verb, []string{c.verb}) ||
						!slices.Equal(model, []string{c.model}) {
						t.Errorf("%s: a sample of %v is labelled %v", line, stack(s), s.Label)
					}
				}
			}
			if within < all/2 {
				t.Errorf("%s: %d of %d samples in %s..., want most", line, within, all, kernel)
			}
			for _, name := range []string{"verb", "model", "worker", "shard"} {
				if seen[name] != within {
					t.Errorf("%s: %d of %d samples in the kernel are labelled %s", line, seen[name], within, name)
				}
			}
		}
	}
}

// stack names the functions of a sample, the innermost first.
func stack(s *profile.Sample) (names []string) {
	for _, l := range s.Location {
		for _, at := range l.Line {
			names = append(names, at.Function.Name)
		}
	}
	return names
}

// cpuProfile is that of a command.
func cpuProfile(t *testing.T, line string) *profile.Profile {
	t.Helper()
	popsim(t, exitDone, append(strings.Fields(line), "--profile", "cpu")...)
	f, err := os.Open("cpu.pprof")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p, err := profile.Parse(f)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestRecordOfTime: the record accounts for the time of a run and of a sweep, and contains the times of the workers and
// the machine.
func TestRecordOfTime(t *testing.T) {
	t.Chdir(t.TempDir())
	for file, line := range map[string]string{
		"run.npz": "run lif -n 20000 I=25 --time 100ms --workers 2 --spikes s.npz --trace t.csv -o run.npz",
		"fi.npz":  "fi adex I=0:30/1000 --time 500ms --workers 2 -o fi.npz",
		"map.npz": "map adex I=0:30/20 b=1:30/20 --time 300ms --workers 2 -m rate,w_min_pA --resume -o map.npz",
	} {
		popsim(t, exitDone, strings.Fields(line)...)
		r := readRecord(t, file)
		var names []string
		sum := 0.0
		for _, p := range r.Phases {
			if names = append(names, p.Name); p.Name != "read" && p.Name != "write" && p.Name != "borders" {
				sum += p.Seconds
			}
			if !(p.Seconds >= 0) {
				t.Errorf("%s: phase %s took %v s", line, p.Name, p.Seconds)
			}
		}
		for _, name := range []string{"read", "build", "step", "record", "wait", "merge", "write"} {
			if !slices.Contains(names, name) {
				t.Errorf("%s: no phase %s among %v", line, name, names)
			}
		}
		// The working and waiting times of two workers add up to the time of the epochs; the phases contain it, and a
		// little more.
		epochs := 0.0
		for _, key := range []string{"worker_busy_s", "worker_wait_s"} {
			for _, x := range r.Extra[key].([]any) {
				epochs += x.(float64) / 2
			}
		}
		if sum < 0.9*epochs {
			t.Errorf("%s: phases of %.4f s in all, but the workers report %.4f s", line, sum, epochs)
		}
		if over := r.Extra["worker_imbalance"].([]any); len(over) != 2 ||
			math.Abs(over[0].(float64)+over[1].(float64)) > 1e-9 {
			t.Errorf("%s: imbalance of workers %v, which should be two and cancel", line, over)
		}
		for _, key := range []string{
			"ns_per_neuron_step", "bytes_per_neuron", "processor", "processor_features", "cpus", "cpus_allowed",
			"gc_cycles", "gc_pause_s", "imbalance", "memory_forecast_bytes",
		} {
			if _, ok := r.Extra[key]; !ok {
				t.Errorf("%s: the record does not contain %s", line, key)
			}
		}
		if r.Kernel == "" || r.ISA == "" || r.Workers != 2 {
			t.Errorf("%s: kernel %q, instruction set %q, %d workers", line, r.Kernel, r.ISA, r.Workers)
		}
	}
}
