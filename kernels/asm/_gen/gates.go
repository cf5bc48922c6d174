package main

import (
	"fmt"

	"popsim/kernels/asm"
	"popsim/kernels/vec"
)

// gateKernels are the step kernels of NMDA: of the gates of sources, and of the conductances of targets.
var gateKernels = []*stepKernel{gateStep, conductNMDA(false), conductNMDA(true)}

// gateStep is a step of gates without arrivals, x' = -x/tau_rise, s' = -s/tau_decay + alpha x (1 - s), by Gauss's
// formula: with the drive u = alpha x at the start,
//
//	s(dt) = kept s + dt u sum of w_j exp(-t_j/tau_rise) exp(A(t_j) - A(dt)),   kept = exp(-A(dt)),
//	A(t) = t/tau_decay + u tau_rise (1 - exp(-t/tau_rise)).
//
// Mean and tilt are those of the cubic through s and s' at both ends.
var gateStep = &stepKernel{
	name: "Gates", doc: "advances gates without arrivals; see GatesBlock.", argument: "GatesBlock",
	columns: []string{"X", "S", "NextX", "NextS", "End", "Mean", "Tilt"},
	scalars: gateScalars(),
	vectors: map[string]int{"AVX2": 2, "AVX512": 2},
	step: func(b *vec.Block, x *laneVars) {
		s, zero, one, half := x.get("S"), b.Const(0), b.Const(1), b.Const(0.5)
		before := x.get("X")
		drive := b.Mul(x.get("Alpha"), before)
		reach := b.Mul(drive, x.get("Rise"))
		sum := zero
		for j := range asm.GateNodes {
			node := func(field string) Vec { return x.get(fmt.Sprint(field, "/", j)) }
			sum = b.FMA(node("Weights"), b.ExpClamped(b.FMA(reach, node("Gaps"), node("Lefts"))), sum)
		}
		kept := b.ExpClamped(b.FMA(reach, x.get("Gap"), x.get("Left")))
		decayed := b.Mul(x.get("Decay"), s)
		next := b.FMA(drive, sum, b.Mul(kept, s))
		quiet := b.Cmp(before, EQ, zero)
		next = b.Select(quiet, decayed, next)
		next = b.Select(b.Cmp(next, LT, b.Const(asm.LeastGate)), zero, next)
		after := b.Mul(before, x.get("Fall"))
		after = b.Select(b.Cmp(after, LT, b.Const(asm.IdleGate)), zero, after)
		x.set("NextX", after)
		x.set("NextS", next)

		slope := func(drive, s Vec) Vec { return b.FMA(drive, b.Sub(one, s), b.Mul(s, x.get("Leak"))) }
		from, to := slope(drive, s), slope(b.Mul(x.get("Alpha"), after), next)
		mean := b.FMA(x.get("Bend"), b.Sub(from, to), b.Mul(half, b.Add(s, next)))
		tilt := b.FMA(x.get("Twist"), b.Add(from, to), b.Mul(b.Const(1.2), b.Sub(next, s)))
		added := func(to string, y, per Vec) { x.set(to, b.Select(quiet, zero, b.FNMA(per, s, y))) }
		added("End", next, x.get("Decay"))
		added("Mean", mean, x.get("PerMean"))
		added("Tilt", tilt, x.get("PerTilt"))
	},
}

func gateScalars() []string {
	names := []string{"Alpha", "Rise", "Gap", "Left", "Decay", "Fall", "Leak", "Bend", "Twist", "PerMean", "PerTilt"}
	for j := range asm.GateNodes {
		for _, field := range []string{"Weights", "Gaps", "Lefts"} {
			names = append(names, fmt.Sprint(field, "/", j))
		}
	}
	return names
}

// conductNMDA is a step of conductances of NMDA as conduct is of exponential ones; the block by magnesium is left to
// the step of the model, and bounds take it as it is at the threshold, where it is least: Open.
func conductNMDA(bounds bool) *stepKernel {
	k := &stepKernel{
		name: "ConductNMDA", doc: "advances conductances of NMDA; see NMDABlock.", argument: "NMDABlock",
		columns: []string{"End", "Mean", "Tilt", "S", "Next", "G", "J", "GTilt", "JTilt"},
		scalars: []string{"Decay", "PerMean", "PerTilt", "E"},
		vectors: map[string]int{"AVX2": 2, "AVX512": 4},
	}
	if bounds {
		k.name, k.doc = "ConductNMDABounds", "advances conductances of NMDA and bounds their currents; see NMDABlock."
		k.columns = append(k.columns, "V", "Up", "Open")
	}
	k.step = func(b *vec.Block, x *laneVars) {
		s, e := x.get("S"), x.get("E")
		mean, tilt := b.FMA(x.get("PerMean"), s, x.get("Mean")), b.FMA(x.get("PerTilt"), s, x.get("Tilt"))
		next := b.FMA(x.get("Decay"), s, x.get("End"))
		x.set("Next", next)
		x.set("G", mean)
		x.set("J", b.Mul(e, mean))
		x.set("GTilt", tilt)
		x.set("JTilt", b.Mul(e, tilt))
		if bounds {
			gap := b.Max(b.Sub(e, x.get("V")), b.Const(0))
			x.set("Up", b.FMA(b.Mul(b.Max(s, next), x.get("Open")), gap, x.get("Up")))
		}
	}
	return k
}
