package dynamics

import (
	"context"
	"math"
	"slices"
)

// The grid of nodes at which spiking by reset is searched for, in nodes of the lattice of areas. Every second node of
// every second row comes first, the others only in cells whose corners differ.
const (
	firingColumns = 6  // nodes of the lattice from one column to the next
	firingRows    = 10 // and from one row to the next
	onsetTol      = 1e-6
)

// firingMap holds where in the plane of two parameters a model that resets fires, on a grid of nx by ny nodes.
type firingMap struct {
	t      *planeSystem
	nx, ny int
	x, y   []float64
	nodes  map[int]firingNode
}

// firingNode is the result at one node.
type firingNode struct {
	fires      bool
	w          []float64 // pA, after a reset
	equilibria int       // stable equilibria
}

// firing adds the curves on which spiking by reset begins or ends, and keeps the nodes at which it was searched for.
func (t *planeSystem) firing(ctx context.Context, r *Regions, each Each) error {
	g := &firingMap{
		t: t, nx: (areaColumns-1)/firingColumns + 1, ny: (areaRows-1)/firingRows + 1,
		nodes: map[int]firingNode{},
	}
	g.x, g.y = spread(t.x.Lo, t.x.Hi, g.nx), spread(t.y.Lo, t.y.Hi, g.ny)
	for wanted := g.coarse(); len(wanted) > 0; wanted = g.finer() {
		found := make([]firingNode, len(wanted))
		err := each.do(len(wanted), func(k int) (err error) {
			found[k], err = g.at(ctx, g.x[wanted[k]%g.nx], g.y[wanted[k]/g.nx], nil)
			return err
		})
		if err != nil {
			return err
		}
		for k, n := range wanted {
			g.nodes[n] = found[k]
		}
	}
	r.firing = map[int]firingNode{}
	for k, n := range g.nodes {
		r.firing[k/g.nx*firingRows*areaColumns+k%g.nx*firingColumns] = n
	}
	return g.onsets(ctx, r, each)
}

// at finds how the model fires at (x, y), started from the usual resets or from w. Where the parameters are invalid it
// counts as silent.
func (g *firingMap) at(ctx context.Context, x, y float64, w []float64) (n firingNode, err error) {
	const turns = 60 // spikes after which a train counts as one that lasts
	s := newSystem(g.t.m, g.t.p, g.t.i, g.t.y.Name)
	s.at(y)
	over := newSystem(s.m, s.p, s.i, g.t.x.Name)
	if over.at(x); s.m.Check(over.p) != nil {
		return n, nil
	}
	f, err := FiringAt(ctx, over.m, over.p, over.i, g.t.x.Name, x, turns, 1, w...)
	if err != nil {
		return n, err
	}
	n.fires = !f.Silent
	if n.fires && len(f.Resets) > 0 {
		n.w = f.Resets[:1]
	}
	for _, q := range FixedPoints(over.m, over.p, over.i) {
		if q.Stable {
			n.equilibria++
		}
	}
	return n, nil
}

// coarse lists every second node of every second row.
func (g *firingMap) coarse() (list []int) {
	for j := 0; j < g.ny; j += 2 {
		for i := 0; i < g.nx; i += 2 {
			list = append(list, j*g.nx+i)
		}
	}
	return list
}

// finer lists the nodes not tried yet in those coarse cells in which some nodes fire and some do not.
func (g *firingMap) finer() (list []int) {
	for j := 0; j+2 < g.ny; j += 2 {
		for i := 0; i+2 < g.nx; i += 2 {
			fires, silent := false, false
			var unknown []int
			for k := range 9 {
				n := (j+k/3)*g.nx + i + k%3
				if q, ok := g.nodes[n]; !ok {
					unknown = append(unknown, n)
				} else {
					fires, silent = fires || q.fires, silent || !q.fires
				}
			}
			if fires && silent {
				list = append(list, unknown...)
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// An edge joins node k to the one on its right (2k) or above (2k+1).
func (g *firingMap) ends(edge int) (a, b int) {
	if edge%2 == 0 {
		return edge / 2, edge/2 + 1
	}
	return edge / 2, edge/2 + g.nx
}

// crossed reports whether firing begins or ends on the edge.
func (g *firingMap) crossed(edge int) bool {
	a, b := g.ends(edge)
	p, okA := g.nodes[a]
	q, okB := g.nodes[b]
	return okA && okB && p.fires != q.fires
}

// onsets adds the curves: points where firing begins or ends on the edges, joined through the cells between them.
func (g *firingMap) onsets(ctx context.Context, r *Regions, each Each) error {
	var edges []int
	next := map[int][]int{} // edges that share a cell
	for j := range g.ny {
		for i := range g.nx {
			k := j*g.nx + i
			for side := range 2 {
				if (side == 0 && i+1 < g.nx || side == 1 && j+1 < g.ny) && g.crossed(2*k+side) {
					edges = append(edges, 2*k+side)
				}
			}
			if i+1 == g.nx || j+1 == g.ny {
				continue
			}
			var around []int // below, left, above, right
			for _, e := range [4]int{2 * k, 2*k + 1, 2 * (k + g.nx), 2*(k+1) + 1} {
				if g.crossed(e) {
					around = append(around, e)
				}
			}
			for n := 1; n < len(around); n += 2 {
				next[around[n-1]] = append(next[around[n-1]], around[n])
				next[around[n]] = append(next[around[n]], around[n-1])
			}
		}
	}
	found := make([]BifurcationPoint, len(edges))
	err := each.do(len(edges), func(k int) (err error) {
		found[k], err = g.onset(ctx, edges[k])
		return err
	})
	if err != nil {
		return err
	}
	points := map[int]BifurcationPoint{}
	for k, e := range edges {
		points[e] = found[k]
	}
	done := map[int]bool{}
	for _, ends := range []int{1, 2} { // curves that begin at the edge of the plane, then closed ones
		for _, e := range edges {
			if !done[e] && len(next[e]) <= ends {
				r.addCurve(BifurcationCurve{Label: Onset, Points: chain(e, next, points, done)})
			}
		}
	}
	return nil
}

// chain lists the points of a curve from edge e on, and marks its edges as done.
func chain(e int, next map[int][]int, points map[int]BifurcationPoint, done map[int]bool) (list []BifurcationPoint) {
	first := e
	for {
		done[e] = true
		list = append(list, points[e])
		k := slices.IndexFunc(next[e], func(n int) bool { return !done[n] })
		if k < 0 {
			break
		}
		e = next[e][k]
	}
	if len(list) > 2 && slices.Contains(next[e], first) {
		list = append(list, points[first])
	}
	return slices.CompactFunc(list, func(a, b BifurcationPoint) bool { return a.X == b.X && a.Y == b.Y })
}

// onset is the point on the edge at which firing begins or ends: in closed form where there is one, else halved to
// onsetTol of the interval.
func (g *firingMap) onset(ctx context.Context, edge int) (BifurcationPoint, error) {
	a, b := g.ends(edge)
	if !g.nodes[a].fires {
		a, b = b, a
	}
	w := g.nodes[a].w
	at := [2]float64{g.x[a%g.nx], g.y[a/g.nx]}
	axis, free, other := 0, g.t.x, g.t.y
	to := g.x[b%g.nx]
	if edge%2 == 1 {
		axis, free, other = 1, other, free
		to = g.y[b/g.nx]
	}
	row := BifurcationPoint{Label: Onset, Frequency: math.NaN()}
	s := newSystem(g.t.m, g.t.p, g.t.i, other.Name)
	s.at(at[1-axis])
	over := newSystem(s.m, s.p, s.i, free.Name)
	over.at(at[axis])
	fires, silent := at[axis], to
	if x, _, ok := over.closedOnset(min(fires, silent), max(fires, silent)); ok {
		fires, silent = x, x
	}
	for max(fires-silent, silent-fires) > onsetTol*(free.Hi-free.Lo) {
		at[axis] = (fires + silent) / 2
		n, err := g.at(ctx, at[0], at[1], w)
		switch {
		case err != nil:
			return row, err
		case n.fires:
			fires, w = at[axis], n.w
		default:
			silent = at[axis]
		}
	}
	at[axis] = (fires + silent) / 2
	over.at(at[axis])
	row.X, row.Y, row.V = at[0], at[1], over.m.Threshold(over.p)
	return row, nil
}
