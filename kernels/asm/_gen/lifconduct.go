package main

import (
	"popsim/kernels/asm"
	"popsim/kernels/vec"
)

// lifConduct is a step on the grid of LIF neurons with one exponential conductance or two, which is exact for the means
// of these over the step but for the second term of Magnus's series: as lifCoupled, with what all neurons and receptors
// multiply in the coefficients.
//
//	x = -(dt a), y = dt d         of a and d as in lifCoupled
//	V += (y + x V) (exp(x) - 1)/x + J x + G y
//
// J and G are the tilts of current and conductance. A lane that moves is slow where x is not within the bounds in which
// the quotient is a polynomial, or where V blows up: its V stays.
func lifConduct(receptors int) *stepKernel {
	k := &stepKernel{
		name: "LIFConduct", doc: "moves LIF neurons with an exponential conductance; see LIFConductBlock.",
		argument: "LIFConductBlock", columns: []string{"V", "Wake"}, coefs: []string{"VTh", "X", "Y"},
		scalars: []string{"First"}, events: true, slow: true, vectors: map[string]int{"AVX2": 2, "AVX512": 4},
	}
	suffixes := []string{"1", "2"}[:receptors]
	for _, i := range suffixes {
		k.columns, k.rare = append(k.columns, "S"+i, "Row"+i), append(k.rare, "Before"+i)
		k.coefs, k.scalars = append(k.coefs, "X"+i, "Y"+i, "J"+i, "G"+i), append(k.scalars, "Decay"+i)
	}
	if receptors == 2 {
		k.name, k.doc = "LIFConduct2", "is LIFConduct with two conductances."
	}
	k.step = func(b *vec.Block, x *laneVars) {
		v := x.get("V")
		z, y := x.get("X"), x.get("Y")
		var j, g Vec
		for n, i := range suffixes {
			s := x.get("S" + i)
			z, y = b.FMA(x.get("X"+i), s, z), b.FMA(x.get("Y"+i), s, y)
			if n == 0 {
				j, g = b.Mul(x.get("J"+i), s), b.Mul(x.get("G"+i), s)
			} else {
				j, g = b.FMA(x.get("J"+i), s, j), b.FMA(x.get("G"+i), s, g)
			}
			x.set("Before"+i, s)
			x.set("S"+i, b.FMA(x.get("Decay"+i), s, x.get("Row"+i)))
			x.set("Row"+i, b.Const(asm.EmptyRow))
		}
		next := b.Add(v, b.FMA(j, z, b.Mul(g, y)))
		next = b.FMA(b.Expm1ShareWithin(z, asm.ConductLo, asm.ConductHi), b.FMA(z, v, y), next)

		fits := b.MaskAnd(b.Cmp(z, GT, b.Const(asm.ConductLo)), b.Cmp(z, LT, b.Const(asm.ConductHi)))
		fits = b.MaskAnd(fits, b.Cmp(next, GT, b.Const(-asm.BlownUp)))
		moves := b.Cmp(x.get("Wake"), LE, x.get("First"))
		x.near = b.MaskAndNot(moves, fits)
		x.rare = x.near
		fits = b.MaskAnd(moves, fits)
		x.fired = b.MaskAnd(fits, b.Cmp(next, GE, x.get("VTh")))
		x.set("V", b.Select(fits, next, v))
	}
	return k
}
