package figure

import (
	"image"
	"image/color"
	"math"
	"sort"
	"strings"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

const (
	axisWidth = 0.6   // points
	manyDots  = 10000 // from here on dots become an image
	dotsPerPt = 300.0 / 72
	fewestPx  = 600 // of an image that shows a coarse grid, so that its cells have sharp corners
	wildPx    = 1000
	lineGrain = 0.25 // points; a line's vertices closer than this in x are thinned to their extremes
	arrowBarb = 3.0  // points

	legendInset = 4 // points between a legend and the frame around it, and around its entries
)

var (
	grey      = color.RGBA{0x80, 0x80, 0x80, 0xff}
	gridColor = color.RGBA{0xe6, 0xe6, 0xe6, 0xff}
)

// draw draws f on a canvas of the size returned by layout. pixels is the number of pixels per point; 0 for a canvas
// without pixels.
func (f *Figure) draw(frames []*frame, c draw.Canvas, pixels float64) {
	c.SetColor(color.White) // paper: black letters cannot be read on a dark page
	c.Fill(c.Rectangle.Path())
	if f.Title != "" {
		sty := f.Style.title()
		sty.YAlign = text.YTop
		middle := (frames[0].rect.Min.X + frames[0].rect.Max.X) / 2
		c.FillText(sty, vg.Point{X: middle, Y: c.Max.Y - pageEdge}, f.Title)
	}
	for _, fr := range frames {
		fr.draw(c, pixels)
	}
}

// pen draws inside one frame.
type pen struct {
	draw.Canvas // its rectangle is the frame's
	*frame
	drawn [][]vg.Point // lines, as far as they are inside; names avoid them
	marks []disc       // larger than dots, which names avoid too
}

func (fr *frame) draw(page draw.Canvas, pixels float64) {
	p := fr.contents(page, pixels)
	p.texts()
	p.axes()
	p.names()
}

// contents draws the image, lines and marks of the frame.
func (fr *frame) contents(page draw.Canvas, pixels float64) *pen {
	p := &pen{Canvas: draw.Canvas{Canvas: page.Canvas, Rectangle: fr.rect}, frame: fr}
	if fr.Image != nil {
		p.DrawImage(fr.rect, fr.cells(pixels))
		if fr.Image.Names == nil {
			p.bar()
		}
	} else {
		p.grid()
	}
	for _, a := range fr.Arrows {
		p.arrows(a)
	}
	for _, l := range fr.Lines {
		p.line(l)
	}
	for _, m := range fr.Points {
		p.points(m)
	}
	return p
}

// at is the place of a value on the paper, which may be outside the frame; ok is false where it has none.
func (p *pen) at(x, y float64) (pt vg.Point, ok bool) {
	u, v := p.xa.at(x), p.ya.at(y)
	const far = 1e4 // in frames: a line that far away is drawn as if it were infinite
	if !(math.Abs(u) < far && math.Abs(v) < far) {
		return pt, false
	}
	return vg.Point{X: p.X(u), Y: p.Y(v)}, true
}

func stroke(width float64, clr color.Color) draw.LineStyle {
	return draw.LineStyle{Color: clr, Width: vg.Points(width)}
}

// grid draws faint lines at the labelled ticks.
func (p *pen) grid() {
	for _, t := range p.xs {
		if x := p.X(t.at); t.label != "" && p.ContainsX(x) {
			p.StrokeLine2(stroke(axisWidth, gridColor), x, p.Min.Y, x, p.Max.Y)
		}
	}
	for _, t := range p.ys {
		if y := p.Y(t.at); t.label != "" && p.ContainsY(y) {
			p.StrokeLine2(stroke(axisWidth, gridColor), p.Min.X, y, p.Max.X, y)
		}
	}
}

// axes draws the frame, its ticks, numbers and labels.
func (p *pen) axes() {
	ink := stroke(axisWidth, color.Black)
	p.box(p.Rectangle)
	below, beside := p.style.number(), p.style.number()
	below.YAlign, beside.XAlign = text.YTop, text.XRight
	for _, t := range p.xs {
		x := p.X(t.at)
		if !p.ContainsX(x) {
			continue
		}
		p.StrokeLine2(ink, x, p.Min.Y, x, p.Min.Y-t.length())
		if t.label != "" && p.labelled {
			p.FillText(below, vg.Point{X: x, Y: p.Min.Y - tickSize - labelGap}, t.label)
		}
	}
	for _, t := range p.ys {
		y := p.Y(t.at)
		if !p.ContainsY(y) {
			continue
		}
		p.StrokeLine2(ink, p.Min.X, y, p.Min.X-t.length(), y)
		if t.label != "" {
			p.FillText(beside, vg.Point{X: p.Min.X - tickSize - labelGap, Y: y}, t.label)
		}
	}
	if p.labelled {
		sty := p.style.label()
		sty.YAlign = text.YBottom
		p.FillText(sty, vg.Point{X: p.Center().X, Y: p.Min.Y - vg.Length(p.below)}, p.XLabel)
	}
	sty := p.style.label()
	sty.Rotation, sty.YAlign = math.Pi/2, text.YTop
	p.FillText(sty, vg.Point{X: pageEdge, Y: p.Center().Y}, p.YLabel)
}

func (t tick) length() vg.Length {
	if t.label == "" {
		return tickSize / 2
	}
	return tickSize
}

func (p *pen) box(r vg.Rectangle) {
	ink := stroke(axisWidth, color.Black)
	p.SetLineStyle(ink)
	path := r.Path()
	path.Close()
	p.Stroke(path)
}

// bar draws the scale of the image's colours to the right of the frame.
func (p *pen) bar() {
	r := vg.Rectangle{
		Min: vg.Point{X: p.Max.X + barGap, Y: p.Min.Y},
		Max: vg.Point{X: p.Max.X + barGap + barWidth, Y: p.Max.Y},
	}
	strip := image.NewPaletted(image.Rect(0, 0, 4, mapLevels), p.palette())
	for i := range strip.Pix {
		strip.Pix[i] = uint8(mapLevels - i/4)
	}
	p.DrawImage(r, strip)
	p.box(r)
	sty := p.style.number()
	sty.XAlign = text.XLeft
	widest := vg.Length(0)
	for _, t := range p.zs {
		y := p.Y(t.at)
		if !p.ContainsY(y) {
			continue
		}
		p.StrokeLine2(stroke(axisWidth, color.Black), r.Max.X, y, r.Max.X+t.length(), y)
		if t.label != "" {
			p.FillText(sty, vg.Point{X: r.Max.X + tickSize + labelGap, Y: y}, t.label)
			w, _ := boxOf(sty, t.label)
			widest = max(widest, w)
		}
	}
	sty = p.style.label()
	sty.Rotation, sty.YAlign = math.Pi/2, text.YTop
	p.FillText(sty, vg.Point{X: r.Max.X + tickSize + 2*labelGap + widest, Y: p.Center().Y}, p.Image.Label)
}

// cells is the image of the frame: every pixel has the colour of the cell under its centre, whatever the axes. Where
// the canvas has pixels the image has the same, so that it is not blurred by scaling.
func (fr *frame) cells(pixels float64) *image.Paletted {
	size := fr.rect.Size()
	columns := cellsUnder(fr.xa, fr.columns, int(math.Round(float64(size.X)*pixels)))
	rows := cellsUnder(fr.ya, fr.rowEnds, int(math.Round(float64(size.Y)*pixels)))
	img := image.NewPaletted(image.Rect(0, 0, len(columns), len(rows)), fr.palette())
	n := len(fr.Image.X)
	for j, row := range rows {
		line := img.Pix[(len(rows)-1-j)*img.Stride:]
		for i, column := range columns {
			if row >= 0 && column >= 0 {
				line[i] = fr.colour(fr.Image.Z[row*n+column])
			}
		}
	}
	return img
}

// cellsUnder returns, for each pixel along an axis, the cell between edges that its centre lies in, or -1. If the
// number of pixels is 0 it chooses one: evenly spaced cells that fill the axis get the same number each.
func cellsUnder(a axis, edges []float64, pixels int) []int {
	n := len(edges) - 1
	switch {
	case pixels > 0:
	case even(a, edges):
		pixels = n * ((fewestPx + n - 1) / n)
	default:
		pixels = wildPx
	}
	under := make([]int, pixels)
	for i := range under {
		u := (float64(i) + 0.5) / float64(pixels)
		under[i] = sort.Search(n+1, func(k int) bool { return a.at(edges[k]) > u }) - 1
		if under[i] == n {
			under[i] = -1
		}
	}
	return under
}

func even(a axis, edges []float64) bool {
	n := len(edges) - 1
	for k, e := range edges {
		if math.Abs(a.at(e)*float64(n)-float64(k)) > 0.01 {
			return false
		}
	}
	return true
}

// line draws a curve in pieces between NaN, without the parts outside the frame.
func (p *pen) line(l Line) {
	sty := p.lineStyle(l)
	var piece []vg.Point
	end := func() {
		if piece = thinned(piece); len(piece) > 1 {
			inside := p.ClipLinesXY(piece)
			p.drawn = append(p.drawn, inside...)
			p.StrokeLines(sty, inside...)
		}
		piece = piece[:0:0]
	}
	for i := range l.X {
		pt, ok := p.at(l.X[i], l.Y[i])
		if !ok {
			end()
			continue
		}
		piece = append(piece, pt)
	}
	end()
}

func (p *pen) lineStyle(l Line) draw.LineStyle {
	sty := stroke(l.Width, ink(l.Color))
	if l.Width <= 0 {
		sty.Width = 1.2
	}
	sty.Dashes = [][]vg.Length{Dashed: {5, 3}, Dotted: {1.2, 2.4}, DashDotted: {6, 2.5, 1.2, 2.5}}[l.Dash]
	return sty
}

func ink(c color.Color) color.Color {
	if c == nil {
		return color.Black
	}
	return c
}

// thinned keeps of every run of vertices within a grain of x the first, the lowest, the highest and the last: on the
// paper nothing changes, and a trace of a million samples stays a small file.
func thinned(pts []vg.Point) []vg.Point {
	kept := pts[:0:0]
	for lo := 0; lo < len(pts); {
		hi, low, high := lo, lo, lo
		for ; hi < len(pts) && math.Abs(float64(pts[hi].X-pts[lo].X)) < lineGrain; hi++ {
			if pts[hi].Y < pts[low].Y {
				low = hi
			}
			if pts[hi].Y > pts[high].Y {
				high = hi
			}
		}
		order := []int{lo, min(low, high), max(low, high), hi - 1}
		for i, k := range order {
			if i == 0 || k > order[i-1] {
				kept = append(kept, pts[k])
			}
		}
		lo = hi
	}
	return kept
}

// points draws marks inside the frame, and their error bars.
func (p *pen) points(m Points) {
	if m.Mark == Dot && len(m.X) > manyDots {
		p.DrawImage(p.Rectangle, p.cloud(m))
		return
	}
	if m.Mark == Dot {
		p.dots(m)
		return
	}
	for i := range m.X {
		pt, ok := p.at(m.X[i], m.Y[i])
		if !ok || !p.Contains(pt) {
			continue
		}
		if m.YErr != nil && m.YErr[i] > 0 {
			p.errorBar(m, i, pt)
		}
		p.mark(m, pt)
		p.marks = append(p.marks, disc{pt, m.radius()})
	}
}

// dots draws all dots as one path of small squares, which on the paper are round.
func (p *pen) dots(m Points) {
	var path vg.Path
	r := m.radius()
	for i := range m.X {
		if pt, ok := p.at(m.X[i], m.Y[i]); ok && p.Contains(pt) {
			path = append(path, shape(Square, pt, r)...)
		}
	}
	if len(path) > 0 {
		p.SetColor(ink(m.Color))
		p.Fill(path)
	}
}

// radius is half the diameter of the mark, points.
func (m Points) radius() vg.Length {
	switch {
	case m.Size > 0:
		return vg.Length(m.Size) / 2
	case m.Mark == Dot:
		return 0.6
	}
	return 2.5
}

func (p *pen) errorBar(m Points, i int, pt vg.Point) {
	const cap = 2 // points to each side
	low, okLow := p.at(m.X[i], m.Y[i]-m.YErr[i])
	high, okHigh := p.at(m.X[i], m.Y[i]+m.YErr[i])
	if !okLow {
		low = vg.Point{X: pt.X, Y: p.Min.Y}
	}
	if !okHigh {
		return
	}
	sty := stroke(0.8, ink(m.Color))
	p.StrokeLines(sty, p.ClipLinesXY([]vg.Point{low, high})...)
	for _, end := range []vg.Point{low, high} {
		p.StrokeLines(sty, p.ClipLinesXY([]vg.Point{{X: end.X - cap, Y: end.Y}, {X: end.X + cap, Y: end.Y}})...)
	}
}

// mark draws one point.
func (p *pen) mark(m Points, pt vg.Point) {
	r := m.radius()
	p.SetLineStyle(stroke(0.9, ink(m.Color)))
	if m.Mark == Tick {
		p.StrokeLine2(stroke(0.8, ink(m.Color)), pt.X, pt.Y-r, pt.X, pt.Y+r)
		return
	}
	path := shape(m.Mark, pt, r)
	if !m.Open {
		p.SetColor(ink(m.Color))
		p.Fill(path)
		return
	}
	p.SetColor(color.White)
	p.Fill(path)
	p.SetColor(ink(m.Color))
	p.Stroke(path)
}

// shape is the closed outline of a mark of radius r; all look equally large.
func shape(m Mark, pt vg.Point, r vg.Length) vg.Path {
	var path vg.Path
	corner := func(dx, dy vg.Length) vg.Point { return vg.Point{X: pt.X + r*dx, Y: pt.Y + r*dy} }
	var corners []vg.Point
	switch m {
	case Square:
		corners = []vg.Point{corner(-0.9, -0.9), corner(0.9, -0.9), corner(0.9, 0.9), corner(-0.9, 0.9)}
	case Triangle:
		corners = []vg.Point{corner(-1.1, -0.8), corner(1.1, -0.8), corner(0, 1.2)}
	case Diamond:
		corners = []vg.Point{corner(-1.2, 0), corner(0, -1.2), corner(1.2, 0), corner(0, 1.2)}
	default:
		const k = 0.5523 // four Bezier curves make a circle to 3e-4
		path.Move(corner(1, 0))
		path.CubeTo(corner(1, k), corner(k, 1), corner(0, 1))
		path.CubeTo(corner(-k, 1), corner(-1, k), corner(-1, 0))
		path.CubeTo(corner(-1, -k), corner(-k, -1), corner(0, -1))
		path.CubeTo(corner(k, -1), corner(1, -k), corner(1, 0))
		path.Close()
		return path
	}
	path.Move(corners[0])
	for _, c := range corners[1:] {
		path.Line(c)
	}
	path.Close()
	return path
}

// cloud is the image of many dots: each darkens four pixels by half of what is left of the white.
func (p *pen) cloud(m Points) *image.Paletted {
	const levels = 7
	r, g, b, _ := ink(m.Color).RGBA()
	shades := color.Palette{color.NRGBA{0xff, 0xff, 0xff, 0}}
	for k := 1; k <= levels; k++ {
		tint := func(c uint32) uint8 { return uint8(0xff - (0xff-c>>8)*(1<<k-1)/(1<<k)) }
		shades = append(shades, color.NRGBA{tint(r), tint(g), tint(b), 0xff})
	}
	size := p.Size()
	w, h := int(float64(size.X)*dotsPerPt), int(float64(size.Y)*dotsPerPt)
	img := image.NewPaletted(image.Rect(0, 0, w, h), shades)
	for i := range m.X {
		u, v := p.xa.at(m.X[i]), p.ya.at(m.Y[i])
		if !(u >= 0 && u <= 1 && v >= 0 && v <= 1) {
			continue
		}
		x := min(w-2, int(u*float64(w-1)))
		y := min(h-2, int((1-v)*float64(h-1)))
		for _, k := range [4]int{y*w + x, y*w + x + 1, (y+1)*w + x, (y+1)*w + x + 1} {
			img.Pix[k] = min(levels, img.Pix[k]+1)
		}
	}
	return img
}

// arrows draws directions as they look on the paper, all of one length.
func (p *pen) arrows(a Arrows) {
	length, clr := vg.Length(a.Length), a.Color
	if length <= 0 {
		length = 9
	}
	if clr == nil {
		clr = grey
	}
	sty := stroke(0.7, clr)
	for i := range a.X {
		pt, ok := p.at(a.X[i], a.Y[i])
		if !ok || !p.Contains(pt) {
			continue
		}
		dx, dy := p.slope(p.xa, a.X[i], a.DX[i])*p.Size().X, p.slope(p.ya, a.Y[i], a.DY[i])*p.Size().Y
		n := vg.Length(math.Hypot(float64(dx), float64(dy)))
		if !(n > 0) || math.IsInf(float64(n), 0) {
			if n == 0 {
				p.mark(Points{Mark: Dot, Size: 2, Color: clr}, pt)
			}
			continue
		}
		dx, dy = dx/n, dy/n
		tail := vg.Point{X: pt.X - dx*length/2, Y: pt.Y - dy*length/2}
		head := vg.Point{X: pt.X + dx*length/2, Y: pt.Y + dy*length/2}
		p.StrokeLines(sty, []vg.Point{tail, head})
		var barb vg.Path
		barb.Move(head)
		barb.Line(vg.Point{X: head.X - arrowBarb*dx + arrowBarb/3*dy, Y: head.Y - arrowBarb*dy - arrowBarb/3*dx})
		barb.Line(vg.Point{X: head.X - arrowBarb*dx - arrowBarb/3*dy, Y: head.Y - arrowBarb*dy + arrowBarb/3*dx})
		barb.Close()
		p.SetColor(clr)
		p.Fill(barb)
	}
}

// slope is the speed along an axis, as a share of it, at v moving with dv.
func (p *pen) slope(a axis, v, dv float64) vg.Length {
	if a.log {
		return vg.Length(dv / v / math.Log(a.hi/a.lo))
	}
	return vg.Length(dv / (a.hi - a.lo))
}

// names draws the legend: in rows above the frame, or one below the other in a corner of it.
func (p *pen) names() {
	if len(p.legend) == 0 {
		return
	}
	height := vg.Length(p.rowHeight())
	if p.above > 0 {
		for i, row := range p.legend {
			at := vg.Point{X: p.Min.X, Y: p.Max.Y + height*vg.Length(float64(len(p.legend)-i)-0.4)}
			for _, e := range row {
				p.name(e, at)
				at.X += vg.Length(e.width)
			}
		}
		return
	}
	box, _ := p.legendBox()
	p.SetColor(color.White)
	p.Fill(box.Path())
	row := 0
	for _, entries := range p.legend {
		for _, e := range entries {
			p.name(e, vg.Point{X: box.Min.X + legendInset, Y: box.Max.Y - height*(vg.Length(row)+0.5)})
			row++
		}
	}
}

// legendBox is the place of a legend in a corner of the frame; inside is false where it is elsewhere.
func (p *pen) legendBox() (box vg.Rectangle, inside bool) {
	if len(p.legend) == 0 || p.above > 0 {
		return box, false
	}
	widest, rows := 0.0, 0
	for _, row := range p.legend {
		for _, e := range row {
			widest = max(widest, e.width)
			rows++
		}
	}
	size := vg.Point{X: vg.Length(widest-entryGap) + 2*legendInset, Y: vg.Length(p.rowHeight()) * vg.Length(rows)}
	corner := vg.Point{X: p.Min.X + legendInset, Y: p.Max.Y - legendInset - size.Y}
	if strings.HasSuffix(p.style.Legend, "right") {
		corner.X = p.Max.X - legendInset - size.X
	}
	if strings.HasPrefix(p.style.Legend, "bottom") {
		corner.Y = p.Min.Y + legendInset
	}
	return vg.Rectangle{Min: corner, Max: corner.Add(size)}, true
}

// name draws an entry of the legend from at on, with its middle at the height of at.
func (p *pen) name(e entry, at vg.Point) {
	sty := p.style.number()
	sty.XAlign = text.XLeft
	icon := vg.Length(e.icon)
	middle := vg.Point{X: at.X + icon/2, Y: at.Y}
	if e.fill != nil {
		r := vg.Rectangle{Min: vg.Point{X: middle.X - 5, Y: at.Y - 4}, Max: vg.Point{X: middle.X + 5, Y: at.Y + 4}}
		p.SetColor(e.fill)
		p.Fill(r.Path())
		p.box(r)
	}
	if e.line != nil {
		p.StrokeLine2(p.lineStyle(*e.line), at.X, at.Y, at.X+icon, at.Y)
	}
	if e.marks != nil {
		m := *e.marks
		if m.Mark == Dot {
			m.Size = max(m.Size, 2.5)
		}
		p.mark(m, middle)
	}
	p.FillText(sty, vg.Point{X: at.X + icon + labelGap, Y: at.Y}, e.name)
}
