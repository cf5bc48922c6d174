package network

import (
	"math"

	"popsim/kernels"
	"popsim/rng"
)

// drawing draws the edges of one projection. All it draws is a function of the seed, the projection's name and the
// numbers of source or target and of the draw.
type drawing struct {
	p        *Projection
	number   int // of the projection
	from, to pool
	layout   *layout

	ends, sources rng.Stream
	weight        sampler
	delay         delaySampler

	perSource []uint32 // Total: number of edges of each source
	logGap    float64  // Probability: 1/ln(1-P)
	ring      []float64
	listed    Edges
	first     []uint32 // Edges: listed[first[s]:first[s+1]] indices of the edges of source s, in their order
	index     []uint32
}

// newDrawing prepares a projection; the counts of a Total are still missing.
func newDrawing(l *layout, number int) *drawing {
	s := l.spec
	p := &s.Projections[number]
	d := &drawing{p: p, number: number, from: s.pool(p.From), to: s.pool(p.To), layout: l}
	d.ends = rng.NewStream(s.Seed, "projection "+p.Name)
	d.sources = rng.NewStream(s.Seed, "sources "+p.Name)
	d.weight = newSampler(p.Weight, s.Seed, "weight "+p.Name)
	d.delay = newDelaySampler(l, p)
	switch r := p.Rule.(type) {
	case Probability:
		d.logGap = 1 / kernels.Log1p(-r.P)
	case Ring:
		d.ring = ringKernel(r)
	case Edges:
		d.listed = r
		d.first, d.index = bySource(r.Pre, d.from.n)
	}
	return d
}

// bySource orders the edges of a list by their sources.
func bySource(pre []int32, sources int) (first, index []uint32) {
	first, index = make([]uint32, sources+2), make([]uint32, len(pre))
	for _, s := range pre {
		first[s+2]++
	}
	for s := range sources {
		first[s+2] += first[s+1]
	}
	for i, s := range pre {
		index[first[s+1]] = uint32(i)
		first[s+1]++
	}
	return first[:sources+1], index
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
func byTarget(r Rule) bool {
	_, ok := r.(InDegree)
	return ok
}

// words are the words of one id of a stream, one after the other.
type words struct {
	s     rng.Stream
	id    uint32
	n     uint32 // words made
	left  []uint32
	block [64]uint32
}

func (w *words) begin(s rng.Stream, id uint32) { w.s, w.id, w.n, w.left = s, id, 0, nil }

func (w *words) next() uint32 {
	if len(w.left) == 0 {
		w.left = w.block[:min(len(w.block), 8+int(w.n))] // few are made where few may be needed
		w.s.Words(w.left, w.id, w.n/4)
		w.n += uint32(len(w.left))
	}
	x := w.left[0]
	w.left = w.left[1:]
	return x
}

// below is a uniform number below n.
func (w *words) below(n int) int { return int(uint64(w.next()) * uint64(n) >> 32) }

// bundle is the edges of one source of a projection, or of one target where the rule is drawn by target, in the order in
// which they are drawn.
type bundle struct {
	pre, post []int32 // one of them for each edge, the other holds the one end that all have
	weight    []float64
	delay     []float64 // ms
	steps     []uint16  // whole steps of the delay
	part      []float64 // of a step; not used where delays are whole steps

	w     words
	words [4 * batch]uint32
	seen  marks
}

func (b *bundle) len() int { return len(b.weight) }

// ofSource draws the edges of member pre of the pool of sources. It is not for rules drawn by target.
func (d *drawing) ofSource(pre int, b *bundle) {
	b.pre, b.post = append(b.pre[:0], int32(pre)), d.targetsOf(pre, b, b.post[:0])
	d.numbers(b, len(b.post), uint32(pre))
}

// ofTarget draws the edges of member post of the pool of targets, for rules drawn by target.
func (d *drawing) ofTarget(post int, b *bundle) {
	b.pre, b.post = d.sourcesOf(post, b, b.pre[:0]), append(b.post[:0], int32(post))
	d.numbers(b, len(b.pre), uint32(post))
}

// of draws the edges of a member of the pool that d is drawn by.
func (d *drawing) of(member int, b *bundle) {
	if byTarget(d.p.Rule) {
		d.ofTarget(member, b)
	} else {
		d.ofSource(member, b)
	}
}

// end returns the ends of edge k.
func (b *bundle) end(k int) (pre, post int) {
	return int(b.pre[min(k, len(b.pre)-1)]), int(b.post[min(k, len(b.post)-1)])
}

// targetsOf appends the targets of member pre of the pool of sources.
func (d *drawing) targetsOf(pre int, b *bundle, posts []int32) []int32 {
	self := -1 // the neuron of pre where autapses are excluded
	if d.p.NoAutapses {
		self = d.from.global(pre)
	}
	excluded := func(post int) bool { return self >= 0 && d.to.global(post) == self }
	switch r := d.p.Rule.(type) {
	case AllToAll, Ring:
		for post := range d.to.n {
			if !excluded(post) {
				posts = append(posts, int32(post))
			}
		}
	case OneToOne:
		if !excluded(pre) {
			posts = append(posts, int32(pre))
		}
	case Probability:
		posts = d.byChance(r.P, pre, excluded, &b.w, posts)
	case OutDegree:
		posts = d.drawn(r.K, pre, excluded, b, posts)
	case Total:
		posts = d.drawn(int(d.perSource[pre]), pre, excluded, b, posts)
	case Edges:
		for _, i := range d.index[d.first[pre]:d.first[pre+1]] {
			posts = append(posts, r.Post[i])
		}
	}
	return posts
}

// byChance appends each possible target with probability p: the gaps between them have a geometric law.
func (d *drawing) byChance(p float64, pre int, excluded func(int) bool, w *words, posts []int32) []int32 {
	if p == 0 {
		return posts
	}
	w.begin(d.ends, uint32(pre))
	for post := -1; ; {
		gap := 0.0
		if p < 1 {
			gap = math.Floor(rng.Log(rng.Uniform32(w.next())) * d.logGap)
		}
		if float64(post)+1+gap >= float64(d.to.n) {
			return posts
		}
		post += 1 + int(gap)
		if !excluded(post) {
			posts = append(posts, int32(post))
		}
	}
}

// drawn appends k targets drawn uniformly; without multapses each at most once.
func (d *drawing) drawn(k, pre int, excluded func(int) bool, b *bundle, posts []int32) []int32 {
	n := d.to.n
	if !d.p.NoMultapses && !d.p.NoAutapses {
		return d.uniform(posts, k, n, uint32(pre), b)
	}
	b.w.begin(d.ends, uint32(pre))
	if d.p.NoMultapses {
		b.seen.clear(n)
	}
	for k > 0 {
		post := b.w.below(n)
		if excluded(post) || d.p.NoMultapses && !b.seen.mark(post) {
			continue
		}
		posts = append(posts, int32(post))
		k--
	}
	return posts
}

// uniform appends k members of a pool of n, with replacement.
func (d *drawing) uniform(members []int32, k, n int, id uint32, b *bundle) []int32 {
	for first := 0; first < k; first += len(b.words) {
		w := b.words[:min(len(b.words), k-first)]
		d.ends.Words(w, id, uint32(first/4))
		for _, x := range w {
			members = append(members, int32(uint64(x)*uint64(n)>>32))
		}
	}
	return members
}

// sourcesOf appends the sources of the edges of member post of the pool of targets.
func (d *drawing) sourcesOf(post int, b *bundle, sources []int32) []int32 {
	self := -1
	if d.p.NoAutapses {
		self = d.to.global(post)
	}
	k := d.p.Rule.(InDegree).K
	if self < 0 && !d.p.NoMultapses {
		return d.uniform(sources, k, d.from.n, uint32(post), b)
	}
	b.w.begin(d.ends, uint32(post))
	b.seen.clear(d.from.n)
	for k > 0 {
		pre := b.w.below(d.from.n)
		if self >= 0 && d.from.global(pre) == self || d.p.NoMultapses && !b.seen.mark(pre) {
			continue
		}
		sources = append(sources, int32(pre))
		k--
	}
	return sources
}

// resized returns a slice of n elements, which hold anything.
func resized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	return s[:n]
}

// numbers gives the n edges of a bundle, drawn under an id, their weights and delays.
func (d *drawing) numbers(b *bundle, n int, id uint32) {
	b.weight, b.delay, b.steps, b.part = resized(b.weight, n), resized(b.delay, n), resized(b.steps, n), resized(b.part, n)
	d.weights(b, id)
	d.delays(b, id)
}

func (d *drawing) weights(b *bundle, id uint32) {
	if d.listed.Weight != nil {
		for k, i := range d.index[d.first[id]:d.first[id+1]] {
			b.weight[k] = d.listed.Weight[i]
		}
		return
	}
	d.law(&d.weight, b, b.weight, id)
	if d.weight.drawn {
		for k, x := range b.weight {
			b.weight[k] = float64(float32(x))
		}
	}
	if d.ring == nil {
		return
	}
	r := d.p.Rule.(Ring)
	for k := range b.weight {
		pre, post := b.end(k)
		x := math.Abs(360 * (float64(pre)/float64(d.from.n) - float64(post)/float64(d.to.n)))
		x = min(x, 360-x)
		b.weight[k] *= d.ring[0] + d.ring[1]*kernels.Exp(-x*x/(2*r.Sigma*r.Sigma))
	}
}

// law fills dst with the numbers of a law for the edges of a bundle.
func (d *drawing) law(s *sampler, b *bundle, dst []float64, id uint32) {
	switch l := s.law.(type) {
	case nil:
		clear(dst)
	case Constant:
		for k := range dst {
			dst[k] = float64(l)
		}
	case PerEdge:
		for k := range dst {
			dst[k] = l(b.end(k))
		}
	case Draw:
		if d.index == nil {
			s.fill(dst, id, &b.words)
			return
		}
		for k, i := range d.index[d.first[id]:d.first[id+1]] { // the edges of a list are drawn under their own numbers
			dst[k] = s.at(0, 0, i, 0)
		}
	}
}

func (d *drawing) delays(b *bundle, id uint32) {
	if d.listed.Delay == nil && d.index == nil && d.delay.cells != nil {
		clear(b.part)
		d.delay.fillSteps(b.steps, b.delay, id, &b.words)
		return
	}
	if c, ok := d.p.Delay.(Constant); ok && d.listed.Delay == nil {
		whole, part := d.layout.place(float64(c))
		for k := range b.delay {
			b.delay[k], b.steps[k], b.part[k] = float64(c), uint16(whole), part
		}
		return
	}
	if d.listed.Delay != nil {
		for k, i := range d.index[d.first[id]:d.first[id+1]] {
			b.delay[k] = d.listed.Delay[i]
		}
	} else {
		d.law(&d.delay.sampler, b, b.delay, id)
	}
	for k, x := range b.delay {
		whole, part := d.layout.place(x)
		if !(x >= 0) || whole > math.MaxUint16 {
			whole = 0 // found to be out of bounds where the edge is stored
		}
		b.steps[k], b.part[k] = uint16(whole), part
	}
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
	if m.now++; m.now == 0 {
		clear(m.at)
		m.now = 1
	}
}

// mark adds i and reports whether it was not in the set.
func (m *marks) mark(i int) bool {
	was := m.at[i]
	m.at[i] = m.now
	return was != m.now
}
