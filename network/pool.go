package network

// pools numbers the members of a list of parts.
type pool struct {
	spec  *Spec
	parts []poolPart
	n     int
}

type poolPart struct {
	Part
	base   int // number in the pool of the part's first member
	global int // number in the network of the part's first member
}

func (s *Spec) pool(parts []Part) pool {
	first := s.firsts()
	p := pool{spec: s}
	for _, q := range parts {
		p.parts = append(p.parts, poolPart{q, p.n, first[q.Population] + q.First})
		p.n += q.N
	}
	return p
}

// firsts lists the number of the first neuron of each population, and behind them the number of neurons.
func (s *Spec) firsts() []int {
	first := make([]int, len(s.Populations)+1)
	for i, p := range s.Populations {
		first[i+1] = first[i] + p.N
	}
	return first
}

// global is the number in the network of member i.
func (p *pool) global(i int) int {
	for k := range p.parts {
		if q := &p.parts[k]; i < q.base+q.N {
			return q.global + i - q.base
		}
	}
	panic("bug: network: member beyond its pool")
}

// members calls f with the number in the pool of each member that is neuron g of the network.
func (p *pool) members(g int, f func(i int)) {
	for k := range p.parts {
		if q := &p.parts[k]; g >= q.global && g < q.global+q.N {
			f(q.base + g - q.global)
		}
	}
}
