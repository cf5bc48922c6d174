package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"popsim/cmd/popsim/internal/batch"
	"popsim/cmd/popsim/internal/cli"
	"popsim/cmd/popsim/internal/memory"
	"popsim/cmd/popsim/internal/output"
	"popsim/cmd/popsim/internal/record"
	"popsim/cmd/popsim/internal/signals"
	"popsim/cmd/popsim/internal/verb"
	"popsim/dynamics"
	"popsim/experiment"
	"popsim/fault"
	"popsim/figure"
	"popsim/sweep"
	"popsim/table/file"
)

// longSteps is the number of neuron-steps from which on the time of a sweep is forecast.
const longSteps = 1e9

// run parses and checks the command line, opens the files, runs the sweep and writes the results.
func (s *sweepCommand) run(ctx context.Context, args []string) (err error) {
	if models, settings := modelsOf(args); s.verb == "fi" && len(models) > 1 {
		return s.runModels(ctx, models, settings)
	}
	if err := s.read(args); err != nil {
		return err
	}
	if s.net != nil {
		return s.net.run(ctx)
	}
	if s.drive.given() {
		return s.runDriven(ctx)
	}
	mine, err := s.spec.Digest()
	if err != nil {
		return err
	}
	done := s.isFinished(mine)
	var out *file.Output
	if !done && !s.dryRun {
		if out, err = s.open(s.forecast.Points, s.spec.Late || s.spec.Resets); err != nil {
			return err
		}
		defer output.Abort(out)
	}
	if err := s.Understood(&s.Flags, s.neuron, map[string]string{
		"dt": verb.Milliseconds(s.spec.Step()), "method": s.spec.Method, "time": "", "discard": "", "from": "", "seed": "",
	}); err != nil || done {
		return err
	}
	if err := s.reportForecast(ctx); err != nil || s.dryRun {
		return err
	}
	s.Phase("read")
	r, err := s.calculate(ctx)
	switch {
	case errors.Is(err, context.Canceled) && s.cfg.Keep != "":
		kept := 0
		if r != nil {
			kept = r.Kept
		}
		s.reportInterrupted(ctx, kept)
		return err
	case errors.Is(err, context.Canceled):
		s.cut = true
		s.Warnf("interrupted; the points that were finished are %s", s.Partial(out))
	case err != nil:
		return err
	}
	s.checkTrains(r)
	if s.cfg.Part.Of > 0 {
		return s.endPart(r)
	}
	if e := s.write(out, r); e != nil {
		return e
	}
	s.summary(r)
	return errors.Join(err, failures(r))
}

// calculate runs the sweep under the requested profile.
func (s *sweepCommand) calculate(ctx context.Context) (r *sweep.Result, err error) {
	if s.cfg.Keep != "" {
		s.cfg.Stop, s.cfg.Job = signals.Graceful(ctx), batch.JobName()
	}
	if s.cfg.Part.Of > 0 {
		s.cfg.Record = func(r *sweep.Result) any { return s.Completed(s.record(r)) }
	}
	err = s.Compute(ctx, &s.Flags, s.verb, s.neuron.Model.Name, func(ctx context.Context) (err error) {
		r, err = s.advance(ctx)
		return err
	})
	if r != nil {
		s.Spent(r.Phases)
	}
	s.Phase("borders")
	return r, err
}

// endPart says where a finished part is. Failed points are an error except in a task of a batch system, where an error
// would stop the other tasks.
func (s *sweepCommand) endPart(r *sweep.Result) error {
	s.Infof("part %d/%d is in %s; popsim merge %s joins all", s.cfg.Part.Number, s.cfg.Part.Of,
		sweep.PartPath(s.cfg.Keep, s.cfg.Part), s.cfg.Keep)
	s.summary(r)
	err := failures(r)
	if err != nil && strings.HasPrefix(s.part.Value, "auto") {
		s.Warnf("%v; the part is complete, and popsim merge will report this again", err)
		return nil
	}
	return err
}

// isFinished reports whether a sweep that is to be resumed is already complete. Its checkpoints are removed last.
func (s *sweepCommand) isFinished(digest string) bool {
	if !s.resume || s.cfg.Part.Of > 0 || s.replaces() || !record.Finished(s.Out.Value, digest) {
		return false
	}
	s.Infof("%s is finished already", s.Out.Value)
	return true
}

// reportInterrupted says how to continue an interrupted sweep with checkpoints, to which this run has added kept
// points, and requeues the task if its time has run out.
func (s *sweepCommand) reportInterrupted(ctx context.Context, kept int) {
	if !sweep.HasCheckpoints(s.kept()) {
		s.Warnf("interrupted before the first checkpoint was finished; nothing is kept")
		return
	}
	s.Warnf("interrupted; the checkpoints that were finished are kept beside %s, and --resume continues from them",
		s.Out.Value)
	s.requeue(ctx, kept)
}

// replaces reports whether existing files may be overwritten: with --force, or if they were written at the end of the
// sweep that is resumed.
func (s *sweepCommand) replaces() bool { return s.Force || s.resume && s.goesOn }

// kept returns the path with which the names of the checkpoints begin.
func (s *sweepCommand) kept() string {
	if s.cfg.Part.Of > 0 {
		return sweep.PartPath(s.cfg.Keep, s.cfg.Part)
	}
	return s.cfg.Keep
}

// failures returns the error of a sweep in which the states of some points became NaN.
func failures(r *sweep.Result) error { return failed(r.Failed(), r.Rows()) }

func failed(n, of int) error {
	if n == 0 {
		return nil
	}
	return fault.Hint(fmt.Errorf("%d of %d points became NaN or infinite; the column status marks them with nan", n,
		of), "a smaller --dt may help")
}

// reportForecast writes the largest cost of the sweep. The time is estimated by a measurement if it is long, or with
// --dry-run.
func (s *sweepCommand) reportForecast(ctx context.Context) error {
	text := fmt.Sprintf("%s in steps of %v ms: at most %.3g neuron-steps, %s", cli.Count(s.forecast.Points, "point"),
		s.spec.Step(), s.forecast.Steps, memory.Size(s.forecast.Bytes))
	if s.dryRun || s.forecast.Steps > longSteps {
		speed, err := s.spec.Speed(ctx, s.cfg)
		if err != nil {
			return err
		}
		text += ", " + cli.Duration(s.forecast.Steps/speed)
	}
	if s.dryRun {
		fmt.Fprintf(s.Stderr, "popsim: %s\n", text)
		return nil
	}
	s.Infof("%s", text)
	return nil
}

// open opens the table before the work begins. A part has none: its results are in the file of the part.
func (s *sweepCommand) open(rows int, long bool) (*file.Output, error) {
	if err := s.CheckPicture(s.replaces()); err != nil {
		return nil, err
	}
	switch {
	case s.cfg.Part.Of > 0:
		return nil, nil
	case s.Out.Value == "" && output.OnTerminal(s.Stdout) && (rows > terminalRows || long):
		s.Infof("the table of %s is not shown on a terminal; -o FILE keeps it", cli.Count(rows, "point"))
		return nil, nil
	case s.Out.Value == "":
		return file.NewCSV(s.Stdout), nil
	}
	if s.resume {
		for _, path := range []string{s.Out.Value, s.Out.Value + file.RecordEnding, s.Plot.Value} {
			if path != "" {
				if err := file.Tidy(path); err != nil {
					return nil, err
				}
			}
		}
	}
	return s.Create(s.Out.Value, s.replaces())
}

// advance runs the sweep, shows its progress, and refines it with --refine.
func (s *sweepCommand) advance(ctx context.Context) (*sweep.Result, error) {
	stop := func() {}
	if !s.Quiet {
		s.cfg.Tick, stop = cli.Shared(s.Stderr, "points")
	}
	r, err := sweep.Run(ctx, s.spec, s.cfg)
	stop()
	s.cfg.Tick = nil
	if errors.Is(err, sweep.ErrEmptyPart) {
		return r, verb.Misused(err)
	}
	if err != nil {
		return r, err
	}
	if s.tolerance > 0 {
		fine, transitions, err := sweep.Refine(ctx, r, s.cfg, s.tolerance)
		if err != nil {
			return r, err
		}
		s.transitions = transitions
		if len(transitions) == 0 {
			s.Warnf("--refine found no transition along %s between points that are silent, transient or firing; it added "+
				"no points", s.spec.Grid.Axes[0].Name)
		}
		return fine, nil
	}
	if s.verb == "fi" && len(s.spec.Grid.Axes) == 1 && s.spec.From == sweep.FromRest && s.cfg.Part.Of == 0 {
		s.transitions = r.Transitions()
	}
	return r, nil
}

// write writes the table, the picture and the record, and removes the checkpoints.
func (s *sweepCommand) write(out *file.Output, r *sweep.Result) error {
	if out != nil {
		if err := writeResult(out, r); err != nil {
			return err
		}
	}
	if s.Plot.Value != "" {
		if n := figure.CurvesOf(s.spec); s.verb == "fi" && len(s.spec.Grid.Axes) == 2 && !s.zip && n > figure.ShownCurves {
			s.Infof("%d curves are too many for one picture; they are drawn as a map in colours", n)
		}
		f, err := s.sweepPicture().Figure(r)
		if err != nil {
			return err
		}
		if err := s.Draw(&s.Flags, f, s.replaces()); err != nil {
			return err
		}
	} else if !s.Quiet && cli.IsTerminal(s.Stderr) {
		fmt.Fprint(s.Stderr, s.sweepPicture().Terminal(r, cli.Width()))
	}
	s.Phase("write")
	if err := s.Aside(s.Out.Value, out, s.record(r)); err != nil || s.cfg.Keep == "" {
		return err
	}
	return sweep.Discard(s.cfg.Keep) // last, so that a sweep killed before this can write its files again
}

// writeResult writes the table of a sweep.
func writeResult(out *file.Output, r *sweep.Result) error {
	if err := out.WriteTable(r.MainTable()); err != nil {
		return err
	}
	return out.Commit()
}

// shownTransitions is the largest number of transitions that are written.
const shownTransitions = 8

// summary writes the transitions, the counts by status, and how fast the sweep was.
func (s *sweepCommand) summary(r *sweep.Result) {
	for _, b := range s.transitions[:min(shownTransitions, len(s.transitions))] {
		s.Infof("%v", b)
	}
	if x := s.rheobase(); !math.IsNaN(x) {
		s.Infof("resting state disappears at I = %.10g %s (analytical rheobase)", x, s.neuron.Model.CurrentUnit)
	}
	if s.verb == "fi" && len(s.spec.Grid.Axes) == 1 && s.spec.From == sweep.FromRest {
		if slope, n := r.Gain(); !math.IsNaN(slope) {
			s.Infof("gain %.4g Hz per %s (line through the %d points that keep firing)", slope, s.neuron.Model.CurrentUnit, n)
		}
	}
	if c := r.Bursts(); s.verb == "fi" && c.N > 0 {
		s.Infof("bursting at %s: %v", cli.Count(c.N, "point"), &c)
	}
	counts := sweep.StatusCounts{}
	counts.Add(r)
	s.reportStatus(counts)
	seconds := r.Elapsed.Seconds()
	s.Infof("%.3g s, %.3g neuron-steps/s; kernel %s/%s, instruction set %s, %s",
		seconds, float64(r.LaneSteps)/math.Max(seconds, 1e-9), s.neuron.Model.Name, s.spec.Method, r.Kernel.ISA,
		cli.Count(r.Workers, "worker"))
}

// checkTrains warns about points that fire too fast for the step.
func (s *sweepCommand) checkTrains(r *sweep.Result) {
	method, _ := s.neuron.Model.Method(s.spec.Method)
	c := experiment.Crowding{Method: method, Dt: s.spec.Step()}
	refractory := func(int) float64 { return 0 }
	if j := s.neuron.Model.Index("t_ref"); j >= 0 {
		refractory = func(int) float64 { return r.Spec.P[j] }
		if r.Varies("t_ref") {
			refractory = func(row int) float64 { return r.Value("t_ref", row) }
		}
	}
	for row, end := r.Present(); row < end; row++ {
		c.Add(row, 1000/r.Value("rate_Hz", row), refractory(row))
	}
	s.WarnNote(c.Note("point"))
}

// rheobase returns the analytical rheobase of an f-I curve over I alone; NaN for models without one.
func (s *sweepCommand) rheobase() float64 {
	if s.verb != "fi" || len(s.spec.Grid.Axes) != 1 {
		return math.NaN()
	}
	return dynamics.Rheobase(s.neuron.Model, s.spec.P)
}

// statusAdvice holds the advice to the user for a status.
var statusAdvice = map[string]string{
	"drift":        "the rate still changes; more --time or --discard settles it",
	"subthreshold": "V oscillates without crossing V_th; -m V shows how high it comes",
	"runaway":      "V goes to infinity by the equations, whatever the step; -m ended_ms gives the time",
	"stopped":      "the train ended; the rate is that of the train",
}

// reportStatus writes how many points have each status other than ok.
func (v *call) reportStatus(counts sweep.StatusCounts) {
	for _, w := range slices.Sorted(maps.Keys(counts)) {
		text := fmt.Sprintf("status %s at %s", w, cli.Count(counts[w], "point"))
		if advice := statusAdvice[w]; advice != "" {
			text += ": " + advice
		}
		v.Infof("%s", text)
	}
}

// record returns the record of the table.
func (s *sweepCommand) record(r *sweep.Result) file.Record {
	q := record.Sweep(s.neuron, r, s.Seed.Value)
	q.Extra["interrupted"], q.Extra["neuron_steps_forecast"] = s.cut, s.forecast.Steps
	q.Extra["memory_forecast_bytes"] = s.forecast.Bytes
	if s.transitions != nil {
		q.Extra["borders"] = record.Lines(s.transitions)
	}
	if x := s.rheobase(); !math.IsNaN(x) {
		q.Extra["rheobase"] = x
	}
	return q
}

// readRefine parses --refine.
func (s *sweepCommand) readRefine() (err error) {
	if s.refine.Value == "" {
		return nil
	}
	if s.tolerance, err = experiment.ParseTolerance(s.refine.Value, s.spec); err != nil {
		return err
	}
	if s.part.Value != "" || s.resume {
		return errors.New("--refine is not for sweeps in parts or checkpoints: its points depend on one another")
	}
	return nil
}

// readKeep decides where the sweep writes checkpoints: beside the file of every sweep that has one, and of parts, which
// are files of their own.
func (s *sweepCommand) readKeep() (err error) {
	path := s.Out.Value
	if s.part.Value != "" {
		if s.cfg.Part, err = batch.ParsePart(s.part.Value); err != nil {
			return err
		}
		if err := file.CheckFormat(path); path != "" && err != nil {
			return err // merge would refuse it only after all parts are done
		}
		if s.Plot.Value != "" {
			return fault.Hint(errors.New("a part makes no picture"), "popsim merge --plot makes one of all parts")
		}
	}
	regular := s.keepable()
	switch {
	case (s.part.Value != "" || s.resume) && !regular:
		return fault.Hint(errors.New("parts and checkpoints are kept beside a file, but none is given"), "-o FILE gives one")
	case !regular || s.tolerance > 0:
		return nil
	case s.part.Value == "" && sweep.HasCheckpoints(path) && !s.resume && !s.Force:
		return fault.Hint(fmt.Errorf("an unfinished sweep has left checkpoints beside %s", path),
			"--resume continues from them, --force throws them away")
	}
	s.goesOn = s.resume && sweep.HasCheckpoints(path)
	s.cfg.Keep, s.cfg.Resume, s.cfg.Discard = path, s.resume, s.Force && !s.resume
	return nil
}

// keepable reports whether -o names a regular file, beside which checkpoints can be written.
func (s *sweepCommand) keepable() bool {
	path := s.Out.Value
	info, err := os.Stat(path)
	return path != "" && !output.ToStdout(path) && (err != nil || info.Mode().IsRegular())
}

// readEvery parses --save-every.
func (s *sweepCommand) readEvery() error {
	switch {
	case s.every.Err != nil:
		return fmt.Errorf("--save-every: %w", s.every.Err)
	case s.every.Given && !(s.every.Value > 0 && s.every.Value < 1e9):
		return fmt.Errorf("--save-every is %v s; it must be greater than 0", s.every.Value)
	}
	s.cfg.Every = time.Duration(s.every.Value * float64(time.Second))
	return nil
}

// requeue submits this part to Slurm again after its time has run out. A task that has finished nothing since it began
// is not queued again, because it would never come to its end.
func (s *sweepCommand) requeue(ctx context.Context, kept int) {
	job := batch.JobName()
	if !strings.HasPrefix(s.part.Value, "auto") || job == "" || !signals.OutOfTime(ctx) {
		return
	}
	if kept == 0 {
		s.Warnf("the time of the task was too short to finish anything; it is not queued again")
		return
	}
	if err := batch.Requeue(job); err != nil {
		s.Warnf("%v", err)
		return
	}
	s.Warnf("the time of task %s has run out; it is queued again", job)
}
