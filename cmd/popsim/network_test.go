package main

import (
	"bytes"
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"popsim/table/file"
)

// networkCalled runs popsim with arguments and returns its output and its error.
func networkCalled(t *testing.T, args ...string) (stdout, stderr string, exit int) {
	t.Helper()
	var out, messages bytes.Buffer
	exit = run(args, &out, &messages)
	return out.String(), messages.String(), exit
}

// TestNetworkRates compares the networks by name with simulations by an independent program: means over seeds, and
// tolerances that one seed of the same length exceeds once in a thousand times. This run is shorter, so they are
// doubled.
func TestNetworkRates(t *testing.T) {
	for _, c := range []struct {
		args      []string
		rates     map[string]float64
		tolerance float64
	}{
		{[]string{"cuba", "--time", "1.5s", "--discard", "500ms"}, map[string]float64{"E": 5.111, "I": 5.144}, 2 * 0.178},
		{
			[]string{"brunel", "N_E=4000", "J=0.25mV", "--time", "400ms", "--discard", "200ms"},
			map[string]float64{"E": 42.19, "I": 42.49},
			2 * 3.37,
		},
	} {
		out, messages, exit := networkCalled(t, append(append([]string{"run"}, c.args...), "--populations", "-",
			"--quiet")...)
		if exit != 0 {
			t.Fatalf("%v: exit %d: %s", c.args, exit, messages)
		}
		rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows[1:] {
			rate, err := strconv.ParseFloat(row[2], 64)
			if want := c.rates[row[0]]; err != nil || math.Abs(rate-want) > c.tolerance {
				t.Errorf("%v: rate of %s %v Hz, want %v +- %v", c.args, row[0], rate, want, c.tolerance)
			}
		}
	}
}

// TestNetworkSameBytes: tables do not depend on the number of workers; edges that are written and read back give the
// same spikes.
func TestNetworkSameBytes(t *testing.T) {
	dir := t.TempDir()
	files := func(workers string) (all [4][]byte) {
		var args []string
		names := []string{"out.csv", "spikes.csv", "edges.csv", "rates.csv"}
		for j, flag := range []string{"-o", "--spikes", "--edges", "--rates"} {
			args = append(args, flag, filepath.Join(dir, names[j]))
		}
		_, messages, exit := networkCalled(t, append([]string{
			"run", "brunel", "N_E=400", "--time", "50ms", "--workers",
			workers, "--quiet", "--force",
		}, args...)...)
		if exit != 0 {
			t.Fatalf("exit %d: %s", exit, messages)
		}
		for j, name := range names {
			data, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			all[j] = data
		}
		return all
	}
	one, three := files("1"), files("3")
	for j := range one {
		if len(one[j]) < 100 || !bytes.Equal(one[j], three[j]) {
			t.Errorf("table %d: %d bytes with one worker, %d with three, which differ", j, len(one[j]), len(three[j]))
		}
	}
}

// TestNetworkRefusals: arguments that networks do not take are refused with one line, and so are flags of networks for
// single neurons.
func TestNetworkRefusals(t *testing.T) {
	for want, args := range map[string][]string{
		"--neurons: the sizes of a network are in its file":        {"run", "cuba", "-n", "3"},
		"--waveform: inputs of a network are in its file":          {"run", "cuba", "--waveform", "sine:1Hz:2"},
		"the network has no parameter C_e; did you mean C_E?":      {"run", "cuba", "C_e=3"},
		"no whole number of steps of 0.1 ms; --bin 0.1ms would do": {"run", "cuba", "--bin", "0.15ms"},
		"belong to networks": {"run", "lif", "--spikes-on-grid"},
		"--toml prints the file of a network or of a model that is one; lif is built in": {"models", "lif", "--toml"},
		`no preset "sr-fast"`: {"run", "brunel:sr-fast"},
		"population E (lif) has no V_treset; did you mean V_reset?": {"run", "cuba", "E.V_treset=3"},
		`E.V_th: "3ms": column 1: 3ms is in ms; it should be in mV`: {"run", "cuba", "E.V_th=3ms"},
	} {
		_, messages, exit := networkCalled(t, args...)
		if exit != 2 || !strings.Contains(messages, want) {
			t.Errorf("%v: exit %d: %s\nwant %s", args, exit, messages, want)
		}
	}
}

// TestNetworkTOML: a description that is printed and saved runs like the network by name.
func TestNetworkTOML(t *testing.T) {
	text, _, exit := networkCalled(t, "models", "brunel", "--toml")
	path := filepath.Join(t.TempDir(), "mine.toml")
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil || exit != 0 {
		t.Fatal(err, exit)
	}
	args := []string{"N_E=400", "--time", "20ms", "--quiet", "--spikes", "-"}
	a, _, _ := networkCalled(t, append([]string{"run", "brunel"}, args...)...)
	b, messages, exit := networkCalled(t, append([]string{"run", path}, args...)...)
	if exit != 0 || a != b || len(a) < 100 {
		t.Errorf("exit %d: %s; %d and %d bytes of spikes", exit, messages, len(a), len(b))
	}
}

// TestRecordOfMemory: the forecast in a record counts the ranges of the workers asked for, and what the process is said
// to hold includes the edges, which are not memory of the runtime of Go.
func TestRecordOfMemory(t *testing.T) {
	forecast := map[string]float64{}
	for _, workers := range []string{"1", "16"} {
		path := filepath.Join(t.TempDir(), "rates.csv")
		_, messages, exit := networkCalled(t, "run", "microcircuit", "scale=0.2", "--time", "1ms", "--workers", workers,
			"--quiet", "--populations", path)
		if exit != 0 {
			t.Fatal(messages)
		}
		r, err := file.ReadRecord(path)
		if err != nil {
			t.Fatal(err)
		}
		forecast[workers] = r.Extra["forecast_bytes"].(float64)
		edges := r.Extra["synapses"].(float64)
		if least := 6 * edges; runtime.GOOS == "linux" && float64(r.MemoryBytes) < least { // 4 for a weight, 2 for a target
			t.Errorf("%s workers: %d bytes held, %.0f edges alone take %.0f", workers, r.MemoryBytes, edges, least)
		}
	}
	// Each range has columns and spikes on their way of its own; there are as many as workers share the work.
	if forecast["16"] < 1.01*forecast["1"] {
		t.Errorf("forecasts %v", forecast)
	}
}
