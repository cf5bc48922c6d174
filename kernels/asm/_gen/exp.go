package main

// The coefficients of e^r = 1 + r + r²/2 + ... on |r| <= ln2/2: least squares on Chebyshev nodes, rounded one at a time.
var expC = [12]float64{
	1, 1, 0.5, 0x1.55555555554bdp-3, 0x1.55555555530e8p-5, 0x1.1111111138239p-7, 0x1.6c16c17d145c4p-10,
	0x1.a01a00cd39cb8p-13, 0x1.a019aa441ce01p-16, 0x1.71dffc265db7cp-19, 0x1.28a061999b750p-22, 0x1.ac236999e0b80p-26,
}

// The coefficients of 2^r on |r| <= 1/2, likewise, to 1e-12.
var exp2C = [9]float64{
	1, 0x1.62e42fef863fep-1, 0x1.ebfbdff8ccfe7p-3, 0x1.c6b08dd418aa5p-5, 0x1.3b2ab618fb4a4p-7, 0x1.5d87488d3d0f3p-10,
	0x1.430a636c5bc93p-13, 0x1.00daa1aa4da77p-16, 0x1.6208e90f714d6p-20,
}

const (
	magic  = 0x1.8p52              // added and subtracted, it rounds to an integer, which then stands in the low bits
	log2e  = 0x1.71547652b82fep+0  //
	ln2a   = 0x1.62e42fefa3800p-1  // ln 2 to 42 bits, so that n·ln2a is exact
	ln2b   = 0x1.ef35793c76730p-45 // and the rest
	expLo  = -0x1.6232bdd7abcd2p+9 // -708.39: the least that Exp takes
	exp2Lo = -1022.0
)

// Exp is e^x for x in [-708.39, 709.78], to 0.93 ulp: x = n ln 2 + r, a polynomial in r by even and odd powers (half the latency of
// Horner), and n added to the exponent. Outside that range the result is meaningless.
func (b *Block) Exp(x Vec) Vec {
	t := b.FMA(x, b.Const(log2e), b.Const(magic))
	n := b.Sub(t, b.Const(magic))
	r := b.FNMA(n, b.Const(ln2a), x)
	r = b.FNMA(n, b.Const(ln2b), r)
	c := func(i int) Vec { return b.Const(expC[i]) }
	z := b.Mul(r, r)
	odd := b.FMA(z, c(11), c(9))
	even := b.FMA(z, c(10), c(8))
	for i := 7; i > 2; i -= 2 {
		odd = b.FMA(odd, z, c(i))
		even = b.FMA(even, z, c(i-1))
	}
	q := b.FMA(odd, r, even)
	p := b.FMA(b.FMA(q, r, c(1)), r, c(0))
	return b.AddI(p, b.ShlI(t, 52))
}

// Exp2Near is 2^x for x in [-1022, 1024), to 1e-12; see kernels/math.go. The remainder x - n is exact.
func (b *Block) Exp2Near(x Vec) Vec {
	c := func(i int) Vec { return b.Const(exp2C[i]) }
	t := b.Add(x, b.Const(magic))
	r := b.Sub(x, b.Sub(t, b.Const(magic)))
	z := b.Mul(r, r)
	odd := b.FMA(z, c(7), c(5))
	even := b.FMA(z, c(8), c(6))
	odd = b.FMA(odd, z, c(3))
	even = b.FMA(even, z, c(4))
	odd = b.FMA(odd, z, c(1))
	even = b.FMA(even, z, c(2))
	return b.AddI(b.FMA(even, z, b.FMA(odd, r, c(0))), b.ShlI(t, 52))
}

// exp is the kernel dst[i] = e^src[i].
func exp(f *file, w isa) {
	const S = 8 // interleaved vectors
	k := f.Func(w, "Exp", "func(dst, src *float64, n int)", "writes e^src[i] to dst[i] for i < n, a multiple of 64; -708.39 <= src[i] <= 709.78.")
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
