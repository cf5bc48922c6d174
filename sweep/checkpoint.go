package sweep

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// checkpointer writes finished batches to disk while the sweep runs. A checkpoint holds neighbouring batches; which
// ones depends on when it is written. This does not matter for the results: a resumed sweep reads all checkpoints and
// computes the rest.
//
// Let F(b) be the writing of batch b into the result by a worker, and S the writing of a checkpoint. F(b) precedes the
// setting of done[b], under mu; S reads done under mu, and of the result only the batches that are done.
type checkpointer struct {
	r       *Result
	path    string
	batches []span
	every   time.Duration // time between checkpoints; 0 means it is chosen, see wait
	stop    func()        // ends the sweep, after a checkpoint could not be written
	cost    func() Work   // returns the work since its last call

	mu    sync.Mutex
	done  []bool // by batch
	saved int    // the batches before it are on disk
	begin time.Time
	due   time.Time // of the next checkpoint
	spent time.Duration
	err   error // the first error of writing
}

// If no time between checkpoints is given, it is a fiftieth of the time of the sweep so far, within limits, so that a
// sweep of a day leaves some hundred checkpoints; and writing takes at most a fiftieth of the time of one worker.
const (
	checkpointShare = 50
	checkpointLeast = time.Second
	checkpointMost  = time.Minute
)

func newCheckpointer(r *Result, path string, batches []span, every time.Duration, stop func()) *checkpointer {
	k := &checkpointer{
		r: r, path: path, batches: batches, every: every, stop: stop, done: make([]bool, len(batches)),
		begin: time.Now(),
	}
	k.due = k.begin.Add(k.wait(0))
	return k
}

// wait returns the time from a checkpoint, whose writing took the given time, to the next.
func (k *checkpointer) wait(took time.Duration) time.Duration {
	if k.every > 0 {
		return k.every
	}
	return max(min(max(time.Since(k.begin)/checkpointShare, checkpointLeast), checkpointMost), checkpointShare*took)
}

// finished marks a batch as done and, if a checkpoint is due, writes the batches up to the first that is not done.
func (k *checkpointer) finished(batch int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.done[batch] = true
	now := time.Now()
	if k.err != nil || now.Before(k.due) || !k.done[k.saved] {
		return
	}
	k.saved = k.save(k.saved)
	took := time.Since(now)
	k.spent += took
	k.due = time.Now().Add(k.wait(took))
}

// saveRest writes all batches that are done and not on disk. No batch may be running.
func (k *checkpointer) saveRest() error {
	for b := k.saved; b < len(k.batches); b++ {
		if k.done[b] {
			b = k.save(b)
		}
	}
	return k.err
}

// save writes a checkpoint of the batches from first on that are done and contiguous, and returns the first that is not
// in it.
func (k *checkpointer) save(first int) (end int) {
	for end = first + 1; end < len(k.batches) && k.done[end] && k.batches[end].first == k.batches[end-1].end; end++ {
	}
	from, to := k.batches[first].first, k.batches[end-1].end
	lo, hi := k.r.slotRange(from, to)
	k.r.Kept += hi - lo
	if err := write(checkpointPath(k.path, from, to), k.r.checkpoint(from, to, k.cost(), nil)); err != nil &&
		k.err == nil {
		k.err = err
		k.stop()
	}
	return end
}

// runKept runs the chains of all with checkpoints; a part is written to one file at the end. account updates the times
// and counts in out.
func (e *engine) runKept(ctx context.Context, cfg Config, all span, out *Result, account func()) error {
	path := cfg.Keep
	if cfg.Part.Of > 0 {
		path = PartPath(path, cfg.Part)
		beat := startHeartbeat(path, cfg.Job, func() (done, total int64) {
			return e.done.Load(),
				int64(out.slots()) * int64(len(e.clocks))
		})
		defer beat.end()
	}
	left := []span{all}
	switch {
	case cfg.Resume:
		if cfg.Part.Of > 0 {
			if whole, err := out.resumePart(path, all); whole || err != nil {
				return errors.Join(err, Discard(path))
			}
		}
		have, err := out.resume(path)
		if err != nil {
			return err
		}
		left = all.without(have)
		e.done.Store(int64(out.slots()-out.count(left)) * int64(len(e.clocks)))
	case cfg.Discard:
		if err := Discard(path); err != nil {
			return err
		}
	case HasCheckpoints(path):
		return fmt.Errorf("sweep: checkpoints of an unfinished run are kept beside %s; resume continues from them", path)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	k := newCheckpointer(out, path, e.batches(cfg, left), cfg.Every, stop)
	k.cost = e.meter()
	err := e.run(ctx, cfg, k.batches, out, k.finished)
	e.saving = k.spent
	if e := k.saveRest(); e != nil {
		return e
	}
	if err != nil || cfg.Part.Of == 0 {
		return err
	}
	account()
	var record any
	if cfg.Record != nil {
		record = cfg.Record(out)
	}
	work := Work{out.LaneSteps, out.Elapsed.Seconds()}
	work.add(out.Resumed)
	if err := write(path, out.checkpoint(all.first, all.end, work, record)); err != nil {
		return err
	}
	return Discard(path)
}

// meter returns a function that returns the work since its last call.
func (e *engine) meter() func() Work {
	moved, at := e.moved.Load(), time.Now()
	return func() Work {
		m, now := e.moved.Load(), time.Now()
		w := Work{m - moved, now.Sub(at).Seconds()}
		moved, at = m, now
		return w
	}
}

// without returns the parts of a span that lie in none of others, which may be in any order.
func (s span) without(others []span) (left []span) {
	slices.SortFunc(others, func(a, b span) int { return a.first - b.first })
	for _, o := range others {
		if o.first > s.first {
			left = append(left, span{s.first, min(o.first, s.end)})
		}
		if s.first = max(s.first, o.end); s.first >= s.end {
			return left
		}
	}
	return append(left, s)
}

// count returns the number of points in spans of chains.
func (r *Result) count(spans []span) (n int) {
	for _, s := range spans {
		lo, hi := r.slotRange(s.first, s.end)
		n += hi - lo
	}
	return n
}

// resume loads the checkpoints at path and returns which chains they hold.
func (r *Result) resume(path string) (have []span, err error) {
	found, err := beside(path, checkpointMark)
	if err != nil {
		return nil, err
	}
	for _, name := range found {
		if strings.HasSuffix(name, tempMark) { // was being written when the run was killed
			if err := os.Remove(name); err != nil {
				return nil, fmt.Errorf("sweep: %w", err)
			}
			continue
		}
		h, err := r.take(name)
		if err != nil {
			return nil, err
		}
		have = append(have, h)
	}
	return have, nil
}

// resumePart loads the file of a part that is already finished; whole reports whether there is one.
func (r *Result) resumePart(path string, all span) (whole bool, err error) {
	if _, err := os.Stat(path); err != nil {
		return false, nil
	}
	have, err := r.take(path)
	if err == nil && have != all {
		err = fmt.Errorf("sweep: %s holds chains %d to %d, not %d to %d; remove it", path, have.first, have.end-1,
			all.first, all.end-1)
	}
	return true, err
}

// take loads a checkpoint of this experiment and returns its chains.
func (r *Result) take(path string) (have span, err error) {
	h, err := openCheckpoint(path)
	if err != nil {
		return span{}, err
	}
	if !bytes.Equal(h.Experiment.text(), r.plan.experiment().text()) {
		return span{}, fmt.Errorf("sweep: %s belongs to another experiment; remove it, or give the same model, grid, "+
			"times and method", path)
	}
	r.Resumed.add(h.Work)
	return span{h.First, h.End}, r.load(h)
}
