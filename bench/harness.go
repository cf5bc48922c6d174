package bench

import (
	"math"
	"runtime"
	"slices"
	"time"

	"popsim/kernels"
)

// harness is a scenario ready to run: shards of firing neurons, each at a step of its own. Its calls take the shards in
// turn, so that in a scenario of many shards the columns of the next are not in the cache.
type harness struct {
	Scenario
	shards []*kernels.Shard
	now    []int64 // step that each shard has reached
	turn   int
	worker *kernels.Worker
	drive  kernels.Drive
	events []kernels.Event
	spikes int
	calls  int
	batch  int // number of calls that are timed together
}

const (
	shardSize = 8192                   // neurons, as in pop
	batchTime = 200 * time.Microsecond // see harness.time
)

func newHarness(s Scenario) (*harness, error) {
	k, err := kernels.For(s.Model, s.Method, s.ISA)
	if err != nil {
		return nil, err
	}
	in := s.regime()
	cycle, err := in.cycle(k, s.Dt)
	if err != nil {
		return nil, err
	}
	size := min(s.N, shardSize)
	s.N = (s.N + size - 1) / size * size
	r := &harness{Scenario: s, worker: kernels.NewWorker(), now: make([]int64, s.N/size)}
	set := in.setting(s.Model, size, s.Each)
	if s.Apart {
		apart(&set)
	}
	for range r.now {
		shard := k.NewShard(0, size, s.Dt, set)
		r.shards = append(r.shards, shard)
		if s.Full {
			shard.ResetExtrema(0)
		}
		if first := r.shards[0]; shard != first {
			shard.CopyState(first)
			continue
		}
		for i := range size {
			shard.Enter(i, 0, at(cycle, i))
		}
	}
	if s.Input || s.Full {
		r.drive.Waveform = make([]float64, s.steps())
		for i := range r.drive.Waveform {
			r.drive.Waveform[i] = 1e-3 * in.i * math.Sin(float64(i))
		}
	}
	var took time.Duration
	for range min(4, len(r.now)) { // warm up, and let events grow
		took = r.call()
	}
	r.events = slices.Grow(r.events, 4*cap(r.events))
	r.spikes, r.calls, r.batch = 0, 0, 1+int(batchTime/(took+1))
	return r, nil
}

// time is the mean time of a few calls: in a short one there may be fewer spikes than in others.
func (r *harness) time() time.Duration {
	var took time.Duration
	for range r.batch {
		took += r.call()
	}
	return took / time.Duration(r.batch)
}

// mean is the mean speed of calls for about the given time, in neuron-steps per second.
func (r *harness) mean(budget time.Duration) float64 {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var took time.Duration
	calls := 0
	for ; took < budget; calls++ {
		took += r.call()
	}
	return float64(calls) * float64(r.N/len(r.shards)) * float64(r.steps()) / took.Seconds()
}

// call advances one shard, and returns the time it took.
func (r *harness) call() time.Duration {
	shard, first := r.shards[r.turn], r.now[r.turn]
	start := time.Now()
	r.events = shard.Advance(r.worker, first, r.steps(), r.drive, r.Full, r.events[:0])
	took := time.Since(start)
	r.now[r.turn] += int64(r.steps())
	r.turn = (r.turn + 1) % len(r.shards)
	r.spikes += len(r.events)
	r.calls++
	return took
}

// Result is the measured cost of a scenario.
type Result struct {
	Calls  int
	Step   float64 // ns per neuron-step, the least
	Spread float64 // the median over the least
	Rate   float64 // spikes per neuron and second of model time, Hz
}

// PerSecond is the speed in neuron-steps per second.
func (r Result) PerSecond() float64 { return 1e9 / r.Step }

// result sums up the given times of calls.
func (r *harness) result(took []time.Duration) Result {
	slices.Sort(took)
	neurons := float64(r.N / len(r.shards))
	per := neurons * float64(r.steps())
	return Result{
		Calls:  len(took),
		Step:   float64(took[0]) / per,
		Spread: float64(took[len(took)/2]) / float64(took[0]),
		Rate:   1000 * float64(r.spikes) / (float64(r.calls) * per * r.Dt),
	}
}

// Measure runs a scenario for about the given time, and at least three calls.
func Measure(s Scenario, budget time.Duration) (Result, error) {
	r, err := newHarness(s)
	if err != nil {
		return Result{}, err
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	took := make([]time.Duration, 0, 1<<16)
	for begin := time.Now(); len(took) < 3 || len(took) < cap(took) && time.Since(begin) < budget; {
		took = append(took, r.time())
	}
	return r.result(took), nil
}
