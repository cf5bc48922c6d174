package figure

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"html/template"
	"image/color"
	"math"
	"strings"
)

//go:embed page.html
var pageHTML string

//go:embed page.js
var pageScript string

var pageTemplate = template.Must(template.New("page").Parse(pageHTML))

// The data of an interactive page, as page.js reads them.
type (
	webFigure struct {
		ShareX bool       `json:"shareX"`
		Panels []webPanel `json:"panels"`
	}
	webPanel struct {
		X      webAxis    `json:"x"`
		Y      webAxis    `json:"y"`
		Height float64    `json:"height"` // pixels
		Legend []webEntry `json:"legend"`
		Image  *webImage  `json:"image,omitempty"`
		Lines  []webLine  `json:"lines"`
		Points []webMarks `json:"points"`
		Arrows []webField `json:"arrows"`
		Texts  []webText  `json:"texts"`
	}
	webAxis struct {
		Label string     `json:"label"`
		Ends  [2]float64 `json:"ends"`
		Log   bool       `json:"log"`
		Whole bool       `json:"whole"`
		Names []string   `json:"names,omitempty"`
	}
	webEntry struct {
		Name  string `json:"name"`
		Color string `json:"color"`
		Fixed bool   `json:"fixed"` // a class of the image: it cannot be switched off
	}
	webImage struct {
		X       webColumn  `json:"x"`
		Y       webColumn  `json:"y"`
		Z       webColumn  `json:"z"`
		Columns webColumn  `json:"columns"` // edges of the cells
		Rows    webColumn  `json:"rows"`
		Palette []int      `json:"palette"` // 0xrrggbb; the first is that of NaN
		Range   [2]float64 `json:"range"`
		Label   string     `json:"label"`
		Names   []string   `json:"names,omitempty"`
		Grey    string     `json:"grey"` // what NaN means
	}
	webLine struct {
		Name  string    `json:"name"`
		X     webColumn `json:"x"`
		Y     webColumn `json:"y"`
		Color string    `json:"color"`
		Width float64   `json:"width"`
		Dash  []float64 `json:"dash"`
	}
	webMarks struct {
		Name  string    `json:"name"`
		X     webColumn `json:"x"`
		Y     webColumn `json:"y"`
		Color string    `json:"color"`
		Mark  string    `json:"mark"`
		Open  bool      `json:"open"`
		Size  float64   `json:"size"`
	}
	webField struct {
		X     webColumn `json:"x"`
		Y     webColumn `json:"y"`
		DX    webColumn `json:"dx"`
		DY    webColumn `json:"dy"`
		Color string    `json:"color"`
	}
	webText struct {
		X    float64 `json:"x"`
		Y    float64 `json:"y"`
		Text string  `json:"text"`
	}
)

// webColumn is written as base64 of little-endian float64: exact, and a quarter of decimal text to read.
type webColumn []float64

// MarshalText implements encoding.TextMarshaler.
func (c webColumn) MarshalText() ([]byte, error) {
	data := make([]byte, 0, 8*len(c))
	for _, v := range c {
		data = binary.LittleEndian.AppendUint64(data, math.Float64bits(v))
	}
	return base64.StdEncoding.AppendEncode(nil, data), nil
}

// html is the figure as one page that needs no other file: the data, and a script that draws them and lets the reader
// zoom, read values and switch curves off.
func (f *Figure) html() ([]byte, error) {
	frames, _, _ := f.layout()
	web := webFigure{ShareX: f.ShareX}
	for _, fr := range frames {
		web.Panels = append(web.Panels, fr.web())
	}
	data, err := json.Marshal(web)
	if err != nil {
		return nil, fmt.Errorf("data of the figure: %w", err)
	}
	var page bytes.Buffer
	err = pageTemplate.Execute(&page, struct {
		Title, Source string
		Data          template.JS
		Script        template.JS
		// both are our own; JSON escapes < and >
	}{plain(f.Title), f.Source, template.JS(data), template.JS(pageScript)}) //nolint:gosec
	return page.Bytes(), err
}

// plain is a line as typeset sets it, without the ways of setting.
func plain(line string) string {
	var lines []string
	for l := range strings.Lines(line) {
		text := ""
		for i, r := range typeset(strings.TrimSuffix(l, "\n")) {
			if r.sub && i > 0 {
				text += "_"
			}
			text += r.text
		}
		lines = append(lines, text)
	}
	return strings.Join(lines, "\n")
}

func (fr *frame) web() webPanel {
	const pixels = 1.7 // to the point
	p := webPanel{
		X:      webAxis{plain(fr.XLabel), [2]float64{fr.xa.lo, fr.xa.hi}, fr.xa.log, false, nil},
		Y:      webAxis{plain(fr.YLabel), [2]float64{fr.ya.lo, fr.ya.hi}, fr.ya.log, fr.YWhole, fr.YNames},
		Height: math.Round(pixels*fr.height()) + 50,
		Legend: []webEntry{}, Lines: []webLine{}, Points: []webMarks{}, Arrows: []webField{}, Texts: []webText{},
	}
	for _, row := range fr.entries(math.Inf(1)) {
		for _, e := range row {
			entry := webEntry{Name: plain(e.name)}
			switch {
			case e.fill != nil:
				entry.Color, entry.Fixed = hex(e.fill), true
			case e.line != nil:
				entry.Color = hex(e.line.Color)
			default:
				entry.Color = hex(e.marks.Color)
			}
			p.Legend = append(p.Legend, entry)
		}
	}
	if m := fr.Image; m != nil {
		p.Image = &webImage{
			X: m.X, Y: m.Y, Z: m.Z, Columns: fr.columns, Rows: fr.rowEnds,
			Range: [2]float64{fr.za.lo, fr.za.hi}, Label: plain(m.Label),
			Grey: cmp.Or(m.Grey, "undefined"),
		}
		if fr.named() {
			p.Image.Names = m.Names
		}
		for _, c := range fr.palette() {
			r, g, b, _ := c.RGBA()
			p.Image.Palette = append(p.Image.Palette, int(r>>8<<16|g>>8<<8|b>>8))
		}
	}
	for _, l := range fr.Lines {
		width := l.Width
		if width <= 0 {
			width = 1.2
		}
		dash := [][]float64{Solid: {}, Dashed: {7, 4}, Dotted: {2, 3}, DashDotted: {8, 3, 2, 3}}[l.Dash]
		p.Lines = append(p.Lines, webLine{plain(l.Name), l.X, l.Y, hex(l.Color), width, dash})
	}
	for _, m := range fr.Points {
		mark := []string{
			Dot: "dot", Circle: "circle", Square: "square", Triangle: "triangle", Diamond: "diamond", Tick: "tick",
		}[m.Mark]
		p.Points = append(p.Points, webMarks{plain(m.Name), m.X, m.Y, hex(m.Color), mark, m.Open, 2 * float64(m.radius())})
	}
	for _, a := range fr.Arrows {
		clr := a.Color
		if clr == nil {
			clr = grey
		}
		p.Arrows = append(p.Arrows, webField{a.X, a.Y, a.DX, a.DY, hex(clr)})
	}
	for _, t := range fr.Texts {
		if !math.IsNaN(t.X+t.Y) && !math.IsInf(t.X+t.Y, 0) {
			p.Texts = append(p.Texts, webText{t.X, t.Y, plain(t.Text)})
		}
	}
	return p
}

// hex is a colour as pages write it; nil is black.
func hex(c color.Color) string {
	r, g, b, _ := ink(c).RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}
