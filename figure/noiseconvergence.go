package figure

import (
	"fmt"
	"math"

	"popsim/bench"
)

// NoiseConvergence draws the relative error of rates under white noise over the step: with the crossings inside steps,
// and with those alone that the ends of steps show. Dotted lines have the slopes 1 and 1/2. Where an error is below its
// standard error the latter is drawn.
func NoiseConvergence(c *bench.NoiseConvergence, title string) *Figure {
	var series []Series
	for _, atEnds := range []bool{false, true} {
		s := Series{Name: "crossings inside steps", Points: true}
		if atEnds {
			s.Name = "threshold tested at the ends of steps"
		}
		for _, r := range c.Rows {
			if r.AtEnds == atEnds {
				s.X = append(s.X, r.Dt)
				s.Y = append(s.Y, max(math.Abs(r.Rate-c.Theory), r.SE)/c.Theory)
			}
		}
		if len(s.X) > 0 {
			series = append(series, s)
		}
	}
	p := Curves("", "time step (ms)", "relative error of the rate", series...).Panels[0]
	p.XLog, p.YLog = true, true
	for i, order := range []float64{1, 0.5} {
		if i >= len(series) {
			break
		}
		s := series[i]
		line := Line{Name: fmt.Sprintf("slope %g", order), Dash: Dotted, Width: 0.8}
		for _, x := range s.X {
			line.X = append(line.X, x)
			line.Y = append(line.Y, s.Y[0]*math.Pow(x/s.X[0], order))
		}
		p.Lines = append(p.Lines, line)
	}
	return &Figure{Title: fmt.Sprintf("%s, sigma = %g mV", title, c.White), Panels: []Panel{p}}
}
