package main

import (
	"fmt"
	"strings"

	"github.com/mmcloughlin/avo/operand"

	"popsim/kernels/asm"
	"popsim/kernels/vec"
)

// A coupledKernel advances a group of neurons with conductances by one step (asm/coupled.go). Its assembly and its
// plain Go are printed from one recording.
type coupledKernel struct {
	name, doc string
	vectors   map[string]int
	step      func(b *Block, x *coupledVars)
}

// coupledVars are the fields of a CoupledBlock in one vector: its own columns, those of Coef, scalars.
type coupledVars struct {
	get, coef, scalar func(field string) Vec
	set               func(field string, v Vec)
	calm              Mask
}

// two vectors at a time: with more, rk4 would run out of registers without being faster.
var two = map[string]int{"AVX2": 2, "AVX512": 2}

var coupledKernels = []*coupledKernel{
	{"LIFCoupled", "moves LIF neurons; see CoupledBlock.", two, lifCoupled},
	{"HHCoupledRK4", "moves hh neurons by the classical method of order 4; see CoupledBlock.", two, coupledRK4(hhDeriv)},
	{
		"HHTMCoupledRK4",
		"moves hhtm neurons by the classical method of order 4; see CoupledBlock.",
		two,
		coupledRK4(hhtmDeriv),
	},
	{"HHCoupledStrang", "moves hh neurons by Strang's splitting; see CoupledBlock.", four, coupledStrang(hhGates)},
	{"HHTMCoupledStrang", "moves hhtm neurons by Strang's splitting; see CoupledBlock.", four, coupledStrang(traubMiles)},
}

// lifCoupled is exact for the means, with the tilt by the second term of Magnus's series:
//
//	a = rate + per G, d = drive + per J
//	V += dt (d - a V) (1 - exp(-a dt))/(a dt) + dt²/12 per (JTilt a - GTilt d)
func lifCoupled(b *Block, x *coupledVars) {
	v, per, rate, drive := x.get("V"), x.coef("Per"), x.coef("Rate"), x.coef("Drive")
	dt, zero := x.scalar("Dt"), b.Const(0)
	a, d := b.FMA(per, x.get("G"), rate), b.FMA(per, x.get("J"), drive)
	z := b.Mul(a, dt)
	z = b.Select(b.Cmp(z, EQ, zero), b.Const(1e-300), z)
	share := b.Div(b.Expm1(b.Neg(z)), b.Neg(z))
	next := b.FMA(b.Mul(dt, share), b.FNMA(a, v, d), v)
	bend := b.Mul(per, b.FNMA(x.get("GTilt"), d, b.Mul(x.get("JTilt"), a)))
	next = b.FMA(x.scalar("Tilt"), bend, next)
	x.set("NextV", next)

	slope := b.FNMA(rate, v, b.FMA(per, x.get("Up"), drive))
	top := b.Max(b.FMA(dt, b.Max(zero, slope), v), next)
	x.calm = b.MaskAnd(b.Cmp(top, LT, x.coef("Near")), b.Cmp(x.get("Free"), LE, x.scalar("Now")))
	x.calm = b.MaskAnd(x.calm, b.MaskAnd(b.Cmp(z, LT, x.scalar("Stiff")), b.Cmp(next, EQ, next)))
}

// coefs returns the coefficients of an hhStep with conductance g, and the drive with current j.
func (x *coupledVars) coefs(b *Block, g, j Vec) (c func(int) Vec, drive Vec) {
	leak := b.FMA(x.coef("Per"), g, x.coef("Rate"))
	return func(i int) Vec {
		switch i {
		case asm.HHNa:
			return x.coef("Na")
		case asm.HHK:
			return x.coef("K")
		case asm.HHENa:
			return x.coef("ENa")
		case asm.HHEK:
			return x.coef("EK")
		case asm.HHShift:
			return x.coef("Shift")
		case asm.HHL:
			return leak
		}
		panic(fmt.Sprint("bug: coefficient ", i, " of a coupled kernel"))
	}, b.FMA(x.coef("Per"), j, x.coef("Drive"))
}

var gateFields = [4]string{"V", "M", "H", "N"}

// settle sets the state after a step and the mask of the lanes that are complete: those in calm that do not cross their
// level.
func (x *coupledVars) settle(b *Block, next []Vec, calm Mask) {
	for i, f := range gateFields {
		x.set("Next"+f, next[i])
	}
	vTh := x.coef("VTh")
	level := b.Select(b.Cmp(next[0], LT, b.Sub(vTh, b.Const(20))), vTh, x.get("Level")) // 20 mV: model.Rearm
	x.set("Level", level)
	x.calm = b.MaskAnd(calm, b.Cmp(next[0], LT, level))
}

func (x *coupledVars) state() (y []Vec) {
	for _, f := range gateFields {
		y = append(y, x.get(f))
	}
	return y
}

// coupledRK4 is the classical method along the lines of conductance and current.
func coupledRK4(deriv hhStep) func(b *Block, x *coupledVars) {
	return func(b *Block, x *coupledVars) {
		y := x.state()
		dt, half, sixth, two := x.scalar("Dt"), x.scalar("Half"), x.scalar("Sixth"), b.Const(2)
		g, j, gTilt, jTilt := x.get("G"), x.get("J"), x.get("GTilt"), x.get("JTilt")
		at := func(part float64) (func(int) Vec, Vec) {
			if part == 0 {
				return x.coefs(b, g, j)
			}
			return x.coefs(b, b.FMA(b.Const(part), gTilt, g), b.FMA(b.Const(part), jTilt, j))
		}
		c, drive := at(0)
		_, rate := hhIon(b, c, drive, y[1], y[2], y[3])
		calm := b.Cmp(b.Mul(rate, dt), LT, x.scalar("Stiff"))

		c, drive = at(-0.5)
		d := deriv(b, c, drive, y)
		sum, z := d, make([]Vec, 4)
		move := func(reach Vec) {
			for i := range z {
				z[i] = b.FMA(reach, d[i], y[i])
			}
		}
		for stage, reach := range []Vec{half, half, dt} {
			move(reach)
			if stage == 2 {
				c, drive = at(0.5)
			} else {
				c, drive = at(0)
			}
			d = deriv(b, c, drive, z)
			next := make([]Vec, 4)
			for i := range d {
				if stage == 2 {
					next[i] = b.Add(sum[i], d[i])
				} else {
					next[i] = b.FMA(two, d[i], sum[i])
				}
			}
			sum = next
		}
		next := make([]Vec, 4)
		for i := range next {
			next[i] = b.FMA(sixth, sum[i], y[i])
		}
		x.settle(b, next, calm)
	}
}

// hhGates returns the gates of hh as quotients.
func hhGates(b *Block, _ func(j int) Vec, v Vec) (m, h, n gate) {
	r := b.HHRates(v)
	m = gate{r.mN, b.FMA(r.mB, r.mD, r.mN), r.mD}
	h = gate{b.Mul(r.hA, r.hD), b.FMA(r.hA, r.hD, b.Const(1)), r.hD}
	n = gate{r.nN, b.FMA(r.nB, r.nD, r.nN), r.nD}
	return m, h, n
}

// coupledStrang advances the gates, then V by the Crank-Nicolson rule, lengthened as in hhStrang but never past the
// value V relaxes to: stable for any conductance.
func coupledStrang(gates func(b *Block, c func(j int) Vec, v Vec) (m, h, n gate)) func(b *Block, x *coupledVars) {
	return func(b *Block, x *coupledVars) {
		y, dt, half, one := x.state(), x.scalar("Dt"), x.scalar("Half"), b.Const(1)
		c, drive := x.coefs(b, x.get("G"), x.get("J"))
		gm, gh, gn := gates(b, c, y[0])
		m, h, n := gm.moved(b, y[1], dt, half), gh.moved(b, y[2], dt, half), gn.moved(b, y[3], dt, half)
		a, rate := hhIon(b, c, drive, m, h, n)
		z := b.Mul(rate, half)
		longer := b.FMA(z, b.FMA(b.Min(one, z), b.Const(-strangSoft), one), one)
		longer = b.Max(longer, b.Add(z, z))
		v := b.FMA(b.Div(b.FNMA(rate, y[0], a), longer), dt, y[0])
		x.settle(b, []Vec{v, m, h, n}, b.Cmp(v, EQ, v))
	}
}

// assembly prints the kernel for one instruction set.
func (d *coupledKernel) assembly(f *file, w isa) {
	k := f.Func(w, d.name, "func(b *CoupledBlock)", d.doc)
	S := d.vectors[w.Name]
	lane, left, calm, coef := k.GP64(), k.GP64(), k.GP64(), k.Value("Coef")
	column := func(m operand.Mem, s int) operand.Mem {
		m.Index, m.Scale = lane, 8
		m.Disp += s * w.Bytes()
		return m
	}
	k.XORQ(lane, lane)
	k.LEAQ(k.fieldStart("Calm"), calm)
	k.MOVQ(operand.I32(asm.Group/(S*w.Lanes)), left)
	k.Loop("vectors", left, func() {
		k.Block("step", func(b *Block) {
			var masks []Mask
			for s := range S {
				x := &coupledVars{
					get:    func(f string) Vec { return b.Load(column(k.fieldStart(f), s)) },
					coef:   func(f string) Vec { return b.Load(column(operand.Mem{Base: coef, Disp: coupledCoef(f)}, s)) },
					scalar: func(f string) Vec { return b.Broadcast(k.Field(f)) },
					set:    func(f string, v Vec) { b.Store(column(k.fieldStart(f), s), v) },
				}
				d.step(b, x)
				if masks = append(masks, x.calm); len(masks)*w.Lanes == 8 {
					b.StoreBits(at(calm, s*w.Lanes/8), masks...)
					masks = nil
				}
			}
		})
		k.ADDQ(imm(S*w.Lanes), lane)
		k.ADDQ(imm(S*w.Lanes/8), calm)
	})
	k.End()
}

// coupledCoefFields are the columns of CoupledCoefs in their order.
var coupledCoefFields = []string{"Per", "Rate", "Drive", "VTh", "Near", "Na", "K", "ENa", "EK", "Shift"}

// coupledCoef is where a column of CoupledCoefs starts.
func coupledCoef(field string) int {
	for i, f := range coupledCoefFields {
		if f == field {
			return 8 * asm.Group * i
		}
	}
	panic("bug: no column " + field + " of CoupledCoefs")
}

// plain prints the kernel in plain Go.
func (d *coupledKernel) plain() string {
	b := &Block{Block: vec.NewBlock(d.name, vec.Context{Target: vec.Go}), w: isa{vec.Go}}
	column := func(f string) vec.Mem { return vec.Mem{Base: plainColumn{name: local(f), slice: f}} }
	x := &coupledVars{
		get:    func(f string) Vec { return b.Block.Load(column("b." + f)) },
		coef:   func(f string) Vec { return b.Block.Load(column("b.Coef." + f)) },
		scalar: func(f string) Vec { return b.Block.Broadcast(vec.Mem{Base: plainScalar("b." + f)}) },
		set:    func(f string, v Vec) { b.Block.Store(column("b."+f), v) },
	}
	d.step(b, x)
	b.Block.Bits(x.calm, "calm")
	var t strings.Builder
	fmt.Fprintf(
		&t,
		"// %sGo %s\nfunc %sGo(b *CoupledBlock) {\nfor at := 0; at < Group; at += %d {\n",
		d.name,
		d.doc,
		d.name,
		vec.Go.Lanes,
	)
	for _, base := range b.Bases() {
		if c, ok := base.(plainColumn); ok {
			fmt.Fprintf(&t, "%s := (*[8]float64)(%s[at:])\n", c.name, c.slice)
		}
	}
	fmt.Fprintf(
		&t,
		"calm := uint8(0)\nfor l := range %d {\n%s}\nb.Calm[at/8] = calm\n}\n}\n",
		vec.Go.Lanes,
		b.GoText(vec.GoNames{
			Memory: func(m vec.Mem) string {
				if c, ok := m.Base.(plainColumn); ok {
					return c.name + "[l]"
				}
				return string(m.Base.(plainScalar))
			},
			General: func(r any) string { return r.(string) },
		}),
	)
	return t.String()
}

// local is the name of the variable for a field, b.FIELD or b.Coef.FIELD.
func local(field string) string {
	name := field[strings.LastIndex(field, ".")+1:]
	return strings.ToLower(name[:1]) + name[1:] + "s"
}
