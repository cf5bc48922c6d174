package main

import (
	"math"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"popsim/kernels/asm"
)

// offsets draws the offsets of up to four arrivals of each lane from the middle of a step, of lanes that are numbered
// or have ids in memory. With count the arrivals of a lane less Skip, and word j of its four:
//
//	Theta[j] = 0.5 - (word + 0.5) 2^-32 if count > j, else 0
//	Number   = count, at least 0 and at most 4
//	More     = count > 4
func offsets(name string, ids bool) func(f *file, w isa) {
	return func(f *file, w isa) {
		if w.kmask() {
			offsets512(f, w, name, ids)
			return
		}
		k := &offsets256{philox: newPhilox(f, w, name, "draws offsets of arrivals; see PhiloxBlock.")}
		draw := k.draw
		if ids {
			at := k.Value("IDs")
			draw = func() { k.drawOf(at, nil) }
		}
		k.loop(draw)
		k.End()
	}
}

// offsetScale and offsetMiddle make an offset of a word.
const (
	offsetScale  = -0x1p-32
	offsetMiddle = 0.5 - 0x1p-33
)

// offsetsPlaces are the pointers to what is written.
type offsetsPlaces struct {
	*Func
	counts, number, more reg.GPVirtual
	u                    [4]reg.GPVirtual
}

func (k *Func) offsetsPlaces(theta func(j int) operand.Mem) *offsetsPlaces {
	p := &offsetsPlaces{Func: k, counts: k.Value("Counts"), number: k.Value("Number"), more: k.Value("More")}
	for j := range p.u {
		p.u[j] = k.GP64()
		k.MOVQ(theta(j), p.u[j])
	}
	return p
}

// advance moves them on by a number of lanes.
func (p *offsetsPlaces) advance(lanes int) {
	p.ADDQ(imm(lanes), p.counts)
	p.ADDQ(imm(8*lanes), p.number)
	p.ADDQ(imm(lanes/8), p.more)
	for _, u := range p.u {
		p.ADDQ(imm(8*lanes), u)
	}
}

func offsets512(f *file, w isa, name string, inMemory bool) {
	k := newPhilox512(f, w, name, "draws offsets of arrivals; see PhiloxBlock.", 4,
		1<<32-1, math.Float64bits(offsetScale), math.Float64bits(offsetMiddle), 4)
	low, scale, middle, four := k.held[0], k.held[1], k.held[2], k.held[3]
	x, count, skip, zero, number := k.t[0], k.t[1], k.t[2], k.t[3], k.t[4]
	constant := func(u uint64) operand.Mem { m, _ := k.constant(u); return m }
	k.asm("VPXORQ", zero, zero, zero)
	k.asm("VPBROADCASTD", k.plus("Skip", 0), skip)
	k.asm("VPANDQ", low, skip, skip)
	p, n := k.offsetsPlaces(func(j int) operand.Mem { return k.plus("Theta", 8*j) }), k.Value("Vectors")
	var ids reg.GPVirtual
	if inMemory {
		ids = k.Value("IDs")
	} else {
		lane := k.Value("Lane")
		k.asm("VPMOVZXDQ", at(lane, 0), number)
		k.asm("VPBROADCASTD", k.plus("Counter", 0), x)
		k.asm("VPADDQ", x, number, number)
	}
	k.SHRQ(imm(1), n) // of 32 lanes each
	k.Loop("lanes", n, func() {
		if inMemory {
			k.draw(ids, nil)
		} else {
			for v := range k.words {
				k.asm("VMOVDQA64", number, k.words[v][0])
				k.asm("VPADDQ_BCST", constant(8), number, number)
				k.asm("VPBROADCASTD", k.plus("Counter", 4), k.words[v][1])
			}
			k.rounds()
		}
		const above = 6 // not less or equal
		for v := range k.words {
			k.asm("VPMOVZXBQ", at(p.counts, 8*v), count)
			k.asm("VPSUBQ", skip, count, count)
			k.asm("VPCMPQ", operand.U8(above), four, count, reg.K1)
			k.asm("KMOVB", reg.K1, at(p.more, v))
			k.asm("VPMAXSQ", zero, count, x)
			k.asm("VPMINSQ", four, x, x)
			k.asm("VCVTQQ2PD", x, x)
			k.asm("VMOVUPD", x, at(p.number, 64*v))
			for j, word := range k.words[v] {
				k.asm("VPCMPQ_BCST", operand.U8(above), constant(uint64(j)), count, reg.K2)
				k.asm("VPANDQ", low, word, word)
				k.asm("VCVTUQQ2PD", word, word)
				k.asm("VFMADD213PD_Z", middle, scale, reg.K2, word)
				k.asm("VMOVUPD", word, at(p.u[j], 64*v))
			}
		}
		p.advance(8 * len(k.words))
	})
	k.End()
}

// offsets256 is for AVX2.
type offsets256 struct{ *philox }

func (k *offsets256) loop(draw func()) {
	p, n := k.offsetsPlaces(func(j int) operand.Mem { return k.plus("Theta", 8*j) }), k.Value("Vectors")
	count, x, none := k.t[0], k.t[1], k.t[2]
	both := func(word int) operand.Mem { m, _ := k.constant(uint64(word)<<32 | uint64(word)); return m }
	half := func(r reg.Register) reg.Register { return r.(reg.Vec).AsX() }
	k.Loop("lanes", n, func() {
		draw()
		k.memory(none, k.plus("Skip", 0))
		k.asm("VPMOVZXBD", at(p.counts, 0), count)
		k.asm("VPSUBD", none, count, count)
		k.asm("VPCMPGTD", both(asm.OffsetsTogether), count, x)
		mask := k.GP32()
		k.asm("VMOVMSKPS", x, mask)
		k.MOVB(mask.As8(), at(p.more, 0))
		k.asm("VPXOR", none, none, none)
		k.asm("VPMAXSD", none, count, x)
		k.asm("VPMINSD", both(asm.OffsetsTogether), x, x)
		k.asm("VCVTDQ2PD", half(x), none)
		k.asm("VMOVUPD", none, at(p.number, 0))
		k.asm("VEXTRACTI128", operand.U8(1), x, half(x))
		k.asm("VCVTDQ2PD", half(x), none)
		k.asm("VMOVUPD", none, at(p.number, 32))
		for j := range p.u {
			k.offset(k.words[0][j], j, at(p.u[j], 0))
		}
		p.advance(8)
	})
}

// offset writes the offsets of word number j of the lanes of a vector, whose counts are in the first scratch register.
func (k *offsets256) offset(word reg.Register, j int, to operand.Mem) {
	count, x, mask, scale := k.t[0], k.t[1], k.t[2], k.t[3]
	constant := func(u uint64) operand.Mem { m, _ := k.constant(u); return m }
	half := func(r reg.Register) reg.Register { return r.(reg.Vec).AsX() }
	k.asm("VPCMPGTD", constant(uint64(j)<<32|uint64(j)), count, mask)
	k.asm("VMOVUPD", constant(math.Float64bits(offsetScale)), scale)
	for part := range 2 {
		if part == 1 {
			k.asm("VEXTRACTI128", operand.U8(1), word, half(word))
			k.asm("VEXTRACTI128", operand.U8(1), mask, half(mask))
		}
		// A word below the bits of 2^52 is 2^52 + word.
		k.asm("VPMOVZXDQ", half(word), x)
		k.asm("VPOR", constant(two52), x, x)
		k.asm("VSUBPD", constant(two52), x, x)
		k.asm("VFMADD213PD", constant(math.Float64bits(offsetMiddle)), scale, x)
		k.asm("VPMOVSXDQ", half(mask), k.t[4])
		k.asm("VANDPD", k.t[4], x, x)
		m := to
		m.Disp += part * 32
		k.asm("VMOVUPD", x, m)
	}
}
