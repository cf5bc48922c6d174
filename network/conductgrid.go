package network

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"

	"popsim/kernels"
	"popsim/kernels/asm"
)

// conductGrid is the step on the grid of LIF neurons, or of hhtm neurons with t_ref by strang-cn, into which nothing
// comes but one exponential conductance or two: one kernel for conductances and the states of the neurons.
type conductGrid struct {
	coefs  coefs       // see asm.LIFConductBlock, asm.HHTMConductBlock
	before [][]float64 // conductances before the step, of lanes that are slow
	fired  []uint8
}

// conducts reports whether nothing comes into the neurons of a segment but one exponential conductance or two.
func (o *coupledSegment) conducts(r *shard) bool {
	if n := len(o.receptors); n < 1 || n > 2 || r.current != nil || o.noise != nil {
		return false
	}
	return !slices.ContainsFunc(o.receptors, func(q coupledReceptor) bool { return q.kind != ExpConductance })
}

// useConduct chooses the step in one kernel where there is one.
func (o *coupledSegment) useConduct(r *shard) {
	c, onGrid := o.cell, r.net.layout.spec.OnGrid
	switch {
	case !o.conducts(r):
	case onGrid && c.kernel == kernels.LIFCoupled && o.resetsBelow():
		o.grid = o.newConductGrid()
	case onGrid && c.kernel == kernels.HHTMCoupledStrang && c.timed:
		o.grid = o.newHHTMGrid()
	case !onGrid && c.kernel == kernels.LIFCoupled:
		o.useInside()
	}
}

// resetsBelow reports whether V_reset is below V_th: others would fire while they are held.
func (o *coupledSegment) resetsBelow() bool {
	for i := range o.n {
		if o.cell.vReset[i] >= o.cell.vTh[i] {
			return false
		}
	}
	return true
}

// newConductGrid makes the coefficients of LIF, by lane.
func (o *coupledSegment) newConductGrid() *conductGrid {
	c, dt := o.cell, o.cell.dt
	columns := make([][]float64, asm.LIFConductCoefs+4*(len(o.receptors)-1))
	for j := range columns {
		columns[j] = make([]float64, o.n)
	}
	for i := range o.n {
		columns[asm.LIFConductVTh][i] = c.vTh[i]
		columns[asm.LIFConductX][i] = -float64(c.rate[i] * dt)
		columns[asm.LIFConductY][i] = float64(c.drive[i] * dt)
		per := float64(c.per[i] * dt)
		for j := range o.receptors {
			q := &o.receptors[j]
			x := columns[asm.LIFConductX1+4*j:]
			mean, tilt := float64(per*q.ofS.mean), float64(per*q.ofS.tilt)/12
			x[0][i], x[1][i] = -mean, float64(q.e*mean)
			x[2][i], x[3][i] = -float64(q.e*tilt), -tilt
		}
	}
	g := &conductGrid{coefs: groupCoefs(columns...), fired: make([]uint8, o.padded()/4)}
	for l := o.n; l < o.padded(); l++ {
		o.wake[:o.padded()][l] = math.Inf(1) // padding never moves
	}
	for range o.receptors {
		g.before = append(g.before, makeColumn(o.padded()))
	}
	return g
}

// stepOnGrid advances all lanes by step k and empties the rows.
func (o *coupledSegment) stepOnGrid(r *shard, k int64) error {
	if !o.cell.resets {
		return o.stepHHTM(r, k)
	}
	g, n := o.grid, o.padded()
	b := asm.LIFConductBlock{
		Lanes: n, First: float64(k), V: o.y[0][:n], Wake: o.wake[:n], Coef: g.coefs.columns, CoefStride: g.coefs.stride,
		Fired: g.fired,
	}
	q := &o.receptors[0]
	b.S1, b.Row1, b.Before1, b.Decay1 = q.s, r.rows[q.c][o.base:], g.before[0], q.ofS.decay
	if len(o.receptors) == 1 {
		kernels.LIFConduct(r.net.isa, &b)
	} else {
		q := &o.receptors[1]
		b.S2, b.Row2, b.Before2, b.Decay2 = q.s, r.rows[q.c][o.base:], g.before[1], q.ofS.decay
		kernels.LIFConduct2(r.net.isa, &b)
	}
	for i := 0; i < len(g.fired); i += 8 {
		word := binary.LittleEndian.Uint64(g.fired[i:])
		for ; word != 0; word &= word - 1 {
			bit := bits.TrailingZeros64(word)
			lane := 4*i + bit/16*8 + bit%8
			switch {
			case bit%16 < 8:
				o.resetOnGrid(r, k, lane)
			default:
				if err := o.slowOnGrid(r, k, lane); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// resetOnGrid ends step k of a lane that fires.
func (o *coupledSegment) resetOnGrid(r *shard, k int64, l int) {
	o.y[0][l] = o.cell.vReset[l]
	o.setWake(l, float64(k+1)+math.Round(o.cell.hold[l]), 0)
	o.fire(r, l, 1)
}

// slowOnGrid takes step k of a lane that the kernel has left as it was, as any other segment does. The conductances of
// the lane are those before the step as long as that takes; of other lanes of its chunk nothing is used.
func (o *coupledSegment) slowOnGrid(r *shard, k int64, l int) error {
	in, lo := &o.in, l/chunk*chunk
	n, i := min(chunk, o.n-lo), l-lo
	var after [2]float64
	for j := range o.receptors {
		q := &o.receptors[j]
		after[j], q.s[l] = q.s[l], o.grid.before[j][l]
	}
	o.beginChunk(r, lo, n, in)
	for j := range o.receptors {
		o.take(r, &o.receptors[j], lo, n, in)
	}
	busy := o.cell.advance(r, o, k, lo, n, in)
	if busy>>i&1 != 0 {
		if err := o.laneOnGrid(r, k, lo, i, in, true); err != nil {
			return err
		}
	}
	o.y[0][l] = in.NextV[i]
	for j := range o.receptors {
		o.receptors[j].s[l] = after[j]
	}
	return nil
}
