package network

import (
	"fmt"
	"math"
	"slices"

	"popsim/kernels"
	"popsim/rng"
)

// drawing draws the edges of one projection. Each number drawn is a function of the seed, the projection's name, the
// number of the source or target, and the number of the draw.
type drawing struct {
	p        *Projection
	number   int // of the projection
	from, to pool
	layout   *layout

	ends, sources rng.Stream
	weight        sampler
	usableLaw     bool // whether no weight that is drawn needs to be looked at
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
	d.usableLaw = d.weight.drawn && d.weight.draw.usable(s.Synapses[p.Synapse].Kind.conductance())
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
	low := (1 - float64(r.JPlus*mean)) / (1 - mean)
	return []float64{low, r.JPlus - low}
}

// byTarget reports whether the law of the rule is drawn by target.
func byTarget(r Rule) bool {
	_, ok := r.(InDegree)
	return ok
}

// words are the words of one id of a stream, one after the other.
type words struct {
	isa   kernels.ISA
	s     rng.Stream
	id    uint32
	n     uint32 // words made
	left  []uint32
	block [256]uint32
}

func (w *words) begin(isa kernels.ISA, s rng.Stream, id uint32) {
	w.isa, w.s, w.id, w.n, w.left = isa, s, id, 0, nil
}

func (w *words) next() uint32 {
	if len(w.left) == 0 {
		w.left = w.block[:min(len(w.block), 8+int(w.n))] // few are made where few may be needed
		kernels.Words(w.isa, w.s, w.left, w.id, w.n/4)
		w.n += uint32(len(w.left))
	}
	x := w.left[0]
	w.left = w.left[1:]
	return x
}

// bundle is the edges of one source of a projection, or of one target where the rule is drawn by target, in the order
// in which they are drawn.
type bundle struct {
	pre, post []int32 // one of them for each edge, the other holds the one end that all have
	weight    []float64
	delay     []float64 // ms
	steps     []uint32  // whole steps of the delay
	part      []float64 // of a step

	w      words
	words  [4 * batch]uint32
	seen   marks
	except []int32

	weightsOf, delaysOf *drawing // whose constants the columns hold
}

// Columns of a bundle.
const (
	weights = 1 << iota
	delays
	numbers = weights | delays
)

// of draws the edges of a member of the pool that d is drawn by, with the requested columns.
func (d *drawing) of(member int, b *bundle, columns int) error {
	if byTarget(d.p.Rule) {
		b.pre, b.post = d.sourcesOf(member, b, b.pre[:0]), append(b.post[:0], int32(member))
	} else {
		b.pre, b.post = append(b.pre[:0], int32(member)), d.targetsOf(member, b, b.post[:0])
	}
	n := b.len()
	if columns&weights != 0 {
		if err := d.weights(b, n, uint32(member)); err != nil {
			return err
		}
	}
	if columns&delays != 0 {
		d.delays(b, n, uint32(member))
	}
	return nil
}

// len is the number of edges.
func (b *bundle) len() int {
	if len(b.pre) == 0 || len(b.post) == 0 {
		return 0
	}
	return max(len(b.pre), len(b.post))
}

// end returns the ends of edge k.
func (b *bundle) end(k int) (pre, post int) {
	return int(b.pre[min(k, len(b.pre)-1)]), int(b.post[min(k, len(b.post)-1)])
}

// targetsOf appends the targets of member pre of the pool of sources.
func (d *drawing) targetsOf(pre int, b *bundle, posts []int32) []int32 {
	b.except = b.except[:0]
	if d.p.NoAutapses {
		d.to.members(d.from.global(pre), func(i int) { b.except = append(b.except, int32(i)) })
	}
	switch r := d.p.Rule.(type) {
	case AllToAll, Ring:
		for post := range int32(d.to.n) {
			if !slices.Contains(b.except, post) {
				posts = append(posts, post)
			}
		}
	case OneToOne:
		if !slices.Contains(b.except, int32(pre)) {
			posts = append(posts, int32(pre))
		}
	case Probability:
		posts = d.byChance(r.P, pre, b, posts)
	case OutDegree:
		posts = d.uniform(posts, r.K, d.to.n, uint32(pre), b)
	case Total:
		posts = d.uniform(posts, int(d.perSource[pre]), d.to.n, uint32(pre), b)
	case Edges:
		for _, i := range d.index[d.first[pre]:d.first[pre+1]] {
			posts = append(posts, r.Post[i])
		}
	}
	return posts
}

// byChance appends each possible target with probability p: the gaps between them have a geometric law.
func (d *drawing) byChance(p float64, pre int, b *bundle, posts []int32) []int32 {
	if p == 0 {
		return posts
	}
	w := &b.w
	w.begin(d.layout.isa, d.ends, uint32(pre))
	for post := -1; ; {
		gap := 0.0
		if p < 1 {
			gap = math.Floor(rng.Log(rng.Uniform32(w.next())) * d.logGap)
		}
		if float64(post)+1+gap >= float64(d.to.n) {
			return posts
		}
		post += 1 + int(gap)
		if !slices.Contains(b.except, int32(post)) {
			posts = append(posts, int32(post))
		}
	}
}

// sourcesOf appends the sources of the edges of member post of the pool of targets.
func (d *drawing) sourcesOf(post int, b *bundle, sources []int32) []int32 {
	b.except = b.except[:0]
	if d.p.NoAutapses {
		d.from.members(d.to.global(post), func(i int) { b.except = append(b.except, int32(i)) })
	}
	return d.uniform(sources, d.p.Rule.(InDegree).K, d.from.n, uint32(post), b)
}

// uniform appends k members of a pool of n, drawn uniformly; without multapses each at most once.
func (d *drawing) uniform(members []int32, k, n int, id uint32, b *bundle) []int32 {
	if d.p.NoMultapses {
		b.seen.clear(n)
	}
	for counter := uint32(0); k > 0; {
		w := drawWords(d.layout.isa, d.ends, &b.words, min(len(b.words), (k+3)/4*4), id, counter)
		counter += uint32(len(w) / 4)
		if len(b.except) == 0 && !d.p.NoMultapses {
			for _, x := range w[:min(k, len(w))] {
				members = append(members, int32(uint64(x)*uint64(n)>>32))
			}
			k -= len(w)
			continue
		}
		for _, x := range w {
			m := int32(uint64(x) * uint64(n) >> 32)
			if k == 0 || slices.Contains(b.except, m) || d.p.NoMultapses && !b.seen.mark(int(m)) {
				continue
			}
			members = append(members, m)
			k--
		}
	}
	return members
}

// resized returns a slice of n elements, s itself if it is large enough; their values are undefined.
func resized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	return s[:n]
}

// weights sets the weights of the n edges of a bundle, by random numbers of the given id.
func (d *drawing) weights(b *bundle, n int, id uint32) error {
	_, constant := d.p.Weight.(Constant)
	constant = constant && d.ring == nil && d.listed.Weight == nil
	if constant && b.weightsOf == d && n <= len(b.weight) {
		return nil
	}
	b.weight, b.weightsOf = resized(b.weight, n), nil
	if constant {
		b.weightsOf = d
	}
	if d.listed.Weight != nil {
		for k, i := range d.index[d.first[id]:d.first[id+1]] {
			b.weight[k] = d.listed.Weight[i]
		}
		return d.usable(b)
	}
	d.law(&d.weight, b, b.weight, id)
	if d.weight.drawn {
		for k, x := range b.weight {
			b.weight[k] = float64(float32(x))
		}
	}
	r, ring := d.p.Rule.(Ring)
	if d.usableLaw && !ring {
		return nil
	}
	for k := range b.weight {
		if !ring {
			break
		}
		pre, post := b.end(k)
		b.weight[k] *= ringWeight(r, d.ring, ringDegrees(pre, post, d.from.n, d.to.n))
	}
	return d.usable(b)
}

// usable returns an error for weights of a bundle that are not finite and for conductances below 0.
func (d *drawing) usable(b *bundle) error {
	conductance := d.layout.spec.Synapses[d.p.Synapse].Kind.conductance()
	for k, w := range b.weight {
		if w-w != 0 || conductance && w < 0 {
			pre, post := b.end(k)
			most := ""
			if _, ring := d.p.Rule.(Ring); ring {
				most = ", the ring's factor included"
			}
			if conductance {
				most += "; conductances are at least 0 (clip or redraw them)"
			}
			return fmt.Errorf("projection %s: weight %g of the edge from %d to %d%s", d.p.Name, w, pre, post, most)
		}
	}
	return nil
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
			s.fill(d.layout.isa, dst, id, &b.words)
			return
		}
		for k, i := range d.index[d.first[id]:d.first[id+1]] { // the edges of a list are drawn under their own numbers
			dst[k] = s.at(0, 0, i, 0)
		}
	}
}

// delays sets the delays of the n edges of a bundle, by random numbers of the given id.
func (d *drawing) delays(b *bundle, n int, id uint32) {
	c, constant := d.p.Delay.(Constant)
	constant = constant && d.listed.Delay == nil
	if constant && b.delaysOf == d && n <= len(b.delay) {
		return
	}
	b.delay, b.steps, b.part, b.delaysOf = resized(b.delay, n), resized(b.steps, n), resized(b.part, n), nil
	switch {
	case constant:
		b.delaysOf = d
		whole, part := d.layout.place(float64(c))
		for k := range b.delay {
			b.delay[k], b.steps[k], b.part[k] = float64(c), uint32(whole), part
		}
		return
	case d.listed.Delay == nil && d.index == nil && d.delay.cells != nil:
		clear(b.part)
		d.delay.fillSteps(b.steps, b.delay, id, &b.words)
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
		if !(x >= 0 && x <= 2*MaxDelay) {
			whole = 0 // found to be out of bounds where the edge is stored
		}
		b.steps[k], b.part[k] = uint32(whole), part
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
