package sched

import (
	"context"
	"runtime/trace"
)

// A round is a sequence of epochs in which workers wait for each other without the caller between them. Each has one
// shard, announces that it has been advanced, and goes on as soon as all others have announced the same epoch: the
// worker that comes last waits for nothing. In a turn by itself, where the caller opens each epoch, two announcements
// go from core to core between the end of the last shard and the next epoch.
//
// The caller merges epoch k while others may be in epoch k+1. It ends the round with the announcement of an epoch: when
// the number of epochs that was to be in the round is reached, or the context is done, or Merge of the epoch before has
// ended the run. All workers find a failure in the same epoch: it is stored before the announcement.

// MostInRound is the largest number of workers in a round, in which each reads the announcements of all others.
const MostInRound = 4

// announcement is the value of the gate of a worker that has advanced its shards in a turn; last, of the caller in a
// round: no more turns follow in the round.
func announcement(turn int64, last bool) int64 {
	if last {
		return 2*turn + 1
	}
	return 2 * turn
}

// roundEpochs is the number of epochs of the round that may begin now; 0: none may. Times are not taken in a round.
func (c *pool) roundEpochs() int {
	n := min(c.clock.skip, c.Epochs-c.epoch)
	if c.active < 2 || c.active > MostInRound || c.Shards != c.active || n < 2 {
		return 0
	}
	return n
}

// leadRound is the caller's part of a round of n epochs at most.
func (c *pool) leadRound(ctx context.Context, n int) (more bool, err error) {
	c.open.set(opening(int64(c.epoch)+1, c.active, roundTurn))
	left := false
	defer func() {
		if !left { // Merge panics: others are in the turn of the next epoch
			c.workers[0].ended.set(announcement(int64(c.epoch)+2, true))
		}
	}()
	more = true
	for i := 1; ; i++ {
		last := i >= n || !more || err != nil || ctx.Err() != nil
		turn := int64(c.epoch) + 1
		c.advanceOwn(ctx, 0, turn, last)
		c.meet(ctx, 0, turn, c.active)
		c.clock.skip--
		c.clock.passed++
		c.taken += c.active
		if failure := c.failure(c.epoch); failure != nil {
			left = true
			if err == nil { // of Merge of the epoch before, else
				err = failure
			}
			return false, err
		}
		c.advanced++
		if more && err == nil {
			if more, err = c.Merge(c.epoch); err == nil {
				c.merged++
			}
		}
		if last {
			left = true
			return more, err
		}
		c.epoch++
	}
}

// round is the part of another worker in a round that begins with a turn. It returns the last turn.
func (c *pool) round(ctx context.Context, worker int, turn int64, active int) int64 {
	for {
		c.advanceOwn(ctx, worker, turn, false)
		if c.meet(ctx, worker, turn, active) {
			return turn
		}
		turn++
	}
}

// advanceOwn advances the shard of a worker, announces that, and prepares it for the next epoch.
func (c *pool) advanceOwn(ctx context.Context, worker int, turn int64, last bool) {
	s := int(c.workers[worker].first)
	c.advanceAndAnnounce(ctx, worker, s, turn, last)
	if c.Prepare != nil {
		c.label(ctx, worker, s)
		c.prepare(worker, s, int(turn))
		c.unlabel(ctx)
	}
}

// advanceAndAnnounce makes the announcement also if Advance ends the goroutine.
func (c *pool) advanceAndAnnounce(ctx context.Context, worker, shard int, turn int64, last bool) {
	defer func() { c.workers[worker].ended.set(announcement(turn, last)) }()
	region := trace.StartRegion(ctx, "epoch")
	c.label(ctx, worker, shard)
	c.advance(worker, shard, int(turn-1))
	c.unlabel(ctx)
	region.End()
	if c.Prepare != nil {
		c.preparing[shard].Store(true)
	}
}

// meet waits until all workers of a round have announced a turn, and reports whether it was the last.
func (c *pool) meet(ctx context.Context, worker int, turn int64, active int) (last bool) {
	c.labelWait(ctx, worker)
	for o := range active {
		if o == worker {
			continue
		}
		if x := c.workers[o].ended.await(announcement(turn, false), c.spinning()); o == 0 {
			last = x == announcement(turn, true)
		}
	}
	c.unlabel(ctx)
	return last || c.failure(int(turn-1)) != nil
}
