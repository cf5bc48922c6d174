package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// countTargets counts a line of targets at a time, and prefetches for each the line that lies as far from the beginning
// of the list that comes next. There is no vector in it.
func countTargets(f *file, w isa) {
	if w.Name != avx2.Name {
		return
	}
	const targets, inLine = 4, 8 // of a block; blocks
	k := f.Func(w, "CountTargets", "func(b *TargetsBlock)", "is CountTargetsGo.")
	counts, list, lists := k.Value("Counts"), k.Value("Lists"), k.GP64()
	length := k.Field("Lists")
	length.Disp += 8
	k.MOVQ(length, lists)
	first, left, next := k.GP64(), k.GP64(), k.GP64()
	var to [targets]reg.GPVirtual
	for i := range to {
		to[i] = k.GP64()
	}
	count := func(block int) {
		for i, x := range to {
			k.MOVWLZX(at(first, 2*(targets*block+i)), x.As32())
		}
		for _, x := range to {
			k.INCB(operand.Mem{Base: counts, Index: x, Scale: 1})
		}
	}
	k.TESTQ(lists, lists)
	k.JEQ(operand.LabelRef("done"))
	k.MOVQ(at(list, 0), next)
	k.Label("list")
	k.MOVQ(next, first)
	k.MOVQ(at(list, 8), left)
	k.ADDQ(imm(16), list)
	k.DECQ(lists)
	k.JEQ(operand.LabelRef("last"))
	k.MOVQ(at(list, 0), next)
	k.Label("last")
	k.SUBQ(imm(inLine), left)
	k.JLT(operand.LabelRef("rest"))
	ahead := k.GP64()
	k.MOVQ(next, ahead)
	k.Label("line")
	k.PREFETCHT0(at(ahead, 0))
	for i := range inLine {
		count(i)
	}
	k.ADDQ(imm(line), first)
	k.ADDQ(imm(line), ahead)
	k.SUBQ(imm(inLine), left)
	k.JGE(operand.LabelRef("line"))
	k.Label("rest")
	k.ADDQ(imm(inLine), left)
	k.JEQ(operand.LabelRef("counted"))
	k.Label("block")
	count(0)
	k.ADDQ(imm(2*targets), first)
	k.DECQ(left)
	k.JGT(operand.LabelRef("block"))
	k.Label("counted")
	k.TESTQ(lists, lists)
	k.JGT(operand.LabelRef("list"))
	k.Label("done")
	k.End()
}

// sumCounts adds up the bytes of two vectors at a time: VPSADBW adds up eight in a word of 64 bits.
func sumCounts(f *file, w isa) {
	if w.Name != avx2.Name {
		return
	}
	k := f.Func(w, "SumCounts", "func(b *CountSumBlock)", "is SumCountsGo.")
	counts, left := k.Value("Counts"), k.GP64()
	length := k.Field("Counts")
	length.Disp += 8
	k.MOVQ(length, left)
	k.SHRQ(imm(log2(line)), left)
	zero, sums := reg.Y0, []reg.VecPhysical{reg.Y1, reg.Y2}
	for _, x := range append(sums, zero) {
		k.asm("VPXOR", x, x, x)
	}
	k.TESTQ(left, left)
	k.JEQ(operand.LabelRef("none"))
	k.Loop("line", left, func() {
		for i, sum := range sums {
			x := []reg.Register{reg.Y3, reg.Y4}[i]
			k.asm("VPSADBW", at(counts, i*w.Bytes()), zero, x)
			k.asm("VPADDQ", x, sum, sum)
		}
		k.ADDQ(imm(line), counts)
	})
	k.Label("none")
	k.asm("VPADDQ", reg.Y1, reg.Y2, reg.Y1)
	k.asm("VEXTRACTI128", operand.U8(1), reg.Y1, reg.X2)
	k.asm("VPADDQ", reg.X1, reg.X2, reg.X1)
	low, high := k.GP64(), k.GP64()
	k.asm("VMOVQ", reg.X1, low)
	k.asm("VPEXTRQ", operand.U8(1), reg.X1, high)
	k.ADDQ(high, low)
	k.MOVQ(low, k.Field("Sum"))
	k.End()
}
