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
	k := f.Func(w, "CountBits", "func(b *BitRowsBlock)", "is CountBitsGo.")
	n, planes, offset := k.Value("Blocks"), k.Value("Planes"), k.GP64()
	first := k.Field("Rows")
	var rows [8]reg.GPVirtual
	for i := range rows {
		rows[i] = k.GP64()
		m := first
		m.Disp += 8 * i
		k.MOVQ(m, rows[i])
	}
	next := k.GP64()
	k.XORQ(offset, offset)
	k.Loop("blocks", n, func() {
		for i := range rows { // a line of each, so that these reads are spread over the kernel
			m := k.Field("Next")
			m.Disp += 8 * i
			k.MOVQ(m, next)
			k.PREFETCHT0(operand.Mem{Base: next, Index: offset, Scale: 1})
		}
		for part := 0; part < 64; part += w.Bytes() {
			k.countPart(&rows, offset, planes, part)
		}
		k.ADDQ(imm(64), offset)
		k.ADDQ(operand.U32(512), planes)
	})
	k.End()
}

// countPart adds one vector of each row, part bytes after the start of a block.
func (f *Func) countPart(rows *[8]reg.GPVirtual, offset, planes reg.GPVirtual, part int) {
	v := func(i int) reg.Register { return f.W.register(vec.VectorReg(i)) }
	move, and, xor := "VMOVDQU", "VPAND", "VPXOR"
	if f.W.kmask() {
		move, and, xor = "VMOVDQU64", "VPANDQ", "VPXORQ"
	}
	load := func(i, to int) {
		f.asm(move, operand.Mem{Base: rows[i], Index: offset, Scale: 1, Disp: part}, v(to))
	}
	const ones, twos, fours, carry = 0, 1, 2, 3
	for i := range 3 {
		f.asm(move, at(planes, 64*i+part), v(i))
	}
	for half := range 2 { // four rows each, whose fours go to registers 14 and 15
		for pair := range 2 {
			load(4*half+2*pair, 8)
			load(4*half+2*pair+1, 9)
			f.saveCarry(v(10+pair), v(ones), v(8), v(9))
		}
		f.saveCarry(v(14+half), v(twos), v(10), v(11))
	}
	f.saveCarry(v(carry), v(fours), v(14), v(15))
	for i := range 3 {
		f.asm(move, v(i), at(planes, 64*i+part))
	}
	for i := 3; i < 8; i++ { // the eights ripple through
		f.asm(move, at(planes, 64*i+part), v(8))
		f.asm(xor, v(carry), v(8), v(9))
		f.asm(and, v(carry), v(8), v(carry))
		f.asm(move, v(9), at(planes, 64*i+part))
	}
}

// saveCarry makes sum the sum of sum, b and c, and carry their carry. Without VPTERNLOGQ it overwrites b.
func (f *Func) saveCarry(carry, sum, b, c reg.Register) {
	if f.W.kmask() {
		f.asm("VMOVDQA64", sum, carry)
		f.asm("VPTERNLOGQ", operand.U8(majority), c, b, carry)
		f.asm("VPTERNLOGQ", operand.U8(parity), c, b, sum)
		return
	}
	f.asm("VPAND", b, sum, carry)
	f.asm("VPXOR", b, sum, b)
	f.asm("VPXOR", c, b, sum)
	f.asm("VPAND", c, b, b)
	f.asm("VPOR", b, carry, carry)
}

// addBits adds count times weight to 64 lanes at a time. The counts of lanes, one byte each, are made of the planes and
// pass through memory.
func addBits(f *file, w isa) {
	k := f.Func(w, "AddBits", "func(b *BitRowsBlock)", "is AddBitsGo.")
	k.slots = 1
	v := func(i int) reg.Register { return w.register(vec.VectorReg(i)) }
	const number, product, zero, weight = 0, 1, 2, 15
	const blockBytes = 8 * 64 // of planes
	move := "VMOVDQU"
	if w.kmask() {
		move = "VMOVDQU64"
	}
	n, block, planes, row, words := k.Value("Words"), k.Value("Planes"), k.GP64(), k.Value("Row"), k.GP64()
	k.asm("VBROADCASTSD", k.Field("Weight"), v(weight))
	bytes := k.bytesOfBits()
	k.asm("VPXOR", v(zero).(reg.Vec).AsY(), v(zero).(reg.Vec).AsY(), v(zero).(reg.Vec).AsY())
	k.Label("block")
	k.MOVQ(block, planes)
	k.MOVQ(operand.U32(8), words)
	k.Label("word")
	for part := 0; part < 64; part += w.Bytes() {
		next := operand.LabelRef(k.NewLabel("none"))
		bytes(planes, part, next)
		for g := part; g < part+w.Bytes(); g += w.Lanes {
			if w.kmask() {
				k.asm("VPMOVZXBQ", at(k.spill, g), v(number))
				k.asm("VCVTQQ2PD", v(number), v(number))
			} else {
				k.asm("VPMOVZXBD", at(k.spill, g-part), v(number).(reg.Vec).AsX())
				k.asm("VCVTDQ2PD", v(number).(reg.Vec).AsX(), v(number))
			}
			k.asm("VMULPD", v(weight), v(number), v(product))
			k.asm("VADDPD", at(row, 8*g), v(product), v(product))
			k.asm("VMOVUPD", v(product), at(row, 8*g))
		}
		k.Label(string(next))
	}
	clearBlock := func() { // by whole lines: each store of a word would write a line of its own
		for part := 0; part < blockBytes; part += w.Bytes() {
			k.asm(move, v(zero), at(block, part))
		}
	}
	k.ADDQ(imm(8), planes)
	k.ADDQ(operand.U32(8*64), row)
	k.SUBQ(imm(1), n)
	k.JEQ(operand.LabelRef("done"))
	k.SUBQ(imm(1), words)
	k.JNE(operand.LabelRef("word"))
	clearBlock()
	k.ADDQ(operand.U32(blockBytes), block)
	k.JMP(operand.LabelRef("block"))
	k.Label("done")
	clearBlock()
	k.End()
}

// bytesOfBits returns what writes the counts of as many lanes as a vector has bytes, from lane part of a word on, to
// the stack; it jumps to a label if all are 0.
func (f *Func) bytesOfBits() func(planes reg.GPVirtual, part int, none operand.LabelRef) {
	v := func(i int) reg.Register { return f.W.register(vec.VectorReg(i)) }
	const count, bit = 8, 16 // bit + j: bytes of 1<<j
	if f.W.kmask() {
		number := f.GP64()
		for j := range 8 {
			f.MOVQ(operand.U32(1<<j), number)
			f.asm("VPBROADCASTB", number.As32(), v(bit+j))
		}
		return func(planes reg.GPVirtual, _ int, none operand.LabelRef) {
			f.asm("VPXORQ", v(count), v(count), v(count))
			for j := range 8 {
				f.asm("KMOVQ", at(planes, 64*j), reg.K1)
				f.asm("VPADDB", v(bit+j), v(count), reg.K1, v(count))
			}
			f.asm("VPTESTMQ", v(count), v(count), reg.K1)
			f.asm("KORTESTB", reg.K1, reg.K1)
			f.JEQ(none)
			f.asm("VMOVDQU64", v(count), at(f.spill, 0))
		}
	}
	// Byte l of spread is the number of the byte of a word of 32 bits that holds bit l, byte l of bits that bit.
	const spread, bits, mask = 14, 13, 9
	constant := func(u uint64) operand.Mem { m, _ := f.constant(u); return m }
	x := func(i int) reg.Register { return v(i).(reg.Vec).AsX() }
	f.asm("VMOVDQU", constant(0x8040201008040201), v(bits))
	for half := range 2 {
		f.asm("VMOVQ", constant(uint64(2*half)*0x0101010101010101), x(10))
		f.asm("VMOVQ", constant(uint64(2*half+1)*0x0101010101010101), x(11))
		f.asm("VPUNPCKLQDQ", x(11), x(10), x(12+2*half))
	}
	f.asm("VINSERTI128", operand.U8(1), x(14), v(12), v(spread))
	return func(planes reg.GPVirtual, part int, none operand.LabelRef) {
		f.asm("VPXOR", v(count), v(count), v(count))
		for j := 7; j >= 0; j-- {
			f.asm("VPBROADCASTD", at(planes, 64*j+part/8), v(mask))
			f.asm("VPSHUFB", v(spread), v(mask), v(mask))
			f.asm("VPAND", v(bits), v(mask), v(mask))
			f.asm("VPCMPEQB", v(bits), v(mask), v(mask)) // -1 where the bit is set
			f.asm("VPADDB", v(count), v(count), v(count))
			f.asm("VPSUBB", v(mask), v(count), v(count))
		}
		f.asm("VPTEST", v(count), v(count))
		f.JEQ(none)
		f.asm("VMOVDQU", v(count), at(f.spill, 0))
	}
}
