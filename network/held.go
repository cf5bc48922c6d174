package network

import (
	"math"

	"popsim/kernels"
	"popsim/kernels/asm"
)

// held is which lanes of a range with joined receptors are held in a step: a bit each, which the kernel of the step
// reads instead of wake, since few lanes are held. It follows from wake.
type held struct {
	on    bool       // whether some receptors are joined
	bits  []uint8    // of lanes that do not move in the current step
	wakes [][]uint16 // by step, modulo its length: lanes that are held until then
	step  int64      // up to which they have been taken out; -1: nothing is known
}

// anEvent is what is added to falls where a lane is to have an event: the bounds of its V are then above any threshold.
const anEvent = 1e300

// beginHeld finds the lanes that are held in step k; those that begin to move inside it get an event, and in step 0
// those that start at the threshold.
func (r *shard) beginHeld(k int64) {
	h := &r.held
	if h.step != k {
		r.findHeld(k)
	}
	wakes := &h.wakes[k%int64(len(h.wakes))]
	for _, lane := range *wakes {
		h.bits[lane>>3] &^= 1 << (lane & 7)
		if r.wake[lane] > float64(k) {
			r.force(int(lane))
		}
	}
	*wakes, h.step = (*wakes)[:0], k+1
	if k > 0 {
		return
	}
	for _, s := range r.lif {
		for i, vTh := range s.vTh {
			if r.v[s.base+i] >= vTh {
				r.force(s.base + i)
			}
		}
	}
}

// force puts a lane in reach of the threshold in the current step.
func (r *shard) force(lane int) {
	for c := range r.falls {
		if r.bounds[c] != nil {
			r.bounds[c][lane] = asm.MostFall
		}
		if r.falls[c] != nil {
			r.falls[c][lane] = anEvent
		}
	}
}

// findHeld finds the lanes that are held in step k-1 or later from wake.
func (r *shard) findHeld(k int64) {
	h := &r.held
	longest := 0.0
	for _, s := range r.lif {
		for i, hold := range s.hold {
			longest = max(longest, hold, r.wake[s.base+i]-float64(k))
		}
	}
	h.bits, h.wakes = makeLines[uint8]((r.lanes+7)/8+kernels.Group/8), make([][]uint16, int(longest)+3)
	for _, s := range r.lif {
		for i := range s.padded() {
			switch lane := s.base + i; {
			case math.IsInf(r.wake[lane], 1): // padding
				h.bits[lane>>3] |= 1 << (lane & 7)
			case r.wake[lane] > float64(k):
				r.hold(lane)
			}
		}
	}
}

// hold marks a lane as held until its wake.
func (r *shard) hold(lane int) {
	h := &r.held
	h.bits[lane>>3] |= 1 << (lane & 7)
	wakes := &h.wakes[int64(r.wake[lane])%int64(len(h.wakes))]
	*wakes = append(*wakes, uint16(lane))
}

// holdAfter marks the lanes with events that are held in the step after k, and watches those that begin to move inside
// it.
func (r *shard) holdAfter(k int64) {
	next := float64(k + 1)
	for _, b := range r.events {
		if r.wake[b.lane] >= next {
			r.hold(b.lane)
		}
	}
	for _, lane := range r.held.wakes[(k+1)%int64(len(r.held.wakes))] {
		if r.wake[lane] > next {
			r.watch.next = append(r.watch.next, lane)
		}
	}
}
