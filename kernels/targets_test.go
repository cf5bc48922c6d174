package kernels

import (
	"math/rand/v2"
	"testing"
	"unsafe"

	"popsim/kernels/asm"
)

// TestCountTargets: every instruction set counts as plain Go does, in lists of all lengths around a line of memory.
func TestCountTargets(t *testing.T) {
	draw := rand.New(rand.NewPCG(1, 2))
	var lists []asm.TargetList
	sum := 0
	for blocks := range 40 {
		targets := make([][4]uint16, blocks+1)
		for i := range targets {
			for j := range targets[i] {
				targets[i][j] = uint16(draw.Uint32() >> (16 + i%9))
			}
		}
		lists = append(lists, asm.TargetList{First: unsafe.SliceData(targets), Blocks: blocks})
		sum += 4 * blocks
	}
	for n := range len(lists) + 1 {
		var want [1 << 16]uint8
		CountTargets(Go, &asm.TargetsBlock{Counts: &want, Lists: lists[:n]})
		for _, isa := range Available() {
			var got [1 << 16]uint8
			if CountTargets(isa, &asm.TargetsBlock{Counts: &got, Lists: lists[:n]}); got != want {
				t.Errorf("%v, %d lists: other counts", isa, n)
			}
		}
	}
	var counts [1 << 16]uint8
	CountTargets(Go, &asm.TargetsBlock{Counts: &counts, Lists: lists})
	for _, c := range counts {
		sum -= int(c)
	}
	if sum != 0 {
		t.Errorf("%d targets are not counted", sum)
	}
}
