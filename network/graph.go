package network

import (
	"math"

	"popsim/kernels"
	"popsim/rng"
)

// An edge of the graph. Pre and post count through the pools of its projection.
type edge struct {
	pre, post     int32
	weight, delay float64
}

// drawing draws the edges of one projection. All it draws is a function of the seed, the projection's name and the
// numbers of source or target and of the draw.
type drawing struct {
	p        *Projection
	from, to pool

	ends, sources rng.Stream
	weight, delay sampler

	perSource []uint32 // Total: number of edges of each source
	logGap    float64  // Probability: 1/ln(1-P)
	ring      []float64
	bySource  [][]int32 // Edges: indices of the edges of each source, in their order
}

func newDrawing(s *Spec, p *Projection) *drawing {
	d := &drawing{p: p, from: s.pool(p.From), to: s.pool(p.To)}
	d.ends = rng.NewStream(s.Seed, "projection "+p.Name)
	d.weight = newSampler(p.Weight, s.Seed, "weight "+p.Name)
	d.delay = newSampler(p.Delay, s.Seed, "delay "+p.Name)
	d.sources = rng.NewStream(s.Seed, "sources "+p.Name)
	switch r := p.Rule.(type) {
	case Probability:
		d.logGap = 1 / kernels.Log1p(-r.P)
	case Total:
		d.perSource = make([]uint32, d.from.n)
		n := uint64(d.from.n)
		for q := int64(0); q < r.N; q += 4 {
			words := d.sources.At(uint32(q>>34), uint32(q>>2))
			for _, w := range words[:min(4, r.N-q)] {
				d.perSource[uint64(w)*n>>32]++
			}
		}
	case Ring:
		d.ring = ringKernel(r)
	case Edges:
		d.bySource = make([][]int32, d.from.n)
		for i, pre := range r.Pre {
			d.bySource[pre] = append(d.bySource[pre], int32(i))
		}
	}
	return d
}

// ringCells is the resolution over which the mean of a ring's weights is taken.
const ringCells = 3600

// ringKernel holds J- and J+ - J-.
func ringKernel(r Ring) []float64 {
	mean := 0.0
	for i := range ringCells {
		d := 360 * float64(i) / ringCells
		d = min(d, 360-d)
		mean += kernels.Exp(-d*d/(2*r.Sigma*r.Sigma)) / ringCells
	}
	low := (1 - r.JPlus*mean) / (1 - mean)
	return []float64{low, r.JPlus - low}
}

// byTarget reports whether the law of the rule is drawn by target.
func (d *drawing) byTarget() bool {
	_, ok := d.p.Rule.(InDegree)
	return ok
}

// of gives the edge its weight and delay; id and draw number it among what is drawn.
func (d *drawing) of(pre, post int, id, draw uint32) edge {
	e := edge{pre: int32(pre), post: int32(post)}
	e.weight = d.weight.at(pre, post, id, draw)
	if d.weight.drawn {
		e.weight = float64(float32(e.weight))
	}
	e.delay = d.delay.at(pre, post, id, draw)
	if d.ring != nil {
		x := math.Abs(360 * (float64(pre)/float64(d.from.n) - float64(post)/float64(d.to.n)))
		x = min(x, 360-x)
		r := d.p.Rule.(Ring)
		e.weight *= d.ring[0] + d.ring[1]*kernels.Exp(-x*x/(2*r.Sigma*r.Sigma))
	}
	return e
}

// words are the words of one id of a stream, one after the other.
type words struct {
	s     rng.Stream
	id    uint32
	n     uint32
	block rng.Block
}

func (w *words) next() uint32 {
	if w.n%4 == 0 {
		w.block = w.s.At(w.id, w.n/4)
	}
	w.n++
	return w.block[(w.n-1)%4]
}

// below is a uniform number below n.
func (w *words) below(n int) int { return int(uint64(w.next()) * uint64(n) >> 32) }

// ofSource appends the edges of member pre of the pool of sources in the order in which they are drawn. It is not for
// rules drawn by target.
func (d *drawing) ofSource(pre int, edges []edge) []edge {
	self := -1 // the neuron of pre where autapses are excluded
	if d.p.NoAutapses {
		self = d.from.global(pre)
	}
	excluded := func(post int) bool { return self >= 0 && d.to.global(post) == self }
	id, draw := uint32(pre), uint32(0)
	add := func(post int) {
		edges = append(edges, d.of(pre, post, id, draw))
		draw++
	}
	switch r := d.p.Rule.(type) {
	case AllToAll, Ring:
		for post := range d.to.n {
			if !excluded(post) {
				add(post)
			}
		}
	case OneToOne:
		if !excluded(pre) {
			add(pre)
		}
	case Probability:
		w := words{s: d.ends, id: id}
		for post := -1; ; {
			gap := 0.0
			if r.P < 1 {
				gap = math.Floor(rng.Log(rng.Uniform32(w.next())) * d.logGap)
			}
			if r.P == 0 || float64(post)+1+gap >= float64(d.to.n) {
				break
			}
			post += 1 + int(gap)
			if !excluded(post) {
				add(post)
			}
		}
	case OutDegree:
		w := words{s: d.ends, id: id}
		var seen map[int]bool
		if d.p.NoMultapses {
			seen = make(map[int]bool, r.K)
		}
		for draw < uint32(r.K) {
			post := w.below(d.to.n)
			if excluded(post) || seen[post] {
				continue
			}
			if seen != nil {
				seen[post] = true
			}
			add(post)
		}
	case Total:
		w := words{s: d.ends, id: id}
		for draw < d.perSource[pre] {
			if post := w.below(d.to.n); !excluded(post) {
				add(post)
			}
		}
	case Edges:
		for _, i := range d.bySource[pre] {
			if excluded(int(r.Post[i])) {
				continue
			}
			e := d.of(pre, int(r.Post[i]), uint32(i), 0)
			if r.Weight != nil {
				e.weight = r.Weight[i]
			}
			if r.Delay != nil {
				e.delay = r.Delay[i]
			}
			edges = append(edges, e)
		}
	}
	return edges
}

// sourcesOf appends the sources of the edges of member post of the pool of targets, for rules drawn by target.
func (d *drawing) sourcesOf(post int, seen *marks, sources []int32) []int32 {
	self := -1
	if d.p.NoAutapses {
		self = d.to.global(post)
	}
	w := words{s: d.ends, id: uint32(post)}
	seen.clear(d.from.n)
	for k := d.p.Rule.(InDegree).K; k > 0; {
		pre := w.below(d.from.n)
		if self >= 0 && d.from.global(pre) == self || d.p.NoMultapses && !seen.mark(pre) {
			continue
		}
		sources = append(sources, int32(pre))
		k--
	}
	return sources
}

// marks is a set of members of a pool that is emptied in constant time.
type marks struct {
	at  []uint32
	now uint32
}

func (m *marks) clear(n int) {
	if len(m.at) < n {
		m.at, m.now = make([]uint32, n), 0
	}
	m.now++
}

// mark adds i and reports whether it was not in the set.
func (m *marks) mark(i int) bool {
	was := m.at[i]
	m.at[i] = m.now
	return was != m.now
}

// sampler draws the numbers of a law.
type sampler struct {
	law       Law
	draw      Draw
	drawn     bool
	mu, sigma float64
	seed      uint64
	name      uint64
	stream    rng.Stream
}

func newSampler(law Law, seed uint64, name string) sampler {
	s := sampler{law: law, seed: seed, name: rng.NameKey(name)}
	s.stream = rng.StreamOf(seed, s.name)
	if d, ok := law.(Draw); ok {
		s.draw, s.drawn = d, true
		if d.Kind == Lognormal {
			s.mu, s.sigma = rng.LogNormalOf(d.A, d.B)
		}
	}
	return s
}

// redraws is how often a draw is repeated before it is set to the nearer bound instead.
const redraws = 1000

// at is the number of the edge from pre to post that is drawn under id and draw.
func (s *sampler) at(pre, post int, id, draw uint32) float64 {
	switch l := s.law.(type) {
	case nil:
		return 0
	case Constant:
		return float64(l)
	case PerEdge:
		return l(pre, post)
	}
	d, x := &s.draw, 0.0
	block := s.stream.At(id, draw)
	for try := range redraws {
		if try > 0 && try%4 == 0 {
			block = rng.StreamOf(s.seed, s.name+uint64(try)).At(id, draw)
		}
		word := block[try%4]
		switch d.Kind {
		case Normal:
			x = math.FMA(d.B, rng.Normal32(word), d.A)
		case Lognormal:
			x = rng.LogNormal32(word, s.mu, s.sigma)
		case Uniform:
			x = math.FMA(d.B-d.A, rng.Uniform32(word), d.A)
		}
		if d.Redraw == nil || x >= d.Redraw[0] && x <= d.Redraw[1] {
			break
		}
	}
	if d.Redraw != nil {
		x = min(max(x, d.Redraw[0]), d.Redraw[1])
	}
	if d.Clip != nil {
		x = min(max(x, d.Clip[0]), d.Clip[1])
	}
	if d.Round > 0 {
		x = math.Round(x/d.Round) * d.Round
	}
	return x
}
