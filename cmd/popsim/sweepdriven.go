package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"popsim/cmd/popsim/internal/batch"
	"popsim/cmd/popsim/internal/cli"
	"popsim/cmd/popsim/internal/completion"
	"popsim/cmd/popsim/internal/flagset"
	"popsim/cmd/popsim/internal/output"
	"popsim/cmd/popsim/internal/signals"
	"popsim/cmd/popsim/internal/verb"
	"popsim/dynamics"
	"popsim/experiment"
	"popsim/fault"
	"popsim/figure"
	"popsim/stimulus"
	"popsim/sweep"
	"popsim/table/file"
)

// driveFlags are the flags for the input of fi and map besides a constant current.
type driveFlags struct {
	waveforms, noises experiment.Texts
	theory            bool
}

func (f *driveFlags) add(set *pflag.FlagSet, theory bool) {
	f.waveforms, f.noises = experiment.Texts{Form: "SHAPE"}, experiment.Texts{Form: "NOISE"}
	flagset.Add(
		set,
		experiment.Flag{
			Name:   "waveform",
			Offers: completion.Shapes,
			Value:  &f.waveforms,
			Help: "current added to I; may be repeated, shapes add up; of a sine the column vector_strength shows how " +
				"spikes lock to it",
		},
	)
	flagset.Add(
		set,
		experiment.Flag{
			Name:  "noise",
			Value: &f.noises,
			Help: "white:SIGMA on V, ou:SIGMA:TAU on the current, poisson:RATE:WEIGHT[:exp-current:TAU]; rates are " +
				"then spikes counted, with the error of counting",
		},
	)
	if theory {
		flagset.Add(
			set,
			experiment.Flag{
				Name:  "theory",
				Value: (*experiment.Switch)(&f.theory),
				Help:  "add theory_Hz: the rate under white noise of lif (Siegert) and eif (threshold integration)",
			},
		)
	}
}

func (f *driveFlags) given() bool { return len(f.waveforms.List) > 0 || len(f.noises.List) > 0 }

// readDrive parses the input of a driven sweep, checks that it supports the other flags, and sets s.jobs.
func (s *sweepCommand) readDrive() error {
	var bad fault.List
	if s.refine.Given {
		bad.About("--refine", fault.Hint(errors.New("--refine finds where a neuron begins or ceases to fire; under noise "+
			"or a waveform its rate has no such place"), "a finer range of values, and more --trials, show the curve"))
	}
	if s.from.Given && s.from.Value != "rest" {
		bad.About("--from", fault.Hint(errors.New("--from carries a state from one current to the next; under noise or a "+
			"waveform every point starts at rest"), "popsim run takes one neuron through the currents with "+
			"--waveform ramp:0s:10s:LO:HI, with noise too"))
	}
	d := &s.input
	bad.About("--waveform", s.readWaveform())
	var err error
	d.Noise, err = experiment.ParseNoise(s.drive.noises.List, s.neuron.Model, s.Seed.Value)
	bad.About("--noise", err)
	if e := s.network.trials.Err; e != nil {
		bad.About("--trials", fmt.Errorf("--trials: %w", e))
	}
	d.Trials = s.network.trials.Value
	if d.Each != nil && len(d.Noise.Poisson) > 0 {
		bad.About("--noise", errors.New("trains of spikes do not go together with axes of the waveform"))
	}
	if s.drive.theory {
		switch {
		case d.Noise.White == 0 || d.Noise.OU != 0 || len(d.Noise.Poisson) > 0 || d.Waveform != nil || d.Each != nil:
			bad.About("--theory",
				fault.Hint(errors.New("--theory gives the rate under white noise only"), "--noise white:SIGMA gives it"))
		default:
			d.Theory = func(p []float64, i float64) float64 {
				return dynamics.WhiteNoiseRate(s.neuron.Model, p, i, d.Noise.White)
			}
		}
	}
	if len(bad) == 0 {
		s.jobs, err = sweep.DrivenJobs(s.spec, *d, s.cfg)
		bad.Add(err)
	}
	return bad.Err()
}

// readWaveform parses the waveform: one for all points, or one for each where words in it are axes.
func (s *sweepCommand) readWaveform() error {
	shapes, unit := s.drive.waveforms.List, s.neuron.Model.CurrentUnit
	words := experiment.WaveformWords(shapes)
	if len(words) == 0 {
		sum, notes, err := experiment.ParseWaveform(shapes, unit, s.Time.Value)
		s.WarnAll(notes)
		if len(sum) > 0 {
			s.input.Waveform, s.input.Frequency = sum.Waveform(s.spec.Step()).Mean, frequencyOf(sum)
		}
		return err
	}
	for _, word := range words {
		if !slices.Contains(s.spec.Waveform, word) {
			return fault.Hint(fmt.Errorf("%s is in the waveform, but has no value", word), "for example %s=1:50/50", word)
		}
	}
	at := func(point int) (stimulus.Sum, error) {
		values := map[string]float64{}
		for j, a := range s.spec.Grid.Axes {
			if slices.Contains(words, a.Name) {
				values[a.Name] = s.spec.Grid.At(point, j)
			}
		}
		sum, _, err := experiment.WaveformWith(values, shapes, unit, s.Time.Value)
		return sum, err
	}
	for point := range s.forecast.Points {
		if _, err := at(point); err != nil {
			return err
		}
	}
	s.input.Text = strings.Join(shapes, " ")
	s.input.Each = func(point int) (func(k int64) float64, float64) {
		sum, _ := at(point) // its errors are known
		return sum.Waveform(s.spec.Step()).Mean, frequencyOf(sum)
	}
	return nil
}

// frequencyOf is the frequency (Hz) of a single sine; 0 of other waveforms.
func frequencyOf(sum stimulus.Sum) float64 {
	if len(sum) == 1 {
		if sine, ok := sum[0].(stimulus.Sine); ok {
			return sine.Frequency
		}
	}
	return 0
}

// runDriven is fi and map with a waveform, noise or trials.
func (s *sweepCommand) runDriven(ctx context.Context) error {
	done := s.isFinished(s.jobs.Digest())
	var out *file.Output
	if !done && !s.dryRun {
		var err error
		if out, err = s.open(s.jobs.Rows(), false); err != nil {
			return err
		}
		defer output.Abort(out)
	}
	if err := s.Understood(&s.Flags, s.neuron, map[string]string{
		"dt": verb.Milliseconds(s.spec.Step()), "method": s.spec.Method, "time": "", "discard": "", "seed": "",
	}); err != nil || done {
		return err
	}
	if s.dryRun {
		return s.reportDriven(ctx)
	}
	s.Phase("read")
	if s.cfg.Keep != "" {
		s.cfg.Stop, s.cfg.Job = signals.Graceful(ctx), batch.JobName()
	}
	r, err := s.runDrivenJobs(ctx)
	s.Phase("step")
	switch canceled := errors.Is(err, context.Canceled); {
	case errors.Is(err, sweep.ErrEmptyPart):
		return verb.Misused(err)
	case canceled && s.cfg.Keep != "":
		s.reportInterrupted(ctx, r.Kept)
		return err
	case canceled:
		s.cut = true
		s.Warnf("interrupted; the points that were finished are %s", s.Partial(out))
	case err != nil:
		return err
	case s.cfg.Part.Of > 0:
		s.Infof("part %d/%d is in %s; popsim merge %s joins all", s.cfg.Part.Number, s.cfg.Part.Of,
			sweep.PartPath(s.cfg.Keep, s.cfg.Part), s.cfg.Keep)
		return nil
	}
	if e := s.writeDriven(out, r); e != nil {
		return e
	}
	s.Infof("%s in %.3g s, kernel %s/%s, %s", cli.Count(r.Finished(), "row"), r.Elapsed.Seconds(), s.neuron.Model.Name,
		s.spec.Method, cli.Count(r.Workers, "worker"))
	return errors.Join(err, failed(r.Count("status", "nan"), r.Finished()))
}

// runDrivenJobs runs the rows, with progress.
func (s *sweepCommand) runDrivenJobs(ctx context.Context) (r *sweep.JobsResult, err error) {
	stop := func() {}
	if !s.Quiet {
		s.cfg.Tick, stop = cli.Shared(s.Stderr, "points")
	}
	defer stop()
	err = s.Compute(ctx, &s.Flags, s.verb, s.neuron.Model.Name, func(ctx context.Context) (err error) {
		r, err = sweep.RunJobs(ctx, s.jobs, s.cfg, func(r *sweep.JobsResult) any { return s.Completed(s.drivenRecord(r)) })
		return err
	})
	return r, err
}

// reportDriven writes what a driven sweep would cost.
func (s *sweepCommand) reportDriven(ctx context.Context) error {
	speed, err := sweep.DrivenSpeed(ctx, s.spec, s.input, s.cfg)
	if err != nil {
		return err
	}
	steps := float64(s.jobs.Rows()) * s.spec.Time / s.spec.Step()
	fmt.Fprintf(s.Stderr, "popsim: %s in steps of %v ms: %.3g neuron-steps, about %s of one processor\n",
		cli.Count(s.jobs.Rows(), "row"), s.spec.Step(), steps, cli.Duration(steps/speed))
	return nil
}

// writeDriven writes table, picture and record, and removes the checkpoints.
func (s *sweepCommand) writeDriven(out *file.Output, r *sweep.JobsResult) error {
	if out != nil {
		if err := errors.Join(out.WriteTable(r.Table()), out.Commit()); err != nil {
			return err
		}
	}
	if s.Plot.Value != "" && r.Finished() == r.Jobs.Rows() {
		picture, err := figure.Driven(s.neuron.Title()+experiment.InputWords(s.drive.noises.List, s.drive.waveforms.List),
			s.neuron.Model.Name, r)
		if err != nil {
			return err
		}
		if err := s.Draw(&s.Flags, picture, s.replaces()); err != nil {
			return err
		}
	}
	s.Phase("write")
	if err := s.Aside(s.Out.Value, out, s.drivenRecord(r)); err != nil || s.cfg.Keep == "" {
		return err
	}
	return sweep.Discard(s.cfg.Keep) // last, so that a sweep killed before this can write its files again
}

// drivenRecord is the record of a driven sweep, or of a part of it.
func (s *sweepCommand) drivenRecord(q *sweep.JobsResult) file.Record {
	r := file.Record{
		Model: s.neuron.Model.Name, Preset: s.neuron.Preset.Name, Parameters: s.neuron.Parameters(nil), Dt: s.spec.Step(),
		Method: s.spec.Method, Seed: s.Seed.Value,
		Kernel: s.neuron.Model.Name + "/" + s.spec.Method, ISA: s.cfg.ISA.String(), Workers: q.Workers,
	}
	r.Extra = map[string]any{
		"time_ms": s.spec.Time, "discard_ms": s.spec.Discard, "points": int(q.Jobs.Grid.Points()), "trials": q.Jobs.Trials,
		"zip": q.Jobs.Grid.Zip, "experiment": q.Jobs.Digest(), "interrupted": s.cut, "run_s": q.Elapsed.Seconds(),
	}
	for name, list := range map[string][]string{"noise": s.drive.noises.List, "waveform": s.drive.waveforms.List} {
		if len(list) > 0 {
			r.Extra[name] = strings.Join(list, " ")
		}
	}
	return r
}
