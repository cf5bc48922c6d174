package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"popsim/cmd/popsim/internal/cli"
	"popsim/cmd/popsim/internal/flagset"
	"popsim/cmd/popsim/internal/topics"
	"popsim/cmd/popsim/internal/verb"
	"popsim/experiment"
	"popsim/fault"
	"popsim/sweep"
	"popsim/table/file"
)

// statusVerb returns the verb status.
func (v *call) statusVerb() *cobra.Command {
	watch := experiment.Quantity{Unit: "s"}
	cmd := &cobra.Command{
		Use:         "status FILE",
		Annotations: verb.OfFile,
		Short:       "Which parts of a sweep are there, running, missing or refused",
		Long:        topics.Text("status"),
		Example:     "  popsim status map.npz\n  popsim status map.npz --watch=10s",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return verb.Misused(fault.Hint(fmt.Errorf("status takes one file, but got %d", len(args)),
					"it is the name that was given with -o"))
			}
			if watch.Err != nil || watch.Given && watch.Value <= 0 {
				return verb.Misused(fmt.Errorf("--watch is a time greater than 0, as in --watch=10s"))
			}
			if watch.Given {
				return v.watch(cmd.Context(), args[0], time.Duration(watch.Value*float64(time.Second)))
			}
			return v.status(args[0])
		},
	}
	set := cmd.Flags()
	flagset.Add(set, experiment.Flag{Name: "watch", Value: &watch, Help: "repeat at this interval (default 10 s), " +
		"until all parts are done"})
	set.Lookup("watch").NoOptDefVal = "10s"
	flagset.Add(set, experiment.Flag{Name: "quiet", Value: (*experiment.Switch)(&v.Quiet), Help: "no summary"})
	return cmd
}

// status writes the table of the parts, and which parts are still to be run.
func (v *call) status(path string) error {
	s, err := sweep.ReadStatus(path)
	if err != nil {
		return err
	}
	out := file.NewCSV(v.Stdout)
	if err := errors.Join(out.WriteTable(s.Table(time.Now())), out.Commit()); err != nil {
		return err
	}
	v.Infof("%v", s)
	if open := s.Open(); open != "" {
		v.Infof("to be run: --part I/%d for I = %s", len(s.Parts), open)
	} else if s.Whole() {
		v.Infof("popsim merge %s joins them", path)
	}
	return s.Err()
}

// watch shows a line at intervals of every until all is done, a part is refused, or the user interrupts.
func (v *call) watch(ctx context.Context, path string, every time.Duration) error {
	terminal := cli.IsTerminal(v.Stderr)
	var w sweep.Watch
	var began time.Time
	from := 0.0
	for {
		s, err := w.Status(path)
		if err != nil {
			return err
		}
		line, now := s.String(), time.Now()
		if share := s.Share(); began.IsZero() {
			began, from = now, share
		} else if share > from && share < 1 {
			line += fmt.Sprintf(", about %s left", cli.Duration((1-share)/(share-from)*now.Sub(began).Seconds()))
		}
		if terminal {
			fmt.Fprintf(v.Stderr, "\r%s\x1b[K", line)
		} else {
			fmt.Fprintf(v.Stderr, "popsim: %s %s\n", now.Format(time.TimeOnly), line)
		}
		if err := s.Err(); err != nil || s.Whole() {
			if terminal {
				fmt.Fprintln(v.Stderr)
			}
			return err
		}
		select {
		case <-time.After(every):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
