package sweep

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"popsim/table"
)

// Table returns a row for each part: its state, how much of its points is done, how long ago a file of it was written,
// and the host, process and job of one that runs.
func (s *Status) Table(now time.Time) *table.Table {
	n := len(s.Parts)
	part, share, written, process := make([]int64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	state, host, job := make([]string, n), make([]string, n), make([]string, n)
	for i, p := range s.Parts {
		part[i], state[i], share[i] = int64(p.Number), p.State.String(), p.Share
		written[i], process[i] = math.NaN(), math.NaN()
		if !p.Written.IsZero() {
			written[i] = math.Round(now.Sub(p.Written).Seconds())
		}
		if p.Heartbeat.Process != 0 {
			host[i], job[i], process[i] = p.Heartbeat.Host, p.Heartbeat.Job, float64(p.Heartbeat.Process)
		}
	}
	return table.NewTable(table.Col("part", part), table.Col("state", state), table.Col("share", share),
		table.Col("written_s", written), table.Col("host", host), table.Col("process", process), table.Col("job", job))
}

// Err returns why parts are refused, nil if none is.
func (s *Status) Err() error {
	var faults []error
	for _, p := range s.Parts {
		faults = append(faults, p.Faults)
	}
	return errors.Join(faults...)
}

// String is the status in one line.
func (s *Status) String() string {
	text := fmt.Sprintf("%.1f %%", math.Floor(1000*s.Share())/10)
	if s.Points > 0 {
		text += " of " + plural(s.Points, "point")
	}
	text += fmt.Sprintf(": %d of %s done", s.Count(Done), plural(len(s.Parts), "part"))
	for _, state := range []PartState{Running, Interrupted, Lost, Missing, Refused, Empty} {
		if n := s.Count(state); n > 0 {
			text += fmt.Sprintf(", %d %v", n, state)
		}
	}
	return text
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Open lists the numbers of the parts that are neither done nor running, as 3,7-9.
func (s *Status) Open() string {
	var runs []string
	for i := 0; i < len(s.Parts); i++ {
		first := i
		for i < len(s.Parts) && !slices.Contains([]PartState{Done, Running, Empty}, s.Parts[i].State) {
			i++
		}
		switch {
		case i == first+1:
			runs = append(runs, fmt.Sprint(first+1))
		case i > first:
			runs = append(runs, fmt.Sprintf("%d-%d", first+1, i))
		}
	}
	return strings.Join(runs, ",")
}
