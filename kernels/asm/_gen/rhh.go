package main

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/operand"

	"popsim/kernels/asm"
)

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

// rhhCut writes the kernels of cut-rk4: one step of RK4 for the whole group, S vectors at a time, and no branch that depends on it.
// Column 2 of Old takes how far V would move.
func rhhCut(S int) func(f *file, w isa) {
	return func(f *file, w isa) {
		rhhCutStep(f, w, "RHHCut", S, false)
		rhhCutStep(f, w, "RHHCutFull", S, true)
	}
}

func rhhCutStep(f *file, w isa, name string, S int, full bool) {
	const far = 2
	k := newHHGroup(f, w, name, "takes a group through one step; see Block.", 2, full)
	k.MOVQ(operand.I32(0), k.Field("Rare"))
	k.MOVQ(operand.I32(0), k.Field("Cut"))
	k.input()
	k.XORQ(k.lane, k.lane)
	k.Label("vectors")
	k.Block("step", func(b *Block) {
		for s := range S {
			c, drive, y := k.load(b, s)
			next, first, last := rungeKutta(b, rhhDeriv, c, drive, y)
			reach := b.Mul(b.Max(b.Abs(last), b.Abs(first)), c(asm.HHDt))
			b.Store(k.sub(k.old, far, s), reach)
			cut := b.Cmp(reach, GT, c(asm.HHCut))
			rearm := b.MaskAndNot(b.Cmp(next[0], LT, c(asm.HHRearm)), cut)
			b.Store(k.col(k.wake, s), b.Select(rearm, c(asm.HHVTh), b.Load(k.col(k.wake, s))))
			k.keep(b, s, b.Select(cut, y[0], next[0]), y, next)
		}
	})
	cut := func(b *Block, s int) Mask {
		return b.Cmp(b.Load(k.sub(k.old, far, s)), GT, b.Load(k.sub(k.coef, asm.HHCut, s)))
	}
	k.lanes("Cut", S, cut)
	k.lanes("Rare", S, func(b *Block, s int) Mask { return b.MaskAndNot(k.crossed(b, s), cut(b, s)) })
	k.ADDQ(imm(S*w.Lanes), k.lane)
	k.CMPQ(k.lane, k.Field("Lanes"))
	k.JLT(operand.LabelRef("vectors"))
	k.End()
}

// rhhPieces writes the kernel that takes cut lanes through the pieces of a step, S vectors at a time, few where few do. It does not branch
// on a crossing either, but notes it: the states before and after the piece in Old, the number of the piece in Lo.
func rhhPieces(S, few int) func(f *file, w isa) {
	return func(f *file, w isa) {
		k := newHHGroup(f, w, "RHHPieces", "takes cut lanes through the pieces of a step; see Block.", 2, false)
		piece, number := k.Value("Lo"), k.Pin()
		k.Block("first", func(b *Block) { b.Set(number, b.ConstBits(0)) })
		k.XORQ(k.step, k.step)
		k.CMPQ(k.Field("Lanes"), imm(few*w.Lanes))
		k.JGT(operand.LabelRef(fmt.Sprint("piece", S)))
		for _, S := range []int{few, S} {
			k.Label(fmt.Sprint("piece", S))
			k.XORQ(k.lane, k.lane)
			k.Label(fmt.Sprint("vectors", S))
			k.Block("step", func(b *Block) {
				for s := range S {
					c, drive, y := k.load(b, s)
					next, _, _ := rungeKutta(b, rhhDeriv, c, drive, y)
					level := b.Load(k.col(k.wake, s))
					up := b.Cmp(next[0], GE, level)
					note := func(m operand.Mem, v Vec) { b.Store(m, b.Select(up, v, b.Load(m))) }
					for j := range next {
						note(k.sub(k.old, j, s), y[j])
						note(k.sub(k.old, 2+j, s), next[j])
						b.Store(k.col(k.y[j], s), next[j])
					}
					note(k.col(piece, s), b.Get(number))
					note(k.col(k.wake, s), b.Const(math.Inf(1)))
				}
			})
			k.ADDQ(imm(S*w.Lanes), k.lane)
			k.CMPQ(k.lane, k.Field("Lanes"))
			k.JLT(operand.LabelRef(fmt.Sprint("vectors", S)))
			k.Block("next", func(b *Block) { b.Set(number, b.Add(b.Get(number), b.Const(1))) })
			k.INCQ(k.step)
			k.CMPQ(k.step, k.Field("Steps"))
			k.JLT(operand.LabelRef(fmt.Sprint("piece", S)))
			if S == few {
				k.VZEROUPPER()
				k.RET()
			}
		}
		k.End()
	}
}
