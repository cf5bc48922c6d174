package network

import (
	"popsim/kernels"
	"popsim/kernels/asm"
)

// quietEvents is lanes with events of a conductInside in whose step nothing arrives. One kernel solves them, without a
// look-up of edges.
type quietEvents struct {
	lanes []int32
	off   bool // whether there are none: a conductance decays too fast for the kernel
	block asm.LIFConductEventsBlock
}

// startQuiet makes the scratch columns of quiet lanes.
func (o *coupledSegment) startQuiet() {
	g := o.inside
	e := &g.events
	e.block = asm.LIFConductEventsBlock{
		Sums: makeColumn(asm.ConductColumns * asm.SumsStride), Fired: make([]uint8, asm.SumsLanes/8),
	}
	for j, by := range []*float64{&e.block.By1, &e.block.By2} {
		if q := g.parts[j].receptor; q != nil {
			*by = -o.cell.dt / q.tau
			e.off = e.off || -*by > asm.ConductBy
		}
	}
	if q := g.parts[0].receptor; q != nil {
		e.block.Span = q.e - g.e2
	}
}

// quiet reports whether nothing arrives at a lane with an event in the step.
func (g *conductInside) quiet(lane int) bool {
	return !g.events.off && g.parts[0].kept[3*lane] == empty && g.parts[1].kept[3*lane] == empty
}

// listQuiet lists a quiet lane for solveQuiet.
func (o *coupledSegment) listQuiet(k int64, lane int) {
	g := o.inside
	e := &g.events
	part := 1.0
	if o.free[lane] > float64(k) {
		part -= o.wakeTheta[lane]
	}
	coefs, in := g.coefs.columns[lane/asm.Group*g.coefs.stride:], lane%asm.Group
	at := e.block.Sums[len(e.lanes):]
	at[asm.ConductU*asm.SumsStride] = o.y[0][lane] - g.e2
	at[asm.ConductS1*asm.SumsStride] = g.parts[0].before[lane]
	at[asm.ConductS2*asm.SumsStride] = g.parts[1].before[lane]
	at[asm.ConductPer*asm.SumsStride] = coefs[asm.LIFConductStepPer][in]
	at[asm.ConductX*asm.SumsStride] = coefs[asm.LIFConductStepX][in]
	at[asm.ConductY*asm.SumsStride] = coefs[asm.LIFConductStepY][in]
	at[asm.ConductRoom*asm.SumsStride] = coefs[asm.LIFConductStepRoom][in]
	at[asm.ConductPart*asm.SumsStride] = part
	e.lanes = append(e.lanes, int32(lane))
}

// solveQuiet finishes step k of the lanes that are listed. Those that the kernel does not solve are left to
// solveEvents.
func (o *coupledSegment) solveQuiet(r *shard, k int64) {
	g := o.inside
	e := &g.events
	if len(e.lanes) == 0 {
		return
	}
	e.block.Lanes = (len(e.lanes) + 7) / 8 * 8
	kernels.LIFConductEvents(r.net.isa, &e.block)
	for i, l := range e.lanes {
		lane := int(l)
		end, at := e.block.Sums[asm.ConductEnd*asm.SumsStride+i], e.block.Sums[asm.ConductAt*asm.SumsStride+i]
		part := e.block.Sums[asm.ConductPart*asm.SumsStride+i]
		theta, v := 1-part+float64(part*at), end+g.e2
		fires := at <= 1
		switch {
		case e.block.Fired[i/8]>>(i%8)&1 != 0 || !(v > -blownUp),
			fires && !(theta >= instant && theta < 1-instant && o.cell.hold[lane] >= 1):
			g.exchange(lane)
			o.events = append(o.events, l)
		case fires:
			o.fire(r, lane, theta)
			o.y[0][lane] = o.cell.vReset[lane]
			o.holdTo(lane, k, theta+o.cell.hold[lane])
		default:
			o.y[0][lane] = v
			o.setWake(lane, 0, 0)
		}
	}
	e.lanes = e.lanes[:0]
}
