package main

import (
	"slices"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"popsim/kernels/asm"
	"popsim/kernels/vec"
)

// lifConductStep is a step of LIF neurons with one exponential conductance or two and arrivals inside it: operation by
// operation ConductBounds of each conductance and then LIFCoupled, with nothing stored between them.
func lifConductStep(receptors int) *stepKernel {
	k := &stepKernel{
		name: "LIFConductStep", doc: "moves LIF neurons with an exponential conductance; see LIFConductStepBlock.",
		argument: "LIFConductStepBlock", columns: []string{"V", "Free"}, coefs: []string{"Per", "Rate", "Drive", "VTh"},
		scalars: []string{"First", "Dt", "Tilt", "Stiff"}, events: true, slow: true,
		vectors: map[string]int{"AVX2": 2, "AVX512": 2},
	}
	suffixes := []string{"1", "2"}[:receptors]
	for _, i := range suffixes {
		k.columns, k.rare = append(k.columns, "S"+i), append(k.rare, "Before"+i)
		k.triples = append(k.triples, "Row"+i)
		k.scalars = append(k.scalars, "Decay"+i, "PerMean"+i, "PerTilt"+i, "E"+i, "Growth"+i)
	}
	if receptors == 2 {
		k.name, k.doc = "LIFConductStep2", "is LIFConductStep with two conductances."
	}
	k.step = func(b *vec.Block, x *laneVars) {
		in := conductances(b, x, suffixes)
		v, per, dt := x.get("V"), x.get("Per"), x.get("Dt")
		a, d := b.FMA(per, in.g, x.get("Rate")), b.FMA(per, in.j, x.get("Drive"))
		z := b.Mul(a, dt)
		z = b.Select(b.Cmp(z, EQ, b.Const(0)), b.Const(1e-300), z)
		share := b.Div(b.Expm1(b.Neg(z)), b.Neg(z))
		next := b.FMA(b.Mul(dt, share), b.FNMA(a, v, d), v)
		next = b.FMA(x.get("Tilt"), b.Mul(per, b.FNMA(in.gTilt, d, b.Mul(in.jTilt, a))), next)

		slope := b.FNMA(x.get("Rate"), v, b.FMA(per, in.up, x.get("Drive")))
		top := b.Max(b.FMA(dt, b.Max(b.Const(0), slope), v), next)
		free, now := x.get("Free"), x.get("First")
		moves, held := b.Cmp(free, LE, now), b.Cmp(free, GE, b.Add(now, b.Const(1)))
		soft := b.Cmp(z, LT, x.get("Stiff"))
		done := b.MaskAnd(b.MaskAnd(b.Cmp(top, LT, x.get("VTh")), b.Cmp(next, EQ, next)), b.MaskAnd(moves, soft))
		x.near = b.MaskAndNot(moves, soft)
		x.fired = b.MaskAndNot(b.MaskAndNot(b.Cmp(free, EQ, free), done), held)
		x.set("V", b.Select(done, next, v))
	}
	return k
}

// stepInput is the input of a step: see CoupledBlock.
type stepInput struct{ g, j, gTilt, jTilt, up Vec }

// conductances advances conductances, and sums up their means, rises and bounds over the step.
func conductances(b *vec.Block, x *laneVars, suffixes []string) (in stepInput) {
	v := x.get("V")
	for n, i := range suffixes {
		s, end, e := x.get("S"+i), x.get("End"+i), x.get("E"+i)
		mean, tilt := b.FMA(x.get("PerMean"+i), s, x.get("Mean"+i)), b.FMA(x.get("PerTilt"+i), s, x.get("Tilt"+i))
		x.set("Before"+i, s)
		x.set("S"+i, b.FMA(x.get("Decay"+i), s, end))
		for _, field := range tripleFields {
			x.set(field+i, b.Const(asm.EmptyRow))
		}
		kept, gap := b.Mul(x.get("Decay"+i), s), b.Sub(e, v)
		most := b.FMA(end, x.get("Growth"+i), b.Max(kept, s))
		bound := b.Select(b.Cmp(gap, GE, b.Const(0)), most, b.Min(kept, s))
		if n == 0 {
			in = stepInput{mean, b.Mul(e, mean), tilt, b.Mul(e, tilt), b.Mul(bound, gap)}
			continue
		}
		in = stepInput{
			b.Add(in.g, mean), b.FMA(e, mean, in.j), b.Add(in.gTilt, tilt), b.FMA(e, tilt, in.jTilt),
			b.FMA(bound, gap, in.up),
		}
	}
	return in
}

// tripleFields are what the three values of a triple are.
var tripleFields = [3]string{"End", "Mean", "Tilt"}

// tripleRows is rows of triples that are read and emptied in a loop, some vectors at a time. With AVX-512 the parted
// triples stay in registers; AVX2 has too few: they go through Parted of the argument.
type tripleRows struct {
	*Func
	names    []string
	at       []reg.GPVirtual
	pins     [][][3]*Pin // by row and vector
	low      [4]*Pin     // scratch: a triple of vectors, and one more
	none     *Pin        // an empty vector
	table    reg.GPVirtual
	lane     reg.GPVirtual
	vectors  int
	rowBytes int // of the current vectors of a row
}

func (k *Func) tripleRows(names []string, vectors int) *tripleRows {
	p := &tripleRows{Func: k, names: names, vectors: vectors, rowBytes: 3 * vectors * k.W.Bytes()}
	if names == nil {
		return p
	}
	for i := range p.low {
		p.low[i] = k.Pin()
	}
	for _, name := range names {
		p.at = append(p.at, k.Value(name))
		var all [][3]*Pin
		for s := 0; s < vectors && k.W.kmask(); s++ {
			all = append(all, [3]*Pin{k.Pin(), k.Pin(), k.Pin()})
		}
		p.pins = append(p.pins, all)
	}
	if k.W.kmask() {
		p.table = k.GP64()
		k.LEAQ(operand.NewDataAddr(operand.NewStaticSymbol(triplesTable), 0), p.table)
	}
	return p
}

func (p *tripleRows) register(q *Pin) reg.Register { return p.W.register(q.Reg) }

// find is the row and the value of a triple that a field is.
func (p *tripleRows) find(field string) (row, value int) {
	name, suffix := field[:len(field)-1], field[len(field)-1:]
	value = slices.Index(tripleFields[:], name)
	return slices.Index(p.names, "Row"+suffix), value
}

func (p *tripleRows) has(field string) bool {
	row, value := p.find(field)
	return row >= 0 && value >= 0
}

func (p *tripleRows) get(b *Block, field string, s int) Vec {
	row, value := p.find(field)
	if p.W.kmask() {
		return b.Get(p.pins[row][s][value])
	}
	return b.Load(p.parted(row, s, value))
}

// parted is the place in Parted of one value of the triples of a vector.
func (p *tripleRows) parted(row, s, value int) operand.Mem {
	m := p.Field("Parted")
	m.Disp += ((row*p.vectors+s)*3 + value) * p.W.Bytes()
	return m
}

// load parts the triples of the current vectors.
func (p *tripleRows) load(lane reg.GPVirtual) {
	p.lane = lane
	size := p.W.Bytes()
	for row, from := range p.at {
		for s := range p.vectors {
			var in [3]reg.Register
			for i := range in {
				in[i] = p.register(p.low[i])
				p.asm("VMOVUPD", at(from, (3*s+i)*size), in[i])
			}
			for i := range in {
				if p.W.kmask() {
					p.pickWide(in, i, p.register(p.pins[row][s][i]))
				} else {
					p.pick(in, i, p.register(p.low[3]))
					p.asm("VMOVUPD", p.register(p.low[3]), p.parted(row, s, i))
				}
			}
		}
	}
}

// pickWide sets to to value i of the triples in three vectors, as splitTriples does.
func (p *tripleRows) pickWide(in [3]reg.Register, i int, to reg.Register) {
	first := p.register(p.low[3])
	p.asm("VMOVUPD", at(p.table, 64*2*i), first)
	p.asm("VPERMI2PD", in[1], in[0], first)
	p.asm("VMOVUPD", at(p.table, 64*(2*i+1)), to)
	p.asm("VPERMI2PD", in[2], first, to)
}

// pick is pickWide with AVX2.
func (p *tripleRows) pick(in [3]reg.Register, i int, to reg.Register) {
	from := [3][3]int{{0, 1, 2}, {1, 0, 2}, {2, 1, 0}}[i]
	p.asm("VBLENDPD", operand.U8([3]int{0b0100, 0b0010, 0b0010}[i]), in[from[1]], in[from[0]], to)
	p.asm("VBLENDPD", operand.U8([3]int{0b0010, 0b0100, 0b0100}[i]), in[from[2]], to, to)
	p.asm("VPERMPD", operand.U8([3]int{0x6C, 0xB1, 0xC6}[i]), to, to)
}

// keep copies the triples of the current vectors to Kept.
func (p *tripleRows) keep() {
	size := p.W.Bytes()
	for row, from := range p.at {
		kept, name := p.GP64(), p.names[row]
		p.LEAQ(operand.Mem{Base: p.lane, Index: p.lane, Scale: 2}, kept) // 3 lane
		p.SHLQ(imm(3), kept)
		p.ADDQ(p.Field("Kept"+name[len(name)-1:]), kept)
		for i := range 3 * p.vectors {
			p.asm("VMOVUPD", at(from, i*size), p.register(p.low[0]))
			p.asm("VMOVUPD", p.register(p.low[0]), at(kept, i*size))
		}
	}
}

// empty empties them, and goes on to the next.
func (p *tripleRows) empty() {
	if p.names == nil {
		return
	}
	none := p.low[3]
	p.Block("empty", func(b *Block) { b.Set(none, b.Const(asm.EmptyRow)) })
	for _, row := range p.at {
		for i := 0; i < p.rowBytes; i += p.W.Bytes() {
			p.asm("VMOVUPD", p.register(none), at(row, i))
		}
		p.ADDQ(operand.U32(p.rowBytes), row)
	}
}
