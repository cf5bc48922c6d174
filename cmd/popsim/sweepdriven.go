package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"popsim/cmd/popsim/internal/cli"
	"popsim/cmd/popsim/internal/completion"
	"popsim/cmd/popsim/internal/flagset"
	"popsim/cmd/popsim/internal/output"
	"popsim/cmd/popsim/internal/verb"
	"popsim/dynamics"
	"popsim/experiment"
	"popsim/fault"
	"popsim/figure"
	"popsim/sched"
	"popsim/stimulus"
	"popsim/sweep"
	"popsim/table"
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
			Help: "current added to I; may be repeated, shapes add up; of a sine the column vector_strength tells how " +
				"spikes lock to it",
		},
	)
	flagset.Add(
		set,
		experiment.Flag{
			Name:  "noise",
			Value: &f.noises,
			Help: "white:SIGMA on V, ou:SIGMA:TAU on the current, poisson:RATE:WEIGHT[:exp-current:TAU]; rates are then spikes " +
				"counted, with the error of counting",
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

// readDrive parses the input, and checks that a driven sweep supports the other flags.
func (s *sweepCommand) readDrive() (d sweep.Drive, err error) {
	var bad fault.List
	for name, given := range map[string]bool{
		"--part": s.part.Given, "--resume": s.resume, "--refine": s.refine.Given, "--save-every": s.every.Given,
		"--dry-run": s.dryRun, "--from": s.from.Given && s.from.Value != "rest",
	} {
		if given {
			bad.About(name, fmt.Errorf("%s does not go together with --waveform, --noise and --trials", name))
		}
	}
	sum, notes, err := experiment.ParseWaveform(s.drive.waveforms.List, s.neuron.Model.CurrentUnit, s.Time.Value)
	bad.About("--waveform", err)
	s.WarnAll(notes)
	if len(sum) > 0 {
		d.Wave = sum.Waveform(s.spec.Step()).Mean
	}
	if len(sum) == 1 {
		if sine, ok := sum[0].(stimulus.Sine); ok {
			d.Frequency = sine.Frequency
		}
	}
	d.Noise, err = experiment.ParseNoise(s.drive.noises.List, s.neuron.Model, s.Seed.Value)
	bad.About("--noise", err)
	if s.network.trials.Given {
		d.Trials = s.network.trials.Value
	}
	if s.drive.theory {
		switch {
		case d.Noise.White == 0 || d.Noise.OU != 0 || len(d.Noise.Poisson) > 0 || d.Wave != nil:
			bad.About("--theory",
				fault.Hint(errors.New("--theory is for white noise on V only"), "--noise white:SIGMA gives it"))
		default:
			d.Theory = func(p []float64, i float64) float64 {
				return dynamics.WhiteNoiseRate(s.neuron.Model, p, i, d.Noise.White)
			}
		}
	}
	bad.Add(s.spec.CheckDriven())
	return d, verb.Misused(bad.Err())
}

// runDriven is fi and map with a waveform, noise or trials.
func (s *sweepCommand) runDriven(ctx context.Context) error {
	d, err := s.readDrive()
	if err != nil {
		return err
	}
	out, err := s.open(s.forecast.Points*max(1, d.Trials), false)
	if err != nil {
		return err
	}
	defer output.Abort(out)
	if err := s.Understood(&s.Flags, s.neuron, map[string]string{
		"dt": verb.Milliseconds(s.spec.Step()), "method": s.spec.Method, "time": "", "discard": "", "seed": "",
	}); err != nil {
		return err
	}
	s.Phase("read")
	if s.cfg.Workers == 0 {
		s.cfg.Workers = sched.Allowed()
	}
	var t *table.Table
	err = s.Compute(ctx, &s.Flags, s.verb, s.neuron.Model.Name, func(ctx context.Context) (err error) {
		stop := func() {}
		if !s.Quiet {
			s.cfg.Tick, stop = cli.Shared(s.Stderr, "points")
		}
		defer stop()
		t, err = sweep.RunDriven(ctx, s.spec, d, s.cfg)
		return err
	})
	if err != nil {
		return err
	}
	s.Phase("step")
	if out != nil {
		if err := errors.Join(out.WriteTable(t), out.Commit()); err != nil {
			return err
		}
	}
	if s.Plot.Value != "" {
		picture, err := s.drivenPicture(t, d)
		if err != nil {
			return err
		}
		if err := s.Draw(&s.Flags, picture, s.Force); err != nil {
			return err
		}
	}
	s.Phase("write")
	r := s.drivenRecord()
	if err := s.Aside(s.Out.Value, out, r); err != nil {
		return err
	}
	s.Say("%s, kernel %s/%s, %s", cli.Count(t.Rows(), "row"), s.neuron.Model.Name, s.spec.Method,
		cli.Count(s.cfg.Workers, "worker"))
	return nil
}

// drivenPicture draws the first measure, and the theory beside it.
func (s *sweepCommand) drivenPicture(t *table.Table, d sweep.Drive) (*figure.Figure, error) {
	measures := s.spec.Measures
	if len(measures) > 0 {
		measures = measures[:1]
	} else {
		measures = []string{"rate_Hz"}
	}
	if d.Theory != nil {
		measures = append(measures, "theory_Hz")
	}
	units := map[string]string{}
	for _, a := range s.spec.Grid.Axes {
		units[a.Name] = a.Unit
	}
	return figure.Tables(
		s.neuron.Title()+", "+strings.Join(append(s.drive.noises.List, s.drive.waveforms.List...), " "),
		[]figure.Named{
			{Name: s.neuron.Model.Name, Table: sweep.MeanOfTrials(t, max(1, d.Trials)), Units: units},
		},
		"",
		measures,
	)
}

// drivenRecord is the record of a driven sweep.
func (s *sweepCommand) drivenRecord() file.Record {
	r := file.Record{
		Model: s.neuron.Model.Name, Preset: s.neuron.Preset.Name, Parameters: s.neuron.Parameters(nil), Dt: s.spec.Step(),
		Method: s.spec.Method, Seed: s.Seed.Value,
		Kernel: s.neuron.Model.Name + "/" + s.spec.Method, ISA: s.cfg.ISA.String(), Workers: s.cfg.Workers,
	}
	r.Extra = map[string]any{"time_ms": s.spec.Time, "discard_ms": s.spec.Discard}
	for name, list := range map[string][]string{"noise": s.drive.noises.List, "waveform": s.drive.waveforms.List} {
		if len(list) > 0 {
			r.Extra[name] = strings.Join(list, " ")
		}
	}
	return r
}
