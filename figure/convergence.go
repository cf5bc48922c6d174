package figure

import (
	"fmt"
	"math"

	"popsim/bench"
)

// Convergence draws the error of spikes against cost, and below against the step, a curve for each method. A dotted
// line marks the tolerance, a text the recommended row.
func Convergence(c *bench.Convergence, title string) *Figure {
	const ylabel = "spike-time error (ms)"
	cost := methodCurves(c, func(w bench.Work) float64 { return w.Cost })
	cost.XLabel, cost.YLabel = "cost (ns per neuron and ms of model time)", ylabel
	step := methodCurves(c, func(w bench.Work) float64 { return w.Dt })
	step.XLabel, step.YLabel = "time step (ms)", ylabel
	for i := range step.Lines {
		step.Lines[i].Name = "" // the legend of the panel above names them
	}
	for i := range step.Points {
		step.Points[i].Name = ""
	}
	if w, ok := c.Cheapest(); ok {
		cost.Texts = []Text{{X: w.Cost, Y: w.Error, Text: fmt.Sprintf("%s, dt %v ms", w.Method.Name, w.Dt)}}
	}
	return &Figure{Title: title, Panels: []Panel{cost, step}}
}

// methodCurves draws the error of each method over x, and the tolerance as a dotted line.
func methodCurves(c *bench.Convergence, x func(bench.Work) float64) Panel {
	var series []Series
	low, high := math.Inf(1), 0.0
	for _, q := range c.Trial.Model.Methods {
		s := Series{Name: q.Name, Points: true}
		for _, w := range c.Rows {
			if w.Method.Name != q.Name || math.IsInf(w.Error, 1) {
				continue
			}
			s.X, s.Y = append(s.X, x(w)), append(s.Y, w.Error)
			low, high = min(low, x(w)), max(high, x(w))
		}
		if len(s.X) > 0 {
			series = append(series, s)
		}
	}
	p := Curves("", "", "", series...).Panels[0]
	p.XLog, p.YLog, p.Height = true, true, 60
	p.Lines = append(p.Lines, Line{
		Name: "tolerance", X: []float64{low, high}, Y: []float64{c.Tolerance, c.Tolerance}, Dash: Dotted, Width: 0.8,
	})
	return p
}
