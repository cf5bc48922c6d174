package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"popsim/kernels/asm"
)

// A neuron is one vector of EIF or AdEx neurons before a step: coefficients, R I + V_rest as FlowDrive, V, w (if adapts), the step
// from which V moves again, the number of the step.
type neuron struct {
	c                      func(j int) Vec
	drive, v, w, wake, now Vec
	adapts                 bool
}

// exponential emits the four kernels of a method for EIF and AdEx, without and with input, S vectors at a time. advance returns V and w
// after the step and the mask of lanes in an event step. With keeps the state before the step and the mask are stored in Scratch, the usual
// events are finished by an eventStep and the others are handed back to Go. Without keeps the mask selects the lanes at or above V_th; they
// are reset at the end of the step, by masked operations on AVX-512 and on a rarely taken branch on AVX2.
func exponential(method string, S int, keeps bool, tune map[string]Tuning, advance func(b *Block, n *neuron) (v, w Vec, rare Mask)) func(f *file, w isa) {
	return func(f *file, w isa) {
		for _, model := range []string{"EIF", "AdEx"} {
			for _, full := range []string{"", "Full"} {
				k := f.Func(w, model+method+full, "func(b *Block)", "advances a group of "+model+" neurons; see Block.")
				k.Tune = tune[w.Name]
				k.exponential(S, model == "AdEx", full != "", keeps, advance)
			}
		}
	}
}

func (k *Func) exponential(S int, adapts, full, keeps bool, advance func(b *Block, n *neuron) (v, w Vec, rare Mask)) {
	width := k.W
	const maskColumn = columnInEvent     // of Scratch
	branches := !keeps && !width.kmask() // masked operations cost less than a branch
	now := k.Pin()
	if width.kmask() && !keeps { // short enough that its constants find room in 32 registers
		k.Hold(1, asm.Exp2C1, asm.Exp2C2, asm.Exp2C3, asm.Exp2C4, asm.Exp2C5, asm.Exp2C6, asm.Exp2C7, asm.Exp2C8, magic, exp2Lo, 1)
	}
	n, step, lane := k.Value("Steps"), k.Value("Step"), k.Value("Lane")
	var pointers []func() // each loads one pointer
	pointer := func(field string, j int) reg.GPVirtual {
		r := k.GP64()
		pointers = append(pointers, func() { k.MOVQ(k.element(field, j), r) })
		pointers[len(pointers)-1]()
		return r
	}
	y, wake, coef, old := []reg.Register{pointer("Y", 0)}, pointer("Wake", 0), pointer("Coef", 0), pointer("Scratch", 0)
	if adapts {
		y = append(y, pointer("Y", 1))
	}
	var lo, hi reg.Register
	var in input
	if full {
		lo, hi, in = pointer("Lo", 0), pointer("Hi", 0), k.input(step, lane)
	}
	col := func(r reg.Register, j, s int) operand.Mem {
		return operand.Mem{Base: r, Index: lane, Scale: 8, Disp: 8*asm.Group*j + s*width.Bytes()}
	}
	var fired reg.GPVirtual // pointer to the step's mask of lanes that have fired
	if !keeps {
		fired = k.GP64()
		k.MOVQ(step, fired)
		k.ANDQ(operand.I32(asm.MaxSteps-1), fired)
		k.SHLQ(imm(3), fired)
		k.ADDQ(k.Field("Fired"), fired)
	}
	k.MOVQ(operand.I32(0), k.Field("Rare"))
	k.number(now, step)
	k.SUBQ(step, n)
	k.JLE(operand.LabelRef("done"))

	k.Label("step")
	k.Block("step", func(b *Block) {
		var any Mask
		var spikes []Mask
		next := b.Add(b.Get(now), b.Const(1))
		for s := range S {
			b.Vector(s)
			x := &neuron{
				c: func(j int) Vec { return b.Load(col(coef, j, s)) },
				v: b.Load(col(y[0], 0, s)), wake: b.Load(col(wake, 0, s)), now: b.Get(now), adapts: adapts,
			}
			x.drive = x.c(asm.FlowDrive)
			if full {
				x.drive = in.steadyVoltage(b, s, x.c, asm.FlowI, asm.FlowGain, asm.FlowRC, asm.FlowRest)
			}
			if adapts {
				x.w = b.Load(col(y[1], 0, s))
			}
			v, w, rare := advance(b, x)
			if keeps {
				b.Store(col(old, 0, s), x.v)
				b.Store(col(old, maskColumn, s), b.signs(rare))
			}
			if keeps && adapts {
				b.Store(col(old, 1, s), x.w)
			}
			low, high := v, v
			if keeps && full {
				low = b.Select(rare, x.v, v)
				high = low
			} else if !keeps {
				spikes = append(spikes, rare)
				if full {
					high = b.Min(x.c(asm.FlowVTh), v)
				}
				if !branches {
					v = b.Select(rare, x.c(asm.FlowVReset), v)
					b.Store(col(wake, 0, s), b.Select(rare, b.Add(next, x.c(asm.FlowHold)), x.wake))
					if adapts {
						w = b.Select(rare, b.Add(w, x.c(asm.FlowB)), w)
					}
				}
				low = v
				if i := s * width.Lanes / 8; len(spikes)*width.Lanes == 8 {
					b.StoreBits(at(fired, i), spikes...)
					spikes = spikes[:0]
				}
			}
			if full {
				b.Store(col(lo, 0, s), b.Min(low, b.Load(col(lo, 0, s))))
				b.Store(col(hi, 0, s), b.Max(high, b.Load(col(hi, 0, s))))
			}
			b.Store(col(y[0], 0, s), v)
			if adapts {
				b.Store(col(y[1], 0, s), w)
			}
			any = b.either(any, rare)
		}
		if keeps || branches {
			b.Test(any)
		}
	})
	forward := func(again operand.LabelRef) { // to the next vectors, and again if there are any
		k.ADDQ(imm(S*width.Lanes), lane)
		k.CMPQ(lane, k.Field("Lanes"))
		k.JLT(again)
		k.XORQ(lane, lane)
	}
	if keeps {
		k.JNZ(k.Later("rare", func() {
			rare := k.bits(S, func(b *Block, s int) Mask { return b.whereSigned(b.Load(col(old, maskColumn, s))) })
			e := &eventStep{Func: k, n: n, lane: lane, rare: rare, now: now, in: in, adapts: adapts, full: full}
			e.finish()
			for _, load := range pointers {
				load()
			}
			k.TESTQ(rare, rare)
			k.JZ(operand.LabelRef("finished"))
			k.MOVQ(lane, reg.RCX)
			k.SHLQ(reg.CL, rare)
			k.MOVQ(rare, k.Field("Rare"))
			forward("done")
			k.DECQ(n)
			k.JMP(operand.LabelRef("done"))
		}))
		k.Label("finished")
	} else {
		if branches {
			k.JNZ(k.Later("rare", func() { k.reset(now, lane, fired, y, wake, coef, lo) }))
			k.Label("reset")
		}
		k.ADDQ(imm(S*width.Lanes/8), fired)
	}
	forward("step")
	if full {
		in.next(k)
	}
	if !keeps { // a step has eight bytes
		k.ADDQ(imm(7), fired)
		k.ANDQ(operand.I8(-8), fired)
	}
	k.Block("now", func(b *Block) { b.Set(now, b.Add(b.Get(now), b.Const(1))) })
	k.DECQ(n)
	k.JNZ(operand.LabelRef("step"))
	k.Label("done")
	k.MOVQ(k.Field("Steps"), step)
	k.SUBQ(n, step)
	k.MOVQ(step, k.Field("Step"))
	k.MOVQ(lane, k.Field("Lane"))
	k.End()
}

// reset resets the lanes that have fired, whose mask is at fired; bit 0 is lane.
func (k *Func) reset(now *Pin, lane, fired reg.GPVirtual, y []reg.Register, wake, coef, lo reg.Register) {
	bits, first := k.GP64(), k.GP64()
	col := func(r reg.Register, j int) operand.Mem {
		return operand.Mem{Base: r, Index: first, Scale: 8, Disp: 8 * asm.Group * j}
	}
	k.MOVL(at(fired, 0), bits.As32())
	top := k.NewLabel("again")
	k.Label(top)
	k.TZCNTQ(bits, first)
	k.ANDQ(operand.I8(-k.W.Lanes), first)
	k.ADDQ(lane, first)
	k.Block("reset", func(b *Block) {
		c := func(j int) Vec { return b.Load(col(coef, j)) }
		v := b.Load(col(y[0], 0))
		it := b.Cmp(v, GE, c(asm.FlowVTh))
		write := func(r reg.Register, x Vec) { b.Store(col(r, 0), b.Select(it, x, b.Load(col(r, 0)))) }
		write(wake, b.Add(b.Add(b.Get(now), b.Const(1)), c(asm.FlowHold)))
		if len(y) > 1 {
			write(y[1], b.Add(b.Load(col(y[1], 0)), c(asm.FlowB)))
		}
		if lo != nil {
			write(lo, b.Min(c(asm.FlowVReset), b.Load(col(lo, 0))))
		}
		write(y[0], c(asm.FlowVReset))
	})
	k.LEAQ(at(bits, -1), first) // clear the lowest bit; a second lane of the same vector finds V reset already
	k.ANDQ(first, bits)
	k.JNZ(operand.LabelRef(top))
	k.JMP(operand.LabelRef("reset"))
}

// Coefficients of m(g), of phi(z) and of logTerm(x); see kernels/flow.go.
var (
	meanC    = [5]float64{asm.FlowMean0, asm.FlowMean1, asm.FlowMean2, asm.FlowMean3, asm.FlowMean4}
	phiC     = [5]float64{1, 1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120}
	logTermP = [4]float64{asm.FlowLog0, asm.FlowLogP1, asm.FlowLogP2, asm.FlowLogP3}
	logTermQ = [4]float64{asm.FlowLog0, asm.FlowLogQ1, asm.FlowLogQ2, asm.FlowLogQ3}
)

// flow is the step of the flow method, operation by operation flowGeneric of package kernels.
func flow(b *Block, n *neuron) (v, w Vec, rare Mask) {
	c, num := n.c, b.Const
	z := b.FNMA(c(asm.FlowC), n.v, n.drive)
	if n.adapts {
		z = b.FNMA(c(asm.FlowRC), n.w, z)
	}
	grow := b.Exp2Near(b.Max(num(exp2Lo), b.FMA(n.v, c(asm.FlowSlope), c(asm.FlowShift))))

	held := b.Cmp(n.wake, GT, n.now)
	half := b.horner(grow, meanC[:])
	gain := b.Mul(b.Add(z, grow), half)
	var slower, sink Vec
	if n.adapts {
		sink = b.FMA(c(asm.FlowSinkV), n.v, b.FMA(c(asm.FlowSinkW), n.w, c(asm.FlowSink)))
		slower = b.FMA(c(asm.FlowSlow), gain, sink)
		z = b.Sub(z, sink)
	} else {
		slower = b.Mul(c(asm.FlowSlow), gain)
	}
	gain = b.FNMA(num(1.0/3), slower, gain)
	grow = b.Mul(grow, b.FMA(slower, b.horner(grow, []float64{1.0 / 6, 1.0 / 12}), num(1)))
	z = b.FNMA(c(asm.FlowFall), gain, z)
	x := b.Mul(grow, b.horner(z, phiC[:]))
	l := b.logTerm(x)
	if n.adapts {
		gain = b.Select(b.Cmp(x, GT, num(flowUpstroke)), b.upstrokeMean(x, l, z, slower, half), gain)
		w = b.FMA(c(asm.FlowWGain), b.Select(held, num(0), gain), b.FMA(c(asm.FlowWSink), sink, n.w))
	}
	v = b.FMA(c(asm.FlowDeltaT), b.FMA(x, l, z), n.v)

	rare = b.Cmp(b.Max(x, b.Abs(z)), NLT, num(flowX))
	rare = b.MaskOr(rare, b.MaskOr(b.Cmp(v, NLT, c(asm.FlowVTh)), b.Cmp(n.wake, EQ, n.now)))
	rare = b.MaskAndNot(rare, held)
	return b.Select(held, n.v, v), w, rare
}

const (
	flowX        = asm.FlowLimit
	flowUpstroke = asm.FlowUpstroke
)

// upstrokeMean is the mean gain of V in an upstroke; see kernels/flow.go.
func (b *Block) upstrokeMean(x, l, z, slower, m Vec) Vec {
	num := b.Const
	return b.FMA(slower, num(0.25), b.FMA(z, b.FNMA(num(0.5), m, num(0.75)), b.FNMA(b.Sub(num(1), x), l, num(1))))
}

// logTerm is -ln(1-x)/x; see kernels/flow.go.
func (b *Block) logTerm(x Vec) Vec {
	q := b.Add(x, b.Const(logTermQ[3]))
	for i := 2; i >= 0; i-- {
		q = b.FMA(q, x, b.Const(logTermQ[i]))
	}
	return b.Div(b.horner(x, logTermP[:]), q)
}
