package main

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/spf13/cobra"

	"popsim/bench"
	"popsim/cmd/popsim/internal/cli"
	"popsim/cmd/popsim/internal/completion"
	"popsim/cmd/popsim/internal/flagset"
	"popsim/cmd/popsim/internal/topics"
	"popsim/cmd/popsim/internal/verb"
	"popsim/experiment"
	"popsim/fault"
	"popsim/figure"
	"popsim/kernels"
	"popsim/table/file"
)

// convergenceCommand is one call of convergence.
type convergenceCommand struct {
	*call
	verb.Flags
	tolerance experiment.Quantity

	neuron   experiment.Neuron
	at       experiment.Point
	currents []float64
	isa      kernels.ISA
	out      *file.Output
	result   bench.Convergence
}

func (v *call) convergenceVerb() *cobra.Command {
	s := &convergenceCommand{call: v}
	cmd := &cobra.Command{
		Use:   "convergence MODEL[:PRESET] [NAME=VALUE ...]",
		Short: "Error against cost of each method and step, and the step to take",
		Long:  topics.Text("convergence"),
		Example: "  popsim convergence adex:tb08 --plot work.svg\n  popsim convergence hh I=7,10,20 --tolerance " +
			"0.001ms -o work.csv",
		Annotations: verb.OfModel, ValidArgsFunction: completion.Models,
		RunE: func(cmd *cobra.Command, args []string) error { return s.run(cmd.Context(), args) },
	}
	set := cmd.Flags()
	set.SortFlags = false
	s.tolerance = experiment.Quantity{Unit: "ms", Value: 0.01}
	s.Time = experiment.Quantity{Unit: "ms", Value: 1000}
	flagset.Add(set, experiment.Flag{Name: "tolerance", Value: &s.tolerance, Help: "error of a spike that is allowed"})
	s.Kernel(set, "this method alone", "instruction set: auto, avx512, avx2 or go")
	flagset.Add(set, experiment.Flag{Name: "time", Value: &s.Time, Help: "time within which spikes are compared"})
	s.Files(set, &v.Quiet)
	return cmd
}

// run parses and checks the command line, measures and writes the results.
func (s *convergenceCommand) run(ctx context.Context, args []string) (err error) {
	if err := s.read(args); err != nil {
		return err
	}
	if err := s.CheckPicture(s.Force); err != nil {
		return err
	}
	s.out = file.NewCSV(s.Stdout)
	if s.Flags.Out.Value != "" {
		if s.out, err = s.Create(s.Flags.Out.Value, s.Force); err != nil {
			return err
		}
	}
	defer s.out.Abort()
	if err := s.Understood(&s.Flags, s.neuron, map[string]string{"time": "", "tolerance": ""}); err != nil {
		return err
	}
	s.Phase("read")
	err = s.Compute(ctx, &s.Flags, "convergence", s.neuron.Model.Name, s.measure)
	interrupted := errors.Is(err, context.Canceled)
	switch {
	case interrupted:
		s.Warn("interrupted; the rows that were finished are %s", s.Partial(s.out))
	case err != nil:
		return err
	}
	s.Phase("measure")
	if e := s.write(); e != nil {
		return e
	}
	if !interrupted {
		s.advise()
	}
	return err
}

// read parses and checks the command line.
func (s *convergenceCommand) read(args []string) error {
	var bad fault.List
	s.isa, bad = s.Check()
	q, err := experiment.ParseNeuron(args)
	bad.Add(err)
	if q.Model == nil {
		return verb.Misused(bad.Err())
	}
	s.neuron = q
	s.WarnAll(q.Notes)
	_, err = q.Model.Method(s.Flags.Method.Value)
	bad.About("--method", err)
	if s.tolerance.Err != nil {
		bad.About("--tolerance", fmt.Errorf("--tolerance: %w", s.tolerance.Err))
	} else if s.tolerance.Value <= 0 {
		bad.About("--tolerance", fmt.Errorf("--tolerance is %v ms; it must be greater than 0", s.tolerance.Value))
	}
	s.at = q.Base()
	if !math.IsNaN(q.Preset.I) {
		s.currents = []float64{q.Preset.I}
	}
	for _, x := range q.Settings {
		if x.Target == experiment.Current {
			bad.Add(x.Check("convergence", experiment.Several))
			s.currents = x.Value.Axis().All()
			continue
		}
		bad.Add(x.Check("convergence", experiment.Number))
		value, _ := x.Value.Single()
		s.at.Set(x, value)
	}
	if s.currents == nil {
		s.currents = bench.DefaultCurrents(q.Model)
	}
	if len(s.currents) > bench.L1 {
		bad.Addf("I has %d values; convergence takes up to %d", len(s.currents), bench.L1)
	}
	if len(bad) == 0 {
		bad.Add(q.Model.Check(s.at.Params))
	}
	bad.Add(s.Apart(false))
	return verb.Misused(bad.Err())
}

// measure computes the true spikes and measures the methods.
func (s *convergenceCommand) measure(ctx context.Context) error {
	m := s.neuron.Model
	start := make([]float64, len(m.States))
	m.Initial(s.at.Params, start)
	for j, x := range s.at.Initial {
		if !math.IsNaN(x) {
			start[j] = x
		}
	}
	trial, err := bench.NewTrial(m, s.at.Params, s.currents, start, s.Time.Value)
	if err != nil {
		return fault.Hint(err, "I=... sets a current at which it fires, V0=... a state from which it does")
	}
	s.result = bench.Convergence{Trial: trial, Tolerance: s.tolerance.Value}
	s.Phase("truth")
	list, err := trial.Scenarios(s.Flags.Method.Value, s.isa)
	if err != nil {
		return err
	}
	var progress *cli.Progress
	if !s.Quiet {
		progress = cli.NewProgress(s.Stderr, float64(len(list)), "rows")
		defer progress.Clear()
	}
	return s.result.Measure(ctx, list, func(done int) { progress.Update(float64(done)) })
}

// advise writes which method and step to take.
func (s *convergenceCommand) advise() {
	m, p := s.neuron.Model, s.at.Params
	for _, q := range m.Methods {
		if s.Flags.Method.Value != "" && s.Flags.Method.Value != q.Name {
			continue
		}
		text := "no step of those tried is fine enough"
		if w, ok := s.result.Recommended(q); ok {
			text = fmt.Sprintf("dt %v ms, off by %.1e ms, for %.3g ns", w.Dt, w.Error, w.Cost)
		}
		if stable, _ := m.StepLimits(q, p); !math.IsInf(stable, 1) {
			text += fmt.Sprintf("; beyond %.4g ms steps are refused", stable)
		}
		s.Say("%s: %s", q.Name, text)
	}
	if w, ok := s.result.Cheapest(); ok {
		s.Say("for spikes within %v ms take --method %s --dt %vms", s.tolerance.Value, w.Method.Name, w.Dt)
	} else {
		s.Warn("no method has spikes within %v ms at the steps tried", s.tolerance.Value)
	}
}

// write writes the table, the picture and the record.
func (s *convergenceCommand) write() error {
	if err := s.out.WriteTable(s.result.Table()); err != nil {
		return err
	}
	if err := s.out.Commit(); err != nil {
		return err
	}
	if s.Plot.Value != "" {
		if err := s.Draw(&s.Flags, figure.Convergence(&s.result, s.neuron.Title()), s.Force); err != nil {
			return err
		}
	}
	s.Phase("write")
	extra := map[string]any{"tolerance_ms": s.tolerance.Value, "time_ms": s.Time.Value}
	if w, ok := s.result.Cheapest(); ok {
		extra["recommended"] = map[string]any{
			"method": w.Method.Name, "dt_ms": w.Dt, "spike_error_ms": w.Error, "cost_ns_per_ms": w.Cost,
		}
	}
	return s.Aside(s.Flags.Out.Value, s.out, file.Record{
		Model: s.neuron.Model.Name, Preset: s.neuron.Preset.Name,
		Parameters: s.neuron.Parameters(map[string]any{"I": s.currents}), ISA: s.isa.String(), Extra: extra,
	})
}
