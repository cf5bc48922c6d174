package main

import (
	"unsafe"

	"github.com/mmcloughlin/avo/operand"

	"popsim/kernels/asm"
)

// listBits lists the bits that are set, four at a time: mostly a word has no more. There is no vector in it.
func listBits(f *file, w isa) {
	if w.Name != avx2.Name {
		return
	}
	k := f.Func(w, "ListBits", "func(b *BitListBlock)", "is ListBitsGo.")
	const together = 4
	size := int(unsafe.Sizeof(asm.BitPlace(0)))
	in, list, rows, words := k.Value("Bits"), k.Value("List"), k.Value("Rows"), k.Value("Words")
	n, left, set, count := k.GP64(), k.GP64(), k.GP64(), k.GP64()
	to, row, first, place := k.GP64(), k.GP64(), k.GP64(), k.GP64()
	k.XORQ(n, n)
	k.XORQ(row, row)
	k.Loop("row", rows, func() {
		k.MOVQ(n, k.Field("BeforeLast"))
		k.MOVQ(row, first)
		k.MOVQ(words, left)
		k.Loop("word", left, func() {
			k.MOVQ(at(in, 0), set)
			k.POPCNTQ(set, count)
			k.LEAQ(operand.Mem{Base: list, Index: n, Scale: uint8(size)}, to)
			k.Label("four")
			for i := range together {
				k.TZCNTQ(set, place)
				k.ADDL(first.As32(), place.As32())
				k.MOVL(place.As32(), at(to, size*i))
				k.BLSRQ(set, set)
			}
			k.JNZ(k.Later("more", func() { // the last BLSRQ left some
				k.ADDQ(imm(size*together), to)
				k.JMP(operand.LabelRef("four"))
			}))
			k.ADDQ(count, n)
			k.ADDQ(imm(64), first)
			k.ADDQ(imm(8), in)
		})
		k.ADDQ(operand.U32(1<<16), row)
	})
	k.MOVQ(n, k.Field("N"))
	k.End()
}
