package sweep

import (
	"context"
	"math"
	"slices"
	"sync/atomic"

	"popsim/kernels"
	"popsim/model"
	"popsim/pop"
)

const (
	lanes   = kernels.Group // of a shard: more would not be faster
	decide  = 50.0          // ms of a lane's time between decisions
	perCall = 1024          // steps in one call of a kernel, which cannot be preempted
)

// clock is one resolution of a sweep, all in steps.
type clock struct {
	dt      float64 // ms
	steps   int64   // of a point
	discard int64
	every   int64   // between decisions
	cuts    []int64 // where a shard stops within that time: where points end, where extremes begin, and at its end
}

func (p *plan) clock(dt float64) clock {
	c := clock{
		dt: dt, steps: int64(math.Ceil(p.Time/dt - slack)), discard: int64(math.Round(p.Discard / dt)),
		every: max(1, int64(math.Round(decide/dt))),
	}
	c.discard = min(c.discard, c.steps-1)
	c.cuts = []int64{c.every}
	for _, k := range []int64{c.steps % c.every, c.discard % c.every} {
		if k > 0 && !slices.Contains(c.cuts, k) {
			c.cuts = append(c.cuts, k)
		}
	}
	slices.Sort(c.cuts)
	return c
}

// engine runs chains; it is shared by workers.
type engine struct {
	*plan
	kernel *kernels.Kernel
	clocks []clock // the resolution that is told, and, if wanted, the second
	perI   bool    // nothing but I differs between points that share a place in rests
	rests  []atomic.Pointer[[]float64]
	out    *Result
	done   atomic.Int64 // points finished, each resolution counted apart
	moved  atomic.Int64 // lane-steps
}

func newEngine(p *plan, isa kernels.ISA) (*engine, error) {
	k, err := kernels.For(p.Model, p.method, isa)
	if err != nil {
		return nil, err
	}
	e := &engine{plan: p, kernel: k, clocks: []clock{p.clock(p.Dt)}}
	if !p.NoError {
		e.clocks = append(e.clocks, p.clock(p.coarse))
	}
	e.rests = make([]atomic.Pointer[[]float64], p.restCount())
	return e, nil
}

// restCount is the number of points that may differ in their rest at I = 0.
func (p *plan) restCount() int {
	n := 1
	for j, a := range p.Grid.Axes {
		if p.targets[j].kind != setsParam {
			continue
		}
		if p.Grid.Zip {
			return p.points
		}
		n *= a.Len()
	}
	return n
}

// rest is the rest at I = 0 of a point with the given parameters; it is found once for all points that share them.
func (e *engine) rest(point int, params []float64) []float64 {
	at := 0
	for j, a := range e.Grid.Axes {
		if e.targets[j].kind == setsParam {
			if e.Grid.Zip {
				at = point
				break
			}
			at = at*a.Len() + e.Grid.index(point, j)
		}
	}
	if y := e.rests[at].Load(); y != nil {
		return *y
	}
	y := make([]float64, len(e.Model.States))
	e.Model.Initial(params, y)
	e.rests[at].Store(&y) // two workers may both find it: it is the same
	return y
}

// worker is the scratch of one goroutine.
type worker struct {
	*engine
	clock
	scratch *kernels.Worker
	shards  []*kernels.Shard // one for each clock
	*kernels.Shard
	now    int64
	lanes  []lane
	events []kernels.Event
	rester *rester
	buf    [memory]float64
	y      []float64

	next, end int // chains of the batch not yet begun
	ctx       context.Context
	put       func(l *lane, r record)
}

func (e *engine) worker() *worker {
	w := &worker{
		engine: e, scratch: kernels.NewWorker(), rester: newRester(e.Model),
		lanes: make([]lane, lanes), y: make([]float64, len(e.Model.States)),
	}
	for i := range w.lanes {
		w.lanes[i].params = make([]float64, len(e.P))
		w.lanes[i].state = make([]float64, len(e.Model.States))
	}
	set := kernels.Setting{I: make(kernels.Values, lanes), Gain: kernels.Values{1}}
	for i := range set.I {
		set.I[i] = e.I
	}
	for j, x := range e.P {
		v := kernels.Values{x}
		if slices.Contains(e.targets, target{setsParam, j}) {
			v = make(kernels.Values, lanes)
			for i := range v {
				v[i] = e.Grid.At(0, slices.Index(e.targets, target{setsParam, j}))
			}
		}
		set.P = append(set.P, v)
	}
	for _, c := range e.clocks {
		s := e.kernel.NewShard(0, lanes, c.dt, set)
		for i := range lanes {
			s.ResetExtrema(i)
		}
		w.shards = append(w.shards, s)
	}
	return w
}

// batch runs the chains first to end-1 at one resolution; put is given the record of each point. It stops early when
// ctx is done.
func (w *worker) batch(ctx context.Context, resolution, first, end int, put func(l *lane, r record)) {
	w.ctx, w.put = ctx, put
	w.clock, w.Shard = w.clocks[resolution], w.shards[resolution]
	w.next, w.end, w.now = first, end, 0
	w.N = lanes
	for i := range w.lanes {
		w.lanes[i].chain = -1
	}
	for w.fill(); w.N > 0 && ctx.Err() == nil; w.fill() {
		from := int64(0)
		for _, cut := range w.cuts {
			w.advance(cut - from)
			from = cut
			w.stop()
		}
		w.decide()
	}
}

// fill gives idle lanes the next chains; when there are none left it closes the ranks.
func (w *worker) fill() {
	for i := 0; i < w.N; i++ {
		l := &w.lanes[i]
		if l.chain >= 0 {
			continue
		}
		if w.next < w.end {
			l.chain, l.link = w.next, -1
			w.next++
			w.begin(i, nil)
			continue
		}
		for w.N--; w.N > i && w.lanes[w.N].chain < 0; w.N-- {
		}
		if w.N > i {
			w.move(i, w.N)
		}
	}
}

// move brings what is in lane from to lane to, which is idle.
func (w *worker) move(to, from int) {
	for _, y := range w.Y {
		y[to] = y[from]
	}
	w.Wake[to] = w.Wake[from]
	if w.Rem != nil {
		w.Rem[to] = w.Rem[from]
	}
	w.Lo[to], w.Hi[to] = w.Lo[from], w.Hi[from]
	w.lanes[to], w.lanes[from] = w.lanes[from], w.lanes[to]
	l := &w.lanes[to]
	w.Fold(to, l.params, l.current, 1)
}

// begin puts the next point of its chain into lane i: from state carried, or from its own initial state if that is nil.
func (w *worker) begin(i int, carried []float64) {
	l := &w.lanes[i]
	point := w.point(l.chain, l.link+1)
	l.begin(l.chain, l.link+1, w.row(l.chain, l.link+1), w.now)
	l.current = w.at(point, l.params)
	w.Fold(i, l.params, l.current, 1)
	y := w.y
	if carried == nil {
		copy(y, w.rest(point, l.params))
		w.enter(point, y)
	} else {
		copy(y, carried)
	}
	w.Enter(i, w.now, y)
	copy(l.state, y)
	if w.discard == 0 {
		w.watch(i, y[0])
	}
}

// watch starts the record of extremes of lane i, at potential v.
func (w *worker) watch(i int, v float64) {
	w.ResetExtrema(i)
	l := &w.lanes[i]
	l.from, l.v0 = float64(w.now-l.start)*w.dt, v
}

// advance moves all lanes by n steps and enters their spikes into the books.
func (w *worker) advance(n int64) {
	discard := float64(w.clock.discard) * w.dt
	for n > 0 {
		k := min(n, perCall)
		w.events = w.Advance(w.scratch, w.now, int(k), kernels.Drive{}, true, w.events[:0])
		for _, e := range w.events {
			l := &w.lanes[e.Lane]
			if l.chain < 0 {
				continue
			}
			l.spike((float64(w.now+int64(e.Step)-l.start)+e.Theta)*w.dt, discard)
		}
		w.now += k
		n -= k
		w.moved.Add(k * int64(w.N))
	}
}

// stop looks at what a cut is for: points that end here, and extremes that begin.
func (w *worker) stop() {
	for i := range w.N {
		l := &w.lanes[i]
		if l.chain < 0 {
			continue
		}
		switch k := w.now - l.start; k {
		case w.steps:
			w.State(i, w.now, w.y)
			if math.IsNaN(w.y[0]) {
				w.finish(i, endNaN)
			} else {
				w.finish(i, endTime)
			}
		case w.clock.discard:
			w.State(i, w.now, w.y)
			w.watch(i, w.y[0])
		}
	}
}

// decide retires the lanes whose course is decided.
func (w *worker) decide() {
	for i := range w.N {
		l := &w.lanes[i]
		switch {
		case l.chain < 0:
		case l.link < 0:
			w.begin(i, l.state)
		default:
			w.decideLane(i, l)
		}
	}
}

func (w *worker) decideLane(i int, l *lane) {
	t := float64(w.now-l.start) * w.dt
	w.State(i, w.now, w.y)
	if math.IsNaN(w.y[0]) {
		w.finish(i, endNaN)
		w.again(i)
		return
	}
	end := float64(w.steps) * w.dt
	silent := l.train.Spikes == l.spikes
	still := silent && w.rester.distance(l.params, w.y, l.state) <= restNear
	copy(l.state, w.y)
	l.spikes = l.train.Spikes
	switch {
	case w.Full:
	case silent:
		if still && w.rester.attracts(l.params, l.current, w.y) {
			if math.IsNaN(l.from) {
				w.watch(i, w.y[0])
			}
			w.finish(i, endRest)
			w.again(i)
		}
	case l.settled.mean == 0 && l.intervals >= l.look:
		l.look = l.intervals + l.intervals/4 + 2
		l.settled = settle(l.recent(memory, &w.buf), end-t)
		if l.settled.mean != 0 && math.IsNaN(l.from) {
			w.watch(i, w.y[0])
		}
	case l.settled.mean != 0 && t-l.from >= l.settled.mean*float64(l.settled.period):
		w.finish(i, endSettled)
		w.again(i)
	}
}

// again gives lane i its next point at once, if its chain has one.
func (w *worker) again(i int) {
	if l := &w.lanes[i]; l.chain >= 0 {
		w.begin(i, l.state)
	}
}

// finish closes the book of lane i, whose state is in w.y. The lane is idle then, or, with link < 0, waits for the next
// decision to begin the next point of its chain.
func (w *worker) finish(i, how int) {
	l := &w.lanes[i]
	w.put(l, w.record(i, how))
	w.done.Add(1)
	copy(l.state, w.y)
	if l.link+1 >= w.links(l.chain) {
		l.chain = -1
	}
}

// record sums up the book of lane i.
func (w *worker) record(i, how int) (r record) {
	l := &w.lanes[i]
	end, discard := float64(w.steps)*w.dt, float64(w.clock.discard)*w.dt
	if how == endSettled {
		if p := findPeriod(l.recent(memory, &w.buf)); p > 0 {
			l.settled.period = p
		}
		l.extend(end, discard)
	}
	for j := range r {
		r[j] = math.NaN()
	}
	r[mEnded] = float64(how)
	r[mSpikes] = float64(l.train.Spikes)
	r[mLatency] = l.train.Latency()
	if l.intervals > 0 {
		r[mISIFirst], r[mISILast] = l.train.ISIFirst, l.train.ISILast
	}
	if l.intervals > 1 {
		r[mAdaptation] = l.adapt / float64(l.intervals-1)
	}
	if how == endNaN {
		r[mStatus] = statusNaN
		return r
	}
	r[mRate], r[mCV] = l.train.Rate(), l.train.CV()
	if !math.IsNaN(l.from) {
		r[mVMin], r[mVMax] = min(l.v0, w.Lo[i]), max(l.v0, w.Hi[i])
	}
	late := l.recent(memory, &w.buf)
	if p := findPeriod(late); p > 0 {
		r[mPeriod] = float64(p)
	}
	r[mStatus] = float64(w.status(l, how, late))
	return r
}

var (
	_ = model.All
	_ = pop.Train{}
)
