package main

import (
	"unsafe"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

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

// listNear lists bits as listBits does, with the distances of each: what it reads for a place of no bit means nothing.
func listNear(f *file, w isa) {
	if w.Name != avx2.Name {
		return
	}
	k := f.Func(w, "ListNear", "func(b *NearBlock)", "is ListNearGo.")
	const together = 4
	in, list, before, after := k.Value("Bits"), k.Value("List"), k.Value("Before"), k.Value("After")
	n, end, left, set, place, x := k.GP64(), k.GP64(), k.GP64(), k.GP64(), k.GP64(), k.GP64()
	row, first, now, next := k.GP32(), k.GP32(), k.Value("Distances"), k.GP64()
	// to is element i after element n of what is at base.
	to := func(base reg.GPVirtual, size, i int) operand.Mem {
		return operand.Mem{Base: base, Index: n, Scale: uint8(size), Disp: size * i}
	}
	k.XORQ(n, n)
	k.XORL(row, row)
	k.Label("row")
	k.MOVL(row, first)
	k.ADDL(operand.U32(1<<16), row)
	k.MOVQ(k.Field("Stride"), x)
	k.LEAQ(operand.Mem{Base: now, Index: x, Scale: 8}, next)
	k.MOVL(row, x.As32())
	k.SHRL(operand.U8(16), x.As32())
	k.CMPQ(x, k.Field("Rows"))
	k.CMOVQEQ(k.Field("Gap"), next)
	k.MOVQ(k.Field("Words"), left)
	k.Loop("word", left, func() {
		k.MOVQ(at(in, 0), set)
		k.POPCNTQ(set, end)
		k.ADDQ(n, end)
		k.Label("four")
		for i := range together {
			k.TZCNTQ(set, place)
			k.MOVQ(operand.Mem{Base: now, Index: place, Scale: 8}, x)
			k.MOVQ(x, to(before, 8, i))
			k.MOVQ(operand.Mem{Base: next, Index: place, Scale: 8}, x)
			k.MOVQ(x, to(after, 8, i))
			k.ADDL(first, place.As32())
			k.MOVL(place.As32(), to(list, 4, i))
			k.BLSRQ(set, set)
		}
		k.JNZ(k.Later("more", func() { // the last BLSRQ left some
			k.ADDQ(imm(together), n)
			k.JMP(operand.LabelRef("four"))
		}))
		k.MOVQ(end, n)
		k.ADDL(imm(64), first)
		k.ADDQ(imm(8), in)
		k.ADDQ(operand.I32(8*64), now)
		k.ADDQ(operand.I32(8*64), next)
	})
	k.MOVQ(k.Field("Words"), x) // from the end of the row to the next
	k.SHLQ(imm(6), x)
	k.NEGQ(x)
	k.ADDQ(k.Field("Stride"), x)
	k.LEAQ(operand.Mem{Base: now, Index: x, Scale: 8}, now)
	k.MOVL(row, x.As32())
	k.SHRL(operand.U8(16), x.As32())
	k.CMPQ(x, k.Field("Rows"))
	k.JLT(operand.LabelRef("row"))
	k.MOVQ(n, k.Field("N"))
	k.End()
}
