package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"popsim/cmd/popsim/internal/batch"
	"popsim/cmd/popsim/internal/cli"
	"popsim/cmd/popsim/internal/flagset"
	"popsim/cmd/popsim/internal/memory"
	"popsim/cmd/popsim/internal/output"
	"popsim/cmd/popsim/internal/record"
	"popsim/cmd/popsim/internal/signals"
	"popsim/cmd/popsim/internal/verb"
	"popsim/experiment"
	"popsim/figure"
	"popsim/kernels"
	"popsim/network/description"
	"popsim/network/measure"
	"popsim/sched"
	"popsim/sweep"
	"popsim/table/file"
)

// networkMapFlags are the flags of map that apply to networks only.
type networkMapFlags struct {
	trials experiment.Count
	onGrid bool
	bin    experiment.Quantity
	embedded
}

// add registers the flags.
func (f *networkMapFlags) add(set *pflag.FlagSet) {
	f.bin = experiment.Quantity{Unit: "ms", Value: 1}
	flagset.Add(set, experiment.Flag{Name: "trials", Value: &f.trials, Help: "runs of each point, with other noise; " +
		"of networks with other inputs and initial states"})
	flagset.Add(set, experiment.Flag{Name: "spikes-on-grid", Value: (*experiment.Switch)(&f.onGrid), Help: "networks: " +
		"spikes and arrivals at the ends of steps"})
	flagset.Add(set, experiment.Flag{Name: "bin", Value: &f.bin, Help: "networks: time over which counts for synchrony " +
		"are taken"})
	f.embedded.add(set)
}

// networkSweep is one call of map for a network.
type networkSweep struct {
	*sweepCommand
	q     *experiment.Network // nil for cann, and so is x
	x     *measure.Sweep
	rates *experiment.CANN // nil but for cann
	jobs  *sweep.Jobs

	name, title string
	recordOf    func(r *sweep.JobsResult) file.Record
}

// read parses and checks the command line, and reports all errors together.
func (s *networkSweep) read() error {
	isa, bad := s.Check()
	f := &s.network
	for _, refused := range []struct {
		flag  string
		given bool
	}{
		{"--method", s.Method.Given},
		{"--from", s.from.Given},
		{"--full", s.full},
		{"--refine", s.refine.Given},
		{"--noise", len(s.drive.noises.List) > 0},
		{"--waveform", len(s.drive.waveforms.List) > 0},
	} {
		if refused.given {
			bad.About(refused.flag, fmt.Errorf("%s is not for networks", refused.flag))
		}
	}
	for _, e := range []struct {
		flag string
		err  error
	}{{"--trials", f.trials.Err}, {"--bin", f.bin.Err}} {
		if e.err != nil {
			bad.About(e.flag, fmt.Errorf("%s: %w", e.flag, e.err))
		}
	}
	bad.Add(s.q.Check())
	s.x = s.sweepOf(isa)
	if err := s.x.Read(s.q.Settings); err != nil {
		bad.Add(err)
		return verb.Misused(bad.Err())
	}
	if s.takeDefaults() {
		s.x = s.sweepOf(isa)
		bad.Add(s.x.Read(s.q.Settings))
	}
	bad.Add(experiment.CheckFileSums(f.files.List, s.x.Base.Files))
	bad.Add(s.Apart(s.dryRun))
	bad.Add(s.readKeep())
	bad.Add(s.readEvery())
	if n := len(s.x.Grid.Axes); s.Plot.Value != "" && (n == 0 && !s.x.Moves() || n > 2 && !s.zip) {
		bad.About("--plot", fmt.Errorf("a grid over %d quantities makes no picture; one or two do", n))
	}
	s.cfg.Workers, s.cfg.ISA = s.Workers.Value, isa
	if s.cfg.Workers == 0 {
		s.cfg.Workers = sched.Allowed()
	}
	bad.Add(s.plan())
	s.name, s.title = s.q.Name, s.x.Description.Title
	s.recordOf = func(r *sweep.JobsResult) file.Record { return record.NetworkSweep(s.q, s.x, r) }
	return verb.Misused(bad.Err())
}

// sweepOf is the sweep that the flags specify.
func (s *networkSweep) sweepOf(isa kernels.ISA) *measure.Sweep {
	x := &measure.Sweep{
		Description: s.q.Description, Options: description.Options{
			Preset: s.q.Preset, Seed: s.Seed.Value,
			Dt: s.Dt.Value, OnGrid: s.network.onGrid, Memory: memory.Available(),
		},
		Grid: sweep.Grid{Zip: s.zip}, Trials: s.network.trials.Value, Measures: s.measures.List,
		Run: measure.Run{Discard: -1, Bin: s.network.bin.Value, ISA: isa},
	}
	if s.Time.Given {
		x.Run.Time = s.Time.Value
	}
	if s.Discard.Given {
		x.Run.Discard = s.Discard.Value
	}
	return x
}

// takeDefaults takes from [map] of the description the flags that are not given, and reports whether there are any.
func (s *networkSweep) takeDefaults() bool {
	m := s.x.Base.Map
	if s.x.Grid.Points() < float64(m.Points) {
		return false
	}
	var taken []string
	take := func(q *experiment.Quantity, flag string, ms float64) {
		if !q.Given && ms > 0 {
			q.Value, q.Given = ms, true
			taken = append(taken, "--"+flag+" "+verb.Milliseconds(ms))
		}
	}
	if m.OnGrid && !s.Cmd.Flags().Changed("spikes-on-grid") {
		s.network.onGrid = true
		taken = append(taken, "--spikes-on-grid")
	}
	take(&s.Time, "time", m.Time)
	if m.Discard < s.x.Run.Time && m.Discard < s.Time.Value {
		take(&s.Discard, "discard", m.Discard)
	}
	if len(taken) > 0 {
		s.Infof("%s, as [map] of the network has it for %d points and more", strings.Join(taken, " "), m.Points)
	}
	return len(taken) > 0
}

// plan decides whether several runs run at once, each with one worker, or one after the other, each with all.
func (s *networkSweep) plan() error {
	need, free := float64(s.x.Forecast.Bytes), memory.Available()
	rows := int(s.x.Grid.Points()) * max(1, s.x.Trials) / max(1, s.cfg.Part.Of)
	s.jobs = s.x.Jobs(rows < s.cfg.Workers || need*float64(s.cfg.Workers) > free/2)
	s.x.Run.Memory = int64(free)
	if s.away {
		return nil
	}
	return memory.Fits("the network", need)
}

// run runs the sweep and writes the results.
func (s *networkSweep) run(ctx context.Context) error {
	if s.isFinished(s.jobs.Digest()) {
		return nil
	}
	var out *file.Output
	if !s.dryRun {
		var err error
		if out, err = s.open(s.jobs.Rows(), false); err != nil {
			return err
		}
		defer output.Abort(out)
	}
	if err := s.keepExperiment(); err != nil {
		return err
	}
	if err := s.reportForecast(ctx); err != nil || s.dryRun {
		return err
	}
	s.Phase("read")
	if s.cfg.Keep != "" {
		s.cfg.Stop, s.cfg.Job = signals.Graceful(ctx), batch.JobName()
	}
	r, err := s.runJobs(ctx)
	s.Phase("run")
	if errors.Is(err, sweep.ErrEmptyPart) {
		return verb.Misused(err)
	}
	if r != nil && s.x != nil {
		s.WarnAll(s.x.Notes())
	}
	switch canceled := errors.Is(err, context.Canceled); {
	case canceled && s.cfg.Keep != "":
		s.reportInterrupted(ctx, r.Kept)
		return err
	case canceled:
		s.cut = true
		s.Warnf("interrupted; the runs that were finished are %s", s.Partial(out))
	case err != nil:
		return err
	case s.cfg.Part.Of > 0:
		s.Infof("part %d/%d is in %s; popsim merge %s joins all", s.cfg.Part.Number, s.cfg.Part.Of,
			sweep.PartPath(s.cfg.Keep, s.cfg.Part), s.cfg.Keep)
		return s.partError(jobFailures(r))
	}
	s.reportFits(r)
	if e := s.write(out, r); e != nil {
		return e
	}
	s.Infof("%s in %.3g s, %s", cli.Count(r.Finished(), "run"), r.Elapsed.Seconds(), cli.Count(r.Workers, "worker"))
	return errors.Join(err, jobFailures(r))
}

// runJobs makes the runs, with progress.
func (s *networkSweep) runJobs(ctx context.Context) (r *sweep.JobsResult, err error) {
	stop := func() {}
	if !s.Quiet {
		s.cfg.Tick, stop = cli.Shared(s.Stderr, "runs")
	}
	err = s.Compute(ctx, &s.Flags, s.verb, s.title, func(ctx context.Context) (err error) {
		r, err = sweep.RunJobs(ctx, s.jobs, s.cfg, func(r *sweep.JobsResult) any { return s.Completed(s.record(r)) })
		return err
	})
	stop()
	return r, err
}

// partError is the error of a finished part: points that failed are no reason for a batch system to stop.
func (s *networkSweep) partError(err error) error {
	if err != nil && strings.HasPrefix(s.part.Value, "auto") {
		s.Warnf("%v; the part is complete, and popsim merge will report this again", err)
		return nil
	}
	return err
}

// jobFailures is the error of a sweep in which runs failed.
func jobFailures(r *sweep.JobsResult) error {
	blown, refused := r.Count("status", measure.Blown), r.Count("status", measure.Refused)
	if blown+refused == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d runs failed; the column status marks them", blown+refused, r.Finished())
}

// reportForecast writes the expected cost of the sweep.
func (s *networkSweep) reportForecast(ctx context.Context) error {
	if s.x == nil {
		s.Infof("%s of rate units", cli.Count(s.jobs.Rows(), "run"))
		return nil
	}
	fc := s.x.Forecast
	text := fmt.Sprintf("%s of %s with %.3g synapses", cli.Count(s.jobs.Rows(), "run"), cli.Count(fc.Neurons, "neuron"),
		float64(fc.Edges))
	if s.dryRun {
		seconds, err := s.x.Seconds(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(s.Stderr, "popsim: %s, %s each, about %s of one processor\n", text, memory.Size(float64(fc.Bytes)),
			cli.Duration(seconds*float64(s.jobs.Rows())))
		return nil
	}
	s.Infof("%s", text)
	return nil
}

// keepExperiment writes the experiment to the file of --save.
func (s *networkSweep) keepExperiment() error {
	if s.rates != nil {
		return s.SaveExperiment(&s.Flags, savedCANN(s.rates, &s.Call, &s.Flags, "map"))
	}
	s.network.files.List = experiment.FileSums(s.x.Base.Files)
	resolved := map[string]string{
		"dt": verb.Milliseconds(s.x.Base.Spec.Dt), "time": verb.Milliseconds(s.x.Run.Time),
		"discard": verb.Milliseconds(s.x.Run.Discard), "seed": "",
		"bin": verb.Milliseconds(s.x.Run.Bin),
	}
	if s.network.onGrid {
		resolved["spikes-on-grid"] = ""
	}
	return s.SaveExperiment(&s.Flags, s.q.Saved("map", s.SavedComment(), flagset.Records(s.Cmd.Flags()),
		s.Cmd.Flags().Changed, resolved, len(s.network.files.List) > 0))
}

// write writes table, picture and record, and removes the checkpoints.
func (s *networkSweep) write(out *file.Output, r *sweep.JobsResult) error {
	if out != nil {
		if err := errors.Join(out.WriteTable(r.Table()), out.Commit()); err != nil {
			return err
		}
	}
	if s.Plot.Value != "" {
		f, err := figure.Jobs(r, s.name)
		if err != nil {
			return err
		}
		if err := s.Draw(&s.Flags, f, s.replaces()); err != nil {
			return err
		}
	}
	s.Phase("write")
	if err := s.Aside(s.Out.Value, out, s.record(r)); err != nil || s.cfg.Keep == "" {
		return err
	}
	return sweep.Discard(s.cfg.Keep) // last: a sweep that is killed before this has all it needs to write its files again
}

// record returns the record of the table.
func (s *networkSweep) record(r *sweep.JobsResult) file.Record {
	out := s.recordOf(r)
	out.ISA, out.Extra["interrupted"] = s.cfg.ISA.String(), s.cut
	return out
}

// reportFits writes the fits to choices and movements in trials, and warns of trials that they leave out.
func (v *call) reportFits(r *sweep.JobsResult) {
	v.WarnAll(measure.LostOf(r))
	for _, c := range measure.ChoicesOf(r) {
		v.Infof("%s", c)
	}
	for _, d := range measure.DriftsOf(r) {
		v.Infof("%s", d)
	}
}
