//go:build !amd64 || purego

package kernels

import "popsim/kernels/asm"

// assembled says that this build holds assembly.
const assembled = false

func assembly(string, string, ISA) (free, driven step, ok bool) { return nil, nil, false }

func prefetch(*asm.Column) {} // left to the processor

// Prefetch does nothing on this processor.
func Prefetch[T any]([]T) {}
