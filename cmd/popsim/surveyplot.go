package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"popsim/report"
	"popsim/sweep"
)

// shownCurves is the number of curves that one pair of axes can hold.
const shownCurves = 7

// checkPlot refuses pictures that could not be drawn, before the work.
func (s *survey) checkPlot() error {
	if s.plot.value == "" {
		return nil
	}
	switch n := len(s.spec.Grid.Axes); {
	case n == 0:
		return hint(errors.New("one point makes no picture"), "a list or range, as in I=0:20:0.5, makes one")
	case n > 2 && !s.zip:
		return hint(fmt.Errorf("a grid over %d quantities makes no picture; one or two do", n), "the table holds all of it: leave --plot out")
	}
	return nil
}

// measure is the column that a picture shows: the first asked for, or the rate.
func (s *survey) measure() string {
	for _, m := range s.spec.Measures {
		for _, known := range sweep.MeasureNames() {
			if known == m || slices.Contains([]string{m + "_Hz", m + "_ms", m + "_mV", m + "_pA"}, known) {
				return known
			}
		}
	}
	return "rate_Hz"
}

// figure is the picture of a sweep.
func (s *survey) figure(r *sweep.Result) (*report.Figure, error) {
	axes := s.spec.Grid.Axes
	switch {
	case s.spec.Late:
		return r.LateFigure(s.question.title())
	case s.spec.Resets:
		return r.ResetFigure(s.question.title())
	case len(axes) == 1 && slices.Contains(s.measures, "V"):
		return extremes(s.question.title(), axes[0], r, "V", "mV"), nil
	case len(axes) == 1 && slices.Contains(s.measures, "w"):
		return extremes(s.question.title(), axes[0], r, "w", "pA"), nil
	case s.verb == "fi" && len(axes) == 2 && !s.zip && axes[1-s.main()].Len() <= shownCurves && s.spec.From == sweep.FromRest:
		return report.Curves(s.question.title(), label(axes[s.main()]), "firing rate (Hz)", s.curves(r)...), nil
	}
	return r.Figure(s.question.title(), s.measure())
}

// extremes draws the least and the largest value of a state over an axis as dots.
func extremes(title string, a sweep.Axis, r *sweep.Result, state, unit string) *report.Figure {
	var x, y []float64
	for row := range r.Rows() {
		x = append(x, r.Axis(row, 0), r.Axis(row, 0))
		y = append(y, r.Value(state+"_min_"+unit, row), r.Value(state+"_max_"+unit, row))
	}
	return report.Dots(title, label(a), fmt.Sprintf("extremes of %s (%s)", state, unit), x, y)
}

// label is a quantity with its unit, as axes have it.
func label(a sweep.Axis) string {
	if a.Unit == "1" {
		return a.Name
	}
	return fmt.Sprintf("%s (%s)", a.Name, a.Unit)
}

// main is the axis along which curves run: I where it is one, else the last.
func (s *survey) main() int {
	axes := s.spec.Grid.Axes
	if j := slices.IndexFunc(axes, func(a sweep.Axis) bool { return a.Name == "I" }); j >= 0 {
		return j
	}
	return len(axes) - 1
}

// curves are the measure over the main axis, one for each branch and each combination of the other axes.
func (s *survey) curves(r *sweep.Result) []report.Series {
	axes, x := s.spec.Grid.Axes, s.main()
	at := map[string]int{}
	var all []report.Series
	for row := range r.Rows() {
		var parts []string
		if s.spec.From != sweep.FromRest {
			parts = append(parts, "from "+r.Branch(row).String())
		}
		for j, a := range axes {
			if j != x && !s.zip {
				parts = append(parts, strings.TrimSuffix(fmt.Sprintf("%s = %.6g %s", a.Name, r.Axis(row, j), a.Unit), " 1"))
			}
		}
		key := strings.Join(parts, ", ")
		if _, ok := at[key]; !ok {
			at[key] = len(all)
			all = append(all, report.Series{Name: key})
		}
		c := &all[at[key]]
		c.X, c.Y = append(c.X, r.Axis(row, x)), append(c.Y, r.Value(s.measure(), row))
	}
	return all
}

// glance is the curve in characters, for those who look at a terminal.
func (s *survey) glance(r *sweep.Result) string {
	axes := s.spec.Grid.Axes
	if len(axes) == 0 || s.spec.Late || s.spec.Resets || s.zip || axes[s.main()].Len() < 2 {
		return ""
	}
	curves := s.curves(r)
	if len(curves) > shownCurves || !slices.IsSorted(curves[0].X) {
		return ""
	}
	return report.Terminal(terminalWidth(), label(axes[s.main()]), s.measure(), curves...)
}

// terminalWidth is the number of columns to draw in.
func terminalWidth() int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n >= 40 {
		return min(n, 200)
	}
	return 80
}
