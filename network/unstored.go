package network

import (
	"popsim/kernels"
	"popsim/kernels/asm"
)

// Edges of as many sources as targets whose weights depend on the displacement alone are not stored: those of rings,
// and those from all to all but for a neuron itself. The weights by displacement are kept twice, so that those from one
// source to consecutive lanes are consecutive. What the spikes of one step bring by such a projection is added to a
// lane after what stored edges bring by them, spike by spike. (For NMDA see gatesring.go; from all to all with one
// weight sums.go.)

// unstored is the edges of one projection from n sources of one part of a population to consecutive lanes of a range.
type unstored struct {
	first, n    int // the number in its population of the first source
	lane, lanes int
	offset      int       // number of the first lane among all targets
	kernel      []float64 // weights by displacement, target less source, from 0 on, twice

	spikes []spreadSpike // of the current step, by delay and source
	listed int           // those that are part of a run

	firsts  []*float64 // scratch: see asm.WeightsBlock
	factors []float64
}

// spreadSpike is a spike whose edges are not stored.
type spreadSpike struct {
	source int // from 0 on
	unit   *asm.UnitEdge
}

// unstored reports whether no edge of a projection is stored.
func (l *layout) unstored(p *Projection) bool { return l.bySums(p) || l.spreads(p) }

// spreads reports whether the edges of a projection of other synapses than NMDA depend on displacements alone.
func (l *layout) spreads(p *Projection) bool {
	w, one := p.Weight.(Constant)
	delay, same := p.Delay.(Constant)
	if !one || !same || w-w != 0 || l.spec.Synapses[p.Synapse].Kind == NMDA || l.bySums(p) {
		return false
	}
	if _, part := l.place(float64(delay)); part != 0 {
		return false
	}
	switch p.Rule.(type) {
	case AllToAll, Ring:
		// Pairs that are left out have the displacement 0.
		return len(p.From) == 1 && len(p.To) == 1 && p.From[0].N == p.To[0].N &&
			(p.From[0] == p.To[0] || !p.NoAutapses || l.autapses(p) == 0)
	}
	return false
}

// kernel is the weights of a projection that spreads by displacement, twice.
func (l *layout) kernel(p *Projection) []float64 {
	rule, ring := p.Rule.(Ring)
	n := p.From[0].N
	kernel := make([]float64, 2*n)
	for i := range n {
		kernel[i] = float64(p.Weight.(Constant))
	}
	if ring {
		low := ringKernel(rule)
		for i := range n {
			kernel[i] *= ringWeight(rule, low, ringDegrees(0, i, n, n))
		}
	}
	if p.NoAutapses && p.From[0] == p.To[0] {
		kernel[0] = 0
	}
	copy(kernel[n:], kernel)
	return kernel
}

// spreadSigns is signs of a projection that spreads.
func (l *layout) spreadSigns(p *Projection) (signs []bool) {
	if l.spec.OnGrid {
		return []bool{false}
	}
	kernel := l.kernel(p)
	var some [2]bool
	for _, w := range kernel {
		some[0], some[1] = some[0] || w > 0, some[1] || w < 0
	}
	if some[0] || !some[1] {
		signs = append(signs, false)
	}
	if some[1] {
		signs = append(signs, true)
	}
	return signs
}

// spikesOf are the spikes of a run: numbers of them take the places of a source and a number of blocks.
func (u *unstored) spikesOf(run *runOf) []spreadSpike { return u.spikes[run.Source:run.Blocks] }

// makeUnstored appends the tables of the edges that are not stored.
func (r *shard) makeUnstored() {
	l := r.net.layout
	for i := range l.spec.Projections {
		p := &l.spec.Projections[i]
		if !l.spreads(p) {
			continue
		}
		for _, negative := range l.spreadSigns(p) {
			kernel := l.kernel(p)
			for i, w := range kernel {
				if !l.spec.OnGrid && w < 0 != negative {
					kernel[i] = 0
				}
			}
			r.addUnstored(p, negative, unstored{first: p.From[0].First, n: p.From[0].N, kernel: kernel})
		}
	}
}

// addUnstored appends a table for each segment of targets of a projection in the range.
func (r *shard) addUnstored(p *Projection, negative bool, u unstored) {
	l, from := r.net.layout, p.From[0].Population
	least, _ := l.place(float64(p.Delay.(Constant)))
	to := l.spec.pool(p.To)
	for i := range r.segs {
		seg := &r.segs[i]
		for j := range to.parts {
			q := &to.parts[j]
			lo, hi := q.within(seg)
			if lo >= hi {
				continue
			}
			part := u
			part.lane, part.lanes, part.offset = lo-q.base+q.global-seg.first+seg.base, hi-lo, lo
			t := &table{
				receptor: l.receptor(p.Synapse, seg.population, negative), population: from, style: spread,
				first: l.firsts[from], least: least, delays: 1, start: []uint32{0, 0}, unstored: &part,
			}
			r.tablesOf[from] = append(r.tablesOf[from], len(r.tables))
			r.tables, r.unstored = append(r.tables, t), append(r.unstored, len(r.tables))
		}
	}
}

// collect notes a spike that arrives by edges that are not stored.
func (t *table) collect(e *tableSpike, onGrid bool) {
	u := t.unstored
	if source := int(e.source) - u.first; source >= 0 && source < u.n {
		u.spikes = append(u.spikes, spreadSpike{source, e.unit(onGrid)})
	}
}

// listUnstored makes the spikes that have been collected since runs, one for each table.
func (r *shard) listUnstored() {
	for _, ti := range r.unstored {
		if u := r.tables[ti].unstored; u.listed < len(u.spikes) {
			r.runs = append(r.runs,
				runOf{Table: int32(ti), Unit: &onePerEdge, Source: int32(u.listed), Blocks: int32(len(u.spikes))})
			u.listed = len(u.spikes)
		}
	}
}

// clearRuns empties the list of runs.
func (r *shard) clearRuns() {
	r.runs, r.foundEdges = r.runs[:0], r.foundEdges[:0]
	r.watch.covered, r.watch.found = 0, r.watch.found[:0]
	r.clearCounted()
	for _, ti := range r.unstored {
		u := r.tables[ti].unstored
		u.spikes, u.listed = u.spikes[:0], 0
	}
}

// weights is the weights from a source to the lanes.
func (u *unstored) weights(source int) []float64 { return u.kernel[u.n+u.offset-source:][:u.lanes] }

// addSpread adds what the spikes of a run bring by edges that are not stored to a row of accumulators, width for each
// lane.
func (u *unstored) addSpread(isa kernels.ISA, row []float64, width int, run *runOf) {
	spikes := u.spikesOf(run)
	row = row[width*u.lane:][:width*u.lanes]
	if width == 1 && spikes[0].unit != &onePerEdge {
		for i := range spikes {
			c := spikes[i].unit.Add[0]
			for l, w := range u.weights(spikes[i].source)[:len(row)] {
				row[l] += float64(w * c)
			}
		}
		return
	}
	u.firsts, u.factors = u.firsts[:0], u.factors[:0]
	for i := range spikes {
		u.firsts = append(u.firsts, &u.weights(spikes[i].source)[0])
		for j := 0; width > 1 && j < asm.WeightsLanes*width; j++ {
			u.factors = append(u.factors, spikes[i].unit.Add[j%width])
		}
	}
	kernels.AddWeights(isa, width, &asm.WeightsBlock{Lanes: u.lanes, Weights: u.firsts, Factors: u.factors, Row: row})
}

// each is shard.each for edges that are not stored.
func (u *unstored) each(run *runOf, f func(lane uint16, theta, weight float64)) {
	for _, sp := range u.spikesOf(run) {
		for i, w := range u.weights(sp.source) {
			f(uint16(u.lane+i), sp.unit.Theta, w)
		}
	}
}

// findUnstored is find for edges that are not stored.
func (r *shard) findUnstored(run *runOf, t *table) {
	u := t.unstored
	for _, b := range r.events {
		i := b.lane - u.lane
		if i < 0 || i >= u.lanes {
			continue
		}
		for _, sp := range u.spikesOf(run) {
			if w := u.weights(sp.source)[i]; w != 0 {
				r.found = append(r.found, arrival{uint16(b.lane), uint8(t.receptor), sp.unit.Theta, w})
			}
		}
	}
}
