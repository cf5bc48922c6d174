package main

import "popsim/kernels/asm"

// euler records the step of the euler method: V += dt dV/dt and w += dt dw/dt, from the state before the step.
func euler(b *Block, n *neuron) (v, w Vec, inEvent Mask) {
	c := n.c
	grow := b.Exp2Near(b.Max(b.Const(exp2Lo), b.FMA(n.v, c(asm.FlowSlope), c(asm.FlowShift))))
	d := b.FNMA(c(asm.FlowC), n.v, n.drive)
	if n.adapts {
		d = b.FNMA(c(asm.FlowRC), n.w, d)
		w = b.FMA(c(asm.FlowSinkV), n.v, b.FMA(c(asm.FlowSinkW), n.w, c(asm.FlowSink)))
	}
	v = b.Add(n.v, b.Add(d, grow))
	v = b.Select(b.Cmp(n.wake, GT, n.now), n.v, v)
	return v, w, b.Cmp(v, GE, c(asm.FlowVTh))
}
