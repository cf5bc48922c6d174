package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"popsim/kernels/vec"
)

// An isa is a vec.Target; both are AMD64, and a kernel is written once and emitted for each.
type isa struct{ vec.Target }

// kmask reports whether masks have registers of their own.
func (w isa) kmask() bool { return w.HasMasks() }

var (
	avx2, avx512 = isa{vec.AVX2}, isa{vec.AVX512}
	isas         = []isa{avx2, avx512}
)

// register is the register of avo for r.
func (w isa) register(r vec.Reg) reg.Register {
	if r.IsMask() {
		return []reg.Register{reg.K0, reg.K1, reg.K2, reg.K3, reg.K4, reg.K5, reg.K6, reg.K7}[r.Number()]
	}
	v := vectors[r.Number()]
	if w.Lanes == 4 {
		return v.AsY()
	}
	return v.AsZ()
}

var vectors = [32]reg.VecPhysical{
	reg.X0, reg.X1, reg.X2, reg.X3, reg.X4, reg.X5, reg.X6, reg.X7,
	reg.X8, reg.X9, reg.X10, reg.X11, reg.X12, reg.X13, reg.X14, reg.X15,
	reg.X16, reg.X17, reg.X18, reg.X19, reg.X20, reg.X21, reg.X22, reg.X23,
	reg.X24, reg.X25, reg.X26, reg.X27, reg.X28, reg.X29, reg.X30, reg.X31,
}

// has reports whether the operand exists on w. avo allocates Y16 to Y31, K registers and EVEX forms in AVX2 functions
// without an error; on a processor without AVX-512 they are illegal instructions.
func (w isa) has(op operand.Op) bool {
	for _, r := range operand.Registers(op) {
		switch r.Kind() {
		case reg.KindVector, reg.KindOpmask:
			found := false
			vectors, masks := w.Registers()
			for _, ok := range append(vectors, masks...) {
				// The lower half or quarter of a register exists if the register does.
				own := w.register(ok).(reg.Physical)
				found = found || r.Kind() == own.Kind() && r.(reg.Physical).PhysicalIndex() == own.PhysicalIndex()
			}
			if !found {
				return false
			}
		}
	}
	return true
}
