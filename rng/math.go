package rng

import "math"

// exp and log are made of correctly rounded operations in a fixed order, unlike those of the standard library, which
// are written in assembly on some architectures and fused on others.

const (
	ln2Hi = 0x1.62e42fefa3800p-1  // 42 bits: n·ln2Hi is exact
	ln2Lo = 0x1.ef35793c76730p-45 // the rest of ln 2
	log2e = 0x1.71547652b82fep+0
	magic = 0x1.8p52 // adding it rounds to an integer
)

// Coefficients of (log(1+f)-2s)/s for s = f/(2+f), in powers of s²; from FDLIBM (Sun Microsystems 1993).
var logC = [7]float64{
	6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01, 2.222219843214978396e-01,
	1.818357216161805012e-01, 1.531383769920937332e-01, 1.479819860511658591e-01,
}

// Log returns the natural logarithm of a normal x > 0 within 1 ulp.
func Log(x float64) float64 {
	word := math.Float64bits(x) + (0x3ff0000000000000 - 0x3fe6a09e00000000)
	n := float64(int(word>>52) - 1023)
	f := math.Float64frombits(word&0xfffffffffffff+0x3fe6a09e00000000) - 1 // sqrt(1/2) <= 1+f < sqrt(2)
	s := f / (2 + f)
	z := float64(s * s)
	r := logC[6]
	for i := 5; i >= 0; i-- {
		r = math.FMA(r, z, logC[i])
	}
	r = float64(r * z)
	half := float64(float64(0.5*f) * f)
	return float64(n*ln2Hi) - ((half - math.FMA(s, half+r, float64(n*ln2Lo))) - f)
}

// Coefficients 1/k! of exp(r) for |r| <= ln2/2, from r^13 down.
var expC = [14]float64{
	1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040, 1.0 / 720,
	1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5, 1, 1,
}

// Exp returns e^x within 1 ulp; 0 below -708, +Inf above 709.78.
func Exp(x float64) float64 {
	switch {
	case x < -708:
		return 0
	case x > 709.78:
		return math.Inf(1)
	}
	n := math.FMA(x, log2e, magic) - magic
	r := math.FMA(-n, ln2Lo, math.FMA(-n, ln2Hi, x))
	y := math.FMA(expC[0], r, expC[1]) // without a loop: 1.5 times as fast
	y = math.FMA(y, r, expC[2])
	y = math.FMA(y, r, expC[3])
	y = math.FMA(y, r, expC[4])
	y = math.FMA(y, r, expC[5])
	y = math.FMA(y, r, expC[6])
	y = math.FMA(y, r, expC[7])
	y = math.FMA(y, r, expC[8])
	y = math.FMA(y, r, expC[9])
	y = math.FMA(y, r, expC[10])
	y = math.FMA(y, r, expC[11])
	y = math.FMA(y, r, expC[12])
	y = math.FMA(y, r, expC[13])
	// 2^n in two factors, because n may be 1024.
	half := int(n) / 2
	return float64(float64(y*pow2(half)) * pow2(int(n)-half))
}

func pow2(n int) float64 { return math.Float64frombits(uint64(n+1023) << 52) }
