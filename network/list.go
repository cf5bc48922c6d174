package network

import (
	"unsafe"

	"popsim/kernels/asm"
)

// onePerEdge is what an edge of weight 1 adds on the grid.
var onePerEdge = asm.UnitEdge{Add: [3]float64{1}}

// A tableSpike is one spike and one table with edges of its source, for as long as they can arrive.
type tableSpike struct {
	own      asm.UnitEdge // what an edge of weight 1 adds; not used on the grid
	index    *uint32      // of the source's run with the least delay, in table.start; nil where edges are no runs
	least    int32        // least delay of the table, steps
	delays   int32        // as in table
	source   int32        // as in asm.EdgeRun
	table    int32
	falls    bool
	separate bool // whether it is listed by listOne
}

// keepSpikes computes, once for each spike up to step last that can still arrive and each table of its population, what
// an edge of weight 1 adds and where the index of its edges is. It sorts the edges of packed tables that arrive in step
// k or later.
func (r *shard) keepSpikes(last, k int64) {
	l := r.net.layout
	if r.spikes == nil {
		r.spikes = make([][]tableSpike, len(r.history.steps))
	}
	for s := max(0, r.spikesFrom, last-int64(l.longest)-1); s <= last; s++ {
		if r.schedule.on {
			r.scheduleSpikes(s, k)
			r.spikesFrom = s + 1
			continue
		}
		all := r.spikes[r.slot(s)][:0]
		for _, from := range r.net.ranges {
			if r.packed.every {
				break
			}
			for _, sp := range from.emitted(s) {
				for _, ti := range r.tablesOf[sp.population] {
					if t := r.tables[ti]; !t.gated && t.laneBits == 0 {
						all = append(all, r.tableSpike(ti, sp))
					}
				}
			}
		}
		r.spikes[r.slot(s)] = all
		if r.packed.of != nil {
			r.sortSpikes(s, k)
		}
		r.spikesFrom = s + 1
	}
}

// tableSpike is what is kept of a spike and table number ti.
func (r *shard) tableSpike(ti int, sp spike) tableSpike {
	t := r.tables[ti]
	source := int(sp.neuron) - t.first
	e := tableSpike{
		least: int32(t.least), delays: int32(t.delays), source: int32(source), table: int32(ti), falls: t.falls,
	}
	if !r.net.layout.spec.OnGrid {
		e.own.Theta = sp.theta
		if t.style != timed && !r.edgeByEdge(t) {
			e.own.Add = r.coefs(t.receptor, -1, sp.theta)
		}
	}
	e.separate = t.style == timed || t.style == bitRows || t.style == spread || t.style == countRows ||
		t.batch > 0
	if t.style == countRows {
		for j := range e.own.Add {
			e.own.Add[j] *= t.weight
		}
	} else if t.style != bitRows && t.style != spread {
		e.index = &t.row(source)[0]
	}
	return e
}

// unit is what an edge of weight 1 adds.
func (e *tableSpike) unit(onGrid bool) *asm.UnitEdge {
	if onGrid {
		return &onePerEdge
	}
	return &e.own
}

// run is the run of the edges with a delay of d steps. Its address is that of its index until findRuns.
func (e *tableSpike) run(d int32, onGrid bool) runOf {
	return runOf{
		First: uintptr(unsafe.Pointer(e.index)) + uintptr(d-e.least)*unsafe.Sizeof(*e.index), Unit: e.unit(onGrid),
		Source: e.source, Table: e.table, Falls: e.falls,
	}
}

// listRuns lists the runs that arrive in step k with delays from longest down to least.
func (r *shard) listRuns(k int64, longest, least int) {
	onGrid := r.net.layout.spec.OnGrid
	first := len(r.runs)
	for d := int32(longest); d >= int32(least); d-- {
		if int64(d) > k {
			continue
		}
		runs, all := r.runs, r.spikes[r.slot(k-int64(d))]
		for i := range all {
			e := &all[i]
			if e.separate {
				r.runs = runs
				r.listOne(e, d)
				runs = r.runs
			} else if uint32(d-e.least) < uint32(e.delays) {
				runs = append(runs, e.run(d, onGrid))
			}
		}
		r.runs = runs
		r.listUnstored()
	}
	r.findRuns(r.runs[first:])
}

// listOne lists the edges of a spike, with a delay of d steps, that are not one run.
func (r *shard) listOne(e *tableSpike, d int32) {
	onGrid := r.net.layout.spec.OnGrid
	t := r.tables[e.table]
	switch t.style {
	case shared:
		if d == e.least {
			r.gatherList(t, e)
		}
	case bitRows:
		if d == e.least {
			r.gather(t, e)
		}
	case countRows:
		if d == e.least {
			r.countSpike(t, e)
		}
	case spread:
		if d == e.least {
			t.collect(e, onGrid)
		}
	case timed: // parts of a step carry some of the edges with a whole delay of d-1 steps into this one
		for late := range int32(2) {
			if uint32(d-late-e.least) < uint32(e.delays) {
				run := e.run(d-late, onGrid)
				run.Late = late == 1
				r.runs = append(r.runs, run)
			}
		}
	}
}

// findRuns finds the blocks of runs. The index is read at random: runs are taken by themselves and without a jump that
// depends on what is read, so that the processor reads many places of it at a time.
func (r *shard) findRuns(runs []runOf) {
	r.findPlaces()
	for i := range runs {
		u := &runs[i]
		if u.First == 0 { // rows of bits, and what is not stored
			continue
		}
		index, p := *(**[2]uint32)(unsafe.Pointer(&u.First)), &r.places[u.Table]
		u.First, u.Blocks = p.base+uintptr(index[0])*p.size, int32(index[1]-index[0])
	}
}

// findPlaces finds where the blocks of the tables are.
func (r *shard) findPlaces() {
	for i := len(r.places); i < len(r.tables); i++ {
		t := r.tables[i]
		r.places = append(r.places, tablePlace{t.base, uintptr(blockBytes[t.style])})
	}
}

// tablePlace is where the blocks of a table are, and the size of one.
type tablePlace struct{ base, size uintptr }
