package assess

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

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
	*verb.Call
	verb.Flags
	tolerance experiment.Quantity
	noises    experiment.Texts
	spikes    experiment.Count

	neuron   experiment.Neuron
	at       experiment.Point
	currents []float64
	isa      kernels.ISA
	out      *file.Output
	result   bench.Convergence
	noisy    *bench.NoiseConvergence // with --noise
}

// Convergence returns the verb convergence of a call.
func Convergence(v *verb.Call) *cobra.Command {
	s := &convergenceCommand{Call: v}
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
	s.noises, s.spikes = experiment.Texts{Form: "NOISE"}, experiment.Count{Value: 1_000_000}
	flagset.Add(set, experiment.Flag{Name: "noise", Value: &s.noises, Help: "white:SIGMA: compare rates of lif or eif " +
		"with theory instead, with crossings inside steps and without"})
	flagset.Add(set, experiment.Flag{Name: "spikes", Value: &s.spikes, Help: "with --noise: spikes for each rate"})
	flagset.Add(set, experiment.Flag{Name: "seed", Value: &s.Seed, Help: "seed of --noise"})
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
		s.Warnf("interrupted; the rows that were finished are %s", s.Partial(s.out))
	case err != nil:
		return err
	}
	s.Phase("measure")
	if e := s.write(); e != nil {
		return e
	}
	if !interrupted && s.noisy == nil {
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
	bad.Add(s.readNoise(len(bad) == 0))
	bad.Add(s.Apart(false))
	return verb.Misused(bad.Err())
}

// readNoise parses --noise and prepares the comparison with theory; good is whether the other flags are valid.
func (s *convergenceCommand) readNoise(good bool) error {
	var bad fault.List
	if len(s.noises.List) == 0 {
		if s.spikes.Given {
			bad.Addf("--spikes belongs to --noise")
		}
		return bad.Err()
	}
	n, err := experiment.ParseNoise(s.noises.List, s.neuron.Model, s.Seed.Value)
	bad.About("--noise", err)
	bad.About("--spikes", s.spikes.Err)
	switch {
	case len(bad) > 0 || !good:
	case n.White == 0 || n.OU != 0 || len(n.Poisson) > 0:
		bad.Add(fault.Hint(errors.New("--noise: theory gives the rate under white noise only"),
			"--noise white:SIGMA gives it"))
	case s.tolerance.Given || s.Time.Given || s.Flags.Method.Given:
		bad.Addf("--tolerance, --time and --method do not go together with --noise")
	case len(s.currents) != 1:
		bad.Addf("--noise: one current is needed, but I has %d values", len(s.currents))
	case s.spikes.Value < 1000:
		bad.Addf("--spikes is %d; at least 1000 are needed", s.spikes.Value)
	default:
		s.noisy = bench.NewNoiseConvergence(s.neuron.Model, s.at.Params, s.currents[0], n.White, n.Seed)
		if !(s.noisy.Theory > 1e-3) {
			bad.Addf("--noise: the rate of %s by theory is %.3g Hz; lif and eif that fire have one", s.neuron.Model.Name,
				s.noisy.Theory)
		}
	}
	return bad.Err()
}

// measureNoise measures rates under noise.
func (s *convergenceCommand) measureNoise(ctx context.Context) error {
	var progress *cli.Progress
	if !s.Quiet {
		progress = cli.NewProgress(s.Stderr, float64(len(s.noisy.Steps())), "rows")
		defer progress.Clear()
	}
	return s.noisy.Measure(ctx, float64(s.spikes.Value), s.isa, func(done int) { progress.Update(float64(done)) })
}

// measure computes the true spikes and measures the methods.
func (s *convergenceCommand) measure(ctx context.Context) error {
	if s.noisy != nil {
		return s.measureNoise(ctx)
	}
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
		s.Infof("%s: %s", q.Name, text)
	}
	if w, ok := s.result.Cheapest(); ok {
		s.Infof("for spikes within %v ms take --method %s --dt %vms", s.tolerance.Value, w.Method.Name, w.Dt)
	} else {
		s.Warnf("no method has spikes within %v ms at the steps tried", s.tolerance.Value)
	}
}

// write writes the table, the picture and the record.
func (s *convergenceCommand) write() error {
	result, picture := s.result.Table, func() *figure.Figure { return figure.Convergence(&s.result, s.neuron.Title()) }
	extra := map[string]any{"tolerance_ms": s.tolerance.Value, "time_ms": s.Time.Value}
	if s.noisy != nil {
		result, picture = s.noisy.Table, func() *figure.Figure { return figure.NoiseConvergence(s.noisy, s.neuron.Title()) }
		extra = map[string]any{"noise": strings.Join(s.noises.List, " "), "spikes": s.spikes.Value}
	}
	if err := s.out.WriteTable(result()); err != nil {
		return err
	}
	if err := s.out.Commit(); err != nil {
		return err
	}
	if s.Plot.Value != "" {
		if err := s.Draw(&s.Flags, picture(), s.Force); err != nil {
			return err
		}
	}
	s.Phase("write")
	if s.noisy != nil {
		return s.aside(extra)
	}
	if w, ok := s.result.Cheapest(); ok {
		extra["recommended"] = map[string]any{
			"method": w.Method.Name, "dt_ms": w.Dt, "spike_error_ms": w.Error, "cost_ns_per_ms": w.Cost,
		}
	}
	return s.aside(extra)
}

// aside writes the record.
func (s *convergenceCommand) aside(extra map[string]any) error {
	return s.Aside(s.Flags.Out.Value, s.out, file.Record{
		Model: s.neuron.Model.Name, Preset: s.neuron.Preset.Name,
		Parameters: s.neuron.Parameters(map[string]any{"I": s.currents}), ISA: s.isa.String(), Seed: s.Seed.Value,
		Extra: extra,
	})
}
