package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"popsim/kernels/vec"
)

// addWeights adds the weights of spikes to rows of width accumulators for each lane, whole vectors of eight lanes: a
// tile of a row stays in registers while the weights of all spikes are added to it, one spike after the other.
func addWeights(name string, width int) func(f *file, w isa) {
	return func(f *file, w isa) {
		k := f.Func(w, name, "func(b *WeightsBlock)", "is "+name+"Go for whole vectors of eight lanes.")
		a := &weightAdder{
			Func: k, width: width, weights: k.Value("Weights"), row: k.Value("Row"), lanes: k.Value("Lanes"),
			spikes: k.GP64(), offset: k.GP64(),
		}
		length := k.Field("Weights")
		length.Disp += 8
		k.MOVQ(length, a.spikes)
		k.TESTQ(a.spikes, a.spikes)
		k.JEQ(operand.LabelRef("done"))
		if width > 1 {
			a.factors = k.Value("Factors")
			a.places()
		}
		k.XORQ(a.offset, a.offset)
		const tile = 8 // lanes
		most := map[int]int{1: 64, 2: 16, 3: 16}[width]
		if !w.kmask() {
			most /= 2
		}
		k.ANDQ(operand.I8(-tile), a.lanes)
		k.Label("large")
		k.CMPQ(a.lanes, imm(most))
		k.JLT(operand.LabelRef("small"))
		a.tile("large", most)
		k.JMP(operand.LabelRef("large"))
		k.Label("small")
		k.TESTQ(a.lanes, a.lanes)
		k.JEQ(operand.LabelRef("done"))
		a.tile("small", tile)
		k.JMP(operand.LabelRef("small"))
		k.Label("done")
		k.End()
	}
}

type weightAdder struct {
	*Func
	width                 int
	weights, factors, row reg.GPVirtual
	lanes, spikes, offset reg.GPVirtual
}

// Registers: accumulators from 0 on, then a vector of weights and of products, and where weights go.
const (
	oneWeight, oneProduct = 12, 13
	spreadPlaces          = 16 // AVX-512: which weight goes to each accumulator of a vector of them
)

// places loads the numbers of the weights by accumulator.
func (a *weightAdder) places() {
	if !a.W.kmask() {
		return
	}
	for j := range a.width {
		var which []uint64
		for i := range 8 {
			which = append(which, uint64((8*j+i)/a.width))
		}
		a.asm("VMOVDQU64", a.table(which), a.W.register(vec.VectorReg(spreadPlaces+j)))
	}
}

// tile adds all spikes to the next lanes.
func (a *weightAdder) tile(name string, lanes int) {
	v := func(i int) reg.Register { return a.W.register(vec.VectorReg(i)) }
	size, n := a.W.Bytes(), lanes*a.width/a.W.Lanes
	for i := range n {
		a.asm("VMOVUPD", at(a.row, i*size), v(i))
	}
	p, left, weights, factors := a.GP64(), a.GP64(), a.GP64(), a.GP64()
	a.MOVQ(a.weights, weights)
	a.MOVQ(a.spikes, left)
	if a.width > 1 {
		a.MOVQ(a.factors, factors)
	}
	a.Loop(name+"Spike", left, func() {
		a.MOVQ(at(weights, 0), p)
		a.ADDQ(imm(8), weights)
		source := func(lane int) operand.Mem { return operand.Mem{Base: p, Index: a.offset, Scale: 1, Disp: 8 * lane} }
		if a.width == 1 {
			for i := range n {
				a.asm("VADDPD", source(i*a.W.Lanes), v(i), v(i))
			}
			return
		}
		for i := range n {
			if i%a.width == 0 {
				a.asm("VMOVUPD", source(i/a.width*a.W.Lanes), v(oneWeight))
			}
			a.spread(i % a.width)
			a.asm("VMULPD", at(factors, i*size%(64*a.width)), v(oneProduct), v(oneProduct))
			a.asm("VADDPD", v(oneProduct), v(i), v(i))
		}
		a.ADDQ(imm(64*a.width), factors)
	})
	for i := range n {
		a.asm("VMOVUPD", v(i), at(a.row, i*size))
	}
	a.ADDQ(imm(8*lanes*a.width), a.row)
	a.ADDQ(imm(8*lanes), a.offset)
	a.SUBQ(imm(lanes), a.lanes)
}

// spread sets the vector of products to the weights of vector j of the accumulators of a vector of lanes.
func (a *weightAdder) spread(j int) {
	v := func(i int) reg.Register { return a.W.register(vec.VectorReg(i)) }
	if a.W.kmask() {
		a.asm("VPERMPD", v(oneWeight), v(spreadPlaces+j), v(oneProduct))
		return
	}
	which := 0
	for i := range 4 {
		which |= (4*j + i) / a.width << (2 * i)
	}
	a.asm("VPERMPD", operand.U8(which), v(oneWeight), v(oneProduct))
}
