package figure

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"popsim/dynamics"
	"popsim/model"
)

// TestSmallCyclesAreEnlarged: the branch of small cycles of AdEx has a panel of its own, each kind of mark is in the
// legend once, and a picture of an interrupted computation has a note.
func TestSmallCyclesAreEnlarged(t *testing.T) {
	m := model.AdExModel
	free := dynamics.Free{Name: "I", Lo: 0, Hi: 10}
	d, err := dynamics.Bifurcation(context.Background(), m, m.Defaults(), 0, free)
	if err != nil {
		t.Fatal(err)
	}
	b := &Bifurcation{
		Title: "adex", Model: m, Axes: []Quantity{{"I", "pA", free.Lo, free.Hi}}, Diagram: d,
		Unfinished: true,
	}
	f := b.Figure()
	if !strings.Contains(f.Title, "unfinished") {
		t.Errorf("the title %q does not mention the interruption", f.Title)
	}
	if len(f.Panels) != 3 || f.Panels[1].XRange[0] < 6 || f.Panels[1].XRange[1] > 8 {
		t.Fatalf("%d panels, the second over %v; want 3, the second around the cycles from 7.19 to 7.56", len(f.Panels),
			f.Panels[1].XRange)
	}
	names := map[string]int{}
	for _, p := range f.Panels {
		for _, m := range p.Points {
			names[m.Name]++
		}
	}
	for _, want := range []string{"subcritical Hopf", "fold", "homoclinic"} {
		if names[want] != 1 {
			t.Errorf("the mark %q is in the legend %d times, want once", want, names[want])
		}
	}
	if err := f.Check(); err != nil {
		t.Error(err)
	}
}

// TestColumnsOfTheFirstState: columns have the name of a first state that is no potential.
func TestColumnsOfTheFirstState(t *testing.T) {
	m := *model.LIFModel
	m.States = []model.State{{Name: "S1", Unit: "1"}}
	for want, b := range map[string]*Bifurcation{
		"V_min_mV": {Model: model.LIFModel},
		"S1_min":   {Model: &m},
	} {
		if got := b.column("_min"); got != want {
			t.Errorf("column %s, want %s", got, want)
		}
	}
}

// TestStableUpToTheHopfPoint: an equilibrium is drawn as stable up to a special point, whatever the rounding of its
// leading eigenvalue says, and not beyond it.
func TestStableUpToTheHopfPoint(t *testing.T) {
	t.Parallel()
	row := func(x, re float64) dynamics.Row {
		return dynamics.Row{
			Parameter: x, Stable: re < 0, Spectrum: []complex128{complex(re, 1), complex(re, -1)}, Period: math.NaN(),
		}
	}
	for _, rounding := range []float64{1e-15, -1e-15} {
		b := &Bifurcation{Diagram: &dynamics.Diagram{Branches: []dynamics.Branch{{
			Kind: dynamics.Equilibrium, Rows: []dynamics.Row{row(0, -0.1), row(1, rounding), row(2, 0.1)},
		}}}}
		for _, l := range b.branches(func(dynamics.Row) []float64 { return []float64{0} }, nil) {
			want := map[string]float64{"stable equilibrium": 1, "unstable equilibrium": 2}[l.Name]
			if last := l.X[len(l.X)-1]; last != want {
				t.Errorf("rounding %g: the line of the %s ends at %g, want %g", rounding, l.Name, last, want)
			}
		}
	}
	if end, _ := markOf(dynamics.BranchEnd); end == Circle {
		t.Error("an end of a branch has the mark of a Hopf point")
	}
}

// TestNamesAmongManyPoints: of many special points those that stand alone have names, and of two folds of cycles whose
// heights differ by a tenth of the picture both, where the first state is no potential.
func TestNamesAmongManyPoints(t *testing.T) {
	t.Parallel()
	m := &model.Model{States: []model.State{{Name: "x", Unit: "1"}}}
	at := func(x, v float64) dynamics.Point {
		return dynamics.Point{Label: dynamics.CycleFold, Parameter: x, V: v}
	}
	b := &Bifurcation{Model: m, Axes: []Quantity{{"I", "1", 0, 1}}, Diagram: &dynamics.Diagram{}}
	names := func(points ...dynamics.Point) int {
		b.Diagram.Points = points
		_, texts := b.marks(func(q Special) float64 { return q.v }, true)
		return len(texts)
	}
	if n := names(at(0.5, 0), at(0.6, 0.2)); n != 2 {
		t.Errorf("%d of 2 points have names", n)
	}
	many := []dynamics.Point{at(0.1, 0)}
	for range mostNames {
		many = append(many, at(0.5, 0))
	}
	if n := names(many...); n != 1 {
		t.Errorf("%d points have names, want only the one that stands alone", n)
	}
}

// TestOnsetOnAFoldIsDashed: where firing begins at a fold, as in eif, both curves are visible; beside it, as in adex,
// the onset is a solid line.
func TestOnsetOnAFoldIsDashed(t *testing.T) {
	t.Parallel()
	curve := func(label string, by float64) dynamics.BifurcationCurve {
		return dynamics.BifurcationCurve{
			Label: label, Points: []dynamics.BifurcationPoint{{X: 4 + by, Y: 1}, {X: 1 + by, Y: 4}},
		}
	}
	for _, c := range []struct {
		apart float64
		dash  Dash
	}{{0, Dashed}, {0.5, Solid}} {
		b := &Bifurcation{
			Axes: []Quantity{{"I", "pA", 0, 10}, {"delta_T", "mV", 0.5, 5}},
			Regions: &dynamics.Regions{
				Curves: []dynamics.BifurcationCurve{curve(dynamics.Fold, 0), curve(dynamics.Onset, c.apart)},
			},
		}
		lines := b.Figure().Panels[0].Lines
		if len(lines) != 2 || lines[0].Dash != Solid || lines[1].Dash != c.dash {
			t.Errorf("%v apart: lines %+v, want the onset with dash %v", c.apart, lines, c.dash)
		}
	}
}

// TestEnlargedChartHasRegions: regions of an enlarged part have the colours of the whole, and only those that the whole
// does not show are in its key.
func TestEnlargedChartHasRegions(t *testing.T) {
	rest, cycle := dynamics.Regime{Equilibria: 1}, dynamics.Regime{Cycles: 1}
	both := dynamics.Regime{Equilibria: 1, Cycles: 1}
	b := &Bifurcation{
		Model: model.RHHModel, Axes: []Quantity{{Name: "I", Lo: 0, Hi: 10}, {Name: "g_L", Lo: 0, Hi: 1}},
		Regions: &dynamics.Regions{Points: []dynamics.BifurcationPoint{
			{Label: dynamics.Cusp, X: 5, Y: 0.5}, {Label: dynamics.Bautin, X: 5.1, Y: 0.505},
		}},
		Areas: &dynamics.Areas{X: []float64{0, 10}, Y: []float64{0, 1}, Regimes: []dynamics.Regime{rest, cycle, rest, cycle}},
		Part: &dynamics.Areas{
			X: []float64{5, 5.1}, Y: []float64{0.5, 0.51}, Regimes: []dynamics.Regime{both, cycle, both, cycle},
		},
	}
	if x, y, ok := b.Enlarged(); !ok || x[0] > 5 || x[1] < 5.1 || y[0] > 0.5 || y[1] < 0.505 {
		t.Fatalf("the window is %v, %v, %v", x, y, ok)
	}
	panels := b.Figure().Panels
	if len(panels) != 2 || panels[1].Image == nil {
		t.Fatalf("%d panels, the enlarged one without regions", len(panels))
	}
	whole, part := panels[0].Image, panels[1].Image
	if !slices.Equal(whole.Names, part.Names) || !slices.Equal(whole.Colours, part.Colours) {
		t.Errorf("%q in the whole, %q in the part", whole.Names, part.Names)
	}
	if want := []string{"equilibrium", "cycle"}; !slices.Equal(part.Known, want) {
		t.Errorf("the key leaves out %q, want %q", part.Known, want)
	}
}
