package main

import (
	"math"
	"unsafe"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"popsim/kernels/asm"
)

// A lifPacking emits the kernel that asm.LIFPacked describes. The way from V to V takes seven cycles a step, which
// eight vectors do not fill, so that the packed lanes advance beside them at little cost: fired are those that
// crossed V_th in the last chunk, which go through its steps again; first and second are those of two earlier chunks,
// the refractory periods of which end in this chunk or the next, and in the last or this chunk.
type lifPacking struct {
	lifFunc
	packed, place  reg.GPVirtual // the LIFPacked; the place in its ring of the current chunk, bytes
	wakes, returns reg.GPVirtual // slots of first and second
	fired          firedAgain
	first, second  woken
	beyond         *Pin // the mask of woken lanes at or above V_th
}

// firedAgain is the state of lanes that go through their chunk again: V, its highest value so far, V before the step
// of the crossing, and the number of that step in the chunk.
type firedAgain struct{ v, high, before, when *Pin }

// woken is the state of packed lanes that are refractory, or were until lately. high is the highest V in the chunk.
type woken struct{ v, rate, high *Pin }

// Places in asm.LIFPacked and in its slots.
const (
	packedWake   = int(unsafe.Offsetof(asm.LIFPacked{}.Wake))
	packedRate   = int(unsafe.Offsetof(asm.LIFPacked{}.Rate))
	packedChunk  = int(unsafe.Offsetof(asm.LIFPacked{}.Chunk))
	packedLag    = int(unsafe.Offsetof(asm.LIFPacked{}.Lag))
	packedOut    = int(unsafe.Offsetof(asm.LIFPacked{}.Out))
	packedNext   = int(unsafe.Offsetof(asm.LIFPacked{}.Next))
	packedFired  = int(unsafe.Offsetof(asm.LIFPacked{}.Fired))
	packedOpen   = int(unsafe.Offsetof(asm.LIFPacked{}.Open))
	packedNear   = int(unsafe.Offsetof(asm.LIFPacked{}.Near))
	slotBytes    = int(unsafe.Sizeof(asm.PackedLanes{}))
	slotMask     = int(unsafe.Offsetof(asm.PackedLanes{}.Mask))
	slotValid    = int(unsafe.Offsetof(asm.PackedLanes{}.Valid))
	slotStart    = int(unsafe.Offsetof(asm.PackedLanes{}.Start))
	slotV        = int(unsafe.Offsetof(asm.PackedLanes{}.V))
	slotRate     = int(unsafe.Offsetof(asm.PackedLanes{}.Rate))
	slotWake     = int(unsafe.Offsetof(asm.PackedLanes{}.Wake))
	slotBefore   = int(unsafe.Offsetof(asm.PackedLanes{}.Before))
	slotIDs      = int(unsafe.Offsetof(asm.PackedLanes{}.IDs))
	slotPlace    = int(unsafe.Offsetof(asm.PackedLanes{}.Place))
	packedVector = 8 // lanes
)

// lifPacked writes the kernel; there is none with AVX2.
func lifPacked(f *file, w isa) {
	if !w.kmask() {
		return
	}
	k := lifPacking{lifFunc: lifFunc{
		Func: f.Func(w, "LIFPacked", "func(b *Block)", "advances a group of driven LIF neurons; see LIFPacked."),
		full: true, g: asm.Group / w.Lanes, steady: true, rises: true,
	}}
	k.lane, k.coef, k.step, k.m = k.GP64(), k.Value("Coef"), k.Value("Step"), k.GP64()
	k.packed, k.place, k.wakes, k.returns = k.Value("Packed"), k.GP64(), k.GP64(), k.GP64()
	k.lifFunc.fired = k.GP64()
	k.now, k.v, k.beyond = k.Pin(), k.row(), k.PinMask()
	k.fired = firedAgain{k.Pin(), k.Pin(), k.Pin(), k.Pin()}
	k.first, k.second = woken{v: k.Pin(), rate: k.Pin()}, woken{v: k.Pin(), rate: k.Pin()}
	top, stepped, done, write := k.NewLabel("chunk"), k.NewLabel("stepped"), k.NewLabel("done"), k.NewLabel("write")
	k.begin()
	k.Label(top)
	k.test(done)
	k.mixed(string(k.Later("mixed", func() {
		mixed := k
		mixed.rises = false
		mixed.steps()
		k.JMP(operand.LabelRef(stepped))
	})))
	k.steps()
	k.Label(stepped)
	k.find()
	k.accept(write)
	k.keepWoken()
	k.pack()
	k.putBack()
	k.prefetch()
	k.ADDQ(k.m, k.step)
	k.JMP(operand.LabelRef(top))
	k.Label(done)
	k.MOVQ(operand.I32(1), at(k.packed, packedOpen))
	found, n := k.last(), k.GP64()
	k.MOVQ(at(found, slotStart), n)
	k.MOVQ(n, k.Field("Count"))
	k.Label(write)
	k.MOVQ(k.place, at(k.packed, packedNext))
	k.MOVQ(k.step, k.Field("Step"))
	k.writeEvents()
	k.End()
}

// begin loads the state.
func (k *lifPacking) begin() {
	k.XORQ(k.lane, k.lane)
	k.MOVQ(at(k.packed, packedChunk), k.m)
	k.MOVQ(at(k.packed, packedNext), k.place)
	k.MOVQ(operand.I32(0), at(k.packed, packedOpen))
	v, _, _ := k.state()
	k.number(k.now, k.step)
	old, ids := k.Value("Scratch"), k.fired.v
	k.Block("begin", func(b *Block) {
		for s := range k.g {
			b.Set(k.v[s], b.Load(k.col(v, 0, s)))
		}
		b.Set(ids, b.AddI(b.Broadcast(k.Field("LaneZero")), b.Load(k.table([]uint64{0, 1, 2, 3, 4, 5, 6, 7}))))
	})
	k.vectors(imm(asm.Group), func() {
		k.Block("begin", func(b *Block) {
			b.Store(k.col(old, lifLanes, 0), b.Get(ids))
			b.Set(ids, b.AddI(b.Get(ids), b.ConstBits(uint64(k.W.Lanes))))
		})
	})
	k.XORQ(k.lane, k.lane)
}

// test jumps to done where no whole chunk is left, or no room for spikes, or V_inf of a step is so little above V_th
// that V of a spike may be rounded to it. It finds the slots of the lanes that may wake.
func (k *lifPacking) test(done string) {
	left, room := k.Value("Steps"), k.Value("Count")
	k.SUBQ(k.step, left)
	k.CMPQ(left, k.m)
	k.JLT(operand.LabelRef(done))
	k.ADDQ(imm(asm.Group), room)
	k.CMPQ(room, k.Field("Room"))
	k.JGT(operand.LabelRef(done))
	steady := k.steadyOf()
	k.Block("near", func(b *Block) {
		var near Mask
		for j := range asm.Chunk / k.W.Lanes {
			goal := b.Load(at(steady, j*k.W.Bytes()))
			above := b.Cmp(goal, NLT, k.c(b, asm.LIFVTh, 0))
			near = b.either(near, b.MaskAnd(above, b.Cmp(goal, NGT, b.Broadcast(at(k.packed, packedNear)))))
		}
		b.Test(near)
	})
	k.JNZ(operand.LabelRef(done))
	k.MOVQ(k.place, k.wakes)
	k.SUBQ(at(k.packed, packedLag), k.wakes)
	k.LEAQ(at(k.wakes, -slotBytes), k.returns)
	for _, slot := range []reg.GPVirtual{k.wakes, k.returns} {
		k.ANDQ(operand.I32(asm.PackedSlots*slotBytes-1), slot)
		k.ADDQ(k.packed, slot)
	}
}

// last is the slot of the last chunk.
func (k *lifPacking) last() reg.GPVirtual {
	slot := k.GP64()
	k.MOVQ(at(k.packed, packedFired), slot)
	k.ADDQ(k.packed, slot)
	return slot
}

// steps advances everything by a chunk, and sets fired and beyond. Where V_inf may be below V_th, the highest V tells
// the lanes that crossed it.
func (k lifPacking) steps() {
	defer k.Only(append(k.v, k.now, k.beyond, k.fired.v, k.fired.high, k.fired.before, k.fired.when,
		k.first.v, k.first.rate, k.second.v, k.second.rate)...)()
	found, steady, again, n := k.last(), k.steadyOf(), k.GP64(), k.GP64()
	k.MOVQ(k.m, n)
	k.NEGQ(n)
	k.LEAQ(operand.Mem{Base: steady, Index: n, Scale: 8}, again)
	k.MOVQ(k.m, n)
	slots := []reg.GPVirtual{k.wakes, k.returns}
	all := []woken{k.first, k.second}
	if !k.rises {
		k.hi = k.row()
		all[0].high, all[1].high = k.Pin(), k.Pin()
	}
	k.Block("load", func(b *Block) {
		v, none := b.Load(at(found, slotBefore)), b.Const(math.Inf(-1))
		b.Set(k.fired.v, v)
		b.Set(k.fired.before, v)
		b.Set(k.fired.high, none)
		b.Set(k.fired.when, b.Const(0))
		for i, x := range all {
			b.Set(x.v, b.Load(at(slots[i], slotV)))
			b.Set(x.rate, b.Load(at(slots[i], slotRate)))
			if !k.rises {
				b.Set(x.high, none)
			}
		}
		if !k.rises {
			for _, hi := range k.hi {
				b.Set(hi, none)
			}
		}
	})
	step := func() {
		k.Block("step", func(b *Block) {
			goal, usual := b.Broadcast(at(steady, 0)), k.c(b, asm.LIFK, 0)
			for s := range k.g {
				v := b.Get(k.v[s])
				v = b.FNMA(usual, b.Sub(v, goal), v)
				b.Set(k.v[s], v)
				if !k.rises {
					b.Set(k.hi[s], b.Max(v, b.Get(k.hi[s])))
				}
			}
			v, one := b.Get(k.fired.v), b.Const(1)
			v = b.FNMA(usual, b.Sub(v, b.Broadcast(at(again, 0))), v)
			high := b.Max(v, b.Get(k.fired.high))
			below := b.Cmp(high, LT, k.c(b, asm.LIFVTh, 0))
			b.Set(k.fired.v, v)
			b.Set(k.fired.high, high)
			b.Set(k.fired.before, b.Select(below, v, b.Get(k.fired.before)))
			b.Set(k.fired.when, b.Select(below, b.Add(b.Get(k.fired.when), one), b.Get(k.fired.when)))
			for i, x := range all {
				v, rate := b.Get(x.v), b.Get(x.rate)
				moves := b.Cmp(b.Load(at(slots[i], slotWake)), LE, b.Get(k.now))
				v = b.advanceHeld(moves, rate, b.Sub(v, goal), v, true)
				b.Set(x.v, v)
				b.Set(x.rate, b.Select(moves, usual, rate))
				if !k.rises {
					b.Set(x.high, b.Max(v, b.Get(x.high)))
				}
			}
			b.Set(k.now, b.Add(b.Get(k.now), one))
		})
		k.ADDQ(imm(8), steady)
		k.ADDQ(imm(8), again)
	}
	const spare = 3 // registers for the arithmetic
	k.Keep(spare, []operand.Mem{
		k.col(k.coef, asm.LIFK, 0), k.col(k.coef, asm.LIFVTh, 0), at(k.wakes, slotWake), at(k.returns, slotWake),
	}, func() { k.Loop("step", n, step) })
	crossing := k.lifFunc
	for i := range all {
		if k.rises {
			all[i].high = all[i].v
		}
	}
	if !k.rises {
		crossing.v = k.hi
	}
	valid := []*Pin{k.PinMask(), k.PinMask()}
	for i, p := range valid {
		k.asm("KMOVB", at(slots[i], slotValid), k.W.register(p.Reg))
	}
	k.Block("beyond", func(b *Block) {
		var beyond Mask
		for i, x := range all {
			reached := b.Cmp(b.Get(x.high), GE, k.c(b, asm.LIFVTh, 0))
			beyond = b.either(beyond, b.MaskAnd(b.GetMask(valid[i]), reached))
		}
		b.SetMask(k.beyond, beyond)
	})
	k.unpin(2)
	crossing.firing()
}

// find finishes the spikes of the last chunk.
func (k *lifPacking) find() {
	slot, from, steady, n, log := k.last(), k.GP64(), k.Value("Steady"), k.GP64(), k.Value("Log")
	k.MOVQ(k.step, from)
	k.SUBQ(k.m, from)
	k.LEAQ(operand.Mem{Base: steady, Index: from, Scale: 8}, steady)
	k.MOVQ(at(slot, slotStart), n)
	goal, index, second, first := k.Pin(), k.Pin(), k.Pin(), k.Pin()
	defer k.unpin(4)
	k.number(first, from)
	k.Block("goal", func(b *Block) {
		b.Set(index, b.Add(b.Get(k.fired.when), b.Const(1<<52)))
		b.Set(goal, b.Load(at(steady, 0)))
		b.Set(second, b.Load(at(steady, k.W.Bytes())))
	})
	z := func(p *Pin) reg.Register { return k.W.register(p.Reg) }
	k.asm("VPERMT2PD", z(second), z(index), z(goal))
	k.Block("spike", func(b *Block) {
		vInf, v, when := b.Get(goal), b.Get(k.fired.before), b.Get(k.fired.when)
		v = b.FNMA(k.c(b, asm.LIFK, 0), b.Sub(v, vInf), v)
		s := k.locate(b, crossing[Vec]{v: v, when: when, vInf: vInf})
		held := b.Select(s.late, b.Add(s.c(asm.LIFHold), b.Const(1)), s.c(asm.LIFHold))
		wake := b.Add(b.Add(b.Get(first), when), held)
		b.Store(at(slot, slotV), s.c(asm.LIFVReset))
		b.Store(at(slot, slotRate), s.rate)
		b.Store(at(slot, slotWake), wake)
		list := func(d int) operand.Mem { return operand.Mem{Base: k.packed, Index: n, Scale: 8, Disp: d} }
		b.Store(list(packedRate), s.rate)
		b.Store(list(packedWake), wake)
		b.Store(k.list(log, n, lifPassed), b.Sub(v, s.c(asm.LIFVTh)))
		b.Store(k.list(log, n, lifBoth), b.Add(s.above, s.below))
		b.Store(k.list(log, n, lifTau), s.c(asm.LIFSteps))
		step := b.Add(b.Or(b.Broadcast(k.Field("Step")), b.ConstBits(two52)), when)
		b.Store(k.list(log, n, lifWhere), b.AddI(b.ShlI(step, 32), b.Load(at(slot, slotIDs))))
	})
}

// accept jumps to none, before the chunk, if woken lanes crossed V_th, or too many lanes at once.
func (k *lifPacking) accept(none string) {
	k.Block("beyond", func(b *Block) { b.Test(b.GetMask(k.beyond)) })
	k.JNZ(operand.LabelRef(none))
	out, count := k.GP64(), k.GP64()
	k.MOVQ(at(k.packed, packedOut), out)
	k.NOTQ(out)
	k.ANDQ(out, k.lifFunc.fired)
	k.POPCNTQ(k.lifFunc.fired, count)
	k.CMPQ(count, operand.I8(packedVector))
	k.JGT(operand.LabelRef(none))
}

// keepWoken writes the state of the lanes that stay packed for another chunk.
func (k *lifPacking) keepWoken() {
	k.Block("woken", func(b *Block) {
		b.Store(at(k.wakes, slotV), b.Get(k.first.v))
		b.Store(at(k.wakes, slotRate), b.Get(k.first.rate))
	})
}

// pack packs the lanes in fired into the slot of the chunk, with V before the chunk, and notes their places.
func (k *lifPacking) pack() {
	fired := k.lifFunc.fired
	slot, left, n, valid, to := k.GP64(), k.GP64(), k.GP64(), k.GP64(), k.GP64()
	k.MOVQ(k.place, slot)
	k.ADDQ(k.packed, slot)
	k.MOVQ(fired, at(slot, slotMask))
	k.MOVQ(k.Field("Count"), n)
	k.MOVQ(n, at(slot, slotStart))
	k.POPCNTQ(fired, reg.RCX)
	k.ADDQ(reg.RCX, k.Field("Count"))
	k.MOVQ(operand.I32(1), valid)
	k.SHLQ(reg.CL, valid)
	k.DECQ(valid)
	k.MOVQ(valid, at(slot, slotValid))
	mask, x := k.PinMask(), k.Pin()
	m, z := k.W.register(mask.Reg), k.W.register(x.Reg)
	defer k.unpin(2)
	v, _, _ := k.state()
	scratch := k.Value("Scratch")
	k.MOVQ(slot, to)
	for s := range k.g {
		k.asm("KMOVB", at(slot, slotMask+s), m)
		for _, c := range []struct {
			from operand.Mem
			to   int
		}{{k.col(v, 0, s), slotBefore}, {k.col(scratch, lifLanes, s), slotIDs}} {
			k.asm("VMOVUPD", c.from, z)
			k.asm("VPCOMPRESSQ_Z", z, m, z)
			k.asm("VMOVUPD", z, at(to, c.to))
		}
		if s < k.g-1 {
			k.MOVBQZX(at(slot, slotMask+s), left)
			k.POPCNTQ(left, left)
			k.LEAQ(operand.Mem{Base: to, Index: left, Scale: 8}, to)
		}
	}
	k.places(slot)
}

// places writes for each packed lane its place in the slot, a byte.
func (k *lifPacking) places(slot reg.GPVirtual) {
	numbers, left, n := k.GP64(), k.GP64(), k.GP64()
	var table []uint64 // 0 to 23, four bytes each
	for i := range uint64(12) {
		table = append(table, (2*i+1)<<32|2*i)
	}
	k.LEAQ(k.table(table), numbers)
	mask, x := k.PinMask(), k.Pin()
	m, z := k.W.register(mask.Reg), k.W.register(x.Reg)
	defer k.unpin(2)
	const quarter = asm.Group / 4
	for q := range 4 {
		k.asm("KMOVW", at(slot, slotMask+2*q), m)
		k.asm("VMOVUPD", at(numbers, 0), z)
		k.asm("VPEXPANDD_Z", z, m, z)
		k.asm("VPMOVDB", z, at(slot, slotPlace+quarter*q))
		if q < 3 {
			k.MOVWQZX(at(slot, slotMask+2*q), left)
			k.POPCNTQ(left, n)
			k.LEAQ(operand.Mem{Base: numbers, Index: n, Scale: 4}, numbers)
		}
	}
}

// putBack puts the lanes that are packed no longer back to their places in the group, and writes V of the group.
func (k *lifPacking) putBack() {
	out := k.GP64()
	k.MOVQ(at(k.returns, slotMask), out)
	k.NOTQ(out)
	k.ANDQ(at(k.packed, packedOut), out)
	k.ORQ(k.lifFunc.fired, out)
	k.MOVQ(out, at(k.packed, packedOut))
	mask, index := k.PinMask(), k.Pin()
	m, z := k.W.register(mask.Reg), func(p *Pin) reg.Register { return k.W.register(p.Reg) }
	defer k.unpin(2)
	v, _, _ := k.state()
	for s := range k.g {
		k.asm("KMOVB", at(k.returns, slotMask+s), m)
		k.asm("VPMOVZXBQ", at(k.returns, slotPlace+s*k.W.Lanes), z(index))
		k.asm("VPERMPD", z(k.second.v), z(index), m, z(k.v[s]))
		k.asm("VMOVUPD", z(k.v[s]), k.col(v, 0, s))
	}
	k.MOVQ(k.place, at(k.packed, packedFired))
	k.ADDQ(operand.I32(slotBytes), k.place)
	k.ANDQ(operand.I32(asm.PackedSlots*slotBytes-1), k.place)
}
