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

// gatherNear gathers value by value: vectors of AVX-512 take as long for it.
func gatherNear(f *file, w isa) {
	if w.Name != avx2.Name {
		return
	}
	k := f.Func(w, "GatherNear", "func(b *NearBlock)", "is GatherNearGo.")
	list, laneIDs, rows, stride := k.Value("List"), k.Value("LaneIDs"), k.Value("Rows"), k.Value("Stride")
	ids, counters, before, after := k.Value("IDs"), k.Value("Counters"), k.Value("Before"), k.Value("After")
	i, next, counter := k.GP64(), k.GP64(), k.GP64()
	element := func(base, index reg.GPVirtual, size uint8) operand.Mem {
		return operand.Mem{Base: base, Index: index, Scale: size}
	}
	// gather does so for places up to end; of a lane After is at the start of next or, with rows, of its row there.
	gather := func(end operand.Mem, inRows bool) {
		top, done := k.NewLabel("place"), k.NewLabel("done")
		k.CMPQ(i, end)
		k.JGE(operand.LabelRef(done))
		k.Label(top)
		lane, row, x := k.GP64(), k.GP64(), k.GP64()
		k.MOVL(element(list, i, 4), row.As32())
		k.MOVWLZX(row.As16(), lane.As32())
		k.SHRL(operand.U8(16), row.As32())
		k.MOVL(element(laneIDs, lane, 4), x.As32())
		k.MOVL(x.As32(), element(ids, i, 4))
		k.LEAL(operand.Mem{Base: counter, Index: row, Scale: 1}, x.As32())
		k.MOVL(x.As32(), element(counters, i, 4))
		k.IMULQ(stride, row)
		k.ADDQ(lane, row)
		if inRows {
			k.MOVQ(row, lane)
		}
		k.MOVQ(element(rows, row, 8), x)
		k.MOVQ(x, element(before, i, 8))
		k.MOVQ(element(next, lane, 8), x)
		k.MOVQ(x, element(after, i, 8))
		k.INCQ(i)
		k.CMPQ(i, end)
		k.JLT(operand.LabelRef(top))
		k.Label(done)
	}
	k.MOVL(k.Field("First"), counter.As32())
	k.XORQ(i, i)
	k.LEAQ(element(rows, stride, 8), next)
	gather(k.Field("BeforeLast"), true)
	k.MOVQ(k.Field("Gap"), next)
	gather(k.Field("N"), false)
	k.End()
}
