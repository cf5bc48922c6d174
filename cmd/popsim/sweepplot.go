package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"

	"popsim/fault"
	"popsim/figure"
	"popsim/sweep"
)

// shownCurves is the number of curves that one pair of axes can hold.
const shownCurves = 7

// checkPlot refuses pictures that could not be drawn, before the work.
func (s *sweepCommand) checkPlot() error {
	if s.plot.Value == "" {
		return nil
	}
	switch n := len(s.spec.Grid.Axes); {
	case n == 0:
		return fault.Hint(errors.New("one point makes no picture"), "a list or range, as in I=0:20:0.5, makes one")
	case n > 2 && s.verb == "fi" && !s.zip && s.curves() <= shownCurves:
	case n > 2 && !s.zip && s.verb == "fi":
		return fault.Hint(fmt.Errorf("%d curves are too many for one picture; %d fit", s.curves(), shownCurves), "the table holds all of it: leave --plot out")
	case n > 2 && !s.zip:
		return fault.Hint(fmt.Errorf("a grid over %d quantities makes no picture; one or two do", n), "the table holds all of it: leave --plot out")
	}
	return nil
}

// curves is how many f-I curves there are: one for each combination of the other quantities and each start.
func (s *sweepCommand) curves() int {
	n := 1
	for _, a := range s.spec.Grid.Axes {
		if a.Name != "I" {
			n *= a.Len()
		}
	}
	if s.spec.From == sweep.FromAll {
		n *= 3
	}
	return n
}

// measure is the column that a picture shows: the first asked for, or the rate.
func (s *sweepCommand) measure() string {
	if len(s.spec.Measures) > 0 {
		return s.spec.Measures[0]
	}
	return "rate_Hz"
}

// figure is the picture of a sweep.
func (s *sweepCommand) figure(r *sweep.Result) (*figure.Figure, error) {
	title, axes := s.neuron.Title(), s.spec.Grid.Axes
	switch {
	case len(axes) == 1 && slices.Contains(s.measures.List, "V") && !s.spec.Late && !s.spec.Resets:
		return extremes(title, axes[0], r, "V", "mV"), nil
	case len(axes) == 1 && slices.Contains(s.measures.List, "w") && !s.spec.Late && !s.spec.Resets:
		return extremes(title, axes[0], r, "w", "pA"), nil
	}
	if s.verb == "fi" && len(axes) == 2 && !s.zip && s.curves() > shownCurves {
		s.say("%d curves are too many for one picture; they are drawn as a map in colours", s.curves())
	}
	return figureOf(s.verb, r, title, s.measure())
}

// figureOf is the picture of what a verb, fi or map, has found: late intervals, w after resets, or a measure. f-I curves for
// each of a few values of another quantity stand side by side.
func figureOf(verb string, r *sweep.Result, title, measure string) (*figure.Figure, error) {
	switch {
	case r.Spec.Late:
		return figure.LateIntervals(r, title)
	case r.Spec.Resets:
		return figure.Resets(r, title)
	case verb == "fi" && len(r.Spec.Grid.Axes) >= 2 && !r.Spec.Grid.Zip:
		if _, curves := figure.FamilySeries(r, measure); len(curves) <= shownCurves {
			return figure.Family(r, title, measure)
		}
	}
	return figure.Sweep(r, title, measure)
}

// extremes draws the least and the largest value of a state over an axis as dots.
func extremes(title string, a sweep.Axis, r *sweep.Result, state, unit string) *figure.Figure {
	var x, y []float64
	for row := range r.Rows() {
		x = append(x, r.Axis(row, 0), r.Axis(row, 0))
		y = append(y, r.Value(state+"_min_"+unit, row), r.Value(state+"_max_"+unit, row))
	}
	return figure.Dots(title, figure.AxisLabel(a), fmt.Sprintf("extremes of %s (%s)", state, unit), x, y)
}

// glance is the curve in characters, for those who look at a terminal.
func (s *sweepCommand) glance(r *sweep.Result) string {
	if len(s.spec.Grid.Axes) == 0 || s.spec.Late || s.spec.Resets || s.zip {
		return ""
	}
	over, curves := figure.FamilySeries(r, s.measure())
	if over.Len() < 2 || len(curves) > shownCurves || !slices.IsSorted(curves[0].X) {
		return ""
	}
	return figure.Terminal(terminalWidth(), figure.AxisLabel(over), figure.MeasureLabel(s.measure()), curves...)
}

// terminalWidth is the number of columns to draw in.
func terminalWidth() int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n >= 40 {
		return min(n, 200)
	}
	return 80
}
