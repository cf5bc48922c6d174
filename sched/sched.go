// Package sched advances shards in lockstep. Time is cut into epochs; in each, a fixed pool of workers advances every
// shard once, a barrier ends the epoch, and one goroutine merges the results of the shards before the next begins.
//
// A shard is any piece of work with a number. The package guarantees the order of events: write A(s, k) for advancing
// shard s through epoch k and M(k) for merging it. Every A(s, k) happens before M(k), and M(k) before every A(s, k+1);
// within an epoch shards run at once, in any order, on any worker. So shards that share nothing while they advance,
// merged in their order, give the same answer for any number of workers. Plans that tell the number of epochs let M(k)
// happen at the same time as A(s, k+1), and only before A(s, k+2): see Plan.Epochs.
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

	// Merge is called in the caller's goroutine after each epoch, while no shard is advanced (but see Epochs). more false
	// ends the run.
	Merge func(epoch int) (more bool, err error)

	// Epochs, if above 0, is the number of epochs, after which Merge must return false. Then, while an epoch is merged,
	// shards may already be advanced through the next: M(k) happens before every A(s, k+2). Where Merge fails, or ends the
	// run before that number, the epoch after may have been advanced without being merged: see Stats.Advanced.
	Epochs int
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
	Epochs   int             // epochs advanced and merged
	Advanced int             // epochs through which all shards have been advanced
	Alone    int             // those of them that the caller advanced by itself: too little work to share, or one worker
	Turns    int             // sum over epochs of the workers that have advanced them
	Elapsed  time.Duration   // the whole run
	Merging  time.Duration   // in Merge
	Busy     []time.Duration // per worker: with shards
	Wait     []time.Duration // per worker: at the barrier, for the others to come; the time of Merge is not in it
}

// Add adds the times of another run to s, worker by worker.
func (s *Stats) Add(t Stats) {
	s.Epochs += t.Epochs
	s.Advanced += t.Advanced
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

// Little is the work, summed over all shards, from which on an epoch is worth a barrier of two workers: 0.1 to 0.6 µs,
// by how far apart their cores are, and as much again for what shards read of each other.
// The time of a barrier grows with the number of workers, so w of them are worth it from (w/2)² times little on.
const Little = 2 * time.Microsecond

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

// Shared is how many of a number of workers share epochs of so much work, summed over all shards, in a run that has
// begun with all of them: see Little.
func Shared(work time.Duration, workers int) int { return worthwhile(work, Little, workers, workers) }

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

// A pool holds the workers of one run. Fields of the pool itself are written by the caller alone, between turns; others
// read only those that a whole run leaves alone. A turn is an epoch that all advance together: turn number is that of
// the epoch plus 1. What workers need to know of it is in the number of the gate that begins it, so that one cache line
// goes from the caller to each of them, and one, that of ended, back.
type pool struct {
	Plan
	workers []worker
	hired   sync.WaitGroup
	spins   bool // whether every worker has a core of its own, so that it may spin
	labels  bool // whether shards are labelled

	preparing []flag // by shard: whether a worker is to prepare it, or does so
	_         pad

	epoch    int
	active   int // workers that take part in a turn: the first ones
	begin    time.Time
	advanced int           // epochs
	merged   int           // epochs
	solos    int           // epochs advanced by the caller alone
	taken    int           // sum over epochs of the workers that took part
	solo     time.Duration // in those
	shared   time.Duration // in turns, from the first shard to the last worker
	merge    time.Duration // in Merge
	clock    clock

	_    pad
	open gate // the last turn: see opening
	_    pad

	spin atomic.Int64 // ns for which a worker spins
	_    pad

	failed atomic.Bool // whether fault holds an error
	fault  struct {
		sync.Mutex
		epoch, shard int
		err          error
	}
}

// A clock chooses the epochs whose times are taken. A reading costs 25 to 40 ns, and an epoch takes several: where
// workers have little to do in one, an epoch stands for itself and those before it since the last that was timed.
type clock struct {
	timed  bool
	now    time.Time // in a timed epoch: when it, or its merging, began
	skip   int       // epochs still to come that are not timed
	passed int       // those since the last that was
}

const (
	shortEpoch = 20 * time.Microsecond // of each worker, below which not all epochs are timed
	untimed    = 63                    // epochs between two that are timed then
)

// next begins an epoch.
func (c *clock) next() {
	if c.timed = c.skip == 0; c.timed {
		c.now = time.Now()
		return
	}
	c.skip--
	c.passed++
}

// lap is the time since the last call, or since next, of all epochs that this one stands for; 0 in epochs that are not
// timed.
func (c *clock) lap() time.Duration {
	if !c.timed {
		return 0
	}
	before := c.now
	c.now = time.Now()
	return c.now.Sub(before) * c.stands()
}

// stands is the number of epochs that a timed one stands for.
func (c *clock) stands() time.Duration { return time.Duration(1 + c.passed) }

// end ends a timed epoch in which each worker worked for a time.
func (c *clock) end(work time.Duration) {
	if c.passed = 0; work < shortEpoch {
		c.skip = untimed
	}
}

// A worker owns a range of shards. It claims these first, so that from epoch to epoch they stay in the cache of one
// core, and then claims shards of the others: at once of those that have begun the turn, of the rest after a while.
type worker struct {
	first, end int64
	_          pad
	busy       time.Duration     // with shards, in timed turns; of preparing them: up to the turn before
	prepared   time.Duration     // preparing shards since
	worked     time.Duration     // in the last timed turn
	mine       []int             // shards that it has advanced in this turn
	labels     []context.Context // by shard, made when first needed
	waiting    context.Context   // likewise
	claims     atomic.Uint64     // of its shards: see claim
	_          pad
	ended      gate // its last turn whose shards it has advanced: see announcement
}

// claim claims the next of the shards of o in a turn. The upper half of claims is the last turn in which one was
// claimed, the lower half how many were.
func (o *worker) claim(turn int64) (shard int, ok bool) {
	for {
		x := o.claims.Load()
		n := o.claimed(x, turn)
		if o.first+n >= o.end {
			return 0, false
		}
		if o.claims.CompareAndSwap(x, uint64(uint32(turn))<<32|uint64(n+1)) {
			return int(o.first + n), true
		}
	}
}

// claimed is the number of shards claimed in a turn, by a value of claims.
func (o *worker) claimed(x uint64, turn int64) int64 {
	if uint32(x>>32) != uint32(turn) {
		return 0
	}
	return int64(uint32(x))
}

// late is how long a worker waits for another to begin a turn before it claims the first of its shards: about as long
// as one that sleeps takes to wake up. It never waits longer than it has worked itself.
const late = 50 * time.Microsecond

// unclaimed waits until o has begun a turn, or is late, and reports whether it has shards that are not claimed.
func (o *worker) unclaimed(turn int64, worked time.Duration) bool {
	if o.end == o.first {
		return false
	}
	begun := func() bool { return uint32(o.claims.Load()>>32) == uint32(turn) }
	if !begun() {
		for begin, wait := time.Now(), min(late, worked); !begun() && time.Since(begin) < wait; {
			for range looks {
				if begun() {
					break
				}
			}
		}
	}
	return o.first+o.claimed(o.claims.Load(), turn) < o.end
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
	for w := range c.workers {
		c.workers[w].ended.init()
	}
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

// Kinds of openings.
const (
	plainTurn = iota
	timedTurn
	roundTurn // the first of a round
	openings
)

// opening is the value of the gate that begins a turn for some workers, or for none: the end.
func opening(turn int64, active, kind int) int64 {
	return openings*(turn*most+int64(active)) + int64(kind)
}

// lead is the caller's part: epochs, barriers between them, merging.
func (c *pool) lead(ctx context.Context, little time.Duration) error {
	done := ctx.Done()
	for more := true; more; c.epoch++ {
		select {
		case <-done:
			return ctx.Err()
		default:
		}
		if n := c.roundEpochs(); n > 0 {
			var err error
			if more, err = c.leadRound(ctx, n); err != nil {
				return err
			}
			continue
		}
		c.clock.next()
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
		c.advanced++
		var err error
		more, err = c.Merge(c.epoch)
		c.merge += c.clock.lap()
		if err != nil {
			return err
		}
		c.merged++
		if !c.clock.timed {
			continue
		}
		c.clock.end(work / time.Duration(c.active))
		if active := worthwhile(work, little, c.active, len(c.workers)); active != c.active {
			c.share(active)
		}
	}
	return nil
}

// alone advances every shard in the caller, and returns the time it took; 0 if it is not timed. Every second epoch it
// begins with the last shard, whose memory is then still in the near caches.
func (c *pool) alone(ctx context.Context) time.Duration {
	region := trace.StartRegion(ctx, "epoch")
	for i := range c.Shards {
		s := i
		if c.epoch%2 != 0 {
			s = c.Shards - 1 - i
		}
		c.label(ctx, 0, s)
		c.advance(0, s, c.epoch)
	}
	c.unlabel(ctx)
	region.End()
	work := c.clock.lap()
	c.solos++
	c.solo += work
	return work / c.clock.stands()
}

// together advances every shard with c.active workers, and returns the sum of their times; 0 if it is not timed.
func (c *pool) together(ctx context.Context) time.Duration {
	turn, timed, kind := int64(c.epoch)+1, c.clock.timed, plainTurn
	if timed {
		kind = timedTurn
	}
	c.open.set(opening(turn, c.active, kind))
	c.turn(ctx, 0, turn, c.active, timed)
	c.labelWait(ctx, 0)
	c.awaitOthers(ctx, turn)
	c.unlabel(ctx)
	if !timed {
		return 0
	}
	work := time.Duration(0)
	for w := range c.active {
		work += c.workers[w].worked
	}
	c.shared += c.clock.lap()
	c.setSpin(work / time.Duration(c.active))
	return work
}

// awaitOthers waits until the others have ended a turn. Each has claimed the first of its shards, unless it is late:
// then the caller does so.
func (c *pool) awaitOthers(ctx context.Context, turn int64) {
	tried := false
	for w := 1; w < c.active; w++ {
		o := &c.workers[w]
		if !tried && !o.ended.reached(announcement(turn, false), min(late, c.workers[0].worked)) {
			tried = true
			c.claimAll(ctx, 0, turn, c.active, 0)
		}
		o.ended.await(announcement(turn, false), c.spinning())
	}
}

// serve is the loop of the other workers: a turn whenever one is open that they take part in.
func (c *pool) serve(ctx context.Context, worker int) {
	for turn := int64(1); ; turn++ {
		c.labelWait(ctx, worker)
		open := c.open.await(opening(turn, 0, plainTurn), c.spinning())
		kind := open % openings
		turn = open / openings / most
		switch active := int(open / openings % most); {
		case active == 0:
			return
		case worker >= active:
		case kind == roundTurn:
			turn = c.round(ctx, worker, turn, active)
		default:
			c.turn(ctx, worker, turn, active, kind == timedTurn)
		}
	}
}

// turn claims shards and advances them until none is left, announces that, and prepares them for the next epoch.
func (c *pool) turn(ctx context.Context, worker int, turn int64, active int, timed bool) {
	var begin time.Time
	if timed {
		begin = time.Now()
	}
	begin = c.advanceShards(ctx, worker, turn, active, timed, begin)
	if c.Prepare == nil {
		return
	}
	w := &c.workers[worker]
	for _, s := range w.mine {
		c.label(ctx, worker, s)
		c.prepare(worker, s, int(turn))
	}
	c.unlabel(ctx)
	if timed {
		w.prepared = time.Since(begin)
	}
}

// advanceShards is the part of a turn up to the announcement; it returns the time. The announcement is made even if
// Advance ends the goroutine, as testing's FailNow does, since the caller would wait for ever.
func (c *pool) advanceShards(
	ctx context.Context, worker int, turn int64, active int, timed bool, begin time.Time,
) time.Time {
	w := &c.workers[worker]
	defer func() {
		if worker > 0 {
			w.ended.set(announcement(turn, false))
		}
	}()
	w.mine = w.mine[:0]
	region := trace.StartRegion(ctx, "epoch")
	c.claimOf(ctx, worker, w, turn)
	if c.Shards > active {
		worked := w.worked
		if timed {
			worked = time.Since(begin)
		}
		c.claimAll(ctx, worker, turn, active, worked)
	}
	c.unlabel(ctx)
	region.End()
	if c.Prepare != nil {
		for _, s := range w.mine {
			c.preparing[s].Store(true)
		}
	}
	if timed {
		now := time.Now()
		w.worked = w.prepared + now.Sub(begin)
		w.busy += w.worked * c.clock.stands()
		w.prepared = 0
		return now
	}
	return begin
}

// claimAll claims and advances the shards of the others that are not claimed.
func (c *pool) claimAll(ctx context.Context, worker int, turn int64, active int, worked time.Duration) {
	for i := 1; i < active; i++ {
		if o := &c.workers[(worker+i)%active]; o.unclaimed(turn, worked) {
			c.claimOf(ctx, worker, o, turn)
		}
	}
}

// claimOf claims and advances the shards of o that are not claimed.
func (c *pool) claimOf(ctx context.Context, worker int, o *worker, turn int64) {
	w := &c.workers[worker]
	for s, ok := o.claim(turn); ok; s, ok = o.claim(turn) {
		c.label(ctx, worker, s)
		c.advance(worker, s, int(turn-1))
		w.mine = append(w.mine, s)
	}
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
	c.failed.Store(true)
}

// failure is the error of the epochs up to one.
func (c *pool) failure(epoch int) error {
	if !c.failed.Load() {
		return nil
	}
	c.fault.Lock()
	defer c.fault.Unlock()
	if c.fault.epoch > epoch {
		return nil
	}
	return c.fault.err
}

// dismiss ends the goroutines of the other workers and waits for them.
func (c *pool) dismiss() {
	c.open.set(opening(int64(c.epoch)+3, 0, plainTurn)) // others may have gone through the epoch after this one
	c.hired.Wait()
}

func (c *pool) stats() Stats {
	s := Stats{
		Epochs:   c.merged,
		Advanced: c.advanced,
		Alone:    c.solos,
		Turns:    c.taken,
		Elapsed:  time.Since(c.begin),
		Merging:  c.merge,
		Busy:     make([]time.Duration, len(c.workers)),
		Wait:     make([]time.Duration, len(c.workers)),
	}
	for w := range c.workers {
		s.Busy[w] = c.workers[w].busy + c.workers[w].prepared
		s.Wait[w] = max(0, c.shared-s.Busy[w])
	}
	s.Busy[0] += c.solo
	return s
}
