package bench

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
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

// Header prints what the rows have in common, in the words of Go benchmarks.
func Header(w io.Writer) error {
	var sets []string
	for _, isa := range kernels.Available() {
		sets = append(sets, isa.String())
	}
	lines := []string{
		"goos: " + runtime.GOOS,
		"goarch: " + runtime.GOARCH,
		"pkg: popsim/bench",
		"cpu: " + kernels.Processor(),
		"isa: " + strings.Join(sets, " "),
		fmt.Sprintf("workers: %d", sched.Allowed()),
	}
	if commit := revision(); commit != "" {
		lines = append(lines, "commit: "+commit)
	}
	lines = append(lines, "Unit neuron-steps/s better=higher", "Unit efficiency better=higher", "Unit of-cache better=higher")
	_, err := fmt.Fprintln(w, strings.Join(lines, "\n"))
	return err
}

// revision is the commit this program was built from, with a + if the tree was not clean; empty if not known.
func revision() string {
	info, _ := debug.ReadBuildInfo()
	commit, dirty := "", ""
	if info != nil {
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				commit = s.Value
			case s.Key == "vcs.modified" && s.Value == "true":
				dirty = "+"
			}
		}
	}
	if commit == "" {
		return ""
	}
	return commit + dirty
}

// noisy is the spread of the typical row above which a machine is called noisy.
const noisy = 1.15

// noise says on w that times were disturbed, if they were, and what may help.
func noise(w io.Writer, spreads []float64) {
	if len(spreads) == 0 {
		return
	}
	slices.Sort(spreads)
	if typical := spreads[len(spreads)/2]; typical > noisy {
		fmt.Fprintf(w, "bench: noisy machine: in the typical row the median call took %.2f times the fastest; "+
			"keep the process on one core (taskset -c 1) and stop other work\n", typical)
	}
}

// budget is the time for one row.
func (q Selection) budget() time.Duration {
	if q.Quick {
		return 200 * time.Millisecond
	}
	return 300 * time.Millisecond
}
