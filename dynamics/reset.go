package dynamics

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"popsim/model"
)

// ResetMap maps the adaptation w (pA) with which V is let go from V_reset after one spike to that after the next. Its
// fixed points are regular firing, its cycles are bursts, its chaos is irregular firing.
type ResetMap struct {
	m *model.Model
	p []float64
	i float64

	halt func() error // asked now and then on long ways whether to go on; nil means yes
}

// NewResetMap is the reset map of the model for input current i (pA). The error says so where the reset of the model
// forgets everything, or where the parameters make no sense.
func NewResetMap(m *model.Model, p []float64, i float64) (*ResetMap, error) {
	if m.Fires != model.Reset || m.StateIndex("w") < 0 {
		return nil, fmt.Errorf("dynamics: %s has no variable that survives a reset, so it has no reset map", m.Name)
	}
	if err := m.Check(p); err != nil {
		return nil, err
	}
	return &ResetMap{m: m, p: slices.Clone(p), i: i}, nil
}

// Jump is one turn of a reset map.
type Jump struct {
	W        float64 // pA, when V is let go
	Reset    float64 // pA, t_ref before that, right after the spike
	Interval float64 // ms, from spike to spike
	Slope    float64 // of the map
}

// silence is how long (ms) a spike is waited for, in units of the slowest time constant.
const silence = 200

// Next maps w; ok is false where no further spike comes, or the flow is too fast to be followed to it.
func (r *ResetMap) Next(w float64) (jump Jump, ok bool) {
	jump, ok, _ = r.next(w)
	return jump, ok
}

// next is Next with an error where the way to the next spike was given up.
//
// Between the lines V = V_reset and V = V_th, which the flow crosses with the speeds f0 and f1, areas grow like the
// exponential of the integrated divergence of the flow, so the slope is f0/f1 exp(∫ div dt).
func (r *ResetMap) next(w float64) (jump Jump, ok bool, err error) {
	at := func(name string) float64 { return r.p[r.m.Index(name)] }
	run := newRunner(r.m, r.p, []float64{at("V_reset"), w, 0})
	run.i, run.most = r.i, 1
	patience := silence * max(at("tau"), at("tau_w"))
	const longest = 2e5 // ms; at rest a step takes a ms or more, and with time constants beyond a second many
	steps, most := 0, mostSteps+int(10*min(patience, longest))
	run.ask = func() error {
		if steps++; steps > most {
			return errTooFast
		}
		if steps%1024 == 0 && r.halt != nil {
			return r.halt()
		}
		return nil
	}
	if err := run.run(patience); errors.Is(err, errStepTooSmall) {
		return jump, false, nil
	} else if err != nil {
		return jump, false, fmt.Errorf("dynamics: no spike to be seen from w = %.6g pA: %w", w, err)
	}
	if len(run.spikes) == 0 {
		return jump, false, nil
	}
	spike := run.spikes[0]
	var before, after [3]float64
	run.field(0, []float64{at("V_reset"), w, 0}, before[:])
	run.field(0, spike.State, after[:])
	jump = Jump{W: run.y[1], Reset: run.y[1], Interval: spike.Time + at("t_ref"), Slope: before[0] / after[0] * math.Exp(spike.State[2])}
	if at("t_ref") > 0 {
		run.hold(run.free)
		jump.W = run.y[1]
		jump.Slope *= math.Exp(-at("t_ref") / at("tau_w"))
	}
	return jump, true, nil
}

// MapPoint is a fixed point of a reset map: one spike after another at the same interval.
type MapPoint struct {
	W        float64 // pA, when V is let go
	Interval float64 // ms
	Slope    float64
	Stable   bool
}

// FixedPoints lists the fixed points of the map with w between lo and hi, ascending, as far as a scan of steps intervals
// tells them apart.
func (r *ResetMap) FixedPoints(lo, hi float64, steps int) (points []MapPoint) {
	last, lastGain := 0.0, math.NaN()
	for _, w := range spread(lo, hi, steps+1) {
		gain := math.NaN()
		if j, ok := r.Next(w); ok {
			gain = j.W - w
		}
		if !math.IsNaN(gain) && !math.IsNaN(lastGain) && (gain < 0) != (lastGain < 0) {
			x, j := r.fixedPoint(last, w, lastGain < 0)
			if math.Abs(j.W-x) < 1e-6*(1+math.Abs(x)) {
				points = append(points, MapPoint{x, j.Interval, j.Slope, math.Abs(j.Slope) < 1})
			}
		}
		last, lastGain = w, gain
	}
	return points
}

// fixedPoint closes in on a fixed point between lo, which the map makes smaller if falls is true, and hi, where it is the other way
// round: by Newton's method, for the slope comes with the map, and by halving where that leads outside. jump is that from w.
func (r *ResetMap) fixedPoint(lo, hi float64, falls bool) (w float64, jump Jump) {
	const same = 1e-13 // relative to 1 + |w|; the map is known to little more
	w = lo + (hi-lo)/2
	for range 100 {
		j, ok := r.Next(w)
		gain := j.W - w
		if !ok {
			gain = math.NaN()
		}
		jump = j
		if gain < 0 == falls {
			lo = w
		} else {
			hi = w
		}
		next := w - gain/(j.Slope-1)
		if math.Abs(next-w) <= same*(1+math.Abs(w)) {
			break
		}
		if !(next > lo && next < hi) {
			next = lo + (hi-lo)/2
		}
		if next == lo || next == hi {
			break
		}
		w = next
	}
	return w, jump
}

// Attractor is what the map settles on.
type Attractor struct {
	Silent    bool
	Period    int       // in spikes; 0 where no period was found among the spikes kept
	W         []float64 // pA when V is let go from V_reset, in order of time: one period, or all spikes kept
	Resets    []float64 // pA right after the same spikes, t_ref earlier
	Intervals []float64 // ms; Intervals[k] leads from W[k] to the next
	Rate      float64   // Hz
	Lyapunov  float64   // exponent per spike: the mean of ln |slope|; positive means chaos
}

// longestPeriod is the longest period, in spikes, that Attractor tells from irregular firing.
const longestPeriod = 64

// Attractor follows the map from a reset that leaves w (pA) for at most drop+keep spikes. It stops as soon as the orbit repeats itself to
// rounding; otherwise the first drop spikes are forgotten and the statistics are those of the others.
func (r *ResetMap) Attractor(ctx context.Context, w float64, drop, keep int) (Attractor, error) {
	const same = 1e-11 // relative to 1 + |w|
	r.halt = ctx.Err
	at := func(name string) float64 { return r.p[r.m.Index(name)] }
	held := at("a") * (at("V_reset") - at("V_rest")) // where w goes while V is held
	reset := w
	w = held + (reset-held)*math.Exp(-at("t_ref")/at("tau_w"))
	var ws, resets, intervals, slopes []float64
	for k := range drop + keep {
		if ctx.Err() != nil {
			return Attractor{}, ctx.Err()
		}
		j, ok, err := r.next(w)
		if !ok {
			return Attractor{Silent: true}, err
		}
		ws, resets = append(ws, w), append(resets, reset)
		intervals, slopes = append(intervals, j.Interval), append(slopes, math.Log(math.Abs(j.Slope)))
		w, reset = j.W, j.Reset
		if period := repeats(ws, same); period > 0 && k > 8 {
			return settled(ws, resets, intervals, slopes, period), nil
		}
	}
	if period := repeats(ws, 1e-6); period > 0 { // close to a bifurcation the orbit settles slowly
		return settled(ws, resets, intervals, slopes, period), nil
	}
	a := settled(ws, resets, intervals, slopes, keep)
	a.Period = 0
	return a, nil
}

// repeats finds the smallest period with which the last two rounds of ws agree, or 0. Where an orbit approaches its
// attractor by turns from both sides it agrees with itself after two rounds before it does after one; a period is believed
// when its parts are clearly apart.
func repeats(ws []float64, same float64) int {
	apart := func(period int) (worst float64) {
		for k := len(ws) - period; k < len(ws); k++ {
			worst = max(worst, math.Abs(ws[k]-ws[k-period])/(1+math.Abs(ws[k])))
		}
		return worst
	}
	for period := 1; period <= longestPeriod && 2*period < len(ws); period++ {
		if apart(period) > same {
			continue
		}
		for part := 1; part <= period/2; part++ {
			if period%part == 0 && apart(part) < 1e4*same {
				return 0
			}
		}
		return period
	}
	return 0
}

func settled(ws, resets, intervals, slopes []float64, n int) Attractor {
	a := Attractor{Period: n, W: ws[len(ws)-n:], Resets: resets[len(ws)-n:], Intervals: intervals[len(ws)-n:]}
	span := 0.0
	for k, x := range a.Intervals {
		span += x
		a.Lyapunov += slopes[len(ws)-n+k] / float64(n)
	}
	a.Rate = 1000 * float64(n) / span
	return a
}
