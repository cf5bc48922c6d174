package statistics

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestFitWeibull: the function that shares were made with is found again, and its parameters lie in their intervals as
// often as these say.
func TestFitWeibull(t *testing.T) {
	x := []float64{0, 3.2, 6.4, 12.8, 25.6, 51.2, 100}
	truth := Weibull{Alpha: 9, Beta: 1.4}
	var exact []Share
	for _, x := range x {
		exact = append(exact, Share{int(math.Round(1e8 * truth.At(x))), 1e8})
	}
	w, err := FitWeibull(x, exact)
	if err != nil || math.Abs(w.Alpha-9) > 0.01 || math.Abs(w.Beta-1.4) > 0.002 {
		t.Errorf("fitted %+v of 1e8 trials, %v; want 9, 1.4", w, err)
	}
	r := rand.New(rand.NewPCG(1, 1))
	const fits = 200
	insideAlpha, insideBeta := 0, 0
	for range fits {
		var shares []Share
		for _, x := range x {
			s := Share{N: 200}
			for range s.N {
				if r.Float64() < truth.At(x) {
					s.Of++
				}
			}
			shares = append(shares, s)
		}
		w, err := FitWeibull(x, shares)
		if err != nil {
			t.Fatal(err)
		}
		if w.AlphaInterval[0] < 9 && 9 < w.AlphaInterval[1] {
			insideAlpha++
		}
		if w.BetaInterval[0] < 1.4 && 1.4 < w.BetaInterval[1] {
			insideBeta++
		}
	}
	for _, n := range []int{insideAlpha, insideBeta} { // 190 expected, standard deviation 3.1
		if n < 179 || n > 199 {
			t.Errorf("%d and %d of %d intervals hold the true value; want 95 %%", insideAlpha, insideBeta, fits)
		}
	}
}

// TestNoWeibull: shares that determine no function are refused, and an end that they leave open is none.
func TestNoWeibull(t *testing.T) {
	for _, c := range []struct {
		x      []float64
		shares []Share
	}{
		{[]float64{0, 10}, []Share{{5, 10}, {9, 10}}},
		{[]float64{5, 10}, []Share{{10, 10}, {10, 10}}},
		{[]float64{5, 10}, []Share{{4, 10}, {5, 10}}},
		{nil, nil},
	} {
		if w, err := FitWeibull(c.x, c.shares); err == nil {
			t.Errorf("%v: %+v", c.shares, w)
		}
	}
	w, err := FitWeibull([]float64{5, 50}, []Share{{60, 100}, {100, 100}})
	if err != nil || !math.IsInf(w.BetaInterval[1], 1) || !(w.BetaInterval[0] > 0) {
		t.Errorf("%+v, %v; want no upper end of beta", w, err)
	}
}

// TestShare compares Wilson's interval with values by hand: n 10, p 0.2 (0.0567, 0.5098), and ends at 0 and 1.
func TestShare(t *testing.T) {
	low, high := Share{2, 10}.Interval()
	if math.Abs(low-0.05668) > 1e-4 || math.Abs(high-0.50984) > 1e-4 {
		t.Errorf("%g to %g; want 0.05668 to 0.50984", low, high)
	}
	if low, _ := (Share{0, 10}).Interval(); low != 0 {
		t.Errorf("0 of 10: from %g", low)
	}
	if _, high := (Share{10, 10}).Interval(); high < 1-1e-12 {
		t.Errorf("10 of 10: to %g", high)
	}
}
