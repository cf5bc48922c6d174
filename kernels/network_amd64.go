//go:build amd64 && !purego

package kernels

import (
	"unsafe"

	"popsim/kernels/asm"
)

// PrefetchRange loads the n bytes from p on into the cache.
func PrefetchRange(p unsafe.Pointer, n int) {
	if n > 0 {
		asm.PrefetchRange((*byte)(p), n)
	}
}

// Kernels are called by name here, not through function values, so that their arguments can stay on the stack.

// LIFRows advances LIF neurons; one of the rows Drive and Jump may be nil.
func LIFRows(isa ISA, b *asm.LIFRowsBlock) {
	switch {
	case isa == AVX512 && b.Jump == nil:
		asm.LIFDriveRowsAVX512(b)
	case isa == AVX512 && b.Drive == nil:
		asm.LIFJumpRowsAVX512(b)
	case isa == AVX512:
		asm.LIFRowsAVX512(b)
	case isa == AVX2 && b.Jump == nil:
		asm.LIFDriveRowsAVX2(b)
	case isa == AVX2 && b.Drive == nil:
		asm.LIFJumpRowsAVX2(b)
	case isa == AVX2:
		asm.LIFRowsAVX2(b)
	default:
		lifRowsGo(b)
	}
}

// ExpRows advances exponential currents.
func ExpRows(isa ISA, b *asm.CurrentRowsBlock) {
	switch isa {
	case AVX512:
		asm.ExpRowsAVX512(b)
	case AVX2:
		asm.ExpRowsAVX2(b)
	default:
		asm.ExpRowsGo(b)
	}
}

// AlphaRows advances alpha currents.
func AlphaRows(isa ISA, b *asm.CurrentRowsBlock) {
	switch isa {
	case AVX512:
		asm.AlphaRowsAVX512(b)
	case AVX2:
		asm.AlphaRowsAVX2(b)
	default:
		asm.AlphaRowsGo(b)
	}
}

// philoxLanes is the number of lanes of an instruction set's kernels that draw; 0 where it has none.
func philoxLanes(isa ISA) int {
	switch isa {
	case AVX512:
		return 16
	case AVX2:
		return 8
	}
	return 0
}

func philoxWords(isa ISA, b *asm.PhiloxBlock) {
	if isa == AVX512 {
		asm.PhiloxWordsAVX512(b)
	} else {
		asm.PhiloxWordsAVX2(b)
	}
}

func philoxCounts(isa ISA, b *asm.PhiloxBlock) {
	if isa == AVX512 {
		asm.PhiloxCountsAVX512(b)
	} else {
		asm.PhiloxCountsAVX2(b)
	}
}

func addCounts(isa ISA, b *asm.CountBlock) {
	if isa == AVX512 {
		asm.AddCountsAVX512(b)
	} else {
		asm.AddCountsAVX2(b)
	}
}

// LIFStep advances LIF neurons by a step.
func LIFStep(isa ISA, b *asm.LIFStepBlock) {
	switch isa {
	case AVX512:
		asm.LIFStepAVX512(b)
	case AVX2:
		asm.LIFStepAVX2(b)
	default:
		asm.LIFStepGo(b)
	}
}

// JumpStep adds jumps.
func JumpStep(isa ISA, b *asm.JumpStepBlock) {
	switch isa {
	case AVX512:
		asm.JumpStepAVX512(b)
	case AVX2:
		asm.JumpStepAVX2(b)
	default:
		asm.JumpStepGo(b)
	}
}

// ExpStep advances exponential currents of positive weights.
func ExpStep(isa ISA, b *asm.CurrentStepBlock) {
	switch isa {
	case AVX512:
		asm.ExpStepAVX512(b)
	case AVX2:
		asm.ExpStepAVX2(b)
	default:
		asm.ExpStepGo(b)
	}
}

// ExpStepNegative advances exponential currents of negative weights.
func ExpStepNegative(isa ISA, b *asm.CurrentStepBlock) {
	switch isa {
	case AVX512:
		asm.ExpStepNegativeAVX512(b)
	case AVX2:
		asm.ExpStepNegativeAVX2(b)
	default:
		asm.ExpStepNegativeGo(b)
	}
}

// AlphaStep advances alpha currents of positive weights.
func AlphaStep(isa ISA, b *asm.CurrentStepBlock) {
	switch isa {
	case AVX512:
		asm.AlphaStepAVX512(b)
	case AVX2:
		asm.AlphaStepAVX2(b)
	default:
		asm.AlphaStepGo(b)
	}
}

// AlphaStepNegative advances alpha currents of negative weights.
func AlphaStepNegative(isa ISA, b *asm.CurrentStepBlock) {
	switch isa {
	case AVX512:
		asm.AlphaStepNegativeAVX512(b)
	case AVX2:
		asm.AlphaStepNegativeAVX2(b)
	default:
		asm.AlphaStepNegativeGo(b)
	}
}

// AddInstants adds arrivals to one accumulator.
func AddInstants(isa ISA, b *asm.InstantsBlock) {
	switch isa {
	case AVX512:
		asm.InstantsAVX512(b)
	case AVX2:
		asm.InstantsAVX2(b)
	default:
		asm.InstantsGo(b)
	}
}

// AddInstantsTwo adds arrivals to two accumulators.
func AddInstantsTwo(isa ISA, b *asm.InstantsBlock) {
	switch isa {
	case AVX512:
		asm.InstantsTwoAVX512(b)
	case AVX2:
		asm.InstantsTwoAVX2(b)
	default:
		asm.InstantsTwoGo(b)
	}
}

// SplitPairs separates pairs of accumulators.
func SplitPairs(isa ISA, b *asm.PairsBlock) {
	switch isa {
	case AVX512:
		asm.SplitPairsAVX512(b)
	case AVX2:
		asm.SplitPairsAVX2(b)
	default:
		splitPairsGo(b)
	}
}

func philoxInstants(isa ISA, b *asm.PhiloxBlock) {
	if isa == AVX512 {
		asm.PhiloxInstantsAVX512(b)
	} else {
		asm.PhiloxInstantsAVX2(b)
	}
}

// Coupled advances a group of neurons with conductances.
func Coupled(isa ISA, k CoupledKernel, b *asm.CoupledBlock) {
	switch {
	case isa == AVX512 && k == LIFCoupled:
		asm.LIFCoupledAVX512(b)
	case isa == AVX512 && k == HHCoupledRK4:
		asm.HHCoupledRK4AVX512(b)
	case isa == AVX512 && k == HHTMCoupledRK4:
		asm.HHTMCoupledRK4AVX512(b)
	case isa == AVX512 && k == HHCoupledStrang:
		asm.HHCoupledStrangAVX512(b)
	case isa == AVX512 && k == HHTMCoupledStrang:
		asm.HHTMCoupledStrangAVX512(b)
	case isa == AVX2 && k == LIFCoupled:
		asm.LIFCoupledAVX2(b)
	case isa == AVX2 && k == HHCoupledRK4:
		asm.HHCoupledRK4AVX2(b)
	case isa == AVX2 && k == HHTMCoupledRK4:
		asm.HHTMCoupledRK4AVX2(b)
	case isa == AVX2 && k == HHCoupledStrang:
		asm.HHCoupledStrangAVX2(b)
	case isa == AVX2 && k == HHTMCoupledStrang:
		asm.HHTMCoupledStrangAVX2(b)
	default:
		coupledGo(k, b)
	}
}
