package network

import (
	"errors"
	"time"
)

// EpochTime is the time of one epoch whose ranges were advanced one after the other, in the caller's goroutine.
type EpochTime struct {
	Busiest, Mean           time.Duration // of a range
	Early                   time.Duration // the part of Mean that needs no spikes of the epoch before
	Delivery, Input, Update time.Duration // sums over the ranges
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
		}
		e.Mean /= time.Duration(len(n.ranges))
		e.Early /= time.Duration(len(n.ranges))
		n.step = end
		times = append(times, e)
	}
	return times, nil
}

// laps is the time of a range by part.
type laps struct {
	now time.Time
	in  part
	sum [parts]time.Duration
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
