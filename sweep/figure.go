package sweep

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"popsim/report"
)

// Figure draws a measure: a curve over one axis, or over the longest of zipped ones, a branch each; a heat map over two.
// The error says so where there are more axes, or where the measure was not asked for.
func (r *Result) Figure(title, measure string) (*report.Figure, error) {
	measure, err := r.drawn(measure)
	if err != nil {
		return nil, err
	}
	axes := r.plan.Grid.Axes
	switch {
	case len(axes) == 1 || len(axes) > 0 && r.plan.Grid.Zip:
		return r.curves(title, measure), nil
	case len(axes) == 2 && len(r.plan.starts) == 1:
		return r.heatMap(title, measure)
	case len(axes) == 2:
		return r.Family(title, measure)
	}
	return nil, fmt.Errorf("sweep: %d axes make no picture; one or two do", len(axes))
}

// drawn is the column of a measure, which may be given without its unit. The error says that the sweep does not hold it.
func (r *Result) drawn(measure string) (column string, err error) {
	j := measureNamed(measure)
	if j < 0 || r.columns[j] == nil {
		return "", fmt.Errorf("sweep: %q is not among the measures of this sweep", measure)
	}
	return measureList[j].name, nil
}

// LateFigure draws the distinct late intervals over the first axis: a bifurcation map. It needs Spec.Late.
func (r *Result) LateFigure(title string) (*report.Figure, error) {
	return r.dots(title, "late intervals (ms)", r.late, r.Late)
}

// ResetFigure draws w after reset over the first axis. It needs Spec.Resets.
func (r *Result) ResetFigure(title string) (*report.Figure, error) {
	return r.dots(title, "w after reset (pA)", r.resets, r.Resets)
}

func (r *Result) dots(title, what string, kept [][]float64, list func(row int) []float64) (*report.Figure, error) {
	if kept == nil || len(r.plan.Grid.Axes) == 0 {
		return nil, fmt.Errorf("sweep: no %s are kept, or there is no axis to draw them over", what)
	}
	var x, y []float64
	for row := range r.Rows() {
		for _, v := range list(row) {
			x, y = append(x, r.Axis(row, 0)), append(y, v)
		}
	}
	return report.Dots(title, r.plan.Grid.Axes[0].Label(), what, x, y), nil
}

// startNames are the starts in pictures.
var startNames = []string{FromRest: "from rest", FromUp: "upwards", FromDown: "downwards"}

// setting is one value of an axis, as keys of pictures have it.
func setting(a Axis, i int) string {
	text := fmt.Sprintf("%s = %.6g", a.Name, a.At(i))
	if a.Unit != "" && a.Unit != "1" {
		text += " " + a.Unit
	}
	return text
}

// curves draws a measure over the first axis.
func (r *Result) curves(title, measure string) *report.Figure {
	var series []report.Series
	for b, from := range r.plan.starts {
		s := report.Series{Points: r.plan.points <= 60}
		if len(r.plan.starts) > 1 {
			s.Name = startNames[from]
		}
		rows := make([]int, r.plan.points)
		for i := range rows {
			rows[i] = b*r.plan.points + i
		}
		slices.SortStableFunc(rows, func(i, j int) int { return cmp.Compare(r.Axis(i, 0), r.Axis(j, 0)) })
		r.trace(&s, measure, rows)
		series = append(series, s)
	}
	return report.Curves(title, r.plan.Grid.Axes[0].Label(), r.wordsLabel(measure), series...)
}

// wordsLabel is MeasureLabel and, of a measure in words, what the numbers on its axis stand for.
func (r *Result) wordsLabel(measure string) string {
	j := measureNamed(measure)
	var found []string
	for i, word := range measureList[j].words {
		if slices.Contains(r.columns[j], float64(i)) {
			found = append(found, fmt.Sprintf("%d %s", i, word))
		}
	}
	if found == nil {
		return MeasureLabel(measure)
	}
	return fmt.Sprintf("%s: %s", MeasureLabel(measure), strings.Join(found, ", "))
}

// Family draws a measure over the current, or the last axis where none is the current: a curve for each branch and each
// combination of the other axes.
func (r *Result) Family(title, measure string) (*report.Figure, error) {
	measure, err := r.drawn(measure)
	if err != nil {
		return nil, err
	}
	over, series := r.Series(measure)
	return report.Curves(title, over.Label(), MeasureLabel(measure), series...), nil
}

// Series are the curves of Family, and the axis that they run over.
func (r *Result) Series(measure string) (over Axis, series []report.Series) {
	x := r.plan.current
	if x < 0 {
		x = len(r.plan.Grid.Axes) - 1
	}
	at := map[int]int{} // the place of a curve, by its first row
	for row := range r.Rows() {
		point := row % r.plan.points
		first := row - r.plan.Grid.index(point, x)*r.plan.Grid.stride(x)
		if _, ok := at[first]; !ok {
			at[first] = len(series)
			series = append(series, report.Series{Name: r.nameOfCurve(row, x)})
		}
		s := &series[at[first]]
		s.X, s.Y = append(s.X, r.Axis(row, x)), append(s.Y, r.Value(measure, row))
	}
	return r.plan.Grid.Axes[x], series
}

// nameOfCurve tells the curve over axis x through a row from the others: by the other axes, and the start.
func (r *Result) nameOfCurve(row, x int) string {
	var parts []string
	for j, a := range r.plan.Grid.Axes {
		if j != x && !r.plan.Grid.Zip {
			parts = append(parts, setting(a, r.plan.Grid.index(row%r.plan.points, j)))
		}
	}
	if len(r.plan.starts) > 1 {
		parts = append(parts, startNames[r.Branch(row)])
	}
	return strings.Join(parts, ", ")
}

// trace fills a series with a measure of the given rows over the first axis; rates carry their error where it shows.
func (r *Result) trace(s *report.Series, measure string, rows []int) {
	shows := false
	for _, row := range rows {
		s.X, s.Y = append(s.X, r.Axis(row, 0)), append(s.Y, r.Value(measure, row))
		e := r.Value("rate_error_Hz", row)
		shows = shows || e > visible*r.Value("rate_Hz", row)
		s.YErr = append(s.YErr, e)
	}
	if measure != "rate_Hz" || !shows || !s.Points {
		s.YErr = nil
	}
}

// visible is the relative error from which error bars are drawn.
const visible = 0.01

func (r *Result) heatMap(title, measure string) (*report.Figure, error) {
	y, x := r.plan.Grid.Axes[0], r.plan.Grid.Axes[1]
	columns, rows := places(x), places(y)
	if len(columns) < x.Len() || len(rows) < y.Len() {
		return nil, fmt.Errorf("sweep: a heat map needs values that differ from each other on both axes")
	}
	image := report.Image{Label: MeasureLabel(measure), Z: make([]float64, 0, r.plan.points)}
	for _, i := range columns {
		image.X = append(image.X, x.At(i))
	}
	for _, j := range rows {
		image.Y = append(image.Y, y.At(j))
		for _, i := range columns {
			image.Z = append(image.Z, r.Value(measure, j*x.Len()+i))
		}
	}
	if words := measureList[measureNamed(measure)].words; words != nil {
		image.Names = present(words, image.Z)
	}
	return report.HeatMap(title, x.Label(), y.Label(), image), nil
}

// present lists the words that occur among values, which become their places in the list.
func present(words []string, values []float64) (found []string) {
	place := make([]int, len(words))
	for i, word := range words {
		place[i] = len(found)
		if slices.Contains(values, float64(i)) {
			found = append(found, word)
		}
	}
	for i, x := range values {
		if !math.IsNaN(x) {
			values[i] = float64(place[int(x)])
		}
	}
	return found
}

// places lists the places of the distinct values of an axis by ascending value.
func places(a Axis) []int {
	found := make([]int, a.Len())
	for i := range found {
		found[i] = i
	}
	slices.SortStableFunc(found, func(i, j int) int { return cmp.Compare(a.At(i), a.At(j)) })
	return slices.CompactFunc(found, func(i, j int) bool { return a.At(i) == a.At(j) })
}

// Label is the quantity with its unit, as pictures have it: "I (pA)".
func (a Axis) Label() string {
	if a.Unit == "" || a.Unit == "1" {
		return a.Name
	}
	return fmt.Sprintf("%s (%s)", a.Name, a.Unit)
}

// MeasureLabel is a column in words, with its unit, as pictures have it: "firing rate (Hz)". The name may lack its unit.
func MeasureLabel(name string) string {
	j := measureNamed(name)
	if j < 0 {
		return name
	}
	return cmp.Or(measureLabels[measureList[j].name], measureList[j].name)
}

var measureLabels = map[string]string{
	"rate_Hz":        "firing rate (Hz)",
	"rate_error_Hz":  "error of the rate (Hz)",
	"latency_ms":     "latency (ms)",
	"isi_first_ms":   "first interval (ms)",
	"isi_last_ms":    "last interval (ms)",
	"isi_cv":         "CV of intervals",
	"V_min_mV":       "lowest V (mV)",
	"V_max_mV":       "highest V (mV)",
	"w_min_pA":       "lowest w (pA)",
	"w_max_pA":       "highest w (pA)",
	"pattern_margin": "margin of the pattern",
	"period":         "period (spikes)",
	"adaptation":     "adaptation index",
}
