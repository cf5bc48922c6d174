package main

import (
	"errors"
	"fmt"
	"slices"

	"popsim/fault"
	"popsim/figure"
)

// checkPlot returns an error, before the work, if the picture could not be drawn.
func (s *sweepCommand) checkPlot() error {
	if s.Plot.Value == "" {
		return nil
	}
	switch n := len(s.spec.Grid.Axes); {
	case n == 0:
		return fault.Hint(errors.New("one point makes no picture"), "a list or range, as in I=0:20:0.5, makes one")
	case n > 2 && s.verb == "fi" && !s.zip && figure.CurvesOf(s.spec) <= figure.ShownCurves:
	case n > 2 && !s.zip && s.verb == "fi":
		return fault.Hint(fmt.Errorf("%d curves are too many for one picture; %d fit", figure.CurvesOf(s.spec),
			figure.ShownCurves), "the table holds all of it: leave --plot out")
	case n > 2 && !s.zip:
		return fault.Hint(fmt.Errorf("a grid over %d quantities makes no picture; one or two do", n),
			"the table holds all of it: leave --plot out")
	}
	return nil
}

// sweepPicture returns what the picture of the sweep shows.
func (s *sweepCommand) sweepPicture() figure.SweepPicture {
	p := figure.SweepPicture{Title: s.neuron.Title(), Curves: s.verb == "fi"}
	if len(s.spec.Measures) > 0 {
		p.Measure = s.spec.Measures[0]
		p.Further = slices.DeleteFunc(slices.Clone(s.spec.Measures[1:]), func(m string) bool { return m == "status" })
	}
	for _, state := range []string{"w", "V"} {
		if slices.Contains(s.measures.List, state) {
			p.Extremes = state
		}
	}
	return p
}
