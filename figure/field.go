package figure

import (
	"math"
)

// Field is a picture of the activity of units on a ring over time: u over position and time, with the position of the
// stimulus and the center of the activity, and u at the end.
type Field struct {
	end     float64 // ms
	x       []float64
	times   []float64
	columns [][]float64
	stimulus,
	center Line
}

// fieldColumns and fieldRows are the most columns and rows of the image.
const fieldColumns, fieldRows = 250, 128

// NewField begins a picture up to end (ms) of units at x (rad).
func NewField(end float64, x []float64) *Field {
	return &Field{
		end: end, x: x, stimulus: Line{Name: "stimulus", Color: orange, Dash: Dashed},
		center: Line{Name: "center of the activity", Width: 0.8},
	}
}

// Due reports whether a column belongs to the time t, ms. Times come in their order.
func (f *Field) Due(t float64) bool { return t >= f.end*float64(len(f.times))/fieldColumns*(1-1e-9) }

// Add adds a column: u, the center of the activity, and the height and position of the stimulus.
func (f *Field) Add(t float64, u []float64, center, height, z float64) {
	every := (len(u) + fieldRows - 1) / fieldRows
	var column []float64
	for i := 0; i < len(u); i += every {
		column = append(column, u[i])
	}
	f.times, f.columns = append(f.times, t), append(f.columns, column)
	if height == 0 {
		z = math.NaN()
	}
	f.stimulus.add(t, wrapped(z))
	f.center.add(t, center)
}

// wrapped takes an angle to [-pi, pi).
func wrapped(x float64) float64 { return x - 2*math.Pi*math.Floor((x+math.Pi)/(2*math.Pi)) }

// add adds a point to a line over time of an angle, which is broken where that goes round.
func (l *Line) add(t, angle float64) {
	if n := len(l.Y); n > 0 && math.Abs(angle-l.Y[n-1]) > math.Pi {
		l.X, l.Y = append(l.X, t), append(l.Y, math.NaN())
	}
	l.X, l.Y = append(l.X, t), append(l.Y, angle)
}

// Figure is the picture, with u at the end beside the bump of the given height and width a, which is left out if NaN.
func (f *Field) Figure(title string, u []float64, height, width float64) *Figure {
	every := (len(f.x) + fieldRows - 1) / fieldRows
	image := &Image{X: f.times, Label: "u"}
	for j, i := 0, 0; i < len(f.x); i, j = i+every, j+1 {
		image.Y = append(image.Y, f.x[i])
		for _, column := range f.columns {
			image.Z = append(image.Z, column[j])
		}
	}
	field := Panel{XLabel: "time (ms)", YLabel: "position (rad)", Image: image, Lines: []Line{f.stimulus, f.center}}
	field.XRange, field.YRange, field.Height = outer(image.X), [2]float64{-math.Pi, math.Pi}, 65
	end := Panel{
		XLabel: "position (rad)", YLabel: "u at the end", Height: 40, XRange: [2]float64{-math.Pi, math.Pi},
		Lines: []Line{{Name: "network", X: f.x, Y: u}},
	}
	if !math.IsNaN(height) {
		closed := Line{Name: "closed form, without stimulus", Color: blue, Dash: Dashed}
		centre := f.center.Y[len(f.center.Y)-1]
		for _, x := range f.x {
			d := wrapped(x - centre)
			closed.X, closed.Y = append(closed.X, x), append(closed.Y, height*math.Exp(-d*d/(4*width*width)))
		}
		if !math.IsNaN(centre) {
			end.Lines = append(end.Lines, closed)
		}
	}
	return &Figure{Title: title, Panels: []Panel{field, end}}
}
