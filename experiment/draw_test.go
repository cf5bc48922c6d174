package experiment

import (
	"math"
	"strings"
	"testing"

	"popsim/rng"
)

// TestDrawBits: the bits of draws do not change, since published results depend on them.
func TestDrawBits(t *testing.T) {
	normal, uniform := Draw{Law: "normal", A: 21, B: 2}, Draw{Law: "uniform", A: 15, B: 30}
	for name, want := range map[string][2]float64{
		"I": {22.065196614515603, 25.542662443821868}, "tau": {24.393688168888648, 29.32705393740456},
	} {
		if got := [2]float64{normal.Values(name, 8, 7)[7], uniform.Values(name, 8, 7)[7]}; got != want {
			t.Errorf("%s: neuron 7 draws %v, want %v", name, got, want)
		}
	}
}

func TestDraws(t *testing.T) {
	const n, tol = 200_000, 5 // standard errors
	for _, c := range []struct {
		text     string
		mean, sd float64
	}{
		{"normal:21:2", 21, 2},
		{"lognormal:10:3", 10, 3},
		{"uniform:15:30", 22.5, 15 / math.Sqrt(12)},
		{"normal:3:0", 3, 0},
	} {
		kind, rest, _ := strings.Cut(c.text, ":")
		d, err := parseDraw(kind, rest, "pA")
		if err != nil {
			t.Fatal(c.text, err)
		}
		sum, square := 0.0, 0.0
		for i := range n {
			x := d.at(7, rng.NameKey("I"), i)
			sum += x
			square += (x - c.mean) * (x - c.mean)
		}
		mean, sd := sum/n, math.Sqrt(square/n)
		if math.Abs(mean-c.mean) > tol*c.sd/math.Sqrt(n) || math.Abs(sd-c.sd) > tol*c.sd/math.Sqrt(n) {
			t.Errorf("%s: mean %v and deviation %v, want %v and %v", c.text, mean, sd, c.mean, c.sd)
		}
		if a, b := d.at(7, rng.NameKey("I"), 5), d.at(7, rng.NameKey("tau"), 5); c.sd > 0 && a == b {
			t.Errorf("%s: I and tau of a neuron draw the same number", c.text)
		}
	}
}
