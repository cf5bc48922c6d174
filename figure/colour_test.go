package figure

import (
	"image/color"
	"math"
	"testing"
)

// lab is a colour in CIE L*a*b* (white D65), in which distances are those that people see.
func lab(rgb [3]float64) [3]float64 {
	x := (0.4124*rgb[0] + 0.3576*rgb[1] + 0.1805*rgb[2]) / 0.9505
	y := 0.2126*rgb[0] + 0.7152*rgb[1] + 0.0722*rgb[2]
	z := (0.0193*rgb[0] + 0.1192*rgb[1] + 0.9505*rgb[2]) / 1.089
	f := func(t float64) float64 {
		if t > 0.008856 {
			return math.Cbrt(t)
		}
		return 7.787*t + 16.0/116
	}
	return [3]float64{116*f(y) - 16, 500 * (f(x) - f(y)), 200 * (f(y) - f(z))}
}

// linear is the light of a colour's channels.
func linear(c color.RGBA) (rgb [3]float64) {
	for i, v := range [3]uint8{c.R, c.G, c.B} {
		u := float64(v) / 255
		if u <= 0.04045 {
			rgb[i] = u / 12.92
		} else {
			rgb[i] = math.Pow((u+0.055)/1.055, 2.4)
		}
	}
	return rgb
}

// How people see colours without red-sensitive or without green-sensitive cones (Machado, Oliveira & Fernandes, IEEE
// Trans. Vis. Comput. Graph. 15:1291, 2009, severity 1), and with all.
var sights = map[string][3][3]float64{
	"all cones":    {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
	"protanopia":   {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}},
	"deuteranopia": {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}},
}

// TestNameColours: every two colours of names are at least 16 apart in L*a*b*, seven times the smallest difference that
// people see, for people with all cones and without one kind.
func TestNameColours(t *testing.T) {
	const apart = 16
	for sight, m := range sights {
		least := math.Inf(1)
		for i, a := range nameColours {
			for j, b := range nameColours[:i] {
				var u, v [3]float64
				la, lb := linear(a), linear(b)
				for r := range 3 {
					for c := range 3 {
						u[r] += m[r][c] * la[c]
						v[r] += m[r][c] * lb[c]
					}
				}
				p, q := lab(u), lab(v)
				d := math.Sqrt((p[0]-q[0])*(p[0]-q[0]) + (p[1]-q[1])*(p[1]-q[1]) + (p[2]-q[2])*(p[2]-q[2]))
				if d < apart {
					t.Errorf("%s: colours %d and %d are %.1f apart, less than %d", sight, j, i, d, apart)
				}
				least = min(least, d)
			}
		}
		t.Logf("%s: at least %.1f apart", sight, least)
	}
}
