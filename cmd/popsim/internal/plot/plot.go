// Package plot holds the verb plot, which draws existing tables.
package plot

import (
	"errors"
	"strings"

	"popsim/cmd/popsim/internal/flagset"
	"popsim/cmd/popsim/internal/topics"
	"popsim/cmd/popsim/internal/verb"
	"popsim/experiment"
	"popsim/fault"
	"popsim/figure"

	"github.com/spf13/cobra"
)

// Verb returns the verb plot of a call.
func Verb(v *verb.Call) *cobra.Command {
	var f verb.Flags
	x, y := experiment.Word{Form: "COLUMN"}, experiment.Word{Form: "COLUMN,..."}
	cmd := &cobra.Command{
		Use:   "plot FILE ...",
		Short: "One picture of several tables",
		Long:  topics.Text("plot"),
		Example: `  popsim fi lif I=19:30:0.5 -o lif.csv
  popsim fi eif I=19:30:0.5 -o eif.csv
  popsim plot lif.csv eif.csv --plot both.svg`,
		RunE: func(_ *cobra.Command, args []string) error { return draw(v, args, &f, x.Value, y.Value) },
	}
	set := cmd.Flags()
	f.Picture(set)
	flagset.Add(set, experiment.Flag{Name: "x", Letter: "x", Value: &x, Help: "column of the horizontal axis (default " +
		"time, I, or the last quantity of the grid)"})
	flagset.Add(set, experiment.Flag{Name: "y", Letter: "y", Value: &y, Help: "columns to draw (default what the table " +
		"is about: rate, V, spikes)"})
	flagset.Add(set, experiment.Flag{
		Name: "force", Once: true, Value: (*experiment.Switch)(&f.Force),
		Help: "overwrite a picture that exists",
	})
	return cmd
}

// draw draws the tables of paths as one picture.
func draw(v *verb.Call, paths []string, f *verb.Flags, x, y string) error {
	switch {
	case len(paths) == 0:
		return verb.Misused(fault.Hint(errors.New("plot needs a table"), "popsim fi lif I=19:30:0.5 -o lif.csv writes one"))
	case f.Plot.Value == "":
		return verb.Misused(fault.Hint(errors.New("plot needs the file of the picture"), "--plot FILE.svg names it"))
	}
	if err := f.CheckPicture(f.Force); err != nil {
		return err
	}
	tables, err := figure.ReadNamed(paths)
	if err != nil {
		return verb.Misused(err)
	}
	var ys []string
	if y != "" {
		ys = strings.Split(y, ",")
	}
	title := ""
	if len(tables) == 1 {
		title = tables[0].Name
	}
	picture, err := figure.Tables(title, tables, x, ys)
	if err != nil {
		return verb.Misused(err)
	}
	return v.Draw(f, picture, f.Force)
}
