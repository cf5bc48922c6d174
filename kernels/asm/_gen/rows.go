package main

import (
	"slices"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"popsim/kernels/asm"
	"popsim/kernels/vec"
)

// A rowFunc emits a vec.Kernel for one instruction set.
type rowFunc struct {
	*Func
	d        *vec.Kernel
	together int // vectors that are advanced together
	lane     reg.GPVirtual
	columns  map[string]reg.GPVirtual // of the states and coefficients
	rows     map[string]reg.GPVirtual // in the current step at the current vectors
	states   map[string][]*Pin        // by vector
}

// rowKernel prints a vec.Kernel: over the vectors of the group, some at a time, and for these over the steps, with the
// states in registers.
func rowKernel(d *vec.Kernel) func(f *file, w isa) {
	return func(f *file, w isa) {
		k := &rowFunc{Func: f.Func(w, d.Name, "func(b *"+d.Argument+")", d.Doc), d: d, together: d.Vectors[w.Name]}
		if k.together == 0 || asm.Group%(k.together*w.Lanes) != 0 {
			panic("bug: " + d.Name + ": vectors at a time must divide a group")
		}
		k.lane = k.GP64()
		step := k.GP64()
		k.registers()
		k.XORQ(k.lane, k.lane)
		k.Label("vectors")
		k.each("load", func(b *Block, field string, s int) { b.Set(k.states[field][s], b.Load(k.column(field, s))) })
		for _, field := range d.Rows {
			k.rows[field] = k.Value(field)
			k.LEAQ(operand.Mem{Base: k.rows[field], Index: k.lane, Scale: 8}, k.rows[field])
		}
		k.MOVQ(k.Field("Steps"), step)
		k.Loop("step", step, k.step)
		k.each("store", func(b *Block, field string, s int) { b.Store(k.column(field, s), b.Get(k.states[field][s])) })
		k.ADDQ(imm(k.together*w.Lanes), k.lane)
		k.CMPQ(k.lane, imm(asm.Group))
		k.JLT(operand.LabelRef("vectors"))
		k.End()
	}
}

// registers loads the pointers to columns, and reserves registers for the states.
func (k *rowFunc) registers() {
	k.columns, k.rows, k.states = map[string]reg.GPVirtual{}, map[string]reg.GPVirtual{}, map[string][]*Pin{}
	for _, field := range slices.Concat(k.d.States, k.d.Coefs) {
		k.columns[field] = k.Value(field)
	}
	for _, field := range k.d.States {
		for range k.together {
			k.states[field] = append(k.states[field], k.Pin())
		}
	}
}

// column is the memory of a state or coefficient of vector s.
func (k *rowFunc) column(field string, s int) operand.Mem {
	return operand.Mem{Base: k.columns[field], Index: k.lane, Scale: 8, Disp: s * k.W.Bytes()}
}

// each records a block of an operation for each state of each vector.
func (k *rowFunc) each(name string, do func(b *Block, field string, s int)) {
	k.Block(name, func(b *Block) {
		for _, field := range k.d.States {
			for s := range k.together {
				do(b, field, s)
			}
		}
	})
}

// step advances the current vectors by a step, and moves the pointers to the rows to the next.
func (k *rowFunc) step() {
	k.Block("step", func(b *Block) {
		for s := range k.together {
			k.d.Record(b.Block, func(field string) Vec {
				if p := k.states[field]; p != nil {
					return b.Get(p[s])
				}
				if r, ok := k.rows[field]; ok {
					return b.Load(operand.Mem{Base: r, Disp: s * k.W.Bytes()})
				}
				return b.Load(k.column(field, s))
			}, func(field string, v Vec) {
				if p := k.states[field]; p != nil {
					b.Set(p[s], v)
				} else {
					b.Store(operand.Mem{Base: k.rows[field], Disp: s * k.W.Bytes()}, v)
				}
			})
		}
	})
	for _, field := range k.d.Rows {
		k.ADDQ(imm(8*asm.Group), k.rows[field])
	}
}
