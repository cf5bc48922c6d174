package figure

import (
	"image/color"
	"math"

	"gonum.org/v1/plot/palette"
	"gonum.org/v1/plot/palette/moreland"
)

// Colours that people with any kind of colour vision can distinguish (Okabe and Ito, jfly.uni-koeln.de/color). Dashes
// and marks give the same information.
var (
	blue      = color.RGBA{0x00, 0x72, 0xb2, 0xff}
	orange    = color.RGBA{0xd5, 0x5e, 0x00, 0xff}
	green     = color.RGBA{0x00, 0x9e, 0x73, 0xff}
	lightGrey = color.RGBA{0x99, 0x99, 0x99, 0xff}
)

// viridis is the colour map of that name (Smith and van der Walt, CC0): perceptually uniform, growing from dark to
// light, so that it is read as well without colour. The polynomials in t, one per channel, were fitted by Matt Zucker
// (CC0) and are within 2 % of the table.
func viridis(t float64) color.RGBA {
	channel := func(c [7]float64) uint8 {
		v := 0.0
		for i := len(c) - 1; i >= 0; i-- {
			v = float64(v*t) + c[i]
		}
		return uint8(math.Round(255 * min(1, max(0, v))))
	}
	return color.RGBA{
		channel(
			[7]float64{0.2777273272, 0.1050930431, -0.3308618287, -4.6342304990, 6.2282699363, 4.7763849977, -5.4354558559},
		),
		channel(
			[7]float64{0.0054073445, 1.4046135299, 0.2148475595, -5.7991009734, 14.1799333668, -13.7451453777, 4.6458526122},
		),
		channel(
			[7]float64{0.3340998053, 1.3845901626, 0.0950951630, -19.3324409563, 56.6905526007, -65.3530326334, 26.3124352496},
		),
		0xff,
	}
}

const mapLevels = 64 // colours of a map: steps are hardly seen, and the file is half of what 256 would need

// colourMaps are the maps of images. All but the last run from dark to light; that one has white in its middle.
var colourMaps = []struct {
	name string
	at   func() func(t float64) color.Color
}{
	{"viridis", func() func(float64) color.Color { return func(t float64) color.Color { return viridis(t) } }},
	{"kindlmann", func() func(float64) color.Color { return library(moreland.Kindlmann()) }},
	{"blackbody", func() func(float64) color.Color { return library(moreland.ExtendedBlackBody()) }},
	{"grey", func() func(float64) color.Color {
		return func(t float64) color.Color { return color.Gray{uint8(math.Round(255 * t))} }
	}},
	{"blue-red", func() func(float64) color.Color { return library(moreland.SmoothBlueRed()) }},
}

// library is a map of gonum between 0 and 1.
func library(m palette.ColorMap) func(float64) color.Color {
	m.SetMin(0)
	m.SetMax(1)
	return func(t float64) color.Color {
		c, err := m.At(t)
		if err != nil {
			panic(err) // t is between 0 and 1
		}
		return c
	}
}

// ColourMaps are the names of the maps that a Style may choose for images; the first is the usual one.
func ColourMaps() (names []string) {
	for _, m := range colourMaps {
		names = append(names, m.name)
	}
	return names
}

// mapPalette is grey for NaN, then the map of the given name from low to high.
func mapPalette(name string) color.Palette {
	at := colourMaps[0].at()
	for _, m := range colourMaps {
		if m.name == name {
			at = m.at()
		}
	}
	p := color.Palette{color.RGBA{0xc8, 0xc8, 0xc8, 0xff}}
	for i := range mapLevels {
		p = append(p, at(float64(i)/(mapLevels-1)))
	}
	return p
}

// mapIndex is the entry of mapPalette for v on the axis of the bar.
func mapIndex(a axis, v float64) uint8 {
	if math.IsNaN(v) {
		return 0
	}
	return 1 + uint8(min(mapLevels-1, max(0, a.at(v)*mapLevels)))
}

// nameColours are those of images that show names: they suggest no order, and any two of them differ for people who do
// not distinguish red from green (TestNameColours).
var nameColours = []color.RGBA{
	{0xdd, 0xdd, 0xdd, 0xff},
	{0x00, 0x72, 0xb2, 0xff},
	{0xe6, 0x9f, 0x00, 0xff},
	{0x00, 0x9e, 0x73, 0xff},
	{0xf0, 0xe4, 0x42, 0xff},
	{0xcc, 0x79, 0xa7, 0xff},
	{0x56, 0xb4, 0xe9, 0xff},
	{0x33, 0x22, 0x55, 0xff},
	{0xd5, 0x5e, 0x00, 0xff},
}

// namePalette is grey for NaN, then the given colours or, without any, nameColours.
func namePalette(own []color.Color) color.Palette {
	p := color.Palette{color.RGBA{0xc8, 0xc8, 0xc8, 0xff}}
	if own != nil {
		return append(p, own...)
	}
	for _, c := range nameColours {
		p = append(p, c)
	}
	return p
}
