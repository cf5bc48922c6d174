package sweep

import (
	"context"
	"math"
	"slices"
	"time"

	"popsim/kernels"
	"popsim/model"
)

// worker runs batches of chains in shards of its own; it belongs to one goroutine.
type worker struct {
	*engine
	clock
	resolution int              // number of the embedded clock, that of the current batch
	s          *kernels.Shard   // shards[resolution]
	shards     []*kernels.Shard // one for each clock
	// of one lane, one for each clock, in which a neuron is continued after its run; nil if none is
	probes     []*kernels.Shard
	scratch    *kernels.Worker
	now        int64 // the shard's step
	lanes      []lane
	events     []kernels.Event
	equilibria *classifier
	adapts     []extent // of w since the last collect, by lane; nil if it is not asked for
	buf        [memory]float64
	y          []float64 // a state

	build, step time.Duration // time spent on making shards, and in kernels

	next, end int // range of the chains of the batch that have not begun
	put       func(slot int, r record, late, resets []float64)
}

func (e *engine) worker() *worker {
	begin := time.Now()
	w := &worker{
		engine: e, scratch: kernels.NewWorker(), equilibria: newClassifier(e.Model),
		lanes: make([]lane, width), y: make([]float64, len(e.Model.States)),
	}
	if e.watchesW() {
		w.adapts = make([]extent, width)
	}
	for i := range w.lanes {
		w.lanes[i].params = make([]float64, len(e.P))
		w.lanes[i].state = make([]float64, len(e.Model.States))
	}
	for _, c := range e.clocks {
		s := e.kernel.NewShard(0, width, c.dt, e.setting())
		for i := range width {
			s.ResetExtrema(i)
		}
		w.shards = append(w.shards, s)
		if e.Resets || e.From != FromRest {
			probe := e.kernel.NewShard(0, 2, c.dt, e.setting())
			probe.SetLanes(1) // made for two, so that the parameters that axes set are columns
			w.probes = append(w.probes, probe)
		}
	}
	w.build = time.Since(begin)
	return w
}

// setting returns the setting of a shard whose lanes are all at the first point; what axes set is a column, so that it
// can differ from lane to lane.
func (e *engine) setting() kernels.Setting {
	params := make([]float64, len(e.P))
	spread := func(x float64) kernels.Values { return slices.Repeat(kernels.Values{x}, width) }
	set := kernels.Setting{I: spread(e.at(0, params)), Gain: kernels.Values{1}}
	for j, x := range params {
		v := kernels.Values{x}
		if slices.Contains(e.targets, target{setsParam, j}) {
			v = spread(x)
		}
		set.P = append(set.P, v)
	}
	return set
}

// batch runs the chains first to end-1 at one resolution. put is called with the record of each point, in any order.
// batch returns early when ctx is done.
func (w *worker) batch(ctx context.Context, resolution, first, end int, put func(slot int, r record, late,
	resets []float64),
) {
	w.clock, w.s, w.resolution = w.clocks[resolution], w.shards[resolution], resolution
	w.next, w.end, w.now, w.put = first, end, 0, put
	w.s.SetLanes(width)
	for i := range w.lanes {
		w.lanes[i].chain = idle
	}
	for w.fill(); w.s.N > 0 && ctx.Err() == nil; w.fill() {
		from := int64(0)
		for _, cut := range w.cuts {
			w.advance(cut - from)
			w.stop()
			from = cut
		}
		w.decide()
	}
}

// fill gives idle lanes the next chains. When there are none left, it moves lanes from the end into idle ones and
// shortens the shard.
func (w *worker) fill() {
	for i := 0; i < w.s.N; i++ {
		l := &w.lanes[i]
		if l.chain != idle {
			continue
		}
		if w.next < w.end {
			l.chain, l.link = w.next, -1
			w.next++
			w.begin(i)
			continue
		}
		n := w.s.N - 1
		for n > i && w.lanes[n].chain == idle {
			n--
		}
		w.s.SetLanes(n)
		if w.s.N > i {
			w.move(i, w.s.N)
		}
	}
}

// move moves the content of lane from to lane to, which is idle.
func (w *worker) move(to, from int) {
	w.s.CopyLane(to, from)
	w.lanes[to], w.lanes[from] = w.lanes[from], w.lanes[to]
	if w.adapts != nil {
		w.adapts[to] = w.adapts[from]
	}
	w.s.Fold(to, w.lanes[to].params, w.lanes[to].current, 1)
}

// begin starts the next point of its chain in lane i: the first point from its own initial state, the others from the
// end state of the point before, which is in lane.state. If that is NaN, the point starts from its own initial state.
func (w *worker) begin(i int) {
	l := &w.lanes[i]
	point := w.point(l.chain, l.link+1)
	l.begin(l.link+1, w.slot(l.chain, l.link+1), w.now)
	l.current = w.at(point, l.params)
	w.s.Fold(i, l.params, l.current, 1)
	rest := w.restingState(point, l.params)
	l.restingV = rest[0]
	if l.link == 0 || math.IsNaN(l.state[0]) {
		copy(l.state, rest)
		w.enter(point, l.state)
	}
	w.s.Enter(i, w.now, l.state)
	w.s.ResetExtrema(i)
	if w.discard == 0 {
		w.watch(i, l.state)
	}
}

// watch starts the extremes of lane i anew, at state y.
func (w *worker) watch(i int, y []float64) {
	w.collect(i)
	l := &w.lanes[i]
	l.from, l.span, l.spanW = w.time(l), extent{y[0], y[0]}, nowhere
	if w.adapts != nil {
		w.adapts[i] = nowhere.with(y[1])
	}
}

// collect adds the extremes since the last collect to those of lane i.
func (w *worker) collect(i int) {
	l, v := &w.lanes[i], extent{w.s.Lo[i], w.s.Hi[i]}
	l.span, l.window = l.span.join(v), l.window.join(v)
	w.s.ResetExtrema(i)
	if w.adapts != nil {
		l.spanW = l.spanW.join(w.adapts[i])
	}
}

// time returns the time since the start of the point of lane l, ms.
func (w *worker) time(l *lane) float64 { return float64(float64(w.now-l.start) * w.dt) }

// advance advances all lanes by n steps and adds their spikes to their records.
func (w *worker) advance(n int64) {
	from := float64(w.discard) * w.dt
	clocked := w.adapts == nil // a single step is as short as reading the clock, so it is not timed
	for n > 0 {
		k := min(n, perCall)
		if w.adapts != nil {
			k = 1
		}
		var begin time.Time
		if clocked {
			begin = time.Now()
		}
		w.events = w.s.Advance(w.scratch, w.now, int(k), kernels.Drive{}, true, w.events[:0])
		if clocked {
			w.step += time.Since(begin)
		}
		for _, e := range w.events {
			if l := &w.lanes[e.Lane]; l.runs() {
				l.spike((float64(w.now+int64(e.Step)-l.start)+e.Theta)*w.dt, from)
			}
		}
		w.now += k
		n -= k
		if w.adapts != nil {
			w.adapt()
		}
		w.moved.Add(k * int64(w.s.N))
	}
}

// adapt adds w after a step to the extremes of all lanes and, of lanes that fired in it, w before and after the reset.
func (w *worker) adapt() {
	for i, x := range w.s.Y[w.Model.StateIndex("w")][:w.s.N] {
		w.adapts[i] = w.adapts[i].with(x)
	}
	for _, e := range w.events {
		i := int(e.Lane)
		if l := &w.lanes[i]; l.runs() && !math.IsNaN(l.from) {
			w.s.State(i, w.now, w.y)
			after := w.afterReset(l, w.y, e.Theta)
			w.adapts[i] = w.adapts[i].with(after).with(w.beforeReset(l, after))
		}
	}
}

// afterReset returns w (pA) right after a spike at fraction theta of a step, computed backwards from the state y at the
// end of the step: w relaxes exponentially to a (V - V_rest), with V at its mean over the rest of the step.
func (w *worker) afterReset(l *lane, y []float64, theta float64) float64 {
	if w.Model.Outside() {
		return w.backToReset(l, y, theta)
	}
	q := model.AdExOf(l.params)
	steady := float64(q.A * (float64((y[0]+q.VReset)/2) - q.VRest))
	return steady + float64((y[1]-steady)*math.Exp((1-theta)*w.dt/q.TauW))
}

// beforeReset returns w (pA) right before a spike from that after it.
func (w *worker) beforeReset(l *lane, after float64) float64 {
	if !w.Model.Outside() {
		return after - model.AdExOf(l.params).B
	}
	const rounds = 4 // of Newton's method; one is enough where a spike adds to w
	j, n := w.Model.StateIndex("w"), len(w.y)
	y, to, jac := slices.Clone(w.y), make([]float64, n), make([]float64, n*n)
	y[0], y[j] = w.Model.Threshold(l.params), after
	for range rounds {
		w.Model.Spikes.Jump(l.params, y, to)
		w.Model.Spikes.JumpJacobian(l.params, y, jac)
		if slope := jac[j*n+j]; slope != 0 {
			y[j] -= (to[j] - after) / slope
		}
	}
	return y[j]
}

// backToReset is afterReset of a model from a file: one step of the classical Runge-Kutta method backwards over what is
// left of the step after the hold, and one over the hold.
func (w *worker) backToReset(l *lane, y []float64, theta float64) float64 {
	rest := float64((1 - theta) * w.dt)
	held := min(w.Model.Hold(l.params), rest)
	y = slices.Clone(y)
	w.back(l, y, rest-held, false)
	w.back(l, y, held, true)
	return y[w.Model.StateIndex("w")]
}

// back moves y to span ms earlier.
func (w *worker) back(l *lane, y []float64, span float64, held bool) {
	slope := func(from, k []float64, h float64) []float64 {
		at, dy := slices.Clone(from), make([]float64, len(from))
		for j, x := range k {
			at[j] -= float64(h * x)
		}
		if w.Model.Deriv(l.params, l.current, at, dy); held {
			dy[0] = 0
		}
		return dy
	}
	k1 := slope(y, nil, 0)
	k2 := slope(y, k1, span/2)
	k3 := slope(y, k2, span/2)
	k4 := slope(y, k3, span)
	for j := range y {
		y[j] -= float64(span / 6 * (k1[j] + float64(2*(k2[j]+k3[j])) + k4[j]))
	}
}

// stop does what is due at a cut: it finishes the points that end here, and starts the extremes of those whose
// discarded time ends here.
func (w *worker) stop() {
	for i := range w.s.N {
		l := &w.lanes[i]
		if !l.runs() {
			continue
		}
		switch w.now - l.start {
		case w.steps:
			w.s.State(i, w.now, w.y)
			w.finish(i, endTime)
		case w.discard:
			w.s.State(i, w.now, w.y)
			w.watch(i, w.y)
		}
	}
}

// decide finishes the lanes the rest of whose run is known, and begins the next points of chains.
func (w *worker) decide() {
	for i := range w.s.N {
		l := &w.lanes[i]
		if l.runs() {
			w.s.State(i, w.now, w.y)
			w.collect(i)
			l.windows, l.window = [2]extent{l.windows[1], l.window}, nowhere
			if how, decided := w.decided(i, l); decided {
				w.finish(i, how)
			} else {
				copy(l.state, w.y)
				l.spikes = l.train.Spikes()
			}
		}
		if l.waiting {
			w.begin(i)
		}
	}
}

// decided reports whether the rest of the run of lane i, in state w.y, is known, and how the run ends.
func (w *worker) decided(i int, l *lane) (how int, decided bool) {
	if math.IsNaN(w.y[0]) {
		return endNaN, true
	}
	if w.Model.Runaway(l.params, l.current, w.y) {
		if math.IsNaN(l.from) {
			w.watch(i, w.y)
		}
		return endRunaway, true
	}
	if w.Full {
		return 0, false
	}
	if l.train.Spikes() == l.spikes { // none since the last decision
		if w.equilibria.distance(l.params, w.y, l.state) > restNear || w.equilibria.classify(l.params, l.current,
			w.y) != stable {
			return 0, false
		}
		if math.IsNaN(l.from) {
			w.watch(i, w.y)
		}
		return endRest, true
	}
	t := w.time(l)
	if l.settled.mean == 0 && l.intervals >= l.nextCheck {
		l.nextCheck = l.intervals + l.intervals/8 + 1
		l.settled = settle(l.recent(int(min(memory, l.intervals/2)), &w.buf), float64(float64(w.steps)*w.dt)-t)
		l.settled.since = l.intervals
		if l.settled.mean != 0 && math.IsNaN(l.from) {
			w.watch(i, w.y)
		}
	}
	// The extremes must cover a whole period.
	return endSettled, l.settled.mean != 0 && t-l.from >= float64(l.settled.mean*float64(l.settled.period))
}

// finish hands on the record of lane i, whose state is in w.y and whose run ended as how says, and prepares the next
// point of its chain.
func (w *worker) finish(i, how int) {
	l := &w.lanes[i]
	if math.IsNaN(w.y[0]) {
		how = endNaN
	}
	w.collect(i)
	seen := l.train.Spikes()
	r, c := w.record(l, how)
	var resets []float64
	if w.Resets && (how == endTime || how == endSettled) {
		resets = w.resets(l, int(r[mPeriod]))
	}
	w.put(l.slot, r, c.distinct(), resets)
	w.done.Add(1)
	if l.link+1 == w.links(l.chain) {
		l.chain = idle
		return
	}
	l.waiting = true
	copy(l.state, w.y)
	switch {
	case how == endSettled:
		// To its end the run would have made some whole periods and n further spikes.
		n := int(l.train.Spikes()-seen)%l.settled.period + 1
		w.follow(l, n, float64(n)*c.longestSilence())
	case how == endTime && l.train.Spikes() > 0:
		w.follow(l, 1, c.longestSilence()-(c.end-l.train.Last()))
	}
}

// follow advances the state of lane l to its n-th spike from here and on to the end of the refractory period, if the
// spike comes within the given ms. So the next point of a chain always starts at the same phase of the train, whenever
// the run ended. Close to where a cycle vanishes, the spike is the phase farthest from the boundary of its basin of
// attraction.
func (w *worker) follow(l *lane, n int, within float64) {
	s, k := w.alone(l, l.state), int64(0)
	var before []float64
	for end := int64(math.Ceil(within / w.dt)); k < end; {
		before = s.AppendLane(before[:0], 0)
		w.events = s.Advance(w.scratch, k, stride, kernels.Drive{}, false, w.events[:0])
		if len(w.events) < n {
			n -= len(w.events)
			k += stride
			continue
		}
		step := int(w.events[n-1].Step) + 1
		s.PutLane(0, before)
		w.events = s.Advance(w.scratch, k, step, kernels.Drive{}, false, w.events[:0])
		for k += int64(step); w.Model.Fires == model.Reset && s.Wake[0] > float64(k); k++ {
			w.events = s.Advance(w.scratch, k, 1, kernels.Drive{}, false, w.events[:0])
		}
		s.State(0, k, l.state)
		return
	}
}

// stride is the number of steps of one kernel call of follow.
const stride = 32

// alone puts the neuron of lane l, in state y, into the probe of the current resolution and returns that.
func (w *worker) alone(l *lane, y []float64) *kernels.Shard {
	s := w.probes[w.resolution]
	s.Fold(0, l.params, l.current, 1)
	s.Enter(0, 0, y)
	return s
}

// record computes the measures of a lane whose state is in w.y and whose run ended as how says.
func (w *worker) record(l *lane, how int) (r record, c behaviour) {
	if how == endSettled {
		l.extend(float64(w.steps)*w.dt, float64(w.discard)*w.dt)
	}
	for j := range r {
		r[j] = math.NaN()
	}
	r[mEnded] = float64(how)
	r[mSpikes] = float64(l.train.Spikes())
	r[mLatency] = l.train.Latency()
	if l.intervals > 0 {
		r[mISIFirst], r[mISILast] = l.train.ISIFirst(), l.train.ISILast()
	}
	if l.intervals > 1 {
		r[mAdaptation] = l.adapt / float64(l.intervals-1)
	}
	if how == endNaN {
		r[mStatus] = statusNaN
		return r, c
	}
	r[mEndedAt] = w.time(l)
	r[mCV] = l.train.CV()
	r[mVMin], r[mVMax] = l.span.lo, l.span.hi
	if w.adapts != nil {
		r[mWMin], r[mWMax] = l.spanW.lo, l.spanW.hi
	}
	c = w.behaviour(l, how)
	ripple := 0.0
	if c.period > 0 {
		r[mPeriod] = float64(c.period)
		ripple = rippleOf(c.tail, c.period) / math.Sqrt(float64(l.train.Intervals()))
	}
	r[mRate] = 0
	if m := c.wholeMean(); m > 0 {
		r[mRate] = 1000 / m
		r[mRateError] = r[mRate] * (float64(l.settled.drift/4) + ripple + c.spread(m))
	} else {
		r[mRateError] = 0
	}
	r[mStatus] = float64(c.status())
	pattern, margin := c.pattern()
	if math.IsInf(margin, 1) { // no spike, or at a stable equilibrium: no decision was close
		margin = math.NaN()
	}
	r[mPattern], r[mMargin] = float64(pattern), margin
	if pattern == patternBursting {
		r[mBurstSpikes], r[mBurstRate] = c.bursts()
	}
	return r, c
}

// behaviour returns what the run of a lane has shown; its state is in w.y.
func (w *worker) behaviour(l *lane, how int) behaviour {
	c := behaviour{
		lane: l, model: w.Model, how: how, late: l.late(&w.buf), end: float64(w.steps) * w.dt,
		tau: membraneTime(w.Model, l.params),
	}
	if how == endSettled {
		c.tail, c.period = laterHalf(c.late), l.settled.period
	} else {
		c.tail, c.period = tailOf(c.late)
	}
	if how == endTime && l.train.Spikes() == l.spikes {
		c.at = w.equilibria.classify(l.params, l.current, w.y)
	}
	return c
}

// irregularResets is the number of resets listed for a train without a period.
const irregularResets = 64

// resets lists w (pA) right after the next resets of a lane whose state is in w.y: those of one period, or
// irregularResets of a train without one. The neuron is continued step by step, for at most as long as its run.
func (w *worker) resets(l *lane, period int) (found []float64) {
	if w.resolution != 0 || l.train.Spikes() == 0 {
		return nil
	}
	if period <= 0 {
		period = irregularResets
	}
	probe := w.alone(l, w.y)
	y := make([]float64, len(w.y))
	for k := int64(0); k < w.steps && len(found) < period; k++ {
		w.events = probe.Advance(w.scratch, k, 1, kernels.Drive{}, false, w.events[:0])
		if n := len(w.events); n > 0 {
			probe.State(0, k+1, y)
			found = append(found, w.afterReset(l, y, w.events[n-1].Theta))
		}
	}
	return found
}
