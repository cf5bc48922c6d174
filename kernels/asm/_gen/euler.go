package main

import "popsim/kernels/asm"

// euler is the step of the euler method, operation by operation eulerGeneric of package kernels.
func euler(b *Block, n *neuron) (v, w Vec, rare Mask) {
	c := n.c
	grow := b.Exp2(b.Max(b.Const(exp2Lo), b.FMA(n.v, c(asm.FlowSlope), c(asm.FlowShift))))
	d := b.FMA(c(asm.FlowDeltaT), grow, b.Sub(n.vInf, n.v))
	if n.adapts {
		d = b.FNMA(c(asm.FlowR), n.w, d)
		w = b.FMA(c(asm.FlowK), b.Sub(b.FMA(c(asm.FlowA), n.v, c(asm.FlowAVRest)), n.w), n.w)
	}
	v = b.FMA(c(asm.FlowQ), d, n.v)
	v = b.Select(b.Cmp(n.wake, GT, n.now), n.v, v)
	return v, w, b.Cmp(v, GE, c(asm.FlowVTh))
}
