package pop

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"popsim/kernels"
	"popsim/sched"
)

// Epochs are long enough for the cost of memory and of the barrier to vanish, and short enough that the spikes of one
// take little memory. Shards are so small that a run hears of an interruption within a second. Where nothing is handed on, an epoch may
// take as many steps as are brief: none is given up then, and spikes are forgotten as soon as they are in their trains.
const (
	mostSteps   = 256
	leastSteps  = 64
	epochWork   = mostSteps * 1_000_000 // neuron-steps
	briefSteps  = 1024
	briefly     = 250 * time.Millisecond
	mostShard   = 8192    // neurons
	rowsAtATime = 1 << 23 // values of Config.Input held at once
)

// crew is a population at work.
type crew struct {
	spec   Spec
	cfg    Config
	kernel *kernels.Kernel
	dt     float64
	steps  int64

	shards  []*piece
	workers []worker
	drive   kernels.Drive
	first   int64     // step with which the epoch in hand starts
	length  int       // of that epoch, in steps
	brief   bool      // whether it is carried through, and its spikes are forgotten
	began   time.Time // when it did
	spikes  []Spike
	buckets []int // of steps
	slices  []int32
	scratch []Spike
	trains  Trains
	sum     Summary
}

// worker is what belongs to one goroutine.
type worker struct {
	scratch *kernels.Worker
	events  []kernels.Event // of a shard in a brief epoch
	step    time.Duration   // in kernels
	_       [64]byte
}

// piece is a shard with what it leaves for the merge. It owns every byte of it.
type piece struct {
	shard  *kernels.Shard
	first  int // number of its first neuron
	events []kernels.Event
	traced []int     // lanes asked for by Trace
	states []float64 // of traced lanes, by time
	start  int64     // step from which events count
	count  int64
	failed int // lane that left the numbers, or -1
	_      [64]byte
}

// Run builds the population and advances it for the given time, ms. An interruption through ctx ends it with the epochs
// that are done: the summary then tells how far it came, and the error wraps that of ctx. A *BlownUp error tells of a neuron
// whose state is no number any more.
func Run(ctx context.Context, spec Spec, cfg Config, duration float64) (Summary, error) {
	c, err := muster(spec, cfg, duration)
	if err != nil {
		return Summary{}, err
	}
	start := time.Now()
	if err := c.build(ctx); err != nil {
		return c.sum, err
	}
	c.sum.Phases.Build = time.Since(start)
	if c.steps > 0 {
		c.begin(0)
		c.sum.Sched, err = sched.Run(ctx, sched.Plan{
			Workers: c.cfg.Workers,
			Shards:  len(c.shards),
			Advance: func(worker, shard, _ int) error {
				if err := ctx.Err(); err != nil && !c.brief { // an epoch of many shards may take long; it is given up
					return err
				}
				c.advance(worker, shard)
				return nil
			},
			Merge: c.merge,
		})
	}
	for _, s := range c.shards {
		if s.start < c.sum.Steps || ctx.Err() == nil { // not an epoch that was given up
			c.train(s)
		}
	}
	if err == nil {
		err = c.trace(c.shards, c.steps) // the state at the very end
	}
	c.sum.Elapsed = time.Since(start)
	c.sum.Phases.Merge = max(0, c.sum.Sched.Merging-c.sum.Phases.Hand)
	var step time.Duration
	for i := range c.workers {
		step += c.workers[i].step
	}
	c.sum.Phases.Split(c.sum.Sched, step)
	c.sum.Trains = c.trains
	return c.sum, err
}

// Steps is the number of steps of dt ms that cover the time t ms: the next whole number, unless rounding alone made
// t/dt exceed one.
func Steps(t, dt float64) int64 {
	n := math.Round(t / dt)
	if math.Abs(n*dt-t) <= 1e-9*dt*max(1, n) {
		return int64(n)
	}
	return int64(math.Ceil(t / dt))
}

// muster checks a spec and fills in the defaults.
func muster(spec Spec, cfg Config, duration float64) (*crew, error) {
	m := spec.Model
	method, err := m.Method(spec.Method)
	if err != nil {
		return nil, err
	}
	if cfg.Dt == 0 {
		cfg.Dt = method.Dt
	}
	if cfg.Workers == 0 {
		cfg.Workers = sched.Allowed()
	}
	if spec.P == nil {
		spec.P = make([]kernels.Values, len(m.Params))
	}
	for j, q := range m.Params {
		if spec.P[j] == nil {
			spec.P[j] = kernels.Values{q.Default}
		}
	}
	if spec.I == nil {
		spec.I = kernels.Values{0}
	}
	if spec.Gain == nil {
		spec.Gain = kernels.Values{1}
	}
	if spec.Init == nil {
		spec.Init = make([]kernels.Values, len(m.States))
	}
	if err := check(spec, cfg, duration); err != nil {
		return nil, err
	}
	kernel, err := kernels.For(m, method, cfg.ISA)
	if err != nil {
		return nil, err
	}
	c := &crew{spec: spec, cfg: cfg, kernel: kernel, dt: cfg.Dt, steps: Steps(duration, cfg.Dt)}
	c.sum.Kernel = kernel
	return c, nil
}

// check reports the faults of a spec together.
func check(spec Spec, cfg Config, duration float64) error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf("pop: "+format, args...)) }
	if spec.N < 1 {
		fault("%d neurons; at least 1 is needed", spec.N)
		return errors.Join(faults...)
	}
	if !(cfg.Dt > 0) || math.IsInf(cfg.Dt, 0) {
		fault("dt is %v ms; it must be a positive number", cfg.Dt)
	}
	if !(duration >= 0) || math.IsInf(duration, 0) {
		fault("the time is %v ms; it must be a number that is not negative", duration)
	} else if duration/cfg.Dt >= 1<<53 {
		fault("%v ms are %.3g steps of %v ms; steps are counted up to 2^53", duration, duration/cfg.Dt, cfg.Dt)
	}
	each := false
	length := func(name string, v kernels.Values) {
		if v != nil && len(v) != 1 && len(v) != spec.N {
			fault("%s has %d values for %d neurons; 1 or %d will do", name, len(v), spec.N, spec.N)
		}
		for i, x := range v {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				fault("%s of neuron %d is %v; it must be a finite number", name, i, x)
				break
			}
		}
	}
	for j, q := range spec.Model.Params {
		length(q.Name, spec.P[j])
		each = each || len(spec.P[j]) > 1
	}
	length("I", spec.I)
	length("gain", spec.Gain)
	for j, s := range spec.Model.States {
		length(s.Name+"0", spec.Init[j])
	}
	if cfg.Trace != nil {
		for _, i := range cfg.Trace.Of {
			if i < 0 || i >= int64(spec.N) {
				fault("there is no neuron %d to trace; they go from 0 to %d", i, spec.N-1)
			}
		}
	}
	if len(faults) > 0 {
		return errors.Join(faults...)
	}
	n := 1
	if each {
		n = spec.N
	}
	p := make([]float64, len(spec.P))
	for i := range n {
		for j, v := range spec.P {
			p[j] = v.At(i)
		}
		if err := spec.Model.Check(p); err != nil {
			if each {
				return fmt.Errorf("pop: neuron %d: %w", i, err)
			}
			return err
		}
	}
	return nil
}

// build makes the shards, every worker its own.
func (c *crew) build(ctx context.Context) error {
	size := (c.spec.N + 4*c.cfg.Workers - 1) / (4 * c.cfg.Workers)
	size = min(size, mostShard)
	if c.cfg.Shard > 0 {
		size = c.cfg.Shard
	}
	size = (size + kernels.Group - 1) / kernels.Group * kernels.Group
	for first := 0; first < c.spec.N; first += size {
		c.shards = append(c.shards, &piece{first: first, failed: -1})
	}
	if c.cfg.Train {
		c.trains = newTrains(c.spec.N)
	}
	for range min(c.cfg.Workers, len(c.shards)) {
		c.workers = append(c.workers, worker{scratch: kernels.NewWorker()})
	}
	set := kernels.Setting{P: c.spec.P, I: c.spec.I, Gain: c.spec.Gain}
	_, err := sched.Run(ctx, sched.Plan{
		Workers: c.cfg.Workers,
		Shards:  len(c.shards),
		Advance: func(_, i, _ int) error {
			s := c.shards[i]
			n := min(size, c.spec.N-s.first)
			s.shard = c.kernel.NewShard(s.first, n, c.dt, set)
			c.enter(s)
			return nil
		},
		Merge: func(int) (bool, error) { return false, nil },
	})
	if err != nil {
		return err
	}
	if c.cfg.Trace != nil {
		for _, i := range c.cfg.Trace.Of {
			s := c.shards[int(i)/size]
			s.traced = append(s.traced, int(i)-s.first)
		}
	}
	c.sum.Shards, c.sum.Bytes = len(c.shards), c.shards[0].shard.Bytes()
	return nil
}

// enter puts the neurons of a shard into their initial states.
func (c *crew) enter(s *piece) {
	y := make([]float64, len(c.spec.Init))
	rest := make([]float64, len(y))
	var p, of []float64
	for l := range s.shard.N {
		i := s.first + l
		p = p[:0]
		for _, v := range c.spec.P {
			p = append(p, v.At(i))
		}
		if !slices.Equal(p, of) {
			c.spec.Model.Initial(p, rest)
			of = append(of[:0], p...)
		}
		copy(y, rest)
		for j, v := range c.spec.Init {
			if v != nil {
				y[j] = v.At(i)
			}
		}
		s.shard.Enter(l, 0, y)
	}
}

// begin prepares the epoch that starts with step first.
func (c *crew) begin(first int64) {
	var length int
	length, c.brief = c.span(first)
	c.began = time.Now()
	if c.cfg.Input != nil {
		length = min(length, max(1, rowsAtATime/c.spec.N))
	}
	c.first, c.length = first, int(min(int64(length), c.steps-first))
	if c.cfg.Wave != nil {
		c.drive.Wave = slices.Grow(c.drive.Wave[:0], c.length)[:c.length]
		for k := range c.drive.Wave {
			c.drive.Wave[k] = c.cfg.Wave(first + int64(k))
		}
	}
	if c.cfg.Input != nil {
		c.drive.Stride = (c.spec.N + kernels.Group - 1) / kernels.Group * kernels.Group
		need := c.length * c.drive.Stride
		c.drive.Row = slices.Grow(c.drive.Row[:0], need)[:need]
		for k := range c.length {
			c.cfg.Input(first+int64(k), c.drive.Row[k*c.drive.Stride:][:c.spec.N])
		}
	}
}

// span is how many steps the epoch that starts with step first takes, and whether it is brief.
func (c *crew) span(first int64) (steps int, brief bool) {
	if c.cfg.Epoch > 0 {
		return c.cfg.Epoch, false
	}
	steps = min(mostSteps, max(leastSteps, epochWork/c.spec.N))
	if first == 0 || c.cfg.Spike != nil || c.cfg.Trace != nil {
		return steps, false
	}
	step := time.Since(c.began)/time.Duration(c.length) + 1
	if n := min(briefSteps, int(briefly/step)); n >= steps {
		return n, true
	}
	return steps, false
}

// advance moves one shard through the epoch in hand: as a whole, or from one time of the trace to the next.
func (c *crew) advance(worker, shard int) {
	s, w := c.shards[shard], &c.workers[worker]
	c.train(s)
	if c.brief {
		s.events, w.events = w.events, nil
	}
	s.events, s.states, s.start = s.events[:0], s.states[:0], c.first
	for done := 0; done < c.length; {
		n := c.length - done
		if len(s.traced) > 0 {
			n = c.untilTrace(s, done)
		}
		before, begin := len(s.events), time.Now()
		s.events = s.shard.Advance(w.scratch, c.first+int64(done), n, c.part(s, done), false, s.events)
		w.step += time.Since(begin)
		for i := range s.events[before:] {
			s.events[before+i].Step += int32(done)
		}
		done += n
	}
	s.count += int64(len(s.events))
	if c.brief {
		c.train(s)
		s.events, w.events = nil, s.events
	}
	for l, v := range s.shard.Y[0][:s.shard.N] {
		if v-v != 0 { // NaN or infinite
			s.failed = l
			break
		}
	}
}

// train adds the events of a shard to the trains of its neurons. Unless their epoch is brief, it waits until that is merged, so that one
// that is given up leaves no trace.
func (c *crew) train(s *piece) {
	if c.trains.Len() == 0 {
		return
	}
	heads, tails, ahead := c.trains.heads[s.first:], c.trains.tails[s.first:], 0
	for _, e := range s.events {
		l := int(e.Lane)
		if l >= ahead { // spikes of a group come in no order that a processor foresees
			ahead = (l/kernels.Group + 1) * kernels.Group
			if ahead < len(tails) {
				kernels.Prefetch(tails[ahead:min(ahead+kernels.Group, len(tails))])
			}
		}
		t := c.time(s.start, e)
		if tail := &tails[l]; tail.kept < 2 {
			heads[l].begin(tail, t, c.cfg.From)
		} else {
			tail.add(t)
		}
	}
	s.events = s.events[:0]
}

// part is the drive of a shard from step done of the epoch on.
func (c *crew) part(s *piece, done int) kernels.Drive {
	d := c.drive
	if d.Wave != nil {
		d.Wave = d.Wave[done:]
	}
	if d.Row != nil {
		d.Row = d.Row[done*d.Stride+s.first:]
	}
	return d
}

// time of an event of the epoch that starts with step first, ms. Only events within a run of less than 2^53 steps exist, so the sum of
// step and part is exact where it matters, and one rounding is left.
func (c *crew) time(first int64, e kernels.Event) float64 {
	return (float64(first+int64(e.Step)) + e.Theta) * c.dt
}

// every is the distance of the times of the trace in steps.
func (c *crew) every() int64 { return max(1, int64(math.Round(c.cfg.Trace.Every/c.dt))) }

// untilTrace notes the traced states if step done of the epoch is a time of the trace, and gives the steps to the next.
func (c *crew) untilTrace(s *piece, done int) int {
	every, k := c.every(), c.first+int64(done)
	if k%every == 0 {
		c.note(s, k)
	}
	return int(min(int64(c.length-done), every-k%every))
}

// note appends the states of the traced lanes at the start of step k.
func (c *crew) note(s *piece, k int64) {
	d := len(c.spec.Init)
	for _, l := range s.traced {
		n := len(s.states)
		s.states = slices.Grow(s.states, d)[:n+d]
		s.shard.State(l, k, s.states[n:])
	}
}

// merge hands on what the shards left and prepares the next epoch.
func (c *crew) merge(int) (more bool, err error) {
	for _, s := range c.shards {
		if s.failed >= 0 {
			return false, c.autopsy(s.first + s.failed)
		}
	}
	c.sum.Spikes = 0
	for _, s := range c.shards {
		c.sum.Spikes += s.count
	}
	if c.cfg.Spike != nil {
		if err := c.hand(c.sorted()); err != nil {
			return false, err
		}
	}
	if c.cfg.Trace != nil {
		if err := c.rows(); err != nil {
			return false, err
		}
	}
	c.sum.Steps = c.first + int64(c.length)
	if c.cfg.Tick != nil {
		c.cfg.Tick(c.sum.Steps, c.steps)
	}
	if c.sum.Steps == c.steps {
		return false, nil
	}
	c.begin(c.sum.Steps)
	return true, nil
}

// hand hands spikes on.
func (c *crew) hand(block []Spike) error {
	begin := time.Now()
	err := c.cfg.Spike(block)
	c.sum.Phases.Hand += time.Since(begin)
	return err
}

// rows hands the traced states of the epoch on, by time, then in the order asked for.
func (c *crew) rows() error {
	every := c.every()
	k := (c.first + every - 1) / every * every
	return c.handRows(k, every, c.first+int64(c.length))
}

func (c *crew) handRows(k, every, end int64) error {
	d := len(c.spec.Init)
	taken := make(map[*piece]int, len(c.shards))
	begin := time.Now()
	defer func() { c.sum.Phases.Hand += time.Since(begin) }()
	for ; k < end; k += every {
		for _, i := range c.cfg.Trace.Of {
			s := c.shardOf(int(i))
			at := taken[s]
			taken[s] += d
			if err := c.cfg.Trace.Row(float64(k)*c.dt, i, s.states[at:at+d]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *crew) shardOf(i int) *piece {
	return c.shards[i/len(c.shards[0].shard.Wake)]
}

// trace hands on the state at the end of a whole run, if that is a time of the trace.
func (c *crew) trace(shards []*piece, k int64) error {
	if c.cfg.Trace == nil || k%c.every() != 0 {
		return nil
	}
	for _, s := range shards {
		s.states = s.states[:0]
		c.note(s, k)
	}
	return c.handRows(k, 1, k+1)
}

// autopsy follows neuron i alone from the start to the step that made it no number.
func (c *crew) autopsy(i int) error {
	spec := c.spec
	w := kernels.NewWorker()
	set := kernels.Setting{P: spec.P, I: spec.I, Gain: spec.Gain}
	s := &piece{first: i, shard: c.kernel.NewShard(i, 1, c.dt, set)}
	c.enter(s)
	found := &BlownUp{Model: spec.Model, Neuron: int64(i), I: spec.I.At(i), State: make([]float64, len(spec.Init))}
	for _, v := range spec.P {
		found.P = append(found.P, v.At(i))
	}
	row := make([]float64, max(spec.N, kernels.Group))
	for k := range c.steps {
		s.shard.State(0, k, found.State)
		d := kernels.Drive{}
		if c.cfg.Wave != nil {
			d.Wave = []float64{c.cfg.Wave(k)}
		}
		if c.cfg.Input != nil {
			c.cfg.Input(k, row[:spec.N])
			d.Row = make([]float64, kernels.Group)
			d.Row[0] = row[i]
		}
		s.events = s.shard.Advance(w, k, 1, d, false, s.events[:0])
		if v := s.shard.Y[0][0]; v-v != 0 {
			found.Time = float64(k) * c.dt
			return found
		}
	}
	panic(fmt.Sprintf("bug: pop: neuron %d is no number in a shard, but one alone", i))
}

// Forecast is the memory, in bytes, that a run of spec with cfg will hold, beside what spec itself holds.
func Forecast(spec Spec, cfg Config) (int64, error) {
	n := spec.N
	spec.N = 1
	one := cfg
	one.Trace = nil
	single := func(v kernels.Values) kernels.Values {
		if len(v) > 1 {
			return v[:1]
		}
		return v
	}
	varies := map[string]bool{"I": len(spec.I) > 1, "gain": len(spec.Gain) > 1}
	p := slices.Clone(spec.P)
	for j := range p {
		varies[spec.Model.Params[j].Name] = len(p[j]) > 1
		p[j] = single(p[j])
	}
	spec.P, spec.I, spec.Gain = p, single(spec.I), single(spec.Gain)
	init := slices.Clone(spec.Init)
	for j := range init {
		init[j] = single(init[j])
	}
	spec.Init = init
	c, err := muster(spec, one, 1)
	if err != nil {
		return 0, err
	}
	each := int64(c.kernel.Bytes(varies))
	if cfg.Train {
		each += trainBytes
	}
	padded := (int64(n) + kernels.Group - 1) / kernels.Group * kernels.Group
	return padded * each, nil
}
