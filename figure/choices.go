package figure

import (
	"fmt"
	"math"

	"popsim/network/measure"
	"popsim/sweep"
)

// choicePanels are two panels for each choice between two populations: the share of the first with the Weibull function
// that fits it and 95 % confidence intervals, and the mean time with its standard error. Columns that they show are
// drawn no other way.
func choicePanels(r *sweep.JobsResult) (panels []Panel, shown map[string]bool) {
	shown = map[string]bool{}
	for _, c := range measure.ChoicesOf(r) {
		panels = append(panels, sharePanel(c), timePanel(c))
		shown[c.Name], shown[c.Name+"_time_ms"] = true, true
	}
	return panels, shown
}

// logAxis reports whether the positive values of an axis are drawn over their logarithm: those that span a decade.
func logAxis(x []float64) bool {
	least, most := math.Inf(1), 0.0
	for _, v := range x {
		if v < 0 {
			return false
		}
		if v > 0 {
			least, most = min(least, v), max(most, v)
		}
	}
	return most >= 10*least
}

// wide is a range that leaves room for marks at its ends.
func wide(x []float64, log bool) (ends [2]float64) {
	least, most := math.Inf(1), math.Inf(-1)
	for _, v := range x {
		if !log || v > 0 {
			least, most = min(least, v), max(most, v)
		}
	}
	if log {
		return [2]float64{least / 1.2, most * 1.2}
	}
	return [2]float64{least - 0.03*(most-least), most + 0.03*(most-least)}
}

func sharePanel(c *measure.Choices) Panel {
	log := logAxis(c.X)
	p := Panel{
		XLabel: AxisLabel(c.Axis), YLabel: "share of " + c.Between[0], XLog: log, XRange: wide(c.X, log),
		YRange: [2]float64{0.4, 1.02}, Height: 60,
	}
	marks := Points{Name: "trials, with 95 % intervals", Mark: Circle, Size: 5}
	bars := Line{Width: 1}
	for i, s := range c.Shares {
		if log && c.X[i] == 0 {
			marks.Name += fmt.Sprintf(" (at %s 0: %.3f)", c.Axis.Name, s.P())
		}
		low, high := s.Interval()
		marks.X, marks.Y = append(marks.X, c.X[i]), append(marks.Y, s.P())
		bars.X, bars.Y = append(bars.X, c.X[i], c.X[i], math.NaN()), append(bars.Y, low, high, math.NaN())
		if s.N > 0 {
			p.YRange[0] = min(p.YRange[0], low-0.02)
		}
	}
	p.Points, p.Lines = []Points{marks}, []Line{bars}
	if c.FitError == nil {
		const steps = 200
		curve := Line{
			Name:  fmt.Sprintf("Weibull, alpha %.3g, beta %.3g", c.Fit.Alpha, c.Fit.Beta),
			Color: orange,
		}
		for k := range steps + 1 {
			a, b, at := max(0, p.XRange[0]), p.XRange[1], float64(k)/steps
			x := a + at*(b-a)
			if log {
				x = a * math.Pow(b/a, at)
			}
			curve.X, curve.Y = append(curve.X, x), append(curve.Y, c.Fit.At(x))
		}
		p.Lines = append(p.Lines, curve)
	}
	return p
}

func timePanel(c *measure.Choices) Panel {
	log := logAxis(c.X)
	p := Panel{XLabel: AxisLabel(c.Axis), YLabel: "time of choice (ms)", XLog: log, XRange: wide(c.X, log), Height: 45}
	marks := Points{Mark: Square, Size: 5, Color: blue}
	for i, m := range c.Time {
		if log && c.X[i] == 0 {
			marks.Name = fmt.Sprintf("mean and its standard error (at %s 0: %.0f ± %.0f)", c.Axis.Name, m.Value, m.SE)
		}
		se := m.SE
		if math.IsNaN(se) {
			se = 0
		}
		marks.X, marks.Y, marks.YErr = append(marks.X, c.X[i]), append(marks.Y, m.Value), append(marks.YErr, se)
	}
	p.Points, p.Lines = []Points{marks}, []Line{{X: marks.X, Y: marks.Y, Color: blue}}
	return p
}
