package main

import "popsim/kernels/asm"

// rhhIon is the ionic part of dV/dt = a - g V of RHH, where m is steady and n follows h.
func rhhIon(b *Block, c func(j int) Vec, r hhRates, drive, h Vec) (a, g Vec) {
	m := b.Div(r.mN, b.FMA(r.mB, r.mD, r.mN))
	return hhIon(b, c, drive, m, h, b.Sub(c(asm.HHSum), h))
}

// rhhDeriv gives the derivatives instead of the states after a step.
func rhhDeriv(b *Block, c func(j int) Vec, drive Vec, y []Vec) []Vec {
	v, h := y[0], y[1]
	r := b.HHRates(v)
	a, g := rhhIon(b, c, r, drive, h)
	bh := b.Div(b.Const(1), r.hD)
	return []Vec{b.FNMA(g, v, a), b.FNMA(b.Add(r.hA, bh), h, r.hA)}
}

// rhhExpEuler relaxes V and h exponentially, each seeing the old state of the other.
func rhhExpEuler(b *Block, c func(j int) Vec, drive Vec, y []Vec) []Vec {
	r := b.HHRates(y[0])
	a, g := rhhIon(b, c, r, drive, y[1])
	sum := b.FMA(r.hA, r.hD, b.Const(1))
	return []Vec{
		relax(b, y[0], b.Div(a, g), b.Mul(g, c(asm.HHNegDt))),
		relaxGate(b, c, y[1], b.Sub(sum, b.Const(1)), sum, r.hD),
	}
}

// rhhCut is RK4 that also says by how much dV/dt of the first or the last stage would move V.
func rhhCut(b *Block, c func(j int) Vec, drive Vec, y []Vec) []Vec {
	next, first, last := rungeKutta(b, rhhDeriv, c, drive, y)
	return append(next, b.Mul(b.Max(b.Abs(last), b.Abs(first)), c(asm.HHDt)))
}

// rhhCutKernel writes the kernels of cut-rk4, and the one that takes cut lanes through their pieces.
func rhhCutKernel(S, pieces int) func(f *file, w isa) {
	return func(f *file, w isa) {
		hhLoop(f, w, "RHHCut", "", 2, S, true, rhhCut)
		hhLoop(f, w, "RHHCut", "Full", 2, S, true, rhhCut)
		hhLoop(f, w, "RHHPieces", "", 2, pieces, false, hhRK4(rhhDeriv))
	}
}
