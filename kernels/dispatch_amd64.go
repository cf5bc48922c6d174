//go:build amd64 && !purego

package kernels

import "popsim/kernels/asm"

// assembled says that this build holds assembly.
const assembled = true

// assembly finds the assembly of a method, if it has any.
func assembly(model, method string, isa ISA) (lean, full step, ok bool) {
	pair, ok := routines[routine{model, method, isa}]
	return pair[0], pair[1], ok
}

type routine struct {
	model, method string
	isa           ISA
}

// routines lists the assembly there is: the lean step, then the full one.
var routines = map[routine][2]step{
	{"hh", "strang-cn", AVX2}:   {asm.HHStrangAVX2, asm.HHStrangFullAVX2},
	{"hh", "strang-cn", AVX512}: {asm.HHStrangAVX512, asm.HHStrangFullAVX512},
}
