package dynamics

import (
	"context"
	"math/rand/v2"
	"os"
	"testing"
)

// TestPartOfAPlane compares the regions of a part of a plane of LIF, in both orders of the axes, with the closed form:
// it fires where R·I is above V_th - V_rest.
func TestPartOfAPlane(t *testing.T) {
	t.Parallel()
	m, p := mustModel(t, "lif", nil)
	rest := p[m.Index("V_rest")]
	x, y := Free{Name: "V_th", Lo: 5, Hi: 40}, Free{Name: "I", Lo: 0, Hi: 40}
	for range 2 {
		r, err := BifurcationCurves(context.Background(), m, p, 0, x, y, nil)
		if err != nil {
			t.Fatal(err)
		}
		whole, err := r.Areas(context.Background(), nil)
		if err != nil {
			t.Fatal(err)
		}
		a, err := r.AreasIn(context.Background(), nil, whole, [2]float64{20, 21}, [2]float64{20.2, 21.2})
		if err != nil {
			t.Fatal(err)
		}
		for k, q := range a.Regimes {
			th, i := a.X[k%len(a.X)], a.Y[k/len(a.X)]
			if x.Name == "I" {
				th, i = i, th
			}
			above := p[m.Index("R")]*i - (th - rest)
			if (above > 0.02 || above < -0.02) && q.Firing != (above > 0) {
				t.Fatalf("%s first: at V_th = %v, I = %v: %s", x.Name, th, i, q.Name())
			}
		}
		x, y = y, x
	}
}

// TestPartOfAPlaneIsThatOfSimulations takes the surroundings of a Bautin point and a cusp of cycles, where the regions
// of the whole plane are narrower than its nodes.
func TestPartOfAPlaneIsThatOfSimulations(t *testing.T) {
	if os.Getenv("POPSIM_LONG") == "" {
		t.Skip("takes the diagrams of a plane; POPSIM_LONG=1 runs it")
	}
	w, err := parseWindow("rhh I=-4:16 g_L=0.03:0.3")
	if err != nil {
		t.Fatal(err)
	}
	m, p, i := w.find(t)
	r, err := BifurcationCurves(context.Background(), m, p, i, w.x, w.y, inParallel)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := r.Areas(context.Background(), inParallel)
	if err != nil {
		t.Fatal(err)
	}
	rnd, counts := rand.New(rand.NewPCG(22, 0)), map[string]int{}
	for _, part := range [][4]float64{{-1.16, -0.86, 0.046, 0.0573}, {-0.92, -0.87, 0.046, 0.0485}} {
		a, err := r.AreasIn(context.Background(), inParallel, whole, [2]float64(part[:2]), [2]float64(part[2:]))
		if err != nil {
			t.Fatal(err)
		}
		for _, nodes := range innerNodes(a, 2) {
			for range 4 {
				pointAt(t, w, m, p, i, a, nodes[rnd.IntN(len(nodes))], rnd, counts)
			}
		}
	}
	t.Log(counts)
}
