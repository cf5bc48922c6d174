package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/spf13/pflag"

	"popsim/cmd/popsim/internal/flagset"
	"popsim/cmd/popsim/internal/output"
	"popsim/cmd/popsim/internal/record"
	"popsim/cmd/popsim/internal/verb"
	"popsim/experiment"
	"popsim/fault"
	"popsim/figure"
	"popsim/network/cann"
	"popsim/sched"
	"popsim/sweep"
	"popsim/table"
	"popsim/table/file"
)

// cannTime is the default of --time for cann, ms.
const cannTime = 50

// cannFlags are the flags that cann takes in run and in map.
var cannFlags = []string{
	"dt", "time", "out", "plot", "plot-style", "force", "quiet", "profile", "profile-dir", "trace", "of", "every",
	"measures", "zip", "dry-run", "part", "resume", "save-every", "workers", "save", "seed", "trials",
}

// readCANN parses and checks the command line of cann, and resolves step and time.
func readCANN(f *verb.Flags, set *pflag.FlagSet, args []string, axes bool) (*experiment.CANN, error) {
	_, bad := f.Check()
	bad.Add(flagset.Only(set, cannFlags, "is not for cann, whose units have rates and no spikes"))
	c, err := experiment.ParseCANN(args, axes)
	bad.Add(err)
	if f.Dt.Value == 0 {
		f.Dt.Value = cann.Step
	}
	if !f.Time.Given {
		f.Time.Value = cannTime
	}
	if err == nil {
		_, err := c.Steps(f.Time.Value, f.Dt.Value)
		bad.Add(err)
	}
	return c, bad.Err()
}

// runCANN is run for cann.
func (s *runCommand) runCANN(ctx context.Context, args []string) error {
	c, err := readCANN(&s.Flags, s.Cmd.Flags(), args, false)
	if err == nil {
		err = s.Apart(false, output.Named{Flag: "--trace", Path: s.trace.Value})
	}
	var of []int64
	if err == nil {
		if s.of.Value != "" {
			of, err = experiment.ParseNeurons("--of", s.of.Value, int(c.Values[cann.N]))
		}
	}
	if err != nil {
		return verb.Misused(err)
	}
	var neurons, trace *file.Output
	if err := s.OpenTables(&s.Flags, verb.Opening{Path: s.Out.Value, Out: &neurons},
		verb.Opening{Path: s.trace.Value, Out: &trace}); err != nil {
		return err
	}
	defer output.Abort(neurons, trace)
	if err := s.SaveExperiment(&s.Flags, savedCANN(c, &s.Call, &s.Flags, "run")); err != nil {
		return err
	}
	if s.Out.Value == "" && !output.OnTerminal(s.Stdout) && !output.ToStdout(s.trace.Value) {
		neurons = file.NewCSV(s.Stdout)
	}
	dt := s.Dt.Value
	steps, _ := c.Steps(s.Time.Value, dt)
	w := cann.New(c.Values, dt)
	w.Noise = cann.NoiseOf(s.Seed.Value, 0)
	picture := figure.NewField(s.Time.Value, w.X())
	every := max(1, int64(math.Round(s.every.Value/dt)))
	traced := cann.NewTrace(of)
	err = s.Compute(ctx, &s.Flags, "run", "cann", func(ctx context.Context) error {
		for k := int64(0); ; k++ {
			if trace != nil && (k%every == 0 || k == steps) {
				traced.Add(w)
			}
			if picture.Due(w.Time()) {
				height, z := w.Stimulus(w.Time())
				picture.Add(w.Time(), w.U(), w.Measure().Center, height, z)
			}
			if k == steps {
				return nil
			}
			if k%1000 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			w.Step()
		}
	})
	if err != nil {
		return err
	}
	s.Phase("run")
	return s.writeCANN(c, w, neurons, trace, traced, picture)
}

// savedCANN is what --save writes.
func savedCANN(c *experiment.CANN, call *verb.Call, f *verb.Flags, name string) experiment.Saved {
	return c.Saved(name, call.SavedComment(), flagset.Records(call.Cmd.Flags()), call.Cmd.Flags().Changed,
		map[string]string{"dt": verb.Milliseconds(f.Dt.Value), "time": verb.Milliseconds(f.Time.Value), "seed": ""})
}

// writeCANN writes tables, picture, records and the summary.
func (s *runCommand) writeCANN(
	c *experiment.CANN, w *cann.Network, neurons, trace *file.Output, traced *cann.Trace, picture *figure.Field,
) error {
	stable, _ := c.Values.Line()
	var err error
	if neurons != nil {
		var numbers []int64
		for i := range w.X() {
			numbers = append(numbers, int64(i))
		}
		err = errors.Join(neurons.WriteTable(table.NewTable(table.Col("neuron", numbers), table.Col("x_rad", w.X()),
			table.Col("u", w.U()), table.Col("r", w.R()))), neurons.Commit())
	}
	if trace != nil && err == nil {
		err = errors.Join(trace.WriteTable(traced.Table()), trace.Commit())
	}
	if s.Plot.Value != "" && err == nil {
		err = s.Draw(&s.Flags, picture.Figure("cann"+c.Values.String(), w.U(), stable, c.Values[cann.Width]), s.Force)
	}
	if err != nil {
		return err
	}
	r := record.CANN(c, s.Dt.Value, s.Seed.Value)
	m := w.Measure()
	r.Extra["time_ms"], r.Extra["u_max"], r.Extra["closed_form_u_max"] = s.Time.Value, m.UMax, record.Number(stable)
	if err := errors.Join(s.Aside(s.Out.Value, neurons, r), s.Aside(s.trace.Value, trace, r)); err != nil {
		return err
	}
	s.Infof(
		"at %.6g ms: u_max %.9g, center_rad %.6g, sum_r %.6g; a bump that keeps itself up has u_max %.9g (closed form)",
		m.Time,
		m.UMax,
		m.Center,
		m.SumR,
		stable,
	)
	return nil
}

// cannMeasures are the measures of map.
var cannMeasures = []struct {
	name string
	of   func(s cannEnd, v cann.Values) float64
}{
	{"u_max", func(s cannEnd, _ cann.Values) float64 { return s.UMax }},
	{"center_rad", func(s cannEnd, _ cann.Values) float64 { return s.Center }},
	{"sum_r", func(s cannEnd, _ cann.Values) float64 { return s.SumR }},
	{"lag_rad", func(s cannEnd, _ cann.Values) float64 { return s.Lag }},
	{"lag_max_rad", func(s cannEnd, _ cann.Values) float64 { return s.lagMax }},
	{"lag_theory_rad", func(s cannEnd, v cann.Values) float64 { return v.Lag(s.UMax) }},
	{"diffusion_theory_rad2_per_ms", func(_ cannEnd, v cann.Values) float64 { h, _ := v.Line(); return v.Diffusion(h) }},
	{"u_max_theory", func(_ cannEnd, v cann.Values) float64 { h, _ := v.Line(); return h }},
}

// cannEnd is how a run of cann ends: its state, and the largest lag, of either sign, in its second half. That is pi
// where the stimulus is lost.
type cannEnd struct {
	cann.State
	lagMax float64
}

// lagSamples is the number of samples of the lag in the second half of a run.
const lagSamples = 200

// readCANN makes the sweep one of cann.
func (s *networkSweep) readCANN(args []string) error {
	c, err := readCANN(&s.Flags, s.Cmd.Flags(), args, true)
	if err != nil {
		return verb.Misused(err)
	}
	c.Grid.Zip = s.zip
	var bad fault.List
	bad.Add(c.Grid.Check())
	chosen, err := chooseCANN(s.measures.List)
	bad.About("--measures", err)
	if e := s.network.trials.Err; e != nil {
		bad.About("--trials", fmt.Errorf("--trials: %w", e))
	}
	if s.network.trials.Value > 1 && c.Values[cann.Sigma] == 0 && !c.Sweeps(cann.Sigma) {
		s.Warnf("without noise (sigma=0) all trials are the same")
	}
	bad.Add(s.Apart(s.dryRun))
	bad.Add(s.readKeep())
	bad.Add(s.readEvery())
	if n := len(c.Grid.Axes); s.Plot.Value != "" && (n == 0 || n > 2 && !s.zip) {
		bad.About("--plot", fmt.Errorf("a grid over %d quantities makes no picture; one or two do", n))
	}
	if s.cfg.Workers = s.Workers.Value; s.cfg.Workers == 0 {
		s.cfg.Workers = sched.Allowed()
	}
	steps, err := c.Steps(s.Time.Value, s.Dt.Value)
	bad.Add(err)
	for point := range int(c.Grid.Points()) {
		if err := c.At(point).Check(); err != nil {
			bad.Add(err)
			break
		}
	}
	if err := bad.Err(); err != nil {
		return verb.Misused(err)
	}
	s.name, s.title, s.rates = c.Name, cann.Title, c
	s.recordOf = func(r *sweep.JobsResult) file.Record {
		out := record.CANN(c, s.Dt.Value, s.Seed.Value)
		out.Extra["trials"] = max(1, r.Jobs.Trials)
		out.Extra["points"], out.Extra["time_ms"] = int(c.Grid.Points()), s.Time.Value
		out.Extra["experiment"], out.Workers = r.Jobs.Digest(), r.Workers
		record.AddWorkers(out.Extra, r.Sched)
		return out
	}
	s.jobs = cannJobs(c, s.Seed.Value, steps, s.Dt.Value, chosen)
	s.jobs.Trials = s.network.trials.Value
	return nil
}

// chooseCANN finds measures by name; none are the first three.
func chooseCANN(names []string) (chosen []int, err error) {
	var known []string
	for i, m := range cannMeasures {
		known = append(known, m.name)
		if len(names) == 0 && i < 3 {
			chosen = append(chosen, i)
		}
	}
	for _, name := range names {
		i := slices.IndexFunc(known, func(k string) bool { return k == name || k == name+"_rad" || k == name+"_rad2_per_ms" })
		if i < 0 {
			return nil, fmt.Errorf("cann has no measure %q; the measures are %v", name, known)
		}
		chosen = append(chosen, i)
	}
	return chosen, nil
}

// cannJobs are the runs of a sweep.
func cannJobs(c *experiment.CANN, seed uint64, steps int64, dt float64, chosen []int) *sweep.Jobs {
	j := &sweep.Jobs{Grid: c.Grid, Identity: fmt.Sprintf("cann %v seed %d steps %d dt %v", c.Values, seed, steps, dt)}
	for _, i := range chosen {
		j.Columns = append(j.Columns, sweep.JobColumn{Name: cannMeasures[i].name})
	}
	j.Run = func(ctx context.Context, point, trial, _ int) ([]float64, error) {
		v := c.At(point)
		w := cann.New(v, dt)
		w.Noise = cann.NoiseOf(seed, trial)
		var end cannEnd
		for k := range steps {
			if k%1000 == 0 && ctx.Err() != nil {
				return nil, ctx.Err()
			}
			w.Step()
			if every := max(1, steps/2/lagSamples); 2*k >= steps && k%every == 0 {
				end.lagMax = max(end.lagMax, math.Abs(w.Measure().Lag))
			}
		}
		end.State = w.Measure()
		var values []float64
		for _, i := range chosen {
			values = append(values, cannMeasures[i].of(end, v))
		}
		return values, nil
	}
	return j
}
