package pop

import (
	"math"
	"slices"
	"time"

	"popsim/kernels"
)

// Record ends an epoch after all shards have been advanced: it passes spikes and traced states to the callbacks of
// Config, in order of time. The error is that of a callback, or a *BlownUp.
func (p *Population) Record() error {
	for _, s := range p.shards {
		if s.failed != nil {
			return s.failed
		}
	}
	p.sum.Spikes = 0
	for _, s := range p.shards {
		p.sum.Spikes += s.count
	}
	if p.cfg.Spike != nil {
		if err := p.hand(p.sorted()); err != nil {
			return err
		}
	}
	if p.cfg.Trace != nil {
		if err := p.rows(); err != nil {
			return err
		}
	}
	p.sum.Steps = p.first + int64(p.length)
	return nil
}

// Summary sums up the run up to the last recorded epoch. Its trains share memory with the population.
func (p *Population) Summary() Summary {
	for _, s := range p.shards {
		if s.start < p.sum.Steps { // else the epoch was abandoned
			p.train(s)
		}
	}
	p.sum.Trains = p.trains
	p.sum.Lowest, p.sum.Highest = p.extrema()
	p.sum.Away = p.sum.Away[:0]
	for _, s := range p.shards {
		p.sum.Away = append(p.sum.Away, s.away...)
	}
	return p.sum
}

// train adds the events of the last epoch of a shard to the trains of its neurons. Unless the epoch is brief, this is
// done after it was merged, so that an abandoned epoch leaves nothing in the trains.
func (p *Population) train(s *shard) {
	if p.trains.Len() == 0 {
		return
	}
	heads, tails, ahead := p.trains.heads[s.first:], p.trains.tails[s.first:], 0
	periodic := p.trains.recent != nil
	for i := 0; i < len(s.events); i++ {
		if !periodic {
			if i += p.trainUsual(tails[:min(ahead, len(tails))], s.events[i:], s.start); i == len(s.events) {
				break
			}
		}
		e := s.events[i]
		l := int(e.Lane)
		if l >= ahead { // the order of neurons is random for the processor, which therefore does not prefetch their trains
			ahead = (l/kernels.Group + 1) * kernels.Group
			if ahead < len(tails) {
				kernels.Prefetch(tails[ahead:min(ahead+kernels.Group, len(tails))])
			}
		}
		t := p.time(s.start, e)
		if tail := &tails[l]; tail.kept < 2 {
			heads[l].begin(tail, t, p.cfg.From)
		} else {
			tail.add(t)
		}
		if periodic {
			p.trains.note(s.first + l)
		}
	}
	s.events = s.events[:0]
}

// trainUsual adds events to trains with a kept interval. It returns the number of events before the first that belongs
// to another train or to a neuron beyond the last of tails.
func (p *Population) trainUsual(tails []tail, events []kernels.Event, start int64) int {
	dt := p.dt
	for i := range events {
		e := &events[i]
		l := uint(e.Lane)
		if l >= uint(len(tails)) {
			return i
		}
		t := &tails[l]
		if t.kept < 2 {
			return i
		}
		t.add(float64((float64(start+int64(e.Step)) + e.Theta) * dt)) // as time
	}
	return len(events)
}

// time returns the time (ms) of an event of the epoch that starts with step first. A run has less than 2^53 steps, so
// the step is exact; the sum of step and theta is rounded no more coarsely than the time itself.
func (p *Population) time(first int64, e kernels.Event) float64 {
	return float64((float64(first+int64(e.Step)) + e.Theta) * p.dt)
}

// every returns the number of steps from one time of the trace to the next.
func (p *Population) every() int64 { return max(1, int64(math.Round(p.cfg.Trace.Every/p.dt))) }

// untilTrace records the traced states if step done of the epoch is a time of the trace, and returns the steps to the
// next.
func (p *Population) untilTrace(s *shard, done int) int {
	every, k := p.every(), p.first+int64(done)
	if k%every == 0 {
		p.note(s, k)
	}
	return int(min(int64(p.length-done), every-k%every))
}

// note records the states of the traced lanes at the start of step k.
func (p *Population) note(s *shard, k int64) {
	d := len(p.spec.Init)
	for _, l := range s.traced {
		n := len(s.states)
		s.states = slices.Grow(s.states, d)[:n+d]
		s.columns.State(l, k, s.states[n:])
	}
}

// hand passes the spikes of the epoch to Config.Spike.
func (p *Population) hand(block []Spike) error {
	begin := time.Now()
	err := p.cfg.Spike(block)
	p.sum.Phases.Hand += time.Since(begin)
	return err
}

// rows passes the traced states of the epoch to Trace.Row, by time, then in the order of Trace.Of.
func (p *Population) rows() error {
	every := p.every()
	k := (p.first + every - 1) / every * every
	return p.handRows(k, every, p.first+int64(p.length))
}

func (p *Population) handRows(k, every, end int64) error {
	d := len(p.spec.Init)
	for _, s := range p.shards {
		s.handed = 0
	}
	begin := time.Now()
	defer func() { p.sum.Phases.Hand += time.Since(begin) }()
	for ; k < end; k += every {
		for _, i := range p.cfg.Trace.Of {
			s := p.shardOf(int(i))
			at := s.handed
			s.handed += d
			if err := p.cfg.Trace.Row(float64(k)*p.dt, i, s.states[at:at+d]); err != nil {
				return err
			}
		}
	}
	return nil
}

// traceEnd passes the states at the end of a run to Trace.Row, if that is a time of the trace.
func (p *Population) traceEnd() error {
	k := p.sum.Steps
	if p.cfg.Trace == nil || k%p.every() != 0 {
		return nil
	}
	for _, s := range p.shards {
		s.states = s.states[:0]
		p.note(s, k)
	}
	return p.handRows(k, 1, k+1)
}

// extremaFrom is the first step whose V counts for extrema.
func (p *Population) extremaFrom() int64 { return Steps(p.cfg.From, p.dt) }

// extrema lists the lowest and highest V of all neurons; nil without Config.Extrema, or where no step counts for them.
func (p *Population) extrema() (lowest, highest []float64) {
	if !p.cfg.Extrema || p.sum.Steps <= p.extremaFrom() {
		return nil, nil
	}
	for _, s := range p.shards {
		lowest, highest = append(lowest, s.columns.Lo[:s.columns.N]...), append(highest, s.columns.Hi[:s.columns.N]...)
	}
	return lowest, highest
}
