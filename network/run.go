package network

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"popsim/kernels"
	"popsim/sched"
)

// empty is what an accumulator without arrivals holds: decaying currents then never become subnormal.
const empty = 1e-290

// Network is a network that has been built.
type Network struct {
	layout   *layout
	isa      kernels.ISA // one of kernels.Available
	workers  int
	pairs    map[pair]*traits
	order    []pair // of pairs, as first met
	ranges   []*shard
	inputs   []*train
	step     int64 // steps done
	checksum uint64
	edges    int64
	bytes    int64
	pages    *mapped // of tables
}

// Spike is a spike of a neuron at (Step + Theta) dt.
type Spike struct {
	Neuron int32
	Step   int64
	Theta  float64
}

// Recorder takes what a run produces; each function may be nil. Slices belong to the Network after the call.
type Recorder struct {
	Spikes func(spikes []Spike) error // ordered by time, then by neuron
	// Progress is called after each epoch with the number of steps done.
	Progress func(steps int64) error
}

// Summary tells what was built.
type Summary struct {
	Neurons       int
	Edges         int64
	Bytes         int64 // of edges and their index
	Checksum      uint64
	LeastDelay    float64 // ms
	LongestDelay  float64 // ms
	Ranges, Epoch int     // ranges of targets; steps of an epoch
}

// Summary tells what was built.
func (n *Network) Summary() Summary {
	l := n.layout
	return Summary{
		l.firsts[len(l.firsts)-1], n.edges, n.bytes, n.checksum, float64(l.steps) * l.spec.Dt,
		float64(l.longest) * l.spec.Dt, len(n.ranges), int(l.steps),
	}
}

// Edges calls f for each edge of the graph, projection by projection, until it returns false: pre and post are numbers
// in the network, delay is in ms.
func (n *Network) Edges(f func(projection, pre, post int, weight, delay float64) bool) {
	var b bundle
	for i, d := range n.layout.draws {
		count := d.from.n
		if byTarget(d.p.Rule) {
			count = d.to.n
		}
		for m := range count {
			_ = d.of(m, &b, numbers) // Build has seen that it has no error
			for k := range b.len() {
				pre, post := b.end(k)
				if !f(i, d.from.global(pre), d.to.global(post), b.weight[k], b.delay[k]) {
					return
				}
			}
		}
	}
}

// spike is a spike of one step, kept for as long as the longest delay.
type spike struct {
	neuron     int32
	population int32
	theta      float64
}

// run is the edges of one spike that arrive in the step in hand.
type runOf struct {
	t        *table
	from, to uint32
	source   int
	theta    float64 // of the arrival; of timed tables: of the spike
	late     bool    // timed: those edges whose part of a step carries them into the next
}

// shard is one range of targets and all that is known about it.
type shard struct {
	net    *Network
	number int
	segs   []segment
	lanes  int

	v, wake, wakeTheta []float64   // by lane; wake: first step in which V moves, plus 1/2 if it does so inside it
	s, y               [][]float64 // synaptic variables by receptor and lane
	decay              []float64   // exp(-dt/tau) by receptor
	deltaTop           []float64   // by class: exp(dt/tau), largest

	// Accumulators by receptor: of the step in hand, of all steps that are advanced together, and these as one column whose
	// steps are strides apart; currents by lane likewise, nil where no input is one.
	rows         [][]float64
	stepRows     [][][]float64
	allRows      [][]float64
	strides      []int
	current      []float64
	stepCurrents [][]float64

	lif     []*lifSegment
	other   []*otherSegment
	coupled []*coupledSegment

	tables   []*table
	tablesOf [][]int

	history  [][]spike // by step modulo its length
	out      []spike
	runs     []runOf
	events   []before
	synaptic []float64
	flags    []uint64
	rank     []uint16 // of lanes with events, in events
	found    []arrival
	begin    []int
	arrivals []arrival
	external []arrival // of inputs in the step in hand
	w        walker
	trains   []*trainPart
	sources  []*sourcePart
}

func (r *shard) segmentOf(g int) *segment {
	for i := range r.segs {
		if s := &r.segs[i]; g >= s.first && g < s.first+s.n {
			return s
		}
	}
	return nil
}

// layOut makes the columns of the range.
func (r *shard) layOut() error {
	l := r.net.layout
	r.lanes = l.lanes(r.segs)
	r.v, r.wake, r.wakeTheta = makeColumn(r.lanes), makeColumn(r.lanes), makeColumn(r.lanes)
	r.flags = make([]uint64, r.lanes/64+1)
	r.rank = make([]uint16, r.lanes)
	for i := range l.receptors {
		rc := &l.receptors[i]
		columns := [2][]float64{makeColumn(r.lanes), makeColumn(r.lanes)}
		for _, c := range columns {
			for j := range c {
				c[j] = empty
			}
		}
		r.s, r.y = append(r.s, columns[0]), append(r.y, columns[1])
		r.decay = append(r.decay, kernels.Exp(-l.spec.Dt/rc.tau))
	}
	r.deltaTop = make([]float64, len(l.classes))
	r.makeRows()
	for _, seg := range r.segs {
		if c := l.classOf[seg.population]; c >= 0 && l.classes[c].coupled {
			o, err := r.newCoupled(seg)
			if err != nil {
				return err
			}
			r.coupled = append(r.coupled, o)
		} else if c >= 0 && l.spec.Populations[seg.population].Model.Name != "lif" {
			o, err := r.newOther(seg)
			if err != nil {
				return err
			}
			r.other = append(r.other, o)
		} else if c >= 0 {
			s := r.newLIF(seg)
			for _, tau := range s.tau {
				r.deltaTop[c] = max(r.deltaTop[c], kernels.Exp(l.spec.Dt/tau))
			}
			r.lif = append(r.lif, s)
		} else {
			r.sources = append(r.sources, newSourcePart(l.spec, seg))
		}
	}
	r.history = make([][]spike, int64(l.longest)+2*l.steps+4)
	return nil
}

func (r *shard) fire(s *lifSegment, i int, theta float64) {
	r.out = append(r.out, spike{int32(s.first + i), int32(s.population), theta})
}

// emitted is the spikes of the range in a step.
func (r *shard) emitted(k int64) []spike {
	if k < 0 {
		return nil
	}
	return r.history[r.slot(k)]
}

// slot is where r.history keeps the spikes of step k.
func (r *shard) slot(k int64) int64 { return k % int64(len(r.history)) }

// deliver adds what arrives in step k to the rows: for each delay, longest first, the spikes of that many steps before,
// by number of the source.
func (r *shard) deliver(k int64) {
	l := r.net.layout
	r.runs = r.runs[:0]
	for d := l.longest + 1; d >= int(l.steps); d-- {
		for _, from := range r.net.ranges {
			for _, sp := range from.emitted(k - int64(d)) {
				for _, ti := range r.tablesOf[sp.population] {
					t := r.tables[ti]
					r.note(t, &sp, d, false)
					if t.style == timed {
						r.note(t, &sp, d-1, true)
					}
				}
			}
		}
	}
	for i := range r.runs {
		r.addRun(&r.runs[i])
	}
}

// note lists the edges of a spike that have a whole delay of d steps.
func (r *shard) note(t *table, sp *spike, d int, late bool) {
	if d < t.least || d >= t.least+t.delays {
		return
	}
	at := (int(sp.neuron)-t.first)*(t.delays+1) + d - t.least
	if from, to := t.start[at], t.start[at+1]; from < to {
		r.runs = append(r.runs, runOf{t, from, to, int(sp.neuron) - t.first, sp.theta, late})
	}
}

func (r *shard) addRun(u *runOf) {
	l := r.net.layout
	rc := &l.receptors[u.t.receptor]
	row := r.rows[u.t.receptor]
	tau := l.classes[rc.class].tau
	if u.t.style == timed || math.IsNaN(tau) && !l.spec.OnGrid {
		r.each(u, func(lane uint16, theta, weight float64) { r.addOne(u.t.receptor, lane, theta, weight) })
		return
	}
	c := [3]float64{1}
	if !l.spec.OnGrid {
		c = rc.coefs((1-u.theta)*l.spec.Dt, tau, l.spec.Dt)
	}
	switch u.t.style {
	case shared:
		w := u.t.weight[u.source]
		for j := range c {
			c[j] *= w
		}
		addShared(row, u.t.b16[u.from:u.to], rc.width, c)
	case float32s:
		add32(row, u.t.b32[u.from:u.to], rc.width, c)
	case float64s:
		add64(row, u.t.b64[u.from:u.to], rc.width, c)
	}
}

func addShared(row []float64, blocks []block16, width int, c [3]float64) {
	switch width {
	case 1:
		for i := range blocks {
			b := &blocks[i]
			row[b[0]] += c[0]
			row[b[1]] += c[0]
			row[b[2]] += c[0]
			row[b[3]] += c[0]
		}
		return
	case 2:
		for i := range blocks {
			for _, t := range blocks[i] {
				at := row[2*int(t):][:2]
				at[0] += c[0]
				at[1] += c[1]
			}
		}
		return
	}
	for i := range blocks {
		for _, t := range blocks[i] {
			at := row[int(t)*width:][:width]
			for j := range at {
				at[j] += c[j]
			}
		}
	}
}

func add32(row []float64, blocks []block32, width int, c [3]float64) {
	switch width {
	case 1:
		for i := range blocks {
			b := &blocks[i]
			row[b.To[0]] += float64(float64(b.W[0]) * c[0])
			row[b.To[1]] += float64(float64(b.W[1]) * c[0])
			row[b.To[2]] += float64(float64(b.W[2]) * c[0])
			row[b.To[3]] += float64(float64(b.W[3]) * c[0])
		}
		return
	case 2:
		for i := range blocks {
			b := &blocks[i]
			for n, t := range b.To {
				at := row[2*int(t):][:2]
				w := float64(b.W[n])
				at[0] += float64(w * c[0])
				at[1] += float64(w * c[1])
			}
		}
		return
	}
	for i := range blocks {
		b := &blocks[i]
		for n, t := range b.To {
			w := float64(b.W[n])
			at := row[int(t)*width:][:width]
			for j := range at {
				at[j] += float64(w * c[j])
			}
		}
	}
}

func add64(row []float64, blocks []block64, width int, c [3]float64) {
	for i := range blocks {
		b := &blocks[i]
		for n, t := range b.To {
			w := b.W[n]
			at := row[int(t)*width:][:width]
			for j := range at {
				at[j] += float64(w * c[j])
			}
		}
	}
}

// addOne adds one arrival to the accumulators of its lane.
func (r *shard) addOne(receptor int, lane uint16, theta, weight float64) {
	l := r.net.layout
	rc := &l.receptors[receptor]
	at := r.rows[receptor][int(lane)*rc.width:][:rc.width]
	if l.spec.OnGrid {
		at[0] += weight
		return
	}
	tau := l.classes[rc.class].tau
	if math.IsNaN(tau) {
		tau = r.tauOf(int(lane))
	}
	c := rc.coefs((1-theta)*l.spec.Dt, tau, l.spec.Dt)
	for j := range at {
		at[j] += float64(weight * c[j])
	}
}

func (r *shard) tauOf(lane int) float64 {
	for _, s := range r.lif {
		if lane >= s.base && lane < s.base+s.n {
			return s.tau[lane-s.base]
		}
	}
	panic("bug: network: lane of no segment")
}

// each calls f for the edges of a run that arrive in the step in hand.
func (r *shard) each(u *runOf, f func(lane uint16, theta, weight float64)) {
	none := uint16(r.lanes)
	for i := u.from; i < u.to; i++ {
		for j := range 4 {
			var lane uint16
			var w float64
			theta := u.theta
			switch u.t.style {
			case shared:
				lane, w = u.t.b16[i][j], u.t.weight[u.source]
			case float32s:
				lane, w = u.t.b32[i].To[j], float64(u.t.b32[i].W[j])
			case float64s:
				lane, w = u.t.b64[i].To[j], u.t.b64[i].W[j]
			case timed:
				lane, w = u.t.bt[i].To[j], u.t.bt[i].W[j]
				theta += u.t.bt[i].Part[j]
				late := theta >= 1-instant
				if late != u.late {
					continue
				}
				if late {
					theta = max(0, theta-1)
				}
				if theta < instant {
					theta = 0
				}
			}
			if lane != none {
				f(lane, theta, w)
			}
		}
	}
}

// lookUp collects the arrivals of the lanes that have events in the step in hand: those of event i in the order of their
// sums are r.arrivals[r.begin[i]:r.begin[i+1]].
func (r *shard) lookUp() {
	r.found, r.begin = r.found[:0], append(r.begin[:0], 0)
	for i, b := range r.events {
		r.rank[b.lane] = uint16(i)
		r.begin = append(r.begin, 0)
	}
	for i := range r.runs {
		r.find(&r.runs[i])
	}
	for _, a := range r.external {
		if r.flags[a.lane>>6]>>(a.lane&63)&1 != 0 {
			r.found = append(r.found, a)
		}
	}
	for i := range r.found {
		r.begin[r.rank[r.found[i].lane]+1]++
	}
	for i := range r.events {
		r.begin[i+1] += r.begin[i]
	}
	r.arrivals = slices.Grow(r.arrivals[:0], len(r.found))[:len(r.found)]
	for i := range r.found {
		at := &r.begin[r.rank[r.found[i].lane]]
		r.arrivals[*at] = r.found[i]
		*at++
	}
	copy(r.begin[1:], r.begin) // each was moved to the beginning of the next
	r.begin[0] = 0
}

// find appends the edges of a run onto lanes with events to r.found.
func (r *shard) find(u *runOf) {
	receptor := uint8(u.t.receptor)
	flags := r.flags
	if u.t.style != shared {
		r.each(u, func(lane uint16, theta, w float64) {
			if flags[lane>>6]>>(lane&63)&1 != 0 {
				r.found = append(r.found, arrival{lane, receptor, theta, w})
			}
		})
		return
	}
	w := u.t.weight[u.source]
	for _, b := range u.t.b16[u.from:u.to] {
		for _, lane := range b {
			if flags[lane>>6]>>(lane&63)&1 != 0 { // never of the target behind the last
				r.found = append(r.found, arrival{lane, receptor, u.theta, w})
			}
		}
	}
}

// advance moves the range through steps from k on, up to end.
func (r *shard) advance(k, end int64) error {
	if r.net.layout.spec.OnGrid {
		for most := int64(len(r.stepRows)); k < end; k += most {
			if err := r.advanceOnGrid(k, int(min(most, end-k))); err != nil {
				return err
			}
		}
		return nil
	}
	for ; k < end; k++ {
		if err := r.step(k); err != nil {
			return err
		}
	}
	return nil
}

// step moves the range through step k, with arrivals and spikes inside it.
func (r *shard) step(k int64) error {
	r.deliver(k)
	r.input(k)
	r.out, r.events, r.synaptic = r.history[r.slot(k)][:0], r.events[:0], r.synaptic[:0]
	for _, s := range r.lif {
		s.step(r, k)
	}
	if len(r.events) > 0 {
		r.lookUp()
		for i, b := range r.events {
			if err := r.w.walk(r, k, b, r.arrivals[r.begin[i]:r.begin[i+1]]); err != nil {
				return err
			}
			r.flags[b.lane>>6] = 0
		}
	}
	err := r.advanceOthers(k)
	r.history[r.slot(k)] = r.out
	return err
}

// advanceOthers moves what is not LIF through step k, and orders r.out.
func (r *shard) advanceOthers(k int64) error {
	for _, o := range r.other {
		o.step(r, k)
	}
	for _, o := range r.coupled {
		if err := o.step(r, k); err != nil {
			return err
		}
	}
	for _, s := range r.sources {
		r.out = s.emit(r, k, r.out)
	}
	byNeuron := func(a, b spike) int { return cmp.Compare(a.neuron, b.neuron) }
	if !slices.IsSortedFunc(r.out, byNeuron) {
		slices.SortStableFunc(r.out, byNeuron)
	}
	return nil
}

// Steps is the number of steps done.
func (n *Network) Steps() int64 { return n.step }

// byTime orders spikes of one step.
func byTime(a, b Spike) int {
	if c := cmp.Compare(a.Theta, b.Theta); c != 0 {
		return c
	}
	return cmp.Compare(a.Neuron, b.Neuron)
}

// Run advances the network by a number of steps.
func (n *Network) Run(ctx context.Context, steps int64, rec Recorder) error {
	end := n.step + steps
	if end > math.MaxUint32 {
		return fmt.Errorf("%d steps; at most %d are possible", end, uint32(math.MaxUint32))
	}
	if steps <= 0 {
		return nil
	}
	var spikes []Spike
	// An epoch is the steps up to the least delay: within it no range needs the spikes of another.
	_, err := sched.Run(ctx, sched.Plan{
		Workers: n.workers, Shards: len(n.ranges),
		Advance: func(_, shard, _ int) error {
			return n.ranges[shard].advance(n.step, min(n.step+n.layout.steps, end))
		},
		Merge: func(int) (bool, error) {
			to := min(n.step+n.layout.steps, end)
			if rec.Spikes != nil {
				spikes = spikes[:0]
				for k := n.step; k < to; k++ {
					first := len(spikes)
					for _, r := range n.ranges {
						for _, s := range r.emitted(k) {
							spikes = append(spikes, Spike{s.neuron, k, s.theta})
						}
					}
					if !slices.IsSortedFunc(spikes[first:], byTime) {
						slices.SortStableFunc(spikes[first:], byTime)
					}
				}
				if err := rec.Spikes(spikes); err != nil {
					return false, err
				}
			}
			n.step = to
			if rec.Progress != nil {
				if err := rec.Progress(to); err != nil {
					return false, err
				}
			}
			return n.step < end, nil
		},
	})
	return err
}

// State writes the state of a neuron, one value for each state of its model, at the start of the next step. It reports
// whether there is one: sources of spikes have none.
func (n *Network) State(neuron int, y []float64) bool {
	for _, r := range n.ranges {
		s := r.segmentOf(neuron)
		if s == nil || n.layout.classOf[s.population] < 0 {
			continue
		}
		for _, o := range r.coupled {
			if o.segment == *s {
				x := o.cell.state(o, neuron-s.first)
				copy(y, x[:])
				return true
			}
		}
		for _, o := range r.other {
			if o.segment == *s {
				o.shard.State(neuron-s.first, n.step, y)
				return true
			}
		}
		y[0] = r.v[s.base+neuron-s.first]
		return true
	}
	return false
}

// Synaptic is the current, or the conductance, by a synapse, by its index in Spec.Synapses, into a neuron at the start
// of the next step, in units of the model's current or of that per mV; 0 where there is none.
func (n *Network) Synaptic(neuron, synapse int) float64 {
	sum := 0.0
	for _, r := range n.ranges {
		s := r.segmentOf(neuron)
		if s == nil || n.layout.classOf[s.population] < 0 {
			continue
		}
		for c := range n.layout.receptors {
			rc := &n.layout.receptors[c]
			if rc.kind != Delta && rc.synapse == synapse && rc.class == n.layout.classOf[s.population] {
				sum += r.s[c][s.base+neuron-s.first]
				if rc.kind == BiexpConductance {
					sum -= r.y[c][s.base+neuron-s.first]
				}
			}
		}
	}
	return sum
}
