package kernels

import "popsim/kernels/asm"

// The kernels over rows advance many lanes of a network by several steps: see their arguments in package asm. isa is
// one of Available; all give the same bits.

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

// CoupledKernel names a kernel that advances a group of neurons with conductances.
type CoupledKernel int

// The kernels of asm.CoupledBlock; NoCoupled is none.
const (
	NoCoupled CoupledKernel = iota
	LIFCoupled
	HHCoupledRK4
	HHTMCoupledRK4
	HHCoupledStrang
	HHTMCoupledStrang
)

// coupledGo is Coupled in plain Go.
func coupledGo(k CoupledKernel, b *asm.CoupledBlock) {
	switch k {
	case LIFCoupled:
		asm.LIFCoupledGo(b)
	case HHCoupledRK4:
		asm.HHCoupledRK4Go(b)
	case HHTMCoupledRK4:
		asm.HHTMCoupledRK4Go(b)
	case HHCoupledStrang:
		asm.HHCoupledStrangGo(b)
	case HHTMCoupledStrang:
		asm.HHTMCoupledStrangGo(b)
	}
}
