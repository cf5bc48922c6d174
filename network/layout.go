package network

import (
	"math"
	"slices"

	"popsim/kernels"
	"popsim/kernels/asm"
)

// A class is a set of populations among which an arrival has the same effect on V, up to a factor of the target.
type class struct {
	// ms: LIF with this membrane time constant; NaN: LIF with one for each neuron; 0: arrivals act through means
	tau     float64
	coupled bool // neurons of coupledSegment
}

// A receptor is a set of accumulators of arrivals: those of one synapse onto the populations of one class, with weights
// of one sign unless the network is on the grid.
type receptor struct {
	synapse  int
	kind     Kind
	tau      float64 // ms; of biexp-conductance: of the decay
	rise     float64 // ms: biexp-conductance
	peak     float64 // of biexp-conductance: what a weight of 1 adds to either of its two variables
	negative bool    // holds weights below 0; without OnGrid others are at least 0
	class    int
	width    int // accumulators of a neuron: see coefs
}

// maxRange is the largest number of lanes of a range: targets have 16-bit numbers within it, and one number, after the
// last lane, stands for no target.
const maxRange = 65535 - kernels.Group

// layout holds what all ranges have in common.
type layout struct {
	spec      *Spec
	firsts    []int
	classes   []class
	classOf   []int // of populations; -1: sources
	receptors []receptor
	series    []*series // of each receptor
	// Of each receptor the one whose row and current hold its arrivals; and the one joined to it, -1 if there is none:
	// see joinReceptors.
	main, joined []int
	draws        []*drawing
	steps        int64       // epoch, steps: the least delay
	longest      int         // longest delay, whole steps
	delays       [][2]int    // of projections: least and longest delay, whole steps
	isa          kernels.ISA // with which edges are drawn
}

func newLayout(s *Spec) *layout {
	l := &layout{spec: s, firsts: s.firsts()}
	for i := range s.Populations {
		p := &s.Populations[i]
		if p.Model == nil {
			l.classOf = append(l.classOf, -1)
			continue
		}
		c := class{coupled: s.coupled(i)}
		if p.Model.Name == "lif" && !c.coupled {
			c.tau = p.P[p.Model.Index("tau")][0]
			for _, x := range p.P[p.Model.Index("tau")] {
				if x != c.tau {
					c.tau = math.NaN()
				}
			}
		}
		at := slices.IndexFunc(l.classes, func(k class) bool { return k == c || math.IsNaN(k.tau) && math.IsNaN(c.tau) })
		if at < 0 {
			at = len(l.classes)
			l.classes = append(l.classes, c)
		}
		l.classOf = append(l.classOf, at)
	}
	return l
}

// receptor returns the number of the receptor of a weight onto a population; it makes the receptor if there is none
// yet.
func (l *layout) receptor(synapse, population int, negative bool) int {
	y := &l.spec.Synapses[synapse]
	r := receptor{
		synapse:  synapse,
		kind:     y.Kind,
		tau:      y.Tau,
		class:    l.classOf[population],
		negative: negative && !l.spec.OnGrid,
		width:    1,
	}
	if y.Kind.conductance() {
		r.negative = false
		if y.Kind == NMDA {
			r.tau = y.Decay
		}
		if y.Kind == BiexpConductance {
			r.tau, r.rise, r.peak = y.Decay, y.Rise, biexpPeak(y.Rise, y.Decay)
		}
	}
	switch {
	case y.Kind == Delta:
		r.synapse = 0
		if c := l.classes[r.class]; !l.spec.OnGrid && !c.coupled && c.tau == 0 {
			r.width = 2
		}
	case y.Kind == NMDA:
		r.width = 3
	case l.spec.OnGrid:
	case l.classes[r.class].coupled:
		r.width = 3
	case y.Kind == ExpCurrent, y.Kind == ExpConductance:
		r.width = 2
	case y.Kind != Delta:
		r.width = 3
	}
	for i := range l.receptors {
		if l.receptors[i] == r {
			return i
		}
	}
	l.receptors = append(l.receptors, r)
	return len(l.receptors) - 1
}

// place splits a delay in ms into whole steps and the part of a step that is left.
func (l *layout) place(delay float64) (whole int, part float64) {
	x := delay / l.spec.Dt
	if r := math.Round(x); l.spec.OnGrid || math.Abs(x-r) <= wholeDelay*max(1, r) {
		return max(1, int(r)), 0
	}
	return int(x), x - math.Floor(x)
}

// A segment is the neurons of one population that belong to one range.
type segment struct {
	population int
	first, n   int // numbers in the network
	base       int // lane of the first
	offset     int // number in the population of the first
}

// costs estimates the work of a second for one neuron of each population, in units of a synapse: 4000 for the neuron
// itself and one for each of its synapses. At 3 spikes/s a synapse costs 3 ns; the steps of a neuron cost 6 us on the
// grid and 20 us inside the step. In the microcircuit the busier of two ranges has 5 % more work than the mean.
func (l *layout) costs() []float64 {
	const neuron = 4000
	costs := make([]float64, len(l.spec.Populations))
	for p := range costs {
		costs[p] = neuron
	}
	for i := range l.spec.Projections {
		p := &l.spec.Projections[i]
		each := l.edges(p) / float64(size(p.To)) // onto one target
		for _, to := range p.To {
			costs[to.Population] += each * float64(to.N) / float64(l.spec.Populations[to.Population].N)
		}
	}
	return costs
}

// cuts lists where n ranges of about the same work begin and end, by number of the neuron; each has a neuron at least.
func (l *layout) cuts(n int) []int {
	costs, all := l.costs(), 0.0
	for p, c := range costs {
		all += float64(c * float64(l.spec.Populations[p].N))
	}
	total := l.firsts[len(l.firsts)-1]
	cuts := []int{0}
	p, before := 0, 0.0 // the current population, and the work of those before it
	for r := 1; r < n; r++ {
		target := all * float64(r) / float64(n)
		for p < len(costs)-1 && before+float64(costs[p]*float64(l.spec.Populations[p].N)) < target {
			before += float64(costs[p] * float64(l.spec.Populations[p].N))
			p++
		}
		at := l.firsts[p] + int((target-before)/costs[p])
		cuts = append(cuts, min(max(at, cuts[r-1]+1), total-(n-r)))
	}
	return append(cuts, total)
}

// bounds cuts the neurons of the network into n ranges.
func (l *layout) bounds(n int) [][]segment {
	cuts := l.cuts(n)
	var ranges [][]segment
	for r := range n {
		lo, hi := cuts[r], cuts[r+1]
		var segs []segment
		base := 0
		for p := range l.spec.Populations {
			from, to := max(lo, l.firsts[p]), min(hi, l.firsts[p+1])
			if from >= to {
				continue
			}
			segs = append(segs, segment{p, from, to - from, base, from - l.firsts[p]})
			if l.classOf[p] >= 0 {
				base += (to - from + kernels.Group - 1) / kernels.Group * kernels.Group
			}
		}
		ranges = append(ranges, segs)
	}
	return ranges
}

// lanes is the number of lanes of the segments of a range.
func (l *layout) lanes(segs []segment) int {
	n := 0
	for _, s := range segs {
		if l.classOf[s.population] >= 0 {
			n += (s.n + kernels.Group - 1) / kernels.Group * kernels.Group
		}
	}
	return n
}

// ranges cuts the network into at least n ranges whose lanes have numbers of 16 bits.
func (l *layout) ranges(n int) [][]segment {
	total := l.firsts[len(l.firsts)-1]
	for n = max(1, min(n, total, math.MaxUint16)); ; n++ {
		cut := l.bounds(n)
		if !slices.ContainsFunc(cut, func(s []segment) bool { return l.lanes(s) > maxRange }) {
			return cut
		}
	}
}

// style is how the edges of a table are stored.
type style int

const (
	shared    style = iota // one weight for all edges
	float32s               // weights of edges, float32
	float64s               // weights of edges, float64
	timed                  // float64 weights, and of each delay the part of a step
	bitRows                // one weight and delay for all edges: see bits.go
	spread                 // not stored: see unstored.go
	countRows              // one weight and delay for all edges: see counted.go
)

// Blocks of four edges; unused places have weight 0 and the target number after the last lane.
type (
	block16 [4]uint16
	block32 = asm.Edges
	block64 struct {
		To [4]uint16
		W  [4]float64
	}
	blockTimed struct {
		To   [4]uint16
		W    [4]float64
		Part [4]float64
	}
)

// A table holds the edges from one population onto one receptor of a range: for each source its edges sorted by whole
// steps of delay; within one delay by projection and draw.
type table struct {
	receptor   int
	population int
	style      style
	falls      bool // whether its receptor is joined to another
	gated      bool // of NMDA: the edges are those of gates, not of arrivals
	first      int  // number in the network of the first source
	least      int  // least delay, steps
	delays     int  // number of delays from least on
	laneBits   uint // bits of a target that hold the lane, of tables that are packed: see packed.go; else 0
	// The edges of source s with delay d are the blocks from start[i] on up to start[i+1], i = (s-first)·(delays+1) +
	// d-least; of a packed table all edges of s, i = 2·(s-first).
	start  []uint32
	weight float64 // of all edges: shared, bitRows, countRows

	base uintptr   // address of the blocks
	b16  []block16 // of bitRows: the edges that are not in bits
	b32  []block32
	b64  []block64
	bt   []blockTimed

	bits     []uint64 // bitRows: of each source a row with one bit a lane
	bitWords int      // of a row
	rowEdges float64  // mean number of edges in a row: see countEdges
	gathered []int32  // sources whose spikes arrive in the current step

	batch   int     // shared: spikes whose arrivals are counted together, 0 if they are not: see countlists.go
	density float64 // likewise: mean edges of a pair of neurons

	counts     []uint8 // countRows: of each source the number of its edges onto each lane
	countLanes int     // of a row

	unstored *unstored // of spread
}

// runs is the number of runs of a source.
func (t *table) runs() int {
	if t.laneBits > 0 {
		return 1
	}
	return t.delays
}

func (t *table) blocks() int {
	switch t.style {
	case shared, bitRows, countRows:
		return len(t.b16)
	case float32s:
		return len(t.b32)
	case float64s:
		return len(t.b64)
	}
	return len(t.bt)
}

// blockBytes is the size of a block of each style.
var blockBytes = [...]int{8, 24, 40, 72, 8, 0, 8}

func (t *table) bytes() int64 {
	bytes := int64(t.blocks()*blockBytes[t.style]) + int64(4*len(t.start)+8*len(t.bits)+len(t.counts))
	if t.unstored != nil {
		bytes += int64(8 * len(t.unstored.kernel))
	}
	return bytes
}
