package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestNetworkMap: the table of a sweep over a network is the same for any workers, in parts, and after a resume.
func TestNetworkMap(t *testing.T) {
	t.Chdir(t.TempDir())
	args := strings.Fields("map brunel N_E=200 J=1mV g=4:8/2 E.t_ref=1ms,2ms --trials 2 --time 60ms --discard 10ms -m " +
		"rate,cv2,fano --quiet")
	call := func(more ...string) {
		t.Helper()
		if _, messages, exit := networkCalled(t, append(args, more...)...); exit != 0 {
			t.Fatalf("%v: %s", more, messages)
		}
	}
	call("-o", "one.csv", "--workers", "1")
	call("-o", "three.csv", "--workers", "3")
	for i := range 3 {
		call("-o", "parts.csv", "--part", fmt.Sprintf("%d/3", i+1))
	}
	if _, messages, exit := networkCalled(t, "merge", "parts.csv", "--plot", "parts.svg"); exit != 0 {
		t.Fatal(messages)
	}
	one, err := os.ReadFile("one.csv")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"three.csv", "parts.csv"} {
		if other, err := os.ReadFile(name); err != nil || !bytes.Equal(one, other) {
			t.Errorf("%s differs: %v", name, err)
		}
	}
	head, _, _ := strings.Cut(string(one), "\n")
	if want := "g,E.t_ref,trial,rate_Hz,rate_E_Hz,rate_I_Hz,cv2_E,cv2_I,fano_E,fano_I,status"; head != want {
		t.Errorf("columns %s, want %s", head, want)
	}
	// A table that is finished is not made anew, and one of another experiment is not taken for it.
	_, messages, exit := networkCalled(t, append(args[:len(args)-1:len(args)-1], "-o", "one.csv", "--resume")...)
	if exit != 0 || !strings.Contains(messages, "one.csv is finished already") {
		t.Errorf("exit %d: %s", exit, messages)
	}
}

// TestNetworkTrials: trial 0 is what run gives.
func TestNetworkTrials(t *testing.T) {
	table, messages, exit := networkCalled(t,
		strings.Fields("map brunel N_E=200 J=1mV g=5,6 --trials 2 --time 60ms --quiet -m rate")...)
	if exit != 0 {
		t.Fatal(messages)
	}
	populations, messages, exit := networkCalled(t,
		strings.Fields("run brunel N_E=200 J=1mV g=6 --time 60ms --quiet --populations -")...)
	if exit != 0 {
		t.Fatal(messages)
	}
	rate := strings.Split(strings.Split(populations, "\n")[1], ",")[2]
	row := strings.Split(strings.Split(table, "\n")[3], ",")
	if row[0] != "6" || row[1] != "0" || row[3] != rate {
		t.Errorf("trial 0 %v, run %s", row, rate)
	}
	if other := strings.Split(strings.Split(table, "\n")[4], ","); other[3] == rate {
		t.Error("trial 1 is trial 0 again")
	}
}

// TestDefaultsOfMap: [map] of a description gives time, discard and spikes on the grid to sweeps of as many points as
// it names, with a message; flags take precedence.
func TestDefaultsOfMap(t *testing.T) {
	t.Chdir(t.TempDir())
	text, messages, exit := networkCalled(t, "models", "brunel", "--toml")
	if exit != 0 {
		t.Fatal(messages)
	}
	text = strings.NewReplacer("points         = 200", "points = 2", `"500ms"`, `"40ms"`,
		`"200ms"`, `"10ms"`).Replace(text)
	if err := os.WriteFile("net.toml", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	call := func(words string) string {
		t.Helper()
		table, messages, exit := networkCalled(t, strings.Fields("map ./net.toml N_E=200 J=1mV -m rate "+words)...)
		if said := strings.Contains(messages, "as [map] of the network has it"); exit != 0 ||
			said != strings.HasPrefix(words, "eta=2,3 --seed") {
			t.Errorf("%s: exit %d: %s", words, exit, messages)
		}
		return table
	}
	all := "--time 40ms --discard 10ms --spikes-on-grid "
	if got, want := call("eta=2,3 --seed 1"), call(all+"eta=2,3 --seed 1"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	inside := "--time 40ms --discard 10ms --spikes-on-grid=false --seed 1"
	if got, want := call("eta=2,3 --seed 1 --spikes-on-grid=false"), call("eta=2,3 "+inside); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	call("eta=2 --time 40ms --seed 1")
}
