package figure

import (
	"fmt"
	"math"
	"os"
	"slices"
	"sort"
	"strings"

	"github.com/guptarohit/asciigraph"
)

const (
	terminalHeight = 12 // lines, at most
	yMargin        = 12 // columns for the numbers of the y axis
)

// Terminal is a drawing of one or several curves in characters, at most width columns wide, for a glance at an f-I
// curve. ylabel stands above it and xlabel below. A curve is drawn at evenly spaced x, interpolated between its points,
// whose x must ascend; where it has none, it is interrupted. Several differ by colour or, where NO_COLOR is set, by
// their characters. With nothing to draw it is empty.
func Terminal(width int, xlabel, ylabel string, series ...Series) string {
	columns := max(16, width-yMargin)
	x, y := newSpan(false), newSpan(false)
	for _, s := range series {
		for i, v := range s.X {
			if finite(s.Y[i]) {
				x.add(v)
				y.add(s.Y[i])
			}
		}
	}
	if x.lo > x.hi {
		return ""
	}
	if x.lo == x.hi {
		x.lo, x.hi = x.lo-1, x.hi+1
	}
	var curves [][]float64
	var names []string
	for _, s := range series {
		curves = append(curves, resampled(s, x.lo, x.hi, columns))
		if s.Name != "" {
			names = append(names, s.Name)
		}
	}
	ya := y.axis(0)
	step, _ := niceStep((ya.hi - ya.lo) / terminalHeight)
	lo, hi := math.Floor(ya.lo/step), math.Ceil(ya.hi/step)
	format := tickFormat(step, max(math.Abs(ya.lo), math.Abs(ya.hi)))
	options := []asciigraph.Option{
		asciigraph.Height(int(hi - lo)),
		asciigraph.LowerBound(lo * step),
		asciigraph.UpperBound(hi * step),
		asciigraph.YAxisValueFormatter(func(v float64) string { return format(math.Round(v/step) * step) }),
		asciigraph.XAxisRange(x.lo, x.hi),
		asciigraph.XAxisTickCount(5),
		asciigraph.Caption(xlabel),
	}
	key := ""
	switch {
	case len(series) < 2:
	case os.Getenv("NO_COLOR") != "":
		var sets []asciigraph.CharSet
		for i := range series {
			mark := terminalMarks[i%len(terminalMarks)]
			sets = append(sets, asciigraph.CreateCharSet(mark))
			if len(names) == len(series) {
				key += fmt.Sprintf("%s %s   ", mark, names[i])
			}
		}
		options = append(options, asciigraph.SeriesChars(sets...))
	default:
		if len(names) == len(series) {
			options = append(options, asciigraph.SeriesLegends(names...))
		}
		options = append(options,
			asciigraph.SeriesColors(slices.Repeat(terminalColors, 1+len(series)/len(terminalColors))...))
	}
	if key != "" {
		key = strings.Repeat(" ", yMargin/2) + strings.TrimSpace(key) + "\n"
	}
	return ylabel + "\n" + asciigraph.PlotMany(curves, options...) + "\n" + key
}

// terminalMarks draw the curves where NO_COLOR (no-color.org) is set.
var terminalMarks = []string{"*", "o", "+", "x", "#", "%", "@"}

var terminalColors = []asciigraph.AnsiColor{asciigraph.Default, asciigraph.Red, asciigraph.Blue, asciigraph.Green}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// resampled is the curve at n places from lo to hi; NaN beside a missing value and outside its ends, except where that
// would lose a point.
func resampled(s Series, lo, hi float64, n int) []float64 {
	y := make([]float64, n)
	for k := range y {
		v := lo + (hi-lo)*float64(k)/float64(n-1)
		i := sort.SearchFloat64s(s.X, v) // the first point at or after v
		y[k] = math.NaN()
		if 0 < i && i < len(s.X) && finite(s.Y[i-1]) && finite(s.Y[i]) {
			share := (v - s.X[i-1]) / (s.X[i] - s.X[i-1])
			y[k] = s.Y[i-1] + share*(s.Y[i]-s.Y[i-1])
		}
	}
	for i, v := range s.X {
		if k := int(math.Round((v - lo) / (hi - lo) * float64(n-1))); finite(s.Y[i]) && 0 <= k && k < n && math.IsNaN(y[k]) {
			y[k] = s.Y[i]
		}
	}
	return y
}
