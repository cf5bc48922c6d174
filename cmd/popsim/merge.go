package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"popsim/cmd/popsim/internal/cli"
	"popsim/cmd/popsim/internal/completion"
	"popsim/cmd/popsim/internal/flagset"
	"popsim/cmd/popsim/internal/memory"
	"popsim/cmd/popsim/internal/output"
	"popsim/cmd/popsim/internal/record"
	"popsim/cmd/popsim/internal/topics"
	"popsim/cmd/popsim/internal/verb"
	"popsim/experiment"
	"popsim/fault"
	"popsim/figure"
	"popsim/sweep"
	"popsim/table/file"
)

// mergeVerb returns the verb merge.
func (v *call) mergeVerb() *cobra.Command {
	var f verb.Flags
	measure := experiment.Word{Form: "COLUMN", Value: "rate_Hz"}
	cmd := &cobra.Command{
		Use:         "merge FILE",
		Short:       "Join the parts of a sweep into FILE",
		Long:        topics.Text("merge"),
		Annotations: verb.OfFile,
		Example: "  popsim map adex I=0:60/1000 b=0:60/1000 --part 1/2 -o map.npz\n  popsim map adex I=0:60/1000 " +
			"b=0:60/1000 --part 2/2 -o map.npz\n  popsim merge map.npz --plot map.png",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return verb.Misused(fault.Hint(fmt.Errorf("merge takes one file, but got %d", len(args)),
					"it is the name that was given with -o"))
			}
			if measure.Given && f.Plot.Value == "" {
				return verb.Misused(fault.Hint(errors.New("--measure is for a picture, but there is none"),
					"--plot FILE draws one"))
			}
			return v.merge(args[0], f, measure.Value)
		},
	}
	set := cmd.Flags()
	f.Picture(set)
	flagset.Add(set, experiment.Flag{
		Name: "measure", Letter: "m", Value: &measure, Offers: completion.Measures,
		Help: "column to draw",
	})
	flagset.Add(set, experiment.Flag{Name: "force", Once: true, Value: (*experiment.Switch)(&f.Force), Help: "overwrite " +
		"files that exist"})
	flagset.Add(set, experiment.Flag{Name: "quiet", Value: (*experiment.Switch)(&v.Quiet), Help: "no summary, only " +
		"warnings and errors"})
	return cmd
}

func (v *call) merge(path string, f verb.Flags, measure string) error {
	if err := output.Distinct([]output.Named{{Flag: "FILE", Path: path}}, output.Named{
		Flag: "--plot",
		Path: f.Plot.Value,
	}); err != nil {
		return verb.Misused(err)
	}
	if err := f.CheckPicture(f.Force); err != nil {
		return err
	}
	out, err := v.Create(path, f.Force)
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
	v.Phase("check")
	merged := record.Merged(parts)
	picture, err := v.wholeOf(parts, merged, f, measure)
	if err != nil {
		return err
	}
	counts := sweep.StatusCounts{}
	even := strings.EqualFold(filepath.Ext(path), ".npy") // whose columns of words have one width for all rows
	err = parts.Blocks(even, func(b *sweep.Result) error {
		counts.Add(b)
		return out.Append(b.MainTable())
	})
	if err != nil {
		return err
	}
	if err := out.Commit(); err != nil {
		return err
	}
	v.Phase("write")
	if picture != nil {
		if err := v.Draw(&f, picture, f.Force); err != nil {
			return err
		}
		v.Phase("plot")
	}
	v.Infof("%s of %s in %s; its parts, %s.part-*, can go now", cli.Count(parts.Rows(), "point"),
		cli.Count(parts.Count(), "part"), path, path)
	v.reportStatus(counts)
	return errors.Join(v.Aside(path, out, merged), failed(counts["nan"], parts.Rows()))
}

// wholeOf does the work that needs all points in memory: it draws the picture, if one is requested, and finds the
// transitions of a curve for the record.
func (v *call) wholeOf(parts *sweep.Parts, merged file.Record, f verb.Flags, measure string) (*figure.Figure, error) {
	curve := merged.Extra["verb"] == "fi" && len(parts.Spec.Grid.Axes) == 1 && parts.Spec.From == sweep.FromRest
	if f.Plot.Value == "" && !curve {
		return nil, nil
	}
	forecast, err := parts.Spec.Forecast(1)
	if err != nil {
		return nil, err
	}
	if err := memory.Fits(fmt.Sprintf("a picture of %d points", parts.Rows()), forecast.Bytes); err != nil &&
		f.Plot.Value != "" {
		return nil, verb.Misused(err)
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
	if f.Plot.Value == "" {
		return nil, nil
	}
	name, _ := merged.Extra["verb"].(string)
	picture, err := figure.SweepPicture{Title: r.Spec.Model.Name, Measure: measure, Curves: name == "fi"}.Figure(r)
	return picture, verb.Misused(err)
}

// mergeJobs is merge for a sweep of a network, or of neurons under noise or a waveform.
func (v *call) mergeJobs(path string, f verb.Flags, out *file.Output) error {
	parts, err := sweep.OpenJobsParts(path)
	if err != nil {
		return err
	}
	v.Phase("check")
	if err := errors.Join(out.WriteTable(parts.Result.Table()), out.Commit()); err != nil {
		return err
	}
	v.Phase("write")
	merged := record.MergedJobs(parts)
	if f.Plot.Value != "" {
		draw := func() (*figure.Figure, error) { return figure.Jobs(parts.Result, merged.Model) }
		if parts.Result.Jobs.Driven() {
			draw = func() (*figure.Figure, error) { return figure.Driven(merged.Model, merged.Model, parts.Result) }
		}
		picture, err := draw()
		if err != nil {
			return verb.Misused(err)
		}
		if err := v.Draw(&f, picture, f.Force); err != nil {
			return err
		}
		v.Phase("plot")
	}
	v.reportFits(parts.Result)
	v.Infof("%s of %s in %s; its parts, %s.part-*, can go now", cli.Count(parts.Result.Finished(), "run"),
		cli.Count(parts.Count, "part"), path, path)
	return errors.Join(v.Aside(path, out, merged), jobFailures(parts.Result))
}
