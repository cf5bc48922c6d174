package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// An isa is what a kernel must know of an instruction set. Both are AMD64; a kernel is written once and emitted for each.
type isa struct {
	Name  string // suffix of the functions: AVX2, AVX512
	Lanes int    // float64 per vector
	vecs  []reg.Register
	masks []reg.Register // mask registers; empty where a mask is a vector of all-ones and zeros
}

// Bytes is the size of a vector in memory.
func (w isa) Bytes() int { return 8 * w.Lanes }

// kmask says whether masks have registers of their own.
func (w isa) kmask() bool { return len(w.masks) > 0 }

var (
	avx2   = isa{Name: "AVX2", Lanes: 4, vecs: registers(16, func(v reg.VecPhysical) reg.Register { return v.AsY() })}
	avx512 = isa{
		Name: "AVX512", Lanes: 8, vecs: registers(32, func(v reg.VecPhysical) reg.Register { return v.AsZ() }),
		masks: []reg.Register{reg.K1, reg.K2, reg.K3, reg.K4, reg.K5, reg.K6, reg.K7},
	} // K0 as a write mask means "no mask"
	isas = []isa{avx2, avx512}
)

func registers(n int, as func(reg.VecPhysical) reg.Register) []reg.Register {
	all := []reg.VecPhysical{
		reg.X0, reg.X1, reg.X2, reg.X3, reg.X4, reg.X5, reg.X6, reg.X7, reg.X8, reg.X9, reg.X10, reg.X11, reg.X12, reg.X13, reg.X14, reg.X15,
		reg.X16, reg.X17, reg.X18, reg.X19, reg.X20, reg.X21, reg.X22, reg.X23, reg.X24, reg.X25, reg.X26, reg.X27, reg.X28, reg.X29, reg.X30, reg.X31,
	}
	rs := make([]reg.Register, n)
	for i := range rs {
		rs[i] = as(all[i])
	}
	return rs
}

// has reports whether the operand exists on w. avo hands out Y16 to Y31, K registers and EVEX forms in AVX2 functions
// without complaint; on a processor without AVX-512 they are illegal instructions.
func (w isa) has(op operand.Op) bool {
	for _, r := range operand.Registers(op) {
		switch r.Kind() {
		case reg.KindVector, reg.KindOpmask:
			found := false
			for _, ok := range append(w.vecs, w.masks...) {
				found = found || r == ok
			}
			if !found {
				return false
			}
		}
	}
	return true
}
