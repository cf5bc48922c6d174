package main

import (
	"github.com/mmcloughlin/avo/operand"

	"popsim/kernels/asm"
	"popsim/kernels/vec"
)

// The names of package vec that kernels here use.
type (
	Vec    = vec.Vec
	Mask   = vec.Mask
	Pin    = vec.Pin
	Tuning = vec.Tuning
	Pred   = vec.Pred
)

const (
	EQ, LT, LE, GE, GT      = vec.EQ, vec.LT, vec.LE, vec.GE, vec.GT
	NEQ, NLT, NLE, NGE, NGT = vec.NEQ, vec.NLT, vec.NLE, vec.NGE, vec.NGT

	magic, exp2Lo, expLo = asm.Magic, asm.Exp2Lo, asm.ExpLo
)

// A Block is a vec.Block whose places in memory are operands of avo.
type Block struct {
	*vec.Block
	w isa
}

// place is m as a place of package vec.
func place(m operand.Mem) vec.Mem {
	d := m.Disp
	m.Disp = 0
	return vec.Mem{Base: m, Disp: d}
}

// address is the inverse of place.
func address(m vec.Mem) operand.Mem {
	a := m.Base.(operand.Mem)
	a.Disp += m.Disp
	return a
}

// Load, Broadcast, Store, Bits and StoreBits are those of vec.Block.
func (b *Block) Load(m operand.Mem) Vec                 { return b.Block.Load(place(m)) }
func (b *Block) Broadcast(m operand.Mem) Vec            { return b.Block.Broadcast(place(m)) }
func (b *Block) Store(m operand.Mem, v Vec)             { b.Block.Store(place(m), v) }
func (b *Block) Bits(m Mask, r operand.Op)              { b.Block.Bits(m, r) }
func (b *Block) StoreBits(m operand.Mem, masks ...Mask) { b.Block.StoreBits(place(m), masks...) }

// horner is c[0] + x (c[1] + x (...)).
func (b *Block) horner(x Vec, c []float64) Vec { return b.Horner(x, c...) }

// signs is a vector whose sign is set where m holds, whereSigned its inverse.
func (b *Block) signs(m Mask) Vec       { return b.Signs(m) }
func (b *Block) whereSigned(v Vec) Mask { return b.FromSigns(v) }
