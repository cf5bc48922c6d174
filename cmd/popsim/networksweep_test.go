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
