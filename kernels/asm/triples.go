package asm

import "unsafe"

// AlikeBlock is the argument of AddAlike: Add is added to the triple in Row of each target. The indices are not
// checked.
type AlikeBlock struct {
	Row    *float64
	To     *[4]uint16
	Blocks int // of four targets
	Add    [3]float64
}

// AddAlikeGo adds.
func AddAlikeGo(b *AlikeBlock) {
	c := b.Add
	for _, to := range unsafe.Slice(b.To, b.Blocks) {
		for _, lane := range to {
			at := (*[3]float64)(unsafe.Add(unsafe.Pointer(b.Row), 24*uintptr(lane)))
			at[0] += c[0]
			at[1] += c[1]
			at[2] += c[2]
		}
	}
}
