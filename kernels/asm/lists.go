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
	Rows, Words   int        // the rows, and the words of 64 bits of each
	Bits          []uint8    // the rows, one after the other
	List          []BitPlace // out: in their order; with room for four more
	N, BeforeLast int        // out: places listed, and those of them before the last row
}

// ListBitsGo lists the bits that are set.
func ListBitsGo(b *BitListBlock) {
	b.N, b.BeforeLast = 0, 0
	for i := range b.Rows * b.Words {
		row, word := i/b.Words, i%b.Words
		if word == 0 {
			b.BeforeLast = b.N
		}
		set := binary.LittleEndian.Uint64(b.Bits[8*i:])
		for ; set != 0; set &= set - 1 {
			b.List[b.N] = BitPlace(row<<16 + 64*word + bits.TrailingZeros64(set))
			b.N++
		}
	}
}

// NearBlock is the argument of GatherNear: for lane Bit of step Row of List, in rows of values as NoisyLIFBlock has
// them, ID and Counter, First plus the step, name its random words, and Before and After are how far below its
// threshold it is before and after the step.
type NearBlock struct {
	N, BeforeLast int // places listed, and those of them before the last row, for which After is in Gap
	List          []BitPlace
	LaneIDs       []uint32
	First         uint32
	Rows          []float64
	Stride        int // of rows
	Gap           []float64
	IDs, Counters []uint32  // out
	Before, After []float64 // out
}

// GatherNearGo gathers what belongs to places.
func GatherNearGo(b *NearBlock) {
	for i, q := range b.List[:b.N] {
		at := q.Row()*b.Stride + q.Bit()
		b.IDs[i], b.Counters[i], b.Before[i] = b.LaneIDs[q.Bit()], b.First+uint32(q.Row()), b.Rows[at]
		if i < b.BeforeLast {
			b.After[i] = b.Rows[at+b.Stride]
		} else {
			b.After[i] = b.Gap[q.Bit()]
		}
	}
}
