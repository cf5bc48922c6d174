package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"popsim/cmd/popsim/internal/cli"
	"popsim/cmd/popsim/internal/completion"
	"popsim/cmd/popsim/internal/memory"
	"popsim/cmd/popsim/internal/output"
	"popsim/cmd/popsim/internal/record"
	"popsim/cmd/popsim/internal/topics"
	"popsim/experiment"
	"popsim/fault"
	"popsim/figure"
	"popsim/sweep"
	"popsim/table/file"
)

// mergeVerb returns the verb merge.
func (v *call) mergeVerb() *cobra.Command {
	var f flags
	measure := experiment.Word{Form: "COLUMN", Value: "rate_Hz"}
	cmd := &cobra.Command{
		Use:         "merge FILE",
		Short:       "Join the parts of a sweep into FILE",
		Long:        topics.Text("merge"),
		Annotations: ofFile,
		Example: "  popsim map adex I=0:60/1000 b=0:60/1000 --part 1/2 -o map.npz\n  popsim map adex I=0:60/1000 " +
			"b=0:60/1000 --part 2/2 -o map.npz\n  popsim merge map.npz --plot map.png",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return misused(fault.Hint(fmt.Errorf("merge takes one file, but got %d", len(args)),
					"it is the name that was given with -o"))
			}
			if measure.Given && f.plot.Value == "" {
				return misused(fault.Hint(errors.New("--measure is about a picture, but there is none"), "--plot FILE draws one"))
			}
			return v.merge(args[0], f, measure.Value)
		},
	}
	set := cmd.Flags()
	f.picture(set)
	add(set, experiment.Flag{
		Name: "measure", Letter: "m", Value: &measure, Offers: completion.Measures,
		Help: "column to draw",
	})
	add(set, experiment.Flag{Name: "force", Once: true, Value: (*experiment.Switch)(&f.force), Help: "overwrite files " +
		"that exist"})
	add(set, experiment.Flag{Name: "quiet", Value: (*experiment.Switch)(&v.quiet), Help: "no summary, only warnings " +
		"and errors"})
	return cmd
}

func (v *call) merge(path string, f flags, measure string) error {
	if err := output.Distinct([]output.Named{{Flag: "FILE", Path: path}}, output.Named{
		Flag: "--plot",
		Path: f.plot.Value,
	}); err != nil {
		return misused(err)
	}
	if err := f.checkPicture(f.force); err != nil {
		return err
	}
	out, err := v.create(path, f.force)
	if err != nil {
		return err
	}
	defer out.Abort()
	if sweep.HoldsJobs(path) {
		return v.mergeJobs(path, f, out)
	}
	parts, err := sweep.OpenParts(path)
	if err != nil {
		return err
	}
	defer parts.Close()
	v.phase("check")
	merged := record.Merged(parts)
	picture, err := v.wholeOf(parts, merged, f, measure)
	if err != nil {
		return err
	}
	counts := sweep.StatusCounts{}
	even := strings.EqualFold(filepath.Ext(path), ".npy") // whose columns of words have one width for all rows
	err = parts.Blocks(even, func(b *sweep.Result) error {
		counts.Add(b)
		return out.Append(b.Asked())
	})
	if err != nil {
		return err
	}
	if err := out.Commit(); err != nil {
		return err
	}
	v.phase("write")
	if picture != nil {
		if err := v.draw(&f, picture, f.force); err != nil {
			return err
		}
		v.phase("plot")
	}
	v.say("%s of %s in %s", cli.Count(parts.Rows(), "point"), cli.Count(parts.Count(), "part"), path)
	v.tellStatus(counts)
	return errors.Join(v.aside(path, out, merged), failed(counts["nan"], parts.Rows()))
}

// wholeOf does what needs all points in memory: it draws the picture, if one is asked for, and finds the transitions of
// a curve for the record.
func (v *call) wholeOf(parts *sweep.Parts, merged file.Record, f flags, measure string) (*figure.Figure, error) {
	curve := merged.Extra["verb"] == "fi" && len(parts.Spec.Grid.Axes) == 1 && parts.Spec.From == sweep.FromRest
	if f.plot.Value == "" && !curve {
		return nil, nil
	}
	forecast, err := parts.Spec.Forecast(1)
	if err != nil {
		return nil, err
	}
	if err := memory.Fits(fmt.Sprintf("a picture of %d points", parts.Rows()), forecast.Bytes); err != nil &&
		f.plot.Value != "" {
		return nil, misused(err)
	} else if err != nil {
		return nil, nil
	}
	r, err := parts.Result()
	if err != nil {
		return nil, err
	}
	if curve {
		if found := r.Transitions(); found != nil {
			merged.Extra["borders"] = record.Lines(found)
		}
	}
	if f.plot.Value == "" {
		return nil, nil
	}
	verb, _ := merged.Extra["verb"].(string)
	picture, err := figure.SweepPicture{Title: r.Spec.Model.Name, Measure: measure, Curves: verb == "fi"}.Figure(r)
	return picture, misused(err)
}

// mergeJobs is merge for a sweep of a network.
func (v *call) mergeJobs(path string, f flags, out *file.Output) error {
	parts, err := sweep.OpenJobsParts(path)
	if err != nil {
		return err
	}
	v.phase("check")
	if err := errors.Join(out.WriteTable(parts.Result.Table()), out.Commit()); err != nil {
		return err
	}
	v.phase("write")
	merged := record.MergedJobs(parts)
	if f.plot.Value != "" {
		picture, err := figure.Jobs(parts.Result, merged.Model)
		if err != nil {
			return misused(err)
		}
		if err := v.draw(&f, picture, f.force); err != nil {
			return err
		}
		v.phase("plot")
	}
	v.say("%s of %s in %s", cli.Count(parts.Result.Finished(), "run"), cli.Count(parts.Count, "part"), path)
	return errors.Join(v.aside(path, out, merged), jobFailures(parts.Result))
}
