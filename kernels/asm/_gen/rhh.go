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

// rhhDeriv returns the derivatives instead of the states after a step.
func rhhDeriv(b *Block, c func(j int) Vec, drive Vec, y []Vec) []Vec {
	v, h := y[0], y[1]
	r := b.HHRates(v)
	a, g := rhhIon(b, c, r, drive, h)
	bh := b.Div(b.Const(1), r.hD)
	return []Vec{b.FNMA(g, v, a), b.FNMA(b.Add(r.hA, bh), h, r.hA)}
}

// rhhExpEuler relaxes V and h exponentially, each with the other at its state before the step.
func rhhExpEuler(b *Block, c func(j int) Vec, drive Vec, y []Vec) []Vec {
	r := b.HHRates(y[0])
	a, g := rhhIon(b, c, r, drive, y[1])
	sum := b.FMA(r.hA, r.hD, b.Const(1))
	return []Vec{
		relax(b, y[0], b.Div(a, g), b.Mul(g, c(asm.HHNegDt))),
		relaxGate(b, c, y[1], b.Sub(sum, b.Const(1)), sum, r.hD),
	}
}

// rhhCut writes the kernels of cut-rk4: one step of RK4 for every group of a list, S vectors at a time, and no branch
// that depends on it.
func rhhCut(S int, tune map[string]Tuning) func(f *file, w isa) {
	return func(f *file, w isa) {
		rhhCutStep(f, w, "RHHCut", S, false, tune[w.Name])
		rhhCutStep(f, w, "RHHCutFull", S, true, tune[w.Name])
	}
}

func rhhCutStep(f *file, w isa, name string, S int, full bool, tune Tuning) {
	fn := f.Func(w, name, "func(b *Block)", "takes groups through one step; see Block.")
	fn.Tune = tune
	next := fn.Field("Next") // in front of the loop, as b is loaded with its first field
	fn.Label("group")
	k := fn.hhGroup(2, full)
	inEvent, cut := k.GP64(), k.GP64()
	k.LEAQ(k.Field("InEvent"), inEvent)
	k.LEAQ(k.Field("Cut"), cut)
	k.MOVQ(operand.I32(0), at(inEvent, 0))
	k.MOVQ(operand.I32(0), at(cut, 0))
	k.MOVQ(operand.I32(0), at(cut, 8))
	k.input()
	k.XORQ(k.lane, k.lane)
	k.Label("vectors")
	k.Block("step", func(b *Block) {
		var inEvents, cuts, eighths []Mask
		for s := range S {
			c, drive, y := k.load(b, s)
			next, first, last := rungeKutta(b, rhhDeriv, c, drive, y)
			steep, limit := b.Mul(b.Max(b.Abs(last), b.Abs(first)), c(asm.HHDt)), c(asm.HHCut)
			isCut := b.Cmp(steep, GT, limit)
			rearm := b.MaskAndNot(b.Cmp(next[0], LT, c(asm.HHRearm)), isCut)
			level := b.Select(rearm, c(asm.HHVTh), b.Load(k.col(k.wake, s)))
			b.Store(k.col(k.wake, s), level)
			k.keep(b, s, b.Select(isCut, y[0], next[0]), y, next)
			inEvents, cuts = append(inEvents, b.MaskAndNot(b.Cmp(next[0], GE, level), isCut)), append(cuts, isCut)
			eighths = append(eighths, b.Cmp(steep, GT, b.Add(limit, limit)))
			if len(cuts)*w.Lanes == 8 {
				i := s * w.Lanes / 8
				b.StoreBits(at(inEvent, i), inEvents...)
				b.StoreBits(at(cut, i), cuts...)
				b.StoreBits(at(cut, 8+i), eighths...)
				inEvents, cuts, eighths = nil, nil, nil
			}
		}
	})
	k.ADDQ(imm(S*w.Lanes/8), inEvent)
	k.ADDQ(imm(S*w.Lanes/8), cut)
	k.ADDQ(imm(S*w.Lanes), k.lane)
	k.CMPQ(k.lane, k.Field("Lanes"))
	k.JLT(operand.LabelRef("vectors"))
	k.MOVQ(next, next.Base)
	k.TESTQ(next.Base, next.Base)
	k.JNZ(operand.LabelRef("group"))
	k.End()
}

// rhhSubsteps writes the kernel that advances cut lanes by the substeps of a step, S vectors at a time, or few where
// these suffice. It does not branch on a crossing either, but writes the states before and after the substep to
// Scratch, and its number to Substep.
func rhhSubsteps(S, few int, tune map[string]Tuning) func(f *file, w isa) {
	return func(f *file, w isa) {
		k := f.Func(w, "RHHSubsteps", "func(b *Block)",
			"takes cut lanes through the substeps of a step; see Block.").hhGroup(2, false)
		k.Tune = tune[w.Name]
		substep, number := k.Value("Substep"), k.Pin()
		k.Block("first", func(b *Block) { b.Set(number, b.ConstBits(0)) })
		k.XORQ(k.step, k.step)
		k.CMPQ(k.Field("Lanes"), imm(few*w.Lanes))
		k.JGT(operand.LabelRef(fmt.Sprint("substep", S)))
		for _, S := range []int{few, S} {
			k.Label(fmt.Sprint("substep", S))
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
						note(k.sub(k.old, columnAfter+j, s), next[j])
						b.Store(k.col(k.y[j], s), next[j])
					}
					note(k.col(substep, s), b.Get(number))
					note(k.col(k.wake, s), b.Const(math.Inf(1)))
				}
			})
			k.ADDQ(imm(S*w.Lanes), k.lane)
			k.CMPQ(k.lane, k.Field("Lanes"))
			k.JLT(operand.LabelRef(fmt.Sprint("vectors", S)))
			k.Block("next", func(b *Block) { b.Set(number, b.Add(b.Get(number), b.Const(1))) })
			k.INCQ(k.step)
			k.CMPQ(k.step, k.Field("Substeps"))
			k.JLT(operand.LabelRef(fmt.Sprint("substep", S)))
			if S == few {
				k.VZEROUPPER()
				k.RET()
			}
		}
		k.End()
	}
}
