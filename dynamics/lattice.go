package dynamics

import (
	"math"
	"slices"
)

// lattice is a grid of nodes with walls where curves run between neighbours.
type lattice struct {
	nx, ny int
	right  []bool // a wall between node k and the one to its right
	up     []bool // and the one above
	face   []int  // of every node, numbered from 0
	faces  int
}

func newLattice(nx, ny int) *lattice {
	return &lattice{nx: nx, ny: ny, right: make([]bool, nx*ny), up: make([]bool, nx*ny), face: make([]int, nx*ny)}
}

// walls puts walls along a path, which is lengthened a little at its ends so that it crosses the edge of the lattice or
// the path on which it ends.
func (l *lattice) walls(path [][2]float64) {
	const longer = 0.01
	beyond := func(p, q [2]float64) [2]float64 {
		dx, dy := p[0]-q[0], p[1]-q[1]
		norm := math.Hypot(dx, dy) + 1e-300
		return [2]float64{p[0] + longer*dx/norm, p[1] + longer*dy/norm}
	}
	// On which side of a path through a node the node lies is undefined: paths are moved by a small odd amount, so that
	// none passes exactly through a node.
	moved := make([][2]float64, len(path))
	for k, q := range path {
		moved[k] = [2]float64{q[0] + 3.1e-6, q[1] - 1.7e-6}
	}
	const same = 1e-4 // rows closer than this have no direction: an end may be given twice, up to rounding errors
	path = slices.CompactFunc(moved, func(p, q [2]float64) bool { return math.Hypot(p[0]-q[0], p[1]-q[1]) < same })
	if len(path) < 2 {
		return
	}
	n := len(path)
	path = slices.Concat([][2]float64{beyond(path[0], path[1])}, path, [][2]float64{beyond(path[n-1], path[n-2])})
	for k := 1; k < len(path); k++ {
		l.wall(path[k-1][0], path[k-1][1], path[k][0], path[k][1])
	}
}

// wall puts walls where the straight line from (u0, v0) to (u1, v1), in units of nodes, runs between neighbours.
func (l *lattice) wall(u0, v0, u1, v1 float64) {
	crossings(v0, v1, l.ny, func(j int, part float64) {
		if i := int(math.Floor(u0 + part*(u1-u0))); i >= 0 && i < l.nx-1 {
			l.right[j*l.nx+i] = true
		}
	})
	crossings(u0, u1, l.nx, func(i int, part float64) {
		if j := int(math.Floor(v0 + part*(v1-v0))); j >= 0 && j < l.ny-1 {
			l.up[j*l.nx+i] = true
		}
	})
}

// crossings calls at with every whole number from 0 to n-1 passed on the way from a to b, and with the part of the way
// up to it.
func crossings(a, b float64, n int, at func(k int, part float64)) {
	lo, hi := min(a, b), max(a, b)
	for k := max(0, int(math.Ceil(lo))); k < n && float64(k) < hi; k++ {
		at(k, (float64(k)-a)/(b-a))
	}
}

// neighbours calls visit with the nodes next to k; open is whether there is no wall between.
func (l *lattice) neighbours(k int, visit func(n int, open bool)) {
	i, j := k%l.nx, k/l.nx
	if i > 0 {
		visit(k-1, !l.right[k-1])
	}
	if i < l.nx-1 {
		visit(k+1, !l.right[k])
	}
	if j > 0 {
		visit(k-l.nx, !l.up[k-l.nx])
	}
	if j < l.ny-1 {
		visit(k+l.nx, !l.up[k])
	}
}

// number finds the faces: sets of nodes that are connected without a wall between.
func (l *lattice) number() {
	for k := range l.face {
		l.face[k] = -1
	}
	var queue []int
	for start := range l.face {
		if l.face[start] >= 0 {
			continue
		}
		l.face[start] = l.faces
		queue = append(queue[:0], start)
		for len(queue) > 0 {
			k := queue[len(queue)-1]
			queue = queue[:len(queue)-1]
			l.neighbours(k, func(n int, open bool) {
				if open && l.face[n] < 0 {
					l.face[n] = l.faces
					queue = append(queue, n)
				}
			})
		}
		l.faces++
	}
}

// spreadFrom visits all nodes in the order of their distance from the nodes in from, along open ways alone or, with
// through, across walls as well; each is called with the node before it.
func (l *lattice) spreadFrom(from []int, through bool, each func(k, before int)) {
	seen := make([]bool, l.nx*l.ny)
	for _, k := range from {
		seen[k] = true
	}
	for queue := slices.Clone(from); len(queue) > 0; queue = queue[1:] {
		k := queue[0]
		l.neighbours(k, func(n int, open bool) {
			if (open || through) && !seen[n] {
				seen[n] = true
				each(n, k)
				queue = append(queue, n)
			}
		})
	}
}

// beside reports whether a wall is next to node k.
func (l *lattice) beside(k int) (beside bool) {
	l.neighbours(k, func(_ int, open bool) { beside = beside || !open })
	return beside
}

// paths returns the shortest path inside its face from node k to another, both included.
func (l *lattice) paths(k int) func(to int) []int {
	before := map[int]int{k: k}
	l.spreadFrom([]int{k}, false, func(n, previous int) { before[n] = previous })
	return func(to int) []int {
		path := []int{to}
		for to != k {
			to = before[to]
			path = append(path, to)
		}
		slices.Reverse(path)
		return path
	}
}

// inmost lists for every face the node farthest from its edge, with the distance in nodes.
func (l *lattice) inmost() (node, depth []int) {
	node, depth = make([]int, l.faces), make([]int, l.faces)
	far := make([]int, l.nx*l.ny)
	var edge []int
	for k := range far {
		i, j := k%l.nx, k/l.nx
		node[l.face[k]] = k
		if i == 0 || j == 0 || i == l.nx-1 || j == l.ny-1 || l.beside(k) {
			edge = append(edge, k)
		}
	}
	l.spreadFrom(edge, false, func(k, before int) {
		far[k] = far[before] + 1
		if f := l.face[k]; far[k] > depth[f] {
			node[f], depth[f] = k, far[k]
		}
	})
	return node, depth
}
