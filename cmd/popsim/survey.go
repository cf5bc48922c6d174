package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"popsim/model"
	"popsim/report"
	"popsim/sched"
	"popsim/sweep"
)

const surveyColumns = `One row per point, the grid's columns first. rate_Hz is 1000 / mean inter-spike interval after --discard, 0 where fewer
than two spikes are left; rate_error_Hz estimates its numerical error from a second time step; spikes, latency_ms and
isi_first_ms are of the whole run, isi_last_ms is its last interval; isi_cv, V_min_mV and V_max_mV are taken after
--discard; status is ok, or one word for what is to be known of the point. Neurons that rest for good or fire a train
that has settled are retired early, with the numbers that the whole run would give; --full turns this off.`

const fiHelp = `fi draws f-I curves: the firing rate over the input current. I takes a list or a range; further lists and ranges make a
curve for each combination. --from carries the state from one current to the next, upwards or downwards, which shows
bistability; the column branch says which.

` + surveyColumns

const mapHelp = `map goes through any grid of parameters, initial states and the current.

-m chooses the columns. isi gives one row per distinct late inter-spike interval (column isi_ms), the classical
bifurcation map. One varied quantity makes a curve, two make a picture in colours.

` + surveyColumns

// survey is one call of fi or map: many neurons, a point each.
type survey struct {
	*voice
	flags
	verb     string
	from     name
	measures []string
	full     bool
	zip      bool
	dryRun   bool

	question question
	spec     sweep.Spec
	cfg      sweep.Config
	forecast sweep.Forecast

	started time.Time
	phases  []report.Phase
}

func (v *voice) fiVerb() *cobra.Command {
	s := &survey{voice: v, verb: "fi"}
	cmd := &cobra.Command{
		Use:     "fi MODEL[:PRESET] I=RANGE [NAME=VALUE ...]",
		Short:   "f-I curves: firing rate over input current",
		Long:    fiHelp,
		Example: "  popsim fi hh I=0:20:0.5 --plot fi.svg\n  popsim fi adex b=0:60:20 I=0:40:0.2 -o fi.parquet\n  popsim fi hh I=0:12:0.1 --from all --plot bistable.png",
	}
	s.register(cmd)
	s.from = name{kind: "rest|up|down|all", value: "rest"}
	cmd.Flags().Var(&s.from, "from", "where each current starts: at rest, or where the one below or above ended")
	return cmd
}

func (v *voice) mapVerb() *cobra.Command {
	s := &survey{voice: v, verb: "map"}
	cmd := &cobra.Command{
		Use:     "map MODEL[:PRESET] NAME=RANGE [NAME=VALUE ...]",
		Short:   "Sweeps over any parameters, and bifurcation maps",
		Long:    mapHelp,
		Example: "  popsim map adex:tb08 V_reset=-49:-46:0.01 I=800 -m isi --plot map.png\n  popsim map adex I=0:60/200 b=0:60/50 -m rate --plot rates.png",
	}
	s.register(cmd)
	return cmd
}

// register sets what fi and map share.
func (s *survey) register(cmd *cobra.Command) {
	cmd.ValidArgsFunction = completeModels
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return s.run(cmd.Context(), args) }
	set := cmd.Flags()
	set.SortFlags = false
	s.steps(set, sweep.DefaultTime, 500)
	set.StringSliceVarP(&s.measures, "measures", "m", nil, "columns, by names such as rate,isi_cv,pattern; popsim help measures lists them")
	set.BoolVar(&s.zip, "zip", false, "pair the values of several lists instead of combining them")
	set.BoolVar(&s.full, "full", false, "run every point to its end")
	set.BoolVar(&s.dryRun, "dry-run", false, "say what it would cost, and stop")
	s.files(set, &s.quiet)
}

// measuresTopic is help on the columns of sweeps.
func measuresTopic() *cobra.Command {
	text := "-m of fi and map takes these names, with or without their unit, divided by commas.\n\n"
	for _, m := range sweep.MeasureNames() {
		text += fmt.Sprintf("  %-14s %s\n", m, sweep.MeasureDoc(m))
	}
	text += fmt.Sprintf("  %-14s %s\n  %-14s %s", "isi", "a row for each distinct late interval (isi_ms)", "V", "V_min_mV and V_max_mV")
	return &cobra.Command{Use: "measures", Short: "The columns that sweeps can tell", Long: text}
}

// run is the verb.
func (s *survey) run(ctx context.Context, args []string) (err error) {
	s.started = time.Now()
	if err := s.read(args); err != nil {
		return err
	}
	if s.dryRun {
		return nil
	}
	out, err := s.open()
	if err != nil {
		return err
	}
	defer out.Abort()
	stop, err := s.startProfile(&s.flags)
	if err != nil {
		return misused(err)
	}
	s.phase("read")
	var result *sweep.Result
	pprof.Do(ctx, pprof.Labels("verb", s.verb, "model", s.question.model.Name), func(ctx context.Context) {
		result, err = s.advance(ctx)
	})
	stop()
	s.phase("sweep")
	switch {
	case errors.Is(err, context.Canceled):
		s.warn("interrupted; the points that were finished are kept")
	case err != nil:
		return err
	}
	if e := s.write(out, result); e != nil {
		return e
	}
	s.summary(result)
	if n := result.Failed(); err == nil && n > 0 {
		err = hint(fmt.Errorf("%d of %d points left the numbers; the column status marks them with nan", n, result.Rows()), "a smaller --dt may help")
	}
	return err
}

func (s *survey) phase(name string) {
	total := 0.0
	for _, p := range s.phases {
		total += p.Seconds
	}
	s.phases = append(s.phases, report.Phase{Name: name, Seconds: time.Since(s.started).Seconds() - total})
}

// read understands the command line and refuses what makes no sense, all of it at once.
func (s *survey) read(args []string) error {
	isa, bad := s.check()
	q, err := ask(args)
	bad.add(err)
	if q.model == nil {
		return bad.misuse()
	}
	s.question = q
	method, err := q.model.Method(s.method.value)
	bad.add(err)
	s.spec = sweep.Spec{
		Model: q.model, Method: method.Name, Time: s.time.value, Discard: s.discard.value, Dt: s.dt.value, Full: s.full,
	}
	s.spec.From, err = sweep.ParseFrom(s.from.value)
	bad.add(err)
	bad.add(s.readGrid())
	s.readMeasures()
	bad.add(distinct([]file{{"-o", s.out.value}, {"--plot", s.plot.value}}))
	if err := bad.misuse(); err != nil {
		return err
	}
	s.cfg = sweep.Config{Workers: s.workers.value, ISA: isa}
	if s.cfg.Workers == 0 {
		s.cfg.Workers = sched.Allowed()
	}
	if s.forecast, err = s.spec.Forecast(s.cfg.Workers); err != nil {
		return misused(err)
	}
	s.tellForecast()
	if err := fits(fmt.Sprintf("a sweep of %d points", s.forecast.Points), s.forecast.Bytes); err != nil {
		return misused(err)
	}
	if err := s.spec.Check(); err != nil {
		return misused(err)
	}
	if dt, accurate := s.spec.Dt, s.spec.AccurateDt(); dt > accurate {
		s.warn("dt is %v ms; method %s of %s is accurate up to about %.3g ms here", dt, method.Name, q.model.Name, accurate)
	}
	return nil
}

// readGrid makes axes of all that has several values, and of I in an f-I curve; what has one value is set.
func (s *survey) readGrid() error {
	var bad faults
	base := s.question.base()
	current := false
	for _, x := range s.question.settings {
		if _, ok, _ := parseDraw(x.text, x.unit); ok {
			bad.add(hint(fmt.Errorf("%s=%s draws one value per neuron, which %s has not", x.name, x.text, s.verb), "popsim run takes draws"))
			continue
		}
		a, err := x.axis()
		switch {
		case errors.Is(err, sweep.ErrInterval):
			bad.add(hint(fmt.Errorf("%s=%s is an interval; %s goes through single values", x.name, x.text, s.verb),
				"%s=%s/101 would be 101 of them, %[1]s=%[2]s:STEP goes in steps", x.name, x.text))
			continue
		case err != nil:
			bad.add(err)
			continue
		}
		isCurrent := x.kind == setsCurrent
		current = current || isCurrent
		if a.Len() == 1 && !strings.HasPrefix(x.text, "@") && (s.verb != "fi" || !isCurrent) {
			base.set(x, a.At(0))
			continue
		}
		s.spec.Grid.Axes = append(s.spec.Grid.Axes, a)
	}
	if s.verb == "fi" && !current && len(bad) == 0 {
		bad.add(hint(errors.New("fi goes through currents, but I is not given"), "I=0:20:0.5 goes from 0 to 20 in steps of 0.5"))
	}
	s.spec.P, s.spec.I, s.spec.Init, s.spec.Grid.Zip = base.params, base.current, base.init, s.zip
	return errors.Join(bad...)
}

// readMeasures understands isi, which is rows, and V, which is two columns; the sweep knows the others.
func (s *survey) readMeasures() {
	for _, m := range s.measures {
		switch m {
		case "isi", "isi_ms":
			s.spec.Late = true
		case "V":
			s.spec.Measures = append(s.spec.Measures, "V_min_mV", "V_max_mV")
		default:
			s.spec.Measures = append(s.spec.Measures, m)
		}
	}
}

// tellForecast says what the sweep will cost at most.
func (s *survey) tellForecast() {
	text := fmt.Sprintf("%s in steps of %v ms: at most %.3g neuron-steps and %s", counted(s.forecast.Points, "point"),
		s.dtUsed(), s.forecast.Steps, size(s.forecast.Bytes))
	if s.dryRun {
		fmt.Fprintf(s.stderr, "popsim: %s\n", text)
		return
	}
	s.say("%s", text)
}

func (s *survey) dtUsed() float64 {
	if s.spec.Dt > 0 {
		return s.spec.Dt
	}
	method, _ := s.question.model.Method(s.spec.Method)
	return method.Dt
}

// open opens the files before the work begins.
func (s *survey) open() (*report.Output, error) {
	if s.plot.value != "" {
		if err := report.CheckPicture(s.plot.value, s.force); err != nil {
			return nil, misused(err)
		}
	}
	if s.out.value == "" {
		return report.NewCSV(s.stdout), nil
	}
	return s.create(s.out.value, s.force)
}

// advance runs the sweep, with progress.
func (s *survey) advance(ctx context.Context) (*sweep.Result, error) {
	if !s.quiet {
		var progress *report.Progress
		ticks := make(chan [2]int64, 1)
		finished := make(chan struct{})
		go func() {
			defer close(finished)
			for t := range ticks {
				if progress == nil {
					progress = report.NewProgress(s.stderr, float64(t[1]), "points")
				}
				progress.Update(float64(t[0]))
			}
			progress.Clear()
		}()
		defer func() { close(ticks); <-finished }()
		s.cfg.Tick = func(done, total int64) {
			select {
			case ticks <- [2]int64{done, total}:
			default: // the last one has not been shown yet
			}
		}
	}
	return sweep.Run(ctx, s.spec, s.cfg)
}

// write writes table, picture and record.
func (s *survey) write(out *report.Output, r *sweep.Result) error {
	table := r.Table()
	if s.spec.Late {
		table = r.LateTable()
	}
	if err := out.WriteTable(table); err != nil {
		return err
	}
	if err := out.Commit(); err != nil {
		return err
	}
	if s.plot.value != "" {
		f, err := s.figure(r, table)
		if err != nil {
			return err
		}
		if err := f.Save(s.plot.value, s.force); err != nil {
			return err
		}
	} else if !s.quiet && report.IsTerminal(s.stderr) {
		fmt.Fprint(s.stderr, s.glance(r))
	}
	s.phase("write")
	return s.aside(s.out.value, out, s.record(r))
}

// summary tells what happened, and how fast.
func (s *survey) summary(r *sweep.Result) {
	words := map[string]int{}
	for row := range r.Rows() {
		if w := r.Word("status", row); w != "" && w != "ok" {
			words[w]++
		}
	}
	if len(words) > 0 {
		var parts []string
		for w, n := range words {
			parts = append(parts, fmt.Sprintf("%s at %s", w, counted(n, "point")))
		}
		slices.Sort(parts)
		s.say("status %s", strings.Join(parts, ", "))
	}
	seconds := r.Elapsed.Seconds()
	s.say("%.3g s, %.3g neuron-steps/s, %.3g of those forecast; kernel %s/%s, instruction set %s, %s",
		seconds, float64(r.LaneSteps)/math.Max(seconds, 1e-9), float64(r.LaneSteps)/s.forecast.Steps,
		s.question.model.Name, s.spec.Method, r.Kernel.ISA, counted(r.Workers, "worker"))
}

// record says how the table was made.
func (s *survey) record(r *sweep.Result) report.RunRecord {
	return report.RunRecord{
		Started: s.started, Model: s.question.model.Name, Preset: s.question.preset.Name,
		Parameters: s.question.parameters(s.question.numbers()), Dt: s.dtUsed(), Method: s.spec.Method,
		Kernel: s.question.model.Name + "/" + s.spec.Method, ISA: r.Kernel.ISA.String(), Workers: r.Workers, Phases: s.phases,
		Extra: map[string]any{
			"points": s.forecast.Points, "time_ms": s.spec.Time, "discard_ms": s.spec.Discard, "from": s.spec.From.String(),
			"full": s.full, "zip": s.zip, "neuron_steps": r.LaneSteps, "neuron_steps_forecast": s.forecast.Steps,
			"memory_forecast_bytes": s.forecast.Bytes, "spike_rule": ruleOf(s.question.model), "cpus_allowed": sched.Allowed(),
			"ns_per_neuron_step": r.Elapsed.Seconds() * 1e9 / math.Max(1, float64(r.LaneSteps)),
			"go":                 runtime.Version(), "system": runtime.GOOS + "/" + runtime.GOARCH,
		},
	}
}

// ruleOf says in records what a spike is.
func ruleOf(m *model.Model) string {
	if m.Fires == model.Crossing {
		return fmt.Sprintf("upward crossing of V_th, re-armed below V_th - %v mV", model.Rearm)
	}
	return "V reaching V_th"
}

// terminalWidth is the number of columns to draw in.
func terminalWidth() int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n >= 40 {
		return min(n, 200)
	}
	return 80
}
