package kernels

import (
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"testing"
)

const bigPrec = 192 // bits of the reference; squaring eight times costs it nine

func newBig(x float64) *big.Float { return new(big.Float).SetPrec(bigPrec).SetFloat64(x) }

var bigLn2, _, _ = big.ParseFloat(
	"0.6931471805599453094172321214581765680755001343602552541206800094933936219696947156",
	10,
	bigPrec,
	big.ToNearestEven,
)

// bigExp is exp(x) = 2^n exp(r).
func bigExp(x float64) *big.Float {
	n, e := bigReduced(x)
	return e.SetMantExp(e.Add(e, newBig(1)), n)
}

// bigExp2 is 2^x: exp at the remainder of x, which is exact.
func bigExp2(x float64) *big.Float {
	n := math.Round(x)
	r := newBig(x - n)
	e := bigSmallExpm1(r.Mul(r, bigLn2))
	return e.SetMantExp(e.Add(e, newBig(1)), int(n))
}

// bigExpm1 is exp(x) - 1.
func bigExpm1(x float64) *big.Float {
	if n, e := bigReduced(x); n == 0 {
		return e
	}
	e := bigExp(x)
	return e.Sub(e, newBig(1))
}

// bigReduced is n and exp(r) - 1 for x = n ln 2 + r.
func bigReduced(x float64) (int, *big.Float) {
	n := math.Round(x / math.Ln2)
	r := newBig(n)
	return int(n), bigSmallExpm1(r.Sub(newBig(x), r.Mul(r, bigLn2)))
}

// bigSmallExpm1 is exp(r) - 1 for |r| < 1: Taylor's series at r/256, squared eight times. It spoils r.
func bigSmallExpm1(r *big.Float) *big.Float {
	r.SetMantExp(r, -8)
	sum, term, two := newBig(0), newBig(1), newBig(2)
	for k := 1.0; k < 18; k++ {
		term.Quo(term.Mul(term, r), newBig(k))
		sum.Add(sum, term)
	}
	for range 8 { // exp(2r) - 1 = (exp(r) - 1)(exp(r) + 1)
		sum.Mul(sum, new(big.Float).Add(sum, two))
	}
	return sum
}

// bigLog1p is ln(1+x): a guess g, and ln(1 + (x - (exp(g)-1))/exp(g)) for its error.
func bigLog1p(x float64) *big.Float {
	guess := math.Log1p(x)
	e := bigExpm1(guess)
	lacks := new(big.Float).Sub(newBig(x), e)
	lacks.Quo(lacks, e.Add(e, newBig(1)))
	half := new(big.Float).Mul(lacks, lacks)
	lacks.Sub(lacks, half.SetMantExp(half, -1))
	return lacks.Add(lacks, newBig(guess))
}

// bigLog2 is log2 x.
func bigLog2(x float64) *big.Float {
	f, e := math.Frexp(x)
	l := bigLog1p(f - 1)
	return l.Add(l.Quo(l, bigLn2), newBig(float64(e)))
}

// bigExpRel is (exp(z)-1)/z.
func bigExpRel(z float64) *big.Float {
	e := bigExpm1(z)
	return e.Quo(e, newBig(z))
}

// accuracies are the errors that math.go and the models' files declare: in units of the last place, or absolute ones.
var accuracies = []struct {
	name     string
	got      func(x float64) float64
	want     func(x float64) *big.Float
	from, to float64
	spread   func(u, from, to float64) float64 // the point at 0 ≤ u < 1 of the range
	ulp, abs float64
}{
	{"Exp", Exp, bigExp, expLo, expHi, evenly, 0.93, 0},
	{"exp2Near", exp2Near, bigExp2, exp2Lo, exp2Hi, evenly, 9000, 0}, // 1e-12
	{"log2", log2, bigLog2, -20, 7, byMagnitude, 0, 4e-15},
	{"Expm1", Expm1, bigExpm1, -45, 709.7, evenly, 2.2, 0},
	{"Expm1 near 0", Expm1, bigExpm1, -30, 1, byMagnitude, 2.2, 0},
	{"Log1p", Log1p, bigLog1p, -0.999999, 50, evenly, 2, 0},
	{"Log1p near 0", Log1p, bigLog1p, -30, 20, byMagnitude, 2, 0},
	{"Log1p of fractions", Log1p, bigLog1p, -0.5, 1, evenly, 2, 0},
	{
		"logTerm, part of the time left",
		func(x float64) float64 { return logTerm(x) * (1 - x) },
		func(x float64) *big.Float {
			l := bigLog1p(-x)
			return l.Mul(l.Quo(l, newBig(-x)), newBig(1-x))
		},
		1e-9,
		flowX,
		evenly,
		0,
		2e-5,
	},
	// 1e-12
	{
		"logTerm near 0",
		logTerm,
		func(x float64) *big.Float { l := bigLog1p(-x); return l.Quo(l, newBig(-x)) },
		-30,
		-6.7,
		byMagnitude,
		9000,
		0,
	},
	{
		"logTerm below 0",
		logTerm,
		func(x float64) *big.Float { l := bigLog1p(-x); return l.Quo(l, newBig(-x)) },
		-0.4,
		-1e-9,
		evenly,
		0,
		3e-6,
	},
	{"phi", phi, bigExpRel, -flowX, flowX, evenly, 0, 1.2e-3},
	{"phi near 0", phi, bigExpRel, -0.1, 0.1, evenly, 0, 1.5e-8},
	{"relaxed, mean", func(s float64) float64 { m, _ := relaxed(s); return m }, func(s float64) *big.Float {
		e := bigExpm1(-s)
		return e.Add(e.Quo(e, newBig(s)), newBig(1))
	}, -30, 8, byMagnitude, 32, 0},
	{"relaxed, end", func(s float64) float64 { _, e := relaxed(s); return e }, func(s float64) *big.Float {
		e := bigExpm1(-s)
		return e.Neg(e)
	}, -30, 8, byMagnitude, 2.2, 0},
	{"lifLog", func(x float64) float64 { return lifLog(x, 1+x, 1) }, bigLog1p, 0, 0.0645, evenly, 3, 0},
}

func evenly(u, from, to float64) float64 { return from + u*(to-from) }

// byMagnitude is 2 to a power between from and to.
func byMagnitude(u, from, to float64) float64 { return math.Exp2(evenly(u, from, to)) }

func TestAccuracy(t *testing.T) {
	for _, f := range accuracies {
		n := 20_000
		if os.Getenv("POPSIM_LONG") != "" {
			n = 1_000_000
			if f.name == "Exp" {
				n = 10_000_000
			}
		}
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			rnd := rand.New(rand.NewPCG(1, 1))
			worst, at := 0.0, 0.0
			for range n {
				x := f.spread(rnd.Float64(), f.from, f.to)
				want := f.want(x)
				diff := new(big.Float).Sub(newBig(f.got(x)), want)
				if f.abs == 0 {
					diff.SetMantExp(diff, 53-want.MantExp(nil))
				}
				if e, _ := diff.Float64(); math.Abs(e) > worst {
					worst, at = math.Abs(e), x
				}
			}
			t.Logf("worst error %.4g at %v", worst, at)
			if worst > f.ulp+f.abs {
				t.Errorf("error %.4g at %v, want at most %v", worst, at, f.ulp+f.abs)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	inf, nan, zero := math.Inf(1), math.NaN(), math.Copysign(0, -1)
	for _, c := range []struct {
		name    string
		f       func(float64) float64
		x, want float64
	}{
		{"Exp", Exp, 0, 1},
		{"Exp", Exp, zero, 1},
		{"Exp", Exp, inf, inf},
		{"Exp", Exp, -inf, 0},
		{"Exp", Exp, nan, nan},
		{"Exp", Exp, 710, inf},
		{"Exp", Exp, -708.4, 0},
		{"Exp", Exp, 5e-324, 1},
		{"exp2Near", exp2Near, 0, 1},
		{"exp2Near", exp2Near, -1022, 0x1p-1022},
		{"exp2Near", exp2Near, 1023, 0x1p1023},
		{"log2", log2, 0x1p-30, -30},
		{"Expm1", Expm1, 0, 0},
		{"Expm1", Expm1, inf, inf},
		{"Expm1", Expm1, -inf, -1},
		{"Expm1", Expm1, nan, nan},
		{"Expm1", Expm1, 5e-324, 5e-324},
		{"Expm1", Expm1, 710, inf},
		{"Log1p", Log1p, 0, 0},
		{"Log1p", Log1p, inf, inf},
		{"Log1p", Log1p, -1, -inf},
		{"Log1p", Log1p, -2, nan},
		{"Log1p", Log1p, nan, nan},
		{"Log1p", Log1p, 5e-324, 5e-324},
		{"phi", phi, 0, 1},
		{"logTerm", logTerm, 0, 1},
	} {
		if got := c.f(c.x); got != c.want && !(math.IsNaN(got) && math.IsNaN(c.want)) {
			t.Errorf("%s(%v) = %v, want %v", c.name, c.x, got, c.want)
		}
	}
}
