package experiment

import (
	"math"
	"strings"
	"testing"
)

// The first block of the known answers that the authors of Random123 distribute: 6627e8d5 e169c58d bc57ac4c 9b00dbd8.
func TestPhilox(t *testing.T) {
	if got, want := philox(0, 0, 0), uint64(0xe169c58d_6627e8d5); got != want {
		t.Errorf("philox(0, 0, 0) = %#x, want %#x", got, want)
	}
	const all = math.MaxUint64
	if got, want := philox(all, all, all), uint64(0x41c83b0e_408f276d); got != want {
		t.Errorf("philox of all ones = %#x, want %#x", got, want)
	}
}

func TestDraws(t *testing.T) {
	const n, tol = 200_000, 5 // standard errors
	for _, c := range []struct {
		text     string
		mean, sd float64
	}{
		{"normal:21:2", 21, 2},
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
			x := d.at(7, nameKey("I"), i)
			sum += x
			square += (x - c.mean) * (x - c.mean)
		}
		mean, sd := sum/n, math.Sqrt(square/n)
		if math.Abs(mean-c.mean) > tol*c.sd/math.Sqrt(n) || math.Abs(sd-c.sd) > tol*c.sd/math.Sqrt(n) {
			t.Errorf("%s: mean %v and deviation %v, want %v and %v", c.text, mean, sd, c.mean, c.sd)
		}
		if a, b := d.at(7, nameKey("I"), 5), d.at(7, nameKey("tau"), 5); c.sd > 0 && a == b {
			t.Errorf("%s: I and tau of a neuron draw the same number", c.text)
		}
	}
}
