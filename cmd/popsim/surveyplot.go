package main

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"popsim/report"
	"popsim/sweep"
)

// shownCurves is the number of curves that one pair of axes can hold before colours must tell instead.
const shownCurves = 7

// label is a quantity with its unit, as axes have it.
func label(a sweep.Axis) string {
	if a.Unit == "1" {
		return a.Name
	}
	return fmt.Sprintf("%s (%s)", a.Name, a.Unit)
}

// measure is the column that a picture shows: the first asked for, or the rate.
func (s *survey) measure() string {
	for _, m := range s.spec.Measures {
		for _, known := range sweep.MeasureNames() {
			if known == m || strings.HasPrefix(known, m+"_") && !strings.Contains(known[len(m)+1:], "_") {
				return known
			}
		}
	}
	return "rate_Hz"
}

// measureLabel is the heading of a column, written for an axis.
func measureLabel(column string) string {
	for _, unit := range []string{"Hz", "ms", "mV", "pA"} {
		if name, ok := strings.CutSuffix(column, "_"+unit); ok {
			return fmt.Sprintf("%s (%s)", strings.ReplaceAll(name, "_", " "), unit)
		}
	}
	return strings.ReplaceAll(column, "_", " ")
}

// figure is the picture of a sweep: a map of intervals, curves, or colours over two axes.
func (s *survey) figure(r *sweep.Result, table *report.Table) (*report.Figure, error) {
	axes := s.spec.Grid.Axes
	many := 0
	for _, a := range axes {
		if a.Len() > 1 {
			many++
		}
	}
	x := s.main()
	switch {
	case len(axes) == 0:
		return nil, hint(fmt.Errorf("one point makes no picture"), "a list or range, as in I=0:20:0.5, makes one")
	case s.spec.Late:
		isi, _ := table.Column("isi_ms")
		over, _ := table.Column(axes[x].Name)
		return report.Dots(s.question.title(), label(axes[x]), "inter-spike interval (ms)", over.Values.([]float64), isi.Values.([]float64)), nil
	case many > 2 && !s.zip:
		return nil, hint(fmt.Errorf("a grid over %d quantities makes no picture; one or two do", many), "the table holds all of it; leave --plot out")
	case many == 2 && !s.zip && (s.verb == "map" || axes[0].Len()*axes[1].Len()/axes[x].Len() > shownCurves):
		return s.colours(r)
	}
	y := measureLabel(s.measure())
	if s.measure() == "rate_Hz" {
		y = "firing rate (Hz)"
	}
	return report.Curves(s.question.title(), label(axes[x]), y, s.curves(r)...), nil
}

// main is the axis along which curves run: I in an f-I curve, else the longest.
func (s *survey) main() int {
	best := 0
	for j, a := range s.spec.Grid.Axes {
		if s.verb == "fi" && a.Name == "I" {
			return j
		}
		if a.Len() > s.spec.Grid.Axes[best].Len() {
			best = j
		}
	}
	return best
}

// curves are the measure over the main axis, one for each branch and each combination of the other axes.
func (s *survey) curves(r *sweep.Result) []report.Series {
	grid, x := s.spec.Grid, s.main()
	points := int(grid.Points())
	at := map[string]int{}
	var all []report.Series
	for row := range r.Rows() {
		point := row % points
		var parts []string
		if s.spec.From != sweep.FromRest {
			parts = append(parts, "from "+s.branch(row/points).String())
		}
		for j, a := range grid.Axes {
			if j != x && a.Len() > 1 && !grid.Zip {
				parts = append(parts, fmt.Sprintf("%s=%.6g", a.Name, grid.At(point, j)))
			}
		}
		key := strings.Join(parts, " ")
		if _, ok := at[key]; !ok {
			at[key] = len(all)
			all = append(all, report.Series{Name: key, Points: grid.Axes[x].Len() <= 60})
		}
		c := &all[at[key]]
		c.X, c.Y = append(c.X, grid.At(point, x)), append(c.Y, r.Value(s.measure(), row))
		if s.measure() == "rate_Hz" {
			c.YErr = append(c.YErr, r.Value("rate_error_Hz", row))
		}
	}
	for i := range all {
		tidy(&all[i])
	}
	return all
}

// branch is the start of the rows of a block.
func (s *survey) branch(block int) sweep.From {
	if s.spec.From == sweep.FromAll {
		return sweep.From(block)
	}
	return s.spec.From
}

// tidy sorts a curve by x, and takes its error bars away where none could be seen.
func tidy(c *report.Series) {
	order := make([]int, len(c.X))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool { return c.X[order[a]] < c.X[order[b]] })
	sorted := report.Series{Name: c.Name, Points: c.Points}
	span, largest := 0.0, 0.0
	for _, i := range order {
		sorted.X, sorted.Y = append(sorted.X, c.X[i]), append(sorted.Y, c.Y[i])
		if !math.IsNaN(c.Y[i]) {
			span = max(span, math.Abs(c.Y[i]))
		}
		if c.YErr != nil {
			sorted.YErr = append(sorted.YErr, c.YErr[i])
			if !math.IsNaN(c.YErr[i]) {
				largest = max(largest, c.YErr[i])
			}
		}
	}
	if largest < 0.005*span {
		sorted.YErr = nil
	}
	*c = sorted
}

// colours is the measure over two axes: the main one below, the other at the left.
func (s *survey) colours(r *sweep.Result) (*report.Figure, error) {
	if s.spec.From == sweep.FromAll {
		return nil, hint(fmt.Errorf("colours show one branch, not three"), "--from rest, up or down would do")
	}
	grid, x := s.spec.Grid, s.main()
	y := slices.IndexFunc(grid.Axes, func(a sweep.Axis) bool { return a.Len() > 1 && a.Name != grid.Axes[x].Name })
	xs, placeX := ascending(grid.Axes[x])
	ys, placeY := ascending(grid.Axes[y])
	image := report.Image{X: xs, Y: ys, Z: make([]float64, len(xs)*len(ys)), Label: measureLabel(s.measure())}
	for i := range image.Z {
		image.Z[i] = math.NaN()
	}
	for point := range int(grid.Points()) {
		i, j := placeX[grid.At(point, x)], placeY[grid.At(point, y)]
		image.Z[j*len(xs)+i] = r.Value(s.measure(), point)
	}
	return report.HeatMap(s.question.title(), label(grid.Axes[x]), label(grid.Axes[y]), image), nil
}

// ascending lists the distinct values of an axis in order, and where each stands.
func ascending(a sweep.Axis) (values []float64, place map[float64]int) {
	values = a.All()
	slices.Sort(values)
	values = slices.Compact(values)
	place = make(map[float64]int, len(values))
	for i, v := range values {
		place[v] = i
	}
	return values, place
}

// glance is the curve in characters, for those who look at a terminal.
func (s *survey) glance(r *sweep.Result) string {
	axes := s.spec.Grid.Axes
	if len(axes) == 0 || s.spec.Late || axes[s.main()].Len() < 2 {
		return ""
	}
	curves := s.curves(r)
	if len(curves) > shownCurves {
		return ""
	}
	return report.Terminal(terminalWidth(), label(axes[s.main()]), measureLabel(s.measure()), curves...)
}
