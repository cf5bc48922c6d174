package analyse

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"popsim/cmd/popsim/internal/completion"
	"popsim/cmd/popsim/internal/flagset"
	"popsim/cmd/popsim/internal/output"
	"popsim/cmd/popsim/internal/record"
	"popsim/cmd/popsim/internal/topics"
	"popsim/cmd/popsim/internal/verb"
	"popsim/dynamics"
	"popsim/experiment"
	"popsim/fault"
	"popsim/figure"
	"popsim/model"
	"popsim/sched"
	"popsim/table"
	"popsim/table/file"
)

const bifurcationExample = `  popsim bifurcation rhh I=-5:20 --plot isola.svg
  popsim bifurcation hh I=-10:180 -o branches.csv --points special.csv
  popsim bifurcation adex:tb08 V_reset=-49:-46 --plot chaos.png --simulated
  popsim bifurcation rhh I=-20:40 n_plus_h=0.75:0.95 --plot regimes.png`

// bifurcationCommand is one call of bifurcation.
type bifurcationCommand struct {
	*verb.Call
	verb.Flags
	pointsFile, resetsFile experiment.Word
	atText                 experiment.Word
	simulated              bool

	neuron  experiment.Neuron
	base    experiment.Point
	free    []free // one or two
	outputs analysisOutputs

	diagram *dynamics.Diagram
	trains  []dynamics.Firing
	special []dynamics.FiringPoint
	regions *dynamics.Regions
	areas   *dynamics.Areas
	part    *dynamics.Areas // in the window that the picture enlarges
	sampled *table.Table    // intervals of simulated neurons
	stats   sched.Stats     // of workers, where they share the work
	cut     bool            // interrupted
}

// free is a quantity with the interval it is followed through.
type free struct {
	experiment.Setting
	dynamics.Free
}

type analysisOutputs struct{ branches, points, resets *file.Output }

// Bifurcation returns the verb bifurcation of a call.
func Bifurcation(v *verb.Call) *cobra.Command {
	s := &bifurcationCommand{Call: v}
	cmd := &cobra.Command{
		DisableFlagsInUseLine: true,
		Use:                   "bifurcation MODEL[:PRESET] NAME=LO:HI [NAME=LO:HI] [NAME=VALUE ...]",
		Short:                 "Equilibria, cycles and special points over one or two quantities",
		Long:                  topics.Text("bifurcation"),
		Example:               bifurcationExample,
		Annotations:           verb.OfModel, ValidArgsFunction: completion.Models,
		RunE: func(cmd *cobra.Command, args []string) error { return s.run(cmd.Context(), args) },
	}
	set := cmd.Flags()
	set.SortFlags = false
	s.pointsFile, s.resetsFile, s.atText = experiment.Word{Form: "FILE"}, experiment.Word{Form: "FILE"},
		experiment.Word{Form: "VALUES", Number: true, List: true}
	flagset.Add(set, experiment.Flag{Name: "points", Value: &s.pointsFile, Help: "table of the special points"})
	flagset.Add(set, experiment.Flag{Name: "resets", Value: &s.resetsFile, Help: "table of the resets of an " +
		"integrate-and-fire model"})
	flagset.Add(set, experiment.Flag{Name: "at", Value: &s.atText, Help: "values at which every branch of cycles is " +
		"to have a row, as 7.8,7.9"})
	flagset.Add(set, experiment.Flag{Name: "simulated", Value: (*experiment.Switch)(&s.simulated), Help: "plot the " +
		"intervals of simulated neurons over those of the reset map"})
	flagset.Add(set, experiment.Flag{Name: "workers", Value: &s.Workers, Help: "goroutines (default the CPUs this " +
		"process may use)"})
	s.Files(set, &v.Quiet)
	return cmd
}

// run parses the command line, follows the branches or curves and writes the results.
func (s *bifurcationCommand) run(ctx context.Context, args []string) (err error) {
	if err := s.read(args); err != nil {
		return err
	}
	if err := s.open(); err != nil {
		return err
	}
	defer output.Abort(s.outputs.branches, s.outputs.points, s.outputs.resets)
	if err := s.Understood(&s.Flags, s.neuron, nil); err != nil {
		return err
	}
	s.Phase("read")
	err = s.Compute(ctx, &s.Flags, "bifurcation", s.neuron.Model.Name, s.analyse)
	switch {
	case errors.Is(err, context.Canceled):
		s.cut = true
		s.Warnf("interrupted; the branches that were finished are %s", s.Partial(s.outputs.branches, s.outputs.points,
			s.outputs.resets))
	case err != nil:
		return err
	}
	if e := s.write(); e != nil {
		return e
	}
	s.report()
	return err
}

// read parses and checks the command line, and reports all errors together.
func (s *bifurcationCommand) read(args []string) error {
	q, err := experiment.ParseNeuron(args)
	var bad fault.List
	bad.Add(err)
	if q.Model == nil {
		return verb.Misused(bad.Err())
	}
	if err := dynamics.Supports(q.Model); err != nil {
		return verb.Misused(err)
	}
	s.neuron = q
	s.WarnAll(q.Notes)
	bad.Add(s.readSettings())
	if len(bad) == 0 {
		bad.Add(s.checkEnds())
	}
	if err := s.Workers.Err; err != nil {
		bad.About("--workers", fmt.Errorf("--workers: %w", err))
	}
	if s.Workers.Value == 0 {
		s.Workers.Value = sched.Allowed()
	}
	resets := q.Model.Fires == model.Reset && len(s.free) < 2
	if (s.resetsFile.Value != "" || s.simulated) && !resets {
		bad.Add(fault.Hint(errors.New("--resets and --simulated are about spiking by reset over one quantity"),
			"lif, eif and adex fire so, and models of equations that reset"))
	}
	if s.simulated && s.Plot.Value == "" {
		bad.Add(fault.Hint(errors.New("--simulated adds to a picture, but there is none"), "--plot FILE draws one"))
	}
	bad.Add(s.Apart(output.ToStdout(s.pointsFile.Value) || output.ToStdout(s.resetsFile.Value),
		output.Named{Flag: "--points", Path: s.pointsFile.Value}, output.Named{Flag: "--resets", Path: s.resetsFile.Value}))
	bad.Add(s.CheckProfile())
	return verb.Misused(bad.Err())
}

// readSettings separates the intervals from the values.
func (s *bifurcationCommand) readSettings() error {
	var bad fault.List
	s.base = s.neuron.Base()
	for _, x := range s.neuron.Settings {
		if x.Target == experiment.State {
			bad.About(x.Name, fault.Hint(fmt.Errorf("%s is an initial state, and a diagram has none", x.Name),
				"popsim phase draws trajectories from states"))
			continue
		}
		err := x.Check("bifurcation", experiment.Number|experiment.Interval)
		switch value, single := x.Value.Single(); {
		case err != nil:
			bad.Add(err)
		case single:
			s.base.Set(x, value)
		default:
			ends := x.Value.Numbers
			s.free = append(s.free, free{Setting: x, Free: dynamics.Free{Name: x.Name, Lo: ends[0], Hi: ends[1]}})
		}
	}
	switch {
	case len(bad) > 0 || s.neuron.Faulty:
	case len(s.free) == 0:
		bad.Add(fault.Hint(errors.New("bifurcation follows a quantity through an interval, but none is given"),
			"I=-5:20 is one"))
	case len(s.free) > 2:
		bad.Addf("bifurcation follows one or two quantities, but %d intervals are given", len(s.free))
	case s.atText.Value != "":
		marks, err := experiment.ParseNumbers("--at", s.atText.Value, s.free[0].Unit)
		bad.About("--at", err)
		lo, hi := s.free[0].Lo, s.free[0].Hi
		if outside := slices.IndexFunc(marks, func(v float64) bool { return v < lo || v > hi }); outside >= 0 {
			bad.Addf("--at: %v lies outside the interval %v to %v of %s", marks[outside], lo, hi, s.free[0].Free.Name)
		}
		s.free[0].Marks = marks
	}
	return errors.Join(bad...)
}

// checkEnds returns an error if the parameters are invalid at an end of an interval.
func (s *bifurcationCommand) checkEnds() error {
	var bad fault.List
	reported := map[string]bool{}
	corners := 1 << len(s.free)
	for corner := range corners {
		p := experiment.Point{Params: append([]float64(nil), s.base.Params...)}
		for k, f := range s.free {
			p.Set(f.Setting, []float64{f.Lo, f.Hi}[corner>>k&1])
		}
		if err := s.neuron.Model.Check(p.Params); err != nil && !reported[err.Error()] {
			reported[err.Error()] = true
			bad.Add(err)
		}
	}
	return errors.Join(bad...)
}

// open opens the files before the work begins.
func (s *bifurcationCommand) open() error {
	err := s.OpenTables(&s.Flags, verb.Opening{Path: s.Out.Value, Out: &s.outputs.branches},
		verb.Opening{Path: s.pointsFile.Value, Out: &s.outputs.points},
		verb.Opening{Path: s.resetsFile.Value, Out: &s.outputs.resets})
	switch {
	case err != nil || s.Out.Value != "" || output.ToStdout(s.pointsFile.Value) || output.ToStdout(s.resetsFile.Value):
	case output.OnTerminal(s.Stdout):
		s.Infof("the table of branches is not shown on a terminal; -o FILE keeps it")
	default:
		s.outputs.branches = file.NewCSV(s.Stdout)
	}
	return err
}

// analyse computes the diagram, or the curves in the plane of two quantities.
func (s *bifurcationCommand) analyse(ctx context.Context) (err error) {
	m, p, i := s.neuron.Model, s.base.Params, s.base.Current
	if len(s.free) == 2 {
		return s.chart(ctx)
	}
	s.diagram, err = dynamics.Bifurcation(ctx, m, p, i, s.free[0].Free)
	if s.diagram != nil {
		s.WarnAll(verb.Texts(s.diagram.Warnings))
	}
	s.Phase("branches")
	if err != nil || m.Fires != model.Reset {
		return err
	}
	s.trains, err = dynamics.FiringCurve(ctx, m, p, i, s.free[0].Free, s.parallel(ctx, "values"))
	if err != nil {
		return err
	}
	s.special, err = dynamics.FiringPoints(ctx, m, p, i, s.free[0].Free, s.trains)
	if err != nil {
		return err
	}
	s.WarnAll(verb.Texts(dynamics.FiringWarnings(s.free[0].Free, s.trains)))
	s.Phase("firing")
	if s.simulated {
		s.sampled, err = s.simulate(ctx)
		s.Phase("simulation")
	}
	return err
}

// result returns the results for tables and picture.
func (s *bifurcationCommand) result() *figure.Bifurcation {
	b := &figure.Bifurcation{
		Title: s.neuron.Title(), Model: s.neuron.Model, Diagram: s.diagram, Trains: s.trains, FiringPoints: s.special,
		Sampled: s.sampled,
		Regions: s.regions, Areas: s.areas, Part: s.part, Unfinished: s.cut,
	}
	for _, f := range s.free {
		b.Axes = append(b.Axes, figure.Quantity{Name: f.Free.Name, Unit: f.Unit, Lo: f.Lo, Hi: f.Hi})
	}
	return b
}

// write writes tables, picture and records.
func (s *bifurcationCommand) write() error {
	found := s.result()
	files := []struct {
		path  string
		out   *file.Output
		table func() *table.Table
	}{
		{s.pointsFile.Value, s.outputs.points, found.PointTable},
		{s.resetsFile.Value, s.outputs.resets, found.ResetTable},
		{s.Out.Value, s.outputs.branches, found.BranchTable},
	}
	for _, o := range files {
		if o.out == nil {
			continue
		}
		if err := o.out.WriteTable(o.table()); err != nil {
			return err
		}
		if err := o.out.Commit(); err != nil {
			return err
		}
	}
	if s.Plot.Value != "" {
		if err := s.Draw(&s.Flags, found.Figure(), s.Force); err != nil {
			return err
		}
	}
	s.Phase("write")
	for _, o := range files {
		if err := s.Aside(o.path, o.out, s.record()); err != nil {
			return err
		}
	}
	return nil
}

// record returns the record of the files.
func (s *bifurcationCommand) record() file.Record {
	extra := map[string]any{"interrupted": s.cut}
	if s.stats.Epochs > 0 {
		record.AddWorkers(extra, s.stats)
	}
	return file.Record{
		Model: s.neuron.Model.Name, Preset: s.neuron.Preset.Name,
		Parameters: s.neuron.Parameters(nil), Workers: s.Workers.Value, Extra: extra,
	}
}

// report writes the results in words.
func (s *bifurcationCommand) report() {
	found := s.result()
	for _, q := range found.Specials() {
		s.Infof("%s", q)
	}
	s.Infof("%s in %.3g s", found.Summary(), time.Since(s.Started).Seconds())
}
