package vec

import (
	"math"

	"popsim/kernels/asm"
)

// The functions of this file take every float64, NaN and infinities among them. They are made of the correctly rounded
// operations of a Block, so that they are the same bits everywhere.

// ExpAll is e^x: 0 where that would be less than the smallest normal number, +Inf beyond asm.ExpHi, NaN of NaN.
func (b *Block) ExpAll(x Vec) Vec {
	lo, hi := b.Const(asm.ExpLo), b.Const(asm.ExpHi)
	e := b.Exp(b.Min(hi, b.Max(lo, x)))
	e = b.Select(b.Cmp(x, NGE, lo), b.Const(0), e)
	e = b.Select(b.Cmp(x, NLE, hi), b.Const(math.Inf(1)), e)
	return b.Select(b.Cmp(x, NEQ, x), x, e)
}

// ExpClamped is e^x of x clamped to asm.ExpLo and asm.ExpHi; undefined for NaN.
func (b *Block) ExpClamped(x Vec) Vec {
	return b.Exp(b.Min(b.Const(asm.ExpHi), b.Max(b.Const(asm.ExpLo), x)))
}

// expm1Limit bounds the arguments of Expm1 and ExpRel: e^700 is a number, and so is its product with a state.
const expm1Limit = 700

// Expm1 is e^x - 1 of x clamped to ±700; NaN for NaN.
func (b *Block) Expm1(x Vec) Vec {
	c := b.Const
	x = b.Min(c(expm1Limit), b.Max(c(-expm1Limit), x))
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
	p := b.FMA(z, b.FMA(odd, r, even), r)    // e^r - 1
	s := b.AddI(c(1), b.ShlI(t, 52))         // 2^n
	return b.FMA(p, s, b.Sub(s, b.Const(1))) // (e^r - 1) 2^n + (2^n - 1)
}

// ExpRel is x/(e^x - 1), 1 at 0. The limits of Expm1 are above every x that matters: beyond 700 it is 0 to all digits.
func (b *Block) ExpRel(x Vec) Vec {
	x = b.Select(b.Cmp(x, EQ, b.Const(0)), b.Const(0x1p-60), x) // never 0/0
	return b.Div(x, b.Expm1(x))
}

// Tanh is the hyperbolic tangent: m/(m + 2) for m = e^2x - 1.
func (b *Block) Tanh(x Vec) Vec {
	m := b.Expm1(b.Add(x, x))
	return b.Div(m, b.Add(m, b.Const(2)))
}

// Cosh is the hyperbolic cosine, (e + 1/e)/2 for e = e^|x|.
func (b *Block) Cosh(x Vec) Vec {
	half := b.Mul(b.ExpAll(b.Abs(x)), b.Const(0.5))
	return b.Add(half, b.Div(b.Const(0.25), half))
}

// Sinh is the hyperbolic sine, (m + m/(m + 1))/2 for m = e^|x| - 1, with the sign of x. Beyond 700 it is that of 700.
func (b *Block) Sinh(x Vec) Vec {
	m := b.Expm1(b.Abs(x))
	s := b.Mul(b.Const(0.5), b.Add(m, b.Div(m, b.Add(m, b.Const(1)))))
	return b.Or(s, b.And(x, b.ConstBits(1<<63)))
}

// Log is the natural logarithm of normal x > 0 within 2 ulp; -Inf of 0 and subnormal numbers, NaN of negative ones.
// After FDLIBM.
func (b *Block) Log(x Vec) Vec {
	const (
		sqrtH = 0x3fe6a09e00000000 // bits of a number just below sqrt(1/2)
		one   = 0x3ff0000000000000
	)
	c := b.Const
	j := b.AddI(x, b.ConstBits(one-sqrtH))
	n := b.Sub(b.Or(b.ShrI(j, 52), b.ConstBits(0x4330000000000000)), c(0x1p52+1023)) // x = 2^n (1 + f)
	f := b.Sub(b.AddI(b.And(j, b.ConstBits(0xfffffffffffff)), b.ConstBits(sqrtH)), c(1))
	s := b.Div(f, b.Add(f, c(2)))
	h := b.Mul(b.Mul(f, f), c(0.5))
	z := b.Mul(s, s)
	tail := b.Mul(z, b.Horner(z, logC[:]...))
	low := b.FMA(n, c(asm.Ln2Lo), b.Mul(s, b.Add(h, tail)))
	y := b.FMA(n, c(asm.Ln2Hi), b.Sub(f, b.Sub(h, low)))
	y = b.Select(b.Cmp(x, LT, c(0x1p-1022)), c(math.Inf(-1)), y)
	y = b.Select(b.Cmp(x, LT, c(0)), c(math.NaN()), y)
	return b.Select(b.Cmp(x, NLT, c(math.Inf(1))), x, y) // +Inf and NaN
}

// Coefficients of (log(1+f)-2s)/s for s = f/(2+f), in powers of s² from s² on; from FDLIBM (Sun Microsystems 1993).
var logC = [7]float64{
	6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01, 2.222219843214978396e-01,
	1.818357216161805012e-01, 1.531383769920937332e-01, 1.479819860511658591e-01,
}

// SinCos are sine and cosine for |x| ≤ 1e6; NaN beyond. x is reduced by multiples of pi/2 in three parts; the
// polynomials are Taylor's, whose first term left out is below 1e-18 for |r| ≤ pi/4.
func (b *Block) SinCos(x Vec) (sin, cos Vec) {
	c := b.Const
	t := b.FMA(x, c(2/math.Pi), c(asm.Magic))
	n := b.Sub(t, c(asm.Magic))
	r := b.FNMA(n, c(0x1.921fb54442d18p+0), x)
	r = b.FNMA(n, c(0x1.1a62633145c07p-54), r)
	z := b.Mul(r, r)
	s := b.FMA(
		b.Mul(
			b.Horner(z, -1.0/6, 1.0/120, -1.0/5040, 1.0/362880, -1.0/39916800, 1.0/6227020800, -1.0/1307674368000,
				1.0/355687428096000),
			z,
		),
		r,
		r,
	)
	k := b.FMA(
		b.Horner(z, -0.5, 1.0/24, -1.0/720, 1.0/40320, -1.0/3628800, 1.0/479001600, -1.0/87178291200, 1.0/20922789888000),
		z,
		c(1),
	)
	bit := func(i uint8) Vec { return b.ShlI(b.ShrI(b.ShlI(t, 63-i), 63), 63) } // bit i of n as a sign
	swap := b.FromSigns(bit(0))
	far := b.Cmp(b.Abs(x), NLE, c(1e6))
	sign := bit(1)
	sin = b.Xor(b.Select(swap, k, s), sign)
	cos = b.Xor(b.Select(swap, s, k), b.Xor(sign, bit(0)))
	return b.Select(far, c(math.NaN()), sin), b.Select(far, c(math.NaN()), cos)
}
