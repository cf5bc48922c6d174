package kernels

import (
	"math"
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

// TestSumCounts: every instruction set adds up all bytes, also where many are 255.
func TestSumCounts(t *testing.T) {
	counts := make([]uint8, 1<<16)
	for i := range counts {
		counts[i] = uint8(255 - i%5*i/3)
	}
	for _, n := range []int{0, 64, 128, 192, 12544, len(counts)} {
		want := 0
		for _, c := range counts[:n] {
			want += int(c)
		}
		for _, isa := range append(Available(), Go) {
			b := asm.CountSumBlock{Counts: counts[:n], Sum: -1}
			if SumCounts(isa, &b); b.Sum != want {
				t.Errorf("%v, %d counts: sum %d, want %d", isa, n, b.Sum, want)
			}
		}
	}
}

// TestAddAlike: every instruction set adds the same triples as plain Go does, to the lanes of the list alone.
func TestAddAlike(t *testing.T) {
	draw := rand.New(rand.NewPCG(3, 4))
	const lanes = 200
	for blocks := range 9 {
		to := make([][4]uint16, blocks+1)
		for i := range to {
			for j := range to[i] {
				to[i][j] = uint16(draw.IntN(lanes))
			}
		}
		var want [3 * lanes]float64
		b := asm.AlikeBlock{Row: &want[0], To: &to[0], Blocks: blocks, Add: [3]float64{0.1, 0.07, -0.3}}
		AddAlike(Go, &b)
		for _, isa := range Available() {
			var got [3 * lanes]float64
			b.Row = &got[0]
			if AddAlike(isa, &b); got != want {
				t.Errorf("%v, %d blocks: other sums", isa, blocks)
			}
		}
		sum := 0.0
		for l := range lanes {
			sum += want[3*l]
		}
		if math.Abs(sum-0.4*float64(blocks)) > 1e-12 {
			t.Errorf("%d blocks: first numbers add up to %g, want %g", blocks, sum, 0.4*float64(blocks))
		}
	}
}
