package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"popsim/cmd/popsim/internal/output"
	"popsim/cmd/popsim/internal/record"
	"popsim/cmd/popsim/internal/verb"
	"popsim/experiment"
	"popsim/fault"
	"popsim/figure"
	"popsim/model"
	"popsim/pop"
	"popsim/recording"
	"popsim/sched"
	"popsim/table/file"
)

// outputs are the tables of a run; nil for those not requested.
type outputs struct{ neurons, spikes, trace, sta *file.Output }

// all lists them, those that are not there as nil.
func (o outputs) all() []*file.Output { return []*file.Output{o.neurons, o.spikes, o.trace, o.sta} }

// terminalRows is the number of rows of the longest table that is shown on a terminal.
const terminalRows = 40

// Of populations up to burstNeurons the last lateIntervals intervals of each neuron are kept, to detect bursts.
const (
	burstNeurons  = 1000
	lateIntervals = 256
)

// checkFiles reports flags that name the same file, or that have no effect.
func (s *runCommand) checkFiles() error {
	var bad fault.List
	bad.Add(s.Apart(s.tableToStdout(), output.Named{
		Flag: "--spikes",
		Path: s.spikes.Value,
	}, output.Named{Flag: "--trace", Path: s.trace.Value}, output.Named{Flag: "--sta", Path: s.sta.Value}))
	bad.Add(s.checkAverage())
	if s.tops && s.trace.Value == "" {
		bad.Add(fault.Hint(errors.New("--tops belongs to a trace, but there is none"), "--trace FILE makes one"))
	}
	if s.tops && s.neuron.Model != nil && s.neuron.Model.Fires == model.Crossing {
		bad.Addf("--tops: spikes of %s are not cut, the trace holds them as they are", s.neuron.Model.Name)
	}
	bad.Add(s.checkTraceFlags())
	return errors.Join(bad...)
}

// tableToStdout reports whether a table other than that of neurons goes to standard output.
func (s *runCommand) tableToStdout() bool {
	return slices.ContainsFunc([]string{s.spikes.Value, s.trace.Value, s.sta.Value}, output.ToStdout)
}

// checkAverage reports flags about a spike-triggered average that have no effect, and an impossible window.
func (s *runCommand) checkAverage() error {
	var bad fault.List
	switch {
	case s.sta.Value != "" && len(s.waveforms.List) == 0:
		bad.Add(fault.Hint(errors.New("--sta averages the waveform before spikes, but there is none"),
			"--waveform SHAPE gives one, as @noise.npy:1ms"))
	case s.sta.Value == "" && s.window.Given:
		bad.Add(fault.Hint(errors.New("--window belongs to a spike-triggered average, but there is none"),
			"--sta FILE makes one"))
	case s.window.Err != nil:
		bad.Addf("--window: %w", s.window.Err)
	case !(s.window.Value > 0 && s.window.Value < s.Time.Value):
		if s.sta.Value != "" {
			bad.Addf("--window is %v ms; it must be above 0 and below the time of the run, %v ms", s.window.Value, s.Time.Value)
		}
	}
	return bad.Err()
}

// checkTraceFlags reports flags about a trace without a trace, and impossible values.
func (s *runCommand) checkTraceFlags() error {
	var bad fault.List
	if s.of.Value != "" && s.trace.Value == "" && s.Plot.Value == "" {
		bad.Add(fault.Hint(errors.New("--of names neurons to trace, but there is no trace"),
			"--trace FILE or --plot FILE makes one"))
	}
	if s.every.Given && s.trace.Value == "" {
		bad.Add(fault.Hint(errors.New("--every belongs to a trace, but there is none"), "--trace FILE makes one"))
	}
	if s.every.Err != nil {
		bad.Addf("--every: %w", s.every.Err)
	} else if s.every.Value <= 0 {
		bad.Addf("--every is %v ms; it must be greater than 0", s.every.Value)
	}
	return errors.Join(bad...)
}

// open opens all files before the work begins.
func (s *runCommand) open() error {
	s.Panels = true
	if err := s.CheckPicture(s.Force); err != nil {
		return err
	}
	if err := s.view().Check(s.neuron.Model); err != nil {
		return verb.Misused(fmt.Errorf("--plot-style: %w", err))
	}
	err := s.OpenTables(&s.Flags, verb.Opening{Path: s.Out.Value, Out: &s.outputs.neurons},
		verb.Opening{Path: s.spikes.Value, Out: &s.outputs.spikes},
		verb.Opening{Path: s.trace.Value, Out: &s.outputs.trace}, verb.Opening{Path: s.sta.Value, Out: &s.outputs.sta})
	switch {
	case err != nil || s.Out.Value != "" || s.tableToStdout():
	case s.spec.N > terminalRows && output.OnTerminal(s.Stdout):
		s.Infof("the table of %d neurons is not shown on a terminal; -o FILE keeps it", s.spec.N)
	default:
		s.outputs.neurons = file.NewCSV(s.Stdout)
	}
	return err
}

// readTrace decides which neurons are traced, and how often.
func (s *runCommand) readTrace() error {
	if s.trace.Value == "" && s.Plot.Value == "" {
		return nil
	}
	if s.of.Value == "" {
		most := 10
		if s.trace.Value == "" {
			most = figure.ShownTraces
		}
		for i := range min(s.spec.N, most) {
			s.traced = append(s.traced, int64(i))
		}
	} else {
		var err error
		if s.traced, err = experiment.ParseNeurons("--of", s.of.Value, s.spec.N); err != nil {
			return err
		}
	}
	every, dt := s.every.Value, s.cfg.Dt
	const countless = 1.0 * (1 << 53) // more steps than any run has
	steps := math.Max(1, math.Round(min(every/dt, countless)))
	if s.trace.Value == "" {
		steps = math.Max(1, math.Floor(s.Time.Value/dt/figure.TraceSamples))
	} else if every/dt < countless && math.Abs(steps*dt-every) > 1e-9*every {
		s.Warnf("--every %v ms is no whole number of steps; states are traced every %.6g ms", every, steps*dt)
	}
	s.cfg.Trace = &pop.Trace{Of: s.traced, Every: steps * dt}
	return nil
}

// view returns the parts of the picture.
func (s *runCommand) view() figure.View {
	return figure.View{
		Span:     s.Time.Value,
		Dt:       s.cfg.Dt,
		Waveform: s.cfg.Waveform,
		Panels:   s.Style.Panels,
		Order:    s.Style.Order,
	}
}

// recorders returns what receives spikes and states during the run: tables, and the picture.
func (s *runCommand) recorders() (all []any) {
	if s.outputs.trace != nil && s.tops {
		all = append(all, recording.NewTopTrace(s.outputs.trace, s.spec, s.traced))
	} else if s.outputs.trace != nil {
		all = append(all, recording.NewTrace(s.outputs.trace, s.neuron.Model))
	}
	if s.Plot.Value != "" {
		shown := s.traced
		if !s.of.Given {
			shown = shown[:min(figure.ShownTraces, len(shown))]
		}
		view := s.view()
		view.Traced = shown
		s.picture = figure.NewActivity(s.spec, view)
		all = append(all, s.picture)
	}
	if s.spec.N <= burstNeurons && len(s.noises.List) == 0 && len(s.waveforms.List) == 0 {
		s.late = recording.NewIntervals(s.spec.N, lateIntervals)
		all = append(all, s.late)
	}
	if s.outputs.sta != nil {
		steps := pop.Steps(s.Time.Value, s.cfg.Dt)
		s.average = recording.NewAverage(s.cfg.Waveform, steps, s.cfg.Dt, s.Discard.Value, s.window.Value)
		all = append(all, s.average)
	}
	if s.outputs.spikes != nil {
		spikes := recording.NewSpikes(s.outputs.spikes)
		if s.Workers.Value != 1 && sched.Allowed() > 1 {
			spikes.Background()
		}
		all = append(all, spikes)
	}
	return all
}

// counted is the time (ms) in which spikes are counted for rates, where there is noise; else 0.
func (s *runCommand) counted(sum pop.Summary) float64 {
	if len(s.noises.List) == 0 {
		return 0
	}
	return max(0, float64(sum.Steps)*s.cfg.Dt-s.cfg.From)
}

// write writes the table of neurons and the picture, completes all files and writes their records.
func (s *runCommand) write(sum pop.Summary) error {
	if s.outputs.neurons != nil {
		if err := recording.WriteNeurons(s.outputs.neurons, sum.Trains, s.counted(sum), s.furtherColumns()...); err != nil {
			return err
		}
	}
	if s.average != nil {
		unit := strings.NewReplacer("/", "_per_").Replace(s.neuron.Model.CurrentUnit)
		if err := s.outputs.sta.WriteTable(s.average.Table("current_" + unit)); err != nil {
			return err
		}
	}
	for _, o := range s.outputs.all() {
		if o == nil {
			continue
		}
		if err := o.Commit(); err != nil {
			return err
		}
	}
	if s.picture != nil {
		if s.picture.Full {
			s.Warnf("the picture shows the first %d spikes alone", figure.ShownSpikes)
		}
		title := s.neuron.Title() + experiment.InputWords(s.noises.List, nil)
		if err := s.Draw(&s.Flags, s.picture.Figure(title), s.Force); err != nil {
			return err
		}
	}
	s.Phase("write")
	r := s.record(sum)
	for path, out := range map[string]*file.Output{
		s.Out.Value: s.outputs.neurons, s.spikes.Value: s.outputs.spikes, s.trace.Value: s.outputs.trace,
		s.sta.Value: s.outputs.sta,
	} {
		if err := s.Aside(path, out, r); err != nil {
			return err
		}
	}
	return nil
}

// furtherColumns returns the values that were drawn or read for each neuron.
func (s *runCommand) furtherColumns() (columns []recording.Column) {
	for _, x := range s.neuron.Settings {
		if x.Value.Kind&(experiment.Drawn|experiment.File) != 0 {
			columns = append(columns, recording.Column{Name: x.Name, Values: x.Of(s.spec)})
		}
	}
	return columns
}

// record returns the record of the files of this run.
func (s *runCommand) record(sum pop.Summary) file.Record {
	r := record.Population(s.neuron, s.spec, s.cfg, sum, s.Seed.Value)
	r.Extra["time_ms"], r.Extra["discard_ms"], r.Extra["interrupted"] = s.Time.Value, s.Discard.Value, s.interrupted
	r.Extra["memory_forecast_bytes"] = s.need
	if s.trace.Value != "" {
		r.Extra["trace"] = "states before each traced step; a reset within a step is seen after it, its upstroke is not"
		if s.tops {
			r.Extra["trace"] = "states before each traced step, and a row with V = V_th at each spike"
		}
	}
	if s.average != nil {
		r.Extra["sta_spikes"], r.Extra["sta_window_ms"] = s.average.Spikes(), s.window.Value
	}
	if len(s.noises.List) > 0 {
		r.Extra["noise"] = strings.Join(s.noises.List, " ")
	}
	if len(s.waveforms.List) > 0 {
		r.Extra["waveform"] = strings.Join(s.waveforms.List, " ")
	}
	return r
}
