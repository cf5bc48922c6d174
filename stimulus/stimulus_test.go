package stimulus_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"popsim/stimulus"
)

func ExampleSyntax_Parse() {
	shape, err := stimulus.Syntax{}.Parse("pulse:1ms:0.002s:21", "pA")
	if err != nil {
		fmt.Println(err)
		return
	}
	w := shape.Waveform(0.4) // steps of 0.4 ms
	for k := range int64(6) {
		fmt.Printf("%.4g ", w.Mean(k))
	}
	// Output: 0 0 10.5 21 21 0
}

// TestMeans compares the mean over each step with a fine sum of the shape itself.
func TestMeans(t *testing.T) {
	const fine = 20_000 // midpoints in a step; the sum misses an edge by less than its height over this
	line := func(t, from, to, lo, hi float64) float64 {
		return lo + (hi-lo)*min(1, max(0, (t-from)/(to-from)))
	}
	within := func(t, from, to float64) bool { return t >= from && t < to }
	for _, c := range []struct {
		text  string
		shape func(t float64) float64
	}{
		{"steps:0ms=2.5,1.13ms=7,1.17ms=-1", func(t float64) float64 {
			switch {
			case t < 1.13:
				return 2.5
			case t < 1.17:
				return 7
			}
			return -1
		}},
		{"pulse:0.31ms:0.32ms:21", func(t float64) float64 {
			if within(t, 0.31, 0.32) {
				return 21
			}
			return 0
		}},
		{"ramp:0.25ms:1.05ms:-2:30", func(t float64) float64 { return line(t, 0.25, 1.05, -2, 30) }},
		{"sine:731Hz:5", func(t float64) float64 { return 5 * math.Sin(2*math.Pi*0.731*t) }},
		{"chirp:100Hz:9kHz:1.93ms:5", func(t float64) float64 {
			if t >= 1.93 {
				return 0
			}
			return 5 * math.Sin(2*math.Pi*(0.1*t+(9-0.1)*t*t/(2*1.93)))
		}},
	} {
		shape, err := stimulus.Syntax{}.Parse(c.text, "pA")
		if err != nil {
			t.Fatal(err)
		}
		for _, dt := range []float64{0.1, 0.07} {
			w := shape.Waveform(dt)
			for k := range int64(2.2 / dt) {
				sum := 0.0
				for j := range fine {
					sum += c.shape((float64(k) + (float64(j)+0.5)/fine) * dt)
				}
				if got, want := w.Mean(k), sum/fine; math.Abs(got-want) > 30.0/fine {
					t.Errorf("%s, dt %v, step %d: mean %v, want %v", c.text, dt, k, got, want)
				}
			}
		}
	}
}

// TestEdges: an edge on the grid of steps is on it exactly, however large the time and however odd dt.
func TestEdges(t *testing.T) {
	for _, dt := range []float64{0.1, 0.02, 0.00625, 1.0 / 3} {
		for _, k := range []int64{1, 3, 7, 1000, 123_457, 10_000_019} {
			w := stimulus.Pulse(float64(k)*dt, float64(k+2)*dt, 21).Waveform(dt)
			for j, want := range map[int64]float64{-1: 0, 0: 21, 1: 21, 2: 0} {
				if got := w.Mean(k + j); got != want {
					t.Errorf("dt %v, step %d of a pulse from %d: %v, want %v", dt, k+j, k, got, want)
				}
			}
		}
	}
}

// TestSum: shapes add up, and samples are held for their spacing.
func TestSum(t *testing.T) {
	syntax := stimulus.Syntax{Column: func(path string) ([]float64, error) {
		if path != "a:b.npy" {
			return nil, errors.New(path)
		}
		return []float64{1, 2, 4}, nil
	}}
	samples, err := syntax.Parse("@a:b.npy:0.2ms", "pA")
	if err != nil {
		t.Fatal(err)
	}
	if end := samples.(stimulus.Samples).End(); math.Abs(end-0.6) > 1e-15 {
		t.Errorf("samples end at %v ms", end)
	}
	w := stimulus.Sum{samples, stimulus.Pulse(0.1, 0.3, 10)}.Waveform(0.1)
	var got []float64
	for k := range int64(8) {
		got = append(got, w.Mean(k))
	}
	if want := []float64{1, 11, 12, 2, 4, 4, 0, 0}; !slices.Equal(got, want) {
		t.Errorf("means %v, want %v", got, want)
	}
}

// TestNumbers: numbers are read by the given function, with their parentheses.
func TestNumbers(t *testing.T) {
	var asked []string
	syntax := stimulus.Syntax{Number: func(text, unit string) (float64, error) {
		asked = append(asked, text+" in "+unit)
		return float64(len(asked)), nil
	}}
	if _, err := syntax.Parse("ramp:min(a, b):2ms:f(1:2):c", "nS"); err != nil {
		t.Fatal(err)
	}
	if _, err := syntax.Parse("steps:min(a,b)=g,t1=2", "nS"); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"min(a, b) in ms", "2ms in ms", "f(1:2) in nS", "c in nS", "min(a,b) in ms", "g in nS", "t1 in ms", "2 in nS",
	}
	if !slices.Equal(asked, want) {
		t.Errorf("read %q, want %q", asked, want)
	}
}

// FuzzParse: whatever the text, it is a shape with finite means or is refused.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"steps:0ms=2.5,100ms=7", "pulse:1:2:3", "ramp:0:0:1:2", "sine:-1Hz:5", "chirp:1e300Hz:1:1:1", "@x:0", "steps:",
		"noise:1", "ramp:((:)", ":", "",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		shape, err := stimulus.Syntax{}.Parse(text, "pA")
		if err != nil {
			return
		}
		const fastest = 1e6 // Hz; a mean over more turns would take its time
		if c, ok := shape.(stimulus.Chirp); ok && !(math.Abs(c.First) < fastest && math.Abs(c.Last) < fastest) {
			return
		}
		w := shape.Waveform(0.1)
		w.Mean(0)
		w.Mean(7)
	})
}
