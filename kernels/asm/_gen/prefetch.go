package main

import (
	"github.com/mmcloughlin/avo/operand"

	"popsim/kernels/asm"
)

// line is the bytes of a cache line.
const line = 64

// prefetch and prefetchRange write functions without vectors, the same for every instruction set.
func prefetch(f *file, w isa) {
	if w.Name != isas[0].Name {
		return
	}
	k := f.Func(isa{}, "Prefetch", "func(c *Column)", "prefetches a column that is used next.")
	c := k.Arg("c")
	for i := 0; i < 8*asm.Group; i += line {
		k.PREFETCHT0(at(c, i))
	}
	k.RET()
}

func prefetchRange(f *file, w isa) {
	if w.Name != isas[0].Name {
		return
	}
	k := f.Func(isa{}, "PrefetchRange", "func(p uintptr, n int)",
		"prefetches all cache lines of the n bytes from address p on; n is at least 1.")
	p, end := k.Arg("p"), k.Arg("n")
	k.ADDQ(p, end)
	k.ANDQ(operand.I8(-line), p)
	k.Label("line")
	k.PREFETCHT0(at(p, 0))
	k.ADDQ(imm(line), p)
	k.CMPQ(p, end)
	k.JLT(operand.LabelRef("line"))
	k.RET()
}
