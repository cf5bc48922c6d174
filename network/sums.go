package network

import (
	"math"
	"slices"
)

// sums holds the arrivals of spikes of some neurons of a population after one delay at one receptor, of projections
// from all to all with one weight each. All targets of such a projection get the same: no edges are stored, and what
// arrives in a step is added up over the sources before it is added to the targets.
type sums struct {
	population int
	first, n   int // numbers in the network of the sources
	whole      int // delay, steps
	part       float64
	receptor   int
	to         []sumTarget

	spikes []float64 // theta of those that arrive in the current step
	total  [3]float64
}

// sumTarget is consecutive lanes that a projection reaches with one weight; column is that of the segment if it reaches
// the whole population.
type sumTarget struct {
	lane, lanes int
	weight      float64
	column      *coupledReceptor
}

// bySums reports whether a projection reaches its targets by sums over its sources: no edges are stored. Where what an
// arrival adds differs between targets, and where a neuron has no edge to itself, that is for NMDA only.
func (l *layout) bySums(p *Projection) bool {
	_, one := p.oneWeight()
	if l.spec.Synapses[p.Synapse].Kind == NMDA {
		return one || p.onRing(l.spec)
	}
	_, constant := p.Delay.(Constant)
	return one && constant && !p.NoAutapses && !slices.ContainsFunc(p.To, func(to Part) bool {
		return math.IsNaN(l.classes[l.classOf[to.Population]].tau)
	})
}

// oneWeight reports whether a projection goes from all to all with one weight.
func (p *Projection) oneWeight() (weight float64, ok bool) {
	w, constant := p.Weight.(Constant)
	_, all := p.Rule.(AllToAll)
	return float64(w), all && constant
}

// makeSums lists the sums that reach the range.
func (r *shard) makeSums() {
	l := r.net.layout
	type key struct {
		population, first, n, whole, receptor int
		part                                  float64
	}
	index := map[key]*sums{}
	for i := range l.spec.Projections {
		p := &l.spec.Projections[i]
		if !l.bySums(p) || l.spec.Synapses[p.Synapse].Kind == NMDA {
			continue
		}
		weight, _ := p.oneWeight()
		whole, part := l.place(float64(p.Delay.(Constant)))
		for _, from := range p.From {
			for _, u := range r.uniformOf(p, from, weight) {
				k := key{from.Population, l.firsts[from.Population] + from.First, from.N, whole, u.receptor, part}
				s := index[k]
				if s == nil {
					s = &sums{population: k.population, first: k.first, n: k.n, whole: whole, part: part, receptor: u.receptor}
					index[k] = s
					r.sums = append(r.sums, s)
				}
				s.to = append(s.to, sumTarget{u.lane, u.lanes, weight, u.column})
			}
		}
	}
}

// addSums adds the arrivals of all sums in step k.
func (r *shard) addSums(k int64) {
	l := r.net.layout
	for _, o := range r.coupled {
		o.emptyColumns()
	}
	for _, s := range r.sums {
		s.spikes, s.total = s.spikes[:0], [3]float64{}
		r.arriving(s.population, s.whole, s.part, k, func(neuron int32, theta float64) {
			if i := int(neuron) - s.first; i < 0 || i >= s.n {
				return
			}
			c := onePerEdge.Add
			if !l.spec.OnGrid {
				c = r.coefs(s.receptor, -1, theta)
			}
			for j, x := range c {
				s.total[j] += x
			}
			s.spikes = append(s.spikes, theta)
		})
		if len(s.spikes) == 0 {
			continue
		}
		width := l.receptors[s.receptor].width
		for _, t := range s.to {
			c := s.total
			for j := range c {
				c[j] *= t.weight
			}
			if t.column != nil {
				for j, x := range c {
					t.column.same[j] += x
				}
				continue
			}
			row := r.rows[s.receptor]
			r.touched[s.receptor] = true
			for at := width * t.lane; at < width*(t.lane+t.lanes); at += width {
				for j := range width {
					row[at+j] += c[j]
				}
			}
		}
	}
	for _, o := range r.coupled {
		o.fillColumns()
	}
}

// findSums appends the arrivals by sums at a lane in the current step to r.found.
func (r *shard) findSums(lane int) {
	for _, s := range r.sums {
		if len(s.spikes) == 0 {
			continue
		}
		for _, t := range s.to {
			if lane < t.lane || lane >= t.lane+t.lanes {
				continue
			}
			for _, theta := range s.spikes {
				r.found = append(r.found, arrival{uint16(lane), uint8(s.receptor), theta, t.weight})
			}
		}
	}
}

// arriving calls f for the spikes of a population that arrive in step k after a delay of whole steps and a part of one.
func (r *shard) arriving(population, whole int, part float64, k int64, f func(neuron int32, theta float64)) {
	onGrid := r.net.layout.spec.OnGrid
	each := func(emitted int64, late bool) { // late: those that the part carries into the next step
		for _, from := range r.net.ranges {
			for _, sp := range from.emitted(emitted) {
				theta := sp.theta + part
				if onGrid {
					theta = 0
				}
				if int(sp.population) != population || part > 0 && theta >= 1-instant != late {
					continue
				}
				if late {
					theta = max(0, theta-1)
				}
				f(sp.neuron, theta)
			}
		}
	}
	if part > 0 {
		each(k-int64(whole)-1, true)
	}
	each(k-int64(whole), false)
}
