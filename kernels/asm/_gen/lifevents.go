package main

import (
	"popsim/kernels/asm"
	"popsim/kernels/vec"
)

// lifConductEvents solves what is left of a step of LIF neurons by the power series of u = V - E2 in the part of it:
//
//	u' = Part ((X - g1 - g2) u + Y + Span g1)     g1 = Per S1 exp(By1 t), t from 1 - Part to 1, and g2 likewise
//
// Its terms follow one from another, and where u reaches Room is found by Newton's method from the chord.
func lifConductEvents() *stepKernel {
	k := &stepKernel{
		name: "LIFConductEvents", doc: "solves steps of LIF neurons; see LIFConductEventsBlock.",
		argument: "LIFConductEventsBlock",
		planes:   []string{"U", "S1", "S2", "Per", "X", "Y", "Room", "Part", "End", "At"},
		scalars:  []string{"By1", "By2", "Span"}, events: true, vectors: map[string]int{"AVX2": 2, "AVX512": 1},
	}
	k.step = func(b *vec.Block, x *laneVars) {
		part, room := x.get("Part"), x.get("Room")
		u := seriesOfConductances(b, x)
		end, most := u[len(u)-1], u[0]
		for n := len(u) - 2; n >= 0; n-- {
			end = b.Add(end, u[n])
		}
		for _, term := range u[1:] {
			most = b.Add(most, b.Max(b.Const(0), term))
		}
		at := b.Div(b.Sub(room, u[0]), b.Sub(end, u[0]))
		var step Vec
		for range asm.ConductNewton {
			y, slope := u[len(u)-1], b.Const(0)
			for n := len(u) - 2; n >= 0; n-- {
				if n == len(u)-2 {
					slope = y
				} else {
					slope = b.FMA(slope, at, y)
				}
				y = b.FMA(y, at, u[n])
			}
			step = b.Div(b.Sub(y, room), slope)
			at = b.Sub(at, step)
		}
		found := b.MaskAnd(b.Cmp(b.Abs(step), LE, b.Const(asm.ConductRoot)), b.Cmp(end, GE, room))
		found = b.MaskAnd(found, b.MaskAnd(b.Cmp(at, GT, b.Const(0)), b.Cmp(at, LE, b.Const(1))))
		last := b.Max(b.Abs(u[len(u)-1]), b.Abs(u[len(u)-2]))
		solved := b.MaskAnd(b.Cmp(last, LE, b.Const(asm.ConductTerm)), b.MaskOr(found, b.Cmp(most, LT, room)))
		solved = b.MaskAnd(solved, b.Cmp(u[0], LT, room))
		x.fired = b.MaskAndNot(b.Cmp(part, EQ, part), solved)
		x.set("End", end)
		x.set("At", b.Select(found, at, b.Const(2)))
	}
	return k
}

// seriesOfConductances is the terms of u by u' = drive - fall u: fall[n] is term n of fall, drive that of the current
// term.
func seriesOfConductances(b *vec.Block, x *laneVars) []Vec {
	part := x.get("Part")
	per, before := b.Mul(part, x.get("Per")), b.Sub(b.Const(1), part)
	conductance := func(i string) (g, by Vec) {
		by = x.get("By" + i)
		return b.Mul(per, b.Mul(x.get("S"+i), b.Exp(b.Mul(by, before)))), b.Mul(by, part)
	}
	g1, by1 := conductance("1")
	g2, by2 := conductance("2")
	u := []Vec{x.get("U")}
	fall, drive := []Vec{b.Sub(b.Add(g1, g2), b.Mul(part, x.get("X")))}, b.FMA(x.get("Span"), g1, b.Mul(part, x.get("Y")))
	for n := 1; n < asm.ConductTerms; n++ {
		sum := drive
		for m := range fall {
			sum = b.FNMA(fall[len(fall)-1-m], u[m], sum)
		}
		by := b.Const(1 / float64(n))
		u = append(u, b.Mul(sum, by))
		g1, g2 = b.Mul(g1, b.Mul(by1, by)), b.Mul(g2, b.Mul(by2, by))
		fall, drive = append(fall, b.Add(g1, g2)), b.Mul(x.get("Span"), g1)
	}
	return u
}
