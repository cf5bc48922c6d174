package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"popsim/cmd/popsim/internal/cli"
	"popsim/cmd/popsim/internal/completion"
	"popsim/cmd/popsim/internal/flagset"
	"popsim/cmd/popsim/internal/memory"
	"popsim/cmd/popsim/internal/output"
	"popsim/cmd/popsim/internal/topics"
	"popsim/cmd/popsim/internal/verb"
	"popsim/experiment"
	"popsim/fault"
	"popsim/figure"
	"popsim/kernels"
	"popsim/model"
	"popsim/pop"
	"popsim/recording"
	"popsim/sweep"
)

const runExample = `  popsim run lif:slide I=21 --time 200ms --spikes /dev/stdout
  popsim run adex:naud-init-burst --time 500ms --plot burst.svg
  popsim run lif -n 1e6 I=normal:21:2 --time 1s -o rates.parquet
  popsim run hh --waveform pulse:50ms:150ms:10 --time 200ms --trace v.csv --every 0.1ms`

// runCommand is one call of run.
type runCommand struct {
	*call
	verb.Flags
	n                 experiment.Count
	spikes, trace, of experiment.Word
	every             experiment.Quantity
	sta               experiment.Word // file of the spike-triggered average
	window            experiment.Quantity
	tops              bool
	waveforms         experiment.Texts
	noises            experiment.Texts
	networkFlags      networkFlags

	neuron  experiment.Neuron
	method  model.Method
	spec    pop.Spec
	cfg     pop.Config
	need    float64 // memory forecast, bytes
	traced  []int64
	outputs outputs
	picture *figure.Activity // nil without --plot
	late    *recording.Intervals
	average *recording.Average // nil without --sta

	interrupted bool
}

func (v *call) runVerb() *cobra.Command {
	s := &runCommand{call: v}
	cmd := &cobra.Command{
		Use:         "run MODEL|NETWORK[:PRESET] [NAME=VALUE ...]",
		Short:       "Advance a population, or a network",
		Long:        topics.Text("run"),
		Example:     runExample,
		Annotations: verb.OfModel, ValidArgsFunction: completion.Models,
		RunE: func(cmd *cobra.Command, args []string) error { return s.run(cmd.Context(), args) },
	}
	set := cmd.Flags()
	set.SortFlags = false
	flagset.Add(set, experiment.Flag{Name: "neurons", Letter: "n", Value: &s.n, Help: "number of neurons; 1e6 is " +
		"understood (default 1, or as many as a file of values has)"})
	s.Steps(set, 1000, 0)
	flagset.Add(set, experiment.Flag{Name: "seed", Value: &s.Seed, Help: "seed of draws such as normal:MEAN:SD, and " +
		"of --noise"})
	s.waveforms = experiment.Texts{Form: "SHAPE"}
	s.spikes, s.trace, s.of = experiment.Word{Form: "FILE"}, experiment.Word{Form: "FILE"},
		experiment.Word{Form: "NEURONS", Number: true, List: true}
	s.every = experiment.Quantity{Unit: "ms", Value: 0.1}
	flagset.Add(set, experiment.Flag{Name: "waveform", Offers: completion.Shapes, Value: &s.waveforms, Help: "current " +
		"added to I, times gain; may be repeated, shapes add up"})
	s.noises = experiment.Texts{Form: "NOISE"}
	flagset.Add(set, experiment.Flag{Name: "noise", Value: &s.noises, Help: "white:SIGMA on V, ou:SIGMA:TAU on the " +
		"current, poisson:RATE:WEIGHT[:exp-current:TAU], of each neuron its own; rates are then spikes counted"})
	flagset.Add(set, experiment.Flag{Name: "spikes", Value: &s.spikes, Help: "table of all spikes"})
	flagset.Add(set, experiment.Flag{Name: "trace", Value: &s.trace, Help: "table of states over time"})
	flagset.Add(set, experiment.Flag{Name: "of", Value: &s.of, Help: "neurons to trace, as 0:9 or 1,5,7 (default the " +
		"first ten, in pictures the first three)"})
	flagset.Add(set, experiment.Flag{Name: "every", Value: &s.every, Help: "time between traced states, in whole steps"})
	flagset.Add(set, experiment.Flag{Name: "tops", Value: (*experiment.Switch)(&s.tops), Help: "add a row with V = " +
		"V_th to the trace at every spike of a model that resets"})
	s.sta, s.window = experiment.Word{Form: "FILE"}, experiment.Quantity{Unit: "ms", Value: 50}
	flagset.Add(set, experiment.Flag{Name: "sta", Value: &s.sta, Help: "table of the spike-triggered average of " +
		"--waveform: its mean before the spikes of all neurons"})
	flagset.Add(set, experiment.Flag{Name: "window", Value: &s.window, Help: "time before a spike for --sta"})
	s.networkFlags.add(set)
	s.Files(set, &v.Quiet)
	return cmd
}

// run parses and checks the command line, opens the files, runs the population and writes the results.
func (s *runCommand) run(ctx context.Context, args []string) error {
	if len(args) > 0 && experiment.IsCANN(args[0]) {
		return s.runCANN(ctx, args)
	}
	if q, err := experiment.ParseNetwork(args, s.networkFlags.description.Value, s.Places); err != nil {
		return verb.Misused(err)
	} else if q != nil {
		return s.runNetwork(ctx, q)
	}
	if s.networkFlags.given() {
		return verb.Misused(errors.New("--spikes-on-grid, --populations, --edges, --rates, --spectrum, --bin, --save-every " +
			"and --resume belong to networks"))
	}
	if err := s.read(args); err != nil {
		return err
	}
	if err := s.open(); err != nil {
		return err
	}
	defer output.Abort(s.outputs.all()...)
	if err := s.Understood(&s.Flags, s.neuron, map[string]string{
		"dt": verb.Milliseconds(s.cfg.Dt), "method": s.method.Name, "time": "", "discard": "", "seed": "",
		"neurons": strconv.Itoa(s.spec.N),
	}); err != nil {
		return err
	}
	s.Phase("read")
	var sum pop.Summary
	err := s.Compute(ctx, &s.Flags, "run", s.neuron.Model.Name, func(ctx context.Context) (err error) {
		sum, err = s.advance(ctx)
		return err
	})
	s.Spent(sum.Phases)
	var blown *pop.BlownUp
	switch {
	case errors.Is(err, context.Canceled):
		s.interrupted = true
		s.Warnf("interrupted at %.6g ms of %.6g ms; what was finished is %s", float64(sum.Steps)*s.cfg.Dt, s.Time.Value,
			s.Partial(s.outputs.all()...))
	case errors.As(err, &blown) && !math.IsNaN(blown.Away):
		return err // a smaller step would not help
	case errors.As(err, &blown):
		return s.adviseStep(err, blown)
	case err != nil:
		return err
	}
	if n := len(sum.Away); n > 0 {
		s.Warnf("runaway: V of %s goes to infinity by the equations, whatever the step: neuron %d from t = %.6g ms on",
			cli.Count(n, "neuron"), sum.Away[0].Neuron, sum.Away[0].Time)
	}
	if e := s.write(sum); e != nil {
		return e
	}
	s.summary(sum)
	return err
}

// read parses and checks the command line, and reports all errors together.
func (s *runCommand) read(args []string) error {
	isa, bad := s.Check()
	q, err := experiment.ParseNeuron(args, experiment.GainName)
	bad.Add(err)
	if q.Model == nil {
		return verb.Misused(bad.Err())
	}
	s.neuron = q
	s.method, err = q.Model.Method(s.Flags.Method.Value)
	bad.About("--method", err)
	bad.Add(q.Check("run", experiment.Number|experiment.Drawn|experiment.File))
	n, err := q.Count(s.n.Value)
	if err = errors.Join(s.n.Err, err); err != nil {
		bad.About("--neurons", fmt.Errorf("-n: %w", err))
	}
	bad.Add(s.checkFiles())
	if err := verb.Misused(bad.Err()); err != nil {
		return err
	}
	s.cfg = pop.Config{Dt: s.method.Dt, Workers: s.Workers.Value, ISA: isa, Train: true, From: s.Discard.Value}
	if s.Dt.Given {
		s.cfg.Dt = s.Dt.Value
	}
	if err := experiment.CheckSpan(s.Time.Value, s.cfg.Dt); err != nil {
		return verb.Misused(fault.About("--time", err))
	}
	var badNoise error
	s.cfg.Noise, badNoise = experiment.ParseNoise(s.noises.List, s.neuron.Model, s.Seed.Value)
	badWaveform := s.readWaveform() // before the forecast, since a waveform takes memory for trains
	if err := s.forecast(n); err != nil {
		return verb.Misused(err)
	}
	s.spec = q.Population(s.method.Name, n, func(x experiment.Setting) kernels.Values {
		return x.Value.Values(x.Name, n, s.Seed.Value)
	})
	bad.Add(experiment.CheckPopulation(s.spec))
	if len(bad) == 0 {
		note, err := experiment.CheckStep(s.spec, s.cfg.Dt)
		bad.About("--dt", err)
		s.WarnNote(note)
	}
	bad.About("--waveform", badWaveform)
	bad.About("--noise", badNoise)
	s.WarnAll(q.Notes)
	bad.About("--of", s.readTrace())
	return verb.Misused(bad.Err())
}

// forecast returns an error if a population of n neurons would not fit into memory.
func (s *runCommand) forecast(n int) error {
	held := 0.0
	fake := s.neuron.Population(s.method.Name, n, func(x experiment.Setting) kernels.Values {
		if x.Value.Kind != experiment.Drawn {
			return x.Value.Values(x.Name, n, s.Seed.Value)
		}
		held += 8 * float64(n)
		return kernels.Values{x.Value.Draw.A, x.Value.Draw.A}
	})
	bytes, err := pop.Forecast(fake, s.cfg)
	if err != nil {
		return nil // errors in parameters are reported later, together
	}
	s.need = float64(bytes) + held
	if s.sta.Value != "" {
		s.need += 8 * float64(pop.Steps(s.Time.Value, s.cfg.Dt)) // spikes of each step
	}
	return memory.Fits(fmt.Sprintf("a population of %d %s neurons", n, s.neuron.Model.Name), s.need)
}

// readWaveform parses the shapes of the input.
func (s *runCommand) readWaveform() error {
	gain := slices.ContainsFunc(s.neuron.Settings, func(x experiment.Setting) bool { return x.Target == experiment.Gain })
	if len(s.waveforms.List) == 0 {
		if gain {
			return fault.Hint(errors.New("gain is set, but there is no waveform to take with it"), "--waveform SHAPE gives one")
		}
		return nil
	}
	sum, notes, err := experiment.ParseWaveform(s.waveforms.List, s.neuron.Model.CurrentUnit, s.Time.Value)
	s.WarnAll(notes)
	if len(sum) == 1 {
		s.cfg.Waveform = sum[0].Waveform(s.cfg.Dt).Mean
	} else {
		s.cfg.Waveform = sum.Waveform(s.cfg.Dt).Mean
	}
	return err
}

// advance runs the population, and records what the flags request.
func (s *runCommand) advance(ctx context.Context) (pop.Summary, error) {
	steps := pop.Steps(s.Time.Value, s.cfg.Dt)
	var progress *cli.Progress
	if !s.Quiet {
		progress = cli.NewProgress(s.Stderr, float64(steps)*float64(s.spec.N), "neuron-steps")
		s.cfg.Tick = func(done, _ int64) { progress.Update(float64(done) * float64(s.spec.N)) }
	}
	recorders := s.recorders()
	recording.Attach(&s.cfg, recorders...)
	sum, err := pop.Run(ctx, s.spec, s.cfg, s.Time.Value)
	progress.Clear()
	if e := recording.Close(recorders...); err == nil {
		err = e
	}
	s.checkTrains(sum.Trains)
	return sum, err
}

// checkTrains warns about neurons that fire too fast for the step.
func (s *runCommand) checkTrains(trains pop.Trains) {
	c := experiment.Crowding{Method: s.method, Dt: s.cfg.Dt}
	refractory := kernels.Values{0}
	if j := s.neuron.Model.Index("t_ref"); j >= 0 {
		refractory = s.spec.P[j]
	}
	for i := range trains.Len() {
		t := trains.At(i)
		interval := t.ISILast()
		if t.Intervals() > 0 {
			interval = min(interval, t.Mean())
		}
		c.Add(i, interval, refractory.At(i))
	}
	s.WarnNote(c.Note("neuron"))
}

// summary writes what was simulated, and how fast.
func (s *runCommand) summary(sum pop.Summary) {
	n := float64(s.spec.N)
	work := n * float64(sum.Steps)
	seconds := sum.Elapsed.Seconds()
	span := float64(sum.Steps) * s.cfg.Dt
	s.Infof("%s of %s for %.6g ms in steps of %v ms: %s, %.4g spikes/s per neuron",
		cli.Count(s.spec.N, "neuron"), s.neuron.Model.Name, span, s.cfg.Dt, cli.Count(int(sum.Spikes), "spike"),
		float64(sum.Spikes)/n/span*1000)
	s.reportBursts()
	s.Infof("%.3g s, %.3g neuron-steps/s; kernel %s/%s, instruction set %s, %s, %s, %s",
		seconds, work/math.Max(seconds, 1e-9), s.neuron.Model.Name, s.method.Name, sum.Kernel.ISA,
		cli.Count(len(sum.Sched.Busy), "worker"), cli.Count(sum.Shards, "shard"), memory.Size(s.need))
}

// reportBursts writes how many neurons burst, their spikes per burst and burst rates.
func (s *runCommand) reportBursts() {
	if s.late == nil {
		return
	}
	var c sweep.BurstCount
	for i := range s.spec.N {
		c.Add(sweep.BurstsOf(s.late.Of(i)))
	}
	switch {
	case c.N == 1 && s.spec.N == 1:
		s.Infof("bursting: %v", &c)
	case c.N > 0:
		s.Infof("bursting, %d of %d neurons: %v", c.N, s.spec.N, &c)
	}
}

// adviseStep adds to the error about a neuron whose state became NaN the step with which it stays finite.
func (s *runCommand) adviseStep(err error, blown *pop.BlownUp) error {
	dt := s.cfg.Dt
	step, end, e := blown.SmallerStep(s.spec, dt)
	switch {
	case e != nil:
		return fault.Hint(err, "dt was %v ms; try a smaller --dt", dt)
	case step > 0:
		return fault.Hint(err, "dt was %v ms; --dt %v keeps this neuron in range to %.4g ms", dt, step, end)
	case s.method.Dt < dt/pop.FinestTrial:
		return fault.Hint(err, "dt was %v ms; the default is %v", dt, s.method.Dt)
	}
	return fault.Hint(err, "no step down to dt/%v helps: are the parameters what they should be, in these units?",
		pop.FinestTrial)
}
