package main

import (
	"math"
	"unsafe"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"popsim/kernels/asm"
)

// expLIF is ExpLIFStep, eight lanes at a time. With AVX-512 comparisons take longest, two cycles each beside five for
// the stores of a vector: one tells which lanes are near; which of these are in reach is computed only where there are
// some. Where all lanes are alike, with AVX-512, the coefficients stay in registers.
func expLIF(alike bool) func(f *file, w isa) {
	return func(f *file, w isa) {
		if alike && !w.kmask() {
			return
		}
		name := "ExpLIFStep"
		if alike {
			name += "Alike"
		}
		k := &expLIFKernel{Func: f.Func(w, name, "func(b *ExpLIFBlock)", "is ExpLIFStepGo."), S: 8 / w.Lanes}
		k.v, k.current, k.fall, k.lane = k.Value("V"), k.Value("Current"), k.Value("Fall"), k.GP64()
		k.mark, k.coef, k.inGroup = k.Value("Marks"), k.Value("Coef"), k.GP64()
		k.rows, k.held = k.pairRows(k.S), k.heldBits(k.S)
		for range k.S {
			k.falls, k.reach = append(k.falls, k.Pin()), append(k.reach, k.PinMask())
		}
		if w.kmask() {
			k.tops, k.before, k.mostFall = k.Pin(), k.Pin(), k.Pin()
			k.MOVL(operand.U32(asm.MostFall), k.inGroup.As32())
			k.asm("VPBROADCASTD", k.inGroup.As32(), k.half(k.mostFall))
		}
		if alike {
			k.holdCoefs()
		}
		k.XORQ(k.lane, k.lane)
		k.Label("group")
		k.XORQ(k.inGroup, k.inGroup)
		k.Label("vectors")
		k.rows.load()
		k.held.load()
		k.loadFalls()
		k.Block("step", k.step)
		next := k.NewLabel("next")
		k.JNZ(k.Later("marks", func() {
			k.marks()
			k.JMP(operand.LabelRef(next))
		}))
		k.Label(next)
		k.rows.empty()
		k.emptyFalls()
		k.ADDQ(imm(k.S*w.Lanes), k.lane)
		if !alike {
			k.ADDQ(imm(k.S*w.Lanes), k.inGroup)
			k.CMPQ(k.inGroup, imm(asm.Group))
			k.JLT(operand.LabelRef("vectors"))
			stride := k.Value("CoefStride")
			k.SHLQ(imm(log2(8*asm.Group)), stride)
			k.ADDQ(stride, k.coef)
		}
		k.CMPQ(k.lane, k.Field("Lanes"))
		k.JLT(operand.LabelRef("group"))
		first := k.Value("Marks")
		k.SUBQ(first, k.mark)
		k.SHRQ(imm(log2(int(unsafe.Sizeof(asm.ExpLIFMark{})))), k.mark)
		k.MOVQ(k.mark, k.Field("Count"))
		k.End()
	}
}

type expLIFKernel struct {
	*Func
	S                                           int
	v, current, fall, lane, mark, coef, inGroup reg.GPVirtual
	rows                                        *pairRows
	// By vector; after the step falls holds the current before it, and held the lanes that are near.
	held    *heldBits
	falls   []*Pin
	reach   []*Pin
	coefs   []*Pin // where all lanes are alike
	scalars map[string]*Pin

	// With AVX-512, whose vectors hold eight lanes: bounds of V, V before the step, and MostFall; reach holds at first the
	// lanes whose bound of what falls is MostFall, that is none.
	tops, before, mostFall *Pin
}

// column is the memory of vector s of a column.
func (k *expLIFKernel) column(base reg.GPVirtual, s int) operand.Mem {
	return operand.Mem{Base: base, Index: k.lane, Scale: 8, Disp: s * k.W.Bytes()}
}

// holdCoefs loads the coefficients of all lanes.
func (k *expLIFKernel) holdCoefs() {
	for range asm.ExpLIFCoefs {
		k.coefs = append(k.coefs, k.Pin())
	}
	k.scalars = map[string]*Pin{"FallUnit": k.Pin(), "Margin": k.Pin(), "Decay": k.Pin()}
	k.Block("coefficients", func(b *Block) {
		for j, p := range k.coefs {
			b.Set(p, b.Load(at(k.coef, 8*asm.Group*j)))
		}
		for _, name := range []string{"FallUnit", "Margin", "Decay"} {
			b.Set(k.scalars[name], b.Broadcast(k.scalar(name)))
		}
	})
}

// coefficient is the memory of a coefficient of vector s.
func (k *expLIFKernel) coefficient(j, s int) operand.Mem {
	return operand.Mem{Base: k.coef, Index: k.inGroup, Scale: 8, Disp: 8*asm.Group*j + s*k.W.Bytes()}
}

// bounds is the memory of the bounds of vector s in a column of them.
func (k *expLIFKernel) bounds(base reg.GPVirtual, s int) operand.Mem {
	return operand.Mem{Base: base, Index: k.lane, Scale: 4, Disp: s * k.W.Bytes() / 2}
}

// half is the register of half a vector.
func (k *expLIFKernel) half(p *Pin) reg.Register {
	r := k.W.register(p.Reg).(reg.VecPhysical)
	if k.W.kmask() {
		return r.AsY()
	}
	return r.AsX()
}

// loadFalls reads the bounds of what falls.
func (k *expLIFKernel) loadFalls() {
	for s, p := range k.falls {
		k.asm("VCVTDQ2PD", k.bounds(k.fall, s), k.W.register(p.Reg))
		if k.W.kmask() {
			const lessOrEqual = 2
			k.asm("VPCMPUD", operand.U8(lessOrEqual), k.bounds(k.fall, s), k.half(k.mostFall), k.W.register(k.reach[s].Reg))
		}
	}
}

// emptyFalls empties them.
func (k *expLIFKernel) emptyFalls() {
	none := k.half(k.rows.low)
	k.asm("VXORPS", none, none, none)
	for s := range k.S {
		k.asm("VMOVUPS", none, k.bounds(k.fall, s))
	}
}

// step is the arithmetic of the current vectors.
func (k *expLIFKernel) step(b *Block) {
	var some Mask
	for s := range k.S {
		coef := func(j int) Vec {
			if k.coefs != nil {
				return b.Get(k.coefs[j])
			}
			return b.Load(k.coefficient(j, s))
		}
		scalar := func(name string) Vec {
			if p := k.scalars[name]; p != nil {
				return b.Get(p)
			}
			return b.Broadcast(k.scalar(name))
		}
		v, current := b.Load(k.column(k.v, s)), b.Load(k.column(k.current, s))
		arrived, share, held := b.Get(k.rows.pins[s][0]), b.Get(k.rows.pins[s][1]), b.GetMask(k.held.pins[s])
		fall, vTh := b.Get(k.falls[s]), coef(asm.ExpLIFVTh)
		drive := b.FMA(coef(asm.ExpLIFGain), current, b.Mul(coef(asm.ExpLIFR), share))
		end := b.FMA(coef(asm.ExpLIFKeep), b.Sub(coef(asm.ExpLIFVInf), v), b.Add(v, drive))
		lower := b.FMS(fall, scalar("FallUnit"), b.Min(current, b.Const(0)))
		top := b.Add(end, b.FMA(coef(asm.ExpLIFMost), lower, coef(asm.ExpLIFLeak)))
		raised := b.Add(end, scalar("Margin"))
		var near Mask
		if k.W.kmask() {
			near = b.MaskAndNot(b.MaskOr(b.GetMask(k.reach[s]), b.Cmp(b.Max(raised, top), GE, vTh)), held)
			b.Store(k.column(k.v, s), b.Select(held, v, end))
			b.Set(k.tops, top)
			b.Set(k.before, v)
		} else {
			unbounded := b.Cmp(fall, GE, b.Const(asm.MostFall))
			reach := b.MaskAndNot(b.MaskOr(unbounded, b.Cmp(top, GE, vTh)), held)
			near = b.MaskAndNot(b.MaskOr(reach, b.Cmp(raised, GE, vTh)), held)
			b.Store(k.column(k.v, s), b.Select(b.MaskOr(held, reach), v, end))
			b.SetMask(k.reach[s], reach)
		}
		b.Store(k.column(k.current, s), b.FMA(scalar("Decay"), current, arrived))
		b.Set(k.falls[s], current)
		b.SetMask(k.held.pins[s], near)
		if some.IsZero() {
			some = near
		} else {
			some = b.MaskOr(some, near)
		}
	}
	b.Test(some)
}

// findReach sets reach, and gives the lanes in reach their V back.
func (k *expLIFKernel) findReach() {
	reach, top := k.W.register(k.reach[0].Reg), k.W.register(k.tops.Reg)
	var vTh operand.Op = k.coefficient(asm.ExpLIFVTh, 0)
	if k.coefs != nil {
		vTh = k.W.register(k.coefs[asm.ExpLIFVTh].Reg)
	}
	const notLess = 0x1D // and ordered
	high := k.K()
	k.asm("VCMPPD", operand.U8(notLess), vTh, top, high)
	k.asm("KORB", high, reach, reach)
	k.asm("KANDB", k.W.register(k.held.pins[0].Reg), reach, reach)
	k.asm("VMOVUPD", k.W.register(k.before.Reg), reach, k.column(k.v, 0))
}

// marks notes the lanes of the current vectors, and stores what belongs to those that are in reach.
func (k *expLIFKernel) marks() {
	w, bits, number := k.W, k.GP64(), k.GP64()
	if w.kmask() {
		k.findReach()
	}
	const size = int(unsafe.Sizeof(asm.ExpLIFMark{}))
	k.MOVQ(k.lane, number)
	for s := range k.S {
		k.MOVL(number.As32(), at(k.mark, int(unsafe.Offsetof(asm.ExpLIFMark{}.Lane))))
		for j, p := range []*Pin{k.reach[s], k.held.pins[s]} {
			field := []uintptr{unsafe.Offsetof(asm.ExpLIFMark{}.Reach), unsafe.Offsetof(asm.ExpLIFMark{}.Near)}[j]
			if w.kmask() {
				k.asm("KMOVB", w.register(p.Reg), bits.As32())
			} else {
				k.asm("VMOVMSKPD", w.register(p.Reg), bits.As32())
			}
			k.MOVW(bits.As16(), at(k.mark, int(field)))
		}
		k.ADDQ(imm(size), k.mark)
		k.ADDQ(imm(w.Lanes), number)
	}
	falls := k.Value("FallBefore")
	for s := range k.S {
		k.asm("VMOVUPS", k.bounds(k.fall, s), k.half(k.rows.low))
		k.asm("VMOVUPS", k.half(k.rows.low), k.bounds(falls, s))
	}
	for _, c := range []struct {
		field string
		pin   func(s int) *Pin
	}{
		{"Before", func(s int) *Pin { return k.falls[s] }},
		{"Arrived", func(s int) *Pin { return k.rows.pins[s][0] }},
		{"Share", func(s int) *Pin { return k.rows.pins[s][1] }},
	} {
		to := k.Value(c.field)
		for s := range k.S {
			k.asm("VMOVUPD", w.register(c.pin(s).Reg), k.column(to, s))
		}
	}
}

// pairRows is a row of pairs that is read and emptied in a loop, some vectors at a time.
type pairRows struct {
	*Func
	at     reg.GPVirtual
	pins   [][2]*Pin // by vector: the first of each pair, the second
	places [2]*Pin   // as in pairPlaces
	low    *Pin
	none   *Pin // where there are registers to spare: emptied accumulators
}

func (k *Func) pairRows(vectors int) *pairRows {
	p := &pairRows{Func: k, at: k.Value("Pairs"), low: k.Pin()}
	for range vectors {
		p.pins = append(p.pins, [2]*Pin{k.Pin(), k.Pin()})
	}
	if k.W.kmask() {
		table := k.GP64()
		k.LEAQ(operand.NewDataAddr(operand.NewStaticSymbol(pairsTable), 0), table)
		for i := range p.places {
			p.places[i] = k.Pin()
			k.asm("VMOVUPD", at(table, 64*i), p.register(p.places[i]))
		}
		p.none = k.Pin()
		k.Block("empty", func(b *Block) { b.Set(p.none, b.Const(asm.EmptyRow)) })
	}
	return p
}

func (p *pairRows) register(q *Pin) reg.Register { return p.W.register(q.Reg) }

// load parts the pairs of the current vectors.
func (p *pairRows) load() {
	size := p.W.Bytes()
	for s := range p.pins {
		low, high := at(p.at, 2*s*size), at(p.at, (2*s+1)*size)
		first, second, spare := p.register(p.pins[s][0]), p.register(p.pins[s][1]), p.register(p.low)
		if p.W.kmask() {
			p.asm("VMOVUPD", low, second)
			p.asm("VMOVUPD", high, spare)
			p.asm("VMOVAPD", p.register(p.places[0]), first)
			p.asm("VPERMI2PD", spare, second, first)
			p.asm("VPERMT2PD", spare, p.register(p.places[1]), second)
			continue
		}
		p.asm("VMOVUPD", low, spare)
		for i, to := range []reg.Register{first, second} {
			const apart = 0xD8 // 0, 2, 1, 3
			p.asm([]string{"VUNPCKLPD", "VUNPCKHPD"}[i], high, spare, to)
			p.asm("VPERMPD", operand.U8(apart), to, to)
		}
	}
}

// empty empties them, and goes on to the next.
func (p *pairRows) empty() {
	size := p.W.Bytes()
	none := p.none
	if none == nil {
		none = p.low
		place, _ := p.constant(math.Float64bits(asm.EmptyRow))
		p.asm("VBROADCASTSD", place, p.register(none))
	}
	for i := range 2 * len(p.pins) {
		p.asm("VMOVUPD", p.register(none), at(p.at, i*size))
	}
	p.ADDQ(operand.U32(2*len(p.pins)*size), p.at)
}
