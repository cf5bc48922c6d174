package main

import (
	"slices"

	"popsim/kernels/asm"
	"popsim/kernels/vec"
)

// lifRowKernels are the kernels of LIF neurons whose arrivals and spikes are at ends of steps. With AVX2, which has
// registers for four vectors alone, all steps are single ones.
var lifRowKernels = []*laneKernel{
	lifRows("LIFRows", "advances LIF neurons with currents and jumps; see LIFRowsBlock.", true, true),
	lifRows("LIFDriveRows", "is LIFRows without the row Jump.", true, false),
	lifRows("LIFJumpRows", "is LIFRows without the row Drive.", false, true),
	alike(lifRows("LIFJumpRows", "", false, true)),
	lifExpRows(1), alike(lifExpRows(1)), lifExpRows(2), alike(lifExpRows(2)),
	single(lifRows("LIFRows", "", true, true)), single(lifRows("LIFDriveRows", "", true, false)),
	single(lifRows("LIFJumpRows", "", false, true)), alike(single(lifRows("LIFJumpRows", "", false, true))),
	single(lifExpRows(1)), alike(single(lifExpRows(1))), single(lifExpRows(2)), alike(single(lifExpRows(2))),
}

// alike is k for lanes that all have the coefficients of the first; k's plain Go stands for its own.
func alike(k *laneKernel) *laneKernel {
	a := *k
	a.name, a.doc = k.name+"Alike", "is "+k.name+" where all lanes have the same coefficients."
	a.alike, a.noPlain = true, true
	return &a
}

// single is one step of k, but for its end: lanes that fire are marked, and neither reset nor held. That saves the
// column Wake, one of those that are written, and two coefficients. k's plain Go stands for its own.
func single(k *laneKernel) *laneKernel {
	a := *k
	a.name, a.doc = k.name+"Once", "is a step of "+k.name+" that leaves V and Wake of lanes that fire as they are."
	a.once, a.noPlain, a.vectors, a.tune = true, true, map[string]int{"AVX2": 4, "AVX512": 8}, lifRowTune
	return &a
}

// lifRowTune puts vectors almost one after the other: a step of each has three masks.
var lifRowTune = map[string]Tuning{"AVX2": {Skew: 4}, "AVX512": {Skew: 2}}

// lifRowCoefs are the coefficients of asm.LIFRowsBlock.
var lifRowCoefs = []string{"VInf", "Keep", "VTh", "VReset", "Hold"}

// lifRows is a step of LIF: with the row of currents and that of jumps, or one of them. It is a chain of about 20
// cycles, which eight vectors hide.
//
//	V += keep (V_inf - V) + drive   where wake <= k
//	V += jump                       where wake <= k + 1
//	V = V_reset, wake = k + 1 + hold where then V >= V_th
func lifRows(name, doc string, drive, jump bool) *laneKernel {
	k := &laneKernel{
		name: name, doc: doc, argument: "LIFRowsBlock", states: []string{"V", "Wake"}, now: true, marks: true,
		coefs: lifRowCoefs, vectors: map[string]int{"AVX512": 8}, tune: lifRowTune,
	}
	if drive {
		k.rows = append(k.rows, "Drive")
	}
	if jump {
		k.rows = append(k.rows, "Jump")
	}
	k.step = func(b *vec.Block, x *laneVars) {
		from := x.get("V")
		if drive {
			from = b.Add(from, x.get("Drive"))
		}
		lifRowStep(b, x, from, jump)
	}
	return k
}

// lifRowStep is a step of LIF; from is V with what currents add to it in a step.
func lifRowStep(b *vec.Block, x *laneVars, from Vec, jump bool) {
	v := lifRowMove(b, x, from, jump)
	if x.single {
		x.set("V", v)
		return
	}
	end := x.perCoefs("end", func() Vec { return b.Add(nextStep(b, x), x.get("Hold")) })
	x.set("V", b.Select(x.fired, x.get("VReset"), v))
	x.set("Wake", b.Select(x.fired, end, x.get("Wake")))
}

// lifRowMove is V at the end of a step before it is reset; it sets x.fired.
func lifRowMove(b *vec.Block, x *laneVars, from Vec, jump bool) Vec {
	v, wake := x.get("V"), x.get("Wake")
	moves, open := b.Cmp(wake, LE, x.get("now")), b.Cmp(wake, LE, nextStep(b, x))
	v = b.Select(moves, b.FMA(x.get("Keep"), b.Sub(x.get("VInf"), v), from), v)
	if jump {
		v = b.Select(open, b.Add(v, x.get("Jump")), v)
		x.set("Jump", b.Const(asm.EmptyRow))
	}
	x.fired = b.CmpWhere(open, v, GE, x.get("VTh"))
	return v
}

// nextStep is the number of the next step.
func nextStep(b *vec.Block, x *laneVars) Vec {
	return x.once("next", func() Vec { return b.Add(x.get("now"), b.Const(1)) })
}

// lifExpRows is a step of LIF with one exponential current or two, which are nowhere stored as a sum: a kernel for each
// takes half as long again, since stores bound them.
func lifExpRows(currents int) *laneKernel {
	k := &laneKernel{
		name: "LIFExpRows", doc: "advances LIF neurons with one exponential current; see LIFExpRowsBlock.",
		argument: "LIFExpRowsBlock", states: []string{"V", "Wake"}, now: true, marks: true,
		coefs: slices.Clone(lifRowCoefs), vectors: map[string]int{"AVX512": 8 / currents}, tune: lifRowTune,
	}
	suffixes := []string{"", "2"}[:currents]
	for _, i := range suffixes {
		k.states, k.rows = append(k.states, "Current"+i), append(k.rows, "Row"+i)
		k.coefs, k.scalars = append(k.coefs, "PerCurrent"+i), append(k.scalars, "Decay"+i)
	}
	if currents == 2 {
		k.name, k.doc = "LIFExpRows2", "is LIFExpRows with two currents."
	}
	k.step = func(b *vec.Block, x *laneVars) {
		var drive Vec
		for n, i := range suffixes {
			if current := x.get("Current" + i); n == 0 {
				drive = b.Mul(x.get("PerCurrent"), current)
			} else {
				drive = b.FMA(x.get("PerCurrent"+i), current, drive)
			}
			x.set("Current"+i, b.FMA(x.get("Decay"+i), x.get("Current"+i), x.get("Row"+i)))
			x.set("Row"+i, b.Const(asm.EmptyRow))
		}
		lifRowStep(b, x, b.Add(x.get("V"), drive), false)
	}
	return k
}
