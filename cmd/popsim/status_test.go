package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"popsim/table/file"
)

// A sweep in parts from its status to its record.
func TestPartsToRecord(t *testing.T) {
	t.Chdir(t.TempDir())
	say := func(code int, line string) (stdout, stderr string) {
		t.Helper()
		return popsim(t, code, strings.Fields(line)...)
	}
	sweep := "fi adex:nd-tonic I=0:60:5 --time 300ms -o fi.csv "
	say(exitFailed, "status fi.csv")
	for _, part := range []string{"1/4", "2/4", "4/4"} {
		say(exitDone, sweep+"--quiet --part "+part)
	}
	table, messages := say(exitDone, "status fi.csv")
	for _, want := range []string{"1,done,1,", "3,missing,0,,,,\n"} {
		if !strings.Contains(table, want) {
			t.Errorf("%q is not in\n%s", want, table)
		}
	}
	for _, want := range []string{"76.9 % of 13 points", "3 of 4 parts done, 1 missing", "--part I/4 for I = 3\n"} {
		if !strings.Contains(messages, want) {
			t.Errorf("%q is not in\n%s", want, messages)
		}
	}
	say(exitFailed, "merge fi.csv")
	say(exitDone, sweep+"--quiet --part 3/4")
	say(exitMisused, "merge fi.csv --plot fi.svg -m pattern")
	say(exitMisused, "merge fi.csv -m rate")
	for _, path := range []string{"fi.csv", "fi.svg"} {
		if _, err := os.Stat(path); err == nil {
			t.Errorf("a merge that was refused has left %s", path)
		}
	}
	if _, messages := say(exitDone, "status fi.csv --watch"); !strings.Contains(messages,
		"100.0 % of 13 points: 4 of 4 parts done\n") {
		t.Errorf("watched: %s", messages)
	}
	say(exitDone, "merge fi.csv --plot fi.svg -m latency")
	say(exitDone, strings.Replace(sweep, "fi.csv", "whole.csv", 1)+"--quiet")
	merged, whole := readRecord(t, "fi.csv"), readRecord(t, "whole.csv")
	if len(merged.Parameters) == 0 || merged.Preset != "nd-tonic" || merged.ISA == "" || merged.Workers == 0 {
		t.Errorf("the record of the merged file lacks entries: %+v", merged)
	}
	for key := range whole.Extra {
		if _, ok := merged.Extra[key]; !ok && !strings.HasPrefix(key, "worker_") && key != "epochs" && key != "imbalance" {
			t.Errorf("the record of the merged file has no %s", key)
		}
	}
	for _, key := range []string{"experiment", "points", "borders", "spike_rule", "from"} {
		a, _ := json.Marshal(merged.Extra[key])
		b, _ := json.Marshal(whole.Extra[key])
		if !bytes.Equal(a, b) {
			t.Errorf("%s is %s in the merged record, %s in that of an unsplit run", key, a, b)
		}
	}
	a, _ := json.Marshal(merged.Parameters)
	b, _ := json.Marshal(whole.Parameters)
	if !bytes.Equal(a, b) {
		t.Errorf("parameters: %s, want %s", a, b)
	}
	if err := os.WriteFile("fi.csv.part-2-of-4", []byte("torn"), 0o644); err != nil {
		t.Fatal(err)
	}
	if table, messages := say(exitFailed, "status fi.csv"); !strings.Contains(table, "2,refused,0,") ||
		!strings.Contains(messages, "fi.csv.part-2-of-4 ") {
		t.Errorf("a torn part: %s\n%s", table, messages)
	}
}

// Of more parts than points some are empty: they are refused, not waited for.
func TestMorePartsThanPoints(t *testing.T) {
	t.Chdir(t.TempDir())
	for part, code := range []int{exitMisused, exitDone, exitDone} {
		popsim(t, code, "fi", "lif", "I=20,25", "--quiet", "-o", "fi.csv", "--part", fmt.Sprintf("%d/3", part+1))
	}
	table, messages := popsim(t, exitDone, "status", "fi.csv")
	if !strings.Contains(table, "1,empty,0,") || !strings.Contains(messages,
		"100.0 % of 2 points: 2 of 3 parts done, 1 empty\npopsim: popsim merge fi.csv") {
		t.Errorf("%s%s", table, messages)
	}
	popsim(t, exitDone, "status", "fi.csv", "--watch")
	popsim(t, exitDone, "merge", "fi.csv", "--quiet")
}

func readRecord(t *testing.T, path string) *file.Record {
	t.Helper()
	r, err := file.ReadRecord(path)
	if err != nil {
		t.Fatal(err)
	}
	return &r
}
