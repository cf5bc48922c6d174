package figure

import (
	"cmp"
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"
)

// Measures of the page, in points.
const (
	pageEdge  = 8.0
	tickSize  = 4.0 // outwards; half for minor ticks
	labelGap  = 3.0 // between a tick and its label, and around axis labels
	panelGap  = 9.0 // between panels that share their x axis
	barWidth  = 10.0
	barGap    = 8.0
	iconWidth = 22.0 // of a line in the legend
	markWidth = 10.0 // of a mark without a line
	entryGap  = 14.0
	rowHeight = 13.0 // of the legend, at the usual size of letters

	perMM = 72 / 25.4 // points per millimetre
)

// frame is one panel with its place on the page.
type frame struct {
	*Panel
	style            *Style
	xa, ya, za       axis // za is the bar of the image
	xs, ys, zs       []tick
	labelled         bool // with numbers and a label below
	rect             vg.Rectangle
	legend           [][]entry // rows
	above, below     float64   // room beside the axes, points
	left, right      float64
	columns, rowEnds []float64 // edges of the image's cells
}

// entry is one name of the legend with its line, mark or box.
type entry struct {
	name  string
	line  *Line
	marks *Points
	fill  color.Color // of a box: what the image shows so
	icon  float64     // width, points
	width float64     // with the name and the gap after it
}

// layout places the panels of f and returns them with the size of the page, points. Frames lie on whole points, and so
// on the pixels of a canvas that has a whole number of them to the point.
func (f *Figure) layout() (frames []*frame, w, h float64) {
	w = f.Width * perMM
	if w <= 0 {
		w = 160 * perMM
	}
	w = math.Ceil(w)
	shared := newSpan(len(f.Panels) > 0 && f.Panels[0].XLog)
	for i := range f.Panels {
		fr := &frame{Panel: &f.Panels[i], style: &f.Style, labelled: !f.ShareX || i == len(f.Panels)-1}
		xspan, tight := fr.scale()
		if f.ShareX {
			shared.add(xspan.lo, xspan.hi)
		}
		fr.xa = fr.axis(fr.XRange, xspan, tight)
		frames = append(frames, fr)
	}
	var left, right float64
	for _, fr := range frames {
		if f.ShareX {
			fr.xa = fr.axis(f.Panels[0].XRange, shared, false)
		}
		fr.measure(w)
		left, right = max(left, fr.left), max(right, fr.right)
	}
	f.Title = f.Style.wrap(f.Title, w-2*pageEdge)
	_, titleHeight := boxOf(f.Style.title(), f.Title)
	y := pageEdge + float64(titleHeight)
	if f.Title != "" {
		y += 2 * labelGap
	}
	for i, fr := range frames {
		switch fr.legend = fr.entries(w - left - right); f.Style.Legend {
		case "", Legends[0]:
			fr.above = fr.rowHeight() * float64(len(fr.legend))
		case "none":
			fr.legend = nil
		}
		if i > 0 {
			y += panelGap
		}
		y += fr.above
		top := y
		y += fr.height()
		fr.rect = vg.Rectangle{
			Min: vg.Point{X: vg.Length(math.Ceil(left)), Y: vg.Length(-math.Round(y))},
			Max: vg.Point{X: vg.Length(math.Floor(w - right)), Y: vg.Length(-math.Round(top))},
		}
		y += fr.below
	}
	h = math.Ceil(y + pageEdge)
	for _, fr := range frames { // from the top of the page to its bottom left corner
		fr.rect = fr.rect.Add(vg.Point{Y: vg.Length(h)})
	}
	return frames, w, h
}

func (fr *frame) height() float64 {
	return fr.tall() * perMM
}

// scale finds the ranges of the data, sets the axes of y and of the bar, and returns the range of x. The edges of an
// image are those of its axes, without a margin.
func (fr *frame) scale() (x span, tight bool) {
	x, y := newSpan(fr.XLog), newSpan(fr.YLog)
	for _, l := range fr.Lines {
		x.add(l.X...)
		y.add(l.Y...)
	}
	for _, p := range fr.Points {
		x.add(p.X...)
		y.add(p.Y...)
		for i, e := range p.YErr {
			y.add(p.Y[i]-e, p.Y[i]+e)
		}
	}
	for _, a := range fr.Arrows {
		x.add(a.X...)
		y.add(a.Y...)
	}
	for _, t := range fr.Texts {
		x.add(t.X)
		y.add(t.Y)
	}
	if m := fr.Image; m != nil {
		fr.columns, fr.rowEnds = edges(m.X, fr.XLog), edges(m.Y, fr.YLog)
		x.add(fr.columns...)
		y.add(fr.rowEnds...)
		z := newSpan(false)
		z.add(m.Z...)
		if m.Range[0] != m.Range[1] {
			z = span{lo: m.Range[0], hi: m.Range[1]}
		}
		fr.za = z.axis(0)
		fr.zs = fr.za.ticks(tickCount(fr.height()))
	}
	tight = fr.Image != nil
	fr.ya = fr.axis(fr.YRange, y, tight)
	fr.ya.whole = fr.YWhole
	fr.ys = fr.ya.ticks(tickCount(fr.height()))
	if fr.YNames != nil {
		fr.ys = fr.ya.named(fr.YNames)
	}
	return x, tight
}

// axis is the axis of the given ends, or of the data.
func (fr *frame) axis(ends [2]float64, s span, tight bool) axis {
	const margin = 0.03 // so that no mark sits on the frame
	if ends[0] != ends[1] && (!s.log || min(ends[0], ends[1]) >= tiny) {
		return axis{lo: min(ends[0], ends[1]), hi: max(ends[0], ends[1]), log: s.log}
	}
	if tight {
		return s.axis(0)
	}
	return s.axis(margin)
}

// wrap breaks a title that is wider than width, points, after commas and semicolons, and where a part is wider itself
// between words.
func (s *Style) wrap(title string, width float64) string {
	wide := func(text string) bool {
		w, _ := boxOf(s.title(), strings.TrimRight(text, " "))
		return float64(w) > width
	}
	join := func(parts []string) (lines []string) {
		line := ""
		for _, part := range parts {
			if line != "" && wide(line+part) {
				lines = append(lines, strings.TrimRight(line, " "))
				line = ""
			}
			line += part
		}
		return append(lines, line)
	}
	var all []string
	for line := range strings.SplitSeq(title, "\n") {
		for _, line := range join(clauses(line)) {
			all = append(all, join(strings.SplitAfter(line, " "))...)
		}
	}
	return strings.Join(all, "\n")
}

// clauses are the parts of a text that end in a comma or a semicolon and a space.
func clauses(text string) (parts []string) {
	for part := range strings.SplitAfterSeq(text, ", ") {
		parts = append(parts, strings.SplitAfter(part, "; ")...)
	}
	return parts
}

// rowHeight is that of the legend.
func (fr *frame) rowHeight() float64 { return rowHeight * fr.style.scale() }

// palette holds the colours of the image: grey for NaN, then those of its map or of its names.
func (fr *frame) palette() color.Palette {
	if fr.named() {
		return namePalette(fr.Image.Colours)
	}
	return mapPalette(fr.style.Colours)
}

// colour is the entry of the palette for a value of the image.
func (fr *frame) colour(v float64) uint8 {
	if fr.named() && !math.IsNaN(v) {
		return 1 + uint8(v)
	}
	return mapIndex(fr.za, v)
}

// named reports whether the image shows names, each in a colour of its own.
func (fr *frame) named() bool {
	return fr.Image != nil && fr.Image.Names != nil && len(fr.Image.Names) <= len(nameColours)
}

// tickCount is the number of labelled ticks for a vertical axis of that height, in points.
func tickCount(height float64) int {
	const apart = 30 // points
	return max(2, int(height/apart))
}

// measure chooses the x ticks so that their numbers keep apart, and finds the room needed beside the axes.
func (fr *frame) measure(pageWidth float64) {
	inner := pageWidth - 2*pageEdge - 50
	for most := 9; most >= 2; most-- {
		fr.xs = fr.xa.ticks(most)
		width, n := fr.widest(fr.xs)
		if (width+10)*float64(n) < inner {
			break
		}
	}
	_, numberHeight := boxOf(fr.style.number(), "0")
	_, labelHeight := boxOf(fr.style.label(), fr.YLabel)
	numbers, _ := fr.widest(fr.ys)
	fr.left = pageEdge + numbers + tickSize + 3*labelGap + float64(labelHeight)
	last, _ := fr.widest(fr.xs)
	fr.right = pageEdge + last/2
	if fr.Image != nil && fr.Image.Names == nil {
		numbers, _ := fr.widest(fr.zs)
		_, labelHeight := boxOf(fr.style.label(), fr.Image.Label)
		fr.right = pageEdge + barGap + barWidth + tickSize + numbers + 2*labelGap + float64(labelHeight)
	}
	if fr.labelled {
		_, labelHeight := boxOf(fr.style.label(), fr.XLabel)
		fr.below = tickSize + 2*labelGap + float64(numberHeight+labelHeight)
	}
}

// widest is the width of the widest label and the number of labels.
func (fr *frame) widest(ticks []tick) (width float64, n int) {
	for _, t := range ticks {
		if t.label != "" {
			w, _ := boxOf(fr.style.number(), t.label)
			width = max(width, float64(w))
			n++
		}
	}
	return width, n
}

// entries are the rows of the legend, none wider than width. Lines and points of one name share an entry.
func (fr *frame) entries(width float64) [][]entry {
	var all []entry
	find := func(name string) *entry {
		for i := range all {
			if all[i].name == name {
				return &all[i]
			}
		}
		all = append(all, entry{name: name})
		return &all[len(all)-1]
	}
	if fr.Image != nil {
		for _, z := range fr.Image.Z {
			if math.IsNaN(z) {
				find(cmp.Or(fr.Image.Grey, "undefined")).fill = fr.palette()[0]
				break
			}
		}
		for k, name := range fr.Image.Names {
			if slices.Contains(fr.Image.Z, float64(k)) && !slices.Contains(fr.Image.Known, name) {
				find(name).fill = fr.palette()[fr.colour(float64(k))]
			}
		}
	}
	for i, l := range fr.Lines {
		if l.Name != "" {
			find(l.Name).line = &fr.Lines[i]
		}
	}
	for i, p := range fr.Points {
		if p.Name != "" {
			find(p.Name).marks = &fr.Points[i]
		}
	}
	var rows [][]entry
	room := 0.0
	for _, e := range all {
		w, _ := boxOf(fr.style.number(), e.name)
		e.icon = markWidth
		if e.line != nil {
			e.icon = iconWidth
		}
		e.width = e.icon + labelGap + float64(w) + entryGap
		if len(rows) == 0 || room < e.width {
			rows = append(rows, nil)
			room = width + entryGap
		}
		room -= e.width
		rows[len(rows)-1] = append(rows[len(rows)-1], e)
	}
	return rows
}

// edges are the borders of cells around ascending centres: halfway between them, and as far outside the last.
func edges(centres []float64, log bool) []float64 {
	to, from := func(v float64) float64 { return v }, func(v float64) float64 { return v }
	if log && centres[0] > 0 {
		to, from = math.Log, math.Exp
	}
	n := len(centres)
	if n == 1 {
		half := max(0.5, math.Abs(centres[0])*0.05)
		if log {
			half = centres[0] / 2
		}
		return []float64{centres[0] - half, centres[0] + half}
	}
	all := make([]float64, n+1)
	for i := 1; i < n; i++ {
		all[i] = from((to(centres[i-1]) + to(centres[i])) / 2)
	}
	all[0] = from(to(centres[0]) - (to(centres[1])-to(centres[0]))/2)
	all[n] = from(to(centres[n-1]) + (to(centres[n-1])-to(centres[n-2]))/2)
	return all
}
