package dynamics

import (
	"math"
	"slices"
	"testing"
)

// foldsIn follows the folds of cycles of rhh in a window, from Bautin points and from diagrams over the current at the
// given values of the second parameter.
func foldsIn(t *testing.T, x, y Free, at ...float64) (r *Regions, curves []BifurcationCurve) {
	t.Helper()
	m, p := mustModel(t, "rhh", nil)
	s := newPlaneSystem(m, p, 0, x, y)
	r = &Regions{Model: m, X: x, Y: y, x: x, y: y, t: s}
	if err := s.equilibriumCurves(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	var scans []scan
	for _, value := range at {
		scans = append(scans, scan{along: x, at: value})
	}
	scans, err := s.scan(t.Context(), nil, scans)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cycleFolds(t.Context(), r, scans, nil); err != nil {
		t.Fatal(err)
	}
	for _, c := range r.Curves {
		if c.Label == CycleFold {
			curves = append(curves, c)
		}
	}
	return r, curves
}

// TestFoldBesideCanard follows the fold that begins at the Bautin point of rhh over g_L: it turns at a cusp of cycles
// at once (diagrams over I have two small folds at g_L = 0.0484, none at 0.04843), and lies on a canard from g_L = 0.04
// on.
func TestFoldBesideCanard(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	const (
		straight = 5e-5 // of I: what straight lines between rows miss
		edge     = 1e-8 // of I, at the edge
	)
	r, curves := foldsIn(t, Free{Name: "I", Lo: -1.2, Hi: -0.6}, Free{Name: "g_L", Lo: 0.036, Hi: 0.052})
	if len(curves) != 1 || len(r.Warnings) > 0 {
		t.Fatalf("%d curves of folds of cycles, want 1; warnings %v", len(curves), r.Warnings)
	}
	points := curves[0].Points
	for k := 1; k < len(points); k++ {
		const gL, want = 0.045, -0.8733495 // by a diagram over I
		p, q := points[k-1], points[k]
		if (p.Y < gL) != (q.Y < gL) {
			if i := p.X + (q.X-p.X)*(gL-p.Y)/(q.Y-p.Y); math.Abs(i-want) > straight {
				t.Errorf("fold of cycles at g_L = %v: I = %v, want %v", gL, i, want)
			}
		}
	}
	if q, want := points[0], -0.753032423294; q.Y != 0.036 || math.Abs(q.X-want) > edge {
		t.Errorf("the curve ends at %+v, want I = %v at g_L = 0.036", q, want)
	}
	if !slices.ContainsFunc(r.Points, func(q BifurcationPoint) bool {
		return q.Label == CycleCusp && math.Abs(q.X+0.917804459) < 1e-7 && math.Abs(q.Y-0.048417747) < 1e-8
	}) {
		t.Errorf("no cusp of cycles near the Bautin point: %+v", r.Points)
	}
}

// TestFoldsThroughCanard follows canards of rhh over g_K whose largest V drifts to both ends of the known range: there
// is one curve from edge to edge.
func TestFoldsThroughCanard(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	x, y := Free{Name: "I", Lo: -4.3, Hi: -3.5}, Free{Name: "g_K", Lo: 10, Hi: 14}
	r, curves := foldsIn(t, x, y, 10, 14)
	if len(curves) != 1 || len(r.Warnings) > 0 {
		t.Fatalf("%d curves of folds of cycles, want 1; warnings %v", len(curves), r.Warnings)
	}
	lo, hi := curves[0].Points[0].Y, curves[0].Points[len(curves[0].Points)-1].Y
	if min(lo, hi) != y.Lo || max(lo, hi) != y.Hi {
		t.Errorf("the curve runs from g_K = %v to %v, want from %v to %v", lo, hi, y.Lo, y.Hi)
	}
}
