// Package sched advances shards in lockstep. Time is cut into epochs; in each, a fixed pool of workers advances every
// shard once, a barrier ends the epoch, and one goroutine merges the results of the shards before the next begins.
//
// A shard is any piece of work with a number. The package guarantees the order of events: write A(s, k) for advancing
// shard s through epoch k and M(k) for merging it. Every A(s, k) happens before M(k), and M(k) before every A(s, k+1);
// within an epoch shards run at once, in any order, on any worker. So shards that share nothing while they advance,
// merged in their order, give the same answer for any number of workers.
//
// The barrier is in two halves: a worker announces that its shards have been advanced, and awaits later that all have.
// In between it may prepare them: P(s, k+1), the part of A(s, k+1) that needs nothing of what other shards do in epoch
// k. P(s, k+1) happens after A(s, k) and before A(s, k+1), at the same time as any other A(., k) and as M(k).
package sched

import (
	"context"
	"fmt"
	"math"
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

	// Prepare, which may be nil, begins an epoch of a shard while other shards may still be in the epoch before, which may
	// also be being merged. It is called for some shards and epochs only, and also for the epoch after the last.
	Prepare func(worker, shard, epoch int)

	Always bool // whether all workers share every epoch, however little work it holds

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
	Turns   int             // sum over epochs of the workers that have advanced them
	Elapsed time.Duration   // the whole run
	Merging time.Duration   // in Merge
	Busy    []time.Duration // per worker: with shards
	Wait    []time.Duration // per worker: at the barrier, for the others to come; the time of Merge is not in it
}

// Add adds the times of another run to s, worker by worker.
func (s *Stats) Add(t Stats) {
	s.Epochs += t.Epochs
	s.Alone += t.Alone
	s.Turns += t.Turns
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

// Little is the work, summed over all shards, from which on an epoch is worth a barrier of two workers (0.2 to 2 µs).
// The time of a barrier grows with the number of workers, so w of them are worth it from (w/2)² times little on.
const Little = 4 * time.Microsecond

// worthwhile is how many of n workers should share an epoch, by the work of the epoch before, which now of them
// did. It falls at once, and rises when the work is twice what makes more of them worth it.
func worthwhile(work, little time.Duration, now, n int) int {
	if little <= 0 {
		return n
	}
	most := func(work time.Duration) int {
		return min(n, max(1, int(2*math.Sqrt(float64(work)/float64(little)))))
	}
	return max(min(now, most(work)), most(work/2))
}

// Run advances the shards of p epoch by epoch until Merge returns more == false. It starts Workers-1 goroutines, since
// the caller is worker 0, and joins them before it returns.
//
// An epoch that has begun is completed for all its shards. Then, if any has failed, the error of the lowest is returned
// and the epoch is not merged; a panic counts as an error, and comes with its stack. The context is checked between
// epochs: when it is done, the current epoch has been merged and its error is returned. Stats are valid either way.
//
// Goroutines carry the pprof labels of ctx and their own, worker. If ctx has labels, which means that a profile is
// wanted, they carry shard too while they advance one, and part=barrier while they wait for others. Each marks its part
// of an epoch as a trace region.
func Run(ctx context.Context, p Plan) (Stats, error) {
	if p.Always {
		return run(ctx, p, 0)
	}
	return run(ctx, p, Little)
}

func run(ctx context.Context, p Plan, little time.Duration) (stats Stats, err error) {
	if err := p.check(); err != nil {
		return Stats{}, err
	}
	c := newPool(p)
	pprof.ForLabels(ctx, func(_, _ string) bool { c.labels = true; return false })
	defer func() { // also when Merge panics
		c.dismiss()
		stats = c.stats()
		if err == nil {
			err = c.failure(math.MaxInt) // of what was prepared and never advanced
		}
	}()
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

// labelWait marks the goroutine of a worker as one that waits for others.
func (c *pool) labelWait(ctx context.Context, worker int) {
	if !c.labels {
		return
	}
	w := &c.workers[worker]
	if w.waiting == nil {
		w.waiting = pprof.WithLabels(ctx, pprof.Labels("part", "barrier"))
	}
	pprof.SetGoroutineLabels(w.waiting)
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
	spins   bool         // whether every worker has a core of its own, so that it may spin
	spin    atomic.Int64 // ns for which a worker does so
	labels  bool         // whether shards are labelled

	epoch  int
	turns  int64
	active int // workers that take part in a turn: the first ones
	begin  time.Time
	now    time.Time     // when the epoch, or its merging, began: the clock is read once between the two
	merged int           // epochs
	solos  int           // epochs advanced by the caller alone
	taken  int           // sum over epochs of the workers that took part
	solo   time.Duration // in those
	shared time.Duration // in turns, from the first shard to the last worker
	merge  time.Duration // in Merge

	open gate         // turns begun, and how many take part in the last: see opening
	done gate         // turns ended
	left atomic.Int64 // workers still busy in this turn
	_    pad

	preparing []flag // by shard: whether a worker is to prepare it, or does so

	fault struct {
		sync.Mutex
		epoch, shard int
		err          error
	}
}

// A worker owns a range of shards. It claims these first, so that from epoch to epoch they stay in the cache of one
// core, and then claims shards of the others: at once of those that have begun the turn, of the rest after a while.
type worker struct {
	first, end int64
	busy       time.Duration     // with shards; of preparing them: up to the turn before
	prepared   time.Duration     // preparing shards since
	mine       []int             // shards that it has advanced in this turn
	labels     []context.Context // by shard, made when first needed
	waiting    context.Context   // likewise
	_          pad
	next       atomic.Int64 // the first of its shards that is not claimed
	begun      atomic.Int64 // its last turn
	_          pad
}

// late is how long a worker waits for another to begin a turn before it claims the first of its shards: about as long
// as one that sleeps takes to wake up. It never waits longer than it has worked itself.
const late = 50 * time.Microsecond

// unclaimed waits until o has begun a turn, or is late, and reports whether it has shards that are not claimed.
func (o *worker) unclaimed(turn int64, begin time.Time) bool {
	if o.next.Load() >= o.end {
		return false
	}
	if o.begun.Load() == turn {
		return true
	}
	now := time.Now()
	end := now.Add(min(late, now.Sub(begin)))
	for o.begun.Load() != turn && time.Now().Before(end) {
		for range looks {
			if o.begun.Load() == turn {
				break
			}
		}
	}
	return o.next.Load() < o.end
}

// A flag is on a cache line of its own.
type flag struct {
	atomic.Bool
	_ pad
}

// pad keeps adjacent workers in different cache lines, which some processors fetch in pairs.
type pad [128]byte

func newPool(p Plan) *pool {
	if p.Workers == 0 {
		p.Workers = Allowed()
	}
	n := max(1, min(p.Workers, p.Shards, most-1))
	c := &pool{Plan: p, workers: make([]worker, n), begin: time.Now()}
	c.share(n)
	if p.Prepare != nil {
		c.preparing = make([]flag, p.Shards)
	}
	for w := range c.workers {
		c.workers[w].mine = make([]int, 0, p.Shards)
	}
	c.spins = n <= min(runtime.GOMAXPROCS(0), runtime.NumCPU())
	c.setSpin(0)
	c.open.init()
	c.done.init()
	return c
}

// share divides the shards among the first active workers.
func (c *pool) share(active int) {
	c.active = active
	for w := range active {
		c.workers[w].first = int64(w * c.Shards / active)
		c.workers[w].end = int64((w + 1) * c.Shards / active)
	}
}

// setSpin sets how long workers spin at the barrier, by the work of each in an epoch: one that sleeps wakes late, and
// often on the core of the one that wakes it, so that the two work by turns.
func (c *pool) setSpin(work time.Duration) {
	if c.spins {
		c.spin.Store(int64(min(max(work, spinLeast), spinMost)))
	}
}

func (c *pool) spinning() time.Duration { return time.Duration(c.spin.Load()) }

// most is above the number of workers, which takes the lower bits of an opening.
const most = 1 << 16

// opening is the value of the gate that begins a turn for some workers, or for none: the end.
func opening(turn int64, active int) int64 { return turn*most + int64(active) }

// lead is the caller's part: epochs, barriers between them, merging.
func (c *pool) lead(ctx context.Context, little time.Duration) error {
	c.now = time.Now()
	for more := true; more; c.epoch++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		var work time.Duration
		if c.active == 1 {
			work = c.alone(ctx)
		} else {
			work = c.together(ctx)
		}
		c.taken += c.active
		if err := c.failure(c.epoch); err != nil {
			return err
		}
		var err error
		more, err = c.Merge(c.epoch)
		c.merge += c.lap()
		if err != nil {
			return err
		}
		c.merged++
		if active := worthwhile(work, little, c.active, len(c.workers)); active != c.active {
			c.share(active)
		}
	}
	return nil
}

// lap returns the time since c.now, and sets that.
func (c *pool) lap() time.Duration {
	before := c.now
	c.now = time.Now()
	return c.now.Sub(before)
}

// alone advances every shard in the caller, and returns the time it took.
func (c *pool) alone(ctx context.Context) time.Duration {
	region := trace.StartRegion(ctx, "epoch")
	for s := range c.Shards {
		c.label(ctx, 0, s)
		c.advance(0, s, c.epoch)
	}
	c.unlabel(ctx)
	region.End()
	work := c.lap()
	c.solos++
	c.solo += work
	return work
}

// together advances every shard with c.active workers, and returns the sum of their times.
func (c *pool) together(ctx context.Context) time.Duration {
	var before, after time.Duration
	for w := range c.active {
		c.workers[w].next.Store(c.workers[w].first)
		before += c.workers[w].busy
	}
	c.left.Store(int64(c.active))
	c.turns++
	c.open.set(opening(c.turns, c.active))
	c.turn(ctx, 0, c.now)
	c.labelWait(ctx, 0)
	c.done.await(c.turns, c.spinning())
	c.unlabel(ctx)
	for w := range c.active {
		after += c.workers[w].busy
	}
	c.shared += c.lap()
	c.setSpin((after - before) / time.Duration(c.active))
	return after - before
}

// serve is the loop of the other workers: a turn whenever one is open that they take part in.
func (c *pool) serve(ctx context.Context, worker int) {
	for turn := int64(1); ; turn++ {
		c.labelWait(ctx, worker)
		open := c.open.await(opening(turn, 0), c.spinning())
		turn = open / most
		switch active := int(open % most); {
		case active == 0:
			return
		case worker < active:
			c.turn(ctx, worker, time.Now())
		}
	}
}

// turn claims shards and advances them until none is left, announces that, and prepares them for the next epoch.
func (c *pool) turn(ctx context.Context, worker int, begin time.Time) {
	epoch := c.epoch
	begin = c.advanceShards(ctx, worker, epoch, begin)
	if c.Prepare == nil {
		return
	}
	w := &c.workers[worker]
	for _, s := range w.mine {
		c.label(ctx, worker, s)
		c.prepare(worker, s, epoch+1)
	}
	c.unlabel(ctx)
	w.prepared = time.Since(begin)
}

// advanceShards is the part of a turn up to the announcement; it returns the time. The announcement is made even if
// Advance ends the goroutine, as testing's FailNow does, since the others would wait for ever.
func (c *pool) advanceShards(ctx context.Context, worker, epoch int, begin time.Time) time.Time {
	turn, active := c.turns, c.active
	defer func() {
		if c.left.Add(-1) == 0 {
			c.done.set(turn)
		}
	}()
	w := &c.workers[worker]
	w.mine = w.mine[:0]
	region := trace.StartRegion(ctx, "epoch")
	w.begun.Store(turn)
	for i := range active {
		owner := &c.workers[(worker+i)%active]
		if i > 0 && !owner.unclaimed(turn, begin) {
			continue
		}
		for s := owner.next.Add(1) - 1; s < owner.end; s = owner.next.Add(1) - 1 {
			c.label(ctx, worker, int(s))
			c.advance(worker, int(s), epoch)
			w.mine = append(w.mine, int(s))
		}
	}
	c.unlabel(ctx)
	region.End()
	if c.Prepare != nil {
		for _, s := range w.mine {
			c.preparing[s].Store(true)
		}
	}
	now := time.Now()
	w.busy += w.prepared + now.Sub(begin)
	w.prepared = 0
	return now
}

// advance advances one shard, once it has been prepared if it is to be, and keeps its error.
func (c *pool) advance(worker, shard, epoch int) {
	for c.Prepare != nil && c.preparing[shard].Load() {
		runtime.Gosched()
	}
	c.guard(shard, epoch, func() error { return c.Advance(worker, shard, epoch) })
}

// prepare begins an epoch of one shard.
func (c *pool) prepare(worker, shard, epoch int) {
	defer c.preparing[shard].Store(false)
	c.guard(shard, epoch, func() error {
		c.Prepare(worker, shard, epoch)
		return nil
	})
}

// guard calls f for a shard and keeps its error, or its panic as one.
func (c *pool) guard(shard, epoch int, f func() error) {
	returned := false
	defer func() {
		if returned {
			return
		}
		switch p := recover().(type) {
		case nil:
			c.fail(shard, epoch, fmt.Errorf("sched: shard %d ended its goroutine in epoch %d", shard, epoch))
		case error:
			c.fail(shard, epoch, fmt.Errorf("sched: shard %d panicked in epoch %d: %w\n\n%s", shard, epoch, p, debug.Stack()))
		default:
			c.fail(shard, epoch, fmt.Errorf("sched: shard %d panicked in epoch %d: %v\n\n%s", shard, epoch, p, debug.Stack()))
		}
	}()
	err := f()
	returned = true
	if err != nil {
		c.fail(shard, epoch, err)
	}
}

// fail keeps the error of the first epoch, and of the lowest shard in it, since the order in which shards fail is
// random.
func (c *pool) fail(shard, epoch int, err error) {
	c.fault.Lock()
	defer c.fault.Unlock()
	f := &c.fault
	if f.err == nil || epoch < f.epoch || epoch == f.epoch && shard < f.shard {
		f.epoch, f.shard, f.err = epoch, shard, err
	}
}

// failure is the error of the epochs up to one.
func (c *pool) failure(epoch int) error {
	c.fault.Lock()
	defer c.fault.Unlock()
	if c.fault.epoch > epoch {
		return nil
	}
	return c.fault.err
}

// dismiss ends the goroutines of the other workers and waits for them.
func (c *pool) dismiss() {
	c.done.await(c.turns, 0) // a turn may still be under way if the caller's goroutine is being ended
	c.open.set(opening(c.turns+1, 0))
	c.hired.Wait()
}

func (c *pool) stats() Stats {
	s := Stats{
		Epochs:  c.merged,
		Alone:   c.solos,
		Turns:   c.taken,
		Elapsed: time.Since(c.begin),
		Merging: c.merge,
		Busy:    make([]time.Duration, len(c.workers)),
		Wait:    make([]time.Duration, len(c.workers)),
	}
	for w := range c.workers {
		s.Busy[w] = c.workers[w].busy + c.workers[w].prepared
		s.Wait[w] = max(0, c.shared-s.Busy[w])
	}
	s.Busy[0] += c.solo
	return s
}
