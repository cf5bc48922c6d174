package sweep

import (
	"context"
	"math"
	"slices"
	"time"

	"popsim/kernels"
	"popsim/model"
	"popsim/pop"
)

// worker runs batches of chains in its own shards; it belongs to one goroutine.
type worker struct {
	*engine
	clock
	resolution int              // the clock in hand
	s          *kernels.Shard   // its shard
	shards     []*kernels.Shard // one for each clock
	probes     []*kernels.Shard // one lane each, for what is asked of a neuron after its run; nil where nothing is
	scratch    *kernels.Worker
	now        int64 // the shard's step
	lanes      []lane
	events     []kernels.Event
	equilibria *classifier
	adapts     []extent // of w since watch, by lane; nil where it is not asked for
	buf        [memory]float64
	y          []float64 // a state

	build, step time.Duration // spent on shards, and in kernels

	next, end int // chains of the batch not yet begun
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
			probe.SetLanes(1) // made for two, so that what axes set stands in columns
			w.probes = append(w.probes, probe)
		}
	}
	w.build = time.Since(begin)
	return w
}

// setting describes a shard of which every lane is at the first point, and may differ in what the axes set.
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

// batch runs the chains first to end-1 at one resolution; put is given the record of each point, in no order. It stops
// early when ctx is done.
func (w *worker) batch(ctx context.Context, resolution, first, end int, put func(slot int, r record, late, resets []float64)) {
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

// fill gives idle lanes the next chains; when there are none left it closes the ranks.
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

// move brings what is in lane from to lane to, which is idle.
func (w *worker) move(to, from int) {
	w.s.CopyLane(to, from)
	w.lanes[to], w.lanes[from] = w.lanes[from], w.lanes[to]
	if w.adapts != nil {
		w.adapts[to] = w.adapts[from]
	}
	w.s.Fold(to, w.lanes[to].params, w.lanes[to].current, 1)
}

// begin puts the next point of its chain into lane i: the first into its own initial state, the others into the end
// state of the one before, which is in the book. Where that one became NaN, the chain begins anew.
func (w *worker) begin(i int) {
	l := &w.lanes[i]
	point := w.point(l.chain, l.link+1)
	l.begin(l.link+1, w.slot(l.chain, l.link+1), w.now)
	l.current = w.at(point, l.params)
	w.s.Fold(i, l.params, l.current, 1)
	rest := w.rest(point, l.params)
	l.rest = rest[0]
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

// watch starts the record of extremes of lane i, at state y.
func (w *worker) watch(i int, y []float64) {
	w.collect(i)
	l := &w.lanes[i]
	l.from, l.span, l.spanW = w.time(l), extent{y[0], y[0]}, nowhere
	if w.adapts != nil {
		w.adapts[i] = nowhere.with(y[1])
	}
}

// collect adds the extremes of V in lane i since they were last collected to its book.
func (w *worker) collect(i int) {
	l, v := &w.lanes[i], extent{w.s.Lo[i], w.s.Hi[i]}
	l.span, l.window = l.span.join(v), l.window.join(v)
	w.s.ResetExtrema(i)
	if w.adapts != nil {
		l.spanW = l.spanW.join(w.adapts[i])
	}
}

// time is that of lane l, ms.
func (w *worker) time(l *lane) float64 { return float64(w.now-l.start) * w.dt }

// advance moves all lanes by n steps and enters their spikes into the books.
func (w *worker) advance(n int64) {
	from := float64(w.discard) * w.dt
	clocked := w.adapts == nil // a step alone is as short as a look at the clock, and counts among the records
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

// adapt notes w of all lanes after a step, and where they fired in it, w on both sides of the reset.
func (w *worker) adapt() {
	for i, x := range w.s.Y[1][:w.s.N] {
		w.adapts[i] = w.adapts[i].with(x)
	}
	for _, e := range w.events {
		i := int(e.Lane)
		if l := &w.lanes[i]; l.runs() && !math.IsNaN(l.from) {
			w.s.State(i, w.now, w.y)
			after := w.afterReset(l, w.y, e.Theta)
			w.adapts[i] = w.adapts[i].with(after).with(after - model.AdExOf(l.params).B)
		}
	}
}

// afterReset is w (pA) right after a spike theta of a step after its start, followed back from the state y at the end of
// that step.
func (w *worker) afterReset(l *lane, y []float64, theta float64) float64 {
	q := model.AdExOf(l.params)
	steady := q.A * ((y[0]+q.VReset)/2 - q.VRest)
	return steady + (y[1]-steady)*math.Exp((1-theta)*w.dt/q.TauW)
}

// stop looks at what a cut is for: points that end here, and extremes that begin.
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

// decide retires the lanes whose course is decided, and goes on with the next point of their chain.
func (w *worker) decide() {
	for i := range w.s.N {
		l := &w.lanes[i]
		if l.runs() {
			w.s.State(i, w.now, w.y)
			w.collect(i)
			l.swings, l.window = [2]extent{l.swings[1], l.window}, nowhere
			if how, decided := w.decided(i, l); decided {
				w.finish(i, how)
			} else {
				copy(l.state, w.y)
				l.spikes = l.train.Spikes()
			}
		}
		if l.waits {
			w.begin(i)
		}
	}
}

// decided tells whether the course of lane i, in state w.y, is decided, and how.
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
		if w.equilibria.distance(l.params, w.y, l.state) > restNear || w.equilibria.classify(l.params, l.current, w.y) != stable {
			return 0, false
		}
		if math.IsNaN(l.from) {
			w.watch(i, w.y)
		}
		return endRest, true
	}
	t := w.time(l)
	if l.settled.mean == 0 && l.intervals >= l.look {
		l.look = l.intervals + l.intervals/8 + 1
		l.settled = settle(l.recent(int(min(memory, l.intervals/2)), &w.buf), float64(w.steps)*w.dt-t)
		l.settled.since = l.intervals
		if l.settled.mean != 0 && math.IsNaN(l.from) {
			w.watch(i, w.y)
		}
	}
	// Extremes must have seen the whole pattern.
	return endSettled, l.settled.mean != 0 && t-l.from >= l.settled.mean*float64(l.settled.period)
}

// finish closes the book of lane i, whose state is in w.y.
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
	l.waits = true
	copy(l.state, w.y)
	switch {
	case how == endSettled:
		// The whole run would have gone on for some whole periods and this many spikes.
		n := int(l.train.Spikes()-seen)%l.settled.period + 1
		w.follow(l, n, float64(n)*c.extendFactors())
	case how == endTime && l.train.Spikes() > 0:
		w.follow(l, 1, c.extendFactors()-(c.end-l.train.Last()))
	}
}

// follow carries the state in the book of lane l on to the n-th spike from here and, past it, to the end of the refractory
// period, if that spike comes within so many ms. So a train is always handed on in the same phase, whenever its run
// ended; and where a cycle is about to vanish, the spike is that phase of it which is farthest from the border of what is
// drawn to it.
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

// stride is the number of steps in which one neuron alone is followed.
const stride = 32

// alone puts the neuron of lane l, in state y, alone into a shard of the clock in hand.
func (w *worker) alone(l *lane, y []float64) *kernels.Shard {
	s := w.probes[w.resolution]
	s.Fold(0, l.params, l.current, 1)
	s.Enter(0, 0, y)
	return s
}

// record sums up the book of a lane whose state is in w.y.
func (w *worker) record(l *lane, how int) (r record, c course) {
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
	c = w.course(l, how)
	ripple := 0.0
	if c.period > 0 {
		r[mPeriod] = float64(c.period)
		ripple = rippleOf(c.tail, c.period) / math.Sqrt(float64(l.train.Intervals()))
	}
	r[mRate] = 0
	if m := c.wholeMean(); m > 0 {
		r[mRate] = 1000 / m
		r[mRateError] = r[mRate] * (l.settled.drift/4 + ripple + c.spread(m))
	} else {
		r[mRateError] = 0
	}
	r[mStatus] = float64(c.status())
	pattern, margin := c.pattern()
	if math.IsInf(margin, 1) { // no spike, or rest for good: nothing was close
		margin = math.NaN()
	}
	r[mPattern], r[mMargin] = float64(pattern), margin
	return r, c
}

// course is what the book of a lane shows, whose state is in w.y.
func (w *worker) course(l *lane, how int) course {
	c := course{lane: l, model: w.Model, how: how, late: l.late(&w.buf), end: float64(w.steps) * w.dt, tau: membraneTime(w.Model, l.params)}
	if c.tail = c.late; len(c.late) > leastTail {
		c.tail = c.late[len(c.late)/2:]
	}
	if c.period = l.settled.period; how != endSettled {
		if c.period = lastPeriod(c.tail); c.period == 0 { // a long one shows only in all of them
			if p := pop.Period(c.late, maxPeriod, blurred); p > 0 {
				c.tail, c.period = c.late, p
			}
		}
	}
	if how == endTime && l.train.Spikes() == l.spikes {
		c.at = w.equilibria.classify(l.params, l.current, w.y)
	}
	return c
}

// leastTail is the number of late intervals up to which a period is looked for in all of them.
const leastTail = 12

// irregularResets is how many resets are looked at of a train that does not repeat itself.
const irregularResets = 64

// resets lists w right after the next resets of a lane whose state is in w.y: those of one period, or irregularResets. It
// goes on with the neuron step by step, for no longer than the run took.
func (w *worker) resets(l *lane, period int) (found []float64) {
	if w.resolution != 0 || l.train.Spikes() == 0 {
		return nil
	}
	if period <= 0 {
		period = irregularResets
	}
	probe := w.alone(l, w.y)
	var y [2]float64
	for k := int64(0); k < w.steps && len(found) < period; k++ {
		w.events = probe.Advance(w.scratch, k, 1, kernels.Drive{}, false, w.events[:0])
		if n := len(w.events); n > 0 {
			probe.State(0, k+1, y[:])
			found = append(found, w.afterReset(l, y[:], w.events[n-1].Theta))
		}
	}
	return found
}
