package figure

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"gonum.org/v1/plot/text"
)

// Style is the appearance of a figure on paper. The zero Style is that of the program's own pictures.
type Style struct {
	Width   float64 // of the page, mm; 0 means that of the Figure
	Height  float64 // of the axes of the largest panel, mm; the others shrink alike; 0 means that of the Figure
	Font    float64 // size of the numbers at the axes, points; labels and titles are larger; 0 means 9
	Title   *string // in place of the figure's; empty means none
	Legend  string  // one of Legends; empty means the first
	Colours string  // the map of images, one of ColourMaps; empty means the first
	// ends of the axes of the panels, "LO:HI", from above; an empty one, or none, means those of the figure
	X, Y     []string
	Panels   []string // of the picture of a run, from above; nil means the usual ones
	Order    string   // of the picture of a run: what rows of the raster ascend in; "" means the number
	Outlines bool     // letters as outlines instead of text: the same look everywhere, with no font installed
}

// Legends are the places of a legend: above the axes, or in a corner of them, or nowhere.
var Legends = []string{"above", "top-left", "top-right", "bottom-left", "bottom-right", "none"}

const numberSize = 9 // points

func (s *Style) scale() float64 {
	if s.Font <= 0 {
		return 1
	}
	return s.Font / numberSize
}

func (s *Style) title() text.Style  { return newStyle(12*s.scale(), s.Outlines) }
func (s *Style) label() text.Style  { return newStyle(10*s.scale(), s.Outlines) }
func (s *Style) number() text.Style { return newStyle(numberSize*s.scale(), s.Outlines) }

// styleKey is a key of ParseStyle and how it is set.
type styleKey struct {
	name string
	set  func(s *Style, value string) error
}

var styleKeys = []styleKey{
	{"width", func(s *Style, v string) (err error) { s.Width, err = length(v); return }},
	{"height", func(s *Style, v string) (err error) { s.Height, err = length(v); return }},
	{"font", func(s *Style, v string) (err error) { s.Font, err = fontSize(v); return }},
	{"title", func(s *Style, v string) error { s.Title = &v; return nil }},
	{"legend", func(s *Style, v string) (err error) { s.Legend, err = oneOf(v, Legends); return }},
	{"colours", func(s *Style, v string) (err error) { s.Colours, err = oneOf(v, ColourMaps()); return }},
	{"x", func(s *Style, v string) (err error) { s.X, err = limits(v); return }},
	{"y", func(s *Style, v string) (err error) { s.Y, err = limits(v); return }},
	{"panels", func(s *Style, v string) error { s.Panels = strings.FieldsFunc(v, separator); return nil }},
	{"order", func(s *Style, v string) error { s.Order = v; return nil }},
	{"outlines", func(s *Style, v string) (err error) { s.Outlines, err = strconv.ParseBool(v); return }},
}

// StyleKeys lists the keys of ParseStyle.
func StyleKeys() (names []string) {
	for _, k := range styleKeys {
		names = append(names, k.name)
	}
	return names
}

// ParseStyle reads a style from a list, separated by commas, of KEY=VALUE and of names of TOML files that hold such
// keys; later ones override earlier ones. A part that is neither continues the value before it, as in panels=raster,V.
// The error names the part that is wrong, and what would be right.
func ParseStyle(list string) (Style, error) {
	var s Style
	for _, part := range styleParts(list) {
		key, value, ok := strings.Cut(part, "=")
		if !ok {
			if err := s.read(part); err != nil {
				return s, err
			}
			continue
		}
		if err := s.set(strings.TrimSpace(key), strings.TrimSpace(value)); err != nil {
			return s, err
		}
	}
	return s, nil
}

// styleParts divides a list at its commas, but for those within a value.
func styleParts(list string) (parts []string) {
	goesOn := false // whether the value of the last part may hold commas
	for part := range strings.SplitSeq(list, ",") {
		trimmed := strings.TrimSpace(part)
		switch {
		case trimmed == "":
		case goesOn && !strings.Contains(trimmed, "=") && !strings.HasSuffix(trimmed, ".toml"):
			parts[len(parts)-1] += "," + part
		default:
			parts = append(parts, trimmed)
			key, _, _ := strings.Cut(trimmed, "=")
			goesOn = key == "panels" || key == "title"
		}
	}
	return parts
}

func (s *Style) set(key, value string) error {
	i := slices.IndexFunc(styleKeys, func(k styleKey) bool { return k.name == key })
	if i < 0 {
		return fmt.Errorf("a picture's style has no %q; it has %s", key, strings.Join(StyleKeys(), ", "))
	}
	if err := styleKeys[i].set(s, value); err != nil {
		return fmt.Errorf("%s=%s: %w", key, value, err)
	}
	return nil
}

// read sets the keys of a TOML file.
func (s *Style) read(path string) error {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%q is neither KEY=VALUE nor a file that exists", path)
	} else if err != nil {
		return err
	}
	var keys map[string]any
	if err := toml.NewDecoder(bytes.NewReader(data)).Decode(&keys); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	names := make([]string, 0, len(keys))
	for name := range keys {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if err := s.set(name, fmt.Sprint(keys[name])); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

// length reads a length on paper in mm, with an optional unit mm, cm, in or pt.
func length(text string) (float64, error) {
	for unit, mm := range map[string]float64{"mm": 1, "cm": 10, "in": 25.4, "pt": 1 / perMM} {
		if number, ok := strings.CutSuffix(text, unit); ok {
			return positive(number, mm, 10, 2000, "mm")
		}
	}
	return positive(text, 1, 10, 2000, "mm")
}

func fontSize(text string) (float64, error) {
	return positive(strings.TrimSuffix(text, "pt"), 1, 3, 40, "pt")
}

// positive reads a number times unit, between least and most.
func positive(text string, unit, least, most float64, name string) (float64, error) {
	v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a number of %s", text, name)
	}
	if v *= unit; !(v >= least && v <= most) {
		return 0, fmt.Errorf("it must be %g to %g %s", least, most, name)
	}
	return v, nil
}

// separator divides the names of panels: commas or + on a command line, blanks and brackets in a list of a file.
func separator(r rune) bool { return strings.ContainsRune(",+ []", r) }

func oneOf(text string, choices []string) (string, error) {
	if !slices.Contains(choices, text) {
		return "", fmt.Errorf("there are %s", strings.Join(choices, ", "))
	}
	return text, nil
}

// limits reads LO:HI for each panel, separated by semicolons.
func limits(text string) (all []string, err error) {
	for part := range strings.SplitSeq(text, ";") {
		part = strings.TrimSpace(part)
		if part != "" {
			if _, ok := ends(part); !ok {
				return nil, fmt.Errorf("%q is not LO:HI with LO below HI", part)
			}
		}
		all = append(all, part)
	}
	return all, nil
}

// ends reads LO:HI.
func ends(text string) (pair [2]float64, ok bool) {
	lo, hi, ok := strings.Cut(text, ":")
	if !ok {
		return pair, false
	}
	var errLo, errHi error
	pair[0], errLo = strconv.ParseFloat(lo, 64)
	pair[1], errHi = strconv.ParseFloat(hi, 64)
	finite := !math.IsInf(pair[0], 0) && !math.IsInf(pair[1], 0)
	return pair, errLo == nil && errHi == nil && finite && pair[0] < pair[1]
}

// styled is the figure in its style: with the sizes, limits and the title that the style sets.
func (f *Figure) styled() *Figure {
	g, s := *f, &f.Style
	g.Panels = slices.Clone(f.Panels)
	if s.Width > 0 {
		g.Width = s.Width
	}
	if s.Title != nil {
		g.Title = *s.Title
	}
	tallest := 0.0
	for i := range g.Panels {
		tallest = max(tallest, g.Panels[i].tall())
	}
	for i := range g.Panels {
		p := &g.Panels[i]
		if s.Height > 0 {
			p.Height = s.Height * p.tall() / tallest
		}
		if i < len(s.X) && s.X[i] != "" {
			p.XRange, _ = ends(s.X[i])
		}
		if i < len(s.Y) && s.Y[i] != "" {
			p.YRange, _ = ends(s.Y[i])
		}
		if g.ShareX && len(s.X) > 0 {
			p.XRange = g.Panels[0].XRange
		}
	}
	return &g
}

// tall is the height of the panel's axes, mm.
func (p *Panel) tall() float64 {
	if p.Height <= 0 {
		return 85
	}
	return p.Height
}
