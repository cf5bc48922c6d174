package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"popsim/kernels/asm"
	"popsim/kernels/vec"
)

// addCounted adds rows of counts to sums, in registers for some vectors of lanes at a time; with falls also what they
// add below 0.
func addCounted(name string, falls bool) func(f *file, w isa) {
	return func(f *file, w isa) {
		k := f.Func(w, name, "func(b *CountedRowsBlock)", "is "+name+"Go.")
		c := &countedAdder{
			Func: k, falls: falls, vectors: 2, columns: 3,
			lane: k.Value("Lane"), sums: k.Value("Sums"), row: k.GP64(),
		}
		if falls {
			c.columns = 4
		}
		if w.kmask() {
			c.vectors = 4
		}
		run, end, left := k.GP64(), k.GP64(), k.Value("Lanes")
		length := k.Field("Runs")
		length.Disp += 8
		k.MOVQ(length, end)
		k.TESTQ(end, end)
		k.JEQ(operand.LabelRef("done"))
		k.IMUL3Q(operand.U8(runSize), end, end)
		k.ADDQ(k.Field("Runs"), end)
		k.Label("lanes")
		c.move(false)
		k.MOVQ(k.Field("Runs"), run)
		k.Label("run")
		c.add(run)
		k.ADDQ(imm(runSize), run)
		k.CMPQ(run, end)
		k.JLT(operand.LabelRef("run"))
		c.move(true)
		k.ADDQ(imm(c.lanes()), c.lane)
		k.ADDQ(imm(8*c.lanes()), c.sums)
		k.SUBQ(imm(c.lanes()), left)
		k.JGT(operand.LabelRef("lanes"))
		k.Label("done")
		k.End()
	}
}

type countedAdder struct {
	*Func
	falls            bool
	vectors, columns int // of sums in registers
	lane, sums, row  reg.GPVirtual
}

func (c *countedAdder) lanes() int { return c.vectors * c.W.Lanes }

func (c *countedAdder) vector(i int) reg.Register { return c.W.register(vec.VectorReg(i)) }

// sum is the register of a vector of a column of sums.
func (c *countedAdder) sum(column, s int) reg.Register { return c.vector(column*c.vectors + s) }

// move loads the sums, or stores them.
func (c *countedAdder) move(store bool) {
	for j := range c.columns {
		for s := range c.vectors {
			m, r := at(c.sums, 8*asm.SumsStride*j+s*c.W.Bytes()), c.sum(j, s)
			if store {
				c.asm("VMOVUPD", r, m)
			} else {
				c.asm("VMOVUPD", m, r)
			}
		}
	}
}

// add adds count Add[j] to column j of the sums, and subtracts count Add[2] from the fourth.
func (c *countedAdder) add(run reg.GPVirtual) {
	unit, columns := c.GP64(), c.columns*c.vectors
	counts, factors := columns, columns+c.vectors // first registers of the counts, and of Add
	c.MOVQ(at(run, runFirst), c.row)
	c.MOVQ(at(run, runUnit), unit)
	place := func(disp int) operand.Mem {
		return operand.Mem{Base: c.row, Index: c.lane, Scale: 1, Disp: disp}
	}
	c.PREFETCHT0(place(asm.CountedAhead))
	for j := range 3 {
		c.asm("VBROADCASTSD", at(unit, unitAdd+8*j), c.vector(factors+j))
	}
	for s := range c.vectors {
		to := c.vector(counts + s)
		if c.W.kmask() {
			c.asm("VPMOVZXBQ", place(s*c.W.Lanes), to)
			c.asm("VCVTUQQ2PD", to, to)
			continue
		}
		words := []reg.Register{reg.X0, reg.X1, reg.X2, reg.X3, reg.X4, reg.X5, reg.X6, reg.X7, reg.X8, reg.X9}[counts+s]
		c.asm("VPMOVZXBD", place(s*c.W.Lanes), words)
		c.asm("VCVTDQ2PD", words, to)
	}
	for j := range 3 {
		for s := range c.vectors {
			c.asm("VFMADD231PD", c.vector(factors+j), c.vector(counts+s), c.sum(j, s))
		}
	}
	for s := range c.vectors {
		if c.falls {
			c.asm("VFNMADD231PD", c.vector(factors+2), c.vector(counts+s), c.sum(3, s))
		}
	}
}
