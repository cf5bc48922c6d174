package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestTops: --tops adds a row with V_th at every spike of the traced neurons, in the order of time, and nothing else.
func TestTops(t *testing.T) {
	dir := t.TempDir()
	read := func(name string, more ...string) []string {
		path := filepath.Join(dir, name)
		popsim(t, exitDone,
			append(strings.Fields("run lif:slide -n 3 I=uniform:21:30 --time 2s --of 0,2 --every 1ms --quiet --trace "+
				""+path), more...)...)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(strings.TrimSpace(string(text)), "\n")
	}
	spikesPath := filepath.Join(dir, "spikes.csv")
	plain, tops := read("a.csv"), read("b.csv", "--tops", "--spikes", spikesPath)
	spikes, err := os.ReadFile(spikesPath)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for line := range strings.Lines(string(spikes)) {
		neuron, time, _ := strings.Cut(strings.TrimSpace(line), ",")
		if neuron == "0" || neuron == "2" {
			want[time+","+neuron+",20"] = true
		}
	}
	var rest []string
	last := 0.0
	for i, line := range tops {
		if i > 0 {
			at, _, _ := strings.Cut(line, ",")
			now, err := strconv.ParseFloat(at, 64)
			if err != nil || now < last {
				t.Fatalf("row %q follows %v ms", line, last)
			}
			last = now
		}
		if want[line] {
			delete(want, line)
			continue
		}
		rest = append(rest, line)
	}
	if len(want) > 0 {
		t.Errorf("spikes without a row: %v", want)
	}
	if strings.Join(rest, "\n") != strings.Join(plain, "\n") {
		t.Error("the other rows differ from those without --tops")
	}
}
