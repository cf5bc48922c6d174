package main

import (
	"fmt"

	"popsim/kernels/asm"
	"popsim/kernels/vec"
)

// powerSums adds up to four arrivals to three accumulators, each a polynomial in u = 0.5 - theta: since all have the
// same weight, what they add follows from m_n, the sum of u^n over the arrivals, once for the lane:
//
//	end += weight Σ ends_n m_n
//
// With e_i the sum of all products of i of the four u (Newton's identities; u is 0 where there is no arrival):
//
//	m_1 = e_1
//	m_2 = e_1 m_1 - 2 e_2
//	m_3 = e_1 m_2 - e_2 m_1 + 3 e_3
//	m_4 = e_1 m_3 - e_2 m_2 + e_3 m_1 - 4 e_4
//	m_n = e_1 m_{n-1} - e_2 m_{n-2} + e_3 m_{n-3} - e_4 m_{n-4}
//
// That is 4 operations a term for the powers and 3 for the accumulators, where four polynomials take 12.
func powerSums() *stepKernel {
	accumulators := []string{"End", "Share", "Third"}
	k := &stepKernel{
		name: "PowerSums", doc: "adds arrivals to End, Share, Third; see PowerSumsBlock.", argument: "PowerSumsBlock",
		columns: append([]string{"U0", "U1", "U2", "U3", "Number"}, accumulators...),
		scalars: []string{"Weight"}, vectors: map[string]int{"AVX2": 1, "AVX512": 2},
	}
	for _, to := range accumulators {
		for i := range asm.PowerTerms {
			k.scalars = append(k.scalars, fmt.Sprint(instantSeries[to], "/", i))
		}
	}
	k.step = func(b *vec.Block, x *laneVars) {
		m, later := powers(b, x)
		for j, to := range accumulators {
			sum := later[j] // of the terms from the fifth on, which are small
			for n := 3; n >= 0; n-- {
				sum = b.FMA(x.get(fmt.Sprint(instantSeries[to], "/", n)), m[n], sum)
			}
			x.set(to, b.FMA(x.get("Weight"), sum, x.get(to)))
		}
	}
	return k
}

// powers is m_0 to m_3, and the sum of the later terms of each accumulator.
func powers(b *vec.Block, x *laneVars) (m [4]Vec, later [3]Vec) {
	u := [4]Vec{x.get("U0"), x.get("U1"), x.get("U2"), x.get("U3")}
	a, c, p, q := b.Add(u[0], u[1]), b.Add(u[2], u[3]), b.Mul(u[0], u[1]), b.Mul(u[2], u[3])
	e1, e2, e3, e4 := b.Add(a, c), b.FMA(a, c, b.Add(p, q)), b.FMA(p, c, b.Mul(q, a)), b.Mul(p, q)
	m[0] = x.get("Number")
	m[1] = e1
	m[2] = b.FMA(b.Const(-2), e2, b.Mul(e1, e1))
	m[3] = b.FMA(e1, m[2], b.FNMA(e2, m[1], b.Mul(b.Const(3), e3)))
	last := m // the four before m_n; of m_4 the first stands for 4
	last[0] = b.Const(4)
	for n := 4; n < asm.PowerTerms; n++ {
		next := b.FMA(e1, last[3], b.FNMA(e2, last[2], b.FMS(e3, last[1], b.Mul(e4, last[0]))))
		for j, series := range []string{"Ends", "Shares", "Thirds"} {
			c := x.get(fmt.Sprint(series, "/", n))
			if n == 4 {
				later[j] = b.Mul(c, next)
			} else {
				later[j] = b.FMA(c, next, later[j])
			}
		}
		last = [4]Vec{last[1], last[2], last[3], next}
	}
	return m, later
}
