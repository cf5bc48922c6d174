package asm

import "unsafe"

// BitBlock is the number of lanes that the kernels of rows of bits take together.
const BitBlock = 512

// BitRowsBlock is the argument of CountBits and AddBits. In planes of bits, block by block of BitBlock lanes, bit l%64
// of word 8k + l/64 of a block, l being a lane of it, is bit k of the count of that lane.
type BitRowsBlock struct {
	Blocks int
	Words  int        // AddBits: of 64 lanes, in these blocks; what was counted in the rest of the last block is dropped
	Rows   [8]*uint64 // CountBits: of each lane one bit, 8 words a block
	Next   [8]*uint64 // CountBits: rows of the same size that are prefetched meanwhile
	Planes []uint64   // 8 planes, 64 words a block
	Row    []float64  // AddBits: one value a lane
	Weight float64
}

// CountBitsGo adds the bits of eight rows to the counts of their lanes, which stay below 256.
func CountBitsGo(b *BitRowsBlock) {
	for i := range 8 * b.Blocks {
		planes := (*[57]uint64)(b.Planes[i/8*64+i%8:])
		r := &b.Rows
		ones, two := saveCarry(planes[0], wordAt(r[0], i), wordAt(r[1], i))
		ones, more := saveCarry(ones, wordAt(r[2], i), wordAt(r[3], i))
		twos, four := saveCarry(planes[8], two, more)
		ones, two = saveCarry(ones, wordAt(r[4], i), wordAt(r[5], i))
		ones, more = saveCarry(ones, wordAt(r[6], i), wordAt(r[7], i))
		planes[0] = ones
		twos, more = saveCarry(twos, two, more)
		planes[8] = twos
		fours, carry := saveCarry(planes[16], four, more)
		planes[16] = fours
		for k := 24; carry != 0; k += 8 {
			planes[k], carry = planes[k]^carry, planes[k]&carry
		}
	}
}

// saveCarry adds three words of bits of one value, place by place: sum has that value, carry twice as much.
func saveCarry(a, b, c uint64) (sum, carry uint64) {
	x := a ^ b
	return x ^ c, a&b | x&c
}

// AddBitsGo adds to the value of each lane its count times Weight, rounded after the product, and sets the counts to 0.
func AddBitsGo(b *BitRowsBlock) {
	var products [256]float64
	for i := range products {
		products[i] = float64(float64(i) * b.Weight)
	}
	for i := range 8 * b.Blocks {
		if i >= b.Words {
			takeCounts((*[57]uint64)(b.Planes[i/8*64+i%8:]))
			continue
		}
		counts := takeCounts((*[57]uint64)(b.Planes[i/8*64+i%8:]))
		for g, x := range &counts {
			if x == 0 {
				continue
			}
			x, row := transposeBits(x), (*[8]float64)(b.Row[64*i+8*g:])
			row[0] += products[uint8(x)]
			row[1] += products[uint8(x>>8)]
			row[2] += products[uint8(x>>16)]
			row[3] += products[uint8(x>>24)]
			row[4] += products[uint8(x>>32)]
			row[5] += products[uint8(x>>40)]
			row[6] += products[uint8(x>>48)]
			row[7] += products[uint8(x>>56)]
		}
	}
}

// takeCounts sets the planes of a word to 0. Byte k of x[g] is byte g of plane k: both are exchanged by halves,
// quarters and eighths of words.
func takeCounts(planes *[57]uint64) (x [8]uint64) {
	swap := func(a, b uint64, shift int, mask uint64) (uint64, uint64) {
		t := (a>>shift ^ b) & mask
		return a ^ t<<shift, b ^ t
	}
	const halves, quarters, eighths = 0x00000000ffffffff, 0x0000ffff0000ffff, 0x00ff00ff00ff00ff
	a0, a4 := swap(planes[0], planes[32], 32, halves)
	a1, a5 := swap(planes[8], planes[40], 32, halves)
	a2, a6 := swap(planes[16], planes[48], 32, halves)
	a3, a7 := swap(planes[24], planes[56], 32, halves)
	for k := range x {
		planes[8*k] = 0
	}
	a0, a2 = swap(a0, a2, 16, quarters)
	a1, a3 = swap(a1, a3, 16, quarters)
	a4, a6 = swap(a4, a6, 16, quarters)
	a5, a7 = swap(a5, a7, 16, quarters)
	x[0], x[1] = swap(a0, a1, 8, eighths)
	x[2], x[3] = swap(a2, a3, 8, eighths)
	x[4], x[5] = swap(a4, a5, 8, eighths)
	x[6], x[7] = swap(a6, a7, 8, eighths)
	return x
}

// transposeBits exchanges bit i of byte j with bit j of byte i.
func transposeBits(x uint64) uint64 {
	t := (x ^ x>>7) & 0x00aa00aa00aa00aa
	x ^= t ^ t<<7
	t = (x ^ x>>14) & 0x0000cccc0000cccc
	x ^= t ^ t<<14
	t = (x ^ x>>28) & 0x00000000f0f0f0f0
	return x ^ t ^ t<<28
}

// wordAt is word i of a row of bits.
func wordAt(row *uint64, i int) uint64 { return *(*uint64)(unsafe.Add(unsafe.Pointer(row), 8*i)) }
