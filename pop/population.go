package pop

import (
	"context"
	"errors"
	"slices"
	"time"

	"popsim/kernels"
	"popsim/sched"
)

// Population is a population that is advanced epoch by epoch: by Run, or by a caller that has work of its own between
// epochs, such as a network. One epoch is
//
//	p.Begin(steps)                 // one goroutine
//	p.Advance(worker, shard)       // once for every shard, different shards at the same time
//	p.Record()                     // one goroutine, after all shards
//
// and Spikes may be called between Advance of the last shard and the next Begin. Let B(e), A(s, e) and R(e) be these
// calls in epoch e: B(e) precedes every A(s, e), all of these precede R(e), and R(e) precedes B(e+1). Simultaneous
// calls of Advance must have different shards and different workers. No other methods may be called at the same time.
type Population struct {
	spec   Spec
	cfg    Config
	kernel *kernels.Kernel
	dt     float64 // ms
	total  int64   // steps that Run takes

	shards  []*shard
	size    int // neurons in every shard but the last
	workers []worker
	noisy   *noisy        // nil without noise
	drive   kernels.Drive // input of the current epoch, of all neurons
	first   int64         // first step of the current epoch
	length  int           // steps of it
	brief   bool          // its spikes are dropped once they are in the trains, and it is never abandoned

	spikes  []Spike // of the epoch, in order
	events  []Event // the same, exact
	buckets []int   // of steps
	slices  []int32
	scratch []Spike
	trains  Trains
	sum     Summary
}

// worker is the memory that belongs to one goroutine.
type worker struct {
	scratch *kernels.Worker
	events  []kernels.Event // of a shard in a brief epoch
	kept    [][]float64     // the columns of the shard being advanced as they were at the start of the epoch
	step    time.Duration   // in kernels
	row     []float64       // currents of a shard in a step, with noise
	_       [64]byte
}

// shard is a run of neurons with what an epoch records of them. During Advance its worker owns every byte of it.
type shard struct {
	columns *kernels.Shard
	first   int // number of its first neuron
	events  []kernels.Event
	traced  []int       // lanes of Trace.Of
	states  []float64   // of traced lanes, by time
	handed  int         // number of states that were passed to Trace.Row
	start   int64       // step from which events count
	count   int64       // spikes so far
	noise   *shardNoise // from the first step with noise on
	failed  *BlownUp    // the neuron whose state became NaN or infinite, nil if none
	away    []Runaway   // neurons that run away
	_       [64]byte
}

// Epoch is the steps First to First+Steps-1; it covers the time from First dt to (First+Steps) dt.
type Epoch struct {
	First int64
	Steps int
}

// New builds a population at the start of step 0. Its columns are allocated and set by Config.Workers goroutines. The
// slices in spec and cfg must not change while the population is in use. Config.Epoch and Config.Tick are used by Run
// only.
func New(ctx context.Context, spec Spec, cfg Config) (*Population, error) {
	p, err := resolve(spec, cfg, 0)
	if err != nil {
		return nil, err
	}
	if len(cfg.Noise.Poisson) > 0 {
		return nil, errors.New("pop: only Run makes trains of spikes")
	}
	return p, p.build(ctx)
}

// Shards returns the number of shards.
func (p *Population) Shards() int { return len(p.shards) }

// Workers returns the number of workers that may call Advance at the same time.
func (p *Population) Workers() int { return len(p.workers) }

// Range returns the range of neurons first to end-1 of a shard.
func (p *Population) Range(shard int) (first, end int) {
	s := p.shards[shard]
	return s.first, s.first + s.columns.N
}

// Dt returns the step, ms.
func (p *Population) Dt() float64 { return p.dt }

// build makes the shards, in parallel.
func (p *Population) build(ctx context.Context) error {
	begin := time.Now()
	size := (p.spec.N + 4*p.cfg.Workers - 1) / (4 * p.cfg.Workers)
	size = min(size, mostShard)
	if p.cfg.Shard > 0 {
		size = p.cfg.Shard
	}
	size = (size + kernels.Group - 1) / kernels.Group * kernels.Group
	p.size = size
	for first := 0; first < p.spec.N; first += size {
		p.shards = append(p.shards, &shard{first: first})
	}
	if p.cfg.Train {
		p.trains = newTrains(p.spec.N, p.cfg.mayHavePeriods(p.spec.Model))
	}
	for range min(p.cfg.Workers, len(p.shards)) {
		p.workers = append(p.workers, worker{scratch: kernels.NewWorker()})
	}
	_, err := sched.Run(ctx, sched.Plan{
		Workers: p.cfg.Workers,
		Shards:  len(p.shards),
		Advance: func(_, i, _ int) error {
			s := p.shards[i]
			s.columns = p.kernel.NewShard(s.first, min(size, p.spec.N-s.first), p.dt, p.setting())
			p.enter(s)
			return nil
		},
		Merge: func(int) (bool, error) { return false, nil },
	})
	if err != nil {
		return err
	}
	if p.cfg.Trace != nil {
		for _, i := range p.cfg.Trace.Of {
			s := p.shardOf(int(i))
			s.traced = append(s.traced, int(i)-s.first)
		}
	}
	p.sum.Shards, p.sum.Bytes = len(p.shards), p.shards[0].columns.Bytes()
	p.sum.Phases.Build = time.Since(begin)
	return nil
}

func (p *Population) setting() kernels.Setting {
	return kernels.Setting{P: p.spec.P, I: p.spec.I, Gain: p.spec.Gain}
}

func (p *Population) shardOf(neuron int) *shard { return p.shards[neuron/p.size] }

// enter sets the neurons of a shard to their initial states.
func (p *Population) enter(s *shard) {
	y := make([]float64, len(p.spec.Init))
	rest := make([]float64, len(y))
	var params, of []float64
	for l := range s.columns.N {
		i := s.first + l
		params = params[:0]
		for _, v := range p.spec.P {
			params = append(params, v.At(i))
		}
		if !slices.Equal(params, of) {
			p.spec.Model.Initial(params, rest)
			of = append(of[:0], params...)
		}
		copy(y, rest)
		for j, v := range p.spec.Init {
			if v != nil {
				y[j] = v.At(i)
			}
		}
		s.columns.Enter(l, 0, y)
	}
}

// State writes the state of a neuron at the end of the last recorded epoch into y, whose length is the number of states
// of the model.
func (p *Population) State(neuron int, y []float64) {
	s := p.shardOf(neuron)
	s.columns.State(neuron-s.first, p.sum.Steps, y)
}

// Begin begins the epoch of the given number of steps that follows the last recorded one, and calls Config.Waveform and
// Config.Input for each of its steps, in order.
func (p *Population) Begin(steps int) Epoch {
	first := p.sum.Steps
	p.first, p.length, p.brief = first, steps, false
	if p.cfg.Waveform != nil {
		p.drive.Waveform = slices.Grow(p.drive.Waveform[:0], steps)[:steps]
		for k := range p.drive.Waveform {
			p.drive.Waveform[k] = p.cfg.Waveform(first + int64(k))
		}
	}
	if p.cfg.Input != nil {
		p.drive.Stride = (p.spec.N + kernels.Group - 1) / kernels.Group * kernels.Group
		need := steps * p.drive.Stride
		p.drive.Row = slices.Grow(p.drive.Row[:0], need)[:need]
		for k := range steps {
			p.cfg.Input(first+int64(k), p.drive.Row[k*p.drive.Stride:][:p.spec.N])
		}
	}
	return Epoch{first, steps}
}

// Advance advances one shard through the epoch that was begun, with the input of Config.
func (p *Population) Advance(worker, shard int) {
	d := p.drive
	if d.Row != nil {
		d.Row = d.Row[p.shards[shard].first:]
	}
	p.AdvanceWith(worker, shard, d)
}

// AdvanceWith advances one shard through the epoch that was begun, with another input: drive.Waveform holds a value for
// each step of the epoch, and drive.Row[k*drive.Stride+l] is the current of the shard's neuron l in its step k. drive
// is read only during the call.
func (p *Population) AdvanceWith(worker, shard int, drive kernels.Drive) {
	s, w := p.shards[shard], &p.workers[worker]
	p.train(s)
	if p.brief {
		s.events, w.events = w.events, nil
	}
	s.events, s.states, s.start = s.events[:0], s.states[:0], p.first
	w.keep(s, p.length)
	for done := 0; done < p.length; {
		n := p.length - done
		if len(s.traced) > 0 {
			n = p.untilTrace(s, done)
		}
		extrema := p.cfg.Extrema && p.first+int64(done) >= p.extremaFrom()
		if p.cfg.Extrema && !extrema {
			n = min(n, int(p.extremaFrom()-p.first)-done)
		} else if extrema && p.first+int64(done) == p.extremaFrom() {
			for l := range s.columns.N {
				s.columns.ResetExtrema(l)
			}
		}
		before, begin := len(s.events), time.Now()
		if p.noisy != nil {
			p.advanceNoisy(s, w, done, n, from(drive, done))
		} else {
			s.events = s.columns.Advance(w.scratch, p.first+int64(done), n, from(drive, done), extrema, s.events)
			for i := before; done > 0 && i < len(s.events); i++ {
				s.events[i].Step += int32(done)
			}
		}
		w.step += time.Since(begin)
		done += n
	}
	s.count += int64(len(s.events))
	if p.brief {
		p.train(s)
		s.events, w.events = nil, s.events
	}
	p.inspect(s, w, drive)
}

// from returns a drive without the first done steps of its epoch.
func from(d kernels.Drive, done int) kernels.Drive {
	if d.Waveform != nil {
		d.Waveform = d.Waveform[done:]
	}
	if d.Row != nil {
		d.Row = d.Row[done*d.Stride:]
	}
	return d
}
