package network

import (
	"fmt"
	"math"
	"slices"
)

// maxDelaySteps is the longest delay, steps: that of 1 s at a step of 1 µs.
const maxDelaySteps = 1_000_000

// pair is a population of sources and a receptor.
type pair struct{ population, receptor int }

// traits are properties of the edges from one population onto one receptor, over all ranges, from which their style
// follows.
type traits struct {
	least, most    int     // delays, steps
	any, timed     bool    // whether some weight is constant; whether some delay is not whole steps
	drawn, numbers bool    // drawn weights; other weights that differ
	one            float64 // the constant weight
	alike          bool    // whether all sources have the same edges: they are stored once
	bits           bool    // whether they are stored as rows of bits
	counted        bool    // whether they are stored as rows of counts
	packed         bool    // whether all edges of a source are one run: see packed.go
	batch          int     // as in table
	density        float64 // as in table
}

func (t *traits) style() style {
	switch {
	case t.timed:
		return timed
	case t.numbers || t.drawn && t.any:
		return float64s
	case t.drawn:
		return float32s
	case t.bits:
		return bitRows
	case t.counted:
		return countRows
	}
	return shared
}

// add extends the traits by a projection.
func (t *traits) add(p *Projection, least, most int, timed bool) {
	t.least, t.most, t.timed = min(t.least, least), max(t.most, most), t.timed || timed
	w, constant := p.Weight.(Constant)
	_, drawn := p.Weight.(Draw)
	if e, ok := p.Rule.(Edges); ok && e.Weight != nil {
		constant, drawn = false, false
	}
	if _, ok := p.Rule.(Ring); ok {
		constant, drawn = false, false
	}
	switch {
	case drawn:
		t.drawn = true
	case !constant || t.any && t.one != float64(w):
		t.numbers = true
	default:
		t.any, t.one = true, float64(w)
	}
}

// traits finds the receptors that projections reach, the traits of the edges from each population onto each of them,
// and the least and longest delays.
func (n *Network) traits() error {
	l := n.layout
	n.pairs = map[pair]*traits{}
	l.steps = math.MaxInt64
	for i := range l.spec.Projections {
		p := &l.spec.Projections[i]
		least, most, timed, err := l.delayBounds(i)
		if err != nil {
			return err
		}
		l.delays = append(l.delays, [2]int{least, most})
		l.steps, l.longest = min(l.steps, int64(least)), max(l.longest, most)
		if l.spreads(p) {
			for _, negative := range l.spreadSigns(p) {
				l.receptor(p.Synapse, p.To[0].Population, negative)
			}
			continue
		}
		if l.bySums(p) {
			for _, t := range p.To {
				l.receptor(p.Synapse, t.Population, l.signs(p)[0])
			}
			continue
		}
		signs := l.signs(p)
		for _, f := range p.From {
			for _, t := range p.To {
				for _, negative := range signs {
					key := pair{f.Population, l.receptor(p.Synapse, t.Population, negative)}
					if n.pairs[key] == nil {
						n.pairs[key] = &traits{least: least, most: most, alike: true}
						n.order = append(n.order, key)
					}
					n.pairs[key].add(p, least, most, timed)
					n.pairs[key].alike = n.pairs[key].alike && l.alike(p, f, timed)
				}
			}
		}
	}
	fillings := l.fillings()
	for key, t := range n.pairs {
		t.alike = t.alike && fillings[key.population] == once
	}
	if l.longest > maxDelaySteps {
		return fmt.Errorf("a delay of %g ms is %d steps; at most %d are possible, with a longer dt",
			float64(l.longest)*l.spec.Dt, l.longest, maxDelaySteps)
	}
	n.chooseBits()
	n.chooseBatches()
	if len(l.spec.Projections) == 0 {
		l.steps, l.longest = 64, 1
	}
	return nil
}

// A filling is how often, and in which order, the edges of a population of sources are drawn: see builder.
type filling uint8

const (
	once         filling = iota // by source
	twice                       // by source and by target
	rangeByRange                // twice, by target
)

// fillings lists the filling of each population.
func (l *layout) fillings() []filling {
	list := make([]filling, len(l.spec.Populations))
	for i := range list {
		if !reserves {
			list[i] = twice
		}
	}
	for i := range l.spec.Projections {
		p := &l.spec.Projections[i]
		for _, from := range p.From {
			if byTarget(p.Rule) {
				list[from.Population] = rangeByRange
			}
		}
	}
	for changed := true; changed; { // until all edges of a population, and of a projection, are drawn in one way
		changed = false
		for i := range l.spec.Projections {
			p := &l.spec.Projections[i]
			other := func(from Part) bool { return list[from.Population] != rangeByRange }
			if l.unstored(p) || byTarget(p.Rule) && !slices.ContainsFunc(p.From, other) {
				continue
			}
			for _, from := range p.From {
				if list[from.Population] == rangeByRange {
					list[from.Population], changed = twice, true
				}
			}
		}
	}
	return list
}

// alike reports whether a projection has the same edges from each neuron of the population of part.
func (l *layout) alike(p *Projection, part Part, timed bool) bool {
	_, all := p.Rule.(AllToAll)
	_, weight := p.Weight.(Constant)
	_, delay := p.Delay.(Constant)
	return all && weight && delay && !timed && !p.NoAutapses && part.N == l.spec.Populations[part.Population].N
}

// signs lists which of its receptors a projection reaches: false is that of weights of at least 0, true that of weights
// below 0, or of at most 0 where there are no others. On the grid one receptor takes both.
func (l *layout) signs(p *Projection) []bool {
	lo, hi := weightBounds(p)
	switch {
	case l.spec.OnGrid || lo >= 0:
		return []bool{false}
	case hi <= 0:
		return []bool{true}
	}
	return []bool{false, true}
}

// weightBounds are numbers between which the weights of a projection lie.
func weightBounds(p *Projection) (lo, hi float64) {
	if e, ok := p.Rule.(Edges); ok && e.Weight != nil {
		for _, w := range e.Weight {
			lo, hi = min(lo, w), max(hi, w)
		}
		return lo, hi
	}
	if _, ok := p.Rule.(Ring); ok {
		return math.Inf(-1), math.Inf(1)
	}
	switch w := p.Weight.(type) {
	case Constant:
		return float64(w), float64(w)
	case Draw:
		return w.bounds()
	}
	return math.Inf(-1), math.Inf(1)
}

// delayBounds are the least and the longest delay of projection i in whole steps, and whether some delays are not whole
// steps. Drawn delays are bounded by their law, without drawing them.
func (l *layout) delayBounds(i int) (least, most int, timed bool, err error) {
	p := &l.spec.Projections[i]
	if e, ok := p.Rule.(Edges); ok && e.Delay != nil {
		least, most = math.MaxInt, 1
		for _, d := range e.Delay {
			w, part := l.place(d)
			least, most, timed = min(least, w), max(most, w), timed || part > 0
		}
		return min(least, most), most, timed, nil
	}
	switch d := p.Delay.(type) {
	case Constant:
		w, part := l.place(float64(d))
		return w, w, part > 0, nil
	case PerEdge:
		return l.computedDelays(i)
	case Draw:
		least, most, timed = l.drawnDelays(&d)
		return least, most, timed, nil
	}
	return 1, 1, false, nil
}

// drawnDelays finds the bounds of a law, which Check has found possible.
func (l *layout) drawnDelays(d *Draw) (least, most int, timed bool) {
	lo, hi := d.bounds()
	timed = !l.spec.OnGrid
	if d.Round > 0 {
		x := d.Round / l.spec.Dt
		timed = timed && math.Abs(x-math.Round(x)) > wholeDelay*x
	}
	least, _ = l.place(max(lo, l.spec.Dt))
	most, _ = l.place(min(hi, MaxDelay))
	return least, most, timed
}

// computedDelays finds the bounds by computing the delays of all edges.
func (l *layout) computedDelays(i int) (least, most int, timed bool, err error) {
	d := newDrawing(l, i)
	if _, ok := d.p.Rule.(Total); ok {
		d.countTotal()
	}
	least = math.MaxInt
	var b bundle
	members := d.from.n
	if byTarget(d.p.Rule) {
		members = d.to.n
	}
	for m := range members {
		if err := d.of(m, &b, delays); err != nil {
			return 0, 0, false, err
		}
		for k, x := range b.delay[:b.len()] {
			if !(x >= l.spec.Dt*(1-wholeDelay) && x <= MaxDelay) {
				pre, post := b.end(k)
				return 0, 0, false, fmt.Errorf("projection %s: delay %g ms from %d to %d; it lies between %g and %d ms", d.p.Name,
					x, pre, post, l.spec.Dt, MaxDelay)
			}
			whole, part := l.place(x)
			least, most, timed = min(least, whole), max(most, whole), timed || part > 0
		}
	}
	if most == 0 {
		return 1, 1, false, nil
	}
	return least, most, timed, nil
}
