package main

import (
	"fmt"
	"math"
	"testing"
)

// TestWaveMeans compares the mean over each step with a fine sum of the shape itself.
func TestWaveMeans(t *testing.T) {
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
		for _, dt := range []float64{0.1, 0.07} {
			w, err := parseWave(c.text, "pA", dt)
			if err != nil {
				t.Fatal(err)
			}
			for k := range int64(2.2 / dt) {
				sum := 0.0
				for j := range fine {
					sum += c.shape((float64(k) + (float64(j)+0.5)/fine) * dt)
				}
				if got, want := w.mean(k), sum/fine; math.Abs(got-want) > 30.0/fine {
					t.Errorf("%s, dt %v, step %d: mean %v, want %v", c.text, dt, k, got, want)
				}
			}
		}
	}
}

// TestWaveEdges: an edge on the grid of steps is on it exactly, however large the time and however odd dt.
func TestWaveEdges(t *testing.T) {
	for _, dt := range []float64{0.1, 0.02, 0.00625, 1.0 / 3} {
		for _, k := range []int64{1, 3, 7, 1000, 123_457, 10_000_019} {
			w, err := parseWave(fmt.Sprintf("pulse:%.17gms:%.17gms:21", float64(k)*dt, float64(k+2)*dt), "pA", dt)
			if err != nil {
				t.Fatal(err)
			}
			for j, want := range map[int64]float64{-1: 0, 0: 21, 1: 21, 2: 0} {
				if got := w.mean(k + j); got != want {
					t.Errorf("dt %v, step %d of a pulse from %d: %v, want %v", dt, k+j, k, got, want)
				}
			}
		}
	}
}
