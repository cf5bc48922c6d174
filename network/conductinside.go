package network

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"

	"popsim/kernels"
	"popsim/kernels/asm"
)

// conductInside is the step with arrivals inside it of LIF neurons into which nothing comes but exponential
// conductances: one that drives V up, with its reversal potential at V_th or above, one that does not, or
// both. One kernel does it for rows, conductances and V.
type conductInside struct {
	coefs  coefs // see asm.LIFConductStepBlock
	e2     float64
	parts  [2]insidePart // of the conductance that drives V up, and of the other
	marks  []uint8
	events quietEvents
}

// insidePart is one of two conductances. Where there is none, receptor is nil, and s and row stay empty.
type insidePart struct {
	receptor     *coupledReceptor
	s, row       []float64
	before, kept []float64 // conductance and row before the step, of lanes with events
}

// withoutConductance is how far below V_th, mV, the kernel begins to bound V where no conductance has its reversal
// potential below V_th. Any number above 0 gives a bound.
const withoutConductance = 30.0

// useInside chooses the step in one kernel if it can be taken. That must not depend on the range.
func (o *coupledSegment) useInside() {
	g := &conductInside{}
	low, high := o.levels()
	g.e2 = low - withoutConductance
	for j := range o.receptors {
		q := &o.receptors[j]
		p := &g.parts[0]
		if q.e < low {
			p, g.e2 = &g.parts[1], q.e
		} else if q.e < high {
			return
		}
		if p.receptor != nil {
			return
		}
		p.receptor, p.s = q, q.s
	}
	n := o.padded()
	for j := range g.parts {
		p := &g.parts[j]
		p.before, p.kept = makeColumn(n), makeColumn(3*n)
		if p.receptor == nil {
			p.s, p.row = makeColumn(n), makeColumn(3*n)
		}
	}
	g.coefs, g.marks = o.insideCoefs(g.e2), make([]uint8, n/4)
	for l := o.n; l < n; l++ {
		o.free[:n][l] = math.Inf(1) // padding never moves
	}
	o.inside = g
	o.startQuiet()
}

// levels are the least and the largest V_th of the population.
func (o *coupledSegment) levels() (low, high float64) {
	v := o.p.P[o.p.Model.Index("V_th")]
	low, high = math.Inf(1), math.Inf(-1)
	for i := range o.p.N {
		low, high = min(low, v.At(i)), max(high, v.At(i))
	}
	return low, high
}

func (o *coupledSegment) insideCoefs(e2 float64) coefs {
	c, dt := o.cell, o.cell.dt
	var columns [asm.LIFConductStepCoefs][]float64
	for j := range columns {
		columns[j] = make([]float64, o.n)
	}
	for i := range o.n {
		per := float64(dt * c.per[i])
		columns[asm.LIFConductStepPer][i] = per
		columns[asm.LIFConductStepX][i] = -float64(dt * c.rate[i])
		columns[asm.LIFConductStepY][i] = float64(dt * math.FMA(-c.rate[i], e2, c.drive[i]))
		columns[asm.LIFConductStepBend][i] = per / 12
		columns[asm.LIFConductStepRoom][i] = c.vTh[i] - e2
	}
	return groupCoefs(columns[:]...)
}

// stepInside advances all lanes by step k, and empties the rows.
func (o *coupledSegment) stepInside(r *shard, k int64) error {
	g := o.inside
	o.addColumns(r)
	o.moveInside(r, k)
	o.events = o.events[:0]
	for i := 0; i < len(g.marks); i += 8 {
		word := binary.LittleEndian.Uint64(g.marks[i:])
		for events := word & eventMarks; events != 0; events &= events - 1 {
			bit := bits.TrailingZeros64(events)
			lane := 4*i + bit/16*8 + bit%8
			o.beginEvent(r, k, lane, word>>(bit+8)&1 != 0)
		}
	}
	o.solveQuiet(r, k)
	slices.Sort(o.events)
	err := o.solveEvents(r, k)
	for _, lane := range o.events {
		g.exchange(int(lane))
	}
	return err
}

// eventMarks selects the marks of lanes with events from those of 32 lanes.
const eventMarks = 0x00ff00ff00ff00ff

// beginEvent takes step k of a lane with an event if it can be done by itself, or lists the lane.
func (o *coupledSegment) beginEvent(r *shard, k int64, lane int, slow bool) {
	g := o.inside
	if !slow && g.quiet(lane) {
		if o.listQuiet(k, lane); len(g.events.lanes) == asm.SumsLanes {
			o.solveQuiet(r, k)
		}
		return
	}
	g.exchange(lane)
	if slow && o.doneSlow(r, k, lane) {
		g.exchange(lane)
		return
	}
	o.events = append(o.events, int32(lane))
}

// addColumns adds what arrives in columns to the rows. Where nothing arrives at a lane its row stays empty, so that
// quiet does not depend on which other lanes are in the range.
func (o *coupledSegment) addColumns(r *shard) {
	for j := range o.receptors {
		q := &o.receptors[j]
		row := r.rows[q.c][3*o.base:]
		switch {
		case q.each:
			for i := range o.n {
				if q.columns[0][i] == empty {
					continue
				}
				for j, c := range &q.columns {
					row[3*i+j] += c[i]
				}
			}
		case q.same != nothing:
			for i := range o.n {
				for j, x := range q.same {
					row[3*i+j] += x
				}
			}
		}
	}
}

// moveInside calls the kernel of step k.
func (o *coupledSegment) moveInside(r *shard, k int64) {
	g, n := o.inside, o.padded()
	b := asm.LIFConductStepBlock{
		Lanes: n, First: float64(k), V: o.y[0][:n], Free: o.free[:n], Coef: g.coefs.columns, CoefStride: g.coefs.stride,
		E2: g.e2, Fired: g.marks,
	}
	up, down := &g.parts[0], &g.parts[1]
	b.S1, b.Row1, b.Before1, b.Kept1 = up.s, up.row, up.before, up.kept
	if q := up.receptor; q != nil {
		b.Row1, b.Span = r.rows[q.c][3*o.base:], q.e-g.e2
		b.Slack = float64(b.Span*o.cell.dt) / (4 * q.tau)
		b.Decay1, b.PerMean1, b.PerTilt1 = q.ofS.decay, q.ofS.mean, q.ofS.tilt
	}
	b.S2, b.Row2, b.Before2, b.Kept2 = down.s, down.row, down.before, down.kept
	if q := down.receptor; q != nil {
		b.Row2 = r.rows[q.c][3*o.base:]
		b.Decay2, b.PerMean2, b.PerTilt2 = q.ofS.decay, q.ofS.mean, q.ofS.tilt
	}
	kernels.LIFConductStep(r.net.isa, &b)
}

// exchange exchanges the conductances of a lane after the step and before it.
func (g *conductInside) exchange(lane int) {
	for j := range g.parts {
		p := &g.parts[j]
		p.s[lane], p.before[lane] = p.before[lane], p.s[lane]
	}
}

// doneSlow takes step k of a lane that relaxes too fast for the kernel, as finish does; the conductances of the lane
// are those before the step. It reports false, and changes nothing, if the lane has an event. Of other lanes of its
// chunk nothing is used.
func (o *coupledSegment) doneSlow(r *shard, k int64, l int) bool {
	in, lo := &o.in, l/chunk*chunk
	n, i := min(chunk, o.n-lo), l-lo
	o.beginChunk(r, lo, n, in)
	for j := range o.inside.parts {
		p := &o.inside.parts[j]
		if p.receptor == nil {
			continue
		}
		kept := p.kept[3*l:][:3]
		in.end[i], in.mean[i], in.tilt[i] = kept[0], kept[1], kept[2]
		b := p.receptor.conduction(arrivals{in.end[:], in.mean[:], in.tilt[:]}, lo, in)
		kernels.ConductBounds(r.net.isa, &b)
	}
	o.cell.advance(r, o, k, lo, n, in)
	y, _ := in.columns()
	if !o.cell.done(o, l, i, k, in, y) {
		return false
	}
	o.y[0][l] = in.NextV[i]
	return true
}
