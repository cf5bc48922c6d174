package vec

// Tuning holds parameters of the scheduler. They change the order of instructions and the spills, never a bit of the
// result.
type Tuning struct {
	// Live is how many computed values may be in registers before the scheduler prefers operations that end the life of
	// values to operations that add one. 0 means all registers but two.
	Live int
	// Skew is how far the vectors recorded last are delayed after the first, as part of the block's longest path, so that
	// not all of them reach their divisions, or the end of the block, at the same time. 0 means 0.5; negative, none.
	Skew float64
	// Reuse is how many reads make a constant or a load worth a free register; 0 means 3.
	Reuse int
	// Near is the largest number of instructions until the next read of a constant or a load for which it is kept in a
	// register; 0 means none.
	Near int
	// Abreast is how many vectors go side by side, as if recorded together, so that they share what is loaded near; 0
	// means 1.
	Abreast int
}

const (
	spare = 2   // registers left to operands on their way from memory
	width = 2.0 // operations the scheduler counts on per cycle: the FMA pipes
)

type schedState struct {
	used    bool    // reached from an effect
	after   []*node // operations that must be emitted later
	waits   int     // predecessors that are not yet emitted
	readers int     // reads of this value that are not yet emitted
	height  int     // latency from here to the end of the block, cycles
	ready   float64 // when its operands are computed, cycles
}

// schedule puts the block's instructions in order: list scheduling by the longest path to the end, under a limit on
// live values. For an out-of-order processor it is enough that independent chains are near each other and few values
// are spilled.
func (b *Block) schedule() []*node {
	b.link()
	limit := b.Tune.Live
	if limit == 0 {
		limit = b.Free() - spare
	}
	b.slope = b.Tune.Skew
	if b.slope == 0 {
		b.slope = 0.5
	}
	longest := 0
	for _, n := range b.nodes {
		longest = max(longest, n.sched.height)
	}
	b.slope = max(b.slope, 0) * float64(longest) / float64(len(b.nodes))
	var ready, order []*node
	total := 0
	for _, n := range b.nodes {
		if n.sched.used && !n.leaf() {
			total++
			if n.sched.waits == 0 {
				ready = append(ready, n)
			}
		}
	}
	now, live := 0.0, 0
	for len(ready) > 0 {
		best := 0
		for i, n := range ready {
			if b.better(n, ready[best], now, live >= limit) {
				best = i
			}
		}
		n := ready[best]
		ready = append(ready[:best], ready[best+1:]...)
		order = append(order, n)
		live += b.pressure(n)
		now = max(now, n.sched.ready) + 1/width
		for _, a := range n.inputs() {
			a.sched.readers--
		}
		for _, s := range n.sched.after {
			s.sched.ready = max(s.sched.ready, now+float64(ops[n.op].latency)-1/width)
			if s.sched.waits--; s.sched.waits == 0 {
				ready = append(ready, s)
			}
		}
	}
	if len(order) != total {
		panic("bug: " + b.name + ": stores or pins that exchange their values wait for each other")
	}
	return order
}

// better reports whether n should come before m.
func (b *Block) better(n, m *node, now float64, full bool) bool {
	if n.op == opTest || m.op == opTest { // nothing may come between the flags and the jump
		return m.op == opTest && n.op != opTest
	}
	if full {
		if p, q := b.pressure(n), b.pressure(m); p != q {
			return p < q
		}
	}
	if early, late := n.sched.ready <= now, m.sched.ready <= now; early != late {
		return early
	} else if !early && n.sched.ready != m.sched.ready {
		return n.sched.ready < m.sched.ready
	}
	if p, q := b.urgency(n), b.urgency(m); p != q {
		return p > q
	}
	return n.index < m.index
}

// urgency is the least time from n to the end of the block, lowered for the vectors that are delayed.
func (b *Block) urgency(n *node) float64 {
	return float64(n.sched.height) - float64(b.slope*float64(n.place))
}

// pressure is by how many the number of live values in vector registers grows with n.
func (b *Block) pressure(n *node) int {
	held := func(v *node) bool { return !v.leaf() && v.op < opStore && !(v.mask && b.Target.HasMasks()) }
	p := 0
	if held(n) {
		p++
	}
	for i, a := range n.inputs() {
		seen := 1 // times n reads a, so far
		for _, c := range n.inputs()[:i] {
			if c == a {
				seen++
			}
		}
		if held(a) && a.sched.readers == seen {
			p--
		}
	}
	return p
}

// link finds the operations that have an effect, the readers of each value, and the order that memory and pins demand:
// the readers of an old value come before the store or set that replaces it.
func (b *Block) link() {
	b.markUsed()
	users := map[*node][]*node{}
	var tests, rest []*node
	for _, n := range b.nodes {
		if !n.sched.used || n.leaf() {
			continue
		}
		for _, a := range n.inputs() {
			a.sched.readers++
			if users[a] = append(users[a], n); !a.leaf() {
				a.before(n)
			}
		}
		if n.op == opTest {
			tests = append(tests, n)
		} else {
			rest = append(rest, n)
		}
	}
	b.orderMemory(users)
	for _, t := range tests {
		for _, n := range rest {
			n.before(t)
		}
	}
	for i := len(b.nodes) - 1; i >= 0; i-- {
		n := b.nodes[i]
		for _, s := range n.sched.after {
			n.sched.height = max(n.sched.height, s.sched.height)
		}
		n.sched.height += ops[n.op].latency
	}
}

// markUsed begins the scheduling of all nodes, and marks those that an effect depends on.
func (b *Block) markUsed() {
	for i := len(b.nodes) - 1; i >= 0; i-- {
		n := b.nodes[i]
		n.sched = schedState{used: n.sched.used || n.op >= opStore}
		if n.sched.used {
			for _, a := range n.inputs() {
				a.sched.used = true
			}
		}
	}
}

// before makes n come before a later node.
func (n *node) before(later *node) {
	n.sched.after = append(n.sched.after, later)
	later.sched.waits++
}

// orderMemory makes the users of a load or of a pin come before the store or set that replaces it, and stores to one
// place come in their order.
func (b *Block) orderMemory(users map[*node][]*node) {
	usersBefore := func(old, n *node) {
		for _, u := range users[old] {
			if u != n {
				u.before(n)
			}
		}
	}
	last := map[Mem]*node{}
	for _, n := range b.nodes {
		switch n.op {
		case opStore:
			for _, l := range b.nodes {
				if l.op == opLoad && l.sched.used && b.overlap(n, l) {
					usersBefore(l, n)
				}
			}
			if s := last[n.mem]; s != nil {
				s.before(n)
			}
			last[n.mem] = n
		case opSet:
			if g := b.gets[n.pin]; g != nil {
				usersBefore(g, n)
			}
		}
	}
}

// overlap reports whether store s writes what load l reads; places with different bases never overlap.
func (b *Block) overlap(s, l *node) bool {
	p, q := s.mem, l.mem
	d := q.Disp - p.Disp
	p.Disp, q.Disp = 0, 0
	size := b.Target.Bytes()
	if l.one {
		size = 8
	}
	if p != q || d <= -size || d >= b.Target.Bytes() {
		return false
	}
	if d != 0 && !l.one {
		panic("bug: " + b.name + ": a store covers half of a load")
	}
	return true
}
