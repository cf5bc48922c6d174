package main

import (
	"slices"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"popsim/kernels/asm"
	"popsim/kernels/vec"
)

// rowKernel prints a vec.Kernel: over the vectors of the group, some at a time, and for these over the steps, with the
// states in registers.
func rowKernel(d *vec.Kernel) func(f *file, w isa) {
	return func(f *file, w isa) {
		k := f.Func(w, d.Name, "func(b *"+d.Argument+")", d.Doc)
		S := d.Vectors[w.Name]
		if S == 0 || asm.Group%(S*w.Lanes) != 0 {
			panic("bug: " + d.Name + ": vectors at a time must divide a group")
		}
		lane, step, at := k.GP64(), k.GP64(), map[string]reg.GPVirtual{}
		for _, field := range slices.Concat(d.States, d.Coefs) {
			at[field] = k.Value(field)
		}
		column := func(field string, s int) operand.Mem {
			return operand.Mem{Base: at[field], Index: lane, Scale: 8, Disp: s * w.Bytes()}
		}
		states := map[string][]*Pin{}
		for _, field := range d.States {
			for range S {
				states[field] = append(states[field], k.Pin())
			}
		}
		each := func(name string, do func(b *Block, field string, s int)) {
			k.Block(name, func(b *Block) {
				for _, field := range d.States {
					for s := range S {
						do(b, field, s)
					}
				}
			})
		}
		k.XORQ(lane, lane)
		k.Label("vectors")
		each("load", func(b *Block, field string, s int) { b.Set(states[field][s], b.Load(column(field, s))) })
		rows := map[string]reg.GPVirtual{}
		for _, field := range d.Rows {
			rows[field] = k.Value(field)
			k.LEAQ(operand.Mem{Base: rows[field], Index: lane, Scale: 8}, rows[field])
		}
		k.MOVQ(k.Field("Steps"), step)
		k.Loop("step", step, func() {
			k.Block("step", func(b *Block) {
				for s := range S {
					d.Record(b.Block, func(field string) Vec {
						if p := states[field]; p != nil {
							return b.Get(p[s])
						}
						if r, ok := rows[field]; ok {
							return b.Load(operand.Mem{Base: r, Disp: s * w.Bytes()})
						}
						return b.Load(column(field, s))
					}, func(field string, v Vec) {
						if p := states[field]; p != nil {
							b.Set(p[s], v)
						} else {
							b.Store(operand.Mem{Base: rows[field], Disp: s * w.Bytes()}, v)
						}
					})
				}
			})
			for _, field := range d.Rows {
				k.ADDQ(imm(8*asm.Group), rows[field])
			}
		})
		each("store", func(b *Block, field string, s int) { b.Store(column(field, s), b.Get(states[field][s])) })
		k.ADDQ(imm(S*w.Lanes), lane)
		k.CMPQ(lane, imm(asm.Group))
		k.JLT(operand.LabelRef("vectors"))
		k.End()
	}
}
