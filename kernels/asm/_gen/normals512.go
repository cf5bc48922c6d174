package main

import (
	"math"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"popsim/kernels/asm"
	"popsim/kernels/vec"
)

// philox512 emits a kernel that draws the words of ids with AVX-512. A word has 64 bits of a vector, of which those
// above its 32 mean nothing: then a product of a round is the next word as it is, and its upper half one shift away.
// Four vectors of eight ids hide the ten rounds, a chain of about 60 cycles; of few ids two vectors are rounded up to
// less.
type philox512 struct {
	*Func
	words [][4]reg.Register // of vectors of eight ids
	mul   [2]reg.Register
	t     []reg.Register // scratch
	held  []reg.Register // constants
}

func newPhilox512(f *file, w isa, name, doc string, vectors int, constants ...uint64) *philox512 {
	k := &philox512{Func: f.Func(w, name, "func(b *PhiloxBlock)", doc), words: make([][4]reg.Register, vectors)}
	next := 0
	register := func() reg.Register { next++; return w.register(vec.VectorReg(next - 1)) }
	k.mul = [2]reg.Register{k.filled(register(), asm.PhiloxMul0), k.filled(register(), asm.PhiloxMul1)}
	for _, u := range constants {
		k.held = append(k.held, k.filled(register(), u))
	}
	for v := range k.words {
		for j := range k.words[v] {
			k.words[v][j] = register()
		}
	}
	for next < 32 {
		k.t = append(k.t, register())
	}
	return k
}

// wordsOf512 is wordsOf with AVX-512.
func wordsOf512(f *file, w isa, name, doc string, drawing func(*philox512) func()) {
	k := newPhilox512(f, w, name, doc, 2,
		1<<32-1, math.Float64bits(0x1p-32), math.Float64bits(0x1p-33))
	low, scale, offset := k.held[0], k.held[1], k.held[2]
	draw, u := drawing(k), k.Value("U")
	out, n, stride := k.Value("Words"), k.Value("Vectors"), k.Value("Stride")
	k.SHLQ(imm(2), stride)
	k.Loop("ids", n, func() {
		draw()
		row := k.GP64()
		k.MOVQ(out, row)
		for word := range 4 {
			for v := range k.words {
				k.asm("VPMOVQD", k.words[v][word], at(row, 32*v))
			}
			k.ADDQ(stride, row)
		}
		for v := range k.words {
			x := k.words[v][1]
			k.asm("VPANDQ", low, x, x)
			k.asm("VCVTUQQ2PD", x, x)
			k.asm("VFMADD213PD", offset, scale, x)
			k.asm("VMOVUPD", x, at(u, 64*v))
		}
		k.ADDQ(imm(32*len(k.words)), out)
		k.ADDQ(imm(64*len(k.words)), u)
	})
	k.End()
}

// normals512 is PhiloxNormals with AVX-512.
type normals512 struct {
	*philox512
	half, cell, fraction, one, middle, sign reg.Register // constants
	table                                   reg.GPVirtual
}

func philoxNormals512(f *file, w isa) {
	k := &normals512{philox512: newPhilox512(f, w, "PhiloxNormals", "draws standard normal numbers; see PhiloxBlock.",
		4, math.Float64bits(0x1p31), 0x7fff<<48, 1<<52-1, math.Float64bits(1), math.Float64bits(1.5), 1<<63)}
	k.half, k.cell, k.fraction, k.one, k.middle, k.sign = k.held[0], k.held[1], k.held[2], k.held[3], k.held[4], k.held[5]
	ids, out, n, stride := k.Value("IDs"), k.Value("Normals"), k.Value("Vectors"), k.Value("Stride")
	k.table = k.Value("NormalTable")
	const scale = 32 // of what normals makes of a word, a power of 2
	k.ADDQ(operand.I32(-32*(asm.NormalFirst+16*scale)), k.table)
	k.SHLQ(imm(3), stride)
	k.SHRQ(imm(1), n) // of 16 ids each
	k.Loop("ids", n, func() {
		k.draw(ids, nil)
		k.offsets()
		row := k.GP64()
		k.MOVQ(out, row)
		for word := range 4 {
			for v := range k.words {
				k.normals(k.words[v][word], 4*word+v, at(row, 64*v))
			}
			k.ADDQ(stride, row)
		}
		k.ADDQ(imm(64*len(k.words)), out)
	})
	k.End()
}

// filled fills the lanes of r with u.
func (k *philox512) filled(r reg.Register, u uint64) reg.Register {
	m, _ := k.constant(u)
	k.asm("VPBROADCASTQ", m, r)
	return r
}

// plus is the memory d bytes after the start of a field.
func (k *philox512) plus(field string, d int) operand.Mem {
	m := k.fieldStart(field)
	m.Disp += d
	return m
}

// draw writes the words of the next ids, where the pointer is that it moves on; the second words of the counters are
// likewise at counters if that is not nil.
func (k *philox512) draw(ids, counters reg.GPVirtual) {
	for v := range k.words {
		x := &k.words[v]
		k.asm("VPMOVZXDQ", at(ids, 32*v), x[0])
		if counters != nil {
			k.asm("VPMOVZXDQ", at(counters, 32*v), x[1])
		} else {
			k.asm("VPBROADCASTD", k.plus("Counter", 4), x[1])
		}
	}
	k.ADDQ(imm(32*len(k.words)), ids)
	if counters != nil {
		k.ADDQ(imm(32*len(k.words)), counters)
	}
	k.rounds()
}

// rounds makes words of the first two words of the counters. A round is, with p = x0 mul0 and q = x2 mul1,
//
//	x0, x1, x2, x3 = high(q)^x1^key0, low(q), high(p)^x3^key1, low(p)
func (k *philox512) rounds() {
	for v := range k.words {
		for j := 2; j < 4; j++ {
			k.asm("VPBROADCASTD", k.plus("Counter", 4*j), k.words[v][j])
		}
	}
	for round := range asm.PhiloxRounds {
		for v := range k.words {
			x, p, q := &k.words[v], k.t[0], k.t[1]
			k.asm("VPMULUDQ", k.mul[0], x[0], x[0])
			k.asm("VPMULUDQ", k.mul[1], x[2], x[2])
			k.asm("VPSRLQ", operand.U8(32), x[0], p)
			k.asm("VPSRLQ", operand.U8(32), x[2], q)
			k.asm("VPTERNLOGD_BCST", operand.U8(0x96), k.plus("Keys", 8*round), q, x[1])
			k.asm("VPTERNLOGD_BCST", operand.U8(0x96), k.plus("Keys", 8*round+4), p, x[3])
			x[0], x[1], x[2], x[3] = x[1], x[2], x[3], x[0]
		}
	}
}

// offsets makes of every word, as a number w with a sign, y = 2^32 (w + 0.5), and writes the offset of the cell for |y|
// to memory:
//
//	offset = |bits(y)| >> 48 << 5
func (k *normals512) offsets() {
	for word := range 4 {
		for v := range k.words {
			y, offset := k.words[v][word], k.t[(4*word+v)%len(k.t)]
			k.asm("VPSLLQ", operand.U8(32), y, y)
			k.asm("VCVTQQ2PD", y, y)
			k.asm("VADDPD", k.half, y, y)
			k.asm("VPANDQ", k.cell, y, offset)
			k.asm("VPSRLQ", operand.U8(48-5), offset, offset)
			k.asm("VMOVDQU64", offset, k.offset(4*word+v, 0))
		}
	}
}

// offset is the memory of the offset of lane l of a vector.
func (k *normals512) offset(vector, l int) operand.Mem {
	k.slots = max(k.slots, vector+1)
	return at(k.spill, 64*vector+8*l)
}

// normals writes the numbers for y of eight lanes:
//
//	t      = (bits(y) << 4 & fraction | bits(1)) - 1.5
//	normal = (((c3 t + c2) t + c1) t + c0), with the sign that y does not have
func (k *normals512) normals(y reg.Register, vector int, to operand.Mem) {
	t := k.t[4]
	k.asm("VPSLLQ", operand.U8(4), y, t)
	k.asm("VPTERNLOGQ", operand.U8(0xEA), k.one, k.fraction, t) // t & fraction | one
	k.asm("VSUBPD", k.middle, t, t)
	// Coefficients of lanes 0 and 2, 1 and 3, 4 and 6, 5 and 7.
	for i, lane := range []int{0, 1, 4, 5} {
		low, high := k.GP64(), k.GP64()
		k.MOVQ(k.offset(vector, lane), low)
		k.MOVQ(k.offset(vector, lane+2), high)
		cell := func(r reg.Register) operand.Mem { return operand.Mem{Base: k.table, Index: r, Scale: 1} }
		k.asm("VMOVUPD", cell(low), k.t[i].(reg.Vec).AsY())
		k.asm("VINSERTF64X4", operand.U8(1), cell(high), k.t[i], k.t[i])
	}
	k.asm("VUNPCKHPD", k.t[1], k.t[0], k.t[5]) // c1 and c3 of lanes 0 to 3
	k.asm("VUNPCKLPD", k.t[1], k.t[0], k.t[0]) // c0 and c2
	k.asm("VUNPCKHPD", k.t[3], k.t[2], k.t[6]) // of lanes 4 to 7
	k.asm("VUNPCKLPD", k.t[3], k.t[2], k.t[2])
	const first, second = 0x88, 0xDD                                // of the two of each pair of 128 bits
	k.asm("VSHUFF64X2", operand.U8(second), k.t[6], k.t[5], k.t[1]) // c3
	k.asm("VSHUFF64X2", operand.U8(second), k.t[2], k.t[0], k.t[3]) // c2
	k.asm("VSHUFF64X2", operand.U8(first), k.t[6], k.t[5], k.t[5])  // c1
	k.asm("VSHUFF64X2", operand.U8(first), k.t[2], k.t[0], k.t[0])  // c0
	k.asm("VFMADD213PD", k.t[3], t, k.t[1])
	k.asm("VFMADD213PD", k.t[5], t, k.t[1])
	k.asm("VFMADD213PD", k.t[0], t, k.t[1])
	k.asm("VPTERNLOGQ", operand.U8(0xD2), k.sign, y, k.t[1]) // t1 ^ (^y & sign)
	k.asm("VMOVUPD", k.t[1], to)
}
