package network

import (
	"math"
	"math/bits"

	"popsim/kernels"
	"popsim/kernels/asm"
)

// conductInside is the step with arrivals inside it of LIF neurons into which nothing comes but one exponential
// conductance or two: one kernel for rows, conductances and V.
type conductInside struct {
	coefs        coefs       // see asm.LIFConductStepBlock
	before, kept [][]float64 // by receptor: conductances and rows before the step, of lanes with events
	marks        []uint8
	after        [][2]float64 // conductances after the step of the lanes in events
}

func (o *coupledSegment) newConductInside() *conductInside {
	c := o.cell
	g := &conductInside{coefs: groupCoefs(c.per, c.rate, c.drive, c.vTh), marks: make([]uint8, o.padded()/4)}
	for l := o.n; l < o.padded(); l++ {
		o.free[:o.padded()][l] = math.Inf(1) // padding never moves
	}
	for range o.receptors {
		g.before = append(g.before, makeColumn(o.padded()))
		g.kept = append(g.kept, makeColumn(3*o.padded()))
	}
	return g
}

// inRows reports whether all that arrives in the step is in the rows.
func (o *coupledSegment) inRows() bool {
	for j := range o.receptors {
		if q := &o.receptors[j]; !q.rows || q.each || q.same != nothing {
			return false
		}
	}
	return true
}

// stepInside advances all lanes by step k, with the bits of step, and empties the rows.
func (o *coupledSegment) stepInside(r *shard, k int64) error {
	g := o.inside
	o.moveInside(r, k)
	o.events, g.after = o.events[:0], g.after[:0]
	for i := 0; i < len(g.marks); i += 2 {
		for events := g.marks[i]; events != 0; events &= events - 1 {
			bit := bits.TrailingZeros8(events)
			lane := 4*i + bit
			var after [2]float64
			for j := range o.receptors {
				q := &o.receptors[j]
				after[j], q.s[lane] = q.s[lane], g.before[j][lane]
			}
			if g.marks[i+1]>>bit&1 != 0 && o.doneSlow(r, k, lane) {
				o.setConductances(lane, after)
				continue
			}
			o.events, g.after = append(o.events, int32(lane)), append(g.after, after)
		}
	}
	err := o.solveEvents(r, k)
	for i, lane := range o.events {
		o.setConductances(int(lane), g.after[i])
	}
	return err
}

// moveInside calls the kernel of step k.
func (o *coupledSegment) moveInside(r *shard, k int64) {
	g, n, dt := o.inside, o.padded(), o.cell.dt
	b := asm.LIFConductStepBlock{
		Lanes: n, First: float64(k), V: o.y[0][:n], Free: o.free[:n], Coef: g.coefs.columns, CoefStride: g.coefs.stride,
		Dt: dt, Tilt: dt * dt / 12, Stiff: stiff, Fired: g.marks,
	}
	q := &o.receptors[0]
	b.S1, b.Row1, b.Before1, b.Kept1 = q.s, r.rows[q.c][3*o.base:], g.before[0], g.kept[0]
	b.Decay1, b.PerMean1, b.PerTilt1, b.E1, b.Growth1 = q.ofS.decay, q.ofS.mean, q.ofS.tilt, q.e, q.growth
	if len(o.receptors) == 1 {
		kernels.LIFConductStep(r.net.isa, &b)
		return
	}
	q = &o.receptors[1]
	b.S2, b.Row2, b.Before2, b.Kept2 = q.s, r.rows[q.c][3*o.base:], g.before[1], g.kept[1]
	b.Decay2, b.PerMean2, b.PerTilt2, b.E2, b.Growth2 = q.ofS.decay, q.ofS.mean, q.ofS.tilt, q.e, q.growth
	kernels.LIFConductStep2(r.net.isa, &b)
}

// setConductances sets the conductances of a lane.
func (o *coupledSegment) setConductances(lane int, to [2]float64) {
	for j := range o.receptors {
		o.receptors[j].s[lane] = to[j]
	}
}

// doneSlow takes step k of a lane that relaxes too fast for the kernel, as finish does; the conductances of the lane
// are those before the step. It reports false, and changes nothing, if the lane has an event. Of other lanes of its
// chunk nothing is used.
func (o *coupledSegment) doneSlow(r *shard, k int64, l int) bool {
	in, lo := &o.in, l/chunk*chunk
	n, i := min(chunk, o.n-lo), l-lo
	for j := range o.receptors {
		q := &o.receptors[j]
		copy(r.rows[q.c][3*(o.base+l):][:3], o.inside.kept[j][3*l:])
	}
	o.beginChunk(r, lo, n, in)
	for j := range o.receptors {
		o.take(r, &o.receptors[j], lo, n, in)
	}
	o.cell.advance(r, o, k, lo, n, in)
	y, _ := in.columns()
	if !o.cell.done(o, l, i, k, in, y) {
		return false
	}
	o.y[0][l] = in.NextV[i]
	return true
}
