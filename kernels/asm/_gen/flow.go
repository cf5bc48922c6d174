package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"popsim/kernels/asm"
)

// A neuron is one vector of EIF or AdEx neurons before a step: coefficients, R I + V_rest as FlowDrive, V, w (if
// adapts), the step from which V moves again, the number of the step.
type neuron struct {
	c                      func(j int) Vec
	drive, v, w, wake, now Vec
	adapts                 bool
}

// A stepOf records one step of a vector: V and w after it, and a mask. For methods that find spikes inside the step the
// mask selects the lanes in an event step, for those on the grid the lanes at or above V_th.
type stepOf func(b *Block, n *neuron) (v, w Vec, selected Mask)

// exponential emits the four kernels of a method for EIF and AdEx, free and driven, S vectors at a time. If inside,
// spikes are found inside the step: the state before the step and the mask are stored in Scratch, most event steps are
// finished by an eventStep, and the others are left to Go. Otherwise lanes that fire are reset at the end of the step,
// by masked operations with AVX-512 and on a rarely taken branch with AVX2.
func exponential(method string, S int, inside bool, tune map[string]Tuning, step stepOf) func(f *file, w isa) {
	return func(f *file, w isa) {
		for _, model := range []string{"EIF", "AdEx"} {
			for _, driven := range []string{"", "Full"} {
				fn := f.Func(w, model+method+driven, "func(b *Block)", "advances a group of "+model+" neurons; see Block.")
				fn.Tune = tune[w.Name]
				k := &expKernel{Func: fn, S: S, adapts: model == "AdEx", driven: driven != "", inside: inside, stepOf: step}
				k.emit()
			}
		}
	}
}

// An expKernel emits one kernel of exponential.
type expKernel struct {
	*Func
	S                      int
	adapts, driven, inside bool
	stepOf                 stepOf

	now                 *Pin          // number of the step
	n, step, lane       reg.GPVirtual // steps left; first step; first lane of the current vectors
	y                   []reg.Register
	wake, coef, scratch reg.GPVirtual
	lo, hi              reg.Register
	in                  input
	fired               reg.GPVirtual // not inside: pointer to the step's mask of lanes that have fired
	reload              []func()      // each loads one pointer
}

// branches reports whether lanes that fire are reset on a branch. With AVX-512 masked operations cost less.
func (k *expKernel) branches() bool { return !k.inside && !k.W.kmask() }

func (k *expKernel) emit() {
	k.begin()
	k.Label("step")
	k.Block("step", k.vectors)
	switch {
	case k.inside:
		k.JNZ(k.Later("events", k.events))
		k.Label("finished")
	case k.branches():
		k.JNZ(k.Later("fired", k.reset))
		k.Label("reset")
		fallthrough
	default:
		k.ADDQ(imm(k.S*k.W.Lanes/8), k.fired)
	}
	k.forward("step")
	if k.driven {
		k.in.next(k.Func)
	}
	if !k.inside { // a step has eight bytes
		k.ADDQ(imm(7), k.fired)
		k.ANDQ(operand.I8(-8), k.fired)
	}
	k.Block("now", func(b *Block) { b.Set(k.now, b.Add(b.Get(k.now), b.Const(1))) })
	k.DECQ(k.n)
	k.JNZ(operand.LabelRef("step"))
	k.Label("done")
	k.MOVQ(k.Field("Steps"), k.step)
	k.SUBQ(k.n, k.step)
	k.MOVQ(k.step, k.Field("Step"))
	k.MOVQ(k.lane, k.Field("Lane"))
	k.End()
}

// begin loads the counters and pointers.
func (k *expKernel) begin() {
	k.now = k.Pin()
	if k.W.kmask() && !k.inside { // short enough that its constants find room in 32 registers
		k.Hold(1, asm.Exp2C1, asm.Exp2C2, asm.Exp2C3, asm.Exp2C4, asm.Exp2C5, asm.Exp2C6, asm.Exp2C7, asm.Exp2C8, magic,
			exp2Lo, 1)
	}
	k.n, k.step, k.lane = k.Value("Steps"), k.Value("Step"), k.Value("Lane")
	pointer := func(field string, j int) reg.GPVirtual {
		r := k.GP64()
		k.reload = append(k.reload, func() { k.MOVQ(k.element(field, j), r) })
		k.reload[len(k.reload)-1]()
		return r
	}
	k.y = []reg.Register{pointer("Y", 0)}
	k.wake, k.coef, k.scratch = pointer("Wake", 0), pointer("Coef", 0), pointer("Scratch", 0)
	if k.adapts {
		k.y = append(k.y, pointer("Y", 1))
	}
	if k.driven {
		k.lo, k.hi, k.in = pointer("Lo", 0), pointer("Hi", 0), k.input(k.step, k.lane)
	}
	if !k.inside {
		k.fired = k.GP64()
		k.MOVQ(k.step, k.fired)
		k.ANDQ(operand.I32(asm.MaxSteps-1), k.fired)
		k.SHLQ(imm(3), k.fired)
		k.ADDQ(k.Field("Fired"), k.fired)
	}
	k.MOVQ(operand.I32(0), k.Field("InEvent"))
	k.number(k.now, k.step)
	k.SUBQ(k.step, k.n)
	k.JLE(operand.LabelRef("done"))
}

// col is vector s of the current vectors in column j of the columns at r.
func (k *expKernel) col(r reg.Register, j, s int) operand.Mem {
	return operand.Mem{Base: r, Index: k.lane, Scale: 8, Disp: column*j + s*k.W.Bytes()}
}

// vectors takes the current vectors through one step; unless lanes are reset by masked operations, it tests whether any
// lane is selected.
func (k *expKernel) vectors(b *Block) {
	var any Mask
	var fired []Mask
	next := b.Add(b.Get(k.now), b.Const(1))
	for s := range k.S {
		b.Vector(s)
		x := k.load(b, s)
		v, w, selected := k.stepOf(b, x)
		low, high := v, v
		if k.inside {
			low, high = k.before(b, s, x, v, selected)
		} else {
			fired = append(fired, selected)
			if k.driven {
				high = b.Min(x.c(asm.FlowVTh), v)
			}
			if !k.branches() {
				v, w = k.resetMasked(b, s, x, v, w, next, selected)
			}
			low = v
			if i := s * k.W.Lanes / 8; len(fired)*k.W.Lanes == 8 {
				b.StoreBits(at(k.fired, i), fired...)
				fired = fired[:0]
			}
		}
		if k.driven {
			b.Store(k.col(k.lo, 0, s), b.Min(low, b.Load(k.col(k.lo, 0, s))))
			b.Store(k.col(k.hi, 0, s), b.Max(high, b.Load(k.col(k.hi, 0, s))))
		}
		b.Store(k.col(k.y[0], 0, s), v)
		if k.adapts {
			b.Store(k.col(k.y[1], 0, s), w)
		}
		any = b.either(any, selected)
	}
	if k.inside || k.branches() {
		b.Test(any)
	}
}

// load is vector s before the step.
func (k *expKernel) load(b *Block, s int) *neuron {
	x := &neuron{
		c: func(j int) Vec { return b.Load(k.col(k.coef, j, s)) },
		v: b.Load(k.col(k.y[0], 0, s)), wake: b.Load(k.col(k.wake, 0, s)), now: b.Get(k.now), adapts: k.adapts,
	}
	x.drive = x.c(asm.FlowDrive)
	if k.driven {
		x.drive = k.in.steadyVoltage(b, s, x.c, asm.FlowI, asm.FlowGain, asm.FlowRC, asm.FlowRest)
	}
	if k.adapts {
		x.w = b.Load(k.col(k.y[1], 0, s))
	}
	return x
}

// before stores the state before the step and the lanes in an event step. It returns what the extrema are widened by:
// V, but in event steps V before the step.
func (k *expKernel) before(b *Block, s int, x *neuron, v Vec, inEvent Mask) (low, high Vec) {
	b.Store(k.col(k.scratch, 0, s), x.v)
	b.Store(k.col(k.scratch, columnInEvent, s), b.signs(inEvent))
	if k.adapts {
		b.Store(k.col(k.scratch, 1, s), x.w)
	}
	if k.driven {
		v = b.Select(inEvent, x.v, v)
	}
	return v, v
}

// resetMasked resets V and w of the lanes that fire, and stores the step in which they move again.
func (k *expKernel) resetMasked(b *Block, s int, x *neuron, v, w, next Vec, fires Mask) (Vec, Vec) {
	v = b.Select(fires, x.c(asm.FlowVReset), v)
	b.Store(k.col(k.wake, 0, s), b.Select(fires, b.Add(next, x.c(asm.FlowHold)), x.wake))
	if k.adapts {
		w = b.Select(fires, b.Add(w, x.c(asm.FlowB)), w)
	}
	return v, w
}

// forward goes to the next vectors, and to again if there are any.
func (k *expKernel) forward(again operand.LabelRef) {
	k.ADDQ(imm(k.S*k.W.Lanes), k.lane)
	k.CMPQ(k.lane, k.Field("Lanes"))
	k.JLT(again)
	k.XORQ(k.lane, k.lane)
}

// events finishes the event steps of the current vectors, and returns to Go where lanes are left.
func (k *expKernel) events() {
	left := k.bits(k.S, func(b *Block, s int) Mask { return b.whereSigned(b.Load(k.col(k.scratch, columnInEvent, s))) })
	e := &eventStep{Func: k.Func, n: k.n, lane: k.lane, left: left, now: k.now, in: k.in, adapts: k.adapts, full: k.driven}
	e.finish()
	for _, load := range k.reload {
		load()
	}
	k.TESTQ(left, left)
	k.JZ(operand.LabelRef("finished"))
	k.MOVQ(k.lane, reg.RCX)
	k.SHLQ(reg.CL, left)
	k.MOVQ(left, k.Field("InEvent"))
	k.forward("done")
	k.DECQ(k.n)
	k.JMP(operand.LabelRef("done"))
}

// reset resets the lanes that have fired, vector by vector; bit 0 of their mask is lane.
func (k *expKernel) reset() {
	bits, first := k.GP64(), k.GP64()
	col := func(r reg.Register, j int) operand.Mem {
		return operand.Mem{Base: r, Index: first, Scale: 8, Disp: column * j}
	}
	k.MOVL(at(k.fired, 0), bits.As32())
	top := k.NewLabel("again")
	k.Label(top)
	k.TZCNTQ(bits, first)
	k.ANDQ(operand.I8(-k.W.Lanes), first)
	k.ADDQ(k.lane, first)
	k.Block("reset", func(b *Block) {
		c := func(j int) Vec { return b.Load(col(k.coef, j)) }
		v := b.Load(col(k.y[0], 0))
		fires := b.Cmp(v, GE, c(asm.FlowVTh))
		write := func(r reg.Register, x Vec) { b.Store(col(r, 0), b.Select(fires, x, b.Load(col(r, 0)))) }
		write(k.wake, b.Add(b.Add(b.Get(k.now), b.Const(1)), c(asm.FlowHold)))
		if k.adapts {
			write(k.y[1], b.Add(b.Load(col(k.y[1], 0)), c(asm.FlowB)))
		}
		if k.driven {
			write(k.lo, b.Min(c(asm.FlowVReset), b.Load(col(k.lo, 0))))
		}
		write(k.y[0], c(asm.FlowVReset))
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
func flow(b *Block, n *neuron) (v, w Vec, inEvent Mask) {
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

	inEvent = b.Cmp(b.Max(x, b.Abs(z)), NLT, num(flowX))
	inEvent = b.MaskOr(inEvent, b.MaskOr(b.Cmp(v, NLT, c(asm.FlowVTh)), b.Cmp(n.wake, EQ, n.now)))
	inEvent = b.MaskAndNot(inEvent, held)
	return b.Select(held, n.v, v), w, inEvent
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
