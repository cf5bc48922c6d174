package bench

import (
	"cmp"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"time"

	"popsim/kernels"
	"popsim/sched"
)

// metric is one number of a row.
type metric struct {
	value float64
	unit  string
}

func kernelMetrics(s Scenario, r Result) []metric {
	return []metric{
		{r.Step, "ns/neuron-step"},
		{r.PerSecond(), "neuron-steps/s"},
		{r.Step / s.Dt, "ns/model-ms"},
		{r.Rate, "Hz"},
	}
}

// row prints a result in the format of Go benchmarks.
func row(w io.Writer, name string, calls int, metrics []metric) error {
	var line strings.Builder
	fmt.Fprintf(&line, "%-82s %8d", name, calls)
	for _, m := range metrics {
		fmt.Fprintf(&line, "  %10.4g %s", m.value, m.unit)
	}
	_, err := fmt.Fprintln(w, line.String())
	return err
}

// Header prints what all rows have in common, and how benchstat is to read their units.
func Header(w io.Writer, commit string) error {
	var sets []string
	for _, isa := range kernels.Available() {
		sets = append(sets, isa.String())
	}
	lines := []string{
		"goos: " + runtime.GOOS,
		"goarch: " + runtime.GOARCH,
		"pkg: popsim/bench",
		"cpu: " + cmp.Or(kernels.Processor(), "unknown"),
		"isa: " + strings.Join(sets, " "),
		fmt.Sprintf("workers: %d", sched.Allowed()),
		"commit: " + commit,
		"Unit neuron-steps/s better=higher",
		"Unit neuron-steps/s/worker better=higher",
		"Unit efficiency better=higher",
		"Unit of-cache better=higher",
	}
	_, err := fmt.Fprintln(w, strings.Join(lines, "\n"))
	return err
}

// noisy is the spread of the typical row above which a machine is called noisy.
const noisy = 1.15

// noise warns if times were disturbed, with advice.
func noise(infof Infof, spreads []float64) {
	if len(spreads) == 0 {
		return
	}
	slices.Sort(spreads)
	if typical := spreads[len(spreads)/2]; typical > noisy {
		infof("this machine is busy: in the typical row the median call took %.2f times the fastest; "+
			"keep the process on one core (taskset -c 1) and stop other work", typical)
	}
}

// budget is the time for one row.
func (q Selection) budget() time.Duration {
	if q.Quick {
		return 200 * time.Millisecond
	}
	return 300 * time.Millisecond
}
