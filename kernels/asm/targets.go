package asm

import "unsafe"

// TargetList is the targets of edges, which alone are stored.
type TargetList struct {
	First  *[4]uint16
	Blocks int // of four; not below 0
}

// TargetsBlock is the argument of CountTargets: Counts, by target, are raised by 1 for each time that the target is
// in the lists; beyond 255 they begin at 0 again.
type TargetsBlock struct {
	Counts *[1 << 16]uint8
	Lists  []TargetList
}

// CountTargetsGo counts.
func CountTargetsGo(b *TargetsBlock) {
	for _, l := range b.Lists {
		for _, to := range unsafe.Slice(l.First, l.Blocks) {
			b.Counts[to[0]]++
			b.Counts[to[1]]++
			b.Counts[to[2]]++
			b.Counts[to[3]]++
		}
	}
}

// CountSumBlock is the argument of SumCounts: Sum is set to the sum of Counts, whose length is a multiple of 64.
type CountSumBlock struct {
	Counts []uint8
	Sum    int
}

// SumCountsGo adds up.
func SumCountsGo(b *CountSumBlock) {
	b.Sum = 0
	for _, n := range b.Counts {
		b.Sum += int(n)
	}
}
