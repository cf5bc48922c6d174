package network

import (
	"fmt"
	"math"
	"slices"

	"popsim/kernels"
	"popsim/rng"
)

// train is an input of spikes or of a current.
type train struct {
	in    *Input
	to    pool
	start float64 // steps, of arrivals
	stop  float64

	counts, instants, law rng.Stream
	instantsKey           uint64 // of the name of instants
	weight                sampler
}

// inputReceptors makes the receptors that inputs reach.
func (n *Network) inputReceptors() {
	l := n.layout
	for i := range l.spec.Inputs {
		in := &l.spec.Inputs[i]
		t := &train{in: in, to: l.spec.pool(in.To), start: (in.Start + in.Delay) / l.spec.Dt, stop: math.Inf(1)}
		if in.Stop > 0 {
			t.stop = (in.Stop + in.Delay) / l.spec.Dt
		}
		if !in.arrives() {
			t.start, t.stop = in.Start/l.spec.Dt, t.stop-in.Delay/l.spec.Dt
		}
		t.counts = l.spec.stream("counts " + in.Name)
		t.instantsKey = rng.NameKey(l.spec.streamName("instants " + in.Name))
		t.instants = rng.StreamOf(l.spec.Seed, t.instantsKey)
		t.law = l.spec.stream("rate " + in.Name)
		t.weight = newSampler(in.Weight, l.spec.Seed, "weight "+in.Name)
		n.inputs = append(n.inputs, t)
		if !in.arrives() {
			continue
		}
		for _, p := range in.To {
			l.receptor(in.Synapse, p.Population, false)
			l.receptor(in.Synapse, p.Population, true)
		}
	}
}

// trainPart is the part of an input that reaches one range.
type trainPart struct {
	*train
	lanes    []uint16
	members  []int    // of the pool
	ids      []uint32 // of their random numbers
	weights  []float64
	receptor []uint8
	gains    []float64

	gates *gates // NMDA, of its members; else nil
	noise *partNoise

	at       []arrivalAt // spikes, ascending
	next     int
	distinct []float64     // gains that occur
	laws     []*rng.Counts // of each
	runs     []trainRun
	rate     float64
	cycle    int64
	counts   []uint8           // of each lane in the four steps from 4·countsOf on, step by step
	stride   int               // from step to step in counts
	countsOf int64             // -1: there are none yet
	rest     []*kernels.Blocks // of the words of arrivals 4i to 4i+3 of a step: see alphatrains.go
}

// A trainRun is consecutive members of an input's pool with consecutive lanes of one segment, and with one receptor and
// one gain.
type trainRun struct {
	first, n int // of trainPart.lanes
	law      int
	uniform  bool // one weight

	vectors   bool    // whether lifSegment.addTrains can add its arrivals
	triple    bool    // whether shard.poissonTriples can
	inVectors int64   // the step in which it is to do so
	mean      float64 // arrivals of a lane in a step
}

// split finds the runs. A segment may begin at the lane after the last one of another.
func (p *trainPart) split(r *shard) {
	index := map[float64]int{}
	_, uniform := p.in.Weight.(Constant) // not whether they are equal by chance, which depends on the range
	for i, g := range p.gains {
		law, ok := index[g]
		if !ok {
			law = len(p.distinct)
			index[g] = law
			p.distinct = append(p.distinct, g)
		}
		if i > 0 {
			u := &p.runs[len(p.runs)-1]
			if law == u.law && p.receptor[i] == p.receptor[i-1] && p.ids[i] == p.ids[i-1]+1 &&
				p.lanes[i] == p.lanes[i-1]+1 && !r.begins(int(p.lanes[i])) {
				u.n++
				continue
			}
		}
		p.runs = append(p.runs, trainRun{first: i, n: 1, law: law, uniform: uniform})
	}
	const most = 32 // kernels.Counts rounds up to a multiple of it
	p.stride = len(p.lanes) + most
	p.counts = make([]uint8, 4*p.stride)
}

type arrivalAt struct {
	step int64
	arrival
	i int // of trainPart.lanes
}

// position splits a time in steps into a step and the part of it.
func position(x float64) (step int64, theta float64) {
	f := math.Floor(x)
	theta = x - f
	if theta > 1-instant {
		f, theta = f+1, 0
	} else if theta < instant {
		theta = 0
	}
	return int64(f), theta
}

func (r *shard) prepareInputs() error {
	l := r.net.layout
	for _, t := range r.net.inputs {
		p := &trainPart{train: t, rate: -1, cycle: -1, countsOf: -1}
		p.reserve(r)
		for m := range t.to.n {
			seg := r.segmentOf(t.to.global(m))
			if seg == nil {
				continue
			}
			p.members = append(p.members, m)
			id := uint32(m)
			if t.in.IDs != nil {
				id = t.in.IDs[m]
			}
			p.ids = append(p.ids, id)
			p.lanes = append(p.lanes, uint16(seg.base+t.to.global(m)-seg.first))
			gain := 1.0
			if t.in.Gain != nil {
				gain = t.in.Gain.At(m)
			}
			p.gains = append(p.gains, gain)
			if !t.in.arrives() {
				continue
			}
			w := t.weight.at(m, m, uint32(m), 0)
			if t.weight.drawn {
				w = float64(float32(w))
			}
			if w < 0 && l.spec.Synapses[t.in.Synapse].Kind.conductance() {
				return fmt.Errorf("input %s: weight %g of neuron %d; conductances are at least 0 (clip or redraw them)", t.in.Name,
					w, m)
			}
			p.weights = append(p.weights, w)
			p.receptor = append(p.receptor, uint8(l.receptor(t.in.Synapse, seg.population, w < 0)))
			if t.in.Spikes == nil {
				continue
			}
			for _, time := range t.in.Spikes[m] {
				if time < t.in.Start || t.in.Stop > 0 && time >= t.in.Stop {
					continue
				}
				step, theta := position((time + t.in.Delay) / l.spec.Dt)
				if l.spec.OnGrid && theta == 0 {
					step = max(0, step-1)
				}
				i := len(p.members) - 1
				p.at = append(p.at, arrivalAt{step, arrival{p.lanes[i], p.receptor[i], theta, w}, i})
			}
		}
		slices.SortStableFunc(p.at, func(a, b arrivalAt) int { return int(a.step - b.step) })
		if len(p.members) > 0 {
			if t.in.Poisson != nil {
				p.split(r)
				r.attach(p)
			}
			if t.in.Noise != nil {
				p.makeNoise(r)
			}
			if t.in.arrives() && l.spec.Synapses[t.in.Synapse].Kind == NMDA {
				p.gates = newGates(l, t.in.Synapse, len(p.lanes), 0)
				p.gates.listed = true
			}
			r.trains = append(r.trains, p)
		}
	}
	return nil
}

// begins reports whether a segment begins at a lane.
func (r *shard) begins(lane int) bool {
	return slices.ContainsFunc(r.segs, func(s segment) bool { return s.base == lane })
}

// reserve makes room for the members in a range.
func (p *trainPart) reserve(r *shard) {
	n := 0
	for i := range r.segs {
		for j := range p.to.parts {
			lo, hi := p.to.parts[j].within(&r.segs[i])
			n += max(0, hi-lo)
		}
	}
	p.members, p.ids = make([]int, 0, n), make([]uint32, 0, n)
	p.lanes, p.gains = make([]uint16, 0, n), make([]float64, 0, n)
	if p.in.arrives() {
		p.weights, p.receptor = make([]float64, 0, n), make([]uint8, 0, n)
	}
}

// attach gives the runs of a Poisson input whose arrivals can be added in vectors to their segments.
func (r *shard) attach(p *trainPart) {
	l := r.net.layout
	for i := range p.runs {
		u := &p.runs[i]
		u.inVectors = -1
		c, lane := int(p.receptor[u.first]), int(p.lanes[u.first])
		if l.spec.OnGrid || !u.uniform || l.series[c] == nil {
			continue
		}
		if rc := &l.receptors[c]; l.classes[rc.class].coupled {
			if rc.width == 3 && p.in.Poisson != nil {
				r.attachTriples(p, u)
			}
			continue
		}
		for _, s := range r.lif {
			if lane >= s.base && lane < s.base+s.n {
				u.vectors = true
				s.inside.attach(segmentTrain{p, u}, lane-s.base)
			}
		}
	}
}

// rewindInputs sets the inputs of the range to their state at the start of step k.
func (r *shard) rewindInputs(k int64) {
	for _, p := range r.trains {
		p.next, p.rate, p.cycle, p.countsOf = 0, -1, -1, -1
		for p.next < len(p.at) && p.at[p.next].step < k {
			p.next++
		}
	}
	for _, s := range r.sources {
		s.rewind(k)
	}
}

// input adds the arrivals and currents of inputs in step k to the rows.
func (r *shard) input(k int64) {
	r.part(input)
	r.external = r.external[:0]
	if r.current != nil {
		clear(r.current)
	}
	if r.white != nil {
		clear(r.white)
		clear(r.variance)
	}
	for _, p := range r.trains {
		switch {
		case p.in.Noise != nil:
			r.addNoise(p, k)
		case p.in.Current != nil:
			share := min(p.stop, float64(k+1)) - max(p.start, float64(k))
			if share <= 0 {
				continue
			}
			x := p.in.Current(k) * min(1, share)
			for i, lane := range p.lanes {
				r.current[lane] = math.FMA(p.gains[i], x, r.current[lane])
			}
		case p.in.Spikes != nil:
			for ; p.next < len(p.at) && p.at[p.next].step <= k; p.next++ {
				r.arrive(p, p.at[p.next].i, p.at[p.next].arrival)
			}
		default:
			r.poisson(p, k)
		}
	}
}

// arrive applies arrival a at member i of an input's part.
func (r *shard) arrive(p *trainPart, i int, a arrival) {
	if p.gates != nil {
		p.gates.arrivals = append(p.gates.arrivals, gateArrival{int32(i), a.theta})
		return
	}
	r.addOne(int(a.receptor), a.lane, a.theta, a.weight)
	if !r.net.layout.spec.OnGrid {
		r.external = append(r.external, a)
	}
}

// rateAt is the rate of a Poisson input in step k, spikes/s, before gains.
func (p *trainPart) rateAt(dt float64, k int64) float64 {
	q := p.in.Poisson
	switch {
	case q.Law != nil:
		cycle := int64(math.Floor((float64(float64(k)*dt) - p.in.Start) / q.Redraw * (1 + 1e-12)))
		if cycle != p.cycle || p.rate < 0 {
			p.cycle = cycle
			s := newSampler(*q.Law, 0, "")
			s.stream, s.seed = p.train.law, uint64(cycle)
			return max(0, s.at(0, 0, 0, uint32(cycle)))
		}
		return p.rate
	case q.Shape != nil:
		return max(0, q.Shape(k))
	}
	return q.Rate
}

// drawCounts makes p.counts hold the numbers of arrivals in step k, and reports whether there are any in it.
func (r *shard) drawCounts(p *trainPart, k int64) bool {
	dt := r.net.layout.spec.Dt
	if float64(k+1) <= p.start || float64(k) >= p.stop {
		return false
	}
	if rate := p.rateAt(dt, k); rate != p.rate {
		p.rate, p.countsOf = rate, -1
		p.setLaws(rate * dt / 1000)
		for i := range p.runs {
			p.runs[i].mean = rate * dt / 1000 * p.distinct[p.runs[i].law]
		}
	}
	if k/4 != p.countsOf {
		p.countsOf = k / 4
		for _, u := range p.runs {
			if law := p.laws[u.law]; u.mean > 0 && kernels.FitsCounts(law) {
				kernels.Counts(r.net.isa, p.train.counts, law, p.counts[u.first:], p.stride, u.n, p.ids[u.first],
					uint32(k/4))
			}
		}
	}
	return true
}

// poisson makes the arrivals of a Poisson input in step k.
func (r *shard) poisson(p *trainPart, k int64) {
	if !r.drawCounts(p, k) {
		return
	}
	for i := range p.runs {
		u := &p.runs[i]
		switch fits := kernels.FitsCounts(p.laws[u.law]); {
		case u.mean <= 0:
		case u.vectors && fits && float64(k) >= p.start && float64(k+1) <= p.stop:
			u.inVectors = k
		case u.triple && fits && float64(k) >= p.start && float64(k+1) <= p.stop:
			r.poissonTriples(p, u, k)
		case !r.net.layout.spec.OnGrid || p.gates != nil:
			r.poissonInstants(p, u, k, fits)
		case fits && u.uniform:
			row := r.rows[p.receptor[u.first]][p.lanes[u.first]:]
			kernels.AddCounts(r.net.isa, row[:u.n], p.counts[int(k%4)*p.stride+u.first:], p.weights[u.first])
		default:
			row := r.rows[p.receptor[u.first]]
			for i := u.first; i < u.first+u.n; i++ {
				row[p.lanes[i]] += float64(float64(p.count(u, i, k, fits)) * p.weights[i])
			}
		}
	}
}

// count is the number of arrivals at lane i of a run in step k; fits is whether p.counts holds it.
func (p *trainPart) count(u *trainRun, i int, k int64, fits bool) int {
	if fits {
		return int(p.counts[int(k%4)*p.stride+i])
	}
	return p.laws[u.law].At(p.train.counts.At(p.ids[i], uint32(k/4))[k%4])
}

// poissonInstants makes the arrivals of a run in step k at their instants. A block of random words gives four instants;
// each block of a step has its own key.
func (r *shard) poissonInstants(p *trainPart, u *trainRun, k int64, fits bool) {
	for i := u.first; i < u.first+u.n; i++ {
		var block rng.Block
		for j := range p.count(u, i, k, fits) {
			if j%4 == 0 {
				block = p.instantsOf(r.net.layout.spec.Seed, j/4).At(p.ids[i], uint32(k))
			}
			theta := float64(rng.Uniform32(block[j%4]))
			if x := float64(k) + theta; x < p.start || x >= p.stop {
				continue
			}
			r.arrive(p, i, arrival{p.lanes[i], p.receptor[i], theta, p.weights[i]})
		}
	}
}

// setLaws makes the laws of the counts for a mean per step.
func (p *trainPart) setLaws(mean float64) {
	for len(p.laws) < len(p.distinct) {
		p.laws = append(p.laws, new(rng.Counts))
	}
	for i, gain := range p.distinct {
		if err := p.laws[i].SetPoisson(min(max(0, mean*gain), rng.MaxPoissonMean)); err != nil {
			panic("bug: network: " + err.Error())
		}
	}
}

// sourcePart is the sources of spikes of one segment.
type sourcePart struct {
	seg    segment
	counts rng.Stream
	places rng.Stream
	laws   []*rng.Counts
	times  [][]float64
	next   []int
	dt     float64
	onGrid bool
}

func newSourcePart(s *Spec, seg segment) *sourcePart {
	q := &s.Populations[seg.population]
	p := &sourcePart{seg: seg, dt: s.Dt, onGrid: s.OnGrid, times: q.Source.Times, next: make([]int, seg.n)}
	p.counts = s.stream("counts of " + q.Name)
	p.places = s.stream("instants of " + q.Name)
	if p.times != nil {
		return p
	}
	for i, rate := range q.Source.Rate {
		if len(q.Source.Rate) > 1 && (i < seg.offset || i >= seg.offset+seg.n) {
			continue
		}
		c, err := rng.NewPoisson(min(rate*s.Dt/1000, rng.MaxPoissonMean))
		if err != nil {
			panic("bug: network: " + err.Error())
		}
		p.laws = append(p.laws, c)
	}
	return p
}

// stepOf is the step and the part of it in which a spike at a time in ms is emitted.
func (p *sourcePart) stepOf(time float64) (step int64, theta float64) {
	step, theta = position(time / p.dt)
	if p.onGrid && theta == 0 && step > 0 {
		step--
	}
	return step, theta
}

// rewind sets the sources to the start of step k.
func (p *sourcePart) rewind(k int64) {
	for i := range p.next {
		p.next[i] = 0
		if p.times == nil {
			continue
		}
		for list := p.times[p.seg.offset+i]; p.next[i] < len(list); p.next[i]++ {
			if step, _ := p.stepOf(list[p.next[i]]); step >= k {
				break
			}
		}
	}
}

// emit appends the spikes of step k.
func (p *sourcePart) emit(r *shard, k int64, out []spike) []spike {
	add := func(i int, theta float64) {
		if p.onGrid {
			theta = 1
		}
		out = append(out, spike{int32(p.seg.first + i), int32(p.seg.population), theta})
	}
	for i := range p.seg.n {
		m := p.seg.offset + i
		if p.times != nil {
			for list := p.times[m]; p.next[i] < len(list); p.next[i]++ {
				step, theta := p.stepOf(list[p.next[i]])
				if step > k {
					break
				}
				add(i, theta)
			}
			continue
		}
		law := p.laws[0]
		if len(p.laws) > 1 {
			law = p.laws[i]
		}
		n := law.At(p.counts.At(uint32(m), uint32(k/4))[k%4])
		if n == 0 {
			continue
		}
		first := len(out)
		for j := range n {
			add(i, rng.Uniform32(p.places.At(uint32(m), uint32(k))[j%4]))
		}
		slices.SortFunc(out[first:], func(a, b spike) int {
			if a.theta < b.theta {
				return -1
			} else if a.theta > b.theta {
				return 1
			}
			return 0
		})
	}
	return out
}
