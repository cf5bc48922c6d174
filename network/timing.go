package network

import (
	"bytes"
	"errors"
	"math/bits"
	"slices"
	"sync"
	"time"
)

// EpochTime is the time of one epoch whose ranges were advanced one after the other, in the caller's goroutine.
type EpochTime struct {
	Busiest, Mean           time.Duration // of a range
	Ranges                  []time.Duration
	Early                   time.Duration // the part of Mean that needs no spikes of the epoch before
	Delivery, Input, Update time.Duration // sums over the ranges
	Spikes, Events          float64       // spikes, and edges by which any arrived; not those of sums and of NMDA
}

// Timed advances the network by a number of epochs and times each range: what workers would do at once, one for each
// range, is done in turn. Spikes are not recorded.
func (n *Network) Timed(epochs int) (times []EpochTime, err error) {
	if n.ranges == nil {
		return nil, errors.New("the network has been closed")
	}
	defer func() {
		for _, r := range n.ranges {
			r.laps = nil
			r.forget()
		}
	}()
	n.countEdges()
	for _, r := range n.ranges {
		r.laps = new(laps)
	}
	for range epochs {
		var e EpochTime
		for _, r := range n.ranges {
			if err := e.add(r, n.step, n.step+n.layout.steps); err != nil {
				return nil, err
			}
		}
		n.step += n.layout.steps
		times = append(times, e)
	}
	meanOf(times, len(n.ranges))
	return times, nil
}

// TimedApart is Timed where each range is advanced by itself through all epochs, as by a worker that has no other, so
// that what it uses stays in the nearest caches. The epochs are first run once; then each range runs them again, with
// the spikes of the others from that run. The first warm of the epochs are run without being timed.
func (n *Network) TimedApart(warm, epochs int) (times []EpochTime, err error) {
	var before, after bytes.Buffer
	if err := n.Save(&before); err != nil {
		return nil, err
	}
	first, steps := n.step, n.layout.steps
	emitted := map[int64][][]spike{} // by step and range
	for range warm + epochs {
		if _, err := n.Timed(1); err != nil {
			return nil, err
		}
		for k := n.step - steps; k < n.step; k++ {
			for _, r := range n.ranges {
				emitted[k] = append(emitted[k], slices.Clone(r.emitted(k)))
			}
		}
	}
	if err := n.Save(&after); err != nil {
		return nil, err
	}
	times = make([]EpochTime, warm+epochs)
	for i, r := range n.ranges {
		if err := n.Restore(bytes.NewReader(before.Bytes())); err != nil {
			return nil, err
		}
		r.laps = new(laps)
		for e := range times {
			k := first + int64(e)*steps
			if err := times[e].add(r, k, k+steps); err != nil {
				return nil, err
			}
			for j := k; j < k+steps; j++ {
				for o, other := range n.ranges {
					if o != i {
						at := other.slot(j)
						other.history.put(at, append(other.history.begin(at), emitted[j][o]...))
					}
				}
			}
		}
		r.laps = nil
		r.forget()
	}
	meanOf(times, len(n.ranges))
	return times[warm:], n.Restore(&after)
}

// add advances a range through the epoch from step k up to end, and adds its times.
func (e *EpochTime) add(r *shard, k, end int64) error {
	l := r.laps
	*l = laps{now: time.Now()}
	r.prepare(k, end)
	l.end()
	e.Early += l.sum[delivery] + l.sum[input]
	if err := r.advance(k, end); err != nil {
		return err
	}
	l.end()
	e.Delivery += l.sum[delivery]
	e.Input += l.sum[input]
	e.Update += l.sum[update]
	all := l.sum[delivery] + l.sum[input] + l.sum[update]
	e.Ranges = append(e.Ranges, all)
	e.Busiest, e.Mean = max(e.Busiest, all), e.Mean+all
	e.Events += float64(float64(l.places)*r.net.listed) + l.events
	for ; k < end; k++ {
		e.Spikes += float64(len(r.emitted(k)))
	}
	return nil
}

// meanOf makes means of sums over a number of ranges.
func meanOf(times []EpochTime, ranges int) {
	for i := range times {
		times[i].Mean /= time.Duration(ranges)
		times[i].Early /= time.Duration(ranges)
	}
}

// countEdges counts, once, what share of the places of stored lists holds an edge, and the edges in rows of bits and
// of counts.
func (n *Network) countEdges() {
	if n.counted {
		return
	}
	n.counted = true
	edges, places := float64(n.edges), 0.0
	for i := range n.layout.spec.Projections {
		if p := &n.layout.spec.Projections[i]; n.layout.unstored(p) {
			edges -= n.layout.edges(p)
		}
	}
	for _, r := range n.ranges {
		for _, t := range r.tables {
			places += float64(4 * t.blocks())
			if t.style == bitRows {
				marked := 0
				for _, x := range t.bits {
					marked += bits.OnesCount64(x)
				}
				edges -= float64(marked)
				t.rowEdges = float64(marked) / float64(len(t.bits)/t.bitWords)
			}
			if t.style == countRows {
				all := 0
				for _, x := range t.counts {
					all += int(x)
				}
				edges -= float64(all)
				t.rowEdges = float64(all) / float64(len(t.counts)/t.countLanes)
			}
		}
	}
	n.listed = edges / max(1, places)
}

// laps is the time of a range by part, and what has been delivered.
type laps struct {
	now    time.Time
	in     part
	sum    [parts]time.Duration
	places int64   // of blocks of edges
	events float64 // other edges
}

// count counts the edges of runs that are about to be added. Its time belongs to no part that is told.
func (r *shard) count(runs []runOf) {
	l := r.laps
	l.begin(recording)
	for i := range runs {
		u := &runs[i]
		switch t := r.tables[u.Table]; t.style {
		case bitRows:
			l.events += float64(t.rowEdges * float64(len(t.gathered)))
			for _, s := range t.gathered {
				l.places += 4 * int64(t.start[2*s+1]-t.start[2*s])
			}
		case spread:
			l.events += float64(len(t.unstored.spikesOf(u)) * t.unstored.lanes)
		case timed: // runs are listed twice, each time for a part of their edges
			l.places += 2 * int64(u.Blocks)
		default:
			for _, s := range t.gathered {
				l.places += 4 * int64(len(t.listOf(s)))
			}
			l.places += 4 * int64(u.Blocks)
		}
	}
	l.begin(delivery)
}

// begin ends the current part and starts p.
func (l *laps) begin(p part) {
	l.end()
	l.in = p
}

// end adds the time since the current part began, or was last added to.
func (l *laps) end() {
	now := time.Now()
	l.sum[l.in] += now.Sub(l.now) - readingTime()
	l.now = now
}

// readingTime is the time of a reading of the clock, of which there is one between any two: the least mean of many
// readings in a row.
var readingTime = sync.OnceValue(func() time.Duration {
	const stretches, readings = 20, 1000
	least := time.Duration(1<<63 - 1)
	for range stretches {
		begin := time.Now()
		for range readings - 1 {
			_ = time.Now()
		}
		least = min(least, time.Since(begin)/readings)
	}
	return least
})
