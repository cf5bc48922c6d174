package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// addAlike adds one triple to the triples of targets: two numbers at once, and the third.
func addAlike(f *file, w isa) {
	if w.Name != avx2.Name {
		return
	}
	k := f.Func(w, "AddAlike", "func(b *AlikeBlock)", "is AddAlikeGo.")
	row, to, blocks := k.Value("Row"), k.Value("To"), k.Value("Blocks")
	place := k.GP64()
	k.TESTQ(blocks, blocks)
	k.JEQ(operand.LabelRef("done"))
	k.asm("VMOVUPD", k.Field("Add"), reg.X0)
	third := k.Field("Add")
	third.Disp += 16
	k.asm("VMOVSD", third, reg.X1)
	k.Loop("block", blocks, func() {
		for i := range 4 {
			at := operand.Mem{Base: row, Index: place, Scale: 8}
			k.MOVWLZX(operand.Mem{Base: to, Disp: 2 * i}, place.As32())
			k.LEAQ(operand.Mem{Base: place, Index: place, Scale: 2}, place)
			k.asm("VADDPD", at, reg.X0, reg.X2)
			k.asm("VMOVUPD", reg.X2, at)
			at.Disp = 16
			k.asm("VADDSD", at, reg.X1, reg.X2)
			k.asm("VMOVSD", reg.X2, at)
		}
		k.ADDQ(imm(8), to)
	})
	k.Label("done")
	k.End()
}
