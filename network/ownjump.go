package network

import (
	"cmp"
	"math"
	"slices"

	"popsim/kernels"
	"popsim/model"
)

// ownJumps adds jumps of the first state to neurons with equations of the user's own. On the grid a jump comes at the
// end of its step. Else one of weight w at the place θ of a step of h adds (1-θ) w at the start and θ w at the end, and
//
//	h (θ F(y) + (1-θ) F(y + w) - F(y + (1-θ) w))
//
// to all states, y being the state at the start and F its derivative: this keeps order 2. Several jumps of a step count
// at their own places, with a term of F for each part of the step between them. Where a jump takes the neuron over its
// threshold the spike is at θ, and a reset is followed by Euler's method over what is left. Jumps of neurons that are
// held have no effect.
type ownJumps struct {
	*ownNeuron
	receptors []int     // upwards and downwards
	end       []float64 // what a lane is still to get at the end of the step
	lanes     []int     // with jumps in this step
	spikes    []ownSpike
	way       []float64 // state of a lane from jump to jump
	change    []float64 // what the ends of steps add to the states of a lane beside that
	states    []float64 // columns of lanes after a reset that a jump causes
	others    float64   // place up to which between has gone for the states other than V
	sorted    []arrival // the jumps of a lane in this step, by place
}

// ownSpike is a spike that a jump causes.
type ownSpike struct {
	lane  int
	theta float64
	at    int // of its columns at the end of the step, in ownJumps.states; -1: they are those that the step has given
}

func newOwnJumps(o *ownNeuron) *ownJumps {
	return &ownJumps{
		ownNeuron: o, end: make([]float64, o.o.n), way: make([]float64, len(o.y)), change: make([]float64, o.o.n*len(o.y)),
	}
}

// start takes the jumps of step k from their rows, which it empties, and adds what comes at its start.
func (j *ownJumps) start(r *shard, k int64) {
	j.lanes, j.spikes, j.states = j.lanes[:0], j.spikes[:0], j.states[:0]
	for i := range j.o.n {
		sum, any := 0.0, false
		for _, c := range j.receptors {
			width := r.net.layout.receptors[c].width
			a := r.rows[c][(j.o.base+i)*width:][:width]
			if a[0] == empty && a[width-1] == empty {
				continue
			}
			any = true
			sum += a[width-1]
			clearRow(a)
		}
		if any {
			j.lanes, j.end[i] = append(j.lanes, i), sum
			clear(j.change[i*len(j.y):][:len(j.y)])
		}
	}
	if !r.net.layout.spec.OnGrid && len(j.lanes) > 0 {
		j.place(r, k)
	}
}

// place finds the jumps of step k of all lanes that have some, and splits them.
func (j *ownJumps) place(r *shard, k int64) {
	r.events = r.events[:0]
	for _, i := range j.lanes {
		lane := j.o.base + i
		r.events = append(r.events, before{lane: lane})
		r.flags[lane>>6] |= 1 << (lane & 63)
	}
	r.lookUp(k)
	for n, i := range j.lanes {
		j.sort(r.arrivals[r.begin[n]:r.begin[n+1]])
		j.split(i)
		r.flags[(j.o.base+i)>>6] = 0
	}
}

// sort puts the jumps among the arrivals of a lane in the order of their places, those of one place as one.
func (j *ownJumps) sort(all []arrival) {
	j.sorted = j.sorted[:0]
	for _, a := range all {
		if slices.Contains(j.receptors, int(a.receptor)) {
			j.sorted = append(j.sorted, a)
		}
	}
	slices.SortStableFunc(j.sorted, func(a, b arrival) int { return cmp.Compare(a.theta, b.theta) })
	apart := j.sorted[:0]
	for k, a := range j.sorted {
		if k > 0 && a.theta == apart[len(apart)-1].theta {
			apart[len(apart)-1].weight += a.weight
		} else {
			apart = append(apart, a)
		}
	}
	j.sorted = apart
}

// split adds the first parts of the jumps of lane i, or notes the spike that one of them causes.
func (j *ownJumps) split(i int) {
	o, h := j.o, j.o.shard.Dt
	m, n := j.spec.Model, len(j.y)
	j.end[i] = 0
	if j.held(i, 1) {
		return // held to the end of the step
	}
	if !o.shard.Lags() {
		j.atStart(i)
	}
	if len(j.sorted) == 0 {
		return
	}
	first := 0.0
	for _, a := range j.sorted {
		first = math.FMA(1-a.theta, a.weight, first)
		j.end[i] = math.FMA(a.theta, a.weight, j.end[i])
	}
	j.load(i)
	start := j.y[0]
	copy(j.way, j.y)
	j.correct(i, start+first, -h, -h)
	end := 1.0
	if j.others = 0; o.shard.Lags() { // from half a step ago to half a step on, where V is what it is at the start
		j.others, end = -0.5, 0.5
	}
	armed := m.Fires == model.Reset || o.shard.Y[n][i] == 0
	from, sum := 0.0, 0.0
	for q, a := range j.sorted {
		j.between(i, start+sum, from, a.theta, a.theta)
		for k, f := range j.dy {
			j.way[k] = math.FMA((a.theta-from)*h, f, j.way[k])
		}
		from, sum = a.theta, sum+a.weight
		already := m.Spikes.Excess(j.p, j.way) >= 0
		j.way[0] += a.weight
		if !armed || already || !(m.Spikes.Excess(j.p, j.way) >= 0) {
			continue
		}
		if armed = false; m.Fires == model.Reset {
			j.end[i] = 0
			copy(j.y, j.way)
			j.afterSpike(i, a.theta, j.sorted[q+1:])
			return
		}
		o.shard.Y[n][i] = math.Inf(1)
		j.spikes = append(j.spikes, ownSpike{i, a.theta, -1})
	}
	j.between(i, start+sum, from, 1, end)
	o.shard.Y[0][i] += first
}

// atStart makes the jump at the start of the step, if lane i has one, and takes it from the list.
func (j *ownJumps) atStart(i int) {
	o, m, n := j.o, j.spec.Model, len(j.y)
	if len(j.sorted) == 0 || j.sorted[0].theta > 0 {
		return
	}
	w := j.sorted[0].weight
	if j.sorted = j.sorted[1:]; j.held(i, math.SmallestNonzeroFloat64) {
		return
	}
	j.load(i)
	already := m.Spikes.Excess(j.p, j.y) >= 0
	j.y[0] += w
	o.shard.Y[0][i] = j.y[0]
	switch spikes := !already && m.Spikes.Excess(j.p, j.y) >= 0; {
	case !spikes || m.Fires == model.Crossing && o.shard.Y[n][i] != 0:
		return
	case m.Fires == model.Crossing:
		o.shard.Y[n][i] = math.Inf(1)
	default:
		m.Spikes.Jump(j.p, j.y, j.dy)
		for k, x := range j.dy {
			o.shard.Y[k][i] = x
		}
		if len(o.shard.Y) > n {
			o.shard.Y[n][i] = m.Hold(j.p) / o.shard.Dt
		}
	}
	j.spikes = append(j.spikes, ownSpike{i, 0, -1})
}

// between adds the derivatives at potential v over a part of the step to what lane i gets at its end; over that from
// where it has come to until othersTo for the states other than V.
func (j *ownJumps) between(i int, v, from, to, othersTo float64) {
	h := j.o.shard.Dt
	j.correct(i, v, (to-from)*h, (othersTo-j.others)*h)
	j.others = othersTo
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

// afterSpike notes the spike of lane i at the place at of the step, in state j.y, and advances the neuron by resets and
// the jumps that are left to the end of the step, at which its columns are in j.states.
func (j *ownJumps) afterSpike(i int, at float64, left []arrival) {
	m, h, n := j.spec.Model, j.o.shard.Dt, len(j.y)
	move := func(part float64, held bool) {
		j.slope(i)
		for k := range n {
			if k > 0 || !held {
				j.y[k] = math.FMA(part*h, j.dy[k], j.y[k])
			}
		}
	}
	hold := 0.0
	reset := func() {
		j.spikes = append(j.spikes, ownSpike{i, at, len(j.states)})
		m.Spikes.Jump(j.p, j.y, j.dy)
		copy(j.y, j.dy)
		hold = m.Hold(j.p) / h
	}
	for reset(); ; left = left[1:] {
		to := 1.0
		if len(left) > 0 {
			to = left[0].theta
		}
		held := min(hold, to-at)
		if held > 0 {
			move(held, true)
			hold -= held
		}
		if to-at > held {
			move(to-at-held, false)
		}
		if at = to; len(left) == 0 {
			break
		}
		if hold > 0 {
			continue
		}
		if j.y[0] += left[0].weight; m.Spikes.Excess(j.p, j.y) >= 0 {
			reset()
		}
	}
	if j.states = append(j.states, j.y...); len(j.o.shard.Y) > n {
		j.states = append(j.states, hold)
	}
}

// put sets the columns of a lane to those that afterSpike has put there; none if at is -1.
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
	events = slices.DeleteFunc(events, func(e kernels.Event) bool {
		return slices.ContainsFunc(j.spikes, func(s ownSpike) bool { return int(e.Lane) == s.lane && s.at >= 0 })
	})
	for _, s := range j.spikes {
		events = append(events, kernels.Event{Lane: int32(s.lane), Theta: s.theta})
		j.put(s.lane, s.at)
	}
	caused := len(j.spikes)
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
			j.afterSpike(i, 1, nil)
			j.put(i, j.spikes[len(j.spikes)-1].at)
			j.spikes = j.spikes[:caused]
			if len(o.shard.Y) > n && (r.net.layout.spec.OnGrid || j.spec.method().OnGrid) {
				o.shard.Y[n][i] = math.Round(o.shard.Y[n][i])
			}
			events = append(events, kernels.Event{Lane: int32(i), Theta: 1})
		}
	}
	return events
}
