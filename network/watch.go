package network

import (
	"math"
	mathbits "math/bits"
	"slices"

	"popsim/kernels"
	"popsim/kernels/asm"
)

// The arrivals of a lane with an event are looked up one by one, which takes a second reading of all edges of the step,
// from a cache far away. Which lanes will have one can nearly be told a step ahead: those that V has brought close to
// the threshold, and those whose refractoriness ends. Such lanes are watched: while edges are added their accumulators
// are NaN, so that the sums tell the blocks with edges onto them, and these edges are added after that. Where a lane
// that is not watched has an event, the edges are read again. What is watched changes no result.

// watch is the lanes that are watched in one step.
type watch struct {
	on      bool  // whether all lanes of the range can be watched
	step    int64 // in which the lanes are watched; -1: none are
	lanes   []uint16
	next    []uint16          // those to be watched in the step after it
	flags   []uint64          // one bit a lane
	rows    []int             // receptors that are joined: their rows have pairs of accumulators
	saved   [][2]float64      // pairs of accumulators of the lanes, row by row, while they are marked
	marked  bool              // whether they are
	blocks  []asm.MarkedEdges // with edges onto them, of the runs being added
	found   []arrival         // at lanes that are watched, by edges of the first covered runs, in the order of sums
	covered int               // number of runs of the step, from the first on, whose arrivals are in found
	least   float64           // least margin
	margin  float64           // mV: lanes that are less below the threshold are watched
	missed  bool              // whether a lane with an event was not watched
}

const (
	mostWatched = 512 // lanes: with more, what is done for each would take longer than a second reading of all edges

	// When a lane is missed the margin grows by the factor marginUp, in other steps it falls by marginDown, so that one
	// step of about 15 misses a lane. It is at least leastMargin of the distance from V_reset to V_th.
	marginUp, marginDown = 1.6, 0.97
	leastMargin          = 0.003
)

// startWatch decides whether lanes of the range are watched.
func (r *shard) startWatch() {
	w := &r.watch
	w.step, w.rows, r.held.step = -1, nil, -1
	w.on = len(r.lif) > 0 && len(r.other)+len(r.coupled) == 0 && !r.net.layout.spec.OnGrid
	for _, s := range r.lif {
		w.on = w.on && s.isJoined(r.net.layout) && !s.alpha(r.net.layout)
		for i := range s.vTh {
			w.least = max(w.least, leastMargin*math.Abs(s.vTh[i]-s.vReset[i]))
		}
	}
	for c, joined := range r.net.layout.joined {
		if joined >= 0 {
			w.rows = append(w.rows, c)
		}
	}
	w.flags, w.margin = make([]uint64, flagWords), w.least
}

// watchNext watches the lanes in next, in step k.
func (w *watch) watchNext(k int64) {
	if !w.on {
		w.next = w.next[:0]
		return
	}
	for _, lane := range w.lanes {
		w.flags[lane>>6] = 0
	}
	if w.margin = max(w.least, w.margin*marginDown); w.missed {
		w.margin *= marginUp
	}
	w.lanes, w.step, w.missed = w.lanes[:0], k, false
	for _, lane := range w.next {
		if !w.has(lane) {
			w.flags[lane>>6] |= 1 << (lane & 63)
			w.lanes = append(w.lanes, lane)
		}
	}
	w.next = w.next[:0]
	if len(w.lanes) > mostWatched {
		w.step = -1
	}
}

// has reports whether a lane is watched.
func (w *watch) has(lane uint16) bool { return w.flags[lane>>6]>>(lane&63)&1 != 0 }

// of returns which of four lanes are watched, bit j for lanes[j], without a jump for each: nearly always it is one of
// them, and which one cannot be predicted.
func (w *watch) of(lanes *[4]uint16) (bits uint8) {
	flags := (*[flagWords]uint64)(w.flags)
	for j, lane := range lanes {
		bits |= uint8(flags[lane>>6]>>(lane&63)&1) << j
	}
	return bits
}

// mark makes the accumulators of the lanes that are watched NaN. Nothing but addRuns may add to them until unmark.
func (r *shard) mark() {
	w := &r.watch
	w.marked, w.saved, w.blocks = true, w.saved[:0], w.blocks[:0]
	for _, c := range w.rows {
		row := r.rows[c]
		for _, lane := range w.lanes {
			pair := (*[2]float64)(row[2*int(lane):])
			w.saved = append(w.saved, *pair)
			pair[0], pair[1] = math.NaN(), math.NaN()
		}
	}
}

// unmark gives the lanes that are watched their accumulators back and adds the edges onto them: of the blocks that were
// listed, in the same order.
func (r *shard) unmark() {
	w := &r.watch
	saved := w.saved
	for _, c := range w.rows {
		row := r.rows[c]
		for i, lane := range w.lanes {
			*(*[2]float64)(row[2*int(lane):]) = saved[i]
		}
		saved = saved[len(w.lanes):]
	}
	for i := range w.blocks {
		m := &w.blocks[i]
		u, e := &r.runs[m.Run], m.Edges()
		receptor := r.tables[u.Table].receptor
		row := r.rows[r.net.layout.main[receptor]]
		for hits := w.of(&e.To); hits != 0; hits &= hits - 1 {
			j := mathbits.TrailingZeros8(hits)
			lane, weight := e.To[j], float64(e.W[j])
			pair := (*[2]float64)(row[2*int(lane):])
			pair[0] += float64(weight * u.Unit.Add[0])
			pair[1] += float64(weight * u.Unit.Add[1])
			w.found = append(w.found, arrival{lane, uint8(receptor), u.Unit.Theta, weight})
		}
	}
	w.marked, w.covered = false, len(r.runs)
}

// addMarked adds runs, the first of them number first of r.runs, and lists the blocks with edges onto marked lanes.
func (r *shard) addMarked(first int, b *asm.EdgeRunsBlock) {
	w, blocks := &r.watch, 0
	for i := range b.Runs {
		blocks += int(b.Runs[i].Blocks)
	}
	from := len(w.blocks)
	w.blocks = slices.Grow(w.blocks, blocks)
	b.Marked = w.blocks[from : from+blocks]
	kernels.AddPairsMarked(r.net.isa, b)
	w.blocks = w.blocks[:from+b.Count]
	for i := range w.blocks[from:] {
		w.blocks[from+i].Run += first
	}
}

// takeWatched appends the arrivals at lanes with events, all of which are watched, to r.found.
func (r *shard) takeWatched() {
	for _, a := range r.watch.found {
		if r.flags[a.lane>>6]>>(a.lane&63)&1 != 0 {
			r.found = append(r.found, a)
		}
	}
}

// watched reports whether the edges of step k onto all lanes with events have been found.
func (r *shard) watched(k int64) bool {
	w := &r.watch
	if w.step != k || w.covered != len(r.runs) {
		return false
	}
	for _, b := range r.events {
		if !w.has(uint16(b.lane)) {
			w.missed = true
			return false
		}
	}
	return true
}
