package vec

import "popsim/kernels/asm"

// Exp is e^x for asm.ExpLo ≤ x ≤ asm.ExpHi; error at most 0.93 ulp. Outside that range, and for NaN, the result is
// undefined. With x = n ln 2 + r it is a polynomial in r, summed by even and odd powers (half the latency of Horner's
// rule), with n added to the exponent.
func (b *Block) Exp(x Vec) Vec {
	c := b.Const
	t := b.FMA(x, c(asm.Log2E), c(asm.Magic))
	n := b.Sub(t, c(asm.Magic))
	r := b.FNMA(n, c(asm.Ln2Hi), x)
	r = b.FNMA(n, c(asm.Ln2Lo), r)
	z := b.Mul(r, r)
	odd := b.FMA(z, c(asm.ExpC11), c(asm.ExpC9))
	even := b.FMA(z, c(asm.ExpC10), c(asm.ExpC8))
	odd = b.FMA(odd, z, c(asm.ExpC7))
	even = b.FMA(even, z, c(asm.ExpC6))
	odd = b.FMA(odd, z, c(asm.ExpC5))
	even = b.FMA(even, z, c(asm.ExpC4))
	odd = b.FMA(odd, z, c(asm.ExpC3))
	even = b.FMA(even, z, c(asm.ExpC2))
	q := b.FMA(odd, r, even)
	p := b.FMA(b.FMA(q, r, c(1)), r, c(1))
	return b.AddI(p, b.ShlI(t, 52))
}

// ExpWithin is e^x for lo ≤ x ≤ hi, relative error 2e-16 e^-x: see Expm1Within.
func (b *Block) ExpWithin(x Vec, lo, hi float64) Vec {
	return b.Add(b.Expm1Within(x, lo, hi), b.Const(1))
}

// Expm1Within is e^x - 1 for lo ≤ x ≤ hi, numbers around 0 and at most 1 apart from it, relative error 2e-16, as
// x + x²q(x).
func (b *Block) Expm1Within(x Vec, lo, hi float64) Vec {
	z := b.Mul(x, x)
	return b.FMA(b.expm1Tail(x, z, within{lo, hi, expm1Error}), z, x)
}

// Expm1ShareWithin is (e^x - 1)/x for x as of Expm1Within, with the same error; 1 at 0.
func (b *Block) Expm1ShareWithin(x Vec, lo, hi float64) Vec {
	return b.Expm1ShareNear(x, lo, hi, expm1Error)
}

// Expm1ShareNear is Expm1ShareWithin with a given relative error.
func (b *Block) Expm1ShareNear(x Vec, lo, hi, error float64) Vec {
	return b.FMA(b.expm1Tail(x, b.Mul(x, x), within{lo, hi, error}), x, b.Const(1))
}

// Expm1Tail is the coefficients of the polynomial of Expm1ShareNear.
func Expm1Tail(lo, hi, error float64) []float64 { return expm1Tail(within{lo, hi, error}) }

// expm1Tail is q(x) of Expm1Within, by even and odd powers; z is x².
func (b *Block) expm1Tail(x, z Vec, w within) Vec {
	c := expm1Tail(w)
	sum := func(k int) Vec { // c[k] + c[k+2] z + ...
		last := k + (len(c)-1-k)/2*2
		s := b.Const(c[last])
		for j := last - 2; j >= k; j -= 2 {
			s = b.FMA(s, z, b.Const(c[j]))
		}
		return s
	}
	q := sum(0)
	if len(c) > 1 {
		q = b.FMA(sum(1), x, q)
	}
	return q
}

// Exp2Near is 2^x for asm.Exp2Lo ≤ x ≤ asm.Exp2Hi with a relative error of 1e-12, exact for whole x. The remainder x -
// n is exact.
func (b *Block) Exp2Near(x Vec) Vec {
	c := b.Const
	t := b.Add(x, c(asm.Magic))
	r := b.Sub(x, b.Sub(t, c(asm.Magic)))
	z := b.Mul(r, r)
	odd := b.FMA(z, c(asm.Exp2C7), c(asm.Exp2C5))
	even := b.FMA(z, c(asm.Exp2C8), c(asm.Exp2C6))
	odd = b.FMA(odd, z, c(asm.Exp2C3))
	even = b.FMA(even, z, c(asm.Exp2C4))
	odd = b.FMA(odd, z, c(asm.Exp2C1))
	even = b.FMA(even, z, c(asm.Exp2C2))
	return b.AddI(b.FMA(even, z, b.FMA(odd, r, c(1))), b.ShlI(t, 52))
}

// Horner is c[0] + x (c[1] + x (...)).
func (b *Block) Horner(x Vec, c ...float64) Vec {
	p := b.Const(c[len(c)-1])
	for i := len(c) - 2; i >= 0; i-- {
		p = b.FMA(p, x, b.Const(c[i]))
	}
	return p
}
