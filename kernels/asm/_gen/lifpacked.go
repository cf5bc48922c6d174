package main

import (
	"math"
	"slices"
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
	varies         []int         // the coefficients that differ from lane to lane
	packed, place  reg.GPVirtual // the LIFPacked; the place in its ring of the current chunk, bytes
	wakes, returns reg.GPVirtual // slots of first and second
	fired          firedAgain
	first, second  woken
	beyond         *Pin // the mask of woken lanes at or above V_th
}

// firedAgain is the state of lanes that go through their chunk again: V, its highest value so far, V before the step
// of the crossing, and the number of that step in the chunk.
type firedAgain struct{ v, high, before, when *Pin }

// woken is the state of packed lanes that are refractory, or were until lately. wake is counted from the start of the
// chunk; high is the highest V in it.
type woken struct{ v, rate, wake, high *Pin }

// Places in asm.LIFPacked and in its slots.
const (
	packedWake   = int(unsafe.Offsetof(asm.LIFPacked{}.Wake))
	packedRate   = int(unsafe.Offsetof(asm.LIFPacked{}.Rate))
	packedPart   = int(unsafe.Offsetof(asm.LIFPacked{}.Part))
	packedLate   = int(unsafe.Offsetof(asm.LIFPacked{}.Late))
	packedChunk  = int(unsafe.Offsetof(asm.LIFPacked{}.Chunk))
	packedLag    = int(unsafe.Offsetof(asm.LIFPacked{}.Lag))
	packedOut    = int(unsafe.Offsetof(asm.LIFPacked{}.Out))
	packedNext   = int(unsafe.Offsetof(asm.LIFPacked{}.Next))
	packedFired  = int(unsafe.Offsetof(asm.LIFPacked{}.Fired))
	packedNear   = int(unsafe.Offsetof(asm.LIFPacked{}.Near))
	packedRing   = int(unsafe.Offsetof(asm.LIFPacked{}.Ring))
	packedInput  = int(unsafe.Offsetof(asm.LIFPacked{}.Input))
	slotCoefs    = int(unsafe.Offsetof(asm.PackedLanes{}.Coef))
	slotBytes    = int(unsafe.Sizeof(asm.PackedLanes{}))
	slotMask     = int(unsafe.Offsetof(asm.PackedLanes{}.Mask))
	slotValid    = int(unsafe.Offsetof(asm.PackedLanes{}.Valid))
	slotStart    = int(unsafe.Offsetof(asm.PackedLanes{}.Start))
	slotV        = int(unsafe.Offsetof(asm.PackedLanes{}.V))
	slotRate     = int(unsafe.Offsetof(asm.PackedLanes{}.Rate))
	slotWake     = int(unsafe.Offsetof(asm.PackedLanes{}.Wake))
	slotBefore   = int(unsafe.Offsetof(asm.PackedLanes{}.Before))
	slotLanes    = int(unsafe.Offsetof(asm.PackedLanes{}.Lanes))
	slotPlace    = int(unsafe.Offsetof(asm.PackedLanes{}.Place))
	packedVector = 8 // lanes
)

// lifPacked writes the kernel; there is none with AVX2.
func lifPacked(name string, varies ...int) func(f *file, w isa) {
	return func(f *file, w isa) {
		if !w.kmask() {
			return
		}
		k := lifPacking{varies: varies, lifFunc: lifFunc{
			Func: f.Func(w, name, "func(b *Block)", "advances a group of driven LIF neurons; see LIFPacked."),
			full: true, g: asm.Group / w.Lanes, steady: true, rises: true,
		}}
		k.lane, k.coef, k.step, k.m = k.GP64(), k.Value("Coef"), k.Value("Step"), k.GP64()
		k.packed, k.place, k.wakes, k.returns = k.Value("Packed"), k.GP64(), k.GP64(), k.GP64()
		k.lifFunc.fired = k.GP64()
		k.now, k.v, k.beyond = k.Pin(), k.row(), k.PinMask()
		k.fired = firedAgain{v: k.Pin(), before: k.Pin(), when: k.Pin()}
		k.first, k.second = woken{v: k.Pin(), rate: k.Pin()}, woken{v: k.Pin(), rate: k.Pin()}
		k.run()
		k.End()
	}
}

// run goes through the chunks.
func (k *lifPacking) run() {
	top, stepped, done, write := k.NewLabel("chunk"), k.NewLabel("stepped"), k.NewLabel("done"), k.NewLabel("write")
	k.begin()
	k.Label(top)
	k.test(done)
	if !k.waving() {
		k.near(done)
	}
	k.chunk()
	if !k.waving() {
		k.mixed(string(k.Later("mixed", func() {
			mixed := *k
			mixed.rises = false
			mixed.steps()
			k.JMP(operand.LabelRef(stepped))
		})))
	}
	k.steps()
	k.Label(stepped)
	k.find(at(k.packed, packedChunk))
	k.accept(write)
	k.keepWoken()
	k.pack()
	k.putBack()
	k.prefetch()
	k.ADDQ(k.m, k.step)
	k.JMP(operand.LabelRef(top))
	k.Label(done)
	k.findLast(write)
	k.Label(write)
	k.MOVQ(k.place, at(k.packed, packedNext))
	k.MOVQ(k.step, k.Field("Step"))
	k.writeSpikes()
}

// begin loads the state.
func (k *lifPacking) begin() {
	k.XORQ(k.lane, k.lane)
	k.MOVQ(at(k.packed, packedChunk), k.m)
	k.MOVQ(at(k.packed, packedNext), k.place)
	v, _, _ := k.state()
	k.Block("begin", func(b *Block) {
		for s := range k.g {
			b.Set(k.v[s], b.Load(k.col(v, 0, s)))
		}
		b.Set(k.fired.v, b.Const(0))
	})
}

// chunk sets m to the steps of the chunk, which has fewer than others at the end of the call.
func (k *lifPacking) chunk() {
	whole := k.NewLabel("whole")
	k.MOVQ(k.Field("Steps"), k.m)
	k.SUBQ(k.step, k.m)
	k.CMPQ(k.m, at(k.packed, packedChunk))
	k.JLE(operand.LabelRef(whole))
	k.MOVQ(at(k.packed, packedChunk), k.m)
	k.Label(whole)
}

// test jumps to done where no step is left, or no room for spikes. It finds the slots of the lanes that may wake.
func (k *lifPacking) test(done string) {
	room := k.Value("Count")
	k.CMPQ(k.step, k.Field("Steps"))
	k.JGE(operand.LabelRef(done))
	k.ADDQ(imm(asm.Group), room)
	k.CMPQ(room, k.Field("Room"))
	k.JGT(operand.LabelRef(done))
	k.MOVQ(k.place, k.wakes)
	k.SUBQ(at(k.packed, packedLag), k.wakes)
	k.LEAQ(at(k.wakes, -slotBytes), k.returns)
	for _, slot := range []reg.GPVirtual{k.wakes, k.returns} {
		k.ANDQ(at(k.packed, packedRing), slot)
		k.ADDQ(k.packed, slot)
	}
}

// near jumps to done where V_inf of a step is so little above V_th that V of a spike may be rounded to it.
func (k *lifPacking) near(done string) {
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
}

// inputs is the pointer to the input of the given step: V_inf, or the waveform where lanes have their own V_inf.
func (k *lifPacking) inputs(step reg.Register) reg.GPVirtual {
	p := k.GP64()
	k.MOVQ(at(k.packed, packedInput), p)
	k.LEAQ(operand.Mem{Base: p, Index: step, Scale: 8}, p)
	return p
}

// waving reports whether V_inf follows from the waveform lane by lane.
func (k *lifPacking) waving() bool { return len(k.varies) > 0 }

// of returns the coefficients of the lanes packed in a slot.
func (k *lifPacking) of(b *Block, slot reg.Register) func(j int) Vec {
	return func(j int) Vec {
		if i := slices.Index(asm.PackedCoefs[:], j); slices.Contains(k.varies, j) {
			return b.Load(at(slot, slotCoefs+k.W.Bytes()*i))
		}
		return k.c(b, j, 0)
	}
}

// at returns the coefficients of vector s.
func (k *lifPacking) at(b *Block, s int) func(j int) Vec {
	return func(j int) Vec {
		if slices.Contains(k.varies, j) {
			return k.c(b, j, s)
		}
		return k.c(b, j, 0)
	}
}

// goal is V_inf for an input. The gain is 1 where it is not V_inf itself.
func (k *lifPacking) goal(b *Block, input Vec, c func(j int) Vec) Vec {
	if !k.waving() {
		return input
	}
	return b.FMA(c(asm.LIFR), b.Add(input, c(asm.LIFI)), c(asm.LIFVRest))
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
	defer k.Only(append(k.v, k.now, k.beyond, k.fired.v, k.fired.before, k.fired.when,
		k.first.v, k.first.rate, k.second.v, k.second.rate)...)()
	k.number(k.now, k.step)
	found, input, again := k.last(), k.inputs(k.step), k.again(at(k.packed, packedChunk))
	k.first.wake, k.second.wake, k.fired.high = k.Pin(), k.Pin(), k.Pin()
	if !k.rises {
		k.hi = k.row()
		k.first.high, k.second.high = k.Pin(), k.Pin()
	}
	k.Block("load", func(b *Block) {
		none := b.Const(math.Inf(-1))
		k.loadFired(b)
		k.load(b, k.first, k.wakes)
		k.load(b, k.second, k.returns)
		for _, hi := range k.hi {
			b.Set(hi, none)
		}
	})
	tick, j := k.ticks(), k.GP64()
	loop := func(first, n int, kept []operand.Mem, packed func(b *Block, input, step Vec)) {
		const spare = 4 // registers for the arithmetic
		k.Keep(spare, kept, func() {
			top := k.NewLabel("step")
			k.XORQ(j, j)
			k.Label(top)
			k.Block("step", func(b *Block) {
				input := b.Broadcast(operand.Mem{Base: input, Index: j, Scale: 8})
				for s := first; s < first+n; s++ {
					v, c := b.Get(k.v[s]), k.at(b, s)
					v = b.FNMA(c(asm.LIFK), b.Sub(v, k.goal(b, input, c)), v)
					b.Set(k.v[s], v)
					if !k.rises {
						b.Set(k.hi[s], b.Max(v, b.Get(k.hi[s])))
					}
				}
				packed(b, input, b.Broadcast(operand.Mem{Base: tick, Index: j, Scale: 8}))
			})
			k.INCQ(j)
			k.CMPQ(j, k.m)
			k.JLT(operand.LabelRef(top))
		})
	}
	fired := func(b *Block, step Vec) {
		k.stepFired(b, b.Broadcast(operand.Mem{Base: again, Index: j, Scale: 8}), step, k.of(b, found))
	}
	rest := func() { // of the steps of the last chunk, where this one has fewer
		k.CMPQ(k.m, at(k.packed, packedChunk))
		met := k.NewLabel("met")
		k.JLT(k.Later("rest", func() {
			k.MOVQ(k.m, j)
			k.stepsFired(found, again, tick, j, at(k.packed, packedChunk))
			k.JMP(operand.LabelRef(met))
		}))
		k.Label(met)
	}
	if len(k.varies) > 1 {
		k.stepsOwn(stepping{found, input, again, tick, j})
	} else {
		var kept []operand.Mem
		for _, i := range []int{asm.LIFK, asm.LIFVTh, asm.LIFR, asm.LIFVRest}[:2+2*len(k.varies)] {
			kept = append(kept, k.col(k.coef, i, 0))
		}
		loop(0, k.g, kept, func(b *Block, input, step Vec) {
			fired(b, step)
			k.stepWoken(b, k.first, input, step, k.of(b, k.wakes))
			k.stepWoken(b, k.second, input, step, k.of(b, k.returns))
		})
	}
	rest()
	k.cross()
}

// A stepping is where the steps of a chunk find what they need: the slot of fired; the inputs of this chunk and of the
// last; ticks; and the register that counts steps.
type stepping struct{ found, input, again, tick, j reg.GPVirtual }

// stepsOwn takes the steps of a chunk where lanes have their own coefficients, three at a time, which reads each
// coefficient once for all of them: reads are what takes longest.
func (k *lifPacking) stepsOwn(x stepping) {
	const round = 3
	left, singly, done, top := k.GP64(), k.NewLabel("singly"), k.NewLabel("stepped"), k.NewLabel("step")
	k.XORQ(x.j, x.j)
	k.Label(top)
	k.LEAQ(at(x.j, round), left)
	k.CMPQ(left, k.m)
	k.JGT(operand.LabelRef(singly))
	k.stepOwn(x, round)
	k.JMP(operand.LabelRef(top))
	k.Label(singly)
	k.CMPQ(x.j, k.m)
	k.JGE(operand.LabelRef(done))
	k.stepOwn(x, 1)
	k.JMP(operand.LabelRef(singly))
	k.Label(done)
}

// stepOwn takes some steps. Packed lanes take turns with the vectors of the group.
func (k *lifPacking) stepOwn(x stepping, steps int) {
	var inputs []*Pin
	for range steps {
		inputs = append(inputs, k.Pin())
	}
	defer k.unpin(steps)
	later := func(p reg.GPVirtual, i int) operand.Mem {
		return operand.Mem{Base: p, Index: x.j, Scale: 8, Disp: 8 * i}
	}
	k.Block("inputs", func(b *Block) {
		for i, p := range inputs {
			b.Set(p, b.Broadcast(later(x.input, i)))
		}
	})
	used := []int{asm.LIFI, asm.LIFR, asm.LIFVRest, asm.LIFK}
	fired := func() {
		k.with(append([]int{asm.LIFVTh}, used...), func(b *Block) func(j int) Vec { return k.of(b, x.found) },
			func(b *Block, c func(j int) Vec) {
				v, before, when := b.Get(k.fired.v), b.Get(k.fired.before), b.Get(k.fired.when)
				for i := range steps {
					v = b.FNMA(c(asm.LIFK), b.Sub(v, k.goal(b, b.Broadcast(later(x.again, i)), c)), v)
					below := b.Cmp(v, LT, c(asm.LIFVTh))
					before = b.Select(below, v, before)
					when = b.Select(below, b.Broadcast(later(x.tick, i)), when)
				}
				b.Set(k.fired.v, v)
				b.Set(k.fired.before, before)
				b.Set(k.fired.when, when)
			})
	}
	woken := func(lanes woken, slot reg.GPVirtual) {
		k.with(used, func(b *Block) func(j int) Vec { return k.of(b, slot) }, func(b *Block, c func(j int) Vec) {
			v, rate, wake := b.Get(lanes.v), b.Get(lanes.rate), b.Get(lanes.wake)
			for i, p := range inputs {
				moves := b.Cmp(wake, LE, b.Broadcast(later(x.tick, i)))
				v = b.advanceHeld(moves, rate, b.Sub(v, k.goal(b, b.Get(p), c)), v, true)
				rate = b.Select(moves, c(asm.LIFK), rate)
			}
			b.Set(lanes.v, v)
			b.Set(lanes.rate, rate)
		})
	}
	for s := range k.g {
		k.with(used, func(b *Block) func(j int) Vec { return k.at(b, s) }, func(b *Block, c func(j int) Vec) {
			v := b.Get(k.v[s])
			for _, p := range inputs {
				v = b.FNMA(c(asm.LIFK), b.Sub(v, k.goal(b, b.Get(p), c)), v)
			}
			b.Set(k.v[s], v)
		})
		switch s {
		case 0:
			fired()
		case k.g / 3:
			woken(k.first, k.wakes)
		case 2 * k.g / 3:
			woken(k.second, k.returns)
		}
	}
	k.ADDQ(imm(steps), x.j)
}

// with emits a block with the given coefficients in registers.
func (k *lifPacking) with(
	coefs []int,
	from func(b *Block) func(j int) Vec,
	record func(b *Block, c func(j int) Vec),
) {
	pins := map[int]*Pin{}
	for _, j := range coefs {
		pins[j] = k.Pin()
	}
	defer k.unpin(len(coefs))
	k.Block("coefs", func(b *Block) {
		c := from(b)
		for _, j := range coefs {
			b.Set(pins[j], c(j))
		}
	})
	k.Block("step", func(b *Block) { record(b, func(j int) Vec { return b.Get(pins[j]) }) })
}

// ticks is the pointer to the numbers of the steps of a chunk.
func (k *lifPacking) ticks() reg.GPVirtual {
	p := k.GP64()
	var table []uint64
	for step := range asm.Chunk {
		table = append(table, math.Float64bits(float64(step)))
	}
	k.LEAQ(k.table(table), p)
	return p
}

// again is the pointer to the inputs of the last n steps before the current one.
func (k *lifPacking) again(n operand.Op) reg.GPVirtual {
	from := k.GP64()
	k.MOVQ(k.step, from)
	k.SUBQ(n, from)
	return k.inputs(from)
}

// loadFired begins to take the lanes that crossed V_th in the last chunk through it again.
func (k *lifPacking) loadFired(b *Block) {
	b.Set(k.fired.before, b.Get(k.fired.v))
	b.Set(k.fired.high, b.Const(math.Inf(-1)))
	b.Set(k.fired.when, b.Const(-1))
}

// stepsFired takes those lanes through the steps from j to n alone.
func (k *lifPacking) stepsFired(found, again, tick, j reg.GPVirtual, n operand.Op) {
	top := k.NewLabel("again")
	k.Label(top)
	k.Block("again", func(b *Block) {
		input, step := operand.Mem{Base: again, Index: j, Scale: 8}, operand.Mem{Base: tick, Index: j, Scale: 8}
		k.stepFired(b, b.Broadcast(input), b.Broadcast(step), k.of(b, found))
	})
	k.INCQ(j)
	k.CMPQ(j, n)
	k.JLT(operand.LabelRef(top))
}

// findLast finishes the spikes of the last chunk of a call; it jumps to none where there was no chunk.
func (k lifPacking) findLast(none string) {
	defer k.Only(k.fired.v, k.fired.before, k.fired.when)()
	k.CMPQ(at(k.packed, packedFired), operand.I32(int(unsafe.Offsetof(asm.LIFPacked{}.None))))
	k.JEQ(operand.LabelRef(none))
	k.fired.high = k.Pin()
	found, again, tick, j := k.last(), k.again(k.m), k.ticks(), k.GP64()
	k.Block("load", k.loadFired)
	k.XORQ(j, j)
	k.stepsFired(found, again, tick, j, k.m)
	k.find(k.m)
}

// load loads the state of the lanes that wake from a slot.
func (k *lifPacking) load(b *Block, x woken, slot reg.Register) {
	b.Set(x.v, b.Load(at(slot, slotV)))
	b.Set(x.rate, b.Load(at(slot, slotRate)))
	b.Set(x.wake, b.Sub(b.Load(at(slot, slotWake)), b.Get(k.now)))
	if !k.rises {
		b.Set(x.high, b.Const(math.Inf(-1)))
	}
}

// stepFired takes the lanes that crossed V_th in the last chunk through a step of it again.
func (k *lifPacking) stepFired(b *Block, input, step Vec, c func(j int) Vec) {
	v := b.Get(k.fired.v)
	v = b.FNMA(c(asm.LIFK), b.Sub(v, k.goal(b, input, c)), v)
	high := v
	if !k.waving() { // V_inf may have been below V_th
		high = b.Max(v, b.Get(k.fired.high))
		b.Set(k.fired.high, high)
	}
	below := b.Cmp(high, LT, c(asm.LIFVTh))
	b.Set(k.fired.v, v)
	b.Set(k.fired.before, b.Select(below, v, b.Get(k.fired.before)))
	b.Set(k.fired.when, b.Select(below, step, b.Get(k.fired.when)))
}

// stepWoken takes lanes that wake through a step.
func (k *lifPacking) stepWoken(b *Block, x woken, input, step Vec, c func(j int) Vec) {
	v, rate, moves := b.Get(x.v), b.Get(x.rate), b.Cmp(b.Get(x.wake), LE, step)
	v = b.advanceHeld(moves, rate, b.Sub(v, k.goal(b, input, c)), v, true)
	b.Set(x.v, v)
	b.Set(x.rate, b.Select(moves, c(asm.LIFK), rate))
	if !k.rises {
		b.Set(x.high, b.Max(v, b.Get(x.high)))
	}
}

// cross sets fired and beyond.
func (k lifPacking) cross() {
	crossing := k.lifFunc
	if k.rises {
		k.first.high, k.second.high = k.first.v, k.second.v
	} else {
		crossing.v = k.hi
	}
	valid := []*Pin{k.PinMask(), k.PinMask()}
	slots := []reg.GPVirtual{k.wakes, k.returns}
	for i, p := range valid {
		k.asm("KMOVB", at(slots[i], slotValid), k.W.register(p.Reg))
	}
	k.Block("beyond", func(b *Block) {
		var beyond Mask
		for i, x := range []woken{k.first, k.second} {
			reached := b.Cmp(b.Get(x.high), GE, k.of(b, slots[i])(asm.LIFVTh))
			beyond = b.either(beyond, b.MaskAnd(b.GetMask(valid[i]), reached))
		}
		b.SetMask(k.beyond, beyond)
	})
	k.unpin(2)
	crossing.firing()
}

// find finishes the spikes of the last chunk, which had as many steps as given.
func (k *lifPacking) find(steps operand.Op) {
	slot, from, n, log := k.last(), k.GP64(), k.GP64(), k.Value("Log")
	k.MOVQ(k.step, from)
	k.SUBQ(steps, from)
	input := k.inputs(from)
	k.MOVQ(at(slot, slotStart), n)
	goal, index, second, first := k.Pin(), k.Pin(), k.Pin(), k.Pin()
	defer k.unpin(4)
	k.number(first, from)
	k.Block("goal", func(b *Block) {
		b.Set(index, b.Add(b.Get(k.fired.when), b.Const(1<<52+1)))
		b.Set(goal, b.Load(at(input, 0)))
		b.Set(second, b.Load(at(input, k.W.Bytes())))
	})
	z := func(p *Pin) reg.Register { return k.W.register(p.Reg) }
	k.asm("VPERMT2PD", z(second), z(index), z(goal))
	k.Block("spike", func(b *Block) {
		c := k.of(b, slot)
		vInf, v, when := k.goal(b, b.Get(goal), c), b.Get(k.fired.before), b.Add(b.Get(k.fired.when), b.Const(1))
		v = b.FNMA(c(asm.LIFK), b.Sub(v, vInf), v)
		s := locateIn(b, crossing[Vec]{v: v, when: when, vInf: vInf}, c)
		held := b.Select(s.late, b.Add(s.c(asm.LIFHold), b.Const(1)), s.c(asm.LIFHold))
		wake := b.Add(b.Add(b.Get(first), when), held)
		b.Store(at(slot, slotV), s.c(asm.LIFVReset))
		b.Store(at(slot, slotRate), s.rate)
		b.Store(at(slot, slotWake), wake)
		list := func(d int) operand.Mem { return operand.Mem{Base: k.packed, Index: n, Scale: 8, Disp: d} }
		b.Store(list(packedRate), s.rate)
		b.Store(list(packedWake), wake)
		b.Store(list(packedLate), b.Select(s.late, b.Const(1), b.Const(0)))
		b.Store(k.list(log, n, lifPassed), b.Sub(v, s.c(asm.LIFVTh)))
		b.Store(k.list(log, n, lifBoth), b.Add(s.above, s.below))
		step := b.Add(b.Or(b.Broadcast(k.Field("Step")), b.ConstBits(two52)), when)
		lanes := b.AddI(b.Load(at(slot, slotLanes)), b.Broadcast(k.Field("LaneZero")))
		b.Store(k.list(log, n, lifWhere), b.AddI(b.ShlI(step, 32), lanes))
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
	slot, valid, v := k.GP64(), k.GP64(), k.pointer("Y", 0)
	k.MOVQ(k.place, slot)
	k.ADDQ(k.packed, slot)
	k.MOVQ(fired, at(slot, slotMask))
	k.MOVQ(k.Field("Count"), valid)
	k.MOVQ(valid, at(slot, slotStart))
	k.POPCNTQ(fired, reg.RCX)
	k.ADDQ(reg.RCX, k.Field("Count"))
	k.MOVQ(operand.I32(1), valid)
	k.SHLQ(reg.CL, valid)
	k.DECQ(valid)
	k.MOVQ(valid, at(slot, slotValid))
	lanes := k.Pin()
	defer k.unpin(1)
	k.lanes(lanes)
	k.Block("lanes", func(b *Block) { b.Store(at(slot, slotLanes), b.Get(lanes)) })
	k.pick(lanes, k.fired.v, func(s int) operand.Mem { return k.col(v, 0, s) })
	k.Block("before", func(b *Block) { b.Store(at(slot, slotBefore), b.Get(k.fired.v)) })
	x := k.fired.before // is set again before it is read
	for i, j := range asm.PackedCoefs {
		if slices.Contains(k.varies, j) {
			k.pick(lanes, x, func(s int) operand.Mem { return k.col(k.coef, j, s) })
			k.Block("coef", func(b *Block) { b.Store(at(slot, slotCoefs+k.W.Bytes()*i), b.Get(x)) })
		}
	}
	k.places(slot)
}

// lanes sets lanes to the numbers of the first eight lanes in fired, or 64 where there are no more.
func (k *lifPacking) lanes(lanes *Pin) {
	left, all, lane := k.GP64(), k.GP64(), k.GP64()
	k.MOVQ(k.lifFunc.fired, left)
	for i := range packedVector {
		k.TZCNTQ(left, lane)
		if i < packedVector-1 {
			k.BLSRQ(left, left)
		}
		if i == 0 {
			k.MOVQ(lane, all)
			continue
		}
		k.SHLQ(imm(8*i), lane)
		k.ORQ(lane, all)
	}
	k.MOVQ(all, k.Field("Until"))
	k.asm("VPMOVZXBQ", k.Field("Until"), k.W.register(lanes.Reg))
}

// pick sets to to the given lanes of a column.
func (k *lifPacking) pick(lanes, to *Pin, column func(s int) operand.Mem) {
	quarters := []*Pin{to, k.Pin(), k.Pin(), k.Pin()}
	defer k.unpin(3)
	for q, p := range quarters {
		k.asm("VMOVUPD", column(2*q), k.W.register(p.Reg))
		k.asm("VPERMT2PD", column(2*q+1), k.W.register(lanes.Reg), k.W.register(p.Reg))
	}
	k.Block("pick", func(b *Block) {
		x := b.Get(to)
		for q, p := range quarters[1:] {
			x = b.Select(b.GtI(b.Get(lanes), b.ConstBits(uint64(16*(q+1)-1))), b.Get(p), x)
		}
		b.Set(to, x)
	})
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
	k.ANDQ(at(k.packed, packedRing), k.place)
}

// writeSpikes writes the spikes to Events, and Wake, the rate and Rem of their lanes.
func (k *lifPacking) writeSpikes() {
	list := func(i reg.Register, d int) operand.Mem {
		return operand.Mem{Base: k.packed, Index: i, Scale: 8, Disp: d}
	}
	tau := func(b *Block, i reg.Register) Vec { return k.c(b, asm.LIFSteps, 0) }
	part := func(b *Block, i reg.Register) Vec { return k.c(b, asm.LIFHoldPart, 0) }
	if len(k.varies) > 1 {
		k.listOwn()
		tau = func(b *Block, i reg.Register) Vec { return b.Load(k.list(k.Value("Log"), i, lifTau)) }
		part = func(b *Block, i reg.Register) Vec { return b.Load(list(i, packedPart)) }
	}
	k.eventsOf(tau, func(b *Block, i reg.Register, theta Vec) {
		end := b.Sub(b.Add(theta, part(b, i)), b.Load(list(i, packedLate)))
		b.Store(list(i, packedPart), b.Sub(b.Const(1), end))
	})
	defer k.Only()()
	log, zero, n, i, lane, x := k.Value("Log"), k.Value("LaneZero"), k.Value("Count"), k.GP64(), k.GP64(), k.GP64()
	written := k.NewLabel("written")
	k.TESTQ(n, n)
	k.JZ(operand.LabelRef(written))
	columns := []struct {
		to   reg.GPVirtual
		from int
	}{{k.Value("Wake"), packedWake}, {k.pointer("Y", 1), packedRate}, {k.Value("Rem"), packedPart}}
	k.XORQ(i, i)
	top := k.NewLabel("spike")
	k.Label(top)
	k.MOVL(k.list(log, i, lifWhere), lane.As32())
	k.SUBQ(zero, lane)
	for _, c := range columns {
		k.MOVQ(list(i, c.from), x)
		k.MOVQ(x, operand.Mem{Base: c.to, Index: lane, Scale: 8})
	}
	k.INCQ(i)
	k.CMPQ(i, n)
	k.JLT(operand.LabelRef(top))
	k.Label(written)
}

// listOwn lists tau/dt and the part of a step in t_ref of the lanes that spiked.
func (k *lifPacking) listOwn() {
	log, zero, n := k.Value("Log"), k.Value("LaneZero"), k.Value("Count")
	i, lane, x, top, listed := k.GP64(), k.GP64(), k.GP64(), k.NewLabel("own"), k.NewLabel("listed")
	k.TESTQ(n, n)
	k.JZ(operand.LabelRef(listed))
	k.XORQ(i, i)
	k.Label(top)
	k.MOVL(k.list(log, i, lifWhere), lane.As32())
	k.SUBQ(zero, lane)
	coef := func(j int) operand.Mem { return operand.Mem{Base: k.coef, Index: lane, Scale: 8, Disp: column * j} }
	k.MOVQ(coef(asm.LIFSteps), x)
	k.MOVQ(x, k.list(log, i, lifTau))
	k.MOVQ(coef(asm.LIFHoldPart), x)
	k.MOVQ(x, operand.Mem{Base: k.packed, Index: i, Scale: 8, Disp: packedPart})
	k.INCQ(i)
	k.CMPQ(i, n)
	k.JLT(operand.LabelRef(top))
	k.Label(listed)
}

// lifPackable writes the kernel that tells whether and how a group can be advanced by the kernels for a waveform.
func lifPackable(f *file, w isa) {
	k := lifPacking{lifFunc: lifFunc{
		Func: f.Func(w, "LIFPackable", "func(b *Block)", "sets Refused and Differs of b.Packed; see LIFPacked."), g: 1,
	}}
	k.lane, k.coef, k.packed = k.GP64(), k.Value("Coef"), k.Value("Packed")
	refused, differs, least, most := k.Pin(), k.Pin(), k.Pin(), k.Pin()
	k.Block("none", func(b *Block) {
		b.Set(refused, b.Const(0))
		b.Set(differs, b.Const(0))
		b.Set(least, b.Const(math.Inf(1)))
		b.Set(most, b.Const(math.Inf(-1)))
	})
	field := func(b *Block, d uintptr) Vec { return b.Broadcast(at(k.packed, int(d))) }
	k.vectors(imm(asm.Group), func() {
		k.Block("steady", func(b *Block) {
			c := func(j int) Vec { return k.c(b, j, 0) }
			vInf := func(x Vec) Vec { return b.FMA(c(asm.LIFR), b.Add(x, c(asm.LIFI)), c(asm.LIFVRest)) }
			x, y := vInf(field(b, unsafe.Offsetof(asm.LIFPacked{}.Low))), vInf(field(b, unsafe.Offsetof(asm.LIFPacked{}.High)))
			vTh := c(asm.LIFVTh)
			near := b.Add(vTh, b.Add(b.Mul(b.Abs(vTh), b.Const(asm.LIFNear)), b.Const(asm.LIFNearLeast)))
			above := b.MaskAnd(b.Cmp(b.Min(x, y), GT, near), b.Cmp(b.Max(x, y), LE, b.Const(asm.LIFFar)))
			fine := b.MaskOr(above, b.Cmp(b.Max(x, y), LT, vTh))
			hold, far := c(asm.LIFHold), b.Const(asm.LIFFar)
			for _, m := range []Mask{
				b.Cmp(c(asm.LIFPart), LT, b.Const(1.0/16)), b.Cmp(c(asm.LIFGain), EQ, b.Const(1)),
				b.Cmp(b.Abs(b.Min(x, y)), LE, far), b.Cmp(b.Abs(c(asm.LIFVReset)), LE, far),
			} {
				fine = b.MaskAnd(fine, m)
			}
			b.Set(refused, b.Select(fine, b.Get(refused), b.Const(1)))
			b.Set(least, b.Min(hold, b.Get(least)))
			b.Set(most, b.Max(hold, b.Get(most)))
			same := b.Cmp(c(asm.LIFK), EQ, b.Broadcast(at(k.coef, column*asm.LIFK)))
			for _, j := range append([]int{asm.LIFSteps, asm.LIFHoldPart}, asm.PackedCoefs[:]...) {
				if j != asm.LIFI && j != asm.LIFK {
					same = b.MaskAnd(same, b.Cmp(c(j), EQ, b.Broadcast(at(k.coef, column*j))))
				}
			}
			b.Set(differs, b.Select(same, b.Get(differs), b.Const(1)))
		})
	})
	k.Block("done", func(b *Block) {
		b.Store(at(k.packed, int(unsafe.Offsetof(asm.LIFPacked{}.Refused))), b.Get(refused))
		b.Store(at(k.packed, int(unsafe.Offsetof(asm.LIFPacked{}.Differs))), b.Get(differs))
		b.Store(at(k.packed, int(unsafe.Offsetof(asm.LIFPacked{}.HoldLeast))), b.Get(least))
		b.Store(at(k.packed, int(unsafe.Offsetof(asm.LIFPacked{}.HoldMost))), b.Get(most))
	})
	k.End()
}
