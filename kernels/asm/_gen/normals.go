package main

import (
	"math"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"popsim/kernels/asm"
	"popsim/kernels/vec"
)

// philoxNormals makes standard normal numbers of words, as rng.Normal32 does; the coefficients of a lane's cubic are
// one load of the table. With AVX2 four lanes at a time: with w the word, or its complement where the first bit is set,
// and y = w + 0.5,
//
//	offset = bits(y) >> 48 << 5                   of the cell, from a place before the table
//	t      = (bits(y) << 4 & fraction | bits(1)) - 1.5
//	normal = ±(((c3 t + c2) t + c1) t + c0)
func philoxNormals(f *file, w isa) {
	if w.kmask() {
		philoxNormals512(f, w)
		return
	}
	k := newPhilox(f, w, "PhiloxNormals", "draws standard normal numbers; see PhiloxBlock.")
	k.makeRoom()
	ids, out, n, stride := k.Value("IDs"), k.Value("Normals"), k.Value("Vectors"), k.Value("Stride")
	table := k.Value("NormalTable")
	k.ADDQ(operand.I32(-32*asm.NormalFirst), table)
	k.SHLQ(imm(3), stride)
	k.Loop("vectors", n, func() {
		k.drawOf(ids, nil)
		row := k.GP64()
		k.MOVQ(out, row)
		for word := range 4 {
			for half := range k.lanes() / 4 {
				k.normals(k.words[0][word], half, table, at(row, 32*half))
			}
			k.ADDQ(stride, row)
		}
		k.ADDQ(imm(8*k.lanes()), out)
	})
	k.End()
}

// makeRoom allocates registers for normals.
func (k *philox) makeRoom() {
	w := k.W
	k.t = append(k.t, w.register(vec.VectorReg(14)), w.register(vec.VectorReg(15)))
	if !w.kmask() {
		return
	}
	k.t = k.t[:0] // registers below 16 for four lanes, those above for words
	for i := range 8 {
		k.t = append(k.t, w.register(vec.VectorReg(4+i)))
	}
	for v := range k.vectors() {
		for j := range 4 {
			k.words[v][j] = w.register(vec.VectorReg(16 + 4*v + j))
		}
	}
}

// philoxScaled makes normal numbers of the first word of each lane, as philoxNormals does, and of them Scale normal +
// Shift.
func philoxScaled(f *file, w isa) {
	k := newPhilox(f, w, "PhiloxScaled", "draws normal numbers of a mean and a scale; see PhiloxBlock.")
	k.makeRoom()
	out, n, table := k.Value("Normals"), k.Value("Vectors"), k.Value("NormalTable")
	k.ADDQ(operand.I32(-32*asm.NormalFirst), table)
	if k.vectors() == 2 {
		k.SHRQ(imm(1), n)
	}
	k.Loop("vectors", n, func() {
		k.draw()
		for v := range k.vectors() {
			for quarter := range k.lanes() / 4 {
				to := at(out, 8*(k.lanes()*v+4*quarter))
				k.normal(k.words[v][0], quarter, table)
				y, scale, shift := k.t[0].(reg.Vec).AsY(), k.t[2].(reg.Vec).AsY(), k.t[3].(reg.Vec).AsY()
				k.asm("VBROADCASTSD", k.plus("Scale", 0), scale)
				k.asm("VBROADCASTSD", k.plus("Shift", 0), shift)
				k.asm("VFMADD213PD", shift, scale, y)
				k.asm("VMOVUPD", y, to)
			}
		}
		k.ADDQ(imm(8*k.lanes()*k.vectors()), out)
	})
	k.End()
}

// normals writes the numbers of four lanes of a vector of words.
func (k *philox) normals(words reg.Register, quarter int, table reg.GPVirtual, to operand.Mem) {
	k.normal(words, quarter, table)
	k.asm("VMOVUPD", k.t[0].(reg.Vec).AsY(), to)
}

// normal makes the numbers of four lanes of a vector of words in the first scratch register.
func (k *philox) normal(words reg.Register, quarter int, table reg.GPVirtual) {
	y := func(i int) reg.Register { return k.t[i].(reg.Vec).AsY() }
	x := func(i int) reg.Register { return k.t[i].(reg.Vec).AsX() }
	one := func(u uint64) operand.Mem { m, _ := k.constant(u); return m }
	// Constants of AVX-512 are there once: four lanes of them are loaded.
	constant := func(u uint64, to int) operand.Op {
		if !k.W.kmask() {
			return one(u)
		}
		k.asm("VPBROADCASTQ", one(u), y(to))
		return y(to)
	}
	switch {
	case k.W.kmask():
		k.asm("VEXTRACTI32X4", operand.U8(quarter), words, x(0))
	case quarter == 0:
		k.asm("VMOVDQA", words.(reg.Vec).AsX(), x(0))
	default:
		k.asm("VEXTRACTI128", operand.U8(1), words, x(0))
	}
	k.asm("VPSRAD", operand.U8(31), x(0), x(1))
	k.asm("VPMOVSXDQ", x(1), y(7)) // all ones where the first bit is set
	k.asm("VPXOR", x(0), x(1), x(1))
	k.asm("VCVTDQ2PD", x(1), y(1))
	k.asm("VADDPD", constant(math.Float64bits(0.5), 2), y(1), y(1))
	k.asm("VPSRLQ", operand.U8(48), y(1), y(0))
	k.asm("VPSLLQ", operand.U8(5), y(0), y(0))
	k.asm("VPSLLQ", operand.U8(4), y(1), y(1))
	k.asm("VPAND", constant(1<<52-1, 2), y(1), y(1))
	k.asm("VPOR", constant(math.Float64bits(1), 2), y(1), y(1))
	k.asm("VSUBPD", constant(math.Float64bits(1.5), 2), y(1), y(1)) // t
	// c0 and c1 of lanes 0, 2 and 1, 3, then c2 and c3.
	var offset [4]reg.GPVirtual
	for lane := range offset {
		offset[lane] = k.GP64()
	}
	k.VMOVQ(x(0), offset[0])
	k.VPEXTRQ(operand.U8(1), x(0), offset[1])
	k.asm("VEXTRACTI128", operand.U8(1), y(0), x(0))
	k.VMOVQ(x(0), offset[2])
	k.VPEXTRQ(operand.U8(1), x(0), offset[3])
	cell := func(lane, c int) operand.Mem {
		return operand.Mem{Base: table, Index: offset[lane], Scale: 1, Disp: 8 * c}
	}
	for half := range 2 {
		for odd := range 2 {
			to := 2 + 2*half + odd
			k.asm("VMOVUPD", cell(odd, 2*half), x(to))
			k.asm("VINSERTF128", operand.U8(1), cell(2+odd, 2*half), y(to), y(to))
		}
	}
	k.asm("VUNPCKHPD", y(5), y(4), y(0)) // c3
	k.asm("VUNPCKLPD", y(5), y(4), y(4)) // c2
	k.asm("VUNPCKHPD", y(3), y(2), y(5)) // c1
	k.asm("VUNPCKLPD", y(3), y(2), y(2)) // c0
	k.asm("VFMADD213PD", y(4), y(1), y(0))
	k.asm("VFMADD213PD", y(5), y(1), y(0))
	k.asm("VFMADD213PD", y(2), y(1), y(0))
	k.asm("VPANDN", constant(1<<63, 3), y(7), y(7))
	k.asm("VXORPD", y(7), y(0), y(0))
}
