package network

import (
	"math"

	"popsim/kernels/asm"
)

// The arrivals of a lane with an event are looked up one by one, which takes a second reading of all edges of the step,
// from a cache far away. Which lanes will have one can nearly be told a step ahead: those that V has brought close to
// the threshold, and those whose refractoriness ends. Such lanes are watched: the edges onto them are found while the
// edges of a few runs, just added, are in a cache near by. Where a lane that is not watched has an event, the edges are
// read again. What is watched changes no result.

// watch is the lanes that are watched in one step.
type watch struct {
	on       bool  // whether all lanes of the range can be watched
	step     int64 // in which the lanes are watched; -1: none are
	lanes    []uint16
	next     []uint16 // those to be watched in the step after it
	flags    []uint64 // one bit a lane
	filter   asm.EdgeFilter
	searched int     // runs of the step that have been searched, all from the first on
	least    float64 // least margin
	margin   float64 // mV: lanes that are less below the threshold are watched
	missed   bool    // whether a lane with an event was not watched
}

const (
	mostWatched = 256      // lanes: with more the filter would find many that are not
	searchBytes = 16 << 10 // of edges that are added before they are searched

	// When a lane is missed the margin grows by the factor marginUp, in other steps it falls by marginDown, so that one
	// step of about 15 misses a lane. It is at least leastMargin of the distance from V_reset to V_th.
	marginUp, marginDown = 1.6, 0.97
	leastMargin          = 0.003
)

// startWatch decides whether lanes of the range are watched.
func (r *shard) startWatch() {
	w := &r.watch
	w.step, r.held.step = -1, -1
	w.on = len(r.lif) > 0 && len(r.other)+len(r.coupled) == 0 && !r.net.layout.spec.OnGrid
	for _, s := range r.lif {
		w.on = w.on && s.isJoined(r.net.layout) && !s.alpha(r.net.layout)
		for i := range s.vTh {
			w.least = max(w.least, leastMargin*math.Abs(s.vTh[i]-s.vReset[i]))
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
	w.lanes, w.next, w.step, w.missed = w.next, w.lanes[:0], k, false
	w.filter = asm.EdgeFilter{}
	for _, lane := range w.lanes {
		w.flags[lane>>6] |= 1 << (lane & 63)
		w.filter.Add(lane)
	}
	if len(w.lanes) > mostWatched {
		w.step = -1
	}
}

// search finds the edges of n runs, from number first of r.runs on, onto lanes that are watched.
func (r *shard) search(first, n int) {
	r.findBlocks(&r.watch.filter, first, n)
	r.watch.searched = first + n
}

// fewRuns is how many runs, from the first on, are added before they are searched.
func fewRuns(runs []runOf) int {
	bytes := 0
	for i := range runs {
		if bytes += int(runs[i].Blocks) * blockBytes[float32s]; bytes > searchBytes {
			return i + 1
		}
	}
	return len(runs)
}

// watched reports whether the edges of step k onto all lanes with events have been found.
func (r *shard) watched(k int64) bool {
	w := &r.watch
	if w.step != k || w.searched != len(r.runs) {
		return false
	}
	for _, b := range r.events {
		if w.flags[b.lane>>6]>>(b.lane&63)&1 == 0 {
			w.missed = true
			return false
		}
	}
	return true
}
