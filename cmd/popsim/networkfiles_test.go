package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNetworkSaved: a network saved by --save gives the same bytes, also after its own file is deleted, and is refused
// if one of its @files has changed.
func TestNetworkSaved(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	net := strings.Replace(smallNetwork, `V0 = "15mV"`, `V0 = "@start.csv"`, 1)
	for name, text := range map[string]string{"net.toml": net, "start.csv": "1\n2\n3\n"} {
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	_, messages, exit := networkCalled(t, "run", "net.toml", "w=1nA", "E.tau=12ms", "--seed", "3", "--spikes", "a.csv",
		"--save", "saved.toml", "--quiet")
	if exit != 0 {
		t.Fatal(messages)
	}
	if err := os.Remove("net.toml"); err != nil {
		t.Fatal(err)
	}
	if _, messages, exit = networkCalled(t, "saved.toml", "--spikes", "b.csv"); exit != 0 {
		t.Fatal(messages)
	}
	a, _ := os.ReadFile("a.csv")
	b, _ := os.ReadFile("b.csv")
	if string(a) != string(b) || len(a) < 50 {
		t.Errorf("%d and %d bytes, which differ", len(a), len(b))
	}
	if err := os.WriteFile("start.csv", []byte("1\n2\n4\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	_, messages, exit = networkCalled(t, "saved.toml", "--spikes", "c.csv")
	if exit != 2 || !strings.Contains(messages, "start.csv has changed since the experiment was saved") {
		t.Errorf("exit %d: %s", exit, messages)
	}
}

// smallNetwork is a network of three neurons.
const smallNetwork = `
[parameters]
w = "2nA"
[population.E]
model = "lif"
n = 3
V0 = "15mV"
I = "25pA"
[synapse.exc]
kind = "exp-current"
tau = "2ms"
[projection.EE]
from = "E"
to = "E"
synapse = "exc"
rule = "all-to-all"
weight = "w"
delay = "1ms"
[input.noise]
to = "E"
poisson = "500Hz"
synapse = "exc"
weight = "20pA"
`

// TestNetworkPicture: the picture names the populations, and is the same for any workers.
func TestNetworkPicture(t *testing.T) {
	dir := t.TempDir()
	var pictures []string
	for _, workers := range []string{"1", "2"} {
		path := filepath.Join(dir, "net"+workers+".svg")
		_, messages, exit := networkCalled(t, "run", "cuba", "N_E=400", "C_E=8", "C_I=2", "--time", "100ms", "--plot", path,
			"--of", "I:3", "--workers", workers, "-o", os.DevNull)
		if exit != 0 {
			t.Fatal(messages)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		command := strings.NewReplacer(path, "PATH", "--workers "+workers, "--workers N") // the picture holds it
		pictures = append(pictures, command.Replace(string(data)))
	}
	if pictures[0] != pictures[1] || len(pictures[0]) < 10_000 {
		t.Errorf("pictures of %d and %d bytes", len(pictures[0]), len(pictures[1]))
	}
}
