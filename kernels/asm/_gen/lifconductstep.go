package main

import (
	"slices"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"popsim/kernels/asm"
	"popsim/kernels/vec"
)

// lifStepKernels are the step of LIF neurons with conductances and arrivals inside it, and that of lanes with events.
var lifStepKernels = []*stepKernel{lifConductStep(), lifConductEvents()}

// lifConductStep is a step of LIF neurons with two exponential conductances and arrivals inside it. The first drives V
// up: E1 is at V_th or above; E2 is below. The step is exact for the means of the conductances but for the second term
// of Magnus's series, with u = V - E2:
//
//	x = X - Per (g1 + g2), y = Y + Per (E1 - E2) g1     -dt times the rate at which V relaxes, dt times what drives u
//	V += (y + x u) (exp(x) - 1)/x - Bend ((E1 - E2) tilt1 x + (tilt1 + tilt2) y)
//
// V stays below what it would be if it began at w = max(u, 0) and what arrives at the second conductance were left
// out. Of what then drives it at w, y + (x + Per Mean2) w over the whole step, all but the decay of the first
// conductance, which is dt/tau of its mean, grows with time: no part of the step has more than the whole step, if that
// is above 0, and a quarter of what decays times the largest E1 - V, which is Slack Per g1. Where V falls before it
// rises it is driven by more than at w: by what it has fallen, at most -m with m = min(Y + (X - Per S2) w, 0), the
// drive without the first conductance, times -x: x m over the step. That holds for conductances of at least 0.
func lifConductStep() *stepKernel {
	k := &stepKernel{
		name: "LIFConductStep", doc: "moves LIF neurons with two exponential conductances; see LIFConductStepBlock.",
		argument: "LIFConductStepBlock", columns: []string{"V", "Free", "S1", "S2"},
		coefs:   []string{"Per", "X", "Y", "Bend", "Room"},
		scalars: []string{"First", "E2", "Span", "Slack"}, events: true, slow: true,
		triples: []string{"Row1", "Row2"}, rare: []string{"Before1", "Before2"},
		vectors:  map[string]int{"AVX2": 2, "AVX512": 1},
		resident: vec.Expm1Tail(asm.ConductStepLo, 0, asm.ConductStepError),
	}
	for _, i := range []string{"1", "2"} {
		k.scalars = append(k.scalars, "Decay"+i, "PerMean"+i, "PerTilt"+i)
	}
	k.step = func(b *vec.Block, x *laneVars) {
		s2, arrived := x.get("S2"), x.get("Mean2")
		least, fall := b.Min(x.get("S1"), s2), b.FNMA(x.get("Per"), s2, x.get("X"))
		g1, tilt1 := conductance(b, x, "1")
		g2, tilt2 := conductance(b, x, "2")
		v, per, span := x.get("V"), x.get("Per"), x.get("Span")
		g1 = b.Mul(per, g1)
		z, y := b.FNMA(per, g2, b.Sub(x.get("X"), g1)), b.FMA(span, g1, x.get("Y"))
		u := b.Sub(v, x.get("E2"))
		bend := b.FMA(tilt1, b.FMA(span, z, y), b.Mul(tilt2, y))
		next := b.FNMA(x.get("Bend"), bend, v)
		share := b.Expm1ShareNear(z, asm.ConductStepLo, 0, asm.ConductStepError)
		next = b.FMA(share, b.FMA(z, u, y), next)

		w := b.Max(b.Const(0), u)
		rise := b.FMA(b.Mul(per, arrived), w, b.FMA(z, w, y))
		rise = b.FMA(z, b.Min(b.Const(0), b.FMA(fall, w, x.get("Y"))), rise)
		top := b.FMA(x.get("Slack"), g1, b.Add(w, b.Max(b.Const(0), rise)))
		free, now := x.get("Free"), x.get("First")
		moves, begins := b.Cmp(free, LE, now), b.Cmp(free, LT, b.Add(now, b.Const(1)))
		fits := b.MaskAnd(b.Cmp(z, GT, b.Const(asm.ConductStepLo)), b.Cmp(least, GT, b.Const(asm.ConductStepLeast)))
		done := b.MaskAnd(b.MaskAnd(b.Cmp(top, LT, x.get("Room")), fits), moves)
		x.near = b.MaskAndNot(moves, fits)
		x.fired = b.MaskAndNot(begins, done)
		x.set("V", b.Select(done, next, v))
	}
	return k
}

// conductance advances a conductance, and is its mean and its tilt over the step.
func conductance(b *vec.Block, x *laneVars, i string) (mean, tilt Vec) {
	s := x.get("S" + i)
	mean, tilt = b.FMA(x.get("PerMean"+i), s, x.get("Mean"+i)), b.FMA(x.get("PerTilt"+i), s, x.get("Tilt"+i))
	x.set("Before"+i, s)
	x.set("S"+i, b.FMA(x.get("Decay"+i), s, x.get("End"+i)))
	for _, field := range tripleFields {
		x.set(field+i, b.Const(asm.EmptyRow))
	}
	return mean, tilt
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
