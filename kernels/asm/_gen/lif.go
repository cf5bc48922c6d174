package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"popsim/kernels/asm"
)

// lif is the fast step of LIF, operation by operation lifGeneric of package kernels. G vectors at a time, as many as the registers
// hold, go through all steps; V before the step is stored each time, for the spike that may come. Between calls Lane is where those
// vectors begin, and Step, which for the first of them is the next step, else the one last done.
func lif(name string, full bool, G map[string]int) func(f *file, w isa) {
	return func(f *file, w isa) {
		g := G[w.Name]
		k := f.Func(w, name, "func(b *Block)", "advances a group of LIF neurons; see Block.")
		pins := func() []*Pin {
			p := make([]*Pin, g)
			for s := range p {
				p[s] = k.Pin()
			}
			return p
		}
		v, rate, wake, now := pins(), pins(), pins(), k.Pin()
		a := k.alarm(g)
		var lo, hi []*Pin
		columns := [][]*Pin{v, rate, wake}
		if full {
			lo, hi = pins(), pins()
			columns = append(columns, lo, hi)
		}
		step, lane := k.Value("Step"), k.Value("Lane")
		k.CMPQ(lane, operand.I8(0))
		k.JE(operand.LabelRef("part"))
		k.INCQ(step)

		k.Label("part")
		from := func(r reg.GPVirtual) reg.GPVirtual { k.LEAQ(operand.Mem{Base: r, Index: lane, Scale: 8}, r); return r }
		at0 := []reg.Register{from(k.pointer("Y", 0)), from(k.pointer("Y", 1)), from(k.Value("Wake"))}
		coef, old := from(k.Value("Coef")), from(k.Value("Old"))
		var in input
		if full {
			at0 = append(at0, from(k.Value("Lo")), from(k.Value("Hi")))
			in = k.input(step, nil)
			from(in.row.(reg.GPVirtual))
		}
		k.number(now, step)
		n := k.Value("Steps")
		k.SUBQ(step, n)
		k.JLE(operand.LabelRef("next"))
		k.Block("load", func(b *Block) {
			for j, c := range columns {
				for s := range c {
					b.Set(c[s], b.Load(at(at0[j], s*w.Bytes())))
				}
			}
		})
		store := func() {
			k.Block("store", func(b *Block) {
				for j, c := range columns {
					for s := range c {
						if j != 2 {
							b.Store(at(at0[j], s*w.Bytes()), b.Get(c[s]))
						}
					}
				}
			})
		}
		c := func(b *Block, j, s int) Vec { return b.Load(at(coef, (64/w.Lanes*j+s)*w.Bytes())) }
		k.Loop("step", n, func() {
			for s := range g {
				k.Block("step", func(b *Block) {
					c := func(j int) Vec { return c(b, j, s) }
					old0 := b.Get(v[s])
					b.Store(at(old, s*w.Bytes()), old0)
					vInf := c(asm.LIFVInf)
					if full {
						vInf = in.steadyVoltage(b, s, c, asm.LIFI, asm.LIFGain, asm.LIFR, asm.LIFVRest)
					}
					moves := b.Cmp(b.Get(wake[s]), LE, b.Get(now))
					next := b.advanceHeld(moves, b.Get(rate[s]), b.Sub(old0, vInf), old0, full)
					b.Set(v[s], next)
					b.Set(rate[s], b.Select(moves, c(asm.LIFK), b.Get(rate[s])))
					if full {
						b.Set(lo[s], b.Min(next, b.Get(lo[s])))
						b.Set(hi[s], b.Max(b.Min(c(asm.LIFVTh), next), b.Get(hi[s])))
					}
					a.watch(b, s, next, c(asm.LIFVTh))
				})
				a.gather(k, s)
			}
			k.Block("now", func(b *Block) { b.Set(now, b.Add(b.Get(now), b.Const(1))) })
			a.test(k)
			if full {
				in.next(k)
			}
			resume := k.NewLabel("resume")
			k.JNZ(k.Later("spike", func() {
				store()
				rare := k.bits(g, func(b *Block, s int) Mask { return b.Cmp(b.Get(v[s]), GE, c(b, asm.LIFVTh, s)) })
				if w.kmask() {
					k.TESTQ(rare, rare)
					k.JZ(operand.LabelRef(resume)) // NaN with the sign of a number
				}
				k.MOVQ(lane, reg.RCX)
				k.SHLQ(reg.CL, rare)
				k.MOVQ(rare, k.Field("Rare"))
				k.MOVQ(k.Field("Steps"), step)
				k.SUBQ(n, step) // the step in hand
				k.CMPQ(lane, operand.I8(1))
				k.ADCQ(operand.I8(0), step)
				k.MOVQ(step, k.Field("Step"))
				k.MOVQ(lane, k.Field("Lane"))
				k.JMP(operand.LabelRef("done"))
			}))
			k.Label(resume)
		})
		store()
		k.Label("next")
		k.XORQ(step, step)
		k.ADDQ(imm(g*w.Lanes), lane)
		k.CMPQ(lane, k.Field("Lanes"))
		k.JLT(operand.LabelRef("part"))
		k.MOVQ(operand.I32(0), k.Field("Rare"))
		k.Label("done")
		k.End()
	}
}

// number sets p to the number of the step in hand, which is written to Step.
func (f *Func) number(p *Pin, step reg.Register) {
	f.MOVQ(step, f.Field("Step"))
	f.Block("number", func(b *Block) {
		const two52 = 0x4330000000000000 // bits of 2^52
		k := b.Sub(b.Or(b.Broadcast(f.Field("Step")), b.ConstBits(two52)), b.Const(1<<52))
		b.Set(p, b.Add(b.Broadcast(f.Field("First")), k))
	})
}

// bits is a register with one bit for each lane of g vectors.
func (f *Func) bits(g int, mask func(b *Block, s int) Mask) reg.GPVirtual {
	all, one := f.GP64(), f.GP64()
	f.XORQ(all, all)
	for s := g - 1; s >= 0; s-- {
		f.Block("bits", func(b *Block) { b.Bits(mask(b, s), one.As32()) })
		f.SHLQ(imm(f.W.Lanes), all)
		f.ORQ(one, all)
	}
	return all
}

// either is x or y; x may be no mask yet.
func (b *Block) either(x, y Mask) Mask {
	if x.n == nil {
		return y
	}
	return b.MaskOr(x, y)
}

// input is the current from outside: Wave and Row of a Block, where the step in hand finds them. Lanes are counted from lane on.
type input struct{ wave, row, stride, lane reg.Register }

func (f *Func) input(step, lane reg.Register) input {
	wave, row, stride := f.Value("Wave"), f.Value("RowStride"), f.Value("RowStride")
	f.LEAQ(operand.Mem{Base: wave, Index: step, Scale: 8}, wave)
	f.SHLQ(imm(3), stride)
	f.IMULQ(step, row)
	f.SHLQ(imm(3), row)
	f.ADDQ(f.Field("Row"), row)
	return input{wave, row, stride, lane}
}

// next moves the input to the next step, without touching the flags.
func (in input) next(f *Func) {
	f.LEAQ(operand.Mem{Base: in.wave, Disp: 8}, in.wave)
	f.LEAQ(operand.Mem{Base: in.row, Index: in.stride, Scale: 1}, in.row)
}

// steadyVoltage is V_rest + R I of vector s; the coefficients of a model have their own numbers.
func (in input) steadyVoltage(b *Block, s int, c func(j int) Vec, i, gain, r, vRest int) Vec {
	row := operand.Mem{Base: in.row, Index: in.lane, Scale: 8, Disp: s * b.w.Bytes()}
	current := b.Add(b.FMA(c(gain), b.Broadcast(at(in.wave, 0)), c(i)), b.Load(row))
	return b.FMA(c(r), current, c(vRest))
}

// advanceHeld is v - rate*d where m holds, else v. If d is finite, the rate is better made 0 where there are no mask registers: v
// has d to wait for, m comes early.
func (b *Block) advanceHeld(m Mask, rate, d, v Vec, full bool) Vec {
	if b.w.kmask() || full {
		return b.Select(m, b.FNMA(rate, d, v), v)
	}
	return b.FNMA(b.And(rate, Vec{m.n}), d, v)
}

// An alarm collects over the vectors of a step whether V has reached V_th anywhere, in whichever way keeps the busiest units free: where
// masks have registers, as the sign of V - V_th in below; else as bits in a general register.
type alarm struct {
	below     *Pin
	any, bits reg.GPVirtual
}

func (f *Func) alarm(g int) alarm {
	if f.W.kmask() {
		return alarm{below: f.Pin()}
	}
	return alarm{any: f.GP64(), bits: f.GP64()}
}

// watch records vector s, gather takes in what was recorded, test sets the zero flag if there is nothing.
func (a alarm) watch(b *Block, s int, v, vTh Vec) {
	switch {
	case a.below == nil:
		b.Bits(b.Cmp(v, GE, vTh), a.bits.As32())
	case s == 0:
		b.Set(a.below, b.Sub(v, vTh))
	default:
		b.Set(a.below, b.And(b.Get(a.below), b.Sub(v, vTh)))
	}
}

func (a alarm) gather(f *Func, s int) {
	switch {
	case a.below != nil:
	case s == 0:
		f.MOVL(a.bits.As32(), a.any.As32())
	default:
		f.ORL(a.bits.As32(), a.any.As32())
	}
}

func (a alarm) test(f *Func) {
	if a.below == nil {
		f.TESTQ(a.any, a.any)
		return
	}
	f.Block("test", func(b *Block) { b.Test(b.GtI(b.Get(a.below), b.ConstBits(1<<64-1))) })
}
