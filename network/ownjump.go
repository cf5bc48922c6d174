package network

import (
	"math"

	"popsim/kernels"
	"popsim/model"
)

// ownJumps adds jumps of the first state to neurons with equations of the user's own. On the grid a jump comes at the
// end of its step. Else one of weight w at the place θ of a step of h adds (1-θ) w at the start and θ w at the end, and
//
//	h (θ F(y) + (1-θ) F(y + w) - F(y + (1-θ) w))
//
// to all states, y being the state at the start and F its derivative: this keeps order 2. Where a jump takes the neuron
// over its threshold the spike is at θ, and a reset is followed by a step of Euler's method over what is left. Jumps
// of neurons that are held have no effect.
type ownJumps struct {
	*ownNeuron
	receptors []int     // upwards and downwards
	end       []float64 // what a lane is still to get at the end of the step
	lanes     []int     // with jumps in this step
	spikes    []ownSpike
	change    []float64 // what the ends of steps add to the states of a lane beside that
	states    []float64 // columns of lanes after a reset that a jump causes
}

// ownSpike is a spike that a jump causes.
type ownSpike struct {
	lane  int
	theta float64
	at    int // of its columns at the end of the step, in ownJumps.states; -1: no reset
}

func newOwnJumps(o *ownNeuron) *ownJumps {
	return &ownJumps{ownNeuron: o, end: make([]float64, o.o.n), change: make([]float64, o.o.n*len(o.y))}
}

// start takes the jumps of the step from their rows, which it empties, and adds what comes at its start.
func (j *ownJumps) start(r *shard) {
	j.lanes, j.spikes, j.states = j.lanes[:0], j.spikes[:0], j.states[:0]
	for i := range j.o.n {
		first, last, any := 0.0, 0.0, false
		for _, c := range j.receptors {
			width := r.net.layout.receptors[c].width
			a := r.rows[c][(j.o.base+i)*width:][:width]
			if a[0] == empty && a[width-1] == empty {
				continue
			}
			any = true
			if last += a[width-1]; width == 2 {
				first += a[0]
			}
			clearRow(a)
		}
		if !any {
			continue
		}
		j.lanes = append(j.lanes, i)
		clear(j.change[i*len(j.y):][:len(j.y)])
		if j.end[i] = last; !r.net.layout.spec.OnGrid {
			j.split(r, i, first, last)
		}
	}
}

// split adds the first part of a jump to lane i, or notes the spike that the jump causes.
func (j *ownJumps) split(r *shard, i int, first, last float64) {
	o, h := j.o, r.net.layout.spec.Dt
	m, n := j.spec.Model, len(j.y)
	if j.held(i, 1) {
		j.end[i] = 0
		return // held to the end of the step
	}
	w := first + last
	theta := min(max(0, last/w), 1) // of several jumps the mean
	if !(theta >= 0) {
		theta = 0
	}
	j.load(i)
	start := j.y[0]
	early, late := theta, 1-theta // parts of the step of the other states
	if j.o.shard.Lags() {         // from half a step ago to half a step on, in which V is what it is at the start
		early, late = min(1, theta+0.5), max(0, 0.5-theta)
	}
	j.correct(i, start+first, -h, -h)
	j.correct(i, start+w, (1-theta)*h, late*h)
	j.correct(i, start, theta*h, early*h)
	for k := range j.y {
		j.y[k] = math.FMA(theta*h, j.dy[k], j.y[k])
	}
	before := m.Spikes.Excess(j.p, j.y)
	j.y[0] += w
	armed := m.Fires == model.Reset || o.shard.Y[n][i] == 0
	if !armed || before >= 0 || !(m.Spikes.Excess(j.p, j.y) >= 0) {
		o.shard.Y[0][i] += first
		return
	}
	if m.Fires == model.Crossing {
		o.shard.Y[n][i] = math.Inf(1)
		o.shard.Y[0][i] += first
		j.spikes = append(j.spikes, ownSpike{i, theta, -1})
		return
	}
	j.end[i] = 0
	j.spikes = append(j.spikes, ownSpike{i, theta, j.afterReset(i, 1-theta)})
}

// correct adds the derivatives at potential v, times by for V and times others for the other states, to what lane i
// gets at the end of the step; they stay in j.dy.
func (j *ownJumps) correct(i int, v, by, others float64) {
	j.y[0] = v
	j.slope(i)
	change := j.change[i*len(j.y):]
	for k, f := range j.dy {
		change[k] = math.FMA(by, f, change[k])
		by = others
	}
}

// afterReset resets the neuron whose state at its spike is j.y, adds its columns a part of a step later to j.states,
// and returns their place there.
func (j *ownJumps) afterReset(i int, part float64) (at int) {
	m, h, n := j.spec.Model, j.o.shard.Dt, len(j.y)
	m.Spikes.Jump(j.p, j.y, j.dy)
	copy(j.y, j.dy)
	hold := m.Hold(j.p) / h
	move := func(part float64, held bool) {
		j.slope(i)
		for k := range n {
			if k > 0 || !held {
				j.y[k] = math.FMA(part*h, j.dy[k], j.y[k])
			}
		}
	}
	if held := min(hold, part); held > 0 {
		move(held, true)
		part -= held
		hold -= held
	}
	if part > 0 {
		move(part, false)
	}
	at = len(j.states)
	if j.states = append(j.states, j.y...); len(j.o.shard.Y) > n {
		j.states = append(j.states, hold)
	}
	return at
}

// put sets the columns of a lane to those that afterReset has put there; none if at is -1.
func (j *ownJumps) put(lane, at int) {
	for k := range j.o.shard.Y {
		if at >= 0 {
			j.o.shard.Y[k][lane] = j.states[at+k]
		}
	}
}

// finish adds what comes at the end of the step, replaces the events of lanes whose jump caused a spike, and adds the
// spikes that the ends of jumps cause.
func (j *ownJumps) finish(r *shard, events []kernels.Event) []kernels.Event {
	o := j.o
	for _, s := range j.spikes {
		kept := events[:0]
		for _, e := range events {
			if int(e.Lane) != s.lane {
				kept = append(kept, e)
			}
		}
		events = append(kept, kernels.Event{Lane: int32(s.lane), Theta: s.theta})
		j.put(s.lane, s.at)
	}
	m, n := j.spec.Model, len(j.y)
	for _, e := range events {
		if m.Fires == model.Reset {
			clear(j.change[int(e.Lane)*n:][:n])
		}
	}
	for _, i := range j.lanes {
		for k, x := range j.change[i*n:][:n] {
			o.shard.Y[k][i] += x
		}
		w := j.end[i]
		if w == 0 || j.held(i, math.SmallestNonzeroFloat64) {
			continue
		}
		o.shard.Y[0][i] += w
		j.load(i)
		switch beyond := m.Spikes.Excess(j.p, j.y) >= 0; {
		case !beyond:
		case m.Fires == model.Crossing && o.shard.Y[n][i] == 0:
			o.shard.Y[n][i] = math.Inf(1)
			events = append(events, kernels.Event{Lane: int32(i), Theta: 1})
		case m.Fires == model.Reset:
			j.put(i, j.afterReset(i, 0))
			if len(o.shard.Y) > n && (r.net.layout.spec.OnGrid || j.spec.method().OnGrid) {
				o.shard.Y[n][i] = math.Round(o.shard.Y[n][i])
			}
			events = append(events, kernels.Event{Lane: int32(i), Theta: 1})
		}
	}
	return events
}
