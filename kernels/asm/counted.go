package asm

import (
	"math"
	"unsafe"
)

// CountedTogether is the number of lanes to whose multiples CountedRowsBlock.Lanes rounds.
const CountedTogether = 32

// CountedAhead is how many bytes of a row of counts are prefetched ahead of those that are added.
const CountedAhead = 512

// CountedRowsBlock is the argument of the kernels that add rows of counts: each run holds the edges of one spike as a
// byte for each lane, the number of its edges onto that lane.
type CountedRowsBlock struct {
	Runs        []EdgeRun // First is the address of the count of lane 0
	Lane, Lanes int       // the lanes whose sums these are: Lanes from Lane on
	// One column of SumsStride for each number of Add, and a fourth for the size of what is below 0 in the last.
	Sums []float64
}

// AddCountedGo adds to the sums of each lane its count times Add, run by run.
func AddCountedGo(b *CountedRowsBlock) { b.add(false) }

// AddCountedFallsGo is AddCountedGo, and takes count Add[2], of which no one is above 0, from the fourth column.
func AddCountedFallsGo(b *CountedRowsBlock) { b.add(true) }

func (b *CountedRowsBlock) add(falls bool) {
	first, second, third := b.column(0), b.column(1), b.column(2)
	for i := range b.Runs {
		u := &b.Runs[i]
		row := unsafe.Slice((*uint8)(unsafe.Add(*(*unsafe.Pointer)(unsafe.Pointer(&u.First)), b.Lane)), len(first))
		add := &u.Unit.Add
		for l, n := range row {
			x := float64(n)
			first[l], second[l] = math.FMA(x, add[0], first[l]), math.FMA(x, add[1], second[l])
			third[l] = math.FMA(x, add[2], third[l])
		}
		if falls {
			fourth := b.column(3)
			for l, n := range row {
				fourth[l] = math.FMA(-float64(n), add[2], fourth[l])
			}
		}
	}
}

func (b *CountedRowsBlock) column(j int) []float64 {
	lanes := (b.Lanes + CountedTogether - 1) / CountedTogether * CountedTogether
	return b.Sums[j*SumsStride:][:lanes]
}
