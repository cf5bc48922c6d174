package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"popsim/kernels"
	"popsim/model"
)

// sameCommands are given to every method of a model: what they print and write is the same bytes on every instruction
// set, for any number of workers. Parameters and inputs that differ from neuron to neuron or not, waveforms or none,
// events, traces and statistics go through different kernels.
var sameCommands = map[string][]string{
	"lif": {
		"run lif I=25 V0=uniform:0:19 -n 200 --time 120ms --spikes spikes.csv",
		"run lif I=normal:24:3 t_ref=uniform:0:3 V_reset=uniform:-3:3 -n 150 --time 80ms --discard 20ms --waveform " +
			"sine:20Hz:4 gain=normal:1:0.3 --spikes spikes.csv --trace trace.csv --of 0:9 --every 0.7ms",
		"fi lif I=15:40:0.5 --time 400ms --discard 100ms",
		"map lif I=20:60:8 t_ref=0:4:0.5 -m rate,latency,isi_cv,V_min,V_max --time 200ms --discard 50ms",
	},
	"eif": {
		"run eif I=uniform:5:25 -n 200 --time 120ms --spikes spikes.csv",
		"run eif I=12 delta_T=uniform:2:4 V_T=uniform:-61:-58 -n 150 --time 80ms --discard 20ms --waveform " +
			"chirp:1Hz:100Hz:80ms:4 gain=normal:1:0.3 --spikes spikes.csv --trace trace.csv --of 0:9 --every 0.7ms",
		"fi eif I=0:20:0.5 --time 400ms --discard 100ms",
		"map eif I=6:20:2 t_ref=0:4:0.5 -m rate,latency,isi_cv,V_min,V_max --time 200ms --discard 50ms",
	},
	"adex": {
		"run adex I=15 w0=uniform:0:40 -n 200 --time 120ms --spikes spikes.csv",
		"run adex I=normal:20:4 b=uniform:0:30 a=uniform:0:2 -n 150 --time 80ms --discard 20ms --waveform " +
			"pulse:10ms:60ms:9 gain=normal:1:0.3 --spikes spikes.csv --trace trace.csv --of 0:9 --every 0.7ms",
		"fi adex I=0:40:1 --time 400ms --discard 100ms",
		"map adex:tb08 I=800 V_reset=-49:-46:0.5 -m isi --time 600ms --discard 300ms",
	},
	"hh": {
		"run hh I=uniform:5:40 -n 200 --time 60ms --spikes spikes.csv",
		"run hh I=10 g_L=uniform:0.03:0.3 V_th=uniform:-10:10 -n 150 --time 40ms --discard 10ms --waveform " +
			"steps:0ms=2.5,20ms=30 gain=normal:1:0.3 --spikes spikes.csv --trace trace.csv --of 0:9 --every 0.7ms",
		"fi hh I=0:40:2 --time 200ms --discard 50ms",
		"map hh I=5:20:5 g_Na=100:140:10 -m rate,latency,isi_cv,V_min,V_max --time 100ms --discard 30ms",
	},
	"hhtm": {
		"run hhtm I=uniform:1:20 -n 200 --time 60ms --spikes spikes.csv",
		"run hhtm I=4 g_L=uniform:0.03:0.3 V_T=uniform:-65:-58 -n 150 --time 40ms --discard 10ms --waveform " +
			"steps:0ms=2.5,20ms=9 gain=normal:1:0.3 --spikes spikes.csv --trace trace.csv --of 0:9 --every 0.7ms",
		"fi hhtm I=0:20:1 --time 200ms --discard 50ms",
		"map hhtm I=2:12:2 V_T=-66:-58:2 -m rate,latency,isi_cv,V_min,V_max --time 100ms --discard 30ms",
	},
	"rhh": {
		"run rhh I=uniform:-5:30 V0=uniform:-70:20 -n 200 --time 60ms --spikes spikes.csv",
		"run rhh I=5 g_L=uniform:0.03:0.3 n_plus_h=uniform:0.8:0.9 -n 150 --time 40ms --discard 10ms --waveform " +
			"ramp:0ms:40ms:0:20 gain=normal:1:0.3 --spikes spikes.csv --trace trace.csv --of 0:9 --every 0.7ms",
		"fi rhh I=-2:14:1 g_L=0.03 --time 200ms --discard 50ms",
		"map rhh I=5:20:5 g_Na=100:140:10 -m rate,latency,isi_cv,V_min,V_max --time 100ms --discard 30ms",
	},
}

// TestSameBytes runs sameCommands on every instruction set there is with 1, 2, 3 and 7 workers; in short tests with one
// number of workers for each instruction set. Plain Go with one worker is the reference.
func TestSameBytes(t *testing.T) {
	for _, m := range model.All {
		for _, method := range m.Methods {
			t.Run(m.Name+"/"+method.Name, func(t *testing.T) {
				t.Chdir(t.TempDir())
				for _, command := range sameCommands[m.Name] {
					want := printed(t, command, method.Name, kernels.Go, 1)
					if strings.Count(want, "\n") < 10 || strings.HasPrefix(command, "run") && strings.Count(want, "\n") < 300 {
						t.Fatalf("%s: few lines; this tests nothing\n%s", command, want)
					}
					for i, isa := range kernels.Available() {
						for j, workers := range []int{3, 7, 1, 2} {
							if i != j && (testing.Short() || !long) {
								continue
							}
							if got := printed(t, command, method.Name, isa, workers); got != want {
								t.Errorf("%s --method %s: --isa %s --workers %d gives other bytes than --isa go --workers 1:\n%s",
									command, method.Name, isa, workers, firstDifference(got, want))
							}
						}
					}
				}
			})
		}
	}
}

// long selects the long form of the tests that have a short one.
var long = os.Getenv("POPSIM_LONG") != ""

// printed is everything a command prints and writes.
func printed(t *testing.T, command, method string, isa kernels.ISA, workers int) string {
	t.Helper()
	args := printedArgs(command, method, isa.String(), workers)
	var out, warnings bytes.Buffer
	if code := run(args, &out, &warnings); code != exitDone {
		t.Fatalf("popsim %s: exit %d\n%s", strings.Join(args, " "), code, warnings.String())
	}
	return out.String() + files(t, command)
}

// printedArgs is a command that writes nothing but its results.
func printedArgs(command, method, isa string, workers int) []string {
	args := append(strings.Fields(command), "--method", method, "--isa", isa, "--workers", fmt.Sprint(workers),
		"--quiet", "--force")
	if args[0] == "run" {
		args = append(args, "--seed", "7")
	}
	return args
}

// files are what a command has written besides.
func files(t *testing.T, command string) string {
	t.Helper()
	var all strings.Builder
	for _, name := range []string{"spikes.csv", "trace.csv"} {
		if strings.Contains(command, name) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(text)
		}
	}
	return all.String()
}

// firstDifference is the first line in which two texts differ.
func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return fmt.Sprintf("line %d: %s, want %s", i+1, g[i], w[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(g), len(w))
}

// TestSetOfTheEnvironment: POPSIM_ISA chooses as --isa does, which goes before it; the phase plane needs no kernel and
// stays as it is.
func TestSetOfTheEnvironment(t *testing.T) {
	t.Chdir(t.TempDir())
	kernel := func(args ...string) string {
		t.Helper()
		_, summary := popsim(t, exitDone, append(strings.Fields("run eif I=12 -n 64 --time 5ms"), args...)...)
		return summary
	}
	phase := strings.Fields("phase eif I=1")
	plane, _ := popsim(t, exitDone, phase...)
	for _, isa := range kernels.Available() {
		t.Setenv("POPSIM_ISA", isa.String())
		if got := kernel(); !strings.Contains(got, isa.String()) {
			t.Errorf("POPSIM_ISA=%s ran something else: %s", isa, got)
		}
		if got := kernel("--isa", "go"); !strings.Contains(got, " go") {
			t.Errorf("POPSIM_ISA=%s went before --isa go: %s", isa, got)
		}
		if got, _ := popsim(t, exitDone, phase...); got != plane {
			t.Errorf("POPSIM_ISA=%s: another phase plane", isa)
		}
	}
	t.Setenv("POPSIM_ISA", "sse9")
	if _, printed := popsim(t, exitMisused, strings.Fields("run eif I=12 -n 64 --time 5ms")...); !strings.Contains(printed,
		`error: POPSIM_ISA: instruction set "sse9" is not available here`) {
		t.Errorf("POPSIM_ISA=sse9: %s", printed)
	}
	if _, printed := popsim(t, exitMisused,
		strings.Fields("run eif I=12 -n 64 --time 5ms --isa sse8")...); strings.Contains(printed, "POPSIM_ISA") {
		t.Errorf("the error of --isa sse8 names POPSIM_ISA: %s", printed)
	}
}
