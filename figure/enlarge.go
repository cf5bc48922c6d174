package figure

import (
	"math"
	"slices"
)

// window is a rectangle in the plane of a panel: the ends of x, then those of y.
type window [4]float64

func newWindow() window {
	return window{math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)}
}

// add makes the window hold a point.
func (w *window) add(x, y float64) {
	w[0], w[1], w[2], w[3] = min(w[0], x), max(w[1], x), min(w[2], y), max(w[3], y)
}

// with is the window that holds both.
func (w window) with(o window) window {
	w.add(o[0], o[2])
	w.add(o[1], o[3])
	return w
}

// wider is the window with a margin on every side, a part of its size.
func (w window) wider(part float64) window {
	x, y := part*(w[1]-w[0]), part*(w[3]-w[2])
	return window{w[0] - x, w[1] + x, w[2] - y, w[3] + y}
}

// enlarged is the part of p that lies in w as a panel of its own, without a legend. The window is drawn in p.
func (p *Panel) enlarged(w window) Panel {
	part := *p
	part.XRange, part.YRange = [2]float64{w[0], w[1]}, [2]float64{w[2], w[3]}
	part.Height = min(p.Height, 60)
	part.YLabel += "\nenlarged"
	part.Lines, part.Points = slices.Clone(p.Lines), slices.Clone(p.Points)
	for k := range part.Lines {
		part.Lines[k].Name = ""
	}
	for k := range part.Points {
		part.Points[k].Name = ""
	}
	p.Lines = append(slices.Clone(p.Lines), Line{
		Name: "enlarged below", Color: lightGrey, Width: 0.8,
		X: []float64{w[0], w[1], w[1], w[0], w[0]}, Y: []float64{w[2], w[2], w[3], w[3], w[2]},
	})
	return part
}
