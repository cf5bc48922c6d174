package figure

import (
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"
)

// Names of points are placed together: every name gets the place of least cost among places around its point, at
// growing distances, given the lines, marks and other names; this is repeated until no name moves.

// label is a name on the paper.
type label struct {
	text   string
	point  vg.Point     // that it names
	radius vg.Length    // of the mark there
	box    vg.Rectangle // around the letters
	led    bool         // a thin line, the leader, joins the mark and the box
	leader [2]vg.Point  // its ends
}

// disc is a mark on the paper.
type disc struct {
	centre vg.Point
	radius vg.Length
}

// The distances of names from their points, points on the paper; from the first of ledFrom on there is a leader.
var labelGaps = []vg.Length{5, 7, 10, 14, 19, 25, 32, 40, 50, 62, 76, 92, 110, 130, 155, 185, 220}

const (
	ledFrom     = 10.0
	directions  = 32
	clearance   = 2.0 // points between letters and a line, so that neither its width nor a rounding matters
	sameMark    = 2.0 // points: marks this close to a point belong to it
	mostRounds  = 12
	blocked     = 1e4 // cost of a name over a line, a mark, a name, a leader or the edge
	crossed     = 500 // of a leader over a mark, a name or a leader
	overLine    = 3   // of each point of a leader's length on a line
	perDistance = 0.12
	doubtful    = 6 // of a name without a leader beside a mark that it does not name
)

// labels places the names of the frame. Lines and marks must have been drawn.
func (p *pen) labels() []label {
	var all []label
	for _, t := range p.Texts {
		pt, ok := p.at(t.X, t.Y)
		if !ok || !p.Contains(pt) {
			continue
		}
		l := label{text: t.Text, point: pt}
		for _, m := range p.marks {
			if distance(m.centre, pt) < sameMark {
				l.radius = max(l.radius, m.radius)
			}
		}
		all = append(all, l)
	}
	if len(all) == 0 {
		return nil
	}
	g := newGround(p)
	placed := make([]label, 0, len(all))
	for _, l := range all {
		placed = append(placed, g.best(l, p.style, placed))
	}
	for range mostRounds {
		moved := false
		for i, l := range placed {
			others := append(append(make([]label, 0, len(placed)), placed[:i]...), placed[i+1:]...)
			next := g.best(l, p.style, others)
			if g.cost(next, others) < g.cost(l, others) {
				placed[i], moved = next, true
			}
		}
		if !moved {
			break
		}
	}
	return placed
}

// texts draws the names of points.
func (p *pen) texts() {
	placed := p.labels()
	for _, l := range placed {
		if l.led {
			p.StrokeLines(stroke(0.5, grey), l.leader[:])
		}
	}
	for _, l := range placed {
		if p.Image == nil && !overLines(p.drawn, l.box) { // arrows and the grid do not run through letters
			p.SetColor(color.White)
			p.Fill(l.box.Path())
		}
		p.FillText(p.style.number(), middle(l.box), l.text)
	}
}

// overLines reports whether a line runs through r.
func overLines(lines [][]vg.Point, r vg.Rectangle) bool {
	for _, line := range lines {
		for i := 1; i < len(line); i++ {
			if meets([2]vg.Point{line[i-1], line[i]}, r) {
				return true
			}
		}
	}
	return false
}

// ground is what names avoid: the lines of a frame as cells of a point's size, and its marks.
type ground struct {
	frame vg.Rectangle
	w, h  int
	ink   []bool  // w * h cells from the lower left corner; true where a line passes
	sums  []int32 // (w+1) * (h+1): cells of ink to the left and below
	marks []disc
	solid []vg.Rectangle // the legend, if it is inside the frame
}

func newGround(p *pen) *ground {
	size := p.Size()
	g := &ground{frame: p.Rectangle, w: int(size.X) + 1, h: int(size.Y) + 1, marks: p.marks}
	g.ink = make([]bool, g.w*g.h)
	for _, line := range p.drawn {
		for i := 1; i < len(line); i++ {
			g.draw(line[i-1], line[i])
		}
	}
	g.sums = make([]int32, (g.w+1)*(g.h+1))
	for j := range g.h {
		row := int32(0)
		for i := range g.w {
			if g.ink[j*g.w+i] {
				row++
			}
			g.sums[(j+1)*(g.w+1)+i+1] = g.sums[j*(g.w+1)+i+1] + row
		}
	}
	if box, inside := p.legendBox(); inside {
		g.solid = append(g.solid, box)
	}
	return g
}

// draw fills the cells along a part of a line.
func (g *ground) draw(a, b vg.Point) {
	const apart = 0.5 // points
	n := 1 + int(distance(a, b)/apart)
	for k := range n + 1 {
		part := vg.Length(k) / vg.Length(n)
		if c, ok := g.cell(vg.Point{X: a.X + part*(b.X-a.X), Y: a.Y + part*(b.Y-a.Y)}); ok {
			g.ink[c] = true
		}
	}
}

func (g *ground) cell(pt vg.Point) (index int, ok bool) {
	i, j := int(math.Floor(float64(pt.X-g.frame.Min.X))), int(math.Floor(float64(pt.Y-g.frame.Min.Y)))
	return j*g.w + i, i >= 0 && i < g.w && j >= 0 && j < g.h
}

// inkIn is the number of cells with ink in r.
func (g *ground) inkIn(r vg.Rectangle) int32 {
	clamp := func(v vg.Length, n int) int { return min(max(int(math.Floor(float64(v))), 0), n) }
	i0, i1 := clamp(r.Min.X-g.frame.Min.X, g.w), clamp(r.Max.X-g.frame.Min.X+1, g.w)
	j0, j1 := clamp(r.Min.Y-g.frame.Min.Y, g.h), clamp(r.Max.Y-g.frame.Min.Y+1, g.h)
	at := func(i, j int) int32 { return g.sums[j*(g.w+1)+i] }
	return at(i1, j1) - at(i0, j1) - at(i1, j0) + at(i0, j0)
}

// best is l at the place of least cost, given other names.
func (g *ground) best(l label, s *Style, others []label) label {
	w, h := boxOf(s.number(), l.text)
	best, least := l, math.Inf(1)
	for _, gap := range labelGaps {
		if perDistance*float64(gap) > least {
			break
		}
		for k := range directions {
			sin, cos := math.Sincos(2 * math.Pi * float64(k) / directions)
			c := l.moved(gap, vg.Length(cos), vg.Length(sin), w, h)
			if cost := g.cost(c, others); cost < least {
				best, least = c, cost
			}
		}
	}
	return best
}

// moved is the name at a distance from its point, in the direction (x, y) of length 1.
func (l label) moved(gap, x, y, w, h vg.Length) label {
	within := func(v vg.Length) vg.Length { return min(max(v, -1), 1) }
	centre := vg.Point{
		X: l.point.X + gap*x + within(1.5*x)*w/2,
		Y: l.point.Y + gap*y + within(1.5*y)*h/2,
	}
	l.box = vg.Rectangle{
		Min: vg.Point{X: centre.X - w/2, Y: centre.Y - h/2},
		Max: vg.Point{X: centre.X + w/2, Y: centre.Y + h/2},
	}
	end := vg.Point{
		X: min(max(l.point.X, l.box.Min.X), l.box.Max.X),
		Y: min(max(l.point.Y, l.box.Min.Y), l.box.Max.Y),
	}
	length := distance(l.point, end)
	l.led = length >= ledFrom
	if l.led {
		part := vg.Length(float64(l.radius+0.5) / length)
		l.leader = [2]vg.Point{
			{X: l.point.X + part*(end.X-l.point.X), Y: l.point.Y + part*(end.Y-l.point.Y)},
			end,
		}
	}
	return l
}

// cost is the cost of a name at its place, given other names.
func (g *ground) cost(l label, others []label) float64 {
	cost := perDistance * distance(l.point, middle(l.box))
	wide := grown(l.box, clearance)
	if !inside(wide, g.frame) {
		cost += 2 * blocked
	}
	if n := g.inkIn(wide); n > 0 {
		cost += blocked + float64(n)
	}
	for _, m := range g.marks {
		own := distance(m.centre, l.point) < sameMark
		switch from := apart(l.box, m.centre); {
		case from < float64(m.radius)+0.5:
			cost += blocked
		case !own && !l.led && from < ledFrom:
			cost += doubtful
		}
		if l.led && !own && segmentTo(l.leader, m.centre) < float64(m.radius)+0.5 {
			cost += crossed
		}
	}
	for _, r := range g.solid {
		if overlap(wide, r) {
			cost += blocked
		}
	}
	if l.led {
		cost += overLine * g.along(l.leader)
	}
	for _, o := range others {
		cost += between(l, o)
	}
	return cost
}

// between is the cost of two names, and their leaders, on each other.
func between(a, b label) (cost float64) {
	if overlap(grown(a.box, 1), grown(b.box, 1)) {
		cost += blocked
	}
	if a.led && meets(a.leader, grown(b.box, 1)) {
		cost += crossed
	}
	if b.led && meets(b.leader, grown(a.box, 1)) {
		cost += crossed
	}
	if a.led && b.led && cross(a.leader, b.leader) {
		cost += crossed
	}
	return cost
}

// along is the length of s that lies on lines, points.
func (g *ground) along(s [2]vg.Point) (length float64) {
	n := 1 + int(distance(s[0], s[1]))
	for k := range n {
		part := (vg.Length(k) + 0.5) / vg.Length(n)
		c, ok := g.cell(vg.Point{X: s[0].X + part*(s[1].X-s[0].X), Y: s[0].Y + part*(s[1].Y-s[0].Y)})
		if ok && g.ink[c] {
			length++
		}
	}
	return length
}

func distance(a, b vg.Point) float64 { return math.Hypot(float64(a.X-b.X), float64(a.Y-b.Y)) }

func middle(r vg.Rectangle) vg.Point {
	return vg.Point{X: (r.Min.X + r.Max.X) / 2, Y: (r.Min.Y + r.Max.Y) / 2}
}

// grown is r with a margin on every side.
func grown(r vg.Rectangle, by vg.Length) vg.Rectangle {
	return vg.Rectangle{
		Min: vg.Point{X: r.Min.X - by, Y: r.Min.Y - by},
		Max: vg.Point{X: r.Max.X + by, Y: r.Max.Y + by},
	}
}

func inside(r, frame vg.Rectangle) bool {
	return r.Min.X >= frame.Min.X && r.Max.X <= frame.Max.X && r.Min.Y >= frame.Min.Y && r.Max.Y <= frame.Max.Y
}

func overlap(a, b vg.Rectangle) bool {
	return a.Min.X < b.Max.X && b.Min.X < a.Max.X && a.Min.Y < b.Max.Y && b.Min.Y < a.Max.Y
}

// apart is the distance of a point from a rectangle; 0 inside.
func apart(r vg.Rectangle, pt vg.Point) float64 {
	return distance(pt, vg.Point{X: min(max(pt.X, r.Min.X), r.Max.X), Y: min(max(pt.Y, r.Min.Y), r.Max.Y)})
}

// segmentTo is the distance of a point from a segment.
func segmentTo(s [2]vg.Point, pt vg.Point) float64 {
	dx, dy := s[1].X-s[0].X, s[1].Y-s[0].Y
	part := ((pt.X-s[0].X)*dx + (pt.Y-s[0].Y)*dy) / max(dx*dx+dy*dy, 1e-12)
	part = min(max(part, 0), 1)
	return distance(pt, vg.Point{X: s[0].X + part*dx, Y: s[0].Y + part*dy})
}

// meets reports whether a segment has a point in r: its part inside all four sides is not empty.
func meets(s [2]vg.Point, r vg.Rectangle) bool {
	from, to := vg.Length(0), vg.Length(1)
	keep := func(start, step, lo, hi vg.Length) {
		if step == 0 {
			if start < lo || start > hi {
				to = -1
			}
			return
		}
		a, b := (lo-start)/step, (hi-start)/step
		from, to = max(from, min(a, b)), min(to, max(a, b))
	}
	keep(s[0].X, s[1].X-s[0].X, r.Min.X, r.Max.X)
	keep(s[0].Y, s[1].Y-s[0].Y, r.Min.Y, r.Max.Y)
	return from <= to
}

// cross reports whether two segments have a point in common.
func cross(a, b [2]vg.Point) bool {
	side := func(s [2]vg.Point, p vg.Point) float64 {
		return float64((s[1].X-s[0].X)*(p.Y-s[0].Y) - (s[1].Y-s[0].Y)*(p.X-s[0].X))
	}
	return side(a, b[0])*side(a, b[1]) <= 0 && side(b, a[0])*side(b, a[1]) <= 0
}
