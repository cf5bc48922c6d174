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

// shown is what p shows: the ends of its axes.
func (p *Panel) shown() window {
	fr := &frame{Panel: p, style: &Style{}}
	x, tight := fr.scale()
	fr.xa = fr.axis(p.XRange, x, tight)
	return window{fr.xa.lo, fr.xa.hi, fr.ya.lo, fr.ya.hi}
}

// holds reports whether a point lies in w.
func (w window) holds(x, y float64) bool { return x >= w[0] && x <= w[1] && y >= w[2] && y <= w[3] }

// enlarge returns p with the windows drawn in it, and each window as a panel of its own. Points are named in the first
// panel that enlarges them, by their names in all; the others keep their names in p.
func (p *Panel) enlarge(windows []window, all []Text) (panels []Panel) {
	whole := *p
	for _, w := range windows {
		p.Texts = slices.DeleteFunc(slices.Clone(p.Texts), func(t Text) bool { return w.holds(t.X, t.Y) })
		part := whole.enlarged(w)
		part.Texts = slices.DeleteFunc(slices.Clone(all), func(t Text) bool { return !w.holds(t.X, t.Y) })
		all = slices.DeleteFunc(slices.Clone(all), func(t Text) bool { return w.holds(t.X, t.Y) })
		panels = append(panels, part)
	}
	page := p.shown()
	for k, w := range windows {
		w = w.atLeast(page, leastFrame)
		frame := Line{
			Color: lightGrey, Width: 0.8,
			X: []float64{w[0], w[1], w[1], w[0], w[0]}, Y: []float64{w[2], w[2], w[3], w[3], w[2]},
		}
		if k == 0 {
			frame.Name = "enlarged below"
		}
		p.Lines = append(slices.Clone(p.Lines), frame)
	}
	return panels
}

// leastFrame is the size of a window as it is drawn in the picture that it enlarges, a part of its axes: the frame goes
// around the marks in it.
const leastFrame = 0.035

// atLeast is w made as wide and high as a part of page.
func (w window) atLeast(page window, part float64) window {
	for k := 0; k < len(w); k += 2 {
		if more := part*(page[k+1]-page[k]) - (w[k+1] - w[k]); more > 0 {
			w[k], w[k+1] = w[k]-more/2, w[k+1]+more/2
		}
	}
	return w
}

// enlarged is the part of p that lies in w as a panel of its own, without a legend.
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
	return part
}

// crowded returns windows around points whose marks touch in p, the largest group first. Points that could not be
// distinguished in such a window either, being one point in all but the last digits, make none.
func (p *Panel) crowded(points []Text) (windows []window) {
	const (
		touch = 14.0        // points on paper: two marks
		wide  = 130 * perMM // of the axes, about
		same  = 5e-4        // of the axes
		most  = 0.15        // of the axes: a longer chain of marks is no crowd
	)
	page := p.shown()
	x, y := (page[1]-page[0])/wide, (page[3]-page[2])/(p.tall()*perMM) // of a point on paper
	var groups [][]Text
	for _, t := range points {
		group := []Text{t}
		var apart [][]Text
		for _, g := range groups {
			if slices.ContainsFunc(g, func(o Text) bool { return math.Abs(o.X-t.X) < touch*x && math.Abs(o.Y-t.Y) < touch*y }) {
				group = append(group, g...)
			} else {
				apart = append(apart, g)
			}
		}
		groups = append(apart, group)
	}
	slices.SortStableFunc(groups, func(a, b []Text) int { return len(b) - len(a) })
	for _, g := range groups {
		w := newWindow()
		for _, t := range g {
			w.add(t.X, t.Y)
		}
		part := max((w[1]-w[0])/(page[1]-page[0]), (w[3]-w[2])/(page[3]-page[2]))
		if part > same && part < most {
			windows = append(windows, w.atLeast(page, part/40).wider(0.35))
		}
	}
	return windows
}
