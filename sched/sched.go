// Package sched advances shards in lockstep. Time is cut into epochs; in each, a fixed pool of workers advances every
// shard once, a barrier ends the epoch, and one goroutine merges the results of the shards before the next begins.
//
// A shard is any piece of work with a number. The package guarantees the order of events: write A(s, k) for advancing
// shard s through epoch k and M(k) for merging it. Every A(s, k) happens before M(k), and M(k) before every A(s, k+1);
// within an epoch shards run at once, in any order, on any worker. So shards that share nothing while they advance,
// merged in their order, give the same answer for any number of workers.
package sched

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"runtime/trace"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Plan describes the shards and how they are advanced and merged.
type Plan struct {
	Workers int // goroutines at work, the caller among them; 0 means Allowed(); never more than Shards
	Shards  int // numbered from 0

	// Advance advances one shard by one epoch. It is called once per shard and epoch, at the same time for several shards
	// but never for one worker: worker, below Workers, may choose a scratch area. An error ends the run.
	Advance func(worker, shard, epoch int) error

	// Merge is called in the caller's goroutine after each epoch, while no shard is advanced. more false ends the run.
	Merge func(epoch int) (more bool, err error)
}

// check returns an error for numbers that may come from a user; a missing function is a bug.
func (p Plan) check() error {
	if p.Workers < 0 || p.Shards < 0 {
		return fmt.Errorf("sched: %d workers for %d shards; neither may be negative", p.Workers, p.Shards)
	}
	if p.Advance == nil || p.Merge == nil {
		panic("bug: sched: a plan needs both Advance and Merge")
	}
	return nil
}

// Stats holds the time that a run spent on each kind of work.
type Stats struct {
	Epochs  int             // epochs advanced and merged
	Alone   int             // those of them that the caller advanced by itself: too little work to share, or one worker
	Elapsed time.Duration   // the whole run
	Merging time.Duration   // in Merge
	Busy    []time.Duration // per worker: with shards
	Wait    []time.Duration // per worker: at the barrier, for the others to come; the time of Merge is not in it
}

// Add adds the times of another run to s, worker by worker.
func (s *Stats) Add(t Stats) {
	s.Epochs += t.Epochs
	s.Alone += t.Alone
	s.Elapsed += t.Elapsed
	s.Merging += t.Merging
	for w := range t.Busy {
		if w == len(s.Busy) {
			s.Busy, s.Wait = append(s.Busy, 0), append(s.Wait, 0)
		}
		s.Busy[w] += t.Busy[w]
		s.Wait[w] += t.Wait[w]
	}
}

// Imbalance is the share of the workers' time that was spent waiting for each other, between 0 and 1.
func (s Stats) Imbalance() float64 {
	var busy, wait time.Duration
	for w := range s.Busy {
		busy += s.Busy[w]
		wait += s.Wait[w]
	}
	if wait == 0 {
		return 0
	}
	return float64(wait) / float64(busy+wait)
}

// little is the work, summed over all shards, below which an epoch is not worth a barrier (0.2 to 2 µs for two workers,
// more for many). The work of the epoch before decides: below little the caller advances the next epoch alone, above
// twice that all workers do.
const little = 4 * time.Microsecond

// Run advances the shards of p epoch by epoch until Merge returns more == false. It starts Workers-1 goroutines, since
// the caller is worker 0, and joins them before it returns.
//
// An epoch that has begun is completed for all its shards. Then, if any has failed, the error of the lowest is returned
// and the epoch is not merged; a panic counts as an error, and comes with its stack. The context is checked between
// epochs: when it is done, the current epoch has been merged and its error is returned. Stats are valid either way.
//
// Goroutines carry the pprof labels of ctx and their own, worker. If ctx has labels, which means that a profile is
// wanted, they carry shard too while they advance one. Each marks its part of an epoch as a trace region.
func Run(ctx context.Context, p Plan) (Stats, error) {
	return run(ctx, p, little)
}

func run(ctx context.Context, p Plan, little time.Duration) (stats Stats, err error) {
	if err := p.check(); err != nil {
		return Stats{}, err
	}
	c := newPool(p)
	pprof.ForLabels(ctx, func(_, _ string) bool { c.labels = true; return false })
	defer func() { stats = c.stats() }()
	defer c.dismiss() // also when Merge panics
	for w := 1; w < len(c.workers); w++ {
		c.hired.Go(func() { labelled(ctx, w, func(ctx context.Context) { c.serve(ctx, w) }) })
	}
	labelled(ctx, 0, func(ctx context.Context) { err = c.lead(ctx, little) })
	return stats, err
}

func labelled(ctx context.Context, worker int, f func(context.Context)) {
	pprof.Do(ctx, pprof.Labels("worker", strconv.Itoa(worker)), f)
}

// label marks the goroutine of a worker, whose context is ctx, with the shard it advances. The contexts are kept, since
// making one costs more than a small shard; even so a label costs as much as a small epoch.
func (c *pool) label(ctx context.Context, worker, shard int) {
	if !c.labels {
		return
	}
	w := &c.workers[worker]
	if w.labels == nil {
		w.labels = make([]context.Context, c.Shards)
	}
	if w.labels[shard] == nil {
		w.labels[shard] = pprof.WithLabels(ctx, pprof.Labels("shard", strconv.Itoa(shard)))
	}
	pprof.SetGoroutineLabels(w.labels[shard])
}

// unlabel removes the label of the shard.
func (c *pool) unlabel(ctx context.Context) {
	if c.labels {
		pprof.SetGoroutineLabels(ctx)
	}
}

// A pool holds the workers of one run. Fields without a lock that are not atomic are written by the caller between
// turns, and read by the others within one: open and done order these accesses. A turn is an epoch that all advance
// together.
type pool struct {
	Plan
	workers []worker
	hired   sync.WaitGroup
	spin    bool // whether every worker has a core of its own, so that it may spin
	labels  bool // whether shards are labelled

	epoch  int
	turns  int64
	over   bool
	begin  time.Time
	merged int           // epochs
	solos  int           // epochs advanced by the caller alone
	solo   time.Duration // in those
	shared time.Duration // in turns, from the first shard to the last worker
	merge  time.Duration // in Merge

	open gate         // turns begun
	done gate         // turns ended
	left atomic.Int64 // workers still busy in this turn
	_    pad

	fault struct {
		sync.Mutex
		shard int
		err   error
	}
}

// A worker owns a range of shards. It claims these first, so that from epoch to epoch they stay in the cache of one
// core, and then claims shards of the others.
type worker struct {
	first, end int64
	busy       time.Duration     // in turns
	labels     []context.Context // by shard, made when first needed
	_          pad
	next       atomic.Int64 // the first of its shards that is not claimed
	_          pad
}

// pad keeps adjacent workers in different cache lines, which some processors fetch in pairs.
type pad [128]byte

func newPool(p Plan) *pool {
	if p.Workers == 0 {
		p.Workers = Allowed()
	}
	n := max(1, min(p.Workers, p.Shards))
	c := &pool{Plan: p, workers: make([]worker, n), begin: time.Now()}
	for w := range c.workers {
		c.workers[w].first = int64(w * p.Shards / n)
		c.workers[w].end = int64((w + 1) * p.Shards / n)
	}
	c.spin = n <= min(runtime.GOMAXPROCS(0), runtime.NumCPU())
	c.open.init()
	c.done.init()
	return c
}

// lead is the caller's part: epochs, barriers between them, merging.
func (c *pool) lead(ctx context.Context, little time.Duration) error {
	alone := len(c.workers) == 1
	for more := true; more; c.epoch++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		var work time.Duration
		if alone {
			work = c.alone(ctx)
		} else {
			work = c.together(ctx)
		}
		if c.fault.err != nil {
			return c.fault.err
		}
		begin := time.Now()
		var err error
		more, err = c.Merge(c.epoch)
		c.merge += time.Since(begin)
		if err != nil {
			return err
		}
		c.merged++
		alone = len(c.workers) == 1 || work < little || alone && work < 2*little
	}
	return nil
}

// alone advances every shard in the caller, and returns the time it took.
func (c *pool) alone(ctx context.Context) time.Duration {
	begin := time.Now()
	region := trace.StartRegion(ctx, "epoch")
	for s := range c.Shards {
		c.label(ctx, 0, s)
		c.advance(0, s)
	}
	c.unlabel(ctx)
	region.End()
	work := time.Since(begin)
	c.solos++
	c.solo += work
	return work
}

// together advances every shard with all workers, and returns the sum of their times.
func (c *pool) together(ctx context.Context) time.Duration {
	begin := time.Now()
	var before, after time.Duration
	for w := range c.workers {
		c.workers[w].next.Store(c.workers[w].first)
		before += c.workers[w].busy
	}
	c.left.Store(int64(len(c.workers)))
	c.turns++
	c.open.set(c.turns)
	c.turn(ctx, 0)
	c.done.await(c.turns, c.spin)
	for w := range c.workers {
		after += c.workers[w].busy
	}
	c.shared += time.Since(begin)
	return after - before
}

// serve is the loop of the other workers: a turn whenever one is open.
func (c *pool) serve(ctx context.Context, worker int) {
	for turn := int64(1); ; turn++ {
		c.open.await(turn, c.spin)
		if c.over {
			return
		}
		c.turn(ctx, worker)
	}
}

// turn claims shards and advances them until none is left, then reports at the barrier. It does so even if Advance ends
// the goroutine, as testing's FailNow does, since the others would wait for ever.
func (c *pool) turn(ctx context.Context, worker int) {
	defer func() {
		if c.left.Add(-1) == 0 {
			c.done.set(c.turns)
		}
	}()
	begin := time.Now()
	region := trace.StartRegion(ctx, "epoch")
	for i := range c.workers {
		owner := &c.workers[(worker+i)%len(c.workers)]
		for s := owner.next.Add(1) - 1; s < owner.end; s = owner.next.Add(1) - 1 {
			c.label(ctx, worker, int(s))
			c.advance(worker, int(s))
		}
	}
	c.unlabel(ctx)
	region.End()
	c.workers[worker].busy += time.Since(begin)
}

// advance advances one shard and keeps its error.
func (c *pool) advance(worker, shard int) {
	returned := false
	defer func() {
		if returned {
			return
		}
		switch p := recover().(type) {
		case nil:
			c.fail(shard, fmt.Errorf("sched: shard %d ended its goroutine in epoch %d", shard, c.epoch))
		case error:
			c.fail(shard, fmt.Errorf("sched: shard %d panicked in epoch %d: %w\n\n%s", shard, c.epoch, p, debug.Stack()))
		default:
			c.fail(shard, fmt.Errorf("sched: shard %d panicked in epoch %d: %v\n\n%s", shard, c.epoch, p, debug.Stack()))
		}
	}()
	err := c.Advance(worker, shard, c.epoch)
	returned = true
	if err != nil {
		c.fail(shard, err)
	}
}

// fail keeps the error of the lowest shard, since the order in which shards fail is random.
func (c *pool) fail(shard int, err error) {
	c.fault.Lock()
	defer c.fault.Unlock()
	if c.fault.err == nil || shard < c.fault.shard {
		c.fault.shard, c.fault.err = shard, err
	}
}

// dismiss ends the other workers and waits for them.
func (c *pool) dismiss() {
	c.done.await(c.turns, false) // a turn may still be under way if the caller's goroutine is being ended
	c.over = true
	c.open.set(c.turns + 1)
	c.hired.Wait()
}

func (c *pool) stats() Stats {
	s := Stats{
		Epochs:  c.merged,
		Alone:   c.solos,
		Elapsed: time.Since(c.begin),
		Merging: c.merge,
		Busy:    make([]time.Duration, len(c.workers)),
		Wait:    make([]time.Duration, len(c.workers)),
	}
	for w := range c.workers {
		s.Busy[w] = c.workers[w].busy
		s.Wait[w] = max(0, c.shared-c.workers[w].busy)
	}
	s.Busy[0] += c.solo
	return s
}
