package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"popsim/cmd/popsim/internal/cli"
	"popsim/cmd/popsim/internal/output"
	"popsim/cmd/popsim/internal/record"
	"popsim/cmd/popsim/internal/verb"
	"popsim/fault"
	"popsim/figure"
	"popsim/sweep"
	"popsim/table/file"
)

// modelsOf divides the arguments of fi into models and NAME=VALUE that apply to all of them.
func modelsOf(args []string) (models, settings []string) {
	n := slices.IndexFunc(args, func(a string) bool { return strings.Contains(a, "=") })
	if n < 0 {
		n = len(args)
	}
	return args[:n], args[n:]
}

// runModels is fi of several models: one table, with the model in its first column, and one picture.
func (s *sweepCommand) runModels(ctx context.Context, models, settings []string) error {
	for name, given := range map[string]bool{
		"--part": s.part.Given, "--resume": s.resume, "--refine": s.refine.Given, "--save": s.Save.Given,
		"--noise": len(s.drive.noises.List) > 0, "--waveform": len(s.drive.waveforms.List) > 0, "--dry-run": s.dryRun,
	} {
		if given {
			return verb.Misused(fault.Hint(fmt.Errorf("%s is for one model, but %d are given", name, len(models)),
				"popsim fi %s ... %s", models[0], name))
		}
	}
	each := make([]*sweepCommand, len(models))
	var bad fault.List
	points := 0
	for i, name := range models {
		one := *s
		each[i] = &one
		if err := one.read(append([]string{name}, settings...)); err != nil {
			bad.Add(fmt.Errorf("%s: %w", name, err))
			continue
		}
		one.cfg.Keep = "" // one file for all models: none of them alone can be resumed from it
		points += one.forecast.Points
	}
	if err := verb.Misused(bad.Err()); err != nil {
		return err
	}
	for i, one := range each[1:] {
		if a, b := each[0].neuron.Model.CurrentUnit, one.neuron.Model.CurrentUnit; a != b {
			return verb.Misused(fault.Hint(fmt.Errorf("%s takes I in %s and %s in %s: one table would mix them", models[0],
				a, models[i+1], b),
				"popsim fi one by one, and popsim plot for the picture"))
		}
	}
	out, err := s.open(points, false)
	if err != nil {
		return err
	}
	defer output.Abort(out)
	s.Phase("read")
	results := make([]*sweep.Result, len(models))
	err = s.Compute(ctx, &s.Flags, s.verb, strings.Join(models, ","), func(ctx context.Context) error {
		for i, one := range each {
			if results[i], err = one.advance(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.writeModels(out, models, each, results)
}

// writeModels writes the table and the picture of several models.
func (s *sweepCommand) writeModels(out *file.Output, models []string, each []*sweepCommand,
	results []*sweep.Result,
) error {
	named := make([]figure.Named, len(models))
	var failed []error
	for i, r := range results {
		named[i] = figure.Named{Name: models[i], Table: r.MainTable(), Units: map[string]string{}}
		for _, a := range r.Spec.Grid.Axes {
			named[i].Units[a.Name] = a.Unit
		}
		each[i].checkTrains(r)
		failed = append(failed, failures(r))
	}
	if out != nil {
		all, err := figure.Stack("model", named)
		if err != nil {
			return err
		}
		if err := errors.Join(out.WriteTable(all), out.Commit()); err != nil {
			return err
		}
	}
	if s.Plot.Value != "" {
		var measures []string
		if len(each[0].spec.Measures) > 0 {
			measures = each[0].spec.Measures[:1]
		}
		picture, err := figure.Tables("", named, "I", measures)
		if err != nil {
			return err
		}
		if err := s.Draw(&s.Flags, picture, s.Force); err != nil {
			return err
		}
	}
	s.Phase("write")
	records := make([]file.Record, len(results))
	for i, r := range results {
		records[i] = each[i].record(r)
	}
	if err := s.Aside(s.Out.Value, out, record.Models(models, records)); err != nil {
		return err
	}
	for i, r := range results {
		s.Infof(
			"%s: %s, kernel %s/%s",
			models[i],
			cli.Count(r.Rows(), "point"),
			each[i].neuron.Model.Name,
			each[i].spec.Method,
		)
		each[i].transitions = r.Transitions()
		for _, t := range each[i].transitions {
			s.Infof("%s: %v", models[i], t)
		}
	}
	return errors.Join(failed...)
}
