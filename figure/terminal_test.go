package figure

import (
	"math"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTerminal(t *testing.T) {
	x, y := sampled(0, 20, 40, func(i float64) float64 {
		if i < 6.26 {
			return 0
		}
		return 40 + 9*math.Sqrt(i-6)
	})
	drawing := Terminal(80, "I (µA/cm²)", "rate (Hz)", Series{X: x, Y: y})
	for _, want := range []string{"rate (Hz)", "I (µA/cm²)", "╭"} {
		if !strings.Contains(drawing, want) {
			t.Errorf("%q is missing in\n%s", want, drawing)
		}
	}
	for line := range strings.Lines(drawing) {
		if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > 80 {
			t.Errorf("a line is %d columns wide, want at most 80:\n%s", n, drawing)
		}
	}
	t.Log("\n" + drawing)
	t.Log(
		"\n" + Terminal(60, "I (pA)", "rate (Hz)", Series{Name: "up", X: x, Y: y},
			Series{Name: "down", X: x[10:], Y: y[10:]}),
	)
	t.Setenv("NO_COLOR", "1")
	plain := Terminal(60, "I (pA)", "rate (Hz)", Series{Name: "up", X: x, Y: y},
		Series{Name: "down", X: x[10:], Y: y[10:]})
	if strings.Contains(plain, "\x1b") || !strings.Contains(plain, "* up   o down") {
		t.Errorf("with NO_COLOR there are colours, or the key is missing:\n%s", plain)
	}
	for _, none := range []Series{{}, {X: []float64{1}, Y: []float64{math.NaN()}}} {
		if drawing := Terminal(80, "", "", none); drawing != "" {
			t.Errorf("a curve without points gives %q, want nothing", drawing)
		}
	}
	for _, few := range []Series{
		{X: []float64{1}, Y: []float64{0}},
		{X: []float64{0, 1}, Y: []float64{0, 0}},
		{X: []float64{0, 1}, Y: []float64{math.Inf(1), 2}},
	} {
		t.Log("\n" + Terminal(60, "x", "y", few))
	}
}
