package pop

import (
	"popsim/kernels"
	"popsim/kernels/asm"
)

// dueLanes holds the lanes of a tile in which V begins to move in one of the steps to come of an epoch, by blocks of
// tileSteps steps from a multiple of tileSteps on. A lane is due once at most: until then it does not spike.
type dueLanes struct {
	from  int64   // the first block, in blocks
	until float64 // the step after the last of the epoch
	head  []int32 // of each block a lane, or noLane
	next  []int32 // of each lane another of its block, or noLane

	waking asm.WakingBlock
	found  asm.BitListBlock
}

const noLane = -1

func newDueLanes(lanes int) dueLanes {
	d := dueLanes{next: make([]int32, lanes), waking: asm.WakingBlock{Lanes: lanes, Fired: make([]uint8, lanes/8)}}
	d.found = asm.BitListBlock{
		Rows: 1, Words: lanes / 64, Bits: d.waking.Fired, List: make([]asm.BitPlace, lanes+kernels.Group),
	}
	return d
}

// begin finds the lanes that are due in an epoch of the given number of steps from step k on. V of lane l begins to
// move in step wake[l].
func (d *dueLanes) begin(isa kernels.ISA, wake []float64, k int64, steps int) {
	d.from, d.until = k/tileSteps, float64(k+int64(steps))
	d.head = d.head[:0]
	for b := d.from; b <= (k+int64(steps)-1)/tileSteps; b++ {
		d.head = append(d.head, noLane)
	}
	d.waking.Wake, d.waking.First, d.waking.End = wake, float64(k), d.until
	kernels.Waking(isa, &d.waking)
	kernels.ListBits(isa, &d.found)
	for _, at := range d.found.List[:d.found.N] {
		d.add(at.Bit(), wake[at.Bit()])
	}
}

// add adds lane l, in which V begins to move in step wake, if that is one of the epoch.
func (d *dueLanes) add(l int, wake float64) {
	if wake < d.until {
		head := &d.head[int64(wake)/tileSteps-d.from]
		d.next[l], *head = *head, int32(l)
	}
}

// first is a lane that is due in the block of step k, or noLane; after is the next one.
func (d *dueLanes) first(k int64) int { return int(d.head[k/tileSteps-d.from]) }

func (d *dueLanes) after(l int) int { return int(d.next[l]) }
