package main

import (
	"math"
	"slices"
	"unsafe"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"popsim/kernels/asm"
	"popsim/kernels/vec"
)

// Sizes and places of the fields of runs of edges.
const (
	runSize   = int(unsafe.Sizeof(asm.EdgeRun{}))
	runFirst  = int(unsafe.Offsetof(asm.EdgeRun{}.First))
	runUnit   = int(unsafe.Offsetof(asm.EdgeRun{}.Unit))
	runBlocks = int(unsafe.Offsetof(asm.EdgeRun{}.Blocks))
	runFalls  = int(unsafe.Offsetof(asm.EdgeRun{}.Falls))
	edgesSize = int(unsafe.Sizeof(asm.Edges{}))
	edgesW    = int(unsafe.Offsetof(asm.Edges{}.W))
	unitAdd   = int(unsafe.Offsetof(asm.UnitEdge{}.Add))
)

// addEdges adds the edges of runs to rows of one accumulator for each target, or of two. The order of the sums is that
// of the edges; vectors hold the products of a block. If marks is set, blocks with marked targets are listed. Only AVX2
// is used.
func addEdges(name string, width int, marks bool) func(f *file, w isa) {
	return func(f *file, w isa) {
		if w.Name != avx2.Name {
			return
		}
		k := f.Func(w, name, "func(b *EdgeRunsBlock)", "is "+name+"Go.")
		e := &edgeAdder{
			Func: k, width: width, marks: marks, run: k.Value("Runs"), row: k.Value("Row"),
			end: k.GP64(), edges: k.GP64(), n: k.GP64(),
		}
		length := k.Field("Runs")
		length.Disp += 8
		k.MOVQ(length, e.end)
		k.TESTQ(e.end, e.end)
		k.JEQ(operand.LabelRef("done"))
		k.IMUL3Q(operand.U8(runSize), e.end, e.end)
		k.ADDQ(e.run, e.end)
		if width == 2 {
			e.fall = k.Value("Fall")
			word := k.GP32()
			for _, c := range []struct {
				to   reg.Register
				bits uint32
			}{{oneFall, math.Float32bits(1)}, {mostFall, asm.MostFall}} {
				k.MOVL(operand.U32(c.bits), word)
				k.asm("VMOVD", word, c.to)
				k.asm("VPBROADCASTD", c.to, c.to)
			}
		}
		for i := range e.to {
			e.to[i] = k.GP64()
		}
		k.Label("run")
		e.prefetch()
		k.MOVQ(at(e.run, runFirst), e.edges)
		k.MOVQ(at(e.run, runUnit), e.n)
		if width == 2 {
			k.asm("VBROADCASTF128", at(e.n, unitAdd), factors)
		} else {
			k.asm("VBROADCASTSD", at(e.n, unitAdd), factors)
		}
		k.MOVLQSX(at(e.run, runBlocks), e.n)
		k.TESTQ(e.n, e.n)
		k.JLE(operand.LabelRef("next"))
		if width == 2 {
			k.CMPB(at(e.run, runFalls), operand.U8(0))
			k.JNE(k.Later("falls", func() {
				k.asm("VMULSD", k.Field("Units"), factors.AsX(), perUnit)
				k.asm("VCVTSD2SS", perUnit, perUnit, perUnit)
				k.asm("VBROADCASTSS", perUnit, perUnit)
				k.Loop("falling", e.n, func() { e.block(true) })
				k.JMP(operand.LabelRef("next"))
			}))
		}
		k.Loop("edges", e.n, func() { e.block(false) })
		k.Label("next")
		k.ADDQ(imm(runSize), e.run)
		k.CMPQ(e.run, e.end)
		k.JLT(operand.LabelRef("run"))
		k.Label("done")
		k.End()
	}
}

var (
	factors = reg.Y15 // what an edge of weight 1 adds
	perUnit = reg.X14 // of it in units of what falls
	// Numbers of 32 bits, the first as float32.
	oneFall  = reg.X13
	mostFall = reg.X12
)

type edgeAdder struct {
	*Func
	width               int
	marks               bool
	run, end            reg.GPVirtual // the current run, the end of all
	row, fall, edges, n reg.GPVirtual
	to                  [4]reg.GPVirtual
}

// prefetch prefetches a later run.
func (e *edgeAdder) prefetch() {
	p, end := e.GP64(), e.GP64()
	e.LEAQ(at(e.run, asm.RunsAhead*runSize), p)
	e.CMPQ(p, e.end)
	e.JGE(operand.LabelRef("near"))
	e.MOVLQSX(at(p, runBlocks), end)
	e.IMUL3Q(operand.U8(edgesSize), end, end)
	most := e.GP64()
	e.MOVQ(operand.U32(asm.PrefetchedBytes), most)
	e.CMPQ(end, most)
	e.CMOVQGT(most, end)
	e.MOVQ(at(p, runFirst), p)
	e.ADDQ(p, end)
	e.ANDQ(operand.I8(-line), p)
	e.JMP(operand.LabelRef("lines"))
	e.Label("line")
	e.PREFETCHT0(at(p, 0))
	e.ADDQ(imm(line), p)
	e.Label("lines")
	e.CMPQ(p, end)
	e.JLT(operand.LabelRef("line"))
	e.Label("near")
}

// bounds sets two words of 32 bits in each of two registers to what four edges add to the bounds of what falls:
// asm.AddFall.
func (e *edgeAdder) bounds() (more [2]reg.GPVirtual) {
	e.asm("VMULPS", at(e.edges, edgesW), perUnit, reg.X6)
	e.asm("VSUBPS", reg.X6, oneFall, reg.X6)
	e.asm("VCVTTPS2DQ", reg.X6, reg.X6)
	e.asm("VPMINUD", mostFall, reg.X6, reg.X6)
	for i := range more {
		more[i] = e.GP64()
	}
	e.asm("VMOVQ", reg.X6, more[0])
	e.asm("VPEXTRQ", operand.U8(1), reg.X6, more[1])
	return more
}

// block adds four edges.
func (e *edgeAdder) block(falls bool) {
	for i, to := range e.to {
		e.MOVWQZX(at(e.edges, 2*i), to)
		if e.width == 2 {
			e.ADDQ(to, to)
		}
	}
	var more [2]reg.GPVirtual
	if falls {
		more = e.bounds()
	}
	e.asm("VCVTPS2PD", at(e.edges, edgesW), reg.Y0)
	e.ADDQ(imm(edgesSize), e.edges)
	place := func(i int) operand.Mem { return operand.Mem{Base: e.row, Index: e.to[i], Scale: 8} }
	if e.width == 1 {
		e.asm("VMULPD", factors, reg.Y0, reg.Y0)
		e.asm("VEXTRACTF128", operand.U8(1), reg.Y0, reg.X2)
		e.asm("VUNPCKHPD", reg.X0, reg.X0, reg.X1)
		e.asm("VUNPCKHPD", reg.X2, reg.X2, reg.X3)
		for i, x := range []reg.Register{reg.X0, reg.X1, reg.X2, reg.X3} {
			e.asm("VADDSD", place(i), x, x)
			e.asm("VMOVSD", x, place(i))
		}
		return
	}
	const firstTwo, lastTwo = 0x50, 0xFA // each twice
	e.asm("VPERMPD", operand.U8(firstTwo), reg.Y0, reg.Y1)
	e.asm("VPERMPD", operand.U8(lastTwo), reg.Y0, reg.Y3)
	e.asm("VMULPD", factors, reg.Y1, reg.Y1)
	e.asm("VMULPD", factors, reg.Y3, reg.Y3)
	e.asm("VEXTRACTF128", operand.U8(1), reg.Y1, reg.X2)
	e.asm("VEXTRACTF128", operand.U8(1), reg.Y3, reg.X4)
	for i, x := range []reg.Register{reg.X1, reg.X2, reg.X3, reg.X4} {
		sum := reg.Register(reg.X5)
		if e.marks {
			sum = x
		}
		e.asm("VADDPD", place(i), x, sum)
		e.asm("VMOVUPD", sum, place(i))
		if falls {
			if i%2 == 1 {
				e.SHRQ(operand.U8(32), more[i/2])
			}
			e.ADDL(more[i/2].As32(), operand.Mem{Base: e.fall, Index: e.to[i], Scale: 2})
		}
	}
	if e.marks {
		e.listMarked(map[bool]string{false: "listed", true: "listedfalling"}[falls])
	}
}

// listMarked lists the block just added if one of its four first accumulators, or a sum of two, is no number; back is
// the label of what follows.
func (e *edgeAdder) listMarked(back string) {
	e.asm("VADDSD", reg.X2, reg.X1, reg.X1)
	e.asm("VADDSD", reg.X4, reg.X3, reg.X3)
	e.asm("VUCOMISD", reg.X3, reg.X1)
	e.JPS(e.Later("marked"+back, func() {
		place, number := e.to[0], e.to[1]
		e.MOVQ(e.Field("Count"), place)
		e.INCQ(e.Field("Count"))
		e.SHLQ(operand.U8(log2(int(unsafe.Sizeof(asm.MarkedEdges{})))), place)
		e.ADDQ(e.Field("Marked"), place)
		e.MOVQ(e.run, number)
		e.SUBQ(e.Field("Runs"), number)
		e.SHRQ(operand.U8(log2(runSize)), number)
		e.MOVQ(number, at(place, int(unsafe.Offsetof(asm.MarkedEdges{}.Run))))
		e.LEAQ(at(e.edges, -edgesSize), number)
		e.MOVQ(number, at(place, int(unsafe.Offsetof(asm.MarkedEdges{}.Address))))
		e.JMP(operand.LabelRef(back))
	}))
	e.Label(back)
}

// Places of the targets of eight blocks of edges in the three vectors that hold them, by words of eight bytes: in the
// first two; then in what that gave and the third.
var (
	targetsInTwo   = []uint64{0, 3, 6, 9, 12, 15, 0, 0}
	targetsInThird = []uint64{0, 1, 2, 3, 4, 5, 8 + 2, 8 + 5}
)

// words is a vector of one word of 16 bits.
func words(x uint64) []uint64 { return slices.Repeat([]uint64{x * 0x0001000100010001}, 8) }

// findEdges looks up the targets of eight blocks at a time in the filter; with tables of 64 words in two vectors each,
// VPERMI2W reads the words of 32 targets at once.
func findEdges(f *file, w isa) {
	if !w.kmask() {
		return
	}
	k := f.Func(w, "FindEdges", "func(b *FindEdgesBlock)", "is FindEdgesGo.")
	v := func(i int) reg.Register { return w.register(vec.VectorReg(i)) }
	const inTwo, inThird, ones, low, factor, tables = 20, 21, 22, 23, 24, 16
	for i, x := range [][]uint64{targetsInTwo, targetsInThird, words(1), words(15), words(asm.FilterFactor)} {
		k.asm("VMOVDQU64", k.table(x), v(inTwo+i))
	}
	filter := k.Value("Filter")
	for i := range 4 {
		k.asm("VMOVDQU64", at(filter, 64*i), v(tables+i))
	}
	run, end, found, count := k.Value("Runs"), k.GP64(), k.Value("Found"), k.GP64()
	edges, left, block, number := k.GP64(), k.GP64(), k.GP64(), k.GP64()
	length := k.Field("Runs")
	length.Disp += 8
	k.MOVQ(length, end)
	k.XORQ(number, number)
	k.XORQ(count, count)
	k.TESTQ(end, end)
	k.JEQ(operand.LabelRef("done"))
	k.Label("run")
	k.MOVQ(at(run, runFirst), edges)
	k.MOVLQSX(at(run, runBlocks), left)
	k.XORQ(block, block)
	k.JMP(operand.LabelRef("more"))
	k.Label("blocks")
	hits := k.eightBlocks(edges, left, v)
	k.TESTL(hits.As32(), hits.As32())
	k.JNE(k.Later("hit", func() {
		k.MOVL(number.As32(), at(found, int(unsafe.Offsetof(asm.FoundEdges{}.Run))))
		k.MOVL(block.As32(), at(found, int(unsafe.Offsetof(asm.FoundEdges{}.Block))))
		k.MOVL(hits.As32(), at(found, int(unsafe.Offsetof(asm.FoundEdges{}.Hits))))
		k.ADDQ(imm(int(unsafe.Sizeof(asm.FoundEdges{}))), found)
		k.INCQ(count)
		k.JMP(operand.LabelRef("missed"))
	}))
	k.Label("missed")
	k.ADDQ(operand.U32(8*edgesSize), edges)
	k.ADDQ(imm(8), block)
	k.SUBQ(imm(8), left)
	k.Label("more")
	k.CMPQ(left, operand.U8(0))
	k.JGT(operand.LabelRef("blocks"))
	k.ADDQ(imm(runSize), run)
	k.INCQ(number)
	k.CMPQ(number, end)
	k.JLT(operand.LabelRef("run"))
	k.Label("done")
	k.MOVQ(count, k.Field("Count"))
	k.End()
}

// eightBlocks sets bit i of hits if the filter has a target of block i, of the first left blocks at most eight.
func (k *Func) eightBlocks(edges, left reg.GPVirtual, v func(int) reg.Register) (hits reg.GPVirtual) {
	const inTwo, inThird, ones, low, factor, tables = 20, 21, 22, 23, 24, 16
	const targets, second, third, hashed, word, shift = 0, 1, 2, 3, 4, 5
	n, mask, ends := k.GP64(), k.GP64(), k.GP64()
	k.MOVQ(operand.U32(8), n)
	k.CMPQ(left, n)
	k.CMOVQLT(left, n)
	k.MOVQ(operand.I32(-1), ends)
	k.LEAQ(operand.Mem{Base: n, Index: n, Scale: 2}, mask) // words of eight bytes that exist
	k.BZHIQ(mask, ends, mask)
	k.BZHIQ(n, ends, ends)
	for i, to := range []int{targets, second, third} {
		if i > 0 {
			k.SHRQ(operand.U8(8), mask)
		}
		k.asm("KMOVB", mask.As32(), reg.K1)
		k.asm("VMOVDQU64_Z", at(edges, 64*i), reg.K1, v(to))
	}
	k.asm("VMOVDQA64", v(inTwo), v(word))
	k.asm("VPERMI2Q", v(second), v(targets), v(word))
	k.asm("VMOVDQA64", v(inThird), v(targets))
	k.asm("VPERMI2Q", v(third), v(word), v(targets))
	k.asm("VPMULLW", v(factor), v(targets), v(hashed))
	// the word, and the number of a bit in it: of the target, then of its product
	k.asm("VPSRLW", operand.U8(6), v(targets), v(shift))
	k.asm("VPANDQ", v(low), v(shift), v(shift))
	k.asm("VPERMI2W", v(tables+1), v(tables), v(targets))
	k.asm("VPSRLVW", v(shift), v(targets), v(targets))
	k.asm("VPSRLW", operand.U8(6), v(hashed), v(shift))
	k.asm("VPANDQ", v(low), v(shift), v(shift))
	k.asm("VPSRLW", operand.U8(10), v(hashed), v(hashed))
	k.asm("VPERMI2W", v(tables+3), v(tables+2), v(hashed))
	k.asm("VPSRLVW", v(shift), v(hashed), v(hashed))
	k.asm("VPANDQ", v(hashed), v(targets), v(targets))
	k.asm("VPTESTMQ", v(ones), v(targets), reg.K1)
	hits = k.GP64()
	k.asm("KMOVB", reg.K1, hits.As32())
	k.ANDL(ends.As32(), hits.As32())
	return hits
}
