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
	columns             []string // fields: values of lanes that do not change, for begin
	scalars             []string // fields: one float64 for all lanes
	now, marks          bool     // whether the step has a number, and marks lanes with events in Fired
	alike               bool     // whether all lanes have the coefficients of lane 0
	once                bool     // whether it is one step, with nothing in registers from one group of vectors to the next
	noPlain             bool     // whether another kernel's plain Go stands for it
	vectors             map[string]int
	tune                map[string]Tuning
	step                func(b *vec.Block, x *laneVars)

	// begin, which may be nil, precedes the steps of a vector: it sets the states named in begun, which are not loaded.
	begun []string
	begin func(b *vec.Block, x *laneVars)
}

// laneVars are the values of one vector in one step.
type laneVars struct {
	get    func(field string) Vec
	set    func(field string, v Vec)
	fired  Mask // of the lanes that fire, in kernels with Fired
	held   Mask // of the lanes that are held, in kernels with Held
	near   Mask // of the lanes that may have an event in the next step, or are slow: see stepKernel
	rare   Mask // of the lanes for which rare columns are stored, where these are not those that fire
	alike  bool // whether all lanes have the same coefficients
	single bool // whether the kernel is a single step

	// once is a value that all vectors share, recorded for the first of them.
	once func(name string, value func() Vec) Vec
}

// perCoefs is a value that depends on coefficients, but not on the lane.
func (x *laneVars) perCoefs(name string, value func() Vec) Vec {
	if x.alike {
		return x.once(name, value)
	}
	return value()
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
		expRows, alphaRows, noisyLIF(false, false), noisyLIF(true, false), noisyLIF(true, true),
	}
)

// noisyLIF is a step of LIF neurons with white noise. Where all lanes are alike their coefficients are scalars; where
// they are steady too, so is VInf, the same in all steps.
func noisyLIF(alike, steady bool) *laneKernel {
	k := &laneKernel{
		name: "NoisyLIF", doc: "moves LIF neurons with white noise; see NoisyLIFBlock.", argument: "NoisyLIFBlock",
		states: []string{"V", "Gap"}, begun: []string{"Gap"}, columns: []string{"Wake"}, rows: []string{"VInf", "Z"},
		now: true, marks: true, coefs: []string{"Keep", "VTh", "SD", "Far"},
		vectors: map[string]int{"AVX2": 2, "AVX512": 8},
	}
	c := func(x *laneVars, j int) Vec { return x.get(k.coefs[j]) }
	if alike {
		k.name, k.doc, k.coefs = "NoisyLIFAlike", "moves LIF neurons with white noise, all alike; see NoisyLIFBlock.", nil
		for j := range asm.NoisyLIFCoefs {
			k.scalars = append(k.scalars, fmt.Sprint("Alike/", j))
		}
		c = func(x *laneVars, j int) Vec { return x.get(fmt.Sprint("Alike/", j)) }
	}
	goal := "VInf"
	if steady {
		k.name, goal = "NoisyLIFSteady", "Goal"
		k.doc = "moves LIF neurons with white noise, all alike and steady; see NoisyLIFBlock."
		k.rows, k.scalars = []string{"Z"}, append(k.scalars, goal)
	}
	k.begin = func(b *vec.Block, x *laneVars) { // a lane that starts above its threshold crosses it at once
		x.set("Gap", b.Max(b.Sub(c(x, asm.NoisyLIFVTh), x.get("V")), b.Const(0)))
	}
	k.step = func(b *vec.Block, x *laneVars) {
		v, before := x.get("V"), x.get("Gap")
		held := b.Cmp(x.get("Wake"), GE, x.get("now"))
		mean := b.FMA(c(x, asm.NoisyLIFKeep), b.Sub(x.get(goal), v), v)
		end := b.Select(held, v, b.FMA(c(x, asm.NoisyLIFSD), x.get("Z"), mean))
		after := b.Sub(c(x, asm.NoisyLIFVTh), end)
		x.fired = b.Cmp(b.Mul(before, after), LE, b.Select(held, b.Const(-1), c(x, asm.NoisyLIFFar)))
		x.set("Z", before)
		x.set("Gap", after)
		x.set("V", end)
	}
	return k
}

// assembly prints the kernel for one instruction set.
func (d *laneKernel) assembly(f *file, w isa) {
	if d.vectors[w.Name] == 0 {
		return
	}
	k := &laneFunc{
		laneKernel: d, Func: f.Func(w, d.name, "func(b *"+d.argument+")", d.doc),
		base: map[string]reg.GPVirtual{}, at: map[string]reg.GPVirtual{}, pins: map[string][]*Pin{},
		uniform: map[string]*Pin{},
	}
	k.Tune = d.tune[w.Name]
	if d.once {
		k.single()
		return
	}
	k.registers()
	k.XORQ(k.lane, k.lane)
	k.Label("group")
	k.XORQ(k.inGroup, k.inGroup)
	k.Label("vectors")
	k.load()
	k.MOVQ(k.Field("Steps"), k.steps)
	k.Loop("step", k.steps, func() {
		k.Block("step", k.record)
		k.nextRows()
	})
	k.Block("store", func(b *Block) {
		for _, field := range k.states {
			for s, p := range k.pins[field] {
				b.Store(k.state(field, s), b.Get(p))
			}
		}
	})
	k.nextVectors()
	k.End()
}

// nextVectors moves to the next vectors of the group or to the next group.
func (k *laneFunc) nextVectors() {
	n := imm(k.vectors[k.W.Name] * k.W.Lanes)
	k.ADDQ(n, k.lane)
	k.ADDQ(n, k.inGroup)
	k.CMPQ(k.inGroup, imm(asm.Group))
	k.JLT(operand.LabelRef("vectors"))
	stride := k.Value("CoefStride")
	k.SHLQ(imm(log2(8*asm.Group)), stride)
	k.ADDQ(stride, k.coef)
	k.CMPQ(k.lane, k.Field("Lanes"))
	k.JLT(operand.LabelRef("group"))
}

// single prints a kernel of one step: states are read from memory and written there.
func (k *laneFunc) single() {
	k.lane, k.inGroup, k.coef = k.GP64(), k.GP64(), k.Value("Coef")
	for _, field := range slices.Concat(k.states, k.rows) {
		k.base[field] = k.Value(field)
	}
	k.fired = k.Value("Fired")
	k.now, k.next = k.Pin(), k.Pin()
	k.Block("number", func(b *Block) {
		now := b.Broadcast(k.Field("First"))
		b.Set(k.now, now)
		b.Set(k.next, b.Add(now, b.Const(1)))
	})
	if k.alike {
		for _, field := range []string{"VInf", "Keep", "VTh"} {
			p := k.Pin()
			k.Block(field, func(b *Block) { b.Set(p, k.get(b, field, 0)) })
			k.uniform[field] = p
		}
	}
	k.Hold(asm.EmptyRow)
	k.XORQ(k.lane, k.lane)
	k.Label("group")
	k.XORQ(k.inGroup, k.inGroup)
	k.Label("vectors")
	k.Block("step", k.record)
	k.ADDQ(imm(k.vectors[k.W.Name]*k.W.Lanes/8), k.fired)
	k.nextVectors()
	k.End()
}

// laneFunc emits a laneKernel for one instruction set: over groups, their vectors, some at a time, and for these over
// the steps.
type laneFunc struct {
	*laneKernel
	*Func
	lane, inGroup, coef, steps reg.GPVirtual
	base                       map[string]reg.GPVirtual // of the states
	at                         map[string]reg.GPVirtual // of the rows, in the current step at the current vectors
	pins                       map[string][]*Pin        // of the states and what lasts, by vector
	now, next                  *Pin                     // number of the step; in single steps of the next one
	uniform                    map[string]*Pin          // of coefficients, where all lanes are alike
	fired                      reg.GPVirtual            // in the row Fired, likewise
}

// registers reserves registers for pointers and states.
func (k *laneFunc) registers() {
	k.lane, k.inGroup, k.coef, k.steps = k.GP64(), k.GP64(), k.Value("Coef"), k.GP64()
	for _, field := range k.states {
		k.base[field] = k.Value(field)
		for range k.vectors[k.W.Name] {
			k.pins[field] = append(k.pins[field], k.Pin())
		}
	}
	for _, field := range k.columns {
		k.base[field] = k.Value(field)
	}
	for _, field := range k.rows {
		k.at[field] = k.GP64()
	}
	if k.laneKernel.now {
		k.now = k.Pin()
	}
	if k.marks {
		k.fired = k.GP64()
	}
}

// state is the memory of a state of vector s.
func (k *laneFunc) state(field string, s int) operand.Mem {
	return operand.Mem{Base: k.base[field], Index: k.lane, Scale: 8, Disp: s * k.W.Bytes()}
}

// load loads the states of the current vectors, and the pointers to their rows in the first step.
func (k *laneFunc) load() {
	k.Block("load", func(b *Block) {
		for _, field := range k.states {
			for s, p := range k.pins[field] {
				if !slices.Contains(k.begun, field) {
					b.Set(p, b.Load(k.state(field, s)))
				}
			}
		}
		if k.now != nil {
			b.Set(k.now, b.Broadcast(k.Field("First")))
		}
	})
	if k.begin != nil {
		k.Block("begin", func(b *Block) {
			shared := map[string]Vec{}
			for s := range k.vectors[k.W.Name] {
				k.begin(b.Block, k.vars(b, s, shared))
			}
		})
	}
	for _, field := range k.rows {
		k.MOVQ(k.Field(field), k.at[field])
		k.LEAQ(operand.Mem{Base: k.at[field], Index: k.lane, Scale: 8}, k.at[field])
	}
	if k.marks {
		k.MOVQ(k.lane, k.fired)
		k.SHRQ(imm(3), k.fired)
		k.ADDQ(k.Field("Fired"), k.fired)
	}
}

// record records a step of the current vectors.
func (k *laneFunc) record(b *Block) {
	var masks []Mask
	shared := map[string]Vec{}
	if k.next != nil {
		shared["next"] = b.Get(k.next)
	}
	for s := range k.vectors[k.W.Name] {
		x := k.vars(b, s, shared)
		k.step(b.Block, x)
		if !k.marks {
			continue
		}
		if masks = append(masks, x.fired); len(masks)*k.W.Lanes == 8 {
			b.StoreBits(at(k.fired, s*k.W.Lanes/8), masks...)
			masks = nil
		}
	}
	if k.now != nil && k.next == nil {
		b.Set(k.now, b.Add(b.Get(k.now), b.Const(1)))
	}
}

// vars are the values of vector s; shared are those that all vectors share.
func (k *laneFunc) vars(b *Block, s int, shared map[string]Vec) *laneVars {
	return &laneVars{
		alike: k.alike, single: k.laneKernel.once,
		once: func(name string, value func() Vec) Vec {
			if _, ok := shared[name]; !ok {
				shared[name] = value()
			}
			return shared[name]
		},
		get: func(field string) Vec { return k.get(b, field, s) },
		set: func(field string, v Vec) {
			if p := k.pins[field]; p != nil {
				b.Set(p[s], v)
			} else if k.laneKernel.once {
				b.Store(k.state(field, s), v)
			} else {
				b.Store(operand.Mem{Base: k.at[field], Disp: s * k.W.Bytes()}, v)
			}
		},
	}
}

// get is the value of a field in vector s.
func (k *laneFunc) get(b *Block, field string, s int) Vec {
	switch {
	case k.pins[field] != nil:
		return b.Get(k.pins[field][s])
	case k.uniform[field] != nil:
		return b.Get(k.uniform[field])
	case k.laneKernel.once && k.base[field] != nil:
		return b.Load(k.state(field, s))
	case slices.Contains(k.rows, field):
		return b.Load(operand.Mem{Base: k.at[field], Disp: s * k.W.Bytes()})
	case field == "now":
		return b.Get(k.now)
	case slices.Contains(k.columns, field):
		return b.Load(k.state(field, s))
	case slices.Contains(k.scalars, field):
		return b.Broadcast(k.scalar(field))
	}
	j := slices.Index(k.coefs, field)
	if k.alike {
		return b.Broadcast(operand.Mem{Base: k.coef, Disp: 8 * asm.Group * j})
	}
	return b.Load(operand.Mem{Base: k.coef, Index: k.inGroup, Scale: 8, Disp: 8*asm.Group*j + s*k.W.Bytes()})
}

// nextRows moves the pointers to the rows to the next step.
func (k *laneFunc) nextRows() {
	for _, field := range k.rows {
		stride := k.Value(field + "Stride")
		k.LEAQ(operand.Mem{Base: k.at[field], Index: stride, Scale: 8}, k.at[field])
	}
	if k.marks {
		k.ADDQ(k.Field("FiredStride"), k.fired)
	}
}

// plain prints the kernel in plain Go.
func (d *laneKernel) plain() string {
	if d.noPlain {
		return ""
	}
	b := vec.NewBlock(d.name, vec.Context{Target: vec.Go})
	x := d.plainVars(b)
	d.step(b, x)
	if d.marks {
		b.Bits(x.fired, "fired")
	}
	used := b.Bases()
	var begin *vec.Block
	if d.begin != nil {
		begin = vec.NewBlock(d.name, vec.Context{Target: vec.Go})
		d.begin(begin, d.plainVars(begin))
		used = append(used, begin.Bases()...)
	}
	coefs := slices.Clone(d.coefs)
	for j, f := range coefs {
		if !slices.Contains(used, any(f)) {
			coefs[j] = "" // not read
		}
	}
	var t lanesText
	t.begin(d.name, d.doc, d.argument, coefs)
	for _, f := range slices.Concat(d.states, d.columns) {
		t.line("%s := (*[%d]float64)(b.%s[at:])", lanesOf(f), vec.Go.Lanes, f)
	}
	if d.now {
		t.line("now := b.First")
	}
	if begin != nil {
		t.line("for l := range %d {", vec.Go.Lanes)
		t.WriteString(begin.GoText(d.names()))
		t.line("}")
	}
	t.line("for k := range b.Steps {")
	for _, f := range d.rows {
		t.line("%s := (*[%d]float64)(b.%s[k*b.%sStride+at:])", lanesOf(f), vec.Go.Lanes, f, f)
	}
	if d.marks {
		t.line("fired := uint8(0)")
	}
	t.line("for l := range %d {", vec.Go.Lanes)
	t.WriteString(b.GoText(d.names()))
	t.line("}")
	if d.marks {
		t.line("b.Fired[k*b.FiredStride+at/8] = fired")
	}
	if d.now {
		t.line("now++")
	}
	t.line("}\n}\n}")
	return t.String()
}

// plainVars are the values of a lane in plain Go.
func (d *laneKernel) plainVars(b *vec.Block) *laneVars {
	field := func(f string) vec.Mem { return vec.Mem{Base: f} }
	return &laneVars{
		get: func(f string) Vec {
			if f == "now" || slices.Contains(d.scalars, f) {
				return b.Broadcast(field(f))
			}
			return b.Load(field(f))
		},
		set:  func(f string, v Vec) { b.Store(field(f), v) },
		once: func(_ string, value func() Vec) Vec { return value() },
	}
}

// names are the names of fields in plain Go.
func (d *laneKernel) names() vec.GoNames {
	return vec.GoNames{
		Memory: func(m vec.Mem) string {
			switch f := m.Base.(string); {
			case f == "now":
				return f
			case slices.Contains(d.scalars, f):
				return scalarText(f)
			default:
				return lanesOf(f) + "[l]"
			}
		},
		General: func(r any) string { return r.(string) },
	}
}

// lanesText prints a kernel over the lanes of a network in plain Go, eight lanes at a time.
type lanesText struct{ strings.Builder }

// line prints a line.
func (t *lanesText) line(format string, args ...any) { fmt.Fprintf(t, format+"\n", args...) }

// begin prints the start of a kernel, up to its coefficients.
func (t *lanesText) begin(name, doc, argument string, coefs []string) {
	t.line("// %sGo %s\nfunc %sGo(b *%s) {\nfor at := 0; at < b.Lanes; at += %d {",
		name, doc, name, argument, vec.Go.Lanes)
	if coefs != nil {
		t.line("coef, lane := b.Coef[at/Group*b.CoefStride:], at%%Group")
	}
	for j, f := range coefs {
		if f != "" {
			t.line("%s := (*[%d]float64)(coef[%d][lane:])", lanesOf(f), vec.Go.Lanes, j)
		}
	}
}

// lanesOf is the name of the variable for eight lanes of a field.
func lanesOf(field string) string { return strings.ToLower(field[:1]) + field[1:] + "s" }
