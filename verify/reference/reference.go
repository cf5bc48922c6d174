// Package reference integrates a neuron model by extrapolation (Gragg, Bulirsch & Stoer), with spikes placed inside a
// step by integrating to them. Both the kernels and package dynamics are tested against it; it shares with them only
// the vector field and the spike rule of the model.
package reference

import (
	"errors"
	"math"

	"popsim/model"
)

// Neuron is a neuron with its input.
type Neuron struct {
	Model *model.Model
	P     []float64
	// Input is the current at t ms; it may jump or bend at Breaks alone, which ascend. It is not read at them.
	Input  func(t float64) float64
	Breaks []float64
	// Most is the longest step, ms, which must be shorter than a spike is beyond its threshold; 0 means 0.1.
	Most float64
}

// Spike is one spike.
type Spike struct {
	Time  float64   // ms
	State []float64 // before the reset
}

// Constant is an input that does not change.
func Constant(i float64) func(float64) float64 { return func(float64) float64 { return i } }

const (
	stages    = 8     // columns of the extrapolation, of 2, 4, ... 16 substeps
	tolerance = 1e-13 // of a step, relative to a state and one unit
	shortest  = 1e-12 // ms
)

var errTooFast = errors.New("the reference cannot follow: the equations explode or jump")

// run integrates a neuron.
type run struct {
	Neuron
	rules *model.SpikeRules
	t     float64
	y     []float64
	held  bool // the first state does not change
	free  float64
	armed bool
	next  int     // break
	begin float64 // of the stretch without a break in hand, and its end
	stop  float64
	table [stages][]float64
	mid   [3][]float64
}

// Spikes integrates from y0 at time 0 to end (ms), or to the spike number most if that is not 0. It returns the spikes
// and the last state. Model.Spikes must be there.
func (n Neuron) Spikes(y0 []float64, end float64, most int) (spikes []Spike, last []float64, err error) {
	r := &run{Neuron: n, rules: n.Model.Spikes, y: append([]float64{}, y0...), armed: true}
	if r.Most == 0 {
		r.Most = 0.1
	}
	for i := range r.table {
		r.table[i] = make([]float64, len(y0))
	}
	for i := range r.mid {
		r.mid[i] = make([]float64, len(y0))
	}
	r.armed = r.rules.Excess(r.P, r.y) < 0
	h := r.Most / 8
	for r.t < end && (most == 0 || len(spikes) < most) {
		stop := end
		if r.next < len(r.Breaks) {
			stop = min(stop, r.Breaks[r.next])
		}
		if r.held = r.free > r.t; r.held {
			stop = min(stop, r.free)
		}
		r.stop = stop
		if stop <= r.t+shortest {
			r.arrive(stop)
			continue
		}
		made, to, err := r.step(min(h, r.Most, stop-r.t))
		if err != nil {
			return spikes, r.y, err
		}
		if s := r.spike(made, to); s != nil {
			spikes = append(spikes, *s)
			h = r.Most / 64
			continue
		}
		if h = made * 2; made >= stop-r.t {
			r.arrive(stop)
		} else {
			r.t += made
		}
		copy(r.y, to)
	}
	return spikes, r.y, nil
}

// arrive ends a stretch at the time stop.
func (r *run) arrive(stop float64) {
	if r.next < len(r.Breaks) && r.Breaks[r.next] == stop {
		r.next++
	}
	r.t, r.begin = stop, stop
}

// step makes a step of h or less; to is valid until the next one.
func (r *run) step(h float64) (made float64, to []float64, err error) {
	for ; h > shortest; h /= 3 {
		if to, ok := r.extrapolate(h); ok {
			return h, to, nil
		}
	}
	return 0, nil, errTooFast
}

// spike detects a spike in the step of size h from r.y to `to`, and integrates the neuron to it.
func (r *run) spike(h float64, to []float64) *Spike {
	if r.held {
		return nil
	}
	after := r.rules.Excess(r.P, to)
	if r.rules.Jump == nil && !r.armed {
		r.armed = after < -r.Model.RearmDistance(r.P)
		return nil
	}
	if !(after >= 0) {
		return nil
	}
	before := r.rules.Excess(r.P, r.y)
	if before >= 0 && r.rules.Jump == nil {
		return nil
	}
	part, at := r.locate(h, before, after)
	s := &Spike{r.t + part, append([]float64{}, at...)}
	r.t = s.Time
	copy(r.y, at)
	if r.armed = false; r.rules.Jump != nil {
		r.rules.Jump(r.P, s.State, r.y)
		r.free = r.t + r.Model.Hold(r.P)
	}
	return s
}

// locate finds the length of the step from r.y that ends on the threshold, by false position with halved ends
// (Illinois), and the state there.
func (r *run) locate(h, before, after float64) (part float64, at []float64) {
	lo, hi := 0.0, h
	if before >= 0 {
		return 0, r.y
	}
	for range 60 {
		part = (lo*after - hi*before) / (after - before)
		if !(part > lo && part < hi) {
			part = lo + (hi-lo)/2
		}
		if at, _ = r.extrapolate(part); hi-lo < 1e-14*(1+r.t) {
			break
		}
		if e := r.rules.Excess(r.P, at); e < 0 {
			lo, before, after = part, e, after/2
		} else {
			hi, after, before = part, e, before/2
		}
	}
	return part, at
}

// slope is dy/dt.
func (r *run) slope(t float64, y, dy []float64) {
	const inside = 1e-11 // ms
	r.Model.Deriv(r.P, r.Input(min(max(t, r.begin+inside), r.stop-inside)), y, dy)
	if r.held {
		dy[0] = 0
	}
}

// extrapolate is a step of h by the modified midpoint rule with 2, 4, ... substeps, extrapolated to infinitely many. ok
// is whether the last two columns agree within the tolerance.
func (r *run) extrapolate(h float64) (to []float64, ok bool) {
	for k := range stages {
		r.midpoint(h, 2*(k+1), r.table[k])
		for j := k - 1; j >= 0; j-- { // Neville's scheme in the square of the substep, from the newest column on
			ratio := float64(k+1) / float64(j+1)
			f := 1 / (ratio*ratio - 1)
			worst := 0.0
			for i, x := range r.table[j] {
				next := r.table[j+1][i]
				better := next + (next-x)*f
				worst = max(worst, math.Abs(better-next)/(1+math.Abs(better)))
				if better-better != 0 {
					worst = math.Inf(1)
				}
				r.table[j][i] = better
			}
			ok = worst <= tolerance
		}
		if k >= 3 && ok {
			return r.table[0], true
		}
	}
	return r.table[0], false
}

// midpoint is Gragg's rule with n substeps.
func (r *run) midpoint(h float64, n int, out []float64) {
	d := h / float64(n)
	a, b, dy := r.mid[0], r.mid[1], r.mid[2]
	copy(a, r.y)
	r.slope(r.t, a, dy)
	for i := range b {
		b[i] = a[i] + d*dy[i]
	}
	for k := 1; k < n; k++ {
		r.slope(r.t+float64(k)*d, b, dy)
		for i := range a {
			a[i], b[i] = b[i], a[i]+2*d*dy[i]
		}
	}
	r.slope(r.t+h, b, dy)
	for i := range out {
		out[i] = (a[i] + b[i] + d*dy[i]) / 2
	}
}
