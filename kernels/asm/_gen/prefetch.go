package main

import "popsim/kernels/asm"

// prefetch writes the one function that has no vectors and serves every instruction set.
func prefetch(f *file, w isa) {
	if w.Name != isas[0].Name {
		return
	}
	k := f.Func(isa{}, "Prefetch", "func(c *Column)", "asks for the memory of a column that is wanted soon.")
	c := k.Arg("c")
	const line = 64 // bytes
	for i := 0; i < 8*asm.Group; i += line {
		k.PREFETCHT0(at(c, i))
	}
	k.RET()
}
