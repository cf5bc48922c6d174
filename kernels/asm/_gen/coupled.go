package main

import (
	"fmt"
	"slices"
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
	done              Mask
}

// two vectors at a time: with more, rk4 would run out of registers without being faster.
var two = map[string]int{"AVX2": 2, "AVX512": 2}

// coupledKernels are a kernel of each model and method, and one for neurons with channels of NMDA beside it.
var coupledKernels = append([]*coupledKernel{
	{"LIFCoupled", "moves LIF neurons by their exact solution; see CoupledBlock.", two, lifCoupled},
}, slices.Concat(
	coupledPair("LIFCoupledRK4", "LIF", two, coupledRK4(lifCell, true))[1:],
	coupledPair("AdExCoupledRK4", "EIF and AdEx", two, coupledRK4(adexCell, false)),
	coupledPair("HHCoupledRK4", "hh", two, coupledRK4(crossingCell(gateFields[:], hhDeriv), false)),
	coupledPair("HHTMCoupledRK4", "hhtm", two, coupledRK4(crossingCell(gateFields[:], hhtmDeriv), false)),
	coupledPair("RHHCoupledRK4", "rhh", two, coupledRK4(rhhCell, false)),
	coupledPair("HHCoupledStrang", "hh", four, coupledStrang(hhGates)),
	coupledPair("HHTMCoupledStrang", "hhtm", four, coupledStrang(traubMiles)),
)...)

// coupledPair are the kernel of a model and the one with NMDA.
func coupledPair(
	name, model string,
	vectors map[string]int,
	step func(nmda bool) func(b *Block, x *coupledVars),
) []*coupledKernel {
	method := "the classical method of order 4"
	if strings.HasSuffix(name, "Strang") {
		method = "Strang's splitting"
	}
	doc := fmt.Sprintf("moves %s neurons by %s", model, method)
	return []*coupledKernel{
		{name, doc + "; see CoupledBlock.", vectors, step(false)},
		{name + "NMDA", doc + ", with NMDA; see CoupledBlock.", vectors, step(true)},
	}
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

	x.stay(b, v, next, b.FNMA(rate, v, b.FMA(per, x.get("Up"), drive)))
	x.done = b.MaskAnd(x.done, b.Cmp(z, LT, x.scalar("Stiff")))
}

// stay sets the mask of the lanes of a model that resets that are complete: those that are not held and stay below
// Near, as V rises by no more than slope.
func (x *coupledVars) stay(b *Block, v, next, slope Vec) {
	top := b.Max(b.FMA(x.scalar("Dt"), b.Max(b.Const(0), slope), v), next)
	x.done = b.MaskAnd(b.Cmp(top, LT, x.coef("Near")), b.Cmp(x.get("Free"), LE, x.scalar("Now")))
	x.done = b.MaskAnd(x.done, b.Cmp(next, EQ, next))
}

// A coupledCell is a model in coupledRK4.
type coupledCell struct {
	fields []string // of the states
	// slope is the derivatives at y with a conductance and a current.
	slope func(b *Block, x *coupledVars, g, j Vec, y []Vec) []Vec
	// rate is how fast V relaxes at y, 1/ms.
	rate func(b *Block, x *coupledVars, g Vec, y []Vec) Vec
	// end stores the states after the step and sets the mask of the lanes that are complete; first and last are dV/dt at
	// the step's ends.
	end func(b *Block, x *coupledVars, y, next []Vec, first, last Vec)
}

// leakOf is the rate of the leak and the conductance g.
func (x *coupledVars) leakOf(b *Block, g Vec) Vec { return b.FMA(x.coef("Per"), g, x.coef("Rate")) }

// driveOf is the part of dV/dt that the current j and constants give.
func (x *coupledVars) driveOf(b *Block, j Vec) Vec { return b.FMA(x.coef("Per"), j, x.coef("Drive")) }

var lifCell = coupledCell{
	fields: []string{"V"},
	slope: func(b *Block, x *coupledVars, g, j Vec, y []Vec) []Vec {
		return []Vec{b.FNMA(x.leakOf(b, g), y[0], x.driveOf(b, j))}
	},
	rate: func(b *Block, x *coupledVars, g Vec, _ []Vec) Vec { return x.leakOf(b, g) },
	end: func(b *Block, x *coupledVars, y, next []Vec, _, _ Vec) {
		x.set("NextV", next[0])
		x.stay(b, y[0], next[0], b.FNMA(x.coef("Rate"), y[0], x.driveOf(b, x.get("Up"))))
	},
}

// adexCell is eif too, whose w stays 0:
//
//	dV/dt = drive + per (j - w) - (rate + per g) V + sharp exp((V - V_T)/delta_T)
//	dw/dt = (a (V - V_rest) - w)/tau_w
var adexCell = coupledCell{
	fields: []string{"V", "M"},
	slope: func(b *Block, x *coupledVars, g, j Vec, y []Vec) []Vec {
		v, w := y[0], y[1]
		d := b.FNMA(x.leakOf(b, g), v, x.driveOf(b, b.Sub(j, w)))
		upstroke := b.ExpClamped(b.Mul(b.Sub(v, x.coef("VT")), x.coef("PerDelta")))
		return []Vec{
			b.FMA(x.coef("Sharp"), upstroke, d),
			b.Mul(x.coef("WRate"), b.FMA(x.coef("A"), b.Sub(v, x.coef("VRest")), b.Neg(w))),
		}
	},
	rate: func(b *Block, x *coupledVars, g Vec, _ []Vec) Vec { return x.leakOf(b, g) },
	end: func(b *Block, x *coupledVars, y, next []Vec, _, _ Vec) {
		x.set("NextV", next[0])
		x.set("NextM", next[1])
		least := b.Min(y[1], next[1])
		x.stay(b, y[0], next[0], b.FNMA(x.coef("Rate"), y[0], x.driveOf(b, b.Sub(x.get("Up"), least))))
	},
}

// coefs gives the coefficients of an hhStep with conductance g.
func (x *coupledVars) coefs(b *Block, g Vec) func(int) Vec {
	leak := x.leakOf(b, g)
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
		case asm.HHSum:
			return x.coef("Sum")
		case asm.HHL:
			return leak
		}
		panic(fmt.Sprint("bug: coefficient ", i, " of a coupled kernel"))
	}
}

var gateFields = [4]string{"V", "M", "H", "N"}

// crossingCell is a model whose spikes are crossings, by its derivatives.
func crossingCell(fields []string, deriv hhStep) coupledCell {
	return coupledCell{
		fields: fields,
		slope: func(b *Block, x *coupledVars, g, j Vec, y []Vec) []Vec {
			return deriv(b, x.coefs(b, g), x.driveOf(b, j), y)
		},
		rate: func(b *Block, x *coupledVars, g Vec, y []Vec) Vec {
			_, rate := hhIon(b, x.coefs(b, g), x.coef("Drive"), y[1], y[2], y[3])
			return rate
		},
		end: func(b *Block, x *coupledVars, _, next []Vec, _, _ Vec) {
			x.settle(b, fields, next)
		},
	}
}

// rhhCell is rhh, whose m is in equilibrium with V: lanes are complete where V, and so m, changes little.
var rhhCell = func() coupledCell {
	c := crossingCell([]string{"V", "M"}, rhhDeriv)
	c.rate = func(b *Block, x *coupledVars, g Vec, y []Vec) Vec {
		_, rate := rhhIon(b, x.coefs(b, g), b.HHRates(y[0]), x.coef("Drive"), y[1])
		return rate
	}
	c.end = func(b *Block, x *coupledVars, _, next []Vec, first, last Vec) {
		x.settle(b, c.fields, next)
		steep := b.Mul(b.Max(b.Abs(last), b.Abs(first)), x.scalar("Dt"))
		x.done = b.MaskAnd(x.done, b.Cmp(steep, LT, x.scalar("Cut")))
	}
	return c
}()

// settle sets the state after a step and the mask of the lanes that are complete: those that do not cross their level.
func (x *coupledVars) settle(b *Block, fields []string, next []Vec) {
	for i, f := range fields {
		x.set("Next"+f, next[i])
	}
	vTh := x.coef("VTh")
	level := b.Select(b.Cmp(next[0], LT, b.Sub(vTh, b.Const(20))), vTh, x.get("Level")) // 20 mV: model.Rearm
	x.set("Level", level)
	x.done = b.Cmp(next[0], LT, level)
}

func (x *coupledVars) state(fields []string) (y []Vec) {
	for _, f := range fields {
		y = append(y, x.get(f))
	}
	return y
}

// input is the conductance and the current at a part of the step from its middle on, -1/2, 0 or 1/2, with the part of
// the channels of NMDA that is open, where there are any.
func (x *coupledVars) input(b *Block, nmda bool, part float64, open func() Vec) (g, j Vec) {
	at := func(mean, tilt string) Vec {
		if part == 0 {
			return x.get(mean)
		}
		return b.FMA(b.Const(part), x.get(tilt), x.get(mean))
	}
	g, j = at("G", "GTilt"), at("J", "JTilt")
	if nmda {
		part := open()
		g, j = b.FMA(at("NMDA", "NMDATilt"), part, g), b.FMA(at("NMDAJ", "NMDAJTilt"), part, j)
	}
	return g, j
}

// open is the part of the channels of NMDA that is not blocked at v, and its slope in v.
func (x *coupledVars) open(b *Block, v Vec) (open, slope Vec) {
	blocked := b.Mul(x.scalar("Mg"), b.ExpClamped(b.Mul(v, b.Const(-0.062))))
	open = b.Div(b.Const(1), b.Add(b.Const(1), blocked))
	return open, b.Mul(b.Mul(blocked, b.Const(0.062)), b.Mul(open, open))
}

// nearOpen is open near v: by Taylor's polynomial of the third degree in z = 0.062 dv, with a = open(v),
//
//	open(v + dv) = a + a (1-a) z (1 + z ((1-2a)/2 + z (1 - 6a (1-a))/6))
//
// whose error is below z⁴/24 of it. fits selects the lanes in which the changes of V that it was called with are small:
// the error is then below 5e-6.
func (x *coupledVars) nearOpen(b *Block, v Vec) (near func(at Vec) Vec, fits func() Mask) {
	c := b.Const
	a, _ := x.open(b, v)
	slope := b.FNMA(a, a, a)
	second := b.FNMA(a, c(1), c(0.5))
	third := b.FMA(slope, c(-1), c(1.0/6))
	most := c(0)
	near = func(at Vec) Vec {
		z := b.Mul(b.Sub(at, v), c(0.062))
		most = b.Max(most, b.Abs(z))
		return b.FMA(b.Mul(slope, z), b.FMA(z, b.FMA(z, third, second), c(1)), a)
	}
	return near, func() Mask { return b.Cmp(most, LT, c(0.1)) }
}

// coupledRK4 is the classical method along the lines of conductance and current. smooth is whether V changes little in
// most steps: the block by magnesium is then expanded about its value at the start, and other lanes are not complete.
func coupledRK4(
	cell coupledCell,
	smooth bool,
) func(nmda bool) func(b *Block, x *coupledVars) {
	return func(nmda bool) func(b *Block, x *coupledVars) {
		return func(b *Block, x *coupledVars) {
			y := x.state(cell.fields)
			dt, half, sixth, two := x.scalar("Dt"), x.scalar("Half"), x.scalar("Sixth"), b.Const(2)
			open := func(v Vec) Vec {
				part, _ := x.open(b, v)
				return part
			}
			fits := func() Mask { return Mask{} }
			if nmda && smooth {
				open, fits = x.nearOpen(b, y[0])
			}
			g, _ := x.input(b, nmda, 0, func() Vec { return open(y[0]) })
			slow := b.Cmp(b.Mul(cell.rate(b, x, g, y), dt), LT, x.scalar("Stiff"))

			var first, last Vec
			sum, z := make([]Vec, len(y)), slices.Clone(y)
			for stage, s := range []struct {
				part   float64
				weight Vec
				reach  Vec
			}{{-0.5, Vec{}, half}, {0, two, half}, {0, two, dt}, {0.5, Vec{}, Vec{}}} {
				g, j := x.input(b, nmda, s.part, func() Vec { return open(z[0]) })
				d := cell.slope(b, x, g, j, z)
				for i := range d {
					switch stage {
					case 0:
						sum[i], first = d[i], d[0]
					case 3:
						sum[i], last = b.Add(sum[i], d[i]), d[0]
						continue
					default:
						sum[i] = b.FMA(s.weight, d[i], sum[i])
					}
					z[i] = b.FMA(s.reach, d[i], y[i])
				}
			}
			next := make([]Vec, len(y))
			for i := range next {
				next[i] = b.FMA(sixth, sum[i], y[i])
			}
			cell.end(b, x, y, next, first, last)
			x.done = b.MaskAnd(x.done, slow)
			if nmda && smooth {
				x.done = b.MaskAnd(x.done, fits())
			}
		}
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
// value V relaxes to: stable for any conductance. The currents of NMDA are linear in V, along their tangent.
func coupledStrang(
	gates func(b *Block, c func(j int) Vec, v Vec) (m, h, n gate),
) func(nmda bool) func(b *Block, x *coupledVars) {
	return func(nmda bool) func(b *Block, x *coupledVars) {
		return func(b *Block, x *coupledVars) {
			y := x.state(gateFields[:])
			g, j := x.get("G"), x.get("J")
			if nmda {
				open, slope := x.open(b, y[0])
				gap := b.FNMA(x.get("NMDA"), y[0], x.get("NMDAJ")) // current without block
				lean := b.FNMA(slope, gap, b.Mul(x.get("NMDA"), open))
				g, j = b.Add(g, lean), b.FMA(lean, y[0], b.FMA(gap, open, j))
			}
			x.settle(b, gateFields[:], x.strang(b, gates, y, g, j))
		}
	}
}

// strang is the states after a step from y with the conductance g and the current j.
func (x *coupledVars) strang(
	b *Block,
	gates func(b *Block, c func(j int) Vec, v Vec) (m, h, n gate),
	y []Vec,
	g, j Vec,
) []Vec {
	c, dt, half, one := x.coefs(b, g), x.scalar("Dt"), x.scalar("Half"), b.Const(1)
	gm, gh, gn := gates(b, c, y[0])
	m, h, n := gm.moved(b, y[1], dt, half), gh.moved(b, y[2], dt, half), gn.moved(b, y[3], dt, half)
	a, rate := hhIon(b, c, x.driveOf(b, j), m, h, n)
	z := b.Mul(rate, half)
	longer := b.FMA(z, b.FMA(b.Min(one, z), b.Const(-strangSoft), one), one)
	longer = b.Max(longer, b.Add(z, z))
	v := b.FMA(b.Div(b.FNMA(rate, y[0], a), longer), dt, y[0])
	return []Vec{v, m, h, n}
}

// assembly prints the kernel for one instruction set.
func (d *coupledKernel) assembly(f *file, w isa) {
	k := f.Func(w, d.name, "func(b *CoupledBlock)", d.doc)
	S := d.vectors[w.Name]
	lane, left, done, coef := k.GP64(), k.GP64(), k.GP64(), k.Value("Coef")
	column := func(m operand.Mem, s int) operand.Mem {
		m.Index, m.Scale = lane, 8
		m.Disp += s * w.Bytes()
		return m
	}
	k.XORQ(lane, lane)
	k.LEAQ(k.fieldStart("Done"), done)
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
				if masks = append(masks, x.done); len(masks)*w.Lanes == 8 {
					b.StoreBits(at(done, s*w.Lanes/8), masks...)
					masks = nil
				}
			}
		})
		k.ADDQ(imm(S*w.Lanes), lane)
		k.ADDQ(imm(S*w.Lanes/8), done)
	})
	k.End()
}

// coupledCoefFields are the columns of CoupledCoefs in their order.
var coupledCoefFields = []string{
	"Per", "Rate", "Drive", "VTh", "Near", "VT", "PerDelta", "Sharp", "A", "VRest", "WRate",
	"Na", "K", "ENa", "EK", "Shift", "Sum",
}

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
	b.Block.Bits(x.done, "done")
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
		"done := uint8(0)\nfor l := range %d {\n%s}\nb.Done[at/8] = done\n}\n}\n",
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
