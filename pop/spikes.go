package pop

import "slices"

// fewSpikes is how many spikes may lie in any order for insertion to be the quickest way to put them right.
const fewSpikes = 12

// sorted gives the spikes of the epoch by time, then neuron. They are counted into their steps first. The spikes of one
// step fit a cache; they are counted into as many slices of the step as they are many, which brings nearly every one to its
// place at a cost that does not grow with their number, as that of comparing would. Insertion does the rest. The result is
// used again for the next epoch.
func (c *crew) sorted() []Spike {
	c.buckets = slices.Grow(c.buckets[:0], c.length+1)[:c.length+1]
	clear(c.buckets)
	total := 0
	for _, s := range c.shards {
		for _, e := range s.events {
			c.buckets[e.Step+1]++
		}
		total += len(s.events)
	}
	for k := range c.length {
		c.buckets[k+1] += c.buckets[k]
	}
	c.spikes = slices.Grow(c.spikes[:0], total)[:total]
	for _, s := range c.shards {
		for _, e := range s.events {
			at := &c.buckets[e.Step]
			c.spikes[*at] = Spike{c.time(c.first, e), int64(s.first) + int64(e.Lane)}
			*at++
		}
	}
	from := 0
	for k, to := range c.buckets[:c.length] {
		if step := c.spikes[from:to]; len(step) > fewSpikes && !inOrder(step) { // on the grid they come in order
			c.slice(step, float64(c.first+int64(k))*c.dt)
		}
		from = to
	}
	insert(c.spikes) // through all, since the end of one step is the start of the next
	return c.spikes
}

// slice brings the spikes of a step that starts at t ms nearly into order, slice by slice of the step.
func (c *crew) slice(step []Spike, t float64) {
	n := len(step)
	c.slices = slices.Grow(c.slices[:0], n+1)[:n+1]
	clear(c.slices)
	c.scratch = append(c.scratch[:0], step...)
	scale := float64(n) / c.dt
	for _, x := range c.scratch {
		c.slices[max(0, min(int((x.Time-t)*scale), n-1))+1]++
	}
	crowd := int32(0)
	for i := range n {
		crowd = max(crowd, c.slices[i+1])
		c.slices[i+1] += c.slices[i]
	}
	if crowd > fewSpikes { // neurons nearly in step with each other
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
	for _, x := range c.scratch {
		at := &c.slices[max(0, min(int((x.Time-t)*scale), n-1))]
		step[*at] = x
		*at++
	}
}

// before tells whether a belongs before b.
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

// insert sorts spikes that are nearly in order.
func insert(spikes []Spike) {
	for i := 1; i < len(spikes); i++ {
		x, j := spikes[i], i
		for ; j > 0 && x.before(spikes[j-1]); j-- {
			spikes[j] = spikes[j-1]
		}
		spikes[j] = x
	}
}
