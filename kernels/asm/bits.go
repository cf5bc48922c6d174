package asm

import "unsafe"

// BitBlock is the number of lanes that the kernels of rows of bits take together.
const BitBlock = 512

// BitRowsBlock is the argument of CountBits and AddBits. In planes of bits, block by block of BitBlock lanes, bit l%64
// of word 8k + l/64 of a block, l being a lane of it, is bit k of the count of that lane.
type BitRowsBlock struct {
	Blocks int
	Rows   [8]*uint64 // CountBits: of each lane one bit, 8 words a block
	Planes []uint64   // 8 planes, 64 words a block
	Row    []float64  // AddBits: one value a lane
	Weight float64
}

// CountBitsGo adds the bits of eight rows to the counts of their lanes, which stay below 256.
func CountBitsGo(b *BitRowsBlock) {
	for i := range 8 * b.Blocks {
		at := i/8*64 + i%8
		for _, row := range b.Rows {
			carry := wordAt(row, i)
			for k := at; carry != 0; k += 8 {
				b.Planes[k], carry = b.Planes[k]^carry, b.Planes[k]&carry
			}
		}
	}
}

// AddBitsGo adds Weight to the value of each lane as many times as it has been counted, one after the other, and sets
// the counts to 0.
func AddBitsGo(b *BitRowsBlock) {
	for i := range 8 * b.Blocks {
		at := i/8*64 + i%8
		var planes [8]uint64
		any := uint64(0)
		for k := range planes {
			planes[k] = b.Planes[at+8*k]
			any |= planes[k]
			b.Planes[at+8*k] = 0
		}
		for l := 0; any != 0; l, any = l+1, any>>1 {
			count := 0
			for k := range planes {
				count |= int(planes[k]>>l&1) << k
			}
			for range count {
				b.Row[64*i+l] += b.Weight
			}
		}
	}
}

// wordAt is word i of a row of bits.
func wordAt(row *uint64, i int) uint64 { return *(*uint64)(unsafe.Add(unsafe.Pointer(row), 8*i)) }
