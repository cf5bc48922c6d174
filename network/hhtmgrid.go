package network

import (
	"math"
	"math/bits"

	"popsim/kernels"
	"popsim/kernels/asm"
)

// newHHTMGrid makes the coefficients of hhtm, by lane.
func (o *coupledSegment) newHHTMGrid() *conductGrid {
	c := o.cell
	shift := make([]float64, o.n)
	for i := range shift {
		shift[i] = (c.shift[i] + 15) / 720
	}
	return &conductGrid{
		coefs: groupCoefs(c.per, c.rate, c.drive, c.vTh, c.na, c.k, c.eNa, c.eK, shift), fired: make([]uint8, o.padded()/4),
	}
}

// stepHHTM is stepOnGrid of hhtm neurons: with the bits of step.
func (o *coupledSegment) stepHHTM(r *shard, k int64) error {
	g, n, dt := o.grid, o.padded(), o.cell.dt
	b := asm.HHTMConductBlock{
		Lanes: n, V: o.y[0][:n], M: o.y[1][:n], H: o.y[2][:n], N: o.y[3][:n], Coef: g.coefs.columns,
		CoefStride: g.coefs.stride, Dt: dt, Half: 0.5 * dt, Fired: g.fired,
	}
	q := &o.receptors[0]
	b.S1, b.Row1, b.Decay1, b.PerMean1, b.E1 = q.s, r.rows[q.c][o.base:], q.ofS.decay, q.ofS.mean, q.e
	if len(o.receptors) == 1 {
		kernels.HHTMConduct(r.net.isa, &b)
	} else {
		q := &o.receptors[1]
		b.S2, b.Row2, b.Decay2, b.PerMean2, b.E2 = q.s, r.rows[q.c][o.base:], q.ofS.decay, q.ofS.mean, q.e
		kernels.HHTMConduct2(r.net.isa, &b)
	}
	end := float64(k + 1)
	for i := 0; i < len(g.fired); i += 2 {
		for above := g.fired[i] | g.fired[i+1]; above != 0; above &= above - 1 {
			bit := bits.TrailingZeros8(above)
			switch l := 4*i + bit; {
			case l >= o.n: // padding
			case g.fired[i+1]>>bit&1 != 0:
				o.solver.begin(r, o, l)
				return o.fault(r, k, l, o.solver.s, o.solver.x)
			case o.wake[l] <= end:
				o.setWake(l, end+math.Round(o.cell.hold[l]), 0)
				o.fire(r, l, 1)
			}
		}
	}
	return nil
}
