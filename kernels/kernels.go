// Package kernels advances the columns of a population: for every model and method it has a step in plain Go and, where
// vectors are worth it, the same step in assembly with the same bits.
//
// # Time
//
// Step k covers [k dt, (k+1) dt); the state at k dt is the state before step k. Neurons do not interact within a call,
// so a group of them is loaded once and advanced many steps (temporal blocking): the cost of memory is paid once per
// call. Most steps of most neurons are smooth; those go through the fast step. A step in which a neuron spikes or
// leaves refractoriness (an event step) is finished by finish, which locates the event on the model's own continuous
// flow. Whether a step is an event step depends on the lane's own numbers alone.
//
// # Sameness
//
// Every operation is correctly rounded: add, subtract, multiply, divide, fused multiply-add, compare, select and
// integer operations on bit patterns. Where the vectors fuse, the code has math.FMA; products that are not fused stand
// in float64(), since Go may fuse a bare x*y + z.
package kernels

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"
	"sync"
	"unsafe"

	"popsim/kernels/asm"
	"popsim/kernels/vec/code"
	"popsim/model"
)

// Group is the number of neurons that are advanced together; columns are padded to multiples of it.
const Group = asm.Group

// Event is a spike: neuron Lane of the shard fired Theta of a step after the start of step Step, counted from the
// first step of the call that reports it; 0 ≤ Theta ≤ 1. The events of one neuron come in order of time.
type Event struct {
	Lane  int32
	Step  int32
	Theta float64
}

// MaxSpikes is the largest number of spikes of a neuron in one step. With more, the step is far too large: V becomes
// NaN.
const MaxSpikes = 64

// step is a fast step: see asm.Block.
type step func(*asm.Block)

// Kernel is one method of one model on one instruction set. It holds no state and may be shared.
type Kernel struct {
	Model  *model.Model
	Method model.Method
	ISA    ISA // what runs: never Auto, and Go where the method has no assembly

	scheme

	program *Program // of a model from outside of this package
	codes   *sync.Map
}

// scheme is one method of one model, as its file defines it.
type scheme struct {
	sources     []string // for each coefficient the parameters it depends on, "I" and "gain" among them
	firstDriven int      // index of the first coefficient used only when there is an input
	hidden      int      // columns of Y after those of the model's states

	// fold writes the coefficients of a neuron with parameters p, current i and gain, at step size dt.
	fold func(p []float64, i, gain, dt float64, c []float64)
	// enter sets the columns of lane i of s to state y, at the start of step k.
	enter func(s *Shard, i int, k int64, y []float64)
	// sync writes the state of lane i of s at the start of step k.
	sync func(s *Shard, i int, k int64, y []float64)
	// finish finishes the current step of the lanes b.InEvent of the group at lane g, and appends their spikes; nil
	// with grid.
	finish func(w *Worker, s *Shard, g int, events []Event) []Event

	// grid is whether spikes are at the ends of steps; the fast step then resets V itself and records them in Fired.
	grid bool

	free, driven step // the fast step without an input, and with input and extrema
	chunks       bool // whether the kernels test for spikes after chunks of steps
	prefetches   bool // whether the assembly kernels prefetch the next group's columns themselves

	// advance is what Advance does, group by group; nil means advanceGroups.
	advance func(s *Shard, w *Worker, first int64, steps int, drive Drive, events []Event) []Event
	substep step           // cut-rk4: the kernel that advances lanes through the substeps of a step; else nil
	packed  *packedKernels // LIF: where there are any, else nil
}

// For finds the kernel of a method, in assembly if the requested instruction set has one; Auto means the widest.
func For(m *model.Model, method model.Method, isa ISA) (*Kernel, error) {
	isa, err := ParseISA(isa.String())
	if err != nil {
		return nil, err
	}
	if p, ok := provided.Load(providedKey{m, method.Name}); ok {
		p := p.(*providedProgram)
		if code.Available() != nil {
			isa = Go
		}
		program := p.make()
		codes, _ := p.codes.LoadOrStore(isa, new(sync.Map))
		return &Kernel{
			Model: m, Method: method, ISA: isa, scheme: programScheme(m, program), program: program,
			codes: codes.(*sync.Map),
		}, nil
	}
	s, ok := schemes[m.Name][method.Name]
	if !ok {
		return nil, fmt.Errorf("kernels: %s has no method %q", m.Name, method.Name)
	}
	k := &Kernel{Model: m, Method: method, ISA: Go, scheme: s}
	if free, driven, ok := assembly(m.Name, method.Name, isa); ok {
		k.ISA, k.free, k.driven = isa, free, driven
	} else {
		k.prefetches = false
	}
	if k.substep != nil {
		if free, _, ok := assembly(m.Name, "substep", k.ISA); ok {
			k.substep = free
		}
	}
	k.packed = packedAssembly(m.Name, k.ISA)
	return k, nil
}

// Values is one number for all neurons (length 1) or one for each.
type Values []float64

// At is the value for neuron i.
func (v Values) At(i int) float64 {
	if len(v) == 1 {
		return v[0]
	}
	return v[i]
}

// fast is the step that a call uses.
func (k *Kernel) fast(full bool) step {
	if full {
		return k.driven
	}
	return k.free
}

// read is the number of coefficients that a step reads; they are the first ones.
func (k *Kernel) read(full bool) int {
	if full {
		return len(k.sources)
	}
	return k.firstDriven
}

// Setting is what distinguishes the neurons of a population: parameters in the order of the model, the input current,
// and the gain with which a neuron takes a Drive.
type Setting struct {
	P    []Values
	I    Values
	Gain Values
}

// Shard is a run of neurons in parallel columns, padded to whole groups with copies of its last neuron that never
// spike. A shard owns every byte it writes.
type Shard struct {
	N      int
	Dt     float64     // ms
	Y      [][]float64 // the model's states, then hidden ones; read them through State
	Wake   []float64   // models that reset: see asm.Block; nil otherwise
	Level  []float64   // models that cross: see asm.Block; nil otherwise
	Rem    []float64   // integrate-and-fire: the part of step Wake that is left when the neuron wakes; nil otherwise
	Lo, Hi []float64   // extrema of V since ResetExtrema; nil before

	kernel *Kernel
	coefs  [][]float64 // a column for each coefficient that differs from neuron to neuron, nil for the others
	shared *asm.Coefs  // the others
	large  bool        // whether it outgrows the first-level cache
	own    *programShard
}

// NewShard makes a shard of the n neurons from number first on of the population that set describes.
func (k *Kernel) NewShard(first, n int, dt float64, set Setting) *Shard {
	s := &Shard{N: n, Dt: dt, kernel: k, shared: new(asm.Coefs)}
	padded := (n + Group - 1) / Group * Group
	for range len(k.Model.States) + k.hidden {
		s.Y = append(s.Y, column(padded))
	}
	switch {
	case k.program != nil:
	case k.Model.Fires == model.Reset:
		s.Wake, s.Rem = column(padded), column(padded)
	default:
		s.Level = column(padded)
	}
	c := make([]float64, len(k.sources))
	p := set.at(first, nil)
	k.fold(p, set.I.At(first), set.Gain.At(first), dt, c)
	if k.program == nil {
		for j, x := range c {
			for l := range s.shared[j] {
				s.shared[j][l] = x
			}
		}
	}
	varies := set.varying(k.Model)
	s.coefs = make([][]float64, len(c))
	each := false
	for j, source := range k.sources {
		if dependsOn(source, varies) {
			s.coefs[j] = column(padded)
			each = true
		}
	}
	if k.program != nil {
		s.program(c)
	}
	s.large = padded*s.Bytes() > 32<<10
	y := make([]float64, len(k.Model.States))
	k.Model.Initial(p, y)
	for i := range padded {
		if each {
			j := first + min(i, n-1)
			p = set.at(j, p)
			s.Fold(i, p, set.I.At(j), set.Gain.At(j))
		}
		if i >= n && k.program != nil {
			s.Enter(i, 0, y)
		} else if i >= n {
			if k.Model.Fires == model.Reset { // its own V_th may be below the first neuron's resting potential
				y[0] = k.Model.ResetTo(p)
			}
			s.Enter(i, 0, y)
			if s.Wake != nil {
				s.Wake[i] = math.Inf(1)
			} else {
				s.Level[i] = math.Inf(1)
			}
		}
	}
	return s
}

// at collects the parameters of neuron i into p.
func (set Setting) at(i int, p []float64) []float64 {
	p = p[:0]
	for _, v := range set.P {
		p = append(p, v.At(i))
	}
	return p
}

// varying names what differs from neuron to neuron.
func (set Setting) varying(m *model.Model) map[string]bool {
	v := map[string]bool{"I": len(set.I) > 1, "gain": len(set.Gain) > 1}
	for j, q := range m.Params {
		v[q.Name] = len(set.P[j]) > 1
	}
	return v
}

// column makes a column that starts on a cache line.
func column(n int) []float64 {
	const line = 8
	c := make([]float64, n+line)
	skip := 0
	if over := uintptr(unsafe.Pointer(unsafe.SliceData(c))) % (8 * line); over != 0 {
		skip = int(8*line-over) / 8
	}
	return c[skip : skip+n : skip+n]
}

// Fold sets the parameters of lane i. Only coefficients that differ from neuron to neuron can change.
func (s *Shard) Fold(i int, p []float64, current, gain float64) {
	var few [asm.MaxCoef]float64
	c := few[:]
	if s.own != nil {
		c = s.own.scratch
	}
	s.kernel.fold(p, current, gain, s.Dt, c)
	for j, col := range s.coefs {
		if col != nil {
			col[i] = c[j]
		}
	}
}

// coef is coefficient j of lane i.
func (s *Shard) coef(j, i int) float64 {
	if s.coefs[j] != nil {
		return s.coefs[j][i]
	}
	if s.own != nil {
		return s.own.shared[j]
	}
	return s.shared[j][0]
}

// Enter sets lane i to state y (one value for each state of the model) at the start of step k.
func (s *Shard) Enter(i int, k int64, y []float64) { s.kernel.enter(s, i, k, y) }

// State writes the state of lane i at the start of step k, the step up to which it has been advanced.
func (s *Shard) State(i int, k int64, y []float64) { s.kernel.sync(s, i, k, y) }

// ISA is the instruction set of the shard's kernels.
func (s *Shard) ISA() ISA { return s.kernel.ISA }

// ResetExtrema resets the lowest and highest V of lane i.
func (s *Shard) ResetExtrema(i int) {
	if s.Lo == nil {
		s.Lo, s.Hi = column(len(s.Y[0])), column(len(s.Y[0]))
		for l := range s.Lo {
			s.Lo[l], s.Hi[l] = math.Inf(1), math.Inf(-1)
		}
	}
	s.Lo[i], s.Hi[i] = math.Inf(1), math.Inf(-1)
}

// SetLanes makes s advance its first n lanes only; n is at most the number of neurons it was made for.
func (s *Shard) SetLanes(n int) {
	if n < 0 || n > len(s.Y[0]) {
		panic(fmt.Sprintf("bug: kernels: %d lanes of a shard of %d", n, len(s.Y[0])))
	}
	s.N = n
}

// CopyLane copies state and extrema of lane from to lane to. Its coefficients are not copied: see Fold.
func (s *Shard) CopyLane(to, from int) {
	for _, c := range s.lanes() {
		if c != nil {
			c[to] = c[from]
		}
	}
}

// AppendLane appends the columns of lane i to dst; PutLane restores them.
func (s *Shard) AppendLane(dst []float64, i int) []float64 {
	for _, c := range s.lanes() {
		if c != nil {
			dst = append(dst, c[i])
		}
	}
	return dst
}

// PutLane sets lane i to the columns that AppendLane has appended.
func (s *Shard) PutLane(i int, from []float64) {
	for _, c := range s.lanes() {
		if c != nil {
			c[i], from = from[0], from[1:]
		}
	}
}

// CopyState copies the states of all lanes from another shard of the same kernel and size, without extrema.
func (s *Shard) CopyState(from *Shard) {
	for j, c := range from.Y {
		copy(s.Y[j], c)
	}
	copy(s.Wake, from.Wake)
	copy(s.Level, from.Level)
	copy(s.Rem, from.Rem)
}

// MaxColumns is how many columns of Y a model may have: its states and hidden ones.
const MaxColumns = model.MaxStates + 1

// lanes lists the columns that hold the state and the extrema of a lane; some may be nil.
func (s *Shard) lanes() [5 + MaxColumns][]float64 {
	all := [5 + MaxColumns][]float64{s.Wake, s.Level, s.Rem, s.Lo, s.Hi}
	copy(all[5:], s.Y)
	return all
}

// Bytes is the memory (bytes) of a shard's columns for each neuron.
func (s *Shard) Bytes() int {
	n := len(s.Y) + 1
	for _, c := range append([][]float64{s.Rem, s.Lo, s.Hi}, s.coefs...) {
		if c != nil {
			n++
		}
	}
	return 8 * n
}

// Bytes is the memory (bytes) of a future shard's columns for each neuron if the named parameters ("I" and "gain" among
// them) differ from neuron to neuron, without extrema.
func (k *Kernel) Bytes(varies map[string]bool) int {
	n := len(k.Model.States) + k.hidden + 1
	if k.Model.Fires == model.Reset {
		n++
	}
	for _, source := range k.sources {
		if dependsOn(source, varies) {
			n++
		}
	}
	return 8 * n
}

func dependsOn(source string, varies map[string]bool) bool {
	return slices.ContainsFunc(strings.Fields(source), func(name string) bool { return varies[name] })
}

// Drive is an input current added to I: gain·Waveform[k] in step k of the call, and Row[k·Stride + lane] where Row is
// not nil; units are those of the model's current. A nil Waveform is zero.
type Drive struct {
	Waveform []float64
	Row      []float64
	Stride   int
	// G holds conductances as Row holds currents: the current falls by G times the first state, where the equations have
	// conductances. For kernels of programs alone, and together with Row.
	G []float64
}

// Worker is the scratch memory of one goroutine. Its columns are first, to be aligned.
type Worker struct {
	coefs     asm.Coefs
	scratch   asm.Scratch
	unused    [2]asm.Column // extrema that are not wanted
	log       [asm.LIFLog]asm.Column
	eventStep [12]asm.Column
	packed    asm.LIFPacked
	cut       cutLanes // of RHH cut-rk4

	fired [asm.MaxSteps]uint64
	ahead []*asm.Column // of the next group

	b       asm.Block
	full    bool // whether the call is driven, or records extrema
	extrema bool
	zeros   []float64 // a Waveform or a Row of zeros
	steady  []float64 // see asm.Input, or, with chunks more, the waveform
	packing packing
	own     programWorker

	before, after [4]float64 // states of one lane around a step
	u             upstroke   // one lane of EIF or AdEx
}

// NewWorker makes scratch memory for one goroutine.
func NewWorker() *Worker { return new(Worker) }

// Advance advances all neurons of s by the steps first to first+steps-1 and appends their spikes to events; those of
// one neuron are in order of time. With extrema (after ResetExtrema) the lowest and highest V are kept. It allocates
// only when events grows.
func (s *Shard) Advance(w *Worker, first int64, steps int, drive Drive, extrema bool, events []Event) []Event {
	w.extrema, w.full = extrema, extrema || drive.Waveform != nil || drive.Row != nil
	if need := max(steps, Group); w.full && len(w.zeros) < need {
		w.zeros = make([]float64, need)
	}
	switch {
	case s.own != nil:
		return s.advanceProgram(w, steps, drive, events)
	case s.kernel.advance != nil:
		return s.kernel.advance(s, w, first, steps, drive, events)
	}
	return s.advanceGroups(w, first, steps, drive, events)
}

// advanceGroups advances the neurons group by group, each by all steps.
func (s *Shard) advanceGroups(w *Worker, first int64, steps int, drive Drive, events []Event) []Event {
	b, fast := &w.b, s.kernel.fast(w.full)
	b.Scratch, b.Log, b.EventStep, b.Fired, b.First = &w.scratch, &w.log, &w.eventStep, &w.fired, float64(first)
	b.Packed = &w.packed
	if b.Steady = nil; s.kernel.chunks {
		b.Steady = w.steadyVoltages(s, steps, drive)
	}
	w.startPacking(s, steps, drive)
	for g := 0; g < s.N; g += Group {
		w.bind(b, s, g, s.loadCoefs(&w.coefs, g, w.full, g == 0), drive)
		if s.large && g+Group < s.N {
			if b.Ahead = s.nextColumns(w, g+Group); !s.kernel.prefetches {
				w.prefetchRest()
			}
		}
		b.Step, b.Lane, b.Steps = 0, 0, 0
		w.packing.startGroup(b)
		for b.Steps < steps {
			first := b.Steps
			b.Steps = min(first+asm.MaxSteps, steps)
			events = s.run(w, fast, g, events)
			if s.kernel.grid {
				events = gridSpikes(b, first, g, events)
			}
		}
		w.prefetchRest()
	}
	return events
}

// nextColumns lists the columns of the group at lane g that a call reads.
func (s *Shard) nextColumns(w *Worker, g int) []*asm.Column {
	w.ahead = w.ahead[:0]
	for _, columns := range [...][][]float64{s.Y, {s.Wake, s.Level, s.Rem}, s.coefs[:s.kernel.read(w.full)]} {
		for _, c := range columns {
			if c != nil {
				w.ahead = append(w.ahead, (*asm.Column)(c[g:]))
			}
		}
	}
	return w.ahead
}

// prefetchRest prefetches the columns that no kernel has prefetched.
func (w *Worker) prefetchRest() {
	for _, c := range w.b.Ahead {
		prefetch(c)
	}
	w.b.Ahead = nil
}

// run advances the group at lane g to step b.Steps.
func (s *Shard) run(w *Worker, fast step, g int, events []Event) []Event {
	b := &w.b
	for {
		events = slices.Grow(events, s.kernel.spikeRoom(b.Steps-b.Step)+asm.EventSlack)
		b.Events, b.Count = unsafe.Pointer(unsafe.SliceData(events[len(events):])), 0
		b.Room = min(cap(events)-len(events)-asm.EventSlack, asm.LIFSpikes)
		if w.packing.n > 0 {
			w.drivePacked(fast)
		} else {
			fast(b)
		}
		events = events[:len(events)+b.Count]
		if b.InEvent == 0 {
			if b.Count+Group > b.Room { // it may have stopped because events had no room left
				continue
			}
			return events
		}
		b.InEvent &= lanes(b)
		step, lane := b.Step, b.Lane
		if lane == 0 {
			b.Step-- // the current step
		}
		events = s.kernel.finish(w, s, g, events)
		b.Step, b.Lane = step, lane
	}
}

// RunsAhead reports whether a free call advances lanes beyond others that are refractory, so that the more steps it
// takes, the less a step costs.
func (k *Kernel) RunsAhead() bool { return k.chunks && k.ISA == AVX512 }

// spikeRoom is the room for events to begin with: with AVX-512 that of LIF is for the most spikes that a call may find.
func (k *Kernel) spikeRoom(steps int) int {
	if !k.RunsAhead() {
		return Group
	}
	return Group * max(1, (steps+asm.Chunk-1)/asm.Chunk)
}

// lanes has a bit for each lane of the group that is a neuron, not padding.
func lanes(b *asm.Block) uint64 { return ^uint64(0) >> (Group - b.Lanes) }

// bind points b to the group at lane g, whose coefficients are c.
func (w *Worker) bind(b *asm.Block, s *Shard, g int, c *asm.Coefs, drive Drive) {
	for j, y := range s.Y {
		b.Y[j] = (*asm.Column)(y[g:])
	}
	b.Coef, b.Lanes, b.LaneZero = c, min(Group, s.N-g), g
	if s.Wake != nil {
		b.Wake = (*asm.Column)(s.Wake[g:])
	}
	if s.Level != nil {
		b.Level = (*asm.Column)(s.Level[g:])
	}
	if s.Rem != nil {
		b.Rem = (*asm.Column)(s.Rem[g:])
	}
	if !w.full {
		return
	}
	b.Lo, b.Hi, b.Extrema = &w.unused[0], &w.unused[1], 0
	if w.extrema {
		b.Extrema = 1
		b.Lo, b.Hi = (*asm.Column)(s.Lo[g:]), (*asm.Column)(s.Hi[g:])
	}
	b.Waveform, b.Row, b.RowStride = drive.Waveform, w.zeros, 0
	if b.Waveform == nil {
		b.Waveform = w.zeros
	}
	if drive.Row != nil {
		b.Row, b.RowStride = drive.Row[g:], drive.Stride
	}
}

// loadCoefs copies the coefficients of the group at lane g to c. Those that all neurons share are copied only if c
// isNew, and nothing is copied where no coefficient differs from neuron to neuron.
func (s *Shard) loadCoefs(c *asm.Coefs, g int, full, isNew bool) *asm.Coefs {
	each := false
	for j, col := range s.coefs[:s.kernel.read(full)] {
		if col != nil {
			c[j] = asm.Column(col[g : g+Group])
			each = true
		} else if isNew {
			c[j] = s.shared[j]
		}
	}
	if !each {
		return s.shared
	}
	return c
}

// current is the input current of lane l of the group in the current step of a driven call, where the coefficients i
// and gain hold the constant current and the gain.
func current(b *asm.Block, l, i, gain int) float64 {
	return math.FMA(b.Coef[gain][l], b.Waveform[b.Step], b.Coef[i][l]) + b.Row[b.Step*b.RowStride+l]
}

// eachLane makes finish of a scheme from a function for a single lane l of the group at lane g. It adds to the extrema
// the potentials in event steps, which the fast step leaves out.
func eachLane(
	one func(w *Worker, s *Shard, g, l int, events []Event) []Event,
) func(*Worker, *Shard, int, []Event) []Event {
	return func(w *Worker, s *Shard, g int, events []Event) []Event {
		b := &w.b
		for inEvent := b.InEvent; inEvent != 0; inEvent &= inEvent - 1 {
			l := bits.TrailingZeros64(inEvent)
			events = one(w, s, g, l, events)
			w.widen(l, b.Y[0][l], b.Y[0][l])
		}
		return events
	}
}
