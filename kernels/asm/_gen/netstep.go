package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"popsim/kernels/asm"
	"popsim/kernels/vec"
)

// A stepKernel advances many lanes of a network by one step (asm/steps.go). Its assembly and its plain Go are printed
// from one recording.
type stepKernel struct {
	name, doc, argument string
	columns             []string // fields, a value per lane
	coefs               []string // columns of Coef in their order
	planes              []string // columns of one tile in Sums, asm.SumsStride apart
	scalars             []string // fields: one float64, or an array of them of which FIELD/i is number i
	events              bool     // whether the step marks lanes with events
	triples             []string // rows of triples, which are emptied: End, Mean and Tilt with the last letter of each
	rare                []string // columns that are only stored where some lane of the vectors side by side is rare
	held                bool     // whether bits of Held mark lanes that are held
	slow                bool     // and, in a second byte, those that are slow
	vectors             map[string]int
	resident            []float64 // constants that stay in registers with AVX-512
	step                func(b *vec.Block, x *laneVars)
}

var (
	lifStep = &stepKernel{
		name: "LIFStep", doc: "moves LIF neurons; see LIFStepBlock.", argument: "LIFStepBlock",
		columns: []string{"V", "Wake", "VInf", "Drive", "Jump", "Top"}, coefs: []string{"Keep", "VTh"},
		scalars: []string{"First"},
		events:  true, vectors: map[string]int{"AVX2": 2, "AVX512": 4},
		step: func(b *vec.Block, x *laneVars) {
			v, wake, now, keep := x.get("V"), x.get("Wake"), x.get("First"), x.get("Keep")
			gap := b.Sub(x.get("VInf"), v)
			end := b.Add(b.FMA(keep, gap, b.Add(v, x.get("Drive"))), x.get("Jump"))
			most := b.Add(b.Add(v, b.Max(b.Mul(keep, gap), b.Const(0))), x.get("Top"))
			held := b.Cmp(wake, GE, b.Add(now, b.Const(1)))
			event := b.MaskOr(b.Cmp(wake, GT, now), b.Cmp(b.Max(end, most), GE, x.get("VTh")))
			x.fired = b.MaskAndNot(event, held)
			x.set("V", b.Select(b.MaskOr(held, event), v, end))
		},
	}
	noisyCross = &stepKernel{
		name: "NoisyCross", doc: "finds crossings under white noise; see NoisyCrossBlock.", argument: "NoisyCrossBlock",
		columns: []string{"Before", "After", "Far", "U"}, scalars: []string{"Most"},
		events: true, vectors: map[string]int{"AVX2": 2, "AVX512": 2},
		step: func(b *vec.Block, x *laneVars) {
			before, after := x.get("Before"), x.get("After")
			p := b.Exp(b.Neg(b.Div(b.Mul(x.get("Most"), b.Mul(before, after)), x.get("Far"))))
			beyond := b.Cmp(b.Min(before, after), LE, b.Const(0))
			x.fired = b.MaskOr(beyond, b.Cmp(x.get("U"), LT, p))
		},
	}
	waking = &stepKernel{
		name: "Waking", doc: "finds lanes that begin to move; see WakingBlock.", argument: "WakingBlock",
		columns: []string{"Wake"}, scalars: []string{"First", "End"},
		events: true, vectors: map[string]int{"AVX2": 8, "AVX512": 8},
		step: func(b *vec.Block, x *laneVars) {
			wake := x.get("Wake")
			x.fired = b.MaskAnd(b.Cmp(wake, GE, x.get("First")), b.Cmp(wake, LT, x.get("End")))
		},
	}
	// noisyPart and noisyPassage are, operation by operation, noisyPart of package pop and noise.PassageTime.
	noisyPart = &stepKernel{
		name: "NoisyPart", doc: "moves LIF neurons through the end of a step; see NoisyPartBlock.",
		argument: "NoisyPartBlock",
		columns:  []string{"Rem", "V", "VInf", "Z", "Tau", "VTh", "Diffusion", "End"},
		scalars:  []string{"Dt", "White", "Most"}, events: true, vectors: map[string]int{"AVX2": 2, "AVX512": 1},
		step: func(b *vec.Block, x *laneVars) {
			one, v, vTh, tau := b.Const(1), x.get("V"), x.get("VTh"), x.get("Tau")
			h := b.Mul(b.Sub(one, b.Sub(one, x.get("Rem"))), x.get("Dt"))
			left := func(times float64) Vec { // 1 - exp(-times h/tau)
				return b.Neg(b.Expm1(b.Div(b.Mul(b.Const(-times), h), tau)))
			}
			sd := b.Mul(x.get("White"), b.Sqrt(b.Div(left(2), b.Const(2))))
			end := b.FMA(sd, x.get("Z"), b.FMA(left(1), b.Sub(x.get("VInf"), v), v))
			x.set("End", end)
			level := b.Sub(vTh, v)
			exponent := b.Div(
				b.Mul(b.Mul(b.Const(2), level), b.Sub(level, b.Sub(end, v))), b.Mul(x.get("Diffusion"), h))
			stays := b.MaskAnd(b.Cmp(level, GT, b.Const(0)), b.Cmp(exponent, NLE, x.get("Most")))
			x.fired = b.MaskOr(b.Cmp(end, NLT, vTh), b.MaskAndNot(b.Cmp(v, EQ, v), stays))
		},
	}
	noisyPassage = &stepKernel{
		name: "NoisyPassage", doc: "finds when paths cross; see NoisyPassageBlock.", argument: "NoisyPassageBlock",
		columns: []string{"Level", "After", "Diffusion", "Y", "U", "Part"}, scalars: []string{"H"},
		vectors: map[string]int{"AVX2": 2, "AVX512": 1},
		step: func(b *vec.Block, x *laneVars) {
			one, level, h := b.Const(1), x.get("Level"), x.get("H")
			inf := b.Const(math.Inf(1))
			end := b.Sub(level, x.get("After"))
			mean := b.Div(b.Mul(level, h), b.Abs(b.Sub(end, level)))
			shape := b.Div(b.Mul(level, level), x.get("Diffusion"))
			y := b.Mul(x.get("Y"), x.get("Y"))
			r := b.Div(b.Mul(mean, y), b.Mul(b.Const(2), shape))
			root := b.Div(mean, b.Add(b.Add(one, r), b.Sqrt(b.Mul(r, b.Add(b.Const(2), r)))))
			s := b.Select(b.Cmp(x.get("U"), LE, b.Div(mean, b.Add(mean, root))), root, b.Div(b.Mul(mean, mean), root))
			s = b.Select(b.Cmp(mean, EQ, inf), b.Div(shape, y), s)
			at := b.Select(b.Cmp(s, EQ, inf), h, b.Div(b.Mul(h, s), b.Add(h, s)))
			at = b.Select(b.Cmp(level, LE, b.Const(0)), b.Const(0), at)
			x.set("Part", b.Div(at, h))
		},
	}
	// ouStep is, operation by operation, OUs.Step of package noise.
	ouStep = &stepKernel{
		name: "OUStep", doc: "advances Ornstein-Uhlenbeck processes; see OUBlock.", argument: "OUBlock",
		columns: []string{"Z", "Kicks", "Spreads", "Row"}, scalars: []string{"Decay", "Kick", "Shared", "Spread", "Size"},
		vectors: map[string]int{"AVX2": 4, "AVX512": 4},
		step: func(b *vec.Block, x *laneVars) {
			z := x.get("Z")
			end := b.FMA(x.get("Decay"), z, b.Mul(x.get("Kick"), x.get("Kicks")))
			mean := b.FMA(x.get("Spread"), x.get("Spreads"), b.Mul(x.get("Shared"), b.Add(z, end)))
			x.set("Row", b.FMA(x.get("Size"), mean, x.get("Row")))
			x.set("Z", end)
		},
	}
	goalStep = &stepKernel{
		name: "GoalStep", doc: "is V_rest + R I of LIF neurons; see GoalBlock.", argument: "GoalBlock",
		columns: []string{"Row", "R", "Gain", "I", "Rest", "Goal"}, scalars: []string{"Wave"},
		vectors: map[string]int{"AVX2": 2, "AVX512": 4},
		step: func(b *vec.Block, x *laneVars) {
			current := b.FMA(x.get("Gain"), x.get("Wave"), b.Add(x.get("I"), x.get("Row")))
			x.set("Goal", b.FMA(x.get("R"), current, x.get("Rest")))
		},
	}
	jumpStep = &stepKernel{
		name: "JumpStep", doc: "adds jumps; see JumpStepBlock.", argument: "JumpStepBlock",
		columns: []string{"Row", "Jump", "Top"}, scalars: []string{"Factor"}, vectors: map[string]int{"AVX2": 4, "AVX512": 4},
		step: func(b *vec.Block, x *laneVars) {
			row := x.get("Row")
			x.set("Jump", b.Add(x.get("Jump"), row))
			x.set("Top", b.FMA(row, x.get("Factor"), x.get("Top")))
			x.set("Row", b.Const(asm.EmptyRow))
		},
	}
	stepKernels = append([]*stepKernel{
		lifStep, alphaLIFStep, waking, noisyCross, noisyPart, noisyPassage, ouStep, goalStep, jumpStep,
		currentStep(false, true), currentStep(false, false), currentStep(true, true), currentStep(true, false),
		instants("Instants", "End"), instants("InstantsTwo", "End", "Share"),
		instants("InstantsThree", "End", "Share", "Third"), powerSums(),
		conduct(false), conduct(true), lifConduct(1), lifConduct(2),
	}, coupledSteps...)
)

// alphaLIFStep bounds V within the step in two ways: from its start, by what can raise it, and from its end, by what
// can have lowered it since it was at the threshold. What an arrival adds to V only grows within the step, so that what
// those of positive weight add by its end bounds what they add before; those of negative weight cannot have lowered V
// by more than they add by the end.
var alphaLIFStep = &stepKernel{
	name: "AlphaLIFStep", doc: "moves LIF neurons with one alpha current; see AlphaLIFBlock.", argument: "AlphaLIFBlock",
	columns: []string{"V", "VInf", "Current", "Rise"}, planes: []string{"End", "Slope", "Share", "Fall"},
	rare:  []string{"Before", "RiseBefore"},
	coefs: []string{"Keep", "VTh", "Gain", "R", "Most", "RiseGain"}, scalars: []string{"Decay", "DecayDt", "HalfDt"},
	events: true, held: true, vectors: map[string]int{"AVX2": 2, "AVX512": 2},
	step: func(b *vec.Block, x *laneVars) {
		v, vInf, vTh, current, rise := x.get("V"), x.get("VInf"), x.get("VTh"), x.get("Current"), x.get("Rise")
		keep, most, r, half := x.get("Keep"), x.get("Most"), x.get("R"), x.get("HalfDt")
		share, fall, zero := x.get("Share"), x.get("Fall"), b.Const(0)
		relaxed := b.Mul(keep, b.Sub(vInf, v))
		drive := b.FMA(x.get("Gain"), current, b.FMA(x.get("RiseGain"), rise, b.Mul(r, share)))
		end := b.Add(relaxed, b.Add(v, drive))
		raise := b.FMA(half, b.Max(rise, zero), b.Max(current, zero))
		top := b.FMA(most, raise, b.FMA(r, b.Add(share, fall), b.Add(v, b.Max(relaxed, zero))))
		lower := b.FMA(half, b.Min(rise, zero), b.Min(current, zero))
		leak := b.Max(b.Mul(keep, b.Sub(vTh, vInf)), zero)
		top = b.Min(top, b.FNMA(most, lower, b.FMA(r, fall, b.Add(end, leak))))
		event := b.Cmp(b.Max(end, top), GE, vTh)
		x.fired = b.MaskAndNot(event, x.held)
		x.set("V", b.Select(b.MaskOr(x.held, event), v, end))
		x.set("Before", current)
		x.set("RiseBefore", rise)
		x.set("Current", b.FMA(x.get("Decay"), current, b.FMA(x.get("DecayDt"), rise, x.get("Slope"))))
		x.set("Rise", b.FMA(x.get("Decay"), rise, x.get("End")))
		for _, emptied := range []string{"End", "Slope", "Share", "Fall"} {
			x.set(emptied, b.Const(asm.EmptyRow))
		}
	},
}

// currentStep is a step of an exponential or alpha current, of positive weights, which raise Top, or of negative ones:
//
//	drive += gain current + rise gain' + R share
//	top += most (max(0, current) + end/decay)                                   exponential
//	top += most (max(0, current) + dt (max(0, rise) + end/decay))               alpha
func currentStep(alpha, positive bool) *stepKernel {
	k := &stepKernel{
		name: "ExpStep", doc: "moves exponential currents; see CurrentStepBlock.", argument: "CurrentStepBlock",
		columns: []string{"Current", "Next", "End", "Share", "Drive"}, coefs: []string{"Gain", "R", "Most"},
		scalars: []string{"Decay"}, vectors: map[string]int{"AVX2": 2, "AVX512": 4},
	}
	if alpha {
		k.name, k.doc = "AlphaStep", "moves alpha currents; see CurrentStepBlock."
		k.columns = append(k.columns, "Rise", "NextRise", "Slope")
		k.coefs = append(k.coefs, "RiseGain")
		k.scalars = append(k.scalars, "DecayDt")
	}
	if positive {
		k.columns = append(k.columns, "Top")
		k.scalars = append(k.scalars, "Growth")
		if alpha {
			k.scalars = append(k.scalars, "Dt")
		}
	} else {
		k.name += "Negative"
		k.doc = strings.Replace(k.doc, "currents", "currents of negative weights", 1)
	}
	k.step = func(b *vec.Block, x *laneVars) {
		current, end, decay := x.get("Current"), x.get("End"), x.get("Decay")
		drive := b.FMA(x.get("Gain"), current, b.FMA(x.get("R"), x.get("Share"), x.get("Drive")))
		next := end
		if alpha {
			rise := x.get("Rise")
			drive = b.FMA(x.get("RiseGain"), rise, drive)
			x.set("NextRise", b.FMA(decay, rise, end))
			next = b.FMA(x.get("DecayDt"), rise, x.get("Slope"))
		}
		x.set("Drive", drive)
		x.set("Next", b.FMA(decay, current, next))
		if positive {
			arrived := b.Mul(end, x.get("Growth"))
			if alpha {
				arrived = b.Mul(b.Add(arrived, b.Max(x.get("Rise"), b.Const(0))), x.get("Dt"))
			}
			x.set("Top", b.FMA(x.get("Most"), b.Add(b.Max(current, b.Const(0)), arrived), x.get("Top")))
		}
	}
	return k
}

// conduct is a step of exponential conductances s with arrivals inside it, which have added End to the value at the
// step's end, Mean to the mean and Tilt to the rise of the line over the step. With bounds Up rises by a bound of the
// current at any time of the step while V is at least what it is at the start: by the conductance's upper bound where
// it drives V up, else by the lower one.
func conduct(bounds bool) *stepKernel {
	k := &stepKernel{
		name: "Conduct", doc: "advances exponential conductances; see ConductBlock.", argument: "ConductBlock",
		columns: []string{"End", "Mean", "Tilt", "S", "Next", "G", "J", "GTilt", "JTilt"},
		scalars: []string{"Decay", "PerMean", "PerTilt", "E"},
		vectors: map[string]int{"AVX2": 2, "AVX512": 4},
	}
	if bounds {
		k.name, k.doc = "ConductBounds", "advances exponential conductances and bounds their currents; see ConductBlock."
		k.columns = append(k.columns, "V", "Up")
		k.scalars = append(k.scalars, "Growth")
	}
	k.step = func(b *vec.Block, x *laneVars) {
		s, end, e := x.get("S"), x.get("End"), x.get("E")
		mean, tilt := b.FMA(x.get("PerMean"), s, x.get("Mean")), b.FMA(x.get("PerTilt"), s, x.get("Tilt"))
		x.set("Next", b.FMA(x.get("Decay"), s, end))
		x.set("G", b.Add(x.get("G"), mean))
		x.set("J", b.FMA(e, mean, x.get("J")))
		x.set("GTilt", b.Add(x.get("GTilt"), tilt))
		x.set("JTilt", b.FMA(e, tilt, x.get("JTilt")))
		if bounds {
			kept := b.Mul(x.get("Decay"), s)
			gap := b.Sub(e, x.get("V"))
			most := b.FMA(end, x.get("Growth"), b.Max(kept, s))
			bound := b.Select(b.Cmp(gap, GE, b.Const(0)), most, b.Min(kept, s))
			x.set("Up", b.FMA(bound, gap, x.get("Up")))
		}
	}
	return k
}

// instantSeries are the polynomials of the accumulators of instants.
var instantSeries = map[string]string{"End": "Ends", "Share": "Shares", "Third": "Thirds"}

// instants adds up to four arrivals to accumulators.
func instants(name string, accumulators ...string) *stepKernel {
	k := &stepKernel{
		name: name, doc: "adds arrivals to " + strings.Join(accumulators, ", ") + "; see InstantsBlock.",
		argument: "InstantsBlock",
		columns:  append([]string{"Theta0", "Theta1", "Theta2", "Theta3"}, accumulators...),
		scalars:  []string{"Weight"},
		vectors:  map[string]int{"AVX2": 2, "AVX512": 2},
	}
	for _, to := range accumulators {
		for i := range asm.InstantTerms {
			k.scalars = append(k.scalars, fmt.Sprint(instantSeries[to], "/", i))
		}
	}
	k.step = func(b *vec.Block, x *laneVars) {
		var u [4]Vec
		var there [4]Mask
		for j := range u {
			theta := x.get(fmt.Sprint("Theta", j))
			u[j], there[j] = b.Sub(b.Const(0.5), theta), b.Cmp(theta, LT, b.Const(1.5))
		}
		for _, to := range accumulators {
			p := instantSeries[to]
			var y [4]Vec
			for j := range u {
				y[j] = x.get(fmt.Sprint(p, "/", asm.InstantTerms-1))
				for i := asm.InstantTerms - 2; i >= 0; i-- {
					y[j] = b.FMA(y[j], u[j], x.get(fmt.Sprint(p, "/", i)))
				}
				y[j] = b.Select(there[j], y[j], b.Const(0))
			}
			x.set(to, b.FMA(x.get("Weight"), b.Add(b.Add(y[0], y[1]), b.Add(y[2], y[3])), x.get(to)))
		}
	}
	return k
}

// scalar is the memory of a scalar of the argument block.
func (f *Func) scalar(name string) operand.Mem {
	field, index, _ := strings.Cut(name, "/")
	m := f.Field(field)
	i, _ := strconv.Atoi(index)
	m.Disp += 8 * i
	return m
}

// scalarText is a scalar of the argument block in plain Go.
func scalarText(name string) string {
	field, index, array := strings.Cut(name, "/")
	if array {
		return "b." + field + "[" + index + "]"
	}
	return "b." + field
}

// assembly prints the kernel for one instruction set.
func (d *stepKernel) assembly(f *file, w isa) {
	k := f.Func(w, d.name, "func(b *"+d.argument+")", d.doc)
	S := d.vectors[w.Name]
	lane := k.GP64()
	base := map[string]reg.GPVirtual{}
	for _, field := range d.columns {
		base[field] = k.Value(field)
	}
	var coef, events reg.GPVirtual // coef: from the current vectors on
	if d.coefs != nil {
		coef = k.Value("Coef")
	}
	if d.events {
		events = k.Value("Fired")
	}
	marks := 1 // bytes for eight lanes
	if d.slow {
		marks = 2
	}
	if d.planes != nil {
		sums := k.Value("Sums")
		for _, field := range d.planes {
			base[field] = sums
		}
	}
	column := func(field string, s int) operand.Mem {
		if j := slices.Index(d.planes, field); j > 0 {
			return operand.Mem{Base: base[field], Index: lane, Scale: 8, Disp: 8*asm.SumsStride*j + s*w.Bytes()}
		}
		return operand.Mem{Base: base[field], Index: lane, Scale: 8, Disp: s * w.Bytes()}
	}
	triples := k.tripleRows(d.triples, S)
	var held *heldBits
	if d.held {
		held = k.heldBits(S)
	}
	kept := map[string][]*Pin{} // what is stored rarely, by vector
	for _, field := range d.rare {
		for range S {
			kept[field] = append(kept[field], k.Pin())
		}
	}
	if w.kmask() {
		k.Hold(d.resident...)
	}
	k.XORQ(lane, lane)
	k.Label("vectors")
	triples.load(lane)
	if d.held {
		held.load()
	}
	k.Block("step", func(b *Block) {
		var masks, nearby []Mask
		var some Mask // lanes with events
		for s := range S {
			x := &laneVars{get: func(field string) Vec {
				switch {
				case triples.has(field):
					return triples.get(b, field, s)
				case base[field] != nil:
					return b.Load(column(field, s))
				case slices.Contains(d.scalars, field):
					return b.Broadcast(k.scalar(field))
				}
				j := slices.Index(d.coefs, field)
				return b.Load(at(coef, 8*asm.Group*j+s*w.Bytes()))
			}, set: func(field string, v Vec) {
				switch {
				case kept[field] != nil:
					b.Set(kept[field][s], v)
				case base[field] != nil:
					b.Store(column(field, s), v)
				}
			}}
			if d.held {
				x.held = b.GetMask(held.pins[s])
			}
			d.step(b.Block, x)
			if d.events {
				if masks = append(masks, x.fired); len(masks)*w.Lanes == 8 {
					b.StoreBits(at(events, marks*(s*w.Lanes/8)), masks...)
					masks = nil
				}
			}
			if marks == 2 {
				if nearby = append(nearby, x.near); len(nearby)*w.Lanes == 8 {
					b.StoreBits(at(events, 2*(s*w.Lanes/8)+1), nearby...)
					nearby = nil
				}
			}
			event := x.fired
			if !x.rare.IsZero() {
				event = x.rare
			}
			if some.IsZero() {
				some = event
			} else if d.rare != nil {
				some = b.MaskOr(some, event)
			}
		}
		if d.rare != nil {
			b.Test(some)
		}
	})
	if d.rare != nil {
		next := k.NewLabel("next")
		k.JNZ(k.Later("event", func() {
			for _, field := range d.rare {
				base[field] = k.Value(field)
				for s, p := range kept[field] {
					k.asm("VMOVUPD", w.register(p.Reg), column(field, s))
				}
			}
			triples.keep()
			k.JMP(operand.LabelRef(next))
		}))
		k.Label(next)
	}
	triples.empty()
	k.ADDQ(imm(S*w.Lanes), lane)
	if d.events {
		k.ADDQ(imm(marks*S*w.Lanes/8), events)
	}
	if d.coefs != nil {
		k.ADDQ(imm(S*w.Bytes()), coef)
		k.TESTQ(operand.U32(asm.Group-1), lane)
		k.JNZ(operand.LabelRef("vectors"))
		stride := k.Value("CoefStride")
		k.SHLQ(imm(log2(8*asm.Group)), stride)
		k.LEAQ(operand.Mem{Base: coef, Index: stride, Scale: 1, Disp: -8 * asm.Group}, coef)
	}
	k.CMPQ(lane, k.Field("Lanes"))
	k.JLT(operand.LabelRef("vectors"))
	k.End()
}

// plain prints the kernel in plain Go.
func (d *stepKernel) plain() string {
	b := vec.NewBlock(d.name, vec.Context{Target: vec.Go})
	field := func(f string) vec.Mem { return vec.Mem{Base: f} }
	inTriples := map[string]string{}
	for _, row := range d.triples {
		for i, field := range tripleFields {
			inTriples[field+row[len(row)-1:]] = fmt.Sprintf("%s[3*l+%d]", lanesOf(row), i)
		}
	}
	x := &laneVars{
		get: func(f string) Vec {
			if slices.Contains(d.scalars, f) {
				return b.Broadcast(field(f))
			}
			return b.Load(field(f))
		},
		set: func(f string, v Vec) { b.Store(field(f), v) },
	}
	if d.held {
		x.held = b.GetMask(&Pin{Mask: true})
	}
	d.step(b, x)
	if d.events {
		b.Bits(x.fired, "fired")
	}
	if d.slow {
		b.Bits(x.near, "near")
	}
	var t lanesText
	used, coefs := b.Bases(), slices.Clone(d.coefs)
	for j, f := range coefs {
		if !slices.Contains(used, any(f)) {
			coefs[j] = "" // not read
		}
	}
	t.begin(d.name, d.doc, d.argument, coefs)
	for j, f := range d.planes {
		t.line("%s := (*[%d]float64)(b.Sums[at+%d*SumsStride:])", lanesOf(f), vec.Go.Lanes, j)
	}
	for _, f := range slices.Concat(d.columns, d.rare) {
		t.line("%s := (*[%d]float64)(b.%s[at:])", lanesOf(f), vec.Go.Lanes, f)
	}
	for _, row := range d.triples {
		t.line("%s := (*[%d]float64)(b.%s[3*at:])", lanesOf(row), 3*vec.Go.Lanes, row)
		t.line("copy(b.Kept%s[3*at:], %s[:])", row[len(row)-1:], lanesOf(row))
	}
	if d.events {
		t.line("fired := uint8(0)")
	}
	if d.slow {
		t.line("near := uint8(0)")
	}
	t.line("for l := range %d {", vec.Go.Lanes)
	t.WriteString(b.GoText(vec.GoNames{
		Memory: func(m vec.Mem) string {
			f := m.Base.(string)
			if place := inTriples[f]; place != "" {
				return place
			}
			if !slices.Contains(d.scalars, f) {
				return lanesOf(f) + "[l]"
			}
			return scalarText(f)
		},
		General: func(r any) string { return r.(string) },
		Pin:     func(*Pin) string { return "(b.Held[at/8]>>l&1 != 0)" },
	}))
	t.line("}")
	switch {
	case d.slow:
		t.line("b.Fired[at/4], b.Fired[at/4+1] = fired, near")
	case d.events:
		t.line("b.Fired[at/8] = fired")
	}
	t.line("}\n}")
	return t.String()
}

// heldBits is the masks of lanes that are held, read in a loop, some vectors at a time.
type heldBits struct {
	*Func
	at   reg.GPVirtual
	pins []*Pin // by vector
}

func (k *Func) heldBits(vectors int) *heldBits {
	h := &heldBits{Func: k, at: k.Value("Held")}
	for range vectors {
		h.pins = append(h.pins, k.PinMask())
	}
	return h
}

// load reads the masks of the current vectors, and goes on to the next.
func (h *heldBits) load() {
	for s, p := range h.pins {
		byte := at(h.at, s*h.W.Lanes/8)
		if h.W.kmask() {
			h.asm("KMOVB", byte, h.W.register(p.Reg))
			continue
		}
		bits := operand.NewDataAddr(operand.NewStaticSymbol(bitsTable), s%2*h.W.Bytes())
		to := h.W.register(p.Reg)
		h.asm("VPBROADCASTB", byte, to)
		h.asm("VPAND", bits, to, to)
		h.asm("VPCMPEQQ", bits, to, to)
	}
	h.ADDQ(imm(len(h.pins)*h.W.Lanes/8), h.at)
}

// bitsTable holds the bits of a byte, a word each.
const bitsTable = "byteBits"

// byteBits writes them, once.
func byteBits(f *file, w isa) {
	if w.kmask() {
		return
	}
	f.ctx.StaticGlobal(bitsTable)
	f.ctx.DataAttributes(attributes)
	for i := range 8 {
		f.ctx.AppendDatum(operand.U64(1 << i))
	}
}

// splitPairs parts rows of pairs into two columns.
func splitPairs(f *file, w isa) {
	k := f.Func(w, "SplitPairs", "func(b *PairsBlock)", "parts pairs; see PairsBlock.")
	v := func(i int) reg.Register { return w.register(vec.VectorReg(i)) }
	first, second, low, high, empty := v(0), v(1), v(2), v(3), v(4)
	pairs, to, other, n := k.Value("Pairs"), k.Value("First"), k.Value("Second"), k.Value("Lanes")
	k.Block("empty", func(b *Block) {
		p := &Pin{Reg: vec.VectorReg(4)}
		b.Set(p, b.Const(asm.EmptyRow))
	})
	if w.kmask() {
		// The places of the first and the second of each pair in two vectors: 0, 2, 4, ... and 1, 3, 5, ...
		table := k.GP64()
		k.LEAQ(operand.NewDataAddr(operand.NewStaticSymbol(pairsTable), 0), table)
		k.asm("VMOVUPD", at(table, 0), v(5))
		k.asm("VMOVUPD", at(table, 64), v(6))
	}
	k.SHRQ(imm(log2(w.Lanes)), n)
	k.Loop("pairs", n, func() {
		k.asm("VMOVUPD", at(pairs, 0), low)
		k.asm("VMOVUPD", at(pairs, w.Bytes()), high)
		if w.kmask() {
			k.asm("VMOVAPD", v(5), first)
			k.asm("VMOVAPD", v(6), second)
			k.asm("VPERMI2PD", high, low, first)
			k.asm("VPERMI2PD", high, low, second)
		} else {
			const apart = 0xD8 // 0, 2, 1, 3
			k.asm("VUNPCKLPD", high, low, first)
			k.asm("VUNPCKHPD", high, low, second)
			k.asm("VPERMPD", operand.U8(apart), first, first)
			k.asm("VPERMPD", operand.U8(apart), second, second)
		}
		k.asm("VMOVUPD", first, at(to, 0))
		k.asm("VMOVUPD", second, at(other, 0))
		k.asm("VMOVUPD", empty, at(pairs, 0))
		k.asm("VMOVUPD", empty, at(pairs, w.Bytes()))
		k.ADDQ(imm(2*w.Bytes()), pairs)
		k.ADDQ(imm(w.Bytes()), to)
		k.ADDQ(imm(w.Bytes()), other)
	})
	k.End()
}

// pairsTable holds the places of splitPairs.
const pairsTable = "pairPlaces"

// pairPlaces writes them, once.
func pairPlaces(f *file, w isa) {
	if !w.kmask() {
		return
	}
	f.ctx.StaticGlobal(pairsTable)
	f.ctx.DataAttributes(attributes)
	for odd := range 2 {
		for i := range w.Lanes {
			f.ctx.AppendDatum(operand.U64(2*i + odd))
		}
	}
}

// splitTriples parts rows of triples into three columns.
func splitTriples(f *file, w isa) {
	k := f.Func(w, "SplitTriples", "func(b *TriplesBlock)", "parts triples; see TriplesBlock.")
	v := func(i int) reg.Register { return w.register(vec.VectorReg(i)) }
	in, empty := [3]reg.Register{v(0), v(1), v(2)}, v(3)
	triples, n := k.Value("Triples"), k.Value("Lanes")
	to := [3]reg.GPVirtual{k.Value("First"), k.Value("Second"), k.Value("Third")}
	k.Block("empty", func(b *Block) {
		p := &Pin{Reg: vec.VectorReg(3)}
		b.Set(p, b.Const(asm.EmptyRow))
	})
	if w.kmask() {
		table := k.GP64()
		k.LEAQ(operand.NewDataAddr(operand.NewStaticSymbol(triplesTable), 0), table)
		for i := range 6 {
			k.asm("VMOVUPD", at(table, 64*i), v(6+i))
		}
	}
	k.SHRQ(imm(log2(w.Lanes)), n)
	k.Loop("triples", n, func() {
		for i, r := range in {
			k.asm("VMOVUPD", at(triples, i*w.Bytes()), r)
		}
		for i := range to {
			if w.kmask() { // of the first two vectors, then of these and the third
				k.asm("VMOVAPD", v(6+2*i), v(4))
				k.asm("VPERMI2PD", in[1], in[0], v(4))
				k.asm("VMOVAPD", v(7+2*i), v(5))
				k.asm("VPERMI2PD", in[2], v(4), v(5))
			} else {
				// Places 0 to 3 of an output stand at 3j + i of the input, each in a vector and at a place of its own.
				from := [3][3]int{{0, 1, 2}, {1, 0, 2}, {2, 1, 0}}[i]
				k.asm("VBLENDPD", operand.U8([3]int{0b0100, 0b0010, 0b0010}[i]), in[from[1]], in[from[0]], v(4))
				k.asm("VBLENDPD", operand.U8([3]int{0b0010, 0b0100, 0b0100}[i]), in[from[2]], v(4), v(4))
				k.asm("VPERMPD", operand.U8([3]int{0x6C, 0xB1, 0xC6}[i]), v(4), v(5))
			}
			k.asm("VMOVUPD", v(5), at(to[i], 0))
			k.ADDQ(imm(w.Bytes()), to[i])
		}
		for i := range in {
			k.asm("VMOVUPD", empty, at(triples, i*w.Bytes()))
		}
		k.ADDQ(imm(3*w.Bytes()), triples)
	})
	k.End()
}

// triplesTable holds the places of splitTriples.
const triplesTable = "triplePlaces"

// triplePlaces writes them, once: for each output the places in the first two vectors, then those in what that gave and
// the third.
func triplePlaces(f *file, w isa) {
	if !w.kmask() {
		return
	}
	f.ctx.StaticGlobal(triplesTable)
	f.ctx.DataAttributes(attributes)
	for part := range 3 {
		for j := range w.Lanes {
			f.ctx.AppendDatum(operand.U64(min(3*j+part, 2*w.Lanes-1)))
		}
		for j := range w.Lanes {
			if place := 3*j + part; place < 2*w.Lanes {
				f.ctx.AppendDatum(operand.U64(j))
			} else {
				f.ctx.AppendDatum(operand.U64(place - w.Lanes))
			}
		}
	}
}
