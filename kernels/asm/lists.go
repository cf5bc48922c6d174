package asm

import (
	"encoding/binary"
	"math/bits"
)

// BitPlace is the place of a bit: its row in the upper half, and its number in the row.
type BitPlace uint32

// Row is the row of a bit.
func (q BitPlace) Row() int { return int(q >> 16) }

// Bit is the number of a bit in its row, below 1<<16.
func (q BitPlace) Bit() int { return int(uint16(q)) }

// BitListBlock is the argument of ListBits: the places of the bits that are set in rows of bits. Four places are
// written at a time, without a branch for each.
type BitListBlock struct {
	Rows, Words int        // the rows, and the words of 64 bits of each
	Bits        []uint8    // the rows, one after the other
	List        []BitPlace // out: in their order; with room for four more
	N           int        // out: places listed
}

// ListBitsGo lists the bits that are set.
func ListBitsGo(b *BitListBlock) {
	b.N = 0
	for i := range b.Rows * b.Words {
		row, word := i/b.Words, i%b.Words
		set := binary.LittleEndian.Uint64(b.Bits[8*i:])
		for ; set != 0; set &= set - 1 {
			b.List[b.N] = BitPlace(row<<16 + 64*word + bits.TrailingZeros64(set))
			b.N++
		}
	}
}

// NearBlock is the argument of ListNear, which lists bits as ListBits does, and with each how far below its threshold
// a lane is before the step of the row and after it. Four places are written at a time, and read: the rows of
// Distances, and Gap, have one more value each, and there is room for four more places.
type NearBlock struct {
	Rows, Words   int       // at least 1; as in BitListBlock
	Bits          []uint8   // likewise
	Distances     []float64 // before the step: a row for each step, Stride apart
	Stride        int
	Gap           []float64  // after the last step
	List          []BitPlace // out
	Before, After []float64  // out
	N             int        // out: places listed
}

// ListNearGo lists bits with their distances.
func ListNearGo(b *NearBlock) {
	list := BitListBlock{Rows: b.Rows, Words: b.Words, Bits: b.Bits, List: b.List}
	ListBitsGo(&list)
	b.N = list.N
	for i, q := range b.List[:b.N] {
		at := q.Row()*b.Stride + q.Bit()
		if b.Before[i] = b.Distances[at]; q.Row() < b.Rows-1 {
			b.After[i] = b.Distances[at+b.Stride]
		} else {
			b.After[i] = b.Gap[q.Bit()]
		}
	}
}
