package network

import (
	"popsim/kernels"
	"popsim/kernels/asm"
)

// arrivals are columns of what arrives at the lanes of a chunk in a step adds: to s at its end, to the mean of s and to
// its tilt.
type arrivals struct{ end, mean, tilt []float64 }

// nothing is what no arrival adds: see empty.
var nothing = [3]float64{empty, empty, empty}

// tripled reports whether what arrivals add off the grid is an end, a mean and a tilt.
func (q *coupledReceptor) tripled() bool {
	return q.kind == ExpCurrent || q.kind == ExpConductance || q.kind == NMDA
}

// columnOf is the receptor of the segment with exactly these lanes, if what reaches all lanes alike is kept there; else
// nil.
func (r *shard) columnOf(receptor, lane, lanes int) *coupledReceptor {
	for _, o := range r.coupled {
		if o.base != lane || o.n != lanes || r.net.layout.spec.OnGrid {
			continue
		}
		for j := range o.receptors {
			if q := &o.receptors[j]; q.c == receptor && q.tripled() {
				return q
			}
		}
	}
	return nil
}

// storesFor reports whether edges onto a receptor are delivered as runs.
func (n *Network) storesFor(receptor int) bool {
	for key := range n.pairs {
		if key.receptor == receptor {
			return true
		}
	}
	l := n.layout
	for i := range l.spec.Projections {
		p := &l.spec.Projections[i]
		if !l.spreads(p) {
			continue
		}
		for _, negative := range l.spreadSigns(p) {
			if l.receptor(p.Synapse, p.To[0].Population, negative) == receptor {
				return true
			}
		}
	}
	return false
}

// makeColumns gives a receptor columns of what arrives in the step, by lane of the range.
func (r *shard) makeColumns(receptor int) {
	if r.columns == nil {
		r.columns = make([][3][]float64, len(r.net.layout.receptors))
	}
	all := &r.columns[receptor]
	if all[0] != nil {
		return
	}
	for j := range all {
		all[j] = makeColumn(r.lanes + asm.Group)
	}
	for _, o := range r.coupled {
		for i := range o.receptors {
			if q := &o.receptors[i]; q.c == receptor {
				q.each = true
				for j := range all {
					q.columns[j] = all[j][o.base:][:len(q.s)]
				}
			}
		}
	}
}

// fill sets the columns to what reaches all lanes alike.
func (q *coupledReceptor) fill() {
	for j, x := range q.same {
		fill(q.columns[j], x)
	}
}

func fill(column []float64, x float64) {
	if len(column) == 0 {
		return
	}
	column[0] = x
	for n := 1; n < len(column); n *= 2 {
		copy(column[n:], column[:n])
	}
}

// arrivals are what arrives at the lanes of a chunk in the step, in the columns or, with what is in the row, which is
// emptied, in scratch columns.
func (q *coupledReceptor) arrivals(r *shard, row []float64, lo int, in *means) arrivals {
	if !q.each {
		lo = 0
	}
	c := arrivals{q.columns[0][lo:], q.columns[1][lo:], q.columns[2][lo:]}
	if !q.rows && !r.touched[q.c] {
		return c
	}
	a := arrivals{in.end[:], in.mean[:], in.tilt[:]}
	kernels.SplitTriples(r.net.isa, &asm.TriplesBlock{
		Lanes: chunk, Triples: row, First: a.end, Second: a.mean, Third: a.tilt,
	})
	if q.each || q.same != nothing {
		for i := range a.end {
			a.end[i] += c.end[i]
			a.mean[i] += c.mean[i]
			a.tilt[i] += c.tilt[i]
		}
	}
	return a
}

// emptyColumns empties the columns of what reached all lanes alike in the step before.
func (o *coupledSegment) emptyColumns() {
	for j := range o.receptors {
		o.receptors[j].same = nothing
	}
}

// fillColumns sets the columns by lane to what reaches all lanes alike, before trains in vectors add to them.
func (o *coupledSegment) fillColumns() {
	for j := range o.receptors {
		if q := &o.receptors[j]; q.each {
			q.fill()
		}
	}
}

// startColumns adds what reaches all lanes alike at t = 0 to the conductances.
func (o *coupledSegment) startColumns() {
	for j := range o.receptors {
		q := &o.receptors[j]
		for i := range o.n {
			if q.same != nothing {
				q.s[i] += q.same[0]
			}
		}
		q.same = nothing
	}
}
