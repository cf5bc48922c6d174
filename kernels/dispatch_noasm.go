//go:build !amd64 || purego

package kernels

// assembled says that this build holds assembly.
const assembled = false

func assembly(string, string, ISA) (lean, full step, ok bool) { return nil, nil, false }
