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

// splitTriplesGo is SplitTriples in plain Go.
func splitTriplesGo(b *asm.TriplesBlock) {
	for l := range b.Lanes {
		t := b.Triples[3*l:][:3]
		b.First[l], b.Second[l], b.Third[l] = t[0], t[1], t[2]
		t[0], t[1], t[2] = asm.EmptyRow, asm.EmptyRow, asm.EmptyRow
	}
}

// CoupledKernel names a kernel that advances a group of neurons with conductances.
type CoupledKernel int

// The kernels of asm.CoupledBlock; NoCoupled is none. AdExCoupledRK4 is that of eif too, with w = 0.
const (
	NoCoupled CoupledKernel = iota
	LIFCoupled
	LIFCoupledRK4NMDA
	AdExCoupledRK4
	AdExCoupledRK4NMDA
	HHCoupledRK4
	HHCoupledRK4NMDA
	HHTMCoupledRK4
	HHTMCoupledRK4NMDA
	RHHCoupledRK4
	RHHCoupledRK4NMDA
	HHCoupledStrang
	HHCoupledStrangNMDA
	HHTMCoupledStrang
	HHTMCoupledStrangNMDA
	coupledCount
)

// coupledKernel is a kernel by instruction set: in plain Go and, where there is assembly, with AVX2 and AVX-512.
type coupledKernel [AVX512 + 1]func(*asm.CoupledBlock)

// Coupled moves a group of neurons with conductances.
func Coupled(isa ISA, k CoupledKernel, b *asm.CoupledBlock) {
	f := coupledKernels[k][isa]
	if f == nil {
		f = coupledKernels[k][Go]
	}
	f(b)
}

// OUBlock is the argument of OUStep; its Lanes are a multiple of OUTogether.
type OUBlock = asm.OUBlock

// OUTogether is the number of processes that OUStep advances together.
const OUTogether = asm.OUTogether
