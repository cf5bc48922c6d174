package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"popsim/cmd/popsim/internal/batch"
	"popsim/cmd/popsim/internal/completion"
	"popsim/cmd/popsim/internal/flagset"
	"popsim/cmd/popsim/internal/memory"
	"popsim/cmd/popsim/internal/topics"
	"popsim/cmd/popsim/internal/verb"
	"popsim/experiment"
	"popsim/fault"
	"popsim/sched"
	"popsim/sweep"
)

// sweepCommand is one call of fi or map.
type sweepCommand struct {
	*call
	verb.Flags
	verb     string
	from     experiment.Word
	measures experiment.Words
	full     bool
	zip      bool
	dryRun   bool
	resume   bool
	every    experiment.Quantity
	part     experiment.Word
	refine   experiment.Word

	drive       driveFlags
	input       sweep.Drive // of a driven sweep, and its jobs; nil otherwise
	jobs        *sweep.Jobs
	network     networkMapFlags
	net         *networkSweep // of a network; all below is then unused but for cfg, cut, away and goesOn
	neuron      experiment.Neuron
	spec        sweep.Spec
	cfg         sweep.Config
	forecast    sweep.Forecast
	cut         bool    // the sweep was interrupted
	away        bool    // the sweep is only checked here, and runs in a batch system
	goesOn      bool    // there were checkpoints when the sweep began
	tolerance   float64 // of --refine, in the unit of the axis
	transitions []sweep.Transition
}

func (v *call) fiVerb() *cobra.Command { return (&sweepCommand{call: v, verb: "fi"}).fi() }

func (v *call) mapVerb() *cobra.Command { return (&sweepCommand{call: v, verb: "map"}).grid() }

// fi returns the verb fi.
func (s *sweepCommand) fi() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "fi MODEL[:PRESET] ... I=RANGE [NAME=VALUE ...]",
		Short: "f-I curves: firing rate over input current",
		Long:  topics.Text("fi", "columns"),
		Example: "  popsim fi hh I=0:20:0.5 --plot fi.svg\n  popsim fi adex b=0:60:20 I=0:40:0.2 -o fi.parquet\n  popsim " +
			"fi lif eif adex:bg05 I=0:40:0.5 --plot models.svg\n  popsim fi hh I=0:12:0.1 --from all --plot bistable.png",
	}
	s.register(cmd)
	s.drive.add(cmd.Flags(), true)
	flagset.Add(cmd.Flags(),
		experiment.Flag{Name: "trials", Value: &s.network.trials, Help: "runs of each point, with other noise"})
	return cmd
}

// grid returns the verb map.
func (s *sweepCommand) grid() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "map MODEL[:PRESET] NAME=RANGE [NAME=VALUE ...]",
		Short: "Sweeps over any parameters, and bifurcation maps",
		Long:  topics.Text("map", "columns"),
		Example: "  popsim map adex:tb08 V_reset=-49:-46:0.01 I=800 -m isi --plot map.png\n  popsim map adex I=0:60/200 " +
			"b=0:60/50 -m rate --plot rates.png",
	}
	s.register(cmd)
	s.drive.add(cmd.Flags(), false)
	s.network.add(cmd.Flags())
	return cmd
}

// register sets what the verbs fi and map have in common.
func (s *sweepCommand) register(cmd *cobra.Command) {
	cmd.Annotations, cmd.ValidArgsFunction = verb.OfModel, completion.Models
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return s.run(cmd.Context(), args) }
	set := cmd.Flags()
	set.SortFlags = false
	s.Steps(set, sweep.DefaultTime, 500)
	s.measures = experiment.Words{Form: "NAMES"}
	flagset.Add(set, experiment.Flag{
		Name: "measures", Letter: "m", Value: &s.measures, Offers: completion.Measures,
		Help: "columns, such as rate,isi_cv,pattern; popsim help measures lists them",
	})
	s.from = experiment.Word{Form: "rest|up|down|all", Value: "rest"}
	flagset.Add(set, experiment.Flag{Name: "from", Offers: completion.Starts, Value: &s.from, Help: "where each " +
		"current starts: at rest, or where the one below or above ended"})
	flagset.Add(set, experiment.Flag{Name: "zip", Value: (*experiment.Switch)(&s.zip), Help: "pair the values of " +
		"several lists instead of combining them"})
	flagset.Add(set, experiment.Flag{
		Name: "full", Value: (*experiment.Switch)(&s.full),
		Help: "run every point to its end",
	})
	flagset.Add(set, experiment.Flag{
		Name: "dry-run", Once: true, Value: (*experiment.Switch)(&s.dryRun),
		Help: "say what it would cost, and stop",
	})
	s.part, s.refine = experiment.Word{Form: "I/N"}, experiment.Word{Form: "TOL", Number: true}
	flagset.Add(set, experiment.Flag{Name: "refine", Value: &s.refine, Help: "add points to a curve until its " +
		"transitions, such as the rheobase, are known to this tolerance"})
	flagset.Add(set, experiment.Flag{Name: "part", Once: true, Offers: completion.Parts, Value: &s.part, Help: "do one " +
		"part of the sweep, kept beside -o FILE; popsim merge FILE joins them; auto reads the number\nfrom the array task " +
		"of the batch system, auto/N where that does not give their number"})
	flagset.Add(set, experiment.Flag{Name: "resume", Once: true, Value: (*experiment.Switch)(&s.resume), Help: "go on " +
		"from the finished checkpoints that an interrupted sweep has left beside -o FILE"})
	s.every = experiment.Quantity{Unit: "s"}
	flagset.Add(set, experiment.Flag{Name: "save-every", Once: true, Value: &s.every, Help: "how often finished points " +
		"of a long sweep are put on disk (default a fiftieth of the time so far, 1s to 60s)"})
	flagset.Add(set, experiment.Flag{Name: "seed", Value: &s.Seed, Help: "seed of --noise, kept in the record"})
	s.Files(set, &s.Quiet)
}

// read parses and checks the command line, and reports all errors together.
func (s *sweepCommand) read(args []string) error {
	if networks, err := s.readNetwork(args); networks || err != nil {
		return err
	}
	if err := s.checkNoiseFlags(); err != nil {
		return verb.Misused(err)
	}
	isa, bad := s.Check()
	q, err := experiment.ParseNeuron(args, experiment.WaveformWords(s.drive.waveforms.List)...)
	bad.Add(err)
	if q.Model == nil {
		return verb.Misused(bad.Err())
	}
	s.neuron = q
	method, err := q.Model.Method(s.Method.Value)
	bad.About("--method", err)
	s.spec, err = q.Sweep(s.verb)
	bad.Add(err)
	s.spec.Grid.Zip, s.spec.Method, s.spec.Full = s.zip, method.Name, s.full
	s.spec.Time, s.spec.Discard, s.spec.Dt = s.Time.Value, s.Discard.Value, s.Dt.Value
	s.spec.From, err = sweep.ParseFrom(s.from.Value)
	bad.About("--from", err)
	bad.About("--measures", s.readMeasures())
	bad.Add(s.Apart(s.dryRun))
	bad.Add(s.checkIdle())
	s.WarnAll(q.Notes)
	if err := verb.Misused(bad.Err()); err != nil {
		return err
	}
	s.cfg = sweep.Config{Workers: s.Workers.Value, ISA: isa}
	if s.cfg.Workers == 0 {
		s.cfg.Workers = sched.Allowed()
	}
	if err := s.readForecast(); err != nil {
		return verb.Misused(err)
	}
	if err := s.spec.Check(); err != nil {
		return verb.Misused(err)
	}
	bad.About("--refine", s.readRefine())
	bad.Add(s.readKeep())
	bad.Add(s.readEvery())
	bad.Add(s.checkPlot())
	if s.drive.given() {
		bad.Add(s.readDrive())
	}
	if dt, accurate := s.spec.Step(), s.spec.AccurateDt(); dt > accurate {
		s.WarnNote(experiment.InaccurateStep(dt, q.Model, method, accurate))
	}
	return verb.Misused(bad.Err())
}

// readNetwork parses the command line of a sweep of a network; networks is false if it is one of single neurons.
func (s *sweepCommand) readNetwork(args []string) (networks bool, err error) {
	if len(args) > 0 && experiment.IsCANN(args[0]) && s.verb == "map" {
		s.net = &networkSweep{sweepCommand: s}
		return true, s.net.readCANN(args)
	}
	q, err := experiment.ParseNetwork(args, s.network.description.Value, s.Places)
	switch {
	case err != nil:
		return true, verb.Misused(err)
	case q == nil:
		return false, nil
	case s.verb != "map":
		return true, verb.Misused(fault.Hint(fmt.Errorf("%s is for single neurons, and %s is a network", s.verb, args[0]),
			"popsim map goes through the parameters of networks"))
	}
	s.net = &networkSweep{sweepCommand: s, q: q}
	return true, s.net.read()
}

// readMeasures separates the measures of driven sweeps from those of the sweep's specification, and sets both.
func (s *sweepCommand) readMeasures() error {
	measures := s.measures.List
	if s.drive.given() {
		// vector_strength is a column of every sweep with a sine.
		measures = slices.DeleteFunc(slices.Clone(measures), func(name string) bool {
			return sweep.IsDrivenStatistic(name) || name == "vector_strength" && len(s.drive.waveforms.List) > 0
		})
		for _, name := range s.measures.List {
			if sweep.IsDrivenStatistic(name) {
				s.input.Statistics = append(s.input.Statistics, name)
			}
		}
	}
	if len(measures) == 0 && len(s.input.Statistics) > 0 {
		measures = []string{"status"}
	}
	if err := s.spec.SetMeasures(measures); err != nil {
		return fault.Hint(err, "-m takes one of them")
	}
	return nil
}

// checkNoiseFlags reports flags that are for networks, or for noise that is not given.
func (s *sweepCommand) checkNoiseFlags() error {
	quiet := len(s.drive.noises.List) == 0
	switch {
	case s.network.onGrid || s.network.bin.Given:
		return errors.New("--spikes-on-grid and --bin belong to networks")
	case s.network.trials.Given && quiet:
		return fault.Hint(errors.New("without noise all trials are the same"), "--noise white:SIGMA gives it")
	case s.drive.theory && quiet:
		return fault.Hint(errors.New("--theory adds the rate under white noise, but there is no noise"),
			"--noise white:SIGMA gives it")
	}
	return nil
}

// readForecast computes the cost of the sweep, and returns an error if it does not fit into memory.
func (s *sweepCommand) readForecast() (err error) {
	if s.forecast, err = s.spec.Forecast(s.cfg.Workers); err != nil {
		return err
	}
	need := s.forecast.Bytes
	if part, err := batch.ParsePart(s.part.Value); s.part.Value != "" && err == nil {
		need /= float64(part.Of) // the other parts take no memory here
	}
	if err := memory.Fits(fmt.Sprintf("a sweep of %d points", s.forecast.Points), need); err != nil && !s.away {
		return err
	}
	return nil
}

// checkIdle reports flags that would have no effect.
func (s *sweepCommand) checkIdle() error {
	var bad fault.List
	if s.zip && len(s.spec.Grid.Axes) < 2 && !s.neuron.Faulty {
		bad.About("--zip", errors.New("--zip pairs the values of several lists, but fewer than two are given"))
	}
	if s.every.Given && s.Out.Value == "" {
		bad.About("--save-every",
			fault.Hint(errors.New("--save-every keeps finished points beside -o FILE, but none is given"), "-o FILE names it"))
	}
	return bad.Err()
}
