package dynamics

import (
	"context"
	"math"
)

// The lattice of a part of the plane.
const partColumns, partRows = 161, 121

// AreasIn is Areas for a part of the plane, from x[0] to x[1] and y[0] to y[1]; whole are the areas of the plane. The
// attractors of every region are searched for at its innermost node, and counted as in the whole where that has more.
func (r *Regions) AreasIn(ctx context.Context, each Each, whole *Areas, x, y [2]float64) (*Areas, error) {
	votes := whole.within(x, y)
	if r.swapped {
		x, y = y, x
	}
	l := r.walled(Free{Lo: x[0], Hi: x[1]}, Free{Lo: y[0], Hi: y[1]}, partColumns, partRows)
	a := &Areas{X: spread(x[0], x[1], l.nx), Y: spread(y[0], y[1], l.ny)}
	faces, inmost := unknownFaces[Regime](l, nil)
	found := make([]Regime, len(faces))
	err := each.do(len(faces), func(n int) (err error) {
		found[n], err = r.searchAt(ctx, a, l, inmost[faces[n]])
		return err
	})
	if err != nil {
		return nil, err
	}
	most := make([]int, l.faces) // cycles in the whole
	for q, regime := range votes {
		if r.swapped {
			q[0], q[1] = q[1], q[0]
		}
		k := nearestIndex(a.Y, q[1])*l.nx + nearestIndex(a.X, q[0])
		if !l.beside(k) {
			most[l.face[k]] = max(most[l.face[k]], regime.Cycles)
		}
	}
	known := map[int]Regime{}
	for n, f := range faces {
		found[n].Cycles = max(found[n].Cycles, most[f])
		known[inmost[f]] = found[n]
	}
	a.Regimes, _ = filled(l, known, 0)
	if r.swapped {
		a.transpose()
	}
	return a, ctx.Err()
}

// searchAt finds the attractors at a node of a lattice.
func (r *Regions) searchAt(ctx context.Context, a *Areas, l *lattice, node int) (q Regime, err error) {
	if r.t.dim() > 1 {
		q = (&areaFace{r: r, a: a, l: l}).search(node).regime
	}
	if resets(r.Model) {
		n, err := (&firingMap{t: r.t}).at(ctx, a.X[node%l.nx], a.Y[node/l.nx], nil)
		if err != nil {
			return q, err
		}
		q.Equilibria, q.Firing = n.equilibria, n.fires
	}
	return q, ctx.Err()
}

// within are the regimes of the nodes in a part of the plane, by their places.
func (a *Areas) within(x, y [2]float64) map[[2]float64]Regime {
	known := map[[2]float64]Regime{}
	for j, v := range a.Y {
		for i, u := range a.X {
			if q := a.Regimes[j*len(a.X)+i]; math.Abs(2*u-x[0]-x[1]) < x[1]-x[0] &&
				math.Abs(2*v-y[0]-y[1]) < y[1]-y[0] && !q.Undecided {
				known[[2]float64{u, v}] = q
			}
		}
	}
	return known
}
