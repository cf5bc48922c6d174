package figure

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"popsim/sweep"
)

// Sweep draws a measure of r: a curve over one axis, or over the longest of zipped ones, a branch each; a heat map over
// two. It is an error if there are more axes, or if the sweep does not hold the measure.
func Sweep(r *sweep.Result, title, measure string) (*Figure, error) {
	measure, err := column(r, measure)
	if err != nil {
		return nil, err
	}
	axes := r.Spec.Grid.Axes
	switch {
	case len(axes) == 1 || len(axes) > 0 && r.Spec.Grid.Zip:
		return curves(r, title, measure), nil
	case len(axes) == 2 && len(r.Starts()) == 1:
		return heatMap(r, title, measure)
	case len(axes) == 2:
		return Family(r, title, measure)
	}
	return nil, fmt.Errorf("%d axes make no picture; one or two do", len(axes))
}

// column is the column of a measure, which may be given without its unit. It is an error if r does not hold it.
func column(r *sweep.Result, measure string) (string, error) {
	name := sweep.MeasureColumn(measure)
	if name == "" || !r.Holds(name) {
		return "", fmt.Errorf("%q is not among the measures of this sweep", measure)
	}
	return name, nil
}

// LateIntervals draws the distinct late intervals over the first axis: a bifurcation map. It needs Spec.Late.
func LateIntervals(r *sweep.Result, title string) (*Figure, error) {
	return lists(r, title, "interspike interval (ms)", r.Spec.Late, r.Late)
}

// Resets draws w after reset over the first axis. It needs Spec.Resets.
func Resets(r *sweep.Result, title string) (*Figure, error) {
	return lists(r, title, "w after reset (pA)", r.Spec.Resets, r.Resets)
}

// lists draws a list of values of each row as dots over the first axis.
func lists(r *sweep.Result, title, what string, kept bool, list func(row int) []float64) (*Figure, error) {
	if !kept || len(r.Spec.Grid.Axes) == 0 {
		return nil, fmt.Errorf("no %s are kept, or there is no axis to draw them over", what)
	}
	var x, y []float64
	for row := range r.Rows() {
		for _, v := range list(row) {
			x, y = append(x, r.Axis(row, 0)), append(y, v)
		}
	}
	return Dots(title, AxisLabel(r.Spec.Grid.Axes[0]), what, x, y), nil
}

// startNames are the starts in pictures.
var startNames = []string{sweep.FromRest: "from rest", sweep.FromUp: "upwards", sweep.FromDown: "downwards"}

// setting is one value of an axis, as keys of pictures have it.
func setting(a sweep.Axis, i int) string {
	text := fmt.Sprintf("%s = %.6g", a.Name, a.At(i))
	if a.Unit != "" && a.Unit != "1" {
		text += " " + a.Unit
	}
	return text
}

// curves draws a measure over the first axis.
func curves(r *sweep.Result, title, measure string) *Figure {
	var series []Series
	for b, from := range r.Starts() {
		s := Series{Points: r.Points() <= 60}
		if len(r.Starts()) > 1 {
			s.Name = startNames[from]
		}
		rows := make([]int, r.Points())
		for i := range rows {
			rows[i] = b*r.Points() + i
		}
		slices.SortStableFunc(rows, func(i, j int) int { return cmp.Compare(r.Axis(i, 0), r.Axis(j, 0)) })
		trace(r, &s, measure, rows)
		if measure == "rate_Hz" {
			s.breakJumps()
		}
		series = append(series, s)
	}
	f := Curves(title, AxisLabel(r.Spec.Grid.Axes[0]), MeasureLabel(measure), series...)
	inWords(f, r, measure)
	flat(f, measure)
	return f
}

// inWords puts the words that occur at the axis of a measure in words, and its points, which have no order, are not
// joined.
func inWords(f *Figure, r *sweep.Result, measure string) {
	words := sweep.MeasureWords(measure)
	if words == nil {
		return
	}
	p := &f.Panels[0]
	var all []float64
	for i := range p.Lines {
		all = append(all, p.Lines[i].Y...)
	}
	p.YNames = present(words, all)
	p.Points = nil
	at := 0
	for i, l := range p.Lines {
		y := all[at : at+len(l.Y)]
		at += len(l.Y)
		p.Points = append(p.Points,
			Points{Name: l.Name, X: l.X, Y: y, Size: 4, Color: l.Color, Mark: []Mark{Circle, Square, Triangle, Diamond}[i%4]})
	}
	p.Lines = nil
	p.YRange = [2]float64{-0.5, float64(len(p.YNames)) - 0.5}
}

// Family draws a measure over the current, or the last axis where none is the current: a curve for each branch and each
// combination of the other axes.
func Family(r *sweep.Result, title, measure string) (*Figure, error) {
	measure, err := column(r, measure)
	if err != nil {
		return nil, err
	}
	over, series := FamilySeries(r, measure)
	if measure == "rate_Hz" {
		for i := range series {
			series[i].breakJumps()
		}
	}
	f := Curves(title, AxisLabel(over), MeasureLabel(measure), series...)
	inWords(f, r, measure)
	flat(f, measure)
	return f, nil
}

// FamilySeries are the curves of Family, and the axis that they run over.
func FamilySeries(r *sweep.Result, measure string) (over sweep.Axis, series []Series) {
	x := r.CurrentAxis()
	if x < 0 {
		x = len(r.Spec.Grid.Axes) - 1
	}
	at := map[int]int{} // the place of a curve, by its first row
	for row := range r.Rows() {
		point := row % r.Points()
		first := row - r.Spec.Grid.Index(point, x)*r.Spec.Grid.Stride(x)
		if _, ok := at[first]; !ok {
			at[first] = len(series)
			series = append(series, Series{Name: curveName(r, row, x)})
		}
		s := &series[at[first]]
		s.X, s.Y = append(s.X, r.Axis(row, x)), append(s.Y, r.Value(measure, row))
	}
	return r.Spec.Grid.Axes[x], series
}

// jumpRatio is how much larger than the next step of a rate its first one is where it jumps. A rate that begins
// like a square root, at a saddle-node on the cycle, has a ratio of at most 1/(sqrt(2) - 1) = 2.4.
const jumpRatio = 3

// breakJumps breaks a curve of a rate where it jumps between 0 and a frequency: between the two points the curve is
// unknown.
func (s *Series) breakJumps() {
	jumps := func(zero, first, second int) bool {
		if zero < 0 || second < 0 || max(zero, second) >= len(s.Y) || s.Y[zero] != 0 || !(s.Y[first] > 0) {
			return false
		}
		return s.Y[first] > jumpRatio*math.Abs(s.Y[second]-s.Y[first])
	}
	out := Series{Name: s.Name, Points: s.Points, Dashed: s.Dashed}
	add := func(x, y, e float64) {
		out.X, out.Y = append(out.X, x), append(out.Y, y)
		if s.YErr != nil {
			out.YErr = append(out.YErr, e)
		}
	}
	for i := range s.X {
		if jumps(i-1, i, i+1) || jumps(i, i-1, i-2) {
			add(math.NaN(), math.NaN(), math.NaN())
		}
		e := 0.0
		if s.YErr != nil {
			e = s.YErr[i]
		}
		add(s.X[i], s.Y[i], e)
	}
	*s = out
}

// curveName names the curve over axis x through a row by the values of the other axes and the start.
func curveName(r *sweep.Result, row, x int) string {
	var parts []string
	for j, a := range r.Spec.Grid.Axes {
		if j != x && !r.Spec.Grid.Zip {
			parts = append(parts, setting(a, r.Spec.Grid.Index(row%r.Points(), j)))
		}
	}
	if len(r.Starts()) > 1 {
		parts = append(parts, startNames[r.Branch(row)])
	}
	return strings.Join(parts, ", ")
}

// trace fills a series with a measure of the given rows over the first axis; rates have error bars where these are
// visible.
func trace(r *sweep.Result, s *Series, measure string, rows []int) {
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

// leastSpan is the least range of the axis of a measure: differences far below it are rounding, and would look like
// structure.
var leastSpan = map[string]float64{"isi_cv": 0.01, "adaptation": 0.01}

// flat gives an axis whose values differ by less than leastSpan that range, around them.
func flat(f *Figure, measure string) {
	s := newSpan(false)
	for _, l := range f.Panels[0].Lines {
		s.add(l.Y...)
	}
	if pair, ok := s.widened(leastSpan[measure]); ok {
		f.Panels[0].YRange = pair
	}
}

// widened is a range of the given width around values that differ by less; ok is false where they differ by more.
func (s span) widened(width float64) (pair [2]float64, ok bool) {
	if width == 0 || !(s.hi-s.lo < width) || s.lo > s.hi {
		return pair, false
	}
	low := s.lo
	if low > 0 && low < width {
		low = 0
	}
	return [2]float64{low, low + width}, true
}

// visible is the relative error from which error bars are drawn.
const visible = 0.01

// heatMap draws a measure over two axes as colours.
func heatMap(r *sweep.Result, title, measure string) (*Figure, error) {
	y, x := r.Spec.Grid.Axes[0], r.Spec.Grid.Axes[1]
	columns, rows := places(x), places(y)
	if len(columns) < x.Len() || len(rows) < y.Len() {
		return nil, fmt.Errorf("a heat map needs values that differ from each other on both axes")
	}
	image := Image{Label: MeasureLabel(measure), Z: make([]float64, 0, r.Points())}
	for _, i := range columns {
		image.X = append(image.X, x.At(i))
	}
	for _, j := range rows {
		image.Y = append(image.Y, y.At(j))
		for _, i := range columns {
			image.Z = append(image.Z, r.Value(measure, j*x.Len()+i))
		}
	}
	if measure == "rate_Hz" {
		image.Grey = silence(image.Z)
	}
	z := newSpan(false)
	z.add(image.Z...)
	image.Range, _ = z.widened(leastSpan[measure])
	if words := sweep.MeasureWords(measure); words != nil {
		image.Names = present(words, image.Z)
	}
	return HeatMap(title, AxisLabel(x), AxisLabel(y), image), nil
}

// silence puts NaN in place of rates of 0, so that silent points stand apart from those with low rates, and returns
// what NaN means then. Where all are silent, or none, it does nothing.
func silence(rates []float64) string {
	silent, undefined, fires := false, false, false
	for _, x := range rates {
		silent, undefined, fires = silent || x == 0, undefined || math.IsNaN(x), fires || x > 0
	}
	if !silent || !fires {
		return ""
	}
	for i, x := range rates {
		if x == 0 {
			rates[i] = math.NaN()
		}
	}
	if undefined {
		return "silent or undefined"
	}
	return "silent"
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
func places(a sweep.Axis) []int {
	found := make([]int, a.Len())
	for i := range found {
		found[i] = i
	}
	slices.SortStableFunc(found, func(i, j int) int { return cmp.Compare(a.At(i), a.At(j)) })
	return slices.CompactFunc(found, func(i, j int) bool { return a.At(i) == a.At(j) })
}

// AxisLabel is the quantity with its unit, as pictures have it: "I (pA)".
func AxisLabel(a sweep.Axis) string {
	if a.Unit == "" || a.Unit == "1" {
		return a.Name
	}
	return fmt.Sprintf("%s (%s)", a.Name, a.Unit)
}

// MeasureLabel is a column in words, with its unit, as pictures have it: "firing rate (Hz)". The name may lack its
// unit.
func MeasureLabel(name string) string {
	column := sweep.MeasureColumn(name)
	return cmp.Or(measureLabels[column], column, name)
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
	"burst_spikes":   "spikes per burst",

	"vector_strength": "vector strength", "cv2": "CV2", "fano": "Fano factor",
	"burst_rate_Hz": "bursts per second (Hz)",
}
