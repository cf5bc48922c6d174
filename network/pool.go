package network

// A pool numbers the members of a list of parts.
type pool struct {
	parts []poolPart
	n     int
}

// A poolPart is a run of consecutive neurons of the network, of one population or of several.
type poolPart struct {
	base   int // number in the pool of the first member
	global int // its number in the network
	n      int
}

func (s *Spec) pool(parts []Part) pool {
	first := s.firsts()
	p := pool{}
	for _, q := range parts {
		g := first[q.Population] + q.First
		if k := len(p.parts) - 1; k >= 0 && p.parts[k].global+p.parts[k].n == g {
			p.parts[k].n += q.N
		} else {
			p.parts = append(p.parts, poolPart{p.n, g, q.N})
		}
		p.n += q.N
	}
	return p
}

// firsts lists the number of the first neuron of each population, and at the end the number of neurons.
func (s *Spec) firsts() []int {
	first := make([]int, len(s.Populations)+1)
	for i, p := range s.Populations {
		first[i+1] = first[i] + p.N
	}
	return first
}

// global is the number in the network of member i.
func (p *pool) global(i int) int {
	if len(p.parts) == 1 {
		return p.parts[0].global + i
	}
	return p.find(i)
}

func (p *pool) find(i int) int {
	for k := range p.parts {
		if q := &p.parts[k]; i < q.base+q.n {
			return q.global + i - q.base
		}
	}
	panic("bug: network: member beyond its pool")
}

// members calls f with the number in the pool of each member that is neuron g of the network.
func (p *pool) members(g int, f func(i int)) {
	for k := range p.parts {
		if q := &p.parts[k]; g >= q.global && g < q.global+q.n {
			f(q.base + g - q.global)
		}
	}
}

// within is the members of the part, from lo on up to hi, that are in a segment.
func (q *poolPart) within(s *segment) (lo, hi int) {
	lo, hi = max(q.global, s.first), min(q.global+q.n, s.first+s.n)
	return q.base + lo - q.global, q.base + hi - q.global
}
