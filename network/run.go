package network

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"popsim/kernels"
	"popsim/kernels/asm"
	"popsim/sched"
)

// empty is the value of an accumulator without arrivals. It is not 0 so that decaying currents never become subnormal,
// which would make them slow.
const empty = 1e-290

// Network is a network that has been built.
type Network struct {
	layout   *layout
	isa      kernels.ISA // one of kernels.Available
	workers  int
	always   bool // whether all workers share every epoch, however little work it holds
	pairs    map[pair]*traits
	order    []pair // of pairs, as first met
	ranges   []*shard
	inputs   []*train
	checksum uint64
	edges    int64
	listed   float64 // share of the places of stored lists of edges that hold one: see countEdges
	counted  bool    // whether listed has been computed
	bytes    int64
	pages    *mapped // of tables
	stats    sched.Stats

	_    linePad // what is above is read by all workers and not written during an epoch
	step int64   // steps done
}

// Spike is a spike of a neuron at (Step + Theta) dt.
type Spike struct {
	Neuron int32
	Step   int64
	Theta  float64
}

// Recorder receives the results of a run; each function may be nil. Slices passed to it are reused by the Network after
// the call. While one is called, other workers may already advance the network through the next epoch: of the Network's
// methods only Steps may be used in it. Where one returns an error, that epoch may have been done, and its spikes are
// not passed on.
type Recorder struct {
	Spikes func(spikes []Spike) error // ordered by time, then by neuron
	// Progress is called after each epoch with the number of steps done.
	Progress func(steps int64) error
}

// Summary describes what was built.
type Summary struct {
	Neurons       int
	Edges         int64
	Bytes         int64 // of edges and their index
	Checksum      uint64
	LeastDelay    float64 // ms
	LongestDelay  float64 // ms
	Ranges, Epoch int     // ranges of targets; steps of an epoch
}

// Summary describes what was built.
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
	n.PoolEdges(func(i, pre, post int, weight, delay float64) bool {
		d := n.layout.draws[i]
		return f(i, d.from.global(pre), d.to.global(post), weight, delay)
	})
}

// PoolEdges is Edges with pre and post counted through the pools of their projection, as the rule Edges has them: a
// projection with that rule and these edges, in their order, has the same graph.
func (n *Network) PoolEdges(f func(projection, pre, post int, weight, delay float64) bool) {
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
				if !f(i, pre, post, b.weight[k], b.delay[k]) {
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

// shard holds one range of targets: its neurons, the edges onto them, and scratch memory. One worker at a time uses it.
type shard struct {
	net    *Network
	number int
	segs   []segment
	lanes  int

	rowSteps int // steps whose rows are kept: see layout.stepsTogether

	v, wake, wakeTheta []float64   // by lane; wake: first step in which V moves, plus 1/2 if it does so inside it
	s, y               [][]float64 // synaptic variables by receptor and lane
	nextS, nextY       [][]float64 // scratch: those at the end of the current step
	decay              []float64   // exp(-dt/tau) by receptor
	deltaTop           []float64   // by class: exp(dt/tau), largest

	// Accumulators by receptor: of the current step, of all steps that are advanced together, and these as one column
	// whose steps are strides apart; currents by lane likewise, nil where no input is one.
	rows         [][]float64
	stepRows     [][][]float64
	allRows      [][]float64
	strides      []int
	falls        [][]float64 // by receptor, of those of alpha currents another is joined to: see joinReceptors
	bounds       [][]uint32  // likewise, of exponential currents: see chooseFallUnit
	fallUnit     float64
	listed       []bool // of these: whether edges are added to their rows
	counted      []countedRows
	countedOrder countedOrder
	current      []float64
	stepCurrents [][]float64

	// White noise by lane in the current step: the sum over inputs of strengths times standard normal numbers, and that of
	// squares of strengths; nil where there is none. insideKey is the key of the random numbers used inside steps,
	// insideIDs[l] the id of lane l among them.
	white, variance []float64
	insideKey       uint64
	insideIDs       []uint32 // by lane

	lif     []*lifSegment
	other   []*otherSegment
	coupled []*coupledSegment

	tables   []*table
	unstored []int // those of tables without stored edges, by number
	tablesOf [][]int

	// The rows of preparedSteps steps from step prepared on hold the arrivals of spikes of earlier epochs: see prepare.
	prepared, preparedSteps int64

	planes, noBits []uint64         // scratch of rows of bits, and a row without any
	arrived        *[1 << 16]uint8  // scratch of counted lists: arrivals by lane
	lists          []asm.TargetList // scratch of counted lists

	out  []spike
	runs []runOf

	_       linePad
	history history // the lengths of its slices never change
	_       linePad

	// By step modulo the length of history, in the order of ranges: see keepSpikes. Those of steps from spikesFrom on are
	// still to be computed.
	spikes     [][]tableSpike
	spikesFrom int64
	places     []tablePlace // of tables
	packed     packedTables
	schedule   schedule

	filter     asm.EdgeFilter // of lanes with events
	foundEdges []asm.FoundEdges
	watch      watch
	held       held
	delivered  int64 // the step whose arrivals are added

	events   []before
	synaptic []float64
	flags    []uint64
	rank     []uint16 // of lanes with events, in events
	found    []arrival
	begin    []int
	arrivals []arrival
	external []arrival // of inputs in the current step
	triples  triples
	w        lifSolver
	labels   []context.Context // by part; nil without a profile
	laps     *laps             // nil but in Timed
	trains   []*trainPart
	gates    []*gates
	sums     []*sums
	columns  [][3][]float64 // by receptor, of coupled neurons: what trains in vectors add, by lane; nil where none do
	touched  []bool         // by receptor: whether arrivals of the current step are in the rows, but for those by edges
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

// layOut allocates the columns of the range.
func (r *shard) layOut() error {
	l := r.net.layout
	r.lanes = l.lanes(r.segs)
	r.v, r.wake, r.wakeTheta = makeColumn(r.lanes), makeColumn(r.lanes), makeColumn(r.lanes)
	r.flags = make([]uint64, flagWords)
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
		r.nextS, r.nextY = append(r.nextS, nil), append(r.nextY, nil)
		alone := l.joined[i] < 0 && l.main[i] == i
		if c := l.classes[rc.class]; !l.spec.OnGrid && alone && c.tau != 0 && !c.coupled && rc.kind != Delta {
			r.nextS[i] = makeColumn(r.lanes)
			if rc.kind == AlphaCurrent {
				r.nextY[i] = makeColumn(r.lanes)
			}
		}
		r.decay = append(r.decay, kernels.Exp(-l.spec.Dt/rc.tau))
	}
	r.deltaTop = make([]float64, len(l.classes))
	r.touched = makeLines[bool](len(l.receptors))
	r.makeRows()
	r.makeCounters()
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
	r.history = newHistory(int64(l.longest) + 2*l.steps + 4)
	r.startWatch()
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
	return r.history.of(r.slot(k))
}

// slot is where r.history keeps the spikes of step k.
func (r *shard) slot(k int64) int64 { return k % int64(len(r.history.steps)) }

// advance advances the range by the steps from k to end-1.
func (r *shard) advance(k, end int64) error {
	first, most := k, int64(len(r.stepRows))
	for ; k < end; k += most {
		var err error
		if r.net.layout.spec.OnGrid {
			err = r.advanceOnGrid(k, int(min(most, end-k)))
		} else {
			err = r.step(k)
		}
		if r.preparedSteps = 0; err != nil {
			return err
		}
	}
	return r.look(first, end)
}

// step advances the range by step k, with arrivals and spikes inside it.
func (r *shard) step(k int64) error {
	r.out = r.history.begin(r.slot(k))
	r.deliver(k)
	r.input(k)
	r.part(update)
	r.advanceGates(k)
	r.events, r.synaptic = r.events[:0], r.synaptic[:0]
	if r.held.on {
		r.beginHeld(k)
	}
	for _, s := range r.lif {
		s.step(r, k)
	}
	r.swapSynaptic()
	if len(r.events) > 0 {
		r.lookUp(k)
		for i := range r.events {
			b := &r.events[i]
			if err := r.solveEvent(k, b, r.arrivals[r.begin[i]:r.begin[i+1]]); err != nil {
				return err
			}
			r.flags[b.lane>>6] = 0
		}
	}
	if r.held.on {
		r.holdAfter(k)
		r.watch.watchNext(k + 1)
	}
	err := r.advanceOthers(k)
	clear(r.touched)
	r.history.put(r.slot(k), r.out)
	return err
}

// swapSynaptic makes the synaptic variables at the end of the step, which LIF neurons have written to nextS and nextY,
// the current ones.
func (r *shard) swapSynaptic() {
	for c := range r.nextS {
		if r.nextS[c] != nil {
			r.s[c], r.nextS[c] = r.nextS[c], r.s[c]
		}
		if r.nextY[c] != nil {
			r.y[c], r.nextY[c] = r.nextY[c], r.y[c]
		}
	}
}

// advanceOthers advances the neurons other than LIF by step k, and sorts r.out.
func (r *shard) advanceOthers(k int64) error {
	for _, o := range r.other {
		if err := o.step(r, k); err != nil {
			return err
		}
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

// Stats returns the time that all runs spent on each kind of work.
func (n *Network) Stats() sched.Stats { return n.stats }

// Steps is the number of steps done.
func (n *Network) Steps() int64 { return n.step }

// byTime compares spikes of one step by time, then by neuron.
func byTime(a, b Spike) int {
	if c := cmp.Compare(a.Theta, b.Theta); c != 0 {
		return c
	}
	return cmp.Compare(a.Neuron, b.Neuron)
}

// Run advances the network by a number of steps.
func (n *Network) Run(ctx context.Context, steps int64, rec Recorder) error {
	if n.ranges == nil {
		return errors.New("the network has been closed")
	}
	end := n.step + steps
	if end > math.MaxUint32 {
		return fmt.Errorf("%d steps; at most %d are possible", end, uint32(math.MaxUint32))
	}
	if steps <= 0 {
		return nil
	}
	var spikes []Spike
	// An epoch is the steps up to the least delay: within it no range needs the spikes of another. It needs all spikes of
	// the epoch before; arrivals of spikes of earlier epochs are added while other ranges are still in the epoch before.
	start, steps := n.step, n.layout.steps
	n.label(ctx)
	plan := sched.Plan{
		Workers: n.workers, Shards: len(n.ranges), Always: n.always, Epochs: int((end - start + steps - 1) / steps),
		Advance: func(_, shard, epoch int) error {
			k := start + int64(epoch)*steps
			return n.ranges[shard].advance(k, min(k+steps, end))
		},
		Merge: func(int) (bool, error) {
			to := min(n.step+n.layout.steps, end)
			n.ranges[0].part(recording)
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
	}
	if n.layout.longest > int(n.layout.steps) || n.drawsCounts() {
		plan.Prepare = func(_, shard, epoch int) {
			if k := start + int64(epoch)*steps; k < end {
				n.ranges[shard].prepare(k, min(k+steps, end))
			}
		}
	}
	stats, err := sched.Run(ctx, plan)
	n.step = min(start+int64(stats.Advanced)*steps, end) // also where rec has returned an error
	for _, r := range n.ranges {
		r.forget()
	}
	n.stats.Add(stats)
	return err
}

// drawsCounts reports whether prepare draws the numbers of arrivals of some input.
func (n *Network) drawsCounts() bool {
	return slices.ContainsFunc(n.layout.spec.Inputs, func(in Input) bool { return in.Poisson != nil })
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
				states := len(n.layout.spec.Populations[s.population].Model.States)
				o.shard.State(neuron-s.first, n.step, y[:min(len(y), states)])
				return true
			}
		}
		y[0] = r.v[s.base+neuron-s.first]
		return true
	}
	return false
}

// Synaptic is the current, or the conductance, by a synapse, by its index in Spec.Synapses, into a neuron at the start
// of the next step, in units of the model's current or of that per mV; 0 where there is none. Of NMDA it is the gate s
// of the neuron's own spikes.
func (n *Network) Synaptic(neuron, synapse int) float64 {
	if y := &n.layout.spec.Synapses[synapse]; y.Kind == NMDA {
		for _, g := range n.ranges[0].gates {
			if g.y == y && neuron >= g.first && neuron < g.first+len(g.s) {
				return g.s[neuron-g.first]
			}
		}
		return 0
	}
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
