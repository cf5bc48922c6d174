package main

import (
	"math"
	"math/bits"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"popsim/kernels/asm"
	"popsim/kernels/vec"
)

// philox emits a kernel that draws four words for each 32-bit lane. Vector registers are allocated by hand: package vec
// has 64-bit lanes only.
type philox struct {
	*Func
	mul    [2]reg.Register
	number reg.Register       // of lanes: First two words of the current counters
	second reg.Register       //
	words  [2][4]reg.Register // of two vectors
	t      []reg.Register     // scratch
	odd    reg.Register       // mask of the odd lanes (AVX-512)
}

func newPhilox(f *file, w isa, name, doc string) *philox {
	k := &philox{Func: f.Func(w, name, "func(b *PhiloxBlock)", doc)}
	all := func(i int) reg.Register { return w.register(vec.VectorReg(i)) }
	k.mul = [2]reg.Register{all(0), all(1)}
	k.number, k.second = all(2), all(3)
	for v := range k.vectors() {
		for j := range 4 {
			k.words[v][j] = all(4 + 4*v + j)
		}
	}
	first := 4 + 4*k.vectors()
	for i := range 6 {
		k.t = append(k.t, all(first+i))
	}
	for j, m := range []uint32{asm.PhiloxMul0, asm.PhiloxMul1} {
		k.broadcast(k.mul[j], operand.U32(m))
	}
	if w.kmask() {
		k.odd = reg.K1
		x := k.GP32()
		k.MOVL(operand.U32(0xAAAA), x)
		k.KMOVW(x, k.odd)
	}
	for j, r := range []reg.Register{k.number, k.second} {
		p := k.GP64()
		k.MOVQ(k.plus("Lane", 8*j), p)
		k.memory(k.t[0], k.plus("Counter", 4*j))
		k.asm("VPADDD", at(p, 0), k.t[0], r)
	}
	return k
}

// vectors is the number of vectors that are advanced together.
func (k *philox) vectors() int {
	if k.W.kmask() {
		return 2
	}
	return 1
}

// lanes is the number of 32-bit lanes of a vector.
func (k *philox) lanes() int { return 2 * k.W.Lanes }

// plus is the memory d bytes after the start of a field.
func (k *philox) plus(field string, d int) operand.Mem {
	m := k.fieldStart(field)
	m.Disp += d
	return m
}

// broadcast fills r with an immediate.
func (k *philox) broadcast(r reg.Register, x operand.Op) {
	g := k.GP32()
	k.MOVL(x, g)
	low := r.(reg.Vec).AsX()
	k.VMOVD(g, low)
	k.asm("VPBROADCASTD", low, r)
}

// memory fills r with a word of memory.
func (k *philox) memory(r reg.Register, m operand.Mem) { k.asm("VPBROADCASTD", m, r) }

// draw writes the four words of the next lanes to words, and advances the counters.
func (k *philox) draw() {
	for v := range k.vectors() {
		k.move(k.number, k.words[v][0])
		k.move(k.second, k.words[v][1])
		k.memory(k.words[v][2], k.plus("Counter", 8))
		k.memory(k.words[v][3], k.plus("Counter", 12))
		for j, r := range []reg.Register{k.number, k.second} {
			k.memory(k.t[0], k.plus("Step", 4*j))
			k.asm("VPADDD", k.t[0], r, r)
		}
	}
	for round := range asm.PhiloxRounds {
		for v := range k.vectors() {
			k.round(&k.words[v], round)
		}
	}
}

// drawOf is draw with the first word of the counters from memory, where ids points and which it moves on; with counters
// the second likewise (AVX2).
func (k *philox) drawOf(ids, counters reg.GPVirtual) {
	x := &k.words[0]
	k.asm("VMOVDQU", at(ids, 0), x[0])
	k.ADDQ(imm(4*k.lanes()), ids)
	if counters != nil {
		k.asm("VMOVDQU", at(counters, 0), x[1])
		k.ADDQ(imm(4*k.lanes()), counters)
	} else {
		k.move(k.second, x[1])
	}
	k.rounds()
}

// rounds makes words of the first two words of the counters (AVX2).
func (k *philox) rounds() {
	x := &k.words[0]
	k.memory(x[2], k.plus("Counter", 8))
	k.memory(x[3], k.plus("Counter", 12))
	for round := range asm.PhiloxRounds {
		k.round(x, round)
	}
}

// round is one round on the words x of a vector: with p = x0 mul0 and q = x2 mul1, products of 64 bits,
//
//	x0, x1, x2, x3 = high(q)^x1^key0, low(q), high(p)^x3^key1, low(p)
func (k *philox) round(x *[4]reg.Register, number int) {
	for j, c := range []int{0, 2} { // x[c] becomes the low half, t[j] the high half of its product
		even, odd := k.t[2*j], k.t[2*j+1]
		k.asm("VPSRLQ", operand.U8(32), x[c], odd)
		k.asm("VPMULUDQ", k.mul[j], x[c], even)
		k.asm("VPMULUDQ", k.mul[j], odd, odd)
		k.asm("VPSLLQ", operand.U8(32), odd, x[c])
		k.oddFrom(even, x[c], x[c])
		k.asm("VPSRLQ", operand.U8(32), even, even)
		k.oddFrom(even, odd, even)
	}
	// Now x[0], x[2] are the low halves of p and q, t[0], t[2] their high halves.
	for j, c := range []int{1, 3} {
		high := k.t[2-2*j] // of q for x0, of p for x2
		key := k.plus("Keys", 8*number+4*j)
		if k.W.kmask() {
			k.asm("VPTERNLOGD_BCST", operand.U8(0x96), key, high, x[c])
			continue
		}
		k.memory(k.t[4+j], key)
		k.asm("VPXOR", high, x[c], x[c])
		k.asm("VPXOR", k.t[4+j], x[c], x[c])
	}
	x[0], x[1], x[2], x[3] = x[1], x[2], x[3], x[0]
}

// oddFrom is the even lanes of x and the odd lanes of y.
func (k *philox) oddFrom(x, y, to reg.Register) {
	if k.W.kmask() {
		k.asm("VPBLENDMD", y, x, k.odd, to)
		return
	}
	k.asm("VPBLENDD", operand.U8(0xAA), y, x, to)
}

func (k *philox) move(from, to reg.Register) {
	if k.W.kmask() {
		k.asm("VMOVDQA32", from, to)
		return
	}
	k.asm("VMOVDQA", from, to)
}

// philoxWords writes the words of each lane together: two steps of unpacking turn four vectors of words into vectors
// whose quarters (halves, with AVX2) are four words of one lane.
func philoxWords(f *file, w isa) {
	k := newPhilox(f, w, "PhiloxWords", "draws words; see PhiloxBlock.")
	out, n := k.Value("Words"), k.Value("Vectors")
	if k.vectors() == 2 {
		k.SHRQ(imm(1), n)
	}
	k.Loop("vectors", n, func() {
		k.draw()
		for v := range k.vectors() {
			x, t := k.words[v], k.t
			k.asm("VPUNPCKLDQ", x[1], x[0], t[0]) // 00 10 01 11
			k.asm("VPUNPCKHDQ", x[1], x[0], t[1]) // 02 12 03 13
			k.asm("VPUNPCKLDQ", x[3], x[2], t[2])
			k.asm("VPUNPCKHDQ", x[3], x[2], t[3])
			k.asm("VPUNPCKLQDQ", t[2], t[0], x[0])
			k.asm("VPUNPCKHQDQ", t[2], t[0], x[1])
			k.asm("VPUNPCKLQDQ", t[3], t[1], x[2])
			k.asm("VPUNPCKHQDQ", t[3], t[1], x[3])
			for lane := range 4 {
				for quarter := range k.lanes() / 4 {
					to := at(out, 16*(k.lanes()*v+4*quarter+lane))
					if k.W.kmask() {
						k.asm("VEXTRACTI32X4", operand.U8(quarter), x[lane], to)
					} else {
						k.asm("VEXTRACTI128", operand.U8(quarter), x[lane], to)
					}
				}
			}
		}
		k.ADDQ(imm(16*k.lanes()*k.vectors()), out)
	})
	k.End()
}

// philoxWordsOf writes a row for each of the four words.
func philoxWordsOf(f *file, w isa) {
	wordsOf(f, w, "PhiloxWordsOf", "draws words of IDs and Counters; see PhiloxBlock.", func(k *philox) func() {
		ids, counters := k.Value("IDs"), k.Value("Counters")
		return func() { k.drawOf(ids, counters) }
	}, func(k *philox512) func() {
		ids, counters := k.Value("IDs"), k.Value("Counters")
		return func() { k.draw(ids, counters) }
	})
}

// philoxWordsAt writes the rows of philoxWordsOf for the lanes of places.
func philoxWordsAt(f *file, w isa) {
	philoxWordsPlaced(f, w, "PhiloxWordsAt", "draws words of lanes and steps; see PhiloxBlock.", false)
}

// philoxWordsFrom is philoxWordsAt for lanes whose ids follow one another: they are computed, not gathered.
func philoxWordsFrom(f *file, w isa) {
	philoxWordsPlaced(f, w, "PhiloxWordsFrom", "draws words of numbered lanes and steps; see PhiloxBlock.", true)
}

func philoxWordsPlaced(f *file, w isa, name, doc string, numbered bool) {
	wordsOf(f, w, name, doc, func(k *philox) func() {
		places, named := k.Value("Places"), k.namer(numbered, k.plus("Counter", 0))
		return func() {
			named(places, 0, k.words[0])
			k.ADDQ(imm(4*k.lanes()), places)
			k.rounds()
		}
	}, func(k *philox512) func() {
		places, named := k.Value("Places"), k.namer(numbered, k.plus("Counter", 0))
		return func() {
			for v := range k.words {
				x := &k.words[v]
				t := [4]reg.Register{k.t[0], k.t[1], x[2], x[3]}
				for i := range t {
					t[i] = t[i].(reg.Vec).AsY()
				}
				named(places, 32*v, t)
				k.asm("VPMOVZXDQ", t[0], x[0])
				k.asm("VPMOVZXDQ", t[1], x[1])
			}
			k.ADDQ(imm(32*len(k.words)), places)
			k.rounds()
		}
	})
}

// namer returns what makes, of eight places d bytes on, the ids of their lanes, to[0], and the counter plus their rows,
// to[1]; the others are scratch. The ids are in IDs or, numbered, the lanes' numbers plus the first word of counters.
func (k *Func) namer(numbered bool, counters operand.Mem) func(places reg.GPVirtual, d int, to [4]reg.Register) {
	var laneIDs reg.GPVirtual
	if !numbered {
		laneIDs = k.Value("IDs")
	}
	second := counters
	second.Disp += 4
	return func(places reg.GPVirtual, d int, to [4]reg.Register) {
		id, counter, lane, all := to[0], to[1], to[2], to[3]
		k.asm("VMOVDQU", at(places, d), counter)
		k.asm("VPSLLD", operand.U8(16), counter, lane)
		k.asm("VPSRLD", operand.U8(16), lane, lane)
		k.asm("VPSRLD", operand.U8(16), counter, counter)
		if numbered {
			k.asm("VPBROADCASTD", counters, id)
			k.asm("VPADDD", lane, id, id)
		} else {
			k.asm("VPCMPEQD", all, all, all)
			k.asm("VPGATHERDD", all, operand.Mem{Base: laneIDs, Index: lane, Scale: 4}, id)
		}
		k.asm("VPBROADCASTD", second, lane)
		k.asm("VPADDD", lane, counter, counter)
	}
}

// wordsOf writes the words of lanes that the functions returned by narrow, for AVX2, and wide draw.
func wordsOf(f *file, w isa, name, doc string, narrow func(*philox) func(), wide func(*philox512) func()) {
	if w.kmask() {
		wordsOf512(f, w, name, doc, wide)
		return
	}
	k := newPhilox(f, w, name, doc)
	draw, u := narrow(k), k.Value("U")
	out, n, stride := k.Value("Words"), k.Value("Vectors"), k.Value("Stride")
	k.SHLQ(imm(2), stride)
	k.Loop("vectors", n, func() {
		draw()
		k.uniforms(k.words[0][1], u)
		k.ADDQ(imm(8*k.lanes()), u)
		row := k.GP64()
		k.MOVQ(out, row)
		for _, word := range k.words[0] {
			k.asm("VMOVDQU", word, at(row, 0))
			k.ADDQ(stride, row)
		}
		k.ADDQ(imm(4*k.lanes()), out)
	})
	k.End()
}

// philoxCounts compares all thresholds with each word: the count is exact, and needs no table look-ups.
func philoxCounts(f *file, w isa) {
	k := newPhilox(f, w, "PhiloxCounts", "draws counts; see PhiloxBlock.")
	out, n, stride := k.Value("Counts"), k.Value("Vectors"), k.Value("Stride")
	if k.vectors() == 2 {
		k.SHRQ(imm(1), n)
	}
	k.Loop("vectors", n, func() {
		k.draw()
		row := k.GP64()
		k.MOVQ(out, row)
		for word := range 4 {
			var words []reg.Register
			for v := range k.vectors() {
				words = append(words, k.words[v][word])
			}
			k.count(words, row)
			k.ADDQ(stride, row)
		}
		k.ADDQ(imm(k.lanes()*k.vectors()), out)
	})
	k.End()
}

// count writes a byte for each lane of the words: Least and the number of thresholds that do not exceed it.
func (k *philox) count(words []reg.Register, to reg.Register) {
	threshold, one := k.t[2], k.t[3]
	for v := range words {
		k.memory(k.t[v], k.plus("Least", 0))
	}
	next, left, done := k.Value("Thresholds"), k.GP64(), k.NewLabel("counted")
	length := k.Field("Thresholds")
	length.Disp += 8
	k.MOVQ(length, left)
	k.TESTQ(left, left)
	k.JZ(operand.LabelRef(done))
	if k.W.kmask() {
		k.broadcast(one, operand.U32(1))
	}
	k.Loop("threshold", left, func() {
		k.memory(threshold, at(next, 0))
		for v, x := range words {
			if k.W.kmask() {
				const atLeast = 5
				k.asm("VPCMPUD", operand.U8(atLeast), threshold, x, reg.K2)
				k.asm("VPADDD", one, k.t[v], reg.K2, k.t[v])
			} else {
				k.asm("VPMAXUD", threshold, x, k.t[4])
				k.asm("VPCMPEQD", k.t[4], x, k.t[4])
				k.asm("VPSUBD", k.t[4], k.t[v], k.t[v])
			}
		}
		k.ADDQ(imm(4), next)
	})
	k.Label(done)
	for v := range words {
		x := k.t[v]
		if k.W.kmask() {
			k.asm("VPMOVDB", x, at(to, k.lanes()*v))
			continue
		}
		low, high := x.(reg.Vec).AsX(), k.t[4].(reg.Vec).AsX()
		k.asm("VPACKUSDW", x, x, x)
		k.asm("VPACKUSWB", x, x, x)
		k.asm("VEXTRACTI128", operand.U8(1), x, high)
		k.asm("VPUNPCKLDQ", high, low, low)
		k.asm("VMOVQ", low, at(to, 0))
	}
}

// philoxInstants makes instants of words, in double precision: (word + 0.5) 2^-32.
func philoxInstants(f *file, w isa) {
	k := newPhilox(f, w, "PhiloxInstants", "draws instants; see PhiloxBlock.")
	counts, n := k.Value("Counts"), k.Value("Vectors")
	var theta [4]reg.GPVirtual
	for j := range theta {
		theta[j] = k.GP64()
		k.MOVQ(k.plus("Theta", 8*j), theta[j])
	}
	if k.vectors() == 2 {
		k.SHRQ(imm(1), n)
	}
	k.Loop("vectors", n, func() {
		k.draw()
		for v := range k.vectors() {
			for j := range theta {
				k.instants(k.words[v][j], j, at(counts, k.lanes()*v), at(theta[j], 8*k.lanes()*v))
			}
		}
		k.ADDQ(imm(k.lanes()*k.vectors()), counts)
		for j := range theta {
			k.ADDQ(imm(8*k.lanes()*k.vectors()), theta[j])
		}
	})
	k.End()
}

// instants writes the instants of word number j of the lanes of a vector.
func (k *philox) instants(word reg.Register, j int, counts, to operand.Mem) {
	number, count, x := k.t[0], k.t[1], k.t[2]
	half := func(r reg.Register) reg.Register { // the lower half
		if k.W.kmask() {
			return r.(reg.Vec).AsY()
		}
		return r.(reg.Vec).AsX()
	}
	constant := func(u uint64) operand.Mem { m, _ := k.constant(u); return m }
	scale, offset := constant(math.Float64bits(0x1p-32)), constant(math.Float64bits(0x1p-33))
	none := constant(math.Float64bits(asm.NoArrival))
	k.memory(number, k.plus("Skip", 0))
	if j > 0 {
		k.broadcast(x, operand.U32(j))
		k.asm("VPADDD", x, number, number)
	}
	k.asm("VPMOVZXBD", counts, count)
	if k.W.kmask() {
		k.asm("VPCMPGTD", number, count, reg.K2)
	} else {
		k.asm("VPCMPGTD", number, count, count)
	}
	for part := range 2 {
		m := to
		m.Disp += part * k.W.Bytes()
		if k.W.kmask() {
			if part == 1 {
				k.asm("VEXTRACTI64X4", operand.U8(1), word, half(word))
				k.asm("KSHIFTRW", operand.U8(8), reg.K2, reg.K2)
			}
			k.asm("VCVTUDQ2PD", half(word), x)
			k.asm("VBROADCASTSD", scale, k.t[3])
			k.asm("VFMADD213PD_BCST", offset, k.t[3], x)
			k.asm("VBROADCASTSD", none, k.t[3])
			k.asm("VBLENDMPD", x, k.t[3], reg.K2, x)
		} else {
			if part == 1 {
				k.asm("VEXTRACTI128", operand.U8(1), word, half(word))
				k.asm("VEXTRACTI128", operand.U8(1), count, half(count))
			}
			// A word below the bits of 2^52 is 2^52 + word.
			k.asm("VPMOVZXDQ", half(word), x)
			k.asm("VPOR", constant(two52), x, x)
			k.asm("VSUBPD", constant(two52), x, x)
			k.asm("VMOVUPD", scale, k.t[3])
			k.asm("VFMADD213PD", offset, k.t[3], x)
			k.asm("VPMOVSXDQ", half(count), k.t[3])
			k.asm("VMOVUPD", none, k.t[4])
			k.asm("VBLENDVPD", k.t[3], x, k.t[4], x)
		}
		k.asm("VMOVUPD", x, m)
	}
}

// uniforms writes the numbers of (0, 1) that the words of a vector stand for (AVX2).
func (k *philox) uniforms(words, to reg.Register) {
	x, factor := k.t[0], k.t[1]
	constant := func(u uint64) operand.Mem { m, _ := k.constant(u); return m }
	for part := range 2 {
		half := words.(reg.Vec).AsX()
		if part == 1 {
			half = x.(reg.Vec).AsX()
			k.asm("VEXTRACTI128", operand.U8(1), words, half)
		}
		k.asm("VPMOVZXDQ", half, x) // a word below the bits of 2^52 is 2^52 + word
		k.asm("VPOR", constant(two52), x, x)
		k.asm("VSUBPD", constant(two52), x, x)
		k.asm("VMOVUPD", constant(math.Float64bits(0x1p-32)), factor)
		k.asm("VFMADD213PD", constant(math.Float64bits(0x1p-33)), factor, x)
		k.asm("VMOVUPD", x, at(to, part*k.W.Bytes()))
	}
}

// addCounts adds a number of equal weights to each lane of a row.
func addCounts(f *file, w isa) {
	k := f.Func(w, "AddCounts", "func(b *CountBlock)", "adds counts of arrivals; see CountBlock.")
	all := func(i int) reg.VecPhysical { return w.register(vec.VectorReg(i)).(reg.VecPhysical) }
	weight := all(0)
	k.asm("VBROADCASTSD", k.Field("Weight"), weight)
	row, counts, n := k.Value("Row"), k.Value("Counts"), k.Value("Lanes")
	const together = 8 // lanes
	k.SHRQ(imm(bits.Len(together)-1), n)
	k.Loop("lanes", n, func() {
		for v := range together / w.Lanes {
			x := all(1 + v)
			whole := x.AsX()
			if w.kmask() {
				k.asm("VPMOVZXBD", at(counts, 0), x.AsY())
				k.asm("VCVTDQ2PD", x.AsY(), x)
			} else {
				k.asm("VPMOVZXBD", at(counts, 4*v), whole)
				k.asm("VCVTDQ2PD", whole, x)
			}
			k.asm("VMULPD", weight, x, x)
			k.asm("VADDPD", at(row, v*w.Bytes()), x, x)
			k.asm("VMOVUPD", x, at(row, v*w.Bytes()))
		}
		k.ADDQ(imm(together), counts)
		k.ADDQ(imm(8*together), row)
	})
	k.End()
}
