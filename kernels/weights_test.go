package kernels

import (
	"math/rand/v2"
	"slices"
	"testing"

	"popsim/kernels/asm"
)

// TestWeightsHaveTheBitsOfPlainGo: the kernels that add weights which lie side by side give the bits of their twins,
// for any number of lanes and spikes, and leave the lanes after theirs alone.
func TestWeightsHaveTheBitsOfPlainGo(t *testing.T) {
	draw := rand.New(rand.NewPCG(1, 2))
	normals := func(n int) (x []float64) {
		for range n {
			x = append(x, draw.NormFloat64())
		}
		return x
	}
	const most = 150
	table, start := normals(2*most), normals(3*most)
	for width := 1; width <= 3; width++ {
		for _, lanes := range []int{1, 7, 8, 31, 64, 129, most - 1} {
			for spikes := range 7 {
				sums := func(isa ISA) []float64 {
					b := asm.WeightsBlock{Lanes: lanes, Row: slices.Clone(start)}
					for s := range spikes {
						b.Weights = append(b.Weights, &table[13*s])
						for j := range asm.WeightsLanes * width {
							b.Factors = append(b.Factors, start[3*s+j%width])
						}
					}
					row := b.Row
					AddWeights(isa, width, &b)
					return row
				}
				want := sums(Go)
				for _, isa := range Available() {
					if got := sums(isa); !slices.Equal(got, want) {
						t.Fatalf("%v: other sums of %d spikes at %d lanes of %d", isa, spikes, lanes, width)
					}
				}
				if !slices.Equal(want[width*lanes:], start[width*lanes:]) {
					t.Fatalf("lanes after the last of %d are changed", lanes)
				}
			}
		}
	}
}
