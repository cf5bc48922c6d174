//go:build amd64 && !purego

package kernels

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
var routines = map[routine][2]step{}
