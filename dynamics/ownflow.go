package dynamics

import (
	"errors"
	"math"
	"slices"
)

// ownReset is the part of a runner that integrates models of equations which reset. Their spike rule may be in any of
// the states, and so may the reset. A state may be followed by the d×d matrix, row by row, of its derivatives by the
// state at the end of the last refractory period.
type ownReset struct {
	climb  *stepper // of the state and the time of the upstroke, with the excess as independent variable
	held   *stepper // with the first state constant
	slope  []float64
	y, out []float64 // of climb
}

var errNoReset = errors.New("dynamics: the state after a reset is beyond the threshold again")

// newOwnReset prepares r, whose state has the variational matrix if it is longer than that of the model.
func newOwnReset(r *runner) *ownReset {
	d := len(r.m.States)
	jac := make([]float64, d*d)
	varied := len(r.y) > d
	flow := func(held bool) field {
		return func(_ float64, y, dy []float64) {
			r.m.Deriv(r.p, r.i, y[:d], dy[:d])
			if held {
				dy[0] = 0
			}
			if !varied {
				return
			}
			r.m.Jacobian(r.p, r.i, y[:d], jac)
			if held {
				clear(jac[:d])
			}
			product(jac, y[d:d+d*d], dy[d:d+d*d], d)
		}
	}
	o := &ownReset{slope: make([]float64, d)}
	n := len(r.y)
	r.field = flow(false)
	o.held = newStepper(n, reference, flow(true))
	o.y, o.out = make([]float64, n+1), make([]float64, n+1)
	o.climb = newStepper(n+1, reference, func(_ float64, y, dy []float64) {
		r.field(0, y[:n], dy[:n])
		r.m.Spikes.Slope(r.p, y[:d], o.slope)
		rate := 0.0
		for k, g := range o.slope {
			rate += g * dy[k]
		}
		if !(rate > 0) { // the excess falls: there is no climb
			rate = math.NaN()
		}
		for k := range n {
			dy[k] /= rate
		}
		dy[n] = 1 / rate
	})
	return o
}

// product writes a·b to out; all are d×d.
func product(a, b, out []float64, d int) {
	clear(out)
	multiply(out, a, b, d)
}

// runOwn integrates to the time stop under constant input.
func (r *runner) runOwn(stop float64) error {
	const (
		leaps = 4  // steps as long as the last one within which an upstroke reaches the threshold
		pause = 16 // steps after an upstroke that failed, until the next is tried
	)
	wait := 0
	d := len(r.m.States)
	again := 0 // resets without a step between them
	for h := (stop - r.t) / 16; r.t < stop && (r.most == 0 || len(r.spikes) < r.most); {
		if r.check != nil {
			if err := r.check(); err != nil {
				return err
			}
		}
		if r.free > r.t {
			if err := r.holdOwn(min(stop, r.free)); err != nil {
				return err
			}
			continue
		}
		excess := r.m.Spikes.Excess(r.p, r.y[:d])
		if excess >= 0 {
			if again++; again > 1 {
				return errNoReset
			}
			r.fireOwn(r.t, r.y)
			continue
		}
		again = 0
		if wait--; wait < 0 && -excess < leaps*h*r.excessRate(r.y) {
			if r.climbOwn(excess, stop) {
				continue
			}
			wait = pause
		}
		made, next, err := r.clock.advance(r.t, r.y, stop, h, r.out)
		if err != nil {
			return err
		}
		h = next
		if beyond := r.m.Spikes.Excess(r.p, r.out[:d]); beyond >= 0 {
			part := r.crossingOwn(made, excess, beyond)
			r.fireOwn(r.t+part, r.out)
			continue
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

// excessRate is the derivative of the excess by time at y.
func (r *runner) excessRate(y []float64) (rate float64) {
	d := len(r.m.States)
	slope := make([]float64, d)
	r.m.Deriv(r.p, r.i, y[:d], slope)
	r.m.Spikes.Slope(r.p, y[:d], r.own.slope)
	for k, g := range r.own.slope {
		rate += g * slope[k]
	}
	return rate
}

// climbOwn integrates the upstroke with the excess as independent variable, from its present value to 0, and fires; it
// ends before that at the time stop. With time as variable, the steps of an exponential upstroke would be lost in the
// rounding of time. If the excess falls before it reaches 0, climbOwn returns false and changes nothing.
func (r *runner) climbOwn(excess, stop float64) bool {
	const most = 100 // steps; an upstroke takes dozens
	n := len(r.y)
	o := r.own
	copy(o.y, r.y)
	o.y[n] = 0
	steps := 0
	for x, h := excess, -excess/4; x < 0; {
		if steps++; steps > most {
			return false
		}
		made, next, err := o.climb.advance(x, o.y, 0, h, o.out)
		if err != nil {
			return false
		}
		if o.out[n] > stop-r.t {
			o.climb.crossing(x, o.y, made, n, stop-r.t, o.out)
			copy(r.y, o.out[:n])
			r.t = stop
			return true
		}
		if x += made; made == -x || math.Abs(x) < 1e-15*math.Abs(excess) {
			x = 0
		}
		h = next
		o.y, o.out = o.out, o.y
	}
	r.fireOwn(r.t+o.y[n], o.y[:n])
	return true
}

// crossingOwn finds the part of the step made from r.y to r.out at which the excess is 0, and leaves the state there in
// r.out. before and after are the excess at both ends.
func (r *runner) crossingOwn(made, before, after float64) float64 {
	d := len(r.m.States)
	lo, hi := 0.0, made
	at := made
	for range 60 {
		next := at - after/r.excessRate(r.out)
		if !(next > lo && next < hi) {
			next = lo + (hi-lo)/2
		}
		moved := math.Abs(next - at)
		at = next
		r.clock.try(r.t, r.y, at, r.out)
		if after = r.m.Spikes.Excess(r.p, r.out[:d]); (after < 0) == (before < 0) {
			lo = at
		} else {
			hi = at
		}
		if after == 0 || moved < 1e-15*(r.t+made) || hi-lo < 1e-15*(r.t+made) {
			break
		}
	}
	return at
}

// fireOwn records a spike at time t from state y and resets. The matrix becomes that of the state after the reset: with
// g the gradient of the excess and f the vector field, the state at the spike has the derivative (1 - f gᵀ/(g·f)) Φ.
func (r *runner) fireOwn(t float64, y []float64) {
	d := len(r.m.States)
	r.spikes = append(r.spikes, Spike{t, slices.Clone(y[:d])})
	to := make([]float64, len(y))
	r.m.Spikes.Jump(r.p, y[:d], to[:d])
	if len(y) > d {
		phi := slices.Clone(y[d : d+d*d])
		f, g := make([]float64, d), make([]float64, d)
		r.m.Deriv(r.p, r.i, y[:d], f)
		r.m.Spikes.Slope(r.p, y[:d], g)
		rate := 0.0
		for k := range d {
			rate += g[k] * f[k]
		}
		for c := range d {
			along := 0.0
			for k := range d {
				along += g[k] * y[d+k*d+c]
			}
			for k := range d {
				phi[k*d+c] -= f[k] / rate * along
			}
		}
		jump := make([]float64, d*d)
		r.m.Spikes.JumpJacobian(r.p, y[:d], jump)
		product(jump, phi, to[d:], d)
	}
	copy(r.y, to)
	r.t, r.free = t, t+r.tRef
}

// holdOwn keeps the first state constant until the time end and integrates the others.
func (r *runner) holdOwn(end float64) error {
	for h := end - r.t; r.t < end; {
		made, next, err := r.own.held.advance(r.t, r.y, end, h, r.out)
		if err != nil {
			return err
		}
		if h = next; made == end-r.t {
			r.t = end
		} else {
			r.t += made
		}
		r.y, r.out = r.out, r.y
	}
	return nil
}
