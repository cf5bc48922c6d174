package main

import (
	"math"

	"popsim/kernels/asm"
	"popsim/kernels/vec"
)

// coupledSteps are those of stepKernels for one model with states beside V.
var coupledSteps = []*stepKernel{hhtmConduct(1), hhtmConduct(2)}

// hhtmConduct is a step on the grid of hhtm neurons with one exponential conductance or two: operation by operation
// Conduct of each conductance and then HHTMCoupledStrang, with nothing stored between them.
func hhtmConduct(receptors int) *stepKernel {
	k := &stepKernel{
		name: "HHTMConduct", doc: "moves hhtm neurons with an exponential conductance; see HHTMConductBlock.",
		argument: "HHTMConductBlock", columns: []string{"V", "M", "H", "N"},
		coefs:   []string{"Per", "Rate", "Drive", "VTh", "Na", "K", "ENa", "EK", "Shift"},
		scalars: []string{"Dt", "Half"}, events: true, slow: true, vectors: four,
	}
	suffixes := []string{"1", "2"}[:receptors]
	for _, i := range suffixes {
		k.columns, k.scalars = append(k.columns, "S"+i, "Row"+i), append(k.scalars, "Decay"+i, "PerMean"+i, "E"+i)
	}
	if receptors == 2 {
		k.name, k.doc = "HHTMConduct2", "is HHTMConduct with two conductances."
	}
	k.step = func(b *vec.Block, x *laneVars) {
		var g, j Vec
		for n, i := range suffixes {
			s, e := x.get("S"+i), x.get("E"+i)
			mean := b.Mul(x.get("PerMean"+i), s)
			if n == 0 {
				g, j = mean, b.Mul(e, mean)
			} else {
				g, j = b.Add(g, mean), b.FMA(e, mean, j)
			}
			x.set("S"+i, b.FMA(x.get("Decay"+i), s, x.get("Row"+i)))
			x.set("Row"+i, b.Const(asm.EmptyRow))
		}
		model := &coupledVars{get: x.get, coef: x.get, scalar: x.get}
		next := model.strang(&Block{Block: b}, traubMiles, model.state(gateFields[:]), g, j)
		for i, field := range gateFields {
			x.set(field, next[i])
		}
		v := next[0]
		fits := b.MaskAnd(b.Cmp(v, GT, b.Const(-asm.BlownUp)), b.Cmp(v, LE, b.Const(asm.BlownUp)))
		x.near = b.MaskAndNot(b.Cmp(v, NLE, b.Const(math.Inf(-1))), fits)
		x.fired = b.MaskAnd(b.Cmp(v, GE, x.get("VTh")), fits)
	}
	return k
}
