package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"popsim/model"
	"popsim/table/file"
)

// wave is a shape in time. Step k of a run uses its mean over that step, from the exact integral.
type wave interface {
	mean(k int64) float64
}

// clock counts times in steps, so that what lies on the grid of steps lies on it exactly.
type clock struct{ dt float64 }

// steps is the time t (ms) in steps: a whole number wherever rounding alone keeps it from being one.
func (c clock) steps(t float64) float64 {
	x := t / c.dt
	if r := math.Round(x); math.Abs(x-r) <= 1e-9+1e-14*math.Abs(r) {
		return r
	}
	return x
}

const waveHelp = `the shapes are steps:0ms=2.5,100ms=7  pulse:100ms:400ms:21  ramp:0ms:1s:0:30  sine:10Hz:5  ` +
	`chirp:1Hz:100Hz:2s:5  @file.npy:0.1ms`

// parseWave reads a shape; unit is that of the current.
func parseWave(text, unit string, dt float64) (wave, error) {
	w, err := readWave(text, unit, clock{dt})
	if err != nil {
		return nil, hint(fmt.Errorf("--waveform %s: %w", text, err), waveHelp)
	}
	return w, nil
}

func readWave(text, unit string, c clock) (wave, error) {
	if rest, ok := strings.CutPrefix(text, "@"); ok {
		return readSamples(rest, c)
	}
	kind, rest, _ := strings.Cut(text, ":")
	parts := strings.Split(rest, ":")
	switch kind {
	case "steps":
		return readSteps(rest, unit, c)
	case "pulse":
		x, err := quantities(parts, "ms", "ms", unit)
		if err == nil && x[0] >= x[1] {
			err = errors.New("a pulse ends after it starts")
		}
		if err != nil {
			return nil, err
		}
		return stairs{edges: []float64{c.steps(x[0]), c.steps(x[1])}, heights: []float64{x[2], 0}}, nil
	case "ramp":
		x, err := quantities(parts, "ms", "ms", unit, unit)
		if err == nil && x[0] >= x[1] {
			err = errors.New("a ramp ends after it starts")
		}
		if err != nil {
			return nil, err
		}
		return ramp{c.steps(x[0]), c.steps(x[1]), x[2], x[3]}, nil
	case "sine":
		x, err := quantities(parts, "Hz", unit)
		if err != nil {
			return nil, err
		}
		return sine{x[0] * c.dt / 1000, x[1]}, nil
	case "chirp":
		x, err := quantities(parts, "Hz", "Hz", "ms", unit)
		if err == nil && x[2] <= 0 {
			err = errors.New("a chirp lasts longer than 0 ms")
		}
		if err != nil {
			return nil, err
		}
		end := c.steps(x[2])
		f0, f1 := x[0]*c.dt/1000, x[1]*c.dt/1000
		return chirp{f0, (f1 - f0) / (2 * end), end, x[3]}, nil
	}
	err := fmt.Errorf("there is no shape %q", kind)
	if near := model.Nearest(kind, []string{"steps", "pulse", "ramp", "sine", "chirp"}); near != "" {
		err = fmt.Errorf("%w; did you mean %q?", err, near)
	}
	return nil, err
}

// quantities reads as many numbers as there are units.
func quantities(parts []string, units ...string) ([]float64, error) {
	if len(parts) != len(units) {
		return nil, fmt.Errorf("%d numbers are needed, divided by colons", len(units))
	}
	values := make([]float64, len(units))
	var bad faults
	for i, p := range parts {
		var err error
		values[i], err = model.ParseQuantity(p, units[i])
		bad.add(err)
	}
	return values, errors.Join(bad...)
}

// stairs is heights[j] from edges[j] on, in steps; 0 before the first.
type stairs struct{ edges, heights []float64 }

func readSteps(text, unit string, c clock) (wave, error) {
	var s stairs
	var bad faults
	for part := range strings.SplitSeq(text, ",") {
		at, height, ok := strings.Cut(part, "=")
		if !ok {
			return nil, fmt.Errorf("%q is not TIME=VALUE", part)
		}
		t, err := model.ParseQuantity(at, "ms")
		bad.add(err)
		h, err := model.ParseQuantity(height, unit)
		bad.add(err)
		s.edges, s.heights = append(s.edges, c.steps(t)), append(s.heights, h)
	}
	if len(bad) > 0 {
		return nil, errors.Join(bad...)
	}
	if !slices.IsSorted(s.edges) {
		return nil, errors.New("the times must ascend")
	}
	return s, nil
}

func (s stairs) mean(k int64) float64 {
	from, to := float64(k), float64(k)+1
	j := sort.Search(len(s.edges), func(i int) bool { return s.edges[i] > from })
	if j == len(s.edges) || s.edges[j] >= to {
		return s.height(j - 1)
	}
	sum := 0.0
	for ; from < to; j++ {
		end := to
		if j < len(s.edges) {
			end = min(to, s.edges[j])
		}
		sum += s.height(j-1) * (end - from)
		from = end
	}
	return sum
}

func (s stairs) height(j int) float64 {
	if j < 0 {
		return 0
	}
	return s.heights[j]
}

// samples are heights that each hold for a time of width steps, and 0 after the last.
type samples struct {
	stairs
	end float64 // ms
}

func readSamples(text string, c clock) (wave, error) {
	cut := strings.LastIndex(text, ":")
	if cut < 0 {
		return nil, errors.New("the spacing of the samples is missing, as in @file.npy:0.1ms")
	}
	spacing, err := model.ParseQuantity(text[cut+1:], "ms")
	if err == nil && spacing <= 0 {
		err = errors.New("the spacing of the samples must be greater than 0")
	}
	if err != nil {
		return nil, err
	}
	heights, err := file.ReadColumn(text[:cut])
	if err != nil {
		return nil, err
	}
	s := samples{end: spacing * float64(len(heights))}
	s.heights = append(heights, 0)
	s.edges = make([]float64, len(s.heights))
	for i := range s.edges {
		s.edges[i] = c.steps(float64(i) * spacing)
	}
	return s, nil
}

// ramp is lo until from, hi after to, and a straight line between; in steps.
type ramp struct{ from, to, lo, hi float64 }

func (r ramp) mean(k int64) float64 {
	a, b := float64(k), float64(k)+1
	switch {
	case b <= r.from:
		return r.lo
	case a >= r.to:
		return r.hi
	}
	before, after := max(0, r.from-a), max(0, b-r.to)
	middle := (max(a, r.from)+min(b, r.to))/2 - r.from
	height := r.lo + (r.hi-r.lo)*(middle/(r.to-r.from))
	return r.lo*before + height*(1-before-after) + r.hi*after
}

// sine is amplitude times the sine of so many cycles per step.
type sine struct{ cycles, amplitude float64 }

func (s sine) mean(k int64) float64 {
	half := math.Pi * s.cycles
	spread := 1.0
	if half != 0 {
		spread = math.Sin(half) / half
	}
	return s.amplitude * spread * sinCycles(s.cycles*(float64(k)+0.5))
}

// sinCycles is the sine of an angle counted in full turns.
func sinCycles(x float64) float64 { return math.Sin(2 * math.Pi * (x - math.Floor(x))) }

// chirp turns start·t + rise·t² times in t steps, until end; 0 after it.
type chirp struct{ start, rise, end, amplitude float64 }

// The Gauss-Legendre rule of five points on [-1, 1].
var gauss = [...]struct{ x, w float64 }{
	{0, 128.0 / 225},
	{-0.5384693101056831, 0.47862867049936647},
	{0.5384693101056831, 0.47862867049936647},
	{-0.9061798459386640, 0.23692688505618908},
	{0.9061798459386640, 0.23692688505618908},
}

// mean sums pieces of at most a twentieth of a turn, in which the rule is exact to rounding.
func (c chirp) mean(k int64) float64 {
	a, b := float64(k), min(float64(k)+1, c.end)
	if a >= b {
		return 0
	}
	fastest := max(math.Abs(c.start+2*c.rise*a), math.Abs(c.start+2*c.rise*b))
	n := max(1, math.Ceil(20*fastest*(b-a)))
	sum := 0.0
	for j := range int(n) {
		lo, hi := a+(b-a)*float64(j)/n, a+(b-a)*float64(j+1)/n
		for _, g := range gauss {
			t := (lo+hi)/2 + g.x*(hi-lo)/2
			sum += g.w * (hi - lo) / 2 * sinCycles(t*(c.start+c.rise*t))
		}
	}
	return c.amplitude * sum
}
