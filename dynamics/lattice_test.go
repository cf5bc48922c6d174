package dynamics

import (
	"slices"
	"testing"
)

// TestLatticeFaces draws a diagonal through the nodes of a lattice, and a loop: three faces, however the paths meet
// nodes and edges.
func TestLatticeFaces(t *testing.T) {
	l := newLattice(21, 11)
	l.walls([][2]float64{{0, 0}, {10, 10}})
	l.walls([][2]float64{{14, 3}, {17, 3}, {17, 6}, {14, 6}, {14, 3}})
	l.number()
	if l.faces != 3 {
		t.Fatalf("%d faces, want 3: %v", l.faces, l.face)
	}
	for _, c := range [][4]int{{0, 10, 20, 0}, {0, 10, 15, 5}, {20, 0, 15, 5}} {
		if a, b := l.face[c[1]*l.nx+c[0]], l.face[c[3]*l.nx+c[2]]; a == b {
			t.Errorf("nodes (%d, %d) and (%d, %d) lie in one face", c[0], c[1], c[2], c[3])
		}
	}
	known := map[int]string{10 * l.nx: "above", 20: "below", 19: "below"}
	values, open := filled(l, known, 0)
	if len(open) > 0 || values[9*l.nx] != "above" || values[18] != "below" || values[5*l.nx+15] != "below" {
		t.Errorf("values %q, %d open", values, len(open))
	}
	known[18] = "other" // so that of three nodes of its face one differs: what is nearest to it stays open
	values, open = filled(l, known, 0)
	if !slices.Contains(open, 18) || slices.Contains(open, 20) || values[18] != "other" || values[20] != "below" {
		t.Errorf("values %q, open %v", values, open)
	}
}

// TestPathsStayInTheirFace goes from one side of a wall to the other, around its end.
func TestPathsStayInTheirFace(t *testing.T) {
	l := newLattice(9, 5)
	l.walls([][2]float64{{4.5, -0.5}, {4.5, 3.5}})
	l.number()
	path := l.paths(0)(8)
	if len(path) != 17 || path[0] != 0 || path[16] != 8 {
		t.Errorf("path %v, want 17 nodes from 0 to 8", path)
	}
	for k := 1; k < len(path); k++ {
		next := false
		l.neighbours(path[k-1], func(n int, open bool) { next = next || open && n == path[k] })
		if !next {
			t.Errorf("path %v: no way from %d to %d", path, path[k-1], path[k])
		}
	}
}
