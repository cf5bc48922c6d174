package kernels

import (
	"math"
	"math/bits"
	"slices"
	"unsafe"

	"popsim/kernels/asm"
)

// A packed kernel costs its group about packedCost steps where it ends after few, or is not possible; a call that has
// spent packedCredit steps more on that than it has gained is advanced without it. Where it ends, the group is
// advanced without it by packedRest steps.
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

// packedKernels are those of asm.LIFPacked.
type packedKernels struct{ equal, currents, own, packable step }

// packedAssembly finds the packed kernels of a model, if it has any.
func packedAssembly(model string, isa ISA) *packedKernels {
	equal, packable, ok := assembly(model, "packed", isa)
	if !ok {
		return nil
	}
	currents, own, _ := assembly(model, "packed-own", isa)
	return &packedKernels{equal, currents, own, packable}
}

// A packing is what a driven call needs to advance groups by a packed kernel, of which see asm.LIFPacked.
type packing struct {
	kernels *packedKernels // nil: it is not possible
	wave    bool           // V_inf follows from the waveform lane by lane
	kernel  step           // of the group
	shares  int            // of the group: how many of the first asm.PackedCoefs are the same in all lanes
	n, lag  int            // of the group: steps of a chunk, or 0 where it is not possible; chunks
}

// startPacking prepares the worker for a driven call.
func (w *Worker) startPacking(s *Shard, steps int, drive Drive) {
	w.packing = packing{}
	if s.kernel.packed == nil || !w.full || w.extrema || drive.Row != nil || drive.Waveform == nil {
		return
	}
	if w.packed.Input = w.b.Steady; w.b.Steady == nil {
		w.packing.wave = true
		w.steady = slices.Grow(w.steady[:0], steps+2*asm.Chunk)[:steps+2*asm.Chunk]
		copy(w.steady[asm.Chunk:], drive.Waveform[:steps])
		w.packed.Input = &w.steady[asm.Chunk]
		low, high := math.Inf(1), math.Inf(-1)
		for _, x := range drive.Waveform[:steps] {
			if x < low {
				low = x
			}
			if x > high {
				high = x
			}
			if x-x != 0 { // infinite, or NaN
				return
			}
		}
		w.packed.Low, w.packed.High = low, high
	}
	w.packing.kernels = s.kernel.packed
}

// startGroup chooses the kernel, and finds the steps of a chunk, n, and the number of chunks from a spike to the
// first one in which its refractory period may end.
func (p *packing) startGroup(b *asm.Block) {
	if p.n, b.OneSided = 0, 0; p.kernels == nil {
		return
	}
	if p.kernels.equal == nil {
		if p.wave && p.packable(b) {
			if b.OneSided = 1; b.Packed.Differs == [8]float64{} {
				b.OneSided = asm.OneSidedShared
			}
		}
		return
	}
	least, most := b.Coef[asm.LIFHold][0], b.Coef[asm.LIFHold][0]
	if p.wave {
		if !p.packable(b) {
			return
		}
		least, most = slices.Min(b.Packed.HoldLeast[:]), slices.Max(b.Packed.HoldMost[:])
	}
	if !(least >= asm.Chunk && most < asm.Chunk*(asm.PackedSlots-2)) || !(b.Coef[asm.LIFPart][0] < lifShort) {
		return
	}
	n := min(asm.Chunk, int(least)/2)
	p.kernel, p.lag, p.shares = p.kernels.equal, int(least)/n, len(asm.PackedCoefs)
	if most >= float64((p.lag+1)*n) {
		return
	}
	if p.wave {
		p.kernel, p.shares = p.kernels.currents, len(asm.PackedCoefs)-1
		if b.Packed.Differs != [8]float64{} {
			p.kernel, p.shares = p.kernels.own, 0
		}
	}
	if !alike(b) {
		p.n = n
	}
}

// alike reports whether all lanes have the same V and are more than a slot holds: they would spike at once.
func alike(b *asm.Block) bool {
	l := 1
	for l < b.Lanes && b.Y[0][l] == b.Y[0][0] {
		l++
	}
	return l == b.Lanes && l > len(asm.PackedLanes{}.V)
}

// packable reports whether the kernel that tells it refuses no lane.
func (p *packing) packable(b *asm.Block) bool {
	p.kernels.packable(b)
	return b.Packed.Refused == [8]float64{}
}

// drivePacked advances a driven group without extrema: by the packed kernel where possible, else by rest. It returns
// as rest does.
func (w *Worker) drivePacked(rest step) {
	b, p := &w.b, &w.packing
	credit := packedCredit
	b.InEvent = 0
	for b.Step < b.Steps && b.InEvent == 0 && b.Count+Group <= b.Room {
		end := b.Steps
		if credit > 0 && end-b.Step > 4*p.n {
			credit -= packedCost
			if p.pack(b) {
				before := b.Step
				count := moveEvents(b, b.Count)
				p.kernel(b)
				p.unpack(b)
				moveEvents(b, -count)
				credit += (b.Step - before) / 2
			}
			b.Steps = min(end, b.Step+packedRest)
		}
		if b.Step < b.Steps {
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

// pack prepares the kernel for chunks from b.Step on: it packs the lanes that are refractory then. It returns false
// where that is not possible.
func (p *packing) pack(b *asm.Block) bool {
	x, n, lag := b.Packed, p.n, p.lag
	x.Chunk, x.Lag, x.Ring, x.Next, x.Out = n, lag*slotBytes, 1<<bits.Len(uint(lag+1))*slotBytes-1, 0, ^lanes(b)
	x.Fired, x.None.Start = noneFired, 0
	vTh := b.Coef[asm.LIFVTh][0]
	x.Near = vTh + (float64(math.Abs(vTh)*asm.LIFNear) + asm.LIFNearLeast)
	for c := -lag - 1; c < 0; c++ { // the lanes of the first of these chunks are at their places
		slot := slotOf(x, c)
		slot.Mask, slot.Valid = 0, 0
	}
	now := b.First + float64(b.Step)
	for l := range b.Lanes {
		if b.Y[0][l] >= b.Coef[asm.LIFVTh][l] {
			return false
		}
		if left := b.Wake[l] - now; left >= 0 && !p.packLane(b, l, left) {
			return false
		}
	}
	return true
}

// packLane packs lane l, which is refractory for left steps more, so that it may begin to move in time; it returns
// false where there is no place.
func (p *packing) packLane(b *asm.Block, l int, left float64) bool {
	if !(left < float64((p.lag+1)*p.n)) || b.Y[1][l] >= 0.25 {
		return false
	}
	c := min(int(left)/p.n, p.lag-1) // the lanes of the slot of chunk c-lag begin to move in chunks c and c+1
	slot := slotOf(b.Packed, c-p.lag)
	if full := uint64(1)<<len(slot.V) - 1; slot.Valid == full {
		if slot = slotOf(b.Packed, c-1-p.lag); c == 0 || int(left) >= (c+1)*p.n || slot.Valid == full {
			return false
		}
	}
	i := bits.Len64(slot.Valid)
	slot.Mask, slot.Valid = slot.Mask|1<<l, slot.Valid<<1|1
	slot.V[i], slot.Rate[i], slot.Wake[i], slot.Place[l] = b.Y[0][l], b.Y[1][l], b.Wake[l], byte(i)
	for j := p.shares; j < len(asm.PackedCoefs); j++ {
		slot.Coef[j][i] = b.Coef[asm.PackedCoefs[j]][l]
	}
	b.Packed.Out |= 1 << l
	return true
}

// slotOf is the slot of chunk c.
func slotOf(x *asm.LIFPacked, c int) *asm.PackedLanes {
	return &x.Slots[c&(x.Ring/slotBytes)&(asm.PackedSlots-1)]
}

// unpack writes V of the lanes that are packed at the end, and of those that are not advanced.
func (p *packing) unpack(b *asm.Block) {
	x, v := b.Packed, b.Y[0]
	next := x.Next / slotBytes
	for c := next - p.lag - 1; c < next; c++ {
		slot := slotOf(x, c)
		for i, m := 0, slot.Mask; m != 0; i, m = i+1, m&(m-1) {
			v[bits.TrailingZeros64(m)] = slot.V[i&7]
		}
	}
	for l := b.Lanes; l < Group; l++ {
		v[l] = b.Coef[asm.LIFVReset][l]
	}
}
