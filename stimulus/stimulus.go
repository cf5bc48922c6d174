// Package stimulus holds the input of neurons as functions of time. A Shape is such a function, with times in ms and
// values in the unit of the input; its Waveform on a grid of steps gives the exact mean over each step, which a
// simulation adds in that step.
package stimulus

import (
	"math"
	"slices"
	"sort"
)

// Shape is a function of time.
type Shape interface {
	// Waveform is the shape on steps of dt ms, dt > 0.
	Waveform(dt float64) Waveform
}

// Waveform is a shape on a grid of steps: Mean is its mean over step k, from k dt to (k+1) dt. It depends on k alone.
type Waveform interface {
	Mean(k int64) float64
}

// Steps is a function that is constant between times: Heights[j] from Times[j] ms on, 0 before the first. Times ascend.
type Steps struct{ Times, Heights []float64 }

// Pulse is height from start ms to end ms, and 0 elsewhere.
func Pulse(start, end, height float64) Steps {
	return Steps{Times: []float64{start, end}, Heights: []float64{height, 0}}
}

// Samples is a function given by its values: Heights[j] from j Spacing to (j+1) Spacing ms, and 0 after the last.
type Samples struct {
	Heights []float64
	Spacing float64 // ms
}

// End is the time of the end of the last sample, in ms.
func (s Samples) End() float64 { return s.Spacing * float64(len(s.Heights)) }

// Ramp is Low until Start ms, High after End ms, and a straight line between; Start < End.
type Ramp struct{ Start, End, Low, High float64 }

// Sine is Amplitude sin(2 pi Frequency t).
type Sine struct {
	Frequency float64 // Hz
	Amplitude float64
}

// Chirp is a sine whose frequency goes linearly from First to Last in Duration ms; 0 after it.
type Chirp struct {
	First, Last float64 // Hz
	Duration    float64 // ms
	Amplitude   float64
}

// Sum is the sum of shapes.
type Sum []Shape

// stepsAt is the time t (ms) in steps of dt, rounded to a whole number if it differs from one only by rounding errors,
// so that a time on the grid of steps lies on it exactly.
func stepsAt(t, dt float64) float64 {
	x := t / dt
	if r := math.Round(x); math.Abs(x-r) <= 1e-9+float64(1e-14*math.Abs(r)) {
		return r
	}
	return x
}

// Waveform is the sum of the waveforms.
func (s Sum) Waveform(dt float64) Waveform {
	var all sum
	for _, shape := range s {
		all = append(all, shape.Waveform(dt))
	}
	return all
}

type sum []Waveform

func (s sum) Mean(k int64) float64 {
	total := 0.0
	for _, w := range s {
		total += w.Mean(k)
	}
	return total
}

// Waveform is piecewise constant; a step that holds edges has their weighted mean.
func (s Steps) Waveform(dt float64) Waveform {
	w := stairs{heights: slices.Clone(s.Heights)}
	for _, t := range s.Times {
		w.edges = append(w.edges, stepsAt(t, dt))
	}
	return w
}

// Waveform is piecewise constant; a step that holds edges has their weighted mean.
func (s Samples) Waveform(dt float64) Waveform {
	w := stairs{heights: append(slices.Clone(s.Heights), 0)}
	for i := range w.heights {
		w.edges = append(w.edges, stepsAt(float64(float64(i)*s.Spacing), dt))
	}
	return w
}

// stairs is heights[j] from edges[j] on, in steps; 0 before the first.
type stairs struct{ edges, heights []float64 }

func (s stairs) Mean(k int64) float64 {
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
		sum += float64(s.height(j-1) * (end - from))
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

// Waveform is the ramp with its mean taken piece by piece in steps that hold an end.
func (r Ramp) Waveform(dt float64) Waveform {
	return ramp{stepsAt(r.Start, dt), stepsAt(r.End, dt), r.Low, r.High}
}

// ramp is lo until from, hi after to, and a straight line between; in steps.
type ramp struct{ from, to, lo, hi float64 }

func (r ramp) Mean(k int64) float64 {
	a, b := float64(k), float64(k)+1
	switch {
	case b <= r.from:
		return r.lo
	case a >= r.to:
		return r.hi
	}
	before, after := max(0, r.from-a), max(0, b-r.to)
	middle := float64((max(a, r.from)+min(b, r.to))/2) - r.from
	height := r.lo + float64((r.hi-r.lo)*(middle/(r.to-r.from)))
	return float64(r.lo*before) + float64(height*(1-before-after)) + float64(r.hi*after)
}

// Waveform is the sine at the middle of each step, times the sinc of half a step.
func (s Sine) Waveform(dt float64) Waveform { return sine{s.Frequency * dt / 1000, s.Amplitude} }

// sine is the waveform of a Sine; cycles is the number of its cycles per step.
type sine struct{ cycles, amplitude float64 }

func (s sine) Mean(k int64) float64 {
	half := math.Pi * s.cycles
	sinc := 1.0
	if half != 0 {
		sinc = math.Sin(half) / half
	}
	return s.amplitude * sinc * sinCycles(float64(s.cycles*(float64(k)+0.5)))
}

// sinCycles is the sine of an angle counted in full turns.
func sinCycles(x float64) float64 { return math.Sin(2 * math.Pi * (x - math.Floor(x))) }

// Waveform integrates the chirp numerically, to rounding.
func (c Chirp) Waveform(dt float64) Waveform {
	end := stepsAt(c.Duration, dt)
	first, last := c.First*dt/1000, c.Last*dt/1000
	return chirp{first, (last - first) / (2 * end), end, c.Amplitude}
}

// chirp is a sine whose phase after t steps is start·t + rise·t² cycles, until end; it is 0 after it.
type chirp struct{ start, rise, end, amplitude float64 }

// gauss is the Gauss-Legendre rule of five points on [-1, 1].
var gauss = [...]struct{ x, w float64 }{
	{0, 128.0 / 225},
	{-0.5384693101056831, 0.47862867049936647},
	{0.5384693101056831, 0.47862867049936647},
	{-0.9061798459386640, 0.23692688505618908},
	{0.9061798459386640, 0.23692688505618908},
}

// Mean sums intervals of at most a twentieth of a turn, in which the rule is exact to rounding.
func (c chirp) Mean(k int64) float64 {
	a, b := float64(k), min(float64(k)+1, c.end)
	if a >= b {
		return 0
	}
	fastest := max(math.Abs(c.start+float64(2*c.rise*a)), math.Abs(c.start+float64(2*c.rise*b)))
	n := max(1, math.Ceil(20*fastest*(b-a)))
	sum := 0.0
	for j := range int(n) {
		lo, hi := a+(b-a)*float64(j)/n, a+(b-a)*float64(j+1)/n
		for _, g := range gauss {
			t := float64((lo+hi)/2) + float64(g.x*(hi-lo)/2)
			sum += float64(g.w * (hi - lo) / 2 * sinCycles(float64(t*(c.start+float64(c.rise*t)))))
		}
	}
	return c.amplitude * sum
}
