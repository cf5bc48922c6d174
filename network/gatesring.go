package network

import (
	"math"

	"popsim/circulant"
	"popsim/kernels"
)

// ring is one projection of NMDA on a ring, from n sources of a population, numbered from first on, to as many targets,
// of which lanes are in the range, from target offset on. The sums over the sources are products with a circulant
// matrix.
type ring struct {
	first, n    int
	lane, lanes int
	offset      int
	receptor    int
	matrix      *circulant.Matrix
	scratch     []complex128
}

// onRing reports whether a projection of NMDA goes from the neurons of a part to as many, with weights that depend on
// their distance on a ring alone, and are conductances.
func (p *Projection) onRing(s *Spec) bool {
	rule, ok := p.Rule.(Ring)
	weight, constant := p.Weight.(Constant)
	if !ok || !constant || p.NoAutapses || s.Synapses[p.Synapse].Kind != NMDA {
		return false
	}
	kernel := ringKernel(rule)
	return len(p.From) == 1 && len(p.To) == 1 && p.From[0].N == p.To[0].N &&
		weight >= 0 && kernel[0] >= 0 && rule.JPlus >= 0
}

// ringWeight is the weight at a distance of x degrees, on average 1; kernel is from ringKernel.
func ringWeight(rule Ring, kernel []float64, x float64) float64 {
	x = min(x, 360-x)
	return kernel[0] + float64(kernel[1]*kernels.Exp(-x*x/(2*rule.Sigma*rule.Sigma)))
}

// ringDegrees is the distance on a ring of a source and a target, out of so many; with as many of both that of their
// displacement, which has the same bits for all pairs.
func ringDegrees(pre, post, sources, targets int) float64 {
	if sources == targets {
		return 360 * float64((post-pre+sources)%sources) / float64(sources)
	}
	return math.Abs(360 * (float64(pre)/float64(sources) - float64(post)/float64(targets)))
}

// ringsOf lists the parts of a projection on a ring that reach the range.
func (r *shard) ringsOf(p *Projection) (list []ring) {
	l := r.net.layout
	from, to := p.From[0], p.To[0]
	rule := p.Rule.(Ring)
	kernel, weight := ringKernel(rule), float64(p.Weight.(Constant))
	weights := make([]float64, from.N)
	for i := range weights {
		weights[i] = weight * ringWeight(rule, kernel, ringDegrees(0, i, from.N, from.N))
	}
	matrix := circulant.New(weights)
	start := l.firsts[to.Population] + to.First
	for i := range r.segs {
		seg := &r.segs[i]
		lo, hi := max(start, seg.first), min(start+to.N, seg.first+seg.n)
		if seg.population != to.Population || lo >= hi {
			continue
		}
		list = append(list, ring{
			first: from.First, n: from.N, lane: lo - seg.first + seg.base, lanes: hi - lo, offset: lo - start,
			receptor: l.receptor(p.Synapse, seg.population, false), matrix: matrix, scratch: matrix.Scratch(),
		})
	}
	return list
}

// spreadRing adds the changes of the gates of g in the current step to the rows of the targets of a ring. Two of the
// three sums are one product with the matrix.
func (r *shard) spreadRing(g *gates, ring *ring) {
	row, z := r.rows[ring.receptor][3*ring.lane:][:3*ring.lanes], ring.scratch
	product := func(of func(c [3]float64) complex128) []complex128 {
		clear(z[:ring.n])
		for _, a := range g.active {
			if i := int(a) - ring.first; i >= 0 && i < ring.n {
				z[i] = of(g.addedBy(a))
			}
		}
		ring.matrix.Multiply(z)
		return z[ring.offset:][:ring.lanes]
	}
	r.touched[ring.receptor] = true
	for i, x := range product(func(c [3]float64) complex128 { return complex(c[0], c[1]) }) {
		row[3*i] += real(x)
		row[3*i+1] += imag(x)
	}
	for i, x := range product(func(c [3]float64) complex128 { return complex(c[2], 0) }) {
		row[3*i+2] += real(x)
	}
}
