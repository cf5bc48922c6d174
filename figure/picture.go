package figure

import (
	"bytes"
	"fmt"
	"image"
	"io"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgpdf"
	"gonum.org/v1/plot/vg/vgsvg"

	"popsim/table/file"
)

const pngPixels = 3 // to the point: 216 to the inch

// page is a picture format.
type page struct {
	ending string
	note   func(data []byte, text string) []byte // the file with a remark that readers do not show
	pixels float64                               // to the point; 0 where there are none
	open   func(w, h vg.Length) vg.CanvasWriterTo
}

var pages = []page{
	{".svg", noteSVG, 0, func(w, h vg.Length) vg.CanvasWriterTo { return svg{vgsvg.New(w, h)} }},
	{".png", notePNG, pngPixels, func(w, h vg.Length) vg.CanvasWriterTo {
		return vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(w, h), vgimg.UseDPI(72*pngPixels))}
	}},
	{".pdf", notePDF, 0, func(w, h vg.Length) vg.CanvasWriterTo { return pdf{vgpdf.New(w, h)} }},
	{".html", nil, 0, nil}, // by html
}

// Fonts that stand in for Liberation Sans, letter for letter of the same width, where it is not installed.
const standIns = `font-family:'Liberation Sans',Arial,Helvetica,sans-serif;`

// svg is a canvas whose images fill their rectangles and are labelled as PNG. gonum keeps their proportions and labels
// them as JPEG, for which some viewers do not show them.
type svg struct{ *vgsvg.Canvas }

func (c svg) WriteTo(w io.Writer) (int64, error) {
	var data bytes.Buffer
	if _, err := c.Canvas.WriteTo(&data); err != nil {
		return 0, err
	}
	text := bytes.ReplaceAll(data.Bytes(), []byte("data:image/jpg;"), []byte("data:image/png;"))
	text = bytes.ReplaceAll(text, []byte("<image "), []byte(`<image preserveAspectRatio="none" `))
	text = bytes.ReplaceAll(text, []byte("font-family:Liberation Sans;"), []byte(standIns))
	n, err := w.Write(text)
	return int64(n), err
}

// writes is true: an SVG file holds any letters.
func (c svg) writes(run) bool { return true }

// pdf is a canvas whose images are upright; gonum's are upside down. Its text is limited to Windows-1252; other letters
// are drawn as outlines, and so are italic ones, since the writer of PDF supports a single font.
type pdf struct{ *vgpdf.Canvas }

func (c pdf) writes(r run) bool {
	_, ok := western(r.text)
	return ok && !r.italic
}

// FillString writes text in the encoding of the file.
func (c pdf) FillString(face font.Face, pt vg.Point, text string) {
	coded, _ := western(text)
	c.Canvas.FillString(face, pt, string(coded))
}

func (c pdf) DrawImage(rect vg.Rectangle, img image.Image) {
	if p, ok := img.(*image.Paletted); ok {
		img = upsideDown(p)
	}
	c.Canvas.DrawImage(rect, img)
}

func upsideDown(p *image.Paletted) *image.Paletted {
	turned := image.NewPaletted(p.Rect, p.Palette)
	for y := range p.Rect.Dy() {
		copy(turned.Pix[y*turned.Stride:][:turned.Stride], p.Pix[(p.Rect.Dy()-1-y)*p.Stride:])
	}
	return turned
}

// pageOf is the format of path's ending.
func pageOf(path string) (page, error) {
	var known []string
	for _, p := range pages {
		if p.ending == strings.ToLower(filepath.Ext(path)) {
			return p, nil
		}
		known = append(known, p.ending)
	}
	return page{}, file.UnknownFormat(path, known)
}

// CheckPicture returns an error if a picture could not be saved under path; it is called before the work starts. The
// ending must be known, the directory writable, and the file must not exist unless force is true.
func CheckPicture(path string, force bool) error {
	if _, err := pageOf(path); err != nil {
		return err
	}
	return file.Check(path, force)
}

// Save draws the figure and writes it in the format of path's ending, whole or not at all.
func (f *Figure) Save(path string, force bool) error {
	format, err := pageOf(path)
	if err != nil {
		return err
	}
	if err := f.Check(); err != nil {
		return err
	}
	f = f.styled()
	if format.open == nil {
		data, err := f.html()
		if err != nil {
			return fmt.Errorf("drawing %s: %w", path, err)
		}
		return file.Write(path, data, force)
	}
	frames, width, height := f.layout()
	w, h := vg.Length(width), vg.Length(height)
	canvas := format.open(w, h)
	f.draw(frames, draw.NewCanvas(canvas, w, h), format.pixels)
	var data bytes.Buffer
	if _, err := canvas.WriteTo(&data); err != nil {
		return fmt.Errorf("drawing %s: %w", path, err)
	}
	return file.Write(path, format.note(data.Bytes(), f.Source), force)
}
