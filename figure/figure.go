// Package figure draws results as pictures: f-I curves, maps, rasters, phase planes and bifurcation diagrams. A Figure
// is panels stacked above each other, made of lines, points, arrows, labels and images, saved as .svg, .png or .pdf for
// print, or as an .html page that lets its reader zoom. It
// is legible without colour. Its Style sets sizes, limits, fonts, the place of the legend and colours.
package figure

import (
	"errors"
	"fmt"
	"image/color"
	"math"
)

// Figure is a picture: a title over panels stacked from above. Sizes on paper are in millimetres and points.
type Figure struct {
	Title  string
	Width  float64 // mm; 0 means 160
	Panels []Panel
	ShareX bool // all panels have the same x axis, labelled under the last one
	Style  Style
	Source string // the command that drew it, kept in the file
}

// Panel is one pair of axes with its contents, drawn in the order of the fields. A name makes an entry in the legend,
// which is above the axes, where it covers nothing. NaN and infinite values are not drawn.
type Panel struct {
	XLabel, YLabel string     // with units, as in "I (pA)"; YLabel may have several lines
	XRange, YRange [2]float64 // ends of the axes; equal ones mean: from the data
	XLog, YLog     bool       // logarithmic; values that are not positive are not drawn
	YWhole         bool       // ticks at whole numbers alone, as of neurons
	YNames         []string   // of the values 0, 1, 2 ... of y, in place of numbers
	Height         float64    // of the axes, mm; 0 means 85
	Image          *Image
	Lines          []Line
	Arrows         []Arrows
	Points         []Points
	Texts          []Text
}

// Image is a grid of values shown as colours, with a bar that explains them. NaN is grey.
type Image struct {
	X, Y  []float64  // centres of the columns and rows, ascending
	Z     []float64  // Z[j*len(X)+i] belongs to X[i], Y[j]
	Label string     // of the bar, with units
	Range [2]float64 // of the bar; equal ends mean: from the data
	Names []string   // of the values 0, 1, 2 ...: a key in words above the axes, instead of the bar
	Known []string   // those of Names that the key leaves out, because another panel explains them
	Grey  string     // what NaN means, for the legend; "" means undefined
	// Colours are those of Names; nil means colours that differ as much as can be.
	Colours []color.Color
}

// Line is a curve through points in their order. NaN breaks it, as a nullcline must be broken at its poles.
type Line struct {
	Name  string
	X, Y  []float64
	Dash  Dash
	Width float64     // points; 0 means 1.2
	Color color.Color // nil means black
}

// Dash is the way a line is drawn: solid for what is stable, dashed for what is not.
type Dash int

// The dashes, from the plainest to the busiest.
const (
	Solid Dash = iota
	Dashed
	Dotted
	DashDotted
)

// Points are marks, with vertical error bars where YErr is given. More than 10,000 dots are drawn as one image whose
// grey shows their density, so that the file stays small.
type Points struct {
	Name  string
	X, Y  []float64
	YErr  []float64 // half the length of the bar; nil means none
	Mark  Mark
	Open  bool        // the outline alone, filled white
	Size  float64     // diameter, points; 0 means 5, and 1.2 for dots
	Color color.Color // nil means black
}

// Mark is the shape of a point.
type Mark int

// The marks. Dot is a small disc for dense plots; the others can be distinguished without colour.
const (
	Dot Mark = iota
	Circle
	Square
	Triangle
	Diamond
	Tick // a short vertical bar: a spike
)

// Arrows are directions of equal length on the paper, centred at X, Y: a vector field. DX, DY are in the units of the
// axes. Where both are zero, a dot is drawn.
type Arrows struct {
	X, Y, DX, DY []float64
	Length       float64     // points; 0 means 9
	Color        color.Color // nil means grey
}

// Text labels a point. It is placed near the point where it covers no other label.
type Text struct {
	X, Y float64
	Text string
}

// Check returns all faults of the figure joined: columns of unequal length, and panels without data or ranges for their
// axes.
func (f *Figure) Check() error {
	if len(f.Panels) == 0 {
		return errors.New("a figure without panels")
	}
	var faults []error
	equal := func(what string, n int, others ...int) {
		for _, m := range others {
			if m != n {
				faults = append(faults, fmt.Errorf("%s of the figure has %d values where %d are needed", what, m, n))
			}
		}
	}
	for _, p := range f.Panels {
		for _, l := range p.Lines {
			equal(fmt.Sprintf("line %q", l.Name), len(l.X), len(l.Y))
		}
		for _, m := range p.Points {
			equal(fmt.Sprintf("points %q", m.Name), len(m.X), len(m.Y))
			if m.YErr != nil {
				equal(fmt.Sprintf("error bar %q", m.Name), len(m.X), len(m.YErr))
			}
		}
		for _, a := range p.Arrows {
			equal("arrows", len(a.X), len(a.Y), len(a.DX), len(a.DY))
		}
		if m := p.Image; m != nil {
			equal("image", len(m.X)*len(m.Y), len(m.Z))
			if len(m.Z) == 0 || !ascending(m.X) || !ascending(m.Y) {
				faults = append(faults, errors.New("the image of the figure needs finite, ascending columns and rows"))
			}
		}
	}
	return errors.Join(faults...)
}

func ascending(v []float64) bool {
	for i, x := range v {
		if math.IsNaN(x) || math.IsInf(x, 0) || i > 0 && x <= v[i-1] {
			return false
		}
	}
	return true
}

// Series is one curve of Curves.
type Series struct {
	Name   string
	X, Y   []float64
	YErr   []float64 // half-lengths of error bars; nil means none
	Points bool      // marks at the points, joined by the line
	Dashed bool
}

// seriesColors differ for any kind of colour vision, and in darkness.
var seriesColors = []color.Color{
	color.Black,
	orange,
	blue,
	green,
	color.RGBA{0xcc, 0x79, 0xa7, 0xff},
	color.RGBA{0xe6, 0x9f, 0x00, 0xff},
	color.RGBA{0x56, 0xb4, 0xe9, 0xff},
	color.RGBA{0x80, 0x80, 0x80, 0xff},
}

// Curves is a figure of one or several curves over the same axis, such as an f-I curve. Curves differ by colour, by
// their marks if they have any, and by their dashes if not.
func Curves(title, xlabel, ylabel string, series ...Series) *Figure {
	p := Panel{XLabel: xlabel, YLabel: ylabel}
	for i, s := range series {
		clr := seriesColors[i%len(seriesColors)]
		line := Line{Name: s.Name, X: s.X, Y: s.Y, Color: clr}
		switch {
		case s.Dashed:
			line.Dash = Dashed
		case !s.Points:
			line.Dash = []Dash{Solid, Dashed, DashDotted, Dotted}[i%4]
		}
		p.Lines = append(p.Lines, line)
		if s.Points || s.YErr != nil {
			// Curves that coincide are recognised by their marks, the first of them the largest.
			size := 4 + min(1.5*float64(len(series)-1-i), 4.5)
			marks := Points{Name: s.Name, X: s.X, Y: s.Y, YErr: s.YErr, Size: size, Color: clr}
			marks.Mark = []Mark{Circle, Square, Triangle, Diamond}[i%4]
			marks.Open = i/2%2 == 1
			p.Points = append(p.Points, marks)
		}
	}
	return &Figure{Title: title, Panels: []Panel{p}}
}

// Trace is the membrane potential of one neuron over time, ms and mV.
type Trace struct {
	Name string // "neuron 3"
	T, V []float64
}

// Raster is a figure of spikes, a dot at (times[i], neurons[i]). Times are ms.
func Raster(title string, times []float64, neurons []int64) *Figure {
	spikes := Panel{XLabel: "time (ms)", YLabel: "neuron", YWhole: true, Height: 65}
	dots := Points{X: times, Y: make([]float64, len(neurons)), Mark: Dot}
	var top int64
	for i, n := range neurons {
		dots.Y[i] = float64(n)
		top = max(top, n)
	}
	if top < 40 {
		dots.Mark = Tick
	}
	spikes.Points = []Points{dots}
	spikes.YRange = [2]float64{-0.5 - 0.01*float64(top), 0.5 + 1.01*float64(top)}
	return &Figure{Title: title, Panels: []Panel{spikes}, ShareX: true}
}

// HeatMap is a figure of one value over two parameters.
func HeatMap(title, xlabel, ylabel string, grid Image) *Figure {
	return &Figure{Title: title, Panels: []Panel{{XLabel: xlabel, YLabel: ylabel, Height: 100, Image: &grid}}}
}

// Dots is a figure of many points, such as a map of inter-spike intervals.
func Dots(title, xlabel, ylabel string, x, y []float64) *Figure {
	return &Figure{
		Title:  title,
		Panels: []Panel{{XLabel: xlabel, YLabel: ylabel, Points: []Points{{X: x, Y: y, Mark: Dot}}}},
	}
}
