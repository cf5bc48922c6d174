package main

import "popsim/kernels/asm"

// A gate has alpha = num/den and alpha + beta = sum/den; all three may be negative together.
type gate struct{ num, sum, den Vec }

// Constants of the rates of Traub & Miles.
const (
	tmExpHalf = 0x1.368b2fc6f960ap-1  // exp(-1/2)
	tmExpHalm = -0x1.92e9a0720d3ecp-2 // exp(-1/2) - 1
	tmExp5    = 0x1.28d389970338fp+7  // exp(5)
	tmExp5m   = 0x1.26d389970338fp+7  // exp(5) - 1
	tmAlphaH  = 0x1.24f36f695f520p-3  // 0.128 exp(1/9)
	tmBetaN   = 0x1.c3d6a24ed8222p-2  // 0.5 exp(-1/8)
)

// traubMiles returns the gates m, h, n at the potential v. With u = (15 - s)/720, s = V - V_T, and p(k) = exp(k u) - 1
// from p(i+j) = p(i) + p(j) + p(i) p(j), as in hh:
//
//	exp((13-s)/4) = exp(-1/2) (1 + p180)    exp((40-s)/5) = exp(5) (1 + p144) = E    exp((15-s)/5) = 1 + p144
//	exp((17-s)/18) = exp(1/9) (1 + p40)     exp((10-s)/40) = exp(-1/8) (1 + p18)
//
// beta_m = 1.4 z E/(E - 1) with z = 144 u + 5. |u| is held below 2/9, for the rates only: s from -145 to 175 mV.
func traubMiles(b *Block, c func(j int) Vec, v Vec) (m, h, n gate) {
	num := b.Const
	sum := func(p, q Vec) Vec { return b.FMA(p, q, b.Add(p, q)) } // p(i+j)
	u := b.FMA(v, num(-1.0/720), c(asm.HHShift))
	u = b.Min(num(2.0/9), b.Max(num(-2.0/9), u))
	u = b.Select(b.Cmp(u, EQ, num(0)), num(0x1p-100), u) // alpha_n is 0/0 at 0
	p1 := expm1Near(b, u)
	p2 := sum(p1, p1)
	p4 := sum(p2, p2)
	p8 := sum(p4, p4)
	p16 := sum(p8, p8)
	p18 := sum(p16, p2)
	p36 := sum(p18, p18)
	p40 := sum(p36, p4)
	p72 := sum(p36, p36)
	p144 := sum(p72, p72)
	p180 := sum(p144, p36)

	// near 0, exp(x) - 1 from the constants loses digits that its series has
	x := b.FMA(u, num(180), num(-0.5))
	dx := nearZero(b, x, b.FMA(p180, num(tmExpHalf), num(tmExpHalm)))
	z := b.FMA(u, num(144), num(5))
	e := b.FMA(p144, num(tmExp5), num(tmExp5))
	dz := nearZero(b, z, b.FMA(p144, num(tmExp5), num(tmExp5m)))
	m.num = b.Mul(b.Mul(x, num(1.28)), dz)
	m.den = b.Mul(dx, dz)
	m.sum = b.FMA(b.Mul(b.Mul(z, num(1.4)), e), dx, m.num)

	h.den = b.Add(e, num(1))
	h.num = b.Mul(b.FMA(p40, num(tmAlphaH), num(tmAlphaH)), h.den)
	h.sum = b.Add(h.num, num(4))

	n.num = b.Mul(u, num(0.032*720))
	n.den = p144
	n.sum = b.FMA(b.FMA(p18, num(tmBetaN), num(tmBetaN)), p144, n.num)
	return m, h, n
}

// expm1Near is exp(u) - 1 for |u| <= 2/9.
func expm1Near(b *Block, u Vec) Vec {
	h := func(i int) Vec { return b.Const(hhC[i]) }
	z := b.Mul(u, u)
	even := b.FMA(z, h(10), h(8))
	odd := b.FMA(z, h(9), h(7))
	even = b.FMA(even, z, h(6))
	odd = b.FMA(odd, z, h(5))
	even = b.FMA(even, z, h(4))
	odd = b.FMA(odd, z, h(3))
	even = b.FMA(even, z, h(2))
	return b.FMA(b.FMA(odd, u, even), z, u)
}

// nearZero is exp(x) - 1 by its series for |x| < 1/128, else far.
func nearZero(b *Block, x, far Vec) Vec {
	series := b.Mul(x, b.Horner(x, 1, 1.0/2, 1.0/6, 1.0/24, 1.0/120))
	return b.Select(b.Cmp(b.Abs(x), LT, b.Const(1.0/128)), series, far)
}

// moved is a gate after dt ms at constant V by Crank-Nicolson's rule; half is dt/2.
func (g gate) moved(b *Block, x, dt, half Vec) Vec {
	return b.FMA(b.Div(b.FNMA(g.sum, x, g.num), b.FMA(g.sum, half, g.den)), dt, x)
}

// hhtmStrang advances the gates, then V, as hhStrang does.
func hhtmStrang(b *Block, c func(j int) Vec, drive Vec, y []Vec) []Vec {
	dt, half := c(asm.HHDt), c(asm.HHHalf)
	gm, gh, gn := traubMiles(b, c, y[0])
	m, h, n := gm.moved(b, y[1], dt, half), gh.moved(b, y[2], dt, half), gn.moved(b, y[3], dt, half)
	return []Vec{strangVoltage(b, c, drive, y[0], m, h, n), m, h, n}
}

// hhtmDeriv returns the derivatives instead of the states after a step.
func hhtmDeriv(b *Block, c func(j int) Vec, drive Vec, y []Vec) []Vec {
	gm, gh, gn := traubMiles(b, c, y[0])
	a, g := hhIon(b, c, drive, y[1], y[2], y[3])
	slope := func(g gate, x Vec) Vec { return b.Div(b.FNMA(g.sum, x, g.num), g.den) }
	return []Vec{b.FNMA(g, y[0], a), slope(gm, y[1]), slope(gh, y[2]), slope(gn, y[3])}
}

// hhtmExpEuler relaxes every variable exponentially, with the others at their state before the step.
func hhtmExpEuler(b *Block, c func(j int) Vec, drive Vec, y []Vec) []Vec {
	gm, gh, gn := traubMiles(b, c, y[0])
	a, g := hhIon(b, c, drive, y[1], y[2], y[3])
	next := []Vec{relax(b, y[0], b.Div(a, g), b.Mul(g, c(asm.HHNegDt)))}
	for j, g := range []gate{gm, gh, gn} {
		next = append(next, relaxGate(b, c, y[1+j], g.num, g.sum, g.den))
	}
	return next
}

// The states before and after a step in plain Go.
var plainStates, plainNext = [4]plainColumn{{name: "y[0]"}, {name: "y[1]"}, {name: "y[2]"}, {name: "y[3]"}},
	[4]plainColumn{{name: "next[0]"}, {name: "next[1]"}, {name: "next[2]"}, {name: "next[3]"}}

// hhtmPlain is a step in plain Go.
func hhtmPlain(method string, step hhStep) func() string {
	return func() string {
		doc := "writes the states of the eight hhtm neurons from lane at on after a step; drive is (g_L E_L + I)/C."
		return plainFunc(
			"HHTM"+method+"Go",
			doc,
			"(b *Block, at int, drive *[8]float64, y, next *[4][8]float64)",
			func(b *Block) {
				var y []Vec
				for _, c := range plainStates {
					y = append(y, c.load(b))
				}
				for j, v := range step(b, plainCoef(b), plainColumn{name: "drive"}.load(b), y) {
					plainNext[j].store(b, v)
				}
			},
		)
	}
}

// hhtmPlainGates is the step of the gates alone, in plain Go.
func hhtmPlainGates() string {
	doc := "moves the gates of eight hhtm neurons in the states y by dt ms at constant V; shift is Coef[HHShift], half " +
		"is dt/2."
	return plainFunc("HHTMGatesGo", doc, "(y *[4][8]float64, shift, dt, half float64)", func(b *Block) {
		gm, gh, gn := traubMiles(b, func(int) Vec { return plainScalar("shift").load(b) }, plainStates[0].load(b))
		for j, g := range []gate{gm, gh, gn} {
			x := plainStates[1+j]
			x.store(b, g.moved(b, x.load(b), plainScalar("dt").load(b), plainScalar("half").load(b)))
		}
	})
}
