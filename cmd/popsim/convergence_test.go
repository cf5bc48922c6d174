package main

import (
	"encoding/csv"
	"os"
	"strconv"
	"strings"
	"testing"
)

// The table of a short convergence has errors that fall with the step, and a recommended step that is the largest
// within the tolerance.
func TestConvergence(t *testing.T) {
	t.Chdir(t.TempDir())
	popsim(t, exitDone, strings.Fields("convergence eif V_T=-58 I=15,30 --method flow --tolerance 1us --isa go -o "+
		"work.csv --plot work.svg")...)
	f, err := os.Open("work.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	head := "method dt_ms spike_error_ms rate_error_Hz cost_ns_per_ms accurate recommended"
	if got := strings.Join(rows[0], " "); got != head {
		t.Fatalf("columns %q, want %q", got, head)
	}
	const tolerance = 1e-3 // ms
	within, best := true, 0.0
	var errors []float64
	for i := len(rows) - 1; i > 0; i-- {
		number := func(column int) float64 {
			x, err := strconv.ParseFloat(rows[i][column], 64)
			if err != nil {
				t.Fatal(err)
			}
			return x
		}
		dt, miss := number(1), number(2)
		if within = within && miss <= tolerance && rows[i][5] == "true"; within {
			best = dt
		}
		errors = append(errors, miss)
		if !(number(4) > 0) || !(number(3) >= 0) {
			t.Errorf("dt %v: cost %s, error of the rate %s", dt, rows[i][4], rows[i][3])
		}
	}
	if n := len(errors); n < 6 || !(errors[n-1] > 30*errors[n-4]) {
		t.Errorf("errors %v from small steps to large do not rise by order 2", errors)
	}
	for _, row := range rows[1:] {
		if dt, _ := strconv.ParseFloat(row[1], 64); (row[6] == "true") != (dt == best) {
			t.Errorf("dt %v: recommended is %s, but %v is the largest step within the tolerance", dt, row[6], best)
		}
	}
	record := readRecord(t, "work.csv")
	if advice, _ := record.Extra["recommended"].(map[string]any); advice["dt_ms"] != best {
		t.Errorf("the record recommends %v, want dt %v ms", record.Extra["recommended"], best)
	}
}
