package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"popsim/kernels/vec"
)

// Truth tables of three inputs, for VPTERNLOGQ: bit i is the value where the inputs are the bits of i.
const (
	majority = 0xE8
	parity   = 0x96
)

// countBits adds eight rows of bits to planes of counts by carry-save adders (Harley and Seal): an adder takes three
// bits of one value to a sum of that value and a carry of the next.
func countBits(f *file, w isa) {
	if !w.kmask() {
		return
	}
	k := f.Func(w, "CountBits", "func(b *BitRowsBlock)", "is CountBitsGo.")
	v := func(i int) reg.Register { return w.register(vec.VectorReg(i)) }
	n, planes, offset := k.Value("Blocks"), k.Value("Planes"), k.GP64()
	first := k.Field("Rows")
	var rows [8]reg.GPVirtual
	for i := range rows {
		rows[i] = k.GP64()
		m := first
		m.Disp += 8 * i
		k.MOVQ(m, rows[i])
	}
	k.XORQ(offset, offset)
	load := func(i, to int) {
		k.asm("VMOVDQU64", operand.Mem{Base: rows[i], Index: offset, Scale: 1}, v(to))
	}
	add := func(carry, sum, b, c int) { // of sum, b and c
		k.asm("VMOVDQA64", v(sum), v(carry))
		k.asm("VPTERNLOGQ", operand.U8(majority), v(c), v(b), v(carry))
		k.asm("VPTERNLOGQ", operand.U8(parity), v(c), v(b), v(sum))
	}
	const ones, twos, fours, carry = 0, 1, 2, 3
	k.Loop("blocks", n, func() {
		for i := range 3 {
			k.asm("VMOVDQU64", at(planes, 64*i), v(i))
		}
		for half := range 2 { // four rows each, whose fours go to registers 14 and 15
			for pair := range 2 {
				load(4*half+2*pair, 8)
				load(4*half+2*pair+1, 9)
				add(10+pair, ones, 8, 9)
			}
			add(14+half, twos, 10, 11)
		}
		add(carry, fours, 14, 15)
		for i := range 3 {
			k.asm("VMOVDQU64", v(i), at(planes, 64*i))
		}
		for i := 3; i < 8; i++ { // the eights ripple through
			k.asm("VMOVDQU64", at(planes, 64*i), v(8))
			k.asm("VPXORQ", v(carry), v(8), v(9))
			k.asm("VPANDQ", v(carry), v(8), v(carry))
			k.asm("VMOVDQU64", v(9), at(planes, 64*i))
		}
		k.ADDQ(imm(64), offset)
		k.ADDQ(operand.U32(512), planes)
	})
	k.End()
}

// addBits adds a weight to 64 lanes at a time, in eight vectors, for each threshold below their largest count: to those
// whose count is above it.
func addBits(f *file, w isa) {
	if !w.kmask() {
		return
	}
	k := f.Func(w, "AddBits", "func(b *BitRowsBlock)", "is AddBitsGo.")
	v := func(i int) reg.Register { return w.register(vec.VectorReg(i)) }
	const count, threshold, bit, weight = 8, 9, 16, 26 // bit + j: bytes of 1<<j
	const above = 6                                    // predicate of VPCMPUB
	n, planes, row, words, number := k.Value("Blocks"), k.Value("Planes"), k.Value("Row"), k.GP64(), k.GP64()
	for j := range 8 {
		k.MOVQ(operand.U32(1<<j), number)
		k.asm("VPBROADCASTB", number.As32(), v(bit+j))
	}
	k.asm("VBROADCASTSD", k.Field("Weight"), v(weight))
	compare := func() {
		k.asm("VPCMPUB", operand.U8(above), v(threshold), v(count), reg.K1)
		k.asm("KORTESTQ", reg.K1, reg.K1)
	}
	k.SHLQ(imm(3), n)
	k.MOVQ(operand.U32(8), words)
	k.Label("word")
	k.asm("VPXORQ", v(count), v(count), v(count))
	k.asm("VPXORQ", v(threshold), v(threshold), v(threshold))
	k.XORQ(number, number)
	for j := range 8 {
		k.asm("KMOVQ", at(planes, 64*j), reg.K1)
		k.asm("VPADDB", v(bit+j), v(count), reg.K1, v(count))
		k.MOVQ(number, at(planes, 64*j))
	}
	compare()
	k.JEQ(operand.LabelRef("next"))
	for g := range 8 {
		k.asm("VMOVUPD", at(row, 64*g), v(g))
	}
	k.Label("add")
	for g := range 8 {
		mask := reg.K1
		if g > 0 {
			mask = []reg.OpmaskPhysical{reg.K2, reg.K3, reg.K4, reg.K5}[g%4]
			k.asm("KSHIFTRQ", operand.U8(8*g), reg.K1, mask)
		}
		k.asm("VADDPD", v(weight), v(g), mask, v(g))
	}
	k.asm("VPADDB", v(bit), v(threshold), v(threshold))
	compare()
	k.JNE(operand.LabelRef("add"))
	for g := range 8 {
		k.asm("VMOVUPD", v(g), at(row, 64*g))
	}
	k.Label("next")
	k.ADDQ(imm(8), planes)
	k.ADDQ(operand.U32(512), row)
	k.SUBQ(imm(1), words)
	k.JNE(operand.LabelRef("more"))
	k.ADDQ(operand.U32(512-64), planes)
	k.MOVQ(operand.U32(8), words)
	k.Label("more")
	k.SUBQ(imm(1), n)
	k.JNE(operand.LabelRef("word"))
	k.End()
}
