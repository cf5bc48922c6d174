package kernels

import (
	"math"
	"math/bits"

	"popsim/kernels/asm"
)

// rhhSlopes is hhSlopes for RHH, where m is steady and n follows h.
func rhhSlopes(b *asm.Block, l int, drive float64, old, now *[4]float64) (before, after float64) {
	at := func(v, h float64) [4]float64 { return [4]float64{v, mInf(v), h, b.Coef[asm.HHSum][l] - h} }
	x, y := at(old[0], old[1]), at(now[0], now[1])
	return hhSlopes(b, l, drive, &x, &y)
}

// mInf is the steady value of m at potential v.
func mInf(v float64) float64 {
	u := hhU(v)
	p4, p9 := hhP9(hhP1(u))
	_, p40, p72 := hhP72(p4, p9)
	num, den, beta := ratesM(u, p40, p72)
	return num / math.FMA(beta, den, num)
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

func rhhRKStep(b *asm.Block, at int, drive *vec, y, next *[4]vec) { rungeKutta(b, at, drive, y, next) }

// rungeKutta takes one step of the classical method. It returns dV/dt at the first and the last stage.
func rungeKutta(b *asm.Block, at int, drive *vec, y, next *[4]vec) (first, last vec) {
	dt, half, sixth := b.Coef[asm.HHDt][at], b.Coef[asm.HHHalf][at], b.Coef[asm.HHSixth][at]
	var d, stage, sum [4]vec
	rhhDeriv(b, at, drive, y, &sum)
	first = sum[0]
	for j := range 2 {
		for l := range d[j] {
			stage[j][l] = math.FMA(sum[j][l], half, y[j][l])
		}
	}
	for _, reach := range [2]float64{half, dt} {
		rhhDeriv(b, at, drive, &stage, &d)
		for j := range 2 {
			for l := range d[j] {
				stage[j][l] = math.FMA(d[j][l], reach, y[j][l])
				sum[j][l] = math.FMA(d[j][l], 2, sum[j][l])
			}
		}
	}
	rhhDeriv(b, at, drive, &stage, &d)
	for j := range 2 {
		for l := range d[j] {
			next[j][l] = math.FMA(sum[j][l]+d[j][l], sixth, y[j][l])
		}
	}
	return first, d[0]
}

// rhhRK4 is the classical fourth-order method.
var rhhRK4 = hhScheme(2, rhhSlopes, rhhRK4Method)

// rhhExpEuler relaxes V and h exponentially, each with the other at its state before the step.
var rhhExpEuler = hhScheme(2, nil, rhhExpEulerMethod)

func rhhExpEulerStep(b *asm.Block, at int, drive *vec, y, next *[4]vec) {
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
}

// cut-rk4 is rk4 with substeps where the upstroke needs them: m follows V at once, so that V rises tens of mV within
// hundredths of a millisecond. A lane takes its step in four substeps where dV/dt at the first or the last stage would
// move V by more than cutAt in the step, in eight beyond twice that; this depends on the lane alone. Such lanes are few
// at a time: those of a tile of groups are packed side by side, step by step, and taken through their substeps
// together.
const (
	cutAt = 8.0 // mV
	tile  = 32  // groups
)

// substeps[i] is the number of substeps taken by the lanes of pack i.
var substeps = [...]int{4, 8}

var rhhCut = func() scheme {
	s := rhhRK4
	s.free = func(b *asm.Block) { cutGeneric(b, false) }
	s.driven = func(b *asm.Block) { cutGeneric(b, true) }
	s.substep, s.advance = substepGeneric, (*Shard).advanceTiles
	return s
}()

// cutGeneric is the fast step of cut-rk4 for b and the blocks after it. Lanes to be cut get the state after the whole
// step; the substeps start from Scratch.Before.
func cutGeneric(b *asm.Block, full bool) {
	var y, next [4]vec
	for ; b != nil; b = b.Next {
		b.InEvent, b.Cut = 0, [2]uint64{}
		for at := 0; at < b.Lanes; at += len(y[0]) {
			y[0], y[1] = *(*vec)(b.Y[0][at:]), *(*vec)(b.Y[1][at:])
			drive := hhCurrent(b, at, full)
			first, last := rungeKutta(b, at, &drive, &y, &next)
			dt, limit := (*vec)(b.Coef[asm.HHDt][at:]), (*vec)(b.Coef[asm.HHCut][at:])
			cut, eighths := uint64(0), uint64(0)
			for l := range limit {
				steepest := math.Abs(first[l])
				if x := math.Abs(last[l]); x > steepest {
					steepest = x
				}
				steepest *= dt[l]
				if steepest > limit[l] {
					cut |= 1 << (at + l)
				}
				if steepest > limit[l]+limit[l] {
					eighths |= 1 << (at + l)
				}
			}
			b.Cut[0] |= cut
			b.Cut[1] |= eighths
			b.InEvent |= arm(b, at, &next[0], cut)
			if full {
				extremes(b, at, &next[0], &y[0], cut)
			}
			*(*vec)(b.Scratch.Before[0][at:]), *(*vec)(b.Scratch.Before[1][at:]) = y[0], y[1]
			*(*vec)(b.Y[0][at:]), *(*vec)(b.Y[1][at:]) = next[0], next[1]
		}
	}
}

// substepGeneric advances the lanes of b by the b.Substeps substeps of a step. Where one crosses its level, the states
// before and after the substep are written to Scratch, its number to Substep.
func substepGeneric(b *asm.Block) {
	var y, next [4]vec
	for at := 0; at < b.Lanes; at += len(y[0]) {
		col := func(c *asm.Column) *vec { return (*vec)(c[at:]) }
		y[0], y[1] = *col(b.Y[0]), *col(b.Y[1])
		drive := hhCurrent(b, at, false)
		level := col(b.Level)
		for substep := range b.Substeps {
			rhhRKStep(b, at, &drive, &y, &next)
			for l := range level {
				if next[0][l] >= level[l] {
					level[l] = math.Inf(1)
					b.Substep[at+l] = float64(substep)
					for j := range 2 {
						b.Scratch.Before[j][at+l], b.Scratch.After[j][at+l] = y[j][l], next[j][l]
					}
				}
			}
			y = next
		}
		*col(b.Y[0]), *col(b.Y[1]) = y[0], y[1]
	}
}

// cutLanes is the scratch memory of cut-rk4. Columns are in arrays, which keep them aligned.
type cutLanes struct {
	columns [len(substeps)]packColumns
	packs   [len(substeps)]pack
	coefs   []asm.Coefs   // of the groups of a tile, as the next two
	scratch []asm.Scratch //
	blocks  []asm.Block   //
	of      *Shard        // for which all this is prepared
}

// A pack holds lanes that take the same number of substeps.
type pack struct {
	*packColumns
	from     [Group]int // their lanes in the shard
	b        asm.Block
	n        int     // lanes packed
	substeps float64 // of a step
}

type packColumns struct {
	coefs   asm.Coefs
	scratch asm.Scratch
	y       [2]asm.Column
	level   asm.Column
	substep asm.Column // in which the lane crossed its level, or -1
}

// prepare makes c ready for s.
func (c *cutLanes) prepare(s *Shard) {
	if c.of == s {
		return
	}
	if c.blocks == nil {
		c.coefs, c.scratch, c.blocks = make([]asm.Coefs, tile), make([]asm.Scratch, tile), make([]asm.Block, tile)
	}
	c.of = s
	for i, n := range substeps {
		p := &c.packs[i]
		p.packColumns, p.substeps = &c.columns[i], float64(n)
		p.coefs = *s.shared
		var of [asm.MaxCoef]float64
		hhStepSize(s.Dt/p.substeps, of[:])
		for _, j := range [...]int{asm.HHDt, asm.HHHalf, asm.HHSixth, asm.HHNegDt} {
			for l := range p.coefs[j] {
				p.coefs[j][l] = of[j]
			}
		}
		p.b = asm.Block{Y: [4]*asm.Column{&p.y[0], &p.y[1]}, Coef: &p.coefs, Scratch: &p.scratch}
		p.b.Level, p.b.Substep, p.b.Substeps = &p.level, &p.substep, n
	}
}

// advanceTiles is advanceGroups for cut-rk4: tile by tile, and in a tile step by step.
func (s *Shard) advanceTiles(w *Worker, _ int64, steps int, drive Drive, events []Event) []Event {
	c := &w.cut
	c.prepare(s)
	fast := s.kernel.fast(w.full)
	for from := 0; from < s.N; from += tile * Group {
		blocks := c.blocks[:min(tile, (s.N-from+Group-1)/Group)]
		for i := range blocks {
			b, g := &blocks[i], from+i*Group
			b.Scratch, b.Next = &c.scratch[i], nil
			if i > 0 {
				blocks[i-1].Next = b
			}
			w.bind(b, s, g, s.loadCoefs(&c.coefs[i], g, w.full, from == 0), drive)
		}
		for k := range steps {
			for i := range blocks {
				blocks[i].Step = k
			}
			fast(&blocks[0])
			for i := range blocks {
				b, g := &blocks[i], from+i*Group
				if b.InEvent &= lanes(b); b.InEvent != 0 {
					w.b = *b
					events = s.kernel.finish(w, s, g, events)
				}
				if cut, eighths := b.Cut[0]&lanes(b), b.Cut[1]&lanes(b); cut != 0 {
					events = w.pack(&c.packs[0], s, g, b, cut&^eighths, events)
					events = w.pack(&c.packs[1], s, g, b, eighths, events)
				}
			}
			for i := range c.packs {
				events = w.flush(&c.packs[i], s, k, events)
			}
		}
	}
	return events
}

// pack adds the lanes cut of the group at lane g to p.
func (w *Worker) pack(p *pack, s *Shard, g int, b *asm.Block, cut uint64, events []Event) []Event {
	for cut != 0 {
		from := p.n
		for ; cut != 0 && p.n < Group; cut &= cut - 1 {
			l, n := bits.TrailingZeros64(cut), p.n
			p.from[n] = g + l
			p.y[0][n], p.y[1][n], p.level[n], p.substep[n] = b.Scratch.Before[0][l], b.Scratch.Before[1][l], b.Level[l], -1
			p.coefs[asm.HHDrive][n] = w.hhDrive(b, l)
			p.n++
		}
		for j, col := range s.coefs[:asm.HHPerC] {
			if col != nil && j != asm.HHDrive {
				for n := from; n < p.n; n++ {
					p.coefs[j][n] = col[p.from[n]]
				}
			}
		}
		if p.n == Group {
			events = w.flush(p, s, b.Step, events)
		}
	}
	return events
}

// flush advances the packed lanes by the substeps of step k, and writes their states to s.
func (w *Worker) flush(p *pack, s *Shard, k int, events []Event) []Event {
	b := &p.b
	if b.Lanes = p.n; p.n == 0 {
		return events
	}
	s.kernel.substep(b)
	for n, i := range p.from[:p.n] {
		if p.substep[n] >= 0 {
			for j := range p.y {
				w.before[j], w.after[j] = p.scratch.Before[j][n], p.scratch.After[j][n]
			}
			theta := w.crossing(b, n, p.coefs[asm.HHDrive][n], rhhSlopes)
			events = append(events, Event{int32(i), int32(k), (p.substep[n] + theta) / p.substeps})
		}
		v := p.y[0][n]
		if v < p.coefs[asm.HHRearm][n] {
			p.level[n] = p.coefs[asm.HHVTh][n]
		}
		s.Y[0][i], s.Y[1][i], s.Level[i] = v, p.y[1][n], p.level[n]
		if w.extrema {
			s.Lo[i], s.Hi[i] = min(s.Lo[i], v), max(s.Hi[i], v)
		}
	}
	p.n = 0
	return events
}
