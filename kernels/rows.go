package kernels

import "popsim/kernels/asm"

// The kernels over rows take many lanes of a network through some steps: see their arguments in package asm. isa is one
// of Available; all give the same bits.

// lifRowsGo is LIFRows in plain Go.
func lifRowsGo(b *asm.LIFRowsBlock) {
	switch {
	case b.Jump == nil:
		asm.LIFDriveRowsGo(b)
	case b.Drive == nil:
		asm.LIFJumpRowsGo(b)
	default:
		asm.LIFRowsGo(b)
	}
}

// splitPairsGo is SplitPairs in plain Go.
func splitPairsGo(b *asm.PairsBlock) {
	for l := range b.Lanes {
		b.First[l], b.Second[l] = b.Pairs[2*l], b.Pairs[2*l+1]
		b.Pairs[2*l], b.Pairs[2*l+1] = asm.EmptyRow, asm.EmptyRow
	}
}
