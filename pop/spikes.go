package pop

import (
	"cmp"
	"slices"
)

// fewSpikes is the largest number of spikes for which insertion alone is the fastest way to sort them.
const fewSpikes = 12

// Event is a spike in step Step, at the time (Step + Theta) dt; Theta is from 0 to 1.
type Event struct {
	Step   int64
	Theta  float64
	Neuron int64
}

// Spikes lists the spikes of the epoch that was advanced last, by step, then theta, then neuron. It is called after all
// shards have been advanced. The slice is valid until the next call.
func (p *Population) Spikes() []Event {
	p.events = p.events[:0]
	for _, s := range p.shards {
		for _, e := range s.events {
			p.events = append(p.events, Event{s.start + int64(e.Step), e.Theta, int64(s.first) + int64(e.Lane)})
		}
	}
	slices.SortFunc(p.events, func(a, b Event) int {
		return cmp.Or(cmp.Compare(a.Step, b.Step), cmp.Compare(a.Theta, b.Theta), cmp.Compare(a.Neuron, b.Neuron))
	})
	return p.events
}

// sorted returns the spikes of the epoch by time, then neuron. They are first sorted into steps by counting. The spikes
// of one step fit into a cache; they are sorted, again by counting, into as many slices of the step as there are
// spikes, which brings nearly every spike to its place at a cost per spike that does not grow with their number.
// Insertion does the rest. The slice is valid until the next epoch.
func (p *Population) sorted() []Spike {
	p.buckets = slices.Grow(p.buckets[:0], p.length+1)[:p.length+1]
	clear(p.buckets)
	total := 0
	for _, s := range p.shards {
		for _, e := range s.events {
			p.buckets[e.Step+1]++
		}
		total += len(s.events)
	}
	for k := range p.length {
		p.buckets[k+1] += p.buckets[k]
	}
	p.spikes = slices.Grow(p.spikes[:0], total)[:total]
	for _, s := range p.shards {
		for _, e := range s.events {
			at := &p.buckets[e.Step]
			p.spikes[*at] = Spike{p.time(p.first, e), int64(s.first) + int64(e.Lane)}
			*at++
		}
	}
	from := 0
	for k, to := range p.buckets[:p.length] {
		if step := p.spikes[from:to]; len(step) > fewSpikes && !inOrder(step) { // spikes on the grid are already in order
			p.slice(step, float64(p.first+int64(k))*p.dt)
		}
		from = to
	}
	insert(p.spikes) // over all steps, because a spike at the end of a step has the time of one at the start of the next
	return p.spikes
}

// slice sorts the spikes of a step that starts at t ms into slices of the step.
func (p *Population) slice(step []Spike, t float64) {
	n := len(step)
	p.slices = slices.Grow(p.slices[:0], n+1)[:n+1]
	clear(p.slices)
	p.scratch = append(p.scratch[:0], step...)
	scale := float64(n) / p.dt
	for _, x := range p.scratch {
		p.slices[max(0, min(int((x.Time-t)*scale), n-1))+1]++
	}
	crowd := int32(0)
	for i := range n {
		crowd = max(crowd, p.slices[i+1])
		p.slices[i+1] += p.slices[i]
	}
	if crowd > fewSpikes { // neurons that fire nearly synchronously
		slices.SortFunc(step, func(a, b Spike) int {
			switch {
			case a.Time < b.Time:
				return -1
			case a.Time > b.Time:
				return 1
			}
			return int(a.Neuron - b.Neuron)
		})
		return
	}
	for _, x := range p.scratch {
		at := &p.slices[max(0, min(int((x.Time-t)*scale), n-1))]
		step[*at] = x
		*at++
	}
}

// before reports whether a comes before b.
func (a Spike) before(b Spike) bool {
	return a.Time < b.Time || a.Time == b.Time && a.Neuron < b.Neuron
}

func inOrder(spikes []Spike) bool {
	for i := 1; i < len(spikes); i++ {
		if spikes[i].before(spikes[i-1]) {
			return false
		}
	}
	return true
}

// insert sorts spikes that are nearly in order, by insertion.
func insert(spikes []Spike) {
	for i := 1; i < len(spikes); i++ {
		x, j := spikes[i], i
		for ; j > 0 && x.before(spikes[j-1]); j-- {
			spikes[j] = spikes[j-1]
		}
		spikes[j] = x
	}
}
