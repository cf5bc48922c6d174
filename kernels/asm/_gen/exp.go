package main

import "math"

// The coefficients of e^r = 1 + r + r²/2 + ... on |r| <= ln2/2: least squares on Chebyshev nodes, rounded one at a time.
var expC = [12]float64{
	1, 1, 0.5, 0x1.55555555554bdp-3, 0x1.55555555530e8p-5, 0x1.1111111138239p-7, 0x1.6c16c17d145c4p-10,
	0x1.a01a00cd39cb8p-13, 0x1.a019aa441ce01p-16, 0x1.71dffc265db7cp-19, 0x1.28a061999b750p-22, 0x1.ac236999e0b80p-26,
}

// The coefficients of 2^r on |r| <= 1/2, likewise.
var exp2C = [12]float64{
	1, math.Ln2, 0x1.ebfbdff82c5a5p-3, 0x1.c6b08d704a122p-5, 0x1.3b2ab6fb9ffb3p-7, 0x1.5d87fe78a111cp-10, 0x1.4309130f139cbp-13,
	0x1.ffcbfc595bcf6p-17, 0x1.62bfc71ea7788p-20, 0x1.b5253f6036401p-24, 0x1.e61c1058a1947p-28, 0x1.e9471c875b804p-32,
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
	return b.power(r, t, expC)
}

// Exp2 is 2^x for x in [-1022, 1024), to 0.8 ulp; see Exp. The remainder x - n is exact.
func (b *Block) Exp2(x Vec) Vec {
	t := b.Add(x, b.Const(magic))
	return b.power(b.Sub(x, b.Sub(t, b.Const(magic))), t, exp2C)
}

// power is the polynomial c in r, times 2 to the integer behind the magic in t.
func (b *Block) power(r, t Vec, coefficients [12]float64) Vec {
	c := func(i int) Vec { return b.Const(coefficients[i]) }
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
