package network

import (
	"cmp"
	"fmt"
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
// at their own places, with a term of F for each part of the step between them. That holds where nothing happens in
// the step that V decides: a neuron that is reset in it, or held in a part of it, is advanced from jump to jump by
// Heun's method instead, with its spikes where V reaches the threshold by a jump or in between; and a spike without
// reset is where Euler's method, from jump to jump, has it. Jumps of neurons that are held have no effect.
type ownJumps struct {
	*ownNeuron
	receptors []int     // upwards and downwards
	end       []float64 // what a lane is still to get at the end of the step
	lanes     []int     // with jumps in this step
	spikes    []ownSpike
	taken     []ownLane    // whose jumps come inside the step
	begun     []float64    // states of these at the start of the step, each followed by the steps for which it is held
	arrived   []arrival    // their jumps
	fired     []bool       // by lane: whether the step has given a spike
	again     []ownSpike   // lanes that were advanced anew, with their columns
	middle    [2][]float64 // states and derivatives at the start of a part of the step
	way       []float64    // state of a lane from jump to jump
	change    []float64    // what the ends of steps add to the states of a lane beside that
	states    []float64    // columns, at the end of the step, of lanes that are advanced anew
	others    float64      // place up to which between has gone for the states other than V
	sorted    []arrival    // the jumps of a lane in this step, by place
}

// ownSpike is a spike of a lane at the place theta; or the columns of one, from number at of ownJumps.states on.
type ownSpike struct {
	lane  int
	theta float64
	at    int
}

// ownLane is a lane with jumps inside the step: numbers begun and arrivals from to in ownJumps.begun and .arrived.
type ownLane struct {
	lane, begun, from, to int
	above                 bool // its threshold, at the start
	crosses               bool // by Euler's method it reaches its threshold
}

func newOwnJumps(o *ownNeuron) *ownJumps {
	j := &ownJumps{
		ownNeuron: o, end: make([]float64, o.o.n), way: make([]float64, len(o.y)), change: make([]float64, o.o.n*len(o.y)),
		fired: make([]bool, o.o.n),
	}
	for i := range j.middle {
		j.middle[i] = make([]float64, len(o.y))
	}
	return j
}

// start takes the jumps of step k from their rows, which it empties, and adds what comes at its start.
func (j *ownJumps) start(r *shard, k int64) {
	j.lanes, j.spikes, j.again, j.states = j.lanes[:0], j.spikes[:0], j.again[:0], j.states[:0]
	j.taken, j.begun, j.arrived = j.taken[:0], j.begun[:0], j.arrived[:0]
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

// split adds the first parts of the jumps of lane i, unless it is to be advanced anew.
func (j *ownJumps) split(i int) {
	o, h := j.o, j.o.shard.Dt
	m := j.spec.Model
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
	t := j.take(i)
	first := 0.0
	for _, a := range j.sorted {
		first = math.FMA(1-a.theta, a.weight, first)
		j.end[i] = math.FMA(a.theta, a.weight, j.end[i])
	}
	start := j.y[0]
	copy(j.way, j.y)
	j.correct(i, start+first, -h, -h)
	end := 1.0
	if j.others = 0; o.shard.Lags() { // from half a step ago to half a step on, where V is what it is at the start
		j.others, end = -0.5, 0.5
	}
	from, sum := 0.0, 0.0
	excess := m.Spikes.Excess(j.p, j.way)
	for _, a := range j.sorted {
		j.between(i, start+sum, from, a.theta, a.theta)
		j.walk(t, &excess, from, a.theta, a.weight)
		from, sum = a.theta, sum+a.weight
	}
	j.between(i, start+sum, from, 1, end)
	j.walk(t, &excess, from, 1, 0)
	if t.crosses && m.Fires == model.Reset {
		j.end[i] = 0
		clear(j.change[i*len(j.y):][:len(j.y)])
		return
	}
	o.shard.Y[0][i] += first
}

// take notes the state and the jumps of lane i, which stays in j.y. What is held for a part of the step is advanced
// anew in any case; what is above its threshold at the start, whose spike the step has, in none.
func (j *ownJumps) take(i int) *ownLane {
	n, hold := len(j.y), 0.0
	j.load(i)
	if j.spec.Model.Fires == model.Reset && len(j.o.shard.Y) > n {
		hold = j.o.shard.Y[n][i]
	}
	above := j.spec.Model.Spikes.Excess(j.p, j.y) >= 0
	j.taken = append(j.taken, ownLane{
		lane: i, begun: len(j.begun), from: len(j.arrived), to: len(j.arrived) + len(j.sorted), above: above,
		crosses: hold > 0 && !above,
	})
	j.begun = append(append(j.begun, j.y...), hold)
	j.arrived = append(j.arrived, j.sorted...)
	return &j.taken[len(j.taken)-1]
}

// walk advances j.way by Euler's method, with the derivatives in j.dy, from one place of the step to another, where V
// jumps; excess is that of j.way. Where it reaches 0 first the lane crosses its threshold; a spike without reset is
// noted.
func (j *ownJumps) walk(t *ownLane, excess *float64, from, to, jump float64) {
	m, n := j.spec.Model, len(j.y)
	before := *excess
	for k, f := range j.dy {
		j.way[k] = math.FMA((to-from)*j.o.shard.Dt, f, j.way[k])
	}
	place := to
	come := m.Spikes.Excess(j.p, j.way)
	j.way[0] += jump
	*excess = m.Spikes.Excess(j.p, j.way)
	switch {
	case t.crosses || before >= 0 || t.above && m.Fires == model.Reset:
		return
	case come >= 0:
		place = from + float64((to-from)*(before/(before-come)))
	case !(*excess >= 0):
		return
	}
	if m.Fires == model.Crossing {
		armed := &j.o.shard.Y[n][t.lane]
		if *armed != 0 {
			return
		}
		*armed = math.Inf(1)
		j.spikes = append(j.spikes, ownSpike{lane: t.lane, theta: place})
	}
	t.crosses = true
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
	j.spikes = append(j.spikes, ownSpike{lane: i})
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

// advance takes a lane from the start of step k to its end by Heun's method, from jump to jump.
func (j *ownJumps) advance(t *ownLane, k int64) error {
	m, n := j.spec.Model, len(j.y)
	j.load(t.lane)
	copy(j.y, j.begun[t.begun:][:n])
	at, hold := 0.0, j.begun[t.begun+n]
	lags := j.o.shard.Lags()
	if lags {
		j.shift(t.lane, 0.5)
	}
	left := j.arrived[t.from:t.to]
	for spikes := 0; ; {
		to := 1.0
		if len(left) > 0 {
			to = left[0].theta
		}
		for at < to {
			if hold > 0 {
				part := min(hold, to-at)
				j.heun(t.lane, part, true)
				if hold -= part; part == to-at {
					at = to
				} else {
					at, hold = at+part, 0
				}
				continue
			}
			before := m.Spikes.Excess(j.p, j.y)
			copy(j.middle[0], j.y)
			j.heun(t.lane, to-at, false)
			after := m.Spikes.Excess(j.p, j.y)
			if !(before < 0 && after >= 0) {
				at = to
				continue
			}
			if spikes++; spikes > maxSpikes {
				return fmt.Errorf("neuron %d fires more than %d times in step %d", j.o.first+t.lane, maxSpikes, k)
			}
			part := float64((to - at) * (before / (before - after)))
			copy(j.y, j.middle[0])
			j.heun(t.lane, part, false)
			at += part
			hold = j.reset(t.lane, at)
		}
		if len(left) == 0 {
			break
		}
		if hold <= 0 {
			before := m.Spikes.Excess(j.p, j.y)
			if j.y[0] += left[0].weight; before < 0 && m.Spikes.Excess(j.p, j.y) >= 0 {
				hold = j.reset(t.lane, at)
			}
		}
		left = left[1:]
	}
	if lags {
		j.shift(t.lane, -0.5)
	}
	if j.spec.method().OnGrid {
		hold = math.Round(hold)
	}
	j.keep(t.lane, hold)
	return nil
}

// heun advances lane i, in state j.y, by a part of the step; V only where it is not held.
func (j *ownJumps) heun(i int, part float64, held bool) {
	h, from, slope := part*j.o.shard.Dt, j.way, j.middle[1]
	copy(from, j.y)
	first := 0
	if held {
		first = 1
	}
	j.slope(i)
	copy(slope, j.dy)
	for k := first; k < len(j.y); k++ {
		j.y[k] = math.FMA(h, slope[k], from[k])
	}
	j.slope(i)
	for k := first; k < len(j.y); k++ {
		j.y[k] = math.FMA(h/2, slope[k]+j.dy[k], from[k])
	}
}

// shift advances the states of lane i other than V, in j.y, by a part of the step.
func (j *ownJumps) shift(i int, part float64) {
	j.slope(i)
	for k := 1; k < len(j.y); k++ {
		j.y[k] = math.FMA(part*j.o.shard.Dt, j.dy[k], j.y[k])
	}
}

// reset notes the spike of lane i, in state j.y, at the place at, and resets it; hold is for how many steps V is held.
func (j *ownJumps) reset(i int, at float64) (hold float64) {
	m := j.spec.Model
	j.spikes = append(j.spikes, ownSpike{lane: i, theta: at})
	m.Spikes.Jump(j.p, j.y, j.dy)
	copy(j.y, j.dy)
	return m.Hold(j.p) / j.o.shard.Dt
}

// keep notes the columns of lane i at the end of the step: the state j.y, held for some steps.
func (j *ownJumps) keep(i int, hold float64) {
	j.again = append(j.again, ownSpike{lane: i, at: len(j.states)})
	if j.states = append(j.states, j.y...); len(j.o.shard.Y) > len(j.y) {
		j.states = append(j.states, hold)
	}
}

// finish adds what comes at the end of step k, advances lanes anew that have jumps and a spike, and adds the spikes
// that the ends of jumps cause on the grid.
func (j *ownJumps) finish(r *shard, k int64, events []kernels.Event) ([]kernels.Event, error) {
	o := j.o
	m, n := j.spec.Model, len(j.y)
	for _, e := range events {
		j.fired[e.Lane] = true
		if m.Fires == model.Reset {
			clear(j.change[int(e.Lane)*n:][:n])
		}
	}
	for _, i := range j.lanes {
		for k, x := range j.change[i*n:][:n] {
			o.shard.Y[k][i] += x
		}
		if w := j.end[i]; w != 0 && !j.held(i, math.SmallestNonzeroFloat64) {
			o.shard.Y[0][i] += w
		}
	}
	if r.net.layout.spec.OnGrid {
		j.endOnGrid()
	}
	for t := range j.taken {
		if err := j.decide(&j.taken[t], k); err != nil {
			return nil, err
		}
	}
	events = slices.DeleteFunc(events, func(e kernels.Event) bool {
		spikes := j.fired[e.Lane]
		j.fired[e.Lane] = false
		return !spikes
	})
	for _, s := range j.spikes {
		events = append(events, kernels.Event{Lane: int32(s.lane), Theta: s.theta})
	}
	for _, s := range j.again {
		for k := range o.shard.Y {
			o.shard.Y[k][s.lane] = j.states[s.at+k]
		}
	}
	return events, nil
}

// endOnGrid adds the spikes that jumps cause at the end of the step, where they all are on the grid.
func (j *ownJumps) endOnGrid() {
	m, n, y := j.spec.Model, len(j.y), j.o.shard.Y
	for _, i := range j.lanes {
		switch {
		case j.end[i] == 0 || j.held(i, math.SmallestNonzeroFloat64) || !j.beyond(i):
		case m.Fires == model.Reset:
			j.keep(i, math.Round(j.reset(i, 1)))
		case y[n][i] == 0:
			y[n][i] = math.Inf(1)
			j.spikes = append(j.spikes, ownSpike{lane: i, theta: 1})
		}
	}
}

// beyond reports whether lane i is beyond its threshold at the end of the step.
func (j *ownJumps) beyond(i int) bool {
	j.load(i)
	return j.spec.Model.Spikes.Excess(j.p, j.y) >= 0
}

// decide settles the spikes of a lane with jumps inside step k, once the step is done.
func (j *ownJumps) decide(t *ownLane, k int64) error {
	i, n := t.lane, len(j.y)
	switch beyond := j.beyond(i); {
	case j.spec.Model.Fires == model.Reset:
		if !t.above && (t.crosses || j.fired[i] || beyond) {
			j.fired[i] = false
			return j.advance(t, k)
		}
	case !t.crosses && j.fired[i] && !beyond: // by the first parts of jumps
		j.fired[i] = false
		j.o.shard.Y[n][i] = 0
	case !t.crosses && (j.fired[i] || beyond && j.o.shard.Y[n][i] == 0): // by less than the error of Euler's method
		j.fired[i] = false
		j.o.shard.Y[n][i] = math.Inf(1)
		j.spikes = append(j.spikes, ownSpike{lane: i, theta: 1})
	}
	return nil
}
