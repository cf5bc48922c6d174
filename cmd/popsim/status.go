package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"popsim/cmd/popsim/internal/cli"
	"popsim/experiment"
	"popsim/fault"
	"popsim/sweep"
	"popsim/table"
	"popsim/table/file"
)

const statusHelp = `status says how far a sweep in parts is, from the files beside FILE alone, never from what a batch system says.

The table has a row per part: done when its file is there and whole; running when it was heard of in the last minute; lost
when it says that it runs but has fallen silent: it was killed, or its machine is gone; interrupted when it has left
pieces, from which --resume goes on; refused when its file is torn or belongs to another experiment; missing when
there is nothing; empty when there are more parts than points or curves, and none is left for this one. share is how much
of its points is done, heard_s how many seconds ago a file of it was written; host, process and job are those of a running
part.

--watch looks again every so often and shows one line, until all parts are done.`

// statusVerb is status.
func (v *call) statusVerb() *cobra.Command {
	watch := experiment.Quantity{Unit: "s"}
	cmd := &cobra.Command{
		Use:         "status FILE",
		Annotations: ofFile,
		Short:       "Which parts of a sweep are there, running, missing or refused",
		Long:        statusHelp,
		Example:     "  popsim status map.npz\n  popsim status map.npz --watch=10s",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return misused(fault.Hint(fmt.Errorf("status takes one file, but got %d", len(args)), "it is the name that was given with -o"))
			}
			if watch.Err != nil || watch.Given && watch.Value <= 0 {
				return misused(fmt.Errorf("--watch is a time greater than 0, as in --watch=10s"))
			}
			if watch.Given {
				return v.watch(cmd.Context(), args[0], time.Duration(watch.Value*float64(time.Second)))
			}
			return v.status(args[0])
		},
	}
	set := cmd.Flags()
	add(set, experiment.Flag{Name: "watch", Value: &watch, Help: "look again every so often, 10 s if not said, until all parts are done"})
	set.Lookup("watch").NoOptDefVal = "10s"
	add(set, experiment.Flag{Name: "quiet", Value: (*experiment.Switch)(&v.quiet), Help: "no summary"})
	return cmd
}

// status tells it once.
func (v *call) status(path string) error {
	s, err := sweep.ReadStatus(path)
	if err != nil {
		return err
	}
	now := time.Now()
	n := len(s.Parts)
	part, share, heard, process := make([]int64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	state, host, job := make([]string, n), make([]string, n), make([]string, n)
	var bad fault.List
	for i, p := range s.Parts {
		part[i], state[i], share[i], heard[i], process[i] = int64(p.Number), p.State.String(), p.Share, math.NaN(), math.NaN()
		if !p.Heard.IsZero() {
			heard[i] = math.Round(now.Sub(p.Heard).Seconds())
		}
		if p.Beat.Process != 0 {
			host[i], job[i], process[i] = p.Beat.Host, p.Beat.Job, float64(p.Beat.Process)
		}
		bad.Add(p.Faults)
	}
	out := file.NewCSV(v.stdout)
	err = out.WriteTable(table.NewTable(table.Col("part", part), table.Col("state", state), table.Col("share", share),
		table.Col("heard_s", heard), table.Col("host", host), table.Col("process", process), table.Col("job", job)))
	if err := errors.Join(err, out.Commit()); err != nil {
		return err
	}
	v.say("%s", progressOf(s))
	if open := openParts(s); open != "" {
		v.say("to be run: --part I/%d for I = %s", n, open)
	} else if s.Whole() {
		v.say("popsim merge %s joins them", path)
	}
	return errors.Join(bad...)
}

// progressOf is a status in one line.
func progressOf(s *sweep.Status) string {
	text := fmt.Sprintf("%.1f %%", math.Floor(1000*s.Share())/10)
	if s.Points > 0 {
		text += fmt.Sprintf(" of %s", cli.Count(s.Points, "point"))
	}
	text += fmt.Sprintf(": %d of %s done", s.Count(sweep.Done), cli.Count(len(s.Parts), "part"))
	for _, state := range []sweep.PartState{sweep.Running, sweep.Interrupted, sweep.Lost, sweep.Missing, sweep.Refused, sweep.Empty} {
		if n := s.Count(state); n > 0 {
			text += fmt.Sprintf(", %d %v", n, state)
		}
	}
	return text
}

// openParts lists the parts that nobody works on, as 3,7-9.
func openParts(s *sweep.Status) string {
	var runs []string
	for i := 0; i < len(s.Parts); i++ {
		first := i
		for i < len(s.Parts) && !slices.Contains([]sweep.PartState{sweep.Done, sweep.Running, sweep.Empty}, s.Parts[i].State) {
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

// watch shows a line until all is done, a part is refused, or the user has seen enough.
func (v *call) watch(ctx context.Context, path string, every time.Duration) error {
	terminal := cli.IsTerminal(v.stderr)
	var w sweep.Watch
	var began time.Time
	from := 0.0
	for {
		s, err := w.Status(path)
		if err != nil {
			return err
		}
		line, now := progressOf(s), time.Now()
		if share := s.Share(); began.IsZero() {
			began, from = now, share
		} else if share > from && share < 1 {
			line += fmt.Sprintf(", about %s left", cli.Duration((1-share)/(share-from)*now.Sub(began).Seconds()))
		}
		if terminal {
			fmt.Fprintf(v.stderr, "\r%s\x1b[K", line)
		} else {
			fmt.Fprintf(v.stderr, "popsim: %s %s\n", now.Format(time.TimeOnly), line)
		}
		var bad fault.List
		for _, p := range s.Parts {
			bad.Add(p.Faults)
		}
		if len(bad) > 0 || s.Whole() {
			if terminal {
				fmt.Fprintln(v.stderr)
			}
			return errors.Join(bad...)
		}
		select {
		case <-time.After(every):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
