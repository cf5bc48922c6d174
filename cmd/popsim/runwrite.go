package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"popsim/cmd/popsim/internal/output"
	"popsim/cmd/popsim/internal/record"
	"popsim/experiment"
	"popsim/fault"
	"popsim/model"
	"popsim/pop"
	"popsim/sched"
	"popsim/table"
	"popsim/table/file"
)

// outputs are the tables of a run; nil for those not asked for.
type outputs struct{ neurons, spikes, trace *file.Output }

// Rows handed to a table at once, and rows a terminal is troubled with.
const (
	blockRows    = 1 << 14
	terminalRows = 40
)

// checkFiles reports flags that name no place, one place twice, or nothing to do.
func (s *runCommand) checkFiles() error {
	var bad fault.List
	bad.Add(s.apart(output.ToStdout(s.spikes.Value) || output.ToStdout(s.trace.Value), output.Named{Flag: "--spikes", Path: s.spikes.Value}, output.Named{Flag: "--trace", Path: s.trace.Value}))
	if s.of.Value != "" && s.trace.Value == "" && s.plot.Value == "" {
		bad.Add(fault.Hint(errors.New("--of names neurons to trace, but there is no trace"), "--trace FILE or --plot FILE makes one"))
	}
	if s.tops && s.trace.Value == "" {
		bad.Add(fault.Hint(errors.New("--tops belongs to a trace, but there is none"), "--trace FILE makes one"))
	}
	if s.tops && s.neuron.Model != nil && s.neuron.Model.Fires == model.Crossing {
		bad.Addf("--tops: spikes of %s are not cut, the trace holds them as they are", s.neuron.Model.Name)
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
	err := s.openTables(&s.flags, opening{s.out.Value, &s.outputs.neurons}, opening{s.spikes.Value, &s.outputs.spikes},
		opening{s.trace.Value, &s.outputs.trace})
	switch {
	case err != nil || s.out.Value != "" || output.ToStdout(s.spikes.Value) || output.ToStdout(s.trace.Value):
	case s.spec.N > terminalRows && output.OnTerminal(s.stdout):
		s.say("the table of %d neurons is not shown on a terminal; -o FILE keeps it", s.spec.N)
	default:
		s.outputs.neurons = file.NewCSV(s.stdout)
	}
	return err
}

// readTrace decides which neurons are traced, and how often.
func (s *runCommand) readTrace() error {
	if s.trace.Value == "" && s.plot.Value == "" {
		return nil
	}
	n := s.spec.N
	most := 10
	if s.trace.Value == "" {
		most = shownTraces
	}
	if s.of.Value == "" {
		for i := range min(n, most) {
			s.traced = append(s.traced, int64(i))
		}
	} else if err := s.readOf(); err != nil {
		return err
	}
	every, dt := s.every.Value, s.cfg.Dt
	const countless = 1.0 * (1 << 53) // more steps than any run has
	steps := math.Max(1, math.Round(min(every/dt, countless)))
	if s.trace.Value == "" {
		steps = math.Max(1, math.Floor(s.time.Value/dt/pictureSamples))
	} else if every/dt < countless && math.Abs(steps*dt-every) > 1e-9*every {
		s.warn("--every %v ms is no whole number of steps; states are traced every %.6g ms", every, steps*dt)
	}
	s.cfg.Trace = &pop.Trace{Of: s.traced, Every: steps * dt}
	return nil
}

// readOf reads --of, whose ranges include their end.
func (s *runCommand) readOf() error {
	text := s.of.Value
	a, err := experiment.ParseValue("--of", text, "1")
	if err == nil && a.Kind == experiment.Interval {
		a, err = experiment.ParseValue("--of", text+":1", "1")
	}
	if err == nil && a.Kind == experiment.Drawn {
		err = fmt.Errorf("--of %s draws numbers", text)
	}
	if err != nil {
		return fault.Hint(err, "neurons are given as 0:9 or 1,5,7")
	}
	seen := map[int64]bool{}
	for j := range a.Len() {
		x := a.At(j)
		switch i := int64(x); {
		case x != math.Trunc(x):
			return fmt.Errorf("--of %s: %v is not a neuron number", text, x)
		case x < 0 || x >= float64(s.spec.N):
			return fmt.Errorf("--of %s: there is no neuron %v; they go from 0 to %d", text, x, s.spec.N-1)
		case seen[i]:
			return fmt.Errorf("--of %s: neuron %d is named twice", text, i)
		default:
			seen[i] = true
			s.traced = append(s.traced, i)
		}
	}
	return nil
}

// monitorSpikes lets spikes flow into their table and into the picture; flush waits until the table has them all.
func (s *runCommand) monitorSpikes() (flush func() error) {
	if s.plot.Value != "" {
		s.picture = newPicture(s)
	}
	out, pic := s.outputs.spikes, s.picture
	if out == nil && pic == nil && !s.tops {
		return func() error { return nil }
	}
	var w spikeWriter
	if out != nil {
		w.start(out, s.workers.Value != 1 && sched.Allowed() > 1)
	}
	s.cfg.Spike = func(block []pop.Spike) error {
		s.addTops(block)
		if pic != nil {
			pic.addSpikes(block)
		}
		if out == nil {
			return nil
		}
		return w.write(block)
	}
	return w.close
}

// spikeWriter appends spikes to their table. Where there is more than one processor it does so in a goroutine of its own, while
// the next spikes are computed. Call W(k) the call of write for block k and A(k) the appending of that block to the table: A(k)
// precedes W(k+2), so one of the two blocks is always free, and the error of A(k) is returned by W(k+2) at the latest, or by close.
type spikeWriter struct {
	out    *file.Output
	blocks [2]spikeBlock
	n      int // blocks written
	queue  chan *spikeBlock
	ended  chan struct{} // closed when the goroutine ends, after err was set
	err    error
}

// spikeBlock is a block of spikes in columns.
type spikeBlock struct {
	neurons []int64
	times   []float64
}

func (b *spikeBlock) table() *table.Table {
	return table.NewTable(table.Col("neuron", b.neurons), table.Col("time_ms", b.times))
}

// start sets the table and, if apart, starts the goroutine.
func (w *spikeWriter) start(out *file.Output, apart bool) {
	w.out = out
	if !apart {
		return
	}
	w.queue, w.ended = make(chan *spikeBlock), make(chan struct{})
	go func() {
		defer close(w.ended)
		for b := range w.queue {
			if w.err = out.Append(b.table()); w.err != nil {
				return
			}
		}
	}()
}

// write appends a block, which it copies.
func (w *spikeWriter) write(block []pop.Spike) error {
	b := &w.blocks[w.n%2]
	w.n++
	b.neurons, b.times = b.neurons[:0], b.times[:0]
	for _, x := range block {
		b.neurons, b.times = append(b.neurons, x.Neuron), append(b.times, x.Time)
	}
	if w.queue == nil {
		return w.out.Append(b.table())
	}
	select {
	case w.queue <- b:
		return nil
	case <-w.ended:
		return w.err
	}
}

// close waits until every block is in the table.
func (w *spikeWriter) close() error {
	if w.queue == nil {
		return nil
	}
	close(w.queue)
	<-w.ended
	return w.err
}

// monitorTrace lets traced states flow into their table and into the picture; flush hands on the last of them.
func (s *runCommand) monitorTrace() (flush func() error) {
	if s.cfg.Trace == nil {
		return func() error { return nil }
	}
	var times []float64
	var neurons []int64
	states := make([][]float64, len(s.neuron.Model.States))
	add := func(t float64, neuron int64, state []float64) {
		times, neurons = append(times, t), append(neurons, neuron)
		for j := range states {
			states[j] = append(states[j], state[j])
		}
	}
	top := make([]float64, len(states))
	for j := range top {
		top[j] = math.NaN()
	}
	addTopsBefore := func(t float64) {
		for len(s.pending) > 0 && s.pending[0].Time < t {
			x := s.pending[0]
			s.pending = s.pending[1:]
			top[0] = s.spec.P[s.neuron.Model.Index("V_th")].At(int(x.Neuron))
			add(x.Time, x.Neuron, top)
		}
	}
	hand := func() error {
		if s.outputs.trace == nil {
			return nil
		}
		t := table.NewTable(table.Col("time_ms", times), table.Col("neuron", neurons))
		for j, x := range s.neuron.Model.States {
			t.Columns = append(t.Columns, table.Col(x.Column(), states[j]))
			states[j] = states[j][:0]
		}
		times, neurons = times[:0], neurons[:0]
		return s.outputs.trace.Append(t)
	}
	s.cfg.Trace.Row = func(t float64, neuron int64, state []float64) error {
		if s.picture != nil {
			s.picture.addState(t, neuron, state[0])
		}
		if s.outputs.trace == nil {
			return nil
		}
		addTopsBefore(t)
		add(t, neuron, state)
		if len(times) < blockRows {
			return nil
		}
		return hand()
	}
	return func() error {
		addTopsBefore(math.Inf(1))
		return hand()
	}
}

// addTops keeps the spikes of traced neurons until the trace has come to their times: the spikes of an epoch come before its
// states.
func (s *runCommand) addTops(block []pop.Spike) {
	if !s.tops {
		return
	}
	for _, x := range block {
		if slices.Contains(s.traced, x.Neuron) {
			s.pending = append(s.pending, x)
		}
	}
}

// write writes the table of neurons, finishes all files and puts the records beside them.
func (s *runCommand) write(sum pop.Summary) error {
	if s.outputs.spikes != nil { // there may have been none
		none := table.NewTable(table.Col("neuron", []int64{}), table.Col("time_ms", []float64{}))
		if err := s.outputs.spikes.Append(none); err != nil {
			return err
		}
	}
	if s.outputs.neurons != nil {
		for first := 0; first == 0 || first < sum.Trains.Len(); first += blockRows {
			if err := s.outputs.neurons.Append(s.neuronTable(sum.Trains, first)); err != nil {
				return err
			}
		}
	}
	for _, o := range []*file.Output{s.outputs.spikes, s.outputs.trace, s.outputs.neurons} {
		if o == nil {
			continue
		}
		if err := o.Commit(); err != nil {
			return err
		}
	}
	if s.picture != nil {
		if err := s.draw(s.picture.figure(), s.force); err != nil {
			return err
		}
	}
	s.phase("write")
	r := s.record(sum)
	for path, out := range map[string]*file.Output{
		s.out.Value: s.outputs.neurons, s.spikes.Value: s.outputs.spikes, s.trace.Value: s.outputs.trace,
	} {
		if err := s.aside(path, out, r); err != nil {
			return err
		}
	}
	return nil
}

// neuronTable is a block of the table of neurons. What was drawn for each neuron, or read from a file, follows.
func (s *runCommand) neuronTable(trains pop.Trains, first int) *table.Table {
	n := min(blockRows, trains.Len()-first)
	neurons, spikes := make([]int64, n), make([]int64, n)
	rate, latency, cv := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range n {
		t := trains.At(first + i)
		neurons[i], spikes[i] = int64(first+i), t.Spikes()
		rate[i], latency[i], cv[i] = t.Rate(), t.Latency(), t.CV()
	}
	t := table.NewTable(table.Col("neuron", neurons), table.Col("spikes", spikes), table.Col("rate_Hz", rate),
		table.Col("latency_ms", latency), table.Col("isi_cv", cv))
	for _, x := range s.neuron.Settings {
		if x.Value.Kind&(experiment.Drawn|experiment.File) != 0 {
			t.Columns = append(t.Columns, table.Col(x.Name, s.valuesOf(x)[first:first+n]))
		}
	}
	return t
}

// valuesOf are the values that a setting has for each neuron.
func (s *runCommand) valuesOf(x experiment.Setting) []float64 {
	switch x.Target {
	case experiment.Current:
		return s.spec.I
	case experiment.State:
		return s.spec.Init[x.Index]
	case experiment.Gain:
		return s.spec.Gain
	}
	return s.spec.P[x.Index]
}

// record says how the files of this run were made.
func (s *runCommand) record(sum pop.Summary) file.Record {
	work := float64(s.spec.N) * float64(sum.Steps)
	extra := map[string]any{
		"neurons": s.spec.N, "time_ms": s.time.Value, "discard_ms": s.discard.Value, "steps": sum.Steps, "spikes": sum.Spikes,
		"spike_rule": record.SpikeRule(s.neuron.Model), "interrupted": s.interrupted, "shards": sum.Shards, "bytes_per_neuron": sum.Bytes,
		"memory_forecast_bytes": s.need,
	}
	if len(sum.Away) > 0 {
		extra["runaway"] = sum.Away
	}
	record.AddWorkers(extra, sum.Sched)
	if work > 0 {
		extra["ns_per_neuron_step"] = sum.Elapsed.Seconds() * 1e9 / work
	}
	if s.trace.Value != "" {
		extra["trace"] = "states before each traced step; a reset within a step is seen after it, its upstroke is not"
		if s.tops {
			extra["trace"] = "states before each traced step, and a row with V = V_th at each spike"
		}
	}
	if len(s.waveforms.List) > 0 {
		extra["waveform"] = strings.Join(s.waveforms.List, " ")
	}
	return file.Record{
		Model: s.neuron.Model.Name, Preset: s.neuron.Preset.Name,
		Parameters: s.neuron.Parameters(nil), Dt: s.cfg.Dt, Method: s.method.Name, Seed: s.seed.Value,
		Kernel: s.neuron.Model.Name + "/" + s.method.Name, ISA: sum.Kernel.ISA.String(), Workers: len(sum.Sched.Busy),
		Extra: extra,
	}
}
