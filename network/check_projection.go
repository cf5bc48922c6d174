package network

import (
	"math"
	"slices"
)

// size is the number of neurons of a pool.
func size(pool []Part) int {
	n := 0
	for _, p := range pool {
		n += p.N
	}
	return n
}

// pool checks the parts of a pool and returns its size; targets must be neurons.
func (c *checker) pool(what string, pool []Part, targets bool) int {
	for _, p := range pool {
		if p.Population < 0 || p.Population >= len(c.spec.Populations) {
			c.fault("%s: no population %d", what, p.Population)
			return 0
		}
		q := &c.spec.Populations[p.Population]
		if p.First < 0 || p.N < 1 || p.N > q.N || p.First > q.N-p.N {
			c.fault("%s: neurons %d to %d of %s, which has %d", what, p.First, p.First+p.N-1, q.Name, q.N)
			return 0
		}
		if targets && q.Model == nil {
			c.fault("%s: %s has sources of spikes, which take no input", what, q.Name)
			return 0
		}
	}
	n := size(pool)
	if n == 0 {
		c.fault("%s: no neurons", what)
	}
	return n
}

func (c *checker) law(what string, law Law, least float64) {
	switch l := law.(type) {
	case nil:
		c.fault("%s is missing", what)
	case Constant:
		if !(float64(l) >= least) || math.IsInf(float64(l), 0) {
			if math.IsInf(least, -1) {
				c.fault("%s: %g", what, float64(l))
			} else {
				c.fault("%s: %g; at least %.6g is needed", what, float64(l), least)
			}
		}
	case PerEdge:
		if l == nil {
			c.fault("%s: the function is nil", what)
		}
	case Draw:
		c.draw(what, &l)
	}
}

// drawnDelay checks that every delay that a law can give is possible.
func (c *checker) drawnDelay(what string, d *Draw) {
	switch lo, hi := d.bounds(); {
	case lo < c.spec.Dt*(1-wholeDelay):
		c.fault("%s: delay (ms): draws reach down to %.4g ms, below the step of %g ms; clip or redraw them", what, max(0, lo),
			c.spec.Dt)
	case hi > MaxDelay*(1+wholeDelay):
		c.fault("%s: delay (ms): draws reach up to %.4g ms, above %d ms; clip or redraw them", what, hi, MaxDelay)
	}
}

// draw checks a law and returns the number of faults so far.
func (c *checker) draw(what string, l *Draw) int {
	before := len(c.faults)
	switch {
	case l.Kind < Normal || l.Kind > Uniform:
		c.fault("%s: no distribution %d", what, l.Kind)
	case l.A-l.A != 0 || l.B-l.B != 0:
		c.fault("%s: numbers %g and %g of its law; they must be finite", what, l.A, l.B)
	case l.Kind == Uniform && !(l.A <= l.B):
		c.fault("%s: uniform from %g to %g; the lower end comes first", what, l.A, l.B)
	case l.Kind != Uniform && !(l.B >= 0):
		c.fault("%s: standard deviation %g; it must be 0 or more", what, l.B)
	case l.Kind == Lognormal && !(l.A > 0):
		c.fault("%s: mean %g of a lognormal; it must be above 0", what, l.A)
	}
	for _, b := range []*[2]float64{l.Redraw, l.Clip} {
		if b != nil && !(b[0] <= b[1]) {
			c.fault("%s: bounds %g..%g; the lower one comes first", what, b[0], b[1])
		}
	}
	if !(l.Round >= 0) || math.IsInf(l.Round, 1) {
		c.fault("%s: rounded to multiples of %g; they must be above 0, or 0 for none", what, l.Round)
	}
	if len(c.faults) > before || l.Redraw == nil {
		return len(c.faults)
	}
	free := Draw{Kind: l.Kind, A: l.A, B: l.B}
	if lo, hi := free.bounds(); lo > l.Redraw[1] || hi < l.Redraw[0] {
		c.fault("%s: no number of the law lies within %g..%g, the bounds for drawing again", what, l.Redraw[0], l.Redraw[1])
	}
	return len(c.faults)
}

func (c *checker) projection(p *Projection) {
	what := "projection " + p.Name
	before := len(c.faults)
	from, to := c.pool(what+": from", p.From, false), c.pool(what+": to", p.To, true)
	if p.Synapse < 0 || p.Synapse >= len(c.spec.Synapses) {
		c.fault("%s: no synapse %d", what, p.Synapse)
	}
	if len(c.faults) > before {
		return
	}
	least := c.spec.Dt * (1 - wholeDelay)
	edges, isEdges := p.Rule.(Edges)
	if !isEdges || edges.Weight == nil {
		c.law(what+": weight", p.Weight, c.least(p.Synapse))
	}
	if !isEdges || edges.Delay == nil {
		c.law(what+": delay (ms)", p.Delay, least)
		if d, ok := p.Delay.(Constant); ok && float64(d) > MaxDelay {
			c.fault("%s: delay %g ms; at most %d ms is possible", what, float64(d), MaxDelay)
		}
		if d, ok := p.Delay.(Draw); ok && len(c.faults) == before {
			c.drawnDelay(what, &d)
		}
	}
	if _, one := p.Delay.(Constant); c.spec.Synapses[p.Synapse].Kind == NMDA && (!one || isEdges && edges.Delay != nil) {
		c.fault("%s: nmda takes one number as delay: the gate belongs to the source and the delay", what)
	}
	switch r := p.Rule.(type) {
	case nil:
		c.fault("%s: rule is missing", what)
	case InDegree:
		c.degree(what, "in-degree", r.K, p, p.From, p.To)
	case OutDegree:
		c.degree(what, "out-degree", r.K, p, p.To, p.From)
	case Probability:
		if !(r.P >= 0 && r.P <= 1) {
			c.fault("%s: probability %g; it lies between 0 and 1", what, r.P)
		}
	case Total:
		c.total(what, r.N, p)
	case OneToOne:
		if from != to {
			c.fault("%s: one-to-one between %d sources and %d targets", what, from, to)
		}
	case Ring:
		if !(r.Sigma > 0) || math.IsInf(r.Sigma, 1) || r.JPlus-r.JPlus != 0 {
			c.fault("%s: ring of height %g and width %g degrees; both must be finite, the width above 0", what, r.JPlus, r.Sigma)
		}
	case Edges:
		c.edges(what, r, from, to, least)
		c.excluded(what, r, p)
	}
	if p.NoMultapses && (c.overlaps(p.From) || c.overlaps(p.To)) {
		c.fault("%s: a neuron is twice in a pool; without multapses it cannot", what)
	}
}

// overlaps reports whether a neuron is in two parts of a pool.
func (c *checker) overlaps(parts []Part) bool {
	for i, p := range parts {
		for _, q := range parts[:i] {
			if common(p, q) > 0 {
				return true
			}
		}
	}
	return false
}

// common is the number of neurons that are in both parts.
func common(p, q Part) int {
	if p.Population != q.Population {
		return 0
	}
	return max(0, min(p.First+p.N, q.First+q.N)-max(p.First, q.First))
}

// copies is the largest number of places that a neuron of one pool has in another.
func (c *checker) copies(of, in []Part) (most int) {
	for _, p := range of {
		for _, first := range append([]Part{p}, in...) { // the number changes where a part begins
			one := Part{first.Population, first.First, 1}
			if common(p, one) == 0 {
				continue
			}
			n := 0
			for _, q := range in {
				n += common(q, one)
			}
			most = max(most, n)
		}
	}
	return most
}

// degree checks rules that give each neuron of a pool k edges with neurons of another.
func (c *checker) degree(what, name string, k int, p *Projection, with, of []Part) {
	n := size(with)
	if p.NoAutapses {
		n -= c.copies(of, with)
	}
	switch {
	case k < 0 || k > math.MaxInt32:
		c.fault("%s: %s %d; it lies between 0 and %d", what, name, k, math.MaxInt32)
	case p.NoMultapses && k > n:
		c.fault("%s: %s %d without multapses; the neurons to be connected are %d", what, name, k, n)
	case k > 0 && n < 1:
		c.fault("%s: %s %d without autapses, but a neuron has none but itself to be connected with", what, name, k)
	}
}

func (c *checker) total(what string, n int64, p *Projection) {
	pairs := float64(size(p.From)) * float64(size(p.To))
	if p.NoAutapses {
		for _, f := range p.From {
			for _, t := range p.To {
				pairs -= float64(common(f, t))
			}
		}
	}
	switch {
	case n < 0:
		c.fault("%s: total %d; 0 or more are needed", what, n)
	case p.NoMultapses && float64(n) > pairs:
		c.fault("%s: total %d without multapses; %.0f pairs are there to be connected", what, n, pairs)
	case n > 0 && pairs == 0:
		c.fault("%s: total %d without autapses, but there is only one neuron", what, n)
	}
}

// excluded reports listed edges that NoAutapses or NoMultapses of the projection excludes.
func (c *checker) excluded(what string, r Edges, p *Projection) {
	if !p.NoAutapses && !p.NoMultapses || len(r.Pre) != len(r.Post) {
		return
	}
	from, to := c.spec.pool(p.From), c.spec.pool(p.To)
	index := make([]int, len(r.Pre))
	for i := range index {
		if int(uint32(r.Pre[i])) >= from.n || int(uint32(r.Post[i])) >= to.n {
			return // reported by edges
		}
		index[i] = i
		if p.NoAutapses && from.global(int(r.Pre[i])) == to.global(int(r.Post[i])) {
			c.fault("%s: edge %d is an autapse", what, i)
			return
		}
	}
	if !p.NoMultapses {
		return
	}
	key := func(i int) uint64 { return uint64(r.Pre[i])<<32 | uint64(r.Post[i]) }
	slices.SortStableFunc(index, func(a, b int) int {
		if key(a) < key(b) {
			return -1
		} else if key(a) > key(b) {
			return 1
		}
		return 0
	})
	for k := 1; k < len(index); k++ {
		if key(index[k]) == key(index[k-1]) {
			c.fault("%s: edges %d and %d connect the same neurons", what, index[k-1], index[k])
			return
		}
	}
}

func (c *checker) edges(what string, r Edges, from, to int, least float64) {
	n := len(r.Pre)
	if len(r.Post) != n || r.Weight != nil && len(r.Weight) != n || r.Delay != nil && len(r.Delay) != n {
		c.fault("%s: columns of unequal length", what)
		return
	}
	if n > math.MaxInt32 {
		c.fault("%s: %d edges in a list; at most %d are possible", what, n, math.MaxInt32)
		return
	}
	for i := range n {
		switch {
		case r.Pre[i] < 0 || int(r.Pre[i]) >= from:
			c.fault("%s: edge %d: source %d of %d", what, i, r.Pre[i], from)
		case r.Post[i] < 0 || int(r.Post[i]) >= to:
			c.fault("%s: edge %d: target %d of %d", what, i, r.Post[i], to)
		case r.Weight != nil && (math.IsNaN(r.Weight[i]) || math.IsInf(r.Weight[i], 0)):
			c.fault("%s: edge %d: weight %g", what, i, r.Weight[i])
		case r.Delay != nil && !(r.Delay[i] >= least && r.Delay[i] <= MaxDelay):
			c.fault("%s: edge %d: delay %g ms; it lies between %g and %d ms", what, i, r.Delay[i], c.spec.Dt, MaxDelay)
		default:
			continue
		}
		return
	}
}
