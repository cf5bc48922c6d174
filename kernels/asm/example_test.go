package asm_test

import (
	"fmt"

	"popsim/kernels/asm"
)

// Spikes of eight neurons, as rows with one bit for each target: target 0 has arrivals from all of them, target 3 from
// those of even number.
func ExampleAddBitsGo() {
	const words = asm.BitBlock / 64
	b := asm.BitRowsBlock{
		Blocks: 1, Words: words, Planes: make([]uint64, 8*words), Row: make([]float64, asm.BitBlock), Weight: 0.25,
	}
	for i := range b.Rows {
		row := make([]uint64, words)
		if row[0] = 1; i%2 == 0 {
			row[0] |= 1 << 3
		}
		b.Rows[i] = &row[0]
	}
	asm.CountBitsGo(&b)
	asm.AddBitsGo(&b)
	fmt.Println(b.Row[:5])
	// Output: [2 0 0 1 0]
}
