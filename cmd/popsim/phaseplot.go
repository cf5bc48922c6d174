package main

import (
	"fmt"
	"image/color"
	"math"

	"popsim/dynamics"
	"popsim/figure"
)

// The colours of a phase plane; dashes and marks tell the same without them.
var (
	blue   = color.RGBA{0x00, 0x72, 0xb2, 0xff}
	orange = color.RGBA{0xd5, 0x5e, 0x00, 0xff}
	green  = color.RGBA{0x00, 0x9e, 0x73, 0xff}
	grey   = color.RGBA{0x99, 0x99, 0x99, 0xff}
)

// figure is the picture of a phase plane.
func (s *portrait) figure(p *dynamics.Plane) *figure.Figure {
	panel := figure.Panel{
		XLabel: "V (mV)", YLabel: s.secondLabel(p), Height: 110,
		XRange: [2]float64{p.Window[0], p.Window[1]}, YRange: [2]float64{p.Window[2], p.Window[3]},
	}
	if p.Reset != nil { // so that the threshold is seen
		panel.XRange[1] += 0.02 * (p.Window[1] - p.Window[0])
	}
	panel.Arrows = []figure.Arrows{field(p)}
	panel.Lines = append(panel.Lines, nullclines(p)...)
	panel.Lines = append(panel.Lines, manifolds(p)...)
	told := map[bool]bool{}
	for _, c := range p.Cycles {
		line := figure.Line{Name: word(c.Stable) + " cycle", Width: 2}
		if !c.Stable {
			line.Dash = figure.Dashed
		}
		panel.Lines = append(panel.Lines, named(!told[c.Stable], line, c.Orbit))
		told[c.Stable] = true
	}
	for i, t := range p.Trajectories {
		panel.Lines = append(panel.Lines, trajectory(i == 0, t))
		if len(t.Segments) > 1 {
			panel.Lines = append(panel.Lines, jumps(i == 0, t))
		}
		panel.Points = append(panel.Points, figure.Points{X: []float64{t.Segments[0][0][1]}, Y: []float64{t.Segments[0][0][2]}, Mark: figure.Square, Size: 4, Color: green})
	}
	if r := p.Reset; r != nil {
		panel.Lines = append(panel.Lines,
			named(true, figure.Line{Name: "V_reset", Dash: figure.Dotted, Color: grey}, [][2]float64{{r.VReset, p.Window[2]}, {r.VReset, p.Window[3]}}),
			named(true, figure.Line{Name: "V_th", Dash: figure.DashDotted, Color: grey}, [][2]float64{{r.VTh, p.Window[2]}, {r.VTh, p.Window[3]}}))
	}
	panel.Points = append(panel.Points, fixedPoints(p, true), fixedPoints(p, false))
	for _, f := range p.FixedPoints {
		panel.Texts = append(panel.Texts, figure.Text{X: f.V, Y: f.Y, Text: f.Type})
	}
	title := s.question.title()
	if p.Note != "" {
		title += "\n" + p.Note
	}
	return &figure.Figure{Title: title, Panels: []figure.Panel{panel}}
}

func (s *portrait) secondLabel(p *dynamics.Plane) string {
	switch p.Y {
	case "w":
		return "w (pA)"
	case "dV/dt":
		return "dV/dt (mV/ms)"
	}
	return p.Y
}

// named is a line through points, that stands in the legend or not.
func named(legend bool, line figure.Line, points [][2]float64) figure.Line {
	if !legend {
		line.Name = ""
	}
	for _, x := range points {
		line.X, line.Y = append(line.X, x[0]), append(line.Y, x[1])
	}
	return line
}

// field is the vector field, the arrows of equal length.
func field(p *dynamics.Plane) figure.Arrows {
	var a figure.Arrows
	for _, f := range p.Field {
		a.X, a.Y, a.DX, a.DY = append(a.X, f[0]), append(a.Y, f[1]), append(a.DX, f[2]), append(a.DY, f[3])
	}
	a.Color = color.RGBA{0xbb, 0xbb, 0xbb, 0xff}
	return a
}

// nullclines are one line each, interrupted where a segment ends.
func nullclines(p *dynamics.Plane) []figure.Line {
	var lines []figure.Line
	for i, name := range []string{"V", p.Y} {
		segments := p.Nullclines[name]
		if len(segments) == 0 || i == 1 && p.Y == "V" {
			continue
		}
		line := figure.Line{Name: fmt.Sprintf("%s-nullcline", name), Width: 1.6, Color: []color.Color{orange, blue}[i]}
		switch {
		case name == "dV/dt":
			line.Name = name
		case i == 1:
			line.Dash = figure.Dashed
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
func trajectory(legend bool, t dynamics.Trace) figure.Line {
	line := figure.Line{Width: 1, Color: green}
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
func jumps(legend bool, t dynamics.Trace) figure.Line {
	line := figure.Line{Width: 0.8, Color: green, Dash: figure.Dotted}
	if legend {
		line.Name = "jump at a spike"
	}
	for k, next := range t.Segments[1:] {
		last := t.Segments[k]
		from, to := last[len(last)-1], next[0]
		line.X, line.Y = append(line.X, from[1], to[1], math.NaN()), append(line.Y, from[2], to[2], math.NaN())
	}
	return line
}

// manifolds are the lines that run into saddles, which part the basins of attraction, and those that run out of them.
func manifolds(p *dynamics.Plane) (lines []figure.Line) {
	styles := map[bool]figure.Line{
		true:  {Name: "separatrix, into the saddle", Dash: figure.DashDotted, Width: 1.2},
		false: {Name: "out of the saddle", Dash: figure.Dotted, Width: 1.2, Color: grey},
	}
	told := map[bool]bool{}
	for _, x := range p.Separatrices {
		lines = append(lines, named(!told[x.Stable], styles[x.Stable], x.Points))
		told[x.Stable] = true
	}
	return lines
}

// fixedPoints are full circles where stable and open ones where not.
func fixedPoints(p *dynamics.Plane, stable bool) figure.Points {
	marks := figure.Points{Name: word(stable) + " fixed point", Mark: figure.Circle, Size: 7, Open: !stable}
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
