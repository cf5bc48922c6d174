//go:build !amd64 || purego

package kernels

import "popsim/kernels/asm"

// assembled is whether this build contains assembly.
const assembled = false

func assembly(string, string, ISA) (free, driven step, ok bool) { return nil, nil, false }

func prefetch(*asm.Column) {} // does nothing on this processor

// Prefetch does nothing on this processor.
func Prefetch[T any]([]T) {}
