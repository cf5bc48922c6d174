package network

import (
	"math"
	"slices"
	"unsafe"

	"popsim/kernels"
	"popsim/kernels/asm"
)

// Where all edges of a range have weights of their own and are runs by delay, the runs of a spike are listed once, when
// it is known: each in the list of the step in which it arrives. A source's part of the index is then read once and as
// a whole, instead of a place of it in each step, and runs without edges cost nothing later. The order of a list is
// that of the sums: by emission of the spike, by source.

// scheduledRun is the edges of one spike that arrive in one step.
type scheduledRun struct {
	spike        uint32 // number of a scheduledSpike
	from, blocks uint16 // first block, counted from that of the spike
}

// scheduledSpike is what the runs of a spike and a table have in common.
type scheduledSpike struct {
	own           asm.UnitEdge // what an edge of weight 1 adds; not used on the grid
	first         uintptr      // address of the block from which runs are counted
	source, table int32        // as in asm.EdgeRun
	falls         bool
}

// schedule is the runs that are to arrive, by step modulo the length of shard.history.
type schedule struct {
	on     bool
	oneRow bool // whether addRuns can add all runs of a step together
	lists  []scheduledList
	spikes kept[scheduledSpike]
}

// scheduledList is the first n of all; added of them have been added to the rows.
type scheduledList struct {
	all      []scheduledRun
	n, added int
}

// startSchedule prepares the range for its tables.
func (r *shard) startSchedule() {
	l, p := r.net.layout, &r.schedule
	p.on = l.longest > int(l.steps)
	for _, t := range r.tables {
		p.on = p.on && t.style == float32s && t.laneBits == 0 && !t.gated
	}
	p.oneRow = p.on
	for _, t := range r.tables {
		p.oneRow = p.oneRow && r.addsRuns(t) && r.together(r.tables[0], t)
	}
	if p.on {
		p.lists = make([]scheduledList, len(r.history.steps))
		p.spikes.nextAt = make([]uint32, len(r.history.steps))
	}
}

// clear forgets all runs.
func (p *schedule) clear() {
	for i := range p.lists {
		p.lists[i].clear()
	}
	p.spikes.drop()
}

// scheduleSpikes lists the runs of the spikes of step s that arrive in step k or later.
func (r *shard) scheduleSpikes(s, k int64) {
	p, none := &r.schedule, true
	p.spikes.begin(s)
	for _, from := range r.net.ranges {
		for _, sp := range from.emitted(s) {
			for _, ti := range r.tablesOf[sp.population] {
				t := r.tables[ti]
				row := t.row(int(sp.neuron) - t.first)
				kernels.PrefetchRange(uintptr(unsafe.Pointer(&row[0])), 4*len(row))
				none = false
			}
		}
	}
	if none {
		return
	}
	for i := range p.lists { // their ends, which have left the near caches since the last step
		list := &p.lists[i]
		end := uintptr(list.n) * unsafe.Sizeof(scheduledRun{})
		kernels.PrefetchRange(uintptr(unsafe.Pointer(unsafe.SliceData(list.all)))+end, prefetchedEnd)
	}
	for _, from := range r.net.ranges {
		for _, sp := range from.emitted(s) {
			for _, ti := range r.tablesOf[sp.population] {
				r.scheduleSpike(s, k, sp, ti)
			}
		}
	}
}

// prefetchedEnd is how many bytes of a list are prefetched before more runs are appended to it.
const prefetchedEnd = 128

// scheduleSpike lists the runs of a spike of step s and table number ti.
func (r *shard) scheduleSpike(s, k int64, sp spike, ti int) {
	p, t := &r.schedule, r.tables[ti]
	source := int(sp.neuron) - t.first
	row, at := t.row(source), s+int64(t.least)
	early := min(max(0, k-at), int64(t.delays))
	first := row[early]
	kind := scheduledSpike{first: t.block(first), source: int32(source), table: int32(ti), falls: t.falls}
	if !r.net.layout.spec.OnGrid {
		kind.own.Theta = sp.theta
		if !r.edgeByEdge(t) {
			kind.own.Add = r.coefs(t.receptor, -1, sp.theta)
		}
	}
	oldest := s - int64(r.net.layout.longest)
	number, base := p.spikes.add(kind, oldest), first
	slot := int(r.slot(at + early))
	for _, end := range row[early+1:] {
		for end-base > math.MaxUint16 { // of a source with very many edges
			base, kind.first = first, t.block(first)
			if number = p.spikes.add(kind, oldest); end-first > math.MaxUint16 {
				p.lists[slot].put(scheduledRun{number, 0, math.MaxUint16})
				first += math.MaxUint16
			}
		}
		p.lists[slot].put(scheduledRun{number, uint16(first - base), uint16(end - first)})
		first = end
		if slot++; slot == len(p.lists) {
			slot = 0
		}
	}
}

// put appends a run to a list, unless it has no edges. Which runs have none cannot be predicted: there is no jump.
func (l *scheduledList) put(x scheduledRun) {
	if l.n == len(l.all) {
		const least = 64
		more := make([]scheduledRun, max(least, 2*len(l.all)))
		copy(more, l.all)
		l.all = more
	}
	l.all[l.n] = x
	l.n += int(-uint32(x.blocks) >> 31)
}

// clear empties a list.
func (l *scheduledList) clear() { l.n, l.added = 0, 0 }

// listScheduled appends the runs of step k that have not been added yet to r.runs.
func (r *shard) listScheduled(k int64) {
	p := &r.schedule
	l := &p.lists[r.slot(k)]
	list := l.all[l.added:l.n]
	l.added = l.n
	first := len(r.runs)
	r.runs = slices.Grow(r.runs, len(list))[:first+len(list)]
	runs, onGrid := r.runs[first:], r.net.layout.spec.OnGrid
	for i, x := range list {
		s := p.spikes.of(x.spike)
		u := &runs[i]
		u.First, u.Unit = s.first+uintptr(x.from)*unsafe.Sizeof(block32{}), &s.own
		if onGrid {
			u.Unit = &onePerEdge
		}
		u.Blocks, u.Source, u.Table, u.Falls, u.Late = int32(x.blocks), s.source, s.table, s.falls, false
	}
}

// dropScheduled forgets the runs of step k, which have been added.
func (r *shard) dropScheduled(k int64) {
	if p := &r.schedule; p.on {
		p.lists[r.slot(k)].clear()
	}
}

// readdScheduled lets the runs of the steps from step k on be added once more.
func (r *shard) readdScheduled(k, steps int64) {
	for j := k; r.schedule.on && j < k+steps; j++ {
		r.schedule.lists[r.slot(j)].added = 0
	}
}
