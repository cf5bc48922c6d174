package kernels

import (
	"math"
	"math/bits"

	"popsim/kernels/asm"
)

func rhhSlopes(b *asm.Block, l int, drive float64, old, now *[4]float64) (before, after float64) {
	sum := b.Coef[asm.HHSum][l]
	return ionSlope(b, l, drive, old[0], mInf(old[0]), old[1], sum-old[1]), ionSlope(b, l, drive, now[0], mInf(now[0]), now[1], sum-now[1])
}

// mInf is the steady value of m at potential v.
func mInf(v float64) float64 {
	u := hhU(v)
	p1 := hhP1(u)
	p2 := hhSum(p1, p1)
	p4 := hhSum(p2, p2)
	p9 := hhSum(hhSum(p4, p4), p1)
	p18 := hhSum(p9, p9)
	p36 := hhSum(p18, p18)
	n := float64(u * 72)
	return n / math.FMA(math.FMA(hhSum(p36, p4), hhBetaM, hhBetaM), hhSum(p36, p36), n)
}

// rhhDeriv writes the derivatives of V and h at y.
func rhhDeriv(b *asm.Block, at int, drive *vec, y, d *[4]vec) {
	var r hhRates
	var m, n, a, g vec
	r.at(&y[0], false)
	v, h, sum := &y[0], &y[1], (*vec)(b.Coef[asm.HHSum][at:])
	for l := range m {
		m[l] = r.mN[l] / math.FMA(r.mB[l], r.mD[l], r.mN[l])
		n[l] = sum[l] - h[l]
	}
	hhIon(b, at, drive, &m, h, &n, &a, &g)
	for l := range v {
		d[0][l] = math.FMA(-g[l], v[l], a[l])
		bh := 1 / r.hD[l]
		d[1][l] = math.FMA(-(r.hA[l] + bh), h[l], r.hA[l])
	}
}

func rhhRKStep(b *asm.Block, at int, drive *vec, y, next *[4]vec) {
	rungeKutta(b, at, 2, drive, y, next, rhhDeriv)
}

// rhhRK4 is the classical fourth-order method.
var rhhRK4 = hhScheme(2, rhhSlopes, rhhRKStep)

// rhhExpEuler relaxes V and h exponentially, each seeing the old state of the other.
var rhhExpEuler = hhScheme(2, nil, func(b *asm.Block, at int, drive *vec, y, next *[4]vec) {
	var r hhRates
	var m, n, a, g vec
	r.at(&y[0], false)
	v, h, sum := &y[0], &y[1], (*vec)(b.Coef[asm.HHSum][at:])
	for l := range m {
		m[l] = r.mN[l] / math.FMA(r.mB[l], r.mD[l], r.mN[l])
		n[l] = sum[l] - h[l]
	}
	hhIon(b, at, drive, &m, h, &n, &a, &g)
	negDt := b.Coef[asm.HHNegDt][at]
	for l := range v {
		next[0][l] = relaxTo(v[l], a[l]/g[l], float64(g[l]*negDt))
		s := math.FMA(r.hA[l], r.hD[l], 1)
		next[1][l] = relaxGate(h[l], s-1, s, r.hD[l], negDt)
	}
})

// cut-rk4 is rk4 whose step is cut into pieces where the upstroke needs it: m follows V at once, so V runs tens of mV
// within hundredths of a millisecond. A lane is cut when dV/dt at the first or the last stage would move it by more
// than cutAt in a step. The decision is the lane's own. Cut lanes of a group are packed side by side and taken through
// the pieces together.
const (
	cutAt  = 4.0 // mV
	pieces = 8
)

// cutLanes is where cut lanes are packed.
type cutLanes struct {
	b     asm.Block
	y     [2]asm.Column
	wake  asm.Column
	old   [4]asm.Column
	coefs asm.Coefs
	of    *Shard // whose shared coefficients coefs holds
	from  [Group]int
}

var rhhCut = func() scheme {
	s := rhhRK4
	s.lean = func(b *asm.Block) { cutGeneric(b, false) }
	s.full = func(b *asm.Block) { cutGeneric(b, true) }
	s.inner = rhhRK4.lean
	s.rare = func(w *Worker, s *Shard, g int, events []Event) []Event {
		return cutRare(w, s, g, rhhRK4.rare(w, s, g, events))
	}
	return s
}()

// cutGeneric is the fast step of cut-rk4. It goes back after each step in which lanes crossed V_th or are to be cut;
// those are left with what the uncut step gave.
func cutGeneric(b *asm.Block, full bool) {
	var y, next [4]vec
	b.Rare, b.Cut = 0, 0
	for ; b.Step < b.Steps; b.Step++ {
		for at := 0; at < b.Lanes; at += len(y[0]) {
			y[0], y[1] = *(*vec)(b.Y[0][at:]), *(*vec)(b.Y[1][at:])
			drive := hhCurrent(b, at, full)
			first, last := rungeKutta(b, at, 2, &drive, &y, &next, rhhDeriv)
			dt, limit := b.Coef[asm.HHDt][at], (*vec)(b.Coef[asm.HHCut][at:])
			cut := uint64(0)
			for l := range limit {
				if dt*math.Abs(first[l]) > limit[l] || dt*math.Abs(last[l]) > limit[l] {
					cut |= 1 << (at + l)
				}
			}
			b.Cut |= cut
			b.Rare |= arm(b, at, &next[0], cut)
			if full {
				extremes(b, at, &next[0], &y[0], cut)
			}
			*(*vec)(b.Old[0][at:]), *(*vec)(b.Old[1][at:]) = y[0], y[1]
			*(*vec)(b.Y[0][at:]), *(*vec)(b.Y[1][at:]) = next[0], next[1]
		}
		if b.Rare|b.Cut != 0 {
			b.Step++
			return
		}
	}
}

// cutRare takes the lanes b.Cut of the group at lane g through the pieces of the step in hand.
func cutRare(w *Worker, s *Shard, g int, events []Event) []Event {
	b, p := &w.b, &w.cut
	if b.Cut == 0 {
		return events
	}
	if p.of != s {
		p.of, p.coefs = s, *s.shared
		var c [asm.MaxCoef]float64
		hhStepSize(s.Dt/pieces, c[:])
		for _, j := range [...]int{asm.HHDt, asm.HHHalf, asm.HHSixth, asm.HHNegDt} {
			for l := range p.coefs[j] {
				p.coefs[j][l] = c[j]
			}
		}
		p.b = asm.Block{Y: [4]*asm.Column{&p.y[0], &p.y[1]}, Wake: &p.wake, Coef: &p.coefs, Old: &p.old, Steps: pieces}
	}
	n := 0
	for cut := b.Cut; cut != 0; cut &= cut - 1 {
		l := bits.TrailingZeros64(cut)
		p.from[n] = l
		p.y[0][n], p.y[1][n], p.wake[n] = b.Old[0][l], b.Old[1][l], b.Wake[l]
		for j, col := range s.coefs {
			if col != nil {
				p.coefs[j][n] = col[g+l]
			}
		}
		p.coefs[asm.HHDrive][n] = hhDrive(w, l)
		n++
	}
	for l := n; l%len(vec{}) != 0; l++ { // the rest of the last vector goes along with the first lane
		p.y[0][l], p.y[1][l], p.wake[l] = p.y[0][0], p.y[1][0], math.Inf(1)
	}
	p.b.Lanes, p.b.Step, p.b.Lane = n, 0, 0
	for s.kernel.inner(&p.b); p.b.Rare != 0; s.kernel.inner(&p.b) {
		step := p.b.Step
		if p.b.Lane == 0 {
			step--
		}
		for rare := p.b.Rare; rare != 0; rare &= rare - 1 {
			l := bits.TrailingZeros64(rare)
			p.wake[l] = math.Inf(1)
			if l < n {
				theta := w.crossing(&p.b, 2, l, p.coefs[asm.HHDrive][l], rhhSlopes)
				events = append(events, Event{int32(g + p.from[l]), int32(b.Step), (float64(step) + theta) / pieces})
			}
		}
	}
	for l, at := range p.from[:n] {
		b.Y[0][at], b.Y[1][at], b.Wake[at] = p.y[0][l], p.y[1][l], p.wake[l]
		if w.full {
			v := p.y[0][l]
			b.Lo[at], b.Hi[at] = min(b.Lo[at], v), max(b.Hi[at], v)
		}
	}
	return events
}
