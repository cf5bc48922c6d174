package dynamics

import (
	"fmt"
	"math"
	"slices"

	"popsim/model"
)

// Segment is a stretch of constant input: current I from time Start (ms) until the next segment begins.
type Segment struct{ Start, I float64 }

// Spike is one spike of the continuous-time model.
type Spike struct {
	Time  float64   // ms
	State []float64 // just before the reset, if the model has one
}

// Recording is the result of Simulate.
type Recording struct {
	Spikes []Spike
	States [][]float64 // one per requested time; at the time of a spike, the state before it
}

// Spikes integrates the model from y0 at time 0 to end (ms) and returns its spikes. The input before the first segment
// is 0. See Simulate.
func Spikes(m *model.Model, p []float64, input []Segment, y0 []float64, end float64) ([]Spike, error) {
	r, err := Simulate(m, p, input, y0, end, nil)
	return r.Spikes, err
}

// Simulate is the reference: it integrates the model from y0 at time 0 to end (ms) with an error per step of 1e-13 and
// places its spikes to rounding, and records the state at the given times, which must ascend. The input before the
// first segment is 0. A Hodgkin-Huxley neuron that starts at or above V_th - model.Rearm and below V_th may fire at its
// first crossing; one that starts above V_th must fall below that level first. An integrate-and-fire neuron held after
// a spike keeps V at V_reset while its other variable relaxes.
func Simulate(m *model.Model, p []float64, input []Segment, y0 []float64, end float64, at []float64) (Recording,
	error,
) {
	return newRunner(m, p, y0).record(input, end, at)
}

// record is Simulate from the current state of r. With an error it returns the recording so far.
func (r *runner) record(input []Segment, end float64, at []float64) (rec Recording, err error) {
	defer func() { rec.Spikes = r.spikes }()
	stops := slices.Clone(at)
	for _, s := range input {
		stops = append(stops, s.Start)
	}
	stops = append(stops, end)
	slices.Sort(stops)
	stops = slices.Compact(stops)
	for _, stop := range stops {
		if stop > end {
			break
		}
		if stop > r.t {
			r.i = currentAt(input, r.t)
			if err := r.run(stop); err != nil {
				return rec, fmt.Errorf("%w (%s at t = %.6g ms, V = %.6g mV)", err, r.m.Name, r.t, r.y[0])
			}
		}
		if _, haltEvery := slices.BinarySearch(at, stop); haltEvery {
			rec.States = append(rec.States, slices.Clone(r.y))
		}
	}
	return rec, nil
}

func currentAt(input []Segment, t float64) (i float64) {
	for _, s := range input {
		if s.Start <= t {
			i = s.I
		}
	}
	return i
}

// runner integrates one neuron.
type runner struct {
	m      *model.Model
	p      []float64
	i      float64
	t      float64
	y, out []float64
	free   float64 // end of the refractory period
	armed  bool    // the next upward crossing of V_th is a spike
	spikes []Spike
	most   int          // stop after so many spikes; 0 means never
	check  func() error // called before every step: an error ends the run; nil: never ends
	field  field
	clock  *stepper
	shape  Exponential
	climb  *stepper // the upstroke of an exponential model
	vTh    float64
	vReset float64
	vClimb float64 // the upstroke begins here
	tRef   float64
	own    *ownReset // of models of equations that reset
}

// newRunner starts a neuron from y0. Where y0 has one value more than the model, EIF or AdEx, that one is the integral
// of the divergence of the flow.
func newRunner(m *model.Model, p, y0 []float64) *runner {
	r := &runner{m: m, p: p, y: slices.Clone(y0), out: make([]float64, len(y0)), vTh: m.Threshold(p)}
	r.armed = y0[0] < r.vTh
	r.field = func(_ float64, y, dy []float64) { m.Deriv(p, r.i, y, dy) }
	r.vClimb = math.Inf(1)
	if m.Fires == model.Reset && m.Spikes != nil {
		r.tRef = m.Hold(p)
		r.own = newOwnReset(r)
		r.clock = newStepper(len(y0), reference, r.field)
		return r
	}
	if m.Fires == model.Reset {
		r.vReset, r.tRef = m.ResetTo(p), m.Hold(p)
		if j := m.Index("delta_T"); j >= 0 {
			r.vClimb = min(p[m.Index("V_T")]+2*p[j], r.vTh)
			r.shape, _ = NewExponential(m, p)
			r.climb = r.shape.newClimb(r)
		}
	}
	if d := len(m.States); len(y0) > d {
		r.field = func(_ float64, y, dy []float64) {
			m.Deriv(p, r.i, y[:d], dy[:d])
			dy[d] = r.shape.divergence(y[0])
		}
	}
	r.clock = newStepper(len(y0), reference, r.field)
	return r
}

// newClimb follows the last part of the upstroke over x = exp(-(V-V_T)/(4 delta_T)), which falls as V rises: V diverges
// like -ln(t* - t), while t(x) is as smooth as x⁴. With V as independent variable t would be smooth too, but over a
// range of dozens of delta_T; with X = x⁴ it would have the singular term X² ln X, which in x is x⁸ ln x, far below the
// tolerance of a step. State 0 is the time since the climb began, the others are those of the model. The divergence is
// integrated without ∂(dV/dt)/∂V, whose integral along the trajectory is the change of ln(dV/dt).
func (e Exponential) newClimb(r *runner) *stepper {
	d := len(r.m.States)
	return newStepper(len(r.y), reference, func(x float64, y, dy []float64) {
		u := x * x * x * x
		v, w := e.climbV(x), 0.0
		if d > 1 {
			w = y[1]
		}
		rise := e.DeltaT + u*(e.VRest-v+e.R*(r.i-w)) // u tau dV/dt
		if rise <= 0 {                               // V turns back: there is no climb
			rise = math.NaN()
		}
		dy[0] = -climbRoot * u / x * e.Tau * e.DeltaT / rise
		slope := (e.A*(v-e.VRest) - w) / e.TauW
		if d > 1 {
			dy[1] = dy[0] * slope
		}
		if len(y) > d {
			dy[d] = dy[0] * (e.R*slope*u/rise - 1/e.TauW)
		}
	})
}

// climbRoot is the root of exp(-(V-V_T)/delta_T) over which upstrokes are followed.
const climbRoot = 4

// highestClimb is the height, in delta_T above V_T, up to which an upstroke is integrated. From there V reaches any
// V_th within tau exp(-80), about 1e-35 tau, in which neither the time nor w changes in its last digit.
const highestClimb = 80

// climbX is the place of V in an upstroke, climbV the V of a place.
func (e Exponential) climbX(v float64) float64 { return math.Exp((e.VT - v) / (climbRoot * e.DeltaT)) }
func (e Exponential) climbV(x float64) float64 { return e.VT - climbRoot*e.DeltaT*math.Log(x) }

// run integrates to the time stop under constant input.
func (r *runner) run(stop float64) error {
	if r.own != nil {
		return r.runOwn(stop)
	}
	for h := (stop - r.t) / 16; r.t < stop && (r.most == 0 || len(r.spikes) < r.most); {
		if r.check != nil {
			if err := r.check(); err != nil {
				return err
			}
		}
		if r.free > r.t {
			r.hold(min(stop, r.free))
			continue
		}
		if r.m.Fires == model.Reset {
			if r.y[0] >= r.vTh {
				r.fire(r.t, r.y)
				continue
			}
			if r.y[0] >= r.vClimb {
				if done, err := r.top(stop); err != nil {
					return err
				} else if done {
					continue
				}
			}
		}
		made, next, err := r.clock.advance(r.t, r.y, stop, h, r.out)
		if err != nil {
			return err
		}
		h = next
		switch {
		case r.m.Fires == model.Reset && r.out[0] >= r.vTh:
			part := r.clock.crossing(r.t, r.y, made, 0, r.vTh, r.out)
			r.fire(r.t+part, r.out)
			continue
		case r.m.Fires == model.Crossing:
			r.watch(made)
		}
		if made == stop-r.t {
			r.t = stop
		} else {
			r.t += made
		}
		r.y, r.out = r.out, r.y
	}
	return nil
}

// hold keeps V constant until the time end while the other states relax.
func (r *runner) hold(end float64) {
	if j := r.m.Index("tau_w"); j >= 0 {
		a, vRest, tauW := r.p[r.m.Index("a")], r.p[r.m.Index("V_rest")], r.p[j]
		target := a * (r.y[0] - vRest)
		r.y[1] = target + (r.y[1]-target)*math.Exp(-(end-r.t)/tauW)
	}
	r.t = end
}

// fire records a spike at time t with state y and resets.
func (r *runner) fire(t float64, y []float64) {
	state := slices.Clone(y)
	state[0] = r.vTh
	r.spikes = append(r.spikes, Spike{t, state})
	copy(r.y, state)
	r.y[0] = r.vReset
	if j := r.m.Index("b"); j >= 0 {
		r.y[1] += r.p[j]
	}
	r.t, r.free = t, t+r.tRef
}

// mostClimb is the largest number of steps of an upstroke. Those of the presets take a dozen; with w a million times
// faster than V they would take too many.
const mostClimb = 10_000

// top integrates the upstroke to V_th and fires, or to the time stop if that comes first. So late in the upstroke steps
// in time would vanish in the rounding of t. If V turns back it returns false and changes nothing.
func (r *runner) top(stop float64) (bool, error) {
	before, after := make([]float64, len(r.y)), make([]float64, len(r.y))
	if r.field(0, r.y, before); before[0] <= 0 {
		return false, nil
	}
	// arrive converts y at the potential v to a state of the model, adding the part of the divergence that newClimb leaves
	// out.
	arrive := func(y []float64, v float64) {
		y[0] = v
		if d := len(r.m.States); len(y) > d {
			r.field(0, y, after)
			y[d] += math.Log(after[0] / before[0])
		}
	}
	x, end := r.shape.climbX(r.y[0]), r.shape.climbX(min(r.vTh, r.shape.VT+highestClimb*r.shape.DeltaT))
	y, out := slices.Clone(r.y), slices.Clone(r.y)
	y[0] = 0
	steps := 0
	for h := (end - x) / 16; x != end; {
		if steps++; steps > mostClimb {
			return false, errTooFast
		}
		made, next, err := r.climb.advance(x, y, end, h, out)
		if err != nil {
			return false, nil
		}
		if out[0] > stop-r.t {
			x += r.climb.crossing(x, y, made, 0, stop-r.t, out)
			arrive(out, r.shape.climbV(x))
			copy(r.y, out)
			r.t = stop
			return true, nil
		}
		if x += made; math.Abs(end-x) < 1e-15*math.Abs(end) || made == end-x {
			x = end
		}
		h = next
		y, out = out, y
	}
	spike := min(r.t+y[0], stop)
	arrive(y, r.vTh)
	r.fire(spike, y)
	return true, nil
}

// watch detects a spike of a Hodgkin-Huxley neuron in the step of size h from r.y to r.out, and re-arms.
func (r *runner) watch(h float64) {
	lo, hi := r.y[0], r.out[0]
	end := slices.Clone(r.out)
	if r.armed && lo < r.vTh {
		reach := h
		if hi < r.vTh { // V may have peaked above V_th inside the step
			reach = r.peak(h)
		}
		if r.out[0] >= r.vTh {
			part := r.clock.crossing(r.t, r.y, reach, 0, r.vTh, r.out)
			r.spikes = append(r.spikes, Spike{r.t + part, slices.Clone(r.out)})
			r.armed = false
		}
		copy(r.out, end)
	}
	if min(lo, hi) < r.vTh-r.m.RearmDistance(r.p) {
		r.armed = true
	}
}

// peak writes to r.out the state at the maximum of V inside a step of size h, if V rises at its start and falls at its
// end, and returns the time of it; otherwise it changes nothing and returns h.
func (r *runner) peak(h float64) float64 {
	d := make([]float64, len(r.y))
	r.m.Deriv(r.p, r.i, r.out, d)
	if !(r.clock.slope[0] > 0 && d[0] < 0) {
		return h
	}
	if steep := 4 * max(r.clock.slope[0], -d[0]); min(r.vTh-r.y[0], r.vTh-r.out[0]) > steep*math.Abs(h) {
		return h // out of reach: V of a stiff membrane at an equilibrium fluctuates by rounding
	}
	lo, hi := 0.0, h
	for range 60 {
		mid := lo + (hi-lo)/2
		r.clock.try(r.t, r.y, mid, r.out)
		if r.out[0] >= r.vTh {
			return mid
		}
		if r.m.Deriv(r.p, r.i, r.out, d); d[0] > 0 {
			lo = mid
		} else {
			hi = mid
		}
	}
	return hi
}
