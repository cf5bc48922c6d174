package equations

import (
	"math"
	"strings"
	"testing"

	"popsim/dynamics"
	"popsim/model"
)

// bistable has a second state that is at rest at up to three values for one V: w³ - w = 0.3 V.
const bistable = `
[neuron]
name = "bistable"
units = "loose"
[parameters]
I = 0
k = 0.5
[states]
V = 0
w = -1
[equations]
V = "I - V + k*w"
w = "w - w^3 + 0.3*V"
[spike]
when = "V > 5"
rearm = 1
`

func parsed(t *testing.T, text string) *model.Model {
	t.Helper()
	m, err := Parse("bistable.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestSecondStateWithThreeSteadyValues: equilibria and folds of bistable are the roots of V = I + w/2,
// 1.15 w + 0.3 I = w³, whose slope by w vanishes at w² = 1.15/3.
func TestSecondStateWithThreeSteadyValues(t *testing.T) {
	t.Parallel()
	const tolerance = 1e-9
	m := parsed(t, bistable)
	if m.Ambiguous == nil || !m.Ambiguous(m.Defaults()) {
		t.Fatal("the second state is not known to have several steady values")
	}
	want := [][]float64{{-0.5, -1}, {0, 0}, {0.5, 1}}
	found := dynamics.FixedPoints(m, m.Defaults(), 0)
	if len(found) != len(want) {
		t.Fatalf("%d equilibria, want %d", len(found), len(want))
	}
	for k, f := range found {
		for j, x := range want[k] {
			if x *= math.Sqrt(1.15); math.Abs(f.State[j]-x) > tolerance {
				t.Errorf("equilibrium %v, want state %d = %v", f.State, j, x)
			}
		}
		if f.Stable != (k != 1) {
			t.Errorf("equilibrium %v: stable is %t", f.State, f.Stable)
		}
	}
	d, err := dynamics.Bifurcation(t.Context(), m, m.Defaults(), 0, dynamics.Free{Name: "I", Lo: -4, Hi: 4})
	if err != nil || len(d.Warnings) > 0 {
		t.Fatalf("error %v, warnings %v", err, d.Warnings)
	}
	w := math.Sqrt(1.15 / 3)
	fold := (1.15*w - w*w*w) / 0.3 // and -fold
	if len(d.Branches) != 1 || len(d.Points) != 2 {
		t.Fatalf("%d curves and %d points, want one curve with two folds", len(d.Branches), len(d.Points))
	}
	for _, p := range d.Points {
		if p.Label != dynamics.Fold || math.Abs(math.Abs(p.Parameter)-fold) > tolerance {
			t.Errorf("%s at %v, want a fold at ±%v", p.Label, p.Parameter, fold)
		}
	}
	last := d.Branches[0].Rows
	if a, b := last[0].Parameter, last[len(last)-1].Parameter; math.Abs(a) != 4 || math.Abs(b) != 4 || a == b {
		t.Errorf("the curve runs from %v to %v, want the whole interval", a, b)
	}
}

// TestCurveEndsAtTheThreshold: the curve of equilibria of a model that resets, whose second state has several steady
// values, ends where the neuron spikes, with a warning that says so.
func TestCurveEndsAtTheThreshold(t *testing.T) {
	t.Parallel()
	const tolerance = 1e-9
	m := parsed(t, strings.NewReplacer("V > 5", "V > 1", "rearm = 1", `reset = { V = "-1" }`).Replace(bistable))
	d, err := dynamics.Bifurcation(t.Context(), m, m.Defaults(), 0, dynamics.Free{Name: "I", Lo: -4, Hi: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range d.Points {
		if p.Label == dynamics.BranchEnd && math.Abs(p.V-1) < tolerance {
			return
		}
	}
	t.Errorf("no end of a branch at V = 1 among %+v", d.Points)
}

// TestSteadyStatesOfTheLibrary: of the library only the other population of wong-wang has several steady states at one
// value of the first.
func TestSteadyStatesOfTheLibrary(t *testing.T) {
	t.Parallel()
	for _, name := range Names() {
		m, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		if several := m.Ambiguous != nil && m.Ambiguous(m.Defaults()); several != (name == "wong-wang") {
			t.Errorf("%s: several steady values is %t", name, several)
		}
	}
}

// TestTwoIntervalsAreRefused: a diagram over two quantities, at a corner of which a state has several steady values, is
// refused.
func TestTwoIntervalsAreRefused(t *testing.T) {
	t.Parallel()
	m := parsed(t, strings.NewReplacer("k = 0.5", "k = 0.5\nr = -1", "w - w^3", "r*w - w^3").Replace(bistable))
	x, y := dynamics.Free{Name: "I", Lo: -1, Hi: 1}, dynamics.Free{Name: "r", Lo: -1, Hi: 1}
	_, err := dynamics.BifurcationCurves(t.Context(), m, m.Defaults(), 0, x, y, nil)
	if err == nil || !strings.Contains(err.Error(), "several steady values") {
		t.Errorf("error %v, want one about several steady values", err)
	}
}
