package figure

import (
	"fmt"
	"slices"

	"popsim/sweep"
)

// ShownCurves is the number of curves that one pair of axes can hold.
const ShownCurves = 7

// SweepPicture selects the contents of the picture of a sweep.
type SweepPicture struct {
	Title    string
	Measure  string   // column that is drawn, rate_Hz if empty
	Further  []string // columns in panels below it
	Extremes string   // state, V or w, whose least and largest values are drawn over the only axis; "" for none
	Curves   bool     // f-I curves stand side by side as long as they are no more than ShownCurves
}

// Figure draws what the sweep shows, and a panel below for each further measure.
func (p SweepPicture) Figure(r *sweep.Result) (*Figure, error) {
	f, err := p.first(r)
	if err != nil || r.Spec.Late || r.Spec.Resets || p.Extremes != "" && len(r.Spec.Grid.Axes) == 1 {
		return f, err
	}
	for _, measure := range p.Further {
		one := p
		one.Measure = measure
		g, err := one.first(r)
		if err != nil {
			return nil, err
		}
		f.Panels = append(f.Panels, g.Panels...)
	}
	return f, nil
}

// first draws the late intervals or the states after resets, if the sweep kept them, else extremes, else the measure.
func (p SweepPicture) first(r *sweep.Result) (*Figure, error) {
	axes := r.Spec.Grid.Axes
	switch {
	case r.Spec.Late:
		return LateIntervals(r, p.Title)
	case r.Spec.Resets:
		return Resets(r, p.Title)
	case p.Extremes != "" && len(axes) == 1:
		return extremes(r, p.Title, p.Extremes), nil
	case p.Curves && len(axes) >= 2 && !r.Spec.Grid.Zip:
		if _, curves := FamilySeries(r, p.measure()); len(curves) <= ShownCurves {
			return Family(r, p.Title, p.measure())
		}
	}
	return Sweep(r, p.Title, p.measure())
}

// Terminal draws the curves in characters, at most width columns wide. It returns "" where there is no curve to draw.
func (p SweepPicture) Terminal(r *sweep.Result, width int) string {
	if len(r.Spec.Grid.Axes) == 0 || r.Spec.Late || r.Spec.Resets || r.Spec.Grid.Zip {
		return ""
	}
	over, curves := FamilySeries(r, p.measure())
	if over.Len() < 2 || len(curves) > ShownCurves || !slices.IsSorted(curves[0].X) {
		return ""
	}
	return Terminal(width, AxisLabel(over), MeasureLabel(p.measure()), curves...)
}

func (p SweepPicture) measure() string {
	if p.Measure == "" {
		return "rate_Hz"
	}
	return p.Measure
}

// CurvesOf returns how many f-I curves a sweep has: one for each combination of the quantities other than I, and each
// start.
func CurvesOf(s sweep.Spec) int {
	n := 1
	for _, a := range s.Grid.Axes {
		if a.Name != "I" {
			n *= a.Len()
		}
	}
	if s.From == sweep.FromAll {
		n *= 3
	}
	return n
}

// extremes draws the least and the largest value of a state over the first axis as dots.
func extremes(r *sweep.Result, title, state string) *Figure {
	unit := r.Spec.Model.States[r.Spec.Model.StateIndex(state)].Unit
	var x, y []float64
	for row := range r.Rows() {
		x = append(x, r.Axis(row, 0), r.Axis(row, 0))
		y = append(y, r.Value(state+"_min_"+unit, row), r.Value(state+"_max_"+unit, row))
	}
	return Dots(title, AxisLabel(r.Spec.Grid.Axes[0]), fmt.Sprintf("extremes of %s (%s)", state, unit), x, y)
}
