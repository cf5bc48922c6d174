package dynamics

import "testing"

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
	values, between := filled(l, map[int]string{10 * l.nx: "above", 20: "below", 19: "below"})
	if between != 0 || values[9*l.nx] != "above" || values[18] != "below" || values[5*l.nx+15] != "below" {
		t.Errorf("values %q, %d between", values, between)
	}
}
