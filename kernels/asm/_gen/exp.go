package main

// exp is the kernel dst[i] = e^src[i].
func exp(f *file, w isa) {
	const S = 8 // interleaved vectors
	k := f.Func(w, "Exp", "func(dst, src *float64, n int)",
		"writes e^src[i] to dst[i] for i < n, a multiple of 64; -708.39 <= src[i] <= 709.78.")
	dst, src, n := k.Arg("dst"), k.Arg("src"), k.Arg("n")
	k.SHRQ(imm(log2(S*w.Lanes)), n)
	k.Loop("group", n, func() {
		k.Block("e^x", func(b *Block) {
			for s := range S {
				b.Store(at(dst, s*w.Bytes()), b.Exp(b.Load(at(src, s*w.Bytes()))))
			}
		})
		k.ADDQ(imm(S*w.Bytes()), dst)
		k.ADDQ(imm(S*w.Bytes()), src)
	})
	k.End()
}
