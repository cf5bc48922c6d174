//go:build !amd64 || purego

package kernels

import (
	"unsafe"

	"popsim/kernels/asm"
)

// PrefetchRange brings the n bytes from p on into the cache.
func PrefetchRange(unsafe.Pointer, int) {} // left to the processor

// LIFRows moves LIF neurons; one of the rows Drive and Jump may be nil.
func LIFRows(_ ISA, b *asm.LIFRowsBlock) { lifRowsGo(b) }

// ExpRows moves exponential currents.
func ExpRows(_ ISA, b *asm.CurrentRowsBlock) { asm.ExpRowsGo(b) }

// AlphaRows moves alpha currents.
func AlphaRows(_ ISA, b *asm.CurrentRowsBlock) { asm.AlphaRowsGo(b) }

func philoxLanes(ISA) int { return 0 }

func philoxWords(ISA, *asm.PhiloxBlock)  {}
func philoxCounts(ISA, *asm.PhiloxBlock) {}
func addCounts(ISA, *asm.CountBlock)     {}
