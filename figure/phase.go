package figure

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"

	"popsim/dynamics"
	"popsim/table"
)

// Phase is the picture of a phase plane.
func Phase(title string, p *dynamics.Plane) *Figure {
	panel := Panel{
		XLabel: withUnit(p.X, p.Units[0]), YLabel: withUnit(p.Y, p.Units[1]), Height: 110,
		XRange: [2]float64{p.Window[0], p.Window[1]}, YRange: shownY(p),
	}
	if p.Reset != nil { // so that the threshold is seen
		panel.XRange[1] += 0.02 * (p.Window[1] - p.Window[0])
	}
	panel.Arrows = []Arrows{field(p)}
	panel.Lines = append(panel.Lines, nullclines(p)...)
	panel.Lines = append(panel.Lines, manifolds(p)...)
	shown := map[bool]bool{}
	for _, c := range p.Cycles {
		line := Line{Name: Stability(c.Stable) + " cycle", Width: 2}
		if !c.Stable {
			line.Dash = Dashed
		}
		panel.Lines = append(panel.Lines, named(!shown[c.Stable], line, c.Orbit))
		shown[c.Stable] = true
	}
	for i, t := range p.Trajectories {
		panel.Lines = append(panel.Lines, trajectory(i == 0, t))
		if len(t.Segments) > 1 {
			panel.Lines = append(panel.Lines, jumps(i == 0, t))
		}
		panel.Points = append(panel.Points, Points{
			X: []float64{t.Segments[0][0][1]}, Y: []float64{t.Segments[0][0][2]},
			Mark: Square, Size: 4, Color: green,
		})
	}
	if r := p.Reset; r != nil {
		panel.Lines = append(panel.Lines,
			named(true, Line{Name: "V_reset", Dash: Dotted, Color: lightGrey}, [][2]float64{
				{r.VReset, p.Window[2]},
				{r.VReset, p.Window[3]},
			}),
			named(true, Line{Name: "V_th", Dash: DashDotted, Color: lightGrey}, [][2]float64{
				{r.VTh, p.Window[2]},
				{r.VTh, p.Window[3]},
			}))
	}
	panel.Points = append(panel.Points, fixedPoints(p, true), fixedPoints(p, false))
	for _, f := range p.FixedPoints {
		panel.Texts = append(panel.Texts, Text{X: f.V, Y: f.Y, Text: f.Type})
	}
	if p.Note != "" {
		title += "\n" + p.Note
	}
	f := &Figure{Title: title, Panels: []Panel{panel}}
	var windows []window
	if w, ok := smallCycles(p); ok {
		windows = append(windows, w)
	} else {
		windows = f.Panels[0].crowded(panel.Texts)
	}
	if len(windows) > 0 {
		f.Panels = append(f.Panels, f.Panels[0].enlarge(windows[:1], panel.Texts)...)
	}
	return f
}

// smallCycles is the window of the cycles of a plane that are small beside others, or beside the plane itself.
func smallCycles(p *dynamics.Plane) (w window, ok bool) {
	const small = 0.2 // of the window, in V
	w = newWindow()
	for _, c := range p.Cycles {
		if c.VMax-c.VMin < small*(p.Window[1]-p.Window[0]) {
			for _, x := range c.Orbit {
				w.add(x[0], x[1])
			}
			ok = true
		}
	}
	return w.wider(0.3), ok
}

// withUnit is the label of an axis: the name of a state with its unit, if it has one.
func withUnit(name, unit string) string {
	if unit == "" || unit == "1" {
		return name
	}
	return name + " (" + unit + ")"
}

// named is a line through points, with an entry in the legend if legend is true.
func named(legend bool, line Line, points [][2]float64) Line {
	if !legend {
		line.Name = ""
	}
	for _, x := range points {
		line.X, line.Y = append(line.X, x[0]), append(line.Y, x[1])
	}
	return line
}

// field is the vector field, the arrows of equal length.
func field(p *dynamics.Plane) Arrows {
	var a Arrows
	for _, f := range p.Field {
		a.X, a.Y, a.DX, a.DY = append(a.X, f[0]), append(a.Y, f[1]), append(a.DX, f[2]), append(a.DY, f[3])
	}
	a.Color = color.RGBA{0xbb, 0xbb, 0xbb, 0xff}
	return a
}

// nullclines are one line each, interrupted where a segment ends.
func nullclines(p *dynamics.Plane) []Line {
	var lines []Line
	for i, name := range []string{"V", p.Y} {
		segments := p.Nullclines[name]
		if len(segments) == 0 || i == 1 && p.Y == "V" {
			continue
		}
		shown := name
		if name == "V" {
			shown = p.X
		}
		line := Line{Name: fmt.Sprintf("%s-nullcline", shown), Width: 1.6, Color: []color.Color{orange, blue}[i]}
		switch {
		case name == "dV/dt":
			line.Name = name
		case i == 1:
			line.Dash = Dashed
		}
		for _, part := range segments {
			for _, x := range part {
				line.X, line.Y = append(line.X, x[0]), append(line.Y, x[1])
			}
			line.X, line.Y = append(line.X, math.NaN()), append(line.Y, math.NaN())
		}
		lines = append(lines, line)
	}
	return lines
}

// trajectory is one line, interrupted at resets.
func trajectory(legend bool, t dynamics.Trace) Line {
	line := Line{Width: 1, Color: green}
	if legend {
		line.Name = "trajectory"
	}
	for _, part := range t.Segments {
		for _, x := range part {
			line.X, line.Y = append(line.X, x[1]), append(line.Y, x[2])
		}
		line.X, line.Y = append(line.X, math.NaN()), append(line.Y, math.NaN())
	}
	return line
}

// jumps are the ways from threshold back to reset.
func jumps(legend bool, t dynamics.Trace) Line {
	line := Line{Width: 0.8, Color: green, Dash: Dotted}
	if legend {
		line.Name = "reset"
	}
	for k, next := range t.Segments[1:] {
		last := t.Segments[k]
		from, to := last[len(last)-1], next[0]
		line.X, line.Y = append(line.X, from[1], to[1], math.NaN()), append(line.Y, from[2], to[2], math.NaN())
	}
	return line
}

// manifolds are the stable manifolds of saddles, which separate the basins of attraction, and the unstable ones.
func manifolds(p *dynamics.Plane) (lines []Line) {
	styles := map[bool]Line{
		true:  {Name: "stable manifold (separatrix)", Dash: DashDotted, Width: 1.2},
		false: {Name: "unstable manifold", Dash: Dotted, Width: 1.2, Color: lightGrey},
	}
	shown := map[bool]bool{}
	for _, x := range p.Separatrices {
		lines = append(lines, named(!shown[x.Stable], styles[x.Stable], x.Points))
		shown[x.Stable] = true
	}
	return lines
}

// fixedPoints are full circles where stable and open ones where not.
func fixedPoints(p *dynamics.Plane, stable bool) Points {
	marks := Points{Name: Stability(stable) + " fixed point", Mark: Circle, Size: 7, Open: !stable}
	for _, f := range p.FixedPoints {
		if f.Stable == stable {
			marks.X, marks.Y = append(marks.X, f.V), append(marks.Y, f.Y)
		}
	}
	if len(marks.X) == 0 {
		marks.Name = ""
	}
	return marks
}

// PlaneTable is the table of fixed points and cycles.
func PlaneTable(p *dynamics.Plane) *table.Table {
	var kind, types, stable []string
	var v, y, re, im, period, low, high, multiplier []float64
	nan := math.NaN()
	for _, f := range p.FixedPoints {
		kind, types, stable = append(kind, "fixed-point"), append(types, f.Type), append(stable,
			strconv.FormatBool(f.Stable))
		v, y = append(v, f.V), append(y, f.Y)
		lead := [2]float64{nan, nan}
		if len(f.Eigenvalues) > 0 {
			lead = f.Eigenvalues[0]
		}
		re, im = append(re, lead[0]), append(im, lead[1])
		period, low, high, multiplier = append(period, nan), append(low, nan), append(high, nan), append(multiplier,
			nan)
	}
	for _, c := range p.Cycles {
		kind, types, stable = append(kind, "cycle"), append(types, Stability(c.Stable)+" cycle"), append(stable,
			strconv.FormatBool(c.Stable))
		v, y, re, im = append(v, nan), append(y, nan), append(re, nan), append(im, nan)
		period, low, high, multiplier = append(period, c.Period), append(low, c.VMin), append(high,
			c.VMax), append(multiplier, c.Multiplier)
	}
	column := func(of string) string { // of the first state, which may be no potential
		if p.Units[0] == "mV" {
			return "V" + of + "_mV"
		}
		return p.X + of
	}
	return table.NewTable(table.Col("kind", kind), table.Col(column(""), v), table.Col(secondColumn(p), y),
		table.Col("type", types), table.Col("stable", stable), table.Col("eigenvalue_re_per_ms",
			re), table.Col("eigenvalue_im_per_ms", im),
		table.Col("period_ms", period), table.Col(column("_min"), low), table.Col(column("_max"), high),
		table.Col("multiplier", multiplier))
}

// secondColumn is the heading of the second variable.
func secondColumn(p *dynamics.Plane) string {
	switch {
	case p.Y == "w" && p.Units[1] == "pA":
		return "w_pA"
	case p.Y == "dV/dt":
		return "dV/dt_mV/ms"
	}
	return p.Y
}

// Stability is the word for stable or unstable.
func Stability(stable bool) string {
	if stable {
		return "stable"
	}
	return "unstable"
}

// shownY are the ends of the second axis: those of the window, but of a gate, which stays between 0 and 1, these with a
// margin.
func shownY(p *dynamics.Plane) [2]float64 {
	lo, hi := p.Window[2], p.Window[3]
	if slices.Contains([]string{"m", "h", "n"}, p.Y) && lo < 0 && hi > 1 {
		return [2]float64{-0.03, 1.03}
	}
	return [2]float64{lo, hi}
}
