package network

import (
	"errors"
	"math/bits"
	"time"
)

// EpochTime is the time of one epoch whose ranges were advanced one after the other, in the caller's goroutine.
type EpochTime struct {
	Busiest, Mean           time.Duration // of a range
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
		end := n.step + n.layout.steps
		var e EpochTime
		for _, r := range n.ranges {
			l := r.laps
			*l = laps{now: time.Now()}
			r.prepare(n.step, end)
			l.end()
			e.Early += l.sum[delivery] + l.sum[input]
			if err := r.advance(n.step, end); err != nil {
				return nil, err
			}
			l.end()
			e.Delivery += l.sum[delivery]
			e.Input += l.sum[input]
			e.Update += l.sum[update]
			all := l.sum[delivery] + l.sum[input] + l.sum[update]
			e.Busiest, e.Mean = max(e.Busiest, all), e.Mean+all
			e.Events += float64(float64(l.places)*n.listed) + l.events
			for k := n.step; k < end; k++ {
				e.Spikes += float64(len(r.emitted(k)))
			}
		}
		e.Mean /= time.Duration(len(n.ranges))
		e.Early /= time.Duration(len(n.ranges))
		n.step = end
		times = append(times, e)
	}
	return times, nil
}

// countEdges counts, once, what share of the places of stored lists holds an edge, and the edges in rows of bits.
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
	l.sum[l.in] += now.Sub(l.now)
	l.now = now
}
