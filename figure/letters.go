package figure

import (
	"image/color"
	"math"
	"sync"

	stdfont "golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/font/liberation"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Of an index, in sizes of the letters before it.
const (
	indexSize = 0.72
	indexDrop = 0.22
)

// letters draws text in runs (typeset). If the canvas can write text it writes text, which can be searched and edited;
// otherwise, and if outlines are requested, it draws the outlines of the letters.
type letters struct {
	text.Plain
	outlines bool
}

// writer is a canvas that can write text as text. writes reports whether it can write a run.
type writer interface {
	writes(r run) bool
}

// newStyle is black text of the given size in points.
func newStyle(size float64, outlines bool) text.Style {
	return text.Style{
		Color:   color.Black,
		Font:    font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Points(size)},
		XAlign:  text.XCenter,
		YAlign:  text.YCenter,
		Handler: letters{text.Plain{Fonts: fonts()}, outlines},
	}
}

// fonts are read when the first picture is drawn: most runs draw none.
var fonts = sync.OnceValue(func() *font.Cache { return font.NewCache(liberation.Collection()) })

// face is the font of a run, and how much it lies below the line.
func (r run) face(f font.Font) (face font.Face, drop vg.Length) {
	if r.italic {
		f.Style = stdfont.StyleItalic
	}
	if r.sub {
		drop = indexDrop * f.Size
		f.Size *= indexSize
	}
	return fonts().Lookup(f, f.Size), drop
}

// Draw draws txt at pt, aligned and rotated by sty. Lines of a block are centred on each other.
func (h letters) Draw(c vg.Canvas, txt string, sty text.Style, pt vg.Point) {
	if d, ok := c.(*draw.Canvas); ok {
		c = d.Canvas
	}
	out, writes := c.(writer)
	face := h.Fonts.Lookup(sty.Font, sty.Font.Size)
	c.Push()
	defer c.Pop()
	c.SetColor(sty.Color)
	c.Translate(pt)
	c.Rotate(sty.Rotation)
	ext := face.Extents()
	_, height := boxOf(sty, txt)
	top := height * (1 + vg.Length(sty.YAlign))
	for i, line := range h.Lines(txt) {
		runs := typeset(line)
		at := vg.Point{
			X: widthOf(sty.Font, runs) * vg.Length(sty.XAlign),
			Y: top - ext.Ascent - vg.Length(i)*ext.Height,
		}
		for _, r := range runs {
			face, drop := r.face(sty.Font)
			start := vg.Point{X: at.X, Y: at.Y - drop}
			if writes && !h.outlines && out.writes(r) {
				c.FillString(face, start, r.text)
			} else if path := outline(face, r.text, start); len(path) > 0 {
				c.Fill(path)
			}
			at.X += face.Width(r.text)
		}
	}
}

// widthOf is the width of a line on the paper.
func widthOf(f font.Font, runs []run) (w vg.Length) {
	for _, r := range runs {
		face, _ := r.face(f)
		w += face.Width(r.text)
	}
	return w
}

// outline is the path around the letters of line, which begins at the point at. Signs that the font lacks leave a box.
func outline(face font.Face, line string, at vg.Point) vg.Path {
	var (
		path vg.Path
		buf  sfnt.Buffer
		ppem = fixed.Int26_6(face.Face.UnitsPerEm())
		unit = face.Font.Size / vg.Length(ppem)
		prev sfnt.GlyphIndex
	)
	place := func(p fixed.Point26_6) vg.Point { // fonts count y downwards here
		return vg.Point{X: at.X + unit*vg.Length(p.X), Y: at.Y - unit*vg.Length(p.Y)}
	}
	for i, r := range line {
		glyph, err := face.Face.GlyphIndex(&buf, r)
		if err != nil {
			continue
		}
		if i > 0 {
			if kern, err := face.Face.Kern(&buf, prev, glyph, ppem, 0); err == nil {
				at.X += unit * vg.Length(kern)
			}
		}
		prev = glyph
		segments, err := face.Face.LoadGlyph(&buf, glyph, ppem, nil)
		if err != nil {
			continue
		}
		for j, s := range segments {
			switch s.Op {
			case sfnt.SegmentOpMoveTo:
				if j > 0 {
					path.Close()
				}
				path.Move(place(s.Args[0]))
			case sfnt.SegmentOpLineTo:
				path.Line(place(s.Args[0]))
			case sfnt.SegmentOpQuadTo:
				path.QuadTo(place(s.Args[0]), place(s.Args[1]))
			case sfnt.SegmentOpCubeTo:
				path.CubeTo(place(s.Args[0]), place(s.Args[1]), place(s.Args[2]))
			}
		}
		if len(segments) > 0 {
			path.Close()
		}
		if advance, err := face.Face.GlyphAdvance(&buf, glyph, ppem, 0); err == nil {
			at.X += unit * vg.Length(advance)
		}
	}
	return path
}

// boxOf is the width and height of txt on the paper.
func boxOf(sty text.Style, txt string) (w, h vg.Length) {
	if txt == "" {
		return 0, 0
	}
	face := fonts().Lookup(sty.Font, sty.Font.Size)
	ext := face.Extents()
	lines := sty.Handler.Lines(txt)
	for _, line := range lines {
		w = vg.Length(math.Max(float64(w), float64(widthOf(sty.Font, typeset(line)))))
	}
	return w, ext.Ascent + ext.Descent + vg.Length(len(lines)-1)*ext.Height
}
