package kernels

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"sync"

	vector "popsim/kernels/vec"
	"popsim/kernels/vec/code"
	"popsim/model"
)

// A Program is one method of a model from outside of this package, as recordings of vector operations: the definition
// of its bits. Vectors of states have the order of the model's states.
type Program struct {
	// Coefs has an element for each coefficient: the parameters that it depends on, separated by spaces.
	Coefs []string
	// Fold writes the coefficients of a neuron with parameters p at step size dt.
	Fold func(p []float64, dt float64, c []float64)
	// Step is the state at the end of a step, or of x.Part of one, from state y.
	Step func(b *vector.Block, y []vector.Vec, x Surroundings) []vector.Vec
	// Lag, of methods whose columns hold all states but the first half a step behind it, is the state after x.Part of a
	// step, which may be negative, at a constant first state; nil where all states are of the same time. The excess
	// depends on the first state alone.
	Lag func(b *vector.Block, y []vector.Vec, x Surroundings) []vector.Vec
	// Slopes are dt dy/dt at state y.
	Slopes func(b *vector.Block, y []vector.Vec, x Surroundings) []vector.Vec
	// Excess is the distance of state y beyond the threshold; a spike is where it is not negative.
	Excess func(b *vector.Block, y []vector.Vec, x Surroundings) vector.Vec
	// ExcessSlope is dt d/dt Excess.
	ExcessSlope func(b *vector.Block, y []vector.Vec, x Surroundings) vector.Vec
	// Rearm, of models that cross, is the excess below which it must fall before the next spike counts; it is not above 0.
	Rearm func(b *vector.Block, x Surroundings) vector.Vec
	// Reset, of models that reset, is the state after a spike in state y.
	Reset func(b *vector.Block, y []vector.Vec, x Surroundings) []vector.Vec
	// Hold, of models that reset, is how many steps the first state is held after a spike; nil where it is not.
	Hold func(b *vector.Block, x Surroundings) vector.Vec
	// Steep, of models that reset, is dt times the derivative of the first slope by its state: by how many times a
	// deviation grows in a step. Steps that begin steeper than steepPart are taken in parts. nil where none needs to
	// be.
	Steep func(b *vector.Block, y []vector.Vec, x Surroundings) vector.Vec
	// Grid is whether spikes are at the ends of steps and Hold is rounded to whole steps.
	Grid bool
}

// Surroundings are the inputs of a recording of a Program besides the state.
type Surroundings struct {
	I    vector.Vec             // the input current
	Coef func(j int) vector.Vec // coefficient j
	G    *vector.Vec            // a conductance: the current is I - G times the first state; nil: none
	Part *vector.Vec            // the fraction of a step that Step covers; nil: the whole
	Held *vector.Mask           // lanes in which the first state is held; nil: none
}

// provided holds the programs of models from outside, by model and method.
var provided sync.Map

type providedKey struct {
	m      *model.Model
	method string
}

// Provide registers make as the source of the kernel of a method of m, a model defined outside this package. It is
// called before For, which calls make at most once.
func Provide(m *model.Model, method string, make func() *Program) {
	provided.Store(providedKey{m, method}, &providedProgram{make: sync.OnceValue(make)})
}

// providedProgram is a program and what has been compiled of it, by instruction set: see Kernel.codes.
type providedProgram struct {
	make  func() *Program
	codes sync.Map
}

// programScheme is the scheme of a program. Its last coefficients are I and gain; its hidden column is the remaining
// hold in steps, or the excess from which the next crossing counts: 0, or +Inf after a spike.
func programScheme(m *model.Model, p *Program) scheme {
	n := len(p.Coefs)
	s := scheme{
		sources: append(slices.Clone(p.Coefs), "I", "gain"), firstDriven: n + 2, grid: p.Grid,
		fold: func(q []float64, i, gain, dt float64, c []float64) {
			p.Fold(q, dt, c[:n])
			c[n], c[n+1] = i, gain
		},
		enter: func(s *Shard, i int, _ int64, y []float64) { s.enterProgram(i, y) },
		sync:  columnsSync,
	}
	if m.Fires == model.Crossing || p.Hold != nil {
		s.hidden = 1
	}
	if p.Lag != nil {
		s.enter = func(s *Shard, i int, _ int64, y []float64) {
			behind := slices.Clone(y)
			s.shiftLag(i, -0.5, behind)
			s.enterProgram(i, behind)
		}
		s.sync = func(s *Shard, i int, k int64, y []float64) {
			columnsSync(s, i, k, y)
			s.shiftLag(i, 0.5, y)
		}
	}
	return s
}

// Lags reports whether the columns of s hold all states but the first half a step behind it.
func (s *Shard) Lags() bool { return s.kernel.program != nil && s.kernel.program.Lag != nil }

// shiftLag advances all states of y but the first by a part of a step, with the coefficients of lane i.
func (s *Shard) shiftLag(i int, part float64, y []float64) {
	c := s.own.code
	x, ok := c.lags.Get().(*lagExecutor)
	if !ok {
		x = &lagExecutor{Executor: c.lag().Executor(), columns: make([]float64, (2*len(y)+inputPart+1+len(s.coefs))*Group)}
	}
	defer c.lags.Put(x)
	take := func(columns int) (part []float64) {
		part = x.columns[x.taken*Group:][:columns*Group]
		x.taken += columns
		return part
	}
	x.taken = 0
	f := &x.frame
	*f = vector.Frame{
		Before: take(len(y)), After: take(len(y)), Input: take(inputPart + 1), Lane: take(len(s.coefs)),
		Shared: s.own.shared, Steps: 1, Lanes: 1,
	}
	f.Input[inputPart*Group] = part
	for j, column := range s.coefs {
		if column != nil {
			f.Lane[s.own.place[j]*Group] = column[i]
		}
	}
	for j, v := range y {
		f.Before[j*Group] = v
	}
	x.Run(f) // which makes the state after the step that before the next
	for j := range y {
		y[j] = f.Before[j*Group]
	}
}

// lagExecutor runs the program of Lag on one lane.
type lagExecutor struct {
	vector.Executor
	frame   vector.Frame
	columns []float64
	taken   int
}

// enterProgram sets lane i to state y. A neuron of a model that crosses starts armed; if it starts beyond its
// threshold, the first crossing is that of its first step.
func (s *Shard) enterProgram(i int, y []float64) {
	for j, x := range y {
		s.Y[j][i] = x
	}
	if s.kernel.hidden > 0 {
		s.Y[len(y)][i] = 0
	}
}

// programShard is the part of a Shard that belongs to a program, besides its columns.
type programShard struct {
	shared  []float64 // coefficients that all neurons share
	place   []int     // of each coefficient, its column among those that differ, or -1
	scratch []float64 // of Fold
	code    *programCode
	withG   func() *programCode // with conductances, compiled when they first come
}

// program prepares s for a kernel of a program, c being the coefficients of its first neuron.
func (s *Shard) program(c []float64) {
	o := &programShard{shared: c, scratch: make([]float64, len(c))}
	n := 0
	for _, col := range s.coefs {
		if col == nil {
			o.place = append(o.place, -1)
			continue
		}
		o.place = append(o.place, n)
		n++
	}
	o.code = s.kernel.codeFor(o.place, false)
	o.withG = sync.OnceValue(func() *programCode { return s.kernel.codeFor(o.place, true) })
	s.own = o
}

// programCode is a program compiled for coefficients some of which differ from lane to lane.
type programCode struct {
	step, full, part, locate, lag func() executable // compiled when they are first needed
	lags                          sync.Pool         // of *lagExecutor
}

// executable is a program ready for execution, as plain Go or as machine code.
type executable interface{ Executor() vector.Executor }

// ready compiles a program; whole is whether it runs the vectors of a group, not a single lane.
func (k *Kernel) ready(record func(b *vector.Block), whole bool) executable {
	p := &vector.Program{Name: k.Model.Name, Record: record}
	if whole && k.Model.Fires == model.Crossing && !k.grid {
		p.Keep = len(k.Model.States)
	}
	plain := p.Compile()
	target, ok := map[ISA]vector.Target{AVX2: vector.AVX2, AVX512: vector.AVX512}[k.ISA]
	if !ok {
		return plain
	}
	n := 1
	if whole {
		n = abreast(k.ISA, plain.Len(), p)
	}
	// Of the files of the library within 3 % of the best of each, on both instruction sets.
	tune := vector.Tuning{Near: 20, Skew: 0.3, Reuse: 4}
	c, err := code.Compile(p, target, n, tune)
	if err != nil { // no memory for code: what plain Go computes is the same
		return plain
	}
	return c
}

// abreast is the number of vectors of a program of so many operations that are computed side by side: enough to hide
// latencies, few enough to spill little. AVX-512 has twice the registers: there eight also pay for long programs whose
// operations mostly wait for each other, as where a gate follows V at once (Wang and Buzsaki's).
func abreast(isa ISA, operations int, p *vector.Program) int {
	small := 125
	if isa == AVX512 {
		small = 200
		b := vector.NewBlock(p.Name, vector.Context{Target: vector.AVX512})
		p.RecordVectors(b, 1)
		if operations < 400 && float64(b.Path()) > 0.42*float64(b.Cost()) {
			return 8
		}
	}
	switch {
	case operations < small:
		return 8
	case operations < 600:
		return 4
	}
	return 2
}

// MachineCode returns an error that says why programs of models from outside run in plain Go although this build can
// make machine code; else nil.
func MachineCode() error {
	if !assembled {
		return nil
	}
	return code.Available()
}

// codeFor compiles the program of k, once for each choice of the coefficients that differ from lane to lane.
func (k *Kernel) codeFor(place []int, conductances bool) *programCode {
	place = place[:len(place)-2] // I and gain are no coefficients of a program
	key := fmt.Sprint(place, conductances)
	if c, ok := k.codes.Load(key); ok {
		return c.(*programCode)
	}
	r := recorder{k, place, len(k.Model.States), conductances}
	ready := func(record func(b *vector.Block), whole bool) func() executable {
		return sync.OnceValue(func() executable { return k.ready(record, whole) })
	}
	c, _ := k.codes.LoadOrStore(key, &programCode{
		step: ready(r.step(false), true), full: ready(r.step(true), true),
		part: ready(r.part, false), locate: ready(r.locate, false), lag: ready(r.lag, false),
	})
	return c.(*programCode)
}

// programWorker is the scratch memory of a goroutine for programs.
type programWorker struct {
	executors map[*programCode]*programExecutors
	frame     vector.Frame // of a group
	event     vector.Frame // of lanes in event steps
	crossings [Group]Event // the spikes that wait in the frame of events
	log       [2 * Group]vector.Firing
	kept      []float64
	input     []float64 // currents, rows of a group
	lanes     [3][]float64
}

// programExecutors are the executors of a program on one goroutine, made when they are first needed.
type programExecutors struct {
	*programCode
	made [4]vector.Executor
}

const (
	stepProgram = iota
	fullProgram
	partProgram
	locateProgram
)

func (x *programExecutors) executor(of int) vector.Executor {
	if x.made[of] == nil {
		x.made[of] = [...]func() executable{x.step, x.full, x.part, x.locate}[of]().Executor()
	}
	return x.made[of]
}

func (w *Worker) executors(c *programCode) *programExecutors {
	if w.own.executors == nil {
		w.own.executors = map[*programCode]*programExecutors{}
	}
	x := w.own.executors[c]
	if x == nil {
		x = &programExecutors{programCode: c}
		w.own.executors[c] = x
	}
	return x
}

// programRows is the number of steps for which the currents of a group are written at a time.
const programRows = 16

// sized returns a slice of n numbers, x itself if it is long enough; their values are undefined.
func sized(x []float64, n int) []float64 {
	if cap(x) < n {
		return column(n)
	}
	return x[:n]
}

// advanceProgram is Advance for programs. The columns of a group are copied to memory of the worker and advanced there
// by all steps.
func (s *Shard) advanceProgram(w *Worker, steps int, drive Drive, events []Event) []Event {
	c := s.own.code
	if drive.G != nil {
		c = s.own.withG()
	}
	a := programAdvance{s: s, w: w, x: w.executors(c), drive: drive, columns: len(s.Y)}
	driven := drive.Waveform != nil || drive.Row != nil
	run := a.x.executor(stepProgram)
	if w.extrema {
		run = a.x.executor(fullProgram)
		a.columns += 2
	}
	o := &w.own
	for g := 0; g < s.N; g += Group {
		f := &o.frame
		a.group, a.lanes = g, min(Group, s.N-g)
		a.load(f)
		event := a.event(f)
		event.size()
		for at := 0; at < steps; {
			n := steps - at
			if driven {
				n = min(n, programRows)
			}
			a.currents(f, at, n, driven)
			f.Step, f.Steps, f.At, f.Lanes = 0, n, 0, a.lanes
			if a.model().Fires == model.Crossing {
				events = a.runLogged(run, f, at, events)
			} else {
				for run.Run(f); f.Fired != 0; run.Run(f) {
					events = a.fire(f, at, events)
				}
			}
			at += n
		}
		a.store(f)
		events = event.locateCrossings(events)
	}
	return events
}

// runLogged runs the steps of a frame of a model that crosses, whose spikes change no state, and appends the spikes;
// for at see fire.
func (a *programAdvance) runLogged(run vector.Executor, f *vector.Frame, at int, events []Event) []Event {
	o, e := &a.w.own, a.event(f)
	width := 0
	if !a.s.kernel.grid {
		width = 2 * e.n
	}
	o.kept = sized(o.kept, width*len(o.log))
	f.Log, f.Kept = o.log[:], o.kept
	for f.Step < f.Steps {
		f.Logged = 0
		run.Run(f)
		for k, x := range f.Log[:f.Logged] {
			spike := Event{Lane: int32(a.group + x.Lane), Step: int32(at + x.Step), Theta: 1}
			if a.s.kernel.grid {
				events = append(events, spike)
			} else {
				events = e.cross(spike, x, f.Kept[width*k:], events)
			}
		}
	}
	f.Log = nil
	return events
}

// programAdvance is one call of Advance.
type programAdvance struct {
	s       *Shard
	w       *Worker
	x       *programExecutors
	drive   Drive
	columns int // of a frame: states, hidden, extrema
	group   int // its first lane
	lanes   int // of it
	crossed int // lanes of the frame of events with a spike to be located
}

// changing lists the columns that steps change.
func (a *programAdvance) changing(yield func(j int, column []float64)) {
	for j, y := range a.s.Y {
		yield(j, y[a.group:a.group+Group])
	}
	if a.w.extrema {
		yield(len(a.s.Y), a.s.Lo[a.group:a.group+Group])
		yield(len(a.s.Y)+1, a.s.Hi[a.group:a.group+Group])
	}
}

// load copies the columns of the group to the frame.
func (a *programAdvance) load(f *vector.Frame) {
	o := &a.w.own
	varying := 0
	for _, c := range a.s.coefs {
		if c != nil {
			varying++
		}
	}
	for i, n := range [3]int{a.columns, a.columns, varying} {
		o.lanes[i] = sized(o.lanes[i], n*Group)
	}
	f.Before, f.After, f.Lane, f.Shared = o.lanes[0], o.lanes[1], o.lanes[2], a.s.own.shared
	a.changing(func(j int, column []float64) {
		copy(f.Before[j*Group:], column)
		for l := a.lanes; l < Group; l++ { // so that no lane that is not there fires
			f.Before[j*Group+l] = math.NaN()
		}
	})
	for j, c := range a.s.coefs {
		if c != nil {
			copy(f.Lane[a.s.own.place[j]*Group:], c[a.group:a.group+Group])
		}
	}
}

func (a *programAdvance) store(f *vector.Frame) {
	a.changing(func(j int, column []float64) { copy(column[:a.lanes], f.Before[j*Group:]) })
}

// currents writes the input of steps at to at+n-1 to the frame.
func (a *programAdvance) currents(f *vector.Frame, at, n int, driven bool) {
	o := &a.w.own
	f.Stride = 0
	rows, width := 1, Group
	if a.drive.G != nil {
		width = 2 * Group
	}
	if driven {
		f.Stride, rows = width, n
	}
	o.input = sized(o.input, rows*width)
	f.Input = o.input
	i := len(a.s.coefs) - 2
	for k := range rows {
		row := o.input[k*width:][:a.lanes]
		for l := range row {
			row[l] = a.s.coef(i, a.group+l)
		}
		if a.drive.Waveform != nil {
			for l := range row {
				row[l] = math.FMA(a.s.coef(i+1, a.group+l), a.drive.Waveform[at+k], row[l])
			}
		}
		if a.drive.Row != nil {
			from := a.drive.Row[(at+k)*a.drive.Stride+a.group:]
			for l := range row {
				row[l] += from[l]
			}
		}
		if a.drive.G != nil {
			copy(o.input[k*width+inputG*Group:][:a.lanes], a.drive.G[(at+k)*a.drive.Stride+a.group:])
		}
	}
}

// fire finishes the current step of the lanes that fired, of a model that resets, and appends their spikes. at is the
// step of the call at which the frame begins.
func (a *programAdvance) fire(f *vector.Frame, at int, events []Event) []Event {
	e := a.event(f)
	e.step = int32(at + f.Step)
	for fired := f.Fired; fired != 0; fired &= fired - 1 {
		e.lane = bits.TrailingZeros64(fired)
		e.gather(0, e.lane, f.Step)
		events = e.resets(events)
	}
	return events
}

func (a *programAdvance) event(f *vector.Frame) programEvent {
	return programEvent{programAdvance: a, f: f, n: len(a.s.kernel.Model.States)}
}

func (a *programAdvance) model() *model.Model { return a.s.kernel.Model }

// programEvent is an event step: of one lane of a model that resets, which is lane 0 of the frame of events, or of the
// lanes that have crossed in several steps, in the frame of events.
type programEvent struct {
	*programAdvance
	f    *vector.Frame
	lane int
	step int32
	n    int // states
}

// Columns of the input of a frame of events.
const (
	inputI = iota
	inputG // of programs with conductances
	inputPart
	inputHeld
	inputEnd // the state at the end of the part, of the program that locates
)

// size allocates the event frame.
func (e *programEvent) size() {
	v := &e.w.own.event
	v.Before, v.After = sized(v.Before, (e.n+4)*Group), sized(v.After, (e.n+4)*Group)
	v.Input, v.Lane = sized(v.Input, (inputEnd+e.n)*Group), sized(v.Lane, len(e.f.Lane))
	v.Shared = e.f.Shared
}

// gather copies the columns of a lane of the group that do not change in a step of the frame to lane `to` of the frame
// of events.
func (e *programEvent) gather(to, lane, step int) {
	v := &e.w.own.event
	for j := 0; j < len(e.f.Lane); j += Group {
		v.Lane[j+to] = e.f.Lane[j+lane]
	}
	v.Input[inputI*Group+to] = e.f.Input[step*e.f.Stride+lane]
	if e.drive.G != nil {
		v.Input[inputG*Group+to] = e.f.Input[step*e.f.Stride+inputG*Group+lane]
	}
}

// run runs a program on the first lanes of the frame of events, from the state in Before; the result is in After.
func (e *programEvent) run(x vector.Executor, lanes int) *vector.Frame {
	v := &e.w.own.event
	v.Step, v.Steps, v.At, v.Lanes = 0, 1, 0, lanes
	x.Run(v)
	v.Before, v.After = v.After, v.Before // Run has ended the step
	return v
}

// locate finds the spike between the state in Before and that of the frame at the end of a part of a step.
func (e *programEvent) locate(part float64, end func(j int) float64) *vector.Frame {
	v := &e.w.own.event
	v.Input[inputPart*Group] = part
	for j := range e.n {
		v.Input[(inputEnd+j)*Group] = end(j)
	}
	return e.run(e.x.executor(locateProgram), 1)
}

// theta is the place of the located spike in its part, between 0 and 1 even if states are NaN.
func (e *programEvent) theta(v *vector.Frame, lane int) float64 {
	if t := v.After[e.n*Group+lane]; t >= 0 && t <= 1 {
		return t
	}
	return 1
}

// cross puts a lane that crossed, from the states kept before and after its step, beside those of before, to be located
// together.
func (e *programEvent) cross(spike Event, at vector.Firing, kept []float64, events []Event) []Event {
	v, n := &e.w.own.event, e.crossed
	e.gather(n, at.Lane, at.Step)
	v.Input[inputPart*Group+n] = 1
	for j := range e.n {
		v.Before[j*Group+n], v.Input[(inputEnd+j)*Group+n] = kept[j], kept[e.n+j]
	}
	e.w.own.crossings[n] = spike
	if e.crossed++; e.crossed == Group {
		events = e.locateCrossings(events)
	}
	return events
}

// locateCrossings locates the spikes that cross has collected.
func (e *programEvent) locateCrossings(events []Event) []Event {
	if e.crossed == 0 {
		return events
	}
	v := e.run(e.x.executor(locateProgram), e.crossed)
	for k, x := range e.w.own.crossings[:e.crossed] {
		if v.After[(e.n+1)*Group+k] >= 0 {
			continue // it has been beyond the threshold since its start
		}
		x.Theta = e.theta(v, k)
		events = append(events, x)
	}
	e.crossed = 0
	return events
}

// resets advances a lane of a model that resets by its step: held first if it is still refractory, then from spike to
// spike, and held again.
func (e *programEvent) resets(events []Event) []Event {
	v := &e.w.own.event
	n, end := e.n, e.f.After
	for j := range n {
		v.Before[j*Group] = e.f.Before[j*Group+e.lane]
	}
	at, wait := 0.0, 0.0                    // the part of the step that is done; steps to be held
	here := e.s.kernel.program.Steep == nil // the state at the end of the step is that of the frame
	if e.s.kernel.hidden > 0 {
		if at = e.f.Before[n*Group+e.lane]; at > 0 {
			e.part(at, true)
			e.take()
			here = false
		}
	}
	for spikes := 0; ; spikes++ {
		var excess float64
		span := 1 - at
		if !here {
			at, span, excess = e.climb(at)
			for j := range n {
				end[j*Group+e.lane] = v.After[j*Group]
			}
		}
		if here = here && spikes == 0; !here && !(excess >= 0) {
			break
		}
		if spikes == MaxSpikes {
			end[e.lane] = math.NaN()
			break
		}
		e.locate(span, func(j int) float64 { return end[j*Group+e.lane] })
		at = min(at+float64(e.theta(v, 0)*span), 1)
		events = append(events, Event{int32(e.group + e.lane), e.step, at})
		wait, here = v.After[(n+2)*Group], false
		e.widen(v.After[(n+3)*Group])
		e.take()
		if wait > 0 {
			if at+wait >= 1 || e.s.kernel.grid {
				wait -= 1 - at
				e.part(1-at, true)
				for j := range n {
					end[j*Group+e.lane] = v.After[j*Group]
				}
				break
			}
			e.part(wait, true)
			e.take()
			at, wait = at+wait, 0
		}
		if e.s.kernel.grid {
			for j := range n {
				end[j*Group+e.lane] = v.Before[j*Group]
			}
			break
		}
	}
	if e.s.kernel.hidden > 0 {
		end[n*Group+e.lane] = max(wait, 0)
	}
	e.widen(end[e.lane])
	return events
}

// steepPart is the largest factor by which a deviation may grow in a step, and in the first part of one that is taken
// in parts: the error of rk4 is then 1e-5 of the time of the part. Later parts may be longer: the time over which their
// errors matter becomes ever shorter, until the potential is beyond the threshold.
const (
	steepPart  = 1.0 / 4
	steepParts = 4096 // at most; the rest is then one part
)

// climb advances the lane from the state in Before at the part at of the step to its end or until a spike: in one part,
// or in several where the first state explodes. The last one begins at the part from and spans span; the state at its
// begin is in Before, that at its end in After.
func (e *programEvent) climb(at float64) (from, span, excess float64) {
	v := &e.w.own.event
	if e.s.kernel.program.Steep == nil {
		return at, 1 - at, e.part(1-at, false)
	}
	e.part(0, false)
	for n := range steepParts {
		span = 1 - at
		if steep := v.After[(e.n+1)*Group]; steep > steepPart && n < steepParts-1 {
			growth := steepPart * min(2, max(1, math.Sqrt(math.Sqrt(math.Sqrt(steep/steepPart)))))
			span = min(span, growth/steep)
		}
		if n > 0 {
			e.take()
		}
		if excess = e.part(span, false); excess >= 0 || !(at+span < 1) {
			break
		}
		at += span
	}
	return at, span, excess
}

// part advances the lane from the state in Before by a part of a step, and returns the excess at its end.
func (e *programEvent) part(part float64, held bool) float64 {
	v := &e.w.own.event
	v.Input[inputPart*Group], v.Input[inputHeld*Group] = part, 0
	if held {
		v.Input[inputHeld*Group] = 1
	}
	e.run(e.x.executor(partProgram), 1)
	return v.After[e.n*Group]
}

// take makes the state at the end of a part the state at the start of the next.
func (e *programEvent) take() {
	v := &e.w.own.event
	v.Before, v.After = v.After, v.Before
}

// widen adds a potential v of an event step to the extrema of the lane.
func (e *programEvent) widen(v float64) {
	if !e.w.extrema {
		return
	}
	end, at := e.f.After, len(e.s.Y)*Group+e.lane
	end[at], end[at+Group] = min(end[at], v), max(end[at+Group], v)
}
