package main

import (
	"github.com/mmcloughlin/avo/reg"
)

// hhC are the coefficients of expm1(u) = u + u²(c2 + c3 u + ...), |u| <= 0.23: least squares on Chebyshev nodes, rounded one at a time.
var hhC = [11]float64{1, 1, 0x1.fffffffffffecp-2, 0x1.5555555554f69p-3, 0x1.555555555b3f7p-5, 0x1.111111140b74ep-7,
	0x1.6c16c149b5292p-10, 0x1.a019e1ba973f2p-13, 0x1.a01a99380a44cp-16, 0x1.7269d60d7f7a2p-19, 0x1.2726a6898a2f1p-22}

// hhRates are the six rates at V, alphas as quotients: alphaM = nm/dm, alphaN = nn/dn, betaH = 1/dh.
type hhRates struct{ nm, dm, bm, nn, dn, bn, ah, dh Vec }

// HHRates takes all rates from one polynomial: u = -(V+40)/720, p1 = expm1(u), p(i+j) = pi + pj + pi pj up to 72, and
// 1+p72 = exp(-(V+40)/10). alphaM is 72u/p72, whose parts vanish together; u itself is never 0 in doubles. alphaN blends to a short
// series within 1/128 of its singularity.
func (b *Block) HHRates(v Vec) (r hhRates) {
	c := b.Const
	h := func(i int) Vec { return c(hhC[i]) }
	sum := func(p, q Vec) Vec { return b.FMA(p, q, b.Add(p, q)) } // p(i+j)
	u := b.Min(c(120), b.Max(c(-200), v))
	u = b.FMA(u, c(-1.0/720), c(-1.0/18))
	r.nm = b.Mul(u, c(72))
	r.nn = b.FNMA(u, c(72), c(1.5))
	z := b.Mul(u, u)
	even := b.FMA(z, h(10), h(8))
	odd := b.FMA(z, h(9), h(7))
	even = b.FMA(even, z, h(6))
	odd = b.FMA(odd, z, h(5))
	even = b.FMA(even, z, h(4))
	odd = b.FMA(odd, z, h(3))
	even = b.FMA(even, z, h(2))
	p1 := b.FMA(b.FMA(odd, u, even), z, u)
	p2 := sum(p1, p1)
	p4 := sum(p2, p2)
	p8 := sum(p4, p4)
	p9 := sum(p8, p1)
	p18 := sum(p9, p9)
	p36 := sum(p18, p18)
	p40 := sum(p36, p4)
	r.dm = sum(p36, p36)
	scaled := func(s float64, p Vec) Vec { return b.FMA(p, c(s), c(s)) } // s·exp
	r.bm = scaled(4*0x1.feac5eef1220ap-3, p40)                           // 4 exp(-25/18)
	r.ah = scaled(0x1.48962cd252fb5p-6, p36)                             // .07 exp(-25/20)
	r.bn = scaled(0x1.769652df22f7ep-4, p9)                              // .125 exp(-25/80)
	const e05, e15 = 0x1.a61298e1e069cp+0, 0x1.c8f87724b5c1dp-3          // exp(0.5), exp(-1.5)
	r.dh = b.FMA(r.dm, c(e05), c(1+e05))
	s := b.FMA(r.nn, c(10.0/120), c(-10.0/24))
	s = b.FMA(s, r.nn, c(10.0/6))
	s = b.FMA(s, r.nn, c(-5))
	s = b.FMA(s, r.nn, c(10))
	near := b.Cmp(b.Abs(r.nn), LT, c(1.0/128))
	r.dn = b.Select(near, b.Mul(s, r.nn), b.FNMA(r.dm, c(10*e15), c(10-10*e15)))
	return r
}

// hhDemo is the staggered Crank-Nicolson step of Hodgkin-Huxley, G vectors in a group, S of them interleaved.
func hhDemo(name string, S, G int, tune Tuning) func(f *file, w isa) {
	return func(f *file, w isa) {
		k := f.Func(w, name, "func(b *HHDemoBlock)", "advances every group by Steps steps.")
		k.Tune = tune
		v, m, h, n, count, par, groups := k.Value("V"), k.Value("M"), k.Value("H"), k.Value("N"), k.Value("Count"), k.Value("Par"), k.Value("Groups")
		k.Loop("group", groups, func() {
			step := k.Value("Steps")
			k.Loop("step", step, func() {
				for g := 0; g < G; g += S {
					k.Block("step", func(b *Block) {
						for s := g; s < min(g+S, G); s++ {
							d := s * w.Bytes()
							p := func(j int) Vec { return b.Load(at(par, j*w.Bytes())) }
							gNa, gK, gL, eNa, eK, drive, dt, half, level := p(0), p(1), p(2), p(3), p(4), p(5), p(6), p(7), p(8)
							v0, m0, h0, n0 := b.Load(at(v, d)), b.Load(at(m, d)), b.Load(at(h, d)), b.Load(at(n, d))
							r := b.HHRates(v0)
							one := b.Const(1)
							// gates: x += dt (N - S x)/(D + S dt/2), one division for the three
							sm := b.FMA(r.bm, r.dm, r.nm)
							sn := b.FMA(r.bn, r.dn, r.nn)
							sh := b.FMA(r.ah, r.dh, one)
							im, in, ih := b.FMA(sm, half, r.dm), b.FMA(sn, half, r.dn), b.FMA(sh, half, r.dh)
							t := b.Mul(im, in)
							u := b.Div(one, b.Mul(t, ih))
							t = b.Mul(u, t)
							u = b.Mul(u, ih)
							im, in, ih = b.Mul(u, in), b.Mul(u, im), t
							m1 := b.FMA(b.Mul(b.FNMA(sm, m0, r.nm), im), dt, m0)
							n1 := b.FMA(b.Mul(b.FNMA(sn, n0, r.nn), in), dt, n0)
							h1 := b.FMA(b.Mul(b.FNMA(sh, h0, b.Sub(sh, one)), ih), dt, h0)
							// dV/dt = a - g V
							x := b.Mul(b.Mul(m1, m1), b.Mul(b.Mul(m1, h1), gNa))
							y := b.Mul(n1, n1)
							y = b.Mul(b.Mul(y, y), gK)
							g := b.Add(b.Add(x, y), gL)
							a := b.FMA(x, eNa, b.FMA(y, eK, drive))
							v1 := b.FMA(b.Div(b.FNMA(g, v0, a), b.FMA(g, half, one)), dt, v0)
							up := b.MaskAndNot(b.Cmp(v1, GE, level), b.Cmp(v0, GE, level))
							b.Store(at(count, d), b.Count(b.Load(at(count, d)), up))
							b.Store(at(m, d), m1)
							b.Store(at(n, d), n1)
							b.Store(at(h, d), h1)
							b.Store(at(v, d), v1)
						}
					})
				}
			})
			for _, c := range []reg.GPVirtual{v, m, h, n, count} {
				k.ADDQ(imm(G*w.Bytes()), c)
			}
		})
		k.End()
	}
}
