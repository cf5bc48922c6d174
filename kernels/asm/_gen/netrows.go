package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"popsim/kernels/asm"
	"popsim/kernels/vec"
)

// A laneKernel describes a kernel over rows (asm/rows.go): it advances many lanes by several steps, with the states in
// registers. Its assembly and its plain Go are printed from one recording of a step.
type laneKernel struct {
	name, doc, argument string
	states, rows, coefs []string // fields, fields, and the columns of Coef in their order
	scalars             []string // fields: one float64 for all lanes
	now                 bool     // whether the step has a number
	vectors             map[string]int
	step                func(b *vec.Block, x *laneVars)
}

// laneVars are the values of one vector in one step.
type laneVars struct {
	get   func(field string) Vec
	set   func(field string, v Vec)
	fired Mask // of the lanes that fire, where the kernel tells
}

// lifRows is a step of LIF: with the row of currents and that of jumps, or one of them.
//
//	V += keep (V_inf - V) + drive   where wake <= k
//	V += jump                       where wake <= k + 1
//	V = V_reset, wake = k + 1 + hold where then V >= V_th
func lifRows(name, doc string, drive, jump bool) *laneKernel {
	k := &laneKernel{
		name: name, doc: doc, argument: "LIFRowsBlock", states: []string{"V", "Wake"}, now: true,
		coefs: []string{"VInf", "Keep", "VTh", "VReset", "Hold"}, vectors: map[string]int{"AVX2": 2, "AVX512": 4},
	}
	if drive {
		k.rows = append(k.rows, "Drive")
	}
	if jump {
		k.rows = append(k.rows, "Jump")
	}
	k.step = func(b *vec.Block, x *laneVars) {
		v, wake, now := x.get("V"), x.get("Wake"), x.get("now")
		next := b.Add(now, b.Const(1))
		from := v
		if drive {
			from = b.Add(v, x.get("Drive"))
		}
		moved := b.Select(b.Cmp(wake, LE, now), b.FMA(x.get("Keep"), b.Sub(x.get("VInf"), v), from), v)
		open := b.Cmp(wake, LE, next)
		if jump {
			moved = b.Select(open, b.Add(moved, x.get("Jump")), moved)
			x.set("Jump", b.Const(asm.EmptyRow))
		}
		x.fired = b.MaskAnd(open, b.Cmp(moved, GE, x.get("VTh")))
		x.set("V", b.Select(x.fired, x.get("VReset"), moved))
		x.set("Wake", b.Select(x.fired, b.Add(next, x.get("Hold")), wake))
	}
	return k
}

// expRows is a step of an exponential current, alphaRows one of an alpha current.
var (
	expRows = &laneKernel{
		name: "ExpRows", doc: "advances exponential currents; see CurrentRowsBlock.", argument: "CurrentRowsBlock",
		states: []string{"Current"}, rows: []string{"Row", "Drive"}, coefs: []string{"PerCurrent"},
		scalars: []string{"Decay"},
		vectors: map[string]int{"AVX2": 4, "AVX512": 4},
		step: func(b *vec.Block, x *laneVars) {
			x.set("Drive", b.FMA(x.get("PerCurrent"), x.get("Current"), x.get("Drive")))
			x.set("Current", b.FMA(x.get("Decay"), x.get("Current"), x.get("Row")))
			x.set("Row", b.Const(asm.EmptyRow))
		},
	}
	alphaRows = &laneKernel{
		name: "AlphaRows", doc: "advances alpha currents; see CurrentRowsBlock.", argument: "CurrentRowsBlock",
		states: []string{"Current", "Rise"}, rows: []string{"Row", "Drive"}, coefs: []string{"PerCurrent", "PerRise"},
		scalars: []string{"Decay", "DecayDt", "Scale"}, vectors: map[string]int{"AVX2": 2, "AVX512": 4},
		step: func(b *vec.Block, x *laneVars) {
			current, rise, decay := x.get("Current"), x.get("Rise"), x.get("Decay")
			x.set("Drive", b.FMA(x.get("PerRise"), rise, b.FMA(x.get("PerCurrent"), current, x.get("Drive"))))
			x.set("Current", b.FMA(x.get("DecayDt"), rise, b.Mul(decay, current)))
			x.set("Rise", b.FMA(decay, rise, b.Mul(x.get("Row"), x.get("Scale"))))
			x.set("Row", b.Const(asm.EmptyRow))
		},
	}
	rowKernels = []*laneKernel{
		lifRows("LIFRows", "advances LIF neurons with currents and jumps; see LIFRowsBlock.", true, true),
		lifRows("LIFDriveRows", "is LIFRows without the row Jump.", true, false),
		lifRows("LIFJumpRows", "is LIFRows without the row Drive.", false, true),
		expRows, alphaRows,
	}
)

// assembly prints the kernel for one instruction set.
func (d *laneKernel) assembly(f *file, w isa) {
	k := f.Func(w, d.name, "func(b *"+d.argument+")", d.doc)
	S := d.vectors[w.Name]
	lane, inGroup, coef, step := k.GP64(), k.GP64(), k.Value("Coef"), k.GP64()
	base := map[string]reg.GPVirtual{} // of the states
	states := map[string][]*Pin{}
	for _, field := range d.states {
		base[field] = k.Value(field)
		for range S {
			states[field] = append(states[field], k.Pin())
		}
	}
	rows := map[string]reg.GPVirtual{} // of the step and the first lane in hand
	for _, field := range d.rows {
		rows[field] = k.GP64()
	}
	var now *Pin
	var fired reg.GPVirtual
	if d.now {
		now, fired = k.Pin(), k.GP64()
	}
	state := func(field string, s int) operand.Mem {
		return operand.Mem{Base: base[field], Index: lane, Scale: 8, Disp: s * w.Bytes()}
	}
	k.XORQ(lane, lane)
	k.Label("group")
	k.XORQ(inGroup, inGroup)
	k.Label("vectors")
	k.Block("load", func(b *Block) {
		for _, field := range d.states {
			for s := range S {
				b.Set(states[field][s], b.Load(state(field, s)))
			}
		}
		if d.now {
			b.Set(now, b.Broadcast(k.Field("First")))
		}
	})
	for _, field := range d.rows {
		k.MOVQ(k.Field(field), rows[field])
		k.LEAQ(operand.Mem{Base: rows[field], Index: lane, Scale: 8}, rows[field])
	}
	if d.now {
		k.MOVQ(lane, fired)
		k.SHRQ(imm(3), fired)
		k.ADDQ(k.Field("Fired"), fired)
	}
	k.MOVQ(k.Field("Steps"), step)
	k.Loop("step", step, func() {
		k.Block("step", func(b *Block) {
			var masks []Mask
			for s := range S {
				x := &laneVars{get: func(field string) Vec {
					switch {
					case states[field] != nil:
						return b.Get(states[field][s])
					case slices.Contains(d.rows, field):
						return b.Load(operand.Mem{Base: rows[field], Disp: s * w.Bytes()})
					case field == "now":
						return b.Get(now)
					case slices.Contains(d.scalars, field):
						return b.Broadcast(k.Field(field))
					}
					j := slices.Index(d.coefs, field)
					return b.Load(operand.Mem{Base: coef, Index: inGroup, Scale: 8, Disp: 8*asm.Group*j + s*w.Bytes()})
				}, set: func(field string, v Vec) {
					if p := states[field]; p != nil {
						b.Set(p[s], v)
					} else {
						b.Store(operand.Mem{Base: rows[field], Disp: s * w.Bytes()}, v)
					}
				}}
				d.step(b.Block, x)
				if d.now {
					if masks = append(masks, x.fired); len(masks)*w.Lanes == 8 {
						b.StoreBits(at(fired, s*w.Lanes/8), masks...)
						masks = nil
					}
				}
			}
			if d.now {
				b.Set(now, b.Add(b.Get(now), b.Const(1)))
			}
		})
		for _, field := range d.rows {
			stride := k.Value(field + "Stride")
			k.LEAQ(operand.Mem{Base: rows[field], Index: stride, Scale: 8}, rows[field])
		}
		if d.now {
			k.ADDQ(k.Field("FiredStride"), fired)
		}
	})
	k.Block("store", func(b *Block) {
		for _, field := range d.states {
			for s := range S {
				b.Store(state(field, s), b.Get(states[field][s]))
			}
		}
	})
	k.ADDQ(imm(S*w.Lanes), lane)
	k.ADDQ(imm(S*w.Lanes), inGroup)
	k.CMPQ(inGroup, imm(asm.Group))
	k.JLT(operand.LabelRef("vectors"))
	stride := k.Value("CoefStride")
	k.SHLQ(imm(log2(8*asm.Group)), stride)
	k.ADDQ(stride, coef)
	k.CMPQ(lane, k.Field("Lanes"))
	k.JLT(operand.LabelRef("group"))
	k.End()
}

// plain prints the kernel in plain Go.
func (d *laneKernel) plain() string {
	b := vec.NewBlock(d.name, vec.Context{Target: vec.Go})
	field := func(f string) vec.Mem { return vec.Mem{Base: f} }
	x := &laneVars{
		get: func(f string) Vec {
			if f == "now" || slices.Contains(d.scalars, f) {
				return b.Broadcast(field(f))
			}
			return b.Load(field(f))
		},
		set: func(f string, v Vec) { b.Store(field(f), v) },
	}
	d.step(b, x)
	if d.now {
		b.Bits(x.fired, "fired")
	}
	var t strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&t, format+"\n", args...) }
	line(
		"// %sGo %s\nfunc %sGo(b *%s) {\nfor at := 0; at < b.Lanes; at += %d {",
		d.name,
		d.doc,
		d.name,
		d.argument,
		vec.Go.Lanes,
	)
	line("coef, lane := b.Coef[at/Group*b.CoefStride:], at%%Group")
	local := func(f string) string { return strings.ToLower(f[:1]) + f[1:] + "s" }
	for j, f := range d.coefs {
		line("%s := (*[%d]float64)(coef[%d][lane:])", local(f), vec.Go.Lanes, j)
	}
	for _, f := range d.states {
		line("%s := (*[%d]float64)(b.%s[at:])", local(f), vec.Go.Lanes, f)
	}
	if d.now {
		line("now := b.First")
	}
	line("for k := range b.Steps {")
	for _, f := range d.rows {
		line("%s := (*[%d]float64)(b.%s[k*b.%sStride+at:])", local(f), vec.Go.Lanes, f, f)
	}
	if d.now {
		line("fired := uint8(0)")
	}
	line("for l := range %d {", vec.Go.Lanes)
	t.WriteString(b.GoText(vec.GoNames{
		Memory: func(m vec.Mem) string {
			switch f := m.Base.(string); {
			case f == "now":
				return f
			case slices.Contains(d.scalars, f):
				return "b." + f
			default:
				return local(f) + "[l]"
			}
		},
		General: func(r any) string { return r.(string) },
	}))
	line("}")
	if d.now {
		line("b.Fired[k*b.FiredStride+at/8] = fired\nnow++")
	}
	line("}\n}\n}")
	return t.String()
}
