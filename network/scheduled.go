package network

import (
	"math"
	"unsafe"

	"popsim/kernels"
)

// On the grid, where all edges of a range have weights of their own and are runs by delay, the runs of a spike are
// listed once, when it is known: each in the list of the step in which it arrives. A source's part of the index is then
// read once and as a whole, instead of a place of it in each step, and runs without edges cost nothing later. The order
// of a list is that of the sums: by emission of the spike, by source.

// scheduledRun is the edges of one spike that arrive in one step.
type scheduledRun struct {
	first         uint32 // block of the table
	blocks, table uint16
}

// schedule is the runs that are to arrive, by step modulo the length of shard.history.
type schedule struct {
	on    bool
	runs  [][]scheduledRun
	added []int // of these, how many have been added to the rows
}

// startSchedule prepares the range for its tables.
func (r *shard) startSchedule() {
	l, p := r.net.layout, &r.schedule
	p.on = l.spec.OnGrid && l.longest > int(l.steps) && len(r.tables) <= math.MaxUint16
	for _, t := range r.tables {
		p.on = p.on && t.style == float32s && t.laneBits == 0 && !t.gated
	}
	if p.on {
		p.runs, p.added = make([][]scheduledRun, len(r.history)), make([]int, len(r.history))
	}
}

// clear forgets all runs.
func (p *schedule) clear() {
	for i := range p.runs {
		p.runs[i], p.added[i] = p.runs[i][:0], 0
	}
}

// scheduleSpikes lists the runs of the spikes of step s that arrive in step k or later.
func (r *shard) scheduleSpikes(s, k int64) {
	spikes := func(f func(t *table, number int, row []uint32)) {
		for _, from := range r.net.ranges {
			for _, sp := range from.emitted(s) {
				for _, ti := range r.tablesOf[sp.population] {
					t := r.tables[ti]
					f(t, ti, t.row(int(sp.neuron)-t.first))
				}
			}
		}
	}
	spikes(func(_ *table, _ int, row []uint32) {
		kernels.PrefetchRange(uintptr(unsafe.Pointer(&row[0])), 4*len(row))
	})
	spikes(func(t *table, number int, row []uint32) {
		at := s + int64(t.least)
		early := min(max(0, k-at), int64(t.delays))
		slot := int(r.slot(at + early))
		first := row[early]
		for _, end := range row[early+1:] {
			for first < end {
				n := min(end-first, math.MaxUint16)
				r.schedule.runs[slot] = append(r.schedule.runs[slot], scheduledRun{first, uint16(n), uint16(number)})
				first += n
			}
			if slot++; slot == len(r.schedule.runs) {
				slot = 0
			}
		}
	})
}

// listScheduled appends the runs of step k that have not been added yet to r.runs.
func (r *shard) listScheduled(k int64) {
	r.findPlaces()
	slot, runs := r.slot(k), r.runs
	list := r.schedule.runs[slot]
	for _, x := range list[r.schedule.added[slot]:] {
		p := &r.places[x.table]
		runs = append(runs, runOf{
			First: p.base + uintptr(x.first)*p.size, Unit: &onePerEdge, Blocks: int32(x.blocks), Table: int32(x.table),
		})
	}
	r.schedule.added[slot], r.runs = len(list), runs
}

// dropScheduled forgets the runs of step k, which have been added.
func (r *shard) dropScheduled(k int64) {
	if p := &r.schedule; p.on {
		slot := r.slot(k)
		p.runs[slot], p.added[slot] = p.runs[slot][:0], 0
	}
}

// readdScheduled lets the runs of the steps from step k on be added once more.
func (r *shard) readdScheduled(k, steps int64) {
	for j := k; r.schedule.on && j < k+steps; j++ {
		r.schedule.added[r.slot(j)] = 0
	}
}
