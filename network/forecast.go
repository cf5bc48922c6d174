package network

import (
	"fmt"
	"math"
	"time"
	"unsafe"

	"popsim/kernels"
	"popsim/sched"
)

// Forecast estimates the resources that a network needs, before its edges are drawn.
type Forecast struct {
	Neurons int
	Edges   int64   // expected
	stored  int64   // of them: see layout.bySums
	Bytes   int64   // memory, at its most while the network is built
	Seconds float64 // of building, on all processors of this machine if nothing else runs
}

// Forecast is ForecastOf a run with the default Config.
func (s *Spec) Forecast() (Forecast, error) { return s.ForecastOf(Config{}) }

// ForecastOf computes the number of edges and the memory from the laws of the network, and the time by drawing a few of
// its edges.
func (s *Spec) ForecastOf(c Config) (Forecast, error) {
	n, err := newNetwork(s, c)
	if err != nil {
		return Forecast{}, err
	}
	f, err := n.forecast(c)
	if err != nil {
		return Forecast{}, err
	}
	f.Seconds = n.buildingTime()
	return f, nil
}

// forecast is Forecast without the time.
func (n *Network) forecast(c Config) (Forecast, error) {
	l := n.layout
	f := Forecast{Neurons: l.firsts[len(l.firsts)-1]}
	expected := make([]map[pair]float64, len(l.spec.Projections)) // edges of each source
	shares := make([]map[int]float64, len(expected))
	busiest, largest := 0.0, 0.0 // edges of a source in all projections, and those drawn at once
	for i := range l.spec.Projections {
		expected[i], shares[i] = l.expected(i), l.delayShares(i)
		perSource := 0.0
		for key, x := range expected[i] {
			f.stored += int64(x * float64(l.spec.Populations[key.population].N))
			perSource += x
		}
		if p := &l.spec.Projections[i]; l.unstored(p) {
			f.Edges += int64(l.edges(p))
		}
		busiest += perSource
		largest = max(largest, l.drawnAtOnce(i))
	}
	f.Edges += f.stored
	count := len(l.ranges(n.rangeCount(c, f)))
	columns, gates, err := n.columnBytes(count)
	if err != nil {
		return Forecast{}, err
	}
	const dropped = 1.05 // with columns that are dropped while others are made
	ranges := float64(count)
	bytes := float64(dropped*(columns-gates)) + l.givenBytes()
	runsOf := func(key pair) []float64 { // expected edges of a source, one range and each delay
		t := n.pairs[key]
		runs := make([]float64, t.most-t.least+1)
		for i, x := range expected {
			if x[key] > 0 {
				for d, share := range shares[i] {
					runs[d-t.least] += x[key] * share / ranges
				}
			}
		}
		return runs
	}
	n.choosePacked(count, runsOf)
	for key, t := range n.pairs {
		runs := runsOf(key)
		if t.packed {
			runs = []float64{sum(runs)}
		}
		blocks := 0.0
		lanes := float64(f.Neurons) / ranges
		for _, x := range runs {
			if t.bits {
				x = l.secondEdges(key, expected, x, lanes)
			} else if t.counted {
				x = 0
			}
			blocks += expectedBlocks(x)
		}
		sources := float64(l.spec.Populations[key.population].N) * ranges
		stored := sources
		if t.alike {
			stored = ranges
		}
		bytes += float64(float64(stored*blocks*float64(blockBytes[t.style()])) + float64(sources*4*float64(len(runs)+1)))
		if t.bits {
			bytes += float64(sources * 8 * float64(bitWords(int(lanes))))
		}
		if t.counted {
			bytes += float64(sources * lanes)
		}
	}
	bytes += n.flightBytes(runsOf, ranges) + n.waitingBytes(runsOf, ranges)
	scratch := float64(float64(n.workers) * (float64(bundleBytes*largest) + float64(localBytes*busiest)))
	scratch += float64(min(float64(n.workers), ranges) * n.offsetBytes())
	bytes += max(float64(dropped*gates), scratch) // gates are made when scratch memory has been dropped
	f.Bytes = int64(bytes)
	return f, nil
}

// What a worker holds of an edge, bytes, with some slack: of those that are drawn at once, in bundle, and of those of a
// source, in scratch.lists.
const (
	bundleBytes = 44.0
	localBytes  = 20.0
)

// offsetBytes is the memory of the counts of packed tables of a range that are filled by target.
func (n *Network) offsetBytes() (bytes float64) {
	const each = 2
	fillings := n.layout.fillings()
	for key, t := range n.pairs {
		if t.packed && fillings[key.population] == rangeByRange {
			bytes += float64(each * float64(n.layout.spec.Populations[key.population].N) * float64(t.most-t.least+1))
		}
	}
	return bytes
}

// sum adds numbers up.
func sum(list []float64) (all float64) {
	for _, x := range list {
		all += x
	}
	return all
}

// drawnAtOnce is the mean number of edges of projection i from one source, or onto one target if it is drawn by target.
func (l *layout) drawnAtOnce(i int) float64 {
	p := &l.spec.Projections[i]
	if r, ok := p.Rule.(InDegree); ok {
		return float64(r.K)
	}
	return l.edges(p) / float64(size(p.From))
}

// secondEdges is the mean number of edges from a source to lanes that it already has an edge to, of x edges.
func (l *layout) secondEdges(key pair, expected []map[pair]float64, x, lanes float64) float64 {
	for i := range l.spec.Projections {
		p := &l.spec.Projections[i]
		switch p.Rule.(type) {
		case InDegree, OutDegree, Total, Edges:
			if expected[i][key] > 0 && !p.NoMultapses {
				return x - float64(lanes*(1-math.Exp(-x/lanes)))
			}
		}
	}
	return 0
}

// LeastNeuronBytes is a lower bound of the memory of a neuron, without receptors and parameters of its own.
const LeastNeuronBytes = 70.0

// givenBytes is the memory of lists of edges and of counts of edges, and of places while the graph is built.
func (l *layout) givenBytes() (bytes float64) {
	const index = 4 // of a listed edge, and of a source
	bytes = float64(float64(unsafe.Sizeof(home{})+unsafe.Sizeof(uint16(0))) * float64(l.firsts[len(l.firsts)-1]))
	for _, p := range l.spec.Projections {
		switch r := p.Rule.(type) {
		case Edges:
			bytes += float64(index * float64(len(r.Pre)+size(p.From)))
		case Total:
			bytes += float64(2 * index * float64(size(p.From)))
		}
	}
	return bytes
}

// flightBytes is the memory of spikes that are on their way, and of arrivals in the current step, if all neurons spike
// at the rate of work; runs as in choosePacked.
func (n *Network) flightBytes(runs func(pair) []float64, ranges float64) (bytes float64) {
	const slack = 2 // of slices that grow, over what they hold
	l := n.layout
	steps := float64(l.longest) + float64(2*l.steps) + 4
	spikes := float64(steps * expectedRate * l.spec.Dt) // of a neuron
	each := float64(slack * float64(unsafe.Sizeof(spike{})) * spikes)
	bytes = float64(each * float64(l.firsts[len(l.firsts)-1]))
	kept, listed := 0.0, 0.0 // in a range
	scheduled := n.schedules()
	for key, t := range n.pairs {
		each := float64(unsafe.Sizeof(tableSpike{})) // of a spike
		switch {
		case l.receptors[key.receptor].kind == NMDA: // held by gates
			continue
		case t.packed && l.spec.OnGrid: // in the rows to come
			continue
		case t.packed:
			each = float64(unsafe.Sizeof(dueUnit{}))
		case scheduled:
			lists := float64(float64(unsafe.Sizeof(scheduledRun{})) * someEdges(runs(key)))
			each = float64(unsafe.Sizeof(scheduledSpike{})) + lists
			listed = float64(steps * (sliceBytes + float64(unsafe.Sizeof(0)) + float64(unsafe.Sizeof(uint32(0)))))
		default:
			listed = float64(steps * sliceBytes)
		}
		kept += float64(each * spikes * float64(l.spec.Populations[key.population].N))
	}
	bytes += float64(ranges * (float64(slack*kept) + listed))
	if l.spec.OnGrid {
		return bytes
	}
	for _, in := range l.spec.Inputs {
		if in.Poisson != nil {
			mean := in.Poisson.most() * in.mostGain() * l.spec.Dt / 1000
			bytes += float64(slack * float64(unsafe.Sizeof(arrival{})) * float64(size(in.To)) * mean)
		}
	}
	return bytes
}

// schedules reports whether the runs of spikes are listed once, if every range has edges: see startSchedule.
func (n *Network) schedules() bool {
	for key, t := range n.pairs {
		if t.style() != float32s || t.packed || n.layout.receptors[key.receptor].kind == NMDA {
			return false
		}
	}
	return n.layout.longest > int(n.layout.steps)
}

// someEdges is the mean number of runs that have edges, if their numbers of edges have Poisson laws of these means.
func someEdges(runs []float64) (mean float64) {
	for _, x := range runs {
		mean += 1 - math.Exp(-x)
	}
	return mean
}

// sliceBytes is the size of the header of a slice.
const sliceBytes = 24

// expectedBlocks is the mean number of blocks of four edges of a run, if its number of edges has a Poisson law of this
// mean.
func expectedBlocks(mean float64) float64 {
	// The mean of what is missing up to a multiple of four follows from the law of the number modulo four.
	missing := 1.5 - float64(math.Exp(-mean)*(math.Cos(mean)-math.Sin(mean))) - float64(math.Exp(-2*mean)/2)
	return (mean + missing) / 4
}

// edges is the mean number of edges of a projection.
func (l *layout) edges(p *Projection) float64 {
	from, to := float64(size(p.From)), float64(size(p.To))
	edges := from * to
	switch r := p.Rule.(type) {
	case InDegree:
		edges = to * float64(r.K)
	case OutDegree:
		edges = from * float64(r.K)
	case Probability:
		edges = from * to * r.P
	case Total:
		edges = float64(r.N)
	case OneToOne:
		edges = from
	case Edges:
		edges = float64(len(r.Pre))
	}
	if _, listed := p.Rule.(Edges); p.NoAutapses && !listed {
		if _, chance := p.Rule.(Probability); chance || edges == from*to {
			edges -= float64(edges / (from * to) * float64(l.autapses(p)))
		}
	}
	return edges
}

// expected is the mean number of stored edges of projection i from one source of a population onto a receptor.
func (l *layout) expected(i int) map[pair]float64 {
	p := &l.spec.Projections[i]
	from, to := float64(size(p.From)), float64(size(p.To))
	if l.unstored(p) {
		return nil // none is stored
	}
	edges := l.edges(p)
	signs := l.signs(p)
	negative := negativeShare(p)
	x := map[pair]float64{}
	for _, f := range p.From {
		for _, t := range p.To {
			for _, sign := range signs {
				share := 1.0
				if len(signs) == 2 {
					share = 1 - negative
				}
				if len(signs) == 2 && sign {
					share = negative
				}
				key := pair{f.Population, l.receptor(p.Synapse, t.Population, sign)}
				x[key] += share * edges * float64(f.N) / from * float64(t.N) / to / float64(l.spec.Populations[f.Population].N)
			}
		}
	}
	return x
}

// autapses is the number of pairs of a source and a target that are the same neuron.
func (l *layout) autapses(p *Projection) (n int) {
	for _, f := range p.From {
		for _, t := range p.To {
			n += common(f, t)
		}
	}
	return n
}

// quantiles is the number of quantiles by which a law is sampled.
const quantiles = 1 << 12

// negativeShare is the share of weights below 0, of weights of both signs.
func negativeShare(p *Projection) float64 {
	if e, ok := p.Rule.(Edges); ok && e.Weight != nil {
		n := 0
		for _, w := range e.Weight {
			if w < 0 {
				n++
			}
		}
		return float64(n) / math.Max(1, float64(len(e.Weight)))
	}
	if _, ok := p.Weight.(Draw); !ok {
		return 0.5 // not known without computing them
	}
	s := newSampler(p.Weight, 0, "")
	n, all := 0, 0
	for i := range uint32(quantiles) {
		if x := s.raw(i<<20 | 1<<19); s.inside(x) {
			all++
			if s.finished(x) < 0 {
				n++
			}
		}
	}
	return float64(n) / math.Max(1, float64(all))
}

// delayShares is the share of edges of projection i with each number of whole steps.
func (l *layout) delayShares(i int) map[int]float64 {
	p := &l.spec.Projections[i]
	counts, all := map[int]float64{}, 0.0
	add := func(delay float64) {
		whole, _ := l.place(delay)
		counts[whole]++
		all++
	}
	e, listed := p.Rule.(Edges)
	d, drawn := p.Delay.(Draw)
	switch c, constant := p.Delay.(Constant); {
	case listed && e.Delay != nil:
		for _, x := range e.Delay {
			add(x)
		}
	case constant:
		add(float64(c))
	case drawn:
		s := newSampler(d, 0, "")
		for i := range uint32(quantiles) {
			if x := s.raw(i<<20 | 1<<19); s.inside(x) {
				add(s.finished(x))
			}
		}
	default:
		for d := l.delays[i][0]; d <= l.delays[i][1]; d++ { // not known without computing them
			counts[d]++
			all++
		}
	}
	for d := range counts {
		counts[d] /= all
	}
	return counts
}

// buildingTime estimates the time of building, s, from that of drawing some edges of each projection.
func (n *Network) buildingTime() float64 {
	const place = 15e-9 // s: of sorting, placing and clearing memory for one edge
	l := n.layout
	total := 0.0
	var b bundle
	for i := range l.spec.Projections {
		d, edges := newDrawing(l, i), l.edges(&l.spec.Projections[i])
		passes := 1.0
		if byTarget(d.p.Rule) {
			passes = 2
		}
		if _, ok := d.p.Rule.(Total); ok {
			d.perSource = d.evenCounts(edges)
		}
		total += float64(edges * (float64(passes*d.drawingTime(&b)) + place))
	}
	return total / float64(min(n.workers, sched.Allowed()))
}

// evenCounts shares the edges of a Total evenly among its sources, as far as each may have so many.
func (d *drawing) evenCounts(edges float64) []uint32 {
	counts := d.capacities()
	mean := uint32(math.Ceil(edges / float64(d.from.n)))
	for i, most := range counts {
		if d.p.NoMultapses {
			counts[i] = min(mean, most)
		} else if most > 0 {
			counts[i] = mean
		}
	}
	return counts
}

// drawingTime is the time of drawing one edge, s: the least of a few samples, since other work may come between.
func (d *drawing) drawingTime(b *bundle) float64 {
	const (
		samples = 5
		enough  = 200 // edges
	)
	members := d.from.n
	if byTarget(d.p.Rule) {
		members = d.to.n
	}
	least, m := math.Inf(1), 0
	for range samples {
		begin, drawn := time.Now(), 0
		for ; m < members && drawn < enough; m++ {
			if d.of(m, b, numbers) != nil {
				return 0 // reported when the network is built
			}
			drawn += b.len()
		}
		if drawn > 0 {
			least = min(least, time.Since(begin).Seconds()/float64(drawn))
		}
	}
	if math.IsInf(least, 1) {
		return 0
	}
	return least
}

// rangeCount is the least number of ranges into which the targets are cut: one for each worker that will share the work
// of an epoch. More would cost each of the workers time of its own, 0.1 us a step and range.
func (n *Network) rangeCount(c Config, f Forecast) int {
	if c.Ranges > 0 {
		return c.Ranges
	}
	return sched.Shared(n.work(f), n.workers)
}

// expectedRate is the rate of neurons, spikes/ms, where a cost depends on it.
const expectedRate = 0.01

// work estimates the processor time of an epoch, if all neurons spike at expectedRate.
func (n *Network) work(f Forecast) time.Duration {
	const ( // ns
		onGrid, inside = 0.35, 1.8 // a step of LIF
		conducting     = 0.8       // on the grid, with conductances
		other          = 15.0      // a step of any other model
		event          = 1.5
	)
	l := n.layout
	each := 0.0
	for i := range l.spec.Populations {
		p := &l.spec.Populations[i]
		cost := inside
		switch {
		case p.Model == nil:
			cost = 0
		case p.Model.Name != "lif" || l.spec.coupled(i) && !l.spec.OnGrid:
			cost = other
		case l.spec.coupled(i):
			cost = conducting
		case l.spec.OnGrid:
			cost = onGrid
		}
		each += float64(cost * float64(p.N))
	}
	each += float64(float64(f.stored) * expectedRate * l.spec.Dt * event)
	return time.Duration(each * float64(l.steps))
}

// newNetwork makes a network that has no ranges yet.
func newNetwork(s *Spec, c Config) (*Network, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	isa, err := kernels.ParseISA(c.ISA.String())
	if err != nil {
		return nil, err
	}
	l := newLayout(s)
	l.isa = isa
	n := &Network{layout: l, isa: isa, pages: new(mapped), workers: c.Workers}
	if n.workers <= 0 {
		n.workers = sched.Allowed()
	}
	if err := n.traits(); err != nil {
		return nil, err
	}
	n.inputReceptors()
	n.joinReceptors()
	n.chooseCounted()
	for i := range l.receptors {
		rc := &l.receptors[i]
		l.series = append(l.series, rc.newSeries(l.classes[rc.class], s.Dt))
	}
	if len(l.receptors) > maxReceptors {
		return nil, fmt.Errorf("%d kinds of synapse onto kinds of neuron, by sign; at most %d are possible",
			len(l.receptors), maxReceptors)
	}
	return n, nil
}
