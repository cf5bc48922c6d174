package kernels

import (
	"math"
	"math/bits"
	"unsafe"

	"popsim/kernels/asm"
)

// The kernel LIFPacked costs its group about packedCost steps where it ends after few, or is not possible; a call
// that has spent packedCredit steps more on that than it has gained is advanced without it. Where it ends, the group
// is advanced without it by packedRest steps.
const (
	packedCredit = 256
	packedCost   = 64
	packedRest   = 2 * asm.Chunk
)

// slotBytes is the size of a slot of asm.LIFPacked, noneFired the place of the slot that is always empty.
const (
	slotBytes = int(unsafe.Sizeof(asm.PackedLanes{}))
	noneFired = int(unsafe.Offsetof(asm.LIFPacked{}.None))
)

// driveLIF advances a driven group without extrema whose V_inf is the same in all lanes: by LIFPacked where possible,
// else by rest. It returns as rest does.
func driveLIF(b *asm.Block, packed, rest step) {
	n, lag := packedChunk(b)
	credit := packedCredit
	for b.InEvent = 0; b.Step < b.Steps && b.InEvent == 0 && b.Count+Group <= b.Room; {
		end := b.Steps
		if n > 0 && credit > 0 && end-b.Step > 4*n {
			credit -= packedCost
			if packLanes(b, n, lag) {
				credit += (drivePacked(b, packed, n) - b.Step) / 2
			}
			b.Steps = min(end, b.Step+packedRest)
		}
		if b.InEvent == 0 {
			count := moveEvents(b, b.Count)
			rest(b)
			moveEvents(b, -count)
		}
		b.Steps = end
	}
}

// moveEvents makes b append its events after the first n of those it has, or, with a negative n, after those before;
// it returns n.
func moveEvents(b *asm.Block, n int) int {
	b.Events = unsafe.Add(b.Events, n*int(unsafe.Sizeof(Event{})))
	b.Count, b.Room = b.Count-n, b.Room-n
	return n
}

// packedChunk returns the steps of a chunk of LIFPacked, or 0 where it is not possible, and the number of chunks
// between a spike and the first chunk in which its refractory period may end.
func packedChunk(b *asm.Block) (n, lag int) {
	hold := b.Coef[asm.LIFHold][0]
	if !(hold >= asm.Chunk && hold < asm.Chunk*(asm.PackedSlots-2)) || !(b.Coef[asm.LIFPart][0] < lifShort) {
		return 0, 0
	}
	n = min(asm.Chunk, int(hold)/2)
	return n, int(hold) / n
}

// packLanes prepares LIFPacked for chunks of n steps from b.Step on: it packs the lanes that are refractory then. It
// returns false where that is not possible.
func packLanes(b *asm.Block, n, lag int) bool {
	p, now, vTh := b.Packed, b.First+float64(b.Step), b.Coef[asm.LIFVTh][0]
	p.Chunk, p.Lag, p.Next, p.Out = n, lag*slotBytes, 0, 0
	p.Near = vTh + (math.Abs(vTh)*1e-9 + 1e-200)
	p.Fired, p.None.Start = noneFired, 0
	slots := p.Slots[asm.PackedSlots-lag-1:] // of chunks -lag-1 to -1; the lanes of the first are at their places
	for j := range slots {
		slots[j].Mask, slots[j].Valid = 0, 0
	}
	slots = slots[1:]
	for l := range b.Lanes {
		left := b.Wake[l] - now
		if b.Y[0][l] >= vTh {
			return false
		}
		if !(left >= 0) {
			continue
		}
		at := min(int(left)/n, lag-1) // the lanes of slot j begin to move in chunks j and j+1
		if at > 0 && slots[at].Valid > 127 && int(left)/n < lag {
			at--
		}
		slot := &slots[at]
		i := bits.Len64(slot.Valid)
		if i == len(slot.V) || b.Y[1][l] >= 0.25 || left >= float64((lag+1)*n) {
			return false
		}
		slot.Mask, slot.Valid = slot.Mask|1<<l, slot.Valid<<1|1
		slot.V[i], slot.Rate[i], slot.Wake[i], slot.Place[l] = b.Y[0][l], b.Y[1][l], b.Wake[l], byte(i)
		p.Out |= 1 << l
	}
	p.Out |= ^lanes(b)
	return true
}

// drivePacked advances the group by LIFPacked in chunks of n steps, and returns the step it has reached.
func drivePacked(b *asm.Block, packed step, n int) int {
	count := moveEvents(b, b.Count)
	packed(b)
	unpackLanes(b, n)
	moveEvents(b, -count)
	return b.Step
}

// unpackLanes writes the columns of the lanes that have spiked, those that are packed at the end, and of those that
// are not advanced.
func unpackLanes(b *asm.Block, n int) {
	p, v := b.Packed, b.Y[0]
	hold, part := b.Coef[asm.LIFHold][0], b.Coef[asm.LIFHoldPart][0]
	for i, e := range unsafe.Slice((*Event)(b.Events), b.Count) {
		l := (int(e.Lane) - b.LaneZero) & (Group - 1)
		wake, end := p.Wake[i], e.Theta+part
		if wake-(b.First+float64(e.Step)) != hold {
			end--
		}
		b.Wake[l], b.Y[1][l], b.Rem[l] = wake, p.Rate[i], 1-end
	}
	open := p.Open != 0 && p.Fired != noneFired
	next := p.Next / slotBytes
	last := next
	if open {
		last--
	}
	for c := next - p.Lag/slotBytes - 1; c < last; c++ {
		slot := &p.Slots[c&(asm.PackedSlots-1)]
		for i, m := 0, slot.Mask; m != 0; i, m = i+1, m&(m-1) {
			v[bits.TrailingZeros64(m)] = slot.V[i&7]
		}
	}
	for l := b.Lanes; l < Group; l++ {
		v[l] = b.Coef[asm.LIFVReset][l]
	}
	if !open {
		return
	}
	b.Step -= n
	inEvent, fired := uint64(0), &p.Slots[p.Fired/slotBytes]
	for i, m := 0, fired.Mask; m != 0; i, m = i+1, m&(m-1) {
		l := bits.TrailingZeros64(m)
		v[l] = fired.Before[i&7]
		inEvent |= lifDrivenLane(b, l, n) << l
	}
	b.Step += n
	if inEvent != 0 {
		b.InEvent, b.Lane, b.Chunk = inEvent, 0, n
	}
}
