package kernels

import (
	"math"

	"popsim/kernels/asm"
)

// The functions of this file are the only transcendental ones that kernels use. They are made of correctly rounded
// operations in a fixed order, so that every instruction set and architecture gives the same bits.

// vec is what plain Go advances at a time: the lanes of the widest vector.
type vec = [8]float64

const (
	expLo, expHi   = asm.ExpLo, asm.ExpHi
	exp2Lo, exp2Hi = asm.Exp2Lo, asm.Exp2Hi
	log2e          = asm.Log2E

	sqrtH = 0x3fe6a09e00000000 // bits of a number just below sqrt(1/2)
	one64 = 0x3ff0000000000000 // bits of 1
	frac  = 0x000fffffffffffff // the fraction of a double
)

// Coefficients of (log(1+f)-2s)/s for s = f/(2+f), in powers of s²; from FDLIBM (Sun Microsystems 1993).
const (
	logC1 = 6.666666666666735130e-01
	logC2 = 3.999999999940941908e-01
	logC3 = 2.857142874366239149e-01
	logC4 = 2.222219843214978396e-01
	logC5 = 1.818357216161805012e-01
	logC6 = 1.531383769920937332e-01
	logC7 = 1.479819860511658591e-01
)

// expSplit splits x = n ln 2 + r; the low bits of t = n + Magic hold n.
func expSplit(x float64) (r, t float64) {
	t = math.FMA(x, log2e, asm.Magic)
	n := t - asm.Magic
	return math.FMA(-n, asm.Ln2Lo, math.FMA(-n, asm.Ln2Hi, x)), t
}

// expTail is (exp(r)-1-r)/r².
func expTail(r float64) float64 {
	z := float64(r * r)
	odd := math.FMA(z, asm.ExpC11, asm.ExpC9)
	even := math.FMA(z, asm.ExpC10, asm.ExpC8)
	odd = math.FMA(odd, z, asm.ExpC7)
	even = math.FMA(even, z, asm.ExpC6)
	odd = math.FMA(odd, z, asm.ExpC5)
	even = math.FMA(even, z, asm.ExpC4)
	odd = math.FMA(odd, z, asm.ExpC3)
	even = math.FMA(even, z, asm.ExpC2)
	return math.FMA(odd, r, even)
}

// scale multiplies p, which is near 1, by 2^n, where t = n + Magic.
func scale(p, t float64) float64 {
	return math.Float64frombits(math.Float64bits(p) + math.Float64bits(t)<<52)
}

// expNormal is exp for expLo ≤ x ≤ expHi; error at most 0.93 ulp. For other x, and for NaN, it is undefined.
func expNormal(x float64) float64 {
	r, t := expSplit(x)
	p := math.FMA(expTail(r), r, 1)
	return scale(math.FMA(p, r, 1), t)
}

// exp2Near is 2^x for exp2Lo ≤ x ≤ exp2Hi with a relative error of 1e-12, exact for whole x; the remainder x - n is
// exact. It serves the exponential current of EIF and AdEx: the error is that of a V_T off by 1e-12 delta_T, which no
// step size makes visible, and it takes three operations less than exp. For other x, and for NaN, it is undefined.
func exp2Near(x float64) float64 {
	t := x + asm.Magic
	r := x - (t - asm.Magic)
	z := float64(r * r)
	odd := math.FMA(z, asm.Exp2C7, asm.Exp2C5)
	even := math.FMA(z, asm.Exp2C8, asm.Exp2C6)
	odd = math.FMA(odd, z, asm.Exp2C3)
	even = math.FMA(even, z, asm.Exp2C4)
	odd = math.FMA(odd, z, asm.Exp2C1)
	even = math.FMA(even, z, asm.Exp2C2)
	return scale(math.FMA(even, z, math.FMA(odd, r, 1)), t)
}

// exp2NearVec is exp2Near of every lane.
func exp2NearVec(x *vec) {
	for l := range x {
		x[l] = exp2Near(x[l])
	}
}

// Exp is exp(x) for all x; error at most 0.93 ulp where the result is normal, 0 where it would be subnormal.
func Exp(x float64) float64 {
	switch {
	case x > expHi:
		return math.Inf(1)
	case x < expLo:
		return 0
	case math.IsNaN(x):
		return x
	}
	return expNormal(x)
}

// Expm1 is exp(x) - 1 for all x; error at most 2.2 ulp.
func Expm1(x float64) float64 {
	switch {
	case x > expHi:
		return math.Inf(1)
	case x < -40:
		return -1
	}
	r, t := expSplit(x)
	p := math.FMA(float64(r*r), expTail(r), r) // exp(r) - 1
	if x > 700 {                               // 2^n alone would overflow
		return scale(1+p, t) - 1
	}
	s := scale(1, t)
	return math.FMA(p, s, s-1)
}

// Log1p is ln(1+x) for x ≥ -1; error at most 2 ulp. NaN for x < -1.
func Log1p(x float64) float64 {
	u := 1 + x
	switch {
	case !(u >= 0) || math.IsInf(u, 1):
		return math.Log(u) // NaN or +Inf: no digits to differ in
	case u == 0:
		return math.Inf(-1)
	}
	lost := x - (u - 1) // lost in rounding the sum
	if x > 1 {
		lost = 1 - (u - x)
	}
	j := math.Float64bits(u) + (one64 - sqrtH)
	e := int64(j>>52) - 1023
	z := math.Float64frombits(j&frac + sqrtH) // u/2^e in [sqrt(1/2), sqrt(2))
	f := z - 1 + float64(lost*math.Float64frombits(uint64(1023-e)<<52))
	s := f / (2 + f)
	h := float64(0.5 * float64(f*f))
	n := float64(e)
	// log(1+f) = f - (h - s (h + R)); n ln 2 in two pieces
	tail := math.FMA(n, asm.Ln2Lo, float64(s*(h+logTail(float64(s*s)))))
	return math.FMA(n, asm.Ln2Hi, f-(h-tail))
}

// log2 is the logarithm of x > 0 to base 2, with an absolute error of 4e-15 for 1e-6 < x < 100: enough where it is
// added to numbers of order ten.
func log2(x float64) float64 {
	f, e := math.Frexp(x)
	return math.FMA(Log1p(f-1), log2e, float64(e))
}

// logTail is (log(1+f)-2s)/s for z = s² = (f/(2+f))².
func logTail(z float64) float64 {
	w := float64(z * z)
	odd := math.FMA(w, logC6, logC4)
	even := math.FMA(w, logC7, logC5)
	odd = math.FMA(odd, w, logC2)
	even = math.FMA(even, w, logC3)
	even = math.FMA(even, w, logC1)
	return float64(z * math.FMA(odd, z, even))
}
